// SPDX-License-Identifier: GPL-2.0
/*
 * What netlink requests say. See netlink-read.h.
 */
#include <linux/cgroup.h>
#include <net/genetlink.h>

#include "netlink-gen.h"
#include "netlink-read.h"
#include "record.h"
#include "socket.h"

static int read_cgroup(const struct nlattr *attr, struct rein_limit_spec *spec,
		       struct rein_ask *ask)
{
	struct cgroup *cgrp;

	cgrp = cgroup_get_from_fd(nla_get_s32(attr));
	/* Whose directory is open, but not there any more. */
	if (cgrp == ERR_PTR(-ENOENT))
		return rein_fail(ask, attr, REIN_E_CGROUP_DYING,
				 "the cgroup was removed",
				 "the cgroup that was named as the target was removed");
	if (IS_ERR(cgrp))
		return rein_fail(ask, attr, REIN_E_NOT_A_CGROUP,
				 "the target is not a cgroup2 directory",
				 "what was named as the target is not a cgroup2 directory");
	spec->at.cgrp = cgrp;
	return 0;
}

static int read_socket(const struct nlattr *attr, struct rein_limit_spec *spec,
		       struct rein_ask *ask)
{
	spec->at.sk = rein_socket_get(nla_get_s32(attr));
	if (!spec->at.sk)
		return rein_fail(ask, attr, REIN_E_NOT_A_SOCKET,
				 "the target is not a socket of IP",
				 "what was named as the target is not a socket of the families inet and inet6");
	/* The socket keeps it. */
	spec->at.cgrp = rein_socket_cgroup(spec->at.sk);
	cgroup_get(spec->at.cgrp);
	return 0;
}

/**
 * rein_read_target() - the target of a request
 * @tb:		its attributes, validated
 * @spec:	gets references, to be put with rein_read_done()
 * @ask:	the request, for errors
 *
 * Return: 0, also if it names none; or a negative errno, with a record.
 */
int rein_read_target(struct nlattr **tb, struct rein_limit_spec *spec,
		     struct rein_ask *ask)
{
	if (tb[REIN_A_LIMIT_SOCKET_FD] && tb[REIN_A_LIMIT_CGROUP_FD])
		return rein_fail(ask, tb[REIN_A_LIMIT_SOCKET_FD],
				 REIN_E_MALFORMED,
				 "a target is a cgroup or a socket, not both",
				 "the request names a cgroup and a socket as its target");
	if (tb[REIN_A_LIMIT_SOCKET_FD])
		return read_socket(tb[REIN_A_LIMIT_SOCKET_FD], spec, ask);
	if (tb[REIN_A_LIMIT_CGROUP_FD])
		return read_cgroup(tb[REIN_A_LIMIT_CGROUP_FD], spec, ask);
	return 0;
}

/**
 * rein_read_missing() - refuse a request that lacks something
 * @ask:	the request
 * @attr:	the attribute that it is missing from, or NULL
 * @what:	what is missing, a string literal
 *
 * Return: a negative errno, with a record.
 */
int rein_read_missing(struct rein_ask *ask, const struct nlattr *attr,
		      const char *what)
{
	return __rein_fail(ask, attr, REIN_E_MISSING, what, REIN_SITE, "%s",
			   what);
}

static int read_tier(const struct nlattr *attr, struct rein_tier *tier,
		     struct rein_ask *ask)
{
	struct rein_rate *rate = &tier->bucket.rate;
	struct nlattr *tb[REIN_A_TIER_MAX + 1];

	/* Validated with the message. */
	if (nla_parse_nested(tb, REIN_A_TIER_MAX, attr, rein_tier_nl_policy,
			     ask->extack) ||
	    tb[REIN_A_TIER_TOKENS] || tb[REIN_A_TIER_DEBT])
		return rein_fail(ask, attr, REIN_E_MALFORMED,
				 "a tier can't be read",
				 "a tier of the request can't be read");
	if (!tb[REIN_A_TIER_UNIT])
		return rein_read_missing(ask, attr, "a tier has no unit");
	if (!tb[REIN_A_TIER_BURST])
		return rein_read_missing(ask, attr, "a tier has no burst");

	tier->unit = nla_get_u32(tb[REIN_A_TIER_UNIT]);
	tier->bucket.burst = nla_get_u64(tb[REIN_A_TIER_BURST]);
	if (tb[REIN_A_TIER_UNLIMITED]) {
		rate->tokens = REIN_RATE_UNLIMITED;
		return 0;
	}
	if (!tb[REIN_A_TIER_RATE_TOKENS])
		return rein_read_missing(ask, attr, "a tier has no rate");
	rate->tokens = nla_get_u64(tb[REIN_A_TIER_RATE_TOKENS]);
	if (rate->tokens && !tb[REIN_A_TIER_RATE_PERIOD_NS])
		return rein_read_missing(ask, attr, "the rate of a tier has no period");
	if (tb[REIN_A_TIER_RATE_PERIOD_NS])
		rate->period_ns = nla_get_u64(tb[REIN_A_TIER_RATE_PERIOD_NS]);
	if (rate->tokens == REIN_RATE_UNLIMITED)
		return rein_fail(ask, attr, REIN_E_RATE_RANGE,
				 "the rate is out of range",
				 "a rate of 2^64 - 1 tokens is out of range");
	return 0;
}

static int read_tiers(const struct nlmsghdr *nlh, struct rein_limit_spec *spec,
		      struct rein_ask *ask)
{
	struct rein_doing doing;
	struct nlattr *attr;
	int err, rest;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rest) {
		if (nla_type(attr) != REIN_A_LIMIT_TIER)
			continue;
		if (spec->n_tiers == REIN_TIERS_MAX)
			return rein_fail(ask, attr, REIN_E_TIERS_MANY,
					 "a limit has at most 8 tiers",
					 "limit %s has more than 8 tiers",
					 spec->name);
		rein_doing_begin(ask, &doing, REIN_SITE, "reading tier",
				 rein_tier_name(spec->n_tiers));
		err = read_tier(attr, &spec->tiers[spec->n_tiers], ask);
		rein_doing_end(ask);
		if (err)
			return err;
		spec->tier_attrs[spec->n_tiers++] = attr;
	}
	return 0;
}

static int read_named(const struct nlmsghdr *nlh, struct nlattr **tb,
		      struct rein_limit_spec *spec, struct rein_ask *ask)
{
	int err;

	err = rein_read_target(tb, spec, ask);
	if (err)
		return err;

	/* Requests that don't change anything have no more than that. */
	if (((struct genlmsghdr *)nlmsg_data(nlh))->cmd > REIN_CMD_LIMIT_REPLACE)
		return 0;
	if (tb[REIN_A_LIMIT_RESOURCE]) {
		spec->has_resource = true;
		spec->resource = nla_get_u32(tb[REIN_A_LIMIT_RESOURCE]);
	}
	if (tb[REIN_A_LIMIT_OVER]) {
		spec->has_over = true;
		spec->over = nla_get_u32(tb[REIN_A_LIMIT_OVER]);
	}
	if (tb[REIN_A_LIMIT_PATIENCE_NS]) {
		spec->has_patience = true;
		spec->patience_ns = nla_get_u64(tb[REIN_A_LIMIT_PATIENCE_NS]);
	}
	if (tb[REIN_A_LIMIT_CREDIT]) {
		spec->has_credit = true;
		spec->credit = nla_get_u32(tb[REIN_A_LIMIT_CREDIT]);
	}
	if (tb[REIN_A_LIMIT_QUEUE]) {
		spec->has_queue = true;
		spec->queue = nla_get_u64(tb[REIN_A_LIMIT_QUEUE]);
	}
	spec->per_socket = nla_get_flag(tb[REIN_A_LIMIT_PER_SOCKET]);
	if (tb[REIN_A_LIMIT_FOR_NS]) {
		spec->has_lifetime = true;
		spec->lifetime_ns = nla_get_u64(tb[REIN_A_LIMIT_FOR_NS]);
	}
	return read_tiers(nlh, spec, ask);
}

/**
 * rein_read_spec() - what a request says about a limit
 * @nlh:	the message
 * @tb:		its attributes, validated
 * @spec:	where to, zeroed; done with by rein_read_done() in any case
 * @ask:	the request, for errors
 *
 * Context: the task that asks; may sleep.
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_read_spec(const struct nlmsghdr *nlh, struct nlattr **tb,
		   struct rein_limit_spec *spec, struct rein_ask *ask)
{
	struct rein_doing doing;
	int err;

	if (!tb[REIN_A_LIMIT_NAME])
		return rein_read_missing(ask, NULL, "the limit has no name");
	spec->name = nla_data(tb[REIN_A_LIMIT_NAME]);
	rein_doing_begin(ask, &doing, REIN_SITE, "reading limit", spec->name);
	err = read_named(nlh, tb, spec, ask);
	rein_doing_end(ask);
	return err;
}

/**
 * rein_read_done() - drop the references of a spec
 * @spec:	the spec
 */
void rein_read_done(struct rein_limit_spec *spec)
{
	if (spec->at.sk)
		sock_put(spec->at.sk);
	if (spec->at.cgrp)
		cgroup_put(spec->at.cgrp);
	if (spec->viewer)
		cgroup_put(spec->viewer);
}
