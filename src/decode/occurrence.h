/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Occurrence ids: the first 16 bytes of SHA-256 over length-prefixed parts of the sensor's own
 * content, led by its family and the cluster. Never over what a hop adds (correlation.md section
 * 3).
 */

#include "base/digest.h"
#include "model/alert.h"

/** A running id, with @family and alert->cluster in it; @state. One occurrence_end each. */
struct digest_state *occurrence_start(
	struct digest_state *state, const struct alert *alert, struct text family);
void occurrence_add_i64(struct digest_state *state, int64_t value);
void occurrence_end(struct digest_state *state, struct alert *alert);

/** The id of what has no identity of its own: all of alert->raw. */
void occurrence_of_raw(struct alert *alert, struct text family);
