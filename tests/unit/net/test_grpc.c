/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grpc_rig.h"
#include "tests/lib/certificates.h"

static struct rig_exchange seen;
static const struct grpc_exchange_options plain;

static void setup(void)
{
	rig_start(NULL, NULL, NULL);
	rig_connect((struct grpc_channel_options){.is_plain = true});
	rig_until(rig_is_up);
}

static void teardown(void)
{
	rig_exchange_done(&seen);
	rig_stop();
}

static struct text repeat(char byte, size_t size)
{
	char *data = malloc(size + 1);
	ck_assert_ptr_nonnull(data);
	memset(data, byte, size);
	return (struct text){data, size};
}

/* What does not pack. */
static struct text noise(size_t size)
{
	struct text text = repeat(0, size);
	uint32_t state = 1;
	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		((char *)(uintptr_t)text.data)[i] = (char)(state >> 24);
	}
	return text;
}

static void give_back(struct text text)
{
	free((void *)(uintptr_t)text.data);
}

START_TEST(one_message_there_and_back)
{
	const char *const metadata[] = {"x-word", "hello-", NULL};
	rig_unary(&seen, "/t/Echo", TEXT("world"),
		(struct grpc_exchange_options){.metadata = metadata});
	ck_assert_int_eq(seen.code, GRPC_OK);
	ck_assert_uint_eq(seen.n_messages, 1);
	ck_assert(text_is(buf_text(&seen.last), "hello-world"));
	rig_until(rig_is_idle);
	ck_assert_uint_eq(grpc_server_ended(rig.server, GRPC_OK), 1);
	ck_assert_uint_eq(grpc_server_count(rig.server, GRPC_CALLS), 1);
}
END_TEST

/* Sizes around frames, windows and buffers; packed or not. */
START_TEST(messages_of_all_sizes)
{
	static const size_t sizes[] = {
		0, 1, 511, 512, 16384, 16385, 65531, 1048576, 4 * 1024 * 1024};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct text message = repeat('a', sizes[i]);
		rig_unary(&seen, "/t/Echo", message,
			(struct grpc_exchange_options){.is_compressed = _i == 1});
		ck_assert_msg(seen.code == GRPC_OK, "%zu: %s", sizes[i], seen.message);
		ck_assert(text_equal(buf_text(&seen.last), message));
		rig_exchange_done(&seen);
		give_back(message);
	}
	rig_call(&seen, "/t/Echo", plain);
	grpc_exchange_cancel(seen.exchange);
	rig_finish(&seen);
}
END_TEST

START_TEST(a_talk_of_many_messages)
{
	enum { MANY = 20000 };
	char text[32];
	rig_call(&seen, "/t/Talk", plain);
	for (unsigned i = 0; i < MANY; i++) {
		size_t size = text_format(text, sizeof text, "message %u", i);
		rig_send(&seen, (struct text){text, size});
	}
	grpc_exchange_close_send(seen.exchange);
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_OK);
	ck_assert_uint_eq(seen.n_messages, MANY);
	ck_assert(text_is(buf_text(&seen.last), "message 19999"));
	ck_assert_uint_eq(rig.seen.n_half_closed, 1);
}
END_TEST

START_TEST(a_status_with_text_and_details)
{
	rig_unary(&seen, "/t/Fail", TEXT("no: 100 % w\xc3\xb6rong\n"), plain);
	ck_assert_int_eq(seen.code, GRPC_FAILED_PRECONDITION);
	ck_assert_str_eq(seen.message, "no: 100 % w\xc3\xb6rong\n");
	ck_assert_str_eq(seen.details, "\x08\x09");
	ck_assert_uint_eq(seen.n_messages, 0);
}
END_TEST

START_TEST(what_is_not_there)
{
	rig_unary(&seen, "/t/None", TEXT("x"), plain);
	ck_assert_int_eq(seen.code, GRPC_UNIMPLEMENTED);
	ck_assert_uint_eq(rig.seen.n_open, 0);
}
END_TEST

START_TEST(binary_metadata_arrives_as_bytes)
{
	const char *const metadata[] = {"x-word-bin", "AP8_/w==", NULL};
	const char *const good[] = {"x-word-bin", "AP8+/w", NULL};
	rig_unary(&seen, "/t/Echo", TEXT("!"), (struct grpc_exchange_options){.metadata = good});
	ck_assert(text_equal(buf_text(&seen.last), TEXT("\x00\xff\x3e\xff!")));
	rig_exchange_done(&seen);
	rig_unary(
		&seen, "/t/Echo", TEXT("!"), (struct grpc_exchange_options){.metadata = metadata});
	ck_assert_int_eq(seen.code, GRPC_OK);
}
END_TEST

START_TEST(too_long_a_message_is_refused)
{
	struct text exact = repeat('x', 1000), more = repeat('x', 1001);
	rig_unary(&seen, "/t/Small", exact, plain);
	ck_assert_int_eq(seen.code, GRPC_OK);
	rig_exchange_done(&seen);
	for (int packed = 0; packed < 2; packed++) {
		rig_unary(&seen, "/t/Small", more,
			(struct grpc_exchange_options){.is_compressed = packed});
		ck_assert_int_eq(seen.code, GRPC_RESOURCE_EXHAUSTED);
		rig_exchange_done(&seen);
	}
	rig_unary(&seen, "/t/Small", exact, (struct grpc_exchange_options){.is_compressed = true});
	ck_assert_int_eq(seen.code, GRPC_OK);
	give_back(exact);
	give_back(more);
}
END_TEST

START_TEST(two_messages_are_one_too_many)
{
	rig_call(&seen, "/t/Silent", plain);
	rig_send(&seen, TEXT("1"));
	rig_send(&seen, TEXT("2"));
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_INTERNAL);
	rig_exchange_done(&seen);
	rig_call(&seen, "/t/Silent", plain);
	grpc_exchange_close_send(seen.exchange);
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_INTERNAL);
}
END_TEST

START_TEST(a_deadline_ends_both_sides)
{
	rig_unary(&seen, "/t/Silent", TEXT("?"), (struct grpc_exchange_options){.timeout_ms = 20});
	ck_assert_int_eq(seen.code, GRPC_DEADLINE_EXCEEDED);
	rig_until(rig_is_idle);
	ck_assert_uint_eq(rig.seen.n_closed, 1);
}
END_TEST

static bool has_message(void)
{
	return rig.seen.n_messages > 0;
}

START_TEST(cancelling_is_told_to_the_server)
{
	rig_call(&seen, "/t/Silent", plain);
	rig_send(&seen, TEXT("?"));
	rig_until(has_message);
	grpc_exchange_cancel(seen.exchange);
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_CANCELLED);
	rig_until(rig_is_idle);
	ck_assert_uint_eq(grpc_server_ended(rig.server, GRPC_CANCELLED), 1);
	/* Before its headers went out nobody hears of it. */
	rig_exchange_done(&seen);
	rig_call(&seen, "/t/Silent", plain);
	grpc_exchange_cancel(seen.exchange);
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_CANCELLED);
	ck_assert_uint_eq(rig.seen.n_open, 1);
}
END_TEST

static size_t waited;
static unsigned n_equal;

/* The same as at the last twenty looks: the sender is stuck. */
static bool is_stuck(void)
{
	size_t now = grpc_exchange_waiting_bytes(seen.exchange);
	n_equal = now == waited ? n_equal + 1 : 0;
	waited = now;
	return n_equal == 20 && rig.seen.n_messages > 0;
}

static bool has_all(void)
{
	return rig.seen.n_messages == 64;
}

/* A paused call takes what one window holds; the rest stays with the sender. */
START_TEST(a_paused_call_stops_its_sender)
{
	enum { EACH = 100000, N = 64 };
	struct text message = repeat('m', EACH);
	rig.seen.pause_after = 3;
	n_equal = 0;
	rig_call(&seen, "/t/Sink", plain);
	for (int i = 0; i < N; i++)
		rig_send(&seen, message);
	grpc_exchange_close_send(seen.exchange);
	rig_until(is_stuck);
	ck_assert_uint_eq(rig.seen.n_messages, 3);
	ck_assert_uint_ge(waited, (size_t)N * EACH - 3 * EACH - 2 * 1024 * 1024);
	/* Others go on meanwhile. */
	struct rig_exchange other;
	unsigned n = rig.seen.n_messages;
	struct grpc_call *paused = rig.seen.call;
	rig_unary(&other, "/t/Echo", TEXT("x"), plain);
	ck_assert_int_eq(other.code, GRPC_OK);
	rig_exchange_done(&other);
	rig.seen.n_messages = n;
	rig.seen.pause_after = 0;
	grpc_call_resume(paused);
	rig_until(has_all);
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_OK);
	give_back(message);
}
END_TEST

START_TEST(who_does_not_read_is_not_sent_more)
{
	struct err err = {0};
	struct text message = noise(100000);
	int i = 0;
	rig_call(&seen, "/t/Silent", plain);
	rig_send(&seen, TEXT("?"));
	rig_until(has_message);
	/* Nothing runs in between: what fits waits. */
	while (i < 100 && grpc_call_send(rig.seen.call, message, &err) == 0)
		i++;
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	ck_assert_int_eq(i, 10);
	rig_until(has_message);
	const struct grpc_status good = {.code = GRPC_OK};
	grpc_call_finish(rig.seen.call, &good);
	rig_finish(&seen);
	ck_assert_uint_eq(seen.n_messages, 10);
	give_back(message);
}
END_TEST

START_TEST(writable_is_told_when_there_is_room_again)
{
	struct err err = {0};
	struct text message = repeat('m', 1000000);
	rig_call(&seen, "/t/Sink", plain);
	while (grpc_exchange_send(seen.exchange, message, &err) == 0)
		;
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	grpc_exchange_close_send(seen.exchange);
	rig_finish(&seen);
	ck_assert_uint_eq(seen.n_writable, 1);
	give_back(message);
}
END_TEST

START_TEST(a_server_that_goes_ends_its_calls)
{
	rig_call(&seen, "/t/Silent", plain);
	rig_send(&seen, TEXT("?"));
	rig_until(has_message);
	grpc_server_stop(rig.server);
	rig.server = NULL;
	ck_assert_uint_eq(rig.seen.n_closed, 1);
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_UNAVAILABLE);
	rig_until(rig_is_lost);
	ck_assert_int_eq(rig.lost.kind, ERR_IO);
	ck_assert(!grpc_channel_is_up(rig.channel));
	/* Nobody listens there any more. */
	rig.n_lost = 0;
	grpc_channel_connect(rig.channel);
	rig_until(rig_is_lost);
	ck_assert_uint_eq(rig.n_up, 1);
}
END_TEST

static bool is_flushed(void)
{
	return grpc_server_is_flushed(rig.server);
}

START_TEST(says_when_the_peers_have_got_everything)
{
	struct err err;
	rig_call(&seen, "/t/Silent", plain);
	rig_send(&seen, TEXT("?"));
	rig_until(has_message);
	rig_until(is_flushed);
	ck_assert_int_eq(grpc_call_send(rig.seen.call, TEXT("last words"), &err), 0);
	ck_assert(!is_flushed());
	const struct grpc_status good = {.code = GRPC_OK};
	grpc_call_finish(rig.seen.call, &good);
	rig_until(is_flushed);
	rig_finish(&seen); /* what the peer's machine has needs the server no more */
	ck_assert_int_eq(seen.code, GRPC_OK);
	ck_assert_uint_eq(seen.n_messages, 1);
}
END_TEST

START_TEST(a_quiet_end_lets_calls_finish)
{
	rig_call(&seen, "/t/Silent", plain);
	rig_send(&seen, TEXT("?"));
	rig_until(has_message);
	grpc_server_quiesce(rig.server);
	const struct grpc_status good = {.code = GRPC_OK};
	grpc_call_finish(rig.seen.call, &good);
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_OK);
	rig_until(rig_is_lost); /* after the second GOAWAY nothing keeps it open */
	ck_assert_uint_eq(grpc_server_connections(rig.server), 0);
}
END_TEST

/* The owner frees the channel from inside of what it is told. */
static void free_channel(struct grpc_exchange *exchange, struct text message, void *ctx)
{
	(void)exchange;
	(void)message;
	(void)ctx;
	grpc_channel_free(rig.channel);
	rig.channel = NULL;
}

static void note_finished(
	struct grpc_exchange *exchange, const struct grpc_status *status, void *ctx)
{
	struct rig_exchange *noted = ctx;
	(void)exchange;
	noted->is_finished = true;
	noted->code = status->code;
}

START_TEST(a_channel_may_be_freed_from_a_callback)
{
	struct err err;
	struct grpc_exchange *exchange;
	buf_init(&seen.last, 10);
	seen.is_finished = false;
	const struct grpc_exchange_options options = {.path = "/t/Talk",
		.message = free_channel,
		.finished = note_finished,
		.ctx = &seen};
	ck_assert_int_eq(grpc_exchange_new(&exchange, rig.channel, &options, &err), 0);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(grpc_exchange_send(exchange, TEXT("x"), &err), 0);
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_CANCELLED);
	rig_until(rig_is_idle);
}
END_TEST

static bool has_two(void)
{
	return seen.n_messages == 2;
}

START_TEST(health_is_told)
{
	rig_unary(&seen, "/grpc.health.v1.Health/Check", TEXT(""), plain);
	ck_assert(text_equal(buf_text(&seen.last), TEXT("\x08\x02")));
	rig_exchange_done(&seen);
	grpc_health_set(rig.health, true);
	rig_unary(&seen, "/grpc.health.v1.Health/Check", TEXT("\x0a\x01x"), plain);
	ck_assert(text_equal(buf_text(&seen.last), TEXT("\x08\x01")));
	rig_exchange_done(&seen);
	rig_call(&seen, "/grpc.health.v1.Health/Watch", plain);
	rig_send(&seen, TEXT(""));
	grpc_exchange_close_send(seen.exchange);
	struct rig_exchange other;
	rig_unary(&other, "/t/Echo", TEXT("after it"), plain);
	rig_exchange_done(&other);
	grpc_health_set(rig.health, false);
	rig_until(has_two);
	ck_assert(text_equal(buf_text(&seen.last), TEXT("\x08\x02")));
	grpc_exchange_cancel(seen.exchange);
	rig_finish(&seen);
}
END_TEST

/* ---- TLS, paths, limits ---- */

static char folder[] = "/tmp/tocsin-grpc-XXXXXX";

static void over_tls(const struct certificate_files *server, const char *authority,
	const struct certificate_files *client)
{
	struct err err;
	struct tls_server *tls;
	struct tls_server_options options = {.certificate = server->certificate,
		.key = server->key,
		.client_ca = server->authority};
	ck_assert_int_eq(tls_server_new(&tls, &options, &err), 0);
	rig_start(tls, NULL, NULL);
	rig_connect((struct grpc_channel_options){.ca_file = authority,
		.certificate = client ? client->client : NULL,
		.key = client ? client->client_key : NULL});
	rig_until(authority == server->authority ? rig_is_up : rig_is_lost);
	if (rig.n_up) {
		rig_unary(&seen, "/t/Echo", TEXT("secret"), plain);
		ck_assert_int_eq(seen.code, GRPC_OK);
		ck_assert(text_is(buf_text(&seen.last), "secret"));
		rig_exchange_done(&seen);
	}
	rig_stop();
	tls_server_free(tls);
}

START_TEST(tls_knows_who_is_who)
{
	struct certificate_files ours, theirs;
	ck_assert_ptr_nonnull(mkdtemp(folder));
	certificates_make(&ours, folder, "ours", "node-1");
	certificates_make(&theirs, folder, "theirs", "node-1");
	over_tls(&ours, ours.authority, &ours);
	ck_assert_str_eq(rig.seen.subject, "CN=node-1");
	over_tls(&ours, theirs.authority, NULL); /* a server that nobody vouches for */
	ck_assert_uint_eq(rig.n_up, 0);
	ck_assert_msg(strstr(rig.lost.text, "certificate"), "%s", rig.lost.text);
}
END_TEST

/* A path's socket takes little at once: what is to be sent is never gone as a whole. */
START_TEST(over_a_path)
{
	struct text large = noise(4 * 1024 * 1024);
	char path[] = "/tmp/tocsin-grpc-path-XXXXXX", socket_path[64];
	ck_assert_ptr_nonnull(mkdtemp(path));
	text_format(socket_path, sizeof socket_path, "%s/s", path);
	for (int i = 0; i < 2; i++) { /* and again where one was left */
		rig_start(NULL, NULL, socket_path);
		rig_connect((struct grpc_channel_options){
			.is_plain = true, .host = "tocsin", .unix_path = socket_path});
		rig_until(rig_is_up);
		rig_unary(&seen, "/t/Echo", TEXT("x"), plain);
		ck_assert_int_eq(seen.code, GRPC_OK);
		rig_exchange_done(&seen);
		rig_unary(&seen, "/t/Echo", large, plain);
		ck_assert_msg(seen.code == GRPC_OK, "%s", seen.message);
		ck_assert(text_equal(buf_text(&seen.last), large));
		rig_exchange_done(&seen);
		rig_stop();
		ck_assert_int_ne(access(socket_path, F_OK), 0);
	}
	give_back(large);
	rmdir(path);
}
END_TEST

/* A socket that takes little at a time: more is made before all was taken, again and again. */
START_TEST(a_slow_socket_gets_all_of_a_large_answer)
{
	char path[] = "/tmp/tocsin-grpc-path-XXXXXX", socket_path[64];
	struct text message = noise(4 * 1024 * 1024);
	ck_assert_ptr_nonnull(mkdtemp(path));
	text_format(socket_path, sizeof socket_path, "%s/s", path);
	rig_start(NULL, NULL, socket_path);
	rig_connect((struct grpc_channel_options){
		.is_plain = true, .host = "tocsin", .unix_path = socket_path});
	rig_until(rig_is_up);
	rig_unary(&seen, "/t/Echo", message, plain);
	ck_assert_msg(seen.code == GRPC_OK, "%s", seen.message);
	ck_assert(text_equal(buf_text(&seen.last), message));
	rig_exchange_done(&seen);
	give_back(message);
	rig_stop();
	rmdir(path);
}
END_TEST

START_TEST(names_are_looked_up)
{
	rig_start(NULL, NULL, NULL);
	rig_connect((struct grpc_channel_options){.is_plain = true, .host = "localhost"});
	rig_until(rig_is_up);
	rig_stop();
	rig_start(NULL, NULL, NULL);
	rig_connect((struct grpc_channel_options){.is_plain = true, .host = "no.such.invalid"});
	rig_until(rig_is_lost);
	ck_assert_msg(strstr(rig.lost.text, "no.such.invalid"), "%s", rig.lost.text);
	rig_stop();
}
END_TEST

/* From the moment it is up a channel knows how many calls the server takes: more wait. */
enum { CROWD = 5 };
static struct rig_exchange crowd[CROWD];

static void call_at_once(void)
{
	for (size_t i = 0; i < CROWD; i++) {
		rig_call(&crowd[i], "/t/Echo", plain);
		rig_send(&crowd[i], TEXT("x"));
		grpc_exchange_close_send(crowd[i].exchange);
	}
}

START_TEST(calls_over_the_limit_wait)
{
	struct grpc_limits limits = grpc_limits_usual;
	limits.connections_of_peer = 8;
	limits.calls_of_connection = 1;
	limits.header_bytes = 4096;
	limits.buffered_bytes_all = 1 << 20;
	rig_start(NULL, &limits, NULL);
	rig.when_up = call_at_once;
	rig_connect((struct grpc_channel_options){.is_plain = true});
	rig_until(rig_is_up);
	for (size_t i = 0; i < CROWD; i++) {
		rig_finish(&crowd[i]);
		ck_assert_msg(crowd[i].code == GRPC_OK, "%zu: %s", i, crowd[i].message);
		rig_exchange_done(&crowd[i]);
	}
	rig_stop();
}
END_TEST

/* It has not begun, as the server takes no more, and yet its time runs. */
START_TEST(a_call_that_waits_for_its_turn_ends_in_time)
{
	struct rig_exchange first, cancelled;
	struct grpc_limits limits = grpc_limits_usual;
	limits.calls_of_connection = 1;
	rig_start(NULL, &limits, NULL);
	rig_connect((struct grpc_channel_options){.is_plain = true});
	rig_until(rig_is_up);
	rig_call(&first, "/t/Silent", plain);
	rig_call(&seen, "/t/Silent", (struct grpc_exchange_options){.timeout_ms = 20});
	rig_call(&cancelled, "/t/Silent", plain);
	grpc_exchange_cancel(cancelled.exchange);
	rig_finish(&cancelled);
	ck_assert_int_eq(cancelled.code, GRPC_CANCELLED);
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_DEADLINE_EXCEEDED);
	ck_assert(!first.is_finished);
	grpc_exchange_cancel(first.exchange);
	rig_finish(&first);
	rig_exchange_done(&first);
	rig_exchange_done(&cancelled);
	rig_until(rig_is_idle);
	ck_assert_uint_eq(rig.seen.n_open, 1);
	rig_exchange_done(&seen);
	rig_stop();
}
END_TEST

START_TEST(so_many_connections_and_no_more)
{
	struct err err;
	struct grpc_limits limits = grpc_limits_usual;
	limits.connections_of_peer = 1;
	limits.calls_of_connection = 1;
	limits.header_bytes = 4096;
	limits.buffered_bytes_all = 1 << 20;
	rig_start(NULL, &limits, NULL);
	rig_connect((struct grpc_channel_options){.is_plain = true});
	rig_until(rig_is_up);
	rig_unary(&seen, "/t/Echo", TEXT("x"), plain);
	rig_exchange_done(&seen);
	struct grpc_channel *first = rig.channel;
	rig_connect((struct grpc_channel_options){.is_plain = true});
	rig_until(rig_is_lost);
	ck_assert_uint_eq(grpc_server_count(rig.server, GRPC_REFUSED), 1);
	/* Headers over the limit: this call fails, others go on. */
	struct text lots = repeat('h', 5000);
	((char *)(uintptr_t)lots.data)[5000] = '\0';
	const char *const metadata[] = {"x-word", lots.data, NULL};
	struct grpc_channel *second = rig.channel;
	rig.channel = first;
	rig_unary(
		&seen, "/t/Echo", TEXT("x"), (struct grpc_exchange_options){.metadata = metadata});
	ck_assert_int_ne(seen.code, GRPC_OK);
	rig_exchange_done(&seen);
	rig_unary(&seen, "/t/Echo", TEXT("x"), plain);
	ck_assert_int_eq(seen.code, GRPC_OK);
	rig_exchange_done(&seen);
	/* All that is being received has a limit, too. */
	struct text large = repeat('l', 2 << 20);
	rig_unary(&seen, "/t/Echo", large, plain);
	ck_assert_int_eq(seen.code, GRPC_RESOURCE_EXHAUSTED);
	rig_exchange_done(&seen);
	give_back(lots);
	give_back(large);
	(void)err;
	grpc_channel_free(second);
	rig_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net/grpc");
	TCase *calls = tcase_create("calls"), *places = tcase_create("places");
	tcase_add_checked_fixture(calls, setup, teardown);
	tcase_add_test(calls, one_message_there_and_back);
	tcase_add_loop_test(calls, messages_of_all_sizes, 0, 2);
	tcase_add_test(calls, a_talk_of_many_messages);
	tcase_add_test(calls, a_status_with_text_and_details);
	tcase_add_test(calls, what_is_not_there);
	tcase_add_test(calls, binary_metadata_arrives_as_bytes);
	tcase_add_test(calls, too_long_a_message_is_refused);
	tcase_add_test(calls, two_messages_are_one_too_many);
	tcase_add_test(calls, a_deadline_ends_both_sides);
	tcase_add_test(calls, cancelling_is_told_to_the_server);
	tcase_add_test(calls, a_paused_call_stops_its_sender);
	tcase_add_test(calls, who_does_not_read_is_not_sent_more);
	tcase_add_test(calls, writable_is_told_when_there_is_room_again);
	tcase_add_test(calls, a_server_that_goes_ends_its_calls);
	tcase_add_test(calls, says_when_the_peers_have_got_everything);
	tcase_add_test(calls, a_quiet_end_lets_calls_finish);
	tcase_add_test(calls, a_channel_may_be_freed_from_a_callback);
	tcase_add_test(calls, health_is_told);
	tcase_add_test(places, tls_knows_who_is_who);
	tcase_add_test(places, over_a_path);
	tcase_add_test(places, a_slow_socket_gets_all_of_a_large_answer);
	tcase_add_test(places, names_are_looked_up);
	tcase_add_test(places, calls_over_the_limit_wait);
	tcase_add_test(places, a_call_that_waits_for_its_turn_ends_in_time);
	tcase_add_test(places, so_many_connections_and_no_more);
	tcase_set_timeout(calls, 60);
	tcase_set_timeout(places, 60);
	suite_add_tcase(suite, calls);
	suite_add_tcase(suite, places);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
