/* SPDX-License-Identifier: Apache-2.0 */
#include "model/source.h"

enum { BODY_BYTES = 8 * 1024 * 1024 };

static const struct source_info infos[] = {
	[SOURCE_NONE] = {"none", 0, PUSH_BACK_UNAVAILABLE, false},
	[SOURCE_FALCO] = {"falco", BODY_BYTES, PUSH_BACK_HOLD, true},
	[SOURCE_FALCOSIDEKICK] = {"falcosidekick", BODY_BYTES, PUSH_BACK_HOLD, false},
	[SOURCE_TOCSIN] = {"tocsin", BODY_BYTES, PUSH_BACK_SLOW_DOWN, false},
};

const struct source_info *source_info(enum source source)
{
	return &infos[source];
}

enum source source_parse(struct text name)
{
	for (unsigned i = SOURCE_FALCO; i < N_SOURCES; i++)
		if (text_is(name, infos[i].name))
			return (enum source)i;
	return SOURCE_NONE;
}
