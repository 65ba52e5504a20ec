/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/preview.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "decision_rig.h"
#include "pipeline/piece_changes.h"

static struct rig rig;
static struct preview *preview;
static struct decision wanted; /* the last that was previewed */

/* INC-1: three rules on one pod, within forty minutes; INC-2: another pod. */
static void setup(void)
{
	struct err err;
	char path[96];
	rig_open(&rig);
	rig_alert(&rig, &(struct rig_alert){10, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_alert(&rig, &(struct rig_alert){400, "web-1", "secret", SEVERITY_MEDIUM, 9, false});
	rig_alert(&rig, &(struct rig_alert){2000, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_alert(&rig, &(struct rig_alert){2300, "web-1", "miner", SEVERITY_HIGH, 15, false});
	rig_commit(&rig);
	rig_alert(&rig, &(struct rig_alert){20, "db-1", "scan", SEVERITY_LOW, 10, false});
	rig_clock(&rig, 2700);
	rig_commit(&rig);
	text_format(path, sizeof path, "%s/tocsin.db", rig.folder);
	ck_assert_msg(preview_open(&preview, path, &rig.criticality, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	preview_close(preview);
	rig_close(&rig);
}

static void fill(struct incident_decision *wish, struct text edit)
{
	wish->other = 2;
	wish->edit = edit;
	wish->has_slot = wish->n_prints == 0;
	wish->from_slot = rig_slot(1000);
}

static void choose(struct incident_decision *wish, const char *rule)
{
	if (rule)
		rig_fingerprint(rule, wish->prints[wish->n_prints++]);
}

/* What it would do, with nothing done; -> status */
static unsigned look(enum decision_kind kind, uint64_t number, const char *rule, struct text edit)
{
	struct err err;
	struct text before = rig_dump(&rig);
	wanted = (struct decision){.kind = kind, .actor = TEXT("token:ann")};
	wanted.incident.number = number;
	memcpy(wanted.incident.edit_id, "previewed0", EDIT_ID_BYTES);
	choose(&wanted.incident, rule);
	fill(&wanted.incident, edit);
	ck_assert_msg(preview_compute(preview, &wanted, rig_time(2700), &rig.arena, &err) == 0,
		"%s", err.text);
	ck_assert(text_equal(before, rig_dump(&rig)));
	return wanted.incident.result.status;
}

static struct piece_list all_pieces(void)
{
	struct err err;
	struct piece_list list = {arena_array(&rig.arena, 100, sizeof(struct piece)), 0};
	size_t n = (size_t)rig_count(&rig, "SELECT coalesce(max(number), 0) FROM piece");
	for (uint64_t number = 1; number <= n; number++)
		if (piece_read(rig_connection(&rig), number, &list.items[list.n], &err) == 0)
			list.n++;
	return list;
}

static bool is_side(const struct change_side *a, const struct change_side *b)
{
	return a->lo_ns == b->lo_ns && a->hi_ns == b->hi_ns && a->n_alerts == b->n_alerts &&
	       a->risk_milli == b->risk_milli && a->severity == b->severity;
}

static bool holds(const struct incident_change_list *list, const struct incident_change *change)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].kind == change->kind &&
			list->items[i].number == change->number &&
			is_side(&list->items[i].before, &change->before) &&
			is_side(&list->items[i].after, &change->after))
			return true;
	return false;
}

/* Looks, decides the same in earnest, and compares; -> the edit's id */
static struct text look_and_do(
	enum decision_kind kind, uint64_t number, const char *rule, struct text edit)
{
	struct incident_change_list done;
	ck_assert_uint_eq(look(kind, number, rule, edit), 200);
	struct piece_list before = all_pieces();
	struct incident_decision *wish = rig_decision(&rig, kind, number);
	struct text id = arena_copy(&rig.arena, text_of(wish->edit_id));
	choose(wish, rule);
	fill(wish, edit);
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 200);
	struct piece_list after = all_pieces();
	ck_assert(piece_changes(&before, &after, &rig.arena, &done));
	const struct incident_change_list *seen = &wanted.preview.changes;
	ck_assert_uint_eq(seen->n, done.n);
	ck_assert_uint_eq(wanted.preview.n_changes, done.n);
	for (size_t i = 0; i < done.n; i++)
		ck_assert(holds(seen, &done.items[i]));
	piece_list_done(&before);
	piece_list_done(&after);
	return id;
}

START_TEST(a_cut_is_as_it_was_shown)
{
	struct text edit = look_and_do(DECISION_CUT, 1, NULL, TEXT_NONE);
	ck_assert_uint_eq(wanted.preview.changes.n, 2);
	look_and_do(DECISION_UNDO, 1, NULL, edit);
	ck_assert_uint_eq(wanted.preview.changes.n, 2);
}
END_TEST

START_TEST(an_unlink_is_as_it_was_shown)
{
	struct text edit = look_and_do(DECISION_UNLINK, 1, "shell", TEXT_NONE);
	ck_assert_uint_eq(wanted.preview.changes.n, 2);
	ck_assert_int_eq(wanted.preview.changes.items[1].kind, CHANGE_NEW);
	ck_assert_uint_eq(wanted.preview.changes.items[1].after.n_alerts, 2);
	struct text other = look_and_do(DECISION_UNLINK, 1, "secret", TEXT_NONE);
	look_and_do(DECISION_UNDO, 1, NULL, edit);
	look_and_do(DECISION_UNDO, 1, NULL, other);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece"), 2);
}
END_TEST

/* From the incident that it made, too; and of that one a cut. */
START_TEST(what_was_carved_is_looked_at_as_well)
{
	struct text edit = look_and_do(DECISION_UNLINK, 1, "shell", TEXT_NONE);
	look_and_do(DECISION_CUT, 3, NULL, TEXT_NONE);
	look_and_do(DECISION_UNDO, 3, NULL, edit);
}
END_TEST

START_TEST(a_merge_shows_what_is_linked)
{
	ck_assert_uint_eq(look(DECISION_MERGE, 1, NULL, TEXT_NONE), 200);
	ck_assert_uint_eq(wanted.preview.linked, 2);
	ck_assert_uint_eq(wanted.preview.n_changes, 0);
	struct incident_decision *wish = rig_decision(&rig, DECISION_MERGE, 1);
	struct text id = arena_copy(&rig.arena, text_of(wish->edit_id));
	wish->other = 2;
	rig_commit(&rig);
	ck_assert_uint_eq(look(DECISION_MERGE, 1, NULL, TEXT_NONE), 409);
	ck_assert_uint_eq(look(DECISION_UNDO, 1, NULL, id), 200);
	ck_assert_uint_eq(wanted.preview.unlinked, 2);
	ck_assert_uint_eq(wanted.preview.linked, 0);
}
END_TEST

START_TEST(what_would_be_refused_is_refused)
{
	ck_assert_uint_eq(look(DECISION_UNLINK, 2, "scan", TEXT_NONE), 422);
	ck_assert_uint_eq(look(DECISION_UNLINK, 2, "shell", TEXT_NONE), 422);
	ck_assert_uint_eq(look(DECISION_CUT, 99, NULL, TEXT_NONE), 404);
	ck_assert_uint_eq(look(DECISION_UNDO, 1, NULL, TEXT("nothing")), 422);
	ck_assert(wanted.incident.result.refusal.size > 0);
}
END_TEST

/* What came meanwhile counts: nothing is kept from one preview to the next. */
START_TEST(looks_anew_each_time)
{
	ck_assert_uint_eq(look(DECISION_UNLINK, 1, "shell", TEXT_NONE), 200);
	ck_assert_uint_eq(wanted.preview.changes.items[1].after.n_alerts, 2);
	rig_alert(&rig, &(struct rig_alert){2400, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_uint_eq(look(DECISION_UNLINK, 1, "shell", TEXT_NONE), 200);
	ck_assert_uint_eq(wanted.preview.changes.items[1].after.n_alerts, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pipeline/preview");
	TCase *tests = tcase_create("preview");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_cut_is_as_it_was_shown);
	tcase_add_test(tests, an_unlink_is_as_it_was_shown);
	tcase_add_test(tests, what_was_carved_is_looked_at_as_well);
	tcase_add_test(tests, a_merge_shows_what_is_linked);
	tcase_add_test(tests, what_would_be_refused_is_refused);
	tcase_add_test(tests, looks_anew_each_time);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
