/* SPDX-License-Identifier: Apache-2.0 */
#include "store/backtest.h"

#include <string.h>

#include "base/table.h"
#include "model/entity.h"
#include "model/scope.h"
#include "model/slot.h"

/* A back-test under way. */
struct running {
	struct connection *connection;
	struct backtest *out;
	struct table
		*known; /* entity and print → place in kinds plus one, or kinds' size plus one */
	int64_t until_ms;
};

/* One row of ROWS. */
struct found {
	struct alert alert; /* what labels are made of */
	struct suppression_hit kind;
};

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory for a back-test");
}

static void read_found(sqlite3_stmt *statement, struct found *found)
{
	struct identity_seen seen;
	struct text hash = sql_blob(statement, 7);
	*found = (struct found){
		.kind = {.entity = sql_i64(statement, 0),
			.fingerprint = sql_i64(statement, 1) >> 1,
			.n = (uint64_t)sql_i64(statement, 3),
			.lo_ns = sql_i64(statement, 4),
			.hi_ns = sql_i64(statement, 5),
			.packed = sql_blob(statement, 6),
			.rule = sql_text(statement, 8),
			.sensor = sql_text(statement, 9),
			.exe = sql_text(statement, 10)},
		.alert = {.severity = (enum severity)sql_i64(statement, 2)},
	};
	struct alert *alert = &found->alert;
	if (hash.size == FINGERPRINT_BYTES)
		memcpy(found->kind.hash, hash.data, FINGERPRINT_BYTES);
	memcpy(alert->fingerprint, found->kind.hash, FINGERPRINT_BYTES);
	alert->rule = found->kind.rule;
	alert->sensor = found->kind.sensor;
	alert->process.exe = found->kind.exe;
	if (!identity_seen_unpack(found->kind.packed, &seen))
		return;
	alert->cluster = seen.cluster;
	alert->container_id = seen.container;
	alert->node = seen.node;
	alert->pod = seen.name;
	if (seen.name.size)
		text_split(&alert->pod, '/', &alert->namespace);
}

static int add_kind(struct running *running, const struct suppression_hit *kind, struct err *err)
{
	struct backtest *out = running->out;
	int64_t parts[] = {kind->entity, kind->fingerprint};
	union table_value *place =
		table_put(running->known, (struct text){(const char *)parts, sizeof parts});
	if (!place)
		return no_memory(err);
	size_t at = (size_t)place->number;
	if (at == 0) {
		if (out->n_kinds == BACKTEST_KINDS_MAX)
			return 0;
		place->number = (int64_t)(at = ++out->n_kinds);
		if (at > BACKTEST_KINDS_SHOWN)
			return 0;
		struct suppression_hit *row = &out->kinds[at - 1];
		*row = *kind;
		row->packed = arena_copy(out->arena, kind->packed);
		row->rule = arena_copy(out->arena, kind->rule);
		row->sensor = arena_copy(out->arena, kind->sensor);
		row->exe = arena_copy(out->arena, kind->exe);
		return out->arena->failed ? no_memory(err) : 0;
	}
	if (at > BACKTEST_KINDS_SHOWN)
		return 0;
	struct suppression_hit *row = &out->kinds[at - 1];
	row->n += kind->n;
	row->lo_ns = kind->lo_ns < row->lo_ns ? kind->lo_ns : row->lo_ns;
	row->hi_ns = kind->hi_ns > row->hi_ns ? kind->hi_ns : row->hi_ns;
	return 0;
}

static int look_at(struct running *running, sqlite3_stmt *statement, struct err *err)
{
	struct found found;
	struct suppression_labels labels = {0};
	struct backtest *out = running->out;
	read_found(statement, &found);
	if (!scope_includes(out->scope, found.alert.cluster, found.alert.namespace))
		return 0;
	out->n_alerts += found.kind.n;
	suppression_labels_of_alert(&labels, &found.alert);
	if (!suppression_fits(out->wish, &labels, LABELS_ALL))
		return 0;
	out->n_matched += found.kind.n;
	return add_kind(running, &found.kind, err);
}

/* 1: done; 0: the time is over. */
static int look_at_slots(
	struct running *running, int64_t from_slot, int64_t to_slot, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(running->connection,
		"SELECT g.entity, g.print, g.severity, g.n, g.lo, g.hi, e.packed, f.hash, r.name,"
		" s.name, f.exe FROM (SELECT entity, print, severity, sum(n) AS n, min(lo) AS lo,"
		" max(hi) AS hi FROM slot WHERE slot >= ?1 AND slot < ?2"
		" GROUP BY entity, print, severity) g"
		" JOIN entity e ON e.id = g.entity JOIN fingerprint f ON f.id = g.print >> 1"
		" JOIN rule r ON r.id = f.rule JOIN sensor s ON s.id = f.sensor",
		err);
	int step;
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, from_slot);
	sql_bind_i64(statement, 2, to_slot);
	while ((step = sql_step(statement, err)) > 0)
		if (look_at(running, statement, err) < 0) {
			sqlite3_reset(statement);
			return -1;
		}
	if (step < 0)
		return -1;
	return clock_monotonic_ms(&clock_system) < running->until_ms;
}

static int look_back(struct running *running, struct err *err)
{
	enum { SLOTS_AT_ONCE = SLOTS_PER_DAY / 4 };
	struct backtest *out = running->out;
	int64_t slot = slot_of(out->now_ns) + 1;
	int64_t end = slot_of(out->now_ns - (int64_t)BACKTEST_DAYS * 86400 * NS_PER_S);
	/* Clocks may be a day wrong. */
	int64_t above = slot + SLOTS_PER_DAY;
	int more = 1;
	for (int64_t to = above; more > 0 && to > end; to = slot) {
		slot = to == above ? slot - SLOTS_AT_ONCE : to - SLOTS_AT_ONCE;
		slot = slot < end ? end : slot;
		more = look_at_slots(running, slot, to, err);
	}
	out->since_ns = slot * SLOT_NS;
	out->complete = slot == end;
	return more < 0 ? -1 : 0;
}

int backtest_run(struct connection *connection, struct backtest *backtest, struct err *err)
{
	struct running running = {.connection = connection,
		.out = backtest,
		.known = table_new(NULL),
		.until_ms = clock_monotonic_ms(&clock_system) + BACKTEST_MS};
	if (!running.known)
		return no_memory(err);
	int failed = look_back(&running, err);
	table_free(running.known);
	return failed;
}
