/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits: a named set of token buckets attached to a target.
 *
 * A limit lives from rein_limit_add() until it is deleted, expires, or its
 * cgroup dies. The data path reaches limits under RCU through their targets
 * and charges them under limit->lock.
 *
 * Lock order, outermost first, for the whole module:
 *
 *   rtnl, pernet_ops_rwsem	(not ours: their notifiers call into us)
 *   a watch's @tell		see watch.h; nobody holds it who goes on to what is next,
 *				but cgroups' freezers and a watch's lock come inside
 *   bindings			see bind.h
 *   a family of scopes		see scope.h
 *   a scope			its ties; then the table of all scopes
 *   rein_mutex			all configuration: limits, targets, trees, nets
 *   quotas			see maker.h; then the table of all limits
 *   tree->lock			_bh; waiting rooms below one topmost target;
 *				two are held only by a merge, the new one first
 *   rein_config_seq		_bh; publishing a change to the data path
 *   limit->lock		_bh; a chain is locked root to leaf and, within
 *				one target, older before younger, all under
 *				the lockdep map of admit.c
 *   slices of one CPU		_bh; see slice.h
 *   record ring, record slot	_bh; see record.c
 *   set of known flows		_bh; see known.h
 *
 * The tests ask lockdep whether it is so (selftests/rein/lib-robust.sh).
 */
#ifndef REIN_LIMIT_H
#define REIN_LIMIT_H

#include <linux/cgroup.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/timerqueue.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/rein.h>

#include "plan.h"

struct rein_slice;
struct rein_target;

#define REIN_UNITS		(REIN_UNIT_CALLS + 1)
#define REIN_RESOURCES		(REIN_RESOURCE_CALL + 1)

/* Credit is counted in millionths of a token. */
#define REIN_CREDIT_ONE		1000000

/* Counters have the order of their netlink attributes. */
#define REIN_STAT(attr)		(REIN_A_STATS_##attr - 1)
#define REIN_STATS		REIN_A_STATS_MAX

struct rein_count {
	u64 packets;
	u64 bytes;
};

/* Events of the data path that are folded into one record per limit. */
enum rein_fold {
	REIN_FOLD_REFUSED,
	REIN_FOLD_IMPATIENT,
	REIN_FOLD_STALE,
	REIN_FOLD_OVERFLOW,
	REIN_FOLD_NOMEM,
	REIN_FOLD_TEARDOWN,
	REIN_FOLD_OBSERVED,
	REIN_FOLD_EXPIRED,		/* of reservations only */
	REIN_FOLD_FLUSHED,		/* TEARDOWN or a cancelled take, by force */
	REIN_FOLD_SCOPE,		/* its cgroup's scope is done */
	REIN_FOLDS,

	/* Of takes; these have no packets, and packets don't do these. */
	REIN_FOLD_BURST = REIN_FOLD_NOMEM,
	REIN_FOLD_LATE = REIN_FOLD_TEARDOWN,
	/* One that leaves no record. */
	REIN_FOLD_CANCELLED = REIN_FOLDS,
};

/**
 * struct rein_limit - a named set of buckets on one resource of a target
 * @lock:	guards @tiers, @n_tiers, @over, @patience_ns, @queue, @stats and
 *		what is lent; those but the tiers and the counters may be read
 *		without it
 * @n_tiers:	1 to REIN_TIERS_MAX
 * @over:	what happens to a request there are no tokens for
 * @resource:	what is metered
 * @own_patience: @patience_ns was asked for, not derived from the rate;
 *		rein_mutex
 * @own_queue:	@queue likewise
 * @trusted:	an administrator made it; else the user of a socket, for that
 * @per_socket:	each socket of the cgroup shall have a copy
 * @lends:	some tokens are in @slices
 * @heard:	jiffies when all CPUs were last asked what has passed there
 * @slices:	tokens of each CPU, NULL until there is use for them
 * @tiers:	the buckets
 * @spare:	those that it is about to have; rein_mutex
 * @patience_ns: longest wait of one request
 * @queue:	bytes of packets, or takers, that may wait at the same time
 * @maker:	the user who made it, if not @trusted
 * @credit:	millionths of a token that a success may give back
 * @credited:	what of that was given and is no whole token yet
 * @stats:	counters, see the spec for the identity they keep
 * @fold:	id of the open record of each kind of event, see record.c
 * @ledger:	what is planned to be taken from it, of a limit on calls; the tree's
 *		lock
 * @id:		unique until the module is unloaded
 * @born:	configuration generation that published the limit
 * @target:	what the limit is attached to
 * @node:	in the target's list for @resource, youngest first; RCU
 * @origin:	of a copy: whose, and then it is in no list but those of its target and
 *		of that limit, and nobody is told of it; else NULL
 * @copies:	the copies there are, by @copy; rein_mutex
 * @n_copies:	how many; rein_mutex
 * @crowded:	there are more sockets than may have one; rein_mutex
 * @copy:	among @origin's copies; rein_mutex
 * @expiry:	when the limit removes itself; rein_mutex
 * @rcu:	to free it
 * @name:	unique on the target
 */
struct rein_limit {
	spinlock_t lock;
	u8 n_tiers;
	u8 over;
	u8 resource;
	bool own_patience;
	bool own_queue;
	bool trusted;
	bool per_socket;
	bool lends;
	u32 heard;
	struct rein_slice __percpu *slices;
	struct rein_tier *tiers;
	struct rein_tier *spare;
	u64 patience_ns;
	u64 queue;
	kuid_t maker;
	u32 credit;
	u32 credited;
	struct rein_count stats[REIN_STATS];
	u64 fold[REIN_FOLDS];
	struct rein_ledger ledger;

	u64 id;
	u64 born;
	struct rein_target *target;
	struct list_head node;
	struct rein_limit *origin;
	struct list_head copies;
	unsigned int n_copies;
	bool crowded;
	struct list_head copy;
	struct timerqueue_node expiry;
	struct rcu_head rcu;
	char name[];
};

struct rein_ask;
struct rein_at;
struct rein_limit_spec;

extern struct mutex rein_mutex;
extern seqlock_t rein_config_seq;
extern u64 rein_config_gen;

struct rein_limit *rein_limit_new(const struct rein_limit_spec *spec);
void rein_limit_free(struct rein_limit *limit);
int rein_limit_attach(struct rein_limit *limit, const struct rein_at *at,
		      gfp_t gfp);

int rein_limit_add(const struct rein_limit_spec *spec, struct rein_ask *ask);
int rein_limit_set(const struct rein_limit_spec *spec, struct rein_ask *ask);
int rein_limit_replace(const struct rein_limit_spec *spec,
		       struct rein_ask *ask);
int rein_limit_del(const struct rein_limit_spec *spec, struct rein_ask *ask);
void rein_limit_drop(struct rein_limit *limit, enum rein_event why);
void rein_limit_flush(void);

struct rein_limit *rein_limit_find(const struct rein_limit_spec *spec,
				   struct rein_ask *ask);
struct rein_limit *rein_limit_next(u64 id);
bool rein_limit_visible(const struct rein_limit *limit, struct cgroup *viewer);
u64 rein_limit_time(const struct rein_limit *limit, u64 bytes, u64 packets);
u64 rein_limit_burst(struct rein_limit *limit);
unsigned int rein_limit_changes(void);
unsigned int rein_limit_resources(void);

void rein_limit_exit(void);

#endif /* REIN_LIMIT_H */
