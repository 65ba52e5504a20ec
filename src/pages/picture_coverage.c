/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/coverage.h"

#include "base/utf8.h"
#include "pages/moment.h"

/*
 * A lane for each sensor, time from left to right. The state is told by the height of a bar and by
 * how it is drawn, not by its colour alone: watched is a thin line, silent a hollow bar, throttled
 * half a bar, dropping a whole one, shed a whole one with an edge. web/style.css has the colours.
 */

enum {
	WIDTH = 960,
	LEFT = 210,
	LANE_HEIGHT = 24,
	LANES_MAX = 40,
	BARS_MAX = 2000, /* in all lanes: the table has the rest */
	NAME_BYTES = 30,
};

struct lanes {
	const struct node *first[LANES_MAX]; /* an interval of each */
	size_t n;
};

static const char *const identity[] = {"cluster", "node", "sensor", "source"};

static bool is_of_lane(const struct node *a, const struct node *b)
{
	for (size_t i = 0; i < sizeof identity / sizeof identity[0]; i++)
		if (!text_equal(tree_member_text(a, identity[i]), tree_member_text(b, identity[i])))
			return false;
	return true;
}

static size_t lane_of(const struct lanes *lanes, const struct node *item)
{
	for (size_t i = 0; i < lanes->n; i++)
		if (is_of_lane(lanes->first[i], item))
			return i;
	return lanes->n;
}

static void read_lanes(struct lanes *lanes, const struct node *items)
{
	for (const struct node *item = items ? items->first : NULL; item; item = item->next)
		if (lane_of(lanes, item) == lanes->n && lanes->n < LANES_MAX)
			lanes->first[lanes->n++] = item;
}

static int x_of(int64_t at_ns, int64_t from_ns, int64_t to_ns)
{
	int64_t room = WIDTH - LEFT - 4;
	if (at_ns <= from_ns || to_ns <= from_ns)
		return LEFT;
	if (at_ns >= to_ns)
		return LEFT + (int)room;
	/* a double: spans of a month times the room would overflow, and a pixel is all it decides
	 */
	return LEFT + (int)((double)(at_ns - from_ns) / (double)(to_ns - from_ns) * (double)room);
}

/* Top and height of a bar in its lane. */
static void shape_of(struct text state, int *top, int *height)
{
	*top = 10;
	*height = 4;
	if (text_is(state, "silent") || text_is(state, "dropping") || text_is(state, "shed")) {
		*top = 4;
		*height = 16;
	} else if (text_is(state, "throttled")) {
		*top = 12;
		*height = 8;
	}
}

static struct text bar_title(const struct page *page, const struct node *item)
{
	int64_t until_ns = page_time_of(item, "until");
	struct text values[4] = {coverage_state_word(page, tree_member_text(item, "state")),
		moment_text(page, page_time_of(item, "from"), MOMENT_FULL),
		until_ns ? moment_text(page, until_ns, MOMENT_FULL)
			 : page_word(page, WORD_COVERAGE_GOES_ON),
		tree_member_text(item, "n")};
	return page_filled(
		page, values[3].size ? WORD_COVERAGE_BAR_LOST : WORD_COVERAGE_BAR, values, 4);
}

static void write_bar(
	struct page *page, const struct node *item, int y, int64_t from_ns, int64_t to_ns)
{
	struct html *html = &page->html;
	struct text state = tree_member_text(item, "state");
	int64_t until_ns = page_time_of(item, "until");
	int top, height, x = x_of(page_time_of(item, "from"), from_ns, to_ns);
	int end = until_ns ? x_of(until_ns, from_ns, to_ns) : x_of(to_ns, from_ns, to_ns);
	shape_of(state, &top, &height);
	html_open(html, "g", "bar-of");
	html_set(html, "data-coverage", state);
	html_leaf(html, "title", NULL, bar_title(page, item));
	html_open(html, "rect", NULL);
	html_setf(html, "x", "%d", x);
	html_setf(html, "y", "%d", y + top);
	/* what was short must be seen, too */
	html_setf(html, "width", "%d", end - x < 3 ? 3 : end - x);
	html_setf(html, "height", "%d", height);
	html_close(html);
	html_close(html);
}

static void write_name(struct page *page, const struct node *item, int y)
{
	struct html *html = &page->html;
	struct text sensor = tree_member_text(item, "sensor"),
		    node = tree_member_text(item, "node");
	if (!sensor.size)
		sensor = tree_member_text(item, "source");
	if (!node.size)
		node = tree_member_text(item, "cluster");
	struct text name =
		arena_format(page->arena, "%.*s · %.*s", TEXT_ARG(sensor), TEXT_ARG(node));
	html_open(html, "text", NULL);
	html_setf(html, "x", "%d", LEFT - 10);
	html_setf(html, "y", "%d", y + 16);
	html_set_string(html, "text-anchor", "end");
	html_text(html, utf8_prefix(name, NAME_BYTES));
	if (name.size > NAME_BYTES)
		html_string(html, "…");
	html_close(html);
}

void picture_coverage(struct page *page, const struct node *items, int64_t from_ns, int64_t to_ns)
{
	struct html *html = &page->html;
	struct lanes lanes = {.n = 0};
	size_t n = 0;
	read_lanes(&lanes, items);
	if (!lanes.n)
		return;
	html_open(html, "div", "scroll");
	html_open(html, "svg", "lanes coverage");
	html_set_string(html, "role", "img");
	html_setf(html, "viewBox", "0 0 %d %d", WIDTH, (int)lanes.n * LANE_HEIGHT);
	page_set(page, "aria-label", WORD_COVERAGE_NAME);
	for (size_t i = 0; i < lanes.n; i++) {
		html_open(html, "path", "axis");
		html_setf(html, "d", "M%d %d.5h%d", LEFT, (int)i * LANE_HEIGHT + LANE_HEIGHT / 2,
			WIDTH - LEFT - 4);
		html_close(html);
		write_name(page, lanes.first[i], (int)i * LANE_HEIGHT);
	}
	for (const struct node *item = items->first; item && n < BARS_MAX; item = item->next, n++) {
		size_t lane = lane_of(&lanes, item);
		if (lane < lanes.n)
			write_bar(page, item, (int)lane * LANE_HEIGHT, from_ns, to_ns);
	}
	html_close(html);
	html_open(html, "div", "ends coverage-ends");
	moment_write(page, from_ns, MOMENT_FULL);
	moment_write(page, to_ns, MOMENT_FULL);
	html_close(html);
	html_close(html);
	page_leaf(page, "p", "note", WORD_COVERAGE_LEGEND);
}
