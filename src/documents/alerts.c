/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/alerts.h"

#include "base/cleanup.h"
#include "base/emit.h"
#include "documents/documents.h"
#include "documents/query.h"
#include "model/alert_json.h"
#include "model/query_eval.h"
#include "store/incidents.h"
#include "store/reach.h"

enum { ARENA_BYTES = 512 * 1024 * 1024, INCIDENT_LEAVES_MAX = 100000 };

int document_alert_filter(
	const struct document_query *query, struct alert_filter *filter, struct err *err)
{
	*filter = (struct alert_filter){
		.rule = query->rule,
		.cluster = query->cluster,
		.namespace = query->namespace,
		.pod = query->pod,
		.node = query->node,
		.container_id = query->container,
		.scope = query->scope,
		.quarantined = query->quarantined,
	};
	if (query->source.size) {
		filter->source = source_parse(query->source);
		if (filter->source == SOURCE_NONE)
			return err_set(err, ERR_INPUT, "there is no source of that name");
	}
	return query_severity(query, &filter->severity_min, err) < 0 ||
			       query_time(query->since, &filter->since_ns, err) < 0 ||
			       query_time(query->until, &filter->until_ns, err) < 0
		       ? -1
		       : 0;
}

/* Only the alerts of one incident. */
static int filter_incident(struct connection *connection, struct text word, struct arena *arena,
	struct alert_filter *filter, struct err *err)
{
	static const uint64_t none[1];
	uint64_t number;
	struct leaf_page leaves = {.limit = INCIDENT_LEAVES_MAX, .arena = arena};
	if (!word.size)
		return 0;
	if (!incident_number_parse(word, &number))
		return err_set(err, ERR_INPUT, "incident must be a number, as INC-12");
	if (reach_incident(connection, filter->scope, number, err) < 0 ||
		incident_leaves(connection, number, &leaves, err) < 0)
		return -1;
	filter->leaves = leaves.leaves ? leaves.leaves : none;
	filter->n_leaves = leaves.n;
	return 0;
}

/* Where the query is about one incident only its alerts need looking at, if they are not too many.
 */
static int filter_by_query(struct connection *connection, struct arena *arena,
	struct alert_filter *filter, struct err *err)
{
	static const uint64_t none[1];
	int64_t first = 1, last = INT64_MAX;
	struct leaf_page leaves = {.limit = INCIDENT_LEAVES_MAX, .arena = arena};
	query_bound(filter->query, FIELD_INCIDENT, &first, &last);
	if (first != last || filter->leaves)
		return 0;
	if (incident_leaves(connection, (uint64_t)first, &leaves, err) < 0) {
		filter->leaves = none;
		return err->kind == ERR_MISSING ? 0 : -1;
	}
	if (leaves.next_from)
		return 0;
	filter->leaves = leaves.n ? leaves.leaves : none;
	filter->n_leaves = leaves.n;
	return 0;
}

int alert_filter_read(struct connection *connection, const struct document_query *query,
	struct arena *arena, struct alert_filter *filter, struct err *err)
{
	if (document_alert_filter(query, filter, err) < 0 ||
		query_filter(query, QUERY_OF_ALERTS, arena, &filter->query, err) < 0 ||
		filter_incident(connection, query->incident, arena, filter, err) < 0)
		return -1;
	return filter_by_query(connection, arena, filter, err);
}

static int write_alert(struct connection *connection, struct emitter *emitter,
	const struct alert *alert, struct err *err)
{
	uint64_t incident;
	if (incident_of_alert(connection, alert, &incident, err) < 0)
		return -1;
	alert_write_json(emitter, alert, incident);
	return 0;
}

int document_alert_at(struct connection *connection, uint64_t leaf, struct alert_seen *seen,
	struct buf *out, struct err *err)
{
	struct emitter emitter;
	seen->alert = arena_alloc(seen->arena, sizeof *seen->alert);
	if (!seen->alert)
		return err_set(err, ERR_MEMORY, "out of memory reading an alert");
	if (alert_read(connection, leaf, seen->arena, seen->alert, err) < 0 ||
		incident_of_alert(connection, seen->alert, &seen->incident, err) < 0)
		return -1;
	emit_init(&emitter, out);
	alert_write_json(&emitter, seen->alert, seen->incident);
	return 0;
}

int document_alerts(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena = {0};
	struct emitter emitter;
	struct alert_filter filter;
	if (query->group.size)
		return document_alert_groups(connection, query, out, err);
	arena_init(&arena, ARENA_BYTES);
	struct alert_page page = {.arena = &arena};
	if (query_page(query, &page.limit, &page.before, err) < 0 ||
		alert_filter_read(connection, query, &arena, &filter, err) < 0 ||
		alerts_list(connection, &filter, &page, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (const struct alert *alert = page.first; alert; alert = alert->next)
		if (write_alert(connection, &emitter, alert, err) < 0)
			return -1;
	emit_array_end(&emitter);
	if (page.next_before) {
		emit_key(&emitter, "next");
		emit_big(&emitter, page.next_before);
	}
	emit_object_end(&emitter);
	return 0;
}

static int read_one(struct connection *connection, struct text id, struct arena *arena,
	struct alert *alert, struct err *err)
{
	uint64_t leaf;
	return alert_find(connection, id, &leaf, err) < 0 ||
			       alert_read(connection, leaf, arena, alert, err) < 0
		       ? -1
		       : 0;
}

int document_alert(struct connection *connection, struct text id, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct alert alert;
	arena_init(&arena, ARENA_BYTES);
	emit_init(&emitter, out);
	return read_one(connection, id, &arena, &alert, err) < 0
		       ? -1
		       : write_alert(connection, &emitter, &alert, err);
}

int document_raw(struct connection *connection, struct text id, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct alert alert;
	arena_init(&arena, ARENA_BYTES);
	if (read_one(connection, id, &arena, &alert, err) < 0)
		return -1;
	if (!alert.raw.data)
		return err_set(err, ERR_MISSING,
			"the raw bytes of alert %llu are not kept any more: see retention.raw",
			(unsigned long long)alert.leaf);
	buf_add(out, alert.raw);
	return 0;
}
