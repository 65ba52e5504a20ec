/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/alerts.h"

#include "pages/badge.h"
#include "pages/groups.h"
#include "pages/moment.h"
#include "pages/table.h"

enum { RULE_BYTES = 64, CMDLINE_BYTES = 120, NAME_BYTES = 40 };

static void write_row(struct page *page, const struct node *alert)
{
	struct html *html = &page->html;
	struct text id = tree_member_text(alert, "id");
	const struct node *process = tree_member(alert, "process");
	struct text what = tree_member_text(process, "cmdline");
	html_open(html, "tr", NULL);
	html_setf(html, "id", "alert-%.*s", TEXT_ARG(id));
	html_set_flag(html, "data-row");
	html_open(html, "td", "number");
	moment_write(page, page_time_of(alert, "time"), MOMENT_FULL);
	html_close(html);
	html_open(html, "td", NULL);
	badge_severity(page, tree_member_text(alert, "severity"));
	html_close(html);
	html_open(html, "td", "rule");
	html_open(html, "a", NULL);
	html_setf(html, "href", "/alerts/%.*s", TEXT_ARG(id));
	html_set_flag(html, "data-raw");
	html_clip_text(html, tree_member_text(alert, "rule"), RULE_BYTES);
	html_close(html);
	html_close(html);
	html_open(html, "td", "what");
	html_clip(html, "code", NULL, what.size ? what : tree_member_text(alert, "message"),
		CMDLINE_BYTES);
	html_close(html);
	html_clip(html, "td", NULL, tree_member_text(process, "user"), NAME_BYTES);
	html_clip(html, "td", NULL, tree_member_text(alert, "sensor"), NAME_BYTES);
	html_close(html);
}

void alerts_table(struct page *page, const struct node *items)
{
	table_open(page, "list story", "alerts", WORD_NAV_ALERTS);
	table_head(page, "number", WORD_COLUMN_TIME);
	table_head(page, NULL, WORD_COLUMN_SEVERITY);
	table_head(page, NULL, WORD_COLUMN_RULE);
	table_head(page, NULL, WORD_COLUMN_WHAT);
	table_head(page, NULL, WORD_COLUMN_USER);
	table_head(page, NULL, WORD_COLUMN_SENSOR);
	table_rows(page);
	for (const struct node *item = items->first; item; item = item->next)
		write_row(page, item);
	table_close(page);
}

static void hidden_field(struct page *page, const char *name, struct text value)
{
	html_void(&page->html, "input", NULL);
	html_set_string(&page->html, "type", "hidden");
	html_set_string(&page->html, "name", name);
	html_set(&page->html, "value", value);
}

/* A query of alerts has fields that one of incidents has not: a box of its own. */
static void write_box(struct page *page, const struct alerts_view *view)
{
	struct html *html = &page->html;
	html_open(html, "form", "filters");
	html_set_string(html, "action", "/alerts");
	if (view->single)
		hidden_field(page, "view", TEXT("single"));
	else if (view->sort.size)
		hidden_field(page, "sort", view->sort);
	html_void(html, "input", NULL);
	html_set_string(html, "type", "search");
	html_set_string(html, "name", "q");
	html_set_string(html, "size", "60");
	html_set_string(html, "autocomplete", "off");
	html_set_string(html, "spellcheck", "false");
	page_set(page, "aria-label", WORD_SEARCH_ALERTS);
	page_set(page, "placeholder", WORD_SEARCH_ALERTS_EXAMPLE);
	html_set(html, "value", page->search);
	groups_choice(page, GROUPS_OF_ALERTS, view->group);
	page_leaf(page, "button", NULL, WORD_APPLY);
	html_close(html);
}

static void write_view(
	struct page *page, bool is_shown, const char *view, const char *sort, enum word word)
{
	struct html *html = &page->html;
	const struct page_pair pairs[] = {
		{"view", text_of(view)}, {"sort", text_of(sort)}, {"q", page->search}};
	html_open(html, "a", NULL);
	html_set(html, "href", page_link(page, "/alerts", pairs, 3));
	if (is_shown)
		html_set_string(html, "aria-current", "page");
	page_say(page, word);
	html_close(html);
}

void alerts_heading(struct page *page, const struct alerts_view *view)
{
	struct html *html = &page->html;
	bool most = text_is(view->sort, "count"), kinds = !view->single && !view->group.size;
	html_open(html, "div", "bar");
	page_leaf(page, "h1", NULL, WORD_NAV_ALERTS);
	write_box(page, view);
	html_close(html);
	html_open(html, "nav", "tabs");
	page_set(page, "aria-label", WORD_VIEWS);
	write_view(page, kinds && !most, NULL, NULL, WORD_VIEW_KINDS);
	write_view(page, kinds && most, NULL, "count", WORD_VIEW_MOST);
	write_view(page, view->single, "single", NULL, WORD_VIEW_SINGLE);
	html_close(html);
}

void alerts_next(struct page *page, const struct alerts_view *view, struct text next)
{
	struct html *html = &page->html;
	if (!next.size)
		return;
	const struct page_pair pairs[] = {{"view", view->single ? TEXT("single") : TEXT_NONE},
		{"sort", view->sort}, {"group", view->group}, {"q", page->search}, {"after", next}};
	html_open(html, "nav", "pages");
	page_set(page, "aria-label", WORD_PAGES);
	html_open(html, "a", NULL);
	html_set_string(html, "rel", "next");
	html_set(html, "href", page_link(page, "/alerts", pairs, sizeof pairs / sizeof pairs[0]));
	page_say(page, WORD_NEXT_PAGE);
	html_close(html);
	html_close(html);
}

static void begin(struct page *page, const struct alerts_view *view)
{
	const struct page_head head = {
		.name = "alerts", .title = page_word(page, WORD_NAV_ALERTS), .refresh_s = 60};
	page_begin(page, &head);
	alerts_heading(page, view);
}

void page_alerts(struct page *page, const struct node *document)
{
	const struct node *items = tree_member(document, "items");
	const struct alerts_view view = {.single = true};
	begin(page, &view);
	if (items && items->first)
		alerts_table(page, items);
	else
		page_leaf(page, "p", "empty", WORD_ALERTS_EMPTY);
	alerts_next(page, &view, tree_member_text(document, "next"));
	page_end(page);
}

/* The alerts that one group counts, one by one. */
static struct text group_link(const struct page *page, struct text q, const void *ctx)
{
	const struct page_pair pairs[] = {{"view", TEXT("single")}, {"q", q}};
	(void)ctx;
	return page_link(page, "/alerts", pairs, 2);
}

void page_alert_groups(struct page *page, const struct node *document, struct text group)
{
	const struct node *items = tree_member(document, "items");
	const struct alerts_view view = {.group = group};
	begin(page, &view);
	if (items && items->first)
		groups_table(page, document, group_link, NULL);
	else
		page_leaf(page, "p", "empty", WORD_ALERTS_EMPTY);
	alerts_next(page, &view, tree_member_text(document, "next"));
	page_end(page);
}
