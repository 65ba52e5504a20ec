/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What stored incidents would be if they were computed again from their slots: after a change of
 * the settings, or of the program. Computed aside on a connection of its own, key by key, each in a
 * short read; nothing is written. The writer then partitions the keys that differ anew. One thread
 * at a time.
 */

#include "correlate/criticality.h"
#include "model/piece.h"
#include "model/recorrelation.h"
#include "store/shadow.h"

struct recorrelation;

/** @criticality is borrowed. On failure *out is not set. */
CHECKED int recorrelation_open(struct recorrelation **out, const char *database,
	const struct criticality_rules *criticality, struct err *err);
void recorrelation_close(struct recorrelation *recorrelation); /* accepts NULL */

/** For shadow_keys_read and shadow_keys_count. */
struct connection *recorrelation_connection(struct recorrelation *recorrelation);

/** The writer goes on meanwhile: forgets what is cached of facts and edits. Once in some keys. */
void recorrelation_refresh(struct recorrelation *recorrelation);

/** Computes one key; *changes, in @arena, are what would be otherwise. */
CHECKED int recorrelation_compute(struct recorrelation *recorrelation, const struct shadow_key *key,
	struct arena *arena, struct incident_change_list *changes, struct err *err);
