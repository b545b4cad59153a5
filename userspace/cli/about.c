// SPDX-License-Identifier: GPL-2.0
/*
 * What several commands print: sockets, and who made something.
 */
#include <netinet/in.h>

#include "cli.h"

static const char *protocol_name(uint32_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return NULL;
	}
}

static const char *family_name(uint32_t family)
{
	return family == AF_INET ? "inet" : family == AF_INET6 ? "inet6" : NULL;
}

static void show_end(struct out *out, const char *key, const char *port_key, const char *lead,
		     const void *address, size_t len, uint32_t port)
{
	if (address)
		out_address(out, key, lead, address, len);
	else
		out_null(out, key, lead);
	/* Not every protocol has ports. */
	if (port)
		out_num(out, port_key, lead ? " port " : NULL, port);
	else
		out_null(out, port_key, NULL);
}

/**
 * show_socket() - print a socket
 * @out:	where
 * @sock:	what
 * @lead:	what stands before it in the text, NULL: it isn't in the text
 */
void show_socket(struct out *out, const struct rein_socket *sock, const char *lead)
{
	out_object(out, "socket");
	out_word(out, "family", NULL, family_name(sock->family), sock->family);
	out_word(out, "protocol", lead, protocol_name(sock->protocol), sock->protocol);
	show_end(out, "source", "source_port", lead ? " from " : NULL, sock->source,
		 sock->source_len, sock->source_port);
	show_end(out, "destination", "destination_port", lead ? " to " : NULL, sock->destination,
		 sock->destination_len, sock->destination_port);
	if (sock->cookie)
		out_id(out, "cookie", lead ? ", cookie " : NULL, sock->cookie);
	else
		out_null(out, "cookie", NULL);
	out_end(out);
}

/**
 * show_maker() - print who made something; of text only
 * @out:	where
 * @pid:	0: not known
 * @comm:	NULL: likewise
 * @has_uid:	@uid is known
 * @uid:	whose it is
 */
void show_maker(struct out *out, uint32_t pid, const char *comm, bool has_uid, uint32_t uid)
{
	if (!pid && !comm && !has_uid)
		return;
	out_text(out, "\n  made by:\t");
	if (pid)
		out_num(out, NULL, "pid ", pid);
	out_str(out, NULL, pid ? ", " : "", comm);
	if (has_uid)
		out_num(out, NULL, pid || comm ? ", uid " : "uid ", uid);
}
