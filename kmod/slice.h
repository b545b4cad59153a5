/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slices: tokens of a limit that one CPU may take without asking the others.
 *
 * A limit under which there is much room lends each CPU that uses it a share
 * of its tokens. What fits into the slices of its whole chain passes without a
 * shared cache line being written and without a division.
 *
 * Promise: what is admitted by slices an exact bucket would have admitted at
 * the same moment (see rein_bucket_repay()), and nothing is refused while a
 * slice has tokens: before a limit refuses, it takes all of them back. Nothing
 * is lent while somebody waits for the limit, so nobody is overtaken; and
 * nothing by a limit that is less than half full, so one that refuses or makes
 * wait all the time never has to ask all CPUs.
 *
 * Whoever looks at the buckets or the counters of a limit has it recall what it
 * has lent before.
 *
 * Locking: a slice is under its CPU's lock, which nests below limit->lock.
 * What was lent, and to whom, is under limit->lock.
 */
#ifndef REIN_SLICE_H
#define REIN_SLICE_H

#include <linux/types.h>

#include "limit.h"
#include "target.h"

/**
 * struct rein_slice - what one CPU may take of one limit
 * @passed:	what has passed here, in all
 * @upto:	up to where @passed may go
 * @told:	how much of @passed the limit knows of; limit->lock
 * @fed:	when it was fed last, CLOCK_MONOTONIC in ns
 * @used:	when something passed here last
 *
 * The first three count requests, and bytes or tokens, as struct rein_count does.
 */
struct rein_slice {
	struct rein_count passed;
	struct rein_count upto;
	struct rein_count told;
	u64 fed;
	u64 used;
};

bool rein_slice_take(const struct rein_chain *chain, const u64 cost[REIN_UNITS],
		     const u64 *tokens, u64 now);
void rein_slice_hear(struct rein_limit *limit);
void rein_slice_feed(struct rein_limit *limit, struct rein_count cost, u64 now);
void rein_slice_recall(struct rein_limit *limit);
struct rein_count rein_slice_total(void);

void rein_slice_init(void);

#endif /* REIN_SLICE_H */
