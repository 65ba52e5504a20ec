/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/incident.h"

#include "pages/badge.h"
#include "pages/decide.h"
#include "pages/headline.h"
#include "pages/incidents.h"
#include "pages/moment.h"

enum { TITLE_BYTES = 120 };

static const struct {
	const char *name;
	enum word word;
	void (*write)(struct page *page, const struct incident_data *data);
} parts[N_INCIDENT_PARTS] = {
	[PART_STORY] = {"story", WORD_PART_STORY, incident_story},
	[PART_TACTICS] = {"tactics", WORD_PART_TACTICS, incident_tactics},
	[PART_PROCESSES] = {"processes", WORD_PART_PROCESSES, incident_processes},
	[PART_ENTITIES] = {"entities", WORD_PART_ENTITIES, incident_entities},
	[PART_ALERTS] = {"alerts", WORD_PART_ALERTS, incident_alerts},
	[PART_ACTIVITY] = {"activity", WORD_PART_ACTIVITY, incident_activity},
	[PART_SIMILAR] = {"similar", WORD_PART_SIMILAR, incident_similar},
};

const char *incident_part_name(enum incident_part part)
{
	return parts[part].name;
}

bool incident_part_parse(struct text name, enum incident_part *out)
{
	for (unsigned i = 0; i < N_INCIDENT_PARTS; i++)
		if (text_is(name, parts[i].name)) {
			*out = (enum incident_part)i;
			return true;
		}
	return false;
}

static bool is_over(const struct node *incident)
{
	struct text state = tree_member_text(incident, "state");
	return text_is(state, "resolved") || text_is(state, "closed");
}

/* At most four in sight; what is rarer is behind "more". */
static void write_actions(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	if (!page_may(page, ROLE_ANALYST))
		return;
	html_open(html, "div", "actions");
	if (is_over(incident)) {
		decide_button(page, incident, "reopen", WORD_ACT_REOPEN, NULL);
	} else {
		if (text_is(tree_member_text(incident, "state"), "new"))
			decide_button(page, incident, "ack", WORD_ACT_ACK, "a");
		decide_button(page, incident, "assign", WORD_ACT_ASSIGN, "s");
		decide_button(page, incident, "snooze", WORD_ACT_SNOOZE, "z");
		decide_button(page, incident, "resolve", WORD_ACT_RESOLVE, "R");
	}
	html_open(html, "details", "more");
	page_leaf(page, "summary", NULL, WORD_MORE);
	html_open(html, "div", NULL);
	decide_button(page, incident, "comment", WORD_ACT_COMMENT, "c");
	decide_button(page, incident, "merge", WORD_ACT_MERGE, "m");
	decide_button(page, incident, "cut", WORD_ACT_CUT, NULL);
	html_close(html);
	html_close(html);
	html_close(html);
}

static void write_note(
	struct page *page, const struct node *incident, const char *member, enum word word)
{
	struct html *html = &page->html;
	struct text number = tree_member_text(incident, member);
	if (!number.size)
		return;
	html_open(html, "p", "notice");
	page_say(page, word);
	html_string(html, " ");
	html_open(html, "a", NULL);
	html_setf(html, "href", "/incidents/%.*s", TEXT_ARG(page_incident_number(number)));
	html_text(html, number);
	html_close(html);
	html_close(html);
}

static void write_suppressed(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	const struct node *list = tree_member(incident, "suppressed_by");
	if (!list || !list->first)
		return;
	html_open(html, "p", "notice");
	page_say(page, WORD_NOTE_SUPPRESSED);
	for (const struct node *item = list->first; item; item = item->next) {
		html_string(html, " ");
		html_open(html, "a", NULL);
		html_setf(html, "href", "/suppressions/%.*s", TEXT_ARG(item->value));
		html_text(html, item->value);
		html_close(html);
	}
	html_close(html);
}

static void write_snoozed(struct page *page, const struct node *incident)
{
	int64_t until = page_time_of(incident, "snoozed_until");
	struct html *html = &page->html;
	if (until <= page->now_ns)
		return;
	html_open(html, "p", "notice");
	page_say(page, WORD_SNOOZED_UNTIL);
	html_string(html, " ");
	moment_write(page, until, MOMENT_FULL);
	html_close(html);
}

static void write_heading(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	struct text assignee = tree_member_text(incident, "assignee");
	html_open(html, "header", "incident");
	incident_is_row(page, incident);
	html_open(html, "h1", NULL);
	html_leaf(html, "span", "id", tree_member_text(incident, "number"));
	html_string(html, " ");
	html_clip_text(html, headline(page, tree_member_text(incident, "title")), TITLE_BYTES);
	html_close(html);
	html_open(html, "p", "facts");
	badge_severity(page, tree_member_text(incident, "severity"));
	html_string(html, " ");
	html_open(html, "span", NULL);
	page_say(page, WORD_RISK);
	html_string(html, " ");
	html_leaf(html, "b", "risk", tree_member_text(incident, "risk"));
	html_close(html);
	html_string(html, " ");
	badge_state(page, incident);
	html_string(html, " ");
	if (assignee.size)
		html_clip(html, "span", "assignee", assignee, 40);
	else
		page_leaf(page, "span", "none", WORD_NOBODY);
	html_string(html, " ");
	html_open(html, "span", NULL);
	page_say(page, WORD_LAST_ALERT);
	html_string(html, " ");
	moment_write(page, page_time_of(incident, "last_seen"), MOMENT_AGO);
	html_string(html, page->reader->language == LANGUAGE_ENGLISH ? " " : "");
	page_say(page, WORD_AGO);
	html_close(html);
	html_close(html);
	write_actions(page, incident);
	html_close(html);
	write_note(page, incident, "recurrence_of", WORD_NOTE_RECURRENCE);
	write_note(page, incident, "split_from", WORD_NOTE_SPLIT);
	write_snoozed(page, incident);
	write_suppressed(page, incident);
}

static void write_tabs(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	struct text number = page_incident_number(tree_member_text(data->incident, "number"));
	html_open(html, "nav", "tabs");
	page_set(page, "aria-label", WORD_PARTS);
	for (unsigned i = 0; i < N_INCIDENT_PARTS; i++) {
		html_open(html, "a", NULL);
		if (i == PART_STORY)
			html_setf(html, "href", "/incidents/%.*s", TEXT_ARG(number));
		else
			html_setf(html, "href", "/incidents/%.*s/%s", TEXT_ARG(number),
				parts[i].name);
		if (i == data->part)
			html_set_string(html, "aria-current", "page");
		page_say(page, parts[i].word);
		html_close(html);
	}
	html_close(html);
}

/* Merged: what is left is where it went. */
static void write_merged(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	html_open(html, "h1", NULL);
	html_text(html, tree_member_text(incident, "number"));
	html_close(html);
	write_note(page, incident, "redirect_to", WORD_NOTE_MERGED);
}

void page_incident(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	const struct node *incident = data->incident;
	bool is_merged = tree_member(incident, "redirect_to") != NULL;
	struct text title = arena_format(page->arena, "%.*s %.*s",
		TEXT_ARG(tree_member_text(incident, "number")),
		TEXT_ARG(headline(page, tree_member_text(incident, "title"))));
	const struct page_head head = {.name = "incident", .title = title, .refresh_s = 60};
	page_begin(page, &head);
	if (is_merged) {
		write_merged(page, incident);
	} else {
		write_heading(page, incident);
		if (data->part == PART_STORY)
			incident_answers(page, data);
		write_tabs(page, data);
		html_open(html, "section", "part");
		html_setf(html, "id", "%s", parts[data->part].name);
		page_leaf(page, "h2", "unseen", parts[data->part].word);
		parts[data->part].write(page, data);
		html_close(html);
		decide_dialogs(page);
	}
	page_end(page);
}
