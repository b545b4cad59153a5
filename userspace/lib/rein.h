/* SPDX-License-Identifier: GPL-2.0 */
/*
 * librein: talk to the rein kernel module, over generic netlink to configure
 * it, through /dev/rein to take tokens.
 *
 * Promise: one call is one request. It returns 0, or a negative errno with
 * everything the kernel said about it in rein_last_error(). Nothing is
 * printed, nothing is kept between calls but the socket. What a callback is
 * given is valid until it returns; it must not use the connection itself.
 *
 * Units: times in nanoseconds, rates as tokens per period, sizes in tokens of
 * their tier (bytes, packets or calls).
 *
 * Context: a struct rein belongs to one thread at a time. What takes tokens
 * needs none, and any number of threads may share its descriptor.
 */
#ifndef REIN_H
#define REIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/rein.h>
#include <linux/rein_dev.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rein;

/* As a patience: as long as it takes. */
#define REIN_FOREVER_NS		UINT64_MAX

/**
 * struct rein_error - why the last call failed
 * @err:	errno, positive
 * @refused:	the kernel said no; otherwise the request never got that far
 * @message:	what happened, one line, never empty
 * @bare:	the kernel gave no message, @message only names @err
 * @attr:	the attribute at fault (REIN_A_LIMIT_*, ...), 0 if unknown
 * @index:	which of several such attributes, from 0
 * @nested:	the attribute at fault inside of @attr (REIN_A_TIER_*), or 0
 * @missing:	@attr was not sent but should have been
 * @record:	id of the record that tells the whole story, 0 if there is none
 */
struct rein_error {
	int err;
	bool refused;
	char message[256];
	bool bare;
	unsigned int attr;
	unsigned int index;
	unsigned int nested;
	bool missing;
	uint64_t record;
};

/**
 * rein_open() - connect to the module
 * @out:	where to put the connection; NULL on failure
 *
 * Return: 0; -ENODEV if the module is not loaded; another negative errno if
 * there is no socket to be had.
 */
int rein_open(struct rein **out);

/**
 * rein_close() - give a connection back
 * @rein:	may be NULL
 */
void rein_close(struct rein *rein);

/**
 * rein_pin() - speak to the module that is there now, and to no other
 * @rein:	the connection
 *
 * When it is unloaded every request fails with -ENODEV from then on. Otherwise the
 * connection goes on with the module that comes after it; and to ask for it brings that
 * one: the kernel loads what is asked for.
 */
void rein_pin(struct rein *rein);

/**
 * rein_last_error() - why the last call on this connection failed
 * @rein:	the connection
 *
 * Return: valid until the next call on @rein.
 */
const struct rein_error *rein_last_error(const struct rein *rein);

/**
 * rein_interrupted() - was the last dump disturbed?
 * @rein:	the connection
 *
 * A dump that the kernel could not give consistently is asked for again, a
 * few times.
 *
 * Return: true if what the last dump handed out may still miss something.
 */
bool rein_interrupted(const struct rein *rein);

/**
 * struct rein_tier - one token bucket of a limit
 * @unit:	enum rein_unit
 * @unlimited:	never runs dry; @rate_tokens and @rate_period_ns are ignored
 * @rate_tokens: tokens per period; 0 closes the limit
 * @rate_period_ns: the period
 * @burst:	depth, in tokens
 * @tokens:	tokens there now (replies only)
 * @debt:	tokens owed (replies only)
 */
struct rein_tier {
	uint32_t unit;
	bool unlimited;
	uint64_t rate_tokens;
	uint64_t rate_period_ns;
	uint64_t burst;
	uint64_t tokens;
	uint64_t debt;
};

/**
 * struct rein_count - requests and what they cost
 * @packets:	or, of limits on calls and connections, takes
 * @bytes:	or, likewise, tokens
 */
struct rein_count {
	uint64_t packets;
	uint64_t bytes;
};

/**
 * struct rein_stats - what became of the requests a limit had a say in
 * @count:	indexed by REIN_A_STATS_*
 */
struct rein_stats {
	struct rein_count count[REIN_A_STATS_MAX + 1];
};

/**
 * struct rein_limit_request - what to ask for
 * @name:	of the limit, or NULL
 * @cgroup_fd:	an open cgroup2 directory, or -1
 * @has_resource: @resource is meant
 * @resource:	enum rein_resource
 * @has_over:	@over is meant
 * @over:	enum rein_over
 * @tiers:	replace all tiers if @n_tiers isn't 0
 * @n_tiers:	how many
 * @has_patience: @patience_ns is meant
 * @patience_ns: longest wait
 * @has_queue:	@queue is meant
 * @queue:	what may wait at the same time: bytes of packets, or takers
 * @has_for:	@for_ns is meant
 * @for_ns:	the limit removes itself after this long; 0: it stays
 * @chain:	dumps only: the limits of the cgroup and of all its ancestors
 *
 * What is not meant is left to the kernel: its default for a new limit, the
 * present state for an old one, no filter for a dump.
 */
struct rein_limit_request {
	const char *name;
	int cgroup_fd;
	bool has_resource;
	uint32_t resource;
	bool has_over;
	uint32_t over;
	const struct rein_tier *tiers;
	size_t n_tiers;
	bool has_patience;
	uint64_t patience_ns;
	bool has_queue;
	uint64_t queue;
	bool has_for;
	uint64_t for_ns;
	bool chain;
};

/**
 * struct rein_limit - a limit as the kernel has it
 * @id:		unique while the module is loaded
 * @name:	unique within its cgroup
 * @resource:	enum rein_resource
 * @over:	enum rein_over
 * @cgroup_id:	of the cgroup it is attached to
 * @cgroup:	path of that cgroup, below the root of the reader's namespace
 * @level:	depth of that cgroup, the root is 0
 * @tiers:	its buckets
 * @n_tiers:	how many
 * @patience_ns: longest wait; 0 or REIN_FOREVER_NS: none is set
 * @queue:	what may wait at the same time: bytes of packets, or takers
 * @expires:	it removes itself in @for_ns
 * @for_ns:	what is left of it
 * @has_stats:	@stats is there
 * @stats:	what became of its requests
 * @event:	enum rein_event (notifications only)
 */
struct rein_limit {
	uint64_t id;
	const char *name;
	uint32_t resource;
	uint32_t over;
	uint64_t cgroup_id;
	const char *cgroup;
	uint32_t level;
	const struct rein_tier *tiers;
	size_t n_tiers;
	uint64_t patience_ns;
	uint64_t queue;
	bool expires;
	uint64_t for_ns;
	bool has_stats;
	struct rein_stats stats;
	uint32_t event;
};

typedef void (*rein_limit_fn)(const struct rein_limit *limit, void *arg);

/**
 * rein_limit_change() - add, set, replace or delete a limit
 * @rein:	the connection
 * @command:	REIN_CMD_LIMIT_ADD, _SET, _REPLACE or _DEL
 * @request:	what is wanted
 *
 * Return: 0 when it is in force; a negative errno and nothing has changed.
 */
int rein_limit_change(struct rein *rein, unsigned int command,
		      const struct rein_limit_request *request);

/**
 * rein_limit_get() - read one limit
 * @rein:	the connection
 * @request:	its name and, unless that is the only one, its cgroup
 * @fn:		called once if there is one
 * @arg:	handed to @fn
 *
 * Return: 0 or a negative errno.
 */
int rein_limit_get(struct rein *rein, const struct rein_limit_request *request,
		   rein_limit_fn fn, void *arg);

/**
 * rein_limit_dump() - read every limit that fits
 * @rein:	the connection
 * @request:	what has to fit
 * @fn:		called for each
 * @arg:	handed to @fn
 *
 * Return: 0 or a negative errno; @fn is then not called at all.
 */
int rein_limit_dump(struct rein *rein, const struct rein_limit_request *request,
		    rein_limit_fn fn, void *arg);

/**
 * struct rein_socket - the socket a record is about
 * @family:	AF_INET or AF_INET6
 * @protocol:	IPPROTO_*
 * @source:	address in network order, or NULL
 * @source_len:	its length, 4 or 16
 * @source_port: in host order
 * @destination: as @source
 * @destination_len: its length
 * @destination_port: in host order
 * @cookie:	the socket's cookie, 0 if it has none
 */
struct rein_socket {
	uint32_t family;
	uint32_t protocol;
	const void *source;
	size_t source_len;
	uint32_t source_port;
	const void *destination;
	size_t destination_len;
	uint32_t destination_port;
	uint64_t cookie;
};

struct rein_value {
	const char *name;
	const char *unit;
	uint64_t number;
};

/**
 * struct rein_step - what was being done when it happened
 * @what:	goes on after "while"
 * @name:	of what, or NULL
 * @function:	where in the module, or NULL
 * @file:	where in the module, or NULL
 * @line:	where in the module
 */
struct rein_step {
	const char *what;
	const char *name;
	const char *function;
	const char *file;
	uint32_t line;
};

#define REIN_RECORD_STACK_MAX	64
#define REIN_RECORD_STEPS_MAX	8
#define REIN_RECORD_VALUES_MAX	16

/**
 * struct rein_record - an account of something that happened
 * @id:		unique within one boot
 * @boot_id:	which boot
 * @time_ns:	CLOCK_REALTIME of the first such event
 * @boottime_ns: CLOCK_BOOTTIME of it
 * @last_ns:	CLOCK_REALTIME of the last such event
 * @count:	events folded into this record
 * @host:	host name
 * @kind:	enum rein_kind
 * @code:	the number in REIN-Ennnn
 * @severity:	enum rein_severity
 * @err:	the errno the caller saw, 0 if none
 * @message:	what happened
 * @hint:	what to do next
 * @limit_id:	the limit it is about, 0 if none
 * @limit:	its name, or NULL
 * @cgroup_id:	the cgroup it is about, 0 if none
 * @cgroup:	its path, or NULL
 * @has_socket:	@socket is there
 * @socket:	the socket it is about
 * @pid:	the task that asked, 0 if it was none
 * @comm:	its name, or NULL
 * @function:	where in the module, or NULL
 * @file:	where in the module, or NULL
 * @line:	where in the module
 * @stack:	kernel stack, innermost first
 * @n_stack:	how many frames
 * @steps:	what was being done, innermost first
 * @n_steps:	how many
 * @cause:	id of the record of what led to it, 0 if none
 * @values:	typed values
 * @n_values:	how many
 * @version:	of the module, or NULL
 */
struct rein_record {
	uint64_t id;
	const char *boot_id;
	uint64_t time_ns;
	uint64_t boottime_ns;
	uint64_t last_ns;
	uint64_t count;
	const char *host;
	uint32_t kind;
	uint32_t code;
	uint32_t severity;
	uint32_t err;
	const char *message;
	const char *hint;
	uint64_t limit_id;
	const char *limit;
	uint64_t cgroup_id;
	const char *cgroup;
	bool has_socket;
	struct rein_socket socket;
	uint32_t pid;
	const char *comm;
	const char *function;
	const char *file;
	uint32_t line;
	const char *stack[REIN_RECORD_STACK_MAX];
	size_t n_stack;
	struct rein_step steps[REIN_RECORD_STEPS_MAX];
	size_t n_steps;
	uint64_t cause;
	struct rein_value values[REIN_RECORD_VALUES_MAX];
	size_t n_values;
	const char *version;
};

typedef void (*rein_record_fn)(const struct rein_record *record, void *arg);

/**
 * rein_record_get() - read one record
 * @rein:	the connection
 * @id:		its id
 * @fn:		called once if it is held
 * @arg:	handed to @fn
 *
 * Return: 0 or a negative errno.
 */
int rein_record_get(struct rein *rein, uint64_t id, rein_record_fn fn, void *arg);

/**
 * struct rein_record_filter - which records are wanted; 0 is any
 * @from:	no older ones than that of this id
 * @has_kind:	those of @kind only
 * @kind:	enum rein_kind
 * @code:	the number in REIN-Ennnn
 * @severity:	none that are less severe; enum rein_severity
 * @since_ns:	none that were last seen before; CLOCK_REALTIME
 * @limit:	those about limits of that name, or NULL
 */
struct rein_record_filter {
	uint64_t from;
	bool has_kind;
	uint32_t kind;
	uint32_t code;
	uint32_t severity;
	uint64_t since_ns;
	const char *limit;
};

/**
 * rein_record_dump() - read records that are held, oldest first
 * @rein:	the connection
 * @filter:	which, NULL: all
 * @fn:		called for each
 * @arg:	handed to @fn
 *
 * Return: 0 or a negative errno; @fn is then not called at all.
 */
int rein_record_dump(struct rein *rein, const struct rein_record_filter *filter,
		     rein_record_fn fn, void *arg);

/**
 * rein_record_clear() - forget all records
 * @rein:	the connection
 *
 * Return: 0 or a negative errno.
 */
int rein_record_clear(struct rein *rein);

/**
 * struct rein_stat - the module's own counters
 * @version:	of the module
 * @abi:	of the netlink interface
 * @boot_id:	which boot
 * @limits:	how many there are
 * @cgroups:	that have a limit, or packets left from one
 * @namespaces:	network namespaces that are watched over
 * @hooked:	hooks are registered
 * @events:	notifications are sent to the caller's network namespace
 * @total:	requests that had at least one limit, each counted once
 * @records_raised: stored + folded + overwritten + suppressed
 * @records_stored: held now
 * @records_folded: counted in a record that was held already
 * @records_overwritten: made way for newer ones, or were cleared away
 * @records_suppressed: could not be stored
 * @records_newest: id of the newest record, 0 if there was none
 * @records_oldest: of the records from this id on none has made way
 */
struct rein_stat {
	const char *version;
	uint32_t abi;
	const char *boot_id;
	uint64_t limits;
	uint64_t cgroups;
	uint64_t namespaces;
	bool hooked;
	bool events;
	struct rein_stats total;
	uint64_t records_raised;
	uint64_t records_stored;
	uint64_t records_folded;
	uint64_t records_overwritten;
	uint64_t records_suppressed;
	uint64_t records_newest;
	uint64_t records_oldest;
};

typedef void (*rein_stat_fn)(const struct rein_stat *stat, void *arg);

/**
 * rein_stat_get() - read the module's own counters
 * @rein:	the connection
 * @fn:		called once
 * @arg:	handed to @fn
 *
 * Return: 0 or a negative errno.
 */
int rein_stat_get(struct rein *rein, rein_stat_fn fn, void *arg);

/**
 * rein_flush() - remove every limit
 * @rein:	the connection
 * @force:	drop what waits, too, instead of letting it go
 *
 * Return: 0 or a negative errno.
 */
int rein_flush(struct rein *rein, bool force);

/**
 * rein_subscribe() - be told of what happens
 * @rein:	the connection; use one of its own for this
 * @group:	REIN_MCGRP_LIMITS or REIN_MCGRP_ERRORS
 *
 * Return: 0 or a negative errno.
 */
int rein_subscribe(struct rein *rein, const char *group);

/**
 * rein_fd() - what to poll for POLLIN before rein_receive()
 * @rein:	the connection
 *
 * Return: a file descriptor that belongs to @rein.
 */
int rein_fd(const struct rein *rein);

/**
 * rein_receive() - take what has arrived
 * @rein:	a connection that has subscribed
 * @limit:	called for each change of a limit
 * @record:	called for each record
 * @arg:	handed to both
 *
 * Waits until there is something.
 *
 * Return: 0; -ENOBUFS if the kernel was faster than this reader and something
 * was lost, the connection is then still good; -EINTR; or another negative
 * errno.
 */
int rein_receive(struct rein *rein, rein_limit_fn limit, rein_record_fn record, void *arg);

/**
 * rein_dev_open() - open /dev/rein, to take tokens
 *
 * Anybody may who has access to the device. Close it with close(); it is not
 * inherited by what the process executes.
 *
 * Return: a file descriptor; -ENODEV if the module is not loaded; -ENOENT if
 * it is, but there is no such device here, as in a container that was not
 * given it; another negative errno of open().
 */
int rein_dev_open(void);

/**
 * struct rein_take_result - what became of a take
 * @granted_ns:	when the tokens were there, CLOCK_MONOTONIC
 * @waited_ns:	how long it took from the call until then, or until it ended
 * @retry_after_ns: how long from now until the tokens would have been there;
 *		REIN_DEV_NEVER: not at the present rates
 * @wanted:	of the limit that said no: the tokens wanted
 * @available:	likewise: the tokens it had
 * @record:	id of the record that tells the whole story, 0: none
 * @limit_id:	the limit that said no, 0: none in particular
 * @code:	why not: the number in REIN-Ennnn; 0 if taken, or if the kernel
 *		didn't say
 * @want:	which of the wants is at fault, if @code is not 0
 * @message:	why not, one line; empty if taken, or if the kernel didn't say
 */
struct rein_take_result {
	uint64_t granted_ns;
	uint64_t waited_ns;
	uint64_t retry_after_ns;
	uint64_t wanted;
	uint64_t available;
	uint64_t record;
	uint64_t limit_id;
	uint32_t code;
	uint32_t want;
	char message[128];
};

/**
 * rein_take() - take tokens of one or several limits, as these say
 * @fd:		what rein_dev_open() returned
 * @wants:	name and tokens of each, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @result:	what became of it, success or not; may be NULL
 *
 * Each name is looked up from the caller's cgroup upwards, and every limit of
 * that name on the way is charged: all of them or none. Waits if every limit
 * that has no tokens says "over wait"; is refused otherwise.
 *
 * May sleep. Any thread; threads that share @fd don't get into each other's
 * way.
 *
 * Return: 0 when the tokens are taken; a negative errno and none is:
 * -EAGAIN (no tokens, or a longer wait than a limit's patience), -E2BIG (more
 * than a burst: never), -ENOENT (no such limit binds the caller), -ENOBUFS
 * (too many wait already), -EINTR (a signal; take again to go on), -ECANCELED
 * (the limits were flushed by force), -EINVAL, -EFAULT, -ENOMEM;
 * -ENOTTY if the module is too old to know takes.
 */
int rein_take(int fd, const struct rein_take_want *wants, unsigned int n,
	      struct rein_take_result *result);

/**
 * rein_try() - rein_take() that never waits
 * @fd:		what rein_dev_open() returned
 * @wants:	name and tokens of each, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @result:	what became of it, success or not; may be NULL
 *
 * Return: as rein_take(), -EAGAIN instead of a wait.
 */
int rein_try(int fd, const struct rein_take_want *wants, unsigned int n,
	     struct rein_take_result *result);

/**
 * rein_take_timeout() - rein_take() that waits so long, whatever "over" says
 * @fd:		what rein_dev_open() returned
 * @wants:	name and tokens of each, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @timeout_ns:	from now; REIN_FOREVER_NS: as long as it takes
 * @result:	what became of it, success or not; may be NULL
 *
 * Return: as rein_take(); -ETIME at once if the time won't suffice;
 * -ETIMEDOUT if it turned out not to.
 */
int rein_take_timeout(int fd, const struct rein_take_want *wants, unsigned int n,
		      uint64_t timeout_ns, struct rein_take_result *result);

/**
 * rein_take_deadline() - rein_take_timeout() with a point in time
 * @fd:		what rein_dev_open() returned
 * @wants:	name and tokens of each, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @deadline_ns: CLOCK_MONOTONIC of the caller's time namespace;
 *		REIN_FOREVER_NS: as long as it takes
 * @result:	what became of it, success or not; may be NULL
 *
 * The form to repeat after -EINTR: the deadline stays where it is.
 *
 * Return: as rein_take_timeout().
 */
int rein_take_deadline(int fd, const struct rein_take_want *wants, unsigned int n,
		       uint64_t deadline_ns, struct rein_take_result *result);

/**
 * rein_reserve() - take tokens later, without a thread that waits for them
 * @fd:		what rein_dev_open() returned; it may be closed before the
 *		reservation is
 * @wants:	name and tokens of each, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @claim_ns:	how long what is granted is kept for who claims it, from when
 *		the descriptor is readable: REIN_CLAIM_MIN_NS (1 ms) to
 *		REIN_CLAIM_MAX_NS (60 s); 0: REIN_CLAIM_DEFAULT_NS (1 s)
 * @result:	success: @retry_after_ns says how long it will be, as planned
 *		now; else why it is refused. May be NULL
 *
 * Asks as rein_take() does, but never waits: the descriptor that it returns has
 * the place in the line, and is readable (poll(), epoll) as soon as it is decided
 * what becomes of it. Then rein_claim() takes the tokens, or says why there are
 * none. It is the cgroup of the caller that pays, whoever claims: the descriptor
 * can be handed to another process, and isn't inherited by what this one executes.
 *
 * Never sleeps for long. Any thread. What is refused at once has no descriptor.
 *
 * Return: a descriptor, for rein_claim() and rein_cancel(); a negative errno as
 * rein_take(), but for -EINTR; -EMFILE if there are REIN_RESERVATIONS_MAX of this
 * @fd, or as many files as the process may have; -ENOTTY if the module is too
 * old to know reservations.
 */
int rein_reserve(int fd, const struct rein_take_want *wants, unsigned int n, uint64_t claim_ns,
		 struct rein_take_result *result);

/**
 * rein_reserve_timeout() - rein_reserve() that waits so long, whatever "over" says
 * @fd:		what rein_dev_open() returned
 * @wants:	name and tokens of each, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @timeout_ns:	from now, until it is granted; REIN_FOREVER_NS: as long as it takes
 * @claim_ns:	as of rein_reserve()
 * @result:	likewise
 *
 * Return: as rein_reserve(); -ETIME at once if the time won't suffice.
 */
int rein_reserve_timeout(int fd, const struct rein_take_want *wants, unsigned int n,
			 uint64_t timeout_ns, uint64_t claim_ns, struct rein_take_result *result);

/**
 * rein_reserve_deadline() - rein_reserve_timeout() with a point in time
 * @fd:		what rein_dev_open() returned
 * @wants:	name and tokens of each, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @deadline_ns: CLOCK_MONOTONIC of the caller's time namespace;
 *		REIN_FOREVER_NS: as long as it takes
 * @claim_ns:	as of rein_reserve()
 * @result:	likewise
 *
 * Return: as rein_reserve_timeout().
 */
int rein_reserve_deadline(int fd, const struct rein_take_want *wants, unsigned int n,
			  uint64_t deadline_ns, uint64_t claim_ns, struct rein_take_result *result);

/**
 * rein_claim() - take what was reserved
 * @reservation: what rein_reserve() returned; to be closed after that
 * @result:	what became of it, success or not, as of rein_take(); may be NULL.
 *		While it waits, @retry_after_ns is how long it will be, as planned
 *		now, in ns; REIN_DEV_NEVER: nobody knows yet
 *
 * Never waits. Any thread, and any process that has the descriptor; only one of
 * them gets 0. What can't be had stays so: it says the same if asked again.
 *
 * Return: 0 when the tokens are taken; a negative errno and none is: -EAGAIN and
 * a @code of 0 (it still waits), -ESTALE (it was granted, and not claimed in
 * time), -EALREADY (it was claimed before), -ETIMEDOUT (its time to wait was over),
 * -ECANCELED (the limits were flushed by force), -EBADF or -ENOTTY (this is no
 * reservation), or another one of rein_take().
 */
int rein_claim(int reservation, struct rein_take_result *result);

/**
 * rein_cancel() - give up a reservation
 * @reservation: what rein_reserve() returned; closed afterwards
 *
 * This is close(): if it is the last descriptor of the reservation, the place is
 * free at once, and those behind move up. What was granted and not claimed is
 * given back, as far as the buckets have not been full since. What was claimed
 * stays taken.
 *
 * Any thread. Never sleeps for long.
 *
 * Return: 0 or -EBADF.
 */
int rein_cancel(int reservation);

/**
 * struct rein_rate - how often a take can be had
 * @unlimited:	as often as one likes; @operations and @period_ns are 0
 * @operations:	takes per @period_ns, an exact fraction; 0: never
 * @period_ns:	the period
 * @burst:	takes that can be had at once when all buckets are full; 0: not
 *		even one, it wants more than a burst; UINT64_MAX if unlimited
 */
struct rein_rate {
	bool unlimited;
	uint64_t operations;
	uint64_t period_ns;
	uint64_t burst;
};

/**
 * rein_rate() - the tightest rate of what a take wants
 * @rein:	the connection (takes need none, this does)
 * @wants:	what one take wants, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @rate:	where it goes, if the call succeeds
 *
 * Reads the limits that bind the caller's own cgroup, which everybody may,
 * and gives the slowest tier and the smallest burst for takes of @wants. It
 * says what the limits are, not what others leave of them. Limits that only
 * observe hold nothing back. If rein_interrupted(), limits changed while they
 * were read.
 *
 * Return: 0; -ENOENT if no limit of one of these names binds the caller;
 * -ERANGE if the exact fraction has no room in @operations and @period_ns;
 * -ESRCH if the caller's cgroup can't be found, as where the cgroup2 hierarchy
 * is not mounted; -EINVAL if @wants can't be; or another negative errno.
 */
int rein_rate(struct rein *rein, const struct rein_take_want *wants, unsigned int n,
	      struct rein_rate *rate);

/**
 * rein_*_name() - the word for a value of an enum
 * @value:	as the kernel sent it
 *
 * Return: a constant string, NULL if this version has no word for it.
 */
const char *rein_resource_name(uint32_t value);
const char *rein_unit_name(uint32_t value);
const char *rein_over_name(uint32_t value);
const char *rein_kind_name(uint32_t value);
const char *rein_severity_name(uint32_t value);
const char *rein_event_name(uint32_t value);
const char *rein_stats_name(uint32_t value);

/**
 * rein_version() - version of this library
 *
 * Return: a constant string.
 */
const char *rein_version(void);

#ifdef __cplusplus
}
#endif

#endif /* REIN_H */
