/* SPDX-License-Identifier: Apache-2.0 */
#include "store/coverages.h"

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/agents.h"
#include "store/coverage_places.h"
#include "tests/lib/store_rig.h"

enum { MIDNIGHT_S = RIG_TIME_S / 86400 * 86400, ARENA_BYTES = 8 * 1024 * 1024 };

static struct store_rig rig;
static struct arena arena;

static void setup(void)
{
	struct err err = {0};
	store_rig_init(&rig, NULL);
	arena_init(&arena, ARENA_BYTES);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	arena_done(&arena);
	store_rig_done(&rig);
}

static struct connection *connection(void)
{
	return store_connection(rig.store);
}

static struct coverage interval(enum coverage_state state, int64_t from_s, int64_t until_s)
{
	return (struct coverage){.cluster = TEXT("c"),
		.node = TEXT("n1"),
		.sensor = TEXT("falco"),
		.source = SOURCE_FALCO,
		.state = state,
		.from_ns = (MIDNIGHT_S + from_s) * NS_PER_S,
		.until_ns = (MIDNIGHT_S + until_s) * NS_PER_S};
}

static void note(enum coverage_state state, int64_t from_s, int64_t until_s, uint64_t n)
{
	struct err err = {0};
	struct coverage told = interval(state, from_s, until_s);
	told.n = n;
	ck_assert_msg(coverage_note(connection(), &told, &err) == 0, "%s", err.text);
}

static struct coverage_list list(const struct coverage_filter *filter)
{
	struct err err = {0};
	struct coverage_list out;
	ck_assert_msg(coverage_list(connection(), filter, &arena, &out, &err) == 0, "%s", err.text);
	return out;
}

static struct coverage_list all(void)
{
	return list(&(struct coverage_filter){.until_ns = INT64_MAX / 2});
}

static bool is(const struct coverage *item, int64_t from_s, int64_t until_s, uint64_t n)
{
	return item->from_ns == (MIDNIGHT_S + from_s) * NS_PER_S &&
	       item->until_ns == (MIDNIGHT_S + until_s) * NS_PER_S && item->n == n;
}

static int64_t rows(void)
{
	struct err err;
	sqlite3_stmt *statement =
		connection_statement(connection(), "SELECT count(*) FROM coverage", &err);
	ck_assert(statement && sql_step(statement, &err) > 0);
	int64_t n = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return n;
}

START_TEST(intervals_that_touch_are_one)
{
	note(COVERAGE_CONNECTED, 100, 160, 0);
	note(COVERAGE_CONNECTED, 160, 220, 0);
	note(COVERAGE_CONNECTED, 222, 280, 0); /* two seconds later: another */
	ck_assert_int_eq(rows(), 2);
	struct coverage_list found = all();
	ck_assert_uint_eq(found.n, 2);
	ck_assert(is(&found.items[0], 100, 220, 0) && is(&found.items[1], 222, 280, 0));
}
END_TEST

START_TEST(told_again_it_is_the_same)
{
	for (int i = 0; i < 3; i++) {
		note(COVERAGE_DROPPING, 100, 110, 5);
		note(COVERAGE_DROPPING, 100, 130, 9); /* it went on */
		note(COVERAGE_DROPPING, 100, 110, 5); /* an old report, late */
		note(COVERAGE_SILENT, 105, 110, 0);
	}
	struct coverage_list found = all();
	ck_assert_uint_eq(found.n, 2);
	ck_assert(found.items[0].state == COVERAGE_SILENT);
	ck_assert(is(&found.items[1], 100, 130, 9));
	/* what follows counts further */
	note(COVERAGE_DROPPING, 130, 140, 2);
	found = all();
	ck_assert(is(&found.items[1], 100, 140, 11));
}
END_TEST

START_TEST(days_are_apart_in_the_table_and_one_in_the_list)
{
	enum { DAY = 86400 };
	note(COVERAGE_CONNECTED, 3600, 2 * DAY + 60, 0);
	ck_assert_int_eq(rows(), 3);
	struct coverage_list found = all();
	ck_assert_uint_eq(found.n, 1);
	ck_assert(is(&found.items[0], 3600, 2 * DAY + 60, 0));
	/* A span in the middle is found by what crosses it. */
	found = list(&(struct coverage_filter){.from_ns = (MIDNIGHT_S + DAY + 100) * NS_PER_S,
		.until_ns = (MIDNIGHT_S + DAY + 200) * NS_PER_S});
	ck_assert_uint_eq(found.n, 1);
	found = list(&(struct coverage_filter){.from_ns = (MIDNIGHT_S + 3 * DAY) * NS_PER_S,
		.until_ns = (MIDNIGHT_S + 4 * DAY) * NS_PER_S});
	ck_assert_uint_eq(found.n, 0);
}
END_TEST

START_TEST(filters_narrow)
{
	note(COVERAGE_CONNECTED, 0, 10, 0);
	note(COVERAGE_THROTTLED, 5, 10, 0);
	struct coverage_filter filter = {.until_ns = INT64_MAX / 2, .gaps_only = true};
	ck_assert_uint_eq(list(&filter).n, 1);
	filter.gaps_only = false;
	filter.node = TEXT("n2");
	ck_assert_uint_eq(list(&filter).n, 0);
	filter.node = TEXT("n1");
	filter.source = TEXT("falco");
	ck_assert_uint_eq(list(&filter).n, 2);
	filter.source = TEXT("no-such");
	ck_assert_uint_eq(list(&filter).n, 0);
}
END_TEST

START_TEST(who_is_silent_now_is_told_without_an_end)
{
	struct err err = {0};
	int64_t id;
	struct pulse pulse;
	struct coverage place = interval(COVERAGE_CONNECTED, 0, 60);
	ck_assert(pulse_read(connection(), &place, &id, &pulse, &err) == 0);
	ck_assert(pulse.spoke_ns == 0 && pulse.n_drops == -1);
	pulse = (struct pulse){.spoke_ns = place.until_ns, .usual_ns = 60 * NS_PER_S};
	ck_assert(pulse_write(connection(), id, &pulse, &err) == 0);
	struct coverage_filter filter = {
		.until_ns = place.until_ns + 151 * NS_PER_S, .now_ns = place.until_ns};
	ck_assert_uint_eq(list(&filter).n, 0);
	filter.now_ns = filter.until_ns;
	struct coverage_list found = list(&filter);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_int_eq(found.items[0].from_ns, place.until_ns);
	ck_assert_int_eq(found.items[0].until_ns, COVERAGE_GOES_ON_NS);
}
END_TEST

START_TEST(broken_intervals_are_refused_and_long_ones_cut)
{
	struct err err = {0};
	struct coverage told = interval(COVERAGE_SILENT, 10, 5);
	ck_assert(coverage_note(connection(), &told, &err) < 0 && err.kind == ERR_INPUT);
	told = interval(COVERAGE_SILENT, 0, 100 * 86400);
	told.from_ns = 0;
	ck_assert(coverage_note(connection(), &told, &err) == 0);
	ck_assert_int_eq(rows(), COVERAGE_DAYS_MAX + 1);
}
END_TEST

START_TEST(what_is_old_leaves)
{
	struct err err = {0};
	note(COVERAGE_SILENT, 0, 60, 0);
	ck_assert(coverage_expire(connection(), (MIDNIGHT_S + 60) * NS_PER_S, &err) == 0);
	ck_assert_int_eq(rows(), 1);
	ck_assert(coverage_expire(connection(), (MIDNIGHT_S + 61) * NS_PER_S, &err) == 0);
	ck_assert_int_eq(rows(), 0);
}
END_TEST

START_TEST(agents_are_remembered)
{
	struct err err = {0};
	struct agent_list agents;
	struct agent_report report = {.cluster = TEXT("c"),
		.node = TEXT("n2"),
		.version = TEXT("0.1"),
		.oldest_ns = 5,
		.n_waiting = 10,
		.waiting_bytes = 2000};
	ck_assert(agent_note(connection(), &report, 100, &err) == 0);
	report.node = TEXT("n1");
	ck_assert(agent_note(connection(), &report, 100, &err) == 0);
	report.oldest_ns = 7;
	ck_assert(agent_note(connection(), &report, 200, &err) == 0);
	ck_assert(agents_list(connection(), &arena, &agents, &err) == 0);
	ck_assert_uint_eq(agents.n, 2);
	ck_assert(text_is(agents.items[0].report.node, "n1"));
	ck_assert_int_eq(agents.items[0].report.oldest_ns, 7);
	ck_assert_int_eq(agents.items[0].heard_ns, 200);
	ck_assert(agents_expire(connection(), 150, &err) == 0);
	ck_assert(agents_list(connection(), &arena, &agents, &err) == 0 && agents.n == 1);
}
END_TEST

/* What one has waiting hides nothing of another of its node. Whose spool was made anew is succeeded
 * by the new one, if it had nothing waiting. */
START_TEST(agents_of_a_node_are_known_by_their_spools)
{
	static const struct {
		unsigned char spool;
		uint64_t n_waiting;
		int64_t now_ns;
		size_t n; /* that are known then */
	} said[] = {{1, 5, 0, 1}, {2, 0, 0, 2}, {3, 7, 899, 3}, {3, 7, 900, 3}, {3, 0, 901, 2},
		{1, 0, 5000, 1}};
	struct err err = {0};
	struct agent_list agents;
	struct agent_report report = {.cluster = TEXT("c"), .node = TEXT("n")};
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		report.spool[0] = said[i].spool;
		report.n_waiting = said[i].n_waiting;
		ck_assert(agent_note(connection(), &report, said[i].now_ns * NS_PER_S, &err) == 0);
		ck_assert(agents_list(connection(), &arena, &agents, &err) == 0);
		ck_assert_uint_eq(agents.n, said[i].n);
		const struct agent_row *last = &agents.items[agents.n - 1];
		ck_assert_int_eq(last->report.spool[0], i < 2 ? (int)i + 1 : i < 5 ? 3 : 1);
	}
}
END_TEST

/* A node that was rebooted is seen: its agent speaks from another boot, and since when. */
START_TEST(a_boot_is_remembered_since_it_was_heard)
{
	static const struct {
		struct text boot;
		int64_t now_ns, since_ns;
	} said[] = {{TEXT_NONE, 100, 0}, {TEXT("a"), 200, 200}, {TEXT("a"), 300, 200},
		{TEXT("b"), 400, 400}, {TEXT("b"), 500, 400}, {TEXT_NONE, 600, 0}};
	struct err err = {0};
	struct agent_list agents;
	struct agent_report report = {.cluster = TEXT("c"), .node = TEXT("n")};
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		report.boot = said[i].boot;
		ck_assert(agent_note(connection(), &report, said[i].now_ns, &err) == 0);
		ck_assert(agents_list(connection(), &arena, &agents, &err) == 0);
		ck_assert(text_equal(agents.items[0].report.boot, said[i].boot));
		ck_assert_int_eq(agents.items[0].boot_ns, said[i].since_ns);
	}
}
END_TEST

START_TEST(how_many_were_lost_stays_a_number)
{
	note(COVERAGE_DROPPING, 0, 10, INT64_MAX);
	note(COVERAGE_DROPPING, 10, 20, INT64_MAX);
	struct coverage_list found = all();
	ck_assert_uint_eq(found.n, 1);
	ck_assert(is(&found.items[0], 0, 20, INT64_MAX));
	note(COVERAGE_DROPPING, 86300, 86500, INT64_MAX); /* two pieces, and read as one */
	note(COVERAGE_DROPPING, 86500, 86510, INT64_MAX);
	found = all();
	ck_assert_uint_eq(found.n, 2);
	ck_assert(is(&found.items[1], 86300, 86510, INT64_MAX));
}
END_TEST

static void note_sensor(unsigned i)
{
	char name[32];
	struct err err = {0};
	struct coverage told = interval(COVERAGE_SILENT, 10 * i, 10 * i + 5);
	told.sensor = (struct text){name, text_format(name, sizeof name, "sensor %u", i)};
	ck_assert_msg(coverage_note(connection(), &told, &err) == 0, "%s", err.text);
}

static size_t n_sensors(const char *name)
{
	size_t n = 0;
	struct coverage_list found = all();
	for (size_t i = 0; i < found.n; i++)
		n += !name || text_is(found.items[i].sensor, name);
	return n;
}

START_TEST(a_node_has_so_many_sensors)
{
	for (unsigned i = 0; i < COVERAGE_SENSORS_MAX; i++)
		note_sensor(i);
	ck_assert_uint_eq(n_sensors(NULL), COVERAGE_SENSORS_MAX);
	ck_assert_uint_eq(n_sensors("other"), 0);
	note_sensor(COVERAGE_SENSORS_MAX);
	note_sensor(COVERAGE_SENSORS_MAX + 1);
	ck_assert_uint_eq(n_sensors("other"), 2); /* nothing is lost but the name */
	note_sensor(0);                           /* those that are known go on */
	ck_assert_uint_eq(n_sensors("sensor 0"), 1);
	ck_assert_int_eq(store_rig_number(connection(), "SELECT count(*) FROM coverage_place"),
		COVERAGE_SENSORS_MAX + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/coverages");
	TCase *tests = tcase_create("coverages");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, intervals_that_touch_are_one);
	tcase_add_test(tests, told_again_it_is_the_same);
	tcase_add_test(tests, days_are_apart_in_the_table_and_one_in_the_list);
	tcase_add_test(tests, filters_narrow);
	tcase_add_test(tests, who_is_silent_now_is_told_without_an_end);
	tcase_add_test(tests, broken_intervals_are_refused_and_long_ones_cut);
	tcase_add_test(tests, what_is_old_leaves);
	tcase_add_test(tests, agents_are_remembered);
	tcase_add_test(tests, agents_of_a_node_are_known_by_their_spools);
	tcase_add_test(tests, a_boot_is_remembered_since_it_was_heard);
	tcase_add_test(tests, how_many_were_lost_stays_a_number);
	tcase_add_test(tests, a_node_has_so_many_sensors);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
