/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/badge.h"
#include "pages/incident.h"
#include "pages/moment.h"

/* What was done and said, oldest first. */

enum { ACTOR_BYTES = 40 };

static const struct {
	const char *kind;
	enum word word;
} kinds[] = {
	{"acknowledged", WORD_DONE_ACKNOWLEDGED},
	{"assigned", WORD_DONE_ASSIGNED},
	{"comment", WORD_DONE_COMMENT},
	{"resolved", WORD_DONE_RESOLVED},
	{"reopened", WORD_DONE_REOPENED},
	{"snoozed", WORD_DONE_SNOOZED},
	{"woken", WORD_DONE_WOKEN},
	{"cut", WORD_DONE_CUT},
	{"unlinked", WORD_DONE_UNLINKED},
	{"linked", WORD_DONE_LINKED},
	{"undone", WORD_DONE_UNDONE},
	{"sealed", WORD_DONE_SEALED},
	{"amended", WORD_DONE_AMENDED},
	{"merged", WORD_DONE_MERGED},
	{"split", WORD_DONE_SPLIT},
	{"recurred", WORD_DONE_RECURRED},
	{"closed", WORD_DONE_CLOSED},
};

void incident_activity_kind(struct page *page, struct text kind)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (text_is(kind, kinds[i].kind)) {
			page_leaf(page, "b", NULL, kinds[i].word);
			return;
		}
	html_leaf(&page->html, "b", NULL, kind);
}

/* What a member is called, and what it says, in the reader's words where there are some. */
static void write_pair(struct page *page, const struct node *item)
{
	static const struct {
		const char *key;
		enum word word;
	} names[] = {{"state", WORD_COLUMN_STATE}, {"verdict", WORD_FIELD_VERDICT},
		{"assignee", WORD_COLUMN_ASSIGNEE}, {"severity", WORD_COLUMN_SEVERITY},
		{"until", WORD_FIELD_UNTIL}, {"with", WORD_COLUMN_INCIDENT},
		{"at", WORD_COLUMN_TIME}};
	struct html *html = &page->html;
	struct text name = item->key;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (text_is(name, names[i].key))
			name = page_word(page, names[i].word);
	struct text said = badge_state_word(page, item->value);
	said = badge_verdict_word(page, badge_severity_word(page, said));
	html_open(html, "span", "pair");
	html_leaf(html, "i", NULL, name);
	html_string(html, " ");
	html_clip(html, "span", NULL, said, VALUE_BYTES);
	html_close(html);
}

/* The members of what was said, each with its name, but for a comment's text. */
static void write_detail(struct page *page, const struct node *detail)
{
	struct html *html = &page->html;
	for (const struct node *item = detail ? detail->first : NULL; item; item = item->next) {
		if (!item->value.size)
			continue;
		html_string(html, " ");
		if (text_is(item->key, "text")) {
			html_open(html, "div", "said");
			html_lines(html, item->value);
			html_close(html);
			continue;
		}
		write_pair(page, item);
	}
}

static bool can_be_undone(const struct node *incident, struct text edit)
{
	const struct node *edits = tree_member(incident, "edits");
	for (const struct node *item = edits ? edits->first : NULL; item; item = item->next)
		if (text_equal(tree_member_text(item, "edit"), edit))
			return true;
	return false;
}

static void write_undo(struct page *page, const struct node *incident, const struct node *activity)
{
	struct html *html = &page->html;
	struct text edit = tree_member_text(activity, "edit");
	if (!edit.size || !page_may(page, ROLE_ANALYST) || !can_be_undone(incident, edit))
		return;
	html_string(html, " ");
	html_open(html, "button", "act");
	html_set_string(html, "type", "button");
	html_set_string(html, "data-act", "undo");
	html_set(html, "data-number", page_incident_number(tree_member_text(incident, "number")));
	html_set(html, "data-revision", tree_member_text(incident, "revision"));
	html_set(html, "data-edit", edit);
	page_say(page, WORD_ACT_UNDO);
	html_close(html);
}

void incident_activity(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	const struct node *items = tree_member(data->activity, "items");
	if (!items || !items->first) {
		page_leaf(page, "p", "empty", WORD_ACTIVITY_EMPTY);
		return;
	}
	html_open(html, "ol", "log");
	for (const struct node *item = items->first; item; item = item->next) {
		html_open(html, "li", NULL);
		moment_write(page, page_time_of(item, "time"), MOMENT_FULL);
		html_string(html, " ");
		html_clip(html, "span", "actor", tree_member_text(item, "actor"), ACTOR_BYTES);
		html_string(html, " ");
		incident_activity_kind(page, tree_member_text(item, "kind"));
		write_detail(page, tree_member(item, "detail"));
		write_undo(page, data->incident, item);
		html_close(html);
	}
	html_close(html);
}
