/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/picture.h"

#include "pages/badge.h"
#include "pages/incident.h"
#include "pages/moment.h"

enum { BINS_MAX = 60, RATE_WIDTH = 360, RATE_HEIGHT = 30, BAR_STEP = 6, PATH_BYTES = 16384 };

struct bars {
	uint64_t all[BINS_MAX], bad[BINS_MAX]; /* bad: high and critical */
	uint64_t most;
	size_t n;
};

static void open_picture(
	struct page *page, const char *class, int width, int height, struct text name)
{
	struct html *html = &page->html;
	html_open(html, "svg", class);
	html_set_string(html, "role", "img");
	html_setf(html, "viewBox", "0 0 %d %d", width, height);
	html_set(html, "aria-label", name);
}

static void read_bars(const struct node *rate, struct bars *bars)
{
	const struct node *bins = tree_member(rate, "bins");
	for (const struct node *bin = bins ? bins->first : NULL; bin && bars->n < BINS_MAX;
		bin = bin->next, bars->n++) {
		unsigned severity = 0;
		for (const struct node *n = bin->first; n; n = n->next, severity++) {
			uint64_t count;
			if (!text_to_u64(n->value, &count))
				continue;
			bars->all[bars->n] += count;
			if (severity >= SEVERITY_HIGH)
				bars->bad[bars->n] += count;
		}
		if (bars->all[bars->n] > bars->most)
			bars->most = bars->all[bars->n];
	}
}

/* A bar has at least two units: one alert must not vanish beside a storm. */
static void write_bars(
	struct page *page, const char *class, const uint64_t *counts, const struct bars *bars)
{
	struct buf path;
	buf_init(&path, PATH_BYTES);
	for (size_t i = 0; i < bars->n; i++) {
		if (!counts[i])
			continue;
		int height = 2 + (int)(counts[i] * (RATE_HEIGHT - 4) / bars->most);
		buf_addf(&path, "M%d %dh5V%dh-5z", (int)i * BAR_STEP, RATE_HEIGHT - height,
			RATE_HEIGHT - 1);
	}
	html_open(&page->html, "path", class);
	html_set(&page->html, "d", buf_text(&path));
	html_close(&page->html);
	buf_done(&path);
}

void picture_rate(struct page *page, const struct node *rate)
{
	struct html *html = &page->html;
	struct bars bars = {.n = 0};
	int64_t from_ns = page_time_of(rate, "from"), to_ns = page_time_of(rate, "to");
	read_bars(rate, &bars);
	if (!bars.most)
		return;
	struct text values[3] = {moment_text(page, from_ns, MOMENT_CLOCK),
		moment_text(page, to_ns, MOMENT_CLOCK), page_number(page, bars.most)};
	open_picture(page, "rate", RATE_WIDTH, RATE_HEIGHT,
		page_filled(page, WORD_RATE_NAME, values, 3));
	html_open(html, "path", "axis");
	html_setf(html, "d", "M0 %d.5h%d", RATE_HEIGHT - 1, RATE_WIDTH);
	html_close(html);
	write_bars(page, "all", bars.all, &bars);
	write_bars(page, "bad", bars.bad, &bars);
	html_close(html);
	html_open(html, "div", "ends");
	moment_write(page, from_ns, MOMENT_CLOCK);
	html_open(html, "span", NULL);
	page_fill(page, WORD_RATE_MOST, NULL, &values[2], 1);
	html_close(html);
	moment_write(page, to_ns, MOMENT_CLOCK);
	html_close(html);
}

/* ---- lanes ---- */

enum {
	LANE_WIDTH = 960,
	LANE_LEFT = 170,
	LANE_HEIGHT = 26,
	LANE_MARKS_MAX = 400,
	LANE_LOOKED_MAX = 2000
};

struct span {
	int64_t from_ns, to_ns;
};

static int lane_x(const struct span *span, int64_t at_ns)
{
	int64_t width = span->to_ns - span->from_ns, room = LANE_WIDTH - LANE_LEFT - 20;
	if (width <= 0)
		return LANE_LEFT + 10;
	/* in parts of a million: spans of months stay far from overflow */
	int64_t part = (at_ns - span->from_ns) / (width / 1000000 + 1);
	return LANE_LEFT + 10 + (int)(part * room / (width / (width / 1000000 + 1) + 1));
}

static void write_mark(struct page *page, const struct span *span, const struct node *print, int y)
{
	struct html *html = &page->html;
	int x = lane_x(span, page_time_of(print, "first_seen"));
	int end = lane_x(span, page_time_of(print, "last_seen"));
	struct text values[3] = {tree_member_text(print, "rule"), tree_member_text(print, "alerts"),
		moment_text(page, page_time_of(print, "first_seen"), MOMENT_CLOCK)};
	html_open(html, "g", "mark-of");
	html_set(html, "data-sev", tree_member_text(print, "severity"));
	html_open(html, "title", NULL);
	html_text(html, page_filled(page, WORD_LANE_MARK, values, 3));
	html_close(html);
	html_open(html, "rect", NULL);
	html_setf(html, "x", "%d", x - 4);
	html_setf(html, "y", "%d", y + LANE_HEIGHT / 2 - 4);
	html_setf(html, "width", "%d", end - x + 8);
	html_set_string(html, "height", "8");
	html_set_string(html, "rx", "4");
	html_close(html);
	html_close(html);
}

static void write_lane(struct page *page, const struct node *incident, const struct span *span,
	const struct node *tactic, int y)
{
	struct html *html = &page->html;
	const struct node *story = tree_member(incident, "story");
	struct text id = tree_member_text(tactic, "id");
	size_t n = 0, looked = 0;
	html_open(html, "text", NULL);
	html_setf(html, "x", "%d", LANE_LEFT - 12);
	html_setf(html, "y", "%d", y + LANE_HEIGHT / 2 + 4);
	html_set_string(html, "text-anchor", "end");
	html_text(html, badge_tactic(page, (unsigned)page_u64(tactic, "rank")));
	html_close(html);
	html_open(html, "path", "axis");
	html_setf(html, "d", "M%d %d.5h%d", LANE_LEFT, y + LANE_HEIGHT / 2, LANE_WIDTH - LANE_LEFT);
	html_close(html);
	for (const struct node *print = story ? story->first : NULL;
		print && n < LANE_MARKS_MAX && looked < LANE_LOOKED_MAX;
		print = print->next, looked++)
		if (incident_has_tactic(incident, print, id)) {
			write_mark(page, span, print, y);
			n++;
		}
}

void picture_lanes(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	const struct node *tactics = tree_member(incident, "tactics");
	struct span span = {
		page_time_of(incident, "first_seen"), page_time_of(incident, "last_seen")};
	size_t n = page_count(tactics);
	int y = 0;
	if (!n)
		return;
	html_open(html, "div", "scroll");
	open_picture(
		page, "lanes", LANE_WIDTH, (int)n * LANE_HEIGHT, page_word(page, WORD_LANES_NAME));
	for (const struct node *item = tactics->first; item; item = item->next, y += LANE_HEIGHT)
		write_lane(page, incident, &span, item, y);
	html_close(html);
	html_open(html, "div", "ends lanes-ends");
	moment_write(page, span.from_ns, MOMENT_CLOCK);
	moment_write(page, span.to_ns, MOMENT_CLOCK);
	html_close(html);
	html_close(html);
}
