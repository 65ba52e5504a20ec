/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whether Tocsin and its senders are well: what is heard, held, refused, lost; store and ledger. */

#include "pages/page.h"

enum { HEALTH_SILENT_S = 600 }; /* a sensor that says nothing for so long may be dead */

struct health_counts {
	uint64_t n_senders, n_silent;
	uint64_t n_lost; /* refused at the door, or dropped by the sensors themselves */
};

struct health_counts health_count(const struct page *page, const struct node *sources);

/* Documents. */
struct health_data {
	const struct node *sources, *status, *coverage;
};

void page_health(struct page *page, const struct health_data *data);
