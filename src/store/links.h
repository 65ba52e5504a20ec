/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Incidents that people show together as one campaign. The partition does not see it. */

#include "base/arena.h"
#include "model/incident.h"
#include "store/connection.h"

/* A link by its edit. */
struct link_row {
	uint64_t a, b; /* 0: there is no such link */
	bool undone;
};

CHECKED int link_add(
	struct connection *connection, struct text edit, uint64_t a, uint64_t b, struct err *err);
CHECKED int link_undo(struct connection *connection, struct text edit, struct err *err);
CHECKED int link_find(
	struct connection *connection, struct text edit, struct link_row *out, struct err *err);

/** Fills links: what holds now. */
CHECKED int links_read(struct connection *connection, struct incident *incident,
	struct arena *arena, struct err *err);

/** @from became part of @to: its links go on there. */
CHECKED int links_move(struct connection *connection, uint64_t from, uint64_t to, struct err *err);
