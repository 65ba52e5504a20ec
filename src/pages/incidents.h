/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Incidents in a table: the list, and the short ones of other pages. */

#include "pages/page.h"

/* What was asked for, as it stands in the address. */
struct incident_filters {
	struct text suppressed; /* absent: left out; "any", or "true": only those */
	struct text q, severity, sort, rollup, cluster, namespace, pod, node, since, after, limit,
		group;
};

/** @document: what document_incidents wrote. */
void page_incidents(
	struct page *page, const struct node *document, const struct incident_filters *filters);

/** A table of @items (an array). @filters NULL: it cannot be sorted. */
void incidents_table(
	struct page *page, const struct node *items, const struct incident_filters *filters);

/**
 * Makes the element that was opened last the one that scripts mean by this incident: its number,
 * and what people decide by, so that a decision can tell what has changed since it was shown.
 */
void incident_is_row(struct page *page, const struct node *incident);

/** Three cells of a short table: risk, severity, and number and title as a link. */
void incident_cells(struct page *page, const struct node *incident);

/** The rule that its risk begins with; absent: none. */
struct text incident_strongest(const struct node *incident);

/** Where it happened, short: "shop/Deployment front", "node vm". */
struct text incident_place(const struct page *page, const struct node *entity);
