// SPDX-License-Identifier: GPL-2.0
/*
 * Packets: what is read of them, and written to them. See packet.h.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "packet.h"

static unsigned int gso_header(const struct sk_buff *skb)
{
	bool tcp = skb_shinfo(skb)->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6);

	if (skb->encapsulation)
		return skb_inner_transport_offset(skb) +
		       (tcp ? inner_tcp_hdrlen(skb) : sizeof(struct udphdr));
	return skb_transport_offset(skb) +
	       (tcp ? tcp_hdrlen(skb) : sizeof(struct udphdr));
}

/**
 * rein_packet_cost() - what a packet costs
 * @skb:	the packet
 * @cost:	gets tokens by unit: bytes at layer 3 and packets, as they will be on
 *		the wire, where each segment has headers; no calls
 */
void rein_packet_cost(const struct sk_buff *skb, u64 cost[REIN_UNITS])
{
	unsigned int segments = 1, bytes = skb->len;

	if (skb_is_gso(skb)) {
		unsigned int header = gso_header(skb);
		unsigned int size = skb_shinfo(skb)->gso_size;

		if (skb->len > header && size)
			segments = DIV_ROUND_UP(skb->len - header, size);
		bytes += (segments - 1) * header;
	}
	cost[REIN_UNIT_BYTES] = bytes;
	cost[REIN_UNIT_PACKETS] = segments;
	cost[REIN_UNIT_CALLS] = 0;
}

/**
 * rein_packet_transport() - find the transport header of a packet
 * @skb:	the packet
 * @pf:		NFPROTO_IPV4 or NFPROTO_IPV6
 * @offset:	gets where it is, from skb->data
 *
 * Return: its IPPROTO_*, or less than 0 if there is none here: in a fragment
 * that isn't the first.
 */
int rein_packet_transport(const struct sk_buff *skb, u8 pf, int *offset)
{
	unsigned int at = 0;
	u16 fragment = 0;
	int protocol;

	if (pf == NFPROTO_IPV4) {
		const struct iphdr *ip = ip_hdr(skb);

		if (ip->frag_off & htons(IP_OFFSET))
			return -EINVAL;
		*offset = skb_network_offset(skb) + ip_hdrlen(skb);
		return ip->protocol;
	}
	protocol = ipv6_find_hdr(skb, &at, -1, &fragment, NULL);
	*offset = at;
	return fragment ? -EINVAL : protocol;
}

/**
 * rein_packet_ecn() - can CE be set on a packet?
 * @skb:	the packet
 * @pf:		NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Return: whether its transport says that it understands ECN.
 */
bool rein_packet_ecn(const struct sk_buff *skb, u8 pf)
{
	u8 tos = pf == NFPROTO_IPV4 ? ip_hdr(skb)->tos :
				      ipv6_get_dsfield(ipv6_hdr(skb));

	return !INET_ECN_is_not_ect(tos);
}

/**
 * rein_packet_mark() - set CE on a packet
 * @skb:	the packet
 * @pf:		NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Without memory for a header of its own the packet goes unmarked: there
 * will be more of them.
 */
void rein_packet_mark(struct sk_buff *skb, u8 pf)
{
	bool v4 = pf == NFPROTO_IPV4;
	unsigned int size = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	if (skb_ensure_writable(skb, skb_network_offset(skb) + size))
		return;
	if (v4)
		IP_ECN_set_ce(ip_hdr(skb));
	else
		IP6_ECN_set_ce(skb, ipv6_hdr(skb));
}
