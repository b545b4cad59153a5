// SPDX-License-Identifier: GPL-2.0
/*
 * Races: under each policy exactly one replica wins, however many claim at once; all others
 * are told who it was; what has won can't be undone.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <kselftest_harness.h>
#include "scope.h"

#define AGAIN		"run: make check TESTS=race"
#define TIMEOUT		110

/**
 * struct race - what every test has
 * @fd:		the netlink socket
 * @dev:	the device
 * @before:	how many scopes there were
 * @raw:	the newest record of an error without a meaning
 * @result:	of a race
 */
FIXTURE(race) {
	int fd;
	int dev;
	uint64_t before;
	uint64_t raw;
	struct rein_result_args result;
};

FIXTURE_SETUP(race) {
	OPENS_REIN();
	self->raw = newest(self->fd, RAW);
}

/* Every test closes all that it has opened. */
FIXTURE_TEARDOWN(race) {
	EXPECT_EQ(self->raw, newest(self->fd, RAW)) {
		TH_LOG("an error had no meaning: rein errors list; " AGAIN);
	}
	EXPECT_EQ(self->before, settle_scopes(self->fd, self->before)) {
		TH_LOG("a scope is left; " AGAIN);
	}
	close(self->dev);
	close(self->fd);
}

/**
 * struct field - a race and who takes part
 * @fd:		the race
 * @id:		its id
 * @replicas:	their descriptors; the first has number 1
 * @ids:	their ids
 * @n:		how many
 */
struct field {
	int fd;
	uint64_t id;
	int replicas[64];
	uint64_t ids[64];
	int n;
};

static void field_make(struct __test_metadata *_metadata, FIXTURE_DATA(race) *self,
		       struct field *field, uint32_t policy, int n)
{
	int i;

	memset(field, 0, sizeof(*field));
	field->fd = SUCCEEDS(race_new(self->dev, policy));
	field->id = said.id;
	for (i = 0; i < n; i++) {
		field->replicas[i] = SUCCEEDS(race_join(field->fd));
		ASSERT_LE(0, field->replicas[i]);
		EXPECT_EQ(i + 1, (int)said.number);
		field->ids[i] = said.id;
	}
	field->n = n;
}

#define MAKE(field, policy, n)	field_make(_metadata, self, field, policy, n)

static void field_close(struct field *field)
{
	int i;

	for (i = 0; i < field->n; i++)
		if (field->replicas[i] >= 0)
			close(field->replicas[i]);
	close(field->fd);
}

/* Give one of them up. */
static void field_leave(struct field *field, int number)
{
	close(field->replicas[number - 1]);
	field->replicas[number - 1] = -1;
}

/* The race was won by that number, with a result of so many bytes. */
#define WON_BY(of, number_, size_) do {							\
	const struct field *field_ = (of);						\
	char room_[REIN_RESULT_MAX];							\
											\
	SUCCEEDS(race_result(field_->fd, 0, room_, sizeof(room_), &self->result));	\
	EXPECT_EQ(number_, self->result.number) {					\
		TH_LOG("another has won; " AGAIN);					\
	}										\
	EXPECT_EQ(field_->ids[(number_) - 1], self->result.winner);			\
	EXPECT_EQ(size_, self->result.size);						\
	EXPECT_EQ(POLLIN, scope_events(field_->fd, POLLIN | POLLPRI, 0)) {		\
		TH_LOG("what poll() says of a race that is decided; " AGAIN);		\
	}										\
} while (0)

/* --- who claims first --------------------------------------------------------------------- */

TEST_F(race, first)
{
	struct scope_record record;
	struct rein_scope_done done;
	struct scope_view view;
	struct field field;
	char room[16];
	int child;

	MAKE(&field, REIN_POLICY_FIRST, 3);
	EXPECT_EQ(FD_CLOEXEC, fcntl(field.fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(field.replicas[0], F_GETFD));
	ASSERT_EQ(0, read_scope(self->fd, field.id, &view));
	EXPECT_EQ(REIN_POLICY_FIRST, view.race);
	EXPECT_EQ(3, view.children);
	EXPECT_EQ(0, view.winner);
	ASSERT_EQ(0, read_scope(self->fd, field.ids[1], &view));
	EXPECT_EQ(2, view.number);
	EXPECT_EQ(field.id, view.parent);
	EXPECT_FALSE(scope_has(&view, REIN_A_SCOPE_RACE));
	EXPECT_EQ(0, scope_events(field.fd, POLLIN | POLLPRI, 0));
	EXPECT_EQ(-EAGAIN, race_result(field.fd, 0, NULL, 0, &self->result));
	EXPECT_EQ(NULL, said_wrong(EAGAIN));
	EXPECT_EQ(0, self->result.number);
	EXPECT_EQ(3, self->result.joined);
	EXPECT_EQ(0, self->result.claims);
	child = SUCCEEDS(scope_new(self->dev, field.replicas[2]));

	SUCCEEDS(race_win(field.replicas[1], "hello", 5));
	EXPECT_EQ(2, said.number);
	EXPECT_EQ(field.ids[1], said.id);
	WON_BY(&field, 2, 5);
	EXPECT_EQ(1, self->result.claims);
	EXPECT_EQ(0, self->result.late);
	CAUSE_IS(REIN_CAUSE_NONE, field.fd);
	CAUSE_IS(REIN_CAUSE_NONE, field.replicas[1]);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, field.replicas[0]);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, field.replicas[2]);
	CAUSE_IS(REIN_CAUSE_PARENT, child);
	ASSERT_TRUE(scope_read(field.replicas[0], &done));
	EXPECT_EQ(field.ids[0], done.id);
	EXPECT_EQ(field.ids[1], done.origin);
	ASSERT_EQ(0, read_scope_record(self->fd, done.record, &record));
	EXPECT_EQ(SCOPE_DUPLICATE, record.code);
	ASSERT_EQ(0, read_scope(self->fd, field.id, &view));
	EXPECT_EQ(2, view.winner);
	/* As much of it as there is room for, and how much there is. */
	memset(room, 0, sizeof(room));
	SUCCEEDS(race_result(field.fd, 0, room, sizeof(room), &self->result));
	EXPECT_STREQ("hello", room);
	memset(room, 'x', sizeof(room));
	SUCCEEDS(race_result(field.fd, 0, room, 2, &self->result));
	EXPECT_EQ(5, self->result.size);
	EXPECT_EQ(0, memcmp(room, "hexx", 4));
	SUCCEEDS(race_result(field.fd, 0, NULL, 0, &self->result));
	EXPECT_EQ(5, self->result.size);

	/* Too late, and told who was first. */
	FAILS(EALREADY, RACE_LATE, race_win(field.replicas[0], "no", 2));
	EXPECT_EQ(2, said.number);
	EXPECT_EQ(field.ids[1], said.id);
	FAILS(EALREADY, RACE_LATE, race_win(field.replicas[2], NULL, 0));
	EXPECT_EQ(2, said.number);
	FAILS(ECANCELED, SCOPE_DONE, race_join(field.fd));
	WON_BY(&field, 2, 5);
	EXPECT_EQ(3, self->result.joined);
	EXPECT_EQ(3, self->result.claims);
	EXPECT_EQ(2, self->result.late);
	EXPECT_EQ(0, self->result.died);
	EXPECT_EQ(0, self->result.cancels);
	close(child);
	field_close(&field);
}

TEST_F(race, results)
{
	static const uint32_t sizes[] = { 0, 1, 100, REIN_RESULT_MAX - 1, REIN_RESULT_MAX };
	static char data[REIN_RESULT_MAX + 1], room[REIN_RESULT_MAX + 1];
	struct field field;
	size_t i, n;
	int err;

	for (n = 0; n < sizeof(data); n++)
		data[n] = n * 7 + n / 256;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		MAKE(&field, REIN_POLICY_FIRST, 2);
		FAILS(EMSGSIZE, RACE_RESULT,
		      race_win(field.replicas[0], data, REIN_RESULT_MAX + 1));
		FAILS(EMSGSIZE, RACE_RESULT, race_win(field.replicas[0], NULL, UINT32_MAX));
		EXPECT_EQ(-EFAULT, race_win(field.replicas[0], (void *)1, 1));
		EXPECT_EQ(-EFAULT, race_win(field.replicas[0], (void *)-8UL, REIN_RESULT_MAX));
		EXPECT_EQ(-EAGAIN, race_result(field.fd, 0, NULL, 0, &self->result));
		SUCCEEDS(race_win(field.replicas[1], data, sizes[i]));
		WON_BY(&field, 2, sizes[i]);
		memset(room, 0x55, sizeof(room));
		SUCCEEDS(race_result(field.fd, 0, room, sizeof(room), &self->result));
		EXPECT_EQ(sizes[i], self->result.size);
		EXPECT_EQ(0, memcmp(room, data, sizes[i]));
		EXPECT_EQ(0x55, room[sizes[i]]);
		err = race_result(field.fd, 0, (void *)1, 8, &self->result);
		EXPECT_EQ(sizes[i] ? -EFAULT : 0, err);
		field_close(&field);
	}
}

/* It has won, whatever becomes of it. */
TEST_F(race, the_winner_stays)
{
	int top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), race, won, other, child;
	uint64_t id;

	race = SUCCEEDS(race_timed(self->dev, top, REIN_POLICY_FIRST, 0, 0));
	other = SUCCEEDS(race_join(race));
	won = SUCCEEDS(race_join_as(race, REIN_SCOPE_OWNED));
	id = said.id;
	child = SUCCEEDS(scope_new(self->dev, won));
	SUCCEEDS(race_win(won, "it", 2));
	/* Nobody undoes it; how often somebody wanted to is counted. */
	SUCCEEDS(scope_cancel(won));
	EXPECT_EQ(REIN_CAUSE_NONE, said.was);
	CAUSE_IS(REIN_CAUSE_NONE, won);
	CAUSE_IS(REIN_CAUSE_NONE, child);
	SUCCEEDS(race_result(race, 0, NULL, 0, &self->result));
	EXPECT_EQ(1, self->result.cancels);
	SUCCEEDS(scope_cancel_as(won, REIN_CAUSE_DUPLICATE, ""));
	SUCCEEDS(race_result(race, 0, NULL, 0, &self->result));
	EXPECT_EQ(2, self->result.cancels);
	SUCCEEDS(scope_cancel(top));
	CAUSE_IS(REIN_CAUSE_NONE, won);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, other);
	SUCCEEDS(race_result(race, 0, NULL, 0, &self->result));
	EXPECT_EQ(id, self->result.winner);
	EXPECT_LE(2, self->result.cancels);
	/* What is a part of it may be cancelled by itself. */
	SUCCEEDS(scope_cancel(child));
	CAUSE_IS(REIN_CAUSE_USER, child);
	/* Closed, it is still the one. */
	close(child);
	close(won);
	SUCCEEDS(race_result(race, 0, NULL, 0, &self->result));
	EXPECT_EQ(id, self->result.winner);
	EXPECT_EQ(2, self->result.number);
	EXPECT_EQ(2, self->result.size);
	EXPECT_EQ(0, self->result.died);
	FAILS(EALREADY, RACE_LATE, race_win(other, NULL, 0));
	EXPECT_EQ(id, said.id);
	close(other);
	close(race);
	close(top);
}

TEST_F(race, those_that_die)
{
	struct scope_view view;
	struct field field;
	int i;

	MAKE(&field, REIN_POLICY_FIRST, 5);
	field_leave(&field, 1);
	field_leave(&field, 4);
	EXPECT_EQ(-EAGAIN, race_result(field.fd, 0, NULL, 0, &self->result));
	EXPECT_EQ(2, self->result.died);
	EXPECT_EQ(5, self->result.joined);
	/* Numbers are not given again. */
	i = SUCCEEDS(race_join_as(field.fd, REIN_SCOPE_OWNED));
	EXPECT_EQ(6, said.number);
	close(i);
	/* An observer is no reason to wait for it. */
	i = SUCCEEDS(scope_observe(field.replicas[1]));
	field_leave(&field, 2);
	EXPECT_EQ(-EAGAIN, race_result(field.fd, 0, NULL, 0, &self->result));
	EXPECT_EQ(4, self->result.died);
	close(i);
	/* Nobody is given up twice. */
	{
		int child;

		i = SUCCEEDS(race_join(field.fd));
		child = SUCCEEDS(scope_named(self->dev, i, "keeps-it"));
		ASSERT_EQ(0, read_scopes(self->fd, "keeps-it", &view));
		close(i);
		i = SUCCEEDS(scope_open(self->dev, 0, view.parent, ""));
		close(i);
		close(child);
		EXPECT_EQ(-EAGAIN, race_result(field.fd, 0, NULL, 0, &self->result));
		EXPECT_EQ(5, self->result.died);
	}
	/* One that is cancelled can't win. */
	SUCCEEDS(scope_cancel(field.replicas[2]));
	FAILS(ECANCELED, SCOPE_DONE, race_win(field.replicas[2], NULL, 0));
	EXPECT_EQ(0, said.number);
	SUCCEEDS(race_win(field.replicas[4], "5", 1));
	WON_BY(&field, 5, 1);
	EXPECT_EQ(7, self->result.joined);
	EXPECT_EQ(5, self->result.died);
	field_close(&field);
}

TEST_F(race, that_is_cancelled)
{
	struct field field;
	int i;

	/* By somebody. */
	MAKE(&field, REIN_POLICY_FIRST, 2);
	SUCCEEDS(scope_cancel(field.fd));
	CAUSE_IS(REIN_CAUSE_USER, field.fd);
	CAUSE_IS(REIN_CAUSE_PARENT, field.replicas[0]);
	EXPECT_EQ(DONE, scope_events(field.fd, POLLIN, 0));
	FAILS(ECANCELED, SCOPE_DONE, race_win(field.replicas[0], NULL, 0));
	FAILS(ECANCELED, SCOPE_DONE, race_join(field.fd));
	FAILS(ECANCELED, SCOPE_DONE, race_result(field.fd, 0, NULL, 0, &self->result));
	EXPECT_EQ(0, self->result.number);
	field_close(&field);

	/* By time. */
	field.fd = SUCCEEDS(race_timed(self->dev, REIN_NO_FD, REIN_POLICY_FIRST,
				       REIN_SCOPE_TIMEOUT, 50 * MS));
	field.replicas[0] = SUCCEEDS(race_join(field.fd));
	field.n = 1;
	EXPECT_EQ(REIN_CAUSE_TIMEOUT, scope_wait(field.fd));
	EXPECT_EQ(REIN_CAUSE_PARENT, scope_wait(field.replicas[0]));
	FAILS(ECANCELED, SCOPE_DONE, race_win(field.replicas[0], NULL, 0));
	FAILS(ECANCELED, SCOPE_DONE, race_result(field.fd, 0, NULL, 0, &self->result));
	field_close(&field);

	/* By its owner, whose replicas may live on. */
	i = SUCCEEDS(race_timed(self->dev, REIN_NO_FD, REIN_POLICY_FIRST, REIN_SCOPE_OWNED, 0));
	field.replicas[0] = SUCCEEDS(race_join(i));
	close(i);
	CAUSE_IS(REIN_CAUSE_PARENT, field.replicas[0]);
	FAILS(ECANCELED, SCOPE_DONE, race_win(field.replicas[0], NULL, 0));
	close(field.replicas[0]);

	/* One that nobody has any more can still be won. */
	MAKE(&field, REIN_POLICY_FIRST, 2);
	close(field.fd);
	SUCCEEDS(race_win(field.replicas[0], NULL, 0));
	FAILS(EALREADY, RACE_LATE, race_win(field.replicas[1], NULL, 0));
	EXPECT_EQ(field.ids[0], said.id);
	field.fd = SUCCEEDS(scope_open(self->dev, 0, field.id, ""));
	WON_BY(&field, 1, 0);
	field_close(&field);
}

/* --- who claims last ------------------------------------------------------------------------- */

TEST_F(race, last)
{
	struct field field;
	char room[8] = "";

	MAKE(&field, REIN_POLICY_LAST, 4);
	SUCCEEDS(race_win(field.replicas[0], "one", 4));
	EXPECT_EQ(0, said.number);
	EXPECT_EQ(0, said.id);
	SUCCEEDS(race_win(field.replicas[2], "three", 6));
	SUCCEEDS(race_win(field.replicas[1], "two", 4));
	EXPECT_EQ(-EAGAIN, race_result(field.fd, 0, NULL, 0, &self->result));
	EXPECT_EQ(3, self->result.claims);
	EXPECT_EQ(0, scope_events(field.fd, POLLIN, 0));
	CAUSE_IS(REIN_CAUSE_NONE, field.replicas[0]);
	CAUSE_IS(REIN_CAUSE_NONE, field.replicas[3]);
	SUCCEEDS(race_result(field.fd, REIN_RESULT_CLOSE, room, sizeof(room), &self->result));
	EXPECT_EQ(2, self->result.number);
	EXPECT_STREQ("two", room);
	WON_BY(&field, 2, 4);
	CAUSE_IS(REIN_CAUSE_NONE, field.replicas[1]);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, field.replicas[0]);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, field.replicas[2]);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, field.replicas[3]);
	FAILS(EALREADY, RACE_LATE, race_win(field.replicas[3], "four", 5));
	EXPECT_EQ(2, said.number);
	FAILS(ECANCELED, SCOPE_DONE, race_join(field.fd));
	SUCCEEDS(scope_cancel(field.replicas[1]));
	/* Once more: it is decided. */
	SUCCEEDS(race_result(field.fd, REIN_RESULT_CLOSE, NULL, 0, &self->result));
	EXPECT_EQ(2, self->result.number);
	EXPECT_EQ(4, self->result.claims);
	EXPECT_EQ(1, self->result.late);
	EXPECT_EQ(1, self->result.cancels);
	field_close(&field);

	/* The same one again: with what it says last. */
	MAKE(&field, REIN_POLICY_LAST, 2);
	SUCCEEDS(race_win(field.replicas[0], "one", 4));
	SUCCEEDS(race_win(field.replicas[1], "two", 4));
	SUCCEEDS(race_win(field.replicas[0], "three", 6));
	SUCCEEDS(race_result(field.fd, REIN_RESULT_CLOSE, room, sizeof(room), &self->result));
	EXPECT_EQ(1, self->result.number);
	EXPECT_STREQ("three", room);
	field_close(&field);

	/* One that has claimed may go: it is the last all the same. */
	MAKE(&field, REIN_POLICY_LAST, 2);
	SUCCEEDS(race_win(field.replicas[0], "one", 4));
	SUCCEEDS(race_win(field.replicas[1], "two", 4));
	field_leave(&field, 2);
	SUCCEEDS(race_result(field.fd, REIN_RESULT_CLOSE, room, sizeof(room), &self->result));
	EXPECT_EQ(2, self->result.number);
	EXPECT_STREQ("two", room);
	EXPECT_EQ(0, self->result.died);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, field.replicas[0]);
	field_close(&field);

	/* Cancelled before it was closed: nobody has won. */
	MAKE(&field, REIN_POLICY_LAST, 2);
	SUCCEEDS(race_win(field.replicas[0], "one", 4));
	SUCCEEDS(scope_cancel(field.fd));
	FAILS(ECANCELED, SCOPE_DONE,
	      race_result(field.fd, REIN_RESULT_CLOSE, NULL, 0, &self->result));
	FAILS(ECANCELED, SCOPE_DONE, race_win(field.replicas[1], NULL, 0));
	field_close(&field);
}

/* Its deadline closes it. */
TEST_F_TIMEOUT(race, last_until_its_deadline, TIMEOUT)
{
	struct field field = { };
	char room[8] = "";
	int i;

	field.fd = SUCCEEDS(race_timed(self->dev, REIN_NO_FD, REIN_POLICY_LAST, REIN_SCOPE_TIMEOUT,
				       200 * MS));
	field.id = said.id;
	for (field.n = 0; field.n < 3; field.n++) {
		field.replicas[field.n] = SUCCEEDS(race_join(field.fd));
		field.ids[field.n] = said.id;
	}
	/* On a machine that stands still it may be too late for that. */
	i = race_win(field.replicas[2], "three", 6) ?: race_win(field.replicas[1], "two", 4);
	EXPECT_NE(0, scope_events(field.fd, POLLIN, LONG_MS));
	if (i) {
		TH_LOG("the machine stood still");
	} else {
		WON_BY(&field, 2, 4);
		SUCCEEDS(race_result(field.fd, 0, room, sizeof(room), &self->result));
		EXPECT_STREQ("two", room);
		CAUSE_IS(REIN_CAUSE_NONE, field.fd);
		CAUSE_IS(REIN_CAUSE_NONE, field.replicas[1]);
		CAUSE_IS(REIN_CAUSE_DUPLICATE, field.replicas[0]);
		CAUSE_IS(REIN_CAUSE_DUPLICATE, field.replicas[2]);
		FAILS(EALREADY, RACE_LATE, race_win(field.replicas[0], NULL, 0));
	}
	field_close(&field);

	/* Nobody has claimed: then it is as any other. */
	field.fd = SUCCEEDS(race_timed(self->dev, REIN_NO_FD, REIN_POLICY_LAST, REIN_SCOPE_TIMEOUT,
				       20 * MS));
	field.n = 0;
	EXPECT_EQ(REIN_CAUSE_TIMEOUT, scope_wait(field.fd));
	FAILS(ECANCELED, SCOPE_DONE, race_result(field.fd, 0, NULL, 0, &self->result));
	field_close(&field);
}

/* Closed, and nobody has claimed it: it is done, whatever its policy. */
TEST_F(race, closed_unclaimed)
{
	struct field field;
	uint32_t policy;

	for (policy = REIN_POLICY_FIRST; policy <= REIN_POLICY_ASK; policy++) {
		MAKE(&field, policy, 2);
		FAILS(ECANCELED, SCOPE_DONE,
		      race_result(field.fd, REIN_RESULT_CLOSE, NULL, 0, &self->result));
		EXPECT_EQ(0, self->result.number);
		EXPECT_NE(REIN_CAUSE_NONE, scope_cause(field.fd));
		FAILS(ECANCELED, SCOPE_DONE, race_win(field.replicas[0], NULL, 0));
		FAILS(ECANCELED, SCOPE_DONE, race_join(field.fd));
		field_close(&field);
	}
}

/* --- who is granted it ----------------------------------------------------------------------- */

/* A replica that asks, in another thread. */
struct asker {
	pthread_t thread;
	int fd;
	const char *data;
	int ret;
	struct said said;
};

static void *asker_run(void *arg)
{
	struct asker *asker = arg;

	asker->ret = race_win(asker->fd, asker->data, strlen(asker->data) + 1);
	asker->said = said;
	return NULL;
}

static bool ask_to_win(struct asker *asker, int fd, const char *data)
{
	*asker = (struct asker){ .fd = fd, .data = data };
	return !pthread_create(&asker->thread, NULL, asker_run, asker);
}

/* What it was told: as if it were this thread. */
static int told(struct asker *asker)
{
	pthread_join(asker->thread, NULL);
	said = asker->said;
	return asker->ret;
}

/* Until so many, or none, ask in a race. */
static bool wait_asked(int race)
{
	return scope_events(race, POLLPRI, LONG_MS) & POLLPRI;
}

/* Until that one asks. */
static bool wait_asks(int race, uint32_t number)
{
	uint64_t end = now_ns() + LONG;

	while (now_ns() < end) {
		if (!race_grant(race, 0, number, NULL, 0))
			return true;
		usleep(1000);
	}
	return false;
}

TEST_F_TIMEOUT(race, ask, TIMEOUT)
{
	static struct asker askers[3];
	struct field field;
	char room[8];
	int i;

	MAKE(&field, REIN_POLICY_ASK, 4);
	EXPECT_EQ(0, scope_events(field.fd, POLLIN | POLLPRI, 0));
	EXPECT_EQ(-EAGAIN, race_grant(field.fd, 0, 0, NULL, 0));
	EXPECT_EQ(-EAGAIN, race_grant(field.fd, REIN_GRANT_YES, 0, NULL, 0));
	EXPECT_EQ(-EAGAIN, race_grant(field.fd, REIN_GRANT_NO, 3, NULL, 0));
	EXPECT_EQ(-EAGAIN, race_grant(field.fd, REIN_GRANT_YES, 77, NULL, 0));
	/* In the order of their asking. */
	for (i = 0; i < 3; i++) {
		static const char *const data[] = { "three", "one", "two" };
		static const int number[] = { 3, 1, 2 };

		ASSERT_TRUE(ask_to_win(&askers[i], field.replicas[number[i] - 1], data[i]));
		ASSERT_TRUE(wait_asked(field.fd));
		ASSERT_TRUE(wait_asks(field.fd, number[i]));
	}
	SUCCEEDS(race_grant(field.fd, 0, 0, room, sizeof(room)));
	EXPECT_EQ(3, said.number);
	EXPECT_EQ(6, said.size);
	EXPECT_STREQ("three", room);
	SUCCEEDS(race_grant(field.fd, 0, 2, room, 2));
	EXPECT_EQ(2, said.number);
	EXPECT_EQ(4, said.size);
	EXPECT_EQ(0, memcmp(room, "twree", 6));
	EXPECT_EQ(-EAGAIN, race_grant(field.fd, 0, 4, NULL, 0));
	EXPECT_EQ(-EAGAIN, race_result(field.fd, 0, NULL, 0, &self->result));
	/* The first may not. */
	SUCCEEDS(race_grant(field.fd, REIN_GRANT_NO, 0, NULL, 0));
	EXPECT_EQ(3, said.number);
	FAILS(EACCES, RACE_DENIED, told(&askers[0]));
	EXPECT_NE(0, scope_events(field.fd, POLLPRI, 0) & POLLPRI);
	SUCCEEDS(race_grant(field.fd, 0, 0, NULL, 0));
	EXPECT_EQ(1, said.number);
	CAUSE_IS(REIN_CAUSE_NONE, field.replicas[2]);
	/* It may ask again, behind the others. */
	ASSERT_TRUE(ask_to_win(&askers[0], field.replicas[2], "again"));
	ASSERT_TRUE(wait_asks(field.fd, 3));
	SUCCEEDS(race_grant(field.fd, REIN_GRANT_YES, 2, room, sizeof(room)));
	EXPECT_STREQ("two", room);
	SUCCEEDS(told(&askers[2]));
	EXPECT_EQ(2, said.number);
	EXPECT_EQ(field.ids[1], said.id);
	FAILS(EALREADY, RACE_LATE, told(&askers[0]));
	EXPECT_EQ(2, said.number);
	FAILS(EALREADY, RACE_LATE, told(&askers[1]));
	WON_BY(&field, 2, 4);
	EXPECT_EQ(4, self->result.claims);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, field.replicas[3]);
	FAILS(EALREADY, RACE_LATE, race_grant(field.fd, REIN_GRANT_YES, 1, NULL, 0));
	FAILS(EALREADY, RACE_LATE, race_grant(field.fd, 0, 0, NULL, 0));
	field_close(&field);
}

TEST_F_TIMEOUT(race, askers_that_go, TIMEOUT)
{
	struct sigaction action = { .sa_handler = no_action };
	static struct asker asker;
	struct field field;
	pid_t pid;
	int eye;

	/* A signal: it asks no more, until it asks again. */
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	MAKE(&field, REIN_POLICY_ASK, 3);
	ASSERT_TRUE(ask_to_win(&asker, field.replicas[0], "one"));
	ASSERT_TRUE(wait_asked(field.fd));
	/* Once might be too early: before it sleeps it is seen all the same. */
	pthread_kill(asker.thread, SIGUSR1);
	EXPECT_EQ(-EINTR, told(&asker));
	EXPECT_EQ(0, scope_events(field.fd, POLLPRI, 0) & POLLPRI);
	EXPECT_EQ(-EAGAIN, race_grant(field.fd, REIN_GRANT_YES, 0, NULL, 0));
	CAUSE_IS(REIN_CAUSE_NONE, field.replicas[0]);
	ASSERT_TRUE(ask_to_win(&asker, field.replicas[0], "two"));
	ASSERT_TRUE(wait_asked(field.fd));
	/* Cancelled. */
	SUCCEEDS(scope_cancel(field.replicas[0]));
	FAILS(ECANCELED, SCOPE_DONE, told(&asker));
	EXPECT_EQ(-EAGAIN, race_grant(field.fd, REIN_GRANT_YES, 0, NULL, 0));
	EXPECT_EQ(0, scope_events(field.fd, POLLPRI, 0) & POLLPRI);
	/* Killed. */
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(-race_win(field.replicas[1], "three", 6));
	}
	ASSERT_TRUE(wait_asked(field.fd));
	kill(pid, SIGKILL);
	EXPECT_EQ(-1, wait_child(pid));
	EXPECT_EQ(-EAGAIN, race_grant(field.fd, REIN_GRANT_YES, 0, NULL, 0));
	/* Its race is cancelled. */
	ASSERT_TRUE(ask_to_win(&asker, field.replicas[2], "four"));
	ASSERT_TRUE(wait_asked(field.fd));
	SUCCEEDS(scope_cancel(field.fd));
	FAILS(ECANCELED, SCOPE_DONE, told(&asker));
	FAILS(ECANCELED, SCOPE_DONE, race_grant(field.fd, REIN_GRANT_YES, 0, NULL, 0));
	FAILS(ECANCELED, SCOPE_DONE, race_grant(field.fd, 0, 0, NULL, 0));
	field_close(&field);

	/* Its owner goes. */
	field.fd = SUCCEEDS(race_timed(self->dev, REIN_NO_FD, REIN_POLICY_ASK,
				       REIN_SCOPE_OWNED, 0));
	eye = SUCCEEDS(scope_observe(field.fd));
	field.replicas[0] = SUCCEEDS(race_join(field.fd));
	ASSERT_TRUE(ask_to_win(&asker, field.replicas[0], "five"));
	ASSERT_TRUE(wait_asked(field.fd));
	close(field.fd);
	FAILS(ECANCELED, SCOPE_DONE, told(&asker));
	close(field.replicas[0]);
	close(eye);

	/* Its deadline. */
	field.fd = SUCCEEDS(race_timed(self->dev, REIN_NO_FD, REIN_POLICY_ASK, REIN_SCOPE_TIMEOUT,
				       100 * MS));
	field.replicas[0] = SUCCEEDS(race_join(field.fd));
	ASSERT_TRUE(ask_to_win(&asker, field.replicas[0], "six"));
	FAILS(ECANCELED, SCOPE_DONE, told(&asker));
	close(field.replicas[0]);
	close(field.fd);
}

/* Which claim of that number asks, 0: none. */
static uint32_t asks_now(int race, uint32_t number)
{
	return race_grant(race, 0, number, NULL, 0) ? 0 : said.ask;
}

/* Nobody asks as they did before; and that one tried to grant it has changed nothing. */
#define STALE(of, number, ask) do {							\
	const struct field *field_ = (of);						\
	unsigned int flags_;								\
											\
	for (flags_ = 0; flags_ <= REIN_GRANT_NO; flags_++) {				\
		EXPECT_EQ(-EAGAIN, race_grant_ask(field_->fd, flags_, number, ask, NULL, 0)) { \
			TH_LOG("flags %u, ask %u of number %u; " AGAIN, flags_, ask, number); \
		}									\
		EXPECT_EQ(NULL, said_wrong(EAGAIN));					\
	}										\
	EXPECT_EQ(-EAGAIN, race_result(field_->fd, 0, NULL, 0, &self->result));		\
} while (0)

/* What was looked at is granted, or nothing is. */
TEST_F_TIMEOUT(race, grants_that_come_too_late, TIMEOUT)
{
	struct sigaction action = { .sa_handler = no_action };
	static struct asker one, two;
	uint32_t first, second, third;
	struct field field;
	char room[8];

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	MAKE(&field, REIN_POLICY_ASK, 3);
	ASSERT_TRUE(ask_to_win(&one, field.replicas[0], "a"));
	ASSERT_TRUE(wait_asks(field.fd, 1));
	first = said.ask;
	EXPECT_NE(0, first);
	EXPECT_EQ(first, asks_now(field.fd, 0)) {
		TH_LOG("whoever looks makes it another; " AGAIN);
	}
	STALE(&field, 1, first + 1);
	STALE(&field, 0, UINT32_MAX);
	/* It has gone: nobody asks. */
	pthread_kill(one.thread, SIGUSR1);
	EXPECT_EQ(-EINTR, told(&one));
	STALE(&field, 1, first);
	STALE(&field, 0, first);
	EXPECT_EQ(0, self->result.claims);
	/* It is back, with something else. */
	ASSERT_TRUE(ask_to_win(&one, field.replicas[0], "b"));
	ASSERT_TRUE(wait_asks(field.fd, 1));
	second = said.ask;
	EXPECT_NE(first, second);
	STALE(&field, 1, first);
	STALE(&field, 0, first);
	EXPECT_NE(0, scope_events(field.fd, POLLPRI, 0) & POLLPRI);
	EXPECT_EQ(second, asks_now(field.fd, 1));
	SUCCEEDS(race_grant_ask(field.fd, 0, 1, second, room, sizeof(room)));
	EXPECT_STREQ("b", room);
	/* Another one asks, behind it. */
	ASSERT_TRUE(ask_to_win(&two, field.replicas[1], "c"));
	ASSERT_TRUE(wait_asks(field.fd, 2));
	third = said.ask;
	EXPECT_EQ(second, asks_now(field.fd, 0));
	STALE(&field, 2, second);
	STALE(&field, 1, third);
	SUCCEEDS(race_grant_ask(field.fd, REIN_GRANT_NO, 1, second, NULL, 0));
	EXPECT_EQ(second, said.ask);
	FAILS(EACCES, RACE_DENIED, told(&one));
	/* What was said to one of them is not said to the other. */
	STALE(&field, 1, second);
	STALE(&field, 0, second);
	STALE(&field, 3, third);
	EXPECT_EQ(third, asks_now(field.fd, 0));
	EXPECT_EQ(2, self->result.claims);
	SUCCEEDS(race_grant_ask(field.fd, REIN_GRANT_YES, 0, third, NULL, 0));
	EXPECT_EQ(2, said.number);
	SUCCEEDS(told(&two));
	EXPECT_EQ(2, said.number);
	WON_BY(&field, 2, 2);
	EXPECT_EQ(2, self->result.claims);
	EXPECT_EQ(0, self->result.late);
	/* Once it is decided that is what is said. */
	FAILS(EALREADY, RACE_LATE, race_grant_ask(field.fd, REIN_GRANT_YES, 1, first, NULL, 0));
	FAILS(EALREADY, RACE_LATE, race_grant_ask(field.fd, 0, 2, third, NULL, 0));
	field_close(&field);
}

#define ASKERS		3

/* So many ask, and so many claims are counted: those of who has asked anew only once. */
#define CLAIMED(of, n) do {								\
	EXPECT_EQ(-EAGAIN, race_result((of)->fd, 0, NULL, 0, &self->result));		\
	ASSERT_EQ(n, (int)self->result.claims) {					\
		TH_LOG("claims are counted wrongly; " AGAIN);				\
	}										\
	EXPECT_EQ(0, self->result.late);						\
	EXPECT_EQ(0, self->result.died);						\
} while (0)

/* Signals that restart the call: it is the same claim as before. */
TEST_F_TIMEOUT(race, askers_that_are_disturbed, TIMEOUT)
{
	struct sigaction action = { .sa_handler = no_action, .sa_flags = SA_RESTART };
	const unsigned int rounds = is_debug() ? 20 : 100;
	static struct asker askers[ASKERS];
	unsigned int i, j, asks = 0;
	uint32_t before;
	struct field field;
	uint64_t end;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	MAKE(&field, REIN_POLICY_ASK, ASKERS + 1);
	for (i = 0; i < ASKERS; i++) {
		ASSERT_TRUE(ask_to_win(&askers[i], field.replicas[i], "it"));
		ASSERT_TRUE(wait_asks(field.fd, i + 1));
		CLAIMED(&field, i + 1);
	}
	for (i = 0; i < rounds; i++) {
		const int at = i % ASKERS;

		before = asks_now(field.fd, at + 1);
		/* Once is enough: it asks, so it is on its way to sleep. */
		pthread_kill(askers[at].thread, SIGUSR1);
		for (end = now_ns() + LONG; now_ns() < end; usleep(1000)) {
			uint32_t now = asks_now(field.fd, at + 1);

			if (now && now != before)
				break;
		}
		EXPECT_GT(end, now_ns()) {
			TH_LOG("number %d does not ask again; " AGAIN, at + 1);
		}
		/* What was looked at before that is not granted now. */
		STALE(&field, at + 1, before);
		CLAIMED(&field, ASKERS);
		/* Who asks already asks once, whoever else would do so for it. */
		FAILS(EINVAL, SCOPE_MALFORMED, race_win(field.replicas[at], "no", 3));
		CLAIMED(&field, ASKERS);
	}
	/* All of them, as fast as can be, until it is decided in the middle of that. */
	for (i = 0; i < 20 * rounds; i++)
		for (j = 0; j < ASKERS; j++)
			pthread_kill(askers[j].thread, SIGUSR1);
	for (j = 0; j < ASKERS; j++) {
		ASSERT_TRUE(wait_asks(field.fd, j + 1));
		asks = said.ask > asks ? said.ask : asks;
	}
	for (j = 0; j < ASKERS; j++)
		pthread_kill(askers[j].thread, SIGUSR1);
	for (end = now_ns() + LONG; now_ns() < end;)
		if (race_grant(field.fd, REIN_GRANT_YES, 2, NULL, 0) != -EAGAIN)
			break;
	EXPECT_EQ(2, said.number);
	SUCCEEDS(told(&askers[1]));
	FAILS(EALREADY, RACE_LATE, told(&askers[0]));
	FAILS(EALREADY, RACE_LATE, told(&askers[2]));
	WON_BY(&field, 2, 3);
	EXPECT_EQ(ASKERS, self->result.claims) {
		TH_LOG("claims are counted wrongly; " AGAIN);
	}
	EXPECT_EQ(ASKERS - 1, self->result.late);
	EXPECT_EQ(0, self->result.died);
	/* Each of those is one more, and late. */
	FAILS(EALREADY, RACE_LATE, race_win(field.replicas[ASKERS], NULL, 0));
	SUCCEEDS(race_result(field.fd, 0, NULL, 0, &self->result));
	EXPECT_EQ(ASKERS + 1, self->result.claims);
	EXPECT_EQ(ASKERS, self->result.late);
	TH_LOG("%u claims asked %u times", ASKERS, asks);
	field_close(&field);
}

/* --- asked wrongly --------------------------------------------------------------------------- */

TEST_F(race, wrong_arguments)
{
	int scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), child, eye;
	struct rein_scope_args args;
	struct rein_grant_args grant;
	struct field field;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		if (i >= REIN_POLICY_FIRST && i <= REIN_POLICY_ASK)
			continue;
		FAILS(EINVAL, SCOPE_MALFORMED, race_new(self->dev, i));
	}
	FAILS(EINVAL, SCOPE_MALFORMED, race_new(self->dev, UINT32_MAX));
	ask_scope(&args, REIN_NO_FD, 0, 0, "")->policy = REIN_POLICY_FIRST;
	args.reserved = 1;
	FAILS(EINVAL, SCOPE_MALFORMED, make_scope(self->dev, REIN_IOC_RACE, &args));
	FAILS(EINVAL, SCOPE_MALFORMED,
	      race_timed(self->dev, REIN_NO_FD, REIN_POLICY_FIRST, 1 << 4, 0));
	FAILS(EBADF, SCOPE_NONE, race_timed(self->dev, self->dev, REIN_POLICY_FIRST, 0, 0));

	/* A scope that is no race, nor a replica. */
	FAILS(EINVAL, RACE_NONE, race_join(scope));
	FAILS(EINVAL, RACE_NONE, race_win(scope, NULL, 0));
	FAILS(EINVAL, RACE_NONE, race_grant(scope, 0, 0, NULL, 0));
	FAILS(EINVAL, RACE_NONE, race_result(scope, 0, NULL, 0, &self->result));
	MAKE(&field, REIN_POLICY_FIRST, 2);
	FAILS(EINVAL, RACE_NONE, race_win(field.fd, NULL, 0));
	FAILS(EINVAL, RACE_NONE, race_join(field.replicas[0]));
	FAILS(EINVAL, RACE_NONE, race_result(field.replicas[0], 0, NULL, 0, &self->result));
	FAILS(EINVAL, RACE_NONE, race_grant(field.replicas[0], 0, 0, NULL, 0));
	/* Nobody asks there. */
	FAILS(EINVAL, RACE_NONE, race_grant(field.fd, 0, 0, NULL, 0));
	/* A child of the race that has not joined it, or one of a replica. */
	child = SUCCEEDS(scope_new(self->dev, field.fd));
	FAILS(EINVAL, RACE_NONE, race_win(child, NULL, 0));
	close(child);
	child = SUCCEEDS(scope_new(self->dev, field.replicas[1]));
	FAILS(EINVAL, RACE_NONE, race_win(child, NULL, 0));
	close(child);

	/* Flags. */
	for (i = 0; i < 32; i++) {
		if (1U << i != REIN_SCOPE_OWNED)
			FAILS(EINVAL, SCOPE_MALFORMED, race_join_as(field.fd, 1U << i));
		if (i)
			FAILS(EINVAL, SCOPE_MALFORMED,
			      race_result(field.fd, 1U << i, NULL, 0, &self->result));
	}
	EXPECT_EQ(-EAGAIN, race_result(field.fd, 0, NULL, 0, &self->result));
	EXPECT_EQ(2, self->result.joined);
	EXPECT_EQ(0, self->result.claims);

	/* Observers. */
	eye = SUCCEEDS(scope_observe(field.fd));
	FAILS(EPERM, SCOPE_OBSERVER, race_join(eye));
	FAILS(EPERM, SCOPE_OBSERVER, race_result(eye, REIN_RESULT_CLOSE, NULL, 0, &self->result));
	EXPECT_EQ(-EAGAIN, race_result(eye, 0, NULL, 0, &self->result));
	child = SUCCEEDS(scope_observe(field.replicas[0]));
	FAILS(EPERM, SCOPE_OBSERVER, race_win(child, NULL, 0));
	SUCCEEDS(race_win(field.replicas[0], "x", 1));
	SUCCEEDS(race_result(eye, 0, NULL, 0, &self->result));
	EXPECT_EQ(1, self->result.number);
	EXPECT_EQ(POLLIN, scope_events(eye, POLLIN, 0));
	close(child);
	close(eye);
	field_close(&field);

	MAKE(&field, REIN_POLICY_ASK, 1);
	for (i = 2; i < 32; i++)
		FAILS(EINVAL, SCOPE_MALFORMED, race_grant(field.fd, 1U << i, 0, NULL, 0));
	FAILS(EINVAL, SCOPE_MALFORMED,
	      race_grant(field.fd, REIN_GRANT_YES | REIN_GRANT_NO, 0, NULL, 0));
	memset(&grant, 0, sizeof(grant));
	grant.ask = 1;
	EXPECT_EQ(-1, ioctl(field.fd, REIN_IOC_GRANT, &grant));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, grant.answer.code);
	eye = SUCCEEDS(scope_observe(field.fd));
	FAILS(EPERM, SCOPE_OBSERVER, race_grant(eye, 0, 0, NULL, 0));
	close(eye);
	field_close(&field);
	close(scope);
}

/* --- many at once ---------------------------------------------------------------------------- */

#define CLAIMERS	64

/* How often each of them claims one race: the first time it may win, after that it is late. */
#define CLAIMS		3

struct claimer {
	pthread_t thread;
	pthread_barrier_t *turn;
	struct field *field;
	int number;
	unsigned int rounds;
	unsigned int won;
	unsigned int late;
	uint32_t winner;
	const char *wrong;
};

/* What is wrong with what the @nth claim came to? NULL: nothing. */
static const char *claim_wrong(struct claimer *claimer, unsigned int nth, int ret)
{
	const bool own = (int)said.number == claimer->number;

	if (!said.number || said.number > CLAIMERS)
		return "it was not told who has won";
	if (said.id != claimer->field->ids[said.number - 1])
		return "the winner's id is not that of its number";
	if (nth)
		return ret != -EALREADY ? "it could claim again" :
		       said.number != claimer->winner ? "another has won, later" : NULL;
	if (ret && ret != -EALREADY)
		return strerror(-ret);
	return !ret == own ? NULL : "it has won, but somebody else did, or the other way round";
}

static void claim_all(struct claimer *claimer)
{
	const int replica = claimer->field->replicas[claimer->number - 1];
	const char *wrong;
	unsigned int nth;
	int ret;

	for (nth = 0; nth < CLAIMS; nth++) {
		ret = race_win(replica, &claimer->number, sizeof(claimer->number));
		wrong = claim_wrong(claimer, nth, ret);
		if (wrong)
			claimer->wrong = wrong;
		claimer->winner = said.number;
		claimer->won += !ret;
		claimer->late += ret == -EALREADY;
	}
}

static void *claim_it(void *arg)
{
	struct claimer *claimer = arg;
	unsigned int i;

	for (i = 0; i < claimer->rounds; i++) {
		pthread_barrier_wait(claimer->turn);
		claim_all(claimer);
		pthread_barrier_wait(claimer->turn);
	}
	return NULL;
}

/* A crowd, each in a thread of its own, again and again, each time for a race of its own. */
static void run_crowd(struct __test_metadata *_metadata, FIXTURE_DATA(race) *self,
		      unsigned int rounds)
{
	static struct claimer claimers[CLAIMERS];
	static pthread_barrier_t turn;
	static struct field field;
	unsigned int i, j, won, late;
	uint64_t from = now_ns();
	uint32_t number;

	pthread_barrier_init(&turn, NULL, CLAIMERS + 1);
	for (i = 0; i < CLAIMERS; i++) {
		claimers[i] = (struct claimer){
			.turn = &turn, .field = &field, .number = i + 1, .rounds = rounds,
		};
		ASSERT_EQ(0, pthread_create(&claimers[i].thread, NULL, claim_it, &claimers[i]));
	}
	for (i = 0; i < rounds; i++) {
		MAKE(&field, REIN_POLICY_FIRST, CLAIMERS);
		pthread_barrier_wait(&turn);
		pthread_barrier_wait(&turn);
		SUCCEEDS(race_result(field.fd, 0, &number, sizeof(number), &self->result));
		EXPECT_EQ(self->result.number, number);
		EXPECT_EQ(CLAIMERS * CLAIMS, self->result.claims);
		EXPECT_EQ(CLAIMERS * CLAIMS - 1, self->result.late);
		for (j = 0; j < CLAIMERS; j++) {
			EXPECT_EQ(number, claimers[j].winner) {
				TH_LOG("they don't agree on who has won; " AGAIN);
			}
		}
		field_close(&field);
		/* One round of those is enough. */
		ASSERT_TRUE(_metadata->passed);
	}
	for (i = 0, won = 0, late = 0; i < CLAIMERS; i++) {
		pthread_join(claimers[i].thread, NULL);
		EXPECT_EQ(NULL, claimers[i].wrong) {
			TH_LOG("%s; " AGAIN, claimers[i].wrong);
		}
		won += claimers[i].won;
		late += claimers[i].late;
	}
	EXPECT_EQ(rounds, won);
	EXPECT_EQ(rounds * (CLAIMERS * CLAIMS - 1), late);
	TH_LOG("%u claims of %u races by %u threads in %llu ms", won + late, rounds, CLAIMERS,
	       (unsigned long long)(now_ns() - from) / MS);
}

TEST_F_TIMEOUT(race, sixty_four_at_once, TIMEOUT)
{
	run_crowd(_metadata, self, is_debug() ? 40 : 1600);
}

/* The same until each of them has claimed 100,000 races: longer than the runner waits. */
TEST_F_TIMEOUT(race, sixty_four_in_full, 5 * 3600)
{
	const char *rounds = getenv("RACE_ROUNDS");

	if (!rounds)
		SKIP(return, "takes long: see RACE_ROUNDS in Documentation/testing.rst");
	run_crowd(_metadata, self, strtoul(rounds, NULL, 0));
}

#define BATCH		200
#define RUNNERS		3

/* Many races, each with a replica of every runner's, who claim one after the other. */
struct batch {
	int races[BATCH];
	int replicas[BATCH][RUNNERS];
	uint32_t policy;
};

struct runner {
	pthread_t thread;
	pthread_barrier_t *turn;
	struct batch *batch;
	unsigned int me;
	unsigned int rounds;
	int ret[BATCH];
	uint32_t winner[BATCH];
};

static void *run_races(void *arg)
{
	struct runner *runner = arg;
	unsigned int i, j;

	for (i = 0; i < runner->rounds; i++) {
		pthread_barrier_wait(runner->turn);
		for (j = 0; j < BATCH; j++) {
			runner->ret[j] = race_win(runner->batch->replicas[j][runner->me],
						  &runner->me, sizeof(runner->me));
			runner->winner[j] = said.number;
		}
		pthread_barrier_wait(runner->turn);
	}
	return NULL;
}

/* What is wrong with the end of a race of those? NULL: nothing. */
static const char *batch_wrong(struct batch *batch, const struct runner *runners, unsigned int j)
{
	const bool last = batch->policy == REIN_POLICY_LAST;
	struct rein_result_args result;
	unsigned int i, me = RUNNERS;
	int ret;

	ret = race_result(batch->races[j], last ? REIN_RESULT_CLOSE : 0, &me, sizeof(me), &result);
	if (ret)
		return strerror(-ret);
	if (result.number != me + 1 || result.claims != RUNNERS || result.joined != RUNNERS ||
	    result.size != sizeof(me) || result.died || result.cancels)
		return "its result";
	for (i = 0; i < RUNNERS; i++) {
		if (last ? runners[i].ret[j] || runners[i].winner[j] :
		    runners[i].ret[j] != (i == me ? 0 : -EALREADY) ||
		    runners[i].winner[j] != me + 1)
			return "what a replica was told";
		if (scope_cause(batch->replicas[j][i]) != (i == me ? REIN_CAUSE_NONE :
							   REIN_CAUSE_DUPLICATE))
			return "what became of a replica";
	}
	return result.late != (last ? 0 : RUNNERS - 1) ? "how many were late" : NULL;
}

TEST_F_TIMEOUT(race, a_hundred_thousand, TIMEOUT)
{
	const unsigned int rounds = is_debug() ? 15 : 100000 / BATCH;
	static struct runner runners[RUNNERS];
	static pthread_barrier_t turn;
	static struct batch batch;
	unsigned int i, j, k, failed = 0, firsts[RUNNERS] = { 0 };
	const char *wrong;
	uint64_t from = now_ns();

	ASSERT_TRUE(allow_files(BATCH * (RUNNERS + 1) + 100));
	pthread_barrier_init(&turn, NULL, RUNNERS + 1);
	for (i = 0; i < RUNNERS; i++) {
		runners[i] = (struct runner){
			.turn = &turn, .batch = &batch, .me = i, .rounds = rounds,
		};
		ASSERT_EQ(0, pthread_create(&runners[i].thread, NULL, run_races, &runners[i]));
	}
	for (i = 0; i < rounds; i++) {
		batch.policy = i % 4 == 3 ? REIN_POLICY_LAST : REIN_POLICY_FIRST;
		for (j = 0; j < BATCH; j++) {
			batch.races[j] = race_new(self->dev, batch.policy);
			ASSERT_LE(0, batch.races[j]);
			for (k = 0; k < RUNNERS; k++) {
				batch.replicas[j][k] = race_join(batch.races[j]);
				ASSERT_LE(0, batch.replicas[j][k]);
			}
		}
		pthread_barrier_wait(&turn);
		pthread_barrier_wait(&turn);
		for (j = 0; j < BATCH; j++) {
			wrong = batch_wrong(&batch, runners, j);
			failed += !!wrong;
			EXPECT_EQ(NULL, wrong) {
				TH_LOG("race %u of round %u: %s; " AGAIN, j, i, wrong);
			}
			for (k = 0; k < RUNNERS; k++) {
				firsts[k] += !runners[k].ret[j] &&
					     batch.policy == REIN_POLICY_FIRST;
				close(batch.replicas[j][k]);
			}
			close(batch.races[j]);
		}
		/* One round of those is enough. */
		ASSERT_EQ(0, failed);
	}
	for (i = 0; i < RUNNERS; i++)
		pthread_join(runners[i].thread, NULL);
	TH_LOG("%u races in %llu ms; the first was number 1, 2, 3: %u, %u, %u times",
	       rounds * BATCH, (unsigned long long)(now_ns() - from) / MS,
	       firsts[0], firsts[1], firsts[2]);
}

/* Anything at any time: join, claim, ask, grant, cancel, close. */
#define MESS_THREADS	4

struct mess {
	pthread_t thread;
	int dev;
	unsigned int rounds;
	uint64_t random;
	int *races;
	const char *wrong;
};

static void mess_step(struct mess *mess, int race)
{
	struct rein_result_args result;
	char data[64] = "";
	int fd, ret;

	switch (dice_of(&mess->random, 6)) {
	case 0:
		ret = race_grant(race, 1 + dice_of(&mess->random, 2), 0, data, sizeof(data));
		break;
	case 1:
		ret = race_result(race, dice_of(&mess->random, 8) ? 0 : REIN_RESULT_CLOSE, data,
				  sizeof(data), &result);
		break;
	case 2:
		ret = dice_of(&mess->random, 20) ? 0 : scope_cancel(race);
		break;
	default:
		fd = race_join_as(race, dice_of(&mess->random, 2) ? REIN_SCOPE_OWNED : 0);
		if (fd < 0) {
			ret = fd;
			break;
		}
		if (!dice_of(&mess->random, 5))
			scope_cancel(fd);
		ret = dice_of(&mess->random, 3) ?
			      race_win(fd, data, dice_of(&mess->random, 64)) :
			      0;
		close(fd);
	}
	if (ret && ret != -EAGAIN && ret != -ECANCELED && ret != -EALREADY && ret != -EACCES &&
	    ret != -EINVAL)
		mess->wrong = strerror(-ret);
}

static void *mess_about(void *arg)
{
	struct mess *mess = arg;
	unsigned int i;

	for (i = 0; i < mess->rounds && !mess->wrong; i++)
		mess_step(mess, mess->races[dice_of(&mess->random, 4)]);
	return NULL;
}

/*
 * Who asks waits for the others, all of which may do so at the same time: the deadlines of
 * the races end that.
 */
TEST_F_TIMEOUT(race, anything_at_any_time, TIMEOUT)
{
	const unsigned int rounds = is_debug() ? 10 : 60;
	static struct mess messes[MESS_THREADS];
	uint64_t seed = choose_seed();
	struct rein_result_args result;
	unsigned int i, j;
	int races[4];

	TH_LOG("TEST_SEED=%llu", (unsigned long long)seed);
	for (i = 0; i < rounds; i++) {
		for (j = 0; j < 4; j++)
			races[j] = SUCCEEDS(race_timed(self->dev, REIN_NO_FD,
						       j < 3 ? 1 + j : REIN_POLICY_ASK,
						       REIN_SCOPE_TIMEOUT, (10 + 20 * j) * MS));
		for (j = 0; j < MESS_THREADS; j++) {
			messes[j] = (struct mess){
				.dev = self->dev, .rounds = 200, .random = seed + 100 * i + j,
				.races = races,
			};
			ASSERT_EQ(0, pthread_create(&messes[j].thread, NULL, mess_about,
						    &messes[j]));
		}
		for (j = 0; j < MESS_THREADS; j++) {
			pthread_join(messes[j].thread, NULL);
			EXPECT_EQ(NULL, messes[j].wrong) {
				TH_LOG("%s; " AGAIN, messes[j].wrong);
			}
		}
		for (j = 0; j < 4; j++) {
			race_result(races[j], 0, NULL, 0, &result);
			EXPECT_EQ(NULL, result.late > result.claims ?
						"more late than claims" :
						NULL);
			EXPECT_LE(result.died, result.joined);
			close(races[j]);
		}
		ASSERT_EQ(self->before, settle_scopes(self->fd, self->before)) {
			TH_LOG("a scope is left; " AGAIN);
		}
	}
}

TEST_HARNESS_MAIN
