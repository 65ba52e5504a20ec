/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tocsin's five severities. The order is the meaning: greater is worse. */

#include "base/text.h"

enum severity {
	SEVERITY_INFO,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
};

enum { N_SEVERITIES = SEVERITY_CRITICAL + 1 };

const char *severity_name(enum severity severity); /* "info" … "critical" */
bool severity_parse(struct text word, enum severity *out);
