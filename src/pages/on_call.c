/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/on_call.h"

#include "base/clock.h"
#include "pages/badge.h"
#include "pages/decide.h"
#include "pages/health.h"
#include "pages/incidents.h"
#include "pages/moment.h"

static void write_list(struct page *page, enum word title, const char *query, enum word empty,
	const struct node *document)
{
	struct html *html = &page->html;
	const struct node *items = tree_member(document, "items");
	const struct page_pair pairs[] = {{"q", text_of(query)}, {"sort", TEXT("risk")}};
	html_open(html, "section", "duty");
	html_open(html, "h2", NULL);
	html_open(html, "a", NULL);
	html_set(html, "href", page_link(page, "/incidents", pairs, 2));
	page_say(page, title);
	html_close(html);
	html_string(html, " ");
	html_open(html, "span", "note");
	html_u64(html, page_count(items));
	if (tree_member(document, "next"))
		html_string(html, "+");
	html_close(html);
	html_close(html);
	if (items && items->first)
		incidents_table(page, items, NULL);
	else
		page_leaf(page, "p", "empty", empty);
	html_close(html);
}

static void open_fact(struct page *page, enum word word)
{
	html_open(&page->html, "div", NULL);
	page_leaf(page, "dt", NULL, word);
	html_open(&page->html, "dd", NULL);
}

static void close_fact(struct page *page)
{
	html_close(&page->html);
	html_close(&page->html);
}

static void write_senders(struct page *page, const struct node *sources)
{
	struct html *html = &page->html;
	struct health_counts counts = health_count(page, sources);
	open_fact(page, WORD_STRIP_SENSORS);
	struct text values[2] = {page_number(page, counts.n_senders - counts.n_silent),
		page_number(page, counts.n_senders)};
	html_open(html, "a", counts.n_silent ? "warn" : NULL);
	html_set_string(html, "href", "/health");
	page_fill(page, WORD_STRIP_HEARD, NULL, values, 2);
	html_close(html);
	close_fact(page);
	open_fact(page, WORD_STRIP_LOST);
	html_open(html, "span", counts.n_lost ? "warn" : NULL);
	html_u64(html, counts.n_lost);
	html_close(html);
	close_fact(page);
}

static void write_ending(struct page *page, const struct node *suppressions)
{
	const struct node *items = tree_member(suppressions, "items");
	int64_t today_ns = page->now_ns + 24 * 3600 * NS_PER_S;
	uint64_t n = 0;
	if (!suppressions)
		return;
	for (const struct node *item = items ? items->first : NULL; item; item = item->next) {
		int64_t ends_ns = page_time_of(item, "ends");
		n += ends_ns > page->now_ns && ends_ns <= today_ns;
	}
	open_fact(page, WORD_STRIP_ENDING);
	html_open(&page->html, "a", NULL);
	html_set_string(&page->html, "href", "/suppressions");
	html_u64(&page->html, n);
	html_close(&page->html);
	close_fact(page);
}

static void write_strip(struct page *page, const struct on_call_data *data)
{
	struct html *html = &page->html;
	html_open(html, "dl", "strip-facts");
	open_fact(page, WORD_STRIP_RATE);
	html_text(html, tree_member_text(data->status, "alerts_recent"));
	close_fact(page);
	write_senders(page, data->sources);
	open_fact(page, WORD_STRIP_HELD);
	html_text(html, tree_member_text(data->status, "held"));
	close_fact(page);
	write_ending(page, data->suppressions);
	html_close(html);
}

void page_on_call(struct page *page, const struct on_call_data *data)
{
	struct html *html = &page->html;
	const struct page_head head = {
		.name = "on-call", .title = page_word(page, WORD_NAV_ONCALL), .refresh_s = 60};
	page_begin(page, &head);
	html_open(html, "div", "bar");
	page_leaf(page, "h1", NULL, WORD_NAV_ONCALL);
	if (data->status)
		write_strip(page, data);
	html_close(html);
	if (page_may(page, ROLE_ANALYST))
		decide_bulk_bar(page);
	write_list(page, WORD_DUTY_MINE, ON_CALL_MINE, WORD_DUTY_MINE_EMPTY, data->mine);
	write_list(page, WORD_DUTY_UNASSIGNED, ON_CALL_UNASSIGNED, WORD_DUTY_UNASSIGNED_EMPTY,
		data->unassigned);
	decide_dialogs(page);
	page_end(page);
}
