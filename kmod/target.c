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
#include "socket.h"
#include "tally.h"
#include "target.h"
#include "tree.h"

/* How often we look whether a target without limits has run empty. */
#define REAP_SOON	max(1, HZ / 50)

#define CACHE_SLOTS	64

/* So few sockets are no burden, even if all are closed. */
#define SOCKETS_MANY	1024

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
static unsigned long n_sockets;		/* of these; rein_mutex, but see find_of() */
static unsigned long n_looked;		/* n_sockets when last looked; rein_mutex */
static LIST_HEAD(topmost);		/* rein_mutex */
static LIST_HEAD(sockets);		/* rein_mutex */

static void reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(reap_work, reap);
static void reap_sockets(struct work_struct *work);
static DECLARE_DELAYED_WORK(socket_work, reap_sockets);

/* --- the data path: from a cgroup, or a socket, to its chain ----------------------- */

static struct rein_target_key key_of(const struct cgroup *cgrp,
				     enum rein_lane lane)
{
	return (struct rein_target_key){ .id = cgroup_id(cgrp), .lane = lane };
}

static struct rein_target *find(const struct cgroup *cgrp, enum rein_lane lane)
{
	struct rein_target_key key = key_of(cgrp, lane);

	return rhashtable_lookup(&targets, &key, params);
}

/* A socket without a cookie has no limit: making its target makes it one. */
static struct rein_target *find_socket(const struct sock *sk,
				       enum rein_lane lane)
{
	struct rein_target_key key = {
		.id = atomic64_read(&sk->sk_cookie),
		.lane = lane,
		.is_socket = true,
	};

	return key.id ? rhashtable_lookup(&targets, &key, params) : NULL;
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
	slot = this_cpu_ptr(&cache[hash_64(key.id + lane,
					   ilog2(CACHE_SLOTS))]);
	if (slot->key.id == key.id && slot->key.lane == lane &&
	    slot->gen == gen) {
		target = slot->target;
	} else {
		target = nearest(cgrp, lane);
		*slot = (struct cache_slot){ key, gen, target };
	}
	local_bh_enable();
	return target;
}

/* Those of the socket come first. */
static bool chain_has_copy(const struct rein_chain *chain,
			   const struct rein_limit *limit)
{
	unsigned int i;

	for (i = 0; i < chain->n && chain->limits[i]->target->sk; i++)
		if (chain->limits[i]->origin == limit)
			return true;
	return false;
}

/*
 * Returns whether all fitted; a walk that is torn by a change may be longer. A copy is in the
 * place of the limit that it is one of.
 */
static bool chain_walk(struct rein_chain *chain, struct rein_target *target,
		       enum rein_resource resource)
{
	struct rein_limit *limit;

	chain->n = 0;
	chain->shared = false;
	for (; target; target = rcu_dereference(target->parent)) {
		list_for_each_entry_rcu(limit, &target->limits[resource],
					node) {
			if (limit->per_socket) {
				if (chain_has_copy(chain, limit))
					continue;
				chain->shared = true;
			}
			if (chain->n == ARRAY_SIZE(chain->limits))
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

/*
 * The target that a socket's request, or, without a socket, a cgroup's, enters its chain at.
 * What is configured in this generation is seen: the number of sockets was changed before.
 */
static struct rein_target *find_of(const struct sock *sk, struct cgroup *cgrp,
				   enum rein_lane lane, u64 gen)
{
	struct rein_target *leaf = NULL;

	if (sk && READ_ONCE(n_sockets))
		leaf = find_socket(sk, lane);
	return leaf ?: nearest_cached(cgrp, lane, gen);
}

static struct rein_target *chain_find(struct rein_chain *chain,
				      const struct sock *sk,
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
		leaf = find_of(sk, cgrp, rein_lane_of(resource), chain->gen);
		whole = chain_walk(chain, leaf, resource);
	} while (read_seqretry(&rein_config_seq, seq));
	WARN_ON_ONCE(!whole);
	return leaf;
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
	return chain_find(chain, NULL, cgrp, resource);
}

/**
 * rein_chain_of() - every limit that binds a request of a socket
 * @chain:	where to; empty if nothing does
 * @sk:		whose request; a full socket
 * @resource:	what it uses
 *
 * Context: RCU read side, which keeps the limits.
 *
 * Return: the socket's own target, else the nearest at or above its cgroup, or NULL.
 */
struct rein_target *rein_chain_of(struct rein_chain *chain,
				  const struct sock *sk,
				  enum rein_resource resource)
{
	return chain_find(chain, sk, rein_socket_cgroup(sk), resource);
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
 * rein_target_lookup() - the target of a cgroup, or of a socket
 * @at:		the cgroup or socket
 * @lane:	which of its targets
 *
 * Context: rein_mutex held.
 *
 * Return: the target, or NULL if there is no such limit at this very place.
 */
struct rein_target *rein_target_lookup(const struct rein_at *at,
				       enum rein_lane lane)
{
	struct rein_target *target;

	lockdep_assert_held(&rein_mutex);
	rcu_read_lock();
	target = at->sk ? find_socket(at->sk, lane) : find(at->cgrp, lane);
	rcu_read_unlock();
	return target;
}

/**
 * rein_target_is() - is a target that of this place?
 * @target:	the target
 * @at:		a cgroup, or a socket
 *
 * Return: whether it is.
 */
bool rein_target_is(const struct rein_target *target,
		    const struct rein_at *at)
{
	return target->cgrp == at->cgrp && target->sk == at->sk;
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
		if (pos->unlisted && pos->key.lane == lane && !pos->sk &&
		    pos->cgrp != cgrp && cgroup_is_descendant(cgrp, pos->cgrp))
			return pos;
	return NULL;
}

/* What is above a place that has no target yet; of cgroups only, see unlisted_above(). */
static struct rein_target *above_of(const struct rein_at *at,
				    enum rein_lane lane)
{
	if (at->sk)
		return nearest_locked(at->cgrp, lane);
	return nearest_locked(cgroup_parent(at->cgrp), lane) ?:
	       unlisted_above(at->cgrp, lane);
}

static void target_name(struct rein_target *target, const struct rein_at *at,
			enum rein_lane lane)
{
	cgroup_get(at->cgrp);
	target->cgrp = at->cgrp;
	target->key = key_of(at->cgrp, lane);
	if (!at->sk)
		return;
	sock_hold(at->sk);
	target->sk = at->sk;
	target->key.id = rein_socket_cookie(at->sk);
	target->key.is_socket = true;
}

static struct rein_target *target_new(const struct rein_at *at,
				      enum rein_lane lane, gfp_t gfp)
{
	struct rein_target *target, *above;
	unsigned int i;

	target = kzalloc(sizeof(*target), gfp);
	if (!target)
		return NULL;
	for (i = 0; i < REIN_RESOURCES; i++)
		INIT_LIST_HEAD(&target->limits[i]);
	INIT_LIST_HEAD(&target->children);
	above = above_of(at, lane);
	if (rein_tree_open(target, above)) {
		kfree(target);
		return NULL;
	}
	/* They share a tree, but what else is below it has left it already. */
	if (above && above->unlisted)
		RCU_INIT_POINTER(target->parent, NULL);
	target_name(target, at, lane);
	return target;
}

static void target_free(struct rcu_head *rcu)
{
	struct rein_target *target;

	target = container_of(rcu, struct rein_target, rcu);
	if (target->sk)
		sock_put(target->sk);
	cgroup_put(target->cgrp);
	kfree(target);
}

/* What is below a new target was below the one above it. */
static void target_adopt(struct rein_target *target, struct rein_target *parent)
{
	struct rein_target *child, *next;

	list_for_each_entry_safe(child, next, children_of(parent), siblings) {
		/*
		 * With many to look at: behind the sockets, and if below no cgroup is.
		 * But one that runs empty may be at the same cgroup.
		 */
		if (!child->sk && !n_unlisted && list_empty(&target->cgrp->self.children))
			break;
		if (child->key.lane != target->key.lane ||
		    !cgroup_is_descendant(child->cgrp, target->cgrp))
			continue;
		list_move_tail(&child->siblings, &target->children);
		rein_tree_move(child, target);
	}
}

/*
 * Look soon if the sockets have become many: who opens and closes them all the time is not to
 * keep more that are closed than there are others.
 */
static void socket_come(struct rein_target *target)
{
	list_add(&target->sockets, &sockets);
	WRITE_ONCE(n_sockets, n_sockets + 1);
	if (n_sockets > 2 * n_looked + SOCKETS_MANY)
		mod_delayed_work(system_power_efficient_wq, &socket_work, 0);
	else
		queue_delayed_work(system_power_efficient_wq, &socket_work,
				   REIN_SOCKET_LOOK);
}

/**
 * rein_target_get() - the target of a cgroup or a socket, made if there is none
 * @at:		the cgroup or socket
 * @lane:	which of its targets
 * @gfp:	how to get memory for it
 *
 * One without limits changes nothing for anybody. It goes away by itself: see
 * rein_target_settle().
 *
 * Context: may sleep; rein_mutex held.
 *
 * Return: the target, or NULL without memory.
 */
struct rein_target *rein_target_get(const struct rein_at *at,
				    enum rein_lane lane, gfp_t gfp)
{
	struct rein_target *target = rein_target_lookup(at, lane);
	struct rein_target *parent;

	if (target)
		return target;
	target = target_new(at, lane, gfp);
	if (!target)
		return NULL;
	if (rhashtable_insert_fast(&targets, &target->hash, params)) {
		/* Nobody has found it. */
		rein_tree_close(target);
		call_rcu(&target->rcu, target_free);
		return NULL;
	}

	parent = parent_of(target);
	if (at->sk) {
		list_add(&target->siblings, children_of(parent));
		socket_come(target);
	} else {
		target_adopt(target, parent);
		list_add_tail(&target->siblings, children_of(parent));
	}
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
	/* Sockets come first in there, too. */
	list_for_each_entry_safe_reverse(child, next, &target->children,
					 siblings) {
		if (child->sk)
			list_move(&child->siblings, children_of(parent));
		else
			list_move_tail(&child->siblings, children_of(parent));
		rein_tree_move(child, parent);
	}
	if (!rein_tree_close(target))
		return false;
	list_del(&target->siblings);
	if (target->sk) {
		list_del(&target->sockets);
		WRITE_ONCE(n_sockets, n_sockets - 1);
	}
	n_unlisted--;
	call_rcu(&target->rcu, target_free);
	if (!--n_targets)
		rein_hook_need(rein_tally_resources());
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
	if (!rein_tree_idle(target) || !target_remove(target))
		mod_delayed_work(system_power_efficient_wq, &reap_work,
				 REAP_SOON);
}

/* What has limits, or is counted. */
static unsigned int metered(void)
{
	return rein_limit_resources() | rein_tally_resources();
}

/*
 * What is metered, or was: whoever waits goes on at the hook it came from.
 */
static unsigned int hooks_needed(void)
{
	unsigned int resources = metered();
	struct rein_target *pos;

	if (!(rein_hook_needed() & ~resources))
		return resources;
	for (pos = rein_target_next(NULL, NULL); pos;
	     pos = rein_target_next(NULL, pos))
		if (!rein_tree_idle(pos))
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
	if (rein_hook_needed() & ~metered())
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

static bool has_copy(const struct rein_target *target,
		     const struct rein_limit *limit)
{
	const struct rein_limit *pos;

	if (!target)
		return false;
	list_for_each_entry(pos, &target->limits[limit->resource], node)
		if (pos->origin == limit)
			return true;
	return false;
}

/**
 * rein_target_copied() - has a socket a copy of a limit?
 * @at:		the socket; of a cgroup: none
 * @limit:	the limit
 *
 * Context: rein_mutex held.
 *
 * Return: whether.
 */
bool rein_target_copied(const struct rein_at *at, const struct rein_limit *limit)
{
	return at->sk && limit->per_socket &&
	       has_copy(rein_target_lookup(at, rein_lane_of(limit->resource)), limit);
}

/**
 * rein_target_uncopied() - a limit that a socket shares, and ought not to
 * @at:		the socket
 * @resource:	what is metered
 * @skip:	but for so many of these, those that come first
 *
 * Context: rein_mutex held.
 *
 * Return: a limit per socket that binds it, of which it has no copy; NULL if there is none.
 */
struct rein_limit *rein_target_uncopied(const struct rein_at *at,
					enum rein_resource resource,
					unsigned int skip)
{
	const enum rein_lane lane = rein_lane_of(resource);
	struct rein_target *own = rein_target_lookup(at, lane), *pos;
	struct rein_limit *limit;

	pos = own ? parent_of(own) : nearest_locked(at->cgrp, lane);
	for (; pos; pos = parent_of(pos))
		list_for_each_entry(limit, &pos->limits[resource], node)
			if (limit->per_socket && !has_copy(own, limit) && !skip--)
				return limit;
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
			n += !limit->origin;
	return n;
}

/**
 * rein_target_full() - would one limit more be one too many?
 * @target:	where it would be
 * @resource:	what is metered
 *
 * Those of sockets count apart: whoever may limit his own has no say in what is limited
 * above. Copies don't: they are in the place of what is.
 *
 * Context: rein_mutex held.
 *
 * Return: whether a chain through @target is as long as it may be.
 */
bool rein_target_full(struct rein_target *target, enum rein_resource resource)
{
	unsigned int above = count_limits(parent_of(target), NULL, resource);
	unsigned int below = 0;
	struct rein_target *pos;

	if (target->sk)
		return count_limits(target, parent_of(target), resource) >=
		       REIN_SOCKET_MAX;
	for (pos = target; pos; pos = rein_target_next(target, pos))
		if (!pos->sk)
			below = max(below, count_limits(pos, parent_of(target),
							resource));
	return above + below >= REIN_CHAIN_MAX;
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
		const struct rein_at at = { .cgrp = pos->cgrp };

		if (pos->sk)
			continue;
		for (lane = 0; lane < pos->key.lane; lane++)
			if (rein_target_lookup(&at, lane))
				break;
		cgroups += lane == pos->key.lane;
	}
	return cgroups;
}

/**
 * rein_target_sockets() - how many targets are sockets
 *
 * Context: rein_mutex held.
 *
 * Return: the number; one that has limits on what it sends and on what it receives counts
 * twice.
 */
unsigned long rein_target_sockets(void)
{
	return n_sockets;
}

/* --- dead cgroups, and closed sockets ------------------------------------------ */

/* The target itself stays: it is for the caller to see what becomes of it. */
static void target_orphan(struct rein_target *target)
{
	struct rein_limit *limit, *next;
	unsigned int i;

	/* Above 0, so that nobody removes it with the last one. */
	target->n_limits++;
	for (i = 0; i < REIN_RESOURCES; i++)
		list_for_each_entry_safe(limit, next, &target->limits[i], node)
			rein_limit_drop(limit, REIN_EVENT_ORPHANED);
	target->n_limits--;
}

/* Remove limits of dead cgroups, and targets that have run empty. */
static void reap(struct work_struct *work)
{
	struct rein_target *pos, *next;
	unsigned long delay = REIN_CGROUP_LOOK;
	bool is_socket;

	mutex_lock(&rein_mutex);
	for (pos = rein_target_next(NULL, NULL); pos; pos = next) {
		if (!pos->sk && rein_cgroup_dead(pos->cgrp))
			target_orphan(pos);
		/* After that: with its limits their copies went, on sockets below. */
		next = rein_target_next(NULL, pos);
		if (pos->n_limits)
			continue;
		if (!rein_tree_idle(pos)) {
			delay = REAP_SOON;
			continue;
		}
		is_socket = pos->sk;
		if (!target_remove(pos))
			delay = REAP_SOON;
		else if (!is_socket)
			/* If its children moved up they come next now. */
			next = rein_target_next(NULL, NULL);
	}
	unhook();
	if (rein_hook_needed() & ~metered())
		delay = REAP_SOON;
	if (n_targets)
		queue_delayed_work(system_power_efficient_wq, &reap_work,
				   delay);
	mutex_unlock(&rein_mutex);
}

/*
 * What a socket has left behind is not to be charged to all that have no copies: it goes at the
 * copies' rates, until it is gone or stale.
 */
static bool is_needed(struct rein_target *target)
{
	const struct rein_limit *limit;
	unsigned int i;

	for (i = 0; i < REIN_RESOURCES; i++)
		list_for_each_entry(limit, &target->limits[i], node)
			if (limit->origin)
				return !rein_tree_idle(target);
	return false;
}

/* Remove limits of closed sockets. */
static void reap_sockets(struct work_struct *work)
{
	struct rein_target *pos, *next;

	mutex_lock(&rein_mutex);
	list_for_each_entry_safe(pos, next, &sockets, sockets) {
		if (!rein_socket_gone(pos->sk) || is_needed(pos))
			continue;
		target_orphan(pos);
		rein_target_settle(pos);
		cond_resched();
	}
	n_looked = n_sockets;
	if (n_sockets)
		queue_delayed_work(system_power_efficient_wq, &socket_work,
				   REIN_SOCKET_LOOK);
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
	cancel_delayed_work_sync(&socket_work);
	/* Targets are freed by RCU callbacks in this module. */
	rcu_barrier();
	rhashtable_destroy(&targets);
}
