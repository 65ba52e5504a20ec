/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store against a model that is a few arrays: random transactions with duplicates, rollbacks,
 * recoveries and restarts; after each the readers must say what the model says. TOCSIN_SEED repeats
 * a run.
 */

#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "store/alerts.h"
#include "tests/lib/random.h"
#include "tests/lib/store_rig.h"

enum { POOL = 400, BROKEN = 20, ROUNDS = 150, NOWHERE = -1 };

/* Which leaf has an alert, or something quarantined, of this number; NOWHERE: none. */
struct model {
	int64_t alerts[POOL], quarantined[BROKEN];
	int64_t n_leaves;
};

static struct store_rig rig;
static struct random dice;
static struct model model;

static void setup(void)
{
	struct err err = {0};
	dice = random_from_environment();
	store_rig_init(&rig, NULL);
	for (int i = 0; i < POOL; i++)
		model.alerts[i] = NOWHERE;
	for (int i = 0; i < BROKEN; i++)
		model.quarantined[i] = NOWHERE;
	model.n_leaves = 0;
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	store_rig_done(&rig);
}

/* What the model says becomes of it. */
static void expect(int64_t *place, enum alert_outcome fresh, const struct alert *alert)
{
	bool is_new = *place == NOWHERE;
	if (is_new)
		*place = model.n_leaves++;
	ck_assert_int_eq(alert->outcome, is_new ? fresh : OUTCOME_DUPLICATE);
	if (is_new || fresh == OUTCOME_ACCEPTED)
		ck_assert_int_eq((int64_t)alert->leaf, *place);
}

static void add_batch(void)
{
	struct err err = {0};
	struct batch *batch = store_rig_batch();
	int numbers[40];
	size_t n = 1 + random_below(&dice, 40), n_accepted = 0;
	for (size_t i = 0; i < n; i++) {
		bool broken = random_below(&dice, 10) == 0;
		numbers[i] = (int)random_below(&dice, broken ? BROKEN : POOL);
		if (broken)
			store_rig_quarantined(batch, (unsigned)numbers[i]);
		else
			store_rig_alert(batch, (unsigned)numbers[i]);
	}
	ck_assert_msg(store_add_batch(rig.store, batch, &err) == 0, "%s", err.text);
	size_t i = 0;
	for (const struct alert *alert = batch->first; alert; alert = alert->next, i++) {
		bool broken = alert->kind == LEAF_QUARANTINED;
		int64_t *places = broken ? model.quarantined : model.alerts;
		expect(&places[numbers[i]], broken ? OUTCOME_QUARANTINED : OUTCOME_ACCEPTED, alert);
		n_accepted += alert->outcome == OUTCOME_ACCEPTED;
		ck_assert(correlator_add(
				  rig.correlator, store_connection(rig.store), alert, &err) == 0);
	}
	ck_assert_uint_eq(batch->n_accepted, n_accepted);
	ck_assert_uint_eq(batch->n_accepted + batch->n_duplicate + batch->n_quarantined, n);
	batch_free(batch);
}

static void finish(void)
{
	struct err err = {0};
	int64_t now_ns = clock_wall_ns(&rig.clock.clock);
	int failed = correlator_finish(rig.correlator, store_connection(rig.store), now_ns, &err) ||
		     store_flush(rig.store, &err) || store_commit(rig.store, &err);
	ck_assert_msg(!failed, "%s", err.text);
}

static void transaction(void)
{
	struct err err = {0};
	struct model before = model;
	ck_assert_msg(store_begin(rig.store, &err) == 0, "%s", err.text);
	for (uint64_t n = 1 + random_below(&dice, 3); n > 0; n--)
		add_batch();
	if (random_below(&dice, 4)) {
		finish();
		return;
	}
	if (random_below(&dice, 2))
		ck_assert(store_flush(rig.store, &err) == 0);
	store_rollback(rig.store);
	correlator_forget(rig.correlator);
	model = before;
}

static void restart(void)
{
	struct err err = {0};
	store_rig_close(&rig);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
}

static void one_step(void)
{
	struct err err = {0};
	switch (random_below(&dice, 12)) {
	case 0:
		restart();
		break;
	case 1:
		ck_assert_msg(store_rig_recover(&rig, &err) == 0, "%s", err.text);
		break;
	case 2:
		ck_assert_msg(store_idle(rig.store, &err) >= 0, "%s", err.text);
		break;
	default:
		transaction();
		break;
	}
}

/* The number of an alert that the rig made. */
static int number_of(const struct alert *alert)
{
	return (int)(alert->time_ns / NS_PER_S - RIG_TIME_S);
}

static bool is_wanted(int number, const struct alert_filter *filter, struct text rule)
{
	char name[32];
	text_format(name, sizeof name, "rule %d", number % 5);
	return model.alerts[number] != NOWHERE &&
	       number % N_SEVERITIES >= (int)filter->severity_min &&
	       (!filter->rule.size || text_is(rule, name));
}

/* All pages of a list: every wanted alert once, by falling leaf. */
static void check_list(struct connection *connection)
{
	struct err err = {0};
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, SIZE_MAX);
	struct alert_filter filter = {
		.severity_min = (enum severity)random_below(&dice, N_SEVERITIES)};
	if (random_below(&dice, 2))
		filter.rule = arena_format(&arena, "rule %u", (unsigned)random_below(&dice, 6));
	int n_wanted = 0, n_found = 0;
	for (int i = 0; i < POOL; i++)
		n_wanted += is_wanted(i, &filter, filter.rule);
	struct alert_page page = {.limit = 1 + random_below(&dice, 60), .arena = &arena};
	int64_t below = INT64_MAX;
	do {
		page.before = page.next_before;
		ck_assert_msg(alerts_list(connection, &filter, &page, &err) == 0, "%s", err.text);
		for (const struct alert *alert = page.first; alert; alert = alert->next) {
			int number = number_of(alert);
			ck_assert(is_wanted(number, &filter, filter.rule));
			ck_assert_int_eq((int64_t)alert->leaf, model.alerts[number]);
			ck_assert_int_lt((int64_t)alert->leaf, below);
			below = (int64_t)alert->leaf;
			n_found++;
		}
	} while (page.next_before);
	ck_assert_int_eq(n_found, n_wanted);
}

/* One alert by its id and by its leaf. */
static void check_one(struct connection *connection, int number)
{
	struct err err = {0};
	AUTO(arena_done) struct arena arena;
	struct batch *batch = store_rig_batch();
	const struct alert *made = store_rig_alert(batch, (unsigned)number);
	struct alert read;
	uint64_t leaf;
	char hex[2 * OCCURRENCE_BYTES + 1];
	arena_init(&arena, SIZE_MAX);
	text_hex(hex, made->occ, OCCURRENCE_BYTES);
	int found = alert_find(connection, text_of(hex), &leaf, &err);
	if (model.alerts[number] == NOWHERE) {
		ck_assert_int_eq(found, -1);
		ck_assert_int_eq(err.kind, ERR_MISSING);
	} else {
		ck_assert_int_eq((int64_t)leaf, model.alerts[number]);
		ck_assert(alert_read(connection, leaf, &arena, &read, &err) == 0);
		ck_assert(text_equal(read.raw, made->raw) && text_equal(read.pod, made->pod));
		ck_assert(text_equal(read.rule, made->rule) && read.severity == made->severity);
	}
	batch_free(batch);
}

static void check(void)
{
	struct err err = {0};
	struct connection reader;
	ck_assert_msg(connection_open(&reader, rig.path, CONNECTION_READ, NULL, &err) == 0, "%s",
		err.text);
	ck_assert_int_eq((int64_t)store_leaves(rig.store), model.n_leaves);
	check_list(&reader);
	for (int i = 0; i < 10; i++)
		check_one(&reader, (int)random_below(&dice, POOL));
	connection_close(&reader);
}

START_TEST(the_store_is_its_model)
{
	for (int round = 0; round < ROUNDS; round++) {
		one_step();
		check();
	}
	for (int i = 0; i < POOL; i++)
		rig.tried[i] = rig.acknowledged[i] = model.alerts[i] != NOWHERE;
	store_rig_close(&rig);
	store_rig_check(&rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_model");
	TCase *tests = tcase_create("store_model");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_store_is_its_model);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
