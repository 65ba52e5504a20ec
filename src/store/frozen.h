/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What stays of an incident whose alerts have left: its last state, as people saw it. Slots are
 * folded in one by one; as joining them is commutative, what was folded and what still stands in
 * slots give together the same incident at every moment.
 */

#include "model/incident.h"
#include "store/slots.h"

/** Keeps where it happened and its content id, of an incident that was read. */
CHECKED int frozen_begin(
	struct connection *connection, const struct incident *incident, struct err *err);

/** Joins rows that leave now. */
CHECKED int frozen_fold(struct connection *connection, uint64_t number,
	const struct slot_rows *rows, struct err *err);

/** Fills the incident's place and content id. ERR_CORRUPT. */
CHECKED int frozen_read(struct connection *connection, struct incident *incident,
	struct arena *arena, struct err *err);

/** Fills deliveries and tactics of what has left; gives one row per print, in @arena. */
CHECKED int frozen_story_read(struct connection *connection, struct incident *incident,
	struct arena *arena, struct slot_rows *out, struct err *err);
