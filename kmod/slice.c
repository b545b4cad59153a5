// SPDX-License-Identifier: GPL-2.0
/*
 * Slices: tokens that one CPU may take without asking the others. See slice.h.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

#include "slice.h"

/* All slices of all CPUs together are at most 1/2^SHARE_SHIFT of the burst. */
#define SHARE_SHIFT	2
/* A slice is worth its while if it is good for that many requests. */
#define REQUESTS_LEAST	4
/* And only of a limit that has been used as often: most never are. */
#define SEEN_LEAST	64

/**
 * struct slice_cpu - what all slices of a CPU share
 * @lock:	guards them
 * @packets:	packets that have passed by slices, each counted once
 */
struct slice_cpu {
	spinlock_t lock;
	struct rein_count packets;
} ____cacheline_aligned_in_smp;

static DEFINE_PER_CPU(struct slice_cpu, slice_cpus);

/* --- the fast path ----------------------------------------------------------- */

/* Differences, so that wrapping does no harm. */
static struct rein_count slice_left(const struct rein_slice *slice)
{
	return (struct rein_count){
		.packets = slice->upto.packets - slice->passed.packets,
		.bytes = slice->upto.bytes - slice->passed.bytes,
	};
}

/* A look without a lock: where one lends nothing there is no need for any. */
static bool all_lend(const struct rein_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		if (!READ_ONCE(chain->limits[i]->lends))
			return false;
	return true;
}

static bool slices_suffice(const struct rein_chain *chain, int cpu, u64 packets,
			   u64 bytes, const u64 *tokens)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		const struct rein_slice __percpu *slices;
		struct rein_count left;

		/* Pairs with slices_get(). */
		slices = READ_ONCE(chain->limits[i]->slices);
		if (!slices)
			return false;
		left = slice_left(per_cpu_ptr(slices, cpu));
		if (left.packets < packets ||
		    left.bytes < (tokens ? tokens[i] : bytes))
			return false;
	}
	return true;
}

/**
 * rein_slice_take() - let a request pass by this CPU's slices, if it can
 * @chain:	the limits that bind it, n >= 1
 * @cost:	what it costs, by unit
 * @tokens:	what it costs, by index of the chain; NULL: @cost says it
 *
 * Context: RCU read side; any but hard interrupts; never sleeps.
 *
 * Return: true if it has passed, and is charged to and counted by every limit.
 * False says nothing about it: rein_admit() has to decide.
 */
bool rein_slice_take(const struct rein_chain *chain, const u64 cost[REIN_UNITS],
		     const u64 *tokens)
{
	/* If this CPU is left before the lock is held, it is as good as any. */
	int cpu = raw_smp_processor_id();
	struct slice_cpu *own = per_cpu_ptr(&slice_cpus, cpu);
	u64 packets = cost[REIN_UNIT_PACKETS] ?: 1;
	u64 bytes = cost[REIN_UNIT_BYTES] + cost[REIN_UNIT_CALLS];
	unsigned int i;
	bool passes;

	if (!all_lend(chain))
		return false;
	spin_lock_bh(&own->lock);
	passes = slices_suffice(chain, cpu, packets, bytes, tokens);
	for (i = 0; passes && i < chain->n; i++) {
		struct rein_slice *slice;

		slice = per_cpu_ptr(chain->limits[i]->slices, cpu);
		slice->passed.packets += packets;
		slice->passed.bytes += tokens ? tokens[i] : bytes;
	}
	if (passes) {
		own->packets.packets += cost[REIN_UNIT_PACKETS];
		own->packets.bytes += cost[REIN_UNIT_BYTES];
	}
	spin_unlock_bh(&own->lock);
	return passes;
}

/* --- what a limit lends, and takes back ---------------------------------------- */

/* A call is counted as one, with its tokens for bytes. */
static u64 *part(struct rein_count *count, enum rein_unit unit)
{
	return unit == REIN_UNIT_PACKETS ? &count->packets : &count->bytes;
}

/* Let the limit know of what has passed by a slice. Adds it to @used. */
static void slice_tell(struct rein_limit *limit, struct rein_slice *slice,
		       struct rein_count *used)
{
	struct rein_count news = {
		.packets = slice->passed.packets - slice->told.packets,
		.bytes = slice->passed.bytes - slice->told.bytes,
	};
	static const u8 stats[] = { REIN_STAT(SEEN), REIN_STAT(PASSED) };
	unsigned int i;

	slice->told = slice->passed;
	used->packets += news.packets;
	used->bytes += news.bytes;
	for (i = 0; i < ARRAY_SIZE(stats); i++) {
		limit->stats[stats[i]].packets += news.packets;
		limit->stats[stats[i]].bytes += news.bytes;
	}
}

/*
 * What was used was lent until now, whatever the clock said to whoever is asking
 * before it got the lock: others may have used it since.
 */
static void limit_repay(struct rein_limit *limit, struct rein_count used,
			struct rein_count unused)
{
	u64 now = used.packets ? ktime_get_ns() : 0;
	unsigned int i;

	for (i = 0; i < limit->n_tiers; i++) {
		struct rein_bucket *bucket = &limit->tiers[i].bucket;
		enum rein_unit unit = limit->tiers[i].unit;
		u64 back = *part(&unused, unit);

		rein_bucket_refill(bucket, max(now, bucket->last));
		rein_bucket_repay(bucket, *part(&used, unit) + back, back);
	}
}

/* Hear from all CPUs what has passed there; with @end, take back the rest. */
static void limit_hear(struct rein_limit *limit, bool end)
{
	struct rein_count used = { }, unused = { };
	int i;

	for_each_possible_cpu(i) {
		struct slice_cpu *cpu = per_cpu_ptr(&slice_cpus, i);
		struct rein_slice *slice = per_cpu_ptr(limit->slices, i);

		spin_lock(&cpu->lock);
		slice_tell(limit, slice, &used);
		if (end) {
			unused.packets += slice_left(slice).packets;
			unused.bytes += slice_left(slice).bytes;
			slice->upto = slice->passed;
		}
		spin_unlock(&cpu->lock);
	}
	limit_repay(limit, used, unused);
}

/**
 * rein_slice_recall() - take back all that a limit has lent
 * @limit:	the limit, locked
 * @now:	CLOCK_MONOTONIC, ns
 *
 * Its buckets and counters are exact then, until somebody passes.
 */
void rein_slice_recall(struct rein_limit *limit, u64 now)
{
	unsigned int i;

	lockdep_assert_held(&limit->lock);
	if (!limit->lends)
		return;
	/* First: what was used was lent for all of that time. */
	for (i = 0; i < limit->n_tiers; i++) {
		struct rein_bucket *bucket = &limit->tiers[i].bucket;

		rein_bucket_refill(bucket, max(now, bucket->last));
	}
	limit_hear(limit, true);
	WRITE_ONCE(limit->lends, false);
}

/*
 * What a slice of each CPU may hold, or false if it is not worth its while,
 * or the limit is not half full.
 */
static bool limit_share(const struct rein_limit *limit,
			struct rein_count *share)
{
	unsigned int shift = SHARE_SHIFT + order_base_2(num_online_cpus());
	unsigned int i;

	*share = (struct rein_count){ U64_MAX, U64_MAX };
	for (i = 0; i < limit->n_tiers; i++) {
		const struct rein_tier *tier = &limit->tiers[i];
		const struct rein_bucket *bucket = &tier->bucket;
		u64 *most = part(share, tier->unit);

		if (bucket->rate.tokens == REIN_RATE_UNLIMITED)
			continue;
		if (bucket->tokens < bucket->burst / 2)
			return false;
		*most = min(*most, bucket->burst >> shift);
	}
	return true;
}

/* The slices of a limit, made for it if it is the first time; or NULL. */
static struct rein_slice __percpu *slices_get(struct rein_limit *limit)
{
	struct rein_slice __percpu *slices = limit->slices;

	if (slices)
		return slices;
	slices = alloc_percpu_gfp(struct rein_slice, GFP_NOWAIT | __GFP_NOWARN);
	if (slices)
		/* Zeroed first: pairs with slices_suffice(). */
		smp_store_release(&limit->slices, slices);
	return slices;
}

/* Was a bucket full before a request was charged to the limit? */
static bool limit_was_full(const struct rein_limit *limit,
			   struct rein_count *cost)
{
	unsigned int i;

	for (i = 0; i < limit->n_tiers; i++) {
		const struct rein_bucket *bucket = &limit->tiers[i].bucket;

		if (bucket->burst - bucket->lent - bucket->tokens <=
		    *part(cost, limit->tiers[i].unit))
			return true;
	}
	return false;
}

static void limit_lend(struct rein_limit *limit, struct rein_slice *slice,
		       struct rein_count share)
{
	struct rein_count left = slice_left(slice);
	struct rein_count more = {
		.packets = share.packets - min(share.packets, left.packets),
		.bytes = share.bytes - min(share.bytes, left.bytes),
	};
	unsigned int i;

	for (i = 0; i < limit->n_tiers; i++)
		rein_bucket_lend(&limit->tiers[i].bucket,
				 *part(&more, limit->tiers[i].unit));
	slice->upto.packets += more.packets;
	slice->upto.bytes += more.bytes;
	WRITE_ONCE(limit->lends, true);
}

/**
 * rein_slice_feed() - lend this CPU some of a limit's tokens
 * @limit:	the limit, locked; refilled, and charged for a request for
 *		which the slice did not suffice
 * @cost:	what that cost, as it is counted
 */
void rein_slice_feed(struct rein_limit *limit, struct rein_count cost)
{
	struct slice_cpu *cpu = this_cpu_ptr(&slice_cpus);
	struct rein_slice __percpu *slices;
	struct rein_count share, used = { };
	struct rein_slice *slice;

	lockdep_assert_held(&limit->lock);
	if (limit->stats[REIN_STAT(QUEUED)].packets ||
	    limit->stats[REIN_STAT(SEEN)].packets < SEEN_LEAST ||
	    !limit_share(limit, &share) ||
	    share.packets / REQUESTS_LEAST < cost.packets ||
	    share.bytes / REQUESTS_LEAST < cost.bytes)
		return;
	slices = slices_get(limit);
	if (!slices)
		return;

	/*
	 * What was passed elsewhere takes up its part of a full bucket until
	 * it is heard of. To hear it is to ask all CPUs: once a jiffy at most.
	 */
	if (limit->heard != (u32)jiffies && limit_was_full(limit, &cost)) {
		limit->heard = jiffies;
		limit_hear(limit, false);
	}
	slice = this_cpu_ptr(slices);
	spin_lock(&cpu->lock);
	slice_tell(limit, slice, &used);
	limit_repay(limit, used, (struct rein_count){ });
	limit_lend(limit, slice, share);
	spin_unlock(&cpu->lock);
}

/**
 * rein_slice_total() - what packets have passed by slices
 *
 * Return: how many in all, each counted once.
 */
struct rein_count rein_slice_total(void)
{
	struct rein_count total = { };
	int i;

	for_each_possible_cpu(i) {
		struct slice_cpu *cpu = per_cpu_ptr(&slice_cpus, i);

		spin_lock_bh(&cpu->lock);
		total.packets += cpu->packets.packets;
		total.bytes += cpu->packets.bytes;
		spin_unlock_bh(&cpu->lock);
	}
	return total;
}

/**
 * rein_slice_init() - get ready
 */
void rein_slice_init(void)
{
	int i;

	for_each_possible_cpu(i)
		spin_lock_init(&per_cpu_ptr(&slice_cpus, i)->lock);
}
