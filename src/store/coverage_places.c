/* SPDX-License-Identifier: Apache-2.0 */
#include "store/coverage_places.h"

static sqlite3_stmt *place_statement(struct connection *connection, const char *sql,
	const struct coverage *place, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return NULL;
	sql_bind_text(statement, 1, place->cluster);
	sql_bind_text(statement, 2, place->node);
	sql_bind_i64(statement, 3, (int64_t)place->source);
	sql_bind_text(statement, 4, place->sensor);
	return statement;
}

/* 1: *id is its number; 0: it is not there yet. */
static int find_known(
	struct connection *connection, const struct coverage *place, int64_t *id, struct err *err)
{
	sqlite3_stmt *statement = place_statement(connection,
		"SELECT id FROM coverage_place WHERE cluster = ?1 AND node = ?2 AND source = ?3"
		" AND sensor = ?4",
		place, err);
	int step = statement ? sql_step(statement, err) : -1;
	if (step > 0)
		*id = sql_i64(statement, 0);
	if (statement)
		sqlite3_reset(statement);
	return step;
}

static int count_sensors(
	struct connection *connection, const struct coverage *place, int64_t *n, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT count(*) FROM coverage_place WHERE cluster = ?1 AND node = ?2", err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, place->cluster);
	sql_bind_text(statement, 2, place->node);
	if (sql_step(statement, err) < 0)
		return -1;
	*n = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

static int make_place(
	struct connection *connection, const struct coverage *place, int64_t *id, struct err *err)
{
	sqlite3_stmt *statement = place_statement(connection,
		"INSERT INTO coverage_place (cluster, node, source, sensor) VALUES (?1, ?2, ?3, ?4)"
		" RETURNING id",
		place, err);
	if (!statement || sql_step(statement, err) < 0)
		return -1;
	*id = sql_i64(statement, 0);
	return sql_run(statement, err);
}

int coverage_place_find(
	struct connection *connection, const struct coverage *place, int64_t *id, struct err *err)
{
	int64_t n;
	struct coverage other = *place;
	int known = find_known(connection, place, id, err);
	if (known)
		return known > 0 ? 0 : -1;
	if (count_sensors(connection, place, &n, err) < 0)
		return -1;
	if (n < COVERAGE_SENSORS_MAX)
		return make_place(connection, place, id, err);
	other.sensor = TEXT("other");
	known = find_known(connection, &other, id, err);
	if (known)
		return known > 0 ? 0 : -1;
	return make_place(connection, &other, id, err);
}

int pulse_read(struct connection *connection, const struct coverage *place, int64_t *id,
	struct pulse *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT spoke_ns, usual_ns, started_ns, drops, output_drops FROM coverage_place"
		" WHERE id = ?1",
		err);
	if (!statement || coverage_place_find(connection, place, id, err) < 0)
		return -1;
	sql_bind_i64(statement, 1, *id);
	if (sql_step(statement, err) < 0)
		return -1;
	*out = (struct pulse){.spoke_ns = sql_i64(statement, 0),
		.usual_ns = sql_i64(statement, 1),
		.started_ns = sql_i64(statement, 2),
		.n_drops = sql_i64(statement, 3),
		.n_output_drops = sql_i64(statement, 4)};
	sqlite3_reset(statement);
	return 0;
}

int pulse_write(
	struct connection *connection, int64_t id, const struct pulse *pulse, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE coverage_place SET spoke_ns = ?2, usual_ns = ?3, started_ns = ?4,"
		" drops = ?5, output_drops = ?6 WHERE id = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, id);
	sql_bind_i64(statement, 2, pulse->spoke_ns);
	sql_bind_i64(statement, 3, pulse->usual_ns);
	sql_bind_i64(statement, 4, pulse->started_ns);
	sql_bind_i64(statement, 5, pulse->n_drops);
	sql_bind_i64(statement, 6, pulse->n_output_drops);
	return sql_run(statement, err);
}
