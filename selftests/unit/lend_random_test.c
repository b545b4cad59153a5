// SPDX-License-Identifier: GPL-2.0
/*
 * A bucket that lends its tokens to several holders, who use them when nobody
 * looks, beside one that is charged at once for everything: whatever is
 * granted by the first, the second has tokens for at that moment; and as long
 * as neither has been full, they hold the same when all has come back.
 */
#include <errno.h>

#include "bucket.h"

#define OPS_PER_CASE		100
#define DEFAULT_OPS		300000ULL
#define HOLDERS			3
#define SEC			1000000000ULL

enum op_kind {
	OP_STEP,		/* clock + a */
	OP_LEND,		/* to holder a up to b tokens */
	OP_USE,			/* holder a uses up to b */
	OP_TELL,		/* holder a says what it has used */
	OP_RECALL,		/* all give back what they have */
	OP_TAKE,		/* b from the bucket itself, if it has them */
};

static const char *const op_names[] = {
	"clock +", "lend to", "use of", "tell by", "recall", "take",
};

struct op {
	enum op_kind kind;
	u64 v[2];
};

struct test_case {
	struct rein_rate rate;
	u64 burst;
	int count;
	struct op ops[OPS_PER_CASE];
};

struct profile {
	bool extreme;
};

#include "random.h"

struct holder {
	u64 left;
	u64 used;		/* and not told yet */
};

struct world {
	u64 now;
	struct rein_bucket lender, exact;
	struct holder holders[HOLDERS];
	bool was_full;
};

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

static bool world_refill(struct world *w)
{
	u64 lent = 0;
	int i;

	rein_bucket_refill(&w->lender, w->now);
	rein_bucket_refill(&w->exact, w->now);
	w->was_full |= w->exact.tokens == w->exact.burst ||
		       w->lender.tokens + w->lender.lent == w->lender.burst;
	for (i = 0; i < HOLDERS; i++)
		lent += w->holders[i].left + w->holders[i].used;
	return lent == w->lender.lent ||
	       wrong("expected %llu lent, seen %llu", lent, w->lender.lent);
}

/* Whatever is granted, the exact bucket has to have. */
static bool exact_grants(struct world *w, u64 n)
{
	rein_bucket_refill(&w->exact, w->now);
	w->was_full |= w->exact.tokens == w->exact.burst;
	if (rein_bucket_wait(&w->exact, n, false))
		return wrong("expected at most %llu granted, seen %llu",
			     w->exact.tokens, n);
	rein_bucket_charge(&w->exact, n);
	return true;
}

static void tell(struct world *w, struct holder *holder)
{
	rein_bucket_repay(&w->lender, holder->used, 0);
	holder->used = 0;
}

static bool recall(struct world *w)
{
	const struct rein_bucket *lender = &w->lender, *exact = &w->exact;
	int i;

	for (i = 0; i < HOLDERS; i++) {
		struct holder *holder = &w->holders[i];

		rein_bucket_repay(&w->lender, holder->used + holder->left,
				  holder->left);
		*holder = (struct holder){ 0 };
	}
	if (lender->tokens > exact->tokens ||
	    (lender->tokens == exact->tokens && lender->rem > exact->rem))
		return wrong("expected at most %llu tokens, seen %llu",
			     exact->tokens, lender->tokens);
	if (!w->was_full &&
	    (lender->tokens != exact->tokens || lender->rem != exact->rem))
		return wrong("expected %llu tokens and %llu, seen %llu and %llu",
			     exact->tokens, exact->rem, lender->tokens,
			     lender->rem);
	/* From here on they are compared anew. */
	w->exact = w->lender;
	w->was_full = false;
	return true;
}

static bool run_op(struct world *w, const struct op *op)
{
	struct holder *holder = &w->holders[op->v[0] % HOLDERS];
	u64 n;

	switch (op->kind) {
	case OP_STEP:
		w->now += op->v[0];
		return true;
	case OP_USE:
		n = least(op->v[1], holder->left);
		holder->left -= n;
		holder->used += n;
		return exact_grants(w, n);
	default:
		break;
	}

	if (!world_refill(w))
		return false;
	switch (op->kind) {
	case OP_LEND:
		n = least(op->v[1], w->lender.tokens);
		rein_bucket_lend(&w->lender, n);
		holder->left += n;
		return true;
	case OP_TELL:
		tell(w, holder);
		return true;
	case OP_RECALL:
		return recall(w);
	default:
		if (rein_bucket_wait(&w->lender, op->v[1], false))
			return true;
		rein_bucket_charge(&w->lender, op->v[1]);
		return exact_grants(w, op->v[1]);
	}
}

static bool run_case(const struct test_case *c)
{
	struct world w = { 0 };
	int i;

	if (rein_rate_check(&c->rate, c->burst))
		return true;
	rein_bucket_init(&w.lender, &c->rate, c->burst, 0);
	w.exact = w.lender;
	for (i = 0; i < c->count; i++) {
		failure.op = i;
		if (!run_op(&w, &c->ops[i]))
			return false;
	}
	return world_refill(&w) && recall(&w);
}

static u64 magnitude(u64 most)
{
	return below(most >> below(64) ?: 1) + 1;
}

static void generate(struct test_case *c, const struct profile *p)
{
	u64 most = p->extreme ? U64_MAX - 1 : 10000;
	int i;

	c->burst = magnitude(most);
	c->rate.tokens = magnitude(p->extreme ? 1000 * SEC : 100);
	c->rate.period_ns = p->extreme ? magnitude(1000 * SEC) : SEC;
	c->count = OPS_PER_CASE;
	for (i = 0; i < c->count; i++) {
		struct op *op = &c->ops[i];

		op->kind = below(OP_TAKE + 1);
		op->v[0] = op->kind == OP_STEP ?
			   magnitude(p->extreme ? 1000000 * SEC : SEC) :
			   below(HOLDERS);
		op->v[1] = below(4) ? magnitude(c->burst / 4 ?: 1) :
				      magnitude(c->burst);
	}
}

static bool shrink_values(struct test_case *c)
{
	bool better = shrink_value(c, &c->burst);
	int i;

	better |= shrink_value(c, &c->rate.tokens);
	for (i = 0; i < c->count; i++) {
		better |= shrink_value(c, &c->ops[i].v[0]);
		better |= shrink_value(c, &c->ops[i].v[1]);
	}
	return better;
}

static void print_case(const struct test_case *c)
{
	int i;

	printf("# rate %llu per %llu ns burst %llu\n", c->rate.tokens,
	       c->rate.period_ns, c->burst);
	for (i = 0; i < c->count; i++)
		printf("# %s %llu %llu%s\n", op_names[c->ops[i].kind],
		       c->ops[i].v[0], c->ops[i].v[1],
		       i == failure.op ? "	<-- here" : "");
}

static void random_lending(void)
{
	run_profile(&(struct profile){ false });
}

static void random_extreme_lending(void)
{
	run_profile(&(struct profile){ .extreme = true });
}

static const struct unit_test tests[] = {
	UNIT_TEST(random_lending),
	UNIT_TEST(random_extreme_lending),
};

int main(int argc, char **argv)
{
	return random_main(tests, ARRAY_SIZE(tests), DEFAULT_OPS, argc, argv);
}
