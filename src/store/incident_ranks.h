/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Incidents by risk: what somebody who has time for three looks at. Only the newest RANKED_MAX that
 * the filter's numbers let through are ranked, so that the cost is bounded (the risk is no index:
 * it changes with nearly every commit). Any connection.
 */

#include "store/incidents.h"

enum { RANKED_MAX = 20000 };

/**
 * The page->limit riskiest incidents, of one risk the newest first; page->before is not heard.
 * There is no page after it: next_before is 0.
 */
CHECKED int incidents_by_risk(struct connection *connection, const struct incident_filter *filter,
	struct incident_page *page, struct err *err);
