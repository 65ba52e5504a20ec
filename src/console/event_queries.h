/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The queries of readers of events (?q=). The loop's thread adds and removes them, the feed holds
 * what it reads against all of them, once, so that a reader only looks at a bit. A set never
 * changes: who adds publishes another one.
 *
 * A place is used again only for a reader whose first page is read after the set was published, and
 * readers get broadcasts after their first page: so a bit always means the reader's own query.
 */

#include "base/arena.h"
#include "base/snapshot.h"
#include "model/query.h"

struct alert;
struct incident;

enum {
	EVENT_QUERIES_MAX = 256,
	EVENT_QUERY_MS = 50, /* what one query may cost in one batch */
};

struct event_query {
	struct snapshot snapshot; /* first; n_refs is 1 when it is new */
	struct arena arena;
	const struct query *alerts, *incidents; /* NULL: of these it is told everything */
};

/* One bit for each place. */
struct event_bits {
	uint64_t words[EVENT_QUERIES_MAX / 64];
};

static inline bool event_bits_has(const struct event_bits *bits, unsigned place)
{
	return bits->words[place / 64] >> place % 64 & 1;
}

static inline void event_bits_add(struct event_bits *bits, unsigned place)
{
	bits->words[place / 64] |= UINT64_C(1) << place % 64;
}

struct event_queries {
	struct snapshot snapshot;                     /* first */
	struct event_query *items[EVENT_QUERIES_MAX]; /* NULL: the place is free */
	bool any, needs_story;
};

/**
 * Parses @source for what is told of: both when both are. ERR_INPUT and ERR_LIMIT have the place in
 * it; ERR_MEMORY.
 */
struct event_query *event_query_new(struct text source, const struct query_options *options,
	bool incidents, bool alerts, struct err *err);
void event_query_unref(struct event_query *query); /* accepts NULL */

/** Takes @query, also when it fails: no place is free, or no memory. Loop thread. */
CHECKED bool event_queries_add(
	struct snapshot_slot *slot, struct event_query *query, unsigned *place);
/** Loop thread. Without memory the place stays taken. */
void event_queries_remove(struct snapshot_slot *slot, unsigned place);

/* How long each query took of one batch, and which took too long: they are not asked again. */
struct event_costs {
	int64_t ms[EVENT_QUERIES_MAX];
	struct event_bits too_dear;
};

/** Which of them match? @set may be NULL: none. */
void event_queries_of_alert(const struct event_queries *set, const struct alert *alert,
	uint64_t incident, struct event_costs *costs, struct event_bits *out);
void event_queries_of_incident(const struct event_queries *set, const struct incident *incident,
	struct event_costs *costs, struct event_bits *out);
