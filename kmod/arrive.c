// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that arrive. See arrive.h.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/ipv4/nf_reject.h>
#include <net/netfilter/ipv6/nf_reject.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "admit.h"
#include "arrive.h"
#include "meter.h"
#include "packet.h"
#include "target.h"

/* --- whose it is ------------------------------------------------------------------ */

static struct sock *find_connection(struct net *net, struct sk_buff *skb,
				    u8 pf, const struct tcphdr *th)
{
	if (pf == NFPROTO_IPV4)
		return __inet_lookup_established(net, ip_hdr(skb)->saddr,
						 th->source, ip_hdr(skb)->daddr,
						 ntohs(th->dest), inet_iif(skb),
						 inet_sdif(skb));
	return __inet6_lookup_established(net, &ipv6_hdr(skb)->saddr,
					  th->source, &ipv6_hdr(skb)->daddr,
					  ntohs(th->dest), inet6_iif(skb),
					  inet6_sdif(skb));
}

static struct sock *find_listener(struct net *net, struct sk_buff *skb, u8 pf,
				  int offset, const struct tcphdr *th)
{
	int data = offset + __tcp_hdrlen(th);

	if (pf == NFPROTO_IPV4)
		return __inet_lookup_listener(net, skb, data,
					      ip_hdr(skb)->saddr, th->source,
					      ip_hdr(skb)->daddr,
					      ntohs(th->dest), inet_iif(skb),
					      inet_sdif(skb));
	return inet6_lookup_listener(net, skb, data, &ipv6_hdr(skb)->saddr,
				     th->source, &ipv6_hdr(skb)->daddr,
				     ntohs(th->dest), inet6_iif(skb),
				     inet6_sdif(skb));
}

/* Whoever has the port. A program that chooses among them reads from where UDP begins. */
static struct sock *find_port(struct net *net, struct sk_buff *skb, u8 pf,
			      int offset)
{
	const struct udphdr *uh;
	struct sock *sk;

	if (!pskb_may_pull(skb, offset + sizeof(*uh)))
		return NULL;
	__skb_pull(skb, offset);
	uh = (const struct udphdr *)skb->data;
	if (pf == NFPROTO_IPV4)
		sk = __udp4_lib_lookup(net, ip_hdr(skb)->saddr, uh->source,
				       ip_hdr(skb)->daddr, uh->dest,
				       inet_iif(skb), inet_sdif(skb), skb);
	else
		sk = __udp6_lib_lookup(net, &ipv6_hdr(skb)->saddr, uh->source,
				       &ipv6_hdr(skb)->daddr, uh->dest,
				       inet6_iif(skb), inet6_sdif(skb), skb);
	__skb_push(skb, offset);
	return sk;
}

/*
 * Find the socket that a packet is going to be handed to, as TCP or UDP will, and as they
 * do before routing, if they do: they won't look again. None is found if there are several.
 */
static void demux(struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct sock *sk = NULL;
	struct tcphdr th;
	int offset;

	switch (rein_packet_transport(skb, state->pf, &offset)) {
	case IPPROTO_TCP:
		if (skb_copy_bits(skb, offset, &th, sizeof(th)))
			return;
		skb->sk = find_connection(state->net, skb, state->pf, &th);
		if (skb->sk) {
			skb->destructor = sock_edemux;
			return;
		}
		sk = find_listener(state->net, skb, state->pf, offset, &th);
		break;
	case IPPROTO_UDP:
		sk = find_port(state->net, skb, state->pf, offset);
		break;
	}
	/* RCU takes care of these. */
	if (sk && !sk_is_refcounted(sk)) {
		skb->sk = sk;
		skb->destructor = sock_pfree;
	}
}

/* --- from a packet to what becomes of it ----------------------------------------------- */

/**
 * rein_arrive_ingress() - a packet arrives
 * @priv:	not used
 * @skb:	the packet
 * @state:	where it is on its way through netfilter
 *
 * What asks for a connection, and what answers to that, is its listener's. Nobody pays
 * for what ends in TIME_WAIT, and for what the kernel's own sockets receive.
 *
 * Context: a hook at LOCAL_IN.
 *
 * Return: a verdict.
 */
unsigned int rein_arrive_ingress(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct sock *sk;

	if (!skb->sk && skb->pkt_type == PACKET_HOST)
		demux(skb, state);
	sk = skb_to_full_sk(skb);
	if (!sk || !sk_fullsock(sk) || !sk->sk_net_refcnt)
		return NF_ACCEPT;
	return rein_meter_packet(skb, NF_DROP, state, sk,
				 REIN_RESOURCE_INGRESS);
}

/* --- from a SYN to whether there is a connection ------------------------------------------ */

/* Read the header of a SYN that asks for a connection. */
static bool read_syn(const struct sk_buff *skb, u8 pf, int *offset,
		     struct tcphdr *th)
{
	if (skb->pkt_type != PACKET_HOST ||
	    rein_packet_transport(skb, pf, offset) != IPPROTO_TCP ||
	    skb_copy_bits(skb, *offset, th, sizeof(*th)))
		return false;
	return th->syn && !th->ack && !th->rst && !th->fin;
}

/*
 * The listener that a SYN is going to ask for a connection, as TCP will find
 * it; NULL if there is none, or if the connection is there already, or asked
 * for. What is in TIME_WAIT gives way to a new one.
 */
static struct sock *listener(struct net *net, struct sk_buff *skb, u8 pf,
			     int offset, const struct tcphdr *th)
{
	struct sock *sk = skb->sk;
	int state;

	if (sk) {
		state = READ_ONCE(sk->sk_state);
	} else {
		sk = find_connection(net, skb, pf, th);
		state = sk ? READ_ONCE(sk->sk_state) : TCP_TIME_WAIT;
		if (sk)
			sock_gen_put(sk);
	}
	/* It was handed to a listener before: TPROXY. */
	if (state == TCP_LISTEN)
		return sk;
	return state == TCP_TIME_WAIT ?
	       find_listener(net, skb, pf, offset, th) : NULL;
}

static void answer_reset(struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (state->pf == NFPROTO_IPV4)
		nf_send_reset(state->net, state->sk, skb, state->hook);
	else
		nf_send_reset6(state->net, state->sk, skb, state->hook);
}

/**
 * rein_arrive_accept() - a packet arrives that may ask for a connection
 * @priv:	not used
 * @skb:	the packet
 * @state:	where it is on its way through netfilter
 *
 * Context: a hook at LOCAL_IN, after that for ingress.
 *
 * Return: a verdict.
 */
unsigned int rein_arrive_accept(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct rein_chain chain __uninitialized;
	struct rein_request req;
	unsigned int verdict;
	bool must_wait;
	struct tcphdr th;
	struct sock *sk;
	int offset;

	if (!read_syn(skb, state->pf, &offset, &th))
		return NF_ACCEPT;
	sk = listener(state->net, skb, state->pf, offset, &th);
	if (!sk || !sk->sk_net_refcnt)
		return NF_ACCEPT;
	rein_chain_of(&chain, sk, REIN_RESOURCE_ACCEPT);
	if (!chain.n)
		return NF_ACCEPT;

	req = (struct rein_request){
		.cost[REIN_UNIT_CALLS] = 1,
		.now = ktime_get_ns(),
	};
	/* None of these limits lets anybody wait. */
	verdict = rein_meter_ask(skb, NF_DROP, state, &chain, &req, &must_wait);
	if (verdict != NF_ACCEPT)
		answer_reset(skb, state);
	return verdict;
}
