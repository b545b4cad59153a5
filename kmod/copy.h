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

#include <linux/gfp.h>

/*
 * Memory for copies is that of whoever has made the socket, and if he has no more there is none:
 * to get some could take long, and rein_mutex is held.
 */
#define REIN_GFP_COPY		(GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN)

struct rein_count;
struct rein_limit;
struct sock;

void rein_copy_inherit(struct rein_limit *copy);
void rein_copy_bequeath(struct rein_limit *copy);
void rein_copy_stats(const struct rein_limit *limit, struct rein_count *stats);
void rein_copy_ask(struct sock *sk);
void rein_copy_exit(void);

#endif /* REIN_COPY_H */
