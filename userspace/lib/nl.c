// SPDX-License-Identifier: GPL-2.0
#include "nl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

/* The kernel never makes a netlink message larger than this. */
#define BUFFER_SIZE	65536

/* How often a dump is asked for again that changed under the reader. */
#define DUMP_TRIES	10

static void forget_error(struct rein *rein)
{
	memset(&rein->error, 0, sizeof(rein->error));
}

/* Note what went wrong on this side and return it. */
int rein_fail(struct rein *rein, int err, const char *format, ...)
{
	va_list ap;

	forget_error(rein);
	rein->error.err = err;
	va_start(ap, format);
	vsnprintf(rein->error.message, sizeof(rein->error.message), format, ap);
	va_end(ap);
	return -err;
}

/* libnl has errors of its own; only what it took from the kernel is left. */
static int nl_errno(int nlerr)
{
	switch (nlerr < 0 ? -nlerr : nlerr) {
	case NLE_OBJ_NOTFOUND:
		return ENODEV;
	case NLE_NOMEM:
		return ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return EPERM;
	case NLE_AF_NOSUPPORT:
		return EAFNOSUPPORT;
	default:
		return EIO;
	}
}

static int resolve(struct rein *rein)
{
	int family = genl_ctrl_resolve(rein->sock, REIN_FAMILY_NAME);

	if (family >= 0) {
		rein->family = family;
		return 0;
	}
	/* The controller says ENOENT for a family it does not have. */
	if (nl_errno(family) == ENODEV)
		return rein_fail(rein, ENODEV, "the rein module is not loaded");
	return rein_fail(rein, nl_errno(family), "the kernel's list of netlink families: %s",
			 nl_geterror(family));
}

static int set_up(struct rein *rein)
{
	int on = 1, ret;

	rein->buffer = malloc(BUFFER_SIZE);
	rein->sock = nl_socket_alloc();
	if (!rein->buffer || !rein->sock)
		return rein_fail(rein, ENOMEM, "out of memory");
	ret = genl_connect(rein->sock);
	if (ret < 0)
		return rein_fail(rein, nl_errno(ret), "no netlink socket: %s", nl_geterror(ret));
	/* Answers are read past libnl, so it can't keep count of them. */
	nl_socket_disable_seq_check(rein->sock);
	/* libnl leaves these off; the error path lives on the first. */
	setsockopt(rein_fd(rein), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(rein_fd(rein), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return resolve(rein);
}

int rein_open(struct rein **out)
{
	struct rein *rein = calloc(1, sizeof(*rein));
	int ret;

	*out = NULL;
	if (!rein)
		return -ENOMEM;
	ret = set_up(rein);
	if (ret) {
		rein_close(rein);
		return ret;
	}
	*out = rein;
	return 0;
}

void rein_close(struct rein *rein)
{
	if (!rein)
		return;
	nl_socket_free(rein->sock);
	free(rein->buffer);
	free(rein->answer);
	free(rein);
}

const struct rein_error *rein_last_error(const struct rein *rein)
{
	return &rein->error;
}

bool rein_interrupted(const struct rein *rein)
{
	return rein->interrupted;
}

int rein_fd(const struct rein *rein)
{
	return nl_socket_get_fd(rein->sock);
}

/* Begin a request with room for attributes; NULL and the error noted if there is no memory. */
struct nl_msg *rein_request(struct rein *rein, unsigned int command, int flags, size_t room)
{
	struct nl_msg *msg = nlmsg_alloc_size(NLMSG_HDRLEN + GENL_HDRLEN + room);

	rein->nest = 0;
	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, rein->family, 0, flags,
				 command, REIN_FAMILY_VERSION)) {
		nlmsg_free(msg);
		rein_fail(rein, ENOMEM, "out of memory");
		return NULL;
	}
	return msg;
}

/* Read one datagram of the kernel's into the buffer. */
ssize_t rein_read(struct rein *rein)
{
	struct sockaddr_nl from;
	struct iovec iov = { rein->buffer, BUFFER_SIZE };
	struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from),
			      .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t len;

	for (;;) {
		len = recvmsg(rein_fd(rein), &msg, 0);
		if (len < 0)
			return -errno;
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		/* Any process may send to this socket; only the kernel is believed. */
		if (from.nl_pid == 0)
			return len;
	}
}

/* Which attribute of the request lies at this offset? */
static void find_attr(struct rein *rein, struct nlmsghdr *request, size_t offset)
{
	char *at = (char *)request + offset;
	struct nlattr *attr, *inner;
	unsigned int seen[64] = { 0 };
	int rem, left;

	nlmsg_for_each_attr(attr, request, GENL_HDRLEN, rem) {
		unsigned int type = nla_type(attr);
		unsigned int index = type < 64 ? seen[type]++ : 0;

		if (at < (char *)attr || at >= (char *)attr + nla_total_size(nla_len(attr)))
			continue;
		rein->error.attr = type;
		rein->error.index = index;
		if (type != rein->nest || at == (char *)attr)
			return;
		nla_for_each_nested(inner, attr, left) {
			char *end = (char *)inner + nla_total_size(nla_len(inner));

			if (at >= (char *)inner && at < end)
				rein->error.nested = nla_type(inner);
		}
		return;
	}
}

/* Read what the kernel added to an error: message, attribute, record. */
static void read_extack(struct rein *rein, struct nlmsghdr *request, struct nlattr *attr, int len)
{
	struct rein_error *error = &rein->error;
	int rem;

	nla_for_each_attr(attr, attr, len, rem) {
		switch (nla_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			/* Its end is its length: don't trust the NUL to be there. */
			snprintf(error->message, sizeof(error->message), "%.*s", nla_len(attr),
				 (char *)nla_data(attr));
			break;
		case NLMSGERR_ATTR_OFFS:
			if (nla_len(attr) >= 4)
				find_attr(rein, request, nla_get_u32(attr));
			break;
		case NLMSGERR_ATTR_COOKIE:
			if (nla_len(attr) >= 8)
				memcpy(&error->record, nla_data(attr), 8);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			if (nla_len(attr) >= 4 && !error->attr) {
				error->attr = nla_get_u32(attr);
				error->missing = true;
			}
			break;
		case NLMSGERR_ATTR_MISS_NEST:
			if (nla_len(attr) >= 4 && error->missing) {
				unsigned int nested = error->attr;

				error->attr = 0;
				find_attr(rein, request, nla_get_u32(attr));
				error->nested = nested;
			}
			break;
		}
	}
}

/* An NLMSG_ERROR, or an NLMSG_DONE that carries one: they differ in layout. */
static int read_error(struct rein *rein, struct nlmsghdr *request, struct nlmsghdr *nlh)
{
	size_t head = nlh->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(int);
	int err;

	if (nlmsg_datalen(nlh) < (int)head) {
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 0;
		return rein_fail(rein, EPROTO, "the kernel's answer is too short");
	}
	err = *(int *)nlmsg_data(nlh);
	if (err >= 0)
		return 0;
	if (err < -4095)
		return rein_fail(rein, EPROTO, "the kernel's answer has no such error");
	if (nlh->nlmsg_type == NLMSG_ERROR && !(nlh->nlmsg_flags & NLM_F_CAPPED))
		head += request->nlmsg_len - NLMSG_HDRLEN;
	forget_error(rein);
	rein->error.err = -err;
	rein->error.refused = true;
	head = NLMSG_ALIGN(head);
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS && nlmsg_datalen(nlh) > (int)head)
		read_extack(rein, request, (struct nlattr *)((char *)nlmsg_data(nlh) + head),
			    nlmsg_datalen(nlh) - head);
	if (!rein->error.message[0]) {
		rein->error.bare = true;
		snprintf(rein->error.message, sizeof(rein->error.message), "%s", strerror(-err));
	}
	return err;
}

static int keep_answer(struct rein *rein, struct nlmsghdr *nlh)
{
	size_t len = NLMSG_ALIGN(nlh->nlmsg_len);

	if (rein->answer_len + len > rein->answer_size) {
		size_t size = (rein->answer_len + len) * 2;
		char *answer = realloc(rein->answer, size);

		if (!answer)
			return rein_fail(rein, ENOMEM, "out of memory");
		rein->answer = answer;
		rein->answer_size = size;
	}
	memcpy(rein->answer + rein->answer_len, nlh, nlh->nlmsg_len);
	rein->answer_len += len;
	return 0;
}

/* Take one message of the answer; 1: there is more to come. */
static int take_message(struct rein *rein, struct nlmsghdr *request, struct nlmsghdr *nlh)
{
	int ret;

	/* A leftover of an earlier request that failed half way. */
	if (nlh->nlmsg_seq != request->nlmsg_seq)
		return 1;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		rein->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
	case NLMSG_DONE:
		return read_error(rein, request, nlh);
	case NLMSG_NOOP:
		return 1;
	default:
		ret = keep_answer(rein, nlh);
		return ret ? ret : 1;
	}
}

static int receive_answer(struct rein *rein, struct nlmsghdr *request)
{
	rein->answer_len = 0;
	rein->interrupted = false;
	for (;;) {
		ssize_t len = rein_read(rein);
		struct nlmsghdr *nlh = (struct nlmsghdr *)rein->buffer;
		int left = len;

		if (len == -EINTR)
			continue;
		if (len < 0)
			return rein_fail(rein, -len, "no answer from the kernel: %s",
					 strerror(-len));
		for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
			int ret = take_message(rein, request, nlh);

			if (ret <= 0)
				return ret;
		}
	}
}

static int exchange(struct rein *rein, struct nl_msg *msg)
{
	struct nlmsghdr *request = nlmsg_hdr(msg);
	int try, ret;

	for (try = 0; try < DUMP_TRIES; try++) {
		request->nlmsg_seq = NL_AUTO_SEQ;
		ret = nl_send_auto(rein->sock, msg);
		if (ret < 0)
			return rein_fail(rein, EIO, "the request could not be sent: %s",
					 nl_geterror(ret));
		ret = receive_answer(rein, request);
		if (ret || !rein->interrupted)
			return ret;
	}
	return 0;
}

/*
 * Send a request, wait for its end, hand out its answer. A bare ENOENT comes
 * from the netlink core: the family went away, or came back as another one.
 */
int rein_send(struct rein *rein, struct nl_msg *msg, rein_answer_fn fn, void *arg)
{
	struct nlmsghdr *nlh;
	int ret, left;
	bool gone;

	ret = exchange(rein, msg);
	gone = ret == -ENOENT && !rein->error.record && !rein->error.attr;
	if (gone && rein->pinned) {
		ret = rein_fail(rein, ENODEV, "the rein module was unloaded");
	} else if (gone) {
		struct rein_error error = rein->error;
		int family = rein->family;

		ret = resolve(rein);
		if (!ret && rein->family == family) {
			rein->error = error;
			ret = -error.err;
		} else if (!ret) {
			nlmsg_hdr(msg)->nlmsg_type = rein->family;
			ret = exchange(rein, msg);
		}
	}
	nlmsg_free(msg);
	if (ret || !fn || !rein->answer_len)
		return ret;
	nlh = (struct nlmsghdr *)rein->answer;
	left = rein->answer_len;
	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
		fn(nlh, arg);
	return 0;
}

void rein_pin(struct rein *rein)
{
	rein->pinned = true;
}

int rein_parse(struct nlattr **tb, int max, struct nlmsghdr *nlh, const struct nla_policy *policy)
{
	/* libnl reads the policy only, but does not say so. */
	return genlmsg_parse(nlh, 0, tb, max, (struct nla_policy *)policy);
}

uint64_t rein_u64(const struct nlattr *attr)
{
	return attr ? nla_get_u64((struct nlattr *)attr) : 0;
}

uint32_t rein_u32(const struct nlattr *attr)
{
	return attr ? nla_get_u32((struct nlattr *)attr) : 0;
}

const char *rein_str(const struct nlattr *attr)
{
	return attr ? nla_get_string((struct nlattr *)attr) : NULL;
}
