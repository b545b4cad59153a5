/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REIN_COMPAT_NET_INET6_HASHTABLES_H
#define REIN_COMPAT_NET_INET6_HASHTABLES_H

#include_next <net/inet6_hashtables.h>

/* As in inet_hashtables.h. */
#ifdef REIN_TAKES_HASHINFO
static inline struct sock *
rein_inet6_lookup_established(struct net *net, const struct in6_addr *saddr,
			      __be16 sport, const struct in6_addr *daddr,
			      u16 hnum, int dif, int sdif)
{
	return __inet6_lookup_established(net,
					  net->ipv4.tcp_death_row.hashinfo,
					  saddr, sport, daddr, hnum, dif, sdif);
}

#define __inet6_lookup_established rein_inet6_lookup_established

static inline struct sock *
rein_inet6_lookup_listener(struct net *net, struct sk_buff *skb, int doff,
			   const struct in6_addr *saddr, __be16 sport,
			   const struct in6_addr *daddr, unsigned short hnum,
			   int dif, int sdif)
{
	return inet6_lookup_listener(net, net->ipv4.tcp_death_row.hashinfo,
				     skb, doff, saddr, sport, daddr, hnum, dif,
				     sdif);
}

#define inet6_lookup_listener rein_inet6_lookup_listener
#endif

#endif /* REIN_COMPAT_NET_INET6_HASHTABLES_H */
