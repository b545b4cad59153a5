// SPDX-License-Identifier: GPL-2.0
/*
 * Specs: what requests say about limits, and whether it can be. See spec.h.
 */
#include <linux/ctype.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "limit.h"
#include "record.h"
#include "socket.h"
#include "spec.h"
#include "target.h"

#define PATIENCE_MIN	((u64)NSEC_PER_MSEC)
#define DAY_NS		(24 * 3600ULL * NSEC_PER_SEC)
#define PATIENCE_MAX	DAY_NS
#define PATIENCE_LEAST	(2ULL * NSEC_PER_SEC)
/* Less than the two minutes after which TCP gives up. */
#define PATIENCE_CONNECT (60ULL * NSEC_PER_SEC)
#define QUEUE_MIN	SZ_64K
#define QUEUE_MAX	SZ_1G
#define QUEUE_MOST	SZ_64M
#define QUEUE_OWN	SZ_1M
#define TAKERS_LEAST	1024
#define TAKERS_MAX	SZ_16K
#define LIFETIME_MAX	(100 * 366 * DAY_NS)

/**
 * rein_name_good() - can something be named like this?
 * @name:	the name
 *
 * Return: whether it can be typed and printed safely.
 */
bool rein_name_good(const char *name)
{
	const char *c;

	if (!*name || *name == '-' || strlen(name) > REIN_NAME_MAX)
		return false;
	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("._-:@", *c)))
			return false;
	return true;
}

/**
 * rein_name_fits() - can something be named like this, or not at all?
 * @name:	of user space: it may not be terminated; an empty one is none
 *
 * Return: whether it can.
 */
bool rein_name_fits(const char name[REIN_NAME_MAX + 1])
{
	return strnlen(name, REIN_NAME_MAX + 1) <= REIN_NAME_MAX &&
	       (!*name || rein_name_good(name));
}

/**
 * rein_tier_name() - which tier, in words
 * @i:		its index
 *
 * Return: a string that lives as long as the module.
 */
const char *rein_tier_name(unsigned int i)
{
	static const char *const names[REIN_TIERS_MAX] = {
		"1", "2", "3", "4", "5", "6", "7", "8",
	};

	return names[i];
}

/**
 * rein_spec_check_name() - can a limit be named like this?
 * @spec:	what is asked for
 * @ask:	the request, for errors
 *
 * Context: may sleep.
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_spec_check_name(const struct rein_limit_spec *spec,
			 struct rein_ask *ask)
{
	if (rein_name_good(spec->name))
		return 0;
	return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_NAME),
			 REIN_E_NAME_BAD, "the name can't be used",
			 "a limit can't be named '%*pE'",
			 (int)strnlen(spec->name, 32), spec->name);
}

#define PACKET_UNITS	(BIT(REIN_UNIT_BYTES) | BIT(REIN_UNIT_PACKETS))
#define PACKET_OVERS	(BIT(REIN_OVER_REFUSE) | BIT(REIN_OVER_WAIT) |	\
			 BIT(REIN_OVER_MARK) | BIT(REIN_OVER_OBSERVE))
#define CALL_UNITS	BIT(REIN_UNIT_CALLS)
#define CALL_OVERS	(PACKET_OVERS & ~BIT(REIN_OVER_MARK))

/*
 * What fits a resource, and what a request is told that doesn't. Who sends to us knows
 * nothing of a queue but how long it takes, and sends again what takes long: on their way in
 * packets wait for shorter.
 */
static const struct {
	u8 units;
	u8 overs;
	u64 patience;
	u64 queue_least;
	u64 queue_ns;
	const char *unit_unfit;
	const char *over_unfit;
} resources[REIN_RESOURCES] = {
	[REIN_RESOURCE_EGRESS] = {
		PACKET_UNITS, PACKET_OVERS, PATIENCE_LEAST, SZ_1M, NSEC_PER_SEC,
		"egress is metered in bytes or packets",
	},
	[REIN_RESOURCE_INGRESS] = {
		PACKET_UNITS, PACKET_OVERS, PATIENCE_LEAST, SZ_64K, NSEC_PER_SEC / 8,
		"ingress is metered in bytes or packets",
	},
	[REIN_RESOURCE_CONNECT] = {
		CALL_UNITS, CALL_OVERS, PATIENCE_CONNECT, SZ_1M, NSEC_PER_SEC,
		"connect is metered in calls: connections, not what they carry",
		"a connection can't be marked: only packets have ECN",
	},
	[REIN_RESOURCE_ACCEPT] = {
		CALL_UNITS, CALL_OVERS & ~BIT(REIN_OVER_WAIT), PATIENCE_LEAST, SZ_1M, NSEC_PER_SEC,
		"accept is metered in calls: connections, not what they carry",
		"accept can't wait or mark: who calls would only call again",
	},
	[REIN_RESOURCE_CALL] = {
		CALL_UNITS, CALL_OVERS, 0, 0, 0,
		"call is metered in calls, not in bytes or packets",
		"a call can't be marked: only packets have ECN",
	},
};

static int check_queue(const struct rein_limit_spec *spec,
		       enum rein_resource resource, struct rein_ask *ask)
{
	const struct nlattr *attr = rein_ask_attr(ask, REIN_A_LIMIT_QUEUE);

	if (resource == REIN_RESOURCE_CALL) {
		if (spec->queue && spec->queue <= TAKERS_MAX)
			return 0;
		return rein_fail(ask, attr, REIN_E_QUEUE_RANGE,
				 "the queue must be between 1 and 16384 waiters",
				 "a queue of %llu waiters is not between 1 and 16384",
				 spec->queue);
	}
	if (spec->queue >= QUEUE_MIN && spec->queue <= QUEUE_MAX)
		return 0;
	return rein_fail(ask, attr, REIN_E_QUEUE_RANGE,
			 "the queue must be between 64 KiB and 1 GiB",
			 "a queue of %llu bytes is not between 64 KiB and 1 GiB",
			 spec->queue);
}

static int check_credit(const struct rein_limit_spec *spec,
			enum rein_resource resource, struct rein_ask *ask)
{
	const struct nlattr *attr = rein_ask_attr(ask, REIN_A_LIMIT_CREDIT);

	if (!spec->credit ||
	    (resource == REIN_RESOURCE_CALL && spec->credit <= REIN_CREDIT_ONE))
		return 0;
	return rein_fail(ask, attr, REIN_E_CREDIT_RANGE,
			 "a credit is at most one token, of a limit on call",
			 "limit %s can't give a credit of %u millionths",
			 spec->name, spec->credit);
}

/*
 * What waits on its way in is in no socket's buffers, and what waits on its way out may be
 * in that of an administrator's choice only.
 */
static int check_own_queue(const struct rein_limit_spec *spec,
			   struct rein_ask *ask)
{
	if (spec->trusted || spec->queue <= QUEUE_OWN)
		return 0;
	return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_QUEUE),
			 REIN_E_QUEUE_RANGE,
			 "the queue of one's own socket's limit must be at most 1 MiB",
			 "a queue of %llu bytes is more than the 1 MiB that need no privilege",
			 spec->queue);
}

/* A take may wait for ever: it holds nothing but a task. */
static int check_patience(const struct rein_limit_spec *spec,
			  enum rein_resource resource, struct rein_ask *ask)
{
	if (spec->patience_ns >= PATIENCE_MIN &&
	    spec->patience_ns <= PATIENCE_MAX)
		return 0;
	if (resource == REIN_RESOURCE_CALL && spec->patience_ns == REIN_NEVER)
		return 0;
	if (spec->patience_ns == REIN_NEVER)
		return rein_fail(ask,
				 rein_ask_attr(ask, REIN_A_LIMIT_PATIENCE_NS),
				 REIN_E_PATIENCE_RANGE,
				 "the patience must be between 1 ms and 1 day",
				 "limit %s can't have a patience without end",
				 spec->name);
	return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_PATIENCE_NS),
			 REIN_E_PATIENCE_RANGE,
			 "the patience must be between 1 ms and 1 day",
			 "a patience of %llu ns is not between 1 ms and 1 day",
			 spec->patience_ns);
}

/* Who connects, or calls, does not wait in a socket's room. */
static int check_per_socket(const struct rein_limit_spec *spec,
			    enum rein_resource resource, struct rein_ask *ask)
{
	if (!spec->at.sk && (resource == REIN_RESOURCE_EGRESS ||
			     resource == REIN_RESOURCE_INGRESS))
		return 0;
	return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_PER_SOCKET),
			 REIN_E_PER_SOCKET_UNFIT,
			 "only a limit of a cgroup on egress or ingress can be per socket",
			 "limit %s can't be per socket: it is not one of a cgroup on egress or ingress",
			 spec->name);
}

/**
 * rein_spec_check_fit() - does what is asked for fit what is metered?
 * @spec:	what is asked for
 * @resource:	what the limit meters
 * @ask:	the request, for errors
 *
 * Context: may sleep.
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_spec_check_fit(const struct rein_limit_spec *spec,
			enum rein_resource resource, struct rein_ask *ask)
{
	const char *what;
	unsigned int i;

	what = resources[resource].unit_unfit;
	for (i = 0; i < spec->n_tiers; i++)
		if (!(resources[resource].units & BIT(spec->tiers[i].unit)))
			return __rein_fail(ask, spec->tier_attrs[i],
					   REIN_E_UNIT_MISMATCH, what,
					   REIN_SITE, "limit %s: %s",
					   spec->name, what);
	what = resources[resource].over_unfit;
	if (spec->has_over && !(resources[resource].overs & BIT(spec->over)))
		return __rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_OVER),
				   REIN_E_OVER_UNFIT, what, REIN_SITE,
				   "limit %s: %s", spec->name, what);
	return (spec->per_socket ? check_per_socket(spec, resource, ask) : 0) ?:
	       (spec->has_queue ? check_queue(spec, resource, ask) ?:
				  check_own_queue(spec, ask) : 0) ?:
	       (spec->has_credit ? check_credit(spec, resource, ask) : 0) ?:
	       (spec->has_patience ? check_patience(spec, resource, ask) : 0);
}

static int check_tier(const struct rein_tier *tier, const struct nlattr *attr,
		      struct rein_ask *ask)
{
	const struct rein_rate *rate = &tier->bucket.rate;

	if (!tier->bucket.burst)
		return rein_fail(ask, attr, REIN_E_BURST_ZERO,
				 "the burst must be at least 1",
				 "the burst of a tier is 0; it must be at least 1");
	if (rein_rate_check(rate, tier->bucket.burst))
		return rein_fail(ask, attr, REIN_E_RATE_RANGE,
				 "the rate is out of range",
				 "a rate of %llu tokens in %llu ns is below one a day or above 10^12 a second",
				 rate->tokens, rate->period_ns);
	return 0;
}

/**
 * rein_spec_check() - can a limit have this name, these tiers, this life?
 * @spec:	what is asked for
 * @ask:	the request, for errors
 *
 * Context: may sleep.
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_spec_check(const struct rein_limit_spec *spec, struct rein_ask *ask)
{
	struct rein_doing doing;
	unsigned int i;
	int err;

	err = rein_spec_check_name(spec, ask);
	if (err)
		return err;
	for (i = 0; i < spec->n_tiers; i++) {
		rein_doing_begin(ask, &doing, REIN_SITE, "checking tier",
				 rein_tier_name(i));
		err = check_tier(&spec->tiers[i], spec->tier_attrs[i], ask);
		rein_doing_end(ask);
		if (err)
			return err;
	}
	if (spec->has_lifetime && spec->lifetime_ns > LIFETIME_MAX)
		return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_FOR_NS),
				 REIN_E_LIFETIME_RANGE,
				 "the time to live must be at most 100 years",
				 "a time to live of %llu days is more than 100 years",
				 div64_u64(spec->lifetime_ns, DAY_NS));
	return 0;
}

/**
 * rein_spec_resource() - what a new limit meters
 * @spec:	what is asked for
 *
 * Return: the resource; what leaves, if none was said.
 */
enum rein_resource rein_spec_resource(const struct rein_limit_spec *spec)
{
	return spec->has_resource ? spec->resource : REIN_RESOURCE_EGRESS;
}

static int check_socket(const struct rein_limit_spec *spec,
			struct rein_ask *ask)
{
	if (rein_spec_resource(spec) == REIN_RESOURCE_CALL)
		return rein_fail(ask, rein_ask_attr(ask, REIN_A_LIMIT_RESOURCE),
				 REIN_E_RESOURCE_UNSUPPORTED,
				 "calls are made by programs: put the limit on their cgroup",
				 "a socket makes no calls that limit %s could meter",
				 spec->name);
	if (rein_socket_gone(spec->at.sk))
		return rein_fail(ask,
				 rein_ask_attr(ask, REIN_A_LIMIT_SOCKET_FD),
				 REIN_E_NOT_A_SOCKET,
				 "the socket was closed",
				 "the socket for a limit named %s was closed",
				 spec->name);
	return 0;
}

static int check_target(const struct rein_limit_spec *spec,
			struct rein_ask *ask)
{
	if (!spec->at.cgrp)
		return rein_fail(ask, NULL, REIN_E_MISSING,
				 "the target is missing: cgroup-fd or socket-fd",
				 "a limit named %s needs a target, and none was named",
				 spec->name);
	if (spec->at.sk)
		return check_socket(spec, ask);
	if (rein_cgroup_dead(spec->at.cgrp))
		return rein_fail(ask,
				 rein_ask_attr(ask, REIN_A_LIMIT_CGROUP_FD),
				 REIN_E_CGROUP_DYING, "the cgroup was removed",
				 "the cgroup for a limit named %s was removed",
				 spec->name);
	return 0;
}

/**
 * rein_spec_check_new() - can there be a new limit like this?
 * @spec:	what is asked for
 * @ask:	the request, for errors
 *
 * Whether it is one too many, or has the name of another, is not looked at.
 *
 * Context: may sleep; rein_mutex held.
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_spec_check_new(const struct rein_limit_spec *spec,
			struct rein_ask *ask)
{
	return check_target(spec, ask) ?: rein_spec_check(spec, ask) ?:
	       rein_spec_check_fit(spec, rein_spec_resource(spec), ask);
}

/* --- what isn't said ----------------------------------------------------------- */

/**
 * rein_default_patience() - how long a limit lets wait, if that wasn't said
 * @limit:	the limit, locked or not yet published
 *
 * Return: ns, enough for four packets of the largest size, or four connections;
 * REIN_NEVER, for ever, for a take.
 */
u64 rein_default_patience(const struct rein_limit *limit)
{
	u64 time = rein_limit_time(limit, 4 * SZ_64K, 4);

	if (limit->resource == REIN_RESOURCE_CALL)
		return REIN_NEVER;
	/* Nothing moves at a closed limit, however long it is waited for. */
	if (time == REIN_NEVER)
		time = 0;
	return clamp(time, resources[limit->resource].patience, PATIENCE_MAX);
}

/**
 * rein_default_queue() - how much a limit lets wait, if that wasn't said
 * @limit:	the limit, locked or not yet published
 *
 * Return: bytes of packets, as a power of two: what goes out in a second, or arrives in an
 * eighth of one; or a number of takers.
 */
u64 rein_default_queue(const struct rein_limit *limit)
{
	/* There may be many sockets. */
	const bool own = !limit->trusted || limit->per_socket || limit->origin;
	const u64 most = own ? QUEUE_OWN : QUEUE_MOST;
	const u64 ns = resources[limit->resource].queue_ns;
	u64 queue = resources[limit->resource].queue_least;

	if (limit->resource == REIN_RESOURCE_CALL)
		return TAKERS_LEAST;
	while (queue < most &&
	       rein_limit_time(limit, queue, queue / 1500) < ns)
		queue *= 2;
	return queue;
}
