// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting rooms. See queue.h.
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

/* What a turn is worth: a few segments, or a packet. */
#define QUANTUM_BYTES		4096
#define QUANTUM_PACKETS		1

/* Most packets the timer lets go before others get the CPU. */
#define TIMER_BUDGET		64

/* How long a packet may outlive its patience. */
#define SWEEP_NS		(100 * NSEC_PER_MSEC)

/**
 * struct rein_tree - rooms that share limits
 * @lock:	guards all rooms of the tree and what is in them
 * @timer:	lets packets go
 * @sleepers:	blocked rooms, by when to look again
 * @occupied:	targets' rooms that packets wait in
 * @ground:	the room that topmost rooms take turns in
 * @swept:	when stale packets were last looked for
 * @targets:	how many targets' rooms there are; rein_mutex
 * @rcu:	to free it
 */
struct rein_tree {
	spinlock_t lock;
	struct hrtimer timer;
	struct timerqueue_head sleepers;
	struct list_head occupied;
	struct rein_room ground;
	u64 swept;
	unsigned int targets;
	struct rcu_head rcu;
};

/**
 * struct rein_flow - what one socket has waiting in a room
 * @turn:	its place in @room
 * @node:	in the room's flows
 * @room:	the room
 * @sk:		whose packets; a key, not to be followed
 * @packets:	the packets, oldest first
 * @bytes:	what they cost
 * @number:	what they cost
 */
struct rein_flow {
	struct rein_turn turn;
	struct rb_node node;
	struct rein_room *room;
	const struct sock *sk;
	struct list_head packets;
	u64 bytes;
	u64 number;
};

/* What becomes of a packet whose turn it is. */
enum fate {
	FATE_RELEASED,
	FATE_REFUSED,
	FATE_STALE,
	FATE_TEARDOWN,
};

static struct kmem_cache *held_cache;
static struct kmem_cache *flow_cache;
static struct kmem_cache *room_cache;

/* --- rooms: places and turns ------------------------------------------- */

static void turn_init(struct rein_turn *turn, bool is_room)
{
	INIT_LIST_HEAD(&turn->link);
	turn->deficit = 0;
	turn->is_room = is_room;
	turn->is_new = true;
}

static void room_init(struct rein_room *room, struct rein_target *target)
{
	memset(room, 0, sizeof(*room));
	turn_init(&room->turn, true);
	room->target = target;
	room->unit = REIN_UNIT_BYTES;
	room->classes = RB_ROOT;
	room->flows = RB_ROOT;
	INIT_LIST_HEAD(&room->news);
	INIT_LIST_HEAD(&room->olds);
	timerqueue_init(&room->wakeup);
	INIT_LIST_HEAD(&room->occupied);
}

static struct rein_room *turn_room(struct rein_turn *turn)
{
	return container_of(turn, struct rein_room, turn);
}

static struct rein_flow *turn_flow(struct rein_turn *turn)
{
	return container_of(turn, struct rein_flow, turn);
}

static s64 room_quantum(const struct rein_room *room)
{
	return room->unit == REIN_UNIT_PACKETS ? QUANTUM_PACKETS :
						 QUANTUM_BYTES;
}

static bool room_active(const struct rein_room *room)
{
	return !list_empty(&room->news) || !list_empty(&room->olds);
}

/* Put a turn into its room's round robin: new ones first, but once only. */
static void turn_join(struct rein_turn *turn, struct rein_room *room)
{
	if (turn->is_new)
		turn->deficit = room_quantum(room);
	list_add_tail(&turn->link, turn->is_new ? &room->news : &room->olds);
}

static void turn_to_olds(struct rein_turn *turn, struct rein_room *room)
{
	turn->is_new = false;
	list_move_tail(&turn->link, &room->olds);
}

static struct rein_turn *room_first(struct rein_room *room)
{
	struct rein_turn *turn;

	turn = list_first_entry_or_null(&room->news, struct rein_turn, link);
	return turn ?: list_first_entry_or_null(&room->olds, struct rein_turn,
						link);
}

/* The share of @room that belongs to the child cgroup @id, made on demand. */
static struct rein_room *room_class(struct rein_room *room, u64 id)
{
	struct rb_node **at = &room->classes.rb_node, *parent = NULL;
	struct rein_room *class;

	while (*at) {
		parent = *at;
		class = rb_entry(parent, struct rein_room, node);
		if (id == class->class_id)
			return class;
		at = id < class->class_id ? &parent->rb_left :
					    &parent->rb_right;
	}
	class = kmem_cache_alloc(room_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!class)
		return NULL;
	room_init(class, room->target);
	class->is_class = true;
	class->class_id = id;
	class->unit = room->unit;
	class->parent = room;
	rb_link_node(&class->node, parent, at);
	rb_insert_color(&class->node, &room->classes);
	return class;
}

/* The class of @target's room that packets of @cgrp wait in. */
static u64 class_id_of(const struct rein_target *target, struct cgroup *cgrp)
{
	struct cgroup *child = cgroup_ancestor(cgrp, target->cgrp->level + 1);

	return cgroup_id(child ?: target->cgrp);
}

static struct rein_flow *room_flow(struct rein_room *room,
				   const struct sock *sk)
{
	struct rb_node **at = &room->flows.rb_node, *parent = NULL;
	struct rein_flow *flow;

	while (*at) {
		parent = *at;
		flow = rb_entry(parent, struct rein_flow, node);
		if (sk == flow->sk)
			return flow;
		at = sk < flow->sk ? &parent->rb_left : &parent->rb_right;
	}
	flow = kmem_cache_alloc(flow_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!flow)
		return NULL;
	turn_init(&flow->turn, false);
	flow->room = room;
	flow->sk = sk;
	INIT_LIST_HEAD(&flow->packets);
	flow->bytes = 0;
	flow->number = 0;
	rb_link_node(&flow->node, parent, at);
	rb_insert_color(&flow->node, &room->flows);
	return flow;
}

static void flow_free(struct rein_flow *flow)
{
	rb_erase(&flow->node, &flow->room->flows);
	kmem_cache_free(flow_cache, flow);
}

/* --- trees ---------------------------------------------------------------- */

/*
 * Lock the tree that the room of @target is part of at this moment: a merge
 * may be moving it. Returns NULL if the room was closed.
 */
static struct rein_tree *tree_lock(struct rein_target *target)
{
	struct rein_tree *tree;

	rcu_read_lock();
	while ((tree = rcu_dereference(target->room.tree))) {
		spin_lock_bh(&tree->lock);
		if (likely(tree == rcu_access_pointer(target->room.tree)))
			break;
		spin_unlock_bh(&tree->lock);
	}
	rcu_read_unlock();
	return tree;
}

static void tree_unlock(struct rein_tree *tree)
{
	spin_unlock_bh(&tree->lock);
}

/* Have the timer's handler run when there is next something to do. */
static void tree_arm(struct rein_tree *tree)
{
	struct timerqueue_node *next = timerqueue_getnext(&tree->sleepers);
	ktime_t when = ns_to_ktime(tree->swept + SWEEP_NS);

	lockdep_assert_held(&tree->lock);
	if (!tree->ground.packets && !room_active(&tree->ground))
		return;
	if (room_active(&tree->ground))
		when = 0;
	else if (next && next->expires < when)
		when = next->expires;
	if (hrtimer_is_queued(&tree->timer) &&
	    hrtimer_get_expires(&tree->timer) <= when)
		return;
	hrtimer_start(&tree->timer, when, HRTIMER_MODE_ABS_SOFT);
}

/*
 * The room above that of a target: that of the parent target, in the class of
 * the child cgroup that leads to it; or the ground.
 */
static struct rein_room *room_above(struct rein_tree *tree,
				    struct rein_target *target)
{
	struct rein_target *parent;
	struct rein_room *class;

	parent = rcu_dereference_protected(target->parent,
					   lockdep_is_held(&tree->lock));
	if (!parent)
		return &tree->ground;
	if (target->cgrp->level == parent->cgrp->level + 1)
		return &parent->room;
	class = room_class(&parent->room, class_id_of(parent, target->cgrp));
	/* Without memory for a class it just shares less finely. */
	return class ?: &parent->room;
}

/* Link a room and those above it into the round robins. */
static void room_activate(struct rein_room *room)
{
	for (; room->parent; room = room->parent) {
		if (room->blocked || !list_empty(&room->turn.link))
			return;
		turn_join(&room->turn, room->parent);
	}
}

static void room_block(struct rein_tree *tree, struct rein_room *room,
		       u64 until)
{
	list_del_init(&room->turn.link);
	room->turn.is_new = false;
	WRITE_ONCE(room->blocked, true);
	room->wakeup.expires = min_t(u64, until, KTIME_MAX);
	timerqueue_add(&tree->sleepers, &room->wakeup);
}

static void room_unblock(struct rein_tree *tree, struct rein_room *room)
{
	timerqueue_del(&tree->sleepers, &room->wakeup);
	WRITE_ONCE(room->blocked, false);
	if (room_active(room))
		room_activate(room);
}

/*
 * If nothing is left in a room, take it off its parent; a class is freed.
 * Returns whether it was.
 */
static bool room_detach(struct rein_tree *tree, struct rein_room *room)
{
	if (room->packets || room_active(room) ||
	    !RB_EMPTY_ROOT(&room->flows))
		return false;

	if (room->blocked)
		room_unblock(tree, room);
	list_del_init(&room->turn.link);
	if (room->is_class) {
		rb_erase(&room->node, &room->parent->classes);
		kmem_cache_free(room_cache, room);
	} else {
		room->turn.is_new = true;
		room->parent = NULL;
	}
	return true;
}

/* Detach a room and those above it, as far as nothing is left in them. */
static void room_prune(struct rein_tree *tree, struct rein_room *room)
{
	struct rein_room *above;

	for (; room && room != &tree->ground; room = above) {
		above = room->parent;
		if (!room_detach(tree, room))
			return;
	}
}

/* Add to, or with a minus take from, what waits in a room and those above. */
static void room_account(struct rein_room *room, s64 bytes, s64 packets)
{
	for (; room; room = room->parent) {
		room->bytes += bytes;
		room->packets += packets;
	}
}

/* Make the way from a target's room to the ground, where it is missing. */
static void room_attach(struct rein_tree *tree, struct rein_target *target)
{
	while (target) {
		if (!target->room.parent)
			target->room.parent = room_above(tree, target);
		target = rcu_dereference_protected(target->parent,
						   lockdep_is_held(&tree->lock));
	}
}

/* --- going in --------------------------------------------------------------- */

/* How long @cost takes at the rates of one limit, from empty. */
static u64 limit_time(struct rein_limit *limit, const u64 cost[REIN_UNITS])
{
	u64 longest = 0;
	unsigned int i;

	spin_lock_bh(&limit->lock);
	for (i = 0; i < limit->n_tiers; i++) {
		const struct rein_tier *tier = &limit->tiers[i];
		struct rein_bucket empty = {
			.rate = tier->bucket.rate,
			.burst = U64_MAX,
		};

		longest = max(longest, rein_bucket_wait(&empty,
							cost[tier->unit],
							true));
	}
	spin_unlock_bh(&limit->lock);
	return longest;
}

/*
 * The least time until a packet at the end of @flow could go: never said of
 * an empty flow, whose packet may be next.
 */
static struct rein_limit *flow_impatient(const struct rein_flow *flow,
					 const struct rein_chain *chain,
					 u64 *wait)
{
	u64 cost[REIN_UNITS] = {
		[REIN_UNIT_BYTES] = flow->bytes,
		[REIN_UNIT_PACKETS] = flow->number,
	};
	unsigned int i;

	if (!flow->number)
		return NULL;
	for (i = 0; i < chain->n; i++) {
		struct rein_limit *limit = chain->limits[i];

		if (READ_ONCE(limit->over) != REIN_OVER_WAIT)
			continue;
		*wait = limit_time(limit, cost);
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
	room_account(room, held->bytes, held->packets);
	if (!room->target->room.held++)
		list_add_tail(&room->target->room.occupied, &tree->occupied);

	if (!list_empty(&flow->turn.link))
		return;
	turn_join(&flow->turn, room);
	room_activate(room);
	/*
	 * A room that is blocked is so for the packet whose turn it was. A new
	 * flow comes first and may want less: look again.
	 */
	for (; room; room = room->parent)
		if (room->blocked)
			room_unblock(tree, room);
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

/* Find or make the flow that a packet is to wait in. */
static struct rein_flow *hold_flow(struct rein_tree *tree,
				   struct rein_target *target,
				   struct cgroup *cgrp, const struct sock *sk)
{
	struct rein_room *class;
	struct rein_flow *flow;

	room_attach(tree, target);
	class = room_class(&target->room, class_id_of(target, cgrp));
	flow = class ? room_flow(class, sk) : NULL;
	if (!flow)
		room_prune(tree, class ?: &target->room);
	return flow;
}

/* Undo hold_flow() for a flow that got nothing to hold. */
static void hold_undo(struct rein_tree *tree, struct rein_flow *flow)
{
	struct rein_room *class = flow->room;

	if (flow->number || !list_empty(&flow->turn.link))
		return;
	flow_free(flow);
	room_prune(tree, class);
}

/**
 * rein_room_hold() - let a packet wait
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
int rein_room_hold(struct rein_target *target, struct cgroup *cgrp,
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

	tree = tree_lock(target);
	if (!tree) {
		kmem_cache_free(held_cache, held);
		return -EAGAIN;
	}

	flow = hold_flow(tree, target, cgrp, skb_to_full_sk(skb));
	if (!flow) {
		tree_unlock(tree);
		kmem_cache_free(held_cache, held);
		return drop_nomem(chain, req, skb, family);
	}

	limit = flow_impatient(flow, chain, &wait);
	if (limit) {
		tree_unlock(tree);
		kmem_cache_free(held_cache, held);
		rein_admit_count(chain, req, REIN_STAT(REFUSED));
		record_drop(limit, REIN_FOLD_IMPATIENT, skb, family, bytes,
			    wait, "wait", "ns", REIN_SITE);
		return -ETIME;
	}

	limit = flow_overflows(flow, chain, bytes);
	if (limit) {
		hold_undo(tree, flow);
		tree_unlock(tree);
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
		hold_undo(tree, flow);
		rein_admit_count(chain, req, REIN_STAT(TEARDOWN));
		kmem_cache_free(held_cache, held);
	} else {
		rein_admit_count(chain, req, REIN_STAT(QUEUED));
		hold_link(tree, flow, held);
		tree_arm(tree);
	}
	tree_unlock(tree);
	return err;
}

/**
 * rein_room_busy() - must a packet queue up even if there are tokens?
 * @target:	where it enters the chain
 *
 * True while, in the room of @target or of a target above, somebody is ready
 * to go or waits for tokens of that very target. Whoever waits for a target
 * further down is not overtaken unfairly: it would have gone if it could.
 *
 * Context: RCU read side; no lock. A packet and those its socket sent before
 * it are ordered by the socket.
 *
 * Return: whether it must.
 */
bool rein_room_busy(struct rein_target *target)
{
	for (; target; target = rcu_dereference(target->parent)) {
		const struct rein_room *room = &target->room;

		if (READ_ONCE(room->blocked) || room_active(room))
			return true;
	}
	return false;
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

/* A turn that came to nothing: it ends, or is kept for one more round. */
static void turn_retire(struct rein_tree *tree, struct rein_room *room,
			struct rein_turn *turn)
{
	/*
	 * One that was new goes through the old ones once, or it could come
	 * back as new at once and be first for ever.
	 */
	if (turn->is_new && !list_empty(&room->olds)) {
		turn_to_olds(turn, room);
		return;
	}

	list_del_init(&turn->link);
	turn->is_new = false;
	if (turn->is_room)
		room_detach(tree, turn_room(turn));
	else
		flow_free(turn_flow(turn));
}

/* The flow whose turn it is, or NULL if nobody is ready. */
static struct rein_flow *tree_pick(struct rein_tree *tree)
{
	struct rein_room *room = &tree->ground;
	struct rein_turn *turn;

	while (true) {
		turn = room_first(room);
		if (!turn) {
			if (room == &tree->ground)
				return NULL;
			turn = &room->turn;
			room = room->parent;
			turn_retire(tree, room, turn);
			continue;
		}
		if (turn->deficit <= 0) {
			turn->deficit += room_quantum(room);
			turn_to_olds(turn, room);
			continue;
		}
		if (turn->is_room) {
			room = turn_room(turn);
			continue;
		}
		if (turn_flow(turn)->number)
			return turn_flow(turn);
		turn_retire(tree, room, turn);
	}
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
	room_account(room, -(s64)held->bytes, -(s64)held->packets);
	if (!--room->target->room.held)
		list_del_init(&room->target->room.occupied);

	if (!spent)
		return;
	flow->turn.deficit -= cost[room->unit];
	for (; room->parent; room = room->parent)
		room->turn.deficit -= cost[room->parent->unit];
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

	while ((flow = tree_pick(tree))) {
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
			by = verdict.by;
			if (verdict.decision == REIN_WAIT) {
				room_block(tree, &by->target->room,
					   verdict.when);
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

/* Drop the packets of a room that match, and whatever is empty then. */
static void room_drop(struct rein_tree *tree, struct rein_room *room,
		      rein_match_fn match, const void *what, enum fate fate,
		      struct list_head *dropped)
{
	struct rein_target *target = room->target;
	struct rb_node *c, *f, *next_c, *next_f;
	struct rein_held *held, *next;
	struct rein_request req;
	struct rein_chain chain;
	u64 now = ktime_get_ns();

	rein_chain_collect(&chain, target, REIN_RESOURCE_EGRESS);
	for (c = rb_first(&room->classes); c; c = next_c) {
		struct rein_room *class = rb_entry(c, struct rein_room, node);

		next_c = rb_next(c);
		for (f = rb_first(&class->flows); f; f = next_f) {
			struct rein_flow *flow;

			next_f = rb_next(f);
			flow = rb_entry(f, struct rein_flow, node);
			list_for_each_entry_safe(held, next, &flow->packets,
						 list) {
				if (!match(held, what)) {
					/* Those behind it came later. */
					if (fate == FATE_STALE)
						break;
					continue;
				}
				held_request(held, now, &req);
				rein_admit_count(&chain, &req,
						 fate == FATE_STALE ?
						 REIN_STAT(STALE) :
						 REIN_STAT(TEARDOWN));
				held_unlink(flow, held, false);
				if (chain.n)
					held_record(held, fate,
						    chain_waiter(&chain), now);
				list_add_tail(&held->list, dropped);
			}
			if (!flow->number) {
				list_del(&flow->turn.link);
				flow_free(flow);
			}
		}
		room_prune(tree, class);
	}
	room_prune(tree, room);
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

	if (now - tree->swept < SWEEP_NS)
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

/* Rooms whose time to look again has come. */
static void tree_wake(struct rein_tree *tree, u64 now)
{
	struct timerqueue_node *next;

	while ((next = timerqueue_getnext(&tree->sleepers))) {
		if (next->expires > now)
			break;
		room_unblock(tree, container_of(next, struct rein_room,
						wakeup));
	}
}

static enum hrtimer_restart tree_timer(struct hrtimer *timer)
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
	tree_wake(tree, now);
	/*
	 * One at a time, with the lock dropped: a flow stays in its room's
	 * round robin until its packet has left, so nobody overtakes it.
	 */
	while (budget-- && (held = tree_next(tree, now, &fate))) {
		spin_unlock_bh(&tree->lock);
		held_settle(held, fate);
		spin_lock_bh(&tree->lock);
	}
	tree_arm(tree);
	spin_unlock_bh(&tree->lock);
	dropped_free(&dropped);
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

/* --- configuration ---------------------------------------------------------- */

static struct rein_tree *tree_new(void)
{
	struct rein_tree *tree = kzalloc(sizeof(*tree), GFP_KERNEL_ACCOUNT);

	if (!tree)
		return NULL;
	spin_lock_init(&tree->lock);
	hrtimer_init(&tree->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
	tree->timer.function = tree_timer;
	timerqueue_init_head(&tree->sleepers);
	INIT_LIST_HEAD(&tree->occupied);
	room_init(&tree->ground, NULL);
	tree->swept = ktime_get_ns();
	return tree;
}

static void tree_put(struct rein_tree *tree)
{
	lockdep_assert_held(&rein_mutex);
	if (--tree->targets)
		return;
	hrtimer_cancel(&tree->timer);
	kfree_rcu(tree, rcu);
}

static struct rein_tree *target_tree(const struct rein_target *target)
{
	return rcu_dereference_protected(target->room.tree,
					 lockdep_is_held(&rein_mutex));
}

/**
 * rein_room_open() - make the room of a new target
 * @target:	the target
 * @parent:	its parent, or NULL
 *
 * Context: may sleep; rein_mutex held; nobody can find @target yet.
 *
 * Return: 0 or -ENOMEM.
 */
int rein_room_open(struct rein_target *target, struct rein_target *parent)
{
	struct rein_tree *tree = parent ? target_tree(parent) : tree_new();

	if (!tree)
		return -ENOMEM;
	room_init(&target->room, target);
	RCU_INIT_POINTER(target->room.tree, tree);
	RCU_INIT_POINTER(target->parent, parent);
	tree->targets++;
	return 0;
}

/* The rooms of a whole branch change over to another tree. */
static void branch_to_tree(struct rein_target *top, struct rein_tree *from,
			   struct rein_tree *to)
{
	struct rein_target *pos;

	for (pos = top; pos; pos = rein_target_next(top, pos)) {
		struct rein_room *room = &pos->room;

		if (room->blocked) {
			timerqueue_del(&from->sleepers, &room->wakeup);
			timerqueue_add(&to->sleepers, &room->wakeup);
		}
		if (room->held)
			list_move_tail(&room->occupied, &to->occupied);
		rcu_assign_pointer(room->tree, to);
		to->targets++;
		from->targets--;
	}
}

/**
 * rein_room_move() - give a target another parent
 * @target:	the target, with all targets below it
 * @parent:	the new parent, or NULL
 *
 * What waits moves along. A target that loses its last parent stays in the
 * tree it is in: trees merge but don't split, which costs no more than a lock
 * that more rooms share than must.
 *
 * Context: rein_mutex held; takes the locks of one or two trees.
 */
void rein_room_move(struct rein_target *target, struct rein_target *parent)
{
	struct rein_tree *from = target_tree(target);
	struct rein_tree *to = parent ? target_tree(parent) : from;
	struct rein_room *room = &target->room, *above;

	spin_lock_bh(&to->lock);
	if (to != from)
		spin_lock_nested(&from->lock, SINGLE_DEPTH_NESTING);

	above = room->parent;
	if (above) {
		room_account(above, -(s64)room->bytes, -(s64)room->packets);
		list_del_init(&room->turn.link);
		room->parent = NULL;
		room_prune(from, above);
	}
	rcu_assign_pointer(target->parent, parent);
	if (to != from) {
		/* from must outlive its lock */
		from->targets++;
		branch_to_tree(target, from, to);
	}
	if (above) {
		room_attach(to, target);
		room_account(room->parent, room->bytes, room->packets);
		if (room_active(room))
			room_activate(room);
		tree_arm(to);
	}

	if (to != from)
		spin_unlock(&from->lock);
	spin_unlock_bh(&to->lock);
	if (to != from)
		tree_put(from);
}

/**
 * rein_room_idle() - does nothing wait with a target's chain any more?
 * @target:	the target
 *
 * Return: whether it may be closed.
 */
bool rein_room_idle(struct rein_target *target)
{
	struct rein_tree *tree = tree_lock(target);
	bool idle = !target->room.held;

	if (tree)
		tree_unlock(tree);
	return idle;
}

/**
 * rein_room_close() - remove the room of a target
 * @target:	the target; it is idle and has no children
 *
 * Whoever still tries to wait there is told to look again.
 *
 * Context: rein_mutex held; may sleep.
 */
void rein_room_close(struct rein_target *target)
{
	struct rein_room *room = &target->room;
	struct rein_tree *tree;
	LIST_HEAD(dropped);
	u64 never = 0;

	rcu_read_lock();
	tree = tree_lock(target);
	/* There are no packets, but places that are kept for a round. */
	room_drop(tree, room, held_before, &never, FATE_TEARDOWN, &dropped);
	WARN_ON_ONCE(room->packets || !RB_EMPTY_ROOT(&room->classes));
	RCU_INIT_POINTER(room->tree, NULL);
	tree_unlock(tree);
	rcu_read_unlock();
	tree_put(tree);
}

/**
 * rein_room_kick() - a target's limits have changed: look again
 * @target:	the target
 * @unit:	what its children and flows shall take turns in from now on
 *
 * Context: any but hard interrupts.
 */
void rein_room_kick(struct rein_target *target, enum rein_unit unit)
{
	struct rein_tree *tree = tree_lock(target);
	struct rein_room *room = &target->room;
	struct rb_node *node;

	if (!tree)
		return;
	room->unit = unit;
	for (node = rb_first(&room->classes); node; node = rb_next(node))
		rb_entry(node, struct rein_room, node)->unit = unit;
	if (room->blocked)
		room_unblock(tree, room);
	tree_arm(tree);
	tree_unlock(tree);
}

/**
 * rein_room_flush() - drop waiting packets
 * @target:	of this target's room
 * @match:	those for which this is true
 * @what:	handed to @match
 *
 * Context: any but hard interrupts.
 */
void rein_room_flush(struct rein_target *target, rein_match_fn match,
		     const void *what)
{
	struct rein_tree *tree;
	LIST_HEAD(dropped);

	rcu_read_lock();
	tree = tree_lock(target);
	if (tree) {
		room_drop(tree, &target->room, match, what, FATE_TEARDOWN,
			  &dropped);
		tree_arm(tree);
		tree_unlock(tree);
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
	held_cache = KMEM_CACHE(rein_held, 0);
	flow_cache = KMEM_CACHE(rein_flow, 0);
	room_cache = KMEM_CACHE(rein_room, 0);
	if (held_cache && flow_cache && room_cache)
		return 0;
	rein_queue_exit();
	return -ENOMEM;
}

/**
 * rein_queue_exit() - free the caches
 */
void rein_queue_exit(void)
{
	kmem_cache_destroy(room_cache);
	kmem_cache_destroy(flow_cache);
	kmem_cache_destroy(held_cache);
}
