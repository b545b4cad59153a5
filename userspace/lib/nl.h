/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The netlink connection: one request out, its answer in, errors understood.
 *
 * Promise: whatever the kernel says about a request ends up in one struct
 * rein_error; a dump is handed out only when it is complete and consistent.
 */
#ifndef REIN_NL_H
#define REIN_NL_H

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "rein.h"

struct rein {
	struct nl_sock *sock;
	int family;
	bool interrupted;
	bool pinned;
	struct rein_error error;
	char *buffer;
	/* The messages of the answer, one after the other. */
	char *answer;
	size_t answer_len;
	size_t answer_size;
	/* The attribute that holds others, in the request under way. */
	unsigned int nest;
};

/* Called for each message of an answer. */
typedef void (*rein_answer_fn)(struct nlmsghdr *nlh, void *arg);

int rein_fail(struct rein *rein, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct nl_msg *rein_request(struct rein *rein, unsigned int command, int flags, size_t room);
int rein_send(struct rein *rein, struct nl_msg *msg, rein_answer_fn fn, void *arg);
ssize_t rein_read(struct rein *rein);

int rein_parse(struct nlattr **tb, int max, struct nlmsghdr *nlh, const struct nla_policy *policy);
uint64_t rein_u64(const struct nlattr *attr);
uint32_t rein_u32(const struct nlattr *attr);
const char *rein_str(const struct nlattr *attr);

void rein_limit_parse(struct nlmsghdr *nlh, rein_limit_fn fn, void *arg);
void rein_record_parse(struct nlmsghdr *nlh, rein_record_fn fn, void *arg);
void rein_scope_parse(struct nlmsghdr *nlh, rein_scope_fn fn, void *arg);
void rein_watch_parse(struct nlmsghdr *nlh, rein_watch_fn fn, void *arg);
void rein_socket_parse(struct nlattr *attr, struct rein_socket *sock);
void rein_stats_parse(const struct nlattr *attr, struct rein_stats *stats);

#endif /* REIN_NL_H */
