/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How regularly a sensor speaks of itself, and what its silences and counters tell. Pure.
 *
 * A sensor that sends its metrics every minute is known to have watched in between; after more than
 * two and a half of its usual intervals it was silent. One that never speaks of itself says nothing
 * either way.
 */

#include "model/alert.h"
#include "model/coverage.h"

struct pulse {
	int64_t spoke_ns;                /* the last time; 0: never */
	int64_t usual_ns;                /* its usual interval; 0: not known */
	int64_t started_ns;              /* of the process that spoke; 0: not said */
	int64_t n_drops, n_output_drops; /* its counters then; -1: not said */
};

/* What one beat told: without places. */
struct pulse_told {
	struct coverage items[4];
	size_t n;
};

#define PULSE_NONE ((struct pulse){.n_drops = -1, .n_output_drops = -1})

/** The sensor spoke of itself at @time_ns: moves the pulse on and says what is known by that. */
void pulse_beat(struct pulse *pulse, const struct health_fact *health, int64_t time_ns,
	struct pulse_told *told);

/** Since when it is silent, seen from @now_ns; 0: it is not, or cannot be known to be. */
int64_t pulse_silent_since(const struct pulse *pulse, int64_t now_ns);
