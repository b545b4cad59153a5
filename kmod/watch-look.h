/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looking at watches: what time it is for one, beats that nobody calls for, what is due, and
 * its timer and work, which see to that.
 */
#ifndef REIN_WATCH_LOOK_H
#define REIN_WATCH_LOOK_H

#include <linux/wait.h>
#include <linux/rein_dev.h>

struct rein_watch;

u64 rein_watch_now(const struct rein_watch *watch, u64 now);
bool rein_watch_frozen(const struct rein_watch *watch);
void rein_watch_follow(struct rein_watch *watch);
void rein_watch_follow_if_moved(struct rein_watch *watch);

void rein_watch_beaten(struct rein_watch *watch, u64 beats, u64 when);
void rein_watch_sample_anew(struct rein_watch *watch);
void rein_watch_settle(struct rein_watch *watch, u64 now);
unsigned int rein_watch_looks(u32 flags, const struct rein_watch_rules *rules);
bool rein_watch_see_to(struct rein_watch *watch, u64 now);
void rein_watch_look_again(struct rein_watch *watch, u64 now);

void rein_watch_wake(struct rein_watch *watch);
void rein_watch_wake_readers(struct rein_watch *watch);
int rein_watch_on_exit(struct wait_queue_entry *entry, unsigned int mode,
		       int sync, void *key);

bool rein_watch_step(struct rein_watch *watch, u32 *step);
void rein_watch_counts(struct rein_watch *watch, enum rein_watch_count what,
		       u64 number);

void rein_watch_look_setup(struct rein_watch *watch);
int rein_watch_look_init(void);
void rein_watch_look_exit(void);

#endif /* REIN_WATCH_LOOK_H */
