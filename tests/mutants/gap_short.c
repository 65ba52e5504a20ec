/* SPDX-License-Identifier: Apache-2.0 */

/* The gap off by one: < instead of <=. */

#include "correlate/session.h"

enum session_step __wrap_session_feed(struct session *session, const struct session_slot *slot,
	const struct session_rules *rules);
enum session_step __real_session_feed(struct session *session, const struct session_slot *slot,
	const struct session_rules *rules);
bool __wrap_session_reaches(const struct session *session, const struct session_slot *slot,
	const struct session_rules *rules);
bool __real_session_reaches(const struct session *session, const struct session_slot *slot,
	const struct session_rules *rules);

static struct session_rules mutate(const struct session_rules *rules)
{
	struct session_rules changed = *rules;
	changed.gap_ns--;
	return changed;
}

enum session_step __wrap_session_feed(
	struct session *session, const struct session_slot *slot, const struct session_rules *rules)
{
	struct session_rules changed = mutate(rules);
	return __real_session_feed(session, slot, &changed);
}

bool __wrap_session_reaches(const struct session *session, const struct session_slot *slot,
	const struct session_rules *rules)
{
	struct session_rules changed = mutate(rules);
	return __real_session_reaches(session, slot, &changed);
}
