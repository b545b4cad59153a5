// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that are wrong in every way that a message can be: each is answered
 * with the right errno, with a message, and with a record that can be read; and
 * nothing changes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <kselftest_harness.h>
#include "look.h"

#define CGROOT		"/sys/fs/cgroup"
#define DIRECTORY	CGROOT "/test-netlink"
#define NONE		UINT64_MAX

#define AGAIN		"run: make check TESTS=netlink"

/**
 * struct netlink - what every test has
 * @fd:		the socket
 * @dir:	an open cgroup directory, which has a limit named "there"
 * @free:	one without a limit
 * @msg:	the request
 * @before:	the configuration
 */
FIXTURE(netlink) {
	int fd;
	int dir;
	int free;
	struct genl_msg msg;
	struct view before;
};

FIXTURE_SETUP(netlink) {
	struct genl_answer answer;

	self->fd = genl_socket();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, genl_resolve(self->fd)) {
		TH_LOG("the module is not loaded");
	}
	mkdir(DIRECTORY, 0755);
	mkdir(DIRECTORY "/free", 0755);
	self->dir = open(DIRECTORY, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->dir);
	self->free = open(DIRECTORY "/free", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->free);
	delete(self->fd, "there", self->dir);
	begin(&self->msg, REIN_CMD_LIMIT_ADD, "there", self->dir);
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
	genl_put_tier(&self->msg, REIN_UNIT_PACKETS, 5, DAY, 7);
	ASSERT_EQ(0, genl_ask(self->fd, &self->msg, &answer, NULL, NULL));
	ASSERT_EQ(0, answer.err);
	ASSERT_EQ(0, look(self->fd, &self->before));
}

FIXTURE_TEARDOWN(netlink) {
	delete(self->fd, "there", self->dir);
	close(self->dir);
	close(self->free);
	rmdir(DIRECTORY "/free");
	rmdir(DIRECTORY);
	close(self->fd);
}

/* What was wrong with @self->msg is answered as it should be, and harmless. */
static void check(struct __test_metadata *_metadata, FIXTURE_DATA(netlink) *self, int err,
		  const struct genl_answer *answer, int want, unsigned int code,
		  unsigned int attr, const char *what)
{
	static struct view after;
	struct genl_answer got;
	struct record record;

	EXPECT_EQ(0, err) {
		TH_LOG("%s: no answer; " AGAIN, what);
	}
	EXPECT_EQ(want, answer->err) {
		TH_LOG("%s: expected %s, seen %s (%s); " AGAIN, what, strerror(want),
		       strerror(answer->err), answer->text);
	}
	if (!code) {
		EXPECT_EQ(0, answer->record) {
			TH_LOG("%s: expected no record; " AGAIN, what);
		}
		return;
	}
	EXPECT_NE('\0', answer->text[0]) {
		TH_LOG("%s: expected a message; " AGAIN, what);
	}
	EXPECT_EQ(attr, answer->attr) {
		TH_LOG("%s (%s): the wrong attribute is blamed; " AGAIN, what, answer->text);
	}
	ASSERT_NE(0, answer->record) {
		TH_LOG("%s (%s): expected a record; " AGAIN, what, answer->text);
	}
	ASSERT_EQ(0, read_record(self->fd, answer->record, &record, &got));
	EXPECT_EQ(0, got.err);
	EXPECT_EQ(code, record.code) {
		TH_LOG("%s (%s): the wrong code; " AGAIN, what, record.message);
	}
	EXPECT_EQ((unsigned int)want, record.err);
	EXPECT_EQ(0, record.missing) {
		TH_LOG("%s: the record lacks this attribute; " AGAIN, what);
	}
	EXPECT_NE('\0', record.message[0]);
	ASSERT_EQ(0, look(self->fd, &after));
	EXPECT_STREQ(self->before.text, after.text) {
		TH_LOG("%s: something has changed; " AGAIN, what);
	}
}

/* Send self->msg; it must be answered with an errno, a code, and an attribute. */
#define REFUSED(errno_, code, attr, what) do {						\
	struct genl_answer answer_;							\
	int err_ = genl_ask(self->fd, &self->msg, &answer_, NULL, NULL);		\
											\
	check(_metadata, self, err_, &answer_, errno_, code, attr, what);		\
} while (0)

/*
 * The same of a dump: there Linux 6.1 hands on no cookie; the record is made all
 * the same. @before is how many there were before.
 */
static void check_dump(struct __test_metadata *_metadata, FIXTURE_DATA(netlink) *self, int err,
		       struct genl_answer *answer, uint64_t before, int want,
		       unsigned int code, unsigned int attr, const char *what)
{
	if (!answer->record) {
		EXPECT_EQ(before + 1, raised(self->fd)) {
			TH_LOG("%s: expected one record; " AGAIN, what);
		}
		answer->record = newest(self->fd, code);
		answer->attr = attr;
	}
	check(_metadata, self, err, answer, want, code, attr, what);
}

#define DUMP_REFUSED(errno_, code, attr, what) do {					\
	uint64_t before_ = raised(self->fd);						\
	struct genl_answer answer_;							\
	int err_ = genl_ask(self->fd, &self->msg, &answer_, NULL, NULL);		\
											\
	check_dump(_metadata, self, err_, &answer_, before_, errno_, code, attr, what);	\
} while (0)

/* A request to add a limit that would be right, up to here. */
static struct genl_msg *adding(FIXTURE_DATA(netlink) *self)
{
	begin(&self->msg, REIN_CMD_LIMIT_ADD, "new", self->free);
	return &self->msg;
}

/* The same with a tier, so that all is right. */
static struct genl_msg *added(FIXTURE_DATA(netlink) *self)
{
	genl_put_tier(adding(self), REIN_UNIT_BYTES, 1000, SECOND, 1000);
	return &self->msg;
}

TEST_F(netlink, target)
{
	int file = open("/proc/self/status", O_RDONLY), tmp = open("/tmp", O_RDONLY);
	int procs = open(DIRECTORY "/cgroup.procs", O_RDONLY);
	int pipes[2], gone;

	ASSERT_EQ(0, pipe(pipes));
	begin(&self->msg, REIN_CMD_LIMIT_ADD, "new", -1);
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
	REFUSED(EINVAL, MISSING, 0, "no target");
#define TARGET(fd, what) do {								\
	begin(&self->msg, REIN_CMD_LIMIT_ADD, "new", -1);				\
	genl_put_u32(&self->msg, REIN_A_LIMIT_CGROUP_FD, fd);				\
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);			\
	REFUSED(EBADF, NOT_A_CGROUP, REIN_A_LIMIT_CGROUP_FD, what);			\
} while (0)
	TARGET(-1, "descriptor -1");
	TARGET(0x7fffffff, "descriptor 2^31 - 1");
	TARGET(987, "a closed descriptor");
	TARGET(file, "a file of /proc");
	TARGET(tmp, "a directory elsewhere");
	TARGET(pipes[0], "a pipe");
	TARGET(self->fd, "the socket itself");
	TARGET(procs, "a file of a cgroup");
	/* The caller holds it open, but it is gone. */
	ASSERT_EQ(0, mkdir(DIRECTORY "/gone", 0755));
	gone = open(DIRECTORY "/gone", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, gone);
	ASSERT_EQ(0, rmdir(DIRECTORY "/gone"));
	begin(&self->msg, REIN_CMD_LIMIT_ADD, "new", gone);
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
	REFUSED(ENODEV, CGROUP_DYING, REIN_A_LIMIT_CGROUP_FD, "a removed cgroup");
	close(gone);
	close(file);
	close(tmp);
	close(procs);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(netlink, rate)
{
#define RATE(tokens, period, what) do {							\
	genl_put_tier(adding(self), REIN_UNIT_BYTES, tokens, period, 1000);		\
	REFUSED(ERANGE, RATE_RANGE, REIN_A_LIMIT_TIER, what);				\
} while (0)
	RATE(1, DAY + 1, "less than one token a day");
	RATE(1, UINT64_MAX - 1, "one token in 584 years");
	RATE(1, 0, "a period of 0");
	RATE(1000000000001ULL, SECOND, "more than 10^12 tokens a second");
	RATE(UINT64_MAX - 1, SECOND, "nearly 2^64 tokens a second");
	RATE((uint64_t)-5, SECOND, "a negative rate");
	RATE(1001, 1, "more than 10^12 tokens a second, in ns");
	genl_put_tier(adding(self), REIN_UNIT_BYTES, 1000, NONE, 1000);
	REFUSED(EINVAL, MISSING, REIN_A_LIMIT_TIER, "no period");
	genl_put_tier(adding(self), REIN_UNIT_BYTES, NONE, SECOND, 1000);
	REFUSED(EINVAL, MISSING, REIN_A_LIMIT_TIER, "no rate");
	genl_put_tier(adding(self), REIN_UNIT_BYTES, 1000, SECOND, NONE);
	REFUSED(EINVAL, MISSING, REIN_A_LIMIT_TIER, "no burst");
	genl_put_tier(adding(self), REIN_UNIT_BYTES, 1000, SECOND, 0);
	REFUSED(EINVAL, BURST_ZERO, REIN_A_LIMIT_TIER, "burst 0");
	genl_put_tier(adding(self), REIN_UNIT_CALLS, 1000, SECOND, 10);
	REFUSED(EINVAL, UNIT_MISMATCH, REIN_A_LIMIT_TIER, "calls of packets");
	genl_put_tier(adding(self), 3, 1000, SECOND, 10);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_TIER, "an unknown unit");
	genl_nest_end(&self->msg, genl_nest(adding(self), REIN_A_LIMIT_TIER));
	REFUSED(EINVAL, MISSING, REIN_A_LIMIT_TIER, "an empty tier");
	adding(self);
	REFUSED(EINVAL, TIERS_NONE, 0, "no tier");
	/* Also where the limit is there already. */
	begin(&self->msg, REIN_CMD_LIMIT_SET, "there", self->dir);
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 0);
	REFUSED(EINVAL, BURST_ZERO, REIN_A_LIMIT_TIER, "set: burst 0");
	begin(&self->msg, REIN_CMD_LIMIT_REPLACE, "there", self->dir);
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1, DAY + 1, 1000);
	REFUSED(ERANGE, RATE_RANGE, REIN_A_LIMIT_TIER, "replace: the second of two tiers");
}

TEST_F(netlink, tiers)
{
	unsigned int i;

	adding(self);
	for (i = 0; i < 9; i++)
		genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
	REFUSED(E2BIG, TIERS_MANY, REIN_A_LIMIT_TIER, "9 tiers");
	adding(self);
	for (i = 0; i < 600; i++)
		genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
	REFUSED(E2BIG, TIERS_MANY, REIN_A_LIMIT_TIER, "600 tiers");
	begin(&self->msg, REIN_CMD_LIMIT_SET, "there", self->dir);
	for (i = 0; i < 9; i++)
		genl_put_tier(&self->msg, REIN_UNIT_PACKETS, 1000, SECOND, 1000);
	REFUSED(E2BIG, TIERS_MANY, REIN_A_LIMIT_TIER, "set: 9 tiers");
}

TEST_F(netlink, name)
{
	static const char *const bad[] = {
		"", "-x", "a b", "a/b", "a\nb", "a\033[2Jb", "a\177", "\303\244", "a\"b", "a%sb",
	};
	char longest[200];
	size_t i;

#define NAMED(name, size, errno_, code, what) do {					\
	genl_begin(&self->msg, REIN_CMD_LIMIT_ADD, 0);					\
	genl_put(&self->msg, REIN_A_LIMIT_NAME, name, size);				\
	genl_put_u32(&self->msg, REIN_A_LIMIT_CGROUP_FD, self->free);			\
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);			\
	REFUSED(errno_, code, REIN_A_LIMIT_NAME, what);					\
} while (0)
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		NAMED(bad[i], strlen(bad[i]) + 1, EINVAL, NAME_BAD, bad[i]);
	NAMED("abc", 3, EINVAL, MALFORMED, "a name without NUL");
	NAMED("", 0, EINVAL, MALFORMED, "a name of no bytes");
	memset(longest, 'x', sizeof(longest));
	longest[REIN_NAME_MAX + 1] = '\0';
	/* The core says ERANGE, but a message that can't be read is EINVAL. */
	NAMED(longest, REIN_NAME_MAX + 2, EINVAL, MALFORMED, "a name of 64 characters");
	NAMED(longest, REIN_NAME_MAX, EINVAL, MALFORMED, "a long name without NUL");
	begin(&self->msg, REIN_CMD_LIMIT_ADD, NULL, self->free);
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
	REFUSED(EINVAL, MISSING, 0, "no name");
	begin(&self->msg, REIN_CMD_LIMIT_ADD, "there", self->dir);
	genl_put_tier(&self->msg, REIN_UNIT_BYTES, 2000, SECOND, 2000);
	REFUSED(EEXIST, LIMIT_EXISTS, REIN_A_LIMIT_NAME, "a name that is taken");
	begin(&self->msg, REIN_CMD_LIMIT_SET, "nobody", self->dir);
	REFUSED(ENOENT, LIMIT_UNKNOWN, REIN_A_LIMIT_NAME, "set: an unknown name");
	begin(&self->msg, REIN_CMD_LIMIT_DEL, "nobody", -1);
	REFUSED(ENOENT, LIMIT_UNKNOWN, REIN_A_LIMIT_NAME, "del: an unknown name");
	begin(&self->msg, REIN_CMD_LIMIT_DEL, "there", self->free);
	REFUSED(ENOENT, LIMIT_UNKNOWN, REIN_A_LIMIT_NAME, "del: on another cgroup");
	begin(&self->msg, REIN_CMD_LIMIT_GET, "nobody", -1);
	REFUSED(ENOENT, LIMIT_UNKNOWN, REIN_A_LIMIT_NAME, "get: an unknown name");
	begin(&self->msg, REIN_CMD_LIMIT_DEL, NULL, self->dir);
	REFUSED(EINVAL, MISSING, 0, "del: no name");
}

TEST_F(netlink, values)
{
	genl_put_u32(added(self), REIN_A_LIMIT_SOCKET_FD, 0);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_SOCKET_FD, "a cgroup and a socket");
	genl_put_u32(added(self), REIN_A_LIMIT_RESOURCE, 5);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_RESOURCE, "an unknown resource");
	genl_put_u32(added(self), REIN_A_LIMIT_OVER, 4);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_OVER, "an unknown over");
	genl_put_u64(added(self), REIN_A_LIMIT_PATIENCE_NS, 0);
	REFUSED(ERANGE, PATIENCE_RANGE, REIN_A_LIMIT_PATIENCE_NS, "patience 0");
	genl_put_u64(added(self), REIN_A_LIMIT_PATIENCE_NS, DAY + 1);
	REFUSED(ERANGE, PATIENCE_RANGE, REIN_A_LIMIT_PATIENCE_NS, "patience of a day");
	genl_put_u64(added(self), REIN_A_LIMIT_QUEUE, 65535);
	REFUSED(ERANGE, QUEUE_RANGE, REIN_A_LIMIT_QUEUE, "a small queue");
	genl_put_u64(added(self), REIN_A_LIMIT_QUEUE, UINT64_MAX);
	REFUSED(ERANGE, QUEUE_RANGE, REIN_A_LIMIT_QUEUE, "a huge queue");
	genl_put_u64(added(self), REIN_A_LIMIT_FOR_NS, UINT64_MAX);
	REFUSED(ERANGE, LIFETIME_RANGE, REIN_A_LIMIT_FOR_NS, "a lifetime of 584 years");
}

TEST_F(netlink, types)
{
	struct nlattr *nest;

	genl_put_u32(added(self), REIN_A_LIMIT_PATIENCE_NS, 1);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_PATIENCE_NS, "u32 where u64 belongs");
	genl_put_u64(added(self), REIN_A_LIMIT_OVER, 1);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_OVER, "u64 where u32 belongs");
	genl_put(added(self), REIN_A_LIMIT_OVER, "x", 1);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_OVER, "a byte where u32 belongs");
	genl_put(added(self), REIN_A_LIMIT_QUEUE, NULL, 0);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_QUEUE, "nothing where u64 belongs");
	genl_put_u64(adding(self), REIN_A_LIMIT_TIER | NLA_F_NESTED, 1);
	/* Of a nest, the core's parser doesn't say where what is left over began. */
	REFUSED(EINVAL, MALFORMED, 0, "a number where a nest belongs");
	/* A tier whose attributes are not marked as nested. */
	nest = genl_put(adding(self), REIN_A_LIMIT_TIER, NULL, 0);
	genl_put_u32(&self->msg, REIN_A_TIER_UNIT, 0);
	genl_nest_end(&self->msg, nest);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_TIER, "a nest that doesn't say so");
	nest = genl_nest(adding(self), REIN_A_LIMIT_TIER);
	genl_put_u64(&self->msg, REIN_A_TIER_UNIT, 0);
	genl_nest_end(&self->msg, nest);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_TIER, "u64 where u32 belongs, nested");
	nest = genl_nest(adding(self), REIN_A_LIMIT_TIER);
	genl_put_u32(&self->msg, REIN_A_TIER_UNIT, 0);
	genl_put_u32(&self->msg, REIN_A_TIER_UNLIMITED, 1);
	genl_put_u64(&self->msg, REIN_A_TIER_BURST, 1);
	genl_nest_end(&self->msg, nest);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_TIER, "a flag with a value");
}

TEST_F(netlink, unknown_attributes)
{
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		static const unsigned int types[] = { 0, REIN_A_LIMIT_MAX + 1, 200, 0x3fff };

		genl_put_u32(added(self), types[i], 1);
		REFUSED(EINVAL, MALFORMED, types[i], "an unknown attribute");
	}
	nest = genl_nest(adding(self), REIN_A_LIMIT_TIER);
	genl_put_u32(&self->msg, REIN_A_TIER_UNIT, 0);
	genl_put_u64(&self->msg, REIN_A_TIER_RATE_TOKENS, 1000);
	genl_put_u64(&self->msg, REIN_A_TIER_RATE_PERIOD_NS, SECOND);
	genl_put_u64(&self->msg, REIN_A_TIER_BURST, 1000);
	genl_put_u64(&self->msg, REIN_A_TIER_MAX + 1, 1);
	genl_nest_end(&self->msg, nest);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_TIER, "an unknown attribute, nested");
	nest = genl_nest(adding(self), REIN_A_LIMIT_TIER);
	genl_put_u32(&self->msg, REIN_A_TIER_UNIT, 0);
	genl_put_u64(&self->msg, REIN_A_TIER_RATE_TOKENS, 1000);
	genl_put_u64(&self->msg, REIN_A_TIER_RATE_PERIOD_NS, SECOND);
	genl_put_u64(&self->msg, REIN_A_TIER_BURST, 1000);
	genl_put_u64(&self->msg, REIN_A_TIER_TOKENS, 1000);
	genl_nest_end(&self->msg, nest);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_TIER, "tokens are for replies");
	genl_put_u64(added(self), REIN_A_LIMIT_ID, 1);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_ID, "an id is for replies");
	genl_put_u64(added(self), REIN_A_LIMIT_CGROUP_ID, 1);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_CGROUP_ID, "a cgroup's id is for replies");
	genl_nest_end(&self->msg, genl_nest(added(self), REIN_A_LIMIT_STATS));
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_STATS, "statistics are for replies");
	genl_put_u32(added(self), REIN_A_LIMIT_EVENT, 1);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_EVENT, "events are for notifications");
	begin(&self->msg, REIN_CMD_LIMIT_DEL, "there", self->dir);
	genl_put_u32(&self->msg, REIN_A_LIMIT_OVER, 1);
	REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_OVER, "del: an attribute of add");
	genl_begin(&self->msg, REIN_CMD_STAT_GET, 0);
	genl_put_u32(&self->msg, REIN_A_STAT_LIMITS, 1);
	REFUSED(EINVAL, MALFORMED, REIN_A_STAT_LIMITS, "stat: an attribute");
	genl_begin(&self->msg, REIN_CMD_FLUSH, 0);
	genl_put_u32(&self->msg, REIN_A_FLUSH_FORCE, 1);
	REFUSED(EINVAL, MALFORMED, REIN_A_FLUSH_FORCE, "flush: a flag with a value");
	genl_begin(&self->msg, REIN_CMD_RECORD_GET, 0);
	REFUSED(EINVAL, MISSING, 0, "a record without id");
	genl_begin(&self->msg, REIN_CMD_RECORD_GET, 0);
	genl_put_u64(&self->msg, REIN_A_RECORD_ID, UINT64_MAX);
	REFUSED(ENOENT, RECORD_GONE, REIN_A_RECORD_ID, "a record that never was");
	genl_begin(&self->msg, REIN_CMD_RECORD_GET, 0);
	genl_put_u64(&self->msg, REIN_A_RECORD_ID, 0);
	REFUSED(ENOENT, RECORD_GONE, REIN_A_RECORD_ID, "record 0");
}

TEST_F(netlink, truncated)
{
	struct genl_answer answer;
	struct nlattr *attr;
	size_t len, whole;
	int err;

	/* An attribute that is longer than what is left of the message. */
	attr = genl_put_u64(added(self), REIN_A_LIMIT_QUEUE, 1 << 20);
	attr->nla_len = 100;
	REFUSED(EINVAL, MALFORMED, 0, "an attribute beyond the end");
	attr = genl_put_u64(added(self), REIN_A_LIMIT_QUEUE, 1 << 20);
	attr->nla_len = 0xffff;
	REFUSED(EINVAL, MALFORMED, 0, "an attribute far beyond the end");
	attr = genl_put_u64(added(self), REIN_A_LIMIT_QUEUE, 1 << 20);
	attr->nla_len = 3;
	REFUSED(EINVAL, MALFORMED, 0, "an attribute shorter than its header");
	attr = genl_put_u64(added(self), REIN_A_LIMIT_QUEUE, 1 << 20);
	attr->nla_len = 0;
	REFUSED(EINVAL, MALFORMED, 0, "an attribute of length 0");
	/* A nest whose last attribute is longer than the nest. */
	attr = genl_nest(adding(self), REIN_A_LIMIT_TIER);
	genl_put_u32(&self->msg, REIN_A_TIER_UNIT, 0);
	genl_put_u64(&self->msg, REIN_A_TIER_BURST, 1000)->nla_len = 64;
	genl_nest_end(&self->msg, attr);
	REFUSED(EINVAL, MALFORMED, 0, "a nested attribute beyond the end");

	/* A good message, cut off everywhere. */
	genl_put_u64(added(self), REIN_A_LIMIT_QUEUE, 1 << 20);
	whole = self->msg.len;
	for (len = NLMSG_HDRLEN + GENL_HDRLEN; len < whole; len += 4) {
		static struct view after;

		self->msg.nlh.nlmsg_len = len;
		err = genl_exchange(self->fd, &self->msg, len, &answer, NULL, NULL);
		if (!err && !answer.err) {
			/* What is left is a limit, too, without the last attribute. */
			EXPECT_EQ(whole - 12, len);
			EXPECT_EQ(0, delete(self->fd, "new", self->free));
			continue;
		}
		EXPECT_EQ(0, err);
		EXPECT_NE(0, answer.record) {
			TH_LOG("cut off at %zu: %s; " AGAIN, len, answer.text);
		}
		ASSERT_EQ(0, look(self->fd, &after));
		EXPECT_STREQ(self->before.text, after.text) {
			TH_LOG("cut off at %zu: something has changed; " AGAIN, len);
		}
	}
}

/* What the core of netlink rejects never comes to the module: no record. */
TEST_F(netlink, core)
{
	struct genl_answer answer;
	int err;

	genl_begin(&self->msg, REIN_CMD_MAX + 1, 0);
	REFUSED(EOPNOTSUPP, 0, 0, "an unknown operation");
	genl_begin(&self->msg, 0, 0);
	REFUSED(EOPNOTSUPP, 0, 0, "operation 0");
	genl_begin(&self->msg, REIN_CMD_LIMIT_NTF, 0);
	REFUSED(EOPNOTSUPP, 0, 0, "a notification as a request");
	genl_begin(&self->msg, REIN_CMD_LIMIT_ADD, NLM_F_DUMP);
	REFUSED(EOPNOTSUPP, 0, 0, "a dump of limit-add");
	genl_begin(&self->msg, REIN_CMD_STAT_GET, NLM_F_DUMP);
	REFUSED(EOPNOTSUPP, 0, 0, "a dump of stat-get");
	genl_begin(&self->msg, REIN_CMD_FLUSH, NLM_F_DUMP);
	REFUSED(EOPNOTSUPP, 0, 0, "a dump of flush");
	/* Shorter than the header of generic netlink. */
	genl_begin(&self->msg, REIN_CMD_FLUSH, 0);
	self->msg.nlh.nlmsg_len = NLMSG_HDRLEN + 2;
	err = genl_exchange(self->fd, &self->msg, NLMSG_HDRLEN + 4, &answer, NULL, NULL);
	check(_metadata, self, err, &answer, EINVAL, 0, 0, "shorter than the header");
	self->msg.nlh.nlmsg_len = NLMSG_HDRLEN;
	err = genl_exchange(self->fd, &self->msg, NLMSG_HDRLEN, &answer, NULL, NULL);
	check(_metadata, self, err, &answer, EINVAL, 0, 0, "no header");
	{
		static struct view after;

		ASSERT_EQ(0, look(self->fd, &after));
		EXPECT_STREQ(self->before.text, after.text);
	}
}

TEST_F(netlink, dumps)
{
	genl_begin(&self->msg, REIN_CMD_LIMIT_GET, NLM_F_DUMP);
	genl_put(&self->msg, REIN_A_LIMIT_CHAIN, NULL, 0);
	DUMP_REFUSED(EINVAL, MISSING, 0, "the chain of nobody");
	genl_begin(&self->msg, REIN_CMD_LIMIT_GET, NLM_F_DUMP);
	genl_put_u32(&self->msg, REIN_A_LIMIT_CGROUP_FD, 987);
	DUMP_REFUSED(EBADF, NOT_A_CGROUP, REIN_A_LIMIT_CGROUP_FD, "limits of a closed descriptor");
	genl_begin(&self->msg, REIN_CMD_LIMIT_GET, NLM_F_DUMP);
	genl_put_u32(&self->msg, REIN_A_LIMIT_MAX + 1, 0);
	DUMP_REFUSED(EINVAL, MALFORMED, REIN_A_LIMIT_MAX + 1, "an unknown attribute of a dump");
	genl_begin(&self->msg, REIN_CMD_RECORD_GET, NLM_F_DUMP);
	genl_put_u64(&self->msg, REIN_A_RECORD_CODE, 0);
	DUMP_REFUSED(EINVAL, MALFORMED, REIN_A_RECORD_CODE, "a wrong type in a dump");
}

/* A dump that is given up in the middle holds on to nothing. */
TEST_F(netlink, abandoned_dumps)
{
	unsigned int i;
	int fd;

	for (i = 0; i < 50; i++) {
		fd = genl_socket();
		ASSERT_LE(0, fd);
		genl_begin(&self->msg, i & 1 ? REIN_CMD_RECORD_GET : REIN_CMD_LIMIT_GET,
			   NLM_F_DUMP);
		if (!(i & 1))
			genl_put_u32(&self->msg, REIN_A_LIMIT_CGROUP_FD, self->dir);
		self->msg.nlh.nlmsg_len = self->msg.len;
		ASSERT_EQ((ssize_t)self->msg.len, send(fd, &self->msg, self->msg.len, 0));
		close(fd);
	}
}

enum who { ROOT_WITHOUT_CAPABILITY, NOBODY, ROOT_OF_A_USER_NAMESPACE, ROOT_OF_NAMESPACES };

static int become(enum who who)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { };

	switch (who) {
	case ROOT_WITHOUT_CAPABILITY:
		if (syscall(SYS_capget, &header, data))
			return -1;
		data[0].effective &= ~(1U << CAP_NET_ADMIN);
		data[0].permitted &= ~(1U << CAP_NET_ADMIN);
		return syscall(SYS_capset, &header, data);
	case NOBODY:
		return setgid(65534) || setuid(65534) ? -1 : 0;
	case ROOT_OF_A_USER_NAMESPACE:
		return unshare(CLONE_NEWUSER);
	case ROOT_OF_NAMESPACES:
		return unshare(CLONE_NEWUSER | CLONE_NEWNET);
	}
	return -1;
}

/* As somebody else: try all that needs permission; the answers go into a pipe. */
static void try_all(enum who who, struct genl_msg *msgs, size_t n, int to)
{
	struct genl_answer answer;
	int patience = 200;
	size_t i;
	int fd;

	if (become(who))
		_exit(errno == EINVAL || errno == ENOSYS || errno == ENOSPC ? 2 : 1);
	fd = genl_socket();
	for (i = 0; i < n; i++) {
		int err = genl_ask(fd, &msgs[i], &answer, NULL, NULL);

		/* Tests before this one may have used up the records of the unprivileged. */
		while (!err && !answer.record && patience-- > 0) {
			usleep(50000);
			err = genl_ask(fd, &msgs[i], &answer, NULL, NULL);
		}
		if (err)
			answer.err = 1000 - err;
		if (write(to, &answer, sizeof(answer)) != sizeof(answer))
			_exit(1);
	}
	_exit(0);
}

TEST_F(netlink, permission)
{
	static const char *const names[] = {
		"root without the capability", "nobody", "root of a user namespace",
		"root of user and network namespaces",
	};
	static const uint8_t tries[] = {
		REIN_CMD_LIMIT_ADD, REIN_CMD_LIMIT_SET, REIN_CMD_LIMIT_REPLACE,
		REIN_CMD_LIMIT_DEL, REIN_CMD_FLUSH, REIN_CMD_RECORD_CLEAR,
	};
	const size_t n = sizeof(tries) / sizeof(tries[0]);
	struct genl_msg *msgs = calloc(n, sizeof(*msgs));
	struct genl_answer answer;
	int pipes[2], status;
	unsigned int who;
	char what[128];
	size_t i;
	pid_t pid;

	ASSERT_NE(NULL, msgs);
	for (i = 0; i < n; i++) {
		genl_begin(&msgs[i], tries[i], 0);
		if (tries[i] <= REIN_CMD_LIMIT_DEL) {
			genl_put_string(&msgs[i], REIN_A_LIMIT_NAME, "there");
			genl_put_u32(&msgs[i], REIN_A_LIMIT_CGROUP_FD, self->dir);
		}
		if (tries[i] <= REIN_CMD_LIMIT_REPLACE)
			genl_put_tier(&msgs[i], REIN_UNIT_BYTES, 7000, SECOND, 7000);
	}
	for (who = ROOT_WITHOUT_CAPABILITY; who <= ROOT_OF_NAMESPACES; who++) {
		ASSERT_EQ(0, pipe(pipes));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			try_all(who, msgs, n, pipes[1]);
		close(pipes[1]);
		for (i = 0; i < n; i++) {
			if (read(pipes[0], &answer, sizeof(answer)) != sizeof(answer))
				break;
			snprintf(what, sizeof(what), "%s, operation %u", names[who], tries[i]);
			check(_metadata, self, 0, &answer, EPERM, PERMISSION, 0, what);
		}
		close(pipes[0]);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		/* No user namespaces on this kernel: nothing to try. */
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
			TH_LOG("%s: not on this kernel", names[who]);
			continue;
		}
		EXPECT_EQ(0, status) {
			TH_LOG("%s: could not be tried; " AGAIN, names[who]);
		}
		EXPECT_EQ(n, i);
	}
	free(msgs);
}

/* Random bytes after a good header: whatever it is, the answer is an answer. */
TEST_F(netlink, random)
{
	static struct view after;
	struct genl_answer answer;
	unsigned int i, seed = 1;
	size_t len, at;

	for (i = 0; i < 3000; i++) {
		uint8_t cmd = rand_r(&seed) % REIN_CMD_RECORD_CLEAR;

		genl_put_u64(added(self), REIN_A_LIMIT_QUEUE, 1 << 20);
		((struct genlmsghdr *)NLMSG_DATA(&self->msg.nlh))->cmd = cmd;
		/* No more than three bytes of a good message, so that it gets far. */
		for (at = rand_r(&seed) % 4; at; at--) {
			len = NLMSG_HDRLEN + GENL_HDRLEN +
			      rand_r(&seed) % (self->msg.len - NLMSG_HDRLEN - GENL_HDRLEN);
			self->msg.buf[len] ^= 1 << rand_r(&seed) % 8;
		}
		if (!(i % 10))
			for (at = NLMSG_HDRLEN + GENL_HDRLEN; at < self->msg.len; at++)
				self->msg.buf[at] = rand_r(&seed);
		ASSERT_EQ(0, genl_ask(self->fd, &self->msg, &answer, NULL, NULL)) {
			TH_LOG("message %u: no answer; " AGAIN, i);
		}
		if (answer.err && answer.err != EOPNOTSUPP) {
			EXPECT_NE(0, answer.record) {
				TH_LOG("message %u: errno %d without a record; " AGAIN, i,
				       answer.err);
			}
		}
	}
	genl_begin(&self->msg, REIN_CMD_FLUSH, 0);
	ASSERT_EQ(0, genl_ask(self->fd, &self->msg, &answer, NULL, NULL));
	EXPECT_EQ(0, answer.err);
	ASSERT_EQ(0, look(self->fd, &after));
	/* No limits; the cgroup goes as soon as it is empty, which it is. */
	EXPECT_STREQ("limits=0000000000000000 cgroups=0000000000000000 hooked=00000000 ",
		     after.text);
}

TEST_HARNESS_MAIN
