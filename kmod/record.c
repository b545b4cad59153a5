// SPDX-License-Identifier: GPL-2.0
/*
 * Records: what goes into one. See record.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/cgroup.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pid.h>
#include <linux/skbuff.h>
#include <linux/sock_diag.h>
#include <linux/stacktrace.h>
#include <linux/timekeeping.h>
#include <linux/uuid.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "bind.h"
#include "maker.h"
#include "netlink.h"
#include "record.h"
#include "ring.h"
#include "scope.h"
#include "target.h"
#include "trace.h"
#include "watch.h"

/*
 * How many records requests of the unprivileged may make at once, and how many that
 * are bugs: these are not to go missing among the others.
 */
#define OTHERS_BURST	16

static struct {
	spinlock_t lock;
	struct rein_bucket records;
	struct rein_bucket bugs;
} others = {
	.lock = __SPIN_LOCK_UNLOCKED(others.lock),
};

/* What ids of records are unique within. */
static char boot[UUID_STRING_LEN + 1];

/*
 * The record of the flush that is under way, or 0. Rooms are emptied, and takes
 * cancelled, by those who hold rein_mutex, as the one who flushes does: nobody else does
 * so in between.
 */
static u64 flush;

/* Likewise of the scope whose end drops packets. */
static u64 dropping;

/* --- what a record has ------------------------------------------------------------- */

static void record_site(struct rein_record *rec, const struct rein_site *site)
{
	rec->function = site->function;
	rec->file = kbasename(site->file);
	rec->line = site->line;
}

static void record_step(struct rein_step *step, const char *what,
			const char *name, const struct rein_site *site)
{
	step->what = what;
	strscpy(step->name, name ?: "", sizeof(step->name));
	step->function = site->function;
	step->file = kbasename(site->file);
	step->line = site->line;
}

/* Under RCU. */
static void record_task(struct rein_record *rec)
{
	rec->pid = task_tgid_nr(current);
	rec->uid = current_uid();
	rec->home = cgroup_id(task_dfl_cgroup(current));
	/* Not get_task_comm(): its lock must not nest in the ring's. */
	strscpy(rec->comm, current->comm, sizeof(rec->comm));
}

static void record_stack(struct rein_record *rec)
{
	rec->depth = stack_trace_save(rec->stack, ARRAY_SIZE(rec->stack), 1);
}

/* Whose business it is: of those in this cgroup, and in those above. */
static void record_above(struct rein_record *rec, struct cgroup *cgrp)
{
	int i;

	rec->level = cgrp->level;
	for (i = 0; i <= cgrp->level && i < REIN_RECORD_LEVELS; i++)
		rec->above[i] = cgroup_id(cgroup_ancestor(cgrp, i));
}

static void record_cgroup(struct rein_record *rec, struct cgroup *cgrp)
{
	rec->cgroup_id = cgroup_id(cgrp);
	record_above(rec, cgrp);
	/* Of one that is too long the beginning is there. */
	cgroup_path(cgrp, rec->path, sizeof(rec->path));
}

/**
 * rein_record_visible() - may somebody who is no administrator read a record?
 * @rec:	the record
 * @viewer:	the cgroup of who asks
 * @uid:	and the user
 *
 * Return: whether it is about that cgroup or one below, or made by a request of the
 * same user from there. Who is in no cgroup but the root has none of his own, and of one
 * too deep to remember nobody knows.
 */
bool rein_record_visible(const struct rein_record *rec,
			 const struct cgroup *viewer, kuid_t uid)
{
	const unsigned int level = viewer->level;

	/* Not of a limit: others' takes are counted into the same record. */
	if (!rec->limit_id && rec->home == cgroup_id(viewer) &&
	    uid_eq(rec->uid, uid))
		return true;
	return level && level <= rec->level && level < REIN_RECORD_LEVELS &&
	       rec->above[level] == cgroup_id(viewer);
}

static void record_subject(struct rein_record *rec,
			   const struct rein_limit *limit)
{
	rec->limit_id = limit->id;
	strscpy(rec->limit_name, limit->name, sizeof(rec->limit_name));
	record_cgroup(rec, limit->target->cgrp);
}

static void flow_ports(struct rein_flow_id *flow, const struct sk_buff *skb,
		       int offset)
{
	__be16 ports[2];
	const __be16 *p;

	switch (flow->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		p = skb_header_pointer(skb, offset, sizeof(ports), ports);
		if (!p)
			return;
		flow->sport = ntohs(p[0]);
		flow->dport = ntohs(p[1]);
	}
}

static void record_flow(struct rein_flow_id *flow, const struct sk_buff *skb,
			u16 family)
{
	const struct sock *sk = skb_to_full_sk(skb);

	flow->family = family;
	if (family == AF_INET) {
		const struct iphdr *ip = ip_hdr(skb);

		flow->protocol = ip->protocol;
		memcpy(flow->saddr, &ip->saddr, sizeof(ip->saddr));
		memcpy(flow->daddr, &ip->daddr, sizeof(ip->daddr));
		if (!ip_is_fragment(ip))
			flow_ports(flow, skb, ip_hdrlen(skb));
	} else {
		const struct ipv6hdr *ip6 = ipv6_hdr(skb);

		flow->protocol = ip6->nexthdr;
		memcpy(flow->saddr, &ip6->saddr, sizeof(ip6->saddr));
		memcpy(flow->daddr, &ip6->daddr, sizeof(ip6->daddr));
		flow_ports(flow, skb, sizeof(*ip6));
	}
	if (sk)
		flow->cookie = atomic64_read(&sk->sk_cookie);
}

/* --- requests -------------------------------------------------------------------------- */

/**
 * rein_ask_attr() - an attribute of a request, to blame
 * @ask:	the request
 * @type:	which one
 *
 * Return: the attribute, or NULL where the request doesn't have it.
 */
const struct nlattr *rein_ask_attr(const struct rein_ask *ask, int type)
{
	return ask->attrs ? ask->attrs[type] : NULL;
}

/* What a request that was refused says, to compare it with another. */
struct refusal {
	enum rein_code code;
	u32 line;
	const char *message;
};

static bool same_refusal(const struct rein_record *rec, const void *arg)
{
	const struct refusal *refusal = arg;

	return rec->info->number == refusal->code &&
	       rec->line == refusal->line &&
	       rec->pid == task_tgid_nr(current) &&
	       uid_eq(rec->uid, current_uid()) &&
	       !strcmp(rec->message, refusal->message);
}

/*
 * Count a request that was refused into the newest record, if that is of the
 * same task for the same reason: who tries again and again is told the same
 * and drives out nobody else's records.
 */
static u64 record_again(const struct refusal *refusal)
{
	static const struct rein_value none[REIN_RECORD_VALUES];
	u64 id = rein_ring_newest();

	return rein_ring_test(id, same_refusal, refusal) &&
	       rein_ring_fold(id, none) ? id : 0;
}

/*
 * May a refused request have a record of its own? Those of administrators
 * may. All others together have a bucket, or anybody could drive everybody
 * else's records out; of what is over it the events are counted.
 */
static bool record_granted(const struct rein_code_info *info, bool trusted,
			   u64 events)
{
	struct rein_bucket *bucket;
	bool granted;

	if (trusted)
		return true;
	bucket = info->kind == REIN_KIND_BUG ? &others.bugs : &others.records;
	spin_lock_bh(&others.lock);
	rein_bucket_refill(bucket, ktime_get_ns());
	granted = !rein_bucket_wait(bucket, 1, false);
	if (granted)
		rein_bucket_charge(bucket, 1);
	spin_unlock_bh(&others.lock);
	if (!granted)
		rein_ring_suppress(events);
	return granted;
}

static void record_doing(struct rein_record *rec, const struct rein_doing *doing)
{
	unsigned int i;

	for (i = 0; doing && i < REIN_RECORD_STEPS; doing = doing->outer, i++)
		record_step(&rec->step[i], doing->what, doing->name,
			    doing->site);
}

static u64 record_request(const struct rein_ask *ask, enum rein_code code,
			  const struct rein_site *site, const char *message)
{
	const struct rein_code_info *info = rein_code_info(code);
	const struct refusal refusal = { code, site->line, message };
	struct rein_record *rec;
	u64 id;

	id = record_again(&refusal);
	if (id || !record_granted(info, rein_is_trusted(), 1))
		return id;
	rec = rein_ring_open(info, NULL);
	record_site(rec, site);
	rcu_read_lock();
	record_task(rec);
	record_above(rec, task_dfl_cgroup(current));
	rcu_read_unlock();
	record_stack(rec);
	record_doing(rec, ask->doing);
	rec->err = ask->err;
	strscpy(rec->message, message, sizeof(rec->message));
	id = rec->id;
	trace_record(rec);
	rein_ring_close(rec);
	if (info->kind == REIN_KIND_BUG)
		pr_err_ratelimited("%s; all of it: rein errors show %llu\n",
				   message, id);
	rein_netlink_wake();
	return id;
}

/* See rein_fail(). */
int __rein_fail(struct rein_ask *ask, const struct nlattr *attr,
		enum rein_code code, const char *what,
		const struct rein_site *site, const char *fmt, ...)
{
	char message[REIN_RECORD_MESSAGE];
	va_list args;
	u64 id;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	id = record_request(ask, code, site, message);
	ask->told = true;
	if (ask->extack) {
		ask->extack->_msg = what;
		ask->extack->bad_attr = attr;
		/* 0: the error was one too many to get a record. */
		memcpy(ask->extack->cookie, &id, sizeof(id));
		ask->extack->cookie_len = sizeof(id);
	}
	return -rein_code_errno(code);
}

/* --- scopes ------------------------------------------------------------------------------- */

/* Who made something, where it is not the present task that did it. */
static void record_maker(struct rein_record *rec,
			 const struct rein_maker *maker)
{
	rec->pid = pid_nr(maker->pid);
	rec->uid = maker->uid;
	rec->home = cgroup_id(maker->home);
	strscpy(rec->comm, maker->comm, sizeof(rec->comm));
}

static void record_scope(struct rein_record *rec,
			 const struct rein_scope *scope)
{
	struct cgroup *cgrp;
	bool kills;

	rec->scope_id = scope->id;
	strscpy(rec->scope_name, scope->name, sizeof(rec->scope_name));
	cgrp = rein_bind_cgroup(scope, &kills);
	record_cgroup(rec, cgrp ?: scope->maker.home);
	if (cgrp)
		cgroup_put(cgrp);
}

/**
 * rein_record_scope() - record what became of a scope
 * @note:	what it was
 * @site:	REIN_SITE
 *
 * Context: a task; may not sleep.
 *
 * Return: id of the record; 0: it was one too many of the unprivileged.
 */
u64 rein_record_scope(const struct rein_scope_note *note,
		      const struct rein_site *site)
{
	const struct rein_code_info *info = rein_code_info(note->code);
	const struct refusal same = { note->code, site->line, note->message };
	struct rein_record *rec;
	u64 id = note->folds ? record_again(&same) : 0;

	if (id || !record_granted(info, note->by_task ? rein_is_trusted() :
						      note->scope->maker.trusted, 1))
		return id;
	rec = rein_ring_open(info, NULL);
	record_site(rec, site);
	rcu_read_lock();
	record_scope(rec, note->scope);
	if (note->by_task)
		record_task(rec);
	else
		record_maker(rec, &note->scope->maker);
	rcu_read_unlock();
	record_stack(rec);
	record_step(&rec->step[0], "ending scope", note->scope->name, site);
	memcpy(rec->value, note->value, sizeof(rec->value));
	rec->cause = note->cause;
	rec->err = note->err;
	strscpy(rec->message, note->message, sizeof(rec->message));
	id = rec->id;
	trace_record(rec);
	rein_ring_close(rec);
	rein_netlink_wake();
	return id;
}

/* --- watches ------------------------------------------------------------------------------ */

/**
 * rein_flow_of() - which socket is it?
 * @flow:	filled in
 * @sk:		the socket, of the families inet and inet6
 */
void rein_flow_of(struct rein_flow_id *flow, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	flow->family = sk->sk_family;
	flow->protocol = sk->sk_protocol;
	flow->sport = sk->sk_num;
	flow->dport = ntohs(sk->sk_dport);
	flow->cookie = atomic64_read(&sk->sk_cookie);
	if (sk->sk_family == AF_INET) {
		memcpy(flow->saddr, &inet->inet_saddr, sizeof(inet->inet_saddr));
		memcpy(flow->daddr, &sk->sk_daddr, sizeof(sk->sk_daddr));
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		memcpy(flow->saddr, &sk->sk_v6_rcv_saddr, sizeof(flow->saddr));
		memcpy(flow->daddr, &sk->sk_v6_daddr, sizeof(flow->daddr));
	}
#endif
}

/* The process that it is kept over, where it is one. */
static void record_process(struct rein_record *rec, struct pid *pid)
{
	struct task_struct *task = pid_task(pid, PIDTYPE_TGID);

	rec->pid = pid_nr(pid);
	if (task)
		strscpy(rec->comm, task->comm, sizeof(rec->comm));
}

/* Under RCU. */
static void record_watch(struct rein_record *rec, const struct rein_watch *watch)
{
	const struct rein_subject *subject = &watch->subject;
	struct cgroup *cgrp = rein_subject_cgroup(subject);

	rec->watch_id = watch->id;
	strscpy(rec->watch_name, watch->name, sizeof(rec->watch_name));
	record_cgroup(rec, cgrp ?: watch->maker.home);
	if (cgrp)
		cgroup_put(cgrp);
	if (subject->sk)
		rein_flow_of(&rec->flow, subject->sk);
}

/* The record that it folds into, or a new one; NULL: there is none for it. */
static struct rein_record *watch_open(const struct rein_watch_note *note,
				      bool *is_new)
{
	const struct rein_code_info *info = rein_code_info(note->code);
	struct rein_record *rec;
	bool trusted;

	rec = note->fold ? rein_ring_reopen(*note->fold) : NULL;
	*is_new = !rec;
	if (rec)
		return rec;
	trusted = note->by_task ? rein_is_trusted() : note->watch->maker.trusted;
	if (!record_granted(info, trusted, note->more + 1))
		return NULL;
	rec = rein_ring_open(info, NULL);
	if (note->fold)
		*note->fold = rec->id;
	return rec;
}

/* Under RCU. All of it: of what was folded the newest is told. */
static void watch_tell(struct rein_record *rec, const struct rein_watch_note *note,
		       const struct rein_site *site)
{
	const struct rein_watch *watch = note->watch;

	record_site(rec, site);
	record_watch(rec, watch);
	if (note->by_task)
		record_task(rec);
	else
		record_maker(rec, &watch->maker);
	if (!note->by_task && watch->subject.pid)
		record_process(rec, watch->subject.pid);
	rec->depth = note->depth;
	memcpy(rec->stack, note->stack, note->depth * sizeof(rec->stack[0]));
	if (note->by_task)
		record_stack(rec);
	record_step(&rec->step[0], "watching", watch->name, site);
	memcpy(rec->value, note->value, sizeof(rec->value));
	rec->cause = note->cause;
	rec->err = note->err;
	strscpy(rec->message, note->message, sizeof(rec->message));
}

/**
 * rein_record_watch() - record what became of a watch
 * @note:	what it was
 * @site:	REIN_SITE
 *
 * Context: a task; may not sleep.
 *
 * Return: id of the record; 0: it was one too many of the unprivileged.
 */
u64 rein_record_watch(const struct rein_watch_note *note,
		      const struct rein_site *site)
{
	struct rein_record *rec;
	bool is_new;
	u64 id;

	rec = watch_open(note, &is_new);
	if (!rec)
		return 0;
	id = rec->id;
	rein_ring_more(rec, note->more);
	rcu_read_lock();
	watch_tell(rec, note, site);
	rcu_read_unlock();
	if (is_new)
		trace_record(rec);
	rein_ring_close(rec);
	if (is_new)
		rein_netlink_wake();
	return id;
}

/* --- what is dropped ------------------------------------------------------------------------ */

/**
 * rein_record_scope_begin() - packets are dropped from here on because of a scope
 * @record:	id of the record of its end
 *
 * Context: rein_mutex held until rein_record_scope_end().
 */
void rein_record_scope_begin(u64 record)
{
	WRITE_ONCE(dropping, record);
}

/**
 * rein_record_scope_end() - undo rein_record_scope_begin()
 */
void rein_record_scope_end(void)
{
	WRITE_ONCE(dropping, 0);
}

/**
 * rein_record_flush_begin() - what is dropped from here on is dropped by force
 * @ask:	the request that wants it so
 * @site:	REIN_SITE
 *
 * Context: rein_mutex held until rein_record_flush_end().
 *
 * Return: id of the record of it.
 */
u64 rein_record_flush_begin(const struct rein_ask *ask,
			    const struct rein_site *site)
{
	WRITE_ONCE(flush, record_request(ask, REIN_E_FLUSHED, site,
					 "all limits were removed by force"));
	return flush;
}

/**
 * rein_record_flushing() - is what is dropped now dropped by force?
 *
 * Context: rein_mutex held.
 *
 * Return: whether it is.
 */
bool rein_record_flushing(void)
{
	return READ_ONCE(flush);
}

/**
 * rein_record_flush_end() - undo rein_record_flush_begin()
 */
void rein_record_flush_end(void)
{
	WRITE_ONCE(flush, 0);
}

/* --- the data path ------------------------------------------------------------------------ */

/* Who an event of the data path is about, besides the limit. */
struct event_subject {
	const struct sk_buff *skb;	/* NULL: a take */
	u16 family;
	bool is_current;		/* of the task that takes */
};

static void record_subjects(struct rein_record *rec,
			    const struct event_subject *subject)
{
	if (subject->skb)
		record_flow(&rec->flow, subject->skb, subject->family);
	else if (subject->is_current)
		record_task(rec);
}

/* A new record of an event, or NULL if another CPU makes it. */
static struct rein_record *event_open(struct rein_limit *limit,
				      enum rein_fold fold,
				      const struct rein_site *site)
{
	const struct rein_fold_info *info;
	struct rein_record *rec;

	info = rein_fold_info(limit->resource, fold);
	rec = rein_ring_open(rein_code_info(info->code), &limit->fold[fold]);
	if (!rec)
		return NULL;
	record_site(rec, site);
	record_subject(rec, limit);
	record_step(&rec->step[0], rein_resource_doing(limit->resource), NULL,
		    site);
	if (fold == REIN_FOLD_FLUSHED)
		rec->cause = READ_ONCE(flush);
	else if (fold == REIN_FOLD_SCOPE)
		rec->cause = READ_ONCE(dropping);
	strscpy(rec->message, info->message, sizeof(rec->message));
	return rec;
}

static noinline void event_trace(const struct rein_limit *limit,
				 enum rein_fold fold,
				 const struct rein_value *value)
{
	u16 code = rein_fold_info(limit->resource, fold)->code;

	if (code == REIN_E_OBSERVED)
		trace_observe(limit, code, value);
	else
		trace_refuse(limit, code, value);
}

static u64 record_event(struct rein_limit *limit, enum rein_fold fold,
			const struct event_subject *subject,
			const struct rein_value *value,
			const struct rein_site *site)
{
	struct rein_record *rec;
	u64 id;

	/* Copies have no names of their own, and are many. It outlives them, also under RCU. */
	limit = limit->origin ?: limit;
	if (trace_refuse_enabled() || trace_observe_enabled())
		event_trace(limit, fold, value);
	do {
		id = READ_ONCE(limit->fold[fold]);
		if (rein_ring_fold(id, value))
			return id;
		rec = event_open(limit, fold, site);
	} while (!rec);
	record_subjects(rec, subject);
	record_stack(rec);
	memcpy(rec->value, value, sizeof(rec->value));
	id = rec->id;
	trace_record(rec);
	rein_ring_close(rec);
	rein_netlink_wake();
	return id;
}

/**
 * rein_record_packet() - record what happened to a packet
 * @limit:	whose doing it was
 * @fold:	what happened
 * @skb:	the packet; its network header must be set
 * @family:	AF_INET or AF_INET6
 * @value:	what was wanted, what there was, and so on
 * @site:	REIN_SITE
 *
 * Folded: as long as the record of the last such event on @limit is held, it
 * counts this one too.
 *
 * Context: bottom halves or a task; under RCU, which keeps @limit. The
 * caller holds no lock of @limit.
 */
void rein_record_packet(struct rein_limit *limit, enum rein_fold fold,
			const struct sk_buff *skb, u16 family,
			const struct rein_value value[REIN_RECORD_VALUES],
			const struct rein_site *site)
{
	struct event_subject subject = { .skb = skb, .family = family };

	record_event(limit, fold, &subject, value, site);
}

/**
 * rein_record_call() - record what happened to a take
 * @limit:	whose doing it was
 * @fold:	what happened
 * @value:	what was wanted, what there was, and so on
 * @is_current:	the task that takes is the present one
 * @site:	REIN_SITE
 *
 * Folded, and called, as rein_record_packet().
 *
 * Return: id of the record.
 */
u64 rein_record_call(struct rein_limit *limit, enum rein_fold fold,
		     const struct rein_value value[REIN_RECORD_VALUES],
		     bool is_current, const struct rein_site *site)
{
	struct event_subject subject = { .is_current = is_current };

	return record_event(limit, fold, &subject, value, site);
}

/**
 * rein_record_limit() - record what became of a limit
 * @limit:	the limit
 * @code:	what became of it
 * @site:	REIN_SITE
 * @what:	the same in a sentence
 *
 * Context: rein_mutex held.
 */
void rein_record_limit(const struct rein_limit *limit, enum rein_code code,
		       const struct rein_site *site, const char *what)
{
	struct rein_record *rec;

	rec = rein_ring_open(rein_code_info(code), NULL);
	record_site(rec, site);
	record_subject(rec, limit);
	strscpy(rec->message, what, sizeof(rec->message));
	trace_record(rec);
	rein_ring_close(rec);
	rein_netlink_wake();
}

/**
 * rein_record_boot() - what the ids of records are unique within
 *
 * Return: a UUID made when the module was loaded.
 */
const char *rein_record_boot(void)
{
	return boot;
}

/**
 * rein_record_init() - begin
 */
void rein_record_init(void)
{
	static const struct rein_rate rate = { 1, NSEC_PER_SEC };
	uuid_t uuid;

	rein_bucket_init(&others.records, &rate, OTHERS_BURST, ktime_get_ns());
	rein_bucket_init(&others.bugs, &rate, OTHERS_BURST, ktime_get_ns());
	generate_random_uuid(uuid.b);
	snprintf(boot, sizeof(boot), "%pUb", &uuid);
}
