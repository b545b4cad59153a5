// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: what they are and how they come, change and go. See limit.h.
 */
#include <linux/cred.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "copy.h"
#include "expiry.h"
#include "hook.h"
#include "limit.h"
#include "line.h"
#include "netlink.h"
#include "own.h"
#include "record.h"
#include "slice.h"
#include "spec.h"
#include "target.h"
#include "tree.h"

DEFINE_MUTEX(rein_mutex);
DEFINE_SEQLOCK(rein_config_seq);
u64 rein_config_gen = 1;

/* All under rein_mutex. */
static DEFINE_XARRAY(limits);
static u64 last_id;
static unsigned long n_limits[REIN_RESOURCES];
static unsigned int n_changes;

/* --- what it comes to ---------------------------------------------------------- */

/**
 * rein_limit_time() - how long a cost takes at the rates of a limit
 * @limit:	the limit, locked or not yet published
 * @bytes:	the cost in bytes
 * @packets:	the cost in packets or calls
 *
 * Return: ns from empty buckets, by the slowest tier; REIN_NEVER at a closed
 * rate.
 */
u64 rein_limit_time(const struct rein_limit *limit, u64 bytes, u64 packets)
{
	u64 longest = 0;
	unsigned int i;

	for (i = 0; i < limit->n_tiers; i++) {
		const struct rein_tier *tier = &limit->tiers[i];
		struct rein_bucket empty = {
			.rate = tier->bucket.rate,
			.burst = U64_MAX,
		};
		u64 cost = tier->unit == REIN_UNIT_BYTES ? bytes : packets;

		longest = max(longest, rein_bucket_wait(&empty, cost, false));
	}
	return longest;
}

/**
 * rein_limit_burst() - the most tokens that a limit can hold
 * @limit:	the limit; under RCU
 *
 * Return: the smallest burst of its tiers.
 */
u64 rein_limit_burst(struct rein_limit *limit)
{
	u64 burst = U64_MAX;
	unsigned int i;

	spin_lock_bh(&limit->lock);
	for (i = 0; i < limit->n_tiers; i++)
		burst = min(burst, limit->tiers[i].bucket.burst);
	spin_unlock_bh(&limit->lock);
	return burst;
}

/* What takes turns below this target: packets if only these are metered. */
static enum rein_unit turn_unit(const struct rein_target *target)
{
	struct rein_limit *limit;
	bool any = false;
	unsigned int i;

	if (target->key.lane != REIN_LANE_PACKETS &&
	    target->key.lane != REIN_LANE_ARRIVALS)
		return REIN_UNIT_CALLS;
	list_for_each_entry(limit, &target->limits[rein_lane_resource(target->key.lane)],
			    node) {
		for (i = 0; i < limit->n_tiers; i++) {
			if (limit->tiers[i].unit == REIN_UNIT_BYTES)
				return REIN_UNIT_BYTES;
			any = true;
		}
	}
	return any ? REIN_UNIT_PACKETS : REIN_UNIT_BYTES;
}

/* --- finding ------------------------------------------------------------------ */

/* Copies are found with what they are copies of. */
static struct rein_limit *find_on(const struct rein_at *at, const char *name)
{
	const struct rein_target *target;
	struct rein_limit *limit;
	unsigned int i;

	for (i = 0; i < REIN_RESOURCES; i++) {
		target = rein_target_lookup(at, rein_lane_of(i));
		if (!target)
			continue;
		list_for_each_entry(limit, &target->limits[i], node)
			if (!limit->origin && !strcmp(limit->name, name))
				return limit;
	}
	return NULL;
}

/**
 * rein_limit_visible() - may somebody know of a limit?
 * @limit:	the limit
 * @viewer:	the cgroup of who asks, NULL for an administrator
 *
 * Context: rein_mutex held.
 *
 * Return: whether it is above or below the viewer's cgroup.
 */
bool rein_limit_visible(const struct rein_limit *limit, struct cgroup *viewer)
{
	struct cgroup *cgrp = limit->target->cgrp;

	return !viewer || cgroup_is_descendant(cgrp, viewer) ||
	       cgroup_is_descendant(viewer, cgrp);
}

/* The only one of that name, ERR_PTR(-ENOTUNIQ) if there are several, or NULL. */
static struct rein_limit *find_only(const struct rein_limit_spec *spec,
				    bool of_socket)
{
	struct rein_limit *limit, *found = NULL;
	unsigned long id;

	xa_for_each(&limits, id, limit) {
		if (strcmp(limit->name, spec->name) ||
		    !limit->target->sk != !of_socket || limit->origin ||
		    !rein_limit_visible(limit, spec->viewer))
			continue;
		if (found)
			return ERR_PTR(-ENOTUNIQ);
		found = limit;
	}
	return found;
}

/*
 * Where it is wasn't said. Those of cgroups come first, so that nobody can get in their way by
 * a limit on a socket of his own.
 */
static struct rein_limit *find_anywhere(const struct rein_limit_spec *spec)
{
	return find_only(spec, false) ?: find_only(spec, true);
}

static int fail_ambiguous(const struct rein_limit_spec *spec,
			  struct rein_ask *ask)
{
	return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_NAME),
			 REIN_E_LIMIT_AMBIGUOUS,
			 "several targets have a limit of that name",
			 "several targets have a limit named %s", spec->name);
}

/**
 * rein_limit_find() - the limit that a request means
 * @spec:	its name and, if said, its cgroup or socket
 * @ask:	the request
 *
 * Context: rein_mutex held.
 *
 * Return: the limit; ERR_PTR(), with a record, if there is none, or if there
 * are several and it wasn't said where.
 */
struct rein_limit *rein_limit_find(const struct rein_limit_spec *spec,
				   struct rein_ask *ask)
{
	struct rein_limit *found;
	int err;

	lockdep_assert_held(&rein_mutex);
	err = rein_spec_check_name(spec, ask);
	if (err)
		return ERR_PTR(err);
	found = spec->at.cgrp ? find_on(&spec->at, spec->name) :
				find_anywhere(spec);
	if (IS_ERR(found))
		return ERR_PTR(fail_ambiguous(spec, ask));
	if (!found || !rein_limit_visible(found, spec->viewer))
		return ERR_PTR(rein_fail(ask,
			rein_ask_attr(ask, REIN_A_LIMIT_NAME),
			REIN_E_LIMIT_UNKNOWN, "there is no such limit",
			"there is no limit named %s%s", spec->name,
			spec->at.cgrp ? " on that target" : ""));
	return found;
}

/**
 * rein_limit_next() - walk all limits
 * @id:		where to begin
 *
 * Context: rein_mutex held.
 *
 * Return: the limit with the least id that is at least @id, or NULL.
 */
struct rein_limit *rein_limit_next(u64 id)
{
	unsigned long at = id;

	lockdep_assert_held(&rein_mutex);
	return xa_find(&limits, &at, ULONG_MAX, XA_PRESENT);
}

/**
 * rein_limit_changes() - whether a list of limits is still what it was
 *
 * Context: rein_mutex held.
 *
 * Return: a number that is another one when a limit, but no copy, has come or gone.
 */
unsigned int rein_limit_changes(void)
{
	lockdep_assert_held(&rein_mutex);
	return n_changes;
}

/**
 * rein_limit_resources() - what is metered
 *
 * Context: rein_mutex held.
 *
 * Return: a bit for each resource that has a limit.
 */
unsigned int rein_limit_resources(void)
{
	unsigned int metered = 0, i;

	lockdep_assert_held(&rein_mutex);
	for (i = 0; i < REIN_RESOURCES; i++)
		if (n_limits[i])
			metered |= BIT(i);
	return metered;
}

/* --- coming ------------------------------------------------------------------ */

/**
 * rein_limit_free() - undo rein_limit_new()
 * @limit:	the limit, which nobody finds
 */
void rein_limit_free(struct rein_limit *limit)
{
	free_percpu(limit->slices);
	kfree(limit->ledger.courses);
	kfree(limit->tiers);
	kfree(limit);
}

static void limit_free_rcu(struct rcu_head *rcu)
{
	rein_limit_free(container_of(rcu, struct rein_limit, rcu));
}

/*
 * Memory for the tiers of a limit, and, if they are planned for, their courses.
 * Returns whether there was any.
 */
static bool tiers_alloc(enum rein_resource resource, unsigned int n,
			struct rein_tier **tiers, struct rein_course **courses,
			gfp_t gfp)
{
	*courses = NULL;
	*tiers = kcalloc(n, sizeof(**tiers), gfp);
	if (*tiers && resource == REIN_RESOURCE_CALL) {
		*courses = kcalloc(n, sizeof(**courses), gfp);
		if (!*courses) {
			kfree(*tiers);
			*tiers = NULL;
		}
	}
	return *tiers;
}

static struct rein_limit *limit_alloc(const struct rein_limit_spec *spec)
{
	const gfp_t gfp = spec->copy ? REIN_GFP_COPY : GFP_KERNEL_ACCOUNT;
	struct rein_course *courses;
	struct rein_limit *limit;

	limit = kzalloc(struct_size(limit, name, strlen(spec->name) + 1), gfp);
	if (!limit)
		return NULL;
	if (!tiers_alloc(rein_spec_resource(spec), spec->n_tiers, &limit->tiers,
			 &courses, gfp)) {
		kfree(limit);
		return NULL;
	}
	limit->n_tiers = spec->n_tiers;
	if (courses)
		rein_ledger_init(&limit->ledger, limit->tiers, courses,
				 limit->n_tiers);
	return limit;
}

/**
 * rein_limit_new() - make a limit that is attached to nothing yet
 * @spec:	what it is, checked
 *
 * Context: may sleep, but for a copy's memory.
 *
 * Return: the limit, with full buckets; NULL without memory.
 */
struct rein_limit *rein_limit_new(const struct rein_limit_spec *spec)
{
	struct rein_limit *limit = limit_alloc(spec);
	u64 now = ktime_get_ns();
	unsigned int i;

	if (!limit)
		return NULL;
	spin_lock_init(&limit->lock);
	strcpy(limit->name, spec->name);
	limit->resource = rein_spec_resource(spec);
	limit->over = spec->has_over ? spec->over : REIN_OVER_REFUSE;
	for (i = 0; i < spec->n_tiers; i++) {
		const struct rein_tier *tier = &spec->tiers[i];

		limit->tiers[i].unit = tier->unit;
		rein_bucket_init(&limit->tiers[i].bucket, &tier->bucket.rate,
				 tier->bucket.burst, now);
	}
	limit->trusted = spec->trusted;
	limit->per_socket = spec->per_socket;
	INIT_LIST_HEAD(&limit->copies);
	limit->maker = current_uid();
	limit->own_patience = spec->has_patience;
	limit->own_queue = spec->has_queue;
	limit->patience_ns = spec->has_patience ? spec->patience_ns :
						  rein_default_patience(limit);
	limit->queue = spec->has_queue ? spec->queue : rein_default_queue(limit);
	limit->credit = spec->credit;
	timerqueue_init(&limit->expiry);
	return limit;
}

/*
 * From here on the data path finds it. A copy is in the place of its limit for all that waits
 * already: nobody begins to wait, or ceases to, while it takes over.
 */
static void limit_link(struct rein_limit *limit, struct rein_target *target)
{
	struct rein_tree *tree = rein_tree_lock(target);

	limit->target = target;
	target->n_limits++;
	n_limits[limit->resource]++;
	write_seqlock_bh(&rein_config_seq);
	WRITE_ONCE(rein_config_gen, rein_config_gen + 1);
	limit->born = limit->origin ? limit->origin->born : rein_config_gen;
	target->changed = rein_config_gen;
	list_add_rcu(&limit->node, &target->limits[limit->resource]);
	write_sequnlock_bh(&rein_config_seq);
	if (limit->origin)
		rein_copy_inherit(limit);
	else
		n_changes++;
	rein_tree_unlock(tree);
}

static int limit_store(struct rein_limit *limit, gfp_t gfp)
{
	int err;

	limit->id = last_id + 1;
	err = xa_err(xa_store(&limits, limit->id, limit, gfp));
	if (!err)
		last_id++;
	return err;
}

/**
 * rein_limit_attach() - put a limit on a cgroup or a socket
 * @limit:	the limit
 * @at:		where
 * @gfp:	how to get memory for it
 *
 * Context: may sleep; rein_mutex held.
 *
 * Return: 0; -ENOSPC: there are as many as there may be; -ENOMEM. Then nothing has changed.
 */
int rein_limit_attach(struct rein_limit *limit, const struct rein_at *at, gfp_t gfp)
{
	struct rein_target *target = rein_target_get(at, rein_lane_of(limit->resource), gfp);
	int err = -ENOMEM;

	lockdep_assert_held(&rein_mutex);
	if (!target)
		return -ENOMEM;
	if (!limit->origin && rein_target_full(target, limit->resource)) {
		err = -ENOSPC;
		goto err_target;
	}
	/* Where there is what a copy is of, hooks are. */
	if ((!limit->origin &&
	     rein_hook_need(rein_hook_needed() | BIT(limit->resource))) ||
	    limit_store(limit, gfp))
		goto err_target;
	limit_link(limit, target);
	rein_tree_kick(target, turn_unit(target));
	return 0;

err_target:
	rein_target_unhook();
	rein_target_settle(target);
	return err;
}

static int fail_full(const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	if (spec->at.sk)
		return rein_fail(ask,
				 rein_ask_attr(ask, REIN_A_LIMIT_SOCKET_FD),
				 REIN_E_CHAIN_LONG,
				 "the socket has 4 limits on that resource already",
				 "limit %s would be the 5th on one resource of a socket",
				 spec->name);
	return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_CGROUP_FD),
			 REIN_E_CHAIN_LONG,
			 "32 limits bind this cgroup or one below it already",
			 "limit %s would be the 33rd of one chain", spec->name);
}

/* --- those of users, on their own sockets --------------------------------------- */

/* What one may have of these is bounded. */
static int own_charge(const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	int err;

	if (spec->trusted)
		return 0;
	err = rein_own_charge(current_uid());
	if (err == -EDQUOT)
		return rein_fail(ask, NULL, REIN_E_LIMIT_MANY_OF_USER,
				 "the user has as many limits on sockets as one may have",
				 "user %u has %u limits on sockets and watches over traffic already",
				 from_kuid(&init_user_ns, current_uid()), rein_own_most());
	return err ? rein_fail_memory(ask, "for the request") : 0;
}

static void own_uncharge(bool trusted, kuid_t maker)
{
	if (!trusted)
		rein_own_uncharge(maker);
}

/* Who has a socket may not loosen what others have limited it by. */
static int check_own(const struct rein_limit *limit,
		     const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	if (spec->trusted ||
	    (!limit->trusted && uid_eq(limit->maker, current_uid())))
		return 0;
	return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_NAME),
			 REIN_E_PERMISSION,
			 "somebody else made that limit: this needs CAP_NET_ADMIN",
			 "user %u may not touch limit %s, which somebody else made",
			 from_kuid(&init_user_ns, current_uid()), limit->name);
}

/* --- adding ------------------------------------------------------------------------- */

static int limit_add(const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	struct rein_doing doing;
	struct rein_limit *limit;
	int err;

	if (!spec->n_tiers)
		return rein_fail(ask, NULL, REIN_E_TIERS_NONE,
				 "a new limit needs at least one tier",
				 "a limit named %s needs at least one tier",
				 spec->name);
	err = own_charge(spec, ask);
	if (err)
		return err;
	limit = rein_limit_new(spec);
	if (!limit) {
		err = rein_fail_memory(ask, "for the request");
		goto err_own;
	}
	rein_doing_begin(ask, &doing, REIN_SITE, "attaching limit", spec->name);
	err = rein_limit_attach(limit, &spec->at, GFP_KERNEL_ACCOUNT);
	if (err)
		err = err == -ENOSPC ? fail_full(spec, ask) :
				       rein_fail_memory(ask, "for the request");
	rein_doing_end(ask);
	if (err) {
		rein_limit_free(limit);
		goto err_own;
	}
	if (spec->has_lifetime)
		rein_expiry_set(limit, spec->lifetime_ns);
	rein_netlink_limit(limit, REIN_EVENT_ADDED);
	return 0;

err_own:
	own_uncharge(spec->trusted, current_uid());
	return err;
}

/**
 * rein_limit_add() - attach a new limit to a cgroup or a socket
 * @spec:	what it is
 * @ask:	the request, for errors
 *
 * Context: may sleep; rein_mutex held.
 *
 * Return: 0 or a negative errno, with a record; then nothing has changed.
 */
int rein_limit_add(const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	int err;

	err = rein_spec_check_new(spec, ask);
	if (err)
		return err;
	if (find_on(&spec->at, spec->name))
		return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_NAME),
				 REIN_E_LIMIT_EXISTS,
				 "the target has a limit of that name already",
				 "the target has a limit named %s already",
				 spec->name);
	return limit_add(spec, ask);
}

/* --- changing ------------------------------------------------------------------ */

/* The tier of a limit that a new one takes the tokens of: the same of a unit. */
static const struct rein_tier *tier_before(const struct rein_limit *limit,
					   const struct rein_limit_spec *spec,
					   unsigned int i)
{
	unsigned int nth = 0, j;

	for (j = 0; j < i; j++)
		nth += spec->tiers[j].unit == spec->tiers[i].unit;
	for (j = 0; j < limit->n_tiers; j++)
		if (limit->tiers[j].unit == spec->tiers[i].unit && !nth--)
			return &limit->tiers[j];
	return NULL;
}

/* Change over to new tiers, keeping tokens; the old ones are left in their place. */
static void limit_retier(struct rein_limit *limit,
			 const struct rein_limit_spec *spec,
			 struct rein_tier **new_tiers,
			 struct rein_course **new_courses)
{
	struct rein_course *courses = *new_courses;
	struct rein_tier *tiers = *new_tiers;
	u64 now = ktime_get_ns();
	unsigned int i;

	rein_slice_recall(limit);
	for (i = 0; i < spec->n_tiers; i++) {
		const struct rein_tier *before = tier_before(limit, spec, i);
		const struct rein_bucket *want = &spec->tiers[i].bucket;

		tiers[i].unit = spec->tiers[i].unit;
		if (before) {
			tiers[i].bucket = before->bucket;
			rein_bucket_set(&tiers[i].bucket, &want->rate,
					want->burst, now);
		} else {
			rein_bucket_init(&tiers[i].bucket, &want->rate,
					 want->burst, now);
			/* What is held of the others was never charged here. */
			tiers[i].bucket.held = limit->tiers->bucket.held;
			tiers[i].bucket.lost = limit->tiers->bucket.held;
		}
	}
	*new_tiers = limit->tiers;
	*new_courses = limit->ledger.courses;
	limit->tiers = tiers;
	limit->n_tiers = spec->n_tiers;
	/* Nobody is on the plan: see limit_set(). */
	if (courses)
		rein_ledger_init(&limit->ledger, tiers, courses, spec->n_tiers);
}

/* Change all but the tiers: with the limit's lock held. */
static void limit_adopt(struct rein_limit *limit,
			const struct rein_limit_spec *spec)
{
	if (spec->has_over)
		WRITE_ONCE(limit->over, spec->over);
	limit->own_patience |= spec->has_patience;
	limit->own_queue |= spec->has_queue;
	if (spec->has_patience)
		WRITE_ONCE(limit->patience_ns, spec->patience_ns);
	else if (!limit->own_patience)
		WRITE_ONCE(limit->patience_ns, rein_default_patience(limit));
	if (spec->has_queue)
		WRITE_ONCE(limit->queue, spec->queue);
	else if (!limit->own_queue)
		WRITE_ONCE(limit->queue, rein_default_queue(limit));
	if (spec->has_credit)
		WRITE_ONCE(limit->credit, spec->credit);
}

/* Memory for what has to have some before anything is changed, copies included. */
static bool spare_alloc(struct rein_limit *limit, unsigned int n,
			struct rein_course **courses)
{
	struct rein_course *none;
	struct rein_limit *copy;

	if (!tiers_alloc(limit->resource, n, &limit->spare, courses, GFP_KERNEL_ACCOUNT))
		return false;
	/* Those are not planned for. */
	list_for_each_entry(copy, &limit->copies, copy)
		if (!tiers_alloc(copy->resource, n, &copy->spare, &none, GFP_KERNEL_ACCOUNT))
			return false;
	return true;
}

static void spare_free(struct rein_limit *limit)
{
	struct rein_limit *copy;

	kfree(limit->spare);
	limit->spare = NULL;
	list_for_each_entry(copy, &limit->copies, copy) {
		kfree(copy->spare);
		copy->spare = NULL;
	}
}

static void limit_change(struct rein_limit *limit,
			 const struct rein_limit_spec *spec,
			 struct rein_course **courses)
{
	struct rein_tree *tree = rein_tree_lock(limit->target);

	/* What is planned was planned with the old rates. */
	rein_line_unplan(tree);
	spin_lock_bh(&limit->lock);
	if (limit->spare)
		limit_retier(limit, spec, &limit->spare, courses);
	limit_adopt(limit, spec);
	spin_unlock_bh(&limit->lock);
	rein_tree_unlock(tree);
	rein_tree_kick(limit->target, turn_unit(limit->target));
}

static int check_still(const struct rein_limit *limit,
		       const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	if (spec->has_resource && spec->resource != limit->resource)
		return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_RESOURCE),
				 REIN_E_RESOURCE_FIXED,
				 "the resource of a limit can't be changed",
				 "the resource of limit %s can't be changed",
				 limit->name);
	if (spec->per_socket && !limit->per_socket)
		return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_PER_SOCKET),
				 REIN_E_PER_SOCKET_UNFIT,
				 "a limit can't become one that is per socket",
				 "limit %s is not per socket, and can't become that",
				 limit->name);
	return 0;
}

static int limit_set(struct rein_limit *limit,
		     const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	struct rein_course *courses = NULL;
	struct rein_limit *copy;
	int err = check_own(limit, spec, ask) ?:
		  check_still(limit, spec, ask);

	if (err)
		return err;
	err = rein_spec_check_fit(spec, limit->resource, ask);
	if (err)
		return err;
	if (spec->n_tiers && !spare_alloc(limit, spec->n_tiers, &courses)) {
		kfree(courses);
		spare_free(limit);
		return rein_fail_memory(ask, "for the request");
	}

	limit_change(limit, spec, &courses);
	kfree(courses);
	courses = NULL;
	list_for_each_entry(copy, &limit->copies, copy) {
		limit_change(copy, spec, &courses);
		cond_resched();
	}
	spare_free(limit);

	if (spec->has_lifetime)
		rein_expiry_set(limit, spec->lifetime_ns);
	rein_netlink_limit(limit, REIN_EVENT_CHANGED);
	return 0;
}

/**
 * rein_limit_set() - change a limit
 * @spec:	which one, and what to change; what isn't said stays
 * @ask:	the request, for errors
 *
 * Tokens are kept, and who waits is looked at again at once.
 *
 * Context: may sleep; rein_mutex held.
 *
 * Return: 0 or a negative errno, with a record; then nothing has changed.
 */
int rein_limit_set(const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	struct rein_limit *limit;
	int err = rein_spec_check(spec, ask);

	if (err)
		return err;
	limit = rein_limit_find(spec, ask);
	return IS_ERR(limit) ? PTR_ERR(limit) : limit_set(limit, spec, ask);
}

/**
 * rein_limit_replace() - rein_limit_set() if there is such a limit on the
 *	target, else rein_limit_add()
 * @spec:	what it shall be
 * @ask:	the request, for errors
 *
 * Context: may sleep; rein_mutex held.
 *
 * Return: 0 or a negative errno, with a record; then nothing has changed.
 */
int rein_limit_replace(const struct rein_limit_spec *spec,
		       struct rein_ask *ask)
{
	struct rein_limit *limit;
	int err;

	err = rein_spec_check_new(spec, ask);
	if (err)
		return err;
	limit = find_on(&spec->at, spec->name);
	return limit ? limit_set(limit, spec, ask) : limit_add(spec, ask);
}

/* --- going ---------------------------------------------------------------------- */

static void limit_tell(struct rein_limit *limit, enum rein_event why)
{
	if (why == REIN_EVENT_EXPIRED)
		rein_record_limit(limit, REIN_E_EXPIRED, REIN_SITE,
				  "the limit removed itself: its time was over");
	else if (why == REIN_EVENT_ORPHANED && !limit->target->sk)
		rein_record_limit(limit, REIN_E_ORPHANED, REIN_SITE,
				  "the limit was removed together with its cgroup");
	rein_netlink_limit(limit, why);
}

/* The data path finds it no more. Nobody waits, or ceases to, while a copy is being bequeathed. */
static void limit_unlink(struct rein_limit *limit)
{
	struct rein_tree *tree = rein_tree_lock(limit->target);

	write_seqlock_bh(&rein_config_seq);
	WRITE_ONCE(rein_config_gen, rein_config_gen + 1);
	limit->target->changed = rein_config_gen;
	list_del_rcu(&limit->node);
	write_sequnlock_bh(&rein_config_seq);
	if (limit->origin)
		rein_copy_bequeath(limit);
	else
		n_changes++;
	rein_tree_unlock(tree);
}

/**
 * rein_limit_drop() - remove a limit
 * @limit:	the limit; its target may be gone when this returns
 * @why:	what it is removed for
 *
 * What waits for it is let go, as far as other limits do. That a socket was closed is no
 * event that would have to be recorded. Its copies go with it.
 *
 * Context: may sleep; rein_mutex held.
 */
void rein_limit_drop(struct rein_limit *limit, enum rein_event why)
{
	struct rein_target *target = limit->target;
	struct rein_limit *copy, *next;

	lockdep_assert_held(&rein_mutex);
	limit_unlink(limit);
	rein_tree_kick(target, turn_unit(target));
	/* After that: else the sockets would share it for a while. */
	list_for_each_entry_safe(copy, next, &limit->copies, copy) {
		rein_limit_drop(copy, why);
		cond_resched();
	}
	if (!limit->origin)
		limit_tell(limit, why);

	xa_erase(&limits, limit->id);
	rein_expiry_cancel(limit);
	target->n_limits--;
	n_limits[limit->resource]--;
	own_uncharge(limit->trusted, limit->maker);
	call_rcu(&limit->rcu, limit_free_rcu);
	rein_target_settle(target);
	rein_target_unhook();
}

/**
 * rein_limit_del() - remove the limit that a request means
 * @spec:	its name and, if said, its cgroup or socket
 * @ask:	the request, for errors
 *
 * Context: may sleep; rein_mutex held.
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_limit_del(const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	struct rein_limit *limit = rein_limit_find(spec, ask);
	int err;

	if (IS_ERR(limit))
		return PTR_ERR(limit);
	err = check_own(limit, spec, ask);
	if (err)
		return err;
	rein_limit_drop(limit, REIN_EVENT_DELETED);
	return 0;
}

/**
 * rein_limit_flush() - remove all limits
 *
 * Context: may sleep; rein_mutex held.
 */
void rein_limit_flush(void)
{
	struct rein_limit *limit;
	unsigned long id;

	xa_for_each(&limits, id, limit)
		rein_limit_drop(limit, REIN_EVENT_DELETED);
}

/**
 * rein_limit_exit() - wait for what limits left behind
 *
 * Context: there are no limits any more, nor anybody who could add one.
 */
void rein_limit_exit(void)
{
	/* Limits are freed by RCU callbacks in this module. */
	rcu_barrier();
	xa_destroy(&limits);
}
