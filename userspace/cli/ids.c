// SPDX-License-Identifier: GPL-2.0
#include "ids.h"

#include <stdlib.h>

/* There is nothing sensible to list when there is no memory to remember what. */
void ids_add(struct ids *ids, uint64_t id)
{
	if (ids->n == ids->size) {
		ids->size = ids->size * 2 ?: 64;
		ids->id = realloc(ids->id, ids->size * sizeof(*ids->id));
		if (!ids->id)
			abort();
	}
	ids->id[ids->n++] = id;
}

void ids_free(struct ids *ids)
{
	free(ids->id);
	*ids = (struct ids){ .n = 0 };
}
