// SPDX-License-Identifier: GPL-2.0
/*
 * The one decision: all or nothing, whatever the limits and however many CPUs.
 */
/* The tracepoints are in the module, once. */
#define NOTRACE

#include "../admit.c"
#include "../slice.c"

#include <linux/completion.h>
#include <linux/kthread.h>

#include "suites.h"

#define SEC	NSEC_PER_SEC
#define NOW	(1000 * SEC)

/* What the tests have made, to free what isn't KUnit's. */
static LIST_HEAD(made);

/* A limit of @n tiers in bytes, @rate a second each, full at NOW. */
static struct rein_limit *limit_new(struct kunit *test, u8 over, u8 n, u64 rate,
				    u64 burst)
{
	struct rein_rate per_second = { rate, SEC };
	struct rein_limit *limit;
	unsigned int i;

	limit = kunit_kzalloc(test, sizeof(*limit) + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, limit);
	limit->tiers = kunit_kcalloc(test, n, sizeof(*limit->tiers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, limit->tiers);
	spin_lock_init(&limit->lock);
	list_add(&limit->node, &made);
	limit->over = over;
	limit->n_tiers = n;
	for (i = 0; i < n; i++) {
		limit->tiers[i].unit = REIN_UNIT_BYTES;
		rein_bucket_init(&limit->tiers[i].bucket, &per_second, burst,
				 NOW);
	}
	return limit;
}

static void made_free(struct kunit *test)
{
	struct rein_limit *limit, *next;

	list_for_each_entry_safe(limit, next, &made, node) {
		list_del(&limit->node);
		free_percpu(limit->slices);
	}
}

static enum rein_decision ask(const struct rein_chain *chain, u64 bytes,
			      u64 now, bool ecn, struct rein_verdict *verdict)
{
	struct rein_request req = {
		.cost = { [REIN_UNIT_BYTES] = bytes, [REIN_UNIT_PACKETS] = 1 },
		.now = now,
		.may_debt = true,
		.ecn = ecn,
	};

	rcu_read_lock();
	rein_admit(chain, &req, verdict);
	rcu_read_unlock();
	return verdict->decision;
}

static u64 tokens(const struct rein_limit *limit)
{
	return limit->tiers[0].bucket.tokens;
}

static u64 counted(const struct rein_limit *limit, unsigned int stat)
{
	return limit->stats[stat].packets;
}

static void all_are_charged(struct kunit *test)
{
	struct rein_limit *a = limit_new(test, REIN_OVER_REFUSE, 1, 1, 100);
	struct rein_limit *b = limit_new(test, REIN_OVER_WAIT, 2, 1, 200);
	struct rein_chain chain = { .n = 2, .limits = { a, b } };
	struct rein_verdict verdict;

	KUNIT_EXPECT_EQ(test, ask(&chain, 60, NOW, false, &verdict), REIN_GO);
	KUNIT_EXPECT_EQ(test, tokens(a), 40ULL);
	KUNIT_EXPECT_EQ(test, tokens(b), 140ULL);
	KUNIT_EXPECT_EQ(test, b->tiers[1].bucket.tokens, 140ULL);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(PASSED)), 1ULL);
	KUNIT_EXPECT_EQ(test, counted(b, REIN_STAT(PASSED)), 1ULL);
	KUNIT_EXPECT_PTR_EQ(test, verdict.lack.limit, (struct rein_limit *)NULL);
}

static void or_none_is(struct kunit *test)
{
	struct rein_limit *a = limit_new(test, REIN_OVER_REFUSE, 1, 1, 100);
	struct rein_limit *b = limit_new(test, REIN_OVER_REFUSE, 1, 1, 1000);
	struct rein_chain chain = { .n = 2, .limits = { a, b } };
	struct rein_verdict verdict;

	KUNIT_EXPECT_EQ(test, ask(&chain, 60, NOW, false, &verdict), REIN_GO);
	KUNIT_EXPECT_EQ(test, ask(&chain, 60, NOW, false, &verdict), REIN_REFUSE);
	KUNIT_EXPECT_EQ(test, tokens(a), 40ULL);
	KUNIT_EXPECT_EQ(test, tokens(b), 940ULL);
	KUNIT_EXPECT_PTR_EQ(test, verdict.lack.limit, a);
	KUNIT_EXPECT_EQ(test, verdict.lack.wanted, 60ULL);
	KUNIT_EXPECT_EQ(test, verdict.lack.available, 40ULL);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(SEEN)), 2ULL);
	KUNIT_EXPECT_EQ(test, counted(b, REIN_STAT(REFUSED)), 1ULL);
	/* The one that lacked them is the one that was short. */
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(SHORT)), 1ULL);
	KUNIT_EXPECT_EQ(test, counted(b, REIN_STAT(SHORT)), 0ULL);
}

static void refusal_outranks_wait(struct kunit *test)
{
	struct rein_limit *a = limit_new(test, REIN_OVER_WAIT, 1, 1, 10);
	struct rein_limit *b = limit_new(test, REIN_OVER_REFUSE, 1, 1000, 10);
	struct rein_chain chain = { .n = 2, .limits = { a, b } };
	struct rein_verdict verdict;

	KUNIT_EXPECT_EQ(test, ask(&chain, 10, NOW, false, &verdict), REIN_GO);
	KUNIT_EXPECT_EQ(test, ask(&chain, 10, NOW, false, &verdict), REIN_REFUSE);
	KUNIT_EXPECT_PTR_EQ(test, verdict.lack.limit, b);
}

/* Not a nanosecond before the time it says, and not one later. */
static void longest_wait_decides(struct kunit *test)
{
	struct rein_limit *a = limit_new(test, REIN_OVER_WAIT, 1, 3, 10);
	struct rein_limit *b = limit_new(test, REIN_OVER_WAIT, 1, 7, 10);
	struct rein_chain chain = { .n = 2, .limits = { b, a } };
	struct rein_verdict verdict;
	u64 when;

	KUNIT_EXPECT_EQ(test, ask(&chain, 10, NOW, false, &verdict), REIN_GO);
	KUNIT_EXPECT_EQ(test, ask(&chain, 1, NOW, false, &verdict), REIN_WAIT);
	KUNIT_EXPECT_PTR_EQ(test, verdict.lack.limit, a);
	when = verdict.lack.when;
	KUNIT_EXPECT_EQ(test, when, NOW + DIV_ROUND_UP(SEC, 3));
	/* What waits is counted by whoever lets it. */
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(SEEN)), 1ULL);
	KUNIT_EXPECT_EQ(test, ask(&chain, 1, when - 1, false, &verdict), REIN_WAIT);
	KUNIT_EXPECT_EQ(test, ask(&chain, 1, when, false, &verdict), REIN_GO);
}

static void observing_charges_nothing(struct kunit *test)
{
	struct rein_limit *a = limit_new(test, REIN_OVER_OBSERVE, 1, 1, 10);
	struct rein_limit *b = limit_new(test, REIN_OVER_REFUSE, 1, 1, 100);
	struct rein_chain chain = { .n = 2, .limits = { a, b } };
	struct rein_verdict verdict;

	KUNIT_EXPECT_EQ(test, ask(&chain, 6, NOW, false, &verdict), REIN_GO);
	KUNIT_EXPECT_EQ(test, ask(&chain, 6, NOW, false, &verdict), REIN_GO);
	KUNIT_EXPECT_PTR_EQ(test, verdict.observed.limit, a);
	KUNIT_EXPECT_EQ(test, tokens(a), 4ULL);
	KUNIT_EXPECT_EQ(test, tokens(b), 88ULL);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(OBSERVED)), 1ULL);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(PASSED)), 2ULL);
}

static void marks_until_deep_in_debt(struct kunit *test)
{
	struct rein_limit *a = limit_new(test, REIN_OVER_MARK, 1, 1, 10);
	struct rein_chain chain = { .n = 1, .limits = { a } };
	struct rein_verdict verdict;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, ask(&chain, 10, NOW, true, &verdict), REIN_GO);
	KUNIT_EXPECT_FALSE(test, verdict.mark);
	KUNIT_EXPECT_EQ(test, ask(&chain, 10, NOW, false, &verdict), REIN_REFUSE);
	for (i = 0; i < MARK_BURSTS; i++) {
		KUNIT_EXPECT_EQ(test, ask(&chain, 10, NOW, true, &verdict), REIN_GO);
		KUNIT_EXPECT_TRUE(test, verdict.mark);
	}
	KUNIT_EXPECT_EQ(test, ask(&chain, 1, NOW, true, &verdict), REIN_REFUSE);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(MARKED)), (u64)MARK_BURSTS);
}

static void larger_than_the_burst(struct kunit *test)
{
	struct rein_limit *a = limit_new(test, REIN_OVER_WAIT, 1, 10, 10);
	struct rein_chain chain = { .n = 1, .limits = { a } };
	struct rein_verdict verdict;

	/* A full bucket and debt pay for it, and then the rate is kept. */
	KUNIT_EXPECT_EQ(test, ask(&chain, 30, NOW, false, &verdict), REIN_GO);
	KUNIT_EXPECT_EQ(test, ask(&chain, 30, NOW, false, &verdict), REIN_WAIT);
	KUNIT_EXPECT_EQ(test, verdict.lack.when, (u64)(NOW + 3 * SEC));
}

static void longest_chain(struct kunit *test)
{
	struct rein_chain chain = { .n = REIN_CHAIN_MAX };
	struct rein_verdict verdict;
	unsigned int i;

	for (i = 0; i < chain.n; i++)
		chain.limits[i] = limit_new(test, REIN_OVER_REFUSE,
					    REIN_TIERS_MAX, 1, 100);
	/* The last tier of the last limit has one less. */
	chain.limits[chain.n - 1]->tiers[REIN_TIERS_MAX - 1].bucket.tokens = 99;
	KUNIT_EXPECT_EQ(test, ask(&chain, 100, NOW, false, &verdict), REIN_REFUSE);
	KUNIT_EXPECT_EQ(test, tokens(chain.limits[0]), 100ULL);
	KUNIT_EXPECT_EQ(test, ask(&chain, 99, NOW, false, &verdict), REIN_GO);
	for (i = 0; i < chain.n; i++)
		KUNIT_EXPECT_EQ(test, tokens(chain.limits[i]), 1ULL);
}

/* A request that waited was counted when it began to. */
static void waiting_is_counted_once(struct kunit *test)
{
	struct rein_limit *a = limit_new(test, REIN_OVER_WAIT, 1, 1, 10);
	struct rein_chain chain = { .n = 1, .limits = { a } };
	struct rein_request req = {
		.cost = { [REIN_UNIT_BYTES] = 10, [REIN_UNIT_PACKETS] = 1 },
		.now = NOW,
	};
	struct rein_verdict verdict;

	rcu_read_lock();
	rein_admit_count(&chain, &req, REIN_STAT(QUEUED));
	req.waited = true;
	rein_admit(&chain, &req, &verdict);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, verdict.decision, REIN_GO);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(SEEN)), 1ULL);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(QUEUED)), 0ULL);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(RELEASED)), 1ULL);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(PASSED)), 0ULL);
}

/* However many tokens a call takes, and in no sum with packets. */
static void calls_count_as_one(struct kunit *test)
{
	struct rein_limit *a = limit_new(test, REIN_OVER_REFUSE, 1, 1, 10);
	struct rein_chain chain = { .n = 1, .limits = { a } };
	struct rein_request req = {
		.cost = { [REIN_UNIT_CALLS] = 4 },
		.now = NOW,
	};
	struct rein_count before[REIN_STATS], after[REIN_STATS];
	struct rein_verdict verdict;
	unsigned int i;

	a->tiers[0].unit = REIN_UNIT_CALLS;
	rein_admit_total(before);
	rcu_read_lock();
	for (i = 0; i < 3; i++)
		rein_admit(&chain, &req, &verdict);
	rcu_read_unlock();
	rein_admit_total(after);
	KUNIT_EXPECT_EQ(test, verdict.decision, REIN_REFUSE);
	KUNIT_EXPECT_EQ(test, verdict.lack.unit, REIN_UNIT_CALLS);
	KUNIT_EXPECT_EQ(test, verdict.lack.when, (u64)(NOW + 2 * SEC));
	KUNIT_EXPECT_EQ(test, tokens(a), 2ULL);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(PASSED)), 2ULL);
	KUNIT_EXPECT_EQ(test, a->stats[REIN_STAT(PASSED)].bytes, 8ULL);
	KUNIT_EXPECT_EQ(test, counted(a, REIN_STAT(REFUSED)), 1ULL);
	KUNIT_EXPECT_EQ(test, memcmp(before, after, sizeof(before)), 0);
}

static bool take_slice(const struct rein_chain *chain, u64 bytes)
{
	const u64 cost[REIN_UNITS] = {
		[REIN_UNIT_BYTES] = bytes, [REIN_UNIT_PACKETS] = 1,
	};
	bool passed;

	rcu_read_lock();
	passed = rein_slice_take(chain, cost, NULL, NOW);
	rcu_read_unlock();
	return passed;
}

/* All that a limit has, here and there. */
static u64 held(struct rein_limit *limit)
{
	u64 tokens;

	spin_lock_bh(&limit->lock);
	rein_slice_recall(limit);
	tokens = limit->tiers[0].bucket.tokens;
	spin_unlock_bh(&limit->lock);
	return tokens;
}

/* A limit that has been used enough to lend, with @used of its tokens gone. */
static struct rein_limit *lender_new(struct kunit *test, u64 burst, u64 *used)
{
	struct rein_limit *limit = limit_new(test, REIN_OVER_WAIT, 2, 1, burst);
	struct rein_chain chain = { .n = 1, .limits = { limit } };
	struct rein_verdict verdict;

	for (*used = 0; !limit->lends && *used < 2 * SEEN_LEAST; ++*used)
		KUNIT_EXPECT_EQ(test, ask(&chain, 1, NOW, false, &verdict),
				REIN_GO);
	KUNIT_EXPECT_TRUE(test, limit->lends);
	return limit;
}

static void slices_hold_tokens(struct kunit *test)
{
	u64 used;
	struct rein_limit *a = lender_new(test, 10000, &used);
	struct rein_chain chain = { .n = 1, .limits = { a } };
	u64 lent = a->tiers[0].bucket.lent;

	KUNIT_EXPECT_EQ(test, tokens(a) + lent, 10000 - used);
	KUNIT_EXPECT_EQ(test, a->tiers[1].bucket.lent, lent);
	KUNIT_EXPECT_FALSE(test, take_slice(&chain, lent + 1));
	/* This may be another CPU than the one that has got them. */
	if (take_slice(&chain, lent))
		used += lent;
	KUNIT_EXPECT_EQ(test, held(a), 10000 - used);
	KUNIT_EXPECT_EQ(test, a->tiers[0].bucket.lent, 0ULL);
	KUNIT_EXPECT_EQ(test, a->stats[REIN_STAT(PASSED)].bytes, used);
	KUNIT_EXPECT_EQ(test, a->stats[REIN_STAT(SEEN)].bytes, used);
	KUNIT_EXPECT_FALSE(test, take_slice(&chain, 1));
}

/* Nobody lacks what is only lent. */
static void lent_tokens_are_not_lacking(struct kunit *test)
{
	u64 used;
	struct rein_limit *a = lender_new(test, 10000, &used);
	struct rein_chain chain = { .n = 1, .limits = { a } };
	struct rein_verdict verdict;

	KUNIT_EXPECT_EQ(test, ask(&chain, 10000 - used, NOW, false, &verdict),
			REIN_GO);
	KUNIT_EXPECT_FALSE(test, a->lends);
	KUNIT_EXPECT_FALSE(test, take_slice(&chain, 1));
	KUNIT_EXPECT_EQ(test, ask(&chain, 1, NOW, false, &verdict), REIN_WAIT);
	KUNIT_EXPECT_EQ(test, tokens(a), 0ULL);
}

static void nothing_is_lent_while_somebody_waits(struct kunit *test)
{
	u64 used;
	struct rein_limit *a = lender_new(test, 10000, &used);
	struct rein_chain chain = { .n = 1, .limits = { a } };
	struct rein_request req = {
		.cost = { [REIN_UNIT_BYTES] = 10, [REIN_UNIT_PACKETS] = 1 },
		.now = NOW,
	};
	struct rein_verdict verdict;

	rcu_read_lock();
	rein_admit_count(&chain, &req, REIN_STAT(QUEUED));
	rcu_read_unlock();
	KUNIT_EXPECT_FALSE(test, a->lends);
	KUNIT_EXPECT_EQ(test, ask(&chain, 1, NOW, false, &verdict), REIN_GO);
	KUNIT_EXPECT_FALSE(test, a->lends);
	KUNIT_EXPECT_FALSE(test, take_slice(&chain, 1));
}

#define TAKERS	4
#define TRIES	5000

struct taker {
	struct rein_chain chain;
	struct task_struct *task;
	struct completion done;
	unsigned long granted;
};

static int take_many(void *data)
{
	struct taker *taker = data;
	struct rein_verdict verdict;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		taker->granted += take_slice(&taker->chain, 1) ||
				  ask(&taker->chain, 1, NOW, false, &verdict) == REIN_GO;
		cond_resched();
	}
	complete(&taker->done);
	/* Until it is asked to stop, so that it can be. */
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Several at once, on chains that overlap: no more than there is, no less. */
static void several_at_once(struct kunit *test)
{
	const u64 burst = 3 * TRIES;
	struct rein_limit *all = limit_new(test, REIN_OVER_REFUSE, 1, 1, burst);
	struct taker *takers;
	unsigned long granted = 0;
	unsigned int i;

	takers = kunit_kcalloc(test, TAKERS, sizeof(*takers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, takers);
	for (i = 0; i < TAKERS; i++) {
		takers[i].chain.n = 2;
		takers[i].chain.limits[0] = limit_new(test, REIN_OVER_REFUSE, 2, 1, TRIES);
		takers[i].chain.limits[1] = all;
	}
	for (i = 0; i < TAKERS; i++)
		init_completion(&takers[i].done);
	for (i = 0; i < TAKERS; i++)
		takers[i].task = kthread_run(take_many, &takers[i], "rein-taker/%u", i);
	for (i = 0; i < TAKERS; i++) {
		if (IS_ERR(takers[i].task)) {
			KUNIT_FAIL(test, "no thread");
			continue;
		}
		wait_for_completion(&takers[i].done);
		kthread_stop(takers[i].task);
		granted += takers[i].granted;
		KUNIT_EXPECT_EQ(test, held(takers[i].chain.limits[0]),
				(u64)TRIES - takers[i].granted);
	}
	KUNIT_EXPECT_EQ(test, (u64)granted, burst);
	KUNIT_EXPECT_EQ(test, held(all), 0ULL);
	KUNIT_EXPECT_EQ(test, counted(all, REIN_STAT(SEEN)), (u64)TAKERS * TRIES);
	KUNIT_EXPECT_EQ(test, counted(all, REIN_STAT(PASSED)), burst);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(all_are_charged),
	KUNIT_CASE(or_none_is),
	KUNIT_CASE(refusal_outranks_wait),
	KUNIT_CASE(longest_wait_decides),
	KUNIT_CASE(observing_charges_nothing),
	KUNIT_CASE(marks_until_deep_in_debt),
	KUNIT_CASE(larger_than_the_burst),
	KUNIT_CASE(longest_chain),
	KUNIT_CASE(waiting_is_counted_once),
	KUNIT_CASE(calls_count_as_one),
	KUNIT_CASE(slices_hold_tokens),
	KUNIT_CASE(lent_tokens_are_not_lacking),
	KUNIT_CASE(nothing_is_lent_while_somebody_waits),
	KUNIT_CASE(several_at_once),
	{ }
};

static int suite_init(struct kunit_suite *suite)
{
	rein_slice_init();
	return rein_admit_init();
}

static void suite_exit(struct kunit_suite *suite)
{
	rein_admit_exit();
}

struct kunit_suite rein_admit_suite = {
	.name = "rein-admit",
	.suite_init = suite_init,
	.suite_exit = suite_exit,
	.exit = made_free,
	.test_cases = cases,
};
