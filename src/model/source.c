/* SPDX-License-Identifier: Apache-2.0 */
#include "model/source.h"

static const struct source_info infos[] = {
	[SOURCE_NONE] = {"none", 0, PUSH_BACK_UNAVAILABLE, false},
#define ROW(number, symbol, driver, name, ...) [number] = {name, __VA_ARGS__},
	SOURCES(ROW)
#undef ROW
};

_Static_assert(sizeof infos / sizeof infos[0] == N_SOURCES, "the numbers follow one another");

const struct source_info *source_info(enum source source)
{
	return &infos[source];
}

enum source source_parse(struct text name)
{
	for (unsigned i = SOURCE_NONE + 1; i < N_SOURCES; i++)
		if (text_is(name, infos[i].name))
			return (enum source)i;
	return SOURCE_NONE;
}

const char *source_names(void)
{
#define ROW(number, symbol, driver, name, ...) ", " name
	static const char names[] = SOURCES(ROW);
#undef ROW
	return names + sizeof ", " - 1;
}
