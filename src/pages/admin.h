/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Who may do what, and who did: tokens, sessions, saved views, the audit trail. */

#include "pages/page.h"

/* Documents; NULL where there is none. */
struct admin_data {
	const struct node *tokens, *sessions, *views, *audit;
};

void page_admin(struct page *page, const struct admin_data *data);
