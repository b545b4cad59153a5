/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One test for each rule of the token bucket, for every harness that has
 * UNIT_TEST(), CHECK_EQ() and unit_row: the host's (selftests/unit) and KUnit.
 */
#ifndef REIN_BUCKET_RULES_H
#define REIN_BUCKET_RULES_H

#define MS	1000000ULL
#define SEC	1000000000ULL
#define MINUTE	(60 * SEC)
#define DAY	(24 * 60 * MINUTE)

static struct rein_rate per(u64 tokens, u64 period_ns)
{
	return (struct rein_rate){ tokens, period_ns };
}

static struct rein_bucket full(struct rein_rate rate, u64 burst, u64 now)
{
	struct rein_bucket b;

	rein_bucket_init(&b, &rate, burst, now);
	return b;
}

static struct rein_bucket empty(struct rein_rate rate, u64 burst, u64 now)
{
	struct rein_bucket b = full(rate, burst, now);

	rein_bucket_charge(&b, burst);
	return b;
}

static void set(struct rein_bucket *b, struct rein_rate rate, u64 burst,
		u64 now)
{
	rein_bucket_set(b, &rate, burst, now);
}

/* Does it admit cost at now? If so, charge it. */
static bool take(struct rein_bucket *b, u64 cost, u64 now)
{
	rein_bucket_refill(b, now);
	if (rein_bucket_wait(b, cost, false))
		return false;
	rein_bucket_charge(b, cost);
	return true;
}

static void rate_check(void)
{
	static const struct {
		const char *row;
		struct rein_rate rate;
		u64 burst;
		int expected;
	} t[] = {
		{ "2/s", { 2, SEC }, 1, 0 },
		{ "burst 0", { 2, SEC }, 0, -EINVAL },
		{ "period 0", { 2, 0 }, 1, -EINVAL },
		{ "any burst", { 2, SEC }, U64_MAX, 0 },
		{ "1/day", { 1, DAY }, 1, 0 },
		{ "below 1/day", { 1, DAY + 1 }, 1, -ERANGE },
		{ "2 in 2 days", { 2, 2 * DAY }, 1, 0 },
		{ "2 in more than 2 days", { 2, 2 * DAY + 1 }, 1, -ERANGE },
		{ "213503/U64_MAX ns", { 213503, U64_MAX }, 1, -ERANGE },
		{ "213504/U64_MAX ns", { 213504, U64_MAX }, 1, 0 },
		{ "10^12/s", { 1000 * SEC, SEC }, 1, 0 },
		{ "above 10^12/s", { 1000 * SEC + 1, SEC }, 1, -ERANGE },
		{ "1000/ns", { 1000, 1 }, 1, 0 },
		{ "1001/ns", { 1001, 1 }, 1, -ERANGE },
		{ "most tokens", { U64_MAX - 1, U64_MAX }, 1, 0 },
		{ "most tokens in 1 ns", { U64_MAX - 1, 1 }, 1, -ERANGE },
		{ "closed", { 0, SEC }, 1, 0 },
		{ "closed, no period", { 0, 0 }, 1, 0 },
		{ "closed, burst 0", { 0, SEC }, 0, -EINVAL },
		{ "unlimited", { REIN_RATE_UNLIMITED, 0 }, 1, 0 },
		{ "unlimited, 1 ns", { REIN_RATE_UNLIMITED, 1 }, U64_MAX, 0 },
		{ "unlimited, burst 0", { REIN_RATE_UNLIMITED, 1 }, 0, -EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		unit_row = t[i].row;
		CHECK_EQ(rein_rate_check(&t[i].rate, t[i].burst),
			 t[i].expected);
	}
}

static void init_is_full(void)
{
	struct rein_bucket b = full(per(2, SEC), 7, 42);

	CHECK_EQ(b.tokens, 7);
	CHECK_EQ(b.debt, 0);
	CHECK_EQ(b.rem, 0);
	CHECK_EQ(b.last, 42);
}

static void refill_keeps_fraction(void)
{
	struct rein_bucket b = empty(per(3, 10), 100, 0);

	rein_bucket_refill(&b, 3);	/* 0.9 */
	CHECK_EQ(b.tokens, 0);
	CHECK_EQ(b.rem, 9);
	rein_bucket_refill(&b, 4);	/* 1.2 */
	CHECK_EQ(b.tokens, 1);
	CHECK_EQ(b.rem, 2);
	rein_bucket_refill(&b, 10);	/* 3.0 */
	CHECK_EQ(b.tokens, 3);
	CHECK_EQ(b.rem, 0);
}

static void refill_often_is_once(void)
{
	struct rein_bucket often = empty(per(7, 1000003), 1000000, 0);
	struct rein_bucket once = often;
	u64 now;

	for (now = 0; now < 100000000; now += 1 + now % 211)
		rein_bucket_refill(&often, now);
	rein_bucket_refill(&often, 100000000);
	rein_bucket_refill(&once, 100000000);
	CHECK_EQ(once.tokens, 699);
	CHECK_EQ(often.tokens, once.tokens);
	CHECK_EQ(often.rem, once.rem);
}

static void refill_no_time(void)
{
	struct rein_bucket b = empty(per(3, 10), 100, 5);

	b.rem = 9;
	rein_bucket_refill(&b, 5);
	CHECK_EQ(b.tokens, 0);
	CHECK_EQ(b.rem, 9);
	CHECK_EQ(b.last, 5);
}

static void cap_drops_fraction(void)
{
	struct rein_bucket b = empty(per(3, 10), 2, 0);

	rein_bucket_refill(&b, 8);	/* 2.4 */
	CHECK_EQ(b.tokens, 2);
	CHECK_EQ(b.rem, 0);
	CHECK_EQ(take(&b, 2, 8), true);
	CHECK_EQ(rein_bucket_wait(&b, 1, false), 4);
}

static void full_earns_nothing(void)
{
	struct rein_bucket b = full(per(1, SEC), 1, 0);

	rein_bucket_refill(&b, SEC - 1);
	CHECK_EQ(b.rem, 0);
	CHECK_EQ(take(&b, 1, SEC - 1), true);
	CHECK_EQ(take(&b, 1, SEC), false);
	CHECK_EQ(take(&b, 1, 2 * SEC - 2), false);
	CHECK_EQ(take(&b, 1, 2 * SEC - 1), true);
}

static void debt_is_paid_first(void)
{
	struct rein_bucket b = empty(per(1, 10), 5, 0);

	rein_bucket_charge(&b, 3);
	CHECK_EQ(b.debt, 3);
	CHECK_EQ(b.tokens, 0);
	rein_bucket_refill(&b, 29);	/* 2.9 */
	CHECK_EQ(b.debt, 1);
	CHECK_EQ(b.tokens, 0);
	CHECK_EQ(b.rem, 9);
	rein_bucket_refill(&b, 30);
	CHECK_EQ(b.debt, 0);
	CHECK_EQ(b.tokens, 0);
	CHECK_EQ(b.rem, 0);
	rein_bucket_charge(&b, 2);
	rein_bucket_refill(&b, 81);	/* 5.1 */
	CHECK_EQ(b.debt, 0);
	CHECK_EQ(b.tokens, 3);
	CHECK_EQ(b.rem, 1);
	rein_bucket_charge(&b, 4);
	rein_bucket_refill(&b, 200);
	CHECK_EQ(b.debt, 0);
	CHECK_EQ(b.tokens, 5);
	CHECK_EQ(b.rem, 0);
}

static void refill_beyond_u64(void)
{
	struct rein_bucket b;

	/* 1000 * (2^64 - 1) tokens */
	b = empty(per(1000, 1), U64_MAX, 0);
	rein_bucket_charge(&b, U64_MAX);
	CHECK_EQ(b.debt, U64_MAX);
	rein_bucket_refill(&b, U64_MAX);
	CHECK_EQ(b.tokens, U64_MAX);
	CHECK_EQ(b.debt, 0);
	CHECK_EQ(b.rem, 0);

	/* 2^64 tokens: one more than the debt */
	b = empty(per(2, 1), U64_MAX, 0);
	rein_bucket_charge(&b, U64_MAX);
	rein_bucket_refill(&b, 1ULL << 63);
	CHECK_EQ(b.debt, 0);
	CHECK_EQ(b.tokens, 1);

	/* 2^65 - 2 tokens: debt and burst exactly */
	b = empty(per(2, 1), U64_MAX, 0);
	rein_bucket_charge(&b, U64_MAX);
	rein_bucket_refill(&b, U64_MAX - 1);
	CHECK_EQ(b.tokens, U64_MAX - 2);
	rein_bucket_refill(&b, U64_MAX);
	CHECK_EQ(b.tokens, U64_MAX);
	CHECK_EQ(b.debt, 0);

	/* 2^64 and more with no debt: full */
	b = empty(per(2, 1), U64_MAX, 0);
	rein_bucket_refill(&b, 1ULL << 63);
	CHECK_EQ(b.tokens, U64_MAX);

	/* tokens * dt fits, with the fraction it doesn't */
	b = empty(per(1, DAY), 213504, 0);
	b.rem = DAY - 1;
	rein_bucket_refill(&b, U64_MAX);
	CHECK_EQ(b.tokens, 213504);
	b = empty(per(1, DAY), U64_MAX, 0);
	b.rem = DAY - 1;
	rein_bucket_refill(&b, U64_MAX);
	CHECK_EQ(b.tokens, 213504);
	CHECK_EQ(b.rem, (u64)(((__uint128_t)U64_MAX + DAY - 1) % DAY));
}

static void clock_late_reading(void)
{
	struct rein_bucket b = empty(per(1, 1), 10 * SEC, 5 * SEC);

	rein_bucket_refill(&b, 4 * SEC);
	CHECK_EQ(b.tokens, 0);
	CHECK_EQ(b.last, 5 * SEC);
	rein_bucket_refill(&b, 5 * SEC + 3);
	CHECK_EQ(b.tokens, 3);
}

static void clock_oscillation_mints_nothing(void)
{
	struct rein_bucket b = empty(per(1, 1), 10 * SEC, 5 * SEC);
	int i;

	for (i = 0; i < 1000; i++) {
		rein_bucket_refill(&b, 5 * SEC - i * MS);
		rein_bucket_refill(&b, 5 * SEC);
	}
	CHECK_EQ(b.tokens, 0);
	CHECK_EQ(b.last, 5 * SEC);
}

static void clock_set_back(void)
{
	struct rein_bucket b = empty(per(3, 10), 10 * SEC, 5 * SEC);

	rein_bucket_refill(&b, 5 * SEC + 3);
	CHECK_EQ(b.rem, 9);
	rein_bucket_refill(&b, 4 * SEC + 2);	/* by 1 s + 1 ns */
	CHECK_EQ(b.tokens, 0);
	CHECK_EQ(b.rem, 9);
	CHECK_EQ(b.last, 4 * SEC + 2);
	rein_bucket_refill(&b, 4 * SEC + 3);
	CHECK_EQ(b.tokens, 1);
	CHECK_EQ(b.rem, 2);
	rein_bucket_refill(&b, 0);
	CHECK_EQ(b.tokens, 1);
	rein_bucket_refill(&b, 6);
	CHECK_EQ(b.tokens, 3);
	CHECK_EQ(b.rem, 0);
}

static void short_of(void)
{
	struct rein_bucket b = full(per(1, SEC), 5, 0);
	bool in_debt;

	CHECK_EQ(rein_bucket_short(&b, 0), 0);
	CHECK_EQ(rein_bucket_short(&b, 5), 0);
	CHECK_EQ(rein_bucket_short(&b, 6), 1);
	CHECK_EQ(rein_bucket_short(&b, U64_MAX), U64_MAX - 5);
	CHECK_EQ(rein_bucket_level(&b, &in_debt), 5);
	CHECK_EQ(in_debt, false);

	rein_bucket_charge(&b, 8);
	CHECK_EQ(rein_bucket_level(&b, &in_debt), 3);
	CHECK_EQ(in_debt, true);
	CHECK_EQ(rein_bucket_level(&b, NULL), 3);
	CHECK_EQ(rein_bucket_short(&b, 0), 0);
	CHECK_EQ(rein_bucket_short(&b, 1), 4);
	CHECK_EQ(rein_bucket_short(&b, U64_MAX - 3), U64_MAX);
	CHECK_EQ(rein_bucket_short(&b, U64_MAX - 2), U64_MAX);

	set(&b, per(0, 0), 5, 0);
	CHECK_EQ(rein_bucket_short(&b, 0), 0);
	CHECK_EQ(rein_bucket_short(&b, 1), U64_MAX);
	set(&b, per(REIN_RATE_UNLIMITED, 0), 5, 0);
	CHECK_EQ(rein_bucket_short(&b, U64_MAX), 0);
}

static void wait_is_exact(void)
{
	static const struct {
		const char *row;
		struct rein_rate rate;
		u64 burst, charged, rem, cost;
		bool may_debt;
		u64 expected;
	} t[] = {
		{ "there", { 3, 10 }, 5, 0, 0, 5, false, 0 },
		{ "even", { 2, 10 }, 5, 5, 0, 1, false, 5 },
		{ "rounded up", { 3, 10 }, 5, 5, 0, 1, false, 4 },
		{ "two, rounded up", { 3, 10 }, 5, 5, 0, 2, false, 7 },
		{ "three, even", { 3, 10 }, 5, 5, 0, 3, false, 10 },
		{ "fraction < left over", { 3, 10 }, 5, 5, 0, 2, false, 7 },
		{ "fraction = left over", { 3, 10 }, 5, 5, 1, 1, false, 3 },
		{ "fraction > left over", { 3, 10 }, 5, 5, 2, 1, false, 3 },
		{ "all but a ns", { 3, 10 }, 5, 5, 7, 1, false, 1 },
		{ "all but less than a ns", { 3, 10 }, 5, 5, 9, 1, false, 1 },
		{ "fraction > low half", { 4, 1ULL << 63 }, 5, 5, 1, 2, false,
		  1ULL << 62 },
		{ "partly there", { 1, 10 }, 5, 3, 0, 4, false, 20 },
		{ "in debt", { 1, 10 }, 5, 7, 0, 4, false, 60 },
		{ "free in debt", { 1, 10 }, 5, 7, 0, 0, false, 0 },
		{ "over the burst", { 1, 10 }, 5, 0, 0, 6, false, REIN_NEVER },
		{ "packet, full", { 1, 10 }, 5, 0, 0, 6, true, 0 },
		{ "packet, not full", { 1, 10 }, 5, 1, 3, 6, true, 7 },
		{ "packet, debt", { 1, 10 }, 5, 8, 0, 99, true, 80 },
		{ "small packet, not full", { 1, 10 }, 5, 1, 0, 4, true, 0 },
		{ "closed", { 0, 10 }, 5, 0, 0, 1, true, REIN_NEVER },
		{ "closed, free", { 0, 0 }, 5, 0, 0, 0, false, 0 },
		{ "unlimited", { U64_MAX, 0 }, 5, 0, 0, U64_MAX, false, 0 },
		{ "the longest", { 1, DAY }, U64_MAX, U64_MAX, 0, 213503,
		  false, 213503 * DAY },
		{ "too long", { 1, DAY }, U64_MAX, U64_MAX, 0, 213504,
		  false, REIN_NEVER },
		{ "long product", { 1000 * SEC, SEC }, U64_MAX, U64_MAX, 0,
		  U64_MAX, false, U64_MAX / 1000 + 1 },
		{ "2^64 - 1 ns", { 1, 1 }, U64_MAX, U64_MAX, 0, U64_MAX,
		  false, REIN_NEVER },
		{ "2^64 - 2 ns", { 1, 1 }, U64_MAX, U64_MAX, 0, U64_MAX - 1,
		  false, U64_MAX - 1 },
		{ "2^64 - 1 and a bit", { 3, 9 }, U64_MAX, U64_MAX, 2,
		  U64_MAX / 3 + 1, false, REIN_NEVER },
		{ "2^64 - 1, less a bit", { 2, 4 }, U64_MAX, U64_MAX, 1,
		  1ULL << 63, false, REIN_NEVER },
		{ "2^64 - 1, less a ns", { 4, 12 }, U64_MAX, U64_MAX, 4,
		  6148914691236517205, false, U64_MAX - 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct rein_bucket b = full(t[i].rate, t[i].burst, 77);

		rein_bucket_charge(&b, t[i].charged);
		b.rem = t[i].rem;
		unit_row = t[i].row;
		CHECK_EQ(rein_bucket_wait(&b, t[i].cost, t[i].may_debt),
			 t[i].expected);
	}
}

static void wait_need_beyond_u64(void)
{
	struct rein_bucket b = empty(per(1000, 1), U64_MAX, 0);

	rein_bucket_charge(&b, U64_MAX - 1);
	CHECK_EQ(rein_bucket_wait(&b, 1, false), U64_MAX / 1000 + 1);
	CHECK_EQ(rein_bucket_wait(&b, 2, false), REIN_NEVER);
	CHECK_EQ(rein_bucket_wait(&b, U64_MAX, true), REIN_NEVER);
}

static void packet_over_burst(void)
{
	struct rein_bucket b = full(per(1000, SEC), 1500, 0);

	CHECK_EQ(rein_bucket_wait(&b, 64000, true), 0);
	rein_bucket_charge(&b, 64000);
	CHECK_EQ(b.debt, 62500);
	/* the next waits for the debt, a large one for a full bucket too */
	CHECK_EQ(rein_bucket_wait(&b, 1, true), 62501 * MS);
	CHECK_EQ(rein_bucket_wait(&b, 64000, true), 64000 * MS);
	rein_bucket_refill(&b, 64000 * MS - 1);
	CHECK_EQ(rein_bucket_wait(&b, 64000, true), 1);
	rein_bucket_refill(&b, 64000 * MS);
	CHECK_EQ(rein_bucket_wait(&b, 64000, true), 0);
	CHECK_EQ(rein_bucket_wait(&b, 64000, false), REIN_NEVER);
}

static void charge_saturates(void)
{
	struct rein_bucket b = full(per(1, SEC), 5, 0);

	rein_bucket_charge(&b, U64_MAX);
	CHECK_EQ(b.debt, U64_MAX - 5);
	rein_bucket_charge(&b, 5);
	CHECK_EQ(b.debt, U64_MAX);
	rein_bucket_charge(&b, U64_MAX);
	CHECK_EQ(b.debt, U64_MAX);
	CHECK_EQ(b.tokens, 0);

	b = full(per(REIN_RATE_UNLIMITED, 0), 5, 0);
	rein_bucket_charge(&b, U64_MAX);
	CHECK_EQ(b.tokens, 5);
	CHECK_EQ(b.debt, 0);
}

static void set_pays_at_the_old_rate(void)
{
	struct rein_bucket b = empty(per(1, SEC), 100, 0);

	set(&b, per(50, SEC), 100, 10 * SEC);
	CHECK_EQ(b.tokens, 10);
	CHECK_EQ(b.last, 10 * SEC);
	rein_bucket_refill(&b, 11 * SEC);
	CHECK_EQ(b.tokens, 60);

	/* up to the old burst, too */
	b = empty(per(1, SEC), 5, 0);
	set(&b, per(1, SEC), 100, 10 * SEC);
	CHECK_EQ(b.tokens, 5);
}

static void set_keeps_and_clamps(void)
{
	struct rein_bucket b = full(per(1, 10), 10, 0);

	rein_bucket_charge(&b, 3);
	rein_bucket_refill(&b, 9);
	set(&b, per(1, 10), 100, 9);
	CHECK_EQ(b.tokens, 7);
	CHECK_EQ(b.rem, 9);
	set(&b, per(1, 10), 8, 9);
	CHECK_EQ(b.tokens, 7);
	CHECK_EQ(b.rem, 9);
	set(&b, per(1, 10), 7, 9);
	CHECK_EQ(b.tokens, 7);
	CHECK_EQ(b.rem, 0);
	set(&b, per(1, 10), 2, 9);
	CHECK_EQ(b.tokens, 2);

	rein_bucket_charge(&b, 50);
	set(&b, per(3, 7), 1, 9);
	CHECK_EQ(b.debt, 48);
	CHECK_EQ(b.tokens, 0);
}

static void set_rounds_fraction_down(void)
{
	struct rein_bucket b = empty(per(1, 10), 100, 0);

	rein_bucket_refill(&b, 7);
	set(&b, per(1, 1000), 100, 7);
	CHECK_EQ(b.rem, 700);
	set(&b, per(1, 3), 100, 7);
	CHECK_EQ(b.rem, 2);
	set(&b, per(1, 10), 100, 7);
	CHECK_EQ(b.rem, 6);
	set(&b, per(1, 1), 100, 7);
	CHECK_EQ(b.rem, 0);

	/* the product takes 128 bits */
	b = empty(per(U64_MAX - 1, U64_MAX), 100, 0);
	rein_bucket_refill(&b, 1);
	CHECK_EQ(b.rem, U64_MAX - 1);
	set(&b, per(1ULL << 63, U64_MAX - 5), 100, 1);
	CHECK_EQ(b.rem, U64_MAX - 6);
}

static void unlimited_and_back(void)
{
	struct rein_bucket b = empty(per(3, 10), 1000, 0);

	rein_bucket_refill(&b, 3);
	set(&b, per(REIN_RATE_UNLIMITED, 0), 1000, 3);
	CHECK_EQ(take(&b, U64_MAX, 50), true);
	set(&b, per(3, 10), 1000, 100);
	CHECK_EQ(b.tokens, 0);
	CHECK_EQ(b.debt, 0);
	CHECK_EQ(b.rem, 0);
	CHECK_EQ(b.last, 100);
	CHECK_EQ(rein_bucket_wait(&b, 3, false), 10);

	rein_bucket_charge(&b, 8);
	set(&b, per(REIN_RATE_UNLIMITED, 0), 1000, 100);
	CHECK_EQ(rein_bucket_wait(&b, U64_MAX, false), 0);
	set(&b, per(3, 10), 1000, DAY);
	CHECK_EQ(b.debt, 8);
}

static void closed_and_back(void)
{
	struct rein_bucket b = full(per(3, 10), 10, 0);

	rein_bucket_charge(&b, 6);
	set(&b, per(0, 0), 10, 1);
	CHECK_EQ(b.tokens, 4);
	CHECK_EQ(take(&b, 1, 50), false);
	CHECK_EQ(take(&b, 0, 50), true);
	CHECK_EQ(rein_bucket_wait(&b, 1, true), REIN_NEVER);
	CHECK_EQ(b.tokens, 4);
	set(&b, per(3, 10), 10, 100);
	CHECK_EQ(b.tokens, 4);
	CHECK_EQ(b.rem, 0);
	CHECK_EQ(b.last, 100);
}

/*
 * 2/s burst 1 and 10/min burst 10, all or nothing, twenty requests at 0:
 * granted at 0, 0.5, … 4.5, then at 6, 12, … 60 s.
 */
static void chapter_run(void)
{
	struct rein_bucket b[2] = {
		full(per(2, SEC), 1, 0),
		full(per(10, MINUTE), 10, 0),
	};
	u64 now = 0;
	int grant, i;

	for (grant = 0; grant < 20; grant++) {
		u64 wait = 0, w;

		for (i = 0; i < 2; i++) {
			rein_bucket_refill(&b[i], now);
			w = rein_bucket_wait(&b[i], 1, false);
			if (w > wait)
				wait = w;
		}
		now += wait;
		CHECK_EQ(now, grant < 10 ? grant * SEC / 2
					 : (grant - 9) * 6 * SEC);
		for (i = 0; i < 2; i++) {
			rein_bucket_refill(&b[i], now);
			CHECK_EQ(rein_bucket_wait(&b[i], 1, false), 0);
			rein_bucket_charge(&b[i], 1);
		}
	}
}

/* Asked whenever it says, a bucket gives all of burst + rate * t. */
static void steady_demand(void)
{
	static const struct rein_rate rates[] = {
		{ 2, SEC }, { 10, MINUTE }, { 3, 10 }, { 7, 1000003 },
		{ 999999937, SEC }, { 1, DAY }, { 12500000000, SEC },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		struct rein_bucket b = full(rates[i], 3, 0);
		u64 now = 0, granted;
		__uint128_t need;

		for (granted = 0; granted < 100000; granted++) {
			rein_bucket_refill(&b, now);
			now += rein_bucket_wait(&b, 1, false);
			CHECK_EQ(take(&b, 1, now), true);
			/* the g-th in the first ns when burst + rate*t >= g */
			if (rates[i].tokens > rates[i].period_ns ||
			    granted < 3)
				continue;
			need = (__uint128_t)(granted - 2) * rates[i].period_ns;
			CHECK_EQ((__uint128_t)now * rates[i].tokens >= need, true);
			CHECK_EQ((__uint128_t)(now - 1) * rates[i].tokens < need, true);
		}
	}
}

static void one_per_day(void)
{
	struct rein_bucket b = full(per(1, DAY), 1, 0);
	u64 hour = DAY / 24, now;
	int granted = 0;

	for (now = 0; now < 365 * DAY; now += hour)
		granted += take(&b, 1, now);
	CHECK_EQ(granted, 365);
	CHECK_EQ(take(&b, 1, 365 * DAY - 1), false);
	CHECK_EQ(rein_bucket_wait(&b, 1, false), 1);
	CHECK_EQ(take(&b, 1, 365 * DAY), true);
}

static void a_million_million_per_second(void)
{
	struct rein_bucket b = full(per(1000 * SEC, SEC), 1000, 0);
	u64 now;

	for (now = 0; now < 100000; now++) {
		CHECK_EQ(take(&b, 1000, now), true);
		CHECK_EQ(take(&b, 1, now), false);
		CHECK_EQ(rein_bucket_wait(&b, 1, false), 1);
	}

	b = empty(per(1000 * SEC, SEC), U64_MAX, 0);
	rein_bucket_refill(&b, DAY);
	CHECK_EQ(b.tokens, 1000 * DAY);
}

static void burst_of_u64_max(void)
{
	struct rein_bucket b = full(per(1, SEC), U64_MAX, 0);

	CHECK_EQ(rein_bucket_wait(&b, U64_MAX, false), 0);
	rein_bucket_charge(&b, U64_MAX);
	CHECK_EQ(b.debt, 0);
	CHECK_EQ(rein_bucket_wait(&b, 1, false), SEC);
	CHECK_EQ(rein_bucket_wait(&b, U64_MAX, false), REIN_NEVER);
	rein_bucket_refill(&b, U64_MAX);
	CHECK_EQ(b.tokens, U64_MAX / SEC);
	CHECK_EQ(b.rem, U64_MAX % SEC);
}

/* What is lent takes up its part of the burst, used or not. */
static void lent_is_held(void)
{
	struct rein_bucket b = full(per(1, SEC), 10, 0);

	rein_bucket_lend(&b, 4);
	CHECK_EQ(b.tokens, 6);
	rein_bucket_refill(&b, 100 * SEC);
	CHECK_EQ(b.tokens, 6);
	CHECK_EQ(rein_bucket_wait(&b, 7, false), SEC);

	/* Of four, one was used: as of now, so nothing was lost before. */
	rein_bucket_repay(&b, 4, 3);
	CHECK_EQ(b.tokens, 9);
	CHECK_EQ(b.lent, 0);
	rein_bucket_refill(&b, 101 * SEC);
	CHECK_EQ(b.tokens, 10);
}

static void lending_below_full_loses_nothing(void)
{
	struct rein_bucket b = full(per(1, SEC), 10, 0);

	rein_bucket_charge(&b, 5);
	rein_bucket_lend(&b, 3);
	rein_bucket_refill(&b, 2 * SEC + 1);
	rein_bucket_repay(&b, 2, 0);
	rein_bucket_refill(&b, 3 * SEC);
	rein_bucket_repay(&b, 1, 1);
	CHECK_EQ(b.tokens, 10 - 5 - 2 + 3);
	CHECK_EQ(b.rem, 0);
}

static void unlimited_lends_nothing(void)
{
	struct rein_bucket b = full(per(REIN_RATE_UNLIMITED, 0), 10, 0);

	rein_bucket_lend(&b, 1000);
	rein_bucket_repay(&b, 1000, 500);
	CHECK_EQ(b.tokens, 10);
	CHECK_EQ(b.lent, 0);
}

/* What no time has earned: it pays debts first, and keeps the fraction. */
static void added(void)
{
	struct rein_bucket b = empty(per(1, 10), 5, 0);
	bool in_debt;

	rein_bucket_refill(&b, 13);
	rein_bucket_add(&b, 2);
	CHECK_EQ(b.tokens, 3);
	CHECK_EQ(b.rem, 3);
	rein_bucket_add(&b, 9);
	CHECK_EQ(b.tokens, 5);
	CHECK_EQ(b.rem, 0);

	b = full(per(1, 10), 5, 0);
	rein_bucket_charge(&b, 8);
	rein_bucket_add(&b, 2);
	CHECK_EQ(rein_bucket_level(&b, &in_debt), 1);
	CHECK_EQ(in_debt, true);

	b = empty(per(1, 10), 5, 0);
	b.lent = 3;
	rein_bucket_add(&b, 5);
	CHECK_EQ(b.tokens, 2);

	b = full(per(0, 0), 5, 0);
	b.tokens = 0;
	rein_bucket_add(&b, 5);
	CHECK_EQ(b.tokens, 0);
}

/* A charge that is held comes back only as far as there is room beside what was added. */
static void added_while_held(void)
{
	struct rein_bucket b = full(per(1, DAY), 5, 0);
	u64 from = rein_bucket_hold(&b, 5);

	rein_bucket_add(&b, 3);
	rein_bucket_return(&b, from, 5);
	CHECK_EQ(b.tokens, 5);
	CHECK_EQ(take(&b, 5, 0), true);
	CHECK_EQ(take(&b, 1, 0), false);
}

static const struct unit_test bucket_rules[] = {
	UNIT_TEST(rate_check),
	UNIT_TEST(init_is_full),
	UNIT_TEST(refill_keeps_fraction),
	UNIT_TEST(refill_often_is_once),
	UNIT_TEST(refill_no_time),
	UNIT_TEST(cap_drops_fraction),
	UNIT_TEST(full_earns_nothing),
	UNIT_TEST(debt_is_paid_first),
	UNIT_TEST(refill_beyond_u64),
	UNIT_TEST(clock_late_reading),
	UNIT_TEST(clock_oscillation_mints_nothing),
	UNIT_TEST(clock_set_back),
	UNIT_TEST(short_of),
	UNIT_TEST(wait_is_exact),
	UNIT_TEST(wait_need_beyond_u64),
	UNIT_TEST(packet_over_burst),
	UNIT_TEST(charge_saturates),
	UNIT_TEST(set_pays_at_the_old_rate),
	UNIT_TEST(set_keeps_and_clamps),
	UNIT_TEST(set_rounds_fraction_down),
	UNIT_TEST(unlimited_and_back),
	UNIT_TEST(closed_and_back),
	UNIT_TEST(chapter_run),
	UNIT_TEST(steady_demand),
	UNIT_TEST(one_per_day),
	UNIT_TEST(a_million_million_per_second),
	UNIT_TEST(burst_of_u64_max),
	UNIT_TEST(lent_is_held),
	UNIT_TEST(lending_below_full_loses_nothing),
	UNIT_TEST(unlimited_lends_nothing),
	UNIT_TEST(added),
	UNIT_TEST(added_while_held),
};

#endif /* REIN_BUCKET_RULES_H */
