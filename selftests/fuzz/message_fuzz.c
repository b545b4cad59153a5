// SPDX-License-Identifier: GPL-2.0
/*
 * What librein makes of messages, and the command of what librein made: one
 * answer after the other as they come from the kernel, errors and limits and
 * records, scopes and watches, cut short and mad.
 */
#include "../../userspace/lib/nl.c"

#include "cli.h"
#include "fuzz.h"
#include "watch.h"

static void show_limit(const struct rein_limit *limit, void *arg)
{
	show_limit_full(arg, limit);
	show_limit_row(arg, limit, true);
}

static void show_record(const struct rein_record *record, void *arg)
{
	show_record_full(arg, record);
	show_record_row(arg, record);
}

static void show_scope(const struct rein_scope *scope, void *arg)
{
	show_scope_full(arg, scope);
	show_scope_row(arg, scope);
	show_scope_event(arg, scope);
}

static void show_watch(const struct rein_watch *watch, void *arg)
{
	show_watch_full(arg, watch);
	show_watch_row(arg, watch, true);
	show_watch_event(arg, watch);
}

static struct nl_msg *a_request(struct rein *rein)
{
	struct nl_msg *msg = rein_request(rein, REIN_CMD_LIMIT_ADD, 0, 512);
	struct nlattr *nest;

	rein->nest = REIN_A_LIMIT_TIER;
	nla_put_string(msg, REIN_A_LIMIT_NAME, "web");
	nest = nla_nest_start(msg, REIN_A_LIMIT_TIER | NLA_F_NESTED);
	nla_put_u32(msg, REIN_A_TIER_UNIT, 0);
	nla_nest_end(msg, nest);
	nlmsg_hdr(msg)->nlmsg_seq = 0;
	return msg;
}

/* The first bytes of a message are its length: made to fit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rein rein = { 0 };
	struct nl_msg *request = a_request(&rein);
	struct out out = { .json = size & 1 };
	char *text = NULL, *copy = malloc(size + 1);
	struct nlmsghdr *nlh = (struct nlmsghdr *)copy;
	int left = size;
	size_t len = 0;

	memcpy(copy, data, size);
	out.file = open_memstream(&text, &len);
	out_object(&out, NULL);
	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
		nlh->nlmsg_seq = 0;
		if (take_message(&rein, nlmsg_hdr(request), nlh) != 1)
			continue;
		if (nlmsg_datalen(nlh) < (int)GENL_HDRLEN)
			continue;
		if (genlmsg_hdr(nlh)->cmd % 5 == 4)
			rein_watch_parse(nlh, show_watch, &out);
		else if (genlmsg_hdr(nlh)->cmd % 3 == 2)
			rein_scope_parse(nlh, show_scope, &out);
		else if (genlmsg_hdr(nlh)->cmd & 1)
			rein_limit_parse(nlh, show_limit, &out);
		else
			rein_record_parse(nlh, show_record, &out);
	}
	out_end(&out);
	out_flush(&out);
	out_free(&out);
	fclose(out.file);
	free(text);
	free(copy);
	free(rein.answer);
	nlmsg_free(request);
	return 0;
}
