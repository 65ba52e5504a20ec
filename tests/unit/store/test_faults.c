/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store's promise (design.md "Storage"): what was acknowledged is there after any one failing
 * call, after a kill and after a power cut; nothing is there twice. Every open, write, sync,
 * truncate and delete that a script of commits makes is failed in turn.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/checkpoint.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/store_rig.h"

/* Of all the calls, one in this many: which ones changes with the seed. TOCSIN_FAULTS=all: each. */
enum { STRIDE = 7, TRIES = 8 };

static struct store_rig rig;
static uint64_t seed;
static char template_path[128];

/* The plan of the case that runs, for messages. */
static struct fault_plan running;

static const char *const kind_names[] = {"none", "error", "full", "short", "kill", "power cut"};

static void setup(void)
{
	struct err err = {0};
	const char *given = getenv("TOCSIN_SEED");
	if (given)
		seed = strtoull(given, NULL, 10);
	else
		digest_random(&seed, 4);
	printf("# seed %llu\n", (unsigned long long)seed);
	store_rig_init(&rig, fault_vfs());
	fault_vfs_reset(seed);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	ck_assert_msg(store_rig_add(&rig, 0, 20, &err) == 0, "%s", err.text);
	store_rig_close(&rig);
	text_format(template_path, sizeof template_path, "%s/template.db", rig.folder);
	ck_assert_int_eq(rename(rig.path, template_path), 0);
	store_rig_clear(&rig);
}

static void teardown(void)
{
	unlink(template_path);
	store_rig_done(&rig);
	fault_vfs_reset(1);
}

/* A store with alerts 0–19 in it. */
static void begin(void)
{
	static char bytes[1024 * 1024];
	store_rig_clear(&rig);
	fault_vfs_reset(seed + running.at);
	FILE *from = fopen(template_path, "rb"), *to = fopen(rig.path, "wb");
	ck_assert(from && to);
	size_t n = fread(bytes, 1, sizeof bytes, from);
	ck_assert(n < sizeof bytes && fwrite(bytes, 1, n, to) == n);
	fclose(from);
	fclose(to);
	for (unsigned i = 0; i < 20; i++)
		rig.tried[i] = rig.acknowledged[i] = true;
}

/* The supervisor starts the program again, as often as it takes. */
static void start_again(void)
{
	struct err err = {0};
	store_rig_close(&rig);
	for (int i = 0; i < TRIES; i++)
		if (store_rig_open(&rig, &err) == 0)
			return;
	ck_abort_msg("%s at %llu: the store does not open again: %s", kind_names[running.kind],
		(unsigned long long)running.at, err.text);
}

/* What the writer does after a failed write. */
static void recover(const struct err *why)
{
	struct err err = *why;
	bool broken = err.kind == ERR_IO || err.kind == ERR_FULL || err.kind == ERR_BUSY;
	ck_assert_msg(broken, "%s at %llu: %s: %s", kind_names[running.kind],
		(unsigned long long)running.at, err_kind_name(err.kind), err.text);
	for (int i = 0; i < TRIES; i++) {
		if (store_rig_recover(&rig, &err) == 0)
			return;
		if (err.kind != ERR_FULL && err.kind != ERR_BUSY)
			break;
	}
	start_again();
}

/* A sender: sends again until it is told that it is stored. */
static void add(unsigned from, unsigned to)
{
	struct err err = {0};
	for (int i = 0; i < TRIES; i++) {
		if (store_rig_add(&rig, from, to, &err) == 0)
			return;
		recover(&err);
	}
	ck_abort_msg("%s at %llu: cannot be stored: %s", kind_names[running.kind],
		(unsigned long long)running.at, err.text);
}

/* The checkpoint thread's slice, on a connection of its own. What fails is tried again next time.
 */
static void checkpoint(void)
{
	struct err err;
	struct connection connection;
	if (connection_open(&connection, rig.path, CONNECTION_CHECKPOINT, rig.vfs, &err) < 0)
		return;
	ignore(checkpoint_run(&connection, false, &err)); /* the next slice does it */
	connection_close(&connection);
}

static void idle(void)
{
	struct err err;
	if (store_idle(rig.store, &err) < 0)
		recover(&err);
}

/* How a case ends. */
enum ending {
	ENDS_WHOLE,          /* the script runs to its end; the store is closed */
	ENDS_BY_POWER_CUT,   /* likewise, but the power goes before the store is closed */
	ENDS_AS_SOON_AS_TOLD /* the power goes when the sender was told what the fault delayed */
};

/* Commits of many sizes, with duplicates; checkpoints, idle time and a restart between them. */
static const struct step {
	unsigned from, to;
	void (*other)(void);
} script[] = {
	{.other = start_again},
	{.from = 20, .to = 21},
	{.from = 10, .to = 60},
	{.from = 60, .to = 90},
	{.other = checkpoint},
	{.from = 90, .to = 91},
	{.other = idle},
	{.from = 80, .to = 300},
	{.other = checkpoint},
	{.other = start_again},
	{.from = 300, .to = 310},
	{.from = 250, .to = 260}, /* duplicates only */
	{.from = 310, .to = 320},
};

static void run_script(enum ending ending)
{
	for (size_t i = 0; i < sizeof script / sizeof script[0]; i++) {
		if (script[i].other)
			script[i].other();
		else
			add(script[i].from, script[i].to);
		if (fault_vfs_happened() && ending == ENDS_AS_SOON_AS_TOLD)
			break;
	}
	if (ending != ENDS_WHOLE)
		fault_vfs_power_cut();
	store_rig_close(&rig);
	store_rig_check(&rig);
}

/* How many calls the script makes when nothing fails. */
static uint64_t count_calls(unsigned calls, enum ending ending)
{
	running = (struct fault_plan){.calls = calls};
	begin();
	fault_vfs_plan(&running);
	run_script(ending);
	ck_assert(!fault_vfs_happened());
	return fault_vfs_calls();
}

static void run_case(const struct fault_plan *plan, enum ending ending)
{
	running = *plan;
	begin();
	fault_vfs_plan(plan);
	run_script(ending);
	ck_assert_msg(
		fault_vfs_happened(), "call %llu was never made", (unsigned long long)plan->at);
}

static uint64_t step_of(unsigned calls)
{
	const char *all = getenv("TOCSIN_FAULTS");
	bool rare = !(calls & FAULT_ON_WRITE);
	return rare || (all && strcmp(all, "all") == 0) ? 1 : STRIDE;
}

/* Every call of these (or a part of them) fails once, as the plan says. */
static void fail_each(
	unsigned calls, enum fault_kind kind, enum fault_lost lost, enum ending ending)
{
	uint64_t n = count_calls(calls, ending), step = step_of(calls), n_cases = 0;
	for (uint64_t at = 1 + seed % step; at <= n; at += step, n_cases++) {
		struct fault_plan plan = {.calls = calls, .at = at, .kind = kind, .lost = lost};
		run_case(&plan, ending);
	}
	printf("# %s: %llu of %llu calls failed\n", kind_names[kind], (unsigned long long)n_cases,
		(unsigned long long)n);
	ck_assert_uint_gt(n_cases, 0);
}

START_TEST(writes_fail)
{
	fail_each(FAULT_ON_WRITE, FAULT_IO, FAULT_LOST_LATER, ENDS_BY_POWER_CUT);
}
END_TEST

START_TEST(writes_find_no_space)
{
	fail_each(FAULT_ON_WRITE, FAULT_FULL, FAULT_LOST_LATER, ENDS_WHOLE);
}
END_TEST

START_TEST(writes_are_cut_short)
{
	fail_each(FAULT_ON_WRITE, FAULT_SHORT, FAULT_LOST_LATER, ENDS_BY_POWER_CUT);
}
END_TEST

START_TEST(syncs_lose_at_once)
{
	fail_each(FAULT_ON_SYNC, FAULT_IO, FAULT_LOST_AT_ONCE, ENDS_WHOLE);
	fail_each(FAULT_ON_SYNC, FAULT_IO, FAULT_LOST_AT_ONCE, ENDS_AS_SOON_AS_TOLD);
}
END_TEST

START_TEST(syncs_lose_later)
{
	fail_each(FAULT_ON_SYNC, FAULT_IO, FAULT_LOST_LATER, ENDS_BY_POWER_CUT);
	fail_each(FAULT_ON_SYNC, FAULT_IO, FAULT_LOST_LATER, ENDS_AS_SOON_AS_TOLD);
}
END_TEST

/* As after a panic: nobody recovers; the next process finds pages that only the cache has. */
START_TEST(killed_after_a_failed_sync)
{
	struct fault_plan plan = {
		.calls = FAULT_ON_SYNC, .kind = FAULT_IO, .lost = FAULT_LOST_LATER, .killed = true};
	uint64_t n = count_calls(FAULT_ON_SYNC, ENDS_AS_SOON_AS_TOLD);
	for (plan.at = 1; plan.at <= n; plan.at++)
		run_case(&plan, ENDS_AS_SOON_AS_TOLD);
}
END_TEST

/* After each failed sync the power goes before each of the calls with which it is mended. */
START_TEST(the_power_goes_while_recovering)
{
	struct fault_plan plan = {
		.calls = FAULT_ON_SYNC, .kind = FAULT_IO, .lost = FAULT_LOST_LATER};
	uint64_t n = count_calls(FAULT_ON_SYNC, ENDS_AS_SOON_AS_TOLD), n_cases = 0;
	for (uint64_t i = 0; i < 2 * n; i++) {
		plan.at = i / 2 + 1;
		plan.more = i % 2; /* the sync with which it is mended fails too */
		plan.power_after = 1;
		do {
			run_case(&plan, ENDS_AS_SOON_AS_TOLD);
			n_cases++;
			plan.power_after += step_of(FAULT_ON_ALL);
		} while (fault_vfs_power_went());
	}
	printf("# %llu cases\n", (unsigned long long)n_cases);
}
END_TEST

START_TEST(opens_truncates_and_deletes_fail)
{
	unsigned calls = FAULT_ON_OPEN | FAULT_ON_TRUNCATE | FAULT_ON_DELETE;
	fail_each(calls, FAULT_IO, FAULT_LOST_LATER, ENDS_BY_POWER_CUT);
}
END_TEST

START_TEST(the_power_goes)
{
	fail_each(FAULT_ON_ALL, FAULT_POWER, FAULT_LOST_LATER, ENDS_BY_POWER_CUT);
}
END_TEST

/* Killed, and the power goes later: what a new process answers for must be on the disk. */
START_TEST(killed_then_the_power_goes)
{
	fail_each(FAULT_ON_ALL, FAULT_KILL, FAULT_LOST_LATER, ENDS_BY_POWER_CUT);
	fail_each(FAULT_ON_ALL, FAULT_KILL, FAULT_LOST_LATER, ENDS_AS_SOON_AS_TOLD);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("faults");
	TCase *tests = tcase_create("faults");
	tcase_add_unchecked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 600);
	tcase_add_test(tests, writes_fail);
	tcase_add_test(tests, writes_find_no_space);
	tcase_add_test(tests, writes_are_cut_short);
	tcase_add_test(tests, syncs_lose_at_once);
	tcase_add_test(tests, syncs_lose_later);
	tcase_add_test(tests, killed_after_a_failed_sync);
	tcase_add_test(tests, the_power_goes_while_recovering);
	tcase_add_test(tests, opens_truncates_and_deletes_fail);
	tcase_add_test(tests, the_power_goes);
	tcase_add_test(tests, killed_then_the_power_goes);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
