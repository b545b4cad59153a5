/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one decision: may this request pass every limit of its chain?
 *
 * All limits are checked, then all of them are charged, or none: a refusal
 * changes no bucket. Whatever is limited goes through rein_admit().
 *
 * Context: any but hard interrupts; never sleeps. The caller is in an RCU
 * read-side section that began before it collected the chain.
 */
#ifndef REIN_ADMIT_H
#define REIN_ADMIT_H

#include <linux/types.h>
#include <linux/rein.h>

#include "limit.h"
#include "target.h"

enum rein_decision {
	REIN_GO,
	REIN_WAIT,
	REIN_REFUSE,
};

/* What becomes of a request that there are no tokens for. */
enum rein_mode {
	REIN_MODE_LIMIT,	/* what the limit's "over" says */
	REIN_MODE_TRY,		/* it is refused */
	REIN_MODE_WAIT,		/* it waits, unless it is only observed */
};

/**
 * struct rein_hold - what a granted reservation holds of a limit
 * @limit_id:	which limit; it may be gone when that comes to its end
 * @tokens:	how many
 * @from:	since when, to its buckets: see rein_bucket_hold(); U64_MAX: a limit
 *		that observes had no tokens and was not charged
 */
struct rein_hold {
	u64 limit_id;
	u64 tokens;
	u64 from;
};

/**
 * struct rein_request - what is asked of a chain
 * @cost:	tokens, by unit; what costs calls is no packet, but asks for one
 *		to be let go
 * @tokens:	tokens by index of the chain, instead of by unit: a take, which
 *		also waits its turn where others wait; NULL: a packet
 * @mode:	what to do without tokens
 * @now:	CLOCK_MONOTONIC, ns
 * @may_debt:	a cost above the burst is paid by a full bucket and debt
 * @ecn:	CE can be set on it
 * @waited:	it comes from a waiting room, where it has been counted as
 *		seen and queued by the limits that were born by @gen
 * @gen:	configuration generation it began to wait in
 * @holds:	of a reservation: where to note what it holds, by index of the
 *		chain; NULL: tokens are taken for good
 */
struct rein_request {
	u64 cost[REIN_UNITS];
	const u64 *tokens;
	enum rein_mode mode;
	u64 now;
	bool may_debt;
	bool ecn;
	bool waited;
	u64 gen;
	struct rein_hold *holds;
};

/**
 * struct rein_lack - who had no tokens for a request
 * @limit:	the limit, NULL: none
 * @when:	when it will have (CLOCK_MONOTONIC, ns), REIN_NEVER if not at the
 *		present rates
 * @unit:	unit of @wanted and @available
 * @wanted:	what the request costs in the tier that has them last
 * @available:	tokens in that tier
 */
struct rein_lack {
	struct rein_limit *limit;
	u64 when;
	enum rein_unit unit;
	u64 wanted;
	u64 available;
};

/**
 * struct rein_verdict - the answer
 * @decision:	what to do
 * @mark:	REIN_GO, but set CE
 * @lack:	the limit that decides; none for REIN_GO
 * @when:	when all limits would have had the tokens
 * @observed:	the limit that would have said no, were it not only observing
 */
struct rein_verdict {
	enum rein_decision decision;
	bool mark;
	struct rein_lack lack;
	u64 when;
	struct rein_lack observed;
};

void rein_admit(const struct rein_chain *chain, const struct rein_request *req,
		struct rein_verdict *verdict);
void rein_admit_count(const struct rein_chain *chain,
		      const struct rein_request *req, unsigned int stat);

void rein_chain_lock(const struct rein_chain *chain);
void rein_chain_unlock(const struct rein_chain *chain);
void rein_admit_end(const struct rein_chain *chain,
		    const struct rein_request *req, unsigned int stat,
		    const struct rein_limit *dry);
struct rein_lack rein_admit_planned(const struct rein_chain *chain,
				    const struct rein_request *req);
void rein_admit_settle(const struct rein_chain *chain,
		       const struct rein_hold *holds,
		       const struct rein_request *req, unsigned int stat);
void rein_admit_welcome(const struct rein_chain *chain, const u64 *tokens,
			u64 gen);

void rein_admit_total(struct rein_count total[REIN_STATS]);

int rein_admit_init(void);
void rein_admit_exit(void);

#endif /* REIN_ADMIT_H */
