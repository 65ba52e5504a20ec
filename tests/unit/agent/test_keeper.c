/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper.h"

#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/wire.h"
#include "intake_fields.h"
#include "tests/unit/agent/keeper_rig.h"

static struct keeper_rig rig;

static void setup(void)
{
	keeper_rig_init(&rig);
}

static void teardown(void)
{
	keeper_rig_done(&rig);
}

/* Waits until the keeper says that nothing can be written, or that it can again. */
static void wait_stuck(bool wanted)
{
	for (int i = 0; i < 1000 && atomic_load(&rig.status.is_stuck) != wanted; i++)
		work_free(keeper_rig_ask(&rig, WORK_ACKNOWLEDGE, 0));
	ck_assert(atomic_load(&rig.status.is_stuck) == wanted);
}

/* Reads from that number on, as many as come at once. */
static uint64_t read_from(uint64_t number, bool *has_more)
{
	struct work *work = keeper_rig_ask(&rig, WORK_READ, number);
	struct wire reader = wire_of(buf_text(&work->records));
	uint64_t n = 0;
	while (wire_next(&reader))
		n += reader.field == INTAKE_BATCH_RECORDS;
	ck_assert_uint_eq(n, work->n_records);
	*has_more = work->has_more;
	work_free(work);
	return n;
}

START_TEST(what_comes_back_is_synced)
{
	unsigned before = failing_disk.n_syncs;
	keeper_rig_store(&rig, 3);
	ck_assert_uint_gt(failing_disk.n_syncs, before);
}
END_TEST

START_TEST(reads_in_order_and_says_when_there_is_no_more)
{
	bool has_more;
	keeper_rig_store(&rig, 3);
	ck_assert_uint_eq(read_from(1, &has_more), 3);
	ck_assert(!has_more);
	ck_assert_uint_eq(read_from(4, &has_more), 0);
	keeper_rig_store(&rig, 2);
	ck_assert_uint_eq(read_from(4, &has_more), 2);
}
END_TEST

START_TEST(a_batch_to_send_has_its_limit)
{
	bool has_more;
	keeper_rig_store(&rig, PUSH_BATCH_RECORDS + 1);
	ck_assert_uint_eq(read_from(1, &has_more), PUSH_BATCH_RECORDS);
	ck_assert(has_more);
	ck_assert_uint_eq(read_from(PUSH_BATCH_RECORDS + 1, &has_more), 1);
	ck_assert(!has_more);
}
END_TEST

START_TEST(what_is_not_acknowledged_is_read_again)
{
	bool has_more;
	keeper_rig_store(&rig, 5);
	ck_assert_uint_eq(read_from(1, &has_more), 5);
	struct work *work = keeper_rig_ask(&rig, WORK_REWIND, 2);
	ck_assert(work->has_more);
	ck_assert_uint_eq(work->next, 3);
	work_free(work);
	ck_assert_uint_eq(read_from(3, &has_more), 3);
}
END_TEST

START_TEST(what_is_acknowledged_does_not_wait)
{
	keeper_rig_store(&rig, 5);
	work_free(keeper_rig_ask(&rig, WORK_ACKNOWLEDGE, 4));
	struct work *work = keeper_rig_ask(&rig, WORK_REPORT, 0);
	ck_assert_uint_eq(work->waiting.n, 1);
	ck_assert_uint_eq(work->loss.n, 0);
	work_free(work);
	work = keeper_rig_ask(&rig, WORK_REWIND, 0); /* the collector knew less: it is gone */
	ck_assert_uint_eq(work->next, 5);
	work_free(work);
}
END_TEST

/* Another number than that which would be read: a stream of its own passes over the gap. */
START_TEST(a_gap_in_the_numbers_is_not_read_over)
{
	keeper_rig_store(&rig, 5);
	work_free(keeper_rig_ask(&rig, WORK_ACKNOWLEDGE, 2));
	work_free(keeper_rig_ask(&rig, WORK_REWIND, 2));
	struct work *work = keeper_rig_ask(&rig, WORK_READ, 1);
	ck_assert_uint_eq(work->n_records, 0);
	ck_assert(work->has_more);
	ck_assert_uint_eq(work->next, 3);
	work_free(work);
}
END_TEST

/* Else the collector would be told that nothing is there, and all let go of. */
START_TEST(what_cannot_be_read_is_not_nothing)
{
	bool has_more;
	keeper_rig_store(&rig, 3);
	failing_disk.fail_reads = true;
	struct work *work = keeper_rig_ask(&rig, WORK_REWIND, 0);
	ck_assert(!work->has_more);
	ck_assert_int_eq(work->err.kind, ERR_IO);
	work_free(work);
	work = keeper_rig_ask(&rig, WORK_READ, 1);
	ck_assert_uint_eq(work->n_records, 0);
	ck_assert_int_eq(work->err.kind, ERR_IO);
	work_free(work);
	failing_disk.fail_reads = false;
	work = keeper_rig_ask(&rig, WORK_REWIND, 0);
	ck_assert(work->has_more);
	ck_assert_uint_eq(work->next, 1);
	ck_assert_int_eq(work->err.kind, ERR_NONE);
	work_free(work);
	ck_assert_uint_eq(read_from(1, &has_more), 3);
}
END_TEST

static void expect_stored(struct work *wanted)
{
	ck_assert_ptr_eq(keeper_rig_reply(&rig), wanted);
	ck_assert_int_eq(wanted->batch->err.kind, ERR_NONE);
	work_free(wanted);
}

START_TEST(a_full_disk_holds_what_is_to_be_stored_and_nothing_else)
{
	bool has_more;
	keeper_rig_store(&rig, 2);
	failing_disk.bytes_left = 0;
	struct work *first = keeper_rig_alerts(&rig, 1), *second = keeper_rig_alerts(&rig, 1);
	keeper_do(rig.keeper, first);
	wait_stuck(true);
	keeper_do(rig.keeper, second);
	ck_assert_uint_eq(read_from(1, &has_more), 2);
	work_free(keeper_rig_ask(&rig, WORK_ACKNOWLEDGE, 1));
	failing_disk.bytes_left = SIZE_MAX;
	expect_stored(first);
	expect_stored(second);
	wait_stuck(false);
	ck_assert_uint_eq(read_from(3, &has_more), 2);
}
END_TEST

START_TEST(what_is_unwanted_does_not_wait_for_the_disk)
{
	bool has_more;
	failing_disk.bytes_left = 0;
	struct work *first = keeper_rig_alerts(&rig, 1), *unwanted = keeper_rig_alerts(&rig, 1),
		    *second = keeper_rig_alerts(&rig, 1);
	keeper_do(rig.keeper, first);
	wait_stuck(true);
	keeper_do(rig.keeper, unwanted);
	keeper_do(rig.keeper, second);
	atomic_store(&first->is_unwanted, true); /* too late: it is in the spool */
	atomic_store(&unwanted->is_unwanted, true);
	ck_assert_ptr_eq(keeper_rig_reply(&rig), unwanted);
	ck_assert_int_eq(unwanted->batch->err.kind, ERR_FULL);
	failing_disk.bytes_left = SIZE_MAX;
	expect_stored(first);
	expect_stored(second);
	work_free(unwanted);
	ck_assert_uint_eq(read_from(1, &has_more), 2);
}
END_TEST

/* More than the spool takes between two commits: what is too much waits, and is not refused. */
START_TEST(what_the_spool_cannot_take_at_once_is_held)
{
	enum {
		LARGE_BYTES = 8 * 1024 * 1024 - 4096,
		N = SPOOL_PENDING_BYTES_MAX / LARGE_BYTES + 2
	};
	struct work *works[N];
	AUTO(free) char *raw = calloc(1, LARGE_BYTES);
	ck_assert_ptr_nonnull(raw);
	failing_disk.bytes_left = 0;
	for (unsigned i = 0; i < N; i++) {
		works[i] = keeper_rig_alerts(&rig, i ? 2 : 1);
		if (i) /* the small one goes in before the large one, and not again */
			works[i]->batch->first->next->raw = (struct text){raw, LARGE_BYTES};
		keeper_do(rig.keeper, works[i]);
		if (i == 0)
			wait_stuck(true);
	}
	failing_disk.bytes_left = SIZE_MAX;
	for (unsigned i = 0; i < N; i++) {
		struct work *work = keeper_rig_reply(&rig);
		while (!work)
			work = keeper_rig_reply(&rig);
		ck_assert_ptr_eq(work, works[i]);
		ck_assert_msg(work->batch->err.kind == ERR_NONE, "%s", work->batch->err.text);
		work_free(work);
	}
	struct work *report = keeper_rig_ask(&rig, WORK_REPORT, 0);
	ck_assert_uint_eq(report->waiting.n, 2 * N - 1); /* and none twice */
	work_free(report);
}
END_TEST

/* Complete until then: until the oldest that is not with the collector, wherever it waits. */
START_TEST(what_waits_for_the_disk_is_reported)
{
	const int64_t began_ns = rig.spool.clock.wall_ns;
	failing_disk.bytes_left = 0;
	struct work *works[2];
	for (unsigned i = 0; i < 2; i++) {
		works[i] = keeper_rig_alerts(&rig, i + 1);
		keeper_do(rig.keeper, works[i]);
		wait_stuck(true);
		rig.spool.clock.wall_ns += NS_PER_S;
		struct work *report = keeper_rig_ask(&rig, WORK_REPORT, 0);
		ck_assert_uint_eq(report->waiting.n, i ? 3 : 1);
		ck_assert_uint_gt(report->waiting.n_bytes, 0);
		ck_assert_int_eq(report->waiting.oldest_ns, began_ns);
		work_free(report);
	}
	failing_disk.bytes_left = SIZE_MAX;
	for (int i = 0; i < 2; i++) {
		ck_assert_ptr_eq(keeper_rig_reply(&rig), works[i]);
		work_free(works[i]);
	}
	work_free(keeper_rig_ask(&rig, WORK_ACKNOWLEDGE, 1));
	struct work *report = keeper_rig_ask(&rig, WORK_REPORT, 0);
	ck_assert_uint_eq(report->waiting.n, 2);
	ck_assert_int_eq(report->waiting.oldest_ns, began_ns + NS_PER_S);
	work_free(report);
}
END_TEST

/* What comes while the keeper looks is not before that time. */
START_TEST(without_what_waits_all_is_there_until_it_was_asked)
{
	const int64_t asked_ns = rig.spool.clock.wall_ns;
	struct work *report = work_new(WORK_REPORT);
	ck_assert_ptr_nonnull(report);
	report->reply = rig.reply;
	keeper_do(rig.keeper, report);
	rig.spool.clock.wall_ns += NS_PER_S;
	ck_assert_ptr_eq(keeper_rig_reply(&rig), report);
	ck_assert_uint_eq(report->waiting.n, 0);
	ck_assert_int_eq(report->waiting.oldest_ns, asked_ns);
	work_free(report);
}
END_TEST

/* A clock that was ahead is put right: nothing is complete until a time that has not come, nor
 * until now, if something of before waits. */
START_TEST(a_clock_that_was_ahead_claims_nothing)
{
	const int64_t now_ns = rig.spool.clock.wall_ns;
	rig.spool.clock.wall_ns = now_ns + 3600 * NS_PER_S;
	keeper_rig_store(&rig, 1);
	rig.spool.clock.wall_ns = now_ns;
	struct work *report = keeper_rig_ask(&rig, WORK_REPORT, 0);
	ck_assert_uint_eq(report->waiting.n, 1);
	ck_assert_int_eq(report->waiting.oldest_ns, now_ns);
	work_free(report);
	keeper_rig_store(&rig, 1);
	rig.spool.clock.wall_ns = now_ns + 7200 * NS_PER_S;
	report = keeper_rig_ask(&rig, WORK_REPORT, 0);
	ck_assert_uint_eq(report->waiting.n, 2);
	ck_assert_int_eq(report->waiting.oldest_ns, now_ns);
	work_free(report);
}
END_TEST

START_TEST(a_sync_that_failed_answers_nobody)
{
	bool has_more;
	failing_disk.fail_syncs = 1;
	struct work *work = keeper_rig_alerts(&rig, 2);
	keeper_do(rig.keeper, work);
	ck_assert_ptr_eq(keeper_rig_reply(&rig), work); /* written anew, to another file */
	ck_assert_int_eq(work->batch->err.kind, ERR_NONE);
	work_free(work);
	ck_assert(!failing_disk.synced_again);
	ck_assert_uint_eq(read_from(1, &has_more), 2);
}
END_TEST

START_TEST(at_its_end_what_was_not_stored_says_so)
{
	failing_disk.bytes_left = 0;
	struct work *added = keeper_rig_alerts(&rig, 1), *later = keeper_rig_alerts(&rig, 1);
	keeper_do(rig.keeper, added);
	wait_stuck(true);
	keeper_do(rig.keeper, later);
	keeper_stop(rig.keeper);
	rig.keeper = NULL;
	struct work *works[] = {keeper_rig_reply(&rig), keeper_rig_reply(&rig)};
	for (int i = 0; i < 2; i++) {
		ck_assert_ptr_eq(works[i], i ? later : added);
		ck_assert_int_eq(works[i]->batch->err.kind, ERR_FULL);
		work_free(works[i]);
	}
}
END_TEST

START_TEST(at_its_end_it_stores_what_waits)
{
	struct work *work = keeper_rig_alerts(&rig, 4);
	keeper_do(rig.keeper, work);
	keeper_stop(rig.keeper);
	rig.keeper = NULL;
	ck_assert_ptr_eq(keeper_rig_reply(&rig), work);
	ck_assert_int_eq(work->batch->err.kind, ERR_NONE);
	work_free(work);
	spool_rig_reopen(&rig.spool);
	ck_assert_uint_eq(spool_waiting(rig.spool.spool).n, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent/keeper");
	TCase *tests = tcase_create("keeper");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_comes_back_is_synced);
	tcase_add_test(tests, reads_in_order_and_says_when_there_is_no_more);
	tcase_add_test(tests, a_batch_to_send_has_its_limit);
	tcase_add_test(tests, what_is_not_acknowledged_is_read_again);
	tcase_add_test(tests, what_is_acknowledged_does_not_wait);
	tcase_add_test(tests, a_gap_in_the_numbers_is_not_read_over);
	tcase_add_test(tests, what_cannot_be_read_is_not_nothing);
	tcase_add_test(tests, a_full_disk_holds_what_is_to_be_stored_and_nothing_else);
	tcase_add_test(tests, what_is_unwanted_does_not_wait_for_the_disk);
	tcase_add_test(tests, what_the_spool_cannot_take_at_once_is_held);
	tcase_add_test(tests, what_waits_for_the_disk_is_reported);
	tcase_add_test(tests, without_what_waits_all_is_there_until_it_was_asked);
	tcase_add_test(tests, a_clock_that_was_ahead_claims_nothing);
	tcase_add_test(tests, a_sync_that_failed_answers_nobody);
	tcase_add_test(tests, at_its_end_what_was_not_stored_says_so);
	tcase_add_test(tests, at_its_end_it_stores_what_waits);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
