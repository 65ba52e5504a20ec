/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Rows of alerts and quarantined leaves, and the duplicate check before them. The writer's. */

#include "model/alert.h"
#include "store/connection.h"
#include "store/intern.h"

/**
 * Claims the occurrence for @leaf. *is_new false: it was accepted before, and *first_leaf is where.
 * The key leads with the event time in ms and ends with 21 bits of occ (62 bits alone when the time
 * is untrusted); another 64 bits decide; equal keys of different occurrences take the next free
 * one.
 */
CHECKED int occurrence_claim(struct connection *connection, const struct alert *alert,
	uint64_t leaf, bool *is_new, uint64_t *first_leaf, struct err *err);

/** What a row needs beside the alert. */
struct alert_place {
	struct interned ids;
	int64_t stream;
};

CHECKED int alert_row_insert(struct connection *connection, const struct alert *alert,
	const struct alert_place *place, struct err *err);

/**
 * Gives an alert that came again the place of the one that came first, which alert->leaf names:
 * slot
 * (-1: not correlated), entity, fingerprint, whether it is context.
 */
CHECKED int alert_row_place(struct connection *connection, struct alert *alert, struct err *err);

/** Removes the row, its duplicate key and what it said of its sensor's health; nothing if it is not
 * there. The ledger keeps the leaf. */
CHECKED int alert_row_remove(struct connection *connection, uint64_t leaf, struct err *err);

/** The same broken bytes from the same origin are kept once a UTC day. */
CHECKED int quarantine_is_known(struct connection *connection, const struct alert *alert,
	int64_t origin, bool *known, struct err *err);
CHECKED int quarantine_row_insert(struct connection *connection, const struct alert *alert,
	const struct alert_place *place, struct err *err);

/** What a sensor said of itself. */
CHECKED int health_row_insert(
	struct connection *connection, const struct alert *alert, int64_t origin, struct err *err);
