/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/splits.h"

#include <inttypes.h>

#include "store/activities.h"

static int note(struct connection *connection, uint64_t number, const char *member, uint64_t other,
	int64_t now_ns, struct err *err)
{
	char detail[64];
	size_t size =
		text_format(detail, sizeof detail, "{\"%s\":\"INC-%" PRIu64 "\"}", member, other);
	struct activity activity = {.number = number,
		.time_ns = now_ns,
		.actor = TEXT("tocsin"),
		.kind = ACTIVITY_SPLIT,
		.detail = {detail, size}};
	return activity_append(connection, &activity, err);
}

int split_note(struct connection *connection, uint64_t from, uint64_t number, int64_t now_ns,
	struct err *err)
{
	return note(connection, from, "incident", number, now_ns, err) < 0 ||
			       note(connection, number, "split_from", from, now_ns, err) < 0
		       ? -1
		       : 0;
}
