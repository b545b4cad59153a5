/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink: requests in, replies and notifications out.
 *
 * The spec is Documentation/netlink/specs/rein.yaml; netlink-gen.[ch] and
 * the uapi header are generated from it.
 */
#ifndef REIN_NETLINK_H
#define REIN_NETLINK_H

#include <linux/rein.h>

struct rein_limit;

void rein_netlink_limit(struct rein_limit *limit, enum rein_event event);
void rein_netlink_wake(void);

int rein_netlink_init(void);
void rein_netlink_exit(void);
void rein_netlink_quiet(void);

#endif /* REIN_NETLINK_H */
