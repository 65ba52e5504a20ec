/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/alerts.h"

#include "pages/badge.h"
#include "pages/moment.h"

enum { RULE_BYTES = 64, CMDLINE_BYTES = 120, NAME_BYTES = 40 };

static void head_cell(struct page *page, const char *class, enum word word)
{
	html_open(&page->html, "th", class);
	html_set_string(&page->html, "scope", "col");
	page_say(page, word);
	html_close(&page->html);
}

static void write_row(struct page *page, const struct node *alert)
{
	struct html *html = &page->html;
	struct text id = tree_member_text(alert, "id");
	const struct node *process = tree_member(alert, "process");
	struct text what = tree_member_text(process, "cmdline");
	html_open(html, "tr", NULL);
	html_setf(html, "id", "alert-%.*s", TEXT_ARG(id));
	html_set_flag(html, "data-row");
	html_set_string(html, "data-kind", "alert");
	html_set(html, "data-number", id);
	html_setf(html, "data-href", "/alerts/%.*s", TEXT_ARG(id));
	html_open(html, "td", "number");
	moment_write(page, page_time_of(alert, "time"), MOMENT_FULL);
	html_close(html);
	html_open(html, "td", NULL);
	badge_severity(page, tree_member_text(alert, "severity"));
	html_close(html);
	html_open(html, "td", NULL);
	html_open(html, "a", NULL);
	html_setf(html, "href", "/alerts/%.*s", TEXT_ARG(id));
	html_set(html, "data-raw", id);
	html_clip(html, "span", NULL, tree_member_text(alert, "rule"), RULE_BYTES);
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
	struct html *html = &page->html;
	html_open(html, "div", "scroll");
	html_open(html, "table", "list story");
	html_set_string(html, "data-list", "alerts");
	page_leaf(page, "caption", "unseen", WORD_NAV_ALERTS);
	html_open(html, "thead", NULL);
	html_open(html, "tr", NULL);
	head_cell(page, "number", WORD_COLUMN_TIME);
	head_cell(page, NULL, WORD_COLUMN_SEVERITY);
	head_cell(page, NULL, WORD_COLUMN_RULE);
	head_cell(page, NULL, WORD_COLUMN_WHAT);
	head_cell(page, NULL, WORD_COLUMN_USER);
	head_cell(page, NULL, WORD_COLUMN_SENSOR);
	html_close(html);
	html_close(html);
	html_open(html, "tbody", NULL);
	for (const struct node *item = items->first; item; item = item->next)
		write_row(page, item);
	html_close_to(html, html->depth - 3);
}
