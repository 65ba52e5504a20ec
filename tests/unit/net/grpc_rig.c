/* SPDX-License-Identifier: Apache-2.0 */
#include "grpc_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { GUARD_MS = 10000, MESSAGE_BYTES_MAX = 4 * 1024 * 1024 };

struct rig rig;
const struct clock *rig_clock = &clock_system;

/* ---- the server ---- */

static void open_call(struct grpc_call *call, void *ctx)
{
	(void)ctx;
	struct text subject = grpc_call_subject(call);
	rig.seen.n_open++;
	rig.seen.call = call;
	text_format(rig.seen.subject, sizeof rig.seen.subject, "%.*s", TEXT_ARG(subject));
}

static void close_call(struct grpc_call *call, void *ctx)
{
	(void)ctx;
	rig.seen.n_closed++;
	if (rig.seen.call == call)
		rig.seen.call = NULL;
}

static void count(size_t size)
{
	rig.seen.n_messages++;
	rig.seen.n_bytes += size;
}

static void finish(struct grpc_call *call, enum grpc_code code, struct text message)
{
	const struct grpc_status status = {
		.code = code, .message = message, .details = code ? TEXT("\x08\x09") : TEXT_NONE};
	grpc_call_finish(call, &status);
}

/* The message again, and the value of "x-word" before it if there is one. */
static void echo(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	struct err err;
	struct buf answer;
	(void)ctx;
	count(size);
	buf_init(&answer, MESSAGE_BYTES_MAX + 1024);
	buf_add(&answer, grpc_call_metadata(call, "x-word"));
	buf_add(&answer, grpc_call_metadata(call, "x-word-bin"));
	buf_add(&answer, (struct text){data, size});
	free(data);
	ck_assert_msg(grpc_call_send(call, buf_text(&answer), &err) == 0, "%s", err.text);
	buf_done(&answer);
}

static void echo_once(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	echo(call, data, size, ctx);
	finish(call, GRPC_OK, TEXT_NONE);
}

static void end_echo(struct grpc_call *call, void *ctx)
{
	(void)ctx;
	rig.seen.n_half_closed++;
	finish(call, GRPC_OK, TEXT_NONE);
}

static void fail_once(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	(void)ctx;
	count(size);
	finish(call, GRPC_FAILED_PRECONDITION, (struct text){data, size});
	free(data);
}

static void keep_silent(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	(void)call;
	(void)ctx;
	count(size);
	free(data);
}

/* Takes everything, and pauses after so many. */
static void sink(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	keep_silent(call, data, size, ctx);
	if (rig.seen.n_messages == rig.seen.pause_after)
		grpc_call_pause(call);
}

static const struct grpc_method methods[] = {
	{"/t/Echo", MESSAGE_BYTES_MAX, false, open_call, echo_once, NULL, close_call, NULL},
	{"/t/Talk", MESSAGE_BYTES_MAX, true, open_call, echo, end_echo, close_call, NULL},
	{"/t/Fail", MESSAGE_BYTES_MAX, false, open_call, fail_once, NULL, close_call, NULL},
	{"/t/Silent", MESSAGE_BYTES_MAX, false, open_call, keep_silent, NULL, close_call, NULL},
	{"/t/Sink", MESSAGE_BYTES_MAX, true, open_call, sink, end_echo, close_call, NULL},
	{"/t/Small", 1000, false, open_call, echo_once, NULL, close_call, NULL},
	{.path = NULL},
};

/* ---- the loop ---- */

static void too_late(void *ctx)
{
	(void)ctx;
	ck_abort_msg("ten seconds, and it has not come");
}

static void look(void *ctx)
{
	(void)ctx;
	if (rig.is_reached())
		loop_stop(rig.loop);
	else
		loop_timer_start(rig.step, 1);
}

void rig_until(bool (*is_reached)(void))
{
	struct err err;
	rig.is_reached = is_reached;
	loop_timer_start(rig.guard, GUARD_MS);
	loop_timer_start(rig.step, 0);
	ck_assert_msg(loop_run(rig.loop, &err) == 0, "%s", err.text);
	loop_timer_stop(rig.guard);
}

bool rig_is_up(void)
{
	return rig.n_up > 0;
}

bool rig_is_lost(void)
{
	return rig.n_lost > 0;
}

bool rig_is_idle(void)
{
	return rig.seen.n_open == rig.seen.n_closed;
}

static void on_up(void *ctx)
{
	(void)ctx;
	rig.n_up++;
	if (rig.when_up)
		rig.when_up();
}

static void on_lost(const struct err *err, void *ctx)
{
	(void)ctx;
	rig.n_lost++;
	rig.lost = *err;
	if (rig.when_lost)
		rig.when_lost();
}

void rig_start(struct tls_server *tls, const struct grpc_limits *limits, const char *unix_path)
{
	struct err err;
	rig = (struct rig){0};
	ck_assert_int_eq(loop_new(&rig.loop, &err), 0);
	rig.guard = loop_timer_new(rig.loop, too_late, NULL);
	rig.step = loop_timer_new(rig.loop, look, NULL);
	rig.health = grpc_health_new();
	ck_assert(rig.guard && rig.step && rig.health);
	rig.methods[0] = methods;
	rig.methods[1] = grpc_health_methods(rig.health);
	struct grpc_server_options options = {.address = "127.0.0.1",
		.unix_path = unix_path,
		.tls = tls,
		.limits = limits,
		.clock = rig_clock,
		.methods = rig.methods};
	ck_assert_msg(
		grpc_server_start(&rig.server, rig.loop, &options, &err) == 0, "%s", err.text);
}

void rig_connect(struct grpc_channel_options options)
{
	struct err err;
	if (!options.host)
		options.host = "127.0.0.1";
	if (!options.port && rig.server)
		options.port = grpc_server_port(rig.server);
	options.clock = &clock_system;
	options.up = on_up;
	options.lost = on_lost;
	ck_assert_int_eq(grpc_channel_new(&rig.channel, rig.loop, &options, &err), 0);
	grpc_channel_connect(rig.channel);
}

void rig_stop(void)
{
	grpc_channel_free(rig.channel);
	grpc_server_stop(rig.server);
	grpc_health_free(rig.health);
	loop_timer_free(rig.guard);
	loop_timer_free(rig.step);
	loop_free(rig.loop);
}

/* ---- exchanges ---- */

static void on_message(struct grpc_exchange *exchange, struct text message, void *ctx)
{
	struct rig_exchange *seen = ctx;
	(void)exchange;
	seen->n_messages++;
	buf_clear(&seen->last);
	buf_add(&seen->last, message);
}

static void on_writable(struct grpc_exchange *exchange, void *ctx)
{
	struct rig_exchange *seen = ctx;
	(void)exchange;
	seen->n_writable++;
}

static void on_finished(struct grpc_exchange *exchange, const struct grpc_status *status, void *ctx)
{
	struct rig_exchange *seen = ctx;
	(void)exchange;
	ck_assert(!seen->is_finished);
	seen->is_finished = true;
	seen->exchange = NULL;
	seen->code = status->code;
	text_format(seen->message, sizeof seen->message, "%.*s", TEXT_ARG(status->message));
	text_format(seen->details, sizeof seen->details, "%.*s", TEXT_ARG(status->details));
}

void rig_call(struct rig_exchange *seen, const char *path, struct grpc_exchange_options options)
{
	struct err err;
	*seen = (struct rig_exchange){0};
	buf_init(&seen->last, 2 * MESSAGE_BYTES_MAX);
	options.path = path;
	options.message = on_message;
	options.writable = on_writable;
	options.finished = on_finished;
	options.ctx = seen;
	ck_assert_msg(grpc_exchange_new(&seen->exchange, rig.channel, &options, &err) == 0, "%s",
		err.text);
}

void rig_send(struct rig_exchange *seen, struct text message)
{
	struct err err;
	ck_assert_msg(grpc_exchange_send(seen->exchange, message, &err) == 0, "%s", err.text);
}

static struct rig_exchange *awaited;

static bool is_finished(void)
{
	return awaited->is_finished;
}

void rig_finish(struct rig_exchange *seen)
{
	awaited = seen;
	rig_until(is_finished);
}

void rig_unary(struct rig_exchange *seen, const char *path, struct text message,
	struct grpc_exchange_options options)
{
	rig_call(seen, path, options);
	rig_send(seen, message);
	grpc_exchange_close_send(seen->exchange);
	rig_finish(seen);
}

void rig_exchange_done(struct rig_exchange *seen)
{
	buf_done(&seen->last);
}
