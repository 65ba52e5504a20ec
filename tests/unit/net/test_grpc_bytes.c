/* SPDX-License-Identifier: Apache-2.0 */

/* The channel and the server against a peer whose bytes are written here by hand. */

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "grpc_rig.h"

static struct rig_exchange seen, other;
static const struct grpc_exchange_options plain;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int listen_fd, fd;

static void say(struct text bytes)
{
	ck_assert_int_eq(write(fd, bytes.data, bytes.size), (ssize_t)bytes.size);
}

/* A server that is a socket: the channel is up. */
static void serve(void)
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
	rig_connect((struct grpc_channel_options){
		.is_plain = true, .host = "bytes", .unix_path = address.sun_path});
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	unlink(address.sun_path);
	rmdir(folder);
	ck_assert_int_ge(fd, 0);
	say(TEXT("\0\0\0\4\0\0\0\0\0")); /* SETTINGS */
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

static bool is_paused(void)
{
	return rig.seen.n_messages == 1;
}

/* What paused calls have waiting here is counted with what is being received. */
START_TEST(what_waits_has_a_limit)
{
	enum { EACH = 700000 };
	static char bytes[EACH];
	const struct grpc_limits limits = {.connections_max = 8,
		.connections_of_peer = 8,
		.calls_of_connection = 10,
		.header_bytes = 4096,
		.buffered_bytes_all = 1000000,
		.handshake_after_ms = 10000,
		.idle_after_ms = 60000};
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
	tcase_add_checked_fixture(bytes, serve, stop_serving);
	tcase_add_test(bytes, a_status_ends_what_is_still_open);
	tcase_add_test(bytes, an_answer_may_be_announced);
	tcase_add_test(bytes, a_status_of_http_ends_it_too);
	tcase_add_test(bytes, nothing_begins_on_a_lost_connection);
	tcase_add_test(limits, what_waits_has_a_limit);
	suite_add_tcase(suite, bytes);
	suite_add_tcase(suite, limits);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
