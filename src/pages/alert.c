/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "pages/alerts.h"
#include "pages/badge.h"
#include "pages/moment.h"

/* One alert: what it says field by field, then its bytes. */

enum { RAW_BYTES_MAX = 256 * 1024, MESSAGE_BYTES = 4096, RULE_BYTES = 140, DEPTH_MAX = 4 };

static void write_value(struct page *page, const struct node *node, unsigned depth);

static void write_members(struct page *page, const struct node *node, unsigned depth)
{
	struct html *html = &page->html;
	html_open(html, "dl", "fields");
	for (const struct node *item = node->first; item; item = item->next) {
		html_leaf(html, "dt", NULL, item->key);
		html_open(html, "dd", NULL);
		write_value(page, item, depth + 1);
		html_close(html);
	}
	html_close(html);
}

static void write_value(struct page *page, const struct node *node, unsigned depth)
{
	struct html *html = &page->html;
	if (depth > DEPTH_MAX)
		return;
	if (node->type == PULL_OBJECT) {
		write_members(page, node, depth);
		return;
	}
	if (node->type == PULL_ARRAY) {
		for (const struct node *item = node->first; item; item = item->next) {
			if (item != node->first)
				html_string(html, ", ");
			write_value(page, item, depth + 1);
		}
		return;
	}
	html_clip(html, "span", NULL, tree_text(node), MESSAGE_BYTES);
}

static void write_raw(struct page *page, struct text raw, bool raw_allowed)
{
	struct html *html = &page->html;
	html_open(html, "h2", NULL);
	html_set_string(html, "id", "raw");
	page_say(page, WORD_RAW);
	html_close(html);
	if (!raw.size) {
		page_leaf(page, "p", "notice", raw_allowed ? WORD_RAW_GONE : WORD_RAW_NOT_FOR_YOU);
		return;
	}
	html_open(html, "pre", "raw");
	html_set_string(html, "tabindex", "0");
	page_set(page, "aria-label", WORD_RAW);
	html_lines(html, text_part(raw, 0, RAW_BYTES_MAX));
	html_close(html);
	if (raw.size > RAW_BYTES_MAX)
		page_leaf(page, "p", "note", WORD_RAW_CUT);
}

static void write_heading(struct page *page, const struct node *alert)
{
	struct html *html = &page->html;
	struct text incident = tree_member_text(alert, "incident");
	html_open(html, "header", "incident");
	html_open(html, "h1", NULL);
	html_clip(html, "span", NULL, tree_member_text(alert, "rule"), RULE_BYTES);
	html_close(html);
	html_open(html, "p", "facts");
	badge_severity(page, tree_member_text(alert, "severity"));
	moment_write(page, page_time_of(alert, "time"), MOMENT_FULL);
	html_leaf(html, "span", NULL, tree_member_text(alert, "sensor"));
	if (incident.size) {
		html_open(html, "a", NULL);
		html_setf(
			html, "href", "/incidents/%.*s", TEXT_ARG(page_incident_number(incident)));
		html_text(html, incident);
		html_close(html);
	}
	html_close(html);
	html_close(html);
}

void page_alert(struct page *page, const struct node *alert, struct text raw, bool raw_allowed)
{
	struct html *html = &page->html;
	const struct page_head head = {.name = "alert", .title = tree_member_text(alert, "rule")};
	page_begin(page, &head);
	write_heading(page, alert);
	html_open(html, "div", "two");
	html_open(html, "section", NULL);
	page_leaf(page, "h2", NULL, WORD_FIELDS);
	write_members(page, alert, 0);
	html_close(html);
	html_open(html, "section", NULL);
	write_raw(page, raw, raw_allowed);
	html_close(html);
	html_close(html);
	page_end(page);
}
