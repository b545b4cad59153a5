// SPDX-License-Identifier: GPL-2.0
/*
 * Reservations: what a descriptor that waits for tokens says, when; who may claim
 * it; what comes back if nobody does; and that it can't be asked wrongly.
 *
 * Nothing here depends on how fast the machine is: what is waited for is an event,
 * and times are those that the kernel says.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <kselftest_harness.h>
#include "take.h"

#define CGROOT		"/sys/fs/cgroup"
#define DIRECTORY	CGROOT "/test-reserve"
#define OTHER		DIRECTORY "/other"
#define ANOTHER		DIRECTORY "/another"

#define AGAIN		"run: make check TESTS=reserve"

/* More than anything here takes, on the slowest machine; less than the runner waits. */
#define LONG		(60 * SECOND)
#define LONG_MS		60000
#define TIMEOUT		100

/**
 * struct reserve - what every test has; it runs in @dir, as it is alone in there
 * @fd:		the netlink socket
 * @dev:	the device
 * @dir:	a cgroup with a limit "ten", which has as many tokens, and lets wait
 * @other:	one below
 * @take:	a request
 */
FIXTURE(reserve) {
	int fd;
	int dev;
	int dir;
	int other;
	struct take take;
};

FIXTURE_SETUP(reserve) {
	self->fd = genl_socket();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, genl_resolve(self->fd)) {
		TH_LOG("the module is not loaded");
	}
	ASSERT_EQ(0, flush_all(self->fd));
	mkdir(DIRECTORY, 0755);
	mkdir(OTHER, 0755);
	self->dir = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->dir);
	self->other = open(OTHER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, add_call(self->fd, "ten", self->dir, REIN_OVER_WAIT, 1, DAY, 10));
	self->dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
	ASSERT_TRUE(enter(DIRECTORY));
}

FIXTURE_TEARDOWN(reserve) {
	flush_all(self->fd);
	enter(CGROOT);
	close(self->dev);
	close(self->dir);
	close(self->other);
	close(self->fd);
	rmdir(OTHER);
	rmdir(DIRECTORY);
}

/* The simplest one: @n tokens of @name, @claim_ns to claim them. */
static int reserve_of(FIXTURE_DATA(reserve) *self, const char *name, uint64_t n, uint64_t claim_ns)
{
	ask_for(&self->take, name, n, 0, 0);
	self->take.args.claim_ns = claim_ns;
	return reserve(self->dev, &self->take);
}

/* What poll() says within @ms, -1 if nothing. POLLERR comes unasked. */
static int events(int fd, int asked, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = asked };

	return poll(&pfd, 1, ms) == 1 ? pfd.revents : -1;
}

#define GRANTED		POLLIN
#define FAILED		(POLLIN | POLLERR)

/* Until it is decided. */
#define DECIDED(at)	events(at, POLLIN, LONG_MS)
/* Until it failed, granted or not. */
#define WAIT_FAILED(at)	(events(at, 0, LONG_MS) == POLLERR)

#define CLAIMS(at, errno_, wanted) do {							\
	int err_ = claim(at, &self->take);						\
	unsigned int code_ = (wanted);							\
	struct genl_answer got_;							\
	struct record record_;								\
											\
	EXPECT_EQ(errno_, err_) {							\
		TH_LOG("%s (%.128s); " AGAIN, strerror(err_), self->take.args.message);	\
	}										\
	EXPECT_EQ(code_, self->take.args.code);						\
	if (err_ != EAGAIN || self->take.args.code) {					\
		self->take.args.n_wants = REIN_TAKE_NAMES_MAX;				\
		EXPECT_EQ(NULL, answer_wrong(&self->take.args, err_)) {			\
			TH_LOG("%s; " AGAIN, answer_wrong(&self->take.args, err_));	\
		}									\
	}										\
	if (self->take.args.record) {							\
		ASSERT_EQ(0, read_record(self->fd, self->take.args.record, &record_,	\
					 &got_));					\
		EXPECT_EQ(code_, record_.code);						\
	}										\
} while (0)

/*
 * Granted at @when, to the nanosecond: unless the machine stood still for 100 ms, and
 * all were planned anew.
 */
#define GRANTED_AT(when) do {								\
	uint64_t when_ = (when), at_ = self->take.args.granted_ns;			\
											\
	if (at_ >= when_ + 100 * MS) {							\
		TH_LOG("the machine stood still for %llu ms",				\
		       (unsigned long long)(at_ - when_) / MS);				\
		when_ = at_;								\
	}										\
	EXPECT_EQ(when_, at_) {								\
		TH_LOG(AGAIN);								\
	}										\
} while (0)

/* No descriptor, no charge, and the answer is complete. */
#define REFUSED(wanted, code_) do {							\
	int fd_ = reserve(self->dev, &self->take), errno_ = (wanted);			\
											\
	EXPECT_EQ(-errno_, fd_) {							\
		TH_LOG("%.128s; " AGAIN, self->take.args.message);			\
	}										\
	EXPECT_EQ(code_, self->take.args.code);						\
	EXPECT_EQ(NULL, answer_wrong(&self->take.args, errno_));			\
	if (fd_ >= 0)									\
		close(fd_);								\
} while (0)

/* A limit's counters add up, and so much is there, waits and is held. */
#define BOOKS(name, dir_, tokens_, queued_, held_) do {					\
	const char *name_ = (name);							\
	struct books books_;								\
											\
	ASSERT_EQ(0, read_books(self->fd, name_, dir_, &books_));			\
	EXPECT_TRUE(books_balance(&books_)) {						\
		TH_LOG("%s: the counters don't add up; " AGAIN, name_);			\
	}										\
	EXPECT_EQ(tokens_, books_.tokens);						\
	EXPECT_EQ(queued_, books_.count[REIN_A_STATS_QUEUED]);				\
	EXPECT_EQ(held_, books_.count[REIN_A_STATS_HELD]);				\
} while (0)

static uint64_t counted(FIXTURE_DATA(reserve) *self, const char *name, unsigned int stat)
{
	struct books books;

	return read_books(self->fd, name, self->dir, &books) ? UINT64_MAX : books.count[stat];
}

/* Change a limit: its only tier, or (@two) it and a second like it; or its queue. */
static int change(FIXTURE_DATA(reserve) *self, const char *name, uint64_t tokens,
		  uint64_t period, uint64_t burst, bool two)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	begin(&msg, REIN_CMD_LIMIT_SET, name, self->dir);
	genl_put_tier(&msg, REIN_UNIT_CALLS, tokens, period, burst);
	if (two)
		genl_put_tier(&msg, REIN_UNIT_CALLS, tokens, period, burst);
	return genl_ask(self->fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

static int change_u64(FIXTURE_DATA(reserve) *self, const char *name, unsigned int type,
		      uint64_t value)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	begin(&msg, REIN_CMD_LIMIT_SET, name, self->dir);
	genl_put_u64(&msg, type, value);
	return genl_ask(self->fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

/* --- granted and claimed ------------------------------------------------------------- */

TEST_F(reserve, granted_at_once)
{
	int fd = reserve_of(self, "ten", 3, 60 * SECOND), same;
	uint64_t before = now_ns();

	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, self->take.args.retry_after_ns);
	EXPECT_EQ(0, self->take.args.code);
	EXPECT_EQ(GRANTED, events(fd, POLLIN, 0));
	BOOKS("ten", self->dir, 7, 0, 1);
	CLAIMS(fd, 0, 0);
	EXPECT_GE(before, self->take.args.granted_ns);
	EXPECT_GT(SECOND, self->take.args.waited_ns);
	BOOKS("ten", self->dir, 7, 0, 0);
	EXPECT_EQ(1, counted(self, "ten", REIN_A_STATS_PASSED));
	/* Once. */
	same = dup(fd);
	CLAIMS(fd, EALREADY, RESERVE_CLAIMED);
	CLAIMS(same, EALREADY, RESERVE_CLAIMED);
	EXPECT_EQ(GRANTED, events(fd, POLLIN, 0));
	close(fd);
	close(same);
	BOOKS("ten", self->dir, 7, 0, 0);
}

TEST_F_TIMEOUT(reserve, granted_in_time, TIMEOUT)
{
	uint64_t first;
	int a, b;

	ASSERT_EQ(0, add_call(self->fd, "fast", self->dir, REIN_OVER_WAIT, 1, 300 * MS, 1));
	a = reserve_of(self, "fast", 1, 0);
	b = reserve_of(self, "fast", 1, 60 * SECOND);
	ASSERT_LE(0, b);
	EXPECT_LT(0, self->take.args.retry_after_ns);
	EXPECT_GE(300 * MS, self->take.args.retry_after_ns);
	CLAIMS(b, EAGAIN, 0);
	EXPECT_GE(300 * MS, self->take.args.retry_after_ns);
	EXPECT_EQ(0, self->take.args.granted_ns);
	EXPECT_EQ(-1, events(b, POLLIN, 0));
	EXPECT_EQ(1, counted(self, "fast", REIN_A_STATS_QUEUED));
	CLAIMS(a, 0, 0);
	first = self->take.args.granted_ns;
	EXPECT_EQ(GRANTED, DECIDED(b));
	CLAIMS(b, 0, 0);
	GRANTED_AT(first + 300 * MS);
	EXPECT_EQ(1, counted(self, "fast", REIN_A_STATS_RELEASED));
	close(a);
	close(b);
	EXPECT_EQ(0, counted(self, "fast", REIN_A_STATS_HELD));
}

/* A place that is given up is free at once. */
TEST_F_TIMEOUT(reserve, cancelled, TIMEOUT)
{
	uint64_t first;
	int fds[5];
	size_t i;

	ASSERT_EQ(0, add_call(self->fd, "slow", self->dir, REIN_OVER_WAIT, 1, 300 * MS, 1));
	for (i = 0; i < 5; i++) {
		fds[i] = reserve_of(self, "slow", 1, 60 * SECOND);
		ASSERT_LE(0, fds[i]);
	}
	CLAIMS(fds[0], 0, 0);
	first = self->take.args.granted_ns;
	close(fds[1]);
	close(fds[3]);
	EXPECT_EQ(2, counted(self, "slow", REIN_A_STATS_CANCELLED));
	CLAIMS(fds[4], EAGAIN, 0);
	EXPECT_GE(600 * MS, self->take.args.retry_after_ns);
	EXPECT_EQ(GRANTED, DECIDED(fds[2]));
	EXPECT_EQ(GRANTED, DECIDED(fds[4]));
	CLAIMS(fds[2], 0, 0);
	GRANTED_AT(first + 300 * MS);
	first = self->take.args.granted_ns;
	CLAIMS(fds[4], 0, 0);
	GRANTED_AT(first + 300 * MS);
	close(fds[0]);
	close(fds[2]);
	close(fds[4]);
	EXPECT_EQ(0, counted(self, "slow", REIN_A_STATS_QUEUED));
}

TEST_F(reserve, epoll_tells_of_each)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got;
	int epoll = epoll_create1(EPOLL_CLOEXEC), a, b;

	a = reserve_of(self, "ten", 10, MS);
	b = reserve_of(self, "ten", 5, 60 * SECOND);
	ASSERT_LE(0, b);
	event.data.fd = b;
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, b, &event));
	event.data.fd = a;
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, a, &event));
	/* Granted, and not claimed; then the other one gets what comes back. */
	do {
		ASSERT_EQ(1, epoll_wait(epoll, &got, 1, LONG_MS));
	} while (got.data.fd == a && !(got.events & EPOLLERR));
	if (got.data.fd == a)
		ASSERT_EQ(1, epoll_wait(epoll, &got, 1, LONG_MS));
	EXPECT_EQ(b, got.data.fd);
	EXPECT_EQ(EPOLLIN, got.events);
	CLAIMS(b, 0, 0);
	CLAIMS(a, ESTALE, RESERVE_EXPIRED);
	close(a);
	close(b);
	close(epoll);
	BOOKS("ten", self->dir, 5, 0, 0);
}

/* --- what comes back ----------------------------------------------------------------- */

TEST_F(reserve, expired)
{
	struct books books;
	int a, b;

	ASSERT_EQ(0, add_call(self->fd, "three", self->dir, REIN_OVER_WAIT, 1, DAY, 3));
	ask_more(ask_for(&self->take, "ten", 6, 0, 0), "three", 2);
	self->take.args.claim_ns = MS;
	a = reserve(self->dev, &self->take);
	ASSERT_LE(0, a);
	ASSERT_TRUE(WAIT_FAILED(a));
	EXPECT_EQ(FAILED, events(a, POLLIN, 0));
	CLAIMS(a, ESTALE, RESERVE_EXPIRED);
	EXPECT_NE(0, self->take.args.record);
	EXPECT_NE(0, self->take.args.limit_id);
	CLAIMS(a, ESTALE, RESERVE_EXPIRED);
	BOOKS("ten", self->dir, 10, 0, 0);
	BOOKS("three", self->dir, 3, 0, 0);
	ASSERT_EQ(0, read_books(self->fd, "ten", self->dir, &books));
	EXPECT_EQ(1, books.count[REIN_A_STATS_EXPIRED]);
	EXPECT_EQ(6, books.sum[REIN_A_STATS_EXPIRED]);
	EXPECT_EQ(0, books.count[REIN_A_STATS_PASSED]);
	close(a);
	BOOKS("ten", self->dir, 10, 0, 0);

	/* Who waits for them gets them at once, not tomorrow. */
	a = reserve_of(self, "ten", 8, 100 * MS);
	b = reserve_of(self, "ten", 9, 60 * SECOND);
	ASSERT_LE(0, b);
	EXPECT_LT(DAY, self->take.args.retry_after_ns);
	EXPECT_EQ(GRANTED, DECIDED(b));
	CLAIMS(b, 0, 0);
	EXPECT_LT(0, self->take.args.waited_ns);
	CLAIMS(a, ESTALE, RESERVE_EXPIRED);
	BOOKS("ten", self->dir, 1, 0, 0);
	close(a);
	close(b);
}

TEST_F(reserve, closed_unclaimed)
{
	struct books books;
	int a, b;

	a = reserve_of(self, "ten", 10, 60 * SECOND);
	b = reserve_of(self, "ten", 4, 60 * SECOND);
	ASSERT_LE(0, b);
	BOOKS("ten", self->dir, 0, 1, 1);
	close(a);
	EXPECT_EQ(GRANTED, DECIDED(b)) {
		TH_LOG("what was given back is not there at once; " AGAIN);
	}
	BOOKS("ten", self->dir, 6, 0, 1);
	close(b);
	BOOKS("ten", self->dir, 10, 0, 0);
	ASSERT_EQ(0, read_books(self->fd, "ten", self->dir, &books));
	EXPECT_EQ(2, books.count[REIN_A_STATS_CANCELLED]);
	EXPECT_EQ(14, books.sum[REIN_A_STATS_CANCELLED]);
	EXPECT_EQ(0, books.count[REIN_A_STATS_PASSED] + books.count[REIN_A_STATS_RELEASED]);
}

/*
 * Who holds on to a token while the bucket fills up again can't give it back then:
 * that would be two at a time, where the burst is one.
 */
TEST_F_TIMEOUT(reserve, nothing_is_minted, TIMEOUT)
{
	uint64_t first;
	int a, b;

	ASSERT_EQ(0, add_call(self->fd, "one", self->dir, REIN_OVER_WAIT, 1, 400 * MS, 1));
	a = reserve_of(self, "one", 1, 60 * SECOND);
	b = reserve_of(self, "one", 1, 60 * SECOND);
	ASSERT_LE(0, b);
	EXPECT_EQ(GRANTED, DECIDED(b));
	CLAIMS(b, 0, 0);
	first = self->take.args.granted_ns;
	close(a);
	ask_for(&self->take, "one", 1, REIN_TAKE_TIMEOUT, LONG);
	ASSERT_EQ(0, take_now(self->dev, &self->take));
	/* What was given back is not let out on top of the burst. */
	GRANTED_AT(first + 400 * MS);
	close(b);
	BOOKS("one", self->dir, 0, 0, 0);
}

/* A limit that only watches is not charged what it has not. */
TEST_F(reserve, observed)
{
	int a, b;

	ASSERT_EQ(0, add_call(self->fd, "seen", self->dir, REIN_OVER_OBSERVE, 1, DAY, 5));
	ask_more(ask_for(&self->take, "ten", 1, 0, 0), "seen", 4);
	a = reserve(self->dev, &self->take);
	ask_more(ask_for(&self->take, "ten", 1, 0, 0), "seen", 4);
	b = reserve(self->dev, &self->take);
	ASSERT_LE(0, b);
	BOOKS("seen", self->dir, 1, 0, 2);
	close(b);
	BOOKS("seen", self->dir, 1, 0, 1);
	close(a);
	BOOKS("seen", self->dir, 5, 0, 0);
	BOOKS("ten", self->dir, 10, 0, 0);
}

/* --- limits that change ------------------------------------------------------------------ */

TEST_F(reserve, limits_that_change_while_held)
{
	int a = reserve_of(self, "ten", 6, 60 * SECOND), b;

	/* Four are there; up to a lower burst there is room for two. */
	ASSERT_LE(0, a);
	ASSERT_EQ(0, change(self, "ten", 1, DAY, 6, false));
	close(a);
	BOOKS("ten", self->dir, 6, 0, 0);

	/* A tier that was not charged gets nothing. */
	a = reserve_of(self, "ten", 6, 60 * SECOND);
	ASSERT_EQ(0, change(self, "ten", 1, DAY, 6, true));
	b = reserve_of(self, "ten", 6, 60 * SECOND);
	ASSERT_LE(0, b);
	close(a);
	EXPECT_EQ(GRANTED, DECIDED(b));
	a = reserve_of(self, "ten", 1, 60 * SECOND);
	EXPECT_EQ(-1, events(a, POLLIN, 0));
	close(a);
	close(b);
	BOOKS("ten", self->dir, 6, 0, 0);

	/* Closed meanwhile: what was there is kept. */
	a = reserve_of(self, "ten", 5, 60 * SECOND);
	ASSERT_EQ(0, change(self, "ten", 0, UINT64_MAX, 6, false));
	close(a);
	BOOKS("ten", self->dir, 6, 0, 0);
	ASSERT_EQ(0, change(self, "ten", 1, DAY, 10, false));
	BOOKS("ten", self->dir, 6, 0, 0);
	a = reserve_of(self, "ten", 6, 60 * SECOND);
	ASSERT_EQ(0, change(self, "ten", 0, UINT64_MAX, 10, false));
	CLAIMS(a, 0, 0);
	close(a);
	BOOKS("ten", self->dir, 0, 0, 0);
}

TEST_F(reserve, limits_that_are_unlimited_for_a_while)
{
	struct genl_answer answer;
	static struct genl_msg msg;
	struct nlattr *nest;
	int a, b;

	a = reserve_of(self, "ten", 6, 60 * SECOND);
	begin(&msg, REIN_CMD_LIMIT_SET, "ten", self->dir);
	nest = genl_nest(&msg, REIN_A_LIMIT_TIER);
	genl_put_u32(&msg, REIN_A_TIER_UNIT, REIN_UNIT_CALLS);
	genl_put(&msg, REIN_A_TIER_UNLIMITED, NULL, 0);
	genl_put_u64(&msg, REIN_A_TIER_BURST, 10);
	genl_nest_end(&msg, nest);
	ASSERT_EQ(0, genl_ask(self->fd, &msg, &answer, NULL, NULL) ?: answer.err);
	/* What costs nothing gives nothing back. */
	b = reserve_of(self, "ten", 1000, 60 * SECOND);
	ASSERT_LE(0, b);
	BOOKS("ten", self->dir, 4, 0, 2);
	ASSERT_EQ(0, change(self, "ten", 1, DAY, 10, false));
	close(b);
	BOOKS("ten", self->dir, 4, 0, 1);
	close(a);
	/* Nor does what was lent before: rather too little. */
	BOOKS("ten", self->dir, 4, 0, 0);
}

TEST_F(reserve, limits_that_go_while_held)
{
	int a = reserve_of(self, "ten", 6, 60 * SECOND), b = reserve_of(self, "ten", 2, MS), c;

	ASSERT_EQ(0, delete(self->fd, "ten", self->dir));
	/* It is granted: that is not undone. */
	CLAIMS(a, 0, 0);
	ASSERT_TRUE(WAIT_FAILED(b));
	CLAIMS(b, ESTALE, RESERVE_EXPIRED);
	close(a);
	close(b);

	/* Another one of the same name was charged nothing. */
	ASSERT_EQ(0, add_call(self->fd, "ten", self->dir, REIN_OVER_WAIT, 1, DAY, 10));
	a = reserve_of(self, "ten", 1, 60 * SECOND);
	b = reserve_of(self, "ten", 1, 60 * SECOND);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, delete(self->fd, "ten", self->dir));
	ASSERT_EQ(0, add_call(self->fd, "ten", self->dir, REIN_OVER_WAIT, 1, DAY, 10));
	c = reserve_of(self, "ten", 5, 60 * SECOND);
	ASSERT_LE(0, c);
	close(a);
	CLAIMS(b, 0, 0);
	close(b);
	BOOKS("ten", self->dir, 5, 0, 1);
	/* By force: what is granted stays granted. */
	ASSERT_EQ(0, flush_all(self->fd));
	CLAIMS(c, 0, 0);
	close(c);
}

TEST_F(reserve, limits_that_go_while_waiting)
{
	int a = reserve_of(self, "ten", 10, 60 * SECOND), b = reserve_of(self, "ten", 1, 0);

	ASSERT_EQ(-1, events(b, POLLIN, 0));
	ASSERT_EQ(0, delete(self->fd, "ten", self->dir));
	EXPECT_EQ(GRANTED, DECIDED(b));
	CLAIMS(b, 0, 0);
	close(a);
	close(b);

	ASSERT_EQ(0, add_call(self->fd, "ten", self->dir, REIN_OVER_WAIT, 1, DAY, 10));
	a = reserve_of(self, "ten", 10, 60 * SECOND);
	b = reserve_of(self, "ten", 1, 0);
	ASSERT_EQ(-1, events(b, POLLIN, 0));
	ASSERT_EQ(0, flush_all(self->fd));
	EXPECT_EQ(FAILED, events(b, POLLIN, 0)) {
		TH_LOG("a forced flush is not seen; " AGAIN);
	}
	CLAIMS(b, ECANCELED, TAKE_CANCELLED);
	CLAIMS(b, ECANCELED, TAKE_CANCELLED);
	close(a);
	close(b);
}

/*
 * A limit goes, and one comes to the same place before all who waited for it have left: they
 * leave with tokens, or wait for the new one; and the line of the old one goes on.
 */
TEST_F_TIMEOUT(reserve, a_limit_that_comes_back, TIMEOUT)
{
	enum { DEVS = 16, EACH = 1000, ALL = DEVS * EACH };
	struct rlimit files = { 2 * ALL, 2 * ALL };
	struct sched_param first = { 1 }, last = { 0 };
	unsigned int i, decided = 0, failed = 0;
	int devs[DEVS], leaf = self->other, another;
	static struct pollfd pfds[ALL];
	struct genl_answer answer;
	static struct genl_msg msg;
	uint64_t until;
	bool tried;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	/* Else the hooks go with it, which takes as long as all this. */
	mkdir(ANOTHER, 0755);
	another = open(ANOTHER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_EQ(0, add_call(self->fd, "another", another, REIN_OVER_WAIT, 1, DAY, 1));
	/* At the top, with no cgroup below. */
	ASSERT_EQ(0, delete(self->fd, "ten", self->dir));
	ASSERT_TRUE(enter(OTHER));
	ASSERT_EQ(0, add_call(self->fd, "big", leaf, REIN_OVER_WAIT, 1, DAY, 1));
	begin(&msg, REIN_CMD_LIMIT_SET, "big", leaf);
	genl_put_u64(&msg, REIN_A_LIMIT_QUEUE, ALL);
	ASSERT_EQ(0, genl_ask(self->fd, &msg, &answer, NULL, NULL) ?: -answer.err);
	for (i = 0; i < DEVS; i++)
		devs[i] = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	for (i = 0; i < ALL; i++) {
		ask_for(&self->take, "big", 1, 0, 0);
		self->take.args.claim_ns = 60 * SECOND;
		pfds[i].fd = reserve(devs[i % DEVS], &self->take);
		pfds[i].events = POLLIN;
		ASSERT_LE(0, pfds[i].fd);
	}
	/* So that the timer, which soon is left to a thread, doesn't get to grant it to all. */
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &first));
	ASSERT_EQ(0, delete(self->fd, "big", leaf));
	ASSERT_EQ(0, add_call(self->fd, "big", leaf, REIN_OVER_WAIT, 1, DAY, ALL));
	tried = poll(pfds, ALL, 0) < ALL;
	/* Those behind him are planned anew. */
	close(pfds[ALL / 2].fd);
	pfds[ALL / 2].fd = -1;
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &last));
	for (until = now_ns() + LONG; decided < ALL - 1 && now_ns() < until;)
		for (decided = 0, i = 0; i < ALL; i++)
			decided += pfds[i].fd >= 0 && poll(&pfds[i], 1, 0) == 1;
	for (i = 0; i < ALL; i++)
		failed += pfds[i].fd >= 0 && pfds[i].revents != GRANTED;
	EXPECT_EQ(0, failed) {
		TH_LOG("so many of %u were not granted in time; " AGAIN, ALL);
	}
	for (i = 0; i < ALL; i++)
		if (pfds[i].fd >= 0)
			close(pfds[i].fd);
	for (i = 0; i < DEVS; i++)
		close(devs[i]);
	ASSERT_EQ(0, delete(self->fd, "another", another));
	close(another);
	rmdir(ANOTHER);
	if (!tried)
		SKIP(return, "all were granted before the limit came back");
}

TEST_F(reserve, deadlines)
{
	uint64_t asked;
	int a, b, c;

	ASSERT_EQ(0, add_call(self->fd, "slow", self->dir, REIN_OVER_REFUSE, 1, 10 * SECOND, 1));
	a = reserve_of(self, "slow", 1, 60 * SECOND);
	ASSERT_LE(0, a);
	ask_for(&self->take, "slow", 1, REIN_TAKE_TIMEOUT, 9 * SECOND);
	REFUSED(ETIME, TAKE_LATE);
	asked = now_ns();
	ask_for(&self->take, "slow", 1, REIN_TAKE_DEADLINE, asked + 9 * SECOND);
	REFUSED(ETIME, TAKE_LATE);
	ask_for(&self->take, "slow", 1, REIN_TAKE_TIMEOUT, 15 * SECOND);
	b = reserve(self->dev, &self->take);
	ASSERT_LE(0, b);
	ask_for(&self->take, "slow", 1, REIN_TAKE_DEADLINE, REIN_DEV_NEVER);
	c = reserve(self->dev, &self->take);
	ASSERT_LE(0, c);
	EXPECT_EQ(2, counted(self, "slow", REIN_A_STATS_QUEUED));
	/* Now it won't be in time any more, and is told at once. */
	ASSERT_EQ(0, change(self, "slow", 1, 40 * SECOND, 1, false));
	EXPECT_EQ(FAILED, DECIDED(b));
	CLAIMS(b, ETIME, TAKE_LATE);
	EXPECT_EQ(-1, events(c, POLLIN, 0));
	close(b);
	close(c);
	close(a);
	EXPECT_EQ(0, counted(self, "slow", REIN_A_STATS_QUEUED));
	EXPECT_EQ(0, counted(self, "slow", REIN_A_STATS_HELD));
}

TEST_F_TIMEOUT(reserve, cgroups_that_go, TIMEOUT)
{
	int a, b, c;

	ASSERT_EQ(0, add_call(self->fd, "gone", self->other, REIN_OVER_WAIT, 1, DAY, 2));
	ASSERT_TRUE(enter(OTHER));
	ask_more(ask_for(&self->take, "gone", 1, 0, 0), "ten", 1);
	a = reserve(self->dev, &self->take);
	b = reserve_of(self, "gone", 1, 60 * SECOND);
	c = reserve_of(self, "gone", 1, 60 * SECOND);
	ASSERT_LE(0, c);
	ASSERT_TRUE(enter(DIRECTORY));
	BOOKS("gone", self->other, 0, 1, 2);
	ASSERT_EQ(0, rmdir(OTHER));
	/* The limit goes with it: nothing binds it any more. */
	EXPECT_EQ(GRANTED, DECIDED(c));
	CLAIMS(c, 0, 0);
	CLAIMS(b, 0, 0);
	/* The one above is still there. */
	BOOKS("ten", self->dir, 9, 0, 1);
	close(a);
	BOOKS("ten", self->dir, 10, 0, 0);
	close(b);
	close(c);
}

/* --- bounds ------------------------------------------------------------------------------ */

TEST_F(reserve, as_many_as_the_queue_allows)
{
	int a = reserve_of(self, "ten", 10, 60 * SECOND), fds[3];
	size_t i;

	ASSERT_EQ(0, change_u64(self, "ten", REIN_A_LIMIT_QUEUE, 3));
	for (i = 0; i < 3; i++) {
		fds[i] = reserve_of(self, "ten", 1, 0);
		ASSERT_LE(0, fds[i]);
	}
	ask_for(&self->take, "ten", 1, 0, 0);
	REFUSED(ENOBUFS, TAKE_FULL);
	/* Takes stand in the same line. */
	ask_for(&self->take, "ten", 1, 0, 0);
	EXPECT_EQ(ENOBUFS, take_now(self->dev, &self->take));
	close(fds[1]);
	fds[1] = reserve_of(self, "ten", 1, 0);
	EXPECT_LE(0, fds[1]);
	BOOKS("ten", self->dir, 0, 3, 1);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	close(a);
	BOOKS("ten", self->dir, 10, 0, 0);
}

TEST_F_TIMEOUT(reserve, as_many_as_one_opening_may_have, TIMEOUT)
{
	static int fds[REIN_RESERVATIONS_MAX];
	struct rlimit files = { 4096, 4096 };
	int dev, fd, last;
	size_t i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, add_call(self->fd, "big", self->dir, REIN_OVER_WAIT, 1, DAY, 1000));
	for (i = 0; i < REIN_RESERVATIONS_MAX; i++) {
		fds[i] = reserve_of(self, "big", 1, 60 * SECOND);
		ASSERT_LE(0, fds[i]);
	}
	BOOKS("big", self->dir, 0, 24, 1000);
	ask_for(&self->take, "big", 1, 0, 0);
	REFUSED(EMFILE, RESERVE_MANY);
	/* It is this opening that counts. */
	dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	ask_for(&self->take, "big", 1, 0, 0);
	fd = reserve(dev, &self->take);
	EXPECT_LE(0, fd);
	close(fd);
	close(dev);
	/* One that was claimed counts until it is closed. */
	CLAIMS(fds[0], 0, 0);
	ask_for(&self->take, "big", 1, 0, 0);
	REFUSED(EMFILE, RESERVE_MANY);
	close(fds[0]);
	fds[0] = reserve_of(self, "big", 1, 60 * SECOND);
	EXPECT_LE(0, fds[0]);
	for (i = 0; i < REIN_RESERVATIONS_MAX; i++)
		close(fds[i]);
	BOOKS("big", self->dir, 999, 0, 0);

	/* No more files than the process may have. */
	last = dup(0);
	files.rlim_cur = last;
	close(last);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ask_for(&self->take, "ten", 1, 0, 0);
	REFUSED(EMFILE, RESERVE_MANY);
	files.rlim_cur = last + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	/* And one that is refused leaves none behind. */
	ask_for(&self->take, "nowhere", 1, 0, 0);
	REFUSED(ENOENT, TAKE_UNKNOWN);
	fd = reserve_of(self, "ten", 1, 0);
	EXPECT_EQ(last, fd);
	close(fd);
	BOOKS("ten", self->dir, 10, 0, 0);
}

TEST_F(reserve, refused_at_once)
{
	ASSERT_EQ(0, add_call(self->fd, "strict", self->dir, REIN_OVER_REFUSE, 1, DAY, 1));
	ask_for(&self->take, "nowhere", 1, 0, 0);
	REFUSED(ENOENT, TAKE_UNKNOWN);
	ask_for(&self->take, "ten", 11, 0, 0);
	REFUSED(E2BIG, TAKE_BURST);
	ask_for(&self->take, "strict", 1, REIN_TAKE_TRY, 0);
	EXPECT_EQ(0, take_now(self->dev, &self->take));
	ask_more(ask_for(&self->take, "ten", 1, 0, 0), "strict", 1);
	REFUSED(EAGAIN, TAKE_OVER);
	EXPECT_EQ(1, self->take.args.want);
	ASSERT_EQ(0, change_u64(self, "ten", REIN_A_LIMIT_PATIENCE_NS, SECOND));
	ask_for(&self->take, "ten", 10, 0, 0);
	EXPECT_EQ(0, take_now(self->dev, &self->take));
	ask_for(&self->take, "ten", 1, 0, 0);
	REFUSED(EAGAIN, TAKE_PATIENCE);
	BOOKS("ten", self->dir, 0, 0, 0);
	BOOKS("strict", self->dir, 0, 0, 0);
}

/* --- who has it ------------------------------------------------------------------------- */

static int wait_child(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool send_fd(int sock, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1;
}

static int receive_fd(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

TEST_F(reserve, who_has_a_copy)
{
	int a = reserve_of(self, "ten", 4, 60 * SECOND), b, sockets[2];
	pid_t pid;

	ASSERT_LE(0, a);
	b = dup(a);
	close(a);
	BOOKS("ten", self->dir, 6, 0, 1);
	pid = fork();
	if (!pid)
		_exit(0);
	EXPECT_EQ(0, wait_child(pid));
	BOOKS("ten", self->dir, 6, 0, 1);
	/* Another process, in another cgroup, which has not opened the device. */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(b);
		close(self->dev);
		a = enter(CGROOT) ? receive_fd(sockets[1]) : -1;
		_exit(a >= 0 ? claim(a, &self->take) : 255);
	}
	ASSERT_TRUE(send_fd(sockets[0], b));
	EXPECT_EQ(0, wait_child(pid));
	CLAIMS(b, EALREADY, RESERVE_CLAIMED);
	BOOKS("ten", self->dir, 6, 0, 0);
	close(b);

	/* One on its way is held until nobody can receive it any more. */
	a = reserve_of(self, "ten", 4, 60 * SECOND);
	ASSERT_TRUE(send_fd(sockets[0], a));
	close(a);
	BOOKS("ten", self->dir, 2, 0, 1);
	close(sockets[0]);
	close(sockets[1]);
	BOOKS("ten", self->dir, 6, 0, 0);
}

/* Whatever ends a process frees its places. */
TEST_F(reserve, killed)
{
	int ready[2], a;
	char byte;
	pid_t pid;

	a = reserve_of(self, "ten", 10, 60 * SECOND);
	ASSERT_LE(0, a);
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(a);
		byte = reserve_of(self, "ten", 1, 0) >= 0 && reserve_of(self, "ten", 2, 0) >= 0;
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	ASSERT_EQ(1, byte);
	EXPECT_EQ(2, counted(self, "ten", REIN_A_STATS_QUEUED));
	kill(pid, SIGKILL);
	EXPECT_EQ(-1, wait_child(pid));
	EXPECT_EQ(0, counted(self, "ten", REIN_A_STATS_QUEUED));
	EXPECT_EQ(2, counted(self, "ten", REIN_A_STATS_CANCELLED));
	BOOKS("ten", self->dir, 0, 0, 1);
	close(a);
	close(ready[0]);
	close(ready[1]);
}

TEST_F(reserve, the_module_stays_while_there_is_one)
{
	int a = reserve_of(self, "ten", 10, 60 * SECOND), b = reserve_of(self, "ten", 1, 0);

	ASSERT_LE(0, b);
	close(self->dev);
	EXPECT_EQ(-1, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	/* They don't need the device. */
	CLAIMS(a, 0, 0);
	close(a);
	ASSERT_EQ(0, flush_all(self->fd));
	EXPECT_EQ(FAILED, DECIDED(b));
	EXPECT_EQ(-1, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	close(b);
	self->dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
}

/* --- asked wrongly ------------------------------------------------------------------------- */

#define SIZED(request, size) \
	_IOC(_IOC_READ | _IOC_WRITE, REIN_IOC_MAGIC, _IOC_NR(request), size)

#define FAILS(errno_, at, request, arg) do {						\
	EXPECT_EQ(-1, ioctl(at, request, arg));						\
	EXPECT_EQ(errno_, errno) {							\
		TH_LOG("%s; " AGAIN, strerror(errno));					\
	}										\
} while (0)

TEST_F(reserve, wrong_requests)
{
	static const uint64_t claims[] = {
		1, REIN_CLAIM_MIN_NS - 1, REIN_CLAIM_MAX_NS + 1, 1ULL << 63, UINT64_MAX,
	};
	unsigned int i;

	for (i = 4; i < 32; i++) {
		ask_for(&self->take, "ten", 1, 1U << i, 0);
		REFUSED(EINVAL, TAKE_MALFORMED);
	}
	ask_for(&self->take, "ten", 1, REIN_TAKE_TRY, 0);
	REFUSED(EINVAL, TAKE_MALFORMED);
	ask_for(&self->take, "ten", 1, REIN_TAKE_TIMEOUT | REIN_TAKE_DEADLINE, SECOND);
	REFUSED(EINVAL, TAKE_MALFORMED);
	ask_for(&self->take, "ten", 1, 0, 1);
	REFUSED(EINVAL, TAKE_MALFORMED);
	for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		ask_for(&self->take, "ten", 1, 0, 0);
		self->take.args.claim_ns = claims[i];
		REFUSED(EINVAL, TAKE_MALFORMED);
		/* Nor is there anything to be claimed of a take. */
		EXPECT_EQ(EINVAL, take_now(self->dev, &self->take));
		EXPECT_EQ(TAKE_MALFORMED, self->take.args.code);
	}
	ask_for(&self->take, "ten", 0, 0, 0);
	REFUSED(EINVAL, TAKE_MALFORMED);
	ask_nothing(&self->take, 0, 0);
	REFUSED(EINVAL, TAKE_MALFORMED);
	ask_more(ask_for(&self->take, "ten", 1, 0, 0), "ten", 1);
	REFUSED(EINVAL, TAKE_TWICE);
	BOOKS("ten", self->dir, 10, 0, 0);
}

TEST_F(reserve, wrong_claims)
{
	struct rein_take_args *args = &self->take.args;
	int a = reserve_of(self, "ten", 1, 60 * SECOND);
	unsigned int i;

	for (i = 0; i < 5; i++) {
		memset(&self->take, 0, sizeof(self->take));
		*(i == 0 ? &args->wants : i == 1 ? &args->deadline_ns : &args->claim_ns) = i < 3;
		args->flags = i == 3 ? REIN_TAKE_TIMEOUT : 0;
		args->n_wants = i == 4;
		FAILS(EINVAL, a, REIN_IOC_CLAIM, args);
		EXPECT_EQ(TAKE_MALFORMED, args->code);
	}
	memset(&self->take, 0, sizeof(self->take));
	FAILS(ENOTTY, self->dev, REIN_IOC_CLAIM, args);
	FAILS(ENOTTY, self->fd, REIN_IOC_CLAIM, args);
	FAILS(EBADF, -1, REIN_IOC_CLAIM, args);
	ask_for(&self->take, "ten", 1, 0, 0);
	FAILS(ENOTTY, a, REIN_IOC_TAKE, args);
	FAILS(ENOTTY, a, REIN_IOC_RESERVE, args);
	FAILS(ENOTTY, a, 0x5401 /* TCGETS */, args);
	EXPECT_EQ(-1, read(a, &i, 1));
	EXPECT_EQ(-1, write(a, &i, 1));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, a, 0));
	/* None of it has claimed anything. */
	BOOKS("ten", self->dir, 9, 0, 1);
	CLAIMS(a, 0, 0);
	close(a);
}

TEST_F(reserve, sizes)
{
	const size_t size = sizeof(self->take.args);
	static char newer[16384];
	size_t n;
	int fd;

	for (n = 0; n < REIN_TAKE_ARGS_SIZE_0; n++) {
		ask_for(&self->take, "ten", 1, 0, 0);
		FAILS(EINVAL, self->dev, SIZED(REIN_IOC_RESERVE, n), &self->take.args);
	}
	/* The first version knew no time to claim: what is there means nothing. */
	ask_for(&self->take, "ten", 1, 0, 0);
	self->take.args.claim_ns = UINT64_MAX;
	fd = ioctl(self->dev, SIZED(REIN_IOC_RESERVE, REIN_TAKE_ARGS_SIZE_0), &self->take.args);
	ASSERT_LE(0, fd);
	EXPECT_EQ(UINT64_MAX, self->take.args.claim_ns);
	for (n = 0; n < REIN_TAKE_ARGS_SIZE_0; n++)
		FAILS(EINVAL, fd, SIZED(REIN_IOC_CLAIM, n), newer);
	newer[size] = 1;
	FAILS(E2BIG, fd, SIZED(REIN_IOC_CLAIM, size + 8), newer);
	newer[size] = 0;
	EXPECT_EQ(0, ioctl(fd, SIZED(REIN_IOC_CLAIM, 16383), newer));
	close(fd);
	for (n = 1; n < 100; n += 7) {
		ask_for(&self->take, "ten", 1, 0, 0);
		memset(newer, 0, sizeof(newer));
		memcpy(newer, &self->take.args, size);
		newer[size + n - 1] = 1;
		FAILS(E2BIG, self->dev, SIZED(REIN_IOC_RESERVE, size + n), newer);
		newer[size + n - 1] = 0;
		fd = ioctl(self->dev, SIZED(REIN_IOC_RESERVE, size + n), newer);
		EXPECT_LE(0, fd);
		close(fd);
	}
	BOOKS("ten", self->dir, 9, 0, 0);
}

TEST_F(reserve, pointers)
{
	const size_t page = sysconf(_SC_PAGESIZE), size = sizeof(struct rein_take_args);
	void *const wrong[] = {
		NULL, (void *)1, (void *)0xffff888000001000UL, (void *)-8UL,
	};
	char *edge = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	int a = reserve_of(self, "ten", 1, 60 * SECOND), last;
	size_t i;

	ASSERT_NE(MAP_FAILED, edge);
	edge += page;
	ASSERT_EQ(0, mprotect(edge, page, PROT_NONE));
	last = dup(0);
	close(last);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		FAILS(EFAULT, self->dev, REIN_IOC_RESERVE, wrong[i]);
		FAILS(EFAULT, a, REIN_IOC_CLAIM, wrong[i]);
		ask_for(&self->take, "ten", 1, 0, 0);
		self->take.args.wants = (uintptr_t)wrong[i];
		FAILS(EFAULT, self->dev, REIN_IOC_RESERVE, &self->take.args);
	}
	ask_for(&self->take, "ten", 1, 0, 0);
	for (i = 1; i < size; i += 5) {
		memcpy(edge - i, &self->take.args, i);
		FAILS(EFAULT, self->dev, REIN_IOC_RESERVE, edge - i);
	}
	/* What can be read and not be answered. */
	memcpy(edge - size, &self->take.args, size);
	ASSERT_EQ(0, mprotect(edge - page, page, PROT_READ));
	FAILS(EFAULT, self->dev, REIN_IOC_RESERVE, edge - size);
	ASSERT_EQ(0, mprotect(edge - page, page, PROT_READ | PROT_WRITE));
	memset(edge - size, 0, size);
	ASSERT_EQ(0, mprotect(edge - page, page, PROT_READ));
	FAILS(EFAULT, a, REIN_IOC_CLAIM, edge - size);
	/* No descriptor is left, nothing charged, and nothing claimed. */
	EXPECT_EQ(last, dup(0));
	close(last);
	BOOKS("ten", self->dir, 9, 0, 1);
	CLAIMS(a, 0, 0);
	close(a);
}

/* --- everything at once -------------------------------------------------------------------- */

#define ROUNDS		150

struct racer {
	pthread_t thread;
	int dev;
	uint64_t random;
	int shared;
	unsigned int granted;
	int wrong;
};

static uint64_t dice(struct racer *racer, uint64_t below)
{
	uint64_t x = racer->random += 0x9e3779b97f4a7c15ULL;	/* splitmix64 */

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	return (x ^ x >> 27) % below;
}

/* One may close what the other claims or polls. */
static void race_with(struct racer *racer, int fd, struct take *take)
{
	int err;

	switch (dice(racer, 4)) {
	case 0:
		return;
	case 1:
		events(fd, POLLIN, 3);
		break;
	case 2:
		events(fd, POLLIN, LONG_MS);
		break;
	}
	err = claim(fd, take);
	if (!err)
		racer->granted++;
	else if (err != EAGAIN && err != ESTALE && err != EALREADY && err != ECANCELED &&
		 err != ETIME && err != ETIMEDOUT && err != EBADF && err != ENOTTY)
		racer->wrong = err;
}

static void *race(void *arg)
{
	struct racer *racer = arg;
	struct take take;
	unsigned int i;
	int fd, copy;

	for (i = 0; i < ROUNDS; i++) {
		ask_for(&take, "race", 1 + dice(racer, 2), REIN_TAKE_TIMEOUT,
			dice(racer, 30) * MS);
		take.args.claim_ns = MS * (1 + dice(racer, 4));
		fd = reserve(racer->dev, &take);
		if (fd < 0)
			continue;
		copy = dup(fd);
		/* Whoever has an eye on us may be the one to close it. */
		__atomic_store_n(&racer->shared, copy, __ATOMIC_SEQ_CST);
		race_with(racer, fd, &take);
		close(fd);
		__atomic_store_n(&racer->shared, -1, __ATOMIC_SEQ_CST);
		close(copy);
	}
	return NULL;
}

TEST_F_TIMEOUT(reserve, close_claim_grant_and_change, TIMEOUT)
{
	static struct racer racers[4];
	unsigned int i, granted = 0;
	struct books books;

	ASSERT_EQ(0, add_call(self->fd, "race", self->dir, REIN_OVER_WAIT, 1, 2 * MS, 4));
	for (i = 0; i < 4; i++) {
		racers[i] = (struct racer){ .dev = self->dev, .random = i * 7919, .shared = -1 };
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, race, &racers[i]));
	}
	/* Somebody else claims, too, and the limit changes. */
	for (i = 0; i < 100; i++) {
		struct racer *racer = &racers[i % 4];
		int fd = __atomic_load_n(&racer->shared, __ATOMIC_SEQ_CST);

		if (fd >= 0 && !claim(fd, &self->take))
			granted++;
		EXPECT_EQ(0, change(self, "race", 1 + i % 3, 2 * MS, 3 + i % 4, i % 5 == 0));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(racers[i].thread, NULL);
		granted += racers[i].granted;
		EXPECT_EQ(0, racers[i].wrong) {
			TH_LOG("%s; " AGAIN, strerror(racers[i].wrong));
		}
	}
	ASSERT_EQ(0, read_books(self->fd, "race", self->dir, &books));
	EXPECT_TRUE(books_balance(&books)) {
		TH_LOG("the counters don't add up; " AGAIN);
	}
	EXPECT_EQ(0, books.count[REIN_A_STATS_QUEUED]);
	EXPECT_EQ(0, books.count[REIN_A_STATS_HELD]);
	EXPECT_EQ(granted, books.count[REIN_A_STATS_PASSED] +
			   books.count[REIN_A_STATS_RELEASED]) {
		TH_LOG("what was claimed is not what was counted; " AGAIN);
	}
	EXPECT_NE(0, granted);
}

TEST_HARNESS_MAIN
