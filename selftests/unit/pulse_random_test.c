// SPDX-License-Identifier: GPL-2.0
/*
 * Random beats, units and checkpoints, compared with an oracle that has the comment of
 * struct rein_watch_rules for its text. It keeps a log of what came since the watch was
 * armed, and each time works out from the beginning what all of that means: it lists how
 * the cycles ended, when units were late and what came of each thing that came, puts the
 * three lists in order, and counts. It knows nothing of what the pulse remembers.
 *
 * A second pulse is looked at in between, at any time or as by a timer: it has to be the
 * same. So nothing depends on who looks when, nothing happens before it is to be looked
 * at again, and no fault before its time.
 */
#include "pulse.h"

#define MS			1000000ULL
#define SEC			1000000000ULL
#define DAY			(86400 * SEC)
#define YEAR			(365 * DAY)
#define NEVER			U64_MAX
#define END_OF_TIME		(1ULL << 63)
#define OPS_PER_CASE		80
#define DEFAULT_OPS		4000000ULL
#define MAX_VERDICTS		4096
#define TIMER_LOOKS		30
#define VALUES			3

enum op_kind {
	OP_STEP,		/* clock + a; c: who looks in between */
	OP_UNTIL,		/* when something is due, by a, and b; c likewise */
	OP_SILENCE,		/* a good cycle, and a more */
	OP_LOOK,
	OP_WARN,
	OP_BEAT,		/* a of them */
	OP_BEGIN,		/* within a */
	OP_END,
	OP_CHECKPOINT,		/* a */
	OP_ARM,			/* with a grace of a */
	OP_DISARM,
};

struct op {
	enum op_kind kind;
	u64 v[VALUES];
};

enum rule {
	EVERY, GRACE, PRETIMEOUT, UNIT_MIN, UNIT_MAX, MISS, MIN, MAX, FIRST, NEXT,
	RULES
};

struct test_case {
	u64 start;
	u64 rules[RULES];	/* of NEXT a byte each, of the upper half for the upper */
	int count;
	struct op ops[OPS_PER_CASE];
};

struct profile {
	bool slides, cycles, units, order;
	bool wrong;		/* rules may be wrong */
};

#include "random.h"

/* --- the oracle ------------------------------------------------------------------------- */

struct entry {
	enum op_kind kind;
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

struct subject {
	const char *name;
	struct rein_pulse pulse;
	u64 warned;
};

static struct {
	struct rein_watch_rules rules;
	u64 now;
	struct subject one, other;

	bool armed;
	u64 since, first;		/* when it was, and the first cycle */
	struct outcome before;		/* faults, before it was */
	struct outcome seen;		/* as of the last look */
	int n_log;
	struct entry log[OPS_PER_CASE];

	struct verdicts cycles, lates, others;
	bool too_long;			/* for the lists */
} w;

static void add(struct verdicts *v, u64 now, enum rein_fault fault)
{
	if (v->n == MAX_VERDICTS) {
		w.too_long = true;
		return;
	}
	v->list[v->n++] = (struct verdict){ now, fault };
}

static bool slides(void)
{
	return w.rules.min == 1 && !w.rules.max;
}

/* How many beats of a cycle it is. */
static u64 beats_of(const struct entry *e)
{
	switch (e->kind) {
	case OP_BEAT:
		return e->value;
	case OP_BEGIN:
	case OP_CHECKPOINT:
		return 1;
	default:
		return 0;
	}
}

/* After so many in a row nothing matters any more. */
static bool list_silent(struct outcome *o, u64 until)
{
	u32 row = 0;

	while (o->cycle_to <= until && row++ <= w.rules.miss) {
		add(&w.cycles, o->cycle_to, REIN_FAULT_SILENT);
		o->cycle_from = o->cycle_to;
		o->cycle_to += w.rules.every_ns;
	}
	return o->cycle_to > until;
}

static void list_sliding(struct outcome *o, u64 now)
{
	int i;

	for (i = 0; i < w.n_log; i++) {
		if (!beats_of(&w.log[i]))
			continue;
		if (!list_silent(o, w.log[i].now))
			return;
		o->cycle_from = w.log[i].now;
		o->cycle_to = o->cycle_from + w.rules.every_ns;
	}
	list_silent(o, now);
}

static u64 beats_between(u64 from, u64 to)
{
	__uint128_t sum = 0;
	int i;

	for (i = 0; i < w.n_log; i++)
		if (w.log[i].now >= from && w.log[i].now < to)
			sum += beats_of(&w.log[i]);
	return sum > U64_MAX ? U64_MAX : (u64)sum;
}

static enum rein_fault cycle_fault(u64 beats, u64 length)
{
	if (beats < w.rules.min)
		return REIN_FAULT_SILENT;
	if (w.rules.max && beats > w.rules.max && length <= w.rules.every_ns)
		return REIN_FAULT_MANY;
	return REIN_FAULT_NONE;
}

static void list_fixed(struct outcome *o, u64 now)
{
	u32 row = 0;

	for (;;) {
		enum rein_fault fault;

		o->beats = beats_between(o->cycle_from, o->cycle_to);
		if (o->cycle_to > now || row > w.rules.miss || w.too_long)
			return;
		fault = cycle_fault(o->beats, o->cycle_to - o->cycle_from);
		row = fault ? row + 1 : 0;
		add(&w.cycles, o->cycle_to, fault);
		o->cycle_from = o->cycle_to;
		o->cycle_to += w.rules.every_ns;
	}
}

static void list_cycles(struct outcome *o, u64 now)
{
	o->cycle_from = w.since;
	o->cycle_to = w.rules.every_ns ? w.since + w.first : NEVER;
	if (!w.rules.every_ns)
		return;
	if (slides())
		list_sliding(o, now);
	else
		list_fixed(o, now);
}

/* When the unit that begins there has to be over. */
static u64 deadline(const struct entry *e)
{
	u64 limit = NEVER;

	if (w.rules.unit_max_ns)
		limit = w.rules.unit_max_ns;
	if (e->value && e->value < limit)
		limit = e->value;
	return limit >= NEVER - e->now ? NEVER : e->now + limit;
}

static const struct entry *end_of(const struct entry *begin)
{
	const struct entry *e;

	for (e = begin + 1; e < w.log + w.n_log; e++)
		if (e->kind == OP_BEGIN || e->kind == OP_END)
			return e;
	return NULL;
}

static void list_lates(struct outcome *o, u64 now)
{
	const struct entry *e, *end;

	o->unit_due = NEVER;
	for (e = w.log; e < w.log + w.n_log; e++) {
		if (e->kind != OP_BEGIN)
			continue;
		end = end_of(e);
		if (deadline(e) <= (end ? end->now : now))
			add(&w.lates, deadline(e), REIN_FAULT_LATE);
		if (end)
			continue;
		o->busy = true;
		o->unit_from = e->now;
		o->late = deadline(e) <= now;
		if (!o->late)
			o->unit_due = deadline(e);
	}
}

/* What was as it should be, but no cycle, counts where there are none. */
static void good_but_no_cycle(u64 now)
{
	if (!w.rules.every_ns)
		add(&w.others, now, REIN_FAULT_NONE);
}

/* Does a unit end there? Which? */
static const struct entry *ended_by(const struct entry *end)
{
	const struct entry *e;

	if (end->kind != OP_BEGIN && end->kind != OP_END)
		return NULL;
	for (e = w.log; e < end; e++)
		if (e->kind == OP_BEGIN && end_of(e) == end)
			return e;
	return NULL;
}

static void list_others(struct outcome *o)
{
	const struct entry *e, *unit;

	o->at = REIN_PULSE_NOWHERE;
	for (e = w.log; e < w.log + w.n_log; e++) {
		unit = ended_by(e);
		if (unit && e->now - unit->now < w.rules.unit_min_ns)
			add(&w.others, e->now, REIN_FAULT_EARLY);
		else if (unit && deadline(unit) > e->now)
			good_but_no_cycle(e->now);
		if (w.rules.every_ns && slides() && beats_of(e))
			add(&w.others, e->now, REIN_FAULT_NONE);
		if (e->kind != OP_CHECKPOINT)
			continue;
		if (w.rules.first) {
			u32 may = o->at == REIN_PULSE_NOWHERE ?
				  w.rules.first : w.rules.next[o->at];

			if (may & 1U << e->value)
				good_but_no_cycle(e->now);
			else
				add(&w.others, e->now, REIN_FAULT_ORDER);
		}
		o->at = e->value;
	}
}

static void count(struct outcome *o, const struct verdict *v)
{
	if (!v->fault) {
		o->misses = 0;
		return;
	}
	o->fault = v->fault;
	o->faults++;
	o->kinds[v->fault]++;
	if (++o->misses <= w.rules.miss)
		return;
	o->status = REIN_WATCH_EXPIRED;
	o->expired_at = v->now;
}

/* Of the same time: first cycles, then units that are late, then what came. */
static void count_all(struct outcome *o)
{
	const struct verdicts *lists[] = { &w.cycles, &w.lates, &w.others };
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
		count(o, &lists[best]->list[at[best]++]);
	}
}

static struct outcome oracle(u64 now)
{
	struct outcome o = { .status = REIN_WATCH_OFF };

	w.cycles.n = 0;
	w.lates.n = 0;
	w.others.n = 0;
	list_lates(&o, now);
	list_others(&o);
	if (!w.armed)
		return o;
	o.status = REIN_WATCH_RUNNING;
	list_cycles(&o, now);
	count_all(&o);
	return o;
}

static u64 due_of(const struct outcome *o)
{
	if (o->status != REIN_WATCH_RUNNING)
		return NEVER;
	return o->cycle_to < o->unit_due ? o->cycle_to : o->unit_due;
}

/*
 * What is to be warned of by the time that something is due, if nothing comes: who
 * expires so soon after that for want of something.
 */
static u64 expires(const struct outcome *o)
{
	u64 due = due_of(o);
	struct outcome then;

	if (!w.rules.pretimeout_ns || due == NEVER)
		return NEVER;
	then = oracle(due + w.rules.pretimeout_ns);
	if (then.status != REIN_WATCH_EXPIRED || then.fault == REIN_FAULT_MANY)
		return NEVER;
	return then.expired_at;
}

static u64 warn_at(u64 expires, const struct subject *s)
{
	if (expires == NEVER || expires == s->warned)
		return NEVER;
	return expires > w.rules.pretimeout_ns ?
	       expires - w.rules.pretimeout_ns : 0;
}

/* Which rules there may be. */
static bool rules_good(void)
{
	const struct rein_watch_rules *r = &w.rules;
	const u64 times[] = { r->every_ns, r->unit_max_ns, r->grace_ns,
			      r->unit_min_ns, r->pretimeout_ns };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(times); i++)
		if (times[i] && (times[i] < MS || times[i] > 10 * YEAR))
			return false;
	for (i = 0; i < 3; i++)
		if (r->pretimeout_ns && times[i] &&
		    r->pretimeout_ns >= times[i])
			return false;
	if (r->pretimeout_ns && !times[0] && !times[1])
		return false;
	if (r->miss > 1000 || r->first > 0xffff)
		return false;
	if (!r->every_ns && (r->grace_ns || r->min || r->max))
		return false;
	if (r->every_ns && !r->min && !r->max)
		return false;
	if (r->max && r->min > r->max)
		return false;
	if (r->unit_max_ns && r->unit_min_ns >= r->unit_max_ns)
		return false;
	for (i = 0; i < REIN_CHECKPOINTS; i++)
		if (r->next[i] && !r->first)
			return false;
	return true;
}

/* --- is it so? ----------------------------------------------------------------------------- */

static bool same(const struct subject *s, u64 now, const char *what, u64 want,
		 u64 seen)
{
	if (seen == want)
		return true;
	return wrong("%s at %llu, %s: expected %llu, seen %llu", s->name, now,
		     what, want, seen);
}

static bool check_running(const struct subject *s, u64 now,
			  const struct outcome *o)
{
	const struct rein_pulse *p = &s->pulse;
	u64 warn = warn_at(expires(o), s), due = due_of(o);

	if (!same(s, now, "due", due, rein_pulse_due(p)) ||
	    !same(s, now, "next", warn < due ? warn : due,
		  rein_pulse_next(p, &w.rules)))
		return false;
	if (o->status != REIN_WATCH_RUNNING)
		return true;
	if (o->busy && !same(s, now, "late", o->late, p->late))
		return false;
	if (!w.rules.every_ns)
		return true;
	return same(s, now, "cycle", o->cycle_from, p->from_ns) &&
	       same(s, now, "beats", o->beats, p->beats);
}

static bool same_kinds(const struct subject *s, u64 now, const struct outcome *o)
{
	int i;

	for (i = 0; i < REIN_PULSE_FAULTS; i++)
		if (!same(s, now, "faults of a kind",
			  w.before.kinds[i] + o->kinds[i], s->pulse.kinds[i]))
			return false;
	return true;
}

static bool check(const struct subject *s, u64 now, const struct outcome *o)
{
	const struct rein_pulse *p = &s->pulse;

	return same(s, now, "status", o->status, p->status) &&
	       same(s, now, "fault", o->fault, p->fault) &&
	       same(s, now, "misses", o->misses, p->misses) &&
	       same(s, now, "faults", w.before.faults + o->faults, p->faults) &&
	       same_kinds(s, now, o) &&
	       same(s, now, "checkpoint", o->at, p->at) &&
	       same(s, now, "busy", o->busy, p->busy) &&
	       (!o->busy ||
		same(s, now, "unit", o->unit_from, p->unit_from_ns)) &&
	       check_running(s, now, o);
}

/* But of what they were warned of. */
static bool equal(const struct rein_pulse *a, const struct rein_pulse *b)
{
	return a->status == b->status && a->fault == b->fault &&
	       a->misses == b->misses && a->faults == b->faults &&
	       a->from_ns == b->from_ns && a->length_ns == b->length_ns &&
	       a->beats == b->beats && a->busy == b->busy &&
	       a->unit_from_ns == b->unit_from_ns &&
	       a->unit_due_ns == b->unit_due_ns && a->late == b->late &&
	       a->at == b->at;
}

/* After both have seen to what was due. */
static bool check_both(void)
{
	w.seen = oracle(w.now);
	if (w.too_long)
		return true;
	if (!check(&w.one, w.now, &w.seen) || !check(&w.other, w.now, &w.seen))
		return false;
	if (!equal(&w.one.pulse, &w.other.pulse))
		return wrong("at %llu: expected the same of who was looked at more often",
			     w.now);
	return true;
}

static bool look(struct subject *s, u64 now)
{
	struct outcome o = oracle(now);

	rein_pulse_look(&s->pulse, &w.rules, now);
	return w.too_long || check(s, now, &o);
}

static bool warn(struct subject *s, u64 now)
{
	struct outcome o;
	u64 expected;

	if (!look(s, now))
		return false;
	o = oracle(now);
	expected = expires(&o);
	if (!same(s, now, "warns", warn_at(expected, s) <= now,
		  rein_pulse_warns(&s->pulse, &w.rules, now)))
		return false;
	if (warn_at(expected, s) <= now)
		s->warned = expected;
	/* Once is enough. */
	return same(s, now, "warns again", false,
		    rein_pulse_warns(&s->pulse, &w.rules, now)) &&
	       check(s, now, &o);
}

/* Nothing happens until it is to be looked at again. */
static bool look_as_a_timer(struct subject *s, u64 until)
{
	int i;

	for (i = 0; i < TIMER_LOOKS; i++) {
		u64 next = rein_pulse_next(&s->pulse, &w.rules);
		struct rein_pulse before = s->pulse;

		if (next > until)
			next = until + 1;
		if (next > w.now) {
			rein_pulse_look(&s->pulse, &w.rules, next - 1);
			if (!equal(&before, &s->pulse) ||
			    rein_pulse_warns(&s->pulse, &w.rules, next - 1))
				return wrong("%s: expected nothing before %llu",
					     s->name, next);
		}
		if (next > until)
			return true;
		if (!warn(s, next < w.now ? w.now : next))
			return false;
	}
	return true;
}

static bool look_in_between(struct subject *s, u64 until, u64 seed)
{
	u64 now = w.now;
	int i;

	for (i = 0; i < 3; i++) {
		now += seed % (until - now + 1);
		seed = seed * 0xd1342543de82ef95ULL + 1;
		if (!look(s, now))
			return false;
	}
	return true;
}

/* --- operations ------------------------------------------------------------------------- */

static bool go_on(u64 until, u64 how)
{
	bool good = true;

	if (until > END_OF_TIME || until < w.now)
		return true;
	if (how % 3 == 1)
		good = look_in_between(&w.other, until, how);
	else if (how % 3 == 2)
		good = warn(&w.other, w.now) &&
		       look_as_a_timer(&w.other, until);
	w.now = until;
	return good || w.too_long;
}

/* Just before, when, or just after something is due. */
static u64 until(const u64 *v)
{
	struct outcome o = oracle(w.now);
	u64 warn = expires(&o), when;

	switch (v[0] % 4) {
	case 0:
		when = o.cycle_to;
		break;
	case 1:
		when = o.unit_due;
		break;
	case 2:
		when = o.busy ? o.unit_from + w.rules.unit_min_ns : w.now;
		break;
	default:
		when = warn == NEVER ? due_of(&o) : warn - w.rules.pretimeout_ns;
		break;
	}
	if (when > END_OF_TIME)
		return w.now;
	return when + v[1] % 3 - 1;
}

/*
 * After a cycle that was silent, and good, come more of the same: it is as if all before had
 * been so much later. It is for the oracle, which goes from one to the next.
 */
static bool silence(u64 n)
{
	struct outcome o = oracle(w.now);
	u64 every = w.rules.every_ns, from;
	int i;

	if (!every || w.rules.min || o.busy ||
	    o.status != REIN_WATCH_RUNNING || o.cycle_to > END_OF_TIME - every)
		return true;
	from = w.now;
	w.now = o.cycle_to + every;
	n %= (END_OF_TIME - w.now) / every + 1;
	w.now += n * every;
	w.since += n * every;
	for (i = 0; i < w.n_log; i++)
		w.log[i].now += n * every;
	rein_pulse_look(&w.other.pulse, &w.rules, from + (w.now - from) / 3);
	return true;
}

static void beat(struct rein_pulse *p, const struct op *op)
{
	switch (op->kind) {
	case OP_BEAT:
		rein_pulse_beat(p, &w.rules, op->v[0], w.now);
		break;
	case OP_BEGIN:
		rein_pulse_begin(p, &w.rules, op->v[0], w.now);
		break;
	default:
		rein_pulse_checkpoint(p, &w.rules,
				      op->v[0] % REIN_CHECKPOINTS, w.now);
		break;
	}
}

static void note(const struct op *op)
{
	u64 value = op->kind == OP_CHECKPOINT ? op->v[0] % REIN_CHECKPOINTS :
						op->v[0];

	w.log[w.n_log++] = (struct entry){ op->kind, w.now, value };
}

static bool do_end(const struct op *op)
{
	bool busy = oracle(w.now).busy;

	if (!same(&w.one, w.now, "ends", busy,
		  rein_pulse_end(&w.one.pulse, &w.rules, w.now)) ||
	    !same(&w.other, w.now, "ends", busy,
		  rein_pulse_end(&w.other.pulse, &w.rules, w.now)))
		return false;
	note(op);
	return check_both();
}

static void forget(bool armed)
{
	int i;

	w.armed = armed;
	w.n_log = 0;
	w.before.faults += w.seen.faults;
	for (i = 0; i < REIN_PULSE_FAULTS; i++)
		w.before.kinds[i] += w.seen.kinds[i];
	w.one.warned = 0;
	w.other.warned = 0;
}

/* What was due, but was not looked at, may be forgotten, of both or of none. */
static bool do_arm(const struct op *op)
{
	u64 grace = op->v[0];

	if (grace > REIN_RULE_MAX_NS)
		return true;
	if (!equal(&w.one.pulse, &w.other.pulse)) {
		rein_pulse_look(&w.one.pulse, &w.rules, w.now);
		rein_pulse_look(&w.other.pulse, &w.rules, w.now);
		if (!check_both())
			return false;
	}
	forget(op->kind == OP_ARM);
	w.since = w.now;
	w.first = grace ? grace : w.rules.every_ns;
	if (op->kind == OP_ARM) {
		rein_pulse_arm(&w.one.pulse, &w.rules, grace, w.now);
		rein_pulse_arm(&w.other.pulse, &w.rules, grace, w.now);
	} else {
		rein_pulse_disarm(&w.one.pulse);
		rein_pulse_disarm(&w.other.pulse);
	}
	return check_both();
}

static bool do_op(const struct op *op)
{
	switch (op->kind) {
	case OP_STEP:
		return go_on(w.now + op->v[0], op->v[2]);
	case OP_UNTIL:
		return go_on(until(op->v), op->v[2]);
	case OP_SILENCE:
		return silence(op->v[0]);
	case OP_LOOK:
		rein_pulse_look(&w.one.pulse, &w.rules, w.now);
		rein_pulse_look(&w.other.pulse, &w.rules, w.now);
		return check_both();
	case OP_WARN:
		if (!warn(&w.one, w.now))
			return false;
		rein_pulse_look(&w.other.pulse, &w.rules, w.now);
		return check_both();
	case OP_BEAT:
	case OP_BEGIN:
	case OP_CHECKPOINT:
		beat(&w.one.pulse, op);
		beat(&w.other.pulse, op);
		note(op);
		return check_both();
	case OP_END:
		return do_end(op);
	case OP_ARM:
	case OP_DISARM:
		return do_arm(op);
	}
	return false;
}

static struct rein_watch_rules rules_of(const struct test_case *c)
{
	const u64 *v = c->rules;
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

static bool run_case(const struct test_case *c)
{
	struct op arm = { .kind = OP_ARM, .v = { c->rules[GRACE] } };
	int i;

	memset(&w, 0, sizeof(w));
	w.rules = rules_of(c);
	w.now = c->start;
	w.one.name = "pulse";
	w.other.name = "other";
	if (rein_pulse_rules_good(&w.rules) != rules_good())
		return wrong("rules: expected %s, seen otherwise",
			     rules_good() ? "good ones" : "wrong ones");
	if (!rules_good() || w.now > END_OF_TIME)
		return true;
	rein_pulse_disarm(&w.one.pulse);
	rein_pulse_disarm(&w.other.pulse);
	if (!do_op(&arm))
		return false;
	for (i = 0; i < c->count && !w.too_long; i++) {
		failure.op = i;
		if (!do_op(&c->ops[i]))
			return w.too_long;
	}
	return true;
}

/* --- random cases ----------------------------------------------------------------------- */

/* Of the same unit, so that much is due at the same time. */
static u64 some_unit(void)
{
	static const u64 units[] = { MS, MS + 1, 10 * MS, SEC, DAY, YEAR / 4 };

	return units[below(ARRAY_SIZE(units))];
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

/* One or two of them are not as they should be; or it makes no difference. */
static void spoil(u64 *v)
{
	static const u64 values[] = {
		0, 1, 3, 1000, 1001, 1 << 15, 1 << 16, MS - 1, MS, MS + 1,
		2 * MS, 10 * YEAR, 10 * YEAR + 1,
	};
	int n = 1 + below(2);

	while (n--)
		v[below(RULES)] = below(3) ? values[below(ARRAY_SIZE(values))] :
					     v[below(RULES)];
}

static u64 some_time(u64 unit)
{
	u64 time = below(3) ? unit * below(4) : unit * below(5) / 2;

	if (!below(20))
		time = unit * below(100);
	return below(8) ? time : below(unit * 4);
}

static void time_op(struct op *op, u64 unit)
{
	u64 dice = below(20);

	op->v[2] = random_u64();
	if (dice < 9) {
		op->kind = OP_STEP;
		op->v[0] = some_time(unit);
		if (!below(100))
			op->v[0] = random_u64() >> (1 + below(40));
	} else if (dice < 17) {
		op->kind = OP_UNTIL;
		op->v[0] = below(4);
		op->v[1] = below(3);
	} else if (dice < 18) {
		op->kind = OP_SILENCE;
		op->v[0] = below(2) ? below(4) : random_u64() >> below(64);
	} else {
		op->kind = below(2) ? OP_LOOK : OP_WARN;
	}
}

static void other_op(struct op *op, const struct profile *p, u64 unit)
{
	u64 dice = below(100);

	if (dice < 35) {
		op->kind = OP_BEAT;
		op->v[0] = below(20) ? 1 + below(2) : below(4);
		if (!below(50))
			op->v[0] = below(2) ? U64_MAX : random_u64();
	} else if (dice < (p->units ? 65 : 38)) {
		op->kind = OP_BEGIN;
		op->v[0] = below(2) ? 0 : some_time(unit);
		if (!below(50))
			op->v[0] = random_u64();
	} else if (dice < (p->units ? 80 : 40)) {
		op->kind = OP_END;
	} else if (dice < 92) {
		op->kind = OP_CHECKPOINT;
		op->v[0] = below(20) ? below(4) : below(REIN_CHECKPOINTS);
	} else {
		op->kind = below(8) ? OP_ARM : OP_DISARM;
		op->v[0] = below(2) ? 0 : unit * below(9);
	}
}

static void generate(struct test_case *c, const struct profile *p)
{
	u64 unit = some_unit();
	int i;

	memset(c, 0, sizeof(*c));
	c->start = below(2) ? below(1000) : random_u64() >> (2 + below(40));
	some_rules(c->rules, p, unit);
	if (p->wrong)
		spoil(c->rules);
	c->count = 1 + below(p->wrong ? 8 : OPS_PER_CASE);
	for (i = 0; i < c->count; i++) {
		if (below(2))
			time_op(&c->ops[i], unit);
		else
			other_op(&c->ops[i], p, unit);
	}
}

static bool shrink_values(struct test_case *c)
{
	bool better = shrink_value(c, &c->start);
	int i, j;

	for (i = 0; i < RULES; i++)
		better |= shrink_value(c, &c->rules[i]);
	for (i = 0; i < c->count; i++)
		for (j = 0; j < VALUES; j++)
			better |= shrink_value(c, &c->ops[i].v[j]);
	return better;
}

static void print_op(const struct op *op)
{
	static const char *const when[] = {
		"the cycle ends", "the unit is late", "the unit may end",
		"it is to be warned of",
	};
	static const char *const looks[] = {
		"", "; looked at in between", "; looked at as by a timer",
	};

	switch (op->kind) {
	case OP_STEP:
		printf("clock + %llu%s", op->v[0], looks[op->v[2] % 3]);
		break;
	case OP_UNTIL:
		printf("until %s %+d%s", when[op->v[0] % 4],
		       (int)(op->v[1] % 3) - 1, looks[op->v[2] % 3]);
		break;
	case OP_SILENCE:
		printf("until a good cycle is over, and %llu more", op->v[0]);
		break;
	case OP_LOOK:
		printf("look");
		break;
	case OP_WARN:
		printf("look, and warn");
		break;
	case OP_BEAT:
		printf("%llu beats", op->v[0]);
		break;
	case OP_BEGIN:
		printf("a unit begins, within %llu", op->v[0]);
		break;
	case OP_END:
		printf("a unit ends");
		break;
	case OP_CHECKPOINT:
		printf("checkpoint %llu", op->v[0] % REIN_CHECKPOINTS);
		break;
	case OP_ARM:
		printf("arm, with a grace of %llu", op->v[0]);
		break;
	case OP_DISARM:
		printf("disarm");
		break;
	}
}

static void print_case(const struct test_case *c)
{
	struct rein_watch_rules r = rules_of(c);
	int i;

	printf("# clock %llu\n", c->start);
	printf("# every %llu grace %llu min %u max %u miss %u pretimeout %llu\n",
	       r.every_ns, r.grace_ns, r.min, r.max, r.miss, r.pretimeout_ns);
	printf("# unit_min %llu unit_max %llu first %x next", r.unit_min_ns,
	       r.unit_max_ns, r.first);
	for (i = 0; i < REIN_CHECKPOINTS; i++)
		printf(" %x", r.next[i]);
	printf("\n# arm, with that grace\n");
	for (i = 0; i < c->count; i++) {
		printf("# ");
		print_op(&c->ops[i]);
		printf("%s\n", i == failure.op ? "	<-- here" : "");
	}
}

static void random_sliding(void)
{
	static const struct profile p = { .slides = true, .cycles = true };

	run_profile(&p);
}

static void random_fixed(void)
{
	static const struct profile p = { .cycles = true };

	run_profile(&p);
}

static void random_units(void)
{
	static const struct profile p = { .units = true };

	run_profile(&p);
}

static void random_order(void)
{
	static const struct profile p = { .order = true };

	run_profile(&p);
}

static void random_all_sliding(void)
{
	static const struct profile p = {
		.slides = true, .cycles = true, .units = true, .order = true,
	};

	run_profile(&p);
}

static void random_all_fixed(void)
{
	static const struct profile p = {
		.cycles = true, .units = true, .order = true,
	};

	run_profile(&p);
}

static void random_wrong_rules(void)
{
	static const struct profile p = {
		.cycles = true, .units = true, .order = true, .wrong = true,
	};

	run_profile(&p);
}

static const struct unit_test tests[] = {
	UNIT_TEST(random_sliding),
	UNIT_TEST(random_fixed),
	UNIT_TEST(random_units),
	UNIT_TEST(random_order),
	UNIT_TEST(random_all_sliding),
	UNIT_TEST(random_all_fixed),
	UNIT_TEST(random_wrong_rules),
};

int main(int argc, char **argv)
{
	return random_main(tests, ARRAY_SIZE(tests), DEFAULT_OPS, argc, argv);
}
