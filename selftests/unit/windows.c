// SPDX-License-Identifier: GPL-2.0
/*
 * What a bucket may and must have admitted, said of times that are only known to lie
 * between two readings of the clock: before a request and after it.
 *
 * A bucket that is never above its burst B and earns the integral R of its rate holds
 *
 *	level(t) = min over all a <= t of B(a) + R(t) - R(a) - (admitted in [a, t])
 *
 * and that is all there is to it: at no time is it negative, which is to say that no
 * window has more than its burst and what it earned; and whoever asked for no more than
 * that had to be admitted. Here all windows are looked at: a sweep over time keeps
 * R(a) - B(a) + (admitted since a) for each a in a tree that adds to and finds the
 * greatest of a prefix. Integers of 128 bits, in 1/PERIOD of a token: nothing is rounded.
 *
 * Of several values that a level may have had the one is taken that accuses nobody
 * wrongly: what is surely in a window counts against too much, what may have been against
 * too little. Without anybody else at the same time these are one, and exact.
 */
#include <stdlib.h>

#include "windows.h"

/* --- rates and bursts -------------------------------------------------------- */

/* The greatest or least burst that may have been in force at @t. */
static u64 burst_at(const struct account *acc, u64 t, bool most)
{
	u64 found = acc->change[0].burst;
	unsigned int i;

	for (i = 1; i < acc->n_changes && acc->change[i].t0 <= t; i++) {
		u64 v = acc->change[i].burst;

		if (acc->change[i].t1 < t || (most ? v > found : v < found))
			found = v;
	}
	return found;
}

static wide_int earned_in(u64 from, u64 to, u64 until, u64 rate)
{
	if (to > until)
		to = until;
	return to > from ? (wide_int)(to - from) * rate : 0;
}

/* Tokens earned up to @t, at most or at least. Changes came one after the other. */
static wide_int earned(const struct account *acc, u64 t, bool most)
{
	wide_int sum = 0;
	unsigned int i;

	for (i = 0; i < acc->n_changes; i++) {
		const struct change *c = &acc->change[i];
		bool last = i + 1 == acc->n_changes;

		sum += earned_in(c->t1, last ? t : c[1].t0, t, c->rate);
		if (!last)
			sum += earned_in(c[1].t0, c[1].t1, t,
					 (c[1].rate > c->rate) == most ? c[1].rate : c->rate);
	}
	return sum;
}

/* --- the tree ---------------------------------------------------------------- */

struct node {
	wide_int best;		/* of what is below, with all that was added below */
	wide_int more;		/* added to all below */
};

/**
 * struct sweep - windows by where they begin
 * @at:		the times a, sorted
 * @n:		how many
 * @tree:	the values of these
 */
struct sweep {
	u64 *at;
	unsigned int n;
	struct node *tree;
};

static void tree_build(struct sweep *s, const wide_int *values, unsigned int node,
		       unsigned int lo, unsigned int hi)
{
	unsigned int mid = lo + (hi - lo) / 2;
	struct node *n = &s->tree[node];

	n->more = 0;
	if (lo == hi) {
		n->best = values[lo];
		return;
	}
	tree_build(s, values, 2 * node, lo, mid);
	tree_build(s, values, 2 * node + 1, mid + 1, hi);
	n->best = s->tree[2 * node].best;
	if (s->tree[2 * node + 1].best > n->best)
		n->best = s->tree[2 * node + 1].best;
}

/* Add to the first @count. */
static void tree_add(struct sweep *s, unsigned int node, unsigned int lo,
		     unsigned int hi, unsigned int count, wide_int v)
{
	unsigned int mid = lo + (hi - lo) / 2;
	struct node *n = &s->tree[node];

	if (lo >= count)
		return;
	if (hi < count) {
		n->best += v;
		n->more += v;
		return;
	}
	tree_add(s, 2 * node, lo, mid, count, v);
	tree_add(s, 2 * node + 1, mid + 1, hi, count, v);
	n->best = s->tree[2 * node].best;
	if (s->tree[2 * node + 1].best > n->best)
		n->best = s->tree[2 * node + 1].best;
	n->best += n->more;
}

/* The greatest of the first @count > 0. */
static wide_int tree_most(const struct sweep *s, unsigned int node, unsigned int lo,
			  unsigned int hi, unsigned int count)
{
	unsigned int mid = lo + (hi - lo) / 2;
	const struct node *n = &s->tree[node];
	wide_int left, right;

	if (hi < count)
		return n->best;
	left = tree_most(s, 2 * node, lo, mid, count);
	if (count > mid + 1) {
		right = tree_most(s, 2 * node + 1, mid + 1, hi, count);
		if (right > left)
			left = right;
	}
	return left + n->more;
}

/* How many windows begin at @t or before. */
static unsigned int sweep_upto(const struct sweep *s, u64 t)
{
	unsigned int lo = 0, hi = s->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (s->at[mid] <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void sweep_charge(struct sweep *s, u64 t, u64 cost)
{
	tree_add(s, 1, 0, s->n - 1, sweep_upto(s, t), (wide_int)cost * PERIOD);
}

static wide_int sweep_most(const struct sweep *s, u64 t)
{
	return tree_most(s, 1, 0, s->n - 1, sweep_upto(s, t));
}

static int by_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static int by_t0(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return (x->t0 > y->t0) - (x->t0 < y->t0);
}

static int by_t1(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return (x->t1 > y->t1) - (x->t1 < y->t1);
}

static void sort_claims(struct claims *claims, int (*by)(const void *, const void *))
{
	qsort(claims->all, claims->n, sizeof(*claims->all), by);
}

static void sweep_begin(struct sweep *s, const struct account *acc, bool most)
{
	wide_int *values = malloc(s->n * sizeof(*values));
	unsigned int i;

	qsort(s->at, s->n, sizeof(*s->at), by_u64);
	for (i = 0; i < s->n; i++)
		values[i] = earned(acc, s->at[i], most) -
			    (wide_int)burst_at(acc, s->at[i], most) * PERIOD;
	s->tree = malloc(4 * s->n * sizeof(*s->tree));
	tree_build(s, values, 1, 0, s->n - 1);
	free(values);
}

static void sweep_end(struct sweep *s)
{
	free(s->at);
	free(s->tree);
}

/* --- too much ---------------------------------------------------------------- */

static u64 over_burst(const struct account *acc, const struct claim *c)
{
	u64 burst = burst_at(acc, c->t0, false);

	if (burst > burst_at(acc, c->t1, false))
		burst = burst_at(acc, c->t1, false);
	return c->cost > burst ? c->cost - burst : 0;
}

/*
 * What a window that ends with the nth claim may have above the burst: what the last one
 * in it, which may be another one at the same time, left as a debt.
 */
static u64 debt_at(const struct account *acc, unsigned int nth)
{
	const struct claim *c = &acc->passed.all[nth];
	u64 over, most = 0;
	unsigned int i = nth + 1;

	if (!acc->may_debt)
		return 0;
	while (i-- && acc->passed.all[i].t1 >= c->t0) {
		over = over_burst(acc, &acc->passed.all[i]);
		most = over > most ? over : most;
	}
	return most;
}

/* Returns the claim that was too much, or NULL. Windows begin with one and end with one. */
const struct claim *account_excess(struct account *acc)
{
	const struct claim *wrong = NULL;
	struct sweep s = { .n = acc->passed.n + 1 };
	unsigned int i;

	s.at = malloc(s.n * sizeof(*s.at));
	for (i = 0; i < acc->passed.n; i++)
		s.at[i] = acc->passed.all[i].t0;
	s.at[i] = acc->change[0].t1;
	sweep_begin(&s, acc, true);
	sort_claims(&acc->passed, by_t1);
	for (i = 0; i < acc->passed.n && !wrong; i++) {
		const struct claim *c = &acc->passed.all[i];

		sweep_charge(&s, c->t0, c->cost);
		if (sweep_most(&s, c->t0) - (wide_int)debt_at(acc, i) * PERIOD >
		    earned(acc, c->t1, true))
			wrong = c;
	}
	sweep_end(&s);
	return wrong;
}

/* --- too little -------------------------------------------------------------- */

/* Windows that matter begin when a claim ends, after a change, or beside the refusal. */
static void lower_begin(struct sweep *s, struct account *acc)
{
	unsigned int i, n = 0;

	s->n = acc->passed.n + acc->n_changes + 2 * acc->refused.n;
	s->at = malloc(s->n * sizeof(*s->at));
	for (i = 0; i < acc->passed.n; i++)
		s->at[n++] = acc->passed.all[i].t1;
	for (i = 0; i < acc->n_changes; i++)
		s->at[n++] = acc->change[i].t1;
	for (i = 0; i < acc->refused.n; i++) {
		s->at[n++] = acc->refused.all[i].t0;
		s->at[n++] = acc->refused.all[i].t1;
	}
	sweep_begin(s, acc, false);
	sort_claims(&acc->passed, by_t0);
	sort_claims(&acc->refused, by_t1);
}

/* May a bucket whose level was at least @level have lacked what is claimed? */
static bool may_lack(const struct account *acc, const struct claim *c, wide_int level)
{
	u64 need = c->cost, least = burst_at(acc, c->t0, false);
	u64 most = burst_at(acc, c->t1, true);

	/* Changes are rare: at most one is in between. */
	if (burst_at(acc, c->t1, false) < least)
		least = burst_at(acc, c->t1, false);
	if (burst_at(acc, c->t0, true) > most)
		most = burst_at(acc, c->t0, true);
	if (need > least && !acc->may_debt)
		return true;
	if (need > most)
		need = most;
	return level < ((wide_int)need + acc->slack) * PERIOD;
}

/* Explains refusals by what this bucket may have lacked. */
void account_explain(struct account *acc)
{
	struct sweep s = { };
	unsigned int i, k = 0;

	lower_begin(&s, acc);
	for (i = 0; i < acc->refused.n; i++) {
		struct claim *c = &acc->refused.all[i];

		while (k < acc->passed.n && acc->passed.all[k].t0 <= c->t1) {
			sweep_charge(&s, acc->passed.all[k].t1, acc->passed.all[k].cost);
			k++;
		}
		if (may_lack(acc, c, earned(acc, c->t0, false) - sweep_most(&s, c->t1)))
			*c->explained = true;
	}
	sweep_end(&s);
}

/* What it holds at last is @least to @most, in 1/PERIOD of a token. */
void account_level(struct account *acc, u64 t, wide_int *least, wide_int *most)
{
	struct sweep s = { };
	unsigned int i;

	lower_begin(&s, acc);
	for (i = 0; i < acc->passed.n; i++)
		sweep_charge(&s, acc->passed.all[i].t1, acc->passed.all[i].cost);
	*least = earned(acc, t, false) - sweep_most(&s, t);
	if (*least > (wide_int)burst_at(acc, t, false) * PERIOD)
		*least = (wide_int)burst_at(acc, t, false) * PERIOD;
	*least -= (wide_int)acc->slack * PERIOD;
	sweep_end(&s);

	s.n = acc->passed.n + 1;
	s.at = malloc(s.n * sizeof(*s.at));
	for (i = 0; i < acc->passed.n; i++)
		s.at[i] = acc->passed.all[i].t0;
	s.at[i] = acc->change[0].t1;
	sweep_begin(&s, acc, true);
	for (i = 0; i < acc->passed.n; i++)
		sweep_charge(&s, acc->passed.all[i].t0, acc->passed.all[i].cost);
	*most = earned(acc, t, true) - sweep_most(&s, t);
	if (*most > (wide_int)burst_at(acc, t, true) * PERIOD)
		*most = (wide_int)burst_at(acc, t, true) * PERIOD;
	sweep_end(&s);
}
