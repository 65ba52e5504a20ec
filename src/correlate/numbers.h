/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which permanent number each piece keeps after a new partition (correlation.md section 4): a
 * number follows the majority of its alerts; where several meet, the older by first event time
 * survives, unless only others were touched by people, and the others redirect to it; a piece that
 * gets none is new, split from the one it lay in.
 */

#include "model/piece.h"

/* Alerts of one entity in one slot. */
struct counted_rows {
	int64_t slot, entity;
	int64_t lo_ns, hi_ns;
	uint64_t n;
};

struct old_piece {
	uint64_t number;
	int64_t key;
	int64_t first_slot, last_slot;
	int64_t lo_ns;
	const struct piece_member *members; /* whose alerts it was made of, ascending by entity */
	size_t n_members;
	bool touched;         /* a person decided something about it */
	uint64_t redirect_to; /* out: index of the new piece + 1 whose number replaces this one; 0:
				 it stays or is gone */
};

struct new_piece {
	int64_t key;
	const struct counted_rows *rows; /* ascending by slot */
	size_t n_rows;
	uint64_t number;     /* out: 0: a fresh one */
	uint64_t split_from; /* out: 0: none */
};

/** Fills the out members. Results depend on the sets only, not on the order of the arrays. */
void numbers_match(struct old_piece *olds, size_t n_olds, struct new_piece *news, size_t n_news);
