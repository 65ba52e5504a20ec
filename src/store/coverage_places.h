/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whose coverage is kept: each sensor on each node, and how it speaks of itself. */

#include "model/coverage.h"
#include "model/pulse.h"
#include "store/connection.h"

/* Of one node: names come from peers. What is of one more counts as that of "other". */
enum { COVERAGE_SENSORS_MAX = 64 };

/** The number of the interval's place, which is made if it is new. */
CHECKED int coverage_place_find(
	struct connection *connection, const struct coverage *place, int64_t *id, struct err *err);

/** How the place speaks of itself; PULSE_NONE when it never did. Makes the place. */
CHECKED int pulse_read(struct connection *connection, const struct coverage *place, int64_t *id,
	struct pulse *out, struct err *err);
CHECKED int pulse_write(
	struct connection *connection, int64_t id, const struct pulse *pulse, struct err *err);
