/* SPDX-License-Identifier: Apache-2.0 */
#include "store/slot_cache.h"

#include <stdlib.h>

#include "base/table.h"

enum { GENERATION = 4096 }; /* 2 × 4 096 rows of some 800 bytes */

/* What a row is found by, as bytes. */
struct key {
	int64_t slot, entity, print;
};

static struct text text_of_key(const struct key *key)
{
	return (struct text){(const char *)key, sizeof *key};
}

struct slot_row *slot_cache_get(struct connection *connection, const struct slot_row *row)
{
	const struct key key = {row->slot, row->entity, row->print};
	if (!connection->slots)
		return NULL;
	union table_value *found = cache_get(connection->slots, text_of_key(&key));
	return found ? found->pointer : NULL;
}

void slot_cache_put(struct connection *connection, const struct slot_row *row)
{
	const struct key key = {row->slot, row->entity, row->print};
	if (!connection->slots && !(connection->slots = cache_new(GENERATION, free)))
		return;
	union table_value *place = cache_put(connection->slots, text_of_key(&key));
	if (!place)
		return;
	if (!place->pointer && !(place->pointer = malloc(sizeof *row))) {
		cache_remove(connection->slots, text_of_key(&key));
		return;
	}
	*(struct slot_row *)place->pointer = *row;
}

void slot_cache_forget(struct connection *connection)
{
	if (connection->slots)
		cache_clear(connection->slots);
}
