// SPDX-License-Identifier: GPL-2.0
/*
 * What listeners are told of scopes: what becomes of each, in the order in which it does,
 * with all that there is to be known of it; and who may listen, and where.
 *
 * Whoever is told something is told it before the call returns that brings it about, unless
 * it comes of time or of a cgroup's end: so what is not there then is not coming.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <kselftest_harness.h>
#include "scope.h"

#define CGROOT		"/sys/fs/cgroup"
#define NAME		"test-scope-events"
#define DIRECTORY	CGROOT "/" NAME

#define AGAIN		"run: make check TESTS=scope-events"
#define TIMEOUT		110

/**
 * struct event - what a listener is told
 * @err:	0, or why it is told nothing
 * @cmd:	of the message
 * @event:	enum rein_scope_event
 * @time_ns:	CLOCK_REALTIME of its end
 * @kills:	its end kills
 * @path:	of its cgroup
 * @scope:	the rest
 */
struct event {
	int err;
	unsigned int cmd;
	unsigned int event;
	uint64_t time_ns;
	bool kills;
	char path[256];
	struct scope_view scope;
};

/**
 * struct events - what every test has
 * @fd:		the netlink socket for requests
 * @ear:	the one that listens
 * @dev:	the device
 * @before:	how many scopes there were
 * @event:	the newest
 */
FIXTURE(events) {
	int fd;
	int ear;
	int dev;
	uint64_t before;
	struct event event;
};

/* --- to listen --------------------------------------------------------------------------- */

static void take_event(const struct nlmsghdr *nlh, struct event *event)
{
	const struct genlmsghdr *ghdr = NLMSG_DATA(nlh);
	const size_t len = nlh->nlmsg_len - NLMSG_HDRLEN;
	const struct nlattr *first = genl_first(ghdr);
	const char *end = (const char *)ghdr + len;

	event->cmd = ghdr->cmd;
	event->event = genl_u32(genl_find(first, end, REIN_A_SCOPE_EVENT));
	event->time_ns = genl_u64(genl_find(first, end, REIN_A_SCOPE_TIME_NS));
	event->kills = genl_find(first, end, REIN_A_SCOPE_KILLS);
	copy_text(event->path, sizeof(event->path),
		  genl_find(first, end, REIN_A_SCOPE_CGROUP_PATH));
	take_scope(ghdr, len, &event->scope);
}

/* The next that there is, or comes soon enough; @flags as for recv(). */
static void hear(int ear, int flags, struct event *event)
{
	static char buf[1 << 16];
	ssize_t got;

	memset(event, 0, sizeof(*event));
	got = recv(ear, buf, sizeof(buf), flags);
	if (got < 0)
		event->err = errno;
	/* There is one in each. */
	else if (!NLMSG_OK((struct nlmsghdr *)buf, got) ||
		 ((struct nlmsghdr *)buf)->nlmsg_len != got ||
		 ((struct nlmsghdr *)buf)->nlmsg_type != genl_family)
		event->err = EBADMSG;
	else
		take_event((struct nlmsghdr *)buf, event);
}

FIXTURE_SETUP(events) {
	OPENS_REIN();
	self->ear = listen_to_scopes();
	ASSERT_LE(0, self->ear) {
		TH_LOG("%s; " AGAIN, strerror(-self->ear));
	}
}

FIXTURE_TEARDOWN(events) {
	EXPECT_EQ(self->before, settle_scopes(self->fd, self->before)) {
		TH_LOG("a scope is left; " AGAIN);
	}
	close(self->ear);
	close(self->dev);
	close(self->fd);
}

/* What the next event is, and of which scope; it has what all have. */
#define HEARS(what, id_) do {								\
	const uint64_t want_ = (id_);							\
											\
	hear(self->ear, 0, &self->event);						\
	ASSERT_EQ(0, self->event.err) {							\
		TH_LOG("expected %s of scope %llu, seen: %s; " AGAIN, #what,		\
		       (unsigned long long)want_, strerror(self->event.err));		\
	}										\
	EXPECT_EQ(REIN_SCOPE_EVENT_##what, self->event.event) {				\
		TH_LOG("expected %s of scope %llu, seen: %u of %llu; " AGAIN, #what,	\
		       (unsigned long long)want_, self->event.event,			\
		       (unsigned long long)self->event.scope.id);			\
	}										\
	EXPECT_EQ(want_, self->event.scope.id) {					\
		TH_LOG("%s of another scope than expected; " AGAIN, #what);		\
	}										\
	EXPECT_EQ(REIN_CMD_SCOPE_NTF, self->event.cmd);					\
	EXPECT_EQ(0, EVERY & ~self->event.scope.has) {					\
		TH_LOG("%s: an attribute is missing; " AGAIN, #what);			\
	}										\
} while (0)

/* What has been heard is all. */
#define HEARS_NO_MORE() do {								\
	hear(self->ear, MSG_DONTWAIT, &self->event);					\
	EXPECT_EQ(EAGAIN, self->event.err) {						\
		TH_LOG("expected nothing, seen: event %u of scope %llu, or %s; " AGAIN,	\
		       self->event.event, (unsigned long long)self->event.scope.id,	\
		       strerror(self->event.err));					\
	}										\
} while (0)

#define BIT_OF(name)	(1ULL << REIN_A_SCOPE_##name)
#define EVERY		(BIT_OF(ID) | BIT_OF(DEPTH) | BIT_OF(CAUSE) | BIT_OF(CHILDREN) | \
			 BIT_OF(WAITERS) | BIT_OF(PID) | BIT_OF(COMM) | BIT_OF(UID) |	\
			 BIT_OF(EVENT))

/* The event has those attributes, besides those that every one has, and no other. */
#define HAS_JUST(attrs) EXPECT_EQ(EVERY | (attrs), self->event.scope.has & ~BIT_OF(PAD))

#define END		(BIT_OF(ORIGIN) | BIT_OF(TIME_NS))

static uint64_t real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* Why the scope of the event is done, where that began, and since when. */
#define ENDED(cause_, origin_, from) do {						\
	EXPECT_EQ(cause_, self->event.scope.cause);					\
	EXPECT_EQ(origin_, self->event.scope.origin);					\
	EXPECT_LE(from, self->event.time_ns);						\
	EXPECT_LE(self->event.time_ns, real_ns());					\
} while (0)

/* --- what becomes of one ------------------------------------------------------------------- */

TEST_F(events, made_done_gone)
{
	uint64_t top_id, low_id, from, record;
	struct scope_record of;
	int top, low;

	HEARS_NO_MORE();
	top = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "a.Z_0-9:@"));
	top_id = said.id;
	HEARS(MADE, top_id);
	HAS_JUST(BIT_OF(NAME));
	EXPECT_STREQ("a.Z_0-9:@", self->event.scope.name);
	EXPECT_EQ(1, self->event.scope.depth);
	EXPECT_EQ(REIN_CAUSE_NONE, self->event.scope.cause);
	EXPECT_EQ(0, self->event.scope.children);
	EXPECT_EQ(0, self->event.scope.waiters);
	EXPECT_EQ(getpid(), self->event.scope.pid);
	EXPECT_EQ(0, self->event.scope.uid);
	EXPECT_STREQ("scope-events", self->event.scope.comm);
	low = SUCCEEDS(scope_timed(self->dev, top, REIN_SCOPE_TIMEOUT, HOUR));
	low_id = said.id;
	HEARS(MADE, low_id);
	HAS_JUST(BIT_OF(PARENT) | BIT_OF(LEFT_NS));
	EXPECT_EQ(top_id, self->event.scope.parent);
	EXPECT_EQ(2, self->event.scope.depth);
	EXPECT_LT(0, self->event.scope.left_ns);
	EXPECT_GE(HOUR, self->event.scope.left_ns);

	/* What is only looked at, observed, or refused, is no event. */
	{
		struct scope_view view;
		int eye = SUCCEEDS(scope_observe(top));

		EXPECT_EQ(0, read_scope(self->fd, top_id, &view));
		FAILS(EPERM, SCOPE_OBSERVER, scope_cancel(eye));
		FAILS(EINVAL, SCOPE_MALFORMED, scope_cancel_as(top, REIN_CAUSE_PARENT, ""));
		FAILS(EINVAL, SCOPE_MALFORMED, scope_named(self->dev, top, "a/b"));
		close(eye);
	}
	HEARS_NO_MORE();

	/* From the top down, with one record and one reason. */
	from = real_ns();
	SUCCEEDS(scope_cancel_as(top, REIN_CAUSE_USER, "enough"));
	HEARS(DONE, top_id);
	HAS_JUST(BIT_OF(NAME) | END | BIT_OF(RECORD) | BIT_OF(REASON));
	ENDED(REIN_CAUSE_USER, top_id, from);
	EXPECT_STREQ("enough", self->event.scope.reason);
	EXPECT_EQ(1, self->event.scope.children);
	record = self->event.scope.record;
	ASSERT_EQ(0, read_scope_record(self->fd, record, &of));
	EXPECT_EQ(SCOPE_USER, of.code);
	HEARS(DONE, low_id);
	HAS_JUST(BIT_OF(PARENT) | BIT_OF(LEFT_NS) | END | BIT_OF(RECORD) | BIT_OF(REASON));
	ENDED(REIN_CAUSE_PARENT, top_id, from);
	EXPECT_STREQ("enough", self->event.scope.reason);
	EXPECT_EQ(record, self->event.scope.record);
	/* Once. */
	SUCCEEDS(scope_cancel(top));
	SUCCEEDS(scope_cancel(low));
	HEARS_NO_MORE();

	/* A scope is there as long as one below. */
	close(top);
	HEARS_NO_MORE();
	close(low);
	HEARS(GONE, low_id);
	EXPECT_EQ(top_id, self->event.scope.parent);
	ENDED(REIN_CAUSE_PARENT, top_id, from);
	HEARS(GONE, top_id);
	ENDED(REIN_CAUSE_USER, top_id, from);
	EXPECT_EQ(0, self->event.scope.children);
	HEARS_NO_MORE();
}

/* One that is closed in peace is not done. */
TEST_F(events, closed)
{
	int scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), copy = dup(scope);
	uint64_t id = said.id, from = real_ns();

	HEARS(MADE, id);
	HAS_JUST(0);
	close(scope);
	HEARS_NO_MORE();
	close(copy);
	HEARS(GONE, id);
	HAS_JUST(0);

	/* An owner's is; nobody misses it, so there is no record. */
	scope = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD));
	id = said.id;
	HEARS(MADE, id);
	close(scope);
	HEARS(DONE, id);
	HAS_JUST(END);
	ENDED(REIN_CAUSE_OWNER_EXIT, id, from);
	HEARS(GONE, id);

	/* Somebody does. */
	scope = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD));
	id = said.id;
	copy = SUCCEEDS(scope_observe(scope));
	HEARS(MADE, id);
	close(scope);
	HEARS(DONE, id);
	HAS_JUST(END | BIT_OF(RECORD));
	HEARS_NO_MORE();
	close(copy);
	HEARS(GONE, id);
	HEARS_NO_MORE();
}

/* It is made first, and then it is done: even if it is born so. */
TEST_F(events, born_done)
{
	uint64_t top_id, id, from = real_ns();
	int top, scope;

	top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	top_id = said.id;
	HEARS(MADE, top_id);
	SUCCEEDS(scope_cancel(top));
	HEARS(DONE, top_id);
	scope = SUCCEEDS(scope_new(self->dev, top));
	id = said.id;
	HEARS(MADE, id);
	HEARS(DONE, id);
	HAS_JUST(BIT_OF(PARENT) | END | BIT_OF(RECORD));
	ENDED(REIN_CAUSE_PARENT, top_id, from);
	close(scope);
	HEARS(GONE, id);
	close(top);
	HEARS(GONE, top_id);

	scope = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, 0));
	id = said.id;
	HEARS(MADE, id);
	HEARS(DONE, id);
	ENDED(REIN_CAUSE_TIMEOUT, id, from);
	EXPECT_TRUE(scope_has(&self->event.scope, REIN_A_SCOPE_LEFT_NS));
	EXPECT_EQ(0, self->event.scope.left_ns);
	close(scope);
	HEARS(GONE, id);
	HEARS_NO_MORE();
}

TEST_F_TIMEOUT(events, at_its_deadline, TIMEOUT)
{
	int scope = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, 50 * MS));
	uint64_t id = said.id, from = real_ns();

	HEARS(MADE, id);
	HEARS(DONE, id);
	HAS_JUST(BIT_OF(LEFT_NS) | END | BIT_OF(RECORD));
	ENDED(REIN_CAUSE_TIMEOUT, id, from);
	close(scope);
	/* Who has told that it is done may be the last who has it. */
	HEARS(GONE, id);
	HEARS_NO_MORE();
}

TEST_F_TIMEOUT(events, bound, TIMEOUT)
{
	int scope, other, dir, kill_fd;
	uint64_t id, other_id;
	struct scope_view view;
	struct stat inode;

	mkdir(DIRECTORY, 0755);
	mkdir(DIRECTORY "/kills", 0755);
	dir = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, dir);
	ASSERT_EQ(0, fstat(dir, &inode));
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	id = said.id;
	other = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	other_id = said.id;
	HEARS(MADE, id);
	HEARS(MADE, other_id);
	SUCCEEDS(scope_bind(scope, dir, REIN_NO_FD, 0));
	HEARS(BOUND, id);
	HAS_JUST(BIT_OF(CGROUP_ID) | BIT_OF(CGROUP_PATH));
	EXPECT_EQ(inode.st_ino, self->event.scope.cgroup_id);
	EXPECT_STREQ("/" NAME, self->event.path);
	/* What can't be bound is no event. */
	FAILS(EBUSY, BIND_TWICE, scope_bind(other, dir, REIN_NO_FD, 0));
	HEARS_NO_MORE();
	close(dir);
	dir = open(DIRECTORY "/kills", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	kill_fd = openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	SUCCEEDS(scope_bind(other, dir, kill_fd, 0));
	HEARS(BOUND, other_id);
	HAS_JUST(BIT_OF(CGROUP_ID) | BIT_OF(CGROUP_PATH) | BIT_OF(KILLS));
	EXPECT_TRUE(self->event.kills);
	EXPECT_STREQ("/" NAME "/kills", self->event.path);
	close(kill_fd);
	close(dir);

	/* The other's end comes of it, with a record of its own; a worker sees to that. */
	SUCCEEDS(scope_cancel(scope));
	HEARS(DONE, id);
	HAS_JUST(BIT_OF(CGROUP_ID) | BIT_OF(CGROUP_PATH) | END | BIT_OF(RECORD));
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_EQ(view.record, self->event.scope.record);
	HEARS(DONE, other_id);
	EXPECT_EQ(REIN_CAUSE_PARENT, self->event.scope.cause);
	EXPECT_EQ(id, self->event.scope.origin);
	EXPECT_NE(view.record, self->event.scope.record);
	EXPECT_STREQ("/" NAME "/kills", self->event.path);
	/* They stay as long as their cgroups. */
	close(other);
	close(scope);
	HEARS_NO_MORE();
	EXPECT_EQ(0, rmdir(DIRECTORY "/kills"));
	HEARS(GONE, other_id);
	EXPECT_FALSE(scope_has(&self->event.scope, REIN_A_SCOPE_CGROUP_ID));
	EXPECT_EQ(0, rmdir(DIRECTORY));
	HEARS(GONE, id);
	HEARS_NO_MORE();
}

/* A race with three replicas, which begins to be heard of. */
struct field {
	int race;
	uint64_t id;
	int replicas[3];
	uint64_t ids[3];
};

static void field_make(struct __test_metadata *_metadata, FIXTURE_DATA(events) *self,
		       struct field *field, uint32_t policy)
{
	int i;

	field->race = SUCCEEDS(race_new(self->dev, policy));
	field->id = said.id;
	HEARS(MADE, field->id);
	HAS_JUST(BIT_OF(RACE));
	EXPECT_EQ(policy, self->event.scope.race);
	for (i = 0; i < 3; i++) {
		field->replicas[i] = SUCCEEDS(race_join(field->race));
		field->ids[i] = said.id;
		HEARS(MADE, field->ids[i]);
		HAS_JUST(BIT_OF(PARENT) | BIT_OF(NUMBER));
		EXPECT_EQ(field->id, self->event.scope.parent);
		EXPECT_EQ(i + 1, (int)self->event.scope.number);
	}
}

/* The second one has won it, just now; a late claim, or a cancellation, changes nothing. */
static void field_decided(struct __test_metadata *_metadata, FIXTURE_DATA(events) *self,
			  struct field *field, uint64_t from)
{
	struct scope_record of;
	int i;

	for (i = 0; i < 3; i += 2) {
		HEARS(DONE, field->ids[i]);
		HAS_JUST(BIT_OF(PARENT) | BIT_OF(NUMBER) | END | BIT_OF(RECORD));
		ENDED(REIN_CAUSE_DUPLICATE, field->ids[1], from);
		ASSERT_EQ(0, read_scope_record(self->fd, self->event.scope.record, &of));
		EXPECT_EQ(SCOPE_DUPLICATE, of.code);
	}
	HEARS(DECIDED, field->id);
	HAS_JUST(BIT_OF(RACE) | BIT_OF(WINNER));
	EXPECT_EQ(2, self->event.scope.winner);
	EXPECT_EQ(REIN_CAUSE_NONE, self->event.scope.cause);
	FAILS(EALREADY, RACE_LATE, race_win(field->replicas[0], NULL, 0));
	SUCCEEDS(scope_cancel(field->replicas[1]));
	SUCCEEDS(scope_cancel(field->race));
	HEARS_NO_MORE();
	close(field->race);
	for (i = 0; i < 3; i++) {
		close(field->replicas[i]);
		HEARS(GONE, field->ids[i]);
		EXPECT_EQ(i == 1 ? REIN_CAUSE_NONE : REIN_CAUSE_DUPLICATE, self->event.scope.cause);
	}
	HEARS(GONE, field->id);
	HAS_JUST(BIT_OF(RACE) | BIT_OF(WINNER));
	HEARS_NO_MORE();
}

TEST_F_TIMEOUT(events, decided, TIMEOUT)
{
	struct rein_result_args result;
	uint64_t from = real_ns();
	struct field field;
	pthread_t asker;
	void *ret;

	field_make(_metadata, self, &field, REIN_POLICY_FIRST);
	SUCCEEDS(race_win(field.replicas[1], "it", 2));
	field_decided(_metadata, self, &field, from);

	/* Claims don't decide, the end of the race does. */
	field_make(_metadata, self, &field, REIN_POLICY_LAST);
	SUCCEEDS(race_win(field.replicas[0], "1", 1));
	SUCCEEDS(race_win(field.replicas[1], "2", 1));
	HEARS_NO_MORE();
	SUCCEEDS(race_result(field.race, REIN_RESULT_CLOSE, NULL, 0, &result));
	field_decided(_metadata, self, &field, from);

	/* Questions don't, the answer does. */
	field_make(_metadata, self, &field, REIN_POLICY_ASK);
	ASSERT_EQ(0, pthread_create(&asker, NULL, claim_by, &field.replicas[1]));
	EXPECT_NE(0, scope_events(field.race, POLLPRI, LONG_MS) & POLLPRI);
	HEARS_NO_MORE();
	SUCCEEDS(race_grant(field.race, REIN_GRANT_YES, 2, NULL, 0));
	pthread_join(asker, &ret);
	EXPECT_EQ(NULL, ret);
	field_decided(_metadata, self, &field, from);
}

/* --- who is told ---------------------------------------------------------------------------- */

/* Runs @act in a process of its own; 0 if it says so. */
static int elsewhere(int (*act)(int dev), int dev)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(act(dev));
	}
	return wait_child(pid);
}

/* What each of these comes to, beginning with what is expected: no errno of this is. */
enum {
	AS_EXPECTED,
	CANT_BEGIN = 200,
	HEARD_SOMETHING,
	SAID_TO_HEAR,
};

static int act_nobody(int dev)
{
	int ear;

	(void)dev;
	if (!become_nobody())
		return CANT_BEGIN;
	ear = listen_to_scopes();
	return ear < 0 ? -ear : AS_EXPECTED;
}

/* With all capabilities, but not those of the host. */
static int act_user_namespace(int dev)
{
	int ear;

	(void)dev;
	if (!become_nobody() || unshare(CLONE_NEWUSER))
		return CANT_BEGIN;
	ear = listen_to_scopes();
	return ear < 0 ? -ear : AS_EXPECTED;
}

/* Are notifications sent to where the caller is? */
static bool can_hear(int fd)
{
	return (uint32_t)stat_number(fd, REIN_A_STAT_EVENTS);
}

/* Makes a scope, and cancels it: that can be heard on the host, and not here. */
static int be_deaf(int dev)
{
	struct event event;
	int ear, fd, scope;

	ear = listen_to_scopes();
	if (ear < 0)
		return -ear;
	fd = genl_socket();
	scope = scope_named(dev, REIN_NO_FD, "elsewhere");
	if (fd < 0 || scope < 0 || scope_cancel(scope))
		return CANT_BEGIN;
	close(scope);
	hear(ear, MSG_DONTWAIT, &event);
	if (event.err != EAGAIN)
		return HEARD_SOMETHING;
	/* Nor does anybody say so. */
	return can_hear(fd) ? SAID_TO_HEAR : AS_EXPECTED;
}

static int act_net_namespace(int dev)
{
	return unshare(CLONE_NEWNET) ? CANT_BEGIN : be_deaf(dev);
}

static int act_container(int dev)
{
	if (!become_nobody() || unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return CANT_BEGIN;
	return be_deaf(dev);
}

/* As the host counts: whose numbers others have are of no use to who listens here. */
static int act_pid_namespace(int dev)
{
	int scope;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return CANT_BEGIN;
	pid = fork();
	if (!pid) {
		if (getpid() != 1)
			_exit(CANT_BEGIN);
		scope = scope_named(dev, REIN_NO_FD, "elsewhere");
		_exit(scope < 0 ? CANT_BEGIN : 0);
	}
	return wait_child(pid);
}

TEST_F(events, who_may_listen)
{
	EXPECT_EQ(EPERM, elsewhere(act_nobody, self->dev)) {
		TH_LOG("a user without privileges listens; " AGAIN);
	}
	EXPECT_EQ(EPERM, elsewhere(act_user_namespace, self->dev)) {
		TH_LOG("the root of a user namespace listens on the host; " AGAIN);
	}
	HEARS_NO_MORE();
}

TEST_F(events, where_nothing_is_told)
{
	static int (*const acts[])(int dev) = { act_net_namespace, act_container };
	uint64_t id = 0;
	size_t i;

	EXPECT_TRUE(can_hear(self->fd));
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		EXPECT_EQ(AS_EXPECTED, elsewhere(acts[i], self->dev)) {
			TH_LOG("number %zu: an errno, or what comes after CANT_BEGIN; " AGAIN, i);
		}
		/* Here it is, as this host calls its makers. */
		hear(self->ear, 0, &self->event);
		ASSERT_EQ(0, self->event.err);
		EXPECT_EQ(REIN_SCOPE_EVENT_MADE, self->event.event);
		EXPECT_STREQ("elsewhere", self->event.scope.name);
		EXPECT_EQ(i ? NOBODY : 0, self->event.scope.uid);
		EXPECT_LT(id, self->event.scope.id);
		id = self->event.scope.id;
		HEARS(DONE, id);
		HEARS(GONE, id);
	}
	HEARS_NO_MORE();
}

TEST_F(events, made_in_a_pid_namespace)
{
	EXPECT_EQ(0, elsewhere(act_pid_namespace, self->dev));
	hear(self->ear, 0, &self->event);
	ASSERT_EQ(0, self->event.err);
	EXPECT_EQ(REIN_SCOPE_EVENT_MADE, self->event.event);
	EXPECT_LT(1, self->event.scope.pid) {
		TH_LOG("the number that its maker has in its own namespace; " AGAIN);
	}
	/* Nobody has that number any more, and it is still told. */
	HEARS(GONE, self->event.scope.id);
	HEARS_NO_MORE();
}

/* --- who is too slow ------------------------------------------------------------------------ */

TEST_F_TIMEOUT(events, too_slow, TIMEOUT)
{
	unsigned int heard = 0, i;
	int size = 1 << 15, scope;
	uint64_t id;

	ASSERT_EQ(0, setsockopt(self->ear, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (i = 0; i < 1000; i++) {
		scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
		close(scope);
	}
	/* It is told that it has missed something, once. */
	do {
		hear(self->ear, MSG_DONTWAIT, &self->event);
		heard += !self->event.err;
	} while (!self->event.err);
	EXPECT_EQ(ENOBUFS, self->event.err) {
		TH_LOG("%u events of 2000 were heard, and then: %s; " AGAIN, heard,
		       strerror(self->event.err));
	}
	do {
		hear(self->ear, MSG_DONTWAIT, &self->event);
		heard += !self->event.err;
	} while (!self->event.err);
	EXPECT_EQ(EAGAIN, self->event.err);
	EXPECT_GT(2000, heard);
	/* From then on it hears all again. */
	scope = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	id = said.id;
	HEARS(MADE, id);
	close(scope);
	HEARS(GONE, id);
	HEARS_NO_MORE();
}

TEST_HARNESS_MAIN
