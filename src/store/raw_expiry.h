/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Raw bytes leave block by block; where neither raw nor row of any leaf is left, the tile of leaf
 * hashes is reduced to its root, which stands in the level above. Held blocks (stream class 1)
 * stay, and so does their tile. Each gives 1 when the slice is over, 0 at the end, unless said.
 */

#include "store/connection.h"
#include "store/slice.h"

enum { BLOCK_ROWS = 8 }; /* what removing a block costs, in rows of a slice */

/**
 * Removes the oldest block that is not held, if all of it was received before @before_ns.
 * *received_ns: until when it was received. 1: removed; 0: there is none.
 */
CHECKED int oldest_raw_remove(
	struct connection *connection, int64_t before_ns, int64_t *received_ns, struct err *err);

/** Salts of leaves whose raw has left; *next_leaf is the cursor. */
CHECKED int salts_remove(
	struct connection *connection, int64_t *next_leaf, struct slice *slice, struct err *err);

/** Reduces tiles from number *next_tile on; never the last one, which says how long the tree is. */
CHECKED int tiles_reduce(
	struct connection *connection, int64_t *next_tile, struct slice *slice, struct err *err);
