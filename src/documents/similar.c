/* SPDX-License-Identifier: Apache-2.0 */
#include "store/similar.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/emit.h"
#include "documents/documents.h"
#include "model/scope.h"
#include "store/incidents.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, SIMILAR_S = 30 * 86400 };

static void write_item(
	struct emitter *out, const struct similar *similar, const struct incident *incident)
{
	char number[32];
	text_format(number, sizeof number, "INC-%llu", (unsigned long long)similar->number);
	emit_object(out);
	emit_member_string(out, "number", number);
	emit_member_text(out, "title", incident->title);
	emit_member_string(out, "state", incident_state_name(incident->state));
	if (incident->verdict)
		emit_member_string(out, "verdict", verdict_name(incident->verdict));
	emit_member_text(out, "assignee", incident->assignee);
	emit_member_text(out, "resolved_by", similar->resolved_by);
	if (incident->resolved_ns)
		emit_member_time(out, "resolved", incident->resolved_ns);
	emit_member_string(out, "severity", severity_name(incident->severity));
	emit_key(out, "risk");
	emit_milli(out, incident->risk_milli);
	emit_member_time(out, "first_seen", incident->first_seen_ns);
	emit_member_time(out, "last_seen", incident->last_seen_ns);
	emit_member_u64(out, "alerts", incident->n_alerts);
	emit_member_bool(out, "same_workload", similar->same_workload);
	emit_member_u64(out, "rules_shared", similar->n_rules_shared);
	emit_member_u64(out, "rules_of_both", similar->n_rules);
	emit_object_end(out);
}

int document_incident_similar(struct connection *connection, struct text number,
	const struct scope *scope, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct similar_list list;
	uint64_t wanted;
	int64_t since_ns = clock_wall_ns(&clock_system) - SIMILAR_S * NS_PER_S;
	arena_init(&arena, ARENA_BYTES);
	if (!incident_number_parse(number, &wanted))
		return err_set(err, ERR_INPUT, "give the incident's number, as INC-12");
	if (similar_read(connection, wanted, since_ns, &arena, &list, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = 0; i < list.n; i++) {
		struct incident incident;
		if (incident_summary_read(
			    connection, list.items[i].number, &arena, &incident, err) < 0)
			return -1;
		if (scope_includes(scope, incident.cluster, incident.namespace))
			write_item(&emitter, &list.items[i], &incident);
	}
	emit_array_end(&emitter);
	emit_object_end(&emitter);
	return 0;
}
