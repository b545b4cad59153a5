/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The plan: at what time each of those who wait for tokens will have them.
 *
 * Conservative backfilling, as batch schedulers do it (Mu'alem and Feitelson,
 * IEEE TPDS 12(6), 2001): everybody who waits has a planned time, the
 * earliest at which all its buckets have the tokens without any bucket being
 * short for somebody who is planned already, at the time planned for that
 * one. So one may overtake another only where that delays nobody ahead of it.
 *
 * Who waits has a place, not tokens: nothing is taken from a bucket before
 * the planned time.
 *
 * Places are planned in the order of their tickets, each once. When one goes
 * away unserved, or a rate changes, those that came after it are taken off
 * the plan (rein_plan_del()) and planned anew, in that order. A younger one
 * may find the gap that it had taken by an older one then. Where nobody may
 * be later than before, take off and plan one after the other instead: that
 * leaves everybody at least the time it had.
 *
 * While a ledger has entries its buckets are charged by rein_plan_grant()
 * only, and refilled no further than up to the first planned time: what is
 * refilled later can't be charged as of that time any more, and a bucket that
 * was full in between would have lost tokens that somebody is planned to get.
 *
 * Context: any. Pure as the bucket is: no clock, no lock, no allocation; the
 * caller serializes all access to the ledgers that a place has entries in.
 * The same file is compiled into the module and into host programs.
 */
#ifndef REIN_PLAN_H
#define REIN_PLAN_H

#include <linux/list.h>
#include <linux/rein.h>

#include "bucket.h"

/* After how many steps a search for a gap is given up; a step is some 20 ns. */
#define REIN_PLAN_STEPS		16384

struct rein_entry;

/**
 * struct rein_tier - one bucket of a limit
 * @unit:	what a token stands for
 * @bucket:	the tokens
 */
struct rein_tier {
	enum rein_unit unit;
	struct rein_bucket bucket;
};

/**
 * struct rein_course - how far the plan's reckoning has come with a bucket
 * @upto:	an entry of the ledger; NULL: it begins at the bucket
 * @tail:	what the bucket will be with all charged up to @upto, that one
 *		included; of no meaning if there is none
 *
 * The plan's own: where the last search was, mostly the end of the ledger, so
 * that the next one needn't begin at the bucket.
 */
struct rein_course {
	struct rein_entry *upto;
	struct rein_bucket tail;
};

/**
 * struct rein_ledger - what is planned to be taken from one limit
 * @entries:	planned charges, by time, then by ticket
 * @n_tiers:	number of @tiers, and of @courses
 * @tiers:	the limit's buckets, each of which is charged every entry
 * @courses:	of the same buckets
 *
 * The arrays are handed in: they, the rates and bursts may be changed while there
 * are no entries.
 */
struct rein_ledger {
	struct list_head entries;
	unsigned int n_tiers;
	struct rein_tier *tiers;
	struct rein_course *courses;
};

struct rein_place;

/**
 * struct rein_entry - what a place wants of one limit
 * @node:	in the ledger's entries while the place is planned
 * @ledger:	of the limit
 * @place:	whose
 * @cost:	tokens, at least 1
 */
struct rein_entry {
	struct list_head node;
	struct rein_ledger *ledger;
	struct rein_place *place;
	u64 cost;
};

/**
 * struct rein_place - somebody who waits for tokens of some limits at once
 * @ticket:	order of arrival
 * @when:	planned time in ns; REIN_NEVER: not at the present rates, or
 *		taken off the plan (it is then in no ledger, and in nobody's
 *		way)
 * @dry:	which entry was the last to have the tokens, in the last search
 * @n:		number of @entries
 * @entries:	what it wants of whom; no ledger twice
 */
struct rein_place {
	u64 ticket;
	u64 when;
	unsigned int dry;
	unsigned int n;
	struct rein_entry entries[REIN_CHAIN_MAX];
};

void rein_ledger_init(struct rein_ledger *ledger, struct rein_tier *tiers,
		      struct rein_course *courses, unsigned int n_tiers);
u64 rein_plan_find(struct rein_place *place, u64 now, u64 from,
		   unsigned int *steps);
u64 rein_plan_find_entry(const struct rein_entry *entry, u64 now);
void rein_plan_add(struct rein_place *place, u64 when);
void rein_plan_del(struct rein_place *place);
void rein_plan_grant(struct rein_place *place);

#endif /* REIN_PLAN_H */
