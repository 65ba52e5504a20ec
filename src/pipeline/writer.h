/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one thread that writes: takes what waits in the queue, stores and correlates it in one
 * transaction, commits, and only then hands every batch back to whoever asked. While a commit runs
 * the next batches gather, so load makes transactions larger, not slower (natural batching).
 */

#include "base/clock.h"
#include "base/metric.h"
#include "base/queue.h"
#include "base/snapshot.h"
#include "correlate/criticality.h"
#include "model/status.h"
#include "store/store.h"

struct writer;

enum { WRITER_LOG_BYTES_MAX = 128 * 1024 * 1024 };

struct writer_options {
	struct store *store;               /* the writer's from writer_start to writer_stop */
	struct queue *queue;               /* of struct batch */
	struct snapshot_slot *credentials; /* published anew after each change */
	struct status *status;
	struct queue *events; /* woken after a commit if the status says so; NULL: never */
	const struct clock *clock;
	struct criticality_rules criticality; /* borrowed until writer_stop */
	uint64_t log_bytes_max; /* of write-ahead log, then commits wait; 0: WRITER_LOG_BYTES_MAX */
	void (*failed)(void *ctx); /* the store cannot be trusted any more: the process must end */
	void *ctx;
};

CHECKED int writer_start(
	struct writer **out, const struct writer_options *options, struct err *err);

/** Works off what is in the queue (which must be closed), then ends the thread and frees. */
void writer_stop(struct writer *writer);

/** Reads the credentials from the store and publishes them. Before writer_start or on its thread.
 */
CHECKED int writer_publish_credentials(
	struct store *store, struct snapshot_slot *credentials, struct err *err);

/** Families whose series the writer makes; ends with NULL. */
struct metric_family *const *writer_metrics(void);
