/* SPDX-License-Identifier: Apache-2.0 */

/*
 * grpc-echo: our gRPC server with methods of all kinds, for peers of other makes. Prints its port.
 * SIGTERM: calls that are there may end, then it ends; a second one does not wait.
 *
 * Unary and Talk answer with what they got; ClientStream with "messages bytes"; ServerStream is
 * asked with "messages bytes" and sends as many; Metadata answers with x-word and x-word-bin;
 * Fail ends with the code of x-status, the message as its text, and details; Silent never answers;
 * Counts says "open connections floods ok": calls, connections, floods, calls that ended well.
 */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/wire.h"
#include "net/grpc_server.h"
#include "tests/lib/certificates.h"

enum { MESSAGE_BYTES_MAX = 4 * 1024 * 1024, ANSWER_BYTES = 256, RETRY_MS = 1, SMALL_BYTES = 1000 };

struct call {
	struct grpc_call *call;
	struct loop_timer *retry; /* the peer did not read fast enough */
	char *held;               /* Talk: an answer that found no room */
	size_t held_size;
	uint64_t n, bytes; /* came, or are still to go */
	bool is_end_due;
};

static struct loop *loop;
static struct grpc_server *server;
static struct loop_timer *stopping;
static unsigned n_open;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "grpc-echo: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	exit(EXIT_FAILURE);
}

static void finish(struct grpc_call *call)
{
	const struct grpc_status good = {.code = GRPC_OK};
	grpc_call_finish(call, &good);
}

/* false: there is no room now. A call that is over takes everything. */
static bool send(struct grpc_call *call, struct text message)
{
	struct err err;
	return grpc_call_send(call, message, &err) == 0 || err.kind != ERR_LIMIT;
}

/* ---- a call's life ---- */

static void send_row(struct call *row)
{
	static char zeros[MESSAGE_BYTES_MAX];
	size_t size = row->bytes < sizeof zeros ? row->bytes : sizeof zeros;
	while (row->n && send(row->call, (struct text){zeros, size}))
		row->n--;
	if (row->n)
		loop_timer_start(row->retry, RETRY_MS);
	else
		finish(row->call);
}

static void send_held(struct call *talk)
{
	if (!send(talk->call, (struct text){talk->held, talk->held_size})) {
		loop_timer_start(talk->retry, RETRY_MS);
		return;
	}
	free(talk->held);
	talk->held = NULL;
	if (talk->is_end_due)
		finish(talk->call);
	else
		grpc_call_resume(talk->call);
}

static void on_retry(void *ctx)
{
	struct call *call = ctx;
	if (call->held)
		send_held(call);
	else
		send_row(call);
}

static void open_call(struct grpc_call *call, void *ctx)
{
	struct call *mine = calloc(1, sizeof *mine);
	(void)ctx;
	if (!mine || !(mine->retry = loop_timer_new(loop, on_retry, mine)))
		die("out of memory", NULL);
	mine->call = call;
	n_open++;
	grpc_call_set_owner(call, mine);
}

static void close_call(struct grpc_call *call, void *ctx)
{
	struct call *mine = grpc_call_owner(call);
	(void)ctx;
	loop_timer_free(mine->retry);
	free(mine->held);
	free(mine);
	n_open--;
}

/* ---- methods ---- */

static void unary(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	(void)ctx;
	send(call, (struct text){data, size}); /* the first always finds room */
	free(data);
	finish(call);
}

static void talk(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	struct call *mine = grpc_call_owner(call);
	(void)ctx;
	if (send(call, (struct text){data, size})) {
		free(data);
		return;
	}
	mine->held = data;
	mine->held_size = size;
	grpc_call_pause(call);
	loop_timer_start(mine->retry, RETRY_MS);
}

static void end_talk(struct grpc_call *call, void *ctx)
{
	struct call *mine = grpc_call_owner(call);
	(void)ctx;
	if (mine->held)
		mine->is_end_due = true;
	else
		finish(call);
}

static void take(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	struct call *mine = grpc_call_owner(call);
	(void)ctx;
	mine->n++;
	mine->bytes += size;
	free(data);
}

static void tell_taken(struct grpc_call *call, void *ctx)
{
	const struct call *mine = grpc_call_owner(call);
	char text[ANSWER_BYTES];
	(void)ctx;
	size_t size = text_format(text, sizeof text, "%llu %llu", (unsigned long long)mine->n,
		(unsigned long long)mine->bytes);
	send(call, (struct text){text, size});
	finish(call);
}

static void server_stream(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	struct call *mine = grpc_call_owner(call);
	struct text rest = {data, size}, part;
	(void)ctx;
	if (text_split(&rest, ' ', &part) && text_to_u64(part, &mine->n) &&
		text_to_u64(rest, &mine->bytes))
		send_row(mine);
	else
		finish(call);
	free(data);
}

static void tell_metadata(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	struct buf answer;
	(void)size;
	(void)ctx;
	free(data);
	buf_init(&answer, MESSAGE_BYTES_MAX);
	buf_add(&answer, grpc_call_metadata(call, "x-word"));
	buf_add(&answer, grpc_call_metadata(call, "x-word-bin"));
	buf_add(&answer, grpc_call_subject(call));
	send(call, buf_text(&answer));
	buf_done(&answer);
	finish(call);
}

static void fail(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	uint64_t code = GRPC_UNKNOWN;
	struct buf details, any;
	(void)ctx;
	ignore(text_to_u64(grpc_call_metadata(call, "x-status"), &code));
	buf_init(&details, MESSAGE_BYTES_MAX);
	buf_init(&any, ANSWER_BYTES);
	wire_add_bytes(&any, 1, TEXT("type.googleapis.com/google.protobuf.StringValue"));
	wire_add_bytes(&any, 2, TEXT("\x0a\x03why"));
	wire_add_varint(&details, 1, code);
	wire_add_bytes(&details, 2, (struct text){data, size});
	wire_add_member(&details, 3, buf_text(&any));
	const struct grpc_status status = {(enum grpc_code)code, {data, size}, buf_text(&details)};
	grpc_call_finish(call, &status);
	buf_done(&any);
	buf_done(&details);
	free(data);
}

static void tell_counts(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	char text[ANSWER_BYTES];
	(void)size;
	(void)ctx;
	free(data);
	size_t n = text_format(text, sizeof text, "%u %zu %llu %llu", n_open - 1,
		grpc_server_connections(server),
		(unsigned long long)grpc_server_count(server, GRPC_FLOODS),
		(unsigned long long)grpc_server_ended(server, GRPC_OK));
	send(call, (struct text){text, n});
	finish(call);
}

static const struct grpc_method methods[] = {
	{"/test.Echo/Unary", MESSAGE_BYTES_MAX, false, open_call, unary, NULL, close_call, NULL},
	{"/test.Echo/Small", SMALL_BYTES, false, open_call, unary, NULL, close_call, NULL},
	{"/test.Echo/Talk", MESSAGE_BYTES_MAX, true, open_call, talk, end_talk, close_call, NULL},
	{"/test.Echo/ClientStream", MESSAGE_BYTES_MAX, true, open_call, take, tell_taken,
		close_call, NULL},
	{"/test.Echo/ServerStream", MESSAGE_BYTES_MAX, false, open_call, server_stream, NULL,
		close_call, NULL},
	{"/test.Echo/Metadata", MESSAGE_BYTES_MAX, false, open_call, tell_metadata, NULL,
		close_call, NULL},
	{"/test.Echo/Fail", MESSAGE_BYTES_MAX, false, open_call, fail, NULL, close_call, NULL},
	{"/test.Echo/Silent", MESSAGE_BYTES_MAX, true, open_call, take, NULL, close_call, NULL},
	{"/test.Echo/Counts", MESSAGE_BYTES_MAX, false, open_call, tell_counts, NULL, close_call,
		NULL},
	{.path = NULL},
};

/* ---- the program ---- */

static void stop_when_empty(void *ctx)
{
	(void)ctx;
	if (grpc_server_connections(server) == 0)
		loop_stop(loop);
	else
		loop_timer_start(stopping, RETRY_MS);
}

static void on_term(void *ctx)
{
	static bool is_second;
	(void)ctx;
	if (is_second)
		loop_stop(loop);
	is_second = true;
	grpc_server_quiesce(server);
	stop_when_empty(NULL);
}

static uint64_t number(const char *word)
{
	uint64_t value;
	if (!text_to_u64(text_of(word), &value))
		die("not a number", word);
	return value;
}

static void read_options(int argc, char **argv, struct grpc_server_options *options,
	struct tls_server_options *tls, struct grpc_limits *limits)
{
	static const struct option names[] = {{"port", 1, NULL, 'p'}, {"unix", 1, NULL, 'u'},
		{"certificate", 1, NULL, 'c'}, {"key", 1, NULL, 'k'}, {"client-ca", 1, NULL, 'a'},
		{"handshake-ms", 1, NULL, 'h'}, {"idle-ms", 1, NULL, 'i'},
		{"make-certificates", 1, NULL, 'm'}, {NULL, 0, NULL, 0}};
	static struct certificate_files files;
	int name;
	while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (name == 'p')
			options->port = (unsigned)number(optarg);
		else if (name == 'u')
			options->unix_path = optarg;
		else if (name == 'c')
			tls->certificate = optarg;
		else if (name == 'k')
			tls->key = optarg;
		else if (name == 'a')
			tls->client_ca = optarg;
		else if (name == 'h')
			limits->handshake_after_ms = (int64_t)number(optarg);
		else if (name == 'i')
			limits->idle_after_ms = (int64_t)number(optarg);
		else if (name == 'm')
			certificates_make(&files, optarg, "echo", "caller"), exit(EXIT_SUCCESS);
		else
			die("usage: grpc-echo [--port N | --unix PATH] [--certificate FILE --key "
			    "FILE [--client-ca FILE]] [--handshake-ms N] [--idle-ms N], or "
			    "grpc-echo --make-certificates FOLDER",
				NULL);
	}
}

int main(int argc, char **argv)
{
	static const struct grpc_method *tables[] = {methods, NULL, NULL};
	struct grpc_limits limits = grpc_limits_usual;
	struct tls_server_options tls = {0};
	struct grpc_server_options options = {.address = "127.0.0.1",
		.limits = &limits,
		.clock = &clock_system,
		.methods = tables};
	struct grpc_health *health = grpc_health_new();
	struct err err;
	read_options(argc, argv, &options, &tls, &limits);
	if (!health)
		die("out of memory", NULL);
	tables[1] = grpc_health_methods(health);
	grpc_health_set(health, true);
	if ((tls.certificate && tls_server_new(&options.tls, &tls, &err) < 0) ||
		loop_new(&loop, &err) < 0 || grpc_server_start(&server, loop, &options, &err) < 0 ||
		loop_signal(loop, SIGTERM, on_term, NULL, &err) < 0)
		die("starting", err.text);
	stopping = loop_timer_new(loop, stop_when_empty, NULL);
	if (!stopping)
		die("out of memory", NULL);
	printf("%u\n", grpc_server_port(server));
	fflush(stdout);
	if (loop_run(loop, &err) < 0)
		die("running", err.text);
	grpc_server_stop(server);
	grpc_health_free(health);
	loop_timer_free(stopping);
	loop_free(loop);
	tls_server_free(options.tls);
	return n_open ? EXIT_FAILURE : EXIT_SUCCESS;
}
