/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What leaves without an incident: alerts that belong to none, quarantined leaves. Sweeps from the
 * oldest row on; a cursor is zeroed at a pass's start and spares looking twice at what stays. Each
 * gives 1 when the slice is over, 0 at the end.
 */

#include "store/connection.h"
#include "store/slice.h"

/* The next (slot, entity) to look at. */
struct stray_cursor {
	bool begun;
	int64_t slot, entity; /* looked at last */
};

/**
 * Correlated alerts before @before_slot that are part of no incident (context out of reach). Only
 * when no incident is leaving.
 */
CHECKED int strays_remove(struct connection *connection, struct stray_cursor *cursor,
	int64_t before_slot, struct slice *slice, struct err *err);

/**
 * Alerts that were never correlated (health, orphan_late), by the later of received and event
 * time: one that came too late still stays as long as any other.
 */
CHECKED int loose_alerts_remove(struct connection *connection, int64_t *next_leaf,
	int64_t horizon_ns, struct slice *slice, struct err *err);

/** Quarantined leaves and what agents shed, by the time they were received. */
CHECKED int uncorrelated_remove(
	struct connection *connection, int64_t horizon_ns, struct slice *slice, struct err *err);
