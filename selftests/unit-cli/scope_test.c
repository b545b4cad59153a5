// SPDX-License-Identifier: GPL-2.0
/*
 * rein scope and rein race, and librein's side of them, against an ioctl() that answers
 * what it was told to and pipes in place of scopes: a scope is done when nobody can write
 * into its pipe any more. What runs commands is tested with a kernel: scope-run.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cli.h"
#include "command.h"
#include "hierarchy.h"
#include "nl.h"
#include "run.h"
#include "signals.h"

#define MSEC	1000000ULL
#define SEC	1000000000ULL

/* Of all requests about scopes, as far as they are looked at. */
union asked {
	struct rein_scope_args scope;
	struct rein_open_args open;
	struct rein_cancel_args cancel;
	struct rein_bind_args bind;
	struct rein_join_args join;
	struct rein_win_args win;
	struct rein_grant_args grant;
	struct rein_result_args result;
	struct rein_take_args take;
};

/**
 * struct kernel - what stands in for it
 * @err:	errno of the ioctl, 0: it succeeds
 * @answer:	what it says then
 * @was:	of a scope that is cancelled
 * @is_done:	the scopes that it opens are done
 * @done:	why
 * @request:	what it was asked last
 * @asked:	likewise
 * @n:		how many scopes netlink tells of
 * @scopes:	they
 */
static struct kernel {
	int err;
	struct rein_answer answer;
	uint32_t was;
	bool is_done;
	struct rein_scope_done done;
	unsigned long request;
	union asked asked;
	size_t n;
	struct rein_scope scopes[4];
} *kernel;

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, REIN_DEV_PATH))
		return openat(AT_FDCWD, path, flags, 0600);
	return openat(AT_FDCWD, "/dev/zero", flags);
}

/* A descriptor of a scope, which ends its writing if it is done. */
static int a_scope(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		abort();
	if (!kernel->is_done)
		return ends[0];
	if (write(ends[1], &kernel->done, sizeof(kernel->done)) != sizeof(kernel->done))
		abort();
	close(ends[1]);
	return ends[0];
}

static int answer(unsigned long request, void *arg)
{
	size_t size = _IOC_SIZE(request);

	kernel->request = request;
	memcpy(&kernel->asked, arg, size);
	if (request != REIN_IOC_TAKE)
		memcpy((char *)arg + size - sizeof(kernel->answer), &kernel->answer,
		       sizeof(kernel->answer));
	if (kernel->err) {
		errno = kernel->err;
		return -1;
	}
	switch (request) {
	case REIN_IOC_SCOPE:
	case REIN_IOC_RACE:
		((struct rein_scope_args *)arg)->id = 41;
		return a_scope();
	case REIN_IOC_JOIN:
		((struct rein_join_args *)arg)->id = 42;
		((struct rein_join_args *)arg)->number = 3;
		return a_scope();
	case REIN_IOC_OPEN:
	case REIN_IOC_OBSERVE:
		return a_scope();
	case REIN_IOC_CANCEL:
		((struct rein_cancel_args *)arg)->was = kernel->was;
		return 0;
	case REIN_IOC_WIN:
		((struct rein_win_args *)arg)->number = 2;
		((struct rein_win_args *)arg)->winner = 43;
		return 0;
	case REIN_IOC_GRANT:
		((struct rein_grant_args *)arg)->number = 5;
		((struct rein_grant_args *)arg)->size = 9;
		return 0;
	case REIN_IOC_RESULT:
		((struct rein_result_args *)arg)->number = 2;
		((struct rein_result_args *)arg)->size = 4000;
		((struct rein_result_args *)arg)->late = 6;
		return 0;
	case REIN_IOC_TAKE:
		((struct rein_take_args *)arg)->cause = REIN_CAUSE_USER;
		((struct rein_take_args *)arg)->scope_id = 44;
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

int __wrap_rein_scope_get(struct rein *rein, uint64_t id, rein_scope_fn fn, void *arg)
{
	size_t i;

	for (i = 0; i < kernel->n; i++) {
		if (kernel->scopes[i].id != id)
			continue;
		fn(&kernel->scopes[i], arg);
		return 0;
	}
	rein_fail(rein, ENOENT, "there is no scope of that id");
	rein->error.refused = true;
	return -ENOENT;
}

int __wrap_rein_scope_dump(struct rein *rein, const char *name, rein_scope_fn fn, void *arg)
{
	size_t i;

	(void)rein;
	for (i = 0; i < kernel->n; i++)
		if (!name || (kernel->scopes[i].name && !strcmp(kernel->scopes[i].name, name)))
			fn(&kernel->scopes[i], arg);
	return 0;
}

int __wrap_rein_own_mount(struct rein_mount *mount)
{
	strcpy(mount->path, "/nowhere");
	strcpy(mount->root, "/");
	return 0;
}

/* A directory like any other: a cgroup that is made in there has no files. */
static char *directory;

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

static void end(uint32_t cause, uint64_t id, uint64_t origin)
{
	forget();
	kernel->is_done = true;
	kernel->was = cause;
	kernel->done = (struct rein_scope_done){
		.id = id, .origin = origin, .record = 12, .time_ns = 5 * SEC, .cause = cause,
		.pid = 77, .reason = "enough",
	};
}

/* --- the library -------------------------------------------------------------------- */

static void options(void)
{
	static const struct {
		struct rein_scope_opts opts;
		uint32_t flags;
		int parent;
		uint64_t deadline_ns;
	} rows[] = {
		{ { 0 }, 0, REIN_NO_FD, 0 },
		{ { .has_parent = true }, 0, 0, 0 },
		{ { .has_parent = true, .parent = 7, .owned = true }, REIN_SCOPE_OWNED, 7, 0 },
		{ { .has_deadline = true, .deadline_ns = 5 }, REIN_SCOPE_DEADLINE, REIN_NO_FD, 5 },
		{ { .has_timeout = true }, REIN_SCOPE_TIMEOUT, REIN_NO_FD, 0 },
		{ { .has_timeout = true, .timeout_ns = 3, .boottime = true },
		  REIN_SCOPE_TIMEOUT | REIN_SCOPE_BOOTTIME, REIN_NO_FD, 3 },
		{ { .has_timeout = true, .timeout_ns = REIN_FOREVER_NS }, 0, REIN_NO_FD, 0 },
		{ { .has_timeout = true, .timeout_ns = REIN_FOREVER_NS, .boottime = true }, 0,
		  REIN_NO_FD, 0 },
		{ { .has_timeout = true, .timeout_ns = REIN_FOREVER_NS - 1 }, REIN_SCOPE_TIMEOUT,
		  REIN_NO_FD, INT64_MAX / 2 },
		{ { .boottime = true }, 0, REIN_NO_FD, 0 },
		/* The kernel is to say so. */
		{ { .has_timeout = true, .has_deadline = true, .deadline_ns = 4 },
		  REIN_SCOPE_TIMEOUT | REIN_SCOPE_DEADLINE, REIN_NO_FD, 4 },
	};
	struct rein_scope_result result;
	size_t i;

	forget();
	for (i = 0; i < COUNT(rows); i++) {
		int fd = rein_scope_new(3, &rows[i].opts, &result);

		CHECK_EQ(fd >= 0, 1);
		close(fd);
		CHECK_EQ(result.id, 41);
		CHECK_EQ(kernel->request, REIN_IOC_SCOPE);
		CHECK_EQ(kernel->asked.scope.flags, rows[i].flags);
		CHECK_EQ(kernel->asked.scope.parent_fd, rows[i].parent);
		CHECK_EQ(kernel->asked.scope.deadline_ns, rows[i].deadline_ns);
	}
	close(rein_race_new(3, REIN_POLICY_LAST, NULL, NULL));
	CHECK_EQ(kernel->request, REIN_IOC_RACE);
	CHECK_EQ(kernel->asked.scope.policy, REIN_POLICY_LAST);
	CHECK_EQ(kernel->asked.scope.parent_fd, REIN_NO_FD);
}

/* One that is too long has no end: the kernel is to say so. */
static void names(void)
{
	struct rein_scope_opts opts = { .name = "build" };
	char name[80];

	forget();
	close(rein_scope_new(3, &opts, NULL));
	CHECK_STR(kernel->asked.scope.name, "build");
	memset(name, 'x', sizeof(name));
	name[79] = '\0';
	opts.name = name;
	close(rein_scope_new(3, &opts, NULL));
	CHECK_EQ(!memchr(kernel->asked.scope.name, '\0', REIN_SCOPE_NAME_LEN), 1);
	close(rein_scope_open(3, 0, "build", true, NULL));
	CHECK_STR(kernel->asked.open.name, "build");
	CHECK_EQ(kernel->asked.open.flags, REIN_OPEN_OBSERVE);
	close(rein_scope_open(3, 7, "build", false, NULL));
	CHECK_STR(kernel->asked.open.name, "");
	CHECK_EQ(kernel->asked.open.id, 7);
}

static void results(void)
{
	struct rein_scope_result result;

	refuse(613, ELOOP);
	memset(kernel->answer.message, 'x', sizeof(kernel->answer.message));
	CHECK_EQ(-rein_scope_new(3, NULL, &result), ELOOP);
	CHECK_EQ(result.code, 613);
	CHECK_EQ(result.record, 9);
	CHECK_EQ(strlen(result.message), 127);
	CHECK_EQ(-rein_scope_observe(3, NULL), ELOOP);
	forget();
	kernel->was = REIN_CAUSE_TIMEOUT;
	CHECK_EQ(rein_scope_cancel(3, "enough", &result), 0);
	CHECK_EQ(kernel->asked.cancel.cause, REIN_CAUSE_USER);
	CHECK_STR(kernel->asked.cancel.reason, "enough");
	CHECK_EQ(result.was, REIN_CAUSE_TIMEOUT);
	CHECK_EQ(rein_scope_discard(3, NULL, NULL), 0);
	CHECK_EQ(kernel->asked.cancel.cause, REIN_CAUSE_DUPLICATE);
	CHECK_EQ(rein_scope_bind(3, 4, REIN_NO_FD, REIN_FOREVER_NS, NULL), 0);
	CHECK_EQ(kernel->asked.bind.cgroup_fd, 4);
	CHECK_EQ(kernel->asked.bind.kill_fd, -1ULL);
	CHECK_EQ(kernel->asked.bind.kill_delay_ns, INT64_MAX / 2);
}

static void waits(void)
{
	struct rein_scope_page page = { 0 };
	struct rein_scope_done done;
	int fd;

	forget();
	fd = rein_scope_new(3, NULL, NULL);
	CHECK_EQ(-rein_scope_wait(fd, 0, &done), ETIMEDOUT);
	CHECK_EQ(-rein_scope_wait(fd, MSEC, &done), ETIMEDOUT);
	CHECK_EQ(!rein_scope_map(fd), 1);
	close(fd);
	CHECK_EQ(-rein_scope_wait(fd, MSEC, &done), EBADF);
	end(REIN_CAUSE_PARENT, 7, 5);
	memset(kernel->done.reason, 'x', sizeof(kernel->done.reason));
	fd = rein_scope_new(3, NULL, NULL);
	CHECK_EQ(rein_scope_wait(fd, REIN_FOREVER_NS, &done), 0);
	CHECK_EQ(done.cause, REIN_CAUSE_PARENT);
	CHECK_EQ(done.origin, 5);
	CHECK_EQ(strlen(done.reason), 127);
	close(fd);
	CHECK_EQ(rein_scope_cancelled(&page), 0);
	page.cause = REIN_CAUSE_USER;
	CHECK_EQ(rein_scope_cancelled(&page), 1);
	rein_scope_unmap(NULL);
}

static void races(void)
{
	struct rein_race_result result;
	struct rein_scope_result said;
	size_t size = 5000;
	char room[16];

	forget();
	close(rein_race_join(3, true, &said));
	CHECK_EQ(kernel->asked.join.flags, REIN_SCOPE_OWNED);
	CHECK_EQ(said.id * 10 + said.number, 423);
	CHECK_EQ(rein_race_claim(3, "abc", 3, &said), 0);
	CHECK_EQ(kernel->asked.win.size, 3);
	CHECK_EQ(said.id * 10 + said.number, 432);
	CHECK_EQ(rein_race_asked(3, 0, room, &size, &said), 0);
	CHECK_EQ(kernel->asked.grant.flags, 0);
	CHECK_EQ(kernel->asked.grant.size, REIN_RESULT_MAX);
	CHECK_EQ(size * 10 + said.number, 95);
	CHECK_EQ(rein_race_grant(3, 7, true, NULL), 0);
	CHECK_EQ(kernel->asked.grant.flags, REIN_GRANT_YES);
	CHECK_EQ(kernel->asked.grant.number, 7);
	CHECK_EQ(rein_race_grant(3, 7, false, NULL), 0);
	CHECK_EQ(kernel->asked.grant.flags, REIN_GRANT_NO);
	CHECK_EQ(rein_race_result(3, true, room, sizeof(room), &result), 0);
	CHECK_EQ(kernel->asked.result.flags, REIN_RESULT_CLOSE);
	CHECK_EQ(kernel->asked.result.size, sizeof(room));
	CHECK_EQ(result.size, 4000);
	CHECK_EQ(result.number * 10 + result.late, 26);
	refuse(631, EALREADY);
	CHECK_EQ(-rein_race_claim(3, NULL, 0, &said), EALREADY);
	CHECK_EQ(said.code, 631);
}

/* What was built before results had a cause has no room for one. */
static void takes(void)
{
	static const struct rein_take_want wants[] = { { "a", 1 } };
	struct rein_take_result result = { .cause = 99, .scope_id = 98 };

	forget();
	CHECK_EQ(rein_take(3, wants, 1, &result), 0);
	CHECK_EQ(result.cause * 100 + result.scope_id, 9998);
	CHECK_EQ(kernel->asked.take.flags | kernel->asked.take.scope_fd, 0);
	CHECK_EQ(rein_take_in(3, REIN_NO_FD, wants, 1, REIN_TAKE_TRY, 0, &result), 0);
	CHECK_EQ(kernel->asked.take.flags, REIN_TAKE_TRY);
	CHECK_EQ(kernel->asked.take.scope_fd, 0);
	CHECK_EQ(result.cause, REIN_CAUSE_USER);
	CHECK_EQ(result.scope_id, 44);
	CHECK_EQ(rein_take_in(3, 5, wants, 1, REIN_TAKE_TIMEOUT, REIN_FOREVER_NS, NULL), 0);
	CHECK_EQ(kernel->asked.take.flags, REIN_TAKE_TIMEOUT | REIN_TAKE_SCOPE);
	CHECK_EQ(kernel->asked.take.scope_fd, 5);
	CHECK_EQ(kernel->asked.take.deadline_ns, INT64_MAX / 2);
}

/* --- the command --------------------------------------------------------------------- */

static void numbers(void)
{
	char *words[7] = { "{}", "a{}b{}", "{", "}{", "{{}}", "", NULL };
	static const char *const want[] = { "12", "a12b12", "{", "}{", "{12}", "" };
	char **numbered = command_number(words, 12);
	size_t i;

	for (i = 0; i < COUNT(want); i++)
		CHECK_STR(numbered[i], want[i]);
	CHECK_EQ(!numbered[i], 1);
	free(numbered);
}

static void signal_names(void)
{
	CHECK_EQ(signals_parse("TERM"), SIGTERM);
	CHECK_EQ(signals_parse("SIGTERM"), SIGTERM);
	CHECK_EQ(signals_parse("sigusr1"), SIGUSR1);
	CHECK_EQ(signals_parse("9"), SIGKILL);
	CHECK_EQ(signals_parse("0") | signals_parse("") | signals_parse("9x"), 0);
	CHECK_EQ(signals_parse("SIG") | signals_parse("TERMS") | signals_parse("1000"), 0);
	CHECK_STR(signals_name(SIGHUP), "SIGHUP");
}

static void two_scopes(void)
{
	forget();
	kernel->n = 2;
	kernel->scopes[0] = (struct rein_scope){
		.id = 5, .name = "outer", .depth = 1, .cause = REIN_CAUSE_USER, .origin = 5,
		.record = 12, .reason = "enough", .time_ns = 1500 * MSEC, .children = 1, .pid = 77,
		.comm = "make", .has_uid = true, .uid = 1000,
	};
	kernel->scopes[1] = (struct rein_scope){
		.id = 7, .parent = 5, .depth = 2, .has_left = true, .left_ns = 1500 * MSEC,
		.cause = REIN_CAUSE_PARENT, .origin = 5, .record = 12, .time_ns = 1500 * MSEC,
		.waiters = 3, .cgroup_id = 92, .cgroup = "/a", .kills = true, .number = 2,
	};
}

static void shown(void)
{
	two_scopes();
	CHECK_STR(run("scope list")->out,
		  "ID  NAME   STATE   LEFT  PARENT  CHILDREN  WAITERS  CGROUP\n"
		  "5   outer  user    -     -       1         0        -\n"
		  "7   -      parent  1.5s  5       0         3        /a\n");
	CHECK_STR(run("scope list none")->out, "");
	CHECK_STR(run("scope show 7")->out,
		  "scope without a name (id 7)\n"
		  "  state:     done: parent: one above it is done\n"
		  "  time:      1970-01-01T00:00:01.500000000Z\n"
		  "  record:    12 (rein errors show 12)\n"
		  "  replica:   2\n"
		  "  children:  0\n"
		  "  waiters:   3\n"
		  "  cgroup:    /a (id 92), killed at the end\n"
		  "  began:     scope 5 outer, done: user: it was cancelled: enough\n"
		  "  above:     scope 5 outer, done: user: it was cancelled: enough\n");
	CHECK_STR(run("scope show outer")->out,
		  "scope outer (id 5)\n"
		  "  state:     done: user: it was cancelled\n"
		  "  time:      1970-01-01T00:00:01.500000000Z\n"
		  "  reason:    enough\n"
		  "  record:    12 (rein errors show 12)\n"
		  "  children:  1\n"
		  "  waiters:   0\n"
		  "  made by:   pid 77, make, uid 1000\n");
	kernel->scopes[0].cause = REIN_CAUSE_NONE;
	kernel->scopes[0].has_left = true;
	kernel->scopes[0].race = REIN_POLICY_FIRST;
	kernel->scopes[0].winner = 2;
	CHECK_EQ(!strstr(run("scope show 5")->out, "\n  state:     decided\n"), 0);
	CHECK_EQ(!strstr(run("scope show 5")->out, "\n  left:      0ms\n"), 0);
	CHECK_EQ(!strstr(run("scope show 5")->out, "\n  race:      first, won by replica 2\n"), 0);
}

#define FLAGS	(JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static const char *member(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return "(no such key)";
	return value ? json_object_to_json_string_ext(value, FLAGS) : "null";
}

/* Each of them, and how many there are. */
#define OUTER	"{\"id\":\"5\",\"name\":\"outer\",\"cause\":\"user\",\"reason\":\"enough\"}"

static void shown_json(void)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{ "id", "\"7\"" },
		{ "name", "null" },
		{ "parent", "\"5\"" },
		{ "depth", "2" },
		{ "left_ns", "1500000000" },
		{ "cause", "\"parent\"" },
		{ "origin", "\"5\"" },
		{ "reason", "null" },
		{ "record", "\"12\"" },
		{ "time", "\"1970-01-01T00:00:01.500000000Z\"" },
		{ "time_ns", "1500000000" },
		{ "children", "0" },
		{ "waiters", "3" },
		{ "pid", "null" },
		{ "comm", "null" },
		{ "uid", "null" },
		{ "cgroup", "\"/a\"" },
		{ "cgroup_id", "\"92\"" },
		{ "kills", "true" },
		{ "race", "null" },
		{ "number", "2" },
		{ "winner", "null" },
		{ "began", OUTER },
		{ "above", "[" OUTER "]" },
	};
	struct json_object *document;
	size_t i;

	two_scopes();
	document = json_tokener_parse(run("-j scope show 7")->out);
	CHECK_EQ(json_object_object_length(document), COUNT(rows));
	for (i = 0; i < COUNT(rows); i++)
		CHECK_STR(member(document, rows[i].key), rows[i].value);
	json_object_put(document);
	document = json_tokener_parse(run("-j scope list")->out);
	CHECK_EQ(json_object_array_length(document), 2);
	json_object_put(document);
	CHECK_EQ(!strstr(run("-j scope show outer")->out, "\"began\":null,\"above\":[]}"), 0);
}

/* Replicas are called as their race. */
static void named(void)
{
	two_scopes();
	kernel->scopes[1].name = "outer";
	CHECK_EQ(strncmp(run("scope show outer")->out, "scope outer (id 5)\n", 19), 0);
	kernel->scopes[1].number = 0;
	CHECK_EQ(run("scope show outer")->status, 1);
	CHECK_STR(run("scope cancel outer")->err,
		  "error: several scopes have that name\noption: outer\n"
		  "hint: name it by its id: rein scope list\ntarget: 5\ntarget: 7\n");
	CHECK_EQ(!strstr(run("-j scope wait outer")->err, "\"targets\":[\"5\",\"7\"]"), 0);
	CHECK_EQ(run("scope wait none")->status, 2);
	CHECK_STR(run("-q scope wait none")->err, "error: there is no scope of that name\n");
	CHECK_EQ(run("scope show 99")->status, 2);
}

static void waited(void)
{
	struct json_object *document;

	end(REIN_CAUSE_TIMEOUT, 7, 5);
	CHECK_STR(run("scope wait 7")->out,
		  "timeout: its deadline has passed: enough, by pid 77, from scope 5, record 12\n");
	CHECK_EQ(run("scope wait 7")->status, 0);
	CHECK_EQ(kernel->asked.open.flags, REIN_OPEN_OBSERVE);
	document = json_tokener_parse(run("-j scope wait 7")->out);
	CHECK_STR(member(document, "result"), "\"done\"");
	CHECK_STR(member(document, "scope"), "\"7\"");
	CHECK_STR(member(document, "cause"), "\"timeout\"");
	CHECK_STR(member(document, "reason"), "\"enough\"");
	CHECK_STR(member(document, "pid"), "77");
	CHECK_STR(member(document, "origin"), "\"5\"");
	CHECK_STR(member(document, "record"), "\"12\"");
	CHECK_STR(member(document, "done_monotonic_ns"), "5000000000");
	json_object_put(document);
	forget();
	CHECK_EQ(run("scope wait 7 --timeout 10ms")->status, 4);
	CHECK_EQ(run("scope wait 7 --timeout 0")->status, 4);
	refuse(619, EACCES);
	CHECK_EQ(run("scope wait 7")->status, 2);
	CHECK_STR(run("-q scope wait 7")->err, "error: it says no\n");
	CHECK_EQ(!strstr(run("-v scope wait 7")->err, "code: REIN-E0619\noption: 7\n"), 0);
	refuse(0, ENOTTY);
	CHECK_STR(run("-q scope wait 7")->err, "error: the module is too old to know scopes\n");
}

static void checked(void)
{
	forget();
	CHECK_EQ(run("scope check")->status, 0);
	CHECK_STR(run("scope check")->out, "");
	CHECK_EQ(kernel->asked.open.id, 0);
	CHECK_EQ(kernel->asked.open.flags, REIN_OPEN_OBSERVE);
	CHECK_EQ(!strstr(run("-j scope check")->out, "{\"result\":\"not done\""), 0);
	refuse(617, ENOENT);
	CHECK_EQ(run("scope check")->status, 0);
	CHECK_STR(run("-j scope check")->out, "{\"result\":\"not done\",\"scope\":null}\n");
	refuse(610, EINVAL);
	CHECK_EQ(run("scope check")->status, 2);
	end(REIN_CAUSE_USER, 7, 7);
	CHECK_EQ(run("scope check")->status, 5);
	CHECK_STR(run("scope check")->out,
		  "user: it was cancelled: enough, by pid 77, record 12\n");
	CHECK_STR(run("-q scope check")->out, "");
	CHECK_EQ(run("-q scope check")->status, 5);
}

static void cancelled(void)
{
	forget();
	kernel->was = REIN_CAUSE_USER;
	CHECK_EQ(run("scope cancel 7")->status, 0);
	CHECK_STR(run("scope cancel 7")->out, "");
	CHECK_STR(kernel->asked.cancel.reason, "rein scope cancel");
	run("scope cancel 7 --reason enough");
	CHECK_STR(kernel->asked.cancel.reason, "enough");
	run("scope cancel 7 --reason=");
	CHECK_STR(kernel->asked.cancel.reason, "");
	kernel->was = REIN_CAUSE_NONE;
	CHECK_EQ(!strstr(run("scope cancel 7")->err, "has won its race"), 0);
	end(REIN_CAUSE_TIMEOUT, 7, 7);
	CHECK_EQ(run("scope cancel 7")->status, 0);
	CHECK_STR(run("scope cancel 7")->out,
		  "done before: timeout: its deadline has passed: enough, by pid 77, record 12\n");
	CHECK_EQ(!strstr(run("-j scope cancel 7")->out, "{\"result\":\"done before\","), 0);
}

/* A cgroup that can't be used is not left. */
static void cells(void)
{
	struct ran *ran;

	forget();
	ran = run("scope run --name build -- true");
	CHECK_EQ(ran->status, 125);
	CHECK_STR(ran->err,
		  "error: the new cgroup can't be used below the cgroup /here: No such file or directory\n"
		  "hint: run it in a cgroup of your own: systemd-run --user --scope -p Delegate=yes rein ...\n");
	ran = run("race -n 3 -- true");
	CHECK_EQ(ran->status, 125);
	CHECK_EQ(rmdir(directory), 0);
	CHECK_EQ(mkdir(directory, 0700), 0);
}

static const struct test tests[] = {
	TEST(options), TEST(names), TEST(results), TEST(waits), TEST(races), TEST(takes),
	TEST(numbers), TEST(signal_names), TEST(shown), TEST(shown_json), TEST(named),
	TEST(waited), TEST(checked), TEST(cancelled), TEST(cells),
};

int main(int argc, char **argv)
{
	char template[] = "/tmp/rein-scope-XXXXXX";
	int ret;

	kernel = shared(sizeof(*kernel));
	directory = mkdtemp(template);
	if (!directory)
		return EXIT_FAILURE;
	ret = test_main(tests, COUNT(tests), argc, argv);
	rmdir(directory);
	return ret;
}
