/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The last step of every decoder: what is the same for all products. Pure.
 *
 * A decoder fills in what its payload says; normalise_alert makes absent words absent, identities
 * canonical, tags ATT&CK, and gives the alert its fingerprint.
 */

#include "base/arena.h"
#include "model/alert.h"

enum {
	FIELD_BYTES_MAX =
		4096, /* a field's text; what is longer is cut and flagged, the raw is whole */
	NAME_BYTES_MAX = 512, /* of names that rows are interned by */
};

#define TIME_MIN_NS   (INT64_C(1420070400) * 1000000000) /* 2015-01-01: what is earlier is absurd */
#define TIME_AHEAD_NS (INT64_C(86400) * 1000000000) /* likewise, what is more than a day ahead */

/** Does @word mean that there is nothing? "", "<NA>", "null", "host". */
bool word_is_absent(struct text word);

/**
 * Completes @alert. @container is the container's id as the sensor gave it. alert->received_ns is
 * set; alert->time_ns is the event's own time, 0 if it had none.
 */
void normalise_alert(struct arena *arena, struct alert *alert, struct text container);

/** The occurrence id: first 16 bytes of SHA-256 over the length-prefixed parts. */
void normalise_occurrence(struct alert *alert, const struct text *parts, size_t n);
