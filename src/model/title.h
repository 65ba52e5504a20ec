/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An incident's name (correlation.md section 7): what happened, and where. A function of what the
 * incident adds up to, so it is the same whatever the order of its alerts.
 */

#include "model/incident.h"

/**
 * "Container escape attempt in shop/checkout", in @arena; absent without memory. Uses rules,
 * tactic_set, terminals, n_alerts, entity and workload. The headline is that of the furthest point
 * an intrusion got to; else the tactics that different rules show; else the strongest rule.
 */
struct text incident_title(const struct incident *incident, struct arena *arena);

/** The rule with the most points; of several, the one with the smallest name. NULL: none. */
const struct incident_rule *incident_top_rule(const struct incident *incident);
