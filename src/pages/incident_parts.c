/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "model/attack.h"
#include "pages/alerts.h"
#include "pages/badge.h"
#include "pages/coverage.h"
#include "pages/entity.h"
#include "pages/headline.h"
#include "pages/incident.h"
#include "pages/incidents.h"
#include "pages/moment.h"
#include "pages/picture.h"
#include "pages/table.h"

/* The parts behind the first screen: tactics, entities, alerts, similar incidents. */

/* Gaps in the minute before an incident count: what led to it may be missing. */
enum { NAME_BYTES = 90, COVERAGE_BEFORE_S = 60 };

/* ---- tactics ---- */

static const struct technique_info *technique_of(struct text id)
{
	struct attack_tag tag = attack_tag_parse(id);
	return tag.technique ? technique_find(tag.technique) : NULL;
}

static tactic_mask tactics_of(const struct node *incident)
{
	const struct node *tactics = tree_member(incident, "tactics");
	tactic_mask mask = 0;
	for (const struct node *item = tactics ? tactics->first : NULL; item; item = item->next) {
		uint64_t rank = page_u64(item, "rank");
		if (rank >= 1 && rank <= N_TACTICS)
			mask |= (tactic_mask)(1U << (rank - 1));
	}
	return mask;
}

/* A technique stands under those of its tactics that the incident shows; else under all. */
static void write_techniques(
	struct page *page, const struct node *incident, unsigned rank, tactic_mask shown)
{
	struct html *html = &page->html;
	const struct node *techniques = tree_member(incident, "techniques");
	for (const struct node *item = techniques ? techniques->first : NULL; item;
		item = item->next) {
		const struct technique_info *info = technique_of(item->value);
		if (!info)
			continue;
		tactic_mask under = info->tactics;
		if (under & shown)
			under &= shown;
		if (!(under & 1U << (rank - 1)))
			continue;
		html_open(html, "div", NULL);
		html_leaf(html, "span", "id", item->value);
		html_string(html, " ");
		html_string(html, info->name);
		html_close(html);
	}
}

static void write_matrix(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	tactic_mask shown = tactics_of(incident);
	html_open(html, "div", "scroll");
	html_open(html, "table", "matrix");
	page_leaf(page, "caption", "unseen", WORD_MATRIX_CAPTION);
	html_open(html, "thead", NULL);
	html_open(html, "tr", NULL);
	for (unsigned rank = 1; rank <= N_TACTICS; rank++) {
		html_open(html, "th", shown & 1U << (rank - 1) ? "lit" : NULL);
		html_set_string(html, "scope", "col");
		html_text(html, badge_tactic(page, rank));
		html_close(html);
	}
	html_close(html);
	html_close(html);
	html_open(html, "tbody", NULL);
	html_open(html, "tr", NULL);
	for (unsigned rank = 1; rank <= N_TACTICS; rank++) {
		html_open(html, "td", NULL);
		write_techniques(page, incident, rank, shown);
		html_close(html);
	}
	html_close_to(html, html->depth - 4);
}

static void write_tactic_row(
	struct page *page, const struct node *incident, const struct node *tactic)
{
	struct html *html = &page->html;
	const struct node *rules = tree_member(incident, "rules");
	bool is_first = true;
	html_open(html, "tr", NULL);
	html_open(html, "td", NULL);
	html_text(html, badge_tactic(page, (unsigned)page_u64(tactic, "rank")));
	html_string(html, " ");
	html_leaf(html, "span", "id", tree_member_text(tactic, "id"));
	html_close(html);
	html_open(html, "td", NULL);
	moment_write(page, page_time_of(tactic, "first_seen"), MOMENT_FULL);
	html_close(html);
	html_open(html, "td", "wrap");
	for (const struct node *rule = rules ? rules->first : NULL; rule; rule = rule->next) {
		const struct node *ids = tree_member(rule, "tactics");
		for (const struct node *id = ids ? ids->first : NULL; id; id = id->next) {
			if (!text_equal(id->value, tree_member_text(tactic, "id")))
				continue;
			if (!is_first)
				html_string(html, "; ");
			is_first = false;
			html_clip(html, "span", NULL, tree_member_text(rule, "name"), NAME_BYTES);
		}
	}
	html_close(html);
	html_close(html);
}

static void write_tactics(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	const struct node *tactics = tree_member(data->incident, "tactics");
	if (!tactics || !tactics->first) {
		page_leaf(page, "p", "empty", WORD_TACTICS_EMPTY);
		return;
	}
	picture_lanes(page, data->incident);
	table_open(page, "list", NULL, WORD_PART_TACTICS);
	table_head(page, NULL, WORD_COLUMN_TACTIC);
	table_head(page, NULL, WORD_COLUMN_FIRST);
	table_head(page, NULL, WORD_COLUMN_RULES);
	table_rows(page);
	for (const struct node *item = tactics->first; item; item = item->next)
		write_tactic_row(page, data->incident, item);
	table_close(page);
	page_leaf(page, "h3", NULL, WORD_MATRIX);
	write_matrix(page, data->incident);
	struct text version = text_of(attack_version());
	html_open(html, "p", "note");
	page_fill(page, WORD_ATTACK_VERSION, NULL, &version, 1);
	html_close(html);
}

/* What may be missing, on the same time as the lanes. */
static void write_coverage(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	const struct node *items = tree_member(incident, "coverage");
	int64_t before_ns = COVERAGE_BEFORE_S * NS_PER_S;
	if (!items || !items->first)
		return;
	html_open(html, "h3", NULL);
	html_set_string(html, "id", "coverage");
	page_say(page, WORD_COVERAGE_OF_INCIDENT);
	html_close(html);
	coverage_write(page, items, page_time_of(incident, "first_seen") - before_ns,
		page_time_of(incident, "last_seen"));
}

void incident_tactics(struct page *page, const struct incident_data *data)
{
	write_tactics(page, data);
	write_coverage(page, data->incident);
}

/* ---- entities ---- */

static void write_entity(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	struct text kind = tree_member_text(item, "kind"), name = tree_member_text(item, "name");
	struct text link = entity_link(page, kind, name, TEXT_NONE);
	html_open(html, "tr", NULL);
	html_leaf(html, "td", "note", entity_kind_word(page, kind));
	html_open(html, "td", "wrap");
	if (link.size) {
		html_open(html, "a", NULL);
		html_set(html, "href", link);
	}
	html_clip_text(html, name, NAME_BYTES);
	if (link.size)
		html_close(html);
	html_close(html);
	html_open(html, "td", NULL);
	badge_severity(page, tree_member_text(item, "severity"));
	html_close(html);
	html_leaf(html, "td", "number", tree_member_text(item, "alerts"));
	html_open(html, "td", "number");
	moment_write(page, page_time_of(item, "first_seen"), MOMENT_CLOCK);
	html_close(html);
	html_open(html, "td", "number");
	moment_write(page, page_time_of(item, "last_seen"), MOMENT_CLOCK);
	html_close(html);
	html_close(html);
}

void incident_partial(struct page *page, const struct node *document)
{
	if (text_is(tree_member_text(document, "partial"), "true"))
		page_leaf(page, "p", "notice", WORD_PARTIAL);
}

void incident_entities(struct page *page, const struct incident_data *data)
{
	const struct node *items = tree_member(data->entities, "items");
	incident_partial(page, data->entities);
	picture_graph(page, data->entities);
	table_open(page, "list", NULL, WORD_PART_ENTITIES);
	table_head(page, NULL, WORD_COLUMN_KIND);
	table_head(page, NULL, WORD_COLUMN_NAME);
	table_head(page, NULL, WORD_COLUMN_SEVERITY);
	table_head(page, "number", WORD_COLUMN_ALERTS);
	table_head(page, "number", WORD_COLUMN_FIRST);
	table_head(page, "number", WORD_COLUMN_LAST_SEEN);
	table_rows(page);
	for (size_t i = 0; entity_kind(i); i++)
		for (const struct node *item = items ? items->first : NULL; item; item = item->next)
			if (text_is(tree_member_text(item, "kind"), entity_kind(i)))
				write_entity(page, item);
	table_close(page);
}

/* ---- alerts ---- */

void incident_alerts(struct page *page, const struct incident_data *data)
{
	const struct node *items = tree_member(data->alerts, "items");
	struct text next = tree_member_text(data->alerts, "next");
	if (items && items->first)
		alerts_table(page, items);
	else
		page_leaf(page, "p", "empty", WORD_ALERTS_EMPTY);
	if (!next.size)
		return;
	const struct page_pair pair = {"after", next};
	const char *path = arena_string(page->arena, page->path);
	html_open(&page->html, "nav", "pages");
	page_set(page, "aria-label", WORD_PAGES);
	html_open(&page->html, "a", NULL);
	html_set_string(&page->html, "rel", "next");
	html_set(&page->html, "href", page_link(page, path ? path : "", &pair, 1));
	page_say(page, WORD_NEXT_PAGE);
	html_close(&page->html);
	html_close(&page->html);
}

/* ---- similar ---- */

static void write_similar(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	struct text number = page_incident_number(tree_member_text(item, "number"));
	html_open(html, "tr", NULL);
	html_set_flag(html, "data-row");
	html_set_string(html, "data-kind", "incident");
	html_set(html, "data-number", number);
	html_setf(html, "data-href", "/incidents/%.*s", TEXT_ARG(number));
	incident_cells(page, item);
	html_open(html, "td", NULL);
	incident_likeness(page, item);
	html_close(html);
	html_open(html, "td", NULL);
	badge_state(page, item);
	html_close(html);
	html_clip(html, "td", NULL, tree_member_text(item, "resolved_by"), 40);
	html_open(html, "td", "number");
	moment_write(page, page_time_of(item, "last_seen"), MOMENT_AGO);
	html_close(html);
	html_close(html);
}

void incident_similar(struct page *page, const struct incident_data *data)
{
	const struct node *items = tree_member(data->similar, "items");
	if (!items || !items->first) {
		page_leaf(page, "p", "empty", WORD_BEFORE_NEVER);
		return;
	}
	table_open(page, "list", "similar", WORD_PART_SIMILAR);
	table_head(page, "risk", WORD_COLUMN_RISK);
	table_head(page, NULL, WORD_COLUMN_SEVERITY);
	table_head(page, NULL, WORD_COLUMN_INCIDENT);
	table_head(page, NULL, WORD_COLUMN_LIKENESS);
	table_head(page, NULL, WORD_COLUMN_STATE);
	table_head(page, NULL, WORD_COLUMN_RESOLVED_BY);
	table_head(page, "number", WORD_COLUMN_LAST);
	table_rows(page);
	for (const struct node *item = items->first; item; item = item->next)
		write_similar(page, item);
	table_close(page);
}
