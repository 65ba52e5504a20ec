/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Answers what decisions about the grouping would do, on a thread and connections of its own: in
 * nobody's way.
 */

#include "base/clock.h"
#include "base/queue.h"
#include "correlate/criticality.h"

struct previewer;

enum { PREVIEWS_WAITING_MAX = 16 };

struct previewer_options {
	const char *database;
	struct queue *requests; /* of struct batch with one decision; closed before the stop */
	const struct clock *clock;
	struct criticality_rules criticality; /* borrowed until previewer_stop */
};

CHECKED int previewer_start(
	struct previewer **out, const struct previewer_options *options, struct err *err);

/** What waits is handed back with an error. The requests' queue must be closed. Accepts NULL. */
void previewer_stop(struct previewer *previewer);
