/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is who (correlation.md section 2): from what an alert itself gave and what is known, to the
 * key of its incidents. A tuple may resolve to different keys at different times, because a name
 * passes from one pod to the next: the answer is a list of segments that cover all time.
 */

#include "base/arena.h"
#include "model/entity.h"

#define NAME_TOLERANCE_NS (INT64_C(60) * 1000000000)

/* What is known about one tuple. */
struct identity_known {
	struct text container_uid;       /* of the tuple's container; absent: unknown */
	struct text container_name;      /* likewise, "namespace/pod" */
	const struct name_owner *owners; /* of the tuple's own name, else of container_name */
	size_t n_owners;
};

struct identity_segment {
	int64_t from_ns, to_ns; /* from <= time < to; INT64_MIN and INT64_MAX: open */
	struct text key;
};

/**
 * The segments of @seen, ascending, without gaps, at least one. false without memory. Texts and
 * segments live in @arena.
 */
bool identity_resolve(const struct identity_seen *seen, const struct identity_known *known,
	struct arena *arena, struct identity_segment **segments, size_t *n);
