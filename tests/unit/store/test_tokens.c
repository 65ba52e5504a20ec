/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/tokens.h"
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

static int insert(const char *name, char token[TOKEN_TEXT_BYTES], struct err *err)
{
	struct credential credential = {.name = text_of(name),
		.role = ROLE_SOURCE,
		.cluster = TEXT("prod"),
		.sources = 1U << SOURCE_FALCO,
		.node = TEXT("node-1"),
		.subject = TEXT("CN=falco"),
		.created_at_ns = 5,
		.expires_at_ns = 100};
	token_make(token, &credential.digest);
	return token_insert(connection, &credential, err);
}

START_TEST(comes_back_as_it_was_made)
{
	struct err err = {0};
	struct credential_set *set;
	char token[TOKEN_TEXT_BYTES];
	ck_assert(insert("falco", token, &err) == 0);
	ck_assert(tokens_load(connection, &set, &err) == 0);
	const struct credential *found = credential_find(set, text_of(token), 50);
	ck_assert_ptr_nonnull(found);
	ck_assert(text_is(found->name, "falco") && text_is(found->cluster, "prod"));
	ck_assert(text_is(found->node, "node-1") && text_is(found->subject, "CN=falco"));
	ck_assert_int_eq(found->role, ROLE_SOURCE);
	ck_assert(credential_may_send(found, SOURCE_FALCO));
	ck_assert(!credential_may_send(found, SOURCE_TOCSIN));
	ck_assert_ptr_null(credential_find(set, text_of(token), 100)); /* expired */
	ck_assert_ptr_null(credential_find(set, TEXT("tsn_other"), 50));
	set->snapshot.free(&set->snapshot);
}
END_TEST

START_TEST(the_token_itself_is_not_stored)
{
	struct err err = {0};
	char token[TOKEN_TEXT_BYTES], sql[256];
	ck_assert(insert("falco", token, &err) == 0);
	text_format(sql, sizeof sql,
		"SELECT count(*) FROM token WHERE instr(quote(digest) || name, '%s')", token);
	ck_assert_int_eq(store_rig_number(connection, sql), 0);
}
END_TEST

START_TEST(names_are_taken_once)
{
	struct err err = {0};
	char token[TOKEN_TEXT_BYTES];
	ck_assert(insert("falco", token, &err) == 0);
	ck_assert_int_eq(insert("falco", token, &err), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
}
END_TEST

START_TEST(a_revoked_token_is_out_of_force_for_good)
{
	struct err err = {0};
	struct credential_set *set;
	struct credential_list list;
	AUTO(arena_done) struct arena arena;
	char token[TOKEN_TEXT_BYTES];
	arena_init(&arena, 65536);
	ck_assert(insert("falco", token, &err) == 0);
	ck_assert(token_revoke(connection, 1, 20, &err) == 0);
	ck_assert_int_eq(token_revoke(connection, 1, 30, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MISSING);
	ck_assert_int_eq(token_revoke(connection, 2, 30, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MISSING);
	ck_assert(tokens_load(connection, &set, &err) == 0);
	ck_assert_ptr_null(credential_find(set, text_of(token), 50));
	set->snapshot.free(&set->snapshot);
	ck_assert(tokens_list(connection, &arena, &list, &err) == 0);
	ck_assert_uint_eq(list.n, 1); /* who had one stays to be seen */
	ck_assert_int_eq(list.items[0].revoked_at_ns, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/tokens");
	TCase *tests = tcase_create("tokens");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, comes_back_as_it_was_made);
	tcase_add_test(tests, the_token_itself_is_not_stored);
	tcase_add_test(tests, names_are_taken_once);
	tcase_add_test(tests, a_revoked_token_is_out_of_force_for_good);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
