/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shadow.h"

#include "base/buf.h"
#include "base/cleanup.h"

enum { SQL_BYTES = 64 * 1024 };

/* The stored table's own words, with another place to be: the two cannot drift apart. */
static bool add_definition(struct buf *out, struct text kind, struct text sql)
{
	size_t head = sizeof "CREATE " - 1 + kind.size + 1;
	if (kind.size == 5 && text_starts(sql, TEXT("CREATE TABLE ")))
		buf_addf(out, "CREATE TEMP TABLE %.*s;", TEXT_ARG(text_part(sql, head, sql.size)));
	else if (kind.size == 5 && text_starts(sql, TEXT("CREATE INDEX ")))
		buf_addf(out, "CREATE INDEX temp.%.*s;", TEXT_ARG(text_part(sql, head, sql.size)));
	else
		return false;
	return true;
}

int shadow_make(struct connection *connection, enum shadow_kind kind, struct err *err)
{
	AUTO(buf_done) struct buf sql;
	int step;
	buf_init(&sql, SQL_BYTES);
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT type, sql FROM main.sqlite_schema WHERE sql IS NOT NULL AND tbl_name IN"
		" ('piece', 'member', 'incident', 'activity', 'link')"
		" OR (?1 AND sql IS NOT NULL AND tbl_name IN ('key', 'edit'))"
		" ORDER BY type DESC, name",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, kind == SHADOW_OF_FAMILY);
	while ((step = sql_step(statement, err)) > 0)
		if (!add_definition(&sql, sql_text(statement, 0), sql_text(statement, 1))) {
			sqlite3_reset(statement);
			return err_set(err, ERR_CORRUPT,
				"the tables of incidents are not as they"
				" were made");
		}
	if (step < 0)
		return -1;
	return buf_ok(&sql) ? connection_run(connection, buf_string(&sql), err)
			    : err_set(err, ERR_MEMORY, "out of memory for shadow tables");
}

static int fill(struct connection *connection, const char *sql, int64_t key, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, key);
	return sql_run(statement, err);
}

int shadow_begin(struct connection *connection, int64_t key, struct err *err)
{
	if (connection_run(connection, "BEGIN", err) < 0)
		return -1;
	if (fill(connection, "INSERT INTO temp.piece SELECT * FROM main.piece WHERE key = ?1", key,
		    err) < 0 ||
		fill(connection,
			"INSERT INTO temp.member SELECT * FROM main.member WHERE number IN"
			" (SELECT number FROM main.piece WHERE key = ?1)",
			key, err) < 0)
		return -1;
	return fill(connection,
		"INSERT INTO temp.incident SELECT * FROM main.incident WHERE number IN"
		" (SELECT number FROM main.piece WHERE key = ?1)",
		key, err);
}

int shadow_begin_family(struct connection *connection, struct text base, struct err *err)
{
	static const char fill_rest[] =
		"INSERT INTO temp.piece SELECT * FROM main.piece"
		" WHERE key IN (SELECT id FROM temp.key);"
		"INSERT INTO temp.member SELECT * FROM main.member"
		" WHERE number IN (SELECT number FROM temp.piece);"
		"INSERT INTO temp.incident SELECT * FROM main.incident"
		" WHERE number IN (SELECT number FROM temp.piece);"
		"INSERT INTO temp.edit SELECT * FROM main.edit"
		" WHERE entity IN (SELECT entity FROM temp.member);"
		"INSERT INTO temp.edit SELECT * FROM main.edit WHERE kind = 3"
		" AND target IN (SELECT id FROM temp.edit)";
	if (connection_run(connection, "BEGIN", err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO temp.key SELECT * FROM main.key WHERE text = ?1"
		" OR (text > ?1 || '#' AND text < ?1 || '$')",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, base);
	return sql_run(statement, err) < 0 ? -1 : connection_run(connection, fill_rest, err);
}

int shadow_family_keys(struct connection *connection, struct shadow_keys *keys, struct err *err)
{
	int step;
	size_t n = 0;
	keys->n = 0;
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT id, count(*) OVER () FROM temp.key ORDER BY id", err);
	if (!statement)
		return -1;
	while ((step = sql_step(statement, err)) > 0) {
		if (n == 0) {
			n = (size_t)sql_i64(statement, 1);
			keys->items = arena_array(keys->arena, n, sizeof *keys->items);
		}
		if (keys->items)
			keys->items[keys->n++].id = sql_i64(statement, 0);
	}
	if (step == 0 && n && !keys->items)
		return err_set(err, ERR_MEMORY, "out of memory reading keys");
	return step;
}

int shadow_end(struct connection *connection, struct err *err)
{
	struct err ignored;
	/* The shadow is gone with the transaction; there may be none after a failed BEGIN. */
	if (sqlite3_get_autocommit(connection->db))
		return 0;
	return connection_run(connection, "ROLLBACK", err ? err : &ignored);
}

int shadow_keys_read(struct connection *connection, struct shadow_keys *keys, struct err *err)
{
	int step;
	keys->n = 0;
	keys->items = arena_array(keys->arena, keys->limit + 1, sizeof *keys->items);
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT k.id, k.text, max(coalesce(substr(p.claims, 1, 1) = x'01', 0))"
		" FROM main.piece p JOIN main.key k ON k.id = p.key"
		" WHERE p.frozen = 0 AND p.hi >= ?1 AND p.key > ?2 GROUP BY p.key ORDER BY p.key "
		"LIMIT ?3",
		err);
	if (!statement)
		return -1;
	if (!keys->items)
		return err_set(err, ERR_MEMORY, "out of memory reading keys");
	sql_bind_i64(statement, 1, keys->from_ns);
	sql_bind_i64(statement, 2, keys->after);
	sql_bind_i64(statement, 3, (int64_t)keys->limit);
	while ((step = sql_step(statement, err)) > 0)
		keys->items[keys->n++] = (struct shadow_key){sql_i64(statement, 0),
			arena_copy(keys->arena, sql_text(statement, 1)),
			sql_i64(statement, 2) != 0};
	if (keys->arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory reading keys");
	return step;
}

int shadow_keys_count(struct connection *connection, int64_t from_ns, uint64_t *n, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT count(DISTINCT key) FROM main.piece WHERE frozen = 0 AND hi >= ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, from_ns);
	int step = sql_step(statement, err);
	if (step > 0)
		*n = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return step < 0 ? -1 : 0;
}
