// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps. See netlink-dump.h.
 */
#include <linux/cgroup.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "limit.h"
#include "netlink.h"
#include "netlink-dump.h"
#include "netlink-gen.h"
#include "netlink-put.h"
#include "netlink-read.h"
#include "netlink-scope.h"
#include "netlink-view.h"
#include "netlink-watch.h"
#include "raw.h"
#include "record.h"
#include "ring.h"
#include "scope.h"
#include "target.h"
#include "watch.h"

/**
 * struct record_filter - which records are wanted
 * @newest:	none that came later: those that come meanwhile would have no end
 * @has_kind:	those of @kind
 * @kind:	of enum rein_kind
 * @code:	those of this code, 0: any
 * @severity:	none that are less severe
 * @since_ns:	none that were last seen before, CLOCK_REALTIME
 */
struct record_filter {
	u64 newest;
	bool has_kind;
	u32 kind;
	u32 code;
	u32 severity;
	u64 since_ns;
};

/**
 * struct nl_dump - what is kept of a dump between its parts
 * @next:	id to go on with; of a chain: the next level, counted from 1
 * @below:	of a chain: only limits of the level with a lesser id are due
 * @spec:	filter: name and cgroup, and who asks; holds references
 * @chain:	filter: only limits that bind the cgroup
 * @copies:	also those
 * @filter:	filter: which records
 * @err:	what the first part has to answer
 * @extack:	and why: before 6.12 there is none when a dump starts
 * @view:	room for a record, and who asks for records
 * @name:	room for the name in @spec
 * @path:	room for a path
 */
struct nl_dump {
	u64 next;
	u64 below;
	struct rein_limit_spec spec;
	bool chain;
	bool copies;
	struct record_filter filter;
	int err;
	struct netlink_ext_ack extack;
	struct rein_view view;
	char name[REIN_NAME_MAX + 1];
	char path[PATH_MAX];
};

static struct nl_dump *dump_of(struct netlink_callback *cb)
{
	return (struct nl_dump *)cb->args[0];
}

static void select_name(struct nl_dump *dump, const struct nlattr *name)
{
	if (!name)
		return;
	nla_strscpy(dump->name, name, sizeof(dump->name));
	dump->spec.name = dump->name;
}

static void select_records(struct nl_dump *dump, struct nlattr **tb)
{
	struct record_filter *filter = &dump->filter;

	filter->newest = rein_ring_newest();
	if (tb[REIN_A_RECORD_ID])
		dump->next = nla_get_u64(tb[REIN_A_RECORD_ID]);
	if (tb[REIN_A_RECORD_KIND]) {
		filter->has_kind = true;
		filter->kind = nla_get_u32(tb[REIN_A_RECORD_KIND]);
	}
	if (tb[REIN_A_RECORD_CODE])
		filter->code = nla_get_u32(tb[REIN_A_RECORD_CODE]);
	if (tb[REIN_A_RECORD_SEVERITY])
		filter->severity = nla_get_u32(tb[REIN_A_RECORD_SEVERITY]);
	if (tb[REIN_A_RECORD_LAST_NS])
		filter->since_ns = nla_get_u64(tb[REIN_A_RECORD_LAST_NS]);
	select_name(dump, tb[REIN_A_RECORD_LIMIT_NAME]);
}

static int dump_select(struct nl_dump *dump, u8 cmd, struct nlattr **tb,
		       struct rein_ask *ask)
{
	if (cmd == REIN_CMD_RECORD_GET) {
		select_records(dump, tb);
		return 0;
	}
	if (cmd == REIN_CMD_SCOPE_GET) {
		select_name(dump, tb[REIN_A_SCOPE_NAME]);
		return 0;
	}
	if (cmd == REIN_CMD_WATCH_GET) {
		select_name(dump, tb[REIN_A_WATCH_NAME]);
		return 0;
	}
	select_name(dump, tb[REIN_A_LIMIT_NAME]);
	if (tb[REIN_A_LIMIT_RESOURCE]) {
		dump->spec.has_resource = true;
		dump->spec.resource = nla_get_u32(tb[REIN_A_LIMIT_RESOURCE]);
	}
	dump->chain = tb[REIN_A_LIMIT_CHAIN];
	dump->copies = tb[REIN_A_LIMIT_COPIES] || tb[REIN_A_LIMIT_SOCKET_FD];
	if (dump->chain && !tb[REIN_A_LIMIT_CGROUP_FD] &&
	    !tb[REIN_A_LIMIT_SOCKET_FD])
		return rein_read_missing(ask, NULL, "a chain needs a target");
	return rein_read_target(tb, &dump->spec, ask);
}

/* Returns what the dump has to answer; why is in its extack. */
static int dump_prepare(struct nl_dump *dump, struct netlink_callback *cb,
			struct rein_ask *ask)
{
	u8 cmd = ((struct genlmsghdr *)nlmsg_data(cb->nlh))->cmd;
	struct nlattr **tb;
	int err;

	tb = rein_nl_parse(cb->nlh, ask);
	if (IS_ERR(tb))
		return PTR_ERR(tb);
	rein_view_begin(&dump->view, cb->skb);
	err = dump_select(dump, cmd, tb, ask);
	kfree(tb);
	if (!err && dump->chain) {
		/* A socket is one level below its cgroup. */
		dump->next = dump->spec.at.cgrp->level + 1 + !!dump->spec.at.sk;
		dump->below = U64_MAX;
	}
	return err;
}

/**
 * rein_dump_start() - a dump begins
 * @cb:		its state
 *
 * Context: the task that asks; may sleep.
 *
 * Return: 0 or -ENOMEM; what else is wrong is told in place of the first part.
 */
int rein_dump_start(struct netlink_callback *cb)
{
	u8 cmd = ((struct genlmsghdr *)nlmsg_data(cb->nlh))->cmd;
	struct nl_dump *dump = kvzalloc(sizeof(*dump), GFP_KERNEL);
	struct rein_ask ask = { };
	struct rein_doing doing;

	rein_doing_begin(&ask, &doing, REIN_SITE, "answering a dump request",
			 rein_nl_name(cmd));
	if (!dump)
		return rein_fail_memory(&ask, "for the request");
	ask.extack = &dump->extack;
	dump->err = rein_raw_catch(&ask, dump_prepare(dump, cb, &ask), "a dump");
	cb->min_dump_alloc = REIN_MESSAGE_MAX;
	cb->args[0] = (long)dump;
	return 0;
}

/**
 * rein_dump_done() - undo rein_dump_start()
 * @cb:		the state of the dump
 *
 * Return: 0.
 */
int rein_dump_done(struct netlink_callback *cb)
{
	struct nl_dump *dump = dump_of(cb);

	rein_read_done(&dump->spec);
	rein_view_end(&dump->view);
	kvfree(dump);
	return 0;
}

/* What went wrong at the start is told in place of the first part. */
static int dump_err(struct netlink_callback *cb)
{
	struct nl_dump *dump = dump_of(cb);

	if (dump->err && cb->extack)
		*cb->extack = dump->extack;
	return dump->err;
}

static int dump_limit(struct sk_buff *skb, struct netlink_callback *cb,
		      struct rein_limit *limit)
{
	struct nl_dump *dump = dump_of(cb);
	void *hdr;

	if ((dump->spec.name && strcmp(limit->name, dump->spec.name)) ||
	    (dump->spec.has_resource &&
	     limit->resource != dump->spec.resource) ||
	    (!dump->chain && dump->spec.at.cgrp &&
	     !rein_target_is(limit->target, &dump->spec.at)) ||
	    (limit->origin && !dump->copies) ||
	    (dump->chain && rein_target_copied(&dump->spec.at, limit)) ||
	    !rein_limit_visible(limit, dump->view.viewer))
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &rein_nl_family, NLM_F_MULTI, REIN_CMD_LIMIT_GET);
	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return rein_put_limit(skb, hdr, limit, rein_view_root(), dump->path);
}

/* The youngest limit of a place that is older than @below, or NULL. */
static struct rein_limit *limit_below(const struct rein_at *at,
				      const struct rein_limit_spec *spec,
				      u64 below)
{
	struct rein_limit *limit, *found = NULL;
	const struct rein_target *target;
	unsigned int i;

	for (i = 0; i < REIN_RESOURCES; i++) {
		if (spec->has_resource && spec->resource != i)
			continue;
		target = rein_target_lookup(at, rein_lane_of(i));
		if (!target)
			continue;
		list_for_each_entry(limit, &target->limits[i], node)
			if (limit->id < below && (!found || limit->id > found->id))
				found = limit;
	}
	return found;
}

static int dump_level(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct rein_at *at)
{
	struct nl_dump *dump = dump_of(cb);
	struct rein_limit *limit;
	int err;

	/* Youngest first, as they are checked. */
	while ((limit = limit_below(at, &dump->spec, dump->below))) {
		err = dump_limit(skb, cb, limit);
		if (err)
			return err;
		dump->below = limit->id;
	}
	return 0;
}

/* One level after the other, from the leaf up. */
static int dump_chain(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nl_dump *dump = dump_of(cb);
	int err;

	for (; dump->next; dump->next--, dump->below = U64_MAX) {
		struct rein_at at = dump->spec.at;

		if (!at.sk || dump->next < at.cgrp->level + 2)
			at = (struct rein_at){
				.cgrp = cgroup_ancestor(at.cgrp, dump->next - 1)
			};
		err = dump_level(skb, cb, &at);
		if (err)
			return err;
	}
	return 0;
}

static int dump_all(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nl_dump *dump = dump_of(cb);
	struct rein_limit *limit;
	int err;

	while ((limit = rein_limit_next(dump->next))) {
		err = dump_limit(skb, cb, limit);
		if (err)
			return err;
		dump->next = limit->id + 1;
	}
	return 0;
}

/**
 * rein_nl_limit_get_dumpit() - see the spec: limit-get
 * @skb:	to be filled
 * @cb:		the state of the dump
 *
 * Return: the bytes in @skb, 0 at the end, or a negative errno.
 */
int rein_nl_limit_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	int err = dump_err(cb);

	if (err)
		return err;
	mutex_lock(&rein_mutex);
	/* Sockets come and go all the time: what they have is a part of it only if asked for. */
	cb->seq = dump_of(cb)->copies ? rein_config_gen : rein_limit_changes();
	err = dump_of(cb)->chain ? dump_chain(skb, cb) : dump_all(skb, cb);
	mutex_unlock(&rein_mutex);
	return skb->len ?: err;
}

static bool record_wanted(const struct nl_dump *dump)
{
	const struct record_filter *filter = &dump->filter;
	const struct rein_record *rec = &dump->view.record;

	return (!filter->has_kind || rec->info->kind == filter->kind) &&
	       (!filter->code || rec->info->number == filter->code) &&
	       rec->info->severity >= filter->severity &&
	       rec->last_ns >= filter->since_ns &&
	       (!dump->spec.name || !strcmp(rec->limit_name, dump->spec.name)) &&
	       (!dump->view.viewer ||
		rein_record_visible(rec, dump->view.viewer, dump->view.uid));
}

static int dump_record(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rein_view *view = &dump_of(cb)->view;
	void *hdr;

	if (view->viewer)
		rein_view_mask(view);
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &rein_nl_family, NLM_F_MULTI, REIN_CMD_RECORD_GET);
	return rein_put_record(skb, hdr, &view->record, view->root);
}

/**
 * rein_nl_record_get_dumpit() - see the spec: record-get
 * @skb:	to be filled
 * @cb:		the state of the dump
 *
 * Return: the bytes in @skb, 0 at the end, or a negative errno.
 */
int rein_nl_record_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nl_dump *dump = dump_of(cb);
	int err = dump_err(cb);
	u64 id;

	if (err)
		return err;
	while ((id = rein_ring_next(dump->next)) &&
	       id <= dump->filter.newest) {
		if (rein_ring_read(id, &dump->view.record) &&
		    record_wanted(dump)) {
			err = dump_record(skb, cb);
			if (err)
				return skb->len ?: err;
		}
		dump->next = id + 1;
		cond_resched();
	}
	return skb->len;
}

static int dump_scope(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct rein_scope *scope)
{
	struct nl_dump *dump = dump_of(cb);
	void *hdr;

	if ((dump->spec.name && strcmp(scope->name, dump->spec.name)) ||
	    !rein_scope_visible(scope, &dump->view))
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &rein_nl_family, NLM_F_MULTI, REIN_CMD_SCOPE_GET);
	return rein_put_scope(skb, hdr, scope, rein_view_root(), dump->path);
}

static int dump_watch(struct sk_buff *skb, struct netlink_callback *cb,
		      struct rein_watch *watch)
{
	struct nl_dump *dump = dump_of(cb);
	void *hdr;

	if ((dump->spec.name && strcmp(watch->name, dump->spec.name)) ||
	    !rein_watch_visible(watch, &dump->view))
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &rein_nl_family, NLM_F_MULTI, REIN_CMD_WATCH_GET);
	return rein_put_watch(skb, hdr, watch, rein_view_root(), dump->path);
}

/**
 * rein_nl_watch_get_dumpit() - see the spec: watch-get
 * @skb:	to be filled
 * @cb:		the state of the dump
 *
 * Return: the bytes in @skb, 0 at the end, or a negative errno.
 */
int rein_nl_watch_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nl_dump *dump = dump_of(cb);
	struct rein_watch *watch;
	int err = dump_err(cb);

	while (!err && (watch = rein_watch_next(dump->next))) {
		err = dump_watch(skb, cb, watch);
		if (!err)
			dump->next = watch->id + 1;
		rein_watch_put(watch);
		cond_resched();
	}
	return skb->len ?: err;
}

/**
 * rein_nl_scope_get_dumpit() - see the spec: scope-get
 * @skb:	to be filled
 * @cb:		the state of the dump
 *
 * Return: the bytes in @skb, 0 at the end, or a negative errno.
 */
int rein_nl_scope_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nl_dump *dump = dump_of(cb);
	struct rein_scope *scope;
	int err = dump_err(cb);

	while (!err && (scope = rein_scope_next(dump->next))) {
		err = dump_scope(skb, cb, scope);
		if (!err)
			dump->next = scope->id + 1;
		rein_scope_put(scope);
		cond_resched();
	}
	return skb->len ?: err;
}
