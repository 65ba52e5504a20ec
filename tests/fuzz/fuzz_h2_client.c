/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes from a server of gRPC to our channel. Each call ends once, and so does the connection.
 */

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/grpc_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_CALLS = 3, BEGUN_MAX = 20000 }; /* more than an input has frames */

static struct loop *loop;
static struct grpc_channel *channel;
static int listen_fd;
static unsigned n_begun, n_finished, n_lost;

static void on_message(struct grpc_exchange *exchange, struct text message, void *ctx)
{
	struct err err;
	(void)ctx;
	if (text_starts(message, TEXT("c")))
		grpc_exchange_cancel(exchange);
	else
		ignore(grpc_exchange_send(exchange, message, &err)); /* it may be closed */
	if (text_starts(message, TEXT("e")))
		grpc_exchange_close_send(exchange);
}

static void begin(bool is_once);

static void on_finished(struct grpc_exchange *exchange, const struct grpc_status *status, void *ctx)
{
	(void)exchange;
	(void)ctx;
	assert(status->code <= GRPC_UNAUTHENTICATED);
	n_finished++;
	if (status->code == GRPC_UNAVAILABLE)
		begin(true); /* again at once: refused when the connection has gone */
}

static void begin(bool is_once)
{
	struct err err;
	struct grpc_exchange *exchange;
	const struct grpc_exchange_options options = {.path = "/t/Talk",
		.timeout_ms = is_once ? 60000 : 0,
		.message = on_message,
		.finished = on_finished};
	if (grpc_exchange_new(&exchange, channel, &options, &err) < 0)
		return;
	assert(++n_begun < BEGUN_MAX);
	ignore(grpc_exchange_send(exchange, TEXT("hello"), &err)); /* there is room */
	if (is_once)
		grpc_exchange_close_send(exchange);
}

static void on_up(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < N_CALLS; i++)
		begin(i > 0);
}

static void on_lost(const struct err *err, void *ctx)
{
	(void)err;
	(void)ctx;
	assert(n_begun == n_finished);
	n_lost++;
}

/* ---- the peer ---- */

enum {
	PEER_FRAMES = 1, /* else bytes as they are */
	PEER_GREETS = 2, /* says what comes first itself */
	PEER_PIECES = 4, /* one piece a turn, else all at once */
	PEER_BYTES_MAX = 4 * 1024 * 1024,
	PEER_PIECE = 40,
	PEER_WAITS = 10,    /* turns for the calls to begin */
	PEER_LINGER = 4,    /* turns between its last byte and its end */
	PEER_TURNS = 20000, /* by then the other side must have hung up */
};

struct peer {
	struct loop_timer *turn;
	int fd;
	struct buf say;
	size_t said, piece, greeting_bytes;
	unsigned n_after, n_turns;
	bool is_shut, is_hung_up;
};

/* As HTTP/2 frames: the lengths are right, so that what is in them gets read. */
static void peer_frames(struct buf *out, struct text rest)
{
	while (rest.size >= 4) {
		const unsigned char *head = (const unsigned char *)rest.data;
		struct text body = text_part(rest, 4, head[3]);
		buf_add_be32(out, (uint32_t)body.size << 8 | head[0]);
		buf_add_byte(out, head[1]);
		buf_add_be32(out, head[2]);
		buf_add(out, body);
		rest = text_part(rest, 4 + body.size, rest.size);
	}
}

static void peer_hear(struct peer *peer)
{
	char room[8192];
	ssize_t n;
	do
		n = recv(peer->fd, room, sizeof room, MSG_DONTWAIT);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 || errno != EAGAIN)
		peer->is_hung_up = true;
}

static void peer_say(struct peer *peer)
{
	/* What follows the greeting is about calls: they come first. */
	bool is_early =
		peer->said < peer->greeting_bytes || (!n_begun && peer->n_turns < PEER_WAITS);
	size_t end = is_early ? peer->greeting_bytes : peer->say.size;
	size_t left = end - peer->said;
	size_t size = left < peer->piece ? left : peer->piece;
	ssize_t n = size ? send(peer->fd, peer->say.data + peer->said, size,
				   MSG_DONTWAIT | MSG_NOSIGNAL)
			 : 0;
	if (n > 0)
		peer->said += (size_t)n;
	if (peer->said == peer->say.size && !peer->is_shut && ++peer->n_after > PEER_LINGER) {
		shutdown(peer->fd, SHUT_WR);
		peer->is_shut = true;
	}
}

static void peer_turn(void *ctx)
{
	struct peer *peer = ctx;
	assert(++peer->n_turns < PEER_TURNS);
	peer_say(peer);
	peer_hear(peer);
	if (peer->is_hung_up && n_lost)
		loop_stop(loop);
	loop_timer_start(peer->turn, 0);
}

/* Takes @fd. */
static void peer_run(int fd, struct text input)
{
	static const struct text greeting = TEXT("\0\0\0\4\0\0\0\0\0"); /* SETTINGS */
	struct err err;
	struct peer peer = {.fd = fd};
	unsigned how = input.size ? (unsigned char)input.data[0] : 0;
	input = text_part(input, 1, input.size);
	buf_init(&peer.say, PEER_BYTES_MAX);
	if (how & PEER_GREETS)
		buf_add(&peer.say, greeting);
	peer.greeting_bytes = peer.say.size;
	if (how & PEER_FRAMES)
		peer_frames(&peer.say, input);
	else
		buf_add(&peer.say, input);
	assert(buf_ok(&peer.say));
	peer.piece = how & PEER_PIECES ? PEER_PIECE + (how >> 3) : PEER_BYTES_MAX;
	peer.turn = loop_timer_new(loop, peer_turn, &peer);
	assert(peer.turn);
	loop_timer_start(peer.turn, 0);
	assert(loop_run(loop, &err) == 0);
	loop_timer_free(peer.turn);
	close(fd);
	buf_done(&peer.say);
}

static struct sockaddr_un peer_address;

static void peer_remove(void)
{
	char folder[sizeof peer_address.sun_path];
	text_format(folder, sizeof folder, "%s", peer_address.sun_path);
	unlink(folder);
	*strrchr(folder, '/') = '\0';
	rmdir(folder);
}

/* A path for the socket, in a folder of its own that goes with the program. */
static const char *peer_path(void)
{
	char folder[] = "/tmp/tocsin-fuzz-XXXXXX";
	assert(mkdtemp(folder));
	peer_address.sun_family = AF_UNIX;
	text_format(peer_address.sun_path, sizeof peer_address.sun_path, "%s/s", folder);
	atexit(peer_remove);
	return peer_address.sun_path;
}

static void start(void)
{
	struct err err;
	const struct grpc_channel_options options = {.host = "fuzz",
		.unix_path = peer_path(),
		.is_plain = true,
		.clock = &clock_system,
		.message_bytes_max = 4096,
		.up = on_up,
		.lost = on_lost};
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(listen_fd >= 0);
	assert(bind(listen_fd, (const struct sockaddr *)(const void *)&peer_address,
		       sizeof peer_address) == 0);
	assert(listen(listen_fd, 1) == 0 && loop_new(&loop, &err) == 0);
	assert(grpc_channel_new(&channel, loop, &options, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!channel)
		start();
	n_begun = n_finished = n_lost = 0;
	grpc_channel_connect(channel);
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	assert(fd >= 0);
	peer_run(fd, (struct text){(const char *)data, size});
	assert(n_begun == n_finished && n_lost == 1);
	return 0;
}
