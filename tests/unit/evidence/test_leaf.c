/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/leaf.h"
#include "evidence/merkle.h"

static struct leaf example(void)
{
	struct leaf leaf = {
		.kind = LEAF_ALERT,
		.received_ns = 0x0102030405060708,
		.size = 0x1112131415161718,
		.source = TEXT("falco"),
		.cluster = TEXT("prod"),
		.credential_id = 42,
	};
	memset(leaf.raw.bytes, 0xaa, DIGEST_BYTES);
	memset(leaf.commitment.bytes, 0xbb, DIGEST_BYTES);
	return leaf;
}

static struct digest hash_of(const struct leaf *leaf)
{
	struct buf scratch;
	struct digest hash;
	buf_init(&scratch, 4096);
	buf_add_string(&scratch, "left over from the last leaf");
	ck_assert(leaf_hash(leaf, &scratch, &hash));
	buf_done(&scratch);
	return hash;
}

/* The bytes of design.md "Leaf", written out. */
START_TEST(the_layout_is_fixed)
{
	struct leaf leaf = example();
	struct buf data, expected;
	buf_init(&data, 4096);
	buf_init(&expected, 4096);
	leaf_write(&leaf, &data);
	buf_add(&expected, TEXT("\x01\x01\x01\x02\x03\x04\x05\x06\x07\x08"
				"\x11\x12\x13\x14\x15\x16\x17\x18"));
	buf_add_bytes(&expected, leaf.raw.bytes, DIGEST_BYTES);
	buf_add_bytes(&expected, leaf.commitment.bytes, DIGEST_BYTES);
	buf_add(&expected, TEXT("\0\0\0\0\0\0\0\5falco\0\0\0\0\0\0\0\4prod\0\0\0\0\0\0\0\2"
				"42"));
	ck_assert(text_equal(buf_text(&data), buf_text(&expected)));
	buf_clear(&expected);
	buf_add_byte(&expected, 0);
	buf_add(&expected, buf_text(&data));
	struct digest hash = hash_of(&leaf), defined = digest_of(buf_text(&expected));
	ck_assert_mem_eq(hash.bytes, defined.bytes, DIGEST_BYTES);
	buf_done(&data);
	buf_done(&expected);
}
END_TEST

START_TEST(everything_in_it_counts)
{
	struct leaf plain = example(), changed[9];
	for (size_t i = 0; i < 9; i++)
		changed[i] = example();
	changed[0].kind = LEAF_QUARANTINED;
	changed[1].received_ns++;
	changed[2].size++;
	changed[3].raw.bytes[31] ^= 1;
	changed[4].commitment.bytes[0] ^= 1;
	changed[5].source = TEXT("falcosidekick");
	changed[6].cluster = TEXT("prod2");
	changed[7].credential_id = 4;
	changed[8].source = TEXT("falcop"); /* the border between two fields moves */
	changed[8].cluster = TEXT("rod");
	struct digest hash = hash_of(&plain);
	for (size_t i = 0; i < 9; i++) {
		struct digest other = hash_of(&changed[i]);
		ck_assert_msg(memcmp(hash.bytes, other.bytes, DIGEST_BYTES) != 0, "change %zu", i);
	}
}
END_TEST

START_TEST(nothing_cut_commits_to_zeros)
{
	static const struct digest zeros;
	struct digest commitment;
	memset(&commitment, 0xff, sizeof commitment);
	ck_assert(leaf_commitment(NULL, 0, &commitment));
	ck_assert_mem_eq(commitment.bytes, zeros.bytes, DIGEST_BYTES);
}
END_TEST

static struct digest cut_hash(const struct redaction *cut)
{
	struct buf data;
	buf_init(&data, 4096);
	buf_add_byte(&data, 0);
	buf_add_bytes(&data, cut->salt, sizeof cut->salt);
	buf_add_be64(&data, cut->path.size);
	buf_add(&data, cut->path);
	buf_add_be64(&data, cut->value.size);
	buf_add(&data, cut->value);
	struct digest hash = digest_of(buf_text(&data));
	buf_done(&data);
	return hash;
}

/* Each field can be shown, with its salt, without the others. */
START_TEST(cut_fields_are_leaves_of_a_tree)
{
	struct redaction cut[] = {
		{.path = TEXT("/token"), .value = TEXT("secret"), .salt = {1, 2, 3}},
		{.path = TEXT("/data/key"), .value = TEXT(""), .salt = {4}},
		{.path = TEXT("/z"), .value = TEXT("v"), .salt = {0}}};
	struct digest hashes[3], commitment;
	for (size_t i = 0; i < 3; i++)
		hashes[i] = cut_hash(&cut[i]);
	ck_assert(leaf_commitment(cut, 3, &commitment));
	struct digest root = merkle_root(hashes, 3);
	ck_assert_mem_eq(commitment.bytes, root.bytes, DIGEST_BYTES);
	cut[1].salt[15] ^= 1;
	ck_assert(leaf_commitment(cut, 3, &commitment));
	ck_assert_mem_ne(commitment.bytes, root.bytes, DIGEST_BYTES);
}
END_TEST

START_TEST(too_long_is_refused)
{
	struct buf scratch;
	struct leaf leaf = example();
	struct digest hash;
	buf_init(&scratch, 64);
	ck_assert(!leaf_hash(&leaf, &scratch, &hash));
	buf_done(&scratch);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("evidence/leaf");
	TCase *tests = tcase_create("leaf");
	tcase_add_test(tests, the_layout_is_fixed);
	tcase_add_test(tests, everything_in_it_counts);
	tcase_add_test(tests, nothing_cut_commits_to_zeros);
	tcase_add_test(tests, cut_fields_are_leaves_of_a_tree);
	tcase_add_test(tests, too_long_is_refused);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
