// SPDX-License-Identifier: GPL-2.0
/*
 * Races. See race.h.
 */
#include <linux/bitops.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "call.h"
#include "netlink-scope.h"
#include "race.h"
#include "scope.h"

/**
 * struct rein_race - what makes a scope a race
 * @policy:	who wins
 * @decided:	that is known
 * @winner:	who has won, or may (REIN_POLICY_LAST); 0: nobody
 * @winner_id:	id of that one's scope
 * @result:	what came with the claim, NULL: nothing
 * @size:	of that
 * @asking:	replicas that ask whether they may win, by age
 * @asks:	how often one did
 * @joined:	how many replicas there were
 * @claims:	how many claims
 * @late:	of these, when it was decided
 * @died:	replicas that were given up without a claim
 * @spared:	how often somebody wanted to cancel who has won
 */
struct rein_race {
	enum rein_policy policy;
	bool decided;
	u32 winner;
	u64 winner_id;
	void *result;
	u32 size;
	struct list_head asking;
	u32 asks;
	u32 joined;
	u32 claims;
	u32 late;
	u32 died;
	u32 spared;
};

enum claim {
	CLAIM_NONE,
	CLAIM_ASKS,
	CLAIM_DENIED,
	CLAIM_MADE,
};

/**
 * struct rein_replica - what makes a scope a replica of its parent
 * @scope:	the scope
 * @number:	which one, 1, 2, 3...
 * @claim:	has it claimed the race?
 * @died:	it was given up without that
 * @waits:	a task waits for what becomes of its claim
 * @ask:	which claim of the race that is
 * @asking:	among those who ask
 * @result:	what it would win with, while it asks
 * @size:	of that
 */
struct rein_replica {
	struct rein_scope *scope;
	u32 number;
	enum claim claim;
	bool died;
	bool waits;
	u32 ask;
	struct list_head asking;
	void *result;
	u32 size;
};

/**
 * rein_race_new() - make what makes a scope a race
 * @policy:	who wins
 *
 * Return: it, to be handed to rein_scope_new(); NULL without memory.
 */
struct rein_race *rein_race_new(enum rein_policy policy)
{
	struct rein_race *race = kzalloc(sizeof(*race), GFP_KERNEL_ACCOUNT);

	if (!race)
		return NULL;
	race->policy = policy;
	INIT_LIST_HEAD(&race->asking);
	return race;
}

/**
 * rein_race_drop() - undo rein_race_new()
 * @race:	what no scope has taken over, or NULL
 */
void rein_race_drop(struct rein_race *race)
{
	kfree(race);
}

/**
 * rein_race_free() - free what makes a scope a race or a replica
 * @scope:	the scope, which has gone
 */
void rein_race_free(struct rein_scope *scope)
{
	if (scope->race)
		kfree(scope->race->result);
	kfree(scope->race);
	kfree(scope->replica);
}

/* --- taking part --------------------------------------------------------------------- */

static int fail_none(struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_RACE_NONE,
			      "this is not the race, or the replica, that it should be",
			      "a descriptor is not of a race, or of a replica, or the policy is another");
}

static int fail_done(struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_SCOPE_DONE,
			      "the scope is done, or the race decided",
			      "a scope that is done, or a race that is decided, can't be gone on with");
}

/**
 * rein_race_join() - take part in a race
 * @race:	the scope of the race
 * @owned:	the replica ends with its last owner
 * @answer:	why not
 *
 * Return: the replica's scope, with a reference, or ERR_PTR().
 */
struct rein_scope *rein_race_join(struct rein_scope *race, bool owned,
				  struct rein_answer *answer)
{
	struct rein_scope_spec spec = {
		.name = race->name,
		.parent = race,
		.deadline = { REIN_NEVER, REIN_NEVER },
		.owned = owned,
	};
	struct rein_scope *scope;

	if (!race->race)
		return ERR_PTR(fail_none(answer));
	spec.replica = kzalloc(sizeof(*spec.replica), GFP_KERNEL_ACCOUNT);
	if (!spec.replica)
		return ERR_PTR(rein_call_no_memory(answer, "for a replica"));
	INIT_LIST_HEAD(&spec.replica->asking);
	scope = rein_scope_new(&spec, answer);
	if (IS_ERR(scope))
		kfree(spec.replica);
	return scope;
}

/**
 * rein_race_enter() - may a scope become a child of another?
 * @scope:	the scope
 * @parent:	its parent to be; other children than replicas a race may have at
 *		any time
 * @answer:	why not
 *
 * A replica gets its number.
 *
 * Context: the family's lock is held.
 *
 * Return: 0 or a negative errno.
 */
int rein_race_enter(struct rein_scope *scope, struct rein_scope *parent,
		    struct rein_answer *answer)
{
	struct rein_race *race = parent->race;

	lockdep_assert_held(&parent->family->lock);
	if (!scope->replica)
		return 0;
	if (parent->cause || race->decided)
		return fail_done(answer);
	scope->replica->scope = scope;
	scope->replica->number = ++race->joined;
	return 0;
}

/**
 * rein_race_leave() - nobody can claim for a scope any more, if it is a replica
 * @scope:	the scope, whose last owner has gone
 */
void rein_race_leave(struct rein_scope *scope)
{
	if (!scope->replica)
		return;
	mutex_lock(&scope->family->lock);
	/* Not one that it is too late for anyway. */
	if (scope->replica->claim == CLAIM_NONE && !scope->cause &&
	    !scope->replica->died) {
		scope->replica->died = true;
		scope->parent->race->died++;
	}
	mutex_unlock(&scope->family->lock);
}

/**
 * rein_race_spared() - somebody wanted to cancel what can't be any more
 * @scope:	a race that is decided, or its winner
 *
 * Context: the family's lock is held.
 */
void rein_race_spared(struct rein_scope *scope)
{
	struct rein_race *race = scope->race ?: scope->parent->race;

	race->spared++;
}

/* --- who wins -------------------------------------------------------------------------- */

static struct rein_scope *child_of(struct rein_scope *race, u32 number)
{
	struct rein_scope *child;

	list_for_each_entry(child, &race->children, siblings)
		if (child->replica && child->replica->number == number)
			return child;
	return NULL;
}

/* The winner is known; it may have gone, and be NULL. */
static void decide(struct rein_scope *scope, struct rein_scope *winner)
{
	struct rein_race *race = scope->race;

	/* Pairs with rein_race_winner(), which has no lock: who it was is known. */
	smp_store_release(&race->decided, true);
	scope->settled = true;
	if (winner)
		winner->settled = true;
	rein_scope_cancel_others(scope, race->winner_id);
	wake_up_poll(&scope->wait, EPOLLIN | EPOLLRDNORM);
	rein_netlink_scope(scope, REIN_SCOPE_EVENT_DECIDED);
}

/**
 * rein_race_timeout() - a scope is to be cancelled: is it a race that ends otherwise?
 * @scope:	the scope
 * @cause:	why it is to be
 *
 * Where the last claim wins, and there is one, the deadline decides.
 *
 * Context: the family's lock is held.
 *
 * Return: whether it is decided now.
 */
bool rein_race_timeout(struct rein_scope *scope, enum rein_cause cause)
{
	struct rein_race *race = scope->race;

	if (!race || cause != REIN_CAUSE_TIMEOUT || scope->cause ||
	    race->decided || race->policy != REIN_POLICY_LAST || !race->winner)
		return false;
	decide(scope, child_of(scope, race->winner));
	return true;
}

/* A claim is good: its result is kept instead of any other. */
static void win(struct rein_scope *race_scope, struct rein_scope *scope,
		void *result, u32 size)
{
	struct rein_race *race = race_scope->race;

	kfree(race->result);
	race->result = result;
	race->size = size;
	race->winner = scope->replica->number;
	race->winner_id = scope->id;
	/* See still_asks(). */
	WRITE_ONCE(scope->replica->claim, CLAIM_MADE);
	if (race->policy != REIN_POLICY_LAST)
		decide(race_scope, scope);
}

static int fail_late(struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_RACE_LATE,
			      "another replica has won",
			      "a replica came too late: another has won");
}

static int fail_denied(struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_RACE_DENIED,
			      "the replica may not win",
			      "a replica asked whether it may win, and may not");
}

/* Can it be claimed? Whether somebody has won is said first. */
static int check_claim(struct rein_scope *scope, struct rein_answer *answer)
{
	struct rein_race *race = scope->parent->race;

	if (race->decided) {
		race->late++;
		return fail_late(answer);
	}
	if (scope->cause || scope->parent->cause)
		return fail_done(answer);
	return 0;
}

/* Copy a result from its owner's memory: NULL if it is empty. */
static void *copy_result(const struct rein_win_args *args,
			 struct rein_answer *answer)
{
	void *result;

	if (args->size > REIN_RESULT_MAX)
		return ERR_PTR(rein_call_fail(answer, REIN_E_RACE_RESULT,
					      "the result is too long",
					      "a result has %u bytes, more than %u",
					      args->size, REIN_RESULT_MAX));
	if (!args->size)
		return NULL;
	result = kmalloc(args->size, GFP_KERNEL_ACCOUNT);
	if (!result)
		return ERR_PTR(rein_call_no_memory(answer, "for a result"));
	if (!copy_from_user(result, u64_to_user_ptr(args->data), args->size))
		return result;
	kfree(result);
	return ERR_PTR(rein_call_fail(answer, REIN_E_DEV_FAULT,
				      "the result is not in the caller's memory",
				      "%u bytes of a result are not in the caller's memory",
				      args->size));
}

static void answer_winner(struct rein_win_args *args,
			  const struct rein_race *race)
{
	args->number = race->winner;
	args->winner = race->winner_id;
}

static bool still_asks(const struct rein_scope *scope)
{
	return READ_ONCE(scope->replica->claim) == CLAIM_ASKS &&
	       !rein_scope_cause(scope);
}

/* With the family's lock, which is let go of while it waits. */
static int ask(struct rein_scope *scope, void *result, u32 size,
	       struct rein_answer *answer)
{
	struct rein_replica *replica = scope->replica;
	struct rein_scope *race = scope->parent;
	int err;

	replica->claim = CLAIM_ASKS;
	replica->waits = true;
	replica->ask = ++race->race->asks;
	replica->result = result;
	replica->size = size;
	list_add_tail(&replica->asking, &race->race->asking);
	wake_up_poll(&race->wait, EPOLLPRI);
	mutex_unlock(&scope->family->lock);
	err = wait_event_interruptible(scope->wait, !still_asks(scope));
	mutex_lock(&scope->family->lock);
	replica->waits = false;
	/* Whoever grants it takes the result. */
	if (replica->claim == CLAIM_MADE)
		return 0;
	list_del_init(&replica->asking);
	if (replica->claim == CLAIM_DENIED)
		return fail_denied(answer);
	replica->claim = CLAIM_NONE;
	/* Who is to ask again has not asked yet. */
	if (err && !race->race->decided && !scope->cause)
		race->race->claims--;
	return check_claim(scope, answer) ?: err;
}

/* With the family's lock. On success the result is the race's. */
static int claim(struct rein_scope *scope, struct rein_win_args *args,
		 void *result)
{
	struct rein_race *race = scope->parent->race;
	int err;

	err = check_claim(scope, &args->answer);
	/* That is the claim that there is, and not another one. */
	if (!err && scope->replica->waits)
		return rein_call_fail(&args->answer, REIN_E_SCOPE_MALFORMED,
				      "the replica asks already",
				      "replica %u asks already",
				      scope->replica->number);
	race->claims++;
	if (!err && race->policy == REIN_POLICY_ASK)
		err = ask(scope, result, args->size, &args->answer);
	else if (!err)
		win(scope->parent, scope, result, args->size);
	if (race->decided)
		answer_winner(args, race);
	return err;
}

/**
 * rein_race_win() - claim a race
 * @scope:	a replica's scope
 * @args:	see the ABI
 *
 * Context: the task that claims; may sleep.
 *
 * Return: 0 or a negative errno; -ERESTARTSYS if a signal came while it asked.
 */
int rein_race_win(struct rein_scope *scope, struct rein_win_args *args)
{
	void *result;
	int err;

	if (!scope->replica)
		return fail_none(&args->answer);
	result = copy_result(args, &args->answer);
	if (IS_ERR(result))
		return PTR_ERR(result);
	mutex_lock(&scope->family->lock);
	err = claim(scope, args, result);
	mutex_unlock(&scope->family->lock);
	if (err)
		kfree(result);
	return err;
}

/* --- who asks ----------------------------------------------------------------------------- */

static int fail_flags(struct rein_answer *answer, u32 flags)
{
	return rein_call_fail(answer, REIN_E_SCOPE_MALFORMED,
			      "the flags are unknown or exclude each other",
			      "flags %#x are unknown or exclude each other",
			      flags);
}

/* Who asks, whoever began it or a certain one; NULL: nobody, or not that one. */
static struct rein_scope *asker(struct rein_scope *scope, u32 number)
{
	struct rein_replica *replica;

	list_for_each_entry(replica, &scope->race->asking, asking)
		if (replica->claim == CLAIM_ASKS && !replica->scope->cause &&
		    (!number || replica->number == number))
			return replica->scope;
	return NULL;
}

/* A copy that can be given away without the lock; *@size is that of the room. */
static void *peek(const void *result, u32 length, u32 *size)
{
	u32 room = *size;

	*size = length;
	if (!room || !length)
		return NULL;
	return kmemdup(result, min(room, length), GFP_KERNEL) ?:
	       ERR_PTR(-ENOMEM);
}

/* With the family's lock. */
static int grant(struct rein_scope *scope, struct rein_grant_args *args,
		 void **copy)
{
	struct rein_scope *child;
	struct rein_replica *replica;

	if (scope->race->decided)
		return fail_late(&args->answer);
	if (scope->cause)
		return fail_done(&args->answer);
	child = asker(scope, args->number);
	/* What was looked at, if anything was, and not what has come instead. */
	if (!child || (args->ask && args->ask != child->replica->ask))
		return -EAGAIN;
	replica = child->replica;
	args->ask = replica->ask;
	args->number = replica->number;
	*copy = peek(replica->result, replica->size, &args->size);
	if (IS_ERR(*copy))
		return rein_call_no_memory(&args->answer, "for a result");
	if (args->flags & REIN_GRANT_YES) {
		list_del_init(&replica->asking);
		win(scope, child, replica->result, replica->size);
	} else if (args->flags & REIN_GRANT_NO) {
		list_del_init(&replica->asking);
		WRITE_ONCE(replica->claim, CLAIM_DENIED);
	}
	wake_up_all(&child->wait);
	return 0;
}

static int give(struct rein_answer *answer, u64 data, void *copy, u32 room,
		u32 size)
{
	unsigned long left = 0;

	if (copy)
		left = copy_to_user(u64_to_user_ptr(data), copy,
				    min(room, size));
	kfree(copy);
	return left ? rein_call_fail(answer, REIN_E_DEV_FAULT,
				     "the room for the result is not in the caller's memory",
				     "%u bytes for a result are not in the caller's memory",
				     room) : 0;
}

/**
 * rein_race_grant() - look at who asks whether it may win, and answer
 * @scope:	a race's
 * @args:	see the ABI
 *
 * Return: 0 or a negative errno; -EAGAIN without a code: nobody asks.
 */
int rein_race_grant(struct rein_scope *scope, struct rein_grant_args *args)
{
	const u32 room = args->data ? args->size : 0;
	void *copy = NULL;
	int err;

	if (!scope->race || scope->race->policy != REIN_POLICY_ASK)
		return fail_none(&args->answer);
	if (args->flags & ~(REIN_GRANT_YES | REIN_GRANT_NO) ||
	    hweight32(args->flags) > 1)
		return fail_flags(&args->answer, args->flags);
	args->size = room;
	mutex_lock(&scope->family->lock);
	err = grant(scope, args, &copy);
	mutex_unlock(&scope->family->lock);
	return err ?: give(&args->answer, args->data, copy, room, args->size);
}

/* --- what came of it ------------------------------------------------------------------------ */

/* With the family's lock: nobody may claim any more. The last has won, or nobody will. */
static void close(struct rein_scope *scope)
{
	struct rein_race *race = scope->race;

	if (race->decided || scope->cause)
		return;
	if (race->winner)
		decide(scope, child_of(scope, race->winner));
	else
		rein_scope_cancel_locked(scope, REIN_CAUSE_USER,
					 "the race was closed", 0);
}

/* With the family's lock. */
static int look(struct rein_scope *scope, struct rein_result_args *args,
		void **copy)
{
	struct rein_race *race = scope->race;

	args->joined = race->joined;
	args->claims = race->claims;
	args->late = race->late;
	args->died = race->died;
	args->cancels = race->spared;
	if (!race->decided)
		return scope->cause ? fail_done(&args->answer) : -EAGAIN;
	args->number = race->winner;
	args->winner = race->winner_id;
	*copy = peek(race->result, race->size, &args->size);
	return IS_ERR(*copy) ? rein_call_no_memory(&args->answer,
						   "for a result") : 0;
}

/**
 * rein_race_result() - say what a race came to
 * @scope:	the race's
 * @args:	see the ABI
 *
 * Return: 0 or a negative errno; -EAGAIN without a code: it is not decided.
 */
int rein_race_result(struct rein_scope *scope, struct rein_result_args *args)
{
	const u32 room = args->data ? args->size : 0;
	void *copy = NULL;
	int err;

	if (!scope->race)
		return fail_none(&args->answer);
	if (args->flags & ~REIN_RESULT_CLOSE)
		return fail_flags(&args->answer, args->flags);
	args->size = room;
	mutex_lock(&scope->family->lock);
	if (args->flags & REIN_RESULT_CLOSE)
		close(scope);
	err = look(scope, args, &copy);
	mutex_unlock(&scope->family->lock);
	return err ?: give(&args->answer, args->data, copy, room, args->size);
}

/* --- for readers ---------------------------------------------------------------------------- */

/**
 * rein_race_poll() - what poll() says of a race, besides its being done
 * @scope:	the scope
 *
 * Return: EPOLLIN if it is decided, EPOLLPRI if somebody asks; 0 if it is no race.
 */
__poll_t rein_race_poll(const struct rein_scope *scope)
{
	const struct rein_race *race = scope->race;
	__poll_t events = 0;

	if (!race)
		return 0;
	/* Without the lock, and of the list no more than its first: all that is marked. */
	if (READ_ONCE(race->decided))
		events |= EPOLLIN | EPOLLRDNORM;
	else if (!list_empty(&race->asking))
		events |= EPOLLPRI;
	return events;
}

/**
 * rein_race_policy() - the policy of a race
 * @scope:	the scope
 *
 * Return: enum rein_policy; 0: it is no race.
 */
u32 rein_race_policy(const struct rein_scope *scope)
{
	return scope->race ? scope->race->policy : 0;
}

/**
 * rein_race_number() - the number of a replica
 * @scope:	the scope
 *
 * Return: 1, 2, 3...; 0: it is no replica.
 */
u32 rein_race_number(const struct rein_scope *scope)
{
	return scope->replica ? scope->replica->number : 0;
}

/**
 * rein_race_winner() - who has won a race
 * @scope:	the scope
 *
 * Return: the replica's number; 0: nobody yet, or it is no race.
 */
u32 rein_race_winner(const struct rein_scope *scope)
{
	const struct rein_race *race = scope->race;

	/* Pairs with decide(). */
	return race && smp_load_acquire(&race->decided) ? race->winner : 0;
}
