/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sums over a piece: what its risk and its line in a list are computed from. Joins like its slots.
 */

#include "base/buf.h"
#include "model/piece.h"
#include "model/slot.h"

void sums_done(struct piece_sums *sums);

/** Adds one slot row. false without memory. */
bool sums_add(struct piece_sums *sums, const struct slot_row *row);

/** Per-rule sums as stored in piece.rules: varints rule, points, tactics. */
void sums_write_rules(const struct piece_sums *sums, struct buf *out);

/** Adds what sums_write_rules wrote. false when the bytes are broken or memory is out. */
bool sums_read_rules(struct piece_sums *sums, struct text stored);
