// SPDX-License-Identifier: GPL-2.0
/*
 * Scopes on netlink. See netlink-scope.h.
 */
#include <linux/cgroup.h>
#include <linux/kernfs.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "bind.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "netlink-put.h"
#include "netlink-read.h"
#include "netlink-scope.h"
#include "netlink-view.h"
#include "race.h"
#include "record.h"
#include "scope.h"

/**
 * rein_scope_visible() - may somebody know of a scope?
 * @scope:	the scope
 * @view:	who
 *
 * Return: whether it is his, or bound to his cgroup or one above, or he may know all.
 */
bool rein_scope_visible(const struct rein_scope *scope,
			const struct rein_view *view)
{
	return !view->viewer || rein_maker_is_of(&scope->maker, view->uid) ||
	       rein_bind_covers(scope, view->viewer);
}

static int put_u64(struct sk_buff *skb, int type, u64 number)
{
	return nla_put_u64_64bit(skb, type, number, REIN_A_SCOPE_PAD);
}

/* What is not to be told is left out. */
static int put_nonzero(struct sk_buff *skb, int type, u32 number)
{
	return number ? nla_put_u32(skb, type, number) : 0;
}

static int put_end(struct sk_buff *skb, const struct rein_scope *scope,
		   u32 cause)
{
	const struct rein_scope *origin;

	if (!cause)
		return 0;
	origin = rein_scope_origin(scope);
	return put_u64(skb, REIN_A_SCOPE_ORIGIN, scope->end.origin) ||
	       (scope->end.record &&
		put_u64(skb, REIN_A_SCOPE_RECORD, scope->end.record)) ||
	       (origin->end.reason &&
		nla_put_string(skb, REIN_A_SCOPE_REASON, origin->end.reason)) ||
	       put_u64(skb, REIN_A_SCOPE_TIME_NS, scope->end.real_ns);
}

/* A path that is too long to tell is left out; see also rein_put_limit(). */
static int put_cgroup(struct sk_buff *skb, const struct rein_scope *scope,
		      const struct cgroup *root, char *path)
{
	struct cgroup *cgrp;
	bool kills;
	int err;

	cgrp = rein_bind_cgroup(scope, &kills);
	if (!cgrp)
		return 0;
	err = put_u64(skb, REIN_A_SCOPE_CGROUP_ID, cgroup_id(cgrp)) ||
	      (kernfs_path_from_node(cgrp->kn, root ? root->kn : NULL, path,
				     PATH_MAX) >= 0 &&
	       nla_put_string(skb, REIN_A_SCOPE_CGROUP_PATH, path)) ||
	      (kills && nla_put_flag(skb, REIN_A_SCOPE_KILLS));
	cgroup_put(cgrp);
	return err;
}

/**
 * rein_put_scope() - write a scope as a message
 * @skb:	to where
 * @hdr:	the message's header, already there; NULL: there was no room
 * @scope:	the scope
 * @root:	what its cgroup's path is relative to; NULL: who reads it is on the
 *		host, whoever has the CPU now
 * @path:	room for a path, PATH_MAX bytes
 *
 * Return: 0 or -EMSGSIZE; then the message is cancelled.
 */
int rein_put_scope(struct sk_buff *skb, void *hdr,
		   const struct rein_scope *scope, const struct cgroup *root,
		   char *path)
{
	u64 left = rein_scope_left(scope);
	u32 cause = rein_scope_cause(scope);

	if (!hdr)
		return -EMSGSIZE;
	if (put_u64(skb, REIN_A_SCOPE_ID, scope->id) ||
	    (*scope->name &&
	     nla_put_string(skb, REIN_A_SCOPE_NAME, scope->name)) ||
	    (scope->parent &&
	     put_u64(skb, REIN_A_SCOPE_PARENT, scope->parent->id)) ||
	    nla_put_u32(skb, REIN_A_SCOPE_DEPTH, scope->depth) ||
	    (left != REIN_NEVER && put_u64(skb, REIN_A_SCOPE_LEFT_NS, left)) ||
	    nla_put_u32(skb, REIN_A_SCOPE_CAUSE, cause) ||
	    put_end(skb, scope, cause) ||
	    nla_put_u32(skb, REIN_A_SCOPE_CHILDREN,
			READ_ONCE(scope->n_children)) ||
	    nla_put_u32(skb, REIN_A_SCOPE_WAITERS, READ_ONCE(scope->n_ties)) ||
	    rein_put_maker(skb, REIN_A_SCOPE_PID, &scope->maker, !root) ||
	    put_cgroup(skb, scope, root, path) ||
	    put_nonzero(skb, REIN_A_SCOPE_RACE, rein_race_policy(scope)) ||
	    put_nonzero(skb, REIN_A_SCOPE_NUMBER, rein_race_number(scope)) ||
	    put_nonzero(skb, REIN_A_SCOPE_WINNER, rein_race_winner(scope))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* --- requests ---------------------------------------------------------------------------- */

static int fail_unknown(struct rein_ask *ask, const struct nlattr *attr)
{
	return rein_fail(ask, attr, REIN_E_SCOPE_UNKNOWN,
			 "there is no such scope", "there is no scope %llu",
			 nla_get_u64(attr));
}

/* That there is one of others can't be told from that there is none. */
static struct rein_scope *find(const struct nlattr *attr, struct sk_buff *skb,
			       struct rein_view *view)
{
	struct rein_scope *scope = rein_scope_find(nla_get_u64(attr));
	bool visible;

	if (!scope)
		return NULL;
	rein_view_begin(view, skb);
	visible = rein_scope_visible(scope, view);
	rein_view_end(view);
	if (visible)
		return scope;
	rein_scope_put(scope);
	return NULL;
}

static int answer(struct genl_info *info, const struct rein_scope *scope,
		  char *path, struct rein_ask *ask)
{
	struct sk_buff *msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);
	int err;

	if (!msg)
		return rein_fail_memory(ask, "for the reply");
	err = rein_put_scope(msg, genlmsg_put_reply(msg, info, &rein_nl_family,
						    0, REIN_CMD_SCOPE_GET),
			     scope, rein_view_root(), path);
	if (err)
		nlmsg_free(msg);
	else
		genlmsg_reply(msg, info);
	return err;
}

/**
 * rein_nl_scope_get_doit() - see the spec: scope-get
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_scope_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[REIN_A_SCOPE_ID];
	struct rein_ask *ask = rein_nl_ask(info);
	struct rein_scope *scope;
	struct rein_view *view;
	int err;

	if (!attr)
		return rein_read_missing(ask, NULL, "the scope has no id");
	/* Its room for a path serves for the scope's as well. */
	view = kmalloc(sizeof(*view), GFP_KERNEL);
	if (!view)
		return rein_fail_memory(ask, "for the request");
	scope = find(attr, skb, view);
	if (scope) {
		err = answer(info, scope, view->root, ask);
		rein_scope_put(scope);
	} else {
		err = fail_unknown(ask, attr);
	}
	kfree(view);
	return err;
}

/* --- notifications ------------------------------------------------------------------------- */

/* What a notification is made of. */
struct news {
	const struct rein_scope *scope;
	enum rein_scope_event event;
};

static int put_news(struct sk_buff *msg, void *hdr, const void *what, char *path)
{
	const struct news *news = what;

	if (!hdr || nla_put_u32(msg, REIN_A_SCOPE_EVENT, news->event))
		return -EMSGSIZE;
	return rein_put_scope(msg, hdr, news->scope, NULL, path);
}

/**
 * rein_netlink_scope() - tell listeners what became of a scope
 * @scope:	the scope
 * @event:	what became of it
 *
 * Context: may sleep.
 */
void rein_netlink_scope(const struct rein_scope *scope,
			enum rein_scope_event event)
{
	const struct news news = { scope, event };

	rein_nl_tell(REIN_NLGRP_SCOPES, REIN_CMD_SCOPE_NTF, put_news, &news);
}
