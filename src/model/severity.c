/* SPDX-License-Identifier: Apache-2.0 */
#include "model/severity.h"

static const char *const names[] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_LOW] = "low",
	[SEVERITY_MEDIUM] = "medium",
	[SEVERITY_HIGH] = "high",
	[SEVERITY_CRITICAL] = "critical",
};

const char *severity_name(enum severity severity)
{
	return names[severity];
}

bool severity_parse(struct text word, enum severity *out)
{
	for (unsigned i = 0; i < N_SEVERITIES; i++)
		if (text_is(word, names[i])) {
			*out = (enum severity)i;
			return true;
		}
	return false;
}
