// SPDX-License-Identifier: GPL-2.0
/*
 * Watches, and random steps of several threads with them, compared with the model that the
 * host's test of the pulse has (pulse_model.h).
 *
 * Each place has a watch and a case, which is rules and steps made from a seed, and whichever
 * thread has the place's lock does the next one: beats, units, checkpoints; arming, tests,
 * freezing; the end of the subject. Meanwhile others look, and where no cycles are counted also
 * beat, without a lock.
 *
 * When a beat was counted its watch tells to the nanosecond. All else is between two looks at
 * the clock, and so is for how long the subject was frozen. So there are two models, for which
 * as much, and as little, time has passed as may have. Where they agree, so has the watch.
 * Where they don't nothing can be said, and the case is over; how often that was is told.
 * What is due before the watch is asked next may come in the order of either.
 *
 * OPS steps are done, from SEED on; 100,000, but no longer than the runner waits. A case that
 * fails is done again alone, shrunk, and printed.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>

#include "watch.h"
#include "pulse_model.h"

#define PLACES		8
#define THREADS		4
#define OPS_PER_CASE	30
#define WIDTH		20	/* ms that a step lasts at most */
#define MAX_SHRINK_S	40
#define UNIT_AGAIN	"selftests/vm/run --timeout 0 --add build/kselftest -- " \
			"env%2$s /kselftest/rein/watch-random %1$s"
#define TRIES		5	/* what depends on times may need some */

enum op_kind {
	OP_BEAT,
	OP_BEGIN,		/* within a */
	OP_END,
	OP_CHECKPOINT,		/* a */
	OP_STEP,		/* clock + a */
	OP_UNTIL,		/* just before, when, or just after something is due, by a */
	OP_ARM,			/* with a grace of a */
	OP_DISARM,
	OP_TEST,		/* a: for real */
	OP_FREEZE,		/* for a */
	OP_EXIT,		/* of its subject */
};

struct op {
	enum op_kind kind;
	u64 v;
};

struct test_case {
	u64 rules[RULES];
	u64 unit;
	int count;
	struct op ops[OPS_PER_CASE];
};

#include "random.h"

/**
 * struct watched - a place
 * @lock:	who does a step
 * @path:	the cgroup of the process that is watched over
 * @pid:	that
 * @c:		the case
 * @seed:	it was made of
 * @at:		its next step
 * @fd:		the watch; -1: a new case begins
 * @id:		its id
 * @shown:	the same; 0: it is not to be looked at
 * @open:	others may beat
 * @in_flight:	how many do
 * @most:	the model for which as much time has passed as may have
 * @least:	as little
 * @begun:	beats of others, that may have been counted
 * @done:	that must have been
 * @frozen_least: how long the subject was frozen since it was armed, at least
 * @frozen_most: at most
 * @looked_least: when the watch has seen to all that was due, by the clock of @least
 * @looked_most: by that of @most
 * @missed_least: faults before it was armed
 * @missed_most: likewise
 * @expired_least: and how often it had expired
 * @expired_most: likewise
 * @beats:	what was counted
 * @begins:	likewise
 * @ends:	likewise
 * @state:	what was read last
 * @asked:	when
 * @done_then:	@done, before that
 * @stale:	all but the counts is from earlier: most times nobody asks netlink
 * @busy:	a unit is under way
 * @unclear:	nothing can be said from here on
 * @over:	the subject has gone
 * @why:	what was wrong
 */
struct watched {
	pthread_mutex_t lock;
	char path[64];
	pid_t pid;
	struct test_case c;
	u64 seed;
	int at;
	int fd;
	u64 id, shown;
	bool open;
	int in_flight;
	struct model most, least;
	/* From here on it is 0 when a case begins. */
	u64 begun, done;
	u64 frozen_least, frozen_most;
	u64 looked_least, looked_most;
	u64 missed_least, missed_most;
	u64 expired_least, expired_most;
	u64 beats, begins, ends;
	struct rein_watch_state state;
	u64 asked, done_then;
	bool busy, stale, unclear, over;
	char why[256];
};

/**
 * struct tally - what a watch has counted since it was armed
 * @faults:	so many
 * @expired:	it has
 */
struct tally {
	u64 faults;
	bool expired;
};

static struct {
	int dev, netlink;
	pthread_mutex_t asks;		/* netlink: one at a time */
	struct watched places[PLACES];
	struct gaps gaps;
	u64 steps, cases, unclear, looks, until;
	struct watched *wrong;		/* the first place where something was */
} all = { .asks = PTHREAD_MUTEX_INITIALIZER };

static __printf(2, 3) bool differs(struct watched *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
	return false;
}

/* --- what the watch tells ---------------------------------------------------------------- */

/* What descriptors tell when there is something new in the counts, and netlink always. */
static bool ask_netlink(struct watched *p)
{
	struct rein_watch_state *s = &p->state;
	struct watch_view view;
	int err;

	pthread_mutex_lock(&all.asks);
	err = read_watch(all.netlink, p->id, &view);
	pthread_mutex_unlock(&all.asks);
	if (err)
		return differs(p, "netlink doesn't tell of it: %s", strerror(-err));
	s->status = view.status;
	s->fault = view.fault;
	s->misses = view.misses;
	memcpy(s->unit, view.unit, sizeof(s->unit));
	s->count[REIN_COUNT_BEAT] = view.beats;
	s->count[REIN_COUNT_BEGIN] = view.begins;
	s->count[REIN_COUNT_END] = view.ends;
	s->count[REIN_COUNT_MISS] = view.faults;
	s->count[REIN_COUNT_EXPIRE] = view.expiries;
	return true;
}

static bool fetch(struct watched *p)
{
	struct rein_watch_state state;
	ssize_t got;

	p->done_then = __atomic_load_n(&p->done, __ATOMIC_SEQ_CST);
	p->asked = now_ns();
	got = read(p->fd, &state, sizeof(state));
	if (got == sizeof(state)) {
		p->state = state;
		p->stale = false;
		return true;
	}
	if (got >= 0 || errno != EAGAIN)
		return differs(p, "it can't be read: %s", strerror(errno));
	p->stale = p->at % 4;
	return p->stale || ask_netlink(p);
}

static bool same(const struct outcome *a, const struct outcome *b)
{
	return a->status == b->status && a->fault == b->fault && a->misses == b->misses &&
	       a->faults == b->faults && a->busy == b->busy;
}

/* Also on what is not seen yet: in which cycle they are, and what came in it. */
static bool agree(const struct watched *p, const struct outcome *a, const struct outcome *b)
{
	const struct rein_watch_rules *r = &p->least.rules;
	bool sliding = r->min == 1 && !r->max;

	return same(a, b) &&
	       (!r->every_ns || sliding ||
		(a->beats == b->beats &&
		 a->cycle_from - p->least.since == b->cycle_from - p->most.since));
}

static bool fits(const struct watched *p, const struct outcome *o)
{
	return o->status == p->state.status && o->fault == p->state.fault &&
	       o->misses == p->state.misses && o->busy == !!*p->state.unit;
}

/* What is seen is as it was at some time from @then to @now, by a model. */
static bool fits_between(struct watched *p, struct model *m, u64 then, u64 now)
{
	unsigned int i;

	for (i = 0; i < MAX_VERDICTS && then <= now; i++) {
		struct outcome o = oracle(m, then);

		if (fits(p, &o))
			return true;
		then = due_of(&o);
	}
	return i == MAX_VERDICTS;
}

static bool is(struct watched *p, const char *what, u64 least, u64 most, u64 seen)
{
	if (least <= seen && seen <= most)
		return true;
	return differs(p, "%s: expected %llu to %llu, seen %llu", what, least, most, seen);
}

static bool counts_fit(struct watched *p)
{
	u64 begun = __atomic_load_n(&p->begun, __ATOMIC_SEQ_CST);
	const __u64 *count = p->state.count;

	return is(p, "beats", p->beats + p->done_then, p->beats + begun, count[REIN_COUNT_BEAT]) &&
	       is(p, "beginnings", p->begins, p->begins, count[REIN_COUNT_BEGIN]) &&
	       is(p, "ends", p->ends, p->ends, count[REIN_COUNT_END]);
}

/*
 * What may have come by then: as much, or as little. Of what was due at about the same time one
 * model has this first and the other that, and what comes of it may differ, either way. So has
 * the watch, whose time is between theirs: both are asked.
 */
static struct tally tally_at(struct watched *p, u64 then, bool most)
{
	struct outcome a = oracle(&p->least, then), b = oracle(&p->most, then);
	bool a_expired = a.status == REIN_WATCH_EXPIRED, b_expired = b.status == REIN_WATCH_EXPIRED;

	if (most)
		return (struct tally){ a.faults > b.faults ? a.faults : b.faults,
				       a_expired || b_expired };
	return (struct tally){ a.faults < b.faults ? a.faults : b.faults, a_expired && b_expired };
}

/* Without what came later. */
static int log_until(const struct model *m, u64 then)
{
	int n = m->n_log;

	while (n && m->log[n - 1].now > then)
		n--;
	return n;
}

/* Those that there were so long before it was asked that they have to have been told of. */
static u64 faults_told(struct watched *p)
{
	u64 late = slack_ns() + __atomic_load_n(&all.gaps.longest, __ATOMIC_RELAXED);
	u64 then = p->asked - late - p->frozen_most;
	int n_least = p->least.n_log, n_most = p->most.n_log;
	u64 faults;

	if (then < p->least.since)
		return 0;
	p->least.n_log = log_until(&p->least, then);
	p->most.n_log = log_until(&p->most, then);
	faults = tally_at(p, then, false).faults;
	p->least.n_log = n_least;
	p->most.n_log = n_most;
	return faults;
}

/*
 * What is found is told soon after, and never before: as of the last look, and more may have
 * come by @now. At that look the models were agreed.
 */
static bool faults_fit(struct watched *p, const struct outcome *looked, u64 now)
{
	const __u64 *count = p->state.count;
	struct tally last = { looked->faults, looked->status == REIN_WATCH_EXPIRED };
	u64 told = p->missed_least + looked->faults;

	if (count[REIN_COUNT_MISS] > p->missed_most + last.faults ||
	    count[REIN_COUNT_EXPIRE] > p->expired_most)
		last = tally_at(p, now - p->frozen_least, true);
	if (count[REIN_COUNT_MISS] < told) {
		/* If the machine has just stood still, this has to be found out first. */
		usleep(20000);
		told = p->missed_least + faults_told(p);
	}
	return is(p, "faults", told, p->missed_most + last.faults, count[REIN_COUNT_MISS]) &&
	       is(p, "expiries", p->expired_least, p->expired_most + last.expired,
		  count[REIN_COUNT_EXPIRE]);
}

/*
 * Does what was fetched after a step, which was at a time from @from to @to, fit? A step that
 * looks has seen to all that was due before; else it may be anything since that was done last.
 */
static bool check(struct watched *p, u64 from, u64 to, bool looks)
{
	struct outcome least, most;
	u64 now = now_ns();

	if (looks) {
		p->looked_least = from - p->frozen_most;
		p->looked_most = to - p->frozen_least;
	}
	least = oracle(&p->least, p->looked_least);
	most = oracle(&p->most, p->looked_most);
	p->busy = least.busy;
	p->unclear = looks && !agree(p, &least, &most);
	if (p->unclear)
		return true;
	if (!counts_fit(p) || !faults_fit(p, &least, now))
		return false;
	if (p->stale || fits(p, &least) ||
	    fits_between(p, &p->most, p->looked_most, now - p->frozen_least) ||
	    fits_between(p, &p->least, p->looked_least, now - p->frozen_least))
		return true;
	return differs(p, "expected status %u, fault %u, misses %u, %s; seen %u, %u, %u, %s",
		       least.status, least.fault, least.misses, least.busy ? "busy" : "idle",
		       p->state.status, p->state.fault, p->state.misses,
		       *p->state.unit ? "busy" : "idle");
}

/* --- steps -------------------------------------------------------------------------------- */

static void enter_log(struct model *m, enum rein_beat_kind kind, u64 now, u64 value)
{
	m->log[m->n_log++] = (struct entry){ kind, now, value };
}

/* It came then, which the models are told. */
static bool came(struct watched *p, enum rein_beat_kind kind, u64 value, u64 from, u64 to)
{
	enter_log(&p->least, kind, from - p->frozen_most, value);
	enter_log(&p->most, kind, to - p->frozen_least, value);
	return check(p, from, to, true);
}

/* Where others beat as well, the last beat may be another one; but there it makes no difference. */
static bool beat_came(struct watched *p, enum rein_beat_kind kind, u64 value, u64 from, u64 to)
{
	u64 at;

	p->beats++;
	if (!fetch(p))
		return false;
	at = kind == REIN_BEAT_BEGIN ? p->state.unit_ns : p->state.last_ns;
	if (p->open && kind != REIN_BEAT_BEGIN)
		return came(p, kind, value, from, to);
	if (!is(p, "the time of a beat", from, to, at))
		return false;
	return came(p, kind, value, at, at);
}

static bool answers(struct watched *p, const char *what, int expected, int ret)
{
	if (ret == expected)
		return true;
	return differs(p, "%s: expected %s, seen %s (%.100s)", what, strerror(-expected),
		       strerror(-ret), said.answer.message);
}

static bool do_beat(struct watched *p, const struct op *op)
{
	static const enum rein_beat_kind kinds[] = {
		[OP_BEAT] = REIN_BEAT, [OP_BEGIN] = REIN_BEAT_BEGIN, [OP_END] = REIN_BEAT_END,
		[OP_CHECKPOINT] = REIN_BEAT_CHECKPOINT,
	};
	bool busy = p->busy, ends = op->kind == OP_END;
	enum rein_beat_kind kind = kinds[op->kind];
	u64 from = now_ns(), to;
	int ret = watch_beat_as(p->fd, kind, kind == REIN_BEAT_CHECKPOINT ? op->v : 0,
				kind == REIN_BEAT_BEGIN || ends ? "u" : "",
				kind == REIN_BEAT_BEGIN ? op->v : 0, 0, NULL);

	to = now_ns();
	if (!answers(p, "a beat", ends && !busy ? -ENOENT : 0, ret))
		return false;
	if (kind == REIN_BEAT_BEGIN)
		p->begins++;
	if (busy && (ends || kind == REIN_BEAT_BEGIN))
		p->ends++;
	if (ends)
		return !busy || (fetch(p) && came(p, kind, 0, from, to));
	return beat_came(p, kind, kind == REIN_BEAT ? 1 : op->v, from, to);
}

/* What there was before it was armed is done with; @more faults were not the models'. */
static void settle(struct watched *p, u64 to, u64 more)
{
	struct outcome least = oracle(&p->least, p->looked_least);
	struct tally most = tally_at(p, to - p->frozen_least, true);

	p->missed_least += least.faults + more;
	p->missed_most += most.faults + more;
	p->expired_least += least.status == REIN_WATCH_EXPIRED || more;
	p->expired_most += most.expired || more;
	p->frozen_least = 0;
	p->frozen_most = 0;
}

static void arm_model(struct model *m, const struct op *op, u64 now)
{
	const struct rein_watch_rules *r = &m->rules;

	m->armed = op->kind != OP_DISARM;
	m->since = now;
	m->first = op->v && r->every_ns ? op->v : r->grace_ns ? r->grace_ns : r->every_ns;
	m->n_log = 0;
}

static bool do_arm(struct watched *p, const struct op *op, u64 more)
{
	u32 flags = op->kind == OP_DISARM ? REIN_ARM_OFF : op->v ? REIN_ARM_GRACE : 0;
	u64 from = now_ns(), to;
	int ret = watch_arm_as(p->fd, flags, 0, flags == REIN_ARM_GRACE ? op->v : 0);

	to = now_ns();
	settle(p, to, more);
	arm_model(&p->most, op, from);
	arm_model(&p->least, op, to);
	p->looked_least = to;
	p->looked_most = from;
	return answers(p, "arming", 0, ret) && fetch(p) && check(p, from, to, false);
}

/* The models know of no tests: after one that is real it is armed anew. */
static bool do_test(struct watched *p, const struct op *op)
{
	static const struct op arm = { .kind = OP_ARM };
	struct outcome least = oracle(&p->least, p->looked_least), most;
	int ret = watch_test(p->fd, op->v ? REIN_TEST_REAL : 0);

	most = oracle(&p->most, now_ns() - p->frozen_least);
	if (!same(&least, &most)) {
		p->unclear = true;
		return true;
	}
	if (least.status != REIN_WATCH_RUNNING)
		return answers(p, "a test", -EINVAL, ret);
	if (!answers(p, "a test", 0, ret) || !op->v)
		return !ret;
	if (!fetch(p))
		return false;
	if (p->stale || p->state.status != REIN_WATCH_EXPIRED ||
	    p->state.fault != REIN_FAULT_TEST || p->state.misses != least.misses + 1)
		return differs(p, "a test: expected %u misses; seen status %u, fault %u, misses %u",
			       least.misses + 1, p->state.status, p->state.fault, p->state.misses);
	return do_arm(p, &arm, 1);
}

static bool do_freeze(struct watched *p, const struct op *op)
{
	u64 from, frozen, thaws, thawed;
	char path[128];

	snprintf(path, sizeof(path), "%s/cgroup.freeze", p->path);
	from = now_ns();
	put_file(path, "1");
	frozen = now_ns();
	usleep(op->v / 1000);
	thaws = now_ns();
	put_file(path, "0");
	thawed = now_ns();
	p->frozen_least += thaws - frozen;
	p->frozen_most += thawed - from;
	return fetch(p) && check(p, from, thawed, false);
}

static bool do_step(struct watched *p, u64 ns)
{
	u64 from = now_ns();

	usleep((ns < WIDTH * MS ? ns : WIDTH * MS) / 1000);
	return fetch(p) && check(p, from, now_ns(), false);
}

static bool do_until(struct watched *p, const struct op *op)
{
	u64 now = now_ns(), step = p->c.unit / 8;
	struct outcome o = oracle(&p->least, now - p->frozen_most);
	u64 due = due_of(&o), until;

	if (due == NEVER)
		return true;
	until = due + p->frozen_most + (op->v % 3) * step - step;
	return until <= now || until - now > WIDTH * MS || do_step(p, until - now);
}

/* The process that is watched over, in its cgroup. */
static bool make_process(struct watched *p)
{
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC))
		return false;
	p->pid = fork();
	if (!p->pid) {
		/* No death signal: it would come with the end of this thread. */
		_exit(!enter(p->path) || write(ready[1], "", 1) != 1 || pause());
	}
	close(ready[1]);
	byte = read(ready[0], &byte, 1);
	close(ready[0]);
	return byte == 1;
}

static void end_process(struct watched *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}

static bool do_exit(struct watched *p)
{
	end_process(p);
	p->over = true;
	if (!watch_over(p->fd))
		return differs(p, "expected that it is over, its process has gone");
	return answers(p, "a beat of what is over", -EIDRM, watch_beat(p->fd));
}

static bool do_op(struct watched *p, const struct op *op)
{
	__atomic_fetch_add(&all.steps, 1, __ATOMIC_RELAXED);
	switch (op->kind) {
	case OP_STEP:
		return do_step(p, op->v);
	case OP_UNTIL:
		return do_until(p, op);
	case OP_ARM:
	case OP_DISARM:
		return do_arm(p, op, 0);
	case OP_TEST:
		return do_test(p, op);
	case OP_FREEZE:
		return do_freeze(p, op);
	case OP_EXIT:
		return do_exit(p);
	default:
		return do_beat(p, op);
	}
}

/* --- a case from its beginning to its end -------------------------------------------------- */

/* Not all of it: the lists are long, and empty between two questions. */
static void reset_model(struct model *m, const struct rein_watch_rules *rules)
{
	m->rules = *rules;
	m->armed = false;
	m->n_log = 0;
	m->too_long = false;
}

static bool begin_case(struct watched *p)
{
	static const struct op arm = { .kind = OP_ARM };
	struct watch_ask ask;

	memset(&p->begun, 0, sizeof(*p) - offsetof(struct watched, begun));
	p->at = 0;
	watch_pid(ask_watch(&ask, REIN_WATCH_OWNED), p->pid)->args.rules = rules_of(p->c.rules);
	p->fd = watch_make(all.dev, &ask);
	/* By shrinking. */
	if (p->fd == -EINVAL && shrink_until)
		p->unclear = true;
	else if (p->fd < 0)
		return differs(p, "it can't be made: %s (%.100s)", strerror(-p->fd),
			       said.answer.message);
	if (p->fd < 0)
		return true;
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	reset_model(&p->most, &ask.args.rules);
	reset_model(&p->least, &ask.args.rules);
	p->open = !ask.args.rules.every_ns;
	p->id = said.id;
	__atomic_store_n(&p->shown, p->id, __ATOMIC_SEQ_CST);
	return do_arm(p, &arm, 0);
}

/* As many faults as have to be told of are, and no more. */
static bool all_was_told(struct watched *p)
{
	struct outcome least = oracle(&p->least, p->looked_least);
	struct rein_watch_state *s = &p->state;
	u64 faults = p->missed_least + least.faults;
	u64 expiries = p->expired_least + (least.status == REIN_WATCH_EXPIRED);

	if (!watch_wait(p->fd, s, REIN_COUNT_MISS, faults) ||
	    !watch_wait(p->fd, s, REIN_COUNT_EXPIRE, expiries))
		return differs(p, "at last: expected %llu faults, %llu expiries; seen %llu, %llu",
			       faults, expiries, (u64)s->count[REIN_COUNT_MISS],
			       (u64)s->count[REIN_COUNT_EXPIRE]);
	if (!fetch(p))
		return false;
	settle(p, now_ns(), 0);
	return is(p, "at the end: faults", p->missed_least, p->missed_most,
		  s->count[REIN_COUNT_MISS]) &&
	       is(p, "at the end: expiries", p->expired_least, p->expired_most,
		  s->count[REIN_COUNT_EXPIRE]) && counts_fit(p);
}

static bool finish_case(struct watched *p)
{
	bool good;

	__atomic_store_n(&p->shown, 0, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&p->in_flight, __ATOMIC_SEQ_CST))
		sched_yield();
	good = p->unclear || *p->why || all_was_told(p);
	if (good && !p->over && !*p->why && p->c.count % 2)
		good = answers(p, "to end it", 0, watch_end(p->fd)) &&
		       answers(p, "to end it again", -EIDRM, watch_end(p->fd));
	close(p->fd);
	p->fd = -1;
	if (p->over && !make_process(p))
		return differs(p, "no process to watch over");
	__atomic_fetch_add(&all.unclear, p->unclear, __ATOMIC_RELAXED);
	__atomic_fetch_add(&all.cases, 1, __ATOMIC_RELAXED);
	return good;
}

/* The next step of a place, with its lock; the last one ends the case. */
static bool go_on(struct watched *p)
{
	bool good = p->fd >= 0 ? do_op(p, &p->c.ops[p->at++]) : begin_case(p);

	if (good && p->at < p->c.count && !p->over && !p->unclear)
		return true;
	return finish_case(p) && good;
}

static bool run_once(struct watched *p)
{
	bool good;

	*p->why = '\0';
	do {
		good = go_on(p);
		failure.op = p->at - 1;
	} while (good && p->fd >= 0);
	return good;
}

/* Alone. */
static bool run_case(const struct test_case *c)
{
	struct watched *p = &all.places[0];
	unsigned int i;

	p->c = *c;
	for (i = 0; i < TRIES; i++)
		if (!run_once(p))
			return wrong("%s", p->why);
	return true;
}

/* --- several at once ------------------------------------------------------------------------ */

static void *do_steps(void *seed)
{
	uint64_t dice = (uintptr_t)seed;

	while (__atomic_load_n(&all.steps, __ATOMIC_RELAXED) < ops_wanted &&
	       now_ns() < all.until && !__atomic_load_n(&all.wrong, __ATOMIC_RELAXED)) {
		struct watched *p = &all.places[dice_of(&dice, PLACES)];
		unsigned int n = 1 + dice_of(&dice, 4);

		if (pthread_mutex_trylock(&p->lock))
			continue;
		if (p->fd < 0) {
			static const struct profile profiles[] = {
				{ .slides = true, .cycles = true },
				{ .cycles = true },
				{ .units = true, .order = true },
				{ .slides = true, .cycles = true, .units = true, .order = true },
				{ .cycles = true, .units = true, .order = true },
			};

			p->seed = __atomic_fetch_add(&case_seed, 1, __ATOMIC_RELAXED);
			random_begin(p->seed);
			generate(&p->c, &profiles[p->seed % ARRAY_SIZE(profiles)]);
			n++;
		}
		do {
			if (!go_on(p))
				__sync_bool_compare_and_swap(&all.wrong, NULL, p);
		} while (--n && p->fd >= 0);
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

/* Who beats counts before and after: what is seen in between is between these. */
static void disturb(struct watched *p, u64 id, bool *stop)
{
	struct rein_watch_state state;
	int eye = watch_look(all.dev, REIN_LOOK_OBSERVE, id);
	int hand = p->open ? watch_look(all.dev, REIN_LOOK_BEAT, id) : -1;
	unsigned int i;

	fcntl(eye, F_SETFL, O_NONBLOCK);
	for (i = 0; i < 10 && !*stop; i++) {
		if (eye >= 0 && read(eye, &state, sizeof(state)) == sizeof(state))
			__atomic_fetch_add(&all.looks, 1, __ATOMIC_RELAXED);
		if (hand < 0)
			continue;
		__atomic_fetch_add(&p->begun, 1, __ATOMIC_SEQ_CST);
		if (watch_beat(hand))
			__atomic_fetch_sub(&p->begun, 1, __ATOMIC_SEQ_CST);
		else
			__atomic_fetch_add(&p->done, 1, __ATOMIC_SEQ_CST);
	}
	close(eye);
	close(hand);
}

static void *look_on(void *arg)
{
	bool *stop = arg;
	uint64_t dice = base_seed;
	u64 id;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		struct watched *p = &all.places[dice_of(&dice, PLACES)];

		__atomic_fetch_add(&p->in_flight, 1, __ATOMIC_SEQ_CST);
		id = __atomic_load_n(&p->shown, __ATOMIC_SEQ_CST);
		if (id)
			disturb(p, id, stop);
		__atomic_fetch_sub(&p->in_flight, 1, __ATOMIC_SEQ_CST);
		usleep(dice_of(&dice, 5000));
	}
	return NULL;
}

/* --- random cases --------------------------------------------------------------------------- */

static u64 some_time(u64 unit)
{
	return below(3) ? below(unit) : unit * below(5) / 2;
}

static void some_op(struct op *op, const struct profile *p, u64 unit)
{
	u64 dice = below(100);

	op->v = 0;
	if (dice < 30) {
		op->kind = OP_BEAT;
	} else if (dice < (p->units ? 45 : 32)) {
		op->kind = OP_BEGIN;
		op->v = below(2) ? 0 : MS + some_time(unit);
	} else if (dice < (p->units ? 55 : 34)) {
		op->kind = OP_END;
	} else if (dice < 70) {
		op->kind = OP_CHECKPOINT;
		op->v = below(20) ? below(4) : below(REIN_CHECKPOINTS);
	} else if (dice < 80) {
		op->kind = OP_STEP;
		op->v = some_time(unit);
	} else if (dice < 88) {
		op->kind = OP_UNTIL;
		op->v = below(3);
	} else if (dice < 94) {
		op->kind = below(6) ? OP_ARM : OP_DISARM;
		op->v = op->kind == OP_ARM && p->cycles && !below(3) ? MS + some_time(unit) : 0;
	} else if (dice < 98) {
		op->kind = OP_TEST;
		op->v = below(2);
	} else {
		op->kind = below(10) ? OP_FREEZE : OP_EXIT;
		op->v = some_time(unit);
	}
}

static void generate(struct test_case *c, const struct profile *p)
{
	static const u64 units[] = { 2 * MS, 5 * MS, 10 * MS, HOUR };
	u64 pause;
	int i;

	memset(c, 0, sizeof(*c));
	c->unit = units[below(ARRAY_SIZE(units))];
	some_rules(c->rules, p, c->unit);
	c->count = 1 + below(OPS_PER_CASE);
	pause = c->unit < SECOND ? c->unit : MS;
	for (i = 0; i < c->count; i++)
		some_op(&c->ops[i], p, pause);
}

static bool shrink_values(struct test_case *c)
{
	bool better = false;
	int i;

	for (i = 0; i < RULES; i++)
		better |= c->rules[i] && i != EVERY && shrink_value(c, &c->rules[i]);
	return better;
}

static void print_case(const struct test_case *c)
{
	static const char *const words[] = {
		[OP_BEAT] = "a beat", [OP_BEGIN] = "a unit begins, within",
		[OP_END] = "the unit ends", [OP_CHECKPOINT] = "checkpoint",
		[OP_STEP] = "clock +", [OP_UNTIL] = "about when something is due",
		[OP_ARM] = "arm, with a grace of", [OP_DISARM] = "disarm",
		[OP_TEST] = "test, for real:", [OP_FREEZE] = "frozen for",
		[OP_EXIT] = "the process exits",
	};
	struct rein_watch_rules r = rules_of(c->rules);
	int i;

	printf("# every %llu grace %llu min %u max %u miss %u pretimeout %llu\n", (u64)r.every_ns,
	       (u64)r.grace_ns, r.min, r.max, r.miss, (u64)r.pretimeout_ns);
	printf("# unit_min %llu unit_max %llu first %x next", (u64)r.unit_min_ns,
	       (u64)r.unit_max_ns, r.first);
	for (i = 0; i < REIN_CHECKPOINTS; i++)
		printf(" %x", r.next[i]);
	printf("\n# arm, with that grace\n");
	for (i = 0; i < c->count; i++)
		printf("# %s %llu%s\n", words[c->ops[i].kind], c->ops[i].v,
		       i == failure.op ? "	<-- here" : "");
}

/* --- the whole -------------------------------------------------------------------------------- */

static void setup(void)
{
	unsigned int i;

	all.dev = open(REIN_DEV_PATH, O_RDONLY | O_CLOEXEC);
	all.netlink = genl_socket();
	if (all.dev < 0 || genl_resolve(all.netlink)) {
		unit_fail("expected the module, seen no %s", REIN_DEV_PATH);
		return;
	}
	for (i = 0; i < PLACES; i++) {
		struct watched *p = &all.places[i];

		pthread_mutex_init(&p->lock, NULL);
		snprintf(p->path, sizeof(p->path), CGROOT "/test-random-%u", i);
		close(make_cgroup(p->path));
		p->fd = -1;
		if (!make_process(p))
			unit_fail("expected a process in %s, seen none", p->path);
	}
}

static void teardown(void)
{
	unsigned int i;

	for (i = 0; i < PLACES; i++) {
		if (all.places[i].fd >= 0)
			close(all.places[i].fd);
		end_process(&all.places[i]);
		rmdir(all.places[i].path);
	}
}

/* Does it fail alone as well? Then it can be shrunk. */
static void judge(struct watched *p)
{
	static struct test_case c;
	static char again[96], why[256];
	unsigned int i;
	bool passed = true;

	for (i = 0; i < PLACES; i++) {
		if (all.places[i].fd >= 0)
			close(all.places[i].fd);
		all.places[i].fd = -1;
	}
	c = p->c;
	failure.op = p->at - 1;
	snprintf(why, sizeof(why), "%s", p->why);
	snprintf(again, sizeof(again), " SEED=%llu OPS=%llu", base_seed,
		 ops_wanted);
	unit_rerun = again;
	print_case(&c);
	printf("# %s, in the case with SEED=%llu\n", why, p->seed);
	case_seed = p->seed;
	for (i = 0; i < TRIES && passed; i++)
		passed = passes(&c);
	if (passed) {
		unit_fail("%s (see above; not when it is done alone)", why);
		return;
	}
	shrink(&c);
	print_case(&c);
	unit_fail("%s (shrunk to the case above)", *failure.why ? failure.why : why);
}

static void steps_of_several_threads(void)
{
	pthread_t threads[THREADS], looker;
	bool stop = false;
	u64 from = now_ns();
	unsigned int i;

	setup();
	if (*unit_failure)
		return;
	case_seed = base_seed;
	all.until = getenv("OPS") ? NEVER : from + 90 * SECOND;
	gaps_begin(&all.gaps);
	pthread_create(&looker, NULL, look_on, &stop);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, do_steps, (void *)(uintptr_t)(base_seed + i));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(looker, NULL);
	gaps_end(&all.gaps);
	printf("# %llu steps in %llu cases, SEED=%llu, in %llu ms; %llu looks\n", all.steps,
	       all.cases, base_seed, (u64)((now_ns() - from) / MS), all.looks);
	printf("# of %llu nothing could be said to the end; the machine stood still for %llu us\n",
	       all.unclear, (u64)all.gaps.longest / 1000);
	if (all.wrong)
		judge(all.wrong);
	teardown();
}

static const struct unit_test tests[] = {
	UNIT_TEST(steps_of_several_threads),
};

int main(int argc, char **argv)
{
	return random_main(tests, ARRAY_SIZE(tests), is_debug() ? 20000 : 100000, argc, argv);
}
