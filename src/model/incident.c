/* SPDX-License-Identifier: Apache-2.0 */
#include "model/incident.h"

const char *incident_state_name(enum incident_state state)
{
	static const char *const names[] = {
		[INCIDENT_NEW] = "new",
		[INCIDENT_ACKNOWLEDGED] = "acknowledged",
		[INCIDENT_INVESTIGATING] = "investigating",
		[INCIDENT_CONTAINED] = "contained",
		[INCIDENT_RESOLVED] = "resolved",
		[INCIDENT_CLOSED] = "closed",
	};
	return names[state];
}

static const char *const verdict_names[] = {
	[VERDICT_TRUE_POSITIVE] = "true-positive",
	[VERDICT_BENIGN_EXPECTED] = "benign-expected",
	[VERDICT_FALSE_POSITIVE] = "false-positive",
	[VERDICT_DUPLICATE] = "duplicate",
	[VERDICT_TEST] = "test",
};

const char *verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

bool verdict_parse(struct text word, enum verdict *out)
{
	for (unsigned i = VERDICT_TRUE_POSITIVE; i <= VERDICT_TEST; i++)
		if (text_is(word, verdict_names[i])) {
			*out = (enum verdict)i;
			return true;
		}
	return false;
}

bool incident_number_parse(struct text word, uint64_t *out)
{
	struct text prefix = text_part(word, 0, 4);
	if (text_equal_nocase(prefix, TEXT("INC-")))
		word = text_part(word, 4, word.size);
	return text_to_u64(word, out) && *out > 0 && *out <= INT64_MAX;
}

int64_t incident_tactics_factor(unsigned n_credited)
{
	static const int64_t factors[] = {100, 100, 150, 250, 400};
	return factors[n_credited < 4 ? n_credited : 4];
}
