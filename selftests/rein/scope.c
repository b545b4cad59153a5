// SPDX-License-Identifier: GPL-2.0
/*
 * Scopes: what their descriptors do, who may do what with them, what is done when,
 * and why; that they can't be asked wrongly; and that none is left when nobody has any
 * more of it, in whatever order that comes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <kselftest_harness.h>
#include "scope.h"

#define AGAIN		"run: make check TESTS=scope"
#define TIMEOUT		110

/**
 * struct scope - what every test has
 * @fd:		the netlink socket
 * @dev:	the device
 * @before:	how many scopes there were
 * @raw:	the newest record of an error without a meaning
 */
FIXTURE(scope) {
	int fd;
	int dev;
	uint64_t before;
	uint64_t raw;
};

FIXTURE_SETUP(scope) {
	OPENS_REIN();
	self->raw = newest(self->fd, RAW);
}

/* Every test closes all that it has opened. */
FIXTURE_TEARDOWN(scope) {
	EXPECT_EQ(self->raw, newest(self->fd, RAW)) {
		TH_LOG("an error had no meaning: rein errors list; " AGAIN);
	}
	EXPECT_EQ(self->before, settle_scopes(self->fd, self->before)) {
		TH_LOG("a scope is left; " AGAIN);
	}
	close(self->dev);
	close(self->fd);
}

/* --- to make one --------------------------------------------------------------------------- */

TEST_F(scope, made)
{
	struct scope_view view;
	uint64_t first;
	int a, b;

	a = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "a.Z_0-9:@"));
	first = said.id;
	EXPECT_NE(0, first);
	EXPECT_EQ(FD_CLOEXEC, fcntl(a, F_GETFD));
	EXPECT_EQ(0, scope_events(a, POLLIN | POLLPRI | POLLOUT, 0) & (DONE | POLLPRI | POLLERR));
	ASSERT_EQ(0, read_scope(self->fd, first, &view));
	EXPECT_EQ(first, view.id);
	EXPECT_STREQ("a.Z_0-9:@", view.name);
	EXPECT_EQ(1, view.depth);
	EXPECT_FALSE(scope_has(&view, REIN_A_SCOPE_PARENT));
	EXPECT_FALSE(scope_has(&view, REIN_A_SCOPE_LEFT_NS));
	EXPECT_FALSE(scope_has(&view, REIN_A_SCOPE_ORIGIN));
	EXPECT_FALSE(scope_has(&view, REIN_A_SCOPE_RACE));
	EXPECT_EQ(0, view.cause);
	EXPECT_EQ(0, view.children);
	EXPECT_EQ(getpid(), view.pid);
	EXPECT_EQ(0, view.uid);
	EXPECT_STREQ("scope", view.comm);
	b = SUCCEEDS(scope_new(self->dev, a));
	EXPECT_LT(first, said.id);
	ASSERT_EQ(0, read_scope(self->fd, said.id, &view));
	EXPECT_EQ(first, view.parent);
	EXPECT_EQ(2, view.depth);
	EXPECT_STREQ("", view.name);
	ASSERT_EQ(0, read_scope(self->fd, first, &view));
	EXPECT_EQ(1, view.children);
	EXPECT_EQ(self->before + 2, count_scopes(self->fd));
	close(b);
	ASSERT_EQ(0, read_scope(self->fd, first, &view));
	EXPECT_EQ(0, view.children);
	close(a);
	EXPECT_EQ(-ENOENT, read_scope(self->fd, first, &view));
	/* Not even now is an id given twice. */
	a = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	EXPECT_LT(first + 1, said.id);
	close(a);
}

TEST_F(scope, names)
{
	static const char *const bad[] = {
		" ",	"a b",	    "a/b", "a\n", "\t", "a\033[2J",
		"\377", "\303\244", "a,b", "a*",  "(",	"#",
		"\"",	"\\",	    "a%s", "-",	  "-x", "--",
	};
	static const char *const good[] = { "",	  "a", "0", ".", "..",
					    "a-", "_", ":", "@", "a:b@c.d" };
	char longest[REIN_SCOPE_NAME_LEN + 8];
	struct rein_scope_args args;
	struct scope_view view;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		FAILS(EINVAL, SCOPE_MALFORMED, scope_named(self->dev, REIN_NO_FD, bad[i]));
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		fd = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, good[i]));
		ASSERT_EQ(0, read_scope(self->fd, said.id, &view));
		EXPECT_STREQ(good[i], view.name);
		close(fd);
	}
	memset(longest, 'x', sizeof(longest));
	longest[REIN_SCOPE_NAME_LEN - 1] = '\0';
	fd = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, longest));
	ASSERT_EQ(0, read_scope(self->fd, said.id, &view));
	EXPECT_STREQ(longest, view.name);
	close(fd);
	/* Not terminated. */
	memset(ask_scope(&args, REIN_NO_FD, 0, 0, "")->name, 'x', sizeof(args.name));
	FAILS(EINVAL, SCOPE_MALFORMED, make_scope(self->dev, REIN_IOC_SCOPE, &args));
	memset(args.name, 0xff, sizeof(args.name));
	FAILS(EINVAL, SCOPE_MALFORMED, make_scope(self->dev, REIN_IOC_RACE, &args));
}

TEST_F(scope, wrong_arguments)
{
	static const uint32_t exclude[] = {
		REIN_SCOPE_DEADLINE | REIN_SCOPE_TIMEOUT,
		REIN_SCOPE_DEADLINE | REIN_SCOPE_TIMEOUT | REIN_SCOPE_BOOTTIME, ~0U,
	};
	struct rein_scope_args args;
	unsigned int i;
	int fd;

	for (i = 4; i < 32; i++) {
		FAILS(EINVAL, SCOPE_MALFORMED, scope_timed(self->dev, REIN_NO_FD, 1U << i, 0));
		FAILS(EINVAL, SCOPE_MALFORMED,
		      scope_timed(self->dev, REIN_NO_FD, 1U << i | REIN_SCOPE_OWNED, 0));
	}
	for (i = 0; i < sizeof(exclude) / sizeof(exclude[0]); i++)
		FAILS(EINVAL, SCOPE_MALFORMED,
		      scope_timed(self->dev, REIN_NO_FD, exclude[i], SECOND));
	/* A time that no flag says what it is. */
	FAILS(EINVAL, SCOPE_MALFORMED, scope_timed(self->dev, REIN_NO_FD, 0, 1));
	FAILS(EINVAL, SCOPE_MALFORMED,
	      scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_OWNED, UINT64_MAX));
	ask_scope(&args, REIN_NO_FD, 0, 0, "")->reserved = 1;
	FAILS(EINVAL, SCOPE_MALFORMED, make_scope(self->dev, REIN_IOC_SCOPE, &args));
	for (i = 1; i < 5; i++) {
		ask_scope(&args, REIN_NO_FD, 0, 0, "")->policy = i;
		FAILS(EINVAL, SCOPE_MALFORMED, make_scope(self->dev, REIN_IOC_SCOPE, &args));
	}
	ask_scope(&args, REIN_NO_FD, 0, 0, "")->policy = UINT32_MAX;
	FAILS(EINVAL, SCOPE_MALFORMED, make_scope(self->dev, REIN_IOC_SCOPE, &args));
	/* Parents that are none. */
	FAILS(EBADF, SCOPE_NONE, scope_new(self->dev, self->dev));
	FAILS(EBADF, SCOPE_NONE, scope_new(self->dev, self->fd));
	FAILS(EBADF, SCOPE_NONE, scope_new(self->dev, 9999));
	FAILS(EBADF, SCOPE_NONE, scope_new(self->dev, -2));
	FAILS(EBADF, SCOPE_NONE, scope_new(self->dev, INT_MIN));
	fd = open("/dev/null", O_PATH | O_CLOEXEC);
	FAILS(EBADF, SCOPE_NONE, scope_new(self->dev, fd));
	close(fd);
	/* The flag that says which clock needs no time. */
	fd = scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_BOOTTIME, 0);
	if (fd >= 0)
		close(fd);
	else
		FAILS(EINVAL, SCOPE_MALFORMED,
		      scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_BOOTTIME, 0));
}

TEST_F(scope, no_descriptor)
{
	struct rlimit files;
	int a = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), last;
	uint64_t id = said.id;

	last = dup(0);
	close(last);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &files));
	files.rlim_cur = last;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	FAILS(EMFILE, SCOPE_FILES, scope_new(self->dev, REIN_NO_FD));
	FAILS(EMFILE, SCOPE_FILES, scope_new(self->dev, a));
	FAILS(EMFILE, SCOPE_FILES, scope_observe(a));
	FAILS(EMFILE, SCOPE_FILES, scope_open(self->dev, 0, id, ""));
	FAILS(EMFILE, SCOPE_FILES, race_new(self->dev, REIN_POLICY_FIRST));
	EXPECT_EQ(self->before + 1, count_scopes(self->fd));
	files.rlim_cur = last + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	EXPECT_EQ(last, SUCCEEDS(scope_new(self->dev, a)));
	close(last);
	close(a);
}

/* --- sizes and pointers ---------------------------------------------------------------------- */

/* Each of the requests, of its kind of file. */
static const struct request {
	unsigned long request;
	bool device;
} requests[] = {
	{ REIN_IOC_SCOPE, true }, { REIN_IOC_RACE, true }, { REIN_IOC_OPEN, true },
	{ REIN_IOC_OBSERVE, false }, { REIN_IOC_CANCEL, false }, { REIN_IOC_BIND, false },
	{ REIN_IOC_JOIN, false }, { REIN_IOC_WIN, false }, { REIN_IOC_GRANT, false },
	{ REIN_IOC_RESULT, false },
};

#define N_REQUESTS	(sizeof(requests) / sizeof(requests[0]))

TEST_F(scope, sizes)
{
	int fd = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), at;
	static char args[16384];
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
	ERRNO_IS(ENOTTY, fd, REIN_IOC_RESERVE, args);
	ERRNO_IS(ENOTTY, fd, REIN_IOC_CLAIM, args);
	ERRNO_IS(ENOTTY, fd, 0x5401 /* TCGETS */, args);
	ERRNO_IS(ENOTTY, fd, SIZED(_IOC_NR(REIN_IOC_CREDIT) + 1, 100), args);
	CAUSE_IS(REIN_CAUSE_NONE, fd);
	close(fd);
	EXPECT_EQ(self->before, count_scopes(self->fd));
	/* What is longer, and 0 where it isn't known. */
	memset(args, 0, sizeof(args));
	ask_scope((void *)args, REIN_NO_FD, 0, 0, "longer");
	fd = ioctl(self->dev, SIZED(REIN_IOC_SCOPE, 16383), args);
	EXPECT_LE(0, fd) {
		TH_LOG("a longer size: %s; " AGAIN, strerror(errno));
	}
	close(fd);
}

TEST_F(scope, pointers)
{
	void *const wrong[] = {
		NULL, (void *)1, (void *)0xffff888000001000UL, (void *)0x8000000000000000UL,
		(void *)-8UL,
	};
	int fd = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), at, last;
	const size_t page = sysconf(_SC_PAGESIZE);
	char *edge = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	size_t i, n, size;

	ASSERT_NE(MAP_FAILED, edge);
	edge += page;
	ASSERT_EQ(0, mprotect(edge, page, PROT_NONE));
	last = dup(0);
	close(last);
	for (i = 0; i < N_REQUESTS; i++) {
		at = requests[i].device ? self->dev : fd;
		size = _IOC_SIZE(requests[i].request);
		for (n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++)
			ERRNO_IS(EFAULT, at, requests[i].request, wrong[n]);
		for (n = 1; n < size; n += 5)
			ERRNO_IS(EFAULT, at, requests[i].request, edge - n);
		/* What can be read and not be answered. */
		memset(edge - page, 0, page);
		if (size == sizeof(struct rein_scope_args))
			ask_scope((void *)(edge - size), REIN_NO_FD, 0, 0, "")->policy =
				requests[i].request == REIN_IOC_RACE ? REIN_POLICY_FIRST : 0;
		if (requests[i].request == REIN_IOC_CANCEL)
			continue;
		ASSERT_EQ(0, mprotect(edge - page, page, PROT_READ));
		ERRNO_IS(EFAULT, at, requests[i].request, edge - size);
		ASSERT_EQ(0, mprotect(edge - page, page, PROT_READ | PROT_WRITE));
	}
	/* No descriptor is left, and no scope. */
	EXPECT_EQ(last, dup(0));
	close(last);
	EXPECT_EQ(self->before + 1, count_scopes(self->fd));
	CAUSE_IS(REIN_CAUSE_NONE, fd);
	close(fd);
	munmap(edge - page, 2 * page);
}

/* --- deadlines ------------------------------------------------------------------------------- */

/* The scope of that id has between @from and @to left. */
#define LEFT_IS(id_, from, to) do {							\
	struct scope_view view_;							\
											\
	ASSERT_EQ(0, read_scope(self->fd, id_, &view_));				\
	EXPECT_TRUE(scope_has(&view_, REIN_A_SCOPE_LEFT_NS));				\
	EXPECT_LE(from, view_.left_ns) {						\
		TH_LOG(AGAIN);								\
	}										\
	EXPECT_GE(to, view_.left_ns) {							\
		TH_LOG(AGAIN);								\
	}										\
} while (0)

TEST_F(scope, the_earliest_deadline_counts)
{
	static const uint32_t clocks[] = { 0, REIN_SCOPE_BOOTTIME };
	int top, middle, low, other;
	size_t i;

	for (i = 0; i < 4; i++) {
		uint32_t above = clocks[i & 1], below = clocks[i / 2];

		top = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD,
					   REIN_SCOPE_TIMEOUT | above, HOUR));
		LEFT_IS(said.id, HOUR - LONG, HOUR);
		middle = SUCCEEDS(scope_new(self->dev, top));
		LEFT_IS(said.id, HOUR - LONG, HOUR);
		/* Later than that above: that is what counts. */
		low = SUCCEEDS(scope_timed(self->dev, middle,
					   REIN_SCOPE_TIMEOUT | below,
					   3 * HOUR));
		LEFT_IS(said.id, HOUR - LONG, HOUR);
		other = SUCCEEDS(scope_timed(self->dev, low, REIN_SCOPE_TIMEOUT | below, HOUR / 2));
		LEFT_IS(said.id, HOUR / 2 - LONG, HOUR / 2);
		close(other);
		/* As a time. */
		other = SUCCEEDS(scope_timed(self->dev, low, REIN_SCOPE_DEADLINE | below,
					     (below ? boottime_ns() : now_ns()) + HOUR / 4));
		LEFT_IS(said.id, HOUR / 4 - LONG, HOUR / 4);
		CAUSE_IS(REIN_CAUSE_NONE, other);
		close(other);
		close(low);
		close(middle);
		close(top);
	}
	/* For ever is that: no overflow. */
	for (i = 0; i < 2; i++) {
		top = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT | clocks[i],
					   UINT64_MAX));
		CAUSE_IS(REIN_CAUSE_NONE, top);
		low = SUCCEEDS(scope_timed(self->dev, top, REIN_SCOPE_DEADLINE | clocks[i],
					   UINT64_MAX));
		CAUSE_IS(REIN_CAUSE_NONE, low);
		other = SUCCEEDS(scope_timed(self->dev, low, REIN_SCOPE_TIMEOUT | clocks[i],
					     INT64_MAX));
		CAUSE_IS(REIN_CAUSE_NONE, other);
		close(other);
		close(low);
		close(top);
	}
}

TEST_F_TIMEOUT(scope, done_at_its_deadline, TIMEOUT)
{
	static const uint32_t clocks[] = { 0, REIN_SCOPE_BOOTTIME };
	struct scope_record record;
	struct rein_scope_done done;
	uint64_t before, id, low_id;
	int top, low;
	size_t i;

	for (i = 0; i < 4; i++) {
		uint32_t clock = clocks[i & 1];

		before = now_ns();
		top = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD,
					   (i < 2 ? REIN_SCOPE_TIMEOUT :
						    REIN_SCOPE_DEADLINE) |
						   clock,
					   (i < 2 ? 0 :
					    clock ? boottime_ns() :
						    before) +
						   100 * MS));
		id = said.id;
		low = SUCCEEDS(scope_timed(self->dev, top, REIN_SCOPE_TIMEOUT | clock, HOUR));
		low_id = said.id;
		EXPECT_EQ(REIN_CAUSE_TIMEOUT, scope_wait(top));
		EXPECT_LE(before + 100 * MS, now_ns());
		EXPECT_EQ(REIN_CAUSE_PARENT, scope_wait(low));
		ASSERT_TRUE(scope_read(top, &done));
		EXPECT_EQ(id, done.id);
		EXPECT_EQ(id, done.origin);
		EXPECT_LE(before + 100 * MS, done.time_ns);
		EXPECT_GE(now_ns(), done.time_ns);
		ASSERT_EQ(0, read_scope_record(self->fd, done.record, &record));
		EXPECT_EQ(SCOPE_TIMEOUT, record.code);
		EXPECT_EQ(id, record.scope_id);
		ASSERT_TRUE(scope_read(low, &done));
		EXPECT_EQ(low_id, done.id);
		EXPECT_EQ(id, done.origin);
		close(low);
		close(top);
	}
	/* What has passed has passed when it is made; below it, too. */
	for (i = 0; i < 4; i++) {
		top = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD,
					   (i < 2 ? REIN_SCOPE_TIMEOUT : REIN_SCOPE_DEADLINE) |
					   clocks[i & 1], i < 2 ? 0 : 1));
		EXPECT_EQ(REIN_CAUSE_TIMEOUT, scope_wait(top));
		low = SUCCEEDS(scope_new(self->dev, top));
		CAUSE_IS(REIN_CAUSE_PARENT, low);
		close(low);
		close(top);
	}
	/* The child's own is first. */
	top = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, HOUR));
	low = SUCCEEDS(scope_timed(self->dev, top, REIN_SCOPE_TIMEOUT, 10 * MS));
	EXPECT_EQ(REIN_CAUSE_TIMEOUT, scope_wait(low));
	CAUSE_IS(REIN_CAUSE_NONE, top);
	close(low);
	close(top);
}

/* In a time namespace, with clocks that are ahead: returns what is wrong. */
static int inside_time(int dev)
{
	int a = scope_timed(dev, REIN_NO_FD, REIN_SCOPE_DEADLINE, now_ns() + HOUR);
	int b = scope_timed(dev, REIN_NO_FD, REIN_SCOPE_DEADLINE, now_ns() - 1000);
	int c = scope_timed(dev, REIN_NO_FD, REIN_SCOPE_DEADLINE | REIN_SCOPE_BOOTTIME,
			    boottime_ns() + HOUR);
	int d = scope_timed(dev, REIN_NO_FD, REIN_SCOPE_DEADLINE | REIN_SCOPE_BOOTTIME,
			    boottime_ns() - 1000);
	struct rein_scope_done done;
	uint64_t before;

	if (a < 0 || b < 0 || c < 0 || d < 0)
		return 11;
	if (scope_cause(a) || scope_cause(c))
		return 12;
	if (scope_wait(b) != REIN_CAUSE_TIMEOUT || scope_wait(d) != REIN_CAUSE_TIMEOUT)
		return 13;
	before = now_ns();
	scope_cancel(a);
	if (!scope_read(a, &done) || done.time_ns < before || done.time_ns > now_ns())
		return 14;
	return 0;
}

static int child_time(int dev, const char *offsets)
{
	uint64_t outside = now_ns(), inside;
	pid_t pid;

	if (unshare(CLONE_NEWTIME))
		return errno == EINVAL ? 4 : 1;
	if (!put_file("/proc/self/timens_offsets", offsets))
		return 2;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		inside = now_ns();
		_exit(inside > outside && inside < outside + LONG ? 3 : inside_time(dev));
	}
	return wait_child(pid);
}

TEST_F_TIMEOUT(scope, deadlines_in_a_time_namespace, TIMEOUT)
{
	pid_t pid = fork();
	int ret;

	if (!pid)
		_exit(child_time(self->dev, "monotonic 1000000 0\nboottime 2000000 0"));
	ret = wait_child(pid);
	if (ret == 4)
		SKIP(return, "this kernel has no time namespaces");
	EXPECT_EQ(0, ret) {
		TH_LOG(AGAIN);
	}
}

/* --- poll and read --------------------------------------------------------------------------- */

TEST_F(scope, poll_and_read)
{
	struct rein_scope_done done, again;
	struct scope_record record;
	int fd = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "read"));
	char part[sizeof(done) + 16];
	uint64_t id = said.id, before;
	size_t n;

	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(fd, &done, sizeof(done)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, scope_events(fd, POLLIN, 0));
	before = now_ns();
	SUCCEEDS(scope_cancel_as(fd, REIN_CAUSE_USER, "because"));
	EXPECT_EQ(REIN_CAUSE_USER, said.was);
	EXPECT_EQ(DONE, scope_events(fd, POLLIN | POLLPRI, 0));
	EXPECT_EQ(POLLHUP, scope_events(fd, 0, 0));
	ASSERT_EQ(sizeof(done), read(fd, &done, sizeof(done)));
	EXPECT_EQ(id, done.id);
	EXPECT_EQ(id, done.origin);
	EXPECT_EQ(REIN_CAUSE_USER, done.cause);
	EXPECT_EQ(getpid(), done.pid);
	EXPECT_STREQ("because", done.reason);
	EXPECT_LE(before, done.time_ns);
	EXPECT_GE(now_ns(), done.time_ns);
	ASSERT_EQ(0, read_scope_record(self->fd, done.record, &record));
	EXPECT_EQ(SCOPE_USER, record.code);
	EXPECT_EQ(id, record.scope_id);
	EXPECT_STREQ("read", record.scope_name);
	/* The same each time; as much as there is room for; always from its beginning. */
	ASSERT_EQ(sizeof(again), read(fd, &again, sizeof(again)));
	EXPECT_EQ(0, memcmp(&done, &again, sizeof(done)));
	for (n = 0; n < sizeof(part); n++) {
		size_t room = n < sizeof(done) ? n : sizeof(done);

		memset(part, 0x55, sizeof(part));
		EXPECT_EQ(room, read(fd, part, n));
		EXPECT_EQ(0, memcmp(part, &done, room));
		EXPECT_EQ(0x55, part[room]);
	}
	EXPECT_EQ(-1, syscall(SYS_read, fd, 1, sizeof(done)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, write(fd, &done, sizeof(done)));
	close(fd);
}

struct reader {
	pthread_t thread;
	int fd;
	ssize_t got;
	int err;
	struct rein_scope_done done;
	pid_t tid;
	int begun;
};

static void *reader_run(void *arg)
{
	struct reader *reader = arg;

	__atomic_store_n(&reader->tid, gettid(), __ATOMIC_SEQ_CST);
	reader->got = read(reader->fd, &reader->done, sizeof(reader->done));
	reader->err = errno;
	return NULL;
}

/* Waits until the thread sleeps: it does so nowhere else. */
static bool sleeps(struct reader *reader)
{
	return wait_asleep(&reader->tid);
}

TEST_F_TIMEOUT(scope, read_waits, TIMEOUT)
{
	int top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	int fd = SUCCEEDS(scope_new(self->dev, top));
	struct sigaction action = { .sa_handler = no_action };
	static struct reader readers[3];
	size_t i;

	readers[2].fd = scope_observe(fd);
	for (i = 0; i < 3; i++) {
		if (i < 2)
			readers[i].fd = fd;
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL, reader_run, &readers[i]));
		ASSERT_TRUE(sleeps(&readers[i]));
	}
	/* A signal ends the wait, unless it is restarted. */
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	pthread_kill(readers[0].thread, SIGUSR1);
	pthread_join(readers[0].thread, NULL);
	EXPECT_EQ(-1, readers[0].got);
	EXPECT_EQ(EINTR, readers[0].err);
	action.sa_flags = SA_RESTART;
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	pthread_kill(readers[1].thread, SIGUSR1);
	SUCCEEDS(scope_cancel(top));
	for (i = 1; i < 3; i++) {
		pthread_join(readers[i].thread, NULL);
		EXPECT_EQ(sizeof(readers[i].done), readers[i].got);
		EXPECT_EQ(REIN_CAUSE_PARENT, readers[i].done.cause);
	}
	close(readers[2].fd);
	close(fd);
	close(top);
}

/* Its descriptors are told of by epoll, also through another one. */
TEST_F(scope, epoll_nested)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got;
	int inner = epoll_create1(EPOLL_CLOEXEC), outer = epoll_create1(EPOLL_CLOEXEC);
	int top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), fds[10], i, n;

	for (i = 0; i < 10; i++) {
		fds[i] = SUCCEEDS(scope_new(self->dev, top));
		event.data.fd = fds[i];
		ASSERT_EQ(0, epoll_ctl(inner, EPOLL_CTL_ADD, fds[i], &event));
	}
	event.data.fd = inner;
	ASSERT_EQ(0, epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event));
	EXPECT_EQ(0, epoll_wait(outer, &got, 1, 0));
	/* One that is closed is told of no more. */
	close(fds[3]);
	SUCCEEDS(scope_cancel(fds[7]));
	ASSERT_EQ(1, epoll_wait(outer, &got, 1, LONG_MS));
	ASSERT_EQ(1, epoll_wait(inner, &got, 1, 0));
	EXPECT_EQ(fds[7], got.data.fd);
	EXPECT_EQ(EPOLLIN | EPOLLHUP, got.events);
	EXPECT_EQ(0, epoll_wait(inner, &got, 1, 0));
	SUCCEEDS(scope_cancel(top));
	ASSERT_EQ(1, epoll_wait(outer, &got, 1, LONG_MS));
	for (n = 0; epoll_wait(inner, &got, 1, 0) == 1; n++)
		EXPECT_EQ(EPOLLIN | EPOLLHUP, got.events);
	EXPECT_EQ(8, n);
	/* It may be the last that has it. */
	close(top);
	for (i = 0; i < 10; i++)
		if (i != 3)
			close(fds[i]);
	close(outer);
	close(inner);
}

/* --- cancelling ------------------------------------------------------------------------------ */

TEST_F(scope, the_first_cause_stays)
{
	int top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), a, b, low, late;
	struct rein_scope_done first, done;
	uint64_t top_id = said.id, a_id;

	a = SUCCEEDS(scope_new(self->dev, top));
	a_id = said.id;
	low = SUCCEEDS(scope_new(self->dev, a));
	b = SUCCEEDS(scope_new(self->dev, top));
	SUCCEEDS(scope_cancel_as(a, REIN_CAUSE_DUPLICATE, "one"));
	EXPECT_EQ(REIN_CAUSE_DUPLICATE, said.was);
	/* It goes down and not up. */
	CAUSE_IS(REIN_CAUSE_DUPLICATE, a);
	CAUSE_IS(REIN_CAUSE_PARENT, low);
	EXPECT_EQ(a_id, scope_origin(low));
	CAUSE_IS(REIN_CAUSE_NONE, top);
	CAUSE_IS(REIN_CAUSE_NONE, b);
	ASSERT_TRUE(scope_read(a, &first));
	SUCCEEDS(scope_cancel_as(a, REIN_CAUSE_USER, "two"));
	EXPECT_EQ(REIN_CAUSE_DUPLICATE, said.was);
	SUCCEEDS(scope_cancel_as(low, REIN_CAUSE_USER, "three"));
	EXPECT_EQ(REIN_CAUSE_PARENT, said.was);
	SUCCEEDS(scope_cancel_as(top, REIN_CAUSE_USER, "four"));
	ASSERT_TRUE(scope_read(a, &done));
	EXPECT_EQ(0, memcmp(&first, &done, sizeof(done)));
	EXPECT_EQ(a_id, scope_origin(low));
	CAUSE_IS(REIN_CAUSE_PARENT, b);
	ASSERT_TRUE(scope_read(b, &done));
	EXPECT_EQ(top_id, done.origin);
	EXPECT_EQ(getpid(), done.pid);
	EXPECT_STREQ("four", done.reason);
	/* Born of what is done. */
	late = SUCCEEDS(scope_timed(self->dev, b, REIN_SCOPE_TIMEOUT, HOUR));
	EXPECT_EQ(DONE, scope_events(late, POLLIN, 0));
	ASSERT_TRUE(scope_read(late, &done));
	EXPECT_EQ(REIN_CAUSE_PARENT, done.cause);
	EXPECT_EQ(top_id, done.origin);
	close(late);
	late = SUCCEEDS(scope_new(self->dev, low));
	EXPECT_EQ(a_id, scope_origin(late));
	close_all((int[]){ late, low, a, b, top }, 5);
}

TEST_F(scope, cancelled_wrongly)
{
	static const uint32_t none[] = {
		REIN_CAUSE_NONE, REIN_CAUSE_TIMEOUT, REIN_CAUSE_PARENT, REIN_CAUSE_OWNER_EXIT,
		REIN_CAUSE_OWNER_EXIT + 1, UINT32_MAX,
	};
	int fd = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	char longest[REIN_REASON_LEN + 8];
	struct rein_scope_done done;
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		FAILS(EINVAL, SCOPE_MALFORMED, scope_cancel_as(fd, none[i], ""));
	memset(longest, 'x', sizeof(longest));
	longest[REIN_REASON_LEN] = '\0';
	CAUSE_IS(REIN_CAUSE_NONE, fd);
	/* One that isn't terminated is cut. */
	longest[3] = '\033';
	longest[4] = '\n';
	longest[5] = '\377';
	SUCCEEDS(scope_cancel_as(fd, REIN_CAUSE_USER, longest));
	ASSERT_TRUE(scope_read(fd, &done));
	EXPECT_EQ(REIN_REASON_LEN - 1, strlen(done.reason));
	for (i = 0; i < REIN_REASON_LEN - 1; i++) {
		EXPECT_TRUE(done.reason[i] >= ' ' && done.reason[i] <= '~') {
			TH_LOG("byte %zu of the reason can't be printed; " AGAIN, i);
		}
	}
	EXPECT_EQ('x', done.reason[2]);
	EXPECT_EQ('x', done.reason[6]);
	close(fd);
}

/* A forced flush lets nothing wait: nobody is to wait for a scope, either. */
TEST_F(scope, flushed)
{
	int top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), low, race, won, lost, done;

	low = SUCCEEDS(scope_new(self->dev, top));
	done = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	SUCCEEDS(scope_cancel_as(done, REIN_CAUSE_DUPLICATE, ""));
	race = SUCCEEDS(race_new(self->dev, REIN_POLICY_FIRST));
	won = SUCCEEDS(race_join(race));
	lost = SUCCEEDS(race_join(race));
	SUCCEEDS(race_win(won, NULL, 0));
	EXPECT_EQ(0, flush_all(self->fd));
	CAUSE_IS(REIN_CAUSE_USER, top);
	CAUSE_IS(REIN_CAUSE_PARENT, low);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, done);
	CAUSE_IS(REIN_CAUSE_DUPLICATE, lost);
	CAUSE_IS(REIN_CAUSE_NONE, won);
	close_all((int[]){ top, low, done, race, won, lost }, 6);
	/* Those who come later are not concerned. */
	top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	CAUSE_IS(REIN_CAUSE_NONE, top);
	close(top);
}

/* 10,000 of them, of which each has ten children. */
TEST_F_TIMEOUT(scope, a_large_tree, TIMEOUT)
{
	const unsigned int n = 10000;
	static int fds[10000];
	uint64_t from, took, limit = scopes_per_user();
	unsigned int i, wrong = 0;

	ASSERT_TRUE(allow_files(n + 100));
	if (limit && limit < n + 100)
		ASSERT_TRUE(set_scopes_per_user(n + 100));
	for (i = 0; i < n; i++) {
		fds[i] = scope_new(self->dev, i ? fds[(i - 1) / 10] : REIN_NO_FD);
		ASSERT_LE(0, fds[i]) {
			TH_LOG("%u: %s; " AGAIN, i, strerror(-fds[i]));
		}
	}
	EXPECT_EQ(self->before + n, count_scopes(self->fd));
	from = now_ns();
	SUCCEEDS(scope_cancel(fds[0]));
	took = now_ns() - from;
	CAUSE_IS(REIN_CAUSE_USER, fds[0]);
	for (i = 1; i < n; i++)
		wrong += scope_cause(fds[i]) != REIN_CAUSE_PARENT;
	EXPECT_EQ(0, wrong) {
		TH_LOG("so many are not done when the call returns; " AGAIN);
	}
	TH_LOG("%u scopes were cancelled in %llu us", n, (unsigned long long)took / 1000);
	close_all(fds, n);
	if (limit)
		set_scopes_per_user(limit);
}

/* --- observers ------------------------------------------------------------------------------- */

TEST_F(scope, observers)
{
	int fd = SUCCEEDS(scope_new(self->dev, REIN_NO_FD)), a, b, dir;
	struct rein_scope_page *page;
	uint64_t id = said.id;

	a = SUCCEEDS(scope_observe(fd));
	EXPECT_EQ(FD_CLOEXEC, fcntl(a, F_GETFD));
	FAILS(EPERM, SCOPE_OBSERVER, scope_cancel(a));
	FAILS(EPERM, SCOPE_OBSERVER, scope_new(self->dev, a));
	dir = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FAILS(EPERM, SCOPE_OBSERVER, scope_bind(a, dir, REIN_NO_FD, 0));
	close(dir);
	/* Whoever may look may let others look. */
	b = SUCCEEDS(scope_observe(a));
	FAILS(EPERM, SCOPE_OBSERVER, scope_cancel(b));
	close(b);
	b = SUCCEEDS(scope_open(self->dev, REIN_OPEN_OBSERVE, id, ""));
	FAILS(EPERM, SCOPE_OBSERVER, scope_cancel(b));
	CAUSE_IS(REIN_CAUSE_NONE, fd);
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, a, 0);
	ASSERT_NE(MAP_FAILED, page);
	EXPECT_EQ(0, page->cause);
	SUCCEEDS(scope_cancel(fd));
	CAUSE_IS(REIN_CAUSE_USER, a);
	CAUSE_IS(REIN_CAUSE_USER, b);
	EXPECT_EQ(REIN_CAUSE_USER, page->cause);
	munmap(page, 4096);
	/* They keep it, too. */
	close(fd);
	close(a);
	EXPECT_EQ(self->before + 1, count_scopes(self->fd));
	CAUSE_IS(REIN_CAUSE_USER, b);
	close(b);
	EXPECT_EQ(self->before, count_scopes(self->fd));
}

/* --- who has it ------------------------------------------------------------------------------ */

TEST_F(scope, who_has_a_copy)
{
	int fd = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD)), copy, eye, sockets[2], a;
	pid_t pid;

	eye = SUCCEEDS(scope_observe(fd));
	copy = dup(fd);
	close(fd);
	CAUSE_IS(REIN_CAUSE_NONE, eye);
	/* A child that ends closes only its own. */
	pid = fork();
	if (!pid)
		_exit(scope_cause(copy));
	EXPECT_EQ(0, wait_child(pid));
	CAUSE_IS(REIN_CAUSE_NONE, eye);
	/* Another process gets it, and cancels it. */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(copy);
		a = receive_fd(sockets[1]);
		_exit(a < 0 ? 255 : -scope_cancel_as(a, REIN_CAUSE_USER, "from afar"));
	}
	ASSERT_TRUE(send_fd(sockets[0], copy));
	EXPECT_EQ(0, wait_child(pid));
	CAUSE_IS(REIN_CAUSE_USER, eye);
	close_all((int[]){ copy, eye, sockets[0], sockets[1] }, 4);
}

/* The last descriptor may be on its way. */
TEST_F(scope, owned_in_flight)
{
	int fd = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD)), eye, sockets[2];

	eye = SUCCEEDS(scope_observe(fd));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	ASSERT_TRUE(send_fd(sockets[0], fd));
	close(fd);
	CAUSE_IS(REIN_CAUSE_NONE, eye);
	close(sockets[0]);
	close(sockets[1]);
	EXPECT_EQ(REIN_CAUSE_OWNER_EXIT, scope_wait(eye));
	close(eye);
}

TEST_F(scope, owner_exit)
{
	struct rein_scope_done done;
	struct scope_record record;
	int fd, eye, low, low_eye, ready[2];
	uint64_t id;
	char byte;
	pid_t pid;

	/* Closed. */
	fd = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD));
	id = said.id;
	eye = SUCCEEDS(scope_observe(fd));
	low = SUCCEEDS(scope_new(self->dev, fd));
	low_eye = SUCCEEDS(scope_observe(low));
	close(fd);
	ASSERT_TRUE(scope_read(eye, &done));
	EXPECT_EQ(REIN_CAUSE_OWNER_EXIT, done.cause);
	EXPECT_EQ(id, done.origin);
	ASSERT_EQ(0, read_scope_record(self->fd, done.record, &record));
	EXPECT_EQ(SCOPE_OWNER_EXIT, record.code);
	EXPECT_EQ(id, record.scope_id);
	CAUSE_IS(REIN_CAUSE_PARENT, low);
	CAUSE_IS(REIN_CAUSE_PARENT, low_eye);
	EXPECT_EQ(id, scope_origin(low));
	/* It is done, and stays so, when somebody opens it again. */
	fd = SUCCEEDS(scope_open(self->dev, 0, id, ""));
	close(fd);
	CAUSE_IS(REIN_CAUSE_OWNER_EXIT, eye);
	close_all((int[]){ eye, low, low_eye }, 3);

	/* Killed. */
	fd = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD));
	eye = SUCCEEDS(scope_observe(fd));
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	close(fd);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	CAUSE_IS(REIN_CAUSE_NONE, eye);
	kill(pid, SIGKILL);
	EXPECT_EQ(-1, wait_child(pid));
	EXPECT_EQ(REIN_CAUSE_OWNER_EXIT, scope_wait(eye));
	close_all((int[]){ eye, ready[0], ready[1] }, 3);

	/* Executed: it is close-on-exec. */
	fd = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD));
	eye = SUCCEEDS(scope_observe(fd));
	pid = fork();
	if (!pid) {
		execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	close(fd);
	EXPECT_EQ(REIN_CAUSE_OWNER_EXIT, scope_wait(eye));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	wait_child(pid);
	close(eye);

	/* Or isn't. */
	fd = SUCCEEDS(scope_owned(self->dev, REIN_NO_FD));
	eye = SUCCEEDS(scope_observe(fd));
	ASSERT_EQ(0, fcntl(fd, F_SETFD, 0));
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		dup2(ready[1], 1);
		execl("/bin/sh", "sh", "-c", "echo; exec sleep 1000", NULL);
		_exit(1);
	}
	close(fd);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	CAUSE_IS(REIN_CAUSE_NONE, eye);
	kill(pid, SIGKILL);
	wait_child(pid);
	EXPECT_EQ(REIN_CAUSE_OWNER_EXIT, scope_wait(eye));
	close_all((int[]){ eye, ready[0], ready[1] }, 3);

	/* Without the flag nothing of that. */
	fd = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	eye = SUCCEEDS(scope_observe(fd));
	close(fd);
	CAUSE_IS(REIN_CAUSE_NONE, eye);
	close(eye);
}

TEST_F(scope, a_parent_that_is_closed)
{
	int top = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "closed-parent")), low;
	struct scope_view view;
	uint64_t id = said.id;

	low = SUCCEEDS(scope_new(self->dev, top));
	close(top);
	CAUSE_IS(REIN_CAUSE_NONE, low);
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_EQ(1, view.children);
	top = SUCCEEDS(scope_open(self->dev, 0, 0, "closed-parent"));
	SUCCEEDS(scope_cancel(top));
	close(top);
	CAUSE_IS(REIN_CAUSE_PARENT, low);
	EXPECT_EQ(id, scope_origin(low));
	close(low);
	EXPECT_EQ(-ENOENT, read_scope(self->fd, id, &view));
}

/* Sockets that are in each other's queues, with scopes, until nobody can receive them. */
TEST_F_TIMEOUT(scope, in_circles, TIMEOUT)
{
	int a[2], b[2], fds[8], eye, i, round;

	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a));
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b));
		for (i = 0; i < 8; i++) {
			fds[i] = scope_owned(self->dev, i ? fds[i - 1] : REIN_NO_FD);
			ASSERT_LE(0, fds[i]);
			ASSERT_TRUE(send_fd(i & 1 ? a[0] : b[0], fds[i]));
		}
		eye = SUCCEEDS(scope_observe(fds[0]));
		/* A scope is in here, with the socket that it is in. */
		ASSERT_TRUE(send_fd(a[0], a[1]));
		ASSERT_TRUE(send_fd(b[0], b[1]));
		ASSERT_TRUE(send_fd(a[0], b[1]));
		ASSERT_TRUE(send_fd(b[0], a[1]));
		close_all(fds, 8);
		CAUSE_IS(REIN_CAUSE_NONE, eye);
		close_all((int[]){ a[0], a[1], b[0], b[1] }, 4);
		/* Whoever makes a socket next sets those free that nobody can receive. */
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a));
			close_all(a, 2);
		}
		EXPECT_EQ(REIN_CAUSE_OWNER_EXIT, scope_wait(eye));
		close(eye);
	}
	EXPECT_EQ(self->before, settle_scopes(self->fd, self->before));
}

/* --- in any order ---------------------------------------------------------------------------- */

#define NODES		24

/* What should be true of a scope. */
struct node {
	int parent;
	bool owned;
	int fds[4];
	int n_fds;
	int eyes[3];
	int n_eyes;
	uint64_t id;
	uint64_t origin;
	unsigned int cause;
};

struct forest {
	struct node nodes[NODES];
	int n;
};

static void node_cancel(struct forest *forest, int at, unsigned int cause, uint64_t origin)
{
	struct node *node = &forest->nodes[at];
	int i;

	if (node->cause)
		return;
	node->cause = cause;
	node->origin = origin;
	/* Those below are made after those above. */
	for (i = at + 1; i < forest->n; i++)
		if (forest->nodes[i].parent == at)
			node_cancel(forest, i, REIN_CAUSE_PARENT, origin);
}

static int node_add(struct forest *forest, int dev, uint64_t *random)
{
	struct node *node = &forest->nodes[forest->n];
	int above = forest->n && dice_of(random, 5) ? (int)dice_of(random, forest->n) : -1;
	int fd = REIN_NO_FD;

	memset(node, 0, sizeof(*node));
	node->parent = -1;
	node->owned = !dice_of(random, 3);
	if (above >= 0 && forest->nodes[above].n_fds) {
		node->parent = above;
		fd = forest->nodes[above].fds[0];
	}
	fd = scope_timed(dev, fd, node->owned ? REIN_SCOPE_OWNED : 0, 0);
	if (fd < 0)
		return fd;
	node->id = said.id;
	node->fds[node->n_fds++] = fd;
	if (node->parent >= 0 && forest->nodes[above].cause) {
		node->cause = REIN_CAUSE_PARENT;
		node->origin = forest->nodes[above].origin;
	}
	forest->n++;
	return 0;
}

static void node_close(struct forest *forest, int at)
{
	struct node *node = &forest->nodes[at];

	close(node->fds[--node->n_fds]);
	if (!node->n_fds && node->owned)
		node_cancel(forest, at, REIN_CAUSE_OWNER_EXIT, node->id);
}

/* One thing that is done to one of them; 0 or a negative errno. */
static int node_step(struct forest *forest, int dev, uint64_t *random)
{
	int at = forest->n ? (int)dice_of(random, forest->n) : 0, fd;
	struct node *node = &forest->nodes[at];

	switch (dice_of(random, 8)) {
	case 0:
	case 1:
		return forest->n < NODES ? node_add(forest, dev, random) : 0;
	case 2:
		if (!node->n_fds || node->n_fds == 4)
			return 0;
		fd = dice_of(random, 2) ? dup(node->fds[0]) : scope_open(dev, 0, node->id, "");
		if (fd < 0)
			return fd;
		node->fds[node->n_fds++] = fd;
		return 0;
	case 3:
		if (!node->n_fds || node->n_eyes == 3)
			return 0;
		fd = scope_observe(node->fds[0]);
		if (fd < 0)
			return fd;
		node->eyes[node->n_eyes++] = fd;
		return 0;
	case 4:
		if (!node->n_fds || dice_of(random, 3))
			return 0;
		node_cancel(forest, at, REIN_CAUSE_USER, node->id);
		return scope_cancel(node->fds[0]);
	case 5:
		if (node->n_eyes)
			close(node->eyes[--node->n_eyes]);
		return 0;
	default:
		if (node->n_fds)
			node_close(forest, at);
		return 0;
	}
}

/* The first that isn't as it should be, -1: none. */
static int forest_wrong(const struct forest *forest)
{
	struct rein_scope_done done;
	int i, fd;

	for (i = 0; i < forest->n; i++) {
		const struct node *node = &forest->nodes[i];

		if (!node->n_fds && !node->n_eyes)
			continue;
		fd = node->n_eyes ? node->eyes[0] : node->fds[0];
		if (!scope_read(fd, &done))
			memset(&done, 0, sizeof(done));
		if (done.cause != node->cause || (node->cause && done.origin != node->origin))
			return i;
	}
	return -1;
}

static void forest_clear(struct forest *forest, uint64_t *random)
{
	int left = 0, i;

	for (i = 0; i < forest->n; i++)
		left += forest->nodes[i].n_fds + forest->nodes[i].n_eyes;
	while (left) {
		struct node *node = &forest->nodes[dice_of(random, forest->n)];

		if (node->n_eyes && dice_of(random, 2))
			close(node->eyes[--node->n_eyes]);
		else if (node->n_fds)
			close(node->fds[--node->n_fds]);
		else
			continue;
		left--;
	}
	forest->n = 0;
}

TEST_F_TIMEOUT(scope, in_any_order, TIMEOUT)
{
	const unsigned int rounds = is_debug() ? 300 : 2000;
	static struct forest forest;
	uint64_t seed = choose_seed(), random = seed;
	unsigned int i, steps;
	int wrong, err;

	TH_LOG("TEST_SEED=%llu", (unsigned long long)seed);
	for (i = 0; i < rounds; i++) {
		for (steps = 10 + dice_of(&random, 100); steps; steps--) {
			err = node_step(&forest, self->dev, &random);
			ASSERT_EQ(0, err) {
				TH_LOG("round %u: %s (%.128s); " AGAIN, i, strerror(-err),
				       said.answer.message);
			}
			wrong = dice_of(&random, 4) ? -1 : forest_wrong(&forest);
			ASSERT_EQ(-1, wrong) {
				struct node *node = &forest.nodes[wrong];
				int fd = node->n_eyes ? node->eyes[0] : node->fds[0];

				TH_LOG("round %u, node %d: cause %u, origin %llu; " AGAIN, i, wrong,
				       node->cause, (unsigned long long)node->origin);
				TH_LOG("seen %u, %llu", scope_cause(fd),
				       (unsigned long long)scope_origin(fd));
			}
		}
		forest_clear(&forest, &random);
		ASSERT_EQ(self->before, settle_scopes(self->fd, self->before)) {
			TH_LOG("round %u: a scope is left; " AGAIN, i);
		}
	}
}

/* Several threads: make, cancel, observe, close, all of one tree. */
#define TREE_THREADS	4

struct climber {
	pthread_t thread;
	int dev;
	int top;
	unsigned int rounds;
	uint64_t random;
	int wrong;
};

static void *climb(void *arg)
{
	struct climber *climber = arg;
	int fds[6], eye, n;
	unsigned int i, j;

	for (i = 0; i < climber->rounds; i++) {
		int at = climber->top;

		n = 1 + dice_of(&climber->random, 6);
		for (j = 0; (int)j < n; j++) {
			fds[j] = scope_timed(climber->dev, at,
					     dice_of(&climber->random, 2) ? REIN_SCOPE_TIMEOUT |
					     REIN_SCOPE_OWNED : REIN_SCOPE_TIMEOUT,
					     dice_of(&climber->random, 3 * MS));
			if (fds[j] < 0) {
				climber->wrong = -fds[j];
				return NULL;
			}
			if (dice_of(&climber->random, 2))
				at = fds[j];
		}
		eye = scope_observe(fds[0]);
		if (dice_of(&climber->random, 2))
			scope_cancel(fds[dice_of(&climber->random, n)]);
		if (!dice_of(&climber->random, 4) && !scope_wait(eye))
			climber->wrong = ETIMEDOUT;
		for (; n; n--) {
			j = dice_of(&climber->random, n);
			close(fds[j]);
			fds[j] = fds[n - 1];
		}
		close(eye);
	}
	return NULL;
}

TEST_F_TIMEOUT(scope, all_at_once, TIMEOUT)
{
	static struct climber climbers[TREE_THREADS];
	int top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	uint64_t seed = choose_seed();
	unsigned int i;

	TH_LOG("TEST_SEED=%llu", (unsigned long long)seed);
	for (i = 0; i < TREE_THREADS; i++) {
		climbers[i] = (struct climber){
			.dev = self->dev, .top = top, .random = seed + i,
			.rounds = is_debug() ? 150 : 1000,
		};
		ASSERT_EQ(0, pthread_create(&climbers[i].thread, NULL, climb, &climbers[i]));
	}
	for (i = 0; i < TREE_THREADS; i++) {
		pthread_join(climbers[i].thread, NULL);
		EXPECT_EQ(0, climbers[i].wrong) {
			TH_LOG("%s; " AGAIN, strerror(climbers[i].wrong));
		}
	}
	CAUSE_IS(REIN_CAUSE_NONE, top);
	close(top);
}

/* --- bounds ---------------------------------------------------------------------------------- */

TEST_F(scope, as_deep_as_may_be)
{
	int fds[REIN_SCOPE_DEPTH_MAX], i;
	struct scope_view view;

	for (i = 0; i < REIN_SCOPE_DEPTH_MAX; i++)
		fds[i] = SUCCEEDS(scope_new(self->dev, i ? fds[i - 1] : REIN_NO_FD));
	ASSERT_EQ(0, read_scope(self->fd, said.id, &view));
	EXPECT_EQ(REIN_SCOPE_DEPTH_MAX, view.depth);
	FAILS(ELOOP, SCOPE_DEEP, scope_new(self->dev, fds[REIN_SCOPE_DEPTH_MAX - 1]));
	/* A race needs room for its replicas, and a replica is one. */
	i = race_timed(self->dev, fds[REIN_SCOPE_DEPTH_MAX - 2], REIN_POLICY_FIRST, 0, 0);
	EXPECT_LE(0, i);
	FAILS(ELOOP, SCOPE_DEEP, race_join(i));
	close(i);
	SUCCEEDS(scope_cancel(fds[0]));
	CAUSE_IS(REIN_CAUSE_PARENT, fds[REIN_SCOPE_DEPTH_MAX - 1]);
	/* From the top: the lowest holds all. */
	for (i = 0; i < REIN_SCOPE_DEPTH_MAX; i++) {
		EXPECT_EQ(self->before + REIN_SCOPE_DEPTH_MAX, count_scopes(self->fd));
		close(fds[i]);
	}
	EXPECT_EQ(self->before, count_scopes(self->fd));
}

TEST_F_TIMEOUT(scope, as_wide_as_may_be, 3 * TIMEOUT)
{
	const unsigned int n = REIN_SCOPE_CHILDREN_MAX;
	uint64_t limit = scopes_per_user(), from;
	static int fds[REIN_SCOPE_CHILDREN_MAX];
	unsigned int i, wrong = 0;
	struct scope_view view;
	uint64_t id;
	int top;

	if (sysconf(_SC_AVPHYS_PAGES) * (sysconf(_SC_PAGESIZE) >> 10) <
	    (is_debug() ? 400 : 150) << 10)
		SKIP(return, "too little memory for 65,536 scopes");
	ASSERT_TRUE(allow_files(n + 100));
	if (limit && limit < n + 100)
		ASSERT_TRUE(set_scopes_per_user(n + 100));
	top = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	id = said.id;
	for (i = 0; i < n; i++) {
		fds[i] = scope_new(self->dev, top);
		ASSERT_LE(0, fds[i]) {
			TH_LOG("%u: %s (%.128s); " AGAIN, i, strerror(-fds[i]),
			       said.answer.message);
		}
	}
	ASSERT_EQ(0, read_scope(self->fd, id, &view));
	EXPECT_EQ(n, view.children);
	FAILS(ENOSPC, SCOPE_WIDE, scope_new(self->dev, top));
	/* As one goes another one may come. */
	close(fds[7]);
	fds[7] = SUCCEEDS(scope_new(self->dev, top));
	FAILS(ENOSPC, SCOPE_WIDE, scope_new(self->dev, top));
	from = now_ns();
	SUCCEEDS(scope_cancel(top));
	TH_LOG("%u scopes were cancelled in %llu us", n,
	       (unsigned long long)(now_ns() - from) / 1000);
	for (i = 0; i < n; i++)
		wrong += scope_cause(fds[i]) != REIN_CAUSE_PARENT;
	EXPECT_EQ(0, wrong);
	close(top);
	close_all(fds, n);
	if (limit)
		set_scopes_per_user(limit);
}

TEST_F(scope, as_many_as_a_user_may_have)
{
	struct report *report = new_report();
	uint64_t limit = scopes_per_user();
	int fds[3], i;
	pid_t pid;

	ASSERT_NE(0, limit) {
		TH_LOG("there is no " SCOPES_PER_USER "; " AGAIN);
	}
	ASSERT_TRUE(set_scopes_per_user(self->before + 3));
	for (i = 0; i < 3; i++)
		fds[i] = SUCCEEDS(scope_new(self->dev, i ? fds[0] : REIN_NO_FD));
	FAILS(EDQUOT, SCOPE_MANY, scope_new(self->dev, REIN_NO_FD));
	FAILS(EDQUOT, SCOPE_MANY, scope_new(self->dev, fds[2]));
	FAILS(EDQUOT, SCOPE_MANY, race_new(self->dev, REIN_POLICY_FIRST));
	/* Another user has as many for himself. */
	pid = fork();
	if (!pid) {
		if (!become_nobody())
			_exit(1);
		for (i = 0; i < (int)self->before + 3; i++)
			if (scope_new(self->dev, REIN_NO_FD) < 0)
				_exit(2);
		note(report, 0, scope_new(self->dev, REIN_NO_FD));
		/* One that is handed on is its maker's. */
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	FAILS(EDQUOT, SCOPE_MANY, noted(report, 0));
	/* What is closed is given back; what a child holds isn't. */
	close(fds[0]);
	FAILS(EDQUOT, SCOPE_MANY, scope_new(self->dev, REIN_NO_FD));
	close(fds[1]);
	fds[1] = SUCCEEDS(scope_new(self->dev, fds[2]));
	close(fds[1]);
	close(fds[2]);
	fds[0] = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	close(fds[0]);
	ASSERT_TRUE(set_scopes_per_user(limit));
	munmap(report, sizeof(*report));
}

/* --- the page -------------------------------------------------------------------------------- */

TEST_F_TIMEOUT(scope, mapped, TIMEOUT)
{
	const size_t size = sysconf(_SC_PAGESIZE);
	volatile struct rein_scope_page *page, *low_page;
	int fd, low;
	uint64_t end;

	fd = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_OWNED, 0));
	low = SUCCEEDS(scope_new(self->dev, fd));
	page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, page);
	low_page = mmap(NULL, size, PROT_READ, MAP_SHARED, low, 0);
	ASSERT_NE(MAP_FAILED, low_page);
	EXPECT_EQ(0, page->cause);
	EXPECT_EQ(0, low_page->cause);
	/* Nobody writes to it, and there is nothing behind it. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_WRITE, MAP_SHARED, fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * size, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ, MAP_SHARED, fd, size));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 1ULL << 40));
	EXPECT_EQ(-1, mprotect((void *)page, size, PROT_READ | PROT_WRITE));
	EXPECT_EQ(-1, mprotect((void *)page, size, PROT_WRITE));
	SUCCEEDS(scope_cancel(low));
	EXPECT_EQ(REIN_CAUSE_USER, low_page->cause);
	EXPECT_EQ(0, page->cause);
	munmap((void *)low_page, size);
	SUCCEEDS(scope_cancel(fd));
	EXPECT_EQ(REIN_CAUSE_USER, page->cause);
	/* It is there after the descriptor is not. */
	close(low);
	close(fd);
	EXPECT_EQ(REIN_CAUSE_USER, page->cause);
	munmap((void *)page, size);

	fd = SUCCEEDS(scope_timed(self->dev, REIN_NO_FD, REIN_SCOPE_TIMEOUT, 30 * MS));
	page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, page);
	for (end = now_ns() + LONG; !page->cause && now_ns() < end; )
		usleep(1000);
	EXPECT_EQ(REIN_CAUSE_TIMEOUT, page->cause);
	munmap((void *)page, size);
	close(fd);
}

/* --- fdinfo ---------------------------------------------------------------------------------- */

#define INFO_IS(at, key, wanted) do {							\
	char value_[128] = "(none)";							\
											\
	EXPECT_TRUE(fd_info(at, key, value_, sizeof(value_)));				\
	EXPECT_STREQ(wanted, value_) {							\
		TH_LOG("%s; " AGAIN, key);						\
	}										\
} while (0)

TEST_F(scope, fdinfo)
{
	int top = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "info")), low, eye;
	char id[32], value[128];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)said.id);
	low = SUCCEEDS(scope_timed(self->dev, top, REIN_SCOPE_TIMEOUT, HOUR));
	eye = SUCCEEDS(scope_observe(top));
	INFO_IS(top, "rein-scope", id);
	INFO_IS(eye, "rein-scope", id);
	INFO_IS(top, "rein-name", "info");
	INFO_IS(top, "rein-depth", "1");
	INFO_IS(low, "rein-depth", "2");
	INFO_IS(top, "rein-children", "1");
	INFO_IS(low, "rein-children", "0");
	INFO_IS(top, "rein-waiters", "0");
	EXPECT_TRUE(fd_info(low, "rein-left-ns", value, sizeof(value)));
	EXPECT_GE(HOUR, strtoull(value, NULL, 10));
	EXPECT_LE(HOUR - LONG, strtoull(value, NULL, 10));
	EXPECT_FALSE(fd_info(top, "rein-left-ns", value, sizeof(value)));
	INFO_IS(top, "rein-cause", "none");
	INFO_IS(eye, "rein-observer", "1");
	EXPECT_FALSE(fd_info(top, "rein-observer", value, sizeof(value)));
	EXPECT_FALSE(fd_info(top, "rein-parent", value, sizeof(value)));
	INFO_IS(low, "rein-parent", id);
	SUCCEEDS(scope_cancel(top));
	INFO_IS(top, "rein-cause", "user");
	INFO_IS(low, "rein-cause", "parent");
	close_all((int[]){ top, low, eye }, 3);
}

/* --- to open it again ------------------------------------------------------------------------ */

TEST_F(scope, opened)
{
	int fd = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "open-me")), a, b;
	uint64_t id = said.id;
	char name[REIN_SCOPE_NAME_LEN + 1];
	unsigned int i;

	a = SUCCEEDS(scope_open(self->dev, 0, id, ""));
	EXPECT_EQ(FD_CLOEXEC, fcntl(a, F_GETFD));
	b = SUCCEEDS(scope_open(self->dev, 0, 0, "open-me"));
	SUCCEEDS(scope_cancel(a));
	CAUSE_IS(REIN_CAUSE_USER, b);
	CAUSE_IS(REIN_CAUSE_USER, fd);
	close(a);
	close(b);
	FAILS(ENOENT, SCOPE_UNKNOWN, scope_open(self->dev, 0, id + 1000000, ""));
	FAILS(ENOENT, SCOPE_UNKNOWN, scope_open(self->dev, 0, UINT64_MAX, ""));
	FAILS(ENOENT, SCOPE_UNKNOWN, scope_open(self->dev, 0, 0, "nobody"));
	/* None is bound to this cgroup. */
	FAILS(ENOENT, SCOPE_UNKNOWN, scope_open(self->dev, 0, 0, ""));
	FAILS(ENOENT, SCOPE_UNKNOWN, scope_open(self->dev, REIN_OPEN_OBSERVE, 0, ""));
	for (i = 1; i < 32; i++)
		FAILS(EINVAL, SCOPE_MALFORMED, scope_open(self->dev, 1U << i, id, ""));
	/* One or the other. */
	FAILS(EINVAL, SCOPE_MALFORMED, scope_open(self->dev, 0, id, "open-me"));
	memset(name, 'x', sizeof(name));
	name[REIN_SCOPE_NAME_LEN] = '\0';
	FAILS(EINVAL, SCOPE_MALFORMED, scope_open(self->dev, 0, 0, name));
	a = SUCCEEDS(scope_named(self->dev, fd, "open-me"));
	FAILS(ENOTUNIQ, SCOPE_AMBIGUOUS, scope_open(self->dev, 0, 0, "open-me"));
	close(fd);
	/* It has a child: it is there. */
	FAILS(ENOTUNIQ, SCOPE_AMBIGUOUS, scope_open(self->dev, 0, 0, "open-me"));
	close(a);
	FAILS(ENOENT, SCOPE_UNKNOWN, scope_open(self->dev, 0, 0, "open-me"));
	FAILS(ENOENT, SCOPE_UNKNOWN, scope_open(self->dev, 0, id, ""));
}

TEST_F(scope, opened_by_others)
{
	int fd = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "not-yours")), ready[2], go[2];
	struct report *report = new_report();
	uint64_t id = said.id, *theirs;
	struct scope_view view;
	char byte;
	pid_t pid;

	theirs = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		int own, netlink;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!become_nobody())
			_exit(1);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		note(report, 0, scope_open(self->dev, 0, id, ""));
		note(report, 1, scope_open(self->dev, REIN_OPEN_OBSERVE, id, ""));
		own = scope_named(self->dev, REIN_NO_FD, "theirs");
		*theirs = said.id;
		note(report, 2, scope_open(self->dev, 0, said.id, ""));
		/* Who was handed it, has it: the right is that of the descriptor. */
		note(report, 3, scope_new(self->dev, fd));
		/* Nor does netlink tell of others'. */
		netlink = genl_socket();
		report->ret[4] = read_scope(netlink, id, &view);
		report->ret[5] = read_scopes(netlink, "not-yours", &view) ?: (int)view.n;
		report->ret[6] = read_scope(netlink, *theirs, &view);
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(own < 0 ? 3 : scope_cause(own));
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	FAILS(EACCES, SCOPE_DENIED, noted(report, 0));
	FAILS(EACCES, SCOPE_DENIED, noted(report, 1));
	EXPECT_LE(0, noted(report, 2));
	EXPECT_LE(0, noted(report, 3));
	EXPECT_GT(0, report->ret[4]);
	EXPECT_EQ(0, report->ret[5]);
	EXPECT_EQ(0, report->ret[6]);
	/* Who administrates may. */
	ASSERT_EQ(0, read_scope(self->fd, *theirs, &view));
	EXPECT_EQ(NOBODY, view.uid);
	EXPECT_EQ(pid, view.pid);
	close(fd);
	fd = SUCCEEDS(scope_open(self->dev, 0, 0, "theirs"));
	SUCCEEDS(scope_cancel(fd));
	ASSERT_EQ(1, write(go[1], &byte, 1));
	EXPECT_EQ(REIN_CAUSE_USER, wait_child(pid));
	close_all((int[]){ fd, ready[0], ready[1], go[0], go[1] }, 5);
	munmap(theirs, 4096);
	munmap(report, sizeof(*report));
}

/* What it is told from the PID namespace of whose first process it is. */
static void look_from_inside(int dev, uint64_t id, struct report *report)
{
	int netlink = genl_socket();
	struct scope_view view;

	note(report, 0, scope_open(dev, 0, id, ""));
	note(report, 1, scope_open(dev, 0, 0, "of-the-host"));
	report->ret[2] = genl_resolve(netlink) ?: read_scope(netlink, id, &view);
	report->ret[3] = read_scopes(netlink, "of-the-host", &view) ?: (int)view.n;
	note(report, 4, scope_named(dev, REIN_NO_FD, "of-the-box"));
	id = said.id;
	note(report, 5, scope_open(dev, 0, 0, "of-the-box"));
	report->ret[6] = read_scope(netlink, id, &view);
}

TEST_F(scope, opened_from_a_container)
{
	int fd = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "of-the-host"));
	struct report *report = new_report();
	uint64_t id = said.id;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!confine(CLONE_NEWPID))
			_exit(1);
		pid = fork();
		if (!pid) {
			look_from_inside(self->dev, id, report);
			_exit(0);
		}
		_exit(wait_child(pid));
	}
	EXPECT_EQ(0, wait_child(pid));
	FAILS(EACCES, SCOPE_DENIED, noted(report, 0));
	FAILS(ENOENT, SCOPE_UNKNOWN, noted(report, 1));
	EXPECT_NE(0, report->ret[2]);
	EXPECT_EQ(0, report->ret[3]);
	/* What is of in there is its own, and can be seen from outside. */
	EXPECT_LE(0, noted(report, 4));
	EXPECT_LE(0, noted(report, 5));
	EXPECT_EQ(0, report->ret[6]);
	close(fd);
	munmap(report, sizeof(*report));
}

/* --- netlink --------------------------------------------------------------------------------- */

TEST_F(scope, listed)
{
	int fds[300], top = SUCCEEDS(scope_named(self->dev, REIN_NO_FD, "list-top")), i;
	struct scope_view view;
	struct genl_answer answer;
	static struct genl_msg msg;

	for (i = 0; i < 300; i++)
		fds[i] = SUCCEEDS(scope_named(self->dev, top, "list-low"));
	ASSERT_EQ(0, read_scopes(self->fd, NULL, &view));
	EXPECT_EQ(self->before + 301, view.n);
	/* By age: the youngest is last. */
	EXPECT_EQ(said.id, view.id);
	ASSERT_EQ(0, read_scopes(self->fd, "list-low", &view));
	EXPECT_EQ(300, view.n);
	ASSERT_EQ(0, read_scopes(self->fd, "list-top", &view));
	EXPECT_EQ(1, view.n);
	EXPECT_EQ(300, view.children);
	ASSERT_EQ(0, read_scopes(self->fd, "list-none", &view));
	EXPECT_EQ(0, view.n);
	SUCCEEDS(scope_cancel_as(top, REIN_CAUSE_USER, "told"));
	ASSERT_EQ(0, read_scopes(self->fd, "list-low", &view));
	EXPECT_EQ(REIN_CAUSE_PARENT, view.cause);
	EXPECT_EQ(view.parent, view.origin);
	ASSERT_EQ(0, read_scope(self->fd, view.parent, &view));
	EXPECT_EQ(REIN_CAUSE_USER, view.cause);
	EXPECT_EQ(view.id, view.origin);
	EXPECT_STREQ("told", view.reason);
	EXPECT_NE(0, view.record);
	/* No id, no name, and not all of them. */
	genl_begin(&msg, REIN_CMD_SCOPE_GET, 0);
	EXPECT_EQ(0, genl_ask(self->fd, &msg, &answer, NULL, NULL));
	EXPECT_NE(0, answer.err);
	EXPECT_EQ(-ENOENT, read_scope(self->fd, UINT64_MAX, &view));
	close_all(fds, 300);
	close(top);
}

/* --- the module ------------------------------------------------------------------------------ */

TEST_F(scope, the_module_stays_while_there_is_one)
{
	int fd = SUCCEEDS(scope_new(self->dev, REIN_NO_FD));
	void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	ASSERT_NE(MAP_FAILED, page);
	close(self->dev);
	EXPECT_EQ(-1, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	/* It doesn't need the device. */
	SUCCEEDS(scope_cancel(fd));
	close(fd);
	/* Nor its descriptor. */
	EXPECT_EQ(-1, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	munmap(page, 4096);
	self->dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
}

TEST_HARNESS_MAIN
