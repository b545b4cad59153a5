/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink messages from limits, records and counters: the spec's replies.
 */
#ifndef REIN_NETLINK_PUT_H
#define REIN_NETLINK_PUT_H

#include <linux/sizes.h>

#include "limit.h"

struct rein_flow_id;
struct rein_maker;
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

int rein_put_flow(struct sk_buff *skb, int type, const struct rein_flow_id *flow);
int rein_put_maker(struct sk_buff *skb, int type,
		   const struct rein_maker *maker, bool host);

#endif /* REIN_NETLINK_PUT_H */
