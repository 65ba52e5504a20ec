/* SPDX-License-Identifier: Apache-2.0 */
#include "model/piece.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

void piece_sums_done(struct piece_sums *sums)
{
	free(sums->rules);
	*sums = (struct piece_sums){0};
}

struct piece_rule *piece_sums_rule(struct piece_sums *sums, int64_t rule)
{
	size_t low = 0, high = sums->n_rules;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (sums->rules[middle].rule < rule)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < sums->n_rules && sums->rules[low].rule == rule)
		return &sums->rules[low];
	if (sums->n_rules == sums->rules_capacity) {
		size_t capacity = sums->rules_capacity ? sums->rules_capacity * 2 : 8;
		struct piece_rule *rules = reallocarray(sums->rules, capacity, sizeof *rules);
		if (!rules)
			return NULL;
		sums->rules = rules;
		sums->rules_capacity = capacity;
	}
	memmove(sums->rules + low + 1, sums->rules + low,
		(sums->n_rules - low) * sizeof *sums->rules);
	sums->n_rules++;
	sums->rules[low] = (struct piece_rule){.rule = rule};
	return &sums->rules[low];
}

static bool sums_equal(const struct piece_sums *a, const struct piece_sums *b)
{
	if (a->n != b->n || a->mark != b->mark || a->severity != b->severity ||
		a->sensors != b->sensors || a->terminals != b->terminals ||
		a->n_rules != b->n_rules)
		return false;
	for (size_t i = 0; i < a->n_rules; i++)
		if (a->rules[i].rule != b->rules[i].rule ||
			a->rules[i].points != b->rules[i].points ||
			a->rules[i].tactics != b->rules[i].tactics)
			return false;
	return true;
}

static bool extents_equal(const struct piece *a, const struct piece *b)
{
	return a->key == b->key && a->first_slot == b->first_slot && a->last_slot == b->last_slot &&
	       a->lo_ns == b->lo_ns && a->hi_ns == b->hi_ns;
}

static bool scores_equal(const struct piece *a, const struct piece *b)
{
	return a->base_milli == b->base_milli && a->risk_milli == b->risk_milli &&
	       a->tactics == b->tactics && a->credited == b->credited &&
	       a->criticality == b->criticality && a->novelty == b->novelty;
}

bool piece_equal(const struct piece *a, const struct piece *b)
{
	return extents_equal(a, b) && scores_equal(a, b) && a->rollup == b->rollup &&
	       sums_equal(&a->sums, &b->sums);
}

void piece_rules_write(const struct piece_sums *sums, struct buf *out)
{
	for (size_t i = 0; i < sums->n_rules; i++) {
		buf_add_varint(out, (uint64_t)sums->rules[i].rule);
		buf_add_varint(out, sums->rules[i].points);
		buf_add_varint(out, sums->rules[i].tactics);
	}
}

bool piece_rules_read(struct piece_sums *sums, struct text stored)
{
	struct cursor cursor = cursor_of(stored);
	while (cursor_left(&cursor)) {
		struct piece_rule *rule = piece_sums_rule(sums, (int64_t)cursor_varint(&cursor));
		if (!rule)
			return false;
		rule->points = (unsigned)cursor_varint(&cursor);
		rule->tactics = (tactic_mask)cursor_varint(&cursor);
	}
	return !cursor.failed;
}
