/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Saved views: written by the writer, read by any connection. */

#include "base/arena.h"
#include "model/saved_view.h"
#include "store/connection.h"

/** Writes it; one of the same owner, kind of list and name is replaced and keeps its id. Sets id.
 */
CHECKED int view_put(struct connection *connection, struct saved_view *view, struct err *err);

/** ERR_MISSING. */
CHECKED int view_find(struct connection *connection, uint64_t id, struct arena *arena,
	struct saved_view *out, struct err *err);

CHECKED int view_remove(struct connection *connection, uint64_t id, struct err *err);

/** How many there are of the owner besides one of this name, and in all. */
CHECKED int views_count(struct connection *connection, const struct saved_view *view,
	uint64_t *n_own, uint64_t *n_all, struct err *err);

struct view_list {
	struct saved_view *items;
	size_t n;
};

/** Those that @owner sees: own and shared, by name. At most SAVED_VIEWS_MAX. */
CHECKED int views_read(struct connection *connection, struct text owner, struct arena *arena,
	struct view_list *out, struct err *err);
