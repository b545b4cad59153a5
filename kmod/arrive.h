/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that arrive.
 *
 * What arrives at a host passes LOCAL_IN; there limits on ingress are asked about it, and
 * then, if it is a SYN, those on accept. The socket is looked up as TCP and UDP will do.
 */
#ifndef REIN_ARRIVE_H
#define REIN_ARRIVE_H

#include <linux/types.h>

struct nf_hook_state;
struct sk_buff;

unsigned int rein_arrive_ingress(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state);
unsigned int rein_arrive_accept(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state);

#endif /* REIN_ARRIVE_H */
