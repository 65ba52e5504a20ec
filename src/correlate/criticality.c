/* SPDX-License-Identifier: Apache-2.0 */
#include "correlate/criticality.h"

/* '*' matches any bytes; goes back to the last star only, so it is linear in practice and at worst
 * pattern times text. */
static bool pattern_fits(struct text pattern, struct text text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
	while (t < text.size) {
		if (p < pattern.size && pattern.data[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.size && pattern.data[p] == text.data[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.size && pattern.data[p] == '*')
		p++;
	return p == pattern.size;
}

static bool matches(struct text pattern, struct text key)
{
	static const struct text name = {"podname:", 8};
	if (text_find_byte(pattern, ':', 0) != SIZE_MAX)
		return pattern_fits(pattern, key);
	return text_starts(key, name) && pattern_fits(pattern, text_part(key, name.size, key.size));
}

unsigned criticality_of(const struct criticality_rules *rules, struct text key)
{
	unsigned strongest = 0;
	for (size_t i = 0; i < rules->n; i++)
		if (rules->items[i].level > strongest && matches(rules->items[i].pattern, key))
			strongest = rules->items[i].level;
	return strongest;
}

int criticality_add(struct criticality_rule *items, size_t *n, struct text list,
	enum criticality level, struct err *err)
{
	struct text pattern;
	while (text_split(&list, ',', &pattern)) {
		pattern = text_trim(pattern);
		if (!pattern.size)
			continue;
		if (*n == CRITICALITY_RULES_MAX)
			return err_set(err, ERR_LIMIT,
				"criticality: more than %d patterns; join some with '*'",
				CRITICALITY_RULES_MAX);
		items[(*n)++] = (struct criticality_rule){pattern, level};
	}
	return 0;
}
