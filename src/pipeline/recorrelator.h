/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Computes stored incidents again when somebody asks, on a thread and a connection of its own, and
 * has the writer take over what differs, a few entities a transaction. One request at a time.
 */

#include "base/clock.h"
#include "base/queue.h"
#include "base/snapshot.h"
#include "correlate/criticality.h"

struct recorrelator;

struct recorrelator_options {
	const char *database;
	struct queue *requests;       /* of struct recorrelation_request; closed before the stop */
	struct queue *writer;         /* takes struct batch */
	struct snapshot_slot *report; /* of struct recorrelation_report */
	const struct clock *clock;
	struct criticality_rules criticality; /* borrowed until recorrelator_stop */
};

CHECKED int recorrelator_start(
	struct recorrelator **out, const struct recorrelator_options *options, struct err *err);

/** The requests' queue must be closed. Ends the thread; before writer_stop. Accepts NULL. */
void recorrelator_stop(struct recorrelator *recorrelator);

/** After writer_stop: the writer may still hand a batch back to it. Accepts NULL. */
void recorrelator_free(struct recorrelator *recorrelator);
