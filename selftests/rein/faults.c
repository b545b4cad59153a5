// SPDX-License-Identifier: GPL-2.0
/*
 * No memory: for every request, packet, take, reservation, claim, credit, scope, race, watch,
 * event and namespace, and for loading the module, the first, second, third... allocation (or copy
 * from or to user space) fails, until it has no more to fail. Each time all is as before or as
 * it should be afterwards, never in between, and whoever asked is told.
 *
 * Needs a kernel with fault injection: the debug kernel.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>

#include <kselftest_harness.h>
#include "fault.h"
#include "watch.h"

#define DIRECTORY	CGROOT "/test-faults"
#define AGAIN		"run: make check-debug TESTS=faults"

#define NEEDS_INJECTION(able) do {							\
	if (!(able))									\
		SKIP(return, "this kernel has no fault injection");			\
} while (0)

FIXTURE(faults) {
	bool able;
	int fd;
	int dir;
	struct view before;
};

static int add(int fd, const char *name, int dir, uint32_t over, uint64_t burst)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	begin(&msg, REIN_CMD_LIMIT_ADD, name, dir);
	genl_put_u32(&msg, REIN_A_LIMIT_OVER, over);
	genl_put_u64(&msg, REIN_A_LIMIT_PATIENCE_NS, DAY);
	genl_put_tier(&msg, REIN_UNIT_PACKETS, 1, 60 * SECOND, burst);
	return genl_ask(fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

FIXTURE_SETUP(faults) {
	self->fd = genl_socket();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, genl_resolve(self->fd)) {
		TH_LOG("the module is not loaded");
	}
	mkdir(DIRECTORY, 0755);
	self->dir = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->dir);
	self->able = prepare();
	/* One that was ended has left it behind. */
	delete(self->fd, "there", self->dir);
	ASSERT_EQ(0, add(self->fd, "there", self->dir, REIN_OVER_WAIT, 3));
	ASSERT_EQ(0, look(self->fd, &self->before));
}

FIXTURE_TEARDOWN(faults) {
	struct genl_answer answer;
	static struct genl_msg msg;

	genl_begin(&msg, REIN_CMD_FLUSH, 0);
	genl_put(&msg, REIN_A_FLUSH_FORCE, NULL, 0);
	genl_ask(self->fd, &msg, &answer, NULL, NULL);
	close(self->dir);
	close(self->fd);
	rmdir(DIRECTORY);
}

/* --- requests ------------------------------------------------------------------ */

struct request {
	const char *what;
	void (*build)(struct genl_msg *msg, int dir);
	/* Whatever a success has changed: by the opposite request. */
	int (*undo)(int fd, int dir);
};

static void build_add(struct genl_msg *msg, int dir)
{
	begin(msg, REIN_CMD_LIMIT_ADD, "new", dir);
	genl_put_u64(msg, REIN_A_LIMIT_FOR_NS, DAY);
	genl_put_tier(msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
}

static int undo_add(int fd, int dir)
{
	return delete(fd, "new", dir);
}

static void build_set(struct genl_msg *msg, int dir)
{
	begin(msg, REIN_CMD_LIMIT_SET, "there", dir);
	genl_put_u32(msg, REIN_A_LIMIT_OVER, REIN_OVER_REFUSE);
	genl_put_tier(msg, REIN_UNIT_BYTES, 1000, SECOND, 1000);
	genl_put_tier(msg, REIN_UNIT_PACKETS, 1, 60 * SECOND, 3);
}

/* As the fixture has made it. */
static int undo_set(int fd, int dir)
{
	return delete(fd, "there", dir) ?: add(fd, "there", dir, REIN_OVER_WAIT, 3);
}

static void build_replace(struct genl_msg *msg, int dir)
{
	build_set(msg, dir);
	((struct genlmsghdr *)NLMSG_DATA(&msg->nlh))->cmd = REIN_CMD_LIMIT_REPLACE;
}

static void build_replace_new(struct genl_msg *msg, int dir)
{
	build_add(msg, dir);
	((struct genlmsghdr *)NLMSG_DATA(&msg->nlh))->cmd = REIN_CMD_LIMIT_REPLACE;
}

static void build_del(struct genl_msg *msg, int dir)
{
	begin(msg, REIN_CMD_LIMIT_DEL, "there", dir);
}

static int undo_del(int fd, int dir)
{
	return add(fd, "there", dir, REIN_OVER_WAIT, 3);
}

static void build_get(struct genl_msg *msg, int dir)
{
	begin(msg, REIN_CMD_LIMIT_GET, "there", dir);
}

static void build_dump(struct genl_msg *msg, int dir)
{
	(void)dir;
	genl_begin(msg, REIN_CMD_LIMIT_GET, NLM_F_DUMP);
}

static void build_chain(struct genl_msg *msg, int dir)
{
	genl_begin(msg, REIN_CMD_LIMIT_GET, NLM_F_DUMP);
	genl_put_u32(msg, REIN_A_LIMIT_CGROUP_FD, dir);
	genl_put(msg, REIN_A_LIMIT_CHAIN, NULL, 0);
}

static void build_record(struct genl_msg *msg, int dir)
{
	int fd = genl_socket();

	/* One that there is: that of a request which can't succeed. */
	delete(fd, "nobody", dir);
	genl_begin(msg, REIN_CMD_RECORD_GET, 0);
	genl_put_u64(msg, REIN_A_RECORD_ID, newest(fd, LIMIT_UNKNOWN));
	close(fd);
}

static void build_records(struct genl_msg *msg, int dir)
{
	(void)dir;
	genl_begin(msg, REIN_CMD_RECORD_GET, NLM_F_DUMP);
	/* There may be thousands of others, and this is done many times. */
	genl_put_u32(msg, REIN_A_RECORD_CODE, LIMIT_UNKNOWN);
}

static void build_stat(struct genl_msg *msg, int dir)
{
	(void)dir;
	genl_begin(msg, REIN_CMD_STAT_GET, 0);
}

static void build_scope(struct genl_msg *msg, int dir)
{
	struct scope_view view;
	int fd = genl_socket();

	/* That of the test: see scope_requests. */
	(void)dir;
	read_scopes(fd, "faults", &view);
	close(fd);
	genl_begin(msg, REIN_CMD_SCOPE_GET, 0);
	genl_put_u64(msg, REIN_A_SCOPE_ID, view.id);
}

static void build_scopes(struct genl_msg *msg, int dir)
{
	(void)dir;
	genl_begin(msg, REIN_CMD_SCOPE_GET, NLM_F_DUMP);
}

/* That of the test: see watch_requests. */
static void build_watch(struct genl_msg *msg, int dir)
{
	struct watch_view view;
	int fd = genl_socket();

	(void)dir;
	read_watches(fd, "faults", &view);
	close(fd);
	genl_begin(msg, REIN_CMD_WATCH_GET, 0);
	genl_put_u64(msg, REIN_A_WATCH_ID, view.id);
}

static void build_watches(struct genl_msg *msg, int dir)
{
	(void)dir;
	genl_begin(msg, REIN_CMD_WATCH_GET, NLM_F_DUMP);
}

static void build_flush(struct genl_msg *msg, int dir)
{
	(void)dir;
	genl_begin(msg, REIN_CMD_FLUSH, 0);
}

static const struct request requests[] = {
	{ "limit-add", build_add, undo_add },
	{ "limit-set", build_set, undo_set },
	{ "limit-replace", build_replace, undo_set },
	{ "limit-replace of none", build_replace_new, undo_add },
	{ "limit-del", build_del, undo_del },
	{ "limit-get", build_get, NULL },
	{ "limit-get: dump", build_dump, NULL },
	{ "limit-get: chain", build_chain, NULL },
	{ "record-get", build_record, NULL },
	{ "record-get: dump", build_records, NULL },
	{ "stat-get", build_stat, NULL },
	{ "flush", build_flush, undo_del },
};

static const struct request scope_requests[] = {
	{ "scope-get", build_scope, NULL },
	{ "scope-get: dump", build_scopes, NULL },
};

static const struct request watch_requests[] = {
	{ "watch-get", build_watch, NULL },
	{ "watch-get: dump", build_watches, NULL },
};

/* A limit that was made anew has another id, and more time left. */
static void forget_ids(struct view *view)
{
	char *word, *end;

	while ((word = strstr(view->text, "ever-new="))) {
		end = strchr(word, ' ');
		memmove(word, end + 1, strlen(end));
	}
}

/* What was answered makes sense, and is true of what is there now. */
static void check_answer(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
			 const struct request *request, unsigned int n, int err,
			 const struct genl_answer *answer, const char *after)
{
	static struct view now;
	struct genl_answer got;
	struct record record;
	bool is_before, is_after;

	ASSERT_EQ(0, look(self->fd, &now));
	forget_ids(&now);
	is_before = !strcmp(now.text, self->before.text);
	is_after = !strcmp(now.text, after);
	if (err) {
		/* The request or its answer was lost on the way. */
		EXPECT_TRUE(is_before || is_after) {
			TH_LOG("%s, %u: neither done nor not done; " AGAIN, request->what, n);
		}
		return;
	}
	EXPECT_TRUE(answer->err ? is_before : is_after) {
		TH_LOG("%s, %u: answered with %d, but before: %s, now: %s, after: %s; " AGAIN,
		       request->what, n, answer->err, self->before.text, now.text, after);
	}
	if (!answer->record)
		return;
	ASSERT_EQ(0, read_record(self->fd, answer->record, &record, &got));
	EXPECT_EQ(NO_MEMORY, (int)record.code) {
		TH_LOG("%s, %u: %s; " AGAIN, request->what, n, record.message);
	}
	EXPECT_EQ(ENOMEM, answer->err);
	EXPECT_NE('\0', answer->text[0]);
}

/* Returns how many could fail. */
static unsigned int fail_all(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
			     const struct request *request, const char *after,
			     unsigned int *told)
{
	static struct genl_msg msg;
	struct genl_answer answer;
	unsigned int n;
	bool failed;
	int err, fd;

	for (n = 1; n < 1000; n++) {
		request->build(&msg, self->dir);
		fd = genl_socket();
		ASSERT_LE(0, fd);
		fail_nth(n);
		err = genl_ask(fd, &msg, &answer, NULL, NULL);
		failed = has_failed();
		close(fd);
		if (!failed) {
			EXPECT_EQ(0, err ?: -answer.err) {
				TH_LOG("%s: nothing failed, but %d, %s; " AGAIN,
				       request->what, err ?: -answer.err, answer.text);
			}
		}
		*told += !err && answer.record;
		check_answer(_metadata, self, request, n, err, &answer, after);
		if (request->undo) {
			static struct view now;

			ASSERT_EQ(0, look(self->fd, &now));
			forget_ids(&now);
			if (strcmp(now.text, self->before.text))
				ASSERT_EQ(0, request->undo(self->fd, self->dir));
		}
		if (!failed)
			return n - 1;
	}
	return n;
}

/* Runs the request without a failure, and then with each that can happen. */
static void run(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
		const struct request *request)
{
	struct genl_answer answer;
	static struct genl_msg msg;
	static struct view after;
	unsigned int told = 0, n;

	request->build(&msg, self->dir);
	ASSERT_EQ(0, genl_ask(self->fd, &msg, &answer, NULL, NULL));
	ASSERT_EQ(0, answer.err) {
		TH_LOG("%s: %s; " AGAIN, request->what, answer.text);
	}
	ASSERT_EQ(0, look(self->fd, &after));
	forget_ids(&after);
	if (request->undo)
		ASSERT_EQ(0, request->undo(self->fd, self->dir));
	n = fail_all(_metadata, self, request, after.text, &told);
	TH_LOG("%s: %u could fail, %u of them were answered with a record", request->what, n, told);
	EXPECT_LT(0, n);
	EXPECT_GT(999, n);
}

/* The first limit needs hooks in all namespaces: all of them, or none. */
TEST_F_TIMEOUT(faults, hooks, 200)
{
	static const struct request first = { "the first limit", build_add, undo_add };
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), held[3];
	size_t i;

	NEEDS_INJECTION(self->able);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		held[i] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	}
	ASSERT_EQ(0, setns(home, CLONE_NEWNET));
	ASSERT_EQ(0, delete(self->fd, "there", self->dir));
	ASSERT_EQ(0, look(self->fd, &self->before));
	run(_metadata, self, &first);
	for (i = 0; i < 3; i++)
		close(held[i]);
	close(home);
}

TEST_F_TIMEOUT(faults, requests, 200)
{
	uint64_t raw = newest(self->fd, RAW);
	size_t i;

	NEEDS_INJECTION(self->able);
	forget_ids(&self->before);
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		run(_metadata, self, &requests[i]);
	EXPECT_EQ(raw, newest(self->fd, RAW)) {
		TH_LOG("an error had no meaning: rein errors list; " AGAIN);
	}
}

/* --- limits per socket ------------------------------------------------------------ */

static void set_each(struct genl_msg *msg, int dir, uint64_t burst)
{
	begin(msg, REIN_CMD_LIMIT_SET, "each", dir);
	genl_put_tier(msg, REIN_UNIT_PACKETS, 1, 60 * SECOND, burst);
	genl_put_tier(msg, REIN_UNIT_BYTES, 1, 60 * SECOND, 1000 * burst);
}

static void build_set_each(struct genl_msg *msg, int dir)
{
	set_each(msg, dir, 20);
}

static int undo_set_each(int fd, int dir)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	set_each(&msg, dir, 10);
	return genl_ask(fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

static void count_copies(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const char *end = (const char *)ghdr + len;

	*(unsigned int *)arg += !!genl_find(genl_first(ghdr), end, REIN_A_LIMIT_COPY_OF);
}

static unsigned int copies(int fd)
{
	struct genl_answer answer;
	static struct genl_msg msg;
	unsigned int n = 0;

	genl_begin(&msg, REIN_CMD_LIMIT_GET, NLM_F_DUMP);
	genl_put(&msg, REIN_A_LIMIT_COPIES, NULL, 0);
	genl_ask(fd, &msg, &answer, count_copies, &n);
	return n;
}

/* The limit and all its copies change, or nothing does. */
TEST_F_TIMEOUT(faults, per_socket, 200)
{
	static const struct request set = {
		"limit-set of one per socket", build_set_each, undo_set_each
	};
	const struct sockaddr_in nowhere = {
		.sin_family = AF_INET, .sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	uint64_t end = now_ns() + LONG;
	struct genl_answer answer;
	static struct genl_msg msg;
	int sock[3];
	size_t i;

	NEEDS_INJECTION(self->able);
	ASSERT_EQ(0, system("ip link set lo up"));
	begin(&msg, REIN_CMD_LIMIT_ADD, "each", self->dir);
	genl_put(&msg, REIN_A_LIMIT_PER_SOCKET, NULL, 0);
	genl_put_tier(&msg, REIN_UNIT_PACKETS, 1, 60 * SECOND, 10);
	ASSERT_EQ(0, genl_ask(self->fd, &msg, &answer, NULL, NULL) ?: -answer.err);
	ASSERT_EQ(0, undo_set_each(self->fd, self->dir));
	ASSERT_TRUE(enter(DIRECTORY));
	for (i = 0; i < 3; i++)
		sock[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_TRUE(enter(CGROOT));
	for (i = 0; i < 3; i++)
		sendto(sock[i], "", 1, 0, (void *)&nowhere, sizeof(nowhere));
	while (copies(self->fd) < 3 && now_ns() < end)
		usleep(1000);
	ASSERT_EQ(3, copies(self->fd)) {
		TH_LOG("no copy for each socket; " AGAIN);
	}
	ASSERT_EQ(0, look(self->fd, &self->before));
	forget_ids(&self->before);
	run(_metadata, self, &set);
	for (i = 0; i < 3; i++)
		close(sock[i]);
}

TEST_F_TIMEOUT(faults, scope_requests, 200)
{
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC), scope;
	uint64_t raw = newest(self->fd, RAW);
	size_t i;

	NEEDS_INJECTION(self->able);
	forget_ids(&self->before);
	scope = scope_named(dev, REIN_NO_FD, "faults");
	ASSERT_LE(0, scope);
	for (i = 0; i < sizeof(scope_requests) / sizeof(scope_requests[0]); i++)
		run(_metadata, self, &scope_requests[i]);
	EXPECT_EQ(raw, newest(self->fd, RAW)) {
		TH_LOG("an error had no meaning: rein errors list; " AGAIN);
	}
	close(scope);
	close(dev);
}

TEST_F_TIMEOUT(faults, watch_requests, 200)
{
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC), fd;
	uint64_t raw = newest(self->fd, RAW);
	struct watch_ask ask;
	size_t i;

	NEEDS_INJECTION(self->able);
	forget_ids(&self->before);
	watch_called(watch_every(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM), HOUR, 0),
		     "faults");
	fd = watch_make(dev, watch_step(&ask, REIN_STEP_RECORD, 0, HOUR));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, watch_begin(fd, "a unit", 0));
	for (i = 0; i < sizeof(watch_requests) / sizeof(watch_requests[0]); i++)
		run(_metadata, self, &watch_requests[i]);
	EXPECT_EQ(raw, newest(self->fd, RAW)) {
		TH_LOG("an error had no meaning: rein errors list; " AGAIN);
	}
	close(fd);
	close(dev);
}

/* --- errors without a meaning ------------------------------------------------------- */

/* How many lines of the kernel's log since the last call have @text? */
static unsigned int lines_with(int kmsg, const char *text)
{
	static char line[8192];
	unsigned int n = 0;
	ssize_t len;

	while ((len = read(kmsg, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[len > 0 ? len : 0] = '\0';
		n += !!strstr(line, text);
	}
	return n;
}

static int ask_there(FIXTURE_DATA(faults) *self, struct genl_answer *answer)
{
	static struct genl_msg msg;

	memset(answer, 0, sizeof(*answer));
	begin(&msg, REIN_CMD_LIMIT_GET, "there", self->dir);
	return genl_ask(self->fd, &msg, answer, NULL, NULL);
}

/* One that nobody gave a meaning is a bug, with a record, and in the log, once. */
TEST_F(faults, raw)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct genl_answer answer, again;
	struct record record;
	char text[64];

	NEEDS_INJECTION(self->able);
	ASSERT_LE(0, kmsg);
	lseek(kmsg, 0, SEEK_END);
	ASSERT_TRUE(put_file(INJECTION "rein/raw_errors", "2"));
	ASSERT_EQ(0, ask_there(self, &answer));
	ASSERT_EQ(0, ask_there(self, &again));
	EXPECT_EQ(EIO, answer.err);
	ASSERT_NE(0, answer.record);
	EXPECT_EQ(answer.record, again.record) {
		TH_LOG("the same error again is not folded; " AGAIN);
	}
	ASSERT_EQ(0, read_record(self->fd, answer.record, &record, &again));
	EXPECT_EQ(RAW, (int)record.code);
	EXPECT_EQ(REIN_KIND_BUG, (int)record.kind);
	EXPECT_EQ(0, record.missing);
	EXPECT_EQ(EIO, (int)record.err);
	EXPECT_NE(NULL, strstr(record.message, "error 5 of a request")) {
		TH_LOG("%s; " AGAIN, record.message);
	}
	snprintf(text, sizeof(text), "rein errors show %llu", (unsigned long long)answer.record);
	EXPECT_EQ(1, lines_with(kmsg, text)) {
		TH_LOG("\"%s\" is not in the log, or not once; " AGAIN, text);
	}
	ASSERT_EQ(0, ask_there(self, &again));
	EXPECT_EQ(0, again.err);
	close(kmsg);
}

/* --- packets ---------------------------------------------------------------------- */

struct counts {
	uint64_t packets[REIN_A_STATS_MAX + 1];
};

static void take_counts(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const struct nlattr *stats, *stat;
	const char *end = (const char *)ghdr + len;
	struct counts *counts = arg;

	stats = genl_find(genl_first(ghdr), end, REIN_A_LIMIT_STATS);
	if (!stats)
		return;
	end = (const char *)stats + stats->nla_len;
	for (stat = genl_data(stats); (const char *)stat < end; stat = genl_next(stat))
		counts->packets[stat->nla_type & NLA_TYPE_MASK] =
			genl_u64(genl_find(genl_data(stat), genl_next(stat),
					   REIN_A_COUNT_PACKETS));
}

static void count(int fd, int dir, struct counts *counts)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	memset(counts, 0, sizeof(*counts));
	begin(&msg, REIN_CMD_LIMIT_GET, "there", dir);
	genl_ask(fd, &msg, &answer, take_counts, counts);
}

/* A packet that can't be held for want of memory is dropped, counted, recorded. */
TEST_F_TIMEOUT(faults, packets, 200)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	unsigned int n, pass, dropped = 0, refused = 0;
	struct counts before, now;
	bool failed;
	ssize_t sent;
	int fd;

	NEEDS_INJECTION(self->able);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ASSERT_TRUE(enter(DIRECTORY));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, fd);
	/* Three pass; the fourth waits as all that follow. */
	for (n = 0; n < 4; n++)
		ASSERT_EQ(1, sendto(fd, "x", 1, 0, (void *)&to, sizeof(to)));
	count(self->fd, self->dir, &before);
	ASSERT_EQ(3, before.packets[REIN_A_STATS_PASSED]);
	ASSERT_EQ(1, before.packets[REIN_A_STATS_QUEUED]);
	/* The kernel's checkers allocate now and then, and fail in our place. */
	for (pass = 0; pass < 10; pass++) {
		for (n = 1, failed = true; failed && n < 1000; n++) {
			fail_nth(n);
			sent = sendto(fd, "x", 1, 0, (void *)&to, sizeof(to));
			failed = has_failed();
			count(self->fd, self->dir, &now);
			EXPECT_EQ(now.packets[REIN_A_STATS_SEEN],
				  now.packets[REIN_A_STATS_PASSED] +
				  now.packets[REIN_A_STATS_QUEUED] +
				  now.packets[REIN_A_STATS_NOMEM]) {
				TH_LOG("%u: a packet is lost; " AGAIN, n);
			}
			dropped += now.packets[REIN_A_STATS_NOMEM] >
				   before.packets[REIN_A_STATS_NOMEM];
			refused += now.packets[REIN_A_STATS_SEEN] ==
				   before.packets[REIN_A_STATS_SEEN];
			if (!failed) {
				EXPECT_EQ(1, sent);
				EXPECT_EQ(before.packets[REIN_A_STATS_QUEUED] + 1,
					  now.packets[REIN_A_STATS_QUEUED]);
			}
			before = now;
		}
	}
	TH_LOG("a packet: %u could fail; of %u times %u ended before rein, %u in it", n - 2, pass,
	       refused, dropped);
	EXPECT_LT(0, dropped);
	EXPECT_NE(0, newest(self->fd, NO_ROOM_MEMORY));
	close(fd);
	ASSERT_TRUE(enter(CGROOT));
}

/* --- takes ------------------------------------------------------------------------ */

struct taking {
	const char *what;
	const char *name;
	uint32_t flags;
	uint64_t time_ns;
	int err;
	/* It is to find no tokens. */
	bool waits;
};

/* "some" has plenty, "soon" one after 50 ms, "none" none. */
static const struct taking takings[] = {
	{ "a try", "some", REIN_TAKE_TRY, 0, 0, false },
	{ "a take that waits", "soon", 0, 0, 0, true },
	{ "a take that waits for a time", "soon", REIN_TAKE_TIMEOUT, DAY, 0, true },
	{ "a try of nothing", "none", REIN_TAKE_TRY, 0, EAGAIN, false },
	{ "a take of nothing", "none", 0, 0, EAGAIN, false },
	{ "a take that would be late", "none", REIN_TAKE_TIMEOUT, SECOND, ETIME, false },
	{ "a take of nobody", "nobody", 0, 0, ENOENT, false },
};

/* Was the request copied in and out once, so that only the answer was lost? */
static bool answer_lost(const struct take *take)
{
	return !take->args.code && !take->args.granted_ns;
}

static void check_take(struct __test_metadata *_metadata, const struct taking *taking,
		       unsigned int n, bool failed, int err, const struct take *take,
		       const struct books *before, const struct books *after)
{
	const char *wrong = err == EFAULT ? NULL : answer_wrong(&take->args, err);
	bool done = err == taking->err || (err == EFAULT && answer_lost(take));

	EXPECT_TRUE(err == taking->err || (failed && (err == ENOMEM || err == EFAULT))) {
		TH_LOG("%s, %u: %s; " AGAIN, taking->what, n, strerror(err));
	}
	EXPECT_EQ(NULL, wrong) {
		TH_LOG("%s, %u: %s, and the answer is not complete: %s; " AGAIN, taking->what, n,
		       strerror(err), wrong);
	}
	if (err == ENOMEM) {
		EXPECT_EQ(NO_MEMORY, (int)take->args.code);
		EXPECT_NE(0, take->args.record);
	}
	EXPECT_TRUE(books_balance(after)) {
		TH_LOG("%s, %u: a take is lost; " AGAIN, taking->what, n);
	}
	EXPECT_EQ(0, after->count[REIN_A_STATS_QUEUED]);
	if (!strcmp(taking->name, "nobody"))
		return;
	EXPECT_EQ(before->count[REIN_A_STATS_SEEN] + done, after->count[REIN_A_STATS_SEEN]) {
		TH_LOG("%s, %u: %s, but it was %scounted; " AGAIN, taking->what, n, strerror(err),
		       done ? "not " : "");
	}
	if (strcmp(taking->name, "some"))
		return;
	EXPECT_EQ(before->tokens - (done && !taking->err), after->tokens) {
		TH_LOG("%s, %u: %s, and other tokens are there; " AGAIN, taking->what, n,
		       strerror(err));
	}
}

/* Returns how many could fail; of these, how many were told of, and how many lost. */
static unsigned int fail_takes(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
			       int dev, const struct taking *taking, unsigned int *told,
			       unsigned int *lost)
{
	const char *book = strcmp(taking->name, "nobody") ? taking->name : "some";
	struct books before, after;
	static struct take take;
	bool failed = true;
	unsigned int n;
	int err;

	for (n = 1; failed && n < 1000; n++) {
		while (taking->waits) {
			ask_for(&take, taking->name, 1, REIN_TAKE_TRY, 0);
			if (take_now(dev, &take) == EAGAIN)
				break;
		}
		ASSERT_EQ(0, read_books(self->fd, book, self->dir, &before));
		ask_for(&take, taking->name, 1, taking->flags, taking->time_ns);
		fail_nth(n);
		err = take_now(dev, &take);
		failed = has_failed();
		ASSERT_EQ(0, read_books(self->fd, book, self->dir, &after));
		check_take(_metadata, taking, n, failed, err, &take, &before, &after);
		*told += err == ENOMEM;
		*lost += err == EFAULT;
	}
	return n - 2;
}

/* A take that there is no memory for charges nothing and says so. */
TEST_F_TIMEOUT(faults, takes, 200)
{
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	unsigned int told = 0, lost = 0, n, pass;
	uint64_t raw = newest(self->fd, RAW);
	static struct take take;
	size_t i;

	NEEDS_INJECTION(self->able);
	ASSERT_LE(0, dev);
	ASSERT_EQ(0, add_call(self->fd, "some", self->dir, REIN_OVER_REFUSE, 1, DAY, 10000));
	ASSERT_EQ(0, add_call(self->fd, "soon", self->dir, REIN_OVER_WAIT, 1, 50 * MS, 1));
	ASSERT_EQ(0, add_call(self->fd, "none", self->dir, REIN_OVER_REFUSE, 1, DAY, 1));
	ASSERT_TRUE(enter(DIRECTORY));
	ask_for(&take, "none", 1, 0, 0);
	ASSERT_EQ(0, take_now(dev, &take));
	for (i = 0; i < sizeof(takings) / sizeof(takings[0]); i++) {
		told = 0;
		lost = 0;
		/* The kernel's checkers allocate now and then, and fail in our place. */
		for (pass = 0; pass < 5; pass++)
			n = fail_takes(_metadata, self, dev, &takings[i], &told, &lost);
		TH_LOG("%s: %u could fail; of %u times there was no memory %u, no way in or out %u",
		       takings[i].what, n, pass, told, lost);
		EXPECT_LT(0, told);
		EXPECT_LT(0, lost);
	}
	EXPECT_EQ(raw, newest(self->fd, RAW));
	close(dev);
	ASSERT_TRUE(enter(CGROOT));
}

/* --- reservations ------------------------------------------------------------------ */

/* Without opening any: that might make the table larger. */
static int count_files(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The next descriptor needs a larger table of them. */
static void fill_files(void)
{
	int fd;

	do
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	while (fd >= 0 && fd < 63);
}

/* One that failed is as if it had not been asked for, but for a lost answer's count. */
static void check_reservation(struct __test_metadata *_metadata, unsigned int n, bool failed,
			      int fd, const struct take *take, const struct books *before,
			      const struct books *after)
{
	const char *wrong = fd >= 0 || fd == -EFAULT ? NULL : answer_wrong(&take->args, -fd);

	EXPECT_TRUE(fd >= 0 || (failed && (fd == -ENOMEM || fd == -EFAULT))) {
		TH_LOG("reserving, %u: %s (%.128s); " AGAIN, n, strerror(-fd), take->args.message);
	}
	EXPECT_EQ(NULL, wrong) {
		TH_LOG("reserving, %u: %s, and the answer is not complete: %s; " AGAIN, n,
		       strerror(-fd), wrong);
	}
	if (fd == -ENOMEM) {
		EXPECT_EQ(NO_MEMORY, (int)take->args.code);
		EXPECT_NE(0, take->args.record);
	}
	EXPECT_TRUE(books_balance(after)) {
		TH_LOG("reserving, %u: a reservation is lost; " AGAIN, n);
	}
	EXPECT_EQ(before->tokens - (fd >= 0), after->tokens) {
		TH_LOG("reserving, %u: other tokens are there; " AGAIN, n);
	}
	EXPECT_EQ(before->count[REIN_A_STATS_HELD] + (fd >= 0), after->count[REIN_A_STATS_HELD]) {
		TH_LOG("reserving, %u: others are held; " AGAIN, n);
	}
}

/* Claimed once, whether or not its answer arrived; until then it is held. */
static unsigned int fail_claims(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
				int dev, unsigned int *lost)
{
	struct books before, after;
	static struct take take;
	bool failed = true, done;
	unsigned int n;
	int fd, err;

	for (n = 1; failed && n < 1000; n++) {
		ask_for(&take, "some", 1, 0, 0);
		fd = reserve(dev, &take);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, read_books(self->fd, "some", self->dir, &before));
		fail_nth(n);
		err = claim(fd, &take);
		failed = has_failed();
		ASSERT_EQ(0, read_books(self->fd, "some", self->dir, &after));
		done = before.count[REIN_A_STATS_HELD] == after.count[REIN_A_STATS_HELD] + 1;
		EXPECT_TRUE(err ? failed && err == EFAULT : done) {
			TH_LOG("claiming, %u: %s; " AGAIN, n, strerror(err));
		}
		EXPECT_TRUE(books_balance(&after)) {
			TH_LOG("claiming, %u: a reservation is lost; " AGAIN, n);
		}
		EXPECT_EQ(before.tokens, after.tokens);
		EXPECT_EQ(done ? EALREADY : 0, claim(fd, &take)) {
			TH_LOG("claiming again, %u: %.128s; " AGAIN, n, take.args.message);
		}
		*lost += err == EFAULT;
		close(fd);
	}
	return n - 2;
}

/* A reservation that there is no memory for holds nothing and says so. */
TEST_F_TIMEOUT(faults, reservations, 200)
{
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC), fd, files;
	unsigned int told = 0, lost = 0, n, pass;
	uint64_t raw = newest(self->fd, RAW);
	struct books before, after;
	static struct take take;
	bool failed;

	NEEDS_INJECTION(self->able);
	ASSERT_LE(0, dev);
	ASSERT_EQ(0, add_call(self->fd, "some", self->dir, REIN_OVER_WAIT, 1, DAY, 10000));
	ASSERT_TRUE(enter(DIRECTORY));
	fill_files();
	/* The kernel's checkers allocate now and then, and fail in our place. */
	for (pass = 0; pass < 5; pass++) {
		for (n = 1, failed = true; failed && n < 1000; n++) {
			files = count_files();
			ASSERT_EQ(0, read_books(self->fd, "some", self->dir, &before));
			ask_for(&take, "some", 1, 0, 0);
			fail_nth(n);
			fd = reserve(dev, &take);
			failed = has_failed();
			ASSERT_EQ(0, read_books(self->fd, "some", self->dir, &after));
			EXPECT_EQ(files + (fd >= 0), count_files()) {
				TH_LOG("reserving, %u: a descriptor is left; " AGAIN, n);
			}
			check_reservation(_metadata, n, failed, fd, &take, &before, &after);
			told += fd == -ENOMEM;
			lost += fd == -EFAULT;
			if (fd >= 0)
				close(fd);
		}
	}
	TH_LOG("reserving: %u could fail; of %u times there was no memory %u, no way in or out %u",
	       n - 2, pass, told, lost);
	EXPECT_LT(0, told);
	EXPECT_LT(0, lost);
	lost = 0;
	for (pass = 0; pass < 5; pass++)
		n = fail_claims(_metadata, self, dev, &lost);
	TH_LOG("claiming: %u could fail; of %u times no way in or out %u", n, pass, lost);
	EXPECT_LT(0, lost);
	EXPECT_EQ(raw, newest(self->fd, RAW));
	close(dev);
	ASSERT_TRUE(enter(CGROOT));
}

/* --- credit ------------------------------------------------------------------------- */

static int credit(int dev, const char *name, struct rein_credit_args *args)
{
	memset(args, 0xff, sizeof(*args));
	memset(args->name, 0, sizeof(args->name));
	memcpy(args->name, name, strlen(name));
	args->millionths = 1000000;
	args->reserved = 0;
	return ioctl(dev, REIN_IOC_CREDIT, args) ? errno : 0;
}

/* Was it copied in and out, so that only the answer was lost? */
static void check_credit(struct __test_metadata *_metadata, const char *name, unsigned int n,
			 bool failed, int err, int want, const struct rein_credit_args *args,
			 const struct books *before, const struct books *after)
{
	const uint64_t given = after->tokens - before->tokens;

	EXPECT_TRUE(err == want || (failed && (err == ENOMEM || err == EFAULT))) {
		TH_LOG("crediting %s, %u: %s (%.128s); " AGAIN, name, n, strerror(err),
		       args->answer.message);
	}
	/* One token or none: that one, if it was answered so. */
	EXPECT_TRUE(err ? given <= 1 && (err == EFAULT || !given) : given == 1) {
		TH_LOG("crediting %s, %u: %s, and %llu were given; " AGAIN, name, n, strerror(err),
		       (unsigned long long)given);
	}
	EXPECT_TRUE(books_balance(after));
	if (err && err != EFAULT) {
		EXPECT_NE(0, args->answer.code);
		EXPECT_NE(0, args->answer.record);
		EXPECT_NE('\0', args->answer.message[0]);
		EXPECT_EQ(0, args->limits);
	} else if (!err) {
		EXPECT_EQ(0, args->answer.code);
		EXPECT_EQ(1, args->limits);
	}
}

/* What is credited is given once, or not at all; who waits for it gets it. */
TEST_F_TIMEOUT(faults, credits, 200)
{
	static const struct {
		const char *name;
		int err;
	} cases[] = { { "fed", 0 }, { "starved", ENOENT }, { "nobody", ENOENT } };
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC), fd;
	unsigned int n = 0, pass, told, lost;
	uint64_t raw = newest(self->fd, RAW);
	struct rein_credit_args args;
	struct books before, after;
	static struct take take;
	bool failed;
	size_t i;
	int err;

	NEEDS_INJECTION(self->able);
	ASSERT_LE(0, dev);
	ASSERT_EQ(0, add_credited(self->fd, "fed", self->dir, REIN_OVER_WAIT, 1, DAY, 1000,
				  1000000));
	ASSERT_EQ(0, add_call(self->fd, "starved", self->dir, REIN_OVER_WAIT, 1, DAY, 1000));
	ASSERT_TRUE(enter(DIRECTORY));
	ask_for(&take, "fed", 1000, 0, 0);
	ASSERT_EQ(0, take_now(dev, &take));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *book = i ? "starved" : "fed";

		told = 0;
		lost = 0;
		/* The kernel's checkers allocate now and then, and fail in our place. */
		for (pass = 0; pass < 5; pass++) {
			for (n = 1, failed = true; failed && n < 1000; n++) {
				ASSERT_EQ(0, read_books(self->fd, book, self->dir, &before));
				fail_nth(n);
				err = credit(dev, cases[i].name, &args);
				failed = has_failed();
				ASSERT_EQ(0, read_books(self->fd, book, self->dir, &after));
				check_credit(_metadata, cases[i].name, n, failed, err,
					     cases[i].err, &args, &before, &after);
				told += err == ENOMEM;
				lost += err == EFAULT;
			}
		}
		TH_LOG("a credit of %s: %u could fail; of %u times no memory %u, no way %u",
		       cases[i].name, n - 2, pass, told, lost);
		EXPECT_LT(0, lost);
	}

	/* Somebody waits for them: whether or not the answer arrives. */
	ASSERT_EQ(0, read_books(self->fd, "fed", self->dir, &before));
	if (before.tokens) {
		ask_for(&take, "fed", before.tokens, 0, 0);
		ASSERT_EQ(0, take_now(dev, &take));
	}
	for (n = 1, failed = true; failed && n < 1000; n++) {
		ask_for(&take, "fed", 1, 0, 0);
		fd = reserve(dev, &take);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, scope_events(fd, POLLIN, 0));
		fail_nth(n);
		err = credit(dev, "fed", &args);
		failed = has_failed();
		ASSERT_EQ(0, read_books(self->fd, "fed", self->dir, &after));
		EXPECT_TRUE(books_balance(&after));
		EXPECT_TRUE(!err || (failed && (err == EFAULT || err == ENOMEM)));
		/* It is there at once, and granted a moment later. */
		if (!err || after.tokens) {
			EXPECT_EQ(POLLIN, scope_events(fd, POLLIN, LONG_MS)) {
				TH_LOG("credited, and who waits for it waits still; " AGAIN);
			}
		}
		/* What it was granted is used, so that there is none again. */
		if (scope_events(fd, POLLIN, 0))
			EXPECT_EQ(0, claim(fd, &take));
		close(fd);
	}
	EXPECT_EQ(raw, newest(self->fd, RAW));
	close(dev);
	ASSERT_TRUE(enter(CGROOT));
}

/* --- scopes ------------------------------------------------------------------------- */

/**
 * struct stage - what calls on scopes are made with, anew each time
 * @dev:	the device
 * @dir:	a cgroup
 * @scope:	a scope, with a child
 * @child:	that
 * @id:		the scope's id
 * @race:	a race with two replicas
 * @replicas:	these
 * @asked:	a race where somebody asks, if that is wanted
 * @asker:	who does
 * @asking:	his replica
 * @page:	where the scope is mapped, if it is
 */
struct stage {
	int dev;
	int dir;
	int scope;
	int child;
	uint64_t id;
	int race;
	int replicas[2];
	int asked;
	pthread_t asker;
	int asking;
	void *page;
};

static int call_scope(struct stage *stage)
{
	return scope_named(stage->dev, stage->scope, "new");
}

static int call_race(struct stage *stage)
{
	return race_timed(stage->dev, stage->scope, REIN_POLICY_FIRST, REIN_SCOPE_TIMEOUT, DAY);
}

static int call_open(struct stage *stage)
{
	return scope_open(stage->dev, 0, stage->id, "");
}

static int call_observe(struct stage *stage)
{
	return scope_observe(stage->scope);
}

static int call_cancel(struct stage *stage)
{
	return scope_cancel_as(stage->scope, REIN_CAUSE_USER, "for a test");
}

static int call_bind(struct stage *stage)
{
	return scope_bind(stage->scope, stage->dir, REIN_NO_FD, 0);
}

static int call_join(struct stage *stage)
{
	return race_join(stage->race);
}

static int call_win(struct stage *stage)
{
	return race_win(stage->replicas[0], "result", 7);
}

static int call_grant(struct stage *stage)
{
	char room[8];

	return race_grant(stage->asked, REIN_GRANT_YES, 0, room, sizeof(room));
}

static int call_result(struct stage *stage)
{
	struct rein_result_args args;

	return race_result(stage->race, REIN_RESULT_CLOSE, &args, sizeof(args), &args);
}

static int call_read(struct stage *stage)
{
	struct rein_scope_done done;

	said = (struct said){ };
	return read(stage->child, &done, sizeof(done)) == sizeof(done) ? 0 : -errno;
}

static int call_map(struct stage *stage)
{
	said = (struct said){ };
	stage->page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, stage->scope, 0);
	return stage->page == MAP_FAILED ? -errno : 0;
}

static const struct stage_call {
	const char *what;
	int (*call)(struct stage *stage);
	/* What it comes to if nothing fails. */
	int ret;
	bool makes;
	/* How often listeners are told of something. */
	unsigned int events;
} stage_calls[] = {
	{ "making a scope", call_scope, 0, true, 1 },
	{ "making a race", call_race, 0, true, 1 },
	{ "opening a scope", call_open, 0, true, 0 },
	{ "observing a scope", call_observe, 0, true, 0 },
	{ "cancelling a scope", call_cancel, 0, false, 1 },
	{ "binding a scope", call_bind, 0, false, 1 },
	{ "joining a race", call_join, 0, true, 1 },
	{ "winning a race", call_win, 0, false, 2 },
	{ "granting a race", call_grant, 0, false, 1 },
	/* Nobody has claimed it: closed, it is done. */
	{ "closing a race", call_result, -ECANCELED, false, 3 },
	{ "reading a scope", call_read, 0, false, 0 },
	{ "mapping a scope", call_map, 0, false, 0 },
};

/* Somebody asks, until he is answered or the race is done. */
static bool stage_ask(struct stage *stage)
{
	stage->asked = race_new(stage->dev, REIN_POLICY_ASK);
	stage->asking = race_join(stage->asked);
	return stage->asked >= 0 && stage->asking >= 0 &&
	       !pthread_create(&stage->asker, NULL, claim_by, &stage->asking) &&
	       scope_events(stage->asked, POLLPRI, LONG_MS) & POLLPRI;
}

/* All that the call needs, before anything fails. */
static bool stage_set(struct stage *stage, int dev, const struct stage_call *call)
{
	memset(stage, 0, sizeof(*stage));
	stage->dev = dev;
	mkdir(DIRECTORY "/bound", 0755);
	stage->dir = open(DIRECTORY "/bound", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stage->scope = scope_new(dev, REIN_NO_FD);
	stage->id = said.id;
	stage->child = scope_timed(dev, stage->scope, REIN_SCOPE_TIMEOUT, 0);
	stage->race = race_new(dev, REIN_POLICY_FIRST);
	stage->replicas[0] = race_join(stage->race);
	stage->replicas[1] = race_join(stage->race);
	return stage->dir >= 0 && stage->scope >= 0 && stage->race >= 0 &&
	       stage->replicas[0] >= 0 && stage->replicas[1] >= 0 &&
	       scope_wait(stage->child) == REIN_CAUSE_TIMEOUT &&
	       (call->call != call_grant || stage_ask(stage));
}

static void stage_clear(struct stage *stage)
{
	if (stage->page && stage->page != MAP_FAILED)
		munmap(stage->page, 4096);
	if (stage->asker) {
		scope_cancel(stage->asked);
		pthread_join(stage->asker, NULL);
		close(stage->asking);
		close(stage->asked);
	}
	close(stage->replicas[0]);
	close(stage->replicas[1]);
	close(stage->race);
	close(stage->child);
	close(stage->scope);
	close(stage->dir);
	rmdir(DIRECTORY "/bound");
}

/* Returns how many could fail; of these, how many were told of, and how many lost. */
static unsigned int fail_calls(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
			       int dev, const struct stage_call *call, unsigned int *told,
			       unsigned int *lost)
{
	uint64_t before = count_scopes(self->fd), now;
	bool failed = true;
	struct stage stage;
	int ret, files;
	unsigned int n;

	for (n = 1; failed && n < 1000; n++) {
		/* Those of the last time may have been in a worker's hands. */
		ASSERT_EQ(before, settle_scopes(self->fd, before));
		ASSERT_TRUE(stage_set(&stage, dev, call));
		now = count_scopes(self->fd);
		files = count_files();
		fail_nth(n);
		ret = call->call(&stage);
		failed = has_failed();
		EXPECT_TRUE((call->makes ? ret >= 0 : ret == call->ret) ||
			    (failed && (ret == -ENOMEM || ret == -EFAULT))) {
			TH_LOG("%s, %u: %s (%.128s); " AGAIN, call->what, n,
			       strerror(ret < 0 ? -ret : 0), said.answer.message);
		}
		if (ret == -ENOMEM && call->call != call_map) {
			EXPECT_EQ(NO_MEMORY, (int)said.answer.code);
			EXPECT_EQ(NULL, said_wrong(ENOMEM)) {
				TH_LOG("%s, %u: %s; " AGAIN, call->what, n, said_wrong(ENOMEM));
			}
			EXPECT_NE(0, said.answer.record);
		}
		EXPECT_EQ(files + (call->makes && ret >= 0), count_files()) {
			TH_LOG("%s, %u: a descriptor is left; " AGAIN, call->what, n);
		}
		if (ret < 0) {
			EXPECT_EQ(now, count_scopes(self->fd)) {
				TH_LOG("%s, %u: a scope is left; " AGAIN, call->what, n);
			}
		}
		*told += ret == -ENOMEM;
		*lost += ret == -EFAULT;
		if (call->makes && ret >= 0)
			close(ret);
		stage_clear(&stage);
	}
	EXPECT_EQ(before, settle_scopes(self->fd, before)) {
		TH_LOG("%s: a scope is left; " AGAIN, call->what);
	}
	return n - 2;
}

/* How many events of scopes there are by now; @lost: that some are not, or it is no event. */
static unsigned int hear_all(int ear, bool *lost, const char **wrong)
{
	static char buf[1 << 16];
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	unsigned int n = 0;
	ssize_t got;

	*lost = false;
	*wrong = NULL;
	while ((got = recv(ear, buf, sizeof(buf), MSG_DONTWAIT)) >= 0 || errno == ENOBUFS) {
		if (got < 0)
			*lost = true;
		else if (NLMSG_OK(nlh, got) && nlh->nlmsg_type == genl_family)
			n++;
		else
			*wrong = "it has heard what is no message";
		memset(buf, 0, sizeof(*nlh));
	}
	if (errno != EAGAIN)
		*wrong = strerror(errno);
	return n;
}

/* Who listens is told what has become of scopes, or that he is not. */
TEST_F_TIMEOUT(faults, events, 200)
{
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC), ear = listen_to_scopes(), ret;
	uint64_t before = count_scopes(self->fd);
	unsigned int n, heard, missed;
	struct stage stage;
	const char *wrong;
	bool failed, lost;
	size_t i;

	NEEDS_INJECTION(self->able);
	ASSERT_LE(0, dev);
	ASSERT_LE(0, ear);
	fill_files();
	for (i = 0; i < sizeof(stage_calls) / sizeof(stage_calls[0]); i++) {
		const struct stage_call *call = &stage_calls[i];

		if (!call->events)
			continue;
		missed = 0;
		for (n = 1, failed = true; failed && n < 1000; n++) {
			ASSERT_TRUE(stage_set(&stage, dev, call));
			hear_all(ear, &lost, &wrong);
			EXPECT_FALSE(lost);
			fail_nth(n);
			ret = call->call(&stage);
			failed = has_failed();
			heard = hear_all(ear, &lost, &wrong);
			EXPECT_EQ(NULL, wrong) {
				TH_LOG("%s, %u: %s; " AGAIN, call->what, n, wrong);
			}
			/* What has failed may have happened, or in part. */
			if (call->makes ? ret >= 0 : ret == call->ret) {
				EXPECT_TRUE(heard == call->events || lost) {
					TH_LOG("%s, %u: %u of %u events, and not told so; " AGAIN,
					       call->what, n, heard, call->events);
				}
			}
			EXPECT_TRUE(failed || !lost);
			missed += lost;
			if (call->makes && ret >= 0)
				close(ret);
			stage_clear(&stage);
			/* That these are gone, and so on: as many as there may be. */
			ASSERT_EQ(before, settle_scopes(self->fd, before));
			hear_all(ear, &lost, &wrong);
		}
		TH_LOG("%s: %u could fail; events were missed %u times", call->what, n - 2,
		       missed);
		EXPECT_LT(0, missed);
	}
	close(ear);
	close(dev);
}

/* A call that there is no memory for has made no scope, and says so. */
TEST_F_TIMEOUT(faults, scopes, 200)
{
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	unsigned int told, lost, n = 0, pass;
	uint64_t raw = newest(self->fd, RAW);
	size_t i;

	NEEDS_INJECTION(self->able);
	ASSERT_LE(0, dev);
	fill_files();
	for (i = 0; i < sizeof(stage_calls) / sizeof(stage_calls[0]); i++) {
		told = 0;
		lost = 0;
		/* The kernel's checkers allocate now and then, and fail in our place. */
		for (pass = 0; pass < 3; pass++)
			n = fail_calls(_metadata, self, dev, &stage_calls[i], &told, &lost);
		TH_LOG("%s: %u could fail; of %u times there was no memory %u, no way in or out %u",
		       stage_calls[i].what, n, pass, told, lost);
		EXPECT_LT(0, told + lost);
	}
	EXPECT_EQ(raw, newest(self->fd, RAW));
	close(dev);
}

/* --- watches ------------------------------------------------------------------------ */

/**
 * struct post - what calls on watches are made with, anew each time
 * @dev:	the device
 * @dir:	a cgroup
 * @scope:	a scope
 * @fd:		a watch with a slot, that runs, and has two steps
 * @eye:	an observer of it
 * @id:		its id
 * @page:	where its slot is mapped, if it is
 */
struct post {
	int dev;
	int dir;
	int scope;
	int fd;
	int eye;
	uint64_t id;
	char *page;
};

/* Over itself, or over a cgroup, with a name, a scope and all steps that there may be. */
static int post_make(struct post *post, bool cgroup, uint32_t flags)
{
	struct watch_ask ask;
	unsigned int i;

	watch_called(watch_every(ask_watch(&ask, REIN_WATCH_OWNED | flags), HOUR, 0), "new");
	if (cgroup)
		watch_cgroup(&ask, post->dir, REIN_NO_FD);
	ask.args.scope_fd = post->scope;
	watch_step(&ask, REIN_STEP_CANCEL, 0, HOUR);
	for (i = 1; i < REIN_STEPS_MAX; i++)
		watch_step(&ask, REIN_STEP_RECORD, 0, HOUR);
	return watch_make(post->dev, &ask);
}

static int call_watch(struct post *post)
{
	return post_make(post, false, REIN_WATCH_ARM);
}

static int call_watch_slot(struct post *post)
{
	return post_make(post, false, REIN_WATCH_ARM | REIN_WATCH_SLOT);
}

static int call_watch_cgroup(struct post *post)
{
	return post_make(post, true, REIN_WATCH_ARM);
}

/* What packets beat: a count both ways, hooks, and, without privileges, a charge. */
static int call_watch_traffic(struct post *post)
{
	return post_make(post, true, REIN_WATCH_ARM | REIN_WATCH_EGRESS | REIN_WATCH_INGRESS);
}

static int call_watch_socket(struct post *post)
{
	struct watch_ask ask;
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	if (sock < 0)
		return -errno;
	watch_socket(watch_every(ask_watch(&ask, REIN_WATCH_OWNED), HOUR, 0), sock);
	fd = watch_make(post->dev, watch_step(&ask, REIN_STEP_RESET, 0, 0));
	close(sock);
	return fd;
}

static int call_look(struct post *post)
{
	return watch_look(post->dev, REIN_LOOK_OBSERVE, post->id);
}

static int call_beat(struct post *post)
{
	return watch_beat(post->fd);
}

static int call_begin(struct post *post)
{
	return watch_begin(post->fd, "a unit", SECOND);
}

static int call_arm(struct post *post)
{
	return watch_arm(post->fd);
}

static int call_test(struct post *post)
{
	return watch_test(post->fd, 0);
}

static int call_unwatch(struct post *post)
{
	return watch_end(post->fd);
}

static int call_watch_read(struct post *post)
{
	struct rein_watch_state state;

	said = (struct said){ };
	return read(post->eye, &state, sizeof(state)) == sizeof(state) ? 0 : -errno;
}

static int call_watch_map(struct post *post)
{
	said = (struct said){ };
	post->page = map_slots(post->fd);
	return post->page ? 0 : -errno;
}

static const struct post_call {
	const char *what;
	int (*call)(struct post *post);
	bool makes;
	/* Refused without an answer: it has none, or other calls can fail in it. */
	bool mute;
	/* It never allocates: only a way in or out can be missing. */
	bool lean;
} post_calls[] = {
	{ "making a watch", call_watch, true, false, false },
	{ "making a watch with a slot", call_watch_slot, true, false, false },
	{ "making a watch over a cgroup", call_watch_cgroup, true, false, false },
	{ "making a watch that packets beat", call_watch_traffic, true, false, false },
	{ "making a watch over a socket", call_watch_socket, true, true, false },
	{ "looking for a watch", call_look, true, false, false },
	{ "a beat", call_beat, false, false, true },
	{ "beginning a unit", call_begin, false, false, true },
	{ "arming a watch", call_arm, false, false, false },
	{ "testing a watch", call_test, false, false, false },
	{ "ending a watch", call_unwatch, false, false, false },
	{ "reading a watch", call_watch_read, false, true, false },
	{ "mapping a slot", call_watch_map, false, true, false },
};

/* All that the call needs, before anything fails. */
static bool post_set(struct post *post, int dev)
{
	struct watch_ask ask;

	memset(post, 0, sizeof(*post));
	post->dev = dev;
	mkdir(DIRECTORY "/watched", 0755);
	post->dir = open(DIRECTORY "/watched", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	post->scope = scope_new(dev, REIN_NO_FD);
	watch_every(ask_watch(&ask, REIN_WATCH_OWNED | REIN_WATCH_ARM | REIN_WATCH_SLOT), HOUR, 0);
	watch_step(watch_step(&ask, REIN_STEP_RECORD, 0, 0), REIN_STEP_EXEC, 0, 0);
	post->fd = watch_make(dev, &ask);
	post->id = said.id;
	post->eye = watch_look(dev, REIN_LOOK_OBSERVE, post->id);
	/* So that there is something to be read. */
	return post->dir >= 0 && post->scope >= 0 && post->fd >= 0 && post->eye >= 0 &&
	       !watch_beat(post->fd);
}

static void post_clear(struct post *post)
{
	if (post->page)
		unmap_slots(post->page);
	close(post->eye);
	close(post->fd);
	close(post->scope);
	close(post->dir);
	rmdir(DIRECTORY "/watched");
}

/* What one call came to whose @n-th allocation or copy failed, if it had one. */
static void check_post(struct __test_metadata *_metadata, const struct post_call *call,
		       unsigned int n, bool failed, int ret)
{
	EXPECT_TRUE((call->makes ? ret >= 0 : !ret) ||
		    (failed && (ret == -ENOMEM || ret == -EFAULT || call->mute))) {
		TH_LOG("%s, %u: %s (%.128s); " AGAIN, call->what, n, strerror(ret < 0 ? -ret : 0),
		       said.answer.message);
	}
	if (ret != -ENOMEM || call->mute)
		return;
	EXPECT_FALSE(call->lean) {
		TH_LOG("%s, %u: it allocates; " AGAIN, call->what, n);
	}
	EXPECT_EQ(NO_MEMORY, (int)said.answer.code);
	EXPECT_EQ(NULL, said_wrong(ENOMEM)) {
		TH_LOG("%s, %u: %s; " AGAIN, call->what, n, said_wrong(ENOMEM));
	}
	EXPECT_NE(0, said.answer.record);
}

/* Returns how many could fail; of these, how many were told of, and how many lost. */
static unsigned int fail_posts(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
			       int dev, const struct post_call *call, unsigned int *told,
			       unsigned int *lost)
{
	uint64_t before = count_watches(self->fd), now;
	bool failed = true;
	struct post post;
	unsigned int n;
	int ret, files;

	for (n = 1; failed && n < 1000; n++) {
		ASSERT_EQ(before, settle_watches(self->fd, before));
		ASSERT_TRUE(post_set(&post, dev));
		now = count_watches(self->fd);
		files = count_files();
		fail_nth(n);
		ret = call->call(&post);
		failed = has_failed();
		check_post(_metadata, call, n, failed, ret);
		EXPECT_EQ(files + (call->makes && ret >= 0), count_files()) {
			TH_LOG("%s, %u: a descriptor is left; " AGAIN, call->what, n);
		}
		if (ret < 0 && call->makes) {
			EXPECT_EQ(now, settle_watches(self->fd, now)) {
				TH_LOG("%s, %u: a watch is left; " AGAIN, call->what, n);
			}
		}
		*told += ret == -ENOMEM;
		*lost += ret == -EFAULT;
		if (call->makes && ret >= 0)
			close(ret);
		post_clear(&post);
	}
	EXPECT_EQ(before, settle_watches(self->fd, before)) {
		TH_LOG("%s: a watch is left; " AGAIN, call->what);
	}
	return n - 2;
}

/* A call that there is no memory for has made no watch, and says so. */
TEST_F_TIMEOUT(faults, watches, 200)
{
	int dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	unsigned int told, lost, n = 0, pass;
	uint64_t raw = newest(self->fd, RAW);
	size_t i;

	NEEDS_INJECTION(self->able);
	ASSERT_LE(0, dev);
	fill_files();
	for (i = 0; i < sizeof(post_calls) / sizeof(post_calls[0]); i++) {
		told = 0;
		lost = 0;
		/* The kernel's checkers allocate now and then, and fail in our place. */
		for (pass = 0; pass < 3; pass++)
			n = fail_posts(_metadata, self, dev, &post_calls[i], &told, &lost);
		TH_LOG("%s: %u could fail; of %u times there was no memory %u, no way in or out %u",
		       post_calls[i].what, n, pass, told, lost);
		EXPECT_LT(0, told + lost);
	}
	EXPECT_EQ(raw, newest(self->fd, RAW));
	close(dev);
}

/* --- namespaces ------------------------------------------------------------------- */

/* Move to a new namespace; returns what left_to_fail() says. */
static unsigned int try_namespace(unsigned int n, int *err)
{
	fail_nth(n);
	*err = unshare(CLONE_NEWNET) ? errno : 0;
	return left_to_fail();
}

static uint64_t namespaces(int fd)
{
	return stat_number(fd, REIN_A_STAT_NAMESPACES);
}

/*
 * Of thousands of allocations some fail here, others each time. Each namespace is
 * there with its hooks, or isn't. The errno says little: nearly all of them belong
 * to other parts of the kernel, which say ENOMEM, ENOBUFS, EINVAL (device_add()) or
 * EAFNOSUPPORT (inet_ctl_sock_create()) when they have none.
 */
TEST_F_TIMEOUT(faults, namespaces, 200)
{
	const unsigned int step = 23, first = 1 + time(NULL) % step;
	uint64_t before = namespaces(self->fd);
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), err, tries;
	unsigned int n, left, made = 0, failed = 0;

	NEEDS_INJECTION(self->able);
	ASSERT_LE(0, home);
	for (n = first; ; n += step) {
		left = try_namespace(n, &err);
		if (err) {
			failed++;
		} else {
			made++;
			ASSERT_EQ(0, setns(home, CLONE_NEWNET));
		}
		if (left)
			break;
	}
	TH_LOG("a namespace: %u, %u, ... of %u; %u were not made, %u all the same", first,
	       first + step, n, failed, made);
	EXPECT_LT(0, failed);
	/* They are taken down by a worker. */
	for (tries = 0; namespaces(self->fd) != before && tries < 3000; tries++)
		usleep(10000);
	EXPECT_EQ(before, namespaces(self->fd)) {
		TH_LOG("a namespace is left over; " AGAIN);
	}
	close(home);
}

/* --- loading ------------------------------------------------------------------------ */

static bool is_loaded(void)
{
	return !access("/sys/module/rein", F_OK);
}

static int open_module(void)
{
	struct utsname name;
	char path[256];

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/rein.ko", name.release);
	return open(path, O_RDONLY | O_CLOEXEC);
}

FIXTURE(loading) {
};

FIXTURE_SETUP(loading) {
}

FIXTURE_TEARDOWN(loading) {
}

/* Loads, or fails and leaves nothing; what the loader of modules itself needs, too. */
TEST_F_TIMEOUT(loading, load, 300)
{
	const unsigned int step = 11;
	unsigned int n, refused = 0;
	bool failed = true;
	int ko, err;

	if (!prepare())
		SKIP(return, "this kernel has no fault injection");
	ko = open_module();
	if (ko < 0)
		SKIP(return, "rein.ko isn't where modprobe would find it");
	ASSERT_EQ(0, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	for (n = 1 + time(NULL) % step; failed && n < 10000; n += step) {
		fail_nth(n);
		err = syscall(SYS_finit_module, ko, "", 0) ? errno : 0;
		failed = has_failed();
		if (!failed)
			break;
		EXPECT_EQ(!err, is_loaded()) {
			TH_LOG("%u: finit_module: %s, and it is %sloaded; " AGAIN, n, strerror(err),
			       is_loaded() ? "" : "not ");
		}
		refused += !!err;
		if (!err)
			ASSERT_EQ(0, syscall(SYS_delete_module, "rein", O_NONBLOCK));
	}
	TH_LOG("loading: of %u every %uth failed; %u times there was no module", n, step, refused);
	EXPECT_EQ(0, err);
	EXPECT_TRUE(is_loaded());
	EXPECT_LT(0, refused);
	close(ko);
}

TEST_HARNESS_MAIN
