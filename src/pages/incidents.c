/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/incidents.h"

#include "base/clock.h"
#include "pages/badge.h"
#include "pages/decide.h"
#include "pages/groups.h"
#include "pages/headline.h"
#include "pages/moment.h"

enum {
	TITLE_BYTES = 88,
	CELL_TITLE_BYTES = 90,
	RULE_BYTES = 48,
	PLACE_BYTES = 44,
	NAME_BYTES = 20
};

/* The address of this list with one thing changed; a page number never stays. */
static struct text list_link(const struct page *page, const struct incident_filters *with)
{
	const struct page_pair pairs[] = {{"q", with->q}, {"severity", with->severity},
		{"cluster", with->cluster}, {"namespace", with->namespace}, {"pod", with->pod},
		{"node", with->node}, {"since", with->since}, {"sort", with->sort},
		{"rollup", with->rollup}, {"suppressed", with->suppressed}, {"limit", with->limit},
		{"after", with->after}, {"group", with->group}};
	return page_link(page, "/incidents", pairs, sizeof pairs / sizeof pairs[0]);
}

struct text incident_place(const struct page *page, const struct node *entity)
{
	const struct node *workload = tree_member(entity, "workload");
	struct text namespace = tree_member_text(entity, "namespace");
	struct text name = tree_member_text(workload, "name");
	if (!name.size)
		name = tree_member_text(entity, "pod");
	if (namespace.size && name.size)
		return arena_format(page->arena, "%.*s/%.*s", TEXT_ARG(namespace), TEXT_ARG(name));
	if (name.size)
		return name;
	struct text container = tree_member_text(entity, "container_id");
	struct text node = tree_member_text(entity, "node");
	struct text cluster = tree_member_text(entity, "cluster");
	const struct text values[2] = {container, node};
	if (container.size)
		return page_filled(page, WORD_PLACE_CONTAINER, values, 2);
	if (node.size)
		return page_filled(page, WORD_PLACE_NODE, &node, 1);
	return page_filled(page, WORD_PLACE_CLUSTER, &cluster, 1);
}

static void head_cell(struct page *page, const char *class, enum word word)
{
	html_open(&page->html, "th", class);
	html_set_string(&page->html, "scope", "col");
	page_say(page, word);
	html_close(&page->html);
}

/* A column by which one can sort. */
static void sort_cell(struct page *page, const struct incident_filters *filters, const char *class,
	const char *sort, enum word word)
{
	struct html *html = &page->html;
	bool is_sorted =
		filters && text_is(filters->sort.size ? filters->sort : TEXT("number"), sort);
	html_open(html, "th", class);
	html_set_string(html, "scope", "col");
	if (is_sorted)
		html_set_string(html, "aria-sort", "descending");
	if (filters && !is_sorted) {
		struct incident_filters with = *filters;
		with.sort = text_of(sort);
		with.after = TEXT_NONE;
		html_open(html, "a", NULL);
		html_set(html, "href", list_link(page, &with));
		page_say(page, word);
		html_close(html);
	} else {
		page_say(page, word);
	}
	html_close(html);
}

static void write_head(struct page *page, const struct incident_filters *filters)
{
	struct html *html = &page->html;
	html_open(html, "thead", NULL);
	html_open(html, "tr", NULL);
	sort_cell(page, filters, "risk", "risk", WORD_COLUMN_RISK);
	head_cell(page, NULL, WORD_COLUMN_SEVERITY);
	sort_cell(page, filters, NULL, "number", WORD_COLUMN_INCIDENT);
	head_cell(page, NULL, WORD_COLUMN_WHERE);
	head_cell(page, NULL, WORD_COLUMN_TACTICS);
	head_cell(page, "number", WORD_COLUMN_ALERTS);
	head_cell(page, NULL, WORD_COLUMN_SENSORS);
	head_cell(page, "number", WORD_COLUMN_LAST);
	head_cell(page, "number", WORD_COLUMN_AGE);
	head_cell(page, NULL, WORD_COLUMN_STATE);
	head_cell(page, NULL, WORD_COLUMN_ASSIGNEE);
	html_close(html);
	html_close(html);
}

/* The rule that says most, where the title does not name it. */
static void write_strongest(struct page *page, const struct node *incident)
{
	struct text rule = incident_strongest(incident);
	if (!rule.size || text_find(tree_member_text(incident, "title"), rule, 0) != SIZE_MAX)
		return;
	html_string(&page->html, " ");
	html_clip(&page->html, "small", NULL, rule, RULE_BYTES);
}

static void write_title(struct page *page, const struct node *incident, struct text place)
{
	struct html *html = &page->html;
	struct text number = tree_member_text(incident, "number");
	struct text redirected = tree_member_text(incident, "recurrence_of");
	uint64_t alike = page_u64(incident, "rolled_up");
	html_open(html, "td", "title");
	html_open(html, "a", NULL);
	html_setf(html, "href", "/incidents/%.*s", TEXT_ARG(page_incident_number(number)));
	html_leaf(html, "span", "id", number);
	html_string(html, " ");
	html_clip_text(html, headline_beside(page, tree_member_text(incident, "title"), place),
		TITLE_BYTES);
	html_close(html);
	write_strongest(page, incident);
	if (alike) {
		struct text value = page_number(page, alike);
		html_string(html, " ");
		html_open(html, "span", "note");
		page_fill(page, WORD_ROLLED_UP, NULL, &value, 1);
		html_close(html);
	}
	if (tree_member(incident, "suppressed_by")) {
		html_string(html, " ");
		page_leaf(page, "span", "note", WORD_SUPPRESSED);
	}
	if (redirected.size) {
		html_string(html, " ");
		html_open(html, "span", "note");
		page_fill(page, WORD_RECURRENCE_OF, NULL, &redirected, 1);
		html_close(html);
	}
	html_close(html);
}

static void write_sensors(struct page *page, const struct node *sensors)
{
	struct html *html = &page->html;
	html_open(html, "td", NULL);
	for (const struct node *item = sensors ? sensors->first : NULL; item; item = item->next) {
		if (item != sensors->first)
			html_string(html, " ");
		html_clip_text(html, item->value, NAME_BYTES);
	}
	html_close(html);
}

/* What still goes on stands out. */
static void time_cell(struct page *page, int64_t wall_ns, bool is_last)
{
	bool is_going = is_last && page->now_ns - wall_ns < STILL_S * NS_PER_S;
	html_open(&page->html, "td", is_going ? "number now" : "number");
	moment_write(page, wall_ns, MOMENT_AGO);
	html_close(&page->html);
}

struct text incident_strongest(const struct node *incident)
{
	const struct node *terms = tree_member(incident, "risk_terms");
	for (const struct node *item = terms ? terms->first : NULL; item; item = item->next)
		if (text_is(tree_member_text(item, "name"), "strongest rule"))
			return tree_member_text(item, "why");
	return TEXT_NONE;
}

void incident_is_row(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	struct text number = page_incident_number(tree_member_text(incident, "number"));
	html_setf(html, "id", "incident-%.*s", TEXT_ARG(number));
	html_set_flag(html, "data-row");
	html_set_string(html, "data-kind", "incident");
	html_set(html, "data-number", number);
	html_set(html, "data-revision", tree_member_text(incident, "revision"));
	html_set(html, "data-shown-state", tree_member_text(incident, "state"));
	html_set(html, "data-shown-assignee", tree_member_text(incident, "assignee"));
	html_set(html, "data-shown-severity", tree_member_text(incident, "severity"));
	html_set(html, "data-shown-alerts", tree_member_text(incident, "alerts"));
}

/* What the cells say is not said again: unpack.js writes the rest of the attributes. */
static void write_row(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	struct text number = page_incident_number(tree_member_text(incident, "number"));
	struct text place = incident_place(page, tree_member(incident, "entity"));
	html_open(html, "tr", NULL);
	html_setf(html, "id", "incident-%.*s", TEXT_ARG(number));
	html_set_flag(html, "data-row");
	html_set(html, "data-revision", tree_member_text(incident, "revision"));
	html_leaf(html, "td", "risk", tree_member_text(incident, "risk"));
	html_open(html, "td", NULL);
	badge_severity(page, tree_member_text(incident, "severity"));
	html_close(html);
	write_title(page, incident, place);
	html_clip(html, "td", "where", place, PLACE_BYTES);
	html_open(html, "td", NULL);
	badge_strip(page, tree_member(incident, "tactics"));
	html_close(html);
	html_leaf(html, "td", "number alerts", tree_member_text(incident, "alerts"));
	write_sensors(page, tree_member(incident, "sensors"));
	time_cell(page, page_time_of(incident, "last_seen"), true);
	time_cell(page, page_time_of(incident, "first_seen"), false);
	html_open(html, "td", NULL);
	badge_state(page, incident);
	html_close(html);
	struct text assignee = tree_member_text(incident, "assignee");
	html_clip(html, "td", assignee.size ? "assignee" : NULL, assignee, NAME_BYTES);
	html_close(html);
}

void incidents_table(
	struct page *page, const struct node *items, const struct incident_filters *filters)
{
	struct html *html = &page->html;
	html_open(html, "div", "scroll");
	html_open(html, "table", "list");
	html_set_string(html, "data-list", "incidents");
	page_leaf(page, "caption", "unseen", WORD_INCIDENTS_CAPTION);
	write_head(page, filters);
	html_open(html, "tbody", NULL);
	for (const struct node *item = items->first; item; item = item->next)
		write_row(page, item);
	html_close(html);
	html_close(html);
	html_close(html);
}

static void write_choice(struct page *page, struct text chosen, const char *value, enum word word)
{
	struct html *html = &page->html;
	html_open(html, "option", NULL);
	html_set_string(html, "value", value);
	if (text_is(chosen, value))
		html_set_flag(html, "selected");
	page_say(page, word);
	html_close(html);
}

static void open_select(struct page *page, const char *name, enum word label)
{
	struct html *html = &page->html;
	html_open(html, "label", NULL);
	page_leaf(page, "span", NULL, label);
	html_string(html, " ");
	html_open(html, "select", NULL);
	html_set_string(html, "name", name);
}

static void close_select(struct page *page)
{
	html_close(&page->html);
	html_close(&page->html);
}

static void hidden_field(struct page *page, const char *name, struct text value)
{
	if (!value.size)
		return;
	html_void(&page->html, "input", NULL);
	html_set_string(&page->html, "type", "hidden");
	html_set_string(&page->html, "name", name);
	html_set(&page->html, "value", value);
}

static void write_filters(struct page *page, const struct incident_filters *filters)
{
	struct html *html = &page->html;
	html_open(html, "form", "filters");
	html_set_string(html, "action", "/incidents");
	hidden_field(page, "q", filters->q);
	hidden_field(page, "cluster", filters->cluster);
	hidden_field(page, "namespace", filters->namespace);
	hidden_field(page, "pod", filters->pod);
	hidden_field(page, "node", filters->node);
	open_select(page, "severity", WORD_FILTER_SEVERITY);
	write_choice(page, filters->severity, "", WORD_FILTER_ANY);
	write_choice(page, filters->severity, "low", WORD_SEVERITY_LOW);
	write_choice(page, filters->severity, "medium", WORD_SEVERITY_MEDIUM);
	write_choice(page, filters->severity, "high", WORD_SEVERITY_HIGH);
	write_choice(page, filters->severity, "critical", WORD_SEVERITY_CRITICAL);
	close_select(page);
	open_select(page, "sort", WORD_FILTER_SORT);
	write_choice(page, filters->sort, "number", WORD_SORT_NUMBER);
	write_choice(page, filters->sort, "risk", WORD_SORT_RISK);
	close_select(page);
	open_select(page, "rollup", WORD_FILTER_ROLLUP);
	write_choice(page, filters->rollup, "true", WORD_ROLLUP_ON);
	write_choice(page, filters->rollup, "false", WORD_ROLLUP_OFF);
	close_select(page);
	open_select(page, "suppressed", WORD_FILTER_SUPPRESSED);
	write_choice(page, filters->suppressed, "", WORD_SUPPRESSED_NOT);
	write_choice(page, filters->suppressed, "any", WORD_SUPPRESSED_TOO);
	write_choice(page, filters->suppressed, "true", WORD_SUPPRESSED_ONLY);
	close_select(page);
	groups_choice(page, GROUPS_OF_INCIDENTS, filters->group);
	page_leaf(page, "button", NULL, WORD_APPLY);
	html_open(html, "a", NULL);
	html_set_string(html, "href", "/incidents");
	page_say(page, WORD_CLEAR);
	html_close(html);
	html_close(html);
}

static void write_next(
	struct page *page, const struct node *document, const struct incident_filters *filters)
{
	struct html *html = &page->html;
	struct text next = tree_member_text(document, "next");
	if (!next.size && !filters->after.size)
		return;
	html_open(html, "nav", "pages");
	page_set(page, "aria-label", WORD_PAGES);
	struct incident_filters with = *filters;
	if (filters->after.size) {
		with.after = TEXT_NONE;
		html_open(html, "a", NULL);
		html_set(html, "href", list_link(page, &with));
		page_say(page, WORD_FIRST_PAGE);
		html_close(html);
	}
	if (next.size) {
		with.after = next;
		html_open(html, "a", NULL);
		html_set_string(html, "rel", "next");
		html_set(html, "href", list_link(page, &with));
		page_say(page, WORD_NEXT_PAGE);
		html_close(html);
	}
	html_close(html);
}

/* The list of what one group counts. */
static struct text group_link(const struct page *page, struct text q, const void *ctx)
{
	struct incident_filters with = *(const struct incident_filters *)ctx;
	with.q = q;
	with.rollup = TEXT("false"); /* each is counted by itself */
	with.group = TEXT_NONE;
	with.after = TEXT_NONE;
	return list_link(page, &with);
}

void page_incidents(
	struct page *page, const struct node *document, const struct incident_filters *filters)
{
	struct html *html = &page->html;
	const struct node *items = tree_member(document, "items");
	const struct page_head head = {
		.name = "incidents", .title = page_word(page, WORD_NAV_INCIDENTS), .refresh_s = 60};
	page_begin(page, &head);
	html_open(html, "div", "bar");
	page_leaf(page, "h1", NULL, WORD_NAV_INCIDENTS);
	write_filters(page, filters);
	html_close(html);
	if (page_may(page, ROLE_ANALYST))
		decide_bulk_bar(page);
	if (items && items->first && filters->group.size)
		groups_table(page, document, group_link, filters);
	else if (items && items->first)
		incidents_table(page, items, filters);
	else
		page_leaf(page, "p", "empty", WORD_INCIDENTS_EMPTY);
	write_next(page, document, filters);
	decide_dialogs(page);
	page_end(page);
}

void incident_cells(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	struct text number = page_incident_number(tree_member_text(incident, "number"));
	html_leaf(html, "td", "risk", tree_member_text(incident, "risk"));
	html_open(html, "td", NULL);
	badge_severity(page, tree_member_text(incident, "severity"));
	html_close(html);
	html_open(html, "td", "title");
	html_open(html, "a", NULL);
	html_setf(html, "href", "/incidents/%.*s", TEXT_ARG(number));
	html_leaf(html, "span", "id", tree_member_text(incident, "number"));
	html_string(html, " ");
	html_clip_text(html, headline(page, tree_member_text(incident, "title")), CELL_TITLE_BYTES);
	html_close(html);
	html_close(html);
}
