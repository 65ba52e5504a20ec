/* SPDX-License-Identifier: Apache-2.0 */
#include "model/credential.h"

#include <check.h>
#include <stdlib.h>

enum { NOW = 1000, IDLE = 100 };
enum { GOOD, REVOKED, EXPIRED, SOON, N_TOKENS };

static struct credential items[N_TOKENS];
static char texts[N_TOKENS][TOKEN_TEXT_BYTES];
static struct session sessions[4];
static struct sign_in_link links[3];
static struct credential_set set;

static void setup(void)
{
	static const char *const subjects[N_TOKENS] = {"CN=good", "CN=revoked", "CN=expired", ""};
	for (size_t i = 0; i < N_TOKENS; i++) {
		items[i] = (struct credential){.id = i + 1, .role = ROLE_VIEWER};
		items[i].subject = text_of(subjects[i]);
		token_make(texts[i], &items[i].digest);
	}
	items[REVOKED].revoked_at_ns = NOW - 1;
	items[EXPIRED].expires_at_ns = NOW;
	items[SOON].expires_at_ns = NOW + 1;
	static const uint64_t tokens[4] = {GOOD + 1, REVOKED + 1, 0, 99};
	for (size_t i = 0; i < 4; i++)
		sessions[i] = (struct session){.id = 10 + i,
			.token = tokens[i],
			.digest = digest_of(text_of(texts[i])),
			.used_at_ns = NOW - 1,
			.expires_at_ns = NOW + 1};
	for (size_t i = 0; i < 3; i++)
		links[i] = (struct sign_in_link){.digest = digest_of(text_of(texts[i])),
			.token = i + 1,
			.expires_at_ns = NOW + 1};
	set = (struct credential_set){.items = items,
		.n = N_TOKENS,
		.sessions = sessions,
		.n_sessions = 4,
		.links = links,
		.n_links = 3};
}

static bool finds(unsigned token)
{
	const struct credential *found = credential_find(&set, text_of(texts[token]), NOW);
	ck_assert(!found || found == &items[token]);
	ck_assert_int_eq(credential_is_in_force(&set, token + 1, NOW), found != NULL);
	ck_assert_ptr_eq(credential_of_id(&set, token + 1, NOW), found);
	if (items[token].subject.size)
		ck_assert_ptr_eq(credential_find_subject(&set, items[token].subject, NOW), found);
	return found != NULL;
}

START_TEST(finds_tokens_in_force_only)
{
	ck_assert(finds(GOOD) && finds(SOON));
	ck_assert(!finds(REVOKED) && !finds(EXPIRED));
	ck_assert_ptr_null(credential_find(&set, TEXT("tsn_wrong"), NOW));
	ck_assert_ptr_null(credential_find(&set, TEXT_NONE, NOW));
	ck_assert_ptr_null(credential_find_subject(&set, TEXT_NONE, NOW)); /* SOON has none */
	ck_assert_ptr_null(credential_find_subject(&set, TEXT("CN=other"), NOW));
	ck_assert(!credential_is_in_force(&set, 0, NOW) && !credential_is_in_force(&set, 99, NOW));
}
END_TEST

START_TEST(a_token_with_a_subject_goes_with_its_certificate)
{
	ck_assert(items[GOOD].subject.size && !items[SOON].subject.size);
	ck_assert(credential_is_held(&items[GOOD], items[GOOD].subject));
	ck_assert(!credential_is_held(&items[GOOD], TEXT_NONE));
	ck_assert(!credential_is_held(&items[GOOD], TEXT("CN=other")));
	ck_assert(credential_is_held(&items[SOON], TEXT_NONE));
	ck_assert(credential_is_held(&items[SOON], TEXT("CN=other")));
}
END_TEST

static bool is_signed_in(unsigned session)
{
	const struct session *found = session_find(&set, text_of(texts[session]), NOW, IDLE);
	ck_assert_ptr_eq(session_of_id(&set, 10 + session, NOW, IDLE), found);
	return found != NULL;
}

START_TEST(a_session_ends_with_its_token_its_time_and_by_idleness)
{
	ck_assert(is_signed_in(0) && is_signed_in(2)); /* 2: of an identity provider */
	ck_assert(!is_signed_in(1) && !is_signed_in(3));
	ck_assert_ptr_null(session_find(&set, TEXT("other"), NOW, IDLE));
	ck_assert_ptr_null(session_of_id(&set, 9, NOW, IDLE));
	sessions[0].used_at_ns = NOW - IDLE + 1;
	ck_assert(is_signed_in(0));
	sessions[0].used_at_ns = NOW - IDLE;
	ck_assert(!is_signed_in(0));
	sessions[2].expires_at_ns = NOW;
	ck_assert(!is_signed_in(2));
}
END_TEST

START_TEST(a_link_ends_with_its_token_and_its_time)
{
	ck_assert_ptr_eq(sign_in_link_find(&set, text_of(texts[GOOD]), NOW), &links[0]);
	ck_assert_ptr_null(sign_in_link_find(&set, text_of(texts[REVOKED]), NOW));
	ck_assert_ptr_null(sign_in_link_find(&set, text_of(texts[EXPIRED]), NOW));
	ck_assert_ptr_null(sign_in_link_find(&set, TEXT("other"), NOW));
	ck_assert_ptr_null(sign_in_link_find(&set, text_of(texts[GOOD]), NOW + 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model/credential");
	TCase *tests = tcase_create("model/credential");
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, finds_tokens_in_force_only);
	tcase_add_test(tests, a_token_with_a_subject_goes_with_its_certificate);
	tcase_add_test(tests, a_session_ends_with_its_token_its_time_and_by_idleness);
	tcase_add_test(tests, a_link_ends_with_its_token_and_its_time);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
