/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/badge.h"

#include "model/attack.h"

/* A cell of the strip: 5 wide and 12 high, every 6. */
enum { CELL_STEP = 6, CELL_WIDTH = 5, STRIP_HEIGHT = 12 };

struct named {
	const char *name, *shape;
	enum word word;
};

static const struct named severities[] = {
	{"critical", "◆", WORD_SEVERITY_CRITICAL},
	{"high", "▲", WORD_SEVERITY_HIGH},
	{"medium", "■", WORD_SEVERITY_MEDIUM},
	{"low", "●", WORD_SEVERITY_LOW},
	{"info", "○", WORD_SEVERITY_INFO},
	{0},
};

static const struct named states[] = {
	{"new", NULL, WORD_STATE_NEW},
	{"acknowledged", NULL, WORD_STATE_ACKNOWLEDGED},
	{"investigating", NULL, WORD_STATE_INVESTIGATING},
	{"contained", NULL, WORD_STATE_CONTAINED},
	{"resolved", NULL, WORD_STATE_RESOLVED},
	{"closed", NULL, WORD_STATE_CLOSED},
	{0},
};

static const struct named verdicts[] = {
	{"true-positive", NULL, WORD_VERDICT_TRUE_POSITIVE},
	{"benign-expected", NULL, WORD_VERDICT_BENIGN_EXPECTED},
	{"false-positive", NULL, WORD_VERDICT_FALSE_POSITIVE},
	{"duplicate", NULL, WORD_VERDICT_DUPLICATE},
	{"test", NULL, WORD_VERDICT_TEST},
	{0},
};

static const struct named *find(const struct named *table, struct text name)
{
	for (; table->name; table++)
		if (text_is(name, table->name))
			return table;
	return NULL;
}

static struct text word_of(const struct page *page, const struct named *table, struct text name)
{
	const struct named *found = find(table, name);
	return found ? page_word(page, found->word) : name;
}

struct text badge_severity_word(const struct page *page, struct text severity)
{
	return word_of(page, severities, severity);
}

struct text badge_state_word(const struct page *page, struct text state)
{
	return word_of(page, states, state);
}

struct text badge_verdict_word(const struct page *page, struct text verdict)
{
	return word_of(page, verdicts, verdict);
}

void badge_severity(struct page *page, struct text severity)
{
	const struct named *found = find(severities, severity);
	struct html *html = &page->html;
	html_open(html, "span", "sev");
	if (found) {
		html_set_string(html, "data-sev", found->name);
		html_open(html, "i", NULL);
		html_set_string(html, "aria-hidden", "true");
		html_string(html, found->shape);
		html_close(html);
		html_string(html, " ");
	}
	html_text(html, badge_severity_word(page, severity));
	html_close(html);
}

void badge_state(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	struct text state = tree_member_text(incident, "state");
	struct text verdict = tree_member_text(incident, "verdict");
	html_open(html, "span", "state");
	html_set(html, "data-state", state);
	html_text(html, badge_state_word(page, state));
	html_close(html);
	if (verdict.size) {
		html_string(html, " ");
		html_leaf(html, "span", "verdict", badge_verdict_word(page, verdict));
	}
}

struct text badge_tactic(const struct page *page, unsigned rank)
{
	static const enum word words[N_TACTICS] = {WORD_TACTIC_1, WORD_TACTIC_2, WORD_TACTIC_3,
		WORD_TACTIC_4, WORD_TACTIC_5, WORD_TACTIC_6, WORD_TACTIC_7, WORD_TACTIC_8,
		WORD_TACTIC_9, WORD_TACTIC_10, WORD_TACTIC_11, WORD_TACTIC_12, WORD_TACTIC_13,
		WORD_TACTIC_14, WORD_TACTIC_15};
	return rank >= 1 && rank <= N_TACTICS ? page_word(page, words[rank - 1]) : TEXT_NONE;
}

void badge_strip_definition(struct page *page)
{
	struct buf cells;
	struct html *html = &page->html;
	buf_init(&cells, 1024);
	for (int i = 0; i < N_TACTICS; i++)
		buf_addf(&cells, "M%d 0h%dv%dh-%dz", i * CELL_STEP, CELL_WIDTH, STRIP_HEIGHT,
			CELL_WIDTH);
	html_open(html, "svg", "defs");
	html_set_string(html, "aria-hidden", "true");
	html_set_string(html, "width", "0");
	html_set_string(html, "height", "0");
	html_open(html, "path", NULL);
	html_set_string(html, "id", "strip");
	html_set(html, "d", buf_text(&cells));
	html_close(html);
	html_close(html);
	buf_done(&cells);
}

/* The names, in the order they have there. */
static struct text strip_label(const struct page *page, const struct node *tactics)
{
	struct buf out;
	buf_init(&out, 2048);
	for (const struct node *item = tactics->first; item; item = item->next) {
		if (out.size)
			buf_add(&out, page_word(page, WORD_LIST_SEPARATOR));
		buf_add(&out, badge_tactic(page, (unsigned)page_u64(item, "rank")));
	}
	struct text label = arena_copy(page->arena, buf_text(&out));
	buf_done(&out);
	return label;
}

void badge_strip(struct page *page, const struct node *tactics)
{
	struct html *html = &page->html;
	struct buf lit;
	if (!tactics || !tactics->first) {
		page_leaf(page, "span", "none", WORD_TACTICS_NONE);
		return;
	}
	buf_init(&lit, 1024);
	for (const struct node *item = tactics->first; item; item = item->next) {
		uint64_t rank = page_u64(item, "rank");
		if (rank >= 1 && rank <= N_TACTICS)
			buf_addf(&lit, "M%d 0h%dv%dh-%dz", (int)(rank - 1) * CELL_STEP, CELL_WIDTH,
				STRIP_HEIGHT, CELL_WIDTH);
	}
	html_open(html, "svg", "strip");
	html_set_string(html, "role", "img");
	html_set(html, "aria-label", strip_label(page, tactics));
	html_open(html, "use", NULL);
	html_set_string(html, "href", "#strip");
	html_close(html);
	html_open(html, "path", NULL);
	html_set(html, "d", buf_text(&lit));
	html_close(html);
	html_close(html);
	buf_done(&lit);
}
