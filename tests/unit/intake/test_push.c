/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Push without a network: the test is the gRPC server under it and the writer behind it. A call of
 * the server's ends at once when it is finished, as the header allows.
 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/wire.h"
#include "intake/intake.h"
#include "intake/limits.h"
#include "model/batch.h"
#include "model/credential.h"
#include "model/sender.h"
#include "net/grpc_server.h"

enum { QUEUE_BYTES = 64 * 1024, SENT_MAX = 64 };
enum { CREDENTIAL_ALL, CREDENTIAL_NODE, CREDENTIAL_FALCO, CREDENTIAL_VIEWER, N_CREDENTIALS };

static const char falco[] =
	"{\"time\":\"2023-11-14T22:13:19Z\",\"rule\":\"Shell\",\"priority\":\"Notice\",\"source\":"
	"\"syscall\",\"output\":\"a shell\",\"output_fields\":{}}";

/* ---- the server ---- */

struct grpc_call {
	const struct grpc_method *method;
	void *owner;
	char token[TOKEN_TEXT_BYTES + 8];
	uint64_t sent[SENT_MAX]; /* the first field of each answer */
	size_t n_sent;
	bool is_paused, is_over;
	enum grpc_code code;
	char why[256];
};

struct text grpc_call_metadata(const struct grpc_call *call, const char *name)
{
	return strcmp(name, "authorization") == 0 ? text_of(call->token) : TEXT_NONE;
}

struct text grpc_call_peer(const struct grpc_call *call)
{
	(void)call;
	return TEXT("192.0.2.1");
}

struct text grpc_call_subject(const struct grpc_call *call)
{
	(void)call;
	return TEXT_NONE;
}

struct text grpc_call_doubt(const struct grpc_call *call)
{
	(void)call;
	return TEXT_NONE;
}

void grpc_call_set_owner(struct grpc_call *call, void *owner)
{
	call->owner = owner;
}

void *grpc_call_owner(const struct grpc_call *call)
{
	return call->owner;
}

int grpc_call_send(struct grpc_call *call, struct text message, struct err *err)
{
	struct wire reader = wire_of(message);
	(void)err;
	ck_assert(!call->is_over);
	ck_assert_uint_lt(call->n_sent, SENT_MAX);
	call->sent[call->n_sent++] = wire_next(&reader) ? reader.number : 0;
	return 0;
}

static void end(struct grpc_call *call)
{
	ck_assert(!call->is_over);
	call->is_over = true;
	call->method->closed(call, call->method->ctx);
	call->owner = NULL;
}

void grpc_call_finish(struct grpc_call *call, const struct grpc_status *status)
{
	call->code = status->code;
	text_format(call->why, sizeof call->why, "%.*s", TEXT_ARG(status->message));
	end(call);
}

void grpc_call_pause(struct grpc_call *call)
{
	ck_assert(!call->is_over && !call->is_paused);
	call->is_paused = true;
}

void grpc_call_resume(struct grpc_call *call)
{
	ck_assert(!call->is_over && call->is_paused);
	call->is_paused = false;
}

/* ---- the rig ---- */

static struct loop *loop;
static struct loop_timer *timer;
static struct clock_manual manual;
static struct status status;
static struct queue *writer;
static struct snapshot_slot *credentials, *senders;
static struct intake *intake;
static char tokens[N_CREDENTIALS][TOKEN_TEXT_BYTES];
static struct buf message, inside, record;
static uint64_t stored; /* of the one spool */
static size_t n_alerts, n_shed, n_reports, n_facts, n_intervals;

static void publish_credentials(int64_t revoked_at_ns)
{
	struct credential items[N_CREDENTIALS] = {
		[CREDENTIAL_ALL] = {.role = ROLE_SOURCE, .sources = UINT32_MAX},
		[CREDENTIAL_NODE] = {.role = ROLE_SOURCE,
			.sources = UINT32_MAX,
			.node = TEXT("node-1")},
		[CREDENTIAL_FALCO] = {.role = ROLE_SOURCE, .sources = 1U << SOURCE_FALCO},
		[CREDENTIAL_VIEWER] = {.role = ROLE_VIEWER},
	};
	for (unsigned i = 0; i < N_CREDENTIALS; i++) {
		items[i].id = i + 1;
		items[i].cluster = TEXT("prod");
		items[i].revoked_at_ns = revoked_at_ns;
		token_make(tokens[i], &items[i].digest);
	}
	struct credential_set *set =
		credential_set_new(&(struct credential_set){.items = items, .n = N_CREDENTIALS});
	ck_assert_ptr_nonnull(set);
	snapshot_publish(credentials, &set->snapshot);
}

static void stop_turn(void *ctx)
{
	(void)ctx;
	loop_stop(loop);
}

static void setup(void)
{
	struct err err = {0};
	clock_manual_init(&manual, INT64_C(1700000000) * NS_PER_S);
	status = (struct status){0};
	writer = queue_new(QUEUE_BYTES);
	credentials = snapshot_slot_new();
	senders = snapshot_slot_new();
	publish_credentials(0);
	ck_assert_int_eq(loop_new(&loop, &err), 0);
	timer = loop_timer_new(loop, stop_turn, NULL);
	struct intake_options options = {.loop = loop,
		.writer = writer,
		.credentials = credentials,
		.senders = senders,
		.status = &status,
		.clock = &manual.clock};
	ck_assert_int_eq(intake_new(&intake, &options, &err), 0);
	buf_init(&message, 1 << 24);
	buf_init(&inside, 1 << 24);
	buf_init(&record, 1 << 24);
	stored = n_alerts = n_shed = n_reports = n_facts = n_intervals = 0;
}

static void teardown(void)
{
	intake_free(intake);
	loop_timer_free(timer);
	loop_free(loop);
	struct queue_item *item = queue_take(writer, SIZE_MAX, 0);
	ck_assert_ptr_null(item);
	queue_free(writer);
	snapshot_slot_free(credentials);
	snapshot_slot_free(senders);
	buf_done(&message);
	buf_done(&inside);
	buf_done(&record);
}

/* Lets the loop do what is due. */
static void turn(int64_t ms)
{
	struct err err;
	loop_timer_start(timer, ms);
	ck_assert_int_eq(loop_run(loop, &err), 0);
}

static void write_batch(struct batch *batch)
{
	struct spool_mark *mark = batch->spool;
	ck_assert(text_is(batch->cluster, "prod"));
	for (struct alert *alert = batch->first; alert; alert = alert->next) {
		bool is_good = alert->kind == LEAF_ALERT, is_shed = alert->kind == LEAF_SHED;
		alert->outcome = is_good   ? OUTCOME_ACCEPTED
				 : is_shed ? OUTCOME_SHED
					   : OUTCOME_QUARANTINED;
		batch->n_accepted += is_good;
		batch->n_quarantined += !is_good && !is_shed;
		n_shed += is_shed;
	}
	n_alerts += batch->n_alerts;
	n_reports += batch->report != NULL;
	for (const struct fact *fact = batch->facts; fact; fact = fact->next)
		n_facts++;
	for (const struct coverage *item = batch->coverage; item; item = item->next)
		n_intervals++;
	if (mark && mark->last == 0) {
		mark->known = stored;
		stored = mark->next - 1 > stored ? mark->next - 1 : stored;
		mark->acknowledged = stored;
	} else if (mark) {
		ck_assert_uint_eq(stored + batch->n_alerts, mark->last);
		stored = mark->last;
	}
}

/* Stores what is in the queue, @n batches, and lets the intake hear of it. */
static void serve(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct queue_item *item = queue_take(writer, 1, 0);
		ck_assert_msg(item != NULL, "%zu of %zu batches are there", i, n);
		struct batch *batch = (struct batch *)(void *)item;
		write_batch(batch);
		ck_assert(queue_push(batch->reply, item));
	}
	turn(1);
}

static void give_up(enum err_kind kind)
{
	struct queue_item *item = queue_take(writer, 1, 0);
	ck_assert_ptr_nonnull(item);
	struct batch *batch = (struct batch *)(void *)item;
	ignore(err_set(&batch->err, kind, "records before are missing")); /* -1 is what it gives */
	ck_assert(queue_push(batch->reply, item));
	turn(1);
}

/* ---- calls ---- */

static struct grpc_call call_of(unsigned method, const char *token)
{
	struct grpc_call call = {.method = &intake_grpc_methods(intake)[method], .code = 99};
	text_format(call.token, sizeof call.token, "Bearer %s", token);
	return call;
}

static void open_as(struct grpc_call *call, unsigned method, const char *token)
{
	*call = call_of(method, token);
	call->method->open(call, call->method->ctx);
}

static void open_push(struct grpc_call *call)
{
	open_as(call, 0, tokens[CREDENTIAL_ALL]);
	ck_assert(!call->is_over);
}

static void give(struct grpc_call *call, struct text bytes)
{
	ck_assert(!call->is_paused && !call->is_over);
	char *copy = malloc(bytes.size + 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes.data ? bytes.data : "", bytes.size);
	call->method->message(call, copy, bytes.size, call->method->ctx);
}

/* What was put in `inside` as the member of a request. */
static void give_request(struct grpc_call *call, uint32_t field)
{
	buf_clear(&message);
	wire_add_member(&message, field, buf_text(&inside));
	buf_clear(&inside);
	give(call, buf_text(&message));
}

static void hello(struct grpc_call *call, const char *spool, const char *node, uint64_t next)
{
	wire_add_bytes(&inside, 1, text_of(spool));
	wire_add_bytes(&inside, 2, text_of(node));
	wire_add_varint(&inside, 5, next);
	give_request(call, 1);
}

static void add_records(uint32_t field, size_t n, struct text raw)
{
	for (size_t i = 0; i < n; i++) {
		buf_clear(&record);
		wire_add_bytes(&record, 1, i ? TEXT_NONE : TEXT("falco"));
		wire_add_bytes(&record, 2, raw);
		wire_add_member(&inside, field, buf_text(&record));
	}
}

static void records(struct grpc_call *call, uint64_t first, size_t n)
{
	wire_add_varint(&inside, 1, first);
	add_records(2, n, text_of(falco));
	give_request(call, 2);
}

/* A batch of @size bytes and more. */
static void large(struct grpc_call *call, uint64_t number, size_t size)
{
	AUTO(free) char *raw = malloc(size);
	memset(raw, 'x', size);
	wire_add_varint(&inside, 1, number);
	add_records(2, 1, (struct text){raw, size});
	give_request(call, 2);
}

static void close_push(struct grpc_call *call)
{
	if (!call->is_over)
		end(call);
}

#define SPOOL "0123456789abcdef"

static void open_spool(struct grpc_call *call, uint64_t next)
{
	open_push(call);
	hello(call, SPOOL, "node-1", next);
	ck_assert_msg(!call->is_over, "%u: %s", (unsigned)call->code, call->why);
	ck_assert(call->is_paused); /* until it is answered */
	serve(1);
	ck_assert(!call->is_paused);
}

START_TEST(acknowledges_after_the_writer)
{
	struct grpc_call call;
	open_spool(&call, 1);
	ck_assert_uint_eq(call.n_sent, 1);
	ck_assert_uint_eq(call.sent[0], 0);
	records(&call, 1, 3);
	records(&call, 4, 2);
	records(&call, 6, 1);
	turn(1);
	ck_assert_uint_eq(call.n_sent, 1); /* nothing is said before COMMIT */
	serve(3);
	ck_assert_uint_eq(call.n_sent, 2); /* once for what came back together */
	ck_assert_uint_eq(call.sent[1], 6);
	ck_assert_uint_eq(n_alerts, 6);
	call.method->half_closed(&call, intake);
	ck_assert(call.is_over);
	ck_assert_int_eq(call.code, GRPC_OK);
	ck_assert_uint_eq(intake_waiting(intake), 0);
}
END_TEST

START_TEST(half_closed_ends_when_all_is_stored)
{
	struct grpc_call call;
	open_spool(&call, 1);
	records(&call, 1, 3);
	call.method->half_closed(&call, intake);
	ck_assert(!call.is_over);
	serve(1);
	ck_assert(call.is_over);
	ck_assert_int_eq(call.code, GRPC_OK);
	ck_assert_uint_eq(call.sent[1], 3);
}
END_TEST

START_TEST(refuses_who_is_not_known)
{
	struct grpc_call call;
	for (unsigned method = 0; method < 2; method++) {
		open_as(&call, method, "tsn_wrong");
		ck_assert_int_eq(call.code, GRPC_UNAUTHENTICATED);
		open_as(&call, method, "");
		ck_assert_int_eq(call.code, GRPC_UNAUTHENTICATED);
		open_as(&call, method, tokens[CREDENTIAL_VIEWER]);
		ck_assert_int_eq(call.code, GRPC_PERMISSION_DENIED);
	}
	for (int i = 4; i < FAILURES_MAX; i++)
		open_as(&call, 0, "tsn_wrong");
	ck_assert_int_eq(call.code, GRPC_UNAUTHENTICATED);
	open_as(&call, 0, "tsn_wrong");
	ck_assert_int_eq(call.code, GRPC_RESOURCE_EXHAUSTED);
	open_push(&call); /* a right token is not refused for them */
	close_push(&call);
}
END_TEST

START_TEST(a_credential_of_a_node_speaks_for_that)
{
	struct grpc_call call;
	open_as(&call, 0, tokens[CREDENTIAL_NODE]);
	hello(&call, SPOOL, "node-2", 1);
	ck_assert_int_eq(call.code, GRPC_PERMISSION_DENIED);
	ck_assert_str_eq(call.why, "this credential speaks for node node-1, not node-2");
	open_as(&call, 0, tokens[CREDENTIAL_NODE]);
	hello(&call, SPOOL, "node-1", 1);
	serve(1);
	ck_assert_uint_eq(call.n_sent, 1);
	close_push(&call);
}
END_TEST

START_TEST(hello_comes_first_and_of_one_spool)
{
	struct grpc_call call;
	open_push(&call);
	records(&call, 1, 1);
	ck_assert_int_eq(call.code, GRPC_FAILED_PRECONDITION);
	ck_assert_str_eq(call.why, "the first message of a call is hello");
	open_spool(&call, 1);
	hello(&call, "another spool   ", "node-1", 1);
	ck_assert_int_eq(call.code, GRPC_INVALID_ARGUMENT);
	open_spool(&call, 1);
	hello(&call, SPOOL, "node-2", 1);
	ck_assert_int_eq(call.code, GRPC_INVALID_ARGUMENT);
	open_push(&call);
	give(&call, TEXT("garbage"));
	ck_assert_int_eq(call.code, GRPC_INVALID_ARGUMENT);
	ck_assert(text_starts(text_of(call.why), TEXT("offset ")));
}
END_TEST

START_TEST(goes_on_where_it_was)
{
	struct grpc_call call;
	open_spool(&call, 1);
	records(&call, 1, 10);
	serve(1);
	close_push(&call);
	open_spool(&call, 4); /* the acknowledgement was lost */
	ck_assert_uint_eq(call.sent[0], 10);
	records(&call, 4, 5); /* sent before hello was answered: all passed over */
	ck_assert_uint_eq(call.n_sent, 2);
	ck_assert_uint_eq(call.sent[1], 10);
	records(&call, 9, 4); /* 9 and 10 are passed over */
	serve(1);
	ck_assert_uint_eq(call.sent[2], 12);
	ck_assert_uint_eq(n_alerts, 12);
	close_push(&call);
}
END_TEST

START_TEST(a_gap_is_refused)
{
	struct grpc_call call;
	open_spool(&call, 1);
	records(&call, 1, 1);
	records(&call, 3, 1);
	ck_assert_int_eq(call.code, GRPC_FAILED_PRECONDITION);
	ck_assert(text_starts(text_of(call.why), TEXT("records 2 to 2 are missing")));
	serve(1); /* what stood before it is stored */
	ck_assert_uint_eq(stored, 1);
	open_spool(&call, 7); /* what its sender settled elsewhere */
	ck_assert_uint_eq(call.sent[0], 6);
	records(&call, 7, 1);
	serve(1);
	ck_assert_uint_eq(call.sent[1], 7);
	close_push(&call);
}
END_TEST

START_TEST(another_hello_goes_on_behind_a_gap)
{
	struct grpc_call call;
	open_spool(&call, 1);
	records(&call, 1, 2);
	hello(&call, SPOOL, "node-1", 9); /* what is in front of it is stored first */
	ck_assert(call.is_paused);
	serve(2);
	ck_assert(!call.is_paused);
	ck_assert_uint_eq(call.sent[call.n_sent - 1], 8);
	records(&call, 9, 2);
	serve(1);
	ck_assert_uint_eq(call.sent[call.n_sent - 1], 10);
	hello(&call, SPOOL, "node-1", 3); /* nothing is forgotten by it */
	serve(1);
	ck_assert_uint_eq(call.sent[call.n_sent - 1], 10);
	close_push(&call);
}
END_TEST

START_TEST(between_hello_and_its_answer_nothing_else_is_said)
{
	struct grpc_call call;
	open_spool(&call, 1);
	records(&call, 1, 2);
	hello(&call, SPOOL, "node-1", 9);
	serve(1); /* the records: "2" would be taken for the answer */
	ck_assert_uint_eq(call.n_sent, 1);
	ck_assert(call.is_paused);
	serve(1);
	ck_assert_uint_eq(call.n_sent, 2);
	ck_assert_uint_eq(call.sent[1], 8);
	close_push(&call);
}
END_TEST

START_TEST(a_newer_call_takes_the_spool_over)
{
	struct grpc_call old, other, call;
	open_spool(&old, 1);
	stored = 0;
	open_push(&other); /* another node's disk may have been copied: no rival */
	hello(&other, SPOOL, "node-2", 1);
	serve(1);
	large(&old, 1, QUEUE_BYTES / 3);
	large(&old, 2, QUEUE_BYTES / 3); /* held */
	ck_assert(old.is_paused);
	open_push(&call);
	hello(&call, SPOOL, "node-1", 1);
	ck_assert_int_eq(old.code, GRPC_ABORTED);
	ck_assert(!other.is_over);
	serve(2);
	ck_assert_uint_eq(
		call.sent[0], 1); /* what was in the queue counts, the held one does not */
	ck_assert_uint_eq(atomic_load(&status.n_held), 0);
	large(&call, 2, 10);
	serve(1);
	ck_assert_uint_eq(call.sent[1], 2);
	close_push(&call);
	close_push(&other);
	ck_assert_uint_eq(intake_waiting(intake), 0);
}
END_TEST

START_TEST(pauses_when_its_share_is_used_up)
{
	struct grpc_call call;
	open_spool(&call, 1);
	large(&call, 1, QUEUE_BYTES / 4);
	ck_assert(!call.is_paused);
	large(&call, 2, QUEUE_BYTES / 3); /* over half of the queue */
	ck_assert(call.is_paused);
	atomic_fetch_add(&manual.monotonic_ms, 600000);
	turn(2 * HOLD_RETRY_MS); /* without deadline */
	ck_assert(call.is_paused && !call.is_over);
	serve(1);
	ck_assert(!call.is_paused);
	serve(1);
	ck_assert_uint_eq(call.sent[call.n_sent - 1], 2);
	close_push(&call);
}
END_TEST

/* A message of @size bytes and more that says nearly nothing: the rest is of a later version. */
static void hollow(struct grpc_call *call, uint64_t number, size_t size)
{
	AUTO(free) char *padding = calloc(1, size);
	ck_assert_ptr_nonnull(padding);
	wire_add_varint(&inside, 1, number);
	add_records(2, 1, text_of(falco));
	wire_add_bytes(&inside, 99, (struct text){padding, size});
	give_request(call, 2);
}

START_TEST(a_message_weighs_what_it_keeps_in_memory)
{
	struct grpc_call call;
	open_spool(&call, 1);
	hollow(&call, 1, QUEUE_BYTES / 3);
	ck_assert(!call.is_paused);
	ck_assert_uint_ge(queue_weight(writer), QUEUE_BYTES / 3);
	hollow(&call, 2, QUEUE_BYTES / 3);
	ck_assert(call.is_paused); /* over half of the queue */
	serve(1);
	serve(1);
	ck_assert_uint_eq(stored, 2);
	close_push(&call);
}
END_TEST

START_TEST(what_is_held_goes_with_its_call)
{
	struct grpc_call call;
	open_spool(&call, 1);
	large(&call, 1, QUEUE_BYTES / 3);
	large(&call, 2, QUEUE_BYTES / 3);
	ck_assert_uint_eq(atomic_load(&status.n_held), 1);
	close_push(&call);
	ck_assert_uint_eq(atomic_load(&status.n_held), 0);
	serve(1);
	ck_assert_uint_eq(stored, 1);
	ck_assert_uint_eq(intake_waiting(intake), 0);
}
END_TEST

START_TEST(ends_when_the_writer_gave_up)
{
	struct grpc_call call;
	open_spool(&call, 1);
	records(&call, 1, 1);
	records(&call, 2, 1);
	give_up(ERR_MEMORY);
	ck_assert_int_eq(call.code, GRPC_UNAVAILABLE);
	give_up(ERR_MISSING); /* its records are not stored either */
	ck_assert_uint_eq(intake_waiting(intake), 0);
	ck_assert_uint_eq(call.n_sent, 1);
}
END_TEST

START_TEST(reports_and_pods_go_to_the_writer)
{
	struct grpc_call call;
	open_spool(&call, 1);
	wire_add_varint(&inside, 2, 5);
	give_request(&call, 3);
	serve(1);
	ck_assert_uint_eq(n_reports, 1);
	ck_assert_uint_eq(call.n_sent, 1); /* no record, no number */
	buf_clear(&record);
	wire_add_bytes(&record, 1, TEXT("0123456789abcdef"));
	wire_add_bytes(&record, 2, TEXT("0a1b"));
	wire_add_member(&inside, 3, buf_text(&record));
	give_request(&call, 2);
	serve(1);
	ck_assert_uint_eq(n_facts, 1);
	close_push(&call);
}
END_TEST

static size_t metric_of(const char *line)
{
	AUTO(buf_done) struct buf out = {0};
	buf_init(&out, 1 << 20);
	metric_write(&out, intake_metrics(), &manual.clock);
	buf_clear(&out); /* a new series shows its value the second time */
	metric_write(&out, intake_metrics(), &manual.clock);
	const char *found = strstr(buf_string(&out), line);
	ck_assert_msg(found != NULL, "no %s", line);
	return strtoul(found + strlen(line), NULL, 10);
}

START_TEST(counts_and_shows_the_sender)
{
	struct grpc_call call;
	open_spool(&call, 1);
	wire_add_varint(&inside, 1, 1);
	add_records(2, 2, text_of(falco));
	add_records(2, 1, TEXT("{"));
	AUTO(buf_done) struct buf shed = {0};
	buf_init(&shed, 64);
	wire_add_varint(&shed, 6, 40);
	buf_clear(&record);
	wire_add_member(&record, 5, buf_text(&shed));
	wire_add_member(&inside, 2, buf_text(&record));
	give_request(&call, 2);
	serve(1);
	records(&call, 3, 2); /* both known */
	ck_assert_uint_eq(n_shed, 1);
	ck_assert_uint_eq(
		metric_of("ingest_alerts_total{source=\"falco\",outcome=\"accepted\"} "), 2);
	ck_assert_uint_eq(
		metric_of("ingest_alerts_total{source=\"falco\",outcome=\"quarantined\"} "), 1);
	ck_assert_uint_eq(
		metric_of("ingest_alerts_total{source=\"falco\",outcome=\"duplicate\"} "), 2);
	ck_assert_uint_eq(metric_of("shed_total{source=\"falco\"} "), 40);
	turn(SENDERS_PUBLISH_MS + 200);
	struct sender_set *set = (struct sender_set *)(void *)snapshot_ref(senders);
	ck_assert_ptr_nonnull(set);
	ck_assert_uint_eq(set->n, 1);
	ck_assert_int_eq(set->items[0].source, SOURCE_FALCO);
	ck_assert(text_is(set->items[0].agent, "node-1"));
	ck_assert_uint_eq(set->items[0].n_requests, 2);
	snapshot_unref(&set->snapshot);
	close_push(&call);
}
END_TEST

static void report_of(struct grpc_call *call, const char *source)
{
	buf_clear(&record);
	wire_add_bytes(&record, 1, text_of(source));
	wire_add_varint(&record, 3, COVERAGE_CONNECTED);
	wire_add_fixed64(&record, 4, (uint64_t)(clock_wall_ns(&manual.clock) - 9));
	wire_add_fixed64(&record, 5, (uint64_t)clock_wall_ns(&manual.clock));
	wire_add_member(&inside, 4, buf_text(&record));
	give_request(call, 3);
	serve(1);
}

START_TEST(coverage_of_other_sources_is_refused_and_counted_once)
{
	struct grpc_call call;
	open_as(&call, 0, tokens[CREDENTIAL_FALCO]);
	hello(&call, SPOOL, "node-1", 1);
	serve(1);
	report_of(&call, "tetragon");
	report_of(&call, "tetragon");
	report_of(&call, "falco");
	ck_assert_uint_eq(n_reports, 3); /* how far the agent is counts all the same */
	ck_assert_uint_eq(n_intervals, 1);
	ck_assert_uint_eq(
		metric_of("ingest_alerts_total{source=\"tetragon\",outcome=\"refused\"} "), 1);
	close_push(&call);
}
END_TEST

START_TEST(a_revoked_token_ends_its_calls)
{
	struct grpc_call call;
	open_spool(&call, 1);
	publish_credentials(1);
	records(&call, 1, 1);
	ck_assert_int_eq(call.code, GRPC_PERMISSION_DENIED);
}
END_TEST

START_TEST(quiesce_stores_what_is_there_and_ends)
{
	struct grpc_call idle, busy, late;
	open_spool(&idle, 1);
	open_push(&busy);
	hello(&busy, "another spool   ", "node-1", 1);
	serve(1);
	stored = 0;
	records(&busy, 1, 1);
	intake_quiesce(intake);
	ck_assert_int_eq(idle.code, GRPC_UNAVAILABLE);
	ck_assert(!busy.is_over && busy.is_paused);
	serve(1);
	ck_assert_int_eq(busy.code, GRPC_UNAVAILABLE);
	ck_assert_uint_eq(busy.sent[1], 1);
	open_as(&late, 0, tokens[CREDENTIAL_ALL]);
	ck_assert_int_eq(late.code, GRPC_UNAVAILABLE);
}
END_TEST

START_TEST(frees_what_is_under_way)
{
	struct grpc_call call, gone;
	open_spool(&call, 1);
	large(&call, 1, QUEUE_BYTES / 3);
	large(&call, 2, QUEUE_BYTES / 3);
	open_push(&gone);
	hello(&gone, "another spool   ", "node-1", 1);
	close_push(&gone);
	close_push(&call);
	/* The writer gives back, and nobody looks. */
	struct queue_item *item = queue_take(writer, SIZE_MAX, 0);
	while (item) {
		struct batch *batch = (struct batch *)(void *)item;
		item = item->next;
		ck_assert(queue_push(batch->reply, &batch->item));
	}
}
END_TEST

/* ---- PushBatch ---- */

static void give_once(struct grpc_call *call, const char *node, size_t n)
{
	buf_clear(&inside);
	wire_add_bytes(&inside, 1, text_of(node));
	add_records(2, n, text_of(falco));
	give(call, buf_text(&inside));
	buf_clear(&inside);
}

START_TEST(a_batch_at_once)
{
	struct grpc_call call;
	open_as(&call, 1, tokens[CREDENTIAL_ALL]);
	give_once(&call, "node-9", 3);
	ck_assert_uint_eq(call.n_sent, 0);
	serve(1);
	ck_assert_int_eq(call.code, GRPC_OK);
	ck_assert_uint_eq(call.n_sent, 1);
	ck_assert_uint_eq(call.sent[0], 3);
	open_as(&call, 1, tokens[CREDENTIAL_ALL]);
	give_once(&call, "", 0);
	ck_assert_int_eq(call.code, GRPC_OK);
	open_as(&call, 1, tokens[CREDENTIAL_NODE]);
	give_once(&call, "node-9", 1);
	ck_assert_int_eq(call.code, GRPC_PERMISSION_DENIED);
	open_as(&call, 1, tokens[CREDENTIAL_ALL]);
	give(&call, TEXT("garbage"));
	ck_assert_int_eq(call.code, GRPC_INVALID_ARGUMENT);
	open_as(&call, 1, tokens[CREDENTIAL_ALL]);
	give(&call, TEXT("\x12\x08\x0a\x06nessus"));
	ck_assert_int_eq(call.code, GRPC_INVALID_ARGUMENT);
	ck_assert(text_starts(text_of(call.why), TEXT("no such source: 'nessus'")));
}
END_TEST

START_TEST(nobody_waits_for_a_batch_at_once)
{
	struct grpc_call call;
	open_as(&call, 1, tokens[CREDENTIAL_ALL]);
	end(&call);
	open_as(&call, 1, tokens[CREDENTIAL_ALL]);
	give_once(&call, "node-9", 3);
	end(&call);
	serve(1);
	ck_assert_uint_eq(n_alerts, 3);
	open_as(&call, 1, tokens[CREDENTIAL_ALL]);
	give_once(&call, "node-9", 3);
	give_up(ERR_LIMIT);
	ck_assert_int_eq(call.code, GRPC_UNAVAILABLE);
}
END_TEST

static void give_large_once(struct grpc_call *call, size_t size)
{
	AUTO(free) char *raw = malloc(size);
	ck_assert_ptr_nonnull(raw);
	memset(raw, 'x', size);
	buf_clear(&inside);
	add_records(2, 1, (struct text){raw, size});
	give(call, buf_text(&inside));
	buf_clear(&inside);
}

START_TEST(a_batch_at_once_is_not_held_for_ever)
{
	struct grpc_call busy, call;
	open_as(&busy, 1, tokens[CREDENTIAL_ALL]);
	give_large_once(&busy, QUEUE_BYTES / 3);
	open_as(&call, 1, tokens[CREDENTIAL_ALL]);
	give_large_once(&call, QUEUE_BYTES / 3); /* of Falco, but not from it */
	atomic_fetch_add(&manual.monotonic_ms, SOURCE_WAIT_MS - 1);
	turn(2 * HOLD_RETRY_MS);
	ck_assert(!call.is_over);
	atomic_fetch_add(&manual.monotonic_ms, 1);
	turn(2 * HOLD_RETRY_MS);
	ck_assert_int_eq(call.code, GRPC_UNAVAILABLE);
	ck_assert_str_eq(call.why, "the store does not keep up");
	serve(1);
	ck_assert_int_eq(busy.code, GRPC_OK);
}
END_TEST

START_TEST(what_is_held_at_once_goes_with_its_call)
{
	struct grpc_call call, patient;
	open_as(&call, 1, tokens[CREDENTIAL_ALL]);
	give_large_once(&call, QUEUE_BYTES / 3); /* with the writer, which hangs */
	open_as(&patient, 1, tokens[CREDENTIAL_ALL]);
	give_large_once(&patient, QUEUE_BYTES / 3);
	ck_assert_uint_eq(atomic_load(&status.n_held), 1);
	for (int i = 0; i < 1000; i++) { /* each gives up: its deadline has passed */
		struct grpc_call short_lived;
		open_as(&short_lived, 1, tokens[CREDENTIAL_ALL]);
		give_large_once(&short_lived, QUEUE_BYTES / 3);
		end(&short_lived);
	}
	ck_assert_uint_eq(atomic_load(&status.n_held), 1);
	ck_assert_uint_eq(intake_waiting(intake), 2);
	end(&call); /* what the writer has is stored all the same */
	serve(1);
	serve(1);
	ck_assert_int_eq(patient.code, GRPC_OK);
	ck_assert_uint_eq(n_alerts, 2);
	ck_assert_uint_eq(intake_waiting(intake), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("push");
	TCase *tests = tcase_create("push");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, acknowledges_after_the_writer);
	tcase_add_test(tests, half_closed_ends_when_all_is_stored);
	tcase_add_test(tests, refuses_who_is_not_known);
	tcase_add_test(tests, a_credential_of_a_node_speaks_for_that);
	tcase_add_test(tests, hello_comes_first_and_of_one_spool);
	tcase_add_test(tests, goes_on_where_it_was);
	tcase_add_test(tests, a_gap_is_refused);
	tcase_add_test(tests, another_hello_goes_on_behind_a_gap);
	tcase_add_test(tests, between_hello_and_its_answer_nothing_else_is_said);
	tcase_add_test(tests, a_newer_call_takes_the_spool_over);
	tcase_add_test(tests, pauses_when_its_share_is_used_up);
	tcase_add_test(tests, a_message_weighs_what_it_keeps_in_memory);
	tcase_add_test(tests, what_is_held_goes_with_its_call);
	tcase_add_test(tests, ends_when_the_writer_gave_up);
	tcase_add_test(tests, reports_and_pods_go_to_the_writer);
	tcase_add_test(tests, counts_and_shows_the_sender);
	tcase_add_test(tests, coverage_of_other_sources_is_refused_and_counted_once);
	tcase_add_test(tests, a_revoked_token_ends_its_calls);
	tcase_add_test(tests, quiesce_stores_what_is_there_and_ends);
	tcase_add_test(tests, frees_what_is_under_way);
	tcase_add_test(tests, a_batch_at_once);
	tcase_add_test(tests, nobody_waits_for_a_batch_at_once);
	tcase_add_test(tests, a_batch_at_once_is_not_held_for_ever);
	tcase_add_test(tests, what_is_held_at_once_goes_with_its_call);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
