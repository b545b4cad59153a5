// SPDX-License-Identifier: GPL-2.0
/*
 * Lines: where programs wait that take tokens by name. See line.h.
 */
#include <linux/cgroup.h>
#include <linux/list_sort.h>
#include <linux/rcupdate.h>

#include "line.h"
#include "taker.h"
#include "trace.h"
#include "tree.h"

/* Most steps (see rein_plan_find()) before others get the CPU. */
#define PLAN_BUDGET		4096
/* Most grants of the timer, likewise. */
#define GRANT_BUDGET		64

static atomic64_t last_ticket;

static struct rein_line *line_of(struct rein_tree *tree)
{
	lockdep_assert_held(&tree->lock);
	return &tree->line;
}

/* --- the plan -------------------------------------------------------------------- */

static void taker_plan(struct rein_line *line, struct rein_taker *taker,
		       u64 when)
{
	rein_plan_add(&taker->place, when);
	if (when == REIN_NEVER)
		return;
	taker->due.expires = when;
	timerqueue_add(&line->due, &taker->due);
}

static void taker_unplan(struct rein_line *line, struct rein_taker *taker)
{
	if (taker->place.when == REIN_NEVER)
		return;
	rein_plan_del(&taker->place);
	taker->place.when = REIN_NEVER;
	timerqueue_del(&line->due, &taker->due);
}

/* Take @taker and those behind it off the plan. */
static void line_unplan_from(struct rein_line *line, struct rein_taker *taker)
{
	struct rein_taker *pos = taker;

	if (!taker)
		return;
	list_for_each_entry_from(pos, &line->takers, node) {
		/* Behind the first that is unplanned all are. */
		if (pos == line->unplanned)
			break;
		taker_unplan(line, pos);
	}
	/* Unless that one stands before @taker. */
	if (!line->unplanned || taker->place.ticket <
				line->unplanned->place.ticket)
		line->unplanned = taker;
}

static struct rein_taker *line_first(struct rein_line *line)
{
	return list_first_entry_or_null(&line->takers, struct rein_taker, node);
}

static struct rein_taker *line_last(struct rein_line *line)
{
	return list_empty(&line->takers) ? NULL :
	       list_last_entry(&line->takers, struct rein_taker, node);
}

static struct rein_taker *line_next(struct rein_line *line,
				    struct rein_taker *taker)
{
	return list_is_last(&taker->node, &line->takers) ? NULL :
	       list_next_entry(taker, node);
}

static struct rein_taker *line_prev(struct rein_line *line,
				    struct rein_taker *taker)
{
	return list_is_first(&taker->node, &line->takers) ? NULL :
	       list_prev_entry(taker, node);
}

/* Take a taker, off the plan or served, out of the line. */
static void line_remove(struct rein_line *line, struct rein_taker *taker)
{
	if (line->unplanned == taker)
		line->unplanned = line_next(line, taker);
	list_del(&taker->node);
	taker->target->room.takers--;
}

/* The end of a wait. Its owner may free the taker before this returns. */
static void taker_end(struct rein_line *line, struct rein_taker *taker,
		      enum rein_taker_state state)
{
	if (state == REIN_TAKER_GRANTED)
		trace_release(taker->target, 0, taker->granted - taker->asked);
	line_remove(line, taker);
	taker->end(taker, state);
}

/*
 * With the chain's locks held, at the planned time. Returns a limit that had
 * no tokens, but only observes.
 */
static struct rein_lack taker_grant(struct rein_line *line,
				    struct rein_taker *taker)
{
	struct rein_request req;

	taker->granted = taker->place.when;
	rein_taker_request(taker, taker->granted, &req);
	timerqueue_del(&line->due, &taker->due);
	if (taker->place.n)
		rein_plan_grant(&taker->place);
	return rein_admit_planned(&taker->chain, &req);
}

static void line_grant(struct rein_line *line, u64 now, unsigned int budget)
{
	struct timerqueue_node *next;
	struct rein_lack observed;
	struct rein_taker *taker;

	while (budget-- && (next = timerqueue_getnext(&line->due)) &&
	       next->expires <= now) {
		taker = container_of(next, struct rein_taker, due);
		if (now - next->expires > REIN_LINE_LATE_NS) {
			line_unplan_from(line, line_first(line));
			return;
		}
		rein_chain_lock(&taker->chain);
		observed = taker_grant(line, taker);
		rein_chain_unlock(&taker->chain);
		if (observed.limit)
			rein_taker_observed(taker, &observed);
		taker_end(line, taker, REIN_TAKER_GRANTED);
	}
}

/*
 * Give the first that has none a time, or an end. Returns false if that has to
 * wait for a change of the configuration to be complete.
 */
static bool line_plan_next(struct rein_tree *tree, u64 now,
			   unsigned int *steps)
{
	struct rein_line *line = line_of(tree);
	struct rein_taker *taker = line->unplanned;
	struct rein_request req;
	bool fails;
	u64 when;

	*steps += 1 + taker->n_wants * taker->chain.n;
	if (!rein_taker_refresh(tree, taker))
		return false;
	/* What a limit does over it may have changed. */
	rein_taker_entries(taker);

	rein_taker_request(taker, now, &req);
	rein_chain_lock(&taker->chain);
	when = rein_taker_when(taker, line_prev(line, taker), now, steps);
	fails = rein_taker_too_much(taker) || rein_taker_too_late(taker, when);
	if (fails)
		rein_admit_end(&taker->chain, &req, REIN_STAT(STALE), NULL);
	else
		taker_plan(line, taker, when);
	rein_chain_unlock(&taker->chain);

	if (fails) {
		taker->record = rein_taker_record(taker);
		taker_end(line, taker, REIN_TAKER_FAILED);
	} else {
		line->unplanned = line_next(line, taker);
	}
	return true;
}

/*
 * Have the timer run when there is next something to do; to plan may be left
 * to whoever changes the configuration.
 */
static void line_arm(struct rein_line *line, bool plan)
{
	struct timerqueue_node *next = timerqueue_getnext(&line->due);
	ktime_t when;

	if (plan && line->unplanned)
		when = ktime_get();
	else if (next)
		when = next->expires;
	else
		return;
	hrtimer_start(&line->timer, when, HRTIMER_MODE_ABS_SOFT);
}

/* Grant what is due, plan what is not, as far as the budgets go. */
static void line_run(struct rein_tree *tree, u64 now, unsigned int grants)
{
	struct rein_line *line = line_of(tree);
	unsigned int steps = 0;
	bool able = true;

	line_grant(line, now, grants);
	while (able && line->unplanned && steps < PLAN_BUDGET)
		able = line_plan_next(tree, now, &steps);
	line_arm(line, able);
}

static enum hrtimer_restart line_timer(struct hrtimer *timer)
{
	struct rein_line *line = container_of(timer, struct rein_line, timer);
	struct rein_tree *tree = container_of(line, struct rein_tree, line);

	rcu_read_lock();
	spin_lock_bh(&tree->lock);
	line_run(tree, ktime_get_ns(), GRANT_BUDGET);
	spin_unlock_bh(&tree->lock);
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

/* --- coming and going --------------------------------------------------------------- */

/* What is to become of a newcomer? Called with the chain's locks held. */
static void line_decide(struct rein_line *line, struct rein_taker *taker,
			u64 now, struct rein_lack *observed)
{
	unsigned int stat = REIN_STAT(REFUSED), steps = 0;
	const struct rein_limit *dry = NULL;
	bool planned = !line->unplanned;
	struct rein_request req;
	u64 when = REIN_NEVER;

	rein_taker_request(taker, now, &req);
	if (planned || !taker->place.n)
		when = rein_taker_when(taker, line_last(line), now, &steps);
	if (when <= now) {
		/*
		 * Others may be planned for this very moment and not be granted
		 * yet: they lose nothing, as it was found with theirs taken.
		 */
		taker_plan(line, taker, now);
		*observed = taker_grant(line, taker);
		taker->state = REIN_TAKER_GRANTED;
		return;
	}

	taker->state = REIN_TAKER_FAILED;
	if (rein_taker_too_much(taker) || rein_taker_refused(taker, when, now, planned) ||
	    (planned && rein_taker_too_late(taker, when)))
		dry = taker->lack.limit;
	else if (rein_taker_too_many(taker, planned ? when : now))
		stat = REIN_STAT(OVERFLOW);
	else
		taker->state = REIN_TAKER_WAITS;
	if (taker->state == REIN_TAKER_FAILED) {
		rein_admit_end(&taker->chain, &req, stat, dry);
		return;
	}
	rein_admit_end(&taker->chain, &req, REIN_STAT(QUEUED),
		       rein_taker_tightest(taker));
	if (planned)
		taker_plan(line, taker, when);
}

/**
 * rein_line_join() - take tokens, or stand in line for them
 * @tree:	the tree, locked
 * @taker:	the taker, bound to limits of this tree
 *
 * Sets the taker's state: granted; failed, with all about it that can be
 * said; or it waits, and its owner has to until the state changes.
 *
 * Context: RCU read side; takes the locks of the chain.
 */
void rein_line_join(struct rein_tree *tree, struct rein_taker *taker)
{
	struct rein_line *line = line_of(tree);
	struct rein_lack observed = { };
	u64 now = ktime_get_ns();

	/* All that is due: a newcomer is granted nothing before them. */
	line_run(tree, now, UINT_MAX);
	taker->place.ticket = atomic64_inc_return(&last_ticket);
	timerqueue_init(&taker->due);
	/* Again, now that what a limit does over it can't change. */
	rein_taker_entries(taker);
	rein_chain_lock(&taker->chain);
	line_decide(line, taker, now, &observed);
	rein_chain_unlock(&taker->chain);
	if (observed.limit)
		rein_taker_observed(taker, &observed);
	if (taker->state == REIN_TAKER_FAILED)
		taker->record = rein_taker_record(taker);
	if (taker->state != REIN_TAKER_WAITS)
		return;
	trace_wait(taker->target, 0, taker->place.when == REIN_NEVER ?
					0 : taker->place.when);
	taker->target->room.takers++;
	list_add_tail(&taker->node, &line->takers);
	line_arm(line, true);
}

/*
 * The tree whose line a taker is in, locked, with all limits of its chain being
 * there; NULL: it is in none any more. Its target may change, and be on its way
 * to another tree, as long as there is no lock.
 */
static struct rein_tree *taker_tree(struct rein_taker *taker)
{
	struct rein_target *target;
	struct rein_tree *tree;

	/* Pairs with the taker's end(). */
	while (smp_load_acquire(&taker->state) == REIN_TAKER_WAITS) {
		target = READ_ONCE(taker->target);
		tree = rein_tree_lock(target);
		if (tree && target == taker->target &&
		    rein_taker_refresh(tree, taker))
			return tree;
		if (tree)
			rein_tree_unlock(tree);
		cpu_relax();
	}
	return NULL;
}

/* With its tree locked: take a taker that got nothing out of the line. */
static void line_give_up(struct rein_line *line, struct rein_taker *taker,
			 enum rein_fold fold, const struct rein_scope *scope,
			 u64 now)
{
	bool stale = fold == REIN_FOLD_STALE;
	u64 when = taker->place.when;
	struct rein_request req;

	/* Who has no time is in nobody's way. */
	if (when != REIN_NEVER)
		line_unplan_from(line, taker);
	rein_taker_request(taker, now, &req);
	taker->fold = fold;
	rein_chain_lock(&taker->chain);
	if (taker->place.n)
		rein_taker_blame_tightest(taker, fold, when);
	rein_admit_end(&taker->chain, &req,
		       stale ? REIN_STAT(STALE) : REIN_STAT(CANCELLED), NULL);
	rein_chain_unlock(&taker->chain);
	if (scope)
		rein_taker_cut(taker, scope);
	else if (fold != REIN_FOLD_CANCELLED && taker->place.n)
		taker->record = rein_taker_record(taker);
}

/**
 * rein_line_leave() - give up waiting
 * @taker:	the taker; on return it is out of the line
 * @fold:	why: REIN_FOLD_STALE, REIN_FOLD_CANCELLED without a record, or
 *		REIN_FOLD_SCOPE
 * @scope:	of the last: the scope that is done; else NULL
 *
 * Those behind move up.
 *
 * Return: true; false if it got its tokens after all, or failed, in the
 * meantime: see its state.
 */
bool rein_line_leave(struct rein_taker *taker, enum rein_fold fold,
		     const struct rein_scope *scope)
{
	struct rein_tree *tree;
	bool left = false;
	u64 now;

	rcu_read_lock();
	tree = taker_tree(taker);
	if (!tree)
		goto out;
	now = ktime_get_ns();
	/* Its time may have come, and only the timer be late. */
	line_grant(line_of(tree), now, UINT_MAX);
	if (taker->state == REIN_TAKER_WAITS) {
		line_give_up(line_of(tree), taker, fold, scope, now);
		line_remove(line_of(tree), taker);
		/* A reservation's is looked at by others. */
		smp_store_release(&taker->state, REIN_TAKER_FAILED);
		left = true;
	}
	line_run(tree, now, GRANT_BUDGET);
	rein_tree_unlock(tree);
out:
	rcu_read_unlock();
	return left;
}

/**
 * rein_line_when() - when is it a taker's turn?
 * @taker:	the taker, which has joined
 *
 * Context: a task, as rein_line_leave().
 *
 * Return: CLOCK_MONOTONIC, ns; REIN_NEVER: not at the present rates, or not
 * planned yet; 0: it doesn't wait any more.
 */
u64 rein_line_when(struct rein_taker *taker)
{
	struct rein_tree *tree;
	u64 when = 0;

	rcu_read_lock();
	tree = taker_tree(taker);
	if (tree) {
		when = taker->place.when;
		rein_tree_unlock(tree);
	}
	rcu_read_unlock();
	return when;
}

/**
 * rein_line_unplan() - take everybody off the plan, since limits will change
 * @tree:	the tree, locked
 *
 * To be followed by rein_line_again().
 */
void rein_line_unplan(struct rein_tree *tree)
{
	struct rein_line *line = line_of(tree);

	line_unplan_from(line, line_first(line));
}

/* --- tokens that come back -------------------------------------------------------- */

/**
 * rein_line_stop() - take everybody off the plan, since tokens will come back
 * @chain:	where the limits on calls that bind @cgrp go
 * @cgrp:	the cgroup
 *
 * What is due has been granted then: what comes back now is not for them.
 *
 * Context: RCU read side, also bottom halves.
 *
 * Return: the tree of these limits, locked, to be handed to rein_line_resume();
 * NULL: there are no such limits any more.
 */
struct rein_tree *rein_line_stop(struct rein_chain *chain, struct cgroup *cgrp)
{
	struct rein_target *target;
	struct rein_tree *tree;

	while ((target = rein_chain_find(chain, cgrp, REIN_RESOURCE_CALL))) {
		tree = rein_tree_lock(target);
		/* Who waits for a limit is in the tree that its target is in. */
		if (tree && chain->gen == READ_ONCE(rein_config_gen)) {
			line_grant(line_of(tree), ktime_get_ns(), UINT_MAX);
			rein_line_unplan(tree);
			return tree;
		}
		if (tree)
			rein_tree_unlock(tree);
		cpu_relax();
	}
	return NULL;
}

/**
 * rein_line_resume() - undo rein_line_stop(): everybody is planned anew
 * @tree:	the tree, locked; unlocked on return
 */
void rein_line_resume(struct rein_tree *tree)
{
	line_run(tree, ktime_get_ns(), GRANT_BUDGET);
	rein_tree_unlock(tree);
}

/* --- configuration --------------------------------------------------------------- */

/**
 * rein_line_again() - plan everybody anew, since limits have changed
 * @tree:	the tree, locked
 */
void rein_line_again(struct rein_tree *tree)
{
	struct rein_line *line = line_of(tree);

	if (list_empty(&line->takers))
		return;
	rcu_read_lock();
	rein_line_unplan(tree);
	line_run(tree, ktime_get_ns(), GRANT_BUDGET);
	rcu_read_unlock();
}

static int by_ticket(void *unused, const struct list_head *a,
		     const struct list_head *b)
{
	return list_entry(a, struct rein_taker, node)->place.ticket >
	       list_entry(b, struct rein_taker, node)->place.ticket;
}

/**
 * rein_line_move() - takers follow their targets into another tree
 * @from:	the tree they are in, locked
 * @to:		the tree that some of their targets are in now, locked
 */
void rein_line_move(struct rein_tree *from, struct rein_tree *to)
{
	struct rein_taker *taker, *next;

	rein_line_unplan(from);
	rein_line_unplan(to);
	list_for_each_entry_safe(taker, next, &from->line.takers, node)
		if (rcu_access_pointer(taker->target->room.tree) == to)
			list_move_tail(&taker->node, &to->line.takers);
	list_sort(NULL, &to->line.takers, by_ticket);
	from->line.unplanned = line_first(&from->line);
	to->line.unplanned = line_first(&to->line);
	line_arm(&from->line, true);
	line_arm(&to->line, true);
}

/**
 * rein_line_ticket() - the last ticket that was given to a taker
 *
 * Return: the ticket; who comes later gets a greater one.
 */
u64 rein_line_ticket(void)
{
	return atomic64_read(&last_ticket);
}

/**
 * rein_line_cancel() - let go some of those who wait, without tokens
 * @tree:	the tree, locked
 * @last:	nobody with a later ticket than this
 *
 * Context: rein_mutex held, so that all targets are where they belong.
 *
 * Return: whether there are more.
 */
bool rein_line_cancel(struct rein_tree *tree, u64 last)
{
	struct rein_line *line = line_of(tree);
	unsigned int budget = GRANT_BUDGET;
	struct rein_taker *taker;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&rein_mutex);
	rcu_read_lock();
	rein_line_unplan(tree);
	while ((taker = line_first(line)) && taker->place.ticket <= last &&
	       budget--) {
		if (WARN_ON_ONCE(!rein_taker_refresh(tree, taker))) {
			/* Can't be; but never loop. */
			taker = NULL;
			break;
		}
		line_give_up(line, taker, REIN_FOLD_FLUSHED, NULL, now);
		taker_end(line, taker, REIN_TAKER_FAILED);
	}
	rcu_read_unlock();
	line_arm(line, true);
	return taker && taker->place.ticket <= last;
}

/**
 * rein_line_open() - make the line of a new tree
 * @tree:	the tree
 */
void rein_line_open(struct rein_tree *tree)
{
	struct rein_line *line = &tree->line;

	INIT_LIST_HEAD(&line->takers);
	timerqueue_init_head(&line->due);
	hrtimer_setup(&line->timer, line_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
}

/**
 * rein_line_close() - undo rein_line_open()
 * @tree:	the tree; nobody is in its line
 *
 * Context: may sleep.
 */
void rein_line_close(struct rein_tree *tree)
{
	hrtimer_cancel(&tree->line.timer);
}
