/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Does it match? What a query means is said here; SQL (store/query_sql.h) only leaves out what this
 * would refuse anyway. Pure; as bounded as query and texts are.
 */

#include "model/alert.h"
#include "model/incident.h"
#include "model/print_group.h"
#include "model/query.h"

/** @incident: the alert's; 0: none. The query must be of alerts. */
bool query_has_alert(const struct query *query, const struct alert *alert, uint64_t incident);

/** The incident must be as lists have it; where query_needs_story says so, read whole. */
bool query_has_incident(const struct query *query, const struct incident *incident);

/** The query must be of fingerprints. */
bool query_has_print(const struct query *query, const struct print_group *group);

/** Does any of its terms ask for the field? */
bool query_asks_for(const struct query *query, enum query_field_id field);

/** Does it ask for what only incidents that were read whole have (fingerprints, techniques)? */
bool query_needs_story(const struct query *query);

/** Does it ask what must be judged first: is the incident suppressed? */
bool query_needs_judgement(const struct query *query);

/** Does it ask which incident an alert is part of? */
bool query_needs_incident(const struct query *query);

/**
 * Narrows [*low, *high] to what every match must have in a field with numbers. Looks at terms that
 * must be so on the top level only. @query may be NULL.
 */
void query_bound(const struct query *query, enum query_field_id field, int64_t *low, int64_t *high);
