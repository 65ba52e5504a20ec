/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes to a gRPC server: a connection of its own over a path, in the loop that runs the
 * server. The first byte says how many come before the server's first answer (in units of sixteen),
 * the second how many seconds pass then, and once more behind the rest; whenever they have passed,
 * the server looks for what is slow. Then a paused call goes on and the peer says no more: the
 * connection ends, and every call with it.
 */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/grpc_call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_BYTES_MAX = 100000, INPUT_BYTES_MAX = 100000, READ_BYTES = 65536 };
enum { ROOM_BYTES = 30000 };

static struct loop *loop;
static struct grpc_server *server;
static char path[64];
static unsigned n_open;
static struct grpc_call *paused; /* one of them */
static struct clock_manual now;

/* What the peer does next, one after another. */
enum step { STEP_ANSWER, STEP_LATER, STEP_REST, STEP_MUCH_LATER, STEP_END };

static struct sender {
	int fd;
	struct loop_watch *watch;
	struct loop_timer *timer;
	enum step step;
	bool had_turn;    /* the server, since the last step */
	struct text left; /* comes after the first answer */
	unsigned seconds;
} sender;

/* ---- methods ---- */

static void open_call(struct grpc_call *call, void *ctx)
{
	struct text word = grpc_call_metadata(call, "x-word-bin");
	(void)ctx;
	n_open++;
	if (word.size == 1) {
		grpc_call_pause(call);
		paused = call;
	}
}

static void close_call(struct grpc_call *call, void *ctx)
{
	(void)ctx;
	if (paused == call)
		paused = NULL;
	n_open--;
}

static void echo(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	struct err err;
	(void)ctx;
	assert(size <= MESSAGE_BYTES_MAX);
	ignore(grpc_call_send(call, (struct text){data, size}, &err)); /* full is full */
	free(data);
}

static void finish(struct grpc_call *call, void *ctx)
{
	const struct grpc_status status = {.code = GRPC_ABORTED,
		.message = grpc_call_metadata(call, "x-word"),
		.details = grpc_call_metadata(call, "x-word-bin")};
	(void)ctx;
	grpc_call_finish(call, &status);
}

static void echo_once(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	echo(call, data, size, ctx);
	finish(call, ctx);
}

/* ---- one peer ---- */

static void say(struct text bytes)
{
	if (bytes.size) /* a server that has closed may not take it */
		ignore((int)send(sender.fd, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT));
}

static void time_passes(void)
{
	now.monotonic_ms += (int64_t)sender.seconds * 1000;
	loop_timer_start(server->tick, 0);
}

static void resume_paused(void)
{
	struct grpc_call *call = paused;
	paused = NULL;
	if (call)
		grpc_call_resume(call);
}

/* What comes after the first answer, a step at a time; the server has a turn before each. */
static void do_step(void *ctx)
{
	bool is_due = sender.had_turn;
	(void)ctx;
	sender.had_turn = !is_due;
	loop_timer_start(sender.timer, 0);
	if (!is_due)
		return;
	if (sender.step == STEP_LATER || sender.step == STEP_MUCH_LATER)
		time_passes();
	if (sender.step == STEP_REST)
		say(sender.left);
	if (sender.step == STEP_END) {
		resume_paused();
		shutdown(sender.fd, SHUT_WR);
		loop_timer_stop(sender.timer);
	}
	sender.step++;
}

static void on_answer(void *ctx)
{
	static char room[READ_BYTES];
	(void)ctx;
	ssize_t n = recv(sender.fd, room, sizeof room, MSG_DONTWAIT);
	if (sender.step == STEP_ANSWER) {
		sender.step = STEP_LATER;
		loop_timer_start(sender.timer, 0);
	}
	if (n <= 0)
		loop_stop(loop);
}

static void remove_path(void)
{
	unlink(path);
}

static void begin(void)
{
	static const struct grpc_method methods[] = {
		{"/t/Unary", MESSAGE_BYTES_MAX, false, open_call, echo_once, NULL, close_call,
			NULL},
		{"/t/Talk", MESSAGE_BYTES_MAX, true, open_call, echo, finish, close_call, NULL},
		{.path = NULL},
	};
	static const struct grpc_method *tables[] = {methods, NULL, NULL};
	struct err err;
	tables[1] = grpc_health_methods(grpc_health_new());
	text_format(path, sizeof path, "/tmp/tocsin-fuzz-h2-%d", (int)getpid());
	/* Few bytes are much here: calls wait for room. */
	struct grpc_limits limits = grpc_limits_usual;
	limits.buffered_bytes_of_connection = ROOM_BYTES;
	const struct grpc_server_options options = {
		.unix_path = path, .clock = &now.clock, .limits = &limits, .methods = tables};
	log_set_level(LOG_LEVEL_ERROR);
	clock_manual_init(&now, 0);
	now.monotonic_ms = 1;
	assert(loop_new(&loop, &err) == 0);
	assert(grpc_server_start(&server, loop, &options, &err) == 0);
	atexit(remove_path);
}

static void connect_sender(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, sizeof path);
	sender.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(sender.fd >= 0);
	assert(connect(sender.fd, (const struct sockaddr *)(const void *)&address,
		       sizeof address) == 0);
	sender.watch = loop_watch_new(loop, sender.fd, on_answer, NULL);
	sender.timer = loop_timer_new(loop, do_step, NULL);
	assert(sender.watch && sender.timer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	if (size < 2 || size > INPUT_BYTES_MAX)
		return 0;
	if (!server)
		begin();
	struct text bytes = {(const char *)data + 2, size - 2};
	struct text first = text_part(bytes, 0, (size_t)data[0] * 16);
	connect_sender();
	sender.step = STEP_ANSWER;
	sender.had_turn = false;
	sender.seconds = data[1];
	sender.left = text_part(bytes, first.size, bytes.size);
	say(first);
	assert(loop_run(loop, &err) == 0); /* until the server has closed */
	assert(n_open == 0 && grpc_server_connections(server) == 0);
	assert(server->buffered.used_bytes == 0);
	loop_timer_free(sender.timer);
	loop_watch_free(sender.watch);
	close(sender.fd);
	return 0;
}
