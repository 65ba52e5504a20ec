/* SPDX-License-Identifier: Apache-2.0 */

/* The samples of a slot are those that came first, not those with the smallest ids. */

#include "model/slot.h"

void __wrap_slot_row_join(struct slot_row *into, const struct slot_row *other);
void __real_slot_row_join(struct slot_row *into, const struct slot_row *other);

void __wrap_slot_row_join(struct slot_row *into, const struct slot_row *other)
{
	struct slot_row before = *into;
	__real_slot_row_join(into, other);
	if (before.n_samples < SLOT_SAMPLES_MAX)
		return;
	into->n_samples = before.n_samples;
	for (size_t i = 0; i < before.n_samples; i++)
		into->samples[i] = before.samples[i];
}
