// SPDX-License-Identifier: GPL-2.0
/*
 * Scopes that are bound to cgroups: who may bind what; that takes, packets, processes and
 * the scopes of cgroups below end with them; and that a binding goes with its cgroup.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#include <kselftest_harness.h>
#include "cgroup.h"

#define TOP		CGROOT "/test-bind"
#define A		TOP "/a"
#define B		A "/b"
#define C		TOP "/c"

#define AGAIN		"run: make check TESTS=bind"
#define TIMEOUT		110

/**
 * struct bind - what every test has; this process stays at the top of all cgroups
 * @fd:		the netlink socket
 * @dev:	the device
 * @top:	a cgroup with a limit "ten", which has as many tokens, and lets wait
 * @a:		one below
 * @b:		below that
 * @c:		another one below the first
 * @before:	how many scopes there were
 * @raw:	the newest record of an error without a meaning
 */
FIXTURE(bind) {
	int fd;
	int dev;
	int top;
	int a;
	int b;
	int c;
	uint64_t before;
	uint64_t raw;
};

FIXTURE_SETUP(bind) {
	self->fd = genl_socket();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, genl_resolve(self->fd)) {
		TH_LOG("the module is not loaded");
	}
	ASSERT_EQ(0, flush_all(self->fd));
	self->top = make_cgroup(TOP);
	self->a = make_cgroup(A);
	self->b = make_cgroup(B);
	self->c = make_cgroup(C);
	ASSERT_LE(0, self->c);
	ASSERT_EQ(0, add_call(self->fd, "ten", self->top, REIN_OVER_WAIT, 1, DAY, 10));
	self->dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
	self->before = count_scopes(self->fd);
	self->raw = newest(self->fd, RAW);
}

FIXTURE_TEARDOWN(bind) {
	kill_all(self->top);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	flush_all(self->fd);
	rmdir(B);
	rmdir(A);
	rmdir(C);
	EXPECT_EQ(0, rmdir(TOP)) {
		TH_LOG("%s; " AGAIN, strerror(errno));
	}
	/* All bindings have gone with their cgroups. */
	EXPECT_EQ(self->raw, newest(self->fd, RAW)) {
		TH_LOG("an error had no meaning: rein errors list; " AGAIN);
	}
	EXPECT_EQ(self->before, settle_scopes(self->fd, self->before)) {
		TH_LOG("a scope is left; " AGAIN);
	}
	close(self->dev);
	close(self->top);
	close(self->a);
	close(self->b);
	close(self->c);
	close(self->fd);
}

/* --- processes in cgroups ------------------------------------------------------------------ */

/**
 * struct inside - what a process does in a cgroup, and what came of it
 * @pid:	the process
 * @act:	what it does
 * @dev:	the device
 * @take:	a take
 * @err:	its errno
 * @fd:		a descriptor, or a negative errno
 * @answer:	to a request
 */
struct inside {
	pid_t pid;
	void (*act)(struct inside *inside);
	int dev;
	struct take take;
	int err;
	int fd;
	struct rein_answer answer;
};

static struct inside *inside_new(int dev)
{
	struct inside *inside = mmap(NULL, sizeof(*inside), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	inside->dev = dev;
	return inside;
}

static void inside_act(void *arg)
{
	struct inside *inside = arg;

	inside->act(inside);
}

/* @act in a process in @cgroup, which ends then. */
static void inside_run(struct inside *inside, const char *cgroup,
		       void (*act)(struct inside *inside))
{
	inside->act = act;
	inside->pid = run_inside(cgroup, inside_act, inside);
}

static int inside_join(struct inside *inside)
{
	return wait_child(inside->pid);
}

static void act_take(struct inside *inside)
{
	inside->err = take_now(inside->dev, &inside->take);
}

static void act_pause(struct inside *inside)
{
	for (;;)
		pause();
	(void)inside;
}

/* The scope that is bound to its cgroup: as nobody, or as root. */
static void act_open(struct inside *inside)
{
	inside->fd = scope_open(inside->dev, 0, 0, "");
	inside->answer = said.answer;
	inside->take.args.scope_id = 0;
	if (inside->fd >= 0) {
		char id[32] = "0";

		fd_info(inside->fd, "rein-scope", id, sizeof(id));
		inside->take.args.scope_id = strtoull(id, NULL, 10);
	}
}

static void act_open_as_nobody(struct inside *inside)
{
	int eye;

	if (!become_nobody())
		_exit(98);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	eye = scope_open(inside->dev, REIN_OPEN_OBSERVE, 0, "");
	inside->err = eye < 0 ? eye : scope_cancel(eye);
	act_open(inside);
}

static uint64_t count_of(FIXTURE_DATA(bind) *self, const char *name, int dir, unsigned int stat)
{
	struct books books;

	return read_books(self->fd, name, dir, &books) ? UINT64_MAX : books.count[stat];
}

/* Until so many wait for a limit, or have come to that end; false if that takes too long. */
static bool wait_count(FIXTURE_DATA(bind) *self, const char *name, int dir, unsigned int stat,
		       uint64_t n)
{
	uint64_t end = now_ns() + LONG;

	while (count_of(self, name, dir, stat) != n) {
		if (now_ns() > end)
			return false;
		usleep(1000);
	}
	return true;
}

/* What a take inside came to. */
#define TOOK(of, errno_, code_, cause_, scope_id_) do {				\
	struct inside *inside_ = (of);							\
	struct scope_record record_;							\
											\
	EXPECT_EQ(0, inside_join(inside_));						\
	EXPECT_EQ(errno_, inside_->err) {						\
		TH_LOG("%s (%.128s); " AGAIN, strerror(inside_->err),			\
		       inside_->take.args.message);					\
	}										\
	EXPECT_EQ(NULL, answer_wrong(&inside_->take.args, inside_->err)) {		\
		TH_LOG("%s; " AGAIN, answer_wrong(&inside_->take.args, inside_->err));	\
	}										\
	EXPECT_EQ(code_, (int)inside_->take.args.code);					\
	EXPECT_EQ(cause_, inside_->take.args.cause);					\
	EXPECT_EQ(scope_id_, inside_->take.args.scope_id);				\
	if (inside_->err) {								\
		ASSERT_EQ(0, read_scope_record(self->fd, inside_->take.args.record, &record_)); \
		/* Of one that has ended with a scope it is that of the scope. */	\
		EXPECT_TRUE(inside_->take.args.cause ?					\
			    record_.code >= SCOPE_TIMEOUT &&				\
			    record_.code <= SCOPE_OWNER_EXIT : record_.code == code_) {	\
			TH_LOG("its record: %s; " AGAIN, record_.message);		\
		}									\
	}										\
} while (0)

/* --- takes ----------------------------------------------------------------------------------- */

TEST_F_TIMEOUT(bind, takes_end_with_it, TIMEOUT)
{
	struct inside *in[4];
	struct scope_view view;
	uint64_t id;
	int scope, i;

	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	id = said.id;
	SUCCEEDS(scope_bind(scope, self->a, REIN_NO_FD, 0));
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_NE(0, view.cgroup_id);
	EXPECT_FALSE(scope_has(&view, REIN_A_SCOPE_KILLS));
	for (i = 0; i < 4; i++)
		in[i] = inside_new(self->dev);
	/* As long as it isn't done nothing is different. */
	ask_for(&in[0]->take, "ten", 10, 0, 0);
	inside_run(in[0], B, act_take);
	TOOK(in[0], 0, 0, 0, 0);
	for (i = 0; i < 3; i++) {
		ask_for(&in[i]->take, "ten", 1, 0, 0);
		inside_run(in[i], i == 0 ? A : i == 1 ? B : C, act_take);
	}
	ASSERT_TRUE(wait_count(self, "ten", self->top, REIN_A_STATS_QUEUED, 3));
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_EQ(2, view.waiters);
	SUCCEEDS(scope_cancel_as(scope, REIN_CAUSE_USER, "that's it"));
	TOOK(in[0], ECANCELED, SCOPE_DONE, REIN_CAUSE_USER, id);
	TOOK(in[1], ECANCELED, SCOPE_DONE, REIN_CAUSE_USER, id);
	EXPECT_EQ(1, count_of(self, "ten", self->top, REIN_A_STATS_QUEUED));
	EXPECT_EQ(2, count_of(self, "ten", self->top, REIN_A_STATS_CANCELLED));
	/* From now on, too, and even of what is there. */
	ASSERT_EQ(0, add_call(self->fd, "plenty", self->top, REIN_OVER_WAIT, 1, DAY, 10));
	for (i = 0; i < 2; i++) {
		ask_for(&in[i]->take, "plenty", 1, i ? REIN_TAKE_TRY : 0, 0);
		inside_run(in[i], i ? B : A, act_take);
		TOOK(in[i], ECANCELED, SCOPE_DONE, REIN_CAUSE_USER, id);
	}
	ask_for(&in[3]->take, "plenty", 1, 0, 0);
	inside_run(in[3], C, act_take);
	TOOK(in[3], 0, 0, 0, 0);
	/* Who waits elsewhere does so still. */
	EXPECT_EQ(0, kill(in[2]->pid, 0));
	EXPECT_EQ(1, count_of(self, "ten", self->top, REIN_A_STATS_QUEUED));
	kill(in[2]->pid, SIGKILL);
	inside_join(in[2]);
	close(scope);
}

TEST_F_TIMEOUT(bind, takes_inherit_its_deadline, TIMEOUT)
{
	struct inside *in = inside_new(self->dev);
	int above, scope, own;
	uint64_t id;

	ASSERT_EQ(0, add_call(self->fd, "hourly", self->top, REIN_OVER_WAIT, 1, HOUR, 1));
	ask_for(&in->take, "hourly", 1, 0, 0);
	inside_run(in, C, act_take);
	TOOK(in, 0, 0, 0, 0);
	above = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, HOUR / 2));
	SUCCEEDS(scope_bind(above, self->a, REIN_NO_FD, 0));
	ask_for(&in->take, "hourly", 1, 0, 0);
	inside_run(in, A, act_take);
	TOOK(in, ETIME, TAKE_LATE, 0, 0);
	/* A nearer one may say later: it isn't. */
	scope = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, 5 * HOUR));
	SUCCEEDS(scope_bind(scope, self->b, REIN_NO_FD, 0));
	ask_for(&in->take, "hourly", 1, REIN_TAKE_TIMEOUT, 3 * HOUR);
	inside_run(in, B, act_take);
	TOOK(in, ETIME, TAKE_LATE, 0, 0);
	/* Nor may one that it names itself. */
	own = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, 5 * HOUR));
	ask_within(ask_for(&in->take, "hourly", 1, 0, 0), own);
	inside_run(in, B, act_take);
	TOOK(in, ETIME, TAKE_LATE, 0, 0);
	close(own);
	/* Or it may be earlier, or be cancelled by itself. */
	close(scope);
	close(above);
	EXPECT_EQ(self->before + 2, count_scopes(self->fd));
	scope = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, 20 * HOUR));
	SUCCEEDS(scope_bind(scope, self->c, REIN_NO_FD, 0));
	own = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	id = said.id;
	ask_within(ask_for(&in->take, "hourly", 1, 0, 0), own);
	inside_run(in, C, act_take);
	ASSERT_TRUE(wait_count(self, "hourly", self->top, REIN_A_STATS_QUEUED, 1));
	SUCCEEDS(scope_cancel(own));
	TOOK(in, ECANCELED, SCOPE_DONE, REIN_CAUSE_USER, id);
	close(own);
	own = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	ask_within(ask_for(&in->take, "hourly", 1, 0, 0), own);
	inside_run(in, C, act_take);
	ASSERT_TRUE(wait_count(self, "hourly", self->top, REIN_A_STATS_QUEUED, 1));
	SUCCEEDS(scope_cancel(scope));
	EXPECT_EQ(0, inside_join(in));
	EXPECT_EQ(ECANCELED, in->err);
	EXPECT_EQ(REIN_CAUSE_USER, in->take.args.cause);
	EXPECT_EQ(scope_origin(scope), in->take.args.scope_id);
	close(own);
	close(scope);
}

static int set_rate(FIXTURE_DATA(bind) *self, const char *name, uint64_t tokens, uint64_t period)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	begin(&msg, REIN_CMD_LIMIT_SET, name, self->top);
	genl_put_tier(&msg, REIN_UNIT_CALLS, tokens, period, 10);
	return genl_ask(self->fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

/* Reserves, waits until it is granted, and claims. */
static void act_reserve(struct inside *inside)
{
	inside->fd = reserve(inside->dev, &inside->take);
	if (inside->fd < 0)
		inside->err = -inside->fd;
	else if (scope_events(inside->fd, POLLIN, LONG_MS))
		inside->err = claim(inside->fd, &inside->take);
	else
		inside->err = EAGAIN;
}

/* A take, or a reservation, of one of "ten". */
static void wait_inside(struct inside *inside, int nth, const char *cgroup)
{
	ask_for(&inside->take, "ten", 1, 0, 0);
	inside->take.args.claim_ns = nth % 2 ? 60 * SECOND : 0;
	inside_run(inside, cgroup, nth % 2 ? act_reserve : act_take);
}

/* Who waits already when it is bound is not a part of it; who comes later is. */
TEST_F_TIMEOUT(bind, not_those_that_wait_already, TIMEOUT)
{
	struct inside *in[4];
	struct scope_view view;
	uint64_t id;
	int scope, i;

	for (i = 0; i < 4; i++)
		in[i] = inside_new(self->dev);
	ask_for(&in[0]->take, "ten", 10, 0, 0);
	inside_run(in[0], A, act_take);
	TOOK(in[0], 0, 0, 0, 0);
	for (i = 0; i < 2; i++)
		wait_inside(in[i], i, B);
	ASSERT_TRUE(wait_count(self, "ten", self->top, REIN_A_STATS_QUEUED, 2));
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	id = said.id;
	SUCCEEDS(scope_bind(scope, self->a, REIN_NO_FD, 0));
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_EQ(0, view.waiters) {
		TH_LOG("those that wait already are a part of it; " AGAIN);
	}
	for (i = 2; i < 4; i++)
		wait_inside(in[i], i, A);
	ASSERT_TRUE(wait_count(self, "ten", self->top, REIN_A_STATS_QUEUED, 4));
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_EQ(2, view.waiters);
	SUCCEEDS(scope_cancel(scope));
	TOOK(in[2], ECANCELED, SCOPE_DONE, REIN_CAUSE_USER, id);
	EXPECT_EQ(0, inside_join(in[3]));
	EXPECT_EQ(ECANCELED, in[3]->err);
	EXPECT_EQ(id, in[3]->take.args.scope_id);
	/* The others wait as before, and get what they wait for. */
	EXPECT_EQ(2, count_of(self, "ten", self->top, REIN_A_STATS_QUEUED));
	EXPECT_EQ(2, count_of(self, "ten", self->top, REIN_A_STATS_CANCELLED));
	EXPECT_EQ(0, kill(in[0]->pid, 0));
	EXPECT_EQ(0, kill(in[1]->pid, 0));
	EXPECT_EQ(0, set_rate(self, "ten", 1000, SECOND));
	TOOK(in[0], 0, 0, 0, 0);
	EXPECT_EQ(0, inside_join(in[1]));
	EXPECT_EQ(0, in[1]->err) {
		TH_LOG("%s (%.128s); " AGAIN, strerror(in[1]->err), in[1]->take.args.message);
	}
	close(scope);
}

/* --- scopes below ---------------------------------------------------------------------------- */

TEST_F_TIMEOUT(bind, those_below_end_too, TIMEOUT)
{
	struct scope_record record;
	struct rein_scope_done done;
	int above, low, child, beside;
	struct inside *in = inside_new(self->dev);
	uint64_t id, low_id, cause;

	above = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "above"));
	id = said.id;
	low = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "below"));
	low_id = said.id;
	beside = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	child = SUCCEEDS(scope_new(self->dev, low));
	SUCCEEDS(scope_bind(above, self->a, REIN_NO_FD, 0));
	SUCCEEDS(scope_bind(low, self->b, REIN_NO_FD, 0));
	SUCCEEDS(scope_bind(beside, self->c, REIN_NO_FD, 0));
	ask_for(&in->take, "ten", 10, 0, 0);
	inside_run(in, B, act_take);
	TOOK(in, 0, 0, 0, 0);
	ask_for(&in->take, "ten", 1, 0, 0);
	inside_run(in, B, act_take);
	ASSERT_TRUE(wait_count(self, "ten", self->top, REIN_A_STATS_QUEUED, 1));
	SUCCEEDS(scope_cancel_as(above, REIN_CAUSE_USER, "from above"));
	ASSERT_TRUE(scope_read(above, &done));
	cause = done.record;
	EXPECT_EQ(REIN_CAUSE_PARENT, scope_wait(low));
	EXPECT_EQ(REIN_CAUSE_PARENT, scope_wait(child));
	ASSERT_TRUE(scope_read(low, &done));
	EXPECT_EQ(id, done.origin);
	ASSERT_EQ(0, read_scope_record(self->fd, done.record, &record));
	EXPECT_EQ(SCOPE_PARENT, record.code);
	EXPECT_EQ(low_id, record.scope_id);
	EXPECT_EQ(cause, record.cause) {
		TH_LOG("its record does not name that of the one above; " AGAIN);
	}
	ASSERT_EQ(0, read_scope_record(self->fd, cause, &record));
	EXPECT_EQ(SCOPE_USER, record.code);
	EXPECT_EQ(id, record.scope_id);
	ASSERT_TRUE(scope_read(child, &done));
	EXPECT_EQ(0, inside_join(in));
	EXPECT_EQ(ECANCELED, in->err);
	EXPECT_EQ(0, count_of(self, "ten", self->top, REIN_A_STATS_QUEUED));
	CAUSE_IS(REIN_CAUSE_NONE, beside);
	close(child);
	close(low);
	close(above);
	close(beside);
}

TEST_F(bind, not_those_above)
{
	int above = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), low, late;

	low = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	late = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	SUCCEEDS(scope_bind(above, self->a, REIN_NO_FD, 0));
	SUCCEEDS(scope_bind(low, self->b, REIN_NO_FD, 0));
	SUCCEEDS(scope_cancel(low));
	CAUSE_IS(REIN_CAUSE_NONE, above);
	SUCCEEDS(scope_cancel(above));
	CAUSE_IS(REIN_CAUSE_USER, low);
	close(low);
	/* Its cgroup, too, is below one whose scope is done. */
	EXPECT_EQ(0, rmdir(B));
	close(self->b);
	self->b = make_cgroup(B);
	ASSERT_LE(0, self->b);
	SUCCEEDS(scope_bind(late, self->b, REIN_NO_FD, 0));
	EXPECT_EQ(REIN_CAUSE_PARENT, scope_wait(late));
	close(late);
	close(above);
}

/* --- who may bind what ----------------------------------------------------------------------- */

TEST_F(bind, wrong_cgroups)
{
	int scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), fd, done;

	FAILS(EBADF, NOT_A_CGROUP, scope_bind(scope, -1, REIN_NO_FD, 0));
	FAILS(EBADF, NOT_A_CGROUP, scope_bind(scope, 9999, REIN_NO_FD, 0));
	FAILS(EBADF, NOT_A_CGROUP, scope_bind(scope, self->dev, REIN_NO_FD, 0));
	FAILS(EBADF, NOT_A_CGROUP, scope_bind(scope, scope, REIN_NO_FD, 0));
	fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FAILS(EBADF, NOT_A_CGROUP, scope_bind(scope, fd, REIN_NO_FD, 0));
	close(fd);
	fd = open_at(self->a, "cgroup.procs", O_RDONLY);
	FAILS(EBADF, NOT_A_CGROUP, scope_bind(scope, fd, REIN_NO_FD, 0));
	close(fd);
	/* One that was just removed. */
	mkdir(C "/gone", 0755);
	fd = open(C "/gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_EQ(0, rmdir(C "/gone"));
	FAILS(ENODEV, CGROUP_DYING, scope_bind(scope, fd, REIN_NO_FD, 0));
	close(fd);
	/* One that is done. */
	done = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	SUCCEEDS(scope_cancel(done));
	FAILS(ECANCELED, SCOPE_DONE, scope_bind(done, self->a, REIN_NO_FD, 0));
	close(done);
	/* None of that has bound it. */
	SUCCEEDS(scope_bind(scope, self->a, REIN_NO_FD, 0));
	close(scope);
}

TEST_F(bind, twice)
{
	int scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), other, low;

	other = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	low = SUCCEEDS(scope_new(self->dev, scope));
	SUCCEEDS(scope_bind(scope, self->a, REIN_NO_FD, 0));
	FAILS(EBUSY, BIND_TWICE, scope_bind(scope, self->a, REIN_NO_FD, 0));
	FAILS(EBUSY, BIND_TWICE, scope_bind(scope, self->c, REIN_NO_FD, 0));
	FAILS(EBUSY, BIND_TWICE, scope_bind(other, self->a, REIN_NO_FD, 0));
	FAILS(EBUSY, BIND_TWICE, scope_bind(low, self->a, REIN_NO_FD, 0));
	/* One of its family may be elsewhere. */
	SUCCEEDS(scope_bind(low, self->b, REIN_NO_FD, 0));
	SUCCEEDS(scope_bind(other, self->c, REIN_NO_FD, 0));
	close(low);
	close(other);
	close(scope);
	/* It stays bound, and so is there, until its cgroup is removed. */
	EXPECT_EQ(self->before + 3, count_scopes(self->fd));
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	FAILS(EBUSY, BIND_TWICE, scope_bind(scope, self->c, REIN_NO_FD, 0));
	ASSERT_EQ(0, rmdir(C));
	EXPECT_EQ(self->before + 3, settle_scopes(self->fd, self->before + 3));
	close(self->c);
	self->c = make_cgroup(C);
	SUCCEEDS(scope_bind(scope, self->c, REIN_NO_FD, 0));
	close(scope);
}

TEST_F(bind, wrong_kill_files)
{
	int scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), fd, thread, root;
	int pair[2];

	/* Another file of that cgroup; that file of another one; not open for writing. */
	fd = open_at(self->a, "cgroup.procs", O_WRONLY);
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, fd, 0));
	close(fd);
	fd = open_at(self->a, "cgroup.freeze", O_RDWR);
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, fd, 0));
	close(fd);
	fd = open_kill(self->b);
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, fd, 0));
	close(fd);
	fd = open_kill(self->top);
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, fd, 0));
	close(fd);
	fd = open_at(self->a, "cgroup.kill", O_PATH);
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, fd, 0));
	close(fd);
	/* Its mode has no read. Root may all the same. */
	fd = open_at(self->a, "cgroup.kill", O_RDONLY);
	if (fd >= 0) {
		FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, fd, 0));
		close(fd);
	}
	/* No file of a cgroup, though it may be named so. */
	fd = open("/tmp/cgroup.kill", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, fd, 0));
	close(fd);
	unlink("/tmp/cgroup.kill");
	ASSERT_EQ(0, pipe2(pair, O_CLOEXEC));
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, pair[1], 0));
	close(pair[0]);
	close(pair[1]);
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, self->a, 0));
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, scope, 0));
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, 9999, 0));
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, self->a, -2, 0));
	/* One that was removed, and another in its place. */
	mkdir(C "/gone", 0755);
	thread = open(C "/gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_kill(thread);
	close(thread);
	ASSERT_EQ(0, rmdir(C "/gone"));
	thread = make_cgroup(C "/gone");
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, thread, fd, 0));
	close(fd);
	close(thread);
	ASSERT_EQ(0, rmdir(C "/gone"));
	/* The root has none. */
	root = open(CGROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_kill(self->a);
	FAILS(EINVAL, BIND_KILL, scope_bind(scope, root, fd, 0));
	close(fd);
	close(root);
	/* That of a threaded one can't be used. */
	mkdir(C "/thread", 0755);
	ASSERT_TRUE(put_file(C "/thread/cgroup.type", "threaded"));
	thread = open(C "/thread", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_kill(thread);
	if (fd >= 0) {
		FAILS(EINVAL, BIND_KILL, scope_bind(scope, thread, fd, 0));
		close(fd);
	}
	close(thread);
	ASSERT_EQ(0, rmdir(C "/thread"));
	/* None of that has bound it. */
	fd = open_kill(self->a);
	SUCCEEDS(scope_bind(scope, self->a, fd, HOUR));
	close(fd);
	close(scope);
}

TEST_F(bind, without_privileges)
{
	struct report *report = new_report();
	int ours = open_kill(self->c);
	pid_t pid;

	/* A is delegated; what is below it was made by root. */
	ASSERT_EQ(0, chown(A, NOBODY, NOBODY));
	ASSERT_EQ(0, chown(A "/cgroup.kill", NOBODY, NOBODY));
	pid = fork();
	if (!pid) {
		int scope, kill_fd;

		if (!become_nobody())
			_exit(1);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		scope = scope_new(self->dev, REIN_NO_FD);
		if (scope < 0)
			_exit(2);
		note(report, 0, scope_bind(scope, self->a, REIN_NO_FD, 0));
		/* He can't open those of others. */
		if (open_kill(self->c) >= 0)
			_exit(3);
		kill_fd = open_kill(self->a);
		if (kill_fd < 0)
			_exit(4);
		note(report, 1, scope_bind(scope, self->c, kill_fd, 0));
		note(report, 2, scope_bind(scope, self->a, kill_fd, 0));
		close(scope);
		scope = scope_new(self->dev, REIN_NO_FD);
		/* Nor does he need to: who has the descriptor may kill. */
		note(report, 3, scope_bind(scope, self->c, ours, 0));
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	FAILS(EPERM, BIND_DENIED, noted(report, 0));
	FAILS(EINVAL, BIND_KILL, noted(report, 1));
	SUCCEEDS(noted(report, 2));
	SUCCEEDS(noted(report, 3));
	close(ours);
	munmap(report, sizeof(*report));
}

TEST_F(bind, opened_from_inside)
{
	int above = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), low;
	struct inside *in = inside_new(self->dev);
	uint64_t id = said.id, low_id;

	low = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	low_id = said.id;
	SUCCEEDS(scope_bind(above, self->a, REIN_NO_FD, 0));
	inside_run(in, B, act_open);
	EXPECT_EQ(0, inside_join(in));
	EXPECT_LE(0, in->fd);
	EXPECT_EQ(id, in->take.args.scope_id);
	SUCCEEDS(scope_bind(low, self->b, REIN_NO_FD, 0));
	inside_run(in, B, act_open);
	EXPECT_EQ(0, inside_join(in));
	EXPECT_EQ(low_id, in->take.args.scope_id) {
		TH_LOG("the nearest; " AGAIN);
	}
	inside_run(in, A, act_open);
	EXPECT_EQ(0, inside_join(in));
	EXPECT_EQ(id, in->take.args.scope_id);
	inside_run(in, C, act_open);
	EXPECT_EQ(0, inside_join(in));
	said.answer = in->answer;
	FAILS(ENOENT, SCOPE_UNKNOWN, in->fd);
	/* Whoever is in there may look, and no more. */
	inside_run(in, B, act_open_as_nobody);
	EXPECT_EQ(0, inside_join(in));
	EXPECT_EQ(-EPERM, in->err) {
		TH_LOG("an observer: %s; " AGAIN, strerror(-in->err));
	}
	said.answer = in->answer;
	FAILS(EACCES, SCOPE_DENIED, in->fd);
	CAUSE_IS(REIN_CAUSE_NONE, low);
	close(low);
	close(above);
}

/* --- namespaces ------------------------------------------------------------------------------ */

/*
 * Root of a container, whose cgroup A is, and which has made B: neither is A its own,
 * nor by a namespace in B.
 */
static void act_bind_the_root(struct inside *inside)
{
	int a, kill_a, b, kill_b, scope;

	if (!become_nobody() || unshare(CLONE_NEWUSER | CLONE_NEWCGROUP))
		_exit(98);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	a = open(A, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	kill_a = open_kill(a);
	b = open(B, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	kill_b = open_kill(b);
	scope = scope_new(inside->dev, REIN_NO_FD);
	inside->err = scope_bind(scope, a, kill_a, 0);
	if (!enter(B) || unshare(CLONE_NEWCGROUP))
		_exit(97);
	inside->fd = scope_bind(scope, a, kill_a, 0);
	inside->answer = said.answer;
	/* Nor what is so no more. */
	inside->take.args.code = -scope_bind(scope, b, kill_b, 0);
}

TEST_F(bind, the_root_of_a_namespace)
{
	struct inside *in = inside_new(self->dev);

	ASSERT_EQ(0, chown(A, NOBODY, NOBODY));
	ASSERT_EQ(0, chown(A "/cgroup.kill", NOBODY, NOBODY));
	ASSERT_EQ(0, chown(A "/cgroup.procs", NOBODY, NOBODY));
	ASSERT_EQ(0, chown(B, NOBODY, NOBODY));
	ASSERT_EQ(0, chown(B "/cgroup.kill", NOBODY, NOBODY));
	ASSERT_EQ(0, chown(B "/cgroup.procs", NOBODY, NOBODY));
	inside_run(in, A, act_bind_the_root);
	EXPECT_EQ(0, inside_join(in));
	EXPECT_EQ(-EPERM, in->err);
	said.answer = in->answer;
	FAILS(EPERM, BIND_DENIED, in->fd);
	EXPECT_EQ(EPERM, in->take.args.code);
}

/* The same user, with no capability, in a cgroup namespace of his own. */
static void act_open_confined(struct inside *inside)
{
	if (!confine(CLONE_NEWCGROUP))
		_exit(98);
	inside->fd = scope_open(inside->dev, 0, inside->take.args.scope_id, "");
	inside->answer = said.answer;
}

TEST_F(bind, opened_from_a_namespace)
{
	int scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	struct inside *in = inside_new(self->dev);

	in->take.args.scope_id = said.id;
	inside_run(in, A, act_open_confined);
	EXPECT_EQ(0, inside_join(in));
	said.answer = in->answer;
	FAILS(EACCES, SCOPE_DENIED, in->fd);
	CAUSE_IS(REIN_CAUSE_NONE, scope);
	close(scope);
}

/* --- processes ------------------------------------------------------------------------------- */

TEST_F_TIMEOUT(bind, processes_are_killed, TIMEOUT)
{
	struct inside *in[3] = {
		inside_new(self->dev), inside_new(self->dev), inside_new(self->dev),
	};
	int scope, fd, i;

	for (i = 0; i < 3; i++)
		inside_run(in[i], i == 0 ? A : i == 1 ? B : C, act_pause);
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	fd = open_kill(self->a);
	SUCCEEDS(scope_bind(scope, self->a, fd, 0));
	/* It isn't needed any more. */
	close(fd);
	EXPECT_FALSE(is_empty(self->a));
	SUCCEEDS(scope_cancel(scope));
	EXPECT_TRUE(wait_empty(self->a)) {
		TH_LOG("they live on; " AGAIN);
	}
	EXPECT_EQ(-1, inside_join(in[0]));
	EXPECT_EQ(-1, inside_join(in[1]));
	EXPECT_EQ(0, kill(in[2]->pid, 0));
	EXPECT_EQ(0, waitpid(in[2]->pid, NULL, WNOHANG)) {
		TH_LOG("one beside it was killed; " AGAIN);
	}
	close(scope);
}

/* By time, with nobody who still has a descriptor. */
TEST_F_TIMEOUT(bind, processes_are_killed_in_time, TIMEOUT)
{
	struct inside *in = inside_new(self->dev);
	int scope, fd;

	inside_run(in, B, act_pause);
	scope = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, 100 * MS));
	fd = open_kill(self->a);
	SUCCEEDS(scope_bind(scope, self->a, fd, 0));
	close(fd);
	close(scope);
	EXPECT_TRUE(wait_empty(self->a));
	EXPECT_EQ(-1, inside_join(in));
}

/* Or with its owner. */
TEST_F_TIMEOUT(bind, processes_are_killed_with_the_owner, TIMEOUT)
{
	struct inside *in = inside_new(self->dev);
	int scope, fd;

	inside_run(in, A, act_pause);
	scope = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD));
	fd = open_kill(self->a);
	SUCCEEDS(scope_bind(scope, self->a, fd, 0));
	close(fd);
	EXPECT_FALSE(is_empty(self->a));
	close(scope);
	EXPECT_TRUE(wait_empty(self->a));
	EXPECT_EQ(-1, inside_join(in));
}

/* As many as a user may have, of whom each makes more as soon as there is room. */
static void act_bomb(struct inside *inside)
{
	bomb(inside);
}

TEST_F_TIMEOUT(bind, a_fork_bomb, TIMEOUT)
{
	struct inside *in = inside_new(self->dev);
	int scope, kill_fd;

	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	kill_fd = open_kill(self->a);
	SUCCEEDS(scope_bind(scope, self->a, kill_fd, 0));
	inside_run(in, B, act_bomb);
	/* Until it has gone off. */
	EXPECT_TRUE(wait_crowded(self->b, 20));
	SUCCEEDS(scope_cancel(scope));
	EXPECT_TRUE(wait_empty(self->a)) {
		TH_LOG("it lives on; " AGAIN);
	}
	inside_join(in);
	close(kill_fd);
	close(scope);
}

TEST_F_TIMEOUT(bind, killed_after_a_delay, TIMEOUT)
{
	struct inside *in = inside_new(self->dev);
	uint64_t before;
	int scope, fd;

	inside_run(in, A, act_pause);
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	fd = open_kill(self->a);
	SUCCEEDS(scope_bind(scope, self->a, fd, 300 * MS));
	before = now_ns();
	SUCCEEDS(scope_cancel(scope));
	EXPECT_TRUE(wait_empty(self->a));
	/* The kernel's timers of this kind count in steps, of 10 ms at most. */
	EXPECT_LE(before + 290 * MS, now_ns()) {
		TH_LOG("too early: after %llu ms; " AGAIN,
		       (unsigned long long)(now_ns() - before) / MS);
	}
	EXPECT_EQ(-1, inside_join(in));
	close(fd);
	close(scope);

	/* Those who leave in time, and their cgroup with them, are in nobody's way. */
	inside_run(in, C, act_pause);
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	fd = open_kill(self->c);
	SUCCEEDS(scope_bind(scope, self->c, fd, HOUR));
	close(fd);
	SUCCEEDS(scope_cancel(scope));
	close(scope);
	usleep(100000);
	EXPECT_FALSE(is_empty(self->c));
	kill(in->pid, SIGTERM);
	inside_join(in);
	ASSERT_TRUE(wait_empty(self->c));
	EXPECT_EQ(0, rmdir(C));
	EXPECT_EQ(self->before + 1, settle_scopes(self->fd, self->before + 1));
}

/* --- packets --------------------------------------------------------------------------------- */

static int add_egress(int fd, const char *name, int dir)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	begin(&msg, REIN_CMD_LIMIT_ADD, name, dir);
	genl_put_u32(&msg, REIN_A_LIMIT_OVER, REIN_OVER_WAIT);
	genl_put_u64(&msg, REIN_A_LIMIT_PATIENCE_NS, DAY);
	genl_put_tier(&msg, REIN_UNIT_PACKETS, 1, HOUR, 1);
	return genl_ask(fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

/* Ten datagrams, of which the first few pass. */
static void act_send(struct inside *inside)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	inside->err = 0;
	for (i = 0; i < 10; i++)
		if (sendto(fd, "x", 1, 0, (void *)&to, sizeof(to)) != 1)
			inside->err = errno;
	/* What waits is not its socket's. */
	act_pause(inside);
}

TEST_F_TIMEOUT(bind, packets_are_dropped, TIMEOUT)
{
	struct inside *in[3] = {
		inside_new(self->dev), inside_new(self->dev), inside_new(self->dev),
	};
	struct rein_scope_done done;
	struct scope_record record;
	uint64_t before, now;
	int scope, i;

	if (system("ip link set lo up"))
		SKIP(return, "lo can't be set up");
	ASSERT_EQ(0, add_egress(self->fd, "out", self->top));
	for (i = 0; i < 3; i++)
		inside_run(in[i], i == 0 ? A : i == 1 ? B : C, act_send);
	/* One has passed. */
	ASSERT_TRUE(wait_count(self, "out", self->top, REIN_A_STATS_SEEN, 30));
	ASSERT_TRUE(wait_count(self, "out", self->top, REIN_A_STATS_QUEUED, 29));
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	SUCCEEDS(scope_bind(scope, self->a, REIN_NO_FD, 0));
	before = newest(self->fd, SCOPE_DROPPED);
	SUCCEEDS(scope_cancel(scope));
	for (i = 0; i < 3000 && count_of(self, "out", self->top, REIN_A_STATS_QUEUED) > 10; i++)
		usleep(10000);
	{
		struct books books;

		ASSERT_EQ(0, read_books(self->fd, "out", self->top, &books));
		EXPECT_TRUE(books_balance(&books));
		/* The one that has passed may have been of C. */
		EXPECT_LE(9, books.count[REIN_A_STATS_QUEUED]);
		EXPECT_GE(10, books.count[REIN_A_STATS_QUEUED]);
		EXPECT_EQ(29, books.count[REIN_A_STATS_QUEUED] +
				      books.count[REIN_A_STATS_CANCELLED])
		{
			TH_LOG("they were not counted as cancelled; " AGAIN);
		}
	}
	now = newest(self->fd, SCOPE_DROPPED);
	ASSERT_NE(before, now);
	ASSERT_EQ(0, read_scope_record(self->fd, now, &record));
	ASSERT_TRUE(scope_read(scope, &done));
	EXPECT_EQ(done.record, record.cause) {
		TH_LOG("the record of the packets does not name that of the scope; " AGAIN);
	}
	EXPECT_EQ(0, in[0]->err);
	close(scope);
	kill_all(self->top);
	for (i = 0; i < 3; i++)
		inside_join(in[i]);
}

/* --- the binding goes ------------------------------------------------------------------------ */

TEST_F(bind, goes_with_its_cgroup)
{
	int scope = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "goes")), fd;
	uint64_t id = said.id, end = now_ns() + LONG;
	struct scope_view view;

	fd = open_kill(self->c);
	SUCCEEDS(scope_bind(scope, self->c, fd, 0));
	close(fd);
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_NE(0, view.cgroup_id);
	EXPECT_TRUE(scope_has(&view, REIN_A_SCOPE_KILLS));
	EXPECT_TRUE(scope_has(&view, REIN_A_SCOPE_CGROUP_PATH));
	ASSERT_EQ(0, rmdir(C));
	while (view.cgroup_id && now_ns() < end) {
		usleep(1000);
		ASSERT_EQ(0, read_scope(self->fd, id, &view));
	}
	EXPECT_EQ(0, view.cgroup_id);
	CAUSE_IS(REIN_CAUSE_NONE, scope);
	SUCCEEDS(scope_cancel(scope));
	close(scope);
	/* What is left of the binding may hold it for a moment. */
	EXPECT_EQ(self->before, settle_scopes(self->fd, self->before));
	EXPECT_EQ(-ENOENT, read_scope(self->fd, id, &view));
}

/* --- all at once ----------------------------------------------------------------------------- */

struct player {
	pthread_t thread;
	int dev;
	unsigned int me;
	unsigned int rounds;
	uint64_t random;
	const char *wrong;
};

/* A cgroup, a scope, a process, and then all of it ends, in any order. */
static const char *play_once(struct player *player)
{
	static const uint64_t delays[] = { 0, 0, MS, HOUR };
	char path[64];
	uint64_t delay = delays[dice_of(&player->random, 4)];
	int dir, scope, fd, err;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/p%u", dice_of(&player->random, 2) ? A : B, player->me);
	dir = make_cgroup(path);
	fd = open_kill(dir);
	scope = scope_timed(player->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT |
			    (dice_of(&player->random, 2) ? REIN_SCOPE_OWNED : 0),
			    (1 + dice_of(&player->random, 20)) * MS);
	if (dir < 0 || fd < 0 || scope < 0)
		return "no cgroup, or no scope";
	pid = fork();
	if (!pid) {
		enter(path);
		pause();
		_exit(0);
	}
	err = scope_bind(scope, dir, fd, delay);
	if (err && err != -ECANCELED)
		return strerror(-err);
	switch (dice_of(&player->random, 3)) {
	case 0:
		scope_cancel(scope);
		break;
	case 1:
		close(scope);
		scope = -1;
		break;
	default:
		scope_wait(scope);
	}
	usleep(dice_of(&player->random, 3000));
	/* By now somebody may have killed it; or nobody will. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	kill_all(dir);
	if (scope >= 0 && dice_of(&player->random, 2)) {
		close(scope);
		scope = -1;
	}
	close(fd);
	close(dir);
	if (rmdir(path))
		return "a cgroup can't be removed";
	if (scope >= 0)
		close(scope);
	return NULL;
}

static void *play(void *arg)
{
	struct player *player = arg;
	unsigned int i;

	for (i = 0; i < player->rounds && !player->wrong; i++)
		player->wrong = play_once(player);
	return NULL;
}

TEST_F_TIMEOUT(bind, all_at_once, TIMEOUT)
{
	const unsigned int rounds = is_debug() ? 25 : 150;
	static struct player players[3];
	uint64_t seed = choose_seed();
	unsigned int i;
	int above;

	TH_LOG("TEST_SEED=%llu", (unsigned long long)seed);
	/* One above, which they don't end with. */
	above = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	SUCCEEDS(scope_bind(above, self->a, REIN_NO_FD, 0));
	for (i = 0; i < 3; i++) {
		players[i] = (struct player){
			.dev = self->dev, .me = i, .rounds = rounds, .random = seed + i,
		};
		ASSERT_EQ(0, pthread_create(&players[i].thread, NULL, play, &players[i]));
	}
	for (i = 0; i < 3; i++) {
		pthread_join(players[i].thread, NULL);
		EXPECT_EQ(NULL, players[i].wrong) {
			TH_LOG("%s; " AGAIN, players[i].wrong);
		}
	}
	CAUSE_IS(REIN_CAUSE_NONE, above);
	close(above);
}

TEST_HARNESS_MAIN
