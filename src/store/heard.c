/* SPDX-License-Identifier: Apache-2.0 */
#include "store/heard.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/table.h"

enum { KEY_BYTES = 64 * 1024, COUNTS_MAX = 65536 };

/* Counts since the last writing. */
struct counts {
	int64_t origin;
	int64_t first_received_ns, last_received_ns, last_event_ns;
	int64_t accepted, duplicate, quarantined, shed;
	int64_t started_ns, health_ns, drops, output_drops;
	size_t node_size, sensor_size, version_size;
	char texts[]; /* node, sensor; version has its own place */
};

struct heard {
	struct table *counts;  /* of committed transactions */
	struct table *running; /* of the one that runs */
	struct buf key;
	int64_t flushed_ns, flushed_before_ns;
	bool is_flushed; /* both were written by the running transaction */
};

struct heard *heard_new(void)
{
	struct heard *heard = calloc(1, sizeof *heard);
	if (!heard)
		return NULL;
	buf_init(&heard->key, KEY_BYTES);
	heard->counts = table_new(free);
	heard->running = table_new(free);
	if (!heard->counts || !heard->running) {
		heard_free(heard);
		return NULL;
	}
	return heard;
}

void heard_free(struct heard *heard)
{
	if (!heard)
		return;
	table_free(heard->counts);
	table_free(heard->running);
	buf_done(&heard->key);
	free(heard);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void add_counts(struct counts *into, const struct counts *more)
{
	into->last_received_ns = later(into->last_received_ns, more->last_received_ns);
	into->last_event_ns = later(into->last_event_ns, more->last_event_ns);
	into->accepted += more->accepted;
	into->duplicate += more->duplicate;
	into->quarantined += more->quarantined;
	if (__builtin_add_overflow(into->shed, more->shed, &into->shed))
		into->shed = INT64_MAX;
	into->started_ns = later(into->started_ns, more->started_ns);
	into->health_ns = later(into->health_ns, more->health_ns);
	into->drops += more->drops;
	into->output_drops = later(into->output_drops, more->output_drops);
}

void heard_committed(struct heard *heard)
{
	struct text key;
	union table_value *value;
	if (heard->is_flushed)
		table_clear(heard->counts);
	for (size_t at = 0; !heard->is_flushed && table_next(heard->running, &at, &key, &value);) {
		union table_value *place = table_put(heard->counts, key);
		if (place && place->pointer) {
			add_counts(place->pointer, value->pointer);
		} else if (place) {
			place->pointer = value->pointer;
			value->pointer = NULL;
		}
	}
	table_clear(heard->running);
	heard->is_flushed = false;
}

void heard_rolled_back(struct heard *heard)
{
	table_clear(heard->running);
	if (heard->is_flushed)
		heard->flushed_ns = heard->flushed_before_ns;
	heard->is_flushed = false;
}

static struct counts *find_counts(struct heard *heard, const struct alert *alert, int64_t origin)
{
	struct buf *key = &heard->key;
	buf_clear(key);
	buf_add_varint(key, (uint64_t)origin);
	buf_add_varint(key, alert->node.size);
	buf_add(key, alert->node);
	buf_add(key, alert->sensor);
	union table_value *place = buf_ok(key) ? table_put(heard->running, buf_text(key)) : NULL;
	if (!place || place->pointer)
		return place ? place->pointer : NULL;
	struct counts *counts = calloc(1, sizeof *counts + alert->node.size + alert->sensor.size);
	if (!counts) {
		table_remove(heard->running, buf_text(key));
		return NULL;
	}
	*counts = (struct counts){.origin = origin,
		.first_received_ns = alert->received_ns,
		.node_size = alert->node.size,
		.sensor_size = alert->sensor.size};
	if (alert->node.size)
		memcpy(counts->texts, alert->node.data, alert->node.size);
	if (alert->sensor.size)
		memcpy(counts->texts + alert->node.size, alert->sensor.data, alert->sensor.size);
	place->pointer = counts;
	return counts;
}

static void count_health(struct counts *counts, const struct alert *alert)
{
	const struct health_fact *health = alert->health;
	counts->health_ns = alert->received_ns;
	if (health->kind == HEALTH_DROPS && health->n_drops > 0)
		counts->drops += health->n_drops;
	if (health->n_output_drops > counts->output_drops)
		counts->output_drops = health->n_output_drops;
	if (health->started_at_ns > counts->started_ns)
		counts->started_ns = health->started_at_ns;
}

int heard_count(struct heard *heard, const struct alert *alert, int64_t origin, struct err *err)
{
	struct counts *counts = find_counts(heard, alert, origin);
	if (!counts)
		return err_set(err, ERR_MEMORY, "out of memory counting heard");
	if (alert->received_ns > counts->last_received_ns)
		counts->last_received_ns = alert->received_ns;
	if (alert->time_ns > counts->last_event_ns && alert->kind == LEAF_ALERT)
		counts->last_event_ns = alert->time_ns;
	counts->accepted += alert->outcome == OUTCOME_ACCEPTED;
	counts->duplicate += alert->outcome == OUTCOME_DUPLICATE;
	counts->quarantined += alert->outcome == OUTCOME_QUARANTINED;
	if (alert->outcome == OUTCOME_SHED &&
		(alert->shed->n > INT64_MAX || __builtin_add_overflow(counts->shed,
						       (int64_t)alert->shed->n, &counts->shed)))
		counts->shed = INT64_MAX;
	if (alert->outcome == OUTCOME_ACCEPTED && alert->health)
		count_health(counts, alert);
	return 0;
}

bool heard_pending(const struct heard *heard)
{
	return table_count(heard->counts) > 0;
}

static int write_counts(struct connection *connection, const struct counts *counts, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO sender (origin, node, sensor, first_received_ns, last_received_ns,"
		" last_event_ns, accepted, duplicate, quarantined, started_ns, health_ns, drops,"
		" output_drops, shed)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
		" ON CONFLICT (origin, node, sensor) DO UPDATE SET"
		" last_received_ns = max(last_received_ns, ?5), last_event_ns = max(last_event_ns, "
		"?6),"
		" accepted = accepted + ?7, duplicate = duplicate + ?8,"
		" quarantined = quarantined + ?9, started_ns = coalesce(?10, started_ns),"
		" health_ns = coalesce(?11, health_ns), drops = drops + ?12,"
		" output_drops = max(output_drops, ?13),"
		/* a sum over what a column holds would become a float */
		" shed = CASE WHEN shed > 9223372036854775807 - ?14 THEN 9223372036854775807"
		" ELSE shed + ?14 END",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, counts->origin);
	sql_bind_text(statement, 2, (struct text){counts->texts, counts->node_size});
	sql_bind_text(statement, 3,
		(struct text){counts->texts + counts->node_size, counts->sensor_size});
	sql_bind_i64(statement, 4, counts->first_received_ns);
	sql_bind_i64(statement, 5, counts->last_received_ns);
	sql_bind_i64(statement, 6, counts->last_event_ns);
	sql_bind_i64(statement, 7, counts->accepted);
	sql_bind_i64(statement, 8, counts->duplicate);
	sql_bind_i64(statement, 9, counts->quarantined);
	if (counts->started_ns)
		sql_bind_i64(statement, 10, counts->started_ns);
	if (counts->health_ns)
		sql_bind_i64(statement, 11, counts->health_ns);
	sql_bind_i64(statement, 12, counts->drops);
	sql_bind_i64(statement, 13, counts->output_drops);
	sql_bind_i64(statement, 14, counts->shed);
	return sql_run(statement, err);
}

static int write_table(struct connection *connection, struct table *counts, struct err *err)
{
	struct text key;
	union table_value *value;
	for (size_t at = 0; table_next(counts, &at, &key, &value);)
		if (write_counts(connection, value->pointer, err) < 0)
			return -1;
	return 0;
}

/* Both are kept until it is known whether the transaction came through. */
int heard_flush(struct heard *heard, struct connection *connection, int64_t now_ns, bool now,
	struct err *err)
{
	size_t n = table_count(heard->counts) + table_count(heard->running);
	bool due = now || now_ns - heard->flushed_ns >= NS_PER_S || now_ns < heard->flushed_ns;
	if (n == 0 || heard->is_flushed || (!due && n < COUNTS_MAX))
		return 0;
	if (write_table(connection, heard->counts, err) < 0 ||
		write_table(connection, heard->running, err) < 0)
		return -1;
	heard->flushed_before_ns = heard->flushed_ns;
	heard->flushed_ns = now_ns;
	heard->is_flushed = true;
	return 0;
}

int heard_expire(struct connection *connection, int64_t before_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "DELETE FROM sender WHERE last_received_ns < ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, before_ns);
	return sql_run(statement, err);
}

static void read_sender(sqlite3_stmt *statement, struct arena *arena, struct heard_row *row)
{
	*row = (struct heard_row){
		.source = text_of(source_info((enum source)sql_i64(statement, 0))->name),
		.cluster = arena_copy(arena, sql_text(statement, 1)),
		.credential = (uint64_t)sql_i64(statement, 2),
		.node = arena_copy(arena, sql_text(statement, 3)),
		.sensor = arena_copy(arena, sql_text(statement, 4)),
		.version = arena_copy(arena, sql_text(statement, 5)),
		.first_received_ns = sql_i64(statement, 6),
		.last_received_ns = sql_i64(statement, 7),
		.last_event_ns = sql_i64(statement, 8),
		.accepted = (uint64_t)sql_i64(statement, 9),
		.duplicate = (uint64_t)sql_i64(statement, 10),
		.quarantined = (uint64_t)sql_i64(statement, 11),
		.started_ns = sql_i64(statement, 12),
		.health_ns = sql_i64(statement, 13),
		.drops = (uint64_t)sql_i64(statement, 14),
		.output_drops = (uint64_t)sql_i64(statement, 15),
		.shed = (uint64_t)sql_i64(statement, 16),
	};
}

int heard_list(
	struct connection *connection, struct arena *arena, struct heard_list *out, struct err *err)
{
	size_t capacity = 0;
	int step;
	*out = (struct heard_list){NULL, 0};
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT o.source, o.cluster, o.credential, s.node, s.sensor, s.version,"
		" s.first_received_ns, s.last_received_ns, s.last_event_ns, s.accepted, "
		"s.duplicate,"
		" s.quarantined, s.started_ns, s.health_ns, s.drops, s.output_drops, s.shed"
		" FROM sender s JOIN origin o ON o.id = s.origin"
		" ORDER BY s.last_received_ns DESC LIMIT ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, HEARD_ROWS_MAX);
	while ((step = sql_step(statement, err)) > 0) {
		if (out->n == capacity) {
			capacity = capacity ? capacity * 2 : 16;
			struct heard_row *items = arena_array(arena, capacity, sizeof *items);
			if (items && out->n)
				memcpy(items, out->items, out->n * sizeof *items);
			out->items = items;
		}
		if (out->items && !arena->failed)
			read_sender(statement, arena, &out->items[out->n++]);
		if (arena->failed) {
			sqlite3_reset(statement);
			return err_set(err, ERR_MEMORY, "out of memory reading heard");
		}
	}
	return step;
}
