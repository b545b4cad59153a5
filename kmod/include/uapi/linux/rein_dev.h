/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * /dev/rein: what the governed code itself asks of rein. Configuration and
 * records are on generic netlink: see rein.h.
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
 * @flags:	of enum rein_take_flags; the three exclude each other
 * @n_wants:	1 to REIN_TAKE_NAMES_MAX
 * @wants:	pointer to @n_wants struct rein_take_want, no name twice
 * @deadline_ns: see the flags; 0 without one
 * @granted_ns:	when the tokens were there, if they were taken
 * @waited_ns:	how long it took from the call until then, or until it ended
 * @retry_after_ns: if they were not: how long from now until they would have
 *		been there; REIN_DEV_NEVER: not at the present rates
 * @wanted:	of the limit that said no: the tokens wanted
 * @available:	likewise: the tokens it had
 * @record:	id of the record that tells the whole story, 0: none
 * @limit_id:	the limit that said no, 0: none in particular
 * @code:	why not: the number in REIN-Ennnn, 0 if taken
 * @want:	which of @wants is at fault, if @code is not 0
 * @message:	why not, one line
 * @claim_ns:	of REIN_IOC_RESERVE: how long what is granted is kept for who
 *		claims it, REIN_CLAIM_MIN_NS to REIN_CLAIM_MAX_NS; 0:
 *		REIN_CLAIM_DEFAULT_NS. Of the others: 0
 *
 * From @granted_ns to @message the kernel answers, whatever the call returns.
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
 * ECANCELED (the limits were flushed by force), EINVAL, EFAULT, ENOMEM.
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
};

/* Of the first version of struct rein_take_args. */
#define REIN_TAKE_ARGS_SIZE_0	216

#define REIN_IOC_MAGIC		0xEB
#define REIN_IOC_TAKE		_IOWR(REIN_IOC_MAGIC, 1, struct rein_take_args)
#define REIN_IOC_RESERVE	_IOWR(REIN_IOC_MAGIC, 2, struct rein_take_args)
#define REIN_IOC_CLAIM		_IOWR(REIN_IOC_MAGIC, 3, struct rein_take_args)

#endif /* _UAPI_LINUX_REIN_DEV_H */
