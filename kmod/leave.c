// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that leave. See leave.h.
 *
 * Only packets of a socket of this host are metered, where the socket sends
 * them: a tunnel's outer packets, forwarded ones and copies made for multicast
 * either have no socket here or have one that isn't the sender's at this
 * point of their way, and have paid before or belong to nobody.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "admit.h"
#include "known.h"
#include "leave.h"
#include "meter.h"
#include "packet.h"
#include "queue.h"
#include "room.h"
#include "target.h"

/* --- from a packet to what becomes of it --------------------------------------- */

/*
 * A refusal that the sender can feel. TCP takes a congestion notification as
 * the loss it is, and retransmits; -EPERM, the default, it would sit out until
 * its probe timer. Others see the packet as sent, unless they asked for errors.
 */
static unsigned int refused(const struct sock *sk)
{
	if (sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM)
		return NF_DROP_ERR(NET_XMIT_CN);
	return NF_DROP_ERR(-ENOBUFS);
}

/* IPVS sends on what a socket of this host sent to it, and doesn't say whose it is. */
static bool from_ipvs(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_IP_VS)
	return skb->ipvs_property;
#else
	return false;
#endif
}

/*
 * Is a socket sending a packet, or has it done so before, and a device sends it on? A device
 * that is one of its own kind, a tunnel, a VRF, leaves its mark on what it was given.
 */
static bool sent_now(const struct sk_buff *skb, const struct sock *sk,
		     const struct nf_hook_state *state)
{
	const struct sock *own;

	if (skb_mac_header_was_set(skb) || nf_bridge_info_exists(skb))
		return false;
	/* A VRF shows a packet to its hooks, then lets it go on to the device of its route. */
	if (netif_is_l3_master(state->out) && skb_dst(skb)->dev != state->out)
		return false;
	if (!state->sk)
		return from_ipvs(skb);
	/*
	 * A SYN-ACK's request stands for its listener. If a user's socket sends what another one
	 * was given, which is how PPP over L2TP works, that one is the sender's.
	 */
	own = sk_to_full_sk(state->sk);
	return sk == own || (sk_fullsock(own) && own->sk_net_refcnt);
}

/* The socket that pays for a packet, or NULL if nobody does. */
static struct sock *payer(const struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	struct sock *sk = skb_to_full_sk(skb);

	if (!sk || !sent_now(skb, sk, state))
		return NULL;
	/* What IPsec made of a packet that has paid. */
	if (state->pf == NFPROTO_IPV4 ?
	    IPCB(skb)->flags & IPSKB_XFRM_TRANSFORMED :
	    IP6CB(skb)->flags & IP6SKB_XFRM_TRANSFORMED)
		return NULL;
	/* The kernel's own sockets are in the cgroup of whoever made them. */
	return sk_fullsock(sk) && sk->sk_net_refcnt ? sk : NULL;
}

/**
 * rein_leave_egress() - a packet leaves
 * @priv:	not used
 * @skb:	the packet
 * @state:	where it is on its way through netfilter
 *
 * Context: a hook at POST_ROUTING.
 *
 * Return: a verdict.
 */
unsigned int rein_leave_egress(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	struct sock *sk = payer(skb, state);

	return sk ? rein_meter_packet(skb, refused(sk), state, sk,
				      REIN_RESOURCE_EGRESS) : NF_ACCEPT;
}

/* --- from the beginning of a flow to whether there is one ----------------- */

/* For each protocol what makes connect(2), or the first send, fail at once. */
#define CONNECT_REFUSED		NF_DROP_ERR(-ECONNREFUSED)

static bool tcp_begins(const struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);

	return th->syn && !th->ack;
}

/**
 * rein_leave_connect() - a packet leaves that may begin a flow
 * @priv:	not used
 * @skb:	the packet
 * @state:	where it is on its way through netfilter
 *
 * Of a flow that is known, or waits to be, no packet is charged. Of TCP's
 * packets only SYNs can begin one, and one that is sent again is of the same
 * flow as the first: if that was refused, or lost on its way here, this is it.
 *
 * Context: a hook at POST_ROUTING, before that for egress.
 *
 * Return: a verdict.
 */
unsigned int rein_leave_connect(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct sock *sk = payer(skb, state);
	struct rein_chain chain __uninitialized;
	struct rein_target *target;
	enum rein_known known;
	struct rein_request req;
	unsigned int verdict;
	bool must_wait;
	u64 flow;
	int err;

	if (!sk || (sk_is_tcp(sk) && !tcp_begins(skb)))
		return NF_ACCEPT;

	do {
		target = rein_chain_of(&chain, sk, REIN_RESOURCE_CONNECT);
		if (!chain.n)
			return NF_ACCEPT;
		flow = rein_known_tag(sk, skb, state->pf);
		known = rein_known_look(flow);
		if (known == REIN_KNOWN_GOES)
			return NF_ACCEPT;

		req = (struct rein_request){
			.cost[REIN_UNIT_CALLS] = 1,
			.now = ktime_get_ns(),
		};
		if (known == REIN_UNKNOWN && !rein_room_busy(target, false)) {
			verdict = rein_meter_ask(skb, CONNECT_REFUSED, state,
						 &chain, &req, &must_wait);
			if (!must_wait) {
				if (verdict == NF_ACCEPT)
					rein_known_set(flow, REIN_KNOWN_GOES);
				return verdict;
			}
		}
		err = rein_queue_hold(target, sk, &chain, &req, skb, state,
				      flow);
	} while (err == -EAGAIN);

	return err ? CONNECT_REFUSED : NF_STOLEN;
}

/**
 * rein_leave_connects() - does a held packet keep a connect(2) waiting?
 * @held:	the packet
 *
 * Return: whether it is the SYN of a connection that is to be.
 */
bool rein_leave_connects(const struct rein_held *held)
{
	return held->flow && sk_is_tcp(held->state.sk);
}

/**
 * rein_leave_gone() - has whoever waits for a connection gone away?
 * @held:	the packet that waits
 *
 * Context: any; nothing is locked, the answer may be old when it arrives.
 *
 * Return: true if it is the SYN of a connection that its socket isn't about
 * to make any more.
 */
bool rein_leave_gone(const struct rein_held *held)
{
	const struct sock *sk = held->state.sk;

	return rein_leave_connects(held) &&
	       (READ_ONCE(sk->sk_state) != TCP_SYN_SENT ||
		READ_ONCE(tcp_sk(sk)->snd_una) !=
		ntohl(tcp_hdr(held->skb)->seq));
}

/**
 * rein_leave_fail() - let the connect(2) fail that a held packet belongs to
 * @held:	the packet
 *
 * TCP would take its SYN for lost, and send it again until it gives up.
 *
 * Context: may sleep; no lock held.
 */
void rein_leave_fail(const struct rein_held *held)
{
	if (!rein_leave_gone(held))
		tcp_abort(held->state.sk, ECONNREFUSED);
}
