/* SPDX-License-Identifier: Apache-2.0 */

/* A restart forgets what people changed. */

#include "store/edits.h"

int __wrap_edits_read(struct connection *connection, struct arena *arena, struct stored_edits *out,
	struct err *err);

int __wrap_edits_read(struct connection *connection, struct arena *arena, struct stored_edits *out,
	struct err *err)
{
	(void)connection;
	(void)arena;
	(void)err;
	*out = (struct stored_edits){NULL, 0};
	return 0;
}
