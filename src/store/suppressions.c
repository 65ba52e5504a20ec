/* SPDX-License-Identifier: Apache-2.0 */
#include "store/suppressions.h"

#include <string.h>

#include "base/cleanup.h"
#include "model/suppression_query.h"

enum { MATCHERS_BYTES_MAX = 64 * 1024, FORGOTTEN_AT_ONCE = 4 };

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory for suppressions");
}

static int run_with_time(
	struct connection *connection, const char *sql, int64_t time_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, time_ns);
	sql_bind_i64(statement, 2, FORGOTTEN_AT_ONCE);
	return sql_run(statement, err);
}

#define LONG_OVER "(SELECT number FROM suppression WHERE ends_ns < ?1 ORDER BY ends_ns LIMIT ?2)"

/* A few at a time: more go than come. */
static int forget(struct connection *connection, int64_t now_ns, struct err *err)
{
	int64_t before_ns = now_ns - (int64_t)SUPPRESSION_KEPT_DAYS * 86400 * NS_PER_S;
	return run_with_time(connection,
		       "DELETE FROM suppression_hit WHERE suppression IN " LONG_OVER, before_ns,
		       err) < 0
		       ? -1
		       : run_with_time(connection,
				 "DELETE FROM suppression WHERE number IN " LONG_OVER, before_ns,
				 err);
}

int suppression_insert(
	struct connection *connection, struct suppression *suppression, struct err *err)
{
	AUTO(buf_done) struct buf matchers;
	buf_init(&matchers, MATCHERS_BYTES_MAX);
	matchers_write(&matchers, &suppression->matchers);
	if (!buf_ok(&matchers))
		return buf_error(&matchers, err, "a suppression's matchers");
	if (forget(connection, suppression->created_ns, err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO suppression (id, matchers, reason, author, created_by, created_ns,"
		" starts_ns, ends_ns, query) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, suppression->id);
	sql_bind_text(statement, 2, buf_text(&matchers));
	sql_bind_text(statement, 3, suppression->reason);
	sql_bind_text_or_null(statement, 4, suppression->author);
	sql_bind_text(statement, 5, suppression->created_by);
	sql_bind_i64(statement, 6, suppression->created_ns);
	sql_bind_i64(statement, 7, suppression->starts_ns);
	sql_bind_i64(statement, 8, suppression->ends_ns);
	sql_bind_text_or_null(statement, 9, suppression->query_text);
	if (sql_run(statement, err) < 0)
		return -1;
	suppression->number = (uint64_t)sqlite3_last_insert_rowid(connection->db);
	return 0;
}

int suppression_update(
	struct connection *connection, const struct suppression *suppression, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE suppression SET reason = ?2, author = ?3, starts_ns = ?4, ends_ns = ?5"
		" WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)suppression->number);
	sql_bind_text(statement, 2, suppression->reason);
	sql_bind_text_or_null(statement, 3, suppression->author);
	sql_bind_i64(statement, 4, suppression->starts_ns);
	sql_bind_i64(statement, 5, suppression->ends_ns);
	return sql_run(statement, err);
}

int suppression_expire(struct connection *connection, uint64_t number, struct text actor,
	int64_t now_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE suppression SET expired_by = ?2, expired_ns = ?3, ends_ns = ?3"
		" WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_text(statement, 2, actor);
	sql_bind_i64(statement, 3, now_ns);
	return sql_run(statement, err);
}

#define QUERY                                                                                      \
	"SELECT number, id, matchers, reason, author, created_by, created_ns, starts_ns, ends_ns," \
	" expired_by, expired_ns, hits, kinds, first_hit_ns, last_hit_ns, query FROM suppression"

/* A row whose matchers or query are not understood would hide everything. */
static int read_conditions(struct text matchers, struct text query, struct arena *arena,
	struct suppression *out, struct err *err)
{
	bool is_bare = query.size && text_is(matchers, "{}");
	int failed = is_bare ? 0 : matchers_read(matchers, arena, &out->matchers, err);
	if (!failed && query.size)
		failed = suppression_query_take(query, arena, out, err);
	if (!failed && (out->matchers.n || out->query))
		return 0;
	return failed && err->kind == ERR_MEMORY
		       ? -1
		       : err_set(err, ERR_CORRUPT, "suppression %llu does not read back",
				 (unsigned long long)out->number);
}

static int read_row(
	sqlite3_stmt *statement, struct arena *arena, struct suppression *out, struct err *err)
{
	*out = (struct suppression){
		.number = (uint64_t)sql_i64(statement, 0),
		.id = arena_copy(arena, sql_text(statement, 1)),
		.reason = arena_copy(arena, sql_text(statement, 3)),
		.author = arena_copy(arena, sql_text(statement, 4)),
		.created_by = arena_copy(arena, sql_text(statement, 5)),
		.created_ns = sql_i64(statement, 6),
		.starts_ns = sql_i64(statement, 7),
		.ends_ns = sql_i64(statement, 8),
		.expired_by = arena_copy(arena, sql_text(statement, 9)),
		.expired_ns = sql_i64(statement, 10),
		.n_hits = (uint64_t)sql_i64(statement, 11),
		.n_kinds = (uint64_t)sql_i64(statement, 12),
		.first_hit_ns = sql_i64(statement, 13),
		.last_hit_ns = sql_i64(statement, 14),
	};
	struct text matchers = arena_copy(arena, sql_text(statement, 2));
	if (arena->failed)
		return no_memory(err);
	struct text query = arena_copy(arena, sql_text(statement, 15));
	return arena->failed ? no_memory(err) : read_conditions(matchers, query, arena, out, err);
}

static int missing(struct text id, struct err *err)
{
	return err_set(err, ERR_MISSING, "there is no suppression %.*s",
		(int)(id.size < SUPPRESSION_ID_BYTES ? id.size : SUPPRESSION_ID_BYTES),
		id.data ? id.data : "");
}

int suppression_find(struct connection *connection, struct text id, struct arena *arena,
	struct suppression *out, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, QUERY " WHERE id = ?1 OR number = ?2", err);
	uint64_t number;
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, id);
	if (text_to_u64(id, &number) && number <= INT64_MAX)
		sql_bind_i64(statement, 2, (int64_t)number);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found)
		return missing(id, err);
	int failed = read_row(statement, arena, out, err);
	sqlite3_reset(statement);
	return failed;
}

int suppression_find_inside(struct connection *connection, struct text id,
	const struct scope *scope, struct arena *arena, struct suppression *out, struct err *err)
{
	if (suppression_find(connection, id, arena, out, err) < 0)
		return -1;
	return suppression_is_inside(out, scope) ? 0 : missing(id, err);
}

/* The next row goes behind those of the list. */
static int add_row(sqlite3_stmt *statement, struct suppression_list *list, size_t *capacity,
	struct arena *arena, struct err *err)
{
	if (list->n == *capacity) {
		*capacity = *capacity ? *capacity * 2 : 16;
		struct suppression *items = arena_array(arena, *capacity, sizeof *items);
		if (!items)
			return no_memory(err);
		if (list->n)
			memcpy(items, list->items, list->n * sizeof *items);
		list->items = items;
	}
	return read_row(statement, arena, &list->items[list->n++], err);
}

static int read_list(
	sqlite3_stmt *statement, struct arena *arena, struct suppression_list *out, struct err *err)
{
	size_t capacity = 0;
	int step;
	*out = (struct suppression_list){NULL, 0};
	while ((step = sql_step(statement, err)) > 0)
		if (add_row(statement, out, &capacity, arena, err) < 0) {
			sqlite3_reset(statement);
			return -1;
		}
	return step;
}

int suppressions_live(struct connection *connection, int64_t now_ns, struct arena *arena,
	struct suppression_list *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, QUERY " WHERE ends_ns > ?1 ORDER BY number LIMIT ?2", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, now_ns);
	sql_bind_i64(statement, 2, SUPPRESSIONS_MAX);
	return read_list(statement, arena, out, err);
}

int suppressions_list(struct connection *connection, struct suppression_page *page, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, QUERY " WHERE number < ?1 ORDER BY number DESC LIMIT ?2", err);
	page->next_before = 0;
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, page->before ? (int64_t)page->before : INT64_MAX);
	sql_bind_i64(statement, 2, (int64_t)page->limit);
	if (read_list(statement, page->arena, &page->list, err) < 0)
		return -1;
	if (page->list.n && page->list.n == page->limit)
		page->next_before = page->list.items[page->list.n - 1].number;
	return 0;
}

static void bind_hit(sqlite3_stmt *statement, const struct suppression_hit *hit)
{
	sql_bind_i64(statement, 1, (int64_t)hit->suppression);
	sql_bind_i64(statement, 2, hit->entity);
	sql_bind_i64(statement, 3, hit->fingerprint);
	sql_bind_i64(statement, 4, (int64_t)hit->n);
	sql_bind_i64(statement, 5, hit->lo_ns);
	sql_bind_i64(statement, 6, hit->hi_ns);
	sql_bind_i64(statement, 7, (int64_t)hit->first_leaf);
	sql_bind_i64(statement, 8, (int64_t)hit->last_leaf);
}

/* *kinds: 1 if the row is new; none is made where there are too many. */
static int add_kind(struct connection *connection, const struct suppression_hit *hit,
	int64_t *kinds, struct err *err)
{
	*kinds = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE suppression_hit SET n = n + ?4, lo = min(lo, ?5), hi = max(hi, ?6),"
		" last_leaf = ?8 WHERE suppression = ?1 AND entity = ?2 AND fingerprint = ?3"
		" AND ?7 = ?7",
		err);
	if (!statement)
		return -1;
	bind_hit(statement, hit);
	if (sql_run(statement, err) < 0)
		return -1;
	if (sqlite3_changes(connection->db))
		return 0;
	statement = connection_statement(connection,
		"INSERT INTO suppression_hit (suppression, entity, fingerprint, n, lo, hi,"
		" first_leaf, last_leaf) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8"
		" FROM suppression WHERE number = ?1 AND kinds < ?9",
		err);
	if (!statement)
		return -1;
	bind_hit(statement, hit);
	sql_bind_i64(statement, 9, SUPPRESSION_KINDS_MAX);
	if (sql_run(statement, err) < 0)
		return -1;
	*kinds = sqlite3_changes(connection->db);
	return 0;
}

int suppression_hit_add(struct connection *connection, const struct suppression_hit *hit,
	int64_t received_ns, struct err *err)
{
	int64_t kinds;
	if (add_kind(connection, hit, &kinds, err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE suppression SET hits = hits + ?2, kinds = kinds + ?3,"
		" first_hit_ns = coalesce(first_hit_ns, ?4), last_hit_ns = ?4 WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)hit->suppression);
	sql_bind_i64(statement, 2, (int64_t)hit->n);
	sql_bind_i64(statement, 3, kinds);
	sql_bind_i64(statement, 4, received_ns);
	return sql_run(statement, err);
}

static void read_hit(sqlite3_stmt *statement, struct arena *arena, struct suppression_hit *hit)
{
	struct text hash = sql_blob(statement, 8);
	*hit = (struct suppression_hit){
		.entity = sql_i64(statement, 0),
		.fingerprint = sql_i64(statement, 1),
		.n = (uint64_t)sql_i64(statement, 2),
		.lo_ns = sql_i64(statement, 3),
		.hi_ns = sql_i64(statement, 4),
		.first_leaf = (uint64_t)sql_i64(statement, 5),
		.last_leaf = (uint64_t)sql_i64(statement, 6),
		.packed = arena_copy(arena, sql_blob(statement, 7)),
		.rule = arena_copy(arena, sql_text(statement, 9)),
		.sensor = arena_copy(arena, sql_text(statement, 10)),
		.exe = arena_copy(arena, sql_text(statement, 11)),
	};
	if (hash.size == FINGERPRINT_BYTES)
		memcpy(hit->hash, hash.data, FINGERPRINT_BYTES);
}

int suppression_hits_read(
	struct connection *connection, struct suppression_hit_page *page, struct err *err)
{
	int step;
	page->n = 0;
	page->items = arena_array(page->arena, page->limit, sizeof *page->items);
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT h.entity, h.fingerprint, h.n, h.lo, h.hi, h.first_leaf, h.last_leaf,"
		" e.packed, f.hash, r.name, s.name, f.exe FROM suppression_hit h"
		" JOIN entity e ON e.id = h.entity JOIN fingerprint f ON f.id = h.fingerprint"
		" JOIN rule r ON r.id = f.rule JOIN sensor s ON s.id = f.sensor"
		" WHERE h.suppression = ?1 AND (h.entity, h.fingerprint) > (?2, ?3)"
		" ORDER BY h.entity, h.fingerprint LIMIT ?4",
		err);
	if (!page->items)
		return no_memory(err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)page->suppression);
	sql_bind_i64(statement, 2, page->after_entity);
	sql_bind_i64(statement, 3, page->after_fingerprint);
	sql_bind_i64(statement, 4, (int64_t)page->limit);
	while ((step = sql_step(statement, err)) > 0) {
		read_hit(statement, page->arena, &page->items[page->n]);
		page->items[page->n++].suppression = page->suppression;
	}
	return step < 0 ? -1 : page->arena->failed ? no_memory(err) : 0;
}
