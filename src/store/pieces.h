/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pieces, their members and their permanent numbers, as the correlator keeps them. Written by the
 * writer. A piece read here owns its sums: piece_sums_done. Frozen pieces (store/leaving.h) are not
 * read here: correlation never changes them again.
 */

#include "base/arena.h"
#include "model/piece.h"
#include "store/connection.h"

struct piece_list {
	struct piece *items;
	size_t n;
};

void piece_list_done(struct piece_list *list); /* frees the sums; items are the arena's */

CHECKED int key_intern(
	struct connection *connection, struct text key, int64_t *id, struct err *err);

/** The piece of a number; its sums are the caller's to end. ERR_MISSING. */
CHECKED int piece_read(
	struct connection *connection, uint64_t number, struct piece *out, struct err *err);

/** Pieces of a key with first_slot >= @from, ascending; items in @arena. */
CHECKED int pieces_read(struct connection *connection, int64_t key, int64_t from,
	struct arena *arena, struct piece_list *out, struct err *err);

/** The greatest first_slot < @slot among the key's pieces. *found says whether there is one. */
CHECKED int piece_first_slot_before(struct connection *connection, int64_t key, int64_t slot,
	int64_t *first_slot, bool *found, struct err *err);

/* A piece's own rows, where not all of its members' are (model/claim.h), and where it came from. */
struct piece_origin {
	struct text claims;  /* as claims_write made them; absent: all rows */
	uint64_t split_from; /* of a new number; 0: none */
};

/**
 * Writes a piece. Number 0: gives it the next number (incident row too, split from @split_from if
 * that is not 0); else replaces the piece of that number. Revision is raised by one. @origin NULL:
 * claims stay as they are.
 */
CHECKED int piece_write(struct connection *connection, struct piece *piece,
	const struct piece_origin *origin, int64_t now_ns, struct err *err);

/** Replaces the claims of a piece that is otherwise as it was. */
CHECKED int piece_claims_write(
	struct connection *connection, uint64_t number, struct text claims, struct err *err);

/** The piece is gone; its number and what people said about it stay. */
CHECKED int piece_remove(struct connection *connection, uint64_t number, struct err *err);

CHECKED int member_add(struct connection *connection, uint64_t number,
	const struct piece_member *member, struct err *err);
CHECKED int members_clear(struct connection *connection, uint64_t number, struct err *err);

struct member_list {
	struct piece_member *items;
	size_t n;
};

CHECKED int members_read(struct connection *connection, uint64_t number, struct arena *arena,
	struct member_list *out, struct err *err);
