/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fact_expiry.h"

#include "base/cleanup.h"
#include "store/facts.h"
#include "store/slots.h"

enum { CURSOR_BYTES = 256 * 1024, ROWS_AT_ONCE = 64, ARENA_BYTES = 64 * 1024 * 1024 };

struct fact_row {
	struct text cluster, value,
		uid; /* value: the container or the name; uid: of a name's owner */
	bool is_old;
};

void fact_cursor_init(struct fact_cursor *cursor)
{
	*cursor = (struct fact_cursor){.table = N_FACT_TABLES};
	buf_init(&cursor->cluster, CURSOR_BYTES);
	buf_init(&cursor->value, CURSOR_BYTES);
	buf_init(&cursor->uid, CURSOR_BYTES);
}

static void set_place(struct fact_cursor *cursor, const struct fact_row *fact)
{
	buf_clear(&cursor->cluster);
	buf_clear(&cursor->value);
	buf_clear(&cursor->uid);
	buf_add(&cursor->cluster, fact->cluster);
	buf_add(&cursor->value, fact->value);
	buf_add(&cursor->uid, fact->uid);
}

void fact_cursor_rewind(struct fact_cursor *cursor)
{
	static const struct fact_row none;
	cursor->table = FACTS_OF_CONTAINERS;
	set_place(cursor, &none);
}

void fact_cursor_done(struct fact_cursor *cursor)
{
	buf_done(&cursor->cluster);
	buf_done(&cursor->value);
	buf_done(&cursor->uid);
}

static const char *const next_facts[N_FACT_TABLES] = {
	[FACTS_OF_CONTAINERS] = "SELECT cluster, container, '', seen_day < ?4 FROM container_fact"
				" WHERE (cluster, container, '') > (?1, ?2, ?3)"
				" ORDER BY cluster, container LIMIT ?5",
	[FACTS_OF_NAMES] = "SELECT cluster, name, uid, seen_day < ?4 FROM name_fact"
			   " WHERE (cluster, name, uid) > (?1, ?2, ?3)"
			   " ORDER BY cluster, name, uid LIMIT ?5",
};

/* The rows behind the cursor. */
struct fact_rows {
	struct arena *arena;
	struct fact_row items[ROWS_AT_ONCE];
	size_t n;
};

static int read_facts(struct connection *connection, const struct fact_cursor *cursor,
	int64_t before_day, struct fact_rows *out, struct err *err)
{
	int step;
	struct arena *arena = out->arena;
	sqlite3_stmt *statement = connection_statement(connection, next_facts[cursor->table], err);
	out->n = 0;
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, buf_text(&cursor->cluster));
	sql_bind_text(statement, 2, buf_text(&cursor->value));
	sql_bind_text(statement, 3, buf_text(&cursor->uid));
	sql_bind_i64(statement, 4, before_day);
	sql_bind_i64(statement, 5, ROWS_AT_ONCE);
	while ((step = sql_step(statement, err)) > 0)
		out->items[out->n++] = (struct fact_row){arena_copy(arena, sql_text(statement, 0)),
			arena_copy(arena, sql_text(statement, 1)),
			arena_copy(arena, sql_text(statement, 2)), sql_i64(statement, 3) != 0};
	if (arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory reading identity facts");
	return step;
}

/* Has any of these entities an alert in a slot? One look a day of the horizon and entity. */
static int are_present(struct connection *connection, const struct id_list *entities, bool *present,
	struct err *err)
{
	int64_t first, last;
	if (presence_days(connection, &first, &last, err) < 0)
		return -1;
	for (size_t i = 0; i < entities->n && !*present; i++)
		for (int64_t day = first; day <= last && !*present; day++) {
			sqlite3_stmt *statement = connection_statement(connection,
				"SELECT 1 FROM presence WHERE day = ?1 AND entity = ?2", err);
			if (!statement)
				return -1;
			sql_bind_i64(statement, 1, day);
			sql_bind_i64(statement, 2, entities->ids[i]);
			int found = sql_step(statement, err);
			sqlite3_reset(statement);
			if (found < 0)
				return -1;
			*present = found > 0;
		}
	return 0;
}

static int speaks_for(struct connection *connection, enum entity_column column,
	struct cluster_text value, struct arena *arena, bool *present, struct err *err)
{
	struct id_list entities;
	if (*present)
		return 0;
	return entities_find(connection, column, value, arena, &entities, err) < 0
		       ? -1
		       : are_present(connection, &entities, present, err);
}

/* A name speaks for entities that gave it, and for containers known by it. */
static int is_needed(struct connection *connection, enum fact_table table,
	const struct fact_row *fact, struct arena *arena, bool *needed, struct err *err)
{
	struct text_list containers;
	struct cluster_text value = {fact->cluster, fact->value};
	*needed = false;
	if (table == FACTS_OF_CONTAINERS)
		return speaks_for(connection, ENTITY_BY_CONTAINER, value, arena, needed, err);
	if (speaks_for(connection, ENTITY_BY_NAME, value, arena, needed, err) < 0 ||
		containers_find(connection, true, value, arena, &containers, err) < 0)
		return -1;
	for (size_t i = 0; i < containers.n; i++) {
		struct cluster_text container = {fact->cluster, containers.items[i]};
		if (speaks_for(connection, ENTITY_BY_CONTAINER, container, arena, needed, err) < 0)
			return -1;
	}
	return 0;
}

static int remove_fact(struct connection *connection, enum fact_table table,
	const struct fact_row *fact, struct err *err)
{
	static const char *const queries[N_FACT_TABLES] = {
		[FACTS_OF_CONTAINERS] =
			"DELETE FROM container_fact WHERE cluster = ?1 AND container = ?2",
		[FACTS_OF_NAMES] =
			"DELETE FROM name_fact WHERE cluster = ?1 AND name = ?2 AND uid = ?3",
	};
	sqlite3_stmt *statement = connection_statement(connection, queries[table], err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, fact->cluster);
	sql_bind_text(statement, 2, fact->value);
	if (table == FACTS_OF_NAMES)
		sql_bind_text(statement, 3, fact->uid);
	return sql_run(statement, err);
}

static int look_at(struct connection *connection, enum fact_table table,
	const struct fact_row *fact, struct arena *arena, bool *removed, struct err *err)
{
	bool needed = true;
	if (fact->is_old && is_needed(connection, table, fact, arena, &needed, err) < 0)
		return -1;
	*removed |= !needed;
	return needed ? 0 : remove_fact(connection, table, fact, err);
}

static void next_table(struct fact_cursor *cursor)
{
	static const struct fact_row none;
	cursor->table++;
	set_place(cursor, &none);
}

/* Looks at the next rows. */
static int sweep_some(struct connection *connection, struct fact_cursor *cursor, int64_t before_day,
	struct slice *slice, bool *removed, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct fact_rows facts = {.arena = &arena};
	enum fact_table table = (enum fact_table)cursor->table;
	size_t i = 0;
	arena_init(&arena, ARENA_BYTES);
	if (read_facts(connection, cursor, before_day, &facts, err) < 0)
		return -1;
	for (; i < facts.n && !slice_is_over(slice); i++) {
		const struct fact_row *fact = &facts.items[i];
		if (look_at(connection, table, fact, &arena, removed, err) < 0)
			return -1;
		slice_spend(slice, fact->is_old);
		set_place(cursor, fact);
	}
	if (i == facts.n && facts.n < ROWS_AT_ONCE)
		next_table(cursor);
	return buf_ok(&cursor->cluster) && buf_ok(&cursor->value) && buf_ok(&cursor->uid)
		       ? 0
		       : err_set(err, ERR_MEMORY, "out of memory reading identity facts");
}

int facts_remove(struct connection *connection, struct fact_cursor *cursor, int64_t before_day,
	struct slice *slice, bool *removed, struct err *err)
{
	while (cursor->table < N_FACT_TABLES) {
		if (slice_is_over(slice))
			return 1;
		if (sweep_some(connection, cursor, before_day, slice, removed, err) < 0)
			return -1;
	}
	return 0;
}
