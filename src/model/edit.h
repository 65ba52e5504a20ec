/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What people change about the grouping of alerts (correlation.md section 4). Edits are a set:
 * their order does not matter, and nothing is removed: undo is an edit too, and final.
 */

#include "model/alert.h"

enum { EDIT_ID_MAX = 64, EDIT_PRINTS_MAX = 16 };
enum { EDIT_ID_BYTES = 11 }; /* of a made id: ten characters and the NUL */
enum { CARVED_BYTES = 8 };   /* an unlink's incident has its entity's key, "#" and these digits */

/* Stored: numbers never change. */
enum edit_kind {
	EDIT_CUT = 1, /* nothing from from_slot on joins what the anchor's entity had before it */
	EDIT_UNLINK = 2, /* alerts of these prints in these slots get an incident of their own */
	EDIT_UNDO = 3,
};

struct edit {
	enum edit_kind kind;
	struct text id;
	unsigned char
		anchor[OCCURRENCE_BYTES]; /* an alert whose entity is meant; it may come later */
	int64_t from_slot, to_slot;       /* both inclusive; a cut has from_slot alone */
	struct text
		target; /* cut: the unlink whose incident is cut, or absent; undo: what it undoes */
	unsigned char prints[EDIT_PRINTS_MAX][FINGERPRINT_BYTES];
	size_t n_prints;
};

/** A new random id, short enough to be typed: ten lower-case letters and digits (50 bits). */
void edit_id_make(char out[EDIT_ID_BYTES]);

/** What stands behind the "#" of the key of the incident that an unlink makes. */
void edit_carved(struct text unlink_id, char out[CARVED_BYTES + 1]);
