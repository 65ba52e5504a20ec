/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "console/event_client.h"
#include "model/alert.h"

enum { OUT_BYTES = 64 * 1024 };

static struct event_client client;
static int n_freed;

static void free_batch(struct snapshot *snapshot)
{
	struct event_batch *batch = (struct event_batch *)(void *)snapshot;
	arena_done(&batch->arena);
	free(batch);
	n_freed++;
}

static struct event_batch *batch_new(uint64_t change_seq, uint64_t n_leaves, size_t n)
{
	struct event_batch *batch = calloc(1, sizeof *batch);
	atomic_init(&batch->snapshot.n_refs, 1);
	batch->snapshot.free = free_batch;
	batch->to = (struct change_position){change_seq, n_leaves};
	batch->is_whole = true;
	arena_init(&batch->arena, SIZE_MAX);
	batch->items = arena_array(&batch->arena, n + 1, sizeof *batch->items);
	return batch;
}

static void add_incident(struct event_batch *batch, uint64_t seq)
{
	batch->items[batch->n++] = (struct event){.kind = EVENT_INCIDENT,
		.sequence = seq,
		.text = arena_format(&batch->arena, "incident %llu\n\n", (unsigned long long)seq)};
}

static void add_alert(struct event_batch *batch, uint64_t leaf, enum severity severity)
{
	struct alert *alert = arena_alloc(&batch->arena, sizeof *alert);
	alert->severity = severity;
	batch->items[batch->n++] = (struct event){.kind = EVENT_ALERT,
		.sequence = leaf,
		.text = arena_format(&batch->arena, "alert %llu\n\n", (unsigned long long)leaf),
		.alert = alert,
		.incident = leaf + 100};
}

static void give(struct event_batch *batch)
{
	ck_assert(event_client_add(&client, batch));
	event_batch_unref(batch);
}

/* All there is to send, @step bytes at a time. */
static void expect(const char *bytes, size_t step)
{
	static char out[OUT_BYTES];
	size_t used = 0;
	ssize_t n;
	while ((n = event_client_read(&client, out + used, step)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	ck_assert_str_eq(out, bytes);
}

static void setup(void)
{
	n_freed = 0;
	client = (struct event_client){.wants_incidents = true,
		.wants_alerts = true,
		.is_greeted = true,
		.state = EVENT_CLIENT_LIVE,
		.position = {10, 100}};
}

static void teardown(void)
{
	event_client_clear(&client);
}

static struct event_batch *some(void)
{
	struct event_batch *batch = batch_new(13, 103, 5);
	add_incident(batch, 11);
	add_incident(batch, 13);
	add_alert(batch, 100, SEVERITY_LOW);
	add_alert(batch, 102, SEVERITY_HIGH);
	return batch;
}

static const char all_of_some[] = "id: 11.100\nincident 11\n\nid: 13.100\nincident 13\n\n"
				  "id: 13.101\nalert 100\n\nid: 13.103\nalert 102\n\n";

START_TEST(ids_say_where_the_reader_is_after_each_event)
{
	give(some());
	expect(all_of_some, OUT_BYTES - 1);
	ck_assert_int_eq(n_freed, 1);
	ck_assert_uint_eq(client.position.change_seq, 13);
	ck_assert_uint_eq(client.position.n_leaves, 103);
}
END_TEST

START_TEST(sends_the_same_in_pieces_of_any_size)
{
	for (size_t step = 1; step < 40; step++) {
		setup();
		give(some());
		expect(all_of_some, step);
	}
}
END_TEST

/* A page may be newer than the broadcast that comes after it. */
START_TEST(tells_nothing_twice)
{
	client.position = (struct change_position){11, 102};
	give(some());
	expect("id: 13.102\nincident 13\n\nid: 13.103\nalert 102\n\n", 7);
	give(some());
	expect("", 7);
	client.position = (struct change_position){20, 200};
	give(some());
	expect("", 7);
	ck_assert_uint_eq(client.position.change_seq, 20);
	ck_assert_uint_eq(client.position.n_leaves, 200);
}
END_TEST

START_TEST(tells_only_what_is_wanted_and_moves_past_the_rest)
{
	client.wants_incidents = false;
	client.filter.severity_min = SEVERITY_HIGH;
	give(some());
	expect("id: 10.103\nalert 102\n\n", 7);
	ck_assert_uint_eq(client.position.change_seq, 13);
	setup();
	client.wants_alerts = false;
	give(some());
	expect("id: 11.100\nincident 11\n\nid: 13.100\nincident 13\n\n", 7);
	ck_assert_uint_eq(client.position.n_leaves, 103);
	setup();
	client.wants_incidents = false;
	client.incident = 200;
	give(some());
	expect("id: 10.101\nalert 100\n\n", 7);
}
END_TEST

START_TEST(a_reset_goes_back_to_where_the_store_is)
{
	struct event_batch *batch = batch_new(3, 4, 1);
	batch->items[batch->n++] = (struct event){.kind = EVENT_RESET, .text = TEXT("reset\n\n")};
	client.position = (struct change_position){UINT64_MAX, UINT64_MAX};
	give(batch);
	expect("id: 3.4\nreset\n\n", 7);
	ck_assert_uint_eq(client.position.n_leaves, 4);
}
END_TEST

START_TEST(greets_and_breaks_the_silence)
{
	client.is_greeted = false;
	expect("retry: 2000\n\n", 5);
	client.is_silent = true;
	expect(": nothing new\nid: 10.100\n\n", 5);
	expect("", 5);
	client.is_silent = true;
	client.state = EVENT_CLIENT_WAITS; /* its id would leave out what it has not got yet */
	expect("", 5);
}
END_TEST

START_TEST(takes_so_many_batches_and_no_more)
{
	for (unsigned i = 0; i < EVENT_BEHIND_BATCHES; i++)
		give(batch_new(10, 100, 0));
	struct event_batch *batch = batch_new(11, 100, 1);
	add_incident(batch, 11);
	ck_assert(!event_client_add(&client, batch));
	expect("", 5);
	ck_assert_int_eq(n_freed, EVENT_BEHIND_BATCHES);
	give(batch);
	expect("id: 11.100\nincident 11\n\n", 5);
}
END_TEST

static struct event_batch *heavy(size_t bytes)
{
	struct event_batch *batch = batch_new(10, 100, 0);
	batch->arena.used_bytes = bytes; /* what is accounted */
	return batch;
}

START_TEST(takes_so_many_bytes_and_no_more)
{
	struct event_batch *one = heavy(1), *other = heavy(1);
	give(heavy(EVENT_BEHIND_BYTES - 1));
	give(one);
	ck_assert(!event_client_add(&client, other));
	expect("", 5);
	ck_assert_uint_eq(client.waiting_bytes, 0);
	/* A batch that is larger than all that may wait is still told to who is not behind. */
	give(heavy(EVENT_BEHIND_BYTES + 1));
	event_batch_unref(other);
}
END_TEST

/* What is there for it and is not taken counts, however long it had waited for it. */
START_TEST(stalls_when_it_takes_nothing_of_what_there_is)
{
	const int64_t stall = EVENT_STALL_MS;
	ck_assert(event_client_look(&client, 1000));
	ck_assert(event_client_look(&client, 1000 + 10 * stall));
	int64_t came_ms = 1000 + 10 * stall;
	struct event_batch *batch = batch_new(11, 100, 1);
	add_incident(batch, 11);
	give(batch);
	if (_i == 1)
		client.state = EVENT_CLIENT_READS; /* it catches up */
	ck_assert(event_client_look(&client, came_ms + stall - 1));
	char byte;
	if (_i == 2) { /* one byte is progress */
		ck_assert_int_eq(event_client_read(&client, &byte, 1), 1);
		came_ms += stall - 1;
		ck_assert(event_client_look(&client, came_ms));
		ck_assert(event_client_look(&client, came_ms + stall - 1));
	}
	ck_assert(!event_client_look(&client, came_ms + stall));
}
END_TEST

START_TEST(stalls_when_it_takes_not_even_a_comment)
{
	ck_assert(event_client_look(&client, 1000));
	client.is_silent = true;
	ck_assert(event_client_look(&client, 2000));
	ck_assert(!event_client_look(&client, 1000 + EVENT_STALL_MS));
	expect(": nothing new\nid: 10.100\n\n", 5);
	ck_assert(event_client_look(&client, 2000 + EVENT_STALL_MS));
	/* Who waits for a page has nothing to take. */
	client.is_silent = true;
	client.state = EVENT_CLIENT_WAITS;
	ck_assert(event_client_look(&client, 2000 + 9 * EVENT_STALL_MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("console/event_client");
	TCase *tests = tcase_create("event_client");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, ids_say_where_the_reader_is_after_each_event);
	tcase_add_test(tests, sends_the_same_in_pieces_of_any_size);
	tcase_add_test(tests, tells_nothing_twice);
	tcase_add_test(tests, tells_only_what_is_wanted_and_moves_past_the_rest);
	tcase_add_test(tests, a_reset_goes_back_to_where_the_store_is);
	tcase_add_test(tests, greets_and_breaks_the_silence);
	tcase_add_test(tests, takes_so_many_batches_and_no_more);
	tcase_add_test(tests, takes_so_many_bytes_and_no_more);
	tcase_add_loop_test(tests, stalls_when_it_takes_nothing_of_what_there_is, 0, 3);
	tcase_add_test(tests, stalls_when_it_takes_not_even_a_comment);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
