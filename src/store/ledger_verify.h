/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is what is stored what was accepted? Every raw that is still kept is hashed again into its leaf
 * and compared with the tile; every full tile's root with the level above, up to the open tiles,
 * which give the tree's root; the audit trail's chain. A tile of leaf hashes that retention reduced
 * is its root: its leaves are counted, not checked.
 */

#include "base/digest.h"
#include "store/connection.h"

struct ledger_report {
	uint64_t n_leaves;
	uint64_t n_verified; /* raw is there and hashes to its leaf */
	uint64_t n_without_raw;
	uint64_t n_reduced; /* of these: not even the leaf's hash is there, only its tile's root */
	uint64_t n_broken;
	uint64_t first_broken_leaf;
	uint64_t n_tiles, n_broken_tiles;
	struct digest root; /* of the tree, which all tiles were checked against */
	uint64_t n_audit;
	uint64_t broken_audit_id; /* 0: none */
};

typedef void ledger_progress(void *ctx, uint64_t done, uint64_t all);

/** Any connection. A finding is no failure: it is in the report. */
CHECKED int ledger_verify(struct connection *connection, ledger_progress *progress, void *ctx,
	struct ledger_report *report, struct err *err);
