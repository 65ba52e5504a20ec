/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/suppressions.h"

#include "pages/moment.h"
#include "pages/table.h"

enum { MATCHER_BYTES = 110, REASON_BYTES = 90, NAME_BYTES = 40 };

/* Its matchers, or where it has none, its query. */
static struct text condition(const struct node *item)
{
	struct text matchers = tree_member_text(item, "matcher_text");
	return matchers.size ? matchers : tree_member_text(item, "query");
}

static const struct {
	const char *show, *count; /* count: the document's, NULL: none */
	enum word word;
} views[] = {
	{"active", "active", WORD_SHOW_ACTIVE},
	{"expiring", "expiring", WORD_SHOW_EXPIRING},
	{"unmatched", "unmatched", WORD_SHOW_UNMATCHED},
	{"oldest", NULL, WORD_SHOW_OLDEST},
	{"pending", "pending", WORD_SHOW_PENDING},
	{"expired", NULL, WORD_SHOW_EXPIRED},
	{"all", NULL, WORD_SHOW_ALL},
};

static enum word state_word(const struct node *item)
{
	struct text state = tree_member_text(item, "state");
	if (text_is(state, "active"))
		return WORD_SHOW_ACTIVE;
	return text_is(state, "pending") ? WORD_SHOW_PENDING : WORD_SHOW_EXPIRED;
}

static void write_views(struct page *page, const struct node *document, struct text show)
{
	struct html *html = &page->html;
	const struct node *counts = tree_member(document, "counts");
	html_open(html, "nav", "tabs");
	page_set(page, "aria-label", WORD_VIEWS);
	for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
		html_open(html, "a", NULL);
		html_setf(html, "href", "/suppressions?show=%s", views[i].show);
		if (text_is(show, views[i].show))
			html_set_string(html, "aria-current", "page");
		page_say(page, views[i].word);
		if (views[i].count) {
			html_string(html, " ");
			html_leaf(html, "span", "note", tree_member_text(counts, views[i].count));
		}
		html_close(html);
	}
	html_close(html);
}

static void write_end_button(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	if (!page_may(page, ROLE_ANALYST) || text_is(tree_member_text(item, "state"), "expired"))
		return;
	html_open(html, "button", "act");
	html_set_string(html, "type", "button");
	html_setf(html, "data-delete", "/api/v1/suppressions/%.*s",
		TEXT_ARG(tree_member_text(item, "id")));
	page_say(page, WORD_SUPPRESSION_END);
	html_close(html);
}

/* What should be looked at: the words are also in the heading of the view. */
static void write_notes(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	if (text_is(tree_member_text(item, "expiring"), "true")) {
		html_string(html, " ");
		page_leaf(page, "span", "warn", WORD_NOTE_EXPIRING);
	}
	if (text_is(tree_member_text(item, "never_matched"), "true")) {
		html_string(html, " ");
		page_leaf(page, "span", "warn", WORD_NOTE_UNMATCHED);
	}
}

static void write_row(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	struct text id = tree_member_text(item, "id");
	html_open(html, "tr", NULL);
	html_setf(html, "id", "suppression-%.*s", TEXT_ARG(id));
	html_set_flag(html, "data-row");
	html_set_string(html, "data-kind", "suppression");
	html_set(html, "data-number", id);
	html_setf(html, "data-href", "/suppressions/%.*s", TEXT_ARG(id));
	html_open(html, "td", NULL);
	page_say(page, state_word(item));
	html_close(html);
	html_open(html, "td", "wrap");
	html_open(html, "a", NULL);
	html_setf(html, "href", "/suppressions/%.*s", TEXT_ARG(id));
	html_clip(html, "code", NULL, condition(item), MATCHER_BYTES);
	html_close(html);
	write_notes(page, item);
	html_close(html);
	html_clip(html, "td", "wrap", tree_member_text(item, "reason"), REASON_BYTES);
	table_text(page, item, "author", NAME_BYTES);
	table_number(page, item, "hits");
	table_number(page, item, "kinds");
	table_time(page, item, "last_hit");
	table_time(page, item, "created");
	html_open(html, "td", "number");
	moment_write(page, page_time_of(item, "ends"), MOMENT_FULL);
	html_close(html);
	html_open(html, "td", NULL);
	write_end_button(page, item);
	html_close(html);
	html_close(html);
}

static void write_table(struct page *page, const struct node *items)
{
	table_open(page, "list", "suppressions", WORD_NAV_SUPPRESSIONS);
	table_head(page, NULL, WORD_COLUMN_STATE);
	table_head(page, NULL, WORD_COLUMN_MATCHERS);
	table_head(page, NULL, WORD_COLUMN_REASON);
	table_head(page, NULL, WORD_COLUMN_ACTOR);
	table_head(page, "number", WORD_COLUMN_HID);
	table_head(page, "number", WORD_COLUMN_KINDS);
	table_head(page, "number", WORD_COLUMN_LAST_HIT);
	table_head(page, "number", WORD_COLUMN_CREATED);
	table_head(page, "number", WORD_COLUMN_ENDS);
	table_head(page, NULL, WORD_COLUMN_DO);
	table_rows(page);
	for (const struct node *item = items->first; item; item = item->next)
		write_row(page, item);
	table_close(page);
}

static void open_field(struct page *page, enum word label)
{
	html_open(&page->html, "label", NULL);
	page_leaf(page, "span", NULL, label);
}

/* Scripts send it; see docs/console.md. */
static void write_form(struct page *page, struct text matchers)
{
	static const struct {
		const char *value;
		enum word word;
	} spans[] = {{"1h", WORD_SNOOZE_1H}, {"4h", WORD_SNOOZE_4H}, {"24h", WORD_SNOOZE_1D},
		{"168h", WORD_SNOOZE_7D}};
	struct html *html = &page->html;
	html_open(html, "details", "act suppress");
	html_set_string(html, "id", "suppress");
	if (matchers.size)
		html_set_flag(html, "open");
	page_leaf(page, "summary", NULL, WORD_SUPPRESS_NEW);
	html_open(html, "form", NULL);
	html_set_string(html, "data-form", "suppress");
	open_field(page, WORD_FIELD_MATCHERS);
	html_open(html, "textarea", NULL);
	html_set_string(html, "name", "matchers");
	html_set_string(html, "rows", "3");
	html_set_string(html, "spellcheck", "false");
	html_set_string(html, "placeholder", "namespace=\"dev\"\nrule=~\"Read.*\"");
	html_set_flag(html, "required");
	html_lines(html, matchers);
	html_close(html);
	html_close(html);
	open_field(page, WORD_FIELD_REASON);
	html_void(html, "input", NULL);
	html_set_string(html, "name", "reason");
	html_set_string(html, "maxlength", "1024");
	html_set_flag(html, "required");
	html_close(html);
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
	html_open(html, "div", NULL);
	html_set_flag(html, "data-preview");
	html_set_string(html, "aria-live", "polite");
	html_close(html);
	html_open(html, "p", "error");
	html_set_string(html, "role", "alert");
	html_set_flag(html, "data-error");
	html_set_flag(html, "hidden");
	html_close(html);
	html_open(html, "p", "buttons");
	page_leaf(page, "button", "primary", WORD_SUPPRESS_SAVE);
	html_close(html);
	html_close(html);
	html_close(html);
}

void page_suppressions(
	struct page *page, const struct node *document, struct text show, struct text matchers)
{
	struct html *html = &page->html;
	const struct node *items = tree_member(document, "items");
	struct text next = tree_member_text(document, "next");
	const struct page_head head = {
		.name = "suppressions", .title = page_word(page, WORD_NAV_SUPPRESSIONS)};
	page_begin(page, &head);
	page_leaf(page, "h1", NULL, WORD_NAV_SUPPRESSIONS);
	page_leaf(page, "p", "hint", WORD_SUPPRESSIONS_HINT);
	if (page_may(page, ROLE_ANALYST))
		write_form(page, matchers);
	write_views(page, document, show);
	if (items && items->first)
		write_table(page, items);
	else
		page_leaf(page, "p", "empty", WORD_SUPPRESSIONS_EMPTY);
	if (next.size) {
		const struct page_pair pairs[] = {{"show", show}, {"after", next}};
		html_open(html, "nav", "pages");
		page_set(page, "aria-label", WORD_PAGES);
		html_open(html, "a", NULL);
		html_set_string(html, "rel", "next");
		html_set(html, "href", page_link(page, "/suppressions", pairs, 2));
		page_say(page, WORD_NEXT_PAGE);
		html_close(html);
		html_close(html);
	}
	page_end(page);
}

/* ---- one of them ---- */

static void fact(struct page *page, enum word word, struct text value)
{
	if (!value.size)
		return;
	page_leaf(page, "dt", NULL, word);
	html_open(&page->html, "dd", NULL);
	html_lines(&page->html, value);
	html_close(&page->html);
}

static void fact_time(
	struct page *page, enum word word, const struct node *item, const char *member)
{
	int64_t wall_ns = page_time_of(item, member);
	if (!wall_ns)
		return;
	page_leaf(page, "dt", NULL, word);
	html_open(&page->html, "dd", NULL);
	moment_write(page, wall_ns, MOMENT_FULL);
	html_close(&page->html);
}

static void write_hit(struct page *page, const struct node *hit)
{
	struct html *html = &page->html;
	const struct node *entity = tree_member(hit, "entity");
	struct text leaf = tree_member_text(hit, "first_leaf");
	html_open(html, "tr", NULL);
	html_open(html, "td", NULL);
	html_open(html, "a", NULL);
	html_setf(html, "href", "/alerts/%.*s", TEXT_ARG(leaf));
	html_clip(html, "span", NULL, tree_member_text(hit, "rule"), REASON_BYTES);
	html_close(html);
	html_close(html);
	table_text(page, hit, "sensor", NAME_BYTES);
	table_text(page, entity, "namespace", NAME_BYTES);
	table_text(page, entity, "pod", NAME_BYTES);
	table_text(page, entity, "node", NAME_BYTES);
	table_text(page, hit, "exe", NAME_BYTES);
	table_number(page, hit, "alerts");
	table_time(page, hit, "first_seen");
	table_time(page, hit, "last_seen");
	html_close(html);
}

static void write_hits(struct page *page, const struct node *hits)
{
	const struct node *items = tree_member(hits, "items");
	page_leaf(page, "h2", NULL, WORD_HIDDEN);
	if (!items || !items->first) {
		page_leaf(page, "p", "empty", WORD_HIDDEN_EMPTY);
		return;
	}
	table_open(page, "list", "hits", WORD_HIDDEN);
	table_head(page, NULL, WORD_COLUMN_RULE);
	table_head(page, NULL, WORD_COLUMN_SENSOR);
	table_head(page, NULL, WORD_PLACE_NAMESPACE);
	table_head(page, NULL, WORD_PLACE_POD);
	table_head(page, NULL, WORD_PLACE_NODE_NAME);
	table_head(page, NULL, WORD_KIND_PROCESS);
	table_head(page, "number", WORD_COLUMN_ALERTS);
	table_head(page, "number", WORD_COLUMN_FIRST);
	table_head(page, "number", WORD_COLUMN_LAST_SEEN);
	table_rows(page);
	for (const struct node *item = items->first; item; item = item->next)
		write_hit(page, item);
	table_close(page);
}

void page_suppression(struct page *page, const struct node *suppression, const struct node *hits)
{
	struct html *html = &page->html;
	const struct page_head head = {.name = "suppressions", .title = condition(suppression)};
	page_begin(page, &head);
	html_open(html, "header", "incident");
	html_open(html, "h1", NULL);
	html_clip(html, "code", NULL, condition(suppression), 200);
	html_close(html);
	html_open(html, "p", "facts");
	page_leaf(page, "b", NULL, state_word(suppression));
	write_notes(page, suppression);
	html_close(html);
	write_end_button(page, suppression);
	html_close(html);
	html_open(html, "dl", "fields");
	fact(page, WORD_COLUMN_REASON, tree_member_text(suppression, "reason"));
	fact(page, WORD_COLUMN_ACTOR, tree_member_text(suppression, "author"));
	fact(page, WORD_CREATED_BY, tree_member_text(suppression, "created_by"));
	fact_time(page, WORD_COLUMN_CREATED, suppression, "created");
	fact_time(page, WORD_COLUMN_STARTS, suppression, "starts");
	fact_time(page, WORD_COLUMN_ENDS, suppression, "ends");
	fact(page, WORD_ENDED_BY, tree_member_text(suppression, "expired_by"));
	fact_time(page, WORD_ENDED, suppression, "expired");
	fact(page, WORD_COLUMN_HID, tree_member_text(suppression, "hits"));
	fact(page, WORD_COLUMN_KINDS, tree_member_text(suppression, "kinds"));
	fact_time(page, WORD_COLUMN_LAST_HIT, suppression, "last_hit");
	html_close(html);
	write_hits(page, hits);
	page_end(page);
}
