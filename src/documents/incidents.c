/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/incidents.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/emit.h"
#include "documents/coverage.h"
#include "documents/documents.h"
#include "documents/query.h"
#include "store/activities.h"
#include "store/incident_ranks.h"
#include "store/incident_story.h"
#include "store/overlays.h"
#include "store/suppressed.h"

/* Computing a content id reads every alert: beyond this it is left to export and sealing. */
enum { ARENA_BYTES = 256 * 1024 * 1024 };

static void write_number(struct emitter *out, const char *key, uint64_t number)
{
	char text[32];
	text_format(text, sizeof text, "INC-%llu", (unsigned long long)number);
	emit_member_string(out, key, text);
}

static const char *kind_name(enum entity_kind kind)
{
	return kind == ENTITY_POD_NAME    ? "pod"
	       : kind == ENTITY_CONTAINER ? "container"
					  : entity_kind_prefix(kind);
}

static void write_workload(struct emitter *out, const struct workload *workload)
{
	if (!workload->name.size)
		return;
	emit_key(out, "workload");
	emit_object(out);
	emit_member_text(out, "kind", workload->kind);
	emit_member_text(out, "name", workload->name);
	emit_member_bool(out, "inferred", workload->inferred);
	emit_object_end(out);
}

static void write_entity(struct emitter *out, const struct incident *incident)
{
	emit_key(out, "entity");
	emit_object(out);
	emit_member_string(out, "kind", kind_name(incident->kind));
	emit_member_text(out, "cluster", incident->cluster);
	emit_member_text(out, "namespace", incident->namespace);
	emit_member_text(out, "pod", incident->pod);
	emit_member_text(out, "pod_uid", incident->pod_uid);
	emit_member_text(out, "container_id", incident->container);
	emit_member_text(out, "node", incident->node);
	write_workload(out, &incident->workload);
	emit_object_end(out);
}

static void write_terms(struct emitter *out, const struct incident *incident)
{
	emit_key(out, "risk_terms");
	emit_array(out);
	for (size_t i = 0; i < incident->n_terms; i++) {
		emit_object(out);
		emit_member_string(out, "name", incident->terms[i].name);
		emit_key(out, "value");
		emit_milli(out, incident->terms[i].value_milli);
		emit_member_text(out, "why", incident->terms[i].why);
		emit_object_end(out);
	}
	emit_array_end(out);
}

static void write_tactic(struct emitter *out, unsigned rank, int64_t first_seen_ns)
{
	emit_object(out);
	emit_member_string(out, "id", tactic_info(rank)->id);
	emit_member_string(out, "name", tactic_info(rank)->name);
	emit_member_u64(out, "rank", rank);
	if (first_seen_ns)
		emit_member_time(out, "first_seen", first_seen_ns);
	emit_object_end(out);
}

/* In order of first appearance where that is known, else in matrix order. */
static void write_tactics(struct emitter *out, const struct incident *incident)
{
	emit_key(out, "tactics");
	emit_array(out);
	for (size_t i = 0; i < incident->n_tactics; i++)
		write_tactic(out, incident->tactics[i].rank, incident->tactics[i].first_seen_ns);
	for (unsigned rank = 1; rank <= N_TACTICS && incident->n_tactics == 0; rank++)
		if (incident->tactic_set & 1U << (rank - 1))
			write_tactic(out, rank, 0);
	emit_array_end(out);
}

static void write_texts(struct emitter *out, const char *key, const struct text_list *list)
{
	emit_key(out, key);
	emit_array(out);
	for (size_t i = 0; i < list->n; i++)
		emit_text(out, list->items[i]);
	emit_array_end(out);
}

static void write_tactic_ids(struct emitter *out, tactic_mask tactics)
{
	emit_key(out, "tactics");
	emit_array(out);
	for (unsigned rank = 1; rank <= N_TACTICS; rank++)
		if (tactics & 1U << (rank - 1))
			emit_text(out, text_of(tactic_info(rank)->id));
	emit_array_end(out);
}

static void write_rules(struct emitter *out, const struct incident *incident)
{
	emit_key(out, "rules");
	emit_array(out);
	for (size_t i = 0; i < incident->n_rules; i++) {
		emit_object(out);
		emit_member_text(out, "name", incident->rules[i].name);
		emit_member_u64(out, "points", incident->rules[i].points);
		write_tactic_ids(out, incident->rules[i].tactics);
		if (incident->rules[i].n)
			emit_member_u64(out, "alerts", incident->rules[i].n);
		emit_object_end(out);
	}
	emit_array_end(out);
}

static void member_time_if(struct emitter *out, const char *key, int64_t wall_ns)
{
	if (wall_ns)
		emit_member_time(out, key, wall_ns);
}

static void member_number_if(struct emitter *out, const char *key, uint64_t number)
{
	if (number)
		write_number(out, key, number);
}

/* What people said, but for what they said in words. */
static void write_state(struct emitter *out, const struct incident *incident)
{
	emit_member_string(out, "state", incident_state_name(incident->state));
	if (incident->verdict)
		emit_member_string(out, "verdict", verdict_name(incident->verdict));
	emit_member_text(out, "assignee", incident->assignee);
	member_time_if(out, "snoozed_until", incident->snoozed_until_ns);
	member_time_if(out, "resolved", incident->resolved_ns);
	member_number_if(out, "recurrence_of", incident->recurrence_of);
}

static void write_links(struct emitter *out, const struct incident *incident)
{
	emit_key(out, "links");
	emit_array(out);
	for (size_t i = 0; i < incident->n_links; i++) {
		emit_object(out);
		write_number(out, "incident", incident->links[i].number);
		emit_member_text(out, "edit", incident->links[i].edit);
		emit_object_end(out);
	}
	emit_array_end(out);
}

static void write_edits(struct emitter *out, const struct incident *incident)
{
	emit_key(out, "edits");
	emit_array(out);
	for (size_t i = 0; i < incident->n_edits; i++) {
		emit_object(out);
		emit_member_text(out, "edit", incident->edits[i].id);
		emit_member_string(out, "what", incident->edits[i].what);
		emit_member_text(out, "actor", incident->edits[i].actor);
		emit_member_time(out, "time", incident->edits[i].time_ns);
		emit_object_end(out);
	}
	emit_array_end(out);
}

static void write_summary(struct emitter *out, const struct incident *incident)
{
	write_number(out, "number", incident->number);
	if (incident->n_rolled_up)
		emit_member_u64(out, "rolled_up", incident->n_rolled_up);
	emit_member_text(out, "title", incident->title);
	emit_member_text(out, "suggested_title", incident->suggested_title);
	write_state(out, incident);
	emit_member_string(out, "severity", severity_name(incident->severity));
	emit_key(out, "risk");
	emit_milli(out, incident->risk_milli);
	write_terms(out, incident);
	write_entity(out, incident);
	emit_member_time(out, "first_seen", incident->first_seen_ns);
	emit_member_time(out, "last_seen", incident->last_seen_ns);
	emit_member_u64(out, "alerts", incident->n_alerts);
	if (incident->n_deliveries)
		emit_member_u64(out, "deliveries", incident->n_deliveries);
	write_rules(out, incident);
	write_tactics(out, incident);
	write_texts(out, "sensors", &incident->sensors);
	emit_member_bool(out, "sealed", incident->sealed_ns != 0);
	if (incident->sealed_ns)
		emit_member_time(out, "sealed_at", incident->sealed_ns);
	emit_key(out, "flags");
	emit_array(out);
	if (incident->frozen)
		emit_text(out, TEXT("frozen"));
	if (incident->suppressed_by.n)
		emit_text(out, TEXT("suppressed"));
	emit_array_end(out);
	if (incident->suppressed_by.n)
		write_texts(out, "suppressed_by", &incident->suppressed_by);
	emit_member_u64(out, "revision", incident->revision);
	if (incident->split_from)
		write_number(out, "split_from", incident->split_from);
}

static void write_print(struct emitter *out, const struct incident_print *print)
{
	char hex[2 * OCCURRENCE_BYTES + 1];
	emit_object(out);
	text_hex(hex, print->fingerprint, FINGERPRINT_BYTES);
	emit_member_string(out, "fingerprint", hex);
	emit_member_text(out, "rule", print->rule);
	emit_member_text(out, "sensor", print->sensor);
	emit_member_text(out, "exe", print->exe);
	emit_member_text(out, "parent", print->parent);
	emit_member_text(out, "operation", print->operation);
	emit_member_text(out, "resource", print->resource);
	emit_member_string(out, "severity", severity_name(print->severity));
	emit_member_u64(out, "alerts", print->n);
	emit_member_time(out, "first_seen", print->lo_ns);
	emit_member_time(out, "last_seen", print->hi_ns);
	if (print->context)
		emit_member_bool(out, "context", true);
	emit_key(out, "samples");
	emit_array(out);
	for (size_t i = 0; i < print->n_samples; i++) {
		text_hex(hex, print->sample_occs[i], OCCURRENCE_BYTES);
		emit_text(out, text_of(hex));
	}
	emit_array_end(out);
	emit_object_end(out);
}

static void write_whole(
	struct emitter *out, const struct incident *incident, const struct incident_gaps *gaps)
{
	char technique[ATTACK_TECHNIQUE_BYTES], content[33];
	write_summary(out, incident);
	emit_key(out, "techniques");
	emit_array(out);
	for (size_t i = 0; i < incident->n_techniques; i++)
		emit_text(out, text_of(technique_format(incident->techniques[i], technique)));
	emit_array_end(out);
	text_hex(content, incident->content.bytes, 16);
	if (incident->has_content)
		emit_member_string(out, "content_id", content);
	emit_member_u64(out, "activities", incident->n_activities);
	emit_key(out, "coverage");
	emit_raw(out, gaps->items);
	if (gaps->unheard.size) {
		emit_key(out, "not_yet_heard");
		emit_raw(out, gaps->unheard);
	}
	write_links(out, incident);
	write_edits(out, incident);
	emit_key(out, "story");
	emit_array(out);
	for (size_t i = 0; i < incident->n_prints; i++)
		write_print(out, &incident->prints[i]);
	emit_array_end(out);
}

/* By risk there is one page: a risk changes between two, so "next" would skip or repeat. */
static int list_incidents(struct connection *connection, const struct document_query *query,
	const struct incident_filter *filter, struct incident_page *page, struct err *err)
{
	if (!query->sort.size || text_is(query->sort, "number"))
		return incidents_list(connection, filter, page, err);
	if (!text_is(query->sort, "risk"))
		return err_set(err, ERR_INPUT, "sort must be number or risk");
	if (query->after.size)
		return err_set(err, ERR_INPUT,
			"'after' goes with sort=number: sort=risk has one page, limit says how "
			"long");
	return incidents_by_risk(connection, filter, page, err);
}

static int read_suppressed(struct connection *connection, const struct document_query *query,
	struct arena *arena, struct incident_filter *filter, struct err *err)
{
	if (text_is(query->suppressed, "true"))
		filter->suppressed_wish = SUPPRESSED_ONLY;
	else if (text_is(query->suppressed, "false"))
		filter->suppressed_wish = SUPPRESSED_NOT;
	else if (query->suppressed.size)
		return err_set(err, ERR_INPUT, "suppressed must be true or false");
	return suppressed_begin(
		filter->suppressed, connection, clock_wall_ns(&clock_system), arena, err);
}

int incident_filter_read(struct connection *connection, const struct document_query *query,
	struct arena *arena, struct suppressed *suppressed, struct incident_filter *filter,
	struct err *err)
{
	*filter = (struct incident_filter){.cluster = query->cluster,
		.namespace = query->namespace,
		.pod = query->pod,
		.node = query->node,
		.suppressed = suppressed,
		.scope = query->scope,
		.roll_up = text_is(query->rollup, "true")};
	if (query->rollup.size && !filter->roll_up && !text_is(query->rollup, "false"))
		return err_set(err, ERR_INPUT, "rollup must be true or false");
	if (query_severity(query, &filter->severity_min, err) < 0 ||
		query_time(query->since, &filter->since_ns, err) < 0 ||
		query_filter(query, QUERY_OF_INCIDENTS, arena, &filter->query, err) < 0)
		return -1;
	return read_suppressed(connection, query, arena, filter, err);
}

int document_incidents(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena = {0};
	struct emitter emitter;
	struct suppressed suppressed;
	struct incident_filter filter;
	if (query->group.size)
		return document_incident_groups(connection, query, out, err);
	arena_init(&arena, ARENA_BYTES);
	struct incident_page page = {.arena = &arena};
	if (query_page(query, &page.limit, &page.before, err) < 0 ||
		incident_filter_read(connection, query, &arena, &suppressed, &filter, err) < 0 ||
		list_incidents(connection, query, &filter, &page, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (const struct incident *item = page.first; item; item = item->next) {
		emit_object(&emitter);
		write_summary(&emitter, item);
		emit_object_end(&emitter);
	}
	emit_array_end(&emitter);
	if (page.next_before) {
		emit_key(&emitter, "next");
		emit_big(&emitter, page.next_before);
	}
	emit_object_end(&emitter);
	return 0;
}

/* A merged number says where it is now; an alias keeps what people said about it. */
static void write_merged(struct emitter *out, const struct incident *incident)
{
	write_number(out, "number", incident->number);
	write_number(out, "redirect_to", incident->redirect_to);
	if (!incident->alias_of)
		return;
	write_number(out, "alias_of", incident->alias_of);
	emit_member_text(out, "title", incident->title);
	write_state(out, incident);
	emit_member_u64(out, "activities", incident->n_activities);
}

/* Is it suppressed now? */
static int judge(struct connection *connection, struct incident *incident, struct arena *arena,
	struct err *err)
{
	struct suppressed suppressed;
	return suppressed_begin(&suppressed, connection, clock_wall_ns(&clock_system), arena, err) <
			       0
		       ? -1
		       : incident_judge(&suppressed, connection, incident, err);
}

/* @decision: what was decided just now; absent: nothing. */
static int write_incident(struct connection *connection, uint64_t number, struct text decision,
	uint64_t *revision, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct incident incident;
	arena_init(&arena, ARENA_BYTES);
	if (incident_read(connection, number, &arena, &incident, err) < 0 ||
		judge(connection, &incident, &arena, err) < 0)
		return -1;
	struct incident_gaps gaps = {0};
	if (!incident.redirect_to &&
		(incident_content(connection, &incident, err) < 0 ||
			incident_gaps_read(connection, &incident, clock_wall_ns(&clock_system),
				&arena, &gaps, err) < 0))
		return -1;
	*revision = incident.revision;
	emit_init(&emitter, out);
	emit_object(&emitter);
	if (incident.redirect_to)
		write_merged(&emitter, &incident);
	else
		write_whole(&emitter, &incident, &gaps);
	if (decision.size) {
		emit_key(&emitter, "decision");
		emit_raw(&emitter, decision);
	}
	emit_object_end(&emitter);
	return 0;
}

static int read_number(struct text word, uint64_t *number, struct err *err)
{
	if (incident_number_parse(word, number))
		return 0;
	return err_set(err, ERR_INPUT, "'%.*s' is no incident: give its number, as INC-12",
		(int)(word.size < 40 ? word.size : 40), word.data ? word.data : "");
}

int document_incident_revision(struct connection *connection, struct text number,
	uint64_t *revision, struct buf *out, struct err *err)
{
	uint64_t wanted;
	return read_number(number, &wanted, err) < 0
		       ? -1
		       : write_incident(connection, wanted, TEXT_NONE, revision, out, err);
}

int document_incident(
	struct connection *connection, struct text number, struct buf *out, struct err *err)
{
	uint64_t revision;
	return document_incident_revision(connection, number, &revision, out, err);
}

int document_decided(struct connection *connection, uint64_t number, struct text decision,
	uint64_t *revision, struct buf *out, struct err *err)
{
	uint64_t now;
	return overlay_survivor(connection, number, &now, err) < 0
		       ? -1
		       : write_incident(connection, now, decision, revision, out, err);
}

static void write_activity(struct emitter *out, const struct activity *activity)
{
	emit_object(out);
	emit_member_u64(out, "id", activity->id);
	emit_member_time(out, "time", activity->time_ns);
	emit_member_text(out, "actor", activity->actor);
	emit_member_string(out, "kind", activity_kind_name(activity->kind));
	if (activity->revision)
		emit_member_u64(out, "revision", activity->revision);
	emit_key(out, "detail");
	emit_raw(out, activity->detail);
	emit_member_text(out, "edit", activity->edit);
	member_number_if(out, "origin", activity->origin);
	emit_object_end(out);
}

int document_activity(struct connection *connection, struct text number,
	const struct document_query *query, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct overlay overlay;
	arena_init(&arena, ARENA_BYTES);
	struct activity_page page = {.arena = &arena};
	if (read_number(number, &page.number, err) < 0 ||
		query_page(query, &page.limit, &page.after, err) < 0 ||
		overlay_read(connection, page.number, &arena, &overlay, err) < 0 ||
		activities_read(connection, &page, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = 0; i < page.n; i++)
		write_activity(&emitter, &page.items[i]);
	emit_array_end(&emitter);
	if (page.n == page.limit) {
		emit_key(&emitter, "next");
		emit_big(&emitter, page.items[page.n - 1].id);
	}
	emit_object_end(&emitter);
	return 0;
}

static int place_of(struct connection *connection, const struct incident *incident,
	struct change_place *place, struct err *err)
{
	struct incident found = *incident;
	place->is_known = false;
	place->cluster = place->namespace = TEXT_NONE;
	if (found.redirect_to) {
		uint64_t number;
		int failed =
			overlay_survivor(connection, found.number, &number, err) < 0 ||
			incident_summary_read(connection, number, place->arena, &found, err) < 0;
		if (failed)
			return err->kind == ERR_MISSING ? 0 : -1;
	}
	place->is_known = true;
	place->cluster = arena_copy(place->arena, found.cluster);
	place->namespace = arena_copy(place->arena, found.namespace);
	return place->arena->failed ? err_set(err, ERR_MEMORY, "out of memory for a change") : 0;
}

/* Lets @place look at it, once it is written: a story is more than lists have. */
static int show_change(struct connection *connection, struct incident *incident,
	const struct change_place *place, struct arena *arena, struct err *err)
{
	if (!place->look || incident->redirect_to)
		return 0;
	if (place->with_story && incident_story_read(connection, incident, arena, err) < 0)
		return -1;
	place->look(place->ctx, incident);
	return 0;
}

int document_change(struct connection *connection, uint64_t number, struct change_place *place,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct incident incident;
	arena_init(&arena, ARENA_BYTES);
	int failed = incident_summary_read(connection, number, &arena, &incident, err);
	if (failed && err->kind != ERR_MISSING)
		return -1;
	place->is_known = false;
	if (!failed && (place_of(connection, &incident, place, err) < 0 ||
			       judge(connection, &incident, &arena, err) < 0))
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	if (failed) {
		write_number(&emitter, "number", number);
		emit_member_bool(&emitter, "gone", true);
	} else if (incident.redirect_to) {
		write_merged(&emitter, &incident);
	} else {
		write_summary(&emitter, &incident);
	}
	emit_object_end(&emitter);
	return failed ? 0 : show_change(connection, &incident, place, &arena, err);
}
