/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink by hand, so that messages can be wrong in any way: requests
 * are built byte by byte, and nothing but the kernel checks them.
 */
#ifndef REIN_SELFTESTS_GENL_H
#define REIN_SELFTESTS_GENL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rein.h>

/**
 * struct genl_msg - a request that is being built
 * @len:	bytes so far
 * @buf:	the message
 */
struct genl_msg {
	size_t len;
	union {
		struct nlmsghdr nlh;
		char buf[32768];
	};
};

/**
 * struct genl_answer - what the kernel said to a request
 * @err:	0 or the errno
 * @record:	id of the record in the extack cookie, 0: none
 * @attr:	type of the attribute at fault, 0: none was named
 * @text:	message
 */
struct genl_answer {
	int err;
	uint64_t record;
	unsigned int attr;
	char text[256];
};

typedef void (*genl_reply_fn)(const struct genlmsghdr *reply, size_t len, void *arg);

static uint16_t genl_family;

static inline void genl_begin_type(struct genl_msg *msg, uint16_t type, uint8_t cmd,
				   uint16_t flags)
{
	struct genlmsghdr *ghdr = NLMSG_DATA(&msg->nlh);

	memset(msg, 0, sizeof(*msg));
	msg->nlh.nlmsg_type = type;
	msg->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	ghdr->cmd = cmd;
	ghdr->version = 1;
	msg->len = NLMSG_HDRLEN + GENL_HDRLEN;
}

static inline void genl_begin(struct genl_msg *msg, uint8_t cmd, uint16_t flags)
{
	genl_begin_type(msg, genl_family, cmd, flags);
}

static inline struct nlattr *genl_put(struct genl_msg *msg, uint16_t type, const void *data,
				      size_t len)
{
	struct nlattr *attr = (struct nlattr *)(msg->buf + msg->len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((char *)attr + NLA_HDRLEN, data, len);
	msg->len += NLA_ALIGN(attr->nla_len);
	return attr;
}

static inline struct nlattr *genl_put_u32(struct genl_msg *msg, uint16_t type, uint32_t value)
{
	return genl_put(msg, type, &value, sizeof(value));
}

static inline struct nlattr *genl_put_u64(struct genl_msg *msg, uint16_t type, uint64_t value)
{
	return genl_put(msg, type, &value, sizeof(value));
}

static inline struct nlattr *genl_put_string(struct genl_msg *msg, uint16_t type,
					     const char *value)
{
	return genl_put(msg, type, value, strlen(value) + 1);
}

static inline struct nlattr *genl_nest(struct genl_msg *msg, uint16_t type)
{
	return genl_put(msg, type | NLA_F_NESTED, NULL, 0);
}

static inline void genl_nest_end(struct genl_msg *msg, struct nlattr *nest)
{
	nest->nla_len = msg->buf + msg->len - (char *)nest;
}

static inline const struct nlattr *genl_first(const struct genlmsghdr *ghdr)
{
	return (const struct nlattr *)((const char *)ghdr + GENL_HDRLEN);
}

/* The next attribute of @type at or after @attr, before @end. */
static inline const struct nlattr *genl_find(const struct nlattr *attr, const void *end,
					     unsigned int type)
{
	while ((const char *)attr + NLA_HDRLEN <= (const char *)end &&
	       attr->nla_len >= NLA_HDRLEN) {
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		attr = (const void *)((const char *)attr + NLA_ALIGN(attr->nla_len));
	}
	return NULL;
}

static inline const void *genl_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

static inline const struct nlattr *genl_next(const struct nlattr *attr)
{
	return (const void *)((const char *)attr + NLA_ALIGN(attr->nla_len));
}

static inline uint32_t genl_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	if (attr)
		memcpy(&value, genl_data(attr), sizeof(value));
	return value;
}

static inline uint64_t genl_u64(const struct nlattr *attr)
{
	uint64_t value = 0;

	if (attr)
		memcpy(&value, genl_data(attr), sizeof(value));
	return value;
}

/* A socket that never waits longer than ten seconds. */
static inline int genl_socket(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct timeval patience = { 10, 0 };
	int one = 1, size = 1 << 20;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (void *)&kernel, sizeof(kernel))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Which attribute of the request lies at an offset? */
static inline unsigned int genl_attr_at(const struct genl_msg *msg, uint32_t offset)
{
	const struct nlattr *attr = genl_first(NLMSG_DATA(&msg->nlh));
	const char *at = msg->buf + offset, *end = msg->buf + msg->len;

	while ((const char *)attr + NLA_HDRLEN <= end && attr->nla_len >= NLA_HDRLEN) {
		if (at < (const char *)genl_next(attr))
			return attr->nla_type & NLA_TYPE_MASK;
		attr = genl_next(attr);
	}
	return 0;
}

static inline void genl_read_error(const struct genl_msg *request, const struct nlmsghdr *nlh,
				   struct genl_answer *answer)
{
	const char *end = (const char *)nlh + nlh->nlmsg_len;
	const struct nlattr *first, *attr;
	bool done = nlh->nlmsg_type == NLMSG_DONE;

	memcpy(&answer->err, NLMSG_DATA(nlh), sizeof(int));
	answer->err = -answer->err;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	/* The request itself is left out of the answer: NETLINK_CAP_ACK. */
	first = (const void *)((const char *)NLMSG_DATA(nlh) +
			       (done ? NLMSG_ALIGN(sizeof(int)) : sizeof(struct nlmsgerr)));
	attr = genl_find(first, end, NLMSGERR_ATTR_MSG);
	if (attr)
		strncpy(answer->text, genl_data(attr), sizeof(answer->text) - 1);
	attr = genl_find(first, end, NLMSGERR_ATTR_OFFS);
	if (attr)
		answer->attr = genl_attr_at(request, genl_u32(attr));
	attr = genl_find(first, end, NLMSGERR_ATTR_COOKIE);
	if (attr && attr->nla_len >= NLA_HDRLEN + sizeof(answer->record))
		answer->record = genl_u64(attr);
}

/* Send a message as it is, and read all that the kernel answers. */
static inline int genl_exchange(int fd, const struct genl_msg *msg, size_t len,
				struct genl_answer *answer, genl_reply_fn reply, void *arg)
{
	static char buf[1 << 17];
	const struct nlmsghdr *nlh;
	ssize_t got;

	memset(answer, 0, sizeof(*answer));
	if (send(fd, msg->buf, len, 0) < 0)
		return -errno;
	for (;;) {
		got = recv(fd, buf, sizeof(buf), 0);
		if (got < 0)
			return -errno;
		for (nlh = (void *)buf; NLMSG_OK(nlh, got); nlh = NLMSG_NEXT(nlh, got)) {
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
				genl_read_error(msg, nlh, answer);
				return 0;
			}
			if (reply)
				reply(NLMSG_DATA(nlh), nlh->nlmsg_len - NLMSG_HDRLEN, arg);
		}
	}
}

/* Send a request; 0 if there was an answer. */
static inline int genl_ask(int fd, struct genl_msg *msg, struct genl_answer *answer,
			   genl_reply_fn reply, void *arg)
{
	msg->nlh.nlmsg_len = msg->len;
	return genl_exchange(fd, msg, msg->len, answer, reply, arg);
}

static inline void genl_take_family(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const struct nlattr *id = genl_find(genl_first(ghdr), (const char *)ghdr + len,
					    CTRL_ATTR_FAMILY_ID);

	if (id)
		memcpy(arg, genl_data(id), sizeof(uint16_t));
}

/* Find the family; 0 or a negative errno. */
static inline int genl_resolve(int fd)
{
	struct genl_answer answer;
	struct genl_msg msg;
	int err;

	genl_begin_type(&msg, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	genl_put_string(&msg, CTRL_ATTR_FAMILY_NAME, REIN_FAMILY_NAME);
	err = genl_ask(fd, &msg, &answer, genl_take_family, &genl_family);
	return err ? err : -answer.err;
}

/* A tier of @tokens per @period_ns; a u64 that is ~0 is left out. */
static inline void genl_put_tier(struct genl_msg *msg, uint32_t unit, uint64_t tokens,
				 uint64_t period_ns, uint64_t burst)
{
	struct nlattr *nest = genl_nest(msg, REIN_A_LIMIT_TIER);

	genl_put_u32(msg, REIN_A_TIER_UNIT, unit);
	if (tokens != UINT64_MAX)
		genl_put_u64(msg, REIN_A_TIER_RATE_TOKENS, tokens);
	if (period_ns != UINT64_MAX)
		genl_put_u64(msg, REIN_A_TIER_RATE_PERIOD_NS, period_ns);
	if (burst != UINT64_MAX)
		genl_put_u64(msg, REIN_A_TIER_BURST, burst);
	genl_nest_end(msg, nest);
}

#endif /* REIN_SELFTESTS_GENL_H */
