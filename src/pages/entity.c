/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/entity.h"

#include "pages/badge.h"
#include "pages/headline.h"
#include "pages/incidents.h"
#include "pages/moment.h"
#include "pages/table.h"

enum { RULE_BYTES = 90, NAME_BYTES = 90, NEIGHBOURS_SHOWN = 12 };

static const struct {
	const char *kind;
	enum word word;
	bool has_page;
	const char *filter; /* of the list of incidents; NULL: none */
} kinds[] = {
	{"cluster", WORD_PLACE_CLUSTER_NAME, false, "cluster"},
	{"namespace", WORD_PLACE_NAMESPACE, false, "namespace"},
	{"workload", WORD_KIND_WORKLOAD, true, NULL},
	{"pod", WORD_KIND_POD, true, NULL},
	{"pod_uid", WORD_KIND_POD_UID, false, NULL},
	{"container", WORD_KIND_CONTAINER, true, NULL},
	{"node", WORD_KIND_NODE, true, NULL},
	{"image", WORD_KIND_IMAGE, true, NULL},
	{"process", WORD_KIND_PROCESS, false, NULL},
	{"user", WORD_KIND_USER, false, NULL},
	{"file", WORD_KIND_FILE, false, NULL},
	{"address", WORD_KIND_ADDRESS, false, NULL},
	{"resource", WORD_KIND_RESOURCE, false, NULL},
};

enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

const char *entity_kind(size_t i)
{
	return i < N_KINDS ? kinds[i].kind : NULL;
}

struct text entity_kind_word(const struct page *page, struct text kind)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (text_is(kind, kinds[i].kind))
			return page_word(page, kinds[i].word);
	return kind;
}

struct text entity_link(
	const struct page *page, struct text kind, struct text id, struct text cluster)
{
	for (size_t i = 0; i < N_KINDS && id.size; i++) {
		if (!text_is(kind, kinds[i].kind))
			continue;
		const struct page_pair pair = {kinds[i].filter ? kinds[i].filter : "cluster",
			kinds[i].filter ? id : cluster};
		if (kinds[i].filter)
			return page_link(page, "/incidents", &pair, 1);
		if (kinds[i].has_page)
			return page_link(page, page_path(page, "/entities/", kind, id), &pair, 1);
	}
	return TEXT_NONE;
}

/* ---- what is known ---- */

static void write_heading(struct page *page, const struct node *document)
{
	struct html *html = &page->html;
	struct text severity = tree_member_text(document, "severity");
	const struct page_pair pairs[] = {
		{"view", TEXT("single")}, {"q", tree_member_text(document, "q")}};
	html_open(html, "header", "incident");
	html_open(html, "h1", NULL);
	html_leaf(html, "span", "id", entity_kind_word(page, tree_member_text(document, "kind")));
	html_string(html, " ");
	html_clip_text(html, tree_member_text(document, "id"), 2 * NAME_BYTES);
	html_close(html);
	html_open(html, "p", "facts");
	if (severity.size)
		badge_severity(page, severity);
	html_string(html, " ");
	html_open(html, "a", NULL);
	html_set(html, "href", page_link(page, "/alerts", pairs, 2));
	struct text alerts = tree_member_text(document, "alerts");
	page_fill(page, WORD_ENTITY_ALERTS, NULL, &alerts, 1);
	html_close(html);
	html_string(html, " ");
	html_open(html, "span", "note");
	page_say(page, WORD_COLUMN_FIRST);
	html_string(html, " ");
	moment_write(page, page_time_of(document, "first_seen"), MOMENT_FULL);
	html_close(html);
	html_string(html, " ");
	html_open(html, "span", "note");
	page_say(page, WORD_COLUMN_LAST);
	html_string(html, " ");
	moment_write(page, page_time_of(document, "last_seen"), MOMENT_FULL);
	html_close(html);
	html_close(html);
	html_close(html);
}

static void write_incident(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	struct text number = page_incident_number(tree_member_text(item, "number"));
	html_open(html, "tr", NULL);
	html_setf(html, "id", "incident-%.*s", TEXT_ARG(number));
	html_set_flag(html, "data-row");
	incident_cells(page, item);
	html_leaf(html, "td", "number alerts", tree_member_text(item, "alerts"));
	table_time(page, item, "last_seen");
	html_open(html, "td", NULL);
	badge_state(page, item);
	html_close(html);
	html_close(html);
}

static void write_incidents(struct page *page, const struct node *items)
{
	page_leaf(page, "h2", NULL, WORD_NAV_INCIDENTS);
	if (!items || !items->first) {
		page_leaf(page, "p", "empty", WORD_INCIDENTS_EMPTY);
		return;
	}
	table_open(page, "list", "of-entity", WORD_NAV_INCIDENTS);
	table_head(page, "risk", WORD_COLUMN_RISK);
	table_head(page, NULL, WORD_COLUMN_SEVERITY);
	table_head(page, NULL, WORD_COLUMN_INCIDENT);
	table_head(page, "number", WORD_COLUMN_ALERTS);
	table_head(page, "number", WORD_COLUMN_LAST);
	table_head(page, NULL, WORD_COLUMN_STATE);
	table_rows(page);
	for (const struct node *item = items->first; item; item = item->next)
		write_incident(page, item);
	table_close(page);
}

static void write_rules(struct page *page, const struct node *items)
{
	struct html *html = &page->html;
	if (!items || !items->first)
		return;
	page_leaf(page, "h2", NULL, WORD_COLUMN_RULES);
	table_open(page, "list", "rules", WORD_COLUMN_RULES);
	table_head(page, NULL, WORD_COLUMN_RULE);
	table_head(page, NULL, WORD_COLUMN_SEVERITY);
	table_head(page, "number", WORD_COLUMN_ALERTS);
	table_head(page, "number", WORD_COLUMN_FIRST);
	table_head(page, "number", WORD_COLUMN_LAST);
	table_rows(page);
	for (const struct node *item = items->first; item; item = item->next) {
		html_open(html, "tr", NULL);
		html_clip(html, "td", "rule", tree_member_text(item, "rule"), RULE_BYTES);
		html_open(html, "td", NULL);
		badge_severity(page, tree_member_text(item, "severity"));
		html_close(html);
		table_number(page, item, "alerts");
		table_time(page, item, "first_seen");
		table_time(page, item, "last_seen");
		html_close(html);
	}
	table_close(page);
}

static void write_neighbour(struct page *page, const struct node *item, struct text cluster)
{
	struct html *html = &page->html;
	struct text id = tree_member_text(item, "id");
	struct text link = entity_link(page, tree_member_text(item, "kind"), id, cluster);
	html_open(html, "div", NULL);
	if (link.size) {
		html_open(html, "a", NULL);
		html_set(html, "href", link);
		html_clip_text(html, id, NAME_BYTES);
		html_close(html);
	} else {
		html_clip_text(html, id, NAME_BYTES);
	}
	html_close(html);
}

/* By kind; of many of one kind the first. */
static void write_neighbours(struct page *page, const struct node *items, struct text cluster)
{
	struct html *html = &page->html;
	if (!items || !items->first)
		return;
	page_leaf(page, "h2", NULL, WORD_ENTITY_NEIGHBOURS);
	html_open(html, "dl", "fields");
	for (size_t i = 0; i < N_KINDS; i++) {
		size_t n = 0;
		for (const struct node *item = items->first; item; item = item->next) {
			if (!text_is(tree_member_text(item, "kind"), kinds[i].kind))
				continue;
			if (n == 0) {
				page_leaf(page, "dt", NULL, kinds[i].word);
				html_open(html, "dd", NULL);
			}
			if (n++ < NEIGHBOURS_SHOWN)
				write_neighbour(page, item, cluster);
		}
		if (n == 0)
			continue;
		table_rest(page, NEIGHBOURS_SHOWN, n);
		html_close(html);
	}
	html_close(html);
}

void page_entity(struct page *page, const struct node *document, struct text cluster)
{
	struct html *html = &page->html;
	const struct page_head head = {
		.name = "entity", .title = tree_member_text(document, "id"), .refresh_s = 60};
	page_begin(page, &head);
	write_heading(page, document);
	if (text_is(tree_member_text(document, "complete"), "false"))
		page_leaf(page, "p", "notice", WORD_ENTITY_PARTIAL);
	html_open(html, "div", "two wide");
	html_open(html, "section", NULL);
	write_incidents(page, tree_member(document, "incidents"));
	write_rules(page, tree_member(document, "rules"));
	html_close(html);
	html_open(html, "section", NULL);
	write_neighbours(page, tree_member(document, "neighbours"), cluster);
	html_close(html);
	html_close(html);
	page_end(page);
}
