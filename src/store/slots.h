/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Slots and presence: what incidents are computed from (correlation.md section 4). Rows lead with
 * the time, so that one commit touches few pages. Written by the writer, read by any connection.
 */

#include "base/arena.h"
#include "model/slot.h"
#include "store/connection.h"

enum { PRESENCE_BYTES = SLOTS_PER_DAY / 8 };

/** Joins @row into the stored one of the same key. *is_new: there was none in this slot for its
 * print. */
CHECKED int slot_join(
	struct connection *connection, const struct slot_row *row, bool *is_new, struct err *err);

/**
 * Adds @n deliveries to a stored row, if there is one: repeats of what it has. Nothing else
 * changes, and no incident's revision.
 */
CHECKED int slot_count_deliveries(
	struct connection *connection, const struct slot_key *key, uint64_t n, struct err *err);

/* A slot of one entity, or the part of it with from <= time < to: where a name changes hands. */
struct slot_part {
	int64_t slot, entity;
	int64_t from_ns, to_ns; /* INT64_MIN, INT64_MAX: open */
};

struct slot_rows {
	struct slot_row *rows;
	size_t n;
};

/**
 * All rows of one slot and entity, in @arena. @whole: with techniques and samples. A real part of a
 * slot is computed from the alert rows, which costs as much as it has alerts.
 */
CHECKED int slots_read(struct connection *connection, const struct slot_part *part, bool whole,
	struct arena *arena, struct slot_rows *out, struct err *err);

bool slot_part_is_whole(const struct slot_part *part);

/** Removes the rows of a slot and entity, and the mark of presence that makes them seen. */
CHECKED int slot_remove(
	struct connection *connection, int64_t slot, int64_t entity, struct err *err);

/** Removes these rows of a slot and entity; with the last one, the mark too. */
CHECKED int slot_rows_remove(struct connection *connection, const struct slot_part *part,
	const struct slot_rows *rows, struct err *err);

/** Makes the rows of a slot and entity anew from the alert rows that are left; removes them with
 * the last. Repeats are not known any more: deliveries are what the alerts say. */
CHECKED int slot_rebuild(
	struct connection *connection, int64_t slot, int64_t entity, struct err *err);

/*
 * The columns that a slot and a frozen print share, in this order: lo, hi, severity, n, deliveries,
 * tactics, sensors, mark, terminals, techniques, samples. slot_columns_write runs the statement.
 */
void slot_columns_read(sqlite3_stmt *statement, int at, bool whole, struct slot_row *row);
CHECKED int slot_columns_write(
	sqlite3_stmt *statement, int at, const struct slot_row *row, struct err *err);

/** The alerts of a real part of a slot that are in leaves before @leaf. Costs as much as
 * slots_read.
 */
CHECKED int slot_part_count(struct connection *connection, const struct slot_part *part,
	uint64_t leaf, uint64_t *n, struct err *err);

CHECKED int presence_mark(
	struct connection *connection, int64_t slot, int64_t entity, struct err *err);

/** The day's bits (slot % 288, lowest bit of byte 0 first); zeros when there are none. */
CHECKED int presence_read(struct connection *connection, int64_t day, int64_t entity,
	unsigned char bits[PRESENCE_BYTES], struct err *err);

/** First and last day with any slot; *last < *first when there is none. */
CHECKED int presence_days(
	struct connection *connection, int64_t *first, int64_t *last, struct err *err);

/** floor(slot / 288) */
int64_t day_of_slot(int64_t slot);

static inline bool presence_has(const unsigned char bits[PRESENCE_BYTES], unsigned of_day)
{
	return (bits[of_day / 8] & 1U << of_day % 8) != 0;
}
