/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The newest incident of a key, kept between transactions: most alerts extend it, and then nothing
 * has to be read. The writer thread's.
 */

#include "correlate/session.h"
#include "model/piece.h"
#include "model/slot.h"
#include "pipeline/identities.h"
#include "pipeline/scoring.h"

enum { KEY_MEMBERS_MAX = 64 };

struct key_state {
	int64_t key;
	struct piece newest; /* owns its sums */
	struct scoring_subject subject;
	bool loose_context; /* context lies behind the newest, out of its reach */
	struct piece_member members[KEY_MEMBERS_MAX];
	size_t n_members; /* known to be stored; more may be */
};

struct key_state *key_state_new(void); /* NULL without memory */
void key_state_free(void *state);      /* accepts NULL; for caches */

/* What one transaction adds to a key in one slot. */
struct key_delta {
	struct key_delta *next;
	const struct slot_row *row;
	struct entity_part part; /* that the row's alerts lie in */
};

/**
 * Extends the newest incident by the deltas, if that alone decides where they belong; false: the
 * key has to be partitioned anew from its slots, and the state is not to be used any more. Sorts
 * @deltas.
 * @rules have the key's cuts.
 */
bool key_state_extend(
	struct key_state *state, struct key_delta **deltas, const struct session_rules *rules);
