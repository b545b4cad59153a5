/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watches on netlink: what is told of them, to whom, and when. They are made and beaten by
 * calls on /dev/rein.
 */
#ifndef REIN_NETLINK_WATCH_H
#define REIN_NETLINK_WATCH_H

#include <linux/types.h>
#include <linux/rein.h>

struct cgroup;
struct rein_view;
struct rein_watch;
struct sk_buff;

/**
 * struct rein_watch_step_note - what is told of a step
 * @at:		which one
 * @err:	why it could not be done, negative; or 0
 * @test:	it was not done
 */
struct rein_watch_step_note {
	u32 at;
	int err;
	bool test;
};

bool rein_watch_visible(const struct rein_watch *watch,
			const struct rein_view *view);
int rein_put_watch(struct sk_buff *skb, void *hdr, struct rein_watch *watch,
		   const struct cgroup *root, char *path);
void rein_netlink_watch(struct rein_watch *watch, enum rein_watch_event event,
			const struct rein_watch_step_note *step);

#endif /* REIN_NETLINK_WATCH_H */
