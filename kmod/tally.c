// SPDX-License-Identifier: GPL-2.0
/*
 * Tallies. See tally.h.
 */
#include <linux/cgroup.h>
#include <linux/percpu.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "hook.h"
#include "maker.h"
#include "own.h"
#include "packet.h"
#include "socket.h"
#include "tally.h"
#include "target.h"

/* Cgroups of this level, and all that are deeper. */
#define DEEP	(BITS_PER_LONG - 1)

struct tally_key {
	u64 id;
	u32 resource;
	u32 is_socket;
};

/**
 * struct rein_tally - how many packets
 * @hash:	in the table, by @key
 * @key:	whose, and which
 * @users:	how many have it; rein_mutex
 * @level:	the cgroup's
 * @packets:	how many, on each CPU
 * @rcu:	to free it
 */
struct rein_tally {
	struct rhash_head hash;
	struct tally_key key;
	unsigned int users;
	int level;
	unsigned long __percpu *packets;
	struct rcu_head rcu;
};

static const struct rhashtable_params params = {
	.head_offset = offsetof(struct rein_tally, hash),
	.key_offset = offsetof(struct rein_tally, key),
	.key_len = sizeof_field(struct rein_tally, key),
	.automatic_shrinking = true,
};

static struct rhashtable tallies;
static unsigned int of_resource[REIN_RESOURCES];	/* rein_mutex */
static unsigned int at_level[DEEP + 1];			/* rein_mutex */
static unsigned int of_sockets;				/* rein_mutex; read without */
static unsigned long levels;	/* those of at_level, a bit each; likewise */

/* How many there are. */
unsigned int rein_tallies;

/* All but the resource. */
static struct tally_key key_of(const struct cgroup *cgrp, struct sock *sk)
{
	return (struct tally_key){
		.id = sk ? rein_socket_cookie(sk) : cgroup_id(cgrp),
		.is_socket = !!sk,
	};
}

/* --- coming and going ------------------------------------------------------------ */

static int level_of(const struct cgroup *cgrp)
{
	return min(cgrp->level, DEEP);
}

/* One more, or one less, that is looked for. */
static void enlist(const struct rein_tally *tally, int by)
{
	of_resource[tally->key.resource] += by;
	if (tally->key.is_socket) {
		WRITE_ONCE(of_sockets, of_sockets + by);
	} else {
		at_level[tally->level] += by;
		if (at_level[tally->level])
			WRITE_ONCE(levels, levels | BIT(tally->level));
		else
			WRITE_ONCE(levels, levels & ~BIT(tally->level));
	}
	WRITE_ONCE(rein_tallies, rein_tallies + by);
}

static void tally_free(struct rein_tally *tally)
{
	free_percpu(tally->packets);
	kfree(tally);
}

static void tally_free_rcu(struct rcu_head *rcu)
{
	tally_free(container_of(rcu, struct rein_tally, rcu));
}

static struct rein_tally *tally_new(const struct tally_key *key, int level)
{
	struct rein_tally *tally = kzalloc(sizeof(*tally), GFP_KERNEL_ACCOUNT);

	if (!tally)
		return NULL;
	tally->packets = alloc_percpu_gfp(unsigned long, GFP_KERNEL_ACCOUNT);
	if (!tally->packets) {
		kfree(tally);
		return NULL;
	}
	tally->key = *key;
	tally->level = level;
	if (!rhashtable_insert_fast(&tallies, &tally->hash, params))
		return tally;
	tally_free(tally);
	return NULL;
}

static struct rein_tally *get_locked(const struct tally_key *key, int level)
{
	struct rein_tally *tally = rhashtable_lookup_fast(&tallies, key, params);

	if (!tally) {
		if (rein_hook_need(rein_hook_needed() | BIT(key->resource)))
			goto err_hook;
		tally = tally_new(key, level);
		if (!tally)
			goto err_hook;
		enlist(tally, 1);
	}
	tally->users++;
	return tally;

err_hook:
	rein_target_unhook();
	return NULL;
}

static struct rein_tally *tally_get(const struct tally_key *key, int level)
{
	struct rein_tally *tally;

	mutex_lock(&rein_mutex);
	tally = get_locked(key, level);
	mutex_unlock(&rein_mutex);
	return tally;
}

static void tally_put(struct rein_tally *tally)
{
	if (!tally)
		return;
	mutex_lock(&rein_mutex);
	if (!--tally->users) {
		rhashtable_remove_fast(&tallies, &tally->hash, params);
		enlist(tally, -1);
		call_rcu(&tally->rcu, tally_free_rcu);
		rein_target_unhook();
	}
	mutex_unlock(&rein_mutex);
}

static unsigned long tally_read(const struct rein_tally *tally)
{
	unsigned long packets = 0;
	int cpu;

	if (!tally)
		return 0;
	for_each_possible_cpu(cpu)
		packets += READ_ONCE(*per_cpu_ptr(tally->packets, cpu));
	return packets;
}

static int charge(struct rein_traffic *traffic)
{
	int err;

	if (rein_is_trusted())
		return 0;
	traffic->payer = current_uid();
	err = rein_own_charge(traffic->payer);
	traffic->charged = !err;
	return err;
}

/**
 * rein_traffic_get() - count packets, or share the count of them
 * @traffic:	zeroed; filled in
 * @cgrp:	whose, with all below it; it is there as long as this
 * @sk:		whose instead, or NULL; likewise
 * @out:	those that are sent
 * @in:		those that are received; one or both
 *
 * Context: the task that wants to; may sleep; takes rein_mutex.
 *
 * Return: 0; -EDQUOT: the user may count no more; or -ENOMEM. Then there is nothing to undo.
 */
int rein_traffic_get(struct rein_traffic *traffic, struct cgroup *cgrp,
		     struct sock *sk, bool out, bool in)
{
	struct tally_key key = key_of(cgrp, sk);
	const int level = sk ? 0 : level_of(cgrp);
	/* Before there are hooks: they are what he may not cause. */
	int err = charge(traffic);

	if (err)
		return err;
	key.resource = REIN_RESOURCE_EGRESS;
	if (out)
		traffic->out = tally_get(&key, level);
	key.resource = REIN_RESOURCE_INGRESS;
	if (in)
		traffic->in = tally_get(&key, level);
	if (out != !!traffic->out || in != !!traffic->in) {
		rein_traffic_put(traffic);
		return -ENOMEM;
	}
	traffic->seen = rein_traffic_read(traffic);
	return 0;
}

/**
 * rein_traffic_put() - undo rein_traffic_get()
 * @traffic:	the traffic, or zeroed, which it is then
 *
 * Context: may sleep; takes rein_mutex.
 */
void rein_traffic_put(struct rein_traffic *traffic)
{
	tally_put(traffic->out);
	tally_put(traffic->in);
	if (traffic->charged)
		rein_own_uncharge(traffic->payer);
	*traffic = (struct rein_traffic){ };
}

/**
 * rein_traffic_read() - how many packets there were
 * @traffic:	the traffic
 *
 * Context: any.
 *
 * Return: so many since the first one began to count them; it begins anew when it is full.
 */
unsigned long rein_traffic_read(const struct rein_traffic *traffic)
{
	return tally_read(traffic->out) + tally_read(traffic->in);
}

/**
 * rein_traffic_cost() - how much more it is to look at traffic than at anything else
 *
 * Return: so many times as much: each CPU has a count of its own.
 */
unsigned int rein_traffic_cost(void)
{
	return 1 + num_possible_cpus() / 8;
}

/**
 * rein_tally_resources() - what is counted
 *
 * Context: rein_mutex held.
 *
 * Return: a bit for each resource that has a tally.
 */
unsigned int rein_tally_resources(void)
{
	unsigned int counted = 0, i;

	for (i = 0; i < REIN_RESOURCES; i++)
		if (of_resource[i])
			counted |= BIT(i);
	return counted;
}

/* --- the data path ----------------------------------------------------------------- */

static void count(const struct tally_key *key, unsigned long packets)
{
	struct rein_tally *tally = rhashtable_lookup(&tallies, key, params);

	if (tally)
		this_cpu_add(*tally->packets, packets);
}

static void count_cgroup(const struct cgroup *cgrp, enum rein_resource resource,
			 unsigned long packets)
{
	const struct tally_key key = {
		.id = cgroup_id(cgrp),
		.resource = resource,
	};

	count(&key, packets);
}

/* A cgroup, and those above it. */
static void count_cgroups(struct cgroup *cgrp, enum rein_resource resource,
			  unsigned long packets)
{
	unsigned long at = READ_ONCE(levels);
	unsigned int level;

	for_each_set_bit(level, &at, DEEP)
		if (level <= cgrp->level)
			count_cgroup(cgroup_ancestor(cgrp, level), resource,
				     packets);
	if (!(at & BIT(DEEP)))
		return;
	for (; cgrp && cgrp->level >= DEEP; cgrp = cgroup_parent(cgrp))
		count_cgroup(cgrp, resource, packets);
}

/**
 * rein_tally_count() - count a packet: see rein_tally_packet()
 * @sk:		see there
 * @skb:	likewise
 * @resource:	likewise
 */
void rein_tally_count(const struct sock *sk, const struct sk_buff *skb,
		      enum rein_resource resource)
{
	struct tally_key key = {
		.resource = resource,
		.is_socket = true,
	};
	u64 cost[REIN_UNITS];

	rein_packet_cost(skb, cost);
	count_cgroups(rein_socket_cgroup(sk), resource,
		      cost[REIN_UNIT_PACKETS]);
	if (!READ_ONCE(of_sockets))
		return;
	/* One without a cookie has no tally: getting that makes it one. */
	key.id = atomic64_read(&sk->sk_cookie);
	if (key.id)
		count(&key, cost[REIN_UNIT_PACKETS]);
}

/**
 * rein_tally_init() - make the table
 *
 * Return: 0 or -ENOMEM.
 */
int rein_tally_init(void)
{
	return rhashtable_init(&tallies, &params);
}

/**
 * rein_tally_exit() - undo rein_tally_init()
 *
 * Context: there is none any more, and hooks are gone.
 */
void rein_tally_exit(void)
{
	WARN_ON(rein_tallies);
	/* They are freed by RCU callbacks in this module. */
	rcu_barrier();
	rhashtable_destroy(&tallies);
}
