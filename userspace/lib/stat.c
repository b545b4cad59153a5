// SPDX-License-Identifier: GPL-2.0
#include "nl.h"

#include <errno.h>

static const struct nla_policy stat_policy[REIN_A_STAT_MAX + 1] = {
	[REIN_A_STAT_VERSION] = { .type = NLA_STRING },
	[REIN_A_STAT_ABI] = { .type = NLA_U32 },
	[REIN_A_STAT_BOOT_ID] = { .type = NLA_STRING },
	[REIN_A_STAT_LIMITS] = { .type = NLA_U64 },
	[REIN_A_STAT_CGROUPS] = { .type = NLA_U64 },
	[REIN_A_STAT_NAMESPACES] = { .type = NLA_U64 },
	[REIN_A_STAT_HOOKED] = { .type = NLA_U32 },
	[REIN_A_STAT_TOTAL] = { .type = NLA_NESTED },
	[REIN_A_STAT_RECORDS_RAISED] = { .type = NLA_U64 },
	[REIN_A_STAT_RECORDS_STORED] = { .type = NLA_U64 },
	[REIN_A_STAT_RECORDS_FOLDED] = { .type = NLA_U64 },
	[REIN_A_STAT_RECORDS_OVERWRITTEN] = { .type = NLA_U64 },
	[REIN_A_STAT_RECORDS_SUPPRESSED] = { .type = NLA_U64 },
	[REIN_A_STAT_EVENTS] = { .type = NLA_U32 },
	[REIN_A_STAT_RECORDS_NEWEST] = { .type = NLA_U64 },
	[REIN_A_STAT_RECORDS_OLDEST] = { .type = NLA_U64 },
	[REIN_A_STAT_SCOPES] = { .type = NLA_U64 },
	[REIN_A_STAT_WATCHES] = { .type = NLA_U64 },
	[REIN_A_STAT_SOCKETS] = { .type = NLA_U64 },
};

struct stat_answer {
	rein_stat_fn fn;
	void *arg;
};

static void stat_answer(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[REIN_A_STAT_MAX + 1];
	struct stat_answer *answer = arg;
	struct rein_stat stat = { 0 };

	if (rein_parse(tb, REIN_A_STAT_MAX, nlh, stat_policy) < 0)
		return;
	stat.version = rein_str(tb[REIN_A_STAT_VERSION]);
	stat.abi = rein_u32(tb[REIN_A_STAT_ABI]);
	stat.boot_id = rein_str(tb[REIN_A_STAT_BOOT_ID]);
	stat.limits = rein_u64(tb[REIN_A_STAT_LIMITS]);
	stat.cgroups = rein_u64(tb[REIN_A_STAT_CGROUPS]);
	stat.namespaces = rein_u64(tb[REIN_A_STAT_NAMESPACES]);
	stat.hooked = rein_u32(tb[REIN_A_STAT_HOOKED]);
	if (tb[REIN_A_STAT_TOTAL])
		rein_stats_parse(tb[REIN_A_STAT_TOTAL], &stat.total);
	stat.records_raised = rein_u64(tb[REIN_A_STAT_RECORDS_RAISED]);
	stat.records_stored = rein_u64(tb[REIN_A_STAT_RECORDS_STORED]);
	stat.records_folded = rein_u64(tb[REIN_A_STAT_RECORDS_FOLDED]);
	stat.records_overwritten = rein_u64(tb[REIN_A_STAT_RECORDS_OVERWRITTEN]);
	stat.records_suppressed = rein_u64(tb[REIN_A_STAT_RECORDS_SUPPRESSED]);
	stat.records_newest = rein_u64(tb[REIN_A_STAT_RECORDS_NEWEST]);
	stat.records_oldest = rein_u64(tb[REIN_A_STAT_RECORDS_OLDEST]);
	stat.scopes = rein_u64(tb[REIN_A_STAT_SCOPES]);
	stat.watches = rein_u64(tb[REIN_A_STAT_WATCHES]);
	stat.sockets = rein_u64(tb[REIN_A_STAT_SOCKETS]);
	/* A module that doesn't say is older than the question. */
	stat.events = !tb[REIN_A_STAT_EVENTS] || rein_u32(tb[REIN_A_STAT_EVENTS]);
	answer->fn(&stat, answer->arg);
}

int rein_stat_get(struct rein *rein, rein_stat_fn fn, void *arg)
{
	struct stat_answer answer = { fn, arg };
	struct nl_msg *msg = rein_request(rein, REIN_CMD_STAT_GET, 0, 64);

	if (!msg)
		return -ENOMEM;
	return rein_send(rein, msg, stat_answer, &answer);
}

int rein_flush(struct rein *rein, bool force)
{
	struct nl_msg *msg = rein_request(rein, REIN_CMD_FLUSH, 0, 64);

	if (!msg)
		return -ENOMEM;
	if (force)
		nla_put_flag(msg, REIN_A_FLUSH_FORCE);
	return rein_send(rein, msg, NULL, NULL);
}
