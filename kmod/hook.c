// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks: where packets are caught, kept, and sent on again. See hook.h.
 */
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "arrive.h"
#include "hook.h"
#include "known.h"
#include "leave.h"
#include "queue.h"
#include "target.h"

/* After everybody who may change or drop the packet, before conntrack's
 * confirmation, so that what is refused leaves no connection behind.
 */
#define EGRESS_PRIORITY		(INT_MAX - 1)
#define CONNECT_PRIORITY	(EGRESS_PRIORITY - 1)
#define ACCEPT_PRIORITY		(INT_MAX - 1)
#define INGRESS_PRIORITY	(ACCEPT_PRIORITY - 1)

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

/* --- back on its way ---------------------------------------------------- */

static bool is_down(const struct net_device *dev)
{
	return dev && !(READ_ONCE(dev->flags) & IFF_UP);
}

/*
 * Have a packet keep its socket. What was found without a reference is there for as long as
 * an RCU read side lasts: as nf_queue() does.
 */
static bool hold_socket(struct sk_buff *skb)
{
	if (!skb_sk_is_prefetched(skb) || sk_is_refcounted(skb->sk))
		return true;
	if (!refcount_inc_not_zero(&skb->sk->sk_refcnt))
		return false;
	skb->destructor = sock_edemux;
	return true;
}

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
	if (is_down(state->in) || is_down(state->out) ||
	    (skb_dst(skb) && !skb_dst_force(skb)) || !hold_socket(skb) ||
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

#define METERED	(BIT(REIN_RESOURCE_EGRESS) | BIT(REIN_RESOURCE_INGRESS) | \
		 BIT(REIN_RESOURCE_CONNECT) | BIT(REIN_RESOURCE_ACCEPT))

#define HOOKS(function, number, order)					\
	{								\
		{							\
			.hook = function,				\
			.pf = NFPROTO_IPV4,				\
			.hooknum = number,				\
			.priority = order,				\
		},							\
		{							\
			.hook = function,				\
			.pf = NFPROTO_IPV6,				\
			.hooknum = number,				\
			.priority = order,				\
		},							\
	}

/* By resource; others than those METERED have none. */
static const struct nf_hook_ops hook_ops[REIN_RESOURCES][2] = {
	[REIN_RESOURCE_EGRESS] = HOOKS(rein_leave_egress, NF_INET_POST_ROUTING,
				       EGRESS_PRIORITY),
	[REIN_RESOURCE_INGRESS] = HOOKS(rein_arrive_ingress, NF_INET_LOCAL_IN,
					INGRESS_PRIORITY),
	[REIN_RESOURCE_CONNECT] = HOOKS(rein_leave_connect,
					NF_INET_POST_ROUTING, CONNECT_PRIORITY),
	[REIN_RESOURCE_ACCEPT] = HOOKS(rein_arrive_accept, NF_INET_LOCAL_IN,
				       ACCEPT_PRIORITY),
};

static nf_hookfn *held_at(const struct rein_held *held)
{
	if (held->state.hook == NF_INET_LOCAL_IN)
		return rein_arrive_ingress;
	return held->flow ? rein_leave_connect : rein_leave_egress;
}

/* The hooks of a packet's protocol, and which of them it was held at. */
static const struct nf_hook_entries *our_hook(const struct rein_held *held,
					      unsigned int *index)
{
	const struct nf_hook_state *state = &held->state;
	nf_hookfn *hook = held_at(held);
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

/*
 * Of fragments but the first has ports, and IPv6 puts them together behind LOCAL_IN:
 * netfilter can do so before. (IPv4 does it before LOCAL_IN itself.)
 */
static int hook_one(struct net *net, enum rein_resource resource)
{
	int err = nf_register_net_hooks(net, hook_ops[resource],
					ARRAY_SIZE(hook_ops[resource]));

	if (err || resource != REIN_RESOURCE_INGRESS)
		return err;
	err = nf_defrag_ipv6_enable(net);
	if (err)
		nf_unregister_net_hooks(net, hook_ops[resource],
					ARRAY_SIZE(hook_ops[resource]));
	return err;
}

static void unhook_one(struct net *net, enum rein_resource resource)
{
	if (resource == REIN_RESOURCE_INGRESS)
		nf_defrag_ipv6_disable(net);
	nf_unregister_net_hooks(net, hook_ops[resource],
				ARRAY_SIZE(hook_ops[resource]));
}

static int net_hook(struct hook_net *hn, unsigned int resources)
{
	unsigned int i;
	int err;

	for (i = 0; i < REIN_RESOURCES; i++) {
		if (!(resources & ~hn->hooked & BIT(i)))
			continue;
		err = hook_one(hn->net, i);
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
			unhook_one(hn->net, i);
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
