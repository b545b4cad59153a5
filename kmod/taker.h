/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takers: programs that take tokens by name, from the limits of those names
 * that bind their cgroup, and may have to wait for them in a line (see line.h).
 *
 * A taker knows what binds it, what it has to be told when it fails, and when
 * it can be served after those before it; who is before it the line knows.
 *
 * Locking: one that waits is guarded by the lock of the tree whose line it is
 * in, any other belongs to its task.
 */
#ifndef REIN_TAKER_H
#define REIN_TAKER_H

#include <linux/list.h>
#include <linux/timerqueue.h>
#include <linux/rein_dev.h>

#include "admit.h"
#include "limit.h"
#include "plan.h"
#include "scope.h"
#include "target.h"

#define REIN_TAKER_SCOPES	2

struct cgroup;
struct rein_tree;
struct task_struct;

enum rein_taker_state {
	REIN_TAKER_NEW,
	REIN_TAKER_WAITS,
	REIN_TAKER_GRANTED,
	REIN_TAKER_FAILED,
};

/**
 * struct rein_taker - a program that takes tokens, and may have to wait
 * @place:	its place in the plan; its entries are those limits of @chain
 *		that do more than observe
 * @chain:	the limits that bind it
 * @tokens:	what it takes from each of these
 * @wants:	what it asked for, by name
 * @n_wants:	how many of these
 * @mode:	what to do without tokens
 * @asked:	when it came, CLOCK_MONOTONIC, ns
 * @deadline:	when it has to have its tokens, REIN_NEVER: no matter when
 * @until:	until when it waits: its own deadline, not that of a scope, which says
 *		itself when that is over
 * @granted:	when it had its tokens
 * @cgrp:	its cgroup when it came
 * @target:	where it entered the chain
 * @node:	in the line, by ticket
 * @due:	among those with a planned time
 * @task:	who it is; compared only
 * @end:	ends the wait: has to set the state, and to wake who waits for it.
 *		Called with the tree's lock held, under RCU
 * @holds:	of a reservation: what it holds of @chain when it is granted;
 *		NULL: a take
 * @fold:	why it failed
 * @lack:	whose fault that is, and when it could have been; the limit is
 *		not to be followed later
 * @limit_id:	id of that limit
 * @want:	which of @wants it has the name of
 * @record:	the record of it
 * @scopes:	what it ends with, holds references: the one it was given and the one
 *		that is bound to its cgroup; or NULL
 * @ties:	to these, while it waits
 * @cause:	why one of them ended, if it failed because of that
 * @scope_id:	which one
 * @cut_ns:	and when, CLOCK_MONOTONIC
 * @state:	the last thing to be set: after that its owner may free it
 */
struct rein_taker {
	struct rein_place place;
	struct rein_chain chain;
	u64 tokens[REIN_CHAIN_MAX];
	const struct rein_take_want *wants;
	unsigned int n_wants;
	enum rein_mode mode;
	u64 asked;
	u64 deadline;
	u64 until;
	u64 granted;
	struct cgroup *cgrp;
	struct rein_target *target;
	struct list_head node;
	struct timerqueue_node due;
	struct task_struct *task;
	void (*end)(struct rein_taker *taker, enum rein_taker_state state);
	struct rein_hold *holds;
	enum rein_fold fold;
	struct rein_lack lack;
	u64 limit_id;
	unsigned int want;
	u64 record;
	struct rein_scope *scopes[REIN_TAKER_SCOPES];
	struct rein_tie ties[REIN_TAKER_SCOPES];
	u32 cause;
	u64 scope_id;
	u64 cut_ns;
	enum rein_taker_state state;
};

int rein_taker_bind(struct rein_taker *taker);
bool rein_taker_refresh(struct rein_tree *tree, struct rein_taker *taker);
void rein_taker_entries(struct rein_taker *taker);
void rein_taker_request(const struct rein_taker *taker, u64 now,
			struct rein_request *req);
u64 rein_taker_when(struct rein_taker *taker, const struct rein_taker *before,
		    u64 now, unsigned int *steps);

struct rein_scope *rein_taker_done(const struct rein_taker *taker);
bool rein_taker_tie(struct rein_taker *taker, void (*cut)(struct rein_tie *tie));
void rein_taker_untie(struct rein_taker *taker);
void rein_taker_cut(struct rein_taker *taker, const struct rein_scope *scope);

bool rein_taker_too_much(struct rein_taker *taker);
bool rein_taker_too_late(struct rein_taker *taker, u64 when);
bool rein_taker_too_many(struct rein_taker *taker, u64 when);
bool rein_taker_refused(struct rein_taker *taker, u64 when, u64 now,
			bool planned);

struct rein_limit *rein_taker_tightest(const struct rein_taker *taker);
void rein_taker_blame_tightest(struct rein_taker *taker, enum rein_fold fold,
			       u64 when);
void rein_taker_blame(struct rein_taker *taker, enum rein_fold fold,
		      const struct rein_lack *lack);
u64 rein_taker_record(const struct rein_taker *taker);
void rein_taker_observed(const struct rein_taker *taker,
			 const struct rein_lack *lack);

#endif /* REIN_TAKER_H */
