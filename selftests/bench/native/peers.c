// SPDX-License-Identifier: GPL-2.0
/*
 * What rein is held against and is not a library: the clock; the bucket that anybody
 * would write first, which is one number behind a lock, and that of the C library lets who
 * had it last have it again; the same with the lock that stands in for the kernel's,
 * which doesn't; and the generic cell rate
 * algorithm (ITU-T I.371, virtual scheduling), whose state is one number that can be
 * changed without a lock.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <host.h>

#include "native.h"

#define DAY_NS		86400000000000ULL

/* --- the clock --------------------------------------------------------------- */

static unsigned long clock_read(void *const *limits, unsigned int n,
				unsigned long times)
{
	unsigned long i;

	(void)limits;
	(void)n;
	for (i = 0; i < times; i++) {
		uint64_t now = now_ns();

		__asm__ __volatile__("" : : "r"(now));
	}
	return times;
}

const struct subject clock_subject = {
	.key = "clock",
	.situations = 1 << ONE,
	.take = clock_read,
};

/* --- a bucket behind a lock -------------------------------------------------- */

/* The level is in 1/TOKEN of a token: what a rate of one a second earns in a ns. */
#define TOKEN		1000000000ULL

struct spin {
	union {
		pthread_spinlock_t unfair;
		spinlock_t fair;
	};
	uint64_t level;
	uint64_t full;
	uint64_t rate;
	uint64_t last;
} __attribute__((aligned(64)));

static void *spin_make(bool refuses)
{
	struct spin *b = aligned_alloc(64, sizeof(*b));

	memset(b, 0, sizeof(*b));
	b->full = refuses ? TOKEN : BURST * TOKEN;
	b->rate = refuses ? 0 : RATE;
	b->level = b->full;
	b->last = now_ns();
	return b;
}

static void *unfair_make(bool refuses)
{
	struct spin *b = spin_make(refuses);

	pthread_spin_init(&b->unfair, PTHREAD_PROCESS_PRIVATE);
	return b;
}

static bool spin_has(struct spin *b, uint64_t now)
{
	uint64_t dt = now > b->last ? now - b->last : 0;

	if (dt > 1000000000)
		dt = 1000000000;
	b->last += dt;
	b->level += dt * b->rate;
	if (b->level > b->full)
		b->level = b->full;
	return b->level >= TOKEN;
}

static inline void spin_get(struct spin *b, bool fair)
{
	if (fair)
		spin_lock(&b->fair);
	else
		pthread_spin_lock(&b->unfair);
}

static inline void spin_put(struct spin *b, bool fair)
{
	if (fair)
		spin_unlock(&b->fair);
	else
		pthread_spin_unlock(&b->unfair);
}

/* All or none, as rein does it: locked in one order, looked at, then charged. */
static inline bool spin_take_all(void *const *limits, unsigned int n, bool fair)
{
	uint64_t now = now_ns();
	bool has = true;
	unsigned int i;

	for (i = 0; i < n; i++)
		spin_get(limits[n - 1 - i], fair);
	for (i = 0; i < n; i++)
		has &= spin_has(limits[i], now);
	for (i = 0; i < n; i++) {
		struct spin *b = limits[i];

		if (has)
			b->level -= TOKEN;
		spin_put(b, fair);
	}
	return has;
}

static unsigned long unfair_take(void *const *limits, unsigned int n,
				 unsigned long times)
{
	unsigned long admitted = 0, i;

	for (i = 0; i < times; i++)
		admitted += spin_take_all(limits, n, false);
	return admitted;
}

const struct subject spin_subject = {
	.key = "spin",
	.situations = (1 << SITUATIONS) - 1,
	.make = unfair_make,
	.take = unfair_take,
};

static unsigned long fair_take(void *const *limits, unsigned int n,
			       unsigned long times)
{
	unsigned long admitted = 0, i;

	for (i = 0; i < times; i++)
		admitted += spin_take_all(limits, n, true);
	return admitted;
}

const struct subject fair_subject = {
	.key = "spin_fair",
	.situations = (1 << SITUATIONS) - 1,
	.make = spin_make,
	.take = fair_take,
};

/* --- GCRA -------------------------------------------------------------------- */

/**
 * struct gcra - its increment is in whole ns, which is all the rates it knows
 * @arrival:	theoretical arrival time of the next one
 * @increment:	ns that a token takes
 * @tolerance:	how far ahead of now @arrival may be: burst - 1 tokens
 */
struct gcra {
	_Atomic uint64_t arrival;
	uint64_t increment;
	uint64_t tolerance;
} __attribute__((aligned(64)));

static void *gcra_make(bool refuses)
{
	struct gcra *g = aligned_alloc(64, sizeof(*g));

	g->increment = refuses ? DAY_NS : 1000000000 / RATE;
	g->tolerance = refuses ? 0 : (BURST - 1) * g->increment;
	atomic_init(&g->arrival, 0);
	return g;
}

static bool gcra_has(struct gcra *g, uint64_t now)
{
	uint64_t arrival = atomic_load_explicit(&g->arrival, memory_order_relaxed);
	uint64_t next;

	do {
		if (arrival > now + g->tolerance)
			return false;
		next = (arrival > now ? arrival : now) + g->increment;
	} while (!atomic_compare_exchange_weak_explicit(&g->arrival, &arrival, next,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

/* One after the other; who was refused by one gives the others theirs back. */
static bool gcra_take_all(void *const *limits, unsigned int n)
{
	uint64_t now = now_ns();
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (gcra_has(limits[i], now))
			continue;
		while (i--) {
			struct gcra *g = limits[i];

			atomic_fetch_sub(&g->arrival, g->increment);
		}
		return false;
	}
	return true;
}

static unsigned long gcra_take(void *const *limits, unsigned int n,
			       unsigned long times)
{
	unsigned long admitted = 0, i;

	for (i = 0; i < times; i++)
		admitted += gcra_take_all(limits, n);
	return admitted;
}

const struct subject gcra_subject = {
	.key = "gcra",
	.situations = (1 << SITUATIONS) - 1,
	.make = gcra_make,
	.take = gcra_take,
};
