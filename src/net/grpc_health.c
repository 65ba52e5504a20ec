/* SPDX-License-Identifier: Apache-2.0 */

/*
 * grpc.health.v1.Health (schema/proto/grpc/health/v1/health.proto): one state for all services.
 *
 * Nobody logs in for it, and a watcher stays as long as it likes: so there are few of them. Check
 * is for everybody.
 */

#include <stdlib.h>

#include "base/wire.h"
#include "net/grpc_call.h"

enum {
	REQUEST_BYTES_MAX = 1024,
	ANSWER_BYTES = 16,
	SERVING = 1,
	NOT_SERVING = 2,
	STATUS_FIELD = 1,
	WATCHERS_MAX = 1000,
	WATCHERS_OF_PEER = 500,
	WATCHERS_OF_CONNECTION = 4,
};

struct watcher {
	struct watcher *next, *previous;
	struct grpc_call *call;
};

struct grpc_health {
	bool is_serving;
	struct watcher *watchers;
	struct grpc_method methods[3];
};

static void tell(const struct grpc_health *health, struct grpc_call *call)
{
	struct err err;
	struct buf answer;
	buf_init(&answer, ANSWER_BYTES);
	wire_add_varint(&answer, STATUS_FIELD, health->is_serving ? SERVING : NOT_SERVING);
	if (grpc_call_send(call, buf_text(&answer), &err) < 0) {
		const struct grpc_status status = {
			.code = GRPC_RESOURCE_EXHAUSTED, .message = text_of(err.text)};
		grpc_call_finish(call, &status);
	}
	buf_done(&answer);
}

static void check_open(struct grpc_call *call, void *ctx)
{
	(void)call;
	(void)ctx;
}

static void check_message(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	const struct grpc_status good = {.code = GRPC_OK};
	(void)size;
	free(data); /* which service does not matter */
	tell(ctx, call);
	grpc_call_finish(call, &good);
}

static bool has_place(const struct grpc_health *health, const struct grpc_call *call)
{
	size_t n = 0, of_peer = 0, of_connection = 0;
	for (const struct watcher *at = health->watchers; at; at = at->next) {
		n++;
		of_peer += text_equal(grpc_call_peer(at->call), grpc_call_peer(call));
		of_connection += at->call->stream.connection == call->stream.connection;
	}
	return n < WATCHERS_MAX && of_peer < WATCHERS_OF_PEER &&
	       of_connection < WATCHERS_OF_CONNECTION;
}

static void watch_open(struct grpc_call *call, void *ctx)
{
	struct grpc_health *health = ctx;
	struct watcher *watcher = has_place(health, call) ? calloc(1, sizeof *watcher) : NULL;
	if (!watcher) {
		const struct grpc_status status = {
			.code = GRPC_RESOURCE_EXHAUSTED, .message = TEXT("too many watch already")};
		grpc_call_finish(call, &status);
		return;
	}
	*watcher = (struct watcher){.next = health->watchers, .call = call};
	if (watcher->next)
		watcher->next->previous = watcher;
	health->watchers = watcher;
	grpc_call_set_owner(call, watcher);
}

static void watch_message(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	(void)size;
	free(data);
	tell(ctx, call);
}

static void watch_closed(struct grpc_call *call, void *ctx)
{
	struct grpc_health *health = ctx;
	struct watcher *watcher = grpc_call_owner(call);
	if (!watcher)
		return;
	if (watcher->previous)
		watcher->previous->next = watcher->next;
	else
		health->watchers = watcher->next;
	if (watcher->next)
		watcher->next->previous = watcher->previous;
	free(watcher);
}

struct grpc_health *grpc_health_new(void)
{
	struct grpc_health *health = calloc(1, sizeof *health);
	if (!health)
		return NULL;
	health->methods[0] = (struct grpc_method){.path = "/grpc.health.v1.Health/Check",
		.message_bytes_max = REQUEST_BYTES_MAX,
		.open = check_open,
		.message = check_message,
		.ctx = health};
	health->methods[1] = (struct grpc_method){.path = "/grpc.health.v1.Health/Watch",
		.message_bytes_max = REQUEST_BYTES_MAX,
		.open = watch_open,
		.message = watch_message,
		.closed = watch_closed,
		.ctx = health};
	return health;
}

void grpc_health_free(struct grpc_health *health)
{
	free(health);
}

const struct grpc_method *grpc_health_methods(struct grpc_health *health)
{
	return health->methods;
}

void grpc_health_set(struct grpc_health *health, bool is_serving)
{
	if (health->is_serving == is_serving)
		return;
	health->is_serving = is_serving;
	for (const struct watcher *watcher = health->watchers; watcher; watcher = watcher->next)
		tell(health, watcher->call);
}
