/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/snapshot.h"

enum { N_VERSIONS = 20000 };

struct version {
	struct snapshot snapshot; /* first */
	unsigned number, again;
};

static _Atomic unsigned n_alive;
static struct snapshot_slot *slot;

static void version_free(struct snapshot *snapshot)
{
	struct version *version = (struct version *)(void *)snapshot;
	version->number = version->again + 1; /* whoever still reads it sees it */
	atomic_fetch_sub(&n_alive, 1);
	free(version);
}

static void publish(unsigned number)
{
	struct version *version = calloc(1, sizeof *version);
	*version =
		(struct version){.snapshot.free = version_free, .number = number, .again = number};
	atomic_fetch_add(&n_alive, 1);
	snapshot_publish(slot, &version->snapshot);
}

START_TEST(an_old_one_lives_as_long_as_it_is_read)
{
	slot = snapshot_slot_new();
	ck_assert_ptr_null(snapshot_ref(slot));
	snapshot_unref(NULL);
	publish(1);
	struct snapshot *first = snapshot_ref(slot), *same = snapshot_ref(slot);
	ck_assert_ptr_eq(first, same);
	publish(2);
	ck_assert_uint_eq(n_alive, 2);
	snapshot_unref(first);
	ck_assert_uint_eq(((struct version *)(void *)same)->number, 1);
	snapshot_unref(same);
	ck_assert_uint_eq(n_alive, 1);
	snapshot_slot_free(slot);
	ck_assert_uint_eq(n_alive, 0);
	snapshot_slot_free(NULL);
}
END_TEST

static void *read_versions(void *ctx)
{
	unsigned last = 0;
	(void)ctx;
	while (last < N_VERSIONS) {
		struct snapshot *snapshot = snapshot_ref(slot);
		const struct version *version = (const struct version *)(void *)snapshot;
		if (version->number != version->again || version->number < last)
			abort();
		last = version->number;
		snapshot_unref(snapshot);
	}
	return NULL;
}

START_TEST(readers_see_whole_versions_in_order)
{
	pthread_t readers[2];
	slot = snapshot_slot_new();
	publish(0);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, read_versions, NULL), 0);
	for (unsigned i = 1; i <= N_VERSIONS; i++)
		publish(i);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	ck_assert_uint_eq(n_alive, 1);
	snapshot_slot_free(slot);
	ck_assert_uint_eq(n_alive, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *tests = tcase_create("snapshot");
	tcase_add_test(tests, an_old_one_lives_as_long_as_it_is_read);
	tcase_add_test(tests, readers_see_whole_versions_in_order);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
