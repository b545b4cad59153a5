/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What netlink requests say: the spec's attributes, into a struct.
 */
#ifndef REIN_NETLINK_READ_H
#define REIN_NETLINK_READ_H

#include "spec.h"

struct nlattr;
struct nlmsghdr;
struct rein_ask;

int rein_read_missing(struct rein_ask *ask, const struct nlattr *attr,
		      const char *what);
int rein_read_target(struct nlattr **tb, struct rein_limit_spec *spec,
		     struct rein_ask *ask);
int rein_read_spec(const struct nlmsghdr *nlh, struct nlattr **tb,
		   struct rein_limit_spec *spec, struct rein_ask *ask);
void rein_read_done(struct rein_limit_spec *spec);

#endif /* REIN_NETLINK_READ_H */
