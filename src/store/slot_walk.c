/* SPDX-License-Identifier: Apache-2.0 */
#include "store/slot_walk.h"

int slot_walk_start(struct slot_walk *walk, struct connection *connection,
	const struct incident *incident, struct arena *arena, struct err *err)
{
	*walk = (struct slot_walk){.connection = connection,
		.incident = incident,
		.slot = incident->first_slot,
		.day = INT64_MIN};
	return members_read(connection, incident->number, arena, &walk->members, err);
}

static void next_member(struct slot_walk *walk)
{
	walk->member++;
	walk->slot = walk->incident->first_slot;
	walk->day = INT64_MIN;
}

int slot_walk_next(struct slot_walk *walk, struct slot_part *part, struct err *err)
{
	while (walk->member < walk->members.n) {
		const struct piece_member *member = &walk->members.items[walk->member];
		if (walk->slot > walk->incident->last_slot) {
			next_member(walk);
			continue;
		}
		int64_t slot = walk->slot++;
		if (day_of_slot(slot) != walk->day) {
			walk->day = day_of_slot(slot);
			if (presence_read(walk->connection, walk->day, member->entity, walk->bits,
				    err) < 0)
				return -1;
		}
		if (!presence_has(walk->bits, (unsigned)(slot - walk->day * SLOTS_PER_DAY)) ||
			member->to_ns <= slot * SLOT_NS || member->from_ns >= (slot + 1) * SLOT_NS)
			continue;
		*part = (struct slot_part){slot, member->entity, member->from_ns, member->to_ns};
		return 1;
	}
	return 0;
}
