// SPDX-License-Identifier: GPL-2.0
/*
 * Watches on netlink. See netlink-watch.h.
 */
#include <linux/cgroup.h>
#include <linux/kernfs.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "netlink.h"
#include "netlink-gen.h"
#include "netlink-put.h"
#include "netlink-read.h"
#include "netlink-view.h"
#include "netlink-watch.h"
#include "record.h"
#include "watch.h"
#include "watch-look.h"

/* What the attributes of who made it are put after one another. */
static_assert(REIN_A_WATCH_PID + 1 == REIN_A_WATCH_COMM &&
	      REIN_A_WATCH_PID + 2 == REIN_A_WATCH_UID);
static_assert(REIN_A_SCOPE_PID + 1 == REIN_A_SCOPE_COMM &&
	      REIN_A_SCOPE_PID + 2 == REIN_A_SCOPE_UID);

/**
 * rein_watch_visible() - may somebody know of a watch?
 * @watch:	the watch
 * @view:	who
 *
 * Return: whether it is his, or over himself, his cgroup or one above, or he may know all.
 */
bool rein_watch_visible(const struct rein_watch *watch,
			const struct rein_view *view)
{
	return !view->viewer || rein_maker_is_of(&watch->maker, view->uid) ||
	       rein_subject_is_current(&watch->subject);
}

/**
 * struct now - a watch as it is at one moment
 * @rules:	what it expects
 * @pulse:	where it is by them
 * @count:	by enum rein_watch_count
 * @at_step:	the step that comes next
 * @frozen:	time stands still
 * @idle_ns:	since the last beat, REIN_NEVER: there was none
 * @left_ns:	until there is a fault if nothing happens, or REIN_NEVER
 * @unit:	the unit that is under way, or empty
 * @unit_ns:	for how long
 */
struct now {
	struct rein_watch_rules rules;
	struct rein_pulse pulse;
	u64 count[REIN_WATCH_COUNTS];
	u32 at_step;
	bool frozen;
	u64 idle_ns;
	u64 left_ns;
	char unit[REIN_UNIT_LEN];
	u64 unit_ns;
};

static void take_now(struct rein_watch *watch, struct now *as)
{
	u64 now, time, due;

	spin_lock_bh(&watch->lock);
	now = ktime_get_ns();
	time = rein_watch_now(watch, now);
	due = rein_pulse_due(&watch->pulse);
	*as = (struct now){
		.rules = watch->rules,
		.pulse = watch->pulse,
		.at_step = watch->at_step,
		.frozen = rein_watch_frozen(watch),
		.idle_ns = watch->last_ns ? now - watch->last_ns : REIN_NEVER,
		.left_ns = due == REIN_NEVER ? REIN_NEVER :
			   due > time ? due - time : 0,
		.unit_ns = now - watch->unit_ns,
	};
	memcpy(as->count, watch->count, sizeof(as->count));
	if (watch->pulse.busy)
		memcpy(as->unit, watch->unit, sizeof(as->unit));
	spin_unlock_bh(&watch->lock);
}

static int put_u64(struct sk_buff *skb, int type, u64 number)
{
	return nla_put_u64_64bit(skb, type, number, REIN_A_WATCH_PAD);
}

static int put_some(struct sk_buff *skb, int type, u64 number)
{
	return number ? put_u64(skb, type, number) : 0;
}

static int put_cgroup(struct sk_buff *skb, struct cgroup *cgrp,
		      const struct cgroup *root, char *path)
{
	/* A path that is too long to tell is left out; see also rein_put_limit(). */
	return put_u64(skb, REIN_A_WATCH_CGROUP_ID, cgroup_id(cgrp)) ||
	       (kernfs_path_from_node(cgrp->kn, root ? root->kn : NULL, path,
				      PATH_MAX) >= 0 &&
		nla_put_string(skb, REIN_A_WATCH_CGROUP_PATH, path));
}

static int put_subject(struct sk_buff *skb, const struct rein_subject *subject,
		       const struct cgroup *root, char *path)
{
	struct rein_flow_id flow = { };
	pid_t pid;

	if (nla_put_u32(skb, REIN_A_WATCH_SUBJECT, subject->kind))
		return -EMSGSIZE;
	if (subject->cgrp)
		return put_cgroup(skb, subject->cgrp, root, path);
	if (subject->sk) {
		rein_flow_of(&flow, subject->sk);
		return rein_put_flow(skb, REIN_A_WATCH_SOCKET, &flow);
	}
	pid = root ? pid_vnr(subject->pid) : pid_nr(subject->pid);
	return pid ? nla_put_u32(skb, REIN_A_WATCH_SUBJECT_PID, pid) : 0;
}

static int put_rules(struct sk_buff *skb, const struct rein_watch_rules *rules)
{
	return put_some(skb, REIN_A_WATCH_EVERY_NS, rules->every_ns) ||
	       put_some(skb, REIN_A_WATCH_GRACE_NS, rules->grace_ns) ||
	       put_some(skb, REIN_A_WATCH_PRETIMEOUT_NS, rules->pretimeout_ns) ||
	       put_some(skb, REIN_A_WATCH_UNIT_MIN_NS, rules->unit_min_ns) ||
	       put_some(skb, REIN_A_WATCH_UNIT_MAX_NS, rules->unit_max_ns) ||
	       nla_put_u32(skb, REIN_A_WATCH_MISS, rules->miss) ||
	       nla_put_u32(skb, REIN_A_WATCH_BEATS_MIN, rules->min) ||
	       nla_put_u32(skb, REIN_A_WATCH_BEATS_MAX, rules->max) ||
	       (rules->first &&
		(nla_put_u32(skb, REIN_A_WATCH_FIRST, rules->first) ||
		 nla_put(skb, REIN_A_WATCH_NEXT, sizeof(rules->next),
			 rules->next)));
}

static int put_step(struct sk_buff *skb, const struct rein_watch_step *step)
{
	struct nlattr *nest = nla_nest_start(skb, REIN_A_WATCH_STEP);

	if (!nest || nla_put_u32(skb, REIN_A_WATCH_STEP_KIND, step->kind) ||
	    (step->signal &&
	     nla_put_u32(skb, REIN_A_WATCH_STEP_SIGNAL, step->signal)) ||
	    (step->delay_ns &&
	     nla_put_u64_64bit(skb, REIN_A_WATCH_STEP_DELAY_NS, step->delay_ns,
			       REIN_A_WATCH_STEP_PAD)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_steps(struct sk_buff *skb, const struct rein_watch *watch)
{
	int err = 0;
	u32 i;

	for (i = 0; i < watch->n_steps && !err; i++)
		err = put_step(skb, &watch->steps[i]);
	return err;
}

static int put_now(struct sk_buff *skb, const struct now *as)
{
	return nla_put_u32(skb, REIN_A_WATCH_STATUS, as->pulse.status) ||
	       (as->pulse.fault &&
		nla_put_u32(skb, REIN_A_WATCH_FAULT, as->pulse.fault)) ||
	       nla_put_u32(skb, REIN_A_WATCH_MISSES, as->pulse.misses) ||
	       (as->frozen && nla_put_flag(skb, REIN_A_WATCH_FROZEN)) ||
	       put_u64(skb, REIN_A_WATCH_BEATS, as->count[REIN_COUNT_BEAT]) ||
	       put_u64(skb, REIN_A_WATCH_BEGINS, as->count[REIN_COUNT_BEGIN]) ||
	       put_u64(skb, REIN_A_WATCH_ENDS, as->count[REIN_COUNT_END]) ||
	       put_u64(skb, REIN_A_WATCH_FAULTS, as->count[REIN_COUNT_MISS]) ||
	       put_u64(skb, REIN_A_WATCH_EXPIRIES,
		       as->count[REIN_COUNT_EXPIRE]) ||
	       (as->idle_ns != REIN_NEVER &&
		put_u64(skb, REIN_A_WATCH_IDLE_NS, as->idle_ns)) ||
	       (as->left_ns != REIN_NEVER &&
		put_u64(skb, REIN_A_WATCH_LEFT_NS, as->left_ns)) ||
	       (*as->unit &&
		(nla_put_string(skb, REIN_A_WATCH_UNIT, as->unit) ||
		 put_u64(skb, REIN_A_WATCH_UNIT_NS, as->unit_ns)));
}

/* Where it is on its way up the ladder: not of one that has not expired. */
static int put_at_step(struct sk_buff *skb, const struct now *as,
		       const struct rein_watch_step_note *step)
{
	if (step)
		return nla_put_u32(skb, REIN_A_WATCH_AT_STEP, step->at);
	return as->pulse.status == REIN_WATCH_EXPIRED ?
	       nla_put_u32(skb, REIN_A_WATCH_AT_STEP, as->at_step) : 0;
}

static int put_watch(struct sk_buff *skb, void *hdr, struct rein_watch *watch,
		     const struct cgroup *root, char *path,
		     const struct rein_watch_step_note *step)
{
	u64 record = READ_ONCE(watch->record);
	struct now as;

	if (!hdr)
		return -EMSGSIZE;
	take_now(watch, &as);
	if (put_u64(skb, REIN_A_WATCH_ID, watch->id) ||
	    (*watch->name &&
	     nla_put_string(skb, REIN_A_WATCH_NAME, watch->name)) ||
	    put_some(skb, REIN_A_WATCH_RECORD, record) ||
	    nla_put_u32(skb, REIN_A_WATCH_FLAGS, watch->flags) ||
	    put_subject(skb, &watch->subject, root, path) ||
	    put_rules(skb, &as.rules) || put_steps(skb, watch) ||
	    put_now(skb, &as) || put_at_step(skb, &as, step) ||
	    rein_put_maker(skb, REIN_A_WATCH_PID, &watch->maker, !root)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * rein_put_watch() - write a watch as a message
 * @skb:	to where
 * @hdr:	the message's header, already there; NULL: there was no room
 * @watch:	the watch
 * @root:	what its cgroup's path is relative to; NULL: who reads it is on the
 *		host, whoever has the CPU now
 * @path:	room for a path, PATH_MAX bytes
 *
 * Return: 0 or -EMSGSIZE; then the message is cancelled.
 */
int rein_put_watch(struct sk_buff *skb, void *hdr, struct rein_watch *watch,
		   const struct cgroup *root, char *path)
{
	return put_watch(skb, hdr, watch, root, path, NULL);
}

/* --- requests ---------------------------------------------------------------------------- */

static int fail_unknown(struct rein_ask *ask, const struct nlattr *attr)
{
	return rein_fail(ask, attr, REIN_E_WATCH_UNKNOWN,
			 "there is no such watch", "there is no watch %llu",
			 nla_get_u64(attr));
}

/* That there is one of others can't be told from that there is none. */
static struct rein_watch *find(const struct nlattr *attr, struct sk_buff *skb,
			       struct rein_view *view)
{
	struct rein_watch *watch = rein_watch_find(nla_get_u64(attr));
	bool visible;

	if (!watch)
		return NULL;
	rein_view_begin(view, skb);
	visible = rein_watch_visible(watch, view);
	rein_view_end(view);
	if (visible)
		return watch;
	rein_watch_put(watch);
	return NULL;
}

static int answer(struct genl_info *info, struct rein_watch *watch, char *path,
		  struct rein_ask *ask)
{
	struct sk_buff *msg = genlmsg_new(REIN_MESSAGE_MAX, GFP_KERNEL);
	int err;

	if (!msg)
		return rein_fail_memory(ask, "for the reply");
	err = rein_put_watch(msg, genlmsg_put_reply(msg, info, &rein_nl_family,
						    0, REIN_CMD_WATCH_GET),
			     watch, rein_view_root(), path);
	if (err)
		nlmsg_free(msg);
	else
		genlmsg_reply(msg, info);
	return err;
}

/**
 * rein_nl_watch_get_doit() - see the spec: watch-get
 * @skb:	the message
 * @info:	the message, read
 *
 * Return: 0 or a negative errno, with a record.
 */
int rein_nl_watch_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[REIN_A_WATCH_ID];
	struct rein_ask *ask = rein_nl_ask(info);
	struct rein_watch *watch;
	struct rein_view *view;
	int err;

	if (!attr)
		return rein_read_missing(ask, NULL, "the watch has no id");
	/* Its room for a path serves for the watch's as well. */
	view = kmalloc(sizeof(*view), GFP_KERNEL);
	if (!view)
		return rein_fail_memory(ask, "for the request");
	watch = find(attr, skb, view);
	if (watch) {
		err = answer(info, watch, view->root, ask);
		rein_watch_put(watch);
	} else {
		err = fail_unknown(ask, attr);
	}
	kfree(view);
	return err;
}

/* --- notifications ------------------------------------------------------------------------- */

/* What a notification is made of. */
struct news {
	struct rein_watch *watch;
	enum rein_watch_event event;
	const struct rein_watch_step_note *step;
};

static int put_news(struct sk_buff *msg, void *hdr, const void *what, char *path)
{
	const struct news *news = what;
	const struct rein_watch_step_note *step = news->step;

	if (!hdr || nla_put_u32(msg, REIN_A_WATCH_EVENT, news->event) ||
	    (step && step->test && nla_put_flag(msg, REIN_A_WATCH_TEST)) ||
	    (step && step->err &&
	     nla_put_u32(msg, REIN_A_WATCH_ERRNO, -step->err)))
		return -EMSGSIZE;
	return put_watch(msg, hdr, news->watch, NULL, path, step);
}

/**
 * rein_netlink_watch() - tell listeners what became of a watch
 * @watch:	the watch
 * @event:	what became of it
 * @step:	of a step, which one; else NULL
 *
 * Context: may sleep.
 */
void rein_netlink_watch(struct rein_watch *watch, enum rein_watch_event event,
			const struct rein_watch_step_note *step)
{
	const struct news news = { watch, event, step };

	rein_nl_tell(REIN_NLGRP_WATCHES, REIN_CMD_WATCH_NTF, put_news, &news);
}
