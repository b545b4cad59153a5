// SPDX-License-Identifier: GPL-2.0
/*
 * Copies, of limits that are per socket. See copy.h.
 */
#include <linux/bitmap.h>
#include <linux/cgroup.h>
#include <linux/hash.h>
#include <linux/kfifo.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>
#include <net/sock.h>

#include "copy.h"
#include "limit.h"
#include "queue.h"
#include "record.h"
#include "socket.h"
#include "spec.h"
#include "target.h"

/* So many sockets may ask at once; who finds no place asks with the next packet. */
#define ASKS		256
/* Of so many that who can have none and asks again and again keeps next to nobody else out. */
#define ASKED_BITS	16

/* So many are seen to in one go. */
#define BATCH		64

/* How long one that could have no copy keeps from asking again. */
#define AGAIN		max(1, HZ / 10)

static unsigned int copies = 32768;
module_param(copies, uint, 0644);
MODULE_PARM_DESC(copies, "how many sockets, in all, may have buckets of their own by limits that are per socket, of which one limit may have as many as it leaves others (default: 32768)");

static unsigned int n_copies;	/* rein_mutex */

static DEFINE_KFIFO(asks, struct sock *, ASKS);
static DEFINE_SPINLOCK(asks_lock);
/* Those who have asked, by a hash: others who have the same wait for longer. */
static DECLARE_BITMAP(asked, 1 << ASKED_BITS);

static void make(struct work_struct *work);
static DECLARE_WORK(make_work, make);
static void again(struct work_struct *work);
static DECLARE_DELAYED_WORK(again_work, again);

/* --- what they are ------------------------------------------------------------ */

static void spec_of(struct rein_limit_spec *spec, const struct rein_limit *limit)
{
	unsigned int i;

	*spec = (struct rein_limit_spec){
		.name = limit->name,
		.trusted = true,
		.per_socket = true,
		.copy = true,
		.has_resource = true,
		.resource = limit->resource,
		.has_over = true,
		.over = limit->over,
		.has_patience = limit->own_patience,
		.patience_ns = limit->patience_ns,
		.has_queue = limit->own_queue,
		.queue = limit->queue,
		.n_tiers = limit->n_tiers,
	};
	for (i = 0; i < limit->n_tiers; i++)
		spec->tiers[i] = limit->tiers[i];
}

static struct rein_limit *copy_new(struct rein_limit *limit)
{
	struct rein_limit_spec *spec = kmalloc(sizeof(*spec), GFP_NOWAIT | __GFP_NOWARN);
	struct rein_limit *copy;

	if (!spec)
		return NULL;
	spec_of(spec, limit);
	copy = rein_limit_new(spec);
	kfree(spec);
	if (!copy)
		return NULL;
	copy->per_socket = false;
	copy->origin = limit;
	return copy;
}

/* It begins with full buckets, and from then on is in the limit's place for this socket. */
static int copy_make(struct rein_limit *limit, const struct rein_at *at)
{
	struct rein_limit *copy = copy_new(limit);
	int err = -ENOMEM;

	if (copy)
		err = rein_limit_attach(copy, at, REIN_GFP_COPY);
	if (copy && err)
		rein_limit_free(copy);
	return err;
}

static void stats_add(struct rein_count stats[REIN_STATS], struct rein_limit *copy)
{
	unsigned int i;

	spin_lock_bh(&copy->lock);
	for (i = 0; i < REIN_STATS; i++) {
		stats[i].packets += copy->stats[i].packets;
		stats[i].bytes += copy->stats[i].bytes;
	}
	spin_unlock_bh(&copy->lock);
}

/**
 * rein_copy_stats() - what the copies of a limit have counted
 * @limit:	the limit
 * @stats:	is added to
 *
 * Those that have gone are in its own counters.
 *
 * Context: may sleep; rein_mutex held.
 */
void rein_copy_stats(const struct rein_limit *limit, struct rein_count *stats)
{
	struct rein_limit *copy;

	list_for_each_entry(copy, &limit->copies, copy) {
		stats_add(stats, copy);
		cond_resched();
	}
}

static void count_add(struct rein_limit *limit, unsigned int stat, s64 packets, s64 bytes)
{
	struct rein_count *count = &limit->stats[stat];

	WRITE_ONCE(count->packets, count->packets + packets);
	WRITE_ONCE(count->bytes, count->bytes + bytes);
}

static void count_waiting(struct rein_limit *limit, s64 packets, s64 bytes)
{
	spin_lock_bh(&limit->lock);
	count_add(limit, REIN_STAT(SEEN), packets, bytes);
	count_add(limit, REIN_STAT(QUEUED), packets, bytes);
	spin_unlock_bh(&limit->lock);
}

/**
 * rein_copy_inherit() - what waits at a socket is the copy's from here on
 * @copy:	the copy
 *
 * It was seen and queued by what this is a copy of.
 *
 * Context: rein_mutex held, and the lock of its target's tree.
 */
void rein_copy_inherit(struct rein_limit *copy)
{
	struct rein_limit *limit = copy->origin;
	struct rein_count waiting;

	waiting = rein_queue_waiting(copy->target, limit->born);
	count_waiting(limit, -waiting.packets, -waiting.bytes);
	count_waiting(copy, waiting.packets, waiting.bytes);
	list_add(&copy->copy, &limit->copies);
	limit->n_copies++;
	n_copies++;
}

/**
 * rein_copy_bequeath() - what a copy has counted is the limit's from here on
 * @copy:	the copy, which nobody finds any more
 *
 * Context: rein_mutex held, and the lock of its target's tree.
 */
void rein_copy_bequeath(struct rein_limit *copy)
{
	struct rein_count stats[REIN_STATS] = { };
	struct rein_limit *limit = copy->origin;
	unsigned int i;

	stats_add(stats, copy);
	spin_lock_bh(&limit->lock);
	for (i = 0; i < REIN_STATS; i++)
		count_add(limit, i, stats[i].packets, stats[i].bytes);
	spin_unlock_bh(&limit->lock);
	list_del(&copy->copy);
	limit->n_copies--;
	n_copies--;
}

/* --- who gets one ------------------------------------------------------------- */

static unsigned int bit_of(const struct sock *sk)
{
	return hash_ptr(sk, ASKED_BITS);
}

static bool ask(struct sock *sk)
{
	bool fits;

	spin_lock_bh(&asks_lock);
	fits = kfifo_put(&asks, sk);
	spin_unlock_bh(&asks_lock);
	return fits;
}

/**
 * rein_copy_ask() - a socket meets a limit per socket that it has no copy of
 * @sk:		the socket, a full one
 *
 * It will soon have, unless there are too many.
 *
 * Context: any but hard interrupts; never sleeps, never allocates.
 */
void rein_copy_ask(struct sock *sk)
{
	unsigned int bit = bit_of(sk);

	if (kfifo_is_full(&asks) || !rein_socket_counted(sk, false) ||
	    test_bit(bit, asked) || test_and_set_bit(bit, asked))
		return;
	if (refcount_inc_not_zero(&sk->sk_refcnt)) {
		if (ask(sk)) {
			queue_work(system_power_efficient_wq, &make_work);
			return;
		}
		sock_put(sk);
	}
	clear_bit(bit, asked);
}

static struct sock *next_ask(void)
{
	struct sock *sk;
	bool any;

	spin_lock_bh(&asks_lock);
	any = kfifo_get(&asks, &sk);
	spin_unlock_bh(&asks_lock);
	return any ? sk : NULL;
}

/*
 * May a limit have one more? No more than are left for others (Choudhury and Hahne's dynamic
 * thresholds), so that who opens many sockets under one limit takes none from another.
 */
static bool too_many(const struct rein_limit *limit, unsigned int most)
{
	return n_copies >= most || limit->n_copies >= most - n_copies;
}

/* Recorded once, until there is place for an eighth more again. */
static bool has_place(struct rein_limit *limit)
{
	const unsigned int most = READ_ONCE(copies);

	if (!too_many(limit, most)) {
		if (!too_many(limit, most - most / 8))
			limit->crowded = false;
		return true;
	}
	if (!limit->crowded)
		rein_record_limit(limit, REIN_E_COPIES_MANY, REIN_SITE,
				  "more sockets than may have buckets of their own: the rest share the limit's");
	limit->crowded = true;
	return false;
}

/* A copy of each limit that the socket lacks one of. Returns whether it has all. */
static bool make_for(const struct rein_at *at, enum rein_resource resource)
{
	struct rein_limit *limit;
	unsigned int failed = 0;

	while ((limit = rein_target_uncopied(at, resource, failed)))
		if (!has_place(limit) || copy_make(limit, at))
			failed++;
	return !failed;
}

static bool make_all(struct sock *sk)
{
	const struct rein_at at = { .cgrp = rein_socket_cgroup(sk), .sk = sk };
	bool all;

	if (rein_socket_gone(sk))
		return true;
	all = make_for(&at, REIN_RESOURCE_EGRESS);
	return make_for(&at, REIN_RESOURCE_INGRESS) && all;
}

#ifdef CONFIG_MEMCG
/* The memory that copies take is that of whoever made the socket. */
static bool make_charged(struct sock *sk)
{
	struct cgroup_subsys_state *css;
	struct mem_cgroup *before;
	bool all;

	css = cgroup_get_e_css(rein_socket_cgroup(sk), &memory_cgrp_subsys);
	before = set_active_memcg(mem_cgroup_from_css(css));
	all = make_all(sk);
	set_active_memcg(before);
	css_put(css);
	return all;
}
#else
static bool make_charged(struct sock *sk)
{
	return make_all(sk);
}
#endif

static void make(struct work_struct *work)
{
	unsigned int n = 0;
	struct sock *sk;

	while ((sk = next_ask())) {
		mutex_lock(&rein_mutex);
		if (make_charged(sk))
			clear_bit(bit_of(sk), asked);
		else
			queue_delayed_work(system_power_efficient_wq, &again_work,
					   AGAIN);
		mutex_unlock(&rein_mutex);
		sock_put(sk);
		/* Others have work for this CPU, too. */
		if (++n == BATCH) {
			queue_work(system_power_efficient_wq, &make_work);
			break;
		}
		cond_resched();
	}
}

/* Those who could have none may ask again. */
static void again(struct work_struct *work)
{
	unsigned int bit;

	for (bit = 0; bit < 1 << ASKED_BITS; bit++)
		clear_bit(bit, asked);
}

/**
 * rein_copy_exit() - drop who still asks
 *
 * Context: hooks are gone, so nobody asks any more.
 */
void rein_copy_exit(void)
{
	struct sock *sk;

	cancel_work_sync(&make_work);
	cancel_delayed_work_sync(&again_work);
	while ((sk = next_ask()))
		sock_put(sk);
}
