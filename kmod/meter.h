/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Metering: from a packet, and the socket that pays for it, to what becomes of it.
 *
 * What is common to packets that leave (leave.h) and to those that arrive (arrive.h).
 */
#ifndef REIN_METER_H
#define REIN_METER_H

#include <linux/types.h>

#include "limit.h"

struct nf_hook_state;
struct rein_chain;
struct rein_lack;
struct rein_request;
struct sk_buff;
struct sock;

void rein_meter_record(const struct rein_lack *lack, enum rein_fold fold,
		       const struct sk_buff *skb, u8 pf, u64 now);
unsigned int rein_meter_ask(struct sk_buff *skb, unsigned int refusal,
			    const struct nf_hook_state *state,
			    const struct rein_chain *chain,
			    const struct rein_request *req, bool *must_wait);
unsigned int rein_meter_packet(struct sk_buff *skb, unsigned int refusal,
			       const struct nf_hook_state *state,
			       struct sock *sk, enum rein_resource resource);

#endif /* REIN_METER_H */
