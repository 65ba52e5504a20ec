/* SPDX-License-Identifier: Apache-2.0 */
#include "model/recorrelation.h"

#include "base/emit.h"
#include "documents/documents.h"
#include "model/decision.h"

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

static void write_change(struct emitter *out, const struct incident_change *change)
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

static void write_changes(
	struct emitter *out, uint64_t n_all, const struct incident_change *changes, size_t n)
{
	emit_member_u64(out, "changed", n_all);
	emit_key(out, "changes");
	emit_array(out);
	for (size_t i = 0; i < n; i++)
		write_change(out, &changes[i]);
	emit_array_end(out);
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
	write_changes(&emitter, report->n_changes, report->changes, report->n_listed);
	emit_object_end(&emitter);
}

static void write_number(struct emitter *out, const char *key, uint64_t number)
{
	char text[32];
	text_format(text, sizeof text, "INC-%llu", (unsigned long long)number);
	if (number)
		emit_member_string(out, key, text);
}

void document_grouping_preview(const struct decision *decision, struct buf *out)
{
	struct emitter emitter;
	const struct grouping_preview *preview = &decision->preview;
	const struct decision_result *result = &decision->incident.result;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_bool(&emitter, "dry_run", true);
	emit_member_string(&emitter, "action", decision_name(decision->kind));
	write_number(&emitter, "incident", result->number);
	write_number(&emitter, "asked", result->asked);
	emit_member_u64(&emitter, "revision", result->revision);
	write_changes(&emitter, preview->n_changes, preview->changes.items, preview->changes.n);
	write_number(&emitter, "linked", preview->linked);
	write_number(&emitter, "unlinked", preview->unlinked);
	emit_object_end(&emitter);
}
