/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One incident leaves: its alert rows, duplicate keys, slots, presence and members, in slices.
 *
 * First the piece is marked as leaving; from then on correlation never sees it or its rows again
 * (leaving_others_read). Then, entity by entity, slots are folded into the frozen state and
 * removed, and the alerts after them; the entity's member row goes last, so that whatever a crash
 * left is found again by it. At most one incident is leaving at any time. The writer's.
 */

#include "base/digest.h"
#include "model/claim.h"
#include "store/connection.h"
#include "store/slice.h"
#include "store/slots.h"

struct leaving {
	uint64_t number; /* 0: none */
	int64_t first_slot, last_slot;
	uint64_t n_alerts, revision;
	struct claims claims; /* which rows of its members are its own */
};

/** The incident that is leaving now; its claims in @arena. */
CHECKED int leaving_find(
	struct connection *connection, struct arena *arena, struct leaving *out, struct err *err);

/** The oldest incident all of whose slots lie before @before_slot; number 0: there is none. */
CHECKED int leaving_next(struct connection *connection, int64_t before_slot, struct arena *arena,
	struct leaving *out, struct err *err);

/** Marks it as leaving. @content: its content id, as of this revision. */
CHECKED int leaving_begin(struct connection *connection, const struct leaving *leaving,
	const struct digest *content, struct err *err);

/** Works on it until the slice is over. 1: there is more; 0: the incident is frozen. */
CHECKED int leaving_step(struct connection *connection, const struct leaving *leaving,
	struct slice *slice, struct err *err);

/** slots_read, without techniques and samples, of what is not leaving. */
CHECKED int leaving_others_read(struct connection *connection, const struct leaving *leaving,
	const struct slot_part *part, struct arena *arena, struct slot_rows *out, struct err *err);

/**
 * Removes up to the slice's rest of the part's alerts; @claims: only those inside, NULL: all. 1:
 * there are more; 0: none is left.
 */
CHECKED int part_alerts_remove(struct connection *connection, const struct slot_part *part,
	const struct claims *claims, struct slice *slice, struct err *err);
