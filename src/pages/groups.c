/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/groups.h"

#include "model/attack.h"
#include "pages/badge.h"
#include "pages/table.h"

enum { VALUE_SHOWN_BYTES = 90 };

static const struct field {
	const char *name;
	enum word word;
	bool of_incidents, of_alerts;
} fields[] = {
	{"severity", WORD_COLUMN_SEVERITY, true, true},
	{"state", WORD_COLUMN_STATE, true, false},
	{"assignee", WORD_COLUMN_ASSIGNEE, true, false},
	{"verdict", WORD_FIELD_VERDICT, true, false},
	{"namespace", WORD_PLACE_NAMESPACE, true, true},
	{"workload", WORD_PLACE_WORKLOAD, true, true},
	{"pod", WORD_PLACE_POD, true, true},
	{"node", WORD_PLACE_NODE_NAME, true, true},
	{"cluster", WORD_PLACE_CLUSTER_NAME, true, true},
	{"image", WORD_KIND_IMAGE, false, true},
	{"rule", WORD_COLUMN_RULE, true, true},
	{"tactic", WORD_COLUMN_TACTIC, true, false},
	{"sensor", WORD_COLUMN_SENSOR, true, true},
	{"source", WORD_COLUMN_SOURCE, false, true},
};

enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static const struct field *field_of(struct text name)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		if (text_is(name, fields[i].name))
			return &fields[i];
	return NULL;
}

static void write_option(struct page *page, const char *value, enum word word, bool is_chosen)
{
	struct html *html = &page->html;
	html_open(html, "option", NULL);
	html_set_string(html, "value", value);
	if (is_chosen)
		html_set_flag(html, "selected");
	page_say(page, word);
	html_close(html);
}

void groups_choice(struct page *page, enum groups_of of, struct text group)
{
	struct html *html = &page->html;
	html_open(html, "label", NULL);
	page_leaf(page, "span", NULL, WORD_FILTER_GROUP);
	html_string(html, " ");
	html_open(html, "select", NULL);
	html_set_string(html, "name", "group");
	write_option(page, "", WORD_GROUP_NOT, !group.size);
	for (size_t i = 0; i < N_FIELDS; i++)
		if (of == GROUPS_OF_INCIDENTS ? fields[i].of_incidents : fields[i].of_alerts)
			write_option(page, fields[i].name, fields[i].word,
				text_is(group, fields[i].name));
	html_close(html);
	html_close(html);
}

/* As lists show it: a severity with its shape, our words in the reader's language. */
static void write_value(struct page *page, struct text field, const struct node *group)
{
	struct html *html = &page->html;
	struct text value = tree_member_text(group, "value");
	struct text namespace = tree_member_text(group, "namespace");
	unsigned rank = text_is(field, "tactic") ? tactic_parse(value) : 0;
	if (text_is(field, "severity")) {
		badge_severity(page, value);
		return;
	}
	if (rank)
		value = badge_tactic(page, rank);
	else if (text_is(field, "state"))
		value = badge_state_word(page, value);
	else if (text_is(field, "verdict"))
		value = badge_verdict_word(page, value);
	else if (namespace.size)
		value = arena_format(
			page->arena, "%.*s/%.*s", TEXT_ARG(namespace), TEXT_ARG(value));
	if (value.size)
		html_clip_text(html, value, VALUE_SHOWN_BYTES);
	else
		page_say(page, WORD_GROUP_NONE);
}

/* What was searched for, and this too. OR binds less than standing side by side. */
static struct text narrowed(const struct page *page, struct text q)
{
	if (!page->search.size)
		return q;
	if (text_find(page->search, TEXT(" OR "), 0) != SIZE_MAX)
		return arena_format(
			page->arena, "(%.*s) %.*s", TEXT_ARG(page->search), TEXT_ARG(q));
	return arena_format(page->arena, "%.*s %.*s", TEXT_ARG(page->search), TEXT_ARG(q));
}

static void write_row(struct page *page, struct text field, const struct node *group, size_t i,
	groups_link *link, const void *ctx)
{
	struct html *html = &page->html;
	struct text q = narrowed(page, tree_member_text(group, "q"));
	html_open(html, "tr", NULL);
	html_setf(html, "id", "group-%zu", i);
	html_set_flag(html, "data-row");
	html_open(html, "td", "rule");
	html_open(html, "a", NULL);
	html_set(html, "href", link(page, q, ctx));
	write_value(page, field, group);
	html_close(html);
	html_close(html);
	table_number(page, group, "count");
	html_open(html, "td", NULL);
	badge_severity(page, tree_member_text(group, "severity"));
	html_close(html);
	table_time(page, group, "first_seen");
	table_time(page, group, "last_seen");
	html_close(html);
}

void groups_table(
	struct page *page, const struct node *document, groups_link *link, const void *ctx)
{
	const struct node *items = tree_member(document, "items");
	struct text name = tree_member_text(document, "group");
	const struct field *field = field_of(name);
	size_t i = 0;
	table_open(page, "list groups", "groups", WORD_GROUPS_CAPTION);
	if (field)
		table_head(page, NULL, field->word);
	else
		table_head(page, NULL, WORD_COLUMN_NAME);
	table_head(page, "number", WORD_COLUMN_COUNT);
	table_head(page, NULL, WORD_COLUMN_WORST);
	table_head(page, "number", WORD_COLUMN_FIRST);
	table_head(page, "number", WORD_COLUMN_LAST);
	table_rows(page);
	for (const struct node *item = items ? items->first : NULL; item; item = item->next)
		write_row(page, name, item, ++i, link, ctx);
	table_close(page);
	if (text_is(tree_member_text(document, "complete"), "false"))
		page_leaf(page, "p", "note", WORD_GROUPS_PARTIAL);
}
