/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/senders.h"

#include <check.h>
#include <stdlib.h>

#include "intake/limits.h"
#include "intake/throttle.h"

static struct sender_entry *get(struct senders *senders, unsigned i, bool is_stranger)
{
	char address[32];
	size_t size = text_format(address, sizeof address, "10.0.%u.%u", i / 256, i % 256);
	return senders_get(senders, (struct text){address, size}, SOURCE_FALCO, is_stranger);
}

START_TEST(keeps_one_entry_for_address_and_source)
{
	struct senders *senders = senders_new();
	struct sender_entry *entry = get(senders, 1, false);
	ck_assert_ptr_nonnull(entry);
	ck_assert_ptr_eq(get(senders, 1, true), entry);
	ck_assert_ptr_ne(get(senders, 2, true), entry);
	ck_assert_ptr_ne(senders_get(senders, TEXT("10.0.0.1"), SOURCE_TOCSIN, false), entry);
	entry->sender.n_refused = 7;
	struct sender_set *set = senders_copy(senders);
	senders_free(senders);
	ck_assert_uint_eq(set->n, 3);
	ck_assert(text_is(set->items[0].address, "10.0.0.1")); /* the copy is its own */
	ck_assert_uint_eq(set->items[0].n_refused, 7);
	atomic_store(&set->snapshot.n_refs, 1);
	snapshot_unref(&set->snapshot);
}
END_TEST

START_TEST(strangers_fill_half_at_most)
{
	struct senders *senders = senders_new();
	unsigned i = 0;
	while (i < SENDERS_MAX && get(senders, i, true))
		i++;
	ck_assert_uint_eq(i, SENDERS_MAX / 2);
	while (i < SENDERS_MAX + 1 && get(senders, i, false))
		i++;
	ck_assert_uint_eq(i, SENDERS_MAX);
	struct sender_set *set = senders_copy(senders);
	ck_assert_uint_eq(set->n, SENDERS_MAX);
	ck_assert_uint_eq(set->n_overflow, 2);
	atomic_store(&set->snapshot.n_refs, 1);
	snapshot_unref(&set->snapshot);
	senders_free(senders);
}
END_TEST

START_TEST(throttle_counts_per_address_and_minute)
{
	struct clock_manual manual;
	clock_manual_init(&manual, 0);
	struct throttle *throttle = throttle_new(&manual.clock);
	for (int i = 0; i < FAILURES_MAX; i++)
		ck_assert(!throttle_failed(throttle, TEXT("192.0.2.1")));
	for (int i = 0; i < 5000; i++)
		ck_assert(throttle_failed(throttle, TEXT("192.0.2.1")));
	ck_assert(!throttle_failed(throttle, TEXT("192.0.2.2")));
	atomic_store(&manual.monotonic_ms, FAILURES_WINDOW_MS);
	ck_assert(!throttle_failed(throttle, TEXT("192.0.2.1")));
	throttle_free(throttle);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("intake/senders");
	TCase *tests = tcase_create("senders");
	tcase_add_test(tests, keeps_one_entry_for_address_and_source);
	tcase_add_test(tests, strangers_fill_half_at_most);
	tcase_add_test(tests, throttle_counts_per_address_and_minute);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
