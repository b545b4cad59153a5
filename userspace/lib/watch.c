// SPDX-License-Identifier: GPL-2.0
/*
 * Watches: made, beaten and ended through /dev/rein, read over netlink.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "nl.h"
#include "scope.h"

#define NSEC_PER_SEC 1000000000ULL

/* --- /dev/rein ------------------------------------------------------------------ */

static int ask(int fd, unsigned long request, void *args, const struct rein_answer *answer,
	       struct rein_watch_result *result)
{
	struct rein_scope_result said;
	int ret = rein_scope_ask(fd, request, args, answer, &said);

	if (!result)
		return ret;
	memset(result, 0, sizeof(*result));
	result->record = said.record;
	result->code = said.code;
	memcpy(result->message, said.message, sizeof(result->message));
	return ret;
}

/* One that is too long is cut, but then has no end: that is for the kernel to refuse. */
static void put_text(char *room, size_t size, const char *text)
{
	if (text)
		memcpy(room, text, strnlen(text, size));
}

int rein_watch_new(int fd, const struct rein_watch_opts *opts, struct rein_watch_result *result)
{
	struct rein_watch_args args = {
		.flags = opts->flags,
		.subject = opts->subject,
		.fd = opts->subject == REIN_SUBJECT_PROCESS ? REIN_NO_FD : opts->fd,
		.pid = opts->pid,
		.start = opts->start,
		.kill_fd = opts->has_kill ? opts->kill_fd : REIN_NO_FD,
		.scope_fd = opts->has_scope ? opts->scope_fd : REIN_NO_FD,
		.rules = opts->rules,
		.steps = (uintptr_t)opts->steps,
		.n_steps = opts->n_steps,
		.wants = opts->wants,
	};
	int ret;

	put_text(args.name, sizeof(args.name), opts->name);
	ret = ask(fd, REIN_IOC_WATCH, &args, &args.answer, result);
	if (result) {
		result->id = args.id;
		result->slot = args.slot;
	}
	return ret;
}

int rein_watch_lookup(int fd, uint64_t id, const char *name, uint32_t flags, uint32_t wants,
		      struct rein_watch_result *result)
{
	struct rein_look_args args = { .flags = flags, .wants = wants, .id = id };
	int ret;

	if (!id)
		put_text(args.name, sizeof(args.name), name);
	ret = ask(fd, REIN_IOC_LOOK, &args, &args.answer, result);
	if (result)
		result->id = args.id;
	return ret;
}

static int beat(int watch, struct rein_beat_args *args, struct rein_watch_result *result)
{
	int ret = ask(watch, REIN_IOC_BEAT, args, &args->answer, result);

	if (result)
		result->token = args->next;
	return ret;
}

int rein_watch_beat(int watch, uint64_t token, struct rein_watch_result *result)
{
	struct rein_beat_args args = { .kind = REIN_BEAT, .token = token };

	return beat(watch, &args, result);
}

int rein_watch_begin(int watch, const char *unit, uint64_t deadline_ns, uint64_t token,
		     struct rein_watch_result *result)
{
	struct rein_beat_args args = {
		.kind = REIN_BEAT_BEGIN,
		.deadline_ns = deadline_ns == REIN_FOREVER_NS ? 0 : deadline_ns,
		.token = token,
	};

	put_text(args.unit, sizeof(args.unit), unit);
	return beat(watch, &args, result);
}

int rein_watch_end(int watch, const char *unit, uint64_t token, struct rein_watch_result *result)
{
	struct rein_beat_args args = { .kind = REIN_BEAT_END, .token = token };

	put_text(args.unit, sizeof(args.unit), unit);
	return beat(watch, &args, result);
}

int rein_watch_checkpoint(int watch, uint32_t checkpoint, uint64_t token,
			  struct rein_watch_result *result)
{
	struct rein_beat_args args = {
		.kind = REIN_BEAT_CHECKPOINT,
		.checkpoint = checkpoint,
		.token = token,
	};

	return beat(watch, &args, result);
}

int rein_watch_arm(int watch, uint32_t flags, uint64_t every_ns, uint64_t grace_ns,
		   struct rein_watch_result *result)
{
	struct rein_arm_args args = {
		.flags = flags,
		.every_ns = flags & REIN_ARM_EVERY ? every_ns : 0,
		.grace_ns = flags & REIN_ARM_GRACE ? grace_ns : 0,
	};

	return ask(watch, REIN_IOC_ARM, &args, &args.answer, result);
}

int rein_watch_disarm(int watch, struct rein_watch_result *result)
{
	return rein_watch_arm(watch, REIN_ARM_OFF, 0, 0, result);
}

int rein_watch_test(int watch, bool real, struct rein_watch_result *result)
{
	struct rein_test_args args = { .flags = real ? REIN_TEST_REAL : 0 };

	return ask(watch, REIN_IOC_TEST, &args, &args.answer, result);
}

int rein_unwatch(int watch, struct rein_watch_result *result)
{
	struct rein_unwatch_args args = { 0 };

	return ask(watch, REIN_IOC_UNWATCH, &args, &args.answer, result);
}

/* There is something to be read, so this doesn't wait, unless another was faster. */
static int read_state(int watch, struct rein_watch_state *state)
{
	struct rein_watch_state room;

	memset(&room, 0, sizeof(room));
	if (read(watch, &room, sizeof(room)) < 0)
		return -errno;
	room.unit[sizeof(room.unit) - 1] = '\0';
	if (state)
		*state = room;
	return 0;
}

int rein_watch_wait(int watch, uint64_t timeout_ns, struct rein_watch_state *state)
{
	struct timespec timeout = { timeout_ns / NSEC_PER_SEC, timeout_ns % NSEC_PER_SEC };
	struct pollfd poll = { .fd = watch, .events = POLLIN };
	int ret;

	ret = ppoll(&poll, 1, timeout_ns == REIN_FOREVER_NS ? NULL : &timeout, NULL);
	if (ret < 0)
		return -errno;
	if (!ret)
		return -ETIMEDOUT;
	if (poll.revents & POLLIN)
		return read_state(watch, state);
	return poll.revents & POLLHUP ? -EIDRM : -EBADF;
}

struct rein_watch_slot *rein_watch_map(int watch, uint32_t slot)
{
	size_t size = sysconf(_SC_PAGESIZE);
	char *page;

	if (slot > size - sizeof(struct rein_watch_slot)) {
		errno = EINVAL;
		return NULL;
	}
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, watch, 0);
	return page == MAP_FAILED ? NULL : (struct rein_watch_slot *)(page + slot);
}

void rein_watch_unmap(struct rein_watch_slot *slot)
{
	size_t size = sysconf(_SC_PAGESIZE);

	if (slot)
		munmap((void *)((uintptr_t)slot & ~(size - 1)), size);
}

/* --- netlink --------------------------------------------------------------------- */

static const struct nla_policy watch_policy[REIN_A_WATCH_MAX + 1] = {
	[REIN_A_WATCH_ID] = { .type = NLA_U64 },
	[REIN_A_WATCH_NAME] = { .type = NLA_STRING },
	[REIN_A_WATCH_STATUS] = { .type = NLA_U32 },
	[REIN_A_WATCH_FAULT] = { .type = NLA_U32 },
	[REIN_A_WATCH_MISSES] = { .type = NLA_U32 },
	[REIN_A_WATCH_RECORD] = { .type = NLA_U64 },
	[REIN_A_WATCH_SUBJECT] = { .type = NLA_U32 },
	[REIN_A_WATCH_SUBJECT_PID] = { .type = NLA_U32 },
	[REIN_A_WATCH_CGROUP_ID] = { .type = NLA_U64 },
	[REIN_A_WATCH_CGROUP_PATH] = { .type = NLA_STRING },
	[REIN_A_WATCH_SOCKET] = { .type = NLA_NESTED },
	[REIN_A_WATCH_FROZEN] = { .type = NLA_FLAG },
	[REIN_A_WATCH_FLAGS] = { .type = NLA_U32 },
	[REIN_A_WATCH_EVERY_NS] = { .type = NLA_U64 },
	[REIN_A_WATCH_GRACE_NS] = { .type = NLA_U64 },
	[REIN_A_WATCH_PRETIMEOUT_NS] = { .type = NLA_U64 },
	[REIN_A_WATCH_UNIT_MIN_NS] = { .type = NLA_U64 },
	[REIN_A_WATCH_UNIT_MAX_NS] = { .type = NLA_U64 },
	[REIN_A_WATCH_MISS] = { .type = NLA_U32 },
	[REIN_A_WATCH_BEATS_MIN] = { .type = NLA_U32 },
	[REIN_A_WATCH_BEATS_MAX] = { .type = NLA_U32 },
	[REIN_A_WATCH_FIRST] = { .type = NLA_U32 },
	[REIN_A_WATCH_NEXT] = { .type = NLA_UNSPEC },
	[REIN_A_WATCH_STEP] = { .type = NLA_NESTED },
	[REIN_A_WATCH_AT_STEP] = { .type = NLA_U32 },
	[REIN_A_WATCH_BEATS] = { .type = NLA_U64 },
	[REIN_A_WATCH_BEGINS] = { .type = NLA_U64 },
	[REIN_A_WATCH_ENDS] = { .type = NLA_U64 },
	[REIN_A_WATCH_FAULTS] = { .type = NLA_U64 },
	[REIN_A_WATCH_EXPIRIES] = { .type = NLA_U64 },
	[REIN_A_WATCH_IDLE_NS] = { .type = NLA_U64 },
	[REIN_A_WATCH_LEFT_NS] = { .type = NLA_U64 },
	[REIN_A_WATCH_UNIT] = { .type = NLA_STRING },
	[REIN_A_WATCH_UNIT_NS] = { .type = NLA_U64 },
	[REIN_A_WATCH_PID] = { .type = NLA_U32 },
	[REIN_A_WATCH_COMM] = { .type = NLA_STRING },
	[REIN_A_WATCH_UID] = { .type = NLA_U32 },
	[REIN_A_WATCH_TEST] = { .type = NLA_FLAG },
	[REIN_A_WATCH_ERRNO] = { .type = NLA_U32 },
	[REIN_A_WATCH_EVENT] = { .type = NLA_U32 },
};

static const struct nla_policy watch_step_policy[REIN_A_WATCH_STEP_MAX + 1] = {
	[REIN_A_WATCH_STEP_KIND] = { .type = NLA_U32 },
	[REIN_A_WATCH_STEP_SIGNAL] = { .type = NLA_U32 },
	[REIN_A_WATCH_STEP_DELAY_NS] = { .type = NLA_U64 },
};

static void parse_step(struct nlattr *attr, struct rein_watch *watch)
{
	struct nlattr *tb[REIN_A_WATCH_STEP_MAX + 1];

	if (watch->n_steps == REIN_STEPS_MAX ||
	    nla_parse_nested(tb, REIN_A_WATCH_STEP_MAX, attr,
			     (struct nla_policy *)watch_step_policy) < 0)
		return;
	watch->steps[watch->n_steps++] = (struct rein_watch_step){
		.kind = rein_u32(tb[REIN_A_WATCH_STEP_KIND]),
		.signal = rein_u32(tb[REIN_A_WATCH_STEP_SIGNAL]),
		.delay_ns = rein_u64(tb[REIN_A_WATCH_STEP_DELAY_NS]),
	};
}

/* What may come more than once: rein_parse() keeps only the last. */
static void parse_steps(struct nlmsghdr *nlh, struct rein_watch *watch)
{
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem)
		if (nla_type(attr) == REIN_A_WATCH_STEP)
			parse_step(attr, watch);
}

static void parse_rules(struct nlattr **tb, struct rein_watch_rules *rules)
{
	struct nlattr *next = tb[REIN_A_WATCH_NEXT];

	rules->every_ns = rein_u64(tb[REIN_A_WATCH_EVERY_NS]);
	rules->grace_ns = rein_u64(tb[REIN_A_WATCH_GRACE_NS]);
	rules->pretimeout_ns = rein_u64(tb[REIN_A_WATCH_PRETIMEOUT_NS]);
	rules->unit_min_ns = rein_u64(tb[REIN_A_WATCH_UNIT_MIN_NS]);
	rules->unit_max_ns = rein_u64(tb[REIN_A_WATCH_UNIT_MAX_NS]);
	rules->miss = rein_u32(tb[REIN_A_WATCH_MISS]);
	rules->min = rein_u32(tb[REIN_A_WATCH_BEATS_MIN]);
	rules->max = rein_u32(tb[REIN_A_WATCH_BEATS_MAX]);
	rules->first = rein_u32(tb[REIN_A_WATCH_FIRST]);
	if (next && nla_len(next) == sizeof(rules->next))
		memcpy(rules->next, nla_data(next), sizeof(rules->next));
}

static void parse_what(struct nlattr **tb, struct rein_watch *watch)
{
	watch->id = rein_u64(tb[REIN_A_WATCH_ID]);
	watch->name = rein_str(tb[REIN_A_WATCH_NAME]);
	watch->subject = rein_u32(tb[REIN_A_WATCH_SUBJECT]);
	watch->subject_pid = rein_u32(tb[REIN_A_WATCH_SUBJECT_PID]);
	watch->cgroup_id = rein_u64(tb[REIN_A_WATCH_CGROUP_ID]);
	watch->cgroup = rein_str(tb[REIN_A_WATCH_CGROUP_PATH]);
	watch->has_socket = tb[REIN_A_WATCH_SOCKET];
	if (watch->has_socket)
		rein_socket_parse(tb[REIN_A_WATCH_SOCKET], &watch->socket);
	watch->flags = rein_u32(tb[REIN_A_WATCH_FLAGS]);
	watch->pid = rein_u32(tb[REIN_A_WATCH_PID]);
	watch->comm = rein_str(tb[REIN_A_WATCH_COMM]);
	watch->has_uid = tb[REIN_A_WATCH_UID];
	watch->uid = rein_u32(tb[REIN_A_WATCH_UID]);
}

static void parse_state(struct nlattr **tb, struct rein_watch *watch)
{
	watch->status = rein_u32(tb[REIN_A_WATCH_STATUS]);
	watch->frozen = tb[REIN_A_WATCH_FROZEN];
	watch->fault = rein_u32(tb[REIN_A_WATCH_FAULT]);
	watch->misses = rein_u32(tb[REIN_A_WATCH_MISSES]);
	watch->record = rein_u64(tb[REIN_A_WATCH_RECORD]);
	watch->at_step = rein_u32(tb[REIN_A_WATCH_AT_STEP]);
	watch->beats = rein_u64(tb[REIN_A_WATCH_BEATS]);
	watch->begins = rein_u64(tb[REIN_A_WATCH_BEGINS]);
	watch->ends = rein_u64(tb[REIN_A_WATCH_ENDS]);
	watch->faults = rein_u64(tb[REIN_A_WATCH_FAULTS]);
	watch->expiries = rein_u64(tb[REIN_A_WATCH_EXPIRIES]);
	watch->has_idle = tb[REIN_A_WATCH_IDLE_NS];
	watch->idle_ns = rein_u64(tb[REIN_A_WATCH_IDLE_NS]);
	watch->has_left = tb[REIN_A_WATCH_LEFT_NS];
	watch->left_ns = rein_u64(tb[REIN_A_WATCH_LEFT_NS]);
	watch->unit = rein_str(tb[REIN_A_WATCH_UNIT]);
	watch->unit_ns = rein_u64(tb[REIN_A_WATCH_UNIT_NS]);
	watch->test = tb[REIN_A_WATCH_TEST];
	watch->err = rein_u32(tb[REIN_A_WATCH_ERRNO]);
	watch->event = rein_u32(tb[REIN_A_WATCH_EVENT]);
}

void rein_watch_parse(struct nlmsghdr *nlh, rein_watch_fn fn, void *arg)
{
	struct nlattr *tb[REIN_A_WATCH_MAX + 1];
	struct rein_watch watch = { 0 };

	if (rein_parse(tb, REIN_A_WATCH_MAX, nlh, watch_policy) < 0)
		return;
	parse_what(tb, &watch);
	parse_rules(tb, &watch.rules);
	parse_steps(nlh, &watch);
	parse_state(tb, &watch);
	/* What isn't there may be told as being empty. */
	if (watch.name && !*watch.name)
		watch.name = NULL;
	if (watch.unit && !*watch.unit)
		watch.unit = NULL;
	fn(&watch, arg);
}

struct watch_answer {
	rein_watch_fn fn;
	void *arg;
};

static void watch_answer(struct nlmsghdr *nlh, void *arg)
{
	struct watch_answer *answer = arg;

	rein_watch_parse(nlh, answer->fn, answer->arg);
}

int rein_watch_get(struct rein *rein, uint64_t id, rein_watch_fn fn, void *arg)
{
	struct watch_answer answer = { fn, arg };
	struct nl_msg *msg = rein_request(rein, REIN_CMD_WATCH_GET, 0, 64);

	if (!msg)
		return -ENOMEM;
	nla_put_u64(msg, REIN_A_WATCH_ID, id);
	return rein_send(rein, msg, watch_answer, &answer);
}

int rein_watch_dump(struct rein *rein, const char *name, rein_watch_fn fn, void *arg)
{
	struct watch_answer answer = { fn, arg };
	struct nl_msg *msg =
		rein_request(rein, REIN_CMD_WATCH_GET, NLM_F_DUMP, 64 + (name ? strlen(name) : 0));

	if (!msg)
		return -ENOMEM;
	if (name)
		nla_put_string(msg, REIN_A_WATCH_NAME, name);
	return rein_send(rein, msg, watch_answer, &answer);
}
