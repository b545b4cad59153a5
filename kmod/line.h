/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines: where programs wait that take tokens by name.
 *
 * There is one line per tree (see tree.h). Everybody in it has a place and,
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

#include <linux/time64.h>
#include <linux/types.h>

#include "limit.h"

struct cgroup;
struct rein_chain;
struct rein_scope;
struct rein_taker;
struct rein_tree;

#define REIN_LINE_LATE_NS	(100 * NSEC_PER_MSEC)

void rein_line_join(struct rein_tree *tree, struct rein_taker *taker);
bool rein_line_leave(struct rein_taker *taker, enum rein_fold fold,
		     const struct rein_scope *scope);
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
