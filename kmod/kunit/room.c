// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting rooms: who is next, who waits with whom, and that nothing is left behind.
 *
 * Packets are only sizes here, limits are whoever calls rein_room_block(), and time is what
 * the test says: no timer runs.
 */
#include <linux/slab.h>

/* The module may be loaded beside this one. */
#undef KMEM_CACHE
#define KMEM_CACHE(type, flags) \
	kmem_cache_create("kunit_" #type, sizeof(struct type), 0, (flags), NULL)

#include "../room.c"

#include <linux/prandom.h>
#include <net/sock.h>

#include "suites.h"

#define TARGETS	6
#define SOCKS	8

/**
 * struct packet - what waits
 * @list:	in its flow
 * @bytes:	its size
 * @number:	how many its socket had sent before it
 */
struct packet {
	struct list_head list;
	u64 bytes;
	u64 number;
};

/**
 * struct house - what every test has
 * @tree:	the tree
 * @targets:	those of six cgroups: the first is the parent of the next two, the second that
 *		of two more, and the last is beside the first
 * @socks:	sockets
 * @at:		which target each enters its chain at
 * @sent:	how many packets each has sent
 * @served:	and had served, and the bytes of these
 * @bytes:	likewise
 * @shared:	whether it has to share a limit per socket
 */
struct house {
	struct rein_tree tree;
	struct rein_target targets[TARGETS];
	struct sock *socks[SOCKS];
	unsigned int at[SOCKS];
	u64 sent[SOCKS];
	u64 served[SOCKS];
	u64 bytes[SOCKS];
	bool shared[SOCKS];
};

static const int parents[TARGETS] = { -1, 0, 0, 1, 1, -1 };

static struct cgroup *cgroup_fake(struct kunit *test, struct cgroup *parent, u64 id)
{
	int level = parent ? parent->level + 1 : 0, i;
	struct cgroup *cgrp;

	cgrp = kunit_kzalloc(test, struct_size(cgrp, ancestors, level + 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cgrp);
	cgrp->kn = kunit_kzalloc(test, sizeof(*cgrp->kn), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cgrp->kn);
	cgrp->kn->id = id;
	cgrp->level = level;
	for (i = 0; i < level; i++)
		cgrp->ancestors[i] = parent->ancestors[i];
	cgrp->ancestors[level] = cgrp;
	return cgrp;
}

static int house_init(struct kunit *test)
{
	struct house *house = kunit_kzalloc(test, sizeof(*house), GFP_KERNEL);
	struct cgroup *root = cgroup_fake(test, NULL, 1);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, house);
	test->priv = house;
	spin_lock_init(&house->tree.lock);
	timerqueue_init_head(&house->tree.sleepers);
	rein_room_set_up(&house->tree.ground, NULL);
	for (i = 0; i < TARGETS; i++) {
		struct rein_target *target = &house->targets[i], *parent = NULL;

		if (parents[i] >= 0)
			parent = &house->targets[parents[i]];
		target->cgrp = cgroup_fake(test, parent ? parent->cgrp : root, 2 + i);
		RCU_INIT_POINTER(target->parent, parent);
		rein_room_set_up(&target->room, target);
	}
	for (i = 0; i < SOCKS; i++) {
		house->socks[i] = kunit_kzalloc(test, sizeof(struct sock), GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, house->socks[i]);
	}
	return 0;
}

/* Have a socket enter its chain at a target, in a child cgroup @id of that; 0: in its own. */
static void house_seat(struct kunit *test, unsigned int sock, unsigned int at, u64 id)
{
	struct house *house = test->priv;
	struct cgroup *cgrp = house->targets[at].cgrp;

	if (id)
		cgrp = cgroup_fake(test, cgrp, id);
	house->at[sock] = at;
	house->socks[sock]->sk_cgrp_data.cgroup = cgrp;
}

/* A socket sends a packet, which has to wait. */
static void send(struct kunit *test, unsigned int sock, u64 bytes, bool shared)
{
	struct house *house = test->priv;
	struct packet *packet = kzalloc(sizeof(*packet), GFP_KERNEL);
	struct rein_flow *flow;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, packet);
	packet->bytes = bytes;
	packet->number = house->sent[sock]++;
	spin_lock_bh(&house->tree.lock);
	flow = rein_flow_get(&house->tree, &house->targets[house->at[sock]], house->socks[sock],
			     shared);
	if (flow) {
		list_add_tail(&packet->list, &flow->packets);
		flow->bytes += bytes;
		flow->number++;
		rein_room_account(flow->room, bytes, 1);
		rein_flow_join(&house->tree, flow);
	}
	spin_unlock_bh(&house->tree.lock);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, flow);
}

static unsigned int sock_of(const struct house *house, const struct rein_flow *flow)
{
	unsigned int i = 0;

	while (i < SOCKS - 1 && house->socks[i] != flow->sk)
		i++;
	return i;
}

/* Whose turn is it? -1: nobody's. */
static int next(struct kunit *test)
{
	struct house *house = test->priv;
	struct rein_flow *flow;
	int sock = -1;

	spin_lock_bh(&house->tree.lock);
	flow = rein_flow_next(&house->tree);
	if (flow)
		sock = sock_of(house, flow);
	spin_unlock_bh(&house->tree.lock);
	return sock;
}

/* Serve whose turn it is. Returns who it was, or -1. */
static int serve(struct kunit *test)
{
	u64 cost[REIN_UNITS] = { }, expected = 0, number = 0;
	struct house *house = test->priv;
	struct rein_flow *flow;
	struct packet *packet;
	int sock = -1;

	spin_lock_bh(&house->tree.lock);
	flow = rein_flow_next(&house->tree);
	if (flow) {
		packet = list_first_entry(&flow->packets, struct packet, list);
		list_del(&packet->list);
		flow->bytes -= packet->bytes;
		flow->number--;
		rein_room_account(flow->room, -(s64)packet->bytes, -1);
		cost[REIN_UNIT_BYTES] = packet->bytes;
		cost[REIN_UNIT_PACKETS] = 1;
		rein_flow_spend(flow, cost);
		sock = sock_of(house, flow);
		expected = house->served[sock]++;
		number = packet->number;
		house->bytes[sock] += packet->bytes;
		kfree(packet);
	}
	spin_unlock_bh(&house->tree.lock);
	/* Each socket's come in order. */
	KUNIT_EXPECT_EQ(test, number, expected);
	return sock;
}

/* A limit of a target lacks tokens for whose turn it is; or has some again. */
static void block(struct kunit *test, unsigned int target, bool blocked)
{
	struct house *house = test->priv;
	struct rein_room *room = &house->targets[target].room;

	spin_lock_bh(&house->tree.lock);
	if (blocked && !room->blocked && turn_linked(&room->turn))
		rein_room_block(&house->tree, room, 1000);
	else if (!blocked)
		rein_room_wake_all(&house->tree, room);
	spin_unlock_bh(&house->tree.lock);
}

/* A limit per socket of a target lacks them for whose turn it is. */
static void block_sharer(struct kunit *test, unsigned int target)
{
	struct house *house = test->priv;
	struct rein_flow *flow;

	spin_lock_bh(&house->tree.lock);
	flow = rein_flow_next(&house->tree);
	if (flow)
		rein_flow_block(&house->tree, flow, &house->targets[target], 1000);
	spin_unlock_bh(&house->tree.lock);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, flow);
}

/* Serve all there is, and see that nothing is left. */
static void house_exit(struct kunit *test)
{
	struct house *house = test->priv;
	unsigned int i;

	if (!house)
		return;
	for (i = 0; i < TARGETS; i++)
		block(test, i, false);
	while (serve(test) >= 0)
		;
	for (i = 0; i < SOCKS; i++)
		KUNIT_EXPECT_EQ(test, house->served[i], house->sent[i]);
	for (i = 0; i < TARGETS; i++) {
		struct rein_room *room = &house->targets[i].room;

		KUNIT_EXPECT_EQ(test, room->bytes + room->packets + room->children, 0ULL);
		KUNIT_EXPECT_PTR_EQ(test, room->parent, (struct rein_room *)NULL);
		KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&room->classes));
		KUNIT_EXPECT_TRUE(test, list_empty(&room->sharers));
	}
	KUNIT_EXPECT_EQ(test, house->tree.ground.bytes + house->tree.ground.packets, 0ULL);
	KUNIT_EXPECT_EQ(test, house->tree.ground.children, 0U);
	KUNIT_EXPECT_PTR_EQ(test, timerqueue_getnext(&house->tree.sleepers),
			    (struct timerqueue_node *)NULL);
}

static bool busy(struct kunit *test, unsigned int target, bool shared)
{
	struct house *house = test->priv;
	bool busy;

	rcu_read_lock();
	busy = rein_room_busy(&house->targets[target], shared);
	rcu_read_unlock();
	return busy;
}

/* --- turns ----------------------------------------------------------------------------- */

/* However large their packets are: none gets more ahead than a packet of each. */
static void flows_share_bytes(struct kunit *test)
{
	struct house *house = test->priv;
	unsigned int i;

	house_seat(test, 0, 0, 0);
	house_seat(test, 1, 0, 0);
	for (i = 0; i < 100; i++)
		send(test, 0, 1500, false);
	for (i = 0; i < 1500; i++)
		send(test, 1, 100, false);
	while (house->served[0] < 100 && house->served[1] < 1500) {
		s64 ahead = house->bytes[0] - house->bytes[1];

		KUNIT_EXPECT_LE(test, abs(ahead), 1600LL);
		serve(test);
	}
}

static void a_newcomer_goes_first(struct kunit *test)
{
	unsigned int i;

	house_seat(test, 0, 0, 0);
	house_seat(test, 1, 0, 0);
	for (i = 0; i < 10; i++)
		send(test, 0, 1500, false);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, serve(test), 0);
	send(test, 1, 100, false);
	KUNIT_EXPECT_EQ(test, serve(test), 1);
	/* Who comes back is behind what it had: it keeps its place for a round. */
	send(test, 1, 100, false);
	KUNIT_EXPECT_EQ(test, serve(test), 1);
	for (i = 0; i < 20; i++)
		send(test, 1, 100, false);
	while (serve(test) == 1)
		i++;
	KUNIT_EXPECT_LE(test, i, 20U + 16U);
}

/* Three sockets of one child cgroup get as much as the only one of another. */
static void children_share(struct kunit *test)
{
	struct house *house = test->priv;
	unsigned int i, sock;

	for (sock = 0; sock < 4; sock++)
		house_seat(test, sock, 5, sock < 3 ? 100 : 101);
	/* Sockets of one child cgroup are of one cgroup. */
	for (sock = 1; sock < 3; sock++)
		house->socks[sock]->sk_cgrp_data = house->socks[0]->sk_cgrp_data;
	for (i = 0; i < 60; i++)
		for (sock = 0; sock < 4; sock++)
			send(test, sock, 1000, false);
	for (i = 0; i < 90; i++)
		serve(test);
	KUNIT_EXPECT_GE(test, house->served[3], 44ULL);
	KUNIT_EXPECT_LE(test, house->served[3], 46ULL);
	for (sock = 0; sock < 3; sock++) {
		KUNIT_EXPECT_GE(test, house->served[sock], 14ULL);
		KUNIT_EXPECT_LE(test, house->served[sock], 16ULL);
	}
}

static void units_change(struct kunit *test)
{
	struct house *house = test->priv;
	unsigned int i;

	house_seat(test, 0, 0, 0);
	house_seat(test, 1, 0, 0);
	for (i = 0; i < 100; i++) {
		send(test, 0, 1500, false);
		send(test, 1, 100, false);
	}
	for (i = 0; i < 20; i++)
		serve(test);
	spin_lock_bh(&house->tree.lock);
	rein_room_set_unit(&house->targets[0].room, REIN_UNIT_PACKETS);
	spin_unlock_bh(&house->tree.lock);
	for (i = 0; i < 2; i++)
		serve(test);
	i = house->served[0];
	while (house->served[0] < i + 20)
		serve(test);
	/* Packet by packet, from what each had: 1500 bytes to 15 packets before. */
	KUNIT_EXPECT_LE(test, house->served[1], 20ULL + 22ULL);
}

/* Who sleeps meanwhile begins anew as well, when he wakes up. */
static void units_change_while_blocked(struct kunit *test)
{
	struct house *house = test->priv;
	unsigned int i;

	house_seat(test, 0, 1, 0);
	house_seat(test, 1, 2, 0);
	send(test, 0, 50000, false);
	for (i = 0; i < 50; i++) {
		send(test, 0, 100, false);
		send(test, 1, 100, false);
	}
	KUNIT_EXPECT_EQ(test, serve(test) + serve(test), 1);
	block(test, 1, true);
	spin_lock_bh(&house->tree.lock);
	rein_room_set_unit(&house->targets[0].room, REIN_UNIT_PACKETS);
	spin_unlock_bh(&house->tree.lock);
	block(test, 1, false);
	for (i = 0; i < 20; i++)
		serve(test);
	KUNIT_EXPECT_GE(test, house->served[0], 10ULL);
	KUNIT_EXPECT_GE(test, house->served[1], 10ULL);
}

/* --- rooms that sleep --------------------------------------------------------------------- */

static void neighbours_go_on(struct kunit *test)
{
	unsigned int i;

	house_seat(test, 0, 3, 0);
	house_seat(test, 1, 4, 0);
	house_seat(test, 2, 5, 0);
	for (i = 0; i < 10; i++) {
		send(test, 0, 1000, false);
		send(test, 1, 1000, false);
		send(test, 2, 1000, false);
	}
	block(test, 3, true);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_NE(test, serve(test), 0);
	/* With the parent of both. */
	block(test, 1, true);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_NE(test, serve(test), 0);
	KUNIT_EXPECT_NE(test, next(test), 1);
	block(test, 5, true);
	KUNIT_EXPECT_EQ(test, next(test), -1);
	block(test, 1, false);
	KUNIT_EXPECT_NE(test, next(test), 0);
	block(test, 3, false);
	KUNIT_EXPECT_EQ(test, next(test), 0);
}

/* It may want less than whose turn it was. */
static void who_comes_is_asked(struct kunit *test)
{
	house_seat(test, 0, 3, 0);
	house_seat(test, 1, 3, 0);
	send(test, 0, 1500, false);
	KUNIT_EXPECT_EQ(test, next(test), 0);
	block(test, 3, true);
	KUNIT_EXPECT_EQ(test, next(test), -1);
	send(test, 1, 100, false);
	KUNIT_EXPECT_GE(test, next(test), 0);
}

static void nobody_is_passed(struct kunit *test)
{
	house_seat(test, 0, 3, 0);
	KUNIT_EXPECT_FALSE(test, busy(test, 3, false));
	send(test, 0, 1500, false);
	KUNIT_EXPECT_TRUE(test, busy(test, 3, false));
	/* Ready to go there, and so in all above: but not below, or beside. */
	KUNIT_EXPECT_TRUE(test, busy(test, 0, false));
	KUNIT_EXPECT_FALSE(test, busy(test, 5, false));
	/* Who waits for a target further down is not passed by who doesn't go that way. */
	block(test, 3, true);
	KUNIT_EXPECT_TRUE(test, busy(test, 3, false));
	KUNIT_EXPECT_EQ(test, next(test), -1);
	KUNIT_EXPECT_FALSE(test, busy(test, 2, false));
	KUNIT_EXPECT_FALSE(test, busy(test, 4, false));
}

/* --- limits per socket ------------------------------------------------------------------------ */

static void sharers_wait_alone(struct kunit *test)
{
	unsigned int i;

	house_seat(test, 0, 3, 0);
	house_seat(test, 1, 3, 0);
	send(test, 0, 1500, true);
	block_sharer(test, 3);
	KUNIT_EXPECT_EQ(test, next(test), -1);
	for (i = 0; i < 10; i++)
		send(test, 1, 1500, false);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, serve(test), 1);
	KUNIT_EXPECT_EQ(test, next(test), -1);
	/* Who has a copy may pass them; who would have to share may not. */
	KUNIT_EXPECT_FALSE(test, busy(test, 3, false));
	KUNIT_EXPECT_TRUE(test, busy(test, 3, true));
	block(test, 3, false);
	KUNIT_EXPECT_EQ(test, next(test), 0);
}

/* Those in another room wait with them, and all wake up together. */
static void sharers_yield(struct kunit *test)
{
	struct house *house = test->priv;
	struct rein_flow *flow;
	bool yields;

	house_seat(test, 0, 3, 0);
	house_seat(test, 1, 2, 0);
	send(test, 0, 1500, true);
	block_sharer(test, 0);
	send(test, 1, 100, true);
	KUNIT_EXPECT_EQ(test, next(test), 1);
	spin_lock_bh(&house->tree.lock);
	flow = rein_flow_next(&house->tree);
	yields = flow && rein_flow_yield(&house->tree, flow, &house->targets[0]);
	spin_unlock_bh(&house->tree.lock);
	KUNIT_EXPECT_TRUE(test, yields);
	KUNIT_EXPECT_EQ(test, next(test), -1);
	block(test, 0, false);
	KUNIT_EXPECT_GE(test, serve(test), 0);
	KUNIT_EXPECT_GE(test, serve(test), 0);
}

/* What came before the limit did goes over to them, in order. */
static void flows_move_over(struct kunit *test)
{
	struct house *house = test->priv;
	unsigned int i;

	house_seat(test, 0, 3, 0);
	house_seat(test, 1, 3, 0);
	for (i = 0; i < 5; i++)
		send(test, 0, 1500, false);
	block_sharer(test, 3);
	for (i = 0; i < 5; i++)
		send(test, 0, 1500, true);
	send(test, 1, 100, false);
	KUNIT_EXPECT_EQ(test, serve(test), 1);
	KUNIT_EXPECT_EQ(test, house->targets[3].room.packets, 10ULL);
	KUNIT_EXPECT_EQ(test, house->targets[3].room.bytes, 15000ULL);
}

/* --- targets that move ----------------------------------------------------------------------- */

static void move(struct kunit *test, unsigned int target, int parent)
{
	struct house *house = test->priv;
	struct rein_target *pos = &house->targets[target];

	spin_lock_bh(&house->tree.lock);
	if (rein_room_lift(&house->tree, &pos->room)) {
		RCU_INIT_POINTER(pos->parent, parent < 0 ? NULL : &house->targets[parent]);
		rein_room_place(&house->tree, pos);
	} else {
		RCU_INIT_POINTER(pos->parent, parent < 0 ? NULL : &house->targets[parent]);
	}
	spin_unlock_bh(&house->tree.lock);
}

static void what_waits_moves_along(struct kunit *test)
{
	struct house *house = test->priv;
	unsigned int i;

	house_seat(test, 0, 3, 0);
	for (i = 0; i < 10; i++)
		send(test, 0, 1000, false);
	KUNIT_EXPECT_EQ(test, house->targets[1].room.bytes, 10000ULL);
	move(test, 3, 0);
	KUNIT_EXPECT_EQ(test, house->targets[1].room.bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, house->targets[0].room.bytes, 10000ULL);
	move(test, 3, -1);
	KUNIT_EXPECT_EQ(test, house->targets[0].room.bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, house->tree.ground.bytes, 10000ULL);
	KUNIT_EXPECT_EQ(test, serve(test), 0);
	/* And blocked rooms stay so. */
	block(test, 3, true);
	move(test, 3, 1);
	KUNIT_EXPECT_EQ(test, next(test), -1);
	KUNIT_EXPECT_EQ(test, house->targets[1].room.bytes, 9000ULL);
}

/* --- anything ---------------------------------------------------------------------------- */

/* What waits in a room is what waits in those below and in its own classes. */
static void sums_hold(struct kunit *test)
{
	struct house *house = test->priv;
	struct rb_node *node;
	u64 waits = 0, all;
	unsigned int i, j;

	for (i = 0; i < SOCKS; i++)
		waits += house->sent[i] - house->served[i];
	KUNIT_EXPECT_EQ(test, house->tree.ground.packets, waits);
	for (i = 0; i < TARGETS; i++) {
		struct rein_room *room = &house->targets[i].room, *class;

		all = 0;
		for (node = rb_first(&room->classes); node; node = rb_next(node)) {
			class = rb_entry(node, struct rein_room, node);
			all += class->packets;
		}
		for (j = 0; j < TARGETS; j++)
			if (house->targets[j].room.parent == room)
				all += house->targets[j].room.packets;
		KUNIT_EXPECT_EQ(test, room->packets, all);
	}
}

/* Whose turn it is has to wait for a limit per socket, where it entered or somewhere above. */
static void block_any_sharer(struct kunit *test, u32 which)
{
	struct house *house = test->priv;
	int sock = next(test), at, above;

	if (sock < 0)
		return;
	for (at = house->at[sock]; which % 2; at = above, which /= 2) {
		struct rein_target *parent;

		parent = rcu_dereference_protected(house->targets[at].parent, true);
		if (!parent)
			break;
		above = parent - house->targets;
	}
	block_sharer(test, at);
	house->shared[sock] = true;
}

/* One step of anything, but what has a loop above it. */
static void step(struct kunit *test, struct rnd_state *rnd)
{
	static const int above[TARGETS][2] = {
		{ -1, -1 }, { 0, -1 }, { 0, -1 }, { 1, 0 }, { 1, -1 }, { -1, -1 },
	};
	struct house *house = test->priv;
	u32 dice = prandom_u32_state(rnd), which = prandom_u32_state(rnd);

	switch (dice % 16) {
	case 0:
		block(test, which % TARGETS, true);
		break;
	case 1:
	case 2:
		block(test, which % TARGETS, false);
		break;
	case 3:
		block_any_sharer(test, which);
		break;
	case 4:
		move(test, which % TARGETS, above[which % TARGETS][which >> 16 & 1]);
		break;
	case 5 ... 9:
		serve(test);
		break;
	default:
		which %= SOCKS;
		send(test, which, 40 + (dice >> 8) % 1460, house->shared[which]);
	}
}

static void anything(struct kunit *test)
{
	struct house *house = test->priv;
	struct rnd_state rnd;
	unsigned int i;

	for (i = 0; i < SOCKS; i++)
		house_seat(test, i, i % TARGETS, i < 6 ? 0 : 100 + i);
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < 20000; i++) {
		step(test, &rnd);
		sums_hold(test);
		if (house->tree.ground.packets > 2000)
			while (serve(test) >= 0)
				;
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(flows_share_bytes),
	KUNIT_CASE(a_newcomer_goes_first),
	KUNIT_CASE(children_share),
	KUNIT_CASE(units_change),
	KUNIT_CASE(units_change_while_blocked),
	KUNIT_CASE(neighbours_go_on),
	KUNIT_CASE(who_comes_is_asked),
	KUNIT_CASE(nobody_is_passed),
	KUNIT_CASE(sharers_wait_alone),
	KUNIT_CASE(sharers_yield),
	KUNIT_CASE(flows_move_over),
	KUNIT_CASE(what_waits_moves_along),
	KUNIT_CASE(anything),
	{ }
};

static int suite_init(struct kunit_suite *suite)
{
	return rein_room_init();
}

/* What a test has left in a cache is a report of the kernel's. */
static void suite_exit(struct kunit_suite *suite)
{
	rein_room_exit();
}

struct kunit_suite rein_room_suite = {
	.name = "rein-room",
	.suite_init = suite_init,
	.suite_exit = suite_exit,
	.init = house_init,
	.exit = house_exit,
	.test_cases = cases,
};
