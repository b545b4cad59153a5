// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at watches. See watch-look.h.
 */
#include <linux/cgroup.h>
#include <linux/math64.h>
#include <linux/poll.h>
#include <linux/string.h>

#include "bucket.h"
#include "clock.h"
#include "freezer.h"
#include "ladder.h"
#include "watch.h"
#include "watch-look.h"

/* A slot is looked at so many times in the shortest time of the rules. */
#define SAMPLES		20
#define SAMPLE_MIN_NS	NSEC_PER_MSEC

/* Whose beats are found only when somebody looks. A time is looked at when it is due. */
#define TRAFFIC		(REIN_WATCH_EGRESS | REIN_WATCH_INGRESS)
#define SAMPLED		(REIN_WATCH_SLOT | TRAFFIC)

static struct workqueue_struct *wq;
static struct workqueue_struct *reset_wq;	/* see climb_elsewhere() */

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

/**
 * rein_watch_follow() - keep the times of the cgroup that its subject is in now
 * @watch:	the watch
 *
 * Without memory for that it goes on without.
 *
 * Context: a task; may sleep.
 */
void rein_watch_follow(struct rein_watch *watch)
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

/**
 * rein_watch_follow_if_moved() - the same, if it has moved to another cgroup
 * @watch:	the watch
 *
 * Context: a task; may sleep.
 */
void rein_watch_follow_if_moved(struct rein_watch *watch)
{
	bool has_moved;

	spin_lock_bh(&watch->lock);
	has_moved = moved(watch);
	spin_unlock_bh(&watch->lock);
	if (has_moved)
		rein_watch_follow(watch);
}

/* How often something is looked at that doesn't tell. */
static u64 sample_ns(const struct rein_watch_rules *rules)
{
	u64 shortest = rein_pulse_shortest(rules) ?: NSEC_PER_SEC;

	return max_t(u64, shortest / SAMPLES, SAMPLE_MIN_NS);
}

/**
 * rein_watch_looks() - what looking at a watch costs
 * @flags:	of enum rein_watch_flags
 * @rules:	what it expects
 *
 * Return: how often it may be looked at in a second.
 */
unsigned int rein_watch_looks(u32 flags, const struct rein_watch_rules *rules)
{
	u64 ns = rein_pulse_shortest(rules);
	unsigned int looks;

	if (!ns)
		return 0;
	if (flags & (SAMPLED | REIN_WATCH_STAMP))
		ns = sample_ns(rules);
	looks = div64_u64(NSEC_PER_SEC + ns - 1, ns);
	return flags & TRAFFIC ? looks * rein_traffic_cost() : looks;
}

/* --- what is to be told, and when to look again ---------------------------------------- */

/**
 * rein_watch_wake() - have its work tell what there is, do what is due, and see whether it is over
 * @watch:	the watch, of which the caller has a reference
 *
 * Context: any.
 */
void rein_watch_wake(struct rein_watch *watch)
{
	rein_watch_get(watch);
	/* That is not the last one: whoever calls has one. */
	if (!queue_work(wq, &watch->work))
		refcount_dec(&watch->refs);
}

static void news(struct rein_watch *watch, u32 what)
{
	watch->news |= what;
	rein_watch_wake(watch);
}

/**
 * rein_watch_wake_readers() - who polls or reads is to look
 * @watch:	the watch
 *
 * Context: its lock is held.
 */
void rein_watch_wake_readers(struct rein_watch *watch)
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

/**
 * rein_watch_settle() - see what has become of the pulse
 * @watch:	the watch
 * @now:	CLOCK_MONOTONIC, ns
 *
 * Faults are noted with what was there before.
 *
 * Context: its lock is held.
 */
void rein_watch_settle(struct rein_watch *watch, u64 now)
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

/* Does somebody have to look whether it was beaten? */
static bool is_sampled(const struct rein_watch *watch)
{
	if (watch->pulse.status == REIN_WATCH_EXPIRED)
		return watch->flags & (SAMPLED | REIN_WATCH_STAMP) &&
		       !watch->resumed;
	return watch->pulse.status == REIN_WATCH_RUNNING &&
	       watch->flags & SAMPLED;
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

/**
 * rein_watch_look_again() - have the timer look when something is due
 * @watch:	the watch
 * @now:	CLOCK_MONOTONIC, ns
 *
 * If it looks before it finds out then.
 *
 * Context: its lock is held.
 */
void rein_watch_look_again(struct rein_watch *watch, u64 now)
{
	u64 at = rein_clock_after(now, look_delay(watch, now));

	if (at >= watch->look_ns || at > KTIME_MAX)
		return;
	watch->look_ns = at;
	hrtimer_start(&watch->timer, ns_to_ktime(at), HRTIMER_MODE_ABS_SOFT);
}

/**
 * rein_watch_beaten() - there were beats, which the pulse knows
 * @watch:	the watch
 * @beats:	how many
 * @when:	CLOCK_MONOTONIC, ns
 *
 * Context: its lock is held.
 */
void rein_watch_beaten(struct rein_watch *watch, u64 beats, u64 when)
{
	watch->count[REIN_COUNT_BEAT] += beats;
	watch->last_ns = when;
	if (watch->pulse.status == REIN_WATCH_EXPIRED && !watch->resumed) {
		watch->resumed = true;
		news(watch, REIN_NEWS_RESUMED);
	}
	rein_watch_wake_readers(watch);
}

/* Since it was looked at last; when is not known. */
static void has_beaten(struct rein_watch *watch, u64 beats, u64 now)
{
	rein_pulse_beaten(&watch->pulse, &watch->rules, beats,
			  rein_watch_now(watch, now));
	rein_watch_beaten(watch, beats, now);
}

/* A counter that was set back has beaten once. */
static void sample_counter(struct rein_watch *watch, u64 now)
{
	u64 beats = READ_ONCE(watch->slot.at->beats);
	u64 n = beats > watch->slot.seen ? beats - watch->slot.seen : 1;

	if (beats == watch->slot.seen)
		return;
	watch->slot.seen = beats;
	has_beaten(watch, n, now);
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
	rein_watch_beaten(watch, 1, when);
}

/*
 * Packets go on arriving for what is frozen, and its cycle stands still. So of those that came
 * around the time at which it was frozen, or thawed, no more count than are wanted, and none
 * of those in between.
 */
static unsigned long count_frozen(struct rein_watch *watch, unsigned long n, u64 now)
{
	const u64 idle_ns = idle(watch, now);
	const bool frozen = rein_watch_frozen(watch);
	const bool within = frozen && watch->traffic.frozen;
	const bool around = frozen || watch->traffic.frozen || idle_ns != watch->idle_ns;

	watch->traffic.frozen = frozen;
	watch->idle_ns = idle_ns;
	if (within)
		return 0;
	return around ? min_t(unsigned long, n, max(watch->rules.min, 1U)) : n;
}

static void sample_traffic(struct rein_watch *watch, u64 now)
{
	unsigned long packets = rein_traffic_read(&watch->traffic);
	unsigned long n = count_frozen(watch, packets - watch->traffic.seen, now);

	watch->traffic.seen = packets;
	if (n)
		has_beaten(watch, n, now);
}

static void sample(struct rein_watch *watch, u64 now)
{
	if (watch->flags & REIN_WATCH_SLOT)
		sample_counter(watch, now);
	else if (watch->flags & REIN_WATCH_STAMP)
		sample_stamp(watch, now);
	else if (rein_traffic_is_counted(&watch->traffic))
		sample_traffic(watch, now);
}

/**
 * rein_watch_sample_anew() - what was beaten by now doesn't count
 * @watch:	the watch, which is armed
 *
 * Context: its lock is held.
 */
void rein_watch_sample_anew(struct rein_watch *watch)
{
	if (watch->flags & REIN_WATCH_SLOT)
		watch->slot.seen = READ_ONCE(watch->slot.at->beats);
	else if (watch->flags & REIN_WATCH_STAMP)
		watch->slot.seen = READ_ONCE(watch->slot.at->stamp_ns);
	watch->traffic.seen = rein_traffic_read(&watch->traffic);
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

/**
 * rein_watch_see_to() - see to all that is due
 * @watch:	the watch
 * @now:	CLOCK_MONOTONIC, ns
 *
 * Context: its lock is held.
 *
 * Return: false if that has to wait for the work, which was woken up.
 */
bool rein_watch_see_to(struct rein_watch *watch, u64 now)
{
	u64 time;

	sample(watch, now);
	time = rein_watch_now(watch, now);
	if (in_vain(watch, time)) {
		watch->exited = true;
		rein_watch_wake(watch);
		return false;
	}
	rein_pulse_look(&watch->pulse, &watch->rules, time);
	rein_watch_settle(watch, now);
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
		rein_watch_wake(watch);
		goto out;
	}
	if (rein_watch_see_to(watch, now)) {
		if (step_due(watch) <= now)
			rein_watch_wake(watch);
		else
			rein_watch_look_again(watch, now);
	}
out:
	spin_unlock(&watch->lock);
	return HRTIMER_NORESTART;
}

/**
 * rein_watch_on_exit() - a process goes that a watch is kept over
 * @entry:	of its subject
 * @mode:	not used
 * @sync:	likewise
 * @key:	likewise
 *
 * Context: under a spinlock with interrupts off.
 *
 * Return: 0.
 */
int rein_watch_on_exit(struct wait_queue_entry *entry, unsigned int mode, int sync,
		       void *key)
{
	rein_watch_wake(container_of(entry, struct rein_watch, subject.exit));
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

	rein_watch_follow_if_moved(watch);
	spin_lock_bh(&watch->lock);
	over = watch->exited || !rein_subject_there(&watch->subject);
	if (!over && watch->pulse.status != REIN_WATCH_GONE) {
		u64 now = ktime_get_ns();

		over = !rein_watch_see_to(watch, now);
		rein_watch_look_again(watch, now);
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

/* --- for the ladder --------------------------------------------------------------------- */

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
	rein_watch_look_again(watch, now);
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
	rein_watch_wake_readers(watch);
	spin_unlock_bh(&watch->lock);
}

/* --- coming and going ---------------------------------------------------------------------- */

/**
 * rein_watch_look_setup() - make a watch ready to be looked at
 * @watch:	the watch, which nobody finds yet
 */
void rein_watch_look_setup(struct rein_watch *watch)
{
	watch->look_ns = REIN_NEVER;
	INIT_WORK(&watch->work, work);
	INIT_WORK(&watch->climb, climb);
	hrtimer_setup(&watch->timer, on_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
}

/**
 * rein_watch_look_init() - get ready
 *
 * Return: 0 or -ENOMEM.
 */
int rein_watch_look_init(void)
{
	/* Where all CPUs are busy, what ends that must not be the last to run. */
	wq = alloc_workqueue("rein-watch", WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!wq)
		return -ENOMEM;
	reset_wq = alloc_workqueue("rein-reset", WQ_UNBOUND, 0);
	if (reset_wq)
		return 0;
	destroy_workqueue(wq);
	return -ENOMEM;
}

/**
 * rein_watch_look_exit() - undo rein_watch_look_init()
 *
 * Context: all watches are over; may sleep.
 */
void rein_watch_look_exit(void)
{
	/* One that was about to end by itself may still be told of an exit. */
	flush_workqueue(wq);
	destroy_workqueue(wq);
	destroy_workqueue(reset_wq);
}
