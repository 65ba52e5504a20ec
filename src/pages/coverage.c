/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/coverage.h"

#include "pages/badge.h"
#include "pages/moment.h"
#include "pages/table.h"

enum { ROWS_SHOWN = 50, SHED_SHOWN = 12, DOUBTS_SHOWN = 3, NAME_BYTES = 48, RULE_BYTES = 96 };

/* Worst first: that is the order in which they are told. */
static const struct {
	const char *name;
	enum word word;
} states[] = {
	{"dropping", WORD_COVERAGE_DROPPING},
	{"shed", WORD_COVERAGE_SHED},
	{"throttled", WORD_COVERAGE_THROTTLED},
	{"silent", WORD_COVERAGE_SILENT},
	{"connected", WORD_COVERAGE_CONNECTED},
};

enum { N_STATES = sizeof states / sizeof states[0], N_GAPS = N_STATES - 1 };

struct text coverage_state_word(const struct page *page, struct text state)
{
	for (size_t i = 0; i < N_STATES; i++)
		if (text_is(state, states[i].name))
			return page_word(page, states[i].word);
	return state;
}

/* ---- the table ---- */

static void write_row(struct page *page, const struct node *item, bool is_gap)
{
	struct html *html = &page->html;
	int64_t until_ns = page_time_of(item, "until");
	html_open(html, "tr", NULL);
	html_leaf(html, "td", is_gap ? "warn" : NULL,
		coverage_state_word(page, tree_member_text(item, "state")));
	table_text(page, item, "sensor", NAME_BYTES);
	table_text(page, item, "cluster", NAME_BYTES);
	table_text(page, item, "node", NAME_BYTES);
	html_open(html, "td", "number");
	moment_write(page, page_time_of(item, "from"), MOMENT_FULL);
	html_close(html);
	html_open(html, "td", "number");
	if (until_ns)
		moment_write(page, until_ns, MOMENT_FULL);
	else
		page_say(page, WORD_COVERAGE_GOES_ON);
	html_close(html);
	html_open(html, "td", "number");
	/* not known is not none */
	if (is_gap)
		html_text(html, tree_member(item, "n") ? tree_member_text(item, "n") : TEXT("?"));
	html_close(html);
	html_close(html);
}

static void write_table(struct page *page, const struct node *items)
{
	size_t n = page_count(items), shown = 0;
	table_open(page, "list", "coverage", WORD_COVERAGE_CAPTION);
	table_head(page, NULL, WORD_COLUMN_STATE);
	table_head(page, NULL, WORD_COLUMN_SENSOR);
	table_head(page, NULL, WORD_PLACE_CLUSTER_NAME);
	table_head(page, NULL, WORD_PLACE_NODE_NAME);
	table_head(page, "number", WORD_COLUMN_FROM);
	table_head(page, "number", WORD_COLUMN_UNTIL);
	table_head(page, "number", WORD_COLUMN_LOST);
	table_rows(page);
	for (size_t i = 0; i < N_STATES; i++)
		for (const struct node *item = items->first; item && shown < ROWS_SHOWN;
			item = item->next)
			if (text_is(tree_member_text(item, "state"), states[i].name)) {
				write_row(page, item, i < N_GAPS);
				shown++;
			}
	table_close(page);
	table_rest(page, shown, n);
}

void coverage_write(struct page *page, const struct node *items, int64_t from_ns, int64_t to_ns)
{
	if (!items || !items->first) {
		page_leaf(page, "p", "empty", WORD_COVERAGE_EMPTY);
		return;
	}
	picture_coverage(page, items, from_ns, to_ns);
	write_table(page, items);
}

/* ---- what was shed ---- */

static void write_shed(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	struct text rule = tree_member_text(item, "rule");
	html_open(html, "tr", NULL);
	table_text(page, item, "cluster", NAME_BYTES);
	table_text(page, item, "node", NAME_BYTES);
	table_text(page, item, "source", NAME_BYTES);
	html_leaf(html, "td", NULL, badge_severity_word(page, tree_member_text(item, "severity")));
	html_clip(
		html, "td", NULL, rule.size ? rule : page_word(page, WORD_SHED_RULES), RULE_BYTES);
	html_open(html, "td", "number");
	moment_write(page, page_time_of(item, "from"), MOMENT_FULL);
	html_close(html);
	html_open(html, "td", "number");
	moment_write(page, page_time_of(item, "until"), MOMENT_FULL);
	html_close(html);
	html_leaf(html, "td", "number warn", tree_member_text(item, "n"));
	table_number(page, item, "bytes");
	html_close(html);
}

void coverage_write_shed(struct page *page, const struct node *coverage)
{
	const struct node *items = tree_member(coverage, "shed");
	size_t shown = 0;
	if (!items || !items->first)
		return;
	page_leaf(page, "h2", NULL, WORD_SHED);
	table_open(page, "list", "shed", WORD_SHED);
	table_head(page, NULL, WORD_PLACE_CLUSTER_NAME);
	table_head(page, NULL, WORD_PLACE_NODE_NAME);
	table_head(page, NULL, WORD_COLUMN_SOURCE);
	table_head(page, NULL, WORD_COLUMN_SEVERITY);
	table_head(page, NULL, WORD_COLUMN_RULE);
	table_head(page, "number", WORD_COLUMN_FROM);
	table_head(page, "number", WORD_COLUMN_UNTIL);
	table_head(page, "number", WORD_COLUMN_ALERTS);
	table_head(page, "number", WORD_COLUMN_BYTES);
	table_rows(page);
	for (const struct node *item = items->first; item && shown < SHED_SHOWN;
		item = item->next, shown++)
		write_shed(page, item);
	table_close(page);
	table_rest(page, shown, page_count(items));
}

/* ---- what an incident may lack ---- */

static void write_doubt(struct page *page, const struct node *item)
{
	int64_t until_ns = page_time_of(item, "until");
	struct text values[6] = {tree_member_text(item, "sensor"), tree_member_text(item, "node"),
		coverage_state_word(page, tree_member_text(item, "state")),
		moment_text(page, page_time_of(item, "from"), MOMENT_CLOCK),
		until_ns ? moment_text(page, until_ns, MOMENT_CLOCK)
			 : page_word(page, WORD_COVERAGE_GOES_ON),
		tree_member_text(item, "n")};
	if (!values[1].size)
		values[1] = page_word(page, WORD_ANY_NODE);
	html_open(&page->html, "div", "warn");
	page_fill(page, values[5].size ? WORD_COVERAGE_DOUBT_LOST : WORD_COVERAGE_DOUBT, NULL,
		values, 6);
	html_close(&page->html);
}

static bool write_unheard(struct page *page, const struct node *incident)
{
	const struct node *nodes = tree_member(incident, "not_yet_heard");
	size_t n = page_count(nodes);
	if (!n)
		return false;
	struct text values[2] = {page_number(page, n), nodes->first->value};
	html_open(&page->html, "div", "warn");
	if (n == 1)
		page_fill(page, WORD_COVERAGE_UNHEARD_ONE, NULL, &values[1], 1);
	else
		page_fill(page, WORD_COVERAGE_UNHEARD, NULL, values, 2);
	html_close(&page->html);
	return true;
}

bool coverage_doubts(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	const struct node *items = tree_member(incident, "coverage");
	size_t n = page_count(items), shown = 0;
	for (size_t i = 0; i < N_GAPS; i++)
		for (const struct node *item = items ? items->first : NULL;
			item && shown < DOUBTS_SHOWN; item = item->next)
			if (text_is(tree_member_text(item, "state"), states[i].name)) {
				write_doubt(page, item);
				shown++;
			}
	bool is_unheard = write_unheard(page, incident);
	if (n > 0) {
		struct text count = page_number(page, n);
		html_open(html, "a", NULL);
		html_setf(html, "href", "/incidents/%.*s/tactics#coverage",
			TEXT_ARG(page_incident_number(tree_member_text(incident, "number"))));
		page_fill(page, WORD_COVERAGE_ALL, NULL, &count, 1);
		html_close(html);
	}
	return shown > 0 || is_unheard;
}
