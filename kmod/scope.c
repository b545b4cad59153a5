// SPDX-License-Identifier: GPL-2.0
/*
 * Scopes. See scope.h.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/wait_bit.h>
#include <linux/xarray.h>

#include "bind.h"
#include "call.h"
#include "limit.h"
#include "netlink-scope.h"
#include "race.h"
#include "record.h"
#include "scope.h"
#include "target.h"

static unsigned int scopes_per_user = 100000;
module_param(scopes_per_user, uint, 0644);
MODULE_PARM_DESC(scopes_per_user, "how many scopes one user may have (default: 100000)");

static DEFINE_XARRAY(scopes);		/* by id; RCU */
static atomic64_t last_id;
static atomic_long_t n_scopes;

static REIN_QUOTA(quota);

static struct workqueue_struct *wq;

/* Of children, or ties: with their lock, but there are readers without. */
static void count(unsigned int *n, int by)
{
	WRITE_ONCE(*n, *n + by);
}

/* --- ties ------------------------------------------------------------------------- */

/**
 * rein_tie() - let something end with a scope
 * @tie:	the tie; to be undone by rein_untie()
 * @scope:	the scope
 * @cut:	see struct rein_tie
 *
 * Return: true; false if the scope is done: then there is nothing to undo.
 */
bool rein_tie(struct rein_tie *tie, struct rein_scope *scope,
	      void (*cut)(struct rein_tie *tie))
{
	bool done;

	tie->cut = cut;
	tie->busy = false;
	spin_lock(&scope->lock);
	/* After it is set nobody looks at the ties again. */
	done = scope->cause;
	tie->scope = done ? NULL : rein_scope_get(scope);
	if (!done) {
		list_add_tail(&tie->node, &scope->ties);
		count(&scope->n_ties, 1);
	}
	spin_unlock(&scope->lock);
	return !done;
}

/**
 * rein_untie() - undo rein_tie()
 * @tie:	the tie; after that its @cut doesn't run any more
 */
void rein_untie(struct rein_tie *tie)
{
	struct rein_scope *scope = tie->scope;

	if (!scope)
		return;
	spin_lock(&scope->lock);
	if (!list_empty(&tie->node)) {
		list_del(&tie->node);
		count(&scope->n_ties, -1);
	}
	spin_unlock(&scope->lock);
	/* Pairs with cut_ties(). */
	wait_var_event(&tie->busy, !smp_load_acquire(&tie->busy));
	tie->scope = NULL;
	rein_scope_put(scope);
}

/*
 * End what is tied, the newest first: of those that wait in one line nobody who is
 * to leave has to be planned anew.
 */
static void cut_ties(struct rein_scope *scope)
{
	struct rein_tie *tie;

	spin_lock(&scope->lock);
	while (!list_empty(&scope->ties)) {
		tie = list_last_entry(&scope->ties, struct rein_tie, node);
		list_del_init(&tie->node);
		count(&scope->n_ties, -1);
		tie->busy = true;
		spin_unlock(&scope->lock);
		tie->cut(tie);
		/* From here on it may be gone: to wake up takes its address only. */
		smp_store_release(&tie->busy, false);
		/* Or it could not be seen that somebody waits: see wake_up_var(). */
		smp_mb();
		wake_up_var(&tie->busy);
		cond_resched();
		spin_lock(&scope->lock);
	}
	spin_unlock(&scope->lock);
}

/* --- the end ------------------------------------------------------------------------ */

static void scope_end(struct rein_scope *scope, enum rein_cause cause,
		      const struct rein_end *end)
{
	lockdep_assert_held(&scope->family->lock);
	scope->end = *end;
	spin_lock(&scope->lock);
	/* Pairs with rein_scope_cause(). */
	smp_store_release(&scope->cause, cause);
	spin_unlock(&scope->lock);
	if (scope->page)
		WRITE_ONCE(((struct rein_scope_page *)
			    page_address(scope->page))->cause, cause);
	wake_up_poll(&scope->wait, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
	cut_ties(scope);
	/* Before what a worker does to the scopes of cgroups below, and tells of. */
	rein_netlink_scope(scope, REIN_SCOPE_EVENT_DONE);
	rein_bind_end(scope);
}

/* Not what is done, or has won: that stays, and all below it. */
static bool scope_ends(struct rein_scope *scope)
{
	if (scope->settled)
		rein_race_spared(scope);
	return !scope->settled && !scope->cause;
}

/* The next after @pos of a walk below @top that doesn't go below @pos; or NULL. */
static struct rein_scope *walk_past(struct rein_scope *top,
				    struct rein_scope *pos)
{
	while (pos != top) {
		struct rein_scope *parent = pos->parent;

		if (!list_is_last(&pos->siblings, &parent->children))
			return list_next_entry(pos, siblings);
		pos = parent;
	}
	return NULL;
}

static struct rein_scope *walk_on(struct rein_scope *top,
				  struct rein_scope *pos)
{
	if (list_empty(&pos->children))
		return walk_past(top, pos);
	return list_first_entry(&pos->children, struct rein_scope, siblings);
}

/* End a scope, and then all below it. Takes over what @end holds. */
static void tree_end(struct rein_scope *top, enum rein_cause cause,
		     const struct rein_end *end)
{
	struct rein_scope *pos;
	struct rein_end below = *end;

	scope_end(top, cause, end);
	below.pid = NULL;
	below.reason = NULL;
	/* Of a duplicate the winner is the origin; of those below it, it is. */
	if (cause != REIN_CAUSE_PARENT)
		below.origin = top->id;
	pos = walk_on(top, top);
	while (pos) {
		bool ends = scope_ends(pos);

		if (ends)
			scope_end(pos, REIN_CAUSE_PARENT, &below);
		cond_resched();
		pos = ends ? walk_on(top, pos) : walk_past(top, pos);
	}
}

/**
 * rein_cause_name() - the word for a cause
 * @cause:	enum rein_cause
 *
 * Return: a string that lives as long as the module.
 */
const char *rein_cause_name(u32 cause)
{
	static const char *const names[] = {
		[REIN_CAUSE_NONE] = "none",
		[REIN_CAUSE_TIMEOUT] = "timeout",
		[REIN_CAUSE_USER] = "user",
		[REIN_CAUSE_PARENT] = "parent",
		[REIN_CAUSE_DUPLICATE] = "duplicate",
		[REIN_CAUSE_OWNER_EXIT] = "owner-exit",
	};

	return names[cause];
}

static enum rein_code code_of(enum rein_cause cause)
{
	static const enum rein_code codes[] = {
		[REIN_CAUSE_TIMEOUT] = REIN_E_SCOPE_TIMEOUT,
		[REIN_CAUSE_USER] = REIN_E_SCOPE_USER,
		[REIN_CAUSE_PARENT] = REIN_E_SCOPE_PARENT,
		[REIN_CAUSE_DUPLICATE] = REIN_E_SCOPE_DUPLICATE,
		[REIN_CAUSE_OWNER_EXIT] = REIN_E_SCOPE_OWNER_EXIT,
	};

	return codes[cause];
}

static const char *words_of(enum rein_cause cause)
{
	static const char *const words[] = {
		[REIN_CAUSE_TIMEOUT] = "the deadline of a scope passed",
		[REIN_CAUSE_USER] = "a scope was cancelled",
		[REIN_CAUSE_PARENT] =
			"a scope was cancelled: one above, that is bound to a cgroup, is done",
		[REIN_CAUSE_DUPLICATE] =
			"duplicates were cancelled: another has answered",
		[REIN_CAUSE_OWNER_EXIT] =
			"a scope was cancelled: its last owner has closed it",
	};

	return words[cause];
}

/* What can't be printed in a line is replaced. */
static char *printable(const char *reason)
{
	char *copy = kstrndup(reason, REIN_REASON_LEN - 1, GFP_KERNEL_ACCOUNT);
	char *c;

	for (c = copy; c && *c; c++)
		if (!isascii(*c) || !isprint(*c))
			*c = '?';
	return copy;
}

static void end_now(struct rein_end *end)
{
	end->time_ns = ktime_get_ns();
	end->real_ns = ktime_get_real_ns();
}

/* A worker, as one that does what a watch says, is nobody in particular. */
static bool is_by_task(enum rein_cause cause)
{
	return (cause == REIN_CAUSE_USER || cause == REIN_CAUSE_DUPLICATE) &&
	       !(current->flags & PF_KTHREAD);
}

/* Make the record that all who end with @scope refer to. */
static u64 record_end(struct rein_scope *scope, enum rein_cause cause,
		      u64 led_to_it, const char *reason)
{
	char message[REIN_RECORD_MESSAGE];
	struct rein_scope_note note = {
		.scope = scope,
		.code = code_of(cause),
		.cause = led_to_it,
		/* A last close may be anybody's, a worker's of the kernel too. */
		.by_task = is_by_task(cause),
		.message = words_of(cause),
		.folds = cause == REIN_CAUSE_DUPLICATE,
		.value = {
			{ "children", "scopes", scope->n_children },
			{ "waiting", "takes", READ_ONCE(scope->n_ties) },
		},
	};

	if (reason && *reason) {
		snprintf(message, sizeof(message), "%s: %s", note.message,
			 reason);
		note.message = message;
	}
	return rein_record_scope(&note, REIN_SITE);
}

/*
 * Is there anybody besides its last owner who would miss it: an observer, a child, what
 * is tied, a cgroup? What is closed after use is no event.
 */
static bool is_missed(const struct rein_scope *scope)
{
	unsigned int refs = 1;
	struct cgroup *cgrp;
	bool kills, alive;

	cgrp = rein_bind_cgroup(scope, &kills);
	if (cgrp) {
		alive = !rein_cgroup_dead(cgrp);
		cgroup_put(cgrp);
		if (alive)
			return true;
		refs++;
	}
	return refcount_read(&scope->refs) > refs;
}

/* With a record of its own, unless there is one already. */
static void cancel(struct rein_scope *scope, enum rein_cause cause,
		   u64 origin, u64 led_to_it, const char *reason, u64 record)
{
	struct rein_end end = { .origin = origin, .record = record };

	end_now(&end);
	if (is_by_task(cause))
		end.pid = get_task_pid(current, PIDTYPE_TGID);
	if (reason && *reason)
		end.reason = printable(reason);
	if (!record && (cause != REIN_CAUSE_OWNER_EXIT || is_missed(scope)))
		end.record = record_end(scope, cause, led_to_it, end.reason);
	tree_end(scope, cause, &end);
}

/**
 * rein_scope_cancel() - cancel a scope, and all below it
 * @scope:	the scope
 * @cause:	why
 * @reason:	in the words of who cancels it, or NULL
 *
 * What is done already stays as it is; so does what has won a race.
 *
 * Return: why it is done now; REIN_CAUSE_NONE: it has won a race.
 */
u32 rein_scope_cancel(struct rein_scope *scope, enum rein_cause cause,
		      const char *reason)
{
	mutex_lock(&scope->family->lock);
	cause = rein_scope_cancel_locked(scope, cause, reason, 0);
	mutex_unlock(&scope->family->lock);
	return cause;
}

/**
 * rein_scope_cancel_locked() - rein_scope_cancel() with the family's lock held
 * @scope:	the scope
 * @cause:	why
 * @reason:	in the words of who cancels it, or NULL
 * @record:	id of the record of it, 0: make one
 *
 * Return: why it is done now; REIN_CAUSE_NONE: it has won a race.
 */
u32 rein_scope_cancel_locked(struct rein_scope *scope, enum rein_cause cause,
			     const char *reason, u64 record)
{
	lockdep_assert_held(&scope->family->lock);
	if (!rein_race_timeout(scope, cause) && scope_ends(scope))
		cancel(scope, cause, scope->id, 0, reason, record);
	return scope->cause;
}

/**
 * rein_scope_cancel_because() - cancel a scope since that of a cgroup above is done
 * @scope:	the scope
 * @origin:	id of the scope where that began
 * @record:	id of the record of that
 *
 * That it has won a race does not help: who may end what a cgroup above does may end it.
 */
void rein_scope_cancel_because(struct rein_scope *scope, u64 origin, u64 record)
{
	mutex_lock(&scope->family->lock);
	if (!scope->cause)
		cancel(scope, REIN_CAUSE_PARENT, origin, record, NULL, 0);
	mutex_unlock(&scope->family->lock);
}

/**
 * rein_scope_cancel_for() - cancel a scope as somebody has asked for beforehand
 * @scope:	the scope
 * @reason:	why
 * @record:	id of the record of what led to it
 *
 * Context: a worker.
 */
void rein_scope_cancel_for(struct rein_scope *scope, const char *reason,
			   u64 record)
{
	mutex_lock(&scope->family->lock);
	if (scope_ends(scope))
		cancel(scope, REIN_CAUSE_USER, scope->id, record, reason, 0);
	mutex_unlock(&scope->family->lock);
}

/**
 * rein_scope_cancel_others() - cancel all children of a race but the winner
 * @race:	the race's scope
 * @winner:	id of that one, which may have gone
 *
 * Context: the family's lock is held.
 */
void rein_scope_cancel_others(struct rein_scope *race, u64 winner)
{
	struct rein_end end = { .origin = winner };
	struct rein_scope *child;

	lockdep_assert_held(&race->family->lock);
	end_now(&end);
	list_for_each_entry(child, &race->children, siblings) {
		if (child->id == winner || child->cause)
			continue;
		/* One for all of them: the race is what it is about. */
		if (!end.record)
			end.record = record_end(race, REIN_CAUSE_DUPLICATE, 0,
						NULL);
		tree_end(child, REIN_CAUSE_DUPLICATE, &end);
		cond_resched();
	}
}

/**
 * rein_scope_cancel_all() - cancel all scopes that there are
 * @reason:	why
 * @record:	id of the record of it, for all of them
 */
void rein_scope_cancel_all(const char *reason, u64 record)
{
	/* Those who make new ones at once would keep us here. */
	const u64 last = atomic64_read(&last_id);
	struct rein_scope *scope;
	u64 id = 0;

	while ((scope = rein_scope_next(id)) && scope->id <= last) {
		id = scope->id + 1;
		mutex_lock(&scope->family->lock);
		rein_scope_cancel_locked(scope, REIN_CAUSE_USER, reason, record);
		mutex_unlock(&scope->family->lock);
		rein_scope_put(scope);
		cond_resched();
	}
	rein_scope_put(scope);
}

/* --- deadlines ------------------------------------------------------------------------ */

static void timeout(struct work_struct *work)
{
	struct rein_scope *scope = container_of(work, struct rein_scope, work);

	rein_scope_cancel(scope, REIN_CAUSE_TIMEOUT, NULL);
	rein_scope_put(scope);
}

/* Runs once. What is being freed has nobody any more who waits for it. */
static enum hrtimer_restart on_deadline(struct hrtimer *timer)
{
	struct rein_scope *scope = container_of(timer, struct rein_scope, timer);

	if (refcount_inc_not_zero(&scope->refs))
		queue_work(wq, &scope->work);
	return HRTIMER_NORESTART;
}

/* Is a deadline by this clock one's own, and not that of one above? */
static bool own_deadline(const struct rein_scope *scope, enum rein_clock clock)
{
	u64 above = scope->parent ? scope->parent->deadline[clock] : REIN_NEVER;

	return scope->deadline[clock] < above;
}

/* The earliest deadlines. Of its own it is given one at most. */
static void inherit(struct rein_scope *scope,
		    const struct rein_scope_spec *spec)
{
	enum rein_clock clock;

	for (clock = 0; clock < REIN_CLOCKS; clock++) {
		u64 above = spec->parent ? spec->parent->deadline[clock] :
					   REIN_NEVER;

		scope->deadline[clock] = min(above, spec->deadline[clock]);
	}
	hrtimer_setup(&scope->timer, on_deadline,
		      spec->deadline[REIN_CLOCK_BOOTTIME] != REIN_NEVER ?
		      CLOCK_BOOTTIME : CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
}

/* Whose deadline is above is told by that one. */
static void arm(struct rein_scope *scope)
{
	enum rein_clock clock;

	for (clock = 0; clock < REIN_CLOCKS; clock++)
		if (own_deadline(scope, clock) &&
		    scope->deadline[clock] <= KTIME_MAX)
			hrtimer_start(&scope->timer, scope->deadline[clock],
				      HRTIMER_MODE_ABS_SOFT);
}

static u64 left_by(const struct rein_scope *scope, enum rein_clock clock)
{
	u64 deadline = scope->deadline[clock], now = rein_clock_now(clock);

	if (deadline == REIN_NEVER)
		return REIN_NEVER;
	return deadline > now ? deadline - now : 0;
}

/**
 * rein_scope_left() - how long until the deadline of a scope, or of one above
 * @scope:	the scope
 *
 * Context: any.
 *
 * Return: ns; REIN_NEVER: there is none.
 */
u64 rein_scope_left(const struct rein_scope *scope)
{
	return min(left_by(scope, REIN_CLOCK_MONOTONIC),
		   left_by(scope, REIN_CLOCK_BOOTTIME));
}

/**
 * rein_scope_deadline() - when it is, as far as the machine doesn't sleep
 * @scope:	the scope
 *
 * Context: any.
 *
 * Return: CLOCK_MONOTONIC, ns; REIN_NEVER: there is none.
 */
u64 rein_scope_deadline(const struct rein_scope *scope)
{
	u64 left = left_by(scope, REIN_CLOCK_BOOTTIME);

	if (left != REIN_NEVER)
		left = rein_clock_after(ktime_get_ns(), left);
	return min(left, scope->deadline[REIN_CLOCK_MONOTONIC]);
}

/* --- coming and going ----------------------------------------------------------------- */

static struct rein_family *family_get(struct rein_scope *parent)
{
	struct rein_family *family;

	if (parent) {
		refcount_inc(&parent->family->refs);
		return parent->family;
	}
	family = kzalloc(sizeof(*family), GFP_KERNEL_ACCOUNT);
	if (family) {
		refcount_set(&family->refs, 1);
		mutex_init(&family->lock);
	}
	return family;
}

static void family_put(struct rein_family *family)
{
	if (refcount_dec_and_test(&family->refs)) {
		mutex_destroy(&family->lock);
		kfree(family);
	}
}

/* One that nobody finds yet; only memory can fail. */
static struct rein_scope *scope_alloc(const struct rein_scope_spec *spec)
{
	struct rein_scope *scope;

	scope = kzalloc(sizeof(*scope), GFP_KERNEL_ACCOUNT);
	if (!scope)
		return NULL;
	scope->family = family_get(spec->parent);
	if (!scope->family) {
		kfree(scope);
		return NULL;
	}
	refcount_set(&scope->refs, 1);
	scope->id = atomic64_inc_return(&last_id);
	scope->depth = spec->parent ? spec->parent->depth + 1 : 1;
	INIT_LIST_HEAD(&scope->siblings);
	INIT_LIST_HEAD(&scope->children);
	INIT_LIST_HEAD(&scope->ties);
	spin_lock_init(&scope->lock);
	init_waitqueue_head(&scope->wait);
	INIT_WORK(&scope->work, timeout);
	scope->owned = spec->owned;
	strscpy(scope->name, spec->name, sizeof(scope->name));
	rein_maker_get(&scope->maker);
	return scope;
}

static void scope_dealloc(struct rein_scope *scope)
{
	if (scope->page)
		__free_page(scope->page);
	put_pid(scope->end.pid);
	kfree(scope->end.reason);
	rein_maker_put(&scope->maker);
	family_put(scope->family);
	kfree_rcu(scope, rcu);
}

/* Of a scope whose last reference is gone. */
static void scope_free(struct rein_scope *scope)
{
	hrtimer_cancel(&scope->timer);
	/* Of one that never was nobody has heard. */
	if (xa_erase(&scopes, scope->id))
		rein_netlink_scope(scope, REIN_SCOPE_EVENT_GONE);
	if (scope->parent) {
		mutex_lock(&scope->family->lock);
		list_del(&scope->siblings);
		count(&scope->parent->n_children, -1);
		mutex_unlock(&scope->family->lock);
	}
	rein_race_free(scope);
	rein_quota_uncharge(&quota, scope->maker.uid, 1);
	atomic_long_dec(&n_scopes);
	scope_dealloc(scope);
}

/**
 * rein_scope_put() - give up a reference
 * @scope:	the scope, or NULL
 */
void rein_scope_put(struct rein_scope *scope)
{
	/* Not by recursion, however deep. */
	while (scope && refcount_dec_and_test(&scope->refs)) {
		struct rein_scope *parent = scope->parent;

		scope_free(scope);
		scope = parent;
	}
}

static int fail_wide(struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_SCOPE_WIDE,
			      "the scope has as many children as it may",
			      "a scope may have %d children",
			      REIN_SCOPE_CHILDREN_MAX);
}

/* With the family's lock. */
static int link_child(struct rein_scope *scope, struct rein_scope *parent,
		      struct rein_answer *answer)
{
	int err;

	if (parent->n_children == REIN_SCOPE_CHILDREN_MAX)
		return fail_wide(answer);
	err = rein_race_enter(scope, parent, answer);
	if (err)
		return err;
	scope->parent = rein_scope_get(parent);
	list_add_tail(&scope->siblings, &parent->children);
	count(&parent->n_children, 1);
	return 0;
}

/* A child of one that is done is born so. With the family's lock. */
static void end_with_parent(struct rein_scope *scope)
{
	const struct rein_scope *parent = scope->parent;
	struct rein_end end;

	if (!parent || !parent->cause)
		return;
	end = parent->end;
	end.pid = NULL;
	end.reason = NULL;
	if (parent->cause != REIN_CAUSE_PARENT)
		end.origin = parent->id;
	scope_end(scope, REIN_CAUSE_PARENT, &end);
}

/* Put it where it belongs. That it is made is told before anything that becomes of it. */
static int scope_publish(struct rein_scope *scope,
			 const struct rein_scope_spec *spec,
			 struct rein_answer *answer)
{
	int err = 0;

	mutex_lock(&scope->family->lock);
	scope->replica = spec->replica;
	if (spec->parent)
		err = link_child(scope, spec->parent, answer);
	if (err) {
		/* What it would own is still the caller's. */
		scope->replica = NULL;
	} else {
		scope->race = spec->race;
		/* There is a place for it: this needs no memory. */
		xa_store(&scopes, scope->id, scope, GFP_KERNEL);
		rein_netlink_scope(scope, REIN_SCOPE_EVENT_MADE);
		end_with_parent(scope);
	}
	mutex_unlock(&scope->family->lock);
	return err;
}

static int fail_charge(struct rein_answer *answer, int err)
{
	if (err == -ENOMEM)
		return rein_call_no_memory(answer, "for a scope");
	return rein_call_fail(answer, REIN_E_SCOPE_MANY,
			      "the user has as many scopes as one may have",
			      "user %u has %u scopes, as many as one may have",
			      from_kuid(&init_user_ns, current_uid()),
			      READ_ONCE(scopes_per_user));
}

/* What is charged and alive, but not yet where it belongs. */
static struct rein_scope *scope_make(const struct rein_scope_spec *spec,
				     struct rein_answer *answer)
{
	struct rein_scope *scope;
	int err = rein_quota_charge(&quota, current_uid(), 1,
				    READ_ONCE(scopes_per_user));

	if (err)
		return ERR_PTR(fail_charge(answer, err));
	scope = scope_alloc(spec);
	if (!scope) {
		rein_quota_uncharge(&quota, current_uid(), 1);
		return ERR_PTR(rein_call_no_memory(answer, "for a scope"));
	}
	atomic_long_inc(&n_scopes);
	inherit(scope, spec);
	if (!xa_reserve(&scopes, scope->id, GFP_KERNEL_ACCOUNT))
		return scope;
	rein_scope_put(scope);
	return ERR_PTR(rein_call_no_memory(answer, "for a scope"));
}

/**
 * rein_scope_new() - make a scope
 * @spec:	what it shall be; its race or replica belongs to the scope on success
 * @answer:	why not
 *
 * Context: the task that makes it; may sleep.
 *
 * Return: the scope, with a reference; it may be done already. Or ERR_PTR().
 */
struct rein_scope *rein_scope_new(const struct rein_scope_spec *spec,
				  struct rein_answer *answer)
{
	struct rein_scope *scope;
	int err;

	if (spec->parent && spec->parent->depth == REIN_SCOPE_DEPTH_MAX)
		return ERR_PTR(rein_call_fail(answer, REIN_E_SCOPE_DEEP,
					      "scopes are nested too deeply",
					      "scopes nest to a depth of %d",
					      REIN_SCOPE_DEPTH_MAX));
	scope = scope_make(spec, answer);
	if (IS_ERR(scope))
		return scope;
	err = scope_publish(scope, spec, answer);
	if (err) {
		rein_scope_put(scope);
		return ERR_PTR(err);
	}
	arm(scope);
	if (!rein_scope_left(scope))
		rein_scope_cancel(scope, REIN_CAUSE_TIMEOUT, NULL);
	return scope;
}

/* --- who looks for them -------------------------------------------------------------- */

/**
 * rein_scope_find() - find a scope
 * @id:		its id
 *
 * Context: any.
 *
 * Return: it, with a reference, or NULL.
 */
struct rein_scope *rein_scope_find(u64 id)
{
	struct rein_scope *scope;

	rcu_read_lock();
	scope = xa_load(&scopes, id);
	if (scope && !refcount_inc_not_zero(&scope->refs))
		scope = NULL;
	rcu_read_unlock();
	return scope;
}

/**
 * rein_scope_next() - walk over all scopes, by age
 * @id:		where to begin
 *
 * Context: any.
 *
 * Return: the first with this or a greater id, with a reference; or NULL.
 */
struct rein_scope *rein_scope_next(u64 id)
{
	struct rein_scope *scope;
	unsigned long index = id;

	rcu_read_lock();
	do {
		scope = xa_find(&scopes, &index, ULONG_MAX, XA_PRESENT);
		index++;
	} while (scope && !refcount_inc_not_zero(&scope->refs));
	rcu_read_unlock();
	return scope;
}

/**
 * rein_scope_number() - how many scopes there are
 *
 * Return: how many.
 */
unsigned long rein_scope_number(void)
{
	return atomic_long_read(&n_scopes);
}

/**
 * rein_scope_origin() - whose end the end of a scope was
 * @scope:	a scope that is done
 *
 * Context: any.
 *
 * Return: it, or the one above it that was cancelled; lives as long as @scope.
 */
const struct rein_scope *rein_scope_origin(const struct rein_scope *scope)
{
	const struct rein_scope *pos = scope;

	while (pos && pos->id != scope->end.origin)
		pos = pos->parent;
	return pos ?: scope;
}

/**
 * rein_scope_init() - get ready
 *
 * Return: 0 or -ENOMEM.
 */
int rein_scope_init(void)
{
	/* Where all CPUs are busy, what ends that must not be the last to run. */
	wq = alloc_workqueue("rein", WQ_UNBOUND | WQ_HIGHPRI, 0);
	return wq ? 0 : -ENOMEM;
}

/**
 * rein_scope_exit() - undo rein_scope_init(); nobody has a scope any more
 */
void rein_scope_exit(void)
{
	destroy_workqueue(wq);
	WARN_ON(!xa_empty(&scopes));
	/* Scopes are freed by RCU, and families before them. */
	rcu_barrier();
}
