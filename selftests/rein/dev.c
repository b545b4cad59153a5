// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/rein, asked wrongly in every way that it can be: each time there is the
 * right errno, a complete answer, and nothing is charged. And asked rightly, by
 * callers in every state: stopped, interrupted, killed, in another cgroup or
 * namespace, without privileges, by the 32-bit call.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <kselftest_harness.h>
#include "take.h"

#define CGROOT		"/sys/fs/cgroup"
#define DIRECTORY	CGROOT "/test-dev"
#define OTHER		DIRECTORY "/other"
#define BELOW		OTHER "/below"

#define AGAIN		"run: make check TESTS=dev"

/* More than anything here takes, on the slowest machine; less than the runner waits. */
#define LONG		(60 * SECOND)
#define TIMEOUT		100

/**
 * struct dev - what every test has; it runs in @dir, as it is alone in there
 * @fd:		the netlink socket
 * @dev:	the device
 * @dir:	a cgroup with a limit "ten", which has as many tokens and refuses
 * @other:	one below
 * @take:	a request
 */
FIXTURE(dev) {
	int fd;
	int dev;
	int dir;
	int other;
	struct take take;
};

FIXTURE_SETUP(dev) {
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
	ASSERT_EQ(0, add_call(self->fd, "ten", self->dir, REIN_OVER_REFUSE, 1, DAY, 10));
	self->dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->dev) {
		TH_LOG(REIN_DEV_PATH ": %s", strerror(errno));
	}
	ASSERT_TRUE(enter(DIRECTORY));
}

FIXTURE_TEARDOWN(dev) {
	flush_all(self->fd);
	enter(CGROOT);
	close(self->dev);
	close(self->dir);
	close(self->other);
	close(self->fd);
	rmdir(OTHER);
	rmdir(DIRECTORY);
}

static uint64_t tokens(FIXTURE_DATA(dev) *self, const char *name)
{
	struct books books;

	return read_books(self->fd, name, self->dir, &books) ? UINT64_MAX : books.tokens;
}

/* All of "ten" is there, and each take is accounted for. */
#define UNTOUCHED(what) do {								\
	const char *what_ = (what);							\
	struct books books_;								\
											\
	ASSERT_EQ(0, read_books(self->fd, "ten", self->dir, &books_));			\
	EXPECT_EQ(10, books_.tokens) {							\
		TH_LOG("%s: tokens were taken; " AGAIN, what_);				\
	}										\
	EXPECT_TRUE(books_balance(&books_)) {						\
		TH_LOG("%s: the counters don't add up; " AGAIN, what_);			\
	}										\
	EXPECT_EQ(0, books_.count[REIN_A_STATS_QUEUED]);				\
} while (0)

static void check(struct __test_metadata *_metadata, FIXTURE_DATA(dev) *self,
		  const struct take *take, int err, int want, unsigned int code,
		  const char *what)
{
	const char *wrong = answer_wrong(&take->args, err);
	struct genl_answer got;
	struct record record;

	EXPECT_EQ(want, err) {
		TH_LOG("%s: expected %s, seen %s (%.128s); " AGAIN, what, strerror(want),
		       strerror(err), take->args.message);
	}
	EXPECT_EQ(code, take->args.code) {
		TH_LOG("%s: %.128s; " AGAIN, what, take->args.message);
	}
	EXPECT_EQ(NULL, wrong) {
		TH_LOG("%s: the answer is not complete: %s; " AGAIN, what, wrong);
	}
	if (!code)
		return;
	ASSERT_NE(0, take->args.record);
	ASSERT_EQ(0, read_record(self->fd, take->args.record, &record, &got));
	EXPECT_EQ(0, got.err);
	EXPECT_EQ(code, record.code) {
		TH_LOG("%s (%s): the record has the wrong code; " AGAIN, what, record.message);
	}
}

/* self->take comes to this end; the answer is as it should be. */
#define ENDS(errno_, code, what)							\
	check(_metadata, self, &self->take, take_now(self->dev, &self->take), errno_, code, what)

/* And nothing is charged. */
#define REFUSED(errno_, code, what) do {						\
	const char *what_ = (what);							\
	ENDS(errno_, code, what_);							\
	UNTOUCHED(what_);								\
} while (0)

/* --- pointers ------------------------------------------------------------------ */

#define KERNEL		((void *)0xffff888000001000UL)
#define NONCANONICAL	((void *)0x8000000000000000UL)

/* Two pages, of which only the first may be used; where the second begins. */
static char *half_mapped(int prot)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	char *at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + page, page, prot))
		return NULL;
	return at + page;
}

static char *unmapped(void)
{
	char *at = half_mapped(PROT_NONE);

	return at && !munmap(at, sysconf(_SC_PAGESIZE)) ? at : NULL;
}

#define FAULTS(request, pointer, what) do {						\
	const char *what_ = (what);							\
	int ret_ = ioctl(self->dev, request, pointer);					\
											\
	EXPECT_EQ(-1, ret_) {								\
		TH_LOG("%s: done; " AGAIN, what_);					\
	}										\
	EXPECT_EQ(EFAULT, errno) {							\
		TH_LOG("%s: %s; " AGAIN, what_, strerror(errno));			\
	}										\
	UNTOUCHED(what_);								\
} while (0)

TEST_F(dev, args_that_are_not_there)
{
	const size_t size = sizeof(struct rein_take_args);
	char *edge = half_mapped(PROT_NONE);
	unsigned int i;

	ASSERT_NE(NULL, edge);
	FAULTS(REIN_IOC_TAKE, NULL, "NULL");
	FAULTS(REIN_IOC_TAKE, (void *)1, "1");
	FAULTS(REIN_IOC_TAKE, unmapped(), "unmapped");
	FAULTS(REIN_IOC_TAKE, KERNEL, "the kernel's memory");
	FAULTS(REIN_IOC_TAKE, NONCANONICAL, "no address at all");
	FAULTS(REIN_IOC_TAKE, (void *)-1UL, "-1");
	FAULTS(REIN_IOC_TAKE, (void *)-8UL, "-8");
	ask_for(&self->take, "ten", 1, 0, 0);
	for (i = 1; i < size; i++) {
		/* Only so many bytes of it. */
		memcpy(edge - i, &self->take.args, i);
		FAULTS(REIN_IOC_TAKE, edge - i, "cut off");
	}
	/* What may be read but not written to: nobody could be told. */
	edge = half_mapped(PROT_READ);
	ASSERT_NE(NULL, edge);
	memcpy(edge - size, &self->take.args, size);
	ASSERT_EQ(0, mprotect(edge - sysconf(_SC_PAGESIZE), sysconf(_SC_PAGESIZE), PROT_READ));
	FAULTS(REIN_IOC_TAKE, edge - size, "read-only");
}

TEST_F(dev, args_of_which_the_end_is_read_only)
{
	const size_t size = sizeof(struct rein_take_args), page = sysconf(_SC_PAGESIZE);
	char *edge = half_mapped(PROT_READ | PROT_WRITE);
	size_t i;

	ASSERT_NE(NULL, edge);
	for (i = 8; i < size; i += 8) {
		ASSERT_EQ(0, mprotect(edge, page, PROT_READ | PROT_WRITE));
		ask_for(&self->take, "ten", 1, 0, 0);
		memcpy(edge - i, &self->take.args, size);
		ASSERT_EQ(0, mprotect(edge, page, PROT_READ));
		FAULTS(REIN_IOC_TAKE, edge - i, "the end is read-only");
	}
}

TEST_F(dev, wants_that_are_not_there)
{
	const size_t page = sysconf(_SC_PAGESIZE), size = sizeof(struct rein_take_want);
	void *const where[] = { NULL, (void *)1, unmapped(), KERNEL, NONCANONICAL, (void *)-8UL };
	char *edge = half_mapped(PROT_NONE);
	size_t i;

	ASSERT_NE(NULL, edge);
	for (i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		ask_for(&self->take, "ten", 1, 0, 0);
		self->take.args.wants = (uintptr_t)where[i];
		REFUSED(EFAULT, DEV_FAULT, "wants");
	}
	for (i = 0; i < size; i += 8) {
		ask_for(&self->take, "ten", 1, 0, 0);
		self->take.args.wants = (uintptr_t)edge - i;
		REFUSED(EFAULT, DEV_FAULT, "the end of wants");
	}
	/* The second of two. */
	ask_for(&self->take, "ten", 1, 0, 0);
	self->take.args.n_wants = 2;
	memcpy(edge - size, self->take.wants, size);
	self->take.args.wants = (uintptr_t)edge - size;
	REFUSED(EFAULT, DEV_FAULT, "the second of wants");
	/* They are only read. */
	self->take.args.n_wants = 1;
	ASSERT_EQ(0, mprotect(edge - page, page, PROT_READ));
	ENDS(0, 0, "wants that are read-only");
	EXPECT_EQ(9, tokens(self, "ten"));
	/* Not aligned. */
	ask_for(&self->take, "ten", 1, 0, 0);
	memmove((char *)self->take.wants + 3, self->take.wants, size);
	self->take.args.wants += 3;
	ENDS(0, 0, "wants that are not aligned");
	EXPECT_EQ(8, tokens(self, "ten"));
	/* Where the answer goes: they have been read by then. */
	ask_for(&self->take, "ten", 1, 0, 0);
	memcpy(&self->take.args.granted_ns, self->take.wants, size);
	self->take.args.wants = (uintptr_t)&self->take.args.granted_ns;
	ENDS(0, 0, "wants where the answer goes");
	EXPECT_EQ(7, tokens(self, "ten"));
}

/* --- sizes --------------------------------------------------------------------- */

#define TAKE_SIZED(size) \
	_IOC(_IOC_READ | _IOC_WRITE, REIN_IOC_MAGIC, _IOC_NR(REIN_IOC_TAKE), size)

TEST_F(dev, a_shorter_size)
{
	static struct take before;
	size_t size;

	for (size = 0; size < REIN_TAKE_ARGS_SIZE_0; size++) {
		before = *ask_for(&self->take, "ten", 1, 0, 0);
		ASSERT_EQ(-1, ioctl(self->dev, TAKE_SIZED(size), &self->take.args));
		EXPECT_EQ(EINVAL, errno) {
			TH_LOG("%zu bytes: %s; " AGAIN, size, strerror(errno));
		}
		/* The first version had all of them. */
		EXPECT_EQ(0, memcmp(&before, &self->take, sizeof(before))) {
			TH_LOG("%zu bytes: written to; " AGAIN, size);
		}
	}
	UNTOUCHED("a shorter size");
}

TEST_F(dev, a_longer_size)
{
	static const size_t more[] = { 1, 4, 8, 100, 4096, 8192, 16383 - sizeof(self->take.args) };
	const size_t size = sizeof(self->take.args);
	static char newer[16384], none[16384];
	char *edge = half_mapped(PROT_NONE);
	size_t i, at;

	ASSERT_NE(NULL, edge);
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		ask_for(&self->take, "ten", 1, 0, 0);
		memset(newer, 0xff, sizeof(newer));
		memset(newer + size, 0, more[i]);
		memcpy(newer, &self->take.args, size);
		ASSERT_EQ(0, ioctl(self->dev, TAKE_SIZED(size + more[i]), newer)) {
			TH_LOG("%zu bytes more: %s; " AGAIN, more[i], strerror(errno));
		}
		memcpy(&self->take.args, newer, size);
		EXPECT_EQ(NULL, answer_wrong(&self->take.args, 0));
		EXPECT_EQ(9 - i, tokens(self, "ten"));
		EXPECT_EQ(0, memcmp(none, newer + size, more[i])) {
			TH_LOG("%zu bytes more: written to; " AGAIN, more[i]);
		}
	}
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		/* The first and the last of those that are not known. */
		for (at = 0; at < 2; at++) {
			ask_for(&self->take, "ten", 1, 0, 0);
			memset(newer, 0, sizeof(newer));
			memcpy(newer, &self->take.args, size);
			newer[at ? size : size + more[i] - 1] = 1;
			ASSERT_EQ(-1, ioctl(self->dev, TAKE_SIZED(size + more[i]), newer));
			EXPECT_EQ(E2BIG, errno) {
				TH_LOG("%zu bytes more, not 0: %s; " AGAIN, more[i],
				       strerror(errno));
			}
		}
	}
	memcpy(edge - size, &self->take.args, size);
	ASSERT_EQ(-1, ioctl(self->dev, TAKE_SIZED(size + 8), edge - size));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(10 - i, tokens(self, "ten"));
}

TEST_F(dev, other_requests)
{
	const unsigned int type = REIN_IOC_MAGIC, nr = _IOC_NR(REIN_IOC_TAKE);
	const size_t size = sizeof(self->take.args);
	const unsigned long others[] = {
		_IOC(_IOC_READ | _IOC_WRITE, type, 0, size),
		_IOC(_IOC_READ | _IOC_WRITE, type, _IOC_NR(REIN_IOC_UNWATCH) + 1, size),
		REIN_IOC_CLAIM, REIN_IOC_OBSERVE, REIN_IOC_CANCEL, REIN_IOC_BIND, REIN_IOC_JOIN,
		REIN_IOC_WIN, REIN_IOC_GRANT, REIN_IOC_RESULT, REIN_IOC_BEAT, REIN_IOC_ARM,
		REIN_IOC_TEST, REIN_IOC_UNWATCH,
		_IOC(_IOC_READ | _IOC_WRITE, type, 255, size),
		_IOC(_IOC_READ | _IOC_WRITE, type + 1, nr, size),
		_IOC(_IOC_READ | _IOC_WRITE, type - 1, nr, size),
		_IOC(_IOC_READ | _IOC_WRITE, 0, nr, size),
		_IOC(0, 0, 0, 0), 0x5401 /* TCGETS */, 0xffffffffUL,
	};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ask_for(&self->take, "ten", 1, 0, 0);
		ASSERT_EQ(-1, ioctl(self->dev, others[i], &self->take.args));
		EXPECT_EQ(ENOTTY, errno) {
			TH_LOG("%#lx: %s; " AGAIN, others[i], strerror(errno));
		}
	}
	UNTOUCHED("another request");
}

/* --- what is asked --------------------------------------------------------------- */

TEST_F(dev, flags)
{
	static const uint32_t both[] = {
		REIN_TAKE_TRY | REIN_TAKE_DEADLINE, REIN_TAKE_TRY | REIN_TAKE_TIMEOUT,
		REIN_TAKE_DEADLINE | REIN_TAKE_TIMEOUT,
		REIN_TAKE_TRY | REIN_TAKE_DEADLINE | REIN_TAKE_TIMEOUT, ~0U,
	};
	unsigned int i;

	for (i = 4; i < 32; i++) {
		ask_for(&self->take, "ten", 1, 1U << i, 0);
		REFUSED(EINVAL, TAKE_MALFORMED, "an unknown flag");
		ask_for(&self->take, "ten", 1, 1U << i | REIN_TAKE_TIMEOUT, SECOND);
		REFUSED(EINVAL, TAKE_MALFORMED, "an unknown flag beside one that is known");
	}
	for (i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		ask_for(&self->take, "ten", 1, both[i], 0);
		REFUSED(EINVAL, TAKE_MALFORMED, "flags that exclude each other");
	}
	ask_for(&self->take, "ten", 1, 0, 1);
	REFUSED(EINVAL, TAKE_MALFORMED, "a time without a flag");
	ask_for(&self->take, "ten", 1, 0, UINT64_MAX);
	REFUSED(EINVAL, TAKE_MALFORMED, "for ever without a flag");
	ask_for(&self->take, "ten", 1, REIN_TAKE_TRY, 1);
	REFUSED(EINVAL, TAKE_MALFORMED, "a time for a try");
}

TEST_F(dev, how_many)
{
	static const uint32_t none[] = { 0, 33, 34, 1 << 26, UINT32_MAX, 1U << 31 };
	char name[8];
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		ask_for(&self->take, "ten", 1, 0, 0);
		self->take.args.n_wants = none[i];
		REFUSED(EINVAL, TAKE_MALFORMED, "a number of names");
		/* Nobody looks there then. */
		ask_for(&self->take, "ten", 1, 0, 0);
		self->take.args.n_wants = none[i];
		self->take.args.wants = 1;
		REFUSED(EINVAL, TAKE_MALFORMED, "a number of names, which aren't there");
	}
	ask_nothing(&self->take, 0, 0);
	for (i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		if (i < 31)
			ASSERT_EQ(0, add_call(self->fd, name, self->dir, REIN_OVER_REFUSE, 1, DAY,
					      5));
		ask_more(&self->take, i < 31 ? name : "ten", 1);
	}
	ENDS(0, 0, "32 names");
	for (i = 0; i < 31; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		EXPECT_EQ(4, tokens(self, name));
	}
	EXPECT_EQ(9, tokens(self, "ten"));
	/* The last of them has too few: none is charged. */
	ask_nothing(&self->take, 0, 0);
	for (i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		ask_more(&self->take, i < 31 ? name : "ten", i < 31 ? 4 : 10);
	}
	ENDS(EAGAIN, TAKE_OVER, "32 names, of which the last says no");
	EXPECT_EQ(31, self->take.args.want);
	EXPECT_EQ(10, self->take.args.wanted);
	EXPECT_EQ(9, self->take.args.available);
	EXPECT_EQ(4, tokens(self, "n0"));
	EXPECT_EQ(4, tokens(self, "n30"));
	/* The last of them is unknown. */
	ask_nothing(&self->take, 0, 0);
	for (i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		ask_more(&self->take, name, 1);
	}
	ENDS(ENOENT, TAKE_UNKNOWN, "32 names, of which the last is unknown");
	EXPECT_EQ(31, self->take.args.want);
	EXPECT_EQ(4, tokens(self, "n0"));
}

/* Is there nothing in the record's message that a terminal would obey? */
static bool printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\177')
			return false;
	return true;
}

TEST_F(dev, names)
{
	static const char *const odd[] = {
		"te", "tenn", "TEN", " ten", "ten ", "ten\n", "-", ".", "/", "..", "*", "%s%n%p",
		"\001", "\033[2J\033[31m", "\177", "\377\376\375", "\303\244", "a\nb", "\"'\\",
	};
	char longest[64];
	struct genl_answer got;
	struct record record;
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		ask_for(&self->take, odd[i], 1, 0, 0);
		REFUSED(ENOENT, TAKE_UNKNOWN, odd[i]);
		ASSERT_EQ(0, read_record(self->fd, self->take.args.record, &record, &got));
		EXPECT_TRUE(printable(record.message)) {
			TH_LOG("name %zu is in the record as it is; " AGAIN, i);
		}
		ask_more(ask_for(&self->take, odd[i], 1, 0, 0), odd[i], 1);
		REFUSED(EINVAL, TAKE_TWICE, odd[i]);
		EXPECT_EQ(1, self->take.args.want);
		ask_for(&self->take, odd[i], 0, 0, 0);
		REFUSED(EINVAL, TAKE_MALFORMED, odd[i]);
		ASSERT_EQ(0, read_record(self->fd, self->take.args.record, &record, &got));
		EXPECT_TRUE(printable(record.message));
	}
	ask_for(&self->take, "", 1, 0, 0);
	REFUSED(EINVAL, TAKE_MALFORMED, "an empty name");
	ask_more(ask_for(&self->take, "ten", 1, 0, 0), "", 1);
	REFUSED(EINVAL, TAKE_MALFORMED, "an empty name behind one");
	EXPECT_EQ(1, self->take.args.want);
	ask_for(&self->take, "ten", 1, 0, 0);
	memset(self->take.wants[0].name, 'x', 64);
	REFUSED(EINVAL, TAKE_MALFORMED, "a name that isn't terminated");
	memset(self->take.wants[0].name, 0xff, 64);
	REFUSED(EINVAL, TAKE_MALFORMED, "a name of odd bytes that isn't terminated");
	memset(longest, 'x', 63);
	longest[63] = '\0';
	ask_for(&self->take, longest, 1, 0, 0);
	REFUSED(ENOENT, TAKE_UNKNOWN, "a name of 63 characters");
	ASSERT_EQ(0, add_call(self->fd, longest, self->dir, REIN_OVER_REFUSE, 1, DAY, 1));
	ask_for(&self->take, longest, 1, 0, 0);
	ENDS(0, 0, "a limit with a name of 63 characters");
	ENDS(EAGAIN, TAKE_OVER, "and its refusal");
	/* A limit on something else. */
	ASSERT_EQ(0, delete(self->fd, longest, self->dir));
	{
		struct genl_answer answer;
		static struct genl_msg msg;

		begin(&msg, REIN_CMD_LIMIT_ADD, "net", self->dir);
		genl_put_tier(&msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
		ASSERT_EQ(0, genl_ask(self->fd, &msg, &answer, NULL, NULL));
		ASSERT_EQ(0, answer.err);
	}
	ask_for(&self->take, "net", 1, 0, 0);
	REFUSED(ENOENT, TAKE_UNKNOWN, "a limit on egress");
}

TEST_F(dev, how_much)
{
	static const uint64_t much[] = {
		11, 1ULL << 31, 1ULL << 32, (uint64_t)INT64_MAX, 1ULL << 63, UINT64_MAX - 1,
		UINT64_MAX,
	};
	static const uint32_t flags[] = { 0, REIN_TAKE_TRY, REIN_TAKE_TIMEOUT };
	struct books books;
	size_t i;

	ask_for(&self->take, "ten", 0, 0, 0);
	REFUSED(EINVAL, TAKE_MALFORMED, "no tokens");
	ask_more(ask_for(&self->take, "ten", 1, 0, 0), "nine", 0);
	REFUSED(EINVAL, TAKE_MALFORMED, "no tokens of the second");
	EXPECT_EQ(1, self->take.args.want);
	for (i = 0; i < sizeof(much) / sizeof(much[0]) * 3; i++) {
		ask_for(&self->take, "ten", much[i / 3], flags[i % 3],
			i % 3 == 2 ? UINT64_MAX : 0);
		REFUSED(E2BIG, TAKE_BURST, "more than a burst");
		EXPECT_EQ(much[i / 3], self->take.args.wanted);
		EXPECT_EQ(10, self->take.args.available);
		EXPECT_EQ(REIN_DEV_NEVER, self->take.args.retry_after_ns);
		EXPECT_NE(0, self->take.args.limit_id);
	}
	/* Where nothing is limited, or only watched, there is no end to it. */
	ASSERT_EQ(0, add_call(self->fd, "seen", self->dir, REIN_OVER_OBSERVE, 1, DAY, 1));
	for (i = 0; i < 3; i++) {
		ask_for(&self->take, "seen", UINT64_MAX, 0, 0);
		ENDS(0, 0, "U64_MAX of what is only watched");
	}
	ASSERT_EQ(0, read_books(self->fd, "seen", self->dir, &books));
	EXPECT_EQ(1, books.tokens);
	EXPECT_EQ(3, books.count[REIN_A_STATS_PASSED]);
	EXPECT_EQ(3, books.count[REIN_A_STATS_OBSERVED]);
	EXPECT_TRUE(books_balance(&books));
	ask_for(&self->take, "ten", 10, 0, 0);
	ENDS(0, 0, "all there are");
	EXPECT_EQ(0, tokens(self, "ten"));
}

TEST_F(dev, times)
{
	static const uint64_t past[] = { 0, 1, 1000, SECOND / 1000 };
	uint64_t before, after;
	size_t i;

	/* Who needs no wait has no use for a deadline. */
	for (i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
		ask_for(&self->take, "ten", 1, REIN_TAKE_DEADLINE, past[i]);
		ENDS(0, 0, "a deadline in the past, and tokens");
	}
	ask_for(&self->take, "ten", 1, REIN_TAKE_TIMEOUT, 0);
	before = now_ns();
	ENDS(0, 0, "no time, and tokens");
	after = now_ns();
	EXPECT_LE(before, self->take.args.granted_ns);
	EXPECT_GE(after, self->take.args.granted_ns);
	EXPECT_EQ(0, self->take.args.waited_ns);
	ask_for(&self->take, "ten", 5, 0, 0);
	ENDS(0, 0, "the rest");
	for (i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
		ask_for(&self->take, "ten", 1, REIN_TAKE_DEADLINE, past[i]);
		ENDS(ETIME, TAKE_LATE, "a deadline in the past");
		EXPECT_LT(DAY - LONG, self->take.args.retry_after_ns);
		EXPECT_GE(DAY, self->take.args.retry_after_ns);
		ask_for(&self->take, "ten", 1, REIN_TAKE_TIMEOUT, past[i]);
		ENDS(ETIME, TAKE_LATE, "no time");
	}
	ask_for(&self->take, "ten", 1, REIN_TAKE_DEADLINE, now_ns() + DAY - LONG);
	ENDS(ETIME, TAKE_LATE, "a deadline a minute too early");
	ask_for(&self->take, "ten", 1, REIN_TAKE_TIMEOUT, DAY - LONG);
	ENDS(ETIME, TAKE_LATE, "a minute too little");
	EXPECT_EQ(0, tokens(self, "ten"));
}

/* --- the descriptor --------------------------------------------------------------- */

TEST_F(dev, the_file)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_NONBLOCK | O_APPEND };
	char byte = 0;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		fd = open(REIN_DEV_PATH, modes[i] | O_CLOEXEC);
		ASSERT_LE(0, fd);
		ask_for(&self->take, "ten", 1, 0, 0);
		EXPECT_EQ(0, take_now(fd, &self->take)) {
			TH_LOG("opened with %#x: %.128s; " AGAIN, modes[i],
			       self->take.args.message);
		}
		EXPECT_EQ(-1, read(fd, &byte, 1));
		EXPECT_EQ(-1, write(fd, &byte, 1));
		EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
		EXPECT_EQ(-1, ftruncate(fd, 0));
		close(fd);
	}
	fd = open(REIN_DEV_PATH, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ask_for(&self->take, "ten", 1, 0, 0);
	EXPECT_EQ(EBADF, take_now(fd, &self->take));
	close(fd);
	EXPECT_EQ(EBADF, take_now(fd, &self->take));
	EXPECT_EQ(6, tokens(self, "ten"));
}

/* Runs @what in a child; returns its exit status, -1 if it had none. */
static int in_child(int (*what)(FIXTURE_DATA(dev) *self), FIXTURE_DATA(dev) *self)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(what(self));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int child_takes(FIXTURE_DATA(dev) *self)
{
	ask_for(&self->take, "ten", 1, 0, 0);
	return take_now(self->dev, &self->take);
}

static int child_takes_below(FIXTURE_DATA(dev) *self)
{
	if (!enter(OTHER))
		return 255;
	ask_for(&self->take, "below", 1, 0, 0);
	return take_now(self->dev, &self->take);
}

static int child_takes_above(FIXTURE_DATA(dev) *self)
{
	if (!enter(CGROOT))
		return 255;
	return child_takes(self);
}

TEST_F(dev, the_callers_cgroup_counts)
{
	ASSERT_EQ(0, add_call(self->fd, "below", self->other, REIN_OVER_REFUSE, 1, DAY, 2));
	EXPECT_EQ(0, in_child(child_takes, self)) {
		TH_LOG("a child, with the parent's descriptor; " AGAIN);
	}
	EXPECT_EQ(9, tokens(self, "ten"));
	ask_for(&self->take, "below", 1, 0, 0);
	ENDS(ENOENT, TAKE_UNKNOWN, "a limit below");
	EXPECT_EQ(0, in_child(child_takes_below, self)) {
		TH_LOG("a child in a cgroup below, with the parent's descriptor; " AGAIN);
	}
	EXPECT_EQ(ENOENT, in_child(child_takes_above, self)) {
		TH_LOG("a child in the topmost cgroup, with the parent's descriptor; " AGAIN);
	}
	EXPECT_EQ(9, tokens(self, "ten"));
	/* It may change between two calls. */
	ASSERT_TRUE(enter(OTHER));
	ask_more(ask_for(&self->take, "below", 1, 0, 0), "ten", 1);
	ENDS(0, 0, "after a move");
	EXPECT_EQ(8, tokens(self, "ten"));
	ASSERT_TRUE(enter(DIRECTORY));
	ENDS(ENOENT, TAKE_UNKNOWN, "after a move back");
	EXPECT_EQ(8, tokens(self, "ten"));
}

/* --- those who wait ------------------------------------------------------------------ */

/**
 * struct waiter - somebody who takes, and may have to wait
 * @thread:	either a thread,
 * @pid:	or a process
 * @dev:	the device
 * @take:	the request
 * @cgroup:	the threaded cgroup that a thread goes to first, NULL: none
 * @err:	what became of it
 * @began:	when it called
 * @ended:	when it was back
 */
struct waiter {
	pthread_t thread;
	pid_t pid;
	int dev;
	struct take *take;
	const char *cgroup;
	int err;
	uint64_t began;
	uint64_t ended;
};

static void waiter_call(struct waiter *waiter)
{
	waiter->began = now_ns();
	waiter->err = take_now(waiter->dev, waiter->take);
	waiter->ended = now_ns();
}

static void *waiter_run(void *arg)
{
	waiter_call(arg);
	return NULL;
}

static void no_action(int sig)
{
	(void)sig;
}

static void handle(int sig, int flags)
{
	struct sigaction action = { .sa_handler = no_action, .sa_flags = flags };

	sigaction(sig, &action, NULL);
}

/* Memory that a child shares with its parent. */
static struct waiter *waiter_new(int dev)
{
	struct waiter *waiter = mmap(NULL, sizeof(*waiter), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	waiter->dev = dev;
	waiter->take = mmap(NULL, sizeof(*waiter->take), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return waiter;
}

/* A process that takes; its exit status is 0 whatever it comes to. */
static void waiter_fork(struct waiter *waiter, int flags)
{
	pid_t pid = fork();

	if (pid) {
		waiter->pid = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	handle(SIGUSR1, flags);
	waiter_call(waiter);
	_exit(0);
}

/* How many wait for a limit. */
static uint64_t queued(FIXTURE_DATA(dev) *self, const char *name)
{
	struct books books;

	if (read_books(self->fd, name, self->dir, &books))
		return UINT64_MAX;
	return books.count[REIN_A_STATS_QUEUED];
}

/* Until @n wait for a limit; false if that takes too long. */
static bool wait_queued(FIXTURE_DATA(dev) *self, const char *name, uint64_t n)
{
	uint64_t end = now_ns() + LONG;

	while (queued(self, name) != n) {
		if (now_ns() > end)
			return false;
		usleep(1000);
	}
	return true;
}

static void sleep_until(uint64_t when)
{
	struct timespec ts = { when / SECOND, when % SECOND };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL))
		;
}

/* Of a process: did it end by itself? */
static bool waiter_join(struct waiter *waiter)
{
	int status;

	return waitpid(waiter->pid, &status, 0) == waiter->pid && WIFEXITED(status);
}

/*
 * "slow" has a token every two seconds, which go to those who wait, from when the
 * first was taken, which is returned.
 */
static uint64_t empty_every(FIXTURE_DATA(dev) *self, uint64_t period_ns)
{
	delete(self->fd, "slow", self->dir);
	if (add_call(self->fd, "slow", self->dir, REIN_OVER_WAIT, 1, period_ns, 1))
		return 0;
	ask_for(&self->take, "slow", 1, REIN_TAKE_TRY, 0);
	return take_now(self->dev, &self->take) ? 0 : self->take.args.granted_ns;
}

static uint64_t empty_slow(FIXTURE_DATA(dev) *self)
{
	return empty_every(self, 2 * SECOND);
}

#define SLOW_BALANCES(what) do {							\
	const char *what_ = (what);							\
	struct books books_;								\
											\
	ASSERT_EQ(0, read_books(self->fd, "slow", self->dir, &books_));			\
	EXPECT_TRUE(books_balance(&books_)) {						\
		TH_LOG("%s: the counters don't add up; " AGAIN, what_);			\
	}										\
	EXPECT_EQ(0, books_.count[REIN_A_STATS_QUEUED]) {				\
		TH_LOG("%s: somebody is left; " AGAIN, what_);				\
	}										\
} while (0)

TEST_F_TIMEOUT(dev, a_signal, TIMEOUT)
{
	struct waiter *waiter = waiter_new(self->dev);
	struct rein_take_args *args = &waiter->take->args;
	struct books books;

	/* No tokens before tomorrow, and whoever has time waits. */
	ask_for(&self->take, "ten", 10, 0, 0);
	ENDS(0, 0, "all tokens");
	ask_for(waiter->take, "ten", 1, REIN_TAKE_TIMEOUT, 2 * DAY);
	waiter_fork(waiter, 0);
	ASSERT_TRUE(wait_queued(self, "ten", 1));
	kill(waiter->pid, SIGUSR1);
	ASSERT_TRUE(waiter_join(waiter));
	EXPECT_EQ(EINTR, waiter->err);
	EXPECT_EQ(NULL, answer_wrong(args, EINTR)) {
		TH_LOG("%s; " AGAIN, answer_wrong(args, EINTR));
	}
	/* It says how to go on: until the same time. */
	EXPECT_EQ(REIN_TAKE_DEADLINE, args->flags);
	EXPECT_LE(waiter->began + 2 * DAY, args->deadline_ns);
	EXPECT_GE(waiter->ended + 2 * DAY, args->deadline_ns);
	ASSERT_EQ(0, read_books(self->fd, "ten", self->dir, &books));
	EXPECT_EQ(1, books.count[REIN_A_STATS_CANCELLED]);
	EXPECT_EQ(0, books.count[REIN_A_STATS_QUEUED]);
	EXPECT_TRUE(books_balance(&books));
	EXPECT_EQ(0, books.tokens);

	/* A signal that is there already. */
	ask_for(waiter->take, "ten", 1, REIN_TAKE_DEADLINE, REIN_DEV_NEVER);
	waiter_fork(waiter, 0);
	ASSERT_TRUE(wait_queued(self, "ten", 1));
	kill(waiter->pid, SIGUSR1);
	ASSERT_TRUE(waiter_join(waiter));
	EXPECT_EQ(EINTR, waiter->err);
	EXPECT_EQ(REIN_DEV_NEVER, args->deadline_ns);
	/* Those that are ignored end no wait. */
	ask_for(waiter->take, "ten", 1, REIN_TAKE_TIMEOUT, 2 * DAY);
	signal(SIGUSR2, SIG_IGN);
	waiter_fork(waiter, 0);
	ASSERT_TRUE(wait_queued(self, "ten", 1));
	kill(waiter->pid, SIGUSR2);
	kill(waiter->pid, SIGWINCH);
	kill(waiter->pid, SIGCONT);
	usleep(50000);
	EXPECT_EQ(1, queued(self, "ten"));
	ASSERT_EQ(0, read_books(self->fd, "ten", self->dir, &books));
	EXPECT_EQ(2, books.count[REIN_A_STATS_CANCELLED]) {
		TH_LOG("an ignored signal cost somebody its place; " AGAIN);
	}
	kill(waiter->pid, SIGUSR1);
	ASSERT_TRUE(waiter_join(waiter));
}

/* Interrupted, but restarted: the time it has goes on; its place is lost. */
TEST_F_TIMEOUT(dev, a_signal_with_restart, TIMEOUT)
{
	struct waiter *first = waiter_new(self->dev), *second = waiter_new(self->dev);
	uint64_t from = empty_slow(self);

	ASSERT_NE(0, from);
	ask_for(first->take, "slow", 1, REIN_TAKE_TIMEOUT, 3 * SECOND);
	waiter_fork(first, SA_RESTART);
	ASSERT_TRUE(wait_queued(self, "slow", 1));
	ask_for(second->take, "slow", 1, 0, 0);
	waiter_fork(second, SA_RESTART);
	ASSERT_TRUE(wait_queued(self, "slow", 2));
	/* The second's turn is at 2 s then, so the first's at 4 s, but it has until 3 s. */
	sleep_until(from + 1400 * MS);
	kill(first->pid, SIGUSR1);
	ASSERT_TRUE(waiter_join(first));
	EXPECT_EQ(ETIME, first->err) {
		TH_LOG("%s after %llu ms: its time began anew; " AGAIN, strerror(first->err),
		       (unsigned long long)(first->ended - first->began) / MS);
	}
	EXPECT_EQ(NULL, answer_wrong(&first->take->args, first->err));
	ASSERT_TRUE(waiter_join(second));
	EXPECT_EQ(0, second->err);
	EXPECT_EQ(from + 2 * SECOND, second->take->args.granted_ns) {
		TH_LOG("who stood behind did not move up; " AGAIN);
	}
	SLOW_BALANCES("restarted");

	/* Alone it gets its tokens when it would have, however often that happens. */
	from = empty_slow(self);
	ask_for(first->take, "slow", 1, REIN_TAKE_TIMEOUT, LONG);
	waiter_fork(first, SA_RESTART);
	while (now_ns() < from + 1500 * MS) {
		ASSERT_TRUE(wait_queued(self, "slow", 1));
		kill(first->pid, SIGUSR1);
		usleep(20000);
	}
	ASSERT_TRUE(waiter_join(first));
	EXPECT_EQ(0, first->err);
	EXPECT_EQ(from + 2 * SECOND, first->take->args.granted_ns);
	EXPECT_EQ(NULL, answer_wrong(&first->take->args, 0));
	SLOW_BALANCES("restarted, alone");
}

static bool wait_stopped(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status);
}

TEST_F_TIMEOUT(dev, stopped_and_continued, TIMEOUT)
{
	struct waiter *waiter = waiter_new(self->dev);
	uint64_t from = empty_slow(self);

	ASSERT_NE(0, from);
	ask_for(waiter->take, "slow", 1, REIN_TAKE_TIMEOUT, LONG);
	waiter_fork(waiter, 0);
	ASSERT_TRUE(wait_queued(self, "slow", 1));
	kill(waiter->pid, SIGSTOP);
	ASSERT_TRUE(wait_stopped(waiter->pid));
	/* Who is stopped is in nobody's way. */
	EXPECT_EQ(0, queued(self, "slow"));
	kill(waiter->pid, SIGCONT);
	ASSERT_TRUE(wait_queued(self, "slow", 1));
	EXPECT_EQ(REIN_TAKE_DEADLINE, waiter->take->args.flags);
	EXPECT_LE(waiter->began + LONG, waiter->take->args.deadline_ns);
	EXPECT_GT(waiter->began + LONG + SECOND, waiter->take->args.deadline_ns);
	ASSERT_TRUE(waiter_join(waiter));
	EXPECT_EQ(0, waiter->err);
	EXPECT_EQ(from + 2 * SECOND, waiter->take->args.granted_ns);
	SLOW_BALANCES("continued");

	/* Stopped beyond its deadline. */
	from = empty_slow(self);
	ask_for(waiter->take, "slow", 1, REIN_TAKE_TIMEOUT, 2 * SECOND);
	waiter_fork(waiter, 0);
	ASSERT_TRUE(wait_queued(self, "slow", 1));
	kill(waiter->pid, SIGSTOP);
	ASSERT_TRUE(wait_stopped(waiter->pid));
	sleep_until(from + 2500 * MS);
	ask_for(&self->take, "slow", 1, REIN_TAKE_TRY, 0);
	ENDS(0, 0, "what the stopped one did not take");
	kill(waiter->pid, SIGCONT);
	ASSERT_TRUE(waiter_join(waiter));
	EXPECT_EQ(ETIME, waiter->err);
	EXPECT_EQ(NULL, answer_wrong(&waiter->take->args, ETIME));
	SLOW_BALANCES("stopped too long");
}

TEST_F_TIMEOUT(dev, killed_while_waiting, TIMEOUT)
{
	struct waiter *first = waiter_new(self->dev), *second = waiter_new(self->dev);
	struct books books;
	uint64_t from;
	int status;

	from = empty_slow(self);
	ASSERT_NE(0, from);
	ask_for(first->take, "slow", 1, REIN_TAKE_TIMEOUT, LONG);
	waiter_fork(first, 0);
	ASSERT_TRUE(wait_queued(self, "slow", 1));
	ask_for(second->take, "slow", 1, REIN_TAKE_TIMEOUT, LONG);
	waiter_fork(second, 0);
	ASSERT_TRUE(wait_queued(self, "slow", 2));
	kill(first->pid, SIGKILL);
	ASSERT_EQ(first->pid, waitpid(first->pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(1, queued(self, "slow"));
	ASSERT_TRUE(waiter_join(second));
	EXPECT_EQ(0, second->err);
	EXPECT_EQ(from + 2 * SECOND, second->take->args.granted_ns) {
		TH_LOG("who stood behind did not move up; " AGAIN);
	}
	ASSERT_EQ(0, read_books(self->fd, "slow", self->dir, &books));
	EXPECT_EQ(1, books.count[REIN_A_STATS_CANCELLED]);
	SLOW_BALANCES("killed");
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/*
 * Whoever is not told at once that it can't be in time is in time: a deadline
 * that is when the tokens are there to the nanosecond is met, however late the
 * machine is.
 */
TEST_F_TIMEOUT(dev, just_in_time, TIMEOUT)
{
	struct waiter *waiter = waiter_new(self->dev);
	unsigned int n, late = 0;

	ASSERT_EQ(0, add_call(self->fd, "fast", self->dir, REIN_OVER_WAIT, 1, 50 * MS, 1));
	for (n = 0; n < 20; n++) {
		/* The timer of the grants is on the CPU that used it last. */
		stay_on(0);
		ask_for(&self->take, "fast", 1, 0, 0);
		ENDS(0, 0, "the first of three");
		ask_for(waiter->take, "fast", 1, REIN_TAKE_DEADLINE,
			self->take.args.granted_ns + 50 * MS);
		waiter->ended = 0;
		ASSERT_EQ(0, pthread_create(&waiter->thread, NULL, waiter_run, waiter));
		while (!queued(self, "fast") && !*(volatile uint64_t *)&waiter->ended)
			;
		stay_on(1);
		ENDS(0, 0, "the third");
		ASSERT_EQ(0, pthread_join(waiter->thread, NULL));
		if (waiter->err == ETIMEDOUT)
			late++;
		else
			ASSERT_EQ(0, waiter->err);
	}
	EXPECT_EQ(0, late) {
		TH_LOG("of %u that were let wait until they would have their tokens, %u got none; "
		       AGAIN, n, late);
	}
}

/* The cgroup that it came from counts, wherever it is moved. */
TEST_F_TIMEOUT(dev, moved_while_waiting, TIMEOUT)
{
	struct waiter *waiter = waiter_new(self->dev);
	char pid[16];
	uint64_t from;

	from = empty_slow(self);
	ASSERT_NE(0, from);
	ASSERT_EQ(0, add_call(self->fd, "below", self->other, REIN_OVER_WAIT, 1, DAY, 1));
	ask_for(waiter->take, "slow", 1, REIN_TAKE_TIMEOUT, LONG);
	waiter_fork(waiter, 0);
	ASSERT_TRUE(wait_queued(self, "slow", 1));
	snprintf(pid, sizeof(pid), "%d", waiter->pid);
	ASSERT_TRUE(put_file(CGROOT "/cgroup.procs", pid));
	EXPECT_EQ(1, queued(self, "slow"));
	ASSERT_TRUE(waiter_join(waiter));
	EXPECT_EQ(0, waiter->err);
	EXPECT_EQ(from + 2 * SECOND, waiter->take->args.granted_ns);
	SLOW_BALANCES("moved");

	/* Its cgroup goes, and the limit with it: nothing binds it any more. */
	ASSERT_EQ(0, delete(self->fd, "below", self->other));
	ASSERT_EQ(0, add_call(self->fd, "gone", self->other, REIN_OVER_WAIT, 1, DAY, 1));
	ASSERT_TRUE(enter(OTHER));
	ask_for(&self->take, "gone", 1, 0, 0);
	ENDS(0, 0, "the only one");
	ask_for(waiter->take, "gone", 1, REIN_TAKE_TIMEOUT, 2 * DAY);
	waiter_fork(waiter, 0);
	ASSERT_TRUE(enter(DIRECTORY));
	{
		struct books books = { };
		uint64_t end = now_ns() + LONG;

		while (!books.count[REIN_A_STATS_QUEUED] && now_ns() < end)
			ASSERT_EQ(0, read_books(self->fd, "gone", self->other, &books));
	}
	snprintf(pid, sizeof(pid), "%d", waiter->pid);
	ASSERT_TRUE(put_file(CGROOT "/cgroup.procs", pid));
	ASSERT_EQ(0, rmdir(OTHER));
	ASSERT_TRUE(waiter_join(waiter));
	EXPECT_EQ(0, waiter->err) {
		TH_LOG("%.128s; " AGAIN, waiter->take->args.message);
	}
}

/* What was copied counts, and what can't be answered is not told. */
TEST_F_TIMEOUT(dev, memory_that_changes_while_waiting, TIMEOUT)
{
	struct waiter *waiter = waiter_new(self->dev);
	const size_t page = sysconf(_SC_PAGESIZE);
	char *at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct take *take = (struct take *)at;
	uint64_t from = empty_slow(self);
	struct books books;

	ASSERT_NE(MAP_FAILED, at);
	ASSERT_NE(0, from);
	waiter->take = ask_for(take, "slow", 1, REIN_TAKE_TIMEOUT, LONG);
	ASSERT_EQ(0, pthread_create(&waiter->thread, NULL, waiter_run, waiter));
	ASSERT_TRUE(wait_queued(self, "slow", 1));
	memset(at, 0x55, 2 * page);
	ASSERT_EQ(0, pthread_join(waiter->thread, NULL));
	EXPECT_EQ(0, waiter->err);
	EXPECT_EQ(0, take->args.code);
	EXPECT_EQ(from + 2 * SECOND, take->args.granted_ns);
	SLOW_BALANCES("scribbled over");

	waiter->take = ask_for(take, "slow", 1, REIN_TAKE_TIMEOUT, LONG);
	ASSERT_EQ(0, pthread_create(&waiter->thread, NULL, waiter_run, waiter));
	ASSERT_TRUE(wait_queued(self, "slow", 1));
	ASSERT_EQ(0, munmap(at, 2 * page));
	ASSERT_EQ(0, pthread_join(waiter->thread, NULL));
	EXPECT_EQ(EFAULT, waiter->err);
	/* It has them: its time had come, and it is its own fault that it isn't told. */
	ASSERT_EQ(0, read_books(self->fd, "slow", self->dir, &books));
	EXPECT_EQ(2, books.count[REIN_A_STATS_RELEASED]);
	SLOW_BALANCES("unmapped");
}

/* --- threads ---------------------------------------------------------------------------- */

static void *threaded(void *arg)
{
	struct waiter *waiter = arg;
	char path[128];

	if (waiter->cgroup) {
		snprintf(path, sizeof(path), "%s/cgroup.threads", waiter->cgroup);
		if (!put_file(path, "0")) {
			waiter->err = -1;
			return NULL;
		}
	}
	waiter_call(waiter);
	return NULL;
}

/* Each thread of a process may be in a cgroup of its own. */
TEST_F_TIMEOUT(dev, threads, TIMEOUT)
{
	struct waiter *here = waiter_new(self->dev), *there = waiter_new(self->dev);

	ASSERT_TRUE(put_file(OTHER "/cgroup.type", "threaded"));
	ASSERT_EQ(0, add_call(self->fd, "below", self->other, REIN_OVER_REFUSE, 1, DAY, 2));
	there->cgroup = OTHER;
	ask_more(ask_for(here->take, "below", 1, 0, 0), "ten", 1);
	ask_more(ask_for(there->take, "below", 1, 0, 0), "ten", 1);
	ASSERT_EQ(0, pthread_create(&here->thread, NULL, threaded, here));
	ASSERT_EQ(0, pthread_create(&there->thread, NULL, threaded, there));
	pthread_join(here->thread, NULL);
	pthread_join(there->thread, NULL);
	EXPECT_EQ(ENOENT, here->err);
	EXPECT_EQ(0, there->err) {
		TH_LOG("%.128s; " AGAIN, there->take->args.message);
	}
	EXPECT_EQ(9, tokens(self, "ten"));
}

#define ASKERS		8
#define TIMES		1250

struct asker {
	pthread_t thread;
	int dev;
	unsigned int refused;
};

static void *asker_run(void *arg)
{
	struct asker *asker = arg;
	struct take take;
	unsigned int i;

	for (i = 0; i < TIMES; i++) {
		ask_more(ask_for(&take, "used", 1, 0, 0), "none", 1);
		asker->refused += take_now(asker->dev, &take) == EAGAIN;
	}
	return NULL;
}

/*
 * What is refused by one limit takes nothing of another: that has what one has which
 * nobody asked, and which was emptied at the same moment.
 */
TEST_F_TIMEOUT(dev, refused_to_many_threads, TIMEOUT)
{
	struct asker askers[ASKERS];
	unsigned int refused = 0, i;
	uint64_t before, used;

	ASSERT_EQ(0, add_call(self->fd, "none", self->dir, REIN_OVER_REFUSE, 1, DAY, 1));
	ASSERT_EQ(0, add_call(self->fd, "used", self->dir, REIN_OVER_REFUSE, 997, SECOND, 1000000));
	ASSERT_EQ(0, add_call(self->fd, "idle", self->dir, REIN_OVER_REFUSE, 997, SECOND, 1000000));
	ask_more(ask_for(&self->take, "used", 1000000, 0, 0), "idle", 1000000);
	ask_more(&self->take, "none", 1);
	ASSERT_EQ(0, take_now(self->dev, &self->take));

	for (i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){ .dev = self->dev };
		ASSERT_EQ(0, pthread_create(&askers[i].thread, NULL, asker_run, &askers[i]));
	}
	for (i = 0; i < ASKERS; i++) {
		pthread_join(askers[i].thread, NULL);
		refused += askers[i].refused;
	}
	EXPECT_EQ(ASKERS * TIMES, refused) {
		TH_LOG("not all were refused; " AGAIN);
	}
	before = tokens(self, "idle");
	used = tokens(self, "used");
	EXPECT_GE(used, before) {
		TH_LOG("less than a bucket that nobody asked; " AGAIN);
	}
	EXPECT_LE(used, tokens(self, "idle")) {
		TH_LOG("more than a bucket that nobody asked; " AGAIN);
	}
}

/* --- many ------------------------------------------------------------------------------------ */

/*
 * To bind one anew that wants all of these takes so many steps that the line is planned a
 * few takers at a time.
 */
#define NARROW		30
#define MANY		200

/* "n0" is the oldest, so the last one in a chain, and the one that all wait for. */
static int add_narrow(FIXTURE_DATA(dev) *self)
{
	struct genl_answer answer;
	static struct genl_msg msg;
	char name[8];
	int err, i;

	ask_nothing(&self->take, REIN_TAKE_TRY, 0);
	for (i = 0; i < NARROW; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		begin(&msg, REIN_CMD_LIMIT_ADD, name, self->dir);
		genl_put_u32(&msg, REIN_A_LIMIT_RESOURCE, REIN_RESOURCE_CALL);
		genl_put_u32(&msg, REIN_A_LIMIT_OVER, REIN_OVER_WAIT);
		genl_put_tier(&msg, REIN_UNIT_CALLS, 1, i ? SECOND : 3600 * SECOND, 5);
		err = genl_ask(self->fd, &msg, &answer, NULL, NULL) ?: -answer.err;
		if (err)
			return err;
		ask_more(&self->take, name, 5);
	}
	return take_now(self->dev, &self->take);
}

static void free_many(struct waiter *waiters)
{
	free(waiters[0].take);
	free(waiters);
}

/* Threads that wait for tokens of so many of them. */
static struct waiter *many_wait_for(FIXTURE_DATA(dev) *self, unsigned int n_names)
{
	struct waiter *waiters = calloc(MANY, sizeof(*waiters));
	struct take *takes = calloc(MANY, sizeof(*takes));
	pthread_attr_t attr;
	unsigned int i, j;
	char name[16];

	handle(SIGUSR1, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	for (i = 0; i < MANY; i++) {
		ask_nothing(&takes[i], REIN_TAKE_TIMEOUT, 100 * DAY);
		for (j = 0; j < n_names; j++) {
			snprintf(name, sizeof(name), "n%u", j);
			ask_more(&takes[i], name, 1 + i % 5);
		}
		waiters[i].dev = self->dev;
		waiters[i].take = &takes[i];
		if (pthread_create(&waiters[i].thread, &attr, waiter_run, &waiters[i]))
			return NULL;
	}
	return wait_queued(self, "n0", MANY) ? waiters : NULL;
}

static struct waiter *many_wait(FIXTURE_DATA(dev) *self)
{
	return many_wait_for(self, NARROW);
}

/*
 * All end, each with its tokens, as nothing binds it any more, or with @err. Returns how
 * many did with @err.
 */
static unsigned int many_end(struct __test_metadata *_metadata, struct waiter *waiters,
			     int err, const char *what)
{
	unsigned int others = 0, wrong = 0, ended = 0, i;
	const char *last = NULL;

	for (i = 0; i < MANY; i++) {
		const char *why;

		pthread_join(waiters[i].thread, NULL);
		ended += waiters[i].err == err;
		others += waiters[i].err && waiters[i].err != err;
		why = answer_wrong(&waiters[i].take->args, waiters[i].err);
		wrong += !!why;
		last = why ?: last;
	}
	EXPECT_EQ(0, others) {
		TH_LOG("%s: %u of %u came to another end; " AGAIN, what, others, MANY);
	}
	EXPECT_EQ(0, wrong) {
		TH_LOG("%s: %u answers are not complete: %s; " AGAIN, what, wrong, last);
	}
	free_many(waiters);
	return ended;
}

static void interrupt_from_the_end(struct waiter *waiters)
{
	unsigned int i;

	for (i = MANY; i; i--)
		pthread_kill(waiters[i - 1].thread, SIGUSR1);
}

/* Who is interrupted before it was bound anew has nothing to do with what has gone. */
TEST_F_TIMEOUT(dev, a_limit_goes_then_those_who_wait, TIMEOUT)
{
	struct waiter *waiters;
	unsigned int round;

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, add_narrow(self));
		waiters = many_wait(self);
		ASSERT_NE(NULL, waiters);
		ASSERT_EQ(0, delete(self->fd, "n0", self->dir));
		/* Once at once, once when it might have been freed. */
		usleep(50000 * round);
		interrupt_from_the_end(waiters);
		many_end(_metadata, waiters, EINTR, "a limit goes");
		EXPECT_EQ(0, queued(self, "n1"));
		UNTOUCHED("a limit goes");
		ASSERT_EQ(0, flush_all(self->fd));
		ASSERT_EQ(0, add_call(self->fd, "ten", self->dir, REIN_OVER_REFUSE, 1, DAY, 10));
	}
}

static void append(struct genl_msg *all, struct genl_msg *msg)
{
	msg->nlh.nlmsg_len = msg->len;
	memcpy(all->buf + all->len, msg->buf, msg->len);
	all->len += NLMSG_ALIGN(msg->len);
}

/*
 * Remove all narrow limits, and add an "n0" further down, in what is one call: before all
 * who wait are bound anew.
 */
static int move_down(FIXTURE_DATA(dev) *self)
{
	static struct genl_msg all, msg;
	struct genl_answer answer;
	char name[8];
	int i;

	all.len = 0;
	for (i = 0; i < NARROW; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		begin(&msg, REIN_CMD_LIMIT_DEL, name, self->dir);
		/* There is an answer only if it fails. */
		msg.nlh.nlmsg_flags &= ~NLM_F_ACK;
		append(&all, &msg);
	}
	begin(&msg, REIN_CMD_LIMIT_ADD, "n0", self->other);
	genl_put_u32(&msg, REIN_A_LIMIT_RESOURCE, REIN_RESOURCE_CALL);
	genl_put_u32(&msg, REIN_A_LIMIT_OVER, REIN_OVER_WAIT);
	genl_put_tier(&msg, REIN_UNIT_CALLS, 1, 3600 * SECOND, 5);
	append(&all, &msg);
	return genl_exchange(self->fd, &all, all.len, &answer, NULL, NULL) ?: -answer.err;
}

static int child_takes_from_below(FIXTURE_DATA(dev) *self)
{
	if (!enter(BELOW))
		return 255;
	ask_for(&self->take, "n0", 1, REIN_TAKE_TRY, 0);
	return take_now(self->dev, &self->take);
}

/*
 * A limit comes down to a cgroup above which there is no target any more but one that only
 * runs empty, and below which there is another.
 */
TEST_F_TIMEOUT(dev, a_limit_moves_down, TIMEOUT)
{
	unsigned int round, bound = 0;
	struct waiter *waiters;
	int below, err;

	mkdir(BELOW, 0755);
	below = open(BELOW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, below);
	ASSERT_EQ(0, add_call(self->fd, "deep", below, REIN_OVER_REFUSE, 1, DAY, 1));
	ASSERT_EQ(0, delete(self->fd, "ten", self->dir));
	ASSERT_TRUE(enter(OTHER));
	/* Until some were late enough to be bound by it. */
	for (round = 0; round < 2 || (round < 20 && !bound); round++) {
		ASSERT_EQ(0, add_narrow(self));
		waiters = many_wait(self);
		ASSERT_NE(NULL, waiters);
		ASSERT_EQ(0, move_down(self));
		err = in_child(child_takes_from_below, self);
		EXPECT_TRUE(!err || err == EAGAIN) {
			TH_LOG("from below: %s; " AGAIN, strerror(err));
		}
		interrupt_from_the_end(waiters);
		bound += many_end(_metadata, waiters, EINTR, "a limit moves down");
		ASSERT_EQ(0, delete(self->fd, "n0", self->other));
	}
	ASSERT_TRUE(enter(DIRECTORY));
	close(below);
	ASSERT_EQ(0, rmdir(BELOW));
	/* As on the debug kernel, where requests are slower than the timer. */
	if (!bound)
		SKIP(return, "all were bound anew before the limit came");
}

/* A forced flush ends all waits, planned or not. */
TEST_F_TIMEOUT(dev, a_limit_goes_then_all, TIMEOUT)
{
	struct waiter *waiters;

	ASSERT_EQ(0, add_narrow(self));
	waiters = many_wait(self);
	ASSERT_NE(NULL, waiters);
	ASSERT_EQ(0, delete(self->fd, "n0", self->dir));
	ASSERT_EQ(0, flush_all(self->fd));
	many_end(_metadata, waiters, ECANCELED, "a forced flush");
}

/* What the kernel has allocated for this cgroup, in bytes; 0: nobody knows. */
static long long slab(void)
{
	FILE *file = fopen(DIRECTORY "/memory.stat", "r");
	long long bytes = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "slab_unreclaimable %lld", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return bytes;
}

/* Who waits pays for the memory it takes: else a limit of memory would not hold it. */
TEST_F_TIMEOUT(dev, memory_of_those_who_wait, TIMEOUT)
{
	static const unsigned int n_names[] = { 1, NARROW };
	const long long more = MANY * (NARROW - 1) * sizeof(struct rein_take_want);
	struct waiter *waiters;
	long long bytes[2];
	unsigned int i;

	if (!slab())
		SKIP(return, "this kernel has no memory cgroups");
	ASSERT_EQ(0, add_narrow(self));
	for (i = 0; i < 2; i++) {
		waiters = many_wait_for(self, n_names[i]);
		ASSERT_NE(NULL, waiters);
		bytes[i] = slab();
		interrupt_from_the_end(waiters);
		many_end(_metadata, waiters, EINTR, "memory");
	}
	/* Some of it may not be counted yet: up to a page for each CPU. */
	EXPECT_LT(more * 9 / 10, bytes[1] - bytes[0]) {
		TH_LOG("%u who wait for %u more names pay for %lld bytes, not %lld; " AGAIN, MANY,
		       NARROW - 1, bytes[1] - bytes[0], more);
	}
}

/* Takes again each time its wait is cancelled, and counts how often that is. */
static void *stubborn_run(void *arg)
{
	struct waiter *waiter = arg;

	for (waiter->began = 0;; waiter->began++) {
		ask_for(waiter->take, "slow", 1, REIN_TAKE_TIMEOUT, 100 * DAY);
		waiter->err = take_now(waiter->dev, waiter->take);
		if (waiter->err != ECANCELED)
			return NULL;
	}
}

/* Those who come back at once can't keep a forced flush from its end. */
TEST_F_TIMEOUT(dev, a_forced_flush_of_the_stubborn, TIMEOUT)
{
	struct waiter *waiters = calloc(MANY, sizeof(*waiters));
	struct take *takes = calloc(MANY, sizeof(*takes));
	unsigned int i, others = 0, again = 0;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	ASSERT_EQ(0, add_call(self->fd, "slow", self->dir, REIN_OVER_WAIT, 1, LONG, 1));
	ask_for(&self->take, "slow", 1, 0, 0);
	ENDS(0, 0, "all tokens");
	for (i = 0; i < MANY; i++) {
		waiters[i].dev = self->dev;
		waiters[i].take = &takes[i];
		ASSERT_EQ(0, pthread_create(&waiters[i].thread, &attr, stubborn_run,
					    &waiters[i]));
	}
	ASSERT_TRUE(wait_queued(self, "slow", MANY));
	ASSERT_EQ(0, flush_all(self->fd));
	for (i = 0; i < MANY; i++) {
		pthread_join(waiters[i].thread, NULL);
		again += waiters[i].began > 1;
		/* The limit went while it waited for the second time, or before. */
		others += waiters[i].err && waiters[i].err != ENOENT;
	}
	EXPECT_EQ(0, again) {
		TH_LOG("%u of %u were cancelled twice by one flush; " AGAIN, again, MANY);
	}
	EXPECT_EQ(0, others);
	free_many(waiters);
}

/* --- other callers ------------------------------------------------------------------------- */

#define NOBODY		65534

static int child_unprivileged(FIXTURE_DATA(dev) *self)
{
	struct genl_answer got;
	struct record record;
	int dev, fd;

	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	if (dev < 0)
		return 2;
	ask_for(&self->take, "ten", 1, 0, 0);
	if (take_now(dev, &self->take) || answer_wrong(&self->take.args, 0))
		return 3;
	/* It may wait, too; and read why it was refused. */
	ask_for(&self->take, "ten", 10, REIN_TAKE_TIMEOUT, SECOND);
	if (take_now(dev, &self->take) != ETIME || answer_wrong(&self->take.args, ETIME))
		return 4;
	fd = genl_socket();
	if (read_record(fd, self->take.args.record, &record, &got) || got.err ||
	    record.code != TAKE_LATE)
		return 5;
	ask_for(&self->take, "nobody's", 1, 0, 0);
	if (take_now(dev, &self->take) != ENOENT)
		return 6;
	if (read_record(fd, self->take.args.record, &record, &got) || got.err ||
	    record.code != TAKE_UNKNOWN)
		return 7;
	return 0;
}

static int child_namespaces(FIXTURE_DATA(dev) *self)
{
	/* From in there nothing above is to be seen; it binds all the same. */
	if (!enter(OTHER) || unshare(CLONE_NEWCGROUP))
		return 1;
	ask_for(&self->take, "ten", 1, 0, 0);
	if (take_now(self->dev, &self->take) || answer_wrong(&self->take.args, 0))
		return 2;
	if (setresuid(NOBODY, NOBODY, NOBODY) || unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 3;
	ask_for(&self->take, "ten", 1, 0, 0);
	if (take_now(self->dev, &self->take) || answer_wrong(&self->take.args, 0))
		return 4;
	return 0;
}

TEST_F(dev, without_privileges)
{
	EXPECT_EQ(0, in_child(child_unprivileged, self)) {
		TH_LOG(AGAIN);
	}
	EXPECT_EQ(9, tokens(self, "ten"));
	EXPECT_EQ(0, in_child(child_namespaces, self)) {
		TH_LOG(AGAIN);
	}
	EXPECT_EQ(7, tokens(self, "ten"));
}

/* In a time namespace; returns what is wrong. */
static int check_clock(FIXTURE_DATA(dev) *self)
{
	uint64_t before = now_ns(), after;

	ask_for(&self->take, "ten", 1, 0, 0);
	if (take_now(self->dev, &self->take))
		return 10;
	after = now_ns();
	if (self->take.args.granted_ns < before || self->take.args.granted_ns > after)
		return 11;
	/* Its own deadlines: too early, and early enough, by the same clock. */
	before = empty_slow(self);
	ask_for(&self->take, "slow", 1, REIN_TAKE_DEADLINE, before + 2 * SECOND - MS);
	if (take_now(self->dev, &self->take) != ETIME)
		return 12;
	ask_for(&self->take, "slow", 1, REIN_TAKE_DEADLINE, before + 3 * SECOND);
	if (take_now(self->dev, &self->take))
		return 13;
	if (self->take.args.granted_ns != before + 2 * SECOND)
		return 14;
	if (self->take.args.waited_ns > 2 * SECOND)
		return 15;
	after = now_ns();
	return after < before + 2 * SECOND ? 16 : 0;
}

/* And interrupted there, with times that are nearly as long as can be. */
static int check_restart(FIXTURE_DATA(dev) *self, uint64_t time_ns)
{
	/* There are many of these. A machine that is slow needs the longer ones. */
	const uint64_t turns[] = { SECOND / 4, 2 * SECOND, 8 * SECOND };
	struct waiter *waiter = waiter_new(self->dev);
	uint64_t from;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		from = empty_every(self, turns[i]);
		ask_for(waiter->take, "slow", 1, REIN_TAKE_TIMEOUT, time_ns);
		waiter_fork(waiter, SA_RESTART);
		while (queued(self, "slow") != 1 && now_ns() < from + turns[i] / 2)
			usleep(1000);
		if (now_ns() < from + turns[i] / 2)
			break;
		waiter_join(waiter);
	}
	if (i == 3)
		return 20;
	kill(waiter->pid, SIGUSR1);
	if (!waiter_join(waiter))
		return 21;
	if (waiter->err)
		return 22;
	return waiter->take->args.granted_ns == from + turns[i] ? 0 : 23;
}

static const char *offset;

static int child_time(FIXTURE_DATA(dev) *self)
{
	uint64_t outside = now_ns(), inside;
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWTIME))
		return errno == EINVAL ? 4 : 1;
	if (!put_file("/proc/self/timens_offsets", offset))
		return 2;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		inside = now_ns();
		/* Are we really there? */
		if (inside > outside && inside < outside + SECOND)
			_exit(3);
		_exit(check_clock(self) ?: check_restart(self, LONG) ?:
		      check_restart(self, UINT64_MAX - inside - LONG) ?:
		      check_restart(self, UINT64_MAX / 2) ?:
		      check_restart(self, UINT64_MAX - outside - LONG) ?:
		      check_restart(self, UINT64_MAX));
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 9;
}

TEST_F_TIMEOUT(dev, in_a_time_namespace, TIMEOUT)
{
	int ret;

	offset = "monotonic 1000000 0";
	ret = in_child(child_time, self);
	if (ret == 4)
		SKIP(return, "this kernel has no time namespaces");
	EXPECT_EQ(0, ret) {
		TH_LOG("a clock that is ahead; " AGAIN);
	}
	/* As far as it may go back: not before 0. */
	offset = "monotonic -1 0";
	EXPECT_EQ(0, in_child(child_time, self)) {
		TH_LOG("a clock that is behind; " AGAIN);
	}
}

/* As a program of 32 bits does it: the structures are the same. */
static long call_32(int dev, unsigned int request, void *arg)
{
#ifdef __x86_64__
	long ret = 54;	/* ioctl */

	asm volatile("int $0x80" : "+a"(ret)
		     : "b"((long)dev), "c"((long)request), "d"(arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
#else
	(void)dev;
	(void)request;
	(void)arg;
	return -ENOSYS;
#endif
}

/* A kernel that has no such calls has a signal for who tries; one that it needn't log. */
static void on_segv(int sig)
{
	(void)sig;
	_exit(4);
}

static int child_32(FIXTURE_DATA(dev) *self)
{
#ifdef MAP_32BIT
	struct take *take = mmap(NULL, sizeof(*take), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (take == MAP_FAILED)
		return 1;
	signal(SIGSEGV, on_segv);
	ask_for(take, "ten", 1, 0, 0);
	switch (call_32(self->dev, REIN_IOC_TAKE, &take->args)) {
	case -ENOSYS:
		return 4;
	case 0:
		break;
	default:
		return 2;
	}
	if (answer_wrong(&take->args, 0))
		return 3;
	ask_for(take, "ten", 11, 0, 0);
	if (call_32(self->dev, REIN_IOC_TAKE, &take->args) != -E2BIG ||
	    answer_wrong(&take->args, E2BIG))
		return 5;
	if (call_32(self->dev, REIN_IOC_TAKE, NULL) != -EFAULT)
		return 6;
	return 0;
#else
	(void)self;
	return 4;
#endif
}

TEST_F(dev, of_32_bits)
{
	int ret = in_child(child_32, self);

	if (ret == 4)
		SKIP(return, "this kernel has no calls of 32 bits");
	EXPECT_EQ(0, ret) {
		TH_LOG(AGAIN);
	}
	EXPECT_EQ(9, tokens(self, "ten"));
}

/* --- the module ------------------------------------------------------------------------------ */

TEST_F(dev, the_module_stays_while_it_is_open)
{
	int fd = dup(self->dev);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	/* It is the file that counts, whoever has it. */
	close(self->dev);
	EXPECT_EQ(-1, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	self->dev = fd;
	ask_for(&self->take, "ten", 1, 0, 0);
	ENDS(0, 0, "after that");
}

TEST_HARNESS_MAIN
