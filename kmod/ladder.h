/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ladders: what follows when something is missing: records, what listeners are told, and the
 * steps that are done when a watch has expired, one after the other.
 *
 * What blocks is done by the watch's work, which is never run twice at a time, and with no
 * lock held; so whoever arms, tests or ends the watch meanwhile doesn't wait for it.
 *
 * Context: a task that may sleep; the watch's mutex @tell is held, unless it says otherwise.
 */
#ifndef REIN_LADDER_H
#define REIN_LADDER_H

#include <linux/types.h>

struct rein_watch;
struct rein_watch_report;

void rein_ladder_made(struct rein_watch *watch);
void rein_ladder_armed(struct rein_watch *watch, bool armed);
void rein_ladder_take(struct rein_watch *watch,
		      struct rein_watch_report *report);
void rein_ladder_report(struct rein_watch *watch,
			const struct rein_watch_report *report);
void rein_ladder_tell(struct rein_watch *watch);
u64 rein_ladder_test(struct rein_watch *watch, bool real);
void rein_ladder_gone(struct rein_watch *watch, bool exited);
void rein_ladder_run(struct rein_watch *watch);

#endif /* REIN_LADDER_H */
