// SPDX-License-Identifier: GPL-2.0
/*
 * rein take and librein's side of /dev/rein, against an ioctl() that answers
 * what it was told to: what is asked, what is said of the answer, and with
 * which status it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sys/ioctl.h>

#include "cli.h"
#include "run.h"

#define MSEC	1000000ULL
#define SEC	1000000000ULL

/**
 * struct device - what stands in for /dev/rein
 * @open_errno:	with which it can't be opened, 0: it can
 * @err:	errno of the ioctl, 0: the tokens are taken
 * @interrupts:	how often it is interrupted before that
 * @raise:	the signal that does, 0: as if the process had been stopped
 * @answer:	what it answers
 * @calls:	how often it was asked
 * @asked:	what it was asked last
 * @wants:	likewise
 */
static struct device {
	int open_errno;
	int err;
	int interrupts;
	int raise;
	struct rein_take_args answer;
	int calls;
	struct rein_take_args asked;
	struct rein_take_want wants[REIN_TAKE_NAMES_MAX];
} *device;

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, REIN_DEV_PATH))
		return openat(AT_FDCWD, path, flags, 0600);
	if (!device->open_errno)
		return openat(AT_FDCWD, "/dev/zero", flags);
	errno = device->open_errno;
	return -1;
}

static int answer_take(struct rein_take_args *args)
{
	device->calls++;
	device->asked = *args;
	memcpy(device->wants, (void *)(uintptr_t)args->wants,
	       args->n_wants * sizeof(*device->wants));
	errno = EINTR;
	if (device->interrupts) {
		device->interrupts--;
		if (device->raise)
			raise(device->raise);
		usleep(20000);
		return -1;
	}
	memcpy(&args->granted_ns, &device->answer.granted_ns,
	       sizeof(*args) - offsetof(struct rein_take_args, granted_ns));
	errno = device->err;
	return device->err ? -1 : 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	(void)fd;
	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	errno = ENOTTY;
	return request == REIN_IOC_TAKE ? answer_take(arg) : -1;
}

static void taken(void)
{
	memset(device, 0, sizeof(*device));
	device->answer.granted_ns = 77 * SEC;
}

static void refused(uint32_t code, int err)
{
	memset(device, 0, sizeof(*device));
	device->err = err;
	device->answer = (struct rein_take_args){
		.code = code, .want = 1, .wanted = 5, .available = 2, .record = 9,
		.limit_id = 3, .retry_after_ns = 1450 * MSEC, .message = "it says no",
	};
}

static void asks(void)
{
	static const struct {
		const char *line;
		uint32_t flags;
		uint64_t deadline_ns;
		unsigned int n;
		uint64_t tokens;
	} rows[] = {
		{ "take a", 0, 0, 1, 1 },
		{ "take a=7", 0, 0, 1, 7 },
		{ "take b=2 a=18446744073709551615 --try", REIN_TAKE_TRY, 0, 2, UINT64_MAX },
		{ "take --timeout 50ms a", REIN_TAKE_TIMEOUT, 50 * MSEC, 1, 1 },
		{ "take --timeout=2 a", REIN_TAKE_TIMEOUT, 2 * SEC, 1, 1 },
		{ "take a --timeout 0", REIN_TAKE_TIMEOUT, 0, 1, 1 },
		{ "take a --timeout infinity", REIN_TAKE_TIMEOUT, INT64_MAX / 2, 1, 1 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct ran *ran;

		taken();
		ran = run(rows[i].line);
		CHECK_STR(ran->err, "");
		CHECK_STR(ran->out, "");
		CHECK_EQ(ran->status, 0);
		CHECK_EQ(device->asked.flags, rows[i].flags);
		CHECK_EQ(device->asked.deadline_ns, rows[i].deadline_ns);
		CHECK_EQ(device->asked.n_wants, rows[i].n);
		CHECK_STR(device->wants[rows[i].n - 1].name, "a");
		CHECK_EQ(device->wants[rows[i].n - 1].tokens, rows[i].tokens);
	}
}

/* What can't be meant is said before anything is asked. */
static void usage(void)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "take", "error: the NAME of a limit is missing\n" },
		{ "take =3", "error: the name of the limit is missing\noption: =3\n" },
		{ "take a=0", "error: '0' is not a number of tokens\noption: a=0\n" },
		{ "take a=", "error: '' is not a number of tokens\n" },
		{ "take a=-1", "error: '-1' is not a number of tokens\n" },
		{ "take a=1k", "error: '1k' is not a number of tokens\n" },
		{ "take a=18446744073709551616", "is not a number of tokens\n" },
		{ "take a b a", "error: a is named twice\noption: a\n" },
		{ "take a=1 a=2", "error: a is named twice\noption: a=2\n" },
		{ "take a --try --timeout 1s", "option: --try\n" },
		{ "take a --timeout", "the value of --timeout is missing" },
		{ "take a --timeout soon", "option: --timeout soon\n" },
		{ "take a --timeout 1s --timeout 2s", "--timeout is given twice" },
		{ "take a --tr", "did you mean --try?" },
		{ "take a234567890123456789012345678901234567890123456789012345678901234",
		  "error: the name is too long: limits have at most 63 characters\n" },
	};
	char line[256];
	size_t i;

	taken();
	for (i = 0; i < COUNT(rows); i++) {
		struct ran *ran = run(rows[i].line);

		CHECK_EQ(ran->status, 1);
		CHECK_EQ(!strstr(ran->err, rows[i].says), 0);
		snprintf(line, sizeof(line), "%s -- true", rows[i].line);
		CHECK_EQ(run(line)->status, 125);
	}
	CHECK_EQ(run("take a --")->status, 125);
	CHECK_EQ(run("-z take a -- true")->status, 125);
	CHECK_EQ(run("-f take a -- true")->status, 125);
	CHECK_EQ(device->calls, 0);
	strcpy(line, "take");
	for (i = 0; i < REIN_TAKE_NAMES_MAX; i++)
		sprintf(line + strlen(line), " n%zu", i);
	CHECK_EQ(run(line)->status, 0);
	CHECK_EQ(device->asked.n_wants, 32);
	strcat(line, " one-more");
	CHECK_EQ(run(line)->status, 1);
	CHECK_EQ(device->calls, 1);
}

static void statuses(void)
{
	static const struct {
		uint32_t code;
		int err, status, with_command;
	} rows[] = {
		{ 501, EAGAIN, 3, 121 },
		{ 502, ETIME, 4, 124 },
		{ 503, ETIMEDOUT, 4, 124 },
		{ 504, E2BIG, 3, 121 },
		{ 505, ENOENT, 2, 125 },
		{ 506, ENOBUFS, 3, 121 },
		{ 507, EINVAL, 2, 125 },
		{ 508, EINVAL, 2, 125 },
		{ 510, EAGAIN, 3, 121 },
		{ 512, ECANCELED, 5, 122 },
		/* The code decides, whatever the errno. */
		{ 510, ETIME, 3, 121 },
		{ 505, EAGAIN, 2, 125 },
		{ 999, EAGAIN, 2, 125 },
		/* Without a code, the errno. */
		{ 0, EAGAIN, 3, 121 },
		{ 0, ETIME, 4, 124 },
		{ 0, ETIMEDOUT, 4, 124 },
		{ 0, E2BIG, 3, 121 },
		{ 0, ENOBUFS, 3, 121 },
		{ 0, ECANCELED, 5, 122 },
		{ 0, ENOENT, 2, 125 },
		{ 0, ENOMEM, 2, 125 },
		{ 0, EFAULT, 2, 125 },
		{ 0, ENOTTY, 2, 125 },
	};
	static char row[64];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		refused(rows[i].code, rows[i].err);
		snprintf(row, sizeof(row), "code %u errno %d", rows[i].code, rows[i].err);
		CHECK_EQ(run("take a b=5")->status, rows[i].status);
		CHECK_EQ(run("take a b=5 --timeout 1s -- true")->status, rows[i].with_command);
		test_row = row;
	}
}

static void messages(void)
{
	refused(501, EAGAIN);
	CHECK_EQ(run("take a b=5")->status, 3);
	CHECK_STR(run("-q take a b=5")->err, "error: it says no\n");
	CHECK_EQ(strncmp(run("take a b=5")->err, "error: it says no\noption: b=5\n", 30), 0);
	CHECK_EQ(!strstr(run("take a b=5")->err,
			 "record: 9 (rein errors show 9)\nretry after 1.5s\n"), 0);
	CHECK_EQ(!strstr(run("take a b=5 -v")->err, "\nwanted: 5, available: 2\n"), 0);
	CHECK_EQ(!strstr(run("take a b=5 -v")->err, "\ncode: REIN-E0501\n"), 0);
	CHECK_STR(run("take a b=5")->out, "");
	/* Rounded up: whoever comes earlier comes in vain. */
	device->answer.retry_after_ns = 1;
	CHECK_EQ(!strstr(run("take a b=5")->err, "retry after 1ms\n"), 0);
	device->answer.retry_after_ns = 999 * MSEC + 1;
	CHECK_EQ(!strstr(run("take a b=5")->err, "retry after 1.0s\n"), 0);
	device->answer.retry_after_ns = REIN_DEV_NEVER;
	CHECK_EQ(!strstr(run("take a b=5")->err, "retry after"), 1);
	device->answer.want = 7;
	CHECK_EQ(!strstr(run("take a b=5")->err, "option:"), 1);
	refused(505, ENOENT);
	CHECK_EQ(!strstr(run("take a b=5")->err, "retry after"), 1);
	/* A message that fills its room has no end of its own. */
	memset(device->answer.message, 'x', sizeof(device->answer.message));
	CHECK_EQ(strlen(run("take a -q")->err), 7 + 127 + 1);
	memset(&device->answer, 0, sizeof(device->answer));
	device->err = ENOTTY;
	CHECK_EQ(!strstr(run("take a")->err, "error: the module is too old to know takes\n"), 0);
	device->err = ENOMEM;
	CHECK_EQ(!strstr(run("take a")->err,
			 "error: the tokens can't be taken: Cannot allocate memory\n"), 0);
}

static struct json_object *key(struct json_object *object, const char *name)
{
	return json_object_object_get(object, name);
}

static void json(void)
{
	struct json_object *document;

	taken();
	device->answer.waited_ns = 1500 * MSEC;
	document = json_tokener_parse(run("-j take a b=5")->out);
	CHECK_STR(json_object_get_string(key(document, "result")), "taken");
	CHECK_STR(json_object_to_json_string_ext(key(document, "wants"), JSON_C_TO_STRING_PLAIN),
		  "[{\"name\":\"a\",\"tokens\":1},{\"name\":\"b\",\"tokens\":5}]");
	CHECK_EQ(json_object_get_int64(key(document, "waited_ns")), 1500 * MSEC);
	CHECK_EQ(json_object_get_int64(key(document, "granted_ns")), 77 * SEC);
	json_object_put(document);
	refused(501, EAGAIN);
	document = json_tokener_parse(run("-j take a b=5")->err);
	CHECK_STR(json_object_get_string(key(document, "error")), "it says no");
	CHECK_STR(json_object_get_string(key(document, "code")), "REIN-E0501");
	CHECK_STR(json_object_get_string(key(document, "option")), "b=5");
	CHECK_STR(json_object_get_string(key(document, "record")), "9");
	CHECK_EQ(json_object_get_int64(key(document, "retry_after_ns")), 1450 * MSEC);
	CHECK_EQ(json_object_get_int64(key(document, "wanted")), 5);
	CHECK_EQ(json_object_get_int64(key(document, "available")), 2);
	json_object_put(document);
	device->answer.retry_after_ns = REIN_DEV_NEVER;
	CHECK_EQ(!strstr(run("-j take a b=5")->err, "\"retry_after_ns\":null,"), 0);
	refused(505, ENOENT);
	document = json_tokener_parse(run("-j take a b=5")->err);
	CHECK_EQ(!document, 0);
	CHECK_EQ(json_object_object_get_ex(document, "retry_after_ns", NULL), 0);
	json_object_put(document);
}

static void said(void)
{
	taken();
	device->answer.waited_ns = 1500 * MSEC;
	CHECK_STR(run("take a b=5 -v")->out, "taken a=1 b=5, waited 1.5s\n");
	CHECK_STR(run("-v take a -- echo hello")->out, "hello\n");
	CHECK_STR(run("-v take a -- echo hello")->err, "taken a=1, waited 1.5s\n");
	CHECK_STR(run("-j take a -- echo hello")->out, "hello\n");
}

/* A script for sh, which becomes what rein was. */
static struct ran *run_script(const char *script)
{
	static char words[7][8] = { "rein", "take", "a", "--", "sh", "-c" };
	char *argv[8], text[256];
	int i;

	snprintf(text, sizeof(text), "%s", script);
	test_row = script;
	for (i = 0; i < 6; i++)
		argv[i] = words[i];
	argv[6] = text;
	argv[7] = NULL;
	return run_argv(7, argv);
}

/* The command is what the process becomes. */
static void commands(void)
{
	taken();
	CHECK_EQ(run("take a -- true")->status, 0);
	CHECK_EQ(run("take a -- false")->status, 1);
	CHECK_STR(run("take a -- echo --help -- -v")->out, "--help -- -v\n");
	CHECK_EQ(run_script("kill -TERM $$")->status, 128 + SIGTERM);
	/* A shell can't get a signal back that was ignored when it began. */
	CHECK_EQ(run_script("trap - PIPE; kill -PIPE $$")->status, 128 + SIGPIPE);
	/* The device is not inherited. */
	CHECK_STR(run_script("readlink /proc/self/fd/* | grep -c /dev/zero")->out, "0\n");
	CHECK_EQ(run("take a -- ./there-is-no-such-command")->status, 127);
	CHECK_EQ(run("take a -- /")->status, 126);
	CHECK_EQ(!strstr(run("take a -- /")->err, "error: can't run /: Permission denied\n"), 0);
	refused(501, EAGAIN);
	CHECK_STR(run("take a -- echo hello")->out, "");
}

static void device_missing(void)
{
	taken();
	device->open_errno = ENXIO;
	CHECK_EQ(run("take a")->status, 6);
	CHECK_EQ(!strstr(run("take a")->err, "error: the rein module is not loaded\n"), 0);
	CHECK_EQ(run("take a -- true")->status, 125);
	device->open_errno = EACCES;
	CHECK_EQ(run("take a")->status, 2);
	CHECK_STR(run("-q take a")->err, "error: /dev/rein can't be opened: Permission denied\n");
	CHECK_EQ(run("take a -- true")->status, 125);
	CHECK_EQ(device->calls, 0);
	device->open_errno = ENOENT;
	CHECK_EQ(-rein_dev_open(), access("/sys/module/rein", F_OK) ? ENODEV : ENOENT);
}

static void signals(void)
{
	taken();
	device->interrupts = 1;
	device->raise = SIGINT;
	CHECK_EQ(run("take a --timeout 5s")->status, 128 + SIGINT);
	device->interrupts = 1;
	device->raise = SIGTERM;
	CHECK_EQ(run("take a -- true")->status, 128 + SIGTERM);
	/* Stopped and continued: it waits on, but not for longer. */
	taken();
	device->interrupts = 2;
	CHECK_EQ(run("take a --timeout 5s")->status, 0);
	CHECK_EQ(device->calls, 3);
	CHECK_EQ(device->asked.deadline_ns <= 4960 * MSEC, 1);
	device->interrupts = 2;
	CHECK_EQ(run("take a --timeout 30ms")->status, 0);
	CHECK_EQ(device->asked.deadline_ns, 0);
	device->interrupts = 1;
	CHECK_EQ(run("take a --timeout infinity")->status, 0);
	CHECK_EQ(device->asked.deadline_ns, INT64_MAX / 2);
}

static void batches(void)
{
	FILE *file = fopen("out/take.batch", "w");

	fputs("take a\ntake b=2 --try\ntake c -- true\n", file);
	fclose(file);
	taken();
	CHECK_EQ(run("-b out/take.batch")->status, 1);
	CHECK_EQ(device->calls, 2);
	CHECK_EQ(!strstr(run("-b out/take.batch")->err, "out/take.batch:3: error: "), 0);
	refused(501, EAGAIN);
	CHECK_EQ(run("-b out/take.batch")->status, 3);
}

/* The library itself. */
static void library(void)
{
	static const struct rein_take_want wants[] = { { "a", 1 }, { "b", 5 } };
	struct rein_take_result result;

	refused(504, E2BIG);
	CHECK_EQ(-rein_take(3, wants, 2, &result), E2BIG);
	CHECK_EQ(device->asked.flags, 0);
	CHECK_EQ(device->asked.n_wants, 2);
	CHECK_EQ(result.code, 504);
	CHECK_EQ(result.want, 1);
	CHECK_EQ(result.wanted, 5);
	CHECK_EQ(result.available, 2);
	CHECK_EQ(result.record, 9);
	CHECK_EQ(result.limit_id, 3);
	CHECK_EQ(result.retry_after_ns, 1450 * MSEC);
	CHECK_STR(result.message, "it says no");
	taken();
	CHECK_EQ(rein_take(3, wants, 1, NULL), 0);
	CHECK_EQ(rein_try(3, wants, 1, &result), 0);
	CHECK_EQ(device->asked.flags, REIN_TAKE_TRY);
	CHECK_EQ(result.granted_ns, 77 * SEC);
	CHECK_EQ(rein_take_deadline(3, wants, 1, 12 * SEC, NULL), 0);
	CHECK_EQ(device->asked.flags, REIN_TAKE_DEADLINE);
	CHECK_EQ(device->asked.deadline_ns, 12 * SEC);
	CHECK_EQ(rein_take_deadline(3, wants, 1, REIN_FOREVER_NS, NULL), 0);
	CHECK_EQ(device->asked.deadline_ns, INT64_MAX / 2);
	device->interrupts = 1;
	CHECK_EQ(-rein_take_timeout(3, wants, 1, 0, &result), EINTR);
	CHECK_EQ(result.code, 0);
	CHECK_STR(result.message, "");
}

static const struct test tests[] = {
	TEST(asks),
	TEST(usage),
	TEST(statuses),
	TEST(messages),
	TEST(json),
	TEST(said),
	TEST(commands),
	TEST(device_missing),
	TEST(signals),
	TEST(batches),
	TEST(library),
};

int main(int argc, char **argv)
{
	device = shared(sizeof(*device));
	return test_main(tests, COUNT(tests), argc, argv);
}
