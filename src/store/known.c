/* SPDX-License-Identifier: Apache-2.0 */
#include "store/known.h"

#include <string.h>

#include "store/facts.h"
#include "store/slot_alerts.h"

enum { IMAGES_MAX = 8 };

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory for what is known of an entity");
}

#define CLUSTERS                                                                                   \
	"WITH c(cluster) AS (SELECT DISTINCT cluster FROM entity WHERE ?2 = '' OR cluster = ?2)"

#define NEWEST " ORDER BY 1 DESC LIMIT ?3"

#define ENTITIES_OF(from, column, value)                                                           \
	"SELECT e.id, e.packed FROM " from " CROSS JOIN entity e ON e.cluster = " from ".cluster"  \
	" AND e." column " = " value

/* uids (u) and containers (k) of pods, and the tuples that have one of them. */
#define CONTAINERS_OF_UIDS                                                                         \
	"SELECT f.cluster, f.container FROM u CROSS JOIN container_fact f"                         \
	" ON f.cluster = u.cluster AND f.uid = u.uid"
#define BY_UID_AND_CONTAINER                                                                       \
	ENTITIES_OF("u", "uid", "u.uid") " UNION " ENTITIES_OF("k", "container", "k.container")

static const char *sql_of(enum known_kind kind)
{
	switch (kind) {
	case KNOWN_POD_NAME:
		return CLUSTERS
			", u(cluster, uid) AS (SELECT f.cluster, f.uid FROM c CROSS JOIN name_fact "
			"f"
			" ON f.cluster = c.cluster AND f.name = ?1 UNION SELECT e.cluster, e.uid"
			" FROM c CROSS JOIN entity e ON e.cluster = c.cluster AND e.name = ?1"
			" WHERE e.uid IS NOT NULL), k(cluster, container) AS (" CONTAINERS_OF_UIDS
			" UNION SELECT f.cluster, f.container FROM c CROSS JOIN container_fact f"
			" ON f.cluster = c.cluster AND f.name = ?1) " ENTITIES_OF(
				"c", "name", "?1") " UNION " BY_UID_AND_CONTAINER NEWEST;
	case KNOWN_POD_UID:
		return CLUSTERS ", u(cluster, uid) AS (SELECT cluster, ?1 FROM c),"
				" k(cluster, container) AS (" CONTAINERS_OF_UIDS
				") " BY_UID_AND_CONTAINER NEWEST;
	case KNOWN_CONTAINER:
		return CLUSTERS " " ENTITIES_OF("c", "container", "?1") NEWEST;
	case KNOWN_NODE:
		return CLUSTERS " " ENTITIES_OF("c", "node", "?1") NEWEST;
	case KNOWN_WORKLOAD:
		return CLUSTERS " SELECT e.id, e.packed FROM c CROSS JOIN workload w"
				" ON w.name = c.cluster || '/' || ?1 CROSS JOIN entity e"
				" ON e.workload = w.id" NEWEST;
	}
	return NULL;
}

/* Where a tuple does not say its pod, facts may. */
static int complete_name(struct connection *connection, struct arena *arena,
	struct identity_seen *seen, struct err *err)
{
	struct container_fact fact;
	struct text_list names = {0};
	if (seen->name.size)
		return 0;
	if (seen->container.size) {
		const struct cluster_text container = {seen->cluster, seen->container};
		if (container_fact_read(connection, container, arena, &fact, err) < 0)
			return -1;
		seen->name = fact.name;
		seen->uid = seen->uid.size ? seen->uid : fact.uid;
	}
	if (seen->name.size || !seen->uid.size)
		return 0;
	const struct cluster_text uid = {seen->cluster, seen->uid};
	if (names_find(connection, uid, arena, &names, err) < 0)
		return -1;
	if (names.n)
		seen->name = names.items[0];
	return 0;
}

static int read_tuples(sqlite3_stmt *statement, struct known *known, struct err *err)
{
	int step;
	while ((step = sql_step(statement, err)) > 0) {
		if (known->n == KNOWN_TUPLES_MAX) {
			known->is_full = true;
			sqlite3_reset(statement);
			return 0;
		}
		struct known_tuple *tuple = &known->tuples[known->n];
		struct text packed = arena_copy(known->arena, sql_blob(statement, 1));
		tuple->entity = sql_i64(statement, 0);
		if (identity_seen_unpack(packed, &tuple->seen))
			known->n++;
	}
	return step;
}

int known_read(struct connection *connection, struct known *known, struct err *err)
{
	const char *sql = sql_of(known->kind);
	known->n = 0;
	known->is_full = false;
	known->tuples = arena_array(known->arena, KNOWN_TUPLES_MAX, sizeof *known->tuples);
	if (!known->tuples)
		return no_memory(err);
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, known->value);
	sql_bind_text(statement, 2, known->cluster);
	sql_bind_i64(statement, 3, KNOWN_TUPLES_MAX + 1);
	if (read_tuples(statement, known, err) < 0)
		return -1;
	for (size_t i = 0; i < known->n; i++)
		if (complete_name(connection, known->arena, &known->tuples[i].seen, err) < 0)
			return -1;
	return known->arena->failed ? no_memory(err) : 0;
}

/* One slot of a tuple. */
static int visit_slot(struct connection *connection, int64_t slot, int64_t entity,
	known_sum_visit *visit, void *ctx, struct err *err)
{
	int step;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT r.name, s.severity, s.n, s.lo, s.hi FROM slot s"
		" JOIN fingerprint f ON f.id = s.print >> 1 JOIN rule r ON r.id = f.rule"
		" WHERE s.slot = ?1 AND s.entity = ?2",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, slot);
	sql_bind_i64(statement, 2, entity);
	while ((step = sql_step(statement, err)) > 0) {
		const struct known_sum sum = {sql_text(statement, 0),
			(enum severity)sql_i64(statement, 1), (uint64_t)sql_i64(statement, 2),
			sql_i64(statement, 3), sql_i64(statement, 4)};
		if (!visit(ctx, &sum)) {
			sqlite3_reset(statement);
			return no_memory(err);
		}
	}
	return step;
}

static int visit_day(struct connection *connection, int64_t day, int64_t entity,
	known_sum_visit *visit, void *ctx, struct err *err)
{
	unsigned char bits[PRESENCE_BYTES];
	if (presence_read(connection, day, entity, bits, err) < 0)
		return -1;
	for (unsigned i = 0; i < SLOTS_PER_DAY; i++)
		if (presence_has(bits, i) && visit_slot(connection, day * SLOTS_PER_DAY + i, entity,
						     visit, ctx, err) < 0)
			return -1;
	return 0;
}

int known_sums_read(struct connection *connection, int64_t entity, known_sum_visit *visit,
	void *ctx, bool *complete, struct err *err)
{
	int64_t first, last;
	*complete = true;
	if (presence_days(connection, &first, &last, err) < 0)
		return -1;
	for (int64_t day = last; day >= first; day--) {
		if (connection_is_late(connection)) {
			*complete = false;
			return 0;
		}
		if (visit_day(connection, day, entity, visit, ctx, err) < 0)
			return -1;
	}
	return 0;
}

/* Into its place, if it is not there; the lowest falls out. */
void known_numbers_note(struct known_numbers *numbers, uint64_t number)
{
	size_t at = 0;
	while (at < numbers->n && numbers->numbers[at] > number)
		at++;
	if (at < numbers->n && numbers->numbers[at] == number)
		return;
	numbers->is_full |= numbers->n == KNOWN_NUMBERS_MAX;
	if (at == KNOWN_NUMBERS_MAX)
		return;
	size_t n = numbers->n < KNOWN_NUMBERS_MAX ? numbers->n++ : KNOWN_NUMBERS_MAX - 1;
	memmove(&numbers->numbers[at + 1], &numbers->numbers[at],
		(n - at) * sizeof numbers->numbers[0]);
	numbers->numbers[at] = number;
}

int known_numbers_add(struct connection *connection, int64_t entity, struct known_numbers *numbers,
	struct err *err)
{
	int step;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT DISTINCT number FROM member WHERE entity = ?1 ORDER BY number DESC LIMIT "
		"?2",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, entity);
	sql_bind_i64(statement, 2, KNOWN_NUMBERS_MAX + 1);
	while ((step = sql_step(statement, err)) > 0)
		known_numbers_note(numbers, (uint64_t)sql_i64(statement, 0));
	return step;
}

/* The newest slot with alerts of the tuple; false in *found: none. */
static int newest_slot(
	struct connection *connection, int64_t entity, int64_t *slot, bool *found, struct err *err)
{
	unsigned char bits[PRESENCE_BYTES];
	int64_t first, last;
	*found = false;
	if (presence_days(connection, &first, &last, err) < 0)
		return -1;
	for (int64_t day = last; day >= first; day--) {
		if (presence_read(connection, day, entity, bits, err) < 0)
			return -1;
		for (unsigned i = SLOTS_PER_DAY; i > 0; i--)
			if (presence_has(bits, i - 1)) {
				*slot = day * SLOTS_PER_DAY + i - 1;
				*found = true;
				return 0;
			}
	}
	return 0;
}

int known_images_read(struct connection *connection, int64_t entity, struct arena *arena,
	struct text_list *out, struct err *err)
{
	int64_t slot;
	bool found;
	int step;
	*out = (struct text_list){0};
	if (newest_slot(connection, entity, &slot, &found, err) < 0)
		return -1;
	if (!found)
		return 0;
	const struct slot_part part = {slot, entity, INT64_MIN, INT64_MAX};
	sqlite3_stmt *statement = slot_alerts(connection,
		SLOT_RUNS "SELECT DISTINCT i.name FROM " SLOT_ALERTS_FROM
			  " JOIN image i ON i.id = a.image WHERE " SLOT_ALERTS_WHERE
			  " AND i.name <> '' LIMIT ?6",
		&part, 0, err);
	if (!statement)
		return -1;
	out->items = arena_array(arena, IMAGES_MAX, sizeof *out->items);
	sql_bind_i64(statement, 6, IMAGES_MAX);
	while ((step = sql_step(statement, err)) > 0)
		if (out->items)
			out->items[out->n++] = arena_copy(arena, sql_text(statement, 0));
	return step < 0 ? -1 : arena->failed ? no_memory(err) : 0;
}
