/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The metrics that only the store knows, as text that is made now and then: /metrics would read all
 * incidents for each scrape otherwise. The text is immutable once it is published; the loop's
 * thread and the readers share it.
 */

#include "base/clock.h"
#include "base/metric.h"
#include "base/snapshot.h"
#include "model/scope.h"
#include "store/connection.h"

/* How old the text may be before a scrape has it made anew. */
enum { INCIDENT_METRICS_MS = 10000 };

/** Its families, for the reference page; they have no series of their own. */
struct metric_family *const *incident_metrics(void);

/** Appends the text if there is one that is fresh. Any thread. */
bool incident_metrics_add(struct snapshot_slot *slot, const struct clock *clock, struct buf *out);

/** Appends what somebody gets who sees some namespaces only, counted now. A reader's thread. */
CHECKED int incident_metrics_of(
	struct connection *connection, const struct scope *scope, struct buf *out, struct err *err);

/** Makes the text anew. A reader's thread. */
CHECKED int incident_metrics_refresh(struct connection *connection, struct snapshot_slot *slot,
	const struct clock *clock, struct err *err);
