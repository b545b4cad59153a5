/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pulses: what beats, units of work and checkpoints mean by the rules of a watch, and when
 * something is missing. After the alive, deadline and logical supervision of AUTOSAR's
 * Watchdog Manager.
 *
 * Pure: no clock, no lock, no allocation. The time is a parameter; it never goes back, and
 * ends before U64_MAX. What is called with one has seen to all that was due by then, but for
 * rein_pulse_arm(). Compiled into host programs, too.
 */
#ifndef REIN_PULSE_H
#define REIN_PULSE_H

#include <linux/rein_dev.h>

#include "pure.h"

/* Kinds of faults, with the one that is none. */
#define REIN_PULSE_FAULTS	(REIN_FAULT_TEST + 1)

/* No checkpoint yet. */
#define REIN_PULSE_NOWHERE	REIN_CHECKPOINTS

/**
 * struct rein_pulse - where a watch is by its rules
 * @status:	of enum rein_watch_status
 * @fault:	the last one, of enum rein_fault
 * @misses:	faults in a row
 * @faults:	all that there were
 * @kinds:	of these, how many of each kind; may wrap
 * @had:	of the last cycle with too few or too many beats, how many it had
 * @from_ns:	where the cycle began
 * @length_ns:	how long it is
 * @beats:	that came in it, if not each begins one
 * @busy:	a unit of work is under way
 * @unit_from_ns: where it began
 * @unit_due_ns: when it has to be over; U64_MAX: it need not, or is @late
 * @late:	it lasts too long, which was noted
 * @at:		the last checkpoint, or REIN_PULSE_NOWHERE
 * @before:	of the last one out of order, the one before, likewise
 * @warned_ns:	when it expires, as it was warned of last; 0: of nothing
 */
struct rein_pulse {
	u32 status;
	u32 fault;
	u32 misses;
	u64 faults;
	u32 kinds[REIN_PULSE_FAULTS];
	u64 had;
	u64 from_ns;
	u64 length_ns;
	u64 beats;
	bool busy;
	u64 unit_from_ns;
	u64 unit_due_ns;
	bool late;
	u32 at;
	u32 before;
	u64 warned_ns;
};

bool rein_pulse_rules_good(const struct rein_watch_rules *rules);
u64 rein_pulse_shortest(const struct rein_watch_rules *rules);

void rein_pulse_arm(struct rein_pulse *pulse,
		    const struct rein_watch_rules *rules, u64 grace_ns, u64 now);
void rein_pulse_disarm(struct rein_pulse *pulse);
void rein_pulse_expire(struct rein_pulse *pulse, enum rein_fault fault);
void rein_pulse_look(struct rein_pulse *pulse,
		     const struct rein_watch_rules *rules, u64 now);
void rein_pulse_beat(struct rein_pulse *pulse,
		     const struct rein_watch_rules *rules, u64 beats, u64 now);
void rein_pulse_beaten(struct rein_pulse *pulse,
		       const struct rein_watch_rules *rules, u64 beats, u64 now);
void rein_pulse_begin(struct rein_pulse *pulse,
		      const struct rein_watch_rules *rules, u64 limit_ns,
		      u64 now);
bool rein_pulse_end(struct rein_pulse *pulse,
		    const struct rein_watch_rules *rules, u64 now);
void rein_pulse_checkpoint(struct rein_pulse *pulse,
			   const struct rein_watch_rules *rules, u32 at, u64 now);

u64 rein_pulse_due(const struct rein_pulse *pulse);
u64 rein_pulse_next(const struct rein_pulse *pulse,
		    const struct rein_watch_rules *rules);
bool rein_pulse_warns(struct rein_pulse *pulse,
		      const struct rein_watch_rules *rules, u64 now);

#endif /* REIN_PULSE_H */
