/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/decide.h"

#include "pages/badge.h"

void decide_button(struct page *page, const struct node *incident, const char *act, enum word word,
	const char *key)
{
	struct html *html = &page->html;
	html_open(html, "button", "act");
	html_set_string(html, "type", "button");
	html_set_string(html, "data-act", act);
	html_set(html, "data-number", page_incident_number(tree_member_text(incident, "number")));
	html_set(html, "data-revision", tree_member_text(incident, "revision"));
	if (key)
		html_set_string(html, "aria-keyshortcuts", key);
	page_say(page, word);
	if (key)
		html_leaf(html, "kbd", NULL, text_of(key));
	html_close(html);
}

static void bulk_button(struct page *page, const char *act, enum word word, const char *key)
{
	struct html *html = &page->html;
	html_open(html, "button", "act");
	html_set_string(html, "type", "button");
	html_set_string(html, "data-bulk", act);
	page_say(page, word);
	if (key)
		html_leaf(html, "kbd", NULL, text_of(key));
	html_close(html);
}

static void open_bulk(struct page *page)
{
	struct html *html = &page->html;
	html_open(html, "div", "bulk");
	html_set_string(html, "id", "bulk");
	html_set_string(html, "role", "group");
	page_set(page, "aria-label", WORD_BULK);
	html_set_flag(html, "hidden");
	html_open(html, "span", NULL);
	html_set_flag(html, "data-selected");
	html_close(html);
}

static void close_bulk(struct page *page)
{
	bulk_button(page, "clear", WORD_CLEAR, "Esc");
	html_close(&page->html);
}

void decide_bulk_bar(struct page *page)
{
	open_bulk(page);
	bulk_button(page, "ack", WORD_ACT_ACK, "a");
	bulk_button(page, "assign", WORD_ACT_ASSIGN, "s");
	bulk_button(page, "snooze", WORD_ACT_SNOOZE, "z");
	bulk_button(page, "resolve", WORD_ACT_RESOLVE, "R");
	bulk_button(page, "merge", WORD_ACT_MERGE, "m");
	close_bulk(page);
}

void decide_unlink_bar(struct page *page)
{
	open_bulk(page);
	bulk_button(page, "unlink", WORD_ACT_UNLINK, NULL);
	close_bulk(page);
}

/* What all have alike, the place for a refusal and the way out, comes with the scripts. */
static void open_dialog(struct page *page, const char *act, enum word title)
{
	struct html *html = &page->html;
	html_open(html, "dialog", NULL);
	html_setf(html, "id", "dialog-%s", act);
	html_open(html, "form", NULL);
	html_set_string(html, "method", "dialog");
	html_set_string(html, "data-form", act);
	html_open(html, "h2", NULL);
	page_say(page, title);
	html_string(html, " ");
	html_open(html, "span", NULL);
	html_set_flag(html, "data-target");
	html_close(html);
	html_close(html);
}

static void close_dialog(struct page *page, enum word confirm)
{
	struct html *html = &page->html;
	html_open(html, "p", "buttons");
	html_open(html, "button", "primary");
	html_set_string(html, "value", "confirm");
	html_set_flag(html, "data-confirm");
	page_say(page, confirm);
	html_close(html);
	html_close(html);
	html_close(html);
	html_close(html);
}

static void open_field(struct page *page, enum word label)
{
	html_open(&page->html, "label", NULL);
	page_leaf(page, "span", NULL, label);
}

static void input_field(
	struct page *page, const char *name, enum word label, enum word hint, bool is_required)
{
	struct html *html = &page->html;
	open_field(page, label);
	html_void(html, "input", NULL);
	html_set_string(html, "name", name);
	html_set_string(html, "autocomplete", "off");
	page_set(page, "placeholder", hint);
	if (is_required)
		html_set_flag(html, "required");
	html_close(html);
}

static void text_field(struct page *page, enum word label, bool is_required)
{
	struct html *html = &page->html;
	open_field(page, label);
	html_open(html, "textarea", NULL);
	html_set_string(html, "name", "text");
	html_set_string(html, "rows", "4");
	html_set_string(html, "maxlength", "16384");
	if (is_required)
		html_set_flag(html, "required");
	html_close(html);
	html_close(html);
}

static void write_resolve(struct page *page)
{
	static const char *const verdicts[] = {
		"true-positive", "benign-expected", "false-positive", "duplicate", "test"};
	struct html *html = &page->html;
	open_dialog(page, "resolve", WORD_ACT_RESOLVE);
	open_field(page, WORD_FIELD_VERDICT);
	html_open(html, "select", NULL);
	html_set_string(html, "name", "verdict");
	html_set_flag(html, "required");
	html_open(html, "option", NULL);
	html_set_string(html, "value", "");
	page_say(page, WORD_CHOOSE);
	html_close(html);
	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
		html_open(html, "option", NULL);
		html_set_string(html, "value", verdicts[i]);
		html_text(html, badge_verdict_word(page, text_of(verdicts[i])));
		html_close(html);
	}
	html_close(html);
	html_close(html);
	text_field(page, WORD_FIELD_WHY, false);
	close_dialog(page, WORD_ACT_RESOLVE);
}

static void write_snooze(struct page *page)
{
	static const struct {
		const char *value;
		enum word word;
	} spans[] = {{"1h", WORD_SNOOZE_1H}, {"4h", WORD_SNOOZE_4H}, {"24h", WORD_SNOOZE_1D},
		{"168h", WORD_SNOOZE_7D}};
	struct html *html = &page->html;
	open_dialog(page, "snooze", WORD_ACT_SNOOZE);
	page_leaf(page, "p", "hint", WORD_SNOOZE_HINT);
	open_field(page, WORD_FIELD_FOR);
	html_open(html, "select", NULL);
	html_set_string(html, "name", "for");
	for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
		html_open(html, "option", NULL);
		html_set_string(html, "value", spans[i].value);
		page_say(page, spans[i].word);
		html_close(html);
	}
	html_close(html);
	html_close(html);
	close_dialog(page, WORD_ACT_SNOOZE);
}

void decide_drawer(struct page *page)
{
	struct html *html = &page->html;
	html_open(html, "aside", NULL);
	html_set_string(html, "id", "drawer");
	page_set(page, "aria-label", WORD_RAW);
	html_set_flag(html, "hidden");
	html_open(html, "header", NULL);
	html_open(html, "h2", NULL);
	html_set_flag(html, "data-drawer-title");
	page_say(page, WORD_RAW);
	html_close(html);
	html_open(html, "button", NULL);
	html_set_string(html, "type", "button");
	html_set_flag(html, "data-drawer-close");
	page_say(page, WORD_CLOSE);
	html_close(html);
	html_close(html);
	html_open(html, "pre", NULL);
	html_set_string(html, "tabindex", "0");
	html_close(html);
	html_close(html);
}

void decide_dialogs(struct page *page)
{
	if (page_may(page, ROLE_ANALYST)) {
		write_resolve(page);
		write_snooze(page);
		open_dialog(page, "assign", WORD_ACT_ASSIGN);
		input_field(page, "assignee", WORD_FIELD_ASSIGNEE, WORD_HINT_ASSIGNEE, true);
		close_dialog(page, WORD_ACT_ASSIGN);
		open_dialog(page, "comment", WORD_ACT_COMMENT);
		text_field(page, WORD_FIELD_TEXT, true);
		close_dialog(page, WORD_ACT_COMMENT);
		open_dialog(page, "merge", WORD_ACT_MERGE);
		input_field(page, "with", WORD_FIELD_WITH, WORD_HINT_NUMBER, true);
		close_dialog(page, WORD_ACT_MERGE);
		open_dialog(page, "cut", WORD_ACT_CUT);
		page_leaf(page, "p", "hint", WORD_CUT_HINT);
		input_field(page, "at", WORD_FIELD_AT, WORD_HINT_TIME, true);
		close_dialog(page, WORD_ACT_CUT);
		open_dialog(page, "unlink", WORD_ACT_UNLINK);
		page_leaf(page, "p", "hint", WORD_UNLINK_HINT);
		close_dialog(page, WORD_ACT_UNLINK_SHORT);
	}
}
