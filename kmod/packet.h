/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets: what one costs, where its transport header is, and whether it can be
 * marked instead of refused.
 */
#ifndef REIN_PACKET_H
#define REIN_PACKET_H

#include <linux/types.h>

#include "limit.h"

struct sk_buff;

void rein_packet_cost(const struct sk_buff *skb, u64 cost[REIN_UNITS]);
int rein_packet_transport(const struct sk_buff *skb, u8 pf, int *offset);
bool rein_packet_ecn(const struct sk_buff *skb, u8 pf);
void rein_packet_mark(struct sk_buff *skb, u8 pf);

#endif /* REIN_PACKET_H */
