/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies: what makes a limit per socket.
 *
 * Each socket that such a limit binds gets a copy of it: a limit on the socket, with the same
 * tiers, that is in its place from then on. Who waits has to have a room of its own, so that
 * one socket's turn does not hold up another's; only a task can make one. So the limit itself
 * meters the first packets, of all sockets that have no copy yet together, and has a work item
 * make that.
 */
#ifndef REIN_COPY_H
#define REIN_COPY_H

struct sock;

void rein_copy_ask(struct sock *sk);
void rein_copy_exit(void);

#endif /* REIN_COPY_H */
