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

/* What is in a rollup now. */
struct rollup_extent {
	uint64_t n_incidents;
	uint64_t n_alerts;
	uint64_t newest; /* number: the line is shown in its place */
	int64_t first_seen_ns, last_seen_ns;
};

/** *is_shown: there are more than ROLLUP_SHOWN_MAX, and only then is *extent set. */
CHECKED int rollup_read(struct connection *connection, int64_t id, bool *is_shown,
	struct rollup_extent *extent, struct err *err);
