// SPDX-License-Identifier: GPL-2.0
/*
 * Freezers. See freezer.h.
 */
#include <linux/cgroup.h>
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "cgroup.h"
#include "freezer.h"

/**
 * struct rein_freezer - for how long a cgroup was frozen
 * @hash:	in the table, by @cgroup_id
 * @cgroup_id:	the cgroup's 64-bit id
 * @cgrp:	the cgroup, holds a reference
 * @refs:	who wants to know; freezers_lock
 * @lock:	guards the rest
 * @total_ns:	all the times that are over
 * @since_ns:	when the present one began, 0: it is not frozen
 * @rcu:	to free it
 */
struct rein_freezer {
	struct rhash_head hash;
	u64 cgroup_id;
	struct cgroup *cgrp;
	unsigned int refs;
	seqlock_t lock;
	u64 total_ns;
	u64 since_ns;
	struct rcu_head rcu;
};

static const struct rhashtable_params params = {
	.head_offset = offsetof(struct rein_freezer, hash),
	.key_offset = offsetof(struct rein_freezer, cgroup_id),
	.key_len = sizeof_field(struct rein_freezer, cgroup_id),
	.automatic_shrinking = true,
};

static struct rhashtable freezers;
static DEFINE_MUTEX(freezers_lock);

static struct rein_cgroup_probe freeze_probe, unfreeze_probe;

static struct rein_freezer *lookup(const struct cgroup *cgrp)
{
	u64 id = cgroup_id(cgrp);

	return rhashtable_lookup(&freezers, &id, params);
}

/*
 * The flag is set before, and cleared before, the tracepoint is passed: so whoever sees it
 * with the lock held is told of what comes then.
 */
static void note(struct rein_freezer *freezer)
{
	unsigned long flags;
	bool frozen;
	u64 now;

	write_seqlock_irqsave(&freezer->lock, flags);
	frozen = rein_freezer_frozen(freezer);
	now = ktime_get_ns();
	if (frozen && !freezer->since_ns) {
		freezer->since_ns = now;
	} else if (!frozen && freezer->since_ns) {
		freezer->total_ns += now - freezer->since_ns;
		freezer->since_ns = 0;
	}
	write_sequnlock_irqrestore(&freezer->lock, flags);
}

/* Called under a spinlock with interrupts off. */
static void on_change(void *data, struct cgroup *cgrp, const char *path)
{
	struct rein_freezer *freezer;

	rcu_read_lock();
	freezer = lookup(cgrp);
	if (freezer)
		note(freezer);
	rcu_read_unlock();
}

static struct rein_freezer *freezer_new(struct cgroup *cgrp)
{
	struct rein_freezer *freezer;

	freezer = kzalloc(sizeof(*freezer), GFP_KERNEL_ACCOUNT);
	if (!freezer)
		return NULL;
	freezer->cgroup_id = cgroup_id(cgrp);
	freezer->cgrp = cgrp;
	seqlock_init(&freezer->lock);
	if (rhashtable_insert_fast(&freezers, &freezer->hash, params)) {
		kfree(freezer);
		return NULL;
	}
	cgroup_get(cgrp);
	note(freezer);
	return freezer;
}

/**
 * rein_freezer_get() - begin to keep the times of a cgroup
 * @cgrp:	the cgroup
 *
 * Context: a task; may sleep.
 *
 * Return: its freezer, to be given up by rein_freezer_put(); NULL without memory.
 */
struct rein_freezer *rein_freezer_get(struct cgroup *cgrp)
{
	struct rein_freezer *freezer;

	mutex_lock(&freezers_lock);
	rcu_read_lock();
	freezer = lookup(cgrp);
	rcu_read_unlock();
	if (!freezer)
		freezer = freezer_new(cgrp);
	if (freezer)
		freezer->refs++;
	mutex_unlock(&freezers_lock);
	return freezer;
}

static void freezer_free(struct rcu_head *rcu)
{
	struct rein_freezer *freezer;

	freezer = container_of(rcu, struct rein_freezer, rcu);
	cgroup_put(freezer->cgrp);
	kfree(freezer);
}

/**
 * rein_freezer_put() - undo rein_freezer_get()
 * @freezer:	the freezer, or NULL
 *
 * Context: a task; may sleep.
 */
void rein_freezer_put(struct rein_freezer *freezer)
{
	bool last;

	if (!freezer)
		return;
	mutex_lock(&freezers_lock);
	last = !--freezer->refs;
	if (last)
		rhashtable_remove_fast(&freezers, &freezer->hash, params);
	mutex_unlock(&freezers_lock);
	if (last)
		call_rcu(&freezer->rcu, freezer_free);
}

/**
 * rein_freezer_total() - for how long was it frozen, in all?
 * @freezer:	the freezer
 * @now:	CLOCK_MONOTONIC, ns
 *
 * Only differences of what this returns mean something.
 *
 * Context: any.
 *
 * Return: ns.
 */
u64 rein_freezer_total(struct rein_freezer *freezer, u64 now)
{
	u64 total, since;
	unsigned int seq;

	/* Where there are no tracepoints nobody else does. */
	if (rein_freezer_frozen(freezer) != !!READ_ONCE(freezer->since_ns))
		note(freezer);
	do {
		seq = read_seqbegin(&freezer->lock);
		total = freezer->total_ns;
		since = freezer->since_ns;
	} while (read_seqretry(&freezer->lock, seq));
	return since && now > since ? total + now - since : total;
}

/**
 * rein_freezer_frozen() - is it frozen now?
 * @freezer:	the freezer
 *
 * Context: any.
 *
 * Return: whether it is.
 */
bool rein_freezer_frozen(const struct rein_freezer *freezer)
{
	return test_bit(CGRP_FREEZE, &freezer->cgrp->flags);
}

/**
 * rein_freezer_cgroup_id() - whose times are they?
 * @freezer:	the freezer
 *
 * Context: any.
 *
 * Return: the cgroup's id.
 */
u64 rein_freezer_cgroup_id(const struct rein_freezer *freezer)
{
	return freezer->cgroup_id;
}

/**
 * rein_freezer_init() - listen for what is frozen and thawed
 *
 * Return: 0 or -ENOMEM.
 */
int rein_freezer_init(void)
{
	int err = rhashtable_init(&freezers, &params);

	if (err)
		return err;
	rein_cgroup_probe(&freeze_probe, "cgroup_freeze", on_change);
	rein_cgroup_probe(&unfreeze_probe, "cgroup_unfreeze", on_change);
	return 0;
}

/**
 * rein_freezer_exit() - undo rein_freezer_init(); nobody has a freezer any more
 */
void rein_freezer_exit(void)
{
	rein_cgroup_unprobe(&freeze_probe);
	rein_cgroup_unprobe(&unfreeze_probe);
	/* Before the table: what is being freed is out of it already. */
	rcu_barrier();
	rhashtable_destroy(&freezers);
}
