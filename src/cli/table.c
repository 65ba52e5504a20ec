/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/utf8.h"

enum { GAP = 2, LEAST = 8 };

static size_t terminal_width(void)
{
	struct winsize size;
	uint64_t columns;
	const char *told = getenv("COLUMNS"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
	if (!isatty(STDOUT_FILENO))
		return 0;
	if (told && text_to_u64(text_of(told), &columns) && columns >= 20)
		return (size_t)columns;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 80;
}

void table_view_init(struct table_view *view, struct arena *arena, const char *const *titles)
{
	const char *no_colour =
		getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
	*view = (struct table_view){.arena = arena,
		.titles = titles,
		.width = terminal_width(),
		.colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour)};
	while (titles[view->n_columns])
		view->n_columns++;
}

bool table_view_add(struct table_view *view, const struct text *cells)
{
	if (view->n_rows == view->capacity) {
		size_t capacity = view->capacity ? view->capacity * 2 : 32;
		struct text *all =
			arena_array(view->arena, capacity * view->n_columns, sizeof *all);
		if (!all)
			return false;
		if (view->n_rows)
			memcpy(all, view->cells, view->n_rows * view->n_columns * sizeof *all);
		view->cells = all;
		view->capacity = capacity;
	}
	for (size_t i = 0; i < view->n_columns; i++) {
		AUTO(buf_done) struct buf safe;
		buf_init(&safe, 1024 * 1024);
		utf8_escape(&safe, cells[i]);
		view->cells[view->n_rows * view->n_columns + i] =
			arena_copy(view->arena, buf_text(&safe));
	}
	view->n_rows++;
	return !view->arena->failed;
}

/* Wide East Asian blocks take two columns; escaped text has no controls and no combining tricks. */
static size_t columns_at(struct text text, size_t at, size_t length)
{
	static const unsigned wide[][2] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},
		{0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}};
	if (length != 3)
		return length == 4 ? 2 : 1;
	unsigned code = ((unsigned char)text.data[at] & 15U) << 12 |
			((unsigned char)text.data[at + 1] & 63U) << 6 |
			((unsigned char)text.data[at + 2] & 63U);
	for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
		if (code >= wide[i][0] && code <= wide[i][1])
			return 2;
	return 1;
}

size_t text_columns(struct text text)
{
	size_t columns = 0;
	for (size_t at = 0; at < text.size;) {
		size_t length = utf8_length(text, at);
		length = length ? length : 1;
		columns += columns_at(text, at, length);
		at += length;
	}
	return columns;
}

/* Writes at most @width columns of @text; "…" stands for what is left out. Returns the columns
 * used. */
static size_t write_cell(struct buf *out, struct text text, size_t width)
{
	size_t used = 0, at = 0;
	if (text_columns(text) <= width) {
		buf_add(out, text);
		return text_columns(text);
	}
	while (at < text.size) {
		size_t length = utf8_length(text, at);
		length = length ? length : 1;
		size_t columns = columns_at(text, at, length);
		if (used + columns + 1 > width)
			break;
		buf_add(out, text_part(text, at, length));
		used += columns;
		at += length;
	}
	buf_add_string(out, "…");
	return used + 1;
}

static void measure(const struct table_view *view, size_t widths[TABLE_COLUMNS_MAX])
{
	size_t total = 0;
	for (size_t i = 0; i < view->n_columns; i++) {
		widths[i] = text_columns(text_of(view->titles[i]));
		for (size_t j = 0; j < view->n_rows; j++) {
			size_t columns = text_columns(view->cells[j * view->n_columns + i]);
			widths[i] = columns > widths[i] ? columns : widths[i];
		}
		total += widths[i] + GAP;
	}
	while (view->width && total - GAP > view->width) {
		size_t widest = 0;
		for (size_t i = 1; i < view->n_columns; i++)
			widest = widths[i] > widths[widest] ? i : widest;
		if (widths[widest] <= LEAST) /* NOLINT(clang-analyzer-*): there is a column */
			break;
		widths[widest]--;
		total--;
	}
}

static const char *colour_of(struct text cell)
{
	static const char *const colours[][2] = {{"critical", "\033[1;31m"}, {"high", "\033[31m"},
		{"medium", "\033[33m"}, {"low", "\033[36m"}};
	for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++)
		if (text_is(cell, colours[i][0]))
			return colours[i][1];
	return NULL;
}

static void write_row(const struct table_view *view, const struct text *cells, const size_t *widths,
	struct buf *out)
{
	for (size_t i = 0; i < view->n_columns; i++) {
		const char *colour = view->colour ? colour_of(cells[i]) : NULL;
		if (colour)
			buf_add_string(out, colour);
		size_t used = write_cell(out, cells[i], widths[i]);
		if (colour)
			buf_add_string(out, "\033[0m");
		for (; i + 1 < view->n_columns && used < widths[i] + GAP; used++)
			buf_add_byte(out, ' ');
	}
	buf_add_byte(out, '\n');
}

void table_view_write(const struct table_view *view, struct buf *out)
{
	size_t widths[TABLE_COLUMNS_MAX];
	struct text titles[TABLE_COLUMNS_MAX];
	measure(view, widths);
	for (size_t i = 0; i < view->n_columns; i++)
		titles[i] = text_of(view->titles[i]);
	write_row(view, titles, widths, out);
	for (size_t i = 0; i < view->n_rows; i++)
		write_row(view, view->cells + i * view->n_columns, widths, out);
}
