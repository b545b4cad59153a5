// SPDX-License-Identifier: GPL-2.0
/*
 * Random beats, units and checkpoints, compared with the model of pulse_model.h, which works
 * out anew each time what all that came means.
 *
 * A second pulse is looked at in between, at any time or as by a timer: it has to be the
 * same. So nothing depends on who looks when, nothing happens before it is to be looked
 * at again, and no fault before its time.
 */
#include "pulse_model.h"

#define MS			1000000ULL
#define SEC			1000000000ULL
#define DAY			(86400 * SEC)
#define YEAR			(365 * DAY)
#define END_OF_TIME		(1ULL << 63)
#define OPS_PER_CASE		MAX_LOG
#define DEFAULT_OPS		4000000ULL
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

struct test_case {
	u64 start;
	u64 rules[RULES];	/* of NEXT a byte each, of the upper half for the upper */
	int count;
	struct op ops[OPS_PER_CASE];
};

#include "random.h"

/* --- the oracle ------------------------------------------------------------------------- */

struct subject {
	const char *name;
	struct rein_pulse pulse;
	u64 warned;
};

static struct {
	struct model model;
	u64 now;
	struct subject one, other;
	struct outcome before;		/* faults, before it was armed */
	struct outcome seen;		/* as of the last look */
} w;

/*
 * What is to be warned of by the time that something is due, if nothing comes: who
 * expires so soon after that for want of something.
 */
static u64 expires(const struct outcome *o)
{
	u64 due = due_of(o);
	struct outcome then;

	if (!w.model.rules.pretimeout_ns || due == NEVER)
		return NEVER;
	then = oracle(&w.model, due + w.model.rules.pretimeout_ns);
	if (then.status != REIN_WATCH_EXPIRED || then.fault == REIN_FAULT_MANY)
		return NEVER;
	return then.expired_at;
}

static u64 warn_at(u64 expires, const struct subject *s)
{
	if (expires == NEVER || expires == s->warned)
		return NEVER;
	return expires > w.model.rules.pretimeout_ns ?
	       expires - w.model.rules.pretimeout_ns : 0;
}

/* Which rules there may be. */
static bool rules_good(void)
{
	const struct rein_watch_rules *r = &w.model.rules;
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
		  rein_pulse_next(p, &w.model.rules)))
		return false;
	if (o->status != REIN_WATCH_RUNNING)
		return true;
	if (o->busy && !same(s, now, "late", o->late, p->late))
		return false;
	if (!w.model.rules.every_ns)
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
	w.seen = oracle(&w.model, w.now);
	if (w.model.too_long)
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
	struct outcome o = oracle(&w.model, now);

	rein_pulse_look(&s->pulse, &w.model.rules, now);
	return w.model.too_long || check(s, now, &o);
}

static bool warn(struct subject *s, u64 now)
{
	struct outcome o;
	u64 expected;

	if (!look(s, now))
		return false;
	o = oracle(&w.model, now);
	expected = expires(&o);
	if (!same(s, now, "warns", warn_at(expected, s) <= now,
		  rein_pulse_warns(&s->pulse, &w.model.rules, now)))
		return false;
	if (warn_at(expected, s) <= now)
		s->warned = expected;
	/* Once is enough. */
	return same(s, now, "warns again", false,
		    rein_pulse_warns(&s->pulse, &w.model.rules, now)) &&
	       check(s, now, &o);
}

/* Nothing happens until it is to be looked at again. */
static bool look_as_a_timer(struct subject *s, u64 until)
{
	int i;

	for (i = 0; i < TIMER_LOOKS; i++) {
		u64 next = rein_pulse_next(&s->pulse, &w.model.rules);
		struct rein_pulse before = s->pulse;

		if (next > until)
			next = until + 1;
		if (next > w.now) {
			rein_pulse_look(&s->pulse, &w.model.rules, next - 1);
			if (!equal(&before, &s->pulse) ||
			    rein_pulse_warns(&s->pulse, &w.model.rules, next - 1))
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
	return good || w.model.too_long;
}

/* Just before, when, or just after something is due. */
static u64 until(const u64 *v)
{
	struct outcome o = oracle(&w.model, w.now);
	u64 warn = expires(&o), when;

	switch (v[0] % 4) {
	case 0:
		when = o.cycle_to;
		break;
	case 1:
		when = o.unit_due;
		break;
	case 2:
		when = o.busy ? o.unit_from + w.model.rules.unit_min_ns : w.now;
		break;
	default:
		when = warn == NEVER ? due_of(&o) : warn - w.model.rules.pretimeout_ns;
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
	struct outcome o = oracle(&w.model, w.now);
	u64 every = w.model.rules.every_ns, from;
	int i;

	if (!every || w.model.rules.min || o.busy ||
	    o.status != REIN_WATCH_RUNNING || o.cycle_to > END_OF_TIME - every)
		return true;
	from = w.now;
	w.now = o.cycle_to + every;
	n %= (END_OF_TIME - w.now) / every + 1;
	w.now += n * every;
	w.model.since += n * every;
	for (i = 0; i < w.model.n_log; i++)
		w.model.log[i].now += n * every;
	rein_pulse_look(&w.other.pulse, &w.model.rules, from + (w.now - from) / 3);
	return true;
}

static void beat(struct rein_pulse *p, const struct op *op)
{
	switch (op->kind) {
	case OP_BEAT:
		rein_pulse_beat(p, &w.model.rules, op->v[0], w.now);
		break;
	case OP_BEGIN:
		rein_pulse_begin(p, &w.model.rules, op->v[0], w.now);
		break;
	default:
		rein_pulse_checkpoint(p, &w.model.rules,
				      op->v[0] % REIN_CHECKPOINTS, w.now);
		break;
	}
}

static enum rein_beat_kind kind_of(const struct op *op)
{
	switch (op->kind) {
	case OP_BEGIN:
		return REIN_BEAT_BEGIN;
	case OP_END:
		return REIN_BEAT_END;
	case OP_CHECKPOINT:
		return REIN_BEAT_CHECKPOINT;
	default:
		return REIN_BEAT;
	}
}

static void note(const struct op *op)
{
	u64 value = op->kind == OP_CHECKPOINT ? op->v[0] % REIN_CHECKPOINTS :
						op->v[0];

	w.model.log[w.model.n_log++] = (struct entry){ kind_of(op), w.now, value };
}

static bool do_end(const struct op *op)
{
	bool busy = oracle(&w.model, w.now).busy;

	if (!same(&w.one, w.now, "ends", busy,
		  rein_pulse_end(&w.one.pulse, &w.model.rules, w.now)) ||
	    !same(&w.other, w.now, "ends", busy,
		  rein_pulse_end(&w.other.pulse, &w.model.rules, w.now)))
		return false;
	note(op);
	return check_both();
}

static void forget(bool armed)
{
	int i;

	w.model.armed = armed;
	w.model.n_log = 0;
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
		rein_pulse_look(&w.one.pulse, &w.model.rules, w.now);
		rein_pulse_look(&w.other.pulse, &w.model.rules, w.now);
		if (!check_both())
			return false;
	}
	forget(op->kind == OP_ARM);
	w.model.since = w.now;
	w.model.first = grace ? grace : w.model.rules.every_ns;
	if (op->kind == OP_ARM) {
		rein_pulse_arm(&w.one.pulse, &w.model.rules, grace, w.now);
		rein_pulse_arm(&w.other.pulse, &w.model.rules, grace, w.now);
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
		rein_pulse_look(&w.one.pulse, &w.model.rules, w.now);
		rein_pulse_look(&w.other.pulse, &w.model.rules, w.now);
		return check_both();
	case OP_WARN:
		if (!warn(&w.one, w.now))
			return false;
		rein_pulse_look(&w.other.pulse, &w.model.rules, w.now);
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

static bool run_case(const struct test_case *c)
{
	struct op arm = { .kind = OP_ARM, .v = { c->rules[GRACE] } };
	int i;

	memset(&w, 0, sizeof(w));
	w.model.rules = rules_of(c->rules);
	w.now = c->start;
	w.one.name = "pulse";
	w.other.name = "other";
	if (rein_pulse_rules_good(&w.model.rules) != rules_good())
		return wrong("rules: expected %s, seen otherwise",
			     rules_good() ? "good ones" : "wrong ones");
	if (!rules_good() || w.now > END_OF_TIME)
		return true;
	rein_pulse_disarm(&w.one.pulse);
	rein_pulse_disarm(&w.other.pulse);
	if (!do_op(&arm))
		return false;
	for (i = 0; i < c->count && !w.model.too_long; i++) {
		failure.op = i;
		if (!do_op(&c->ops[i]))
			return w.model.too_long;
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
	struct rein_watch_rules r = rules_of(c->rules);
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
