/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What people decide about incidents: buttons and dialogs. Scripts make them work
 * (docs/console.md); without scripts they are not shown, and the command line does the same.
 */

#include "pages/page.h"

/** A button: @act as in POST /api/v1/incidents/{n}/{act}; @key: the key that does it, NULL: none.
 */
void decide_button(struct page *page, const struct node *incident, const char *act, enum word word,
	const char *key);

/** For many rows at once; shown when rows are selected. */
void decide_bulk_bar(struct page *page);
/** The same for rows of a story: what is selected becomes an incident of its own. */
void decide_unlink_bar(struct page *page);

/** The dialogs that buttons open. Once a page that has some. */
void decide_dialogs(struct page *page);
/** The drawer for raw bytes: on every page (layout.c). */
void decide_drawer(struct page *page);
