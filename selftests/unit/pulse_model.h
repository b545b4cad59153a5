/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What watches promise, with the comment of struct rein_watch_rules for its text. A model keeps
 * a log of what came since the watch was armed, and works out from the beginning, whenever
 * asked, what all of that means: it lists how the cycles ended, when units were late and
 * what came of each thing that came, puts the three lists in order, and counts. It knows
 * nothing of what the pulse remembers.
 *
 * And random rules, with numbers of chance.h.
 */
#ifndef REIN_UNIT_PULSE_MODEL_H
#define REIN_UNIT_PULSE_MODEL_H

#include <string.h>

#include "chance.h"
#include "pulse.h"

#define NEVER			U64_MAX
#define MAX_VERDICTS		4096
#define MAX_LOG			80

/**
 * struct entry - what came
 * @kind:	an end is none of a unit if none is under way
 * @now:	when; not before what came before
 * @value:	how many beats, the deadline of a unit, or which checkpoint
 */
struct entry {
	enum rein_beat_kind kind;
	u64 now, value;
};

struct verdict {
	u64 now;
	enum rein_fault fault;	/* none: what was as it should be */
};

struct verdicts {
	int n;
	struct verdict list[MAX_VERDICTS];
};

struct outcome {
	u32 status, fault, misses;
	u64 faults;
	u32 kinds[REIN_PULSE_FAULTS];
	u64 expired_at;
	u64 cycle_from, cycle_to, beats;
	bool busy, late;
	u64 unit_from, unit_due;
	u32 at;
};

/**
 * struct model - a watch
 * @rules:	what it expects
 * @armed:	it is
 * @since:	when it was
 * @first:	how long the first cycle is
 * @n_log:	how much came since
 * @log:	what
 * @cycles:	how they ended
 * @lates:	units that were late
 * @others:	what came of the rest
 * @too_long:	for these lists: nothing can be said
 */
struct model {
	struct rein_watch_rules rules;
	bool armed;
	u64 since, first;
	int n_log;
	struct entry log[MAX_LOG];
	struct verdicts cycles, lates, others;
	bool too_long;
};

static inline void add(struct model *m, struct verdicts *v, u64 now, enum rein_fault fault)
{
	if (v->n == MAX_VERDICTS) {
		m->too_long = true;
		return;
	}
	v->list[v->n++] = (struct verdict){ now, fault };
}

static bool slides(struct model *m)
{
	return m->rules.min == 1 && !m->rules.max;
}

/* How many beats of a cycle it is. */
static u64 beats_of(const struct entry *e)
{
	switch (e->kind) {
	case REIN_BEAT:
		return e->value;
	case REIN_BEAT_BEGIN:
	case REIN_BEAT_CHECKPOINT:
		return 1;
	default:
		return 0;
	}
}

/* After so many in a row nothing matters any more. */
static bool list_silent(struct model *m, struct outcome *o, u64 until)
{
	u32 row = 0;

	while (o->cycle_to <= until && row++ <= m->rules.miss) {
		add(m, &m->cycles, o->cycle_to, REIN_FAULT_SILENT);
		o->cycle_from = o->cycle_to;
		o->cycle_to += m->rules.every_ns;
	}
	return o->cycle_to > until;
}

static void list_sliding(struct model *m, struct outcome *o, u64 now)
{
	int i;

	for (i = 0; i < m->n_log; i++) {
		if (!beats_of(&m->log[i]))
			continue;
		if (!list_silent(m, o, m->log[i].now))
			return;
		o->cycle_from = m->log[i].now;
		o->cycle_to = o->cycle_from + m->rules.every_ns;
	}
	list_silent(m, o, now);
}

static u64 beats_between(struct model *m, u64 from, u64 to)
{
	__uint128_t sum = 0;
	int i;

	for (i = 0; i < m->n_log; i++)
		if (m->log[i].now >= from && m->log[i].now < to)
			sum += beats_of(&m->log[i]);
	return sum > U64_MAX ? U64_MAX : (u64)sum;
}

static enum rein_fault cycle_fault(struct model *m, u64 beats, u64 length)
{
	if (beats < m->rules.min)
		return REIN_FAULT_SILENT;
	if (m->rules.max && beats > m->rules.max && length <= m->rules.every_ns)
		return REIN_FAULT_MANY;
	return REIN_FAULT_NONE;
}

static void list_fixed(struct model *m, struct outcome *o, u64 now)
{
	u32 row = 0;

	for (;;) {
		enum rein_fault fault;

		o->beats = beats_between(m, o->cycle_from, o->cycle_to);
		if (o->cycle_to > now || row > m->rules.miss || m->too_long)
			return;
		fault = cycle_fault(m, o->beats, o->cycle_to - o->cycle_from);
		row = fault ? row + 1 : 0;
		add(m, &m->cycles, o->cycle_to, fault);
		o->cycle_from = o->cycle_to;
		o->cycle_to += m->rules.every_ns;
	}
}

static void list_cycles(struct model *m, struct outcome *o, u64 now)
{
	o->cycle_from = m->since;
	o->cycle_to = m->rules.every_ns ? m->since + m->first : NEVER;
	if (!m->rules.every_ns)
		return;
	if (slides(m))
		list_sliding(m, o, now);
	else
		list_fixed(m, o, now);
}

/* When the unit that begins there has to be over. */
static u64 deadline(struct model *m, const struct entry *e)
{
	u64 limit = NEVER;

	if (m->rules.unit_max_ns)
		limit = m->rules.unit_max_ns;
	if (e->value && e->value < limit)
		limit = e->value;
	return limit >= NEVER - e->now ? NEVER : e->now + limit;
}

static const struct entry *end_of(struct model *m, const struct entry *begin)
{
	const struct entry *e;

	for (e = begin + 1; e < m->log + m->n_log; e++)
		if (e->kind == REIN_BEAT_BEGIN || e->kind == REIN_BEAT_END)
			return e;
	return NULL;
}

static void list_lates(struct model *m, struct outcome *o, u64 now)
{
	const struct entry *e, *end;

	o->unit_due = NEVER;
	for (e = m->log; e < m->log + m->n_log; e++) {
		if (e->kind != REIN_BEAT_BEGIN)
			continue;
		end = end_of(m, e);
		if (deadline(m, e) <= (end ? end->now : now))
			add(m, &m->lates, deadline(m, e), REIN_FAULT_LATE);
		if (end)
			continue;
		o->busy = true;
		o->unit_from = e->now;
		o->late = deadline(m, e) <= now;
		if (!o->late)
			o->unit_due = deadline(m, e);
	}
}

/* What was as it should be, but no cycle, counts where there are none. */
static void good_but_no_cycle(struct model *m, u64 now)
{
	if (!m->rules.every_ns)
		add(m, &m->others, now, REIN_FAULT_NONE);
}

/* Does a unit end there? Which? */
static const struct entry *ended_by(struct model *m, const struct entry *end)
{
	const struct entry *e;

	if (end->kind != REIN_BEAT_BEGIN && end->kind != REIN_BEAT_END)
		return NULL;
	for (e = m->log; e < end; e++)
		if (e->kind == REIN_BEAT_BEGIN && end_of(m, e) == end)
			return e;
	return NULL;
}

static void list_others(struct model *m, struct outcome *o)
{
	const struct entry *e, *unit;

	o->at = REIN_PULSE_NOWHERE;
	for (e = m->log; e < m->log + m->n_log; e++) {
		unit = ended_by(m, e);
		if (unit && e->now - unit->now < m->rules.unit_min_ns)
			add(m, &m->others, e->now, REIN_FAULT_EARLY);
		else if (unit && deadline(m, unit) > e->now)
			good_but_no_cycle(m, e->now);
		if (m->rules.every_ns && slides(m) && beats_of(e))
			add(m, &m->others, e->now, REIN_FAULT_NONE);
		if (e->kind != REIN_BEAT_CHECKPOINT)
			continue;
		if (m->rules.first) {
			u32 may = o->at == REIN_PULSE_NOWHERE ?
				  m->rules.first : m->rules.next[o->at];

			if (may & 1U << e->value)
				good_but_no_cycle(m, e->now);
			else
				add(m, &m->others, e->now, REIN_FAULT_ORDER);
		}
		o->at = e->value;
	}
}

static void count(struct model *m, struct outcome *o, const struct verdict *v)
{
	if (!v->fault) {
		o->misses = 0;
		return;
	}
	o->fault = v->fault;
	o->faults++;
	o->kinds[v->fault]++;
	if (++o->misses <= m->rules.miss)
		return;
	o->status = REIN_WATCH_EXPIRED;
	o->expired_at = v->now;
}

/* Of the same time: first cycles, then units that are late, then what came. */
static void count_all(struct model *m, struct outcome *o)
{
	const struct verdicts *lists[] = { &m->cycles, &m->lates, &m->others };
	int at[3] = { 0 };

	while (o->status == REIN_WATCH_RUNNING) {
		int i, best = -1;

		for (i = 0; i < 3; i++)
			if (at[i] < lists[i]->n &&
			    (best < 0 || lists[i]->list[at[i]].now <
					 lists[best]->list[at[best]].now))
				best = i;
		if (best < 0)
			return;
		count(m, o, &lists[best]->list[at[best]++]);
	}
}

static struct outcome oracle(struct model *m, u64 now)
{
	struct outcome o = { .status = REIN_WATCH_OFF };

	m->cycles.n = 0;
	m->lates.n = 0;
	m->others.n = 0;
	list_lates(m, &o, now);
	list_others(m, &o);
	if (!m->armed)
		return o;
	o.status = REIN_WATCH_RUNNING;
	list_cycles(m, &o, now);
	count_all(m, &o);
	return o;
}

static u64 due_of(const struct outcome *o)
{
	if (o->status != REIN_WATCH_RUNNING)
		return NEVER;
	return o->cycle_to < o->unit_due ? o->cycle_to : o->unit_due;
}

/* --- random rules ------------------------------------------------------------------------- */

/* Of NEXT a byte each, of the upper half for the upper. */
enum rule {
	EVERY, GRACE, PRETIMEOUT, UNIT_MIN, UNIT_MAX, MISS, MIN, MAX, FIRST, NEXT,
	RULES
};

struct profile {
	bool slides, cycles, units, order;
	bool wrong;		/* rules may be wrong */
};

static struct rein_watch_rules rules_of(const u64 *v)
{
	struct rein_watch_rules r = {
		.every_ns = v[EVERY],
		.grace_ns = v[GRACE],
		.pretimeout_ns = v[PRETIMEOUT],
		.unit_min_ns = v[UNIT_MIN],
		.unit_max_ns = v[UNIT_MAX],
		.miss = v[MISS],
		.min = v[MIN],
		.max = v[MAX],
		.first = v[FIRST],
	};
	int i;

	for (i = 0; i < REIN_CHECKPOINTS; i++)
		r.next[i] = (v[NEXT] >> i % 8 * 8 & 0xff) << i / 8 * 8;
	return r;
}

static void some_cycles(u64 *v, const struct profile *p, u64 unit)
{
	v[EVERY] = unit * (2 + below(5));
	v[GRACE] = below(2) ? 0 : unit * (2 + below(9));
	v[MIN] = 1;
	if (p->slides)
		return;
	v[MAX] = below(5);
	v[MIN] = v[MAX] ? below(v[MAX] + 1) : 1 + below(3);
}

static void some_rules(u64 *v, const struct profile *p, u64 unit)
{
	v[MISS] = below(8) ? below(4) : below(20) ? below(20) : 1000;
	if (p->cycles)
		some_cycles(v, p, unit);
	if (p->units) {
		v[UNIT_MAX] = below(4) ? unit * (2 + below(12)) : 0;
		v[UNIT_MIN] = below(2) ? unit * below(3) : 0;
	}
	if (p->order) {
		v[FIRST] = 1 + below(7);
		v[NEXT] = random_u64() & random_u64();
		v[NEXT] |= random_u64() & 0x0f0f0f0f;
	}
	if (below(2) && (v[EVERY] || v[UNIT_MAX]))
		v[PRETIMEOUT] = below(2) ? unit : unit + unit / 2;
	if (v[UNIT_MIN] >= v[UNIT_MAX] && v[UNIT_MAX])
		v[UNIT_MIN] = 0;
}

#endif /* REIN_UNIT_PULSE_MODEL_H */
