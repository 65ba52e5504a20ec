/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/coverage.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "documents/documents.h"
#include "documents/query.h"
#include "store/agents.h"
#include "store/alerts.h"
#include "store/coverages.h"
#include "store/sensor_counts.h"
#include "store/sheds.h"

enum {
	ARENA_BYTES = 64 * 1024 * 1024,
	SHOWN_S = 86400, /* what a list shows unless told */
	SPAN_MAX_S = 31 * 86400,
	AROUND_S = 60, /* before an incident's first alert: what led to it may be missing */
	INCIDENT_GAPS_MAX = 50,
	SAMPLES_READ = 4, /* each reads a frame of raw bytes */
};

static void write_item(struct emitter *out, const struct coverage *item)
{
	emit_object(out);
	emit_member_string(out, "source", source_info(item->source)->name);
	emit_member_text(out, "cluster", item->cluster);
	emit_member_text(out, "node", item->node);
	emit_member_text(out, "sensor", item->sensor);
	emit_member_string(out, "state", coverage_state_name(item->state));
	emit_member_time(out, "from", item->from_ns);
	if (item->until_ns != COVERAGE_GOES_ON_NS)
		emit_member_time(out, "until", item->until_ns);
	if (item->n) {
		emit_key(out, "n");
		emit_big(out, item->n);
	}
	emit_object_end(out);
}

static void write_big(struct emitter *out, const char *key, uint64_t number)
{
	emit_key(out, key);
	emit_big(out, number);
}

static void write_shed(struct emitter *out, const struct shed_sum *sum)
{
	emit_object(out);
	emit_member_string(out, "source", source_info(sum->source)->name);
	emit_member_text(out, "cluster", sum->cluster);
	emit_member_text(out, "node", sum->node);
	emit_member_text(out, "severity", sum->severity);
	emit_member_text(out, "rule", sum->rule);
	emit_member_time(out, "from", sum->from_ns);
	emit_member_time(out, "until", sum->until_ns);
	write_big(out, "n", sum->n);
	write_big(out, "bytes", sum->bytes);
	emit_member_u64(out, "leaves", sum->n_leaves);
	emit_object_end(out);
}

/* The member "shed", where something was. */
static int write_sheds(struct connection *connection, const struct coverage_filter *filter,
	struct emitter *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct shed_list list;
	arena_init(&arena, ARENA_BYTES);
	if (sheds_list(connection, filter, &arena, &list, err) < 0)
		return -1;
	if (list.n == 0)
		return 0;
	emit_key(out, "shed");
	emit_array(out);
	for (size_t i = 0; i < list.n; i++)
		write_shed(out, &list.items[i]);
	emit_array_end(out);
	if (list.is_cut)
		emit_member_bool(out, "shed_cut", true);
	return 0;
}

static int read_span(
	const struct document_query *query, struct coverage_filter *filter, struct err *err)
{
	if (query_time(query->since, &filter->from_ns, err) < 0 ||
		query_time(query->until, &filter->until_ns, err) < 0)
		return -1;
	if (!filter->until_ns)
		filter->until_ns = query->now_ns;
	if (!filter->from_ns)
		filter->from_ns = filter->until_ns - SHOWN_S * NS_PER_S;
	if (filter->from_ns > filter->until_ns)
		return err_set(err, ERR_DENIED, "until must be after since");
	if (filter->until_ns - filter->from_ns > SPAN_MAX_S * NS_PER_S)
		return err_set(err, ERR_DENIED, "since and until may be %d days apart",
			SPAN_MAX_S / 86400);
	return 0;
}

int document_coverage(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct coverage_list list;
	arena_init(&arena, ARENA_BYTES);
	struct coverage_filter filter = {.now_ns = query->now_ns,
		.cluster = query->cluster,
		.node = query->node,
		.source = query->source};
	if (query->source.size && source_parse(query->source) == SOURCE_NONE)
		return err_set(err, ERR_INPUT, "there is no source of that name");
	if (read_span(query, &filter, err) < 0 ||
		coverage_list(connection, &filter, &arena, &list, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_time(&emitter, "since", filter.from_ns);
	emit_member_time(&emitter, "until", filter.until_ns);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = 0; i < list.n; i++)
		write_item(&emitter, &list.items[i]);
	emit_array_end(&emitter);
	if (list.is_cut)
		emit_member_bool(&emitter, "cut", true);
	if (write_sheds(connection, &filter, &emitter, err) < 0)
		return -1;
	emit_object_end(&emitter);
	return 0;
}

/* The node that one of its alerts names: a pod runs on one. */
static int find_node(struct connection *connection, const struct incident *incident,
	struct arena *arena, struct text *node, struct err *err)
{
	*node = incident->node;
	for (size_t i = 0, n = 0; i < incident->n_prints && n < SAMPLES_READ && !node->size; i++) {
		struct alert alert;
		if (incident->prints[i].n_samples == 0)
			continue;
		n++;
		if (alert_read(connection, incident->prints[i].sample_leaves[0], arena, &alert,
			    err) == 0)
			*node = alert.node;
		else if (err->kind != ERR_MISSING)
			return -1;
	}
	return 0;
}

/* Before it is sealed: whose agents are not heard now, and have not said all up to its end. */
static int write_unheard(struct connection *connection, const struct incident *incident,
	int64_t now_ns, struct arena *arena, struct buf *out, struct err *err)
{
	struct agent_list agents;
	struct emitter emitter;
	const struct agent_report *named = NULL; /* the node that was named last */
	size_t n = 0;
	if (agents_list(connection, arena, &agents, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_array(&emitter);
	for (size_t i = 0; i < agents.n && n < INCIDENT_GAPS_MAX; i++) {
		const struct agent_row *agent = &agents.items[i];
		bool is_named = named && text_equal(agent->report.cluster, named->cluster) &&
				text_equal(agent->report.node, named->node);
		if (is_named || now_ns - agent->heard_ns <= AGENT_NOT_HEARD_NS ||
			now_ns - agent->heard_ns > AGENT_FORGOTTEN_NS ||
			agent->report.oldest_ns > incident->last_seen_ns ||
			!text_equal(agent->report.cluster, incident->cluster))
			continue;
		emit_text(&emitter, agent->report.node);
		named = &agent->report;
		n++;
	}
	emit_array_end(&emitter);
	if (n == 0)
		buf_clear(out);
	return 0;
}

static int read_unheard(struct connection *connection, const struct incident *incident,
	int64_t now_ns, struct arena *arena, struct text *unheard, struct err *err)
{
	AUTO(buf_done) struct buf out = {0};
	buf_init(&out, ARENA_BYTES);
	*unheard = incident->unheard;
	if (incident->sealed_ns)
		return 0;
	if (write_unheard(connection, incident, now_ns, arena, &out, err) < 0)
		return -1;
	if (!buf_ok(&out))
		return buf_error(&out, err, "the nodes that were not heard");
	*unheard = out.size ? arena_copy(arena, buf_text(&out)) : TEXT_NONE;
	return 0;
}

int incident_gaps_read(struct connection *connection, const struct incident *incident,
	int64_t now_ns, struct arena *arena, struct incident_gaps *out, struct err *err)
{
	AUTO(buf_done) struct buf items = {0};
	struct emitter emitter;
	struct coverage_list list;
	buf_init(&items, ARENA_BYTES);
	if (find_node(connection, incident, arena, &out->node, err) < 0 ||
		read_unheard(connection, incident, now_ns, arena, &out->unheard, err) < 0)
		return -1;
	struct coverage_filter filter = {.from_ns = incident->first_seen_ns - AROUND_S * NS_PER_S,
		.until_ns = incident->last_seen_ns,
		.now_ns = now_ns,
		.cluster = incident->cluster,
		.node = out->node,
		.gaps_only = true};
	if (coverage_list(connection, &filter, arena, &list, err) < 0)
		return -1;
	emit_init(&emitter, &items);
	emit_array(&emitter);
	for (size_t i = 0; i < list.n && i < INCIDENT_GAPS_MAX; i++)
		write_item(&emitter, &list.items[i]);
	emit_array_end(&emitter);
	if (!buf_ok(&items))
		return buf_error(&items, err, "an incident's coverage");
	out->items = arena_copy(arena, buf_text(&items));
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading coverage") : 0;
}

int agents_write(
	struct connection *connection, int64_t now_ns, struct emitter *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct agent_list agents;
	arena_init(&arena, ARENA_BYTES);
	if (agents_list(connection, &arena, &agents, err) < 0)
		return -1;
	emit_key(out, "agents");
	emit_array(out);
	for (size_t i = 0; i < agents.n; i++) {
		const struct agent_row *agent = &agents.items[i];
		char spool[2 * SPOOL_MARK_BYTES + 1];
		text_hex(spool, agent->report.spool, SPOOL_MARK_BYTES);
		emit_object(out);
		emit_member_text(out, "cluster", agent->report.cluster);
		emit_member_text(out, "node", agent->report.node);
		emit_member_string(out, "spool", spool);
		emit_member_text(out, "version", agent->report.version);
		emit_member_text(out, "boot", agent->report.boot);
		if (agent->boot_ns)
			emit_member_time(out, "boot_first_heard", agent->boot_ns);
		emit_member_string(
			out, "state", agent_state_name(agent_state_at(agent->heard_ns, now_ns)));
		emit_member_time(out, "last_heard", agent->heard_ns);
		emit_member_time(out, "complete_until", agent->report.oldest_ns);
		emit_member_u64(out, "waiting", agent->report.n_waiting);
		emit_member_u64(out, "waiting_bytes", agent->report.waiting_bytes);
		emit_object_end(out);
	}
	emit_array_end(out);
	return 0;
}
