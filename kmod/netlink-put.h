/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink messages from limits, records and counters: the spec's replies.
 */
#ifndef REIN_NETLINK_PUT_H
#define REIN_NETLINK_PUT_H

#include <linux/sizes.h>

#include "limit.h"

struct rein_record;
struct sk_buff;

/* The larger of a limit with 8 tiers and a record, with the longest path. */
#define REIN_MESSAGE_MAX	SZ_8K

int rein_put_stats(struct sk_buff *skb, int type,
		   const struct rein_count stats[REIN_STATS]);
int rein_put_limit(struct sk_buff *skb, void *hdr, struct rein_limit *limit,
		   const struct cgroup *root, char *path);
int rein_put_record(struct sk_buff *skb, void *hdr,
		    const struct rein_record *rec, const char *root);

#endif /* REIN_NETLINK_PUT_H */
