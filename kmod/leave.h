/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that leave.
 *
 * What leaves a host passes POST_ROUTING; there limits on connect are asked about it, if
 * it begins a flow, and then those on egress.
 */
#ifndef REIN_LEAVE_H
#define REIN_LEAVE_H

#include <linux/types.h>

struct nf_hook_state;
struct rein_held;
struct sk_buff;

unsigned int rein_leave_connect(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state);
unsigned int rein_leave_egress(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state);

bool rein_leave_connects(const struct rein_held *held);
bool rein_leave_gone(const struct rein_held *held);
void rein_leave_fail(const struct rein_held *held);

#endif /* REIN_LEAVE_H */
