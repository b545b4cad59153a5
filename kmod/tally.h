/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tallies: how many packets a cgroup, with all below it, or a socket has sent, or received.
 * Watches take them as beats.
 *
 * They are no targets: who is counted must not get a room of his own by that, and with it
 * other turns. So they have a table of their own, which nobody looks into while it is empty,
 * and who does looks for the levels of the cgroup tree at which there are any.
 */
#ifndef REIN_TALLY_H
#define REIN_TALLY_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include "limit.h"

struct rein_tally;
struct sk_buff;
struct sock;

extern unsigned int rein_tallies;

/**
 * struct rein_traffic - the packets of a cgroup or a socket
 * @out:	those that it sends, holds a reference; NULL: they are not counted
 * @in:		those that it receives, likewise
 * @charged:	to @payer, see own.h
 * @payer:	the user who counts them
 * @seen:	for who looks now and then: how many he has seen
 * @frozen:	likewise: they could not be answered when he did
 */
struct rein_traffic {
	struct rein_tally *out;
	struct rein_tally *in;
	bool charged;
	kuid_t payer;
	unsigned long seen;
	bool frozen;
};

int rein_traffic_get(struct rein_traffic *traffic, struct cgroup *cgrp,
		     struct sock *sk, bool out, bool in);
void rein_traffic_put(struct rein_traffic *traffic);
unsigned long rein_traffic_read(const struct rein_traffic *traffic);

/**
 * rein_traffic_is_counted() - are any packets?
 * @traffic:	the traffic
 *
 * Return: whether those of one way or the other are.
 */
static inline bool rein_traffic_is_counted(const struct rein_traffic *traffic)
{
	return traffic->out || traffic->in;
}

unsigned int rein_traffic_cost(void);
unsigned int rein_tally_resources(void);

void rein_tally_count(const struct sock *sk, const struct sk_buff *skb,
		      enum rein_resource resource);

/**
 * rein_tally_packet() - a socket has sent, or received, a packet
 * @sk:		the socket; a full one
 * @skb:	the packet, before it is known what becomes of it
 * @resource:	REIN_RESOURCE_EGRESS or REIN_RESOURCE_INGRESS
 *
 * Context: RCU read side.
 */
static inline void rein_tally_packet(const struct sock *sk,
				     const struct sk_buff *skb,
				     enum rein_resource resource)
{
	if (unlikely(READ_ONCE(rein_tallies)))
		rein_tally_count(sk, skb, resource);
}

int rein_tally_init(void);
void rein_tally_exit(void);

#endif /* REIN_TALLY_H */
