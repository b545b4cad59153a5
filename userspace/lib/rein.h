/* SPDX-License-Identifier: GPL-2.0 */
/*
 * librein: talk to the rein kernel module, over generic netlink to configure
 * it, through /dev/rein to take tokens, to make scopes and races, and to keep watches.
 *
 * Promise: one call is one request. It returns 0, or a negative errno with
 * everything the kernel said about it in rein_last_error(). Nothing is
 * printed, nothing is kept between calls but the socket. What a callback is
 * given is valid until it returns; it must not use the connection itself.
 *
 * Units: times in nanoseconds, rates as tokens per period, sizes in tokens of
 * their tier (bytes, packets or calls).
 *
 * Context: a struct rein belongs to one thread at a time. What takes tokens, and
 * what is about scopes and watches, needs none; any number of threads may share a
 * descriptor.
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
 * @has_socket:	@socket_fd is meant, and no cgroup
 * @socket_fd:	an open socket of the families inet and inet6
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
 * @has_credit:	@credit is meant
 * @credit:	millionths of a token that a success gives back, of a limit on call;
 *		see rein_credit()
 * @has_for:	@for_ns is meant
 * @for_ns:	the limit removes itself after this long; 0: it stays
 * @chain:	dumps only: the limits of the target and of all above it
 * @per_socket:	each socket of the cgroup gets buckets of its own; of a new limit on
 *		egress or ingress. One that is there stays what it is: -EINVAL if
 *		it isn't per socket
 * @copies:	dumps only: also what single sockets have of limits per socket, which
 *		dumps of a socket, or of its chain, have anyway
 *
 * What is not meant is left to the kernel: its default for a new limit, the
 * present state for an old one, no filter for a dump.
 */
struct rein_limit_request {
	const char *name;
	int cgroup_fd;
	bool has_socket;
	int socket_fd;
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
	bool has_credit;
	uint32_t credit;
	bool has_for;
	uint64_t for_ns;
	bool chain;
	bool per_socket;
	bool copies;
};

/**
 * struct rein_socket - a socket that a record is about, or a limit attached to
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

/**
 * struct rein_limit - a limit as the kernel has it
 * @id:		unique while the module is loaded
 * @name:	unique within its target
 * @resource:	enum rein_resource
 * @over:	enum rein_over
 * @cgroup_id:	of the cgroup it is attached to
 * @cgroup:	path of that cgroup, below the root of the reader's namespace
 * @level:	depth of that cgroup, the root is 0
 * @has_socket:	it is attached to @socket, which was made in that cgroup
 * @socket:	where
 * @socket_state: what that does, as TCP counts states
 * @socket_uid:	the user who made it
 * @has_maker:	it was made without privileges, by @socket_maker
 * @socket_maker: a user
 * @tiers:	its buckets
 * @n_tiers:	how many
 * @patience_ns: longest wait; 0 or REIN_FOREVER_NS: none is set
 * @queue:	what may wait at the same time: bytes of packets, or takers
 * @credit:	millionths of a token that a success gives back; 0: none
 * @expires:	it removes itself in @for_ns
 * @for_ns:	what is left of it
 * @has_stats:	@stats is there
 * @stats:	what became of its requests
 * @event:	enum rein_event (notifications only)
 * @per_socket:	each socket of the cgroup gets buckets of its own, a copy of the limit;
 *		@stats are those of all of them, @tiers what those share that have none
 * @sockets:	how many have some now, if @per_socket
 * @copy_of:	@id of the limit that this is the copy of, for @socket; 0: it is none
 */
struct rein_limit {
	uint64_t id;
	const char *name;
	uint32_t resource;
	uint32_t over;
	uint64_t cgroup_id;
	const char *cgroup;
	uint32_t level;
	bool has_socket;
	struct rein_socket socket;
	uint32_t socket_state;
	uint32_t socket_uid;
	bool has_maker;
	uint32_t socket_maker;
	const struct rein_tier *tiers;
	size_t n_tiers;
	uint64_t patience_ns;
	uint64_t queue;
	uint32_t credit;
	bool expires;
	uint64_t for_ns;
	bool has_stats;
	struct rein_stats stats;
	uint32_t event;
	bool per_socket;
	uint32_t sockets;
	uint64_t copy_of;
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
 * rein_socket_limit() - limit one of one's own sockets
 * @rein:	the connection
 * @fd:		the socket, of the families inet and inet6
 * @request:	what is wanted; its target is not looked at
 *
 * As rein_limit_change() with REIN_CMD_LIMIT_REPLACE. This needs no privileges: all that
 * others have limited the socket, or its cgroup, by holds as well. The limit goes when the
 * socket is closed by the last who has it.
 *
 * Return: 0 when it is in force; a negative errno and nothing has changed: -EPERM if
 * somebody else has made a limit of that name, -EDQUOT if the user has too many.
 */
int rein_socket_limit(struct rein *rein, int fd, const struct rein_limit_request *request);

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
 * @scope_id:	the scope it is about, 0 if none
 * @scope:	its name, or NULL
 * @watch_id:	the watch it is about, 0 if none
 * @watch:	its name, or NULL
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
	uint64_t scope_id;
	const char *scope;
	uint64_t watch_id;
	const char *watch;
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
 * @scopes:	how many there are
 * @watches:	how many there are
 * @sockets:	how many have limits; one that has some on what it sends and on what it
 *		receives counts twice
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
	uint64_t scopes;
	uint64_t watches;
	uint64_t sockets;
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
 * @group:	REIN_MCGRP_LIMITS, REIN_MCGRP_ERRORS, REIN_MCGRP_SCOPES or
 *		REIN_MCGRP_WATCHES
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
 * struct rein_scope - a scope as the kernel has it
 * @id:		never given twice
 * @name:	for its readers, or NULL
 * @parent:	id of the scope it is a part of, 0 at the top
 * @depth:	1 at the top
 * @has_left:	it, or one above, has a deadline
 * @left_ns:	what is left until the earliest of them; 0: it has passed
 * @cause:	enum rein_cause; REIN_CAUSE_NONE as long as it is not done
 * @origin:	id of the scope where its end began, 0 unless it is done
 * @record:	id of the record of its end, 0: none
 * @reason:	of its end, or NULL
 * @time_ns:	of its end, CLOCK_REALTIME
 * @children:	how many scopes are a part of it
 * @waiters:	takes and reservations that wait and would end with it
 * @pid:	who made it, 0: not to be seen from here
 * @comm:	likewise, or NULL
 * @has_uid:	@uid is there
 * @uid:	whose it is
 * @cgroup_id:	the cgroup it is bound to, 0: none
 * @cgroup:	path of that, or NULL
 * @kills:	its end kills the processes of that cgroup
 * @race:	enum rein_policy of a race, 0: it is none
 * @number:	which replica of its parent it is, 0: it is none
 * @winner:	of a race that is decided, the number of who has won; else 0
 * @event:	enum rein_scope_event (notifications only)
 */
struct rein_scope {
	uint64_t id;
	const char *name;
	uint64_t parent;
	uint32_t depth;
	bool has_left;
	uint64_t left_ns;
	uint32_t cause;
	uint64_t origin;
	uint64_t record;
	const char *reason;
	uint64_t time_ns;
	uint32_t children;
	uint32_t waiters;
	uint32_t pid;
	const char *comm;
	bool has_uid;
	uint32_t uid;
	uint64_t cgroup_id;
	const char *cgroup;
	bool kills;
	uint32_t race;
	uint32_t number;
	uint32_t winner;
	uint32_t event;
};

typedef void (*rein_scope_fn)(const struct rein_scope *scope, void *arg);

/**
 * rein_scope_get() - read one scope
 * @rein:	the connection
 * @id:		its id
 * @fn:		called once if there is one
 * @arg:	handed to @fn
 *
 * Return: 0 or a negative errno.
 */
int rein_scope_get(struct rein *rein, uint64_t id, rein_scope_fn fn, void *arg);

/**
 * rein_scope_dump() - read scopes, by age
 * @rein:	the connection
 * @name:	those of that name, NULL: all
 * @fn:		called for each
 * @arg:	handed to @fn
 *
 * Who is no administrator is told of his own, and of those that are bound to his
 * cgroup or to one above.
 *
 * Return: 0 or a negative errno; @fn is then not called at all.
 */
int rein_scope_dump(struct rein *rein, const char *name, rein_scope_fn fn, void *arg);

/**
 * struct rein_watch - a watch as the kernel has it
 * @id:		never given twice
 * @name:	for its readers, or NULL
 * @status:	enum rein_watch_status
 * @frozen:	the subject is frozen: time doesn't count
 * @fault:	the last one, enum rein_fault; REIN_FAULT_NONE: there was none
 * @misses:	how many there were in a row
 * @record:	id of the record of the last fault, 0: none
 * @subject:	what it is kept over, enum rein_subject_kind
 * @subject_pid: of a process; 0: not to be seen from here
 * @cgroup_id:	of a cgroup
 * @cgroup:	path of that, or NULL
 * @has_socket:	@socket is there
 * @socket:	of a socket
 * @flags:	enum rein_watch_flags
 * @rules:	what it expects
 * @steps:	what is done when it has expired
 * @n_steps:	how many
 * @at_step:	how many were done since it has expired; in a notification of a step which
 *		one it is, from 0
 * @beats:	how often there was a beat,
 * @begins:	the beginning of a unit of work,
 * @ends:	the end of one,
 * @faults:	a fault,
 * @expiries:	and how often it has expired
 * @has_idle:	there was a beat
 * @idle_ns:	since the last one
 * @has_left:	it is running, and something is expected
 * @left_ns:	there is a fault in this time if nothing happens
 * @unit:	the unit of work that is under way, or NULL
 * @unit_ns:	for how long it is
 * @pid:	who made it, 0: not to be seen from here
 * @comm:	likewise, or NULL
 * @has_uid:	@uid is there
 * @uid:	whose it is
 * @test:	nothing was done, it was a test (notifications only)
 * @err:	why a step could not be done, errno; 0: it was (notifications only)
 * @event:	enum rein_watch_event (notifications only)
 */
struct rein_watch {
	uint64_t id;
	const char *name;
	uint32_t status;
	bool frozen;
	uint32_t fault;
	uint32_t misses;
	uint64_t record;
	uint32_t subject;
	uint32_t subject_pid;
	uint64_t cgroup_id;
	const char *cgroup;
	bool has_socket;
	struct rein_socket socket;
	uint32_t flags;
	struct rein_watch_rules rules;
	struct rein_watch_step steps[REIN_STEPS_MAX];
	size_t n_steps;
	uint32_t at_step;
	uint64_t beats;
	uint64_t begins;
	uint64_t ends;
	uint64_t faults;
	uint64_t expiries;
	bool has_idle;
	uint64_t idle_ns;
	bool has_left;
	uint64_t left_ns;
	const char *unit;
	uint64_t unit_ns;
	uint32_t pid;
	const char *comm;
	bool has_uid;
	uint32_t uid;
	bool test;
	uint32_t err;
	uint32_t event;
};

typedef void (*rein_watch_fn)(const struct rein_watch *watch, void *arg);

/**
 * rein_watch_get() - read one watch
 * @rein:	the connection
 * @id:		its id
 * @fn:		called once if there is one
 * @arg:	handed to @fn
 *
 * Return: 0 or a negative errno.
 */
int rein_watch_get(struct rein *rein, uint64_t id, rein_watch_fn fn, void *arg);

/**
 * rein_watch_dump() - read watches, by age
 * @rein:	the connection
 * @name:	those of that name, NULL: all
 * @fn:		called for each
 * @arg:	handed to @fn
 *
 * Who is no administrator is told of his own, and of those over himself, or over his
 * cgroup or one above.
 *
 * Return: 0 or a negative errno; @fn is then not called at all.
 */
int rein_watch_dump(struct rein *rein, const char *name, rein_watch_fn fn, void *arg);

/**
 * struct rein_events - who is told of what has arrived; NULL: nobody
 * @limit:	of each change of a limit
 * @record:	of each record
 * @scope:	of each change of a scope
 * @watch:	of what becomes of watches; looked at only with a subscription to
 *		REIN_MCGRP_WATCHES
 */
struct rein_events {
	rein_limit_fn limit;
	rein_record_fn record;
	rein_scope_fn scope;
	rein_watch_fn watch;
};

/**
 * rein_receive_events() - rein_receive() of all kinds of events
 * @rein:	a connection that has subscribed
 * @events:	who is told
 * @arg:	handed to them
 *
 * Return: as rein_receive().
 */
int rein_receive_events(struct rein *rein, const struct rein_events *events, void *arg);

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
 * @cause:	why the scope that ended it was cancelled, enum rein_cause; 0: it was
 *		not ended by a scope
 * @scope_id:	the id of that scope
 *
 * @cause and @scope_id are written by rein_take_in(), rein_reserve_in() and
 * rein_claim_in(). The others leave them as they are: those who call them may have
 * been built when there were none.
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
	uint32_t cause;
	uint64_t scope_id;
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
 * rein_take_in() - take tokens as a part of a scope
 * @fd:		what rein_dev_open() returned
 * @scope:	a scope, or an observer of one; REIN_NO_FD: none but those that are bound
 *		to the caller's cgroup, and to those above
 * @wants:	name and tokens of each, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @flags:	0 or one of REIN_TAKE_TRY, REIN_TAKE_DEADLINE and REIN_TAKE_TIMEOUT
 * @time_ns:	see there, as of rein_take_deadline() and rein_take_timeout()
 * @result:	what became of it, success or not; may be NULL
 *
 * What a scope and its takes have in common is the end: its deadline is theirs, and if
 * it is cancelled while one waits, that ends at once, and has taken nothing.
 *
 * Return: as rein_take_deadline(); -ECANCELED and a @cause if a scope ended it, -EBADF
 * if @scope is none.
 */
int rein_take_in(int fd, int scope, const struct rein_take_want *wants, unsigned int n,
		 uint32_t flags, uint64_t time_ns, struct rein_take_result *result);

/**
 * rein_reserve_in() - reserve tokens as a part of a scope
 * @fd:		what rein_dev_open() returned
 * @scope:	as of rein_take_in()
 * @wants:	name and tokens of each, no name twice
 * @n:		how many, 1 to REIN_TAKE_NAMES_MAX
 * @flags:	0, REIN_TAKE_DEADLINE or REIN_TAKE_TIMEOUT
 * @time_ns:	see there
 * @claim_ns:	as of rein_reserve()
 * @result:	likewise
 *
 * Return: as rein_reserve_deadline(), and as rein_take_in().
 */
int rein_reserve_in(int fd, int scope, const struct rein_take_want *wants, unsigned int n,
		    uint32_t flags, uint64_t time_ns, uint64_t claim_ns,
		    struct rein_take_result *result);

/**
 * rein_claim_in() - rein_claim() that says which scope ended it, too
 * @reservation: what rein_reserve_in() returned
 * @result:	what became of it; may be NULL
 *
 * Return: as rein_claim(); -ECANCELED and a @cause if a scope ended it.
 */
int rein_claim_in(int reservation, struct rein_take_result *result);

/* --- scopes --------------------------------------------------------------------- */

/**
 * struct rein_scope_opts - what a new scope, or race, is like; all 0: nothing special
 * @name:	for its readers, 1 to 63 letters, digits and any of . _ - : @; or NULL
 * @has_parent:	it is a part of @parent
 * @parent:	a scope
 * @has_deadline: it is done at @deadline_ns
 * @deadline_ns: CLOCK_MONOTONIC of the caller's time namespace
 * @has_timeout: it is done in @timeout_ns
 * @timeout_ns:	from now; REIN_FOREVER_NS: it isn't
 * @boottime:	both are of CLOCK_BOOTTIME, which counts while the machine sleeps
 * @owned:	cancel it when nobody has a descriptor of it any more but observers: also
 *		when its owner ends, however that is
 *
 * A deadline and a timeout exclude each other.
 */
struct rein_scope_opts {
	const char *name;
	bool has_parent;
	int parent;
	bool has_deadline;
	uint64_t deadline_ns;
	bool has_timeout;
	uint64_t timeout_ns;
	bool boottime;
	bool owned;
};

/**
 * struct rein_scope_result - what became of a call about a scope or a race
 * @id:		of the scope that was made; or of the winner's
 * @number:	of the replica that was made, that asks, or that has won; 0: none
 * @was:	of rein_scope_cancel(): why it is done, enum rein_cause: REIN_CAUSE_USER, or
 *		what was first; 0: it is not, having won a race
 * @record:	id of the record that tells the whole story, 0: none
 * @code:	why not: the number in REIN-Ennnn; 0 if it succeeded, or if the kernel
 *		didn't say
 * @message:	why not, one line; likewise empty
 */
struct rein_scope_result {
	uint64_t id;
	uint32_t number;
	uint32_t was;
	uint64_t record;
	uint32_t code;
	char message[128];
};

/**
 * rein_scope_new() - make a scope: something that can be ended as a whole
 * @fd:		what rein_dev_open() returned
 * @opts:	what it is like; NULL: nothing special
 * @result:	what became of it; may be NULL
 *
 * It is done when its deadline, or that of one above it, has passed; when somebody
 * cancels it or one above it; and it stays so. It lives as long as there is a descriptor
 * of it, a child, or a cgroup that it is bound to.
 *
 * The descriptor has POLLIN and POLLHUP from when it is done (a race POLLHUP, and POLLIN
 * also from when it is decided), isn't inherited by what the process executes, and can
 * be handed to another process: who has it may wait for the scope, cancel it, and make
 * children.
 *
 * Return: a descriptor, to be closed with close(); or a negative errno: -EBADF (the
 * parent is no scope), -EPERM (it is an observer), -ELOOP (too deep), -ENOSPC (too many
 * children), -EDQUOT (the user has too many), -EMFILE, -EINVAL, -ENOMEM; -ENOTTY if the
 * module is too old to know scopes.
 */
int rein_scope_new(int fd, const struct rein_scope_opts *opts, struct rein_scope_result *result);

/**
 * rein_scope_open() - get a descriptor of a scope that is there
 * @fd:		what rein_dev_open() returned
 * @id:		the scope; 0: by @name
 * @name:	likewise; NULL: the one that is bound to the caller's cgroup, or the
 *		nearest that is bound to one above
 * @observe:	only to wait for it
 * @result:	what became of it; may be NULL
 *
 * Only a scope's own user, and who has CAP_NET_ADMIN over the initial user namespace, may
 * do so; whoever is below a cgroup that a scope is bound to may observe that.
 *
 * Return: a descriptor; or a negative errno: -ENOENT, -EACCES, -ENOTUNIQ (several have that
 * name), -EINVAL, -EMFILE, -ENOMEM, -ENOTTY.
 */
int rein_scope_open(int fd, uint64_t id, const char *name, bool observe,
		    struct rein_scope_result *result);

/**
 * rein_scope_observe() - get a descriptor that can only be waited for
 * @scope:	the scope
 * @result:	what became of it; may be NULL
 *
 * It can be read, polled, mapped, and given to a take.
 *
 * Return: a descriptor or a negative errno.
 */
int rein_scope_observe(int scope, struct rein_scope_result *result);

/**
 * rein_scope_cancel() - end a scope and all below it
 * @scope:	the scope
 * @reason:	for its readers, up to 127 bytes of it are kept; may be NULL
 * @result:	@was says why it is done: that may have been before; may be NULL
 *
 * Never waits. What is done already stays as it is, and so does what has won a race;
 * that is no error.
 *
 * Return: 0 or a negative errno: -EPERM (an observer), -EINVAL, -EBADF or -ENOTTY (this is
 * no scope).
 */
int rein_scope_cancel(int scope, const char *reason, struct rein_scope_result *result);

/**
 * rein_scope_discard() - rein_scope_cancel() of what is done elsewhere already
 * @scope:	the scope
 * @reason:	for its readers; may be NULL
 * @result:	as of rein_scope_cancel()
 *
 * The cause is REIN_CAUSE_DUPLICATE.
 *
 * Return: as rein_scope_cancel().
 */
int rein_scope_discard(int scope, const char *reason, struct rein_scope_result *result);

/**
 * rein_scope_bind() - bind a scope to a cgroup
 * @scope:	the scope
 * @cgroup_fd:	an open cgroup2 directory
 * @kill_fd:	its cgroup.kill, open for writing: its processes are killed when the scope
 *		is done; REIN_NO_FD: they are not
 * @kill_delay_ns: how long after that
 * @result:	what became of it; may be NULL
 *
 * From then on takes by tasks in that cgroup, or below, end with the scope, and its
 * deadline is theirs; when it is done, packets of theirs that wait are dropped, and the
 * scopes that are bound to cgroups below are cancelled. It stays bound until the cgroup is
 * removed. A scope can be bound once, and a cgroup have one scope.
 *
 * Needs CAP_NET_ADMIN over the initial user namespace, or a @kill_fd.
 *
 * Return: 0 or a negative errno: -EPERM, -EBADF (not a cgroup2 directory), -EBUSY (the
 * scope is bound, or the cgroup has one), -EINVAL (not that cgroup's cgroup.kill),
 * -ENODEV (the cgroup is gone), -ECANCELED (the scope is done), -ENOMEM.
 */
int rein_scope_bind(int scope, int cgroup_fd, int kill_fd, uint64_t kill_delay_ns,
		    struct rein_scope_result *result);

/**
 * rein_scope_wait() - wait until a scope is done
 * @scope:	the scope, or an observer of it
 * @timeout_ns:	for how long; 0: not at all; REIN_FOREVER_NS: as long as it takes
 * @done:	what became of it; may be NULL
 *
 * Any thread, and any number of them.
 *
 * Return: 0; -ETIMEDOUT: it is not done; -EINTR: a signal; -EBADF.
 */
int rein_scope_wait(int scope, uint64_t timeout_ns, struct rein_scope_done *done);

/**
 * rein_scope_map() - have a scope's state at hand
 * @scope:	the scope, or an observer of it; it may be closed afterwards
 *
 * Return: for rein_scope_cancelled() and rein_scope_unmap(); NULL and errno.
 */
const struct rein_scope_page *rein_scope_map(int scope);

/**
 * rein_scope_unmap() - give back what rein_scope_map() returned
 * @page:	may be NULL
 */
void rein_scope_unmap(const struct rein_scope_page *page);

/**
 * rein_scope_cancelled() - is the scope done?
 * @page:	what rein_scope_map() returned
 *
 * One load from memory, no system call: cheap enough for an inner loop.
 *
 * Return: true if it is.
 */
static inline bool rein_scope_cancelled(const struct rein_scope_page *page)
{
	return __atomic_load_n(&page->cause, __ATOMIC_ACQUIRE) != 0;
}

/* --- races ---------------------------------------------------------------------- */

/**
 * rein_race_new() - make a race: a scope whose children do the same, and one of them wins
 * @fd:		what rein_dev_open() returned
 * @policy:	who does, enum rein_policy
 * @opts:	what it is like; NULL: nothing special
 * @result:	what became of it; may be NULL
 *
 * Return: a descriptor or a negative errno, as rein_scope_new().
 */
int rein_race_new(int fd, uint32_t policy, const struct rein_scope_opts *opts,
		  struct rein_scope_result *result);

/**
 * rein_race_join() - take part in a race
 * @race:	the race
 * @owned:	the replica is cancelled when nobody has its descriptor any more
 * @result:	@id and @number of the replica; may be NULL
 *
 * Return: a descriptor of the replica, which is a scope; or a negative errno: -ECANCELED
 * (the race is done or decided), -EINVAL (this is no race), or as rein_scope_new().
 */
int rein_race_join(int race, bool owned, struct rein_scope_result *result);

/**
 * rein_race_claim() - have the result, want to win
 * @replica:	what rein_race_join() returned
 * @data:	the result, or where it is; may be NULL
 * @size:	of that, at most REIN_RESULT_MAX
 * @result:	@number and @id of who has won, if anybody has; may be NULL
 *
 * All other replicas are cancelled when it is decided. What has won can't be cancelled
 * any more. With REIN_POLICY_ASK it waits for that.
 *
 * Return: 0: it has won, or with REIN_POLICY_LAST may; or a negative errno: -EALREADY
 * (another has won), -ECANCELED (the replica, or the race, is done), -EACCES (it was not
 * granted), -EINTR (a signal: ask again), -EINVAL (this is no replica), -EMSGSIZE,
 * -ENOMEM.
 */
int rein_race_claim(int replica, const void *data, size_t size, struct rein_scope_result *result);

/**
 * rein_race_asked() - who asks whether it may win?
 * @race:	a race with REIN_POLICY_ASK, which has POLLPRI while there is anybody
 * @number:	the replica, 0: who has asked first
 * @data:	where its result goes, NULL: nowhere
 * @size:	of that room; afterwards, of the result; may be NULL if @data is
 * @result:	@number says which one it was; may be NULL
 *
 * Never waits.
 *
 * Return: 0 or a negative errno: -EAGAIN (nobody asks, or not that one), -EALREADY (it is
 * decided), -ECANCELED (the race is done), -EINVAL, -EPERM (an observer).
 */
int rein_race_asked(int race, uint32_t number, void *data, size_t *size,
		    struct rein_scope_result *result);

/**
 * rein_race_grant() - say whether a replica may win
 * @race:	a race with REIN_POLICY_ASK
 * @number:	the replica, 0: who has asked first
 * @yes:	it may
 * @result:	@number says which one it was; may be NULL
 *
 * Return: as rein_race_asked().
 */
int rein_race_grant(int race, uint32_t number, bool yes, struct rein_scope_result *result);

/**
 * struct rein_race_result - what a race came to
 * @number:	who has won, 0: nobody yet
 * @winner:	id of that replica's scope
 * @size:	of the winner's result, which may be more than there was room for
 * @joined:	how many replicas there were
 * @claims:	how many claimed, with success or not
 * @late:	how many did so when it was decided
 * @died:	how many were given up without a claim
 * @cancels:	how often somebody wanted to cancel who had won
 * @record:	id of the record that tells the whole story, 0: none
 * @code:	why there is no winner: the number in REIN-Ennnn, or 0
 * @message:	likewise, one line, or empty
 */
struct rein_race_result {
	uint32_t number;
	uint64_t winner;
	uint32_t size;
	uint32_t joined;
	uint32_t claims;
	uint32_t late;
	uint32_t died;
	uint32_t cancels;
	uint64_t record;
	uint32_t code;
	char message[128];
};

/**
 * rein_race_result() - what has a race come to?
 * @race:	the race, which has POLLIN once it is decided; or an observer of it
 * @close:	nobody may claim any more: with REIN_POLICY_LAST this decides it
 * @data:	where the winner's result goes, NULL: nowhere
 * @size:	of that room
 * @result:	the rest, whatever is returned; may be NULL
 *
 * Never waits.
 *
 * Return: 0: somebody has won; or a negative errno: -EAGAIN (it is not decided), -ECANCELED
 * (it is done and nobody has won), -EINVAL (this is no race), -EPERM (an observer, and
 * @close).
 */
int rein_race_result(int race, bool close, void *data, size_t size,
		     struct rein_race_result *result);

/**
 * rein_credit() - give tokens back for a success
 * @fd:		what rein_dev_open() returned
 * @name:	of a limit on call
 * @millionths:	how much of a token; 0: as much as the limit gives
 * @result:	what became of it; may be NULL
 *
 * The name is looked up from the caller's cgroup upwards. Each limit of that name that
 * has a credit is given that much, but no more than its credit, up to its burst: a
 * budget for what is tried again, or twice, that grows with what succeeds.
 *
 * Any thread. May sleep, but not for long.
 *
 * Return: 0; -ENOENT if no limit of that name that has a credit binds the caller;
 * -EINVAL, or -ENOTTY if the module is too old to know credit.
 */
int rein_credit(int fd, const char *name, uint32_t millionths,
		struct rein_scope_result *result);

/* --- watches -------------------------------------------------------------------- */

/**
 * struct rein_watch_opts - what a new watch is like
 * @name:	for its readers, 1 to 63 letters, digits and any of . _ - : @; or NULL
 * @flags:	enum rein_watch_flags; without REIN_WATCH_ARM it begins with rein_watch_arm()
 * @subject:	what it is kept over, enum rein_subject_kind
 * @fd:		an open cgroup2 directory, or the socket
 * @pid:	the process, 0: the caller
 * @start:	when that was started, as in /proc/PID/stat; 0: whenever
 * @has_kill:	there is a @kill_fd
 * @kill_fd:	the cgroup.kill of the cgroup, open for writing: for the step kill, and as
 *		proof of who has no privilege
 * @has_scope:	there is a @scope_fd
 * @scope_fd:	a scope, for the step cancel
 * @rules:	what is expected: see struct rein_watch_rules
 * @steps:	what is done, one after the other, when it has expired
 * @n_steps:	how many, at most REIN_STEPS_MAX
 * @wants:	what the descriptor is readable for, 1 << one or more of enum
 *		rein_watch_count; 0: for anything
 */
struct rein_watch_opts {
	const char *name;
	uint32_t flags;
	uint32_t subject;
	int fd;
	uint32_t pid;
	uint64_t start;
	bool has_kill;
	int kill_fd;
	bool has_scope;
	int scope_fd;
	struct rein_watch_rules rules;
	const struct rein_watch_step *steps;
	uint32_t n_steps;
	uint32_t wants;
};

/**
 * struct rein_watch_result - what became of a call about a watch
 * @id:		of the watch that was made
 * @token:	of a beat: what the next one has to carry
 * @slot:	of a watch that was made with a slot: for rein_watch_map()
 * @record:	id of the record that tells the whole story, 0: none
 * @code:	why not: the number in REIN-Ennnn; 0 if it succeeded, or if the kernel
 *		didn't say
 * @message:	why not, one line; likewise empty
 */
struct rein_watch_result {
	uint64_t id;
	uint64_t token;
	uint32_t slot;
	uint64_t record;
	uint32_t code;
	char message[128];
};

/**
 * rein_watch_new() - keep a watch over a process, a cgroup or a socket
 * @fd:		what rein_dev_open() returned
 * @opts:	what it is like
 * @result:	what became of it; may be NULL
 *
 * It expects beats, units of work that begin and end, and checkpoints in their order, as
 * its rules say; whatever is not as it should be is a fault. One fault in a row more than it
 * puts up with, and it has expired: then its steps are done.
 *
 * It lives until rein_unwatch(), until what it is kept over has gone, or with
 * REIN_WATCH_OWNED until nobody has a descriptor of it any more but observers and those that
 * only beat.
 *
 * Return: an owner's descriptor, to be closed with close(), which isn't inherited by what
 * the process executes; or a negative errno: -ESRCH (there is no such process), -EPERM,
 * -EBADF (not a cgroup2 directory, socket or scope), -ENODEV (the cgroup is gone), -EDQUOT
 * (the user has too many), -EMFILE, -EINVAL, -ENOMEM; -ENOTTY if the module is too old to
 * know watches.
 */
int rein_watch_new(int fd, const struct rein_watch_opts *opts, struct rein_watch_result *result);

/**
 * rein_watch_lookup() - get a descriptor of a watch that is there
 * @fd:		what rein_dev_open() returned
 * @id:		the watch; 0: by @name
 * @name:	likewise
 * @flags:	REIN_LOOK_BEAT: only to beat and to wait; REIN_LOOK_OBSERVE: only to wait; 0:
 *		for everything
 * @wants:	what it is readable for, as of struct rein_watch_opts. What was before counts,
 *		too: nothing is missed between a look and a wait
 * @result:	what became of it; may be NULL
 *
 * Only a watch's own user, and who has CAP_NET_ADMIN over the initial user namespace, may do
 * so; but for waiting he needs all capabilities that whoever made it had. Whoever it is kept over
 * may beat and wait.
 *
 * Return: a descriptor; or a negative errno: -ENOENT, -EACCES, -EPERM, -ENOTUNIQ (several have that
 * name), -EINVAL, -EMFILE, -ENOMEM, -ENOTTY.
 */
int rein_watch_lookup(int fd, uint64_t id, const char *name, uint32_t flags, uint32_t wants,
		      struct rein_watch_result *result);

/**
 * rein_watch_beat() - say that all is well
 * @watch:	of an owner, or to beat
 * @token:	of a watch with REIN_WATCH_TOKEN what the beat before was answered; else 0
 * @result:	@token for the next one; may be NULL
 *
 * Never waits. Any thread. rein_beat() does the same without a call.
 *
 * Return: 0 or a negative errno: -EKEYREJECTED (the token), -EPERM (an observer), -EIDRM (the
 * watch is over), -EBADF or -ENOTTY (this is no watch).
 */
int rein_watch_beat(int watch, uint64_t token, struct rein_watch_result *result);

/**
 * rein_watch_begin() - begin a unit of work, and beat
 * @watch:	of an owner, or to beat
 * @unit:	what rein watch show names it by: 1 to 31 characters of printable ASCII
 * @deadline_ns: it has to end within this time, if that is sooner than the rules say; 0: as
 *		they say
 * @token:	as of rein_watch_beat()
 * @result:	likewise
 *
 * What was under way before is ended.
 *
 * Return: as rein_watch_beat(); -EINVAL.
 */
int rein_watch_begin(int watch, const char *unit, uint64_t deadline_ns, uint64_t token,
		     struct rein_watch_result *result);

/**
 * rein_watch_end() - end a unit of work
 * @watch:	of an owner, or to beat
 * @unit:	as it was begun
 * @token:	as of rein_watch_beat()
 * @result:	likewise
 *
 * This is no beat of a cycle.
 *
 * Return: as rein_watch_beat(); -ENOENT (it isn't under way), -EINVAL.
 */
int rein_watch_end(int watch, const char *unit, uint64_t token, struct rein_watch_result *result);

/**
 * rein_watch_checkpoint() - say which way the program goes, and beat
 * @watch:	of an owner, or to beat
 * @checkpoint:	which one, less than REIN_CHECKPOINTS
 * @token:	as of rein_watch_beat()
 * @result:	likewise
 *
 * Return: as rein_watch_beat(); -EINVAL. That it was not its turn is a fault of the program,
 * and no error of the call.
 */
int rein_watch_checkpoint(int watch, uint32_t checkpoint, uint64_t token,
			  struct rein_watch_result *result);

/**
 * rein_watch_arm() - have a watch begin, anew if it did
 * @watch:	of an owner
 * @flags:	enum rein_arm_flags
 * @every_ns:	with REIN_ARM_EVERY: the cycle from now on
 * @grace_ns:	with REIN_ARM_GRACE: the first cycle, this once
 * @result:	what became of it; may be NULL
 *
 * Return: 0 or a negative errno: -EPERM (not of an owner), -EIDRM (the watch is over),
 * -EDQUOT (it would have to be looked at too often), -EINVAL.
 */
int rein_watch_arm(int watch, uint32_t flags, uint64_t every_ns, uint64_t grace_ns,
		   struct rein_watch_result *result);

/**
 * rein_watch_disarm() - have a watch expect nothing, until it is armed
 * @watch:	of an owner
 * @result:	what became of it; may be NULL
 *
 * Return: as rein_watch_arm().
 */
int rein_watch_disarm(int watch, struct rein_watch_result *result);

/**
 * rein_watch_test() - see what happens when a watch expires
 * @watch:	of an owner
 * @real:	it does expire, and its steps are done; else there are records of them, and
 *		it goes on as if nothing had been
 * @result:	what became of it; may be NULL
 *
 * Return: 0 or a negative errno: -EINVAL (it is not armed, or has expired), -EPERM (not of an
 * owner), -EIDRM (it is over).
 */
int rein_watch_test(int watch, bool real, struct rein_watch_result *result);

/**
 * rein_unwatch() - end a watch
 * @watch:	of an owner
 * @result:	what became of it; may be NULL
 *
 * Those who wait learn that it is over.
 *
 * Return: 0 or a negative errno: -EPERM (not of an owner), -EIDRM (it is over already).
 */
int rein_unwatch(int watch, struct rein_watch_result *result);

/**
 * rein_watch_wait() - wait until something happens that the descriptor is readable for
 * @watch:	any descriptor of the watch
 * @timeout_ns:	for how long; 0: not at all; REIN_FOREVER_NS: as long as it takes
 * @state:	how the watch is; may be NULL
 *
 * What a descriptor has told once it doesn't tell again: threads that wait should have one
 * each.
 *
 * Return: 0; -ETIMEDOUT: nothing happened; -EIDRM: it is over, and there is nothing more to
 * tell; -EINTR: a signal; -EBADF.
 */
int rein_watch_wait(int watch, uint64_t timeout_ns, struct rein_watch_state *state);

/**
 * rein_watch_map() - have the slot of a watch at hand
 * @watch:	a watch with REIN_WATCH_SLOT or REIN_WATCH_STAMP; it may be closed afterwards,
 *		unless it is owned
 * @slot:	as rein_watch_new() answered
 *
 * Only for the process that made the watch.
 *
 * Return: for rein_beat() and rein_watch_unmap(); NULL and errno.
 */
struct rein_watch_slot *rein_watch_map(int watch, uint32_t slot);

/**
 * rein_watch_unmap() - give back what rein_watch_map() returned
 * @slot:	may be NULL
 */
void rein_watch_unmap(struct rein_watch_slot *slot);

/**
 * rein_beat() - beat, without a call
 * @slot:	what rein_watch_map() returned, with REIN_WATCH_SLOT
 *
 * One store to memory, which the kernel looks at every twentieth of the shortest time of the
 * rules, but not more often than every ms. For one thread; if several beat in the same slot
 * some beats may get lost, but never all: rein_beat_shared() counts each. Threads that have
 * to be alive each need a watch each: one that beats would hide that another doesn't.
 */
static inline void rein_beat(struct rein_watch_slot *slot)
{
	uint64_t beats = __atomic_load_n(&slot->beats, __ATOMIC_RELAXED);

	__atomic_store_n(&slot->beats, beats + 1, __ATOMIC_RELAXED);
}

/**
 * rein_beat_shared() - rein_beat() for any number of threads
 * @slot:	what rein_watch_map() returned, with REIN_WATCH_SLOT
 *
 * One atomic addition.
 */
static inline void rein_beat_shared(struct rein_watch_slot *slot)
{
	__atomic_fetch_add(&slot->beats, 1, __ATOMIC_RELAXED);
}

/**
 * rein_beat_at() - say when the last beat was, without a call
 * @slot:	what rein_watch_map() returned, with REIN_WATCH_STAMP
 * @time_ns:	CLOCK_MONOTONIC of the caller's time namespace; what is later than now counts
 *		as now
 *
 * One store, for a program that has the time anyway.
 */
static inline void rein_beat_at(struct rein_watch_slot *slot, uint64_t time_ns)
{
	__atomic_store_n(&slot->stamp_ns, time_ns, __ATOMIC_RELAXED);
}

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
const char *rein_cause_name(uint32_t value);
const char *rein_scope_event_name(uint32_t value);
const char *rein_policy_name(uint32_t value);
const char *rein_subject_name(uint32_t value);
const char *rein_step_name(uint32_t value);
const char *rein_fault_name(uint32_t value);
const char *rein_watch_status_name(uint32_t value);
const char *rein_watch_event_name(uint32_t value);
const char *rein_watch_count_name(uint32_t value);

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
