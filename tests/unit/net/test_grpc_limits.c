/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What peers may hold of a server, and for how long: peers whose frames are written here by hand
 * and whose answers nobody reads, beside an honest channel. Time stands still until a test moves
 * it; the server looks once a second.
 */

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "grpc_rig.h"
#include "net/grpc_call.h"

enum { MIB = 1 << 20, HALF = 900000, PEERS = 126, SAY_BYTES_MAX = 16 * MIB };
enum {
	DATA = 0,
	HEADERS = 1,
	SETTINGS = 4,
	WINDOW_UPDATE = 8,
	END_STREAM = 1,
	ACK = 1,
	END_HEADERS = 4
};

static struct clock_manual now;
static struct rig_exchange seen;
static const struct grpc_exchange_options plain;

/* ---- a peer by hand ---- */

static struct raw {
	int fd;
	struct buf say;
	size_t n_said;
} peers[PEERS];

static void frame(struct raw *raw, unsigned kind, unsigned flags, uint32_t id, struct text body)
{
	buf_add_be32(&raw->say, (uint32_t)body.size << 8 | kind);
	buf_add_byte(&raw->say, (unsigned char)flags);
	buf_add_be32(&raw->say, id);
	buf_add(&raw->say, body);
}

static void field(struct buf *out, const char *name, const char *value)
{
	buf_add_byte(out, 0); /* a literal that is not packed and not remembered */
	buf_add_byte(out, (unsigned char)strlen(name));
	buf_add_string(out, name);
	buf_add_byte(out, (unsigned char)strlen(value));
	buf_add_string(out, value);
}

static void call(struct raw *raw, uint32_t id, const char *path)
{
	struct buf head;
	buf_init(&head, 1000);
	field(&head, ":method", "POST");
	field(&head, ":scheme", "http");
	field(&head, ":path", path);
	field(&head, ":authority", "x");
	field(&head, "te", "trailers");
	field(&head, "content-type", "application/grpc");
	frame(raw, HEADERS, END_HEADERS, id, buf_text(&head));
	buf_done(&head);
}

/* A message of which @size bytes come, and ten more do not. */
static void half(struct raw *raw, uint32_t id, size_t size)
{
	static char zeros[16384];
	struct buf prefix;
	buf_init(&prefix, 5);
	buf_add_byte(&prefix, 0);
	buf_add_be32(&prefix, (uint32_t)size + 10);
	frame(raw, DATA, 0, id, buf_text(&prefix));
	buf_done(&prefix);
	for (size_t n; size; size -= n) {
		n = size < sizeof zeros ? size : sizeof zeros;
		frame(raw, DATA, 0, id, (struct text){zeros, n});
	}
}

static void raw_connect(struct raw *raw, const char *from)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const int small = 4096;
	raw->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, from, &address.sin_addr);
	setsockopt(raw->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	ck_assert_int_eq(
		bind(raw->fd, (const struct sockaddr *)(const void *)&address, sizeof address), 0);
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	address.sin_port = htons((uint16_t)grpc_server_port(rig.server));
	ck_assert_int_eq(
		connect(raw->fd, (const struct sockaddr *)(const void *)&address, sizeof address),
		0);
	buf_init(&raw->say, SAY_BYTES_MAX);
	raw->n_said = 0;
	buf_add(&raw->say, TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	frame(raw, SETTINGS, 0, 0, TEXT("\0\4\0\0\0\0")); /* calls get no window */
	frame(raw, SETTINGS, ACK, 0, TEXT_NONE);          /* the server's come first */
}

static bool are_all_said(void)
{
	bool all = true;
	for (struct raw *raw = peers; raw < peers + PEERS; raw++) {
		size_t left = raw->say.size - raw->n_said;
		ssize_t n = left ? send(raw->fd, raw->say.data + raw->n_said, left,
					   MSG_DONTWAIT | MSG_NOSIGNAL)
				 : 0;
		ck_assert(n >= 0 || errno == EAGAIN);
		raw->n_said += n > 0 ? (size_t)n : 0;
		all = all && raw->n_said == raw->say.size;
	}
	return all;
}

/* ---- the server ---- */

static struct grpc_limits limits_of(size_t all, size_t of_peer, size_t of_connection)
{
	struct grpc_limits limits = grpc_limits_usual;
	limits.buffered_bytes_all = all;
	limits.buffered_bytes_of_peer = of_peer;
	limits.buffered_bytes_of_connection = of_connection;
	limits.call_window_bytes = MIB; /* peers by hand know of no windows */
	return limits;
}

static struct grpc_limits limits_with_windows(size_t all, size_t of_peer, size_t of_connection)
{
	struct grpc_limits limits = limits_of(all, of_peer, of_connection);
	limits.call_window_bytes = 65536;
	return limits;
}

static void serve(struct grpc_limits limits)
{
	clock_manual_init(&now, 0);
	now.monotonic_ms = 1000000;
	rig_clock = &now.clock;
	rig_start(NULL, &limits, NULL);
	rig_connect((struct grpc_channel_options){.is_plain = true});
	rig_until(rig_is_up);
}

static void stop(void)
{
	for (struct raw *raw = peers; raw < peers + PEERS; raw++) {
		if (raw->fd > 0)
			close(raw->fd);
		buf_done(&raw->say);
		raw->fd = 0;
		raw->n_said = 0;
	}
	rig_exchange_done(&seen);
	rig_stop();
	rig_clock = &clock_system;
}

static uint64_t n_awaited;

static bool are_exhausted(void)
{
	return are_all_said() &&
	       grpc_server_ended(rig.server, GRPC_RESOURCE_EXHAUSTED) == n_awaited;
}

static bool are_late(void)
{
	return are_all_said() && grpc_server_ended(rig.server, GRPC_DEADLINE_EXCEEDED) == n_awaited;
}

static bool are_open(void)
{
	return are_all_said() && rig.seen.n_open == n_awaited;
}

static bool are_closed(void)
{
	return rig.seen.n_closed == n_awaited;
}

static bool have_come(void)
{
	return are_all_said() && rig.seen.n_messages == n_awaited;
}

static void echo(size_t size)
{
	char *bytes = calloc(1, size);
	ck_assert_ptr_nonnull(bytes);
	rig_unary(&seen, "/t/Echo", (struct text){bytes, size}, plain);
	ck_assert_msg(seen.code == GRPC_OK, "%s", seen.message);
	free(bytes);
}

/* ---- how much ---- */

static bool is_nothing_held(void)
{
	return rig.server->buffered.used_bytes == 0;
}

enum { N_LONG = 8, LONG = 400000 };
static struct rig_exchange longs[N_LONG];

static void send_long(struct rig_exchange *exchange, size_t size)
{
	static char bytes[LONG];
	rig_call(exchange, "/t/Sink", plain);
	rig_send(exchange, (struct text){bytes, size});
	grpc_exchange_close_send(exchange->exchange);
}

static void end_longs(size_t n)
{
	for (struct rig_exchange *each = longs; each < longs + n; each++) {
		if (!each->is_finished)
			rig_finish(each);
		ck_assert_msg(each->code == GRPC_OK, "%s", each->message);
		rig_exchange_done(each);
	}
}

static bool are_in_the_row(void)
{
	size_t n = 0;
	for (const struct grpc_stream *at = rig.server->turns.first; at; at = at->next_turn)
		n++;
	return are_all_said() && n == n_awaited;
}

/* Together they are more than there is room for: they become whole one after the other. */
START_TEST(messages_wait_for_their_turn)
{
	serve(limits_with_windows(4 * MIB, 4 * MIB, 2 * MIB));
	for (int i = 0; i < N_LONG; i++)
		send_long(&longs[i], LONG);
	end_longs(N_LONG);
	ck_assert_uint_eq(grpc_server_ended(rig.server, GRPC_RESOURCE_EXHAUSTED), 0);
	rig_until(is_nothing_held);
}
END_TEST

static bool is_refreshed(void)
{
	const struct grpc_stream *first = rig.server->turns.first, *last = rig.server->turns.last;
	return are_all_said() && first->moved_after_ms == now.monotonic_ms && last->is_short &&
	       last->began_after_ms == now.monotonic_ms;
}

/* The first in turn goes on to have its time, those who wait behind it do not. */
START_TEST(who_waits_is_not_late)
{
	enum { ROOM = 112 * 1024, MORE_THAN_HALF = 60000 };
	serve(limits_with_windows(ROOM, ROOM, ROOM));
	raw_connect(&peers[0], "127.0.0.2");
	call(&peers[0], 1, "/t/Sink");
	half(&peers[0], 1, MORE_THAN_HALF);
	n_awaited = 1;
	rig_until(are_in_the_row);
	for (int i = 0; i < 2; i++) {
		send_long(&longs[i], 10000);
		n_awaited++;
		rig_until(are_in_the_row);
	}
	for (int i = 0; i < 2; i++) {
		now.monotonic_ms += 25000; /* a message of which nothing came has ten seconds */
		frame(&peers[0], DATA, 0, 1, TEXT("x"));
		rig_until(is_refreshed);
	}
	ck_assert_uint_eq(grpc_server_ended(rig.server, GRPC_DEADLINE_EXCEEDED), 0);
	ck_assert_uint_eq(rig.seen.n_messages, 0);
	now.monotonic_ms += 61000;
	n_awaited = 1;
	rig_until(are_late);
	end_longs(2);
	ck_assert_uint_eq(rig.seen.n_messages, 2);
}
END_TEST

/* Whoever is in the row may go: the first, the last, and those between. */
START_TEST(the_row_may_be_left)
{
	enum { ROOM = 320 * 1024, N = 6 };
	serve(limits_with_windows(ROOM, ROOM, ROOM));
	raw_connect(&peers[0], "127.0.0.2");
	for (uint32_t id = 1; id < 7; id += 2) {
		call(&peers[0], id, "/t/Sink");
		half(&peers[0], id, 60000);
	}
	n_awaited = 1; /* the third is more than half of the room */
	rig_until(are_in_the_row);
	for (int i = 0; i < N; i++) {
		send_long(&longs[i], 10000);
		n_awaited++;
		rig_until(are_in_the_row);
	}
	for (int i = 0; i < N; i += 2) {
		grpc_exchange_cancel(longs[i].exchange);
		rig_finish(&longs[i]);
		ck_assert_int_eq(longs[i].code, GRPC_CANCELLED);
	}
	grpc_exchange_cancel(longs[N - 1].exchange);
	rig_finish(&longs[N - 1]);
	n_awaited = 3;
	rig_until(are_in_the_row);
	ck_assert_uint_eq(rig.seen.n_messages, 0);
	close(peers[0].fd);
	peers[0].fd = 0;
	for (int i = 0; i < N; i++) {
		if (!longs[i].is_finished)
			rig_finish(&longs[i]);
		ck_assert_int_eq(longs[i].code, i == 1 || i == 3 ? GRPC_OK : GRPC_CANCELLED);
		rig_exchange_done(&longs[i]);
	}
	rig_until(is_nothing_held);
	ck_assert_ptr_null(rig.server->turns.first);
	ck_assert_ptr_null(rig.server->turns.last);
}
END_TEST

/* What is to be sent is counted, too: a peer that opens no window fills nobody else's room. */
START_TEST(what_waits_to_be_sent_is_in_the_share)
{
	static char bytes[HALF];
	struct err err;
	serve(limits_of(2 * MIB, 2 * MIB, MIB));
	raw_connect(&peers[0], "127.0.0.1");
	for (uint32_t id = 1; id < 7; id += 2) {
		call(&peers[0], id, "/t/Sink");
		n_awaited = (id + 1) / 2;
		rig_until(are_open);
		int failed = grpc_call_send(rig.seen.call, (struct text){bytes, HALF}, &err);
		ck_assert_int_eq(failed, id == 1 ? 0 : -1);
	}
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	ck_assert_uint_ge(rig.server->buffered.used_bytes, HALF + 5);
	ck_assert_uint_lt(rig.server->buffered.used_bytes, MIB);
	echo(HALF);
}
END_TEST

static bool is_full(void)
{
	return rig.server->buffered.used_bytes >= (size_t)n_awaited * MIB;
}

/* The connection's window is for all its calls. */
START_TEST(what_waits_of_paused_calls_stops_no_others)
{
	enum { N = 6 };
	static char bytes[MIB];
	struct rig_exchange full[N];
	serve(limits_of(16 * MIB, 16 * MIB, 16 * MIB));
	for (unsigned i = 0; i < N; i++) {
		rig.seen.pause_after = i + 1;
		rig_call(&full[i], "/t/Sink", plain);
		rig_send(&full[i], TEXT("x"));
		for (int k = 0; k < 2; k++)
			rig_send(&full[i], (struct text){bytes, sizeof bytes});
		n_awaited = i + 1;
		rig_until(is_full);
	}
	echo(HALF);
	ck_assert_uint_lt(rig.server->buffered.used_bytes, (N + 1) * MIB);
	for (int i = 0; i < N; i++) {
		grpc_exchange_cancel(full[i].exchange);
		rig_finish(&full[i]);
		rig_exchange_done(&full[i]);
	}
	rig_until(is_nothing_held);
}
END_TEST

static bool are_wide(void)
{
	return are_all_said() && rig.server->buffered.wide_bytes == n_awaited;
}

/* What is longer than a call's window comes through a wide one, of which all have a quarter of the
 * room together: so that those of paused calls still find room. */
START_TEST(long_messages_have_wide_windows_up_to_a_quarter)
{
	enum { WIDER = MIB - 65536, N_CALLS = 6, N_WIDE = 4 };
	serve(limits_with_windows(16 * MIB, 16 * MIB, 16 * MIB));
	raw_connect(&peers[0], "127.0.0.1");
	for (uint32_t i = 0; i < N_CALLS; i++) {
		call(&peers[0], 2 * i + 1, "/t/Sink");
		frame(&peers[0], DATA, 0, 2 * i + 1, TEXT("\0\0\x0f\0\0some"));
	}
	n_awaited = N_WIDE * WIDER;
	rig_until(are_wide);
	n_awaited = N_CALLS;
	rig_until(are_open);
	echo(100);
	rig_exchange_done(&seen);
	n_awaited = N_WIDE * WIDER;
	ck_assert(are_wide());
	close(peers[0].fd);
	peers[0].fd = -1;
	buf_done(&peers[0].say);
	peers[0].n_said = 0;
	n_awaited = 0;
	rig_until(are_wide);
	echo(LONG);
	rig_until(is_nothing_held);
	rig_until(are_wide);
}
END_TEST

static bool are_all_seen(void)
{
	return are_all_said() &&
	       rig.seen.n_open + grpc_server_ended(rig.server, GRPC_RESOURCE_EXHAUSTED) ==
		       n_awaited;
}

/* Headers are kept as long as the call, and cost their sender little: names of many bytes are a
 * byte each in HPACK. */
START_TEST(what_calls_are_made_of_is_in_the_share)
{
	serve(limits_of(2 * MIB, 2 * MIB, 64 * 1024));
	raw_connect(&peers[0], "127.0.0.1");
	for (uint32_t id = 1; id < 200; id += 2)
		call(&peers[0], id, "/t/Sink");
	n_awaited = 100;
	rig_until(are_all_seen);
	ck_assert_uint_lt(rig.seen.n_open, 64);
	ck_assert_uint_gt(rig.seen.n_open, 1);
	ck_assert_uint_le(rig.server->buffered.used_bytes, 64 * 1024);
	close(peers[0].fd);
	peers[0].fd = 0;
	rig_until(is_nothing_held);
	echo(1);
}
END_TEST

/* ---- how long ---- */

START_TEST(a_message_that_stands_still_is_ended)
{
	serve(limits_of(4 * MIB, 4 * MIB, 4 * MIB));
	raw_connect(&peers[0], "127.0.0.1");
	call(&peers[0], 1, "/t/Sink");
	half(&peers[0], 1, HALF);      /* it has earned a quarter of an hour */
	call(&peers[0], 3, "/t/Sink"); /* when this is open, that has come */
	n_awaited = 2;
	rig_until(are_open);
	now.monotonic_ms += 61000;
	n_awaited = 1;
	rig_until(are_late);
	ck_assert_uint_lt(rig.server->buffered.used_bytes, HALF); /* the other is open */
	echo(1);
}
END_TEST

START_TEST(a_message_that_comes_too_slowly_is_ended)
{
	serve(grpc_limits_usual);
	raw_connect(&peers[0], "127.0.0.1");
	call(&peers[0], 1, "/t/Sink");
	half(&peers[0], 1, 5000);
	call(&peers[0], 3, "/t/Sink");
	half(&peers[0], 3, 10);
	call(&peers[0], 5, "/t/Sink"); /* it is in no message, and may take its time */
	n_awaited = 3;
	rig_until(are_open);
	now.monotonic_ms += 12000;
	frame(&peers[0], DATA, 0, 3, TEXT("x"));
	n_awaited = 1;
	rig_until(are_late);
	rig_until(are_closed);
	now.monotonic_ms += 4000;
	n_awaited = 2;
	rig_until(are_late);
}
END_TEST

/* A call of one message that sends none. */
START_TEST(the_one_message_is_waited_for_so_long)
{
	serve(grpc_limits_usual);
	raw_connect(&peers[0], "127.0.0.1");
	call(&peers[0], 1, "/grpc.health.v1.Health/Check");
	call(&peers[0], 3, "/t/Echo");
	n_awaited = 1;
	rig_until(are_open);
	now.monotonic_ms += 11000;
	n_awaited = 2;
	rig_until(are_late);
}
END_TEST

/* While we pause a call its sender cannot go on. */
START_TEST(a_pause_is_not_the_senders_fault)
{
	serve(grpc_limits_usual);
	raw_connect(&peers[0], "127.0.0.1");
	call(&peers[0], 1, "/t/Sink");
	half(&peers[0], 1, 10);
	n_awaited = 1;
	rig_until(are_open);
	struct grpc_call *paused = rig.seen.call;
	grpc_call_pause(paused);
	now.monotonic_ms += 100000;
	call(&peers[0], 3, "/t/Sink");
	half(&peers[0], 3, 10);
	call(&peers[0], 5, "/t/Sink"); /* when this is open, that has come */
	n_awaited = 3;
	rig_until(are_open);
	now.monotonic_ms += 11000;
	n_awaited = 1;
	rig_until(are_late); /* the other */
	grpc_call_resume(paused);
	frame(&peers[0], DATA, 0, 1, TEXT("0123456789"));
	rig_until(have_come);
}
END_TEST

START_TEST(a_call_that_nobody_reads_is_ended)
{
	struct err err;
	const struct grpc_status good = {.code = GRPC_OK};
	serve(grpc_limits_usual);
	raw_connect(&peers[0], "127.0.0.1");
	call(&peers[0], 1, "/t/Sink");
	n_awaited = 1;
	rig_until(are_open);
	ck_assert_int_eq(grpc_call_send(rig.seen.call, TEXT("x"), &err), 0);
	grpc_call_finish(rig.seen.call, &good);
	now.monotonic_ms += 61000;
	rig_until(are_closed);
	ck_assert_uint_eq(rig.server->buffered.used_bytes, 0);
}
END_TEST

static bool is_stuck(void)
{
	are_all_said();
	const struct h2_connection *at = rig.server->connections;
	while (at && !at->n_held)
		at = at->next;
	return at != NULL;
}

static bool is_alone(void)
{
	return grpc_server_connections(rig.server) == 1;
}

static bool is_told_to_go(void)
{
	const struct h2_connection *at = rig.server->connections;
	while (at && !at->is_terminated)
		at = at->next;
	return at != NULL;
}

/* It has all the window there is, and a socket that it does not read. */
START_TEST(a_connection_that_does_not_read_is_ended)
{
	static char bytes[4 * MIB];
	struct err err;
	serve(grpc_limits_usual);
	raw_connect(&peers[0], "127.0.0.1");
	frame(&peers[0], SETTINGS, 0, 0, TEXT("\0\4\x7f\xff\xff\xff"));
	frame(&peers[0], WINDOW_UPDATE, 0, 0, TEXT("\x7f\xff\0\0"));
	for (uint32_t id = 1; id < 9; id += 2) {
		call(&peers[0], id, "/t/Sink");
		n_awaited = (id + 1) / 2;
		rig_until(are_open);
		ck_assert_int_eq(
			grpc_call_send(rig.seen.call, (struct text){bytes, sizeof bytes}, &err), 0);
	}
	rig_until(is_stuck);
	now.monotonic_ms += 61000;
	rig_until(is_told_to_go);
	now.monotonic_ms += 11000;
	rig_until(is_alone);
	ck_assert_uint_eq(rig.server->buffered.used_bytes, 0);
}
END_TEST

static void watch(struct rig_exchange *watching)
{
	rig_call(watching, "/grpc.health.v1.Health/Watch", plain);
	rig_send(watching, TEXT(""));
	grpc_exchange_close_send(watching->exchange);
}

/* Watching needs no login: a connection has four, an address 500, for as long as it likes. */
START_TEST(watchers_have_a_limit)
{
	struct rig_exchange watching[5];
	serve(grpc_limits_usual);
	for (struct raw *raw = peers; raw < peers + PEERS; raw++) {
		raw_connect(raw, "127.0.0.2");
		for (uint32_t id = 1; id < 9; id += 2) {
			call(raw, id, "/grpc.health.v1.Health/Watch");
			frame(raw, DATA, END_STREAM, id, TEXT("\0\0\0\0\0"));
		}
	}
	n_awaited = 4; /* of the last connection */
	rig_until(are_exhausted);
	for (size_t i = 0; i < 5; i++)
		watch(&watching[i]);
	rig_finish(&watching[4]);
	ck_assert_int_eq(watching[4].code, GRPC_RESOURCE_EXHAUSTED);
	grpc_exchange_cancel(watching[0].exchange);
	rig_finish(&watching[0]);
	rig_exchange_done(&watching[0]);
	echo(1); /* the server knows of it */
	watch(&watching[0]);
	rig_exchange_done(&seen);
	echo(1);
	for (size_t i = 0; i < 4; i++)
		ck_assert(!watching[i].is_finished && watching[i].n_messages == 1);
	for (size_t i = 0; i < 4; i++) {
		grpc_exchange_cancel(watching[i].exchange);
		rig_finish(&watching[i]);
	}
	for (size_t i = 0; i < 5; i++)
		rig_exchange_done(&watching[i]);
}
END_TEST

static bool is_flooded(void)
{
	return are_all_said() && grpc_server_count(rig.server, GRPC_FLOODS) == 1;
}

/* ---- what costs work ---- */

/* Frames of kinds that nobody knows, with bytes in them and without. */
START_TEST(frames_that_nobody_knows_are_a_flood)
{
	static const unsigned kinds[] = {0x0a, 0x0c, 0x10, 0x42, 0xff};
	serve(grpc_limits_usual);
	raw_connect(&peers[0], "127.0.0.1");
	for (int i = 0; i < 410; i++)
		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
			frame(&peers[0], kinds[k], 0, 0, i % 2 ? TEXT("12345678") : TEXT_NONE);
	rig_until(is_flooded);
	now.monotonic_ms += 11000; /* GOAWAY is not read */
	rig_until(is_alone);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net/grpc_limits");
	TCase *much = tcase_create("how much"), *often = tcase_create("how long");
	TCase *work = tcase_create("work");
	tcase_add_checked_fixture(work, NULL, stop);
	tcase_add_test(work, frames_that_nobody_knows_are_a_flood);
	tcase_add_checked_fixture(much, NULL, stop);
	tcase_add_checked_fixture(often, NULL, stop);
	tcase_add_test(much, messages_wait_for_their_turn);
	tcase_add_test(much, who_waits_is_not_late);
	tcase_add_test(much, the_row_may_be_left);
	tcase_add_test(much, what_waits_to_be_sent_is_in_the_share);
	tcase_add_test(much, what_waits_of_paused_calls_stops_no_others);
	tcase_add_test(much, long_messages_have_wide_windows_up_to_a_quarter);
	tcase_add_test(much, what_calls_are_made_of_is_in_the_share);
	tcase_add_test(much, watchers_have_a_limit);
	tcase_add_test(often, a_message_that_stands_still_is_ended);
	tcase_add_test(often, a_message_that_comes_too_slowly_is_ended);
	tcase_add_test(often, the_one_message_is_waited_for_so_long);
	tcase_add_test(often, a_pause_is_not_the_senders_fault);
	tcase_add_test(often, a_call_that_nobody_reads_is_ended);
	tcase_add_test(often, a_connection_that_does_not_read_is_ended);
	tcase_set_timeout(much, 60);
	tcase_set_timeout(often, 60);
	tcase_set_timeout(work, 60);
	suite_add_tcase(suite, much);
	suite_add_tcase(suite, often);
	suite_add_tcase(suite, work);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
