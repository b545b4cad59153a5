/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The queue: packets into waiting rooms and out of them.
 *
 * A packet holds a place, not tokens: when its turn comes it is admitted like
 * any other. Only the timer of its tree lets it go, so that packets can't
 * overtake each other, and nobody passes a room in which somebody is ready to
 * go. What has outlived its patience is dropped from the head.
 *
 * Context: any but hard interrupts; takes the tree's lock.
 */
#ifndef REIN_QUEUE_H
#define REIN_QUEUE_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/netfilter.h>
#include <linux/types.h>

struct net_device;
struct rein_chain;
struct rein_request;
struct rein_target;
struct sk_buff;
struct sock;

/* How long a packet may outlive its patience. */
#define REIN_SWEEP_NS		(100ULL * NSEC_PER_MSEC)

/**
 * struct rein_held - a packet in a waiting room
 * @list:	in its flow
 * @skb:	the packet
 * @state:	where it was on its way through netfilter
 * @dev:	the skb's device, as it was
 * @arrived:	CLOCK_MONOTONIC, ns
 * @gen:	configuration generation it arrived in
 * @flow:	the flow it is to begin (see known.h); 0: it is only a packet
 * @bytes:	its size
 * @packets:	what it costs: packets; if it is to begin a flow one call, or 0
 *		if it waits for one that is ahead of it
 * @end:	in the list of those whose connect(2) is to fail
 */
struct rein_held {
	struct list_head list;
	struct sk_buff *skb;
	struct nf_hook_state state;
	struct net_device *dev;
	u64 arrived;
	u64 gen;
	u64 flow;
	u32 bytes;
	u32 packets;
	struct llist_node end;
};

typedef bool (*rein_match_fn)(const struct rein_held *held, const void *what);
typedef void (*rein_drop_fn)(struct rein_target *target, rein_match_fn match,
			     const void *what);

int rein_queue_hold(struct rein_target *target, struct sock *sk,
		    const struct rein_chain *chain, struct rein_request *req,
		    struct sk_buff *skb, const struct nf_hook_state *state,
		    u64 flow);
void rein_queue_flush(struct rein_target *target, rein_match_fn match,
		      const void *what);
void rein_queue_cancel(struct rein_target *target, rein_match_fn match,
		       const void *what);
enum hrtimer_restart rein_queue_timer(struct hrtimer *timer);
struct rein_count rein_queue_waiting(const struct rein_target *target, u64 born);
void rein_queue_quiet(void);

int rein_queue_init(void);
void rein_queue_exit(void);

#endif /* REIN_QUEUE_H */
