/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include <string.h>

static struct digest entry_hash(const struct digest *previous, const struct audit_entry *entry)
{
	char time[24];
	size_t length = text_format(time, sizeof time, "%lld", (long long)entry->time_ns);
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, (struct text){(const char *)previous->bytes, DIGEST_BYTES});
	digest_add_part(state, (struct text){time, length});
	digest_add_part(state, entry->actor);
	digest_add_part(state, entry->action);
	digest_add_part(state, entry->target);
	digest_add_part(state, entry->detail);
	return digest_end(state);
}

static int last_hash(struct connection *connection, struct digest *hash, struct err *err)
{
	*hash = (struct digest){{0}};
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT hash FROM audit ORDER BY id DESC LIMIT 1", err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	if (found > 0) {
		struct text stored = sql_blob(statement, 0);
		if (stored.size == DIGEST_BYTES)
			memcpy(hash->bytes, stored.data, DIGEST_BYTES);
	}
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

int audit_append(struct connection *connection, struct audit_entry *entry, struct err *err)
{
	struct digest previous;
	if (last_hash(connection, &previous, err) < 0)
		return -1;
	entry->hash = entry_hash(&previous, entry);
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO audit (time_ns, actor, action, target, detail, hash)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, entry->time_ns);
	sql_bind_text(statement, 2, entry->actor);
	sql_bind_text(statement, 3, entry->action);
	sql_bind_text(statement, 4, entry->target);
	sql_bind_text(statement, 5, entry->detail);
	sql_bind_blob(statement, 6, entry->hash.bytes, DIGEST_BYTES);
	if (sql_run(statement, err) < 0)
		return -1;
	entry->id = (uint64_t)sqlite3_last_insert_rowid(connection->db);
	return 0;
}

/* Texts are the statement's until its next step. */
static void read_entry(sqlite3_stmt *statement, struct audit_entry *entry)
{
	struct text hash = sql_blob(statement, 6);
	*entry = (struct audit_entry){
		.id = (uint64_t)sql_i64(statement, 0),
		.time_ns = sql_i64(statement, 1),
		.actor = sql_text(statement, 2),
		.action = sql_text(statement, 3),
		.target = sql_text(statement, 4),
		.detail = sql_text(statement, 5),
	};
	if (hash.size == DIGEST_BYTES)
		memcpy(entry->hash.bytes, hash.data, DIGEST_BYTES);
}

int audit_list(struct connection *connection, struct audit_page *page, struct err *err)
{
	int step;
	page->n = 0;
	page->next_before = 0;
	page->items = arena_array(page->arena, page->limit + 1, sizeof *page->items);
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, time_ns, actor, action, target, detail, hash FROM audit"
		" WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, page->before ? (int64_t)page->before : INT64_MAX);
	sql_bind_i64(statement, 2, (int64_t)page->limit + 1);
	while ((step = sql_step(statement, err)) > 0 && page->items) {
		struct audit_entry *entry = &page->items[page->n++];
		read_entry(statement, entry);
		entry->actor = arena_copy(page->arena, entry->actor);
		entry->action = arena_copy(page->arena, entry->action);
		entry->target = arena_copy(page->arena, entry->target);
		entry->detail = arena_copy(page->arena, entry->detail);
	}
	sqlite3_reset(statement);
	if (page->arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory reading the audit trail");
	if (page->n > page->limit)
		page->next_before = page->items[--page->n - 1].id;
	return step;
}

int audit_verify(struct connection *connection, uint64_t *n, uint64_t *broken_id, struct err *err)
{
	struct digest previous = {{0}};
	int step;
	*n = *broken_id = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, time_ns, actor, action, target, detail, hash FROM audit ORDER BY id",
		err);
	if (!statement)
		return -1;
	while ((step = sql_step(statement, err)) > 0) {
		struct audit_entry entry;
		read_entry(statement, &entry);
		struct digest wanted = entry_hash(&previous, &entry);
		if (memcmp(wanted.bytes, entry.hash.bytes, DIGEST_BYTES) != 0 && !*broken_id)
			*broken_id = entry.id;
		previous = entry.hash;
		++*n;
	}
	return step;
}
