/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alerts.h"

#include <string.h>

#include "base/cleanup.h"
#include "model/alert_record.h"
#include "model/entity.h"
#include "model/query_eval.h"
#include "model/scope.h"
#include "store/alert_ends.h"
#include "store/alert_scan.h"
#include "store/block.h"
#include "store/incidents.h"
#include "store/ledger.h"
#include "store/occurrences.h"

enum { SCANNED_MAX = 100000 };

#define COLUMNS                                                                                    \
	"SELECT a.leaf, a.slot, a.entity, a.occ, a.time_ns, a.received_ns, a.fingerprint, "        \
	"a.stream,"                                                                                \
	" a.bits, a.count, f.hash, r.name, s.name, e.packed, t.tactics, t.techniques, o.source,"   \
	" o.cluster, p.name, p.exe, p.parent, p.user, i.name, i.digest, f.operation, f.resource"   \
	" FROM alert a JOIN fingerprint f ON f.id = a.fingerprint JOIN rule r ON r.id = f.rule"    \
	" JOIN sensor s ON s.id = f.sensor JOIN entity e ON e.id = a.entity"                       \
	" JOIN attack t ON t.id = a.attack JOIN origin o ON o.id = a.origin"                       \
	" JOIN process p ON p.id = a.process JOIN image i ON i.id = a.image"

static void read_techniques(struct text packed, struct alert *alert)
{
	for (size_t i = 0; i + 4 <= packed.size && alert->n_techniques < ATTACK_TECHNIQUES_MAX;
		i += 4)
		alert->techniques[alert->n_techniques++] =
			(technique_code)(uint8_t)packed.data[i] << 24 |
			(technique_code)(uint8_t)packed.data[i + 1] << 16 |
			(technique_code)(uint8_t)packed.data[i + 2] << 8 |
			(technique_code)(uint8_t)packed.data[i + 3];
}

static void read_entity(struct text packed, struct alert *alert)
{
	struct identity_seen seen;
	if (!identity_seen_unpack(packed, &seen))
		return;
	alert->cluster = seen.cluster;
	alert->pod_uid = seen.uid;
	alert->container_id = seen.container;
	alert->node = seen.node;
	struct text rest = seen.name;
	if (rest.size && text_split(&rest, '/', &alert->namespace))
		alert->pod = rest;
}

static void copy_bytes(void *to, struct text from, size_t size)
{
	if (from.size == size)
		memcpy(to, from.data, size);
}

/* What the row knows; the record beside the raw knows more, as long as it is kept. */
static int64_t read_row(sqlite3_stmt *statement, struct arena *arena, struct alert *alert)
{
	int64_t bits = sql_i64(statement, 8);
	*alert = (struct alert){
		.kind = LEAF_ALERT,
		.leaf = (uint64_t)sql_i64(statement, 0),
		.slot = sql_is_null(statement, 1) ? -1 : sql_i64(statement, 1),
		.entity_id = sql_i64(statement, 2),
		.time_ns = sql_i64(statement, 4),
		.received_ns = sql_i64(statement, 5),
		.fingerprint_id = sql_i64(statement, 6),
		.severity = (enum severity)(bits & 15),
		.action = (enum alert_action)(bits >> 4 & 15),
		.flags = (uint32_t)(bits >> 8),
		.count = (uint64_t)sql_i64(statement, 9),
		.rule = arena_copy(arena, sql_text(statement, 11)),
		.sensor = arena_copy(arena, sql_text(statement, 12)),
		.tactics = (tactic_mask)sql_i64(statement, 14),
		.source = (enum source)sql_i64(statement, 16),
		.process = {.name = arena_copy(arena, sql_text(statement, 18)),
			.exe = arena_copy(arena, sql_text(statement, 19)),
			.parent = arena_copy(arena, sql_text(statement, 20)),
			.user = arena_copy(arena, sql_text(statement, 21)),
			.pid = -1,
			.uid = -1},
		.image = arena_copy(arena, sql_text(statement, 22)),
		.image_digest = arena_copy(arena, sql_text(statement, 23)),
		.operation = arena_copy(arena, sql_text(statement, 24)),
		.resource = arena_copy(arena, sql_text(statement, 25)),
	};
	copy_bytes(alert->occ, sql_blob(statement, 3), OCCURRENCE_BYTES);
	copy_bytes(alert->fingerprint, sql_blob(statement, 10), FINGERPRINT_BYTES);
	read_entity(arena_copy(arena, sql_blob(statement, 13)), alert);
	read_techniques(sql_blob(statement, 15), alert);
	return sql_i64(statement, 7);
}

/* Adds what the block knows. An alert whose raw has left is as complete as its row. */
static int read_block(struct connection *connection, int64_t stream, struct arena *arena,
	struct alert *alert, struct err *err)
{
	struct block_entry entry;
	if (block_find(connection, stream, alert->leaf, arena, &entry, err) < 0)
		return err->kind == ERR_MISSING ? 0 : -1;
	struct alert row = *alert;
	if (alert_record_read(entry.record, arena, alert, err) < 0)
		return -1;
	alert->next = NULL;
	alert->kind = row.kind;
	alert->leaf = row.leaf;
	alert->slot = row.slot;
	alert->entity_id = row.entity_id;
	alert->fingerprint_id = row.fingerprint_id;
	alert->received_ns = entry.received_ns;
	alert->source = row.source;
	alert->flags = row.flags;
	alert->raw = entry.raw;
	alert->raw_digest = entry.digest;
	memcpy(alert->occ, row.occ, OCCURRENCE_BYTES);
	return 0;
}

/* Was it never there, or has it left? The open tile says how many leaves there are. */
static int missing(struct connection *connection, uint64_t leaf, struct err *err)
{
	uint64_t n_leaves;
	if (ledger_count(connection, &n_leaves, err) < 0)
		return -1;
	return err_set(err, ERR_MISSING,
		leaf < n_leaves ? "alert %llu has left with its age: see retention.horizon and "
				  "retention.size"
				: "there is no alert with leaf %llu",
		(unsigned long long)leaf);
}

static int read_quarantined(struct connection *connection, uint64_t leaf, struct arena *arena,
	struct alert *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT q.received_ns, q.stream, q.reason, o.source, o.cluster, q.digest"
		" FROM quarantine q JOIN origin o ON o.id = q.origin WHERE q.leaf = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)leaf);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found < 0 ? -1 : missing(connection, leaf, err);
	*out = (struct alert){
		.kind = LEAF_QUARANTINED,
		.leaf = leaf,
		.slot = -1,
		.received_ns = sql_i64(statement, 0),
		.time_ns = sql_i64(statement, 0),
		.quarantine_reason = arena_copy(arena, sql_text(statement, 2)),
		.source = (enum source)sql_i64(statement, 3),
		.cluster = arena_copy(arena, sql_text(statement, 4)),
		.process = {.pid = -1, .uid = -1},
		.count = 1,
	};
	copy_bytes(out->raw_digest.bytes, sql_blob(statement, 5), DIGEST_BYTES);
	int64_t stream = sql_i64(statement, 1);
	sqlite3_reset(statement);
	struct block_entry entry;
	if (block_find(connection, stream, leaf, arena, &entry, err) < 0)
		return err->kind == ERR_MISSING ? 0 : -1;
	out->raw = entry.raw;
	return 0;
}

int alert_read(struct connection *connection, uint64_t leaf, struct arena *arena, struct alert *out,
	struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, COLUMNS " WHERE a.leaf = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)leaf);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found)
		return read_quarantined(connection, leaf, arena, out, err);
	int64_t stream = read_row(statement, arena, out);
	sqlite3_reset(statement);
	if (arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory reading an alert");
	if (read_block(connection, stream, arena, out, err) < 0)
		return -1;
	return alert_is(out, ALERT_STATEFUL) ? alert_end_read(connection, out, err) : 0;
}

static bool text_wanted(struct text wanted, struct text value)
{
	return !wanted.size || text_equal(wanted, value);
}

static bool time_wanted(const struct alert_filter *filter, int64_t time_ns)
{
	return (!filter->since_ns || time_ns >= filter->since_ns) &&
	       (!filter->until_ns || time_ns < filter->until_ns);
}

/* What does not say its namespace is the incident's, when the list is one's that may be seen. */
static bool is_in_scope(const struct alert_filter *filter, const struct alert *alert)
{
	if (filter->leaves && !alert->namespace.size)
		return true;
	return scope_includes(filter->scope, alert->cluster, alert->namespace);
}

bool alert_is_wanted(const struct alert_filter *filter, const struct alert *alert)
{
	return is_in_scope(filter, alert) && alert->severity >= filter->severity_min &&
	       (filter->source == SOURCE_NONE || filter->source == alert->source) &&
	       time_wanted(filter, alert->time_ns) && text_wanted(filter->rule, alert->rule) &&
	       text_wanted(filter->cluster, alert->cluster) &&
	       text_wanted(filter->namespace, alert->namespace) &&
	       text_wanted(filter->pod, alert->pod) && text_wanted(filter->node, alert->node) &&
	       text_wanted(filter->container_id, alert->container_id);
}

/* Does the filter's query find it? */
static int is_found(struct connection *connection, const struct query *query,
	const struct alert *alert, bool *found, struct err *err)
{
	uint64_t incident = 0;
	if (query && query_needs_incident(query) &&
		incident_of_alert(connection, alert, &incident, err) < 0)
		return -1;
	*found = !query || query_has_alert(query, alert, incident);
	return 0;
}

int alert_read_wanted(struct connection *connection, const struct alert_filter *filter,
	uint64_t leaf, struct arena *arena, struct alert **out, struct err *err)
{
	struct arena_mark mark = arena_mark(arena);
	struct alert *alert = arena_alloc(arena, sizeof *alert);
	*out = NULL;
	if (!alert)
		return err_set(err, ERR_MEMORY, "out of memory listing alerts");
	if (alert_read(connection, leaf, arena, alert, err) < 0)
		return err->kind == ERR_MISSING ? 0 : -1;
	bool found =
		filter->quarantined ? is_in_scope(filter, alert) : alert_is_wanted(filter, alert);
	if (found && is_found(connection, filter->query, alert, &found, err) < 0)
		return -1;
	if (found)
		*out = alert;
	else
		arena_back(arena, mark); /* else a page of few holds all that it looked at */
	return 0;
}

/* Is the page long enough, or reading it taking too long? At least one row is looked at. */
static bool is_full(
	struct connection *connection, const struct alert_page *page, size_t n, size_t scanned)
{
	return n == page->limit || scanned == SCANNED_MAX ||
	       (scanned && connection_is_late(connection));
}

int alerts_list(struct connection *connection, const struct alert_filter *filter,
	struct alert_page *page, struct err *err)
{
	AUTO(alert_scan_done) struct alert_scan scan;
	struct alert **last = &page->first;
	size_t n = 0, scanned = 0;
	page->first = NULL;
	page->next_before = 0;
	if (alert_scan_init(&scan, connection, filter, page->before, page->arena, err) < 0)
		return -1;
	for (uint64_t before = page->before;; before = scan.before, scanned++) {
		uint64_t leaf = 0;
		enum alert_scan_found found = alert_scan_next(&scan, &leaf, err);
		if (found == ALERT_SCAN_FAILED || found == ALERT_SCAN_END)
			return found == ALERT_SCAN_END ? 0 : -1;
		bool pause = found == ALERT_SCAN_PAUSE;
		if (is_full(connection, page, n, pause ? SIZE_MAX : scanned)) {
			page->next_before = pause ? scan.before : before;
			return 0;
		}
		if (pause)
			continue;
		struct alert *alert;
		if (alert_read_wanted(connection, filter, leaf, page->arena, &alert, err) < 0)
			return -1;
		if (!alert)
			continue;
		*last = alert;
		last = &alert->next;
		n++;
	}
}

int alert_find(struct connection *connection, struct text id, uint64_t *leaf, struct err *err)
{
	unsigned char occ[OCCURRENCE_BYTES];
	if (id.size == 2 * OCCURRENCE_BYTES && text_to_bytes(id, occ, sizeof occ))
		return occurrence_find(connection, occ, leaf, err);
	if (text_to_u64(id, leaf) && *leaf <= INT64_MAX)
		return 0;
	return err_set(err, ERR_INPUT, "'%.*s' is no alert id: give 32 hex digits or a leaf number",
		TEXT_ARG(id));
}
