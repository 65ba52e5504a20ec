/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Stored alerts, read side: any connection, any one thread per connection.
 *
 * The row holds what can be asked for; the block beside it holds the raw bytes and the rest of the
 * normalised alert. When the raw has left with its age, what the row knows is still there.
 */

#include "model/alert.h"
#include "store/connection.h"

struct query;

struct scope;

/* What to list: every member that is set must match. Zeroed: everything. */
struct alert_filter {
	enum severity severity_min;
	enum source source; /* SOURCE_NONE: any */
	struct text rule;   /* exact */
	struct text cluster, namespace, pod, node, container_id;
	int64_t since_ns, until_ns; /* event time; 0: open */
	const struct scope *scope;  /* what whoever asks sees; NULL: everything */
	bool quarantined;           /* list LEAF_QUARANTINED instead of alerts */
	const struct query *query;  /* of alerts; NULL: any. alert_is_wanted does not look */
	const uint64_t *leaves;     /* only these (ascending), or NULL */
	size_t n_leaves;
};

/** Does the alert match all that is set, but for quarantined and leaves? */
bool alert_is_wanted(const struct alert_filter *filter, const struct alert *alert);

enum { ALERTS_LIST_MAX = 1000 };

/* Where to read and what was found. */
struct alert_page {
	uint64_t before;     /* leaves below this; 0: from the newest */
	size_t limit;        /* 1–ALERTS_LIST_MAX */
	struct arena *arena; /* where alerts and their text go */
	/* out */
	struct alert *first;  /* by falling leaf, linked by `next`, complete but for raw */
	uint64_t next_before; /* where to go on; 0: the end was reached */
};

/** One page of matching alerts. Reads at most 100 000 rows, so a page may be short before the end.
 */
CHECKED int alerts_list(struct connection *connection, const struct alert_filter *filter,
	struct alert_page *page, struct err *err);

/** As alerts_list has it: NULL in *out when the filter does not let it through, or it has left. */
CHECKED int alert_read_wanted(struct connection *connection, const struct alert_filter *filter,
	uint64_t leaf, struct arena *arena, struct alert **out, struct err *err);

/** One alert or quarantined leaf, with its raw bytes if they are still there. ERR_MISSING. */
CHECKED int alert_read(struct connection *connection, uint64_t leaf, struct arena *arena,
	struct alert *out, struct err *err);

/** "32 hex digits" (occurrence id) or decimal leaf number → leaf. ERR_MISSING, ERR_INPUT. */
CHECKED int alert_find(
	struct connection *connection, struct text id, uint64_t *leaf, struct err *err);
