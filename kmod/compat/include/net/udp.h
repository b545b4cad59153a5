/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REIN_COMPAT_NET_UDP_H
#define REIN_COMPAT_NET_UDP_H

#include_next <net/udp.h>

/* Lookups had to be told where to look, which was always the same place. */
#ifdef REIN_TAKES_UDP_TABLE
#ifdef REIN_HAVE_UDP_TABLE
#define rein_udp_table(net)	((net)->ipv4.udp_table)
#else
#define rein_udp_table(net)	(&udp_table)
#endif

static inline struct sock *
rein_udp4_lib_lookup(struct net *net, __be32 saddr, __be16 sport, __be32 daddr,
		     __be16 dport, int dif, int sdif, struct sk_buff *skb)
{
	return __udp4_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif,
				 rein_udp_table(net), skb);
}

#define __udp4_lib_lookup rein_udp4_lib_lookup

static inline struct sock *
rein_udp6_lib_lookup(struct net *net, const struct in6_addr *saddr,
		     __be16 sport, const struct in6_addr *daddr, __be16 dport,
		     int dif, int sdif, struct sk_buff *skb)
{
	return __udp6_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif,
				 rein_udp_table(net), skb);
}

#define __udp6_lib_lookup rein_udp6_lib_lookup
#endif

#endif /* REIN_COMPAT_NET_UDP_H */
