/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/sessions.h"
#include "store/tokens.h"
#include "tests/lib/store_rig.h"

enum { IDLE_NS = 1000 };

static struct store_rig rig;
static struct connection *connection;
static struct err err;
static uint64_t token_id;

static void setup(void)
{
	char token[TOKEN_TEXT_BYTES];
	struct credential credential = {.name = TEXT("ann"),
		.role = ROLE_VIEWER,
		.cluster = TEXT("c"),
		.expires_at_ns = 5000};
	store_rig_init(&rig, NULL);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	connection = store_connection(rig.store);
	token_make(token, &credential.digest);
	ck_assert_msg(token_insert(connection, &credential, &err) == 0, "%s", err.text);
	token_id = credential.id;
}

static void teardown(void)
{
	store_rig_done(&rig);
}

static uint64_t begin(char secret[SECRET_TEXT_BYTES], int64_t now_ns)
{
	struct session session = {.token = token_id,
		.name = TEXT("ann"),
		.role = ROLE_VIEWER,
		.way = SIGN_IN_TOKEN,
		.address = TEXT("192.0.2.1"),
		.expires_at_ns = 9000};
	secret_make(secret, &session.digest);
	ck_assert_msg(session_insert(connection, &session, now_ns, &err) == 0, "%s", err.text);
	return session.id;
}

/* The id of the session with this cookie, as threads see it; 0: none in force. */
static uint64_t found(const char *cookie, int64_t now_ns)
{
	struct credential_set *set;
	ck_assert_msg(tokens_load(connection, &set, &err) == 0, "%s", err.text);
	const struct session *session = session_find(set, text_of(cookie), now_ns, IDLE_NS);
	uint64_t id = session ? session->id : 0;
	set->snapshot.free(&set->snapshot);
	return id;
}

START_TEST(comes_back_as_it_was_made)
{
	char secret[SECRET_TEXT_BYTES];
	uint64_t id = begin(secret, 10);
	struct credential_set *set;
	ck_assert_int_eq(tokens_load(connection, &set, &err), 0);
	const struct session *session = session_of_id(set, id, 20, IDLE_NS);
	ck_assert_ptr_nonnull(session);
	ck_assert(text_is(session->name, "ann") && text_is(session->address, "192.0.2.1"));
	ck_assert(session->role == ROLE_VIEWER && session->way == SIGN_IN_TOKEN);
	ck_assert(session->created_at_ns == 10 && session->used_at_ns == 10);
	ck_assert_ptr_null(session_find(set, TEXT("another"), 20, IDLE_NS));
	ck_assert_ptr_null(session_find(set, TEXT_NONE, 20, IDLE_NS));
	set->snapshot.free(&set->snapshot);
}
END_TEST

START_TEST(ends_idle_and_in_any_case)
{
	char secret[SECRET_TEXT_BYTES];
	uint64_t id = begin(secret, 10);
	ck_assert_uint_eq(found(secret, 10 + IDLE_NS - 1), id);
	ck_assert_uint_eq(found(secret, 10 + IDLE_NS), 0);
	ck_assert_int_eq(session_used(connection, id, 900, &err), 0);
	ck_assert_uint_eq(found(secret, 10 + IDLE_NS), id);
	ck_assert_int_eq(session_used(connection, id, 4999, &err), 0);
	ck_assert_uint_eq(found(secret, 4999), id);
	ck_assert_uint_eq(found(secret, 5000), 0); /* with its token */
}
END_TEST

START_TEST(ends_once_and_stays_ended)
{
	bool ended;
	char secret[SECRET_TEXT_BYTES];
	uint64_t id = begin(secret, 10);
	ck_assert_int_eq(session_end(connection, id, 20, &ended, &err), 0);
	ck_assert(ended);
	ck_assert_int_eq(session_end(connection, id, 20, &ended, &err), 0);
	ck_assert(!ended);
	ck_assert_int_eq(session_used(connection, id, 30, &err), 0);
	ck_assert_uint_eq(found(secret, 30), 0);
}
END_TEST

START_TEST(a_revoked_token_takes_sessions_and_links_along)
{
	char secret[SECRET_TEXT_BYTES], link_text[SECRET_TEXT_BYTES];
	uint64_t token;
	begin(secret, 10);
	struct sign_in_link link = {.token = token_id, .expires_at_ns = 100};
	secret_make(link_text, &link.digest);
	ck_assert_int_eq(sign_in_link_insert(connection, &link, &err), 0);
	ck_assert_int_eq(token_revoke(connection, token_id, 20, &err), 0);
	ck_assert_uint_eq(found(secret, 21), 0);
	ck_assert_int_eq(sign_in_link_use(connection, &link.digest, 21, &token, &err), 0);
	ck_assert_uint_eq(token, 0);
}
END_TEST

START_TEST(a_link_is_used_once_and_in_time)
{
	char text[SECRET_TEXT_BYTES];
	uint64_t token;
	struct sign_in_link link = {.token = token_id, .expires_at_ns = 100};
	struct credential_set *set;
	secret_make(text, &link.digest);
	ck_assert_int_eq(sign_in_link_insert(connection, &link, &err), 0);
	ck_assert_int_eq(tokens_load(connection, &set, &err), 0);
	ck_assert_ptr_nonnull(sign_in_link_find(set, text_of(text), 99));
	ck_assert_ptr_null(sign_in_link_find(set, text_of(text), 100));
	ck_assert_ptr_null(sign_in_link_find(set, TEXT("another"), 99));
	set->snapshot.free(&set->snapshot);
	ck_assert_int_eq(sign_in_link_use(connection, &link.digest, 99, &token, &err), 0);
	ck_assert_uint_eq(token, token_id);
	ck_assert_int_eq(sign_in_link_use(connection, &link.digest, 99, &token, &err), 0);
	ck_assert_uint_eq(token, 0);
	secret_make(text, &link.digest);
	ck_assert_int_eq(sign_in_link_insert(connection, &link, &err), 0);
	ck_assert_int_eq(sign_in_link_use(connection, &link.digest, 100, &token, &err), 0);
	ck_assert_uint_eq(token, 0);
}
END_TEST

START_TEST(of_one_person_so_many_run)
{
	char first[SECRET_TEXT_BYTES], secret[SECRET_TEXT_BYTES];
	uint64_t id = begin(first, 10);
	for (int i = 1; i < SESSIONS_PER_PERSON; i++)
		begin(secret, 10 + i);
	ck_assert_uint_eq(found(first, 100), id);
	begin(secret, 90);
	ck_assert_uint_eq(found(first, 100), 0);
	ck_assert_uint_gt(found(secret, 100), 0);
}
END_TEST

START_TEST(of_one_token_so_many_links_wait)
{
	char text[SECRET_TEXT_BYTES];
	struct credential_set *set;
	struct sign_in_link first = {.token = token_id, .expires_at_ns = 100}, link = first;
	secret_make(text, &first.digest);
	ck_assert_int_eq(sign_in_link_insert(connection, &first, &err), 0);
	for (int i = 0; i < LINKS_PER_TOKEN; i++) {
		secret_make(text, &link.digest);
		ck_assert_int_eq(sign_in_link_insert(connection, &link, &err), 0);
	}
	ck_assert_int_eq(tokens_load(connection, &set, &err), 0);
	ck_assert_uint_eq(set->n_links, LINKS_PER_TOKEN);
	set->snapshot.free(&set->snapshot);
}
END_TEST

START_TEST(old_rows_leave)
{
	bool ended;
	char secret[SECRET_TEXT_BYTES];
	uint64_t id = begin(secret, 10);
	int64_t late_ns = (int64_t)ENDED_KEPT_S * NS_PER_S + 9001;
	ck_assert_int_eq(session_end(connection, id, 20, &ended, &err), 0);
	begin(secret, late_ns);
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT count(*) FROM session", &err);
	ck_assert_ptr_nonnull(statement);
	ck_assert_int_eq(sql_step(statement, &err), 1);
	ck_assert_int_eq(sql_i64(statement, 0), 1);
	sqlite3_reset(statement);
}
END_TEST

/* A row that nobody should have written takes those behind it out of force no more. */
START_TEST(a_link_with_a_wrong_digest_is_passed_over)
{
	char text[SECRET_TEXT_BYTES];
	struct credential_set *set;
	struct sign_in_link link = {.token = token_id, .expires_at_ns = 100};
	ck_assert_int_eq(
		sqlite3_exec(connection->db,
			"INSERT INTO sign_in_link (digest, token, expires_ns) VALUES (x'00', 1, 9)",
			NULL, NULL, NULL),
		SQLITE_OK);
	secret_make(text, &link.digest);
	ck_assert_int_eq(sign_in_link_insert(connection, &link, &err), 0);
	ck_assert_int_eq(tokens_load(connection, &set, &err), 0);
	ck_assert_uint_eq(set->n_links, 1);
	ck_assert_ptr_nonnull(sign_in_link_find(set, text_of(text), 99));
	set->snapshot.free(&set->snapshot);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sessions");
	TCase *tests = tcase_create("sessions");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, comes_back_as_it_was_made);
	tcase_add_test(tests, ends_idle_and_in_any_case);
	tcase_add_test(tests, ends_once_and_stays_ended);
	tcase_add_test(tests, a_revoked_token_takes_sessions_and_links_along);
	tcase_add_test(tests, a_link_is_used_once_and_in_time);
	tcase_add_test(tests, of_one_person_so_many_run);
	tcase_add_test(tests, of_one_token_so_many_links_wait);
	tcase_add_test(tests, old_rows_leave);
	tcase_add_test(tests, a_link_with_a_wrong_digest_is_passed_over);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
