// SPDX-License-Identifier: GPL-2.0
/*
 * As tool-wrong, about watches: asks what neither rein nor librein would ask, or does what a
 * watch finds, and says which record there is of it:
 *
 *	tool-wrong-watch WHAT DIRECTORY NAME
 *
 * DIRECTORY is a cgroup that nobody else is in, NAME the name of the watch that is made. See
 * the table at the end for WHAT there is, and tool-wrong.c for what it says and exits with.
 */
#define _GNU_SOURCE
#include <signal.h>

#include "watch.h"
#include "wrong.h"

/* How soon something is missed. */
#define SOON		(50 * MS)

static struct watch_ask request;

/* A good request, for a watch of that name that goes with this program. */
static struct watch_ask *ask_good(uint32_t flags)
{
	return watch_called(ask_watch(&request, REIN_WATCH_OWNED | flags), name);
}

static struct watch_ask *ask_armed(uint64_t every_ns)
{
	return watch_every(ask_good(REIN_WATCH_ARM), every_ns, 0);
}

static int make(struct watch_ask *ask)
{
	return good(watch_make(open_device(), ask));
}

/* A request that is not to be granted. */
static int told_off_for(struct watch_ask *ask)
{
	return told_off(watch_make(open_device(), ask));
}

/* There is, or will be, a record of that code about the watch that was made last. */
static int is_told_of(unsigned int code, uint64_t id)
{
	struct watch_record record;

	return wait_watch_records(connect_to_rein(), code, id, 1, &record) ? refused(record.id) : 1;
}

/* It goes with this process, from when this returns: who reads what that prints waits for both. */
static pid_t make_child(void)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		die("pipe2");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		die("read");
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* --- what is found ---------------------------------------------------------------- */

static int do_silent(void)
{
	make(ask_armed(SOON));
	return is_told_of(WATCH_SILENT, said.id);
}

static int do_expired(void)
{
	make(ask_armed(SOON));
	return is_told_of(WATCH_EXPIRED, said.id);
}

static int do_many(void)
{
	uint64_t id;
	int fd;

	ask_armed(SOON)->args.rules.max = 1;
	request.args.rules.min = 0;
	fd = make(&request);
	id = said.id;
	good(watch_beat(fd));
	good(watch_beat(fd));
	good(watch_beat(fd));
	return is_told_of(WATCH_MANY, id);
}

static int do_late(void)
{
	int fd = make(watch_units(ask_good(REIN_WATCH_ARM), 0, SOON));
	uint64_t id = said.id;

	good(watch_begin(fd, "unit 7", 0));
	return is_told_of(WATCH_LATE, id);
}

static int do_early(void)
{
	int fd = make(watch_units(ask_good(REIN_WATCH_ARM), HOUR, 0));
	uint64_t id = said.id;

	good(watch_begin(fd, "unit 8", 0));
	good(watch_finish(fd, "unit 8"));
	return is_told_of(WATCH_EARLY, id);
}

static int do_order(void)
{
	uint64_t id;
	int fd;

	ask_good(REIN_WATCH_ARM)->args.rules.first = 1;
	request.args.rules.next[0] = 1 << 1;
	fd = make(&request);
	id = said.id;
	good(watch_checkpoint(fd, 0));
	good(watch_checkpoint(fd, 2));
	return is_told_of(WATCH_ORDER, id);
}

static int do_warned(void)
{
	ask_armed(4 * SOON)->args.rules.pretimeout_ns = 3 * SOON;
	make(watch_pid(&request, make_child()));
	return is_told_of(WATCH_WARNED, said.id);
}

static int do_resumed(void)
{
	struct rein_watch_state state = { };
	int fd = make(ask_armed(SOON));
	uint64_t id = said.id;

	if (!watch_wait(fd, &state, REIN_COUNT_EXPIRE, 1))
		die("it does not expire");
	good(watch_beat(fd));
	return is_told_of(WATCH_RESUMED, id);
}

static int do_exited(void)
{
	pid_t pid = make_child();

	make(watch_pid(ask_armed(HOUR), pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return is_told_of(WATCH_EXITED, said.id);
}

static int do_step(void)
{
	make(watch_step(ask_armed(SOON), REIN_STEP_RECORD, 0, 0));
	return is_told_of(WATCH_STEP, said.id);
}

/* When it comes to it the cgroup is a threaded one: these can't be killed. */
static int do_step_failed(void)
{
	char path[4096], type[4096 + 16];
	int dir = make_below(path, sizeof(path)), fd, ret;
	uint64_t end;
	pid_t pid;

	fd = make(watch_step(watch_cgroup(watch_every(ask_good(0), SOON, 0), dir,
					  good(openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC))),
			     REIN_STEP_KILL, 0, 0));
	snprintf(type, sizeof(type), "%s/cgroup.type", path);
	if (!put_file(type, "threaded"))
		die(type);
	/* An empty one would be over: a thread of it has to be there, of a process above. */
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(type, sizeof(type), "%s/cgroup.threads", path);
		if (!enter(directory) || !put_file(type, "0"))
			_exit(1);
		for (;;)
			pause();
	}
	for (end = now_ns() + LONG; is_empty(dir) && now_ns() < end; )
		usleep(1000);
	good(watch_arm(fd));
	ret = is_told_of(WATCH_STEP_FAILED, request.args.id);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
	rmdir(path);
	return ret;
}

static int do_tested(void)
{
	int fd = make(watch_step(ask_armed(HOUR), REIN_STEP_RECORD, 0, 0));
	uint64_t id = said.id;

	good(watch_test(fd, 0));
	return is_told_of(WATCH_TESTED, id);
}

/* --- what is refused -------------------------------------------------------------- */

static int do_flags(void)
{
	return told_off_for(ask_good(1 << 31));
}

static int do_name(void)
{
	name = "a b\n";
	return told_off_for(ask_good(0));
}

static int do_rules(void)
{
	ask_armed(SOON)->args.rules.min = 0;
	return told_off_for(&request);
}

static int do_steps(void)
{
	return told_off_for(watch_step(ask_good(0), 99, 0, 0));
}

static int do_beat(void)
{
	return told_off(watch_checkpoint(make(ask_good(0)), REIN_CHECKPOINTS));
}

static int do_unknown(void)
{
	return told_off(watch_look(open_device(), 0, 1ULL << 60));
}

static int do_ambiguous(void)
{
	make(ask_good(0));
	make(ask_good(0));
	return told_off(watch_look_for(open_device(), 0, 0, 0, name));
}

static int do_denied(void)
{
	int dev = open_device();

	/* Over itself: that may beat, but no more, once it is somebody else. */
	make(ask_good(0));
	go_as_nobody();
	return told_off(watch_look(dev, 0, said.id));
}

/* One of the same user, which is over this program's child, and was made by root as him. */
static int do_privileges(void)
{
	int dev = open_device();

	if (!become_nobody_by_setuid())
		die("setresuid");
	good(watch_make(dev, watch_pid(ask_good(0), make_child())));
	go_as_nobody();
	return told_off(watch_look(dev, 0, said.id));
}

static int do_observer(void)
{
	make(ask_good(0));
	return told_off(watch_beat(good(watch_look(open_device(), REIN_LOOK_OBSERVE, said.id))));
}

static int do_beater(void)
{
	make(ask_good(0));
	return told_off(watch_arm(good(watch_look(open_device(), REIN_LOOK_BEAT, said.id))));
}

/* A parameter is another one for a while. */
static int do_beyond(const char *parameter, uint64_t most, uint32_t flags)
{
	uint64_t before = get_parameter(parameter);
	int dev = open_device(), ret = 0, i;

	/* Administrators may look as often as they want. */
	if (!set_parameter(parameter, most) || seteuid(NOBODY))
		die(parameter);
	for (i = 0; ret >= 0 && i < 500; i++)
		ret = watch_make(dev, watch_every(ask_good(flags), SECOND, 0));
	if (seteuid(0) || !set_parameter(parameter, before))
		die(parameter);
	return told_off(ret);
}

static int do_watches(void)
{
	return do_beyond(WATCHES_PER_USER, 3, 0);
}

static int do_looks(void)
{
	return do_beyond(LOOKS_PER_USER, 50, REIN_WATCH_ARM | REIN_WATCH_SLOT);
}

static int do_traffic(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t before = get_parameter(LIMITS_PER_USER);
	int dev = open_device(), ret;

	if (!set_parameter(LIMITS_PER_USER, 0) || seteuid(NOBODY))
		die(LIMITS_PER_USER);
	ret = watch_make(dev, watch_socket(watch_every(ask_good(REIN_WATCH_EGRESS), SECOND, 0),
					   sock));
	if (seteuid(0) || !set_parameter(LIMITS_PER_USER, before))
		die(LIMITS_PER_USER);
	return told_off(ret);
}

static int do_process(void)
{
	pid_t pid = make_child();

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return told_off_for(watch_pid(ask_good(0), pid));
}

static int do_kill(void)
{
	int dir = open_directory();

	watch_cgroup(ask_good(0), dir, openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC));
	return told_off_for(watch_step(&request, REIN_STEP_KILL, 0, 0));
}

static int do_forbidden(void)
{
	int dev = open_device();

	go_as_nobody();
	return told_off(watch_make(dev, watch_pid(ask_good(0), getppid())));
}

static int do_forbidden_cgroup(void)
{
	int dev = open_device(), dir = open_directory();

	go_as_nobody();
	return told_off(watch_make(dev, watch_cgroup(ask_good(0), dir, REIN_NO_FD)));
}

/* Twice the same: after the first one it is another. */
static int do_token(void)
{
	int fd = make(ask_good(REIN_WATCH_TOKEN));

	watch_beat(fd);
	return told_off(watch_beat(fd));
}

static int do_over(void)
{
	int fd = make(ask_good(0));

	good(watch_end(fd));
	return told_off(watch_beat(fd));
}

static int do_unit(void)
{
	return told_off(watch_finish(make(ask_good(0)), "unit 9"));
}

static int do_no_socket(void)
{
	return told_off_for(watch_socket(ask_good(0), STDOUT_FILENO));
}

static int do_not_armed(void)
{
	return told_off(watch_test(make(ask_good(0)), 0));
}

static int do_scope(void)
{
	ask_good(0)->args.scope_fd = STDOUT_FILENO;
	return told_off_for(watch_step(&request, REIN_STEP_CANCEL, 0, 0));
}

/* The directory is removed between its being opened and the request. */
static int do_removed(void)
{
	int dir = open_directory();

	if (rmdir(directory))
		die(directory);
	return told_off_for(watch_cgroup(ask_good(0), dir, REIN_NO_FD));
}

static int do_elsewhere(void)
{
	return told_off_for(watch_cgroup(ask_good(0), open("/tmp", O_RDONLY | O_CLOEXEC),
					 REIN_NO_FD));
}

static int do_files(void)
{
	int dev = open_device(), ret = 0;

	limit_files(8);
	while (ret >= 0)
		ret = watch_make(dev, ask_good(0));
	return told_off(ret);
}

/* The kernel's checkers allocate now and then, and fail in our place: try again. */
static int do_memory(void)
{
	int dev = open_device(), ret;
	unsigned int i;

	if (!prepare())
		return 4;
	for (i = 0; i < 1000; i++) {
		ask_good(0);
		fail_nth(1 + i % 16);
		ret = watch_make(dev, &request);
		fail_nth(0);
		if (ret == -ENOMEM && said.answer.code == NO_MEMORY)
			return told_off(ret);
		if (ret >= 0)
			close(ret);
	}
	return 1;
}

static const struct act acts[] = {
	{ "silent", do_silent },
	{ "many", do_many },
	{ "late", do_late },
	{ "early", do_early },
	{ "order", do_order },
	{ "expired", do_expired },
	{ "warned", do_warned },
	{ "resumed", do_resumed },
	{ "exited", do_exited },
	{ "step", do_step },
	{ "step-failed", do_step_failed },	/* a kill of what has become threaded */
	{ "tested", do_tested },
	{ "flags", do_flags },
	{ "name", do_name },
	{ "rules", do_rules },			/* a cycle of no beats */
	{ "steps", do_steps },			/* one that there isn't */
	{ "beat", do_beat },			/* at a checkpoint that there isn't */
	{ "unknown", do_unknown },
	{ "ambiguous", do_ambiguous },
	{ "denied", do_denied },		/* that of another user */
	{ "privileges", do_privileges },	/* that of the same user, with less */
	{ "observer", do_observer },		/* beats */
	{ "beater", do_beater },		/* arms */
	{ "watches", do_watches },		/* more than a user may have */
	{ "looks", do_looks },			/* likewise, in a second */
	{ "traffic", do_traffic },
	{ "process", do_process },		/* that has gone */
	{ "kill", do_kill },			/* with another file */
	{ "forbidden", do_forbidden },		/* over another user's process */
	{ "forbidden-cgroup", do_forbidden_cgroup },
	{ "token", do_token },
	{ "over", do_over },
	{ "unit", do_unit },			/* that was not begun */
	{ "no-socket", do_no_socket },
	{ "not-armed", do_not_armed },		/* and tested */
	{ "scope", do_scope },			/* that is none */
	{ "removed", do_removed },		/* DIRECTORY is removed just before */
	{ "elsewhere", do_elsewhere },		/* over no cgroup */
	{ "files", do_files },			/* that are open */
	{ "memory", do_memory },		/* none for a watch */
};

int main(int argc, char **argv)
{
	return run_act(acts, sizeof(acts) / sizeof(acts[0]), argc, argv);
}
