/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "model/slot.h"
#include "tests/unit/store/retention_rig.h"

/* Retention in small slices among crashes and random alerts, by seed. */

enum { CRASH_SEEDS = 4, RANDOM_SEEDS = 3 };

static struct rig rig;
static struct err err;

static void setup(void)
{
	rig_start(&rig);
}

static void teardown(void)
{
	rig_stop(&rig);
}

/* Everything the tables hold, but for who was heard and what is interned. */
static char *dump(void)
{
	static const char *const tables[] = {"alert", "duplicate", "slot", "presence", "piece",
		"member", "frozen_incident", "frozen_print", "container_fact", "name_fact",
		"quarantine", "health", "block", "tile", "meta", "occurrence_run",
		"occurrence_part", "salt"};
	struct buf out;
	buf_init(&out, SIZE_MAX / 2);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		char sql[80];
		sqlite3_stmt *statement = NULL;
		text_format(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1, 2", tables[i]);
		sqlite3_prepare_v2(store_connection(rig.store)->db, sql, -1, &statement, NULL);
		while (sqlite3_step(statement) == SQLITE_ROW) {
			buf_add_string(&out, tables[i]);
			for (int j = 0; j < sqlite3_column_count(statement); j++) {
				struct text cell = sql_blob(statement, j);
				struct digest digest = digest_of(cell);
				char hex[2 * DIGEST_BYTES + 1];
				text_hex(hex, digest.bytes, DIGEST_BYTES);
				buf_addf(&out, " %.12s", hex);
			}
			buf_add_byte(&out, '\n');
		}
		sqlite3_finalize(statement);
	}
	return out.data;
}

static void fill_everything(void)
{
	struct sent odd[] = {
		{.time_ns = T0 + HOUR_NS, .container = "aabbccddeeff", .uid = "u1", .name = "n/p"},
		{.time_ns = T0 + 2 * HOUR_NS, .container = "aabbccddeeff"},
		{.time_ns = T0, .uid = "x", .flags = ALERT_CONTEXT},
		{.time_ns = T0, .flags = ALERT_HEALTH},
		{.time_ns = T0, .quarantined = true},
		{.time_ns = T0 - 40 * DAY_NS, .uid = "late"},
	};
	rig.wall_ns = T0 + DAY_NS;
	rig_send_row(&rig, "u1", T0, 400);
	rig_send_row(&rig, "u2", T0 + HOUR_NS, 300);
	batch_free(rig_send(&rig, odd, 6));
	rig.wall_ns = T0 + 3 * DAY_NS;
	rig_send_row(&rig, "u1", T0 + 2 * DAY_NS, 200);
}

/* A crash between two slices leaves what the last commit left; here one in four does. */
START_TEST(a_crash_between_any_two_slices_is_made_good)
{
	int64_t end_ns = T0 + (HORIZON_DAYS + 2) * DAY_NS;
	fill_everything();
	rig.wall_ns = end_ns;
	rig_retain_all(&rig);
	char *want = dump();
	rig_stop(&rig);
	size_t n = 0, n_crashes = 0;
	rig_start(&rig);
	fill_everything();
	rig.wall_ns = end_ns;
	rig.tick_ms = 2;
	srandom((unsigned)_i);
	while (rig_retain(&rig)) {
		ck_assert_uint_lt(n++, 5000);
		if (random() % 4 == 0) {
			rig_reopen(&rig);
			n_crashes++;
		}
	}
	ck_assert_uint_gt(n_crashes, 10);
	char *got = dump();
	ck_assert_str_eq(want, got);
	rig_check(&rig);
	free(want);
	free(got);
}
END_TEST

static int64_t drawn(int64_t below)
{
	return (random() << 31 | random()) % below;
}

/* Alerts that bring facts, change names' owners, come late and out of order. */
static struct sent draw(void)
{
	static const char *const uids[] = {NULL, NULL, "u1", "u2", "u3"};
	static const char *const names[] = {NULL, "n/a", "n/b"};
	static const char *const containers[] = {NULL, "aabbccddee01", "aabbccddee02"};
	static const char *const rules[] = {"Terminal shell", "Read sensitive file", "Other"};
	static const char *const images[] = {NULL, "nginx", "redis"};
	static const uint32_t flags[] = {0, 0, 0, 0, 0, 0, ALERT_CONTEXT, ALERT_TIME_UNTRUSTED};
	return (struct sent){
		.time_ns = rig.wall_ns - drawn(drawn(4) ? 2 * HOUR_NS : 12 * DAY_NS),
		.uid = uids[drawn(5)],
		.name = names[drawn(3)],
		.container = containers[drawn(3)],
		.rule = rules[drawn(3)],
		.flags = flags[drawn(8)],
		.process = (uint64_t)(1 + drawn(200)),
		.image = images[drawn(3)],
		.occ = (uint64_t)(1 + drawn(3000)),
	};
}

/* Somebody cuts, unlinks or undoes. */
static void edit_something(int round)
{
	char id[16], target[16];
	struct edit edit = {.kind = (enum edit_kind)(1 + drawn(3)),
		.from_slot = slot_of(rig.wall_ns - drawn(9 * DAY_NS))};
	edit.to_slot = edit.from_slot + drawn(40);
	edit.id = (struct text){id, text_format(id, sizeof id, "edit%d", round)};
	if (edit.kind == EDIT_UNDO)
		edit.target = (struct text){target,
			text_format(target, sizeof target, "edit%d", (int)drawn(round + 1))};
	rig_edit(&rig, &edit, (uint64_t)(1 + drawn(3000)),
		drawn(2) ? "Terminal shell" : "Read sensitive file");
}

/* How the incidents that are frozen read. */
static char *frozen_incidents(int64_t upto)
{
	struct buf out;
	buf_init(&out, SIZE_MAX / 2);
	for (int64_t number = 1; number <= upto; number++) {
		char *document = rig_incident(&rig, (uint64_t)number, &err);
		if (document && strstr(document, "\"frozen\""))
			buf_addf(&out, "%s\n", document);
		free(document);
	}
	return out.data ? out.data : strdup("");
}

/* What was frozen before reads as before; one may be leaving at the end. */
static void check_frozen(const char *before)
{
	char *after = frozen_incidents(rig_count(&rig, "SELECT max(number) FROM incident"));
	struct text rest = text_of(before), line;
	while (text_split(&rest, '\n', &line) && line.size) {
		char *one = strndup(line.data, line.size);
		ck_assert_msg(strstr(after, one), "changed: %s", one);
		free(one);
	}
	free(after);
}

START_TEST(anything_in_any_order_stays_consistent)
{
	char *before = strdup("");
	srandom((unsigned)_i);
	rig.options.horizon_s = 8 * 86400;
	rig_reopen(&rig);
	rig.tick_ms = 1;
	for (int round = 0; round < 120; round++) {
		struct sent sent[8];
		size_t n = (size_t)(1 + drawn(8));
		for (size_t i = 0; i < n; i++)
			sent[i] = draw();
		batch_free(rig_send(&rig, sent, n));
		rig.wall_ns += drawn(8 * HOUR_NS);
		if (drawn(3) == 0)
			edit_something(round);
		for (int64_t slices = drawn(60); slices > 0 && rig_retain(&rig); slices--)
			;
		if (drawn(10) == 0)
			rig_reopen(&rig);
		check_frozen(before);
		free(before);
		before = frozen_incidents(rig_count(&rig, "SELECT max(number) FROM incident"));
		if (drawn(8) == 0) {
			rig_retain_all(&rig);
			rig_check(&rig);
		}
	}
	rig_retain_all(&rig);
	rig_check(&rig);
	check_frozen(before);
	ck_assert_int_gt(rig_count(&rig, "SELECT count(*) FROM piece WHERE frozen = 2"), 20);
	rig.wall_ns += 20 * DAY_NS;
	rig_retain_all(&rig);
	rig_check(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM alert"), 0);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM presence"), 0);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM container_fact"), 0);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM name_fact"), 0);
	/* What the last epoch used is still there, and what edits and frozen incidents name. */
	ck_assert_int_le(rig_count(&rig, "SELECT count(*) FROM process"), 33);
	ck_assert_int_le(rig_count(&rig, "SELECT count(*) FROM entity WHERE id NOT IN"
					 " (SELECT entity FROM edit WHERE entity IS NOT NULL)"),
		33);
	ck_assert_int_le(rig_count(&rig, "SELECT count(*) FROM key WHERE id NOT IN"
					 " (SELECT key FROM piece)"),
		1);
	free(before);
}
END_TEST

static int n_seeds(int normal)
{
	const char *wanted = getenv("TOCSIN_RETENTION_SEEDS");
	return wanted ? (int)strtol(wanted, NULL, 10) : normal;
}

int main(void)
{
	Suite *suite = suite_create("retention_random");
	TCase *tests = tcase_create("retention_random");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(
		tests, a_crash_between_any_two_slices_is_made_good, 0, n_seeds(CRASH_SEEDS));
	tcase_add_loop_test(
		tests, anything_in_any_order_stays_consistent, 0, n_seeds(RANDOM_SEEDS));
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
