/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much an entity matters to its owners (correlation.md section 6): patterns from the settings,
 * by level; the strongest that matches wins.
 */

#include "base/err.h"
#include "base/text.h"

/* Hundredths: what the odds are multiplied by. */
enum criticality {
	CRITICALITY_LOW = 50,
	CRITICALITY_NORMAL = 100,
	CRITICALITY_HIGH = 150,
	CRITICALITY_EXTREME = 200
};

struct criticality_rule {
	/* "CLUSTER/NAMESPACE/POD", or an entity's key ("pod:CLUSTER/UID", "node:CLUSTER/NODE"); '*'
	 * stands for any bytes. */
	struct text pattern;
	enum criticality level;
};

struct criticality_rules {
	const struct criticality_rule *items;
	size_t n;
};

enum { CRITICALITY_RULES_MAX = 256 };

/**
 * Adds the patterns of @list, separated by commas, to the rules at @items (room for
 * CRITICALITY_RULES_MAX). Patterns point into @list. ERR_LIMIT.
 */
CHECKED int criticality_add(struct criticality_rule *items, size_t *n, struct text list,
	enum criticality level, struct err *err);

/**
 * The level of one name: a key as correlate/identity.h makes them, without what an unlink adds. 0:
 * no rule matches.
 */
unsigned criticality_of(const struct criticality_rules *rules, struct text key);
