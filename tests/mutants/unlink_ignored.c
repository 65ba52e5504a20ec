/* SPDX-License-Identifier: Apache-2.0 */

/* What people take out of an incident stays in it. */

#include "pipeline/edits.h"

bool __wrap_edits_claims(
	const struct key_edits *edits, const char *carved, struct arena *arena, struct claims *out);

bool __wrap_edits_claims(
	const struct key_edits *edits, const char *carved, struct arena *arena, struct claims *out)
{
	(void)edits;
	(void)arena;
	*out = (struct claims){NULL, 0, carved[0] != '\0'};
	return true;
}
