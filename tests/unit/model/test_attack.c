/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/attack.h"

enum { COLUMNS = 5, LINE_BYTES = 1024 };
enum { OLD = 99 }; /* instead of a rank: v18's defense-evasion */

static const struct {
	const char *tag;
	unsigned rank; /* 0: none is named */
	technique_code technique;
	bool about;
} cases[] = {
	/* Falco's and KubeArmor's recorded events: every tag that means ATT&CK, and what looks so
	 */
	{"mitre_collection", 12, 0, true},
	{"mitre_command_and_control", 13, 0, true},
	{"mitre_credential_access", 9, 0, true},
	{"mitre_defense_evasion", OLD, 0, true},
	{"mitre_discovery", 10, 0, true},
	{"mitre_execution", 4, 0, true},
	{"mitre_exfiltration", 14, 0, true},
	{"mitre_impact", 15, 0, true},
	{"mitre_persistence", 5, 0, true},
	{"mitre_privilege_escalation", 6, 0, true},
	{"mitre_reconnaissance", 1, 0, true},
	{"T1005", 0, 1005000, true},
	{"T1053.003", 0, 1053003, true},
	{"T1055.008", 0, 1055008, true},
	{"T1562-impair-defenses", 0, 1685000, true},
	{"TA0003", 5, 0, true},
	{"TA0005", 7, 0, true},
	{"TA0005-defense-evasion", OLD, 0, true},
	{"TA0011", 13, 0, true},
	{"TA0043", 1, 0, true},
	{"MITRE", 0, 0, false},
	{"MITRE_T1036_masquerading", 0, 1036000, true},
	{"MITRE_T1552_unsecured_credentials", 0, 1552000, true},
	{"MITRE_T1565_data_manipulation", 0, 1565000, true},
	{"MITRE_TA0006_credential_access", 9, 0, true},
	{"MITRE_TA0008_lateral_movement", 11, 0, true},
	{"MITRE_TA0010_exfiltration", 14, 0, true},
	{"FGT1046", 0, 0, false},
	{"FGT1555", 0, 0, false},
	{"FIGHT", 0, 0, false},
	{"NIST_800-53_AC-2", 0, 0, false},
	{"NIST_800-53_CM-7(4)", 0, 0, false},
	{"NIST_800-53_SI-4(18)", 0, 0, false},
	{"PCI_DSS_10.2.5", 0, 0, false},
	{"CIS_Linux", 0, 0, false},
	{"SI-4", 0, 0, false},
	{"abuse-elevation-control-mechanism", 0, 0, false},
	{"aws", 0, 0, false},
	{"container", 0, 0, false},
	{"maturity_stable", 0, 0, false},
	{"process", 0, 0, false},
	{"test", 0, 0, false},
	/* the same sensors' other rule sets, past and present */
	{"mitre_defense_evation", OLD, 0, true},
	{"mitre_TA0003_persistence", 5, 0, true},
	{"mitre_TA0005-defense-evasion", OLD, 0, true},
	{"mitre_T1036_masquerading", 0, 1036000, true},
	{"mitre_T1089-disabling-security-tools", 0, 1685000, true},
	{"mitre_escape", 0, 1611000, true},
	{"MITRE_T1082_system_information_discovery", 0, 1082000, true},
	{"MITRE_T1562.001_disable_or_modify_tools", 0, 1685000, true},
	{"MITRE_T1036.005_match_legitimate_name_or_location", 0, 1036005, true},
	{"MITRE_T1036.005_match_legitimate_name_or_location_of_a_thing_and_on", 0, 1036005, true},
	{"MITRE_T1136.001_create_account_local_account", 0, 1136001, true},
	{"MITRE_T1553_Subvert_Trust_Controls", 0, 1553000, true},
	{"MITRE_execution", 4, 0, true},
	{"MITRE_TA0002_Execution", 4, 0, true},
	{"MITRE-TTP", 0, 0, true},
	{"MITRE-TTP-T1082", 0, 1082000, true},
	{"T1053-003", 0, 1053003, true},
	{"T1552_007", 0, 1552007, true},
	{"t1552/007", 0, 1552007, true},
	{"ksp-mitre-t1552-block", 0, 1552000, true},
	{"hsp-mitre-t1543-002", 0, 1543002, true},
	{"Privilege Escalation", 6, 0, true},
	{"privilege_escalation", 6, 0, true},
	{"reconnaissance", 1, 0, true},
	{"credential_access", 9, 0, true},
	{"CREDENTIAL-ACCESS", 9, 0, true},
	{"mitre_attack_lateral_movement", 11, 0, true},
	{"mitre:persistence", 5, 0, true},
	{" mitre_impact ", 15, 0, true},
	{"PrivilegeEscalation", 6, 0, true},
	{"observability.privilege_escalation", 0, 0, false},
	/* Sigma, pages, JSON */
	{"attack.execution", 4, 0, true},
	{"attack.defense-evasion", OLD, 0, true},
	{"attack.defense-impairment", 8, 0, true},
	{"attack.stealth", 7, 0, true},
	{"attack.t1611", 0, 1611000, true},
	{"attack.t1059.004", 0, 1059004, true},
	{"attack.ta0005", 7, 0, true},
	{"attack.g0016", 0, 0, true},
	{"attack-surface", 0, 0, false},
	{"https://attack.mitre.org/techniques/T1059/004/", 0, 1059004, true},
	{"https://attack.mitre.org/techniques/T1611", 0, 1611000, true},
	{"https://attack.mitre.org/versions/v15/techniques/T1562/001/", 0, 1685000, true},
	{"https://attack.mitre.org/tactics/TA0004/", 6, 0, true},
	{"TA0004:T1611", 6, 1611000, true},
	{"T1611/TA0004", 6, 1611000, true},
	{"ta0112", 8, 0, true},
	/* unknown, and words of others */
	{"TA0111", 0, 0, true},
	{"TA0111_persistence", 5, 0, true},
	{"MS-TA9001", 0, 0, true},
	{"T9999", 0, 0, true},
	{"t9999.001", 0, 0, true},
	{"mitre_T9999_x", 0, 0, true},
	{"attack.t9999", 0, 0, true},
	{"team-t9999", 0, 0, false},
	{"T1059.0045", 0, 1059000, true},
	{"T10590", 0, 0, false},
	{"T105", 0, 0, false},
	{"XT1059", 0, 0, false},
	{"TA00045", 0, 0, false},
	{"escape", 0, 0, false},
	{"exfil", 0, 0, false},
	{"defense", 0, 0, false},
	{"zebra", 0, 0, false},
	{"{", 0, 0, false},
	{"_", 0, 0, false},
	{"mitre_", 0, 0, false},
	{"", 0, 0, false},
};

static const size_t n_cases = sizeof cases / sizeof cases[0];

static unsigned mask(unsigned rank)
{
	return rank && rank != OLD ? 1U << (rank - 1) : 0;
}

START_TEST(reads_tags)
{
	for (size_t i = 0; i < n_cases; i++) {
		struct attack_tag tag = attack_tag_parse(text_of(cases[i].tag));
		const struct technique_info *info = technique_find(cases[i].technique);
		ck_assert_msg(tag.tactics == mask(cases[i].rank), "%s: tactics %x", cases[i].tag,
			tag.tactics);
		ck_assert_msg(tag.old_evasion == (cases[i].rank == OLD), "%s", cases[i].tag);
		ck_assert_msg(tag.technique == cases[i].technique, "%s: technique %u", cases[i].tag,
			tag.technique);
		ck_assert_msg(tag.implied == (info ? info->tactics : 0), "%s: implied %x",
			cases[i].tag, tag.implied);
		ck_assert_msg(tag.about_attack == cases[i].about, "%s", cases[i].tag);
		ck_assert_msg(!tag.inferred, "%s", cases[i].tag);
	}
}
END_TEST

/* They share length and both ends, so also where they are remembered. */
START_TEST(remembers_each_word_as_itself)
{
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(attack_tag_parse(TEXT("T1053.003")).technique, 1053003);
		ck_assert_uint_eq(attack_tag_parse(TEXT("T1053.003")).technique, 1053003);
		ck_assert_uint_eq(attack_tag_parse(TEXT("T1059.003")).technique, 1059003);
		ck_assert(!attack_tag_parse(TEXT("T105#.003")).technique);
	}
}
END_TEST

START_TEST(infers_where_the_tables_are_silent)
{
	struct attack_tag tag = attack_tag_parse(TEXT("T1059.099"));
	ck_assert_uint_eq(tag.technique, 1059000);
	ck_assert_uint_eq(tag.implied, mask(4));
	ck_assert(tag.inferred && tag.about_attack);
	tag = attack_tag_parse(TEXT("T1562.099")); /* the parent is retired */
	ck_assert_uint_eq(tag.technique, 1685000);
	ck_assert(tag.inferred && tag.implied == mask(8));
	tag = attack_tag_parse(TEXT("T1064")); /* no successor: its last tactics */
	ck_assert_uint_eq(tag.technique, 0);
	ck_assert_uint_eq(tag.implied, mask(4) | mask(7));
	ck_assert(tag.inferred && tag.about_attack && !tag.tactics);
	tag = attack_tag_parse(TEXT("T9999.001"));
	ck_assert(!tag.inferred && !tag.implied && !tag.technique);
}
END_TEST

START_TEST(formats_techniques)
{
	char out[ATTACK_TECHNIQUE_BYTES];
	ck_assert_str_eq(technique_format(1059004, out), "T1059.004");
	ck_assert_str_eq(technique_format(1611000, out), "T1611");
}
END_TEST

/* ---- the tables: what is compiled in is what the files say ---- */

typedef void check_row(struct text column[COLUMNS]);

/* Calls @check for each row after the comments and the header. */
static unsigned for_each_row(const char *table, check_row *check)
{
	char path[4096], line[LINE_BYTES];
	unsigned n = 0;
	text_format(path, sizeof path, "%s/schema/attack/%s.tsv", getenv("TOCSIN_SOURCE"), table);
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file)) {
		struct text rest = {line, strcspn(line, "\n")}, column[COLUMNS] = {{0}};
		if (line[0] == '#')
			continue;
		for (size_t i = 0; i < COLUMNS && text_split(&rest, '\t', &column[i]); i++)
			;
		if (n++)
			check(column);
	}
	fclose(file);
	return n - 1;
}

static bool has_notice(const char *table)
{
	char path[4096], line[LINE_BYTES] = "";
	text_format(path, sizeof path, "%s/schema/attack/%s.tsv", getenv("TOCSIN_SOURCE"), table);
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
	fclose(file);
	return strstr(line, "(c) The MITRE Corporation") && strstr(line, "terms of use");
}

static unsigned rank_of_shortname(struct text name)
{
	for (unsigned rank = 1; rank <= N_TACTICS; rank++)
		if (text_is(name, tactic_info(rank)->shortname))
			return rank;
	ck_abort_msg("no tactic '%.*s'", TEXT_ARG(name));
}

static unsigned mask_of_list(struct text list)
{
	unsigned tactics = 0;
	struct text name;
	while (text_split(&list, ',', &name))
		tactics |= mask(rank_of_shortname(name));
	return tactics;
}

static technique_code code_of(struct text id)
{
	uint64_t number = 0, sub = 0;
	ck_assert_msg(text_starts(id, TEXT("T")) && text_to_u64(text_part(id, 1, 4), &number),
		"'%.*s'", TEXT_ARG(id));
	if (id.size > 5)
		ck_assert(id.size == 9 && text_to_u64(text_part(id, 6, 3), &sub));
	return (technique_code)(number * 1000 + sub);
}

static void check_tactic(struct text column[COLUMNS])
{
	static unsigned n;
	uint64_t number;
	const struct tactic_info *info = tactic_info(++n);
	ck_assert(text_to_u64(column[0], &number) && number == n);
	ck_assert(text_is(column[1], info->id));
	ck_assert_msg(text_is(column[2], info->shortname), "%s", info->shortname);
	ck_assert_msg(text_is(column[3], info->name), "%s", info->name);
	for (size_t i = 1; i <= 3; i++)
		ck_assert_uint_eq(tactic_parse(column[i]), n);
}

/* An id with other words around it and another mark before its sub-technique. */
struct spelling {
	const char *before, *after;
	char mark;
};

static struct attack_tag parse_spelled(const struct spelling *spelling, struct text id)
{
	char word[128];
	size_t size = text_format(
		word, sizeof word, "%s%.*s%s", spelling->before, TEXT_ARG(id), spelling->after);
	if (id.size > 5)
		word[strlen(spelling->before) + 5] = spelling->mark;
	return attack_tag_parse((struct text){word, size});
}

/* However an id is spelled, it means the same. */
static void check_spellings(struct text id, const struct attack_tag *wanted)
{
	static const struct spelling spellings[] = {{"", "", '.'}, {"", "", '-'},
		{"attack.", "", '.'}, {"mitre_", "_a_slug", '.'}, {"MITRE-", "", '_'},
		{"https://attack.mitre.org/techniques/", "/", '/'}};
	for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
		struct attack_tag tag = parse_spelled(&spellings[i], id);
		ck_assert_msg(tag.technique == wanted->technique, "%.*s after '%s': %u",
			TEXT_ARG(id), spellings[i].before, tag.technique);
		ck_assert(tag.implied == wanted->implied && tag.inferred == wanted->inferred);
		ck_assert(tag.about_attack && !tag.tactics);
	}
}

static void check_technique(struct text column[COLUMNS])
{
	technique_code code = code_of(column[0]);
	const struct technique_info *info = technique_find(code);
	ck_assert_msg(info && info->code == code, "%.*s", TEXT_ARG(column[0]));
	ck_assert_msg(text_is(column[1], info->name), "%s", info->name);
	ck_assert_msg(info->tactics && info->tactics == mask_of_list(column[2]), "%s", info->name);
	check_spellings(
		column[0], &(struct attack_tag){.technique = code, .implied = info->tactics});
	ck_assert_msg(code % 1000 == 0 || technique_find(code - code % 1000), "%.*s has no parent",
		TEXT_ARG(column[0]));
}

static void check_alias(struct text column[COLUMNS])
{
	struct attack_tag wanted = {0};
	ck_assert_ptr_null(technique_find(code_of(column[0])));
	if (column[3].size) {
		const struct technique_info *now = technique_find(code_of(column[3]));
		ck_assert_msg(now != NULL, "%.*s has no row", TEXT_ARG(column[3]));
		wanted.technique = now->code;
		wanted.implied = now->tactics;
	} else {
		ck_assert(text_is(column[2], "deprecated"));
		wanted.implied = (tactic_mask)mask_of_list(column[4]);
		wanted.inferred = true;
	}
	check_spellings(column[0], &wanted);
}

static void check_word(struct text column[COLUMNS])
{
	char prefixed[64];
	text_format(prefixed, sizeof prefixed, "MITRE_%.*s", TEXT_ARG(column[0]));
	struct attack_tag bare = attack_tag_parse(column[0]);
	struct attack_tag tag = attack_tag_parse(text_of(prefixed));
	bool old = text_is(column[1], "defense-evasion");
	ck_assert_msg(tag.old_evasion == old && tag.about_attack, "%s", prefixed);
	if (text_starts(column[1], TEXT("T")))
		ck_assert_msg(tag.technique == code_of(column[1]), "%s", prefixed);
	else if (!old)
		ck_assert_msg(tag.tactics == mask_of_list(column[1]), "%s", prefixed);
	ck_assert_msg(bare.about_attack == text_is(column[2], "any"), "%s", prefixed);
	if (bare.about_attack)
		ck_assert(bare.tactics == tag.tactics && bare.old_evasion == tag.old_evasion &&
			  bare.technique == tag.technique);
}

static void check_rule(struct text column[COLUMNS])
{
	const struct attack_rule *rule = attack_rule_find(column[0], column[1]);
	size_t n = 0;
	struct text id;
	ck_assert_msg(rule && text_is(column[1], rule->rule), "%.*s", TEXT_ARG(column[1]));
	ck_assert_msg(rule->tactics && rule->tactics == mask_of_list(column[2]), "%s", rule->rule);
	while (column[3].size && text_split(&column[3], ',', &id)) {
		ck_assert_msg(technique_find(code_of(id)) != NULL, "%s", rule->rule);
		ck_assert_uint_eq(rule->techniques[n++], code_of(id));
	}
	ck_assert(n == 2 || rule->techniques[n] == 0);
	ck_assert_ptr_null(attack_rule_find(TEXT("kubearmor"), column[1]));
	ck_assert_ptr_null(attack_rule_find(column[0], text_part(column[1], 1, column[1].size)));
}

START_TEST(equals_the_tables)
{
	ck_assert_str_eq(attack_version(), "19.2");
	ck_assert_uint_eq(for_each_row("tactics", check_tactic), N_TACTICS);
	ck_assert_uint_eq(for_each_row("techniques", check_technique), 697);
	ck_assert_uint_eq(for_each_row("aliases", check_alias), 161);
	ck_assert_uint_ge(for_each_row("words", check_word), 20);
	ck_assert_uint_ge(for_each_row("rules", check_rule), 93 + 33);
	ck_assert(has_notice("tactics") && has_notice("techniques") && has_notice("aliases"));
}
END_TEST

START_TEST(finds_nothing_between_rows)
{
	for (technique_code code = 0; code < 1700000; code++) {
		const struct technique_info *info = technique_find(code);
		ck_assert(!info || info->code == code);
	}
	ck_assert_ptr_null(technique_find(UINT32_MAX));
	ck_assert_ptr_null(attack_rule_find(TEXT_NONE, TEXT_NONE));
	ck_assert_ptr_null(attack_rule_find(TEXT("falco"), TEXT("zzz")));
}
END_TEST

/* ---- what tags say together ---- */

/* Tactics of a comma-separated list of tags. */
static tactic_mask settle(const char *tags)
{
	struct attack_claim claim = {0};
	struct text rest = text_of(tags), word;
	while (text_split(&rest, ',', &word)) {
		struct attack_tag tag = attack_tag_parse(word);
		attack_claim_add(&claim, &tag);
	}
	return attack_settle(&claim);
}

START_TEST(settles_tactics)
{
	ck_assert_uint_eq(settle(""), 0);
	ck_assert_uint_eq(settle("T1611"), mask(6));
	ck_assert_uint_eq(settle("mitre_escape"), mask(6));
	ck_assert_uint_eq(settle("T1078"), mask(3) | mask(5) | mask(6) | mask(7));
	/* The sensor's word wins: Falco tags T1565 (impact) as discovery. */
	ck_assert_uint_eq(settle("T1565,mitre_discovery"), mask(10));
	ck_assert_uint_eq(settle("mitre_execution,T1505.003,mitre_persistence"), mask(4) | mask(5));
	ck_assert_uint_eq(settle("T1059,TA0111"), mask(4));
	/* v18's defense-evasion: on its own, where the technique decides, where it does not */
	ck_assert_uint_eq(settle("mitre_defense_evasion"), mask(7));
	ck_assert_uint_eq(settle("mitre_defense_evasion,T1222.002"), mask(8));
	ck_assert_uint_eq(settle("T1562.001,mitre_defense_evasion"), mask(8));
	ck_assert_uint_eq(settle("mitre_defense_evasion,T1070"), mask(7));
	ck_assert_uint_eq(settle("mitre_defense_evasion,T1070,T1562"), mask(7));
	ck_assert_uint_eq(settle("mitre_defense_evasion,T1548.001"), mask(7));
	ck_assert_uint_eq(settle("TA0005-defense-evasion,T1562-impair-defenses"), mask(8));
	ck_assert_uint_eq(settle("TA0005,T1562"), mask(7));
	ck_assert_uint_eq(
		settle("mitre_defense_evasion,mitre_persistence,T1562"), mask(5) | mask(8));
}
END_TEST

/* Writes what a tag means as ids. */
static size_t respell(const struct attack_tag *tag, char *out, size_t size)
{
	char id[ATTACK_TECHNIQUE_BYTES];
	struct attack_claim claim = {0};
	attack_claim_add(&claim, tag);
	tactic_mask tactics = attack_settle(&claim);
	size_t at = 0;
	for (unsigned rank = 1; rank <= N_TACTICS; rank++)
		if (tactics & mask(rank))
			at += text_format(out + at, size - at, "%s,", tactic_info(rank)->id);
	if (tag->technique)
		at += text_format(out + at, size - at, "%s,", technique_format(tag->technique, id));
	out[at] = '\0';
	return at;
}

static void check_idempotent(struct text word)
{
	char once[256], twice[256];
	struct attack_claim claim = {0};
	struct attack_tag tag = attack_tag_parse(word), last = {0};
	size_t size = respell(&tag, once, sizeof once);
	struct text rest = {once, size}, part;
	while (text_split(&rest, ',', &part)) {
		struct attack_tag again = attack_tag_parse(part);
		attack_claim_add(&claim, &again);
		last.technique = again.technique ? again.technique : last.technique;
	}
	last.tactics = attack_settle(&claim);
	respell(&last, twice, sizeof twice);
	ck_assert_msg(strcmp(once, twice) == 0 && !claim.inferred, "%.*s: %s, then %s",
		TEXT_ARG(word), once, twice);
}

static void check_idempotent_row(struct text column[COLUMNS])
{
	check_idempotent(column[0]);
}

START_TEST(is_idempotent)
{
	for (size_t i = 0; i < n_cases; i++)
		check_idempotent(text_of(cases[i].tag));
	for_each_row("techniques", check_idempotent_row);
	for_each_row("aliases", check_idempotent_row);
	for_each_row("words", check_idempotent_row);
}
END_TEST

START_TEST(knows_terminal_kinds)
{
	const technique_code escape[] = {1059000, 1611000}, metadata[] = {1552005};
	ck_assert_uint_eq(attack_terminals(0, NULL, 0, true), 0);
	ck_assert_uint_eq(attack_terminals(0x0fff, NULL, 0, false), 0);
	ck_assert_uint_eq(attack_terminals(0, escape, 1, false), 0);
	ck_assert_uint_eq(attack_terminals(0, escape, 2, false), TERMINAL_ESCAPE);
	ck_assert_uint_eq(attack_terminals(0, metadata, 1, false), TERMINAL_NODE_CREDENTIAL);
	tactic_mask credential = (tactic_mask)mask(9);
	ck_assert_uint_eq(attack_terminals(credential, NULL, 0, false), 0);
	ck_assert_uint_eq(attack_terminals(credential, NULL, 0, true), TERMINAL_NODE_CREDENTIAL);
	ck_assert_uint_eq(
		attack_terminals(settle("c2"), NULL, 0, false), TERMINAL_COMMAND_AND_CONTROL);
	ck_assert_uint_eq(
		attack_terminals(settle("exfiltration"), NULL, 0, false), TERMINAL_EXFILTRATION);
	ck_assert_uint_eq(attack_terminals(settle("impact"), NULL, 0, false), TERMINAL_IMPACT);
	ck_assert_uint_eq(attack_terminals(0x7fff, escape, 2, true), 31);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack");
	TCase *tests = tcase_create("attack");
	tcase_add_test(tests, reads_tags);
	tcase_add_test(tests, remembers_each_word_as_itself);
	tcase_add_test(tests, infers_where_the_tables_are_silent);
	tcase_add_test(tests, formats_techniques);
	tcase_add_test(tests, equals_the_tables);
	tcase_add_test(tests, finds_nothing_between_rows);
	tcase_add_test(tests, settles_tactics);
	tcase_add_test(tests, is_idempotent);
	tcase_add_test(tests, knows_terminal_kinds);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
