// SPDX-License-Identifier: GPL-2.0
/*
 * Random arrivals, grants, withdrawals and changes of rates, planned and then
 * compared with an oracle which knows what the plan promises, but not how it
 * is found: it tries one nanosecond after the other, and for each works out
 * from the beginning what all the buckets would be, until nobody is short.
 * Its buckets are one number each, the level in units of 1/period token; they
 * are small ones, so nothing overflows.
 */
#include "plan.h"

#define MAX_LIMITS		4
#define MAX_TIERS		3
#define MAX_WAITING		16
#define MAX_WAIT		100000	/* ns; more can't be come by */
#define OPS_PER_CASE		100
#define DEFAULT_OPS		800000ULL
#define VALUES			6

enum op_kind {
	OP_ARRIVE,		/* limits by the bits of a, costs b, c, d, e */
	OP_STEP,		/* clock + a, what is due is granted */
	OP_LATE,		/* clock + a, nothing is granted yet */
	OP_AHEAD,		/* a CPU with clock + a grants, refills b.c */
	OP_WITHDRAW,		/* of those who wait a; all behind planned anew */
	OP_GIVE_UP,		/* likewise, but one after the other */
	OP_SET,			/* bucket b.a: c per d, burst e; all anew */
	OP_DEBT,		/* bucket b.a: c is charged; all anew */
};

struct op {
	enum op_kind kind;
	u64 v[VALUES];
};

struct bucket_values {
	u64 rate, period, burst;
};

struct test_case {
	u64 start;
	u64 n_limits;
	u64 n_tiers[MAX_LIMITS];
	struct bucket_values bucket[MAX_LIMITS][MAX_TIERS];
	int count;
	struct op ops[OPS_PER_CASE];
};

struct profile {
	u64 limits, tiers;	/* at most */
	u64 cost;		/* usually at most */
	bool changes;		/* rates change, and there are debts */
	bool give_up;		/* who gives up lets the others move up */
};

#include "random.h"

/* The oracle. Its times are counted from the start of the case. */

#define NEVER			(-1L)

enum rate_kind { OPEN, CLOSED, UNLIMITED };

struct pool {
	enum rate_kind kind;
	long rate, period, burst;	/* period 1 if there is none */
	long level;			/* in 1/period token, at this time: */
	long at;

	/* Since the last change, in 1/period token: */
	long since, granted, least;
};

struct waiter {
	struct rein_place place;
	long when;
	long cost[MAX_LIMITS];		/* 0: not wanted */
};

static struct {
	long now;
	bool hints;			/* older ones' times bound younger's */
	u64 tickets;
	int n_limits;
	int n_tiers[MAX_LIMITS];
	struct pool pool[MAX_LIMITS][MAX_TIERS];

	int n_waiting;
	struct waiter *waiting[MAX_WAITING];	/* by ticket */
	int n_planned;
	struct waiter *planned[MAX_WAITING];	/* by time, then ticket */
	struct waiter room[MAX_WAITING];

	u64 start;
	struct rein_ledger ledger[MAX_LIMITS];
	struct rein_tier tier[MAX_LIMITS][MAX_TIERS];
	struct rein_course course[MAX_LIMITS][MAX_TIERS];
} w;

static void pool_refill(struct pool *p, long t)
{
	if (t <= p->at)
		return;
	if (p->kind == OPEN)
		p->level += p->rate * (t - p->at);
	if (p->kind == OPEN && p->level > p->burst * p->period)
		p->level = p->burst * p->period;
	p->at = t;
}

/* Nobody may have more than there is. */
static bool pool_take(struct pool *p, long t, long cost)
{
	pool_refill(p, t);
	if (p->kind != OPEN)
		return p->kind == UNLIMITED;
	p->level -= cost * p->period;
	return p->level >= 0;
}

static long floor_div(long a, long b)
{
	return a < 0 ? -((b - 1 - a) / b) : a / b;
}

static void pool_set(struct pool *p, const struct rein_rate *rate, long burst,
		     long now)
{
	long old = p->period;

	pool_refill(p, now);
	p->kind = !rate->tokens ? CLOSED :
		  rate->tokens == REIN_RATE_UNLIMITED ? UNLIMITED : OPEN;
	p->rate = rate->tokens;
	p->period = p->kind == OPEN ? (long)rate->period_ns : 1;
	p->burst = burst;
	p->level = old ? floor_div(p->level * p->period, old) :
			 burst * p->period;
	if (p->level > burst * p->period)
		p->level = burst * p->period;
	p->since = now;
	p->granted = 0;
	p->least = 0;
}

/* Would nobody be short of this bucket if so much more was taken at t? */
static bool suits_all(int l, int i, long t, long cost)
{
	struct pool p = w.pool[l][i];
	int k;

	for (k = 0; k < w.n_planned; k++) {
		const struct waiter *other = w.planned[k];

		if (!other->cost[l])
			continue;
		if (cost && t < other->when) {
			if (!pool_take(&p, t, cost))
				return false;
			cost = 0;
		}
		if (!pool_take(&p, other->when, other->cost[l]))
			return false;
	}
	return !cost || pool_take(&p, t, cost);
}

static bool suits(const struct waiter *who, long t)
{
	int l, i;

	for (l = 0; l < w.n_limits; l++)
		for (i = 0; who->cost[l] && i < w.n_tiers[l]; i++)
			if (!suits_all(l, i, t, who->cost[l]))
				return false;
	return true;
}

static long oracle(const struct waiter *who, long from)
{
	long t = from > w.now ? from : w.now;
	int l, i, k;

	for (l = 0; l < w.n_limits; l++)
		for (i = 0; who->cost[l] && i < w.n_tiers[l]; i++) {
			const struct pool *p = &w.pool[l][i];

			if (p->kind == CLOSED ||
			    (p->kind == OPEN && who->cost[l] > p->burst))
				return NEVER;
			if (t < p->at)
				t = p->at;
		}
	for (k = 0; k < MAX_WAIT; k++, t++)
		if (suits(who, t))
			return t;
	return NEVER;
}

/* Operations. */

static u64 abs_time(long t)
{
	return t == NEVER ? REIN_NEVER : w.start + t;
}

static bool compare_bucket(const struct pool *p, const struct rein_bucket *b,
			   const char *what, int l, int i)
{
	long level = ((long)b->tokens - (long)b->debt) * p->period + b->rem;

	if (level != p->level || b->last != abs_time(p->at))
		return wrong("bucket %d.%d, %s: expected %ld/%ld at %ld, seen %ld at %lld",
			     l, i, what, p->level, p->period, p->at, level,
			     (long long)(b->last - w.start));
	return true;
}

/* Is everything as it should be? */
static bool check_bucket(int l, int i)
{
	const struct rein_tier *tier = &w.tier[l][i];
	const struct rein_course *course = &w.course[l][i];
	struct pool p = w.pool[l][i];
	bool found = false;
	int k;

	if (!compare_bucket(&p, &tier->bucket, "tokens", l, i))
		return false;
	if (!suits_all(l, i, 0, 0))
		return wrong("bucket %d.%d: expected enough for all planned, seen less",
			     l, i);
	for (k = 0; course->upto && !found && k < w.n_planned; k++) {
		if (!w.planned[k]->cost[l])
			continue;
		pool_take(&p, w.planned[k]->when, w.planned[k]->cost[l]);
		found = course->upto->place == &w.planned[k]->place;
	}
	if (!course->upto)
		return true;
	if (!found)
		return wrong("bucket %d.%d: expected upto an entry, seen another one",
			     l, i);
	return compare_bucket(&p, &course->tail, "tail", l, i);
}

static bool check_ledger(int l)
{
	const struct rein_entry *e;
	int k = 0;

	list_for_each_entry(e, &w.ledger[l].entries, node) {
		while (k < w.n_planned && !w.planned[k]->cost[l])
			k++;
		if (k == w.n_planned || e->place != &w.planned[k]->place ||
		    e->cost != (u64)w.planned[k]->cost[l])
			return wrong("limit %d: expected order by time and ticket, seen #%llu",
				     l, e->place->ticket);
		k++;
	}
	while (k < w.n_planned && !w.planned[k]->cost[l])
		k++;
	if (k < w.n_planned)
		return wrong("limit %d: expected more entries", l);
	return true;
}

static bool check(void)
{
	int l, i;

	for (i = 0; i < w.n_waiting; i++)
		if (w.waiting[i]->place.when != abs_time(w.waiting[i]->when))
			return wrong("#%llu: expected to stay at %ld, seen %lld",
				     w.waiting[i]->place.ticket,
				     w.waiting[i]->when,
				     (long long)(w.waiting[i]->place.when -
						 w.start));
	for (l = 0; l < w.n_limits; l++) {
		if (!check_ledger(l))
			return false;
		for (i = 0; i < w.n_tiers[l]; i++)
			if (!check_bucket(l, i))
				return false;
	}
	return true;
}

static void remove_from(struct waiter **list, int *n, const struct waiter *who)
{
	int k;

	for (k = 0; k < *n && list[k] != who; k++)
		;
	if (k == *n)
		return;
	--*n;
	memmove(&list[k], &list[k + 1], (*n - k) * sizeof(*list));
}

static void take_off(struct waiter *who)
{
	rein_plan_del(&who->place);
	remove_from(w.planned, &w.n_planned, who);
	who->when = NEVER;
}

static void put_on(struct waiter *who, long when)
{
	int k = w.n_planned;

	rein_plan_add(&who->place, abs_time(when));
	who->when = when;
	if (when == NEVER)
		return;
	while (k && (w.planned[k - 1]->when > when ||
		     (w.planned[k - 1]->when == when &&
		      w.planned[k - 1]->place.ticket > who->place.ticket))) {
		w.planned[k] = w.planned[k - 1];
		k--;
	}
	w.planned[k] = who;
	w.n_planned++;
}

static bool expect(struct waiter *who, long from, long want)
{
	u64 seen = rein_plan_find(&who->place, abs_time(w.now),
				  from ? abs_time(from) : 0, NULL);

	if (seen == abs_time(want))
		return true;
	return wrong("#%llu from %ld on: expected %ld, seen %lld",
		     who->place.ticket, from, want,
		     seen == REIN_NEVER ? -1 : (long long)(seen - w.start));
}

/* Does it want as much or more of the same limits or more? */
static bool wants_more(const struct waiter *who, const struct waiter *than)
{
	int l;

	for (l = 0; l < w.n_limits; l++)
		if (who->cost[l] < than->cost[l])
			return false;
	return true;
}

static bool plan(struct waiter *who, long from)
{
	long want = oracle(who, 0), hint = 0;
	int k;

	for (k = 0; w.hints && w.waiting[k] != who; k++) {
		const struct waiter *older = w.waiting[k];

		if (!wants_more(who, older))
			continue;
		if (older->when == NEVER && want != NEVER)
			return wrong("#%llu: expected never, like #%llu, seen %ld",
				     who->place.ticket, older->place.ticket,
				     want);
		if (older->when > hint)
			hint = older->when;
	}

	/* In each order: a search depends on where the last one was. */
	if (who->place.ticket & 1 && !expect(who, hint, want))
		return false;
	if (from && !expect(who, from, oracle(who, from)))
		return false;
	if (!expect(who, 0, want))
		return false;
	if (who->place.ticket & 2 && !expect(who, hint, want))
		return false;
	put_on(who, want);
	return true;
}

static bool grant(struct waiter *who)
{
	int l, i;

	for (i = 0; i < (int)who->place.n; i++) {
		struct rein_entry *e = &who->place.entries[i];

		if (e->node.prev != &e->ledger->entries)
			return wrong("#%llu: expected to be the first",
				     who->place.ticket);
	}
	rein_plan_grant(&who->place);

	for (l = 0; l < w.n_limits; l++)
		for (i = 0; who->cost[l] && i < w.n_tiers[l]; i++) {
			struct pool *p = &w.pool[l][i];
			long earned = p->rate * (who->when - p->since);

			if (!pool_take(p, who->when, who->cost[l]))
				return wrong("#%llu: expected its tokens, seen less",
					     who->place.ticket);
			if (p->kind != OPEN)
				continue;
			if (p->granted - earned < p->least)
				p->least = p->granted - earned;
			p->granted += who->cost[l] * p->period;
			if (p->granted - earned - p->least >
			    p->burst * p->period)
				return wrong("bucket %d.%d: expected burst + rate * t, seen more",
					     l, i);
		}
	remove_from(w.planned, &w.n_planned, who);
	remove_from(w.waiting, &w.n_waiting, who);
	return true;
}

static bool grant_due(long now)
{
	while (w.n_planned && w.planned[0]->when <= now)
		if (!grant(w.planned[0]) || !check())
			return false;
	return true;
}

static bool plan_anew(int first)
{
	int k;

	for (k = w.n_waiting - 1; k >= first; k--)
		take_off(w.waiting[k]);
	for (k = first; k < w.n_waiting; k++)
		if (!check() || !plan(w.waiting[k], 0))
			return false;
	return true;
}

/* Each keeps its time until it has a better one. */
static bool move_up(int first)
{
	int k;

	w.hints = false;	/* it may be a younger one that hinders now */
	for (k = first; k < w.n_waiting; k++) {
		struct waiter *who = w.waiting[k];
		long old = who->when;

		take_off(who);
		if (!check() || !plan(who, 0))
			return false;
		if (old != NEVER && (who->when == NEVER || who->when > old))
			return wrong("#%llu: expected at most %ld, seen %ld",
				     who->place.ticket, old, who->when);
	}
	return true;
}

static struct waiter *free_waiter(void)
{
	int i, k;

	for (i = 0; i < MAX_WAITING; i++) {
		for (k = 0; k < w.n_waiting; k++)
			if (w.waiting[k] == &w.room[i])
				break;
		if (k == w.n_waiting)
			return &w.room[i];
	}
	return NULL;
}

static bool do_arrive(const u64 *v)
{
	struct waiter *who = free_waiter();
	u64 limits = v[0] % (1ULL << w.n_limits);
	int l;

	if (!who)
		return true;
	memset(who, 0xa5, sizeof(*who));
	who->place.ticket = w.tickets++;
	who->place.n = 0;
	for (l = 0; l < w.n_limits; l++) {
		struct rein_entry *e = &who->place.entries[who->place.n];

		who->cost[l] = 0;
		if (!((limits ? limits : 1) >> l & 1))
			continue;
		who->cost[l] = 1 + v[1 + l] % 16;
		e->ledger = &w.ledger[l];
		e->place = &who->place;
		e->cost = who->cost[l];
		who->place.n++;
	}
	w.waiting[w.n_waiting++] = who;
	return plan(who, v[5] ? w.now + (long)(v[5] % 256) : 0);
}

static struct rein_rate rate_of(const struct bucket_values *v)
{
	return (struct rein_rate){ v->rate, 1 + v->period % 32 };
}

static u64 burst_of(const struct bucket_values *v)
{
	return 1 + v->burst % 16;
}

static bool do_op(const struct op *op)
{
	int l = op->v[1] % w.n_limits, i = op->v[0] % w.n_tiers[l];
	long dt = op->v[0] % 4096;
	struct bucket_values values;
	struct rein_rate rate;
	struct waiter *who;

	switch (op->kind) {
	case OP_ARRIVE:
		return do_arrive(op->v);
	case OP_STEP:
		w.now += dt;
		return grant_due(w.now);
	case OP_LATE:
		w.now += dt;
		return true;
	case OP_AHEAD:
		if (!grant_due(w.now + dt))
			return false;
		i = op->v[2] % w.n_tiers[l];
		rein_bucket_refill(&w.tier[l][i].bucket, abs_time(w.now + dt));
		pool_refill(&w.pool[l][i], w.now + dt);
		return true;
	case OP_WITHDRAW:
	case OP_GIVE_UP:
		if (!grant_due(w.now))
			return false;
		if (!w.n_waiting)
			return true;
		i = op->v[0] % w.n_waiting;
		who = w.waiting[i];
		take_off(who);
		remove_from(w.waiting, &w.n_waiting, who);
		return op->kind == OP_GIVE_UP ? move_up(i) : plan_anew(i);
	case OP_SET:
	case OP_DEBT:
		if (!grant_due(w.now))
			return false;
		while (w.n_planned)
			take_off(w.planned[0]);
		if (op->kind == OP_SET) {
			values = (struct bucket_values){ op->v[2], op->v[3],
							 op->v[4] };
			rate = rate_of(&values);
			rein_bucket_set(&w.tier[l][i].bucket, &rate,
					burst_of(&values), abs_time(w.now));
			pool_set(&w.pool[l][i], &rate, burst_of(&values),
				 w.now);
		} else {
			rein_bucket_charge(&w.tier[l][i].bucket,
					   op->v[2] % 32);
			if (w.pool[l][i].kind != UNLIMITED)
				w.pool[l][i].level -= op->v[2] % 32 *
						      w.pool[l][i].period;
		}
		w.hints = true;
		return plan_anew(0);
	}
	return false;
}

static bool run_case(const struct test_case *c)
{
	int l, i;

	memset(&w, 0, sizeof(w));
	w.start = c->start;
	w.hints = true;
	w.n_limits = 1 + c->n_limits % MAX_LIMITS;
	for (l = 0; l < w.n_limits; l++) {
		w.n_tiers[l] = 1 + c->n_tiers[l] % MAX_TIERS;
		for (i = 0; i < w.n_tiers[l]; i++) {
			struct rein_rate rate = rate_of(&c->bucket[l][i]);
			u64 burst = burst_of(&c->bucket[l][i]);

			rein_bucket_init(&w.tier[l][i].bucket, &rate, burst,
					 abs_time(0));
			pool_set(&w.pool[l][i], &rate, burst, 0);
		}
		rein_ledger_init(&w.ledger[l], w.tier[l], w.course[l],
				 w.n_tiers[l]);
	}

	for (i = 0; i < c->count; i++) {
		failure.op = i;
		if (!do_op(&c->ops[i]) || !check())
			return false;
	}
	return true;
}

/* Random cases. */

static struct bucket_values some_bucket(const struct profile *p)
{
	struct bucket_values v = {
		.rate = 1 + below(4),
		.period = below(24),
		.burst = below(8),
	};

	switch (below(p->changes ? 12 : 60)) {
	case 0:
		v.rate = 0;
		break;
	case 1:
		v.rate = REIN_RATE_UNLIMITED;
		break;
	}
	return v;
}

static void generate(struct test_case *c, const struct profile *p)
{
	int i, l;

	c->start = below(2) ? below(1000) : random_u64() >> (2 + below(40));
	c->n_limits = below(p->limits);
	for (l = 0; l < MAX_LIMITS; l++) {
		c->n_tiers[l] = below(p->tiers);
		for (i = 0; i < MAX_TIERS; i++)
			c->bucket[l][i] = some_bucket(p);
	}

	c->count = 1 + below(OPS_PER_CASE);
	for (i = 0; i < c->count; i++) {
		struct op *op = &c->ops[i];
		struct bucket_values v = some_bucket(p);
		u64 dice = below(100);

		*op = (struct op){ .kind = OP_STEP };
		op->v[0] = below(4) ? below(16) : below(128);
		if (dice < 60) {
			op->kind = OP_ARRIVE;
			op->v[0] = below(1 << MAX_LIMITS);
			for (l = 0; l < MAX_LIMITS; l++)
				op->v[1 + l] = below(below(8) ? p->cost : 8);
			op->v[5] = below(4) ? 0 : below(128);
		} else if (dice < 66) {
			op->kind = OP_LATE;
			op->v[0] = below(32);
		} else if (dice < 72) {
			op->kind = OP_AHEAD;
			op->v[0] = below(8);
			op->v[1] = below(MAX_LIMITS);
			op->v[2] = below(MAX_TIERS);
		} else if (dice < 80) {
			op->kind = p->give_up ? OP_GIVE_UP : OP_WITHDRAW;
			op->v[0] = below(MAX_WAITING);
		} else if (dice < 86 && p->changes) {
			op->kind = below(4) ? OP_SET : OP_DEBT;
			op->v[0] = below(MAX_TIERS);
			op->v[1] = below(MAX_LIMITS);
			op->v[2] = op->kind == OP_SET ? v.rate : below(12);
			op->v[3] = v.period;
			op->v[4] = v.burst;
		}
	}
}

static bool shrink_values(struct test_case *c)
{
	bool better = shrink_value(c, &c->start);
	int i, j;

	better |= shrink_value(c, &c->n_limits);
	for (i = 0; i < MAX_LIMITS; i++) {
		better |= shrink_value(c, &c->n_tiers[i]);
		for (j = 0; j < MAX_TIERS; j++) {
			better |= shrink_value(c, &c->bucket[i][j].rate);
			better |= shrink_value(c, &c->bucket[i][j].period);
			better |= shrink_value(c, &c->bucket[i][j].burst);
		}
	}
	for (i = 0; i < c->count; i++)
		for (j = 0; j < VALUES; j++)
			better |= shrink_value(c, &c->ops[i].v[j]);
	return better;
}

static void print_bucket(const struct bucket_values *v)
{
	struct rein_rate rate = rate_of(v);

	if (!rate.tokens)
		printf("closed");
	else if (rate.tokens == REIN_RATE_UNLIMITED)
		printf("unlimited");
	else
		printf("%llu per %llu ns", rate.tokens, rate.period_ns);
	printf(" burst %llu", burst_of(v));
}

static void print_op(const struct op *op)
{
	int l = op->v[1] % w.n_limits, i = op->v[0] % w.n_tiers[l];
	u64 limits = op->v[0] % (1ULL << w.n_limits);
	struct bucket_values v = { op->v[2], op->v[3], op->v[4] };

	switch (op->kind) {
	case OP_ARRIVE:
		printf("arrives, wants");
		for (l = 0; l < w.n_limits; l++)
			if ((limits ? limits : 1) >> l & 1)
				printf(" %llu of limit %d",
				       1 + op->v[1 + l] % 16, l);
		if (op->v[5])
			printf("; also asks from clock + %llu on",
			       op->v[5] % 256);
		break;
	case OP_STEP:
		printf("clock + %llu, grant what is due", op->v[0] % 4096);
		break;
	case OP_LATE:
		printf("clock + %llu", op->v[0] % 4096);
		break;
	case OP_AHEAD:
		printf("grant what is due and refill bucket %d.%d at clock + %llu",
		       l, (int)(op->v[2] % w.n_tiers[l]), op->v[0] % 4096);
		break;
	case OP_WITHDRAW:
		printf("number %llu of those who wait withdraws, plan anew",
		       op->v[0]);
		break;
	case OP_GIVE_UP:
		printf("number %llu of those who wait withdraws, move up",
		       op->v[0]);
		break;
	case OP_SET:
		printf("bucket %d.%d: ", l, i);
		print_bucket(&v);
		break;
	case OP_DEBT:
		printf("bucket %d.%d: charge %llu", l, i,
		       op->v[2] % 32);
		break;
	}
}

static void print_case(const struct test_case *c)
{
	int l, i;

	printf("# clock %llu\n", c->start);
	for (l = 0; l < w.n_limits; l++)
		for (i = 0; i < w.n_tiers[l]; i++) {
			printf("# bucket %d.%d: ", l, i);
			print_bucket(&c->bucket[l][i]);
			printf("\n");
		}
	for (i = 0; i < c->count; i++) {
		printf("# ");
		print_op(&c->ops[i]);
		printf("%s\n", i == failure.op ? "	<-- here" : "");
	}
}

static void random_alike(void)
{
	static const struct profile p = {
		.limits = 2, .tiers = 2, .cost = 1,
	};

	run_profile(&p);
}

static void random_mixed(void)
{
	static const struct profile p = {
		.limits = MAX_LIMITS, .tiers = MAX_TIERS, .cost = 4,
	};

	run_profile(&p);
}

static void random_changes(void)
{
	static const struct profile p = {
		.limits = MAX_LIMITS, .tiers = MAX_TIERS, .cost = 3,
		.changes = true,
	};

	run_profile(&p);
}

static void random_giving_up(void)
{
	static const struct profile p = {
		.limits = 3, .tiers = 2, .cost = 3,
		.changes = true, .give_up = true,
	};

	run_profile(&p);
}

static const struct unit_test tests[] = {
	UNIT_TEST(random_alike),
	UNIT_TEST(random_mixed),
	UNIT_TEST(random_changes),
	UNIT_TEST(random_giving_up),
};

int main(int argc, char **argv)
{
	return random_main(tests, ARRAY_SIZE(tests), DEFAULT_OPS, argc, argv);
}
