// SPDX-License-Identifier: GPL-2.0
/*
 * Takes: programs ask for tokens by name. See take.h.
 */
#include <linux/cgroup.h>
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "bind.h"
#include "clock.h"
#include "line.h"
#include "record.h"
#include "scope.h"
#include "scope-file.h"
#include "take.h"
#include "taker.h"
#include "tree.h"

static struct kmem_cache *taker_cache;

/* When a take has to give up, CLOCK_MONOTONIC; REIN_NEVER: no end. */
static u64 deadline_of(const struct rein_take_args *args, u64 now)
{
	if (args->flags & REIN_TAKE_TIMEOUT)
		return rein_clock_after(now, args->deadline_ns);
	if (args->flags & REIN_TAKE_DEADLINE)
		return rein_clock_in(REIN_CLOCK_MONOTONIC, args->deadline_ns);
	return REIN_NEVER;
}

/* --- answers --------------------------------------------------------------------- */

static int answer_granted(struct rein_take_args *args, u64 asked, u64 granted)
{
	args->granted_ns = granted + rein_clock_offset(REIN_CLOCK_MONOTONIC);
	args->waited_ns = granted > asked ? granted - asked : 0;
	return 0;
}

/* The limit is not to be followed here: it may be gone. */
static int answer_failed(struct rein_take_args *args,
			 const struct rein_taker *taker)
{
	const struct rein_lack *lack = &taker->lack;
	const struct rein_fold_info *info;
	u64 now = ktime_get_ns();

	info = rein_fold_info(REIN_RESOURCE_CALL, taker->fold);
	args->code = info->code;
	strscpy(args->message, info->message, sizeof(args->message));
	args->limit_id = taker->limit_id;
	args->want = taker->want;
	args->record = taker->record;
	args->wanted = lack->wanted;
	args->available = lack->available;
	args->cause = taker->cause;
	args->scope_id = taker->scope_id;
	args->waited_ns = now > taker->asked ? now - taker->asked : 0;
	if (lack->when == REIN_NEVER)
		args->retry_after_ns = REIN_DEV_NEVER;
	else if (lack->when > now)
		args->retry_after_ns = lack->when - now;
	return -rein_code_errno(args->code);
}

/**
 * rein_take_answer() - say what a take came to
 * @args:	where the answer goes
 * @taker:	the taker, which was granted or failed
 *
 * Context: the task that is to be told; its clock is what times are given by.
 *
 * Return: 0 or a negative errno.
 */
int rein_take_answer(struct rein_take_args *args,
		     const struct rein_taker *taker)
{
	if (taker->state == REIN_TAKER_GRANTED)
		return answer_granted(args, taker->asked, taker->granted);
	return answer_failed(args, taker);
}

/* See rein_take_fail(). */
void __rein_take_fail(struct rein_take_args *args, unsigned int nth,
		      enum rein_code code,
		      const struct netlink_ext_ack *extack)
{
	args->code = code;
	args->want = nth;
	args->retry_after_ns = REIN_DEV_NEVER;
	memcpy(&args->record, extack->cookie, sizeof(args->record));
	strscpy(args->message, extack->_msg, sizeof(args->message));
}

static int fail_unknown(struct rein_take_args *args,
			const struct rein_taker *taker, unsigned int nth)
{
	return rein_take_fail(args, nth, REIN_E_TAKE_UNKNOWN,
			      "no cgroup from the caller's upwards has a call limit of that name",
			      "no cgroup from the caller's upwards has a call limit named %*pE",
			      (int)strlen(taker->wants[nth].name),
			      taker->wants[nth].name);
}

/**
 * rein_take_no_memory() - say that there is no memory
 * @args:	where the answer goes
 *
 * Return: -ENOMEM.
 */
int rein_take_no_memory(struct rein_take_args *args)
{
	return rein_take_fail(args, 0, REIN_E_NO_MEMORY, "out of memory",
			      "there was no memory to take tokens");
}

/* --- what may be asked ------------------------------------------------------------ */

static int check_flags(struct rein_take_args *args, u32 known)
{
	if (args->flags & ~(known | REIN_TAKE_SCOPE) ||
	    hweight32(args->flags & ~REIN_TAKE_SCOPE) > 1)
		return rein_take_fail(args, 0, REIN_E_TAKE_MALFORMED,
				      "the flags of the take can't be read",
				      "flags %#x are unknown or exclude each other",
				      args->flags);
	if (args->deadline_ns &&
	    !(args->flags & (REIN_TAKE_DEADLINE | REIN_TAKE_TIMEOUT)))
		return rein_take_fail(args, 0, REIN_E_TAKE_MALFORMED,
				      "a time was given without a flag that says what it means",
				      "%llu ns were given without a flag that says what they mean",
				      args->deadline_ns);
	if (args->scope_fd && !(args->flags & REIN_TAKE_SCOPE))
		return rein_take_fail(args, 0, REIN_E_TAKE_MALFORMED,
				      "a scope was given without a flag that says so",
				      "descriptor %d was given without a flag that says that it is a scope",
				      args->scope_fd);
	return 0;
}

static int check_wants(struct rein_take_args *args,
		       const struct rein_take_want *wants)
{
	unsigned int i, j;

	if (!args->n_wants || args->n_wants > REIN_TAKE_NAMES_MAX)
		return rein_take_fail(args, 0, REIN_E_TAKE_MALFORMED,
				      "a take names 1 to 32 limits",
				      "a take names %u limits, not 1 to 32",
				      args->n_wants);
	for (i = 0; i < args->n_wants; i++) {
		const char *name = wants[i].name;

		if (strnlen(name, REIN_TAKE_NAME_LEN) == REIN_TAKE_NAME_LEN ||
		    !*name)
			return rein_take_fail(args, i, REIN_E_TAKE_MALFORMED,
					      "a name is empty or not terminated",
					      "name %u is empty or not terminated",
					      i);
		if (!wants[i].tokens)
			return rein_take_fail(args, i, REIN_E_TAKE_MALFORMED,
					      "a take of no tokens",
					      "no tokens of %*pE are wanted",
					      (int)strlen(name), name);
		for (j = 0; j < i; j++)
			if (!strcmp(name, wants[j].name))
				return rein_take_fail(args, i, REIN_E_TAKE_TWICE,
						      "a limit is named twice",
						      "limit %*pE is named twice",
						      (int)strlen(name), name);
	}
	return 0;
}

/**
 * rein_take_check() - can this be asked?
 * @args:	what is asked, and where the answer goes
 * @wants:	the names, args->n_wants of them
 * @flags:	those that are known
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_take_check(struct rein_take_args *args,
		    const struct rein_take_want *wants, u32 flags)
{
	return check_flags(args, flags) ?: check_wants(args, wants);
}

static enum rein_mode mode_of(u32 flags)
{
	if (flags & REIN_TAKE_TRY)
		return REIN_MODE_TRY;
	return flags & (REIN_TAKE_DEADLINE | REIN_TAKE_TIMEOUT) ?
	       REIN_MODE_WAIT : REIN_MODE_LIMIT;
}

/* --- scopes ----------------------------------------------------------------------- */

/**
 * rein_take_scopes() - find out what a take is to end with
 * @args:	what is asked, and where the answer goes
 * @taker:	the taker
 *
 * Context: the task that asks; may sleep.
 *
 * Return: 0; or a negative errno with an answer: there is no such scope, or it is done.
 */
int rein_take_scopes(struct rein_take_args *args, struct rein_taker *taker)
{
	struct rein_scope *done;
	enum rein_code code;
	u64 bound;

	if (args->flags & REIN_TAKE_SCOPE) {
		taker->scopes[0] = rein_scope_of_fd(args->scope_fd, true, &code);
		if (!taker->scopes[0])
			return rein_take_fail(args, 0, REIN_E_SCOPE_NONE,
					      "the descriptor is not that of a scope",
					      "descriptor %d of a take is not that of a scope",
					      args->scope_fd);
		taker->deadline = min(taker->deadline,
				      rein_scope_deadline(taker->scopes[0]));
	}
	taker->scopes[1] = rein_bind_find(taker->cgrp, &bound);
	taker->deadline = min(taker->deadline, bound);
	done = rein_taker_done(taker);
	if (!done)
		return 0;
	rein_taker_cut(taker, done);
	taker->state = REIN_TAKER_FAILED;
	return answer_failed(args, taker);
}

/**
 * rein_take_end() - give up what a taker holds
 * @taker:	the taker, which waits no more
 *
 * Context: may sleep.
 */
void rein_take_end(struct rein_taker *taker)
{
	unsigned int i;

	rein_taker_untie(taker);
	for (i = 0; i < REIN_TAKER_SCOPES; i++)
		rein_scope_put(taker->scopes[i]);
	cgroup_put(taker->cgrp);
}

/* --- at once ------------------------------------------------------------------------ */

static void refuse(struct rein_taker *taker, const struct rein_verdict *verdict)
{
	struct rein_lack lack = verdict->lack;

	lack.when = verdict->when;
	rein_taker_blame(taker, REIN_FOLD_REFUSED, &lack);
	if (verdict->lack.when == REIN_NEVER &&
	    rein_limit_burst(taker->lack.limit) < taker->lack.wanted) {
		taker->fold = REIN_FOLD_BURST;
		taker->lack.available = rein_limit_burst(taker->lack.limit);
	}
	taker->record = rein_taker_record(taker);
}

/*
 * Decide a take that nobody stands in front of. Returns -EAGAIN if the line
 * has to.
 */
static int take_at_once(struct rein_take_args *args, struct rein_taker *taker)
{
	struct rein_request req = {
		.tokens = taker->tokens,
		.mode = taker->mode,
		.now = taker->asked,
	};
	struct rein_verdict verdict __uninitialized;
	int missing;

	missing = rein_taker_bind(taker);
	if (missing >= 0)
		return fail_unknown(args, taker, missing);
	rein_admit(&taker->chain, &req, &verdict);
	if (verdict.observed.limit && verdict.decision == REIN_GO)
		rein_taker_observed(taker, &verdict.observed);
	switch (verdict.decision) {
	case REIN_GO:
		return answer_granted(args, taker->asked, taker->asked);
	case REIN_REFUSE:
		refuse(taker, &verdict);
		return answer_failed(args, taker);
	case REIN_WAIT:
		break;
	}
	return -EAGAIN;
}

/**
 * rein_take_begin() - make a taker, as of now
 * @taker:	the taker; its @end and its @holds are for the caller to set
 * @args:	what is asked
 * @wants:	the names; they have to stay as long as the taker does
 *
 * Context: the task that asks; may not sleep.
 */
void rein_take_begin(struct rein_taker *taker,
		     const struct rein_take_args *args,
		     const struct rein_take_want *wants)
{
	u64 now = ktime_get_ns();

	taker->wants = wants;
	taker->n_wants = args->n_wants;
	taker->mode = mode_of(args->flags);
	taker->asked = now;
	taker->deadline = deadline_of(args, now);
	taker->until = taker->deadline;
	taker->task = current;
	taker->state = REIN_TAKER_NEW;
	taker->limit_id = 0;
	taker->want = 0;
	taker->record = 0;
	memset(taker->scopes, 0, sizeof(taker->scopes));
	memset(taker->ties, 0, sizeof(taker->ties));
	taker->cause = REIN_CAUSE_NONE;
	taker->scope_id = 0;
	taker->lack = (struct rein_lack){ .when = REIN_NEVER };
	taker->cgrp = rein_cgroup_current();
}

/* --- after a wait --------------------------------------------------------------------- */

/*
 * Join the line of the tree that all limits are in. Those that a flush or a
 * move takes from under us are looked up again. Returns the index of a want
 * without a limit, or -1.
 */
static int join(struct rein_taker *taker)
{
	struct rein_tree *tree = NULL;
	int missing;

	rcu_read_lock();
	while (true) {
		missing = rein_taker_bind(taker);
		if (missing >= 0)
			break;
		tree = rein_tree_lock(taker->target);
		/*
		 * A limit that goes is unpublished first, with a new
		 * generation, and then everybody in line is planned anew, under
		 * this lock: either we see that here or are seen there.
		 */
		if (tree && taker->chain.gen == READ_ONCE(rein_config_gen))
			break;
		if (tree)
			rein_tree_unlock(tree);
		cpu_relax();
	}
	if (missing < 0) {
		rein_line_join(tree, taker);
		rein_tree_unlock(tree);
	}
	rcu_read_unlock();
	return missing;
}

/**
 * rein_take_join() - take the tokens, or a place in the line
 * @args:	where the answer goes, if there is no such limit
 * @taker:	the taker
 *
 * The taker's state is set by that: see rein_line_join().
 *
 * Context: a task; may not sleep.
 *
 * Return: 0, or a negative errno with an answer.
 */
int rein_take_join(struct rein_take_args *args, struct rein_taker *taker)
{
	int missing = join(taker);

	return missing < 0 ? 0 : fail_unknown(args, taker, missing);
}

/* Sleep until the state changes. Returns 0, -ETIME or -ERESTARTSYS. */
static int taker_sleep(struct rein_taker *taker)
{
	ktime_t until = ns_to_ktime(min_t(u64, taker->until, KTIME_MAX));
	int err = 0;

	while (true) {
		set_current_state(TASK_INTERRUPTIBLE | TASK_FREEZABLE);
		/* Pairs with taker_wake(). */
		if (smp_load_acquire(&taker->state) != REIN_TAKER_WAITS)
			break;
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		if (!schedule_hrtimeout(&until, HRTIMER_MODE_ABS)) {
			err = -ETIME;
			break;
		}
	}
	__set_current_state(TASK_RUNNING);
	return err;
}

/* Its task may free the taker before this returns. */
static void taker_wake(struct rein_taker *taker, enum rein_taker_state state)
{
	struct task_struct *task = taker->task;

	get_task_struct(task);
	/* Pairs with taker_sleep(). */
	smp_store_release(&taker->state, state);
	wake_up_process(task);
	put_task_struct(task);
}

/* Its scope is done. It is there until it has untied itself. */
static void taker_cut(struct rein_tie *tie)
{
	struct rein_taker *taker = tie->owner;

	if (rein_line_leave(taker, REIN_FOLD_SCOPE, tie->scope))
		wake_up_process(taker->task);
}

/* If the call is made again after a signal, the time it has goes on. */
static int restart(struct rein_take_args *args, const struct rein_taker *taker)
{
	u64 deadline = taker->until;

	if (args->flags & REIN_TAKE_TIMEOUT) {
		args->flags ^= REIN_TAKE_TIMEOUT | REIN_TAKE_DEADLINE;
		args->deadline_ns = deadline > KTIME_MAX ? REIN_DEV_NEVER :
				    deadline + rein_clock_offset(REIN_CLOCK_MONOTONIC);
	}
	return -ERESTARTSYS;
}

static int take_in_line(struct rein_take_args *args, struct rein_taker *taker)
{
	int err;

	err = rein_take_join(args, taker);
	if (err)
		return err;
	if (taker->state != REIN_TAKER_WAITS)
		return rein_take_answer(args, taker);
	if (rein_taker_tie(taker, taker_cut))
		err = taker_sleep(taker);
	else
		rein_line_leave(taker, REIN_FOLD_SCOPE, rein_taker_done(taker));
	if (err == -ETIME)
		rein_line_leave(taker, REIN_FOLD_STALE, NULL);
	else if (err && rein_line_leave(taker, REIN_FOLD_CANCELLED, NULL))
		return restart(args, taker);
	return rein_take_answer(args, taker);
}

/**
 * rein_take() - take tokens by name, all or none
 * @args:	what is asked, and where the answer goes; see the ABI
 * @wants:	the names, args->n_wants of them
 *
 * The answer is complete whatever is returned, but for -ERESTARTSYS: then
 * @args says how to ask again.
 *
 * Context: the task that takes; may sleep.
 *
 * Return: 0 or a negative errno.
 */
int rein_take(struct rein_take_args *args, const struct rein_take_want *wants)
{
	struct rein_taker *taker;
	int err;

	err = rein_take_check(args, wants, REIN_TAKE_TRY | REIN_TAKE_DEADLINE |
					   REIN_TAKE_TIMEOUT);
	if (err)
		return err;
	if (args->claim_ns)
		return rein_take_fail(args, 0, REIN_E_TAKE_MALFORMED,
				      "a take is not claimed: claim_ns must be 0",
				      "a take has a claim_ns of %llu",
				      args->claim_ns);
	taker = kmem_cache_alloc(taker_cache, GFP_KERNEL);
	if (!taker)
		return rein_take_no_memory(args);
	rein_take_begin(taker, args, wants);
	taker->end = taker_wake;
	taker->holds = NULL;

	err = rein_take_scopes(args, taker);
	if (!err) {
		rcu_read_lock();
		err = take_at_once(args, taker);
		rcu_read_unlock();
	}
	if (err == -EAGAIN && !args->code)
		err = take_in_line(args, taker);

	rein_take_end(taker);
	kmem_cache_free(taker_cache, taker);
	return err;
}

/**
 * rein_take_unread() - refuse a take whose names could not be copied
 * @args:	what is asked, and where the answer goes
 * @err:	why: -ENOMEM or -EFAULT
 *
 * Return: a negative errno; the answer is complete.
 */
int rein_take_unread(struct rein_take_args *args, int err)
{
	if (err == -ENOMEM)
		return rein_take_no_memory(args);
	return rein_take_fail(args, 0, REIN_E_DEV_FAULT,
			      "the names are not in the caller's memory",
			      "%u names are not in the caller's memory",
			      args->n_wants);
}

/**
 * rein_take_cancel_all() - let all who wait now go, without tokens
 *
 * Context: may sleep; rein_mutex held.
 */
void rein_take_cancel_all(void)
{
	/* Those who come back at once would keep us here. */
	const u64 last = rein_line_ticket();
	struct rein_target *pos;
	struct rein_tree *tree;

	lockdep_assert_held(&rein_mutex);
	for (pos = rein_target_next(NULL, NULL); pos;
	     pos = rein_target_next(NULL, pos)) {
		bool more = true;

		while (more && (tree = rein_tree_lock(pos))) {
			more = rein_line_cancel(tree, last);
			rein_tree_unlock(tree);
			cond_resched();
		}
	}
}

/**
 * rein_take_init() - make the cache
 *
 * Return: 0 or -ENOMEM.
 */
int rein_take_init(void)
{
	taker_cache = KMEM_CACHE(rein_taker, SLAB_ACCOUNT);
	return taker_cache ? 0 : -ENOMEM;
}

/**
 * rein_take_exit() - free the cache
 */
void rein_take_exit(void)
{
	kmem_cache_destroy(taker_cache);
}
