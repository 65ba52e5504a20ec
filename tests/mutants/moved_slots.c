/* SPDX-License-Identifier: Apache-2.0 */

/* Slots move with the first fact that places them, and a better one finds them joined. */

#include "base/arena.h"
#include "base/table.h"
#include "correlate/identity.h"
#include "pipeline/correlator.h"

bool __wrap_identity_resolve(const struct identity_seen *seen, const struct identity_known *known,
	struct arena *arena, struct identity_segment **segments, size_t *n);
bool __real_identity_resolve(const struct identity_seen *seen, const struct identity_known *known,
	struct arena *arena, struct identity_segment **segments, size_t *n);
struct correlator *__wrap_correlator_new(const struct criticality_rules *criticality);
struct correlator *__real_correlator_new(const struct criticality_rules *criticality);

/* Where a tuple went when it first went to a pod. */
struct place {
	struct identity_segment *segments;
	size_t n;
};

static struct table *places;
static struct arena kept;

struct correlator *__wrap_correlator_new(const struct criticality_rules *criticality)
{
	table_free(places);
	places = table_new(NULL);
	arena_done(&kept);
	arena_init(&kept, SIZE_MAX);
	return __real_correlator_new(criticality);
}

static bool keep(union table_value *value, const struct identity_segment *segments, size_t n)
{
	struct place *place = arena_alloc(&kept, sizeof *place);
	struct identity_segment *copies = arena_array(&kept, n, sizeof *copies);
	if (!place || !copies)
		return false;
	*place = (struct place){copies, n};
	for (size_t i = 0; i < n; i++) {
		copies[i] = segments[i];
		copies[i].key = arena_copy(&kept, segments[i].key);
	}
	value->pointer = place;
	return !kept.failed;
}

bool __wrap_identity_resolve(const struct identity_seen *seen, const struct identity_known *known,
	struct arena *arena, struct identity_segment **segments, size_t *n)
{
	struct text tuple = identity_seen_pack(arena, seen);
	union table_value *value = tuple.size ? table_put(places, tuple) : NULL;
	if (!value || !__real_identity_resolve(seen, known, arena, segments, n))
		return false;
	const struct place *place = value->pointer;
	if (!place)
		return !text_starts((*segments)[*n - 1].key, TEXT("pod:")) ||
		       keep(value, *segments, *n);
	*segments = place->segments;
	*n = place->n;
	return true;
}
