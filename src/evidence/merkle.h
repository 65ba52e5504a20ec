/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The RFC 6962 tree: node = SHA-256(0x01 ‖ left ‖ right), n leaves split at the largest power of
 * two below n, the empty tree is SHA-256(""). Hashes of leaves come in as they are
 * (evidence/leaf.h).
 */

#include "base/digest.h"

enum { TILE_HASHES = 256 };

struct digest merkle_node(const struct digest *left, const struct digest *right);

/** Root over @n hashes of equally large perfect subtrees, of which the last may be smaller. */
struct digest merkle_root(const struct digest *hashes, size_t n);
