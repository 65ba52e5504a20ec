/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which incidents are thought to be complete. A late alert still joins: the incident is then open
 * again and says that it was amended. Written by the writer, in slices.
 */

#include "base/arena.h"
#include "model/coverage.h"
#include "store/connection.h"

enum { SEALING_SLICE = 500 };

#define CLOSE_AFTER_NS (INT64_C(7) * 86400 * 1000000000)

struct sealing {
	int64_t watermark_ns;         /* in */
	int64_t now_ns;               /* in */
	uint64_t after;               /* in, out: where the slice begins; 0 again at the end */
	struct unheard_nodes unheard; /* in: noted on what is sealed, as far as of its cluster */
	struct arena *arena;          /* in: where keys go */
	/* out */
	struct text *keys; /* of what was sealed, whole */
	size_t n_keys;
	size_t n_closed;
};

/**
 * Looks at up to SEALING_SLICE open incidents: seals those whose last alert, with the gap behind
 * it, or whose whole span lies before the watermark. Closes those that were resolved and sealed for
 * 7 days.
 */
CHECKED int sealing_slice(struct connection *connection, struct sealing *sealing, struct err *err);

/** A sealed incident got another revision: it is open again, with an activity that says so. */
CHECKED int sealing_break(struct connection *connection, uint64_t number, uint64_t revision,
	int64_t now_ns, struct err *err);
