/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Decisions that change which alerts are one incident, or which incidents are shown together. */

#include "pipeline/incident_decisions.h"

/* Each looks at one kind of decision: 0, perhaps refused; -1 with *err set. */

/** Nothing from @slot on joins what the incident has: also what resolving does. */
CHECKED int deciding_cut_at(struct deciding *deciding, int64_t slot, struct err *err);

/** The cut of the incident's resolution is undone, if it still holds. */
CHECKED int deciding_undo_resolution(struct deciding *deciding, struct err *err);

/** The first slot that begins behind now and behind all that the incident has. */
CHECKED int deciding_slot_behind(struct deciding *deciding, int64_t *slot, struct err *err);

CHECKED int decide_cut(struct deciding *deciding, struct err *err);
CHECKED int decide_unlink(struct deciding *deciding, struct err *err);
CHECKED int decide_merge(struct deciding *deciding, struct err *err);
CHECKED int decide_undo(struct deciding *deciding, struct err *err);
