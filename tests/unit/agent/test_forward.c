/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/forward.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "intake_fields.h"
#include "tests/unit/agent/keeper_rig.h"

/* A real keeper with a real spool; the collector is this test: it stands in for net's client. */

enum { SENT_MAX = 4096, GUARD_MS = 20000, LOOK_MS = 1, WINDOW_BYTES = 4 * 1024 * 1024 };

enum kind { HELLO, BATCH, REPORT };

struct sent {
	enum kind kind;
	uint64_t number;   /* HELLO: next; BATCH: first */
	uint64_t released; /* HELLO */
	uint64_t n_records;
	size_t size;
};

struct grpc_channel {
	struct grpc_channel_options options;
	bool is_up;
};

struct grpc_exchange {
	struct grpc_exchange_options options;
};

static struct keeper_rig rig;
static struct agent_coverage *coverage;
static struct loop *loop;
static struct loop_timer *guard, *looker;
static struct forward *forward;
static struct err err;

/* what the client was told */
static struct grpc_channel *channel;
static struct grpc_exchange *exchange;
static unsigned n_channels, n_connects;
static bool is_half_closed, is_cancelled, is_full;
static struct sent sent[SENT_MAX];
static unsigned n_sent;

int grpc_channel_new(struct grpc_channel **out, struct loop *unused,
	const struct grpc_channel_options *options, struct err *why)
{
	(void)unused, (void)why;
	channel = calloc(1, sizeof *channel);
	ck_assert_ptr_nonnull(channel);
	channel->options = *options;
	n_channels++;
	*out = channel;
	return 0;
}

static void forget_exchange(void)
{
	free(exchange);
	exchange = NULL;
}

void grpc_channel_free(struct grpc_channel *old)
{
	forget_exchange();
	if (old == channel)
		channel = NULL;
	free(old);
}

void grpc_channel_connect(struct grpc_channel *which)
{
	ck_assert_ptr_eq(which, channel);
	ck_assert(!channel->is_up);
	n_connects++;
}

bool grpc_channel_is_up(const struct grpc_channel *which)
{
	return which->is_up;
}

int grpc_exchange_new(struct grpc_exchange **out, struct grpc_channel *which,
	const struct grpc_exchange_options *options, struct err *why)
{
	(void)why;
	ck_assert(which->is_up && !exchange);
	exchange = calloc(1, sizeof *exchange);
	ck_assert_ptr_nonnull(exchange);
	exchange->options = *options;
	is_half_closed = is_cancelled = false;
	n_sent = 0;
	*out = exchange;
	return 0;
}

static struct text member(struct text message, unsigned field)
{
	struct wire reader = wire_of(message);
	while (wire_next(&reader))
		if (reader.field == field)
			return reader.bytes;
	return TEXT_NONE;
}

static void note(struct text message, struct sent *out)
{
	struct text hello = member(message, INTAKE_PUSH_REQUEST_HELLO);
	struct text batch = member(message, INTAKE_PUSH_REQUEST_BATCH);
	struct wire reader = wire_of(hello.size ? hello : batch);
	*out = (struct sent){.kind = hello.size ? HELLO : batch.size ? BATCH : REPORT};
	out->size = message.size;
	while (wire_next(&reader)) {
		bool is_number = reader.field == (hello.size ? (unsigned)INTAKE_HELLO_NEXT
							     : (unsigned)INTAKE_BATCH_FIRST);
		if (is_number && reader.type == WIRE_VARINT)
			out->number = reader.number;
		else if (hello.size && reader.field == INTAKE_HELLO_RELEASED)
			out->released = reader.number;
		else if (!hello.size && reader.field == INTAKE_BATCH_RECORDS)
			out->n_records++;
	}
}

int grpc_exchange_send(struct grpc_exchange *which, struct text message, struct err *why)
{
	ck_assert_ptr_eq(which, exchange);
	ck_assert_uint_lt(n_sent, SENT_MAX);
	if (is_full)
		return err_set(why, ERR_LIMIT, "too much waits");
	note(message, &sent[n_sent++]);
	return 0;
}

void grpc_exchange_close_send(struct grpc_exchange *which)
{
	ck_assert_ptr_eq(which, exchange);
	is_half_closed = true;
}

void grpc_exchange_cancel(struct grpc_exchange *which)
{
	ck_assert_ptr_eq(which, exchange);
	is_cancelled = true;
}

/* ---- what the collector does ---- */

static void come_up(void)
{
	channel->is_up = true;
	channel->options.up(channel->options.ctx);
}

static void answer(uint64_t number)
{
	struct buf out;
	buf_init(&out, 64);
	wire_add_varint(&out, INTAKE_PUSH_RESPONSE_ACKNOWLEDGED, number);
	exchange->options.message(exchange, buf_text(&out), exchange->options.ctx);
	buf_done(&out);
}

static void end_stream(enum grpc_code code)
{
	const struct grpc_status status = {.code = code, .message = TEXT("so it is")};
	struct grpc_exchange *old = exchange;
	exchange = NULL;
	old->options.finished(old, &status, old->options.ctx);
	free(old);
}

static void lose(void)
{
	const struct err gone = {.kind = ERR_IO, .text = "gone"};
	channel->is_up = false;
	if (exchange)
		end_stream(GRPC_UNAVAILABLE);
	channel->options.lost(&gone, channel->options.ctx);
}

/* ---- conditions ---- */

static bool (*condition)(void);

static void look(void *ctx)
{
	(void)ctx;
	if (condition())
		loop_stop(loop);
	else
		loop_timer_start(looker, LOOK_MS);
}

static void give_up(void *ctx)
{
	(void)ctx;
	ck_abort_msg("waited in vain; %u messages were sent", n_sent);
}

static void wait_until(bool (*what)(void))
{
	condition = what;
	loop_timer_start(guard, GUARD_MS);
	loop_timer_start(looker, 0);
	ck_assert_int_eq(loop_run(loop, &err), 0);
}

static bool asks_to_connect(void)
{
	return n_connects > 0;
}

static bool has_said_hello(void)
{
	return exchange && n_sent > 0;
}

static bool is_closing(void)
{
	return is_half_closed;
}

static unsigned n_turns;

/* The loop has seen all that was ready. */
static bool has_turned(void)
{
	return n_turns++ >= 2;
}

static bool is_given_up(void)
{
	return is_cancelled;
}

static uint64_t wanted_records;

static uint64_t records_sent(void)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < n_sent; i++)
		n += sent[i].kind == BATCH ? sent[i].n_records : 0;
	return n;
}

static bool are_sent(void)
{
	return exchange && records_sent() >= wanted_records;
}

static bool is_reported(void)
{
	for (unsigned i = 0; i < n_sent; i++)
		if (sent[i].kind == REPORT)
			return true;
	return false;
}

static bool is_reply_due(void)
{
	return forward_status(forward).n_acknowledged >= wanted_records;
}

/* A batch of records is there; the first of them. */
static const struct sent *wait_records(uint64_t n)
{
	wanted_records = n;
	wait_until(are_sent);
	for (unsigned i = 0; i < n_sent; i++)
		if (sent[i].kind == BATCH)
			return &sent[i];
	return NULL;
}

static void connect(void)
{
	wait_until(asks_to_connect);
	n_connects = 0;
	come_up();
	wait_until(has_said_hello);
}

static void setup(void)
{
	keeper_rig_init(&rig);
	coverage = agent_coverage_new(&clock_system);
	ck_assert_int_eq(loop_new(&loop, &err), 0);
	guard = loop_timer_new(loop, give_up, NULL);
	looker = loop_timer_new(loop, look, NULL);
	n_channels = n_connects = n_sent = 0;
	is_full = false;
	const struct forward_options options = {
		.loop = loop,
		.keeper = rig.keeper,
		.coverage = coverage,
		.clock = &clock_system,
		.spool = spool_id(rig.spool.spool),
		.node = "node-1",
		.version = "1",
		.token_file = "",
		.channel = {.host = "collector", .port = 1},
	};
	ck_assert_int_eq(forward_new(&forward, &options, &err), 0);
}

static void teardown(void)
{
	keeper_stop(rig.keeper);
	rig.keeper = NULL;
	forward_free(forward);
	loop_timer_free(guard);
	loop_timer_free(looker);
	loop_free(loop);
	agent_coverage_free(coverage);
	keeper_rig_done(&rig);
}

START_TEST(says_hello_and_sends_from_the_answer_on)
{
	keeper_rig_store(&rig, 5);
	connect();
	ck_assert_int_eq(sent[0].kind, HELLO);
	ck_assert_uint_eq(sent[0].number, 1);
	ck_assert(!forward_status(forward).is_connected);
	answer(2); /* it has these */
	ck_assert_uint_eq(wait_records(3)->number, 3);
	ck_assert(forward_status(forward).is_connected);
	wait_until(is_reported);
	answer(5);
	ck_assert_uint_eq(forward_status(forward).n_acknowledged, 3);
	ck_assert_uint_eq(sent[0].released, 0);
	n_sent = 0;
	end_stream(GRPC_UNAVAILABLE);
	wait_until(has_said_hello); /* what was acknowledged is known without a word of it */
	ck_assert_uint_eq(sent[0].number, 6);
	ck_assert_uint_eq(sent[0].released, 5);
}
END_TEST

START_TEST(what_comes_later_is_sent_when_it_is_told)
{
	connect();
	answer(0);
	wait_until(is_reported);
	keeper_rig_store(&rig, 2);
	forward_wake(forward);
	ck_assert_uint_eq(wait_records(2)->number, 1);
	keeper_rig_store(&rig, 1);
	forward_wake(forward);
	wait_records(3);
	ck_assert_uint_eq(sent[n_sent - 1].number, 3);
}
END_TEST

/* Its answer, that there was nothing, comes later than the word that there is something. */
START_TEST(what_comes_behind_a_read_is_not_forgotten)
{
	connect();
	answer(0);
	wait_until(is_reported);
	forward_wake(forward);
	keeper_rig_store(&rig, 1);
	forward_wake(forward);
	ck_assert_uint_eq(wait_records(1)->number, 1);
}
END_TEST

START_TEST(what_was_not_acknowledged_is_sent_again)
{
	keeper_rig_store(&rig, 4);
	connect();
	answer(0);
	wait_records(4);
	answer(1);
	end_stream(GRPC_UNAVAILABLE);
	ck_assert(!forward_status(forward).is_connected);
	wait_until(has_said_hello); /* over the connection that is there */
	ck_assert_uint_eq(n_channels, 1);
	ck_assert_uint_eq(sent[0].number, 2);
	answer(1);
	ck_assert_uint_eq(wait_records(3)->number, 2);
	answer(4);
	ck_assert_uint_eq(forward_status(forward).n_acknowledged, 4);
}
END_TEST

START_TEST(a_lost_connection_is_made_anew)
{
	keeper_rig_store(&rig, 2);
	connect();
	answer(0);
	wait_records(2);
	lose();
	n_connects = 0;
	connect();
	ck_assert_uint_eq(sent[0].number, 1);
	answer(2); /* they were stored, their answer was lost */
	wait_until(is_reported);
	ck_assert_uint_eq(records_sent(), 0);
}
END_TEST

/* The certificate may have been renewed: an old connection would never show it. */
START_TEST(after_a_refusal_it_comes_by_another_connection)
{
	connect();
	end_stream(GRPC_UNAUTHENTICATED);
	wait_until(asks_to_connect);
	ck_assert_uint_eq(n_channels, 2);
	n_connects = 0;
	come_up();
	wait_until(has_said_hello);
	end_stream(GRPC_PERMISSION_DENIED);
	wait_until(asks_to_connect);
	ck_assert_uint_eq(n_channels, 3);
}
END_TEST

/* The collector knows less than it once said: these numbers are gone, a stream ends before them. */
START_TEST(missing_numbers_are_passed_over_by_a_new_stream)
{
	keeper_rig_store(&rig, 5);
	work_free(keeper_rig_ask(&rig, WORK_ACKNOWLEDGE, 2));
	connect();
	ck_assert_uint_eq(sent[0].number, 3);
	answer(0);
	wait_until(is_closing);
	ck_assert_uint_eq(records_sent(), 0);
	end_stream(GRPC_OK);
	wait_until(has_said_hello);
	ck_assert_uint_eq(sent[0].number, 3);
	answer(2);
	ck_assert_uint_eq(wait_records(3)->number, 3);
}
END_TEST

START_TEST(what_flies_has_its_limit)
{
	enum { N = 60, EACH = 1000 };
	for (int i = 0; i < N; i++)
		keeper_rig_store(&rig, EACH);
	connect();
	answer(0);
	uint64_t n_before;
	do { /* until nothing more comes by itself */
		n_before = records_sent();
		wait_records(n_before ? n_before : 1);
		work_free(keeper_rig_ask(&rig, WORK_REPORT, 0));
	} while (records_sent() > n_before);
	size_t flying = 0;
	for (unsigned i = 0; i < n_sent; i++)
		flying += sent[i].kind == BATCH ? sent[i].size : 0;
	ck_assert_uint_le(flying, WINDOW_BYTES + PUSH_BATCH_BYTES + 65536);
	ck_assert_uint_lt(records_sent(), (uint64_t)N * EACH);
	end_stream(GRPC_UNAVAILABLE); /* what flew is not counted any more */
	wait_until(has_said_hello);
	answer(0);
	wait_records(1);
	while (records_sent() < (uint64_t)N * EACH) {
		uint64_t n = records_sent();
		answer(n);
		wait_records(n + 1);
	}
	answer((uint64_t)N * EACH);
	wanted_records = (uint64_t)N * EACH;
	wait_until(is_reply_due);
}
END_TEST

static unsigned n_reports(void)
{
	unsigned n = 0;
	for (unsigned i = 0; i < n_sent; i++)
		n += sent[i].kind == REPORT;
	return n;
}

static bool is_loss_told(void)
{
	const struct coverage *row = agent_coverage_report(coverage);
	return row && row->state == COVERAGE_DROPPING;
}

/* Sent is not stored: the stream may break before. */
START_TEST(a_loss_is_told_until_it_is_stored)
{
	agent_coverage_lost(coverage, SOURCE_FALCO, 1, 2, 3);
	keeper_rig_store(&rig, 1);
	connect();
	answer(0);
	wait_records(1);
	wait_until(is_reported);
	ck_assert(is_loss_told());
	ck_assert_uint_eq(n_reports(), 1);
	end_stream(GRPC_UNAVAILABLE);
	wait_until(has_said_hello);
	answer(1); /* nothing was behind the report: it is not known to be there */
	wait_until(is_reported);
	ck_assert(is_loss_told());
	keeper_rig_store(&rig, 1);
	forward_wake(forward);
	wait_records(1);
	answer(2);
	ck_assert(!is_loss_told());
}
END_TEST

/* A hello from a spool that cannot be read would let go of all that is in it. */
START_TEST(says_no_hello_while_the_spool_cannot_be_read)
{
	keeper_rig_store(&rig, 3);
	failing_disk.fail_reads = true;
	wait_until(asks_to_connect);
	come_up();
	work_free(
		keeper_rig_ask(&rig, WORK_ACKNOWLEDGE, 0)); /* what was asked before is answered */
	n_turns = 0;
	wait_until(has_turned);
	ck_assert_ptr_null(exchange);
	failing_disk.fail_reads = false;
	wait_until(has_said_hello);
	ck_assert_uint_eq(sent[0].number, 1);
	failing_disk.fail_reads = true; /* now the keeper cannot go to where the collector is */
	answer(0);
	wait_until(is_given_up);
	ck_assert(!forward_status(forward).is_connected);
	end_stream(GRPC_CANCELLED);
	failing_disk.fail_reads = false;
	wait_until(has_said_hello);
	ck_assert_uint_eq(sent[0].number, 1);
	answer(0);
	ck_assert_uint_eq(wait_records(3)->number, 1);
}
END_TEST

START_TEST(who_takes_nothing_is_cancelled)
{
	keeper_rig_store(&rig, 1);
	connect();
	is_full = true;
	answer(0);
	wait_until(is_given_up);
}
END_TEST

START_TEST(waits_twice_as_long_each_time_up_to_half_a_minute)
{
	int64_t back_off_ms = 500, before_ms;
	for (int i = 0; i < 10; i++) {
		before_ms = back_off_ms;
		int64_t least_ms = back_off_ms;
		int64_t wait_ms = forward_wait_ms(&least_ms, 0);
		ck_assert_int_eq(wait_ms, before_ms / 2);
		wait_ms = forward_wait_ms(&back_off_ms, (uint32_t)(before_ms / 2));
		ck_assert_int_eq(wait_ms, before_ms);
		ck_assert_int_eq(back_off_ms, before_ms * 2 < 30000 ? before_ms * 2 : 30000);
	}
	ck_assert_int_le(forward_wait_ms(&back_off_ms, UINT32_MAX), 30000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent/forward");
	TCase *tests = tcase_create("forward");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, says_hello_and_sends_from_the_answer_on);
	tcase_add_test(tests, what_comes_later_is_sent_when_it_is_told);
	tcase_add_test(tests, what_comes_behind_a_read_is_not_forgotten);
	tcase_add_test(tests, what_was_not_acknowledged_is_sent_again);
	tcase_add_test(tests, a_lost_connection_is_made_anew);
	tcase_add_test(tests, after_a_refusal_it_comes_by_another_connection);
	tcase_add_test(tests, missing_numbers_are_passed_over_by_a_new_stream);
	tcase_add_test(tests, what_flies_has_its_limit);
	tcase_add_test(tests, a_loss_is_told_until_it_is_stored);
	tcase_add_test(tests, says_no_hello_while_the_spool_cannot_be_read);
	tcase_add_test(tests, who_takes_nothing_is_cancelled);
	tcase_add_test(tests, waits_twice_as_long_each_time_up_to_half_a_minute);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
