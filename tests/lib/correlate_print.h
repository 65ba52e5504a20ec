/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Prints stored incidents as the reference does. */

#include "tests/lib/correlate_feed.h"

/** One canonical JSON line per incident, sorted. @details: with number, revision, novelty,
 * criticality. */
void print_incidents(const struct feed *feed, bool details);

/** "@" and one object: "live": all incidents with details; "gone": the other numbers and the number
 * each redirects to, 0 for none. */
void print_state(const struct feed *feed);
