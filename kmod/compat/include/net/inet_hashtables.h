/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REIN_COMPAT_NET_INET_HASHTABLES_H
#define REIN_COMPAT_NET_INET_HASHTABLES_H

#include_next <net/inet_hashtables.h>

/* Lookups had to be told where to look, which was always the same place. */
#ifdef REIN_TAKES_HASHINFO
static inline struct sock *
rein_inet_lookup_established(struct net *net, __be32 saddr, __be16 sport,
			     __be32 daddr, u16 hnum, int dif, int sdif)
{
	return __inet_lookup_established(net, net->ipv4.tcp_death_row.hashinfo,
					 saddr, sport, daddr, hnum, dif, sdif);
}

#define __inet_lookup_established rein_inet_lookup_established

static inline struct sock *
rein_inet_lookup_listener(struct net *net, struct sk_buff *skb, int doff,
			  __be32 saddr, __be16 sport, __be32 daddr,
			  unsigned short hnum, int dif, int sdif)
{
	return __inet_lookup_listener(net, net->ipv4.tcp_death_row.hashinfo,
				      skb, doff, saddr, sport, daddr, hnum,
				      dif, sdif);
}

#define __inet_lookup_listener rein_inet_lookup_listener
#endif

#endif /* REIN_COMPAT_NET_INET_HASHTABLES_H */
