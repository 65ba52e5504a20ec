/* SPDX-License-Identifier: Apache-2.0 */

/* What people take back holds on. */

#include "pipeline/edits.h"

int __wrap_edits_add(struct edits *edits, struct connection *connection, const struct edit *edit,
	struct err *err);
int __real_edits_add(struct edits *edits, struct connection *connection, const struct edit *edit,
	struct err *err);

int __wrap_edits_add(struct edits *edits, struct connection *connection, const struct edit *edit,
	struct err *err)
{
	return edit->kind == EDIT_UNDO ? 0 : __real_edits_add(edits, connection, edit, err);
}
