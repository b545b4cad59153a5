// SPDX-License-Identifier: GPL-2.0
/*
 * Targets and chains. See target.h.
 */
#include <linux/percpu.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "hook.h"
#include "record.h"
#include "target.h"

/* How often we look whether a target without limits has run empty. */
#define REAP_SOON	max(1, HZ / 50)

#define CACHE_SLOTS	64

/* What is remembered of a cgroup seen on the data path. */
struct cache_slot {
	struct rein_target_key key;
	u64 gen;
	struct rein_target *target;
};

static DEFINE_PER_CPU(struct cache_slot [CACHE_SLOTS], cache);

static const struct rhashtable_params params = {
	.head_offset = offsetof(struct rein_target, hash),
	.key_offset = offsetof(struct rein_target, key),
	.key_len = sizeof_field(struct rein_target, key),
	.automatic_shrinking = true,
};

static struct rhashtable targets;
static unsigned long n_targets;		/* rein_mutex */
static unsigned long n_unlisted;	/* of these; rein_mutex */
static LIST_HEAD(topmost);		/* rein_mutex */

static void reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(reap_work, reap);

/* --- the data path: from a cgroup to its chain ----------------------------- */

static struct rein_target_key key_of(const struct cgroup *cgrp,
				     enum rein_lane lane)
{
	return (struct rein_target_key){ cgroup_id(cgrp), lane };
}

static struct rein_target *find(const struct cgroup *cgrp, enum rein_lane lane)
{
	struct rein_target_key key = key_of(cgrp, lane);

	return rhashtable_lookup(&targets, &key, params);
}

/* The nearest target at or above a cgroup, or NULL. */
static struct rein_target *nearest(struct cgroup *cgrp, enum rein_lane lane)
{
	struct rein_target *target = NULL;

	for (; cgrp && !target; cgrp = cgroup_parent(cgrp))
		target = find(cgrp, lane);
	return target;
}

/*
 * The same from the cache. A slot is valid for one configuration generation:
 * a target that is unlinked in a later one is freed only after a grace period
 * that began after it, so whoever still sees the old generation may use it.
 */
static struct rein_target *nearest_cached(struct cgroup *cgrp,
					  enum rein_lane lane, u64 gen)
{
	struct rein_target_key key = key_of(cgrp, lane);
	struct rein_target *target;
	struct cache_slot *slot;

	local_bh_disable();
	slot = this_cpu_ptr(&cache[hash_64(key.cgroup_id + lane,
					   ilog2(CACHE_SLOTS))]);
	if (slot->key.cgroup_id == key.cgroup_id && slot->key.lane == lane &&
	    slot->gen == gen) {
		target = slot->target;
	} else {
		target = nearest(cgrp, lane);
		*slot = (struct cache_slot){ key, gen, target };
	}
	local_bh_enable();
	return target;
}

/* Returns whether all fitted; a walk that is torn by a change may be longer. */
static bool chain_walk(struct rein_chain *chain, struct rein_target *target,
		       enum rein_resource resource)
{
	struct rein_limit *limit;

	chain->n = 0;
	for (; target; target = rcu_dereference(target->parent)) {
		list_for_each_entry_rcu(limit, &target->limits[resource],
					node) {
			if (chain->n == REIN_CHAIN_MAX)
				return false;
			chain->limits[chain->n++] = limit;
		}
	}
	return true;
}

/**
 * rein_chain_collect() - every limit that binds a request at a target
 * @chain:	where to
 * @leaf:	where the request enters
 * @resource:	what it uses
 *
 * The chain is one generation's: no limit that was published before the last
 * one in it is missing.
 *
 * Context: RCU read side, which keeps the limits.
 */
void rein_chain_collect(struct rein_chain *chain, struct rein_target *leaf,
			enum rein_resource resource)
{
	unsigned int seq;
	bool whole;

	do {
		seq = read_seqbegin(&rein_config_seq);
		chain->gen = READ_ONCE(rein_config_gen);
		whole = chain_walk(chain, leaf, resource);
	} while (read_seqretry(&rein_config_seq, seq));
	/* Configuration keeps chains short enough. */
	WARN_ON_ONCE(!whole);
}

/**
 * rein_chain_find() - every limit that binds a request of a cgroup
 * @chain:	where to; empty if nothing does
 * @cgrp:	whose request
 * @resource:	what it uses
 *
 * Context: RCU read side, which keeps the limits.
 *
 * Return: the nearest target at or above @cgrp, or NULL.
 */
struct rein_target *rein_chain_find(struct rein_chain *chain,
				    struct cgroup *cgrp,
				    enum rein_resource resource)
{
	struct rein_target *leaf;
	unsigned int seq;
	bool whole;

	do {
		seq = read_seqbegin(&rein_config_seq);
		/* Before the table is looked at: see nearest_cached(). */
		chain->gen = smp_load_acquire(&rein_config_gen);
		leaf = nearest_cached(cgrp, rein_lane_of(resource), chain->gen);
		whole = chain_walk(chain, leaf, resource);
	} while (read_seqretry(&rein_config_seq, seq));
	WARN_ON_ONCE(!whole);
	return leaf;
}

/* --- configuration ---------------------------------------------------------- */

static struct rein_target *parent_of(const struct rein_target *target)
{
	return rcu_dereference_protected(target->parent,
					 lockdep_is_held(&rein_mutex));
}

static struct list_head *children_of(struct rein_target *parent)
{
	return parent ? &parent->children : &topmost;
}

/**
 * rein_target_lookup() - the target of a cgroup
 * @cgrp:	the cgroup
 * @lane:	which of its targets
 *
 * Context: rein_mutex held.
 *
 * Return: the target, or NULL if the cgroup has no such limit of its own.
 */
struct rein_target *rein_target_lookup(const struct cgroup *cgrp,
				       enum rein_lane lane)
{
	struct rein_target *target;

	lockdep_assert_held(&rein_mutex);
	rcu_read_lock();
	target = find(cgrp, lane);
	rcu_read_unlock();
	return target;
}

/* The nearest target at or above a cgroup, for configuration. */
static struct rein_target *nearest_locked(struct cgroup *cgrp,
					  enum rein_lane lane)
{
	struct rein_target *target;

	rcu_read_lock();
	target = cgrp ? nearest(cgrp, lane) : NULL;
	rcu_read_unlock();
	return target;
}

/*
 * A target that only runs empty, at the top and above a cgroup. Takers in its
 * line may be bound anew by what comes further down: that has to be in the same
 * tree. If there are several, they are in one.
 */
static struct rein_target *unlisted_above(struct cgroup *cgrp,
					  enum rein_lane lane)
{
	struct rein_target *pos;

	if (!n_unlisted)
		return NULL;
	list_for_each_entry(pos, &topmost, siblings)
		if (pos->unlisted && pos->key.lane == lane &&
		    pos->cgrp != cgrp && cgroup_is_descendant(cgrp, pos->cgrp))
			return pos;
	return NULL;
}

static struct rein_target *target_new(struct cgroup *cgrp, enum rein_lane lane)
{
	struct rein_target *target, *above;
	unsigned int i;

	target = kzalloc(sizeof(*target), GFP_KERNEL_ACCOUNT);
	if (!target)
		return NULL;
	target->key = key_of(cgrp, lane);
	for (i = 0; i < REIN_RESOURCES; i++)
		INIT_LIST_HEAD(&target->limits[i]);
	INIT_LIST_HEAD(&target->children);
	above = nearest_locked(cgroup_parent(cgrp), lane) ?:
		unlisted_above(cgrp, lane);
	if (rein_room_open(target, above)) {
		kfree(target);
		return NULL;
	}
	/* They share a tree, but what else is below it has left it already. */
	if (above && above->unlisted)
		RCU_INIT_POINTER(target->parent, NULL);
	cgroup_get(cgrp);
	target->cgrp = cgrp;
	return target;
}

static void target_free(struct rcu_head *rcu)
{
	struct rein_target *target;

	target = container_of(rcu, struct rein_target, rcu);
	cgroup_put(target->cgrp);
	kfree(target);
}

/**
 * rein_target_get() - the target of a cgroup, made if there is none
 * @cgrp:	the cgroup
 * @lane:	which of its targets
 *
 * One without limits changes nothing for anybody. It goes away by itself: see
 * rein_target_settle().
 *
 * Context: may sleep; rein_mutex held.
 *
 * Return: the target, or NULL without memory.
 */
struct rein_target *rein_target_get(struct cgroup *cgrp, enum rein_lane lane)
{
	struct rein_target *target = rein_target_lookup(cgrp, lane);
	struct rein_target *parent, *child, *next;

	if (target)
		return target;
	target = target_new(cgrp, lane);
	if (!target)
		return NULL;
	if (rhashtable_insert_fast(&targets, &target->hash, params)) {
		/* Nobody has found it. */
		rein_room_close(target);
		call_rcu(&target->rcu, target_free);
		return NULL;
	}

	parent = parent_of(target);
	/* With many siblings to look at: where no cgroup is, there is no target. */
	list_for_each_entry_safe(child, next, children_of(parent), siblings) {
		if (list_empty(&cgrp->self.children))
			break;
		if (child->key.lane != lane ||
		    !cgroup_is_descendant(child->cgrp, cgrp))
			continue;
		list_move_tail(&child->siblings, &target->children);
		rein_room_move(child, target);
	}
	list_add_tail(&target->siblings, children_of(parent));
	if (!n_targets++)
		queue_delayed_work(system_power_efficient_wq, &reap_work,
				   REIN_CGROUP_LOOK);
	return target;
}

/* Whoever looks from now on finds the one above. */
static void target_unlist(struct rein_target *target)
{
	if (target->unlisted)
		return;
	target->unlisted = true;
	n_unlisted++;
	rhashtable_remove_fast(&targets, &target->hash, params);
	write_seqlock_bh(&rein_config_seq);
	/* After the removal: whoever has this generation can't find it. */
	smp_store_release(&rein_config_gen, rein_config_gen + 1);
	write_sequnlock_bh(&rein_config_seq);
}

/*
 * Remove a target without limits. Returns false if somebody who found it just
 * before has begun to wait there: then it only runs empty, to be tried again.
 */
static bool target_remove(struct rein_target *target)
{
	struct rein_target *parent = parent_of(target), *child, *next;

	target_unlist(target);
	list_for_each_entry_safe(child, next, &target->children, siblings) {
		list_move_tail(&child->siblings, children_of(parent));
		rein_room_move(child, parent);
	}
	if (!rein_room_close(target))
		return false;
	list_del(&target->siblings);
	n_unlisted--;
	call_rcu(&target->rcu, target_free);
	if (!--n_targets)
		rein_hook_need(0);
	return true;
}

/**
 * rein_target_settle() - a target may have lost its last limit
 * @target:	the target; it may be gone when this returns
 *
 * If it has, it is removed as soon as nothing waits in its room any more.
 *
 * Context: may sleep; rein_mutex held.
 */
void rein_target_settle(struct rein_target *target)
{
	if (target->n_limits)
		return;
	if (!rein_room_idle(target) || !target_remove(target))
		mod_delayed_work(system_power_efficient_wq, &reap_work,
				 REAP_SOON);
}

/*
 * What is metered, or was: whoever waits goes on at the hook it came from.
 */
static unsigned int hooks_needed(void)
{
	unsigned int resources = rein_limit_resources();
	struct rein_target *pos;

	if (!(rein_hook_needed() & ~resources))
		return resources;
	for (pos = rein_target_next(NULL, NULL); pos;
	     pos = rein_target_next(NULL, pos))
		if (!rein_room_idle(pos))
			resources |= BIT(rein_lane_resource(pos->key.lane));
	return resources;
}

/* Hooks that nothing is metered at any more go. */
static void unhook(void)
{
	if (!(rein_hook_needed() & ~hooks_needed()))
		return;
	/* Those who found a limit before it went may be on their way in. */
	synchronize_net();
	rein_hook_need(rein_hook_needed() & hooks_needed());
}

/**
 * rein_target_unhook() - a resource may have lost its last limit
 *
 * If it has, its hooks go as soon as nothing waits at them.
 *
 * Context: rein_mutex held.
 */
void rein_target_unhook(void)
{
	if (rein_hook_needed() & ~rein_limit_resources())
		mod_delayed_work(system_power_efficient_wq, &reap_work,
				 REAP_SOON);
}

/**
 * rein_target_next() - walk a branch, parents before their children
 * @top:	the branch; NULL: all there are
 * @pos:	where the walk is, NULL to begin
 *
 * Context: rein_mutex held.
 *
 * Return: the next target, NULL at the end. With a @top, begin with that.
 */
struct rein_target *rein_target_next(struct rein_target *top,
				     struct rein_target *pos)
{
	if (!pos)
		return top ?: list_first_entry_or_null(&topmost,
					struct rein_target, siblings);
	if (!list_empty(&pos->children))
		return list_first_entry(&pos->children, struct rein_target,
					siblings);
	while (pos && pos != top) {
		struct rein_target *parent = parent_of(pos);

		if (!list_is_last(&pos->siblings, children_of(parent)))
			return list_next_entry(pos, siblings);
		pos = parent;
	}
	return NULL;
}

static unsigned int count_limits(const struct rein_target *target,
				 const struct rein_target *until,
				 enum rein_resource resource)
{
	struct rein_limit *limit;
	unsigned int n = 0;

	for (; target != until; target = parent_of(target))
		list_for_each_entry(limit, &target->limits[resource], node)
			n++;
	return n;
}

/**
 * rein_target_chain_max() - the longest chain through a target
 * @target:	the target
 * @resource:	what is metered
 *
 * Context: rein_mutex held.
 *
 * Return: how many limits there are on the longest way from a target at or
 * below @target to the top.
 */
unsigned int rein_target_chain_max(struct rein_target *target,
				   enum rein_resource resource)
{
	unsigned int above = count_limits(parent_of(target), NULL, resource);
	unsigned int below = 0;
	struct rein_target *pos;

	for (pos = target; pos; pos = rein_target_next(target, pos))
		below = max(below, count_limits(pos, parent_of(target),
						resource));
	return above + below;
}

/**
 * rein_target_flush() - drop waiting packets, wherever they are
 * @drop:	how: rein_queue_flush(), or rein_queue_cancel() with what that needs
 * @match:	those for which this is true
 * @what:	handed to @match
 *
 * Context: may sleep; rein_mutex held.
 */
void rein_target_flush(rein_drop_fn drop, rein_match_fn match, const void *what)
{
	struct rein_target *pos;

	lockdep_assert_held(&rein_mutex);
	for (pos = rein_target_next(NULL, NULL); pos;
	     pos = rein_target_next(NULL, pos))
		drop(pos, match, what);
}

/**
 * rein_target_number() - how many cgroups have targets
 *
 * Context: rein_mutex held.
 *
 * Return: the number, those that only run empty included.
 */
unsigned long rein_target_number(void)
{
	unsigned long cgroups = 0;
	enum rein_lane lane;
	struct rein_target *pos;

	for (pos = rein_target_next(NULL, NULL); pos;
	     pos = rein_target_next(NULL, pos)) {
		for (lane = 0; lane < pos->key.lane; lane++)
			if (rein_target_lookup(pos->cgrp, lane))
				break;
		cgroups += lane == pos->key.lane;
	}
	return cgroups;
}

/* --- dead cgroups ------------------------------------------------------------ */

static void target_orphan(struct rein_target *target)
{
	struct rein_limit *limit, *next;
	unsigned int i;

	for (i = 0; i < REIN_RESOURCES; i++)
		list_for_each_entry_safe(limit, next, &target->limits[i], node)
			rein_limit_drop(limit, REIN_EVENT_ORPHANED);
}

/* Remove limits of dead cgroups, and targets that have run empty. */
static void reap(struct work_struct *work)
{
	struct rein_target *pos, *next;
	unsigned long delay = REIN_CGROUP_LOOK;

	mutex_lock(&rein_mutex);
	for (pos = rein_target_next(NULL, NULL); pos; pos = next) {
		next = rein_target_next(NULL, pos);
		/* Keeps the count above 0, so that nobody removes it here. */
		pos->n_limits++;
		if (rein_cgroup_dead(pos->cgrp))
			target_orphan(pos);
		pos->n_limits--;
		if (pos->n_limits)
			continue;
		/* If its children moved up they come next now. */
		if (rein_room_idle(pos) && target_remove(pos))
			next = rein_target_next(NULL, NULL);
		else
			delay = REAP_SOON;
	}
	unhook();
	if (rein_hook_needed() & ~rein_limit_resources())
		delay = REAP_SOON;
	if (n_targets)
		queue_delayed_work(system_power_efficient_wq, &reap_work,
				   delay);
	mutex_unlock(&rein_mutex);
}

/**
 * rein_target_init() - make the table
 *
 * Return: 0 or -ENOMEM.
 */
int rein_target_init(void)
{
	rein_cgroup_look(&reap_work);
	return rhashtable_init(&targets, &params);
}

/**
 * rein_target_exit() - undo rein_target_init()
 *
 * Context: there are no limits any more, and hooks are gone.
 */
void rein_target_exit(void)
{
	struct rein_target *pos;

	mutex_lock(&rein_mutex);
	while ((pos = rein_target_next(NULL, NULL)))
		if (WARN_ON_ONCE(!target_remove(pos)))
			break;
	mutex_unlock(&rein_mutex);
	cancel_delayed_work_sync(&reap_work);
	/* Targets are freed by RCU callbacks in this module. */
	rcu_barrier();
	rhashtable_destroy(&targets);
}
