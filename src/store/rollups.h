/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Incidents that are many and alike: of one rule only, in one namespace, begun in one hour. Above
 * ROLLUP_SHOWN_MAX they are shown as one line. A view: nothing is merged, and an incident that gets
 * a second rule is out of it, so that noise cannot bury the one that matters (correlation.md
 * section 9).
 */

#include "base/text.h"
#include "store/connection.h"

enum { ROLLUP_SHOWN_MAX = 50 };

struct rollup {
	struct text cluster, namespace;
	int64_t rule; /* interned */
	int64_t hour; /* since 1970 */
};

/** *id is the rollup's, made if new. Written by the writer. */
CHECKED int rollup_intern(
	struct connection *connection, const struct rollup *rollup, int64_t *id, struct err *err);

/** The newest incident of a rollup that is shown as one line, in that one's place; 0: it is not. */
CHECKED int rollup_newest(
	struct connection *connection, int64_t id, uint64_t *number, struct err *err);

/* What is in a rollup now. */
struct rollup_extent {
	uint64_t n_incidents;
	uint64_t n_alerts;
	int64_t first_seen_ns, last_seen_ns;
};

CHECKED int rollup_read(
	struct connection *connection, int64_t id, struct rollup_extent *extent, struct err *err);
