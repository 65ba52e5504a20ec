/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pictures as SVG. Each has a name for those who do not see it, and stands beside a table or list
 * with the same facts. Colours are classes: the sheet knows the themes.
 */

#include "pages/page.h"

/** Alerts over an incident's time, those of high severity apart (document_incident_rate). */
void picture_rate(struct page *page, const struct node *rate);

/** A lane for each tactic, a mark for each row of the story (document_incident). */
void picture_lanes(struct page *page, const struct node *incident);

/** What belongs to what, at most 30 of it (document_incident_entities). */
void picture_graph(struct page *page, const struct node *entities);
