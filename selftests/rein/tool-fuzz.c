// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer of rein's netlink family, and of /dev/rein.
 *
 *	tool-fuzz [OPTION]...
 *
 *	-n COUNT	so many messages (default 20000), every fourth of them a take, and every
 *			eighth a call on scopes, races and watches, or a credit
 *	-s SEED		start the random numbers there (default 1)
 *	-v		print each message before it is sent, in hex
 *	-x HEX		send just this one
 *
 * Messages are made from the policies that the module itself is compiled with
 * (generated from Documentation/netlink/specs/rein.yaml): mostly valid, with
 * values at the edges; or an earlier one that reached new code, changed a little.
 * Which code a message reached is told by KCOV where the kernel has it;
 * otherwise all is chance. Between messages cgroups come and go, sockets are
 * closed in the middle of a dump, a child sends packets all the time, and another
 * one takes, in several threads. A take that waits is interrupted soon.
 *
 * What it says, as JSON: messages, answered (with 0), refused, bare (refused
 * without a message), kept (messages that reached new code), code (places
 * reached, 0: unknown), takes and calls: how many came to which errno. It fails if the
 * family stops answering, if a take or a call is answered with what makes no sense, or if a
 * scope or a watch is left at the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <linux/kcov.h>

#include "watch.h"

/* The generated operations and policies; what they would call isn't here. */
#include "../../kmod/netlink-gen.c"

#define DOIT(name) \
	int name(struct sk_buff *skb, struct genl_info *info) { return !skb && !info; }
#define DUMPIT(name) \
	int name(struct sk_buff *skb, struct netlink_callback *cb) { return !skb && !cb; }

DOIT(rein_nl_limit_add_doit)
DOIT(rein_nl_limit_set_doit)
DOIT(rein_nl_limit_replace_doit)
DOIT(rein_nl_limit_del_doit)
DOIT(rein_nl_limit_get_doit)
DOIT(rein_nl_record_get_doit)
DOIT(rein_nl_stat_get_doit)
DOIT(rein_nl_flush_doit)
DOIT(rein_nl_record_clear_doit)
DOIT(rein_nl_scope_get_doit)
DOIT(rein_nl_watch_get_doit)
DUMPIT(rein_nl_limit_get_dumpit)
DUMPIT(rein_nl_record_get_dumpit)
DUMPIT(rein_nl_scope_get_dumpit)
DUMPIT(rein_nl_watch_get_dumpit)

#define N_OPS	(sizeof(rein_nl_ops) / sizeof(rein_nl_ops[0]))

#define DIRECTORY	CGROOT "/test-fuzz"
#define KEPT_MAX	4096
#define MESSAGE_MAX	4096
#define COVER_SIZE	(64 << 10)

struct message {
	size_t len;
	char buf[MESSAGE_MAX];
};

static struct message kept[KEPT_MAX];
static unsigned int n_kept;

static struct {
	unsigned long messages, answered, refused, bare, code, takes[256], calls[256];
} result;

static bool verbose;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tool-fuzz: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- chance -------------------------------------------------------------------- */

static _Thread_local uint64_t state;

/* Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static unsigned int below(unsigned int n)
{
	return (chance() >> 20) % n;
}

static bool percent(unsigned int n)
{
	return below(100) < n;
}

static uint64_t edge(void)
{
	static const uint64_t edges[] = {
		0, 1, 2, 7, 255, 1000, 1500, 65535, 65536, 1000000, 1000000000ULL,
		86400000000000ULL, 86400000000001ULL, 1000000000000ULL, 1000000000001ULL,
		INT32_MAX, UINT32_MAX, 1ULL << 32, INT64_MAX, 1ULL << 63, UINT64_MAX - 1,
		UINT64_MAX,
	};

	static const uint64_t sane[] = { 1000, 1500, 65536, 1000000, 1000000000ULL };

	if (percent(60))
		return sane[below(sizeof(sane) / sizeof(sane[0]))];
	return percent(80) ? edges[below(sizeof(edges) / sizeof(edges[0]))] :
			     chance() >> below(64);
}

/* --- cgroups and descriptors ----------------------------------------------------- */

/* Directories of cgroups, some of which are gone; a file; a closed one. */
static int fds[16];

/* The one that takes are made in: it is in use, so nobody removes it. */
#define OWN		4

static void cgroup_path(char *path, size_t size, unsigned int i)
{
	static const char *const names[] = { "", "/a", "/a/b", "/a/b/c", "/d" };

	snprintf(path, size, DIRECTORY "%s", names[i % 5]);
}

/* Make a cgroup, or remove it; whatever there was of it stays open. */
static void cgroup_turn(unsigned int i)
{
	char path[128];
	int fd;

	cgroup_path(path, sizeof(path), i);
	if (percent(30) && !rmdir(path))
		return;
	mkdir(path, 0755);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	i += percent(50) ? 5 : 0;
	if (fds[i] >= 0)
		close(fds[i]);
	fds[i] = fd;
}

static void cgroups_make(void)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		fds[i] = -1;
	for (i = 0; i < 5; i++)
		cgroup_turn(i);
	fds[14] = open(CGROOT "/cgroup.procs", O_RDONLY | O_CLOEXEC);
}

static void cgroups_remove(void)
{
	char path[128];
	int i;

	/* The innermost first. */
	for (i = 4; i >= 0; i--) {
		cgroup_path(path, sizeof(path), i);
		rmdir(path);
	}
}

/* It may be gone by now: then this process stays where it is. */
static void try_enter(const char *cgroup)
{
	if (!enter(cgroup))
		usleep(100);
}

/* Packets from the outermost cgroup and those below, until the parent ends. */
static pid_t send_packets(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	static char packet[1400];
	char path[128];
	pid_t pid = fork();
	unsigned int i;
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0;; i++) {
		/* A cgroup that has a process can't be removed: only for a moment. */
		cgroup_path(path, sizeof(path), i);
		try_enter(path);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		sendto(fd, packet, 1 + i % sizeof(packet), 0, (void *)&to, sizeof(to));
		sendto(fd, packet, 1, 0, (void *)&to, sizeof(to));
		close(fd);
		try_enter(CGROOT);
		usleep(2000);
	}
}

/* --- scopes, races and watches --------------------------------------------------------------- */

#define SCOPES		24
#define WATCHES		16

static int dev;

/* What there is of them; some are closed. */
static int scopes[SCOPES];
static int watches[WATCHES];

/* Who watches are kept over that may kill. */
static pid_t victim;
static int a_socket;

/* Names of limits and of scopes. */
static const char *any_name(void);

static int any_scope(void)
{
	if (percent(95))
		return scopes[below(SCOPES)];
	return percent(50) ? fds[below(16)] : (int)edge();
}

static int any_watch(void)
{
	return percent(95) ? watches[below(WATCHES)] : any_scope();
}

/* One of those that have no process of ours: in the others all would end with the scope. */
static int any_cgroup(void)
{
	return fds[(percent(95) ? 1 + below(3) : 10 + below(6)) + 5 * percent(20)];
}

union any_args {
	struct rein_scope_args scope;
	struct rein_open_args open;
	struct rein_observe_args observe;
	struct rein_cancel_args cancel;
	struct rein_bind_args bind;
	struct rein_join_args join;
	struct rein_win_args win;
	struct rein_grant_args grant;
	struct rein_result_args result;
	struct rein_credit_args credit;
	struct rein_watch_args watch;
	struct rein_look_args look;
	struct rein_beat_args beat;
	struct rein_arm_args arm;
	struct rein_test_args test;
	char bytes[16384];
};

/* As long as it may be it is not terminated. */
static void put_name(char *to, size_t size)
{
	const char *from = any_name();
	size_t len = strlen(from) + 1;

	memcpy(to, from, len < size ? len : size);
}

/* Time that a scope has: none has much, so that nobody waits for long. */
static void make_scope_args(struct rein_scope_args *args, bool race)
{
	static const uint32_t times[] = {
		REIN_SCOPE_TIMEOUT, REIN_SCOPE_TIMEOUT, REIN_SCOPE_DEADLINE, 0,
	};

	args->flags = times[below(4)] | (percent(30) ? REIN_SCOPE_BOOTTIME : 0) |
		      (percent(30) ? REIN_SCOPE_OWNED : 0);
	args->parent_fd = percent(40) ? REIN_NO_FD : any_scope();
	args->deadline_ns = args->flags & REIN_SCOPE_TIMEOUT ? below(50) * MS :
			    args->flags & REIN_SCOPE_DEADLINE ? now_ns() + below(50) * MS : 0;
	if (percent(50))
		put_name(args->name, sizeof(args->name));
	args->policy = race ? 1 + below(3) : 0;
}

/* Short ones: much is to be missed. */
static void make_rules(struct rein_watch_rules *rules)
{
	unsigned int i;

	rules->every_ns = percent(70) ? (1 + below(30)) * MS : 0;
	rules->min = rules->every_ns ? percent(70) ? 1 : below(4) : 0;
	rules->max = rules->every_ns && (percent(30) || !rules->min) ? rules->min + below(5) : 0;
	rules->grace_ns = rules->every_ns && percent(20) ? (1 + below(50)) * MS : 0;
	rules->unit_max_ns = percent(40) ? (1 + below(30)) * MS : 0;
	rules->unit_min_ns = rules->unit_max_ns && percent(30) ? MS : 0;
	rules->pretimeout_ns = percent(20) ? (1 + below(5)) * MS : 0;
	rules->miss = below(3);
	rules->first = percent(30) ? below(1 << REIN_CHECKPOINTS) : 0;
	for (i = 0; rules->first && i < REIN_CHECKPOINTS; i++)
		rules->next[i] = chance();
	if (percent(5))
		rules->every_ns = edge();
}

/* No step kills or stops one of us: these are kept over somebody else, or an empty cgroup. */
static void make_steps(struct rein_watch_args *args, struct rein_watch_step *steps)
{
	static const uint32_t signals[] = { SIGCONT, SIGURG, SIGWINCH, 0, 65 };
	unsigned int i;

	args->steps = percent(97) ? (uintptr_t)steps : edge();
	args->n_steps = percent(97) ? below(REIN_STEPS_MAX + 1) : edge();
	for (i = 0; i < REIN_STEPS_MAX; i++) {
		steps[i].kind = percent(97) ? 1 + below(6) : edge();
		steps[i].signal = steps[i].kind == REIN_STEP_SIGNAL ? signals[below(5)] : 0;
		steps[i].delay_ns = percent(95) ? below(5) * MS : edge();
	}
}

static void make_watch_args(struct rein_watch_args *args)
{
	static _Thread_local struct rein_watch_step steps[REIN_STEPS_MAX];
	static const uint32_t subjects[] = {
		REIN_SUBJECT_PROCESS, REIN_SUBJECT_CGROUP, REIN_SUBJECT_SOCKET,
	};

	/* With an owner: none is to be left. */
	args->flags = REIN_WATCH_OWNED | (percent(70) ? REIN_WATCH_ARM : 0) |
		      (percent(10) ? REIN_WATCH_TOKEN : 0) | (percent(20) ? REIN_WATCH_SLOT : 0) |
		      (percent(10) ? REIN_WATCH_STAMP : 0) |
		      (percent(15) ? REIN_WATCH_EGRESS : 0) |
		      (percent(15) ? REIN_WATCH_INGRESS : 0);
	args->subject = percent(95) ? subjects[below(3)] : below(8);
	args->fd = REIN_NO_FD;
	args->kill_fd = REIN_NO_FD;
	args->scope_fd = percent(20) ? any_scope() : REIN_NO_FD;
	if (args->subject == REIN_SUBJECT_PROCESS)
		args->pid = victim;
	else
		args->fd = args->subject == REIN_SUBJECT_CGROUP ? any_cgroup() : a_socket;
	if (percent(50))
		put_name(args->name, sizeof(args->name));
	make_rules(&args->rules);
	if (percent(50))
		make_steps(args, steps);
	args->wants = percent(70) ? 0 : below(1 << REIN_WATCH_COUNTS);
}

static void make_beat_args(struct rein_beat_args *args)
{
	static const char *const units[] = { "a", "b", "a unit", "\n", "" };

	args->kind = percent(97) ? below(4) : edge();
	if (args->kind == REIN_BEAT_CHECKPOINT)
		args->checkpoint = percent(97) ? below(REIN_CHECKPOINTS) : edge();
	if (args->kind == REIN_BEAT_BEGIN || args->kind == REIN_BEAT_END || percent(3))
		strcpy(args->unit, units[percent(90) ? below(3) : below(5)]);
	if (args->kind == REIN_BEAT_BEGIN && percent(50))
		args->deadline_ns = percent(95) ? below(20) * MS : edge();
	args->token = percent(95) ? 0 : edge();
}

static void make_arm_args(struct rein_arm_args *args)
{
	args->flags = percent(60) ? 0 : percent(95) ? below(8) : edge();
	if (args->flags & REIN_ARM_EVERY)
		args->every_ns = percent(95) ? (1 + below(30)) * MS : edge();
	if (args->flags & REIN_ARM_GRACE)
		args->grace_ns = percent(95) ? (1 + below(30)) * MS : edge();
}

static void make_call_args(unsigned int nr, union any_args *args)
{
	static char result[REIN_RESULT_MAX];

	memset(args, 0, sizeof(*args));
	switch (nr) {
	case _IOC_NR(REIN_IOC_SCOPE):
	case _IOC_NR(REIN_IOC_RACE):
		make_scope_args(&args->scope, nr == _IOC_NR(REIN_IOC_RACE));
		break;
	case _IOC_NR(REIN_IOC_OPEN):
		args->open.flags = percent(30);
		if (percent(60))
			args->open.id = below(4000);
		else if (percent(80))
			put_name(args->open.name, sizeof(args->open.name));
		break;
	case _IOC_NR(REIN_IOC_CANCEL):
		args->cancel.cause = percent(60) ? REIN_CAUSE_USER : below(8);
		put_name(args->cancel.reason, sizeof(args->cancel.reason));
		break;
	case _IOC_NR(REIN_IOC_BIND):
		args->bind.cgroup_fd = any_cgroup();
		args->bind.kill_fd = percent(80) ? REIN_NO_FD : fds[below(16)];
		args->bind.kill_delay_ns = percent(80) ? 0 : edge();
		break;
	case _IOC_NR(REIN_IOC_JOIN):
		args->join.flags = percent(30) ? REIN_SCOPE_OWNED : 0;
		break;
	case _IOC_NR(REIN_IOC_WIN):
		args->win.data = percent(97) ? (uintptr_t)result : edge();
		args->win.size = percent(90) ? below(REIN_RESULT_MAX + 1) : edge();
		break;
	case _IOC_NR(REIN_IOC_GRANT):
		args->grant.flags = below(3);
		args->grant.number = below(4);
		args->grant.ask = percent(70) ? 0 : below(5);
		args->grant.data = percent(97) ? (uintptr_t)result : edge();
		args->grant.size = percent(90) ? below(REIN_RESULT_MAX + 1) : 0;
		break;
	case _IOC_NR(REIN_IOC_RESULT):
		args->result.flags = percent(20);
		args->result.data = percent(97) ? (uintptr_t)result : edge();
		args->result.size = percent(90) ? below(REIN_RESULT_MAX + 1) : 0;
		break;
	case _IOC_NR(REIN_IOC_CREDIT):
		put_name(args->credit.name, sizeof(args->credit.name));
		args->credit.millionths = percent(80) ? below(1000001) : edge();
		break;
	case _IOC_NR(REIN_IOC_WATCH):
		make_watch_args(&args->watch);
		break;
	case _IOC_NR(REIN_IOC_LOOK):
		args->look.flags = below(3);
		args->look.wants = percent(70) ? 0 : below(1 << REIN_WATCH_COUNTS);
		if (percent(60))
			args->look.id = below(2000);
		else if (percent(80))
			put_name(args->look.name, sizeof(args->look.name));
		break;
	case _IOC_NR(REIN_IOC_BEAT):
		make_beat_args(&args->beat);
		break;
	case _IOC_NR(REIN_IOC_ARM):
		make_arm_args(&args->arm);
		break;
	case _IOC_NR(REIN_IOC_TEST):
		args->test.flags = percent(50);
		break;
	}
}

enum {
	OF_DEVICE,
	OF_SCOPE,
	OF_WATCH,
};

static const struct call {
	unsigned long request;
	size_t answer;
	/* What it is asked of, and what it makes. */
	int of;
	bool makes;
} calls[] = {
	{ REIN_IOC_SCOPE, offsetof(struct rein_scope_args, answer), OF_DEVICE, true },
	{ REIN_IOC_RACE, offsetof(struct rein_scope_args, answer), OF_DEVICE, true },
	{ REIN_IOC_OPEN, offsetof(struct rein_open_args, answer), OF_DEVICE, true },
	{ REIN_IOC_OBSERVE, offsetof(struct rein_observe_args, answer), OF_SCOPE, true },
	{ REIN_IOC_JOIN, offsetof(struct rein_join_args, answer), OF_SCOPE, true },
	{ REIN_IOC_CANCEL, offsetof(struct rein_cancel_args, answer), OF_SCOPE, false },
	{ REIN_IOC_BIND, offsetof(struct rein_bind_args, answer), OF_SCOPE, false },
	{ REIN_IOC_WIN, offsetof(struct rein_win_args, answer), OF_SCOPE, false },
	{ REIN_IOC_GRANT, offsetof(struct rein_grant_args, answer), OF_SCOPE, false },
	{ REIN_IOC_RESULT, offsetof(struct rein_result_args, answer), OF_SCOPE, false },
	{ REIN_IOC_CREDIT, offsetof(struct rein_credit_args, answer), OF_DEVICE, false },
	{ REIN_IOC_WATCH, offsetof(struct rein_watch_args, answer), OF_DEVICE, true },
	{ REIN_IOC_LOOK, offsetof(struct rein_look_args, answer), OF_DEVICE, true },
	{ REIN_IOC_BEAT, offsetof(struct rein_beat_args, answer), OF_WATCH, false },
	{ REIN_IOC_BEAT, offsetof(struct rein_beat_args, answer), OF_WATCH, false },
	{ REIN_IOC_ARM, offsetof(struct rein_arm_args, answer), OF_WATCH, false },
	{ REIN_IOC_TEST, offsetof(struct rein_test_args, answer), OF_WATCH, false },
	{ REIN_IOC_UNWATCH, offsetof(struct rein_unwatch_args, answer), OF_WATCH, false },
};

/* What it is asked of; rarely, something else. */
static int asked_of(const struct call *call)
{
	int of = percent(97) ? call->of : (int)below(3);

	return of == OF_DEVICE ? dev : of == OF_SCOPE ? any_scope() : any_watch();
}

static void keep_in(int *kept_fd, int fd)
{
	int old = __atomic_exchange_n(kept_fd, fd, __ATOMIC_SEQ_CST);

	if (old >= 0)
		close(old);
}

static void keep_scope(int fd)
{
	keep_in(&scopes[below(SCOPES)], fd);
}

static void keep_watch(int fd)
{
	keep_in(&watches[below(WATCHES)], fd);
}

static bool makes_watch(const struct call *call)
{
	return call->request == REIN_IOC_WATCH || call->request == REIN_IOC_LOOK;
}

/* @before: what was where the answer goes. */
static void check_answer(const struct call *call, const union any_args *args, int err,
			 const struct rein_answer *before)
{
	const char *wrong;

	memcpy(&said.answer, args->bytes + call->answer, sizeof(said.answer));
	said.id = 0;
	said.number = 0;
	/* What is asked is closed, or none of ours: nobody has looked at what. */
	if (err == ENOTTY ||
	    (err == EBADF && !memcmp(before, &said.answer, sizeof(said.answer))))
		return;
	wrong = said_wrong(err);
	if (wrong) {
		fprintf(stderr, "tool-fuzz: call %lu came to %s: %s\n", _IOC_NR(call->request),
			strerror(err), wrong);
		exit(1);
	}
}

/* What else is done with descriptors of scopes. */
static void touch_scope(void)
{
	struct rein_scope_done done;
	int fd = scopes[below(SCOPES)];
	void *page;

	switch (below(5)) {
	case 0:
		scope_events(fd, POLLIN | POLLPRI, below(5));
		break;
	case 1:
		if (scope_events(fd, POLLIN, 0) & POLLHUP)
			percent(90) ? read(fd, &done, below(sizeof(done))) :
				      read(fd, (void *)edge(), 8);
		break;
	case 2:
		page = mmap(NULL, 4096 << percent(5), PROT_READ | (percent(5) ? PROT_WRITE : 0),
			    percent(95) ? MAP_SHARED : MAP_PRIVATE, fd, percent(5) ? 4096 : 0);
		if (page == MAP_FAILED)
			break;
		*(volatile char *)page;
		if (percent(50))
			keep_scope(dup(fd));
		munmap(page, 4096);
		break;
	default:
		keep_scope(-1);
	}
}

/* The same with those of watches. A read that finds nothing would wait. */
static void touch_watch(void)
{
	struct rein_watch_state state_read;
	int fd = watches[below(WATCHES)];
	char *page;

	switch (below(6)) {
	case 0:
		scope_events(fd, POLLIN, below(5));
		break;
	case 1:
		fcntl(fd, F_SETFL, O_NONBLOCK);
		percent(90) ? read(fd, &state_read, below(sizeof(state_read) + 1)) :
			      read(fd, (void *)edge(), 8);
		break;
	case 2:
		percent(90) ? write(fd, &state_read, below(16)) : write(fd, (void *)edge(), 8);
		break;
	case 3:
		page = map_slots(fd);
		if (!page)
			break;
		((uint64_t *)page)[below(512)] = edge();
		if (percent(50))
			keep_watch(dup(fd));
		unmap_slots(page);
		break;
	default:
		keep_watch(-1);
	}
}

/* What it is asked with: too much for a stack. */
static _Thread_local union any_args args;

/* One ioctl; its errno. */
static int call_any(void)
{
	const struct call *call = &calls[below(sizeof(calls) / sizeof(calls[0]))];
	unsigned int nr = _IOC_NR(call->request), size = _IOC_SIZE(call->request), i;
	const unsigned int full = size;
	struct rein_answer before;
	void *at = &args;
	int fd, ret, err;

	make_call_args(nr, &args);
	if (percent(5))
		for (i = 1 + below(3); i; i--)
			args.bytes[below(full)] = edge();
	/* What may be killed is that one alone. */
	if (nr == _IOC_NR(REIN_IOC_WATCH) && args.watch.subject == REIN_SUBJECT_PROCESS)
		args.watch.pid = victim;
	if (percent(3))
		size = percent(50) ? below(full) : below(1 << _IOC_SIZEBITS);
	if (percent(4))
		at = (void *)edge();
	memcpy(&before, args.bytes + call->answer, sizeof(before));
	fd = asked_of(call);
	ret = ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, REIN_IOC_MAGIC, nr, size), at);
	err = ret < 0 ? errno : 0;
	if (ret >= 0 && call->makes)
		makes_watch(call) ? keep_watch(ret) : keep_scope(ret);
	if (at == &args && size == full)
		check_answer(call, &args, err, &before);
	if (percent(30))
		percent(50) ? touch_scope() : touch_watch();
	return err;
}

static void act_victim(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void victim_make(void)
{
	victim = run_inside(NULL, act_victim, NULL);
}

static void scopes_make(void)
{
	unsigned int i;

	for (i = 0; i < SCOPES; i++)
		scopes[i] = -1;
	for (i = 0; i < WATCHES; i++)
		watches[i] = -1;
	a_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	victim_make();
}

static void scopes_close(void)
{
	unsigned int i;

	for (i = 0; i < SCOPES; i++)
		if (scopes[i] >= 0)
			close(scopes[i]);
	for (i = 0; i < WATCHES; i++)
		if (watches[i] >= 0)
			close(watches[i]);
	close(a_socket);
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
}

/* --- takes ------------------------------------------------------------------------ */

/* A take that waits for long would keep the fuzzer from its work. */
#define TAKE_MS		20

static const char *any_name(void)
{
	static const char *const names[] = {
		"a", "b", "c", "d", "", "-", "a b", "a/b", "..", "a\nb", "\377\376", "%s%n",
		"0123456789012345678901234567890123456789012345678901234567890ab",
		"0123456789012345678901234567890123456789012345678901234567890abc",
	};

	return names[percent(85) ? below(4) : below(sizeof(names) / sizeof(names[0]))];
}

struct sized_take {
	struct take take;
	char more[16384];
};

static void make_wants(struct take *take)
{
	unsigned int n = percent(60) ? 1 : percent(90) ? 1 + below(4) :
			 below(REIN_TAKE_NAMES_MAX + 2);
	unsigned int first = below(4), i;

	for (i = 0; i < n && i <= REIN_TAKE_NAMES_MAX; i++) {
		static const char *const names[] = { "a", "b", "c", "d" };
		const char *name = percent(95) ? names[(first + i) % 4] : any_name();
		struct rein_take_want *want = &take->wants[i];

		strncpy(want->name, name, sizeof(want->name));
		want->tokens = percent(90) ? 1 + below(3) : edge();
	}
	take->args.n_wants = percent(97) ? n : edge();
}

static void make_take(struct take *take)
{
	static const uint32_t flags[] = {
		0, REIN_TAKE_TRY, REIN_TAKE_DEADLINE, REIN_TAKE_TIMEOUT, REIN_TAKE_TIMEOUT,
	};

	memset(take, percent(50) ? 0xff : 0, sizeof(*take));
	make_wants(take);
	take->args.wants = percent(97) ? (uintptr_t)take->wants : edge();
	take->args.flags = percent(97) ? flags[below(5)] : chance() >> below(32);
	take->args.deadline_ns = 0;
	if (take->args.flags & REIN_TAKE_TIMEOUT)
		take->args.deadline_ns = below(TAKE_MS) * MS;
	else if (take->args.flags & REIN_TAKE_DEADLINE)
		take->args.deadline_ns = now_ns() + below(TAKE_MS) * MS;
	if (take->args.deadline_ns && percent(60))
		take->args.deadline_ns = REIN_DEV_NEVER;
	if (percent(3))
		take->args.deadline_ns = edge();
	take->args.claim_ns = 0;
	take->args.scope_fd = 0;
	if (percent(20))
		ask_within(take, any_scope());
}

/* One ioctl; its errno. */
static int take_any(void)
{
	static _Thread_local struct sized_take sized;
	struct rein_take_args *args = &sized.take.args;
	unsigned int size = sizeof(*args);
	unsigned long request;
	const char *wrong;
	void *at;
	int err;

	make_take(&sized.take);
	if (percent(3))
		size = percent(50) ? below(sizeof(*args)) : below(1 << _IOC_SIZEBITS);
	request = _IOC(_IOC_READ | _IOC_WRITE, REIN_IOC_MAGIC, percent(99), size);
	at = percent(98) ? args : (void *)edge();
	/* What is behind the args is not 0: these are wants. Or it is. */
	if (size > sizeof(*args) && percent(50)) {
		memset(sized.more, 0, sizeof(sized.more));
		at = memcpy(sized.more, args, sizeof(*args));
		if (size > sizeof(sized.more))
			size = sizeof(sized.more);
	}
	err = ioctl(dev, request, at) ? errno : 0;
	if (at != args || size != sizeof(*args) || err == EFAULT || err == ENOTTY)
		return err;
	wrong = answer_wrong(args, err);
	if (wrong) {
		fprintf(stderr, "tool-fuzz: a take came to %s: %s\n", strerror(err), wrong);
		exit(1);
	}
	return err;
}

static void nothing(int sig)
{
	(void)sig;
}

/* Interrupt what waits, now and then, whether it would be restarted or not. */
static void interrupt(int flags)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };

	sigaction(SIGALRM, &action, NULL);
}

static int interrupted(int (*act)(void))
{
	const struct itimerval often = {
		{ 0, TAKE_MS * 1000 }, { 0, TAKE_MS * 1000 },
	}, never = { };
	int err;

	/* Once might be too early. */
	setitimer(ITIMER_REAL, &often, NULL);
	err = act();
	setitimer(ITIMER_REAL, &never, NULL);
	return err;
}

#define TAKERS		3

static void *taker_run(void *arg)
{
	state = (uintptr_t)arg;
	for (;;) {
		take_any();
		call_any();
		usleep(below(20000));
	}
	return NULL;
}

/* Threads that take, from one cgroup after the other, until the parent ends. */
static pid_t send_takes(void)
{
	pthread_t threads[TAKERS];
	char path[128];
	pid_t pid = fork();
	unsigned int i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < TAKERS; i++)
		if (pthread_create(&threads[i], NULL, taker_run, (void *)(chance() | 1)))
			die("pthread_create");
	for (i = 0;; i++) {
		if (i % 4 == 0) {
			cgroup_path(path, sizeof(path), below(5));
			try_enter(percent(80) ? path : CGROOT);
		}
		usleep(TAKE_MS * 1000);
		interrupt(percent(50) ? SA_RESTART : 0);
		pthread_kill(threads[below(TAKERS)], SIGALRM);
		/* Those that are restarted would not come to an end. */
		if (i % 8 == 7) {
			interrupt(0);
			pthread_kill(threads[0], SIGALRM);
			pthread_kill(threads[1], SIGALRM);
			pthread_kill(threads[2], SIGALRM);
		}
	}
}

/* --- messages --------------------------------------------------------------------- */

static void put(struct message *m, const void *data, size_t len)
{
	if (m->len + len > sizeof(m->buf))
		len = sizeof(m->buf) - m->len;
	memcpy(m->buf + m->len, data, len);
	m->len += len;
}

static void put_attr(struct message *m, unsigned int type, const void *data, size_t len)
{
	static const char zeros[NLA_ALIGNTO];
	struct nlattr attr = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	put(m, &attr, sizeof(attr));
	put(m, data, len);
	put(m, zeros, NLA_ALIGN(len) - len);
}

static void put_string(struct message *m, unsigned int type)
{
	const char *name = any_name();

	put_attr(m, type, name, strlen(name) + !percent(3));
}

static void put_policy(struct message *m, const struct nla_policy *policy, unsigned int maxattr);

static void put_nested(struct message *m, unsigned int type, const struct nla_policy *policy)
{
	struct nlattr attr = { .nla_type = type | (percent(95) ? NLA_F_NESTED : 0) };
	size_t at = m->len;

	put(m, &attr, sizeof(attr));
	put_policy(m, policy->nested, policy->maxattr);
	attr.nla_len = m->len - at;
	if (at + sizeof(attr) <= sizeof(m->buf))
		memcpy(m->buf + at, &attr, sizeof(attr));
}

static void put_value(struct message *m, unsigned int type, const struct nla_policy *policy)
{
	uint64_t number = edge();

	switch (policy->type) {
	case NLA_U32:
		/* The first of an enum is what most requests mean. */
		if (policy->max && percent(95))
			number = percent(50) ? 0 : below(policy->max + 1);
		put_attr(m, type, &number, percent(98) ? 4 : below(9));
		break;
	case NLA_S32:
		number = percent(97) ? fds[below(percent(85) ? 5 : 16)] : (int)number;
		put_attr(m, type, &number, percent(98) ? 4 : below(9));
		break;
	case NLA_U64:
		put_attr(m, type, &number, percent(98) ? 8 : below(9));
		break;
	case NLA_NUL_STRING:
		put_string(m, type);
		break;
	case NLA_FLAG:
		put_attr(m, type, &number, percent(95) ? 0 : below(9));
		break;
	case NLA_NESTED:
		put_nested(m, type, policy);
		break;
	case NLA_UNSPEC:
		if (percent(2))
			put_attr(m, type, &number, below(9));
		break;
	}
}

static void put_policy(struct message *m, const struct nla_policy *policy, unsigned int maxattr)
{
	unsigned int type, n;

	for (type = 0; type <= maxattr; type++) {
		n = percent(75);
		if (n && policy[type].type == NLA_NESTED)
			n = percent(97) ? 1 + below(3) : below(20);
		else if (percent(1))
			n += below(3);
		while (n--)
			put_value(m, type, &policy[type]);
	}
	if (percent(1))
		put_attr(m, maxattr + 1 + below(5), "xxxxxxxx", below(9));
}

static struct nlmsghdr *header(struct message *m)
{
	return (struct nlmsghdr *)m->buf;
}

/*
 * A limit that takes can meet and wait for: by chance alone these are rare. Mostly it is
 * where this program is itself, or above.
 */
static void make_call(struct message *m)
{
	static const uint64_t periods[] = { 1000, MS, 10 * MS, SECOND, DAY };
	unsigned int where = percent(70) ? OWN : below(5);
	static struct genl_msg msg;
	static char name[2];
	unsigned int tiers = percent(70) ? 1 : 1 + below(3);

	name[0] = 'a' + below(4);
	begin(&msg, percent(80) ? REIN_CMD_LIMIT_REPLACE : REIN_CMD_LIMIT_SET, name,
	      fds[where] >= 0 ? fds[where] : fds[where + 5]);
	genl_put_u32(&msg, REIN_A_LIMIT_RESOURCE, REIN_RESOURCE_CALL);
	genl_put_u32(&msg, REIN_A_LIMIT_OVER, percent(50) ? REIN_OVER_WAIT :
		     percent(60) ? REIN_OVER_REFUSE : below(4));
	if (percent(20))
		genl_put_u64(&msg, REIN_A_LIMIT_QUEUE, 1 + below(8));
	if (percent(40))
		genl_put_u32(&msg, REIN_A_LIMIT_CREDIT, percent(90) ? below(1000001) : edge());
	if (percent(20))
		genl_put_u64(&msg, REIN_A_LIMIT_PATIENCE_NS, (1 + below(30)) * MS);
	while (tiers--)
		genl_put_tier(&msg, REIN_UNIT_CALLS, below(10), periods[below(5)], 1 + below(20));
	m->len = 0;
	put(m, msg.buf, msg.len);
	header(m)->nlmsg_len = m->len;
}

static void make(struct message *m)
{
	const struct genl_ops *op = &rein_nl_ops[below(N_OPS)];
	struct genlmsghdr ghdr = { .cmd = op->cmd, .version = 1 };
	struct nlmsghdr nlh = { .nlmsg_type = genl_family, .nlmsg_flags = NLM_F_REQUEST };

	if (percent(20)) {
		make_call(m);
		return;
	}
	/* What removes all there is would leave nothing to find. */
	if (op->cmd == REIN_CMD_FLUSH && percent(90))
		op = &rein_nl_ops[0], ghdr.cmd = op->cmd;
	if (percent(90))
		nlh.nlmsg_flags |= NLM_F_ACK;
	if (op->dumpit && percent(50))
		nlh.nlmsg_flags |= NLM_F_DUMP;
	if (percent(2))
		nlh.nlmsg_flags |= chance();
	if (percent(1))
		ghdr.cmd = chance();
	m->len = 0;
	put(m, &nlh, sizeof(nlh));
	put(m, &ghdr, sizeof(ghdr));
	put_policy(m, op->policy, op->maxattr);
	header(m)->nlmsg_len = m->len;
}

/* A place in the message where an attribute begins, or might. */
static size_t somewhere(const struct message *m)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;

	return m->len > head ? head + below((m->len - head + 3) / 4) * 4 : head;
}

static void change(struct message *m)
{
	const struct message *other = &kept[below(n_kept)];
	size_t at = somewhere(m), from = somewhere(other), len;
	uint64_t number = edge();

	switch (below(8)) {
	case 0:
		m->buf[below(m->len)] ^= 1 << below(8);
		break;
	case 1:
		m->buf[below(m->len)] = number;
		break;
	case 2:
		if (at + sizeof(number) <= m->len)
			memcpy(m->buf + at, &number, sizeof(number));
		break;
	case 3:
		m->len = at;
		break;
	case 4:
		len = below(64) * 4;
		if (at + len < m->len) {
			memmove(m->buf + at, m->buf + at + len, m->len - at - len);
			m->len -= len;
		}
		break;
	case 5:
		m->len = at;
		put(m, other->buf + from, other->len - from);
		break;
	case 6:
		put(m, m->buf + at, m->len - at);
		break;
	case 7:
		((struct genlmsghdr *)NLMSG_DATA(m->buf))->cmd = below(N_OPS + 2);
		break;
	}
	if (m->len < NLMSG_HDRLEN)
		m->len = NLMSG_HDRLEN;
	header(m)->nlmsg_len = percent(97) ? m->len : below(2 * m->len);
	/* Others' families are none of our business. */
	header(m)->nlmsg_type = genl_family;
	header(m)->nlmsg_flags |= NLM_F_REQUEST;
}

/* --- what was reached --------------------------------------------------------------- */

static unsigned long *cover;
static unsigned char seen[1 << 16];

static void cover_open(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, COVER_SIZE))
		return;
	cover = mmap(NULL, COVER_SIZE * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		die("kcov");
}

static void cover_start(void)
{
	if (cover)
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

/* Was there a place that no message reached before, from where it came? */
static bool cover_new(void)
{
	unsigned long n = cover ? __atomic_load_n(&cover[0], __ATOMIC_RELAXED) : 0, i, last = 0;
	bool new = false;

	for (i = 1; i <= n; i++) {
		unsigned long pc = cover[i], way = (pc ^ last * 31) * 0x9e3779b97f4a7c15ULL >> 48;

		last = pc;
		if (seen[way])
			continue;
		seen[way] = 1;
		result.code++;
		new = true;
	}
	return new;
}

/* --- sending -------------------------------------------------------------------------- */

static void print(const struct message *m)
{
	size_t i;

	for (i = 0; i < m->len; i++)
		printf("%02x", (unsigned char)m->buf[i]);
	putchar('\n');
	fflush(stdout);
}

static void look_at(const struct nlmsghdr *nlh)
{
	int err;

	if (nlh->nlmsg_type != NLMSG_ERROR && nlh->nlmsg_type != NLMSG_DONE)
		return;
	memcpy(&err, NLMSG_DATA(nlh), sizeof(err));
	if (!err)
		result.answered++;
	else
		result.refused++;
	if (err && !(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		result.bare++;
	if (err > 0 || err < -4095) {
		fprintf(stderr, "tool-fuzz: an answer of %d\n", err);
		exit(1);
	}
}

/* Read what there is; of a dump a few parts. False: there is more. */
static bool read_answers(int fd)
{
	static char buf[1 << 16];
	const struct nlmsghdr *nlh;
	unsigned int parts = 0;
	ssize_t got;

	while ((got = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0 || errno == EINTR ||
	       errno == ENOBUFS) {
		for (nlh = (void *)buf; got > 0 && NLMSG_OK(nlh, got); nlh = NLMSG_NEXT(nlh, got))
			look_at(nlh);
		if (++parts == 4 || percent(1))
			return false;
	}
	return true;
}

static void fire(int *fd, const struct message *m)
{
	bool done;

	if (verbose)
		print(m);
	cover_start();
	done = send(*fd, m->buf, m->len, 0) < 0 || read_answers(*fd);

	result.messages++;
	/* In the middle of a dump, or for no reason at all. */
	if (!done || percent(1)) {
		close(*fd);
		*fd = genl_socket();
		if (*fd < 0)
			die("socket");
	}
}

static void fire_call(int (*act)(void), unsigned long *errnos)
{
	int err;

	cover_start();
	err = interrupted(act);
	errnos[err & 255]++;
	if (err)
		result.refused++;
	else
		result.answered++;
	result.messages++;
	/* Places are counted; takes are made anew each time. */
	cover_new();
}

static void fuzz(unsigned long count)
{
	int fd = genl_socket();
	struct message m;
	unsigned int n;

	while (result.messages < count) {
		if (percent(25)) {
			fire_call(take_any, result.takes);
			continue;
		}
		if (percent(16)) {
			fire_call(call_any, result.calls);
			continue;
		}
		if (!n_kept || percent(40)) {
			make(&m);
		} else {
			m = kept[below(n_kept)];
			for (n = 1 + below(4); n; n--)
				change(&m);
		}
		fire(&fd, &m);
		/* Without coverage: whatever comes, in turn. */
		if (cover ? cover_new() : percent(5)) {
			kept[n_kept < KEPT_MAX ? n_kept : below(KEPT_MAX)] = m;
			n_kept += n_kept < KEPT_MAX;
		}
		if (percent(1))
			cgroup_turn(below(5));
		if (percent(1) && waitpid(victim, NULL, WNOHANG) == victim)
			victim_make();
	}
	close(fd);
}

/* The family must still be there, and answer sensibly. */
static int check_alive(void)
{
	struct genl_answer answer;
	static struct genl_msg msg;
	int fd = genl_socket(), err;

	genl_begin(&msg, REIN_CMD_FLUSH, 0);
	genl_put(&msg, REIN_A_FLUSH_FORCE, NULL, 0);
	err = genl_ask(fd, &msg, &answer, NULL, NULL) ?: -answer.err;
	if (err) {
		fprintf(stderr, "tool-fuzz: flush is answered with %s\n", strerror(-err));
		return 1;
	}
	return 0;
}

static void print_errnos(const char *name, const unsigned long *errnos)
{
	const char *between = "";
	int i;

	printf("\"%s\": {", name);
	for (i = 0; i < 256; i++) {
		if (!errnos[i])
			continue;
		printf("%s\"%d\": %lu", between, i, errnos[i]);
		between = ", ";
	}
	putchar('}');
}

/* Is there none left of those who have ended by now? */
static int check_left(uint64_t scopes_before, uint64_t watches_before)
{
	int fd = genl_socket();
	uint64_t left_watches = settle_watches(fd, watches_before);
	uint64_t left_scopes = settle_scopes(fd, scopes_before);

	close(fd);
	if (left_scopes == scopes_before && left_watches == watches_before)
		return 0;
	fprintf(stderr, "tool-fuzz: %llu scopes are left of %llu, and %llu watches of %llu\n",
		(unsigned long long)left_scopes, (unsigned long long)scopes_before,
		(unsigned long long)left_watches, (unsigned long long)watches_before);
	return 1;
}

static void fire_hex(const char *hex)
{
	int fd = genl_socket();
	struct message m = { 0 };
	unsigned int byte;

	for (; m.len < sizeof(m.buf) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		m.buf[m.len++] = byte;
	if (m.len >= NLMSG_HDRLEN)
		header(&m)->nlmsg_type = genl_family;
	fire(&fd, &m);
}

int main(int argc, char **argv)
{
	unsigned long count = 20000;
	pid_t packets, takes;
	char own[128];
	const char *hex = NULL;
	uint64_t scopes_before, watches_before;
	int opt, fd, ret;

	state = 1;
	while ((opt = getopt(argc, argv, "n:s:vx:")) != -1) {
		switch (opt) {
		case 'n':
			count = strtoul(optarg, NULL, 0);
			break;
		case 's':
			state = strtoull(optarg, NULL, 0) | 1;
			break;
		case 'v':
			verbose = true;
			break;
		case 'x':
			hex = optarg;
			break;
		default:
			return 2;
		}
	}
	fd = genl_socket();
	if (fd < 0 || genl_resolve(fd))
		die("no family: is the module loaded?");
	scopes_before = count_scopes(fd);
	watches_before = count_watches(fd);
	close(fd);
	dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	if (dev < 0)
		die(REIN_DEV_PATH);
	cgroups_make();
	scopes_make();
	interrupt(0);
	packets = send_packets();
	takes = send_takes();
	cgroup_path(own, sizeof(own), OWN);
	try_enter(own);
	cover_open();
	if (hex)
		fire_hex(hex);
	else
		fuzz(count);
	try_enter(CGROOT);
	kill(packets, SIGKILL);
	kill(takes, SIGKILL);
	/* One that has come to an end by itself has found something. */
	ret = waitpid(takes, &opt, 0) != takes || !WIFSIGNALED(opt);
	waitpid(packets, NULL, 0);
	ret |= check_alive();
	scopes_close();
	cgroups_remove();
	ret |= check_left(scopes_before, watches_before);
	printf("{\"messages\": %lu, \"answered\": %lu, \"refused\": %lu, ", result.messages,
	       result.answered, result.refused);
	printf("\"bare\": %lu, \"kept\": %u, \"code\": %lu, ", result.bare, n_kept, result.code);
	print_errnos("takes", result.takes);
	printf(", ");
	print_errnos("calls", result.calls);
	puts("}");
	return ret;
}
