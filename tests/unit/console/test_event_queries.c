/* SPDX-License-Identifier: Apache-2.0 */
#include "console/event_queries.h"

#include <check.h>
#include <stdlib.h>

#include "console/event_batch.h"
#include "console/event_client.h"
#include "tests/unit/pipeline/decision_rig.h"

enum { OUT_BYTES = 64 * 1024 };

static struct rig rig;
static struct snapshot_slot *slot;
static const struct query_options options = {.now_ns = INT64_MAX};

/* Two pods: INC-1 of severity low, INC-2 high; leaves 0 and 1. */
static void setup(void)
{
	rig_open(&rig);
	slot = snapshot_slot_new();
	rig_alert(&rig, &(struct rig_alert){10, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	rig_alert(&rig, &(struct rig_alert){10, "web-2", "miner", SEVERITY_HIGH, 2, false});
	rig_commit(&rig);
}

static void teardown(void)
{
	snapshot_slot_free(slot);
	rig_close(&rig);
}

static unsigned add(const char *source, bool incidents, bool alerts)
{
	struct err err;
	unsigned place = EVENT_QUERIES_MAX;
	struct event_query *query =
		event_query_new(text_of(source), &options, incidents, alerts, &err);
	ck_assert_msg(query != NULL, "%s", err.text);
	ck_assert(event_queries_add(slot, query, &place));
	return place;
}

static struct event_batch *read_all(void)
{
	struct err err;
	struct event_batch *batch = NULL;
	struct snapshot *set = snapshot_ref(slot);
	const struct event_wish wish = {
		{0, 0}, true, true, false, (const struct event_queries *)(const void *)set};
	int failed = event_batch_read(rig_connection(&rig), &wish, &batch, &err);
	snapshot_unref(set);
	ck_assert_msg(!failed, "%s", err.text);
	return batch;
}

/* What a reader with the query of that place is sent of the batch. */
static const char *told(struct event_batch *batch, unsigned place)
{
	static char out[OUT_BYTES];
	struct event_client client = {.wants_incidents = true,
		.wants_alerts = true,
		.is_greeted = true,
		.state = EVENT_CLIENT_LIVE,
		.has_query = true,
		.query = place};
	ck_assert(event_client_add(&client, batch));
	ssize_t n = event_client_read(&client, out, sizeof out - 1);
	out[n] = '\0';
	event_client_clear(&client);
	return out;
}

static size_t count(const char *told, const char *word)
{
	size_t n = 0, at = 0;
	struct text text = text_of(told);
	while ((at = text_find(text, text_of(word), at)) != SIZE_MAX)
		n++, at++;
	return n;
}

START_TEST(tells_what_matches_and_what_is_outside)
{
	unsigned high = add("sev>=high", true, true), shell = add("rule:shell", true, true);
	struct event_batch *batch = read_all();
	const char *out = told(batch, high);
	ck_assert_uint_eq(count(out, "event: incident\n"), 1);
	ck_assert_uint_eq(count(out, "event: outside\ndata: {\"number\":\"INC-1\"}\n\n"), 1);
	ck_assert_uint_eq(count(out, "event: alert\n"), 1);
	ck_assert_uint_eq(count(out, "\"leaf\":\"1\""), 1);
	out = told(batch, shell);
	ck_assert_uint_eq(count(out, "event: outside\ndata: {\"number\":\"INC-2\"}\n\n"), 1);
	ck_assert_uint_eq(count(out, "\"leaf\":\"0\""), 1);
	ck_assert_uint_eq(count(out, "\"leaf\":\"1\""), 0);
	event_batch_unref(batch);
}
END_TEST

/* The feed may hold a set whose reader has left; its place goes to another one. */
START_TEST(a_place_is_used_again_and_old_sets_stay_readable)
{
	unsigned first = add("sev>=high", true, true);
	struct snapshot *held = snapshot_ref(slot);
	event_queries_remove(slot, first);
	ck_assert_uint_eq(add("rule:shell", false, true), first);
	ck_assert_ptr_nonnull(((struct event_queries *)(void *)held)->items[first]->incidents);
	snapshot_unref(held);
	struct event_batch *batch = read_all();
	/* Of incidents it did not ask: it is told all of them. */
	ck_assert_uint_eq(count(told(batch, first), "event: incident\n"), 2);
	event_batch_unref(batch);
}
END_TEST

START_TEST(there_are_so_many_and_no_more)
{
	struct err err;
	unsigned place;
	for (unsigned i = 0; i < EVENT_QUERIES_MAX; i++)
		ck_assert_uint_eq(add("shell", false, true), i);
	struct event_query *query = event_query_new(TEXT("shell"), &options, false, true, &err);
	ck_assert(!event_queries_add(slot, query, &place));
	event_queries_remove(slot, 200);
	ck_assert_uint_eq(add("shell", false, true), 200);
	struct event_batch *batch = read_all();
	ck_assert_uint_eq(count(told(batch, 255), "event: alert\n"), 1);
	event_batch_unref(batch);
}
END_TEST

/* A query may be of alerts and not of incidents: what is told must fit it. */
START_TEST(a_fault_has_its_place)
{
	struct err err = {0};
	ck_assert_ptr_nonnull(
		NULL == event_query_new(TEXT("cmdline:nc"), &options, true, true, &err) ? &err
											: NULL);
	ck_assert_int_eq(err.kind, ERR_INPUT);
	ck_assert_uint_gt(err.place_size, 0);
	struct event_query *query =
		event_query_new(TEXT("cmdline:nc"), &options, false, true, &err);
	ck_assert_ptr_nonnull(query);
	event_query_unref(query);
}
END_TEST

START_TEST(what_takes_too_long_is_refused_and_ends)
{
	static char out[OUT_BYTES];
	unsigned place = add("rule:shell", true, true);
	struct event_batch *batch = read_all();
	event_bits_add(&batch->too_dear, place);
	struct event_client client = {.wants_alerts = true,
		.is_greeted = true,
		.state = EVENT_CLIENT_LIVE,
		.has_query = true,
		.query = place};
	ck_assert(event_client_add(&client, batch));
	ssize_t n = event_client_read(&client, out, sizeof out - 1);
	out[n] = '\0';
	ck_assert_uint_eq(count(out, "event: problem\n"), 1);
	ck_assert_uint_eq(count(out, "event: alert\n"), 0);
	ck_assert(client.is_refused);
	ck_assert(event_client_add(&client, batch));
	ck_assert_int_eq(event_client_read(&client, out, sizeof out - 1), 0);
	event_client_clear(&client);
	event_batch_unref(batch);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("console/event_queries");
	TCase *tests = tcase_create("event_queries");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, tells_what_matches_and_what_is_outside);
	tcase_add_test(tests, a_place_is_used_again_and_old_sets_stay_readable);
	tcase_add_test(tests, there_are_so_many_and_no_more);
	tcase_add_test(tests, a_fault_has_its_place);
	tcase_add_test(tests, what_takes_too_long_is_refused_and_ends);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
