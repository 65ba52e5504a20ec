/* SPDX-License-Identifier: Apache-2.0 */
#include "store/facts.h"

#include <string.h>

#include "model/alert.h"

static int no_memory(sqlite3_stmt *statement, struct err *err)
{
	sqlite3_reset(statement);
	return err_set(err, ERR_MEMORY, "out of memory reading identity facts");
}

int entity_read(struct connection *connection, int64_t entity, struct arena *arena,
	struct identity_seen *seen, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT packed FROM entity WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, entity);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found)
		return err_set(err, ERR_MISSING, "no entity %lld", (long long)entity);
	struct text packed = arena_copy(arena, sql_blob(statement, 0));
	sqlite3_reset(statement);
	if (!packed.data)
		return no_memory(statement, err);
	if (!identity_seen_unpack(packed, seen))
		return err_set(
			err, ERR_CORRUPT, "entity %lld does not read back", (long long)entity);
	return 0;
}

/* Collects the first column of all rows. */
static int read_ids(
	sqlite3_stmt *statement, struct arena *arena, struct id_list *out, struct err *err)
{
	size_t capacity = 0;
	int step;
	*out = (struct id_list){NULL, 0};
	while ((step = sql_step(statement, err)) > 0) {
		if (out->n == capacity) {
			size_t wanted = capacity ? capacity * 2 : 8;
			int64_t *ids = arena_array(arena, wanted, sizeof *ids);
			if (!ids)
				return no_memory(statement, err);
			if (out->n)
				memcpy(ids, out->ids, out->n * sizeof *ids);
			out->ids = ids;
			capacity = wanted;
		}
		out->ids[out->n++] = sql_i64(statement, 0);
	}
	return step;
}

static int read_texts(
	sqlite3_stmt *statement, struct arena *arena, struct text_list *out, struct err *err)
{
	size_t capacity = 0;
	int step;
	*out = (struct text_list){NULL, 0};
	while ((step = sql_step(statement, err)) > 0) {
		if (out->n == capacity) {
			size_t wanted = capacity ? capacity * 2 : 8;
			struct text *items = arena_array(arena, wanted, sizeof *items);
			if (!items)
				return no_memory(statement, err);
			if (out->n)
				memcpy(items, out->items, out->n * sizeof *items);
			out->items = items;
			capacity = wanted;
		}
		out->items[out->n] = arena_copy(arena, sql_text(statement, 0));
		if (arena->failed)
			return no_memory(statement, err);
		out->n++;
	}
	return step;
}

int entities_find(struct connection *connection, enum entity_column column,
	struct cluster_text value, struct arena *arena, struct id_list *out, struct err *err)
{
	static const char *const queries[] = {
		[ENTITY_BY_UID] = "SELECT id FROM entity WHERE cluster = ?1 AND uid = ?2",
		[ENTITY_BY_CONTAINER] =
			"SELECT id FROM entity WHERE cluster = ?1 AND container = ?2",
		[ENTITY_BY_NAME] = "SELECT id FROM entity WHERE cluster = ?1 AND name = ?2",
		[ENTITY_BY_NODE] = "SELECT id FROM entity WHERE cluster = ?1 AND node = ?2"
				   " AND uid IS NULL AND container IS NULL AND name IS NULL",
	};
	sqlite3_stmt *statement = connection_statement(connection, queries[column], err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, value.cluster);
	sql_bind_text(statement, 2, value.value);
	return read_ids(statement, arena, out, err);
}

int entities_of_cluster(struct connection *connection, struct text cluster, struct arena *arena,
	struct id_list *out, struct err *err)
{
	struct identity_seen seen = {.cluster = cluster};
	struct text packed = identity_seen_pack(arena, &seen);
	if (!packed.data)
		return err_set(err, arena->failed ? ERR_MEMORY : ERR_LIMIT,
			"a cluster's name cannot be looked for");
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT id FROM entity WHERE packed = ?1", err);
	if (!statement)
		return -1;
	sql_bind_blob(statement, 1, packed.data, packed.size);
	return read_ids(statement, arena, out, err);
}

int container_fact_read(struct connection *connection, struct cluster_text container,
	struct arena *arena, struct container_fact *out, struct err *err)
{
	*out = (struct container_fact){.cluster = container.cluster, .container = container.value};
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT uid, uid_rank, name, name_rank FROM container_fact"
		" WHERE cluster = ?1 AND container = ?2",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, container.cluster);
	sql_bind_text(statement, 2, container.value);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	out->uid = arena_copy(arena, sql_text(statement, 0));
	out->uid_rank = (enum fact_rank)sql_i64(statement, 1);
	out->name = arena_copy(arena, sql_text(statement, 2));
	out->name_rank = (enum fact_rank)sql_i64(statement, 3);
	sqlite3_reset(statement);
	return arena->failed ? no_memory(statement, err) : 0;
}

int container_fact_write(struct connection *connection, const struct container_fact *fact,
	int64_t day, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO container_fact"
		" (cluster, container, uid, uid_rank, name, name_rank, seen_day)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (cluster, container) DO UPDATE "
		"SET"
		" uid = excluded.uid, uid_rank = excluded.uid_rank, name = excluded.name,"
		" name_rank = excluded.name_rank, seen_day = max(seen_day, excluded.seen_day)",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, fact->cluster);
	sql_bind_text(statement, 2, fact->container);
	sql_bind_text_or_null(statement, 3, fact->uid);
	sql_bind_i64(statement, 4, fact->uid_rank);
	sql_bind_text_or_null(statement, 5, fact->name);
	sql_bind_i64(statement, 6, fact->name_rank);
	sql_bind_i64(statement, 7, day);
	return sql_run(statement, err);
}

int containers_find(struct connection *connection, bool by_name, struct cluster_text value,
	struct arena *arena, struct text_list *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		by_name ? "SELECT container FROM container_fact WHERE cluster = ?1 AND name = ?2"
			: "SELECT container FROM container_fact WHERE cluster = ?1 AND uid = ?2",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, value.cluster);
	sql_bind_text(statement, 2, value.value);
	return read_texts(statement, arena, out, err);
}

int name_owners_read(struct connection *connection, struct cluster_text name, struct arena *arena,
	struct name_owners *out, struct err *err)
{
	size_t capacity = 0;
	int step;
	*out = (struct name_owners){NULL, 0};
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT uid, start_ns, rank FROM name_fact WHERE cluster = ?1 AND name = ?2", err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, name.cluster);
	sql_bind_text(statement, 2, name.value);
	while ((step = sql_step(statement, err)) > 0) {
		if (out->n == capacity) {
			size_t wanted = capacity ? capacity * 2 : 4;
			struct name_owner *list = arena_array(arena, wanted, sizeof *list);
			if (!list)
				return no_memory(statement, err);
			if (out->n)
				memcpy(list, out->items, out->n * sizeof *list);
			out->items = list;
			capacity = wanted;
		}
		out->items[out->n++] = (struct name_owner){
			.uid = arena_copy(arena, sql_text(statement, 0)),
			.start_ns = sql_i64(statement, 1),
			.rank = (enum fact_rank)sql_i64(statement, 2),
		};
	}
	return arena->failed ? no_memory(statement, err) : step;
}

int name_owner_write(struct connection *connection, struct cluster_text name,
	const struct name_owner *owner, int64_t day, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO name_fact (cluster, name, uid, start_ns, rank, seen_day)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (cluster, name, uid) DO UPDATE SET"
		" start_ns = excluded.start_ns, rank = excluded.rank,"
		" seen_day = max(seen_day, excluded.seen_day)",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, name.cluster);
	sql_bind_text(statement, 2, name.value);
	sql_bind_text(statement, 3, owner->uid);
	sql_bind_i64(statement, 4, owner->start_ns);
	sql_bind_i64(statement, 5, owner->rank);
	sql_bind_i64(statement, 6, day);
	return sql_run(statement, err);
}

int names_find(struct connection *connection, struct cluster_text uid, struct arena *arena,
	struct text_list *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT name FROM name_fact WHERE cluster = ?1 AND uid = ?2", err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, uid.cluster);
	sql_bind_text(statement, 2, uid.value);
	return read_texts(statement, arena, out, err);
}
