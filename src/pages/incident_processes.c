/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/badge.h"
#include "pages/incident.h"
#include "pages/moment.h"

/* Processes as a tree of lists. A parent's id is smaller than its children's, so it ends. */

enum { DEPTH_MAX = 14, CMDLINE_BYTES = 160, NAME_BYTES = 48 };

static void write_process(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	struct text alert = tree_member_text(item, "alert");
	struct text pid = tree_member_text(item, "pid"),
		    cmdline = tree_member_text(item, "cmdline");
	html_clip(html, "b", NULL, tree_member_text(item, "name"), NAME_BYTES);
	if (pid.size) {
		html_string(html, " ");
		html_leaf(html, "span", "id", pid);
	}
	if (!alert.size) {
		html_string(html, " ");
		page_leaf(page, "span", "note", WORD_PROCESS_NAMED);
		return;
	}
	html_string(html, " ");
	html_clip(html, "code", NULL, cmdline.size ? cmdline : tree_member_text(item, "exe"),
		CMDLINE_BYTES);
	html_string(html, " ");
	html_open(html, "span", "facts");
	moment_write(page, page_time_of(item, "first_seen"), MOMENT_CLOCK);
	badge_severity(page, tree_member_text(item, "severity"));
	html_open(html, "a", NULL);
	html_setf(html, "href", "/alerts/%.*s", TEXT_ARG(alert));
	html_set_flag(html, "data-raw");
	html_clip(html, "span", NULL, tree_member_text(item, "rule"), NAME_BYTES);
	html_close(html);
	html_open(html, "span", "note");
	html_string(html, "×");
	html_text(html, tree_member_text(item, "alerts"));
	html_close(html);
	html_clip(html, "span", "note", tree_member_text(item, "user"), NAME_BYTES);
	html_close(html);
}

/* Deeper than DEPTH_MAX, children stand beside their parent. */
static void write_children(
	struct page *page, const struct node *items, uint64_t parent, unsigned depth)
{
	struct html *html = &page->html;
	bool is_open = false;
	for (const struct node *item = items->first; item; item = item->next) {
		uint64_t id = page_u64(item, "id");
		if (page_u64(item, "parent") != parent || id <= parent)
			continue;
		if (!is_open && depth < DEPTH_MAX)
			html_open(html, "ul", depth == 0 ? "tree" : NULL);
		is_open = true;
		html_open(html, "li", NULL);
		write_process(page, item);
		if (depth + 1 < DEPTH_MAX)
			write_children(page, items, id, depth + 1);
		html_close(html);
		if (depth + 1 >= DEPTH_MAX)
			write_children(page, items, id, depth + 1);
	}
	if (is_open && depth < DEPTH_MAX)
		html_close(html);
}

void incident_processes(struct page *page, const struct incident_data *data)
{
	const struct node *items = tree_member(data->processes, "items");
	if (!items || !items->first) {
		page_leaf(page, "p", "empty", WORD_PROCESSES_EMPTY);
		return;
	}
	incident_partial(page, data->processes);
	write_children(page, items, 0, 0);
}
