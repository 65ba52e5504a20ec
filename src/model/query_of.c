/* SPDX-License-Identifier: Apache-2.0 */
#include "model/query_of.h"

static const struct {
	enum query_of of;
	const char *name;
} ofs[] = {{QUERY_OF_INCIDENTS, "incidents"}, {QUERY_OF_ALERTS, "alerts"},
	{QUERY_OF_FINGERPRINTS, "fingerprints"}};

const char *query_of_name(enum query_of of)
{
	size_t i = 0;
	while (ofs[i].of != of)
		i++;
	return ofs[i].name;
}

bool query_of_parse(struct text name, enum query_of *out)
{
	for (size_t i = 0; i < sizeof ofs / sizeof ofs[0]; i++)
		if (text_is(name, ofs[i].name)) {
			*out = ofs[i].of;
			return true;
		}
	return false;
}
