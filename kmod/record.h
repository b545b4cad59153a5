/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records: what happened, where, when, to whom, why, and what to do next.
 *
 * A record is made in fixed memory: a ring in which the oldest is overwritten
 * first. Making one never sleeps, never allocates and never fails; what can't
 * be kept is counted, so that at any time
 *
 *   raised = stored + folded + overwritten + suppressed
 *
 * The data path folds: the same event on the same limit is one record that
 * counts, until that record is overwritten.
 *
 * Context: any but hard interrupts. Locking: the ring's lock, then that of
 * one slot, both innermost and _bh.
 */
#ifndef REIN_RECORD_H
#define REIN_RECORD_H

#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/rein.h>

#include "limit.h"

#define REIN_CODE(number, name, ...) REIN_E_##name = (number),
enum rein_code {
#include "codes.def"
};

#undef REIN_CODE

#define REIN_RECORD_VALUES	3
#define REIN_RECORD_STACK	24
#define REIN_RECORD_PATH	128
#define REIN_RECORD_MESSAGE	128

/**
 * struct rein_code_info - what the code book says of a code
 * @number:	the code
 * @kind:	bug or edge
 * @severity:	how much it matters
 * @err:	the errno the caller sees, positive; 0 if nobody does
 * @hint:	what to do next
 */
struct rein_code_info {
	u16 number;
	u8 kind;
	u8 severity;
	u16 err;
	const char *hint;
};

/**
 * struct rein_value - a typed value of a record
 * @name:	what it is; a string that lives as long as the module
 * @unit:	what it is counted in; likewise
 * @number:	how much
 */
struct rein_value {
	const char *name;
	const char *unit;
	u64 number;
};

/**
 * struct rein_flow_id - the socket a record is about
 * @family:	AF_INET, AF_INET6, or 0 if there is none
 * @protocol:	IPPROTO_*
 * @sport:	source port, 0 if it has none
 * @dport:	destination port, 0 if it has none
 * @saddr:	source address; the first 4 bytes for AF_INET
 * @daddr:	destination address; likewise
 * @cookie:	the socket's cookie, 0 if it has none yet
 */
struct rein_flow_id {
	u16 family;
	u16 protocol;
	u16 sport;
	u16 dport;
	u8 saddr[16];
	u8 daddr[16];
	u64 cookie;
};

/**
 * struct rein_record - one record, a slot of the ring
 * @lock:	guards the rest
 * @id:		1, 2, 3…; 0: the slot is empty
 * @info:	its code
 * @count:	events folded into it
 * @time_ns:	CLOCK_REALTIME of the first
 * @boottime_ns: CLOCK_BOOTTIME of the first
 * @last_ns:	CLOCK_REALTIME of the last
 * @cause:	id of the record this one wraps, or 0
 * @limit_id:	the limit it is about, or 0
 * @cgroup_id:	the cgroup it is about, or 0
 * @flow:	the socket it is about
 * @value:	typed values; those without a name are unused
 * @function:	the code that made it
 * @file:	its file
 * @line:	and line
 * @pid:	the task that asked for it, or 0
 * @uid:	its user
 * @depth:	frames in @stack
 * @stack:	return addresses, innermost first
 * @comm:	name of that task
 * @limit_name:	name of the limit, as it was
 * @path:	path of the cgroup, as it was
 * @message:	one line for its reader
 */
struct rein_record {
	spinlock_t lock;
	u64 id;
	const struct rein_code_info *info;
	u64 count;
	u64 time_ns;
	u64 boottime_ns;
	u64 last_ns;
	u64 cause;
	u64 limit_id;
	u64 cgroup_id;
	struct rein_flow_id flow;
	struct rein_value value[REIN_RECORD_VALUES];
	const char *function;
	const char *file;
	u32 line;
	pid_t pid;
	kuid_t uid;
	unsigned int depth;
	unsigned long stack[REIN_RECORD_STACK];
	char comm[TASK_COMM_LEN];
	char limit_name[REIN_NAME_MAX + 1];
	char path[REIN_RECORD_PATH];
	char message[REIN_RECORD_MESSAGE];
};

/**
 * struct rein_record_counts - the books of the ring
 * @raised:	events
 * @stored:	records that are held
 * @folded:	events counted into a record that was there
 * @overwritten: records that made room for newer ones
 * @suppressed:	events that left no trace but this count
 */
struct rein_record_counts {
	u64 raised;
	u64 stored;
	u64 folded;
	u64 overwritten;
	u64 suppressed;
};

/**
 * struct rein_ask - a request of user space, for errors to refer to
 * @extack:	where the message, the attribute and the record's id go
 * @attrs:	its attributes
 */
struct rein_ask {
	struct netlink_ext_ack *extack;
	struct nlattr **attrs;
};

struct rein_site {
	const char *function;
	const char *file;
	u32 line;
};

#define REIN_SITE (&(const struct rein_site){ __func__, __FILE__, __LINE__ })

__printf(6, 7)
int __rein_fail(struct rein_ask *ask, const struct nlattr *attr,
		enum rein_code code, const char *what,
		const struct rein_site *site, const char *fmt, ...);

/**
 * rein_fail() - refuse a request of user space, with a record
 * @ask:	the request
 * @attr:	the attribute at fault, or NULL
 * @code:	why
 * @what:	what happened, a string literal of at most 80 characters: it
 *		is the extack message, of which the kernel keeps a pointer
 * @...:	the same with its details, for the record: a format and its
 *		arguments
 *
 * Context: the task that asks; may not sleep.
 *
 * Return: the negative errno of @code.
 */
#define rein_fail(ask, attr, code, what, ...)				\
	__rein_fail(ask, attr, code, "" what, REIN_SITE, __VA_ARGS__)

const struct nlattr *rein_ask_attr(const struct rein_ask *ask, int type);

/**
 * struct rein_fold_info - what an event of the data path is called
 * @code:	its code
 * @message:	one line for its reader
 */
struct rein_fold_info {
	enum rein_code code;
	const char *message;
};

const struct rein_fold_info *rein_fold_info(enum rein_resource resource,
					    enum rein_fold fold);
int rein_code_errno(enum rein_code code);

struct sk_buff;
u64 rein_record_call(struct rein_limit *limit, enum rein_fold fold,
		     const struct rein_value value[REIN_RECORD_VALUES],
		     bool is_current, const struct rein_site *site);
void rein_record_packet(struct rein_limit *limit, enum rein_fold fold,
			const struct sk_buff *skb, u16 family,
			const struct rein_value value[REIN_RECORD_VALUES],
			const struct rein_site *site);
void rein_record_limit(const struct rein_limit *limit, enum rein_code code,
		       const struct rein_site *site, const char *what);

bool rein_record_read(u64 id, struct rein_record *copy);
u64 rein_record_oldest(void);
u64 rein_record_newest(void);
void rein_record_count(struct rein_record_counts *counts);
const char *rein_record_boot(void);

int rein_record_init(void);
void rein_record_exit(void);

#endif /* REIN_RECORD_H */
