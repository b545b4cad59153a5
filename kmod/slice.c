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
#include "trace.h"

/* All slices of all CPUs together are at most 1/2^SHARE_SHIFT of the burst. */
#define SHARE_SHIFT	2
/* A slice is worth its while if it is good for that many requests. */
#define REQUESTS_LEAST	4
/* And only of a limit that has been used as often: most never are. */
#define SEEN_LEAST	64
/*
 * For how long a slice may be used before the limit hears of it. What has passed is
 * taken as passed at the last moment: a full bucket earns nothing meanwhile.
 */
#define LIFE_NS		(10 * NSEC_PER_MSEC)

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

/* The slice of a limit, if that is enough; or NULL. */
static struct rein_slice *slice_for(const struct rein_limit *limit, int cpu,
				    struct rein_count cost, u64 now)
{
	struct rein_slice __percpu *slices;
	struct rein_slice *slice;
	struct rein_count left;

	/* Pairs with slices_get(). */
	slices = READ_ONCE(limit->slices);
	if (!slices)
		return NULL;
	slice = per_cpu_ptr(slices, cpu);
	left = slice_left(slice);
	if (left.packets < cost.packets || left.bytes < cost.bytes ||
	    now > slice->fed + LIFE_NS)
		return NULL;
	return slice;
}

/* With the lock of this CPU's slices: returns whether all of them were charged. */
static bool slices_charge(const struct rein_chain *chain, int cpu,
			  struct rein_count cost, const u64 *tokens, u64 now)
{
	struct rein_slice *slice;
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		cost.bytes = tokens ? tokens[i] : cost.bytes;
		if (!slice_for(chain->limits[i], cpu, cost, now))
			return false;
	}
	for (i = 0; i < chain->n; i++) {
		slice = per_cpu_ptr(chain->limits[i]->slices, cpu);
		slice->passed.packets += cost.packets;
		slice->passed.bytes += tokens ? tokens[i] : cost.bytes;
		slice->used = max(slice->used, now);
	}
	return true;
}

/**
 * rein_slice_take() - let a request pass by this CPU's slices, if it can
 * @chain:	the limits that bind it, n >= 1
 * @cost:	what it costs, by unit
 * @tokens:	what it costs, by index of the chain; NULL: @cost says it
 * @now:	CLOCK_MONOTONIC, ns
 *
 * Context: RCU read side; any but hard interrupts; never sleeps.
 *
 * Return: true if it has passed, and is charged to and counted by every limit.
 * False says nothing about it: rein_admit() has to decide.
 */
bool rein_slice_take(const struct rein_chain *chain, const u64 cost[REIN_UNITS],
		     const u64 *tokens, u64 now)
{
	/* If this CPU is left before the lock is held, it is as good as any. */
	int cpu = raw_smp_processor_id();
	struct slice_cpu *own = per_cpu_ptr(&slice_cpus, cpu);
	struct rein_count count = {
		.packets = cost[REIN_UNIT_PACKETS] ?: 1,
		.bytes = cost[REIN_UNIT_BYTES] + cost[REIN_UNIT_CALLS],
	};
	bool passes;

	if (!all_lend(chain))
		return false;
	spin_lock_bh(&own->lock);
	passes = slices_charge(chain, cpu, count, tokens, now);
	if (passes) {
		own->packets.packets += cost[REIN_UNIT_PACKETS];
		own->packets.bytes += cost[REIN_UNIT_BYTES];
	}
	spin_unlock_bh(&own->lock);
	if (passes)
		trace_admit(chain, cost, tokens, REIN_GO);
	return passes;
}

/* --- what a limit lends, and takes back ---------------------------------------- */

/* A call is counted as one, with its tokens for bytes. */
static u64 *part(struct rein_count *count, enum rein_unit unit)
{
	return unit == REIN_UNIT_PACKETS ? &count->packets : &count->bytes;
}

/**
 * struct news - what a limit hears of its slices
 * @used:	how much has passed
 * @at:		when the last of it did
 * @unused:	what is taken back
 */
struct news {
	struct rein_count used;
	u64 at;
	struct rein_count unused;
};

/* With the lock of the slice's CPU. With @end, it gives back what it has. */
static void slice_tell(struct rein_slice *slice, bool end, struct news *news)
{
	struct rein_count left = slice_left(slice);

	news->used.packets += slice->passed.packets - slice->told.packets;
	news->used.bytes += slice->passed.bytes - slice->told.bytes;
	news->at = max(news->at, slice->used);
	slice->told = slice->passed;
	if (!end)
		return;
	news->unused.packets += left.packets;
	news->unused.bytes += left.bytes;
	slice->upto = slice->passed;
}

/* What was used was lent up to when it was: see rein_bucket_repay(). */
static void limit_learn(struct rein_limit *limit, struct news *news)
{
	static const u8 stats[] = { REIN_STAT(SEEN), REIN_STAT(PASSED) };
	unsigned int i;

	for (i = 0; i < limit->n_tiers; i++) {
		struct rein_bucket *bucket = &limit->tiers[i].bucket;
		enum rein_unit unit = limit->tiers[i].unit;
		u64 back = *part(&news->unused, unit);

		rein_bucket_refill(bucket, max(news->at, bucket->last));
		rein_bucket_repay(bucket, *part(&news->used, unit) + back,
				  back);
	}
	for (i = 0; i < ARRAY_SIZE(stats); i++) {
		limit->stats[stats[i]].packets += news->used.packets;
		limit->stats[stats[i]].bytes += news->used.bytes;
	}
}

/* Hear from a CPU, or (-1) from all. */
static void limit_hear(struct rein_limit *limit, int only, bool end)
{
	struct news news = { };
	int i;

	for_each_possible_cpu(i) {
		struct slice_cpu *cpu = per_cpu_ptr(&slice_cpus, i);

		if (only >= 0 && i != only)
			continue;
		spin_lock(&cpu->lock);
		slice_tell(per_cpu_ptr(limit->slices, i), end, &news);
		spin_unlock(&cpu->lock);
	}
	limit_learn(limit, &news);
}

/**
 * rein_slice_hear() - let a limit know what has passed by its slices
 * @limit:	the limit, locked; its buckets not refilled yet
 *
 * What has passed elsewhere takes up its part of a full bucket until it is heard
 * of. To hear it is to ask all CPUs: that is done once a jiffy at most, and
 * between that only this CPU is asked.
 */
void rein_slice_hear(struct rein_limit *limit)
{
	int cpu = smp_processor_id();

	lockdep_assert_held(&limit->lock);
	if (!limit->lends)
		return;
	if (limit->heard != (u32)jiffies)
		cpu = -1;
	limit->heard = jiffies;
	limit_hear(limit, cpu, false);
}

/**
 * rein_slice_recall() - take back all that a limit has lent
 * @limit:	the limit, locked; its buckets not refilled yet
 *
 * Its buckets and counters are exact then, until somebody passes.
 */
void rein_slice_recall(struct rein_limit *limit)
{
	lockdep_assert_held(&limit->lock);
	if (!limit->lends)
		return;
	limit_hear(limit, -1, true);
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
 * @now:	CLOCK_MONOTONIC, ns
 */
void rein_slice_feed(struct rein_limit *limit, struct rein_count cost, u64 now)
{
	struct slice_cpu *cpu = this_cpu_ptr(&slice_cpus);
	struct rein_slice __percpu *slices;
	struct rein_slice *slice;
	struct rein_count share;

	lockdep_assert_held(&limit->lock);
	/* Of one socket there is little to share among CPUs, and much memory to have it. */
	if (limit->origin || limit->stats[REIN_STAT(QUEUED)].packets ||
	    limit->stats[REIN_STAT(SEEN)].packets < SEEN_LEAST ||
	    !limit_share(limit, &share) ||
	    share.packets / REQUESTS_LEAST < cost.packets ||
	    share.bytes / REQUESTS_LEAST < cost.bytes)
		return;
	slices = slices_get(limit);
	if (!slices)
		return;

	slice = this_cpu_ptr(slices);
	spin_lock(&cpu->lock);
	limit_lend(limit, slice, share);
	slice->fed = max(slice->fed, now);
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
