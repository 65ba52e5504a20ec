/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who waits for whom on the way to the writer, which is the test: it takes what it likes, when it
 * likes. Batches are bodies of one size; nobody decodes them.
 */

#include <check.h>
#include <stdlib.h>

#include "base/table.h"
#include "intake/delivery.h"
#include "intake/limits.h"

enum {
	QUEUE_BYTES = 8 * 1024 * 1024,
	LITTLE_BYTES = QUEUE_BYTES / HOLD_LITTLE_PART / 2,
	MUCH_BYTES = QUEUE_BYTES / 16,
	SENDERS = 10,
};

static struct loop *loop;
static struct clock_manual manual;
static struct status status;
static struct queue *writer;
static struct snapshot_slot *credentials;
static struct intake *intake;
static size_t n_finished, n_left;

static void setup(void)
{
	struct err err = {0};
	clock_manual_init(&manual, INT64_C(1700000000) * NS_PER_S);
	status = (struct status){0};
	n_finished = n_left = 0;
	writer = queue_new(QUEUE_BYTES);
	credentials = snapshot_slot_new();
	ck_assert_int_eq(loop_new(&loop, &err), 0);
	struct intake_options options = {.loop = loop,
		.writer = writer,
		.credentials = credentials,
		.status = &status,
		.clock = &manual.clock};
	ck_assert_int_eq(intake_new(&intake, &options, &err), 0);
}

static void finish(struct delivery *delivery, unsigned result)
{
	ck_assert_uint_eq(result, 200);
	n_finished++;
	delivery_done(delivery);
	free(delivery);
}

static void drop(struct delivery *delivery)
{
	delivery_done(delivery);
	free(delivery);
}

static void left_hold(struct delivery *delivery)
{
	(void)delivery;
	n_left++;
}

/* Something of @size bytes, by the credential, from the address. */
static struct delivery *delivery_of(uint64_t credential_id, const char *address, size_t size)
{
	const struct credential credential = {.id = credential_id, .cluster = TEXT("prod")};
	struct delivery *delivery = calloc(1, sizeof *delivery);
	ck_assert_ptr_nonnull(delivery);
	*delivery = (struct delivery){.intake = intake,
		.push_back = PUSH_BACK_HOLD,
		.finish = finish,
		.drop = drop,
		.left_hold = left_hold};
	ck_assert(delivery_begin(delivery, &credential, SOURCE_FALCO, text_of(address)));
	delivery->body = malloc(size);
	delivery->body_size = size;
	return delivery;
}

static enum hold_result submit(uint64_t credential_id, const char *address, size_t size)
{
	return hold_submit(delivery_of(credential_id, address, size));
}

/* The next that the writer gets; NULL: nothing. Given back by give_back. */
static struct delivery *taken(void)
{
	struct queue_item *item = queue_take(writer, 1, 0);
	return item ? ((struct batch *)(void *)item)->owner : NULL;
}

static void give_back(struct delivery *delivery)
{
	hold_release(delivery);
	delivery_finish(delivery, 200);
	hold_retry(intake);
}

static void serve_all(void)
{
	struct delivery *delivery;
	while ((delivery = taken()))
		give_back(delivery);
}

static void teardown(void)
{
	serve_all();
	ck_assert_uint_eq(intake_waiting(intake), 0);
	intake_free(intake);
	loop_free(loop);
	queue_free(writer);
	snapshot_slot_free(credentials);
}

/* Sends much until it is held; -> how many batches the queue has of it. */
static unsigned fill(uint64_t credential_id, const char *address)
{
	unsigned n = 0;
	while (submit(credential_id, address, MUCH_BYTES) == HOLD_SENT)
		ck_assert_uint_lt(n++, 16);
	return n;
}

START_TEST(who_sends_little_waits_for_nobody)
{
	ck_assert_uint_ge(fill(1, "192.0.2.1"), 6); /* half of the queue */
	ck_assert_int_eq(submit(1, "192.0.2.3", MUCH_BYTES), HOLD_HELD);
	struct delivery *quiet = delivery_of(1, "192.0.2.2", LITTLE_BYTES);
	ck_assert_int_eq(hold_submit(quiet), HOLD_SENT); /* of the same credential */
	struct delivery *first = taken();
	ck_assert_ptr_eq(first, quiet);
	give_back(first);
	serve_all();
	ck_assert_uint_eq(n_left, 2);
}
END_TEST

START_TEST(a_quarter_is_kept_for_those_who_send_little)
{
	char address[32];
	fill(1, "192.0.2.1");
	fill(2, "192.0.2.1");
	ck_assert_int_eq(submit(3, "192.0.2.1", MUCH_BYTES), HOLD_HELD);
	ck_assert_uint_le(queue_weight(writer), QUEUE_BYTES - QUEUE_BYTES / HOLD_KEPT_PART);
	unsigned n = 0;
	for (;; n++) {
		text_format(address, sizeof address, "198.51.100.%u", n);
		if (submit(1, address, LITTLE_BYTES) != HOLD_SENT)
			break;
	}
	ck_assert_uint_ge(n, QUEUE_BYTES / HOLD_KEPT_PART / (LITTLE_BYTES + 4096));
	ck_assert_uint_le(queue_weight(writer), QUEUE_BYTES);
	ck_assert_uint_eq(atomic_load(&status.n_held), 4);
	size_t n_before = n_finished;
	serve_all();
	ck_assert_uint_gt(n_finished - n_before, n);
	ck_assert_uint_eq(atomic_load(&status.n_held), 0);
}
END_TEST

START_TEST(much_in_little_pieces_is_not_little)
{
	unsigned n = 0;
	fill(1, "192.0.2.1");
	while (submit(1, "192.0.2.2", LITTLE_BYTES / 2) == HOLD_SENT)
		ck_assert_uint_lt(n++, 8);
	ck_assert_uint_ge(n, 1);
}
END_TEST

START_TEST(a_lane_keeps_its_order)
{
	fill(1, "192.0.2.1");
	fill(2, "192.0.2.1");
	struct delivery *much = delivery_of(3, "192.0.2.2", MUCH_BYTES);
	struct delivery *little = delivery_of(3, "192.0.2.2", LITTLE_BYTES);
	ck_assert_int_eq(hold_submit(much), HOLD_HELD);
	ck_assert_int_eq(hold_submit(little), HOLD_HELD); /* though there is room for it */
	bool has_much_come = false;
	struct delivery *delivery;
	while ((delivery = taken())) {
		ck_assert(delivery != little || has_much_come);
		has_much_come = has_much_come || delivery == much;
		give_back(delivery);
	}
	ck_assert(has_much_come);
}
END_TEST

/* Ten that send without an end, of one credential: each gets its turn. */
START_TEST(greedy_ones_take_turns)
{
	char addresses[SENDERS][32];
	unsigned n_served[SENDERS] = {0};
	struct delivery *last[SENDERS];
	for (unsigned i = 0; i < SENDERS; i++)
		text_format(addresses[i], sizeof addresses[i], "192.0.2.%u", i);
	fill(1, addresses[0]);
	for (unsigned i = 0; i < SENDERS; i++)
		hold_submit(last[i] = delivery_of(1, addresses[i], MUCH_BYTES));
	for (unsigned round = 0; round < 20 * SENDERS; round++) {
		struct delivery *delivery = taken();
		ck_assert_ptr_nonnull(delivery);
		unsigned i = 0;
		while (i < SENDERS && delivery != last[i])
			i++;
		give_back(delivery);
		if (i == SENDERS)
			continue; /* of what filled the queue */
		n_served[i]++;
		hold_submit(last[i] = delivery_of(1, addresses[i], MUCH_BYTES));
	}
	for (unsigned i = 1; i < SENDERS; i++) {
		ck_assert_uint_ge(n_served[i] + 1, n_served[0]);
		ck_assert_uint_le(n_served[i], n_served[0] + 3);
	}
}
END_TEST

START_TEST(lanes_go_with_their_senders)
{
	fill(1, "192.0.2.1");
	submit(1, "192.0.2.2", LITTLE_BYTES);
	ck_assert_uint_eq(table_count(intake->lanes), 2);
	serve_all();
	ck_assert_uint_eq(table_count(intake->lanes), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hold");
	TCase *tests = tcase_create("hold");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, who_sends_little_waits_for_nobody);
	tcase_add_test(tests, a_quarter_is_kept_for_those_who_send_little);
	tcase_add_test(tests, much_in_little_pieces_is_not_little);
	tcase_add_test(tests, a_lane_keeps_its_order);
	tcase_add_test(tests, greedy_ones_take_turns);
	tcase_add_test(tests, lanes_go_with_their_senders);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
