// SPDX-License-Identifier: GPL-2.0
/*
 * The errors of the command itself, 09xx: each is provoked, and said in full, as text and
 * as JSON. What stands in for the kernel and for /dev/rein answers as told.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "cli.h"
#include "codes.h"
#include "hierarchy.h"
#include "nl.h"
#include "run.h"

/**
 * struct world - what the command finds
 * @module:	what rein_open() returns
 * @answer:	errno of a bare answer to a request, 0: as a module without limits
 * @elsewhere:	no events are sent to this namespace
 * @no_mount:	there is no cgroup2
 * @process:	what there is in place of a process's cgroup
 * @device:	with which errno the device can't be opened, 0: takes are granted
 * @full:	nothing can be written to standard output
 * @no_directory: the process's cgroup is one in which none can be made
 * @no_temporary: there is no directory for temporary files
 */
struct world {
	int module;
	int answer;
	bool elsewhere;
	bool no_mount;
	int process;
	int device;
	bool full;
	bool no_directory;
	bool no_temporary;
};

static struct world world;

int __wrap_rein_open(struct rein **rein)
{
	*rein = NULL;
	if (!world.module)
		*rein = calloc(1, sizeof(**rein));
	return world.module;
}

static int answer(struct rein *rein)
{
	if (!world.answer)
		return 0;
	rein_fail(rein, world.answer, "%s", strerror(world.answer));
	rein->error.refused = true;
	rein->error.bare = true;
	return -world.answer;
}

int __wrap_rein_stat_get(struct rein *rein, rein_stat_fn fn, void *arg)
{
	const struct rein_stat stat = { .version = "0", .events = !world.elsewhere };

	if (answer(rein))
		return -world.answer;
	fn(&stat, arg);
	return 0;
}

int __wrap_rein_limit_dump(struct rein *rein, const struct rein_limit_request *request,
			   rein_limit_fn fn, void *arg)
{
	(void)request;
	(void)fn;
	(void)arg;
	return answer(rein);
}

int __wrap_rein_own_mount(struct rein_mount *mount)
{
	strcpy(mount->path, "/nowhere");
	strcpy(mount->root, "/");
	return world.no_mount ? -1 : 0;
}

int __wrap_rein_open_cgroup_of(const struct rein_mount *mount, const char *file_name,
			       char *path, size_t size)
{
	(void)mount;
	(void)file_name;
	snprintf(path, size, "/../outside");
	/* In what is no directory no cgroup can be made. */
	return world.no_directory ? openat(AT_FDCWD, "/dev/zero", O_RDONLY) : world.process;
}

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, REIN_DEV_PATH))
		return openat(AT_FDCWD, path, flags, 0600);
	if (!world.device)
		return openat(AT_FDCWD, "/dev/zero", flags);
	errno = world.device;
	return -1;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	/* A scope that is not done, a watch that has nothing to tell. */
	if (request == REIN_IOC_OPEN || request == REIN_IOC_LOOK)
		return eventfd(0, EFD_CLOEXEC);
	errno = ENOTTY;
	return request == REIN_IOC_TAKE ? 0 : -1;
}

/* The file that make_batch() makes. */
static char bad_batch[32];

/* What is said: @option NULL: nothing of any; @hint NULL: the book's. */
static const struct row {
	uint32_t code;
	const char *line;
	int status;
	const char *says;
	const char *option;
	const char *hint;
	struct world world;
} rows[] = {
	{ CODE_NO_MODULE, "limit list", 6, "the rein module is not loaded", NULL, NULL,
	  { .module = -ENODEV } },
	{ CODE_NO_MODULE, "take web", 6, "the rein module is not loaded", NULL, NULL,
	  { .device = ENODEV } },
	{ CODE_NO_MODULE, "take web", 6, "the rein module is not loaded", NULL, NULL,
	  { .device = ENOENT, .module = -ENODEV } },
	{ CODE_USAGE, "chain", 1, "a chain begins at one cgroup, process or socket", NULL,
	  "name one: --cgroup PATH, --pid PID or --socket PID:FD", { 0 } },
	{ CODE_USAGE, "limit list web", 1, "'web' is one argument too many", "web", NULL, { 0 } },
	{ CODE_CGROUP_OPEN, "limit list --cgroup /none", 1, "there is no cgroup /none",
	  "--cgroup /none", "cgroups are named as below /nowhere, / is the root", { 0 } },
	{ CODE_CGROUP_OPEN, "limit list --cgroup self", 1,
	  "can't open the cgroup /../outside: Permission denied", "--cgroup self",
	  "cgroups are named as below /nowhere, / is the root", { .process = -EACCES } },
	{ CODE_NO_CGROUP2, "limit list --cgroup web", 1, "the cgroup2 hierarchy is not mounted",
	  "--cgroup web", NULL, { .no_mount = true } },
	{ CODE_NO_CGROUP2, "chain --pid 1", 1, "the cgroup2 hierarchy is not mounted", "--pid 1",
	  NULL, { .no_mount = true } },
	{ CODE_INEXACT, "limit add web --cgroup / --on egress --rate 99999999999999999999B/s", 1,
	  "the rate can't be kept exactly: 99999999999999999999B/s",
	  "--rate 99999999999999999999B/s", NULL, { 0 } },
	{ CODE_BATCH, "-b /none/such", 1, "can't open /none/such: No such file or directory",
	  "-b /none/such", "name a file that can be read, or - for stdin", { 0 } },
	{ CODE_BATCH, bad_batch, 1, "a \" is not closed", NULL, NULL, { 0 } },
	{ CODE_OUTPUT, "errors explain", 1, "the output can't be written: No space left on device",
	  NULL, NULL, { .full = true } },
	{ CODE_NETLINK, "limit list", 2,
	  "there is no way to talk to the kernel: Address family not supported by protocol", NULL,
	  NULL, { .module = -EAFNOSUPPORT } },
	{ CODE_NETLINK, "limit list", 2,
	  "the kernel refused it, and only said: Input/output error", NULL, NULL,
	  { .answer = EIO } },
	{ CODE_VALUE, "limit list --on disk", 1, "there is no resource called 'disk'",
	  "--on disk", "one of: egress ingress connect accept call", { 0 } },
	{ CODE_VALUE, "errors list --since x", 1, "a time begins with a digit, not with 'x'",
	  "--since x", NULL, { 0 } },
	{ CODE_NO_PROCESS, "chain --pid 999999", 1, "there is no such process", "--pid 999999",
	  NULL, { .process = -ESRCH } },
	{ CODE_NO_PROCESS, "chain --pid 999999", 1, "the process has ended, or is in no cgroup2",
	  "--pid 999999", NULL, { .process = -ENODATA } },
	{ CODE_NO_PROCESS, "chain --pid 999999", 1,
	  "the process is in a cgroup that can't be seen from here: /../outside",
	  "--pid 999999", NULL, { .process = -EXDEV } },
	{ CODE_ELSEWHERE, "monitor", 1, "no events are sent to this network namespace", NULL, NULL,
	  { .elsewhere = true } },
	{ CODE_DEVICE, "take web", 2, "/dev/rein can't be opened: Permission denied", "/dev/rein",
	  NULL, { .device = EACCES } },
	{ CODE_EXEC, "take web -- /none/such", 127,
	  "can't run /none/such: No such file or directory", "/none/such", NULL, { 0 } },
	{ CODE_EXEC, "take web -- /etc/passwd", 126, "can't run /etc/passwd: Permission denied",
	  "/etc/passwd", NULL, { 0 } },
	{ CODE_CELL, "scope run -- true", 125,
	  "no cgroup can be made below the cgroup /../outside: Not a directory", NULL, NULL,
	  { .no_directory = true } },
	{ CODE_NOT_DONE, "scope wait 7 --timeout 1ms", 4, "the scope is not done yet", "7", NULL,
	  { 0 } },
	{ CODE_NOT_YET, "watch wait 7 --for beat --timeout 1ms", 4,
	  "the watch has had no beat yet", "7", NULL, { 0 } },
	{ CODE_SOCKET, "watch add web --socket 9999999:3 --every 1s", 1,
	  "the socket of that process can't be had: No such process", "--socket 9999999:3", NULL,
	  { 0 } },
	{ CODE_NOTIFY, "watch run web --every 1s -- true", 125,
	  "there is no socket for what the command says: No such file or directory", NULL, NULL,
	  { .no_temporary = true } },
};

static struct ran *provoke(const struct row *row, const char *flags)
{
	char line[4096];
	struct ran *ran;

	snprintf(line, sizeof(line), "%s %s%s", flags, row->line == bad_batch ? "-b " : "",
		 row->line);
	world = row->world;
	setenv("TMPDIR", world.no_temporary ? "/none/such" : "/tmp", 1);
	run_stdout = world.full ? open("/dev/full", O_WRONLY | O_CLOEXEC) : -1;
	ran = run(line);
	if (run_stdout >= 0)
		close(run_stdout);
	run_stdout = -1;
	test_row = row->line;
	return ran;
}

static bool make_batch(void)
{
	bool made;
	int fd;

	strcpy(bad_batch, "/tmp/rein-codes-XXXXXX");
	fd = mkstemp(bad_batch);
	made = fd >= 0 && write(fd, "a \"b\n", 5) == 5;

	if (fd >= 0)
		close(fd);
	return made;
}

/* That the tokens are taken is said before a command that can't be run with them. */
static const char *error_of(const struct row *row, const struct ran *ran)
{
	const char *end = row->code == CODE_EXEC ? strchr(ran->err, '\n') : NULL;

	return end ? end + 1 : ran->err;
}

/* What it says as text. */
static const char *text_of(const struct row *row)
{
	const struct code *code = code_find(row->code);
	static char text[2048];
	size_t len;

	len = row->line == bad_batch ? snprintf(text, sizeof(text), "%s:1: ", bad_batch) : 0;
	len += snprintf(text + len, sizeof(text) - len, "error: %s\ncode: REIN-E%04u\n",
			row->says, row->code);
	if (row->option)
		len += snprintf(text + len, sizeof(text) - len, "option: %s\n", row->option);
	snprintf(text + len, sizeof(text) - len, "hint: %s\nmeaning: %s\nremedy: %s\n",
		 row->hint ? row->hint : code->hint, code->meaning, code->remedy);
	return text;
}

static void as_text(void)
{
	const struct ran *ran;
	size_t i;

	CHECK_EQ(make_batch(), 1);
	for (i = 0; i < COUNT(rows); i++) {
		ran = provoke(&rows[i], "-v");
		CHECK_STR(error_of(&rows[i], ran), text_of(&rows[i]));
		CHECK_EQ(ran->status, rows[i].status);
	}
	unlink(bad_batch);
}

static const char *member(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : "";
}

/* Which keys there are, in their order. */
static const char *keys(struct json_object *object)
{
	static char text[256];

	*text = '\0';
	json_object_object_foreach(object, key, value) {
		(void)value;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", key);
	}
	return text;
}

static void as_json(void)
{
	struct json_object *document;
	const struct ran *ran;
	char want[256];
	size_t i;

	CHECK_EQ(make_batch(), 1);
	for (i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];

		ran = provoke(row, "-j");
		CHECK_EQ(ran->status, row->status);
		document = json_tokener_parse(error_of(row, ran));
		CHECK_EQ(!document, 0);
		snprintf(want, sizeof(want), " error code%s hint%s", row->option ? " option" : "",
			 row->line == bad_batch ? " file line" : "");
		CHECK_STR(keys(document), want);
		CHECK_STR(member(document, "error"), row->says);
		snprintf(want, sizeof(want), "REIN-E%04u", row->code);
		CHECK_STR(member(document, "code"), want);
		CHECK_STR(member(document, "option"), row->option ? row->option : "");
		CHECK_STR(member(document, "hint"),
			  row->hint ? row->hint : code_find(row->code)->hint);
		json_object_put(document);
	}
	unlink(bad_batch);
}

/* Each code of the command has a row, and no other has. */
static void all_of_them(void)
{
	char name[32];
	size_t i, j;

	for (i = 0; i < code_count; i++) {
		const uint32_t code = code_book[i].number;
		bool found = false;

		for (j = 0; j < COUNT(rows); j++)
			found |= rows[j].code == code;
		snprintf(name, sizeof(name), "REIN-E%04u", code);
		test_row = name;
		CHECK_EQ(found, code / 100 == 9);
	}
}

static const struct test tests[] = {
	TEST(as_text), TEST(as_json), TEST(all_of_them),
};

int main(int argc, char **argv)
{
	return test_main(tests, COUNT(tests), argc, argv);
}
