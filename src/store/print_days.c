/* SPDX-License-Identifier: Apache-2.0 */
#include "store/print_days.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define DAY_NS (86400 * NS_PER_S)

/* A transaction of usual size has fewer kinds of alerts than half of this; more are written in
 * between. */
enum { PLACES = 2048, KINDS_MAX = PLACES / 2, KNOWN = 4096 };

struct kind {
	int64_t day, fingerprint, workload;
	int64_t n, lo_ns, hi_ns;
	int64_t first_leaf, last_leaf;
	int64_t severity, attack;
};

/* Which workload an entity's tuple tells. 0: none. */
struct known {
	int64_t entity; /* 0: free */
	int64_t workload;
};

struct print_days {
	struct kind kinds[KINDS_MAX];
	size_t n;
	uint16_t places[PLACES]; /* 1 + index of a kind; 0: free */
	struct known known[KNOWN];
};

struct print_days *print_days_new(void)
{
	return calloc(1, sizeof(struct print_days));
}

void print_days_free(struct print_days *days)
{
	free(days);
}

static void clear(struct print_days *days)
{
	if (days->n)
		memset(days->places, 0, sizeof days->places);
	days->n = 0;
}

void print_days_forget(struct print_days *days)
{
	clear(days);
	memset(days->known, 0, sizeof days->known);
}

static int find_workload(struct print_days *days, struct connection *connection, int64_t entity,
	int64_t *workload, struct err *err)
{
	struct known *known = &days->known[(uint64_t)entity % KNOWN];
	if (known->entity == entity) {
		*workload = known->workload;
		return 0;
	}
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT workload FROM entity WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, entity);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	*known = (struct known){entity, found ? sql_i64(statement, 0) : 0};
	sqlite3_reset(statement);
	*workload = known->workload;
	return 0;
}

/* Where the kind is or would be. Ids are ours: nobody chooses collisions. */
static uint16_t *place_of(struct print_days *days, const struct kind *wanted)
{
	uint64_t hash = (uint64_t)wanted->fingerprint * UINT64_C(0x9e3779b97f4a7c15) ^
			(uint64_t)wanted->workload * UINT64_C(0xc2b2ae3d27d4eb4f) ^
			(uint64_t)wanted->day * UINT64_C(0x165667b19e3779f9);
	size_t at = (size_t)(hash >> 32) % PLACES;
	for (; days->places[at]; at = (at + 1) % PLACES) {
		const struct kind *kind = &days->kinds[days->places[at] - 1];
		if (kind->fingerprint == wanted->fingerprint &&
			kind->workload == wanted->workload && kind->day == wanted->day)
			break;
	}
	return &days->places[at];
}

static void join(struct kind *kind, const struct kind *other)
{
	kind->n += other->n;
	kind->lo_ns = other->lo_ns < kind->lo_ns ? other->lo_ns : kind->lo_ns;
	kind->hi_ns = other->hi_ns > kind->hi_ns ? other->hi_ns : kind->hi_ns;
	kind->severity = other->severity > kind->severity ? other->severity : kind->severity;
	kind->last_leaf = other->last_leaf;
	kind->attack = other->attack;
}

int print_days_count(struct print_days *days, struct connection *connection,
	const struct alert *alert, int64_t attack, struct err *err)
{
	const int64_t leaf = (int64_t)alert->leaf, time_ns = alert->time_ns;
	struct kind kind = {.day = time_ns / DAY_NS - (time_ns % DAY_NS < 0),
		.fingerprint = alert->fingerprint_id,
		.n = 1,
		.lo_ns = time_ns,
		.hi_ns = time_ns,
		.first_leaf = leaf,
		.last_leaf = leaf,
		.severity = alert->severity,
		.attack = attack};
	if (find_workload(days, connection, alert->entity_id, &kind.workload, err) < 0)
		return -1;
	uint16_t *place = place_of(days, &kind);
	if (*place) {
		join(&days->kinds[*place - 1], &kind);
		return 0;
	}
	if (days->n == KINDS_MAX) {
		if (print_days_flush(days, connection, err) < 0)
			return -1;
		place = place_of(days, &kind);
	}
	days->kinds[days->n++] = kind;
	*place = (uint16_t)days->n;
	return 0;
}

/* @sql has a kind's values as ?1 to ?10, in the order of its columns. */
static int run_with(
	struct connection *connection, const char *sql, const struct kind *kind, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	const int64_t values[] = {kind->day, kind->fingerprint, kind->workload, kind->n,
		kind->lo_ns, kind->hi_ns, kind->first_leaf, kind->last_leaf, kind->severity,
		kind->attack};
	for (int i = 0; i < (int)(sizeof values / sizeof values[0]); i++)
		sql_bind_i64(statement, i + 1, values[i]);
	return sql_run(statement, err);
}

/* Most kinds have a row: to change it first is cheaper than an insert that finds it in its way. */
static int write_kind(struct connection *connection, const struct kind *kind, struct err *err)
{
	if (run_with(connection,
		    "UPDATE print_day SET n = n + ?4, lo = min(lo, ?5), hi = max(hi, ?6),"
		    " last_leaf = ?8, severity = max(severity, ?9), attack = ?10"
		    " WHERE day = ?1 AND fingerprint = ?2 AND workload = ?3",
		    kind, err) < 0)
		return -1;
	if (sqlite3_changes(connection->db) > 0)
		return 0;
	return run_with(connection,
		"INSERT INTO print_day (day, fingerprint, workload, n, lo, hi, first_leaf,"
		" last_leaf, severity, attack) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		kind, err);
}

int print_days_flush(struct print_days *days, struct connection *connection, struct err *err)
{
	for (size_t i = 0; i < days->n; i++)
		if (write_kind(connection, &days->kinds[i], err) < 0)
			return -1;
	clear(days);
	return 0;
}

int print_days_remove(struct connection *connection, int64_t before_day, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"DELETE FROM print_day WHERE (day, fingerprint, workload) IN"
		" (SELECT day, fingerprint, workload FROM print_day WHERE day < ?1"
		" ORDER BY day, fingerprint, workload LIMIT 200)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, before_day);
	return sql_run(statement, err) < 0 ? -1 : sqlite3_changes(connection->db);
}
