/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets: the cgroups and sockets that have limits, and what limits bind a socket.
 *
 * A target exists for every cgroup, and every socket, that has a limit, and a
 * little longer while packets that met one still wait in its room. A cgroup without
 * limits has none, so that whoever may mkdir can't grow kernel memory: what is
 * remembered of it is one slot of a per-CPU cache.
 *
 * Targets form a forest that follows the cgroup tree, with sockets as leaves of the
 * cgroups they were made in; parent pointers are read under RCU, all changes are
 * made under rein_mutex.
 */
#ifndef REIN_TARGET_H
#define REIN_TARGET_H

#include <linux/rhashtable-types.h>
#include <linux/types.h>

#include "cgroup.h"
#include "limit.h"
#include "queue.h"
#include "room.h"

struct sock;

/*
 * A cgroup, or a socket, has one target for each of these, so that each has a room
 * of its own: whoever waits to connect must not hold up packets.
 */
enum rein_lane {
	REIN_LANE_PACKETS,
	REIN_LANE_ARRIVALS,
	REIN_LANE_CONNECTIONS,
	REIN_LANE_CALLS,
	REIN_LANES,
};

static inline enum rein_lane rein_lane_of(enum rein_resource resource)
{
	switch (resource) {
	case REIN_RESOURCE_INGRESS:
		return REIN_LANE_ARRIVALS;
	case REIN_RESOURCE_CONNECT:
	case REIN_RESOURCE_ACCEPT:
		return REIN_LANE_CONNECTIONS;
	case REIN_RESOURCE_CALL:
		return REIN_LANE_CALLS;
	default:
		return REIN_LANE_PACKETS;
	}
}

/* What is limited of those who wait in a target's room, or its tree's line. */
static inline enum rein_resource rein_lane_resource(enum rein_lane lane)
{
	static const enum rein_resource resources[REIN_LANES] = {
		[REIN_LANE_PACKETS] = REIN_RESOURCE_EGRESS,
		[REIN_LANE_ARRIVALS] = REIN_RESOURCE_INGRESS,
		[REIN_LANE_CONNECTIONS] = REIN_RESOURCE_CONNECT,
		[REIN_LANE_CALLS] = REIN_RESOURCE_CALL,
	};

	return resources[lane];
}

/**
 * struct rein_at - what limits can be attached to
 * @cgrp:	a cgroup; of a socket the one it was made in
 * @sk:		a socket; NULL: it is the cgroup that is meant
 */
struct rein_at {
	struct cgroup *cgrp;
	struct sock *sk;
};

/**
 * struct rein_target_key - what targets are found by
 * @id:		the cgroup's 64-bit id, or the socket's cookie
 * @lane:	enum rein_lane
 * @is_socket:	which of these it is
 */
struct rein_target_key {
	u64 id;
	u32 lane;
	u32 is_socket;
};

/**
 * struct rein_target - a cgroup, or a socket, that has limits
 * @hash:	in the table of targets, by @key
 * @key:	whose target it is
 * @cgrp:	the cgroup, or that of the socket; the target holds a reference
 * @sk:		the socket, or NULL; likewise
 * @parent:	target of the nearest ancestor that has one, or NULL; RCU
 * @limits:	the limits, by resource, youngest first; RCU
 * @n_limits:	how many there are in all; rein_mutex
 * @changed:	configuration generation that last changed @limits; the tree's lock
 * @unlisted:	nobody finds it any more, it only runs empty; rein_mutex
 * @siblings:	among the children of @parent, or the topmost targets: sockets first;
 *		rein_mutex
 * @sockets:	among all targets that are sockets; rein_mutex
 * @children:	targets whose parent this is; rein_mutex
 * @room:	where its packets wait
 * @rcu:	to free it
 */
struct rein_target {
	struct rhash_head hash;
	struct rein_target_key key;
	struct cgroup *cgrp;
	struct sock *sk;
	struct rein_target __rcu *parent;
	struct list_head limits[REIN_RESOURCES];
	unsigned int n_limits;
	u64 changed;
	bool unlisted;
	struct list_head siblings;
	struct list_head sockets;
	struct list_head children;
	struct rein_room room;
	struct rcu_head rcu;
};

/**
 * struct rein_chain - every limit that binds one request
 * @n:		how many limits there are
 * @shared:	one of @limits is per socket, and the socket has no copy
 * @gen:	configuration generation the chain is a picture of
 * @limits:	leaf first; within one target youngest first
 */
struct rein_chain {
	unsigned int n;
	bool shared;
	u64 gen;
	struct rein_limit *limits[REIN_CHAIN_MAX + REIN_SOCKET_MAX];
};

struct rein_target *rein_chain_find(struct rein_chain *chain,
				    struct cgroup *cgrp,
				    enum rein_resource resource);
struct rein_target *rein_chain_of(struct rein_chain *chain,
				  const struct sock *sk,
				  enum rein_resource resource);
void rein_chain_collect(struct rein_chain *chain, struct rein_target *leaf,
			enum rein_resource resource);

struct rein_target *rein_target_lookup(const struct rein_at *at,
				       enum rein_lane lane);
struct rein_target *rein_target_get(const struct rein_at *at,
				    enum rein_lane lane, gfp_t gfp);
bool rein_target_is(const struct rein_target *target,
		    const struct rein_at *at);
struct rein_limit *rein_target_uncopied(const struct rein_at *at,
					enum rein_resource resource,
					unsigned int skip);
bool rein_target_copied(const struct rein_at *at,
			const struct rein_limit *limit);
bool rein_target_full(struct rein_target *target, enum rein_resource resource);
struct rein_target *rein_target_next(struct rein_target *top,
				     struct rein_target *pos);
void rein_target_settle(struct rein_target *target);
void rein_target_unhook(void);
void rein_target_flush(rein_drop_fn drop, rein_match_fn match,
		       const void *what);
unsigned long rein_target_number(void);
unsigned long rein_target_sockets(void);

int rein_target_init(void);
void rein_target_exit(void);

#endif /* REIN_TARGET_H */
