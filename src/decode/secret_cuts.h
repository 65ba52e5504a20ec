/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The places to cut of one event, and the cutting. Part of secrets.c. */

#include "model/batch.h"

struct secret_cut {
	size_t start, end;
	struct text path;
	bool is_piece; /* inside a string */
};

struct secret_cuts {
	struct secret_cut *items;
	size_t n;
	bool over; /* more than there may be */
};

void secret_cuts_add(struct secret_cuts *cuts, struct arena *arena, const struct secret_cut *cut);

/** Cuts alert->raw and makes the redactions. */
void secret_cuts_make(struct secret_cuts *cuts, struct batch *batch, struct alert *alert);
