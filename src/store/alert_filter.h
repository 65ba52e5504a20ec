/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A filter of alerts as a query, so that one way leads to rows (store/query_sql.h). */

#include "model/query.h"

struct alert_filter;

/** All that the filter's members, its query and no time say. In @arena; NULL without memory. */
const struct query *alert_filter_query(const struct alert_filter *filter, struct arena *arena);
