// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink messages from limits, records and counters. See netlink-put.h.
 */
#include <linux/cgroup.h>
#include <linux/kernfs.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/utsname.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "copy.h"
#include "expiry.h"
#include "maker.h"
#include "netlink-put.h"
#include "record.h"
#include "slice.h"
#include "target.h"
#include "version.h"

static int put_count(struct sk_buff *skb, int type,
		     const struct rein_count *count)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest ||
	    nla_put_u64_64bit(skb, REIN_A_COUNT_PACKETS, count->packets,
			      REIN_A_COUNT_PAD) ||
	    nla_put_u64_64bit(skb, REIN_A_COUNT_BYTES, count->bytes,
			      REIN_A_COUNT_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * rein_put_stats() - write counters
 * @skb:	to where
 * @type:	attribute to nest them in
 * @stats:	the counters
 *
 * Return: 0 or -EMSGSIZE.
 */
int rein_put_stats(struct sk_buff *skb, int type,
		   const struct rein_count stats[REIN_STATS])
{
	struct nlattr *nest = nla_nest_start(skb, type);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < REIN_STATS; i++)
		if (put_count(skb, i + 1, &stats[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_rate(struct sk_buff *skb, const struct rein_rate *rate)
{
	if (rate->tokens == REIN_RATE_UNLIMITED)
		return nla_put_flag(skb, REIN_A_TIER_UNLIMITED);
	if (nla_put_u64_64bit(skb, REIN_A_TIER_RATE_TOKENS, rate->tokens,
			      REIN_A_TIER_PAD))
		return -EMSGSIZE;
	if (!rate->tokens)
		return 0;
	return nla_put_u64_64bit(skb, REIN_A_TIER_RATE_PERIOD_NS,
				 rate->period_ns, REIN_A_TIER_PAD);
}

static int put_tier(struct sk_buff *skb, const struct rein_tier *tier, u64 now)
{
	struct nlattr *nest = nla_nest_start(skb, REIN_A_LIMIT_TIER);
	/* A copy: what is planned is charged as of a time that may be past. */
	struct rein_bucket bucket = tier->bucket;

	rein_bucket_refill(&bucket, now);
	if (!nest || nla_put_u32(skb, REIN_A_TIER_UNIT, tier->unit) ||
	    put_rate(skb, &bucket.rate) ||
	    nla_put_u64_64bit(skb, REIN_A_TIER_BURST, bucket.burst,
			      REIN_A_TIER_PAD) ||
	    nla_put_u64_64bit(skb, REIN_A_TIER_TOKENS, bucket.tokens,
			      REIN_A_TIER_PAD) ||
	    nla_put_u64_64bit(skb, REIN_A_TIER_DEBT, bucket.debt,
			      REIN_A_TIER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_tiers(struct sk_buff *skb, struct rein_limit *limit)
{
	u64 now = ktime_get_ns();
	int err = 0;
	unsigned int i;

	for (i = 0; i < limit->n_tiers && !err; i++)
		err = put_tier(skb, &limit->tiers[i], now);
	return err;
}

/* The part of a limit that its lock guards, all of one instant; copies count for it, too. */
static int put_locked(struct sk_buff *skb, struct rein_limit *limit)
{
	struct rein_count stats[REIN_STATS];
	int err;

	spin_lock_bh(&limit->lock);
	rein_slice_recall(limit);
	memcpy(stats, limit->stats, sizeof(stats));
	err = put_tiers(skb, limit);
	spin_unlock_bh(&limit->lock);
	if (err)
		return err;
	rein_copy_stats(limit, stats);
	return rein_put_stats(skb, REIN_A_LIMIT_STATS, stats);
}

static int put_per_socket(struct sk_buff *skb, const struct rein_limit *limit)
{
	if (limit->origin)
		return nla_put_u64_64bit(skb, REIN_A_LIMIT_COPY_OF, limit->origin->id,
					 REIN_A_LIMIT_PAD);
	if (!limit->per_socket)
		return 0;
	return nla_put_flag(skb, REIN_A_LIMIT_PER_SOCKET) ||
	       nla_put_u32(skb, REIN_A_LIMIT_SOCKETS, limit->n_copies) ? -EMSGSIZE : 0;
}

static int put_cgroup(struct sk_buff *skb, const struct rein_target *target,
		      const struct cgroup *root, char *path)
{
	if (nla_put_u64_64bit(skb, REIN_A_LIMIT_CGROUP_ID, cgroup_id(target->cgrp),
			      REIN_A_LIMIT_PAD) ||
	    nla_put_u32(skb, REIN_A_LIMIT_LEVEL, target->cgrp->level))
		return -EMSGSIZE;
	/*
	 * Not cgroup_path_ns(): that takes cgroup_mutex, below which some take
	 * rtnl, below which our notifiers take rein_mutex. A path that is too
	 * long to tell is left out.
	 */
	if (kernfs_path_from_node(target->cgrp->kn, root ? root->kn : NULL,
				  path, PATH_MAX) < 0)
		return 0;
	return nla_put_string(skb, REIN_A_LIMIT_CGROUP_PATH, path);
}

/* Of those that may need no privileges also who made the limit. */
static int put_socket(struct sk_buff *skb, const struct rein_limit *limit,
		      struct user_namespace *ns)
{
	const struct sock *sk = limit->target->sk;
	struct rein_flow_id flow = { };

	if (!sk)
		return 0;
	rein_flow_of(&flow, sk);
	return rein_put_flow(skb, REIN_A_LIMIT_SOCKET, &flow) ||
	       nla_put_u32(skb, REIN_A_LIMIT_SOCKET_STATE,
			   READ_ONCE(sk->sk_state)) ||
	       nla_put_u32(skb, REIN_A_LIMIT_SOCKET_UID,
			   from_kuid_munged(ns, sk->sk_uid)) ||
	       (!limit->trusted &&
		nla_put_u32(skb, REIN_A_LIMIT_SOCKET_MAKER,
			    from_kuid_munged(ns, limit->maker))) ?
	       -EMSGSIZE : 0;
}

/**
 * rein_put_limit() - write a limit as a message
 * @skb:	to where
 * @hdr:	the message's header, already there; NULL: there was no room
 * @limit:	the limit
 * @root:	what the cgroup's path is relative to, NULL: the hierarchy's root
 * @path:	room for a path, PATH_MAX bytes
 *
 * Context: rein_mutex held.
 *
 * Return: 0 or -EMSGSIZE; then the message is cancelled.
 */
int rein_put_limit(struct sk_buff *skb, void *hdr, struct rein_limit *limit,
		   const struct cgroup *root, char *path)
{
	u64 left = rein_expiry_left(limit);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, REIN_A_LIMIT_ID, limit->id,
			      REIN_A_LIMIT_PAD) ||
	    nla_put_string(skb, REIN_A_LIMIT_NAME, limit->name) ||
	    nla_put_u32(skb, REIN_A_LIMIT_RESOURCE, limit->resource) ||
	    nla_put_u32(skb, REIN_A_LIMIT_OVER, limit->over) ||
	    put_cgroup(skb, limit->target, root, path) ||
	    /* Without a root it is for everybody who listens. */
	    put_socket(skb, limit, root ? current_user_ns() : &init_user_ns) ||
	    nla_put_u64_64bit(skb, REIN_A_LIMIT_PATIENCE_NS,
			      limit->patience_ns, REIN_A_LIMIT_PAD) ||
	    nla_put_u64_64bit(skb, REIN_A_LIMIT_QUEUE, limit->queue,
			      REIN_A_LIMIT_PAD) ||
	    (limit->credit &&
	     nla_put_u32(skb, REIN_A_LIMIT_CREDIT, limit->credit)) ||
	    (left && nla_put_u64_64bit(skb, REIN_A_LIMIT_FOR_NS, left,
				       REIN_A_LIMIT_PAD)) ||
	    put_per_socket(skb, limit) ||
	    put_locked(skb, limit)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * rein_put_maker() - write who made something
 * @skb:	to where
 * @type:	the attribute of the process; those of its name and of its user follow
 * @maker:	who
 * @host:	as the host has it; else as the namespaces of who asks do
 *
 * What is not to be told is left out.
 *
 * Return: 0 or -EMSGSIZE.
 */
int rein_put_maker(struct sk_buff *skb, int type,
		   const struct rein_maker *maker, bool host)
{
	pid_t pid = host ? pid_nr(maker->pid) : pid_vnr(maker->pid);
	struct user_namespace *ns = host ? &init_user_ns : current_user_ns();

	return (pid && nla_put_u32(skb, type, pid)) ||
	       nla_put_string(skb, type + 1, maker->comm) ||
	       nla_put_u32(skb, type + 2, from_kuid_munged(ns, maker->uid)) ?
	       -EMSGSIZE : 0;
}

/**
 * rein_put_flow() - write which socket something is about
 * @skb:	to where
 * @type:	the attribute
 * @flow:	which one; nothing is written of none
 *
 * Return: 0 or -EMSGSIZE.
 */
int rein_put_flow(struct sk_buff *skb, int type, const struct rein_flow_id *flow)
{
	unsigned int size = flow->family == AF_INET ? 4 : 16;
	struct nlattr *nest;

	if (!flow->family)
		return 0;
	nest = nla_nest_start(skb, type);
	if (!nest ||
	    nla_put_u32(skb, REIN_A_SOCKET_FAMILY, flow->family) ||
	    nla_put_u32(skb, REIN_A_SOCKET_PROTOCOL, flow->protocol) ||
	    nla_put(skb, REIN_A_SOCKET_SOURCE, size, flow->saddr) ||
	    nla_put(skb, REIN_A_SOCKET_DESTINATION, size, flow->daddr) ||
	    (flow->sport && nla_put_u32(skb, REIN_A_SOCKET_SOURCE_PORT,
					flow->sport)) ||
	    (flow->dport && nla_put_u32(skb, REIN_A_SOCKET_DESTINATION_PORT,
					flow->dport)) ||
	    (flow->cookie && nla_put_u64_64bit(skb, REIN_A_SOCKET_COOKIE,
					       flow->cookie,
					       REIN_A_SOCKET_PAD)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_value(struct sk_buff *skb, const struct rein_value *value)
{
	struct nlattr *nest;

	if (!value->name)
		return 0;
	nest = nla_nest_start(skb, REIN_A_RECORD_VALUE);
	if (!nest || nla_put_string(skb, REIN_A_VALUE_NAME, value->name) ||
	    nla_put_string(skb, REIN_A_VALUE_UNIT, value->unit) ||
	    nla_put_u64_64bit(skb, REIN_A_VALUE_NUMBER, value->number,
			      REIN_A_VALUE_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_step(struct sk_buff *skb, const struct rein_step *step)
{
	struct nlattr *nest;

	if (!step->what)
		return 0;
	nest = nla_nest_start(skb, REIN_A_RECORD_STEP);
	if (!nest || nla_put_string(skb, REIN_A_STEP_WHAT, step->what) ||
	    (*step->name &&
	     nla_put_string(skb, REIN_A_STEP_NAME, step->name)) ||
	    nla_put_string(skb, REIN_A_STEP_FUNCTION, step->function) ||
	    nla_put_string(skb, REIN_A_STEP_FILE, step->file) ||
	    nla_put_u32(skb, REIN_A_STEP_LINE, step->line))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_record_u64(struct sk_buff *skb, int type, u64 number)
{
	return nla_put_u64_64bit(skb, type, number, REIN_A_RECORD_PAD);
}

static int put_what(struct sk_buff *skb, const struct rein_record *rec)
{
	const struct rein_code_info *info = rec->info;
	u32 err = rec->err ?: info->err;

	return nla_put_u32(skb, REIN_A_RECORD_KIND, info->kind) ||
	       nla_put_u32(skb, REIN_A_RECORD_CODE, info->number) ||
	       nla_put_u32(skb, REIN_A_RECORD_SEVERITY, info->severity) ||
	       (err && nla_put_u32(skb, REIN_A_RECORD_ERRNO, err)) ||
	       nla_put_string(skb, REIN_A_RECORD_MESSAGE, rec->message) ||
	       nla_put_string(skb, REIN_A_RECORD_HINT, info->hint) ||
	       put_value(skb, &rec->value[0]) ||
	       put_value(skb, &rec->value[1]) ||
	       put_value(skb, &rec->value[2]);
}

static int put_when(struct sk_buff *skb, const struct rein_record *rec)
{
	return put_record_u64(skb, REIN_A_RECORD_TIME_NS, rec->time_ns) ||
	       put_record_u64(skb, REIN_A_RECORD_BOOTTIME_NS,
			      rec->boottime_ns) ||
	       put_record_u64(skb, REIN_A_RECORD_LAST_NS, rec->last_ns) ||
	       put_record_u64(skb, REIN_A_RECORD_COUNT, rec->count);
}

/* Who is in a cgroup namespace knows its cgroup as the root, and nothing outside. */
static const char *path_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (len == 1)
		return path;
	if (strncmp(path, root, len) || (path[len] && path[len] != '/'))
		return NULL;
	return path[len] ? path + len : "/";
}

static int put_whose(struct sk_buff *skb, const struct rein_record *rec,
		     const char *root)
{
	const char *path = path_below(rec->path, root);

	if (rec->limit_id &&
	    (put_record_u64(skb, REIN_A_RECORD_LIMIT_ID, rec->limit_id) ||
	     nla_put_string(skb, REIN_A_RECORD_LIMIT_NAME, rec->limit_name)))
		return -EMSGSIZE;
	if (rec->scope_id &&
	    (put_record_u64(skb, REIN_A_RECORD_SCOPE_ID, rec->scope_id) ||
	     nla_put_string(skb, REIN_A_RECORD_SCOPE_NAME, rec->scope_name)))
		return -EMSGSIZE;
	if (rec->watch_id &&
	    (put_record_u64(skb, REIN_A_RECORD_WATCH_ID, rec->watch_id) ||
	     nla_put_string(skb, REIN_A_RECORD_WATCH_NAME, rec->watch_name)))
		return -EMSGSIZE;
	if (rec->cgroup_id &&
	    (put_record_u64(skb, REIN_A_RECORD_CGROUP_ID, rec->cgroup_id) ||
	     (path && nla_put_string(skb, REIN_A_RECORD_CGROUP_PATH, path))))
		return -EMSGSIZE;
	if ((rec->pid && nla_put_u32(skb, REIN_A_RECORD_PID, rec->pid)) ||
	    (*rec->comm && nla_put_string(skb, REIN_A_RECORD_COMM, rec->comm)))
		return -EMSGSIZE;
	return rein_put_flow(skb, REIN_A_RECORD_SOCKET, &rec->flow);
}

static int put_where(struct sk_buff *skb, const struct rein_record *rec)
{
	char frame[128];
	unsigned int i;

	/* What a container calls itself is not where it happened. */
	if ((current->nsproxy->uts_ns == &init_uts_ns &&
	     nla_put_string(skb, REIN_A_RECORD_HOST,
			    init_utsname()->nodename)) ||
	    nla_put_string(skb, REIN_A_RECORD_FUNCTION, rec->function) ||
	    nla_put_string(skb, REIN_A_RECORD_FILE, rec->file) ||
	    nla_put_u32(skb, REIN_A_RECORD_LINE, rec->line))
		return -EMSGSIZE;
	for (i = 0; i < REIN_RECORD_STEPS; i++)
		if (put_step(skb, &rec->step[i]))
			return -EMSGSIZE;
	for (i = 0; i < rec->depth; i++) {
		snprintf(frame, sizeof(frame), "%pS", (void *)rec->stack[i]);
		if (nla_put_string(skb, REIN_A_RECORD_STACK, frame))
			return -EMSGSIZE;
	}
	return 0;
}

/**
 * rein_put_record() - write a record as a message
 * @skb:	to where
 * @hdr:	the message's header, already there; NULL: there was no room
 * @rec:	the record, a copy
 * @root:	path of the cgroup that its own is told below, if it is there; "/": all
 *
 * Return: 0 or -EMSGSIZE; then the message is cancelled.
 */
int rein_put_record(struct sk_buff *skb, void *hdr,
		    const struct rein_record *rec, const char *root)
{
	if (!hdr)
		return -EMSGSIZE;
	if (put_record_u64(skb, REIN_A_RECORD_ID, rec->id) ||
	    nla_put_string(skb, REIN_A_RECORD_BOOT_ID, rein_record_boot()) ||
	    nla_put_string(skb, REIN_A_RECORD_VERSION, REIN_VERSION) ||
	    (rec->cause &&
	     put_record_u64(skb, REIN_A_RECORD_CAUSE, rec->cause)) ||
	    put_what(skb, rec) || put_when(skb, rec) || put_whose(skb, rec, root) ||
	    put_where(skb, rec)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}
