/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scopes: what can be called off as a whole. A scope has a deadline, perhaps, and a
 * parent; it is done when it is cancelled, and then all below it are. The first cause
 * stays. Nothing goes up.
 *
 * A scope is an object with references: of descriptors (scope-file.h), of its children,
 * and of the cgroup that it is bound to (bind.h). What waits is tied to it, and is called
 * when it ends.
 *
 * Locking: all scopes below one topmost form a family, whose mutex guards the tree and
 * orders what ends in it, so that a walk over many of them can be interrupted at
 * any one. What a scope came to is set before its cause is, and never changes then. Its
 * spinlock guards its ties. The trees' locks come inside of a family's mutex, through
 * what is tied.
 *
 * Context: a task that may sleep, unless it says otherwise.
 */
#ifndef REIN_SCOPE_H
#define REIN_SCOPE_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/rein.h>
#include <linux/rein_dev.h>

#include "clock.h"
#include "maker.h"

struct rein_answer;
struct rein_binding;
struct rein_race;
struct rein_replica;
struct rein_scope;
struct rein_tie;

/**
 * struct rein_tie - something that waits, and ends with a scope
 * @owner:	what it is
 * @scope:	the scope, NULL: it is tied to none
 * @node:	among the scope's
 * @cut:	called, once, when the scope ends while it is tied; may sleep
 * @busy:	that is under way
 */
struct rein_tie {
	void *owner;
	struct rein_scope *scope;
	struct list_head node;
	void (*cut)(struct rein_tie *tie);
	bool busy;
};

/**
 * struct rein_family - scopes below one topmost, and that
 * @refs:	theirs
 * @lock:	see above
 */
struct rein_family {
	refcount_t refs;
	struct mutex lock;
};

/**
 * struct rein_end - what a scope came to
 * @origin:	id of the scope where it began
 * @record:	id of the record of that
 * @time_ns:	when, CLOCK_MONOTONIC
 * @real_ns:	the same, CLOCK_REALTIME
 * @pid:	who did it, holds a reference; NULL: nobody, or it is not the origin
 * @reason:	in their words; NULL: none, or it is not the origin
 */
struct rein_end {
	u64 origin;
	u64 record;
	u64 time_ns;
	u64 real_ns;
	struct pid *pid;
	char *reason;
};

/**
 * struct rein_scope - what can be called off as a whole
 * @refs:	see above
 * @owners:	descriptors that can cancel it
 * @id:		never given twice
 * @family:	its family
 * @parent:	the scope that it is a part of, holds a reference; or NULL
 * @depth:	1 at the top
 * @siblings:	among the children of @parent; the family's lock
 * @children:	likewise
 * @n_children:	how many
 * @deadline:	the earliest of it and of those above, by each clock; REIN_NEVER
 * @timer:	runs at its own, if that is one of these
 * @work:	cancels it then
 * @owned:	it ends with its last owner
 * @settled:	it has won a race, or is one that is decided: it can't be cancelled
 *		any more; the family's lock
 * @cause:	why it is done, enum rein_cause; set last
 * @end:	all about that
 * @lock:	guards @ties, @n_ties, and what is tied
 * @ties:	what ends with it, newest last
 * @n_ties:	how many
 * @wait:	who polls, or reads
 * @page:	what it shows to who maps it, NULL: nobody has; the family's lock
 * @binding:	the cgroup that it is bound to, or NULL; the family's lock, and RCU
 * @race:	what makes it a race, or NULL
 * @replica:	what makes it a replica, or NULL
 * @maker:	who made it
 * @name:	for its readers, or empty
 * @rcu:	to free it
 */
struct rein_scope {
	refcount_t refs;
	atomic_t owners;
	u64 id;
	struct rein_family *family;
	struct rein_scope *parent;
	unsigned int depth;
	struct list_head siblings;
	struct list_head children;
	unsigned int n_children;

	u64 deadline[REIN_CLOCKS];
	struct hrtimer timer;
	struct work_struct work;

	bool owned;
	bool settled;
	u32 cause;
	struct rein_end end;
	spinlock_t lock;
	struct list_head ties;
	unsigned int n_ties;
	wait_queue_head_t wait;
	struct page *page;

	struct rein_binding __rcu *binding;
	struct rein_race *race;
	struct rein_replica *replica;

	struct rein_maker maker;
	char name[REIN_SCOPE_NAME_LEN];
	struct rcu_head rcu;
};

/**
 * struct rein_scope_spec - what a scope shall be
 * @name:	see struct rein_scope
 * @parent:	likewise
 * @deadline:	by each clock; REIN_NEVER
 * @owned:	see struct rein_scope
 * @race:	likewise; the scope's then
 * @replica:	likewise
 */
struct rein_scope_spec {
	const char *name;
	struct rein_scope *parent;
	u64 deadline[REIN_CLOCKS];
	bool owned;
	struct rein_race *race;
	struct rein_replica *replica;
};

struct rein_scope *rein_scope_new(const struct rein_scope_spec *spec,
				  struct rein_answer *answer);
void rein_scope_put(struct rein_scope *scope);
struct rein_scope *rein_scope_find(u64 id);
struct rein_scope *rein_scope_next(u64 id);
unsigned long rein_scope_number(void);

u32 rein_scope_cancel(struct rein_scope *scope, enum rein_cause cause,
		      const char *reason);
void rein_scope_cancel_because(struct rein_scope *scope, u64 origin,
			       u64 record);
u32 rein_scope_cancel_locked(struct rein_scope *scope, enum rein_cause cause,
			     const char *reason, u64 record);
void rein_scope_cancel_for(struct rein_scope *scope, const char *reason,
			   u64 record);
void rein_scope_cancel_all(const char *reason, u64 record);
void rein_scope_cancel_others(struct rein_scope *race,
			      u64 winner);

const char *rein_cause_name(u32 cause);
u64 rein_scope_deadline(const struct rein_scope *scope);
u64 rein_scope_left(const struct rein_scope *scope);
const struct rein_scope *rein_scope_origin(const struct rein_scope *scope);

bool rein_tie(struct rein_tie *tie, struct rein_scope *scope,
	      void (*cut)(struct rein_tie *tie));
void rein_untie(struct rein_tie *tie);

/**
 * rein_scope_get() - another reference
 * @scope:	the scope, of which somebody has one
 *
 * Context: any.
 *
 * Return: @scope.
 */
static inline struct rein_scope *rein_scope_get(struct rein_scope *scope)
{
	refcount_inc(&scope->refs);
	return scope;
}

/**
 * rein_scope_cause() - is a scope done, and why?
 * @scope:	the scope
 *
 * All about its end can be read if it is.
 *
 * Context: any.
 *
 * Return: enum rein_cause; REIN_CAUSE_NONE: it is not.
 */
static inline u32 rein_scope_cause(const struct rein_scope *scope)
{
	/* Pairs with scope_end(). */
	return smp_load_acquire(&scope->cause);
}

int rein_scope_init(void);
void rein_scope_exit(void);

#endif /* REIN_SCOPE_H */
