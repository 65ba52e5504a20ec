/* SPDX-License-Identifier: Apache-2.0 */
#include "console/event_batch.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/pipeline/decision_rig.h"

static struct rig rig;

/* Three pods, so INC-1 to INC-3, each of one alert and commit. */
static void setup(void)
{
	static const char *const pods[] = {"web-1", "web-2", "web-3"};
	rig_open(&rig);
	for (int i = 0; i < 3; i++) {
		rig_alert(&rig, &(struct rig_alert){10, pods[i], "shell", SEVERITY_LOW, 2, false});
		rig_commit(&rig);
	}
}

static void teardown(void)
{
	rig_close(&rig);
}

static struct event_batch *read_all(void)
{
	struct err err;
	struct event_batch *batch = NULL;
	const struct event_wish wish = {{0, 0}, true, true, false, NULL};
	int failed = event_batch_read(rig_connection(&rig), &wish, &batch, &err);
	ck_assert_msg(!failed, "%s", err.text);
	return batch;
}

static bool tells(const struct event_batch *batch, const char *word)
{
	for (size_t i = 0; i < batch->n; i++)
		if (text_find(batch->items[i].text, text_of(word), 0) != SIZE_MAX)
			return true;
	return false;
}

START_TEST(tells_all_and_where_it_ends)
{
	struct event_batch *batch = read_all();
	ck_assert_uint_eq(batch->n, 6);
	ck_assert_uint_eq(batch->to.n_leaves, 3);
	ck_assert(batch->is_whole);
	ck_assert_uint_eq(batch->n_skipped[EVENT_INCIDENT], 0);
	ck_assert_int_eq(batch->skipped.kind, ERR_NONE);
	event_batch_unref(batch);
}
END_TEST

START_TEST(one_incident_that_does_not_read_is_left_out)
{
	struct event_batch *whole = read_all();
	rig_sql(&rig, "UPDATE piece SET rules = x'07' WHERE number = 2");
	struct event_batch *batch = read_all();
	ck_assert_uint_eq(batch->n, 5);
	ck_assert(tells(batch, "\"number\":\"INC-1\"") && tells(batch, "\"number\":\"INC-3\""));
	ck_assert(!tells(batch, "\"number\":\"INC-2\""));
	ck_assert_uint_eq(batch->n_skipped[EVENT_INCIDENT], 1);
	ck_assert_ptr_nonnull(strstr(batch->skipped.text, "INC-2: "));
	/* Readers move past it, or they would wait for it for ever. */
	ck_assert_uint_eq(batch->to.change_seq, whole->to.change_seq);
	event_batch_unref(whole);
	event_batch_unref(batch);
}
END_TEST

START_TEST(the_last_incident_may_be_the_one)
{
	rig_sql(&rig, "UPDATE piece SET rules = x'07'");
	struct event_batch *batch = read_all();
	ck_assert_uint_eq(batch->n, 3);
	ck_assert_uint_eq(batch->n_skipped[EVENT_INCIDENT], 3);
	ck_assert_ptr_nonnull(strstr(batch->skipped.text, "INC-1: "));
	event_batch_unref(batch);
}
END_TEST

START_TEST(one_alert_that_does_not_read_is_left_out)
{
	rig_sql(&rig, "UPDATE block SET frame = x'00' WHERE id & 0xfffffffffff = 1");
	struct event_batch *batch = read_all();
	ck_assert_uint_eq(batch->n, 5);
	ck_assert_uint_eq(batch->n_skipped[EVENT_ALERT], 1);
	ck_assert_ptr_nonnull(strstr(batch->skipped.text, "leaf 1: "));
	ck_assert_uint_eq(batch->to.n_leaves, 3);
	event_batch_unref(batch);
}
END_TEST

START_TEST(a_database_that_cannot_be_read_fails)
{
	struct err err;
	struct event_batch *batch = NULL;
	const struct event_wish wish = {{0, 0}, true, true, false, NULL};
	rig_sql(&rig, "DROP TABLE incident");
	ck_assert_int_eq(event_batch_read(rig_connection(&rig), &wish, &batch, &err), -1);
	ck_assert_ptr_null(batch);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("console/event_batch");
	TCase *tests = tcase_create("event_batch");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, tells_all_and_where_it_ends);
	tcase_add_test(tests, one_incident_that_does_not_read_is_left_out);
	tcase_add_test(tests, the_last_incident_may_be_the_one);
	tcase_add_test(tests, one_alert_that_does_not_read_is_left_out);
	tcase_add_test(tests, a_database_that_cannot_be_read_fails);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
