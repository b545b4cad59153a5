/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of pulses, by examples, for every harness that has UNIT_TEST(), CHECK_EQ() and
 * unit_row: the host's (selftests/unit) and KUnit.
 */
#ifndef REIN_PULSE_RULES_H
#define REIN_PULSE_RULES_H

#define MS	1000000ULL
#define SEC	1000000000ULL
#define YEAR	(365 * 86400 * SEC)
#define START	(1000 * SEC)
#define NEVER	U64_MAX

/* All times are counted from START, and of one pulse. */
static struct rein_watch_rules rules;
static struct rein_pulse pulse;

static void arm_for(u64 grace, u64 now)
{
	rein_pulse_arm(&pulse, &rules, grace, START + now);
}

static void arm(u64 now)
{
	arm_for(rules.grace_ns, now);
}

static void watch(struct rein_watch_rules r)
{
	rules = r;
	memset(&pulse, 0, sizeof(pulse));
	rein_pulse_disarm(&pulse);
	arm(0);
}

static void look(u64 now)
{
	rein_pulse_look(&pulse, &rules, START + now);
}

static void beats(u64 n, u64 now)
{
	rein_pulse_beat(&pulse, &rules, n, START + now);
}

static void beat(u64 now)
{
	beats(1, now);
}

static void begin_for(u64 limit, u64 now)
{
	rein_pulse_begin(&pulse, &rules, limit, START + now);
}

static void begin(u64 now)
{
	begin_for(0, now);
}

static bool end(u64 now)
{
	return rein_pulse_end(&pulse, &rules, START + now);
}

static void checkpoint(u32 at, u64 now)
{
	rein_pulse_checkpoint(&pulse, &rules, at, START + now);
}

static u64 from_start(u64 when)
{
	return when == NEVER ? NEVER : when - START;
}

static u64 due(void)
{
	return from_start(rein_pulse_due(&pulse));
}

static u64 next(void)
{
	return from_start(rein_pulse_next(&pulse, &rules));
}

static bool warns(u64 now)
{
	look(now);
	return rein_pulse_warns(&pulse, &rules, START + now);
}

#define CHECK_NO_FAULT()						\
do {									\
	CHECK_EQ(pulse.status, REIN_WATCH_RUNNING);			\
	CHECK_EQ(pulse.fault, REIN_FAULT_NONE);				\
	CHECK_EQ(pulse.misses, 0);					\
	CHECK_EQ(pulse.faults, 0);					\
} while (0)

#define CHECK_RUNNING(last_fault, in_a_row, in_all)			\
do {									\
	CHECK_EQ(pulse.status, REIN_WATCH_RUNNING);			\
	CHECK_EQ(pulse.fault, last_fault);				\
	CHECK_EQ(pulse.misses, in_a_row);				\
	CHECK_EQ(pulse.faults, in_all);					\
} while (0)

#define CHECK_EXPIRED(last_fault, in_a_row, in_all)			\
do {									\
	CHECK_EQ(pulse.status, REIN_WATCH_EXPIRED);			\
	CHECK_EQ(pulse.fault, last_fault);				\
	CHECK_EQ(pulse.misses, in_a_row);				\
	CHECK_EQ(pulse.faults, in_all);					\
} while (0)

/* --- a cycle with each beat ---------------------------------------------------------- */

static struct rein_watch_rules sliding(u32 miss)
{
	return (struct rein_watch_rules){
		.every_ns = 100 * MS, .min = 1, .miss = miss,
	};
}

static void silent_when_due(void)
{
	watch(sliding(0));
	look(100 * MS - 1);
	CHECK_NO_FAULT();
	look(100 * MS);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 1, 1);
}

static void beat_in_time(void)
{
	watch(sliding(0));
	beat(100 * MS - 1);
	CHECK_NO_FAULT();
	CHECK_EQ(due(), 200 * MS - 1);
}

static void beat_when_due_is_too_late(void)
{
	watch(sliding(0));
	beat(100 * MS);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 1, 1);
}

static void beat_begins_a_cycle(void)
{
	watch(sliding(0));
	CHECK_EQ(due(), 100 * MS);
	beat(60 * MS);
	CHECK_EQ(due(), 160 * MS);
	beat(60 * MS);
	CHECK_EQ(due(), 160 * MS);
	beat(159 * MS);
	CHECK_EQ(due(), 259 * MS);
	CHECK_NO_FAULT();
}

static void many_beats_are_one(void)
{
	watch(sliding(0));
	beats(1000, 60 * MS);
	CHECK_EQ(due(), 160 * MS);
	look(160 * MS);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 1, 1);
}

static void no_beats_are_a_look(void)
{
	watch(sliding(1));
	beats(0, 60 * MS);
	CHECK_EQ(due(), 100 * MS);
	beats(0, 100 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
}

static void puts_up_with_misses(void)
{
	watch(sliding(2));
	look(100 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
	CHECK_EQ(due(), 200 * MS);
	look(200 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 2, 2);
	look(300 * MS - 1);
	CHECK_RUNNING(REIN_FAULT_SILENT, 2, 2);
	look(300 * MS);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 3, 3);
}

static void beat_ends_a_row(void)
{
	watch(sliding(2));
	beat(250 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 0, 2);
	CHECK_EQ(due(), 350 * MS);
	look(450 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 2, 4);
	look(550 * MS);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 3, 5);
}

/* --- the first cycle ------------------------------------------------------------------ */

static void grace_is_the_first_cycle(void)
{
	struct rein_watch_rules r = sliding(1);

	r.grace_ns = 500 * MS;
	watch(r);
	look(500 * MS - 1);
	CHECK_NO_FAULT();
	look(500 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
	CHECK_EQ(due(), 600 * MS);
}

static void beat_ends_grace(void)
{
	struct rein_watch_rules r = sliding(0);

	r.grace_ns = 500 * MS;
	watch(r);
	beat(200 * MS);
	CHECK_EQ(due(), 300 * MS);
}

static void grace_may_be_shorter(void)
{
	struct rein_watch_rules r = sliding(1);

	r.grace_ns = 10 * MS;
	watch(r);
	look(10 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
	CHECK_EQ(due(), 110 * MS);
}

static void grace_of_one_arming(void)
{
	watch(sliding(0));
	arm_for(300 * MS, 50 * MS);
	CHECK_EQ(due(), 350 * MS);
	beat(340 * MS);
	CHECK_EQ(due(), 440 * MS);
	arm_for(0, 400 * MS);
	CHECK_EQ(due(), 500 * MS);
}

static void grace_without_cycles(void)
{
	watch((struct rein_watch_rules){ .unit_max_ns = 50 * MS });
	arm_for(300 * MS, 0);
	CHECK_EQ(due(), NEVER);
	look(YEAR);
	CHECK_NO_FAULT();
}

/* The least holds for the first one, however long that is; the most only if it is not longer. */
static void beats_in_grace_count(void)
{
	watch((struct rein_watch_rules){
		.every_ns = 100 * MS, .grace_ns = 500 * MS, .min = 2, .max = 3,
		.miss = 9,
	});
	beat(50 * MS);
	beat(450 * MS);
	look(500 * MS);
	CHECK_RUNNING(REIN_FAULT_NONE, 0, 0);
	look(600 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
	arm(1000 * MS);
	beats(4, 1050 * MS);
	look(1500 * MS);
	CHECK_RUNNING(REIN_FAULT_NONE, 0, 1);
	arm_for(50 * MS, 2000 * MS);
	beats(4, 2010 * MS);
	look(2050 * MS);
	CHECK_RUNNING(REIN_FAULT_MANY, 1, 2);
}

/* --- cycles one after the other ------------------------------------------------------- */

static struct rein_watch_rules fixed(u32 min, u32 max, u32 miss)
{
	return (struct rein_watch_rules){
		.every_ns = 100 * MS, .min = min, .max = max, .miss = miss,
	};
}

static void beats_enough(void)
{
	watch(fixed(2, 4, 0));
	beats(2, 10 * MS);
	look(100 * MS);
	CHECK_NO_FAULT();
	beats(3, 110 * MS);
	beat(199 * MS);
	look(200 * MS);
	CHECK_NO_FAULT();
	CHECK_EQ(due(), 300 * MS);
}

static void beats_too_few(void)
{
	watch(fixed(2, 4, 0));
	beat(10 * MS);
	look(100 * MS - 1);
	CHECK_NO_FAULT();
	look(100 * MS);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 1, 1);
}

static void beats_too_many(void)
{
	watch(fixed(2, 4, 0));
	beats(5, 10 * MS);
	look(100 * MS - 1);
	CHECK_NO_FAULT();
	look(100 * MS);
	CHECK_EXPIRED(REIN_FAULT_MANY, 1, 1);
	CHECK_EQ(pulse.had, 5);
}

/* Some were only seen when it was over: they were in it. */
static void beats_seen_late(void)
{
	watch(fixed(2, 4, 9));
	beats(3, 10 * MS);
	rein_pulse_beaten(&pulse, &rules, 4, START + 105 * MS);
	look(105 * MS);
	CHECK_RUNNING(REIN_FAULT_MANY, 1, 1);
	CHECK_EQ(pulse.had, 7);
	CHECK_EQ(pulse.beats, 0);
	look(200 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 2, 2);
	CHECK_EQ(pulse.had, 0);
}

static void beats_exactly(void)
{
	watch(fixed(3, 3, 9));
	beats(3, 50 * MS);
	look(100 * MS);
	CHECK_NO_FAULT();
	beats(2, 150 * MS);
	look(200 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
	beats(4, 250 * MS);
	look(300 * MS);
	CHECK_RUNNING(REIN_FAULT_MANY, 2, 2);
}

static void more_than_counted(void)
{
	watch(fixed(0, (u32)U64_MAX, 0));
	beats(U64_MAX, 10 * MS);
	beat(20 * MS);
	look(100 * MS);
	CHECK_EXPIRED(REIN_FAULT_MANY, 1, 1);
}

/* One is enough, but then one of the same cycle would be too many. */
static void one_at_most_does_not_slide(void)
{
	watch(fixed(1, 1, 0));
	beat(60 * MS);
	CHECK_EQ(due(), 100 * MS);
	beat(110 * MS);
	look(200 * MS - 1);
	CHECK_NO_FAULT();
	beat(200 * MS - 1);
	look(200 * MS);
	CHECK_EXPIRED(REIN_FAULT_MANY, 1, 1);
}

static void two_at_least_do_not_slide(void)
{
	watch(fixed(2, 0, 0));
	beats(1000, 60 * MS);
	CHECK_EQ(due(), 100 * MS);
	look(199 * MS);
	CHECK_NO_FAULT();
	look(200 * MS);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 1, 1);
}

static void beat_when_due_is_of_the_next(void)
{
	watch(fixed(1, 1, 9));
	beat(50 * MS);
	beat(100 * MS);
	CHECK_NO_FAULT();
	look(200 * MS);
	CHECK_NO_FAULT();
	beat(300 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
	look(400 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 0, 1);
}

static void good_cycle_ends_a_row(void)
{
	watch(fixed(2, 4, 2));
	look(100 * MS);
	beats(5, 150 * MS);
	look(200 * MS);
	CHECK_RUNNING(REIN_FAULT_MANY, 2, 2);
	beats(2, 250 * MS);
	CHECK_RUNNING(REIN_FAULT_MANY, 2, 2);
	look(300 * MS);
	CHECK_RUNNING(REIN_FAULT_MANY, 0, 2);
	look(600 * MS);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 3, 5);
}

static void silence_is_good_without_min(void)
{
	watch(fixed(0, 2, 1));
	beats(3, 10 * MS);
	look(100 * MS);
	CHECK_RUNNING(REIN_FAULT_MANY, 1, 1);
	look(199 * MS);
	CHECK_RUNNING(REIN_FAULT_MANY, 1, 1);
	look(200 * MS);
	CHECK_RUNNING(REIN_FAULT_MANY, 0, 1);
	CHECK_EQ(due(), 300 * MS);
}

static void no_cycles(void)
{
	watch((struct rein_watch_rules){ .unit_max_ns = 50 * MS });
	beats(U64_MAX, 10 * MS);
	look(YEAR);
	CHECK_NO_FAULT();
	CHECK_EQ(due(), NEVER);
	CHECK_EQ(next(), NEVER);
}

/* --- units of work ---------------------------------------------------------------------- */

static struct rein_watch_rules units(u32 miss)
{
	return (struct rein_watch_rules){
		.unit_min_ns = 20 * MS, .unit_max_ns = 50 * MS, .miss = miss,
	};
}

static void unit_as_it_should_be(void)
{
	watch(units(0));
	CHECK_EQ(due(), NEVER);
	begin(10 * MS);
	CHECK_EQ(pulse.busy, true);
	CHECK_EQ(from_start(pulse.unit_from_ns), 10 * MS);
	CHECK_EQ(due(), 60 * MS);
	CHECK_EQ(end(40 * MS), true);
	CHECK_EQ(pulse.busy, false);
	CHECK_EQ(due(), NEVER);
	look(YEAR);
	CHECK_NO_FAULT();
}

static void unit_at_its_bounds(void)
{
	watch(units(9));
	begin(0);
	end(20 * MS);
	CHECK_NO_FAULT();
	begin(100 * MS);
	end(150 * MS - 1);
	CHECK_NO_FAULT();
	begin(200 * MS);
	end(220 * MS - 1);
	CHECK_RUNNING(REIN_FAULT_EARLY, 1, 1);
	begin(300 * MS);
	end(350 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 2, 2);
}

static void unit_late_when_due(void)
{
	watch(units(0));
	begin(10 * MS);
	look(60 * MS - 1);
	CHECK_NO_FAULT();
	look(60 * MS);
	CHECK_EXPIRED(REIN_FAULT_LATE, 1, 1);
	CHECK_EQ(pulse.busy, true);
}

static void unit_late_once(void)
{
	watch(units(9));
	begin(0);
	look(50 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 1, 1);
	CHECK_EQ(pulse.busy, true);
	CHECK_EQ(pulse.late, true);
	CHECK_EQ(due(), NEVER);
	look(YEAR);
	CHECK_EQ(end(YEAR), true);
	CHECK_RUNNING(REIN_FAULT_LATE, 1, 1);
	CHECK_EQ(end(YEAR), false);
}

static void late_unit_is_nothing_to_the_next(void)
{
	watch(units(9));
	begin(0);
	look(50 * MS);
	begin(70 * MS);
	CHECK_EQ(pulse.late, false);
	CHECK_EQ(due(), 120 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 1, 1);
	end(100 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 0, 1);
}

static void good_unit_ends_a_row(void)
{
	watch(units(2));
	begin(0);
	end(1 * MS);
	begin(10 * MS);
	end(11 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 2, 2);
	begin(20 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 2, 2);
	end(40 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 0, 2);
}

static void unit_limits(void)
{
	static const struct {
		const char *row;
		u64 max, limit, due;
	} t[] = {
		{ "of the rules", 50 * MS, 0, 50 * MS },
		{ "sooner", 50 * MS, 30 * MS, 30 * MS },
		{ "a moment", 50 * MS, 1, 1 },
		{ "the same", 50 * MS, 50 * MS, 50 * MS },
		{ "later", 50 * MS, 50 * MS + 1, 50 * MS },
		{ "never", 50 * MS, U64_MAX, 50 * MS },
		{ "alone", 0, 30 * MS, 30 * MS },
		{ "none", 0, 0, NEVER },
		{ "alone, never", 0, U64_MAX, NEVER },
		{ "alone, 2^64 ns", 0, U64_MAX - START, NEVER },
		{ "alone, not quite", 0, U64_MAX - START - 1,
		  U64_MAX - START - 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		unit_row = t[i].row;
		watch((struct rein_watch_rules){ .unit_max_ns = t[i].max });
		begin_for(t[i].limit, 0);
		CHECK_EQ(due(), t[i].due);
		end(0);
		CHECK_EQ(due(), NEVER);
		CHECK_NO_FAULT();
	}
}

static void limit_is_of_one_unit(void)
{
	watch(units(0));
	begin_for(30 * MS, 0);
	end(25 * MS);
	begin(30 * MS);
	CHECK_EQ(due(), 80 * MS);
}

/* Its own limit may be sooner than it is allowed to end. */
static void unit_both_late_and_early(void)
{
	watch(units(9));
	begin_for(10 * MS, 0);
	end(15 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 2, 2);
}

static void begin_replaces_a_good_unit(void)
{
	watch(units(1));
	begin(0);
	end(1 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 1, 1);
	begin(10 * MS);
	begin(40 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 0, 1);
	CHECK_EQ(from_start(pulse.unit_from_ns), 40 * MS);
	CHECK_EQ(due(), 90 * MS);
}

static void begin_replaces_an_early_unit(void)
{
	watch(units(9));
	begin(0);
	begin(10 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 1, 1);
	CHECK_EQ(pulse.busy, true);
	CHECK_EQ(due(), 60 * MS);
}

static void begin_replaces_a_late_unit(void)
{
	watch(units(9));
	begin(0);
	begin(50 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 1, 1);
	CHECK_EQ(pulse.late, false);
	CHECK_EQ(due(), 100 * MS);
}

static void end_of_nothing(void)
{
	watch(units(0));
	CHECK_EQ(end(10 * MS), false);
	CHECK_NO_FAULT();
}

/* --- units in cycles ------------------------------------------------------------------- */

static void begin_is_a_beat_and_end_is_none(void)
{
	watch(sliding(0));
	begin(60 * MS);
	CHECK_EQ(due(), 160 * MS);
	end(110 * MS);
	CHECK_EQ(due(), 160 * MS);
	watch(fixed(2, 2, 0));
	begin(10 * MS);
	end(20 * MS);
	begin(30 * MS);
	look(100 * MS);
	CHECK_NO_FAULT();
}

static void overrun_while_cycles_go_on(void)
{
	struct rein_watch_rules r = sliding(1);

	r.unit_max_ns = 250 * MS;
	watch(r);
	begin(0);
	beat(90 * MS);
	beat(180 * MS);
	CHECK_EQ(due(), 250 * MS);
	beat(260 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 0, 1);
	CHECK_EQ(pulse.late, true);
	CHECK_EQ(due(), 360 * MS);
	beat(350 * MS);
	end(400 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 0, 1);
	look(450 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 2);
}

static void good_unit_ends_no_row_of_cycles(void)
{
	struct rein_watch_rules r = fixed(2, 0, 9);

	r.unit_max_ns = 50 * MS;
	watch(r);
	begin(100 * MS);
	end(110 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
}

/* A unit that is over goes before the beat that a beginning is. */
static void early_unit_before_the_beat(void)
{
	struct rein_watch_rules r = sliding(1);

	r.unit_min_ns = 50 * MS;
	watch(r);
	begin(0);
	begin(10 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 0, 1);
	end(20 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 1, 2);
	begin(30 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 0, 2);
	watch(sliding(0));
	rules.unit_min_ns = 50 * MS;
	begin(0);
	begin(10 * MS);
	CHECK_EXPIRED(REIN_FAULT_EARLY, 1, 1);
	CHECK_EQ(from_start(pulse.from_ns), 0);
}

static void cycle_before_a_unit_of_the_same_time(void)
{
	struct rein_watch_rules r = sliding(9);

	r.unit_max_ns = 100 * MS;
	watch(r);
	begin(0);
	look(100 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 2, 2);
	r = fixed(1, 2, 9);
	r.unit_max_ns = 100 * MS;
	watch(r);
	begin(0);
	look(100 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 1, 1);
}

/* --- checkpoints -------------------------------------------------------------------------- */

/* 0 or 1, then 2, which may repeat; then 0. */
static struct rein_watch_rules order(u32 miss)
{
	return (struct rein_watch_rules){
		.first = 1 << 0 | 1 << 1,
		.next = { 1 << 2, 1 << 2, 1 << 2 | 1 << 0 },
		.miss = miss,
	};
}

static void first_checkpoint(void)
{
	u32 i;

	for (i = 0; i < REIN_CHECKPOINTS; i++) {
		watch(order(0));
		CHECK_EQ(pulse.at, REIN_PULSE_NOWHERE);
		checkpoint(i, 0);
		CHECK_EQ(pulse.at, i);
		if (i < 2)
			CHECK_NO_FAULT();
		else
			CHECK_EXPIRED(REIN_FAULT_ORDER, 1, 1);
	}
}

static void checkpoints_in_order(void)
{
	watch(order(0));
	checkpoint(1, 0);
	checkpoint(2, 10 * MS);
	checkpoint(2, 10 * MS);
	checkpoint(0, 20 * MS);
	checkpoint(2, 30 * MS);
	CHECK_NO_FAULT();
	CHECK_EQ(due(), NEVER);
}

static void checkpoint_out_of_order(void)
{
	watch(order(0));
	checkpoint(0, 0);
	checkpoint(1, 10 * MS);
	CHECK_EXPIRED(REIN_FAULT_ORDER, 1, 1);
	CHECK_EQ(pulse.before, 0);
	CHECK_EQ(pulse.at, 1);
}

static void last_checkpoint(void)
{
	watch((struct rein_watch_rules){
		.first = 1 << 15, .next = { [15] = 1 << 15 },
	});
	checkpoint(15, 0);
	checkpoint(15, 0);
	CHECK_NO_FAULT();
}

/* After one that was not its turn what may follow it may follow. */
static void order_goes_on_from_where_it_is(void)
{
	watch(order(9));
	checkpoint(0, 0);
	checkpoint(1, 10 * MS);
	CHECK_RUNNING(REIN_FAULT_ORDER, 1, 1);
	checkpoint(0, 20 * MS);
	CHECK_RUNNING(REIN_FAULT_ORDER, 2, 2);
	checkpoint(2, 30 * MS);
	CHECK_RUNNING(REIN_FAULT_ORDER, 0, 2);
}

static void order_not_looked_at(void)
{
	watch(units(9));
	begin(0);
	end(0);
	checkpoint(7, 10 * MS);
	checkpoint(3, 20 * MS);
	CHECK_RUNNING(REIN_FAULT_EARLY, 1, 1);
	CHECK_EQ(pulse.at, 3);
}

static void checkpoint_is_a_beat(void)
{
	struct rein_watch_rules r = sliding(9);

	r.first = 1;
	watch(r);
	checkpoint(0, 60 * MS);
	CHECK_EQ(due(), 160 * MS);
	CHECK_NO_FAULT();
	/* First it ends a row, then it begins one. */
	checkpoint(0, 180 * MS);
	CHECK_EQ(due(), 280 * MS);
	CHECK_RUNNING(REIN_FAULT_ORDER, 1, 2);
}

static void good_checkpoint_ends_no_row_of_cycles(void)
{
	struct rein_watch_rules r = fixed(2, 0, 9);

	r.first = 1;
	watch(r);
	checkpoint(0, 110 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
}

/* --- expired, armed, off ------------------------------------------------------------------- */

static void expired_until_armed(void)
{
	struct rein_watch_rules r = sliding(0);

	r.unit_min_ns = 20 * MS;
	r.unit_max_ns = 50 * MS;
	r.first = 1;
	r.pretimeout_ns = 10 * MS;
	watch(r);
	look(100 * MS);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 1, 1);
	CHECK_EQ(due(), NEVER);
	CHECK_EQ(next(), NEVER);
	beat(110 * MS);
	begin(120 * MS);
	CHECK_EQ(end(121 * MS), true);
	begin_for(1, 122 * MS);
	CHECK_EQ(pulse.unit_due_ns, NEVER);
	checkpoint(1, 130 * MS);
	CHECK_EQ(warns(190 * MS), false);
	look(YEAR);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 1, 1);
	CHECK_EQ(due(), NEVER);

	arm(YEAR);
	CHECK_RUNNING(REIN_FAULT_NONE, 0, 1);
	CHECK_EQ(pulse.at, REIN_PULSE_NOWHERE);
	CHECK_EQ(due(), YEAR + 100 * MS);
	CHECK_EQ(end(YEAR + 1), false);
}

/* It begins as if nothing had been before. */
static void armed_anew(void)
{
	struct rein_watch_rules r = fixed(2, 0, 9);

	r.unit_max_ns = 50 * MS;
	r.first = 1;
	r.next[0] = 1 << 1;
	watch(r);
	checkpoint(0, 120 * MS);
	begin(130 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
	arm(140 * MS);
	CHECK_RUNNING(REIN_FAULT_NONE, 0, 1);
	CHECK_EQ(due(), 240 * MS);
	checkpoint(0, 150 * MS);
	CHECK_RUNNING(REIN_FAULT_NONE, 0, 1);
	look(240 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 2);
}

static void disarmed(void)
{
	watch(sliding(0));
	rules.unit_max_ns = 50 * MS;
	rules.pretimeout_ns = 10 * MS;
	begin(10 * MS);
	rein_pulse_disarm(&pulse);
	CHECK_EQ(pulse.status, REIN_WATCH_OFF);
	CHECK_EQ(pulse.busy, false);
	CHECK_EQ(due(), NEVER);
	CHECK_EQ(next(), NEVER);
	beat(20 * MS);
	begin(30 * MS);
	CHECK_EQ(pulse.unit_due_ns, NEVER);
	checkpoint(3, 40 * MS);
	CHECK_EQ(warns(75 * MS), false);
	look(YEAR);
	CHECK_EQ(end(YEAR), true);
	CHECK_EQ(pulse.status, REIN_WATCH_OFF);
	CHECK_EQ(pulse.faults, 0);
	CHECK_EQ(due(), NEVER);
	arm(YEAR);
	CHECK_NO_FAULT();
	CHECK_EQ(due(), YEAR + 100 * MS);
}

/* --- warnings ----------------------------------------------------------------------------- */

static void warned_once(void)
{
	struct rein_watch_rules r = sliding(0);

	r.pretimeout_ns = 30 * MS;
	watch(r);
	CHECK_EQ(next(), 70 * MS);
	CHECK_EQ(warns(70 * MS - 1), false);
	CHECK_EQ(warns(70 * MS), true);
	CHECK_EQ(next(), 100 * MS);
	CHECK_EQ(warns(70 * MS), false);
	CHECK_EQ(warns(100 * MS - 1), false);
	CHECK_EQ(warns(100 * MS), false);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 1, 1);
}

static void warned_of_each_cycle(void)
{
	struct rein_watch_rules r = sliding(0);

	r.pretimeout_ns = 30 * MS;
	watch(r);
	CHECK_EQ(warns(80 * MS), true);
	beat(90 * MS);
	CHECK_EQ(next(), 160 * MS);
	CHECK_EQ(warns(160 * MS - 1), false);
	CHECK_EQ(warns(160 * MS), true);
	arm(165 * MS);
	CHECK_EQ(next(), 235 * MS);
	CHECK_EQ(warns(235 * MS), true);
}

/* Even if it is of the same time. */
static void warned_again_if_armed(void)
{
	struct rein_watch_rules r = sliding(0);

	r.pretimeout_ns = 30 * MS;
	watch(r);
	CHECK_EQ(warns(80 * MS), true);
	arm_for(20 * MS, 80 * MS);
	CHECK_EQ(due(), 100 * MS);
	CHECK_EQ(warns(80 * MS), true);
}

static void not_warned(void)
{
	watch(sliding(0));
	CHECK_EQ(next(), 100 * MS);
	CHECK_EQ(warns(100 * MS - 1), false);
}

/* Only of the fault that it expires with. */
static void not_warned_while_it_may_miss(void)
{
	struct rein_watch_rules r = sliding(1);

	r.pretimeout_ns = 30 * MS;
	watch(r);
	CHECK_EQ(next(), 100 * MS);
	CHECK_EQ(warns(100 * MS - 1), false);
	look(100 * MS);
	CHECK_EQ(next(), 170 * MS);
	CHECK_EQ(warns(170 * MS), true);
}

static void not_warned_with_beats_enough(void)
{
	struct rein_watch_rules r = fixed(2, 3, 0);

	r.pretimeout_ns = 30 * MS;
	watch(r);
	beat(10 * MS);
	CHECK_EQ(next(), 70 * MS);
	beat(60 * MS);
	CHECK_EQ(next(), 100 * MS);
	CHECK_EQ(warns(90 * MS), false);
	look(100 * MS);
	CHECK_EQ(next(), 170 * MS);
}

/* It is no want of a beat. */
static void not_warned_of_too_many(void)
{
	struct rein_watch_rules r = fixed(0, 3, 0);

	r.pretimeout_ns = 30 * MS;
	watch(r);
	beats(4, 10 * MS);
	CHECK_EQ(next(), 100 * MS);
	CHECK_EQ(warns(90 * MS), false);
	look(100 * MS);
	CHECK_EXPIRED(REIN_FAULT_MANY, 1, 1);
}

static void warned_of_a_unit(void)
{
	struct rein_watch_rules r = units(0);

	r.pretimeout_ns = 30 * MS;
	watch(r);
	CHECK_EQ(next(), NEVER);
	begin(10 * MS);
	CHECK_EQ(next(), 30 * MS);
	CHECK_EQ(warns(30 * MS - 1), false);
	CHECK_EQ(warns(30 * MS), true);
	CHECK_EQ(next(), 60 * MS);
	end(40 * MS);
	CHECK_EQ(next(), NEVER);
	begin(50 * MS);
	CHECK_EQ(next(), 70 * MS);
}

static void warned_of_a_short_unit_at_once(void)
{
	struct rein_watch_rules r = units(0);

	r.pretimeout_ns = 30 * MS;
	watch(r);
	begin_for(20 * MS, 10 * MS);
	CHECK_EQ(next(), 0);
	CHECK_EQ(warns(10 * MS), true);
	CHECK_EQ(next(), 30 * MS);
}

/* Before the unit is late a cycle ends, which has beats enough. */
static void warned_of_a_unit_behind_a_good_cycle(void)
{
	struct rein_watch_rules r = fixed(0, 3, 0);

	r.unit_max_ns = 110 * MS;
	r.pretimeout_ns = 30 * MS;
	watch(r);
	begin(0);
	CHECK_EQ(next(), 80 * MS);
	CHECK_EQ(warns(80 * MS), true);
	CHECK_EQ(next(), 100 * MS);
	look(100 * MS);
	CHECK_EQ(warns(100 * MS), false);
	CHECK_EQ(next(), 110 * MS);
}

/* Each would be put up with, but not both. */
static void warned_of_the_second_of_two(void)
{
	struct rein_watch_rules r = fixed(2, 0, 1);

	r.unit_max_ns = 110 * MS;
	r.pretimeout_ns = 30 * MS;
	watch(r);
	begin(0);
	CHECK_EQ(next(), 80 * MS);
	beat(10 * MS);
	CHECK_EQ(next(), 100 * MS);
	look(110 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 1, 1);
	CHECK_EQ(next(), 170 * MS);
}

static void warned_of_a_cycle_behind_a_late_unit(void)
{
	struct rein_watch_rules r = fixed(2, 0, 1);

	r.unit_max_ns = 90 * MS;
	r.pretimeout_ns = 30 * MS;
	watch(r);
	begin(0);
	CHECK_EQ(next(), 70 * MS);
	CHECK_EQ(warns(70 * MS), true);
	CHECK_EQ(next(), 90 * MS);
	look(90 * MS);
	CHECK_EQ(next(), 100 * MS);
}

/* The cycle before ends well, and the unit alone is put up with. */
static void not_warned_if_it_will_be_good_again(void)
{
	struct rein_watch_rules r = fixed(1, 3, 1);

	r.unit_max_ns = 110 * MS;
	r.pretimeout_ns = 30 * MS;
	watch(r);
	begin(100 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 1, 1);
	CHECK_EQ(next(), 200 * MS);
	look(200 * MS);
	CHECK_EQ(next(), 210 * MS);
}

/* --- who looks late --------------------------------------------------------------------- */

static void several_cycles_at_once(void)
{
	watch(sliding(5));
	look(450 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 4, 4);
	CHECK_EQ(due(), 500 * MS);
	look(YEAR);
	CHECK_EXPIRED(REIN_FAULT_SILENT, 6, 6);
}

static void cycles_and_a_unit_at_once(void)
{
	struct rein_watch_rules r = sliding(9);

	r.unit_max_ns = 150 * MS;
	watch(r);
	begin(0);
	look(199 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 2, 2);
	watch(r);
	begin(0);
	look(200 * MS);
	CHECK_RUNNING(REIN_FAULT_SILENT, 3, 3);
}

/* The unit is late before the cycle ends well: the end of the row comes last. */
static void good_cycle_behind_a_late_unit(void)
{
	struct rein_watch_rules r = fixed(0, 2, 9);

	r.unit_max_ns = 350 * MS;
	watch(r);
	begin(0);
	look(399 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 1, 1);
	watch(r);
	begin(0);
	look(400 * MS);
	CHECK_RUNNING(REIN_FAULT_LATE, 0, 1);
}

static void years_of_silence(void)
{
	watch((struct rein_watch_rules){
		.every_ns = REIN_RULE_MIN_NS, .min = 1, .miss = REIN_MISS_MAX,
	});
	look(100 * YEAR);
	CHECK_EXPIRED(REIN_FAULT_SILENT, REIN_MISS_MAX + 1, REIN_MISS_MAX + 1);
}

static void years_of_good_silence(void)
{
	u64 now = 100 * YEAR + 12345, rest;

	watch((struct rein_watch_rules){
		.every_ns = REIN_RULE_MIN_NS + 7, .grace_ns = 500 * MS,
		.max = 2, .miss = 1,
	});
	beats(3, 10 * MS);
	look(500 * MS);
	CHECK_RUNNING(REIN_FAULT_NONE, 0, 0);
	look(now);
	CHECK_RUNNING(REIN_FAULT_NONE, 0, 0);
	div64_u64_rem(now - 500 * MS, REIN_RULE_MIN_NS + 7, &rest);
	now -= rest;
	CHECK_EQ(due(), now + REIN_RULE_MIN_NS + 7);
	beats(3, due() - 1);
	look(due());
	CHECK_RUNNING(REIN_FAULT_MANY, 1, 1);
}

static void years_with_beats_before(void)
{
	watch(fixed(0, 2, 1));
	beats(3, 10 * MS);
	look(100 * YEAR);
	CHECK_RUNNING(REIN_FAULT_MANY, 0, 1);
	CHECK_EQ(due(), 100 * YEAR + 100 * MS);
}

static void years_until_a_unit_is_late(void)
{
	struct rein_watch_rules r = fixed(0, 2, 0);

	r.unit_max_ns = REIN_RULE_MAX_NS;
	watch(r);
	begin(30 * MS);
	look(100 * YEAR);
	CHECK_EXPIRED(REIN_FAULT_LATE, 1, 1);
	r.miss = 1;
	watch(r);
	begin(30 * MS);
	look(30 * MS + REIN_RULE_MAX_NS);
	CHECK_RUNNING(REIN_FAULT_LATE, 1, 1);
	look(100 * MS + REIN_RULE_MAX_NS - 1);
	CHECK_RUNNING(REIN_FAULT_LATE, 1, 1);
	look(100 * MS + REIN_RULE_MAX_NS);
	CHECK_RUNNING(REIN_FAULT_LATE, 0, 1);
}

/* How many cycles may be left out, to the nanosecond. */
static void good_silence_at_its_bounds(void)
{
	static const u64 t[] = {
		99 * MS, 100 * MS - 1, 100 * MS, 100 * MS + 1,
		200 * MS - 1, 200 * MS, 200 * MS + 1,
		300 * MS - 1, 300 * MS, 300 * MS + 1, 1000 * MS,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		watch(fixed(0, 2, 0));
		look(t[i]);
		CHECK_NO_FAULT();
		CHECK_EQ(due(), t[i] / (100 * MS) * 100 * MS + 100 * MS);
	}
}

static void good_silence_from_grace_on(void)
{
	struct rein_watch_rules r = fixed(0, 2, 0);

	r.grace_ns = 250 * MS;
	watch(r);
	look(YEAR);
	CHECK_NO_FAULT();
	CHECK_EQ(due(), YEAR + 50 * MS);
}

static void longest_times(void)
{
	watch((struct rein_watch_rules){
		.every_ns = REIN_RULE_MAX_NS, .grace_ns = REIN_RULE_MAX_NS,
		.unit_max_ns = REIN_RULE_MAX_NS, .min = 1, .miss = 1,
	});
	begin(1);
	CHECK_EQ(due(), REIN_RULE_MAX_NS + 1);
	look(REIN_RULE_MAX_NS);
	CHECK_NO_FAULT();
	look(REIN_RULE_MAX_NS + 1);
	CHECK_EXPIRED(REIN_FAULT_LATE, 2, 2);
}

/* --- rules ------------------------------------------------------------------------------ */

static void good_rules(void)
{
	const struct {
		const char *row;
		struct rein_watch_rules rules;
	} t[] = {
		{ "nothing", { 0 } },
		{ "sliding", sliding(REIN_MISS_MAX) },
		{ "fixed", fixed(2, 4, 0) },
		{ "exactly", fixed(3, 3, 0) },
		{ "at most", fixed(0, 3, 0) },
		{ "most", fixed((u32)U64_MAX, (u32)U64_MAX, 0) },
		{ "units", units(0) },
		{ "order", order(0) },
		{ "shortest", { .every_ns = REIN_RULE_MIN_NS, .min = 1 } },
		{ "longest", { .every_ns = REIN_RULE_MAX_NS, .min = 1,
			       .grace_ns = REIN_RULE_MAX_NS,
			       .unit_min_ns = REIN_RULE_MAX_NS - 1,
			       .unit_max_ns = REIN_RULE_MAX_NS } },
		{ "shortest grace", { .every_ns = SEC, .min = 1,
				      .grace_ns = REIN_RULE_MIN_NS } },
		{ "unit not too short", { .unit_min_ns = REIN_RULE_MAX_NS } },
		{ "warned of a cycle", { .every_ns = SEC, .min = 1,
					 .pretimeout_ns = SEC - 1 } },
		{ "warned of a unit", { .unit_max_ns = SEC,
					.pretimeout_ns = SEC - 1 } },
		{ "warned of both", { .every_ns = 2 * SEC, .min = 1,
				      .unit_max_ns = SEC,
				      .pretimeout_ns = SEC - 1 } },
		{ "last checkpoint", { .first = 1 << 15,
				       .next = { [15] = 0xffff } } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		unit_row = t[i].row;
		CHECK_EQ(rein_pulse_rules_good(&t[i].rules), true);
	}
}

static void wrong_rules(void)
{
	static const struct {
		const char *row;
		struct rein_watch_rules rules;
	} t[] = {
		{ "short cycle", { .every_ns = REIN_RULE_MIN_NS - 1, .min = 1 } },
		{ "long cycle", { .every_ns = REIN_RULE_MAX_NS + 1, .min = 1 } },
		{ "short grace", { .every_ns = SEC, .min = 1,
				   .grace_ns = REIN_RULE_MIN_NS - 1 } },
		{ "long grace", { .every_ns = SEC, .min = 1,
				  .grace_ns = REIN_RULE_MAX_NS + 1 } },
		{ "short pretimeout", { .every_ns = SEC, .min = 1,
					.pretimeout_ns = REIN_RULE_MIN_NS - 1 } },
		{ "short unit_min", { .unit_min_ns = REIN_RULE_MIN_NS - 1 } },
		{ "long unit_min", { .unit_min_ns = REIN_RULE_MAX_NS + 1 } },
		{ "short unit_max", { .unit_max_ns = REIN_RULE_MIN_NS - 1 } },
		{ "long unit_max", { .unit_max_ns = REIN_RULE_MAX_NS + 1 } },
		{ "unit_min over unit_max", { .unit_min_ns = 2 * SEC,
					      .unit_max_ns = SEC } },
		/* Who ends when it is due is late. */
		{ "no time between them", { .unit_min_ns = SEC,
					    .unit_max_ns = SEC } },
		{ "miss", { .every_ns = SEC, .min = 1,
			    .miss = REIN_MISS_MAX + 1 } },
		{ "grace without cycle", { .grace_ns = SEC } },
		{ "min without cycle", { .min = 1 } },
		{ "max without cycle", { .max = 1 } },
		{ "cycle without beats", { .every_ns = SEC } },
		{ "min over max", { .every_ns = SEC, .min = 3, .max = 2 } },
		{ "first too high", { .first = 1 << 16 } },
		{ "some too high", { .first = 1 | 1U << 31 } },
		{ "next without first", { .next = { 1 } } },
		{ "last next without first", { .next = { [15] = 1 << 15 } } },
		{ "warned of nothing", { .pretimeout_ns = SEC } },
		{ "warned of no unit", { .unit_min_ns = 2 * SEC,
					 .pretimeout_ns = SEC } },
		{ "warned a cycle before", { .every_ns = SEC, .min = 1,
					     .pretimeout_ns = SEC } },
		{ "warned before grace", { .every_ns = 2 * SEC, .min = 1,
					   .grace_ns = SEC,
					   .pretimeout_ns = SEC } },
		{ "warned a unit before", { .unit_max_ns = SEC,
					    .pretimeout_ns = SEC } },
		{ "warned before the shorter", { .every_ns = SEC, .min = 1,
						 .unit_max_ns = 2 * SEC,
						 .pretimeout_ns = SEC } },
		{ "or the other", { .every_ns = 2 * SEC, .min = 1,
				    .unit_max_ns = SEC, .pretimeout_ns = SEC } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		unit_row = t[i].row;
		CHECK_EQ(rein_pulse_rules_good(&t[i].rules), false);
	}
}

static void shortest(void)
{
	static const struct {
		const char *row;
		u64 every, grace, unit_max, expected;
	} t[] = {
		{ "nothing", 0, 0, 0, 0 },
		{ "cycle", 5, 0, 0, 5 },
		{ "unit", 0, 0, 6, 6 },
		{ "cycle, unit", 5, 0, 6, 5 },
		{ "unit, cycle", 7, 0, 6, 6 },
		{ "longer grace", 5, 9, 6, 5 },
		{ "shorter grace", 5, 4, 6, 4 },
		{ "grace, no unit", 5, 4, 0, 4 },
		{ "unit, grace", 5, 4, 3, 3 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct rein_watch_rules r = {
			.every_ns = t[i].every,
			.grace_ns = t[i].grace,
			.unit_min_ns = 1,
			.unit_max_ns = t[i].unit_max,
		};

		unit_row = t[i].row;
		CHECK_EQ(rein_pulse_shortest(&r), t[i].expected);
	}
}

static const struct unit_test pulse_rules[] = {
	UNIT_TEST(silent_when_due),
	UNIT_TEST(beat_in_time),
	UNIT_TEST(beat_when_due_is_too_late),
	UNIT_TEST(beat_begins_a_cycle),
	UNIT_TEST(many_beats_are_one),
	UNIT_TEST(no_beats_are_a_look),
	UNIT_TEST(puts_up_with_misses),
	UNIT_TEST(beat_ends_a_row),
	UNIT_TEST(grace_is_the_first_cycle),
	UNIT_TEST(beat_ends_grace),
	UNIT_TEST(grace_may_be_shorter),
	UNIT_TEST(grace_of_one_arming),
	UNIT_TEST(grace_without_cycles),
	UNIT_TEST(beats_in_grace_count),
	UNIT_TEST(beats_enough),
	UNIT_TEST(beats_too_few),
	UNIT_TEST(beats_too_many),
	UNIT_TEST(beats_seen_late),
	UNIT_TEST(beats_exactly),
	UNIT_TEST(more_than_counted),
	UNIT_TEST(one_at_most_does_not_slide),
	UNIT_TEST(two_at_least_do_not_slide),
	UNIT_TEST(beat_when_due_is_of_the_next),
	UNIT_TEST(good_cycle_ends_a_row),
	UNIT_TEST(silence_is_good_without_min),
	UNIT_TEST(no_cycles),
	UNIT_TEST(unit_as_it_should_be),
	UNIT_TEST(unit_at_its_bounds),
	UNIT_TEST(unit_late_when_due),
	UNIT_TEST(unit_late_once),
	UNIT_TEST(late_unit_is_nothing_to_the_next),
	UNIT_TEST(good_unit_ends_a_row),
	UNIT_TEST(unit_limits),
	UNIT_TEST(limit_is_of_one_unit),
	UNIT_TEST(unit_both_late_and_early),
	UNIT_TEST(begin_replaces_a_good_unit),
	UNIT_TEST(begin_replaces_an_early_unit),
	UNIT_TEST(begin_replaces_a_late_unit),
	UNIT_TEST(end_of_nothing),
	UNIT_TEST(begin_is_a_beat_and_end_is_none),
	UNIT_TEST(overrun_while_cycles_go_on),
	UNIT_TEST(good_unit_ends_no_row_of_cycles),
	UNIT_TEST(early_unit_before_the_beat),
	UNIT_TEST(cycle_before_a_unit_of_the_same_time),
	UNIT_TEST(first_checkpoint),
	UNIT_TEST(checkpoints_in_order),
	UNIT_TEST(checkpoint_out_of_order),
	UNIT_TEST(last_checkpoint),
	UNIT_TEST(order_goes_on_from_where_it_is),
	UNIT_TEST(order_not_looked_at),
	UNIT_TEST(checkpoint_is_a_beat),
	UNIT_TEST(good_checkpoint_ends_no_row_of_cycles),
	UNIT_TEST(expired_until_armed),
	UNIT_TEST(armed_anew),
	UNIT_TEST(disarmed),
	UNIT_TEST(warned_once),
	UNIT_TEST(warned_of_each_cycle),
	UNIT_TEST(warned_again_if_armed),
	UNIT_TEST(not_warned),
	UNIT_TEST(not_warned_while_it_may_miss),
	UNIT_TEST(not_warned_with_beats_enough),
	UNIT_TEST(not_warned_of_too_many),
	UNIT_TEST(warned_of_a_unit),
	UNIT_TEST(warned_of_a_short_unit_at_once),
	UNIT_TEST(warned_of_a_unit_behind_a_good_cycle),
	UNIT_TEST(warned_of_the_second_of_two),
	UNIT_TEST(warned_of_a_cycle_behind_a_late_unit),
	UNIT_TEST(not_warned_if_it_will_be_good_again),
	UNIT_TEST(several_cycles_at_once),
	UNIT_TEST(cycles_and_a_unit_at_once),
	UNIT_TEST(good_cycle_behind_a_late_unit),
	UNIT_TEST(years_of_silence),
	UNIT_TEST(years_of_good_silence),
	UNIT_TEST(years_with_beats_before),
	UNIT_TEST(years_until_a_unit_is_late),
	UNIT_TEST(good_silence_at_its_bounds),
	UNIT_TEST(good_silence_from_grace_on),
	UNIT_TEST(longest_times),
	UNIT_TEST(good_rules),
	UNIT_TEST(wrong_rules),
	UNIT_TEST(shortest),
};

#endif /* REIN_PULSE_RULES_H */
