/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What lists of alerts and their groups share. */

#include "documents/documents.h"
#include "store/alerts.h"

/** All that the query asks of alerts; parsed in @arena. Of one incident: by its leaves. */
CHECKED int alert_filter_read(struct connection *connection, const struct document_query *query,
	struct arena *arena, struct alert_filter *filter, struct err *err);
