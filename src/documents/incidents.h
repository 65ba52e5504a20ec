/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What lists of incidents and their groups share. */

#include "documents/documents.h"
#include "store/incidents.h"

struct suppressed;

/** All that the query asks of incidents; parsed in @arena. @suppressed is filled, and kept by it.
 */
CHECKED int incident_filter_read(struct connection *connection, const struct document_query *query,
	struct arena *arena, struct suppressed *suppressed, struct incident_filter *filter,
	struct err *err);
