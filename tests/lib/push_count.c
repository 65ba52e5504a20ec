/* SPDX-License-Identifier: Apache-2.0 */

/*
 * tocsin-push-count PORT: our gRPC server with the intake's methods, which count records and
 * acknowledge them, and nothing else: the front end alone, for benches.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/wire.h"
#include "net/grpc_server.h"

enum { MESSAGE_BYTES_MAX = 4 * 1024 * 1024, ANSWER_BYTES = 32, BATCH = 2, RECORDS = 2 };

static uint64_t count_records(struct text batch)
{
	uint64_t n = 0;
	struct wire reader = wire_of(batch);
	while (wire_next(&reader))
		n += reader.field == RECORDS;
	return n;
}

static void open_call(struct grpc_call *call, void *ctx)
{
	(void)ctx;
	grpc_call_set_owner(call, calloc(1, sizeof(uint64_t)));
}

static void close_call(struct grpc_call *call, void *ctx)
{
	(void)ctx;
	free(grpc_call_owner(call));
}

static void answer(struct grpc_call *call, uint64_t number)
{
	struct err err;
	struct buf out;
	buf_init(&out, ANSWER_BYTES);
	wire_add_varint(&out, 1, number);
	if (grpc_call_send(call, buf_text(&out), &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	buf_done(&out);
}

static void push(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	uint64_t *n = grpc_call_owner(call);
	struct wire reader = wire_of((struct text){data, size});
	(void)ctx;
	while (n && wire_next(&reader))
		if (reader.field == BATCH)
			*n += count_records(reader.bytes);
	if (n)
		answer(call, *n);
	free(data);
}

static void push_batch(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	const struct grpc_status good = {.code = GRPC_OK};
	(void)ctx;
	answer(call, count_records((struct text){data, size}));
	grpc_call_finish(call, &good);
	free(data);
}

int main(int argc, char **argv)
{
	static const struct grpc_method methods[] = {
		{"/tocsin.intake.v1.Intake/Push", MESSAGE_BYTES_MAX, true, open_call, push, NULL,
			close_call, NULL},
		{"/tocsin.intake.v1.Intake/PushBatch", MESSAGE_BYTES_MAX, false, open_call,
			push_batch, NULL, close_call, NULL},
		{.path = NULL},
	};
	static const struct grpc_method *const tables[] = {methods, NULL};
	struct err err;
	struct loop *loop;
	struct grpc_server *server;
	uint64_t port = 0;
	if (argc != 2 || !text_to_u64(text_of(argv[1]), &port)) {
		fprintf(stderr, "usage: tocsin-push-count PORT\n");
		return EXIT_FAILURE;
	}
	const struct grpc_server_options options = {.address = "127.0.0.1",
		.port = (unsigned)port,
		.clock = &clock_system,
		.methods = tables};
	if (loop_new(&loop, &err) < 0 || grpc_server_start(&server, loop, &options, &err) < 0 ||
		loop_run(loop, &err) < 0) {
		fprintf(stderr, "tocsin-push-count: %s\n", err.text);
		return EXIT_FAILURE;
	}
	return 0;
}
