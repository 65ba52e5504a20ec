/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/table.h"

#include "pages/moment.h"

void table_open(struct page *page, const char *class, const char *name, enum word caption)
{
	struct html *html = &page->html;
	html_open(html, "div", "scroll");
	html_open(html, "table", class);
	if (name)
		html_set_string(html, "data-list", name);
	page_leaf(page, "caption", "unseen", caption);
	html_open(html, "thead", NULL);
	html_open(html, "tr", NULL);
}

void table_head(struct page *page, const char *class, enum word word)
{
	html_open(&page->html, "th", class);
	html_set_string(&page->html, "scope", "col");
	page_say(page, word);
	html_close(&page->html);
}

void table_rows(struct page *page)
{
	html_close(&page->html);
	html_close(&page->html);
	html_open(&page->html, "tbody", NULL);
}

void table_close(struct page *page)
{
	html_close(&page->html);
	html_close(&page->html);
	html_close(&page->html);
}

void table_rest(struct page *page, size_t shown, size_t n)
{
	if (n <= shown)
		return;
	struct text values[2] = {page_number(page, shown), page_number(page, n)};
	html_open(&page->html, "p", "note");
	page_fill(page, WORD_SHOWN_OF, NULL, values, 2);
	html_close(&page->html);
}

void table_text(struct page *page, const struct node *row, const char *member, size_t bytes)
{
	html_clip(&page->html, "td", NULL, tree_member_text(row, member), bytes);
}

void table_number(struct page *page, const struct node *row, const char *member)
{
	html_leaf(&page->html, "td", "number", tree_member_text(row, member));
}

void table_time(struct page *page, const struct node *row, const char *member)
{
	html_open(&page->html, "td", "number");
	moment_write(page, page_time_of(row, member), MOMENT_AGO);
	html_close(&page->html);
}
