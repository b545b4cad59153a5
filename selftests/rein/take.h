/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes: limits on calls, requests to /dev/rein that can be wrong in any way,
 * and what became of them.
 */
#ifndef REIN_SELFTESTS_TAKE_H
#define REIN_SELFTESTS_TAKE_H

#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <time.h>
#include <linux/rein_dev.h>

#include "look.h"

#define MS		1000000ULL
#define HOUR		(3600 * SECOND)

static inline bool put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Move to a cgroup, named by its directory. */
static inline bool enter(const char *cgroup)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	return put_file(path, "0");
}

/* Remove all limits, and let go who waits. */
static inline int flush_all(int fd)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	genl_begin(&msg, REIN_CMD_FLUSH, 0);
	genl_put(&msg, REIN_A_FLUSH_FORCE, NULL, 0);
	return genl_ask(fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

/* Make a limit on calls, of one tier, that gives @credit millionths of a token for a success. */
static inline int add_credited(int fd, const char *name, int dir, uint32_t over, uint64_t tokens,
			       uint64_t period, uint64_t burst, uint32_t credit)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	begin(&msg, REIN_CMD_LIMIT_ADD, name, dir);
	genl_put_u32(&msg, REIN_A_LIMIT_RESOURCE, REIN_RESOURCE_CALL);
	genl_put_u32(&msg, REIN_A_LIMIT_OVER, over);
	if (credit)
		genl_put_u32(&msg, REIN_A_LIMIT_CREDIT, credit);
	genl_put_tier(&msg, REIN_UNIT_CALLS, tokens, period, burst);
	return genl_ask(fd, &msg, &answer, NULL, NULL) ?: -answer.err;
}

static inline int add_call(int fd, const char *name, int dir, uint32_t over, uint64_t tokens,
			   uint64_t period, uint64_t burst)
{
	return add_credited(fd, name, dir, over, tokens, period, burst, 0);
}

/**
 * struct books - what a limit says of itself
 * @tokens:	in its first tier
 * @count:	how often, by REIN_A_STATS_*
 * @sum:	of what, likewise
 */
struct books {
	uint64_t tokens;
	uint64_t count[REIN_A_STATS_MAX + 1];
	uint64_t sum[REIN_A_STATS_MAX + 1];
};

static inline void take_books(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const char *end = (const char *)ghdr + len;
	const struct nlattr *attr, *stat;
	struct books *books = arg;

	attr = genl_find(genl_first(ghdr), end, REIN_A_LIMIT_TIER);
	if (attr)
		books->tokens = genl_u64(genl_find(genl_data(attr), genl_next(attr),
						   REIN_A_TIER_TOKENS));
	attr = genl_find(genl_first(ghdr), end, REIN_A_LIMIT_STATS);
	if (!attr)
		return;
	end = (const char *)attr + attr->nla_len;
	for (stat = genl_data(attr); (const char *)stat < end; stat = genl_next(stat)) {
		unsigned int type = stat->nla_type & NLA_TYPE_MASK;

		if (type > REIN_A_STATS_MAX)
			continue;
		books->count[type] = genl_u64(genl_find(genl_data(stat), genl_next(stat),
							REIN_A_COUNT_PACKETS));
		books->sum[type] = genl_u64(genl_find(genl_data(stat), genl_next(stat),
						      REIN_A_COUNT_BYTES));
	}
}

static inline int read_books(int fd, const char *name, int dir, struct books *books)
{
	struct genl_answer answer;
	static struct genl_msg msg;

	memset(books, 0, sizeof(*books));
	begin(&msg, REIN_CMD_LIMIT_GET, name, dir);
	return genl_ask(fd, &msg, &answer, take_books, books) ?: -answer.err;
}

/* Is each take accounted for, and each token? */
static inline bool books_balance(const struct books *books)
{
	static const unsigned int ends[] = {
		REIN_A_STATS_PASSED, REIN_A_STATS_RELEASED, REIN_A_STATS_REFUSED,
		REIN_A_STATS_OVERFLOW, REIN_A_STATS_STALE, REIN_A_STATS_TEARDOWN,
		REIN_A_STATS_NOMEM, REIN_A_STATS_CANCELLED, REIN_A_STATS_EXPIRED,
		REIN_A_STATS_QUEUED, REIN_A_STATS_HELD,
	};
	uint64_t count = books->count[REIN_A_STATS_SEEN], sum = books->sum[REIN_A_STATS_SEEN];
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		count -= books->count[ends[i]];
		sum -= books->sum[ends[i]];
	}
	return !count && !sum;
}

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static inline uint64_t boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

/**
 * struct take - a request, and where its answer goes
 * @args:	all bits set where nothing was asked, so that what the kernel
 *		doesn't write is seen
 * @wants:	one more than there may be
 */
struct take {
	struct rein_take_args args;
	struct rein_take_want wants[REIN_TAKE_NAMES_MAX + 1];
};

static inline struct take *ask_nothing(struct take *take, uint32_t flags, uint64_t time_ns)
{
	memset(take, 0xff, sizeof(*take));
	take->args.flags = flags;
	take->args.n_wants = 0;
	take->args.wants = (uintptr_t)take->wants;
	take->args.deadline_ns = time_ns;
	take->args.claim_ns = 0;
	take->args.scope_fd = 0;
	return take;
}

/* The same take, as a part of a scope. */
static inline struct take *ask_within(struct take *take, int scope)
{
	take->args.flags |= REIN_TAKE_SCOPE;
	take->args.scope_fd = scope;
	return take;
}

/* Behind the end of a name there is what there was. */
static inline struct take *ask_more(struct take *take, const char *name, uint64_t tokens)
{
	struct rein_take_want *want = &take->wants[take->args.n_wants++];

	memcpy(want->name, name, strlen(name) + 1);
	want->tokens = tokens;
	return take;
}

static inline struct take *ask_for(struct take *take, const char *name, uint64_t tokens,
				   uint32_t flags, uint64_t time_ns)
{
	return ask_more(ask_nothing(take, flags, time_ns), name, tokens);
}

static inline int take_now(int dev, struct take *take)
{
	return ioctl(dev, REIN_IOC_TAKE, &take->args) ? errno : 0;
}

/* A descriptor or a negative errno. */
static inline int reserve(int dev, struct take *take)
{
	int fd = ioctl(dev, REIN_IOC_RESERVE, &take->args);

	return fd < 0 ? -errno : fd;
}

static inline int claim(int fd, struct take *take)
{
	memset(take, 0xff, sizeof(*take));
	memset(&take->args, 0, offsetof(struct rein_take_args, granted_ns));
	take->args.claim_ns = 0;
	take->args.scope_fd = 0;
	return ioctl(fd, REIN_IOC_CLAIM, &take->args) ? errno : 0;
}

/* What is wrong with the answer to a take that came to @err? NULL: nothing. */
static inline const char *answer_wrong(const struct rein_take_args *args, int err)
{
	static const char none[sizeof(args->message)];
	size_t len = strnlen(args->message, sizeof(args->message));

	if (len == sizeof(args->message))
		return "message: not terminated";
	if (memcmp(args->message + len, none, sizeof(args->message) - len))
		return "message: something behind its end";
	if (!args->cause != !args->scope_id)
		return "cause and scope_id: one without the other";
	if (args->cause > REIN_CAUSE_OWNER_EXIT)
		return "cause: none that there is";
	if (args->cause && err != ECANCELED)
		return "cause, although no scope has ended it";
	if (!err || err == EINTR) {
		if (args->code || args->want || args->limit_id || args->record || len ||
		    args->wanted || args->available || args->retry_after_ns)
			return "something failed";
		if (!err != !!args->granted_ns)
			return "granted_ns";
		return args->waited_ns == UINT64_MAX ? "waited_ns" : NULL;
	}
	if (!args->code)
		return "code: none";
	if (args->code > 999)
		return "code: not a number of the book";
	if (!len)
		return "message: none";
	if (args->granted_ns)
		return "granted_ns, although it failed";
	if (args->want && args->want >= args->n_wants)
		return "want: not one of those that were named";
	if (args->limit_id == UINT64_MAX || args->record == UINT64_MAX ||
	    args->waited_ns == UINT64_MAX || args->available == UINT64_MAX)
		return "an answer that was not written";
	return NULL;
}

#endif /* REIN_SELFTESTS_TAKE_H */
