// SPDX-License-Identifier: GPL-2.0
/*
 * Expiry: limits that remove themselves. See expiry.h.
 */
#include <linux/ktime.h>
#include <linux/timerqueue.h>
#include <linux/workqueue.h>

#include "expiry.h"
#include "limit.h"

static struct timerqueue_head expiries = {
	.rb_root = RB_ROOT_CACHED,
};				/* rein_mutex */

static void expire(struct work_struct *unused);
static DECLARE_DELAYED_WORK(work, expire);

static void arm(void)
{
	struct timerqueue_node *next = timerqueue_getnext(&expiries);
	u64 now = ktime_get_ns();
	u64 wait;

	if (!next)
		return;
	wait = next->expires > now ? next->expires - now : 0;
	/* A jiffy more, or it would run a little too early, and again. */
	mod_delayed_work(system_power_efficient_wq, &work,
			 wait ? nsecs_to_jiffies(wait) + 1 : 0);
}

/**
 * rein_expiry_cancel() - a limit stays
 * @limit:	the limit
 *
 * Context: rein_mutex held.
 */
void rein_expiry_cancel(struct rein_limit *limit)
{
	if (RB_EMPTY_NODE(&limit->expiry.node))
		return;
	timerqueue_del(&expiries, &limit->expiry);
	RB_CLEAR_NODE(&limit->expiry.node);
}

/**
 * rein_expiry_set() - have a limit remove itself
 * @limit:	the limit, attached
 * @lifetime_ns: when, from now; 0: it stays
 *
 * Context: rein_mutex held.
 */
void rein_expiry_set(struct rein_limit *limit, u64 lifetime_ns)
{
	rein_expiry_cancel(limit);
	if (!lifetime_ns)
		return;
	limit->expiry.expires = ktime_get_ns() + lifetime_ns;
	timerqueue_add(&expiries, &limit->expiry);
	arm();
}

static void expire(struct work_struct *unused)
{
	struct timerqueue_node *next;
	u64 now = ktime_get_ns();

	mutex_lock(&rein_mutex);
	while ((next = timerqueue_getnext(&expiries))) {
		if (next->expires > now)
			break;
		rein_limit_drop(container_of(next, struct rein_limit, expiry),
				REIN_EVENT_EXPIRED);
	}
	arm();
	mutex_unlock(&rein_mutex);
}

/**
 * rein_expiry_left() - how long a limit has until it removes itself
 * @limit:	the limit
 *
 * Context: rein_mutex held.
 *
 * Return: ns, at least 1; 0: it stays.
 */
u64 rein_expiry_left(const struct rein_limit *limit)
{
	u64 now = ktime_get_ns();

	if (RB_EMPTY_NODE(&limit->expiry.node))
		return 0;
	return limit->expiry.expires > now ? limit->expiry.expires - now : 1;
}

/**
 * rein_expiry_exit() - wait until nothing expires any more
 *
 * Context: there are no limits any more, nor anybody who could add one.
 */
void rein_expiry_exit(void)
{
	cancel_delayed_work_sync(&work);
}
