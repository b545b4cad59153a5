/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scopes on netlink: what is told of them, to whom, and when. They are made and cancelled
 * by calls on /dev/rein.
 */
#ifndef REIN_NETLINK_SCOPE_H
#define REIN_NETLINK_SCOPE_H

#include <linux/rein.h>

struct cgroup;
struct rein_scope;
struct rein_view;
struct sk_buff;

bool rein_scope_visible(const struct rein_scope *scope,
			const struct rein_view *view);
int rein_put_scope(struct sk_buff *skb, void *hdr,
		   const struct rein_scope *scope, const struct cgroup *root,
		   char *path);
void rein_netlink_scope(const struct rein_scope *scope,
			enum rein_scope_event event);

#endif /* REIN_NETLINK_SCOPE_H */
