/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/headline.h"

#include "model/attack.h"
#include "pages/badge.h"

/* What is longer stays as it is: a sentence that is filled has a limit (page.c), and no list shows
 * so much. */
enum { TOLD_BYTES_MAX = 2048 };

/* Cuts the end of *head behind the last @mark off into *tail. false: no mark, both untouched. */
static bool cut_last(struct text *head, const char *mark, struct text *tail)
{
	struct text wanted = text_of(mark);
	for (size_t at = head->size; at-- > 0;)
		if (text_starts(text_part(*head, at, head->size), wanted)) {
			*tail = text_part(*head, at + wanted.size, head->size);
			*head = text_part(*head, 0, at);
			return true;
		}
	return false;
}

static bool has_space(struct text text)
{
	return text_find_byte(text, ' ', 0) != SIZE_MAX;
}

/* Where it is: the end of the title. Names of places have no spaces; what has is no place. */
static bool cut_place(struct text *head, enum word *word, struct text *place)
{
	static const struct {
		const char *mark;
		enum word word;
	} marks[] = {
		{" in pod ", WORD_TITLE_POD},
		{" in container ", WORD_TITLE_CONTAINER},
		{" in cluster ", WORD_TITLE_CLUSTER},
		{" on node ", WORD_TITLE_NODE},
		{" in ", WORD_TITLE_PLACE},
	};
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		struct text rest = *head, tail;
		if (!cut_last(&rest, marks[i].mark, &tail) || has_space(tail))
			continue;
		*head = rest;
		*place = tail;
		*word = marks[i].word;
		return true;
	}
	return false;
}

static const struct {
	const char *english;
	enum word word;
} ends[] = {
	{"Impact", WORD_TACTIC_15},
	{"Exfiltration", WORD_TACTIC_14},
	{"Command and control", WORD_TACTIC_13},
	{"Node credential access", WORD_TITLE_NODE_CREDENTIAL},
	{"Container escape attempt", WORD_TITLE_ESCAPE},
	{"Alerts", WORD_NAV_ALERTS},
};

/* "Impact", or "Impact: Rule". */
static bool say_end(const struct page *page, struct text what, struct text *out)
{
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct text name = text_of(ends[i].english);
		if (!text_starts(what, name))
			continue;
		struct text rest = text_part(what, name.size, what.size);
		struct text values[2] = {
			page_word(page, ends[i].word), text_part(rest, 2, rest.size)};
		if (rest.size && !text_starts(rest, TEXT(": ")))
			continue;
		*out = rest.size ? page_filled(page, WORD_TITLE_BY_RULE, values, 2) : values[0];
		return true;
	}
	return false;
}

/* 0: no tactic of that name */
static unsigned rank_of(struct text name)
{
	for (unsigned rank = 1; rank <= N_TACTICS; rank++)
		if (text_is(name, tactic_info(rank)->name))
			return rank;
	return 0;
}

/* "Execution, then Discovery" */
static bool say_tactics(const struct page *page, struct text what, struct text *out)
{
	struct text first = what, second;
	if (!cut_last(&first, ", then ", &second))
		return false;
	struct text values[2] = {
		badge_tactic(page, rank_of(first)), badge_tactic(page, rank_of(second))};
	if (!values[0].size || !values[1].size)
		return false;
	*out = page_filled(page, WORD_TITLE_THEN, values, 2);
	return true;
}

/* "Rule and 3 more rules" */
static bool say_rules(const struct page *page, struct text what, struct text *out)
{
	struct text first = what, rest, count;
	uint64_t n;
	if (!cut_last(&first, " and ", &rest) || !text_split(&rest, ' ', &count) ||
		!text_to_u64(count, &n) ||
		!(text_is(rest, "more rule") || text_is(rest, "more rules")))
		return false;
	struct text values[2] = {first, count};
	*out = page_filled(page, WORD_TITLE_RULES, values, 2);
	return true;
}

static struct text say_what(const struct page *page, struct text what)
{
	struct text said;
	bool is_ours = say_end(page, what, &said) || say_tactics(page, what, &said) ||
		       say_rules(page, what, &said);
	return is_ours ? said : what;
}

/* "Widespread: Rule in ns (12 pods)" */
static bool say_widespread(const struct page *page, struct text title, struct text *out)
{
	static const char start[] = "Widespread: ", end[] = " pods)";
	struct text values[3];
	if (!text_starts(title, text_of(start)) || title.size < sizeof start + sizeof end)
		return false;
	values[0] = text_part(title, sizeof start - 1, title.size);
	if (!text_equal(text_part(values[0], values[0].size - (sizeof end - 1), values[0].size),
		    text_of(end)))
		return false;
	values[0] = text_part(values[0], 0, values[0].size - (sizeof end - 1));
	if (!cut_last(&values[0], " (", &values[2]) || !cut_last(&values[0], " in ", &values[1]))
		return false;
	*out = page_filled(page, WORD_TITLE_WIDESPREAD, values, 3);
	return true;
}

struct text headline(const struct page *page, struct text title)
{
	struct text said, values[2] = {title};
	enum word word;
	if (page->reader->language == LANGUAGE_ENGLISH || title.size > TOLD_BYTES_MAX)
		return title;
	if (say_widespread(page, title, &said))
		return said;
	if (!cut_place(&values[0], &word, &values[1]))
		return title;
	values[0] = say_what(page, values[0]);
	return page_filled(page, word, values, 2);
}

struct text headline_beside(const struct page *page, struct text title, struct text place)
{
	struct text head = title, tail;
	if (!place.size || !cut_last(&head, " in ", &tail) || !text_equal(tail, place) ||
		!head.size)
		return headline(page, title);
	return page->reader->language == LANGUAGE_ENGLISH || head.size > TOLD_BYTES_MAX
		       ? head
		       : say_what(page, head);
}
