/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Stored incidents, read side: any connection. Written by store/pieces.c. */

#include "model/incident.h"
#include "store/connection.h"

struct incident_filter {
	enum severity severity_min;
	int64_t risk_min_milli;
	struct text cluster, namespace, pod, node;
	int64_t since_ns; /* last seen at or after; 0: open */
};

enum { INCIDENTS_LIST_MAX = 1000 };

/** By falling number, below @before (0: from the newest); linked by `next`. */
CHECKED int incidents_list(struct connection *connection, const struct incident_filter *filter,
	uint64_t before, size_t limit, struct arena *arena, struct incident **first,
	uint64_t *next_before, struct err *err);

/**
 * One incident whole, with rules, tactics, story and content id. A number that was merged away
 * gives redirect_to and nothing else. ERR_MISSING.
 */
CHECKED int incident_read(struct connection *connection, uint64_t number, struct arena *arena,
	struct incident *out, struct err *err);

/** Leaves of an incident's alerts, ascending, after @after, at most @limit. */
CHECKED int incident_leaves(struct connection *connection, uint64_t number, uint64_t after,
	size_t limit, struct arena *arena, uint64_t **leaves, size_t *n, struct err *err);
