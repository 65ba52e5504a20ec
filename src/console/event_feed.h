/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one thread that reads events from the database: what is new, once for all readers and at most
 * four times a second, and what a reader missed before it came. Woken by the writer after COMMIT.
 */

#include "base/metric.h"
#include "base/queue.h"
#include "console/event_batch.h"
#include "model/status.h"

enum {
	EVENT_BROADCAST_MS = 250,
	/* To all readers together, so that a storm with hundreds of them leaves the loop's thread
	 * to intake: then broadcasts are rarer. */
	EVENT_BYTES_PER_S = 32 * 1024 * 1024,
};

struct event_client;
struct event_feed;

/* To the feed with a wish, back with a batch. */
struct event_task {
	struct queue_item item;      /* first */
	struct event_client *client; /* whose wish it is; NULL: it has left. Loop thread only */
	bool is_broadcast;           /* nobody's wish: for all */
	struct event_wish wish;
	struct event_batch *batch; /* NULL: it could not be read */
};

struct event_feed_options {
	const char *database;
	struct status *status;
	struct queue *wishes;          /* of event_task; also woken by the writer */
	struct queue *results;         /* of event_task */
	_Atomic size_t *n_clients;     /* readers of events */
	_Atomic size_t *n_alerts;      /* those who want alerts */
	struct snapshot_slot *queries; /* theirs (event_queries.h) */
};

CHECKED int event_feed_start(
	struct event_feed **out, const struct event_feed_options *options, struct err *err);
/** After the wishes were closed. */
void event_feed_stop(struct event_feed *feed); /* accepts NULL */

void event_task_free(struct event_task *task);

/** Ended by NULL. */
struct metric_family *const *event_feed_metrics(void);
