// SPDX-License-Identifier: GPL-2.0
/*
 * The queue: packets into waiting rooms and out of them. See queue.h.
 */
#include <linux/cgroup.h>
#include <linux/hrtimer.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <net/inet_sock.h>
#include <net/sock.h>

#include "admit.h"
#include "hook.h"
#include "queue.h"
#include "record.h"
#include "target.h"

/* Most packets the timer lets go before others get the CPU. */
#define TIMER_BUDGET		64

/* What becomes of a packet whose turn it is. */
enum fate {
	FATE_RELEASED,
	FATE_REFUSED,
	FATE_STALE,
	FATE_TEARDOWN,
};

static struct kmem_cache *held_cache;

/* --- going in --------------------------------------------------------------- */

/*
 * The least time until a packet at the end of @flow could go: never said of
 * an empty flow, whose packet may be next.
 */
static struct rein_limit *flow_impatient(const struct rein_flow *flow,
					 const struct rein_chain *chain,
					 u64 *wait)
{
	unsigned int i;

	if (!flow->number)
		return NULL;
	for (i = 0; i < chain->n; i++) {
		struct rein_limit *limit = chain->limits[i];

		if (READ_ONCE(limit->over) != REIN_OVER_WAIT)
			continue;
		spin_lock_bh(&limit->lock);
		*wait = rein_limit_time(limit, flow->bytes, flow->number);
		spin_unlock_bh(&limit->lock);
		if (*wait > READ_ONCE(limit->patience_ns))
			return limit;
	}
	return NULL;
}

/*
 * Is there room? Under each limit a flow, and below an ancestor a child, may
 * hold no more than what is still free (Choudhury and Hahne's dynamic
 * thresholds), so that nobody can fill the room and lock the others out.
 */
static struct rein_limit *flow_overflows(const struct rein_flow *flow,
					 const struct rein_chain *chain,
					 u32 bytes)
{
	const struct rein_room *room = flow->room, *branch = room;
	u64 mine, queue, used;
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		struct rein_limit *limit = chain->limits[i];

		if (READ_ONCE(limit->over) != REIN_OVER_WAIT)
			continue;
		while (room->parent && room != &limit->target->room) {
			branch = room;
			room = room->parent;
		}
		/* A branch that is alone in there leaves nobody out. */
		mine = branch->bytes < room->bytes ? branch->bytes : 0;
		mine = max(mine, flow->bytes);
		queue = READ_ONCE(limit->queue);
		used = READ_ONCE(limit->stats[REIN_STAT(QUEUED)].bytes);
		/* However large a packet is, it can wait if nobody else does. */
		if (!used)
			continue;
		if (used + bytes > queue || mine + bytes > queue - used)
			return limit;
	}
	return NULL;
}

static void record_drop(struct rein_limit *limit, enum rein_fold fold,
			const struct sk_buff *skb, u16 family, u32 bytes,
			u64 number, const char *name, const char *unit,
			const struct rein_site *site)
{
	struct rein_value value[REIN_RECORD_VALUES] = {
		{ "wanted", "bytes", bytes },
		{ name, unit, number },
	};

	rein_record_packet(limit, fold, skb, family, value, site);
}

/* A limit to name when it is nobody's fault in particular. */
static struct rein_limit *chain_waiter(const struct rein_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		if (READ_ONCE(chain->limits[i]->over) == REIN_OVER_WAIT)
			return chain->limits[i];
	return chain->limits[0];
}

static void hold_link(struct rein_tree *tree, struct rein_flow *flow,
		      struct rein_held *held)
{
	struct rein_room *room = flow->room;

	list_add_tail(&held->list, &flow->packets);
	flow->bytes += held->bytes;
	flow->number += held->packets;
	rein_room_account(room, held->bytes, held->packets);
	if (!room->target->room.held++)
		list_add_tail(&room->target->room.occupied, &tree->occupied);

	rein_flow_join(tree, flow);
}

static int drop_nomem(const struct rein_chain *chain,
		      const struct rein_request *req, struct sk_buff *skb,
		      u16 family)
{
	rein_admit_count(chain, req, REIN_STAT(NOMEM));
	record_drop(chain_waiter(chain), REIN_FOLD_NOMEM, skb, family,
		    req->cost[REIN_UNIT_BYTES], 0, NULL, NULL, REIN_SITE);
	return -ENOMEM;
}

/**
 * rein_queue_hold() - let a packet wait
 * @target:	where it entered the chain
 * @cgrp:	cgroup of its socket
 * @chain:	its limits
 * @req:	what it costs, and when it came
 * @skb:	the packet; its dst must be refcounted
 * @state:	where it is on its way through netfilter
 *
 * On success the packet belongs to the room. Whatever the outcome, but for
 * -EAGAIN, the packet has been counted and, if need be, recorded.
 *
 * Context: RCU read side; takes the tree's lock.
 *
 * Return: 0; -EAGAIN if the target was just removed: look it up again;
 * -ETIME if it would wait longer than its patience; -ENOBUFS if there is no
 * room; -ENOMEM; -ENETDOWN if its device or socket is going away.
 */
int rein_queue_hold(struct rein_target *target, struct cgroup *cgrp,
		    const struct rein_chain *chain, struct rein_request *req,
		   struct sk_buff *skb, const struct nf_hook_state *state)
{
	u32 bytes = req->cost[REIN_UNIT_BYTES];
	u16 family = state->pf;
	struct rein_limit *limit;
	struct rein_held *held;
	struct rein_flow *flow;
	struct rein_tree *tree;
	u64 wait = 0;
	int err;

	held = kmem_cache_alloc(held_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!held)
		return drop_nomem(chain, req, skb, family);
	held->skb = skb;
	held->state = *state;
	held->dev = skb->dev;
	held->arrived = req->now;
	held->gen = chain->gen;
	held->bytes = bytes;
	held->packets = req->cost[REIN_UNIT_PACKETS];

	tree = rein_tree_lock(target);
	if (!tree) {
		kmem_cache_free(held_cache, held);
		return -EAGAIN;
	}

	flow = rein_flow_get(tree, target, cgrp, skb_to_full_sk(skb));
	if (!flow) {
		rein_tree_unlock(tree);
		kmem_cache_free(held_cache, held);
		return drop_nomem(chain, req, skb, family);
	}

	limit = flow_impatient(flow, chain, &wait);
	if (limit) {
		rein_tree_unlock(tree);
		kmem_cache_free(held_cache, held);
		rein_admit_count(chain, req, REIN_STAT(REFUSED));
		record_drop(limit, REIN_FOLD_IMPATIENT, skb, family, bytes,
			    wait, "wait", "ns", REIN_SITE);
		return -ETIME;
	}

	limit = flow_overflows(flow, chain, bytes);
	if (limit) {
		rein_flow_put(tree, flow);
		rein_tree_unlock(tree);
		kmem_cache_free(held_cache, held);
		rein_admit_count(chain, req, REIN_STAT(OVERFLOW));
		record_drop(limit, REIN_FOLD_OVERFLOW, skb, family, bytes,
			    READ_ONCE(limit->queue), "queue", "bytes",
			    REIN_SITE);
		return -ENOBUFS;
	}

	/* Under the lock, so that a flush of the device can't miss it. */
	err = rein_hook_hold(held) ? 0 : -ENETDOWN;
	if (err) {
		rein_flow_put(tree, flow);
		rein_admit_count(chain, req, REIN_STAT(TEARDOWN));
		record_drop(chain_waiter(chain), REIN_FOLD_TEARDOWN, skb,
			    family, bytes, 0, NULL, NULL, REIN_SITE);
		kmem_cache_free(held_cache, held);
	} else {
		rein_admit_count(chain, req, REIN_STAT(QUEUED));
		hold_link(tree, flow, held);
		rein_tree_arm(tree);
	}
	rein_tree_unlock(tree);
	return err;
}

/* --- going out -------------------------------------------------------------- */

static void held_request(const struct rein_held *held, u64 now,
			 struct rein_request *req)
{
	*req = (struct rein_request){
		.cost[REIN_UNIT_BYTES] = held->bytes,
		.cost[REIN_UNIT_PACKETS] = held->packets,
		.now = now,
		.may_debt = true,
		.ecn = rein_hook_ecn(held->skb, held->state.pf),
		.waited = true,
		.gen = held->gen,
	};
}

static u64 chain_patience(const struct rein_chain *chain)
{
	u64 patience = U64_MAX;
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		if (READ_ONCE(chain->limits[i]->over) == REIN_OVER_WAIT)
			patience = min(patience,
				       READ_ONCE(chain->limits[i]->patience_ns));
	return patience;
}

static bool held_stale(const struct rein_held *held,
		       const struct rein_chain *chain, u64 now)
{
	u64 patience = chain_patience(chain);

	return now > held->arrived && now - held->arrived > patience;
}

/* Take a packet out of its flow, and what it cost from everybody's turn. */
static void held_unlink(struct rein_flow *flow, struct rein_held *held,
			bool spent)
{
	struct rein_room *room = flow->room;
	u64 cost[REIN_UNITS] = {
		[REIN_UNIT_BYTES] = held->bytes,
		[REIN_UNIT_PACKETS] = held->packets,
	};

	list_del(&held->list);
	flow->bytes -= held->bytes;
	flow->number -= held->packets;
	rein_room_account(room, -(s64)held->bytes, -(s64)held->packets);
	if (!--room->target->room.held)
		list_del_init(&room->target->room.occupied);

	if (spent)
		rein_flow_spend(flow, cost);
}

static void held_record(const struct rein_held *held, enum fate fate,
			struct rein_limit *by, u64 now)
{
	static const enum rein_fold folds[] = {
		[FATE_REFUSED] = REIN_FOLD_REFUSED,
		[FATE_STALE] = REIN_FOLD_STALE,
		[FATE_TEARDOWN] = REIN_FOLD_TEARDOWN,
	};

	record_drop(by, folds[fate], held->skb, held->state.pf, held->bytes,
		    now - held->arrived, "waited", "ns", REIN_SITE);
}

/*
 * The next packet that is to leave, and how; NULL if nobody can go now. Rooms
 * whose limits have no tokens for whose turn it is are blocked on the way.
 */
static struct rein_held *tree_next(struct rein_tree *tree, u64 now,
				   enum fate *fate)
{
	struct rein_verdict verdict;
	struct rein_request req;
	struct rein_chain chain;
	struct rein_held *held;
	struct rein_flow *flow;

	while ((flow = rein_tree_pick(tree))) {
		struct rein_limit *by = NULL;

		held = list_first_entry(&flow->packets, struct rein_held, list);
		rein_chain_collect(&chain, flow->room->target,
				   REIN_RESOURCE_EGRESS);
		held_request(held, now, &req);

		if (!chain.n) {
			rein_admit_count(&chain, &req, REIN_STAT(RELEASED));
			*fate = FATE_RELEASED;
		} else if (held_stale(held, &chain, now)) {
			rein_admit_count(&chain, &req, REIN_STAT(STALE));
			by = chain_waiter(&chain);
			*fate = FATE_STALE;
		} else {
			rein_admit(&chain, &req, &verdict);
			by = verdict.lack.limit;
			if (verdict.decision == REIN_WAIT) {
				rein_room_block(tree, &by->target->room,
						verdict.lack.when);
				continue;
			}
			*fate = verdict.decision == REIN_GO ? FATE_RELEASED :
							      FATE_REFUSED;
			if (verdict.mark)
				rein_hook_mark(held->skb, held->state.pf);
		}
		held_unlink(flow, held, *fate == FATE_RELEASED);
		if (*fate != FATE_RELEASED)
			held_record(held, *fate, by, now);
		else if (chain.n && verdict.observed.limit)
			rein_hook_record(&verdict.observed, REIN_FOLD_OBSERVED,
					 held->skb, held->state.pf, now);
		return held;
	}
	return NULL;
}

static void held_settle(struct rein_held *held, enum fate fate)
{
	if (fate == FATE_RELEASED)
		rein_hook_resume(held);
	else
		rein_hook_drop(held);
	kmem_cache_free(held_cache, held);
}

/* Drop the packets of a flow that match. Returns whether there were any. */
static bool flow_drop(struct rein_flow *flow, const struct rein_chain *chain,
		      rein_match_fn match, const void *what, enum fate fate,
		      struct list_head *dropped)
{
	unsigned int stat = fate == FATE_STALE ? REIN_STAT(STALE) :
						 REIN_STAT(TEARDOWN);
	struct rein_held *held, *next;
	u64 now = ktime_get_ns();
	struct rein_request req;
	bool any = false;

	list_for_each_entry_safe(held, next, &flow->packets, list) {
		if (!match(held, what)) {
			/* Those behind a fresh one came later. */
			if (fate == FATE_STALE)
				break;
			continue;
		}
		held_request(held, now, &req);
		rein_admit_count(chain, &req, stat);
		held_unlink(flow, held, false);
		if (chain->n)
			held_record(held, fate, chain_waiter(chain), now);
		list_add_tail(&held->list, dropped);
		any = true;
	}
	return any;
}

/*
 * Drop the packets of a room that match. Flows that run empty are taken away
 * when their turn comes; those who were behind them may be able to go now.
 */
static void room_drop(struct rein_tree *tree, struct rein_room *room,
		      rein_match_fn match, const void *what, enum fate fate,
		      struct list_head *dropped)
{
	struct rein_chain chain;
	struct rb_node *c, *f;
	bool any = false;

	rein_chain_collect(&chain, room->target, REIN_RESOURCE_EGRESS);
	for (c = rb_first(&room->classes); c; c = rb_next(c)) {
		struct rein_room *class = rb_entry(c, struct rein_room, node);

		for (f = rb_first(&class->flows); f; f = rb_next(f))
			any |= flow_drop(rb_entry(f, struct rein_flow, node),
					 &chain, match, what, fate, dropped);
	}
	if (any)
		rein_room_unblock(tree, room);
}

static void dropped_free(struct list_head *dropped)
{
	struct rein_held *held, *next;

	list_for_each_entry_safe(held, next, dropped, list)
		held_settle(held, FATE_TEARDOWN);
}

static bool held_before(const struct rein_held *held, const void *what)
{
	const u64 *when = what;

	return held->arrived < *when;
}

/* Drop what has outlived its patience in rooms whose turn is not yet. */
static void tree_sweep(struct rein_tree *tree, u64 now,
		       struct list_head *dropped)
{
	struct rein_room *room, *next;
	struct rein_chain chain;
	u64 patience, before;

	if (now - tree->swept < REIN_SWEEP_NS)
		return;
	tree->swept = now;
	list_for_each_entry_safe(room, next, &tree->occupied, occupied) {
		rein_chain_collect(&chain, room->target, REIN_RESOURCE_EGRESS);
		patience = chain_patience(&chain);
		if (patience >= now)
			continue;
		before = now - patience;
		room_drop(tree, room, held_before, &before, FATE_STALE,
			  dropped);
	}
}

/**
 * rein_queue_timer() - let packets go, as far as there are tokens
 * @timer:	of a tree
 *
 * Context: soft interrupt; never runs twice at the same time for a tree.
 *
 * Return: HRTIMER_NORESTART: it is armed anew as needed.
 */
enum hrtimer_restart rein_queue_timer(struct hrtimer *timer)
{
	struct rein_tree *tree = container_of(timer, struct rein_tree, timer);
	unsigned int budget = TIMER_BUDGET;
	struct rein_held *held;
	LIST_HEAD(dropped);
	enum fate fate;
	u64 now;

	rcu_read_lock();
	spin_lock_bh(&tree->lock);
	now = ktime_get_ns();
	tree_sweep(tree, now, &dropped);
	rein_tree_wake(tree, now);
	/*
	 * One at a time, with the lock dropped: a flow stays in its room's
	 * round robin until its packet has left, so nobody overtakes it.
	 */
	while (budget-- && (held = tree_next(tree, now, &fate))) {
		spin_unlock_bh(&tree->lock);
		held_settle(held, fate);
		spin_lock_bh(&tree->lock);
	}
	rein_tree_arm(tree);
	spin_unlock_bh(&tree->lock);
	dropped_free(&dropped);
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

/**
 * rein_queue_flush() - drop waiting packets
 * @target:	of this target's room
 * @match:	those for which this is true
 * @what:	handed to @match
 *
 * Context: any but hard interrupts.
 */
void rein_queue_flush(struct rein_target *target, rein_match_fn match,
		      const void *what)
{
	struct rein_tree *tree;
	LIST_HEAD(dropped);

	rcu_read_lock();
	tree = rein_tree_lock(target);
	if (tree) {
		room_drop(tree, &target->room, match, what, FATE_TEARDOWN,
			  &dropped);
		rein_tree_arm(tree);
		rein_tree_unlock(tree);
	}
	rcu_read_unlock();
	dropped_free(&dropped);
}

/**
 * rein_queue_init() - make the caches
 *
 * Return: 0 or -ENOMEM.
 */
int rein_queue_init(void)
{
	held_cache = KMEM_CACHE(rein_held, SLAB_ACCOUNT);
	return held_cache ? 0 : -ENOMEM;
}

/**
 * rein_queue_exit() - free the caches
 */
void rein_queue_exit(void)
{
	kmem_cache_destroy(held_cache);
}
