// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets. See socket.h.
 */
#include <linux/in.h>
#include <linux/net.h>
#include <linux/sock_diag.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "socket.h"

/* MPTCP's sends nothing itself: each of its connections has a socket of its own. */
static bool is_ours(const struct sock *sk)
{
	return (sk->sk_family == AF_INET || sk->sk_family == AF_INET6) &&
	       sk->sk_protocol != IPPROTO_MPTCP;
}

/**
 * rein_socket_get() - the socket that a descriptor is of
 * @fd:		the present task's
 *
 * Context: may sleep.
 *
 * Return: the socket, with a reference; NULL: it is none, or not one of the families inet
 * and inet6, or of MPTCP.
 */
struct sock *rein_socket_get(int fd)
{
	struct sock *sk = NULL;
	struct socket *sock;
	int err;

	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return NULL;
	if (is_ours(sock->sk)) {
		sk = sock->sk;
		sock_hold(sk);
	}
	sockfd_put(sock);
	return sk;
}

/**
 * rein_socket_counted() - do its packets have it as their socket where we see them?
 * @sk:		the socket, of the families inet or inet6
 * @in:		also those that arrive
 *
 * Return: whether.
 */
bool rein_socket_counted(const struct sock *sk, bool in)
{
	if (!is_ours(sk))
		return false;
	return !in ||
	       (sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP) ||
	       (sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_UDP);
}

/**
 * rein_socket_gone() - will a socket neither send nor receive anything any more?
 * @sk:		the socket
 *
 * A connection of TCP that was closed may still have much to send.
 *
 * Context: any.
 *
 * Return: whether; that never changes back.
 */
bool rein_socket_gone(const struct sock *sk)
{
	return sock_flag(sk, SOCK_DEAD) &&
	       (sk->sk_protocol != IPPROTO_TCP ||
		sk->sk_type != SOCK_STREAM ||
		READ_ONCE(sk->sk_state) == TCP_CLOSE);
}

/**
 * rein_socket_cookie() - what names a socket
 * @sk:		the socket
 *
 * Context: any.
 *
 * Return: its cookie, which no other socket ever has; not 0.
 */
u64 rein_socket_cookie(struct sock *sk)
{
	u64 cookie = atomic64_read(&sk->sk_cookie);
	u32 made[2];

	if (cookie)
		return cookie;
	sock_diag_save_cookie(sk, made);
	return made[0] | (u64)made[1] << 32;
}
