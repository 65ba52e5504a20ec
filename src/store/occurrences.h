/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From an occurrence id to its leaf. Ids are random, so an index over them would dirty pages all
 * over the file at every commit; instead, idle time makes sorted runs of OCCURRENCE_RUN alerts in
 * parts by the first bits of the id. A look-up reads one part of each run, some 190 bytes for each
 * 1 000 alerts, and looks through what came after the last run (store_is_behind bounds that).
 */

#include "model/alert.h"
#include "store/connection.h"
#include "store/slice.h"

enum { OCCURRENCE_RUN = 16384, OCCURRENCE_PARTS = 64 };

/** Makes the next run, if there are enough alerts behind the last. 1: one was made; 0: not yet. */
CHECKED int occurrence_run_make(struct connection *connection, struct err *err);

/**
 * Removes runs of which no alert is left, from *next_leaf on; never the newest, which says where
 * the next begins. 1: the slice is over; 0: the end.
 */
CHECKED int occurrence_runs_remove(
	struct connection *connection, int64_t *next_leaf, struct slice *slice, struct err *err);

/** ERR_MISSING when no alert has this id. */
CHECKED int occurrence_find(struct connection *connection,
	const unsigned char occ[OCCURRENCE_BYTES], uint64_t *leaf, struct err *err);
