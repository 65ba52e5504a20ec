/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What was heard from each origin, node and sensor: counted in memory by the writer, written into
 * the running transaction at most once a second, read by anyone.
 */

#include "base/arena.h"
#include "model/batch.h"
#include "store/connection.h"

struct heard;

struct heard *heard_new(void); /* NULL without memory */
void heard_free(struct heard *heard);

/** The transaction was committed: what it counted, and what it wrote, is settled. Without memory
 * some of it is not counted. */
void heard_committed(struct heard *heard);
/** It was not: what was counted before it is still to be written. */
void heard_rolled_back(struct heard *heard);

/** Counts an alert whose outcome is known. */
CHECKED int heard_count(
	struct heard *heard, const struct alert *alert, int64_t origin, struct err *err);

/** Writes the counts, if the last writing is a second ago or @now is set. */
CHECKED int heard_flush(struct heard *heard, struct connection *connection, int64_t now_ns,
	bool now, struct err *err);

/** Is anything counted that was not written yet? */
bool heard_pending(const struct heard *heard);

/** Forgets senders that were not heard since. There are few: one row each origin, node and sensor.
 */
CHECKED int heard_expire(struct connection *connection, int64_t before_ns, struct err *err);

/* One row as it is read. */
struct heard_row {
	struct text source, cluster, node, sensor, version;
	uint64_t credential;
	int64_t first_received_ns, last_received_ns, last_event_ns;
	uint64_t accepted, duplicate, quarantined;
	int64_t started_ns, health_ns; /* 0: never said */
	uint64_t drops, output_drops;
	uint64_t shed; /* alerts that its agent had no room for */
};

struct heard_list {
	struct heard_row *items;
	size_t n;
};

enum { HEARD_ROWS_MAX = 10000 };

/** By the time last heard, newest first. */
CHECKED int heard_list(struct connection *connection, struct arena *arena, struct heard_list *out,
	struct err *err);
