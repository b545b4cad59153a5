// SPDX-License-Identifier: GPL-2.0
/*
 * What is held of a bucket: random charges are held, kept and returned, between
 * others. Then a plain bucket is charged, at the same times, only what was kept or
 * charged for good: if all of that could have been had there, nothing was minted.
 * If all that is held comes back in order, the two end up the same to the last
 * fraction of a token.
 */
#include "bucket.h"

#define OPS_PER_CASE		60
#define DEFAULT_OPS		1000000ULL

enum op_kind {
	OP_STEP,		/* clock + a */
	OP_TAKE,		/* cost a, if there is as much */
	OP_HOLD,		/* the same; b: it will be kept */
	OP_SETTLE,		/* of those that are held the a-th */
	OP_SET,			/* rate a/b, burst c */
};

struct op {
	enum op_kind kind;
	u64 v[3];
};

struct profile {
	bool keeps;
	bool sets;
	bool unlimited;
	enum { ANY_ORDER, OLDEST_FIRST, YOUNGEST_FIRST } order;
};

struct test_case {
	struct profile profile;
	struct rein_rate rate;
	u64 burst;
	int count;
	struct op ops[OPS_PER_CASE];
};

#include "random.h"

/* What was charged in the end, and when. */
struct charge {
	bool set;
	u64 now, v[3];
};

struct hold {
	u64 from, cost;
	int charge;
	bool keep;
};

struct run {
	struct rein_bucket bucket;
	u64 now;
	struct charge charges[OPS_PER_CASE];
	int n_charges;
	struct hold holds[OPS_PER_CASE];
	int n_holds;
};

static void end_hold(struct run *r, int nth)
{
	struct hold *hold = &r->holds[nth];

	rein_bucket_refill(&r->bucket, r->now);
	if (hold->keep) {
		rein_bucket_keep(&r->bucket, hold->from, hold->cost);
	} else {
		rein_bucket_return(&r->bucket, hold->from, hold->cost);
		r->charges[hold->charge].v[0] = 0;
	}
	memmove(hold, hold + 1, (--r->n_holds - nth) * sizeof(*hold));
}

static void end_one(struct run *r, const struct profile *p, u64 which)
{
	if (!r->n_holds)
		return;
	if (p->order == ANY_ORDER)
		end_hold(r, which % r->n_holds);
	else
		end_hold(r, p->order == OLDEST_FIRST ? 0 : r->n_holds - 1);
}

static void charge(struct run *r, const struct profile *p, const struct op *op)
{
	struct hold *hold = &r->holds[r->n_holds];

	rein_bucket_refill(&r->bucket, r->now);
	if (rein_bucket_wait(&r->bucket, op->v[0], false))
		return;
	rein_bucket_charge(&r->bucket, op->v[0]);
	r->charges[r->n_charges] = (struct charge){ false, r->now, { op->v[0] } };
	if (op->kind == OP_HOLD) {
		hold->from = rein_bucket_hold(&r->bucket, op->v[0]);
		hold->cost = op->v[0];
		hold->charge = r->n_charges;
		hold->keep = p->keeps && op->v[1];
		r->n_holds++;
	}
	r->n_charges++;
}

static void set(struct run *r, const struct op *op)
{
	struct rein_rate rate = { op->v[0], op->v[1] };

	if (rein_rate_check(&rate, op->v[2]))
		return;
	rein_bucket_set(&r->bucket, &rate, op->v[2], r->now);
	r->charges[r->n_charges++] = (struct charge){
		true, r->now, { op->v[0], op->v[1], op->v[2] },
	};
}

static bool sound(const struct rein_bucket *b)
{
	if (b->tokens > b->burst || b->due > b->burst - b->tokens)
		return wrong("%llu due, %llu of %llu there", (unsigned long long)b->due,
			     (unsigned long long)b->tokens, (unsigned long long)b->burst);
	if (b->due > b->held - b->lost || b->lost > b->held)
		return wrong("%llu due of those held up to %llu, from %llu",
			     (unsigned long long)b->due, (unsigned long long)b->held,
			     (unsigned long long)b->lost);
	if (b->due_rem && (!b->due || b->due_rem >= b->rate.period_ns))
		return wrong("a fraction of %llu", (unsigned long long)b->due_rem);
	return true;
}

/* Could a plain bucket have given all that was kept? */
static bool compare(const struct run *r, const struct test_case *c)
{
	struct rein_bucket plain;
	int i;

	rein_bucket_init(&plain, &c->rate, c->burst, 0);
	for (i = 0; i < r->n_charges; i++) {
		const struct charge *charge = &r->charges[i];
		struct rein_rate rate = { charge->v[0], charge->v[1] };

		rein_bucket_refill(&plain, charge->now);
		if (charge->set) {
			rein_bucket_set(&plain, &rate, charge->v[2], charge->now);
			continue;
		}
		if (rein_bucket_wait(&plain, charge->v[0], false))
			return wrong("minted: charge %d of %llu at %llu ns, there were %llu", i,
				     (unsigned long long)charge->v[0],
				     (unsigned long long)charge->now,
				     (unsigned long long)plain.tokens);
		rein_bucket_charge(&plain, charge->v[0]);
	}
	rein_bucket_refill(&plain, r->now);
	if (c->profile.order == ANY_ORDER || c->profile.keeps || c->profile.unlimited)
		return true;
	if (plain.tokens != r->bucket.tokens || plain.rem != r->bucket.rem)
		return wrong("lost: %llu + %llu there, not %llu + %llu",
			     (unsigned long long)r->bucket.tokens,
			     (unsigned long long)r->bucket.rem,
			     (unsigned long long)plain.tokens, (unsigned long long)plain.rem);
	return true;
}

static bool run_case(const struct test_case *c)
{
	struct run r = { };

	rein_bucket_init(&r.bucket, &c->rate, c->burst, 0);
	for (failure.op = 0; failure.op < c->count; failure.op++) {
		const struct op *op = &c->ops[failure.op];

		if (op->kind == OP_STEP)
			r.now += op->v[0];
		else if (op->kind == OP_SETTLE)
			end_one(&r, &c->profile, op->v[0]);
		else if (op->kind == OP_SET)
			set(&r, op);
		else
			charge(&r, &c->profile, op);
		if (!sound(&r.bucket))
			return false;
	}
	while (r.n_holds)
		end_one(&r, &c->profile, 0);
	rein_bucket_refill(&r.bucket, r.now);
	if (r.bucket.due_rem && !r.bucket.due)
		return wrong("a fraction of nothing is due");
	return sound(&r.bucket) && compare(&r, c);
}

static void random_rate(struct rein_rate *rate, u64 *burst, const struct profile *p)
{
	rate->tokens = 1 + below(7);
	rate->period_ns = 1 + below(20);
	*burst = 1 + below(12);
	switch (below(12)) {
	case 0:
		rate->tokens = 0;
		break;
	case 1:
		rate->tokens = p->unlimited ? REIN_RATE_UNLIMITED : 1;
		break;
	}
}

static void generate(struct test_case *c, const struct profile *p)
{
	struct rein_rate rate;
	int i;

	c->profile = *p;
	random_rate(&c->rate, &c->burst, p);
	c->count = OPS_PER_CASE;
	for (i = 0; i < c->count; i++) {
		struct op *op = &c->ops[i];

		op->kind = below(p->sets ? OP_SET + 1 : OP_SET);
		op->v[0] = op->kind == OP_STEP ? below(below(4) ? 8 : 60) : 1 + below(6);
		op->v[1] = below(2);
		if (op->kind != OP_SET)
			continue;
		random_rate(&rate, &op->v[2], p);
		op->v[0] = rate.tokens;
		op->v[1] = rate.period_ns;
	}
}

static void print_case(const struct test_case *c)
{
	static const char *const names[] = { "step", "take", "hold", "settle", "set" };
	int i;

	printf("# rate %llu/%llu burst %llu\n", (unsigned long long)c->rate.tokens,
	       (unsigned long long)c->rate.period_ns, (unsigned long long)c->burst);
	for (i = 0; i < c->count; i++)
		printf("# %s %llu %llu %llu%s\n", names[c->ops[i].kind],
		       (unsigned long long)c->ops[i].v[0], (unsigned long long)c->ops[i].v[1],
		       (unsigned long long)c->ops[i].v[2], i == failure.op ? "	<-- here" : "");
}

static bool shrink_values(struct test_case *c)
{
	bool better = false;
	int i, j;

	for (i = 0; i < c->count; i++)
		for (j = 0; j < 3; j++)
			better |= c->ops[i].v[j] && shrink_value(c, &c->ops[i].v[j]);
	return better;
}

static void random_holds(void)
{
	static const struct profile p = { .keeps = true, .unlimited = true };

	run_profile(&p);
}

static void random_holds_and_changes(void)
{
	static const struct profile p = { .keeps = true, .sets = true, .unlimited = true };

	run_profile(&p);
}

static void all_come_back_in_order(void)
{
	static const struct profile p = { .order = OLDEST_FIRST, .sets = true };

	run_profile(&p);
}

static void all_come_back_in_opposite_order(void)
{
	static const struct profile p = { .order = YOUNGEST_FIRST, .sets = true };

	run_profile(&p);
}

/* Beyond what can be counted nothing comes back, and nothing is minted. */
static void holds_of_more_than_64_bits(void)
{
	const struct rein_rate rate = { 1, 1 };
	struct rein_bucket b;
	u64 first, second;

	rein_bucket_init(&b, &rate, U64_MAX - 2, 0);
	rein_bucket_charge(&b, U64_MAX - 2);
	first = rein_bucket_hold(&b, U64_MAX - 2);
	CHECK_EQ(first, 0);
	rein_bucket_refill(&b, 10);
	rein_bucket_charge(&b, 10);
	second = rein_bucket_hold(&b, 10);
	CHECK_EQ(second, U64_MAX);
	rein_bucket_return(&b, second, 10);
	CHECK_EQ(b.tokens, 0);
	rein_bucket_return(&b, first, U64_MAX - 2);
	CHECK_EQ(b.tokens, U64_MAX - 2 - 10);
	CHECK_EQ(b.held, 0);
}

static const struct unit_test tests[] = {
	UNIT_TEST(random_holds),
	UNIT_TEST(random_holds_and_changes),
	UNIT_TEST(all_come_back_in_order),
	UNIT_TEST(all_come_back_in_opposite_order),
	UNIT_TEST(holds_of_more_than_64_bits),
};

int main(int argc, char **argv)
{
	return random_main(tests, ARRAY_SIZE(tests), DEFAULT_OPS, argc, argv);
}
