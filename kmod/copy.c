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
#include "record.h"
#include "socket.h"
#include "target.h"

/* So many sockets may ask at once; who finds no place asks with the next packet. */
#define ASKS		256
#define ASKED_BITS	10

/* So many are seen to in one go. */
#define BATCH		64

/* How long one that could have no copy keeps from asking again. */
#define AGAIN		max(1, HZ / 10)

static unsigned int copies = 16384;
module_param(copies, uint, 0644);
MODULE_PARM_DESC(copies, "how many sockets, in all, may have buckets of their own by limits that are per socket (default: 16384)");

static bool told;	/* that there are too many; rein_mutex */

static DEFINE_KFIFO(asks, struct sock *, ASKS);
static DEFINE_SPINLOCK(asks_lock);
/* Those who have asked, by a hash: others who have the same wait for longer. */
static DECLARE_BITMAP(asked, 1 << ASKED_BITS);

static void make(struct work_struct *work);
static DECLARE_WORK(make_work, make);
static void again(struct work_struct *work);
static DECLARE_DELAYED_WORK(again_work, again);

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

/* Once, until there is place again. */
static bool too_many(struct rein_limit *limit)
{
	if (rein_limit_copies() < READ_ONCE(copies)) {
		told = false;
		return false;
	}
	if (!told)
		rein_record_limit(limit, REIN_E_COPIES_MANY, REIN_SITE,
				  "more sockets than may have buckets of their own: the rest share the limit's");
	told = true;
	return true;
}

/* A copy of each limit that the socket lacks one of. Returns whether it has all. */
static bool make_for(const struct rein_at *at, enum rein_resource resource)
{
	struct rein_limit *limit;

	while ((limit = rein_target_uncopied(at, resource)))
		if (too_many(limit) || rein_limit_copy(limit, at))
			return false;
	return true;
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
