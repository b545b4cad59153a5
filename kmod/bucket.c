// SPDX-License-Identifier: GPL-2.0
/*
 * The token bucket: see bucket.h for what it promises.
 *
 * Products of two u64 are kept as 128 bits in two halves. They are divided
 * here and not by mul_u64_u64_div_u64(), because that one drops low bits on
 * every architecture but x86 before Linux 6.13, and on x86 is a bare divq,
 * which traps when the quotient doesn't fit.
 */
#include "bucket.h"

#ifdef __KERNEL__
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/math64.h>
#else
#include <errno.h>

static u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
#ifdef __SIZEOF_INT128__
	return (u64)((__uint128_t)a * b >> shift);
#else
	/* Only ever called for the high half, shift == 64. */
	u64 al = (u32)a, ah = a >> 32, bl = (u32)b, bh = b >> 32;
	u64 mid = ah * bl + (al * bl >> 32);
	u64 mid2 = al * bh + (u32)mid;

	(void)shift;
	return ah * bh + (mid >> 32) + (mid2 >> 32);
#endif
}

static u64 div_u64_rem(u64 n, u32 d, u32 *rem)
{
	*rem = n % d;
	return n / d;
}

static int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}
#endif

#define NSEC_PER_DAY		86400000000000ULL
#define MAX_TOKENS_PER_NS	1000ULL

struct u128 {
	u64 hi;
	u64 lo;
};

static inline struct u128 mul_64_64(u64 a, u64 b)
{
	return (struct u128){
		.hi = mul_u64_u64_shr(a, b, 64),
		.lo = a * b,
	};
}

/*
 * n / d for n.hi < d, so that the quotient fits: long division in two digits
 * of 32 bits. With the top bit of d set, a digit estimated from the top half
 * of d is never too small and at most 2 too large (Knuth, TAOCP 2, 4.3.1).
 */
static u64 div_128_64(struct u128 n, u64 d, u64 *rem)
{
	u64 digit, q = 0, r = n.hi;
	int i, shift;
	u32 dh, dl;

	if (!n.hi)
		return div64_u64_rem(n.lo, d, rem);

	shift = 64 - fls64(d);
	if (shift) {
		d <<= shift;
		r = r << shift | n.lo >> (64 - shift);
		n.lo <<= shift;
	}
	dh = d >> 32;
	dl = (u32)d;

	for (i = 0; i < 2; i++) {
		u32 next = n.lo >> 32, left32;
		u64 left;

		digit = div_u64_rem(r, dh, &left32);
		left = left32;
		while (digit >> 32 || digit * dl > (left << 32 | next)) {
			digit--;
			left += dh;
			if (left >> 32)
				break;
		}
		/* The true value is < d: what wraps here cancels out. */
		r = (r << 32 | next) - digit * d;
		q = q << 32 | digit;
		n.lo <<= 32;
	}

	*rem = r >> shift;
	return q;
}

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline bool is_unlimited(const struct rein_rate *rate)
{
	return rate->tokens == REIN_RATE_UNLIMITED;
}

static inline bool is_closed(const struct rein_rate *rate)
{
	return !rate->tokens;
}

/**
 * rein_rate_check() - can a bucket keep this rate and burst exactly?
 * @rate:	tokens per period
 * @burst:	the most tokens the bucket holds
 *
 * Whatever is handed to rein_bucket_init() and rein_bucket_set() must have
 * passed this: they don't check again.
 *
 * Return: 0; -EINVAL for a burst of 0, or a period of 0 of a rate which is
 * neither closed nor unlimited; -ERANGE for a rate below 1 token per day or
 * above 10^12 per second (both of these are still valid).
 */
int rein_rate_check(const struct rein_rate *rate, u64 burst)
{
	struct u128 daily, most;

	if (!burst)
		return -EINVAL;
	if (is_closed(rate) || is_unlimited(rate))
		return 0;
	if (!rate->period_ns)
		return -EINVAL;

	daily = mul_64_64(rate->tokens, NSEC_PER_DAY);
	if (!daily.hi && daily.lo < rate->period_ns)
		return -ERANGE;

	most = mul_64_64(rate->period_ns, MAX_TOKENS_PER_NS);
	if (!most.hi && most.lo < rate->tokens)
		return -ERANGE;

	return 0;
}

/**
 * rein_bucket_init() - make a full bucket
 * @b:		the bucket
 * @rate:	its rate, as passed by rein_rate_check()
 * @burst:	the most tokens it holds, likewise
 * @now:	the time in ns
 */
void rein_bucket_init(struct rein_bucket *b, const struct rein_rate *rate,
		      u64 burst, u64 now)
{
	*b = (struct rein_bucket){
		.rate = *rate,
		.burst = burst,
		.tokens = burst,
		.last = now,
	};
}

/*
 * Let the bucket's time go on to now; returns how much of it earns tokens.
 *
 * A reading from before the last one is no sign of a clock set back when the
 * distance is small: another CPU read the clock later and got the lock
 * earlier. That time has been paid for already, so last stays where it is: if
 * it went back with every such reading, the same interval would be paid for
 * again and again. A large distance can't come about in this way: the clock
 * was set back. Waiting for it to reach last again would starve the bucket
 * for as long, so time starts anew from here, without tokens for what can't
 * be known and without a penalty.
 */
static u64 advance(struct rein_bucket *b, u64 now)
{
	u64 dt;

	if (now < b->last) {
		if (b->last - now > REIN_BUCKET_SKEW_NS)
			b->last = now;
		return 0;
	}

	dt = now - b->last;
	b->last = now;
	return dt;
}

static bool is_full(const struct rein_bucket *b)
{
	return b->tokens == b->burst - b->lent;
}

static void fill_up(struct rein_bucket *b)
{
	b->debt = 0;
	b->tokens = b->burst - b->lent;
	b->rem = 0;
}

/*
 * The level has risen: without what is held it would be higher by what is due,
 * were it not for the burst. What has no room any more never comes back. Those
 * held first lose first; which of them have been settled already isn't known,
 * so at worst they lose what these would have.
 */
static void swallow(struct rein_bucket *b)
{
	u64 room = b->burst - b->lent - b->tokens;

	if (b->due < room)
		return;
	if (b->due > room) {
		b->due = room;
		b->due_rem = 0;
		b->lost = b->held - room;
	}
	/* A part of a token takes room, too. */
	if (b->due && b->due_rem < b->rem)
		b->due_rem = b->rem;
}

/* Add whole tokens: debts are paid first, what overflows is lost. */
static void add_tokens(struct rein_bucket *b, u64 n)
{
	if (n < b->debt) {
		b->debt -= n;
		return;
	}
	n -= b->debt;
	b->debt = 0;

	if (n < b->burst - b->lent - b->tokens)
		b->tokens += n;
	else
		fill_up(b);
}

/**
 * rein_bucket_add() - add tokens that no time has earned
 * @b:		the bucket, refilled
 * @n:		how many
 *
 * Debts are paid first, and what overflows is lost, as of what time earns. A closed
 * bucket stays as it is, and so does an unlimited one.
 */
void rein_bucket_add(struct rein_bucket *b, u64 n)
{
	if (is_closed(&b->rate) || is_unlimited(&b->rate))
		return;
	add_tokens(b, n);
	if (b->due)
		swallow(b);
}

/**
 * rein_bucket_refill() - add what was earned since the last refill
 * @b:		the bucket
 * @now:	the time in ns
 *
 * Adds rate * (now - last), exactly: what isn't a whole token is kept for the
 * next refill, unless the bucket is full. Refilling often or seldom comes to
 * the same. A @now before the last one adds nothing; up to
 * REIN_BUCKET_SKEW_NS before it is taken as a late reading of the same clock,
 * more as a clock set back, from where time is counted anew.
 */
void rein_bucket_refill(struct rein_bucket *b, u64 now)
{
	u64 dt = advance(b, now);
	u64 whole_hi, whole;
	struct u128 n;

	if (!dt || is_full(b) || is_closed(&b->rate) ||
	    is_unlimited(&b->rate))
		return;

	n = mul_64_64(b->rate.tokens, dt);
	n.lo += b->rem;
	n.hi += n.lo < b->rem;

	if (!n.hi && n.lo < b->rate.period_ns) {
		b->rem = n.lo;
		if (b->due)
			swallow(b);
		return;
	}

	whole_hi = 0;
	if (n.hi >= b->rate.period_ns)
		whole_hi = div64_u64_rem(n.hi, b->rate.period_ns, &n.hi);
	whole = div_128_64(n, b->rate.period_ns, &b->rem);

	if (!whole_hi) {
		add_tokens(b, whole);
	} else if (whole_hi == 1 && whole < b->debt) {
		/* 2^64 + whole pays the debt and leaves less than 2^64. */
		whole -= b->debt;
		b->debt = 0;
		add_tokens(b, whole);
	} else {
		fill_up(b);
	}
	if (b->due)
		swallow(b);
}

/**
 * rein_bucket_short() - how many tokens are lacking?
 * @b:		the bucket, refilled
 * @cost:	what is asked for
 *
 * Return: cost + debt - tokens, at most U64_MAX; 0: none is lacking. Nothing
 * ever lacks for a cost of 0 or at an unlimited rate, and U64_MAX for any
 * other cost at a closed one.
 */
u64 rein_bucket_short(const struct rein_bucket *b, u64 cost)
{
	if (!cost || is_unlimited(&b->rate))
		return 0;
	if (is_closed(&b->rate))
		return U64_MAX;
	if (b->debt)
		return b->debt > U64_MAX - cost ? U64_MAX : b->debt + cost;
	return cost > b->tokens ? cost - b->tokens : 0;
}

/**
 * rein_bucket_wait() - how long until a cost may be charged?
 * @b:		the bucket, refilled
 * @cost:	what is asked for
 * @may_debt:	a cost greater than the burst may be charged to a full bucket
 *
 * This is the rule who is admitted: 0 means charge it now. Any other value is
 * exact: if nothing else is charged, the answer is 0 after a refill at
 * last + wait, and not a nanosecond before.
 *
 * A cost of 0 is always free, and an unlimited rate never waits. A closed
 * rate admits nothing, whatever tokens were left. A cost up to the burst
 * needs as many tokens and no debt; a greater one a full bucket if @may_debt,
 * else it can never be charged.
 *
 * Return: ns from the last refill; REIN_NEVER if not at this rate, not within
 * 2^64 ns, or if more than 2^64 - 1 tokens would have to be earned first.
 */
u64 rein_bucket_wait(const struct rein_bucket *b, u64 cost, bool may_debt)
{
	u64 need, left, wait;
	struct u128 n;

	if (!cost || is_unlimited(&b->rate))
		return 0;
	if (is_closed(&b->rate))
		return REIN_NEVER;
	if (cost > b->burst) {
		if (!may_debt)
			return REIN_NEVER;
		cost = b->burst;
	}

	need = rein_bucket_short(b, cost);
	if (!need)
		return 0;
	if (b->debt > U64_MAX - cost)
		return REIN_NEVER;

	/* The least wait with tokens * wait + rem >= need * period_ns. */
	n = mul_64_64(need, b->rate.period_ns);
	n.hi -= n.lo < b->rem;
	n.lo -= b->rem;
	if (n.hi >= b->rate.tokens)
		return REIN_NEVER;

	wait = div_128_64(n, b->rate.tokens, &left);
	if (left && wait != REIN_NEVER)
		wait++;
	return wait;
}

/**
 * rein_bucket_charge() - take tokens, whether they are there or not
 * @b:		the bucket, refilled
 * @cost:	how many
 *
 * What is lacking becomes debt, at most U64_MAX of it. Nothing is charged at
 * an unlimited rate. Whether it may be charged is the caller's question: see
 * rein_bucket_wait().
 */
void rein_bucket_charge(struct rein_bucket *b, u64 cost)
{
	if (is_unlimited(&b->rate))
		return;
	if (cost <= b->tokens) {
		b->tokens -= cost;
		return;
	}
	cost -= b->tokens;
	b->tokens = 0;
	b->debt = b->debt > U64_MAX - cost ? U64_MAX : b->debt + cost;
}

/**
 * rein_bucket_lend() - give tokens ahead of use
 * @b:		the bucket, refilled
 * @n:		how many, at most as many as it has
 *
 * Whoever has them may use them at any time, and nobody else can. Until they
 * are repaid they take up their part of the burst, used or not: so all that
 * is held, here and there, is never more than the burst.
 */
void rein_bucket_lend(struct rein_bucket *b, u64 n)
{
	if (is_unlimited(&b->rate))
		return;
	b->tokens -= n;
	b->lent += n;
}

/**
 * rein_bucket_repay() - settle what was lent
 * @b:		the bucket, refilled
 * @n:		how many tokens are not lent any more, at most @b->lent
 * @unused:	how many of these come back, at most @n; the rest was used
 *
 * What was used is taken as used just now, by the time of the last refill:
 * that is the latest it can have been, and a bucket that was charged later
 * was full for longer. So whatever is admitted with lent tokens, an exact
 * bucket would have admitted as well.
 */
void rein_bucket_repay(struct rein_bucket *b, u64 n, u64 unused)
{
	if (is_unlimited(&b->rate))
		return;
	b->lent -= n;
	if (unused)
		add_tokens(b, unused);
}

/**
 * rein_bucket_hold() - what was charged just now may come back
 * @b:		the bucket
 * @cost:	as it was charged, without making debt
 *
 * To be settled by rein_bucket_keep() or rein_bucket_return(), both with the
 * same @cost. Nothing comes back of what was charged at an unlimited rate.
 *
 * Return: what these want as @from; the same for all buckets that have been
 * held the same of. U64_MAX: beyond 2^64 tokens nothing comes back.
 */
u64 rein_bucket_hold(struct rein_bucket *b, u64 cost)
{
	u64 from = b->held;

	if (cost > U64_MAX - 1 - from)
		return U64_MAX;
	b->held += cost;
	if (is_unlimited(&b->rate)) {
		b->lost = b->held;
		b->due = 0;
		b->due_rem = 0;
	} else {
		b->due += cost;
	}
	return from;
}

/* A hold ends; returns how much of it can come back. */
static u64 settle(struct rein_bucket *b, u64 from, u64 cost)
{
	u64 left = cost;

	if (from == U64_MAX)
		return 0;
	if (b->lost > from)
		left -= min_u64(b->lost - from, cost);
	left = min_u64(left, b->due);
	b->due -= left;
	/* As if it had never been, if nothing was held since. */
	if (from + cost == b->held) {
		b->held = from;
		b->lost = min_u64(b->lost, from);
	}
	return left;
}

/**
 * rein_bucket_keep() - what was held has become a charge as any other
 * @b:		the bucket
 * @from:	what rein_bucket_hold() returned
 * @cost:	what it was called with
 */
void rein_bucket_keep(struct rein_bucket *b, u64 from, u64 cost)
{
	settle(b, from, cost);
	if (!b->due)
		b->due_rem = 0;
}

/**
 * rein_bucket_return() - what was held comes back
 * @b:		the bucket, refilled
 * @from:	what rein_bucket_hold() returned
 * @cost:	what it was called with
 *
 * Promise: whatever else is charged, and whatever else that is held comes to, the
 * bucket never has more than one that is charged only what is kept, and so
 * never gives more than that. If all that is held comes back, in the order
 * in which it was charged, it has no less either.
 */
void rein_bucket_return(struct rein_bucket *b, u64 from, u64 cost)
{
	u64 left = settle(b, from, cost);

	if (left) {
		/* The fraction of the first that had no room. */
		if (b->rem < b->due_rem) {
			b->rem += b->rate.period_ns;
			left--;
		}
		b->rem -= b->due_rem;
		b->due_rem = 0;
		add_tokens(b, left);
	}
	if (!b->due)
		b->due_rem = 0;
}

/* A fraction of a token as another rate has it, rounded down. */
static u64 rescale(u64 rem, const struct rein_rate *from,
		   const struct rein_rate *to)
{
	u64 left;

	if (!rem || is_closed(to) || is_unlimited(to))
		return 0;
	/* rem is less than the old period, so the quotient fits. */
	return div_128_64(mul_64_64(rem, to->period_ns), from->period_ns,
			  &left);
}

/*
 * Convert what there is to another rate; and what there would be if all that is
 * due had come back, so that the one is never more than the other.
 */
static void convert(struct rein_bucket *b, const struct rein_rate *rate)
{
	u64 all = b->rem - b->due_rem;
	bool borrows = b->rem < b->due_rem;

	if (borrows)
		all += b->rate.period_ns;
	all = rescale(all, &b->rate, rate);
	b->rem = rescale(b->rem, &b->rate, rate);
	b->due_rem = b->rem - all;
	if (!borrows)
		return;
	if (all > b->rem) {
		b->due_rem += rate->period_ns;
	} else {
		b->due--;
		b->lost = b->held - b->due;
	}
}

/**
 * rein_bucket_set() - change rate and burst, keep the tokens
 * @b:		the bucket; nothing is lent
 * @rate:	the new rate, as passed by rein_rate_check()
 * @burst:	the new burst, likewise
 * @now:	the time in ns
 *
 * Time up to @now is paid for at the old rate. Tokens and debt are kept, up
 * to the new burst; the fraction of a token is rounded down to what the new
 * period can express, and dropped by a closed or unlimited rate. So nothing
 * is minted by any sequence of changes: time spent closed or unlimited earns
 * nothing.
 */
void rein_bucket_set(struct rein_bucket *b, const struct rein_rate *rate,
		     u64 burst, u64 now)
{
	rein_bucket_refill(b, now);
	convert(b, rate);

	b->rate = *rate;
	b->burst = burst;
	if (b->tokens >= burst) {
		b->tokens = burst;
		b->rem = 0;
	}
	if (b->due)
		swallow(b);
	if (!b->due)
		b->due_rem = 0;
}

/**
 * rein_bucket_level() - what to show as the bucket's level
 * @b:		the bucket, refilled
 * @in_debt:	set to whether the returned number is owed, may be NULL
 *
 * Return: whole tokens, or tokens owed.
 */
u64 rein_bucket_level(const struct rein_bucket *b, bool *in_debt)
{
	if (in_debt)
		*in_debt = b->debt != 0;
	return b->debt ? b->debt : b->tokens;
}
