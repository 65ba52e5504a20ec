/* SPDX-License-Identifier: Apache-2.0 */
#include "model/coverage.h"

static const char *const names[] = {
	[COVERAGE_CONNECTED] = "connected",
	[COVERAGE_SILENT] = "silent",
	[COVERAGE_THROTTLED] = "throttled",
	[COVERAGE_DROPPING] = "dropping",
	[COVERAGE_SHED] = "shed",
};

const char *coverage_state_name(enum coverage_state state)
{
	return names[state];
}

bool coverage_state_parse(struct text word, enum coverage_state *out)
{
	for (unsigned i = COVERAGE_CONNECTED; i <= COVERAGE_SHED; i++)
		if (text_is(word, names[i])) {
			*out = (enum coverage_state)i;
			return true;
		}
	return false;
}
