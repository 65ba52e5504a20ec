/* SPDX-License-Identifier: Apache-2.0 */

/* The small tables of names and numbers: each name reads back, numbers are those that are stored.
 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/credential.h"
#include "model/entity.h"
#include "model/severity.h"
#include "model/slot.h"
#include "model/source.h"

START_TEST(severities_read_back)
{
	static const char *const names[] = {"info", "low", "medium", "high", "critical"};
	for (unsigned i = 0; i < N_SEVERITIES; i++) {
		enum severity severity;
		ck_assert_str_eq(severity_name((enum severity)i), names[i]);
		ck_assert(severity_parse(text_of(names[i]), &severity));
		ck_assert_uint_eq(severity, i);
	}
	enum severity kept = SEVERITY_HIGH;
	ck_assert(!severity_parse(TEXT("High"), &kept) && !severity_parse(TEXT(""), &kept));
	ck_assert(!severity_parse(TEXT("criticall"), &kept) && kept == SEVERITY_HIGH);
}
END_TEST

START_TEST(sources_read_back)
{
	ck_assert_int_eq(source_parse(TEXT("falco")), 1);
	ck_assert_int_eq(source_parse(TEXT("falcosidekick")), 2);
	ck_assert_int_eq(source_parse(TEXT("tocsin")), 3);
	ck_assert_int_eq(source_parse(TEXT("falc")), SOURCE_NONE);
	ck_assert_int_eq(source_parse(TEXT("")), SOURCE_NONE);
	for (unsigned i = 1; i < N_SOURCES; i++) {
		const struct source_info *info = source_info((enum source)i);
		ck_assert(info->name && info->name[0] && info->max_body_bytes > 0);
		ck_assert_uint_eq(source_parse(text_of(info->name)), i);
	}
	/* It takes every answer for success: refusing it would lose the alert. */
	ck_assert_int_eq(source_info(SOURCE_FALCO)->push_back, PUSH_BACK_HOLD);
}
END_TEST

START_TEST(roles_include_the_smaller_ones)
{
	for (unsigned i = ROLE_SOURCE; i <= ROLE_ADMIN; i++) {
		enum role role;
		ck_assert(role_parse(text_of(role_name((enum role)i)), &role));
		ck_assert_uint_eq(role, i);
		for (unsigned j = ROLE_SOURCE; j <= ROLE_ADMIN; j++) {
			bool alone = i == ROLE_SOURCE || j == ROLE_SOURCE;
			ck_assert_int_eq(
				role_includes((enum role)i, (enum role)j), alone ? i == j : i >= j);
		}
	}
	enum role role;
	ck_assert(!role_parse(TEXT("Admin"), &role) && !role_parse(TEXT(""), &role));
}
END_TEST

START_TEST(tokens_are_long_and_different)
{
	char first[TOKEN_TEXT_BYTES], second[TOKEN_TEXT_BYTES];
	struct digest a, b;
	token_make(first, &a);
	token_make(second, &b);
	ck_assert_uint_eq(strlen(first), 47);
	ck_assert_int_eq(strncmp(first, "tsn_", 4), 0);
	ck_assert_uint_eq(strspn(first + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					    "0123456789-_"),
		43);
	ck_assert_str_ne(first, second);
	struct digest again = digest_of(text_of(first));
	ck_assert_mem_eq(a.bytes, again.bytes, DIGEST_BYTES);
}
END_TEST

static const struct credential *find(struct credential_set *set, const char *token, int64_t now_ns)
{
	return credential_find(set, text_of(token), now_ns);
}

START_TEST(credentials_are_in_force_for_their_time)
{
	struct credential items[] = {
		{.id = 1, .role = ROLE_ADMIN, .name = TEXT("boss"), .digest = digest_of(TEXT("a"))},
		{.id = 2, .role = ROLE_VIEWER, .digest = digest_of(TEXT("b")), .expires_at_ns = 10},
		{.id = 3,
			.role = ROLE_VIEWER,
			.digest = digest_of(TEXT("c")),
			.revoked_at_ns = 5,
			.subject = TEXT("CN=c")},
		{.id = 4,
			.role = ROLE_SOURCE,
			.digest = digest_of(TEXT("d")),
			.subject = TEXT("CN=d")},
	};
	struct credential_set *set =
		credential_set_new(&(struct credential_set){.items = items, .n = 4});
	ck_assert_ptr_nonnull(set);
	ck_assert_uint_eq(find(set, "a", 1)->id, 1);
	ck_assert(text_is(find(set, "a", 1)->name, "boss"));
	ck_assert_ptr_ne(find(set, "a", 1)->name.data, items[0].name.data);
	ck_assert_uint_eq(find(set, "b", 9)->id, 2);
	ck_assert_ptr_null(find(set, "b", 10));
	ck_assert_ptr_null(find(set, "c", 6));
	ck_assert_ptr_null(find(set, "", 1));
	ck_assert_uint_eq(credential_find_subject(set, TEXT("CN=d"), 1)->id, 4);
	ck_assert_ptr_null(credential_find_subject(set, TEXT("CN=c"), 6));
	ck_assert_ptr_null(credential_find_subject(set, TEXT(""), 1));
	set->snapshot.free(&set->snapshot);
}
END_TEST

START_TEST(keys_are_taken_apart_as_they_were_made)
{
	struct arena arena;
	arena_init(&arena, 65536);
	for (unsigned i = ENTITY_POD; i <= ENTITY_CLUSTER; i++) {
		enum entity_kind kind;
		struct text cluster, value;
		struct text wanted = i == ENTITY_CLUSTER ? TEXT_NONE : TEXT("ns/web");
		struct text key = entity_key(&arena, (enum entity_kind)i, TEXT("prod"), wanted);
		ck_assert(entity_key_parse(key, &kind, &cluster, &value));
		ck_assert_uint_eq(kind, i);
		ck_assert(text_is(cluster, "prod") && text_equal(value, wanted));
	}
	enum entity_kind kind;
	struct text cluster, value;
	ck_assert(!entity_key_parse(TEXT("pods:c/u"), &kind, &cluster, &value));
	ck_assert(!entity_key_parse(TEXT("pod"), &kind, &cluster, &value));
	ck_assert(!entity_key_parse(TEXT(""), &kind, &cluster, &value));
	arena_done(&arena);
}
END_TEST

/* Which parts are there makes a tuple: no two pack to the same line. */
START_TEST(tuples_pack_apart)
{
	struct arena arena;
	struct text packed[16];
	arena_init(&arena, 65536);
	for (unsigned i = 0; i < 16; i++) {
		struct identity_seen seen = {.cluster = TEXT("c")}, again;
		seen.uid = i & 1 ? TEXT("x") : TEXT_NONE;
		seen.container = i & 2 ? TEXT("x") : TEXT_NONE;
		seen.name = i & 4 ? TEXT("x") : TEXT_NONE;
		seen.node = i & 8 ? TEXT("x") : TEXT_NONE;
		packed[i] = identity_seen_pack(&arena, &seen);
		ck_assert(identity_seen_unpack(packed[i], &again));
		ck_assert(
			text_equal(again.cluster, seen.cluster) && text_equal(again.uid, seen.uid));
		ck_assert(text_equal(again.container, seen.container));
		ck_assert(text_equal(again.name, seen.name) && text_equal(again.node, seen.node));
		for (unsigned j = 0; j < i; j++)
			ck_assert(!text_equal(packed[i], packed[j]));
	}
	arena_done(&arena);
}
END_TEST

START_TEST(slots_are_floors)
{
	ck_assert_int_eq(slot_of(0), 0);
	ck_assert_int_eq(slot_of(SLOT_NS - 1), 0);
	ck_assert_int_eq(slot_of(SLOT_NS), 1);
	ck_assert_int_eq(slot_of(-1), -1);
	ck_assert_int_eq(slot_of(-SLOT_NS), -1);
	ck_assert_int_eq(slot_of(-SLOT_NS - 1), -2);
}
END_TEST

static struct slot_row row_number(unsigned i)
{
	struct slot_row row = {.lo_ns = i * 7919 % 101,
		.hi_ns = i * 7919 % 101,
		.severity = (enum severity)(i % N_SEVERITIES),
		.n = 1,
		.deliveries = 1,
		.tactics = (tactic_mask)(1U << i % N_TACTICS),
		.sensors = UINT64_C(1) << i % 3,
		.mark = i * UINT64_C(0x9e3779b97f4a7c15),
		.n_techniques = 1,
		.techniques = {1001000 + i * 7919 % 97},
		.n_samples = 1};
	row.samples[0].leaf = i;
	row.samples[0].occ[0] = (unsigned char)(i * 7919 % 251);
	row.samples[0].occ[1] = (unsigned char)i;
	return row;
}

static void check_same(const struct slot_row *a, const struct slot_row *b)
{
	ck_assert(a->lo_ns == b->lo_ns && a->hi_ns == b->hi_ns && a->severity == b->severity);
	ck_assert(a->n == b->n && a->tactics == b->tactics && a->sensors == b->sensors);
	ck_assert(a->mark == b->mark && a->n_techniques == b->n_techniques);
	ck_assert_mem_eq(a->techniques, b->techniques, sizeof a->techniques);
	ck_assert_uint_eq(a->n_samples, b->n_samples);
	for (size_t i = 0; i < a->n_samples; i++)
		ck_assert_mem_eq(a->samples[i].occ, b->samples[i].occ, OCCURRENCE_BYTES);
}

/* A join of 200 rows is the same from either end and in two halves; sets keep their smallest. */
START_TEST(rows_join_in_any_order)
{
	struct slot_row up = row_number(0), down = row_number(199), left = row_number(0),
			right = row_number(100);
	for (unsigned i = 1; i < 200; i++) {
		struct slot_row row = row_number(i), other = row_number(199 - i);
		slot_row_join(&up, &row);
		slot_row_join(&down, &other);
		if (i != 100)
			slot_row_join(i < 100 ? &left : &right, &row);
	}
	slot_row_join(&right, &left);
	check_same(&up, &down);
	check_same(&up, &right);
	ck_assert_uint_eq(up.n, 200);
	ck_assert_uint_eq(up.n_samples, SLOT_SAMPLES_MAX);
	ck_assert_uint_eq(up.n_techniques, SLOT_TECHNIQUES_MAX);
	ck_assert_uint_eq(up.techniques[0], 1001000);
	ck_assert_int_eq(up.severity, SEVERITY_CRITICAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model/tables");
	TCase *tests = tcase_create("tables");
	tcase_add_test(tests, severities_read_back);
	tcase_add_test(tests, sources_read_back);
	tcase_add_test(tests, roles_include_the_smaller_ones);
	tcase_add_test(tests, tokens_are_long_and_different);
	tcase_add_test(tests, credentials_are_in_force_for_their_time);
	tcase_add_test(tests, keys_are_taken_apart_as_they_were_made);
	tcase_add_test(tests, tuples_pack_apart);
	tcase_add_test(tests, slots_are_floors);
	tcase_add_test(tests, rows_join_in_any_order);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
