/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "agent/spool_private.h"

void arrivals_note(struct arrivals *arrivals, uint64_t number, int64_t ns)
{
	bool is_fall = ns < arrivals->last_ns;
	arrivals->last_ns = ns;
	if (!is_fall)
		return;
	while (arrivals->n && arrivals->items[arrivals->n - 1].ns >= ns)
		arrivals->n--;
	/* Of more only the number is kept: what is said is too early, never too late. */
	if (arrivals->n == ARRIVALS_MAX)
		arrivals->items[arrivals->n - 1].number = number;
	else
		arrivals->items[arrivals->n++] = (struct arrival){number, ns};
}

int64_t arrivals_least(struct arrivals *arrivals, uint64_t acknowledged)
{
	size_t n = 0;
	while (n < arrivals->n && arrivals->items[n].number <= acknowledged)
		n++;
	arrivals->n -= n;
	memmove(arrivals->items, arrivals->items + n, arrivals->n * sizeof arrivals->items[0]);
	return arrivals->n ? arrivals->items[0].ns : INT64_MAX;
}

void arrivals_raise(struct arrivals *arrivals, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < arrivals->n; i++)
		if (arrivals->items[i].number >= first && arrivals->items[i].number < last)
			arrivals->items[i].number = last;
}
