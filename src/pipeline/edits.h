/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What people changed about the grouping, by the keys it applies to, cached over the store. An edit
 * means an entity by one of its alerts, so its key changes when facts do; it waits when the alert
 * has not come yet. The writer thread's.
 */

#include "base/arena.h"
#include "model/claim.h"
#include "pipeline/identities.h"

struct edits;

/* A cut of one key or of an incident carved from it. */
struct key_cut {
	int64_t slot;
	char carved[CARVED_BYTES + 1]; /* "": of the key itself */
};

/* An unlink that takes, or took until now, alerts from a key. */
struct key_unlink {
	struct claim claim; /* own: false */
	char carved[CARVED_BYTES + 1];
	bool live;
};

/* Everything that people changed about one entity's incidents. */
struct key_edits {
	struct key_unlink *unlinks; /* by edit id */
	size_t n_unlinks;
	struct key_cut *cuts;
	size_t n_cuts;
};

struct edits *edits_new(void); /* NULL without memory */
void edits_free(struct edits *edits);

/** After a rollback: everything is read anew when it is next needed. */
void edits_forget(struct edits *edits);

/** Adds an edit; one whose id is known already changes nothing. */
CHECKED int edits_add(struct edits *edits, struct connection *connection, const struct edit *edit,
	struct err *err);

/** An accepted alert: an edit may have waited for it. */
CHECKED int edits_note(struct edits *edits, struct connection *connection,
	const struct alert *alert, struct err *err);

/** The edits of an entity's key (without "#…"); NULL with err->kind ERR_NONE: there are none. */
const struct key_edits *edits_of(struct edits *edits, struct identities *identities,
	struct connection *connection, struct text key, struct err *err);

/** Called for each edit that came, found its alert or was undone. @to_slot: INT64_MAX: open. */
typedef int edit_changed(
	void *ctx, struct text key, int64_t from_slot, int64_t to_slot, struct err *err);

/** Tells about the changed edits, once each. */
CHECKED int edits_apply(struct edits *edits, struct identities *identities,
	struct connection *connection, edit_changed *changed, void *ctx, struct err *err);

/** The claims of the incident @carved ("" for the key itself) in @arena; false without memory. */
bool edits_claims(
	const struct key_edits *edits, const char *carved, struct arena *arena, struct claims *out);

/** The slots at which it is cut, in @arena; NULL without memory, *n may be 0. */
const int64_t *edits_cuts(
	const struct key_edits *edits, const char *carved, struct arena *arena, size_t *n);
