// SPDX-License-Identifier: GPL-2.0
/*
 * Watches. See watch.h.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "call.h"
#include "cgroup.h"
#include "clock.h"
#include "freezer.h"
#include "ladder.h"
#include "limit.h"
#include "scope.h"
#include "watch.h"
#include "watch-spec.h"

static unsigned int watches_per_user = 100000;
module_param(watches_per_user, uint, 0644);
MODULE_PARM_DESC(watches_per_user, "how many watches one user may have (default: 100000)");

static unsigned int looks_per_user = 20000;
module_param(looks_per_user, uint, 0644);
MODULE_PARM_DESC(looks_per_user,
		 "how often watches of one user may be looked at in a second (default: 20000)");

/* A slot is looked at so many times in the shortest time of the rules. */
#define SAMPLES		20
#define SAMPLE_MIN_NS	NSEC_PER_MSEC

static DEFINE_XARRAY(watches);		/* by id; RCU */
static atomic64_t last_id;
static atomic_long_t n_watches;

static REIN_QUOTA(quota);
static REIN_QUOTA(looks_quota);

/* Those over cgroups and sockets, which don't tell that they go. */
static LIST_HEAD(silent);
static DEFINE_MUTEX(silent_lock);

/* 1.2 KB each: kmalloc() would give 2. */
static struct kmem_cache *watch_cache;

static struct workqueue_struct *wq;
static struct workqueue_struct *reset_wq;	/* see climb_elsewhere() */

static void reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(reap_work, reap);

/* --- its time ----------------------------------------------------------------------- */

/* For how long the subject has been frozen since there is the watch. */
static u64 idle(const struct rein_watch *watch, u64 now)
{
	return watch->thawed_ns + (watch->freezer ?
				   rein_freezer_total(watch->freezer, now) : 0);
}

/**
 * rein_watch_now() - what time it is for a watch
 * @watch:	the watch
 * @now:	CLOCK_MONOTONIC, ns
 *
 * Context: its lock is held.
 *
 * Return: ns.
 */
u64 rein_watch_now(const struct rein_watch *watch, u64 now)
{
	return now - idle(watch, now);
}

/**
 * rein_watch_frozen() - does time stand still for a watch?
 * @watch:	the watch
 *
 * Context: its lock is held.
 *
 * Return: whether it does.
 */
bool rein_watch_frozen(const struct rein_watch *watch)
{
	return watch->freezer && rein_freezer_frozen(watch->freezer);
}

/* Has a process moved to another cgroup than the one whose times are kept? With its lock. */
static bool moved(const struct rein_watch *watch)
{
	struct cgroup *cgrp;
	bool moved;

	if (!watch->subject.pid)
		return false;
	cgrp = rein_subject_cgroup(&watch->subject);
	if (!cgrp)
		return false;
	moved = !watch->freezer ||
		rein_freezer_cgroup_id(watch->freezer) != cgroup_id(cgrp);
	cgroup_put(cgrp);
	return moved;
}

/*
 * How long it was frozen there before anybody looked is not known: so what would be due by now
 * begins anew.
 */
static void forgive(struct rein_watch *watch, u64 now)
{
	u64 time = rein_watch_now(watch, now);
	u64 from = watch->pulse.from_ns;

	if (!rein_watch_frozen(watch) || rein_pulse_due(&watch->pulse) > time)
		return;
	if (watch->pulse.busy)
		from = max(from, watch->pulse.unit_from_ns);
	watch->thawed_ns += time - from;
}

/*
 * Keep the times of the cgroup that the subject is in now; without memory for that it goes on
 * without.
 */
static void follow(struct rein_watch *watch)
{
	struct cgroup *cgrp = rein_subject_cgroup(&watch->subject);
	struct rein_freezer *old, *new;
	u64 now;

	if (!cgrp)
		return;
	new = rein_freezer_get(cgrp);
	cgroup_put(cgrp);
	spin_lock_bh(&watch->lock);
	now = ktime_get_ns();
	watch->thawed_ns = idle(watch, now) -
			   (new ? rein_freezer_total(new, now) : 0);
	old = watch->freezer;
	watch->freezer = new;
	forgive(watch, now);
	spin_unlock_bh(&watch->lock);
	rein_freezer_put(old);
}

static void follow_if_moved(struct rein_watch *watch)
{
	bool has_moved;

	spin_lock_bh(&watch->lock);
	has_moved = moved(watch);
	spin_unlock_bh(&watch->lock);
	if (has_moved)
		follow(watch);
}

/* How often something is looked at that doesn't tell. */
static u64 sample_ns(const struct rein_watch_rules *rules)
{
	u64 shortest = rein_pulse_shortest(rules) ?: NSEC_PER_SEC;

	return max_t(u64, shortest / SAMPLES, SAMPLE_MIN_NS);
}

static unsigned int looks_of(u32 flags, const struct rein_watch_rules *rules)
{
	u64 ns = rein_pulse_shortest(rules);

	if (!ns)
		return 0;
	if (flags & (REIN_WATCH_SLOT | REIN_WATCH_STAMP))
		ns = sample_ns(rules);
	return div64_u64(NSEC_PER_SEC + ns - 1, ns);
}

/* --- what is to be told, and when to look again ---------------------------------------- */

/* Takes a reference for it, unless it is under way. */
static void wake_work(struct rein_watch *watch)
{
	rein_watch_get(watch);
	/* That is not the last one: whoever calls has one. */
	if (!queue_work(wq, &watch->work))
		refcount_dec(&watch->refs);
}

static void news(struct rein_watch *watch, u32 what)
{
	watch->news |= what;
	wake_work(watch);
}

static void wake_up_readers(struct rein_watch *watch)
{
	if (wq_has_sleeper(&watch->wait))
		wake_up_poll(&watch->wait, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

static void note_fault(struct rein_watch *watch, u64 now)
{
	const struct rein_pulse *pulse = &watch->pulse;
	struct rein_watch_news_item *item = &watch->item;

	*item = (struct rein_watch_news_item){
		.fault = pulse->fault,
		.misses = pulse->misses,
		.at = pulse->at,
		.before = pulse->before,
		.beats = pulse->had,
		.ns = now - (watch->unit_ns ?: now),
	};
	if (pulse->fault == REIN_FAULT_SILENT || pulse->fault == REIN_FAULT_MANY)
		item->ns = now - max(watch->last_ns, watch->armed_ns);
	memcpy(item->unit, watch->unit, sizeof(item->unit));
	watch->faults = pulse->faults;
	news(watch, REIN_NEWS_MISSED);
}

static void set_step(struct rein_watch *watch, u64 now)
{
	watch->step_ns = rein_clock_after(now, watch->steps[watch->at_step].delay_ns);
}

static void note_expired(struct rein_watch *watch, u64 now)
{
	watch->resumed = false;
	watch->at_step = 0;
	set_step(watch, now);
	news(watch, REIN_NEWS_EXPIRED);
}

/* See what has become of the pulse. Faults are noted with what was there before. */
static void settle(struct rein_watch *watch, u64 now)
{
	if (watch->pulse.faults != watch->faults)
		note_fault(watch, now);
	if (watch->pulse.status == REIN_WATCH_EXPIRED &&
	    watch->status != REIN_WATCH_EXPIRED)
		note_expired(watch, now);
	watch->status = watch->pulse.status;
}

/* When the next step is due. */
static u64 step_due(const struct rein_watch *watch)
{
	return watch->pulse.status == REIN_WATCH_EXPIRED && !watch->resumed &&
	       watch->at_step < watch->n_steps ? watch->step_ns : REIN_NEVER;
}

/* Does somebody have to look whether it was beaten? A time is looked at when it is due. */
static bool is_sampled(const struct rein_watch *watch)
{
	if (watch->pulse.status == REIN_WATCH_EXPIRED)
		return watch->slot.slots && !watch->resumed;
	return watch->pulse.status == REIN_WATCH_RUNNING &&
	       watch->flags & REIN_WATCH_SLOT;
}

/* How long until it has to be looked at again. */
static u64 look_delay(const struct rein_watch *watch, u64 now)
{
	u64 time = rein_watch_now(watch, now);
	u64 next = rein_pulse_next(&watch->pulse, &watch->rules);
	u64 delay = REIN_NEVER;

	if (next != REIN_NEVER)
		delay = next > time ? next - time : 0;
	if (is_sampled(watch))
		delay = min(delay, sample_ns(&watch->rules));
	if (watch->pulse.status == REIN_WATCH_RUNNING) {
		/* It can't be said when it is thawed. */
		if (rein_watch_frozen(watch) && delay != REIN_NEVER)
			delay = max(delay, sample_ns(&watch->rules));
	}
	next = step_due(watch);
	if (next != REIN_NEVER)
		delay = min(delay, next > now ? next - now : 0);
	return delay;
}

/* Have the timer look, unless it does so before; it finds out then. */
static void look_again(struct rein_watch *watch, u64 now)
{
	u64 at = rein_clock_after(now, look_delay(watch, now));

	if (at >= watch->look_ns || at > KTIME_MAX)
		return;
	watch->look_ns = at;
	hrtimer_start(&watch->timer, ns_to_ktime(at), HRTIMER_MODE_ABS_SOFT);
}

/* --- beats that nobody calls for --------------------------------------------------------- */

static void beaten(struct rein_watch *watch, u64 beats, u64 when)
{
	watch->count[REIN_COUNT_BEAT] += beats;
	watch->last_ns = when;
	if (watch->pulse.status == REIN_WATCH_EXPIRED && !watch->resumed) {
		watch->resumed = true;
		news(watch, REIN_NEWS_RESUMED);
	}
	wake_up_readers(watch);
}

/* A counter that was set back has beaten once. */
static void sample_counter(struct rein_watch *watch, u64 now)
{
	u64 beats = READ_ONCE(watch->slot.at->beats);
	u64 n = beats > watch->slot.seen ? beats - watch->slot.seen : 1;

	if (beats == watch->slot.seen)
		return;
	watch->slot.seen = beats;
	rein_pulse_beaten(&watch->pulse, &watch->rules, n,
			  rein_watch_now(watch, now));
	beaten(watch, n, now);
}

/*
 * By the program's clock; neither later than now nor before the last. Where the subject was
 * frozen since, it counts from now: when that was in between can't be said.
 */
static void sample_stamp(struct rein_watch *watch, u64 now)
{
	u64 stamp = READ_ONCE(watch->slot.at->stamp_ns);
	u64 frozen = idle(watch, now);
	u64 when = clamp(stamp - watch->clock, watch->last_ns, now);

	if (stamp == watch->slot.seen)
		return;
	watch->slot.seen = stamp;
	if (frozen != watch->idle_ns)
		when = now;
	watch->idle_ns = frozen;
	/* Those before it are not to be seen any more: a cycle that was over by then had them. */
	rein_pulse_beaten(&watch->pulse, &watch->rules, 1, when - frozen);
	beaten(watch, 1, when);
}

static void sample(struct rein_watch *watch, u64 now)
{
	if (watch->flags & REIN_WATCH_SLOT)
		sample_counter(watch, now);
	else if (watch->flags & REIN_WATCH_STAMP)
		sample_stamp(watch, now);
}

/* What was beaten before it was armed doesn't count. */
static void sample_anew(struct rein_watch *watch)
{
	if (watch->flags & REIN_WATCH_SLOT)
		watch->slot.seen = READ_ONCE(watch->slot.at->beats);
	else if (watch->flags & REIN_WATCH_STAMP)
		watch->slot.seen = READ_ONCE(watch->slot.at->stamp_ns);
	watch->idle_ns = idle(watch, ktime_get_ns());
}

/* --- looking --------------------------------------------------------------------------- */

/* Would there be a fault by now that is none, since there is nobody to blame? */
static bool in_vain(struct rein_watch *watch, u64 time)
{
	struct rein_pulse then;

	if (rein_pulse_due(&watch->pulse) > time)
		return false;
	then = watch->pulse;
	rein_pulse_look(&then, &watch->rules, time);
	return then.faults != watch->pulse.faults &&
	       (!rein_subject_there(&watch->subject) ||
		rein_subject_empty(&watch->subject));
}

/*
 * See to all that is due. With its lock; returns false if that has to wait for the work, which
 * was woken up.
 */
static bool look(struct rein_watch *watch, u64 now)
{
	u64 time;

	sample(watch, now);
	time = rein_watch_now(watch, now);
	if (in_vain(watch, time)) {
		watch->exited = true;
		wake_work(watch);
		return false;
	}
	rein_pulse_look(&watch->pulse, &watch->rules, time);
	settle(watch, now);
	if (rein_pulse_warns(&watch->pulse, &watch->rules, time))
		news(watch, REIN_NEWS_WARNED);
	return true;
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct rein_watch *watch = container_of(timer, struct rein_watch, timer);
	u64 now;

	spin_lock(&watch->lock);
	watch->look_ns = REIN_NEVER;
	now = ktime_get_ns();
	if (watch->pulse.status == REIN_WATCH_GONE || watch->exited)
		goto out;
	/* Before there is a fault, or never one, the times of its cgroup have to be known. */
	if ((rein_watch_frozen(watch) ||
	     rein_pulse_due(&watch->pulse) <= rein_watch_now(watch, now)) &&
	    moved(watch)) {
		wake_work(watch);
		goto out;
	}
	if (look(watch, now)) {
		if (step_due(watch) <= now)
			wake_work(watch);
		else
			look_again(watch, now);
	}
out:
	spin_unlock(&watch->lock);
	return HRTIMER_NORESTART;
}

/* Called under a spinlock with interrupts off. */
static int on_exit(struct wait_queue_entry *entry, unsigned int mode, int sync,
		   void *key)
{
	wake_work(container_of(entry, struct rein_watch, subject.exit));
	return 0;
}

static void climb(struct work_struct *work)
{
	struct rein_watch *watch = container_of(work, struct rein_watch, climb);

	rein_ladder_run(watch);
	rein_watch_put(watch);
}

/*
 * A reset waits for who has the socket locked, which a user can do for as long as he likes: it
 * must not stand in the way of other watches.
 */
static void climb_elsewhere(struct rein_watch *watch)
{
	mutex_lock(&watch->tell);
	rein_ladder_tell(watch);
	mutex_unlock(&watch->tell);
	rein_watch_get(watch);
	if (!queue_work(reset_wq, &watch->climb))
		refcount_dec(&watch->refs);
}

static void work(struct work_struct *work)
{
	struct rein_watch *watch = container_of(work, struct rein_watch, work);
	bool over;

	follow_if_moved(watch);
	spin_lock_bh(&watch->lock);
	over = watch->exited || !rein_subject_there(&watch->subject);
	if (!over && watch->pulse.status != REIN_WATCH_GONE) {
		u64 now = ktime_get_ns();

		over = !look(watch, now);
		look_again(watch, now);
	}
	spin_unlock_bh(&watch->lock);
	if (over)
		rein_watch_end(watch, true);
	else if (watch->subject.sk)
		climb_elsewhere(watch);
	else
		rein_ladder_run(watch);
	rein_watch_put(watch);
}

/* --- the ladder's --------------------------------------------------------------------- */

/**
 * rein_watch_step() - is a step to be done?
 * @watch:	the watch
 * @step:	set to its number
 *
 * It counts as begun, and the time until the next one begins.
 *
 * Context: a task; @tell is held.
 *
 * Return: whether there is one.
 */
bool rein_watch_step(struct rein_watch *watch, u32 *step)
{
	u64 now;
	bool due;

	spin_lock_bh(&watch->lock);
	now = ktime_get_ns();
	due = step_due(watch) <= now;
	if (due) {
		*step = watch->at_step++;
		if (watch->at_step < watch->n_steps)
			set_step(watch, now);
	}
	look_again(watch, now);
	spin_unlock_bh(&watch->lock);
	return due;
}

/**
 * rein_watch_counts() - something was told of, and counts
 * @watch:	the watch
 * @what:	what
 * @number:	how many
 *
 * After it was recorded: who is woken up finds the record.
 *
 * Context: a task.
 */
void rein_watch_counts(struct rein_watch *watch, enum rein_watch_count what,
		       u64 number)
{
	spin_lock_bh(&watch->lock);
	watch->count[what] += number;
	/* From here on who waits sees that it is over. */
	if (what == REIN_COUNT_GONE)
		WRITE_ONCE(watch->status, REIN_WATCH_GONE);
	wake_up_readers(watch);
	spin_unlock_bh(&watch->lock);
}

/* --- what programs ask -------------------------------------------------------------------- */

static int fail_over(const struct rein_watch *watch, struct rein_answer *answer)
{
	return rein_call_fail(answer, REIN_E_WATCH_OVER, "the watch is over",
			      "watch %llu is over", watch->id);
}

static int fail_code(const struct rein_watch *watch, enum rein_code code,
		     struct rein_answer *answer)
{
	switch (code) {
	case REIN_E_WATCH_TOKEN:
		return rein_call_fail(answer, REIN_E_WATCH_TOKEN,
				      "the beat doesn't carry the token that it has to",
				      "a beat of watch %llu doesn't carry the token that it has to",
				      watch->id);
	case REIN_E_WATCH_UNIT:
		return rein_call_fail(answer, REIN_E_WATCH_UNIT,
				      "this unit of work is not under way",
				      "a unit of watch %llu was to be ended that is not under way",
				      watch->id);
	default:
		return fail_over(watch, answer);
	}
}

static bool unit_is(const struct rein_watch *watch, const char *unit)
{
	return watch->pulse.busy && !strcmp(watch->unit, unit);
}

/* With its lock. Returns 0, or why it doesn't count. */
static enum rein_code beat_check(const struct rein_watch *watch, u32 kind,
				 u64 token, const char *unit)
{
	if (watch->pulse.status == REIN_WATCH_GONE || watch->exited)
		return REIN_E_WATCH_OVER;
	if (watch->flags & REIN_WATCH_TOKEN && token != watch->token)
		return REIN_E_WATCH_TOKEN;
	if (kind == REIN_BEAT_END && !unit_is(watch, unit))
		return REIN_E_WATCH_UNIT;
	return 0;
}

static void beat_begin(struct rein_watch *watch, const struct rein_beat_args *args,
		       u64 now)
{
	u64 time = rein_watch_now(watch, now);

	/* That of the one before ends here: it is its fault if there is one. */
	if (watch->pulse.busy) {
		rein_pulse_end(&watch->pulse, &watch->rules, time);
		watch->count[REIN_COUNT_END]++;
		settle(watch, now);
	}
	memcpy(watch->unit, args->unit, sizeof(watch->unit));
	watch->unit_ns = now;
	watch->count[REIN_COUNT_BEGIN]++;
	rein_pulse_begin(&watch->pulse, &watch->rules, args->deadline_ns, time);
	beaten(watch, 1, now);
	look_again(watch, now);
}

static void beat_end(struct rein_watch *watch, u64 now)
{
	rein_pulse_end(&watch->pulse, &watch->rules, rein_watch_now(watch, now));
	watch->count[REIN_COUNT_END]++;
	settle(watch, now);
	watch->unit_ns = 0;
	wake_up_readers(watch);
}

static void beat_kind(struct rein_watch *watch, const struct rein_beat_args *args,
		      u64 now)
{
	u64 time = rein_watch_now(watch, now);
	bool grace = watch->pulse.length_ns > watch->rules.every_ns;

	switch (args->kind) {
	case REIN_BEAT:
		rein_pulse_beat(&watch->pulse, &watch->rules, 1, time);
		beaten(watch, 1, now);
		break;
	case REIN_BEAT_BEGIN:
		beat_begin(watch, args, now);
		break;
	case REIN_BEAT_END:
		beat_end(watch, now);
		break;
	case REIN_BEAT_CHECKPOINT:
		rein_pulse_checkpoint(&watch->pulse, &watch->rules,
				      args->checkpoint, time);
		beaten(watch, 1, now);
		break;
	}
	/* The next cycle may be over before the grace would have been. */
	if (grace)
		look_again(watch, now);
}

/**
 * rein_watch_beat() - a beat, see the ABI
 * @watch:	the watch
 * @args:	what kind of one, checked
 *
 * Context: a task; never waits.
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_watch_beat(struct rein_watch *watch, struct rein_beat_args *args)
{
	enum rein_code code;

	spin_lock_bh(&watch->lock);
	code = beat_check(watch, args->kind, args->token, args->unit);
	if (!code) {
		u64 now = ktime_get_ns();

		if (look(watch, now)) {
			beat_kind(watch, args, now);
			settle(watch, now);
		}
		if (watch->flags & REIN_WATCH_TOKEN)
			watch->token = get_random_u64();
		args->next = watch->token;
	}
	spin_unlock_bh(&watch->lock);
	return code ? fail_code(watch, code, &args->answer) : 0;
}

/**
 * rein_watch_beat_plain() - a beat of a cycle
 * @watch:	the watch
 * @token:	that it carries
 * @answer:	why it doesn't count
 *
 * Context: a task; never waits.
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_watch_beat_plain(struct rein_watch *watch, u64 token,
			  struct rein_answer *answer)
{
	struct rein_beat_args args = { .kind = REIN_BEAT, .token = token };
	int err = rein_watch_beat(watch, &args);

	if (err)
		*answer = args.answer;
	return err;
}

static int fail_looks(struct rein_answer *answer, int err)
{
	if (err == -ENOMEM)
		return rein_call_no_memory(answer, "for a watch");
	return rein_call_fail(answer, REIN_E_WATCH_LOOKS,
			      "the user's watches would have to be looked at too often",
			      "watches of user %u may be looked at %u times in a second",
			      from_kuid(&init_user_ns, current_uid()),
			      READ_ONCE(looks_per_user));
}

/* Of an administrator as many as there is memory for. */
static int charge_looks(const struct rein_maker *maker, unsigned int looks,
			struct rein_answer *answer)
{
	int err = rein_quota_charge(&looks_quota, maker->uid, looks,
				    maker->trusted ? INT_MAX :
						     READ_ONCE(looks_per_user));

	return err ? fail_looks(answer, err) : 0;
}

/* With @tell. Looks at the rules as they would be, and pays for them. */
static int change_every(struct rein_watch *watch, u64 every_ns,
			struct rein_watch_rules *rules,
			struct rein_answer *answer)
{
	unsigned int looks;
	int err;

	*rules = watch->rules;
	rules->every_ns = every_ns;
	if (!every_ns || !watch->rules.every_ns || !rein_pulse_rules_good(rules))
		return rein_call_fail(answer, REIN_E_WATCH_MALFORMED,
				      "the watch can't have this cycle",
				      "a cycle of %llu ns doesn't fit the other rules of watch %llu",
				      every_ns, watch->id);
	looks = looks_of(watch->flags, rules);
	err = charge_looks(&watch->maker, looks, answer);
	if (err)
		return err;
	rein_quota_uncharge(&looks_quota, watch->maker.uid, watch->looks);
	watch->looks = looks;
	return 0;
}

/* With its lock. */
static void begin(struct rein_watch *watch, const struct rein_arm_args *args)
{
	u64 now = ktime_get_ns();

	if (args->flags & REIN_ARM_OFF)
		rein_pulse_disarm(&watch->pulse);
	else
		rein_pulse_arm(&watch->pulse, &watch->rules,
			       args->flags & REIN_ARM_GRACE ? args->grace_ns :
			       watch->rules.grace_ns, rein_watch_now(watch, now));
	sample_anew(watch);
	watch->status = watch->pulse.status;
	watch->armed_ns = now;
	watch->unit_ns = 0;
	watch->at_step = watch->n_steps;
	look_again(watch, now);
}

/**
 * rein_watch_arm() - arm it anew, or disarm it
 * @watch:	the watch
 * @args:	see the ABI; checked
 * @answer:	why not
 *
 * Context: a task; may sleep.
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_watch_arm(struct rein_watch *watch, const struct rein_arm_args *args,
		   struct rein_answer *answer)
{
	struct rein_watch_report before = { };
	struct rein_watch_rules rules;
	bool gone;
	int err = 0;

	follow_if_moved(watch);
	mutex_lock(&watch->tell);
	if (args->flags & REIN_ARM_EVERY)
		err = change_every(watch, args->every_ns, &rules, answer);
	if (err)
		goto out;
	/* What was before is told before, and what comes in between as well. */
	rein_ladder_tell(watch);
	spin_lock_bh(&watch->lock);
	gone = watch->pulse.status == REIN_WATCH_GONE || watch->exited;
	if (!gone) {
		if (args->flags & REIN_ARM_EVERY)
			watch->rules = rules;
		rein_ladder_take(watch, &before);
		begin(watch, args);
	}
	spin_unlock_bh(&watch->lock);
	rein_ladder_report(watch, &before);
	if (gone)
		err = fail_over(watch, answer);
	else
		rein_ladder_armed(watch, !(args->flags & REIN_ARM_OFF));
out:
	mutex_unlock(&watch->tell);
	return err;
}

/* With its lock. */
static void expire(struct rein_watch *watch)
{
	u64 now = ktime_get_ns();

	rein_pulse_expire(&watch->pulse, REIN_FAULT_TEST);
	settle(watch, now);
	look_again(watch, now);
}

/**
 * rein_watch_test() - have it expire, to see what happens
 * @watch:	the watch
 * @real:	it does; else it is only told
 * @answer:	why not
 *
 * Context: a task; may sleep.
 *
 * Return: 0 or a negative errno, with an answer.
 */
int rein_watch_test(struct rein_watch *watch, bool real,
		    struct rein_answer *answer)
{
	struct rein_watch_report before;
	bool armed, over;

	mutex_lock(&watch->tell);
	spin_lock_bh(&watch->lock);
	rein_ladder_take(watch, &before);
	armed = watch->pulse.status == REIN_WATCH_RUNNING && !watch->exited;
	over = watch->pulse.status == REIN_WATCH_GONE || watch->exited;
	if (armed && real)
		expire(watch);
	spin_unlock_bh(&watch->lock);
	rein_ladder_report(watch, &before);
	if (armed)
		answer->record = rein_ladder_test(watch, real);
	mutex_unlock(&watch->tell);
	if (armed)
		return 0;
	if (over)
		return fail_over(watch, answer);
	return rein_call_fail(answer, REIN_E_WATCH_NOT_ARMED,
			      "the watch is not armed, or has expired",
			      "watch %llu was to be tested, and is not armed, or has expired",
			      watch->id);
}

/* --- the end ------------------------------------------------------------------------------ */

/* With @tell. Returns whether it was not over yet. */
static bool begin_end(struct rein_watch *watch)
{
	struct rein_watch_report before;
	bool first;

	spin_lock_bh(&watch->lock);
	rein_ladder_take(watch, &before);
	first = watch->pulse.status != REIN_WATCH_GONE;
	watch->pulse.status = REIN_WATCH_GONE;
	spin_unlock_bh(&watch->lock);
	rein_ladder_report(watch, &before);
	return first;
}

/**
 * rein_watch_end() - it is over
 * @watch:	the watch
 * @exited:	since its subject has gone: then there is a record of that
 *
 * Nobody finds it any more.
 *
 * Context: a task; may sleep.
 *
 * Return: whether it was not over before.
 */
bool rein_watch_end(struct rein_watch *watch, bool exited)
{
	bool first;

	mutex_lock(&watch->tell);
	first = begin_end(watch);
	if (first) {
		xa_erase(&watches, watch->id);
		mutex_lock(&silent_lock);
		list_del_init(&watch->node);
		mutex_unlock(&silent_lock);
		rein_subject_ignore(&watch->subject);
		hrtimer_cancel(&watch->timer);
		rein_ladder_gone(watch, exited);
	}
	mutex_unlock(&watch->tell);
	if (first)
		rein_watch_put(watch);
	return first;
}

/**
 * rein_watch_end_all() - all that there are by now are over
 *
 * Context: a task; may sleep.
 */
void rein_watch_end_all(void)
{
	const u64 last = atomic64_read(&last_id);
	struct rein_watch *watch;
	u64 id = 0;

	while ((watch = rein_watch_next(id)) && watch->id <= last) {
		id = watch->id + 1;
		rein_watch_end(watch, false);
		rein_watch_put(watch);
		cond_resched();
	}
	if (watch)
		rein_watch_put(watch);
}

/* Those whose cgroups were removed, or sockets closed. */
static void reap(struct work_struct *unused)
{
	struct rein_watch *watch;
	bool more;

	mutex_lock(&silent_lock);
	list_for_each_entry(watch, &silent, node) {
		if (!rein_subject_there(&watch->subject))
			wake_work(watch);
		cond_resched();
	}
	more = !list_empty(&silent);
	mutex_unlock(&silent_lock);
	if (more)
		queue_delayed_work(system_power_efficient_wq, &reap_work,
				   REIN_CGROUP_LOOK);
}

/* --- coming and going ---------------------------------------------------------------------- */

static void watch_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(watch_cache, container_of(head, struct rein_watch, rcu));
}

static void watch_free(struct rein_watch *watch)
{
	rein_freezer_put(watch->freezer);
	rein_quota_uncharge(&looks_quota, watch->maker.uid, watch->looks);
	rein_quota_uncharge(&quota, watch->maker.uid, 1);
	rein_subject_put(&watch->subject);
	rein_scope_put(watch->scope);
	rein_slot_put(&watch->slot);
	rein_maker_put(&watch->maker);
	put_cred(watch->cred);
	atomic_long_dec(&n_watches);
	call_rcu(&watch->rcu, watch_free_rcu);
}

/**
 * rein_watch_put() - give up a reference
 * @watch:	the watch
 *
 * Context: a task; may sleep.
 */
void rein_watch_put(struct rein_watch *watch)
{
	if (refcount_dec_and_test(&watch->refs))
		watch_free(watch);
}

/* One that nobody finds yet, and that can't fail any more. */
static void watch_fill(struct rein_watch *watch, struct rein_watch_spec *spec)
{
	const struct rein_watch_args *args = spec->args;

	refcount_set(&watch->refs, 1);
	/* Who makes it is one until there is a descriptor. */
	atomic_set(&watch->owners, 1);
	watch->id = atomic64_inc_return(&last_id);
	watch->flags = args->flags;
	rein_maker_get(&watch->maker);
	watch->cred = get_current_cred();
	watch->subject = spec->subject;
	watch->scope = spec->scope;
	watch->slot = spec->slot;
	memset(&spec->subject, 0, sizeof(spec->subject));
	spec->scope = NULL;
	spec->slot.slots = NULL;
	memcpy(watch->steps, spec->steps, sizeof(watch->steps));
	watch->n_steps = args->n_steps;
	watch->at_step = args->n_steps;
	watch->rules = args->rules;
	rein_pulse_disarm(&watch->pulse);
	watch->status = REIN_WATCH_OFF;
	watch->clock = rein_clock_offset(REIN_CLOCK_MONOTONIC);
	watch->look_ns = REIN_NEVER;
	strscpy(watch->name, args->name, sizeof(watch->name));
	INIT_LIST_HEAD(&watch->node);
	mutex_init(&watch->tell);
	spin_lock_init(&watch->lock);
	init_waitqueue_head(&watch->wait);
	INIT_WORK(&watch->work, work);
	INIT_WORK(&watch->climb, climb);
	hrtimer_setup(&watch->timer, on_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
}

static int fail_charge(struct rein_answer *answer, int err)
{
	if (err == -ENOMEM)
		return rein_call_no_memory(answer, "for a watch");
	return rein_call_fail(answer, REIN_E_WATCH_MANY_OF_USER,
			      "the user has as many watches as one may have",
			      "user %u has %u watches, as many as one may have",
			      from_kuid(&init_user_ns, current_uid()),
			      READ_ONCE(watches_per_user));
}

/* What is charged and alive, but not yet where it belongs. */
static struct rein_watch *watch_make(struct rein_watch_spec *spec,
				     struct rein_answer *answer)
{
	struct rein_watch *watch;
	int err = rein_quota_charge(&quota, current_uid(), 1,
				    READ_ONCE(watches_per_user));

	if (err)
		return ERR_PTR(fail_charge(answer, err));
	watch = kmem_cache_zalloc(watch_cache, GFP_KERNEL_ACCOUNT);
	if (!watch) {
		rein_quota_uncharge(&quota, current_uid(), 1);
		return ERR_PTR(rein_call_no_memory(answer, "for a watch"));
	}
	atomic_long_inc(&n_watches);
	watch_fill(watch, spec);
	watch->looks = looks_of(watch->flags, &watch->rules);
	err = charge_looks(&watch->maker, watch->looks, answer);
	if (err) {
		watch->looks = 0;
	} else {
		follow(watch);
		if (!xa_reserve(&watches, watch->id, GFP_KERNEL_ACCOUNT))
			return watch;
		err = rein_call_no_memory(answer, "for a watch");
	}
	rein_watch_put(watch);
	return ERR_PTR(err);
}

/* Be told when the subject goes, or look for that now and then. */
static void hear_of_end(struct rein_watch *watch)
{
	if (watch->subject.pid) {
		rein_subject_listen(&watch->subject, on_exit);
		if (!rein_subject_there(&watch->subject))
			wake_work(watch);
		return;
	}
	mutex_lock(&silent_lock);
	list_add_tail(&watch->node, &silent);
	mutex_unlock(&silent_lock);
	/* If it has gone meanwhile nobody has looked for this one. */
	if (rein_subject_there(&watch->subject))
		queue_delayed_work(system_power_efficient_wq, &reap_work,
				   REIN_CGROUP_LOOK);
	else
		mod_delayed_work(system_power_efficient_wq, &reap_work, 0);
}

/* From here on it may be over at any time. */
static void watch_publish(struct rein_watch *watch)
{
	rein_watch_get(watch);
	/* There is a place for it: this needs no memory. */
	mutex_lock(&watch->tell);
	xa_store(&watches, watch->id, watch, GFP_KERNEL);
	rein_ladder_made(watch);
	/* Whoever ends it undoes this, and waits for it before. */
	hear_of_end(watch);
	mutex_unlock(&watch->tell);
}

/**
 * rein_watch_new() - keep a watch
 * @spec:	what it shall be; what it needs of that is taken over
 * @answer:	why not
 *
 * Context: the task that makes it; may sleep.
 *
 * Return: the watch, with a reference; or ERR_PTR().
 */
struct rein_watch *rein_watch_new(struct rein_watch_spec *spec,
				  struct rein_answer *answer)
{
	static const struct rein_arm_args as_it_is;
	struct rein_watch *watch = watch_make(spec, answer);
	int err;

	if (IS_ERR(watch))
		return watch;
	watch_publish(watch);
	if (!(watch->flags & REIN_WATCH_ARM))
		return watch;
	err = rein_watch_arm(watch, &as_it_is, answer);
	if (!err)
		return watch;
	rein_watch_end(watch, false);
	rein_watch_put(watch);
	return ERR_PTR(err);
}

/* --- who looks for them -------------------------------------------------------------------- */

/**
 * rein_watch_find() - find a watch
 * @id:		its id
 *
 * Context: any.
 *
 * Return: it, with a reference, or NULL.
 */
struct rein_watch *rein_watch_find(u64 id)
{
	struct rein_watch *watch;

	rcu_read_lock();
	watch = xa_load(&watches, id);
	if (watch && !refcount_inc_not_zero(&watch->refs))
		watch = NULL;
	rcu_read_unlock();
	return watch;
}

/**
 * rein_watch_next() - walk over all watches, by age
 * @id:		where to begin
 *
 * Context: any.
 *
 * Return: the first with this or a greater id, with a reference; or NULL.
 */
struct rein_watch *rein_watch_next(u64 id)
{
	struct rein_watch *watch;
	unsigned long index = id;

	rcu_read_lock();
	do {
		watch = xa_find(&watches, &index, ULONG_MAX, XA_PRESENT);
		index++;
	} while (watch && !refcount_inc_not_zero(&watch->refs));
	rcu_read_unlock();
	return watch;
}

/**
 * rein_watch_number() - how many watches there are
 *
 * Return: how many.
 */
unsigned long rein_watch_number(void)
{
	return atomic_long_read(&n_watches);
}

/**
 * rein_watch_init() - get ready
 *
 * Return: 0 or -ENOMEM.
 */
int rein_watch_init(void)
{
	/* Where all CPUs are busy, what ends that must not be the last to run. */
	wq = alloc_workqueue("rein-watch", WQ_UNBOUND | WQ_HIGHPRI, 0);
	reset_wq = alloc_workqueue("rein-reset", WQ_UNBOUND, 0);
	watch_cache = KMEM_CACHE(rein_watch, SLAB_ACCOUNT);
	if (!wq || !reset_wq || !watch_cache) {
		if (wq)
			destroy_workqueue(wq);
		if (reset_wq)
			destroy_workqueue(reset_wq);
		kmem_cache_destroy(watch_cache);
		return -ENOMEM;
	}
	rein_cgroup_look(&reap_work);
	return 0;
}

/**
 * rein_watch_exit() - undo rein_watch_init(): all watches are over
 *
 * Context: nobody has /dev/rein or a watch open, and dying cgroups are not told of.
 */
void rein_watch_exit(void)
{
	rein_watch_end_all();
	cancel_delayed_work_sync(&reap_work);
	/* One that was about to end by itself may still be told of an exit. */
	flush_workqueue(wq);
	destroy_workqueue(wq);
	destroy_workqueue(reset_wq);
	WARN_ON(!xa_empty(&watches));
	/* Watches are freed by RCU. */
	rcu_barrier();
	kmem_cache_destroy(watch_cache);
}
