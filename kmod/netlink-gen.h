/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/rein.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_REIN_GEN_H
#define _LINUX_REIN_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <linux/rein.h>

/* Common nested types */
extern const struct nla_policy rein_tier_nl_policy[REIN_A_TIER_DEBT + 1];

extern const struct nla_policy rein_limit_add_nl_policy[REIN_A_LIMIT_PER_SOCKET + 1];

extern const struct nla_policy rein_limit_set_nl_policy[REIN_A_LIMIT_PER_SOCKET + 1];

extern const struct nla_policy rein_limit_replace_nl_policy[REIN_A_LIMIT_PER_SOCKET + 1];

extern const struct nla_policy rein_limit_del_nl_policy[REIN_A_LIMIT_SOCKET_FD + 1];

extern const struct nla_policy rein_limit_get_nl_policy[REIN_A_LIMIT_COPIES + 1];

extern const struct nla_policy rein_record_get_nl_policy[REIN_A_RECORD_LIMIT_NAME + 1];

extern const struct nla_policy rein_stat_get_nl_policy[REIN_A_STAT_PAD + 1];

extern const struct nla_policy rein_flush_nl_policy[REIN_A_FLUSH_FORCE + 1];

extern const struct nla_policy rein_record_clear_nl_policy[REIN_A_RECORD_PAD + 1];

extern const struct nla_policy rein_scope_get_nl_policy[REIN_A_SCOPE_NAME + 1];

extern const struct nla_policy rein_watch_get_nl_policy[REIN_A_WATCH_NAME + 1];

/* Ops table for rein */
extern const struct genl_ops rein_nl_ops[11];

int rein_nl_limit_add_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_limit_set_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_limit_replace_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_limit_del_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_limit_get_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_limit_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int rein_nl_record_get_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_record_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int rein_nl_stat_get_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_flush_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_record_clear_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_scope_get_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_scope_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int rein_nl_watch_get_doit(struct sk_buff *skb, struct genl_info *info);
int rein_nl_watch_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

extern const struct genl_multicast_group rein_nl_mcgrps[4];

enum {
	REIN_NLGRP_LIMITS,
	REIN_NLGRP_ERRORS,
	REIN_NLGRP_SCOPES,
	REIN_NLGRP_WATCHES,
};

#endif /* _LINUX_REIN_GEN_H */
