/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/alerts.h"

#include "pages/badge.h"
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
