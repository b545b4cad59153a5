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
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "admit.h"
#include "hook.h"
#include "limit.h"
#include "netlink.h"
#include "netlink-dump.h"
#include "netlink-gen.h"
#include "netlink-put.h"
#include "netlink-read.h"
#include "netlink-view.h"
#include "raw.h"
#include "record.h"
#include "ring.h"
#include "scope.h"
#include "take.h"
#include "target.h"
#include "version.h"
#include "watch.h"

#define ABI		3

static bool registered;		/* rein_mutex */

/* --- reading requests -------------------------------------------------------- */

/**
 * rein_nl_name() - what a request is called in the spec
 * @cmd:	the request
 *
 * Return: a string that lives as long as the module.
 */
const char *rein_nl_name(u8 cmd)
{
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
		[REIN_CMD_SCOPE_GET] = "scope-get",
		[REIN_CMD_WATCH_GET] = "watch-get",
	};

	return names[cmd];
}

static const struct genl_ops *generated(u8 cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rein_nl_ops); i++)
		if (rein_nl_ops[i].cmd == cmd)
			return &rein_nl_ops[i];
	return NULL;
}

/**
 * rein_nl_ask() - the request that a message is, for errors
 * @info:	the message, read
 *
 * Return: the request.
 */
struct rein_ask *rein_nl_ask(const struct genl_info *info)
{
	return info->user_ptr[0];
}

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

/**
 * rein_nl_parse() - read a message as the spec says
 * @nlh:	the message
 * @ask:	the request, for errors
 *
 * Return: a table of its attributes, to be freed; or ERR_PTR(), with a record.
 */
struct nlattr **rein_nl_parse(const struct nlmsghdr *nlh, struct rein_ask *ask)
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
	       cmd == REIN_CMD_STAT_GET || cmd == REIN_CMD_SCOPE_GET ||
	       cmd == REIN_CMD_WATCH_GET;
}

/*
 * What everybody may ask for about a socket of his own. There are programs that can be had to
 * write to any file: as for capabilities, who asks has to be the one who has opened this netlink
 * socket, unless it was said where the message is to go.
 */
static bool ask_own(const struct sk_buff *skb, u8 cmd, struct nlattr **tb)
{
	const struct sock *sk = NETLINK_CB(skb).sk;

	return (cmd == REIN_CMD_LIMIT_ADD || cmd == REIN_CMD_LIMIT_SET ||
		cmd == REIN_CMD_LIMIT_REPLACE || cmd == REIN_CMD_LIMIT_DEL) &&
	       tb[REIN_A_LIMIT_SOCKET_FD] &&
	       (NETLINK_CB(skb).flags & NETLINK_SKB_DST ||
		uid_eq(sk->sk_socket->file->f_cred->euid, current_euid()));
}

/*
 * A requester that has no room for its reply, or has gone, has none for an
 * error either: results of genlmsg_reply() are of no use to anybody.
 */

/* --- requests ---------------------------------------------------------------- */

static int with_spec(struct sk_buff *skb, struct genl_info *info,
		     const char *what,
		     int (*change)(const struct rein_limit_spec *spec,
				   struct rein_ask *ask))
{
	struct rein_ask *ask = rein_nl_ask(info);
	struct rein_limit_spec *spec;
	struct rein_doing doing;
	int err;

	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return rein_fail_memory(ask, "for the request");
	spec->trusted = netlink_capable(skb, CAP_NET_ADMIN);
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
	return with_spec(skb, info, "adding limit", rein_limit_add);
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
	return with_spec(skb, info, "changing limit", rein_limit_set);
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
	return with_spec(skb, info, "replacing limit", rein_limit_replace);
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
	return with_spec(skb, info, "removing limit", rein_limit_del);
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
		err = rein_put_limit(msg, genlmsg_put_reply(msg, info, &rein_nl_family,
							    0,
							    REIN_CMD_LIMIT_GET),
				     limit, rein_view_root(), path);
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
	struct rein_ask *ask = rein_nl_ask(info);
	struct rein_limit_spec *spec;
	char *path;
	int err;

	spec = kzalloc(sizeof(*spec) + PATH_MAX, GFP_KERNEL);
	if (!spec)
		return rein_fail_memory(ask, "for the request");
	path = (char *)(spec + 1);
	spec->viewer = rein_view_cgroup(skb);
	err = rein_read_spec(info->nlhdr, info->attrs, spec, ask) ?:
	      reply_limit(info, spec, path, ask);
	rein_read_done(spec);
	kfree(spec);
	return err;
}

/* A copy of a record for whoever asks. */
static int read_record(const struct nlattr *attr, struct rein_view *view,
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
		rein_view_mask(view);
	return 0;
}

static int reply_record(struct genl_info *info, struct rein_view *view,
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
	err = rein_put_record(msg, genlmsg_put_reply(msg, info, &rein_nl_family, 0,
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
	struct rein_ask *ask = rein_nl_ask(info);
	struct rein_view *view;
	int err;

	if (!info->attrs[REIN_A_RECORD_ID])
		return rein_read_missing(ask, NULL, "the record has no id");
	view = kmalloc(sizeof(*view), GFP_KERNEL);
	if (!view)
		return rein_fail_memory(ask, "for the request");
	rein_view_begin(view, skb);
	err = reply_record(info, view, ask);
	rein_view_end(view);
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
		n += !limit->origin;
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
	      put_stat_u64(skb, REIN_A_STAT_SOCKETS, rein_target_sockets()) ||
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
	       nla_put_u32(skb, REIN_A_STAT_EVENTS, net_eq(net, &init_net)) ||
	       put_stat_u64(skb, REIN_A_STAT_SCOPES, rein_scope_number()) ||
	       put_stat_u64(skb, REIN_A_STAT_WATCHES, rein_watch_number());
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
		return rein_fail_memory(rein_nl_ask(info), "for the reply");
	hdr = genlmsg_put_reply(msg, info, &rein_nl_family, 0, REIN_CMD_STAT_GET);
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
	const bool force = info->attrs[REIN_A_FLUSH_FORCE];
	u64 record = 0;

	mutex_lock(&rein_mutex);
	if (force) {
		record = rein_record_flush_begin(rein_nl_ask(info), REIN_SITE);
		rein_hook_drain();
		rein_take_cancel_all();
		rein_record_flush_end();
	}
	rein_limit_flush();
	mutex_unlock(&rein_mutex);
	if (force) {
		rein_scope_cancel_all("all was flushed by force", record);
		rein_watch_end_all();
	}
	return 0;
}

/* --- notifications ------------------------------------------------------------- */

/**
 * rein_nl_listened() - is there anybody to be told?
 * @group:	of which group
 *
 * Return: whether there is, and the family to tell it by.
 */
bool rein_nl_listened(unsigned int group)
{
	return READ_ONCE(registered) &&
	       genl_has_listeners(&rein_nl_family, &init_net, group);
}

/**
 * rein_nl_tell() - tell listeners of something
 * @group:	who they are
 * @cmd:	the notification
 * @put:	writes it after the header, NULL: there was no room for that; is given room
 *		for a path, PATH_MAX bytes
 * @what:	of what
 *
 * Context: may sleep.
 */
void rein_nl_tell(unsigned int group, u8 cmd,
		  int (*put)(struct sk_buff *msg, void *hdr, const void *what,
			     char *path), const void *what)
{
	struct sk_buff *msg;
	char *path;
	int err;

	if (!rein_nl_listened(group))
		return;
	msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);
	path = kmalloc(PATH_MAX, GFP_KERNEL);
	err = msg && path ?
	      put(msg, genlmsg_put(msg, 0, 0, &rein_nl_family, 0, cmd), what,
		  path) : -ENOMEM;
	kfree(path);
	if (!err) {
		genlmsg_multicast(&rein_nl_family, msg, 0, group, GFP_KERNEL);
		return;
	}
	nlmsg_free(msg);
	/* Listeners learn that they missed something. */
	genl_set_err(&rein_nl_family, &init_net, 0, group, -ENOBUFS);
}

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
	if (!rein_nl_listened(REIN_NLGRP_LIMITS))
		return;
	msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);
	if (!msg)
		goto lost;
	hdr = genlmsg_put(msg, 0, 0, &rein_nl_family, 0, REIN_CMD_LIMIT_NTF);
	if (!hdr || nla_put_u32(msg, REIN_A_LIMIT_EVENT, event) ||
	    rein_put_limit(msg, hdr, limit, NULL, path)) {
		nlmsg_free(msg);
		goto lost;
	}
	genlmsg_multicast(&rein_nl_family, msg, 0, REIN_NLGRP_LIMITS, GFP_KERNEL);
	return;
lost:
	/* Listeners learn that they missed something. */
	genl_set_err(&rein_nl_family, &init_net, 0, REIN_NLGRP_LIMITS, -ENOBUFS);
}

static void tell_record(const struct rein_record *rec)
{
	struct sk_buff *msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);

	if (!msg || rein_put_record(msg, genlmsg_put(msg, 0, 0, &rein_nl_family, 0,
						     REIN_CMD_RECORD_NTF),
				    rec, "/")) {
		nlmsg_free(msg);
		genl_set_err(&rein_nl_family, &init_net, 0, REIN_NLGRP_ERRORS, -ENOBUFS);
		return;
	}
	genlmsg_multicast(&rein_nl_family, msg, 0, REIN_NLGRP_ERRORS, GFP_KERNEL);
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
		if (rec && genl_has_listeners(&rein_nl_family, &init_net,
					      REIN_NLGRP_ERRORS) &&
		    rein_ring_read(told, rec))
			tell_record(rec);
		cond_resched();
	}
	if (!rec)
		genl_set_err(&rein_nl_family, &init_net, 0, REIN_NLGRP_ERRORS, -ENOBUFS);
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
	/* A ring full of records takes long: nobody else's work may stand behind it. */
	if (READ_ONCE(registered))
		queue_work(system_unbound_wq, &tell_work);
}

/* --- the family ------------------------------------------------------------------ */

static int answer(struct sk_buff *skb, struct genl_info *info,
		  struct rein_ask *ask)
{
	u8 cmd = info->genlhdr->cmd;
	struct nlattr **tb;
	int err;

	tb = rein_nl_parse(info->nlhdr, ask);
	if (IS_ERR(tb))
		return PTR_ERR(tb);
	info->attrs = tb;
	info->user_ptr[0] = ask;
	if (cmd_open(cmd) || netlink_capable(skb, CAP_NET_ADMIN) ||
	    ask_own(skb, cmd, tb))
		err = rein_raw_provoke() ?: generated(cmd)->doit(skb, info);
	else
		err = fail_permission(ask);
	info->attrs = NULL;
	kfree(tb);
	return err;
}

static int checked_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct rein_ask ask = { .extack = info->extack };
	struct rein_doing doing;

	rein_doing_begin(&ask, &doing, REIN_SITE, "answering request",
			 rein_nl_name(info->genlhdr->cmd));
	return rein_raw_catch(&ask, answer(skb, info, &ask), "a request");
}

/* The generated operations, below the choke point; and groups, not for all. */
static struct genl_ops ops[ARRAY_SIZE(rein_nl_ops)];
static struct genl_multicast_group groups[ARRAY_SIZE(rein_nl_mcgrps)];

struct genl_family rein_nl_family __ro_after_init = {
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
			ops[i].start = rein_dump_start;
			ops[i].done = rein_dump_done;
		}
	}
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		groups[i] = rein_nl_mcgrps[i];
		groups[i].flags |= GENL_MCAST_CAP_NET_ADMIN;
	}
	err = genl_register_family(&rein_nl_family);
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
	genl_unregister_family(&rein_nl_family);
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
