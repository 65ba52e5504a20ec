/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What was done and said about incidents. Written by the writer, read by any connection. */

#include "base/arena.h"
#include "model/activity.h"
#include "store/connection.h"

/** Adds an entry and sets its id. */
CHECKED int activity_append(
	struct connection *connection, struct activity *activity, struct err *err);

struct activity_page {
	uint64_t number; /* 0: of all incidents */
	uint64_t after;  /* ids above this */
	size_t limit;
	struct arena *arena;
	/* out */
	struct activity *items; /* oldest first */
	size_t n;
};

CHECKED int activities_read(
	struct connection *connection, struct activity_page *page, struct err *err);

CHECKED int activities_count(
	struct connection *connection, uint64_t number, uint64_t *n, struct err *err);

/** What made the edit, as @number's activities have it; *kind 0: none of them did. */
CHECKED int activity_of_edit(struct connection *connection, uint64_t number, struct text edit,
	enum activity_kind *kind, struct err *err);

/**
 * The incident @from became part of @to: what was said about it is copied with its origin, and both
 * note it. Where people had decided differently about the two (assigned to different people,
 * resolved with different verdicts), @from stays readable by its number as an alias of @to.
 */
CHECKED int incident_merge(
	struct connection *connection, uint64_t from, uint64_t to, int64_t now_ns, struct err *err);
