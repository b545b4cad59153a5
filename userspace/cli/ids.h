/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IDs of records, in the order in which they were read.
 */
#ifndef REIN_CLI_IDS_H
#define REIN_CLI_IDS_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct ids - as many as there are
 * @id:		them
 * @n:		how many
 * @size:	room for so many
 */
struct ids {
	uint64_t *id;
	size_t n;
	size_t size;
};

void ids_add(struct ids *ids, uint64_t id);
void ids_free(struct ids *ids);

#endif /* REIN_CLI_IDS_H */
