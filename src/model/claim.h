/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which rows of its members a piece may call its own where people unlinked alerts (model/edit.h).
 * An unlink claims fingerprints in a range of slots; where several claim the same row, the first
 * one has it. A piece without claims owns all rows of its members.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "model/edit.h"

struct claim {
	int64_t from_slot, to_slot;      /* both inclusive */
	int64_t prints[EDIT_PRINTS_MAX]; /* interned fingerprints */
	size_t n_prints;
	bool own; /* the piece is the one that this unlink made */
};

struct claims {
	struct claim *items; /* the one with the smallest edit id first */
	size_t n;
	bool carved; /* the piece is one that an unlink made: only rows of own claims are inside */
};

/** Is the row of this slot and print (fingerprint << 1 | context) inside? */
bool claims_have(const struct claims *claims, int64_t slot, int64_t print);

/** Writes nothing when the piece owns all rows. */
void claims_write(const struct claims *claims, struct buf *out);

/** Reads what claims_write wrote; false when broken or without memory. Items live in @arena. */
bool claims_read(struct text stored, struct arena *arena, struct claims *out);
