/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks: netfilter in and out.
 *
 * What leaves a host passes POST_ROUTING; there a packet is turned into a
 * chain and a cost, and the verdict back into what becomes of the packet:
 * first by limits on connect, if it begins a flow, and then by those on egress.
 * What arrives passes LOCAL_IN; there limits on accept are asked about SYNs.
 * Hooks are registered in every network namespace while any limit meters what
 * passes them, and in none while there is no such limit.
 */
#ifndef REIN_HOOK_H
#define REIN_HOOK_H

#include <linux/types.h>

#include "limit.h"

struct rein_held;
struct rein_lack;
struct sk_buff;

int rein_hook_need(unsigned int resources);
unsigned int rein_hook_needed(void);
unsigned long rein_hook_nets(void);

bool rein_hook_hold(struct rein_held *held);
void rein_hook_resume(struct rein_held *held);
void rein_hook_drop(struct rein_held *held);
void rein_hook_drain(void);
bool rein_hook_connects(const struct rein_held *held);
bool rein_hook_gone(const struct rein_held *held);
void rein_hook_fail(const struct rein_held *held);

void rein_hook_record(const struct rein_lack *lack, enum rein_fold fold,
		      const struct sk_buff *skb, u8 pf, u64 now);

int rein_hook_init(void);
void rein_hook_exit(void);

#endif /* REIN_HOOK_H */
