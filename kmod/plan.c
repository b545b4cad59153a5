// SPDX-License-Identifier: GPL-2.0
/*
 * The plan: see plan.h for what it promises.
 *
 * Each bucket has a course: it starts as it is, is refilled, and is charged
 * what is planned, at the planned times. To charge somebody else as well, at
 * some time t, lowers the rest of the course by the cost, or by less: where
 * the course without it is cut off by the burst, the one with it catches up,
 * and once it is full they are the same for good.
 *
 * From this follows how one bucket is searched:
 *
 * - A later charge, if nobody is planned in between, leaves never more: until
 *   then the cap can only have swallowed less. So of the times between two
 *   entries only the earliest with enough tokens has to be tried.
 * - If that one leaves too little for a later entry, so does any other time
 *   before that entry. The search goes on behind it.
 *
 * So a search goes forward only. It looks ahead in the course until the bucket
 * is full or somebody is short, and goes through that part once more when it
 * has come there: each entry of one bucket is visited at most twice.
 *
 * Several buckets have to agree on a time: each in turn says the earliest one
 * from the last proposal on, until all of them have said the same. No time
 * that suits all is passed over, as none of them passes one that suits it.
 * This ends, since each new proposal is behind an entry of a bucket or at the
 * moment at which it has the tokens, of which there is one between any two
 * entries. If buckets disagree a lot, one may be looked ahead in as often as
 * others move, so the steps are bounded: who takes too many to find a gap goes
 * behind all others, which delays nobody else.
 */
#include "plan.h"

/* Let the bucket's time go on to t, never back. */
static void advance(struct rein_bucket *b, u64 t)
{
	if (t > b->last)
		rein_bucket_refill(b, t);
}

static bool before(const struct rein_entry *a, const struct rein_entry *b)
{
	if (a->place->when != b->place->when)
		return a->place->when < b->place->when;
	return a->place->ticket < b->place->ticket;
}

/* The entry behind this one, NULL if it is the last; of NULL: the first. */
static struct rein_entry *following(const struct rein_ledger *ledger,
				    const struct rein_entry *entry)
{
	const struct list_head *node = entry ? &entry->node : &ledger->entries;

	if (node->next == &ledger->entries)
		return NULL;
	return list_entry(node->next, struct rein_entry, node);
}

/* The entry before this one, NULL if it is the first. */
static struct rein_entry *preceding(const struct rein_ledger *ledger,
				    const struct rein_entry *entry)
{
	if (entry->node.prev == &ledger->entries)
		return NULL;
	return list_entry(entry->node.prev, struct rein_entry, node);
}

/* Go on in the course by the entry that follows. */
static void pass(struct rein_course *course, const struct rein_bucket *bucket,
		 struct rein_entry *entry)
{
	if (!course->upto)
		course->tail = *bucket;
	advance(&course->tail, entry->place->when);
	rein_bucket_charge(&course->tail, entry->cost);
	course->upto = entry;
}

/* The first one who would be short if the cost was taken at t, before next. */
static struct rein_entry *delayed(const struct rein_ledger *ledger,
				  const struct rein_bucket *tail,
				  struct rein_entry *next, u64 cost, u64 t,
				  unsigned int *steps)
{
	struct rein_bucket b = *tail;

	advance(&b, t);
	rein_bucket_charge(&b, cost);
	for (; next; next = following(ledger, next)) {
		++*steps;
		advance(&b, next->place->when);
		if (b.tokens == b.burst)
			return NULL;	/* as it would be anyway */
		if (rein_bucket_wait(&b, next->cost, false))
			return next;
		rein_bucket_charge(&b, next->cost);
	}
	return NULL;
}

/* The earliest time from t on at which the nth bucket can give the cost. */
static u64 earliest(const struct rein_ledger *ledger, unsigned int nth,
		    u64 cost, u64 t, unsigned int *steps)
{
	const struct rein_bucket *bucket = &ledger->tiers[nth].bucket;
	struct rein_course *course = &ledger->courses[nth];
	struct rein_entry *next, *who;
	struct rein_bucket b;
	u64 wait;

	++*steps;
	if (t < bucket->last)
		t = bucket->last;
	if (course->upto && course->upto->place->when > t)
		course->upto = NULL;
	if (!course->upto)
		course->tail = *bucket;
	next = following(ledger, course->upto);

	for (;;) {
		/* Who is planned for the same time goes first. */
		while (next && next->place->when <= t) {
			++*steps;
			pass(course, bucket, next);
			next = following(ledger, next);
		}

		b = course->tail;
		advance(&b, t);
		wait = rein_bucket_wait(&b, cost, false);
		if (wait >= REIN_NEVER - t)
			return REIN_NEVER;
		t += wait;
		if (next && next->place->when <= t)
			continue;

		who = delayed(ledger, &course->tail, next, cost, t, steps);
		if (!who)
			return t;
		t = who->place->when;
	}
}

/**
 * rein_ledger_init() - make a ledger without entries
 * @ledger:	the ledger
 * @tiers:	the buckets of its limit
 * @courses:	as many
 * @n_tiers:	how many, at least 1
 */
void rein_ledger_init(struct rein_ledger *ledger, struct rein_tier *tiers,
		      struct rein_course *courses, unsigned int n_tiers)
{
	unsigned int i;

	INIT_LIST_HEAD(&ledger->entries);
	ledger->tiers = tiers;
	ledger->courses = courses;
	ledger->n_tiers = n_tiers;
	for (i = 0; i < n_tiers; i++)
		courses[i].upto = NULL;
}

/* The time of the last entry in any of these ledgers. */
static u64 last_planned(const struct rein_entry *entries, unsigned int n)
{
	u64 last = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		const struct list_head *all = &entries[i].ledger->entries;
		u64 when;

		if (list_empty(all))
			continue;
		when = list_last_entry(all, struct rein_entry, node)->place->when;
		if (last < when)
			last = when;
	}
	return last;
}

/*
 * The earliest time from t on that suits all buckets of n entries, or, if it
 * takes more than REIN_PLAN_STEPS to find, the earliest behind all that is
 * planned; there the buckets soon agree. *dry is which entry was the last not
 * to agree.
 */
static u64 find(const struct rein_entry *entries, unsigned int n, u64 t,
		unsigned int *steps, unsigned int *dry)
{
	unsigned int i, j, seen = 0, agreed = 0, buckets = 0;
	bool hurry = false;

	for (i = 0; i < n; i++)
		buckets += entries[i].ledger->n_tiers;

	i = 0;
	j = 0;
	*dry = 0;
	while (agreed < buckets && t != REIN_NEVER) {
		const struct rein_entry *entry = &entries[i];
		const struct rein_ledger *ledger = entry->ledger;
		u64 at = earliest(ledger, j, entry->cost, t,
				  &seen);

		if (at != t)
			*dry = i;
		agreed = at == t ? agreed + 1 : 1;
		t = at;
		if (seen > REIN_PLAN_STEPS && !hurry) {
			u64 last = last_planned(entries, n);

			hurry = true;
			agreed = 0;
			if (t < last)
				t = last;
		}
		if (++j == ledger->n_tiers) {
			j = 0;
			if (++i == n)
				i = 0;
		}
	}

	if (steps)
		*steps += seen;
	return t;
}

/**
 * rein_plan_find() - when can a place have its tokens?
 * @place:	the place, not in its ledgers; its @when means nothing
 * @now:	the time in ns; where a bucket was refilled beyond it, that time
 * @from:	an earlier answer is not wanted, in ns; 0: any
 * @steps:	increased by the number of buckets and entries looked at, which
 *		is what the time spent is proportional to; may be NULL
 *
 * Promise: at the time returned, every bucket of every ledger of the place has
 * the cost, after all who are planned for no later time; everybody planned for
 * a later one still finds the tokens at that time; and no earlier time, from
 * @now and @from on, is like that. Nobody goes into debt for it; what a bucket
 * owes is paid first. Tokens are taken from all of them or from none. Exact to
 * the nanosecond.
 *
 * After REIN_PLAN_STEPS it gives up looking for a gap, and it is the earliest
 * time behind all who are planned in these ledgers.
 *
 * Nothing is changed but how far the buckets have been reckoned up, and @dry of
 * the place. Places whose time has come and which were not granted yet are in
 * order.
 *
 * @from makes the search shorter. If nobody has gone away since without those
 * behind it being planned anew, the time planned for an older place is a lower
 * bound for any that wants as much or more of the same limits or more: whatever
 * hindered that one hinders this one too. With a @from that is not before the
 * last entry of any of its ledgers, and if the last search there came to the
 * end, it takes one step for each bucket and round, so that planning many of a
 * kind is linear. Any @from delays nobody else.
 *
 * Else it takes up to two steps for each entry and bucket, or more if the
 * buckets disagree often: see the top of this file.
 *
 * Context: any; the caller serializes access to the ledgers.
 *
 * Return: time in ns; REIN_NEVER: not at these rates (closed, or a cost greater
 * than the burst), or not before 2^64 - 1 ns.
 */
u64 rein_plan_find(struct rein_place *place, u64 now, u64 from,
		   unsigned int *steps)
{
	return find(place->entries, place->n, now < from ? from : now, steps,
		    &place->dry);
}

/**
 * rein_plan_find_entry() - when could a place have the tokens of one limit?
 * @entry:	its entry, in no ledger
 * @now:	the time in ns
 *
 * Context: any; the caller serializes access to the ledger.
 *
 * Return: as rein_plan_find() for this entry alone.
 */
u64 rein_plan_find_entry(const struct rein_entry *entry, u64 now)
{
	unsigned int dry;

	return find(entry, 1, now, NULL, &dry);
}

/* Put the entry where it belongs: after a search that is where that ended. */
static void enter(struct rein_entry *entry)
{
	struct rein_ledger *ledger = entry->ledger;
	struct rein_entry *prev = ledger->courses[0].upto, *next;
	unsigned int i;

	while (prev && before(entry, prev))
		prev = preceding(ledger, prev);
	next = following(ledger, prev);
	while (next && before(next, entry)) {
		prev = next;
		next = following(ledger, prev);
	}
	list_add(&entry->node, prev ? &prev->node : &ledger->entries);

	for (i = 0; i < ledger->n_tiers; i++) {
		struct rein_course *course = &ledger->courses[i];

		if (course->upto && before(entry, course->upto))
			course->upto = NULL;
		else if (course->upto == prev)
			pass(course, &ledger->tiers[i].bucket, entry);
	}
}

/* Take the entry out; what was reckoned with it is void. */
static void leave(struct rein_entry *entry)
{
	struct rein_ledger *ledger = entry->ledger;
	unsigned int i;

	for (i = 0; i < ledger->n_tiers; i++) {
		struct rein_course *course = &ledger->courses[i];

		if (course->upto && !before(course->upto, entry))
			course->upto = NULL;
	}
	list_del(&entry->node);
}

/**
 * rein_plan_add() - put a place on the plan
 * @place:	the place, on no plan; its ticket is set, and of its entries
 *		the ledger, the place and the cost
 * @when:	as found by rein_plan_find(), in ns, with nothing changed in the
 *		ledgers since
 *
 * With REIN_NEVER the place is put in no ledger; only its @when is set. Takes
 * one step for each bucket.
 *
 * Context: any; the caller serializes access to the ledgers.
 */
void rein_plan_add(struct rein_place *place, u64 when)
{
	unsigned int i;

	place->when = when;
	if (when == REIN_NEVER)
		return;
	for (i = 0; i < place->n; i++)
		enter(&place->entries[i]);
}

/**
 * rein_plan_del() - take a place off the plan, unserved
 * @place:	a place that was added; its @when is REIN_NEVER afterwards
 *
 * Nobody else's time changes, nobody will be short. That those behind it may
 * now have an earlier one is for the caller to see to: see plan.h.
 *
 * Context: any; the caller serializes access to the ledgers.
 */
void rein_plan_del(struct rein_place *place)
{
	unsigned int i;

	if (place->when == REIN_NEVER)
		return;
	for (i = 0; i < place->n; i++)
		leave(&place->entries[i]);
	place->when = REIN_NEVER;
}

/**
 * rein_plan_grant() - take a place's tokens, and the place off the plan
 * @place:	the place, the first in all of its ledgers; its @when, which
 *		has come, is REIN_NEVER afterwards
 *
 * The buckets are charged as of the planned time, not of now: so what a timer
 * is late by costs nobody tokens, and nobody's time changes.
 *
 * Context: any; the caller serializes access to the ledgers.
 */
void rein_plan_grant(struct rein_place *place)
{
	unsigned int i, j;

	for (i = 0; i < place->n; i++) {
		struct rein_entry *entry = &place->entries[i];
		struct rein_ledger *ledger = entry->ledger;

		for (j = 0; j < ledger->n_tiers; j++) {
			struct rein_course *course = &ledger->courses[j];
			struct rein_bucket *bucket = &ledger->tiers[j].bucket;

			advance(bucket, place->when);
			rein_bucket_charge(bucket, entry->cost);
			/* What was reckoned beyond it holds still. */
			if (course->upto == entry)
				course->upto = NULL;
		}
		list_del(&entry->node);
	}
	place->when = REIN_NEVER;
}
