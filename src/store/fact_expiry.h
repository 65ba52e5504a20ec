/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Identity facts leave when they are older than the horizon and no entity they speak for has an
 * alert in a slot any more, so that no incident that still counts changes its pod. A sweep over
 * both tables in slices, some rows at a time.
 */

#include "base/buf.h"
#include "store/connection.h"
#include "store/slice.h"

enum fact_table { FACTS_OF_CONTAINERS, FACTS_OF_NAMES, N_FACT_TABLES };

/* The row that was looked at last. */
struct fact_cursor {
	int table; /* enum fact_table; N_FACT_TABLES: the end */
	struct buf cluster, value, uid;
};

void fact_cursor_init(struct fact_cursor *cursor);
void fact_cursor_rewind(struct fact_cursor *cursor);
void fact_cursor_done(struct fact_cursor *cursor);

/** 1: the slice is over; 0: the end. *removed is set when any was: caches of facts are then wrong.
 */
CHECKED int facts_remove(struct connection *connection, struct fact_cursor *cursor,
	int64_t before_day, struct slice *slice, bool *removed, struct err *err);
