/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Incidents that are like another: of the same workload, or of the same rules. */

#include "base/arena.h"
#include "store/connection.h"

enum { SIMILAR_MAX = 12, SIMILAR_SCANNED_MAX = 2000 };

struct similar {
	uint64_t number;
	bool same_workload;
	size_t n_rules_shared, n_rules; /* of n_rules that either has */
	struct text resolved_by;        /* absent: not resolved */
};

struct similar_list {
	struct similar items[SIMILAR_MAX]; /* most alike first */
	size_t n;
};

/** Looks at the newest SIMILAR_SCANNED_MAX that were seen since @since_ns. Text in @arena. */
CHECKED int similar_read(struct connection *connection, uint64_t number, int64_t since_ns,
	struct arena *arena, struct similar_list *out, struct err *err);
