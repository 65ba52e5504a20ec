/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How many tactics an incident really shows: one rule credits at most one tactic. */

#include "model/piece.h"

/** Size of the maximum matching between distinct rules and their tactics, 0–15. */
unsigned credited_tactics(const struct piece_rule *rules, size_t n);
