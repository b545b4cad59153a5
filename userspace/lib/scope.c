// SPDX-License-Identifier: GPL-2.0
/*
 * Scopes: made and ended through /dev/rein, read over netlink.
 */
#include "scope.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "nl.h"

#define NSEC_PER_SEC	1000000000ULL

/* 146 years: as good as for ever, and the kernel can add the time to it. */
#define FARTHEST_NS	((uint64_t)INT64_MAX / 2)

/* --- /dev/rein ------------------------------------------------------------------ */

/**
 * rein_scope_ask() - make a request, and read what is said of it
 * @fd:		of what
 * @request:	which
 * @args:	its arguments
 * @answer:	in them, at their end
 * @result:	where that goes; the rest is set to 0; may be NULL
 *
 * Return: what the call does; a negative errno if it fails.
 */
int rein_scope_ask(int fd, unsigned long request, void *args, const struct rein_answer *answer,
		   struct rein_scope_result *result)
{
	int ret = ioctl(fd, request, args);

	if (ret < 0)
		ret = -errno;
	if (!result)
		return ret;
	memset(result, 0, sizeof(*result));
	result->record = answer->record;
	result->code = answer->code;
	snprintf(result->message, sizeof(result->message), "%.*s", (int)sizeof(answer->message),
		 answer->message);
	return ret;
}

/* One that is too long is cut, but then has no end: that is for the kernel to refuse. */
static void put_name(char room[REIN_SCOPE_NAME_LEN], const char *name)
{
	if (name)
		memcpy(room, name, strnlen(name, REIN_SCOPE_NAME_LEN));
}

static void put_opts(struct rein_scope_args *args, const struct rein_scope_opts *opts)
{
	uint64_t time_ns = opts->has_deadline ? opts->deadline_ns : opts->timeout_ns;

	if (opts->has_parent)
		args->parent_fd = opts->parent;
	/* Both at once are refused, whatever they say. */
	if (opts->has_deadline)
		args->flags |= REIN_SCOPE_DEADLINE;
	if (opts->has_timeout && (opts->timeout_ns != REIN_FOREVER_NS || opts->has_deadline))
		args->flags |= REIN_SCOPE_TIMEOUT;
	/* Without a time it is of no clock either. */
	if (args->flags) {
		args->deadline_ns = time_ns < FARTHEST_NS ? time_ns : FARTHEST_NS;
		args->flags |= opts->boottime ? REIN_SCOPE_BOOTTIME : 0;
	}
	if (opts->owned)
		args->flags |= REIN_SCOPE_OWNED;
	put_name(args->name, opts->name);
}

/**
 * rein_scope_make() - make a scope or a race
 * @fd:		/dev/rein
 * @request:	which of them
 * @policy:	of a race
 * @opts:	what it is like, or NULL
 * @result:	what became of it, or NULL
 *
 * Return: a descriptor or a negative errno.
 */
int rein_scope_make(int fd, unsigned long request, uint32_t policy,
		    const struct rein_scope_opts *opts, struct rein_scope_result *result)
{
	struct rein_scope_args args = { .parent_fd = REIN_NO_FD, .policy = policy };
	int ret;

	if (opts)
		put_opts(&args, opts);
	ret = rein_scope_ask(fd, request, &args, &args.answer, result);
	if (result)
		result->id = args.id;
	return ret;
}

int rein_scope_new(int fd, const struct rein_scope_opts *opts, struct rein_scope_result *result)
{
	return rein_scope_make(fd, REIN_IOC_SCOPE, 0, opts, result);
}

int rein_scope_open(int fd, uint64_t id, const char *name, bool observe,
		    struct rein_scope_result *result)
{
	struct rein_open_args args = { .flags = observe ? REIN_OPEN_OBSERVE : 0, .id = id };
	int ret;

	if (!id)
		put_name(args.name, name);
	ret = rein_scope_ask(fd, REIN_IOC_OPEN, &args, &args.answer, result);
	if (result)
		result->id = args.id;
	return ret;
}

int rein_scope_observe(int scope, struct rein_scope_result *result)
{
	struct rein_observe_args args = { 0 };

	return rein_scope_ask(scope, REIN_IOC_OBSERVE, &args, &args.answer, result);
}

static int cancel(int scope, uint32_t cause, const char *reason, struct rein_scope_result *result)
{
	struct rein_cancel_args args = { .cause = cause };
	int ret;

	snprintf(args.reason, sizeof(args.reason), "%s", reason ? reason : "");
	ret = rein_scope_ask(scope, REIN_IOC_CANCEL, &args, &args.answer, result);
	if (result)
		result->was = args.was;
	return ret;
}

int rein_scope_cancel(int scope, const char *reason, struct rein_scope_result *result)
{
	return cancel(scope, REIN_CAUSE_USER, reason, result);
}

int rein_scope_discard(int scope, const char *reason, struct rein_scope_result *result)
{
	return cancel(scope, REIN_CAUSE_DUPLICATE, reason, result);
}

int rein_scope_bind(int scope, int cgroup_fd, int kill_fd, uint64_t kill_delay_ns,
		    struct rein_scope_result *result)
{
	struct rein_bind_args args = {
		.cgroup_fd = cgroup_fd,
		.kill_fd = kill_fd,
		.kill_delay_ns = kill_delay_ns < FARTHEST_NS ? kill_delay_ns : FARTHEST_NS,
	};

	return rein_scope_ask(scope, REIN_IOC_BIND, &args, &args.answer, result);
}

/* It is done, so this doesn't wait. */
static int read_done(int scope, struct rein_scope_done *done)
{
	struct rein_scope_done room;
	ssize_t len;

	memset(&room, 0, sizeof(room));
	len = read(scope, &room, sizeof(room));
	if (len < 0)
		return -errno;
	room.reason[sizeof(room.reason) - 1] = '\0';
	if (done)
		*done = room;
	return 0;
}

int rein_scope_wait(int scope, uint64_t timeout_ns, struct rein_scope_done *done)
{
	struct timespec timeout = { timeout_ns / NSEC_PER_SEC, timeout_ns % NSEC_PER_SEC };
	/* POLLIN a race has, too, that is decided and not done; POLLHUP need not be asked for. */
	struct pollfd poll = { .fd = scope };
	int ret;

	ret = ppoll(&poll, 1, timeout_ns == REIN_FOREVER_NS ? NULL : &timeout, NULL);
	if (ret < 0)
		return -errno;
	if (!ret)
		return -ETIMEDOUT;
	return poll.revents & POLLHUP ? read_done(scope, done) : -EBADF;
}

const struct rein_scope_page *rein_scope_map(int scope)
{
	void *page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, scope, 0);

	return page == MAP_FAILED ? NULL : page;
}

void rein_scope_unmap(const struct rein_scope_page *page)
{
	if (page)
		munmap((void *)page, sysconf(_SC_PAGESIZE));
}

/* --- netlink --------------------------------------------------------------------- */

static const struct nla_policy scope_policy[REIN_A_SCOPE_MAX + 1] = {
	[REIN_A_SCOPE_ID] = { .type = NLA_U64 },
	[REIN_A_SCOPE_NAME] = { .type = NLA_STRING },
	[REIN_A_SCOPE_PARENT] = { .type = NLA_U64 },
	[REIN_A_SCOPE_DEPTH] = { .type = NLA_U32 },
	[REIN_A_SCOPE_LEFT_NS] = { .type = NLA_U64 },
	[REIN_A_SCOPE_CAUSE] = { .type = NLA_U32 },
	[REIN_A_SCOPE_ORIGIN] = { .type = NLA_U64 },
	[REIN_A_SCOPE_RECORD] = { .type = NLA_U64 },
	[REIN_A_SCOPE_REASON] = { .type = NLA_STRING },
	[REIN_A_SCOPE_TIME_NS] = { .type = NLA_U64 },
	[REIN_A_SCOPE_CHILDREN] = { .type = NLA_U32 },
	[REIN_A_SCOPE_WAITERS] = { .type = NLA_U32 },
	[REIN_A_SCOPE_PID] = { .type = NLA_U32 },
	[REIN_A_SCOPE_COMM] = { .type = NLA_STRING },
	[REIN_A_SCOPE_UID] = { .type = NLA_U32 },
	[REIN_A_SCOPE_CGROUP_ID] = { .type = NLA_U64 },
	[REIN_A_SCOPE_CGROUP_PATH] = { .type = NLA_STRING },
	[REIN_A_SCOPE_KILLS] = { .type = NLA_FLAG },
	[REIN_A_SCOPE_RACE] = { .type = NLA_U32 },
	[REIN_A_SCOPE_NUMBER] = { .type = NLA_U32 },
	[REIN_A_SCOPE_WINNER] = { .type = NLA_U32 },
	[REIN_A_SCOPE_EVENT] = { .type = NLA_U32 },
};

static void parse_end(struct nlattr **tb, struct rein_scope *scope)
{
	scope->has_left = tb[REIN_A_SCOPE_LEFT_NS];
	scope->left_ns = rein_u64(tb[REIN_A_SCOPE_LEFT_NS]);
	scope->cause = rein_u32(tb[REIN_A_SCOPE_CAUSE]);
	scope->origin = rein_u64(tb[REIN_A_SCOPE_ORIGIN]);
	scope->record = rein_u64(tb[REIN_A_SCOPE_RECORD]);
	scope->reason = rein_str(tb[REIN_A_SCOPE_REASON]);
	scope->time_ns = rein_u64(tb[REIN_A_SCOPE_TIME_NS]);
}

static void parse_what(struct nlattr **tb, struct rein_scope *scope)
{
	scope->id = rein_u64(tb[REIN_A_SCOPE_ID]);
	scope->name = rein_str(tb[REIN_A_SCOPE_NAME]);
	scope->parent = rein_u64(tb[REIN_A_SCOPE_PARENT]);
	scope->depth = rein_u32(tb[REIN_A_SCOPE_DEPTH]);
	scope->children = rein_u32(tb[REIN_A_SCOPE_CHILDREN]);
	scope->waiters = rein_u32(tb[REIN_A_SCOPE_WAITERS]);
	scope->pid = rein_u32(tb[REIN_A_SCOPE_PID]);
	scope->comm = rein_str(tb[REIN_A_SCOPE_COMM]);
	scope->has_uid = tb[REIN_A_SCOPE_UID];
	scope->uid = rein_u32(tb[REIN_A_SCOPE_UID]);
	scope->cgroup_id = rein_u64(tb[REIN_A_SCOPE_CGROUP_ID]);
	scope->cgroup = rein_str(tb[REIN_A_SCOPE_CGROUP_PATH]);
	scope->kills = tb[REIN_A_SCOPE_KILLS];
	scope->race = rein_u32(tb[REIN_A_SCOPE_RACE]);
	scope->number = rein_u32(tb[REIN_A_SCOPE_NUMBER]);
	scope->winner = rein_u32(tb[REIN_A_SCOPE_WINNER]);
	scope->event = rein_u32(tb[REIN_A_SCOPE_EVENT]);
}

void rein_scope_parse(struct nlmsghdr *nlh, rein_scope_fn fn, void *arg)
{
	struct nlattr *tb[REIN_A_SCOPE_MAX + 1];
	struct rein_scope scope = { 0 };

	if (rein_parse(tb, REIN_A_SCOPE_MAX, nlh, scope_policy) < 0)
		return;
	parse_what(tb, &scope);
	parse_end(tb, &scope);
	/* What has no name may be told as having an empty one. */
	if (scope.name && !*scope.name)
		scope.name = NULL;
	if (scope.reason && !*scope.reason)
		scope.reason = NULL;
	fn(&scope, arg);
}

struct scope_answer {
	rein_scope_fn fn;
	void *arg;
};

static void scope_answer(struct nlmsghdr *nlh, void *arg)
{
	struct scope_answer *answer = arg;

	rein_scope_parse(nlh, answer->fn, answer->arg);
}

int rein_scope_get(struct rein *rein, uint64_t id, rein_scope_fn fn, void *arg)
{
	struct scope_answer answer = { fn, arg };
	struct nl_msg *msg = rein_request(rein, REIN_CMD_SCOPE_GET, 0, 64);

	if (!msg)
		return -ENOMEM;
	nla_put_u64(msg, REIN_A_SCOPE_ID, id);
	return rein_send(rein, msg, scope_answer, &answer);
}

int rein_scope_dump(struct rein *rein, const char *name, rein_scope_fn fn, void *arg)
{
	struct scope_answer answer = { fn, arg };
	struct nl_msg *msg = rein_request(rein, REIN_CMD_SCOPE_GET, NLM_F_DUMP,
					  64 + (name ? strlen(name) : 0));

	if (!msg)
		return -ENOMEM;
	if (name)
		nla_put_string(msg, REIN_A_SCOPE_NAME, name);
	return rein_send(rein, msg, scope_answer, &answer);
}
