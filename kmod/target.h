/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets: the cgroups that have limits, and what limits bind a socket.
 *
 * A target exists for every cgroup that has a limit, and a little longer
 * while packets that met one still wait in its room. A cgroup without limits
 * has none, so that whoever may mkdir can't grow kernel memory: what is
 * remembered of it is one slot of a per-CPU cache.
 *
 * Targets form a forest that follows the cgroup tree; parent pointers are
 * read under RCU, all changes are made under rein_mutex.
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
 * A cgroup has one target for each of these, so that each has a room of its
 * own: whoever waits to connect must not hold up packets.
 */
enum rein_lane {
	REIN_LANE_PACKETS,
	REIN_LANE_CONNECTIONS,
	REIN_LANE_CALLS,
	REIN_LANES,
};

static inline enum rein_lane rein_lane_of(enum rein_resource resource)
{
	switch (resource) {
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
		[REIN_LANE_CONNECTIONS] = REIN_RESOURCE_CONNECT,
		[REIN_LANE_CALLS] = REIN_RESOURCE_CALL,
	};

	return resources[lane];
}

/**
 * struct rein_target_key - what targets are found by
 * @cgroup_id:	the cgroup's 64-bit id
 * @lane:	enum rein_lane
 */
struct rein_target_key {
	u64 cgroup_id;
	u64 lane;
};

/**
 * struct rein_target - a cgroup that has limits
 * @hash:	in the table of targets, by @key
 * @key:	whose target it is
 * @cgrp:	the cgroup; the target holds a reference
 * @parent:	target of the nearest ancestor that has one, or NULL; RCU
 * @limits:	the limits, by resource, youngest first; RCU
 * @n_limits:	how many there are in all; rein_mutex
 * @unlisted:	nobody finds it any more, it only runs empty; rein_mutex
 * @siblings:	among the children of @parent, or the topmost targets;
 *		rein_mutex
 * @children:	targets whose parent this is; rein_mutex
 * @room:	where its packets wait
 * @rcu:	to free it
 */
struct rein_target {
	struct rhash_head hash;
	struct rein_target_key key;
	struct cgroup *cgrp;
	struct rein_target __rcu *parent;
	struct list_head limits[REIN_RESOURCES];
	unsigned int n_limits;
	bool unlisted;
	struct list_head siblings;
	struct list_head children;
	struct rein_room room;
	struct rcu_head rcu;
};

/**
 * struct rein_chain - every limit that binds one request
 * @n:		how many limits there are
 * @gen:	configuration generation the chain is a picture of
 * @limits:	leaf first; within one target youngest first
 */
struct rein_chain {
	unsigned int n;
	u64 gen;
	struct rein_limit *limits[REIN_CHAIN_MAX];
};

struct rein_target *rein_chain_find(struct rein_chain *chain,
				    struct cgroup *cgrp,
				    enum rein_resource resource);
void rein_chain_collect(struct rein_chain *chain, struct rein_target *leaf,
			enum rein_resource resource);

struct rein_target *rein_target_lookup(const struct cgroup *cgrp,
				       enum rein_lane lane);
struct rein_target *rein_target_get(struct cgroup *cgrp, enum rein_lane lane);
unsigned int rein_target_chain_max(struct rein_target *target,
				   enum rein_resource resource);
struct rein_target *rein_target_next(struct rein_target *top,
				     struct rein_target *pos);
void rein_target_settle(struct rein_target *target);
void rein_target_unhook(void);
void rein_target_flush(rein_drop_fn drop, rein_match_fn match,
		       const void *what);
unsigned long rein_target_number(void);

int rein_target_init(void);
void rein_target_exit(void);

#endif /* REIN_TARGET_H */
