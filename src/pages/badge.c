/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/badge.h"

#include "model/attack.h"

/* A lit cell of the strip: 5 wide, every 6; its height is the stroke's. Unlit ones are the ground.
 */
enum { CELL_STEP = 6, CELL_WIDTH = 5 };

struct named {
	const char *name;
	enum word word;
};

static const struct named severities[] = {
	{"critical", WORD_SEVERITY_CRITICAL},
	{"high", WORD_SEVERITY_HIGH},
	{"medium", WORD_SEVERITY_MEDIUM},
	{"low", WORD_SEVERITY_LOW},
	{"info", WORD_SEVERITY_INFO},
	{0},
};

static const struct named states[] = {
	{"new", WORD_STATE_NEW},
	{"acknowledged", WORD_STATE_ACKNOWLEDGED},
	{"investigating", WORD_STATE_INVESTIGATING},
	{"contained", WORD_STATE_CONTAINED},
	{"resolved", WORD_STATE_RESOLVED},
	{"closed", WORD_STATE_CLOSED},
	{0},
};

static const struct named verdicts[] = {
	{"true-positive", WORD_VERDICT_TRUE_POSITIVE},
	{"benign-expected", WORD_VERDICT_BENIGN_EXPECTED},
	{"false-positive", WORD_VERDICT_FALSE_POSITIVE},
	{"duplicate", WORD_VERDICT_DUPLICATE},
	{"test", WORD_VERDICT_TEST},
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

/* Its shape is the style sheet's: a list has a hundred of them. */
void badge_severity(struct page *page, struct text severity)
{
	struct html *html = &page->html;
	html_open(html, "b", NULL);
	if (find(severities, severity))
		html_set(html, "data-sev", severity);
	html_text(html, badge_severity_word(page, severity));
	html_close(html);
}

void badge_state(struct page *page, const struct node *incident)
{
	struct html *html = &page->html;
	struct text state = tree_member_text(incident, "state");
	struct text verdict = tree_member_text(incident, "verdict");
	html_open(html, "span", NULL);
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
			buf_addf(&lit, "M%d 6h%d", (int)(rank - 1) * CELL_STEP, CELL_WIDTH);
	}
	html_open(html, "svg", "strip");
	html_set_string(html, "role", "img");
	html_set(html, "aria-label", strip_label(page, tactics));
	html_open(html, "path", NULL);
	html_set(html, "d", buf_text(&lit));
	html_close(html);
	html_close(html);
	buf_done(&lit);
}
