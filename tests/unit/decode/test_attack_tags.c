/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/body.h"
#include "model/alert_json.h"

#define RECEIVED_NS INT64_C(1795478400000000000)

static struct batch *batch, *again;

static void tear_down(void)
{
	batch_free(batch);
	batch_free(again);
	batch = again = NULL;
}

static struct batch *decode(enum source source, struct text body)
{
	struct err err = {0};
	struct batch *decoded = batch_new();
	ck_assert_ptr_nonnull(decoded);
	decoded->source = source;
	decoded->cluster = TEXT("c");
	ck_assert_msg(body_decode(body, RECEIVED_NS, decoded, &err) == 0, "%s", err.text);
	ck_assert_ptr_nonnull(decoded->first);
	return decoded;
}

/* The only alert of one body with these members. */
static const struct alert *alert_of(enum source source, const char *members)
{
	static char body[1024]; /* the alert points into it */
	text_format(body, sizeof body,
		"{%s,\"severity\":\"low\",\"priority\":\"Notice\",\"time\":\"2026-11-21T19:52:"
		"28Z\"}",
		members);
	batch_free(batch);
	batch = decode(source, text_of(body));
	ck_assert_msg(batch->first->kind == LEAF_ALERT && !batch->first->next, "%s", members);
	return batch->first;
}

/* "TA0004 T1611 (mitre_escape) inferred" */
static const char *attack_of(const struct alert *alert)
{
	static char out[1024];
	char id[ATTACK_TECHNIQUE_BYTES];
	size_t at = 0;
	out[0] = '\0';
	for (unsigned rank = 1; rank <= N_TACTICS; rank++)
		if (alert->tactics & 1U << (rank - 1))
			at += text_format(out + at, sizeof out - at, "%s ", tactic_info(rank)->id);
	for (size_t i = 0; i < alert->n_techniques; i++)
		at += text_format(out + at, sizeof out - at, "%s ",
			technique_format(alert->techniques[i], id));
	for (size_t i = 0; i < alert->attack_reported.n; i++)
		at += text_format(out + at, sizeof out - at, "(%.*s) ",
			TEXT_ARG(alert->attack_reported.items[i]));
	text_format(out + at, sizeof out - at, "%s",
		alert_is(alert, ALERT_ATTACK_INFERRED) ? "inferred" : "named");
	return out;
}

static const struct {
	const char *members, *attack;
} falco[] = {
	{"\"rule\":\"r\",\"tags\":[\"container\"]", "named"},
	{"\"rule\":\"r\",\"tags\":[\"T1611\"]", "TA0004 T1611 (T1611) named"},
	{"\"rule\":\"r\",\"tags\":[\"mitre_escape\"]", "TA0004 T1611 (mitre_escape) named"},
	{"\"rule\":\"r\",\"tags\":[\"T1565\",\"mitre_discovery\",\"x\"]",
		"TA0007 T1565 (T1565) (mitre_discovery) named"},
	{"\"rule\":\"r\",\"tags\":[\"mitre_defense_evasion\"]",
		"TA0005 (mitre_defense_evasion) named"},
	{"\"rule\":\"r\",\"tags\":[\"mitre_defense_evasion\",\"T1562.001\"]",
		"TA0112 T1685 (mitre_defense_evasion) (T1562.001) named"},
	{"\"rule\":\"r\",\"tags\":[\"T9999\",\"TA0111\"]", "(T9999) (TA0111) named"},
	{"\"rule\":\"r\",\"tags\":[\"T1562\",\"T1562.001\",\"T1089\"]",
		"TA0112 T1685 (T1562) (T1562.001) (T1089) named"},
	{"\"rule\":\"r\",\"tags\":[\"T1611\",\"T1611\"]", "TA0004 T1611 (T1611) named"},
	{"\"rule\":\"r\",\"tags\":[\"T1064\"]", "TA0002 TA0005 (T1064) inferred"},
	{"\"rule\":\"r\",\"tags\":[\"T1059.099\"]", "TA0002 T1059 (T1059.099) inferred"},
	/* one string, as KubeArmor writes it */
	{"\"rule\":\"r\",\"tags\":[\"MITRE,MITRE_TA0008_lateral_movement,NIST, "
	 "MITRE_T1552_unsecured_credentials\"]",
		"TA0008 T1552 (MITRE_TA0008_lateral_movement) "
		"(MITRE_T1552_unsecured_credentials) named"},
	/* well-known rules: only where the alert says nothing that is understood */
	{"\"rule\":\"Terminal shell in container\"", "TA0002 T1059 inferred"},
	{"\"rule\":\"Terminal shell in container\",\"tags\":[\"container\"]",
		"TA0002 T1059 inferred"},
	{"\"rule\":\"Terminal shell in container\",\"tags\":[\"mitre_impact\"]",
		"TA0040 (mitre_impact) named"},
	{"\"rule\":\"Terminal shell in container\",\"tags\":[\"T9999\"]",
		"TA0002 T1059 (T9999) inferred"},
	{"\"rule\":\"terminal shell in container\"", "named"},
	{"\"rule\":\"Modify binary dirs\"", "TA0112 T1222.002 inferred"},
	{"\"rule\":\"Write below root\"", "TA0003 inferred"},
	{"\"rule\":\"Attach/Exec Pod\",\"source\":\"k8s_audit\",\"tags\":[\"k8s\"]",
		"TA0002 T1609 inferred"},
	{"\"rule\":\"K8s Secret Get Successfully\",\"source\":\"k8s_audit\"",
		"TA0006 T1552.007 inferred"},
	{"\"rule\":\"K8s Deployment Created\",\"source\":\"k8s_audit\"", "named"},
	/* an id in a rule's name is the last resort, a word in it is none */
	{"\"rule\":\"ksp-mitre-t1552-block\"", "TA0006 T1552 inferred"},
	{"\"rule\":\"ksp-mitre-t9999-block\"", "named"},
	{"\"rule\":\"discovery\"", "named"},
};

START_TEST(reads_alerts)
{
	for (size_t i = 0; i < sizeof falco / sizeof falco[0]; i++) {
		const struct alert *alert = alert_of(SOURCE_FALCO, falco[i].members);
		ck_assert_msg(strcmp(attack_of(alert), falco[i].attack) == 0, "%s: %s",
			falco[i].members, attack_of(alert));
	}
}
END_TEST

/* As the API shows it, and in again: the same. */
static void check_idempotent(const struct alert *alert)
{
	struct buf json;
	struct emitter writer;
	char first[1024];
	text_format(first, sizeof first, "%s", attack_of(alert));
	buf_init(&json, 1024 * 1024);
	emit_init(&writer, &json);
	alert_write_json(&writer, alert, 0);
	ck_assert(buf_ok(&json));
	again = decode(SOURCE_TOCSIN, buf_text(&json));
	ck_assert_msg(strcmp(first, attack_of(again->first)) == 0, "%s, then %s: %s", first,
		attack_of(again->first), buf_string(&json));
	batch_free(again);
	again = NULL;
	buf_done(&json);
}

START_TEST(reads_fields_of_their_own)
{
	static const struct {
		const char *members, *attack;
	} cases[] = {
		{"\"rule\":\"r\",\"tactics\":[\"TA0004\"],\"techniques\":[\"T1611\"]",
			"TA0004 T1611 named"},
		{"\"rule\":\"r\",\"techniques\":[\"T1611\"]", "TA0004 T1611 named"},
		{"\"rule\":\"r\",\"techniques\":[\"T1562.001\",\"T9999\"]",
			"TA0112 T1685 (T1562.001) (T9999) named"},
		{"\"rule\":\"r\",\"tactics\":[\"defense-evasion\"],\"techniques\":[\"T1685\"]",
			"TA0112 T1685 (defense-evasion) named"},
		{"\"rule\":\"r\",\"tactics\":[\"TA0002\"],\"tags\":[\"T1611\"]",
			"TA0002 T1611 (T1611) named"},
		{"\"rule\":\"r\",\"attack_reported\":[\"mitre_execution\",\"x\"]",
			"TA0002 (mitre_execution) named"},
		{"\"rule\":\"r\",\"tactics\":[\"TA0002\"],\"flags\":[\"attack_inferred\"]",
			"TA0002 inferred"},
		{"\"rule\":\"Terminal shell in container\"", "named"},
		{"\"rule\":\"Terminal shell in container\",\"sensor\":\"falco\"",
			"TA0002 T1059 inferred"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct alert *alert = alert_of(SOURCE_TOCSIN, cases[i].members);
		ck_assert_msg(strcmp(attack_of(alert), cases[i].attack) == 0, "%s: %s",
			cases[i].members, attack_of(alert));
		check_idempotent(alert);
	}
}
END_TEST

static struct buf *corpus(const char *name, struct buf *out)
{
	char path[4096], bytes[8192];
	size_t n;
	text_format(path, sizeof path, "%s/tests/corpus/%s", getenv("TOCSIN_SOURCE"), name);
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	buf_init(out, 16 * 1024 * 1024);
	while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
		buf_add_bytes(out, bytes, n);
	fclose(file);
	ck_assert(buf_ok(out));
	return out;
}

START_TEST(is_idempotent)
{
	static const char *const files[] = {
		"labelled/alerts.jsonl", "falco-live/default-rules.jsonl", "own/odd.jsonl"};
	for (size_t i = 0; i < sizeof falco / sizeof falco[0]; i++)
		check_idempotent(alert_of(SOURCE_FALCO, falco[i].members));
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct buf body;
		struct batch *alerts = decode(SOURCE_FALCO, buf_text(corpus(files[i], &body)));
		for (const struct alert *alert = alerts->first; alert; alert = alert->next)
			if (alert->kind == LEAF_ALERT && !alert_is(alert, ALERT_HEALTH))
				check_idempotent(alert);
		batch_free(alerts);
		buf_done(&body);
	}
}
END_TEST

/* Without its tags a recorded alert would mean what it means with them. */
START_TEST(knows_the_rules_of_recorded_alerts)
{
	static const char *const files[] = {
		"labelled/alerts.jsonl", "falco-live/default-rules.jsonl"};
	size_t n_known = 0;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct buf body;
		struct batch *alerts = decode(SOURCE_FALCO, buf_text(corpus(files[i], &body)));
		for (const struct alert *alert = alerts->first; alert; alert = alert->next) {
			const struct attack_rule *rule =
				attack_rule_find(alert->sensor, alert->rule);
			ck_assert_msg(rule != NULL, "%.*s", TEXT_ARG(alert->rule));
			ck_assert_msg(rule->tactics == alert->tactics, "%s: %x", rule->rule,
				alert->tactics);
			ck_assert_msg(alert->n_techniques <= 1 &&
					      rule->techniques[0] == alert->techniques[0],
				"%s: %u", rule->rule, alert->techniques[0]);
			ck_assert(!alert_is(alert, ALERT_ATTACK_INFERRED));
			n_known++;
		}
		batch_free(alerts);
		buf_done(&body);
	}
	ck_assert_uint_gt(n_known, 1500);
}
END_TEST

/* More words than are kept, and more than there is room for. */
START_TEST(keeps_to_its_limits)
{
	struct buf members;
	buf_init(&members, 65536);
	buf_add(&members, TEXT("{\"rule\":\"r\",\"priority\":\"Notice\",\"tags\":[\""));
	for (unsigned i = 1; i < 100; i++)
		buf_addf(&members, "T9%03u,T1%03u,", i, i);
	buf_add(&members, TEXT("T1001\"]}"));
	batch = decode(SOURCE_FALCO, buf_text(&members));
	buf_done(&members);
	const struct alert *alert = batch->first;
	ck_assert(alert_is(alert, ALERT_TRUNCATED)); /* a tag longer than a name may be */
	ck_assert_uint_le(alert->n_techniques, ATTACK_TECHNIQUES_MAX);
	ck_assert_uint_le(alert->attack_reported.n, ALERT_TAGS_MAX);
	ck_assert_uint_gt(alert->attack_reported.n, 60);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_tags");
	TCase *tests = tcase_create("attack_tags");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, reads_alerts);
	tcase_add_test(tests, reads_fields_of_their_own);
	tcase_add_test(tests, is_idempotent);
	tcase_add_test(tests, knows_the_rules_of_recorded_alerts);
	tcase_add_test(tests, keeps_to_its_limits);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
