// SPDX-License-Identifier: GPL-2.0
/*
 * Pulses. See pulse.h.
 */
#include "pulse.h"

#define NEVER	(~0ULL)

static u64 after(u64 from, u64 delay)
{
	return from + delay < from ? NEVER : from + delay;
}

/* Of two times that there need not be. */
static u64 shorter(u64 a, u64 b)
{
	if (!a || !b)
		return a ?: b;
	return a < b ? a : b;
}

/* --- rules ---------------------------------------------------------------------------- */

/* Of a time that there need not be. */
static bool time_good(u64 ns)
{
	return !ns || (ns >= REIN_RULE_MIN_NS && ns <= REIN_RULE_MAX_NS);
}

static bool cycle_good(const struct rein_watch_rules *rules)
{
	if (!rules->every_ns)
		return !rules->grace_ns && !rules->min && !rules->max;
	return (rules->min || rules->max) &&
	       (!rules->max || rules->min <= rules->max);
}

/* A unit has to end before the longest time is up: there has to be time between the two. */
static bool unit_good(const struct rein_watch_rules *rules)
{
	return time_good(rules->unit_min_ns) && time_good(rules->unit_max_ns) &&
	       (!rules->unit_max_ns || rules->unit_min_ns < rules->unit_max_ns);
}

static bool order_good(const struct rein_watch_rules *rules)
{
	unsigned int i;

	if (rules->first)
		return !(rules->first >> REIN_CHECKPOINTS);
	for (i = 0; i < REIN_CHECKPOINTS; i++)
		if (rules->next[i])
			return false;
	return true;
}

/* There has to be a time for it to be warned of, and it has to be shorter. */
static bool pretimeout_good(const struct rein_watch_rules *rules)
{
	u64 least = rein_pulse_shortest(rules);

	return !rules->pretimeout_ns ||
	       (least && rules->pretimeout_ns < least);
}

/**
 * rein_pulse_rules_good() - can a watch have these rules?
 * @rules:	the rules
 *
 * Return: whether it can.
 */
bool rein_pulse_rules_good(const struct rein_watch_rules *rules)
{
	return time_good(rules->every_ns) && time_good(rules->grace_ns) &&
	       time_good(rules->pretimeout_ns) && rules->miss <= REIN_MISS_MAX &&
	       cycle_good(rules) && unit_good(rules) && order_good(rules) &&
	       pretimeout_good(rules);
}

/**
 * rein_pulse_shortest() - the shortest time after which something may be missing
 * @rules:	the rules
 *
 * Return: ns; 0: there is none, but for deadlines of single units.
 */
u64 rein_pulse_shortest(const struct rein_watch_rules *rules)
{
	return shorter(shorter(rules->every_ns, rules->grace_ns),
		       rules->unit_max_ns);
}

/* --- faults ---------------------------------------------------------------------------- */

/* A cycle begins with each beat: one is enough, and none too many. */
static bool slides(const struct rein_watch_rules *rules)
{
	return rules->min == 1 && !rules->max;
}

static void note(struct rein_pulse *pulse, enum rein_fault fault)
{
	pulse->fault = fault;
	pulse->faults++;
	pulse->kinds[fault]++;
	pulse->misses++;
}

static void fail(struct rein_pulse *pulse, const struct rein_watch_rules *rules,
		 enum rein_fault fault)
{
	note(pulse, fault);
	if (pulse->misses > rules->miss)
		pulse->status = REIN_WATCH_EXPIRED;
}

/* What is no cycle is only looked at for good where there are none. */
static void good_unless_cycles(struct rein_pulse *pulse,
			       const struct rein_watch_rules *rules)
{
	if (!rules->every_ns)
		pulse->misses = 0;
}

/* In a grace that is longer than a cycle there may be more beats. */
static enum rein_fault cycle_fault(const struct rein_pulse *pulse,
				   const struct rein_watch_rules *rules)
{
	if (pulse->beats < rules->min)
		return REIN_FAULT_SILENT;
	if (rules->max && pulse->beats > rules->max &&
	    pulse->length_ns <= rules->every_ns)
		return REIN_FAULT_MANY;
	return REIN_FAULT_NONE;
}

static void cycle_over(struct rein_pulse *pulse,
		       const struct rein_watch_rules *rules)
{
	enum rein_fault fault = cycle_fault(pulse, rules);
	u64 beats = pulse->beats;

	pulse->from_ns += pulse->length_ns;
	pulse->length_ns = rules->every_ns;
	pulse->beats = 0;
	if (!fault) {
		pulse->misses = 0;
		return;
	}
	pulse->had = beats;
	fail(pulse, rules, fault);
}

static u64 cycle_due(const struct rein_pulse *pulse)
{
	return pulse->length_ns ? after(pulse->from_ns, pulse->length_ns) :
				  NEVER;
}

static void unit_late(struct rein_pulse *pulse,
		      const struct rein_watch_rules *rules)
{
	pulse->unit_due_ns = NEVER;
	pulse->late = true;
	fail(pulse, rules, REIN_FAULT_LATE);
}

/* What is due first; of the same time, what ends a cycle. */
static void fall_due(struct rein_pulse *pulse,
		     const struct rein_watch_rules *rules)
{
	if (cycle_due(pulse) <= pulse->unit_due_ns)
		cycle_over(pulse, rules);
	else
		unit_late(pulse, rules);
}

/*
 * A long time without anybody who looks. Of cycles without a beat not more are looked at one
 * by one than there may be before it expires; of others, that were all good, none.
 */
static void skip_good(struct rein_pulse *pulse,
		      const struct rein_watch_rules *rules, u64 now)
{
	u64 until = pulse->unit_due_ns < now ? pulse->unit_due_ns : now;
	u64 rest;

	if (rules->min || !rules->every_ns || pulse->beats ||
	    until < after(cycle_due(pulse), rules->every_ns))
		return;
	/* The first has its own length, and is good: it has no beats, and needs none. */
	pulse->from_ns += pulse->length_ns;
	pulse->length_ns = rules->every_ns;
	pulse->misses = 0;
	div64_u64_rem(until - pulse->from_ns, rules->every_ns, &rest);
	pulse->from_ns = until - rest;
}

/**
 * rein_pulse_look() - see to what has fallen due
 * @pulse:	the pulse
 * @rules:	its rules
 * @now:	the time, ns
 *
 * Whatever was due, be it at this very time, is a fault by now, in the order in which it was;
 * of the same time, first what ends a cycle.
 */
void rein_pulse_look(struct rein_pulse *pulse,
		     const struct rein_watch_rules *rules, u64 now)
{
	while (pulse->status == REIN_WATCH_RUNNING) {
		skip_good(pulse, rules, now);
		if (rein_pulse_due(pulse) > now)
			return;
		fall_due(pulse, rules);
	}
}

/* --- what happens ------------------------------------------------------------------------ */

/* All but the faults that there were. */
static void anew(struct rein_pulse *pulse, enum rein_watch_status status)
{
	struct rein_pulse fresh = {
		.status = status,
		.faults = pulse->faults,
		.unit_due_ns = NEVER,
		.at = REIN_PULSE_NOWHERE,
	};

	memcpy(fresh.kinds, pulse->kinds, sizeof(fresh.kinds));
	*pulse = fresh;
}

/**
 * rein_pulse_arm() - begin
 * @pulse:	the pulse; whatever it was
 * @rules:	its rules
 * @grace_ns:	how long the first cycle is; 0: as any
 * @now:	the time, ns
 *
 * What was due, but was not looked at, is forgotten: look first if it is to be told of.
 */
void rein_pulse_arm(struct rein_pulse *pulse,
		    const struct rein_watch_rules *rules, u64 grace_ns, u64 now)
{
	anew(pulse, REIN_WATCH_RUNNING);
	pulse->from_ns = now;
	pulse->length_ns = rules->every_ns ? grace_ns ?: rules->every_ns : 0;
}

/**
 * rein_pulse_disarm() - end
 * @pulse:	the pulse
 */
void rein_pulse_disarm(struct rein_pulse *pulse)
{
	anew(pulse, REIN_WATCH_OFF);
}

/**
 * rein_pulse_expire() - have it expire
 * @pulse:	the pulse, which is running
 * @fault:	for what
 */
void rein_pulse_expire(struct rein_pulse *pulse, enum rein_fault fault)
{
	pulse->status = REIN_WATCH_EXPIRED;
	note(pulse, fault);
}

/* With all seen to. */
static void beat(struct rein_pulse *pulse, const struct rein_watch_rules *rules,
		 u64 beats, u64 now)
{
	if (!rules->every_ns || pulse->status != REIN_WATCH_RUNNING || !beats)
		return;
	if (!slides(rules)) {
		pulse->beats = after(pulse->beats, beats);
		return;
	}
	pulse->from_ns = now;
	pulse->length_ns = rules->every_ns;
	pulse->misses = 0;
}

/**
 * rein_pulse_beat() - beats came
 * @pulse:	the pulse
 * @rules:	its rules
 * @beats:	how many
 * @now:	the time, ns
 */
void rein_pulse_beat(struct rein_pulse *pulse,
		     const struct rein_watch_rules *rules, u64 beats, u64 now)
{
	rein_pulse_look(pulse, rules, now);
	beat(pulse, rules, beats, now);
}

/**
 * rein_pulse_beaten() - beats have come since somebody looked
 * @pulse:	the pulse
 * @rules:	its rules
 * @beats:	how many
 * @now:	the time, ns
 *
 * When is not known: so a cycle that is over by now had them, and one that begins with a beat
 * begins now.
 */
void rein_pulse_beaten(struct rein_pulse *pulse,
		       const struct rein_watch_rules *rules, u64 beats, u64 now)
{
	u64 due = cycle_due(pulse);

	if (due <= now) {
		rein_pulse_beat(pulse, rules, beats, due - 1);
		if (!slides(rules))
			return;
		beats = 1;
	}
	beat(pulse, rules, beats, now);
}

/* Of the unit that is under way, with all seen to. */
static void unit_over(struct rein_pulse *pulse,
		      const struct rein_watch_rules *rules, u64 now)
{
	pulse->busy = false;
	pulse->unit_due_ns = NEVER;
	if (pulse->status != REIN_WATCH_RUNNING)
		return;
	if (now - pulse->unit_from_ns < rules->unit_min_ns)
		fail(pulse, rules, REIN_FAULT_EARLY);
	else if (!pulse->late)
		good_unless_cycles(pulse, rules);
}

/**
 * rein_pulse_begin() - a unit of work begins
 * @pulse:	the pulse
 * @rules:	its rules
 * @limit_ns:	how long it may last, if that is less than the rules say; 0: that
 * @now:	the time, ns
 *
 * A unit that is under way is over. Then it is a beat, too.
 */
void rein_pulse_begin(struct rein_pulse *pulse,
		      const struct rein_watch_rules *rules, u64 limit_ns,
		      u64 now)
{
	u64 limit = rules->unit_max_ns;

	rein_pulse_look(pulse, rules, now);
	if (pulse->busy)
		unit_over(pulse, rules, now);
	beat(pulse, rules, 1, now);
	if (!limit || (limit_ns && limit_ns < limit))
		limit = limit_ns;
	pulse->busy = true;
	pulse->late = false;
	pulse->unit_from_ns = now;
	if (limit && pulse->status == REIN_WATCH_RUNNING)
		pulse->unit_due_ns = after(now, limit);
}

/**
 * rein_pulse_end() - a unit of work is over
 * @pulse:	the pulse
 * @rules:	its rules
 * @now:	the time, ns
 *
 * Return: whether there was one.
 */
bool rein_pulse_end(struct rein_pulse *pulse,
		    const struct rein_watch_rules *rules, u64 now)
{
	rein_pulse_look(pulse, rules, now);
	if (!pulse->busy)
		return false;
	unit_over(pulse, rules, now);
	return true;
}

/**
 * rein_pulse_checkpoint() - a checkpoint was reached
 * @pulse:	the pulse
 * @rules:	its rules
 * @at:		which one, less than REIN_CHECKPOINTS
 * @now:	the time, ns
 *
 * First it is a beat. After one that was not its turn what may follow it may follow.
 */
void rein_pulse_checkpoint(struct rein_pulse *pulse,
			   const struct rein_watch_rules *rules, u32 at, u64 now)
{
	u32 before = pulse->at;
	u32 may = before == REIN_PULSE_NOWHERE ? rules->first :
						 rules->next[before];

	rein_pulse_look(pulse, rules, now);
	beat(pulse, rules, 1, now);
	pulse->at = at;
	if (!rules->first || pulse->status != REIN_WATCH_RUNNING)
		return;
	if (may >> at & 1) {
		good_unless_cycles(pulse, rules);
		return;
	}
	pulse->before = before;
	fail(pulse, rules, REIN_FAULT_ORDER);
}

/* --- when to look -------------------------------------------------------------------------- */

/**
 * rein_pulse_due() - when there is a fault if nothing happens
 * @pulse:	the pulse
 *
 * Return: ns; U64_MAX: never. A cycle that will have been good counts, too.
 */
u64 rein_pulse_due(const struct rein_pulse *pulse)
{
	u64 cycle;

	if (pulse->status != REIN_WATCH_RUNNING)
		return NEVER;
	cycle = cycle_due(pulse);
	return cycle < pulse->unit_due_ns ? cycle : pulse->unit_due_ns;
}

/*
 * When it expires, for want of a beat or of the end of a unit, if nothing happens. Only the
 * end of a cycle and that of a unit may be that close to each other that it has to be
 * warned of one before the other is due: a cycle is longer than that.
 */
static u64 expires(const struct rein_pulse *pulse,
		   const struct rein_watch_rules *rules)
{
	struct rein_pulse then = *pulse;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		u64 due = rein_pulse_due(&then);

		if (due == NEVER)
			return NEVER;
		fall_due(&then, rules);
		if (then.status == REIN_WATCH_EXPIRED)
			return then.fault == REIN_FAULT_MANY ? NEVER : due;
	}
	return NEVER;
}

/* When it is to be warned of what it was not warned of yet. */
static u64 warn_due(const struct rein_pulse *pulse,
		    const struct rein_watch_rules *rules)
{
	u64 due = rules->pretimeout_ns ? expires(pulse, rules) : NEVER;

	if (due == NEVER || due == pulse->warned_ns)
		return NEVER;
	return due > rules->pretimeout_ns ? due - rules->pretimeout_ns : 0;
}

/**
 * rein_pulse_next() - when to look again
 * @pulse:	the pulse
 * @rules:	its rules
 *
 * Return: ns; U64_MAX: not until something happens.
 */
u64 rein_pulse_next(const struct rein_pulse *pulse,
		    const struct rein_watch_rules *rules)
{
	u64 due = rein_pulse_due(pulse);
	u64 warn = warn_due(pulse, rules);

	return warn < due ? warn : due;
}

/**
 * rein_pulse_warns() - is it about to expire?
 * @pulse:	the pulse
 * @rules:	its rules
 * @now:	the time, ns, with all seen to
 *
 * Return: whether it is; of the same time that it will be said once.
 */
bool rein_pulse_warns(struct rein_pulse *pulse,
		      const struct rein_watch_rules *rules, u64 now)
{
	if (warn_due(pulse, rules) > now)
		return false;
	pulse->warned_ns = expires(pulse, rules);
	return true;
}
