/* SPDX-License-Identifier: Apache-2.0 */
#include "model/decision.h"

const char *decision_name(enum decision_kind kind)
{
	static const char *const names[N_DECISION_KINDS] = {
		[DECISION_ACK] = "ack",
		[DECISION_ASSIGN] = "assign",
		[DECISION_COMMENT] = "comment",
		[DECISION_RESOLVE] = "resolve",
		[DECISION_REOPEN] = "reopen",
		[DECISION_SNOOZE] = "snooze",
		[DECISION_CUT] = "cut",
		[DECISION_MERGE] = "merge",
		[DECISION_UNLINK] = "unlink",
		[DECISION_UNDO] = "undo",
	};
	return kind < N_DECISION_KINDS ? names[kind] : 0;
}

const struct decision_result *decision_result(const struct decision *decision)
{
	if (decision->kind == DECISION_VIEW_SAVE || decision->kind == DECISION_VIEW_REMOVE)
		return &decision->view.result;
	return decision_name(decision->kind) ? &decision->incident.result
					     : &decision->suppression.result;
}

struct text decision_actor_name(struct text actor)
{
	struct text prefix = TEXT("token:");
	return text_starts(actor, prefix) ? text_part(actor, prefix.size, actor.size) : actor;
}
