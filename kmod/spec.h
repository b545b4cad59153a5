/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Specs: what a request says about a limit, whether that can be, and what is
 * taken for what it doesn't say.
 */
#ifndef REIN_SPEC_H
#define REIN_SPEC_H

#include <linux/types.h>

#include "limit.h"
#include "target.h"

struct cgroup;
struct nlattr;
struct rein_ask;

/**
 * struct rein_limit_spec - what a request says about a limit
 * @name:	its name
 * @at:		the cgroup or socket it is on, with references; no cgroup: not said
 * @trusted:	an administrator asks; else the user of a socket, about his own limits
 * @viewer:	the cgroup of who asks, if it may not see all; else NULL
 * @per_socket:	each socket shall have a copy
 * @copy:	it is to be one: nobody may wait for memory
 * @has_resource: whether @resource was said
 * @has_over:	whether @over was said
 * @has_patience: whether @patience_ns was said
 * @has_queue:	whether @queue was said
 * @has_credit:	whether @credit was said
 * @has_lifetime: whether @lifetime_ns was said
 * @resource:	what to meter
 * @over:	what to do when over
 * @n_tiers:	how many of @tiers were said; 0: keep those there are
 * @tiers:	unit, rate and burst of each (its tokens mean nothing)
 * @tier_attrs:	the attribute of each, to blame
 * @patience_ns: longest wait
 * @queue:	bytes that may wait
 * @credit:	millionths of a token that a success may give back
 * @lifetime_ns: until the limit removes itself, 0: never
 */
struct rein_limit_spec {
	const char *name;
	struct rein_at at;
	bool trusted;
	bool per_socket;
	bool copy;
	struct cgroup *viewer;
	bool has_resource, has_over, has_patience, has_queue, has_credit;
	bool has_lifetime;
	enum rein_resource resource;
	enum rein_over over;
	unsigned int n_tiers;
	struct rein_tier tiers[REIN_TIERS_MAX];
	const struct nlattr *tier_attrs[REIN_TIERS_MAX];
	u64 patience_ns;
	u64 queue;
	u32 credit;
	u64 lifetime_ns;
};

bool rein_name_fits(const char name[REIN_NAME_MAX + 1]);
bool rein_name_good(const char *name);
enum rein_resource rein_spec_resource(const struct rein_limit_spec *spec);
const char *rein_tier_name(unsigned int i);
int rein_spec_check_name(const struct rein_limit_spec *spec,
			 struct rein_ask *ask);
int rein_spec_check(const struct rein_limit_spec *spec, struct rein_ask *ask);
int rein_spec_check_fit(const struct rein_limit_spec *spec,
			enum rein_resource resource, struct rein_ask *ask);
int rein_spec_check_new(const struct rein_limit_spec *spec,
			struct rein_ask *ask);

u64 rein_default_patience(const struct rein_limit *limit);
u64 rein_default_queue(const struct rein_limit *limit);

#endif /* REIN_SPEC_H */
