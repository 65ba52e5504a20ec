/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/server_thread.h"

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", what, err->text);
	abort();
}

void server_thread_init(struct server_thread *self, const struct http_route *const *routes,
	const struct clock *clock, const struct http_limits *limits, struct tls_server *tls)
{
	struct err err = {0};
	struct http_server_options options = {.address = "127.0.0.1",
		.clock = clock,
		.routes = routes,
		.limits = limits,
		.tls = tls};
	if (!self->loop && loop_new(&self->loop, &err) < 0)
		die("loop", &err);
	if (http_server_start(&self->server, self->loop, &options, &err) < 0)
		die("server", &err);
	self->port = http_server_port(self->server);
}

static void *thread_main(void *ctx)
{
	struct server_thread *self = ctx;
	struct err err = {0};
	if (loop_run(self->loop, &err) < 0)
		die("loop", &err);
	return NULL;
}

void server_thread_run(struct server_thread *self)
{
	if (pthread_create(&self->thread, NULL, thread_main, self) != 0)
		abort();
}

void server_thread_join(struct server_thread *self)
{
	loop_stop(self->loop);
	pthread_join(self->thread, NULL);
}

void server_thread_done(struct server_thread *self)
{
	http_server_stop(self->server);
	loop_free(self->loop);
	*self = (struct server_thread){0};
}
