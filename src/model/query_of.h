/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/text.h"

/* What is looked for. A mask in the table of fields. */
enum query_of {
	QUERY_OF_INCIDENTS = 1,
	QUERY_OF_ALERTS = 2,
	QUERY_OF_FINGERPRINTS = 4, /* alerts by kind and workload (model/print_group.h) */
	QUERY_OF_ALL = 7,
};

/** "incidents", "alerts", "fingerprints". */
const char *query_of_name(enum query_of of);
bool query_of_parse(struct text name, enum query_of *out);
