// SPDX-License-Identifier: GPL-2.0
/*
 * Asks what neither rein nor librein would ask, or lets memory be missing, to be told off:
 *
 *	tool-wrong WHAT DIRECTORY NAME
 *
 * DIRECTORY is a cgroup, NAME a limit. See the table at the end for WHAT there is. Of those
 * that go by /dev/rein NAME is a limit on calls that binds this process; or, of those about
 * scopes and races, the name of the one that is made.
 *
 * Says, as rein does, which record there is of it, where the kernel tells:
 *
 *	record: ID (rein errors show ID)
 *
 * Exits with 0 if it was refused, or came to its end if that is what WHAT is about; with 1 if
 * it didn't, 4 if this kernel can't do WHAT.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "wrong.h"

/* More than anything here has to fail. */
#define FAULTS		1000

/* --- requests ------------------------------------------------------------------ */

static int ask(struct genl_msg *msg)
{
	struct genl_answer answer;
	int fd = connect_to_rein();

	/* The family is known only now. */
	msg->nlh.nlmsg_type = genl_family;
	if (genl_ask(fd, msg, &answer, NULL, NULL))
		die("no answer");
	close(fd);
	return answer.err ? refused(answer.record) : 1;
}

static struct genl_msg msg;

static void put_tier(void)
{
	genl_put_tier(&msg, REIN_UNIT_CALLS, 1, SECOND, 1);
}

static void put_call(const char *limit, int dir)
{
	begin(&msg, REIN_CMD_LIMIT_ADD, limit, dir);
	genl_put_u32(&msg, REIN_A_LIMIT_RESOURCE, REIN_RESOURCE_CALL);
}

static int do_nameless(void)
{
	put_call(NULL, open_directory());
	put_tier();
	return ask(&msg);
}

static int do_targetless(void)
{
	put_call(name, -1);
	put_tier();
	return ask(&msg);
}

static int do_tierless(void)
{
	put_call(name, open_directory());
	return ask(&msg);
}

static int do_rateless(void)
{
	put_call(name, open_directory());
	genl_put_tier(&msg, REIN_UNIT_CALLS, UINT64_MAX, UINT64_MAX, 1);
	return ask(&msg);
}

static int do_unknown(void)
{
	put_call(name, open_directory());
	put_tier();
	genl_put_u32(&msg, REIN_A_LIMIT_MAX + 1, 0);
	return ask(&msg);
}

/* The directory is removed between its being opened and the request. */
static int do_removed(void)
{
	int dir = open_directory();

	if (rmdir(directory))
		die(directory);
	put_call(name, dir);
	put_tier();
	return ask(&msg);
}

/* --- /dev/rein ------------------------------------------------------------------ */

static struct take take;

static int take_it(void)
{
	return take_now(open_device(), &take) ? refused(take.args.record) : 1;
}

static int do_flags(void)
{
	ask_for(&take, name, 1, REIN_TAKE_TRY | REIN_TAKE_TIMEOUT, 0);
	return take_it();
}

static int do_twice(void)
{
	ask_more(ask_for(&take, name, 1, 0, 0), name, 1);
	return take_it();
}

static int do_names(void)
{
	ask_for(&take, name, 1, 0, 0);
	take.args.wants = 1;
	return take_it();
}

static int do_arguments(void)
{
	return ioctl(open_device(), REIN_IOC_TAKE, NULL) ? refused(0) : 1;
}

static int do_newer(void)
{
	struct {
		struct rein_take_args args;
		uint64_t more;
	} newer = { .args = ask_for(&take, name, 1, 0, 0)->args, .more = 1 };

	return ioctl(open_device(), _IOC(_IOC_READ | _IOC_WRITE, REIN_IOC_MAGIC,
					 _IOC_NR(REIN_IOC_TAKE), sizeof(newer)), &newer) ?
	       refused(0) : 1;
}

static int reserve_it(uint64_t claim_ns)
{
	int fd;

	ask_for(&take, name, 1, 0, 0);
	take.args.claim_ns = claim_ns;
	fd = reserve(open_device(), &take);
	if (fd < 0) {
		errno = -fd;
		die("no reservation");
	}
	return fd;
}

static int do_late(void)
{
	struct pollfd fd = { reserve_it(REIN_CLAIM_MIN_NS), POLLIN, 0 };

	/* Granted at once; POLLERR tells that its time is over. */
	while (poll(&fd, 1, LONG_MS) == 1 && !(fd.revents & POLLERR))
		usleep(1000);
	return claim(fd.fd, &take) ? refused(take.args.record) : 1;
}

static int do_again(void)
{
	int fd = reserve_it(0);

	if (claim(fd, &take))
		die("not claimed");
	return claim(fd, &take) ? refused(take.args.record) : 1;
}

static int reserve_all(void)
{
	int dev = open_device(), i, fd;

	for (i = 0; i <= REIN_RESERVATIONS_MAX; i++) {
		fd = reserve(dev, ask_for(&take, name, 1, 0, 0));
		if (fd < 0)
			return refused(take.args.record);
	}
	return 1;
}

static int do_many(void)
{
	limit_files(REIN_RESERVATIONS_MAX + 64);
	return reserve_all();
}

static int do_files(void)
{
	limit_files(8);
	return reserve_all();
}

/* --- no memory ------------------------------------------------------------------ */

static bool lacks(int err)
{
	return err == ENOMEM && take.args.code == NO_MEMORY;
}

/* The kernel's checkers allocate now and then, and fail in our place: try again. */
static int do_memory(void)
{
	int dev = open_device(), err;
	unsigned int i;

	if (!prepare())
		return 4;
	for (i = 0; i < FAULTS; i++) {
		ask_for(&take, name, 1, REIN_TAKE_TRY, 0);
		fail_nth(1 + i % 16);
		err = take_now(dev, &take);
		fail_nth(0);
		if (lacks(err))
			return refused(take.args.record);
	}
	return 1;
}

/* From a cgroup where packets wait already. */
static int do_room(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), netlink = connect_to_rein();
	uint64_t before = newest(netlink, NO_ROOM_MEMORY), now;
	unsigned int i;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!prepare())
		return 4;
	for (i = 0; i < FAULTS; i++) {
		fail_nth(1 + i % 64);
		sendto(fd, "x", 1, MSG_DONTWAIT, (void *)&to, sizeof(to));
		fail_nth(0);
		now = newest(netlink, NO_ROOM_MEMORY);
		if (now != before)
			return refused(now);
	}
	return 1;
}

/* --- scopes --------------------------------------------------------------------- */

static int make_timed(uint32_t flags, uint64_t time_ns)
{
	struct rein_scope_args args;

	ask_scope(&args, REIN_NO_FD, flags, time_ns, name);
	return good(make_scope(open_device(), REIN_IOC_SCOPE, &args));
}

static int make_named(void)
{
	return make_timed(0, 0);
}

/* A scope is done: the record of that. */
static int is_done(int scope)
{
	struct rein_scope_done done;

	if (!scope_wait(scope) || !scope_read(scope, &done))
		return 1;
	return refused(done.record);
}

static int do_scope_timeout(void)
{
	return is_done(make_timed(REIN_SCOPE_TIMEOUT, 10 * MS));
}

static int do_scope_user(void)
{
	int scope = make_named();

	good(scope_cancel_as(scope, REIN_CAUSE_USER, "enough \033[31m"));
	return is_done(scope);
}

static int do_scope_owner(void)
{
	int scope = make_timed(REIN_SCOPE_OWNED, 0), eye = good(scope_observe(scope));

	close(scope);
	return is_done(eye);
}

/* One that is bound to a directory below, and the one that is bound to this. */
static int do_scope_parent(void)
{
	int above = make_named(), low = make_named(), dir;
	char path[4096];

	dir = make_below(path, sizeof(path));
	good(scope_bind(above, open_directory(), REIN_NO_FD, 0));
	good(scope_bind(low, dir, REIN_NO_FD, 0));
	good(scope_cancel(above));
	dir = is_done(low);
	rmdir(path);
	return dir;
}

static int make_race(uint32_t policy)
{
	struct rein_scope_args args;

	ask_scope(&args, REIN_NO_FD, 0, 0, name)->policy = policy;
	return good(make_scope(open_device(), REIN_IOC_RACE, &args));
}

static int do_scope_duplicate(void)
{
	int race = make_race(REIN_POLICY_FIRST), won = good(race_join(race));
	int lost = good(race_join(race));

	good(race_win(won, NULL, 0));
	return is_done(lost);
}

static int do_scope_done(void)
{
	int race = make_race(REIN_POLICY_FIRST);

	good(scope_cancel(race));
	return told_off(race_join(race));
}

static int do_scope_flags(void)
{
	return told_off(scope_timed(open_device(), REIN_NO_FD, 1 << 31, 0));
}

static int do_scope_name(void)
{
	return told_off(scope_named(open_device(), REIN_NO_FD, "a b\n"));
}

static int do_scope_cause(void)
{
	return told_off(scope_cancel_as(make_named(), REIN_CAUSE_TIMEOUT, ""));
}

static int do_scope_parent_none(void)
{
	return told_off(scope_new(open_device(), STDOUT_FILENO));
}

static int do_take_scope(void)
{
	ask_within(ask_for(&take, name, 1, 0, 0), STDOUT_FILENO);
	return take_it();
}

static int do_observer(void)
{
	return told_off(scope_cancel(good(scope_observe(make_named()))));
}

static int do_observer_parent(void)
{
	return told_off(scope_new(open_device(), good(scope_observe(make_named()))));
}

static int do_deep(void)
{
	int dev = open_device(), scope = make_named(), depth;

	for (depth = 1; depth < REIN_SCOPE_DEPTH_MAX; depth++)
		scope = good(scope_new(dev, scope));
	return told_off(scope_new(dev, scope));
}

static int do_wide(void)
{
	int dev = open_device(), scope = make_named(), i;

	limit_files(REIN_SCOPE_CHILDREN_MAX + 64);
	for (i = 0; i < REIN_SCOPE_CHILDREN_MAX; i++)
		good(scope_new(dev, scope));
	return told_off(scope_new(dev, scope));
}

/* The limit is another one for a while. */
static int do_scopes(void)
{
	uint64_t before = scopes_per_user();
	int dev = open_device(), ret = 0;

	if (!set_scopes_per_user(3))
		die(SCOPES_PER_USER);
	while (ret >= 0)
		ret = scope_new(dev, REIN_NO_FD);
	set_scopes_per_user(before);
	return told_off(ret);
}

static int do_scope_files(void)
{
	int dev = open_device(), ret = 0;

	limit_files(8);
	while (ret >= 0)
		ret = scope_new(dev, REIN_NO_FD);
	return told_off(ret);
}

static int do_scope_unknown(void)
{
	return told_off(scope_open(open_device(), 0, 1ULL << 60, ""));
}

static int do_scope_unbound(void)
{
	return told_off(scope_open(open_device(), 0, 0, ""));
}

static int do_ambiguous(void)
{
	make_named();
	make_named();
	return told_off(scope_open(open_device(), 0, 0, name));
}

static int do_denied(void)
{
	int dev = open_device();

	make_named();
	go_as_nobody();
	return told_off(scope_open(dev, 0, said.id, ""));
}

static int do_bind_denied(void)
{
	int dir = open_directory(), scope = make_named();

	go_as_nobody();
	return told_off(scope_bind(scope, dir, REIN_NO_FD, 0));
}

static int do_bind_elsewhere(void)
{
	return told_off(scope_bind(make_named(), open("/tmp", O_RDONLY | O_CLOEXEC), REIN_NO_FD,
				   0));
}

/* The directory is removed between its being opened and the request. */
static int do_bind_removed(void)
{
	int dir = open_directory();

	if (rmdir(directory))
		die(directory);
	return told_off(scope_bind(make_named(), dir, REIN_NO_FD, 0));
}

static int do_bind_twice(void)
{
	int dir = open_directory(), scope = make_named();

	good(scope_bind(scope, dir, REIN_NO_FD, 0));
	return told_off(scope_bind(scope, dir, REIN_NO_FD, 0));
}

static int do_bind_kill(void)
{
	int dir = open_directory();

	return told_off(scope_bind(make_named(), dir,
				   openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC), 0));
}

/* When it comes to it the cgroup is a threaded one: these can't be killed. */
static int do_kill_failed(void)
{
	int scope = make_named(), netlink = connect_to_rein(), dir, file;
	uint64_t before = newest(netlink, KILL_FAILED), end = now_ns() + LONG, now;
	char path[4096], type[4096 + 16];

	dir = make_below(path, sizeof(path));
	file = openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	good(scope_bind(scope, dir, file, 0));
	snprintf(type, sizeof(type), "%s/cgroup.type", path);
	if (!put_file(type, "threaded"))
		die(type);
	good(scope_cancel(scope));
	do {
		now = newest(netlink, KILL_FAILED);
	} while (now == before && now_ns() < end && !usleep(1000));
	rmdir(path);
	return now == before ? 1 : refused(now);
}

/* It drops what waits in there. */
static int do_bind_end(void)
{
	int scope = make_named();

	good(scope_bind(scope, open_directory(), REIN_NO_FD, 0));
	return scope_cancel(scope) ? 1 : 0;
}

/* --- races ---------------------------------------------------------------------- */

static int do_no_race(void)
{
	return told_off(race_join(make_named()));
}

static int do_race_late(void)
{
	int race = make_race(REIN_POLICY_FIRST), won = good(race_join(race));
	int lost = good(race_join(race));

	good(race_win(won, NULL, 0));
	return told_off(race_win(lost, NULL, 0));
}

static void *deny(void *race)
{
	int fd = *(int *)race;

	/* The ABI's poll() says when somebody asks. */
	scope_events(fd, POLLPRI, LONG_MS);
	good(race_grant(fd, REIN_GRANT_NO, 0, NULL, 0));
	return NULL;
}

static int do_race_denied(void)
{
	static int race;
	int replica, ret;
	pthread_t thread;

	race = make_race(REIN_POLICY_ASK);
	replica = good(race_join(race));
	if (pthread_create(&thread, NULL, deny, &race))
		die("pthread_create");
	ret = told_off(race_win(replica, NULL, 0));
	pthread_join(thread, NULL);
	return ret;
}

static int do_race_result(void)
{
	static char result[REIN_RESULT_MAX + 1];

	return told_off(race_win(good(race_join(make_race(REIN_POLICY_FIRST))), result,
				 sizeof(result)));
}

/* As do_memory(). */
static int do_scope_memory(void)
{
	int dev = open_device(), ret;
	unsigned int i;

	if (!prepare())
		return 4;
	for (i = 0; i < FAULTS; i++) {
		fail_nth(1 + i % 16);
		ret = scope_new(dev, REIN_NO_FD);
		fail_nth(0);
		if (ret == -ENOMEM && said.answer.code == NO_MEMORY)
			return told_off(ret);
		if (ret >= 0)
			close(ret);
	}
	return 1;
}

static const struct act acts[] = {
	{ "nameless", do_nameless },	/* a limit without a name */
	{ "targetless", do_targetless },
	{ "tierless", do_tierless },
	{ "rateless", do_rateless },	/* a tier without a rate */
	{ "unknown", do_unknown },	/* an attribute that nobody knows */
	{ "removed", do_removed },	/* DIRECTORY is removed just before */
	{ "flags", do_flags },		/* that exclude each other */
	{ "twice", do_twice },		/* NAME is there twice */
	{ "names", do_names },		/* names at a bad address */
	{ "arguments", do_arguments },	/* all at a bad address */
	{ "newer", do_newer },		/* arguments that are longer, and not 0 there */
	{ "late", do_late },		/* a claim after its time */
	{ "again", do_again },		/* a second claim */
	{ "many", do_many },		/* reservations */
	{ "files", do_files },		/* that are open */
	{ "memory", do_memory },	/* none for a take */
	{ "room", do_room },		/* no memory to let a packet wait */
	{ "scope-timeout", do_scope_timeout },
	{ "scope-user", do_scope_user },
	{ "scope-parent", do_scope_parent },	/* one that is bound above is done */
	{ "scope-duplicate", do_scope_duplicate },
	{ "scope-owner", do_scope_owner },
	{ "scope-done", do_scope_done },	/* to join a race that is */
	{ "scope-flags", do_scope_flags },
	{ "scope-name", do_scope_name },
	{ "scope-cause", do_scope_cause },	/* to cancel for one that nobody may name */
	{ "scope-none", do_scope_parent_none },	/* a child of what is no scope */
	{ "take-scope", do_take_scope },	/* a take within it */
	{ "observer", do_observer },		/* cancels */
	{ "observer-parent", do_observer_parent },
	{ "deep", do_deep },
	{ "wide", do_wide },
	{ "scopes", do_scopes },		/* more than a user may have */
	{ "scope-files", do_scope_files },
	{ "scope-unknown", do_scope_unknown },
	{ "scope-unbound", do_scope_unbound },	/* that of a cgroup that has none */
	{ "ambiguous", do_ambiguous },
	{ "denied", do_denied },		/* the scope of another user */
	{ "bind-denied", do_bind_denied },
	{ "bind-elsewhere", do_bind_elsewhere },	/* to no cgroup */
	{ "bind-removed", do_bind_removed },	/* to DIRECTORY, removed just before */
	{ "bind-twice", do_bind_twice },
	{ "bind-kill", do_bind_kill },		/* with another file */
	{ "kill-failed", do_kill_failed },
	{ "bind-end", do_bind_end },		/* a scope is bound, and done: no record is named */
	{ "no-race", do_no_race },
	{ "race-late", do_race_late },
	{ "race-denied", do_race_denied },
	{ "race-result", do_race_result },	/* which is too long */
	{ "scope-memory", do_scope_memory },	/* none for a scope */
};

int main(int argc, char **argv)
{
	return run_act(acts, sizeof(acts) / sizeof(acts[0]), argc, argv);
}
