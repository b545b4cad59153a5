/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The token bucket: pure, exact arithmetic.
 *
 * Promise: over any interval of length t a bucket gives at most
 * burst + rate * t tokens, and loses nothing below that: the fraction of a
 * token earned so far is kept to the last nanosecond. Every result is exact
 * or, where it can't be represented, a saturated value which is never more
 * permissive than the exact one. The one addition: who may go into debt may
 * exceed the bound by a single charge greater than the burst.
 *
 * Context: any. There is no clock, no lock and no allocation in here: "now"
 * is a parameter (ns since any origin), the caller serializes all access to
 * one bucket, and nothing sleeps or loops over anything but digits.
 *
 * A charge can be held: it may come back later. What can come back is what the
 * bucket would have more now, had it not been charged. That is less than the
 * charge where the bucket would have been full in the meantime: to give back all
 * of it then would let out more than burst + rate * t, counted from that moment.
 * So a bucket knows how much of what is held has not been swallowed by its
 * burst, which swallows the oldest first. See rein_bucket_hold().
 *
 * The same file is compiled into the module and into host programs.
 */
#ifndef REIN_BUCKET_H
#define REIN_BUCKET_H

#include "pure.h"

/* As rein_rate.tokens: no limit at all; the period is ignored. */
#define REIN_RATE_UNLIMITED	U64_MAX

/* As a waiting time: not at this rate, or not within 2^64 ns (584 years). */
#define REIN_NEVER		U64_MAX

/* How far a reading of the clock may lie before one that overtook it. */
#define REIN_BUCKET_SKEW_NS	1000000000ULL

/**
 * struct rein_rate - a rate as a fraction: tokens per period
 * @tokens:	0: closed; REIN_RATE_UNLIMITED: unlimited
 * @period_ns:	ignored if closed or unlimited, else > 0
 */
struct rein_rate {
	u64 tokens;
	u64 period_ns;
};

/**
 * struct rein_bucket - a token bucket
 * @rate:	what it is refilled at
 * @burst:	the most tokens it can hold, >= 1
 * @tokens:	whole tokens, <= burst
 * @lent:	tokens that somebody was given ahead of use: they count against
 *		@burst until they are repaid; there are none at an unlimited rate
 * @debt:	tokens owed; if there are any, @tokens is 0
 * @rem:	the fraction of a token, in units of 1/period_ns token:
 *		0 <= rem < period_ns; 0 if full, closed or unlimited
 * @last:	the time up to which refills are accounted for
 * @held:	all tokens that were ever held, in the order of time: each hold is
 *		an interval of it
 * @lost:	the part of @held, from its beginning, that can't come back
 * @due:	how many tokens of @held can, at most @held - @lost
 * @due_rem:	a fraction, as @rem, by which @due is too much; 0 if @due is
 *
 * The level is tokens - debt + rem / period_ns; tokens + lent <= burst, and
 * at burst the bucket is full. With what is due it is at most that.
 */
struct rein_bucket {
	struct rein_rate rate;
	u64 burst;
	u64 tokens;
	u64 lent;
	u64 debt;
	u64 rem;
	u64 last;
	u64 held;
	u64 lost;
	u64 due;
	u64 due_rem;
};

int rein_rate_check(const struct rein_rate *rate, u64 burst);
void rein_bucket_init(struct rein_bucket *b, const struct rein_rate *rate,
		      u64 burst, u64 now);
void rein_bucket_refill(struct rein_bucket *b, u64 now);
u64 rein_bucket_short(const struct rein_bucket *b, u64 cost);
u64 rein_bucket_wait(const struct rein_bucket *b, u64 cost, bool may_debt);
void rein_bucket_charge(struct rein_bucket *b, u64 cost);
u64 rein_bucket_hold(struct rein_bucket *b, u64 cost);
void rein_bucket_keep(struct rein_bucket *b, u64 from, u64 cost);
void rein_bucket_return(struct rein_bucket *b, u64 from, u64 cost);
void rein_bucket_add(struct rein_bucket *b, u64 n);
void rein_bucket_lend(struct rein_bucket *b, u64 n);
void rein_bucket_repay(struct rein_bucket *b, u64 n, u64 unused);
void rein_bucket_set(struct rein_bucket *b, const struct rein_rate *rate,
		     u64 burst, u64 now);
u64 rein_bucket_level(const struct rein_bucket *b, bool *in_debt);

#endif /* REIN_BUCKET_H */
