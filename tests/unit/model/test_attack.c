/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/attack.h"

static const struct {
	const char *tag;
	unsigned rank; /* 0: none */
	technique_code technique;
	bool about;
} cases[] = {
	{"mitre_execution", 4, 0, true},
	{"MITRE_TA0006_credential_access", 9, 0, true},
	{"mitre_command_and_control", 13, 0, true},
	{"mitre_defense_evasion", 7, 0, true},
	{"mitre_defense_evation", 7, 0, true},
	{"attack.defense-evasion", 7, 0, true},
	{"privilege_escalation", 6, 0, true},
	{"Privilege Escalation", 6, 0, true},
	{"reconnaissance", 1, 0, true},
	{"credential_access", 9, 0, true},
	{"mitre_escape", 6, 1611000, true},
	{"escape", 0, 0, false},
	{"TA0011", 13, 0, true},
	{"ta0112", 8, 0, true},
	{"TA0111", 0, 0, true},
	{"TA0005-defense-evasion", 7, 0, true},
	{"mitre_TA0003_persistence", 5, 0, true},
	{"T1059", 0, 1059000, true},
	{"T1059.004", 0, 1059004, true},
	{"attack.t1611", 0, 1611000, true},
	{"T1053-003", 0, 1053003, true},
	{"t1552/007", 0, 1552007, true},
	{"T1562-impair-defenses", 0, 1562000, true},
	{"mitre_T1036_masquerading", 0, 1036000, true},
	{"ksp-mitre-t1552-block", 0, 1552000, true},
	{"T10590", 0, 0, false},
	{"T105", 0, 0, false},
	{"XT1059", 0, 0, false},
	{"T1059.0045", 0, 1059000, true},
	{"NIST_800-53_AC-2", 0, 0, false},
	{"PCI_DSS_10.2.5", 0, 0, false},
	{"container", 0, 0, false},
	{"maturity_stable", 0, 0, false},
	{"", 0, 0, false},
};

START_TEST(reads_tags)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct attack_tag tag = attack_tag_parse(text_of(cases[i].tag));
		unsigned mask = cases[i].rank ? 1U << (cases[i].rank - 1) : 0;
		ck_assert_msg(tag.tactics == mask, "%s: tactics %x", cases[i].tag, tag.tactics);
		ck_assert_msg(tag.technique == cases[i].technique, "%s: technique %u", cases[i].tag,
			tag.technique);
		ck_assert_msg(tag.about_attack == cases[i].about, "%s", cases[i].tag);
	}
}
END_TEST

START_TEST(formats_techniques)
{
	char out[ATTACK_TECHNIQUE_BYTES];
	ck_assert_str_eq(technique_format(1059004, out), "T1059.004");
	ck_assert_str_eq(technique_format(1611000, out), "T1611");
}
END_TEST

/* rank, id, shortname, name: as MITRE's table has them */
START_TEST(equals_the_table)
{
	char path[4096], line[1024];
	text_format(path, sizeof path, "%s/schema/attack/tactics.tsv", getenv("TOCSIN_SOURCE"));
	FILE *file = fopen(path, "r");
	unsigned n = 0;
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file)) {
		struct text rest = text_trim(text_of(line)), rank, id, shortname, name;
		uint64_t number;
		if (!text_split(&rest, '\t', &rank) || !text_to_u64(rank, &number))
			continue;
		ck_assert(text_split(&rest, '\t', &id) && text_split(&rest, '\t', &shortname) &&
			  text_split(&rest, '\t', &name));
		const struct tactic_info *info = tactic_info(++n);
		ck_assert_uint_eq(number, n);
		ck_assert(text_is(id, info->id));
		ck_assert_msg(text_is(shortname, info->shortname), "%s", info->shortname);
		ck_assert_msg(text_is(name, info->name), "%s", info->name);
		ck_assert_uint_eq(tactic_parse(id), n);
		ck_assert_uint_eq(tactic_parse(name), n);
	}
	fclose(file);
	ck_assert_uint_eq(n, N_TACTICS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack");
	TCase *tests = tcase_create("attack");
	tcase_add_test(tests, reads_tags);
	tcase_add_test(tests, formats_techniques);
	tcase_add_test(tests, equals_the_table);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
