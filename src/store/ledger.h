/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The tree of the ledger, kept as tiles of 256 hashes: level 0 holds leaf hashes, each level above
 * the roots of full tiles below. The last tile of each level is open and kept in memory; a commit
 * writes the open tiles that changed. The writer's.
 */

#include "base/digest.h"
#include "evidence/merkle.h"
#include "store/connection.h"

enum { LEDGER_LEVELS = 6 }; /* 256^6 leaves */

struct tile {
	int64_t number;
	size_t n;
	bool dirty;
	struct digest hashes[TILE_HASHES];
};

struct ledger {
	struct tile open[LEDGER_LEVELS];
	uint64_t n_leaves; /* the next leaf's number */
};

/** Reads the open tiles. */
CHECKED int ledger_load(struct ledger *ledger, struct connection *connection, struct err *err);

/** The ledger's size alone. */
CHECKED int ledger_count(struct connection *connection, uint64_t *n_leaves, struct err *err);

/** Appends one leaf hash; full tiles are written at once. */
CHECKED int ledger_append(struct ledger *ledger, struct connection *connection,
	const struct digest *leaf, struct err *err);

/** Writes the open tiles that changed since the last call. */
CHECKED int ledger_flush(struct ledger *ledger, struct connection *connection, struct err *err);

/** The tree head of what was appended. */
struct digest ledger_root(const struct ledger *ledger);

/** The row id of a tile. */
int64_t tile_id(unsigned level, int64_t number);
