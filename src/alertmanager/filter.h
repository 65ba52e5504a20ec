/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* filter= of a query, read. Private to alertmanager/. */

#include "alertmanager/alertmanager.h"

/** All filters together; patterns live in @arena. ERR_INPUT, ERR_LIMIT. */
CHECKED int filters_read(const struct alertmanager_query *query, struct arena *arena,
	struct matcher_list *out, struct err *err);
