/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pieces.h"

#include <string.h>

#include "base/cleanup.h"
#include "store/changes.h"
#include "store/sealing.h"

enum { RULES_BYTES = 1024 * 1024 };

void piece_list_done(struct piece_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		piece_sums_done(&list->items[i].sums);
	list->n = 0;
}

int key_intern(struct connection *connection, struct text key, int64_t *id, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT id FROM key WHERE text = ?1", err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, key);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (found) {
		*id = sql_i64(statement, 0);
		sqlite3_reset(statement);
		return 0;
	}
	statement = connection_statement(connection, "INSERT INTO key (text) VALUES (?1)", err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, key);
	if (sql_run(statement, err) < 0)
		return -1;
	*id = sqlite3_last_insert_rowid(connection->db);
	return 0;
}

static int read_piece(sqlite3_stmt *statement, struct piece *piece, struct err *err)
{
	*piece = (struct piece){
		.number = (uint64_t)sql_i64(statement, 0),
		.key = sql_i64(statement, 1),
		.first_slot = sql_i64(statement, 2),
		.last_slot = sql_i64(statement, 3),
		.lo_ns = sql_i64(statement, 4),
		.hi_ns = sql_i64(statement, 5),
		.sums.n = (uint64_t)sql_i64(statement, 6),
		.sums.severity = (enum severity)sql_i64(statement, 7),
		.base_milli = sql_i64(statement, 8),
		.risk_milli = sql_i64(statement, 9),
		.tactics = (tactic_mask)sql_i64(statement, 10),
		.credited = (unsigned)sql_i64(statement, 11),
		.sums.sensors = (uint64_t)sql_i64(statement, 12),
		.revision = (uint64_t)sql_i64(statement, 14),
		.criticality = (unsigned)sql_i64(statement, 15),
		.novelty = (unsigned)sql_i64(statement, 16),
		.sums.mark = (uint64_t)sql_i64(statement, 17),
		.has_claims = sql_i64(statement, 18) != 0,
		.touched = (sql_i64(statement, 19) & 1) != 0,
		.sealed = (sql_i64(statement, 19) & 2) != 0,
		.sums.terminals = (unsigned)sql_i64(statement, 20),
		.rollup = sql_i64(statement, 21),
		.snoozed = sql_i64(statement, 22) != 0,
	};
	if (piece_rules_read(&piece->sums, sql_blob(statement, 13)))
		return 0;
	piece_sums_done(&piece->sums);
	return err_set(err, ERR_CORRUPT, "incident %llu: its rules do not read back",
		(unsigned long long)piece->number);
}

#define COLUMNS                                                                                    \
	"SELECT p.number, p.key, first_slot, last_slot, lo, hi, n, severity, base, risk, tactics," \
	" credited, sensors, rules, revision, criticality, novelty, mark, claims IS NOT NULL,"     \
	" i.touched | ((i.sealed_ns IS NOT NULL) << 1), terminals, rollup,"                        \
	" i.snoozed_until_ns IS NOT NULL"                                                          \
	" FROM piece p LEFT JOIN incident i ON i.number = p.number"

int piece_read(struct connection *connection, uint64_t number, struct piece *out, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, COLUMNS " WHERE p.number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found < 0 ? -1
				 : err_set(err, ERR_MISSING, "incident INC-%llu has no alerts",
					   (unsigned long long)number);
	int failed = read_piece(statement, out, err);
	sqlite3_reset(statement);
	return failed;
}

int pieces_read(struct connection *connection, int64_t key, int64_t from, struct arena *arena,
	struct piece_list *out, struct err *err)
{
	size_t capacity = 0;
	int step;
	*out = (struct piece_list){NULL, 0};
	sqlite3_stmt *statement = connection_statement(connection,
		COLUMNS " WHERE frozen = 0 AND key = ?1 AND first_slot >= ?2 ORDER BY first_slot",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, key);
	sql_bind_i64(statement, 2, from);
	while ((step = sql_step(statement, err)) > 0) {
		if (out->n == capacity) {
			capacity = capacity ? capacity * 2 : 4;
			struct piece *items = arena_array(arena, capacity, sizeof *items);
			if (!items) {
				step = err_set(err, ERR_MEMORY, "out of memory reading incidents");
				break;
			}
			if (out->n)
				memcpy(items, out->items, out->n * sizeof *items);
			out->items = items;
		}
		if (read_piece(statement, &out->items[out->n], err) < 0) {
			step = -1;
			break;
		}
		out->n++;
	}
	sqlite3_reset(statement);
	if (step < 0)
		piece_list_done(out);
	return step;
}

int piece_first_slot_before(struct connection *connection, int64_t key, int64_t slot,
	int64_t *first_slot, bool *found, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT first_slot FROM piece WHERE frozen = 0 AND key = ?1 AND first_slot < ?2"
		" ORDER BY first_slot DESC LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, key);
	sql_bind_i64(statement, 2, slot);
	int step = sql_step(statement, err);
	*found = step > 0;
	if (*found)
		*first_slot = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return step < 0 ? -1 : 0;
}

static int open_incident(struct connection *connection, uint64_t split_from, int64_t now_ns,
	uint64_t *number, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO incident (number, opened_ns, split_from) VALUES"
		" ((SELECT coalesce(max(number), 0) + 1 FROM incident), ?1, ?2)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, now_ns);
	if (split_from)
		sql_bind_i64(statement, 2, (int64_t)split_from);
	if (sql_run(statement, err) < 0)
		return -1;
	*number = (uint64_t)sqlite3_last_insert_rowid(connection->db);
	return 0;
}

static void bind_piece(sqlite3_stmt *statement, const struct piece *piece)
{
	const struct piece_sums *sums = &piece->sums;
	sql_bind_i64(statement, 1, (int64_t)piece->number);
	sql_bind_i64(statement, 2, piece->key);
	sql_bind_i64(statement, 3, piece->first_slot);
	sql_bind_i64(statement, 4, piece->last_slot);
	sql_bind_i64(statement, 5, piece->lo_ns);
	sql_bind_i64(statement, 6, piece->hi_ns);
	sql_bind_i64(statement, 7, (int64_t)sums->n);
	sql_bind_i64(statement, 8, sums->severity);
	sql_bind_i64(statement, 9, piece->base_milli);
	sql_bind_i64(statement, 10, piece->risk_milli);
	sql_bind_i64(statement, 11, piece->tactics);
	sql_bind_i64(statement, 12, piece->credited);
	sql_bind_i64(statement, 13, (int64_t)sums->sensors);
	sql_bind_i64(statement, 17, piece->criticality);
	sql_bind_i64(statement, 18, piece->novelty);
	sql_bind_i64(statement, 19, (int64_t)sums->mark);
	sql_bind_i64(statement, 22, sums->terminals);
	sql_bind_i64(statement, 23, piece->rollup);
}

int piece_write(struct connection *connection, struct piece *piece,
	const struct piece_origin *origin, int64_t now_ns, struct err *err)
{
	AUTO(buf_done) struct buf rules;
	buf_init(&rules, RULES_BYTES);
	piece_rules_write(&piece->sums, &rules);
	if (!buf_ok(&rules))
		return buf_error(&rules, err, "the list of an incident's rules");
	if (piece->number == 0 && open_incident(connection, origin ? origin->split_from : 0, now_ns,
					  &piece->number, err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO piece (number, key, first_slot, last_slot, lo, hi, n, severity, base,"
		" risk, tactics, credited, sensors, rules, revision, changed_ns, criticality,"
		" novelty, mark, claims, terminals, rollup)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		" ?17, ?18, ?19, ?20, ?22, nullif(?23, 0))"
		" ON CONFLICT (number) DO UPDATE SET key = ?2, first_slot = ?3, last_slot = ?4,"
		" lo = ?5, hi = ?6, n = ?7, severity = ?8, base = ?9, risk = ?10, tactics = ?11,"
		" credited = ?12, sensors = ?13, rules = ?14, revision = ?15, changed_ns = ?16,"
		" criticality = ?17, novelty = ?18, mark = ?19, terminals = ?22,"
		" rollup = nullif(?23, 0),"
		" claims = CASE WHEN ?21 THEN ?20 ELSE claims END",
		err);
	if (!statement)
		return -1;
	piece->revision++;
	bind_piece(statement, piece);
	sql_bind_blob(statement, 14, rules.data, rules.size);
	sql_bind_i64(statement, 15, (int64_t)piece->revision);
	sql_bind_i64(statement, 16, now_ns);
	if (origin && origin->claims.size)
		sql_bind_blob(statement, 20, origin->claims.data, origin->claims.size);
	sql_bind_i64(statement, 21, origin != NULL);
	if (sql_run(statement, err) < 0 || incident_changed(connection, piece->number, err) < 0)
		return -1;
	if (!piece->sealed)
		return 0;
	piece->sealed = false;
	return sealing_break(connection, piece->number, piece->revision, now_ns, err);
}

int piece_claims_write(
	struct connection *connection, uint64_t number, struct text claims, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "UPDATE piece SET claims = ?2 WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	if (claims.size)
		sql_bind_blob(statement, 2, claims.data, claims.size);
	return sql_run(statement, err);
}

int piece_remove(struct connection *connection, uint64_t number, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "DELETE FROM piece WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	return sql_run(statement, err) < 0 || incident_changed(connection, number, err) < 0
		       ? -1
		       : members_clear(connection, number, err);
}

int member_add(struct connection *connection, uint64_t number, const struct piece_member *member,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT OR REPLACE INTO member (number, entity, from_ns, to_ns) VALUES (?1, ?2, "
		"?3, ?4)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_i64(statement, 2, member->entity);
	sql_bind_i64(statement, 3, member->from_ns);
	sql_bind_i64(statement, 4, member->to_ns);
	return sql_run(statement, err);
}

int members_clear(struct connection *connection, uint64_t number, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "DELETE FROM member WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	return sql_run(statement, err);
}

int members_read(struct connection *connection, uint64_t number, struct arena *arena,
	struct member_list *out, struct err *err)
{
	size_t capacity = 0;
	int step;
	*out = (struct member_list){NULL, 0};
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT entity, from_ns, to_ns FROM member WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	while ((step = sql_step(statement, err)) > 0) {
		if (out->n == capacity) {
			capacity = capacity ? capacity * 2 : 4;
			struct piece_member *items = arena_array(arena, capacity, sizeof *items);
			if (!items) {
				sqlite3_reset(statement);
				return err_set(err, ERR_MEMORY, "out of memory reading members");
			}
			if (out->n)
				memcpy(items, out->items, out->n * sizeof *items);
			out->items = items;
		}
		out->items[out->n++] = (struct piece_member){
			sql_i64(statement, 0), sql_i64(statement, 1), sql_i64(statement, 2)};
	}
	return step;
}
