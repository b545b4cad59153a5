// SPDX-License-Identifier: GPL-2.0
/*
 * What librein makes of the kernel's messages, good, cut short and mad.
 */
#include "../../userspace/lib/nl.c"

#include "test.h"

/* A request with a name, two tiers and a patience. */
static struct nl_msg *request(struct rein *rein)
{
	struct nl_msg *msg = rein_request(rein, REIN_CMD_LIMIT_ADD, 0, 512);
	int i;

	rein->nest = REIN_A_LIMIT_TIER;
	nla_put_string(msg, REIN_A_LIMIT_NAME, "web");
	for (i = 0; i < 2; i++) {
		struct nlattr *nest = nla_nest_start(msg, REIN_A_LIMIT_TIER | NLA_F_NESTED);

		nla_put_u32(msg, REIN_A_TIER_UNIT, 0);
		nla_put_u64(msg, REIN_A_TIER_BURST, 0);
		nla_nest_end(msg, nest);
	}
	nla_put_u64(msg, REIN_A_LIMIT_PATIENCE_NS, 1);
	return msg;
}

/* Where the n-th attribute of that type begins; inner: the one in it. */
static uint32_t offset_of(struct nl_msg *msg, int type, int n, int inner)
{
	struct nlattr *attr, *nested;
	int rem, left;

	nlmsg_for_each_attr(attr, nlmsg_hdr(msg), GENL_HDRLEN, rem) {
		if (nla_type(attr) != type || n--)
			continue;
		if (!inner)
			return (char *)attr - (char *)nlmsg_hdr(msg);
		nla_for_each_nested(nested, attr, left)
			if (nla_type(nested) == inner)
				return (char *)nested - (char *)nlmsg_hdr(msg);
	}
	return 0;
}

/* An answer that says err, with room for what else it says. */
static struct nl_msg *answer(int type, int err, int flags, struct nl_msg *req)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlmsghdr *nlh = nlmsg_put(msg, 0, 0, type, 0, flags);
	struct nlmsgerr e = { .error = err };

	(void)nlh;
	e.msg = *nlmsg_hdr(req);
	if (type == NLMSG_DONE)
		nlmsg_append(msg, &err, sizeof(err), NLMSG_ALIGNTO);
	else
		nlmsg_append(msg, &e, sizeof(e), NLMSG_ALIGNTO);
	if (type == NLMSG_ERROR && !(flags & NLM_F_CAPPED))
		nlmsg_append(msg, nlmsg_data(nlmsg_hdr(req)),
			     nlmsg_hdr(req)->nlmsg_len - NLMSG_HDRLEN, NLMSG_ALIGNTO);
	return msg;
}

static void error_full(void)
{
	struct rein rein = { 0 };
	struct nl_msg *req = request(&rein), *msg;
	uint64_t record = 17;
	int flags;

	/* With and without the request echoed in between. */
	for (flags = 0; flags <= NLM_F_CAPPED; flags += NLM_F_CAPPED) {
		msg = answer(NLMSG_ERROR, -EEXIST, NLM_F_ACK_TLVS | flags, req);
		/* The message has no NUL at its end. */
		nla_put(msg, NLMSGERR_ATTR_MSG, 4, "oops");
		nla_put_u32(msg, NLMSGERR_ATTR_OFFS, offset_of(req, REIN_A_LIMIT_NAME, 0, 0));
		nla_put(msg, NLMSGERR_ATTR_COOKIE, 8, &record);
		CHECK_EQ(-read_error(&rein, nlmsg_hdr(req), nlmsg_hdr(msg)), EEXIST);
		CHECK_EQ(rein.error.err, EEXIST);
		CHECK_EQ(rein.error.refused, 1);
		CHECK_STR(rein.error.message, "oops");
		CHECK_EQ(rein.error.attr, REIN_A_LIMIT_NAME);
		CHECK_EQ(rein.error.nested, 0);
		CHECK_EQ(rein.error.record, 17);
		nlmsg_free(msg);
	}
	nlmsg_free(req);
}

static void error_bare(void)
{
	struct rein rein = { 0 };
	struct nl_msg *req = request(&rein), *msg = answer(NLMSG_ERROR, -EPERM, NLM_F_CAPPED, req);

	CHECK_EQ(-read_error(&rein, nlmsg_hdr(req), nlmsg_hdr(msg)), EPERM);
	CHECK_STR(rein.error.message, "Operation not permitted");
	CHECK_EQ(rein.error.attr, 0);
	CHECK_EQ(rein.error.record, 0);
	nlmsg_free(msg);
	msg = answer(NLMSG_ERROR, 0, NLM_F_CAPPED, req);
	CHECK_EQ(read_error(&rein, nlmsg_hdr(req), nlmsg_hdr(msg)), 0);
	nlmsg_free(msg);
	nlmsg_free(req);
}

static void error_in_tier(void)
{
	struct rein rein = { 0 };
	struct nl_msg *req = request(&rein), *msg;
	int n;

	for (n = 0; n < 2; n++) {
		msg = answer(NLMSG_ERROR, -EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED, req);
		nla_put_u32(msg, NLMSGERR_ATTR_OFFS,
			    offset_of(req, REIN_A_LIMIT_TIER, n, REIN_A_TIER_BURST));
		read_error(&rein, nlmsg_hdr(req), nlmsg_hdr(msg));
		CHECK_EQ(rein.error.attr, REIN_A_LIMIT_TIER);
		CHECK_EQ(rein.error.index, n);
		CHECK_EQ(rein.error.nested, REIN_A_TIER_BURST);
		nlmsg_free(msg);
	}
	msg = answer(NLMSG_ERROR, -EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED, req);
	nla_put_u32(msg, NLMSGERR_ATTR_OFFS, offset_of(req, REIN_A_LIMIT_TIER, 1, 0));
	read_error(&rein, nlmsg_hdr(req), nlmsg_hdr(msg));
	CHECK_EQ(rein.error.attr, REIN_A_LIMIT_TIER);
	CHECK_EQ(rein.error.index, 1);
	CHECK_EQ(rein.error.nested, 0);
	nlmsg_free(msg);
	nlmsg_free(req);
}

static void error_missing(void)
{
	struct rein rein = { 0 };
	struct nl_msg *req = request(&rein), *msg;

	msg = answer(NLMSG_ERROR, -EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED, req);
	nla_put_u32(msg, NLMSGERR_ATTR_MISS_TYPE, REIN_A_LIMIT_CGROUP_FD);
	read_error(&rein, nlmsg_hdr(req), nlmsg_hdr(msg));
	CHECK_EQ(rein.error.attr, REIN_A_LIMIT_CGROUP_FD);
	CHECK_EQ(rein.error.missing, 1);
	nlmsg_free(msg);
	msg = answer(NLMSG_ERROR, -EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED, req);
	nla_put_u32(msg, NLMSGERR_ATTR_MISS_TYPE, REIN_A_TIER_RATE_TOKENS);
	nla_put_u32(msg, NLMSGERR_ATTR_MISS_NEST, offset_of(req, REIN_A_LIMIT_TIER, 1, 0));
	read_error(&rein, nlmsg_hdr(req), nlmsg_hdr(msg));
	CHECK_EQ(rein.error.attr, REIN_A_LIMIT_TIER);
	CHECK_EQ(rein.error.index, 1);
	CHECK_EQ(rein.error.nested, REIN_A_TIER_RATE_TOKENS);
	CHECK_EQ(rein.error.missing, 1);
	nlmsg_free(msg);
	nlmsg_free(req);
}

/* The end of a dump has its error in front, and no room for a request. */
static void error_of_dump(void)
{
	struct rein rein = { 0 };
	struct nl_msg *req = request(&rein), *msg;

	msg = answer(NLMSG_DONE, -ENOENT, NLM_F_MULTI | NLM_F_ACK_TLVS, req);
	nla_put_string(msg, NLMSGERR_ATTR_MSG, "gone");
	CHECK_EQ(-read_error(&rein, nlmsg_hdr(req), nlmsg_hdr(msg)), ENOENT);
	CHECK_STR(rein.error.message, "gone");
	nlmsg_free(msg);
	msg = answer(NLMSG_DONE, 0, NLM_F_MULTI, req);
	CHECK_EQ(read_error(&rein, nlmsg_hdr(req), nlmsg_hdr(msg)), 0);
	nlmsg_free(msg);
	nlmsg_free(req);
}

static void error_cut_short(void)
{
	struct rein rein = { 0 };
	struct nl_msg *req = request(&rein), *msg;
	uint32_t len, full;

	msg = answer(NLMSG_ERROR, -EEXIST, NLM_F_ACK_TLVS | NLM_F_CAPPED, req);
	nla_put_string(msg, NLMSGERR_ATTR_MSG, "oops");
	nla_put_u32(msg, NLMSGERR_ATTR_OFFS, 0xffffff00);
	nla_put(msg, NLMSGERR_ATTR_COOKIE, 3, "abc");
	full = nlmsg_hdr(msg)->nlmsg_len;
	for (len = NLMSG_HDRLEN; len <= full; len++) {
		/* On the heap, so that reading past its end is seen. */
		struct nlmsghdr *cut = malloc(len);

		memcpy(cut, nlmsg_hdr(msg), len);
		cut->nlmsg_len = len;
		CHECK_EQ(read_error(&rein, nlmsg_hdr(req), cut) < 0, 1);
		CHECK_EQ(rein.error.attr, 0);
		CHECK_EQ(rein.error.record, 0);
		free(cut);
	}
	nlmsg_free(msg);
	nlmsg_free(req);
}

static uint64_t state = 2463534242;

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static size_t touched;

static void touch(const char *text)
{
	if (text)
		touched += strlen(text);
}

static void touch_limit(const struct rein_limit *limit, void *arg)
{
	(void)arg;
	touch(limit->name);
	touch(limit->cgroup);
	touched += limit->n_tiers;
}

static void touch_record(const struct rein_record *record, void *arg)
{
	size_t i;

	(void)arg;
	touch(record->message);
	touch(record->comm);
	for (i = 0; i < record->n_stack; i++)
		touch(record->stack[i]);
	for (i = 0; i < record->n_values; i++)
		touch(record->values[i].name);
	for (i = 0; record->has_socket && i < record->socket.source_len; i++)
		touched += ((const char *)record->socket.source)[i];
}

static void touch_scope(const struct rein_scope *scope, void *arg)
{
	(void)arg;
	touch(scope->name);
	touch(scope->reason);
	touch(scope->comm);
	touch(scope->cgroup);
}

static void touch_watch(const struct rein_watch *watch, void *arg)
{
	size_t i;

	(void)arg;
	touch(watch->name);
	touch(watch->unit);
	touch(watch->comm);
	touch(watch->cgroup);
	for (i = 0; i < watch->n_steps; i++)
		touched += watch->steps[i].kind;
	for (i = 0; watch->has_socket && i < watch->socket.source_len; i++)
		touched += ((const char *)watch->socket.source)[i];
}

/* Messages of random attributes, some of them damaged: nothing is read amiss. */
static void random_messages(void)
{
	int i, j, n;

	for (i = 0; i < 20000; i++) {
		struct rein rein = { 0 };
		struct nl_msg *msg = rein_request(&rein, REIN_CMD_LIMIT_GET, 0, 2048);
		struct nlmsghdr *copy;
		char junk[64];

		for (j = 0, n = rnd(12); j < n; j++) {
			struct nlattr *nest = rnd(3) ? NULL : nla_nest_start(msg, rnd(45));
			int k, len = rnd(3) ? 4 + 4 * rnd(2) : rnd(sizeof(junk));

			for (k = 0; k < len; k++)
				junk[k] = rnd(4) ? 'a' + k % 26 : '\0';
			nla_put(msg, rnd(45), len, junk);
			if (nest)
				nla_nest_end(msg, nest);
		}
		n = nlmsg_hdr(msg)->nlmsg_len;
		copy = malloc(n);
		memcpy(copy, nlmsg_hdr(msg), n);
		for (j = rnd(3); j && n > 20; j--)
			((char *)copy)[20 + rnd(n - 20)] = rnd(256);
		rein_limit_parse(copy, touch_limit, NULL);
		rein_record_parse(copy, touch_record, NULL);
		rein_scope_parse(copy, touch_scope, NULL);
		rein_watch_parse(copy, touch_watch, NULL);
		free(copy);
		nlmsg_free(msg);
	}
	CHECK_EQ(touched > 0, 1);
}

static struct nlmsghdr *sent;

/* What would be sent is kept, and nothing comes back. */
int __wrap_nl_send_auto(struct nl_sock *sock, struct nl_msg *msg)
{
	(void)sock;
	free(sent);
	sent = malloc(nlmsg_hdr(msg)->nlmsg_len);
	memcpy(sent, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	return -NLE_FAILURE;
}

static bool sent_has(int type)
{
	return nlmsg_find_attr(sent, GENL_HDRLEN, type);
}

/* Flags go as they are meant, also with all else that a request can have. */
static void limit_sent(void)
{
	struct rein_tier tiers[REIN_TIERS_MAX] = { 0 };
	struct rein_limit_request limit = {
		.name = "web", .cgroup_fd = 3, .has_socket = true, .has_resource = true,
		.has_over = true, .tiers = tiers, .n_tiers = COUNT(tiers), .has_patience = true,
		.has_queue = true, .has_credit = true, .has_for = true, .chain = true,
	};
	struct rein rein = { 0 };
	int i;

	for (i = 0; i < 4; i++) {
		limit.per_socket = i & 1;
		limit.copies = i & 2;
		CHECK_EQ(-rein_limit_change(&rein, REIN_CMD_LIMIT_ADD, &limit), EIO);
		CHECK_EQ(sent_has(REIN_A_LIMIT_PER_SOCKET), limit.per_socket);
		CHECK_EQ(sent_has(REIN_A_LIMIT_COPIES), limit.copies);
		CHECK_EQ(sent_has(REIN_A_LIMIT_CHAIN) && sent_has(REIN_A_LIMIT_FOR_NS), 1);
	}
	free(sent);
	sent = NULL;
}

static void copy_limit(const struct rein_limit *limit, void *arg)
{
	*(struct rein_limit *)arg = *limit;
}

static void limit_per_socket(void)
{
	struct rein rein = { 0 };
	struct nl_msg *msg = rein_request(&rein, REIN_CMD_LIMIT_GET, 0, 256);
	struct rein_limit limit = { .copy_of = 1 };

	nla_put_u64(msg, REIN_A_LIMIT_ID, 7);
	nla_put_flag(msg, REIN_A_LIMIT_PER_SOCKET);
	nla_put_u32(msg, REIN_A_LIMIT_SOCKETS, 3);
	rein_limit_parse(nlmsg_hdr(msg), copy_limit, &limit);
	CHECK_EQ(limit.per_socket, 1);
	CHECK_EQ(limit.sockets, 3);
	CHECK_EQ(limit.copy_of, 0);
	nlmsg_free(msg);
	msg = rein_request(&rein, REIN_CMD_LIMIT_GET, 0, 256);
	nla_put_u64(msg, REIN_A_LIMIT_ID, 8);
	nla_put_u64(msg, REIN_A_LIMIT_COPY_OF, 1ULL << 40);
	rein_limit_parse(nlmsg_hdr(msg), copy_limit, &limit);
	CHECK_EQ(limit.per_socket | limit.sockets, 0);
	CHECK_EQ(limit.copy_of, 1ULL << 40);
	nlmsg_free(msg);
}

static void copy_scope(const struct rein_scope *scope, void *arg)
{
	*(struct rein_scope *)arg = *scope;
}

static void scope_full(void)
{
	struct rein rein = { 0 };
	struct nl_msg *msg = rein_request(&rein, REIN_CMD_SCOPE_GET, 0, 1024);
	struct rein_scope scope = { 0 };

	nla_put_u64(msg, REIN_A_SCOPE_ID, 1ULL << 40);
	nla_put_string(msg, REIN_A_SCOPE_NAME, "build");
	nla_put_u64(msg, REIN_A_SCOPE_PARENT, 6);
	nla_put_u32(msg, REIN_A_SCOPE_DEPTH, 2);
	nla_put_u64(msg, REIN_A_SCOPE_LEFT_NS, 0);
	nla_put_u32(msg, REIN_A_SCOPE_CAUSE, REIN_CAUSE_PARENT);
	nla_put_u64(msg, REIN_A_SCOPE_ORIGIN, 5);
	nla_put_u64(msg, REIN_A_SCOPE_RECORD, 12);
	nla_put_string(msg, REIN_A_SCOPE_REASON, "enough");
	nla_put_u64(msg, REIN_A_SCOPE_TIME_NS, 99);
	nla_put_u32(msg, REIN_A_SCOPE_CHILDREN, 3);
	nla_put_u32(msg, REIN_A_SCOPE_WAITERS, 4);
	nla_put_u32(msg, REIN_A_SCOPE_PID, 77);
	nla_put_string(msg, REIN_A_SCOPE_COMM, "make");
	nla_put_u32(msg, REIN_A_SCOPE_UID, 0);
	nla_put_u64(msg, REIN_A_SCOPE_CGROUP_ID, 92);
	nla_put_string(msg, REIN_A_SCOPE_CGROUP_PATH, "/a");
	nla_put_flag(msg, REIN_A_SCOPE_KILLS);
	nla_put_u32(msg, REIN_A_SCOPE_RACE, REIN_POLICY_ASK);
	nla_put_u32(msg, REIN_A_SCOPE_NUMBER, 8);
	nla_put_u32(msg, REIN_A_SCOPE_WINNER, 9);
	nla_put_u32(msg, REIN_A_SCOPE_EVENT, REIN_SCOPE_EVENT_DONE);
	rein_scope_parse(nlmsg_hdr(msg), copy_scope, &scope);
	CHECK_EQ(scope.id, 1ULL << 40);
	CHECK_STR(scope.name, "build");
	CHECK_EQ(scope.parent * 10 + scope.depth, 62);
	CHECK_EQ(scope.has_left, 1);
	CHECK_EQ(scope.left_ns, 0);
	CHECK_EQ(scope.cause, REIN_CAUSE_PARENT);
	CHECK_EQ(scope.origin, 5);
	CHECK_EQ(scope.record, 12);
	CHECK_STR(scope.reason, "enough");
	CHECK_EQ(scope.time_ns, 99);
	CHECK_EQ(scope.children * 10 + scope.waiters, 34);
	CHECK_EQ(scope.pid, 77);
	CHECK_STR(scope.comm, "make");
	CHECK_EQ(scope.has_uid, 1);
	CHECK_EQ(scope.cgroup_id, 92);
	CHECK_STR(scope.cgroup, "/a");
	CHECK_EQ(scope.kills, 1);
	CHECK_EQ(scope.race, REIN_POLICY_ASK);
	CHECK_EQ(scope.number * 10 + scope.winner, 89);
	CHECK_EQ(scope.event, REIN_SCOPE_EVENT_DONE);
	nlmsg_free(msg);
}

/* What a scope doesn't have isn't there, or is empty. */
static void scope_bare(void)
{
	struct rein rein = { 0 };
	struct nl_msg *msg = rein_request(&rein, REIN_CMD_SCOPE_GET, 0, 256);
	struct rein_scope scope = { .name = "?", .reason = "?", .has_left = true };

	nla_put_u64(msg, REIN_A_SCOPE_ID, 1);
	nla_put_string(msg, REIN_A_SCOPE_NAME, "");
	nla_put_string(msg, REIN_A_SCOPE_REASON, "");
	rein_scope_parse(nlmsg_hdr(msg), copy_scope, &scope);
	CHECK_EQ(!scope.name && !scope.reason && !scope.cgroup && !scope.comm, 1);
	CHECK_EQ(scope.has_left || scope.has_uid || scope.kills, 0);
	CHECK_EQ(scope.cause | scope.race | scope.number | scope.winner, 0);
	nlmsg_free(msg);
}

static void copy_watch(const struct rein_watch *watch, void *arg)
{
	*(struct rein_watch *)arg = *watch;
}

static void put_watch_step(struct nl_msg *msg, uint32_t kind, uint64_t delay_ns)
{
	struct nlattr *nest = nla_nest_start(msg, REIN_A_WATCH_STEP | NLA_F_NESTED);

	nla_put_u32(msg, REIN_A_WATCH_STEP_KIND, kind);
	nla_put_u32(msg, REIN_A_WATCH_STEP_SIGNAL, kind == REIN_STEP_SIGNAL ? 15 : 0);
	nla_put_u64(msg, REIN_A_WATCH_STEP_DELAY_NS, delay_ns);
	nla_nest_end(msg, nest);
}

static void watch_full(void)
{
	static const uint16_t next[REIN_CHECKPOINTS] = { [1] = 4, [15] = 9 };
	struct rein rein = { 0 };
	struct nl_msg *msg = rein_request(&rein, REIN_CMD_WATCH_GET, 0, 2048);
	struct rein_watch watch = { 0 };
	struct nlattr *nest;
	int i;

	nla_put_u64(msg, REIN_A_WATCH_ID, 1ULL << 40);
	nla_put_string(msg, REIN_A_WATCH_NAME, "web");
	nla_put_u32(msg, REIN_A_WATCH_STATUS, REIN_WATCH_EXPIRED);
	nla_put_u32(msg, REIN_A_WATCH_FAULT, REIN_FAULT_ORDER);
	nla_put_u32(msg, REIN_A_WATCH_MISSES, 4);
	nla_put_u64(msg, REIN_A_WATCH_RECORD, 12);
	nla_put_u32(msg, REIN_A_WATCH_SUBJECT, REIN_SUBJECT_SOCKET);
	nla_put_u32(msg, REIN_A_WATCH_SUBJECT_PID, 77);
	nla_put_u64(msg, REIN_A_WATCH_CGROUP_ID, 92);
	nla_put_string(msg, REIN_A_WATCH_CGROUP_PATH, "/web");
	nest = nla_nest_start(msg, REIN_A_WATCH_SOCKET | NLA_F_NESTED);
	nla_put_u32(msg, REIN_A_SOCKET_SOURCE_PORT, 80);
	nla_nest_end(msg, nest);
	nla_put_flag(msg, REIN_A_WATCH_FROZEN);
	nla_put_u32(msg, REIN_A_WATCH_FLAGS, REIN_WATCH_TOKEN);
	for (i = REIN_A_WATCH_EVERY_NS; i <= REIN_A_WATCH_UNIT_MAX_NS; i++)
		nla_put_u64(msg, i, i);
	for (i = REIN_A_WATCH_MISS; i <= REIN_A_WATCH_FIRST; i++)
		nla_put_u32(msg, i, i);
	nla_put(msg, REIN_A_WATCH_NEXT, sizeof(next), next);
	put_watch_step(msg, REIN_STEP_SIGNAL, 5);
	put_watch_step(msg, REIN_STEP_KILL, 6);
	nla_put_u32(msg, REIN_A_WATCH_AT_STEP, 1);
	for (i = REIN_A_WATCH_BEATS; i <= REIN_A_WATCH_LEFT_NS; i++)
		nla_put_u64(msg, i, i);
	nla_put_string(msg, REIN_A_WATCH_UNIT, "job-17");
	nla_put_u64(msg, REIN_A_WATCH_UNIT_NS, 8);
	nla_put_u32(msg, REIN_A_WATCH_PID, 78);
	nla_put_string(msg, REIN_A_WATCH_COMM, "make");
	nla_put_u32(msg, REIN_A_WATCH_UID, 0);
	nla_put_flag(msg, REIN_A_WATCH_TEST);
	nla_put_u32(msg, REIN_A_WATCH_ERRNO, 3);
	nla_put_u32(msg, REIN_A_WATCH_EVENT, REIN_WATCH_EVENT_STEP);
	rein_watch_parse(nlmsg_hdr(msg), copy_watch, &watch);
	CHECK_EQ(watch.id, 1ULL << 40);
	CHECK_STR(watch.name, "web");
	CHECK_EQ(watch.status * 100 + watch.fault * 10 + watch.misses, 354);
	CHECK_EQ(watch.record, 12);
	CHECK_EQ(watch.subject * 100 + watch.subject_pid, 377);
	CHECK_EQ(watch.cgroup_id, 92);
	CHECK_STR(watch.cgroup, "/web");
	CHECK_EQ(watch.has_socket * 100 + watch.socket.source_port, 180);
	CHECK_EQ(watch.frozen && watch.test && watch.has_uid && !watch.uid, 1);
	CHECK_EQ(watch.flags, REIN_WATCH_TOKEN);
	CHECK_EQ(watch.rules.every_ns, REIN_A_WATCH_EVERY_NS);
	CHECK_EQ(watch.rules.grace_ns, REIN_A_WATCH_GRACE_NS);
	CHECK_EQ(watch.rules.pretimeout_ns, REIN_A_WATCH_PRETIMEOUT_NS);
	CHECK_EQ(watch.rules.unit_min_ns, REIN_A_WATCH_UNIT_MIN_NS);
	CHECK_EQ(watch.rules.unit_max_ns, REIN_A_WATCH_UNIT_MAX_NS);
	CHECK_EQ(watch.rules.miss, REIN_A_WATCH_MISS);
	CHECK_EQ(watch.rules.min, REIN_A_WATCH_BEATS_MIN);
	CHECK_EQ(watch.rules.max, REIN_A_WATCH_BEATS_MAX);
	CHECK_EQ(watch.rules.first, REIN_A_WATCH_FIRST);
	CHECK_EQ(watch.rules.next[1] * 10 + watch.rules.next[15], 49);
	CHECK_EQ(watch.n_steps * 10 + watch.at_step, 21);
	CHECK_EQ(watch.steps[0].kind * 100 + watch.steps[0].signal, 215);
	CHECK_EQ(watch.steps[1].kind * 100 + watch.steps[1].delay_ns, 406);
	CHECK_EQ(watch.beats, REIN_A_WATCH_BEATS);
	CHECK_EQ(watch.begins, REIN_A_WATCH_BEGINS);
	CHECK_EQ(watch.ends, REIN_A_WATCH_ENDS);
	CHECK_EQ(watch.faults, REIN_A_WATCH_FAULTS);
	CHECK_EQ(watch.expiries, REIN_A_WATCH_EXPIRIES);
	CHECK_EQ(watch.has_idle && watch.has_left, 1);
	CHECK_EQ(watch.idle_ns, REIN_A_WATCH_IDLE_NS);
	CHECK_EQ(watch.left_ns, REIN_A_WATCH_LEFT_NS);
	CHECK_STR(watch.unit, "job-17");
	CHECK_EQ(watch.unit_ns, 8);
	CHECK_EQ(watch.pid, 78);
	CHECK_STR(watch.comm, "make");
	CHECK_EQ(watch.err, 3);
	CHECK_EQ(watch.event, REIN_WATCH_EVENT_STEP);
	nlmsg_free(msg);
}

/* What a watch doesn't have isn't there, or is empty; too many steps, too short an order. */
static void watch_bare(void)
{
	struct rein rein = { 0 };
	struct nl_msg *msg = rein_request(&rein, REIN_CMD_WATCH_GET, 0, 1024);
	struct rein_watch watch = { .name = "?", .unit = "?", .has_left = true };
	int i;

	nla_put_u64(msg, REIN_A_WATCH_ID, 1);
	nla_put_string(msg, REIN_A_WATCH_NAME, "");
	nla_put_string(msg, REIN_A_WATCH_UNIT, "");
	nla_put(msg, REIN_A_WATCH_NEXT, 4, "\1\1\1\1");
	for (i = 0; i < REIN_STEPS_MAX + 2; i++)
		put_watch_step(msg, REIN_STEP_RECORD, i);
	rein_watch_parse(nlmsg_hdr(msg), copy_watch, &watch);
	CHECK_EQ(!watch.name && !watch.unit && !watch.cgroup && !watch.comm, 1);
	CHECK_EQ(watch.has_left || watch.has_idle || watch.has_uid || watch.has_socket, 0);
	CHECK_EQ(watch.rules.next[0] | watch.fault | watch.event, 0);
	CHECK_EQ(watch.n_steps, REIN_STEPS_MAX);
	nlmsg_free(msg);
}

static void copy_record(const struct rein_record *record, void *arg)
{
	*(struct rein_record *)arg = *record;
}

static void scope_of_record(void)
{
	struct rein rein = { 0 };
	struct nl_msg *msg = rein_request(&rein, REIN_CMD_RECORD_GET, 0, 256);
	struct rein_record record = { 0 };

	nla_put_u64(msg, REIN_A_RECORD_SCOPE_ID, 7);
	nla_put_string(msg, REIN_A_RECORD_SCOPE_NAME, "build");
	nla_put_u64(msg, REIN_A_RECORD_WATCH_ID, 8);
	nla_put_string(msg, REIN_A_RECORD_WATCH_NAME, "web");
	rein_record_parse(nlmsg_hdr(msg), copy_record, &record);
	CHECK_EQ(record.scope_id, 7);
	CHECK_STR(record.scope, "build");
	CHECK_EQ(record.watch_id, 8);
	CHECK_STR(record.watch, "web");
	nlmsg_free(msg);
}

static void names(void)
{
	CHECK_STR(rein_cause_name(REIN_CAUSE_OWNER_EXIT), "owner-exit");
	CHECK_STR(rein_scope_event_name(REIN_SCOPE_EVENT_DECIDED), "decided");
	CHECK_STR(rein_policy_name(REIN_POLICY_ASK), "ask");
	CHECK_EQ(!rein_cause_name(99) && !rein_policy_name(0), 1);
	CHECK_STR(rein_subject_name(REIN_SUBJECT_SOCKET), "socket");
	CHECK_STR(rein_step_name(REIN_STEP_EXEC), "exec");
	CHECK_STR(rein_fault_name(REIN_FAULT_TEST), "test");
	CHECK_STR(rein_watch_status_name(REIN_WATCH_GONE), "gone");
	CHECK_STR(rein_watch_event_name(REIN_WATCH_EVENT_GONE), "gone");
	CHECK_STR(rein_watch_count_name(REIN_COUNT_GONE), "gone");
	CHECK_EQ(!rein_step_name(0) && !rein_step_name(7) && !rein_watch_count_name(8), 1);
	CHECK_STR(rein_over_name(REIN_OVER_OBSERVE), "observe");
	CHECK_STR(rein_stats_name(REIN_A_STATS_OBSERVED), "observed");
	CHECK_EQ(!rein_resource_name(99), 1);
	CHECK_EQ(!rein_stats_name(0), 1);
}

static const struct test tests[] = {
	TEST(error_full),
	TEST(error_bare),
	TEST(error_in_tier),
	TEST(error_missing),
	TEST(error_of_dump),
	TEST(error_cut_short),
	TEST(random_messages),
	TEST(limit_sent),
	TEST(limit_per_socket),
	TEST(scope_full),
	TEST(scope_bare),
	TEST(scope_of_record),
	TEST(watch_full),
	TEST(watch_bare),
	TEST(names),
};

int main(int argc, char **argv)
{
	return test_main(tests, COUNT(tests), argc, argv);
}
