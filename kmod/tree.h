/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trees of waiting rooms: what they share, and what a change of targets does to
 * them.
 *
 * The rooms below one topmost target form a tree with one lock, one timer and one
 * line. A target that comes above others makes their trees one; a tree never
 * splits.
 *
 * Context: any but hard interrupts; tree locks are taken _bh. Targets come, move
 * and go under rein_mutex.
 */
#ifndef REIN_TREE_H
#define REIN_TREE_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/timerqueue.h>
#include <linux/types.h>

#include "limit.h"
#include "room.h"

struct rein_taker;
struct rein_target;

/**
 * struct rein_line - those who wait for tokens by name: see line.h
 * @takers:	all of them, by ticket
 * @unplanned:	the first one without a planned time; all behind it have none
 *		either; NULL: all have one
 * @due:	those who have, by that time
 * @timer:	grants what is due
 */
struct rein_line {
	struct list_head takers;
	struct rein_taker *unplanned;
	struct timerqueue_head due;
	struct hrtimer timer;
};

/**
 * struct rein_tree - rooms that share limits
 * @lock:	guards all rooms of the tree and what is in them
 * @timer:	lets packets go
 * @sleepers:	blocked rooms, by when to look again
 * @occupied:	targets' rooms that packets wait in
 * @ground:	the room that topmost rooms take turns in
 * @line:	where programs wait for tokens
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
	struct rein_line line;
	u64 swept;
	unsigned int targets;
	struct rcu_head rcu;
};

struct rein_tree *rein_tree_lock(struct rein_target *target);
void rein_tree_unlock(struct rein_tree *tree);
void rein_tree_arm(struct rein_tree *tree);
void rein_tree_wake(struct rein_tree *tree, u64 now);

int rein_tree_open(struct rein_target *target, struct rein_target *parent);
void rein_tree_move(struct rein_target *target, struct rein_target *parent);
bool rein_tree_close(struct rein_target *target);
bool rein_tree_idle(struct rein_target *target);
void rein_tree_kick(struct rein_target *target, enum rein_unit unit);

#endif /* REIN_TREE_H */
