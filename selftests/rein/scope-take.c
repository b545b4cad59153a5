// SPDX-License-Identifier: GPL-2.0
/*
 * Takes and reservations that are a part of a scope: they end with it, are never later than
 * it, charge nothing then, and are in nobody's way any more.
 *
 * Nothing here depends on how fast the machine is: what is waited for is an event,
 * and times are those that the kernel says.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <kselftest_harness.h>
#include "scope.h"

#define CGROOT		"/sys/fs/cgroup"
#define DIRECTORY	CGROOT "/test-scope-take"

#define AGAIN		"run: make check TESTS=scope-take"
#define TIMEOUT		110

/**
 * struct within - what every test has; it runs in @dir, as it is alone in there
 * @fd:		the netlink socket
 * @dev:	the device
 * @dir:	a cgroup with a limit "ten", which has as many tokens, and lets wait
 * @before:	how many scopes there were
 * @raw:	the newest record of an error without a meaning
 * @take:	a request
 */
FIXTURE(within) {
	int fd;
	int dev;
	int dir;
	uint64_t before;
	uint64_t raw;
	struct take take;
};

FIXTURE_SETUP(within) {
	self->fd = genl_socket();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, genl_resolve(self->fd)) {
		TH_LOG("the module is not loaded");
	}
	ASSERT_EQ(0, flush_all(self->fd));
	mkdir(DIRECTORY, 0755);
	self->dir = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->dir);
	ASSERT_EQ(0, add_call(self->fd, "ten", self->dir, REIN_OVER_WAIT, 1, DAY, 10));
	self->dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
	self->before = count_scopes(self->fd);
	self->raw = newest(self->fd, RAW);
	ASSERT_TRUE(enter(DIRECTORY));
}

FIXTURE_TEARDOWN(within) {
	EXPECT_EQ(self->raw, newest(self->fd, RAW)) {
		TH_LOG("an error had no meaning: rein errors list; " AGAIN);
	}
	EXPECT_EQ(self->before, settle_scopes(self->fd, self->before)) {
		TH_LOG("a scope is left; " AGAIN);
	}
	flush_all(self->fd);
	enter(CGROOT);
	close(self->dev);
	close(self->dir);
	close(self->fd);
	rmdir(DIRECTORY);
}

#define GRANTED		POLLIN
#define FAILED		(POLLIN | POLLERR)

/* @n tokens of @name, as a part of @scope. */
static int reserve_within(FIXTURE_DATA(within) *self, const char *name, uint64_t n, int scope)
{
	ask_within(ask_for(&self->take, name, n, 0, 0), scope);
	self->take.args.claim_ns = 60 * SECOND;
	return reserve(self->dev, &self->take);
}

static int take_within(FIXTURE_DATA(within) *self, const char *name, uint64_t n, int scope)
{
	return take_now(self->dev, ask_within(ask_for(&self->take, name, n, 0, 0), scope));
}

static bool ends_a_scope(unsigned int code)
{
	return code >= SCOPE_TIMEOUT && code <= SCOPE_OWNER_EXIT;
}

/* What a take or a claim came to: its errno, its code, its scope. */
static void check(struct __test_metadata *_metadata, FIXTURE_DATA(within) *self,
		  struct take *take, int err, int want, unsigned int code, unsigned int cause,
		  uint64_t scope, const char *what)
{
	struct scope_record record;

	EXPECT_EQ(want, err) {
		TH_LOG("%s: expected %s, seen %s (%.128s); " AGAIN, what, strerror(want),
		       strerror(err), take->args.message);
	}
	EXPECT_EQ(code, take->args.code) {
		TH_LOG("%s: %.128s; " AGAIN, what, take->args.message);
	}
	EXPECT_EQ(cause, take->args.cause) {
		TH_LOG("%s: why its scope is done; " AGAIN, what);
	}
	EXPECT_EQ(scope, take->args.scope_id) {
		TH_LOG("%s: which scope has ended it; " AGAIN, what);
	}
	take->args.n_wants = REIN_TAKE_NAMES_MAX;
	EXPECT_EQ(NULL, answer_wrong(&take->args, err)) {
		TH_LOG("%s: the answer is not complete: %s; " AGAIN, what,
		       answer_wrong(&take->args, err));
	}
	if (!code)
		return;
	ASSERT_NE(0, take->args.record) {
		TH_LOG("%s: there is no record of it; " AGAIN, what);
	}
	ASSERT_EQ(0, read_scope_record(self->fd, take->args.record, &record));
	/* Of one that has ended with its scope it is that of the scope. */
	EXPECT_TRUE(cause ? ends_a_scope(record.code) : record.code == code) {
		TH_LOG("%s: its record: %s; " AGAIN, what, record.message);
	}
}

#define TAKES(errno_, code, cause, scope_id, name, n, scope)				\
	check(_metadata, self, &self->take, take_within(self, name, n, scope), errno_, code, \
	      cause, scope_id, "a take")

#define CLAIMS(at, errno_, code, cause, scope_id)					\
	check(_metadata, self, &self->take, claim(at, &self->take), errno_, code, cause, \
	      scope_id, "a claim")

/* A limit's counters add up, and so much is there, waits, is held, and was cancelled. */
#define BOOKS(name, tokens_, queued_, held_, cancelled_) do {				\
	const char *name_ = (name);							\
	struct books books_;								\
											\
	ASSERT_EQ(0, read_books(self->fd, name_, self->dir, &books_));			\
	EXPECT_TRUE(books_balance(&books_)) {						\
		TH_LOG("%s: the counters don't add up; " AGAIN, name_);			\
	}										\
	EXPECT_EQ(tokens_, books_.tokens);						\
	EXPECT_EQ(queued_, books_.count[REIN_A_STATS_QUEUED]);				\
	EXPECT_EQ(held_, books_.count[REIN_A_STATS_HELD]);				\
	EXPECT_EQ(cancelled_, books_.count[REIN_A_STATS_CANCELLED]);			\
} while (0)

static uint64_t queued(FIXTURE_DATA(within) *self, const char *name)
{
	struct books books;

	return read_books(self->fd, name, self->dir, &books) ? UINT64_MAX :
	       books.count[REIN_A_STATS_QUEUED];
}

/* Until @n wait for a limit; false if that takes too long. */
static bool wait_queued(FIXTURE_DATA(within) *self, const char *name, uint64_t n)
{
	uint64_t end = now_ns() + LONG;

	while (queued(self, name) != n) {
		if (now_ns() > end)
			return false;
		usleep(1000);
	}
	return true;
}

/*
 * Until @n wait in a scope: they queue first. Says how many do, at last; UINT32_MAX if it is
 * not there.
 */
static uint32_t wait_waiters(int fd, uint64_t id, uint32_t n)
{
	uint64_t end = now_ns() + LONG;
	struct scope_view view;

	do {
		if (read_scope(fd, id, &view))
			return UINT32_MAX;
		if (view.waiters == n)
			break;
		usleep(1000);
	} while (now_ns() < end);
	return view.waiters;
}

/* Whoever takes in another thread. */
struct waiter {
	pthread_t thread;
	int dev;
	struct take take;
	int err;
};

static void *waiter_run(void *arg)
{
	struct waiter *waiter = arg;

	waiter->err = take_now(waiter->dev, &waiter->take);
	return NULL;
}

/* --- to be cancelled -------------------------------------------------------------------- */

TEST_F(within, a_scope_that_is_done)
{
	int top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), low, eye;
	uint64_t top_id = said.id, low_id;

	low = SUCCEEDS(scope_new(self->dev, top));
	low_id = said.id;
	eye = SUCCEEDS(scope_observe(low));
	/* As long as it isn't, it is as if there were none. */
	TAKES(0, 0, 0, 0, "ten", 1, top);
	TAKES(0, 0, 0, 0, "ten", 1, eye);
	ask_within(ask_for(&self->take, "ten", 1, REIN_TAKE_TRY, 0), low);
	check(_metadata, self, &self->take, take_now(self->dev, &self->take), 0, 0, 0, 0, "a try");
	ask_within(ask_for(&self->take, "ten", 1, REIN_TAKE_TIMEOUT, SECOND), low);
	check(_metadata, self, &self->take, take_now(self->dev, &self->take), 0, 0, 0, 0,
	      "a take with a timeout");
	SUCCEEDS(scope_cancel(top));
	/* Even where there are tokens, and nothing is charged. */
	TAKES(ECANCELED, SCOPE_DONE, REIN_CAUSE_USER, top_id, "ten", 1, top);
	TAKES(ECANCELED, SCOPE_DONE, REIN_CAUSE_PARENT, low_id, "ten", 1, low);
	TAKES(ECANCELED, SCOPE_DONE, REIN_CAUSE_PARENT, low_id, "ten", 1, eye);
	ask_within(ask_for(&self->take, "ten", 1, REIN_TAKE_TRY, 0), low);
	check(_metadata, self, &self->take, take_now(self->dev, &self->take), ECANCELED,
	      SCOPE_DONE, REIN_CAUSE_PARENT, low_id, "a try");
	EXPECT_EQ(-ECANCELED, reserve_within(self, "ten", 1, low));
	check(_metadata, self, &self->take, ECANCELED, ECANCELED, SCOPE_DONE, REIN_CAUSE_PARENT,
	      low_id, "a reservation");
	{
		struct books books;

		ASSERT_EQ(0, read_books(self->fd, "ten", self->dir, &books));
		EXPECT_EQ(6, books.tokens);
		EXPECT_EQ(0, books.count[REIN_A_STATS_QUEUED]);
		EXPECT_TRUE(books_balance(&books));
	}
	close(eye);
	close(low);
	close(top);
}

TEST_F_TIMEOUT(within, a_take_that_waits, TIMEOUT)
{
	int top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), low, eye;
	static struct waiter waiters[3];
	struct scope_view view;
	uint64_t top_id = said.id, low_id;
	unsigned int i;

	low = SUCCEEDS(scope_new(self->dev, top));
	low_id = said.id;
	eye = SUCCEEDS(scope_observe(low));
	ASSERT_EQ(0, add_call(self->fd, "three", self->dir, REIN_OVER_WAIT, 1, DAY, 3));
	TAKES(0, 0, 0, 0, "ten", 8, top);
	for (i = 0; i < 3; i++) {
		waiters[i].dev = self->dev;
		ask_more(ask_for(&waiters[i].take, "ten", 3, 0, 0), "three", 1);
		ask_within(&waiters[i].take, i == 0 ? top : i == 1 ? low : eye);
		ASSERT_EQ(0, pthread_create(&waiters[i].thread, NULL, waiter_run, &waiters[i]));
	}
	ASSERT_TRUE(wait_queued(self, "ten", 3));
	/* Who waits is a part of a scope, and of those above. */
	EXPECT_EQ(2, wait_waiters(self->fd, low_id, 2));
	BOOKS("ten", 2, 3, 0, 0);
	BOOKS("three", 3, 3, 0, 0);
	SUCCEEDS(scope_cancel_as(top, REIN_CAUSE_USER, "enough"));
	for (i = 0; i < 3; i++) {
		pthread_join(waiters[i].thread, NULL);
		check(_metadata, self, &waiters[i].take, waiters[i].err, ECANCELED, SCOPE_DONE,
		      i ? REIN_CAUSE_PARENT : REIN_CAUSE_USER, i ? low_id : top_id, "a take");
	}
	BOOKS("ten", 2, 0, 0, 3);
	BOOKS("three", 3, 0, 0, 3);
	ASSERT_EQ(0, read_scope(self->fd, low_id, &view));
	EXPECT_EQ(0, view.waiters);
	/* Others are not concerned. */
	ask_for(&self->take, "ten", 2, 0, 0);
	EXPECT_EQ(0, take_now(self->dev, &self->take));
	close(eye);
	close(low);
	close(top);
}

/* The scope's last descriptor goes while a take waits in it. */
TEST_F_TIMEOUT(within, an_owner_that_goes, TIMEOUT)
{
	int scope = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD)), fd, eye;
	uint64_t id = said.id;
	static struct waiter waiter;

	TAKES(0, 0, 0, 0, "ten", 10, scope);
	fd = reserve_within(self, "ten", 1, scope);
	ASSERT_LE(0, fd);
	close(scope);
	EXPECT_EQ(FAILED, scope_events(fd, POLLIN, LONG_MS));
	CLAIMS(fd, ECANCELED, SCOPE_DONE, REIN_CAUSE_OWNER_EXIT, id);
	close(fd);
	EXPECT_EQ(self->before, count_scopes(self->fd));

	scope = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD));
	id = said.id;
	waiter.dev = self->dev;
	ask_within(ask_for(&waiter.take, "ten", 1, 0, 0), scope);
	ASSERT_EQ(0, pthread_create(&waiter.thread, NULL, waiter_run, &waiter));
	ASSERT_TRUE(wait_queued(self, "ten", 1));
	close(scope);
	pthread_join(waiter.thread, NULL);
	check(_metadata, self, &waiter.take, waiter.err, ECANCELED, SCOPE_DONE,
	      REIN_CAUSE_OWNER_EXIT, id, "a take");

	/* An observer doesn't own it, nor does who waits. */
	scope = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD));
	id = said.id;
	fd = reserve_within(self, "ten", 1, scope);
	ASSERT_LE(0, fd);
	eye = SUCCEEDS(scope_observe(scope));
	close(scope);
	CLAIMS(fd, ECANCELED, SCOPE_DONE, REIN_CAUSE_OWNER_EXIT, id);
	close(fd);
	close(eye);
	BOOKS("ten", 0, 0, 0, 3);
}

/* Its place goes to those behind. */
TEST_F_TIMEOUT(within, those_behind_move_up, TIMEOUT)
{
	int scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), other, first, fds[6];
	uint64_t from;
	size_t i;

	other = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	ASSERT_EQ(0, add_call(self->fd, "hourly", self->dir, REIN_OVER_WAIT, 1, HOUR, 1));
	first = reserve_within(self, "hourly", 1, other);
	ASSERT_LE(0, first);
	CLAIMS(first, 0, 0, 0, 0);
	from = self->take.args.granted_ns;
	for (i = 0; i < 6; i++) {
		fds[i] = reserve_within(self, "hourly", 1, i % 2 ? other : scope);
		ASSERT_LE(0, fds[i]);
		EXPECT_LT(i * HOUR, self->take.args.retry_after_ns);
		EXPECT_GE((i + 1) * HOUR, self->take.args.retry_after_ns);
	}
	SUCCEEDS(scope_cancel(scope));
	for (i = 0; i < 6; i++) {
		if (i % 2 == 0) {
			EXPECT_EQ(FAILED, scope_events(fds[i], POLLIN, 0));
			continue;
		}
		EXPECT_EQ(EAGAIN, claim(fds[i], &self->take));
		EXPECT_LT(i / 2 * HOUR, self->take.args.retry_after_ns);
		EXPECT_GE((i / 2 + 1) * HOUR, self->take.args.retry_after_ns) {
			TH_LOG("number %zu did not move up; " AGAIN, i);
		}
	}
	BOOKS("hourly", 0, 3, 0, 3);
	for (i = 0; i < 6; i++)
		close(fds[i]);
	close(first);

	/* And don't wait for longer than there is a need for. */
	ASSERT_EQ(0, add_call(self->fd, "fast", self->dir, REIN_OVER_WAIT, 1, 300 * MS, 1));
	first = reserve_within(self, "fast", 1, other);
	CLAIMS(first, 0, 0, 0, 0);
	from = self->take.args.granted_ns;
	close(scope);
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	for (i = 0; i < 3; i++) {
		fds[i] = reserve_within(self, "fast", 1, i < 2 ? scope : other);
		ASSERT_LE(0, fds[i]);
	}
	SUCCEEDS(scope_cancel(scope));
	if (claim(fds[2], &self->take) == EAGAIN) {
		EXPECT_GE(300 * MS, self->take.args.retry_after_ns) {
			TH_LOG("it did not move up; " AGAIN);
		}
		EXPECT_EQ(GRANTED, scope_events(fds[2], POLLIN, LONG_MS));
		CLAIMS(fds[2], 0, 0, 0, 0);
	}
	EXPECT_LE(from + 300 * MS, self->take.args.granted_ns) {
		TH_LOG("too early; " AGAIN);
	}
	for (i = 0; i < 3; i++)
		close(fds[i]);
	close(first);
	close(scope);
	close(other);
}

/* --- reservations --------------------------------------------------------------------------- */

TEST_F(within, a_reservation)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got;
	int scope = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, 0, 0)), a, b, eye, epoll;
	uint64_t id = said.id;
	struct scope_view view;

	eye = SUCCEEDS(scope_observe(scope));
	a = reserve_within(self, "ten", 10, scope);
	ASSERT_LE(0, a);
	CLAIMS(a, 0, 0, 0, 0);
	b = reserve_within(self, "ten", 1, eye);
	ASSERT_LE(0, b);
	EXPECT_EQ(EAGAIN, claim(b, &self->take));
	EXPECT_EQ(0, self->take.args.cause);
	EXPECT_EQ(0, self->take.args.scope_id);
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_EQ(1, view.waiters);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, b, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &got, 1, 0));
	SUCCEEDS(scope_cancel_as(scope, REIN_CAUSE_DUPLICATE, ""));
	ASSERT_EQ(1, epoll_wait(epoll, &got, 1, LONG_MS));
	EXPECT_EQ(EPOLLIN | EPOLLERR, got.events);
	EXPECT_EQ(FAILED, scope_events(b, POLLIN, 0));
	CLAIMS(b, ECANCELED, SCOPE_DONE, REIN_CAUSE_DUPLICATE, id);
	CLAIMS(b, ECANCELED, SCOPE_DONE, REIN_CAUSE_DUPLICATE, id);
	/* What was claimed is. */
	EXPECT_EQ(EALREADY, claim(a, &self->take));
	EXPECT_EQ(GRANTED, scope_events(a, POLLIN, 0));
	BOOKS("ten", 0, 0, 0, 1);
	/* Closing one that is cancelled changes nothing. */
	close(b);
	close(a);
	BOOKS("ten", 0, 0, 0, 1);
	close(epoll);
	close(eye);
	close(scope);
}

/* Granted and not claimed: either way each token is accounted for. */
TEST_F(within, granted_and_cancelled)
{
	int scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), a;
	struct books books;
	int err;

	a = reserve_within(self, "ten", 4, scope);
	ASSERT_LE(0, a);
	BOOKS("ten", 6, 0, 1, 0);
	SUCCEEDS(scope_cancel(scope));
	err = claim(a, &self->take);
	ASSERT_EQ(0, read_books(self->fd, "ten", self->dir, &books));
	EXPECT_TRUE(books_balance(&books));
	EXPECT_EQ(0, books.count[REIN_A_STATS_HELD]);
	EXPECT_EQ(err ? 10 : 6, books.tokens) {
		TH_LOG("claimed: %s; " AGAIN, strerror(err));
	}
	close(a);
	ASSERT_EQ(0, read_books(self->fd, "ten", self->dir, &books));
	EXPECT_EQ(err ? 10 : 6, books.tokens);
	close(scope);
}

/* --- deadlines ------------------------------------------------------------------------------- */

TEST_F_TIMEOUT(within, never_later_than_its_scope, TIMEOUT)
{
	static const uint32_t clocks[] = { 0, REIN_SCOPE_BOOTTIME };
	int top, low, long_one, fd;
	uint64_t id;
	size_t i;

	ASSERT_EQ(0, add_call(self->fd, "hourly", self->dir, REIN_OVER_WAIT, 1, HOUR, 1));
	ASSERT_EQ(0, add_call(self->fd, "strict", self->dir, REIN_OVER_REFUSE, 1, HOUR, 1));
	long_one = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, 3 * HOUR));
	TAKES(0, 0, 0, 0, "hourly", 1, long_one);
	TAKES(0, 0, 0, 0, "strict", 1, long_one);
	for (i = 0; i < 2; i++) {
		top = SUCCEEDS(scope_timed(self->dev, long_one, REIN_SCOPE_TIMEOUT | clocks[i],
					   HOUR / 2));
		low = SUCCEEDS(scope_timed(self->dev, top, REIN_SCOPE_TIMEOUT, 2 * HOUR));
		/* At once: the tokens can't be there. */
		TAKES(ETIME, TAKE_LATE, 0, 0, "hourly", 1, low);
		EXPECT_LT(HOUR - LONG, self->take.args.retry_after_ns);
		EXPECT_GE(HOUR, self->take.args.retry_after_ns);
		EXPECT_EQ(-ETIME, reserve_within(self, "hourly", 1, top));
		check(_metadata, self, &self->take, ETIME, ETIME, TAKE_LATE, 0, 0, "a reservation");
		ask_within(ask_for(&self->take, "hourly", 1, REIN_TAKE_TIMEOUT, 5 * HOUR), low);
		EXPECT_EQ(ETIME, take_now(self->dev, &self->take));
		/* Whether it waits at all is not for its scope to say. */
		TAKES(EAGAIN, TAKE_OVER, 0, 0, "strict", 1, low);
		close(low);
		close(top);
	}
	/* Its own is earlier; or both are late enough. */
	ask_within(ask_for(&self->take, "hourly", 1, REIN_TAKE_TIMEOUT, HOUR / 2), long_one);
	check(_metadata, self, &self->take, take_now(self->dev, &self->take),
	      ETIME, TAKE_LATE, 0, 0, "its own deadline");
	fd = reserve_within(self, "hourly", 1, long_one);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, queued(self, "hourly"));
	close(fd);
	close(long_one);

	/* One that can be met when it is planned, and can't any more: never later. */
	ASSERT_EQ(0, add_call(self->fd, "soon", self->dir, REIN_OVER_WAIT, 1, 200 * MS, 1));
	top = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, SECOND));
	id = said.id;
	TAKES(0, 0, 0, 0, "soon", 1, top);
	fd = reserve_within(self, "soon", 1, top);
	if (fd >= 0) {
		struct genl_answer answer;
		static struct genl_msg msg;

		begin(&msg, REIN_CMD_LIMIT_SET, "soon", self->dir);
		genl_put_tier(&msg, REIN_UNIT_CALLS, 1, HOUR, 1);
		ASSERT_EQ(0, genl_ask(self->fd, &msg, &answer, NULL, NULL) ?: answer.err);
		scope_events(fd, POLLIN, LONG_MS);
		i = claim(fd, &self->take);
		EXPECT_TRUE(i == ETIME || i == ETIMEDOUT ||
			    (i == ECANCELED && self->take.args.cause == REIN_CAUSE_TIMEOUT &&
			     self->take.args.scope_id == id) ||
			    !i) {
			TH_LOG("%s; " AGAIN, strerror(i));
		}
		close(fd);
	}
	EXPECT_EQ(REIN_CAUSE_TIMEOUT, scope_wait(top));
	TAKES(ECANCELED, SCOPE_DONE, REIN_CAUSE_TIMEOUT, id, "ten", 1, top);
	close(top);
}

/* --- asked wrongly --------------------------------------------------------------------------- */

TEST_F(within, asked_wrongly)
{
	const unsigned long first = _IOC(_IOC_READ | _IOC_WRITE, REIN_IOC_MAGIC, 1,
					 REIN_TAKE_ARGS_SIZE_0);
	int scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), fd;

	TAKES(EBADF, SCOPE_NONE, 0, 0, "ten", 1, self->dev);
	TAKES(EBADF, SCOPE_NONE, 0, 0, "ten", 1, self->fd);
	TAKES(EBADF, SCOPE_NONE, 0, 0, "ten", 1, 9999);
	TAKES(EBADF, SCOPE_NONE, 0, 0, "ten", 1, -1);
	TAKES(EBADF, SCOPE_NONE, 0, 0, "ten", 1, INT32_MIN);
	EXPECT_EQ(-EBADF, reserve_within(self, "ten", 1, self->dir));
	check(_metadata, self, &self->take, EBADF, EBADF, SCOPE_NONE, 0, 0, "a reservation");
	/* One that no flag speaks of. */
	ask_for(&self->take, "ten", 1, 0, 0)->args.scope_fd = scope;
	check(_metadata, self, &self->take, take_now(self->dev, &self->take), EINVAL,
	      TAKE_MALFORMED, 0, 0, "a descriptor without its flag");
	ask_for(&self->take, "ten", 1, 0, 0)->args.scope_fd = -1;
	check(_metadata, self, &self->take, take_now(self->dev, &self->take), EINVAL,
	      TAKE_MALFORMED, 0, 0, "no descriptor without its flag");
	/* A claim asks for nothing. */
	fd = reserve_within(self, "ten", 1, scope);
	ASSERT_LE(0, fd);
	memset(&self->take, 0, sizeof(self->take));
	self->take.args.scope_fd = scope;
	EXPECT_EQ(-1, ioctl(fd, REIN_IOC_CLAIM, &self->take.args));
	EXPECT_EQ(EINVAL, errno);
	memset(&self->take, 0, sizeof(self->take));
	self->take.args.flags = REIN_TAKE_SCOPE;
	EXPECT_EQ(-1, ioctl(fd, REIN_IOC_CLAIM, &self->take.args));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
	/* The first version knew none: what is there is 0, and no scope. */
	ask_within(ask_for(&self->take, "ten", 1, 0, 0), scope);
	EXPECT_EQ(-1, ioctl(self->dev, first, &self->take.args));
	EXPECT_EQ(EBADF, errno);
	ask_for(&self->take, "ten", 1, 0, 0)->args.scope_fd = scope;
	EXPECT_EQ(0, ioctl(self->dev, first, &self->take.args));
	EXPECT_EQ(scope, self->take.args.scope_fd);
	BOOKS("ten", 9, 0, 0, 1);
	close(scope);
}

/* --- many ------------------------------------------------------------------------------------ */

#define PAIRS		3

/*
 * One takes, or reserves and claims, in a scope, and the other cancels that at any moment.
 */
struct pair {
	pthread_t taker;
	pthread_t canceller;
	pthread_barrier_t turn;
	unsigned int rounds;
	uint64_t random[2];
	uint64_t spread_ns;
	bool reserves;
	int dev;
	int scope;
	uint64_t scope_id;
	unsigned int granted;
	unsigned int cancelled;
	unsigned int others;
	const char *wrong;
};

static void spin(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	/* Two CPUs, and six of us: the longer ones are for others to run. */
	if (ns > MS)
		usleep(ns / 1000);
	while (now_ns() < end)
		;
}

static int take_or_claim(struct pair *pair, struct take *take)
{
	int fd, err;

	if (!pair->reserves)
		return take_now(pair->dev, take);
	take->args.claim_ns = 10 * SECOND;
	fd = reserve(pair->dev, take);
	if (fd < 0)
		return -fd;
	if (dice_of(&pair->random[0], 3))
		scope_events(fd, POLLIN, LONG_MS);
	err = claim(fd, take);
	close(fd);
	return err;
}

static void *pair_take(void *arg)
{
	struct pair *pair = arg;
	struct take take;
	unsigned int i;
	int err;

	for (i = 0; i < pair->rounds; i++) {
		pair->scope = scope_new(pair->dev, REIN_NO_FD);
		pair->scope_id = said.id;
		if (pair->scope < 0)
			pair->wrong = strerror(-pair->scope);
		ask_more(ask_more(ask_for(&take, "gate", 1, 0, 0), "deep", 3), "wide", 1);
		ask_within(&take, pair->scope);
		pthread_barrier_wait(&pair->turn);
		spin(dice_of(&pair->random[0], pair->spread_ns));
		err = take_or_claim(pair, &take);
		take.args.n_wants = REIN_TAKE_NAMES_MAX;
		if (err != EAGAIN && answer_wrong(&take.args, err))
			pair->wrong = answer_wrong(&take.args, err);
		if (!err)
			pair->granted++;
		else if (err == ECANCELED)
			pair->cancelled++;
		else if (pair->reserves && err == EAGAIN && !take.args.code)
			pair->others++;
		else
			pair->wrong = strerror(err);
		if (err == ECANCELED && (take.args.cause != REIN_CAUSE_USER ||
					 take.args.scope_id != pair->scope_id))
			pair->wrong = "another cause, or another scope";
		pthread_barrier_wait(&pair->turn);
		close(pair->scope);
	}
	return NULL;
}

static void *pair_cancel(void *arg)
{
	struct pair *pair = arg;
	unsigned int i;

	for (i = 0; i < pair->rounds; i++) {
		pthread_barrier_wait(&pair->turn);
		spin(dice_of(&pair->random[1], pair->spread_ns));
		if (scope_cancel(pair->scope))
			pair->wrong = "not cancelled";
		pthread_barrier_wait(&pair->turn);
	}
	return NULL;
}

/* "deep" and "wide" have no refill: each grant has taken 3 and 1, and no other tokens went. */
static void cancel_at_random(struct __test_metadata *_metadata, FIXTURE_DATA(within) *self,
			     bool reserves, uint64_t gate_ns)
{
	const unsigned int rounds = is_debug() ? 150 : 1000;
	static const char *const names[] = { "gate", "deep", "wide" };
	unsigned int i, granted = 0, cancelled = 0;
	uint64_t seed = choose_seed();
	static struct pair pairs[PAIRS];
	struct books books;

	TH_LOG("TEST_SEED=%llu", (unsigned long long)seed);
	ASSERT_EQ(0, add_call(self->fd, "gate", self->dir, REIN_OVER_WAIT, 1, gate_ns, 1));
	ASSERT_EQ(0, add_call(self->fd, "deep", self->dir, REIN_OVER_WAIT, 1, DAY, 1000000));
	ASSERT_EQ(0, add_call(self->fd, "wide", self->dir, REIN_OVER_WAIT, 1, DAY, 1000000));
	for (i = 0; i < PAIRS; i++) {
		struct pair *pair = &pairs[i];

		memset(pair, 0, sizeof(*pair));
		pair->dev = self->dev;
		pair->rounds = rounds;
		pair->reserves = reserves;
		pair->random[0] = seed + 2 * i;
		pair->random[1] = seed + 2 * i + 1;
		pair->spread_ns = 1 + 3 * gate_ns;
		pthread_barrier_init(&pair->turn, NULL, 2);
		ASSERT_EQ(0, pthread_create(&pair->taker, NULL, pair_take, pair));
		ASSERT_EQ(0, pthread_create(&pair->canceller, NULL, pair_cancel, pair));
	}
	for (i = 0; i < PAIRS; i++) {
		pthread_join(pairs[i].taker, NULL);
		pthread_join(pairs[i].canceller, NULL);
		EXPECT_EQ(NULL, pairs[i].wrong) {
			TH_LOG("%s; " AGAIN, pairs[i].wrong);
		}
		granted += pairs[i].granted;
		cancelled += pairs[i].cancelled + pairs[i].others;
	}
	EXPECT_EQ(PAIRS * rounds, granted + cancelled);
	TH_LOG("%u were granted, %u cancelled", granted, cancelled);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, read_books(self->fd, names[i], self->dir, &books));
		EXPECT_TRUE(books_balance(&books)) {
			TH_LOG("%s: the counters don't add up; " AGAIN, names[i]);
		}
		EXPECT_EQ(0, books.count[REIN_A_STATS_QUEUED]);
		EXPECT_EQ(0, books.count[REIN_A_STATS_HELD]);
		EXPECT_EQ(granted, books.count[REIN_A_STATS_PASSED] +
				   books.count[REIN_A_STATS_RELEASED]) {
			TH_LOG("%s: what was granted is not what was counted; " AGAIN, names[i]);
		}
		EXPECT_GE(cancelled, books.count[REIN_A_STATS_CANCELLED]);
		if (!i)
			continue;
		EXPECT_EQ(1000000 - granted * (i == 1 ? 3 : 1), books.tokens) {
			TH_LOG("%s: what was granted is not what was taken; " AGAIN, names[i]);
		}
	}
	EXPECT_LT(0, granted);
	EXPECT_LT(0, cancelled);
}

TEST_F_TIMEOUT(within, takes_cancelled_at_random, TIMEOUT)
{
	cancel_at_random(_metadata, self, false, is_debug() ? 2 * MS : MS / 2);
}

TEST_F_TIMEOUT(within, takes_cancelled_at_random_fast, TIMEOUT)
{
	cancel_at_random(_metadata, self, false, is_debug() ? MS / 4 : MS / 20);
}

TEST_F_TIMEOUT(within, reservations_cancelled_at_random, TIMEOUT)
{
	cancel_at_random(_metadata, self, true, is_debug() ? 2 * MS : MS / 2);
}

/* So many at once that threads would be too many. */
TEST_F_TIMEOUT(within, ten_thousand, TIMEOUT)
{
	const unsigned int n = is_debug() ? 3000 : 10000;
	unsigned int i, wrong = 0, early = 0;
	struct genl_answer answer;
	static struct genl_msg msg;
	static int fds[10000];
	struct scope_view view;
	uint64_t id, from, took;
	int devs[10], scope;

	ASSERT_TRUE(allow_files(n + 100));
	ASSERT_EQ(0, add_call(self->fd, "big", self->dir, REIN_OVER_WAIT, 1, HOUR, 1));
	begin(&msg, REIN_CMD_LIMIT_SET, "big", self->dir);
	genl_put_u64(&msg, REIN_A_LIMIT_QUEUE, 16384);
	ASSERT_EQ(0, genl_ask(self->fd, &msg, &answer, NULL, NULL) ?: answer.err);
	for (i = 0; i < 10; i++)
		devs[i] = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	id = said.id;
	TAKES(0, 0, 0, 0, "big", 1, scope);
	for (i = 0; i < n; i++) {
		ask_within(ask_for(&self->take, "big", 1, 0, 0), scope);
		fds[i] = reserve(devs[i % 10], &self->take);
		ASSERT_LE(0, fds[i]) {
			TH_LOG("%u: %s (%.128s); " AGAIN, i, strerror(-fds[i]),
			       self->take.args.message);
		}
	}
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_EQ(n, view.waiters);
	BOOKS("big", 0, n, 0, 0);
	from = now_ns();
	SUCCEEDS(scope_cancel(scope));
	took = now_ns() - from;
	for (i = 0; i < n; i++)
		early += scope_events(fds[i], POLLIN, 0) == FAILED;
	for (i = 0; i < n; i++)
		wrong += scope_events(fds[i], POLLIN, LONG_MS) != FAILED ||
			 claim(fds[i], &self->take) != ECANCELED ||
			 self->take.args.cause != REIN_CAUSE_USER ||
			 self->take.args.scope_id != id;
	EXPECT_EQ(0, wrong) {
		TH_LOG("so many were not cancelled; " AGAIN);
	}
	TH_LOG("%u that waited were cancelled by a call of %llu us; %u knew it then", n,
	       (unsigned long long)took / 1000, early);
	BOOKS("big", 0, 0, 0, n);
	for (i = 0; i < n; i++)
		close(fds[i]);
	for (i = 0; i < 10; i++)
		close(devs[i]);
	close(scope);
	BOOKS("big", 0, 0, 0, n);
}

TEST_HARNESS_MAIN
