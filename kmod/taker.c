// SPDX-License-Identifier: GPL-2.0
/*
 * Takers: programs that take tokens by name. See taker.h.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "record.h"
#include "taker.h"
#include "tree.h"

static struct rein_limit *entry_limit(const struct rein_entry *entry)
{
	return container_of(entry->ledger, struct rein_limit, ledger);
}

/* --- what binds a taker ------------------------------------------------------ */

/*
 * Keep those limits of the chain that are wanted. Returns the index of a want
 * which none of them has the name of, or -1.
 */
static int taker_select(struct rein_taker *taker)
{
	struct rein_chain *chain = &taker->chain;
	unsigned int i, w, kept = 0;
	u32 found = 0;

	for (i = 0; i < chain->n; i++) {
		struct rein_limit *limit = chain->limits[i];

		for (w = 0; w < taker->n_wants; w++)
			if (!strcmp(limit->name, taker->wants[w].name))
				break;
		if (w == taker->n_wants)
			continue;
		found |= BIT(w);
		taker->tokens[kept] = taker->wants[w].tokens;
		chain->limits[kept++] = limit;
	}
	chain->n = kept;
	for (w = 0; w < taker->n_wants; w++)
		if (!(found & BIT(w)))
			return w;
	return -1;
}

/**
 * rein_taker_entries() - make the entries of a taker's place
 * @taker:	the taker, bound and not planned
 *
 * One for each limit that does more than observe, as of now.
 *
 * Context: RCU read side, which keeps the limits.
 */
void rein_taker_entries(struct rein_taker *taker)
{
	struct rein_place *place = &taker->place;
	unsigned int i;

	place->n = 0;
	place->when = REIN_NEVER;
	/* It may have been one of those that are not there any more. */
	place->dry = 0;
	for (i = 0; i < taker->chain.n; i++) {
		struct rein_limit *limit = taker->chain.limits[i];
		struct rein_entry *entry = &place->entries[place->n];

		if (READ_ONCE(limit->over) == REIN_OVER_OBSERVE)
			continue;
		INIT_LIST_HEAD(&entry->node);
		entry->ledger = &limit->ledger;
		entry->place = place;
		entry->cost = taker->tokens[i];
		place->n++;
	}
}

/**
 * rein_taker_bind() - find out which limits bind a taker
 * @taker:	its @cgrp, @wants and @n_wants are set
 *
 * Context: RCU read side, which keeps the limits.
 *
 * Return: -1, or the index of a want that no limit has the name of.
 */
int rein_taker_bind(struct rein_taker *taker)
{
	int missing;

	taker->target = rein_chain_find(&taker->chain, taker->cgrp,
					REIN_RESOURCE_CALL);
	missing = taker_select(taker);
	rein_taker_entries(taker);
	return missing;
}

/*
 * The same for one that waits and isn't planned, when limits have come or
 * gone. Returns false while its new target is on its way into this tree: then
 * it stays as it is, to be planned when that has arrived.
 */
static bool taker_rebind(struct rein_tree *tree, struct rein_taker *taker)
{
	struct rein_target *before = taker->target, *target;
	u64 gen = taker->chain.gen;
	struct rein_chain chain;

	target = rein_chain_find(&chain, taker->cgrp, REIN_RESOURCE_CALL);
	if (target && rcu_access_pointer(target->room.tree) != tree)
		return false;
	taker->chain = chain;
	taker_select(taker);
	rein_taker_entries(taker);
	/* Without any limit left it still has to leave where it entered. */
	if (target && target != before) {
		before->room.takers--;
		target->room.takers++;
		/* See taker_tree(). */
		WRITE_ONCE(taker->target, target);
	}
	rein_admit_welcome(&taker->chain, taker->tokens, gen);
	return true;
}

/**
 * rein_taker_refresh() - see to it that all limits of a taker's chain are there
 * @tree:	the tree in whose line it is, locked
 * @taker:	the taker
 *
 * Those of one that isn't planned may have gone.
 *
 * Context: RCU read side, which keeps the limits.
 *
 * Return: true; false while its target is on its way into this tree.
 */
bool rein_taker_refresh(struct rein_tree *tree, struct rein_taker *taker)
{
	if (taker->place.when != REIN_NEVER ||
	    taker->chain.gen == READ_ONCE(rein_config_gen))
		return true;
	return taker_rebind(tree, taker);
}

/**
 * rein_taker_request() - what a taker asks of its chain
 * @taker:	the taker
 * @now:	CLOCK_MONOTONIC, ns
 * @req:	set to that
 */
void rein_taker_request(const struct rein_taker *taker, u64 now,
			struct rein_request *req)
{
	*req = (struct rein_request){
		.tokens = taker->tokens,
		.now = now,
		.waited = taker->state == REIN_TAKER_WAITS,
		.gen = taker->chain.gen,
		.holds = taker->holds,
	};
}

/* --- scopes ---------------------------------------------------------------------- */

/**
 * rein_taker_done() - is a scope done that a taker is to end with?
 * @taker:	the taker
 *
 * Return: the scope, or NULL.
 */
struct rein_scope *rein_taker_done(const struct rein_taker *taker)
{
	unsigned int i;

	for (i = 0; i < REIN_TAKER_SCOPES; i++)
		if (taker->scopes[i] && rein_scope_cause(taker->scopes[i]))
			return taker->scopes[i];
	return NULL;
}

/**
 * rein_taker_tie() - tie a taker that waits to its scopes
 * @taker:	the taker, which is the tie's owner
 * @cut:	see struct rein_tie
 *
 * Return: true; false if one of them is done: see rein_taker_done().
 */
bool rein_taker_tie(struct rein_taker *taker, void (*cut)(struct rein_tie *tie))
{
	unsigned int i;

	for (i = 0; i < REIN_TAKER_SCOPES; i++) {
		taker->ties[i].owner = taker;
		if (taker->scopes[i] &&
		    !rein_tie(&taker->ties[i], taker->scopes[i], cut))
			return false;
	}
	return true;
}

/**
 * rein_taker_untie() - undo rein_taker_tie(), also where that failed
 * @taker:	the taker
 *
 * Context: may sleep.
 */
void rein_taker_untie(struct rein_taker *taker)
{
	unsigned int i;

	for (i = 0; i < REIN_TAKER_SCOPES; i++)
		rein_untie(&taker->ties[i]);
}

/**
 * rein_taker_cut() - say that a taker fails because a scope is done
 * @taker:	the taker
 * @scope:	the scope
 */
void rein_taker_cut(struct rein_taker *taker, const struct rein_scope *scope)
{
	taker->fold = REIN_FOLD_SCOPE;
	taker->cause = rein_scope_cause(scope);
	taker->scope_id = scope->id;
	taker->cut_ns = scope->end.time_ns;
	taker->record = scope->end.record;
}

/* --- why not ------------------------------------------------------------------- */

/* The tier of a limit that has the fewest tokens. */
static const struct rein_tier *limit_driest(const struct rein_limit *limit)
{
	const struct rein_tier *driest = limit->tiers;
	unsigned int i;

	for (i = 1; i < limit->n_tiers; i++)
		if (limit->tiers[i].bucket.tokens < driest->bucket.tokens)
			driest = &limit->tiers[i];
	return driest;
}

/**
 * rein_taker_blame() - say why a take fails, and whose doing it is
 * @taker:	the taker
 * @fold:	why
 * @lack:	the limit, and what it had
 *
 * Context: RCU read side, which keeps the limit.
 */
void rein_taker_blame(struct rein_taker *taker, enum rein_fold fold,
		      const struct rein_lack *lack)
{
	taker->fold = fold;
	taker->lack = *lack;
	taker->limit_id = lack->limit->id;
	for (taker->want = 0; taker->want < taker->n_wants; taker->want++)
		if (!strcmp(taker->wants[taker->want].name, lack->limit->name))
			break;
}

/* The same with the chain's locks held, for one limit of the plan. */
static void taker_blame(struct rein_taker *taker, enum rein_fold fold,
			const struct rein_entry *entry, u64 when)
{
	struct rein_limit *limit = entry_limit(entry);
	const struct rein_tier *dry = limit_driest(limit);
	struct rein_lack lack = {
		.limit = limit,
		.unit = REIN_UNIT_CALLS,
		.when = when,
		.wanted = entry->cost,
		/* What is left at a closed rate is not to be had. */
		.available = dry->bucket.rate.tokens ? dry->bucket.tokens : 0,
	};

	rein_taker_blame(taker, fold, &lack);
}

static const struct rein_entry *tightest(const struct rein_taker *taker)
{
	return &taker->place.entries[taker->place.dry];
}

/**
 * rein_taker_tightest() - whose tokens a taker has to wait for
 * @taker:	the taker; some limit does more than observe
 *
 * Return: the limit that had them last, when the place was planned.
 */
struct rein_limit *rein_taker_tightest(const struct rein_taker *taker)
{
	return entry_limit(tightest(taker));
}

/**
 * rein_taker_blame_tightest() - blame rein_taker_tightest()
 * @taker:	the taker
 * @fold:	why it fails
 * @when:	when there would have been tokens, CLOCK_MONOTONIC, ns; or
 *		REIN_NEVER
 *
 * Context: with the locks of its chain.
 */
void rein_taker_blame_tightest(struct rein_taker *taker, enum rein_fold fold,
			       u64 when)
{
	taker_blame(taker, fold, tightest(taker), when);
}

/**
 * rein_taker_too_much() - does it want more of a limit than its bucket can hold?
 * @taker:	the taker
 *
 * Context: with the locks of its chain.
 *
 * Return: true, and the limit is blamed; or false.
 */
bool rein_taker_too_much(struct rein_taker *taker)
{
	unsigned int i, t;

	for (i = 0; i < taker->place.n; i++) {
		const struct rein_entry *entry = &taker->place.entries[i];
		const struct rein_limit *limit = entry_limit(entry);

		for (t = 0; t < limit->n_tiers; t++) {
			const struct rein_bucket *b = &limit->tiers[t].bucket;

			if (entry->cost <= b->burst ||
			    b->rate.tokens == REIN_RATE_UNLIMITED)
				continue;
			taker_blame(taker, REIN_FOLD_BURST, entry, REIN_NEVER);
			taker->lack.available = b->burst;
			return true;
		}
	}
	return false;
}

/**
 * rein_taker_too_late() - would it have to give up before it can be served?
 * @taker:	the taker
 * @when:	when it can be served, CLOCK_MONOTONIC, ns; or REIN_NEVER
 *
 * Context: with the locks of its chain.
 *
 * Return: true, and a limit is blamed; or false.
 */
bool rein_taker_too_late(struct rein_taker *taker, u64 when)
{
	unsigned int i;

	if (!taker->place.n)
		return false;
	if (when > taker->deadline) {
		rein_taker_blame_tightest(taker, REIN_FOLD_LATE, when);
		return true;
	}
	for (i = 0; i < taker->place.n; i++) {
		const struct rein_entry *entry = &taker->place.entries[i];

		if (when - taker->asked <= entry_limit(entry)->patience_ns)
			continue;
		taker_blame(taker, REIN_FOLD_IMPATIENT, entry, when);
		return true;
	}
	return false;
}

/**
 * rein_taker_refused() - is a newcomer not to wait, by its own will or a limit's?
 * @taker:	the newcomer
 * @when:	when it can be served, CLOCK_MONOTONIC, ns; or REIN_NEVER
 * @now:	CLOCK_MONOTONIC, ns
 * @planned:	whether all who came before it are planned. As long as they are
 *		not nobody can tell what is left for it: then a limit that refuses
 *		does so
 *
 * Context: with the locks of its chain.
 *
 * Return: true, and a limit is blamed; or false.
 */
bool rein_taker_refused(struct rein_taker *taker, u64 when, u64 now,
			bool planned)
{
	unsigned int i;

	if (taker->mode == REIN_MODE_WAIT)
		return false;
	if (taker->mode == REIN_MODE_TRY) {
		rein_taker_blame_tightest(taker, REIN_FOLD_REFUSED,
					  planned ? when : now);
		return true;
	}
	for (i = 0; i < taker->place.n; i++) {
		const struct rein_entry *entry = &taker->place.entries[i];

		if (entry_limit(entry)->over == REIN_OVER_WAIT)
			continue;
		if (planned && rein_plan_find_entry(entry, now) <= now)
			continue;
		taker_blame(taker, REIN_FOLD_REFUSED, entry,
			    planned ? when : now);
		return true;
	}
	return false;
}

/**
 * rein_taker_too_many() - wait as many for a limit as may?
 * @taker:	a newcomer
 * @when:	when it could be served, CLOCK_MONOTONIC, ns; or REIN_NEVER
 *
 * Context: with the locks of its chain.
 *
 * Return: true, and the limit is blamed; or false.
 */
bool rein_taker_too_many(struct rein_taker *taker, u64 when)
{
	unsigned int i;

	for (i = 0; i < taker->place.n; i++) {
		const struct rein_entry *entry = &taker->place.entries[i];
		const struct rein_limit *limit = entry_limit(entry);

		if (limit->stats[REIN_STAT(QUEUED)].packets < limit->queue)
			continue;
		taker_blame(taker, REIN_FOLD_OVERFLOW, entry, when);
		return true;
	}
	return false;
}

static u64 lack_record(const struct rein_taker *taker,
		       const struct rein_lack *lack, enum rein_fold fold)
{
	struct rein_value value[REIN_RECORD_VALUES] = {
		{ "wanted", "tokens", lack->wanted },
		{ fold == REIN_FOLD_BURST ? "burst" : "available", "tokens",
		  lack->available },
	};
	u64 now = ktime_get_ns();

	if (lack->when != REIN_NEVER)
		value[2] = (struct rein_value){
			"retry_after", "ns",
			lack->when > now ? lack->when - now : 0,
		};
	return rein_record_call(lack->limit, fold, value,
				READ_ONCE(taker->task) == current, REIN_SITE);
}

/**
 * rein_taker_record() - record why a take failed
 * @taker:	its @fold and @lack are set
 *
 * Context: as rein_record_packet().
 *
 * Return: id of the record.
 */
u64 rein_taker_record(const struct rein_taker *taker)
{
	return lack_record(taker, &taker->lack, taker->fold);
}

/**
 * rein_taker_observed() - record that a take passed a limit without tokens
 * @taker:	the taker
 * @lack:	which limit, and what it had
 *
 * Context: as rein_record_packet().
 */
void rein_taker_observed(const struct rein_taker *taker,
			 const struct rein_lack *lack)
{
	lack_record(taker, lack, REIN_FOLD_OBSERVED);
}

/* --- when ------------------------------------------------------------------------ */

/*
 * When @taker can be served, at the earliest, from the one before it: what
 * binds that one binds another that wants the same.
 */
static u64 plan_from(const struct rein_taker *before,
		     const struct rein_taker *taker)
{
	const unsigned int n = taker->chain.n;

	if (before->chain.n != n ||
	    memcmp(before->chain.limits, taker->chain.limits,
		   n * sizeof(*taker->chain.limits)) ||
	    memcmp(before->tokens, taker->tokens, n * sizeof(*taker->tokens)))
		return 0;
	return before->place.when;
}

/**
 * rein_taker_when() - find out when a taker can be served
 * @taker:	the taker, not planned
 * @before:	the one before it in the line, or NULL
 * @now:	CLOCK_MONOTONIC, ns
 * @steps:	see rein_plan_find()
 *
 * Context: with the locks of its chain.
 *
 * Return: CLOCK_MONOTONIC, ns; REIN_NEVER: not at the present rates.
 */
u64 rein_taker_when(struct rein_taker *taker, const struct rein_taker *before,
		    u64 now, unsigned int *steps)
{
	u64 when;

	if (!taker->place.n)
		return now;
	taker->place.dry = 0;
	when = rein_plan_find(&taker->place, now,
			      before ? plan_from(before, taker) : 0, steps);
	/* Beyond that there are no timers, nor is it worth to wait. */
	return when > KTIME_MAX ? REIN_NEVER : when;
}
