/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an incident's score takes from outside its alerts: criticality of what it is about, novelty
 * of its strongest rule there (correlation.md section 6). Cached over the store. The writer
 * thread's.
 */

#include "base/digest.h"
#include "correlate/risk.h"
#include "model/slot.h"
#include "pipeline/identities.h"
#include "store/workloads.h"

struct scoring;

/** @criticality is borrowed for as long as the scoring lives. NULL without memory. */
struct scoring *scoring_new(const struct criticality_rules *criticality);
void scoring_free(struct scoring *scoring);
void scoring_forget(struct scoring *scoring); /* after a rollback */

/* What is known of who an incident is about; grows with its members, whatever their order. */
struct scoring_subject {
	unsigned criticality; /* hundredths; 0: no rule matched yet */
	int64_t workload;     /* of the smallest name; 0: none */
	char workload_name[160];
	struct digest workload_rest; /* of what did not fit into the name; zeros: it did */
};

/** The subject of an incident of @key (an entity's, without "#…"). */
void scoring_subject_init(
	const struct scoring *scoring, struct text key, struct scoring_subject *subject);

/** Another member. */
void scoring_subject_add(const struct scoring *scoring, const struct entity_state *member,
	struct scoring_subject *subject);

/** Fills in risk, base and what they are computed from, and rollup. */
CHECKED int scoring_apply(struct scoring *scoring, struct connection *connection,
	const struct scoring_subject *subject, struct piece *piece, struct err *err);

/**
 * Notes that a rule showed on the entity's workload. *pieces: stored pieces whose score
 * it may change, because it is news about the days before them. pieces->arena is set by the caller.
 */
CHECKED int scoring_note(struct scoring *scoring, struct connection *connection,
	const struct entity_state *entity, const struct slot_row *row,
	struct workload_pieces *pieces, struct err *err);
