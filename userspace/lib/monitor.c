// SPDX-License-Identifier: GPL-2.0
#include "nl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Room for a burst of events; the kernel gives what it can of it. */
#define MONITOR_BUFFER	(4 << 20)

int rein_subscribe(struct rein *rein, const char *group)
{
	int size = MONITOR_BUFFER, id, ret;

	if (setsockopt(rein_fd(rein), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(rein_fd(rein), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	id = genl_ctrl_resolve_grp(rein->sock, REIN_FAMILY_NAME, group);
	if (id < 0)
		return rein_fail(rein, ENODEV, "the module has no events named %s", group);
	ret = setsockopt(rein_fd(rein), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &id, sizeof(id));
	if (ret)
		return rein_fail(rein, errno, "can't listen for %s: %s", group, strerror(errno));
	return 0;
}

static void hand_out(struct nlmsghdr *nlh, const struct rein_events *events, void *arg)
{
	switch (genlmsg_hdr(nlh)->cmd) {
	case REIN_CMD_LIMIT_NTF:
		if (events->limit)
			rein_limit_parse(nlh, events->limit, arg);
		break;
	case REIN_CMD_RECORD_NTF:
		if (events->record)
			rein_record_parse(nlh, events->record, arg);
		break;
	case REIN_CMD_SCOPE_NTF:
		if (events->scope)
			rein_scope_parse(nlh, events->scope, arg);
		break;
	/* Only who knows of watches, and has room for this, subscribes to them. */
	case REIN_CMD_WATCH_NTF:
		if (events->watch)
			rein_watch_parse(nlh, events->watch, arg);
		break;
	}
}

int rein_receive_events(struct rein *rein, const struct rein_events *events, void *arg)
{
	ssize_t len = rein_read(rein);
	struct nlmsghdr *nlh = (struct nlmsghdr *)rein->buffer;
	int left = len;

	if (len < 0)
		return rein_fail(rein, -len, "no more events: %s", strerror(-len));
	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
		if (nlh->nlmsg_type == rein->family)
			hand_out(nlh, events, arg);
	return 0;
}

int rein_receive(struct rein *rein, rein_limit_fn limit, rein_record_fn record, void *arg)
{
	const struct rein_events events = { .limit = limit, .record = record };

	return rein_receive_events(rein, &events, arg);
}
