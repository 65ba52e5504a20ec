/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "decode/body.h"
#include "intake/intake.h"
#include "model/credential.h"
#include "model/sender.h"
#include "tests/lib/server_thread.h"
#include "tests/lib/socket_client.h"

/* The test is the writer: it takes batches and gives them back when it wants to. */

enum { QUEUE_BYTES = 64 * 1024, MANY = 40, PATH_BYTES = 160 };

enum { CREDENTIAL_ALL, CREDENTIAL_NODE, CREDENTIAL_VIEWER, CREDENTIAL_FALCO, N_CREDENTIALS };

static struct server_thread server;
static struct clock_manual manual;
static struct status status;
static struct queue *writer;
static struct snapshot_slot *credentials, *senders;
static struct intake *intake;
static char tokens[N_CREDENTIALS][TOKEN_TEXT_BYTES];
static struct socket_reply reply;

/* Stands in for decode/: one alert a line; "node=" in front names its node. */
int body_decode(struct text body, int64_t received_ns, struct batch *batch, struct err *err)
{
	struct text line;
	if (text_starts(body, TEXT("!")))
		return err_set(err, ERR_INPUT, "offset 0: not JSON");
	while (text_split(&body, '\n', &line)) {
		if (line.size == 0)
			continue;
		struct alert *alert = batch_alert_new(batch);
		if (!alert)
			return err_set(err, ERR_MEMORY, "no memory");
		alert->raw = line;
		alert->received_ns = received_ns;
		if (text_starts(line, TEXT("node=")))
			alert->node = text_part(line, 5, line.size);
		batch_add(batch, alert);
	}
	return 0;
}

/* Push's, which no test here comes to. */
int event_decode(struct text raw, int64_t received_ns, struct batch *batch, struct err *err)
{
	return body_decode(raw, received_ns, batch, err);
}

int event_keep(struct text raw, const char *reason, int64_t received_ns, struct batch *batch,
	struct err *err)
{
	(void)reason;
	return body_decode(raw, received_ns, batch, err);
}

static void publish_credentials(void)
{
	struct credential items[N_CREDENTIALS] = {
		[CREDENTIAL_ALL] = {.role = ROLE_SOURCE, .sources = UINT32_MAX},
		[CREDENTIAL_NODE] = {.role = ROLE_SOURCE,
			.sources = UINT32_MAX,
			.node = TEXT("node-1")},
		[CREDENTIAL_VIEWER] = {.role = ROLE_VIEWER},
		[CREDENTIAL_FALCO] = {.role = ROLE_SOURCE, .sources = 1U << SOURCE_FALCO},
	};
	for (unsigned i = 0; i < N_CREDENTIALS; i++) {
		items[i].id = i + 1;
		items[i].cluster = TEXT("prod");
		token_make(tokens[i], &items[i].digest);
	}
	struct credential_set *set =
		credential_set_new(&(struct credential_set){.items = items, .n = N_CREDENTIALS});
	ck_assert_ptr_nonnull(set);
	snapshot_publish(credentials, &set->snapshot);
}

static void start(void)
{
	struct err err = {0};
	clock_manual_init(&manual, INT64_C(1700000000) * NS_PER_S);
	status = (struct status){0};
	writer = queue_new(QUEUE_BYTES);
	credentials = snapshot_slot_new();
	senders = snapshot_slot_new();
	publish_credentials();
	ck_assert_int_eq(loop_new(&server.loop, &err), 0);
	struct intake_options options = {.loop = server.loop,
		.writer = writer,
		.credentials = credentials,
		.senders = senders,
		.status = &status,
		.clock = &manual.clock};
	ck_assert_int_eq(intake_new(&intake, &options, &err), 0);
	static const struct http_route *routes[2];
	routes[0] = intake_routes(intake);
	server_thread_init(&server, routes, &manual.clock, NULL, NULL);
	server_thread_run(&server);
}

static void stop_server(void)
{
	server_thread_join(&server);
	http_server_stop(server.server);
	server.server = NULL;
}

/* Gives back what is in the queue, at least @n batches; the alerts are "accepted". */
static void serve(size_t n)
{
	while (n > 0) {
		struct queue_item *item = queue_take(writer, SIZE_MAX, SOCKET_WAIT_MS);
		ck_assert_msg(item != NULL, "%zu more batches were expected", n);
		while (item) {
			struct batch *batch = (struct batch *)(void *)item;
			item = item->next;
			for (struct alert *alert = batch->first; alert; alert = alert->next) {
				bool is_good = alert->kind == LEAF_ALERT;
				alert->outcome = is_good ? OUTCOME_ACCEPTED : OUTCOME_QUARANTINED;
				batch->n_quarantined += !is_good;
			}
			batch->n_accepted = batch->n_alerts - batch->n_quarantined;
			ck_assert(text_is(batch->cluster, "prod"));
			ck_assert(text_is(batch->address, "127.0.0.1"));
			ck_assert(queue_push(batch->reply, &batch->item));
			n -= n > 0;
		}
	}
}

static void stop(void)
{
	if (server.server)
		stop_server();
	intake_free(intake);
	loop_free(server.loop);
	server = (struct server_thread){0};
	ck_assert_ptr_null(queue_take(writer, SIZE_MAX, 0));
	queue_free(writer);
	snapshot_slot_free(credentials);
	snapshot_slot_free(senders);
}

static const char *path_of(const char *source, const char *token)
{
	static char path[PATH_BYTES];
	text_format(path, sizeof path, "/ingest/%s%s%s", source, *token ? "/" : "", token);
	return path;
}

/* One request that never gets to the writer. */
static int post(const char *source, const char *token, const char *headers, struct text body)
{
	return socket_post_once(server.port, path_of(source, token), headers, body, &reply);
}

static int begin(const char *source, const char *token, const char *headers, struct text body)
{
	int fd = socket_open(server.port);
	ck_assert(socket_post(fd, path_of(source, token), headers, body));
	return fd;
}

static int finish(int fd)
{
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	close(fd);
	return reply.status;
}

static int post_and_serve(
	const char *source, const char *token, const char *headers, struct text body)
{
	int fd = begin(source, token, headers, body);
	serve(1);
	return finish(fd);
}

START_TEST(answers_after_the_writer)
{
	int fd = begin("falco", tokens[CREDENTIAL_ALL], "", TEXT("a\nb\n"));
	socket_read(fd, &reply, 200);
	ck_assert_int_eq(reply.status, -1); /* nothing is said before COMMIT */
	serve(1);
	ck_assert_int_eq(finish(fd), 200);
	ck_assert_str_eq(reply.body, "{\"accepted\":2,\"duplicate\":0,\"quarantined\":0}");
	char bearer[128];
	text_format(bearer, sizeof bearer, "Authorization: bearer %s\r\n", tokens[CREDENTIAL_ALL]);
	ck_assert_int_eq(post_and_serve("tocsin", "", bearer, TEXT("a")), 200);
	ck_assert_uint_eq(intake_waiting(intake), 0);
}
END_TEST

START_TEST(refuses_who_is_not_known)
{
	ck_assert_int_eq(post("falco", "", "", TEXT("a")), 401);
	ck_assert_int_eq(post("falco", "tsn_wrong", "", TEXT("a")), 401);
	ck_assert_int_eq(post("falco", "", "Authorization: Basic eDp5\r\n", TEXT("a")), 401);
	char bearer[128];
	text_format(bearer, sizeof bearer, "Authorization: Bearer %s\r\n", tokens[CREDENTIAL_ALL]);
	/* the path's token is the one that counts */
	ck_assert_int_eq(post("falco", "tsn_wrong", bearer, TEXT("a")), 401);
	ck_assert_ptr_null(strstr(reply.body, "tsn_"));
}
END_TEST

START_TEST(refuses_what_is_not_allowed)
{
	ck_assert_int_eq(post("falco", tokens[CREDENTIAL_VIEWER], "", TEXT("a")), 403);
	ck_assert_int_eq(post("tocsin", tokens[CREDENTIAL_FALCO], "", TEXT("a")), 403);
	ck_assert_int_eq(post("nessus", tokens[CREDENTIAL_ALL], "", TEXT("a")), 404);
	ck_assert_ptr_nonnull(strstr(reply.body, source_names()));
	ck_assert_int_eq(
		post("falco", tokens[CREDENTIAL_ALL], "Content-Encoding: br\r\n", TEXT("a")), 415);
}
END_TEST

START_TEST(throttles_strangers_but_not_their_neighbours)
{
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(post("falco", "tsn_wrong", "", TEXT("a")), 401);
	ck_assert_int_eq(post("falco", "tsn_wrong", "", TEXT("a")), 429);
	ck_assert_int_eq(post_and_serve("falco", tokens[CREDENTIAL_ALL], "", TEXT("a")), 200);
	atomic_fetch_add(&manual.monotonic_ms, 60000);
	ck_assert_int_eq(post("falco", "tsn_wrong", "", TEXT("a")), 401);
}
END_TEST

START_TEST(quarantines_what_another_node_would_have_said)
{
	int fd = begin("falco", tokens[CREDENTIAL_NODE], "", TEXT("node=node-1\nnode=node-2\nx"));
	struct queue_item *item = queue_take(writer, SIZE_MAX, SOCKET_WAIT_MS);
	ck_assert_ptr_nonnull(item);
	struct batch *batch = (struct batch *)(void *)item;
	const struct alert *alert = batch->first;
	ck_assert_int_eq(alert->kind, LEAF_ALERT);
	alert = alert->next;
	ck_assert_int_eq(alert->kind, LEAF_QUARANTINED);
	ck_assert(text_is(alert->quarantine_reason, "node node-2 is not this credential's"));
	alert = alert->next;
	ck_assert_int_eq(alert->kind, LEAF_ALERT);
	ck_assert(text_is(alert->node, "node-1"));
	batch->n_accepted = 2;
	batch->n_quarantined = 1;
	ck_assert(queue_push(batch->reply, item));
	ck_assert_int_eq(finish(fd), 200);
	ck_assert_str_eq(reply.body, "{\"accepted\":2,\"duplicate\":0,\"quarantined\":1}");
}
END_TEST

START_TEST(takes_empty_bodies_of_falco_only)
{
	ck_assert_int_eq(post("falco", tokens[CREDENTIAL_ALL], "", TEXT("")), 200);
	ck_assert_str_eq(reply.body, "{\"accepted\":0,\"duplicate\":0,\"quarantined\":0}");
	ck_assert_int_eq(post("tocsin", tokens[CREDENTIAL_ALL], "", TEXT(" \n")), 400);
	ck_assert_int_eq(post("tocsin", tokens[CREDENTIAL_ALL], "", TEXT("!")), 400);
	ck_assert_ptr_nonnull(strstr(reply.body, "offset 0: not JSON"));
	ck_assert_uint_eq(intake_waiting(intake), 0);
}
END_TEST

/* zlib's gzip framing; @plain is repeated @n times. */
static struct text gzip_of(const char *plain, size_t n, char *out, size_t size)
{
	z_stream stream = {0};
	ck_assert_int_eq(
		deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_out = (Bytef *)out;
	stream.avail_out = (uInt)size;
	AUTO(free) char *copy = strdup(plain);
	for (size_t i = 0; i < n; i++) {
		stream.next_in = (Bytef *)copy;
		stream.avail_in = (uInt)strlen(plain);
		ck_assert_int_eq(deflate(&stream, Z_NO_FLUSH), Z_OK);
	}
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	struct text packed = {out, stream.total_out};
	deflateEnd(&stream);
	return packed;
}

START_TEST(expands_bodies)
{
	static char packed[65536], zeros[9 * 1024 * 1024];
	struct text body = gzip_of("a\nb\n", 1, packed, sizeof packed);
	const char *token = tokens[CREDENTIAL_ALL];
	ck_assert_int_eq(post_and_serve("falco", token, "Content-Encoding: gzip\r\n", body), 200);
	ck_assert_str_eq(reply.body, "{\"accepted\":2,\"duplicate\":0,\"quarantined\":0}");
	size_t size = ZSTD_compress(packed, sizeof packed, "a\nb\nc\n", 6, 3);
	body = (struct text){packed, size};
	ck_assert_int_eq(post_and_serve("falco", token, "Content-Encoding: zstd\r\n", body), 200);
	ck_assert_str_eq(reply.body, "{\"accepted\":3,\"duplicate\":0,\"quarantined\":0}");
	body.size--;
	ck_assert_int_eq(post("falco", token, "Content-Encoding: zstd\r\n", body), 400);
	ck_assert_int_eq(post("falco", token, "Content-Encoding: gzip\r\n", TEXT("abc")), 400);
	/* bombs */
	body = gzip_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 384 * 1024, packed, sizeof packed);
	ck_assert_int_eq(post("falco", token, "Content-Encoding: gzip\r\n", body), 413);
	body = (struct text){packed, ZSTD_compress(packed, sizeof packed, zeros, sizeof zeros, 3)};
	ck_assert_int_eq(post("falco", token, "Content-Encoding: zstd\r\n", body), 413);
}
END_TEST

static struct sender sender_seen(enum source source)
{
	struct sender found = {0};
	struct sender_set *set = (struct sender_set *)(void *)snapshot_ref(senders);
	for (size_t i = 0; set && i < set->n; i++)
		if (set->items[i].source == source)
			found = set->items[i];
	snapshot_unref(set ? &set->snapshot : NULL);
	found.address = TEXT_NONE;
	return found;
}

START_TEST(counts_what_falco_lost)
{
	size_t size = 8 * 1024 * 1024 + 1;
	AUTO(free) char *large = calloc(1, size);
	ck_assert_ptr_nonnull(large);
	ck_assert_int_eq(
		post("falco", tokens[CREDENTIAL_ALL], "", (struct text){large, size}), 413);
	ck_assert_int_eq(post("falco", "tsn_wrong", "", TEXT("a")), 401);
	while (sender_seen(SOURCE_FALCO).n_refused < 2)
		poll(NULL, 0, 10);
	ck_assert_uint_eq(sender_seen(SOURCE_FALCO).n_refused, 2);
	ck_assert_uint_eq(sender_seen(SOURCE_FALCO).last_refusal, 401);
}
END_TEST

/* Fills the queue, from one credential and then another, so that the next batch must wait. */
static void fill_queue(int *fds)
{
	static char body[22 * 1024]; /* a quarter of the queue is not for these */
	memset(body, 'x', sizeof body);
	fds[0] = begin("falco", tokens[CREDENTIAL_ALL], "", (struct text){body, sizeof body});
	fds[1] = begin("falco", tokens[CREDENTIAL_FALCO], "", (struct text){body, sizeof body});
	while (queue_weight(writer) < 2 * sizeof body)
		poll(NULL, 0, 1);
}

static void wait_held(uint64_t n)
{
	while (atomic_load(&status.n_held) != n)
		poll(NULL, 0, 1);
}

START_TEST(holds_falco_without_deadline_and_others_for_5_s)
{
	static char body[4 * 1024];
	int full[2], fds[MANY];
	struct text text = {body, sizeof body};
	memset(body, 'y', sizeof body);
	fill_queue(full);
	for (int i = 0; i < MANY; i++)
		fds[i] = begin("falco", tokens[CREDENTIAL_FALCO], "", text);
	int tocsin = begin("tocsin", tokens[CREDENTIAL_ALL], "", text);
	wait_held(MANY + 1);
	ck_assert_int_eq(atomic_load(&status.held_since_ns), INT64_C(1700000000) * NS_PER_S);
	atomic_fetch_add(&manual.monotonic_ms, SOURCE_WAIT_MS);
	ck_assert_int_eq(finish(tocsin), 429);
	ck_assert_ptr_nonnull(strstr(reply.head, "Retry-After: 5\r\n"));
	atomic_fetch_add(&manual.monotonic_ms, 60000);
	while (sender_seen(SOURCE_FALCO).held_since_ns == 0)
		poll(NULL, 0, 10);
	ck_assert_uint_eq(sender_seen(SOURCE_FALCO).n_held, MANY);
	ck_assert_uint_eq(atomic_load(&status.n_held), MANY);
	serve(MANY + 2);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(finish(fds[i]), 200);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(finish(full[i]), 200);
	ck_assert_uint_eq(atomic_load(&status.n_held), 0);
	ck_assert_int_eq(atomic_load(&status.held_since_ns), 0);
	ck_assert_uint_eq(intake_waiting(intake), 0);
}
END_TEST

START_TEST(leaves_half_of_the_queue_to_others)
{
	static char body[20 * 1024];
	struct text text = {body, sizeof body};
	memset(body, 'z', sizeof body);
	int greedy[3];
	for (int i = 0; i < 3; i++)
		greedy[i] = begin("falco", tokens[CREDENTIAL_ALL], "", text);
	wait_held(2); /* 20 of 64 KiB are in the queue, two more would be over half */
	int other = begin("falco", tokens[CREDENTIAL_FALCO], "", text);
	while (queue_weight(writer) < 2 * sizeof body)
		poll(NULL, 0, 1);
	serve(4);
	ck_assert_int_eq(finish(other), 200);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(finish(greedy[i]), 200);
}
END_TEST

START_TEST(stores_what_was_held_though_the_peer_left)
{
	int full[2];
	fill_queue(full);
	int fd = begin("falco", tokens[CREDENTIAL_FALCO], "", TEXT("last words"));
	wait_held(1);
	close(fd);
	serve(3);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(finish(full[i]), 200);
	while (intake_waiting(intake) > 0)
		poll(NULL, 0, 1);
}
END_TEST

/* As the writer does when the store is gone. */
static void give_up(enum err_kind kind)
{
	struct queue_item *item = queue_take(writer, SIZE_MAX, SOCKET_WAIT_MS);
	ck_assert_ptr_nonnull(item);
	struct batch *batch = (struct batch *)(void *)item;
	ignore(err_set(&batch->err, kind, "the disk is gone")); /* -1 is what it returns */
	ck_assert(queue_push(batch->reply, item));
}

START_TEST(says_503_when_the_writer_gave_up)
{
	int fd = begin("tocsin", tokens[CREDENTIAL_ALL], "", TEXT("a"));
	give_up(ERR_IO);
	ck_assert_int_eq(finish(fd), 503);
	ck_assert_ptr_nonnull(strstr(reply.body, "the disk is gone"));
	/* For its own sake, and the process lives on: Falco's next alert must get through. */
	fd = begin("falco", tokens[CREDENTIAL_ALL], "", TEXT("a"));
	give_up(ERR_LIMIT);
	ck_assert_int_eq(finish(fd), 503);
}
END_TEST

/* Until the end, then the connection breaks without a byte: libcurl sends again, Falco logs it. */
START_TEST(leaves_falco_unanswered_when_the_writer_gave_up)
{
	static const enum err_kind kinds[] = {ERR_IO, ERR_FULL, ERR_BUSY};
	int fd = begin("falco", tokens[CREDENTIAL_ALL], "", TEXT("a"));
	give_up(kinds[_i]);
	/* Behind it in the queue of replies, so it is seen when this one is answered. */
	ck_assert_int_eq(post_and_serve("tocsin", tokens[CREDENTIAL_ALL], "", TEXT("b")), 200);
	ck_assert(!socket_is_closed(fd, 0));
	stop_server();
	reply.head[0] = '\0';
	socket_read(fd, &reply, SOCKET_WAIT_MS);
	ck_assert_int_eq(reply.status, 0);
	ck_assert_str_eq(reply.head, "");
	ck_assert(socket_is_closed(fd, SOCKET_WAIT_MS));
	close(fd);
}
END_TEST

/* The order of the daemon's end: server, writer, intake. Some are held, some are the writer's. */
START_TEST(stops_in_the_middle)
{
	int full[2];
	fill_queue(full);
	int fd = begin("falco", tokens[CREDENTIAL_FALCO], "", TEXT("held"));
	wait_held(1);
	struct queue_item *item = queue_take(writer, SIZE_MAX, SOCKET_WAIT_MS);
	stop_server();
	while (item) {
		struct batch *batch = (struct batch *)(void *)item;
		item = item->next;
		ck_assert(queue_push(batch->reply, &batch->item));
	}
	/* what the retry timer may have put into the queue meanwhile */
	item = queue_take(writer, SIZE_MAX, 0);
	if (item)
		ck_assert(queue_push(((struct batch *)(void *)item)->reply, item));
	for (int i = 0; i < 2; i++) {
		ck_assert(socket_is_closed(full[i], SOCKET_WAIT_MS));
		close(full[i]);
	}
	close(fd);
}
END_TEST

START_TEST(shows_metrics)
{
	struct buf out;
	buf_init(&out, 65536);
	ck_assert_int_eq(post_and_serve("falco", tokens[CREDENTIAL_ALL], "", TEXT("a\nb")), 200);
	metric_write(&out, intake_metrics(), &manual.clock);
	ck_assert_ptr_nonnull(strstr(buf_string(&out),
		"tocsin_ingest_alerts_total{source=\"falco\",outcome=\"accepted\"} 0\n"));
	buf_clear(&out);
	metric_write(&out, intake_metrics(), &manual.clock);
	ck_assert_ptr_nonnull(strstr(buf_string(&out),
		"tocsin_ingest_alerts_total{source=\"falco\",outcome=\"accepted\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(buf_string(&out), "tocsin_ingest_seconds_count 1\n"));
	buf_done(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("intake/intake");
	TCase *tests = tcase_create("intake");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, answers_after_the_writer);
	tcase_add_test(tests, refuses_who_is_not_known);
	tcase_add_test(tests, refuses_what_is_not_allowed);
	tcase_add_test(tests, throttles_strangers_but_not_their_neighbours);
	tcase_add_test(tests, quarantines_what_another_node_would_have_said);
	tcase_add_test(tests, takes_empty_bodies_of_falco_only);
	tcase_add_test(tests, expands_bodies);
	tcase_add_test(tests, counts_what_falco_lost);
	tcase_add_test(tests, holds_falco_without_deadline_and_others_for_5_s);
	tcase_add_test(tests, leaves_half_of_the_queue_to_others);
	tcase_add_test(tests, stores_what_was_held_though_the_peer_left);
	tcase_add_test(tests, says_503_when_the_writer_gave_up);
	tcase_add_loop_test(tests, leaves_falco_unanswered_when_the_writer_gave_up, 0, 3);
	tcase_add_test(tests, stops_in_the_middle);
	tcase_add_test(tests, shows_metrics);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
