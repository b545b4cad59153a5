/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records: what happened, where, when, to whom, why, and what to do next.
 *
 * Making one never sleeps, never allocates and never fails; what can't be kept is
 * counted: see ring.h. The data path folds: the same event on the same limit is one
 * record that counts, until that record is overwritten. So do faults of a watch.
 *
 * A record also says what was being done, as each part that it came through has it:
 * see struct rein_doing. That is asked for when something goes wrong, and costs next to
 * nothing if nothing does.
 *
 * Context: any but hard interrupts.
 */
#ifndef REIN_RECORD_H
#define REIN_RECORD_H

#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/rein.h>

#include "code.h"
#include "limit.h"

#define REIN_RECORD_VALUES	3
#define REIN_RECORD_STACK	24
#define REIN_RECORD_STEPS	4
#define REIN_RECORD_LEVELS	16
#define REIN_RECORD_PATH	512
#define REIN_RECORD_MESSAGE	128

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
 * struct rein_step - what was being done when it happened
 * @what:	"adding limit": goes on after "while"; a string that lives as long as
 *		the module
 * @name:	of what, or empty
 * @function:	the code that does it
 * @file:	its file
 * @line:	and line
 */
struct rein_step {
	const char *what;
	char name[REIN_NAME_MAX + 1];
	const char *function;
	const char *file;
	u32 line;
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
 * @state:	the ring's own
 * @id:		1, 2, 3…; 0: the slot is empty
 * @info:	its code
 * @count:	events folded into it; in copies only
 * @time_ns:	CLOCK_REALTIME of the first
 * @boottime_ns: CLOCK_BOOTTIME of the first
 * @last_ns:	CLOCK_REALTIME of the last
 * @cause:	id of the record of what led to it, or 0
 * @limit_id:	the limit it is about, or 0
 * @cgroup_id:	the cgroup it is about, or 0
 * @level:	depth of the cgroup that @above ends with
 * @above:	ids of the cgroups it is in, by level, and its own, as far as there is
 *		room; of a request, those of the task
 * @flow:	the socket it is about
 * @value:	typed values; those without a name are unused
 * @step:	what was being done, innermost first; those without a what are unused
 * @function:	the code that made it
 * @file:	its file
 * @line:	and line
 * @err:	the errno that nobody gave a meaning, of a bug; positive, or 0
 * @pid:	the task that asked for it, or 0
 * @uid:	its user
 * @home:	id of its cgroup
 * @depth:	frames in @stack
 * @stack:	return addresses, innermost first
 * @comm:	name of that task
 * @scope_id:	the scope it is about, or 0
 * @scope_name:	its name
 * @watch_id:	the watch it is about, or 0
 * @watch_name:	its name
 * @limit_name:	name of the limit, as it was
 * @path:	path of the cgroup, as it was; its beginning, if it is longer
 * @message:	one line for its reader
 */
struct rein_record {
	spinlock_t lock;
	atomic64_t state;
	u64 id;
	const struct rein_code_info *info;
	u64 count;
	u64 time_ns;
	u64 boottime_ns;
	u64 last_ns;
	u64 cause;
	u64 limit_id;
	u64 cgroup_id;
	unsigned int level;
	u64 above[REIN_RECORD_LEVELS];
	struct rein_flow_id flow;
	struct rein_value value[REIN_RECORD_VALUES];
	struct rein_step step[REIN_RECORD_STEPS];
	const char *function;
	const char *file;
	u32 line;
	u32 err;
	pid_t pid;
	kuid_t uid;
	u64 home;
	unsigned int depth;
	unsigned long stack[REIN_RECORD_STACK];
	char comm[TASK_COMM_LEN];
	u64 scope_id;
	char scope_name[REIN_NAME_MAX + 1];
	u64 watch_id;
	char watch_name[REIN_NAME_MAX + 1];
	char limit_name[REIN_NAME_MAX + 1];
	char path[REIN_RECORD_PATH];
	char message[REIN_RECORD_MESSAGE];
};

struct rein_site {
	const char *function;
	const char *file;
	u32 line;
};

#define REIN_SITE (&(const struct rein_site){ __func__, __FILE__, __LINE__ })

/**
 * struct rein_doing - what a part of the module is about to do
 * @what:	see struct rein_step
 * @name:	of what, or NULL
 * @site:	who does it
 * @outer:	what that is a part of, or NULL
 */
struct rein_doing {
	const char *what;
	const char *name;
	const struct rein_site *site;
	const struct rein_doing *outer;
};

/**
 * struct rein_ask - a request of user space, for errors to refer to
 * @extack:	where the message, the attribute and the record's id go, or NULL
 * @attrs:	its attributes, or NULL
 * @doing:	what is being done for it, innermost first
 * @err:	of an errno that nobody gave a meaning, positive; else 0
 * @told:	it was refused by rein_fail(): the errno has a meaning
 */
struct rein_ask {
	struct netlink_ext_ack *extack;
	struct nlattr **attrs;
	const struct rein_doing *doing;
	int err;
	bool told;
};

/**
 * rein_doing_begin() - say what is going to be done for a request
 * @ask:	the request
 * @doing:	to be kept until rein_doing_end()
 * @site:	REIN_SITE
 * @what:	see struct rein_step
 * @name:	of what, or NULL; has to stay until rein_doing_end()
 *
 * Each part of the module does so where it takes over, so that a record tells them all.
 */
static inline void rein_doing_begin(struct rein_ask *ask,
				    struct rein_doing *doing,
				    const struct rein_site *site,
				    const char *what, const char *name)
{
	*doing = (struct rein_doing){ what, name, site, ask->doing };
	ask->doing = doing;
}

/**
 * rein_doing_end() - it is done, or has failed
 * @ask:	the request
 */
static inline void rein_doing_end(struct rein_ask *ask)
{
	ask->doing = ask->doing->outer;
}

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

/**
 * rein_fail_memory() - rein_fail() for want of memory
 * @ask:	the request
 * @what:	"for the request": what there was none for, a string literal
 *
 * Return: -ENOMEM.
 */
#define rein_fail_memory(ask, what)					\
	rein_fail(ask, NULL, REIN_E_NO_MEMORY, "out of memory",	\
		  "there was no memory " what)

const struct nlattr *rein_ask_attr(const struct rein_ask *ask, int type);

struct rein_scope;
struct sk_buff;
struct sock;
u64 rein_record_call(struct rein_limit *limit, enum rein_fold fold,
		     const struct rein_value value[REIN_RECORD_VALUES],
		     bool is_current, const struct rein_site *site);
void rein_record_packet(struct rein_limit *limit, enum rein_fold fold,
			const struct sk_buff *skb, u16 family,
			const struct rein_value value[REIN_RECORD_VALUES],
			const struct rein_site *site);
void rein_record_limit(const struct rein_limit *limit, enum rein_code code,
		       const struct rein_site *site, const char *what);

/**
 * struct rein_scope_note - what is to be recorded of a scope
 * @scope:	the scope
 * @code:	what became of it
 * @cause:	id of the record of what led to it, or 0
 * @by_task:	the present task did it; else it is about who made the scope
 * @folds:	the newest record will do, if that says the same of the same task
 * @err:	an errno that belongs to it, positive, or 0
 * @message:	one line for its reader
 * @value:	typed values
 */
struct rein_scope_note {
	const struct rein_scope *scope;
	enum rein_code code;
	u64 cause;
	bool by_task;
	bool folds;
	int err;
	const char *message;
	struct rein_value value[REIN_RECORD_VALUES];
};

struct rein_watch;

/**
 * struct rein_watch_note - what is to be recorded of a watch
 * @watch:	the watch
 * @code:	what became of it
 * @cause:	id of the record of what led to it, or 0
 * @by_task:	the present task did it; else it is about who made the watch
 * @err:	an errno that belongs to it, positive, or 0
 * @fold:	id of the record that it is counted into, and which then says this, as long as
 *		that is held; set to that of a new one. NULL: it has one of its own
 * @more:	so many more of the same are counted with it
 * @message:	one line for its reader
 * @value:	typed values
 * @stack:	where in the kernel the subject is
 * @depth:	frames there, 0: that is not known
 */
struct rein_watch_note {
	const struct rein_watch *watch;
	enum rein_code code;
	u64 cause;
	bool by_task;
	int err;
	u64 *fold;
	u64 more;
	const char *message;
	struct rein_value value[REIN_RECORD_VALUES];
	const unsigned long *stack;
	unsigned int depth;
};

u64 rein_record_watch(const struct rein_watch_note *note,
		      const struct rein_site *site);
void rein_flow_of(struct rein_flow_id *flow, const struct sock *sk);
u64 rein_record_scope(const struct rein_scope_note *note,
		      const struct rein_site *site);
void rein_record_scope_begin(u64 record);
void rein_record_scope_end(void);
u64 rein_record_flush_begin(const struct rein_ask *ask,
			    const struct rein_site *site);
void rein_record_flush_end(void);

bool rein_record_visible(const struct rein_record *rec,
			 const struct cgroup *viewer, kuid_t uid);
bool rein_record_flushing(void);
const char *rein_record_boot(void);

void rein_record_init(void);

#endif /* REIN_RECORD_H */
