// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink. See netlink.h.
 *
 * Attributes are validated here and not by the core, against the generated
 * policies, so that a message that can't be read leaves a record like every
 * other refusal. For the same end all handlers run below one choke point,
 * which makes a bug record of any errno that nobody gave a meaning.
 */
#include <linux/cgroup.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "admit.h"
#include "hook.h"
#include "limit.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "netlink-put.h"
#include "netlink-read.h"
#include "raw.h"
#include "record.h"
#include "ring.h"
#include "take.h"
#include "target.h"
#include "version.h"

#define ABI		2

/**
 * struct nl_view - a record, for who asks
 * @viewer:	his cgroup, if others' records are none of his business; NULL: he is
 *		an administrator
 * @uid:	the user that he is
 * @sees_pids:	pids are told as his namespace has them
 * @record:	room for a record
 * @root:	path of the root of his cgroup namespace
 */
struct nl_view {
	struct cgroup *viewer;
	kuid_t uid;
	bool sees_pids;
	struct rein_record record;
	char root[PATH_MAX];
};

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
	struct record_filter filter;
	int err;
	struct netlink_ext_ack extack;
	struct nl_view view;
	char name[REIN_NAME_MAX + 1];
	char path[PATH_MAX];
};

static struct genl_family family;
static bool registered;		/* rein_mutex */

/* --- reading requests -------------------------------------------------------- */

static const struct genl_ops *generated(u8 cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rein_nl_ops); i++)
		if (rein_nl_ops[i].cmd == cmd)
			return &rein_nl_ops[i];
	return NULL;
}

/* The request that a message is, for errors. */
static struct rein_ask *ask_of(const struct genl_info *info)
{
	return info->user_ptr[0];
}

/* What requests are called in the spec. */
static const char *const names[] = {
	[REIN_CMD_LIMIT_ADD] = "limit-add",
	[REIN_CMD_LIMIT_SET] = "limit-set",
	[REIN_CMD_LIMIT_REPLACE] = "limit-replace",
	[REIN_CMD_LIMIT_DEL] = "limit-del",
	[REIN_CMD_LIMIT_GET] = "limit-get",
	[REIN_CMD_RECORD_GET] = "record-get",
	[REIN_CMD_STAT_GET] = "stat-get",
	[REIN_CMD_FLUSH] = "flush",
	[REIN_CMD_RECORD_CLEAR] = "record-clear",
};

/* That can't be read, for which the netlink core has given a reason. */
static int fail_malformed(struct rein_ask *ask)
{
	const struct nlattr *bad = ask->extack->bad_attr;
	const char *what = ask->extack->_msg ?: "malformed message";

	/* Of one in a nest it is the number in there. */
	if (bad)
		return __rein_fail(ask, bad, REIN_E_MALFORMED, what, REIN_SITE,
				   "attribute %d could not be read: %s",
				   nla_type(bad), what);
	return __rein_fail(ask, NULL, REIN_E_MALFORMED, what, REIN_SITE,
			   "the request could not be read: %s", what);
}

/* Parse a message as the spec says; the caller frees the table. */
static struct nlattr **parse(const struct nlmsghdr *nlh, struct rein_ask *ask)
{
	const struct genlmsghdr *ghdr = nlmsg_data(nlh);
	const struct genl_ops *op = generated(ghdr->cmd);
	struct nlattr **tb;

	tb = kcalloc(op->maxattr + 1, sizeof(*tb), GFP_KERNEL);
	if (!tb)
		return ERR_PTR(rein_fail_memory(ask, "for the request"));
	if (nlmsg_parse(nlh, GENL_HDRLEN, tb, op->maxattr, op->policy,
			ask->extack)) {
		kfree(tb);
		return ERR_PTR(fail_malformed(ask));
	}
	ask->attrs = tb;
	return tb;
}

static int fail_permission(struct rein_ask *ask)
{
	return rein_fail(ask, NULL, REIN_E_PERMISSION,
			 "this needs CAP_NET_ADMIN",
			 "a request of user %u needs CAP_NET_ADMIN in the initial user namespace",
			 from_kuid(&init_user_ns, current_uid()));
}

/* What everybody may ask for, as far as it concerns them. */
static bool cmd_open(u8 cmd)
{
	return cmd == REIN_CMD_LIMIT_GET || cmd == REIN_CMD_RECORD_GET ||
	       cmd == REIN_CMD_STAT_GET;
}

/*
 * A requester that has no room for its reply, or has gone, has none for an
 * error either: results of genlmsg_reply() are of no use to anybody.
 */

/* --- who asks ------------------------------------------------------------------ */

/* The caller's cgroup, if limits outside its branch are none of its business. */
static struct cgroup *viewer_of(struct sk_buff *skb)
{
	return netlink_capable(skb, CAP_NET_ADMIN) ? NULL :
						     rein_cgroup_current();
}

/* The root of the caller's cgroup namespace, which lives as long as that. */
static const struct cgroup *root_of(void)
{
	return current->nsproxy->cgroup_ns->root_cset->dfl_cgrp;
}

static void view_begin(struct nl_view *view, struct sk_buff *skb)
{
	view->viewer = viewer_of(skb);
	view->uid = current_uid();
	view->sees_pids = task_active_pid_ns(current) == &init_pid_ns;
	/* One that is too long is no beginning of any record's. */
	cgroup_path((struct cgroup *)root_of(), view->root, sizeof(view->root));
}

static void view_end(struct nl_view *view)
{
	if (view->viewer)
		cgroup_put(view->viewer);
}

/* --- requests ---------------------------------------------------------------- */

static int with_spec(struct genl_info *info, const char *what,
		     int (*change)(const struct rein_limit_spec *spec,
				   struct rein_ask *ask))
{
	struct rein_ask *ask = ask_of(info);
	struct rein_limit_spec *spec;
	struct rein_doing doing;
	int err;

	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return rein_fail_memory(ask, "for the request");
	err = rein_read_spec(info->nlhdr, info->attrs, spec, ask);
	if (!err) {
		rein_doing_begin(ask, &doing, REIN_SITE, what, spec->name);
		mutex_lock(&rein_mutex);
		err = change(spec, ask);
		mutex_unlock(&rein_mutex);
		rein_doing_end(ask);
	}
	rein_read_done(spec);
	kfree(spec);
	return err;
}

/**
 * rein_nl_limit_add_doit() - see the spec: limit-add
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_limit_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_spec(info, "adding limit", rein_limit_add);
}

/**
 * rein_nl_limit_set_doit() - see the spec: limit-set
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_limit_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_spec(info, "changing limit", rein_limit_set);
}

/**
 * rein_nl_limit_replace_doit() - see the spec: limit-replace
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_limit_replace_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_spec(info, "replacing limit", rein_limit_replace);
}

/**
 * rein_nl_limit_del_doit() - see the spec: limit-del
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_limit_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_spec(info, "removing limit", rein_limit_del);
}

static int reply_limit(struct genl_info *info,
		       const struct rein_limit_spec *spec, char *path,
		       struct rein_ask *ask)
{
	struct sk_buff *msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);
	struct rein_limit *limit;
	int err;

	if (!msg)
		return rein_fail_memory(ask, "for the reply");
	mutex_lock(&rein_mutex);
	limit = rein_limit_find(spec, ask);
	if (IS_ERR(limit))
		err = PTR_ERR(limit);
	else
		err = rein_put_limit(msg, genlmsg_put_reply(msg, info, &family,
							    0,
							    REIN_CMD_LIMIT_GET),
				     limit, root_of(), path);
	mutex_unlock(&rein_mutex);
	if (err)
		nlmsg_free(msg);
	else
		genlmsg_reply(msg, info);
	return err;
}

/**
 * rein_nl_limit_get_doit() - see the spec: limit-get
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_limit_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct rein_ask *ask = ask_of(info);
	struct rein_limit_spec *spec;
	char *path;
	int err;

	spec = kzalloc(sizeof(*spec) + PATH_MAX, GFP_KERNEL);
	if (!spec)
		return rein_fail_memory(ask, "for the request");
	path = (char *)(spec + 1);
	spec->viewer = viewer_of(skb);
	err = rein_read_spec(info->nlhdr, info->attrs, spec, ask) ?:
	      reply_limit(info, spec, path, ask);
	rein_read_done(spec);
	kfree(spec);
	return err;
}

/* What of a record, which is a copy, is not told to others than administrators. */
static void mask_record(struct nl_view *view)
{
	struct rein_record *rec = &view->record;

	/* Not how the kernel got there, nor numbers of another namespace's tasks. */
	rec->depth = 0;
	if (!view->sees_pids)
		rec->pid = 0;
}

/* A copy of a record for whoever asks. */
static int read_record(const struct nlattr *attr, struct nl_view *view,
		       struct rein_ask *ask)
{
	bool held = rein_ring_read(nla_get_u64(attr), &view->record);

	if (view->viewer &&
	    (!held || !rein_record_visible(&view->record, view->viewer,
					   view->uid)))
		return fail_permission(ask);
	if (!held)
		return rein_fail(ask, attr, REIN_E_RECORD_GONE,
				 "there is no such record",
				 "no record %llu is held", nla_get_u64(attr));
	if (view->viewer)
		mask_record(view);
	return 0;
}

static int reply_record(struct genl_info *info, struct nl_view *view,
			struct rein_ask *ask)
{
	struct nlattr *attr = info->attrs[REIN_A_RECORD_ID];
	struct sk_buff *msg;
	int err;

	err = read_record(attr, view, ask);
	if (err)
		return err;
	msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);
	if (!msg)
		return rein_fail_memory(ask, "for the reply");
	err = rein_put_record(msg, genlmsg_put_reply(msg, info, &family, 0,
						     REIN_CMD_RECORD_GET),
			      &view->record, view->root);
	if (err)
		nlmsg_free(msg);
	else
		genlmsg_reply(msg, info);
	return err;
}

/**
 * rein_nl_record_get_doit() - see the spec: record-get
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_record_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct rein_ask *ask = ask_of(info);
	struct nl_view *view;
	int err;

	if (!info->attrs[REIN_A_RECORD_ID])
		return rein_read_missing(ask, NULL, "the record has no id");
	view = kmalloc(sizeof(*view), GFP_KERNEL);
	if (!view)
		return rein_fail_memory(ask, "for the request");
	view_begin(view, skb);
	err = reply_record(info, view, ask);
	view_end(view);
	kfree(view);
	return err;
}

/**
 * rein_nl_record_clear_doit() - see the spec: record-clear
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0.
 */
int rein_nl_record_clear_doit(struct sk_buff *skb, struct genl_info *info)
{
	rein_ring_clear();
	return 0;
}

static int put_stat_u64(struct sk_buff *skb, int type, u64 number)
{
	return nla_put_u64_64bit(skb, type, number, REIN_A_STAT_PAD);
}

static u64 number_of_limits(void)
{
	struct rein_limit *limit;
	u64 n = 0;

	for (limit = rein_limit_next(0); limit;
	     limit = rein_limit_next(limit->id + 1))
		n++;
	return n;
}

static int put_stat(struct sk_buff *skb, const struct net *net)
{
	struct rein_count total[REIN_STATS];
	struct rein_ring_counts counts;
	int err;

	rein_admit_total(total);
	rein_ring_count(&counts);
	mutex_lock(&rein_mutex);
	err = put_stat_u64(skb, REIN_A_STAT_LIMITS, number_of_limits()) ||
	      put_stat_u64(skb, REIN_A_STAT_CGROUPS, rein_target_number()) ||
	      put_stat_u64(skb, REIN_A_STAT_NAMESPACES, rein_hook_nets()) ||
	      nla_put_u32(skb, REIN_A_STAT_HOOKED, !!rein_hook_needed());
	mutex_unlock(&rein_mutex);
	return err || nla_put_string(skb, REIN_A_STAT_VERSION, REIN_VERSION) ||
	       nla_put_u32(skb, REIN_A_STAT_ABI, ABI) ||
	       nla_put_string(skb, REIN_A_STAT_BOOT_ID, rein_record_boot()) ||
	       rein_put_stats(skb, REIN_A_STAT_TOTAL, total) ||
	       put_stat_u64(skb, REIN_A_STAT_RECORDS_RAISED, counts.raised) ||
	       put_stat_u64(skb, REIN_A_STAT_RECORDS_STORED, counts.stored) ||
	       put_stat_u64(skb, REIN_A_STAT_RECORDS_FOLDED, counts.folded) ||
	       put_stat_u64(skb, REIN_A_STAT_RECORDS_OVERWRITTEN,
			    counts.overwritten) ||
	       put_stat_u64(skb, REIN_A_STAT_RECORDS_SUPPRESSED,
			    counts.suppressed) ||
	       put_stat_u64(skb, REIN_A_STAT_RECORDS_NEWEST, counts.newest) ||
	       put_stat_u64(skb, REIN_A_STAT_RECORDS_OLDEST, counts.oldest) ||
	       nla_put_u32(skb, REIN_A_STAT_EVENTS, net_eq(net, &init_net));
}

/**
 * rein_nl_stat_get_doit() - see the spec: stat-get
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_stat_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);
	void *hdr;

	if (!msg)
		return rein_fail_memory(ask_of(info), "for the reply");
	hdr = genlmsg_put_reply(msg, info, &family, 0, REIN_CMD_STAT_GET);
	if (!hdr || put_stat(msg, genl_info_net(info))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	genlmsg_reply(msg, info);
	return 0;
}

/**
 * rein_nl_flush_doit() - see the spec: flush
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	mutex_lock(&rein_mutex);
	if (info->attrs[REIN_A_FLUSH_FORCE]) {
		rein_record_flush_begin(ask_of(info), REIN_SITE);
		rein_hook_drain();
		rein_take_cancel_all();
		rein_record_flush_end();
	}
	rein_limit_flush();
	mutex_unlock(&rein_mutex);
	return 0;
}

/* --- dumps --------------------------------------------------------------------- */

static struct nl_dump *dump_of(struct netlink_callback *cb)
{
	return (struct nl_dump *)cb->args[0];
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
	if (tb[REIN_A_RECORD_LIMIT_NAME]) {
		nla_strscpy(dump->name, tb[REIN_A_RECORD_LIMIT_NAME],
			    sizeof(dump->name));
		dump->spec.name = dump->name;
	}
}

static int dump_select(struct nl_dump *dump, u8 cmd, struct nlattr **tb,
		       struct rein_ask *ask)
{
	if (cmd == REIN_CMD_RECORD_GET) {
		select_records(dump, tb);
		return 0;
	}
	if (tb[REIN_A_LIMIT_NAME]) {
		nla_strscpy(dump->name, tb[REIN_A_LIMIT_NAME],
			    sizeof(dump->name));
		dump->spec.name = dump->name;
	}
	if (tb[REIN_A_LIMIT_RESOURCE]) {
		dump->spec.has_resource = true;
		dump->spec.resource = nla_get_u32(tb[REIN_A_LIMIT_RESOURCE]);
	}
	dump->chain = tb[REIN_A_LIMIT_CHAIN];
	if (dump->chain && !tb[REIN_A_LIMIT_CGROUP_FD])
		return rein_read_missing(ask, NULL, "a chain needs a target");
	return rein_read_cgroup(tb[REIN_A_LIMIT_CGROUP_FD], &dump->spec, ask);
}

/* Returns what the dump has to answer; why is in its extack. */
static int dump_prepare(struct nl_dump *dump, struct netlink_callback *cb,
			struct rein_ask *ask)
{
	u8 cmd = ((struct genlmsghdr *)nlmsg_data(cb->nlh))->cmd;
	struct nlattr **tb;
	int err;

	tb = parse(cb->nlh, ask);
	if (IS_ERR(tb))
		return PTR_ERR(tb);
	view_begin(&dump->view, cb->skb);
	err = dump_select(dump, cmd, tb, ask);
	kfree(tb);
	if (!err && dump->chain) {
		dump->next = dump->spec.cgrp->level + 1;
		dump->below = U64_MAX;
	}
	return err;
}

static int dump_start(struct netlink_callback *cb)
{
	u8 cmd = ((struct genlmsghdr *)nlmsg_data(cb->nlh))->cmd;
	struct nl_dump *dump = kvzalloc(sizeof(*dump), GFP_KERNEL);
	struct rein_ask ask = { };
	struct rein_doing doing;

	rein_doing_begin(&ask, &doing, REIN_SITE, "answering a dump request",
			 names[cmd]);
	if (!dump)
		return rein_fail_memory(&ask, "for the request");
	ask.extack = &dump->extack;
	dump->err = rein_raw_catch(&ask, dump_prepare(dump, cb, &ask), "a dump");
	cb->min_dump_alloc = REIN_MESSAGE_MAX;
	cb->args[0] = (long)dump;
	return 0;
}

static int dump_done(struct netlink_callback *cb)
{
	struct nl_dump *dump = dump_of(cb);

	rein_read_done(&dump->spec);
	view_end(&dump->view);
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
	    (!dump->chain && dump->spec.cgrp &&
	     limit->target->cgrp != dump->spec.cgrp) ||
	    !rein_limit_visible(limit, dump->view.viewer))
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &family, NLM_F_MULTI, REIN_CMD_LIMIT_GET);
	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return rein_put_limit(skb, hdr, limit, root_of(), dump->path);
}

/* The youngest limit of a cgroup that is older than @below, or NULL. */
static struct rein_limit *limit_below(const struct cgroup *cgrp,
				      const struct rein_limit_spec *spec,
				      u64 below)
{
	struct rein_limit *limit, *found = NULL;
	const struct rein_target *target;
	unsigned int i;

	for (i = 0; i < REIN_RESOURCES; i++) {
		if (spec->has_resource && spec->resource != i)
			continue;
		target = rein_target_lookup(cgrp, rein_lane_of(i));
		if (!target)
			continue;
		list_for_each_entry(limit, &target->limits[i], node)
			if (limit->id < below && (!found || limit->id > found->id))
				found = limit;
	}
	return found;
}

static int dump_level(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct cgroup *cgrp)
{
	struct nl_dump *dump = dump_of(cb);
	struct rein_limit *limit;
	int err;

	/* Youngest first, as they are checked. */
	while ((limit = limit_below(cgrp, &dump->spec, dump->below))) {
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
		err = dump_level(skb, cb, cgroup_ancestor(dump->spec.cgrp,
							  dump->next - 1));
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
	cb->seq = rein_config_gen;
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
	struct nl_view *view = &dump_of(cb)->view;
	void *hdr;

	if (view->viewer)
		mask_record(view);
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &family, NLM_F_MULTI, REIN_CMD_RECORD_GET);
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

/* --- notifications ------------------------------------------------------------- */

/**
 * rein_netlink_limit() - tell listeners what became of a limit
 * @limit:	the limit
 * @event:	what became of it
 *
 * Context: may sleep; rein_mutex held.
 */
void rein_netlink_limit(struct rein_limit *limit, enum rein_event event)
{
	static char path[PATH_MAX];
	struct sk_buff *msg;
	void *hdr;

	lockdep_assert_held(&rein_mutex);
	if (!registered || !genl_has_listeners(&family, &init_net, REIN_NLGRP_LIMITS))
		return;
	msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);
	if (!msg)
		goto lost;
	hdr = genlmsg_put(msg, 0, 0, &family, 0, REIN_CMD_LIMIT_NTF);
	if (!hdr || nla_put_u32(msg, REIN_A_LIMIT_EVENT, event) ||
	    rein_put_limit(msg, hdr, limit, NULL, path)) {
		nlmsg_free(msg);
		goto lost;
	}
	genlmsg_multicast(&family, msg, 0, REIN_NLGRP_LIMITS, GFP_KERNEL);
	return;
lost:
	/* Listeners learn that they missed something. */
	genl_set_err(&family, &init_net, 0, REIN_NLGRP_LIMITS, ENOBUFS);
}

static void tell_record(const struct rein_record *rec)
{
	struct sk_buff *msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);

	if (!msg || rein_put_record(msg, genlmsg_put(msg, 0, 0, &family, 0,
						     REIN_CMD_RECORD_NTF),
				    rec, "/")) {
		nlmsg_free(msg);
		genl_set_err(&family, &init_net, 0, REIN_NLGRP_ERRORS, ENOBUFS);
		return;
	}
	genlmsg_multicast(&family, msg, 0, REIN_NLGRP_ERRORS, GFP_KERNEL);
}

/* Tell listeners of all records since the last time. */
static void tell(struct work_struct *work)
{
	static u64 told;	/* by nobody else, and never at the same time */
	struct rein_record *rec = kmalloc(sizeof(*rec), GFP_KERNEL);
	u64 newest = rein_ring_newest();
	u64 id;

	while ((id = rein_ring_next(told + 1)) && id <= newest) {
		told = id;
		if (rec && genl_has_listeners(&family, &init_net,
					      REIN_NLGRP_ERRORS) &&
		    rein_ring_read(told, rec))
			tell_record(rec);
		cond_resched();
	}
	if (!rec)
		genl_set_err(&family, &init_net, 0, REIN_NLGRP_ERRORS, ENOBUFS);
	kfree(rec);
}

static DECLARE_WORK(tell_work, tell);

/**
 * rein_netlink_wake() - there are new records to tell listeners of
 *
 * Context: any but hard interrupts.
 */
void rein_netlink_wake(void)
{
	if (READ_ONCE(registered))
		queue_work(system_power_efficient_wq, &tell_work);
}

/* --- the family ------------------------------------------------------------------ */

static int answer(struct sk_buff *skb, struct genl_info *info,
		  struct rein_ask *ask)
{
	u8 cmd = info->genlhdr->cmd;
	struct nlattr **tb;
	int err;

	if (!cmd_open(cmd) && !netlink_capable(skb, CAP_NET_ADMIN))
		return fail_permission(ask);
	tb = parse(info->nlhdr, ask);
	if (IS_ERR(tb))
		return PTR_ERR(tb);
	info->attrs = tb;
	info->user_ptr[0] = ask;
	err = rein_raw_provoke() ?: generated(cmd)->doit(skb, info);
	info->attrs = NULL;
	kfree(tb);
	return err;
}

static int checked_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct rein_ask ask = { .extack = info->extack };
	struct rein_doing doing;

	rein_doing_begin(&ask, &doing, REIN_SITE, "answering request",
			 names[info->genlhdr->cmd]);
	return rein_raw_catch(&ask, answer(skb, info, &ask), "a request");
}

/* The generated operations, below the choke point; and groups, not for all. */
static struct genl_ops ops[ARRAY_SIZE(rein_nl_ops)];
static struct genl_multicast_group groups[ARRAY_SIZE(rein_nl_mcgrps)];

static struct genl_family family __ro_after_init = {
	.name = REIN_FAMILY_NAME,
	.version = REIN_FAMILY_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = __REIN_CMD_MAX,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

/**
 * rein_netlink_init() - take requests
 *
 * Return: 0 or a negative errno.
 */
int __init rein_netlink_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ops[i] = rein_nl_ops[i];
		ops[i].policy = NULL;
		ops[i].maxattr = 0;
		if (ops[i].doit)
			ops[i].doit = checked_doit;
		if (ops[i].dumpit) {
			ops[i].start = dump_start;
			ops[i].done = dump_done;
		}
	}
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		groups[i] = rein_nl_mcgrps[i];
		groups[i].flags |= GENL_MCAST_CAP_NET_ADMIN;
	}
	err = genl_register_family(&family);
	if (err)
		return err;
	mutex_lock(&rein_mutex);
	WRITE_ONCE(registered, true);
	mutex_unlock(&rein_mutex);
	return 0;
}

/**
 * rein_netlink_exit() - take no more requests
 */
void rein_netlink_exit(void)
{
	mutex_lock(&rein_mutex);
	WRITE_ONCE(registered, false);
	mutex_unlock(&rein_mutex);
	genl_unregister_family(&family);
	cancel_work_sync(&tell_work);
}

/**
 * rein_netlink_quiet() - wait for what was still to be told
 *
 * Context: rein_netlink_exit() was called, and whoever might still make a
 * record has gone since.
 */
void rein_netlink_quiet(void)
{
	cancel_work_sync(&tell_work);
}
