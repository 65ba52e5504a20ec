/* SPDX-License-Identifier: Apache-2.0 */
#include "model/attack.h"
#include "pages/badge.h"
#include "pages/incident.h"
#include "pages/moment.h"

/* The few events that make the story: one of each tactic, the worst first, then in order of time.
 */

enum {
	PRINTS_MAX = 512,
	SHOWN_MIN = 5,
	SHOWN_MAX = 7,
	RULE_BYTES = 60,
	EXAMPLE_BYTES = 110,
};

struct choice {
	const struct node *prints[PRINTS_MAX];
	bool chosen[PRINTS_MAX];
	size_t n, n_chosen;
};

static unsigned severity_of(const struct node *print)
{
	enum severity severity;
	return severity_parse(tree_member_text(print, "severity"), &severity) ? severity : 0;
}

static const struct node *rule_of(const struct node *incident, const struct node *print)
{
	const struct node *rules = tree_member(incident, "rules");
	struct text name = tree_member_text(print, "rule");
	for (const struct node *item = rules ? rules->first : NULL; item; item = item->next)
		if (text_equal(tree_member_text(item, "name"), name))
			return item;
	return NULL;
}

bool incident_has_tactic(const struct node *incident, const struct node *print, struct text id)
{
	const struct node *tactics = tree_member(rule_of(incident, print), "tactics");
	for (const struct node *item = tactics ? tactics->first : NULL; item; item = item->next)
		if (text_equal(item->value, id))
			return true;
	return false;
}

/* The worst that is not chosen yet, of @tactic (absent: any); n: none. */
static size_t worst(const struct choice *choice, const struct node *incident, struct text tactic)
{
	size_t best = choice->n;
	for (size_t i = 0; i < choice->n; i++) {
		if (choice->chosen[i] ||
			(tactic.size && !incident_has_tactic(incident, choice->prints[i], tactic)))
			continue;
		if (best == choice->n ||
			severity_of(choice->prints[i]) > severity_of(choice->prints[best]))
			best = i;
	}
	return best;
}

static bool choose(struct choice *choice, size_t at)
{
	if (at == choice->n || choice->n_chosen == SHOWN_MAX)
		return false;
	choice->chosen[at] = true;
	choice->n_chosen++;
	return true;
}

static void choose_all(struct choice *choice, const struct node *incident)
{
	const struct node *tactics = tree_member(incident, "tactics");
	for (const struct node *item = tactics ? tactics->first : NULL; item; item = item->next)
		choose(choice, worst(choice, incident, tree_member_text(item, "id")));
	for (;;) {
		size_t at = worst(choice, incident, TEXT_NONE);
		if (at == choice->n ||
			(choice->n_chosen >= SHOWN_MIN &&
				severity_of(choice->prints[at]) < SEVERITY_MEDIUM) ||
			!choose(choice, at))
			return;
	}
}

static void write_tactics(struct page *page, const struct node *incident, const struct node *print)
{
	struct html *html = &page->html;
	const struct node *tactics = tree_member(rule_of(incident, print), "tactics");
	html_open(html, "span", "tactic");
	for (const struct node *item = tactics ? tactics->first : NULL; item; item = item->next) {
		if (item != tactics->first)
			html_string(html, ", ");
		html_text(html, badge_tactic(page, tactic_parse(item->value)));
	}
	html_close(html);
}

static void write_event(
	struct page *page, const struct incident_data *data, const struct node *print)
{
	struct html *html = &page->html;
	struct text example = incident_example(data, tree_member_text(print, "fingerprint"));
	uint64_t n = page_u64(print, "alerts");
	html_open(html, "li", NULL);
	html_open(html, "div", NULL);
	moment_write(page, page_time_of(print, "first_seen"), MOMENT_CLOCK);
	html_string(html, " ");
	badge_severity(page, tree_member_text(print, "severity"));
	html_string(html, " ");
	html_clip(html, "span", "rule", tree_member_text(print, "rule"), RULE_BYTES);
	if (n > 1)
		html_leaf(html, "span", "note",
			arena_format(page->arena, " ×%llu", (unsigned long long)n));
	write_tactics(page, data->incident, print);
	html_close(html);
	html_open(html, "div", "what");
	incident_sentence(page, data, print);
	if (example.size) {
		html_string(html, " ");
		html_clip(html, "code", NULL, example, EXAMPLE_BYTES);
	}
	html_close(html);
	html_close(html);
}

void incident_decisive(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	const struct node *story = tree_member(data->incident, "story");
	struct choice *choice = arena_alloc(page->arena, sizeof *choice);
	if (!choice)
		return;
	for (const struct node *item = story ? story->first : NULL; item && choice->n < PRINTS_MAX;
		item = item->next)
		if (!tree_member(item, "context"))
			choice->prints[choice->n++] = item;
	choose_all(choice, data->incident);
	html_open(html, "ol", "events");
	for (size_t i = 0; i < choice->n; i++)
		if (choice->chosen[i])
			write_event(page, data, choice->prints[i]);
	html_close(html);
}

/* The tactics in the order in which they appeared. */
void incident_path(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	const struct node *tactics = tree_member(incident, "tactics");
	if (!tactics || !tactics->first)
		return;
	html_open(html, "ol", "path");
	page_set(page, "aria-label", WORD_PATH);
	for (const struct node *item = tactics->first; item; item = item->next) {
		int64_t seen_ns = page_time_of(item, "first_seen");
		html_open(html, "li", NULL);
		if (seen_ns)
			html_set(html, "title", moment_text(page, seen_ns, MOMENT_FULL));
		html_text(html, badge_tactic(page, (unsigned)page_u64(item, "rank")));
		html_close(html);
	}
	html_close(html);
}
