/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

struct table *lanes_new(void)
{
	return table_new(free);
}

static struct lane *lane_new(struct table *lanes, struct text key)
{
	struct lane *lane = calloc(1, sizeof *lane + key.size);
	if (!lane)
		return NULL;
	lane->home = lanes;
	lane->key_size = key.size;
	memcpy(lane->key, key.data, key.size);
	return lane;
}

struct lane *lane_of(struct table *lanes, struct text key)
{
	union table_value *place = table_put(lanes, key);
	if (place && !place->pointer)
		place->pointer = lane_new(lanes, key);
	if (place && !place->pointer)
		table_remove(lanes, key);
	return place && place->pointer ? lane_join(place->pointer) : NULL;
}

struct lane *lane_join(struct lane *lane)
{
	lane->n_joined++;
	return lane;
}

void lane_leave(struct lane *lane)
{
	if (lane && --lane->n_joined == 0)
		table_remove(lane->home, (struct text){lane->key, lane->key_size});
}
