// SPDX-License-Identifier: GPL-2.0
/*
 * Known flows. See known.h.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/netfilter.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/tcp.h>
#include <net/sock.h>

#include "known.h"
#include "limit.h"
#include "packet.h"
#include "socket.h"

#define SETS		4096
#define WAYS		7

/* Seconds. TCP sends a SYN again after up to 120 s. */
#define AGE		30
#define AGE_TCP		130

/* Ports and TCP's sequence number. */
#define HEADER		8

/* 28,672 flows in half a megabyte; without debugging a set is two cache lines. */
struct known {
	u64 tag;		/* 0: nobody */
	u32 seen;		/* jiffies */
	u32 state;
};

struct known_set {
	spinlock_t lock;
	struct known way[WAYS];
} ____cacheline_aligned;

static struct known_set *sets;
static siphash_aligned_key_t secret;

static bool has_ports(int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
	       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP;
}

/**
 * rein_known_tag() - the flow that a packet belongs to
 * @sk:		its socket
 * @skb:	the packet
 * @pf:		NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * A hash with a secret key, so that nobody can make two flows meet.
 *
 * Return: what names the flow, never 0; odd for that of a TCP socket.
 */
u64 rein_known_tag(struct sock *sk, const struct sk_buff *skb, u8 pf)
{
	struct {
		u64 cookie;
		struct in6_addr to;
		__be32 sequence;
		__be16 port;
		u16 pf;
	} __aligned(SIPHASH_ALIGNMENT) flow = {
		.cookie = rein_socket_cookie(sk),
		.pf = pf,
	};
	int offset, protocol = rein_packet_transport(skb, pf, &offset);
	struct tcphdr header, *th;
	u64 tag;

	if (pf == NFPROTO_IPV4)
		flow.to.s6_addr32[0] = ip_hdr(skb)->daddr;
	else
		flow.to = ipv6_hdr(skb)->daddr;
	/* All ports are where TCP's are, and the least header has 8 bytes. */
	th = has_ports(protocol) ?
	     skb_header_pointer(skb, offset, HEADER, &header) : NULL;
	if (th)
		flow.port = th->dest;
	if (th && sk_is_tcp(sk))
		flow.sequence = th->seq;
	tag = siphash(&flow, sizeof(flow), &secret);
	return sk_is_tcp(sk) ? tag | 1 : (tag & ~1ULL) ?: 2;
}

/* How long a flow that isn't seen stays known, in jiffies. */
static u32 age_of(u64 tag)
{
	return (tag & 1 ? AGE_TCP : AGE) * HZ;
}

static struct known_set *set_of(u64 tag)
{
	return &sets[(tag >> 1) % SETS];
}

static struct known *set_find(struct known_set *set, u64 tag)
{
	unsigned int i;

	lockdep_assert_held(&set->lock);
	for (i = 0; i < WAYS; i++)
		if (set->way[i].tag == tag)
			return &set->way[i];
	return NULL;
}

/* The one that was seen least lately; who was never there, before others. */
static struct known *set_oldest(struct known_set *set, u32 now)
{
	struct known *oldest = &set->way[0];
	unsigned int i;

	lockdep_assert_held(&set->lock);
	for (i = 0; i < WAYS; i++) {
		if (!set->way[i].tag)
			return &set->way[i];
		if (now - set->way[i].seen > now - oldest->seen)
			oldest = &set->way[i];
	}
	return oldest;
}

/**
 * rein_known_look() - is a flow known? It is seen now
 * @tag:	the flow
 *
 * Return: what is known of it.
 */
enum rein_known rein_known_look(u64 tag)
{
	enum rein_known state = REIN_UNKNOWN;
	struct known_set *set = set_of(tag);
	u32 now = (u32)jiffies;
	struct known *known;

	spin_lock_bh(&set->lock);
	known = set_find(set, tag);
	if (known && now - known->seen < age_of(tag)) {
		known->seen = now;
		state = known->state;
	}
	spin_unlock_bh(&set->lock);
	return state;
}

/**
 * rein_known_set() - remember a flow
 * @tag:	the flow
 * @state:	what of it
 */
void rein_known_set(u64 tag, enum rein_known state)
{
	struct known_set *set = set_of(tag);
	u32 now = (u32)jiffies;
	struct known *known;

	spin_lock_bh(&set->lock);
	known = set_find(set, tag) ?: set_oldest(set, now);
	*known = (struct known){ .tag = tag, .seen = now, .state = state };
	spin_unlock_bh(&set->lock);
}

/**
 * rein_known_forget() - a flow was refused: it may ask again
 * @tag:	the flow
 */
void rein_known_forget(u64 tag)
{
	struct known_set *set = set_of(tag);
	struct known *known;

	spin_lock_bh(&set->lock);
	known = set_find(set, tag);
	if (known)
		known->tag = 0;
	spin_unlock_bh(&set->lock);
}

/**
 * rein_known_open() - make the memory, if it isn't there yet
 *
 * Context: may sleep; rein_mutex held.
 *
 * Return: 0 or -ENOMEM.
 */
int rein_known_open(void)
{
	struct known_set *made;
	unsigned int i;

	lockdep_assert_held(&rein_mutex);
	if (sets)
		return 0;
	made = kvcalloc(SETS, sizeof(*made), GFP_KERNEL_ACCOUNT);
	if (!made)
		return -ENOMEM;
	for (i = 0; i < SETS; i++)
		spin_lock_init(&made[i].lock);
	get_random_bytes(&secret, sizeof(secret));
	/* Whoever looks has found a hook that is registered after this. */
	sets = made;
	return 0;
}

/**
 * rein_known_exit() - free the memory
 *
 * Context: hooks are gone, and nobody waits.
 */
void rein_known_exit(void)
{
	kvfree(sets);
	sets = NULL;
}
