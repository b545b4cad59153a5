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

struct genl_family;
struct genl_info;
struct nlattr;
struct nlmsghdr;
struct rein_ask;
struct rein_limit;
struct sk_buff;

extern struct genl_family rein_nl_family;

/* For those who answer requests. */
struct rein_ask *rein_nl_ask(const struct genl_info *info);
const char *rein_nl_name(u8 cmd);
struct nlattr **rein_nl_parse(const struct nlmsghdr *nlh, struct rein_ask *ask);
bool rein_nl_listened(unsigned int group);
void rein_nl_tell(unsigned int group, u8 cmd,
		  int (*put)(struct sk_buff *msg, void *hdr, const void *what,
			     char *path), const void *what);

void rein_netlink_limit(struct rein_limit *limit, enum rein_event event);
void rein_netlink_wake(void);

int rein_netlink_init(void);
void rein_netlink_exit(void);
void rein_netlink_quiet(void);

#endif /* REIN_NETLINK_H */
