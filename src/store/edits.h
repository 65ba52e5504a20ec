/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* People's edits of the grouping (model/edit.h). Written by the writer, nothing is ever removed. */

#include "base/arena.h"
#include "model/edit.h"
#include "model/incident.h"
#include "store/connection.h"

/* An edit as it is stored. */
struct stored_edit {
	int64_t seq;
	struct edit edit;
	bool anchored; /* the anchor's alert is stored */
	int64_t entity, anchor_ns;
};

/** *is_new false: an edit of this id is there already, and stays as it is. */
CHECKED int edit_insert(struct connection *connection, const struct edit *edit, int64_t *seq,
	bool *is_new, struct err *err);

/** The anchor's alert came: who it is about, and when it was. */
CHECKED int edit_anchor(struct connection *connection, int64_t seq, int64_t entity, int64_t time_ns,
	struct err *err);

/** Entity and time of the alert with this occurrence id; *found false: not stored, or not
 * correlated. */
CHECKED int edit_anchor_find(struct connection *connection,
	const unsigned char occ[OCCURRENCE_BYTES], bool *found, int64_t *entity, int64_t *time_ns,
	struct err *err);

/** Texts of @stored are borrowed for the call. false: no memory, nothing more is read. */
typedef bool edit_visit(void *ctx, const struct stored_edit *stored);

/**
 * Every cut and unlink that is not undone and may still matter: those that end a day or more before
 * the horizon and before all incidents that are not frozen are left out.
 */
CHECKED int edits_read(
	struct connection *connection, edit_visit *visit, void *ctx, struct err *err);

/** The interned id of a fingerprint; 0: none yet. */
CHECKED int edit_print_find(struct connection *connection,
	const unsigned char fingerprint[FINGERPRINT_BYTES], int64_t *id, struct err *err);

/** Is there an edit of this id, or a link, and was it undone? */
CHECKED int edit_find(
	struct connection *connection, struct text id, bool *exists, bool *undone, struct err *err);

/** The unlink whose incident has these digits behind its key's "#", in @arena; absent: none. */
CHECKED int edit_carver_find(struct connection *connection, struct text carved, struct arena *arena,
	struct text *id, struct err *err);

/** Fills edits: what people changed about the incident's grouping and may still undo. */
CHECKED int edits_of_incident(struct connection *connection, struct incident *incident,
	struct arena *arena, struct err *err);
