// SPDX-License-Identifier: GPL-2.0
/*
 * Trees of waiting rooms: what they share, and what a change of targets does to
 * them. See tree.h.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "limit.h"
#include "line.h"
#include "queue.h"
#include "room.h"
#include "target.h"
#include "tree.h"

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
	if (!tree->ground.bytes && !rein_room_ready(&tree->ground))
		return;
	/* Not earlier, or the handler would run again without a pause. */
	if (rein_room_ready(&tree->ground))
		when = ktime_get();
	else if (next && next->expires < when)
		when = next->expires;
	if (hrtimer_is_queued(&tree->timer) &&
	    hrtimer_get_expires(&tree->timer) <= when)
		return;
	hrtimer_start(&tree->timer, when, HRTIMER_MODE_ABS_SOFT);
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
		rein_room_wake(tree, container_of(next, struct rein_room, wakeup));
	}
}

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
	rein_room_set_up(&tree->ground, NULL);
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
 * rein_tree_open() - make the room of a new target
 * @target:	the target
 * @parent:	its parent, or NULL
 *
 * Context: may sleep; rein_mutex held; nobody can find @target yet.
 *
 * Return: 0 or -ENOMEM.
 */
int rein_tree_open(struct rein_target *target, struct rein_target *parent)
{
	struct rein_tree *tree = parent ? target_tree(parent) : tree_new();

	if (!tree)
		return -ENOMEM;
	rein_room_set_up(&target->room, target);
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
 * rein_tree_move() - give a target another parent
 * @target:	the target, with all targets below it
 * @parent:	the new parent, or NULL
 *
 * What waits moves along. A target that loses its last parent stays in the
 * tree it is in: trees merge but don't split, which costs no more than a lock
 * that more rooms share than must.
 *
 * Context: rein_mutex held; takes the locks of one or two trees.
 */
void rein_tree_move(struct rein_target *target, struct rein_target *parent)
{
	struct rein_tree *from = target_tree(target);
	struct rein_tree *to = parent ? target_tree(parent) : from;
	bool waits;

	/* Let what is on its way out leave before what is behind it. */
	if (to != from)
		hrtimer_cancel(&from->timer);
	spin_lock_bh(&to->lock);
	if (to != from)
		spin_lock_nested(&from->lock, SINGLE_DEPTH_NESTING);

	waits = rein_room_lift(from, &target->room);
	rcu_assign_pointer(target->parent, parent);
	if (to != from) {
		/* from must outlive its lock */
		from->targets++;
		branch_to_tree(target, from, to);
		rein_line_move(from, to);
	}
	if (waits) {
		rein_room_place(to, target);
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
 * rein_tree_idle() - do no packets wait with a target's chain any more?
 * @target:	the target
 *
 * Takers don't count: they can be bound anew.
 *
 * Return: whether it may be closed.
 */
bool rein_tree_idle(struct rein_target *target)
{
	struct rein_tree *tree = rein_tree_lock(target);
	bool idle = !target->room.held;

	if (tree)
		rein_tree_unlock(tree);
	return idle;
}

/**
 * rein_tree_close() - remove the room of a target
 * @target:	the target; it has no children, and nobody finds it any more
 *
 * Whoever still tries to wait there is told to look again.
 *
 * Context: rein_mutex held; may sleep.
 *
 * Return: true; false if something waits there.
 */
bool rein_tree_close(struct rein_target *target)
{
	struct rein_room *room = &target->room;
	struct rein_tree *tree = rein_tree_lock(target);

	/* Who takes goes over to the target that it finds now. */
	rein_line_again(tree);
	if (room->held || room->takers) {
		rein_tree_unlock(tree);
		return false;
	}
	/* Those below who waited for its limits: they are under another now. */
	rein_room_wake_all(tree, room);
	rein_tree_arm(tree);
	rein_room_clear(tree, room);
	RCU_INIT_POINTER(room->tree, NULL);
	rein_tree_unlock(tree);
	tree_put(tree);
	return true;
}

/**
 * rein_tree_kick() - a target's limits have changed: look again
 * @target:	the target
 * @unit:	what its children and flows shall take turns in from now on
 *
 * Context: any but hard interrupts.
 */
void rein_tree_kick(struct rein_target *target, enum rein_unit unit)
{
	struct rein_tree *tree = rein_tree_lock(target);

	if (!tree)
		return;
	rein_room_set_unit(&target->room, unit);
	rein_room_wake_all(tree, &target->room);
	rein_tree_arm(tree);
	rein_line_again(tree);
	rein_tree_unlock(tree);
}
