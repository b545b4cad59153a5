// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks: netfilter in and out. See hook.h.
 *
 * Only packets of a socket of this host are metered, where the socket sends
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
#include <linux/udp.h>
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "admit.h"
#include "hook.h"
#include "queue.h"
#include "record.h"
#include "target.h"

/* After everybody who may change or drop the packet, before conntrack's
 * confirmation, so that what is refused leaves no connection behind.
 */
#define EGRESS_PRIORITY		(INT_MAX - 1)

/**
 * struct hook_net - a network namespace
 * @net:	which one
 * @list:	among all of them; rein_mutex
 * @hooked:	our hooks are registered; rein_mutex
 * @held:	packets of it that wait
 */
struct hook_net {
	struct net *net;
	struct list_head list;
	bool hooked;
	atomic_t held;
};

static unsigned int hook_net_id;
static LIST_HEAD(nets);		/* rein_mutex */
static unsigned long n_nets;	/* rein_mutex */
static bool needed;		/* rein_mutex */

/* --- what a packet costs, and what it can bear ------------------------------- */

static unsigned int gso_header(const struct sk_buff *skb)
{
	bool tcp = skb_shinfo(skb)->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6);

	if (skb->encapsulation)
		return skb_inner_transport_offset(skb) +
		       (tcp ? inner_tcp_hdrlen(skb) : sizeof(struct udphdr));
	return skb_transport_offset(skb) +
	       (tcp ? tcp_hdrlen(skb) : sizeof(struct udphdr));
}

/* Bytes at layer 3, as they will be on the wire: each segment has headers. */
static void packet_cost(const struct sk_buff *skb, u64 cost[REIN_UNITS])
{
	unsigned int segments = 1, bytes = skb->len;

	if (skb_is_gso(skb)) {
		unsigned int header = gso_header(skb);
		unsigned int size = skb_shinfo(skb)->gso_size;

		if (skb->len > header && size)
			segments = DIV_ROUND_UP(skb->len - header, size);
		bytes += (segments - 1) * header;
	}
	cost[REIN_UNIT_BYTES] = bytes;
	cost[REIN_UNIT_PACKETS] = segments;
	cost[REIN_UNIT_CALLS] = 0;
}

/**
 * rein_hook_ecn() - can CE be set on a packet?
 * @skb:	the packet
 * @pf:		NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Return: whether its transport says that it understands ECN.
 */
bool rein_hook_ecn(const struct sk_buff *skb, u8 pf)
{
	u8 tos = pf == NFPROTO_IPV4 ? ip_hdr(skb)->tos :
				      ipv6_get_dsfield(ipv6_hdr(skb));

	return !INET_ECN_is_not_ect(tos);
}

/**
 * rein_hook_mark() - set CE on a packet
 * @skb:	the packet
 * @pf:		NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Without memory for a header of its own the packet goes unmarked: there
 * will be more of them.
 */
void rein_hook_mark(struct sk_buff *skb, u8 pf)
{
	bool v4 = pf == NFPROTO_IPV4;
	unsigned int size = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	if (skb_ensure_writable(skb, skb_network_offset(skb) + size))
		return;
	if (v4)
		IP_ECN_set_ce(ip_hdr(skb));
	else
		IP6_ECN_set_ce(skb, ipv6_hdr(skb));
}

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
	return unit == REIN_UNIT_BYTES ? "bytes" : "packets";
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

static unsigned int decide(struct sk_buff *skb, const struct sock *sk,
			   const struct nf_hook_state *state,
			   const struct rein_chain *chain,
			   struct rein_request *req, bool *must_wait)
{
	struct rein_verdict verdict;

	rein_admit(chain, req, &verdict);
	*must_wait = verdict.decision == REIN_WAIT;
	if (verdict.observed.limit && verdict.decision == REIN_GO)
		rein_hook_record(&verdict.observed, REIN_FOLD_OBSERVED, skb,
				 state->pf, req->now);
	if (verdict.decision == REIN_REFUSE) {
		rein_hook_record(&verdict.lack, REIN_FOLD_REFUSED, skb,
				 state->pf, req->now);
		return refused(sk);
	}
	if (verdict.mark)
		rein_hook_mark(skb, state->pf);
	return NF_ACCEPT;
}

static unsigned int egress(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	struct sock *sk = payer(skb, state);
	struct rein_target *target;
	struct rein_chain chain;
	struct rein_request req;
	unsigned int verdict;
	struct cgroup *cgrp;
	bool must_wait;
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

		req = (struct rein_request){
			.now = ktime_get_ns(),
			.may_debt = true,
			.ecn = rein_hook_ecn(skb, state->pf),
		};
		packet_cost(skb, req.cost);
		if (!rein_room_busy(target)) {
			verdict = decide(skb, sk, state, &chain, &req,
					 &must_wait);
			if (!must_wait)
				return verdict;
		}
		err = rein_queue_hold(target, cgrp, &chain, &req, skb, state);
	} while (err == -EAGAIN);

	return err ? refused(sk) : NF_STOLEN;
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

/* The hooks of a packet's protocol, and which of them is ours. */
static const struct nf_hook_entries *our_hook(const struct nf_hook_state *state,
					      unsigned int *index)
{
	const struct nf_hook_entries *e;

	if (state->pf == NFPROTO_IPV4)
		e = rcu_dereference(state->net->nf.hooks_ipv4[state->hook]);
	else
		e = rcu_dereference(state->net->nf.hooks_ipv6[state->hook]);
	if (!e)
		return NULL;
	for (*index = 0; *index < e->num_hook_entries; ++*index)
		if (e->hooks[*index].hook == egress)
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

	e = our_hook(state, &i);
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

/* --- where hooks are --------------------------------------------------------- */

static const struct nf_hook_ops hook_ops[] = {
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
};

static int net_hook(struct hook_net *hn)
{
	int err;

	if (hn->hooked)
		return 0;
	err = nf_register_net_hooks(hn->net, hook_ops, ARRAY_SIZE(hook_ops));
	hn->hooked = !err;
	return err;
}

static void net_unhook(struct hook_net *hn)
{
	if (!hn->hooked)
		return;
	nf_unregister_net_hooks(hn->net, hook_ops, ARRAY_SIZE(hook_ops));
	hn->hooked = false;
}

/**
 * rein_hook_need() - be there, or not, in every network namespace
 * @need:	whether anything is to be metered
 *
 * Context: may sleep; rein_mutex held. To stop, no packet may be held.
 *
 * Return: 0; a negative errno if hooks could not be registered everywhere:
 * then those that could be stay.
 */
int rein_hook_need(bool need)
{
	struct hook_net *hn;
	int err = 0;

	lockdep_assert_held(&rein_mutex);
	needed = need;
	list_for_each_entry(hn, &nets, list) {
		if (need)
			err = net_hook(hn) ?: err;
		else
			net_unhook(hn);
	}
	return err;
}

/**
 * rein_hook_needed() - are hooks registered?
 *
 * Context: rein_mutex held.
 *
 * Return: whether they are.
 */
bool rein_hook_needed(void)
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
	int err = 0;

	mutex_lock(&rein_mutex);
	hn->net = net;
	if (needed)
		err = net_hook(hn);
	if (!err) {
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
	rein_target_flush(held_in_net, net);
	list_del(&hn->list);
	n_nets--;
	net_unhook(hn);
	mutex_unlock(&rein_mutex);
}

/* …and now it is: drop those that were on their way in. */
static void __net_exit on_net_exit(struct net *net)
{
	mutex_lock(&rein_mutex);
	rein_target_flush(held_in_net, net);
	mutex_unlock(&rein_mutex);
	/* One may be on its way out at this moment, in a timer, under RCU. */
	synchronize_rcu();
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
	rein_target_flush(held_on_dev, dev);
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
	rein_target_flush(held_any, NULL);
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
	rein_hook_need(false);
	mutex_unlock(&rein_mutex);
	unregister_netdevice_notifier(&netdev_nb);
	unregister_pernet_subsys(&net_ops);
	synchronize_net();
}
