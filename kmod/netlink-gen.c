// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/rein.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <linux/rein.h>

/* Common nested types */
const struct nla_policy rein_tier_nl_policy[REIN_A_TIER_DEBT + 1] = {
	[REIN_A_TIER_UNIT] = NLA_POLICY_MAX(NLA_U32, 2),
	[REIN_A_TIER_RATE_TOKENS] = { .type = NLA_U64, },
	[REIN_A_TIER_RATE_PERIOD_NS] = { .type = NLA_U64, },
	[REIN_A_TIER_UNLIMITED] = { .type = NLA_FLAG, },
	[REIN_A_TIER_BURST] = { .type = NLA_U64, },
	[REIN_A_TIER_TOKENS] = { .type = NLA_U64, },
	[REIN_A_TIER_DEBT] = { .type = NLA_U64, },
};

/* REIN_CMD_LIMIT_ADD - do */
const struct nla_policy rein_limit_add_nl_policy[REIN_A_LIMIT_PER_SOCKET + 1] = {
	[REIN_A_LIMIT_NAME] = { .type = NLA_NUL_STRING, .len = REIN_NAME_MAX, },
	[REIN_A_LIMIT_RESOURCE] = NLA_POLICY_MAX(NLA_U32, 4),
	[REIN_A_LIMIT_OVER] = NLA_POLICY_MAX(NLA_U32, 3),
	[REIN_A_LIMIT_CGROUP_FD] = { .type = NLA_S32, },
	[REIN_A_LIMIT_TIER] = NLA_POLICY_NESTED(rein_tier_nl_policy),
	[REIN_A_LIMIT_PATIENCE_NS] = { .type = NLA_U64, },
	[REIN_A_LIMIT_QUEUE] = { .type = NLA_U64, },
	[REIN_A_LIMIT_FOR_NS] = { .type = NLA_U64, },
	[REIN_A_LIMIT_CREDIT] = { .type = NLA_U32, },
	[REIN_A_LIMIT_SOCKET_FD] = { .type = NLA_S32, },
	[REIN_A_LIMIT_PER_SOCKET] = { .type = NLA_FLAG, },
};

/* REIN_CMD_LIMIT_SET - do */
const struct nla_policy rein_limit_set_nl_policy[REIN_A_LIMIT_PER_SOCKET + 1] = {
	[REIN_A_LIMIT_NAME] = { .type = NLA_NUL_STRING, .len = REIN_NAME_MAX, },
	[REIN_A_LIMIT_RESOURCE] = NLA_POLICY_MAX(NLA_U32, 4),
	[REIN_A_LIMIT_OVER] = NLA_POLICY_MAX(NLA_U32, 3),
	[REIN_A_LIMIT_CGROUP_FD] = { .type = NLA_S32, },
	[REIN_A_LIMIT_TIER] = NLA_POLICY_NESTED(rein_tier_nl_policy),
	[REIN_A_LIMIT_PATIENCE_NS] = { .type = NLA_U64, },
	[REIN_A_LIMIT_QUEUE] = { .type = NLA_U64, },
	[REIN_A_LIMIT_FOR_NS] = { .type = NLA_U64, },
	[REIN_A_LIMIT_CREDIT] = { .type = NLA_U32, },
	[REIN_A_LIMIT_SOCKET_FD] = { .type = NLA_S32, },
	[REIN_A_LIMIT_PER_SOCKET] = { .type = NLA_FLAG, },
};

/* REIN_CMD_LIMIT_REPLACE - do */
const struct nla_policy rein_limit_replace_nl_policy[REIN_A_LIMIT_PER_SOCKET + 1] = {
	[REIN_A_LIMIT_NAME] = { .type = NLA_NUL_STRING, .len = REIN_NAME_MAX, },
	[REIN_A_LIMIT_RESOURCE] = NLA_POLICY_MAX(NLA_U32, 4),
	[REIN_A_LIMIT_OVER] = NLA_POLICY_MAX(NLA_U32, 3),
	[REIN_A_LIMIT_CGROUP_FD] = { .type = NLA_S32, },
	[REIN_A_LIMIT_TIER] = NLA_POLICY_NESTED(rein_tier_nl_policy),
	[REIN_A_LIMIT_PATIENCE_NS] = { .type = NLA_U64, },
	[REIN_A_LIMIT_QUEUE] = { .type = NLA_U64, },
	[REIN_A_LIMIT_FOR_NS] = { .type = NLA_U64, },
	[REIN_A_LIMIT_CREDIT] = { .type = NLA_U32, },
	[REIN_A_LIMIT_SOCKET_FD] = { .type = NLA_S32, },
	[REIN_A_LIMIT_PER_SOCKET] = { .type = NLA_FLAG, },
};

/* REIN_CMD_LIMIT_DEL - do */
const struct nla_policy rein_limit_del_nl_policy[REIN_A_LIMIT_SOCKET_FD + 1] = {
	[REIN_A_LIMIT_NAME] = { .type = NLA_NUL_STRING, .len = REIN_NAME_MAX, },
	[REIN_A_LIMIT_CGROUP_FD] = { .type = NLA_S32, },
	[REIN_A_LIMIT_SOCKET_FD] = { .type = NLA_S32, },
};

/* REIN_CMD_LIMIT_GET - do */
const struct nla_policy rein_limit_get_nl_policy[REIN_A_LIMIT_COPIES + 1] = {
	[REIN_A_LIMIT_NAME] = { .type = NLA_NUL_STRING, .len = REIN_NAME_MAX, },
	[REIN_A_LIMIT_CGROUP_FD] = { .type = NLA_S32, },
	[REIN_A_LIMIT_RESOURCE] = NLA_POLICY_MAX(NLA_U32, 4),
	[REIN_A_LIMIT_CHAIN] = { .type = NLA_FLAG, },
	[REIN_A_LIMIT_SOCKET_FD] = { .type = NLA_S32, },
	[REIN_A_LIMIT_COPIES] = { .type = NLA_FLAG, },
};

/* REIN_CMD_RECORD_GET - do */
const struct nla_policy rein_record_get_nl_policy[REIN_A_RECORD_LIMIT_NAME + 1] = {
	[REIN_A_RECORD_ID] = { .type = NLA_U64, },
	[REIN_A_RECORD_KIND] = NLA_POLICY_MAX(NLA_U32, 1),
	[REIN_A_RECORD_CODE] = { .type = NLA_U32, },
	[REIN_A_RECORD_SEVERITY] = NLA_POLICY_MAX(NLA_U32, 3),
	[REIN_A_RECORD_LAST_NS] = { .type = NLA_U64, },
	[REIN_A_RECORD_LIMIT_NAME] = { .type = NLA_NUL_STRING, },
};

/* REIN_CMD_STAT_GET - do */
const struct nla_policy rein_stat_get_nl_policy[REIN_A_STAT_PAD + 1] = {
};

/* REIN_CMD_FLUSH - do */
const struct nla_policy rein_flush_nl_policy[REIN_A_FLUSH_FORCE + 1] = {
	[REIN_A_FLUSH_FORCE] = { .type = NLA_FLAG, },
};

/* REIN_CMD_RECORD_CLEAR - do */
const struct nla_policy rein_record_clear_nl_policy[REIN_A_RECORD_PAD + 1] = {
};

/* REIN_CMD_SCOPE_GET - do */
const struct nla_policy rein_scope_get_nl_policy[REIN_A_SCOPE_NAME + 1] = {
	[REIN_A_SCOPE_ID] = { .type = NLA_U64, },
	[REIN_A_SCOPE_NAME] = { .type = NLA_NUL_STRING, .len = REIN_NAME_MAX, },
};

/* REIN_CMD_WATCH_GET - do */
const struct nla_policy rein_watch_get_nl_policy[REIN_A_WATCH_NAME + 1] = {
	[REIN_A_WATCH_ID] = { .type = NLA_U64, },
	[REIN_A_WATCH_NAME] = { .type = NLA_NUL_STRING, .len = REIN_NAME_MAX, },
};

/* Ops table for rein */
const struct genl_ops rein_nl_ops[11] = {
	{
		.cmd		= REIN_CMD_LIMIT_ADD,
		.doit		= rein_nl_limit_add_doit,
		.policy		= rein_limit_add_nl_policy,
		.maxattr	= REIN_A_LIMIT_PER_SOCKET,
	},
	{
		.cmd		= REIN_CMD_LIMIT_SET,
		.doit		= rein_nl_limit_set_doit,
		.policy		= rein_limit_set_nl_policy,
		.maxattr	= REIN_A_LIMIT_PER_SOCKET,
	},
	{
		.cmd		= REIN_CMD_LIMIT_REPLACE,
		.doit		= rein_nl_limit_replace_doit,
		.policy		= rein_limit_replace_nl_policy,
		.maxattr	= REIN_A_LIMIT_PER_SOCKET,
	},
	{
		.cmd		= REIN_CMD_LIMIT_DEL,
		.doit		= rein_nl_limit_del_doit,
		.policy		= rein_limit_del_nl_policy,
		.maxattr	= REIN_A_LIMIT_SOCKET_FD,
	},
	{
		.cmd		= REIN_CMD_LIMIT_GET,
		.doit		= rein_nl_limit_get_doit,
		.dumpit		= rein_nl_limit_get_dumpit,
		.policy		= rein_limit_get_nl_policy,
		.maxattr	= REIN_A_LIMIT_COPIES,
	},
	{
		.cmd		= REIN_CMD_RECORD_GET,
		.doit		= rein_nl_record_get_doit,
		.dumpit		= rein_nl_record_get_dumpit,
		.policy		= rein_record_get_nl_policy,
		.maxattr	= REIN_A_RECORD_LIMIT_NAME,
	},
	{
		.cmd		= REIN_CMD_STAT_GET,
		.doit		= rein_nl_stat_get_doit,
		.policy		= rein_stat_get_nl_policy,
		.maxattr	= REIN_A_STAT_PAD,
	},
	{
		.cmd		= REIN_CMD_FLUSH,
		.doit		= rein_nl_flush_doit,
		.policy		= rein_flush_nl_policy,
		.maxattr	= REIN_A_FLUSH_FORCE,
	},
	{
		.cmd		= REIN_CMD_RECORD_CLEAR,
		.doit		= rein_nl_record_clear_doit,
		.policy		= rein_record_clear_nl_policy,
		.maxattr	= REIN_A_RECORD_PAD,
	},
	{
		.cmd		= REIN_CMD_SCOPE_GET,
		.doit		= rein_nl_scope_get_doit,
		.dumpit		= rein_nl_scope_get_dumpit,
		.policy		= rein_scope_get_nl_policy,
		.maxattr	= REIN_A_SCOPE_NAME,
	},
	{
		.cmd		= REIN_CMD_WATCH_GET,
		.doit		= rein_nl_watch_get_doit,
		.dumpit		= rein_nl_watch_get_dumpit,
		.policy		= rein_watch_get_nl_policy,
		.maxattr	= REIN_A_WATCH_NAME,
	},
};

const struct genl_multicast_group rein_nl_mcgrps[4] = {
	[REIN_NLGRP_LIMITS] = { "limits", },
	[REIN_NLGRP_ERRORS] = { "errors", },
	[REIN_NLGRP_SCOPES] = { "scopes", },
	[REIN_NLGRP_WATCHES] = { "watches", },
};
