// SPDX-License-Identifier: GPL-2.0
/*
 * The module's decision, as kmod/ has it, on the host: see ../../unit/include/host.h
 * for what stands in for the kernel.
 */
#include <stdlib.h>

#include <host.h>

#include "admit.h"
#include "native.h"
#include "slice.h"

/* Of so few tokens nothing is lent. */
#define SMALL_BURST	15

u64 ktime_get_ns(void)
{
	return now_ns();
}

static void *zalloc(size_t size)
{
	/* As kmalloc() does it: no two in a cache line. */
	size = (size + 63) & ~63UL;
	return memset(aligned_alloc(64, size), 0, size);
}

static void *limit_make(enum rein_unit unit, u64 burst, bool refuses)
{
	static const struct rein_rate slow = { 1, 86400000000000ULL };
	static const struct rein_rate fast = { RATE, 1000000000 };
	struct rein_limit *limit = zalloc(sizeof(*limit) + 1);

	if (refuses)
		burst = 1;
	limit->tiers = zalloc(sizeof(*limit->tiers));
	spin_lock_init(&limit->lock);
	limit->over = REIN_OVER_REFUSE;
	limit->n_tiers = 1;
	limit->tiers[0].unit = unit;
	rein_bucket_init(&limit->tiers[0].bucket, refuses ? &slow : &fast, burst,
			 now_ns());
	return limit;
}

static struct rein_chain chain_of(void *const *limits, unsigned int n)
{
	struct rein_chain chain = { .n = n };
	unsigned int i;

	for (i = 0; i < n; i++)
		chain.limits[i] = limits[i];
	return chain;
}

static unsigned long take_all(const struct rein_chain *chain,
			      struct rein_request *req, unsigned long times)
{
	struct rein_verdict verdict;
	unsigned long admitted = 0, i;

	for (i = 0; i < times; i++) {
		req->now = now_ns();
		rein_admit(chain, req, &verdict);
		admitted += verdict.decision == REIN_GO;
	}
	return admitted;
}

/* --- takes, as take_at_once() does them --------------------------------------- */

static void *call_make(bool refuses)
{
	return limit_make(REIN_UNIT_CALLS, BURST, refuses);
}

static void *small_make(bool refuses)
{
	return limit_make(REIN_UNIT_CALLS, SMALL_BURST, refuses);
}

static unsigned long call_take(void *const *limits, unsigned int n,
			       unsigned long times)
{
	static const u64 tokens[CHAIN] = { 1, 1, 1, 1 };
	struct rein_chain chain = chain_of(limits, n);
	struct rein_request req = {
		.tokens = tokens,
		.mode = REIN_MODE_TRY,
	};

	return take_all(&chain, &req, times);
}

const struct subject rein_subject = {
	.key = "rein",
	.situations = (1 << SITUATIONS) - 1,
	.make = call_make,
	.take = call_take,
};

const struct subject rein_small_subject = {
	.key = "rein_small",
	.situations = (1 << SITUATIONS) - 1,
	.make = small_make,
	.take = call_take,
};

/* --- packets, as egress() does them ------------------------------------------ */

static void *packet_make(bool refuses)
{
	return limit_make(REIN_UNIT_PACKETS, BURST, refuses);
}

static unsigned long packet_take(void *const *limits, unsigned int n,
				 unsigned long times)
{
	struct rein_chain chain = chain_of(limits, n);
	struct rein_request req = {
		.cost = { [REIN_UNIT_BYTES] = 100, [REIN_UNIT_PACKETS] = 1 },
		.may_debt = true,
	};

	return take_all(&chain, &req, times);
}

const struct subject rein_packet_subject = {
	.key = "rein_packet",
	.situations = (1 << SITUATIONS) - 1,
	.make = packet_make,
	.take = packet_take,
};

static __attribute__((constructor)) void rein_start(void)
{
	if (rein_admit_init())
		abort();
	rein_slice_init();
}
