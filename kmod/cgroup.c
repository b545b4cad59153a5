// SPDX-License-Identifier: GPL-2.0
/*
 * Cgroups. See cgroup.h.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "cgroup.h"

/* Those who want to know: limits and bindings. */
static struct delayed_work *lookers[2];

static struct tracepoint *rmdir_tracepoint;

/**
 * rein_cgroup_current() - the caller's cgroup
 *
 * Return: the cgroup, with a reference.
 */
struct cgroup *rein_cgroup_current(void)
{
	struct cgroup *cgrp;

	rcu_read_lock();
	do {
		cgrp = task_dfl_cgroup(current);
	} while (!css_tryget(&cgrp->self));
	rcu_read_unlock();
	return cgrp;
}

/**
 * rein_cgroup_look() - have work run when a cgroup has gone
 * @work:	the work; it should look every REIN_CGROUP_LOOK, too, as there may be no
 *		tracepoints in the kernel
 *
 * Context: while the module is loaded, before rein_cgroup_init().
 */
void rein_cgroup_look(struct delayed_work *work)
{
	unsigned int i = 0;

	while (i < ARRAY_SIZE(lookers) - 1 && lookers[i])
		i++;
	lookers[i] = work;
}

/* Called under a spinlock with interrupts off: only pass it on. */
static void on_rmdir(void *data, struct cgroup *cgrp, const char *path)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lookers); i++)
		if (lookers[i])
			mod_delayed_work(system_power_efficient_wq, lookers[i],
					 0);
}

static void find_rmdir(struct tracepoint *tp, void *found)
{
	if (!strcmp(tp->name, "cgroup_rmdir"))
		*(struct tracepoint **)found = tp;
}

/**
 * rein_cgroup_init() - listen for dying cgroups
 */
void rein_cgroup_init(void)
{
	for_each_kernel_tracepoint(find_rmdir, &rmdir_tracepoint);
	if (rmdir_tracepoint &&
	    tracepoint_probe_register(rmdir_tracepoint, on_rmdir, NULL))
		rmdir_tracepoint = NULL;
}

/**
 * rein_cgroup_exit() - undo rein_cgroup_init(): no work is begun any more
 */
void rein_cgroup_exit(void)
{
	if (!rmdir_tracepoint)
		return;
	tracepoint_probe_unregister(rmdir_tracepoint, on_rmdir, NULL);
	tracepoint_synchronize_unregister();
}
