// SPDX-License-Identifier: GPL-2.0
/*
 * Scopes: what ends with what, when, why, and in which order; and that nothing is left.
 *
 * Nobody listens here, no cgroup is bound, and there are no races: what the module does for these
 * is counted instead.
 */
#include "../scope.c"
#include "../maker.c"
#include "../clock.c"

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>

#include "suites.h"

#define FAR	(ktime_get_ns() + 3600 * NSEC_PER_SEC)

/* --- the rest of the module ----------------------------------------------------------------- */

static atomic_t told[REIN_SCOPE_EVENT_GONE + 1];
static atomic_t records;
static enum rein_code refused;

void rein_netlink_scope(const struct rein_scope *scope, enum rein_scope_event event)
{
	atomic_inc(&told[event]);
}

u64 rein_record_scope(const struct rein_scope_note *note, const struct rein_site *site)
{
	return atomic_inc_return(&records);
}

int __rein_fail(struct rein_ask *ask, const struct nlattr *attr, enum rein_code code,
		const char *what, const struct rein_site *site, const char *fmt, ...)
{
	refused = code;
	return -EINVAL;
}

void __rein_call_fail(struct rein_answer *answer, enum rein_code code,
		      const struct netlink_ext_ack *extack)
{
}

struct cgroup *rein_bind_cgroup(const struct rein_scope *scope, bool *kills)
{
	return NULL;
}

void rein_bind_end(struct rein_scope *scope)
{
}

struct cgroup *rein_cgroup_current(void)
{
	struct cgroup *cgrp;

	rcu_read_lock();
	cgrp = task_dfl_cgroup(current);
	cgroup_get(cgrp);
	rcu_read_unlock();
	return cgrp;
}

const struct cgroup *rein_view_root(void)
{
	return NULL;
}

void rein_race_free(struct rein_scope *scope)
{
}

int rein_race_enter(struct rein_scope *scope, struct rein_scope *parent,
		    struct rein_answer *answer)
{
	return 0;
}

bool rein_race_timeout(struct rein_scope *scope, enum rein_cause cause)
{
	return false;
}

void rein_race_spared(struct rein_scope *scope)
{
}

/* --- help ------------------------------------------------------------------------------------ */

/**
 * struct waiter - what ends with a scope
 * @tie:	its tie
 * @done:	it has
 * @order:	as which of all
 */
struct waiter {
	struct rein_tie tie;
	struct completion done;
	unsigned int order;
};

static atomic_t cuts;

static void cut(struct rein_tie *tie)
{
	struct waiter *waiter = container_of(tie, struct waiter, tie);

	waiter->order = atomic_inc_return(&cuts);
	complete(&waiter->done);
}

static void wait_on(struct kunit *test, struct waiter *waiter, struct rein_scope *scope)
{
	init_completion(&waiter->done);
	KUNIT_EXPECT_TRUE(test, rein_tie(&waiter->tie, scope, cut));
}

/* It has ended, soon. */
static void ends(struct kunit *test, struct waiter *waiter)
{
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&waiter->done, 60 * HZ), 0UL);
	rein_untie(&waiter->tie);
}

static struct rein_scope *try_new(struct rein_scope *parent, u64 deadline)
{
	struct rein_scope_spec spec = {
		.name = "", .parent = parent, .deadline = { deadline, REIN_NEVER },
	};

	refused = 0;
	return rein_scope_new(&spec, NULL);
}

static struct rein_scope *make(struct kunit *test, struct rein_scope *parent, u64 deadline)
{
	struct rein_scope *scope = try_new(parent, deadline);

	KUNIT_ASSERT_FALSE(test, IS_ERR(scope));
	return scope;
}

static int test_init(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(told); i++)
		atomic_set(&told[i], 0);
	atomic_set(&records, 0);
	atomic_set(&cuts, 0);
	return 0;
}

static void test_exit(struct kunit *test)
{
	flush_workqueue(wq);
	KUNIT_EXPECT_EQ(test, rein_scope_number(), 0UL);
	KUNIT_EXPECT_EQ(test, atomic_read(&told[REIN_SCOPE_EVENT_MADE]),
			atomic_read(&told[REIN_SCOPE_EVENT_GONE]));
}

/* --- what ends with what --------------------------------------------------------------------- */

static void down_and_not_up(struct kunit *test)
{
	struct rein_scope *top = make(test, NULL, REIN_NEVER);
	struct rein_scope *left = make(test, top, REIN_NEVER);
	struct rein_scope *right = make(test, top, REIN_NEVER);
	struct rein_scope *below = make(test, left, REIN_NEVER);
	struct waiter waiter;

	wait_on(test, &waiter, below);
	KUNIT_EXPECT_EQ(test, rein_scope_cancel(left, REIN_CAUSE_USER, "enough\n"),
			(u32)REIN_CAUSE_USER);
	ends(test, &waiter);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(top), (u32)REIN_CAUSE_NONE);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(right), (u32)REIN_CAUSE_NONE);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(below), (u32)REIN_CAUSE_PARENT);
	KUNIT_EXPECT_EQ(test, below->end.origin, left->id);
	KUNIT_EXPECT_EQ(test, below->end.record, left->end.record);
	KUNIT_EXPECT_STREQ(test, left->end.reason, "enough?");
	KUNIT_EXPECT_PTR_EQ(test, rein_scope_origin(below), (const struct rein_scope *)left);
	KUNIT_EXPECT_EQ(test, atomic_read(&records), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&told[REIN_SCOPE_EVENT_DONE]), 2);
	rein_scope_put(below);
	rein_scope_put(right);
	rein_scope_put(left);
	rein_scope_put(top);
}

static void the_first_cause_stays(struct kunit *test)
{
	struct rein_scope *top = make(test, NULL, REIN_NEVER);
	struct rein_scope *below = make(test, top, REIN_NEVER);

	rein_scope_cancel(below, REIN_CAUSE_DUPLICATE, NULL);
	rein_scope_cancel(top, REIN_CAUSE_TIMEOUT, NULL);
	KUNIT_EXPECT_EQ(test, rein_scope_cancel(top, REIN_CAUSE_USER, NULL),
			(u32)REIN_CAUSE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(below), (u32)REIN_CAUSE_DUPLICATE);
	KUNIT_EXPECT_EQ(test, atomic_read(&records), 2);
	rein_scope_put(top);
	rein_scope_put(below);
}

/* What has won a race is not cancelled, nor what is below it. */
static void what_has_won_stays(struct kunit *test)
{
	struct rein_scope *top = make(test, NULL, REIN_NEVER);
	struct rein_scope *winner = make(test, top, REIN_NEVER);
	struct rein_scope *below = make(test, winner, REIN_NEVER);

	winner->settled = true;
	rein_scope_cancel(top, REIN_CAUSE_USER, NULL);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(winner), (u32)REIN_CAUSE_NONE);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(below), (u32)REIN_CAUSE_NONE);
	rein_scope_cancel_because(winner, top->id, 7);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(winner), (u32)REIN_CAUSE_PARENT);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(below), (u32)REIN_CAUSE_PARENT);
	rein_scope_put(below);
	rein_scope_put(winner);
	rein_scope_put(top);
}

static void born_done(struct kunit *test)
{
	struct rein_scope *top = make(test, NULL, REIN_NEVER), *below, *late;
	struct waiter waiter;

	rein_scope_cancel(top, REIN_CAUSE_USER, NULL);
	below = make(test, top, FAR);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(below), (u32)REIN_CAUSE_PARENT);
	KUNIT_EXPECT_EQ(test, below->end.origin, top->id);
	KUNIT_EXPECT_FALSE(test, rein_tie(&waiter.tie, below, cut));
	late = make(test, NULL, ktime_get_ns());
	KUNIT_EXPECT_EQ(test, rein_scope_cause(late), (u32)REIN_CAUSE_TIMEOUT);
	rein_scope_put(late);
	rein_scope_put(below);
	rein_scope_put(top);
}

static void the_newest_ends_first(struct kunit *test)
{
	struct rein_scope *top = make(test, NULL, REIN_NEVER);
	struct waiter waiters[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		wait_on(test, &waiters[i], top);
	/* One that doesn't wait any more. */
	rein_untie(&waiters[1].tie);
	rein_scope_cancel(top, REIN_CAUSE_USER, NULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&cuts), 3);
	KUNIT_EXPECT_EQ(test, waiters[3].order, 1U);
	KUNIT_EXPECT_EQ(test, waiters[2].order, 2U);
	KUNIT_EXPECT_EQ(test, waiters[0].order, 3U);
	ends(test, &waiters[3]);
	ends(test, &waiters[2]);
	ends(test, &waiters[0]);
	rein_scope_put(top);
}

/* --- deadlines -------------------------------------------------------------------------------- */

static void the_earliest_counts(struct kunit *test)
{
	const u64 early = FAR, late = early + NSEC_PER_SEC;
	struct rein_scope *top = make(test, NULL, early);
	struct rein_scope *later = make(test, top, late);
	struct rein_scope *earlier = make(test, top, early - 1);
	struct rein_scope *none = make(test, later, REIN_NEVER);

	KUNIT_EXPECT_EQ(test, rein_scope_deadline(later), early);
	KUNIT_EXPECT_EQ(test, rein_scope_deadline(none), early);
	KUNIT_EXPECT_EQ(test, rein_scope_deadline(earlier), early - 1);
	/* Whose deadline is another's has no timer that runs. */
	KUNIT_EXPECT_TRUE(test, hrtimer_active(&top->timer));
	KUNIT_EXPECT_TRUE(test, hrtimer_active(&earlier->timer));
	KUNIT_EXPECT_FALSE(test, hrtimer_active(&later->timer));
	KUNIT_EXPECT_FALSE(test, hrtimer_active(&none->timer));
	rein_scope_put(none);
	rein_scope_put(earlier);
	rein_scope_put(later);
	rein_scope_put(top);
}

static void a_deadline_passes(struct kunit *test)
{
	const u64 deadline = ktime_get_ns() + 20 * NSEC_PER_MSEC;
	struct rein_scope *top = make(test, NULL, deadline);
	struct rein_scope *below = make(test, top, FAR);
	struct waiter waiter;

	if (rein_tie(&waiter.tie, below, cut)) {
		rein_untie(&waiter.tie);
		wait_event(below->wait, rein_scope_cause(below));
	}
	KUNIT_EXPECT_EQ(test, rein_scope_cause(top), (u32)REIN_CAUSE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, rein_scope_cause(below), (u32)REIN_CAUSE_PARENT);
	KUNIT_EXPECT_GE(test, top->end.time_ns, deadline);
	KUNIT_EXPECT_EQ(test, below->end.time_ns, top->end.time_ns);
	rein_scope_put(below);
	rein_scope_put(top);
}

#define MANY	300

/* None too early, and each once, whoever else cancels or gives it up just then. */
static void many_deadlines(struct kunit *test)
{
	struct rein_scope **scopes_made;
	struct rnd_state rnd;
	u64 from, deadline;
	unsigned int i;

	scopes_made = kunit_kcalloc(test, MANY, sizeof(*scopes_made), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, scopes_made);
	prandom_seed_state(&rnd, 1);
	from = ktime_get_ns();
	for (i = 0; i < MANY; i++) {
		deadline = from + prandom_u32_state(&rnd) % (100 * NSEC_PER_MSEC);
		scopes_made[i] = make(test, NULL, deadline);
	}
	for (i = 0; i < MANY; i++) {
		struct rein_scope *scope = scopes_made[i];

		switch (i % 3) {
		case 0:
			wait_event(scope->wait, rein_scope_cause(scope));
			KUNIT_EXPECT_EQ(test, rein_scope_cause(scope), (u32)REIN_CAUSE_TIMEOUT);
			KUNIT_EXPECT_GE(test, scope->end.time_ns,
					scope->deadline[REIN_CLOCK_MONOTONIC]);
			break;
		case 1:
			KUNIT_EXPECT_NE(test, rein_scope_cancel(scope, REIN_CAUSE_USER, NULL),
					(u32)REIN_CAUSE_NONE);
			break;
		}
		rein_scope_put(scope);
	}
	flush_workqueue(wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&told[REIN_SCOPE_EVENT_DONE]), atomic_read(&records));
	KUNIT_EXPECT_GE(test, atomic_read(&records), 2 * MANY / 3);
}

static int cancel_it(void *data)
{
	rein_scope_cancel(data, REIN_CAUSE_USER, NULL);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Two end it at once, and a third one stops waiting for that: one of them has, once. */
static void two_at_once(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		struct rein_scope *scope = make(test, NULL, REIN_NEVER);
		struct task_struct *other;
		struct waiter waiter;

		wait_on(test, &waiter, scope);
		atomic_set(&records, 0);
		other = kthread_run(cancel_it, scope, "rein-cancel");
		KUNIT_ASSERT_FALSE(test, IS_ERR(other));
		if (i % 2)
			rein_scope_cancel(scope, REIN_CAUSE_TIMEOUT, NULL);
		rein_untie(&waiter.tie);
		rein_scope_cancel(scope, REIN_CAUSE_TIMEOUT, NULL);
		kthread_stop(other);
		KUNIT_EXPECT_EQ(test, atomic_read(&records), 1);
		rein_scope_put(scope);
	}
}

/* --- bounds ---------------------------------------------------------------------------------- */

static void as_deep_as_may_be(struct kunit *test)
{
	struct rein_scope *chain[REIN_SCOPE_DEPTH_MAX], *more;
	unsigned int i;

	for (i = 0; i < REIN_SCOPE_DEPTH_MAX; i++)
		chain[i] = make(test, i ? chain[i - 1] : NULL, REIN_NEVER);
	more = try_new(chain[i - 1], REIN_NEVER);
	KUNIT_EXPECT_TRUE(test, IS_ERR(more));
	KUNIT_EXPECT_EQ(test, refused, REIN_E_SCOPE_DEEP);
	/* Each holds the one above: the last one lets go of all. */
	for (i = 0; i < REIN_SCOPE_DEPTH_MAX - 1; i++)
		rein_scope_put(chain[i]);
	KUNIT_EXPECT_EQ(test, rein_scope_number(), (unsigned long)REIN_SCOPE_DEPTH_MAX);
	rein_scope_put(chain[REIN_SCOPE_DEPTH_MAX - 1]);
}

static void as_many_as_one_may_have(struct kunit *test)
{
	const unsigned int before = scopes_per_user;
	struct rein_scope *some[3], *more;
	unsigned int i;

	scopes_per_user = 3;
	for (i = 0; i < 3; i++)
		some[i] = make(test, NULL, REIN_NEVER);
	more = try_new(NULL, REIN_NEVER);
	KUNIT_EXPECT_TRUE(test, IS_ERR(more));
	KUNIT_EXPECT_EQ(test, refused, REIN_E_SCOPE_MANY);
	rein_scope_put(some[0]);
	some[0] = make(test, NULL, REIN_NEVER);
	for (i = 0; i < 3; i++)
		rein_scope_put(some[i]);
	scopes_per_user = before;
}

static void found_by_id(struct kunit *test)
{
	struct rein_scope *one = make(test, NULL, REIN_NEVER), *found;
	struct rein_scope *two = make(test, one, REIN_NEVER);
	const u64 id = two->id;

	found = rein_scope_find(id);
	KUNIT_EXPECT_PTR_EQ(test, found, two);
	rein_scope_put(found);
	found = rein_scope_next(one->id + 1);
	KUNIT_EXPECT_PTR_EQ(test, found, two);
	rein_scope_put(found);
	rein_scope_put(two);
	KUNIT_EXPECT_PTR_EQ(test, rein_scope_find(id), (struct rein_scope *)NULL);
	rein_scope_put(one);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(down_and_not_up),
	KUNIT_CASE(the_first_cause_stays),
	KUNIT_CASE(what_has_won_stays),
	KUNIT_CASE(born_done),
	KUNIT_CASE(the_newest_ends_first),
	KUNIT_CASE(the_earliest_counts),
	KUNIT_CASE(a_deadline_passes),
	KUNIT_CASE(many_deadlines),
	KUNIT_CASE(two_at_once),
	KUNIT_CASE(as_deep_as_may_be),
	KUNIT_CASE(as_many_as_one_may_have),
	KUNIT_CASE(found_by_id),
	{ }
};

static int suite_init(struct kunit_suite *suite)
{
	return rein_scope_init();
}

static void suite_exit(struct kunit_suite *suite)
{
	rein_scope_exit();
}

struct kunit_suite rein_scope_suite = {
	.name = "rein-scope",
	.suite_init = suite_init,
	.suite_exit = suite_exit,
	.init = test_init,
	.exit = test_exit,
	.test_cases = cases,
};
