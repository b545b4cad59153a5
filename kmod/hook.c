// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks: netfilter in and out. See hook.h.
 *
 * On the way out, only packets of a socket of this host are metered, where the socket sends
 * them: a tunnel's outer packets, forwarded ones and copies made for multicast
 * either have no socket here or have one that isn't the sender's at this
 * point of their way, and have paid before or belong to nobody.
 */
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netfilter/ipv4/nf_reject.h>
#include <net/netfilter/ipv6/nf_reject.h>
#include <net/netns/generic.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "admit.h"
#include "hook.h"
#include "known.h"
#include "packet.h"
#include "queue.h"
#include "record.h"
#include "slice.h"
#include "target.h"

/* After everybody who may change or drop the packet, before conntrack's
 * confirmation, so that what is refused leaves no connection behind.
 */
#define EGRESS_PRIORITY		(INT_MAX - 1)
#define CONNECT_PRIORITY	(EGRESS_PRIORITY - 1)
#define ACCEPT_PRIORITY		(INT_MAX - 1)

/**
 * struct hook_net - a network namespace
 * @net:	which one
 * @list:	among all of them; rein_mutex
 * @hooked:	what our hooks are registered for, a bit for each resource;
 *		rein_mutex
 * @held:	packets of it that wait
 */
struct hook_net {
	struct net *net;
	struct list_head list;
	unsigned int hooked;
	atomic_t held;
};

static unsigned int hook_net_id;
static LIST_HEAD(nets);		/* rein_mutex */
static unsigned long n_nets;	/* rein_mutex */
static unsigned int needed;	/* resources; rein_mutex */

/* --- out: from a packet to what becomes of it --------------------------------- */

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

static const char *unit_name(enum rein_unit unit)
{
	static const char *const names[] = {
		[REIN_UNIT_BYTES] = "bytes",
		[REIN_UNIT_PACKETS] = "packets",
		[REIN_UNIT_CALLS] = "calls",
	};

	return names[unit];
}

/**
 * rein_hook_record() - record that there were no tokens for a packet
 * @lack:	who had none
 * @fold:	what became of the packet
 * @skb:	the packet
 * @pf:		NFPROTO_IPV4 or NFPROTO_IPV6
 * @now:	CLOCK_MONOTONIC, ns
 *
 * Context: as rein_record_packet().
 */
void rein_hook_record(const struct rein_lack *lack, enum rein_fold fold,
		      const struct sk_buff *skb, u8 pf, u64 now)
{
	struct rein_value value[REIN_RECORD_VALUES] = {
		{ "wanted", unit_name(lack->unit), lack->wanted },
		{ "available", unit_name(lack->unit), lack->available },
	};

	if (lack->when != REIN_NEVER && lack->when > now)
		value[2] = (struct rein_value){
			"retry_after", "ns", lack->when - now
		};
	rein_record_packet(lack->limit, fold, skb, pf, value, REIN_SITE);
}

/* The socket that pays for a packet, or NULL if nobody does. */
static struct sock *payer(const struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	struct sock *sk = skb_to_full_sk(skb);

	/* A tunnel's is its own; a SYN-ACK's request stands for its listener. */
	if (!sk || !state->sk || sk != sk_to_full_sk(state->sk) ||
	    nf_bridge_info_exists(skb))
		return NULL;
	/* What IPsec made of a packet that has paid. */
	if (state->pf == NFPROTO_IPV4 ?
	    IPCB(skb)->flags & IPSKB_XFRM_TRANSFORMED :
	    IP6CB(skb)->flags & IP6SKB_XFRM_TRANSFORMED)
		return NULL;
	/* The kernel's own sockets are in the cgroup of whoever made them. */
	return sk_fullsock(sk) && sk->sk_net_refcnt ? sk : NULL;
}

/* @refusal: the verdict on a packet that is refused. */
static unsigned int decide(struct sk_buff *skb, unsigned int refusal,
			   const struct nf_hook_state *state,
			   const struct rein_chain *chain,
			   const struct rein_request *req, bool *must_wait)
{
	struct rein_verdict verdict __uninitialized;

	rein_admit(chain, req, &verdict);
	*must_wait = verdict.decision == REIN_WAIT;
	if (verdict.observed.limit && verdict.decision == REIN_GO)
		rein_hook_record(&verdict.observed, REIN_FOLD_OBSERVED, skb,
				 state->pf, req->now);
	if (verdict.decision == REIN_REFUSE) {
		rein_hook_record(&verdict.lack, REIN_FOLD_REFUSED, skb,
				 state->pf, req->now);
		return refusal;
	}
	if (verdict.mark)
		rein_packet_mark(skb, state->pf);
	return NF_ACCEPT;
}

static unsigned int egress(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	struct rein_chain chain __uninitialized;
	struct sock *sk = payer(skb, state);
	struct rein_target *target;
	struct rein_request req __uninitialized;
	u64 cost[REIN_UNITS], now;
	unsigned int verdict;
	struct cgroup *cgrp;
	bool must_wait, busy;
	int err;

	if (!sk)
		return NF_ACCEPT;
	cgrp = sock_cgroup_ptr(&sk->sk_cgrp_data);
	if (!cgrp)
		return NF_ACCEPT;

	do {
		target = rein_chain_find(&chain, cgrp, REIN_RESOURCE_EGRESS);
		if (!chain.n)
			return NF_ACCEPT;

		rein_packet_cost(skb, cost);
		now = ktime_get_ns();
		busy = rein_room_busy(target);
		/* Most packets: rein_admit() does it, too, but needs a request. */
		if (!busy && rein_slice_take(&chain, cost, NULL, now))
			return NF_ACCEPT;

		req = (struct rein_request){
			.now = now,
			.may_debt = true,
			.ecn = rein_packet_ecn(skb, state->pf),
		};
		memcpy(req.cost, cost, sizeof(cost));
		if (!busy) {
			verdict = decide(skb, refused(sk), state, &chain, &req,
					 &must_wait);
			if (!must_wait)
				return verdict;
		}
		err = rein_queue_hold(target, cgrp, &chain, &req, skb, state,
				      0);
	} while (err == -EAGAIN);

	return err ? refused(sk) : NF_STOLEN;
}

/* --- out: from the beginning of a flow to whether there is one ----------------- */

/* For each protocol what makes connect(2), or the first send, fail at once. */
#define CONNECT_REFUSED		NF_DROP_ERR(-ECONNREFUSED)

static bool tcp_begins(const struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);

	return th->syn && !th->ack;
}

/*
 * Of a flow that is known, or waits to be, no packet is charged. Of TCP's
 * packets only SYNs can begin one, and one that is sent again is of the same
 * flow as the first: if that was refused, or lost on its way here, this is it.
 */
static unsigned int connect_out(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct sock *sk = payer(skb, state);
	struct rein_chain chain __uninitialized;
	struct rein_target *target;
	enum rein_known known;
	struct rein_request req;
	unsigned int verdict;
	struct cgroup *cgrp;
	bool must_wait;
	u64 flow;
	int err;

	if (!sk || (sk_is_tcp(sk) && !tcp_begins(skb)))
		return NF_ACCEPT;
	cgrp = sock_cgroup_ptr(&sk->sk_cgrp_data);
	if (!cgrp)
		return NF_ACCEPT;

	do {
		target = rein_chain_find(&chain, cgrp, REIN_RESOURCE_CONNECT);
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
		if (known == REIN_UNKNOWN && !rein_room_busy(target)) {
			verdict = decide(skb, CONNECT_REFUSED, state, &chain,
					 &req, &must_wait);
			if (!must_wait) {
				if (verdict == NF_ACCEPT)
					rein_known_set(flow, REIN_KNOWN_GOES);
				return verdict;
			}
		}
		err = rein_queue_hold(target, cgrp, &chain, &req, skb, state,
				      flow);
	} while (err == -EAGAIN);

	return err ? CONNECT_REFUSED : NF_STOLEN;
}

/**
 * rein_hook_connects() - does a held packet keep a connect(2) waiting?
 * @held:	the packet
 *
 * Return: whether it is the SYN of a connection that is to be.
 */
bool rein_hook_connects(const struct rein_held *held)
{
	return held->flow && sk_is_tcp(held->state.sk);
}

/**
 * rein_hook_gone() - has whoever waits for a connection gone away?
 * @held:	the packet that waits
 *
 * Context: any; nothing is locked, the answer may be old when it arrives.
 *
 * Return: true if it is the SYN of a connection that its socket isn't about
 * to make any more.
 */
bool rein_hook_gone(const struct rein_held *held)
{
	const struct sock *sk = held->state.sk;

	return rein_hook_connects(held) &&
	       (READ_ONCE(sk->sk_state) != TCP_SYN_SENT ||
		READ_ONCE(tcp_sk(sk)->snd_una) !=
		ntohl(tcp_hdr(held->skb)->seq));
}

/**
 * rein_hook_fail() - let the connect(2) fail that a held packet belongs to
 * @held:	the packet
 *
 * TCP would take its SYN for lost, and send it again until it gives up.
 *
 * Context: may sleep; no lock held.
 */
void rein_hook_fail(const struct rein_held *held)
{
	if (!rein_hook_gone(held))
		tcp_abort(held->state.sk, ECONNREFUSED);
}

/* --- in: from a SYN to whether there is a connection ---------------------------- */

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

static unsigned int accept_in(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	struct rein_chain chain __uninitialized;
	struct rein_request req;
	unsigned int verdict;
	struct cgroup *cgrp;
	bool must_wait;
	struct tcphdr th;
	struct sock *sk;
	int offset;

	if (!read_syn(skb, state->pf, &offset, &th))
		return NF_ACCEPT;
	sk = listener(state->net, skb, state->pf, offset, &th);
	if (!sk || !sk->sk_net_refcnt)
		return NF_ACCEPT;
	cgrp = sock_cgroup_ptr(&sk->sk_cgrp_data);
	if (!cgrp)
		return NF_ACCEPT;
	rein_chain_find(&chain, cgrp, REIN_RESOURCE_ACCEPT);
	if (!chain.n)
		return NF_ACCEPT;

	req = (struct rein_request){
		.cost[REIN_UNIT_CALLS] = 1,
		.now = ktime_get_ns(),
	};
	/* None of these limits lets anybody wait. */
	verdict = decide(skb, NF_DROP, state, &chain, &req, &must_wait);
	if (verdict != NF_ACCEPT)
		answer_reset(skb, state);
	return verdict;
}

/* --- in: back on its way ---------------------------------------------------- */

/**
 * rein_hook_hold() - make sure that a packet can outlive its hook
 * @held:	the packet; its skb, dev and state are set
 *
 * Context: any but hard interrupts. What is asked about devices is as of now:
 * a caller who must not miss one going down excludes the flush.
 *
 * Return: false if its route, device or socket is going away.
 */
bool rein_hook_hold(struct rein_held *held)
{
	struct nf_hook_state *state = &held->state;
	struct hook_net *hn = net_generic(state->net, hook_net_id);
	struct sk_buff *skb = held->skb;

	atomic_inc(&hn->held);
	/* Before the flag: on_netdev() looks at the count after it is down. */
	smp_mb__after_atomic();
	if ((state->out && !(READ_ONCE(state->out->flags) & IFF_UP)) ||
	    (skb_dst(skb) && !skb_dst_force(skb)) ||
	    (state->sk && !refcount_inc_not_zero(&state->sk->sk_refcnt))) {
		atomic_dec(&hn->held);
		return false;
	}
	dev_hold(held->dev);
	dev_hold(state->in);
	dev_hold(state->out);
	return true;
}

static void held_put(struct rein_held *held)
{
	struct nf_hook_state *state = &held->state;
	struct hook_net *hn = net_generic(state->net, hook_net_id);

	atomic_dec(&hn->held);
	dev_put(held->dev);
	dev_put(state->in);
	dev_put(state->out);
	/* Last: the socket may be what keeps the namespace. */
	if (state->sk)
		sock_gen_put(state->sk);
}

/**
 * rein_hook_drop() - drop a held packet
 * @held:	the packet; the struct itself stays with the caller
 */
void rein_hook_drop(struct rein_held *held)
{
	struct sk_buff *skb = held->skb;

	held_put(held);
	kfree_skb(skb);
}

/* --- where hooks are --------------------------------------------------------- */

#define METERED	(BIT(REIN_RESOURCE_EGRESS) | BIT(REIN_RESOURCE_CONNECT) | \
		 BIT(REIN_RESOURCE_ACCEPT))

/* By resource; others than those METERED have none. */
static const struct nf_hook_ops hook_ops[REIN_RESOURCES][2] = {
	[REIN_RESOURCE_EGRESS] = {
		{
			.hook = egress,
			.pf = NFPROTO_IPV4,
			.hooknum = NF_INET_POST_ROUTING,
			.priority = EGRESS_PRIORITY,
		},
		{
			.hook = egress,
			.pf = NFPROTO_IPV6,
			.hooknum = NF_INET_POST_ROUTING,
			.priority = EGRESS_PRIORITY,
		},
	},
	[REIN_RESOURCE_CONNECT] = {
		{
			.hook = connect_out,
			.pf = NFPROTO_IPV4,
			.hooknum = NF_INET_POST_ROUTING,
			.priority = CONNECT_PRIORITY,
		},
		{
			.hook = connect_out,
			.pf = NFPROTO_IPV6,
			.hooknum = NF_INET_POST_ROUTING,
			.priority = CONNECT_PRIORITY,
		},
	},
	[REIN_RESOURCE_ACCEPT] = {
		{
			.hook = accept_in,
			.pf = NFPROTO_IPV4,
			.hooknum = NF_INET_LOCAL_IN,
			.priority = ACCEPT_PRIORITY,
		},
		{
			.hook = accept_in,
			.pf = NFPROTO_IPV6,
			.hooknum = NF_INET_LOCAL_IN,
			.priority = ACCEPT_PRIORITY,
		},
	},
};

/* The hooks of a packet's protocol, and which of them it was held at. */
static const struct nf_hook_entries *our_hook(const struct rein_held *held,
					      unsigned int *index)
{
	const struct nf_hook_state *state = &held->state;
	nf_hookfn *hook = held->flow ? connect_out : egress;
	const struct nf_hook_entries *e;

	if (state->pf == NFPROTO_IPV4)
		e = rcu_dereference(state->net->nf.hooks_ipv4[state->hook]);
	else
		e = rcu_dereference(state->net->nf.hooks_ipv6[state->hook]);
	if (!e)
		return NULL;
	for (*index = 0; *index < e->num_hook_entries; ++*index)
		if (e->hooks[*index].hook == hook)
			return e;
	return NULL;
}

/**
 * rein_hook_resume() - let a held packet go on where it was
 * @held:	the packet; the struct itself stays with the caller
 *
 * The remaining hooks see it, conntrack's confirmation among them. Without our
 * own there is no telling which these are: it is dropped.
 *
 * Context: RCU read side, bottom halves or a task; no lock held.
 */
void rein_hook_resume(struct rein_held *held)
{
	struct nf_hook_state *state = &held->state;
	const struct nf_hook_entries *e;
	unsigned int i;

	e = our_hook(held, &i);
	if (!e) {
		/* Its namespace is on its way out, and nobody else waits. */
		rein_hook_drop(held);
		return;
	}
	local_bh_disable();
	if (nf_hook_slow(held->skb, state, e, i + 1) == 1)
		state->okfn(state->net, state->sk, held->skb);
	local_bh_enable();
	held_put(held);
}

static int net_hook(struct hook_net *hn, unsigned int resources)
{
	unsigned int i;
	int err;

	for (i = 0; i < REIN_RESOURCES; i++) {
		if (!(resources & ~hn->hooked & BIT(i)))
			continue;
		err = nf_register_net_hooks(hn->net, hook_ops[i],
					    ARRAY_SIZE(hook_ops[i]));
		if (err)
			return err;
		hn->hooked |= BIT(i);
	}
	return 0;
}

/* Leave no hooks but those for @resources. */
static void net_unhook(struct hook_net *hn, unsigned int resources)
{
	unsigned int i;

	for (i = 0; i < REIN_RESOURCES; i++)
		if (hn->hooked & ~resources & BIT(i))
			nf_unregister_net_hooks(hn->net, hook_ops[i],
						ARRAY_SIZE(hook_ops[i]));
	hn->hooked &= resources;
}

/**
 * rein_hook_need() - be there, or not, in every network namespace
 * @resources:	a bit for each resource that is to be metered; for some that
 *		takes no hooks
 *
 * Context: may sleep; rein_mutex held. To stop, no packet may be held at the
 * hooks that go.
 *
 * Return: 0; a negative errno if hooks could not be registered everywhere:
 * then those that could be stay.
 */
int rein_hook_need(unsigned int resources)
{
	struct hook_net *hn;
	int err = 0;

	lockdep_assert_held(&rein_mutex);
	if (resources & BIT(REIN_RESOURCE_CONNECT))
		err = rein_known_open();
	if (err)
		return err;
	resources &= METERED;
	needed = resources;
	list_for_each_entry(hn, &nets, list) {
		net_unhook(hn, resources);
		err = net_hook(hn, resources) ?: err;
	}
	return err;
}

/**
 * rein_hook_needed() - what are hooks registered for?
 *
 * Context: rein_mutex held.
 *
 * Return: a bit for each resource.
 */
unsigned int rein_hook_needed(void)
{
	return needed;
}

/**
 * rein_hook_nets() - how many network namespaces there are
 *
 * Context: rein_mutex held.
 *
 * Return: the number.
 */
unsigned long rein_hook_nets(void)
{
	return n_nets;
}

static int __net_init on_net_init(struct net *net)
{
	struct hook_net *hn = net_generic(net, hook_net_id);
	int err;

	mutex_lock(&rein_mutex);
	hn->net = net;
	err = net_hook(hn, needed);
	if (err) {
		net_unhook(hn, 0);
	} else {
		list_add_tail(&hn->list, &nets);
		n_nets++;
	}
	mutex_unlock(&rein_mutex);
	return err;
}

static bool held_in_net(const struct rein_held *held, const void *what)
{
	return held->state.net == what;
}

/* No new packet will be held once a grace period is over… */
static void __net_exit on_net_pre_exit(struct net *net)
{
	struct hook_net *hn = net_generic(net, hook_net_id);

	mutex_lock(&rein_mutex);
	rein_target_flush(rein_queue_flush, held_in_net, net);
	list_del(&hn->list);
	n_nets--;
	net_unhook(hn, 0);
	mutex_unlock(&rein_mutex);
}

/* …and now it is: drop those that were on their way in. */
static void __net_exit on_net_exit(struct net *net)
{
	mutex_lock(&rein_mutex);
	rein_target_flush(rein_queue_flush, held_in_net, net);
	mutex_unlock(&rein_mutex);
	/* One may be on its way out at this moment, in a timer, under RCU. */
	synchronize_rcu();
	rein_queue_quiet();
}

static struct pernet_operations net_ops = {
	.init = on_net_init,
	.pre_exit = on_net_pre_exit,
	.exit = on_net_exit,
	.id = &hook_net_id,
	.size = sizeof(struct hook_net),
};

static bool held_on_dev(const struct rein_held *held, const void *what)
{
	return held->state.out == what || held->state.in == what ||
	       held->dev == what;
}

static int on_netdev(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct hook_net *hn = net_generic(dev_net(dev), hook_net_id);

	if (event != NETDEV_DOWN && event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	/* Pairs with rein_hook_hold(): either sees what the other did. */
	smp_mb();
	if (!atomic_read(&hn->held))
		return NOTIFY_DONE;
	mutex_lock(&rein_mutex);
	rein_target_flush(rein_queue_flush, held_on_dev, dev);
	mutex_unlock(&rein_mutex);
	return NOTIFY_DONE;
}

static struct notifier_block netdev_nb = {
	.notifier_call = on_netdev,
};

static bool held_any(const struct rein_held *held, const void *what)
{
	return true;
}

/**
 * rein_hook_drain() - drop all packets that wait
 *
 * Context: may sleep; rein_mutex held.
 */
void rein_hook_drain(void)
{
	rein_target_flush(rein_queue_flush, held_any, NULL);
}

/**
 * rein_hook_init() - watch namespaces and devices
 *
 * Return: 0 or a negative errno.
 */
int rein_hook_init(void)
{
	int err = register_pernet_subsys(&net_ops);

	if (err)
		return err;
	err = register_netdevice_notifier(&netdev_nb);
	if (err)
		unregister_pernet_subsys(&net_ops);
	return err;
}

/**
 * rein_hook_exit() - undo rein_hook_init(); drop all packets that wait
 *
 * Context: there are no limits any more; may sleep.
 */
void rein_hook_exit(void)
{
	/* Those who found a limit before it went may still be on their way. */
	synchronize_net();
	mutex_lock(&rein_mutex);
	rein_hook_drain();
	rein_hook_need(0);
	mutex_unlock(&rein_mutex);
	unregister_netdevice_notifier(&netdev_nb);
	unregister_pernet_subsys(&net_ops);
	synchronize_net();
}
