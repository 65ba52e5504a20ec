/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/queue.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "tests/lib/server_thread.h"
#include "tests/lib/socket_client.h"

enum { LIMIT = 256 * 1024, IDLE_CONNECTIONS = 2000, READY_CONNECTIONS = 256 };

/* Sanitizers keep shadow memory: under them the figures only catch what grows without end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IDLE_MAX_KB = 512 * 1024, FLAT_MAX_KB = 64 * 1024 };
#else
enum { IDLE_MAX_KB = 100 * 1024, FLAT_MAX_KB = 4 * 1024 };
#endif

/* "/echo" answers at once; "/later" by another thread; "/never" not at all. */
static struct server_thread server;
static struct clock_manual manual;
static struct queue *later;
static pthread_t answerer;
static atomic_int n_aborted;
static atomic_int last_refused;
static atomic_int n_waiting;
static struct socket_reply reply;

struct errand {
	struct queue_item item;
	struct http_request *request;
};

static size_t admit(struct http_request *request, void *ctx)
{
	(void)ctx;
	if (text_is(http_header(request, "X-Refuse"), "yes")) {
		http_respond_problem(request, 401, "Who are you", TEXT("say \"please\""));
		return 0;
	}
	return LIMIT;
}

static void echo(struct http_request *request, void *ctx)
{
	struct http_response response = {.status = 200, .content_type = "application/octet-stream"};
	(void)ctx;
	response.body = http_body_take(request, &response.body_size);
	http_respond(request, &response);
}

static void part(struct http_request *request, void *ctx)
{
	struct http_response response = {.status = 200, .content_type = "text/plain"};
	struct text name = http_path_part(request, 0);
	struct text query = http_query(request, "q");
	struct buf out;
	(void)ctx;
	buf_init(&out, 4096);
	buf_addf(&out, "%.*s|%.*s", TEXT_ARG(name), TEXT_ARG(query));
	response.body = buf_take(&out, &response.body_size);
	http_respond(request, &response);
}

static void hand_over(struct http_request *request, void *ctx)
{
	struct errand *errand = calloc(1, sizeof *errand);
	(void)ctx;
	errand->request = request;
	ck_assert(queue_push(later, &errand->item));
}

static void keep(struct http_request *request, void *ctx)
{
	(void)request;
	(void)ctx;
	atomic_fetch_add(&n_waiting, 1);
}

/* Waits: the client may read the answer before the loop's thread tells the route. */
static int refused_status(void)
{
	for (long i = 0; i < 10000000 && atomic_load(&last_refused) == 0; i++)
		sched_yield();
	return atomic_load(&last_refused);
}

static void aborted(struct http_request *request, void *ctx)
{
	(void)ctx;
	atomic_store(&last_refused, (int)http_refused_status(request));
	atomic_fetch_add(&n_aborted, 1);
}

static const struct http_route routes_of_test[] = {
	{HTTP_POST, "/echo", admit, echo, NULL, aborted, false},
	{HTTP_POST, "/later", admit, hand_over, NULL, aborted, false},
	{HTTP_POST, "/never", admit, keep, NULL, aborted, false},
	{HTTP_GET, "/part/{name}", NULL, part, NULL, NULL, false},
	{HTTP_GET, NULL, NULL, NULL, NULL, NULL, false},
};
static const struct http_route *const routes[] = {routes_of_test, NULL};

static void *answer_later(void *ctx)
{
	(void)ctx;
	for (;;) {
		struct queue_item *item = queue_take(later, SIZE_MAX, -1);
		if (!item)
			return NULL;
		while (item) {
			struct errand *errand = (struct errand *)(void *)item;
			struct http_response response = {.status = 202};
			item = item->next;
			http_respond(errand->request, &response);
			free(errand);
		}
	}
}

static void start(void)
{
	clock_manual_init(&manual, 0);
	atomic_store(&n_aborted, 0);
	atomic_store(&last_refused, 0);
	atomic_store(&n_waiting, 0);
	later = queue_new(SIZE_MAX);
	server_thread_init(&server, routes, &manual.clock, NULL, NULL);
	ck_assert_int_eq(pthread_create(&answerer, NULL, answer_later, NULL), 0);
	server_thread_run(&server);
}

static void stop(void)
{
	queue_close(later);
	pthread_join(answerer, NULL);
	server_thread_join(&server);
	server_thread_done(&server);
	queue_free(later);
}

START_TEST(answers_at_once_and_keeps_the_connection)
{
	int fd = socket_open(server.port);
	for (int i = 0; i < 3; i++) {
		ck_assert(socket_post(fd, "/echo", "", TEXT("hello")));
		socket_read(fd, &reply, SOCKET_WAIT_MS);
		ck_assert_int_eq(reply.status, 200);
		ck_assert_str_eq(reply.body, "hello");
	}
	ck_assert_ptr_nonnull(strstr(reply.head, "X-Content-Type-Options: nosniff\r\n"));
	ck_assert_ptr_nonnull(strstr(reply.head, "Cache-Control: no-store\r\n"));
	ck_assert_ptr_nonnull(strstr(reply.head, "Referrer-Policy: no-referrer\r\n"));
	ck_assert_ptr_null(strcasestr(reply.head, "\r\nServer:"));
	close(fd);
}
END_TEST

/* An answer like the one before is the same one of microhttpd's: none may be another's. */
START_TEST(answers_are_their_own_however_alike)
{
	static char longer[300];
	memset(longer, 'x', sizeof longer);
	const struct text bodies[] = {TEXT("one"), TEXT("one"), TEXT("two"), TEXT("two."),
		{longer, sizeof longer}, TEXT("two."), TEXT("one|")};
	int fds[] = {socket_open(server.port), socket_open(server.port)};
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < sizeof bodies / sizeof bodies[0]; j++) {
			ck_assert(socket_post(fds[i], "/echo", "", bodies[j]));
			socket_read(fds[i], &reply, SOCKET_WAIT_MS);
			ck_assert(text_equal(text_of(reply.body), bodies[j]));
			ck_assert_ptr_nonnull(strstr(reply.head, "octet-stream"));
			if (i == 0)
				continue;
			ck_assert(socket_send_string(
				fds[i], "GET /part/one HTTP/1.1\r\nHost: x\r\n\r\n"));
			socket_read(fds[i], &reply, SOCKET_WAIT_MS);
			ck_assert_ptr_nonnull(strstr(reply.head, "text/plain"));
			ck_assert_str_eq(reply.body, "one|");
		}
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(answers_from_another_thread)
{
	int fd = socket_open(server.port);
	for (int i = 0; i < 100; i++) {
		ck_assert(socket_post(fd, "/later", "", TEXT("x")));
		socket_read(fd, &reply, SOCKET_WAIT_MS);
		ck_assert_int_eq(reply.status, 202);
	}
	close(fd);
}
END_TEST

/* With 128 and more connections ready at once microhttpd's own thread stalls; our loop must not. */
START_TEST(serves_256_connections_that_are_ready_at_once)
{
	static int fds[READY_CONNECTIONS];
	for (int i = 0; i < READY_CONNECTIONS; i++)
		fds[i] = socket_open(server.port);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < READY_CONNECTIONS; i++)
			ck_assert(socket_post(fds[i], i % 2 ? "/later" : "/echo", "", TEXT("x")));
		for (int i = 0; i < READY_CONNECTIONS; i++) {
			socket_read(fds[i], &reply, SOCKET_WAIT_MS);
			ck_assert_int_eq(reply.status, i % 2 ? 202 : 200);
		}
	}
	for (int i = 0; i < READY_CONNECTIONS; i++)
		close(fds[i]);
}
END_TEST

START_TEST(says_404_and_405_as_problems)
{
	ck_assert_int_eq(socket_post_once(server.port, "/nothing", "", TEXT("x"), &reply), 404);
	ck_assert_ptr_nonnull(strstr(reply.head, "application/problem+json"));
	ck_assert_ptr_nonnull(strstr(reply.body, "\"status\":404"));
	ck_assert_int_eq(socket_post_once(server.port, "/part/a", "", TEXT("x"), &reply), 405);
	ck_assert_ptr_nonnull(strstr(reply.head, "Allow: GET, HEAD\r\n"));
}
END_TEST

START_TEST(decodes_parts_and_queries)
{
	int fd = socket_open(server.port);
	socket_send_string(fd, "GET /part/a%2Fb%20c?q=%C3%A9+1 HTTP/1.1\r\nHost: x\r\n\r\n");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 200);
	ck_assert_str_eq(reply.body, "a/b c|\xC3\xA9 1");
	socket_send_string(fd, "GET /part/a%00b HTTP/1.1\r\nHost: x\r\n\r\n");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 400);
	close(fd);
	fd = socket_open(server.port);
	socket_send_string(fd, "GET /part/a%2 HTTP/1.1\r\nHost: x\r\n\r\n");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 400);
	close(fd);
}
END_TEST

START_TEST(answers_head_without_a_body)
{
	int fd = socket_open(server.port);
	socket_send_string(fd, "HEAD /part/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	ck_assert_int_gt((int)recv(fd, reply.head, 12, MSG_WAITALL), 0);
	ck_assert(memcmp(reply.head, "HTTP/1.1 200", 12) == 0);
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	close(fd);
}
END_TEST

START_TEST(refuses_in_admit_and_still_delivers_the_answer)
{
	static char body[LIMIT];
	memset(body, 'x', sizeof body);
	int status = socket_post_once(server.port, "/echo", "X-Refuse: yes\r\n",
		(struct text){body, sizeof body}, &reply);
	ck_assert_int_eq(status, 401);
	ck_assert_ptr_nonnull(strstr(reply.body, "say \\\"please\\\""));
	ck_assert_ptr_nonnull(strcasestr(reply.head, "Connection: close"));
	ck_assert_int_eq(atomic_load(&n_aborted), 0);
}
END_TEST

START_TEST(takes_a_body_of_exactly_the_limit)
{
	static char body[LIMIT + 1];
	memset(body, 'x', sizeof body);
	ck_assert_int_eq(
		socket_post_once(server.port, "/later", "", (struct text){body, LIMIT}, &reply),
		202);
	ck_assert_int_eq(
		socket_post_once(server.port, "/later", "", (struct text){body, LIMIT + 1}, &reply),
		413);
	ck_assert_int_eq(refused_status(), 413);
}
END_TEST

START_TEST(refuses_a_claimed_length_at_once)
{
	int fd = socket_open(server.port);
	socket_send_string(fd, "POST /echo HTTP/1.1\r\nHost: x\r\n"
			       "Content-Length: 99999999999\r\n\r\nabc");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 413);
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	close(fd);
}
END_TEST

static long resident_kb(void)
{
	long pages = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%ld %ld", &pages, &resident), 2);
	fclose(file);
	return resident * sysconf(_SC_PAGESIZE) / 1024;
}

/* 12 MiB in chunks against a limit of 256 KiB: 413, and the memory of the server stays flat. */
START_TEST(refuses_an_endless_chunked_body_with_flat_memory)
{
	static char chunk[65536 + 16];
	size_t head = text_format(chunk, sizeof chunk, "10000\r\n");
	memset(chunk + head, 'x', 65536);
	memcpy(chunk + head + 65536, "\r\n", 2);
	int fd = socket_open(server.port);
	long before_kb = resident_kb();
	socket_send_string(fd, "POST /echo HTTP/1.1\r\nHost: x\r\n"
			       "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 12 * 16; i++)
		ck_assert(socket_send(fd, (struct text){chunk, head + 65536 + 2}));
	socket_send_string(fd, "0\r\n\r\n");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 413);
	ck_assert_int_lt(resident_kb() - before_kb, FLAT_MAX_KB);
	close(fd);
}
END_TEST

START_TEST(hangs_up_on_a_chunked_body_that_never_ends)
{
	static char chunk[65536 + 16];
	size_t head = text_format(chunk, sizeof chunk, "10000\r\n");
	memset(chunk + head, 'x', 65536);
	memcpy(chunk + head + 65536, "\r\n", 2);
	int fd = socket_open(server.port);
	socket_send_string(fd, "POST /echo HTTP/1.1\r\nHost: x\r\n"
			       "Transfer-Encoding: chunked\r\n\r\n");
	bool sent = true;
	for (int i = 0; i < 64 * 16 && sent; i++)
		sent = socket_send(fd, (struct text){chunk, head + 65536 + 2});
	ck_assert(!sent);
	close(fd);
}
END_TEST

START_TEST(refuses_bodies_whose_length_is_not_clear)
{
	static const char *const bad[] = {
		"Content-Length: 3\r\nContent-Length: 3\r\n",
		"Content-Length: 3\r\nContent-Length: 30\r\n",
		"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"Content-Length: +3\r\n",
		"Content-Length: 3, 3\r\n",
		"Content-Length: -1\r\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[256];
		text_format(
			text, sizeof text, "POST /echo HTTP/1.1\r\nHost: x\r\n%s\r\nabc", bad[i]);
		int fd = socket_open(server.port);
		socket_send_string(fd, text);
		socket_read(fd, &reply, SOCKET_WAIT_MS);
		ck_assert_msg(reply.status == 400, "%s: %d", bad[i], reply.status);
		ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
		close(fd);
	}
}
END_TEST

/* All bodies together may have 384 KiB here (buffers double): the second large one has no room. */
START_TEST(refuses_bodies_beyond_what_all_may_have)
{
	static char half[LIMIT / 2], body[LIMIT - LIMIT / 4];
	static const struct http_limits limits = {.max_connections = 100,
		.header_bytes = 16 * 1024,
		.header_after_ms = 10000,
		.body_after_ms = 60000,
		.idle_after_ms = 600000,
		.body_bytes_all = LIMIT + LIMIT / 2};
	server_thread_join(&server);
	server_thread_done(&server);
	server_thread_init(&server, routes, &manual.clock, &limits, NULL);
	server_thread_run(&server);
	int first = socket_open(server.port);
	socket_send_string(
		first, "POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 131072\r\n\r\n");
	ck_assert(socket_send(first, (struct text){half, sizeof half}));
	while (atomic_load(&n_waiting) == 0)
		poll(NULL, 0, 1);
	struct text text = {body, sizeof body};
	ck_assert_int_eq(socket_post_once(server.port, "/echo", "", text, &reply), 503);
	ck_assert_int_eq(refused_status(), 503);
	ck_assert_int_eq(socket_post_once(server.port, "/later", "", TEXT("small"), &reply), 202);
	close(first);
}
END_TEST

START_TEST(answers_expect_100_continue)
{
	int fd = socket_open(server.port);
	socket_send_string(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
			       "Content-Length: 3\r\n\r\n");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 100);
	socket_send_string(fd, "abc");
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 200);
	close(fd);
}
END_TEST

static void move_clock(int64_t ms)
{
	atomic_fetch_add(&manual.monotonic_ms, ms);
}

START_TEST(ends_a_slow_first_header)
{
	int fd = socket_open(server.port);
	socket_send_string(fd, "POST /echo HT");
	ck_assert(!socket_is_closed(fd, 700)); /* more than one look at it */
	move_clock(10001);
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	close(fd);
}
END_TEST

/* Two looks apart in time must both see it, so time moves until it is closed. */
START_TEST(ends_a_slow_later_header_but_not_an_idle_connection)
{
	int slow = socket_open(server.port), idle = socket_open(server.port);
	int both[] = {slow, idle};
	for (int i = 0; i < 2; i++) {
		ck_assert(socket_post(both[i], "/echo", "", TEXT("x")));
		socket_read(both[i], &reply, SOCKET_WAIT_MS);
		ck_assert_int_eq(reply.status, 200);
	}
	bool closed = false;
	for (int i = 0; i < 8 && !closed; i++) {
		socket_send_string(slow, "P");
		move_clock(10001);
		closed = socket_is_closed(slow, 700);
	}
	ck_assert(closed);
	ck_assert(socket_post(idle, "/echo", "", TEXT("x")));
	socket_read(idle, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 200);
	close(slow);
	close(idle);
}
END_TEST

START_TEST(ends_a_slow_body_and_tells_the_route)
{
	int fd = socket_open(server.port);
	socket_send_string(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na");
	ck_assert(!socket_is_closed(fd, 700));
	move_clock(10002);
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	close(fd);
	while (atomic_load(&n_aborted) == 0)
		poll(NULL, 0, 5);
	ck_assert_int_eq(atomic_load(&last_refused), 0);
}
END_TEST

START_TEST(idle_connections_are_cheap)
{
	static int fds[IDLE_CONNECTIONS];
	struct rlimit files;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	ck_assert_uint_gt(files.rlim_cur, 2 * IDLE_CONNECTIONS + 50);
	long before_kb = resident_kb();
	for (int i = 0; i < IDLE_CONNECTIONS; i++) {
		fds[i] = socket_open(server.port);
		ck_assert(socket_post(fds[i], "/echo", "", TEXT("x")));
		socket_read(fds[i], &reply, SOCKET_WAIT_MS);
		ck_assert_int_eq(reply.status, 200);
	}
	ck_assert_uint_eq(http_server_connections(server.server), IDLE_CONNECTIONS);
	long used_kb = resident_kb() - before_kb;
	ck_assert_msg(used_kb < IDLE_MAX_KB, "%ld KiB", used_kb);
	for (int i = 0; i < IDLE_CONNECTIONS; i++)
		close(fds[i]);
}
END_TEST

/* Suspended requests, some of whose peers are gone, end with the server; the route hears of each.
 */
START_TEST(stops_with_waiting_requests)
{
	int fds[8];
	for (int i = 0; i < 8; i++) {
		fds[i] = socket_open(server.port);
		ck_assert(socket_post(fds[i], "/never", "", TEXT("x")));
	}
	while (atomic_load(&n_waiting) < 8)
		poll(NULL, 0, 1);
	close(fds[0]);
	server_thread_join(&server);
	http_server_stop(server.server);
	ck_assert_int_eq(atomic_load(&n_aborted), 8);
	for (int i = 1; i < 8; i++) {
		ck_assert(socket_is_closed(fds[i], SOCKET_WAIT_MS));
		close(fds[i]);
	}
	server_thread_init(&server, routes, &manual.clock, NULL, NULL); /* for the teardown */
	server_thread_run(&server);
}
END_TEST

/* What comes in while the server stops is not left suspended, which microhttpd would abort for. */
START_TEST(stops_while_requests_come_in)
{
	int fds[16];
	for (int i = 0; i < 16; i++) {
		if (i == 8)
			server_thread_join(&server); /* the rest is met by the stop alone */
		fds[i] = socket_open(server.port);
		ck_assert(socket_post(fds[i], "/never", "", TEXT("x")));
		while (i < 8 && atomic_load(&n_waiting) <= i)
			poll(NULL, 0, 1);
	}
	http_server_stop(server.server);
	ck_assert_int_eq(atomic_load(&n_aborted), atomic_load(&n_waiting));
	for (int i = 0; i < 16; i++)
		close(fds[i]);
	server_thread_init(&server, routes, &manual.clock, NULL, NULL); /* for the teardown */
	server_thread_run(&server);
}
END_TEST

START_TEST(client_reads_what_the_server_says)
{
	char url[64];
	struct http_client *client = NULL;
	struct http_answer answer;
	struct err err = {0};
	text_format(url, sizeof url, "http://127.0.0.1:%u", server.port);
	struct http_client_options options = {.base_url = url, .max_response_bytes = 1000};
	ck_assert_int_eq(http_client_new(&client, &options, &err), 0);
	struct http_call call = {.method = "POST", .path = "/echo", .body = TEXT("abc")};
	ck_assert_int_eq(http_client_call(client, &call, &answer, &err), 0);
	ck_assert_uint_eq(answer.status, 200);
	ck_assert_str_eq(buf_string(&answer.body), "abc");
	ck_assert_str_eq(answer.content_type, "application/octet-stream");
	http_answer_done(&answer);
	static char large[1001];
	call.body = (struct text){large, sizeof large};
	ck_assert_int_eq(http_client_call(client, &call, &answer, &err), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	call = (struct http_call){.method = "GET", .path = "/part/z"};
	ck_assert_int_eq(http_client_call(client, &call, &answer, &err), 0);
	ck_assert_str_eq(buf_string(&answer.body), "z|");
	http_answer_done(&answer);
	http_client_free(client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net/http_server");
	TCase *tests = tcase_create("http_server");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, answers_at_once_and_keeps_the_connection);
	tcase_add_test(tests, answers_are_their_own_however_alike);
	tcase_add_test(tests, answers_from_another_thread);
	tcase_add_test(tests, serves_256_connections_that_are_ready_at_once);
	tcase_add_test(tests, says_404_and_405_as_problems);
	tcase_add_test(tests, decodes_parts_and_queries);
	tcase_add_test(tests, answers_head_without_a_body);
	tcase_add_test(tests, refuses_in_admit_and_still_delivers_the_answer);
	tcase_add_test(tests, takes_a_body_of_exactly_the_limit);
	tcase_add_test(tests, refuses_a_claimed_length_at_once);
	tcase_add_test(tests, refuses_an_endless_chunked_body_with_flat_memory);
	tcase_add_test(tests, hangs_up_on_a_chunked_body_that_never_ends);
	tcase_add_test(tests, refuses_bodies_whose_length_is_not_clear);
	tcase_add_test(tests, refuses_bodies_beyond_what_all_may_have);
	tcase_add_test(tests, answers_expect_100_continue);
	tcase_add_test(tests, ends_a_slow_first_header);
	tcase_add_test(tests, ends_a_slow_later_header_but_not_an_idle_connection);
	tcase_add_test(tests, ends_a_slow_body_and_tells_the_route);
	tcase_add_test(tests, idle_connections_are_cheap);
	tcase_add_test(tests, stops_with_waiting_requests);
	tcase_add_test(tests, stops_while_requests_come_in);
	tcase_add_test(tests, client_reads_what_the_server_says);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
