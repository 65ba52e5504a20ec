/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What an incident is made of, from its members' slots and alerts: story, tactics, leaves, content.
 */

#include "store/incidents.h"

/** Fills prints, tactics, techniques, rules' counts and n_deliveries from the slots. */
CHECKED int incident_story_read(struct connection *connection, struct incident *incident,
	struct arena *arena, struct err *err);

/** Number, slots and claims of an incident, nothing else. ERR_MISSING. */
CHECKED int incident_extent_read(struct connection *connection, uint64_t number,
	struct arena *arena, struct incident *incident, struct err *err);

/** Occurrence id of one of the incident's alerts (extent and claims are filled in): always the same
 * one for the same alerts. */
CHECKED int incident_anchor(struct connection *connection, const struct incident *incident,
	struct arena *arena, unsigned char occ[OCCURRENCE_BYTES], struct err *err);
