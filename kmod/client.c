// SPDX-License-Identifier: GPL-2.0
/*
 * Clients. See client.h.
 */
#include <linux/slab.h>

#include "client.h"

/**
 * rein_client_new() - somebody opens the device
 *
 * Context: may sleep.
 *
 * Return: whom what it makes counts for, NULL without memory.
 */
struct rein_client *rein_client_new(void)
{
	struct rein_client *client;

	client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	if (!client)
		return NULL;
	refcount_set(&client->refs, 1);
	rein_slot_source_init(&client->slots);
	return client;
}

/**
 * rein_client_put() - it is closed; its reservations may stay
 * @client:	whom they count for
 */
void rein_client_put(struct rein_client *client)
{
	if (!refcount_dec_and_test(&client->refs))
		return;
	rein_slot_source_exit(&client->slots);
	kfree(client);
}
