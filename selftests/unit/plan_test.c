// SPDX-License-Identifier: GPL-2.0
/* The plan, by examples whose times were worked out by hand. */
#include "plan.h"
#include "unit.h"

#define MS		1000000ULL
#define SEC		1000000000ULL
#define MINUTE		(60 * SEC)
#define MANY		1000

struct limit {
	struct rein_ledger ledger;
	struct rein_tier tiers[2];
	struct rein_course courses[2];
};

static struct rein_place places[MANY + 64];
static unsigned int n_places;
static unsigned int steps;

static void limit_init(struct limit *l, unsigned int n_tiers)
{
	n_places = 0;
	memset(l, 0, sizeof(*l));
	rein_ledger_init(&l->ledger, l->tiers, l->courses, n_tiers);
}

static void tier(struct limit *l, int i, u64 tokens, u64 period_ns, u64 burst)
{
	struct rein_rate rate = { tokens, period_ns };

	rein_bucket_init(&l->tiers[i].bucket, &rate, burst, 0);
}

static void one_tier(struct limit *l, u64 tokens, u64 period_ns, u64 burst)
{
	limit_init(l, 1);
	tier(l, 0, tokens, period_ns, burst);
}

static void drain(struct limit *l)
{
	rein_bucket_charge(&l->tiers[0].bucket, l->tiers[0].bucket.tokens);
}

static struct rein_place *arrive(void)
{
	struct rein_place *p = &places[n_places];

	memset(p, 0, sizeof(*p));
	p->ticket = n_places++;
	return p;
}

static void wants(struct rein_place *p, struct limit *l, u64 cost)
{
	struct rein_entry *e = &p->entries[p->n++];

	e->ledger = &l->ledger;
	e->place = p;
	e->cost = cost;
}

static u64 plan(struct rein_place *p, u64 now, u64 from)
{
	rein_plan_add(p, rein_plan_find(p, now, from, &steps));
	return p->when;
}

/* Somebody arrives who wants one token of one limit or of two. */
static u64 come(struct limit *l, struct limit *other, u64 now)
{
	struct rein_place *p = arrive();

	wants(p, l, 1);
	if (other)
		wants(p, other, 1);
	return plan(p, now, 0);
}

static u64 come_for(struct limit *l, u64 cost, u64 now)
{
	struct rein_place *p = arrive();

	wants(p, l, cost);
	return plan(p, now, 0);
}

static const struct rein_place *first(const struct limit *l)
{
	return list_first_entry(&l->ledger.entries, struct rein_entry,
				node)->place;
}

static const struct rein_place *last(const struct limit *l)
{
	return list_last_entry(&l->ledger.entries, struct rein_entry,
			       node)->place;
}

/* Let time go on to now. */
static void grant_due(u64 now)
{
	struct rein_place *due;
	unsigned int i;

	do {
		due = NULL;
		for (i = 0; i < n_places; i++)
			if (places[i].when <= now &&
			    (!due || places[i].when < due->when))
				due = &places[i];
		if (due)
			rein_plan_grant(due);
	} while (due);
}

/* Take the places from this one on off the plan, and plan them anew. */
static void replan(unsigned int number, u64 now)
{
	unsigned int i;
	u64 from = 0;

	for (i = number; i < n_places; i++)
		rein_plan_del(&places[i]);
	for (i = number; i < n_places; i++)
		from = plan(&places[i], now, from);
}

static struct limit sec, min;

/* When the nth of those who want sec and min goes, n from 0, 20 in all. */
static u64 chapter_time(unsigned int n)
{
	return n < 10 ? n * 500 * MS : (n - 9) * 6 * SEC;
}

static void chapter(void)
{
	unsigned int i;

	one_tier(&sec, 2, SEC, 1);
	one_tier(&min, 10, MINUTE, 10);
	for (i = 0; i < 20; i++)
		come(&sec, &min, 0);
}

static void chapter_run(void)
{
	unsigned int i;

	chapter();
	for (i = 0; i < 20; i++)
		CHECK_EQ(places[i].when, chapter_time(i));
	CHECK_EQ(places[9].when, 4500 * MS);
	CHECK_EQ(places[10].when, 6 * SEC);
	CHECK_EQ(places[19].when, 60 * SEC);
}

static void chapter_sec_only_goes_ahead(void)
{
	unsigned int i;

	chapter();
	grant_due(5 * SEC);
	CHECK_EQ(places[9].when, REIN_NEVER);
	CHECK_EQ(come(&sec, NULL, 5 * SEC), 5 * SEC);
	for (i = 10; i < 20; i++)
		CHECK_EQ(places[i].when, chapter_time(i));
	grant_due(60 * SEC);
	CHECK_EQ(min.tiers[0].bucket.tokens, 0);
	CHECK_EQ(min.tiers[0].bucket.debt, 0);
	CHECK_EQ(sec.tiers[0].bucket.debt, 0);
}

static void chapter_withdrawal(void)
{
	unsigned int i;

	chapter();
	grant_due(1 * SEC);
	rein_plan_del(&places[10]);
	CHECK_EQ(places[10].when, REIN_NEVER);
	for (i = 11; i < 20; i++)
		rein_plan_del(&places[i]);
	for (i = 11; i < 20; i++)
		CHECK_EQ(plan(&places[i], 1 * SEC, 0), chapter_time(i - 1));
	CHECK_EQ(places[19].when, 54 * SEC);
	for (i = 3; i < 10; i++)
		CHECK_EQ(places[i].when, chapter_time(i));
}

/* One who wants only sec each 100 ms, five times what sec can give. */
static void chapter_sec_only_stream(void)
{
	unsigned int i, n;
	u64 now, when;

	chapter();
	for (now = 50 * MS; now < 60 * SEC; now += 100 * MS) {
		grant_due(now);
		when = come(&sec, NULL, now);
		/* Those who want both go at multiples of 0.5 s. */
		CHECK_EQ(when % (500 * MS), 0);
		if (now < 100 * MS)
			CHECK_EQ(when, 5 * SEC);
		for (i = 0; i < 20; i++)
			if (chapter_time(i) > now)
				CHECK_EQ(places[i].when, chapter_time(i));
	}
	/* Of the 120 that sec could give by now it has given all. */
	for (n = 0, i = 0; i < n_places; i++)
		n += places[i].when == REIN_NEVER;
	CHECK_EQ(n, 120);
}

/* Places that are alike go one behind the other, the hint makes no odds. */
static void chapter_by_hint(void)
{
	unsigned int i;

	chapter();
	replan(0, 0);
	for (i = 0; i < 20; i++)
		CHECK_EQ(places[i].when, chapter_time(i));
}

static struct limit api, disk, network;

static void several_resources(void)
{
	/* R: ReadFile, api and disk; A: ResolveAddress, api and network */
	static const struct {
		char what;
		u64 when_ms;
	} order[] = {
		{ 'R', 0 },	/* disk: one each second */
		{ 'R', 1000 },
		{ 'R', 2000 },
		{ 'A', 0 },	/* what is left of api's burst */
		{ 'A', 500 },	/* between R and R: api has one for it */
		{ 'A', 1500 },	/* not at 1000, that one is R's */
		{ 'A', 2500 },
		{ 'R', 3000 },
		{ 'A', 3500 },
		{ 'A', 4000 },	/* the tenth of this minute */
		{ 'A', 6000 },
		{ 'R', 12000 },
		{ 'A', 18000 },
	};
	unsigned int i;

	limit_init(&api, 2);
	tier(&api, 0, 2, SEC, 2);
	tier(&api, 1, 10, MINUTE, 10);
	one_tier(&disk, 1, SEC, 1);
	one_tier(&network, 3, SEC, 3);

	for (i = 0; i < ARRAY_SIZE(order); i++)
		CHECK_EQ(come(&api, order[i].what == 'R' ? &disk : &network, 0),
			 order[i].when_ms * MS);
	/* Who wants only disk, or only network, is in nobody's way. */
	CHECK_EQ(come(&disk, NULL, 0), 4 * SEC);
	CHECK_EQ(come(&network, NULL, 0), 0);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		CHECK_EQ(places[i].when, order[i].when_ms * MS);
	grant_due(18 * SEC);
	CHECK_EQ(api.tiers[0].bucket.debt | api.tiers[1].bucket.debt, 0);
	CHECK_EQ(disk.tiers[0].bucket.debt | network.tiers[0].bucket.debt, 0);
}

static struct limit a, b;

static void overtaking_delays_the_second(void)
{
	one_tier(&a, 1, SEC, 2);
	one_tier(&b, 1, 2 * SEC, 1);
	drain(&a);
	drain(&b);
	CHECK_EQ(come(&a, &b, 0), 2 * SEC);
	CHECK_EQ(come_for(&a, 2, 0), 3 * SEC);
	/* At 1 s there is a token, and at 2 s there would be another. */
	CHECK_EQ(come_for(&a, 1, 0), 4 * SEC);
}

static void overtaking_delays_the_first(void)
{
	one_tier(&a, 1, SEC, 2);
	drain(&a);
	CHECK_EQ(come_for(&a, 2, 0), 2 * SEC);
	CHECK_EQ(come_for(&a, 1, 0), 3 * SEC);
}

static void overtaking_what_the_cap_swallows(void)
{
	one_tier(&a, 1, SEC, 2);
	one_tier(&b, 1, 10 * SEC, 1);
	drain(&b);
	CHECK_EQ(come(&a, &b, 0), 10 * SEC);
	CHECK_EQ(come_for(&a, 2, 0), 0);
	CHECK_EQ(come_for(&a, 2, 3 * SEC), 3 * SEC);
	CHECK_EQ(come_for(&a, 1, 8500 * MS), 8500 * MS);
	/* Two would be too many for who goes at 10 s; one for these two. */
	CHECK_EQ(come_for(&a, 2, 9500 * MS), 11 * SEC);
	CHECK_EQ(come_for(&a, 1, 9500 * MS), 12 * SEC);
}

static void same_time_is_by_ticket(void)
{
	one_tier(&a, 1, SEC, 3);
	CHECK_EQ(come_for(&a, 1, 0), 0);
	CHECK_EQ(come_for(&a, 2, 0), 0);
	CHECK_EQ(come_for(&a, 1, 0), 1 * SEC);
	CHECK_EQ(first(&a)->ticket, 0);
	CHECK_EQ(last(&a)->ticket, 2);
	/* Back on the plan at the same time it is in its old place. */
	rein_plan_del(&places[0]);
	CHECK_EQ(first(&a)->ticket, 1);
	CHECK_EQ(plan(&places[0], 0, 0), 0);
	CHECK_EQ(first(&a)->ticket, 0);
}

static void all_or_nothing(void)
{
	struct rein_bucket untouched;

	one_tier(&a, 1, SEC, 1);
	one_tier(&b, 1, 5 * SEC, 1);
	drain(&b);
	untouched = a.tiers[0].bucket;
	CHECK_EQ(come(&a, &b, 0), 5 * SEC);
	CHECK_EQ(memcmp(&untouched, &a.tiers[0].bucket, sizeof(untouched)), 0);
	/* It holds nothing: there are tokens for whoever can go before. */
	CHECK_EQ(come(&a, NULL, 0), 0);
	CHECK_EQ(come(&a, NULL, 0), 1 * SEC);
	grant_due(5 * SEC);
	CHECK_EQ(a.tiers[0].bucket.tokens, 0);
	CHECK_EQ(b.tiers[0].bucket.tokens, 0);
	CHECK_EQ(list_empty(&a.ledger.entries), true);
	CHECK_EQ(list_empty(&b.ledger.entries), true);
}

static void all_tiers_are_charged(void)
{
	limit_init(&a, 2);
	tier(&a, 0, 1, SEC, 5);
	tier(&a, 1, 1, MINUTE, 7);
	CHECK_EQ(come_for(&a, 3, 0), 0);
	CHECK_EQ(come_for(&a, 3, 0), 1 * SEC);
	CHECK_EQ(come_for(&a, 3, 0), 2 * MINUTE);
	grant_due(1 * SEC);
	CHECK_EQ(a.tiers[0].bucket.tokens, 0);
	CHECK_EQ(a.tiers[1].bucket.tokens, 1);
}

static void unlimited(void)
{
	one_tier(&a, REIN_RATE_UNLIMITED, 0, 1);
	one_tier(&b, 1, SEC, 1);
	CHECK_EQ(come_for(&a, U64_MAX, 7), 7);
	CHECK_EQ(come_for(&a, U64_MAX, 7), 7);
	CHECK_EQ(come(&a, &b, 7), 7);
	CHECK_EQ(come(&a, &b, 7), 7 + SEC);
	CHECK_EQ(come_for(&a, 5, 7), 7);
}

static void closed(void)
{
	one_tier(&a, 0, 0, 5);
	one_tier(&b, 1, SEC, 1);
	CHECK_EQ(come_for(&a, 1, 0), REIN_NEVER);
	CHECK_EQ(come(&a, &b, 0), REIN_NEVER);
	CHECK_EQ(come(&b, &a, 0), REIN_NEVER);
	/* They are in nobody's way. */
	CHECK_EQ(list_empty(&a.ledger.entries), true);
	CHECK_EQ(list_empty(&b.ledger.entries), true);
	CHECK_EQ(come(&b, NULL, 0), 0);
	rein_plan_del(&places[1]);
	CHECK_EQ(places[1].when, REIN_NEVER);

	/* When it is opened they have their turn. */
	grant_due(0);
	rein_bucket_set(&a.tiers[0].bucket, &(struct rein_rate){ 1, SEC }, 5,
			10 * SEC);
	CHECK_EQ(plan(&places[1], 10 * SEC, 0), 10 * SEC);
	CHECK_EQ(plan(&places[2], 10 * SEC, 0), 11 * SEC);
}

static void cost_above_burst(void)
{
	one_tier(&a, 10, SEC, 5);
	CHECK_EQ(come_for(&a, 6, 0), REIN_NEVER);
	CHECK_EQ(come_for(&a, 5, 0), 0);
	CHECK_EQ(come_for(&a, U64_MAX, 0), REIN_NEVER);
	CHECK_EQ(come_for(&a, 5, 0), 500 * MS);
	CHECK_EQ(come_for(&a, 6, 0), REIN_NEVER);
}

static void beyond_the_end_of_time(void)
{
	one_tier(&a, 1, SEC, 1);
	CHECK_EQ(come(&a, NULL, U64_MAX - 2 * SEC), U64_MAX - 2 * SEC);
	CHECK_EQ(come(&a, NULL, U64_MAX - 2 * SEC), U64_MAX - SEC);
	CHECK_EQ(come(&a, NULL, U64_MAX - 2 * SEC), REIN_NEVER);
	CHECK_EQ(come(&a, NULL, U64_MAX), REIN_NEVER);
	one_tier(&a, 1, 10 * SEC, 1);
	CHECK_EQ(come(&a, NULL, U64_MAX - 2 * SEC), U64_MAX - 2 * SEC);
	CHECK_EQ(come(&a, NULL, U64_MAX - 2 * SEC), REIN_NEVER);
	one_tier(&a, 1, 1, 1);
	CHECK_EQ(come(&a, NULL, U64_MAX - 2), U64_MAX - 2);
	CHECK_EQ(come(&a, NULL, U64_MAX - 2), U64_MAX - 1);
	CHECK_EQ(come(&a, NULL, U64_MAX - 2), REIN_NEVER);
}

static void debt_is_paid_first(void)
{
	one_tier(&a, 1, SEC, 2);
	rein_bucket_charge(&a.tiers[0].bucket, 5);
	CHECK_EQ(come_for(&a, 2, 0), 5 * SEC);
	CHECK_EQ(come_for(&a, 1, 0), 6 * SEC);
	grant_due(5 * SEC);
	CHECK_EQ(a.tiers[0].bucket.debt, 0);
	CHECK_EQ(a.tiers[0].bucket.tokens, 0);
}

static void bucket_ahead_of_now(void)
{
	one_tier(&a, 1, SEC, 1);
	rein_bucket_refill(&a.tiers[0].bucket, 100);
	CHECK_EQ(come(&a, NULL, 40), 100);
	CHECK_EQ(come(&a, NULL, 40), 100 + SEC);
	grant_due(100);
	CHECK_EQ(a.tiers[0].bucket.last, 100);
	/* Nor does a grant set it back, wherever it came from. */
	rein_bucket_refill(&a.tiers[0].bucket, 100 * SEC);
	grant_due(100 * SEC);
	CHECK_EQ(a.tiers[0].bucket.last, 100 * SEC);
	CHECK_EQ(a.tiers[0].bucket.tokens, 0);
}

/* Whoever is put on the plan unsearched is reckoned with just the same. */
static void added_without_a_search(void)
{
	int i;

	one_tier(&a, 1, SEC, 2);
	for (i = 0; i < 4; i++)
		wants(arrive(), &a, 1);
	rein_plan_add(&places[1], 2 * SEC);
	CHECK_EQ(rein_plan_find(&places[3], 2 * SEC, 0, NULL), 2 * SEC);
	rein_plan_add(&places[2], 4 * SEC);
	rein_plan_add(&places[0], 2 * SEC);
	CHECK_EQ(rein_plan_find(&places[3], 2 * SEC, 0, NULL), 3 * SEC);
	rein_plan_add(&places[3], 4 * SEC);
	CHECK_EQ(last(&a)->ticket, 3);
	CHECK_EQ(come_for(&a, 2, 2 * SEC), 6 * SEC);
	rein_plan_del(&places[3]);
	CHECK_EQ(come_for(&a, 1, 2 * SEC), 3 * SEC);
}

static void answers_before_from_are_not_wanted(void)
{
	one_tier(&a, 1, SEC, 1);
	CHECK_EQ(come(&a, NULL, 0), 0);
	wants(arrive(), &a, 1);
	CHECK_EQ(rein_plan_find(&places[1], 0, 0, NULL), SEC);
	CHECK_EQ(rein_plan_find(&places[1], 0, SEC, NULL), SEC);
	CHECK_EQ(rein_plan_find(&places[1], 0, SEC + 1, NULL), SEC + 1);
	CHECK_EQ(rein_plan_find(&places[1], 0, REIN_NEVER, NULL), REIN_NEVER);
	CHECK_EQ(rein_plan_find(&places[1], 3 * SEC, SEC, NULL), 3 * SEC);
	CHECK_EQ(rein_plan_find(&places[1], 0, 0, NULL), SEC);
}

/* A timer half a second late, each time: nobody's time is lost by it. */
static void late_timer(void)
{
	unsigned int i;
	u64 now;

	chapter();
	for (now = 0; now < 30 * SEC; now += SEC) {
		for (i = 0; i < 20; i++)
			if (chapter_time(i) >= now)
				CHECK_EQ(places[i].when, chapter_time(i));
		/* Somebody comes before the timer does. */
		CHECK_EQ(come(&min, NULL, now), 66 * SEC);
		rein_plan_del(&places[--n_places]);
		grant_due(now + 500 * MS);
		CHECK_EQ(come(&sec, &min, now + 500 * MS), 66 * SEC);
		rein_plan_del(&places[--n_places]);
	}
}

static u64 thousand(u64 tokens, bool hint)
{
	unsigned int i;
	u64 from = 0;

	limit_init(&api, 2);
	tier(&api, 0, tokens, SEC, 1);
	tier(&api, 1, 10, MINUTE, 10);
	one_tier(&disk, 2, SEC, 3);
	steps = 0;
	for (i = 0; i < MANY; i++) {
		struct rein_place *p = arrive();

		wants(p, &api, 1);
		wants(p, &disk, 1);
		from = plan(p, 0, hint ? from : 0);
	}
	return steps;
}

static void thousand_alike(void)
{
	u64 spent = thousand(2, true);

	/* Three buckets; one or two rounds until they agree. */
	printf("# %d places alike: %llu steps; without the hint %llu\n", MANY,
	       spent, thousand(2, false));
	CHECK_EQ(spent <= 6 * MANY, true);
	CHECK_EQ(places[MANY - 1].when, (MANY - 10) * 6 * SEC);

	/* The same if all but the first are planned anew. */
	steps = 0;
	rein_plan_del(&places[0]);
	replan(1, 0);
	CHECK_EQ(places[MANY - 1].when, (MANY - 11) * 6 * SEC);
	CHECK_EQ(steps <= 6 * MANY, true);

	/* Only one behind 500 others: once through them. */
	for (; n_places > 501; n_places--)
		rein_plan_del(&places[n_places - 1]);
	steps = 0;
	replan(500, 0);
	CHECK_EQ(places[500].when, (500 - 10) * 6 * SEC);
	CHECK_EQ(steps <= 3 * 500 + 6, true);
}

/* Others that go in between don't make it quadratic either. */
static void thousand_and_others(void)
{
	struct rein_place *p;
	u64 spent = 0, most = 0, now;
	unsigned int i;

	thousand(2, true);
	for (i = 0, now = 5 * SEC; i < 50; i++, now += 200 * MS) {
		grant_due(now);
		p = arrive();
		wants(p, &disk, 1);
		steps = 0;
		plan(p, now, 0);
		spent += steps;
		if (steps > most)
			most = steps;
	}
	printf("# 50 in front of %d: %llu steps, at most %llu\n", MANY, spent,
	       most);
	CHECK_EQ(most < 100, true);
}

/* There are tokens at any time, but the last of a thousand wants them all. */
static void thousand_and_one_who_wants_all(void)
{
	struct rein_place *p;
	unsigned int i;

	one_tier(&disk, 1, 2000 * SEC, 1);
	drain(&disk);
	one_tier(&b, 1, SEC, 1);
	one_tier(&a, 1, MINUTE, 10000);
	for (i = 0; i < MANY; i++)
		CHECK_EQ(come(&a, &b, 0), i * SEC);
	p = arrive();
	wants(p, &disk, 1);
	wants(p, &a, 10000 - MANY + 2000 / 60);
	CHECK_EQ(plan(p, 0, 0), 2000 * SEC);

	steps = 0;
	CHECK_EQ(come(&a, NULL, 0), 34 * MINUTE);
	CHECK_EQ(steps <= 2 * (MANY + 1) + 1, true);
}

/*
 * Two buckets disagree about each gap of a third: it is not looked at all of
 * them, and the place is behind the others.
 */
static void too_many_gaps(void)
{
	struct rein_place *p;
	unsigned int i;

	one_tier(&disk, 1, SEC, 1);
	one_tier(&b, 1, 2 * SEC, 1);
	one_tier(&a, 1, SEC / 2, 1);
	for (i = 0; i < MANY / 2; i++) {
		come(&a, &disk, 0);
		come(&a, &b, 0);
	}
	p = arrive();
	wants(p, &a, 1);
	wants(p, &disk, 1);
	wants(p, &b, 1);
	steps = 0;
	plan(p, 0, 0);
	CHECK_EQ(p->when >= last(&b)->when, true);
	CHECK_EQ(p->dry < p->n, true);
	CHECK_EQ(steps <= REIN_PLAN_STEPS + 10 * MANY, true);
}

static const struct unit_test tests[] = {
	UNIT_TEST(chapter_run),
	UNIT_TEST(chapter_sec_only_goes_ahead),
	UNIT_TEST(chapter_withdrawal),
	UNIT_TEST(chapter_sec_only_stream),
	UNIT_TEST(chapter_by_hint),
	UNIT_TEST(several_resources),
	UNIT_TEST(overtaking_delays_the_second),
	UNIT_TEST(overtaking_delays_the_first),
	UNIT_TEST(overtaking_what_the_cap_swallows),
	UNIT_TEST(same_time_is_by_ticket),
	UNIT_TEST(all_or_nothing),
	UNIT_TEST(all_tiers_are_charged),
	UNIT_TEST(unlimited),
	UNIT_TEST(closed),
	UNIT_TEST(cost_above_burst),
	UNIT_TEST(beyond_the_end_of_time),
	UNIT_TEST(debt_is_paid_first),
	UNIT_TEST(bucket_ahead_of_now),
	UNIT_TEST(added_without_a_search),
	UNIT_TEST(answers_before_from_are_not_wanted),
	UNIT_TEST(late_timer),
	UNIT_TEST(thousand_alike),
	UNIT_TEST(thousand_and_others),
	UNIT_TEST(thousand_and_one_who_wants_all),
	UNIT_TEST(too_many_gaps),
};

int main(int argc, char **argv)
{
	return unit_main(tests, ARRAY_SIZE(tests), argc, argv);
}
