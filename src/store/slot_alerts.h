/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The alerts of a slot of one entity. The index alert_slot has each slot's alerts in runs of 4096
 * leaves, by entity inside a run: a commit, whose leaves follow each other, writes pages of one or
 * two runs only, however many alerts the slot has. Who reads looks into each run.
 */

#include "store/slots.h"

/*
 * SELECT columns FROM SLOT_ALERTS_FROM joins WHERE SLOT_ALERTS_WHERE, behind SLOT_RUNS. Rows of
 * alert (its alias: a) come in the order of their leaves, because run gives ascending numbers and
 * CROSS JOIN keeps it outside: so a reader that stops at a LIMIT reads no more than that.
 */
#define SLOT_RUN(after)                                                                            \
	"(SELECT leaf >> 12 FROM alert WHERE slot = ?1 AND leaf >> 12 " after                      \
	" ORDER BY leaf >> 12 LIMIT 1)"
#define SLOT_RUNS                                                                                  \
	"WITH RECURSIVE run(n) AS (SELECT " SLOT_RUN(">= ?5 >> 12") " UNION ALL SELECT " SLOT_RUN( \
		"> n") " FROM run WHERE n IS NOT NULL) "
#define SLOT_ALERTS_FROM "run CROSS JOIN alert a"
#define SLOT_ALERTS_WHERE                                                                          \
	"a.slot = ?1 AND a.leaf >> 12 = run.n AND a.entity = ?2 AND a.leaf >= ?5"                  \
	" AND a.time_ns >= ?3 AND (a.time_ns < ?4 OR ?4 = 9223372036854775807)"

/** The connection's statement of @sql, made of the above, about @part from leaf @first on: ?1 to ?5
 * are bound. NULL: err. */
sqlite3_stmt *slot_alerts(struct connection *connection, const char *sql,
	const struct slot_part *part, uint64_t first, struct err *err);
