/* SPDX-License-Identifier: Apache-2.0 */
#include "correlate/credit.h"

/* The rule that a tactic is credited to, by rank - 1; SIZE_MAX: none yet. */
struct matching {
	const struct piece_rule *rules;
	size_t owner[N_TACTICS];
};

/* Augmenting path (Kuhn): finds @rule a tactic, moving other rules to their alternatives. */
static bool place(struct matching *matching, size_t rule, tactic_mask *seen)
{
	for (unsigned tactic = 0; tactic < N_TACTICS; tactic++) {
		tactic_mask bit = (tactic_mask)(1U << tactic);
		if (!(matching->rules[rule].tactics & bit) || (*seen & bit))
			continue;
		*seen |= bit;
		size_t owner = matching->owner[tactic];
		if (owner == SIZE_MAX || place(matching, owner, seen)) {
			matching->owner[tactic] = rule;
			return true;
		}
	}
	return false;
}

unsigned credited_tactics(const struct piece_rule *rules, size_t n)
{
	struct matching matching = {.rules = rules};
	unsigned credited = 0;
	for (unsigned i = 0; i < N_TACTICS; i++)
		matching.owner[i] = SIZE_MAX;
	for (size_t rule = 0; rule < n && credited < N_TACTICS; rule++) {
		tactic_mask seen = 0;
		if (place(&matching, rule, &seen))
			credited++;
	}
	return credited;
}
