/* SPDX-License-Identifier: Apache-2.0 */
#include "decision_rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/suppressed.h"

static struct rig rig;

static void setup(void)
{
	rig_open(&rig);
}

static void teardown(void)
{
	rig_close(&rig);
}

static void alert(int64_t at_s, const char *pod, const char *rule, enum severity severity)
{
	rig_alert(&rig, &(struct rig_alert){at_s, pod, rule, severity, 0, false});
}

/* The ids of those that suppress the incident now, joined by commas. */
static const char *suppressed_by(uint64_t number)
{
	struct err err;
	struct suppressed suppressed;
	struct incident incident;
	struct buf out;
	buf_init(&out, 4096);
	ck_assert_int_eq(suppressed_begin(&suppressed, rig_connection(&rig), rig.clock.wall_ns,
				 &rig.arena, &err),
		0);
	ck_assert_int_eq(
		incident_summary_read(rig_connection(&rig), number, &rig.arena, &incident, &err),
		0);
	ck_assert_msg(incident_judge(&suppressed, rig_connection(&rig), &incident, &err) == 0, "%s",
		err.text);
	for (size_t i = 0; i < incident.suppressed_by.n; i++)
		buf_addf(&out, "%s%.*s", i ? "," : "", TEXT_ARG(incident.suppressed_by.items[i]));
	const char *ids = arena_string(&rig.arena, buf_text(&out));
	buf_done(&out);
	return ids;
}

static void check_result(const struct suppression_decision *wish, unsigned status, const char *why)
{
	ck_assert_msg(wish->result.status == status, "%u: %.*s", wish->result.status,
		TEXT_ARG(wish->result.refusal));
	if (why)
		ck_assert_msg(text_find(wish->result.refusal, text_of(why), 0) != SIZE_MAX, "%.*s",
			TEXT_ARG(wish->result.refusal));
}

static void suppress(const char *matchers, int64_t for_s)
{
	struct suppression_decision *wish = rig_suppress(&rig, matchers, for_s);
	rig_commit(&rig);
	check_result(wish, 200, NULL);
}

START_TEST(marks_and_counts_what_it_hides)
{
	suppress("rule=shell,namespace=shop", 3600);
	alert(0, "web-1", "shell", SEVERITY_LOW);
	alert(1, "web-1", "shell", SEVERITY_LOW);
	alert(2, "web-2", "shell", SEVERITY_HIGH);
	alert(3, "web-1", "other", SEVERITY_LOW);
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM alert WHERE bits >> 8 & 256"), 3);
	ck_assert_int_eq(rig_count(&rig, "SELECT hits FROM suppression"), 3);
	ck_assert_int_eq(rig_count(&rig, "SELECT kinds FROM suppression"), 2);
	alert(4, "web-1", "shell", SEVERITY_LOW);
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT hits FROM suppression"), 4);
	ck_assert_int_eq(rig_count(&rig, "SELECT kinds FROM suppression"), 2);
	ck_assert_int_eq(rig_count(&rig, "SELECT max(n) FROM suppression_hit"), 3);
	ck_assert_int_eq(
		rig_count(&rig, "SELECT count(*) FROM suppression_hit WHERE hi - lo = 4000000000"
				" AND first_leaf = 0 AND last_leaf = 4"),
		1);
}
END_TEST

START_TEST(hits_go_with_their_transaction)
{
	suppress("rule=shell", 3600);
	alert(0, "web-1", "shell", SEVERITY_LOW);
	rig_run(&rig, false);
	ck_assert_int_eq(rig_count(&rig, "SELECT hits FROM suppression"), 0);
	alert(1, "web-1", "shell", SEVERITY_LOW);
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT hits FROM suppression"), 1);
}
END_TEST

START_TEST(duplicates_are_no_hits)
{
	suppress("rule=shell", 3600);
	for (int i = 0; i < 3; i++) {
		alert(0, "web-1", "shell", SEVERITY_LOW);
		rig_fingerprint("one", rig.batch->first->occ);
		rig_commit(&rig);
	}
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM alert"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT hits FROM suppression"), 1);
}
END_TEST

START_TEST(the_same_transaction_is_soon_enough)
{
	rig_suppress(&rig, "rule=shell", 3600);
	alert(0, "web-1", "shell", SEVERITY_LOW);
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT hits FROM suppression"), 1);
	rig_unsuppress(&rig, "suppression1");
	alert(1, "web-1", "shell", SEVERITY_LOW);
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT hits FROM suppression"), 1);
}
END_TEST

/* What correlation made, without what is allowed to differ. */
static struct text grouping(void)
{
	return rig_words(&rig,
		"SELECT group_concat(number || ':' || first_slot || ':' || last_slot || ':' || n"
		" || ':' || mark || ':' || risk || ':' || revision) FROM piece");
}

static void some_alerts(void)
{
	for (int i = 0; i < 40; i++) {
		alert(i * 400, i % 3 ? "web-1" : "web-2", i % 4 ? "shell" : "other",
			i % 5 ? SEVERITY_LOW : SEVERITY_HIGH);
		if (i % 7 == 0)
			rig_commit(&rig);
	}
	rig_commit(&rig);
}

START_TEST(grouping_does_not_see_them)
{
	some_alerts();
	char plain[4096]; /* the rig's texts end with it */
	text_format(plain, sizeof plain, "%.*s", TEXT_ARG(grouping()));
	rig_close(&rig);
	rig_open(&rig);
	rig_suppress(&rig, "rule=shell", 3600);
	rig_suppress(&rig, "pod=web-2", 3600);
	rig_commit(&rig);
	some_alerts();
	ck_assert_int_gt(rig_count(&rig, "SELECT sum(hits) FROM suppression"), 30);
	ck_assert_msg(text_is(grouping(), plain), "%.*s, not %s", TEXT_ARG(grouping()), plain);
}
END_TEST

START_TEST(an_incident_is_suppressed_when_all_of_it_is)
{
	alert(0, "web-1", "shell", SEVERITY_LOW);
	rig_commit(&rig);
	ck_assert_str_eq(suppressed_by(1), "");
	suppress("rule=shell", 3600);
	ck_assert_str_eq(suppressed_by(1), "suppression1");
	alert(1, "web-1", "other", SEVERITY_LOW);
	rig_commit(&rig);
	ck_assert_str_eq(suppressed_by(1), "");
	suppress("pod=web-1,rule=~oth.+", 3600);
	ck_assert_str_eq(suppressed_by(1), "suppression1,suppression2");
	rig_unsuppress(&rig, "suppression1");
	rig_commit(&rig);
	ck_assert_str_eq(suppressed_by(1), "");
}
END_TEST

/* What lists do not tell is looked up in the story. */
START_TEST(an_incident_is_judged_by_its_fingerprints)
{
	alert(0, "web-1", "shell", SEVERITY_LOW);
	rig_alert(&rig, &(struct rig_alert){1, "web-1", "exec", SEVERITY_INFO, 0, true});
	rig_commit(&rig);
	suppress("severity=low", 3600);
	ck_assert_str_eq(suppressed_by(1), "suppression1"); /* context asks for nobody */
	alert(2, "web-1", "shell", SEVERITY_HIGH);
	rig_commit(&rig);
	ck_assert_str_eq(suppressed_by(1), "");
	char matchers[64], hex[33];
	unsigned char fingerprint[FINGERPRINT_BYTES];
	rig_fingerprint("shell", fingerprint);
	text_hex(hex, fingerprint, FINGERPRINT_BYTES);
	text_format(matchers, sizeof matchers, "fingerprint=%s", hex);
	suppress(matchers, 3600);
	ck_assert_str_eq(suppressed_by(1), "suppression2");
}
END_TEST

START_TEST(it_ends_by_the_clock)
{
	alert(0, "web-1", "shell", SEVERITY_LOW);
	struct suppression_decision *wish = rig_suppress(&rig, "rule=shell", 3600);
	wish->wish.starts_ns = rig_time(1800);
	rig_commit(&rig);
	check_result(wish, 200, NULL);
	ck_assert_str_eq(suppressed_by(1), "");
	alert(1, "web-1", "shell", SEVERITY_LOW);
	rig_commit(&rig);
	rig_clock(&rig, 1800);
	ck_assert_str_eq(suppressed_by(1), "suppression1");
	alert(2, "web-1", "shell", SEVERITY_LOW);
	rig_commit(&rig);
	rig_clock(&rig, 3599);
	ck_assert_str_eq(suppressed_by(1), "suppression1");
	rig_clock(&rig, 3600);
	ck_assert_str_eq(suppressed_by(1), "");
	alert(3, "web-1", "shell", SEVERITY_LOW);
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT hits FROM suppression"), 1);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
	const int64_t day_s = 86400;
	struct suppression_decision *wish = rig_suppress(&rig, "rule=shell", 0);
	rig_commit(&rig);
	check_result(wish, 422, "must end in the future");
	wish = rig_suppress(&rig, "rule=shell", 90 * day_s + 1);
	rig_commit(&rig);
	check_result(wish, 422, "within 90 days");
	wish = rig_suppress(&rig, "rule=shell", day_s + 1);
	wish->longest_ns = suppression_longest_ns(ROLE_ANALYST);
	rig_commit(&rig);
	check_result(wish, 422, "within 1 days");
	wish = rig_suppress(&rig, "rule=shell", day_s);
	wish->longest_ns = suppression_longest_ns(ROLE_ANALYST);
	rig_commit(&rig);
	check_result(wish, 200, NULL);
	wish = rig_suppress(&rig, "rule=shell", 60);
	wish->wish.starts_ns = rig_time(60);
	rig_commit(&rig);
	check_result(wish, 422, "after it starts");
	wish = rig_unsuppress(&rig, "nobody");
	rig_commit(&rig);
	check_result(wish, 404, "no suppression nobody");
	wish = rig_unsuppress(&rig, "suppression4");
	rig_commit(&rig);
	check_result(wish, 200, NULL);
	wish = rig_unsuppress(&rig, "suppression4");
	rig_commit(&rig);
	check_result(wish, 409, "ended already");
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM suppression"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM audit"), 2);
	ck_assert_int_eq(
		rig_count(&rig, "SELECT count(*) FROM suppression WHERE expired_by = 'token:ann'"),
		1);
}
END_TEST

START_TEST(the_same_key_is_the_same_suppression)
{
	struct suppression_decision *wish = rig_suppress(&rig, "rule=shell", 60);
	wish->key = TEXT("k");
	rig_commit(&rig);
	struct text answer = wish->result.answer;
	wish = rig_suppress(&rig, "rule=shell", 60);
	wish->key = TEXT("k");
	rig_commit(&rig);
	check_result(wish, 200, NULL);
	ck_assert(text_equal(wish->result.answer, answer));
	ck_assert(text_is(answer, "{\"id\":\"suppression1\"}"));
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM suppression"), 1);
	wish = rig_suppress(&rig, "rule=shell", 60);
	wish->key = TEXT("k");
	wish->request.bytes[0] = 1;
	rig_commit(&rig);
	check_result(wish, 422, "Idempotency-Key");
}
END_TEST

/* As Alertmanager has it: times and comment may change, other matchers are another one. */
START_TEST(one_that_is_there_is_changed_or_replaced)
{
	suppress("rule=shell", 3600);
	rig_clock(&rig, 10);
	struct suppression_decision *wish = rig_suppress(&rig, "rule=shell", 7200);
	wish->wish.id = TEXT("suppression1");
	wish->wish.reason = TEXT("still noise");
	rig_commit(&rig);
	check_result(wish, 200, NULL);
	ck_assert(text_is(wish->result.answer, "{\"id\":\"suppression1\"}"));
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM suppression"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT starts_ns FROM suppression"), rig_time(0));
	ck_assert_int_eq(rig_count(&rig, "SELECT ends_ns FROM suppression"), rig_time(7210));
	ck_assert(text_is(rig_words(&rig, "SELECT reason FROM suppression"), "still noise"));
	wish = rig_suppress(&rig, "rule=other", 7200);
	wish->wish.id = TEXT("suppression1");
	rig_commit(&rig);
	ck_assert(text_is(wish->result.answer, "{\"id\":\"suppression3\"}"));
	ck_assert_int_eq(
		rig_count(&rig, "SELECT count(*) FROM suppression WHERE expired_ns IS NULL"), 1);
	wish = rig_suppress(&rig, "rule=shell", 60);
	wish->wish.id = TEXT("nobody");
	rig_commit(&rig);
	check_result(wish, 404, NULL);
	ck_assert_int_eq(
		rig_count(&rig, "SELECT count(*) FROM audit WHERE action LIKE 'suppression.%'"), 3);
}
END_TEST

START_TEST(there_is_room_for_so_many)
{
	for (int i = 0; i < SUPPRESSIONS_MAX; i++)
		rig_suppress(&rig, "rule=shell", 60);
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM suppression"), SUPPRESSIONS_MAX);
	struct suppression_decision *wish = rig_suppress(&rig, "rule=shell", 60);
	rig_commit(&rig);
	check_result(wish, 422, "end some first");
	rig_clock(&rig, 60);
	wish = rig_suppress(&rig, "rule=shell", 60);
	rig_commit(&rig);
	check_result(wish, 200, NULL);
}
END_TEST

START_TEST(old_ones_are_forgotten)
{
	suppress("rule=shell", 3600);
	alert(0, "web-1", "shell", SEVERITY_LOW);
	rig_commit(&rig);
	rig_clock(&rig, 3600 + INT64_C(86400) * SUPPRESSION_KEPT_DAYS);
	suppress("rule=shell", 3600);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM suppression"), 2);
	rig_clock(&rig, 3601 + INT64_C(86400) * SUPPRESSION_KEPT_DAYS);
	suppress("rule=shell", 3600);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM suppression"), 2);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM suppression_hit"), 0);
}
END_TEST

START_TEST(kinds_are_bounded_and_hits_are_not)
{
	suppress("namespace=shop", 3600);
	for (int i = 0; i < SUPPRESSION_KINDS_MAX + 5; i++) {
		struct text pod = arena_format(&rig.arena, "pod-%d", i);
		alert(i % 250, arena_string(&rig.arena, pod), "shell", SEVERITY_LOW);
	}
	rig_commit(&rig);
	ck_assert_int_eq(
		rig_count(&rig, "SELECT hits FROM suppression"), SUPPRESSION_KINDS_MAX + 5);
	ck_assert_int_eq(rig_count(&rig, "SELECT kinds FROM suppression"), SUPPRESSION_KINDS_MAX);
	ck_assert_int_eq(
		rig_count(&rig, "SELECT count(*) FROM suppression_hit"), SUPPRESSION_KINDS_MAX);
}
END_TEST

/* A page of incidents by the filter, as numbers. */
static const char *list(enum suppressed_wish wish)
{
	struct err err;
	struct suppressed suppressed;
	struct buf out;
	struct incident_filter filter = {.suppressed = &suppressed, .suppressed_wish = wish};
	struct incident_page page = {.limit = 10, .arena = &rig.arena};
	buf_init(&out, 256);
	ck_assert_int_eq(suppressed_begin(&suppressed, rig_connection(&rig), rig.clock.wall_ns,
				 &rig.arena, &err),
		0);
	ck_assert_int_eq(incidents_list(rig_connection(&rig), &filter, &page, &err), 0);
	for (const struct incident *item = page.first; item; item = item->next)
		buf_addf(&out, "%llu ", (unsigned long long)item->number);
	const char *numbers = arena_string(&rig.arena, buf_text(&out));
	buf_done(&out);
	return numbers;
}

START_TEST(lists_have_a_filter)
{
	alert(0, "web-1", "shell", SEVERITY_LOW);
	alert(1, "web-2", "shell", SEVERITY_LOW);
	alert(2, "web-3", "other", SEVERITY_LOW);
	rig_commit(&rig);
	suppress("pod=web-2", 3600);
	ck_assert_str_eq(list(SUPPRESSED_TOO), "3 2 1 ");
	ck_assert_str_eq(list(SUPPRESSED_ONLY), "2 ");
	ck_assert_str_eq(list(SUPPRESSED_NOT), "3 1 ");
	rig_clock(&rig, 3600);
	ck_assert_str_eq(list(SUPPRESSED_ONLY), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppressions");
	TCase *tests = tcase_create("suppressions");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, marks_and_counts_what_it_hides);
	tcase_add_test(tests, hits_go_with_their_transaction);
	tcase_add_test(tests, duplicates_are_no_hits);
	tcase_add_test(tests, the_same_transaction_is_soon_enough);
	tcase_add_test(tests, grouping_does_not_see_them);
	tcase_add_test(tests, an_incident_is_suppressed_when_all_of_it_is);
	tcase_add_test(tests, an_incident_is_judged_by_its_fingerprints);
	tcase_add_test(tests, it_ends_by_the_clock);
	tcase_add_test(tests, what_cannot_be_is_refused);
	tcase_add_test(tests, the_same_key_is_the_same_suppression);
	tcase_add_test(tests, one_that_is_there_is_changed_or_replaced);
	tcase_add_test(tests, there_is_room_for_so_many);
	tcase_add_test(tests, old_ones_are_forgotten);
	tcase_add_test(tests, kinds_are_bounded_and_hits_are_not);
	tcase_add_test(tests, lists_have_a_filter);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
