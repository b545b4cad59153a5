/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel's header as the generated policies need, so that a
 * program can read them: see tool-fuzz.c.
 */
#ifndef REIN_SELFTESTS_POLICY_NETLINK_H
#define REIN_SELFTESTS_POLICY_NETLINK_H

#include <stdint.h>

enum nla_kind { NLA_UNSPEC, NLA_U32, NLA_S32, NLA_U64, NLA_NUL_STRING, NLA_FLAG, NLA_NESTED };

/**
 * struct nla_policy - what an attribute may be
 * @type:	its kind; NLA_UNSPEC: the operation doesn't know it
 * @len:	of a string: the most bytes, 0: any
 * @max:	of a number: the largest; 0: any
 * @nested:	what is inside
 * @maxattr:	the last attribute inside
 */
struct nla_policy {
	enum nla_kind type;
	unsigned int len;
	uint64_t max;
	const struct nla_policy *nested;
	unsigned int maxattr;
};

#define NLA_POLICY_MAX(kind, most)	{ .type = (kind), .max = (most) }
#define NLA_POLICY_NESTED(inner) {						\
	.type = NLA_NESTED, .nested = (inner),					\
	.maxattr = sizeof(inner) / sizeof((inner)[0]) - 1,			\
}

#endif /* REIN_SELFTESTS_POLICY_NETLINK_H */
