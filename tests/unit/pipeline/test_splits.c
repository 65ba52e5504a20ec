/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/splits.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "decision_rig.h"
#include "store/activities.h"

static struct rig rig;

static void send(int64_t at_s, const char *rule)
{
	rig_alert(&rig, &(struct rig_alert){at_s, "web-1", rule, SEVERITY_LOW, 2, false});
}

static void setup(void)
{
	rig_open(&rig);
	for (int i = 0; i < 6; i++)
		send(10 + i, "shell");
	send(2000, "secret");
	rig_commit(&rig);
}

static void teardown(void)
{
	rig_close(&rig);
}

static struct text noted(uint64_t number, enum activity_kind kind)
{
	char sql[200];
	text_format(sql, sizeof sql,
		"SELECT group_concat(detail) FROM activity WHERE number = %llu AND kind = %u"
		" AND origin IS NULL",
		(unsigned long long)number, (unsigned)kind);
	return rig_words(&rig, sql);
}

static void is(uint64_t number, enum activity_kind kind, const char *detail)
{
	struct text found = noted(number, (unsigned)kind);
	ck_assert_msg(text_is(found, detail), "INC-%llu: %.*s", (unsigned long long)number,
		TEXT_ARG(found));
}

static char cut_id[EDIT_ID_BYTES];

static void cut(void)
{
	struct incident_decision *wish = rig_decision(&rig, DECISION_CUT, 1);
	wish->has_slot = true;
	wish->from_slot = rig_slot(1500);
	memcpy(cut_id, wish->edit_id, sizeof cut_id);
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 200);
}

static void check_split(void)
{
	is(1, ACTIVITY_SPLIT, "{\"incident\":\"INC-2\"}");
	is(2, ACTIVITY_SPLIT, "{\"split_from\":\"INC-1\"}");
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM activity WHERE kind = 15"), 2);
}

/* Everything is read and partitioned anew, as a recorrelation has it. */
static void recheck(void)
{
	struct err err;
	rig_restart(&rig);
	struct connection *connection = rig_connection(&rig);
	struct text key =
		rig_words(&rig, "SELECT text FROM key WHERE id = (SELECT key FROM piece)");
	ck_assert_int_eq(store_begin(rig.store, &err), 0);
	ck_assert_int_eq(correlator_recheck(rig.correlator, key, false, &err), 0);
	ck_assert_int_eq(correlator_finish(rig.correlator, connection, rig_time(0), &err), 0);
	ck_assert_int_eq(store_commit(rig.store, &err), 0);
}

START_TEST(both_sides_note_a_split_once)
{
	cut();
	ck_assert_uint_eq(rig_incident(&rig, 2)->split_from, 1);
	check_split();
	recheck();
	check_split();
	/* What comes to either afterwards, early or late, changes nothing about where it came from.
	 */
	send(2100, "secret");
	send(5, "shell");
	rig_commit(&rig);
	check_split();
	recheck();
	check_split();
}
END_TEST

START_TEST(a_merge_is_noted_once_and_a_second_split_is_another)
{
	cut();
	struct incident_decision *undo = rig_decision(&rig, DECISION_UNDO, 1);
	undo->edit = text_of(cut_id);
	rig_commit(&rig);
	ck_assert_uint_eq(undo->result.status, 200);
	ck_assert_uint_eq(rig_incident(&rig, 2)->redirect_to, 1);
	for (int i = 0; i < 2; i++) {
		is(1, ACTIVITY_MERGED, "{\"incident\":\"INC-2\"}");
		is(1, ACTIVITY_SPLIT, "{\"incident\":\"INC-2\"}");
		recheck();
	}
	cut();
	is(1, ACTIVITY_SPLIT, "{\"incident\":\"INC-2\"},{\"incident\":\"INC-3\"}");
	is(3, ACTIVITY_SPLIT, "{\"split_from\":\"INC-1\"}");
}
END_TEST

/* An alert that bridges two incidents: the younger becomes part of the older. */
START_TEST(a_bridge_is_noted_as_a_merge)
{
	send(8000, "shell");
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece"), 2);
	send(5000, "shell");
	rig_commit(&rig);
	recheck();
	is(1, ACTIVITY_MERGED, "{\"incident\":\"INC-2\"}");
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM activity"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("splits");
	TCase *tests = tcase_create("splits");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, both_sides_note_a_split_once);
	tcase_add_test(tests, a_merge_is_noted_once_and_a_second_split_is_another);
	tcase_add_test(tests, a_bridge_is_noted_as_a_merge);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
