/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a watch shall be, as a call says it: read, checked, and nothing but that.
 *
 * Context: the task that asks; may sleep.
 */
#ifndef REIN_WATCH_SPEC_H
#define REIN_WATCH_SPEC_H

#include <linux/rein_dev.h>

#include "slots.h"
#include "subject.h"
#include "tally.h"

struct rein_answer;
struct rein_scope;

/**
 * struct rein_watch_spec - what a watch shall be
 * @args:	what the call says
 * @subject:	what it is kept over; the watch's then
 * @scope:	what the step cancel cancels, likewise; or NULL
 * @steps:	what is done when it has expired
 * @slot:	where it is beaten in, likewise
 * @traffic:	the packets that beat it, likewise
 */
struct rein_watch_spec {
	const struct rein_watch_args *args;
	struct rein_subject subject;
	struct rein_scope *scope;
	struct rein_watch_step steps[REIN_STEPS_MAX];
	struct rein_slot slot;
	struct rein_traffic traffic;
};

int rein_watch_spec_read(struct rein_watch_spec *spec,
			 const struct rein_watch_args *args,
			 struct rein_slot_source *source,
			 struct rein_answer *answer);
void rein_watch_spec_done(struct rein_watch_spec *spec);

#endif /* REIN_WATCH_SPEC_H */
