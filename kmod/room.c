// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting rooms: who waits where, and whose turn it is. See room.h.
 */
#include <linux/cgroup.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "limit.h"
#include "line.h"
#include "queue.h"
#include "room.h"
#include "socket.h"
#include "target.h"

/* Of the class of those who share a limit per socket: no cgroup has that id. */
#define SHARED_ID	0

static struct kmem_cache *flow_cache;
static struct kmem_cache *room_cache;

/* --- rooms: places and turns ------------------------------------------- */

static void turn_init(struct rein_turn *turn, bool is_room)
{
	RB_CLEAR_NODE(&turn->node);
	turn->vtime = 0;
	turn->is_room = is_room;
}

static void room_init(struct rein_room *room, struct rein_target *target)
{
	memset(room, 0, sizeof(*room));
	turn_init(&room->turn, true);
	room->target = target;
	room->unit = REIN_UNIT_BYTES;
	room->classes = RB_ROOT;
	room->flows = RB_ROOT;
	room->turns = RB_ROOT_CACHED;
	timerqueue_init(&room->wakeup);
	INIT_LIST_HEAD(&room->occupied);
	INIT_LIST_HEAD(&room->sharers);
	INIT_LIST_HEAD(&room->share);
}

static struct rein_room *turn_room(struct rein_turn *turn)
{
	return container_of(turn, struct rein_room, turn);
}

static struct rein_flow *turn_flow(struct rein_turn *turn)
{
	return container_of(turn, struct rein_flow, turn);
}

static bool room_active(const struct rein_room *room)
{
	return READ_ONCE(room->turns.rb_root.rb_node);
}

static bool turn_linked(const struct rein_turn *turn)
{
	return !RB_EMPTY_NODE(&turn->node);
}

static bool turn_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct rein_turn, node)->vtime <
	       rb_entry(b, struct rein_turn, node)->vtime;
}

/* Be ready to go. Time spent away is no credit. */
static void turn_join(struct rein_turn *turn, struct rein_room *room)
{
	turn->vtime = max(turn->vtime, room->vtime);
	rb_add_cached(&turn->node, &room->turns, turn_less);
}

static void turn_leave(struct rein_turn *turn, struct rein_room *room)
{
	if (!turn_linked(turn))
		return;
	rb_erase_cached(&turn->node, &room->turns);
	RB_CLEAR_NODE(&turn->node);
}

/* Whoever was served @cost has it behind it. */
static void turn_spend(struct rein_turn *turn, struct rein_room *room,
		       u64 cost)
{
	room->vtime = max(room->vtime, turn->vtime);
	turn_leave(turn, room);
	turn->vtime += cost;
	turn_join(turn, room);
}

static struct rein_turn *room_first(const struct rein_room *room)
{
	struct rb_node *node = rb_first_cached(&room->turns);

	return node ? rb_entry(node, struct rein_turn, node) : NULL;
}

static void room_set_parent(struct rein_room *room, struct rein_room *parent)
{
	if (room->parent)
		room->parent->children--;
	room->parent = parent;
	if (parent)
		parent->children++;
}

/* The share of @room that belongs to @id, made on demand. */
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
	room_set_parent(class, room);
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
	turn_leave(&flow->turn, flow->room);
	rb_erase(&flow->node, &flow->room->flows);
	kmem_cache_free(flow_cache, flow);
}

/* --- trees ---------------------------------------------------------------- */

/**
 * rein_tree_lock() - lock the tree that a target's room is part of
 * @target:	the target; under RCU or rein_mutex
 *
 * A merge may be moving the room at this moment: whoever gets the lock has
 * that of the tree the room is in now.
 *
 * Return: the tree, locked; NULL if the room was closed.
 */
struct rein_tree *rein_tree_lock(struct rein_target *target)
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

/**
 * rein_tree_unlock() - undo rein_tree_lock()
 * @tree:	the tree
 */
void rein_tree_unlock(struct rein_tree *tree)
{
	spin_unlock_bh(&tree->lock);
}

/**
 * rein_tree_arm() - have the timer run when there is next something to do
 * @tree:	the tree, locked
 *
 * That is now if anybody is ready to go, else when the first sleeper wakes up
 * or it is time to look for stale packets.
 */
void rein_tree_arm(struct rein_tree *tree)
{
	struct timerqueue_node *next = timerqueue_getnext(&tree->sleepers);
	ktime_t when = ns_to_ktime(tree->swept + REIN_SWEEP_NS);

	lockdep_assert_held(&tree->lock);
	if (!tree->ground.bytes && !room_active(&tree->ground))
		return;
	/* Not earlier, or the handler would run again without a pause. */
	if (room_active(&tree->ground))
		when = ktime_get();
	else if (next && next->expires < when)
		when = next->expires;
	if (hrtimer_is_queued(&tree->timer) &&
	    hrtimer_get_expires(&tree->timer) <= when)
		return;
	hrtimer_start(&tree->timer, when, HRTIMER_MODE_ABS_SOFT);
}

/*
 * The room above that of a target: that of the parent target, in the class of
 * the child cgroup that leads to it; or the ground. A socket's shares in the class
 * of its cgroup with others.
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
	if (!target->sk && target->cgrp->level == parent->cgrp->level + 1)
		return &parent->room;
	class = room_class(&parent->room, class_id_of(parent, target->cgrp));
	/* Without memory for a class it just shares less finely. */
	return class ?: &parent->room;
}

/* A room has somebody ready to go: so have those above it. */
static void room_activate(struct rein_room *room)
{
	for (; room->parent; room = room->parent) {
		if (room->blocked || turn_linked(&room->turn))
			return;
		turn_join(&room->turn, room->parent);
	}
}

/**
 * rein_room_block() - a room's target has no tokens for whose turn it is
 * @tree:	the tree, locked
 * @room:	the room of a target
 * @until:	when it will have, CLOCK_MONOTONIC, ns; or REIN_NEVER
 */
void rein_room_block(struct rein_tree *tree, struct rein_room *room,
		     u64 until)
{
	turn_leave(&room->turn, room->parent);
	WRITE_ONCE(room->blocked, true);
	room->wakeup.expires = min_t(u64, until, KTIME_MAX);
	timerqueue_add(&tree->sleepers, &room->wakeup);
}

static void room_wake(struct rein_tree *tree, struct rein_room *room)
{
	timerqueue_del(&tree->sleepers, &room->wakeup);
	WRITE_ONCE(room->blocked, false);
	if (room_active(room))
		room_activate(room);
	/* After that, for rein_room_busy(): who is ready or waits is seen to. */
	smp_wmb();
	list_del_init(&room->share);
}

static void sharers_wake(struct rein_tree *tree, struct rein_room *room)
{
	struct rein_room *class, *next;

	list_for_each_entry_safe(class, next, &room->sharers, share)
		room_wake(tree, class);
}

/* What the limits of a target have blocked, and who waits there for others above. */
static void room_wake_all(struct rein_tree *tree, struct rein_room *room)
{
	struct rein_room *class;
	struct rb_node *node;

	if (room->blocked)
		room_wake(tree, room);
	sharers_wake(tree, room);
	for (node = rb_first(&room->classes); node; node = rb_next(node)) {
		class = rb_entry(node, struct rein_room, node);
		if (class->blocked)
			room_wake(tree, class);
	}
}

/*
 * A room is blocked for the packet whose turn it is. That may have changed: a
 * new flow comes first and may want less, or the packet was dropped.
 */
static void room_unblock(struct rein_tree *tree, struct rein_room *room)
{
	for (; room; room = room->parent)
		if (room->blocked)
			room_wake(tree, room);
}

/**
 * rein_room_dropped() - packets of a class were dropped: look again at who waits behind them
 * @tree:	the tree, locked
 * @class:	the class
 */
void rein_room_dropped(struct rein_tree *tree, struct rein_room *class)
{
	struct rein_target *target = class->target;

	room_unblock(tree, class);
	while (target) {
		sharers_wake(tree, &target->room);
		target = rcu_dereference_protected(target->parent,
						   lockdep_is_held(&tree->lock));
	}
}

/*
 * If nothing is left in a room, take it off its parent; a class is freed.
 * Returns whether it was.
 */
static bool room_detach(struct rein_tree *tree, struct rein_room *room)
{
	if (room->bytes || room->children || room_active(room) ||
	    !RB_EMPTY_ROOT(&room->flows))
		return false;

	if (room->blocked)
		room_wake(tree, room);
	if (room->parent)
		turn_leave(&room->turn, room->parent);
	if (room->is_class)
		rb_erase(&room->node, &room->parent->classes);
	room_set_parent(room, NULL);
	if (room->is_class)
		kmem_cache_free(room_cache, room);
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

/**
 * rein_room_account() - keep count of what waits in a room and those above
 * @room:	the room; its tree is locked
 * @bytes:	to add; less than 0: to take
 * @packets:	likewise
 */
void rein_room_account(struct rein_room *room, s64 bytes, s64 packets)
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
			room_set_parent(&target->room,
					room_above(tree, target));
		target = rcu_dereference_protected(target->parent,
						   lockdep_is_held(&tree->lock));
	}
}

/**
 * rein_flow_get() - find or make the flow that a packet is to wait in
 * @tree:	the tree of @target, locked
 * @target:	where the packet entered its chain
 * @sk:		its socket
 * @shared:	the socket has no copy of a limit per socket
 *
 * Who shares such a limit does so by socket, whatever child cgroup it is of. A socket's
 * own room has one class: its packets are to stay in order, whatever they wait for.
 *
 * Return: the flow, to be used or given to rein_flow_put() before the lock is
 * released; NULL without memory.
 */
struct rein_flow *rein_flow_get(struct rein_tree *tree,
				struct rein_target *target,
				const struct sock *sk, bool shared)
{
	struct cgroup *cgrp = rein_socket_cgroup(sk);
	struct rein_room *class;
	struct rein_flow *flow;

	room_attach(tree, target);
	class = room_class(&target->room, shared && !target->sk ?
						  SHARED_ID :
						  class_id_of(target, cgrp));
	flow = class ? room_flow(class, sk) : NULL;
	if (!flow)
		room_prune(tree, class ?: &target->room);
	return flow;
}

/**
 * rein_flow_put() - undo rein_flow_get() for a flow that got nothing to hold
 * @tree:	the tree, locked
 * @flow:	the flow
 */
void rein_flow_put(struct rein_tree *tree, struct rein_flow *flow)
{
	struct rein_room *class = flow->room;

	if (!list_empty(&flow->packets) || turn_linked(&flow->turn))
		return;
	flow_free(flow);
	room_prune(tree, class);
}

/**
 * rein_flow_join() - a flow has got a packet: it takes turns from now on
 * @tree:	the tree, locked
 * @flow:	the flow
 */
void rein_flow_join(struct rein_tree *tree, struct rein_flow *flow)
{
	if (turn_linked(&flow->turn))
		return;
	turn_join(&flow->turn, flow->room);
	room_activate(flow->room);
	room_unblock(tree, flow->room);
}

/*
 * The class that a flow is to wait in for a limit per socket. What came before that limit did
 * waits among others, who may have copies: it goes over, and leaves the flow behind without
 * packets. Without memory it stays, and others wait with it.
 */
static struct rein_room *flow_to_sharers(struct rein_tree *tree,
					 struct rein_flow *flow)
{
	struct rein_room *room = flow->room, *class;
	struct rein_flow *to;

	if (room->class_id == SHARED_ID || room->target->sk)
		return room;
	class = room_class(&room->target->room, SHARED_ID);
	if (!class)
		return room;
	to = room_flow(class, flow->sk);
	if (!to) {
		room_prune(tree, class);
		return room;
	}
	list_splice_init(&flow->packets, &to->packets);
	to->bytes += flow->bytes;
	to->number += flow->number;
	rein_room_account(room, -(s64)flow->bytes, -(s64)flow->number);
	rein_room_account(class, flow->bytes, flow->number);
	flow->bytes = 0;
	flow->number = 0;
	if (!turn_linked(&to->turn))
		turn_join(&to->turn, class);
	room_activate(class);
	return class;
}

/**
 * rein_flow_block() - a limit per socket has no tokens for a flow that shares it
 * @tree:	the tree, locked
 * @flow:	the flow, whose turn it is
 * @target:	whose limit it is: where the flow entered the chain, or above
 * @until:	as of rein_room_block()
 *
 * Others who share that limit wait as well, while those who have copies go on.
 */
void rein_flow_block(struct rein_tree *tree, struct rein_flow *flow,
		     struct rein_target *target, u64 until)
{
	struct rein_room *class = flow_to_sharers(tree, flow);

	if (class->blocked)
		return;
	/* Before it leaves, for rein_room_busy(): who is ready or waits is seen to. */
	list_add_tail(&class->share, &target->room.sharers);
	smp_wmb(); /* pairs with room_shared() */
	rein_room_block(tree, class, until);
}

/**
 * rein_flow_yield() - who shares a limit per socket waits while others wait for it
 * @tree:	the tree, locked
 * @flow:	the flow, whose turn it is
 * @target:	whose limit it is
 *
 * Those others may be in other rooms, and want more at once. All wake up together, and then
 * virtual time decides.
 *
 * Return: whether it waits.
 */
bool rein_flow_yield(struct rein_tree *tree, struct rein_flow *flow,
		     struct rein_target *target)
{
	struct rein_room *first;

	first = list_first_entry_or_null(&target->room.sharers, struct rein_room,
					 share);
	if (!first)
		return false;
	rein_flow_block(tree, flow, target, first->wakeup.expires);
	return true;
}

/**
 * rein_flow_spend() - a flow had its turn
 * @flow:	the flow, which is linked, as are the rooms above it
 * @cost:	what it was served, by unit
 */
void rein_flow_spend(struct rein_flow *flow, const u64 cost[REIN_UNITS])
{
	struct rein_room *room = flow->room;

	turn_spend(&flow->turn, room, cost[room->unit]);
	for (; room->parent; room = room->parent)
		turn_spend(&room->turn, room->parent,
			   cost[room->parent->unit]);
}

/*
 * Does anybody wait for a limit per socket of a room's target? Nobody was ready just now; but
 * whoever was on the list then and isn't any more is now.
 */
static bool room_shared(const struct rein_room *room)
{
	smp_rmb(); /* with rein_flow_block() */
	if (!list_empty(&room->sharers))
		return true;
	smp_rmb(); /* with room_wake() */
	return room_active(room);
}

/**
 * rein_room_busy() - must a packet queue up even if there are tokens?
 * @target:	where it enters the chain
 * @shared:	it has to share a limit per socket
 *
 * True while, in the room of @target or of a target above, somebody is ready
 * to go or waits for tokens of that very target: of a limit per socket only if
 * it would have to wait for these itself. Whoever waits for a target
 * further down is not overtaken unfairly: it would have gone if it could.
 *
 * Context: RCU read side; no lock. A packet and those its socket sent before
 * it are ordered by the socket.
 *
 * Return: whether it must.
 */
bool rein_room_busy(struct rein_target *target, bool shared)
{
	for (; target; target = rcu_dereference(target->parent)) {
		const struct rein_room *room = &target->room;

		if (READ_ONCE(room->blocked) || room_active(room) ||
		    (shared && room_shared(room)))
			return true;
	}
	return false;
}

/**
 * rein_tree_pick() - whose turn it is
 * @tree:	the tree, locked
 *
 * Flows and rooms that have run empty stay until their turn comes, so that
 * leaving and coming back gains nothing, and so that nobody passes a packet
 * that has been picked but is not quite gone. They are taken away here.
 *
 * Return: the flow, which has a packet; NULL if nobody is ready.
 */
struct rein_flow *rein_tree_pick(struct rein_tree *tree)
{
	struct rein_room *room = &tree->ground, *empty;
	struct rein_turn *turn;

	while (true) {
		turn = room_first(room);
		if (turn && turn->is_room) {
			room = turn_room(turn);
			continue;
		}
		if (turn && !list_empty(&turn_flow(turn)->packets))
			return turn_flow(turn);
		if (turn) {
			flow_free(turn_flow(turn));
			continue;
		}
		if (room == &tree->ground)
			return NULL;
		empty = room;
		room = room->parent;
		turn_leave(&empty->turn, room);
		room_detach(tree, empty);
	}
}

/**
 * rein_tree_wake() - wake up the rooms whose time has come
 * @tree:	the tree, locked
 * @now:	CLOCK_MONOTONIC, ns
 */
void rein_tree_wake(struct rein_tree *tree, u64 now)
{
	struct timerqueue_node *next;

	while ((next = timerqueue_getnext(&tree->sleepers))) {
		if (next->expires > now)
			break;
		room_wake(tree, container_of(next, struct rein_room, wakeup));
	}
}

/* --- configuration ---------------------------------------------------------- */

static struct rein_tree *tree_new(void)
{
	struct rein_tree *tree = kzalloc(sizeof(*tree), GFP_KERNEL_ACCOUNT);

	if (!tree)
		return NULL;
	spin_lock_init(&tree->lock);
	hrtimer_setup(&tree->timer, rein_queue_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
	timerqueue_init_head(&tree->sleepers);
	INIT_LIST_HEAD(&tree->occupied);
	room_init(&tree->ground, NULL);
	rein_line_open(tree);
	tree->swept = ktime_get_ns();
	return tree;
}

static void tree_put(struct rein_tree *tree)
{
	lockdep_assert_held(&rein_mutex);
	if (--tree->targets)
		return;
	hrtimer_cancel(&tree->timer);
	rein_line_close(tree);
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

static void room_to_tree(struct rein_room *room, struct rein_tree *from,
			 struct rein_tree *to)
{
	if (!room->blocked)
		return;
	timerqueue_del(&from->sleepers, &room->wakeup);
	timerqueue_add(&to->sleepers, &room->wakeup);
}

/* The rooms of a whole branch change over to another tree. */
static void branch_to_tree(struct rein_target *top, struct rein_tree *from,
			   struct rein_tree *to)
{
	struct rein_target *pos;

	for (pos = top; pos; pos = rein_target_next(top, pos)) {
		struct rein_room *room = &pos->room;
		struct rb_node *node;

		room_to_tree(room, from, to);
		for (node = rb_first(&room->classes); node; node = rb_next(node))
			room_to_tree(rb_entry(node, struct rein_room, node), from,
				     to);
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

	/* Let what is on its way out leave before what is behind it. */
	if (to != from)
		hrtimer_cancel(&from->timer);
	spin_lock_bh(&to->lock);
	if (to != from)
		spin_lock_nested(&from->lock, SINGLE_DEPTH_NESTING);

	above = room->parent;
	if (above) {
		rein_room_account(above, -(s64)room->bytes, -(s64)room->packets);
		turn_leave(&room->turn, above);
		room_set_parent(room, NULL);
		room->turn.vtime = 0;
		room_prune(from, above);
	}
	rcu_assign_pointer(target->parent, parent);
	if (to != from) {
		/* from must outlive its lock */
		from->targets++;
		branch_to_tree(target, from, to);
		rein_line_move(from, to);
	}
	if (above) {
		room_attach(to, target);
		rein_room_account(room->parent, room->bytes, room->packets);
		if (room_active(room))
			room_activate(room);
		rein_tree_arm(to);
	}

	if (to != from) {
		rein_tree_arm(from);
		spin_unlock(&from->lock);
	}
	spin_unlock_bh(&to->lock);
	if (to != from)
		tree_put(from);
}

/**
 * rein_room_idle() - do no packets wait with a target's chain any more?
 * @target:	the target
 *
 * Takers don't count: they can be bound anew.
 *
 * Return: whether it may be closed.
 */
bool rein_room_idle(struct rein_target *target)
{
	struct rein_tree *tree = rein_tree_lock(target);
	bool idle = !target->room.held;

	if (tree)
		rein_tree_unlock(tree);
	return idle;
}

/* Free a class that holds no packets, with the flows that have a place yet. */
static void class_close(struct rein_tree *tree, struct rein_room *class)
{
	struct rein_room *room = class->parent;
	struct rb_node *node;

	while ((node = rb_first(&class->flows)))
		flow_free(rb_entry(node, struct rein_flow, node));
	if (!room_detach(tree, class)) {
		/* Can't be; but never loop. */
		WARN_ON_ONCE(1);
		rb_erase(&class->node, &room->classes);
	}
}

/**
 * rein_room_close() - remove the room of a target
 * @target:	the target; it has no children, and nobody finds it any more
 *
 * Whoever still tries to wait there is told to look again.
 *
 * Context: rein_mutex held; may sleep.
 *
 * Return: true; false if something waits there.
 */
bool rein_room_close(struct rein_target *target)
{
	struct rein_room *room = &target->room;
	struct rein_tree *tree = rein_tree_lock(target);
	struct rb_node *node;

	/* Who takes goes over to the target that it finds now. */
	rein_line_again(tree);
	if (room->held || room->takers) {
		rein_tree_unlock(tree);
		return false;
	}
	/* Those below who waited for its limits: they are under another now. */
	room_wake_all(tree, room);
	rein_tree_arm(tree);
	/* There are no packets, but places that are kept for a round. */
	while ((node = rb_first(&room->classes)))
		class_close(tree, rb_entry(node, struct rein_room, node));
	room_prune(tree, room);
	WARN_ON_ONCE(room->bytes || room->parent);
	RCU_INIT_POINTER(room->tree, NULL);
	rein_tree_unlock(tree);
	tree_put(tree);
	return true;
}

/* Virtual times of one unit mean nothing in another: all begin anew. */
static void room_set_unit(struct rein_room *room, enum rein_unit unit)
{
	struct rb_node *node;

	room->unit = unit;
	for (node = rb_first_cached(&room->turns); node; node = rb_next(node))
		rb_entry(node, struct rein_turn, node)->vtime = room->vtime;
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
	struct rein_tree *tree = rein_tree_lock(target);
	struct rein_room *room = &target->room;
	struct rb_node *node;

	if (!tree)
		return;
	if (room->unit != unit) {
		room_set_unit(room, unit);
		for (node = rb_first(&room->classes); node; node = rb_next(node))
			room_set_unit(rb_entry(node, struct rein_room, node),
				      unit);
	}
	room_wake_all(tree, room);
	rein_tree_arm(tree);
	rein_line_again(tree);
	rein_tree_unlock(tree);
}

/**
 * rein_room_init() - make the caches
 *
 * Return: 0 or -ENOMEM.
 */
int rein_room_init(void)
{
	flow_cache = KMEM_CACHE(rein_flow, SLAB_ACCOUNT);
	room_cache = KMEM_CACHE(rein_room, SLAB_ACCOUNT);
	if (flow_cache && room_cache)
		return 0;
	rein_room_exit();
	return -ENOMEM;
}

/**
 * rein_room_exit() - free the caches
 */
void rein_room_exit(void)
{
	kmem_cache_destroy(room_cache);
	kmem_cache_destroy(flow_cache);
}
