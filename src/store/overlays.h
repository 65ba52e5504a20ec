/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What people decided about a number: the incident row itself, beside the piece that its alerts
 * make. No input of the correlation. Written by the writer, read by any connection.
 */

#include "base/arena.h"
#include "model/incident.h"
#include "store/connection.h"

struct overlay {
	uint64_t number;
	enum incident_state state;
	enum verdict verdict;
	struct text assignee;     /* absent: nobody */
	struct text title;        /* frozen; absent: computed */
	bool touched;             /* a person decided something about it */
	int64_t snoozed_until_ns; /* 0: not snoozed */
	struct text snoozed_from; /* what it was then (pipeline/snoozes.c) */
	int64_t resolved_ns;      /* 0: not resolved */
	uint64_t redirect_to;     /* 0: it was not merged into another */
	struct text key;          /* of its piece; absent: it has no alerts any more */
	uint64_t revision;        /* of its piece; 0: likewise */
	bool frozen;              /* its alerts have left or are leaving (store/leaving.h) */
};

/** Texts are copied into @arena. ERR_MISSING: there never was such a number. */
CHECKED int overlay_read(struct connection *connection, uint64_t number, struct arena *arena,
	struct overlay *out, struct err *err);

/** The number that alerts of @number are shown under now: itself, or what it was merged into.
 * ERR_MISSING. */
CHECKED int overlay_survivor(
	struct connection *connection, uint64_t number, uint64_t *out, struct err *err);

/** Writes what people decided, and raises the revision: whoever saw the one before has not seen
 * this. redirect_to and key stay as they are. */
CHECKED int overlay_write(
	struct connection *connection, struct overlay *overlay, int64_t now_ns, struct err *err);

/** One whose snooze was over at @now_ns; *number 0: none. */
CHECKED int overlay_snooze_over(
	struct connection *connection, int64_t now_ns, uint64_t *number, struct err *err);

/** It is not snoozed any more; nothing else changes. */
CHECKED int overlay_wake(struct connection *connection, uint64_t number, struct err *err);

/** @number follows @resolved, which a cut ended. */
CHECKED int overlay_recurs(
	struct connection *connection, uint64_t number, uint64_t resolved, struct err *err);

/** The cut that resolving @number made: its id in @arena, its slot. *edit absent: it is not
 * resolved. */
CHECKED int overlay_resolve_cut(struct connection *connection, uint64_t number, struct arena *arena,
	struct text *edit, int64_t *slot, struct err *err);
