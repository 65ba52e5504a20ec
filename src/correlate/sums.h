/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sums over a piece: what its risk and its line in a list are computed from. Joins like its slots.
 */

#include "model/piece.h"
#include "model/slot.h"

/** Adds one slot row. false without memory. */
bool sums_add(struct piece_sums *sums, const struct slot_row *row);
