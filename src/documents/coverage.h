/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What documents of other things say of coverage. */

#include "base/arena.h"
#include "base/emit.h"
#include "model/incident.h"
#include "store/connection.h"

/* What may be missing in an incident. */
struct incident_gaps {
	struct text node;    /* where it happened, if its alerts tell; absent: any of its cluster */
	struct text items;   /* a JSON array of intervals */
	struct text unheard; /* a JSON array of nodes; absent: all agents were heard */
};

CHECKED int incident_gaps_read(struct connection *connection, const struct incident *incident,
	int64_t now_ns, struct arena *arena, struct incident_gaps *out, struct err *err);

/** The member "agents": every agent that is known. */
CHECKED int agents_write(
	struct connection *connection, int64_t now_ns, struct emitter *out, struct err *err);
