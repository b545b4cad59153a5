// SPDX-License-Identifier: GPL-2.0
/*
 * Views. See netlink-view.h.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/netlink.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>

#include "cgroup.h"
#include "netlink-view.h"

/**
 * rein_view_cgroup() - whose business is the business of who asks?
 * @skb:	the request
 *
 * Return: the caller's cgroup, with a reference, if what is outside of its branch is
 * none of its business; NULL: an administrator asks.
 */
struct cgroup *rein_view_cgroup(struct sk_buff *skb)
{
	return netlink_capable(skb, CAP_NET_ADMIN) ? NULL :
						     rein_cgroup_current();
}

/**
 * rein_view_root() - the root of the caller's cgroup namespace
 *
 * Return: the cgroup, which lives as long as that.
 */
const struct cgroup *rein_view_root(void)
{
	return current->nsproxy->cgroup_ns->root_cset->dfl_cgrp;
}

/**
 * rein_view_begin() - see who asks
 * @view:	set to that; to be undone by rein_view_end()
 * @skb:	the request
 */
void rein_view_begin(struct rein_view *view, struct sk_buff *skb)
{
	view->viewer = rein_view_cgroup(skb);
	view->uid = current_uid();
	view->sees_pids = task_active_pid_ns(current) == &init_pid_ns;
	/* One that is too long is no beginning of any record's. */
	cgroup_path((struct cgroup *)rein_view_root(), view->root,
		    sizeof(view->root));
}

/**
 * rein_view_end() - undo rein_view_begin()
 * @view:	the view
 */
void rein_view_end(struct rein_view *view)
{
	if (view->viewer)
		cgroup_put(view->viewer);
}

/**
 * rein_view_mask() - take away what is not told to others than administrators
 * @view:	with a copy of a record
 */
void rein_view_mask(struct rein_view *view)
{
	struct rein_record *rec = &view->record;

	/* Not how the kernel got there, nor numbers of another namespace's tasks. */
	rec->depth = 0;
	if (!view->sees_pids)
		rec->pid = 0;
}
