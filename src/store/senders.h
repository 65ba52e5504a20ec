/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What was heard from each origin, node and sensor: counted in memory by the writer, written into
 * the running transaction at most once a second, read by anyone.
 */

#include "base/arena.h"
#include "model/batch.h"
#include "store/connection.h"

struct senders;

struct senders *senders_new(void); /* NULL without memory */
void senders_free(struct senders *senders);
void senders_forget(struct senders *senders); /* what was not written yet */

/** Counts an alert whose outcome is known. */
CHECKED int senders_count(
	struct senders *senders, const struct alert *alert, int64_t origin, struct err *err);

/** Writes the counts, if the last writing is a second ago or @now is set. */
CHECKED int senders_flush(struct senders *senders, struct connection *connection, int64_t now_ns,
	bool now, struct err *err);

/* One row as it is read. */
struct sender_row {
	struct text source, cluster, node, sensor, version;
	uint64_t credential;
	int64_t first_received_ns, last_received_ns, last_event_ns;
	uint64_t accepted, duplicate, quarantined;
	int64_t started_ns, health_ns; /* 0: never said */
	uint64_t drops, output_drops;
};

struct sender_list {
	struct sender_row *items;
	size_t n;
};

enum { SENDER_ROWS_MAX = 10000 };

/** By the time last heard, newest first. */
CHECKED int senders_list(struct connection *connection, struct arena *arena,
	struct sender_list *out, struct err *err);
