/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watches: heartbeats that the kernel looks for (watch-look.h). A watch is kept over a subject
 * (subject.h); what it expects, and what is missing, its pulse says (pulse.h); what follows
 * then is the ladder's (ladder.h).
 *
 * A watch is an object with references: the table's, until it is over, and those of
 * descriptors (watch-file.h) and of its work. It is over when somebody ends it, when its
 * subject has gone, or with its last owner.
 *
 * Its time is CLOCK_MONOTONIC, which stands still while the machine sleeps, less the times in
 * which its subject was frozen.
 *
 * Locking: a spinlock, with bottom halves off, guards the pulse and all that beats change;
 * nothing is allocated, and nobody waited for, below it. A beat takes that and nothing else:
 * the timer looks for the last beat when it runs, and sets itself anew. Only what is due sooner
 * sets it: a unit of work, or the first cycle after a longer grace. A mutex outside of that,
 * which nobody holds who beats, keeps what is told of the watch in the order in which it was.
 */
#ifndef REIN_WATCH_H
#define REIN_WATCH_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/rein_dev.h>

#include "maker.h"
#include "pulse.h"
#include "slots.h"
#include "subject.h"
#include "tally.h"

struct cred;
struct rein_answer;
struct rein_freezer;
struct rein_scope;
struct rein_watch_spec;

/* What is still to be told. */
enum rein_watch_news {
	REIN_NEWS_WARNED = 1 << 0,
	REIN_NEWS_MISSED = 1 << 1,
	REIN_NEWS_EXPIRED = 1 << 2,
	REIN_NEWS_RESUMED = 1 << 3,
};

/**
 * struct rein_watch_news_item - the last fault, as it was
 * @fault:	of enum rein_fault
 * @misses:	how many there were in a row
 * @ns:		how long there was no beat, or how long the unit was under way
 * @beats:	how many there were in the cycle
 * @at:		the checkpoint
 * @before:	the one before that, or REIN_PULSE_NOWHERE
 * @unit:	the unit
 */
struct rein_watch_news_item {
	u32 fault;
	u32 misses;
	u64 ns;
	u64 beats;
	u32 at;
	u32 before;
	char unit[REIN_UNIT_LEN];
};

/**
 * struct rein_watch_report - what is to be told of a watch
 * @news:	what, of enum rein_watch_news
 * @item:	the last fault
 * @faults:	how many there were of each kind: of those but the last nothing else is known
 */
struct rein_watch_report {
	u32 news;
	struct rein_watch_news_item item;
	u32 faults[REIN_PULSE_FAULTS];
};

/**
 * struct rein_watch - a watch
 * @refs:	see above
 * @owners:	descriptors that can do anything to it
 * @id:		never given twice
 * @flags:	of enum rein_watch_flags
 * @maker:	who made it
 * @cred:	as whom steps are done, holds a reference
 * @subject:	what it is kept over
 * @scope:	what the step cancel cancels, holds a reference; or NULL
 * @steps:	what is done when it has expired
 * @n_steps:	how many
 * @looks:	how often it may be looked at in a second, as was charged; @tell
 * @node:	among those whose subjects don't tell that they go; see watch.c
 * @tell:	see above
 * @record:	id of the record of the last fault, or of its end; @tell
 * @expired:	id of the record that it has expired, or 0; @tell
 * @fold:	of faults of each kind since it was armed, id of the record, or 0; @tell
 * @warned:	likewise of warnings; @tell
 * @lock:	guards the rest
 * @rules:	what it expects
 * @pulse:	where it is by them
 * @faults:	of the pulse, those that were noted
 * @status:	likewise
 * @timer:	looks
 * @look_ns:	when it does, CLOCK_MONOTONIC, REIN_NEVER: it does not
 * @freezer:	of the subject's cgroup, NULL: there is none
 * @thawed_ns:	what is to be added to the freezer's total
 * @slot:	what a program beats in
 * @traffic:	the packets that beat it
 * @clock:	what its time namespace adds to its times
 * @idle_ns:	for how long the subject had been frozen when the slot was looked at
 * @exited:	the subject has gone, or is empty
 * @token:	that the next beat has to carry
 * @count:	by enum rein_watch_count
 * @last_ns:	of the last beat, CLOCK_MONOTONIC, 0: there was none
 * @armed_ns:	when it was armed, CLOCK_MONOTONIC
 * @unit:	the unit that is under way
 * @unit_ns:	when it was begun, CLOCK_MONOTONIC
 * @news:	what is to be told, of enum rein_watch_news
 * @item:	and of that the last fault
 * @told:	of the pulse's faults by kind, those that were told of
 * @at_step:	the step that comes next
 * @step_ns:	when, CLOCK_MONOTONIC
 * @resumed:	there was a beat since it has expired
 * @work:	tells, and does steps
 * @climb:	does those that may wait for long
 * @wait:	who polls, or reads
 * @name:	for its readers, or empty
 * @rcu:	to free it
 */
struct rein_watch {
	refcount_t refs;
	atomic_t owners;
	u64 id;
	u32 flags;
	struct rein_maker maker;
	const struct cred *cred;
	struct rein_subject subject;
	struct rein_scope *scope;
	struct rein_watch_step steps[REIN_STEPS_MAX];
	u32 n_steps;
	unsigned int looks;
	struct list_head node;

	struct mutex tell;
	u64 record;
	u64 expired;
	u64 fold[REIN_PULSE_FAULTS];
	u64 warned;

	spinlock_t lock;
	struct rein_watch_rules rules;
	struct rein_pulse pulse;
	u64 faults;
	u32 status;
	struct hrtimer timer;
	u64 look_ns;
	struct rein_freezer *freezer;
	u64 thawed_ns;
	struct rein_slot slot;
	struct rein_traffic traffic;
	s64 clock;
	u64 idle_ns;
	bool exited;
	u64 token;
	u64 count[REIN_WATCH_COUNTS];
	u64 last_ns;
	u64 armed_ns;
	char unit[REIN_UNIT_LEN];
	u64 unit_ns;
	u32 news;
	struct rein_watch_news_item item;
	u32 told[REIN_PULSE_FAULTS];
	u32 at_step;
	u64 step_ns;
	bool resumed;

	struct work_struct work;
	struct work_struct climb;
	wait_queue_head_t wait;
	char name[REIN_WATCH_NAME_LEN];
	struct rcu_head rcu;
};

struct rein_watch *rein_watch_new(struct rein_watch_spec *spec,
				  struct rein_answer *answer);
void rein_watch_put(struct rein_watch *watch);
bool rein_watch_end(struct rein_watch *watch, bool exited);
void rein_watch_end_all(void);

struct rein_watch *rein_watch_find(u64 id);
struct rein_watch *rein_watch_next(u64 id);
unsigned long rein_watch_number(void);

int rein_watch_beat(struct rein_watch *watch, struct rein_beat_args *args);
int rein_watch_beat_plain(struct rein_watch *watch, u64 token,
			  struct rein_answer *answer);
int rein_watch_arm(struct rein_watch *watch, const struct rein_arm_args *args,
		   struct rein_answer *answer);
int rein_watch_test(struct rein_watch *watch, bool real,
		    struct rein_answer *answer);

int rein_watch_init(void);
void rein_watch_exit(void);

/**
 * rein_watch_get() - another reference
 * @watch:	the watch, of which somebody has one
 *
 * Context: any.
 *
 * Return: @watch.
 */
static inline struct rein_watch *rein_watch_get(struct rein_watch *watch)
{
	refcount_inc(&watch->refs);
	return watch;
}

#endif /* REIN_WATCH_H */
