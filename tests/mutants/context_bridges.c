/* SPDX-License-Identifier: Apache-2.0 */

/* Context keeps an incident open, so that it bridges two. */

#include "correlate/session.h"

enum session_step __wrap_session_feed(struct session *session, const struct session_slot *slot,
	const struct session_rules *rules);
enum session_step __real_session_feed(struct session *session, const struct session_slot *slot,
	const struct session_rules *rules);

enum session_step __wrap_session_feed(
	struct session *session, const struct session_slot *slot, const struct session_rules *rules)
{
	enum session_step step = __real_session_feed(session, slot, rules);
	if (step == SESSION_EXTENDED && !slot->has_alerts && slot->lo_ns > session->hi_ns)
		session->hi_ns = slot->lo_ns;
	return step;
}
