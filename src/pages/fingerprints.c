/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/alerts.h"
#include "pages/badge.h"
#include "pages/moment.h"
#include "pages/table.h"

/* Alerts by kind and workload: "N times, first, last". A row opens to its single alerts. */

enum { RULE_BYTES = 64, PLACE_BYTES = 44, NAME_BYTES = 32, WHAT_BYTES = 60 };

static struct text place_of(const struct page *page, const struct node *group)
{
	struct text namespace = tree_member_text(group, "namespace");
	struct text workload = tree_member_text(group, "workload");
	struct text node = tree_member_text(group, "node");
	if (namespace.size && workload.size)
		return arena_format(
			page->arena, "%.*s/%.*s", TEXT_ARG(namespace), TEXT_ARG(workload));
	if (workload.size)
		return workload;
	if (node.size)
		return page_filled(page, WORD_PLACE_NODE, &node, 1);
	struct text cluster = tree_member_text(group, "cluster");
	return page_filled(page, WORD_PLACE_CLUSTER, &cluster, 1);
}

/* Its single alerts. */
static struct text link_of(const struct page *page, const struct node *group)
{
	struct text fingerprint = tree_member_text(group, "fingerprint");
	struct text q = arena_format(page->arena, "fingerprint:%.*s", TEXT_ARG(fingerprint));
	const struct page_pair pairs[] = {{"view", TEXT("single")}, {"q", q}};
	return page_link(page, "/alerts", pairs, 2);
}

static void write_what(struct page *page, const struct node *group)
{
	struct html *html = &page->html;
	struct text exe = tree_member_text(group, "exe");
	struct text resource = tree_member_text(group, "resource");
	html_open(html, "td", "what");
	html_clip(html, "code", NULL, exe, WHAT_BYTES);
	if (tree_member(group, "operation")) {
		html_string(html, " ");
		html_clip(html, "span", "note", tree_member_text(group, "operation"), NAME_BYTES);
	}
	if (resource.size) {
		html_string(html, " ");
		html_clip(html, "code", NULL, resource, WHAT_BYTES);
	}
	html_close(html);
}

static void write_row(struct page *page, const struct node *group, size_t i)
{
	struct html *html = &page->html;
	struct text fingerprint = tree_member_text(group, "fingerprint");
	html_open(html, "tr", NULL);
	html_setf(html, "id", "fingerprint-%.*s-%zu", TEXT_ARG(fingerprint), i);
	html_set_flag(html, "data-row");
	html_open(html, "td", "number");
	html_string(html, "×");
	html_text(html, tree_member_text(group, "alerts"));
	html_close(html);
	html_open(html, "td", NULL);
	badge_severity(page, tree_member_text(group, "severity"));
	html_close(html);
	html_open(html, "td", "rule");
	html_open(html, "a", NULL);
	html_set(html, "href", link_of(page, group));
	html_clip_text(html, tree_member_text(group, "rule"), RULE_BYTES);
	html_close(html);
	html_close(html);
	html_clip(html, "td", "where", place_of(page, group), PLACE_BYTES);
	html_open(html, "td", NULL);
	badge_strip(page, tree_member(group, "tactics"));
	html_close(html);
	write_what(page, group);
	table_text(page, group, "sensor", NAME_BYTES);
	table_time(page, group, "last_seen");
	table_time(page, group, "first_seen");
	html_open(html, "td", "number");
	html_open(html, "a", NULL);
	html_setf(html, "href", "/alerts/%.*s", TEXT_ARG(tree_member_text(group, "leaf")));
	html_set_flag(html, "data-raw");
	page_say(page, WORD_RAW_SHORT);
	html_close(html);
	html_close(html);
	html_close(html);
}

void page_fingerprints(struct page *page, const struct node *document, struct text sort)
{
	const struct node *items = tree_member(document, "items");
	const struct alerts_view view = {.sort = sort};
	size_t i = 0;
	const struct page_head head = {
		.name = "alerts", .title = page_word(page, WORD_NAV_ALERTS), .refresh_s = 60};
	page_begin(page, &head);
	alerts_heading(page, &view);
	if (!items || !items->first) {
		page_leaf(page, "p", "empty", WORD_ALERTS_EMPTY);
		page_end(page);
		return;
	}
	table_open(page, "list story", "fingerprints", WORD_FINGERPRINTS_CAPTION);
	table_head(page, "number", WORD_COLUMN_ALERTS);
	table_head(page, NULL, WORD_COLUMN_SEVERITY);
	table_head(page, NULL, WORD_COLUMN_RULE);
	table_head(page, NULL, WORD_COLUMN_WHERE);
	table_head(page, NULL, WORD_COLUMN_TACTICS);
	table_head(page, NULL, WORD_COLUMN_WHAT);
	table_head(page, NULL, WORD_COLUMN_SENSOR);
	table_head(page, "number", WORD_COLUMN_LAST);
	table_head(page, "number", WORD_COLUMN_FIRST);
	table_head(page, "number", WORD_RAW);
	table_rows(page);
	for (const struct node *item = items->first; item; item = item->next)
		write_row(page, item, ++i);
	table_close(page);
	alerts_next(page, &view, tree_member_text(document, "next"));
	page_end(page);
}
