/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "model/attack.h"
#include "pages/badge.h"
#include "pages/coverage.h"
#include "pages/entity.h"
#include "pages/headline.h"
#include "pages/incident.h"
#include "pages/incidents.h"
#include "pages/moment.h"
#include "pages/picture.h"

/*
 * The first screen: is it real and how bad, where, still going, what happened, what was done, seen
 * before, and can the picture be trusted. One look, no scrolling.
 */

enum {
	SILENT_S = 600, /* a sensor that says nothing for so long may be dead */
	ACTIVITIES_SHOWN = 3,
	SIMILAR_SHOWN = 3,
	SENSORS_SHOWN = 3,
	NAME_BYTES = 60,
	TITLE_BYTES = 56,
};

static void ask(struct page *page, enum word word)
{
	page_leaf(page, "dt", NULL, word);
	html_open(&page->html, "dd", NULL);
}

static void answered(struct page *page)
{
	html_close(&page->html);
}

/* ---- how bad, and why ---- */

static const struct node *term(const struct node *incident, const char *name)
{
	const struct node *terms = tree_member(incident, "risk_terms");
	for (const struct node *item = terms ? terms->first : NULL; item; item = item->next)
		if (text_is(tree_member_text(item, "name"), name))
			return item;
	return NULL;
}

static const struct {
	const char *name, *sign;
	enum word word;
} terms[] = {
	{"strongest rule", "", WORD_TERM_STRONGEST},
	{"corroboration", "+", WORD_TERM_CORROBORATION},
	{"tactics", "×", WORD_TERM_TACTICS},
	{"criticality", "×", WORD_TERM_CRITICALITY},
	{"novelty", "×", WORD_TERM_NOVELTY},
};

/* A factor that changes nothing is told only to who asks for all. */
static bool is_one(const struct node *found)
{
	return text_is(tree_member_text(found, "value"), "1.0");
}

static void write_term(struct page *page, const struct node *incident, size_t i)
{
	struct html *html = &page->html;
	const struct node *found = term(incident, terms[i].name);
	html_string(html, " ");
	html_open(html, "span", "term");
	html_string(html, terms[i].sign);
	html_leaf(html, "b", NULL, tree_member_text(found, "value"));
	html_string(html, " ");
	page_say(page, terms[i].word);
	html_close(html);
}

/* A factor of one changes nothing. */
static enum word factor_word(struct text value, enum word more, enum word less, enum word same)
{
	if (text_is(value, "1.0"))
		return same;
	return text_starts(value, TEXT("0.")) ? less : more;
}

/* The reasons in the reader's language: the API's are in English. */
static void write_reason(struct page *page, const struct node *incident, size_t i)
{
	const struct node *found = term(incident, terms[i].name);
	struct text value = tree_member_text(found, "value");
	struct text rest = tree_member_text(found, "why"), count = TEXT_NONE;
	text_split(&rest, ' ', &count);
	switch (terms[i].word) {
	case WORD_TERM_STRONGEST:
		html_clip(&page->html, "span", NULL, tree_member_text(found, "why"), VALUE_BYTES);
		return;
	case WORD_TERM_CORROBORATION:
		page_fill(page, WORD_REASON_CORROBORATION, NULL, &count, 1);
		return;
	case WORD_TERM_TACTICS:
		page_fill(page, WORD_REASON_TACTICS, NULL, &count, 1);
		return;
	case WORD_TERM_CRITICALITY:
		page_say(page, factor_word(value, WORD_REASON_CRITICALITY, WORD_REASON_CRITICALITY,
				       WORD_REASON_PLAIN));
		return;
	default:
		page_say(page, factor_word(value, WORD_REASON_NEW, WORD_REASON_COMMON,
				       WORD_REASON_NEITHER));
	}
}

/* One line; opened, the reason of each term. */
static void write_why(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	struct text values[4] = {page_number(page, page_count(tree_member(incident, "tactics"))),
		page_number(page, page_count(tree_member(incident, "rules"))),
		page_number(page, page_count(tree_member(incident, "sensors"))),
		tree_member_text(term(incident, "strongest rule"), "why")};
	html_open(html, "details", "why");
	html_open(html, "summary", NULL);
	page_fill(page, WORD_WHY, "b", values, 4);
	for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
		if (term(incident, terms[i].name) && !is_one(term(incident, terms[i].name)))
			write_term(page, incident, i);
	html_close(html);
	html_open(html, "ul", NULL);
	for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
		if (!term(incident, terms[i].name))
			continue;
		html_open(html, "li", NULL);
		write_term(page, incident, i);
		html_string(html, " ");
		write_reason(page, incident, i);
		html_close(html);
	}
	html_close(html);
	html_close(html);
}

/* ---- where ---- */

/* @kind NULL: it has no page; @id NULL: its name. */
static void write_place(struct page *page, enum word word, const char *kind, struct text name,
	const struct text *id)
{
	struct html *html = &page->html;
	if (!name.size)
		return;
	struct text link =
		kind ? entity_link(page, text_of(kind), id ? *id : name, TEXT_NONE) : TEXT_NONE;
	html_open(html, "span", "pair");
	page_leaf(page, "i", NULL, word);
	html_string(html, " ");
	if (link.size) {
		html_open(html, "a", NULL);
		html_set(html, "href", link);
		html_clip_text(html, name, NAME_BYTES);
		html_close(html);
	} else {
		html_clip_text(html, name, NAME_BYTES);
	}
	html_close(html);
	html_string(html, " ");
}

/* "namespace/name"; absent where one of them is. */
static struct text in_namespace(
	const struct page *page, const struct node *entity, struct text name)
{
	struct text namespace = tree_member_text(entity, "namespace");
	if (!namespace.size || !name.size)
		return TEXT_NONE;
	return arena_format(page->arena, "%.*s/%.*s", TEXT_ARG(namespace), TEXT_ARG(name));
}

static void write_where(struct page *page, const struct node *incident)
{
	const struct node *entity = tree_member(incident, "entity");
	const struct node *workload = tree_member(entity, "workload");
	struct text name = tree_member_text(workload, "name");
	struct text pod = tree_member_text(entity, "pod");
	struct text ids[2] = {in_namespace(page, entity, name), in_namespace(page, entity, pod)};
	ask(page, WORD_ASK_WHERE);
	if (name.size)
		write_place(page, WORD_PLACE_WORKLOAD, "workload",
			arena_format(page->arena, "%.*s %.*s",
				TEXT_ARG(tree_member_text(workload, "kind")), TEXT_ARG(name)),
			&ids[0]);
	write_place(page, WORD_PLACE_NAMESPACE, "namespace", tree_member_text(entity, "namespace"),
		NULL);
	write_place(page, WORD_PLACE_POD, "pod", pod, &ids[1]);
	write_place(page, WORD_PLACE_CONTAINER_ID, "container",
		tree_member_text(entity, "container_id"), NULL);
	write_place(page, WORD_PLACE_NODE_NAME, "node", tree_member_text(entity, "node"), NULL);
	write_place(page, WORD_PLACE_CLUSTER_NAME, "cluster", tree_member_text(entity, "cluster"),
		NULL);
	if (!is_one(term(incident, "criticality")))
		write_place(page, WORD_PLACE_CRITICALITY, NULL,
			tree_member_text(term(incident, "criticality"), "value"), NULL);
	answered(page);
}

/* ---- still going ---- */

static void write_going(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	const struct node *incident = data->incident;
	int64_t last_ns = page_time_of(incident, "last_seen");
	int64_t first_ns = page_time_of(incident, "first_seen");
	bool is_going = page->now_ns - last_ns < STILL_S * NS_PER_S;
	struct text values[2] = {
		tree_member_text(incident, "alerts"), moment_span(page, last_ns - first_ns)};
	ask(page, WORD_ASK_GOING);
	page_leaf(page, "b", NULL, is_going ? WORD_GOING_YES : WORD_GOING_QUIET);
	html_string(html, " ");
	moment_write(page, last_ns, MOMENT_AGO);
	html_string(html, " ");
	html_open(html, "span", "note");
	page_fill(page, WORD_GOING_EXTENT, NULL, values, 2);
	if (text_is(tree_member_text(incident, "sealed"), "true"))
		page_say(page, WORD_GOING_SEALED);
	html_close(html);
	if (data->rate)
		picture_rate(page, data->rate);
	answered(page);
}

/* ---- what was done ---- */

static void write_done(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	const struct node *items = tree_member(data->activity, "items");
	size_t n = page_count(items), i = 0;
	struct text values[2] = {tree_member_text(data->incident, "alerts"),
		page_number(page, page_count(tree_member(data->incident, "sensors")))};
	ask(page, WORD_ASK_DONE);
	page_fill(page, WORD_DONE_GROUPED, NULL, values, 2);
	html_string(html, " ");
	page_leaf(page, "span", "note", WORD_DONE_NO_ACTION);
	for (const struct node *item = items ? items->first : NULL; item; item = item->next, i++) {
		if (i + ACTIVITIES_SHOWN < n)
			continue;
		html_open(html, "div", NULL);
		moment_write(page, page_time_of(item, "time"), MOMENT_CLOCK);
		html_string(html, " ");
		html_clip(html, "span", NULL, tree_member_text(item, "actor"), NAME_BYTES);
		html_string(html, " ");
		incident_activity_kind(page, tree_member_text(item, "kind"));
		html_close(html);
	}
	answered(page);
}

/* ---- seen before ---- */

void incident_likeness(struct page *page, const struct node *similar)
{
	struct text values[2] = {tree_member_text(similar, "rules_shared"),
		tree_member_text(similar, "rules_of_both")};
	if (text_is(tree_member_text(similar, "same_workload"), "true"))
		page_fill(page, WORD_SIMILAR_WORKLOAD, NULL, values, 2);
	else
		page_fill(page, WORD_SIMILAR_RULES, NULL, values, 2);
}

static void write_before(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	const struct node *items = tree_member(data->similar, "items");
	size_t n = 0;
	ask(page, WORD_ASK_BEFORE);
	if (!items || !items->first)
		page_leaf(page, "span", NULL, WORD_BEFORE_NEVER);
	for (const struct node *item = items ? items->first : NULL; item && n < SIMILAR_SHOWN;
		item = item->next, n++) {
		struct text number = tree_member_text(item, "number");
		struct text by = tree_member_text(item, "resolved_by");
		html_open(html, "div", NULL);
		html_open(html, "a", NULL);
		html_setf(html, "href", "/incidents/%.*s", TEXT_ARG(page_incident_number(number)));
		html_set(html, "title", headline(page, tree_member_text(item, "title")));
		html_text(html, number);
		html_close(html);
		html_string(html, " ");
		moment_write(page, page_time_of(item, "last_seen"), MOMENT_AGO);
		html_string(html, " ");
		badge_state(page, item);
		if (by.size) {
			html_string(html, " ");
			html_clip(html, "span", NULL, by, NAME_BYTES);
		}
		html_string(html, " ");
		html_open(html, "span", "note");
		incident_likeness(page, item);
		html_close(html);
		html_close(html);
	}
	answered(page);
}

/* ---- trust ---- */

static bool has_sensor(const struct node *incident, struct text sensor)
{
	const struct node *sensors = tree_member(incident, "sensors");
	for (const struct node *item = sensors ? sensors->first : NULL; item; item = item->next)
		if (text_equal(item->value, sensor))
			return true;
	return false;
}

/* Does this sender watch where it happened? One that names no node may watch any. */
static bool watches(const struct node *incident, const struct node *sender)
{
	const struct node *entity = tree_member(incident, "entity");
	struct text node = tree_member_text(sender, "node");
	struct text where = tree_member_text(entity, "node");
	return has_sensor(incident, tree_member_text(sender, "sensor")) &&
	       text_equal(
		       tree_member_text(sender, "cluster"), tree_member_text(entity, "cluster")) &&
	       (!node.size || !where.size || text_equal(node, where));
}

static void write_sender(struct page *page, const struct node *sender)
{
	struct html *html = &page->html;
	int64_t heard_ns = page_time_of(sender, "last_heard");
	bool is_silent = page->now_ns - heard_ns > SILENT_S * NS_PER_S;
	uint64_t lost = page_u64(sender, "events_dropped") + page_u64(sender, "alerts_dropped");
	struct text values[3] = {tree_member_text(sender, "sensor"),
		tree_member_text(sender, "node"), moment_span(page, page->now_ns - heard_ns)};
	if (!values[1].size)
		values[1] = page_word(page, WORD_ANY_NODE);
	html_open(html, "div", is_silent ? "warn" : NULL);
	page_fill(page, is_silent ? WORD_TRUST_SILENT : WORD_TRUST_HEARD, NULL, values, 3);
	if (lost) {
		struct text count = page_number(page, lost);
		html_string(html, " ");
		html_open(html, "b", "warn");
		page_fill(page, WORD_TRUST_DROPPED, NULL, &count, 1);
		html_close(html);
	}
	html_close(html);
}

static void write_doubt(
	struct page *page, const struct node *rate, const char *member, enum word word)
{
	uint64_t n = page_u64(rate, member);
	struct text value = page_number(page, n);
	if (!n)
		return;
	html_open(&page->html, "div", "warn");
	page_fill(page, word, NULL, &value, 1);
	html_close(&page->html);
}

static void write_trust(struct page *page, const struct incident_data *data)
{
	const struct node *senders = tree_member(data->sources, "items");
	size_t n = 0;
	ask(page, WORD_ASK_TRUST);
	for (const struct node *item = senders ? senders->first : NULL; item && n < SENSORS_SHOWN;
		item = item->next)
		if (watches(data->incident, item)) {
			write_sender(page, item);
			n++;
		}
	if (!coverage_doubts(page, data->incident) && n == 0)
		page_leaf(page, "div", "warn", WORD_TRUST_UNKNOWN);
	write_doubt(page, data->rate, "late", WORD_TRUST_LATE);
	write_doubt(page, data->rate, "time_untrusted", WORD_TRUST_UNTRUSTED);
	answered(page);
}

void incident_answers(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	write_why(page, data->incident);
	html_open(html, "div", "screen");
	html_open(html, "section", "happened");
	page_leaf(page, "h2", NULL, WORD_ASK_WHAT);
	incident_path(page, data->incident);
	incident_decisive(page, data);
	html_close(html);
	html_open(html, "dl", "answers");
	write_where(page, data->incident);
	write_going(page, data);
	write_done(page, data);
	write_before(page, data);
	write_trust(page, data);
	html_close(html);
	html_close(html);
}
