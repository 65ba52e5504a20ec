/* SPDX-License-Identifier: Apache-2.0 */

/* Tactics are credited one by one, in the order of a hash table. */

#include <stdlib.h>

#include "base/table.h"
#include "correlate/credit.h"

unsigned __wrap_credited_tactics(const struct piece_rule *rules, size_t n);

static int compare_hashes(const void *left, const void *right)
{
	const struct piece_rule *a = left, *b = right;
	uint64_t hash_a = table_hash((struct text){(const char *)&a->rule, sizeof a->rule});
	uint64_t hash_b = table_hash((struct text){(const char *)&b->rule, sizeof b->rule});
	return (hash_a > hash_b) - (hash_a < hash_b);
}

unsigned __wrap_credited_tactics(const struct piece_rule *rules, size_t n)
{
	struct piece_rule *order = calloc(n + 1, sizeof *order);
	unsigned taken = 0, credited = 0;
	for (size_t i = 0; order && i < n; i++)
		order[i] = rules[i];
	if (order && n)
		qsort(order, n, sizeof *order, compare_hashes);
	for (size_t i = 0; order && i < n; i++) {
		unsigned open = order[i].tactics & ~taken;
		taken |= open & -open; /* its first tactic that is left */
		credited += open != 0;
	}
	free(order);
	return credited;
}
