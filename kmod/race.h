/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Races: scopes whose children, the replicas, do the same. One wins, as the policy of
 * the race says; the others are cancelled as duplicates.
 *
 * Locking: the family's lock of the scope (see scope.h) guards a race and its replicas.
 * What is decided never changes.
 */
#ifndef REIN_RACE_H
#define REIN_RACE_H

#include <linux/rein.h>
#include <linux/rein_dev.h>

struct rein_answer;
struct rein_race;
struct rein_scope;

struct rein_race *rein_race_new(enum rein_policy policy);
void rein_race_drop(struct rein_race *race);
void rein_race_free(struct rein_scope *scope);
struct rein_scope *rein_race_join(struct rein_scope *race, bool owned,
				  struct rein_answer *answer);
int rein_race_enter(struct rein_scope *scope, struct rein_scope *parent,
		    struct rein_answer *answer);
void rein_race_leave(struct rein_scope *scope);
bool rein_race_timeout(struct rein_scope *scope, enum rein_cause cause);
void rein_race_spared(struct rein_scope *scope);

int rein_race_win(struct rein_scope *scope, struct rein_win_args *args);
int rein_race_grant(struct rein_scope *scope, struct rein_grant_args *args);
int rein_race_result(struct rein_scope *scope, struct rein_result_args *args);

/* For readers without the lock: what is told is of some moment. */
__poll_t rein_race_poll(const struct rein_scope *scope);
u32 rein_race_policy(const struct rein_scope *scope);
u32 rein_race_number(const struct rein_scope *scope);
u32 rein_race_winner(const struct rein_scope *scope);

#endif /* REIN_RACE_H */
