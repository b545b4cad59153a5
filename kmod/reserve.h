/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reservations: takes that wait in a file descriptor instead of a task.
 *
 * A reservation stands in the line as a taker does: it has a place, no tokens.
 * When its time comes the buckets are charged, and what they were charged is
 * held for whoever claims it: from then on the file is readable. If nobody does
 * in time, or the file is closed first, it is given back. Only what would still
 * be there had it never been charged can be: see rein_bucket_return().
 *
 * What is held is known by the ids of limits, since these may change, or go, in
 * the meantime: what is held of a limit that has gone is forgotten with it.
 *
 * Locking: a reservation's own lock, outside that of the tree, decides who ends
 * it: a claim, the end of its time, or its last close.
 */
#ifndef REIN_RESERVE_H
#define REIN_RESERVE_H

#include <linux/rein_dev.h>

struct file;
struct rein_client;

struct file *rein_reserve(struct rein_client *client,
			  struct rein_take_args *args,
			  const struct rein_take_want *wants);

#endif /* REIN_RESERVE_H */
