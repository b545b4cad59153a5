/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * /dev/rein: what the governed code itself asks of rein: takes, reservations,
 * scopes, races and watches. Configuration, records and lists are on generic netlink:
 * see rein.h.
 *
 * Structures may grow at their end. The size is part of the request number;
 * what the kernel knows and a client doesn't is taken as 0, what a client
 * knows and the kernel doesn't must be 0 (else: E2BIG).
 *
 * Times are nanoseconds of CLOCK_MONOTONIC, as the caller's time namespace
 * has it.
 */
#ifndef _UAPI_LINUX_REIN_DEV_H
#define _UAPI_LINUX_REIN_DEV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define REIN_DEV_PATH		"/dev/rein"

#define REIN_TAKE_NAME_LEN	64
#define REIN_TAKE_NAMES_MAX	32

/* As a time: not at the present rates. */
#define REIN_DEV_NEVER		(~0ULL)

/*
 * Without a flag a take waits if every limit that has no tokens for it says
 * "over wait", and is refused otherwise.
 */
enum rein_take_flags {
	/* Never wait. */
	REIN_TAKE_TRY = 1 << 0,
	/* Wait until @deadline_ns, whatever "over" says. */
	REIN_TAKE_DEADLINE = 1 << 1,
	/* The same; @deadline_ns is counted from now. */
	REIN_TAKE_TIMEOUT = 1 << 2,
	/* End with the scope @scope_fd, too. Goes with any other. */
	REIN_TAKE_SCOPE = 1 << 3,
};

/**
 * struct rein_take_want - tokens wanted of one limit
 * @name:	the limit's name, NUL-terminated
 * @tokens:	how many, at least 1
 */
struct rein_take_want {
	char name[REIN_TAKE_NAME_LEN];
	__u64 tokens;
};

/* How many reservations there may be from one opening of the device. */
#define REIN_RESERVATIONS_MAX	1024

/* For how long a grant may be kept, in ns, and how long it is by default. */
#define REIN_CLAIM_MIN_NS	1000000ULL
#define REIN_CLAIM_MAX_NS	60000000000ULL
#define REIN_CLAIM_DEFAULT_NS	1000000000ULL

/**
 * struct rein_take_args - take tokens from one or several limits, or none
 * @flags:	of enum rein_take_flags; the first three exclude each other
 * @n_wants:	1 to REIN_TAKE_NAMES_MAX
 * @wants:	pointer to @n_wants struct rein_take_want, no name twice
 * @deadline_ns: see the flags; 0 without one
 * @granted_ns:	when the tokens were there, if they were taken
 * @waited_ns:	how long it took from the call until then, or until it ended
 * @retry_after_ns: if they were not: how long from now until they would have
 *		been there; REIN_DEV_NEVER: not at the present rates
 * @wanted:	of the limit that said no: the tokens wanted
 * @available:	likewise: the tokens it had
 * @record:	id of the record that tells the whole story, 0: none; with a @cause that
 *		of the scope's end
 * @limit_id:	the limit that said no, 0: none in particular
 * @code:	why not: the number in REIN-Ennnn, 0 if taken
 * @want:	which of @wants is at fault, if @code is not 0
 * @message:	why not, one line
 * @claim_ns:	of REIN_IOC_RESERVE: how long what is granted is kept for who
 *		claims it, REIN_CLAIM_MIN_NS to REIN_CLAIM_MAX_NS; 0:
 *		REIN_CLAIM_DEFAULT_NS. Of the others: 0
 * @scope_fd:	with REIN_TAKE_SCOPE: a scope, or an observer of one; else 0
 * @cause:	why the scope that ended it was cancelled, of enum rein_cause; 0: it
 *		was not ended by a scope
 * @scope_id:	the id of that scope
 *
 * From @granted_ns to @message, @cause and @scope_id the kernel answers,
 * whatever the call returns.
 * After EINTR nothing there means anything, and a timeout has become the deadline
 * that it stood for, so that the call can be made again as it is.
 *
 * The name is looked up from the caller's cgroup upwards; each limit of that
 * name on the way is charged. All or nothing: a call that fails has charged
 * no limit.
 *
 * Return: 0, or -1 with errno EAGAIN (no tokens), ETIME (the deadline can't
 * be met; at once), ETIMEDOUT (it passed), E2BIG (more than a burst),
 * ENOBUFS (too many wait already), ENOENT (no such limit), EINTR (a signal),
 * ECANCELED (the limits were flushed by force; or, with a @cause, its scope or
 * one that is bound to its cgroup was cancelled), EBADF (@scope_fd is no scope),
 * EINVAL, EFAULT, ENOMEM.
 *
 * Its deadline is never later than that of its scope, and of each scope that is
 * bound to its cgroup or to one above.
 *
 * REIN_IOC_RESERVE returns at once: a new descriptor, close-on-exec, that holds
 * a place in the line; @retry_after_ns says how long it will be, as planned
 * now. REIN_TAKE_TRY is not for it. It fails as a take does that is refused at
 * once, and with EMFILE (too many reservations, or files). The descriptor can be
 * polled: it is readable as soon as it is decided what becomes of it, and has
 * EPOLLERR as well if that is nothing. To close it gives up the place, or what
 * was granted.
 *
 * REIN_IOC_CLAIM, on that descriptor, never waits. All that is asked must be 0.
 * It answers as the take would have: 0, and the tokens are taken, or its error;
 * moreover EAGAIN with a @code of 0 (it still waits, for @retry_after_ns as
 * planned now), ESTALE (it was granted, and not claimed in time: the tokens were
 * given back) and EALREADY (somebody has claimed it).
 */
struct rein_take_args {
	__u32 flags;
	__u32 n_wants;
	__u64 wants;
	__u64 deadline_ns;
	__u64 granted_ns;
	__u64 waited_ns;
	__u64 retry_after_ns;
	__u64 wanted;
	__u64 available;
	__u64 record;
	__u64 limit_id;
	__u32 code;
	__u32 want;
	char message[128];
	__u64 claim_ns;
	__s32 scope_fd;
	__u32 cause;
	__u64 scope_id;
};

/* Of the first version of struct rein_take_args. */
#define REIN_TAKE_ARGS_SIZE_0	216

/**
 * struct rein_answer - what became of a call, at the end of its arguments
 * @record:	id of the record that tells the whole story, 0: none
 * @code:	why not: the number in REIN-Ennnn, 0 if it succeeded
 * @reserved:	0
 * @message:	why not, one line
 */
struct rein_answer {
	__u64 record;
	__u32 code;
	__u32 reserved;
	char message[128];
};

/**
 * struct rein_credit_args - give tokens back for a success
 * @name:	of a limit on call, NUL-terminated
 * @millionths:	of a token, at most 1,000,000; 0: as much as the limit gives
 * @reserved:	0
 * @limits:	answer: how many limits it was given to
 * @reserved2:	answer: 0
 * @answer:	see there
 *
 * REIN_IOC_CREDIT, on /dev/rein. The name is looked up from the caller's cgroup upwards;
 * each limit of that name that gives credit for successes is given that much, but no
 * more than it gives, and never more than its burst.
 *
 * Return: 0, or -1 with errno ENOENT (no such limit), EINVAL, EFAULT, E2BIG.
 */
struct rein_credit_args {
	char name[REIN_TAKE_NAME_LEN];
	__u32 millionths;
	__u32 reserved;
	__u32 limits;
	__u32 reserved2;
	struct rein_answer answer;
};

/* --- scopes --------------------------------------------------------------------- */

#define REIN_SCOPE_NAME_LEN	64
#define REIN_REASON_LEN		128

/* How deep scopes nest, the topmost being 1, and how many children one may have. */
#define REIN_SCOPE_DEPTH_MAX	32
#define REIN_SCOPE_CHILDREN_MAX	65536

/* No descriptor. */
#define REIN_NO_FD		(-1)

enum rein_scope_flags {
	/* @deadline_ns is a time. */
	REIN_SCOPE_DEADLINE = 1 << 0,
	/* @deadline_ns is counted from now. */
	REIN_SCOPE_TIMEOUT = 1 << 1,
	/* Times are of CLOCK_BOOTTIME, which counts while the machine sleeps. */
	REIN_SCOPE_BOOTTIME = 1 << 2,
	/* Cancel it when nobody has a descriptor of it any more but observers. */
	REIN_SCOPE_OWNED = 1 << 3,
};

/**
 * struct rein_scope_args - make a scope, or a race
 * @flags:	of enum rein_scope_flags
 * @parent_fd:	the scope that it is a part of, or REIN_NO_FD
 * @deadline_ns: see the flags; 0 without one
 * @name:	for its readers: 1 to 63 letters, digits and any of . _ - : @ with no
 *		dash at the beginning, NUL-terminated; or empty
 * @policy:	of REIN_IOC_RACE: of enum rein_policy; else 0
 * @reserved:	0
 * @id:		answer: of the scope; never given twice
 * @answer:	see there
 *
 * REIN_IOC_SCOPE and REIN_IOC_RACE, on /dev/rein, return a new descriptor, which is
 * close-on-exec: whoever has it may wait for the scope, cancel it and make children.
 *
 * poll() on it: EPOLLIN and EPOLLHUP as soon as it is done: cancelled. So it
 * is when its deadline or that of one above has passed; it may have been made so.
 *
 * read() waits for that, unless O_NONBLOCK is set (EAGAIN), and gives a struct
 * rein_scope_done, or as much of it as there is room for; always from its beginning.
 *
 * mmap() of one page, PROT_READ and MAP_SHARED: a struct rein_scope_page.
 *
 * A scope lives as long as any of: a descriptor; a child; a cgroup that it is bound to.
 *
 * Return: the descriptor, or -1 with errno EINVAL, EBADF (@parent_fd is no scope), EPERM
 * (it is an observer), ELOOP (too deep), ENOSPC (too many children), EDQUOT (the user has
 * too many), EMFILE, ENOMEM, EFAULT, E2BIG.
 */
struct rein_scope_args {
	__u32 flags;
	__s32 parent_fd;
	__u64 deadline_ns;
	char name[REIN_SCOPE_NAME_LEN];
	__u32 policy;
	__u32 reserved;
	__u64 id;
	struct rein_answer answer;
};

/**
 * struct rein_scope_done - what read() of a scope gives
 * @id:		the scope
 * @origin:	where it began: @id, or the id of the one above that was cancelled, or
 *		bound to a cgroup above; of a duplicate the winner's
 * @record:	id of the record of it, 0: none
 * @time_ns:	when, CLOCK_MONOTONIC
 * @cause:	why, of enum rein_cause
 * @pid:	who cancelled @origin, 0: nobody in particular, or not to be seen from
 *		here
 * @reason:	in their words
 */
struct rein_scope_done {
	__u64 id;
	__u64 origin;
	__u64 record;
	__u64 time_ns;
	__u32 cause;
	__u32 pid;
	char reason[REIN_REASON_LEN];
};

/**
 * struct rein_scope_page - what a scope shows to whoever maps it
 * @cause:	0 as long as it is not done, then why, of enum rein_cause
 */
struct rein_scope_page {
	__u32 cause;
};

enum rein_open_flags {
	/* Only to wait for it. */
	REIN_OPEN_OBSERVE = 1 << 0,
};

/**
 * struct rein_open_args - get a descriptor of a scope that is there
 * @flags:	of enum rein_open_flags
 * @reserved:	0
 * @id:		the scope; 0: by @name
 * @name:	likewise; empty: the one that is bound to the caller's cgroup, or the
 *		nearest that is bound to one above
 * @answer:	see there
 *
 * REIN_IOC_OPEN, on /dev/rein. Only a scope's own user, and who has CAP_NET_ADMIN over
 * the initial user namespace, may do so; the user not from inside of namespaces of PIDs
 * or of cgroups that it was made outside of. But whoever is below a cgroup that a scope is
 * bound to may observe that.
 *
 * Return: a descriptor, or -1 with errno ENOENT, EACCES, ENOTUNIQ (several have that
 * name), EINVAL, EMFILE, ENOMEM, EFAULT, E2BIG.
 */
struct rein_open_args {
	__u32 flags;
	__u32 reserved;
	__u64 id;
	char name[REIN_SCOPE_NAME_LEN];
	struct rein_answer answer;
};

/**
 * struct rein_observe_args - get an observer of a scope
 * @answer:	see there
 *
 * REIN_IOC_OBSERVE, on a scope: returns a new descriptor that can be read, polled and
 * mapped, given to a take, and nothing else.
 */
struct rein_observe_args {
	struct rein_answer answer;
};

/**
 * struct rein_cancel_args - cancel a scope, and all below it
 * @cause:	REIN_CAUSE_USER or REIN_CAUSE_DUPLICATE
 * @reason:	for its readers; what is not printable ASCII is replaced
 * @was:	answer: why it is done: @cause, or what was first; 0: it has won a race
 * @answer:	see there
 *
 * REIN_IOC_CANCEL, on a scope. What is done already stays as it is, with the cause that
 * it has, and that is no error; so does what has won a race.
 *
 * Return: 0, or -1 with errno EPERM (an observer), EINVAL, EFAULT, E2BIG.
 */
struct rein_cancel_args {
	__u32 cause;
	char reason[REIN_REASON_LEN];
	__u32 was;
	struct rein_answer answer;
};

/**
 * struct rein_bind_args - bind a scope to a cgroup
 * @cgroup_fd:	its directory
 * @kill_fd:	its cgroup.kill, open for writing: its processes are killed when the
 *		scope is done; REIN_NO_FD: they are not
 * @kill_delay_ns: how long after that
 * @answer:	see there
 *
 * REIN_IOC_BIND, on a scope. From then on takes by tasks in that cgroup, or below, end
 * with the scope; when it is done, packets of theirs that wait are dropped, and the
 * scopes that are bound to cgroups below are cancelled. It stays bound until the
 * cgroup is removed. A scope can be bound once, and a cgroup have one scope.
 *
 * Needs CAP_NET_ADMIN over the initial user namespace, or a @kill_fd and that the cgroup
 * is below the root of the caller's cgroup namespace.
 *
 * Return: 0, or -1 with errno EPERM, EBADF (not a cgroup2 directory), EBUSY (the scope is
 * bound, or the cgroup has one), EINVAL (not that cgroup's cgroup.kill), ENODEV (the
 * cgroup is gone), ECANCELED (the scope is done), ENOMEM, EFAULT, E2BIG.
 */
struct rein_bind_args {
	__s32 cgroup_fd;
	__s32 kill_fd;
	__u64 kill_delay_ns;
	struct rein_answer answer;
};

/* --- races ---------------------------------------------------------------------- */

/* The longest result. */
#define REIN_RESULT_MAX		4096

/* Who wins a race. */
enum rein_policy {
	/* The first who claims. */
	REIN_POLICY_FIRST = 1,
	/* The last who claims before the race is closed. */
	REIN_POLICY_LAST = 2,
	/* The first who claims and is granted it. */
	REIN_POLICY_ASK = 3,
};

/**
 * struct rein_join_args - take part in a race
 * @flags:	REIN_SCOPE_OWNED or 0
 * @number:	answer: 1, 2, 3...
 * @id:		answer: of the replica's scope
 * @answer:	see there
 *
 * REIN_IOC_JOIN, on a race: makes a child of it, a replica.
 *
 * Return: its descriptor, a scope; or -1 with errno ECANCELED (the race is done or
 * decided), EINVAL (this is no race), and as REIN_IOC_SCOPE.
 */
struct rein_join_args {
	__u32 flags;
	__u32 number;
	__u64 id;
	struct rein_answer answer;
};

/**
 * struct rein_win_args - claim a race
 * @data:	the result
 * @size:	of that, at most REIN_RESULT_MAX
 * @number:	answer: who has won; 0: nobody yet
 * @winner:	answer: id of that replica's scope
 * @answer:	see there
 *
 * REIN_IOC_WIN, on a replica. All others are cancelled, as duplicates, when it is
 * decided. What has won can't be cancelled any more. With REIN_POLICY_ASK it waits until
 * it is decided.
 *
 * Return: 0 (it has won, or with REIN_POLICY_LAST may), or -1 with errno EALREADY (another
 * has won), ECANCELED (the replica, or the race, is done), EACCES (it was not granted), EINTR
 * (a signal: ask again), EINVAL (this is no replica), EMSGSIZE (@size), ENOMEM, EFAULT, E2BIG.
 */
struct rein_win_args {
	__u64 data;
	__u32 size;
	__u32 number;
	__u64 winner;
	struct rein_answer answer;
};

enum rein_grant_flags {
	REIN_GRANT_YES = 1 << 0,
	REIN_GRANT_NO = 1 << 1,
};

/**
 * struct rein_grant_args - look at who asks whether it may win, and answer
 * @flags:	of enum rein_grant_flags, one of them; 0: only look
 * @number:	the replica; 0: who has asked first. Answer: which one it was
 * @data:	where its result goes, 0: nowhere
 * @size:	of that room; answer: of the result
 * @ask:	which claim it is, as it was answered before: if another has come
 *		instead, EAGAIN; 0: whichever. Answer: which one it was
 * @answer:	see there
 *
 * REIN_IOC_GRANT, on a race with REIN_POLICY_ASK, which has EPOLLPRI while there is
 * anybody who asks.
 *
 * Return: 0, or -1 with errno EAGAIN (nobody asks, or not that one), EALREADY (it is
 * decided), ECANCELED (the race is done), EINVAL, EPERM (an observer), EFAULT (there is no
 * room at @data; it is decided nevertheless), E2BIG.
 */
struct rein_grant_args {
	__u32 flags;
	__u32 number;
	__u64 data;
	__u32 size;
	__u32 ask;
	struct rein_answer answer;
};

enum rein_result_flags {
	/* Nobody may claim any more: with REIN_POLICY_LAST this decides. */
	REIN_RESULT_CLOSE = 1 << 0,
};

/**
 * struct rein_result_args - what a race came to
 * @flags:	of enum rein_result_flags
 * @size:	of the room for the result; answer: of the result
 * @data:	where the result goes, 0: nowhere
 * @winner:	answer: id of the replica's scope that has won
 * @number:	answer: which replica that is, 0: nobody yet
 * @joined:	answer: how many replicas there were
 * @claims:	answer: how many claimed, with success or not
 * @late:	answer: how many did so when it was decided
 * @died:	answer: how many were given up without a claim, while they could have
 *		made one
 * @cancels:	answer: how often somebody wanted to cancel who had won
 * @answer:	see there
 *
 * REIN_IOC_RESULT, on a race, whose descriptor is readable (EPOLLIN, and EPOLLHUP only
 * if it is done) once it is decided.
 *
 * Return: 0, or -1 with errno EAGAIN (not decided), ECANCELED (it is done, and nobody has
 * won), EINVAL (this is no race), EPERM (an observer, and REIN_RESULT_CLOSE), EFAULT, E2BIG.
 */
struct rein_result_args {
	__u32 flags;
	__u32 size;
	__u64 data;
	__u64 winner;
	__u32 number;
	__u32 joined;
	__u32 claims;
	__u32 late;
	__u32 died;
	__u32 cancels;
	struct rein_answer answer;
};

/* --- watches -------------------------------------------------------------------- */

#define REIN_WATCH_NAME_LEN	64
#define REIN_UNIT_LEN		32
#define REIN_STEPS_MAX		8
#define REIN_CHECKPOINTS	16

/* How short and how long a time of the rules may be, in ns. */
#define REIN_RULE_MIN_NS	1000000ULL
#define REIN_RULE_MAX_NS	315360000000000000ULL
#define REIN_MISS_MAX		1000

/* What a watch is kept over. */
enum rein_subject_kind {
	REIN_SUBJECT_PROCESS = 1,
	REIN_SUBJECT_CGROUP = 2,
	REIN_SUBJECT_SOCKET = 3,
};

enum rein_watch_flags {
	/* It goes with its last descriptor but observers and those that only beat. */
	REIN_WATCH_OWNED = 1 << 0,
	/* It is armed at once. */
	REIN_WATCH_ARM = 1 << 1,
	/* A beat counts only with the token that the one before was answered; at first 0. */
	REIN_WATCH_TOKEN = 1 << 2,
	/* It has a slot in a page, whose counter beats. */
	REIN_WATCH_SLOT = 1 << 3,
	/* The same, but its time beats: with a @min of 1, and without @max. */
	REIN_WATCH_STAMP = 1 << 4,
	/*
	 * Each packet that the cgroup, with all below it, or the socket sends is a beat, whatever
	 * limits on egress make of it; but not while it is frozen. TCP sends some for a program
	 * that hangs, too. Needs a cycle; there is no token, and no slot.
	 */
	REIN_WATCH_EGRESS = 1 << 5,
	/* Each packet of TCP or UDP that arrives for it likewise; both: either. */
	REIN_WATCH_INGRESS = 1 << 6,
};

/**
 * struct rein_watch_rules - what a watch expects
 * @every_ns:	a cycle; 0: none
 * @grace_ns:	the first one after it was armed; 0: as long as any
 * @pretimeout_ns: how long before it expires for want of a beat, or of the end of a unit,
 *		there is a record of what the subject does; less than any of @every_ns,
 *		@grace_ns and @unit_max_ns that is not 0; 0: there is none. 0 without
 *		@every_ns and @unit_max_ns
 * @unit_min_ns: a unit of work must not end sooner; 0: it may
 * @unit_max_ns: it has to end sooner than this, which is more than @unit_min_ns; 0: it need not
 * @miss:	how many faults in a row it puts up with, at most REIN_MISS_MAX
 * @min:	beats in a cycle, at least; 0 without @every_ns
 * @max:	likewise, at most; 0: any number
 * @first:	which checkpoints may be the first, a bit each; 0: it doesn't look at their
 *		order
 * @next:	of each which ones may follow it, a bit each
 *
 * A cycle begins where the one before ends; with a @min of 1 and without @max also with each
 * beat, which is a good end of that one. A cycle with too few or too many beats is a fault,
 * and so are a unit that ends too soon or lasts too long, and a checkpoint that is not its
 * turn. What is as it should be, a cycle, or if there are none a unit or checkpoint, ends a
 * row of faults. One more than @miss in a row, and the watch has expired: that is so until it
 * is armed anew.
 *
 * What comes when a time is up comes too late: a beat is one of the next cycle, and a unit has
 * lasted too long. @min holds for the first cycle, too, however long it is, @max only if it is
 * no longer than the others. A unit that
 * lasts too long is a fault at once, and no second one when it ends, unless its own deadline
 * was so short that it ends too soon as well.
 *
 * Times don't count while the subject is frozen, by cgroup.freeze, or the machine sleeps.
 */
struct rein_watch_rules {
	__u64 every_ns;
	__u64 grace_ns;
	__u64 pretimeout_ns;
	__u64 unit_min_ns;
	__u64 unit_max_ns;
	__u32 miss;
	__u32 min;
	__u32 max;
	__u32 first;
	__u16 next[REIN_CHECKPOINTS];
};

/* What is done, one after the other, when it has expired. */
enum rein_step_kind {
	/* Nothing but a record of it, as of every step. */
	REIN_STEP_RECORD = 1,
	/* A signal is sent to the process, or to all of the cgroup. */
	REIN_STEP_SIGNAL = 2,
	/* The scope that was passed is cancelled. */
	REIN_STEP_CANCEL = 3,
	/* The process, or all of the cgroup, is killed. */
	REIN_STEP_KILL = 4,
	/* The connection of the socket is aborted: ETIMEDOUT. */
	REIN_STEP_RESET = 5,
	/* Those who listen to watches are to do something, e.g. to restart it. */
	REIN_STEP_EXEC = 6,
};

/**
 * struct rein_watch_step - a step
 * @kind:	of enum rein_step_kind
 * @signal:	of REIN_STEP_SIGNAL: which one; else 0
 * @delay_ns:	after the step before, or after it has expired
 *
 * Steps that are still to come when a beat arrives are left out.
 */
struct rein_watch_step {
	__u32 kind;
	__u32 signal;
	__u64 delay_ns;
};

/* What one can wait for, and is counted; also the index of the count. */
enum rein_watch_count {
	REIN_COUNT_BEAT = 0,
	REIN_COUNT_BEGIN = 1,
	REIN_COUNT_END = 2,
	/* A fault. */
	REIN_COUNT_MISS = 3,
	REIN_COUNT_EXPIRE = 4,
	/* A step was done. */
	REIN_COUNT_STEP = 5,
	/* A beat after it has expired. */
	REIN_COUNT_RESUME = 6,
	/* The watch is over: deleted, or the subject has gone. */
	REIN_COUNT_GONE = 7,
};

#define REIN_WATCH_COUNTS	8

/**
 * struct rein_watch_args - keep a watch
 * @flags:	of enum rein_watch_flags
 * @subject:	what over, of enum rein_subject_kind
 * @fd:		the cgroup's directory, or the socket; of a process REIN_NO_FD
 * @pid:	of a process; 0: the caller. Else 0
 * @start:	when it was started, in ticks as in /proc/PID/stat; 0: whenever
 * @kill_fd:	the cgroup.kill of the cgroup, open for writing, for the step kill; or
 *		REIN_NO_FD
 * @scope_fd:	a scope, for the step cancel; or REIN_NO_FD
 * @name:	for its readers: as that of a scope; or empty
 * @rules:	see there
 * @steps:	pointer to @n_steps struct rein_watch_step
 * @n_steps:	0 to REIN_STEPS_MAX
 * @wants:	what the descriptor is readable for: 1 << one or more of enum
 *		rein_watch_count; 0: all of them
 * @id:		answer: of the watch; never given twice
 * @slot:	answer: with a slot, where in its page that is, in bytes
 * @reserved:	answer: 0
 * @answer:	see there
 *
 * REIN_IOC_WATCH, on /dev/rein, returns a new descriptor, close-on-exec, of its owner.
 *
 * read() gives a struct rein_watch_state, or as much of it as there is room for, and waits
 * for anything of @wants that was not read of on this descriptor yet (or EAGAIN): what was
 * before it was opened was not. poll(): EPOLLIN when there is; and EPOLLHUP when it is over.
 *
 * write() is a beat, whatever is written; with REIN_WATCH_TOKEN it has to be the token, 8
 * bytes.
 *
 * mmap() of one page, MAP_SHARED, with a slot: @slot bytes into it is a struct
 * rein_watch_slot. All that one process has made on one opening of the device share pages. Only
 * the process that made it may.
 *
 * Whoever may send signals to a process may keep a watch over it, but over the init of a
 * container only from outside, if the steps have a signal or kill. Over a cgroup needs
 * CAP_NET_ADMIN over the initial user namespace, or a @kill_fd and that the cgroup is below
 * the root of the caller's cgroup namespace. Over a socket whoever has it. Signals are sent
 * as far as its maker may send them by then.
 *
 * Return: the descriptor, or -1 with errno EINVAL, EBADF (@fd or @scope_fd are not what they
 * have to be), ESRCH (there is no such process), EPERM, EDQUOT (the user has too many, or
 * that look too often), ENODEV (the cgroup is gone), EMFILE, ENOMEM, EFAULT, E2BIG.
 */
struct rein_watch_args {
	__u32 flags;
	__u32 subject;
	__s32 fd;
	__u32 pid;
	__u64 start;
	__s32 kill_fd;
	__s32 scope_fd;
	char name[REIN_WATCH_NAME_LEN];
	struct rein_watch_rules rules;
	__u64 steps;
	__u32 n_steps;
	__u32 wants;
	__u64 id;
	__u32 slot;
	__u32 reserved;
	struct rein_answer answer;
};

/**
 * struct rein_watch_slot - what a program beats in, without a call
 * @beats:	a counter: every change is a beat, or as many as it has grown by
 * @stamp_ns:	with REIN_WATCH_STAMP instead: the time of the last beat, CLOCK_MONOTONIC;
 *		what is later than now is taken as now
 *
 * The counter is looked at every twentieth of the shortest time of the rules, but not more
 * often than every ms: a beat counts from then.
 */
struct rein_watch_slot {
	__u64 beats;
	__u64 stamp_ns;
};

enum rein_watch_status {
	REIN_WATCH_OFF = 1,
	REIN_WATCH_RUNNING = 2,
	REIN_WATCH_EXPIRED = 3,
	/* It is over. */
	REIN_WATCH_GONE = 4,
};

/* What was not as it should be. */
enum rein_fault {
	REIN_FAULT_NONE = 0,
	/* Too few beats in a cycle. */
	REIN_FAULT_SILENT = 1,
	/* Too many. */
	REIN_FAULT_MANY = 2,
	/* A unit lasts too long. */
	REIN_FAULT_LATE = 3,
	/* A unit was over too soon. */
	REIN_FAULT_EARLY = 4,
	/* A checkpoint out of order. */
	REIN_FAULT_ORDER = 5,
	/* Of a test: there was none. */
	REIN_FAULT_TEST = 6,
};

/**
 * struct rein_watch_state - what read() of a watch gives
 * @id:		the watch
 * @count:	how often there was each of enum rein_watch_count, since it was made
 * @last_ns:	of the last beat, CLOCK_MONOTONIC; 0: there was none
 * @token:	that the next beat has to carry; 0 until there was one
 * @record:	id of the record of the last fault, or of its end; 0: none
 * @status:	of enum rein_watch_status
 * @fault:	the last one, of enum rein_fault
 * @misses:	how many there were in a row
 * @reserved:	0
 * @unit_ns:	when the unit that is under way was begun, CLOCK_MONOTONIC; 0: none is
 * @unit:	its id
 */
struct rein_watch_state {
	__u64 id;
	__u64 count[REIN_WATCH_COUNTS];
	__u64 last_ns;
	__u64 token;
	__u64 record;
	__u32 status;
	__u32 fault;
	__u32 misses;
	__u32 reserved;
	__u64 unit_ns;
	char unit[REIN_UNIT_LEN];
};

enum rein_look_flags {
	/* Only to wait for it. */
	REIN_LOOK_OBSERVE = 1 << 0,
	/* Only to wait for it, and to beat. */
	REIN_LOOK_BEAT = 1 << 1,
};

/**
 * struct rein_look_args - get a descriptor of a watch that is there
 * @flags:	of enum rein_look_flags, at most one; 0: of an owner
 * @wants:	see struct rein_watch_args
 * @id:		the watch; 0: by @name
 * @name:	likewise
 * @answer:	see there
 *
 * REIN_IOC_LOOK, on /dev/rein. Who may observe is as with REIN_IOC_OPEN. All else can lead to
 * steps, which are done as who made the watch: that takes the same user with all capabilities
 * that he had, or CAP_NET_ADMIN. Whoever is the process, or in the cgroup, that it is kept over
 * may observe and beat.
 *
 * Return: a descriptor, or -1 with errno ENOENT, EACCES, EPERM, ENOTUNIQ (several have that name),
 * EINVAL, EMFILE, ENOMEM, EFAULT, E2BIG.
 */
struct rein_look_args {
	__u32 flags;
	__u32 wants;
	__u64 id;
	char name[REIN_WATCH_NAME_LEN];
	struct rein_answer answer;
};

enum rein_beat_kind {
	REIN_BEAT = 0,
	/* At the beginning of a unit of work; what was under way before is ended. */
	REIN_BEAT_BEGIN = 1,
	/* At its end: no beat of a cycle. */
	REIN_BEAT_END = 2,
	/* At a checkpoint. */
	REIN_BEAT_CHECKPOINT = 3,
};

/**
 * struct rein_beat_args - beat
 * @kind:	of enum rein_beat_kind
 * @checkpoint:	of REIN_BEAT_CHECKPOINT: which one, less than REIN_CHECKPOINTS; else 0
 * @token:	with REIN_WATCH_TOKEN; else 0
 * @deadline_ns: of REIN_BEAT_BEGIN: the unit has to end sooner than this, if that is less than
 *		@unit_max_ns of the rules; 0: that alone counts. Else 0
 * @unit:	of REIN_BEAT_BEGIN and REIN_BEAT_END: the unit's id, printable ASCII, not
 *		empty; else empty
 * @next:	answer: the token for the next beat
 * @answer:	see there
 *
 * REIN_IOC_BEAT, on a watch. It never waits.
 *
 * Return: 0, or -1 with errno EPERM (an observer), EKEYREJECTED (the token), ENOENT (this unit
 * is not under way), EIDRM (the watch is over), EINVAL, EFAULT, E2BIG.
 */
struct rein_beat_args {
	__u32 kind;
	__u32 checkpoint;
	__u64 token;
	__u64 deadline_ns;
	char unit[REIN_UNIT_LEN];
	__u64 next;
	struct rein_answer answer;
};

enum rein_arm_flags {
	/* Not armed any more: all is forgotten. */
	REIN_ARM_OFF = 1 << 0,
	/* With this @every_ns from now on. */
	REIN_ARM_EVERY = 1 << 1,
	/* With this @grace_ns, this once. */
	REIN_ARM_GRACE = 1 << 2,
};

/**
 * struct rein_arm_args - arm a watch, anew if it was, or disarm it
 * @flags:	of enum rein_arm_flags
 * @reserved:	0
 * @every_ns:	see the flags; else 0
 * @grace_ns:	likewise
 * @answer:	see there
 *
 * REIN_IOC_ARM, on a watch. It begins as if nothing had been before; no more steps are
 * begun, but one that is under way is done.
 *
 * Return: 0, or -1 with errno EPERM (not of an owner), EIDRM (the watch is over), EDQUOT, EINVAL,
 * EFAULT, E2BIG.
 */
struct rein_arm_args {
	__u32 flags;
	__u32 reserved;
	__u64 every_ns;
	__u64 grace_ns;
	struct rein_answer answer;
};

enum rein_test_flags {
	/* Do what the steps say; else only tell of it. */
	REIN_TEST_REAL = 1 << 0,
};

/**
 * struct rein_test_args - have a watch expire, to see what happens then
 * @flags:	of enum rein_test_flags
 * @reserved:	0
 * @answer:	see there; also of a success the id of its record
 *
 * REIN_IOC_TEST, on a watch that is armed. Without REIN_TEST_REAL all steps are told of at once,
 * in records, and the watch goes on as if nothing had been.
 *
 * Return: 0, or -1 with errno EPERM (not of an owner), EIDRM (the watch is over), EINVAL (it is
 * not armed, or has expired), EFAULT, E2BIG.
 */
struct rein_test_args {
	__u32 flags;
	__u32 reserved;
	struct rein_answer answer;
};

/**
 * struct rein_unwatch_args - end a watch
 * @answer:	see there
 *
 * REIN_IOC_UNWATCH, on a watch. Nobody finds it any more, and those who wait learn that it is
 * over.
 *
 * Return: 0, or -1 with errno EPERM (not of an owner), EIDRM (it is over already), EFAULT, E2BIG.
 */
struct rein_unwatch_args {
	struct rein_answer answer;
};

/* Of the first versions of these. */
#define REIN_SCOPE_ARGS_SIZE_0		240
#define REIN_OPEN_ARGS_SIZE_0		224
#define REIN_OBSERVE_ARGS_SIZE_0	144
#define REIN_CANCEL_ARGS_SIZE_0		280
#define REIN_BIND_ARGS_SIZE_0		160
#define REIN_JOIN_ARGS_SIZE_0		160
#define REIN_WIN_ARGS_SIZE_0		168
#define REIN_GRANT_ARGS_SIZE_0		168
#define REIN_RESULT_ARGS_SIZE_0		192
#define REIN_CREDIT_ARGS_SIZE_0		224
#define REIN_WATCH_ARGS_SIZE_0		360
#define REIN_LOOK_ARGS_SIZE_0		224
#define REIN_BEAT_ARGS_SIZE_0		208
#define REIN_ARM_ARGS_SIZE_0		168
#define REIN_TEST_ARGS_SIZE_0		152
#define REIN_UNWATCH_ARGS_SIZE_0	144

#define REIN_IOC_MAGIC		0xEB
#define REIN_IOC_TAKE		_IOWR(REIN_IOC_MAGIC, 1, struct rein_take_args)
#define REIN_IOC_RESERVE	_IOWR(REIN_IOC_MAGIC, 2, struct rein_take_args)
#define REIN_IOC_CLAIM		_IOWR(REIN_IOC_MAGIC, 3, struct rein_take_args)
#define REIN_IOC_SCOPE		_IOWR(REIN_IOC_MAGIC, 4, struct rein_scope_args)
#define REIN_IOC_OPEN		_IOWR(REIN_IOC_MAGIC, 5, struct rein_open_args)
#define REIN_IOC_OBSERVE	_IOWR(REIN_IOC_MAGIC, 6, struct rein_observe_args)
#define REIN_IOC_CANCEL		_IOWR(REIN_IOC_MAGIC, 7, struct rein_cancel_args)
#define REIN_IOC_BIND		_IOWR(REIN_IOC_MAGIC, 8, struct rein_bind_args)
#define REIN_IOC_RACE		_IOWR(REIN_IOC_MAGIC, 9, struct rein_scope_args)
#define REIN_IOC_JOIN		_IOWR(REIN_IOC_MAGIC, 10, struct rein_join_args)
#define REIN_IOC_WIN		_IOWR(REIN_IOC_MAGIC, 11, struct rein_win_args)
#define REIN_IOC_GRANT		_IOWR(REIN_IOC_MAGIC, 12, struct rein_grant_args)
#define REIN_IOC_RESULT		_IOWR(REIN_IOC_MAGIC, 13, struct rein_result_args)
#define REIN_IOC_CREDIT		_IOWR(REIN_IOC_MAGIC, 14, struct rein_credit_args)
#define REIN_IOC_WATCH		_IOWR(REIN_IOC_MAGIC, 15, struct rein_watch_args)
#define REIN_IOC_LOOK		_IOWR(REIN_IOC_MAGIC, 16, struct rein_look_args)
#define REIN_IOC_BEAT		_IOWR(REIN_IOC_MAGIC, 17, struct rein_beat_args)
#define REIN_IOC_ARM		_IOWR(REIN_IOC_MAGIC, 18, struct rein_arm_args)
#define REIN_IOC_TEST		_IOWR(REIN_IOC_MAGIC, 19, struct rein_test_args)
#define REIN_IOC_UNWATCH	_IOWR(REIN_IOC_MAGIC, 20, struct rein_unwatch_args)

#endif /* _UAPI_LINUX_REIN_DEV_H */
