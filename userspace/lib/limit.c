// SPDX-License-Identifier: GPL-2.0
#include "nl.h"

#include <errno.h>
#include <string.h>

static const struct nla_policy limit_policy[REIN_A_LIMIT_MAX + 1] = {
	[REIN_A_LIMIT_ID] = { .type = NLA_U64 },
	[REIN_A_LIMIT_NAME] = { .type = NLA_STRING },
	[REIN_A_LIMIT_RESOURCE] = { .type = NLA_U32 },
	[REIN_A_LIMIT_OVER] = { .type = NLA_U32 },
	[REIN_A_LIMIT_CGROUP_ID] = { .type = NLA_U64 },
	[REIN_A_LIMIT_CGROUP_PATH] = { .type = NLA_STRING },
	[REIN_A_LIMIT_TIER] = { .type = NLA_NESTED },
	[REIN_A_LIMIT_PATIENCE_NS] = { .type = NLA_U64 },
	[REIN_A_LIMIT_QUEUE] = { .type = NLA_U64 },
	[REIN_A_LIMIT_CREDIT] = { .type = NLA_U32 },
	[REIN_A_LIMIT_FOR_NS] = { .type = NLA_U64 },
	[REIN_A_LIMIT_STATS] = { .type = NLA_NESTED },
	[REIN_A_LIMIT_LEVEL] = { .type = NLA_U32 },
	[REIN_A_LIMIT_EVENT] = { .type = NLA_U32 },
	[REIN_A_LIMIT_SOCKET] = { .type = NLA_NESTED },
	[REIN_A_LIMIT_SOCKET_STATE] = { .type = NLA_U32 },
	[REIN_A_LIMIT_SOCKET_UID] = { .type = NLA_U32 },
	[REIN_A_LIMIT_SOCKET_MAKER] = { .type = NLA_U32 },
	[REIN_A_LIMIT_PER_SOCKET] = { .type = NLA_FLAG },
	[REIN_A_LIMIT_SOCKETS] = { .type = NLA_U32 },
	[REIN_A_LIMIT_COPY_OF] = { .type = NLA_U64 },
};

static const struct nla_policy tier_policy[REIN_A_TIER_MAX + 1] = {
	[REIN_A_TIER_UNIT] = { .type = NLA_U32 },
	[REIN_A_TIER_RATE_TOKENS] = { .type = NLA_U64 },
	[REIN_A_TIER_RATE_PERIOD_NS] = { .type = NLA_U64 },
	[REIN_A_TIER_UNLIMITED] = { .type = NLA_FLAG },
	[REIN_A_TIER_BURST] = { .type = NLA_U64 },
	[REIN_A_TIER_TOKENS] = { .type = NLA_U64 },
	[REIN_A_TIER_DEBT] = { .type = NLA_U64 },
};

static const struct nla_policy count_policy[REIN_A_COUNT_MAX + 1] = {
	[REIN_A_COUNT_PACKETS] = { .type = NLA_U64 },
	[REIN_A_COUNT_BYTES] = { .type = NLA_U64 },
};

/* A nest with four attributes, each of at most 8 bytes. */
#define TIER_ROOM	(4 + 4 * 12)

static int put_tier(struct nl_msg *msg, const struct rein_tier *tier)
{
	struct nlattr *nest = nla_nest_start(msg, REIN_A_LIMIT_TIER | NLA_F_NESTED);

	if (!nest || nla_put_u32(msg, REIN_A_TIER_UNIT, tier->unit))
		return -ENOBUFS;
	if (tier->unlimited) {
		if (nla_put_flag(msg, REIN_A_TIER_UNLIMITED))
			return -ENOBUFS;
	} else if (nla_put_u64(msg, REIN_A_TIER_RATE_TOKENS, tier->rate_tokens) ||
		   nla_put_u64(msg, REIN_A_TIER_RATE_PERIOD_NS, tier->rate_period_ns)) {
		return -ENOBUFS;
	}
	if (nla_put_u64(msg, REIN_A_TIER_BURST, tier->burst))
		return -ENOBUFS;
	nla_nest_end(msg, nest);
	return 0;
}

static int put_request(struct nl_msg *msg, const struct rein_limit_request *request)
{
	size_t i;

	if ((request->name && nla_put_string(msg, REIN_A_LIMIT_NAME, request->name)) ||
	    (request->has_resource &&
	     nla_put_u32(msg, REIN_A_LIMIT_RESOURCE, request->resource)) ||
	    (request->has_over && nla_put_u32(msg, REIN_A_LIMIT_OVER, request->over)) ||
	    (request->cgroup_fd >= 0 &&
	     nla_put_s32(msg, REIN_A_LIMIT_CGROUP_FD, request->cgroup_fd)) ||
	    (request->has_socket &&
	     nla_put_s32(msg, REIN_A_LIMIT_SOCKET_FD, request->socket_fd)))
		return -ENOBUFS;
	for (i = 0; i < request->n_tiers; i++)
		if (put_tier(msg, &request->tiers[i]))
			return -ENOBUFS;
	if ((request->has_patience &&
	     nla_put_u64(msg, REIN_A_LIMIT_PATIENCE_NS, request->patience_ns)) ||
	    (request->has_queue && nla_put_u64(msg, REIN_A_LIMIT_QUEUE, request->queue)) ||
	    (request->has_credit && nla_put_u32(msg, REIN_A_LIMIT_CREDIT, request->credit)) ||
	    (request->has_for && nla_put_u64(msg, REIN_A_LIMIT_FOR_NS, request->for_ns)) ||
	    (request->chain && nla_put_flag(msg, REIN_A_LIMIT_CHAIN)) ||
	    (request->per_socket && nla_put_flag(msg, REIN_A_LIMIT_PER_SOCKET)) ||
	    (request->copies && nla_put_flag(msg, REIN_A_LIMIT_COPIES)))
		return -ENOBUFS;
	return 0;
}

static int limit_send(struct rein *rein, unsigned int command, int flags,
		      const struct rein_limit_request *request, rein_answer_fn fn, void *arg)
{
	size_t room = 128 + (request->name ? nla_total_size(strlen(request->name) + 1) : 0) +
		      request->n_tiers * TIER_ROOM;
	struct nl_msg *msg = rein_request(rein, command, flags, room);

	if (!msg)
		return -ENOMEM;
	rein->nest = REIN_A_LIMIT_TIER;
	if (put_request(msg, request)) {
		nlmsg_free(msg);
		return rein_fail(rein, EMSGSIZE, "the request does not fit into a message");
	}
	return rein_send(rein, msg, fn, arg);
}

int rein_limit_change(struct rein *rein, unsigned int command,
		      const struct rein_limit_request *request)
{
	return limit_send(rein, command, 0, request, NULL, NULL);
}

int rein_socket_limit(struct rein *rein, int fd, const struct rein_limit_request *request)
{
	struct rein_limit_request own = *request;

	own.cgroup_fd = -1;
	own.has_socket = true;
	own.socket_fd = fd;
	return rein_limit_change(rein, REIN_CMD_LIMIT_REPLACE, &own);
}

struct limit_answer {
	rein_limit_fn fn;
	void *arg;
};

static void limit_answer(struct nlmsghdr *nlh, void *arg)
{
	struct limit_answer *answer = arg;

	rein_limit_parse(nlh, answer->fn, answer->arg);
}

int rein_limit_get(struct rein *rein, const struct rein_limit_request *request,
		   rein_limit_fn fn, void *arg)
{
	struct limit_answer answer = { fn, arg };

	return limit_send(rein, REIN_CMD_LIMIT_GET, 0, request, limit_answer, &answer);
}

int rein_limit_dump(struct rein *rein, const struct rein_limit_request *request,
		    rein_limit_fn fn, void *arg)
{
	struct limit_answer answer = { fn, arg };

	return limit_send(rein, REIN_CMD_LIMIT_GET, NLM_F_DUMP, request, limit_answer, &answer);
}

void rein_stats_parse(const struct nlattr *attr, struct rein_stats *stats)
{
	struct nlattr *tb[REIN_A_COUNT_MAX + 1], *inner;
	int rem;

	memset(stats, 0, sizeof(*stats));
	nla_for_each_nested(inner, attr, rem) {
		int type = nla_type(inner);

		if (type < 1 || type > REIN_A_STATS_MAX ||
		    nla_parse_nested(tb, REIN_A_COUNT_MAX, inner,
				     (struct nla_policy *)count_policy) < 0)
			continue;
		stats->count[type].packets = rein_u64(tb[REIN_A_COUNT_PACKETS]);
		stats->count[type].bytes = rein_u64(tb[REIN_A_COUNT_BYTES]);
	}
}

static void parse_tier(struct nlattr *attr, struct rein_tier *tier)
{
	struct nlattr *tb[REIN_A_TIER_MAX + 1];

	memset(tier, 0, sizeof(*tier));
	if (nla_parse_nested(tb, REIN_A_TIER_MAX, attr, (struct nla_policy *)tier_policy) < 0)
		return;
	tier->unit = rein_u32(tb[REIN_A_TIER_UNIT]);
	tier->unlimited = tb[REIN_A_TIER_UNLIMITED];
	tier->rate_tokens = rein_u64(tb[REIN_A_TIER_RATE_TOKENS]);
	/* A closed tier needs no period, but whoever divides by it does. */
	tier->rate_period_ns = tb[REIN_A_TIER_RATE_PERIOD_NS] ?
			       rein_u64(tb[REIN_A_TIER_RATE_PERIOD_NS]) : 1000000000;
	tier->burst = rein_u64(tb[REIN_A_TIER_BURST]);
	tier->tokens = rein_u64(tb[REIN_A_TIER_TOKENS]);
	tier->debt = rein_u64(tb[REIN_A_TIER_DEBT]);
}

static size_t parse_tiers(struct nlmsghdr *nlh, struct rein_tier *tiers, size_t max)
{
	struct nlattr *attr;
	size_t n = 0;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem)
		if (nla_type(attr) == REIN_A_LIMIT_TIER && n < max)
			parse_tier(attr, &tiers[n++]);
	return n;
}

void rein_limit_parse(struct nlmsghdr *nlh, rein_limit_fn fn, void *arg)
{
	struct rein_tier tiers[REIN_TIERS_MAX];
	struct nlattr *tb[REIN_A_LIMIT_MAX + 1];
	struct rein_limit limit = { .tiers = tiers };

	if (rein_parse(tb, REIN_A_LIMIT_MAX, nlh, limit_policy) < 0)
		return;
	limit.id = rein_u64(tb[REIN_A_LIMIT_ID]);
	limit.name = rein_str(tb[REIN_A_LIMIT_NAME]);
	limit.resource = rein_u32(tb[REIN_A_LIMIT_RESOURCE]);
	limit.over = rein_u32(tb[REIN_A_LIMIT_OVER]);
	limit.cgroup_id = rein_u64(tb[REIN_A_LIMIT_CGROUP_ID]);
	limit.cgroup = rein_str(tb[REIN_A_LIMIT_CGROUP_PATH]);
	limit.level = rein_u32(tb[REIN_A_LIMIT_LEVEL]);
	limit.has_socket = tb[REIN_A_LIMIT_SOCKET];
	if (limit.has_socket)
		rein_socket_parse(tb[REIN_A_LIMIT_SOCKET], &limit.socket);
	limit.socket_state = rein_u32(tb[REIN_A_LIMIT_SOCKET_STATE]);
	limit.socket_uid = rein_u32(tb[REIN_A_LIMIT_SOCKET_UID]);
	limit.has_maker = tb[REIN_A_LIMIT_SOCKET_MAKER];
	limit.socket_maker = rein_u32(tb[REIN_A_LIMIT_SOCKET_MAKER]);
	limit.n_tiers = parse_tiers(nlh, tiers, REIN_TIERS_MAX);
	limit.patience_ns = rein_u64(tb[REIN_A_LIMIT_PATIENCE_NS]);
	limit.queue = rein_u64(tb[REIN_A_LIMIT_QUEUE]);
	limit.credit = rein_u32(tb[REIN_A_LIMIT_CREDIT]);
	limit.expires = tb[REIN_A_LIMIT_FOR_NS];
	limit.for_ns = rein_u64(tb[REIN_A_LIMIT_FOR_NS]);
	limit.event = rein_u32(tb[REIN_A_LIMIT_EVENT]);
	limit.has_stats = tb[REIN_A_LIMIT_STATS];
	if (limit.has_stats)
		rein_stats_parse(tb[REIN_A_LIMIT_STATS], &limit.stats);
	limit.per_socket = tb[REIN_A_LIMIT_PER_SOCKET];
	limit.sockets = rein_u32(tb[REIN_A_LIMIT_SOCKETS]);
	limit.copy_of = rein_u64(tb[REIN_A_LIMIT_COPY_OF]);
	fn(&limit, arg);
}
