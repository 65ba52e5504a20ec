/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is otherwise between two computations of the same incidents. */

#include "base/arena.h"
#include "model/recorrelation.h"
#include "store/pieces.h"

/** By number: those that changed or are gone, then the new ones. false without memory. */
CHECKED bool piece_changes(const struct piece_list *before, const struct piece_list *after,
	struct arena *arena, struct incident_change_list *out);
