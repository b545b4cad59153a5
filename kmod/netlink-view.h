/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Views: what of limits, records and scopes who asks may see, and how cgroups are called
 * where he is.
 *
 * Context: the task that asks; may sleep.
 */
#ifndef REIN_NETLINK_VIEW_H
#define REIN_NETLINK_VIEW_H

#include <linux/limits.h>
#include <linux/uidgid.h>

#include "record.h"

struct cgroup;
struct sk_buff;

/**
 * struct rein_view - a record, for who asks
 * @viewer:	his cgroup, if others' records are none of his business; NULL: he is
 *		an administrator
 * @uid:	the user that he is
 * @sees_pids:	pids are told as his namespace has them
 * @record:	room for a record
 * @root:	path of the root of his cgroup namespace
 */
struct rein_view {
	struct cgroup *viewer;
	kuid_t uid;
	bool sees_pids;
	struct rein_record record;
	char root[PATH_MAX];
};

struct cgroup *rein_view_cgroup(struct sk_buff *skb);
const struct cgroup *rein_view_root(void);
void rein_view_begin(struct rein_view *view, struct sk_buff *skb);
void rein_view_end(struct rein_view *view);
void rein_view_mask(struct rein_view *view);

#endif /* REIN_NETLINK_VIEW_H */
