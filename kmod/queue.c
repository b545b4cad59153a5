// SPDX-License-Identifier: GPL-2.0
/*
 * The queue: packets into waiting rooms and out of them. See queue.h.
 */
#include <linux/cgroup.h>
#include <linux/hrtimer.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/inet_sock.h>
#include <net/sock.h>

#include "admit.h"
#include "hook.h"
#include "known.h"
#include "leave.h"
#include "meter.h"
#include "packet.h"
#include "queue.h"
#include "record.h"
#include "target.h"
#include "trace.h"
#include "tree.h"

/* Most packets the timer lets go, or finds no tokens for, before others get the CPU. */
#define TIMER_BUDGET		64

/*
 * Memory that what waits on its way in by all copies of a limit may take, if not one may have
 * more; and what a packet takes beside its bytes.
 */
#define COPIES_MOST		SZ_64M
#define PACKET_MEMORY		(SKB_TRUESIZE(0) + sizeof(struct rein_held))

/* What becomes of a packet whose turn it is. */
enum fate {
	FATE_RELEASED,
	FATE_REFUSED,
	FATE_STALE,
	FATE_TEARDOWN,
	FATE_CANCELLED,
	FATE_SCOPE,
};

static struct kmem_cache *held_cache;

static void fail(struct work_struct *work);
static DECLARE_WORK(fail_work, fail);
static LLIST_HEAD(failed);

/* --- going in --------------------------------------------------------------- */

/*
 * The least time until a packet at the end of @flow could go: never said of
 * an empty flow, whose packet may be next.
 */
static struct rein_limit *flow_impatient(const struct rein_flow *flow,
					 const struct rein_chain *chain,
					 u64 *wait)
{
	unsigned int i;

	if (!flow->number)
		return NULL;
	for (i = 0; i < chain->n; i++) {
		struct rein_limit *limit = chain->limits[i];

		if (READ_ONCE(limit->over) != REIN_OVER_WAIT)
			continue;
		spin_lock_bh(&limit->lock);
		*wait = rein_limit_time(limit, flow->bytes, flow->number);
		spin_unlock_bh(&limit->lock);
		if (*wait > READ_ONCE(limit->patience_ns))
			return limit;
	}
	return NULL;
}

/*
 * What waits on its way in is nobody's memory yet, so that the sockets of a limit per socket
 * are bounded together, too.
 */
static bool copies_overflow(const struct rein_limit *limit, const struct rein_flow *flow,
			    const struct rein_held *held)
{
	const struct rein_room *room;
	u64 used, mine, most;

	if (!limit->origin || limit->resource != REIN_RESOURCE_INGRESS)
		return false;
	room = &limit->origin->target->room;
	used = room->bytes + room->packets * PACKET_MEMORY;
	mine = flow->bytes + held->bytes +
	       (flow->number + held->packets) * PACKET_MEMORY;
	most = max_t(u64, READ_ONCE(limit->queue), COPIES_MOST);
	return used > most || mine > most - used;
}

/*
 * Is there room? Under each limit a flow, and below an ancestor a child, may
 * hold no more than what is still free (Choudhury and Hahne's dynamic
 * thresholds), so that nobody can fill the room and lock the others out.
 */
static struct rein_limit *flow_overflows(const struct rein_flow *flow,
					 const struct rein_chain *chain,
					 const struct rein_held *held)
{
	const struct rein_room *room = flow->room, *branch = room;
	u64 mine, queue, used;
	u32 bytes = held->bytes;
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		struct rein_limit *limit = chain->limits[i];

		if (READ_ONCE(limit->over) != REIN_OVER_WAIT)
			continue;
		while (room->parent && room != &limit->target->room) {
			branch = room;
			room = room->parent;
		}
		/*
		 * A branch that is alone in there leaves nobody out; nor do those
		 * who share a limit per socket, in a branch of theirs.
		 */
		mine = !limit->per_socket && branch->bytes < room->bytes ?
			       branch->bytes : 0;
		mine = max(mine, flow->bytes);
		queue = READ_ONCE(limit->queue);
		/* What waits to begin a flow is counted in calls. */
		used = held->flow ? room->bytes :
		       READ_ONCE(limit->stats[REIN_STAT(QUEUED)].bytes);
		if (copies_overflow(limit, flow, held))
			return limit;
		/* However large a packet is, it can wait if nobody else does. */
		if (!used)
			continue;
		if (used + bytes > queue || mine + bytes > queue - used)
			return limit;
	}
	return NULL;
}

static void record_drop(struct rein_limit *limit, enum rein_fold fold,
			const struct rein_held *held, u64 number,
			const char *name, const char *unit,
			const struct rein_site *site)
{
	struct rein_value value[REIN_RECORD_VALUES] = {
		{ "wanted", "bytes", held->bytes },
		{ name, unit, number },
	};

	if (held->flow)
		value[0] = (struct rein_value){ "wanted", "calls", 1 };
	rein_record_packet(limit, fold, held->skb, held->state.pf, value, site);
}

/* A limit to name when it is nobody's fault in particular. */
static struct rein_limit *chain_waiter(const struct rein_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		if (READ_ONCE(chain->limits[i]->over) == REIN_OVER_WAIT)
			return chain->limits[i];
	return chain->limits[0];
}

static void hold_link(struct rein_tree *tree, struct rein_flow *flow,
		      struct rein_held *held)
{
	struct rein_room *room = flow->room;

	list_add_tail(&held->list, &flow->packets);
	flow->bytes += held->bytes;
	flow->number += held->packets;
	rein_room_account(room, held->bytes, held->packets);
	if (!room->target->room.held++)
		list_add_tail(&room->target->room.occupied, &tree->occupied);

	rein_flow_join(tree, flow);
}

/*
 * May a packet wait? If so it does, in @flow, from now on. One that waits for
 * the beginning of its flow, ahead of it, asks for nothing more than that.
 */
static int hold_in(struct rein_tree *tree, struct rein_flow *flow,
		   const struct rein_chain *chain,
		   const struct rein_request *req, struct rein_held *held)
{
	bool follows = held->flow &&
		       rein_known_look(held->flow) != REIN_UNKNOWN;
	struct rein_limit *limit;
	u64 wait = 0;

	limit = follows ? NULL : flow_impatient(flow, chain, &wait);
	if (limit) {
		rein_admit_count(chain, req, REIN_STAT(REFUSED));
		record_drop(limit, REIN_FOLD_IMPATIENT, held, wait, "wait",
			    "ns", REIN_SITE);
		return -ETIME;
	}
	limit = flow_overflows(flow, chain, held);
	if (limit) {
		rein_admit_count(chain, req, REIN_STAT(OVERFLOW));
		record_drop(limit, REIN_FOLD_OVERFLOW, held,
			    READ_ONCE(limit->queue), "queue", "bytes",
			    REIN_SITE);
		return -ENOBUFS;
	}
	/* Under the lock, so that a flush of the device can't miss it. */
	if (!rein_hook_hold(held)) {
		rein_admit_count(chain, req, REIN_STAT(TEARDOWN));
		record_drop(chain_waiter(chain), REIN_FOLD_TEARDOWN, held, 0,
			    NULL, NULL, REIN_SITE);
		return -ENETDOWN;
	}

	if (follows) {
		held->packets = 0;
	} else {
		if (held->flow)
			rein_known_set(held->flow, REIN_KNOWN_WAITS);
		rein_admit_count(chain, req, REIN_STAT(QUEUED));
	}
	hold_link(tree, flow, held);
	rein_tree_arm(tree);
	trace_wait(flow->room->target, held->bytes, 0);
	return 0;
}

/*
 * What waits at a socket is counted by the copies it has: none may come or go between this and
 * when its limits were looked up. They do with the tree's lock held.
 */
static bool is_outdated(const struct rein_target *target,
			const struct rein_chain *chain)
{
	return target->sk && chain->gen < target->changed;
}

/**
 * rein_queue_hold() - let a packet wait
 * @target:	where it entered the chain
 * @sk:		whose packet it is
 * @chain:	its limits
 * @req:	what it costs, and when it came
 * @skb:	the packet; its dst must be refcounted
 * @state:	where it is on its way through netfilter
 * @tag:	the flow it is to begin, or 0
 *
 * On success the packet belongs to the room. Whatever the outcome, but for
 * -EAGAIN, the packet has been counted and, if need be, recorded.
 *
 * Context: RCU read side; takes the tree's lock.
 *
 * Return: 0; -EAGAIN if the target was just removed, or changed: look it up again;
 * -ETIME if it would wait longer than its patience; -ENOBUFS if there is no
 * room; -ENOMEM; -ENETDOWN if its device or socket is going away.
 */
int rein_queue_hold(struct rein_target *target, struct sock *sk,
		    const struct rein_chain *chain, struct rein_request *req,
		    struct sk_buff *skb, const struct nf_hook_state *state,
		    u64 tag)
{
	struct rein_held on_stack, *held;
	struct rein_flow *flow = NULL;
	struct rein_tree *tree;
	int err;

	on_stack = (struct rein_held){
		.skb = skb,
		.state = *state,
		.dev = skb->dev,
		.arrived = req->now,
		.gen = chain->gen,
		.flow = tag,
		.bytes = skb->len,
		.packets = 1,
	};
	if (!tag) {
		on_stack.bytes = req->cost[REIN_UNIT_BYTES];
		on_stack.packets = req->cost[REIN_UNIT_PACKETS];
	}
	/* Who waits on his way out has a socket, whether IPVS has said so or not. */
	if (state->out && !state->sk)
		on_stack.state.sk = sk;
	held = kmem_cache_alloc(held_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!held)
		goto nomem;
	*held = on_stack;

	tree = rein_tree_lock(target);
	if (!tree || is_outdated(target, chain)) {
		if (tree)
			rein_tree_unlock(tree);
		kmem_cache_free(held_cache, held);
		return -EAGAIN;
	}
	flow = rein_flow_get(tree, target, sk, chain->shared);
	if (flow) {
		err = hold_in(tree, flow, chain, req, held);
		if (err)
			rein_flow_put(tree, flow);
	}
	rein_tree_unlock(tree);
	if (!flow)
		goto nomem;
	if (err)
		kmem_cache_free(held_cache, held);
	return err;

nomem:
	if (held)
		kmem_cache_free(held_cache, held);
	rein_admit_count(chain, req, REIN_STAT(NOMEM));
	record_drop(chain_waiter(chain), REIN_FOLD_NOMEM, &on_stack, 0, NULL,
		    NULL, REIN_SITE);
	return -ENOMEM;
}

/* --- going out -------------------------------------------------------------- */

static void held_request(const struct rein_held *held, u64 now,
			 struct rein_request *req)
{
	if (held->flow) {
		*req = (struct rein_request){
			.cost[REIN_UNIT_CALLS] = 1,
			.now = now,
			/* One that waited for another was not counted. */
			.waited = held->packets,
			.gen = held->gen,
		};
		return;
	}
	*req = (struct rein_request){
		.cost[REIN_UNIT_BYTES] = held->bytes,
		.cost[REIN_UNIT_PACKETS] = held->packets,
		.now = now,
		.may_debt = true,
		.ecn = rein_packet_ecn(held->skb, held->state.pf),
		.waited = true,
		.gen = held->gen,
	};
}

static u64 chain_patience(const struct rein_chain *chain)
{
	u64 patience = U64_MAX;
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		if (READ_ONCE(chain->limits[i]->over) == REIN_OVER_WAIT)
			patience = min(patience,
				       READ_ONCE(chain->limits[i]->patience_ns));
	return patience;
}

/* How long it has waited: it may have come after the clock was read. */
static u64 held_time(const struct rein_held *held, u64 now)
{
	return now > held->arrived ? now - held->arrived : 0;
}

static bool held_stale(const struct rein_held *held,
		       const struct rein_chain *chain, u64 now)
{
	return held_time(held, now) > chain_patience(chain);
}

/* Take a packet out of its flow, and what it cost from everybody's turn. */
static void held_unlink(struct rein_flow *flow, struct rein_held *held,
			bool spent)
{
	struct rein_room *room = flow->room;
	u64 cost[REIN_UNITS] = {
		[REIN_UNIT_BYTES] = held->bytes,
		[REIN_UNIT_PACKETS] = held->packets,
		[REIN_UNIT_CALLS] = held->packets,
	};

	list_del(&held->list);
	flow->bytes -= held->bytes;
	flow->number -= held->packets;
	rein_room_account(room, -(s64)held->bytes, -(s64)held->packets);
	if (!--room->target->room.held)
		list_del_init(&room->target->room.occupied);

	if (spent)
		rein_flow_spend(flow, cost);
}

static void held_record(const struct rein_held *held, enum fate fate,
			struct rein_limit *by, u64 now)
{
	static const enum rein_fold folds[] = {
		[FATE_REFUSED] = REIN_FOLD_REFUSED,
		[FATE_STALE] = REIN_FOLD_STALE,
		[FATE_TEARDOWN] = REIN_FOLD_TEARDOWN,
		[FATE_SCOPE] = REIN_FOLD_SCOPE,
	};
	enum rein_fold fold;

	/* Who has gone away has nothing to be told. */
	if (fate == FATE_CANCELLED)
		return;
	fold = folds[fate];
	if (fate == FATE_TEARDOWN && rein_record_flushing())
		fold = REIN_FOLD_FLUSHED;
	record_drop(by, fold, held, held_time(held, now), "waited", "ns",
		    REIN_SITE);
}

static void collect(struct rein_chain *chain, struct rein_target *target)
{
	rein_chain_collect(chain, target, rein_lane_resource(target->key.lane));
}

/*
 * It waited for the beginning of its flow, and its turn has come. Returns
 * whether the flow has begun; if not it has to ask for that itself.
 */
static bool held_follows(struct rein_flow *flow, struct rein_held *held,
			 const struct rein_chain *chain)
{
	struct rein_request req;

	if (rein_known_look(held->flow) == REIN_KNOWN_GOES)
		return true;
	held_request(held, held->arrived, &req);
	rein_admit_count(chain, &req, REIN_STAT(QUEUED));
	rein_known_set(held->flow, REIN_KNOWN_WAITS);
	held->gen = chain->gen;
	held->packets = 1;
	flow->number++;
	rein_room_account(flow->room, 0, 1);
	return false;
}

/*
 * A packet that leaves begins its flow, or doesn't. What waited for that right
 * behind it goes along.
 */
static void flow_begin(struct rein_flow *flow, const struct rein_held *held,
		       bool begins, struct list_head *behind)
{
	struct rein_held *next, *after;

	if (!held->flow)
		return;
	if (!begins) {
		rein_known_forget(held->flow);
		return;
	}
	rein_known_set(held->flow, REIN_KNOWN_GOES);
	list_for_each_entry_safe(next, after, &flow->packets, list) {
		if (next->packets || next->flow != held->flow)
			break;
		held_unlink(flow, next, false);
		list_add_tail(&next->list, behind);
	}
}

/* Who waits for a limit per socket waits with those who share it, and nobody else. */
static void flow_lacks(struct rein_tree *tree, struct rein_flow *flow,
		       const struct rein_lack *lack)
{
	struct rein_target *target = lack->limit->target;

	if (lack->limit->per_socket)
		rein_flow_block(tree, flow, target, lack->when);
	else
		rein_room_block(tree, &target->room, lack->when);
}

/* Does it wait with others for a limit per socket of its chain? */
static bool flow_yields(struct rein_tree *tree, struct rein_flow *flow,
			const struct rein_chain *chain)
{
	unsigned int i;

	for (i = 0; chain->shared && i < chain->n; i++)
		if (chain->limits[i]->per_socket &&
		    rein_flow_yield(tree, flow, chain->limits[i]->target))
			return true;
	return false;
}

/*
 * The next packet that is to leave, and how, and those that go along; NULL if
 * nobody can go now, or @budget is used up. Rooms whose limits have no tokens for
 * whose turn it is are blocked on the way.
 */
static struct rein_held *tree_next(struct rein_tree *tree, u64 now,
				   unsigned int *budget, enum fate *fate,
				   struct list_head *behind)
{
	struct rein_request req;
	struct rein_chain chain;
	struct rein_held *held;
	struct rein_flow *flow;
	bool free;

	while (*budget && (flow = rein_flow_next(tree))) {
		/* What goes along for free is not asked for: nobody has observed it. */
		struct rein_verdict verdict = { .decision = REIN_GO };
		struct rein_limit *by = NULL;

		(*budget)--;
		held = list_first_entry(&flow->packets, struct rein_held, list);
		collect(&chain, flow->room->target);
		free = held->flow && !held->packets &&
		       held_follows(flow, held, &chain);
		held_request(held, now, &req);

		if (free) {
			*fate = FATE_RELEASED;
		} else if (!chain.n) {
			rein_admit_count(&chain, &req, REIN_STAT(RELEASED));
			*fate = FATE_RELEASED;
		} else if (rein_leave_gone(held)) {
			rein_admit_count(&chain, &req, REIN_STAT(CANCELLED));
			*fate = FATE_CANCELLED;
		} else if (held_stale(held, &chain, now)) {
			rein_admit_count(&chain, &req, REIN_STAT(STALE));
			by = chain_waiter(&chain);
			*fate = FATE_STALE;
		} else if (flow_yields(tree, flow, &chain)) {
			continue;
		} else {
			rein_admit(&chain, &req, &verdict);
			by = verdict.lack.limit;
			if (verdict.decision == REIN_WAIT) {
				flow_lacks(tree, flow, &verdict.lack);
				continue;
			}
			*fate = verdict.decision == REIN_GO ? FATE_RELEASED :
							      FATE_REFUSED;
			if (verdict.mark)
				rein_packet_mark(held->skb, held->state.pf);
		}
		if (*fate == FATE_RELEASED)
			trace_release(flow->room->target, held->bytes,
				      held_time(held, now));
		held_unlink(flow, held, *fate == FATE_RELEASED);
		flow_begin(flow, held, *fate == FATE_RELEASED, behind);
		if (*fate != FATE_RELEASED)
			held_record(held, *fate, by, now);
		else if (chain.n && verdict.observed.limit)
			rein_meter_record(&verdict.observed, REIN_FOLD_OBSERVED,
					  held->skb, held->state.pf, now);
		return held;
	}
	return NULL;
}

static void held_settle(struct rein_held *held, enum fate fate)
{
	if ((fate == FATE_REFUSED || fate == FATE_STALE || fate == FATE_SCOPE) &&
	    held->packets && rein_leave_connects(held)) {
		/* Its connect(2) is to fail, which takes a task to do. */
		if (llist_add(&held->end, &failed))
			queue_work(system_power_efficient_wq, &fail_work);
		return;
	}
	if (fate == FATE_RELEASED)
		rein_hook_resume(held);
	else
		rein_hook_drop(held);
	kmem_cache_free(held_cache, held);
}

static void settle_all(struct list_head *list, enum fate fate)
{
	struct rein_held *held, *next;

	list_for_each_entry_safe(held, next, list, list) {
		list_del(&held->list);
		held_settle(held, fate);
	}
}

/* Those who wait for a connection that is not to be. */
static void fail(struct work_struct *work)
{
	struct llist_node *first = llist_del_all(&failed);
	struct rein_held *held, *next;

	llist_for_each_entry_safe(held, next, first, end) {
		rein_leave_fail(held);
		rein_hook_drop(held);
		kmem_cache_free(held_cache, held);
	}
}

/* Drop the packets of a flow that match. Returns whether there were any. */
static bool flow_drop(struct rein_flow *flow, const struct rein_chain *chain,
		      rein_match_fn match, const void *what, enum fate fate,
		      struct list_head *dropped)
{
	static const unsigned int stats[] = {
		[FATE_STALE] = REIN_STAT(STALE),
		[FATE_TEARDOWN] = REIN_STAT(TEARDOWN),
		[FATE_SCOPE] = REIN_STAT(CANCELLED),
	};
	struct rein_held *held, *next;
	u64 now = ktime_get_ns();
	struct rein_request req;
	bool any = false;

	list_for_each_entry_safe(held, next, &flow->packets, list) {
		if (!match(held, what)) {
			/* Those behind a fresh one came later. */
			if (fate == FATE_STALE)
				break;
			continue;
		}
		held_request(held, now, &req);
		rein_admit_count(chain, &req, stats[fate]);
		held_unlink(flow, held, false);
		if (held->flow && held->packets)
			rein_known_forget(held->flow);
		if (chain->n)
			held_record(held, fate, chain_waiter(chain), now);
		list_add_tail(&held->list, dropped);
		any = true;
	}
	return any;
}

/*
 * Drop the packets of a room that match. Flows that run empty are taken away
 * when their turn comes; those who were behind them may be able to go now.
 */
static void room_drop(struct rein_tree *tree, struct rein_room *room,
		      rein_match_fn match, const void *what, enum fate fate,
		      struct list_head *dropped)
{
	struct rein_chain chain;
	struct rb_node *c, *f;

	collect(&chain, room->target);
	for (c = rb_first(&room->classes); c; c = rb_next(c)) {
		struct rein_room *class = rb_entry(c, struct rein_room, node);
		bool any = false;

		for (f = rb_first(&class->flows); f; f = rb_next(f))
			any |= flow_drop(rb_entry(f, struct rein_flow, node),
					 &chain, match, what, fate, dropped);
		if (any)
			rein_room_dropped(tree, class);
	}
}

static bool held_before(const struct rein_held *held, const void *what)
{
	const u64 *when = what;

	return held->arrived < *when;
}

/* Drop what has outlived its patience in rooms whose turn is not yet. */
static void tree_sweep(struct rein_tree *tree, u64 now,
		       struct list_head *dropped)
{
	struct rein_room *room, *next;
	struct rein_chain chain;
	u64 patience, before;

	if (now - tree->swept < REIN_SWEEP_NS)
		return;
	tree->swept = now;
	list_for_each_entry_safe(room, next, &tree->occupied, occupied) {
		collect(&chain, room->target);
		patience = chain_patience(&chain);
		if (patience >= now)
			continue;
		before = now - patience;
		room_drop(tree, room, held_before, &before, FATE_STALE,
			  dropped);
	}
}

/**
 * rein_queue_timer() - let packets go, as far as there are tokens
 * @timer:	of a tree
 *
 * Context: soft interrupt; never runs twice at the same time for a tree.
 *
 * Return: HRTIMER_NORESTART: it is armed anew as needed.
 */
enum hrtimer_restart rein_queue_timer(struct hrtimer *timer)
{
	struct rein_tree *tree = container_of(timer, struct rein_tree, timer);
	unsigned int budget = TIMER_BUDGET;
	struct rein_held *held;
	LIST_HEAD(dropped);
	LIST_HEAD(behind);
	enum fate fate;
	u64 now;

	rcu_read_lock();
	spin_lock_bh(&tree->lock);
	now = ktime_get_ns();
	tree_sweep(tree, now, &dropped);
	rein_tree_wake(tree, now);
	/*
	 * One at a time, with the lock dropped: a flow stays in its room's
	 * round robin until its packet has left, so nobody overtakes it.
	 */
	while ((held = tree_next(tree, now, &budget, &fate, &behind))) {
		spin_unlock_bh(&tree->lock);
		held_settle(held, fate);
		settle_all(&behind, FATE_RELEASED);
		spin_lock_bh(&tree->lock);
	}
	rein_tree_arm(tree);
	spin_unlock_bh(&tree->lock);
	settle_all(&dropped, FATE_STALE);
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

static void flush(struct rein_target *target, rein_match_fn match,
		  const void *what, enum fate fate)
{
	struct rein_tree *tree;
	LIST_HEAD(dropped);

	rcu_read_lock();
	tree = rein_tree_lock(target);
	if (tree) {
		room_drop(tree, &target->room, match, what, fate, &dropped);
		rein_tree_arm(tree);
		rein_tree_unlock(tree);
	}
	rcu_read_unlock();
	settle_all(&dropped, fate);
}

/**
 * rein_queue_flush() - drop waiting packets
 * @target:	of this target's room
 * @match:	those for which this is true
 * @what:	handed to @match
 *
 * Context: any but hard interrupts.
 */
void rein_queue_flush(struct rein_target *target, rein_match_fn match,
		      const void *what)
{
	flush(target, match, what, FATE_TEARDOWN);
}

/**
 * rein_queue_cancel() - drop waiting packets as the scope of their cgroup is done
 * @target:	of this target's room
 * @match:	those for which this is true
 * @what:	handed to @match
 *
 * Context: any but hard interrupts; see rein_record_scope_begin().
 */
void rein_queue_cancel(struct rein_target *target, rein_match_fn match,
		       const void *what)
{
	flush(target, match, what, FATE_SCOPE);
}

/**
 * rein_queue_waiting() - what waits with a target's chain
 * @target:	the target, its tree locked
 * @born:	of that what has come since this generation
 *
 * Return: what it costs.
 */
struct rein_count rein_queue_waiting(const struct rein_target *target, u64 born)
{
	struct rein_count count = { };
	const struct rein_held *held;
	struct rb_node *c, *f;

	for (c = rb_first(&target->room.classes); c; c = rb_next(c)) {
		struct rein_room *class = rb_entry(c, struct rein_room, node);

		for (f = rb_first(&class->flows); f; f = rb_next(f))
			list_for_each_entry(held, &rb_entry(f, struct rein_flow, node)->packets,
					    list)
				if (held->gen >= born) {
					count.packets += held->packets;
					count.bytes += held->bytes;
				}
	}
	return count;
}

/**
 * rein_queue_quiet() - wait until those who were refused have been told
 *
 * Context: may sleep.
 */
void rein_queue_quiet(void)
{
	flush_work(&fail_work);
}

/**
 * rein_queue_init() - make the caches
 *
 * Return: 0 or -ENOMEM.
 */
int rein_queue_init(void)
{
	held_cache = KMEM_CACHE(rein_held, SLAB_ACCOUNT);
	return held_cache ? 0 : -ENOMEM;
}

/**
 * rein_queue_exit() - free the caches
 */
void rein_queue_exit(void)
{
	kmem_cache_destroy(held_cache);
}
