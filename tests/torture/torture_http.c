/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One request for the real intake behind the real server: whatever fails, it is answered as what it
 * is (no memory now) or its connection ends, it is never said to be stored when it is not, and the
 * next request is served. The test is the writer.
 */

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "intake/intake.h"
#include "model/batch.h"
#include "model/credential.h"
#include "tests/lib/server_thread.h"
#include "tests/lib/socket_client.h"
#include "tests/lib/torture.h"

enum { QUEUE_BYTES = 1 << 20, REQUEST_BYTES = 4096 };

static struct {
	struct server_thread server;
	struct status status;
	struct queue *writer;
	struct snapshot_slot *credentials, *senders;
	struct intake *intake;
	char requests[3][REQUEST_BYTES];
	size_t n_stored; /* alerts of the run that reached the writer */
} rig;

static struct socket_reply reply;

/* The writer: takes what is there and says that it is stored. */
static void serve(void)
{
	struct queue_item *item = queue_take(rig.writer, SIZE_MAX, 0);
	while (item) {
		struct batch *batch = (struct batch *)(void *)item;
		item = item->next;
		batch->n_accepted = batch->n_alerts;
		rig.n_stored += batch->n_alerts;
		if (!queue_push(batch->reply, &batch->item))
			abort();
	}
}

/* Sends and serves until there is an answer or the end; the status, 0 for the end. */
static int call(const char *request)
{
	int64_t began_ms = clock_monotonic_ms(&clock_system);
	int fd = socket_open(rig.server.port);
	rig.n_stored = 0;
	if (socket_send_string(fd, request)) {
		struct pollfd waits[] = {
			{.fd = fd, .events = POLLIN},
			{.fd = queue_fd(rig.writer), .events = POLLIN},
		};
		do {
			poll(waits, 2, SOCKET_WAIT_MS);
			serve();
			/* What is held for want of memory is answered once there is some. */
			if (clock_monotonic_ms(&clock_system) - began_ms > 1000)
				torture_end();
		} while (!waits[0].revents &&
			 clock_monotonic_ms(&clock_system) - began_ms < SOCKET_WAIT_MS);
	}
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	close(fd);
	return reply.status;
}

static bool posts(const char *request, size_t n_alerts)
{
	int status = call(request);
	torture_end();
	if (status == 200) {
		assert(rig.n_stored == n_alerts);
		return true;
	}
	if (status != 0 && status != 500 && status != 503) {
		fprintf(stderr, "torture_http: answered %d: %s\n", status, reply.body);
		abort();
	}
	status = call(request);
	if (status != 200 || rig.n_stored != n_alerts) {
		fprintf(stderr, "torture_http: afterwards %d: %s\n", status, reply.body);
		abort();
	}
	return false;
}

static bool posts_to_falco(void)
{
	return posts(rig.requests[0], 2);
}

static bool posts_to_sidekick(void)
{
	return posts(rig.requests[1], 1);
}

/* Refused for what it is, or for want of memory. */
static bool is_refused(void)
{
	int status = call(rig.requests[2]);
	torture_end();
	assert(rig.n_stored == 0);
	assert(status == 401 || status == 429 || status == 0 || status == 500 || status == 503);
	return status == 401 || status == 429; /* too many of them */
}

static void write_requests(const char *token)
{
	static const char event[] =
		"{\"rule\":\"r\",\"priority\":\"Notice\",\"output\":\"a\\nb\",\"time\":"
		"\"2026-11-21T19:52:28Z\",\"output_fields\":{\"proc.cmdline\":\"sh \\\"x\\\"\"}}";
	text_format(rig.requests[0], REQUEST_BYTES,
		"POST /ingest/falco/%s HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n%s\n%s",
		token, 2 * strlen(event) + 1, event, event);
	text_format(rig.requests[1], REQUEST_BYTES,
		"POST /ingest/falcosidekick HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		token, strlen(event), event);
	text_format(rig.requests[2], REQUEST_BYTES,
		"POST /ingest/falco/wrong HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(event), event);
}

static void start(void)
{
	static const struct http_route *routes[2];
	char token[TOKEN_TEXT_BYTES];
	struct err err;
	struct credential credential = {
		.id = 1, .role = ROLE_SOURCE, .cluster = TEXT("c"), .sources = UINT32_MAX};
	token_make(token, &credential.digest);
	write_requests(token);
	rig.writer = queue_new(QUEUE_BYTES);
	rig.credentials = snapshot_slot_new();
	rig.senders = snapshot_slot_new();
	struct credential_set *set =
		credential_set_new(&(struct credential_set){.items = &credential, .n = 1});
	assert(rig.writer && rig.credentials && rig.senders && set);
	snapshot_publish(rig.credentials, &set->snapshot);
	int failed = loop_new(&rig.server.loop, &err);
	assert(!failed);
	struct intake_options options = {.loop = rig.server.loop,
		.writer = rig.writer,
		.credentials = rig.credentials,
		.senders = rig.senders,
		.status = &rig.status,
		.clock = &clock_system};
	failed = intake_new(&rig.intake, &options, &err);
	assert(!failed);
	routes[0] = intake_routes(rig.intake);
	server_thread_init(&rig.server, routes, &clock_system, NULL, NULL);
	server_thread_run(&rig.server);
}

static void stop(void)
{
	server_thread_join(&rig.server);
	http_server_stop(rig.server.server);
	intake_free(rig.intake);
	loop_free(rig.server.loop);
	queue_free(rig.writer);
	snapshot_slot_free(rig.credentials);
	snapshot_slot_free(rig.senders);
}

int main(void)
{
	static const struct torture_case cases[] = {
		{.name = "falco, token in the path", .run = posts_to_falco},
		{.name = "falcosidekick, token in the header", .run = posts_to_sidekick},
		{.name = "wrong token", .run = is_refused},
		{0},
	};
	start();
	int status = torture_run("http", cases);
	stop();
	return status;
}
