/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Decisions about incidents. First everything is looked at, and what cannot be done is refused with
 * nothing written; then state, edit, activity, audit entry and kept answer are written together.
 */

#include "base/emit.h"
#include "model/activity.h"
#include "pipeline/decisions.h"
#include "store/overlays.h"

/* A decision while it is looked at: what it found, what it will write. */
struct deciding {
	const struct decision_run *run;
	struct decision *decision;
	struct incident_decision *wish;
	struct arena *arena; /* the batch's */

	struct overlay overlay; /* as it shall be */
	struct overlay other;   /* of the incident that is linked to; number 0: none */
	enum activity_kind activity;
	struct text undoable; /* what undo will name; absent: nothing */
	struct edit edit;     /* of the grouping; kind 0: none */
	struct text link;     /* the link to make, or to undo; absent: none */
	bool link_is_undone;
	struct emitter detail; /* members of the activity's detail */
};

/** Carries it out, or refuses it in its result. */
CHECKED int incident_decide(
	struct decision_run *run, struct decision *decision, struct arena *arena, struct err *err);

/**
 * Looks at it as incident_decide does and writes nothing: it is refused in its result, or @deciding
 * (run, decision, wish and arena are set) says what would be written.
 */
CHECKED int incident_decision_look(struct deciding *deciding, struct buf *detail, struct err *err);

/** Refuses: 404, 409 or 422, and why (the arena's or a literal). Returns 0: nothing failed. */
int deciding_refuse(struct deciding *deciding, unsigned status, struct text why);

/** Refuses with 404 what whoever decides does not see. */
CHECKED int deciding_check_reach(struct deciding *deciding, uint64_t number, struct err *err);
