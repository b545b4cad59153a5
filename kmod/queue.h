/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting rooms: where packets are held until their limits have tokens.
 *
 * Packets wait where they entered the chain, and hold a place, not tokens:
 * when their turn comes they are admitted like any other. Within a room they
 * are queued per socket; sockets and, below an ancestor, its child cgroups
 * take turns by deficit round robin in the unit of the limit they share, new
 * ones first (as RFC 8290 does, without its AQM).
 *
 * The rooms below one topmost target form a tree with one lock and one timer.
 * Only the timer's handler lets packets go, so that they can't overtake each
 * other, and nobody passes a room in which somebody is ready to go.
 *
 * Context: any but hard interrupts; tree locks are taken _bh.
 */
#ifndef REIN_QUEUE_H
#define REIN_QUEUE_H

#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/rbtree.h>
#include <linux/timerqueue.h>
#include <linux/types.h>
#include <linux/rein.h>

struct cgroup;
struct net_device;
struct rein_chain;
struct rein_request;
struct rein_target;
struct rein_tree;
struct sk_buff;

/**
 * struct rein_held - a packet in a waiting room
 * @list:	in its flow
 * @skb:	the packet
 * @state:	where it was on its way through netfilter
 * @dev:	the skb's device, as it was
 * @arrived:	CLOCK_MONOTONIC, ns
 * @gen:	configuration generation it arrived in
 * @bytes:	what it costs
 * @packets:	what it costs
 */
struct rein_held {
	struct list_head list;
	struct sk_buff *skb;
	struct nf_hook_state state;
	struct net_device *dev;
	u64 arrived;
	u64 gen;
	u32 bytes;
	u32 packets;
};

/**
 * struct rein_turn - a place in the round robin of a room
 * @link:	in one of the room's two lists, or empty
 * @deficit:	what may be spent before the turn is over
 * @is_room:	a room's turn, else a flow's
 * @is_new:	has had no turn yet; if linked, in the list of those
 */
struct rein_turn {
	struct list_head link;
	s64 deficit;
	bool is_room;
	bool is_new;
};

/**
 * struct rein_room - a waiting room
 * @turn:	its own place in @parent
 * @parent:	the room above while anything waits here, else NULL
 * @target:	whose chain binds what waits here; NULL for a tree's ground
 * @tree:	the tree it is part of; NULL: closed. Of a target's room only
 * @is_class:	the share of one child cgroup in @target's room
 * @blocked:	a limit of @target lacks tokens for whose turn it is
 * @unit:	what turns are measured in: bytes or packets
 * @class_id:	id of the child cgroup, if @is_class
 * @node:	in @target's room, if @is_class
 * @classes:	shares of child cgroups, by cgroup id
 * @flows:	those who wait here, by socket
 * @news:	turns that have not been taken yet
 * @olds:	turns that have
 * @wakeup:	when to look again, if @blocked
 * @bytes:	what waits here and in the rooms below
 * @packets:	likewise
 * @held:	packets that wait with @target's chain; a target's room only
 * @occupied:	in the tree's list of rooms with @held > 0
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
	struct list_head news;
	struct list_head olds;
	struct timerqueue_node wakeup;
	u64 bytes;
	u64 packets;
	unsigned long held;
	struct list_head occupied;
};

typedef bool (*rein_match_fn)(const struct rein_held *held, const void *what);

bool rein_room_busy(struct rein_target *target);
int rein_room_hold(struct rein_target *target, struct cgroup *cgrp,
		   const struct rein_chain *chain, struct rein_request *req,
		   struct sk_buff *skb, const struct nf_hook_state *state);

int rein_room_open(struct rein_target *target, struct rein_target *parent);
void rein_room_move(struct rein_target *target, struct rein_target *parent);
void rein_room_close(struct rein_target *target);
bool rein_room_idle(struct rein_target *target);
void rein_room_kick(struct rein_target *target, enum rein_unit unit);
void rein_room_flush(struct rein_target *target, rein_match_fn match,
		     const void *what);

int rein_queue_init(void);
void rein_queue_exit(void);

#endif /* REIN_QUEUE_H */
