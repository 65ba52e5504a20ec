/* SPDX-License-Identifier: Apache-2.0 */
#include "store/similar.h"

#include "base/cleanup.h"
#include "model/activity.h"
#include "model/piece.h"

/* A workload's own past says more than the same rules elsewhere, which must be half the same. */
enum { WORKLOAD_POINTS = 1000, RULES_POINTS = 1000, ELSEWHERE_MIN = 500 };

struct ranked {
	struct similar item;
	size_t points;
};

struct ranking {
	struct ranked best[SIMILAR_MAX];
	size_t n;
};

static void sums_done_auto(struct piece_sums *sums)
{
	piece_sums_done(sums);
}

/* Both lists ascend by rule. */
static void count_rules(
	const struct piece_sums *a, const struct piece_sums *b, struct similar *item)
{
	size_t i = 0, j = 0;
	while (i < a->n_rules && j < b->n_rules) {
		int64_t left = a->rules[i].rule, right = b->rules[j].rule;
		item->n_rules_shared += left == right;
		i += left <= right;
		j += right <= left;
	}
	item->n_rules = a->n_rules + b->n_rules - item->n_rules_shared;
}

/* Keeps the best, most alike first; of equals the newest, which comes first. */
static void keep(struct ranking *ranking, const struct ranked *found)
{
	struct ranked *best = ranking->best;
	size_t at = ranking->n;
	while (at > 0 && best[at - 1].points < found->points)
		at--;
	if (at == SIMILAR_MAX)
		return;
	if (ranking->n < SIMILAR_MAX)
		ranking->n++;
	for (size_t i = ranking->n - 1; i > at; i--)
		best[i] = best[i - 1];
	best[at] = *found;
}

static int read_rules(
	struct connection *connection, uint64_t number, struct piece_sums *sums, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT rules FROM piece WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	bool valid = found && piece_rules_read(sums, sql_blob(statement, 0));
	sqlite3_reset(statement);
	if (!found)
		return err_set(
			err, ERR_MISSING, "no incident INC-%llu", (unsigned long long)number);
	return valid ? 0
		     : err_set(err, ERR_CORRUPT, "the rules of INC-%llu do not read back",
			       (unsigned long long)number);
}

/* Has it an entity of a workload that @number has one of, too? */
static int shares_workload(struct connection *connection, uint64_t number, uint64_t other,
	bool *shares, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT 1 FROM member m JOIN entity e ON e.id = m.entity"
		" WHERE m.number = ?1 AND e.workload IN (SELECT f.workload FROM member o"
		" JOIN entity f ON f.id = o.entity WHERE o.number = ?2"
		" AND f.workload IS NOT NULL) LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)other);
	sql_bind_i64(statement, 2, (int64_t)number);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	sqlite3_reset(statement);
	*shares = found > 0;
	return 0;
}

/* The row the statement stands at. */
static int rank(struct connection *connection, uint64_t number, const struct piece_sums *own,
	struct text rules, struct ranked *found, struct err *err)
{
	AUTO(sums_done) struct piece_sums sums = {0};
	if (!piece_rules_read(&sums, rules))
		return err_set(err, ERR_CORRUPT, "the rules of INC-%llu do not read back",
			(unsigned long long)found->item.number);
	count_rules(own, &sums, &found->item);
	if (shares_workload(
		    connection, number, found->item.number, &found->item.same_workload, err) < 0)
		return -1;
	found->points = found->item.n_rules
				? RULES_POINTS * found->item.n_rules_shared / found->item.n_rules
				: 0;
	if (found->item.same_workload)
		found->points += WORKLOAD_POINTS;
	return 0;
}

static int scan(struct connection *connection, uint64_t number, int64_t since_ns,
	const struct piece_sums *own, struct ranking *ranking, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT p.number, p.rules FROM piece p JOIN incident i ON i.number = p.number"
		" WHERE i.redirect_to IS NULL AND p.hi >= ?1 AND p.number <> ?2"
		" ORDER BY p.number DESC LIMIT ?3",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, since_ns);
	sql_bind_i64(statement, 2, (int64_t)number);
	sql_bind_i64(statement, 3, SIMILAR_SCANNED_MAX);
	int step;
	while ((step = sql_step(statement, err)) > 0) {
		struct ranked found = {.item.number = (uint64_t)sql_i64(statement, 0)};
		if (rank(connection, number, own, sql_blob(statement, 1), &found, err) < 0) {
			sqlite3_reset(statement);
			return -1;
		}
		if (found.item.same_workload || found.points >= ELSEWHERE_MIN)
			keep(ranking, &found);
	}
	return step;
}

static int fill_resolver(
	struct connection *connection, struct similar *item, struct arena *arena, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT actor FROM activity WHERE number = ?1 AND kind = ?2 ORDER BY id DESC LIMIT "
		"1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)item->number);
	sql_bind_i64(statement, 2, ACTIVITY_RESOLVED);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	item->resolved_by = arena_copy(arena, sql_text(statement, 0));
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for similar incidents") : 0;
}

int similar_read(struct connection *connection, uint64_t number, int64_t since_ns,
	struct arena *arena, struct similar_list *out, struct err *err)
{
	AUTO(sums_done) struct piece_sums own = {0};
	struct ranking ranking = {.n = 0};
	if (read_rules(connection, number, &own, err) < 0 ||
		scan(connection, number, since_ns, &own, &ranking, err) < 0)
		return -1;
	out->n = ranking.n;
	for (size_t i = 0; i < out->n; i++) {
		out->items[i] = ranking.best[i].item;
		if (fill_resolver(connection, &out->items[i], arena, err) < 0)
			return -1;
	}
	return 0;
}
