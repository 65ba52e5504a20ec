/* SPDX-License-Identifier: Apache-2.0 */
#include "model/recorrelation.h"

#include "base/emit.h"
#include "documents/documents.h"

static void write_side(struct emitter *out, const char *key, const struct change_side *side)
{
	emit_key(out, key);
	emit_object(out);
	emit_member_string(out, "severity", severity_name(side->severity));
	emit_key(out, "risk");
	emit_milli(out, side->risk_milli);
	emit_member_u64(out, "alerts", side->n_alerts);
	emit_member_time(out, "first_seen", side->lo_ns);
	emit_member_time(out, "last_seen", side->hi_ns);
	emit_object_end(out);
}

static void write_change(struct emitter *out, const struct change *change)
{
	char number[32];
	emit_object(out);
	text_format(number, sizeof number, "INC-%llu", (unsigned long long)change->number);
	if (change->number)
		emit_member_string(out, "number", number);
	emit_member_string(out, "change", change_kind_name(change->kind));
	if (change->kind != CHANGE_NEW)
		write_side(out, "before", &change->before);
	if (change->kind != CHANGE_GONE)
		write_side(out, "after", &change->after);
	emit_object_end(out);
}

void document_recorrelation(const struct recorrelation_report *report, struct buf *out)
{
	struct emitter emitter;
	emit_init(&emitter, out);
	emit_object(&emitter);
	if (!report) {
		emit_member_string(&emitter, "state", "never");
		emit_object_end(&emitter);
		return;
	}
	emit_member_string(&emitter, "state", recorrelation_state_name(report->state));
	emit_member_bool(&emitter, "dry_run", !report->apply);
	if (report->from_ns > 0)
		emit_member_time(&emitter, "from", report->from_ns);
	emit_member_time(&emitter, "started", report->started_ns);
	if (report->ended_ns)
		emit_member_time(&emitter, "ended", report->ended_ns);
	if (report->error[0])
		emit_member_string(&emitter, "error", report->error);
	emit_member_u64(&emitter, "entities", report->n_keys);
	emit_member_u64(&emitter, "entities_done", report->n_done);
	emit_member_u64(&emitter, "entities_applied", report->n_applied);
	emit_member_u64(&emitter, "changed", report->n_changes);
	emit_key(&emitter, "changes");
	emit_array(&emitter);
	for (size_t i = 0; i < report->n_listed; i++)
		write_change(&emitter, &report->changes[i]);
	emit_array_end(&emitter);
	emit_object_end(&emitter);
}
