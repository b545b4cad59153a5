// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a bucket, compared after each with a model which knows
 * one number only, the level in units of 1/period token, as an integer of 256
 * bits: nothing in it is rounded and nothing is divided.
 */
#include <errno.h>

#include "bucket.h"
#include "wide.h"

#define DAY			86400000000000ULL
#define SKEW			1000000000ULL
#define OPS_PER_CASE		100
#define DEFAULT_OPS		2000000ULL

enum op_kind {
	OP_SET,			/* rate a/b, burst c */
	OP_STEP,		/* clock + a */
	OP_BACK,		/* clock - a, it stays there */
	OP_LATE,		/* a single refill at clock - a */
	OP_REFILL,
	OP_TAKE,		/* cost a if admitted, b: may go into debt */
	OP_UNTIL,		/* the same, at the time it is admitted - c */
	OP_WAIT,		/* only ask, without a refill */
	OP_CHARGE,		/* cost a in any case */
};

struct op {
	enum op_kind kind;
	u64 v[3];
};

struct test_case {
	struct rein_rate rate;
	u64 burst, start;
	int count;
	struct op ops[OPS_PER_CASE];
};

struct profile {
	bool packets;		/* who may go into debt, charged anyway */
	bool extreme;		/* any value, else those of a day's work */
};

#include "random.h"

/* The model. */

struct model {
	struct rein_rate rate;
	u64 burst, last;
	u64 period;		/* 1 if closed or unlimited */
	struct wide level;	/* in 1/period token, negative in debt */

	/* Of all windows that begin with a grant, since the last set: */
	struct wide earned;	/* rate * time, in 1/period token */
	struct wide granted;	/* likewise */
	struct wide least;	/* least granted - earned before a grant */
};

static bool refills(const struct model *m)
{
	return m->rate.tokens && m->rate.tokens != REIN_RATE_UNLIMITED;
}

static struct wide full_level(const struct model *m)
{
	return wide_product(m->burst, m->period);
}

/* What is expected of rein_rate_check(), by products of at most 128 bits. */
static int model_check(const struct rein_rate *rate, u64 burst)
{
	__uint128_t per_day = (__uint128_t)rate->tokens * DAY;
	__uint128_t most = (__uint128_t)rate->period_ns * 1000;

	if (!burst)
		return -EINVAL;
	if (!rate->tokens || rate->tokens == REIN_RATE_UNLIMITED)
		return 0;
	if (!rate->period_ns)
		return -EINVAL;
	return per_day < rate->period_ns || rate->tokens > most ? -ERANGE : 0;
}

static void model_new_rate(struct model *m, const struct rein_rate *rate,
			   u64 burst)
{
	m->rate = *rate;
	m->burst = burst;
	m->period = refills(m) ? rate->period_ns : 1;
	m->earned = wide_of(0);
	m->granted = wide_of(0);
	m->least = wide_of(0);
}

static void model_refill(struct model *m, u64 now)
{
	struct wide more;

	if (now < m->last) {
		if (m->last - now > SKEW)
			m->last = now;
		return;
	}
	more = wide_product(refills(m) ? m->rate.tokens : 0, now - m->last);
	m->last = now;
	m->earned = wide_add(m->earned, more);
	m->level = wide_add(m->level, more);
	if (wide_less(full_level(m), m->level))
		m->level = full_level(m);
}

static bool model_admits(const struct model *m, struct wide level, u64 cost,
			 bool may_debt)
{
	if (!cost || m->rate.tokens == REIN_RATE_UNLIMITED)
		return true;
	if (!m->rate.tokens)
		return false;
	if (cost <= m->burst)
		return !wide_less(level, wide_product(cost, m->period));
	return may_debt && wide_equal(level, full_level(m));
}

static struct wide level_of(const struct rein_bucket *b, u64 period)
{
	return wide_add(wide_sub(wide_product(b->tokens, period),
				 wide_product(b->debt, period)),
			wide_of(b->rem));
}

/* Is the bucket in the one state that stands for the model's level? */
static bool compare(const struct model *m, const struct rein_bucket *b)
{
	struct wide off = wide_sub(level_of(b, m->period), m->level);
	bool in_debt;
	u64 level;

	if (b->rem >= m->period || b->tokens > b->burst ||
	    (b->debt && b->tokens))
		return wrong("expected a valid state, seen %llu of %llu debt %llu rem %llu/%llu",
			     b->tokens, b->burst, b->debt, b->rem, m->period);
	if (!wide_equal(off, wide_of(0)))
		return wrong("expected level %s by %llu/%llu, seen %llu debt %llu rem %llu",
			     off.limb[3] >> 63 ? "higher" : "lower",
			     off.limb[3] >> 63 ? -off.limb[0] : off.limb[0],
			     m->period, b->tokens, b->debt, b->rem);
	if (b->last != m->last)
		return wrong("expected last %llu, seen %llu", m->last, b->last);
	if (b->burst != m->burst || b->rate.tokens != m->rate.tokens ||
	    b->rate.period_ns != m->rate.period_ns)
		return wrong("expected another rate or burst");

	level = rein_bucket_level(b, &in_debt);
	if (in_debt != !!b->debt || level != (in_debt ? b->debt : b->tokens))
		return wrong("expected the level, seen %llu", level);
	return true;
}

static struct wide level_after(const struct model *m, u64 wait)
{
	struct wide level = wide_add(m->level, wide_product(m->rate.tokens,
							    wait));

	return wide_less(full_level(m), level) ? full_level(m) : level;
}

static bool check_wait(const struct model *m, const struct rein_bucket *b,
		       u64 cost, bool may_debt)
{
	u64 wait = rein_bucket_wait(b, cost, may_debt);
	struct rein_bucket later;

	if (wait == 0 || !refills(m)) {
		u64 want = model_admits(m, m->level, cost, may_debt) ?
			   0 : REIN_NEVER;

		if (wait != want)
			return wrong("expected wait %s, seen %llu",
				     want ? "> 0" : "0", wait);
		return true;
	}

	if (wait == REIN_NEVER) {
		u64 target = cost < b->burst ? cost : b->burst;

		if (model_admits(m, level_after(m, REIN_NEVER - 1), cost,
				 may_debt) && b->debt <= U64_MAX - target)
			return wrong("expected a wait, seen never");
		return true;
	}

	if (!model_admits(m, level_after(m, wait), cost, may_debt))
		return wrong("expected a longer wait, seen %llu", wait);
	if (model_admits(m, level_after(m, wait - 1), cost, may_debt))
		return wrong("expected a shorter wait, seen %llu", wait);

	/* The bucket itself has to agree. */
	if (wait > U64_MAX - b->last)
		return true;
	later = *b;
	rein_bucket_refill(&later, b->last + wait - 1);
	if (rein_bucket_wait(&later, cost, may_debt) != 1)
		return wrong("expected 1 ns left after %llu, seen %llu",
			     wait - 1, rein_bucket_wait(&later, cost, may_debt));
	later = *b;
	rein_bucket_refill(&later, b->last + wait);
	if (rein_bucket_wait(&later, cost, may_debt))
		return wrong("expected to be admitted after %llu, seen wait %llu",
			     wait, rein_bucket_wait(&later, cost, may_debt));
	return true;
}

static bool check_short(const struct model *m, const struct rein_bucket *b,
			u64 cost)
{
	__uint128_t lack = (__uint128_t)cost + b->debt;
	u64 want;

	lack = lack > b->tokens ? lack - b->tokens : 0;
	want = lack > U64_MAX ? U64_MAX : (u64)lack;
	if (!m->rate.tokens)
		want = U64_MAX;
	if (!cost || m->rate.tokens == REIN_RATE_UNLIMITED)
		want = 0;
	if (rein_bucket_short(b, cost) != want)
		return wrong("expected short of %llu, seen %llu", want,
			     rein_bucket_short(b, cost));
	return true;
}

static void charge(struct model *m, struct rein_bucket *b, u64 cost)
{
	struct wide lowest = wide_sub(wide_of(b->rem),
				      wide_product(U64_MAX, m->period));

	rein_bucket_charge(b, cost);
	if (m->rate.tokens == REIN_RATE_UNLIMITED)
		return;
	m->level = wide_sub(m->level, wide_product(cost, m->period));
	if (wide_less(m->level, lowest))
		m->level = lowest;
}

/* Never more than burst + rate * t, and the last one's excess over burst. */
static bool count_grant(struct model *m, u64 cost)
{
	struct wide sum = wide_sub(m->granted, m->earned);
	u64 bound = cost > m->burst ? cost : m->burst;

	if (!refills(m) || !cost)
		return true;
	if (wide_less(sum, m->least))
		m->least = sum;
	m->granted = wide_add(m->granted, wide_product(cost, m->period));
	sum = wide_sub(wide_sub(m->granted, m->earned), m->least);
	if (wide_less(wide_product(bound, m->period), sum))
		return wrong("expected at most burst + rate * t in any interval, seen more");
	return true;
}

static bool do_take(struct model *m, struct rein_bucket *b, u64 now, u64 cost,
		    bool may_debt)
{
	rein_bucket_refill(b, now);
	model_refill(m, now);
	if (!compare(m, b) || !check_wait(m, b, cost, may_debt) ||
	    !check_short(m, b, cost))
		return false;
	if (rein_bucket_wait(b, cost, may_debt))
		return true;
	charge(m, b, cost);
	return count_grant(m, cost);
}

static bool do_set(struct model *m, struct rein_bucket *b, u64 now,
		   const struct rein_rate *rate, u64 burst)
{
	struct wide old, new;
	u64 old_period;

	if (rein_rate_check(rate, burst) != model_check(rate, burst))
		return wrong("expected rate check %d, seen %d",
			     model_check(rate, burst),
			     rein_rate_check(rate, burst));
	if (model_check(rate, burst))
		return true;

	model_refill(m, now);
	rein_bucket_set(b, rate, burst, now);

	old = m->level;
	old_period = m->period;
	model_new_rate(m, rate, burst);
	if (!wide_less(old, wide_product(burst, old_period))) {
		m->level = full_level(m);
		return true;
	}
	/* The greatest number of 1/period token that isn't more. */
	new = level_of(b, m->period);
	old = wide_mul(old, m->period);
	if (wide_less(old, wide_mul(new, old_period)))
		return wrong("expected at most the old level, seen tokens %llu debt %llu rem %llu",
			     b->tokens, b->debt, b->rem);
	if (!wide_less(old, wide_mul(wide_add(new, wide_of(1)), old_period)))
		return wrong("expected all of the old level, seen tokens %llu debt %llu rem %llu",
			     b->tokens, b->debt, b->rem);
	m->level = new;
	return true;
}

static bool do_op(struct model *m, struct rein_bucket *b, u64 *clock,
		  const struct op *op)
{
	u64 a = op->v[0], wait;

	switch (op->kind) {
	case OP_SET:
		return do_set(m, b, *clock,
			      &(struct rein_rate){ a, op->v[1] }, op->v[2]);
	case OP_STEP:
		*clock += a < U64_MAX - *clock ? a : U64_MAX - *clock;
		return true;
	case OP_BACK:
		*clock -= a < *clock ? a : *clock;
		return true;
	case OP_LATE:
		a = a < *clock ? *clock - a : 0;
		rein_bucket_refill(b, a);
		model_refill(m, a);
		return true;
	case OP_REFILL:
		rein_bucket_refill(b, *clock);
		model_refill(m, *clock);
		return true;
	case OP_UNTIL:
		wait = rein_bucket_wait(b, a, op->v[1]);
		if (wait >= op->v[2] && wait - op->v[2] <= U64_MAX - b->last &&
		    wait != REIN_NEVER)
			*clock = b->last + wait - op->v[2];
		return do_take(m, b, *clock, a, op->v[1]);
	case OP_TAKE:
		return do_take(m, b, *clock, a, op->v[1]);
	case OP_WAIT:
		return check_wait(m, b, a, op->v[1]) && check_short(m, b, a);
	case OP_CHARGE:
		charge(m, b, a);
		return true;
	}
	return false;
}

static bool run_case(const struct test_case *c)
{
	struct rein_bucket b;
	struct model m;
	u64 clock;
	int i;

	if (model_check(&c->rate, c->burst))
		return true;

	clock = c->start;
	rein_bucket_init(&b, &c->rate, c->burst, clock);
	m.last = clock;
	model_new_rate(&m, &c->rate, c->burst);
	m.level = full_level(&m);
	if (!compare(&m, &b))
		return false;

	for (i = 0; i < c->count; i++) {
		failure.op = i;
		if (!do_op(&m, &b, &clock, &c->ops[i]) || !compare(&m, &b))
			return false;
	}
	return true;
}

/* Random cases. */

static u64 some_u64(void)
{
	u64 v = random_u64() >> below(64);

	switch (below(8)) {
	case 0:
		return below(4);
	case 1:
		return U64_MAX - below(4);
	case 2:
		return (1ULL << below(64)) + below(3) - 1;
	case 3:
		return SKEW + below(3) - 1;
	default:
		return v;
	}
}

static struct rein_rate some_rate(const struct profile *p)
{
	static const u64 periods[] = { 1000000000, 60000000000, 3600000000000,
				       DAY, 1000000, 1, 7, 1000003 };
	struct rein_rate rate;

	rate.period_ns = periods[below(p->extreme ? 8 : 4)];
	rate.tokens = 1 + below(p->packets ? 100000000 : 100);
	switch (below(p->extreme ? 8 : 24)) {
	case 0:
		rate.tokens = 0;
		break;
	case 1:
		rate.tokens = REIN_RATE_UNLIMITED;
		break;
	case 2:		/* the slowest there is, or just not */
		rate.tokens = 1 + below(213504);
		rate.period_ns = rate.tokens * DAY + below(2);
		break;
	case 3:		/* the fastest */
		rate.period_ns = 1 + (random_u64() >> (11 + below(53)));
		rate.tokens = 1000 * rate.period_ns + below(2);
		break;
	case 4:
	case 5:
		do {
			rate.tokens = some_u64();
			rate.period_ns = some_u64();
		} while (model_check(&rate, 1));
	}
	return rate;
}

static u64 some_burst(const struct profile *p)
{
	if (p->extreme && below(2))
		return some_u64() | 1;
	return 1 + below(p->packets ? 100000 : 20);
}

static u64 some_cost(const struct profile *p, u64 burst)
{
	switch (below(8)) {
	case 0:
		return burst;
	case 1:
		return burst + 1;
	case 2:
		return burst - 1;
	case 3:
		if (p->extreme)
			return some_u64();
		return below(p->packets ? 65536 : 4);
	case 4:
	case 5:
		return 1 + below(3);
	default:
		return 1 + below(burst);
	}
}

/* A time that matters at this rate: n tokens, give or take. */
static u64 some_time(const struct profile *p, const struct rein_rate *rate)
{
	u64 token = rate->tokens ? rate->period_ns / rate->tokens : 1000;

	switch (below(8)) {
	case 0:
		return below(4);
	case 1:
		if (p->extreme)
			return some_u64();
		return below(1 << 30);
	case 2:
		return random_u64() >> (20 + below(44));
	case 3:
		return below(rate->period_ns | 1);
	default:
		return token * below(20) + below(3);
	}
}

static void generate(struct test_case *c, const struct profile *p)
{
	struct rein_rate rate;
	u64 burst;
	int i;

	c->rate = some_rate(p);
	c->burst = some_burst(p);
	c->start = below(2) ? below(1000) : some_u64() >> below(8);
	c->count = 1 + below(OPS_PER_CASE);
	rate = c->rate;
	burst = c->burst;

	for (i = 0; i < c->count; i++) {
		struct op *op = &c->ops[i];
		u64 dice = below(100);

		*op = (struct op){ .kind = OP_REFILL };
		if (dice < 25) {
			op->kind = OP_STEP;
			op->v[0] = some_time(p, &rate);
		} else if (dice < 55) {
			op->kind = OP_TAKE;
		} else if (dice < 70) {
			op->kind = OP_UNTIL;
			op->v[2] = below(3);
		} else if (dice < 76) {
			op->kind = OP_WAIT;
		} else if (dice < 82) {
			op->kind = OP_REFILL;
		} else if (dice < 88) {
			op->kind = OP_LATE;
			op->v[0] = below(SKEW + SKEW / 4);
		} else if (dice < 91) {
			op->kind = OP_BACK;
			op->v[0] = below(2) ? some_u64() : below(2 * SKEW);
		} else if (dice < 95) {
			op->kind = OP_CHARGE;
			op->v[0] = some_cost(p, burst);
			if (!p->packets && !p->extreme)
				op->kind = OP_REFILL;
		} else {
			op->kind = OP_SET;
			if (below(4))
				rate = some_rate(p);
			if (below(2))
				burst = some_burst(p);
			op->v[0] = rate.tokens;
			op->v[1] = rate.period_ns;
			op->v[2] = burst;
		}
		if (op->kind == OP_TAKE || op->kind == OP_UNTIL ||
		    op->kind == OP_WAIT) {
			op->v[0] = some_cost(p, burst);
			op->v[1] = p->packets;
		}
	}
}

static bool shrink_values(struct test_case *c)
{
	bool better = shrink_value(c, &c->rate.tokens);
	int i, j;

	better |= shrink_value(c, &c->rate.period_ns);
	better |= shrink_value(c, &c->burst);
	better |= shrink_value(c, &c->start);
	for (i = 0; i < c->count; i++)
		for (j = 0; j < 3; j++)
			better |= shrink_value(c, &c->ops[i].v[j]);
	return better;
}

static void print_case(const struct test_case *c)
{
	int i;

	printf("# init rate %llu per %llu ns burst %llu, clock %llu\n",
	       c->rate.tokens, c->rate.period_ns, c->burst, c->start);
	for (i = 0; i < c->count; i++) {
		const struct op *op = &c->ops[i];
		const u64 *v = op->v;
		const char *debt = v[1] ? " or go into debt" : "";

		printf("# ");
		switch (op->kind) {
		case OP_SET:
			printf("set rate %llu per %llu ns burst %llu",
			       v[0], v[1], v[2]);
			break;
		case OP_STEP:
			printf("clock + %llu", v[0]);
			break;
		case OP_BACK:
			printf("clock - %llu", v[0]);
			break;
		case OP_LATE:
			printf("refill at clock - %llu", v[0]);
			break;
		case OP_REFILL:
			printf("refill");
			break;
		case OP_UNTIL:
			printf("clock = when %llu can be taken - %llu, take %llu%s",
			       v[0], v[2], v[0], debt);
			break;
		case OP_TAKE:
			printf("take %llu%s", v[0], debt);
			break;
		case OP_WAIT:
			printf("wait for %llu%s", v[0], debt);
			break;
		case OP_CHARGE:
			printf("charge %llu", v[0]);
			break;
		}
		printf("%s\n", i == failure.op ? "	<-- here" : "");
	}
}

static void random_calls(void)
{
	run_profile(&(struct profile){ false, false });
}

static void random_packets(void)
{
	run_profile(&(struct profile){ .packets = true });
}

static void random_extremes(void)
{
	run_profile(&(struct profile){ .extreme = true });
}

static void random_extreme_packets(void)
{
	run_profile(&(struct profile){ .packets = true, .extreme = true });
}

static const struct unit_test tests[] = {
	UNIT_TEST(random_calls),
	UNIT_TEST(random_packets),
	UNIT_TEST(random_extremes),
	UNIT_TEST(random_extreme_packets),
};

int main(int argc, char **argv)
{
	return random_main(tests, ARRAY_SIZE(tests), DEFAULT_OPS, argc, argv);
}
