/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/emit.h"
#include "documents/documents.h"
#include "store/incident_rate.h"
#include "store/incidents.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

static void write_bins(struct emitter *out, const struct incident_rate *rate)
{
	emit_key(out, "bins");
	emit_array(out);
	for (size_t i = 0; i < RATE_BINS; i++) {
		emit_array(out);
		for (size_t severity = 0; severity < N_SEVERITIES; severity++)
			emit_u64(out, rate->bins[i][severity]);
		emit_array_end(out);
	}
	emit_array_end(out);
}

int document_incident_rate(
	struct connection *connection, struct text number, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct incident incident;
	uint64_t wanted;
	arena_init(&arena, ARENA_BYTES);
	if (!incident_number_parse(number, &wanted))
		return err_set(err, ERR_INPUT, "give the incident's number, as INC-12");
	if (incident_summary_read(connection, wanted, &arena, &incident, err) < 0)
		return -1;
	if (incident.redirect_to)
		return err_set(err, ERR_MISSING, "INC-%llu is a part of INC-%llu now",
			(unsigned long long)wanted, (unsigned long long)incident.redirect_to);
	struct incident_rate rate = {
		.from_ns = incident.first_seen_ns, .to_ns = incident.last_seen_ns + 1};
	if (incident_rate_read(connection, wanted, &rate, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_time(&emitter, "from", rate.from_ns);
	emit_member_time(&emitter, "to", incident.last_seen_ns);
	emit_key(&emitter, "severities");
	emit_array(&emitter);
	for (size_t severity = 0; severity < N_SEVERITIES; severity++)
		emit_text(&emitter, text_of(severity_name((enum severity)severity)));
	emit_array_end(&emitter);
	write_bins(&emitter, &rate);
	emit_member_u64(&emitter, "counted", rate.n_seen);
	emit_member_u64(&emitter, "time_untrusted", rate.n_untrusted);
	emit_member_u64(&emitter, "late", rate.n_late);
	emit_member_bool(&emitter, "partial", rate.partial);
	emit_object_end(&emitter);
	return 0;
}
