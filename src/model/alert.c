/* SPDX-License-Identifier: Apache-2.0 */
#include "model/alert.h"

#include <assert.h>
#include <string.h>

static const char *const action_names[] = {
	[ACTION_OBSERVED] = "observed",
	[ACTION_BLOCKED] = "blocked",
	[ACTION_AUDITED] = "audited",
	[ACTION_KILLED] = "killed",
};

const char *alert_action_name(enum alert_action action)
{
	return action_names[action];
}

bool alert_action_parse(struct text word, enum alert_action *out)
{
	for (unsigned i = ACTION_OBSERVED; i <= ACTION_KILLED; i++)
		if (text_is(word, action_names[i])) {
			*out = (enum alert_action)i;
			return true;
		}
	return false;
}

const char *alert_flag_name(enum alert_flag flag)
{
	switch (flag) {
	case ALERT_TIME_UNTRUSTED:
		return "time_untrusted";
	case ALERT_PREVENTED:
		return "prevented";
	case ALERT_CONTEXT:
		return "context";
	case ALERT_ORPHAN_LATE:
		return "orphan_late";
	case ALERT_REDACTED_AT_INGEST:
		return "redacted_at_ingest";
	case ALERT_ATTACK_INFERRED:
		return "attack_inferred";
	case ALERT_HEALTH:
		return "health";
	case ALERT_TRUNCATED:
		return "truncated";
	case ALERT_SUPPRESSED:
		return "suppressed";
	case ALERT_ECHO:
		return "echo";
	case ALERT_STATEFUL:
		return "stateful";
	}
	assert(!"one flag at a time");
	return "";
}

void alert_add_technique(struct alert *alert, technique_code technique)
{
	size_t at = 0;
	while (at < alert->n_techniques && alert->techniques[at] < technique)
		at++;
	if (at < alert->n_techniques && alert->techniques[at] == technique)
		return;
	if (technique == 0 || alert->n_techniques == ATTACK_TECHNIQUES_MAX)
		return;
	memmove(alert->techniques + at + 1, alert->techniques + at,
		(alert->n_techniques - at) * sizeof *alert->techniques);
	alert->techniques[at] = technique;
	alert->n_techniques++;
}
