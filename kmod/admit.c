// SPDX-License-Identifier: GPL-2.0
/*
 * The one decision. See admit.h.
 */
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>

#include "admit.h"
#include "slice.h"
#include "trace.h"

/*
 * Locks of one chain nest under this map, so that lockdep sees that holding
 * many of the same class is meant. Their order is that of the chain, from its
 * end: root to leaf, older before younger.
 */
#ifdef CONFIG_DEBUG_LOCK_ALLOC
static struct {
	struct lockdep_map dep_map;
} chain_map = {
	.dep_map = STATIC_LOCKDEP_MAP_INIT("rein_chain", &chain_map),
};
#endif

/* Each packet that met a limit, counted once. */
struct admit_total {
	struct u64_stats_sync syncp;
	u64_stats_t packets[REIN_STATS];
	u64_stats_t bytes[REIN_STATS];
};

static struct admit_total __percpu *totals;

static void chain_lock(const struct rein_chain *chain)
{
	unsigned int i = chain->n;

	local_bh_disable();
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	lock_map_acquire(&chain_map.dep_map);
#endif
	while (i--)
		spin_lock_nest_lock(&chain->limits[i]->lock, &chain_map);
}

/**
 * rein_chain_lock() - lock all limits of a chain
 * @chain:	the chain
 *
 * What they have lent is taken back, so that buckets and counters are exact.
 *
 * Context: any but hard interrupts; disables bottom halves.
 */
void rein_chain_lock(const struct rein_chain *chain)
{
	unsigned int i;

	chain_lock(chain);
	for (i = 0; i < chain->n; i++)
		rein_slice_recall(chain->limits[i]);
}

/**
 * rein_chain_unlock() - undo rein_chain_lock()
 * @chain:	the chain
 */
void rein_chain_unlock(const struct rein_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		spin_unlock(&chain->limits[i]->lock);
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	lock_map_release(&chain_map.dep_map);
#endif
	local_bh_enable();
}

/* What a request costs in a tier of the i-th limit of its chain. */
static u64 cost_of(const struct rein_request *req, unsigned int i,
		   enum rein_unit unit)
{
	return req->tokens ? req->tokens[i] : req->cost[unit];
}

/* Neither a take nor the beginning of a flow is a packet: it is one call. */
static bool is_call(const struct rein_request *req)
{
	return req->tokens || req->cost[REIN_UNIT_CALLS];
}

static void count_add(struct rein_count *count, s64 packets, s64 bytes)
{
	/* Those of the queue are peeked at without the lock. */
	WRITE_ONCE(count->packets, count->packets + packets);
	WRITE_ONCE(count->bytes, count->bytes + bytes);
}

/* A call counts as one, and with its tokens; a packet with what it is. */
static struct rein_count count_of(const struct rein_request *req,
				  unsigned int i)
{
	struct rein_count of = { .packets = 1 };

	if (is_call(req)) {
		of.bytes = cost_of(req, i, REIN_UNIT_CALLS);
	} else {
		of.packets = req->cost[REIN_UNIT_PACKETS];
		of.bytes = req->cost[REIN_UNIT_BYTES];
	}
	return of;
}

static void count(const struct rein_chain *chain, unsigned int i,
		  unsigned int stat, const struct rein_request *req, int sign)
{
	struct rein_limit *limit = chain->limits[i];
	struct rein_count of = count_of(req, i);

	lockdep_assert_held(&limit->lock);
	count_add(&limit->stats[stat], sign * (s64)of.packets,
		  sign * (s64)of.bytes);
}

static void total_add(unsigned int stat, const struct rein_request *req,
		      bool less)
{
	struct admit_total *total = this_cpu_ptr(totals);
	s64 packets = req->cost[REIN_UNIT_PACKETS];
	s64 bytes = req->cost[REIN_UNIT_BYTES];

	/* Calls and packets would make no sum. */
	if (is_call(req))
		return;
	u64_stats_update_begin(&total->syncp);
	u64_stats_add(&total->packets[stat], less ? -packets : packets);
	u64_stats_add(&total->bytes[stat], less ? -bytes : bytes);
	u64_stats_update_end(&total->syncp);
}

/* With the locks of the chain held: the request came to the end @stat. */
static void count_all(const struct rein_chain *chain,
		      const struct rein_request *req, unsigned int stat)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		const struct rein_limit *limit = chain->limits[i];

		/* A limit that came later has not seen it yet. */
		if (req->waited && limit->born <= req->gen)
			count(chain, i, REIN_STAT(QUEUED), req, -1);
		else
			count(chain, i, REIN_STAT(SEEN), req, 1);
		count(chain, i, stat, req, 1);
	}

	if (req->waited)
		total_add(REIN_STAT(QUEUED), req, true);
	else
		total_add(REIN_STAT(SEEN), req, false);
	total_add(stat, req, false);
}

/* limit_when() by what is in the buckets, whatever is lent. */
static u64 buckets_when(const struct rein_chain *chain, unsigned int nth,
			const struct rein_request *req, struct rein_tier **dry)
{
	struct rein_limit *limit = chain->limits[nth];
	u64 wait, when, latest = 0;
	unsigned int i;

	for (i = 0; i < limit->n_tiers; i++) {
		struct rein_tier *tier = &limit->tiers[i];
		struct rein_bucket *bucket = &tier->bucket;

		/*
		 * The clock was read before the lock was taken, perhaps long
		 * before: somebody else may have come with a later reading.
		 * It is monotonic, so that is the truth.
		 */
		rein_bucket_refill(bucket, max(req->now, bucket->last));
		wait = rein_bucket_wait(bucket, cost_of(req, nth, tier->unit),
					req->may_debt);
		if (!wait)
			continue;
		if (check_add_overflow(bucket->last, wait, &when))
			when = REIN_NEVER;
		if (when > latest) {
			latest = when;
			*dry = tier;
		}
	}
	return latest;
}

/*
 * When the tiers of one limit have the tokens, and which tier is the last to:
 * 0 if they have them now. The buckets' own time may be ahead of ours. Nobody
 * lacks what is only lent.
 */
static u64 limit_when(const struct rein_chain *chain, unsigned int nth,
		      const struct rein_request *req, struct rein_tier **dry)
{
	struct rein_limit *limit = chain->limits[nth];
	u64 when;

	rein_slice_hear(limit);
	when = buckets_when(chain, nth, req, dry);
	if (!when || !limit->lends)
		return when;
	rein_slice_recall(limit);
	return buckets_when(chain, nth, req, dry);
}

/*
 * How many bursts a limit may be in debt by packets that it marks. When a flow
 * in slow start has used up the first one, it sends as much again until the
 * marks come back, and then 0.7 of the last round trip in each (RFC 9438,
 * 4.6): 1 / (1 - 0.7) = 3.3 bursts in all. 3.9 were seen; this leaves room.
 */
#define MARK_BURSTS	8

/*
 * May a packet go on with a mark? Only while the mark can be seen by its
 * receiver, and up to a debt that no flow comes to that reacts: who ignores
 * marks is refused.
 */
static bool limit_may_mark(const struct rein_limit *limit,
			   const struct rein_request *req)
{
	unsigned int i;
	u64 most;

	if (!req->ecn)
		return false;
	for (i = 0; i < limit->n_tiers; i++) {
		const struct rein_tier *tier = &limit->tiers[i];

		if (check_mul_overflow(tier->bucket.burst, MARK_BURSTS, &most))
			most = U64_MAX;
		if (rein_bucket_short(&tier->bucket, req->cost[tier->unit]) >
		    most)
			return false;
	}
	return true;
}

static void limit_charge(const struct rein_chain *chain, unsigned int nth,
			 const struct rein_request *req)
{
	struct rein_limit *limit = chain->limits[nth];
	unsigned int i;

	for (i = 0; i < limit->n_tiers; i++)
		rein_bucket_charge(&limit->tiers[i].bucket,
				   cost_of(req, nth, limit->tiers[i].unit));
}

/* Charge the limits of a request that passes. */
static void charge_all(const struct rein_chain *chain,
		       const struct rein_request *req,
		       const unsigned long *is_short)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		struct rein_limit *limit = chain->limits[i];

		if (test_bit(i, is_short) && limit->over != REIN_OVER_MARK)
			continue;
		limit_charge(chain, i, req);
		rein_slice_feed(limit, count_of(req, i), req->now);
	}
}

static void lack_set(struct rein_lack *lack, struct rein_limit *limit,
		     const struct rein_tier *dry, u64 when, u64 wanted)
{
	const struct rein_bucket *bucket = &dry->bucket;

	*lack = (struct rein_lack){
		.limit = limit,
		.when = when,
		.unit = dry->unit,
		.wanted = wanted,
		/* What is left at a closed rate is not to be had. */
		.available = bucket->rate.tokens ? bucket->tokens : 0,
	};
}

/* What is a limit to do with a request that it has no tokens for? */
static enum rein_decision limit_decides(const struct rein_limit *limit,
					const struct rein_request *req)
{
	switch (req->mode) {
	case REIN_MODE_TRY:
		return REIN_REFUSE;
	case REIN_MODE_WAIT:
		return REIN_WAIT;
	case REIN_MODE_LIMIT:
		break;
	}
	return limit->over == REIN_OVER_WAIT ? REIN_WAIT : REIN_REFUSE;
}

/* The nth limit has no tokens: let it change the verdict. */
static void verdict_over(struct rein_verdict *verdict,
			 const struct rein_chain *chain, unsigned int nth,
			 const struct rein_tier *dry, u64 when,
			 const struct rein_request *req)
{
	struct rein_limit *limit = chain->limits[nth];
	u64 wanted = cost_of(req, nth, dry->unit);
	enum rein_decision decision;

	if (limit->over == REIN_OVER_OBSERVE) {
		lack_set(&verdict->observed, limit, dry, when, wanted);
		return;
	}
	if (limit->over == REIN_OVER_MARK && limit_may_mark(limit, req)) {
		verdict->mark = true;
		return;
	}

	verdict->when = max(verdict->when, when);
	decision = limit_decides(limit, req);
	/* A refusal outranks a wait; among equals the longest wait decides. */
	if (decision > verdict->decision ||
	    (decision == verdict->decision && when > verdict->lack.when)) {
		verdict->decision = decision;
		lack_set(&verdict->lack, limit, dry, when, wanted);
	}
}

/*
 * The limits of the chain that were short, for their counters: those that let
 * the request pass marked or observed, or the one that did not let it pass.
 */
static void count_short(const struct rein_verdict *verdict,
			const struct rein_chain *chain, unsigned int nth,
			const struct rein_request *req)
{
	const struct rein_limit *limit = chain->limits[nth];
	unsigned int stat = limit->over == REIN_OVER_OBSERVE ?
			    REIN_STAT(OBSERVED) : REIN_STAT(MARKED);

	if (verdict->decision == REIN_GO) {
		count(chain, nth, stat, req, 1);
		total_add(stat, req, false);
	} else if (limit != verdict->lack.limit) {
		return;
	}
	count(chain, nth, REIN_STAT(SHORT), req, 1);
	total_add(REIN_STAT(SHORT), req, false);
}

/* Does anybody wait for a limit that this take needs, too? */
static bool others_wait(const struct rein_chain *chain,
			const struct rein_request *req)
{
	unsigned int i;

	if (!req->tokens)
		return false;
	for (i = 0; i < chain->n; i++)
		if (chain->limits[i]->over != REIN_OVER_OBSERVE &&
		    chain->limits[i]->stats[REIN_STAT(QUEUED)].packets)
			return true;
	return false;
}

/* Apart from the fast path, which has no use for its frame. */
static noinline void admit_locked(const struct rein_chain *chain,
				  const struct rein_request *req,
				  struct rein_verdict *verdict)
{
	DECLARE_BITMAP(is_short, REIN_CHAIN_MAX + REIN_SOCKET_MAX) = { };
	unsigned int i;

	*verdict = (struct rein_verdict){ .decision = REIN_GO };
	chain_lock(chain);
	if (others_wait(chain, req)) {
		verdict->decision = REIN_WAIT;
		goto out;
	}
	for (i = 0; i < chain->n; i++) {
		struct rein_tier *dry = NULL;
		u64 when = limit_when(chain, i, req, &dry);

		if (!when)
			continue;
		__set_bit(i, is_short);
		verdict_over(verdict, chain, i, dry, when, req);
	}

	if (verdict->decision == REIN_GO) {
		charge_all(chain, req, is_short);
		count_all(chain, req, req->waited ? REIN_STAT(RELEASED) :
						    REIN_STAT(PASSED));
	} else if (verdict->decision == REIN_REFUSE) {
		count_all(chain, req, REIN_STAT(REFUSED));
	}
	/* One that waits was counted as short when it began to; a take will be. */
	if (verdict->decision != REIN_WAIT || !(req->waited || req->tokens))
		for_each_set_bit(i, is_short, chain->n)
			count_short(verdict, chain, i, req);
out:
	rein_chain_unlock(chain);
	trace_admit(chain, req->cost, req->tokens, verdict->decision);
}

/**
 * rein_admit() - check all limits of a chain, then charge all or none
 * @chain:	the limits, n >= 1
 * @req:	what is asked; its clock may lag behind that of another CPU
 * @verdict:	the answer; of its lacks those without a limit say nothing else
 *
 * REIN_GO: every limit was charged, but those that only observe and had no
 * tokens. REIN_REFUSE and REIN_WAIT: none was. The request is counted by all
 * limits, as passed, released or refused; one that is told to wait is not
 * counted yet, since it may find no room: see rein_admit_count(). A take is told
 * to wait, whatever its mode, if others wait already for a limit that binds it:
 * the plan has to say whether it may go.
 *
 * Context: RCU read side; takes the locks of all limits of the chain, unless the
 * slices of this CPU suffice.
 */
void rein_admit(const struct rein_chain *chain, const struct rein_request *req,
		struct rein_verdict *verdict)
{
	/* What has waited is counted in another way. */
	if (req->waited ||
	    !rein_slice_take(chain, req->cost, req->tokens, req->now)) {
		admit_locked(chain, req, verdict);
		return;
	}
	verdict->decision = REIN_GO;
	verdict->mark = false;
	verdict->lack.limit = NULL;
	verdict->observed.limit = NULL;
}

/**
 * rein_admit_count() - count a request that rein_admit() did not
 * @chain:	the limits that bind it
 * @req:	the request
 * @stat:	REIN_STAT(QUEUED) when it begins to wait, or the way in which
 *		it was dropped
 *
 * Context: RCU read side; takes the locks of all limits of the chain.
 */
void rein_admit_count(const struct rein_chain *chain,
		      const struct rein_request *req, unsigned int stat)
{
	rein_chain_lock(chain);
	count_all(chain, req, stat);
	rein_chain_unlock(chain);
}

/**
 * rein_admit_end() - rein_admit_count() with the locks of the chain held
 * @chain:	the limits that bind it
 * @req:	the request
 * @stat:	what it came to
 * @dry:	the limit that had no tokens for it, or NULL
 */
void rein_admit_end(const struct rein_chain *chain,
		    const struct rein_request *req, unsigned int stat,
		    const struct rein_limit *dry)
{
	unsigned int i;

	count_all(chain, req, stat);
	for (i = 0; i < chain->n; i++)
		if (chain->limits[i] == dry)
			count(chain, i, REIN_STAT(SHORT), req, 1);
}

static void limit_hold(struct rein_limit *limit, u64 tokens, bool charged,
		       struct rein_hold *hold)
{
	unsigned int i;

	*hold = (struct rein_hold){ limit->id, tokens, U64_MAX };
	for (i = 0; charged && i < limit->n_tiers; i++)
		hold->from = rein_bucket_hold(&limit->tiers[i].bucket, tokens);
}

static void limit_settle(struct rein_limit *limit, const struct rein_hold *hold,
			 u64 now, bool back)
{
	unsigned int i;

	if (hold->from == U64_MAX)
		return;
	for (i = 0; i < limit->n_tiers; i++) {
		struct rein_bucket *bucket = &limit->tiers[i].bucket;

		if (!back) {
			rein_bucket_keep(bucket, hold->from, hold->tokens);
			continue;
		}
		rein_bucket_refill(bucket, max(now, bucket->last));
		rein_bucket_return(bucket, hold->from, hold->tokens);
	}
}

/**
 * rein_admit_planned() - let a take go that the plan has charged
 * @chain:	the limits that bind it, locked
 * @req:	the request, as of its planned time
 *
 * What is left to do: the limits that only observe are not part of a plan. What
 * a reservation is granted is held, to be settled by rein_admit_settle().
 *
 * Return: one of these that had no tokens, if there is one.
 */
struct rein_lack rein_admit_planned(const struct rein_chain *chain,
				    const struct rein_request *req)
{
	struct rein_lack lack = { };
	struct rein_tier *dry;
	unsigned int i;
	u64 when;

	for (i = 0; i < chain->n; i++) {
		struct rein_limit *limit = chain->limits[i];

		when = 0;
		if (limit->over == REIN_OVER_OBSERVE)
			when = limit_when(chain, i, req, &dry);
		if (when) {
			lack_set(&lack, limit, dry, when, req->tokens[i]);
			count(chain, i, REIN_STAT(OBSERVED), req, 1);
			count(chain, i, REIN_STAT(SHORT), req, 1);
		} else if (limit->over == REIN_OVER_OBSERVE) {
			limit_charge(chain, i, req);
		}
		if (req->holds)
			limit_hold(limit, req->tokens[i], !when,
				   &req->holds[i]);
	}
	if (req->holds)
		count_all(chain, req, REIN_STAT(HELD));
	else
		count_all(chain, req, req->waited ? REIN_STAT(RELEASED) :
						    REIN_STAT(PASSED));
	return lack;
}

/**
 * rein_admit_settle() - what was held is taken for good, or given back
 * @chain:	those limits that it is held of, locked
 * @holds:	what is held, by index of @chain
 * @req:	its tokens, and the time
 * @stat:	what it came to: REIN_STAT(PASSED) or REIN_STAT(RELEASED) if it
 *		is taken; anything else gives it back
 *
 * Tokens may only come back while nobody is on the plan of these limits: see
 * rein_line_stop().
 */
void rein_admit_settle(const struct rein_chain *chain,
		       const struct rein_hold *holds,
		       const struct rein_request *req, unsigned int stat)
{
	bool back = stat != REIN_STAT(PASSED) && stat != REIN_STAT(RELEASED);
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		limit_settle(chain->limits[i], &holds[i], req->now, back);
		count(chain, i, REIN_STAT(HELD), req, -1);
		count(chain, i, stat, req, 1);
	}
}

/**
 * rein_admit_welcome() - limits that came later see a take that waits
 * @chain:	the limits that bind it now
 * @tokens:	what it takes from each
 * @gen:	generation it was counted in last
 *
 * Context: RCU read side; takes the locks of the chain.
 */
void rein_admit_welcome(const struct rein_chain *chain, const u64 *tokens,
			u64 gen)
{
	struct rein_request req = { .tokens = tokens };
	unsigned int i;

	rein_chain_lock(chain);
	for (i = 0; i < chain->n; i++) {
		if (chain->limits[i]->born <= gen)
			continue;
		count(chain, i, REIN_STAT(SEEN), &req, 1);
		count(chain, i, REIN_STAT(QUEUED), &req, 1);
	}
	rein_chain_unlock(chain);
}

/**
 * rein_admit_total() - sum up what all requests came to
 * @total:	where to
 *
 * Each packet that met at least one limit is counted once. The sums are
 * exact while nothing moves; the counters of each limit always are.
 */
void rein_admit_total(struct rein_count total[REIN_STATS])
{
	struct rein_count by_slices = rein_slice_total();
	unsigned int i, start;
	int cpu;

	memset(total, 0, sizeof(*total) * REIN_STATS);
	total[REIN_STAT(SEEN)] = by_slices;
	total[REIN_STAT(PASSED)] = by_slices;
	for_each_possible_cpu(cpu) {
		const struct admit_total *from = per_cpu_ptr(totals, cpu);
		struct rein_count part[REIN_STATS];

		do {
			start = u64_stats_fetch_begin(&from->syncp);
			for (i = 0; i < REIN_STATS; i++) {
				part[i].packets =
					u64_stats_read(&from->packets[i]);
				part[i].bytes =
					u64_stats_read(&from->bytes[i]);
			}
		} while (u64_stats_fetch_retry(&from->syncp, start));

		for (i = 0; i < REIN_STATS; i++) {
			total[i].packets += part[i].packets;
			total[i].bytes += part[i].bytes;
		}
	}
}

/**
 * rein_admit_init() - make the counters
 *
 * Return: 0 or -ENOMEM.
 */
int rein_admit_init(void)
{
	totals = netdev_alloc_pcpu_stats(struct admit_total);
	return totals ? 0 : -ENOMEM;
}

/**
 * rein_admit_exit() - free the counters
 */
void rein_admit_exit(void)
{
	free_percpu(totals);
}
