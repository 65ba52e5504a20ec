/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/occurrence.h"

#include <string.h>

struct digest_state *occurrence_start(
	struct digest_state *state, const struct alert *alert, struct text family)
{
	digest_start(state);
	digest_add_part(state, family);
	digest_add_part(state, alert->cluster);
	return state;
}

void occurrence_add_i64(struct digest_state *state, int64_t value)
{
	char bytes[8];
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (char)((uint64_t)value >> (56 - 8 * i));
	digest_add_part(state, (struct text){bytes, sizeof bytes});
}

void occurrence_end(struct digest_state *state, struct alert *alert)
{
	struct digest digest = digest_end(state);
	memcpy(alert->occ, digest.bytes, OCCURRENCE_BYTES);
}

void occurrence_of_raw(struct alert *alert, struct text family)
{
	struct digest_state room, *state = occurrence_start(&room, alert, family);
	digest_add_part(state, TEXT("raw"));
	digest_add_part(state, alert->raw);
	occurrence_end(state, alert);
}
