// SPDX-License-Identifier: GPL-2.0
/*
 * Credit. See credit.h.
 */
#include <linux/cgroup.h>
#include <linux/rcupdate.h>

#include "admit.h"
#include "call.h"
#include "cgroup.h"
#include "credit.h"
#include "limit.h"
#include "line.h"
#include "target.h"

/* Keep those limits of a chain that have the name and give credit. */
static void select_credited(struct rein_chain *chain, const char *name)
{
	unsigned int i, kept = 0;

	for (i = 0; i < chain->n; i++)
		if (READ_ONCE(chain->limits[i]->credit) &&
		    !strcmp(chain->limits[i]->name, name))
			chain->limits[kept++] = chain->limits[i];
	chain->n = kept;
}

/* Note what is given. Returns whether it has become a whole token somewhere. */
static bool note(struct rein_chain *chain, u32 millionths)
{
	bool whole = false;
	unsigned int i;

	rein_chain_lock(chain);
	for (i = 0; i < chain->n; i++) {
		struct rein_limit *limit = chain->limits[i];
		u32 most = limit->credit;

		limit->credited += millionths ? min(millionths, most) : most;
		whole |= limit->credited >= REIN_CREDIT_ONE;
	}
	rein_chain_unlock(chain);
	return whole;
}

static void limit_pay(struct rein_limit *limit, u64 now)
{
	const u32 whole = limit->credited / REIN_CREDIT_ONE;
	unsigned int i;

	limit->credited %= REIN_CREDIT_ONE;
	for (i = 0; i < limit->n_tiers && whole; i++) {
		struct rein_bucket *bucket = &limit->tiers[i].bucket;

		rein_bucket_refill(bucket, max(now, bucket->last));
		rein_bucket_add(bucket, whole);
	}
}

/* Those who wait may move up, so that nobody may be on the plan meanwhile. */
static void pay(struct cgroup *cgrp, const char *name)
{
	struct rein_chain chain;
	struct rein_tree *tree = rein_line_stop(&chain, cgrp);
	unsigned int i;

	if (!tree)
		return;
	select_credited(&chain, name);
	rein_chain_lock(&chain);
	for (i = 0; i < chain.n; i++)
		limit_pay(chain.limits[i], ktime_get_ns());
	rein_chain_unlock(&chain);
	rein_line_resume(tree);
}

static unsigned int credit(struct cgroup *cgrp, const char *name,
			   u32 millionths)
{
	struct rein_chain chain;

	rcu_read_lock();
	rein_chain_find(&chain, cgrp, REIN_RESOURCE_CALL);
	select_credited(&chain, name);
	if (chain.n && note(&chain, millionths))
		pay(cgrp, name);
	rcu_read_unlock();
	return chain.n;
}

static int check(const struct rein_credit_args *args,
		 struct rein_answer *answer)
{
	if (*args->name && !args->reserved &&
	    args->millionths <= REIN_CREDIT_ONE &&
	    strnlen(args->name, sizeof(args->name)) < sizeof(args->name))
		return 0;
	return rein_call_fail(answer, REIN_E_TAKE_MALFORMED,
			      "the name is empty or not terminated, or it is more than a token",
			      "a credit of %u millionths, or its name, can't be read",
			      args->millionths);
}

/**
 * rein_credit() - REIN_IOC_CREDIT
 * @dev:	/dev/rein
 * @arg:	see the ABI
 * @answer:	why not
 *
 * Context: the task that has succeeded; may sleep.
 *
 * Return: 0 or a negative errno.
 */
int rein_credit(struct file *dev, void *arg, struct rein_answer *answer)
{
	struct rein_credit_args *args = arg;
	int err = check(args, answer);
	struct cgroup *cgrp;

	if (err)
		return err;
	cgrp = rein_cgroup_current();
	args->limits = credit(cgrp, args->name, args->millionths);
	cgroup_put(cgrp);
	if (args->limits)
		return 0;
	return rein_call_fail(answer, REIN_E_CREDIT_NONE,
			      "no limit of that name that takes credit binds the caller",
			      "no limit named %*pE that takes credit binds the caller",
			      (int)strlen(args->name), args->name);
}
