/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A list counted by one of its fields: how many of each value, how bad, when last. */

#include "pages/page.h"

enum groups_of { GROUPS_OF_INCIDENTS, GROUPS_OF_ALERTS };

/** The choice of a field, for a form of filters; @group: what is chosen, absent: none. */
void groups_choice(struct page *page, enum groups_of of, struct text group);

/** The address of the list, narrowed to one value by a query; @ctx is the caller's. */
typedef struct text groups_link(const struct page *page, struct text q, const void *ctx);

/**
 * The table of @document: what a list's document is when it is asked for a group. Each value leads
 * to @link of what was searched for (page->search) and the value.
 */
void groups_table(
	struct page *page, const struct node *document, groups_link *link, const void *ctx);
