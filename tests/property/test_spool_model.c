/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool against a list in memory: random additions, commits, acknowledgements, readings,
 * bounds, full disks, failed syncs, restarts, and deaths at any call that writes. What was
 * committed is read once, in order, word for word, or counted as shed; nothing else is read, but
 * for what was being committed when it died. What it says that was acknowledged was: exactly, and
 * after a death no more than that.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/random.h"
#include "tests/unit/agent/spool_rig.h"

enum { N_RUNS = 6, N_STEPS = 250, RECORDS_MAX = 40000, ROOM_BYTES = 3000 };

struct known {
	uint64_t seed;
	uint16_t size;
	uint8_t severity;
	bool is_added, is_committed;
};

static struct known known[RECORDS_MAX]; /* by their time of arrival */
static uint64_t last;                   /* the last of them */
static uint64_t acknowledged, highest;  /* numbers */
static uint64_t released, saved;        /* of the last record that was acknowledged; in the mark */
static bool may_be_low;                 /* it died: what was not in the mark need not be known */
static uint64_t gone[N_SEVERITIES];     /* acknowledged: alerts, and what was told of as shed */
static struct spool_rig rig;
static struct random random_;
static char room[ROOM_BYTES], wanted[ROOM_BYTES];
static struct err err;

static void add(void)
{
	uint64_t seed = random_next(&random_);
	size_t size = 1 + random_below(&random_, random_below(&random_, 8) ? 300 : ROOM_BYTES);
	enum severity severity = (enum severity)random_below(&random_, N_SEVERITIES);
	struct record record = spool_rig_record(seed, size, severity, room);
	record.received_ns = (int64_t)++last;
	ck_assert_uint_lt(last, RECORDS_MAX);
	ck_assert_int_eq(spool_add(rig.spool, &record, &err), 0);
	ck_assert_uint_gt(record.number, highest);
	highest = record.number;
	known[last] = (struct known){seed, (uint16_t)size, (uint8_t)severity, true, false};
}

static void committed(void)
{
	for (uint64_t i = 1; i <= last; i++)
		known[i].is_committed = known[i].is_added;
}

static void expect(const struct record *record)
{
	const struct known *one = &known[record->received_ns];
	ck_assert(one->is_added);
	spool_rig_record(one->seed, one->size, (enum severity)one->severity, wanted);
	ck_assert_int_eq(record->severity, one->severity);
	ck_assert(text_equal(record->raw, (struct text){wanted, one->size}));
}

static void count(uint64_t counts[N_SEVERITIES], const struct record *record)
{
	counts[record->severity] += record->kind == RECORD_SHED ? record->shed.n : 1;
}

/* All that is not acknowledged. What was committed and is not here, was shed: as many are told. */
static void read_all(bool after_death)
{
	struct record record;
	int64_t arrived = 0;
	uint64_t before = acknowledged, here[N_SEVERITIES] = {0}, all[N_SEVERITIES] = {0};
	spool_rewind(rig.spool, acknowledged);
	while (spool_next(rig.spool, &record)) {
		ck_assert_uint_gt(record.number, before);
		before = record.number;
		count(here, &record);
		if (record.kind == RECORD_SHED)
			continue;
		ck_assert_int_gt(record.received_ns, arrived);
		arrived = record.received_ns;
		ck_assert(known[arrived].is_committed || after_death);
		known[arrived].is_committed = true;
		expect(&record);
	}
	for (uint64_t i = 1; i <= last; i++)
		all[known[i].severity] += known[i].is_committed;
	for (unsigned i = 0; i < N_SEVERITIES; i++)
		ck_assert_uint_eq(all[i], here[i] + gone[i]);
	struct spool_loss loss;
	ck_assert(!spool_take_loss(rig.spool, &loss));
	struct spool_waiting waiting = spool_waiting(rig.spool);
	ck_assert_int_eq(waiting.n == 0, before == acknowledged);
	spool_rewind(rig.spool, acknowledged);
}

static void expect_released(void)
{
	ck_assert_uint_le(spool_released(rig.spool), released);
	ck_assert_uint_ge(spool_released(rig.spool), may_be_low ? saved : released);
}

static void acknowledge_some(void)
{
	struct record record;
	uint64_t n = random_below(&random_, 300);
	bool found = false;
	for (; n > 0 && spool_next(rig.spool, &record); n--) {
		found = true;
		count(gone, &record);
	}
	if (!found)
		return;
	acknowledged = released = record.number;
	spool_acknowledge(rig.spool, acknowledged);
	may_be_low = false;
	expect_released();
	if (random_below(&random_, 4) == 0) {
		spool_save(rig.spool);
		saved = released;
	}
}

/* As the collector answers a hello: numbers that do not come are nobody's. */
static void pass_over(void)
{
	struct record record;
	spool_rewind(rig.spool, acknowledged);
	if (!spool_next(rig.spool, &record))
		return;
	spool_back(rig.spool);
	acknowledged = record.number - 1;
	spool_acknowledge(rig.spool, acknowledged);
	expect_released();
}

static void restart(bool is_dead)
{
	spool_rig_close(&rig);
	failing_disk.dies_after = -1;
	spool_rig_open(&rig);
	for (uint64_t i = 1; i <= last; i++)
		known[i].is_added &= known[i].is_committed || is_dead;
	/* The mark may be older than what was acknowledged: the collector says it again. */
	ck_assert_uint_le(spool_acknowledged(rig.spool), acknowledged);
	may_be_low |= is_dead;
	expect_released();
	spool_acknowledge(rig.spool, acknowledged);
	expect_released();
	read_all(is_dead);
	for (uint64_t i = 1; i <= last; i++)
		known[i].is_added = known[i].is_committed;
	highest = acknowledged; /* numbers that nobody saw may be given again */
}

static void commit(void)
{
	int result = spool_commit(rig.spool, &err);
	if (result == 0)
		committed();
	else
		ck_assert(err.kind == ERR_FULL || err.kind == ERR_IO);
}

static void step(void)
{
	failing_disk.bytes_left =
		random_below(&random_, 12) ? SIZE_MAX : random_below(&random_, 4000);
	failing_disk.fail_syncs =
		random_below(&random_, 15) ? 0 : 1 + (unsigned)random_below(&random_, 3);
	rig.clock.wall_ns += (int64_t)random_below(&random_, 200) * NS_PER_S - 60 * NS_PER_S;
	for (uint64_t n = random_below(&random_, 60); n > 0; n--)
		add();
	commit();
	failing_disk.bytes_left = SIZE_MAX;
	failing_disk.fail_syncs = 0;
	ck_assert(!failing_disk.synced_again);
	switch (random_below(&random_, 12)) {
	case 0:
		acknowledge_some();
		break;
	case 1:
		commit();
		restart(false);
		break;
	case 2:
		read_all(false);
		break;
	case 3: /* it dies within the next calls */
		failing_disk.dies_after = (int64_t)random_below(&random_, 12);
		add();
		commit();
		ignore(spool_keep_bounds(rig.spool, &err)); /* may fail, as it is dying */
		restart(true);
		break;
	case 4:
		pass_over();
		break;
	default:
		if (spool_keep_bounds(rig.spool, &err) < 0)
			ck_abort_msg("spool_keep_bounds: %s", err.text);
		break;
	}
}

START_TEST(is_as_the_model)
{
	memset(known, 0, sizeof known);
	memset(gone, 0, sizeof gone);
	last = acknowledged = highest = released = saved = 0;
	may_be_low = false;
	spool_rig_init(&rig);
	rig.size_bytes = SPOOL_SIZE_BYTES_MIN / (1 + random_below(&random_, 4));
	spool_rig_open(&rig);
	for (unsigned i = 0; i < N_STEPS && last < RECORDS_MAX - 1000; i++)
		step();
	commit();
	restart(false);
	spool_rig_done(&rig);
}
END_TEST

int main(void)
{
	random_ = random_from_environment();
	Suite *suite = suite_create("spool model");
	TCase *tests = tcase_create("spool model");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, is_as_the_model, 0, N_RUNS);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
