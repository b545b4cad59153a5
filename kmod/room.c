// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting rooms: who waits where, and whose turn it is. See room.h.
 */
#include <linux/cgroup.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "limit.h"
#include "room.h"
#include "socket.h"
#include "target.h"
#include "tree.h"

/* Of the class of those who share a limit per socket: no cgroup has that id. */
#define SHARED_ID	0

static struct kmem_cache *flow_cache;
static struct kmem_cache *room_cache;

/* --- rooms: places and turns ------------------------------------------- */

static void turn_init(struct rein_turn *turn, bool is_room)
{
	RB_CLEAR_NODE(&turn->node);
	turn->vtime = 0;
	turn->epoch = 0;
	turn->is_room = is_room;
}

/**
 * rein_room_set_up() - make a room of a struct
 * @room:	the room
 * @target:	whose it is; NULL for a tree's ground
 */
void rein_room_set_up(struct rein_room *room, struct rein_target *target)
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

/**
 * rein_room_ready() - is anybody ready to go?
 * @room:	the room; without its tree's lock the answer may be late
 *
 * Return: whether there is.
 */
bool rein_room_ready(const struct rein_room *room)
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

/* Be ready to go. Time spent away is no credit, and of another unit no time. */
static void turn_join(struct rein_turn *turn, struct rein_room *room)
{
	if (turn->epoch != room->epoch)
		turn->vtime = room->vtime;
	turn->epoch = room->epoch;
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
	rein_room_set_up(class, room->target);
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

/**
 * rein_room_wake() - undo rein_room_block(): it may have its turn again
 * @tree:	the tree, locked
 * @room:	the room, which is blocked
 */
void rein_room_wake(struct rein_tree *tree, struct rein_room *room)
{
	timerqueue_del(&tree->sleepers, &room->wakeup);
	WRITE_ONCE(room->blocked, false);
	if (rein_room_ready(room))
		room_activate(room);
	/* After that, for rein_room_busy(): who is ready or waits is seen to. */
	smp_wmb();
	list_del_init(&room->share);
}

static void sharers_wake(struct rein_tree *tree, struct rein_room *room)
{
	struct rein_room *class, *next;

	list_for_each_entry_safe(class, next, &room->sharers, share)
		rein_room_wake(tree, class);
}

/**
 * rein_room_wake_all() - wake up all that the limits of a target have blocked
 * @tree:	the tree, locked
 * @room:	the target's room
 *
 * And who waits there for limits of others above.
 */
void rein_room_wake_all(struct rein_tree *tree, struct rein_room *room)
{
	struct rein_room *class;
	struct rb_node *node;

	if (room->blocked)
		rein_room_wake(tree, room);
	sharers_wake(tree, room);
	for (node = rb_first(&room->classes); node; node = rb_next(node)) {
		class = rb_entry(node, struct rein_room, node);
		if (class->blocked)
			rein_room_wake(tree, class);
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
			rein_room_wake(tree, room);
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
	if (room->bytes || room->children || rein_room_ready(room) ||
	    !RB_EMPTY_ROOT(&room->flows))
		return false;

	if (room->blocked)
		rein_room_wake(tree, room);
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
	smp_rmb(); /* with rein_room_wake() */
	return rein_room_ready(room);
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

		if (READ_ONCE(room->blocked) || rein_room_ready(room) ||
		    (shared && room_shared(room)))
			return true;
	}
	return false;
}

/**
 * rein_flow_next() - whose turn it is
 * @tree:	the tree, locked
 *
 * Flows and rooms that have run empty stay until their turn comes, so that
 * leaving and coming back gains nothing, and so that nobody passes a packet
 * that has been picked but is not quite gone. They are taken away here.
 *
 * Return: the flow, which has a packet; NULL if nobody is ready.
 */
struct rein_flow *rein_flow_next(struct rein_tree *tree)
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
 * rein_room_lift() - take a room off the one above it, with all that waits there
 * @tree:	the tree, locked
 * @room:	the room of a target, whose parent is as it was
 *
 * Return: whether anything waits there: then rein_room_place() is to follow.
 */
bool rein_room_lift(struct rein_tree *tree, struct rein_room *room)
{
	struct rein_room *above = room->parent;

	if (!above)
		return false;
	rein_room_account(above, -(s64)room->bytes, -(s64)room->packets);
	turn_leave(&room->turn, above);
	room_set_parent(room, NULL);
	room->turn.vtime = 0;
	room_prune(tree, above);
	return true;
}

/**
 * rein_room_place() - undo rein_room_lift(), where the target is now
 * @tree:	the tree it is part of now, locked
 * @target:	the target
 */
void rein_room_place(struct rein_tree *tree, struct rein_target *target)
{
	struct rein_room *room = &target->room;

	room_attach(tree, target);
	rein_room_account(room->parent, room->bytes, room->packets);
	if (rein_room_ready(room))
		room_activate(room);
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
 * rein_room_clear() - take away the places that are kept for a round, and the room
 * @tree:	the tree, locked
 * @room:	the room of a target; no packets wait there
 */
void rein_room_clear(struct rein_tree *tree, struct rein_room *room)
{
	struct rb_node *node;

	while ((node = rb_first(&room->classes)))
		class_close(tree, rb_entry(node, struct rein_room, node));
	room_prune(tree, room);
	WARN_ON_ONCE(room->bytes || room->parent);
}

/* Virtual times of one unit mean nothing in another: all begin anew. */
static void turns_set_unit(struct rein_room *room, enum rein_unit unit)
{
	struct rein_turn *turn;
	struct rb_node *node;

	room->unit = unit;
	/* For those who are away. */
	room->epoch++;
	for (node = rb_first_cached(&room->turns); node; node = rb_next(node)) {
		turn = rb_entry(node, struct rein_turn, node);
		turn->vtime = room->vtime;
		turn->epoch = room->epoch;
	}
}

/**
 * rein_room_set_unit() - have children and flows take turns in another unit
 * @room:	the room of a target; its tree is locked
 * @unit:	the unit
 */
void rein_room_set_unit(struct rein_room *room, enum rein_unit unit)
{
	struct rb_node *node;

	if (room->unit == unit)
		return;
	turns_set_unit(room, unit);
	for (node = rb_first(&room->classes); node; node = rb_next(node))
		turns_set_unit(rb_entry(node, struct rein_room, node), unit);
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
