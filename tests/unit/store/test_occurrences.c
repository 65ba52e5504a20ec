/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "store/occurrences.h"
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
		store_rig_number(connection, "SELECT sum(length(entries)) FROM occurrence_run"),
		2 * OCCURRENCE_RUN * 12);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/occurrences");
	TCase *tests = tcase_create("occurrences");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, finds_ids_in_runs_and_behind_them);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
