// SPDX-License-Identifier: GPL-2.0
/*
 * What listeners are told of watches: what becomes of each, in the order in which it does;
 * and who may listen.
 */
#define _GNU_SOURCE
#include <stdio.h>

#include <kselftest_harness.h>
#include "watch.h"

#define AGAIN		"run: make check TESTS=watch-events"
#define TIMEOUT		110

/**
 * struct events - what every test has
 * @fd:		the netlink socket for requests
 * @ear:	the one that listens
 * @dev:	the device
 * @before:	how many scopes there were
 * @watches:	how many watches
 * @raw:	the newest record of an error without a meaning
 * @event:	the newest
 */
FIXTURE(events) {
	int fd;
	int ear;
	int dev;
	uint64_t before;
	uint64_t watches;
	uint64_t raw;
	struct watch_event event;
};

FIXTURE_SETUP(events) {
	OPENS_WATCHES();
	self->ear = listen_to_watches();
	ASSERT_LE(0, self->ear) {
		TH_LOG("%s; " AGAIN, strerror(-self->ear));
	}
}

FIXTURE_TEARDOWN(events) {
	close(self->ear);
	CLOSES_WATCHES();
}

#define BIT_OF(name)	(1ULL << REIN_A_WATCH_##name)

/* What every event has. */
#define EVERY		(BIT_OF(ID) | BIT_OF(STATUS) | BIT_OF(SUBJECT) | BIT_OF(FLAGS) | \
			 BIT_OF(PID) | BIT_OF(COMM) | BIT_OF(UID) | BIT_OF(EVENT))

/* What the next event is, and of which watch; it has what all have. */
#define HEARS(what, id_) do {								\
	const uint64_t want_ = (id_);							\
											\
	hear_watch(self->ear, 0, &self->event);						\
	ASSERT_EQ(0, self->event.err) {							\
		TH_LOG("expected %s of watch %llu, seen: %s; " AGAIN, #what,		\
		       (unsigned long long)want_, strerror(self->event.err));		\
	}										\
	EXPECT_EQ(REIN_WATCH_EVENT_##what, self->event.watch.event) {			\
		TH_LOG("expected %s of watch %llu, seen: %u of %llu; " AGAIN, #what,	\
		       (unsigned long long)want_, self->event.watch.event,		\
		       (unsigned long long)self->event.watch.id);			\
	}										\
	EXPECT_EQ(want_, self->event.watch.id) {					\
		TH_LOG("%s of another watch than expected; " AGAIN, #what);		\
	}										\
	EXPECT_EQ(REIN_CMD_WATCH_NTF, self->event.cmd);					\
	EXPECT_EQ(0, EVERY & ~self->event.watch.has) {					\
		TH_LOG("%s: an attribute is missing; " AGAIN, #what);			\
	}										\
} while (0)

/* What has been heard is all. */
#define HEARS_NO_MORE() do {								\
	hear_watch(self->ear, MSG_DONTWAIT, &self->event);				\
	EXPECT_EQ(EAGAIN, self->event.err) {						\
		TH_LOG("expected nothing, seen: event %u of watch %llu, or %s; " AGAIN,	\
		       self->event.watch.event, (unsigned long long)self->event.watch.id, \
		       strerror(self->event.err));					\
	}										\
} while (0)

/* --- what becomes of one ------------------------------------------------------------------- */

TEST_F(events, made_armed_gone)
{
	struct watch_ask ask;
	uint64_t id;
	int fd, eye;

	HEARS_NO_MORE();
	watch_every(ask_watch(&ask, REIN_WATCH_OWNED), HOUR, 0);
	fd = SUCCEEDS(watch_make(self->dev, watch_called(&ask, "heard-of")));
	id = said.id;
	HEARS(MADE, id);
	EXPECT_STREQ("heard-of", self->event.watch.name);
	EXPECT_EQ(REIN_WATCH_OFF, self->event.watch.status);
	EXPECT_EQ(getpid(), self->event.watch.pid);
	EXPECT_EQ(getpid(), self->event.watch.subject_pid);
	EXPECT_STREQ("watch-events", self->event.watch.comm);
	SUCCEEDS(watch_arm(fd));
	HEARS(ARMED, id);
	EXPECT_EQ(REIN_WATCH_RUNNING, self->event.watch.status);
	/* Beats, units and looks are no events, and what is refused isn't, either. */
	SUCCEEDS(watch_beat(fd));
	SUCCEEDS(watch_begin(fd, "a", 0));
	SUCCEEDS(watch_finish(fd, "a"));
	eye = SUCCEEDS(watch_look(self->dev, REIN_LOOK_OBSERVE, id));
	FAILS(EPERM, WATCH_OBSERVER, watch_arm(eye));
	close(eye);
	HEARS_NO_MORE();
	SUCCEEDS(watch_arm(fd));
	HEARS(ARMED, id);
	SUCCEEDS(watch_disarm(fd));
	HEARS(DISARMED, id);
	EXPECT_EQ(REIN_WATCH_OFF, self->event.watch.status);
	close(fd);
	HEARS(GONE, id);
	HEARS_NO_MORE();
	/* Armed at once; and ended by somebody. */
	fd = SUCCEEDS(watch_new(self->dev, REIN_WATCH_ARM, HOUR));
	id = said.id;
	HEARS(MADE, id);
	HEARS(ARMED, id);
	SUCCEEDS(watch_end(fd));
	HEARS(GONE, id);
	close(fd);
	HEARS_NO_MORE();
}

TEST_F_TIMEOUT(events, missed_expired_resumed, TIMEOUT)
{
	struct watch_ask ask;
	uint64_t id, fault;
	int fd;

	watch_every(ask_watch(&ask, REIN_WATCH_OWNED), 100 * MS, 1)->args.rules.pretimeout_ns =
		50 * MS;
	watch_step(&ask, REIN_STEP_RECORD, 0, 0);
	watch_step(&ask, REIN_STEP_RECORD, 0, 20 * MS);
	watch_step(&ask, REIN_STEP_RECORD, 0, HOUR);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	HEARS(MADE, id);
	SUCCEEDS(watch_arm(fd));
	HEARS(ARMED, id);
	HEARS(MISSED, id);
	EXPECT_EQ(REIN_FAULT_SILENT, self->event.watch.fault);
	EXPECT_EQ(1, self->event.watch.misses);
	fault = self->event.watch.record;
	EXPECT_NE(0, fault);
	HEARS(WARNED, id);
	HEARS(EXPIRED, id);
	EXPECT_EQ(REIN_WATCH_EXPIRED, self->event.watch.status);
	EXPECT_EQ(2, self->event.watch.misses);
	EXPECT_NE(fault, self->event.watch.record);
	HEARS(STEP, id);
	EXPECT_EQ(0, self->event.watch.at_step);
	EXPECT_FALSE(self->event.test);
	EXPECT_FALSE(watch_has(&self->event.watch, REIN_A_WATCH_ERRNO));
	HEARS(STEP, id);
	EXPECT_EQ(1, self->event.watch.at_step);
	SUCCEEDS(watch_beat(fd));
	HEARS(RESUMED, id);
	EXPECT_EQ(REIN_WATCH_EXPIRED, self->event.watch.status);
	SUCCEEDS(watch_beat(fd));
	HEARS_NO_MORE();
	close(fd);
	HEARS(GONE, id);
	HEARS_NO_MORE();
}

TEST_F(events, tested)
{
	struct watch_ask ask;
	uint64_t id;
	int fd, i;

	watch_every(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM), HOUR, 0);
	watch_step(&ask, REIN_STEP_KILL, 0, HOUR);
	watch_step(&ask, REIN_STEP_EXEC, 0, HOUR);
	fd = SUCCEEDS(watch_make(self->dev, &ask));
	id = said.id;
	HEARS(MADE, id);
	HEARS(ARMED, id);
	/* All at once, and it goes on. */
	SUCCEEDS(watch_test(fd, 0));
	for (i = 0; i < 2; i++) {
		HEARS(STEP, id);
		EXPECT_TRUE(self->event.test);
		EXPECT_EQ(i, (int)self->event.watch.at_step);
		EXPECT_EQ(REIN_WATCH_RUNNING, self->event.watch.status);
	}
	HEARS_NO_MORE();
	close(fd);
	HEARS(GONE, id);
}

static void act_end(void *arg)
{
	char byte;

	if (read(*(int *)arg, &byte, 1) != 1)
		_exit(1);
}

TEST_F_TIMEOUT(events, its_subject_goes, TIMEOUT)
{
	struct watch_ask ask;
	int go[2], fd;
	uint64_t id;
	pid_t pid;

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	pid = run_inside(NULL, act_end, &go[0]);
	fd = SUCCEEDS(watch_make(self->dev, watch_pid(ask_watch(&ask, REIN_WATCH_OWNED), pid)));
	id = said.id;
	HEARS(MADE, id);
	EXPECT_EQ(pid, (pid_t)self->event.watch.subject_pid);
	ASSERT_EQ(1, write(go[1], "", 1));
	EXPECT_EQ(0, wait_child(pid));
	HEARS(GONE, id);
	EXPECT_NE(0, self->event.watch.record);
	close(fd);
	HEARS_NO_MORE();
	close_all(go, 2);
}

/* --- who is told --------------------------------------------------------------------------- */

TEST_F(events, who_may_listen)
{
	pid_t pid = fork();

	if (!pid)
		_exit(become_nobody() ? -listen_to_watches() : 255);
	EXPECT_EQ(EPERM, wait_child(pid)) {
		TH_LOG("a user without privileges listens; " AGAIN);
	}
	/* With all capabilities, but not those of the host. */
	pid = fork();
	if (!pid)
		_exit(become_nobody() && !unshare(CLONE_NEWUSER) ? -listen_to_watches() : 255);
	EXPECT_EQ(EPERM, wait_child(pid)) {
		TH_LOG("the root of a user namespace listens on the host; " AGAIN);
	}
	HEARS_NO_MORE();
}

/* In a network namespace of its own nobody is told of the host's. */
TEST_F(events, where_nothing_is_told)
{
	struct watch_event event;
	pid_t pid = fork();
	int ear, fd;

	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(255);
		ear = listen_to_watches();
		fd = watch_new(self->dev, 0, HOUR);
		hear_watch(ear, MSG_DONTWAIT, &event);
		_exit(ear < 0 || fd < 0 ? 254 : event.err);
	}
	EXPECT_EQ(EAGAIN, wait_child(pid)) {
		TH_LOG(AGAIN);
	}
	hear_watch(self->ear, 0, &self->event);
	ASSERT_EQ(0, self->event.err);
	EXPECT_EQ(REIN_WATCH_EVENT_MADE, self->event.watch.event);
	HEARS(GONE, self->event.watch.id);
	HEARS_NO_MORE();
}

/* Who is too slow is told that it has missed something, once, and hears all again. */
TEST_F_TIMEOUT(events, too_slow, TIMEOUT)
{
	unsigned int heard = 0, i;
	int size = 1 << 15, fd;

	ASSERT_EQ(0, setsockopt(self->ear, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (i = 0; i < 500; i++) {
		fd = SUCCEEDS(watch_new(self->dev, 0, HOUR));
		close(fd);
	}
	ASSERT_EQ(self->watches, settle_watches(self->fd, self->watches));
	do {
		hear_watch(self->ear, MSG_DONTWAIT, &self->event);
		heard += !self->event.err;
	} while (!self->event.err);
	EXPECT_EQ(ENOBUFS, self->event.err) {
		TH_LOG("%u events of 1000 were heard, and then: %s; " AGAIN, heard,
		       strerror(self->event.err));
	}
	do {
		hear_watch(self->ear, MSG_DONTWAIT, &self->event);
	} while (!self->event.err);
	EXPECT_EQ(EAGAIN, self->event.err);
	fd = SUCCEEDS(watch_new(self->dev, 0, HOUR));
	HEARS(MADE, said.id);
	close(fd);
	HEARS(GONE, self->event.watch.id);
	HEARS_NO_MORE();
}

TEST_HARNESS_MAIN
