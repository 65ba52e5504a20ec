/* SPDX-License-Identifier: Apache-2.0 */

/* A name belongs to nobody until its first start, to the nanosecond. */

#include "correlate/identity.h"

bool __wrap_identity_resolve(const struct identity_seen *seen, const struct identity_known *known,
	struct arena *arena, struct identity_segment **segments, size_t *n);
bool __real_identity_resolve(const struct identity_seen *seen, const struct identity_known *known,
	struct arena *arena, struct identity_segment **segments, size_t *n);

bool __wrap_identity_resolve(const struct identity_seen *seen, const struct identity_known *known,
	struct arena *arena, struct identity_segment **segments, size_t *n)
{
	if (!__real_identity_resolve(seen, known, arena, segments, n))
		return false;
	if (*n < 2)
		return true;
	struct identity_segment *first = *segments;
	int64_t start_ns = first[1].from_ns + NAME_TOLERANCE_NS;
	first[0].to_ns = start_ns;
	first[1].from_ns = start_ns;
	if (first[1].to_ns < start_ns)
		first[1].to_ns = start_ns;
	return true;
}
