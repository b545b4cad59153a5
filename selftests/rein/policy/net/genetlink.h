/* SPDX-License-Identifier: GPL-2.0 */
/* As much of the kernel's header as the generated operations need. */
#ifndef REIN_SELFTESTS_POLICY_GENETLINK_H
#define REIN_SELFTESTS_POLICY_GENETLINK_H

#include <net/netlink.h>

struct sk_buff;
struct genl_info;
struct netlink_callback;

struct genl_ops {
	int (*doit)(struct sk_buff *skb, struct genl_info *info);
	int (*dumpit)(struct sk_buff *skb, struct netlink_callback *cb);
	const struct nla_policy *policy;
	unsigned int maxattr;
	uint8_t cmd;
};

struct genl_multicast_group {
	const char *name;
};

#endif /* REIN_SELFTESTS_POLICY_GENETLINK_H */
