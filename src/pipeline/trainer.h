/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Trains compression dictionaries (store/dictionary_train.h) on a thread and a connection of its
 * own, at a lower priority, and hands them to the writer like any other input. Looks every
 * TRAINER_MS whether a source has stored enough for its first; one that has a dictionary, or gained
 * nothing by one, is looked at again after TRAINER_AGAIN_S, until it has DICTIONARIES_PER_SOURCE. A
 * restart forgets what gained nothing.
 */

#include "base/clock.h"
#include "base/queue.h"
#include "model/status.h"

struct trainer;

enum { TRAINER_MS = 5000, TRAINER_AGAIN_S = 24 * 3600 };

struct trainer_options {
	const char *database;
	struct queue *writer;
	const struct status *status;
	const struct clock *clock;
	int64_t every_ms; /* 0: TRAINER_MS */
};

CHECKED int trainer_start(
	struct trainer **out, const struct trainer_options *options, struct err *err);
void trainer_stop(struct trainer *trainer); /* accepts NULL; ends before its queue does */
