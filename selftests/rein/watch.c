// SPDX-License-Identifier: GPL-2.0
/*
 * Watches: what they find missing, and when; what their descriptors and pages do; who may do
 * what with them; and that they can't be asked wrongly. What is done then, and what they are
 * kept over, is in watch-steps.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <kselftest_harness.h>
#include "watch.h"

#define AGAIN		"run: make check TESTS=watch"
#define TIMEOUT		110

/**
 * struct watch - what every test has
 * @fd:		the netlink socket
 * @dev:	the device
 * @before:	how many scopes there were
 * @watches:	how many watches
 * @raw:	the newest record of an error without a meaning
 * @gaps:	how long the machine stood still
 */
FIXTURE(watch) {
	int fd;
	int dev;
	uint64_t before;
	uint64_t watches;
	uint64_t raw;
	struct gaps gaps;
};

FIXTURE_SETUP(watch) {
	OPENS_WATCHES();
	ASSERT_TRUE(gaps_begin(&self->gaps));
}

FIXTURE_TEARDOWN(watch) {
	gaps_end(&self->gaps);
	CLOSES_WATCHES();
}

/* --- to make one --------------------------------------------------------------------------- */

TEST_F(watch, made)
{
	struct rein_watch_state state;
	struct watch_view view;
	struct watch_ask ask;
	uint64_t id;
	int fd;

	watch_every(ask_watch(&ask, REIN_WATCH_OWNED), HOUR, 3);
	watch_step(watch_called(&ask, "a.Z_0-9:@"), REIN_STEP_RECORD, 0, 0);
	ask.args.rules.grace_ns = 2 * HOUR;
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	EXPECT_NE(0, id);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, scope_events(fd, POLLIN | POLLPRI, 0));
	EXPECT_EQ(self->watches + 1, count_watches(self->fd));
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_EQ(id, view.id);
	EXPECT_STREQ("a.Z_0-9:@", view.name);
	EXPECT_EQ(REIN_WATCH_OFF, view.status);
	EXPECT_FALSE(watch_has(&view, REIN_A_WATCH_FAULT));
	EXPECT_FALSE(watch_has(&view, REIN_A_WATCH_UNIT));
	EXPECT_FALSE(watch_has(&view, REIN_A_WATCH_IDLE_NS));
	EXPECT_FALSE(watch_has(&view, REIN_A_WATCH_LEFT_NS));
	EXPECT_FALSE(watch_has(&view, REIN_A_WATCH_FROZEN));
	EXPECT_EQ(REIN_SUBJECT_PROCESS, view.subject);
	EXPECT_EQ(getpid(), view.subject_pid);
	EXPECT_EQ(REIN_WATCH_OWNED, view.flags);
	EXPECT_EQ(HOUR, view.every_ns);
	EXPECT_EQ(2 * HOUR, view.grace_ns);
	EXPECT_EQ(3, view.miss);
	EXPECT_EQ(1, view.beats_min);
	EXPECT_EQ(0, view.beats_max);
	EXPECT_EQ(1, view.n_steps);
	EXPECT_EQ(REIN_STEP_RECORD, view.step_kind);
	EXPECT_EQ(0, view.beats + view.begins + view.ends + view.faults + view.expiries);
	EXPECT_EQ(getpid(), view.pid);
	EXPECT_EQ(0, view.uid);
	EXPECT_STREQ("watch", view.comm);
	/* Beats count even if it isn't armed. */
	SUCCEEDS(watch_beat(fd));
	memset(&state, 0, sizeof(state));
	COMES(fd, &state, REIN_COUNT_BEAT, 1);
	EXPECT_EQ(id, state.id);
	EXPECT_EQ(REIN_WATCH_OFF, state.status);
	EXPECT_NE(0, state.last_ns);
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_EQ(1, view.beats);
	EXPECT_TRUE(watch_has(&view, REIN_A_WATCH_IDLE_NS));
	SUCCEEDS(watch_arm(fd));
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_EQ(REIN_WATCH_RUNNING, view.status);
	/* The first cycle is as long as the grace. */
	EXPECT_LT(HOUR, view.left_ns);
	EXPECT_GE(2 * HOUR, view.left_ns);
	close(fd);
	EXPECT_EQ(self->watches, settle_watches(self->fd, self->watches));
	EXPECT_EQ(-ENOENT, read_watch(self->fd, id, &view));
	/* Not even now is an id given twice. */
	fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_ARM, HOUR));
	EXPECT_LT(id, said.id);
	ASSERT_EQ(0, read_watch(self->fd, said.id, &view));
	EXPECT_EQ(REIN_WATCH_RUNNING, view.status);
	close(fd);
}

TEST_F(watch, names)
{
	static const char *const bad[] = {
		" ", "a b", "a/b", "a\n", "\t", "a\033[2J", "\377", "a,b", "a*", "(", "#", "\"",
		"\\", "a%s", "-", "-x",
	};
	static const char *const good[] = { "", "a", "0", ".", "..", "a-", "_", ":", "a:b@c.d" };
	char longest[REIN_WATCH_NAME_LEN + 8];
	struct watch_view view;
	struct watch_ask ask;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		FAILS(EINVAL, WATCH_MALFORMED,
		      watch_make(self->dev, watch_called(ask_watch(&ask, REIN_WATCH_OWNED),
							 bad[i])));
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		fd = SUCCEEDS(watch_make(self->dev, watch_called(ask_watch(&ask, REIN_WATCH_OWNED),
								 good[i])));
		ASSERT_EQ(0, read_watch(self->fd, said.id, &view));
		EXPECT_STREQ(good[i], view.name);
		close(fd);
	}
	memset(longest, 'x', sizeof(longest));
	longest[REIN_WATCH_NAME_LEN - 1] = '\0';
	fd = SUCCEEDS(watch_make(self->dev, watch_called(ask_watch(&ask, REIN_WATCH_OWNED),
							 longest)));
	close(fd);
	/* Not terminated. */
	memset(ask_watch(&ask, REIN_WATCH_OWNED)->args.name, 'x', REIN_WATCH_NAME_LEN);
	FAILS(EINVAL, WATCH_MALFORMED, watch_make(self->dev, &ask));
}

#define AT(field)	offsetof(struct rein_watch_args, field),		\
			sizeof(((struct rein_watch_args *)0)->field)

/* A request that is good but for one or two fields. */
static const struct wrong {
	const char *what;
	struct {
		size_t at, size;
		uint64_t value;
	} set[2];
	int err;
	unsigned int code;
} wrongs[] = {
	{ "a flag", { { AT(flags), 1 << 7 } }, EINVAL, WATCH_MALFORMED },
	{ "the last flag", { { AT(flags), 1U << 31 } }, EINVAL, WATCH_MALFORMED },
	{ "no subject", { { AT(subject), 0 } }, EINVAL, WATCH_MALFORMED },
	{ "a subject", { { AT(subject), 4 } }, EINVAL, WATCH_MALFORMED },
	{ "a process with a descriptor", { { AT(fd), 0 } }, EINVAL, WATCH_MALFORMED },
	{ "a process with a kill file", { { AT(kill_fd), 0 } }, EINVAL, WATCH_MALFORMED },
	{ "no such process", { { AT(pid), 4194304 + 1 } }, ESRCH, WATCH_NO_PROCESS },
	{ "a negative process", { { AT(pid), UINT32_MAX } }, ESRCH, WATCH_NO_PROCESS },
	{ "one of another time", { { AT(start), 1 } }, ESRCH, WATCH_NO_PROCESS },
	{ "a cgroup with a pid", { { AT(subject), REIN_SUBJECT_CGROUP }, { AT(pid), 1 } }, EINVAL,
	  WATCH_MALFORMED },
	{ "a cgroup with a time", { { AT(subject), REIN_SUBJECT_CGROUP }, { AT(start), 1 } },
	  EINVAL, WATCH_MALFORMED },
	{ "a cgroup that is none", { { AT(subject), REIN_SUBJECT_CGROUP }, { AT(fd), 0 } }, EBADF,
	  NOT_A_CGROUP },
	{ "a closed cgroup", { { AT(subject), REIN_SUBJECT_CGROUP }, { AT(fd), 9999 } }, EBADF,
	  NOT_A_CGROUP },
	{ "a socket with a pid", { { AT(subject), REIN_SUBJECT_SOCKET }, { AT(pid), 1 } }, EINVAL,
	  WATCH_MALFORMED },
	{ "a socket that is none", { { AT(subject), REIN_SUBJECT_SOCKET }, { AT(fd), 0 } }, EBADF,
	  WATCH_NOT_SOCKET },
	{ "a closed socket", { { AT(subject), REIN_SUBJECT_SOCKET }, { AT(fd), 9999 } }, EBADF,
	  WATCH_NOT_SOCKET },
	{ "steps elsewhere", { { AT(steps), 1 }, { AT(n_steps), 1 } }, EFAULT, 0 },
	{ "too many steps", { { AT(n_steps), REIN_STEPS_MAX + 1 } }, EINVAL, WATCH_MALFORMED },
	{ "very many steps", { { AT(n_steps), UINT32_MAX } }, EINVAL, WATCH_MALFORMED },
	{ "a want", { { AT(wants), 1 << REIN_WATCH_COUNTS } }, EINVAL, WATCH_MALFORMED },
	{ "the last want", { { AT(wants), 1U << 31 } }, EINVAL, WATCH_MALFORMED },
	{ "too short a cycle", { { AT(rules.every_ns), REIN_RULE_MIN_NS - 1 } }, EINVAL,
	  WATCH_MALFORMED },
	{ "too long a cycle", { { AT(rules.every_ns), REIN_RULE_MAX_NS + 1 } }, EINVAL,
	  WATCH_MALFORMED },
	{ "for ever", { { AT(rules.every_ns), UINT64_MAX } }, EINVAL, WATCH_MALFORMED },
	{ "a cycle of no beats", { { AT(rules.min), 0 } }, EINVAL, WATCH_MALFORMED },
	{ "more than the most", { { AT(rules.min), 3 }, { AT(rules.max), 2 } }, EINVAL,
	  WATCH_MALFORMED },
	{ "beats without a cycle", { { AT(rules.every_ns), 0 } }, EINVAL, WATCH_MALFORMED },
	{ "grace without a cycle", { { AT(rules.every_ns), 0 }, { AT(rules.grace_ns), SECOND } },
	  EINVAL, WATCH_MALFORMED },
	{ "too short a grace", { { AT(rules.grace_ns), 1 } }, EINVAL, WATCH_MALFORMED },
	{ "too short a pretimeout", { { AT(rules.pretimeout_ns), 1 } }, EINVAL, WATCH_MALFORMED },
	{ "as long a pretimeout", { { AT(rules.pretimeout_ns), HOUR } }, EINVAL, WATCH_MALFORMED },
	{ "too short a unit", { { AT(rules.unit_max_ns), 1 } }, EINVAL, WATCH_MALFORMED },
	{ "a unit's times", { { AT(rules.unit_min_ns), 2 * SECOND },
			      { AT(rules.unit_max_ns), SECOND } }, EINVAL, WATCH_MALFORMED },
	{ "too many misses", { { AT(rules.miss), REIN_MISS_MAX + 1 } }, EINVAL, WATCH_MALFORMED },
	{ "a checkpoint", { { AT(rules.first), 1 << REIN_CHECKPOINTS } }, EINVAL,
	  WATCH_MALFORMED },
	{ "an order without a first", { { AT(rules.next[3]), 1 } }, EINVAL, WATCH_MALFORMED },
};

/* Arguments that are good, but for those of a row. */
static struct watch_ask *ask_wrongly(struct watch_ask *ask, const struct wrong *wrong)
{
	size_t i;

	watch_every(ask_watch(ask, REIN_WATCH_OWNED), HOUR, 0);
	for (i = 0; i < 2; i++)
		memcpy((char *)&ask->args + wrong->set[i].at, &wrong->set[i].value,
		       wrong->set[i].size);
	return ask;
}

TEST_F(watch, wrong_arguments)
{
	struct watch_ask ask;
	size_t i;

	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *wrong = &wrongs[i];
		bool was = _metadata->passed;

		ask_wrongly(&ask, wrong);
		if (wrong->code)
			FAILS(wrong->err, wrong->code, watch_make(self->dev, &ask));
		else
			EXPECT_EQ(-wrong->err, watch_make(self->dev, &ask));
		if (was && !_metadata->passed)
			TH_LOG("%s: " AGAIN, wrong->what);
	}
	EXPECT_EQ(self->watches, settle_watches(self->fd, self->watches));
}

TEST_F(watch, wrong_steps)
{
	static const struct rein_watch_step bad[] = {
		{ 0, 0, 0 }, { 7, 0, 0 }, { UINT32_MAX, 0, 0 },
		/* A signal that there isn't; one where none is sent. */
		{ REIN_STEP_SIGNAL, 0, 0 }, { REIN_STEP_SIGNAL, 65, 0 },
		{ REIN_STEP_SIGNAL, UINT32_MAX, 0 }, { REIN_STEP_RECORD, SIGTERM, 0 },
		{ REIN_STEP_KILL, SIGKILL, 0 }, { REIN_STEP_EXEC, 1, 0 },
		/* It has no connection. */
		{ REIN_STEP_RESET, 0, 0 },
	};
	struct watch_ask ask;
	size_t i, n;
	int fd;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		watch_every(ask_watch(&ask, REIN_WATCH_OWNED), HOUR, 0);
		for (n = 0; n < i % REIN_STEPS_MAX; n++)
			watch_step(&ask, REIN_STEP_RECORD, 0, 0);
		watch_step(&ask, bad[i].kind, bad[i].signal, bad[i].delay_ns);
		FAILS(EINVAL, WATCH_MALFORMED, watch_make(self->dev, &ask));
	}
	/* As many as there may be. */
	watch_every(ask_watch(&ask, REIN_WATCH_OWNED), HOUR, 0);
	for (n = 0; n < REIN_STEPS_MAX; n++)
		watch_step(&ask, REIN_STEP_RECORD, 0, n);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	close(fd);
	/* No scope, one that is none, or only an observer's. */
	watch_step(ask_watch(&ask, REIN_WATCH_OWNED), REIN_STEP_CANCEL, 0, 0);
	n = -watch_make(self->dev, &ask);
	EXPECT_TRUE(n == EINVAL || n == EBADF);
	EXPECT_EQ(NULL, said_wrong(n));
	ask.args.scope_fd = self->dev;
	FAILS(EBADF, WATCH_SCOPE, watch_make(self->dev, &ask));
	ask.args.scope_fd = 9999;
	FAILS(EBADF, WATCH_SCOPE, watch_make(self->dev, &ask));
	fd = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	ask.args.scope_fd = SUCCEEDS(scope_observe(fd));
	FAILS(EBADF, WATCH_SCOPE, watch_make(self->dev, &ask));
	close(ask.args.scope_fd);
	close(fd);
}

TEST_F(watch, wrong_beats)
{
	char unit[REIN_UNIT_LEN + 1];
	struct rein_watch_state state;
	struct rein_beat_args args;
	int fd = SUCCEEDS(watch_new(self->dev, 0, HOUR));

	FAILS(EINVAL, WATCH_MALFORMED, watch_beat_as(fd, 4, 0, "", 0, 0, NULL));
	FAILS(EINVAL, WATCH_MALFORMED, watch_beat_as(fd, UINT32_MAX, 0, "", 0, 0, NULL));
	FAILS(EINVAL, WATCH_MALFORMED, watch_beat_as(fd, REIN_BEAT, 1, "", 0, 0, NULL));
	FAILS(EINVAL, WATCH_MALFORMED, watch_beat_as(fd, REIN_BEAT, 0, "a", 0, 0, NULL));
	FAILS(EINVAL, WATCH_MALFORMED, watch_beat_as(fd, REIN_BEAT, 0, "", 1, 0, NULL));
	/* A token, and none is wanted. */
	FAILS(EINVAL, WATCH_MALFORMED, watch_beat_as(fd, REIN_BEAT, 0, "", 0, 1, NULL));
	FAILS(EINVAL, WATCH_MALFORMED, watch_begin(fd, "", 0));
	FAILS(EINVAL, WATCH_MALFORMED, watch_begin(fd, "a\n", 0));
	FAILS(EINVAL, WATCH_MALFORMED, watch_begin(fd, "\303\244", 0));
	memset(unit, 'x', sizeof(unit));
	unit[REIN_UNIT_LEN] = '\0';
	FAILS(EINVAL, WATCH_MALFORMED, watch_begin(fd, unit, 0));
	FAILS(EINVAL, WATCH_MALFORMED, watch_beat_as(fd, REIN_BEAT_BEGIN, 1, "a", 0, 0, NULL));
	FAILS(EINVAL, WATCH_MALFORMED, watch_finish(fd, ""));
	FAILS(EINVAL, WATCH_MALFORMED, watch_beat_as(fd, REIN_BEAT_END, 0, "a", 1, 0, NULL));
	FAILS(EINVAL, WATCH_MALFORMED, watch_checkpoint(fd, REIN_CHECKPOINTS));
	FAILS(EINVAL, WATCH_MALFORMED, watch_checkpoint(fd, UINT32_MAX));
	FAILS(ENOENT, WATCH_UNIT, watch_finish(fd, "a"));
	/* None of that was a beat. */
	memset(&state, 0, sizeof(state));
	EXPECT_FALSE(watch_read(fd, &state));
	unit[REIN_UNIT_LEN - 1] = '\0';
	SUCCEEDS(watch_begin(fd, unit, 0));
	SUCCEEDS(watch_finish(fd, unit));
	/* Others. */
	FAILS(EINVAL, WATCH_MALFORMED, watch_arm_as(fd, 1 << 3, 0, 0));
	FAILS(EINVAL, WATCH_MALFORMED, watch_arm_as(fd, 0, SECOND, 0));
	FAILS(EINVAL, WATCH_MALFORMED, watch_arm_as(fd, 0, 0, SECOND));
	FAILS(EINVAL, WATCH_MALFORMED, watch_arm_as(fd, REIN_ARM_EVERY, 1, 0));
	FAILS(EINVAL, WATCH_MALFORMED, watch_arm_as(fd, REIN_ARM_EVERY, UINT64_MAX, 0));
	FAILS(EINVAL, WATCH_MALFORMED, watch_arm_as(fd, REIN_ARM_GRACE, 0, 1));
	FAILS(EINVAL, WATCH_MALFORMED,
	      watch_arm_as(fd, REIN_ARM_OFF | REIN_ARM_EVERY, SECOND, 0));
	FAILS(EINVAL, WATCH_MALFORMED, watch_test(fd, 1 << 1));
	FAILS(EINVAL, WATCH_NOT_ARMED, watch_test(fd, 0));
	FAILS(EINVAL, WATCH_NOT_ARMED, watch_test(fd, REIN_TEST_REAL));
	FAILS(EINVAL, WATCH_MALFORMED, watch_look_for(self->dev, 1 << 2, 0, 1, ""));
	FAILS(EINVAL, WATCH_MALFORMED,
	      watch_look_for(self->dev, REIN_LOOK_OBSERVE | REIN_LOOK_BEAT, 0, 1, ""));
	FAILS(EINVAL, WATCH_MALFORMED, watch_look_for(self->dev, 0, 1 << REIN_WATCH_COUNTS, 1, ""));
	FAILS(EINVAL, WATCH_MALFORMED, watch_look_for(self->dev, 0, 0, 1, "one"));
	FAILS(EINVAL, WATCH_MALFORMED, watch_look_for(self->dev, 0, 0, 0, ""));
	/* Not terminated. */
	memset(&args, 0, sizeof(args));
	args.kind = REIN_BEAT_BEGIN;
	memset(args.unit, 'x', sizeof(args.unit));
	EXPECT_EQ(-1, ioctl(fd, REIN_IOC_BEAT, &args));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

TEST_F(watch, no_descriptor)
{
	int fd = SUCCEEDS(watch_new(self->dev, 0, HOUR)), last, ret;
	uint64_t id = said.id;
	struct rlimit files;

	last = dup(0);
	close(last);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &files));
	files.rlim_cur = last;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ret = watch_new(self->dev, 0, HOUR);
	EXPECT_EQ(-EMFILE, ret);
	EXPECT_EQ(NULL, said_wrong(EMFILE)) {
		TH_LOG("%s; " AGAIN, said_wrong(EMFILE));
	}
	EXPECT_EQ(-EMFILE, watch_look(self->dev, 0, id));
	EXPECT_EQ(NULL, said_wrong(EMFILE));
	EXPECT_EQ(self->watches + 1, settle_watches(self->fd, self->watches + 1));
	files.rlim_cur = last + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	EXPECT_EQ(last, SUCCEEDS(watch_look(self->dev, 0, id)));
	close(last);
	close(fd);
}

/* --- sizes and pointers -------------------------------------------------------------------- */

/* Each of the requests, of its kind of file. */
static const struct request {
	unsigned long request;
	bool device;
} requests[] = {
	{ REIN_IOC_WATCH, true }, { REIN_IOC_LOOK, true }, { REIN_IOC_BEAT, false },
	{ REIN_IOC_ARM, false }, { REIN_IOC_TEST, false }, { REIN_IOC_UNWATCH, false },
};

#define N_REQUESTS	(sizeof(requests) / sizeof(requests[0]))

TEST_F(watch, sizes)
{
	int fd = SUCCEEDS(watch_new(self->dev, 0, HOUR)), at;
	static char args[16384];
	struct watch_ask ask;
	size_t i, n, size;

	for (i = 0; i < N_REQUESTS; i++) {
		at = requests[i].device ? self->dev : fd;
		size = _IOC_SIZE(requests[i].request);
		for (n = 0; n < size; n++)
			ERRNO_IS(EINVAL, at, SIZED(requests[i].request, n), args);
		for (n = 1; n < 100; n += 7) {
			args[size + n - 1] = 1;
			ERRNO_IS(E2BIG, at, SIZED(requests[i].request, size + n), args);
			args[size + n - 1] = 0;
		}
		args[16382] = 1;
		ERRNO_IS(E2BIG, at, SIZED(requests[i].request, 16383), args);
		args[16382] = 0;
		/* Of another kind of file, or of none of ours. */
		ERRNO_IS(ENOTTY, requests[i].device ? fd : self->dev, requests[i].request, args);
		ERRNO_IS(ENOTTY, self->fd, requests[i].request, args);
		ERRNO_IS(EBADF, 9999, requests[i].request, args);
	}
	ERRNO_IS(ENOTTY, fd, REIN_IOC_TAKE, args);
	ERRNO_IS(ENOTTY, fd, REIN_IOC_OBSERVE, args);
	ERRNO_IS(ENOTTY, fd, REIN_IOC_CANCEL, args);
	ERRNO_IS(ENOTTY, fd, 0x5401 /* TCGETS */, args);
	ERRNO_IS(ENOTTY, fd, SIZED(_IOC_NR(REIN_IOC_UNWATCH) + 1, 100), args);
	SUCCEEDS(watch_beat(fd));
	close(fd);
	/* What is longer, and 0 where it isn't known. */
	memset(args, 0, sizeof(args));
	ask_watch(&ask, REIN_WATCH_OWNED);
	memcpy(args, &ask.args, sizeof(ask.args));
	fd = ioctl(self->dev, SIZED(REIN_IOC_WATCH, 16383), args);
	EXPECT_LE(0, fd) {
		TH_LOG("a longer size: %s; " AGAIN, strerror(errno));
	}
	close(fd);
}

TEST_F(watch, pointers)
{
	void *const wrong[] = {
		NULL, (void *)1, (void *)0xffff888000001000UL, (void *)0x8000000000000000UL,
		(void *)-8UL,
	};
	int fd = SUCCEEDS(watch_new(self->dev, 0, HOUR)), last;
	const size_t page = sysconf(_SC_PAGESIZE);
	char *edge = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct watch_ask ask;
	size_t i, n, size;

	ASSERT_NE(MAP_FAILED, edge);
	edge += page;
	ASSERT_EQ(0, mprotect(edge, page, PROT_NONE));
	last = dup(0);
	close(last);
	for (i = 0; i < N_REQUESTS; i++) {
		int at = requests[i].device ? self->dev : fd;

		size = _IOC_SIZE(requests[i].request);
		for (n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++)
			ERRNO_IS(EFAULT, at, requests[i].request, wrong[n]);
		for (n = 1; n < size; n += 5)
			ERRNO_IS(EFAULT, at, requests[i].request, edge - n);
	}
	/* What can be read and not be answered: there is no watch that nobody knows of. */
	size = sizeof(ask.args);
	memcpy(edge - size, &ask_watch(&ask, REIN_WATCH_OWNED)->args, size);
	ASSERT_EQ(0, mprotect(edge - page, page, PROT_READ));
	ERRNO_IS(EFAULT, self->dev, REIN_IOC_WATCH, edge - size);
	EXPECT_EQ(last, dup(0));
	close(last);
	EXPECT_EQ(self->watches + 1, settle_watches(self->fd, self->watches + 1));
	/* Steps that are partly elsewhere. */
	ASSERT_EQ(0, mprotect(edge - page, page, PROT_READ | PROT_WRITE));
	ask_watch(&ask, REIN_WATCH_OWNED)->args.n_steps = 2;
	ask.args.steps = (uintptr_t)edge - sizeof(struct rein_watch_step);
	EXPECT_EQ(-EFAULT, watch_make(self->dev, &ask));
	/* What read() and write() are given. */
	SUCCEEDS(watch_beat(fd));
	EXPECT_EQ(-1, syscall(SYS_read, fd, 1, sizeof(struct rein_watch_state)));
	EXPECT_EQ(EFAULT, errno);
	close(fd);
	munmap(edge - page, 2 * page);
}

/* --- beats in time ------------------------------------------------------------------------- */

/* No beat at all: a record as soon as the cycle is over, and not before. */
TEST_F_TIMEOUT(watch, found_without_a_beat, TIMEOUT)
{
	static const uint64_t cycles[] = { 5 * MS, 20 * MS, 100 * MS, 300 * MS };
	struct rein_watch_state state;
	struct watch_record expired;
	uint64_t id, from, to;
	unsigned int i;
	int fd;

	for (i = 0; i < 12; i++) {
		uint64_t cycle = cycles[i % 4];

		fd = SUCCEEDS(watch_new(self->dev, 0, cycle));
		id = said.id;
		from = now_ns();
		SUCCEEDS(watch_arm(fd));
		to = now_ns();
		memset(&state, 0, sizeof(state));
		COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
		EXPECT_EQ(REIN_WATCH_EXPIRED, state.status);
		EXPECT_EQ(1, state.count[REIN_COUNT_MISS]);
		EXPECT_EQ(1, state.misses);
		EXPECT_EQ(0, state.last_ns);
		FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + cycle, to + cycle,
		      &self->gaps);
		/* That it has expired is another record, which names this one. */
		ASSERT_TRUE(wait_watch_records(self->fd, WATCH_EXPIRED, id, 1, &expired));
		EXPECT_EQ(state.record, expired.cause);
		EXPECT_EQ(1, expired.n);
		close(fd);
	}
}

/* The same after beats, which keep it alive for many times as long. */
TEST_F_TIMEOUT(watch, found_after_the_last_beat, TIMEOUT)
{
	const uint64_t cycle = is_debug() ? 2 * SECOND : 200 * MS;
	int fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_ARM, cycle));
	uint64_t end = now_ns() + 6 * cycle, from, to = now_ns(), longest = 0, n = 0;
	struct rein_watch_state state;

	memset(&state, 0, sizeof(state));
	while (now_ns() < end) {
		from = now_ns();
		/* One way or the other. */
		if (n++ % 2)
			SUCCEEDS(watch_beat(fd));
		else
			ASSERT_LT(0, write(fd, "", 1));
		/* As it may have been seen: from before the one before to after this one. */
		if (now_ns() - to > longest)
			longest = now_ns() - to;
		to = from;
		/* Beats are to come at intervals. */
		usleep(5000);
	}
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_BEAT, n);
	EXPECT_EQ(n, state.count[REIN_COUNT_BEAT]);
	if (longest < cycle) {
		EXPECT_EQ(0, state.count[REIN_COUNT_MISS]) {
			TH_LOG("a false alarm: the longest time without a beat was %llu us; " AGAIN,
			       (unsigned long long)longest / 1000);
		}
	} else {
		TH_LOG("this machine stood still for %llu us", (unsigned long long)longest / 1000);
	}
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	EXPECT_LE(state.last_ns, to);
	if (longest < cycle)
		FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, state.last_ns + cycle,
		      state.last_ns + cycle, &self->gaps);
	close(fd);
}

TEST_F_TIMEOUT(watch, some_misses_are_put_up_with, TIMEOUT)
{
	const uint64_t cycle = is_debug() ? SECOND : 200 * MS;
	struct rein_watch_state state;
	uint64_t from, to;
	struct watch_ask ask;
	int fd;

	watch_every(ask_watch(&ask, REIN_WATCH_OWNED), cycle, 2);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	memset(&state, 0, sizeof(state));
	from = now_ns();
	SUCCEEDS(watch_arm(fd));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_MISS, 1);
	EXPECT_EQ(REIN_WATCH_RUNNING, state.status);
	EXPECT_EQ(1, state.misses);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + cycle, to + cycle, &self->gaps);
	/* A beat ends the row. */
	from = now_ns();
	SUCCEEDS(watch_beat(fd));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_BEAT, 1);
	EXPECT_EQ(0, state.misses);
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	EXPECT_EQ(4, state.count[REIN_COUNT_MISS]);
	EXPECT_EQ(3, state.misses);
	EXPECT_EQ(REIN_WATCH_EXPIRED, state.status);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + 3 * cycle, to + 3 * cycle,
	      &self->gaps);
	close(fd);
}

TEST_F_TIMEOUT(watch, grace, TIMEOUT)
{
	struct rein_watch_state state;
	uint64_t from, to, cycle = 50 * MS, grace = 400 * MS;
	struct watch_ask ask;
	int fd;

	watch_every(ask_watch(&ask, REIN_WATCH_OWNED), cycle, 0)->args.rules.grace_ns = grace;
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	memset(&state, 0, sizeof(state));
	from = now_ns();
	SUCCEEDS(watch_arm(fd));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + grace, to + grace, &self->gaps);
	/* It is that of the first cycle only. */
	SUCCEEDS(watch_arm(fd));
	from = now_ns();
	SUCCEEDS(watch_beat(fd));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_EXPIRE, 2);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + cycle, to + cycle, &self->gaps);
	/* Another grace, this once. */
	from = now_ns();
	SUCCEEDS(watch_arm_as(fd, REIN_ARM_GRACE, 0, grace / 2));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_EXPIRE, 3);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + grace / 2, to + grace / 2,
	      &self->gaps);
	from = now_ns();
	SUCCEEDS(watch_arm(fd));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_EXPIRE, 4);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + grace, to + grace, &self->gaps);
	close(fd);
	/* Another cycle, from then on. */
	fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_ARM, HOUR));
	from = now_ns();
	SUCCEEDS(watch_arm_as(fd, REIN_ARM_EVERY, 2 * cycle, 0));
	to = now_ns();
	memset(&state, 0, sizeof(state));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + 2 * cycle, to + 2 * cycle,
	      &self->gaps);
	from = now_ns();
	SUCCEEDS(watch_arm(fd));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_EXPIRE, 2);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + 2 * cycle, to + 2 * cycle,
	      &self->gaps);
	close(fd);
}

/* Cycles that begin where the one before ends, as there are a least and a most. */
static int make_windowed(int dev, uint64_t cycle, uint32_t min, uint32_t max)
{
	struct watch_ask ask;

	watch_every(ask_watch(&ask, REIN_WATCH_OWNED), cycle, 0);
	ask.args.rules.min = min;
	ask.args.rules.max = max;
	return watch_make(dev, &ask);
}

TEST_F_TIMEOUT(watch, so_many_beats_in_a_cycle, TIMEOUT)
{
	static const struct {
		uint32_t min, max, beats, fault, code, cycles;
	} cases[] = {
		{ 3, 5, 0, REIN_FAULT_SILENT, WATCH_SILENT, 1 },
		{ 3, 5, 2, REIN_FAULT_SILENT, WATCH_SILENT, 1 },
		/* A cycle that is good, and one without a beat. */
		{ 3, 5, 3, REIN_FAULT_SILENT, WATCH_SILENT, 2 },
		{ 3, 5, 5, REIN_FAULT_SILENT, WATCH_SILENT, 2 },
		{ 3, 5, 6, REIN_FAULT_MANY, WATCH_MANY, 1 },
		{ 0, 2, 3, REIN_FAULT_MANY, WATCH_MANY, 1 },
		{ 1, 1, 2, REIN_FAULT_MANY, WATCH_MANY, 1 },
		{ 2, 0, 1, REIN_FAULT_SILENT, WATCH_SILENT, 1 },
		{ 2, 0, 90, REIN_FAULT_SILENT, WATCH_SILENT, 2 },
	};
	const uint64_t cycle = is_debug() ? SECOND : 250 * MS;
	struct rein_watch_state state;
	uint64_t from, to;
	unsigned int i, n;
	int fd;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fd = SUCCEEDS(make_windowed(self->dev, cycle, cases[i].min, cases[i].max));
		from = now_ns();
		SUCCEEDS(watch_arm(fd));
		to = now_ns();
		for (n = 0; n < cases[i].beats; n++)
			SUCCEEDS(watch_beat(fd));
		if (now_ns() >= from + cycle) {
			TH_LOG("this machine stood still");
			close(fd);
			i--;
			continue;
		}
		memset(&state, 0, sizeof(state));
		COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
		FOUND(&state, cases[i].fault, (int)cases[i].code, from + cases[i].cycles * cycle,
		      to + cases[i].cycles * cycle, &self->gaps);
		EXPECT_EQ(1, state.count[REIN_COUNT_MISS]) {
			TH_LOG("case %u; " AGAIN, i);
		}
		close(fd);
	}
}

/* Nothing is too few where none are needed: three cycles are waited for, as nothing tells. */
TEST_F_TIMEOUT(watch, cycles_that_need_no_beat, TIMEOUT)
{
	const uint64_t cycle = 50 * MS;
	int fd = SUCCEEDS(make_windowed(self->dev, cycle, 0, 2));
	struct rein_watch_state state;
	struct watch_view view;
	uint64_t id = said.id;

	SUCCEEDS(watch_arm(fd));
	EXPECT_EQ(0, scope_events(fd, POLLIN, 3 * cycle / MS));
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_EQ(REIN_WATCH_RUNNING, view.status);
	EXPECT_EQ(0, view.faults);
	memset(&state, 0, sizeof(state));
	/* Twelve in one or two cycles. */
	while (view.beats < 12 && !watch_beat(fd))
		view.beats++;
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	EXPECT_EQ(REIN_FAULT_MANY, state.fault);
	close(fd);
}

/* --- units of work ------------------------------------------------------------------------- */

static int make_units(int dev, uint32_t flags, uint64_t min_ns, uint64_t max_ns)
{
	struct watch_ask ask;

	return watch_make(dev, watch_units(ask_watch(&ask, REIN_WATCH_OWNED | flags), min_ns,
					   max_ns));
}

/* The record of a fault, or netlink, says what is worked on. */
#define NAMES_UNIT(state, unit_) do {							\
	struct watch_record record_;							\
											\
	ASSERT_EQ(0, read_watch_record(self->fd, (state)->record, &record_));		\
	EXPECT_NE(NULL, strstr(record_.message, unit_)) {				\
		TH_LOG("%s is not in: %s; " AGAIN, unit_, record_.message);		\
	}										\
} while (0)

TEST_F_TIMEOUT(watch, a_unit_lasts_too_long, TIMEOUT)
{
	const uint64_t most = 100 * MS;
	int fd = SUCCEEDS(make_units(self->dev, REIN_WATCH_ARM, 0, most));
	struct rein_watch_state state;
	uint64_t id = said.id, from, to;
	struct watch_view view;

	memset(&state, 0, sizeof(state));
	from = now_ns();
	SUCCEEDS(watch_begin(fd, "unit 4711", 0));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_BEGIN, 1);
	EXPECT_STREQ("unit 4711", state.unit);
	EXPECT_LE(from, state.unit_ns);
	EXPECT_GE(to, state.unit_ns);
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_STREQ("unit 4711", view.unit);
	EXPECT_EQ(1, view.begins);
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	FOUND(&state, REIN_FAULT_LATE, WATCH_LATE, from + most, to + most, &self->gaps);
	NAMES_UNIT(&state, "unit 4711");
	/* It is under way still. */
	EXPECT_STREQ("unit 4711", state.unit);
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_STREQ("unit 4711", view.unit);
	EXPECT_EQ(REIN_FAULT_LATE, view.fault);
	EXPECT_LE(most, view.unit_ns);
	SUCCEEDS(watch_finish(fd, "unit 4711"));
	FAILS(ENOENT, WATCH_UNIT, watch_finish(fd, "unit 4711"));
	COMES(fd, &state, REIN_COUNT_END, 1);
	EXPECT_STREQ("", state.unit);
	EXPECT_EQ(0, state.unit_ns);
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_FALSE(watch_has(&view, REIN_A_WATCH_UNIT));
	EXPECT_EQ(1, view.ends);
	close(fd);
}

TEST_F_TIMEOUT(watch, a_unit_is_over_too_soon, TIMEOUT)
{
	int fd = SUCCEEDS(make_units(self->dev, REIN_WATCH_ARM, HOUR, 2 * HOUR));
	struct rein_watch_state state;

	memset(&state, 0, sizeof(state));
	SUCCEEDS(watch_begin(fd, "hasty", 0));
	SUCCEEDS(watch_finish(fd, "hasty"));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	EXPECT_EQ(REIN_FAULT_EARLY, state.fault);
	NAMES_UNIT(&state, "hasty");
	/* So is one that another one begins in the middle of. */
	SUCCEEDS(watch_arm(fd));
	SUCCEEDS(watch_begin(fd, "one", 0));
	SUCCEEDS(watch_begin(fd, "two", 0));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 2);
	EXPECT_EQ(REIN_FAULT_EARLY, state.fault);
	NAMES_UNIT(&state, "one");
	EXPECT_STREQ("two", state.unit);
	FAILS(ENOENT, WATCH_UNIT, watch_finish(fd, "one"));
	close(fd);
}

TEST_F_TIMEOUT(watch, a_deadline_of_one_unit, TIMEOUT)
{
	struct rein_watch_state state;
	uint64_t from, to;
	int fd, i;

	/* Sooner than the rules say, or where these say nothing. */
	for (i = 0; i < 2; i++) {
		fd = SUCCEEDS(make_units(self->dev, REIN_WATCH_ARM, 0, i ? HOUR : 0));
		memset(&state, 0, sizeof(state));
		from = now_ns();
		SUCCEEDS(watch_begin(fd, "urgent", 60 * MS));
		to = now_ns();
		COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
		FOUND(&state, REIN_FAULT_LATE, WATCH_LATE, from + 60 * MS, to + 60 * MS,
		      &self->gaps);
		NAMES_UNIT(&state, "urgent");
		/* It was that one's. */
		SUCCEEDS(watch_arm(fd));
		SUCCEEDS(watch_begin(fd, "not urgent", 0));
		/* A while in which nothing is to be missed: twice as long. */
		while (scope_events(fd, POLLIN, 120) & POLLIN)
			ASSERT_TRUE(watch_read(fd, &state));
		EXPECT_EQ(1, state.count[REIN_COUNT_EXPIRE]);
		SUCCEEDS(watch_finish(fd, "not urgent"));
		close(fd);
	}
	/* Later than the rules say: these count. */
	fd = SUCCEEDS(make_units(self->dev, REIN_WATCH_ARM, 0, 60 * MS));
	memset(&state, 0, sizeof(state));
	from = now_ns();
	SUCCEEDS(watch_begin(fd, "slow", HOUR));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	FOUND(&state, REIN_FAULT_LATE, WATCH_LATE, from + 60 * MS, to + 60 * MS, &self->gaps);
	close(fd);
}

/* In time: a row of faults ends, where there are no cycles. */
TEST_F(watch, units_in_time)
{
	struct rein_watch_state state;
	struct watch_ask ask;
	unsigned int i;
	int fd;

	watch_units(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM), 0, HOUR)->args.rules.miss =
		1;
	ask.args.rules.first = 1;
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	memset(&state, 0, sizeof(state));
	for (i = 0; i < 10; i++) {
		/* One that is not the first. */
		SUCCEEDS(watch_checkpoint(fd, 3));
		SUCCEEDS(watch_begin(fd, "in time", 0));
		SUCCEEDS(watch_finish(fd, "in time"));
	}
	COMES(fd, &state, REIN_COUNT_END, 10);
	COMES(fd, &state, REIN_COUNT_MISS, 10);
	EXPECT_EQ(REIN_WATCH_RUNNING, state.status);
	EXPECT_EQ(10, state.count[REIN_COUNT_MISS]);
	EXPECT_EQ(0, state.misses);
	/* The beginnings are beats, and so are the checkpoints; the ends aren't. */
	EXPECT_EQ(20, state.count[REIN_COUNT_BEAT]);
	close(fd);
}

/* --- checkpoints --------------------------------------------------------------------------- */

TEST_F(watch, checkpoints)
{
	static const struct {
		uint32_t path[6];
		unsigned int n;
		bool good;
	} cases[] = {
		{ { 0, 1, 2, 0, 1, 1 }, 6, true },
		{ { 15, 0 }, 2, true },
		{ { 1 }, 1, false },
		{ { 0, 2 }, 2, false },
		{ { 0, 1, 0 }, 3, false },
		{ { 0, 0 }, 2, false },
		{ { 15, 15 }, 2, false },
	};
	struct rein_watch_state state;
	struct watch_record record;
	struct watch_ask ask;
	unsigned int i, n;
	uint64_t id;
	int fd;

	ask_watch(&ask, REIN_WATCH_OWNED);
	ask.args.rules.first = 1 << 0 | 1 << 15;
	ask.args.rules.next[0] = 1 << 1;
	ask.args.rules.next[1] = 1 << 1 | 1 << 2;
	ask.args.rules.next[2] = 1 << 0;
	ask.args.rules.next[15] = 1 << 0;
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	memset(&state, 0, sizeof(state));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t misses = state.count[REIN_COUNT_MISS];
		uint64_t beats = state.count[REIN_COUNT_BEAT];

		SUCCEEDS(watch_arm(fd));
		for (n = 0; n < cases[i].n; n++)
			SUCCEEDS(watch_checkpoint(fd, cases[i].path[n]));
		COMES(fd, &state, REIN_COUNT_BEAT, beats + n);
		if (!cases[i].good)
			COMES(fd, &state, REIN_COUNT_MISS, misses + 1);
		EXPECT_EQ(misses + !cases[i].good, state.count[REIN_COUNT_MISS]) {
			TH_LOG("case %u; " AGAIN, i);
		}
		EXPECT_EQ(cases[i].good ? REIN_WATCH_RUNNING : REIN_WATCH_EXPIRED, state.status);
		if (cases[i].good)
			continue;
		EXPECT_EQ(REIN_FAULT_ORDER, state.fault);
		ASSERT_EQ(0, read_watch_record(self->fd, state.record, &record));
		EXPECT_EQ(WATCH_ORDER, (int)record.code);
		EXPECT_EQ(id, record.watch_id);
	}
	close(fd);
	/* Without an order any will do. */
	fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_ARM, HOUR));
	memset(&state, 0, sizeof(state));
	for (i = REIN_CHECKPOINTS; i; i--)
		SUCCEEDS(watch_checkpoint(fd, i - 1));
	COMES(fd, &state, REIN_COUNT_BEAT, REIN_CHECKPOINTS);
	EXPECT_EQ(0, state.count[REIN_COUNT_MISS]);
	close(fd);
}

/* --- what faults leave behind ----------------------------------------------------------------- */

#define FAULTS		200

/* A checkpoint out of order, and one in order, after which the row of faults is over. */
static int fail_in_order(int fd)
{
	return watch_checkpoint(fd, 3) ?: watch_checkpoint(fd, 0);
}

static struct watch_ask *watch_path(struct watch_ask *ask, uint32_t miss)
{
	ask->args.rules.miss = miss;
	ask->args.rules.first = 1 << 0;
	ask->args.rules.next[0] = 1 << 0;
	ask->args.rules.next[3] = 1 << 0;
	return ask;
}

/* What is raised is stored, or counted elsewhere. */
static bool books_add_up(int fd)
{
	return stat_number(fd, REIN_A_STAT_RECORDS_RAISED) ==
	       stat_number(fd, REIN_A_STAT_RECORDS_STORED) +
	       stat_number(fd, REIN_A_STAT_RECORDS_FOLDED) +
	       stat_number(fd, REIN_A_STAT_RECORDS_OVERWRITTEN) +
	       stat_number(fd, REIN_A_STAT_RECORDS_SUPPRESSED);
}

/* One at a time: of each the record is the same, and says what there is of the last. */
TEST_F_TIMEOUT(watch, faults_fold, TIMEOUT)
{
	uint64_t folded = stat_number(self->fd, REIN_A_STAT_RECORDS_FOLDED), id, first = 0;
	struct watch_record record, expired;
	struct rein_watch_state state;
	struct watch_ask ask;
	unsigned int i;
	int fd;

	fd = SUCCEEDS(watch_make(self->dev, watch_path(ask_watch(&ask, REIN_WATCH_OWNED |
								 REIN_WATCH_ARM), 1)));
	id = said.id;
	memset(&state, 0, sizeof(state));
	for (i = 1; i <= FAULTS; i++) {
		SUCCEEDS(fail_in_order(fd));
		COMES(fd, &state, REIN_COUNT_MISS, i);
		ASSERT_EQ(first ?: state.record, state.record) {
			TH_LOG("fault %u has a record of its own; " AGAIN, i);
		}
		first = state.record;
	}
	ASSERT_TRUE(find_watch_record(self->fd, WATCH_ORDER, id, &record));
	EXPECT_EQ(1, record.n);
	EXPECT_EQ(first, record.id);
	EXPECT_EQ(FAULTS, record.count);
	EXPECT_NE(NULL, strstr(record.message, "3 after 0")) {
		TH_LOG("it says: %s; " AGAIN, record.message);
	}
	EXPECT_EQ(folded + FAULTS - 1, stat_number(self->fd, REIN_A_STAT_RECORDS_FOLDED));
	EXPECT_TRUE(books_add_up(self->fd));
	/* What it expires of is told apart, as what is the cause. */
	SUCCEEDS(watch_checkpoint(fd, 3));
	SUCCEEDS(watch_checkpoint(fd, 3));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	EXPECT_EQ(FAULTS + 2, state.count[REIN_COUNT_MISS]);
	EXPECT_NE(first, state.record);
	ASSERT_TRUE(wait_watch_records(self->fd, WATCH_EXPIRED, id, 1, &expired));
	EXPECT_EQ(state.record, expired.cause);
	ASSERT_EQ(0, read_watch_record(self->fd, state.record, &record));
	EXPECT_EQ(1, record.count);
	EXPECT_NE(NULL, strstr(record.message, "3 after 3"));
	ASSERT_EQ(0, read_watch_record(self->fd, first, &record));
	EXPECT_EQ(FAULTS + 1, record.count);
	/* And what there is once it is armed anew. */
	SUCCEEDS(watch_arm(fd));
	SUCCEEDS(fail_in_order(fd));
	COMES(fd, &state, REIN_COUNT_MISS, FAULTS + 3);
	EXPECT_LT(expired.id, state.record);
	close(fd);
}

/* So do those of several kinds that come faster than they are told, each into its own. */
TEST_F_TIMEOUT(watch, faults_of_each_kind_fold, TIMEOUT)
{
	struct rein_watch_state state;
	struct watch_record record;
	struct watch_ask ask;
	unsigned int i;
	uint64_t id;
	int fd;

	watch_path(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM), 2);
	fd = SUCCEEDS(watch_make(self->dev, watch_units(&ask, HOUR, 2 * HOUR)));
	id = said.id;
	for (i = 0; i < FAULTS; i++) {
		SUCCEEDS(watch_begin(fd, "hasty", 0));
		SUCCEEDS(watch_finish(fd, "hasty"));
		SUCCEEDS(fail_in_order(fd));
	}
	memset(&state, 0, sizeof(state));
	COMES(fd, &state, REIN_COUNT_MISS, 2 * FAULTS);
	EXPECT_EQ(REIN_WATCH_RUNNING, state.status);
	ASSERT_TRUE(find_watch_record(self->fd, WATCH_ORDER, id, &record));
	EXPECT_EQ(1, record.n);
	EXPECT_EQ(FAULTS, record.count);
	ASSERT_TRUE(find_watch_record(self->fd, WATCH_EARLY, id, &record));
	EXPECT_EQ(1, record.n);
	EXPECT_EQ(FAULTS, record.count);
	EXPECT_TRUE(books_add_up(self->fd));
	close(fd);
}

/* Nor do those who are about to expire, each time, and beat then. */
TEST_F_TIMEOUT(watch, warnings_fold, TIMEOUT)
{
	const unsigned int n = 10;
	struct watch_record record;
	struct watch_event event;
	struct watch_ask ask;
	int ear = listen_to_watches(), fd;
	unsigned int warned = 0;
	uint64_t id;

	ASSERT_LE(0, ear);
	watch_every(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM), 10 * SECOND, 0);
	ask.args.rules.pretimeout_ns = 10 * SECOND - 20 * MS;
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	while (warned < n) {
		hear_watch(ear, 0, &event);
		ASSERT_EQ(0, event.err);
		if (event.watch.event != REIN_WATCH_EVENT_WARNED)
			continue;
		warned++;
		SUCCEEDS(watch_beat(fd));
	}
	ASSERT_TRUE(find_watch_record(self->fd, WATCH_WARNED, id, &record));
	EXPECT_EQ(1, record.n);
	EXPECT_LE(n, record.count);
	close(fd);
	close(ear);
}

/* --- the token ----------------------------------------------------------------------------- */

TEST_F_TIMEOUT(watch, a_blind_loop_does_not_count, TIMEOUT)
{
	const uint64_t cycle = is_debug() ? SECOND : 200 * MS;
	int fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_TOKEN | REIN_WATCH_ARM, cycle));
	uint64_t token, next, from, id = said.id;
	struct rein_watch_state state;
	struct watch_view view;
	unsigned int i;

	/* The first one is read. */
	memset(&state, 0, sizeof(state));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	token = state.token;
	SUCCEEDS(watch_arm_as(fd, REIN_ARM_EVERY, HOUR, 0));
	FAILS(EKEYREJECTED, WATCH_TOKEN, watch_beat_as(fd, REIN_BEAT, 0, "", 0, token + 1, NULL));
	for (i = 0; i < 20; i++) {
		SUCCEEDS(watch_beat_as(fd, REIN_BEAT, 0, "", 0, token, &next));
		EXPECT_NE(token, next);
		/* The old one is worth nothing. */
		FAILS(EKEYREJECTED, WATCH_TOKEN, watch_beat_as(fd, REIN_BEAT, 0, "", 0, token,
							       NULL));
		token = next;
	}
	COMES(fd, &state, REIN_COUNT_BEAT, 20);
	EXPECT_EQ(20, state.count[REIN_COUNT_BEAT]);
	EXPECT_EQ(token, state.token);
	/* write() carries it, too; and nothing else will do. */
	EXPECT_EQ(sizeof(token), write(fd, &token, sizeof(token)));
	EXPECT_EQ(-1, write(fd, &token, sizeof(token)));
	EXPECT_EQ(EKEYREJECTED, errno);
	COMES(fd, &state, REIN_COUNT_BEAT, 21);
	token = state.token;
	EXPECT_EQ(-1, write(fd, &token, 1));
	/* Who has it may begin a unit, or say where he is. */
	SUCCEEDS(watch_beat_as(fd, REIN_BEAT_BEGIN, 0, "a", 0, token, &token));
	SUCCEEDS(watch_beat_as(fd, REIN_BEAT_CHECKPOINT, 1, "", 0, token, &token));
	/* Netlink doesn't tell it; and a loop that beats blindly is as good as dead. */
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_EQ(23, view.beats);
	COMES(fd, &state, REIN_COUNT_BEAT, 23);
	token = state.token + 1;
	from = now_ns();
	SUCCEEDS(watch_arm_as(fd, REIN_ARM_EVERY, cycle, 0));
	while (!(scope_events(fd, POLLIN, 5) & POLLIN) && now_ns() < from + LONG) {
		EXPECT_EQ(-1, write(fd, &token, sizeof(token))) {
			TH_LOG(AGAIN);
		}
	}
	COMES(fd, &state, REIN_COUNT_EXPIRE, 2);
	EXPECT_LE(from + cycle, now_ns());
	close(fd);
}

/* --- slots --------------------------------------------------------------------------------- */

static struct rein_watch_slot *slot_at(char *page, uint32_t offset)
{
	return (struct rein_watch_slot *)(page + offset);
}

TEST_F_TIMEOUT(watch, a_counter_beats, TIMEOUT)
{
	const uint64_t cycle = is_debug() ? SECOND : 200 * MS;
	int fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_SLOT, cycle));
	uint32_t offset = said.number;
	struct rein_watch_slot *slot;
	struct rein_watch_state state;
	char *page = map_slots(fd);

	ASSERT_NE(NULL, page);
	EXPECT_GE(sysconf(_SC_PAGESIZE) - sizeof(*slot), offset);
	EXPECT_EQ(0, offset % sizeof(*slot));
	slot = slot_at(page, offset);
	EXPECT_EQ(0, slot->beats);
	memset(&state, 0, sizeof(state));
	SUCCEEDS(watch_arm(fd));
	/* As many as it has grown by; anything else is one. */
	slot_beat(slot);
	COMES(fd, &state, REIN_COUNT_BEAT, 1);
	EXPECT_EQ(1, state.count[REIN_COUNT_BEAT]);
	SUCCEEDS(watch_arm(fd));
	__atomic_store_n(&slot->beats, 6, __ATOMIC_RELEASE);
	COMES(fd, &state, REIN_COUNT_BEAT, 6);
	EXPECT_EQ(6, state.count[REIN_COUNT_BEAT]);
	SUCCEEDS(watch_arm(fd));
	__atomic_store_n(&slot->beats, 2, __ATOMIC_RELEASE);
	COMES(fd, &state, REIN_COUNT_BEAT, 7);
	EXPECT_EQ(7, state.count[REIN_COUNT_BEAT]);
	/* It lives on it, for several cycles. */
	SUCCEEDS(watch_arm(fd));
	FALLS_SILENT(fd, &state, cycle, slot_beat(slot), &self->gaps);
	/* A store afterwards is a beat, too. */
	slot_beat(slot);
	COMES(fd, &state, REIN_COUNT_RESUME, 1);
	close(fd);
	/* What is mapped stays so, and is of no use. */
	slot_beat(slot);
	unmap_slots(page);
}

/* Nobody has looked at them yet: arming anew, and disarming, do. What comes later is not seen. */
TEST_F_TIMEOUT(watch, a_counter_beats_until_it_is_disarmed, TIMEOUT)
{
	int fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_SLOT, HOUR));
	uint32_t offset = said.number;
	struct rein_watch_state state;
	struct rein_watch_slot *slot;
	char *page = map_slots(fd);
	struct watch_view view;

	ASSERT_NE(NULL, page);
	slot = slot_at(page, offset);
	memset(&state, 0, sizeof(state));
	slot_beat(slot);
	SUCCEEDS(watch_arm(fd));
	__atomic_fetch_add(&slot->beats, 3, __ATOMIC_RELEASE);
	SUCCEEDS(watch_arm(fd));
	COMES(fd, &state, REIN_COUNT_BEAT, 3);
	EXPECT_EQ(3, state.count[REIN_COUNT_BEAT]);
	__atomic_fetch_add(&slot->beats, 2, __ATOMIC_RELEASE);
	SUCCEEDS(watch_disarm(fd));
	COMES(fd, &state, REIN_COUNT_BEAT, 5);
	slot_beat(slot);
	SUCCEEDS(watch_arm(fd));
	SUCCEEDS(watch_disarm(fd));
	ASSERT_EQ(0, read_watch(self->fd, state.id, &view));
	EXPECT_EQ(5, view.beats);
	unmap_slots(page);
	close(fd);
}

/* How many there were is told, also of those that were found only when the cycle was over. */
TEST_F_TIMEOUT(watch, a_counter_beats_too_often, TIMEOUT)
{
	struct rein_watch_state state;
	struct watch_record record;
	struct watch_ask ask;
	char *page;
	int fd;

	watch_every(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_SLOT), 200 * MS, 0);
	ask.args.rules.max = 2;
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	page = map_slots(fd);
	ASSERT_NE(NULL, page);
	SUCCEEDS(watch_arm(fd));
	__atomic_store_n(&slot_at(page, ask.args.slot)->beats, 7, __ATOMIC_RELEASE);
	memset(&state, 0, sizeof(state));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	EXPECT_EQ(REIN_FAULT_MANY, state.fault);
	ASSERT_EQ(0, read_watch_record(self->fd, state.record, &record));
	EXPECT_NE(NULL, strstr(record.message, ": 7, not 1 to 2")) {
		TH_LOG("its record: %s; " AGAIN, record.message);
	}
	unmap_slots(page);
	close(fd);
}

TEST_F_TIMEOUT(watch, a_stamp_beats, TIMEOUT)
{
	const uint64_t cycle = is_debug() ? SECOND : 200 * MS, step = cycle / 20;
	int fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_STAMP, cycle));
	uint32_t offset = said.number;
	struct rein_watch_state state;
	struct rein_watch_slot *slot;
	char *page = map_slots(fd);
	uint64_t from, to;

	ASSERT_NE(NULL, page);
	slot = slot_at(page, offset);
	memset(&state, 0, sizeof(state));
	SUCCEEDS(watch_arm(fd));
	from = now_ns();
	__atomic_store_n(&slot->stamp_ns, from, __ATOMIC_RELEASE);
	COMES(fd, &state, REIN_COUNT_BEAT, 1);
	EXPECT_EQ(from, state.last_ns);
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + cycle, from + cycle + step,
	      &self->gaps);
	EXPECT_EQ(1, state.count[REIN_COUNT_BEAT]);
	/* What lies in the future is as good as now, once: nobody lives on it. */
	SUCCEEDS(watch_arm(fd));
	from = now_ns();
	__atomic_store_n(&slot->stamp_ns, from + HOUR, __ATOMIC_RELEASE);
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_BEAT, 2);
	EXPECT_LE(from, state.last_ns);
	EXPECT_GE(now_ns(), state.last_ns);
	COMES(fd, &state, REIN_COUNT_EXPIRE, 2);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + cycle, to + cycle + step,
	      &self->gaps);
	EXPECT_EQ(2, state.count[REIN_COUNT_BEAT]);
	unmap_slots(page);
	close(fd);
}

/* All of one opening of the device share pages; no two watches a slot. */
TEST_F_TIMEOUT(watch, two_share_a_page, TIMEOUT)
{
	int a = SUCCEEDS(watch_new(self->dev, REIN_WATCH_SLOT | REIN_WATCH_ARM, 100 * MS)), b, c;
	uint32_t a_at = said.number, b_at, c_at;
	int other = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	struct rein_watch_state state;
	struct rein_watch_slot *slot;
	char *page, *others;
	uint64_t before;

	b = SUCCEEDS(watch_new(self->dev, REIN_WATCH_SLOT | REIN_WATCH_ARM, 100 * MS));
	b_at = said.number;
	ASSERT_LE(0, other);
	c = SUCCEEDS(watch_new(other, REIN_WATCH_SLOT | REIN_WATCH_ARM, 100 * MS));
	c_at = said.number;
	EXPECT_NE(a_at, b_at);
	page = map_slots(a);
	others = map_slots(c);
	ASSERT_NE(NULL, page);
	ASSERT_NE(NULL, others);
	SUCCEEDS(watch_arm_as(a, REIN_ARM_EVERY, HOUR, 0));
	SUCCEEDS(watch_arm_as(b, 0, 0, 0));
	before = slot_at(others, c_at)->beats;
	/* By the page of the first. */
	slot_beat(slot_at(page, b_at));
	memset(&state, 0, sizeof(state));
	COMES(b, &state, REIN_COUNT_BEAT, 1);
	EXPECT_FALSE(watch_read(a, &state) && state.count[REIN_COUNT_BEAT]);
	/* It stays what it is when that is over, until all are. */
	close(a);
	SUCCEEDS(watch_arm(b));
	memset(&state, 0, sizeof(state));
	slot_beat(slot_at(page, b_at));
	COMES(b, &state, REIN_COUNT_BEAT, 2);
	EXPECT_EQ(before, slot_at(others, c_at)->beats);
	/* A slot that is given again begins at 0. */
	a = SUCCEEDS(watch_new(self->dev, REIN_WATCH_SLOT | REIN_WATCH_ARM, HOUR));
	slot = slot_at(page, said.number);
	if (said.number != b_at)
		EXPECT_EQ(0, slot->beats);
	unmap_slots(others);
	unmap_slots(page);
	close_all((int[]){ a, b, c, other }, 4);
}

TEST_F(watch, what_can_not_be_mapped)
{
	const size_t size = sysconf(_SC_PAGESIZE);
	int with = SUCCEEDS(watch_new(self->dev, REIN_WATCH_SLOT, HOUR)), without, eye;
	uint64_t id = said.id;
	void *page;
	pid_t pid;

	without = SUCCEEDS(watch_new(self->dev, 0, HOUR));
	EXPECT_EQ(NULL, map_slots(without));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_SHARED, with, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, with, size));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, with,
				   1ULL << 40));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, with, 0));
	/* Who only observes it doesn't beat. */
	eye = SUCCEEDS(watch_look(self->dev, REIN_LOOK_OBSERVE, id));
	EXPECT_EQ(NULL, map_slots(eye));
	/* Another process may not, though it has the descriptor. */
	pid = fork();
	if (!pid)
		_exit(map_slots(with) ? 0 : errno);
	EXPECT_EQ(EACCES, wait_child(pid));
	page = map_slots(with);
	EXPECT_NE(NULL, page);
	unmap_slots(page);
	close_all((int[]){ with, without, eye }, 3);
	/* In a page there are others' slots: nobody has more than one page of one watch. */
	EXPECT_EQ(self->watches, settle_watches(self->fd, self->watches));
}

/* --- poll and read ------------------------------------------------------------------------- */

/* What was before anybody looks isn't lost. */
TEST_F(watch, latched)
{
	static const uint32_t begin = 1 << REIN_COUNT_BEGIN;
	struct rein_watch_state state;
	struct watch_ask ask;
	int fd, late;
	uint64_t id;

	fd = SUCCEEDS(watch_make(self->dev, watch_called(ask_watch(&ask, REIN_WATCH_OWNED),
							 "latched")));
	id = said.id;
	late = SUCCEEDS(watch_look_for(self->dev, REIN_LOOK_OBSERVE, begin, 0, "latched"));
	EXPECT_EQ(0, scope_events(late, POLLIN, 0));
	close(late);
	SUCCEEDS(watch_begin(fd, "before", 0));
	late = SUCCEEDS(watch_look_for(self->dev, REIN_LOOK_OBSERVE, begin, 0, "latched"));
	EXPECT_EQ(POLLIN, scope_events(late, POLLIN, 0));
	/* Beats are not what is waited for. */
	ASSERT_TRUE(watch_read(late, &state));
	EXPECT_EQ(id, state.id);
	EXPECT_EQ(1, state.count[REIN_COUNT_BEGIN]);
	EXPECT_STREQ("before", state.unit);
	EXPECT_EQ(0, scope_events(late, POLLIN, 0));
	SUCCEEDS(watch_beat(fd));
	SUCCEEDS(watch_finish(fd, "before"));
	EXPECT_EQ(0, scope_events(late, POLLIN, 0));
	/* Each has its own memory of what it has read. */
	ASSERT_TRUE(watch_read(fd, &state));
	EXPECT_FALSE(watch_read(fd, &state));
	SUCCEEDS(watch_begin(fd, "again", 0));
	EXPECT_EQ(POLLIN, scope_events(late, POLLIN, 0));
	/* Two of them are read at once. */
	SUCCEEDS(watch_begin(fd, "and again", 0));
	ASSERT_TRUE(watch_read(late, &state));
	EXPECT_EQ(3, state.count[REIN_COUNT_BEGIN]);
	EXPECT_EQ(0, scope_events(late, POLLIN, 0));
	close(late);
	close(fd);
}

TEST_F(watch, poll_and_read)
{
	int fd = SUCCEEDS(watch_new(self->dev, 0, HOUR));
	struct rein_watch_state state, again;
	char part[sizeof(state) + 16];
	size_t n;

	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(fd, &state, sizeof(state)));
	EXPECT_EQ(EAGAIN, errno);
	for (n = 1; n <= sizeof(part); n++) {
		size_t room = n < sizeof(state) ? n : sizeof(state);

		SUCCEEDS(watch_beat(fd));
		EXPECT_EQ(POLLIN, scope_events(fd, POLLIN | POLLPRI, 0) & (DONE | POLLPRI));
		memset(part, 0x55, sizeof(part));
		ASSERT_EQ(room, read(fd, part, n));
		if (n < sizeof(part))
			EXPECT_EQ(0x55, part[room]);
		memcpy(&state, part, sizeof(state));
		if (n >= sizeof(state))
			EXPECT_EQ(n, state.count[REIN_COUNT_BEAT]);
		/* It was read, if only in part. */
		EXPECT_EQ(-1, read(fd, &again, sizeof(again)));
		EXPECT_EQ(EAGAIN, errno);
	}
	EXPECT_EQ(0, state.reserved);
	close(fd);
}

struct reader {
	pthread_t thread;
	int fd;
	ssize_t got;
	int err;
	struct rein_watch_state state;
	pid_t tid;
};

static void *reader_run(void *arg)
{
	struct reader *reader = arg;

	__atomic_store_n(&reader->tid, gettid(), __ATOMIC_SEQ_CST);
	reader->got = read(reader->fd, &reader->state, sizeof(reader->state));
	reader->err = errno;
	return NULL;
}

TEST_F_TIMEOUT(watch, read_waits, TIMEOUT)
{
	struct sigaction action = { .sa_handler = no_action };
	int fd = SUCCEEDS(watch_new(self->dev, 0, HOUR));
	static struct reader readers[4];
	uint64_t id = said.id;
	size_t i;

	/* One wants beats, one that a unit ends, one waits until it is over; one is interrupted. */
	readers[0].fd = SUCCEEDS(watch_look_for(self->dev, 0, 1 << REIN_COUNT_BEAT, id, ""));
	readers[1].fd = SUCCEEDS(watch_look_for(self->dev, 0, 1 << REIN_COUNT_END, id, ""));
	readers[2].fd = SUCCEEDS(watch_look_for(self->dev, REIN_LOOK_OBSERVE,
						1 << REIN_COUNT_GONE, id, ""));
	readers[3].fd = SUCCEEDS(watch_look_for(self->dev, REIN_LOOK_OBSERVE,
						1 << REIN_COUNT_GONE, id, ""));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL, reader_run, &readers[i]));
		ASSERT_TRUE(wait_asleep(&readers[i].tid));
	}
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	pthread_kill(readers[3].thread, SIGUSR1);
	pthread_join(readers[3].thread, NULL);
	EXPECT_EQ(-1, readers[3].got);
	EXPECT_EQ(EINTR, readers[3].err);
	SUCCEEDS(watch_begin(fd, "it", 0));
	pthread_join(readers[0].thread, NULL);
	EXPECT_EQ(1, readers[0].state.count[REIN_COUNT_BEAT]);
	EXPECT_EQ(0, readers[0].state.count[REIN_COUNT_END]);
	SUCCEEDS(watch_finish(fd, "it"));
	pthread_join(readers[1].thread, NULL);
	EXPECT_EQ(1, readers[1].state.count[REIN_COUNT_END]);
	SUCCEEDS(watch_end(fd));
	pthread_join(readers[2].thread, NULL);
	EXPECT_EQ(sizeof(readers[2].state), readers[2].got);
	EXPECT_EQ(1, readers[2].state.count[REIN_COUNT_GONE]);
	EXPECT_EQ(REIN_WATCH_GONE, readers[2].state.status);
	for (i = 0; i < 4; i++)
		close(readers[i].fd);
	close(fd);
}

TEST_F(watch, epoll_of_several)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got;
	int epoll = epoll_create1(EPOLL_CLOEXEC), fds[10], i;

	for (i = 0; i < 10; i++) {
		fds[i] = SUCCEEDS(watch_new(self->dev, 0, HOUR));
		event.data.fd = fds[i];
		ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event));
	}
	EXPECT_EQ(0, epoll_wait(epoll, &got, 1, 0));
	close(fds[3]);
	SUCCEEDS(watch_beat(fds[7]));
	ASSERT_EQ(1, epoll_wait(epoll, &got, 1, LONG_MS));
	EXPECT_EQ(fds[7], got.data.fd);
	EXPECT_EQ(EPOLLIN, got.events);
	EXPECT_EQ(0, epoll_wait(epoll, &got, 1, 0));
	SUCCEEDS(watch_end(fds[5]));
	ASSERT_EQ(1, epoll_wait(epoll, &got, 1, LONG_MS));
	EXPECT_EQ(fds[5], got.data.fd);
	EXPECT_EQ(EPOLLIN | EPOLLHUP, got.events);
	for (i = 0; i < 10; i++)
		if (i != 3)
			close(fds[i]);
	close(epoll);
}

/* --- who has it ---------------------------------------------------------------------------- */

TEST_F(watch, who_has_a_copy)
{
	int fd = SUCCEEDS(watch_new(self->dev, 0, HOUR)), sockets[2], a;
	struct rein_watch_state state;
	pid_t pid;

	memset(&state, 0, sizeof(state));
	pid = fork();
	if (!pid)
		_exit(-watch_beat(fd));
	EXPECT_EQ(0, wait_child(pid));
	COMES(fd, &state, REIN_COUNT_BEAT, 1);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fd);
		a = receive_fd(sockets[1]);
		_exit(a < 0 ? 255 : -watch_beat(a));
	}
	ASSERT_TRUE(send_fd(sockets[0], fd));
	EXPECT_EQ(0, wait_child(pid));
	COMES(fd, &state, REIN_COUNT_BEAT, 2);
	EXPECT_EQ(REIN_WATCH_OFF, state.status);
	close_all((int[]){ fd, sockets[0], sockets[1] }, 3);
}

TEST_F(watch, owned_or_not)
{
	int fd = SUCCEEDS(watch_new(self->dev, 0, HOUR)), copy, eye, beater;
	uint64_t id = said.id;
	struct watch_view view;
	struct watch_ask ask;

	/* As long as there is an owner. */
	copy = SUCCEEDS(watch_look(self->dev, 0, id));
	eye = SUCCEEDS(watch_look(self->dev, REIN_LOOK_OBSERVE, id));
	beater = SUCCEEDS(watch_look(self->dev, REIN_LOOK_BEAT, id));
	close(fd);
	EXPECT_EQ(0, scope_events(eye, 0, 0));
	EXPECT_EQ(0, read_watch(self->fd, id, &view));
	close(copy);
	EXPECT_TRUE(watch_over(eye));
	EXPECT_TRUE(watch_over(beater));
	EXPECT_EQ(-ENOENT, read_watch(self->fd, id, &view));
	FAILS(EIDRM, WATCH_OVER, watch_beat(beater));
	close(eye);
	close(beater);
	/* The other kind stays, until somebody ends it or its subject. */
	fd = SUCCEEDS(watch_make(self->dev, watch_called(ask_watch(&ask, 0), "stays")));
	id = said.id;
	close(fd);
	EXPECT_EQ(self->watches + 1, settle_watches(self->fd, self->watches + 1));
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	fd = SUCCEEDS(watch_look_for(self->dev, 0, 0, 0, "stays"));
	SUCCEEDS(watch_beat(fd));
	SUCCEEDS(watch_end(fd));
	close(fd);
	FAILS(ENOENT, WATCH_UNKNOWN, watch_look_for(self->dev, 0, 0, 0, "stays"));
}

TEST_F(watch, ended)
{
	int fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_ARM, HOUR)), eye;
	struct rein_watch_state state;
	uint64_t id = said.id;
	struct watch_view view;

	eye = SUCCEEDS(watch_look(self->dev, REIN_LOOK_OBSERVE, id));
	SUCCEEDS(watch_end(fd));
	EXPECT_EQ(DONE, scope_events(eye, POLLIN, 0));
	ASSERT_TRUE(watch_read(eye, &state));
	EXPECT_EQ(REIN_WATCH_GONE, state.status);
	EXPECT_EQ(1, state.count[REIN_COUNT_GONE]);
	EXPECT_EQ(0, state.count[REIN_COUNT_MISS]);
	/* That it is over is said as often as it is asked. */
	EXPECT_EQ(POLLHUP, scope_events(eye, 0, 0));
	FAILS(EIDRM, WATCH_OVER, watch_end(fd));
	FAILS(EIDRM, WATCH_OVER, watch_beat(fd));
	FAILS(EIDRM, WATCH_OVER, watch_arm(fd));
	FAILS(EIDRM, WATCH_OVER, watch_test(fd, 0));
	EXPECT_EQ(-1, write(fd, "", 1));
	EXPECT_EQ(EIDRM, errno);
	FAILS(ENOENT, WATCH_UNKNOWN, watch_look(self->dev, 0, id));
	EXPECT_EQ(-ENOENT, read_watch(self->fd, id, &view));
	close(fd);
	close(eye);
}

/* --- to find it again ---------------------------------------------------------------------- */

TEST_F(watch, looked_for)
{
	struct watch_ask ask;
	int fd, a, b;
	uint64_t id;

	fd = SUCCEEDS(watch_make(self->dev, watch_called(ask_watch(&ask, REIN_WATCH_OWNED),
							 "find-me")));
	id = said.id;
	a = SUCCEEDS(watch_look(self->dev, 0, id));
	EXPECT_EQ(FD_CLOEXEC, fcntl(a, F_GETFD));
	SUCCEEDS(watch_arm(a));
	SUCCEEDS(watch_disarm(a));
	close(a);
	a = SUCCEEDS(watch_look_for(self->dev, REIN_LOOK_BEAT, 0, 0, "find-me"));
	SUCCEEDS(watch_beat(a));
	EXPECT_EQ(1, write(a, "", 1));
	FAILS(EPERM, WATCH_OBSERVER, watch_arm(a));
	FAILS(EPERM, WATCH_OBSERVER, watch_test(a, 0));
	FAILS(EPERM, WATCH_OBSERVER, watch_end(a));
	close(a);
	a = SUCCEEDS(watch_look(self->dev, REIN_LOOK_OBSERVE, id));
	FAILS(EPERM, WATCH_OBSERVER, watch_beat(a));
	FAILS(EPERM, WATCH_OBSERVER, watch_arm(a));
	FAILS(EPERM, WATCH_OBSERVER, watch_end(a));
	EXPECT_EQ(-1, write(a, "", 1));
	EXPECT_EQ(EPERM, errno);
	close(a);
	FAILS(ENOENT, WATCH_UNKNOWN, watch_look(self->dev, 0, id + 1000000));
	FAILS(ENOENT, WATCH_UNKNOWN, watch_look(self->dev, 0, UINT64_MAX));
	FAILS(ENOENT, WATCH_UNKNOWN, watch_look_for(self->dev, 0, 0, 0, "nobody"));
	b = SUCCEEDS(watch_make(self->dev, watch_called(ask_watch(&ask, REIN_WATCH_OWNED),
							"find-me")));
	FAILS(ENOTUNIQ, WATCH_AMBIGUOUS, watch_look_for(self->dev, 0, 0, 0, "find-me"));
	close(b);
	a = SUCCEEDS(watch_look_for(self->dev, 0, 0, 0, "find-me"));
	close(a);
	close(fd);
	FAILS(ENOENT, WATCH_UNKNOWN, watch_look_for(self->dev, 0, 0, 0, "find-me"));
}

/* What nobody may do with the watch of root, which is kept over root's process. */
static void look_as_nobody(int dev, uint64_t id, struct report *report)
{
	int netlink = genl_socket();
	struct watch_view view;
	struct watch_ask ask;

	note(report, 0, watch_look(dev, 0, id));
	note(report, 1, watch_look(dev, REIN_LOOK_OBSERVE, id));
	note(report, 2, watch_look(dev, REIN_LOOK_BEAT, id));
	note(report, 3, watch_make(dev, watch_pid(ask_watch(&ask, REIN_WATCH_OWNED), getppid())));
	/* Nor does netlink tell of others'. */
	report->ret[4] = read_watch(netlink, id, &view);
	report->ret[5] = read_watches(netlink, "not-yours", &view) ?: (int)view.n;
	note(report, 6, watch_make(dev, watch_called(ask_watch(&ask, REIN_WATCH_OWNED),
						     "theirs")));
	report->ret[7] = read_watch(netlink, said.id, &view);
}

TEST_F(watch, looked_for_by_others)
{
	struct report *report = new_report();
	struct watch_ask ask;
	uint64_t id;
	pid_t pid;
	int fd;

	fd = SUCCEEDS(watch_make(self->dev, watch_called(ask_watch(&ask, REIN_WATCH_OWNED),
							 "not-yours")));
	id = said.id;
	pid = fork();
	if (!pid) {
		if (!become_nobody())
			_exit(1);
		look_as_nobody(self->dev, id, report);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	FAILS(EACCES, WATCH_DENIED, noted(report, 0));
	FAILS(EACCES, WATCH_DENIED, noted(report, 1));
	FAILS(EACCES, WATCH_DENIED, noted(report, 2));
	FAILS(EPERM, WATCH_FORBIDDEN, noted(report, 3));
	EXPECT_GT(0, report->ret[4]);
	EXPECT_EQ(0, report->ret[5]);
	EXPECT_LE(0, report->ret[6]);
	EXPECT_EQ(0, report->ret[7]);
	close(fd);
	munmap(report, sizeof(*report));
}

/**
 * struct inmate - who is watched over, and what he may
 * @dev:	the device
 * @id:		of the watch
 * @go:		a pipe: once there is one
 * @report:	what he was told
 */
struct inmate {
	int dev;
	uint64_t id;
	int go[2];
	struct report *report;
};

static void act_inmate(void *arg)
{
	struct inmate *inmate = arg;
	struct watch_view view;
	int netlink, fd;

	if (!become_nobody() || read(inmate->go[0], &inmate->id, 8) != 8)
		_exit(1);
	note(inmate->report, 0, watch_look(inmate->dev, 0, inmate->id));
	fd = watch_look(inmate->dev, REIN_LOOK_BEAT, inmate->id);
	note(inmate->report, 1, fd);
	note(inmate->report, 2, watch_beat(fd));
	note(inmate->report, 3, watch_arm(fd));
	fd = watch_look(inmate->dev, REIN_LOOK_OBSERVE, inmate->id);
	note(inmate->report, 4, fd);
	note(inmate->report, 5, watch_beat(fd));
	netlink = genl_socket();
	inmate->report->ret[6] = read_watch(netlink, inmate->id, &view);
}

/* Whoever is the process, or in the cgroup, may look and beat, whoever has made the watch. */
TEST_F(watch, looked_for_from_inside)
{
	struct inmate inmate = { .dev = self->dev };
	struct rein_watch_state state;
	int fd, dir = -1, i;
	struct watch_ask ask;
	pid_t pid;

	ASSERT_EQ(0, pipe2(inmate.go, O_CLOEXEC));
	for (i = 0; i < 2; i++) {
		inmate.report = new_report();
		dir = make_cgroup(CGROOT "/test-watch");
		ASSERT_LE(0, dir);
		pid = run_inside(CGROOT "/test-watch", act_inmate, &inmate);
		ask_watch(&ask, REIN_WATCH_OWNED);
		fd = SUCCEEDS(watch_make(self->dev, i ? watch_cgroup(&ask, dir, REIN_NO_FD) :
						    watch_pid(&ask, pid)));
		ASSERT_EQ(8, write(inmate.go[1], &said.id, 8));
		EXPECT_EQ(0, wait_child(pid));
		FAILS(EACCES, WATCH_DENIED, noted(inmate.report, 0));
		EXPECT_LE(0, noted(inmate.report, 1));
		EXPECT_EQ(0, noted(inmate.report, 2));
		FAILS(EPERM, WATCH_OBSERVER, noted(inmate.report, 3));
		EXPECT_LE(0, noted(inmate.report, 4));
		FAILS(EPERM, WATCH_OBSERVER, noted(inmate.report, 5));
		EXPECT_EQ(0, inmate.report->ret[6]);
		memset(&state, 0, sizeof(state));
		COMES(fd, &state, REIN_COUNT_BEAT, 1);
		munmap(inmate.report, sizeof(*inmate.report));
		close(fd);
		close(dir);
		EXPECT_EQ(0, rmdir(CGROOT "/test-watch"));
	}
	close_all(inmate.go, 2);
}

/* --- containers ---------------------------------------------------------------------------- */

/* As the first process of a PID namespace: what may be kept over it from inside? */
static void watch_from_inside(int dev, uint64_t id, struct report *report)
{
	struct watch_view view;
	struct watch_ask ask;
	pid_t pid;
	int netlink;

	netlink = genl_socket();
	note(report, 0, watch_look(dev, REIN_LOOK_OBSERVE, id));
	report->ret[1] = genl_resolve(netlink) ?: read_watch(netlink, id, &view);
	/* Another one in there, about the first. */
	pid = fork();
	if (!pid) {
		ask_watch(&ask, REIN_WATCH_OWNED);
		note(report, 2, watch_make(dev, watch_step(watch_pid(&ask, 1), REIN_STEP_KILL, 0,
							   0)));
		ask_watch(&ask, REIN_WATCH_OWNED);
		note(report, 3, watch_make(dev, watch_step(watch_pid(&ask, 1), REIN_STEP_SIGNAL,
							   SIGTERM, 0)));
		ask_watch(&ask, REIN_WATCH_OWNED);
		note(report, 4, watch_make(dev, watch_step(watch_pid(&ask, 1), REIN_STEP_RECORD,
							   0, 0)));
		_exit(0);
	}
	wait_child(pid);
	/* And about itself. */
	ask_watch(&ask, REIN_WATCH_OWNED);
	note(report, 5, watch_make(dev, watch_step(&ask, REIN_STEP_KILL, 0, 0)));
}

TEST_F(watch, in_a_container)
{
	int fd = SUCCEEDS(watch_new(self->dev, 0, HOUR)), ready[2];
	struct report *report = new_report();
	struct watch_ask ask;
	uint64_t id = said.id;
	pid_t pid, init;
	int outside;

	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!confine(CLONE_NEWPID))
			_exit(1);
		pid = fork();
		if (!pid) {
			watch_from_inside(self->dev, id, report);
			_exit(0);
		}
		_exit(wait_child(pid));
	}
	EXPECT_EQ(0, wait_child(pid));
	FAILS(EACCES, WATCH_DENIED, noted(report, 0));
	EXPECT_NE(0, report->ret[1]);
	FAILS(EPERM, WATCH_FORBIDDEN, noted(report, 2));
	FAILS(EPERM, WATCH_FORBIDDEN, noted(report, 3));
	EXPECT_LE(0, noted(report, 4));
	FAILS(EPERM, WATCH_FORBIDDEN, noted(report, 5));
	close(fd);
	/* From outside it may be killed. */
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWPID))
			_exit(1);
		init = fork();
		if (!init)
			for (;;)
				pause();
		_exit(write(ready[1], &init, sizeof(init)) == sizeof(init) &&
		      waitpid(init, &outside, 0) == init && WIFSIGNALED(outside) ?
		      WTERMSIG(outside) : 255);
	}
	ASSERT_EQ(sizeof(init), read(ready[0], &init, sizeof(init)));
	watch_every(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM), 20 * MS, 0);
	outside = SUCCEEDS(watch_make(self->dev, watch_step(watch_pid(&ask, init), REIN_STEP_KILL,
							    0, 0)));
	EXPECT_EQ(SIGKILL, wait_child(pid));
	EXPECT_TRUE(watch_over(outside));
	close_all((int[]){ outside, ready[0], ready[1] }, 3);
	munmap(report, sizeof(*report));
}

/* --- bounds -------------------------------------------------------------------------------- */

/* As nobody: makes watches of that kind until it may not; how many, and what it is told last. */
static void make_until_refused(int dev, uint32_t flags, uint64_t every, struct report *report)
{
	unsigned int n;
	int ret;

	if (!become_nobody())
		_exit(1);
	for (n = 0; n < 2000; n++) {
		ret = watch_new(dev, flags, every);
		if (ret < 0)
			break;
	}
	note(report, 0, ret);
	report->ret[1] = n;
}

TEST_F_TIMEOUT(watch, as_many_as_a_user_may_have, TIMEOUT)
{
	uint64_t most = get_parameter(WATCHES_PER_USER), looks = get_parameter(LOOKS_PER_USER);
	struct report *report = new_report();
	pid_t pid;
	int fd;

	ASSERT_NE(0, most);
	ASSERT_NE(0, looks);
	/* All who are no administrators have 16 records, and one more a second: see above. */
	usleep(5000000);
	ASSERT_TRUE(set_parameter(WATCHES_PER_USER, 5));
	pid = fork();
	if (!pid) {
		make_until_refused(self->dev, 0, HOUR, report);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	FAILS(EDQUOT, WATCH_MANY_OF_USER, noted(report, 0));
	EXPECT_EQ(5, report->ret[1]);
	EXPECT_EQ(self->watches, settle_watches(self->fd, self->watches));
	ASSERT_TRUE(set_parameter(WATCHES_PER_USER, 1000));
	/* Slots have to be looked at: each twenty times a second, until that is too often. */
	ASSERT_TRUE(set_parameter(LOOKS_PER_USER, 200));
	pid = fork();
	if (!pid) {
		make_until_refused(self->dev, REIN_WATCH_SLOT | REIN_WATCH_ARM, SECOND, report);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	FAILS(EDQUOT, WATCH_LOOKS, noted(report, 0));
	EXPECT_LE(1, report->ret[1]);
	EXPECT_GE(10, report->ret[1]) {
		TH_LOG("200 looks a second are enough for 10 at the most; " AGAIN);
	}
	EXPECT_EQ(self->watches, settle_watches(self->fd, self->watches));
	/* What is armed with a shorter cycle has to be looked at more often. */
	pid = fork();
	if (!pid) {
		if (!become_nobody())
			_exit(1);
		fd = watch_new(self->dev, REIN_WATCH_SLOT | REIN_WATCH_ARM, SECOND);
		note(report, 0, watch_arm_as(fd, REIN_ARM_EVERY, 10 * MS, 0));
		/* It was left as it is. */
		note(report, 1, watch_arm(fd));
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	FAILS(EDQUOT, WATCH_LOOKS, noted(report, 0));
	EXPECT_EQ(0, noted(report, 1));
	ASSERT_TRUE(set_parameter(WATCHES_PER_USER, most));
	ASSERT_TRUE(set_parameter(LOOKS_PER_USER, looks));
	munmap(report, sizeof(*report));
}

/* --- armed anew, disarmed, tested ---------------------------------------------------------- */

TEST_F_TIMEOUT(watch, armed_anew, TIMEOUT)
{
	int fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_ARM, 30 * MS));
	struct rein_watch_state state;
	uint64_t id = said.id, from, to;
	struct watch_record record;
	struct watch_view view;

	memset(&state, 0, sizeof(state));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	/* That is so until it is armed again, whatever comes. */
	SUCCEEDS(watch_beat(fd));
	COMES(fd, &state, REIN_COUNT_RESUME, 1);
	EXPECT_EQ(REIN_WATCH_EXPIRED, state.status);
	ASSERT_TRUE(wait_watch_records(self->fd, WATCH_RESUMED, id, 1, &record));
	/* Once. */
	SUCCEEDS(watch_beat(fd));
	COMES(fd, &state, REIN_COUNT_BEAT, 2);
	EXPECT_EQ(1, state.count[REIN_COUNT_RESUME]);
	from = now_ns();
	SUCCEEDS(watch_arm(fd));
	to = now_ns();
	COMES(fd, &state, REIN_COUNT_EXPIRE, 2);
	FOUND(&state, REIN_FAULT_SILENT, WATCH_SILENT, from + 30 * MS, to + 30 * MS, &self->gaps);
	EXPECT_EQ(1, state.misses);
	EXPECT_EQ(2, state.count[REIN_COUNT_MISS]);
	/* Disarmed, nothing is missed: three cycles are waited for, as nothing tells. */
	SUCCEEDS(watch_disarm(fd));
	EXPECT_EQ(0, scope_events(fd, POLLIN, 100));
	ASSERT_EQ(0, read_watch(self->fd, id, &view));
	EXPECT_EQ(REIN_WATCH_OFF, view.status);
	EXPECT_EQ(0, view.misses);
	EXPECT_EQ(2, view.expiries);
	EXPECT_FALSE(watch_has(&view, REIN_A_WATCH_LEFT_NS));
	/* Even twice. */
	SUCCEEDS(watch_disarm(fd));
	close(fd);
}

TEST_F_TIMEOUT(watch, warned, TIMEOUT)
{
	struct rein_watch_state state;
	struct watch_record record;
	uint64_t id, from, to;
	struct watch_ask ask;
	int fd;

	watch_every(ask_watch(&ask, REIN_WATCH_OWNED), 400 * MS, 0);
	ask.args.rules.pretimeout_ns = 300 * MS;
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	from = now_ns();
	SUCCEEDS(watch_arm(fd));
	to = now_ns();
	ASSERT_TRUE(wait_watch_records(self->fd, WATCH_WARNED, id, 1, &record));
	IN_TIME(record.boottime_ns - boottime_ahead(), from + 100 * MS, to + 100 * MS,
		&self->gaps);
	/* It says which state the process is in: it was asleep, or asked for records. */
	EXPECT_NE('\0', record.message[0]);
	memset(&state, 0, sizeof(state));
	COMES(fd, &state, REIN_COUNT_EXPIRE, 1);
	ASSERT_TRUE(find_watch_record(self->fd, WATCH_WARNED, id, &record));
	EXPECT_EQ(1, record.n);
	close(fd);
}

/* --- the module ---------------------------------------------------------------------------- */

TEST_F(watch, the_module_stays_while_there_is_a_descriptor)
{
	int fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_SLOT | REIN_WATCH_ARM, HOUR));
	char *page = map_slots(fd);

	ASSERT_NE(NULL, page);
	close(self->dev);
	EXPECT_EQ(-1, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	/* It doesn't need the device. */
	SUCCEEDS(watch_beat(fd));
	close(fd);
	/* Nor its descriptor. */
	EXPECT_EQ(-1, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	unmap_slots(page);
	self->dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
}

/* A forced flush ends all watches. */
TEST_F(watch, flushed)
{
	int fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_ARM, HOUR));

	EXPECT_EQ(0, flush_all(self->fd));
	EXPECT_TRUE(watch_over(fd));
	FAILS(EIDRM, WATCH_OVER, watch_beat(fd));
	close(fd);
}

TEST_F(watch, listed)
{
	struct genl_answer answer;
	static struct genl_msg msg;
	struct watch_view view;
	struct watch_ask ask;
	int fds[200], i;

	for (i = 0; i < 200; i++)
		fds[i] = SUCCEEDS(watch_make(self->dev,
					     watch_called(ask_watch(&ask, REIN_WATCH_OWNED),
							  i % 2 ? "list-odd" : "list-even")));
	ASSERT_EQ(0, read_watches(self->fd, NULL, &view));
	EXPECT_EQ(self->watches + 200, view.n);
	/* By age: the youngest is last. */
	EXPECT_EQ(said.id, view.id);
	ASSERT_EQ(0, read_watches(self->fd, "list-odd", &view));
	EXPECT_EQ(100, view.n);
	ASSERT_EQ(0, read_watches(self->fd, "list-none", &view));
	EXPECT_EQ(0, view.n);
	/* No id, and not all of them. */
	genl_begin(&msg, REIN_CMD_WATCH_GET, 0);
	EXPECT_EQ(0, genl_ask(self->fd, &msg, &answer, NULL, NULL));
	EXPECT_NE(0, answer.err);
	EXPECT_EQ(-ENOENT, read_watch(self->fd, UINT64_MAX, &view));
	close_all(fds, 200);
}

/* --- privileges ------------------------------------------------------------------------------ */

/**
 * struct strong - who makes a watch with what the user of the same id lacks, and what that one may
 * @dev:	the device
 * @caps:	capabilities, 1 << CAP_*
 * @by_setuid:	he runs what is setuid root, instead
 * @thorough:	the other one tries all there is: not always, as the unprivileged get few records
 * @pair:	a pair of sockets, by which the descriptor is passed on
 * @id:		of the watch
 * @report:	what the other one was told
 */
struct strong {
	int dev;
	uint32_t caps;
	bool by_setuid, thorough;
	int pair[2];
	uint64_t id;
	struct report *report;
};

/* Makes it, passes it on, and stays until the other end is closed. */
static void make_strongly(struct strong *strong)
{
	struct watch_ask ask;
	char byte;
	int fd;

	if (!(strong->by_setuid ? become_nobody_by_setuid() : become_nobody_with(strong->caps)))
		_exit(1);
	ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM);
	watch_step(watch_every(&ask, HOUR, 0), REIN_STEP_RECORD, 0, 0);
	fd = watch_make(strong->dev, watch_called(&ask, "strong"));
	close(strong->pair[1]);
	if (fd < 0 || write(strong->pair[0], &said.id, 8) != 8 || !send_fd(strong->pair[0], fd))
		_exit(2);
	_exit(read(strong->pair[0], &byte, 1) != 0);
}

/* What a process may that is of the same user, and has these capabilities. */
static void reach_for(struct strong *strong, uint32_t caps)
{
	struct report *report = strong->report;
	int fd;

	if (!become_nobody_with(caps))
		_exit(1);
	fd = watch_look(strong->dev, 0, strong->id);
	note(report, 0, fd);
	if (strong->thorough) {
		note(report, 1, watch_look_for(strong->dev, 0, 0, 0, "strong"));
		note(report, 2, watch_look(strong->dev, REIN_LOOK_BEAT, strong->id));
	}
	note(report, 3, watch_look(strong->dev, REIN_LOOK_OBSERVE, strong->id));
	note(report, 4, watch_test(fd, 0));
	_exit(0);
}

/* Whoever has the descriptor can do anything to it, which is why it was passed on. */
static void use_passed(struct strong *strong, int fd)
{
	if (!become_nobody())
		_exit(1);
	note(strong->report, 5, watch_arm(fd));
	note(strong->report, 6, watch_test(fd, REIN_TEST_REAL));
	_exit(0);
}

static int in_child(void (*act)(struct strong *strong, uint32_t caps), struct strong *strong,
		    uint32_t caps)
{
	pid_t pid = fork();

	if (!pid)
		act(strong, caps);
	return wait_child(pid);
}

/* What is done in the end is done with the maker's privileges: who lacks them does not begin it. */
TEST_F_TIMEOUT(watch, of_the_same_user_with_less, TIMEOUT)
{
	static const struct {
		uint32_t made_with, asked_with;
		bool by_setuid, granted;
	} cases[] = {
		{ 0, 0, false, true },
		{ 1 << CAP_NET_ADMIN, 0, false, false },
		{ 1 << CAP_KILL, 0, false, false },
		{ 1 << CAP_KILL, 1 << CAP_SYS_NICE, false, false },
		{ 1 << CAP_KILL, 1 << CAP_KILL | 1 << CAP_SYS_NICE, false, true },
		{ 1 << CAP_KILL, 1 << CAP_NET_ADMIN, false, true },
		{ 0, 0, true, false },
	};
	unsigned int i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strong strong = {
			.dev = self->dev, .caps = cases[i].made_with,
			.by_setuid = cases[i].by_setuid, .thorough = i < 2,
			.report = new_report(),
		};
		struct rein_watch_state state = { };
		struct watch_view view;
		pid_t maker, pid;
		int fd;

		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, strong.pair));
		maker = fork();
		if (!maker)
			make_strongly(&strong);
		close(strong.pair[0]);
		ASSERT_EQ(8, read(strong.pair[1], &strong.id, 8)) {
			TH_LOG("case %u: no watch was made; " AGAIN, i);
		}
		fd = receive_fd(strong.pair[1]);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, in_child(reach_for, &strong, cases[i].asked_with));
		for (n = 0; n < (strong.thorough ? 3 : 1); n++) {
			int ret = noted(strong.report, n);

			EXPECT_EQ(cases[i].granted ? 0 : -EPERM, ret < 0 ? ret : 0) {
				TH_LOG("case %u: look %u; " AGAIN, i, n);
			}
			EXPECT_EQ(cases[i].granted ? 0 : WATCH_PRIVILEGES, (int)said.answer.code);
		}
		EXPECT_LE(0, noted(strong.report, 3));
		if (cases[i].granted)
			EXPECT_EQ(0, noted(strong.report, 4));
		ASSERT_EQ(0, read_watch(self->fd, strong.id, &view));
		EXPECT_EQ(0, view.expiries);
		pid = fork();
		if (!pid)
			use_passed(&strong, fd);
		EXPECT_EQ(0, wait_child(pid));
		EXPECT_EQ(0, noted(strong.report, 5));
		EXPECT_EQ(0, noted(strong.report, 6));
		COMES(fd, &state, REIN_COUNT_STEP, 1);
		close(fd);
		close(strong.pair[1]);
		EXPECT_EQ(0, wait_child(maker));
		munmap(strong.report, sizeof(*strong.report));
	}
}

TEST_HARNESS_MAIN
