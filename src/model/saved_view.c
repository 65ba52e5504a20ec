/* SPDX-License-Identifier: Apache-2.0 */
#include "model/saved_view.h"

bool saved_view_sort_is_known(enum query_of of, struct text sort)
{
	static const struct {
		enum query_of of;
		const char *sort;
	} known[] = {{QUERY_OF_INCIDENTS, "number"}, {QUERY_OF_INCIDENTS, "risk"},
		{QUERY_OF_FINGERPRINTS, "newest"}, {QUERY_OF_FINGERPRINTS, "count"}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].of == of && text_is(sort, known[i].sort))
			return true;
	return sort.size == 0;
}
