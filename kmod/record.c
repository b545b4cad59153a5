// SPDX-License-Identifier: GPL-2.0
/*
 * Records: the ring and what goes into it. See record.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/moduleparam.h>
#include <linux/skbuff.h>
#include <linux/sock_diag.h>
#include <linux/stacktrace.h>
#include <linux/timekeeping.h>
#include <linux/uuid.h>
#include <linux/vmalloc.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "netlink.h"
#include "record.h"
#include "target.h"

#define RECORDS_MIN	64
#define RECORDS_MAX	65536

/* How many records requests of the unprivileged may make at once. */
#define OTHERS_BURST	16

static unsigned int records = 4096;
module_param(records, uint, 0444);
MODULE_PARM_DESC(records, "how many records are kept (64 to 65536, default 4096)");

#define REIN_CODE(number_, name_, kind_, severity_, errno_, hint_, ...)	\
	{ .number = (number_), .kind = REIN_KIND_##kind_,		\
	  .severity = REIN_SEVERITY_##severity_, .err = (errno_),	\
	  .hint = (hint_) },
static const struct rein_code_info code_book[] = {
#include "codes.def"
};

#undef REIN_CODE

static struct {
	spinlock_t lock;		/* everything but the slots' contents */
	struct rein_record *slots;
	u64 newest;			/* id of the newest record, 0: none */
	struct rein_record_counts counts;
	atomic64_t folded;
	struct rein_bucket others;	/* records for the unprivileged */
	char boot[UUID_STRING_LEN + 1];
} ring = {
	.lock = __SPIN_LOCK_UNLOCKED(ring.lock),
};

/* What the data path records, and how it says so: of packets… */
static const struct rein_fold_info packet_folds[REIN_FOLDS] = {
	[REIN_FOLD_REFUSED] = { REIN_E_REFUSED,
		"packets were refused: the limit had no tokens for them" },
	[REIN_FOLD_IMPATIENT] = { REIN_E_IMPATIENT,
		"packets were refused: they would have waited too long" },
	[REIN_FOLD_STALE] = { REIN_E_STALE,
		"waiting packets were dropped: they had waited too long" },
	[REIN_FOLD_OVERFLOW] = { REIN_E_OVERFLOW,
		"packets were dropped: no room to wait in" },
	[REIN_FOLD_NOMEM] = { REIN_E_NO_ROOM_MEMORY,
		"packets were dropped: no memory to let them wait" },
	[REIN_FOLD_TEARDOWN] = { REIN_E_TEARDOWN,
		"waiting packets were dropped: they had nowhere to go" },
	[REIN_FOLD_OBSERVED] = { REIN_E_OBSERVED,
		"packets passed that would have been over the limit" },
};

/* …of connections… */
static const struct rein_fold_info connect_folds[REIN_FOLDS] = {
	[REIN_FOLD_REFUSED] = { REIN_E_CONNECT_REFUSED,
		"connections were refused: the limit had no tokens for them" },
	[REIN_FOLD_IMPATIENT] = { REIN_E_IMPATIENT,
		"connections were refused: they would have waited too long" },
	[REIN_FOLD_STALE] = { REIN_E_STALE,
		"waiting connections were refused: they had waited too long" },
	[REIN_FOLD_OVERFLOW] = { REIN_E_OVERFLOW,
		"connections were refused: no room to wait in" },
	[REIN_FOLD_NOMEM] = { REIN_E_NO_ROOM_MEMORY,
		"connections were refused: no memory to let them wait" },
	[REIN_FOLD_TEARDOWN] = { REIN_E_TEARDOWN,
		"waiting connections were dropped: they had nowhere to go" },
	[REIN_FOLD_OBSERVED] = { REIN_E_OBSERVED,
		"connections passed that would have been over the limit" },
};

static const struct rein_fold_info accept_folds[REIN_FOLDS] = {
	[REIN_FOLD_REFUSED] = { REIN_E_ACCEPT_REFUSED,
		"incoming connections were refused: the limit had no tokens for them" },
	[REIN_FOLD_OBSERVED] = { REIN_E_OBSERVED,
		"incoming connections passed that would have been over the limit" },
};

/* …and of takes. */
static const struct rein_fold_info call_folds[REIN_FOLDS + 1] = {
	[REIN_FOLD_REFUSED] = { REIN_E_TAKE_OVER,
		"the limit had no tokens for a take" },
	[REIN_FOLD_IMPATIENT] = { REIN_E_TAKE_PATIENCE,
		"a take would have waited longer than the limit's patience" },
	[REIN_FOLD_STALE] = { REIN_E_TAKE_TIMEOUT,
		"the deadline passed while a take waited" },
	[REIN_FOLD_OVERFLOW] = { REIN_E_TAKE_FULL,
		"too many takes waited for the limit already" },
	[REIN_FOLD_BURST] = { REIN_E_TAKE_BURST,
		"a take wanted more tokens than the limit can ever hold" },
	[REIN_FOLD_LATE] = { REIN_E_TAKE_LATE,
		"the tokens would not have been there before the deadline" },
	[REIN_FOLD_OBSERVED] = { REIN_E_OBSERVED,
		"takes passed that would have been over the limit" },
	[REIN_FOLD_EXPIRED] = { REIN_E_RESERVE_EXPIRED,
		"a granted reservation was not claimed in time" },
	[REIN_FOLD_CANCELLED] = { REIN_E_TAKE_CANCELLED,
		"a take was cancelled: the limits were flushed by force" },
};

/**
 * rein_fold_info() - what an event of the data path is called
 * @resource:	of the limit
 * @fold:	the event
 *
 * Return: its code and message.
 */
const struct rein_fold_info *rein_fold_info(enum rein_resource resource,
					    enum rein_fold fold)
{
	switch (resource) {
	case REIN_RESOURCE_CONNECT:
		return &connect_folds[fold];
	case REIN_RESOURCE_ACCEPT:
		return &accept_folds[fold];
	case REIN_RESOURCE_CALL:
		return &call_folds[fold];
	default:
		return &packet_folds[fold];
	}
}

static const struct rein_code_info *code_info(enum rein_code code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(code_book); i++)
		if (code_book[i].number == code)
			return &code_book[i];
	/* The last one is the bug: a code that isn't in the book. */
	return &code_book[ARRAY_SIZE(code_book) - 1];
}

/**
 * rein_code_errno() - what an error is to the caller
 * @code:	the error
 *
 * Return: a positive errno.
 */
int rein_code_errno(enum rein_code code)
{
	return code_info(code)->err ?: EINVAL;
}

static struct rein_record *slot_of(u64 id)
{
	u64 slot;

	div64_u64_rem(id, records, &slot);
	return &ring.slots[slot];
}

/*
 * Take the oldest slot for a new record. Returns with the slot's lock held and
 * the slot blank but for what every record has.
 */
static struct rein_record *record_open(enum rein_code code,
				       const struct rein_site *site)
{
	struct rein_record *rec;

	lockdep_assert_held(&ring.lock);
	ring.counts.raised++;
	rec = slot_of(++ring.newest);

	spin_lock(&rec->lock);
	if (rec->id)
		ring.counts.overwritten++;
	else
		ring.counts.stored++;
	memset((char *)rec + sizeof(rec->lock), 0,
	       sizeof(*rec) - sizeof(rec->lock));
	rec->id = ring.newest;
	rec->info = code_info(code);
	rec->count = 1;
	rec->time_ns = ktime_get_real_ns();
	rec->last_ns = rec->time_ns;
	rec->boottime_ns = ktime_get_boottime_ns();
	rec->function = site->function;
	rec->file = kbasename(site->file);
	rec->line = site->line;
	return rec;
}

static void record_close(struct rein_record *rec)
{
	spin_unlock(&rec->lock);
}

static void record_task(struct rein_record *rec, const char *comm,
			const unsigned long *stack, unsigned int depth)
{
	rec->pid = task_tgid_nr(current);
	rec->uid = current_uid();
	strscpy(rec->comm, comm, sizeof(rec->comm));
	memcpy(rec->stack, stack, depth * sizeof(*stack));
	rec->depth = depth;
}

static void record_cgroup(struct rein_record *rec, struct cgroup *cgrp)
{
	rec->cgroup_id = cgroup_id(cgrp);
	if (cgroup_path(cgrp, rec->path, sizeof(rec->path)) < 0)
		rec->path[0] = '\0';
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

/* Count one more event into the record @id, if it is still held. */
static bool record_fold(u64 id, const struct rein_value *value)
{
	struct rein_record *rec;
	bool held;

	if (!id)
		return false;
	rec = slot_of(id);
	spin_lock_bh(&rec->lock);
	held = rec->id == id;
	if (held) {
		rec->count++;
		rec->last_ns = ktime_get_real_ns();
		memcpy(rec->value, value, sizeof(rec->value));
	}
	spin_unlock_bh(&rec->lock);
	if (held)
		atomic64_inc(&ring.folded);
	return held;
}

/*
 * Count a request that was refused into the newest record, if that is of the
 * same task for the same reason: who tries again and again is told the same
 * and drives out nobody else's records.
 */
static u64 record_again(enum rein_code code, const struct rein_site *site,
			const char *message)
{
	static const struct rein_value none[REIN_RECORD_VALUES];
	struct rein_record *rec = slot_of(ring.newest);
	bool same;

	lockdep_assert_held(&ring.lock);
	spin_lock(&rec->lock);
	same = rec->id && rec->info->number == code &&
	       rec->line == site->line && rec->pid == task_tgid_nr(current) &&
	       uid_eq(rec->uid, current_uid()) &&
	       !strcmp(rec->message, message);
	spin_unlock(&rec->lock);
	return same && record_fold(ring.newest, none) ? ring.newest : 0;
}

/*
 * May a refused request have a record of its own? Those of administrators
 * may. All others together have a bucket, or anybody could drive everybody
 * else's records out; what is over it is counted.
 */
static bool record_granted(bool admin)
{
	lockdep_assert_held(&ring.lock);
	if (admin)
		return true;
	rein_bucket_refill(&ring.others, ktime_get_ns());
	if (rein_bucket_wait(&ring.others, 1, false)) {
		ring.counts.raised++;
		ring.counts.suppressed++;
		return false;
	}
	rein_bucket_charge(&ring.others, 1);
	return true;
}

/* See rein_fail(). */
int __rein_fail(struct rein_ask *ask, const struct nlattr *attr,
		enum rein_code code, const char *what,
		const struct rein_site *site, const char *fmt, ...)
{
	unsigned long stack[REIN_RECORD_STACK];
	char message[REIN_RECORD_MESSAGE];
	char comm[TASK_COMM_LEN];
	const struct rein_code_info *info = code_info(code);
	struct rein_record *rec;
	bool admin, made = false;
	unsigned int depth;
	va_list args;
	u64 id;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	depth = stack_trace_save(stack, ARRAY_SIZE(stack), 1);
	/* Takes a lock that must not nest in the ring's: see task_lock(). */
	get_task_comm(comm, current);
	admin = ns_capable_noaudit(&init_user_ns, CAP_NET_ADMIN);

	spin_lock_bh(&ring.lock);
	id = record_again(code, site, message);
	if (!id && record_granted(admin)) {
		rec = record_open(code, site);
		record_task(rec, comm, stack, depth);
		strscpy(rec->message, message, sizeof(rec->message));
		id = rec->id;
		record_close(rec);
		made = true;
	}
	spin_unlock_bh(&ring.lock);
	if (made && info->kind == REIN_KIND_BUG)
		pr_err_ratelimited("%s; all of it: rein errors show %llu\n",
				   message, id);

	if (ask->extack) {
		ask->extack->_msg = what;
		ask->extack->bad_attr = attr;
		/* 0: the error was one too many to get a record. */
		memcpy(ask->extack->cookie, &id, sizeof(id));
		ask->extack->cookie_len = sizeof(id);
	}
	rein_netlink_wake();
	return info->err ? -info->err : -EINVAL;
}

/* Who an event of the data path is about, besides the limit. */
struct event_subject {
	const struct sk_buff *skb;	/* NULL: a take */
	u16 family;
	bool is_current;		/* of the task that takes */
};

static void record_current(struct rein_record *rec)
{
	unsigned long stack[REIN_RECORD_STACK];
	char comm[TASK_COMM_LEN];

	/* Not get_task_comm(): its lock must not nest in the ring's. */
	strscpy(comm, current->comm, sizeof(comm));
	record_task(rec, comm, stack,
		    stack_trace_save(stack, ARRAY_SIZE(stack), 2));
}

static u64 record_event(struct rein_limit *limit, enum rein_fold fold,
			const struct event_subject *subject,
			const struct rein_value *value,
			const struct rein_site *site)
{
	const struct rein_fold_info *info;
	struct rein_record *rec;
	u64 id;

	id = READ_ONCE(limit->fold[fold]);
	if (record_fold(id, value))
		return id;

	spin_lock_bh(&ring.lock);
	/* Another CPU may have been first. */
	id = READ_ONCE(limit->fold[fold]);
	if (record_fold(id, value)) {
		spin_unlock_bh(&ring.lock);
		return id;
	}
	info = rein_fold_info(limit->resource, fold);
	rec = record_open(info->code, site);
	record_subject(rec, limit);
	if (subject->skb)
		record_flow(&rec->flow, subject->skb, subject->family);
	else if (subject->is_current)
		record_current(rec);
	memcpy(rec->value, value, sizeof(rec->value));
	strscpy(rec->message, info->message, sizeof(rec->message));
	id = rec->id;
	WRITE_ONCE(limit->fold[fold], id);
	record_close(rec);
	spin_unlock_bh(&ring.lock);
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
 * @fold:	what happened, but for REIN_FOLD_CANCELLED
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

	spin_lock_bh(&ring.lock);
	rec = record_open(code, site);
	record_subject(rec, limit);
	strscpy(rec->message, what, sizeof(rec->message));
	record_close(rec);
	spin_unlock_bh(&ring.lock);
	rein_netlink_wake();
}

/**
 * rein_record_read() - copy a record
 * @id:		which one
 * @copy:	where to
 *
 * Return: whether it is held.
 */
bool rein_record_read(u64 id, struct rein_record *copy)
{
	struct rein_record *rec;
	bool held;

	if (!id)
		return false;
	rec = slot_of(id);
	spin_lock_bh(&rec->lock);
	held = rec->id == id;
	if (held)
		memcpy((char *)copy + sizeof(copy->lock),
		       (char *)rec + sizeof(rec->lock),
		       sizeof(*rec) - sizeof(rec->lock));
	spin_unlock_bh(&rec->lock);
	return held;
}

/**
 * rein_record_newest() - id of the newest record
 *
 * Return: the id, 0 if nothing was recorded yet.
 */
u64 rein_record_newest(void)
{
	u64 id;

	spin_lock_bh(&ring.lock);
	id = ring.newest;
	spin_unlock_bh(&ring.lock);
	return id;
}

/**
 * rein_record_oldest() - id of the oldest record that is held
 *
 * Return: the id, 1 if nothing was recorded yet.
 */
u64 rein_record_oldest(void)
{
	u64 newest = rein_record_newest();

	return newest > records ? newest - records + 1 : 1;
}

/**
 * rein_record_count() - read the books
 * @counts:	where to
 */
void rein_record_count(struct rein_record_counts *counts)
{
	u64 folded;

	spin_lock_bh(&ring.lock);
	folded = atomic64_read(&ring.folded);
	*counts = ring.counts;
	spin_unlock_bh(&ring.lock);
	counts->folded = folded;
	counts->raised += folded;
}

/**
 * rein_record_boot() - what the ids of records are unique within
 *
 * Return: a UUID made when the module was loaded.
 */
const char *rein_record_boot(void)
{
	return ring.boot;
}

/**
 * rein_record_init() - make the ring
 *
 * Return: 0, -EINVAL for a bad parameter, -ENOMEM.
 */
int rein_record_init(void)
{
	static const struct rein_rate rate = { 1, NSEC_PER_SEC };
	unsigned int i;
	uuid_t boot;

	rein_bucket_init(&ring.others, &rate, OTHERS_BURST, ktime_get_ns());
	if (records < RECORDS_MIN || records > RECORDS_MAX) {
		pr_err("records=%u: use %d to %d\n", records, RECORDS_MIN,
		       RECORDS_MAX);
		return -EINVAL;
	}
	ring.slots = vzalloc(array_size(records, sizeof(*ring.slots)));
	if (!ring.slots)
		return -ENOMEM;
	for (i = 0; i < records; i++)
		spin_lock_init(&ring.slots[i].lock);
	generate_random_uuid(boot.b);
	snprintf(ring.boot, sizeof(ring.boot), "%pUb", &boot);
	return 0;
}

/**
 * rein_record_exit() - free the ring, with all records
 */
void rein_record_exit(void)
{
	vfree(ring.slots);
}
