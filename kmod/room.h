/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting rooms: who waits where, and whose turn it is.
 *
 * Whoever has to wait does so where it entered the chain. Within a room there
 * is a flow per socket; flows and, below an ancestor, its child cgroups share
 * by start-time fair queueing (Goyal, Vin, Cheng 1996) in the unit of the
 * limit they share: each has a virtual time, which advances by what it is
 * served, and the one that is furthest behind is next. Whoever comes anew
 * begins at the time of whoever was served last, so that a small flow goes
 * before the bulk ones without gaining anything by coming back again.
 *
 * The rooms below one topmost target form a tree (see tree.h). A room whose
 * target lacks tokens for whose turn it is, is blocked: it sleeps, with all
 * that waits below it, while its neighbours go on. But what a limit per socket
 * lacks tokens for binds only those who have no copy of it: they wait in a
 * class of their own, which is blocked alone.
 *
 * Context: any but hard interrupts; tree locks are taken _bh.
 */
#ifndef REIN_ROOM_H
#define REIN_ROOM_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/timerqueue.h>
#include <linux/types.h>

#include "limit.h"

struct cgroup;
struct rein_target;
struct rein_tree;
struct sock;

/**
 * struct rein_turn - a place among those who share a room
 * @node:	among the room's turns, by @vtime; cleared if it isn't
 * @vtime:	virtual time: tokens served, and what others were served while
 *		it was away
 * @epoch:	that of the room when it was last among its turns
 * @is_room:	a room's turn, else a flow's
 */
struct rein_turn {
	struct rb_node node;
	u64 vtime;
	u32 epoch;
	bool is_room;
};

/**
 * struct rein_room - a waiting room
 * @turn:	its own place in @parent
 * @parent:	the room above while anything waits here, else NULL
 * @target:	whose chain binds what waits here; NULL for a tree's ground
 * @tree:	the tree it is part of; NULL: closed. Of a target's room only
 * @is_class:	the share, in @target's room, of one child cgroup, or of those who
 *		share a limit per socket
 * @blocked:	a limit of @target lacks tokens for whose turn it is; of a class: one
 *		per socket, of @target or one above, does
 * @unit:	what turns are measured in: bytes, packets or calls
 * @class_id:	id of the child cgroup, if @is_class; 0: of those who share
 * @node:	in @target's room, if @is_class
 * @classes:	shares of child cgroups, by cgroup id
 * @flows:	those who wait here, by socket
 * @turns:	flows and rooms that are ready to go
 * @vtime:	virtual time of whoever was served last
 * @epoch:	how often @unit has changed
 * @children:	rooms whose @parent this is
 * @wakeup:	when to look again, if @blocked
 * @bytes:	of packets that wait here and in the rooms below
 * @packets:	likewise; of connections: calls
 * @held:	packets that wait with @target's chain; a target's room only
 * @occupied:	in the tree's list of rooms with @held > 0
 * @takers:	programs in the tree's line that entered the chain at @target
 * @sharers:	classes, here and below, that are blocked by a limit per socket of
 *		@target; a target's room only
 * @share:	among those, if @is_class
 *
 * All under the tree's lock, but for what rein_room_busy() peeks at.
 */
struct rein_room {
	struct rein_turn turn;
	struct rein_room *parent;
	struct rein_target *target;
	struct rein_tree __rcu *tree;
	bool is_class;
	bool blocked;
	enum rein_unit unit;
	u64 class_id;
	struct rb_node node;
	struct rb_root classes;
	struct rb_root flows;
	struct rb_root_cached turns;
	u64 vtime;
	u32 epoch;
	unsigned int children;
	struct timerqueue_node wakeup;
	u64 bytes;
	u64 packets;
	unsigned long held;
	struct list_head occupied;
	unsigned int takers;
	struct list_head sharers;
	struct list_head share;
};

/**
 * struct rein_flow - what one socket has waiting in a room
 * @turn:	its place in @room
 * @node:	in the room's flows
 * @room:	the room
 * @sk:		whose packets; a key, not to be followed
 * @packets:	the packets, oldest first
 * @bytes:	what they cost
 * @number:	what they cost: packets, or calls
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

bool rein_room_ready(const struct rein_room *room);
void rein_room_set_up(struct rein_room *room, struct rein_target *target);
void rein_room_set_unit(struct rein_room *room, enum rein_unit unit);
bool rein_room_lift(struct rein_tree *tree, struct rein_room *room);
void rein_room_place(struct rein_tree *tree, struct rein_target *target);
void rein_room_clear(struct rein_tree *tree, struct rein_room *room);

bool rein_room_busy(struct rein_target *target, bool shared);
void rein_room_block(struct rein_tree *tree, struct rein_room *room,
		     u64 until);
void rein_room_wake(struct rein_tree *tree, struct rein_room *room);
void rein_room_wake_all(struct rein_tree *tree, struct rein_room *room);
void rein_room_dropped(struct rein_tree *tree, struct rein_room *class);
void rein_room_account(struct rein_room *room, s64 bytes, s64 packets);

struct rein_flow *rein_flow_get(struct rein_tree *tree,
				struct rein_target *target,
				const struct sock *sk, bool shared);
void rein_flow_put(struct rein_tree *tree, struct rein_flow *flow);
void rein_flow_join(struct rein_tree *tree, struct rein_flow *flow);
struct rein_flow *rein_flow_next(struct rein_tree *tree);
void rein_flow_block(struct rein_tree *tree, struct rein_flow *flow,
		     struct rein_target *target, u64 until);
bool rein_flow_yield(struct rein_tree *tree, struct rein_flow *flow,
		     struct rein_target *target);
void rein_flow_spend(struct rein_flow *flow, const u64 cost[REIN_UNITS]);

int rein_room_init(void);
void rein_room_exit(void);

#endif /* REIN_ROOM_H */
