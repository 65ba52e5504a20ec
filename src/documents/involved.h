/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The alerts of an incident that show what was involved: all of a small one, else samples of each
 * row of its story, so that a storm of one kind hides nothing.
 */

#include "documents/documents.h"

enum { INVOLVED_MAX = 400, INVOLVED_SAMPLES = 3 };

struct involved {
	struct alert **alerts; /* by time */
	size_t n;
	bool sampled; /* there are more */
};

/** In @arena. ERR_INPUT, ERR_MISSING as document_incident. */
CHECKED int involved_read(struct connection *connection, struct text number, struct arena *arena,
	struct involved *out, struct err *err);
