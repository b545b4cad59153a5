// SPDX-License-Identifier: GPL-2.0
/*
 * Several CPUs at once ask the module's decision for tokens of limits that they share,
 * while another one changes rates and bursts. All that they were told is written down,
 * with the time before and after, and then held against what the promise is about: in
 * no window of time did a bucket give more than its burst and what it earned, and nobody
 * was refused what every bucket must have had. See windows.h.
 *
 * The clock is a number that goes on whenever somebody reads it: nothing depends on how
 * fast the machine is. One CPU alone has no doubts about time, so that there all is exact.
 * REQUESTS in the environment is how many there are in all. What is found can't be repeated:
 * SEED gives the same requests, but not the same order of them.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <host.h>

#include "admit.h"
#include "chance.h"
#include "slice.h"
#include "unit.h"
#include "windows.h"

#define LEAVES			4
#define MIDDLES			2
#define LIMITS			(LEAVES + MIDDLES + 1)
#define TIERS			2
#define DEPTH			3
#define MAX_THREADS		4
#define PER_CASE		8000	/* requests */
#define DEFAULT_REQUESTS	128000ULL
#define START			(1000 * PERIOD)

struct profile {
	unsigned int threads;
	bool lends;		/* limits large enough for slices */
	bool changes;
	bool packets;		/* two tiers; who may go into debt */
};

/* A request: of the limits from a leaf, or one above it, up to the root. */
struct event {
	u64 t0, t1;
	u64 cost[DEPTH];	/* of packets: bytes, packets */
	u8 leaf, first;		/* the first limit of its chain, from the leaf */
	bool passed;
	bool by_slice;
	bool explained;
};

static const struct profile *profile;
static _Atomic u64 vclock;
static atomic_uint running;
static struct rein_limit limits[LIMITS];
static struct rein_tier tiers[LIMITS][TIERS];
static struct account accounts[LIMITS][TIERS];
static struct event events[MAX_THREADS][PER_CASE];
static unsigned int n_events;		/* of each thread */

/* --- the limits -------------------------------------------------------------- */

static unsigned int n_tiers(void)
{
	return profile->packets ? TIERS : 1;
}

/* Between 1 and 10^digits, all of their lengths alike. */
static u64 some_number(unsigned int digits)
{
	u64 most = 10;

	while (--digits && below(digits + 1))
		most *= 10;
	return 1 + below(most);
}

static u64 some_rate(void)
{
	return 1000000 * some_number(profile->lends ? 4 : 3);
}

/* Of less than 256 tokens nothing is lent to 16 CPUs. */
static u64 some_burst(void)
{
	return profile->lends ? 16 * some_number(3) : 1 + below(below(8) ? 20 : 255);
}

/*
 * A full bucket earns nothing for what has passed by slices since it last heard of them,
 * all of which are at most a quarter of its burst.
 */
static u64 slack_of(u64 burst)
{
	return profile->lends ? burst / 4 : 0;
}

static void begin_account(struct account *acc, struct rein_tier *tier)
{
	struct rein_rate rate = { some_rate(), PERIOD };
	u64 burst = some_burst();

	acc->change[0] = (struct change){ START, START, rate.tokens, burst };
	acc->n_changes = 1;
	acc->may_debt = profile->packets;
	acc->slack = slack_of(burst);
	acc->passed.n = 0;
	acc->refused.n = 0;
	rein_bucket_init(&tier->bucket, &rate, burst, START);
}

static void begin_limit(unsigned int l)
{
	struct rein_limit *limit = &limits[l];
	unsigned int i;

	memset(limit->stats, 0, sizeof(limit->stats));
	limit->lends = false;
	/* Time begins anew, also for what they remember. */
	for (i = 0; limit->slices && i < MAX_THREADS; i++)
		memset(per_cpu_ptr(limit->slices, i), 0, sizeof(struct rein_slice));
	spin_lock_init(&limit->lock);
	limit->over = REIN_OVER_REFUSE;
	limit->n_tiers = n_tiers();
	limit->tiers = tiers[l];
	tiers[l][0].unit = profile->packets ? REIN_UNIT_BYTES : REIN_UNIT_CALLS;
	tiers[l][1].unit = REIN_UNIT_PACKETS;
	for (i = 0; i < n_tiers(); i++)
		begin_account(&accounts[l][i], &tiers[l][i]);
}

/* The i-th above a leaf, 0: itself. */
static unsigned int above(unsigned int leaf, unsigned int i)
{
	if (i == 2)
		return LIMITS - 1;
	return i ? LEAVES + leaf * MIDDLES / LEAVES : leaf;
}

/* --- threads ----------------------------------------------------------------- */

u64 ktime_get_ns(void)
{
	return atomic_load(&vclock);
}

static u64 read_clock(void)
{
	u64 step = 1 + below(200);

	/* Now and then nobody comes for a while. */
	if (!below(300))
		step = below(1 << 20);
	else if (!below(5000))
		step = below(1 << 26);
	step += atomic_fetch_add(&vclock, step);
	__atomic_store_n(&host_jiffies, step / 4000000, __ATOMIC_RELAXED);
	return step;
}

static void choose(struct event *e, unsigned int thread)
{
	const struct account *acc;
	unsigned int i;

	e->leaf = below(4) ? thread % LEAVES : below(LEAVES);
	e->first = below(8) ? 0 : below(DEPTH);
	for (i = 0; i < DEPTH; i++) {
		acc = &accounts[above(e->leaf, i)][0];
		e->cost[i] = below(profile->lends ? 64 : 16) ?
			     1 + below(4) : 1 + below(acc->change[0].burst + 1);
	}
	if (profile->packets)
		e->cost[1] = 1 + below(3);
}

static bool ask(struct event *e)
{
	struct rein_chain chain = { .n = DEPTH - e->first };
	struct rein_request req = { .now = e->t0, .may_debt = profile->packets };
	struct rein_verdict verdict;
	unsigned int i;

	for (i = 0; i < chain.n; i++)
		chain.limits[i] = &limits[above(e->leaf, e->first + i)];
	if (profile->packets) {
		req.cost[REIN_UNIT_BYTES] = e->cost[0];
		req.cost[REIN_UNIT_PACKETS] = e->cost[1];
	} else {
		req.tokens = &e->cost[e->first];
		req.mode = REIN_MODE_TRY;
	}
	e->by_slice = rein_slice_take(&chain, req.cost, req.tokens, req.now);
	if (e->by_slice)
		return true;
	rein_admit(&chain, &req, &verdict);
	return verdict.decision == REIN_GO;
}

/* Others come with a later reading of the clock. */
static void stand_still(void)
{
	u64 until = atomic_load(&vclock) + below(1 << below(20));
	unsigned int yields = below(1000);

	/* But not all of them for good. */
	while (profile->threads > 1 && yields-- && atomic_load(&vclock) < until)
		sched_yield();
}

static void *take_many(void *arg)
{
	unsigned int thread = (uintptr_t)arg, i;

	host_cpu_set(thread);
	random_begin(base_seed + thread);
	for (i = 0; i < n_events; i++) {
		struct event *e = &events[thread][i];

		choose(e, thread);
		e->t0 = read_clock();
		if (!below(500))
			stand_still();
		e->passed = ask(e);
		e->t1 = atomic_load(&vclock);
		e->explained = false;
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* As limit_set() and limit_retier() do it. */
static void change_some(void)
{
	unsigned int l = below(LIMITS), i = below(n_tiers());
	struct account *acc = &accounts[l][i];
	struct change *c = &acc->change[acc->n_changes];
	struct rein_rate rate = { some_rate(), PERIOD };

	if (acc->n_changes == MAX_CHANGES)
		return;
	*c = (struct change){
		.t0 = atomic_load(&vclock),
		.rate = rate.tokens,
		.burst = some_burst(),
	};
	if (acc->slack < slack_of(c->burst))
		acc->slack = slack_of(c->burst);
	spin_lock_bh(&limits[l].lock);
	rein_slice_recall(&limits[l]);
	rein_bucket_set(&tiers[l][i].bucket, &rate, c->burst, atomic_load(&vclock));
	spin_unlock_bh(&limits[l].lock);
	c->t1 = atomic_load(&vclock);
	acc->n_changes++;
}

static void *change_many(void *arg)
{
	u64 next = START;

	(void)arg;
	host_cpu_set(profile->threads);
	random_begin(base_seed + MAX_THREADS);
	while (atomic_load(&running)) {
		if (atomic_load(&vclock) < next) {
			sched_yield();
			continue;
		}
		change_some();
		next = atomic_load(&vclock) + below(100000);
	}
	return NULL;
}

static void run_threads(void)
{
	pthread_t threads[MAX_THREADS], changes;
	unsigned int i;

	atomic_store(&vclock, START);
	atomic_store(&running, profile->threads);
	host_cpus = profile->lends ? profile->threads + 1 : HOST_CPUS;
	for (i = 0; i < profile->threads; i++)
		pthread_create(&threads[i], NULL, take_many, (void *)(uintptr_t)i);
	if (profile->changes)
		pthread_create(&changes, NULL, change_many, NULL);
	for (i = 0; i < profile->threads; i++)
		pthread_join(threads[i], NULL);
	if (profile->changes)
		pthread_join(changes, NULL);
}

/* --- what came of it --------------------------------------------------------- */

static void enter(struct claims *claims, struct event *e, u64 cost)
{
	if (!claims->all)
		claims->all = malloc(MAX_THREADS * PER_CASE * sizeof(*claims->all));
	claims->all[claims->n++] = (struct claim){ e->t0, e->t1, cost, &e->explained };
}

static void enter_all(void)
{
	unsigned int t, k, i, tier;

	for (t = 0; t < profile->threads; t++)
		for (k = 0; k < n_events; k++) {
			struct event *e = &events[t][k];

			for (i = e->first; i < DEPTH; i++)
				for (tier = 0; tier < n_tiers(); tier++) {
					struct account *acc = &accounts[above(e->leaf, i)][tier];

					enter(e->passed ? &acc->passed : &acc->refused, e,
					      e->cost[profile->packets ? tier : i]);
				}
		}
}

static bool check_level(unsigned int l, unsigned int i)
{
	struct rein_bucket *b = &tiers[l][i].bucket;
	u64 now = atomic_load(&vclock);
	wide_int level, least, most;

	spin_lock_bh(&limits[l].lock);
	rein_slice_recall(&limits[l]);
	rein_bucket_refill(b, now);
	spin_unlock_bh(&limits[l].lock);
	level = ((wide_int)b->tokens - b->debt) * PERIOD + b->rem;
	account_level(&accounts[l][i], now, &least, &most);
	if (level >= least && level <= most)
		return true;
	unit_fail("limit %u tier %u: expected a level of %lld to %lld ns of tokens, seen %lld",
		  l, i, (long long)least, (long long)most, (long long)level);
	return false;
}

static bool check_bucket(unsigned int l, unsigned int i)
{
	const struct claim *wrong = account_excess(&accounts[l][i]);

	if (wrong) {
		unit_fail("limit %u tier %u: expected burst + rate * t, %llu more at %llu-%llu",
			  l, i, wrong->cost, wrong->t0 - START, wrong->t1 - START);
		return false;
	}
	account_explain(&accounts[l][i]);
	return check_level(l, i);
}

static bool check_refusals(unsigned int t)
{
	unsigned int k;

	for (k = 0; k < n_events; k++) {
		const struct event *e = &events[t][k];

		if (e->passed || e->explained)
			continue;
		unit_fail("leaf %u, first %u: expected %llu, %llu, %llu at %llu-%llu, refused",
			  e->leaf, e->first, e->cost[0], e->cost[1], e->cost[2],
			  e->t0 - START, e->t1 - START);
		return false;
	}
	return true;
}

static bool check_all(void)
{
	unsigned int l, i, t;

	enter_all();
	for (l = 0; l < LIMITS; l++)
		for (i = 0; i < n_tiers(); i++)
			if (!check_bucket(l, i))
				return false;
	for (t = 0; t < profile->threads; t++)
		if (!check_refusals(t))
			return false;
	return true;
}

static void run_profile(const struct profile *p)
{
	static char again[64];
	u64 done = 0, passed = 0, slices = 0, first = base_seed;
	unsigned int l, t, k;

	profile = p;
	n_events = PER_CASE / p->threads;
	for (; done < ops_wanted; base_seed += MAX_THREADS + 1) {
		random_begin(base_seed);
		for (l = 0; l < LIMITS; l++)
			begin_limit(l);
		run_threads();
		if (!check_all()) {
			snprintf(again, sizeof(again), " SEED=0x%llx", base_seed);
			unit_rerun = again;
			return;
		}
		for (t = 0; t < p->threads; t++)
			for (k = 0; k < n_events; k++) {
				passed += events[t][k].passed;
				slices += events[t][k].by_slice;
			}
		done += p->threads * n_events;
	}
	printf("# %llu requests, %llu admitted, %llu of these by slices, SEED=0x%llx\n", done,
	       passed, slices, first);
	base_seed = first;
}

/* --- what was found ---------------------------------------------------------- */

/* As CPU @cpu, that read the clock at @now: take @tokens of the root. */
static bool take_at(unsigned int cpu, u64 now, u64 tokens)
{
	struct event e = { .t0 = now, .first = DEPTH - 1 };

	host_cpu_set(cpu);
	e.cost[e.first] = tokens;
	return ask(&e);
}

/*
 * A limit of 1000 tokens, one each ns, that has lent some to CPU 1. Returns the time;
 * 0: it lends nothing.
 */
static u64 begin_lender(void)
{
	struct rein_rate rate = { PERIOD, PERIOD };
	u64 now = START, i;

	profile = &(struct profile){ .threads = 2, .lends = true };
	host_cpus = 2;
	random_begin(0);
	begin_limit(LIMITS - 1);
	rein_bucket_init(&tiers[LIMITS - 1][0].bucket, &rate, 1000, START);
	for (i = 0; i < 70; i++, now += 1000) {
		atomic_store(&vclock, now);
		if (!take_at(1, now, 1))
			return 0;
	}
	return limits[LIMITS - 1].lends ? now : 0;
}

/*
 * CPU 0 reads the clock and stands still; CPU 1 uses what it was lent; then CPU 0 has all
 * taken back. What was used must not count as used when CPU 0 read the clock.
 */
static void late_reading(void)
{
	u64 now = begin_lender();

	CHECK_EQ(now != 0, true);
	atomic_store(&vclock, now + 5000);
	CHECK_EQ(take_at(1, now + 5000, 100), true);
	CHECK_EQ(take_at(0, now, 1000), false);
	CHECK_EQ(take_at(0, now + 5000, 1000), false);
	atomic_store(&vclock, now + 5200);
	CHECK_EQ(take_at(0, now + 5200, 1000), true);
}

/* What has passed by slices is made up for while nobody asks. */
static void whole_after_a_rest(void)
{
	u64 now = begin_lender();

	CHECK_EQ(now != 0, true);
	CHECK_EQ(take_at(1, now, 100), true);
	host_jiffies++;
	CHECK_EQ(take_at(0, now + 1000, 1000), true);
}

/* --- tests ------------------------------------------------------------------- */

static void alone(void)
{
	run_profile(&(struct profile){ .threads = 1 });
}

static void alone_packets(void)
{
	run_profile(&(struct profile){ .threads = 1, .packets = true });
}

static void together(void)
{
	run_profile(&(struct profile){ .threads = 2, .changes = true });
}

static void together_packets(void)
{
	run_profile(&(struct profile){ .threads = 4, .changes = true, .packets = true });
}

static void alone_lends(void)
{
	run_profile(&(struct profile){ .threads = 1, .lends = true });
}

static void together_lends(void)
{
	run_profile(&(struct profile){ .threads = 2, .lends = true });
}

static void changes_lends(void)
{
	run_profile(&(struct profile){ .threads = 2, .changes = true, .lends = true });
}

static void packets_lends(void)
{
	static const struct profile p = {
		.threads = 4, .changes = true, .packets = true, .lends = true,
	};

	run_profile(&p);
}

static const struct unit_test tests[] = {
	UNIT_TEST(late_reading),
	UNIT_TEST(whole_after_a_rest),
	UNIT_TEST(alone),
	UNIT_TEST(alone_packets),
	UNIT_TEST(together),
	UNIT_TEST(together_packets),
	UNIT_TEST(alone_lends),
	UNIT_TEST(together_lends),
	UNIT_TEST(changes_lends),
	UNIT_TEST(packets_lends),
};

int main(int argc, char **argv)
{
	chance_from_env("REQUESTS", DEFAULT_REQUESTS, ARRAY_SIZE(tests) - 2);
	if (rein_admit_init())
		return 1;
	rein_slice_init();
	return unit_main(tests, ARRAY_SIZE(tests), argc, argv);
}
