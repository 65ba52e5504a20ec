/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/echoes.h"

#include "base/cleanup.h"
#include "base/emit.h"
#include "store/activities.h"
#include "store/changes.h"
#include "store/overlays.h"

/* A name of 512 bytes, each escaped at its longest. */
enum { DETAIL_BYTES = 16 * 1024 };

int echoes_mark(struct connection *connection, struct batch *batch, struct err *err)
{
	for (struct alert *alert = batch->first; alert; alert = alert->next) {
		uint64_t number;
		alert->flags &= ~(uint32_t)ALERT_ECHO;
		if (!alert->echo_of || alert->kind != LEAF_ALERT)
			continue;
		if (overlay_survivor(connection, alert->echo_of, &number, err) == 0)
			alert->flags |= ALERT_ECHO;
		else if (err->kind != ERR_MISSING)
			return -1;
	}
	return 0;
}

static int note(
	struct connection *connection, const struct alert *alert, int64_t now_ns, struct err *err)
{
	AUTO(buf_done) struct buf detail = {0};
	struct emitter emitter;
	char leaf[24];
	struct activity activity = {
		.time_ns = now_ns, .actor = TEXT("tocsin"), .kind = ACTIVITY_ECHOED};
	if (overlay_survivor(connection, alert->echo_of, &activity.number, err) < 0)
		return -1;
	text_format(leaf, sizeof leaf, "%llu", (unsigned long long)alert->leaf);
	buf_init(&detail, DETAIL_BYTES);
	emit_init(&emitter, &detail);
	emit_object(&emitter);
	emit_member_string(&emitter, "source", source_info(alert->source)->name);
	emit_member_text(&emitter, "rule", alert->rule);
	emit_member_time(&emitter, "since", alert->time_ns);
	emit_member_string(&emitter, "leaf", leaf);
	emit_object_end(&emitter);
	if (!buf_ok(&detail))
		return buf_error(&detail, err, "what came back");
	activity.detail = buf_text(&detail);
	return activity_append(connection, &activity, err) < 0
		       ? -1
		       : incident_changed(connection, activity.number, err);
}

int echoes_note(
	struct connection *connection, const struct batch *batch, int64_t now_ns, struct err *err)
{
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		if (alert->outcome == OUTCOME_ACCEPTED && alert_is(alert, ALERT_ECHO) &&
			note(connection, alert, now_ns, err) < 0)
			return -1;
	return 0;
}
