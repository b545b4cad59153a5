/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets: those that limits are attached to, or watches kept over.
 */
#ifndef REIN_SOCKET_H
#define REIN_SOCKET_H

#include <linux/cgroup.h>
#include <linux/types.h>
#include <net/sock.h>

/* How often closed sockets are looked for: nobody tells us of them. */
#define REIN_SOCKET_LOOK	HZ

/**
 * rein_socket_cgroup() - the cgroup that a socket was made in
 * @sk:		the socket
 *
 * It stays so, whoever has the socket. The socket holds a reference to it.
 *
 * Return: the cgroup.
 */
static inline struct cgroup *rein_socket_cgroup(const struct sock *sk)
{
	return sock_cgroup_ptr((struct sock_cgroup_data *)&sk->sk_cgrp_data);
}

struct sock *rein_socket_get(int fd);
bool rein_socket_counted(const struct sock *sk, bool in);
bool rein_socket_gone(const struct sock *sk);
u64 rein_socket_cookie(struct sock *sk);

#endif /* REIN_SOCKET_H */
