/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clients: openings of /dev/rein, and what is counted, or shared, by what each has made.
 */
#ifndef REIN_CLIENT_H
#define REIN_CLIENT_H

#include <linux/atomic.h>
#include <linux/refcount.h>

#include "slots.h"

/**
 * struct rein_client - an opening of /dev/rein
 * @refs:	the file's, and that of each reservation
 * @reservations: how many there are
 * @slots:	where slots of its watches come from
 */
struct rein_client {
	refcount_t refs;
	atomic_t reservations;
	struct rein_slot_source slots;
};

struct rein_client *rein_client_new(void);
void rein_client_put(struct rein_client *client);

#endif /* REIN_CLIENT_H */
