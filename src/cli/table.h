/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tables that fit the terminal: the widest column gives way. Text of alerts is escaped, colour only
 * on a terminal and not with NO_COLOR; nothing is cut when the output is no terminal.
 */

#include "base/arena.h"
#include "base/buf.h"

enum { TABLE_COLUMNS_MAX = 10 };

struct table_view {
	struct arena *arena;
	const char *const *titles; /* ended by NULL */
	size_t n_columns;
	struct text *cells; /* row by row */
	size_t n_rows, capacity;
	size_t width; /* of the terminal; 0: do not cut */
	bool colour;
};

void table_view_init(struct table_view *view, struct arena *arena, const char *const *titles);

/** The cells of the next row: n_columns texts, as they are (escaped here). false without memory. */
bool table_view_add(struct table_view *view, const struct text *cells);

void table_view_write(const struct table_view *view, struct buf *out);

/** Columns that @text takes on a terminal: code points, wide ones twice. */
size_t text_columns(struct text text);
