/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/merkle.h"

enum { N_LEAVES = 600 };

/* As RFC 6962 section 2.1 defines it. */
static struct digest root_as_defined(const struct digest *hashes, size_t n)
{
	size_t left = 1;
	if (n == 0)
		return digest_of(TEXT(""));
	if (n == 1)
		return hashes[0];
	while (left * 2 < n)
		left *= 2;
	struct digest a = root_as_defined(hashes, left);
	struct digest b = root_as_defined(hashes + left, n - left);
	return merkle_node(&a, &b);
}

START_TEST(roots_are_as_the_rfc_defines_them)
{
	static struct digest hashes[N_LEAVES];
	for (size_t i = 0; i < N_LEAVES; i++)
		hashes[i] = digest_of((struct text){(const char *)&i, sizeof i});
	for (size_t n = 0; n <= N_LEAVES; n++) {
		struct digest root = merkle_root(hashes, n);
		struct digest defined = root_as_defined(hashes, n);
		ck_assert_mem_eq(root.bytes, defined.bytes, DIGEST_BYTES);
	}
}
END_TEST

/* Leaves and roots that Certificate Transparency tests its trees with; computed again with
 * Python's hashlib. */
START_TEST(gives_the_known_roots)
{
	static const struct text leaves[] = {{"", 0}, {"\x00", 1}, {"\x10", 1}, {"\x20\x21", 2},
		{"\x30\x31", 2}, {"\x40\x41\x42\x43", 4}, {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
		{"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};
	static const char *const roots[] = {
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct digest hashes[8];
	for (size_t i = 0; i < 8; i++) {
		char data[17] = {0}, hex[2 * DIGEST_BYTES + 1];
		memcpy(data + 1, leaves[i].data, leaves[i].size);
		hashes[i] = digest_of((struct text){data, leaves[i].size + 1});
		struct digest root = merkle_root(hashes, i + 1);
		text_hex(hex, root.bytes, DIGEST_BYTES);
		ck_assert_str_eq(hex, roots[i]);
	}
}
END_TEST

START_TEST(sides_and_kinds_are_told_apart)
{
	struct digest a = digest_of(TEXT("a")), b = digest_of(TEXT("b"));
	struct digest ab = merkle_node(&a, &b), ba = merkle_node(&b, &a);
	char both[2 * DIGEST_BYTES];
	memcpy(both, a.bytes, DIGEST_BYTES);
	memcpy(both + DIGEST_BYTES, b.bytes, DIGEST_BYTES);
	struct digest plain = digest_of((struct text){both, sizeof both});
	ck_assert_mem_ne(ab.bytes, ba.bytes, DIGEST_BYTES);
	ck_assert_mem_ne(ab.bytes, plain.bytes, DIGEST_BYTES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("evidence/merkle");
	TCase *tests = tcase_create("merkle");
	tcase_add_test(tests, roots_are_as_the_rfc_defines_them);
	tcase_add_test(tests, gives_the_known_roots);
	tcase_add_test(tests, sides_and_kinds_are_told_apart);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
