/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "store/audit.h"
#include "tests/lib/store_rig.h"

enum { N_ENTRIES = 12 };

static struct store_rig rig;
static struct connection *connection;

static void setup(void)
{
	struct err err = {0};
	store_rig_init(&rig, NULL);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	connection = store_connection(rig.store);
	for (int i = 0; i < N_ENTRIES; i++) {
		struct audit_entry entry = {.time_ns = 1000 + i,
			.actor = TEXT("token:boss"),
			.action = TEXT("token.create"),
			.target = TEXT("token 1"),
			.detail = TEXT("{}")};
		ck_assert(audit_append(connection, &entry, &err) == 0);
		ck_assert_uint_eq(entry.id, (uint64_t)i + 1);
	}
}

static void teardown(void)
{
	store_rig_done(&rig);
}

static uint64_t broken_after(const char *sql)
{
	struct err err = {0};
	uint64_t n, broken;
	ck_assert_msg(connection_run(connection, sql, &err) == 0, "%s", err.text);
	ck_assert_msg(audit_verify(connection, &n, &broken, &err) == 0, "%s", err.text);
	return broken;
}

START_TEST(lists_the_newest_first_in_pages)
{
	struct err err = {0};
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, 1024 * 1024);
	uint64_t next = N_ENTRIES;
	struct audit_page page = {.limit = 5, .arena = &arena};
	do {
		page.before = page.next_before;
		ck_assert(audit_list(connection, &page, &err) == 0);
		for (size_t i = 0; i < page.n; i++) {
			ck_assert_uint_eq(page.items[i].id, next--);
			ck_assert(text_is(page.items[i].actor, "token:boss"));
		}
	} while (page.next_before);
	ck_assert_uint_eq(next, 0);
}
END_TEST

START_TEST(a_whole_trail_verifies)
{
	struct err err = {0};
	uint64_t n, broken;
	ck_assert(audit_verify(connection, &n, &broken, &err) == 0);
	ck_assert_uint_eq(n, N_ENTRIES);
	ck_assert_uint_eq(broken, 0);
}
END_TEST

START_TEST(a_changed_entry_is_found)
{
	static const char *const changes[] = {
		"UPDATE audit SET time_ns = time_ns + 1 WHERE id = 5",
		"UPDATE audit SET actor = 'local' WHERE id = 5",
		"UPDATE audit SET action = 'token.revoke' WHERE id = 5",
		"UPDATE audit SET target = 'token 2' WHERE id = 5",
		"UPDATE audit SET detail = '{ }' WHERE id = 5",
		"UPDATE audit SET actor = actor || action, action = '' WHERE id = 5",
	};
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct err err;
		ck_assert(connection_run(connection, "SAVEPOINT change", &err) == 0);
		ck_assert_msg(broken_after(changes[i]) == 5, "%s", changes[i]);
		ck_assert(connection_run(connection, "ROLLBACK TO change; RELEASE change", &err) ==
			  0);
	}
}
END_TEST

START_TEST(a_missing_entry_is_found)
{
	ck_assert_uint_eq(broken_after("DELETE FROM audit WHERE id = 5"), 6);
}
END_TEST

START_TEST(entries_that_changed_places_are_found)
{
	ck_assert_uint_eq(broken_after("UPDATE audit SET id = 99 WHERE id = 5;"
				       "UPDATE audit SET id = 5 WHERE id = 6;"
				       "UPDATE audit SET id = 6 WHERE id = 99"),
		5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/audit");
	TCase *tests = tcase_create("audit");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, lists_the_newest_first_in_pages);
	tcase_add_test(tests, a_whole_trail_verifies);
	tcase_add_test(tests, a_changed_entry_is_found);
	tcase_add_test(tests, a_missing_entry_is_found);
	tcase_add_test(tests, entries_that_changed_places_are_found);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
