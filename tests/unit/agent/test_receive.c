/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/receive.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_client.h"
#include "tests/lib/server_thread.h"
#include "tests/unit/agent/keeper_rig.h"

/* A real keeper, spool and server; the disk fails when it is told to, and time stands still. */

#define ALERT                                                                                      \
	"{\"time\":\"2026-11-24T09:00:00Z\",\"rule\":\"Shell\",\"priority\":\"Notice\","           \
	"\"source\":\"syscall\",\"output\":\"a shell\",\"output_fields\":{}}"

enum { HELD_S = 60 };

static struct keeper_rig rig;
static struct agent_coverage *coverage;
static struct server_thread server;
static struct receive *receive;
static const struct http_route *routes[2];
static _Atomic unsigned n_told, n_done, n_not_stored;
static struct err err;
static bool is_running;

/* One request, in a thread of its own while it is held. */
struct asking {
	const char *path, *body, *encoding;
	pthread_t thread;
	unsigned status;
	char text[512];
	_Atomic bool is_over;
};

static void stored(void *ctx)
{
	(void)ctx;
	n_told++;
}

static void setup(void)
{
	keeper_rig_init(&rig);
	coverage = agent_coverage_new(&rig.spool.clock.clock);
	server = (struct server_thread){0};
	n_told = n_done = n_not_stored = 0;
	ck_assert_int_eq(loop_new(&server.loop, &err), 0);
	const struct receive_options options = {
		.loop = server.loop,
		.keeper = rig.keeper,
		.coverage = coverage,
		.clock = &rig.spool.clock.clock,
		.stored = stored,
	};
	ck_assert_int_eq(receive_new(&receive, &options, &err), 0);
	routes[0] = receive_routes(receive);
	server_thread_init(&server, routes, &rig.spool.clock.clock, NULL, NULL);
}

static void run(void)
{
	server_thread_run(&server);
	is_running = true;
}

static void halt(void)
{
	if (is_running)
		server_thread_join(&server);
	is_running = false;
}

static void teardown(void)
{
	struct loop *loop = server.loop;
	halt();
	http_server_stop(server.server);
	keeper_stop(rig.keeper);
	rig.keeper = NULL;
	receive_free(receive);
	loop_free(loop);
	agent_coverage_free(coverage);
	keeper_rig_done(&rig);
}

static void *ask_main(void *ctx)
{
	struct asking *asking = ctx;
	char url[64], header[64];
	struct http_client *client;
	struct http_answer answer;
	struct err why;
	const char *headers[] = {header, NULL};
	text_format(url, sizeof url, "http://127.0.0.1:%u", server.port);
	text_format(header, sizeof header, "Content-Encoding: %s",
		asking->encoding ? asking->encoding : "identity");
	const struct http_client_options options = {.base_url = url};
	const struct http_call call = {.method = "POST",
		.path = asking->path,
		.body = text_of(asking->body),
		.headers = headers};
	ck_assert_int_eq(http_client_new(&client, &options, &why), 0);
	if (http_client_call(client, &call, &answer, &why) == 0) {
		asking->status = answer.status;
		text_format(asking->text, sizeof asking->text, "%s", buf_string(&answer.body));
		http_answer_done(&answer);
	} else {
		text_format(asking->text, sizeof asking->text, "%s", why.text);
	}
	http_client_free(client);
	asking->is_over = true;
	return NULL;
}

static void begin(struct asking *asking)
{
	ck_assert_int_eq(pthread_create(&asking->thread, NULL, ask_main, asking), 0);
}

static unsigned end(struct asking *asking)
{
	ck_assert_int_eq(pthread_join(asking->thread, NULL), 0);
	return asking->status;
}

static void expect(const char *path, const char *body, unsigned status, const char *said)
{
	struct asking asking = {.path = path, .body = body};
	begin(&asking);
	ck_assert_uint_eq(end(&asking), status);
	ck_assert_msg(strstr(asking.text, said) != NULL, "%s: %s", path, asking.text);
}

static uint64_t stored_records(void)
{
	struct work *work = keeper_rig_ask(&rig, WORK_REPORT, 0);
	uint64_t n = work->waiting.n;
	work_free(work);
	return n;
}

static void wait_stuck(void)
{
	while (!atomic_load(&rig.status.is_stuck))
		sched_yield();
}

/* What would be reported of that source's throttling; the loop does not run. */
static const struct coverage *throttled(enum source source)
{
	const struct coverage *at = agent_coverage_report(coverage);
	while (at && (at->source != source || at->state != COVERAGE_THROTTLED))
		at = at->next;
	return at;
}

static void done(bool is_stored, void *ctx)
{
	(void)ctx;
	n_not_stored += !is_stored;
	n_done++;
}

START_TEST(answers_what_is_on_the_disk)
{
	run();
	expect("/ingest/falco", ALERT, 200, "{\"accepted\":1,\"duplicate\":0,\"quarantined\":0}");
	expect("/ingest/falco", ALERT "\n" ALERT "\n", 200, "\"accepted\":2");
	ck_assert_uint_eq(stored_records(), 3);
	ck_assert_uint_ge(n_told, 2);
	halt();
	ck_assert_uint_eq(receive_waiting(receive), 0);
	ck_assert_ptr_null(throttled(SOURCE_FALCO));
}
END_TEST

START_TEST(says_what_is_wrong)
{
	run();
	expect("/ingest/nosuch", ALERT, 404, "falco");
	expect("/ingest/tetragon", "", 400, "empty");
	struct asking asking = {.path = "/ingest/falco", .body = ALERT, .encoding = "br"};
	begin(&asking);
	ck_assert_uint_eq(end(&asking), 415);
	struct asking torn = {.path = "/ingest/falco", .body = ALERT, .encoding = "gzip"};
	begin(&torn);
	ck_assert_uint_eq(end(&torn), 400);
	ck_assert_uint_eq(stored_records(), 0);
}
END_TEST

START_TEST(who_can_come_again_is_told_so_after_five_seconds)
{
	struct asking asking = {.path = "/ingest/tetragon", .body = ALERT};
	run();
	failing_disk.bytes_left = 0;
	begin(&asking);
	wait_stuck();
	ck_assert(!asking.is_over);
	rig.spool.clock.wall_ns += SOURCE_WAIT_MS * NS_PER_MS;
	rig.spool.clock.monotonic_ms += SOURCE_WAIT_MS;
	unsigned status = end(&asking);
	ck_assert(status == 503 || status == 429);
	halt();
	const struct coverage *found = throttled(SOURCE_TETRAGON);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(found->n, 1);
	ck_assert_int_eq(found->until_ns - found->from_ns, SOURCE_WAIT_MS * NS_PER_MS);
	ck_assert_uint_eq(receive_waiting(receive), 1); /* it is stored all the same */
	failing_disk.bytes_left = SIZE_MAX;
	run();
	while (stored_records() == 0)
		sched_yield();
}
END_TEST

/* Looks while the loop does not run. */
static size_t waiting(void)
{
	halt();
	size_t n = receive_waiting(receive);
	run();
	return n;
}

/* Each that comes again would cost the memory of the one before. */
START_TEST(who_was_told_to_come_again_costs_no_memory)
{
	struct asking first = {.path = "/ingest/falco", .body = ALERT};
	struct asking again = {.path = "/ingest/kubearmor", .body = ALERT};
	run();
	failing_disk.bytes_left = 0;
	begin(&first);
	wait_stuck();
	begin(&again);
	while (waiting() < 2)
		sched_yield();
	rig.spool.clock.wall_ns += SOURCE_WAIT_MS * NS_PER_MS;
	rig.spool.clock.monotonic_ms += SOURCE_WAIT_MS;
	ck_assert_uint_eq(end(&again), 429);
	while (waiting() > 1)
		sched_yield();
	ck_assert(!first.is_over);
	failing_disk.bytes_left = SIZE_MAX;
	ck_assert_uint_eq(end(&first), 200);
	ck_assert_uint_eq(stored_records(), 1);
}
END_TEST

/* Half of the memory is kept for who would lose an alert. */
START_TEST(who_can_come_again_leaves_memory_for_others)
{
	enum { LARGE_BYTES = 7 * 1024 * 1024, N_LARGE = 5 };
	struct asking again = {.path = "/ingest/kubearmor", .body = ALERT};
	struct asking falco = {.path = "/ingest/falco", .body = ALERT};
	failing_disk.bytes_left = 0;
	for (int i = 0; i < N_LARGE; i++) {
		char *body = malloc(LARGE_BYTES);
		ck_assert_ptr_nonnull(body);
		memset(body, ' ', LARGE_BYTES);
		memcpy(body, ALERT, sizeof ALERT - 1);
		receive_lines(receive, SOURCE_TETRAGON, body, LARGE_BYTES, done, NULL);
	}
	ck_assert_uint_eq(receive_waiting(receive), N_LARGE);
	run();
	begin(&again);
	unsigned status = end(&again);
	ck_assert_msg(status == 503, "%u %s", status, again.text);
	begin(&falco);
	while (waiting() < N_LARGE + 1)
		sched_yield();
	ck_assert(!falco.is_over);
	failing_disk.bytes_left = SIZE_MAX;
	ck_assert_uint_eq(end(&falco), 200);
}
END_TEST

START_TEST(who_cannot_come_again_is_held)
{
	struct asking asking = {.path = "/ingest/falco", .body = ALERT};
	run();
	failing_disk.bytes_left = 0;
	begin(&asking);
	wait_stuck();
	rig.spool.clock.wall_ns += HELD_S * NS_PER_S;
	rig.spool.clock.monotonic_ms += HELD_S * 1000;
	bool is_noted = false;
	while (!is_noted) {
		halt();
		is_noted = throttled(SOURCE_FALCO) != NULL;
		run();
	}
	ck_assert(!asking.is_over);
	failing_disk.bytes_left = SIZE_MAX;
	ck_assert_uint_eq(end(&asking), 200);
	halt();
	ck_assert_int_eq(throttled(SOURCE_FALCO)->until_ns - throttled(SOURCE_FALCO)->from_ns,
		HELD_S * NS_PER_S);
}
END_TEST

START_TEST(lines_without_a_request_are_stored_too)
{
	receive_lines(receive, SOURCE_FALCO, strdup(ALERT "\n"), sizeof ALERT, done, NULL);
	receive_lines(receive, SOURCE_FALCO, strdup("\n"), 1, done, NULL);
	run();
	while (n_done < 2)
		sched_yield();
	ck_assert_uint_eq(n_not_stored, 0);
	ck_assert_uint_eq(stored_records(), 1);
}
END_TEST

/* One torn line, and what stands behind it. */
START_TEST(lines_that_are_no_alerts_are_kept)
{
	static const char torn[] = "rue,\"node_name\":\"x\"}}\n" ALERT "\n" ALERT "\n";
	receive_lines(receive, SOURCE_TETRAGON, strdup(torn), sizeof torn - 1, done, NULL);
	receive_lines(receive, SOURCE_TETRAGON, strdup("42\n"), 3, done, NULL);
	run();
	while (n_done < 2)
		sched_yield();
	ck_assert_uint_eq(n_not_stored, 0);
	ck_assert_uint_eq(stored_records(), 4);
}
END_TEST

/* What is with the keeper when all ends is freed, and nobody is told. */
START_TEST(ends_while_something_waits)
{
	failing_disk.bytes_left = 0;
	receive_lines(receive, SOURCE_FALCO, strdup(ALERT "\n"), sizeof ALERT, done, NULL);
	ck_assert_uint_eq(receive_waiting(receive), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent/receive");
	TCase *tests = tcase_create("receive");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, answers_what_is_on_the_disk);
	tcase_add_test(tests, says_what_is_wrong);
	tcase_add_test(tests, who_can_come_again_is_told_so_after_five_seconds);
	tcase_add_test(tests, who_was_told_to_come_again_costs_no_memory);
	tcase_add_test(tests, who_can_come_again_leaves_memory_for_others);
	tcase_add_test(tests, who_cannot_come_again_is_held);
	tcase_add_test(tests, lines_without_a_request_are_stored_too);
	tcase_add_test(tests, lines_that_are_no_alerts_are_kept);
	tcase_add_test(tests, ends_while_something_waits);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
