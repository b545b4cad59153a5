/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines: where programs wait that take tokens by name.
 *
 * There is one line per tree (see room.h). Everybody in it has a place and,
 * as soon as it is planned, a time (see plan.h). The line's timer grants what
 * is due.
 *
 * A grant happens at its planned time, not when the timer gets to run: the
 * buckets are charged as of then, so that a late timer costs nobody a token.
 * Who counts wake-ups sees them later by as much. If that is more than
 * REIN_LINE_LATE_NS, all are planned anew from now, so that a machine which
 * stood still does not catch up in a burst.
 *
 * When somebody gives up, or a limit comes, changes or goes, those behind are
 * taken off the plan and planned anew in the order of their tickets: by
 * whoever caused it and, where that takes long, piece by piece by the timer.
 *
 * Locking: the tree's lock guards its line and all in it, the ledgers of its
 * limits among them; buckets are guarded by the lock of their limit.
 */
#ifndef REIN_LINE_H
#define REIN_LINE_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/timerqueue.h>
#include <linux/rein_dev.h>

#include "admit.h"
#include "limit.h"
#include "plan.h"
#include "target.h"

struct cgroup;
struct rein_tree;

#define REIN_LINE_LATE_NS	(100 * NSEC_PER_MSEC)

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
 * @deadline:	until when it waits, REIN_NEVER: no end
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
	enum rein_taker_state state;
};

int rein_taker_bind(struct rein_taker *taker);
void rein_taker_blame(struct rein_taker *taker, enum rein_fold fold,
		      const struct rein_lack *lack);
u64 rein_taker_record(const struct rein_taker *taker);
void rein_taker_observed(const struct rein_taker *taker,
			 const struct rein_lack *lack);
void rein_line_join(struct rein_tree *tree, struct rein_taker *taker);
bool rein_line_leave(struct rein_taker *taker, enum rein_fold fold);
u64 rein_line_when(struct rein_taker *taker);

struct rein_tree *rein_line_stop(struct rein_chain *chain, struct cgroup *cgrp);
void rein_line_resume(struct rein_tree *tree);

void rein_line_unplan(struct rein_tree *tree);
void rein_line_again(struct rein_tree *tree);
void rein_line_move(struct rein_tree *from, struct rein_tree *to);
u64 rein_line_ticket(void);
bool rein_line_cancel(struct rein_tree *tree, u64 last);

void rein_line_open(struct rein_tree *tree);
void rein_line_close(struct rein_tree *tree);

#endif /* REIN_LINE_H */
