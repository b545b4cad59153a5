// SPDX-License-Identifier: GPL-2.0
/*
 * Metering: from a packet to what becomes of it. See meter.h.
 */
#include <linux/cgroup.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/timekeeping.h>
#include <net/sock.h>

#include "admit.h"
#include "copy.h"
#include "meter.h"
#include "packet.h"
#include "queue.h"
#include "record.h"
#include "room.h"
#include "slice.h"
#include "tally.h"
#include "target.h"

static const char *unit_name(enum rein_unit unit)
{
	static const char *const names[] = {
		[REIN_UNIT_BYTES] = "bytes",
		[REIN_UNIT_PACKETS] = "packets",
		[REIN_UNIT_CALLS] = "calls",
	};

	return names[unit];
}

/**
 * rein_meter_record() - record that there were no tokens for a packet
 * @lack:	who had none
 * @fold:	what became of the packet
 * @skb:	the packet
 * @pf:		NFPROTO_IPV4 or NFPROTO_IPV6
 * @now:	CLOCK_MONOTONIC, ns
 *
 * Context: as rein_record_packet().
 */
void rein_meter_record(const struct rein_lack *lack, enum rein_fold fold,
		       const struct sk_buff *skb, u8 pf, u64 now)
{
	struct rein_value value[REIN_RECORD_VALUES] = {
		{ "wanted", unit_name(lack->unit), lack->wanted },
		{ "available", unit_name(lack->unit), lack->available },
	};

	if (lack->when != REIN_NEVER && lack->when > now)
		value[2] = (struct rein_value){
			"retry_after", "ns", lack->when - now
		};
	rein_record_packet(lack->limit, fold, skb, pf, value, REIN_SITE);
}

/**
 * rein_meter_ask() - may a packet go?
 * @skb:	the packet; if it passes it may be marked
 * @refusal:	the verdict if it may not
 * @state:	where it is on its way through netfilter
 * @chain:	its limits
 * @req:	what it costs
 * @must_wait:	gets whether it may, but not yet: then there is no verdict
 *
 * Context: RCU read side.
 *
 * Return: NF_ACCEPT or @refusal; what was over is recorded.
 */
unsigned int rein_meter_ask(struct sk_buff *skb, unsigned int refusal,
			    const struct nf_hook_state *state,
			    const struct rein_chain *chain,
			    const struct rein_request *req, bool *must_wait)
{
	struct rein_verdict verdict __uninitialized;

	rein_admit(chain, req, &verdict);
	*must_wait = verdict.decision == REIN_WAIT;
	if (verdict.observed.limit && verdict.decision == REIN_GO)
		rein_meter_record(&verdict.observed, REIN_FOLD_OBSERVED, skb,
				  state->pf, req->now);
	if (verdict.decision == REIN_REFUSE) {
		rein_meter_record(&verdict.lack, REIN_FOLD_REFUSED, skb,
				  state->pf, req->now);
		return refusal;
	}
	if (verdict.mark)
		rein_packet_mark(skb, state->pf);
	return NF_ACCEPT;
}

/**
 * rein_meter_packet() - have a socket pay for a packet
 * @skb:	the packet
 * @refusal:	the verdict if it is refused
 * @state:	where it is on its way through netfilter
 * @sk:		whose packet it is; a full socket
 * @resource:	REIN_RESOURCE_EGRESS or REIN_RESOURCE_INGRESS
 *
 * Context: a netfilter hook.
 *
 * Return: NF_ACCEPT, @refusal, or NF_STOLEN: it waits.
 */
unsigned int rein_meter_packet(struct sk_buff *skb, unsigned int refusal,
			       const struct nf_hook_state *state,
			       struct sock *sk, enum rein_resource resource)
{
	struct rein_chain chain __uninitialized;
	struct rein_request req __uninitialized;
	u64 cost[REIN_UNITS], now;
	struct rein_target *target;
	unsigned int verdict;
	bool must_wait, busy;
	int err;

	rein_tally_packet(sk, skb, resource);
	do {
		target = rein_chain_of(&chain, sk, resource);
		if (!chain.n)
			return NF_ACCEPT;
		if (chain.shared)
			rein_copy_ask(sk);

		rein_packet_cost(skb, cost);
		now = ktime_get_ns();
		busy = rein_room_busy(target, chain.shared);
		/* Most packets: rein_admit() does it, too, but needs a request. */
		if (!busy && rein_slice_take(&chain, cost, NULL, now))
			return NF_ACCEPT;

		req = (struct rein_request){
			.now = now,
			.may_debt = true,
			.ecn = rein_packet_ecn(skb, state->pf),
		};
		memcpy(req.cost, cost, sizeof(cost));
		if (!busy) {
			verdict = rein_meter_ask(skb, refusal, state, &chain,
						 &req, &must_wait);
			if (!must_wait)
				return verdict;
		}
		err = rein_queue_hold(target, sk, &chain, &req, skb, state, 0);
	} while (err == -EAGAIN);

	return err ? refusal : NF_STOLEN;
}
