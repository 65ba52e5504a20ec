/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "documents/documents.h"
#include "store/activities.h"
#include "store/incidents.h"

enum { ARENA_BYTES = 256 * 1024 * 1024, ACTIVITIES_MAX = 10000 };

/* One line: either of the two is set. */
struct moment {
	int64_t time_ns;
	const struct incident_print *print;
	const struct activity *activity;
};

/* At one time what happened stands before what was said about it. */
static int compare_moments(const void *left, const void *right)
{
	const struct moment *a = left, *b = right;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (!a->print != !b->print)
		return a->print ? -1 : 1;
	if (a->print)
		return a->print < b->print ? -1 : 1;
	return a->activity->id < b->activity->id ? -1 : 1;
}

static void write_print(struct emitter *out, const struct incident_print *print)
{
	char hex[2 * FINGERPRINT_BYTES + 1];
	text_hex(hex, print->fingerprint, FINGERPRINT_BYTES);
	emit_member_string(out, "what", print->context ? "context" : "alerts");
	emit_member_text(out, "rule", print->rule);
	emit_member_text(out, "sensor", print->sensor);
	emit_member_string(out, "severity", severity_name(print->severity));
	emit_member_text(out, "exe", print->exe);
	emit_member_text(out, "resource", print->resource);
	emit_member_u64(out, "alerts", print->n);
	emit_member_time(out, "until", print->hi_ns);
	emit_member_string(out, "fingerprint", hex);
}

static void write_activity(struct emitter *out, const struct activity *activity)
{
	emit_member_string(out, "what", activity_kind_name(activity->kind));
	emit_member_text(out, "actor", activity->actor);
	emit_member_u64(out, "revision", activity->revision);
	emit_key(out, "detail");
	emit_raw(out, activity->detail);
}

static void write_moments(const struct moment *moments, size_t n, struct buf *out)
{
	struct emitter emitter;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = 0; i < n; i++) {
		emit_object(&emitter);
		emit_member_time(&emitter, "time", moments[i].time_ns);
		if (moments[i].print)
			write_print(&emitter, moments[i].print);
		else
			write_activity(&emitter, moments[i].activity);
		emit_object_end(&emitter);
	}
	emit_array_end(&emitter);
	emit_object_end(&emitter);
}

int document_timeline(
	struct connection *connection, struct text number, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct incident incident;
	uint64_t wanted;
	arena_init(&arena, ARENA_BYTES);
	if (!incident_number_parse(number, &wanted))
		return err_set(err, ERR_INPUT, "an incident is called by its number, as INC-12");
	if (incident_read(connection, wanted, &arena, &incident, err) < 0)
		return -1;
	if (incident.redirect_to)
		return err_set(err, ERR_MISSING, "INC-%llu is a part of INC-%llu now",
			(unsigned long long)wanted, (unsigned long long)incident.redirect_to);
	struct activity_page page = {.number = wanted, .limit = ACTIVITIES_MAX, .arena = &arena};
	if (activities_read(connection, &page, err) < 0)
		return -1;
	size_t n = 0;
	struct moment *moments =
		arena_array(&arena, incident.n_prints + page.n + 1, sizeof *moments);
	if (!moments)
		return err_set(err, ERR_MEMORY, "out of memory for a timeline");
	for (size_t i = 0; i < incident.n_prints; i++)
		moments[n++] = (struct moment){incident.prints[i].lo_ns, &incident.prints[i], NULL};
	for (size_t i = 0; i < page.n; i++)
		moments[n++] = (struct moment){page.items[i].time_ns, NULL, &page.items[i]};
	qsort(moments, n, sizeof *moments, compare_moments);
	write_moments(moments, n, out);
	return 0;
}
