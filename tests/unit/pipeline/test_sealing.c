/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sealing.h"

#include <check.h>
#include <stdlib.h>

#include "decision_rig.h"
#include "model/slot.h"
#include "pipeline/watermark.h"

enum { GAP_S = 3600, SPAN_S = 86400 };

static struct rig rig;

static void setup(void)
{
	rig_open(&rig);
	rig_alert(&rig, &(struct rig_alert){10, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
}

static void teardown(void)
{
	rig_close(&rig);
}

/* One slice with this watermark; -> how many were sealed. */
static size_t seal(int64_t watermark_ns, int64_t now_ns)
{
	struct err err;
	struct sealing sealing = {
		.watermark_ns = watermark_ns, .now_ns = now_ns, .arena = &rig.arena};
	ck_assert(store_begin(rig.store, &err) == 0);
	ck_assert_msg(sealing_slice(rig_connection(&rig), &sealing, &err) == 0, "%s", err.text);
	ck_assert(store_commit(rig.store, &err) == 0);
	for (size_t i = 0; i < sealing.n_keys; i++)
		correlator_changed(rig.correlator, sealing.keys[i]);
	return sealing.n_keys;
}

static int64_t amendments(void)
{
	return rig_count(&rig, "SELECT count(*) FROM activity WHERE kind = 13 AND number = 1");
}

START_TEST(sealed_when_the_gap_has_passed)
{
	int64_t now = rig_time(2 * GAP_S);
	ck_assert_uint_eq(seal(rig_time(10 + GAP_S), now), 0);
	ck_assert_int_eq(rig_incident(&rig, 1)->sealed_ns, 0);
	ck_assert_uint_eq(seal(rig_time(10 + GAP_S) + 1, now), 1);
	ck_assert_int_eq(rig_incident(&rig, 1)->sealed_ns, now);
	ck_assert_uint_eq(seal(rig_time(10 + GAP_S) + 1, now), 0);
}
END_TEST

START_TEST(sealed_when_the_span_is_used_up)
{
	for (int64_t at = 1800; at < SPAN_S; at += 1800)
		rig_alert(&rig, &(struct rig_alert){at, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece"), 1);
	ck_assert_uint_eq(seal(rig_time(SPAN_S) - 1, rig_time(SPAN_S)), 0);
	ck_assert_uint_eq(seal(rig_time(SPAN_S), rig_time(SPAN_S)), 1);
}
END_TEST

/* A late alert joins all the same: the incident is open again and says why, once. */
START_TEST(amended_when_late_alerts_join)
{
	ck_assert_uint_eq(seal(rig_time(3 * GAP_S), rig_time(3 * GAP_S)), 1);
	uint64_t revision = rig_incident(&rig, 1)->revision;
	for (int i = 0; i < 2; i++) {
		if (i == 1)
			rig_restart(&rig); /* read anew instead of extended */
		rig_alert(&rig,
			&(struct rig_alert){100 + i, "web-1", "secret", SEVERITY_MEDIUM, 9, false});
		rig_commit(&rig);
		struct incident *incident = rig_incident(&rig, 1);
		ck_assert_uint_eq(incident->n_alerts, 2 + (uint64_t)i);
		ck_assert_uint_eq(incident->revision, revision + 1 + (uint64_t)i);
		ck_assert_int_eq(incident->sealed_ns, 0);
		ck_assert_int_eq(amendments(), 1);
	}
	ck_assert_uint_eq(seal(rig_time(3 * GAP_S), rig_time(4 * GAP_S)), 1);
	rig_restart(&rig);
	rig_alert(&rig, &(struct rig_alert){200, "web-1", "secret", SEVERITY_MEDIUM, 9, false});
	rig_commit(&rig);
	ck_assert_int_eq(amendments(), 2);
}
END_TEST

/* What is not news about it leaves it sealed: a repeat, and an alert of another pod. */
START_TEST(stays_sealed_otherwise)
{
	ck_assert_uint_eq(seal(rig_time(3 * GAP_S), rig_time(3 * GAP_S)), 1);
	rig_alert(&rig, &(struct rig_alert){20, "db-1", "scan", SEVERITY_LOW, 10, false});
	rig_commit(&rig);
	ck_assert_int_ne(rig_incident(&rig, 1)->sealed_ns, 0);
	ck_assert_int_eq(rig_incident(&rig, 2)->sealed_ns, 0);
	ck_assert_int_eq(amendments(), 0);
}
END_TEST

START_TEST(slices_go_on_where_they_ended)
{
	for (int i = 0; i < SEALING_SLICE + 10; i++) {
		const char *pod = arena_string(&rig.arena, arena_format(&rig.arena, "pod-%d", i));
		rig_alert(&rig, &(struct rig_alert){20, pod, "scan", SEVERITY_LOW, 10, false});
	}
	rig_commit(&rig);
	struct err err;
	struct sealing sealing = {.watermark_ns = rig_time(3 * GAP_S),
		.now_ns = rig_time(3 * GAP_S),
		.arena = &rig.arena};
	ck_assert(store_begin(rig.store, &err) == 0);
	ck_assert(sealing_slice(rig_connection(&rig), &sealing, &err) == 0);
	ck_assert_uint_eq(sealing.n_keys, SEALING_SLICE);
	ck_assert_uint_eq(sealing.after, SEALING_SLICE);
	ck_assert(sealing_slice(rig_connection(&rig), &sealing, &err) == 0);
	ck_assert_uint_eq(sealing.n_keys, 11);
	ck_assert_uint_eq(sealing.after, 0);
	ck_assert(store_commit(rig.store, &err) == 0);
}
END_TEST

static struct batch *heard(const char *node, int64_t time_ns, int64_t received_ns)
{
	struct batch *batch = batch_new();
	ck_assert_ptr_nonnull(batch);
	struct alert *alert = batch_alert_new(batch);
	ck_assert_ptr_nonnull(alert);
	alert->kind = LEAF_ALERT;
	alert->node = text_of(node);
	alert->time_ns = time_ns;
	alert->received_ns = received_ns;
	batch_add(batch, alert);
	return batch;
}

START_TEST(the_slowest_live_sender_decides)
{
	int64_t now = rig_time(10000), lateness = 600 * NS_PER_S;
	struct watermark *watermark = watermark_new(now);
	struct batch *fast = heard("a", now, now), *slow = heard("b", now - 900 * NS_PER_S, now);
	struct batch *ahead = heard("c", now + 7200 * NS_PER_S, now);
	ck_assert_int_eq(watermark_at(watermark, now), INT64_MIN);
	watermark_note(watermark, slow, now);
	watermark_note(watermark, fast, now);
	watermark_note(watermark, ahead, now);
	ck_assert_int_eq(watermark_at(watermark, now), now - 900 * NS_PER_S - lateness);
	/* Two minutes of silence, and it is not waited for; a clock that is ahead counts as now. */
	int64_t later = now + 121 * NS_PER_S;
	watermark_note(watermark, fast, later);
	ck_assert_int_eq(watermark_at(watermark, later), now - lateness);
	/* It never falls, whoever comes back. */
	watermark_note(watermark, slow, later);
	ck_assert_int_eq(watermark_at(watermark, later), now - lateness);
	/* Nobody at all: the clock goes on. */
	later += 200 * NS_PER_S;
	ck_assert_int_eq(watermark_at(watermark, later), later - lateness);
	batch_free(fast);
	batch_free(slow);
	batch_free(ahead);
	watermark_free(watermark);
}
END_TEST

static void report_of(struct watermark *watermark, const char *node, unsigned char spool,
	int64_t oldest_ns, int64_t now_ns)
{
	struct agent_report said = {.cluster = TEXT("c"),
		.node = text_of(node),
		.spool = {spool},
		.oldest_ns = oldest_ns,
		.n_waiting = oldest_ns < now_ns};
	struct batch *batch = batch_new();
	ck_assert_ptr_nonnull(batch);
	batch->report = &said;
	watermark_note(watermark, batch, now_ns);
	batch_free(batch);
}

static void report(struct watermark *watermark, const char *node, int64_t oldest_ns, int64_t now_ns)
{
	report_of(watermark, node, 0, oldest_ns, now_ns);
}

START_TEST(agents_are_waited_for_fifteen_minutes)
{
	int64_t now = rig_time(10000), lateness = 600 * NS_PER_S, old = now - 7200 * NS_PER_S;
	struct agent_report known = {
		.cluster = TEXT("c"), .node = TEXT("lost"), .oldest_ns = old - NS_PER_S};
	struct watermark *watermark = watermark_new(now);
	watermark_expect(watermark, &known);
	report(watermark, "slow", old, now);
	ck_assert_int_eq(watermark_at(watermark, now), old - NS_PER_S - lateness);
	/* Fifteen minutes after the start the lost one is given up, and named. */
	int64_t later = now + 901 * NS_PER_S;
	report(watermark, "slow", old, later);
	ck_assert_int_eq(watermark_at(watermark, later), old - lateness);
	struct unheard_nodes unheard = watermark_unheard(watermark, later, &rig.arena);
	ck_assert_uint_eq(unheard.n, 1);
	ck_assert(text_is(unheard.items[0].node, "lost") && text_is(unheard.items[0].cluster, "c"));
	/* It comes back. */
	report(watermark, "lost", later, later);
	report(watermark, "slow", later, later);
	ck_assert_int_eq(watermark_at(watermark, later), later - lateness);
	ck_assert_uint_eq(watermark_unheard(watermark, later, &rig.arena).n, 0);
	watermark_free(watermark);
}
END_TEST

/* The one that is far behind is not hidden by another of its node that has nothing. */
START_TEST(each_agent_of_a_node_is_waited_for)
{
	int64_t now = rig_time(10000), lateness = 600 * NS_PER_S, old = now - 7200 * NS_PER_S;
	struct watermark *watermark = watermark_new(now);
	report_of(watermark, "n", 1, old, now);
	report_of(watermark, "n", 2, now, now);
	report_of(watermark, "n", 3, now, now); /* its disk is made anew: 4 */
	ck_assert_int_eq(watermark_at(watermark, now), old - lateness);
	int64_t later = now + 901 * NS_PER_S;
	ck_assert_uint_eq(watermark_unheard(watermark, later, &rig.arena).n, 1);
	report_of(watermark, "n", 4, later, later);
	report_of(watermark, "n", 2, later, later);
	struct unheard_nodes unheard = watermark_unheard(watermark, later, &rig.arena);
	ck_assert_uint_eq(unheard.n, 1); /* for the first: 3 is succeeded */
	ck_assert_int_eq(unheard.items[0].oldest_ns, old);
	ck_assert_int_eq(watermark_at(watermark, later), later - lateness);
	report_of(watermark, "n", 1, later, later);
	ck_assert_uint_eq(watermark_unheard(watermark, later, &rig.arena).n, 0);
	watermark_free(watermark);
}
END_TEST

/* What was sealed without a node of its cluster says so, until it is opened again. */
START_TEST(sealed_without_a_node_it_says_so)
{
	struct err err;
	const struct unheard_node nodes[] = {
		{TEXT("c"), TEXT("n-early"), rig_time(0)},
		{TEXT("c"), TEXT("n-done"), rig_time(5000)}, /* said everything of that time */
		{TEXT("other"), TEXT("n-other"), rig_time(0)},
	};
	struct sealing sealing = {.watermark_ns = rig_time(2 * GAP_S),
		.now_ns = rig_time(2 * GAP_S),
		.unheard = {nodes, 3},
		.arena = &rig.arena};
	ck_assert(store_begin(rig.store, &err) == 0);
	ck_assert(sealing_slice(rig_connection(&rig), &sealing, &err) == 0);
	ck_assert(store_commit(rig.store, &err) == 0);
	ck_assert_uint_eq(sealing.n_keys, 1);
	ck_assert(text_is(rig_incident(&rig, 1)->unheard, "[\"n-early\"]"));
	correlator_changed(rig.correlator, sealing.keys[0]);
	rig_alert(&rig, &(struct rig_alert){20, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_int_eq(rig_incident(&rig, 1)->sealed_ns, 0);
	ck_assert_uint_eq(rig_incident(&rig, 1)->unheard.size, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pipeline/sealing");
	TCase *tests = tcase_create("sealing");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, sealed_when_the_gap_has_passed);
	tcase_add_test(tests, sealed_when_the_span_is_used_up);
	tcase_add_test(tests, amended_when_late_alerts_join);
	tcase_add_test(tests, stays_sealed_otherwise);
	tcase_add_test(tests, slices_go_on_where_they_ended);
	tcase_add_test(tests, the_slowest_live_sender_decides);
	tcase_add_test(tests, agents_are_waited_for_fifteen_minutes);
	tcase_add_test(tests, each_agent_of_a_node_is_waited_for);
	tcase_add_test(tests, sealed_without_a_node_it_says_so);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
