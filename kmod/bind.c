// SPDX-License-Identifier: GPL-2.0
/*
 * Bindings. See bind.h.
 */
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <net/inet_sock.h>
#include <net/sock.h>

#include "bind.h"
#include "call.h"
#include "cgroup.h"
#include "limit.h"
#include "netlink-scope.h"
#include "queue.h"
#include "record.h"
#include "scope.h"
#include "target.h"

/**
 * struct rein_binding - a scope and its cgroup
 * @hash:	in the table, by @cgroup_id
 * @list:	among all; bind_lock
 * @cgroup_id:	the cgroup's 64-bit id
 * @cgrp:	the cgroup, holds a reference
 * @scope:	the scope, holds a reference
 * @kill:	its cgroup.kill, holds a reference; NULL: nobody is killed
 * @delay_ns:	how long after the end of the scope
 * @end:	what its end brings about
 * @killer:	kills, then
 */
struct rein_binding {
	struct rhash_head hash;
	struct list_head list;
	u64 cgroup_id;
	struct cgroup *cgrp;
	struct rein_scope *scope;
	struct file *kill;
	u64 delay_ns;
	struct work_struct end;
	struct delayed_work killer;
};

static const struct rhashtable_params params = {
	.head_offset = offsetof(struct rein_binding, hash),
	.key_offset = offsetof(struct rein_binding, cgroup_id),
	.key_len = sizeof_field(struct rein_binding, cgroup_id),
	.automatic_shrinking = true,
};

static struct rhashtable bindings;
static LIST_HEAD(list);
static DEFINE_MUTEX(bind_lock);
static unsigned int n_bindings;		/* bind_lock; read without */
static struct workqueue_struct *wq;

static void reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(reap_work, reap);

/* --- finding --------------------------------------------------------------------------- */

static struct rein_binding *lookup(const struct cgroup *cgrp)
{
	u64 id = cgroup_id(cgrp);

	return rhashtable_lookup(&bindings, &id, params);
}

/**
 * rein_bind_find() - which scope ends what is done in a cgroup?
 * @cgrp:	the cgroup
 * @deadline:	set to the earliest of the deadlines of all that are bound to it or to
 *		one above, CLOCK_MONOTONIC, or REIN_NEVER; may be NULL
 *
 * Return: the nearest of these scopes that is done, else the nearest; with a reference.
 * NULL: none is bound.
 */
struct rein_scope *rein_bind_find(struct cgroup *cgrp, u64 *deadline)
{
	struct rein_scope *nearest = NULL, *done = NULL;
	struct rein_binding *binding;
	u64 earliest = REIN_NEVER;

	rcu_read_lock();
	for (; cgrp && READ_ONCE(n_bindings); cgrp = cgroup_parent(cgrp)) {
		struct rein_scope **found;

		binding = lookup(cgrp);
		if (!binding)
			continue;
		earliest = min(earliest, rein_scope_deadline(binding->scope));
		found = rein_scope_cause(binding->scope) ? &done : &nearest;
		/* One that loses its binding just now is not bound any more. */
		if (!*found && refcount_inc_not_zero(&binding->scope->refs))
			*found = binding->scope;
	}
	rcu_read_unlock();
	if (deadline)
		*deadline = earliest;
	if (!done)
		return nearest;
	rein_scope_put(nearest);
	return done;
}

/**
 * rein_bind_covers() - is a scope bound to a cgroup, or to one above?
 * @scope:	the scope
 * @cgrp:	the cgroup
 *
 * Return: whether it is.
 */
bool rein_bind_covers(const struct rein_scope *scope, struct cgroup *cgrp)
{
	struct rein_binding *binding;
	bool covers;

	rcu_read_lock();
	binding = rcu_dereference(scope->binding);
	covers = binding && cgroup_is_descendant(cgrp, binding->cgrp);
	rcu_read_unlock();
	return covers;
}

/**
 * rein_bind_cgroup() - what a scope is bound to
 * @scope:	the scope
 * @kills:	set to whether its end kills
 *
 * Return: the cgroup, with a reference, or NULL.
 */
struct cgroup *rein_bind_cgroup(const struct rein_scope *scope, bool *kills)
{
	struct rein_binding *binding;
	struct cgroup *cgrp = NULL;

	*kills = false;
	rcu_read_lock();
	binding = rcu_dereference(scope->binding);
	if (binding) {
		cgrp = binding->cgrp;
		cgroup_get(cgrp);
		*kills = binding->kill;
	}
	rcu_read_unlock();
	return cgrp;
}

/* --- the end of a scope ------------------------------------------------------------------ */

static void kill_failed(const struct rein_binding *binding, int err)
{
	struct rein_scope_note note = {
		.scope = binding->scope,
		.code = REIN_E_KILL_FAILED,
		.cause = binding->scope->end.record,
		.err = -err,
		.message = "the processes of the cgroup could not be killed",
	};

	rein_record_scope(&note, REIN_SITE);
}

static void kill_now(struct work_struct *work)
{
	struct rein_binding *binding;
	int err;

	binding = container_of(to_delayed_work(work), struct rein_binding,
			       killer);
	err = rein_cgroup_kill(binding->kill, binding->cgrp,
			       binding->scope->maker.pid);
	if (err)
		kill_failed(binding, err);
}

static bool held_below(const struct rein_held *held, const void *what)
{
	struct sock *sk = skb_to_full_sk(held->skb);

	return sk && cgroup_is_descendant(sock_cgroup_ptr(&sk->sk_cgrp_data),
					  (struct cgroup *)what);
}

/* The scopes of cgroups below end, too: those that are bound by now. */
static void end_below(const struct rein_binding *above)
{
	const struct rein_end *end = &above->scope->end;
	struct rein_binding *binding;

	mutex_lock(&bind_lock);
	list_for_each_entry(binding, &list, list)
		if (binding != above &&
		    cgroup_is_descendant(binding->cgrp, above->cgrp))
			rein_scope_cancel_because(binding->scope,
						  above->scope->id,
						  end->record);
	mutex_unlock(&bind_lock);
}

/* Never too early, but for what is farther away than a timer can be. */
static unsigned long delay_of(u64 delay_ns)
{
	return delay_ns ? min_t(u64, nsecs_to_jiffies64(delay_ns) + 1,
				MAX_JIFFY_OFFSET) : 0;
}

static void end(struct work_struct *work)
{
	struct rein_binding *binding;

	binding = container_of(work, struct rein_binding, end);
	if (binding->kill)
		queue_delayed_work(wq, &binding->killer,
				   delay_of(binding->delay_ns));
	end_below(binding);
	mutex_lock(&rein_mutex);
	rein_record_scope_begin(binding->scope->end.record);
	rein_target_flush(rein_queue_cancel, held_below, binding->cgrp);
	rein_record_scope_end();
	mutex_unlock(&rein_mutex);
}

/**
 * rein_bind_end() - a scope is done
 * @scope:	the scope
 *
 * Context: its family's lock is held.
 */
void rein_bind_end(struct rein_scope *scope)
{
	struct rein_binding *binding;

	lockdep_assert_held(&scope->family->lock);
	rcu_read_lock();
	binding = rcu_dereference(scope->binding);
	if (binding)
		queue_work(wq, &binding->end);
	rcu_read_unlock();
}

/* --- coming and going --------------------------------------------------------------------- */

/* With bind_lock. From here on nothing new begins. */
static void unbind(struct rein_binding *binding)
{
	struct rein_scope *scope = binding->scope;

	lockdep_assert_held(&bind_lock);
	rhashtable_remove_fast(&bindings, &binding->hash, params);
	list_del(&binding->list);
	WRITE_ONCE(n_bindings, n_bindings - 1);
	mutex_lock(&scope->family->lock);
	RCU_INIT_POINTER(scope->binding, NULL);
	mutex_unlock(&scope->family->lock);
}

/*
 * What one that nobody finds any more has still to do is done first, and who is to be
 * killed some time later is killed now: there won't be anybody else to do it.
 */
static void binding_finish(struct rein_binding *binding)
{
	flush_work(&binding->end);
	if (cancel_delayed_work_sync(&binding->killer) &&
	    !rein_cgroup_dead(binding->cgrp))
		kill_now(&binding->killer.work);
	/* Who still finds it looks whether the scope is there. */
	rein_scope_put(binding->scope);
}

/* After a grace period: readers under RCU have followed its pointers. */
static void binding_free(struct rein_binding *binding)
{
	if (binding->kill)
		fput(binding->kill);
	cgroup_put(binding->cgrp);
	kfree(binding);
}

static void unbind_if(bool (*test)(const struct rein_binding *binding))
{
	struct rein_binding *binding, *next;
	LIST_HEAD(gone);

	mutex_lock(&bind_lock);
	list_for_each_entry_safe(binding, next, &list, list)
		if (test(binding)) {
			unbind(binding);
			list_add(&binding->list, &gone);
		}
	mutex_unlock(&bind_lock);
	if (list_empty(&gone))
		return;
	list_for_each_entry(binding, &gone, list)
		binding_finish(binding);
	synchronize_rcu();
	list_for_each_entry_safe(binding, next, &gone, list)
		binding_free(binding);
}

static bool is_dead(const struct rein_binding *binding)
{
	return rein_cgroup_dead(binding->cgrp);
}

/* Bindings of cgroups that have gone. */
static void reap(struct work_struct *work)
{
	unbind_if(is_dead);
	if (READ_ONCE(n_bindings))
		queue_delayed_work(system_power_efficient_wq, &reap_work,
				   REIN_CGROUP_LOOK);
}

static int fail_kill(struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_BIND_KILL,
			      "this is not the cgroup.kill of that cgroup, open for writing",
			      "what was passed is not the cgroup.kill of the cgroup, open for writing, or the cgroup is threaded");
}

static int get_kill(struct rein_binding *binding, int fd,
		    struct rein_answer *answer)
{
	if (fd == REIN_NO_FD)
		return 0;
	binding->kill = fget(fd);
	if (binding->kill && rein_cgroup_is_kill(binding->kill, binding->cgrp))
		return 0;
	return fail_kill(answer);
}

static int check_permission(const struct rein_binding *binding,
			    struct rein_answer *answer)
{
	if (binding->kill && rein_cgroup_below_own_root(binding->cgrp))
		return 0;
	if (ns_capable(&init_user_ns, CAP_NET_ADMIN))
		return 0;
	return rein_call_fail(answer, REIN_E_BIND_DENIED,
			      "this needs the cgroup.kill of the cgroup, or CAP_NET_ADMIN",
			      "user %u binds a scope to a cgroup without its cgroup.kill",
			      from_kuid(&init_user_ns, current_uid()));
}

static int get_cgroup(struct rein_binding *binding, int fd,
		      struct rein_answer *answer)
{
	struct cgroup *cgrp = cgroup_get_from_fd(fd);

	if (cgrp == ERR_PTR(-ENOENT))
		return rein_call_fail(answer, REIN_E_CGROUP_DYING,
				      "the cgroup was removed",
				      "the cgroup that a scope was to be bound to was removed");
	if (IS_ERR(cgrp))
		return rein_call_fail(answer, REIN_E_NOT_A_CGROUP,
				      "this is not a cgroup2 directory",
				      "what a scope was to be bound to is not a cgroup2 directory");
	binding->cgrp = cgrp;
	binding->cgroup_id = cgroup_id(cgrp);
	return 0;
}

static int fail_twice(struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_BIND_TWICE,
			      "the scope is bound already, or the cgroup has one",
			      "a scope that is bound already, or a cgroup that has one, was to be bound");
}

/* With bind_lock and the family's. */
static int link(struct rein_binding *binding, struct rein_answer *answer)
{
	struct rein_scope *scope = binding->scope;
	bool bound;

	if (scope->cause)
		return rein_call_fail(answer, REIN_E_SCOPE_DONE,
				      "the scope is done",
				      "scope %llu is done: it can't be bound",
				      scope->id);
	rcu_read_lock();
	bound = lookup(binding->cgrp);
	rcu_read_unlock();
	if (bound || rcu_access_pointer(scope->binding))
		return fail_twice(answer);
	if (rhashtable_insert_fast(&bindings, &binding->hash, params))
		return rein_call_no_memory(answer, "to bind a scope");
	list_add_tail(&binding->list, &list);
	WRITE_ONCE(n_bindings, n_bindings + 1);
	rcu_assign_pointer(scope->binding, binding);
	return 0;
}

/* Is one that is bound to a cgroup above done already? */
static void end_with_above(struct rein_binding *binding)
{
	struct rein_scope *above = rein_bind_find(binding->cgrp, NULL);

	if (!above)
		return;
	if (above != binding->scope && rein_scope_cause(above))
		rein_scope_cancel_because(binding->scope, above->id,
					  above->end.record);
	rein_scope_put(above);
}

static int bind(struct rein_binding *binding, struct rein_answer *answer)
{
	int err;

	mutex_lock(&bind_lock);
	mutex_lock(&binding->scope->family->lock);
	err = link(binding, answer);
	mutex_unlock(&binding->scope->family->lock);
	if (!err) {
		end_with_above(binding);
		/* If it was removed meanwhile nobody has looked for this one. */
		if (rein_cgroup_dead(binding->cgrp))
			mod_delayed_work(system_power_efficient_wq, &reap_work,
					 0);
		else
			queue_delayed_work(system_power_efficient_wq,
					   &reap_work, REIN_CGROUP_LOOK);
	}
	/* Which keeps the binding from being freed: from here on it may be. */
	mutex_unlock(&bind_lock);
	return err;
}

static struct rein_binding *binding_new(struct rein_scope *scope, u64 delay_ns)
{
	struct rein_binding *binding;

	binding = kzalloc(sizeof(*binding), GFP_KERNEL_ACCOUNT);
	if (!binding)
		return NULL;
	binding->scope = rein_scope_get(scope);
	binding->delay_ns = delay_ns;
	INIT_WORK(&binding->end, end);
	INIT_DELAYED_WORK(&binding->killer, kill_now);
	return binding;
}

static void binding_undo(struct rein_binding *binding)
{
	if (binding->kill)
		fput(binding->kill);
	if (binding->cgrp)
		cgroup_put(binding->cgrp);
	rein_scope_put(binding->scope);
	kfree(binding);
}

/**
 * rein_bind() - bind a scope to a cgroup
 * @scope:	the scope
 * @args:	see the ABI
 *
 * Context: the task that asks; may sleep.
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_bind(struct rein_scope *scope, struct rein_bind_args *args)
{
	struct rein_binding *binding = binding_new(scope, args->kill_delay_ns);
	struct rein_answer *answer = &args->answer;
	int err;

	if (!binding)
		return rein_call_no_memory(answer, "to bind a scope");
	err = get_cgroup(binding, args->cgroup_fd, answer) ?:
	      get_kill(binding, args->kill_fd, answer) ?:
	      check_permission(binding, answer) ?: bind(binding, answer);
	if (err) {
		binding_undo(binding);
		return err;
	}
	rein_netlink_scope(scope, REIN_SCOPE_EVENT_BOUND);
	return 0;
}

/**
 * rein_bind_init() - make the table
 *
 * Return: 0 or -ENOMEM.
 */
int rein_bind_init(void)
{
	int err;

	wq = alloc_workqueue("rein-bind", WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!wq)
		return -ENOMEM;
	err = rhashtable_init(&bindings, &params);
	if (err)
		destroy_workqueue(wq);
	rein_cgroup_look(&reap_work);
	return err;
}

static bool any(const struct rein_binding *binding)
{
	return true;
}

/**
 * rein_bind_exit() - undo rein_bind_init()
 *
 * Context: nobody has /dev/rein or a scope open, and dying cgroups are not told of.
 */
void rein_bind_exit(void)
{
	unbind_if(any);
	cancel_delayed_work_sync(&reap_work);
	destroy_workqueue(wq);
	rhashtable_destroy(&bindings);
}
