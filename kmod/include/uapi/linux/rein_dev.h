/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * /dev/rein: what the governed code itself asks of rein: takes, reservations,
 * scopes and races. Configuration, records and lists are on generic netlink:
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

#endif /* _UAPI_LINUX_REIN_DEV_H */
