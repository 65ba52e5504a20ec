/* SPDX-License-Identifier: Apache-2.0 */
#include "store/contents.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/store/retention_rig.h"

/* More than what was once thought too many to read for one id. */
enum { MANY = 12000, SMALL = 500 };

static struct rig rig;

static void setup(void)
{
	rig_start(&rig);
}

static void teardown(void)
{
	rig_stop(&rig);
}

static struct connection *connection(void)
{
	return store_connection(rig.store);
}

/* @n alerts of one pod within an hour, so of one incident. */
static void send(size_t n)
{
	struct sent *sent = calloc(n, sizeof *sent);
	for (size_t i = 0; i < n; i++)
		sent[i] = (struct sent){.time_ns = T0 + (int64_t)(i % 3600) * NS_PER_S,
			.uid = "u",
			.rule = i % 3 ? "Terminal shell" : "Read sensitive file"};
	batch_free(rig_send(&rig, sent, n));
	free(sent);
}

static int compare(const void *left, const void *right)
{
	return memcmp(left, right, OCCURRENCE_BYTES);
}

/* The definition: the key, then every occurrence id in hex, in order. */
static struct digest defined(void)
{
	struct err err;
	size_t n = 0, max = (size_t)rig_count(&rig, "SELECT count(*) FROM alert");
	unsigned char *occs = calloc(max + 1, OCCURRENCE_BYTES);
	sqlite3_stmt *statement = connection_statement(connection(), "SELECT occ FROM alert", &err);
	while (sql_step(statement, &err) > 0)
		memcpy(occs + OCCURRENCE_BYTES * n++, sql_blob(statement, 0).data,
			OCCURRENCE_BYTES);
	qsort(occs, n, OCCURRENCE_BYTES, compare);
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, TEXT("pod:c/u"));
	for (size_t i = 0; i < n; i++) {
		char hex[2 * OCCURRENCE_BYTES + 1];
		text_hex(hex, occs + OCCURRENCE_BYTES * i, OCCURRENCE_BYTES);
		digest_add_part(state, text_of(hex));
	}
	free(occs);
	return digest_end(state);
}

static bool equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* In slices of @rows at most, if that is not 0. */
static struct digest computed(size_t ids_max, int64_t rows, size_t *n_slices)
{
	struct err err;
	struct digest out;
	int more = 1;
	struct content_job *job = content_job_new(ids_max);
	ck_assert_int_eq(content_job_begin(job, connection(), 1, &err), 0);
	ck_assert_uint_eq(content_job_number(job), 1);
	for (*n_slices = 0; more > 0; ++*n_slices) {
		struct slice slice = slice_start(&rig.clock, 1000, rows);
		more = content_job_step(job, connection(), rows ? &slice : NULL, &out, &err);
		ck_assert_msg(more >= 0, "%s", err.text);
	}
	ck_assert_uint_eq(content_job_number(job), 0);
	content_job_free(job);
	return out;
}

/* Whatever fits into memory at once and however short the slices are. */
START_TEST(as_defined_with_any_memory_and_in_any_slices)
{
	static const size_t ids_max[] = {0, 1, 2, 7, SMALL - 1, SMALL, SMALL + 1};
	size_t n_slices;
	send(SMALL);
	struct digest want = defined();
	for (size_t i = 0; i < sizeof ids_max / sizeof ids_max[0]; i++) {
		struct digest whole = computed(ids_max[i], 0, &n_slices);
		ck_assert_msg(equal(&whole, &want), "%zu ids at once", ids_max[i]);
		ck_assert_uint_eq(n_slices, 1);
		struct digest sliced = computed(ids_max[i], 1, &n_slices);
		ck_assert_msg(equal(&sliced, &want), "%zu ids at once, sliced", ids_max[i]);
		ck_assert_uint_gt(n_slices, 2);
	}
}
END_TEST

static void expect_id(const struct digest *want, bool same)
{
	struct err err;
	char text[80], hex[33];
	char *document = rig_incident(&rig, 1, &err);
	ck_assert_msg(document, "%s", err.text);
	text_hex(hex, want->bytes, 16);
	text_format(text, sizeof text, "\"content_id\":\"%s\"", hex);
	ck_assert_msg((strstr(document, text) != NULL) == same, "%s", text);
	ck_assert_ptr_nonnull(strstr(document, "\"content_id\""));
	free(document);
}

START_TEST(a_large_incident_has_its_id_and_keeps_it_when_frozen)
{
	send(MANY);
	struct digest want = defined();
	expect_id(&want, true);
	expect_id(&want, true); /* from memory */
	rig.wall_ns = T0 + (HORIZON_DAYS + 2) * DAY_NS;
	rig_retain_all(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM alert"), 0);
	expect_id(&want, true);
}
END_TEST

START_TEST(another_revision_has_another_id)
{
	send(SMALL);
	struct digest before = defined();
	expect_id(&before, true);
	send(1);
	struct digest after = defined();
	expect_id(&before, false);
	expect_id(&after, true);
}
END_TEST

/* An edit came between two slices: what was read is of no use. */
START_TEST(what_changes_before_it_leaves_is_read_again)
{
	send(MANY);
	rig.tick_ms = 1;
	rig.wall_ns = T0 + (HORIZON_DAYS + 2) * DAY_NS;
	for (int i = 0; i < 3; i++)
		ck_assert(rig_retain(&rig));
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM frozen_incident"), 0);
	struct err err;
	ck_assert_int_eq(connection_run(connection(),
				 "UPDATE piece SET revision = revision + 1;"
				 "DELETE FROM alert WHERE leaf = 0; UPDATE piece SET n = n - 1",
				 &err),
		0);
	struct digest want = defined();
	rig_retain_all(&rig);
	expect_id(&want, true);
}
END_TEST

START_TEST(of_what_is_not_there_there_is_none)
{
	struct err err;
	struct content_job *job = content_job_new(0);
	ck_assert_int_eq(content_job_begin(job, connection(), 7, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MISSING);
	ck_assert_uint_eq(content_job_number(job), 0);
	content_job_free(job);
	content_job_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contents");
	TCase *tests = tcase_create("contents");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, as_defined_with_any_memory_and_in_any_slices);
	tcase_add_test(tests, a_large_incident_has_its_id_and_keeps_it_when_frozen);
	tcase_add_test(tests, another_revision_has_another_id);
	tcase_add_test(tests, what_changes_before_it_leaves_is_read_again);
	tcase_add_test(tests, of_what_is_not_there_there_is_none);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
