/* SPDX-License-Identifier: Apache-2.0 */
/* What identity providers say: signatures (the examples of RFC 7515 and RFC 8037), groups and
 * roles. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "access/id_token.h"
#include "access/oidc_roles.h"
#include "base/base64.h"
#include "base/signature.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 4 * 1024 * 1024);
}

static void teardown(void)
{
	arena_done(&arena);
}

static struct text bytes(const char *encoded)
{
	struct text out = TEXT_NONE;
	ck_assert_msg(base64url_read(text_of(encoded), &arena, &out), "%s", encoded);
	return out;
}

START_TEST(base64url_reads_what_it_writes_and_nothing_else)
{
	static const char *const bad[] = {
		"A", "AAAAA", "AB", "AAB", "A=", "AA==", "A+", "A/", "A A", "A."};
	struct text out;
	char encoded[64];
	unsigned char data[33];
	for (size_t size = 0; size <= sizeof data; size++) {
		for (size_t i = 0; i < size; i++)
			data[i] = (unsigned char)(i * 37 + size);
		base64url_write(data, size, encoded);
		ck_assert_uint_eq(strlen(encoded), (size * 4 + 2) / 3);
		out = bytes(encoded);
		ck_assert(out.size == size && memcmp(out.data, data, size) == 0);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!base64url_read(text_of(bad[i]), &arena, &out), "%s", bad[i]);
}
END_TEST

#define ES256_SIGNED                                                                               \
	"eyJhbGciOiJFUzI1NiJ9."                                                                    \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"                         \
	"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define ES256_SIGNATURE                                                                            \
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define ES256_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define ES256_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

START_TEST(signatures_are_the_keys_own)
{
	struct public_key ec = {SIGNATURE_ES256, bytes(ES256_X), bytes(ES256_Y)};
	struct public_key ed = {
		SIGNATURE_EDDSA, bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), TEXT_NONE};
	struct text ec_signature = bytes(ES256_SIGNATURE);
	struct text ed_signature =
		bytes("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylG"
		      "jg5BhVsPt9g7sVvpAr_MuM0KAg");
	struct text ed_signed = TEXT("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
	ck_assert(signature_is_valid(&ec, TEXT(ES256_SIGNED), ec_signature));
	ck_assert(signature_is_valid(&ed, ed_signed, ed_signature));
	ck_assert(!signature_is_valid(&ec, TEXT(ES256_SIGNED "x"), ec_signature));
	ck_assert(!signature_is_valid(&ed, TEXT("x"), ed_signature));
	ck_assert(!signature_is_valid(&ec, TEXT(ES256_SIGNED), text_part(ec_signature, 0, 63)));
	ck_assert(!signature_is_valid(&ec, TEXT(ES256_SIGNED), TEXT_NONE));
	ck_assert(!signature_is_valid(&ed, ed_signed, ec_signature));
	/* A point that is not on the curve, a key of the wrong size. */
	struct public_key off = {SIGNATURE_ES256, ec.a, ec.a};
	struct public_key small = {SIGNATURE_EDDSA, text_part(ed.a, 0, 31), TEXT_NONE};
	struct public_key rsa = {SIGNATURE_RS256, ec.a, TEXT("\x01\x00\x01")};
	ck_assert(!signature_is_valid(&off, TEXT(ES256_SIGNED), ec_signature));
	ck_assert(!signature_is_valid(&small, ed_signed, ed_signature));
	ck_assert(!signature_is_valid(&rsa, TEXT(ES256_SIGNED), ec_signature));
}
END_TEST

START_TEST(only_asymmetric_ways_are_known)
{
	enum signature_kind kind;
	static const char *const bad[] = {
		"none", "None", "", "HS256", "RS1", "rs256", "PS256", "ES384", "RS256 "};
	ck_assert(signature_kind_parse(TEXT("RS256"), &kind) && kind == SIGNATURE_RS256);
	ck_assert(signature_kind_parse(TEXT("Ed25519"), &kind) && kind == SIGNATURE_EDDSA);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!signature_kind_parse(text_of(bad[i]), &kind), "%s", bad[i]);
}
END_TEST

static const struct node *tree(const char *json)
{
	struct node *out;
	struct err err;
	ck_assert_msg(tree_read(text_of(json), &arena, &out, &err) == 0, "%s", err.text);
	return out;
}

static const char *read_token(const char *token, const char *keys)
{
	static struct err err;
	const struct node *claims;
	struct id_token_wish wish = {TEXT("joe"), TEXT("us"), TEXT("n"), 1300819379};
	int failed = id_token_read(text_of(token), tree(keys), &wish, &arena, &claims, &err);
	ck_assert_int_lt(failed, 0);
	return err.text;
}

#define KEY(more)                                                                                  \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ES256_X "\",\"y\":\"" ES256_Y "\"" more "}"

/* With a signature that is right: what it lacks is what is said. */
START_TEST(tokens_are_taken_apart_with_care)
{
	const char *token = ES256_SIGNED "." ES256_SIGNATURE;
	ck_assert_ptr_nonnull(strstr(read_token(token, "{\"keys\":[" KEY("") "]}"), "aud"));
	ck_assert_ptr_nonnull(
		strstr(read_token(token, "{\"keys\":[{},3," KEY(",\"use\":\"sig\"") "]}"), "aud"));
	ck_assert_ptr_nonnull(
		strstr(read_token(token, "{\"keys\":[" KEY(",\"use\":\"enc\"") "]}"), "none that"));
	ck_assert_ptr_nonnull(strstr(
		read_token(token, "{\"keys\":[" KEY(",\"alg\":\"RS256\"") "]}"), "none that"));
	ck_assert_ptr_nonnull(strstr(read_token(token, "{\"keys\":[]}"), "none that"));
	ck_assert_ptr_nonnull(strstr(read_token(token, "{}"), "none that"));
	static const char *const bad[] = {"", ".", "..", "...", "a.b", "a.b.c.d", "e30..",
		"e30.e30.", ES256_SIGNED, ES256_SIGNED ".", ES256_SIGNED "=." ES256_SIGNATURE};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_ptr_nonnull(
			strstr(read_token(bad[i], "{\"keys\":[" KEY("") "]}"), "refused"));
}
END_TEST

static struct oidc_rules rules(const char *text)
{
	struct oidc_rules out;
	struct err err;
	ck_assert_msg(oidc_rules_parse(text_of(text), &arena, &out, &err) == 0, "%s", err.text);
	return out;
}

START_TEST(the_greatest_role_of_the_groups_counts)
{
	struct oidc_rules read = rules("staff=viewer; shop=analyst:shop,prod/pay ;pay=analyst:pay; "
				       "CN=ops,OU=x=admin;all=analyst;");
	enum role role;
	struct scope scope;
	ck_assert_uint_eq(read.n, 5);
	ck_assert(oidc_rules_apply(&read, tree("[\"staff\"]"), &arena, &role, &scope));
	ck_assert(role == ROLE_VIEWER && scope_is_all(&scope));
	ck_assert(oidc_rules_apply(
		&read, tree("[\"pay\",\"staff\",\"shop\"]"), &arena, &role, &scope));
	ck_assert(role == ROLE_ANALYST && scope.patterns.n == 3);
	ck_assert(oidc_rules_apply(&read, tree("[\"pay\",\"all\"]"), &arena, &role, &scope));
	ck_assert(role == ROLE_ANALYST && scope_is_all(&scope));
	ck_assert(oidc_rules_apply(&read, tree("\"CN=ops,OU=x\""), &arena, &role, &scope));
	ck_assert(role == ROLE_ADMIN);
	ck_assert(!oidc_rules_apply(
		&read, tree("[\"Staff\",3,null,{\"staff\":1}]"), &arena, &role, &scope));
	ck_assert(!oidc_rules_apply(&read, NULL, &arena, &role, &scope));
	read = rules("*=viewer:shop");
	ck_assert(oidc_rules_apply(&read, NULL, &arena, &role, &scope));
	ck_assert(role == ROLE_VIEWER && scope.patterns.n == 1);
}
END_TEST

START_TEST(wrong_rules_are_said)
{
	static const char *const bad[] = {"staff", "=viewer", "staff=", "staff=boss",
		"staff=source", "staff=viewer:", "staff=viewer:a b", "ops=admin:shop"};
	struct oidc_rules out;
	struct err err;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_msg(
			oidc_rules_parse(text_of(bad[i]), &arena, &out, &err) < 0, "%s", bad[i]);
		ck_assert_ptr_nonnull(strstr(err.text, "oidc.roles"));
	}
}
END_TEST

START_TEST(claims_are_found_by_name_or_path)
{
	const struct node *claims =
		tree("{\"a.b\":\"x\",\"a\":{\"b\":\"y\",\"c\":{\"d\":\"z\"}},\"s\":\"t\"}");
	ck_assert(text_is(tree_text(oidc_claim(claims, TEXT("a.b"))), "x"));
	ck_assert(text_is(tree_text(oidc_claim(claims, TEXT("a.c.d"))), "z"));
	ck_assert_ptr_null(oidc_claim(claims, TEXT("a.c.e")));
	ck_assert_ptr_null(oidc_claim(claims, TEXT("s.t")));
	ck_assert_ptr_null(oidc_claim(claims, TEXT("")));
	ck_assert_ptr_null(oidc_claim(NULL, TEXT("a")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("oidc");
	TCase *tests = tcase_create("oidc");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, base64url_reads_what_it_writes_and_nothing_else);
	tcase_add_test(tests, signatures_are_the_keys_own);
	tcase_add_test(tests, only_asymmetric_ways_are_known);
	tcase_add_test(tests, tokens_are_taken_apart_with_care);
	tcase_add_test(tests, the_greatest_role_of_the_groups_counts);
	tcase_add_test(tests, wrong_rules_are_said);
	tcase_add_test(tests, claims_are_found_by_name_or_path);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
