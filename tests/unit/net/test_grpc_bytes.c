/* SPDX-License-Identifier: Apache-2.0 */

/* The channel and the server against a peer whose bytes are written here by hand. */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "grpc_rig.h"

static struct rig_exchange seen, other;
static const struct grpc_exchange_options plain;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int listen_fd, fd;

static void say(struct text bytes)
{
	ck_assert_int_eq(write(fd, bytes.data, bytes.size), (ssize_t)bytes.size);
}

#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define PING     "\0\0\x08\6\0\0\0\0\0"

/* A server that is a socket, and says nothing yet. */
static void accept_channel(struct grpc_channel_options options)
{
	char folder[] = "/tmp/tocsin-grpc-bytes-XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(folder));
	text_format(address.sun_path, sizeof address.sun_path, "%s/s", folder);
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
		bind(listen_fd, (const struct sockaddr *)(const void *)&address, sizeof address),
		0);
	ck_assert_int_eq(listen(listen_fd, 1), 0);
	rig_start(NULL, NULL, NULL);
	options.is_plain = true;
	options.host = "bytes";
	options.unix_path = address.sun_path;
	rig_connect(options);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	unlink(address.sun_path);
	rmdir(folder);
	ck_assert_int_ge(fd, 0);
}

/* The channel is up. */
static void serve(void)
{
	accept_channel((struct grpc_channel_options){0});
	say(TEXT(SETTINGS));
	rig_until(rig_is_up);
}

static void stop_serving(void)
{
	close(fd);
	close(listen_fd);
	rig_exchange_done(&seen);
	rig_stop();
}

static bool is_sent(void)
{
	return grpc_exchange_waiting_bytes(seen.exchange) == 0;
}

/* :status 200, content-type; grpc-status 0 */
#define HEAD                                                                                       \
	"\x88\x0f\x10\x10"                                                                         \
	"application/grpc"
#define TRAILER "\0\x0bgrpc-status\1\x30"

/* A server need not reset what it does not want to read: its status is the end. */
START_TEST(a_status_ends_what_is_still_open)
{
	rig_call(&seen, "/t/Talk", plain);
	rig_send(&seen, TEXT("x"));
	rig_until(is_sent);
	say(TEXT("\0\0\x14\1\4\0\0\0\1" HEAD));
	say(TEXT("\0\0\7\0\0\0\0\0\1\0\0\0\0\2hi"));
	say(TEXT("\0\0\x0f\1\5\0\0\0\1" TRAILER));
	rig_finish(&seen);
	ck_assert_int_eq(seen.code, GRPC_OK);
	ck_assert_uint_eq(seen.n_messages, 1);
	ck_assert(text_is(buf_text(&seen.last), "hi"));
}
END_TEST

START_TEST(an_answer_may_be_announced)
{
	rig_call(&seen, "/t/Talk", plain);
	rig_send(&seen, TEXT("x"));
	rig_until(is_sent);
	say(TEXT("\0\0\5\1\4\0\0\0\1\x08\3"
		 "103"));
	say(TEXT("\0\0\x14\1\4\0\0\0\1" HEAD));
	say(TEXT("\0\0\7\0\0\0\0\0\1\0\0\0\0\2hi"));
	say(TEXT("\0\0\x0f\1\5\0\0\0\1" TRAILER));
	rig_finish(&seen);
	ck_assert_msg(seen.code == GRPC_OK, "%d %s", (int)seen.code, seen.message);
	ck_assert_uint_eq(seen.n_messages, 1);
}
END_TEST

/* A proxy that is no gRPC: what it says beside its status is no message. */
START_TEST(a_status_of_http_ends_it_too)
{
	for (unsigned char flags = 4; flags < 6; flags++) { /* with more to come, and without */
		const char head[] = {0, 0, 5, 1, (char)flags, 0, 0, 0, (char)(1 + 2 * (flags - 4)),
			8, 3, '5', '0', '3'};
		rig_call(&seen, "/t/Talk", plain);
		rig_send(&seen, TEXT("x"));
		rig_until(is_sent);
		say((struct text){head, sizeof head});
		rig_finish(&seen);
		ck_assert_int_eq(seen.code, GRPC_UNAVAILABLE);
		rig_exchange_done(&seen);
	}
}
END_TEST

static enum err_kind again;

static void call_again(struct grpc_exchange *exchange, const struct grpc_status *status, void *ctx)
{
	struct err err = {0};
	struct grpc_exchange *next;
	const struct grpc_exchange_options options = {.path = "/t/Talk", .finished = call_again};
	(void)exchange;
	(void)ctx;
	ck_assert_int_eq(status->code, GRPC_UNAVAILABLE);
	ck_assert_int_eq(again, ERR_NONE); /* once */
	ck_assert_int_eq(grpc_exchange_new(&next, rig.channel, &options, &err), -1);
	again = err.kind;
}

START_TEST(nothing_begins_on_a_lost_connection)
{
	struct err err;
	struct grpc_exchange *exchange;
	const struct grpc_exchange_options options = {.path = "/t/Talk", .finished = call_again};
	again = ERR_NONE;
	ck_assert_int_eq(grpc_exchange_new(&exchange, rig.channel, &options, &err), 0);
	shutdown(fd, SHUT_RDWR);
	rig_until(rig_is_lost);
	ck_assert_int_eq(again, ERR_BUSY);
}
END_TEST

/* ---- the channel is freed while the connection reads what came with it ---- */

static bool is_freed(void)
{
	return !rig.channel;
}

static void free_channel(void)
{
	grpc_channel_free(rig.channel);
	rig.channel = NULL;
}

START_TEST(it_may_be_freed_when_it_is_up)
{
	accept_channel((struct grpc_channel_options){0});
	rig.when_up = free_channel;
	say(TEXT(SETTINGS PING "12345678" PING "12345678"));
	rig_until(is_freed);
	ck_assert_uint_eq(rig.n_up, 1);
	ck_assert_uint_eq(rig.n_lost, 0);
}
END_TEST

static unsigned n_finished;

/* Frees it, inside of another end of it as well, and begins nothing on what goes. */
static void finish_and_free(
	struct grpc_exchange *exchange, const struct grpc_status *status, void *ctx)
{
	struct err err = {0};
	struct grpc_exchange *next;
	const struct grpc_exchange_options options = {.path = "/t/Talk", .finished = call_again};
	(void)exchange;
	(void)ctx;
	bool is_first = n_finished++ == 0;
	ck_assert_int_eq(status->code, is_first ? GRPC_OK : GRPC_CANCELLED);
	grpc_channel_free(rig.channel);
	if (is_first)
		rig.channel = NULL;
	else
		ck_assert_int_eq(grpc_exchange_new(&next, rig.channel, &options, &err), -1);
}

START_TEST(it_may_be_freed_when_a_call_is_over)
{
	struct err err;
	struct grpc_exchange *exchange;
	const struct grpc_exchange_options options = {
		.path = "/t/Talk", .finished = finish_and_free};
	n_finished = 0;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(grpc_exchange_new(&exchange, rig.channel, &options, &err), 0);
	ck_assert_int_eq(grpc_exchange_send(exchange, TEXT("x"), &err), 0);
	seen.exchange = exchange;
	rig_until(is_sent);
	say(TEXT("\0\0\x23\1\5\0\0\0\1" HEAD TRAILER PING "12345678" PING "12345678"));
	rig_until(is_freed);
	ck_assert_uint_eq(n_finished, 3);
}
END_TEST

START_TEST(it_may_be_freed_when_it_is_lost)
{
	rig.when_lost = free_channel;
	shutdown(fd, SHUT_RDWR);
	rig_until(is_freed);
	ck_assert_uint_eq(rig.n_lost, 1);
}
END_TEST

/* ---- PING ---- */

static unsigned n_pings; /* that came */
static bool answers;

/* Reads what the channel says; counts, and answers, its PINGs. */
static bool has_pinged_thrice(void)
{
	static struct buf heard;
	static char room[65536];
	ssize_t n = recv(fd, room, sizeof room, MSG_DONTWAIT);
	if (!heard.max)
		buf_init(&heard, sizeof room);
	if (n > 0)
		buf_add_bytes(&heard, room, (size_t)n);
	struct text rest = buf_text(&heard), preface = TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	if (text_starts(rest, preface))
		rest = text_part(rest, preface.size, rest.size);
	while (rest.size >= 9) {
		const unsigned char *head = (const unsigned char *)rest.data;
		size_t size = 9U + ((size_t)head[1] << 8 | head[2]);
		if (rest.size < size)
			break;
		if (head[3] == 6 && head[4] == 0) {
			n_pings++;
			if (answers)
				say(TEXT("\0\0\x08\6\1\0\0\0\0\0\0\0\0\0\0\0\0"));
		}
		rest = text_part(rest, size, rest.size);
	}
	memmove(heard.data, rest.data, rest.size);
	heard.size = rest.size;
	return n_pings == 3;
}

static void serve_pings(void)
{
	accept_channel((struct grpc_channel_options){.ping_after_ms = 40, .answer_after_ms = 30});
	n_pings = 0;
	answers = true;
	say(TEXT(SETTINGS));
	rig_until(rig_is_up);
}

START_TEST(a_ping_without_answer_is_the_end)
{
	rig_call(&seen, "/t/Talk", plain);
	rig_send(&seen, TEXT("x"));
	rig_until(rig_is_lost);
	ck_assert_int_eq(rig.lost.kind, ERR_IO);
	ck_assert_msg(strstr(rig.lost.text, "no answer to a PING"), "%s", rig.lost.text);
	ck_assert(seen.is_finished);
	ck_assert_int_eq(seen.code, GRPC_UNAVAILABLE);
	ck_assert_msg(strstr(seen.message, "PING"), "%s", seen.message);
}
END_TEST

START_TEST(with_answers_it_stays)
{
	int64_t began_ms = clock_monotonic_ms(&clock_system);
	rig_until(has_pinged_thrice);
	ck_assert_int_ge(clock_monotonic_ms(&clock_system) - began_ms, 3 * 40);
	ck_assert(grpc_channel_is_up(rig.channel));
	ck_assert_uint_eq(rig.n_lost, 0);
}
END_TEST

static bool is_paused(void)
{
	return rig.seen.n_messages == 1;
}

/* What paused calls have waiting here is counted with what is being received. */
START_TEST(what_waits_has_a_limit)
{
	enum { EACH = 700000 };
	static char bytes[EACH];
	struct grpc_limits limits = grpc_limits_usual;
	limits.connections_of_peer = 8;
	limits.calls_of_connection = 10;
	limits.header_bytes = 4096;
	limits.call_window_bytes = 1000000;
	limits.buffered_bytes_all = 1000000;
	rig_start(NULL, &limits, NULL);
	rig_connect((struct grpc_channel_options){.is_plain = true});
	rig_until(rig_is_up);
	rig.seen.pause_after = 1;
	rig_call(&seen, "/t/Sink", plain);
	rig_send(&seen, TEXT("1"));
	rig_until(is_paused);
	rig_send(&seen, (struct text){bytes, EACH});
	rig.seen.n_messages = 0;
	rig_call(&other, "/t/Sink", plain);
	rig_send(&other, TEXT("1"));
	rig_until(is_paused);
	rig_send(&other, (struct text){bytes, EACH});
	rig_finish(&other);
	ck_assert_int_eq(other.code, GRPC_RESOURCE_EXHAUSTED);
	ck_assert(!seen.is_finished);
	rig_exchange_done(&other);
	/* With the first all of it is free again. */
	grpc_exchange_cancel(seen.exchange);
	rig_finish(&seen);
	rig_until(rig_is_idle);
	rig_exchange_done(&seen);
	rig_unary(&seen, "/t/Echo", (struct text){bytes, EACH}, plain);
	ck_assert_int_eq(seen.code, GRPC_OK);
	rig_exchange_done(&seen);
	rig_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net/grpc_bytes");
	TCase *bytes = tcase_create("bytes"), *limits = tcase_create("limits");
	TCase *pings = tcase_create("pings"), *frees = tcase_create("frees");
	tcase_add_checked_fixture(bytes, serve, stop_serving);
	tcase_add_test(bytes, a_status_ends_what_is_still_open);
	tcase_add_test(bytes, an_answer_may_be_announced);
	tcase_add_test(bytes, a_status_of_http_ends_it_too);
	tcase_add_test(bytes, nothing_begins_on_a_lost_connection);
	tcase_add_test(bytes, it_may_be_freed_when_a_call_is_over);
	tcase_add_test(bytes, it_may_be_freed_when_it_is_lost);
	tcase_add_checked_fixture(frees, NULL, stop_serving);
	tcase_add_test(frees, it_may_be_freed_when_it_is_up);
	tcase_add_checked_fixture(pings, serve_pings, stop_serving);
	tcase_add_test(pings, a_ping_without_answer_is_the_end);
	tcase_add_test(pings, with_answers_it_stays);
	tcase_add_test(limits, what_waits_has_a_limit);
	suite_add_tcase(suite, bytes);
	suite_add_tcase(suite, frees);
	suite_add_tcase(suite, pings);
	suite_add_tcase(suite, limits);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
