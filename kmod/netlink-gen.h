/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/rein.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_REIN_GEN_H
#define _LINUX_REIN_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/rein.h>

/* Common nested types */
extern const struct nla_policy rein_tier_nl_policy[REIN_A_TIER_DEBT + 1];

extern const struct nla_policy rein_limit_add_nl_policy[REIN_A_LIMIT_FOR_NS + 1];

extern const struct nla_policy rein_limit_set_nl_policy[REIN_A_LIMIT_FOR_NS + 1];

extern const struct nla_policy rein_limit_replace_nl_policy[REIN_A_LIMIT_FOR_NS + 1];

extern const struct nla_policy rein_limit_del_nl_policy[REIN_A_LIMIT_CGROUP_FD + 1];

extern const struct nla_policy rein_limit_get_do_nl_policy[REIN_A_LIMIT_CGROUP_FD + 1];

extern const struct nla_policy rein_record_get_do_nl_policy[REIN_A_RECORD_ID + 1];
