/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/slot_alerts.h"
#include "tests/lib/random.h"
#include "tests/lib/store_rig.h"

static struct store_rig rig;
static struct connection *connection;

static void setup(void)
{
	struct err err = {0};
	store_rig_init(&rig, NULL);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	connection = store_connection(rig.store);
}

static void teardown(void)
{
	store_rig_done(&rig);
}

static void read_slot(const struct slot_part *part, struct arena *arena, struct slot_rows *rows)
{
	struct err err = {0};
	ck_assert_msg(slots_read(connection, part, true, arena, rows, &err) == 0, "%s", err.text);
}

static const struct slot_row *row_of(const struct slot_rows *rows, int64_t print)
{
	for (size_t i = 0; i < rows->n; i++)
		if (rows->rows[i].print == print)
			return &rows->rows[i];
	return NULL;
}

static void check_equal(const struct slot_row *a, const struct slot_row *b)
{
	ck_assert_int_eq(a->lo_ns, b->lo_ns);
	ck_assert_int_eq(a->hi_ns, b->hi_ns);
	ck_assert_int_eq(a->severity, b->severity);
	ck_assert_uint_eq(a->n, b->n);
	ck_assert_uint_eq(a->tactics, b->tactics);
	ck_assert_uint_eq(a->sensors, b->sensors);
	ck_assert_uint_eq(a->mark, b->mark);
	ck_assert_uint_eq(a->n_techniques, b->n_techniques);
	ck_assert_mem_eq(a->techniques, b->techniques, a->n_techniques * sizeof *a->techniques);
	ck_assert_uint_eq(a->n_samples, b->n_samples);
	for (size_t i = 0; i < a->n_samples; i++) {
		ck_assert_mem_eq(a->samples[i].occ, b->samples[i].occ, OCCURRENCE_BYTES);
		ck_assert_uint_eq(a->samples[i].leaf, b->samples[i].leaf);
	}
}

/* The row of a stored alert of the rig's, whose interned ids are known. */
static struct slot_row draw_row(struct random *random, const struct alert *like)
{
	struct slot_row row;
	struct alert alert = *like;
	alert.time_ns += (int64_t)random_below(random, 100) * NS_PER_S;
	alert.severity = (enum severity)random_below(random, N_SEVERITIES);
	alert.tactics = (tactic_mask)random_below(random, 1U << N_TACTICS);
	alert.leaf = random_below(random, 1000000);
	for (size_t i = 0; i < OCCURRENCE_BYTES; i++)
		alert.occ[i] = (unsigned char)random_below(random, 256);
	for (uint64_t n = random_below(random, 4); n > 0; n--)
		alert_add_technique(&alert, (technique_code)(1001000 + random_below(random, 200)));
	slot_row_of(&row, &alert);
	return row;
}

/* The store's join is the model's, in whatever order and in how many transactions. */
START_TEST(joins_as_the_model_does)
{
	struct err err = {0};
	struct random random = random_from_environment();
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, SIZE_MAX);
	struct batch *batch = store_rig_batch();
	struct alert *alert = store_rig_alert(batch, 0);
	ck_assert_msg(store_rig_commit(&rig, batch, &err) == 0, "%s", err.text);
	struct slot_row joined;
	slot_row_of(&joined, alert);
	for (int i = 0; i < 200; i++) {
		bool is_new;
		struct slot_row row = draw_row(&random, alert);
		slot_row_join(&joined, &row);
		ck_assert_msg(slot_join(connection, &row, &is_new, &err) == 0, "%s", err.text);
		ck_assert(!is_new);
	}
	struct slot_part part = {alert->slot, alert->entity_id, INT64_MIN, INT64_MAX};
	struct slot_rows rows;
	read_slot(&part, &arena, &rows);
	ck_assert_uint_eq(rows.n, 1);
	ck_assert_int_eq(rows.rows[0].rule, alert->rule_id);
	check_equal(&rows.rows[0], &joined);
	batch_free(batch);
}
END_TEST

/* The sides of a border inside a slot, computed from alerts, join to the stored whole. */
START_TEST(parts_of_a_slot_join_to_the_whole)
{
	struct err err = {0};
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, SIZE_MAX);
	struct batch *batch = store_rig_batch();
	struct alert *alert = NULL;
	for (unsigned i = 0; i < 200; i += 7) { /* one pod, five rules */
		alert = store_rig_alert(batch, i);
		alert->time_ns = (RIG_TIME_S / 300 * 300 + i) * NS_PER_S;
		if (i % 3 == 0)
			alert->flags |= ALERT_CONTEXT;
	}
	ck_assert_msg(store_rig_commit(&rig, batch, &err) == 0, "%s", err.text);
	struct slot_part part = {alert->slot, alert->entity_id, INT64_MIN, INT64_MAX};
	struct slot_part early = part, late = part;
	early.to_ns = late.from_ns = (RIG_TIME_S / 300 * 300 + 98) * NS_PER_S;
	struct slot_rows whole, before, after;
	read_slot(&part, &arena, &whole);
	read_slot(&early, &arena, &before);
	read_slot(&late, &arena, &after);
	ck_assert_uint_ge(whole.n, 8);
	for (size_t i = 0; i < whole.n; i++) {
		const struct slot_row *left = row_of(&before, whole.rows[i].print);
		const struct slot_row *right = row_of(&after, whole.rows[i].print);
		ck_assert(left || right);
		struct slot_row joined = left ? *left : *right;
		if (left && right)
			slot_row_join(&joined, right);
		check_equal(&joined, &whole.rows[i]);
		ck_assert(!left || left->hi_ns < early.to_ns);
		ck_assert(!right || right->lo_ns >= late.from_ns);
	}
	batch_free(batch);
}
END_TEST

static void count_plan(sqlite3_stmt *plan, int *n_scans, int *n_sorts)
{
	struct err err;
	while (sql_step(plan, &err) > 0) {
		struct text step = sql_text(plan, 3);
		*n_scans +=
			text_starts(step, TEXT("SCAN alert")) || text_starts(step, TEXT("SCAN a"));
		*n_sorts += text_starts(step, TEXT("USE TEMP B-TREE"));
	}
}

/* Two entities and two slots in turn over 40 000 leaves, which are ten runs: what is found is what
 * is there, in the order of leaves, from any leaf on, by the index and without sorting. */
START_TEST(alerts_of_a_slot_come_from_all_its_runs)
{
#define LEAVES_SQL                                                                                 \
	SLOT_RUNS "SELECT a.leaf FROM " SLOT_ALERTS_FROM " WHERE " SLOT_ALERTS_WHERE " LIMIT ?6"
	struct err err = {0};
	struct random random = random_from_environment();
	ck_assert_msg(
		connection_run(connection,
			"BEGIN; WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n"
			" WHERE i < 39999) INSERT INTO alert SELECT 3 * i, 70 + (i / 3) % 2,"
			" 5 + i % 2, zeroblob(16), i, 0, 0, 0, 0, 0, 0, 0, 0, 1 FROM n; COMMIT",
			&err) == 0,
		"%s", err.text);
	for (int round = 0; round < 200; round++) {
		int64_t slot = 70 + (int64_t)random_below(&random, 3);
		int64_t entity = 5 + (int64_t)random_below(&random, 3);
		uint64_t first = random_below(&random, 125000);
		uint64_t limit = random_below(&random, 4) ? 256 : 50000;
		struct slot_part part = {slot, entity, INT64_MIN, INT64_MAX};
		part.from_ns = random_below(&random, 2) ? (int64_t)random_below(&random, 40000)
							: INT64_MIN;
		part.to_ns = random_below(&random, 2) ? (int64_t)random_below(&random, 40000)
						      : INT64_MAX;
		sqlite3_stmt *statement = slot_alerts(connection, LEAVES_SQL, &part, first, &err);
		ck_assert_msg(statement != NULL, "%s", err.text);
		sql_bind_i64(statement, 6, (int64_t)limit);
		uint64_t n = 0;
		for (int64_t i = 0; i < 40000 && n < limit; i++) {
			if ((uint64_t)(3 * i) < first || 70 + (i / 3) % 2 != slot ||
				5 + i % 2 != entity || i < part.from_ns || i >= part.to_ns)
				continue;
			ck_assert_int_gt(sql_step(statement, &err), 0);
			ck_assert_int_eq(sql_i64(statement, 0), 3 * i);
			n++;
		}
		ck_assert(n == limit || sql_step(statement, &err) == 0);
		sqlite3_reset(statement);
	}
	int n_scans = 0, n_sorts = 0;
	count_plan(connection_statement(connection, "EXPLAIN QUERY PLAN " LEAVES_SQL, &err),
		&n_scans, &n_sorts);
	ck_assert_int_eq(n_scans + n_sorts, 0);
#undef LEAVES_SQL
}
END_TEST

START_TEST(days_are_floors)
{
	ck_assert_int_eq(day_of_slot(0), 0);
	ck_assert_int_eq(day_of_slot(287), 0);
	ck_assert_int_eq(day_of_slot(288), 1);
	ck_assert_int_eq(day_of_slot(-1), -1);
	ck_assert_int_eq(day_of_slot(-288), -1);
	ck_assert_int_eq(day_of_slot(-289), -2);
}
END_TEST

START_TEST(presence_has_a_bit_for_each_slot)
{
	static const int64_t slots[] = {-289, -288, -1, 0, 1, 287, 288, 575};
	struct err err = {0};
	int64_t first, last;
	ck_assert(presence_days(connection, &first, &last, &err) == 0);
	ck_assert_int_lt(last, first);
	for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
		ck_assert(presence_mark(connection, slots[i], 5, &err) == 0);
	ck_assert(presence_days(connection, &first, &last, &err) == 0);
	ck_assert_int_eq(first, -2);
	ck_assert_int_eq(last, 1);
	for (int64_t slot = -2 * SLOTS_PER_DAY; slot < 2 * SLOTS_PER_DAY; slot++) {
		unsigned char bits[PRESENCE_BYTES];
		bool expected = false;
		int64_t day = day_of_slot(slot);
		for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
			expected |= slots[i] == slot;
		ck_assert(presence_read(connection, day, 5, bits, &err) == 0);
		ck_assert_int_eq(
			presence_has(bits, (unsigned)(slot - day * SLOTS_PER_DAY)), expected);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/slots");
	TCase *tests = tcase_create("slots");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, joins_as_the_model_does);
	tcase_add_test(tests, parts_of_a_slot_join_to_the_whole);
	tcase_add_test(tests, alerts_of_a_slot_come_from_all_its_runs);
	tcase_add_test(tests, days_are_floors);
	tcase_add_test(tests, presence_has_a_bit_for_each_slot);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
