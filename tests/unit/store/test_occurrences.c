/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "store/occurrences.h"
#include "tests/lib/filled_store.h"
#include "tests/lib/store_rig.h"

enum { N_ROWS = 2 * OCCURRENCE_RUN + 100 };

static struct store_rig rig;
static struct connection *connection;

static void id_of(int64_t leaf, unsigned char occ[OCCURRENCE_BYTES])
{
	struct digest digest = digest_of((struct text){(const char *)&leaf, sizeof leaf});
	memcpy(occ, digest.bytes, OCCURRENCE_BYTES);
	if (leaf % 1000 < 3) /* a few agree in all that a run keeps of an id */
		memset(occ, 0, OCCURRENCE_BYTES / 2);
}

static void insert_row(int64_t leaf)
{
	struct err err = {0};
	unsigned char occ[OCCURRENCE_BYTES];
	id_of(leaf, occ);
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO alert (leaf, entity, occ, time_ns, received_ns, fingerprint, attack, "
		"process, image, origin, stream, bits, count)"
		" VALUES (?1, 1, ?2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1)",
		&err);
	ck_assert_msg(statement != NULL, "%s", err.text);
	sql_bind_i64(statement, 1, leaf);
	sql_bind_blob(statement, 2, occ, sizeof occ);
	ck_assert_msg(sql_run(statement, &err) == 0, "%s", err.text);
}

static void setup(void)
{
	struct err err = {0};
	store_rig_init(&rig, NULL);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	connection = store_connection(rig.store);
	ck_assert(connection_run(connection, "BEGIN", &err) == 0);
}

static void teardown(void)
{
	struct err err;
	ck_assert(connection_run(connection, "ROLLBACK", &err) == 0);
	store_rig_done(&rig);
}

/* Leaves have gaps, where something was quarantined. */
static int64_t leaf_of(int64_t row)
{
	return row + row / 7;
}

static void check_all(int64_t n)
{
	struct err err = {0};
	unsigned char occ[OCCURRENCE_BYTES];
	uint64_t leaf;
	for (int64_t row = 0; row < n; row += row % 1000 < 3 ? 1 : 97) {
		id_of(leaf_of(row), occ);
		ck_assert_msg(occurrence_find(connection, occ, &leaf, &err) == 0, "row %lld: %s",
			(long long)row, err.text);
		ck_assert_int_eq((int64_t)leaf, leaf_of(row));
	}
	memset(occ, 0, sizeof occ); /* the prefix is known, the id is not */
	ck_assert_int_eq(occurrence_find(connection, occ, &leaf, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MISSING);
	memset(occ, 0xff, sizeof occ);
	ck_assert_int_eq(occurrence_find(connection, occ, &leaf, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MISSING);
}

START_TEST(finds_ids_in_runs_and_behind_them)
{
	struct err err = {0};
	for (int64_t row = 0; row < OCCURRENCE_RUN - 1; row++)
		insert_row(leaf_of(row));
	ck_assert_int_eq(occurrence_run_make(connection, &err), 0); /* one too few */
	for (int64_t row = OCCURRENCE_RUN - 1; row < N_ROWS; row++)
		insert_row(leaf_of(row));
	check_all(0);
	ck_assert_int_eq(occurrence_run_make(connection, &err), 1);
	check_all(N_ROWS);
	ck_assert_int_eq(occurrence_run_make(connection, &err), 1);
	ck_assert_int_eq(occurrence_run_make(connection, &err), 0);
	check_all(N_ROWS);
	ck_assert_int_eq(
		store_rig_number(connection, "SELECT sum(length(entries)) FROM occurrence_part"),
		2 * OCCURRENCE_RUN * 12);
	/* A look-up reads one part of each run, so none may be much larger than the others. */
	ck_assert_int_eq(store_rig_number(connection, "SELECT count(*) FROM occurrence_part"),
		2 * OCCURRENCE_PARTS);
	ck_assert_int_lt(store_rig_number(connection, "SELECT max(length(entries)) FROM "
						      "occurrence_part WHERE id >= 1 << 44"),
		3 * OCCURRENCE_RUN / OCCURRENCE_PARTS * 12 / 2);
}
END_TEST

START_TEST(runs_leave_with_their_alerts)
{
	struct err err = {0};
	int64_t next = 0;
	struct slice slice = slice_start(&clock_system, 100000, 1000000);
	for (int64_t row = 0; row < N_ROWS; row++)
		insert_row(leaf_of(row));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(occurrence_run_make(connection, &err), 1);
	ck_assert_int_eq(
		connection_run(connection, "DELETE FROM alert WHERE leaf < 19000", &err), 0);
	ck_assert_int_eq(occurrence_runs_remove(connection, &next, &slice, &err), 0);
	ck_assert_int_eq(store_rig_number(connection, "SELECT count(*) FROM occurrence_part"),
		OCCURRENCE_PARTS);
	ck_assert_int_eq(store_rig_number(connection, "SELECT count(*) FROM occurrence_run"), 1);
}
END_TEST

/* Under a load without idle time, what a look-up looks through stays bounded. */
START_TEST(runs_are_made_without_idle_time_in_the_end)
{
	enum { EACH = 4096, MOST = 12 * OCCURRENCE_RUN };
	struct err err = {0};
	struct filled_store filled;
	filled_store_init(&filled);
	size_t n = 0;
	for (; n < MOST && !store_is_behind(filled.store); n += EACH)
		filled_store_add(&filled, SOURCE_FALCO, EACH);
	ck_assert_uint_lt(n, MOST);
	ck_assert_uint_ge(n, 2 * OCCURRENCE_RUN);
	while (store_is_behind(filled.store))
		ck_assert_int_eq(store_catch_up(filled.store, &err), 0);
	ck_assert_int_eq(filled_store_number(&filled, "SELECT count(*) FROM occurrence_run"),
		(int64_t)(n / OCCURRENCE_RUN));
	filled_store_done(&filled);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/occurrences");
	TCase *tests = tcase_create("occurrences");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, finds_ids_in_runs_and_behind_them);
	tcase_add_test(tests, runs_leave_with_their_alerts);
	tcase_add_test(tests, runs_are_made_without_idle_time_in_the_end);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
