/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The first page: what somebody on call has to look at. */

#include "pages/page.h"

/* Queries of both lists, so that their links show the same. */
#define ON_CALL_MINE       "state:open assignee:me -is:snoozed"
#define ON_CALL_UNASSIGNED "state:open assignee:none sev>=high -is:snoozed"

/* Documents; suppressions may be NULL. */
struct on_call_data {
	const struct node *mine, *unassigned, *status, *sources, *suppressions;
};

void page_on_call(struct page *page, const struct on_call_data *data);
