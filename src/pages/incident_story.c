/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/badge.h"
#include "pages/decide.h"
#include "pages/incident.h"
#include "pages/moment.h"
#include "pages/table.h"

/* The story: one row for all alerts of one kind, in the order in which they began. */

enum { RULE_BYTES = 72, NAME_BYTES = 40, EXAMPLE_BYTES = 140, MATCHERS_BYTES = 4096 };

struct text incident_example(const struct incident_data *data, struct text fingerprint)
{
	const struct node *items = tree_member(data->examples, "items");
	for (const struct node *item = items ? items->first : NULL; item; item = item->next)
		if (text_equal(tree_member_text(item, "fingerprint"), fingerprint))
			return tree_member_text(item, "example");
	return TEXT_NONE;
}

static bool is_one_of(struct text word, const char *const *names)
{
	for (; *names; names++)
		if (text_is(word, *names))
			return true;
	return false;
}

/* What kind of thing was done, by the sensor's word for it. */
static enum word operation_word(struct text operation, bool has_resource, bool has_parent)
{
	static const char *const starts[] = {
		"execve", "execveat", "process_exec", "Process", "process", "exec", NULL};
	static const char *const opens[] = {
		"open", "openat", "openat2", "read", "File", "file", "open_by_handle_at", NULL};
	static const char *const connects[] = {
		"connect", "Network", "network", "sendto", "sendmsg", "tcp_connect", NULL};
	static const char *const removes[] = {
		"unlink", "unlinkat", "rename", "renameat", "renameat2", "rmdir", NULL};
	if (is_one_of(operation, starts) && has_parent)
		return WORD_DID_START;
	if (is_one_of(operation, opens) && has_resource)
		return WORD_DID_OPEN;
	if (is_one_of(operation, connects) && has_resource)
		return WORD_DID_CONNECT;
	if (is_one_of(operation, removes) && has_resource)
		return WORD_DID_REMOVE;
	if (has_resource)
		return WORD_DID_TO;
	return operation.size ? WORD_DID : WORD_DID_ACT;
}

static struct text short_name(struct text path)
{
	size_t at = path.size;
	while (at > 0 && path.data[at - 1] != '/')
		at--;
	return at < path.size ? text_part(path, at, path.size) : path;
}

/* What ran: its file, else the first word of the command line. */
static struct text program_of(const struct incident_data *data, const struct node *print)
{
	struct text exe = short_name(tree_member_text(print, "exe"));
	struct text rest = incident_example(data, tree_member_text(print, "fingerprint")), word;
	if (!exe.size && text_split(&rest, ' ', &word) && word.size <= NAME_BYTES)
		exe = short_name(word);
	return exe;
}

void incident_sentence(
	struct page *page, const struct incident_data *data, const struct node *print)
{
	struct text exe = program_of(data, print);
	struct text parent = short_name(tree_member_text(print, "parent"));
	struct text operation = tree_member_text(print, "operation");
	struct text resource = tree_member_text(print, "resource");
	if (!exe.size)
		exe = parent.size ? parent : page_word(page, WORD_SOMETHING);
	const struct text values[4] = {exe, parent, resource, operation};
	enum word word = operation_word(operation, resource.size > 0, parent.size > 0);
	page_fill(page, word, "b", values, 4);
}

/* A matcher of a suppression: name="value", a quote and a backslash in it escaped. */
static void add_matcher(struct buf *out, const char *name, struct text value)
{
	if (!value.size)
		return;
	buf_addf(out, "%s=\"", name);
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '"' || value.data[i] == '\\')
			buf_add_byte(out, '\\');
		if (value.data[i] == '\n')
			buf_add_string(out, "\\n");
		else
			buf_add_byte(out, (unsigned char)value.data[i]);
	}
	buf_add_string(out, "\"\n");
}

/* Leads to a form that is filled with what would hide this row. */
static void write_tune_link(
	struct page *page, const struct incident_data *data, const struct node *print)
{
	const struct node *entity = tree_member(data->incident, "entity");
	struct buf matchers;
	buf_init(&matchers, MATCHERS_BYTES);
	add_matcher(&matchers, "rule", tree_member_text(print, "rule"));
	add_matcher(&matchers, "cluster", tree_member_text(entity, "cluster"));
	add_matcher(&matchers, "namespace", tree_member_text(entity, "namespace"));
	const struct page_pair pair = {"matchers", buf_text(&matchers)};
	html_string(&page->html, " ");
	html_open(&page->html, "a", "act");
	html_set(&page->html, "href", page_link(page, "/suppressions", &pair, 1));
	html_set_flag(&page->html, "data-tune");
	page_say(page, WORD_TUNE);
	html_close(&page->html);
	buf_done(&matchers);
}

static void write_links(
	struct page *page, const struct incident_data *data, const struct node *print)
{
	struct html *html = &page->html;
	const struct node *samples = tree_member(print, "samples");
	html_open(html, "td", "number");
	if (samples && samples->first) {
		html_open(html, "a", NULL);
		html_setf(html, "href", "/alerts/%.*s", TEXT_ARG(samples->first->value));
		html_set_flag(html, "data-raw");
		page_say(page, WORD_RAW_SHORT);
		html_close(html);
	}
	if (page_may(page, ROLE_ANALYST))
		write_tune_link(page, data, print);
	html_close(html);
}

static void write_what(
	struct page *page, const struct incident_data *data, const struct node *print)
{
	struct html *html = &page->html;
	struct text example = incident_example(data, tree_member_text(print, "fingerprint"));
	html_open(html, "td", "what");
	incident_sentence(page, data, print);
	if (example.size) {
		html_string(html, " ");
		html_clip(html, "code", NULL, example, EXAMPLE_BYTES);
	}
	html_close(html);
}

static void write_print(
	struct page *page, const struct incident_data *data, const struct node *print)
{
	struct html *html = &page->html;
	struct text fingerprint = tree_member_text(print, "fingerprint");
	bool context = tree_member(print, "context") != NULL;
	html_open(html, "tr", context ? "context" : NULL);
	html_setf(html, "id", "fingerprint-%.*s%s", TEXT_ARG(fingerprint), context ? "-c" : "");
	html_set_flag(html, "data-row");
	html_open(html, "td", "number");
	moment_write(page, page_time_of(print, "first_seen"), MOMENT_CLOCK);
	html_close(html);
	html_open(html, "td", "number");
	moment_write(page, page_time_of(print, "last_seen"), MOMENT_CLOCK);
	html_close(html);
	html_open(html, "td", "number");
	html_string(html, "×");
	html_text(html, tree_member_text(print, "alerts"));
	html_close(html);
	html_open(html, "td", NULL);
	badge_severity(page, tree_member_text(print, "severity"));
	html_close(html);
	html_clip(html, "td", "rule", tree_member_text(print, "rule"), RULE_BYTES);
	write_what(page, data, print);
	html_clip(html, "td", NULL, tree_member_text(print, "sensor"), NAME_BYTES);
	write_links(page, data, print);
	html_close(html);
}

void incident_story(struct page *page, const struct incident_data *data)
{
	const struct node *story = tree_member(data->incident, "story");
	size_t n = page_count(story), shown = 0;
	if (page_may(page, ROLE_ANALYST))
		decide_unlink_bar(page);
	table_open(page, "list story", "fingerprints", WORD_STORY_CAPTION);
	table_head(page, "number", WORD_COLUMN_FIRST);
	table_head(page, "number", WORD_COLUMN_LAST_SEEN);
	table_head(page, "number", WORD_COLUMN_ALERTS);
	table_head(page, NULL, WORD_COLUMN_SEVERITY);
	table_head(page, NULL, WORD_COLUMN_RULE);
	table_head(page, NULL, WORD_COLUMN_WHAT);
	table_head(page, NULL, WORD_COLUMN_SENSOR);
	table_head(page, "number", WORD_RAW);
	table_rows(page);
	for (const struct node *print = story ? story->first : NULL; print && shown < PAGE_ROWS_MAX;
		print = print->next, shown++)
		write_print(page, data, print);
	table_close(page);
	table_rest(page, shown, n);
}
