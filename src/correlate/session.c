/* SPDX-License-Identifier: Apache-2.0 */
#include "correlate/session.h"

const struct session_rules session_rules_default = {
	.gap_ns = INT64_C(3600) * 1000000000,
	.span_slots = 288,
};

/* A cut holds whether or not an alert falls into its slot. */
static bool is_cut(const struct session *session, int64_t slot, const struct session_rules *rules)
{
	for (size_t i = 0; i < rules->n_cuts; i++)
		if (session->first_slot < rules->cuts[i] && rules->cuts[i] <= slot)
			return true;
	return false;
}

bool session_reaches(const struct session *session, const struct session_slot *slot,
	const struct session_rules *rules)
{
	return session->open && slot->slot - session->first_slot < rules->span_slots &&
	       slot->lo_ns - session->hi_ns <= rules->gap_ns && !is_cut(session, slot->slot, rules);
}

enum session_step session_feed(
	struct session *session, const struct session_slot *slot, const struct session_rules *rules)
{
	if (session_reaches(session, slot, rules)) {
		session->last_slot = slot->slot;
		if (slot->has_alerts && slot->hi_ns > session->hi_ns)
			session->hi_ns = slot->hi_ns;
		return SESSION_EXTENDED;
	}
	if (!slot->has_alerts) {
		session->open = false;
		return SESSION_ENDED;
	}
	*session = (struct session){
		.open = true,
		.first_slot = slot->slot,
		.last_slot = slot->slot,
		.lo_ns = slot->lo_ns,
		.hi_ns = slot->hi_ns,
	};
	return SESSION_FOUNDED;
}
