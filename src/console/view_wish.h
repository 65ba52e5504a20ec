/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A view that somebody wants to keep. */

#include "console/decision_wish.h"
#include "model/saved_view.h"

/**
 * Reads {"name", "of", "query", "sort", "columns": [], "shared"}; name and of must be there, and
 * the query must be one. Texts in *out live in @arena. false with *refusal filled in.
 */
CHECKED bool view_wish_read(struct text body, struct arena *arena, struct saved_view *out,
	struct wish_refusal *refusal);
