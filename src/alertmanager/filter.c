/* SPDX-License-Identifier: Apache-2.0 */
#include "alertmanager/filter.h"

int filters_read(const struct alertmanager_query *query, struct arena *arena,
	struct matcher_list *out, struct err *err)
{
	*out = (struct matcher_list){NULL, 0};
	for (size_t i = 0; i < query->n_filters; i++)
		if (matchers_read(query->filters[i], arena, out, err) < 0)
			return -1;
	return 0;
}
