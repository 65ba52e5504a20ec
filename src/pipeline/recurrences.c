/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/recurrences.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "store/activities.h"
#include "store/overlays.h"

enum { ARENA_BYTES = 1024 * 1024 };

static int note(struct connection *connection, uint64_t number, struct text detail, int64_t now_ns,
	struct err *err)
{
	struct activity activity = {.number = number,
		.time_ns = now_ns,
		.actor = TEXT("tocsin"),
		.kind = ACTIVITY_RECURRED,
		.detail = detail};
	return activity_append(connection, &activity, err);
}

int recurrence_note(struct connection *connection, uint64_t before, const struct piece *piece,
	int64_t now_ns, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct text edit;
	int64_t slot;
	arena_init(&arena, ARENA_BYTES);
	if (overlay_resolve_cut(connection, before, &arena, &edit, &slot, err) < 0)
		return -1;
	if (!edit.size || piece->first_slot < slot)
		return 0;
	struct text follows =
		arena_format(&arena, "{\"incident\":\"INC-%" PRIu64 "\"}", piece->number);
	struct text follower =
		arena_format(&arena, "{\"recurrence_of\":\"INC-%" PRIu64 "\"}", before);
	if (arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory noting a recurrence");
	return overlay_recurs(connection, piece->number, before, err) < 0 ||
			       note(connection, before, follows, now_ns, err) < 0 ||
			       note(connection, piece->number, follower, now_ns, err) < 0
		       ? -1
		       : 0;
}
