// SPDX-License-Identifier: GPL-2.0
/*
 * rein watch and rein beat, and librein's side of them, against an ioctl() that answers what
 * it was told to and pipes in place of watches: what is in the pipe is what a watch has to
 * tell. What is said by sd_notify(3) arrives on a real socket. What runs commands under a
 * watch is tested with a kernel.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "cell.h"
#include "cli.h"
#include "hierarchy.h"
#include "hook.h"
#include "nl.h"
#include "notify.h"
#include "process.h"
#include "run.h"
#include "watch.h"

#define MSEC	1000000ULL
#define SEC	1000000000ULL

/* Of all requests about watches, as far as they are looked at. */
union asked {
	struct rein_watch_args watch;
	struct rein_look_args look;
	struct rein_beat_args beat;
	struct rein_arm_args arm;
	struct rein_test_args test;
	struct rein_open_args open;
};

/**
 * struct kernel - what stands in for it
 * @err:	errno of the ioctl, 0: it succeeds
 * @answer:	what it says then
 * @token:	that a beat is answered
 * @has_state:	the watches that it opens have something to tell
 * @state:	that
 * @request:	what it was asked last
 * @asked:	likewise
 * @steps:	of a watch that was to be made
 * @n:		how many watches netlink tells of
 * @watches:	they
 * @scope:	a scope that netlink tells of
 */
static struct kernel {
	int err;
	struct rein_answer answer;
	uint64_t token;
	bool has_state;
	struct rein_watch_state state;
	unsigned long request;
	union asked asked;
	struct rein_watch_step steps[REIN_STEPS_MAX];
	size_t n;
	struct rein_watch watches[4];
	struct rein_scope scope;
} *kernel;

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, REIN_DEV_PATH))
		return openat(AT_FDCWD, path, flags, 0600);
	return openat(AT_FDCWD, "/dev/zero", flags);
}

static int a_watch(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		abort();
	if (kernel->has_state &&
	    write(ends[1], &kernel->state, sizeof(kernel->state)) != sizeof(kernel->state))
		abort();
	return ends[0];
}

static int answer(unsigned long request, void *arg)
{
	size_t size = _IOC_SIZE(request);
	struct rein_watch_args *watch = arg;

	kernel->request = request;
	memcpy(&kernel->asked, arg, size);
	if (request == REIN_IOC_WATCH && watch->n_steps <= REIN_STEPS_MAX)
		memcpy(kernel->steps, (void *)(uintptr_t)watch->steps,
		       watch->n_steps * sizeof(kernel->steps[0]));
	memcpy((char *)arg + size - sizeof(kernel->answer), &kernel->answer,
	       sizeof(kernel->answer));
	if (kernel->err) {
		errno = kernel->err;
		return -1;
	}
	switch (request) {
	case REIN_IOC_WATCH:
		watch->id = 41;
		watch->slot = 48;
		return a_watch();
	case REIN_IOC_LOOK:
	case REIN_IOC_OPEN:
		return a_watch();
	case REIN_IOC_BEAT:
		((struct rein_beat_args *)arg)->next = kernel->token;
		return 0;
	default:
		return 0;
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	(void)fd;
	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	return answer(request, arg);
}

int __wrap_rein_open(struct rein **rein)
{
	*rein = calloc(1, sizeof(**rein));
	return 0;
}

int __wrap_rein_watch_get(struct rein *rein, uint64_t id, rein_watch_fn fn, void *arg)
{
	size_t i;

	for (i = 0; i < kernel->n; i++) {
		if (kernel->watches[i].id != id)
			continue;
		fn(&kernel->watches[i], arg);
		return 0;
	}
	rein_fail(rein, ENOENT, "there is no watch of that id");
	rein->error.refused = true;
	return -ENOENT;
}

int __wrap_rein_watch_dump(struct rein *rein, const char *name, rein_watch_fn fn, void *arg)
{
	size_t i;

	(void)rein;
	for (i = 0; i < kernel->n; i++)
		if (!name || (kernel->watches[i].name && !strcmp(kernel->watches[i].name, name)))
			fn(&kernel->watches[i], arg);
	return 0;
}

int __wrap_rein_scope_dump(struct rein *rein, const char *name, rein_scope_fn fn, void *arg)
{
	(void)rein;
	(void)name;
	if (kernel->scope.id)
		fn(&kernel->scope, arg);
	return 0;
}

/* With a directory web in it that has a cgroup.kill. */
static char *directory;

int __wrap_rein_own_mount(struct rein_mount *mount)
{
	strcpy(mount->path, directory);
	strcpy(mount->root, "/");
	return 0;
}

int __wrap_rein_open_cgroup_of(const struct rein_mount *mount, const char *file_name,
			       char *path, size_t size)
{
	(void)mount;
	(void)file_name;
	snprintf(path, size, "/here");
	return openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void forget(void)
{
	memset(kernel, 0, sizeof(*kernel));
}

static void refuse(uint32_t code, int err)
{
	forget();
	kernel->err = err;
	kernel->answer = (struct rein_answer){ .record = 9, .code = code, .message = "it says no" };
}

/* What stays open, less what this needs itself. */
static size_t open_files(void)
{
	DIR *files = opendir("/proc/self/fd");
	size_t n = 0;

	while (files && readdir(files))
		n++;
	closedir(files);
	return n;
}

/* --- the library -------------------------------------------------------------------- */

static void made(void)
{
	static const struct rein_watch_step steps[] = { { REIN_STEP_KILL, 0, 5 } };
	struct rein_watch_opts opts = {
		.name = "web", .flags = REIN_WATCH_SLOT, .subject = REIN_SUBJECT_PROCESS,
		.fd = 77, .pid = 5, .start = 6, .rules = { .every_ns = 7, .next = { 3 } },
		.steps = steps, .n_steps = 1, .wants = 2,
	};
	struct rein_watch_result result;
	char name[80];

	forget();
	close(rein_watch_new(3, &opts, &result));
	CHECK_EQ(result.id * 100 + result.slot, 4148);
	CHECK_STR(kernel->asked.watch.name, "web");
	CHECK_EQ(kernel->asked.watch.fd, -1ULL);
	CHECK_EQ(kernel->asked.watch.kill_fd, -1ULL);
	CHECK_EQ(kernel->asked.watch.scope_fd, -1ULL);
	CHECK_EQ(kernel->asked.watch.pid * 10 + kernel->asked.watch.start, 56);
	CHECK_EQ(kernel->asked.watch.rules.every_ns * 10 + kernel->asked.watch.rules.next[0], 73);
	CHECK_EQ(kernel->asked.watch.wants, 2);
	CHECK_EQ(kernel->steps[0].delay_ns, 5);
	opts.subject = REIN_SUBJECT_CGROUP;
	opts.has_kill = true;
	opts.has_scope = true;
	opts.scope_fd = 8;
	close(rein_watch_new(3, &opts, NULL));
	CHECK_EQ(kernel->asked.watch.fd, 77);
	CHECK_EQ(kernel->asked.watch.kill_fd * 10 + kernel->asked.watch.scope_fd, 8);
	/* One that is too long has no end: the kernel is to say so. */
	memset(name, 'x', sizeof(name));
	name[79] = '\0';
	opts.name = name;
	close(rein_watch_new(3, &opts, NULL));
	CHECK_EQ(!memchr(kernel->asked.watch.name, '\0', REIN_WATCH_NAME_LEN), 1);
	close(rein_watch_lookup(3, 0, "web", REIN_LOOK_BEAT, 4, NULL));
	CHECK_STR(kernel->asked.look.name, "web");
	CHECK_EQ(kernel->asked.look.flags * 10 + kernel->asked.look.wants, 24);
	close(rein_watch_lookup(3, 7, "web", 0, 0, NULL));
	CHECK_STR(kernel->asked.look.name, "");
	CHECK_EQ(kernel->asked.look.id, 7);
	refuse(725, EDQUOT);
	CHECK_EQ(-rein_watch_new(3, &opts, &result), EDQUOT);
	CHECK_EQ(result.code * 10 + result.record, 7259);
	CHECK_STR(result.message, "it says no");
}

static void calls(void)
{
	struct rein_watch_result result;

	forget();
	kernel->token = 99;
	CHECK_EQ(rein_watch_beat(3, 5, &result), 0);
	CHECK_EQ(kernel->asked.beat.kind * 10 + kernel->asked.beat.token, 5);
	CHECK_EQ(result.token, 99);
	CHECK_EQ(rein_watch_begin(3, "job", REIN_FOREVER_NS, 0, NULL), 0);
	CHECK_EQ(kernel->asked.beat.kind, REIN_BEAT_BEGIN);
	CHECK_EQ(kernel->asked.beat.deadline_ns, 0);
	CHECK_STR(kernel->asked.beat.unit, "job");
	CHECK_EQ(rein_watch_end(3, "job", 6, NULL), 0);
	CHECK_EQ(kernel->asked.beat.kind * 10 + kernel->asked.beat.token, 26);
	CHECK_EQ(rein_watch_checkpoint(3, 4, 0, NULL), 0);
	CHECK_EQ(kernel->asked.beat.kind * 10 + kernel->asked.beat.checkpoint, 34);
	/* What has no flag is not sent. */
	CHECK_EQ(rein_watch_arm(3, REIN_ARM_GRACE, 8, 9, NULL), 0);
	CHECK_EQ(kernel->asked.arm.every_ns * 10 + kernel->asked.arm.grace_ns, 9);
	CHECK_EQ(rein_watch_disarm(3, NULL), 0);
	CHECK_EQ(kernel->asked.arm.flags, REIN_ARM_OFF);
	CHECK_EQ(rein_watch_test(3, true, NULL), 0);
	CHECK_EQ(kernel->asked.test.flags, REIN_TEST_REAL);
	CHECK_EQ(rein_unwatch(3, NULL), 0);
	CHECK_EQ(kernel->request, REIN_IOC_UNWATCH);
	refuse(730, EKEYREJECTED);
	CHECK_EQ(-rein_watch_beat(3, 5, &result), EKEYREJECTED);
}

static void slots(void)
{
	struct rein_watch_slot slot = { .beats = ~0ULL };

	rein_beat(&slot);
	CHECK_EQ(slot.beats, 0);
	rein_beat_shared(&slot);
	CHECK_EQ(slot.beats, 1);
	rein_beat_at(&slot, 12);
	CHECK_EQ(slot.stamp_ns, 12);
	CHECK_EQ(!rein_watch_map(-1, 0), 1);
	CHECK_EQ(!rein_watch_map(0, 1U << 30), 1);
	rein_watch_unmap(NULL);
}

static void waits(void)
{
	struct rein_watch_state state;
	int fd;

	forget();
	fd = rein_watch_lookup(3, 7, NULL, 0, 0, NULL);
	CHECK_EQ(-rein_watch_wait(fd, 0, &state), ETIMEDOUT);
	CHECK_EQ(-rein_watch_wait(fd, MSEC, &state), ETIMEDOUT);
	close(fd);
	CHECK_EQ(-rein_watch_wait(fd, MSEC, &state), EBADF);
	kernel->has_state = true;
	memset(kernel->state.unit, 'x', sizeof(kernel->state.unit));
	kernel->state.count[REIN_COUNT_BEGIN] = 3;
	fd = rein_watch_lookup(3, 7, NULL, 0, 0, NULL);
	CHECK_EQ(rein_watch_wait(fd, REIN_FOREVER_NS, &state), 0);
	CHECK_EQ(state.count[REIN_COUNT_BEGIN], 3);
	CHECK_EQ(strlen(state.unit), REIN_UNIT_LEN - 1);
	close(fd);
}

/* --- what a watch expects ------------------------------------------------------------- */

static void rules(void)
{
	static const struct {
		const char *line;
		uint32_t flags;
		struct rein_watch_rules rules;
	} rows[] = {
		{ "--every 2s", REIN_WATCH_ARM, { .every_ns = 2 * SEC, .min = 1 } },
		{ "--every 2s --off", 0, { .every_ns = 2 * SEC, .min = 1 } },
		{ "--every 50ms --miss 3 --min 2 --max 5 --grace 1min --token",
		  REIN_WATCH_ARM | REIN_WATCH_TOKEN,
		  { .every_ns = 50 * MSEC, .grace_ns = 60 * SEC, .miss = 3, .min = 2, .max = 5 } },
		{ "--every 1s --min 0 --max 9 --miss 0", REIN_WATCH_ARM,
		  { .every_ns = SEC, .max = 9 } },
		{ "--unit-min 1ms --unit-max 5s --pretimeout 1s", REIN_WATCH_ARM,
		  { .unit_min_ns = MSEC, .unit_max_ns = 5 * SEC, .pretimeout_ns = SEC } },
		{ "--order 1>2,2>3,3>1,3>3", REIN_WATCH_ARM,
		  { .first = 2, .next = { 0, 4, 8, 2 | 8 } } },
		{ "--order 0>15,15>0", REIN_WATCH_ARM,
		  { .first = 1, .next = { [0] = 1U << 15, [15] = 1 } } },
		{ "--order 1>2,>4,>5", REIN_WATCH_ARM, { .first = 48, .next = { 0, 4 } } },
		{ "--every 3650day", REIN_WATCH_ARM, { .every_ns = REIN_RULE_MAX_NS, .min = 1 } },
	};
	static const struct {
		const char *by;
		uint32_t flags;
	} ways[] = {
		{ "egress", REIN_WATCH_EGRESS },
		{ "ingress", REIN_WATCH_INGRESS },
		{ "any", REIN_WATCH_EGRESS | REIN_WATCH_INGRESS },
	};
	char line[256];
	size_t i;

	forget();
	for (i = 0; i < COUNT(ways); i++) {
		snprintf(line, sizeof(line), "watch add web --cgroup web --every 1s --beat %s",
			 ways[i].by);
		CHECK_STR(run(line)->err, "");
		CHECK_EQ(kernel->asked.watch.flags, REIN_WATCH_ARM | ways[i].flags);
	}
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(line, sizeof(line), "watch add web --pid %d %s", getpid(), rows[i].line);
		CHECK_STR(run(line)->err, "");
		CHECK_EQ(kernel->asked.watch.flags, rows[i].flags);
		CHECK_EQ(!memcmp(&kernel->asked.watch.rules, &rows[i].rules,
				 sizeof(rows[i].rules)), 1);
		CHECK_EQ(kernel->asked.watch.n_steps, 0);
	}
}

static void steps(void)
{
	static const struct {
		const char *text;
		uint32_t n;
		struct rein_watch_step steps[3];
	} rows[] = {
		{ "record", 1, { { REIN_STEP_RECORD, 0, 0 } } },
		{ "kill:5s", 1, { { REIN_STEP_KILL, 0, 5 * SEC } } },
		{ "signal:TERM,kill:250ms", 2,
		  { { REIN_STEP_SIGNAL, SIGTERM, 0 }, { REIN_STEP_KILL, 0, 250 * MSEC } } },
		{ "signal:sigusr1:2,signal:9:0,exec", 3,
		  { { REIN_STEP_SIGNAL, SIGUSR1, 2 * SEC }, { REIN_STEP_SIGNAL, SIGKILL, 0 },
		    { REIN_STEP_EXEC, 0, 0 } } },
	};
	char line[256];
	size_t i;

	forget();
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(line, sizeof(line), "watch add web --pid %d --every 1s --on-miss %s",
			 getpid(), rows[i].text);
		CHECK_STR(run(line)->err, "");
		CHECK_EQ(kernel->asked.watch.n_steps, rows[i].n);
		CHECK_EQ(!memcmp(kernel->steps, rows[i].steps,
				 rows[i].n * sizeof(kernel->steps[0])), 1);
	}
}

#define NINE_STEPS	"exec,exec,exec,exec,exec,exec,exec,exec,exec"

/* What is wrong is said before the kernel is asked. */
static void mistakes(void)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "watch add", "the NAME of the watch is missing" },
		{ "watch add 12 --pid 1 --every 1s", "would be taken for an ID" },
		{ "watch add -- -x", "a watch can't be called '-x'" },
		{ "watch add web --every 1s", "a watch needs a target" },
		{ "watch add web --every 1s --pid 1 --cgroup web", "kept over one thing" },
		{ "watch add web --pid 1", "a watch has to expect something" },
		{ "watch add web --pid x --every 1s", "option: --pid x" },
		{ "watch add web --pid 9999999 --every 1s", "there is no such process" },
		{ "watch add web --socket 1 --every 1s", "write: --socket PID:FD" },
		{ "watch add web --socket 1:2x --every 1s", "write: --socket PID:FD" },
		{ "watch add web --pid 1 --every 0", "hint: from 1ms to 3650day" },
		{ "watch add web --pid 1 --every 999us", "hint: from 1ms to 3650day" },
		{ "watch add web --pid 1 --every infinity", "hint: from 1ms to 3650day" },
		{ "watch add web --pid 1 --every 5m", "'m' is not a unit of time" },
		{ "watch add web --pid 1 --every 1s --miss 1001", "a number from 0 to 1000" },
		{ "watch add web --pid 1 --every 1s --min 0", "how many are too many: --max N" },
		{ "watch add web --pid 1 --every 1s --min 3 --max 2", "--max 2 is less than" },
		{ "watch add web --pid 1 --unit-max 1s --unit-min 2s", "less than --unit-min" },
		{ "watch add web --pid 1 --every 1s --pretimeout 1s", "shorter than --every" },
		{ "watch add web --pid 1 --unit-max 1s --pretimeout 2s", "shorter than --every" },
		{ "watch add web --pid 1 --every 2s --grace 1s --pretimeout 1s", "shorter than" },
		{ "watch add web --pid 1 --order 1>2 --pretimeout 1s", "no time that can be up" },
		{ "watch add web --pid 1 --unit-max 1s --grace 2s", "give it a cycle: --every" },
		{ "watch add web --pid 1 --order 1", "the order can't be read: '1'" },
		{ "watch add web --pid 1 --order 1>16", "the order can't be read: '1>16'" },
		{ "watch add web --pid 1 --order 1>2,", "the order can't be read: ''" },
		{ "watch add web --pid 1 --order -1>2", "the order can't be read: '-1>2'" },
		{ "watch add web --pid 1 --order 1>2>3", "the order can't be read: '1>2>3'" },
		{ "watch add web --pid 1 --every 1s --beat any", "--cgroup PATH, --socket PID:FD" },
		{ "watch add web --cgroup web --every 1s --beat all",
		  "one of: egress ingress any" },
		{ "watch add web --cgroup web --unit-max 1s --beat any", "give it a cycle" },
		{ "watch add web --cgroup web --every 1s --beat any --token",
		  "leave out --token" },
		{ "watch add web --pid 1 --every 1s --on-miss die", "there is no such step" },
		{ "watch add web --pid 1 --every 1s --on-miss kill,", "there is no such step" },
		{ "watch add web --pid 1 --every 1s --on-miss signal", "say which signal" },
		{ "watch add web --pid 1 --every 1s --on-miss signal:5s", "say which signal" },
		{ "watch add web --pid 1 --every 1s --on-miss kill:1s:2s", "says too much" },
		{ "watch add web --pid 1 --every 1s --on-miss kill:x", "begins with a digit" },
		{ "watch add web --pid 1 --every 1s --on-miss kill:infinity", "too long" },
		{ "watch add web --pid 1 --every 1s --on-miss reset", "name a socket" },
		{ "watch add web --socket 1:2 --every 1s --on-miss kill", "can't be signalled" },
		{ "watch add w --pid 1 --every 1s --on-miss " NINE_STEPS, "at most 8 steps" },
		{ "watch wait 7", "what to wait for is missing" },
		{ "watch wait 7 --for beats", "hint: one of: beat begin end miss expired step" },
		{ "watch arm 7 --off --every 1s", "a watch that isn't armed has no time" },
		{ "watch arm 7 --grace 0", "from 1ms" },
		{ "beat", "the ID or NAME of the watch is missing" },
		{ "beat 7 --begin a --end a", "exclude each other" },
		{ "beat 7 --begin=", "a unit of work can't be called ''" },
		{ "beat 7 --end 01234567890123456789012345678901", "1 to 31 characters" },
		{ "beat 7 --deadline 1s", "begin one: --begin UNIT" },
		{ "beat 7 --checkpoint 16", "a number from 0 to 15" },
		{ "beat 7 --token x", "option: --token x" },
	};
	struct ran *ran;
	size_t i;

	forget();
	for (i = 0; i < COUNT(rows); i++) {
		ran = run(rows[i].line);
		CHECK_EQ(ran->status, 1);
		if (!strstr(ran->err, rows[i].says))
			CHECK_STR(ran->err, rows[i].says);
	}
	CHECK_EQ(run("watch run web --every 1s")->status, 125);
	CHECK_EQ(run("watch run web -- true")->status, 125);
	CHECK_EQ(run("watch run web --every 1s --backoff 1s -- true")->status, 125);
	CHECK_EQ(run("watch run web --every 1s --restart --backoff 2s,1s -- true")->status, 125);
	CHECK_EQ(run("watch run web --every 1s --restart --backoff 0 -- true")->status, 125);
	CHECK_EQ(run("watch run web --every 1s -s NONE -- true")->status, 125);
	CHECK_EQ(run("monitor scopes --exec true")->status, 1);
}

/* --- what it is kept over ---------------------------------------------------------------- */

static void started(void)
{
	static const char rest[] = "S 1 2 3 0 -1 4194560 5 6 7 8 9 10 11 12 20 0 1 0 4711 13 14\n";
	static const struct {
		const char *before;
		int ret;
	} rows[] = {
		{ "77 (sh) ", 0 }, { "77 (a b c) ", 0 }, { "77 (x) S 1 (y)) ", 0 },
		{ "77 (\n) ", 0 }, { "77 sh ", -1 },
	};
	uint64_t start = 0, own = 0;
	char stat[256];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(stat, sizeof(stat), "%s%s", rows[i].before, rest);
		test_row = stat;
		start = 4711;
		CHECK_EQ(process_parse_start(stat, &start), rows[i].ret);
		CHECK_EQ(start, 4711);
	}
	CHECK_EQ(process_parse_start("77 (sh) S 1 2", &start), -1);
	CHECK_EQ(process_parse_start("", &start), -1);
	CHECK_EQ(process_start(getpid(), &own), 0);
	CHECK_EQ(own > 0, 1);
	CHECK_EQ(-process_start(9999999, &own), ESRCH);
}

static void subjects(void)
{
	char line[128];
	uint64_t start;
	int fd, ends[2];

	forget();
	CHECK_STR(run("watch add web --cgroup web --every 1s --on-miss kill")->err, "");
	CHECK_EQ(kernel->asked.watch.subject, REIN_SUBJECT_CGROUP);
	CHECK_EQ(kernel->asked.watch.fd >= 0 && kernel->asked.watch.kill_fd >= 0, 1);
	CHECK_EQ(kernel->asked.watch.flags, REIN_WATCH_ARM);
	CHECK_EQ(run("watch add web --cgroup / --every 1s")->status, 0);
	CHECK_EQ(kernel->asked.watch.kill_fd, -1ULL);
	CHECK_STR(run("watch add web --cgroup / --every 1s --on-miss kill")->err,
		  "error: its cgroup.kill can't be opened: No such file or directory\n"
		  "option: --cgroup /\nhint: the root of the hierarchy can't be killed\n");
	process_start(getpid(), &start);
	snprintf(line, sizeof(line), "-v watch add web --pid %d --every 1s", getpid());
	CHECK_STR(run(line)->out, "added watch web (id 41)\n");
	CHECK_EQ(kernel->asked.watch.pid, getpid());
	CHECK_EQ(kernel->asked.watch.start, start);
	CHECK_STR(run("-j watch add web --cgroup web --every 1s")->out,
		  "{\"result\":\"added\",\"watch\":\"web\",\"id\":\"41\"}\n");
	/* The child takes it from its parent. */
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fd = fcntl(ends[0], F_DUPFD, 200);
	snprintf(line, sizeof(line), "watch add web --socket %d:%d --every 1s --on-miss reset",
		 getpid(), fd);
	if (run(line)->status == 0)
		CHECK_EQ(kernel->asked.watch.subject, REIN_SUBJECT_SOCKET);
	close(fd);
	close(ends[0]);
	close(ends[1]);
	CHECK_EQ(run(line)->status, 1);
}

/* The scope that is cancelled is that which is bound to the very cgroup. */
static void cancels(void)
{
	struct stat stat;
	char path[128];

	forget();
	CHECK_EQ(run("watch add web --cgroup web --every 1s --on-miss cancel")->status, 1);
	snprintf(path, sizeof(path), "%s/web", directory);
	CHECK_EQ(lstat(path, &stat), 0);
	kernel->scope = (struct rein_scope){ .id = 7, .cgroup_id = stat.st_ino };
	CHECK_STR(run("watch add web --cgroup web --every 1s --on-miss cancel")->err, "");
	CHECK_EQ(kernel->asked.watch.scope_fd >= 0, 1);
	CHECK_EQ(run("watch add web --cgroup / --every 1s --on-miss cancel")->status, 1);
	kernel->scope.cause = REIN_CAUSE_USER;
	CHECK_STR(run("watch add web --cgroup web --every 1s --on-miss cancel")->err,
		  "error: there is nothing to cancel: no scope is bound to that cgroup\n"
		  "option: --on-miss cancel\n"
		  "hint: run it in a scope: rein scope run; or let it be killed: --on-miss kill\n");
}

/* --- shown ---------------------------------------------------------------------------------- */

static const uint8_t address[] = { 10, 9, 0, 1 };

static void two_watches(void)
{
	forget();
	kernel->n = 2;
	kernel->watches[0] = (struct rein_watch){
		.id = 5, .name = "web", .status = REIN_WATCH_EXPIRED, .fault = REIN_FAULT_SILENT,
		.misses = 4, .record = 12, .subject = REIN_SUBJECT_CGROUP, .cgroup_id = 92,
		.cgroup = "/web", .flags = REIN_WATCH_TOKEN,
		.rules = { .every_ns = 2 * SEC, .grace_ns = 10 * SEC, .pretimeout_ns = 500 * MSEC,
			   .miss = 3, .min = 1, .first = 2, .next = { 0, 4, 2 | 4 } },
		.steps = { { REIN_STEP_SIGNAL, SIGTERM, 0 }, { REIN_STEP_KILL, 0, 5 * SEC } },
		.n_steps = 2, .at_step = 1, .beats = 17, .faults = 5, .expiries = 1,
		.has_idle = true, .idle_ns = 8500 * MSEC, .pid = 77, .comm = "make",
		.has_uid = true, .uid = 1000,
	};
	kernel->watches[1] = (struct rein_watch){
		.id = 7, .status = REIN_WATCH_RUNNING, .frozen = true,
		.subject = REIN_SUBJECT_SOCKET, .has_socket = true,
		.socket = { .family = AF_INET, .protocol = 6, .source = address,
			    .source_len = 4, .source_port = 80, .destination = address,
			    .destination_len = 4, .destination_port = 5204 },
		.rules = { .every_ns = SEC, .min = 2, .max = 5, .unit_min_ns = MSEC,
			   .unit_max_ns = 3 * SEC },
		.begins = 2, .ends = 1, .has_left = true, .left_ns = 400 * MSEC,
		.unit = "job-17", .unit_ns = 1200 * MSEC,
	};
}

static void shown(void)
{
	two_watches();
	CHECK_STR(run("watch list")->out,
		  "ID  NAME  STATE            OVER         EVERY  LEFT   MISSES  UNIT\n"
		  "5   web   expired          cgroup /web  2s     -      4/3     -\n"
		  "7   -     running, frozen  socket       1s     400ms  0/0     job-17\n");
	CHECK_STR(run("watch list none")->out, "");
	CHECK_STR(run("watch list -s web")->out,
		  "ID  NAME  STATE    OVER         EVERY  LEFT  MISSES  UNIT  BEATS  BEGINS  ENDS  FAULTS  EXPIRED\n"
		  "5   web   expired  cgroup /web  2s     -     4/3     -     17     0       0     5       1\n");
	CHECK_STR(run("watch show web")->out,
		  "watch web (id 5)\n"
		  "  state:    expired\n"
		  "  fault:    silent: too few beats in a cycle\n"
		  "  misses:   4 in a row, puts up with 3\n"
		  "  record:   12 (rein errors show 12)\n"
		  "  over:     cgroup /web (id 92)\n"
		  "  every:    2s, at least 1 beat, at first 10s\n"
		  "  order:    >1,1>2,2>1,2>2\n"
		  "  warns:    500ms before it expires\n"
		  "  token:    each beat has to carry one\n"
		  "  on miss:  signal SIGTERM, done\n"
		  "            kill after 5s\n"
		  "  beats:    17, the last one 8.5s ago\n"
		  "  begins:   0\n"
		  "  ends:     0\n"
		  "  faults:   5\n"
		  "  expired:  1 time\n"
		  "  made by:  pid 77, make, uid 1000\n");
	CHECK_STR(run("watch show 7")->out,
		  "watch without a name (id 7)\n"
		  "  state:    running, frozen: time doesn't count\n"
		  "  misses:   0 in a row, puts up with 0\n"
		  "  left:     400ms\n"
		  "  unit:     job-17, for 1.2s\n"
		  "  over:     socket tcp from 10.9.0.1 port 80 to 10.9.0.1 port 5204\n"
		  "  every:    1s, at least 2 and at most 5 beats\n"
		  "  units:    at least 1ms, at most 3s\n"
		  "  beats:    0\n"
		  "  begins:   2\n"
		  "  ends:     1\n"
		  "  faults:   0\n"
		  "  expired:  0 times\n");
}

#define FLAGS	(JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static const char *member(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return "(no such key)";
	return value ? json_object_to_json_string_ext(value, FLAGS) : "null";
}

#define PAIR(from, to)	"{\"from\":" from ",\"to\":" to "}"
#define STEP(kind, signal, delay, done)						\
	"{\"kind\":\"" kind "\",\"signal\":" signal ",\"delay_ns\":" delay		\
	",\"done\":" done "}"

/* Each of them, and how many there are. */
static void shown_json(void)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{ "id", "\"5\"" },
		{ "name", "\"web\"" },
		{ "state", "\"expired\"" },
		{ "frozen", "false" },
		{ "left_ns", "null" },
		{ "fault", "\"silent\"" },
		{ "misses", "4" },
		{ "record", "\"12\"" },
		{ "idle_ns", "8500000000" },
		{ "unit", "null" },
		{ "unit_ns", "null" },
		{ "beats", "17" },
		{ "begins", "0" },
		{ "ends", "0" },
		{ "faults", "5" },
		{ "expiries", "1" },
		{ "subject", "\"cgroup\"" },
		{ "subject_pid", "null" },
		{ "cgroup", "\"/web\"" },
		{ "cgroup_id", "\"92\"" },
		{ "socket", "null" },
		{ "every_ns", "2000000000" },
		{ "grace_ns", "10000000000" },
		{ "pretimeout_ns", "500000000" },
		{ "unit_min_ns", "null" },
		{ "unit_max_ns", "null" },
		{ "miss", "3" },
		{ "beats_min", "1" },
		{ "beats_max", "null" },
		{ "order", "[" PAIR("null", "1") "," PAIR("1", "2") "," PAIR("2", "1") ","
			   PAIR("2", "2") "]" },
		{ "steps", "[" STEP("signal", "\"SIGTERM\"", "0", "true") ","
			   STEP("kill", "null", "5000000000", "false") "]" },
		{ "at_step", "1" },
		{ "beat_by", "[\"call\"]" },
		{ "token", "true" },
		{ "owned", "false" },
		{ "pid", "77" },
		{ "comm", "\"make\"" },
		{ "uid", "1000" },
	};
	struct json_object *document;
	size_t i;

	two_watches();
	document = json_tokener_parse(run("-j watch show 5")->out);
	CHECK_EQ(json_object_object_length(document), COUNT(rows));
	for (i = 0; i < COUNT(rows); i++) {
		test_row = rows[i].key;
		CHECK_STR(member(document, rows[i].key), rows[i].value);
	}
	json_object_put(document);
	/* The list has all of it, too. */
	document = json_tokener_parse(run("-j watch list")->out);
	CHECK_EQ(json_object_array_length(document), 2);
	CHECK_EQ(json_object_object_length(json_object_array_get_idx(document, 0)), COUNT(rows));
	CHECK_STR(member(json_object_array_get_idx(document, 1), "unit"), "\"job-17\"");
	json_object_put(document);
}

static const char *event_text(const struct rein_watch *watch, bool json)
{
	static char text[4096];
	struct out out = { .json = json };
	size_t size;
	char *made;

	out.file = open_memstream(&made, &size);
	out_object(&out, NULL);
	show_watch_event(&out, watch);
	out_end(&out);
	out_flush(&out);
	out_free(&out);
	fclose(out.file);
	snprintf(text, sizeof(text), "%s", made);
	free(made);
	return text;
}

static void events(void)
{
	struct rein_watch watch;

	two_watches();
	watch = kernel->watches[0];
	watch.event = REIN_WATCH_EVENT_MADE;
	watch.record = 0;
	CHECK_STR(event_text(&watch, false), "watch 5 web  over cgroup /web\n");
	watch.event = REIN_WATCH_EVENT_EXPIRED;
	watch.record = 12;
	watch.unit = "job-17";
	CHECK_STR(event_text(&watch, false),
		  "watch 5 web  silent: too few beats in a cycle, in unit job-17  record 12\n");
	watch.event = REIN_WATCH_EVENT_STEP;
	CHECK_EQ(hooks_want(&watch), 0);
	CHECK_STR(event_text(&watch, false), "watch 5 web  kill  record 12\n");
	watch.at_step = 0;
	watch.err = EPERM;
	CHECK_STR(event_text(&watch, false),
		  "watch 5 web  signal SIGTERM, failed: Operation not permitted  record 12\n");
	CHECK_EQ(!strstr(event_text(&watch, true), "\"errno\":1,"), 0);
	watch.test = true;
	watch.steps[0].signal = 40;
	CHECK_STR(event_text(&watch, false), "watch 5 web  signal 40, only told of  record 12\n");
	CHECK_EQ(!strstr(event_text(&watch, true), "\"test\":true"), 0);
	watch.steps[0].kind = REIN_STEP_EXEC;
	CHECK_EQ(hooks_want(&watch), 0);
	watch.test = false;
	CHECK_EQ(hooks_want(&watch), 1);
	watch.at_step = 9;
	CHECK_EQ(hooks_want(&watch), 0);
	CHECK_STR(event_text(&watch, false),
		  "watch 5 web, failed: Operation not permitted  record 12\n");
}

static void named(void)
{
	two_watches();
	kernel->watches[1].name = "web";
	CHECK_EQ(run("watch show web")->status, 1);
	CHECK_STR(run("watch show web")->err,
		  "error: several watches have that name\noption: web\n"
		  "hint: name it by its id: rein watch list\ntarget: 5\ntarget: 7\n");
	CHECK_EQ(run("watch show none")->status, 2);
	CHECK_STR(run("-q watch show none")->err, "error: there is no watch of that name\n");
	CHECK_EQ(run("watch show 99")->status, 2);
	/* The kernel looks for it, and if it finds several they are listed. */
	kernel->err = ENOTUNIQ;
	CHECK_EQ(!strstr(run("-j beat web")->err, "\"targets\":[\"5\",\"7\"]"), 0);
	refuse(723, EACCES);
	CHECK_EQ(run("watch del web")->status, 2);
	CHECK_STR(run("watch del web")->err,
		  "error: it says no\noption: web\nhint: run rein as the user who made it, or as root\n"
		  "record: 9 (rein errors show 9)\n");
	refuse(0, ENOTTY);
	CHECK_STR(run("-q beat 7")->err, "error: the module is too old to know watches\n");
}

/* --- waiting, beating, arming ----------------------------------------------------------------- */

static void waited(void)
{
	forget();
	kernel->has_state = true;
	kernel->state = (struct rein_watch_state){
		.id = 7, .count = { 5, 1, 0, 2 }, .last_ns = 3 * SEC, .token = 1ULL << 60,
		.record = 12, .status = REIN_WATCH_RUNNING, .fault = REIN_FAULT_LATE, .misses = 1,
		.unit_ns = 2 * SEC, .unit = "job-17",
	};
	CHECK_STR(run("watch wait web --for begin")->out,
		  "begin: watch 7, running, in unit job-17, fault late, record 12\n");
	CHECK_EQ(kernel->asked.look.flags, REIN_LOOK_OBSERVE);
	CHECK_EQ(kernel->asked.look.wants, 1 << REIN_COUNT_BEGIN | 1 << REIN_COUNT_GONE);

	CHECK_EQ(run("watch wait web --for expired --timeout 20ms")->status, 4);
	kernel->state.status = REIN_WATCH_GONE;
	kernel->state.count[REIN_COUNT_GONE] = 1;
	CHECK_EQ(run("watch wait web --for gone")->status, 0);
	CHECK_EQ(run("watch wait web --for beat")->status, 0);
	CHECK_EQ(run("watch wait web --for expired")->status, 2);
	CHECK_EQ(!strstr(run("-v watch wait web --for expired")->err, "code: REIN-E0731"), 0);
	kernel->has_state = false;
	CHECK_EQ(run("watch wait web --for beat --timeout 0")->status, 4);
	CHECK_STR(run("-q watch wait web --for beat --timeout 10ms")->err,
		  "error: the watch has had no beat yet\n");
}

static void waited_json(void)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{ "result", "\"miss\"" }, { "watch", "\"7\"" }, { "state", "\"running\"" },
		{ "beats", "5" }, { "begins", "1" }, { "ends", "0" }, { "faults", "2" },
		{ "expiries", "3" }, { "steps", "4" }, { "resumes", "6" }, { "gone", "0" },
		{ "unit", "null" }, { "unit_monotonic_ns", "null" },
		{ "beat_monotonic_ns", "3000000000" }, { "token", "\"1152921504606846976\"" },
		{ "fault", "\"late\"" }, { "misses", "1" }, { "record", "\"12\"" },
	};
	struct json_object *document;
	size_t i;

	forget();
	kernel->has_state = true;
	kernel->state = (struct rein_watch_state){
		.id = 7, .count = { 5, 1, 0, 2, 3, 4, 6 }, .last_ns = 3 * SEC,
		.token = 1ULL << 60, .record = 12, .status = REIN_WATCH_RUNNING,
		.fault = REIN_FAULT_LATE, .misses = 1,
	};
	document = json_tokener_parse(run("-j watch wait web --for miss")->out);
	CHECK_EQ(json_object_object_length(document), COUNT(rows));
	for (i = 0; i < COUNT(rows); i++) {
		test_row = rows[i].key;
		CHECK_STR(member(document, rows[i].key), rows[i].value);
	}
	json_object_put(document);
}

static void beaten(void)
{
	forget();
	CHECK_STR(run("beat web")->out, "");
	CHECK_EQ(kernel->asked.beat.kind, REIN_BEAT);
	CHECK_STR(run("-j beat web")->out,
		  "{\"result\":\"beat\",\"watch\":\"web\",\"token\":null}\n");
	CHECK_EQ(run("beat web --begin job-17 --deadline 5s")->status, 0);
	CHECK_EQ(kernel->asked.beat.kind, REIN_BEAT_BEGIN);
	CHECK_EQ(kernel->asked.beat.deadline_ns, 5 * SEC);
	CHECK_STR(kernel->asked.beat.unit, "job-17");
	CHECK_EQ(run("beat web --end job-17")->status, 0);
	CHECK_EQ(kernel->asked.beat.kind, REIN_BEAT_END);
	CHECK_EQ(run("beat web --checkpoint 0")->status, 0);
	CHECK_EQ(kernel->asked.beat.kind, REIN_BEAT_CHECKPOINT);
	CHECK_EQ(run("beat web --checkpoint 15")->status, 0);
	CHECK_EQ(kernel->asked.beat.checkpoint, 15);
	kernel->token = 123;
	CHECK_STR(run("beat web --token 18446744073709551615")->out, "123\n");
	CHECK_EQ(kernel->asked.beat.token, UINT64_MAX);
}

static void armed(void)
{
	two_watches();
	CHECK_STR(run("-v watch arm web")->out, "armed watch web\n");
	CHECK_EQ(kernel->asked.arm.flags, 0);
	CHECK_EQ(run("watch arm web --every 5s")->status, 0);
	CHECK_EQ(kernel->asked.arm.flags, REIN_ARM_EVERY);
	CHECK_EQ(kernel->asked.arm.every_ns, 5 * SEC);
	CHECK_EQ(run("watch arm web --grace 1min --every 5s")->status, 0);
	CHECK_EQ(kernel->asked.arm.flags, REIN_ARM_EVERY | REIN_ARM_GRACE);
	CHECK_EQ(kernel->asked.arm.grace_ns, 60 * SEC);
	CHECK_STR(run("-j watch arm web --off")->out,
		  "{\"result\":\"disarmed\",\"watch\":\"web\"}\n");
	CHECK_EQ(kernel->asked.arm.flags, REIN_ARM_OFF);
	CHECK_EQ(run("watch del web")->status, 0);
	CHECK_EQ(kernel->request, REIN_IOC_UNWATCH);
}

static void tested(void)
{
	two_watches();
	kernel->answer.record = 14;
	CHECK_STR(run("watch test web")->out,
		  "tested watch web, nothing is done: record 14\n"
		  "  step:  signal SIGTERM, done\n"
		  "  step:  kill after 5s\n");
	CHECK_EQ(kernel->asked.test.flags, 0);
	kernel->watches[0].status = REIN_WATCH_RUNNING;
	CHECK_STR(run("watch test web --real")->out,
		  "expired watch web, its steps are done: record 14\n"
		  "  step:  signal SIGTERM\n"
		  "  step:  kill after 5s\n");
	CHECK_EQ(kernel->asked.test.flags, REIN_TEST_REAL);
	CHECK_EQ(!strstr(run("-j watch test web")->out, "\"record\":\"14\",\"steps\":[{"), 0);
}

/* --- what a command says of itself ------------------------------------------------- */

static const struct notice *parsed(const char *text, size_t len)
{
	static struct notice notice;
	char room[NOTIFY_MAX + 1];

	memcpy(room, text, len);
	notify_parse(room, len, &notice);
	return &notice;
}

static void notices(void)
{
	static const struct {
		const char *text;
		uint32_t says;
	} rows[] = {
		{ "READY=1", NOTICE_READY },
		{ "READY=1\n", NOTICE_READY },
		{ "READY=0", 0 },
		{ "READY=11", 0 },
		{ "READY", 0 },
		{ "ready=1", 0 },
		{ " READY=1", 0 },
		{ "READY=1 ", 0 },
		{ "=1", 0 },
		{ "", 0 },
		{ "\n\n\n", 0 },
		{ "WATCHDOG=1", NOTICE_BEAT },
		{ "WATCHDOG=trigger", NOTICE_TRIGGER },
		{ "WATCHDOG=", 0 },
		{ "WATCHDOG=Trigger", 0 },
		{ "WATCHDOG_USEC=20", NOTICE_EVERY },
		{ "WATCHDOG_USEC=0", NOTICE_EVERY },
		{ "WATCHDOG_USEC=-1", 0 },
		{ "WATCHDOG_USEC= 1", 0 },
		{ "WATCHDOG_USEC=1s", 0 },
		{ "WATCHDOG_USEC=18446744073709551615", 0 },
		{ "WATCHDOG_USEC=99999999999999999999999", 0 },
		{ "EXTEND_TIMEOUT_USEC=5000000", NOTICE_EXTEND },
		{ "STOPPING=1", NOTICE_STOPPING },
		{ "STATUS=", NOTICE_STATUS },
		{ "MAINPID=12", NOTICE_MAIN },
		{ "MAINPID=0", 0 },
		{ "MAINPID=4294967297", 0 },
		{ "BARRIER=1", NOTICE_BARRIER },
		{ "FDSTORE=1\nX_RUBBISH=\x80\x81", 0 },
		{ "READY=1\nSTATUS=up\nMAINPID=7\nWATCHDOG=1",
		  NOTICE_READY | NOTICE_STATUS | NOTICE_MAIN | NOTICE_BEAT },
		{ "junk\n=\n==\nWATCHDOG=1\nREADY=2", NOTICE_BEAT },
	};
	char text[NOTIFY_MAX];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		test_row = rows[i].text;
		CHECK_EQ(parsed(rows[i].text, strlen(rows[i].text))->says, rows[i].says);
	}
	CHECK_EQ(parsed("WATCHDOG_USEC=20\nWATCHDOG_USEC=30", 33)->every_us, 30);
	CHECK_EQ(parsed("EXTEND_TIMEOUT_USEC=5", 21)->extend_us, 5);
	CHECK_STR(parsed("STATUS=a=b c", 12)->status, "a=b c");
	/* One NUL at the end is the sender's; any other is no text. */
	CHECK_EQ(parsed("READY=1", 8)->says, NOTICE_READY);
	CHECK_EQ(parsed("READY=1\0\0", 9)->says, 0);
	CHECK_EQ(parsed("READY=1\0STOPPING=1", 18)->says, 0);
	memset(text, 'x', sizeof(text));
	memcpy(text, "STATUS=", 7);
	CHECK_EQ(strlen(parsed(text, sizeof(text))->status), 255);
}

/* @n_fds: so many descriptors come along; @len: 0: that of the text. */
static bool send_notice(const struct notify *notify, const char *text, size_t len, int n_fds)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), fds[253], i;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(fds))];
	} control;
	struct iovec iov = { (void *)text, len ? len : strlen(text) };
	struct msghdr msg = { .msg_name = (void *)&notify->address,
			      .msg_namelen = sizeof(notify->address), .msg_iov = &iov,
			      .msg_iovlen = 1 };
	bool sent;

	for (i = 0; i < n_fds; i++)
		fds[i] = STDERR_FILENO;
	if (n_fds) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(fds[0]));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n_fds * sizeof(fds[0]));
		memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(fds[0]));
	}
	sent = sendmsg(fd, &msg, MSG_DONTWAIT) >= 0;
	close(fd);
	return sent;
}

static void received(void)
{
	static char text[2 * NOTIFY_MAX];
	size_t files = open_files();
	struct notice notice;
	struct notify notify;
	struct stat stat;
	pid_t pid = 0;
	int i;

	CHECK_EQ(notify_open(&notify), 0);
	CHECK_EQ(lstat(notify.directory, &stat), 0);
	CHECK_EQ(stat.st_mode & 0777, 0711);
	CHECK_EQ(notify_take(&notify, &notice, &pid), 0);
	CHECK_EQ(send_notice(&notify, "READY=1\nWATCHDOG=1", 0, 0), 1);
	CHECK_EQ(send_notice(&notify, "BARRIER=1", 0, 1), 1);
	CHECK_EQ(notify_take(&notify, &notice, &pid), 1);
	CHECK_EQ(notice.says, NOTICE_READY | NOTICE_BEAT);
	CHECK_EQ(pid, getpid());
	CHECK_EQ(notify_take(&notify, &notice, &pid), 1);
	CHECK_EQ(notice.says, NOTICE_BARRIER);
	/* As many as can come, also with what is too long to be read. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "READY=1\n", 8);
	for (i = 0; i < 8; i++) {
		CHECK_EQ(send_notice(&notify, text, i & 1 ? sizeof(text) : 8, 253), 1);
		CHECK_EQ(notify_take(&notify, &notice, &pid), 1);
		CHECK_EQ(notice.says, i & 1 ? 0 : NOTICE_READY);
	}
	CHECK_EQ(send_notice(&notify, text, NOTIFY_MAX, 0), 1);
	CHECK_EQ(notify_take(&notify, &notice, &pid), 1);
	CHECK_EQ(notice.says, NOTICE_READY);
	CHECK_EQ(open_files(), files + 1);
	notify_close(&notify);
	CHECK_EQ(open_files(), files);
	CHECK_EQ(lstat(notify.directory, &stat), -1ULL);
}

/* An address has no room for more. */
static void long_directory(void)
{
	char path[200];
	struct notify notify;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[199] = '\0';
	setenv("TMPDIR", path, 1);
	CHECK_EQ(notify_open(&notify), 0);
	CHECK_EQ(strncmp(notify.directory, "/tmp/rein-", 10), 0);
	notify_close(&notify);
	setenv("TMPDIR", "/none/such", 1);
	CHECK_EQ(-notify_open(&notify), ENOENT);
	notify_close(&notify);
	unsetenv("TMPDIR");
}

/* Who is in the cgroup, or below, and not in one whose name only begins alike. */
static void inside(void)
{
	struct cell cell = CELL_NONE;
	FILE *file = fopen("/proc/self/cgroup", "re");
	char own[PATH_MAX], *last;
	int ret = file ? rein_read_cgroup(file, own, sizeof(own)) : -1;

	if (file)
		fclose(file);
	if (ret || !own[1])
		return;
	last = strrchr(own, '/');
	snprintf(cell.name, sizeof(cell.name), "%.100s", last + 1);
	*last = '\0';
	snprintf(cell.path, sizeof(cell.path), "%s", *own ? own : "/");
	CHECK_EQ(cell_has(&cell, getpid()), 1);
	cell.name[strlen(cell.name) - 1] = '\0';
	CHECK_EQ(cell_has(&cell, getpid()), 0);
	CHECK_EQ(cell_has(&cell, 9999999), 0);
}

/* --- what heals --------------------------------------------------------------------- */

static void wait_hooks(struct cli *cli, struct hooks *hooks, const char *command)
{
	int i;

	for (i = 0; i < 500 && hooks->n; i++) {
		usleep(10000);
		hooks_reap(cli, hooks, command);
	}
}

/* One at a time, and of what comes meanwhile the last. */
static void healed(void)
{
	struct cli cli = { .quiet = true };
	struct hooks hooks = { 0 };
	struct rein_watch watch;
	char command[512], text[256] = "";
	FILE *file;

	two_watches();
	watch = kernel->watches[0];
	snprintf(command, sizeof(command),
		 "exec >>%s/healed\n"
		 "echo $REIN_WATCH_ID $REIN_WATCH_NAME $REIN_WATCH_SUBJECT\n"
		 "echo $REIN_WATCH_CGROUP [$REIN_WATCH_PID] $REIN_WATCH_RECORD $REIN_WATCH_FAULT\n"
		 "sleep 0.1\n", directory);
	hooks_run(&cli, &hooks, command, &watch);
	watch.record = 13;
	hooks_run(&cli, &hooks, command, &watch);
	watch.record = 14;
	hooks_run(&cli, &hooks, command, &watch);
	CHECK_EQ(hooks.n, 1);
	wait_hooks(&cli, &hooks, command);
	CHECK_EQ(hooks.n, 0);
	snprintf(command, sizeof(command), "%s/healed", directory);
	file = fopen(command, "re");
	if (file) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
	}
	unlink(command);
	CHECK_STR(text,
		  "5 web cgroup\n/web [] 12 silent\n"
		  "5 web cgroup\n/web [] 14 silent\n");
	for (watch.id = 1; watch.id <= HOOKS_MAX + 3; watch.id++)
		hooks_run(&cli, &hooks, "true", &watch);
	CHECK_EQ(hooks.n, HOOKS_MAX);
	wait_hooks(&cli, &hooks, "true");
	CHECK_EQ(hooks.n, 0);
	hooks_forget(&hooks);
}

static const struct test tests[] = {
	TEST(made), TEST(calls), TEST(slots), TEST(waits), TEST(rules), TEST(steps),
	TEST(mistakes), TEST(started), TEST(subjects), TEST(cancels), TEST(shown),
	TEST(shown_json), TEST(events), TEST(named), TEST(waited), TEST(waited_json),
	TEST(beaten), TEST(armed), TEST(tested), TEST(notices), TEST(received),
	TEST(long_directory), TEST(inside), TEST(healed),
};

static int set_up(char *cgroup, char *kill, size_t size)
{
	int fd;

	snprintf(cgroup, size, "%s/web", directory);
	snprintf(kill, size, "%s/web/cgroup.kill", directory);
	fd = mkdir(cgroup, 0700) ? -1 : creat(kill, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	char template[] = "/tmp/rein-watch-XXXXXX", cgroup[64], kill[64];
	int ret;

	unsetenv("TMPDIR");
	kernel = shared(sizeof(*kernel));
	directory = mkdtemp(template);
	if (!directory || set_up(cgroup, kill, sizeof(cgroup)))
		return EXIT_FAILURE;
	ret = test_main(tests, COUNT(tests), argc, argv);
	unlink(kill);
	rmdir(cgroup);
	rmdir(directory);
	return ret;
}
