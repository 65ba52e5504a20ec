/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/moment.h"

#include "base/clock.h"

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

static struct text count(const struct page *page, enum word word, int64_t n)
{
	struct text value = page_number(page, (uint64_t)n);
	return page_filled(page, word, &value, 1);
}

/* Two units at most, the second only where the first is small: "1 h 20 min", but "9 h". */
struct text moment_span(const struct page *page, int64_t span_ns)
{
	int64_t seconds = span_ns > 0 ? span_ns / NS_PER_S : 0;
	if (seconds < MINUTE_S)
		return count(page, WORD_SPAN_SECONDS, seconds);
	if (seconds < HOUR_S)
		return count(page, WORD_SPAN_MINUTES, seconds / MINUTE_S);
	int64_t hours = seconds / HOUR_S, minutes = seconds % HOUR_S / MINUTE_S;
	if (hours < 5 && minutes) {
		struct text values[2] = {
			page_number(page, (uint64_t)hours), page_number(page, (uint64_t)minutes)};
		return page_filled(page, WORD_SPAN_HOURS_MINUTES, values, 2);
	}
	if (seconds < 2 * DAY_S)
		return count(page, WORD_SPAN_HOURS, hours);
	return count(page, WORD_SPAN_DAYS, seconds / DAY_S);
}

/* As RFC 3339 in the reader's zone, still with a Z: the caller says which zone it is. */
static char *shifted(const struct page *page, int64_t wall_ns, char out[CLOCK_TEXT_BYTES])
{
	int64_t offset = page->reader->local_time ? page->reader->offset_minutes : 0;
	return clock_format(wall_ns + offset * MINUTE_S * NS_PER_S, out);
}

static struct text zone_name(const struct page *page)
{
	int offset = page->reader->local_time ? page->reader->offset_minutes : 0;
	int absolute = offset < 0 ? -offset : offset;
	if (offset == 0)
		return TEXT("UTC");
	return arena_format(page->arena, "UTC%c%02d:%02d", offset < 0 ? '-' : '+', absolute / 60,
		absolute % 60);
}

struct text moment_text(const struct page *page, int64_t wall_ns, enum moment_form form)
{
	char text[CLOCK_TEXT_BYTES];
	shifted(page, wall_ns, text);
	if (form == MOMENT_CLOCK)
		return arena_format(page->arena, "%.8s", text + 11);
	return arena_format(
		page->arena, "%.10s %.8s %.*s", text, text + 11, TEXT_ARG(zone_name(page)));
}

static const char *form_name(enum moment_form form)
{
	return form == MOMENT_CLOCK ? "clock" : "full";
}

void moment_write(struct page *page, int64_t wall_ns, enum moment_form form)
{
	char text[CLOCK_TEXT_BYTES];
	struct html *html = &page->html;
	if (wall_ns == 0) {
		html_string(html, "–");
		return;
	}
	clock_format(wall_ns, text);
	html_open(html, "time", NULL);
	html_setf(html, "datetime", "%.19sZ", text);
	if (form != MOMENT_AGO)
		html_set_string(html, "data-form", form_name(form));
	if (form != MOMENT_FULL)
		html_set(html, "title", moment_text(page, wall_ns, MOMENT_FULL));
	if (form == MOMENT_AGO)
		html_text(html, moment_span(page, page->now_ns - wall_ns));
	else
		html_text(html, moment_text(page, wall_ns, form));
	html_close(html);
}
