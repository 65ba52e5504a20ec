/* SPDX-License-Identifier: Apache-2.0 */
#include "model/match.h"

/* Greedy: after a mismatch the last star takes one more byte. */
static bool wildcard_matches(struct text pattern, struct text text)
{
	size_t at = 0, p = 0, star = SIZE_MAX, resume = 0;
	while (at < text.size) {
		if (p < pattern.size && pattern.data[p] == MATCH_STAR) {
			star = p++;
			resume = at;
		} else if (p < pattern.size &&
			   text_lower(pattern.data[p]) == text_lower(text.data[at])) {
			p++;
			at++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			at = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.size && pattern.data[p] == MATCH_STAR)
		p++;
	return p == pattern.size;
}

bool match_has(const struct match *match, struct text text)
{
	switch (match->kind) {
	case MATCH_EXACT:
		return text_equal(match->text, text);
	case MATCH_WILDCARD:
		return wildcard_matches(match->text, text);
	case MATCH_REGEX:
		return text.size <= MATCH_REGEX_BYTES_MAX && regex_matches(match->regex, text);
	case MATCH_PRESENT:
		return text.size > 0;
	case MATCH_ABSENT:
		return text.size == 0;
	}
	return false;
}

bool match_has_any(const struct match *match, const struct text *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (match_has(match, texts[i]))
			return true;
	return n == 0 && match_has(match, TEXT_NONE);
}
