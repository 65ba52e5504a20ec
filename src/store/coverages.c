/* SPDX-License-Identifier: Apache-2.0 */
#include "store/coverages.h"

#include "base/clock.h"
#include "store/coverage_places.h"

#define DAY_NS (86400 * NS_PER_S)

/* What touches is one: told apart by less than this. */
#define TOUCH_NS NS_PER_S

/* Peers say how many: their sum stays a number of 63 bits. */
static uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t out;
	return __builtin_add_overflow(a, b, &out) || out > INT64_MAX ? INT64_MAX : out;
}

static int64_t day_end(int64_t time_ns)
{
	return (time_ns / DAY_NS + 1) * DAY_NS;
}

/* The interval of the same day that begins at or before @from_ns and reaches it. 1: there is one.
 */
static int find_touched(struct connection *connection, int64_t place, const struct coverage *told,
	struct coverage *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT from_ns, until_ns, n FROM coverage WHERE place = ?1 AND state = ?2"
		" AND from_ns <= ?3 ORDER BY from_ns DESC LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, place);
	sql_bind_i64(statement, 2, told->state);
	sql_bind_i64(statement, 3, told->from_ns);
	int step = sql_step(statement, err);
	if (step <= 0)
		return step;
	*out = (struct coverage){.from_ns = sql_i64(statement, 0),
		.until_ns = sql_i64(statement, 1),
		.n = (uint64_t)sql_i64(statement, 2)};
	sqlite3_reset(statement);
	return out->until_ns + TOUCH_NS >= told->from_ns &&
	       out->from_ns / DAY_NS == told->from_ns / DAY_NS;
}

static int write(
	struct connection *connection, int64_t place, const struct coverage *piece, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO coverage (place, state, from_ns, until_ns, n)"
		" VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET until_ns = ?4, n = ?5",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, place);
	sql_bind_i64(statement, 2, piece->state);
	sql_bind_i64(statement, 3, piece->from_ns);
	sql_bind_i64(statement, 4, piece->until_ns);
	sql_bind_i64(statement, 5, (int64_t)piece->n);
	return sql_run(statement, err);
}

/* One that lies within a day. */
static int note_piece(
	struct connection *connection, int64_t place, const struct coverage *told, struct err *err)
{
	struct coverage piece = *told, before;
	int touched = find_touched(connection, place, told, &before, err);
	if (touched < 0)
		return -1;
	if (touched) {
		bool again = before.from_ns == told->from_ns || before.until_ns >= told->until_ns;
		uint64_t most = told->n > before.n ? told->n : before.n;
		piece.from_ns = before.from_ns;
		piece.n = again ? most : sum(before.n, told->n);
		if (before.until_ns > piece.until_ns)
			piece.until_ns = before.until_ns;
		if (piece.until_ns == before.until_ns && piece.n == before.n)
			return 0;
	}
	return write(connection, place, &piece, err);
}

int coverage_note(struct connection *connection, const struct coverage *coverage, struct err *err)
{
	int64_t place;
	struct coverage piece = *coverage;
	if (coverage->from_ns < 0 || coverage->until_ns < coverage->from_ns)
		return err_set(err, ERR_INPUT, "an interval of coverage ends before it begins");
	if (piece.until_ns - piece.from_ns > COVERAGE_DAYS_MAX * DAY_NS)
		piece.from_ns = piece.until_ns - COVERAGE_DAYS_MAX * DAY_NS;
	if (coverage_place_find(connection, coverage, &place, err) < 0)
		return -1;
	while (day_end(piece.from_ns) <= coverage->until_ns) {
		piece.until_ns = day_end(piece.from_ns) - 1;
		if (note_piece(connection, place, &piece, err) < 0)
			return -1;
		piece.from_ns = piece.until_ns + 1;
		piece.n = 0;
	}
	piece.until_ns = coverage->until_ns;
	return note_piece(connection, place, &piece, err);
}

static bool is_same_lane(const struct coverage *a, const struct coverage *b)
{
	return a->state == b->state && a->source == b->source && text_equal(a->node, b->node) &&
	       text_equal(a->sensor, b->sensor) && text_equal(a->cluster, b->cluster);
}

/* Appends; what goes on from the item before is one with it. */
static void append(struct coverage_list *list, const struct coverage *item)
{
	struct coverage *last = list->n ? &list->items[list->n - 1] : NULL;
	if (last && is_same_lane(last, item) && last->until_ns + TOUCH_NS >= item->from_ns) {
		if (item->until_ns > last->until_ns)
			last->until_ns = item->until_ns;
		last->n = sum(last->n, item->n);
		return;
	}
	if (list->n == COVERAGE_LIST_MAX)
		list->is_cut = true;
	else
		list->items[list->n++] = *item;
}

void coverage_filter_bind(sqlite3_stmt *statement, const struct coverage_filter *filter)
{
	enum source source = filter->source.size ? source_parse(filter->source) : SOURCE_NONE;
	sql_bind_text(statement, 1, filter->cluster);
	sql_bind_text(statement, 2, filter->node);
	/* No source has a negative number: a word that names none finds nothing. */
	sql_bind_i64(statement, 3,
		!filter->source.size    ? 0
		: source == SOURCE_NONE ? -1
					: (int64_t)source);
}

static void read_place(sqlite3_stmt *statement, struct arena *arena, struct coverage *out)
{
	out->cluster = arena_copy(arena, sql_text(statement, 0));
	out->node = arena_copy(arena, sql_text(statement, 1));
	out->source = (enum source)sql_i64(statement, 2);
	out->sensor = arena_copy(arena, sql_text(statement, 3));
}

static int list_stored(struct connection *connection, const struct coverage_filter *filter,
	struct arena *arena, struct coverage_list *out, struct err *err)
{
	int step;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT p.cluster, p.node, p.source, p.sensor, c.state, c.from_ns, c.until_ns, c.n"
		" FROM coverage c JOIN coverage_place p ON p.id = c.place"
		" WHERE (?1 = '' OR p.cluster = ?1) AND (?2 = '' OR p.node = ?2)"
		" AND (?3 = 0 OR p.source = ?3) AND c.from_ns BETWEEN ?4 AND ?5 AND c.until_ns >= "
		"?6"
		" AND (?7 = 0 OR c.state <> 1)"
		" ORDER BY p.cluster, p.node, p.source, p.sensor, c.state, c.from_ns",
		err);
	if (!statement)
		return -1;
	coverage_filter_bind(statement, filter);
	sql_bind_i64(statement, 4, filter->from_ns - DAY_NS);
	sql_bind_i64(statement, 5, filter->until_ns);
	sql_bind_i64(statement, 6, filter->from_ns);
	sql_bind_i64(statement, 7, filter->gaps_only);
	while ((step = sql_step(statement, err)) > 0 && !out->is_cut && !arena->failed) {
		struct coverage item = {.state = (enum coverage_state)sql_i64(statement, 4),
			.from_ns = sql_i64(statement, 5),
			.until_ns = sql_i64(statement, 6),
			.n = (uint64_t)sql_i64(statement, 7)};
		read_place(statement, arena, &item);
		append(out, &item);
	}
	sqlite3_reset(statement);
	return step < 0 ? -1 : 0;
}

/* Whose silence nobody has ended yet. */
static int list_silent_now(struct connection *connection, const struct coverage_filter *filter,
	struct arena *arena, struct coverage_list *out, struct err *err)
{
	int step;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT cluster, node, source, sensor, spoke_ns, usual_ns FROM coverage_place"
		" WHERE (?1 = '' OR cluster = ?1) AND (?2 = '' OR node = ?2)"
		" AND (?3 = 0 OR source = ?3) AND usual_ns > 0"
		" ORDER BY cluster, node, source, sensor",
		err);
	if (!statement)
		return -1;
	coverage_filter_bind(statement, filter);
	while ((step = sql_step(statement, err)) > 0 && !out->is_cut && !arena->failed) {
		struct pulse pulse = {
			.spoke_ns = sql_i64(statement, 4), .usual_ns = sql_i64(statement, 5)};
		int64_t since_ns = pulse_silent_since(&pulse, filter->now_ns);
		if (!since_ns || since_ns > filter->until_ns)
			continue;
		struct coverage item = {.state = COVERAGE_SILENT,
			.from_ns = since_ns,
			.until_ns = COVERAGE_GOES_ON_NS};
		read_place(statement, arena, &item);
		append(out, &item);
	}
	sqlite3_reset(statement);
	return step < 0 ? -1 : 0;
}

int coverage_list(struct connection *connection, const struct coverage_filter *filter,
	struct arena *arena, struct coverage_list *out, struct err *err)
{
	*out = (struct coverage_list){
		.items = arena_array(arena, COVERAGE_LIST_MAX, sizeof(struct coverage))};
	if (!out->items)
		return err_set(err, ERR_MEMORY, "out of memory reading coverage");
	if (list_stored(connection, filter, arena, out, err) < 0 ||
		(filter->now_ns && list_silent_now(connection, filter, arena, out, err) < 0))
		return -1;
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading coverage") : 0;
}

int coverage_expire(struct connection *connection, int64_t before_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "DELETE FROM coverage WHERE from_ns < ?1 AND until_ns < ?2", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, before_ns);
	sql_bind_i64(statement, 2, before_ns);
	if (sql_run(statement, err) < 0)
		return -1;
	statement = connection_statement(connection,
		"DELETE FROM coverage_place WHERE spoke_ns < ?1"
		" AND NOT EXISTS (SELECT 1 FROM coverage WHERE place = coverage_place.id)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, before_ns);
	return sql_run(statement, err);
}
