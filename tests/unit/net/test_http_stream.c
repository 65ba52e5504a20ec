/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/queue.h"
#include "net/http_client.h"
#include "net/http_stream.h"
#include "net/tls.h"
#include "tests/lib/certificates.h"
#include "tests/lib/server_thread.h"
#include "tests/lib/socket_client.h"

enum {
	STREAMS_MAX = 300,
	ENDLESS = INT32_MAX,
	/* what a socket and microhttpd hold of a peer that does not read: far more is a leak */
	HELD_BYTES_MAX = 32 * 1024 * 1024,
};

/* Gives 'x' up to `allowed` bytes; the test allows more and wakes it by way of the loop. */
struct flow {
	struct http_request *request;
	_Atomic int allowed;
	_Atomic int sent;
	_Atomic int n_reads;
	_Atomic int n_ended;
	_Atomic bool is_last; /* ends once all was sent */
};

enum order { ORDER_WAKE, ORDER_CUT, ORDER_QUIESCE };

static struct server_thread server;
static struct queue *orders; /* its fd is watched by the loop */
static struct loop_watch *watch;
static _Atomic int order;
static struct flow flows[STREAMS_MAX];
static _Atomic int n_flows;
static int first_allowed;
static struct clock_manual manual;
static struct socket_reply reply;
static char folder[] = "/tmp/tocsin-stream-XXXXXX";

static ssize_t read_flow(void *ctx, char *out, size_t size)
{
	struct flow *flow = ctx;
	int left = atomic_load(&flow->allowed) - atomic_load(&flow->sent);
	atomic_fetch_add(&flow->n_reads, 1);
	if (left == 0)
		return atomic_load(&flow->is_last) ? HTTP_STREAM_END : 0;
	size_t n = (size_t)left < size ? (size_t)left : size;
	memset(out, 'x', n);
	atomic_fetch_add(&flow->sent, (int)n);
	return (ssize_t)n;
}

static void end_flow(void *ctx)
{
	struct flow *flow = ctx;
	flow->request = NULL;
	atomic_fetch_add(&flow->n_ended, 1);
}

static void open_flow(struct http_request *request, void *ctx)
{
	static const char *const headers[] = {"X-Mine", "yes", NULL};
	struct flow *flow = &flows[atomic_load(&n_flows)];
	(void)ctx;
	flow->request = request;
	atomic_store(&flow->allowed, first_allowed);
	struct http_stream_source source = {.content_type = "text/event-stream",
		.headers = headers,
		.read = read_flow,
		.ended = end_flow,
		.ctx = flow};
	http_respond_stream(request, &source);
	atomic_fetch_add(&n_flows, 1);
}

/* On the loop's thread. */
static void obey(void *ctx)
{
	(void)ctx;
	ck_assert_ptr_null(queue_take(orders, 1, 0)); /* clears the fd */
	int wanted = atomic_load(&order);
	if (wanted == ORDER_QUIESCE)
		http_server_quiesce(server.server);
	for (int i = 0; i < atomic_load(&n_flows); i++) {
		if (flows[i].request && wanted == ORDER_CUT)
			http_stream_cut(flows[i].request);
		if (flows[i].request && wanted == ORDER_WAKE)
			http_stream_wake(flows[i].request);
	}
}

static void give(enum order wanted)
{
	atomic_store(&order, wanted);
	queue_wake(orders);
}

static void allow(struct flow *flow, int bytes)
{
	atomic_fetch_add(&flow->allowed, bytes);
	give(ORDER_WAKE);
}

static bool is_ended(const struct flow *flow)
{
	return atomic_load(&flow->n_ended) == 1;
}

static bool wait_until(bool (*condition)(const struct flow *flow), const struct flow *flow)
{
	int64_t until_ms = clock_monotonic_ms(&clock_system) + SOCKET_WAIT_MS;
	while (!condition(flow) && clock_monotonic_ms(&clock_system) < until_ms)
		sched_yield();
	return condition(flow);
}

static const struct http_route routes_of_test[] = {
	{HTTP_GET, "/stream", NULL, open_flow, NULL, NULL, false},
	{HTTP_GET, NULL, NULL, NULL, NULL, NULL, false},
};
static const struct http_route *const routes[] = {routes_of_test, NULL};

static void start_with(struct tls_server *tls)
{
	memset(flows, 0, sizeof flows);
	atomic_store(&n_flows, 0);
	first_allowed = 0;
	clock_manual_init(&manual, 0);
	orders = queue_new(SIZE_MAX);
	server_thread_init(&server, routes, &manual.clock, NULL, tls);
	watch = loop_watch_new(server.loop, queue_fd(orders), obey, NULL);
	server_thread_run(&server);
}

static void start(void)
{
	start_with(NULL);
}

static void stop(void)
{
	if (server.loop) {
		server_thread_join(&server);
		loop_watch_free(watch);
		server_thread_done(&server);
	}
	queue_free(orders);
}

static int open_stream(void)
{
	int fd = socket_open(server.port);
	socket_send_string(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 200);
	return fd;
}

/* Exactly these bytes come next. */
static void expect(int fd, const char *bytes)
{
	char got[256];
	size_t size = strlen(bytes), n = 0;
	while (n < size) {
		struct pollfd look = {.fd = fd, .events = POLLIN};
		ck_assert_int_eq(poll(&look, 1, SOCKET_WAIT_MS), 1);
		ssize_t more = recv(fd, got + n, size - n, 0);
		ck_assert_int_gt((int)more, 0);
		n += (size_t)more;
	}
	ck_assert(memcmp(got, bytes, size) == 0);
}

START_TEST(sends_what_comes_and_sleeps_in_between)
{
	int fd = open_stream();
	ck_assert_ptr_nonnull(strstr(reply.head, "Content-Type: text/event-stream\r\n"));
	ck_assert_ptr_nonnull(strstr(reply.head, "X-Mine: yes\r\n"));
	for (int i = 0; i < 20; i++) {
		allow(&flows[0], 3);
		expect(fd, "3\r\nxxx\r\n");
	}
	/* One call gives bytes and one says that there are none, for each wake; none in between. */
	ck_assert_int_le(atomic_load(&flows[0].n_reads), 20 * 2 + 1);
	close(fd);
}
END_TEST

START_TEST(ends_when_the_source_says_so)
{
	int fd = open_stream();
	atomic_store(&flows[0].is_last, true);
	allow(&flows[0], 1);
	expect(fd, "1\r\nx\r\n0\r\n\r\n");
	ck_assert(wait_until(is_ended, &flows[0]));
	/* The connection is as good as new. */
	socket_send_string(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 200);
	close(fd);
}
END_TEST

START_TEST(answers_head_without_reading)
{
	int fd = socket_open(server.port);
	socket_send_string(fd, "HEAD /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	ck_assert(wait_until(is_ended, &flows[0]));
	ck_assert_int_eq(atomic_load(&flows[0].n_reads), 0);
	close(fd);
}
END_TEST

START_TEST(notices_peers_that_leave_a_sleeping_stream)
{
	static int fds[STREAMS_MAX];
	for (int i = 0; i < STREAMS_MAX; i++)
		fds[i] = open_stream();
	for (int i = 0; i < STREAMS_MAX; i++)
		close(fds[i]);
	for (int i = 0; i < STREAMS_MAX; i++)
		ck_assert(wait_until(is_ended, &flows[i]));
}
END_TEST

START_TEST(wakes_hundreds_at_once)
{
	static int fds[STREAMS_MAX];
	for (int i = 0; i < STREAMS_MAX; i++)
		fds[i] = open_stream();
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < STREAMS_MAX; i++)
			atomic_fetch_add(&flows[i].allowed, 5);
		give(ORDER_WAKE);
		for (int i = 0; i < STREAMS_MAX; i++)
			expect(fds[i], "5\r\nxxxxx\r\n");
	}
	for (int i = 0; i < STREAMS_MAX; i++)
		close(fds[i]);
}
END_TEST

/* The source stops being asked when the socket is full: it gives less than it could. */
static bool is_blocked(const struct flow *flow)
{
	static int sent, same;
	int now = atomic_load(&flow->sent);
	same = now == sent && now > 0 ? same + 1 : 0;
	sent = now;
	struct pollfd nothing = {.fd = -1};
	poll(&nothing, 1, 1);
	return same > 200;
}

START_TEST(asks_no_more_than_a_slow_reader_takes_and_cuts_it)
{
	first_allowed = ENDLESS;
	int fd = open_stream();
	ck_assert(wait_until(is_blocked, &flows[0]));
	ck_assert_int_lt(atomic_load(&flows[0].sent), HELD_BYTES_MAX);
	ck_assert(!is_ended(&flows[0]));
	give(ORDER_CUT);
	ck_assert(wait_until(is_ended, &flows[0]));
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	close(fd);
}
END_TEST

START_TEST(cuts_a_sleeping_stream)
{
	int fd = open_stream();
	give(ORDER_CUT);
	ck_assert(wait_until(is_ended, &flows[0]));
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	close(fd);
}
END_TEST

START_TEST(ends_streams_when_quiesced_and_begins_no_others)
{
	int fd = open_stream(), other = open_stream();
	allow(&flows[1], 1);
	expect(other, "1\r\nx\r\n");
	give(ORDER_QUIESCE);
	expect(fd, "0\r\n\r\n");
	expect(other, "0\r\n\r\n");
	ck_assert(wait_until(is_ended, &flows[0]));
	socket_send_string(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 200);
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	close(fd);
	close(other);
}
END_TEST

START_TEST(stops_with_streams_asleep_and_blocked)
{
	int fd = open_stream();
	first_allowed = ENDLESS;
	int slow = open_stream();
	ck_assert(wait_until(is_blocked, &flows[1]));
	server_thread_join(&server);
	loop_watch_free(watch);
	server_thread_done(&server);
	ck_assert(is_ended(&flows[0]));
	ck_assert(is_ended(&flows[1]));
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	close(fd);
	close(slow);
}
END_TEST

struct received {
	size_t n, wanted;
	int stop_fd; /* written once all is there; -1: the receiver says that it has enough */
};

static bool receive(void *ctx, struct text bytes)
{
	struct received *received = ctx;
	uint64_t one = 1;
	received->n += bytes.size;
	if (received->n < received->wanted)
		return true;
	if (received->stop_fd >= 0)
		ck_assert_int_eq(write(received->stop_fd, &one, sizeof one), sizeof one);
	return received->stop_fd >= 0;
}

static void read_with_client(const char *scheme, const char *authority, int stop_fd)
{
	char url[64];
	struct http_client *client = NULL;
	struct http_answer answer;
	struct err err = {0};
	text_format(url, sizeof url, "%s://127.0.0.1:%u", scheme, server.port);
	struct http_client_options options = {.base_url = url, .ca_file = authority};
	ck_assert_int_eq(http_client_new(&client, &options, &err), 0);
	struct received received = {0, 1000000, stop_fd};
	struct http_receiver receiver = {receive, &received, stop_fd, 10};
	struct http_call call = {.method = "GET", .path = "/stream"};
	first_allowed = 1000000;
	ck_assert_msg(
		http_client_stream(client, &call, &receiver, &answer, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(answer.status, 200);
	ck_assert_uint_eq(received.n, 1000000);
	http_answer_done(&answer);
	/* An answer that is no stream is read as ever. */
	receiver.stop_fd = -1;
	call.path = "/nothing";
	ck_assert_int_eq(http_client_stream(client, &call, &receiver, &answer, &err), 0);
	ck_assert_uint_eq(answer.status, 404);
	ck_assert_ptr_nonnull(strstr(buf_string(&answer.body), "Not found"));
	http_answer_done(&answer);
	http_client_free(client);
	ck_assert(wait_until(is_ended, &flows[0]));
}

START_TEST(client_reads_until_it_has_enough)
{
	read_with_client("http", NULL, -1);
}
END_TEST

START_TEST(client_says_when_the_server_is_silent)
{
	char url[64];
	struct http_client *client = NULL;
	struct http_answer answer;
	struct err err = {0};
	struct received received = {0, 1000, -1};
	struct http_receiver receiver = {receive, &received, -1, 1};
	struct http_call call = {.method = "GET", .path = "/stream"};
	text_format(url, sizeof url, "http://127.0.0.1:%u", server.port);
	struct http_client_options options = {.base_url = url};
	ck_assert_int_eq(http_client_new(&client, &options, &err), 0);
	ck_assert_int_eq(http_client_stream(client, &call, &receiver, &answer, &err), -1);
	ck_assert_int_eq(err.kind, ERR_IO);
	http_client_free(client);
}
END_TEST

START_TEST(streams_over_tls)
{
	static struct certificate_files files;
	struct tls_server *tls = NULL;
	struct err err = {0};
	certificates_make(&files, folder, "ours", "x");
	struct tls_server_options options = {.certificate = files.certificate, .key = files.key};
	stop();
	ck_assert_int_eq(tls_server_new(&tls, &options, &err), 0);
	start_with(tls);
	int stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	read_with_client("https", files.authority, stop_fd);
	close(stop_fd);
	server_thread_join(&server);
	loop_watch_free(watch);
	server_thread_done(&server);
	tls_server_free(tls);
}
END_TEST

int main(void)
{
	if (!mkdtemp(folder))
		return EXIT_FAILURE;
	Suite *suite = suite_create("net/http_stream");
	TCase *tests = tcase_create("http_stream");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, sends_what_comes_and_sleeps_in_between);
	tcase_add_test(tests, ends_when_the_source_says_so);
	tcase_add_test(tests, answers_head_without_reading);
	tcase_add_test(tests, notices_peers_that_leave_a_sleeping_stream);
	tcase_add_test(tests, wakes_hundreds_at_once);
	tcase_add_test(tests, asks_no_more_than_a_slow_reader_takes_and_cuts_it);
	tcase_add_test(tests, cuts_a_sleeping_stream);
	tcase_add_test(tests, ends_streams_when_quiesced_and_begins_no_others);
	tcase_add_test(tests, stops_with_streams_asleep_and_blocked);
	tcase_add_test(tests, client_reads_until_it_has_enough);
	tcase_add_test(tests, client_says_when_the_server_is_silent);
	tcase_add_test(tests, streams_over_tls);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
