// SPDX-License-Identifier: GPL-2.0
/*
 * Ladders. See ladder.h.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/rein.h>

#include "ladder.h"
#include "limit.h"
#include "netlink-watch.h"
#include "record.h"
#include "scope.h"
#include "watch.h"
#include "watch-look.h"

/* --- what is missing --------------------------------------------------------------------- */

static const char *const fault_words[] = {
	[REIN_FAULT_SILENT] = "too few beats",
	[REIN_FAULT_MANY] = "too many beats",
	[REIN_FAULT_LATE] = "a unit of work lasts too long",
	[REIN_FAULT_EARLY] = "a unit of work was over too soon",
	[REIN_FAULT_ORDER] = "a checkpoint was out of order",
	[REIN_FAULT_TEST] = "a test",
};

static enum rein_code code_of(enum rein_fault fault)
{
	static const enum rein_code codes[] = {
		[REIN_FAULT_SILENT] = REIN_E_WATCH_SILENT,
		[REIN_FAULT_MANY] = REIN_E_WATCH_MANY,
		[REIN_FAULT_LATE] = REIN_E_WATCH_LATE,
		[REIN_FAULT_EARLY] = REIN_E_WATCH_EARLY,
		[REIN_FAULT_ORDER] = REIN_E_WATCH_ORDER,
		[REIN_FAULT_TEST] = REIN_E_WATCH_TESTED,
	};

	return codes[fault];
}

static void fault_message(const struct rein_watch *watch,
			  const struct rein_watch_news_item *item, char *text,
			  size_t size)
{
	const char *words = fault_words[item->fault];
	const struct rein_watch_rules *rules = &watch->rules;

	switch (item->fault) {
	case REIN_FAULT_SILENT:
	case REIN_FAULT_MANY:
		snprintf(text, size, "%s in a cycle: %llu, not %u to %u", words,
			 item->beats, rules->min, rules->max ?: U32_MAX);
		if (rules->min == 1 && !rules->max)
			snprintf(text, size, "no beat for %llu ms",
				 item->ns / NSEC_PER_MSEC);
		break;
	case REIN_FAULT_LATE:
	case REIN_FAULT_EARLY:
		snprintf(text, size, "%s: %s, after %llu ms", words, item->unit,
			 item->ns / NSEC_PER_MSEC);
		break;
	case REIN_FAULT_ORDER:
		if (item->before < REIN_CHECKPOINTS)
			snprintf(text, size, "%s: %u after %u", words, item->at,
				 item->before);
		else
			snprintf(text, size, "%s: %u to begin with", words,
				 item->at);
		break;
	default:
		snprintf(text, size, "%s", words);
	}
}

/* Those before the last one, of which nothing is known but that they were. */
static void tell_earlier(struct rein_watch *watch, enum rein_fault fault, u32 n)
{
	const struct rein_watch_note note = {
		.watch = watch,
		.code = code_of(fault),
		.fold = &watch->fold[fault],
		.more = n - 1,
		.message = fault_words[fault],
		.value = { { "tolerated", "faults", watch->rules.miss } },
	};

	watch->record = rein_record_watch(&note, REIN_SITE);
}

/* What it has expired of has a record of its own, which the one of that refers to. */
static void tell_fault(struct rein_watch *watch,
		       const struct rein_watch_news_item *item, bool expired, u32 n)
{
	char text[REIN_RECORD_MESSAGE];
	struct rein_watch_note note = {
		.watch = watch,
		.code = code_of(item->fault),
		.fold = expired ? NULL : &watch->fold[item->fault],
		.more = expired ? 0 : n - 1,
		.message = text,
		.value = {
			{ "in_a_row", "faults", item->misses },
			{ "tolerated", "faults", watch->rules.miss },
			{ "time", "ns", item->ns },
		},
	};

	fault_message(watch, item, text, sizeof(text));
	watch->record = rein_record_watch(&note, REIN_SITE);
}

static void tell_faults(struct rein_watch *watch,
			const struct rein_watch_report *report)
{
	const struct rein_watch_news_item *item = &report->item;
	const bool expired = report->news & REIN_NEWS_EXPIRED;
	u64 all = 0;
	u32 i;

	for (i = 0; i < REIN_PULSE_FAULTS; i++) {
		u32 n = report->faults[i];

		all += n;
		if (i == item->fault)
			n = expired ? n - 1 : 0;
		if (n)
			tell_earlier(watch, i, n);
	}
	tell_fault(watch, item, expired, report->faults[item->fault]);
	rein_watch_counts(watch, REIN_COUNT_MISS, all);
	/* The last one is told of as what it is: it has expired. */
	if (!expired)
		rein_netlink_watch(watch, REIN_WATCH_EVENT_MISSED, NULL);
}

static void tell_expired(struct rein_watch *watch,
			 const struct rein_watch_news_item *item)
{
	char text[REIN_RECORD_MESSAGE];
	struct rein_watch_note note = {
		.watch = watch,
		.code = REIN_E_WATCH_EXPIRED,
		.cause = watch->record,
		.message = text,
		.value = { { "in_a_row", "faults", item->misses } },
	};

	snprintf(text, sizeof(text), "a watch has expired: %s",
		 fault_words[item->fault]);
	watch->expired = rein_record_watch(&note, REIN_SITE);
	rein_watch_counts(watch, REIN_COUNT_EXPIRE, 1);
	rein_netlink_watch(watch, REIN_WATCH_EVENT_EXPIRED, NULL);
}

static void tell_resumed(struct rein_watch *watch)
{
	const struct rein_watch_note note = {
		.watch = watch,
		.code = REIN_E_WATCH_RESUMED,
		.cause = watch->expired,
		.message = "there was a beat after a watch had expired",
	};

	rein_record_watch(&note, REIN_SITE);
	rein_watch_counts(watch, REIN_COUNT_RESUME, 1);
	rein_netlink_watch(watch, REIN_WATCH_EVENT_RESUMED, NULL);
}

/* With what it does now: where it hangs is seen before anything is done to it. */
static void tell_warned(struct rein_watch *watch)
{
	char text[REIN_RECORD_MESSAGE], state[REIN_RECORD_MESSAGE / 2];
	unsigned long stack[REIN_RECORD_STACK];
	struct rein_watch_note note = {
		.watch = watch,
		.code = REIN_E_WATCH_WARNED,
		.fold = &watch->warned,
		.message = text,
		.stack = stack,
	};

	note.depth = rein_subject_state(&watch->subject, watch->maker.pid,
					state, sizeof(state), stack, ARRAY_SIZE(stack));
	if (!note.depth && *state)
		snprintf(text, sizeof(text),
			 "about to expire:%s; its stack: /proc/PID/stack",
			 state);
	else
		snprintf(text, sizeof(text), "about to expire:%s", state);
	rein_record_watch(&note, REIN_SITE);
	rein_netlink_watch(watch, REIN_WATCH_EVENT_WARNED, NULL);
}

/**
 * rein_ladder_take() - take out what there is of news
 * @watch:	the watch
 * @report:	where to; to be told by rein_ladder_report()
 *
 * Context: the watch's lock is held as well.
 */
void rein_ladder_take(struct rein_watch *watch,
		      struct rein_watch_report *report)
{
	u32 i;

	report->news = watch->news;
	report->item = watch->item;
	for (i = 0; i < REIN_PULSE_FAULTS; i++)
		report->faults[i] = watch->pulse.kinds[i] - watch->told[i];
	watch->news = 0;
	memcpy(watch->told, watch->pulse.kinds, sizeof(watch->told));
}

/**
 * rein_ladder_report() - tell what was taken out
 * @watch:	the watch
 * @report:	what
 */
void rein_ladder_report(struct rein_watch *watch,
			const struct rein_watch_report *report)
{
	if (report->news & REIN_NEWS_WARNED)
		tell_warned(watch);
	if (report->news & REIN_NEWS_MISSED)
		tell_faults(watch, report);
	if (report->news & REIN_NEWS_EXPIRED)
		tell_expired(watch, &report->item);
	if (report->news & REIN_NEWS_RESUMED)
		tell_resumed(watch);
}

/**
 * rein_ladder_tell() - tell what there is of news
 * @watch:	the watch
 */
void rein_ladder_tell(struct rein_watch *watch)
{
	struct rein_watch_report report;

	lockdep_assert_held(&watch->tell);
	spin_lock_bh(&watch->lock);
	rein_ladder_take(watch, &report);
	spin_unlock_bh(&watch->lock);
	rein_ladder_report(watch, &report);
}

/* --- steps -------------------------------------------------------------------------------- */

static const char *const step_words[] = {
	[REIN_STEP_RECORD] = "record",
	[REIN_STEP_SIGNAL] = "signal",
	[REIN_STEP_CANCEL] = "cancel",
	[REIN_STEP_KILL] = "kill",
	[REIN_STEP_RESET] = "reset",
	[REIN_STEP_EXEC] = "exec",
};

static int step_cancel(struct rein_watch *watch)
{
	char reason[REIN_REASON_LEN];

	snprintf(reason, sizeof(reason), "watch %llu %s has expired", watch->id,
		 watch->name);
	rein_scope_cancel_for(watch->scope, reason, watch->expired);
	return 0;
}

/* With no lock. Returns 0 or a negative errno. */
static int step_do(struct rein_watch *watch, const struct rein_watch_step *step)
{
	switch (step->kind) {
	case REIN_STEP_SIGNAL:
		return rein_subject_signal(&watch->subject, step->signal,
					   watch->cred, watch->maker.pid);
	case REIN_STEP_CANCEL:
		return step_cancel(watch);
	case REIN_STEP_KILL:
		return rein_subject_kill(&watch->subject, watch->cred,
					 watch->maker.pid);
	case REIN_STEP_RESET:
		return rein_subject_reset(&watch->subject);
	}
	return 0;
}

static void tell_step(struct rein_watch *watch, u32 at, int err, bool test)
{
	const struct rein_watch_step *step = &watch->steps[at];
	const struct rein_watch_step_note told = { at, err, test };
	char text[REIN_RECORD_MESSAGE];
	struct rein_watch_note note = {
		.watch = watch,
		.code = err ? REIN_E_WATCH_STEP_FAILED : REIN_E_WATCH_STEP,
		.cause = test ? watch->record : watch->expired,
		.err = -err,
		.message = text,
		.value = {
			{ "step", "steps", at + 1 },
			{ "signal", "signals", step->signal },
		},
	};

	snprintf(text, sizeof(text), "step %u of %u, %s%s", at + 1,
		 watch->n_steps, step_words[step->kind],
		 err ? ": it could not be done" :
		 test ? ": not done, it is a test" : "");
	rein_record_watch(&note, REIN_SITE);
	rein_netlink_watch(watch, REIN_WATCH_EVENT_STEP, &told);
}

/**
 * rein_ladder_run() - tell what there is to be told, and do the steps that are due
 * @watch:	the watch
 *
 * Context: the watch's work; @tell is not held.
 */
void rein_ladder_run(struct rein_watch *watch)
{
	u32 at;

	mutex_lock(&watch->tell);
	rein_ladder_tell(watch);
	while (rein_watch_step(watch, &at)) {
		int err;

		mutex_unlock(&watch->tell);
		err = step_do(watch, &watch->steps[at]);
		mutex_lock(&watch->tell);
		tell_step(watch, at, err, false);
		rein_watch_counts(watch, REIN_COUNT_STEP, 1);
	}
	mutex_unlock(&watch->tell);
}

/* --- the rest of what is told ---------------------------------------------------------------- */

/**
 * rein_ladder_made() - there is a new watch
 * @watch:	the watch
 */
void rein_ladder_made(struct rein_watch *watch)
{
	rein_netlink_watch(watch, REIN_WATCH_EVENT_MADE, NULL);
}

/**
 * rein_ladder_armed() - it was armed, or disarmed
 * @watch:	the watch
 * @armed:	armed
 */
void rein_ladder_armed(struct rein_watch *watch, bool armed)
{
	watch->expired = 0;
	watch->warned = 0;
	memset(watch->fold, 0, sizeof(watch->fold));
	rein_netlink_watch(watch, armed ? REIN_WATCH_EVENT_ARMED :
					  REIN_WATCH_EVENT_DISARMED, NULL);
}

/**
 * rein_ladder_test() - somebody tests it
 * @watch:	the watch
 * @real:	it has expired; else nothing is done
 *
 * Return: id of the record of it, or 0.
 */
u64 rein_ladder_test(struct rein_watch *watch, bool real)
{
	const struct rein_watch_note note = {
		.watch = watch,
		.code = REIN_E_WATCH_TESTED,
		.by_task = true,
		.message = real ? "a watch is tested: it expires" :
				  "a watch is tested, and goes on",
	};
	u64 record;
	u32 at;

	record = rein_record_watch(&note, REIN_SITE);
	watch->record = record;
	/* The fault of a real one is news by now. */
	if (real)
		rein_ladder_tell(watch);
	for (at = 0; !real && at < watch->n_steps; at++)
		tell_step(watch, at, 0, true);
	return record;
}

/**
 * rein_ladder_gone() - it is over
 * @watch:	the watch
 * @exited:	since its subject has gone
 */
void rein_ladder_gone(struct rein_watch *watch, bool exited)
{
	const struct rein_watch_note note = {
		.watch = watch,
		.code = REIN_E_WATCH_EXITED,
		.message = watch->subject.pid ? "the process has exited" :
			   watch->subject.sk ? "the socket was closed" :
			   "the cgroup is empty, or was removed",
	};

	if (exited)
		watch->record = rein_record_watch(&note, REIN_SITE);
	rein_watch_counts(watch, REIN_COUNT_GONE, 1);
	rein_netlink_watch(watch, REIN_WATCH_EVENT_GONE, NULL);
}
