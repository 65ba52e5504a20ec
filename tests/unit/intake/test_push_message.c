/* SPDX-License-Identifier: Apache-2.0 */

/* From messages to batches, with the real decoders. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/wire.h"
#include "evidence/leaf.h"
#include "intake/limits.h"
#include "intake/push_json.h"
#include "intake/push_message.h"

#define NOW_NS INT64_C(1790000000000000000)

static const char falco[] =
	"{\"time\":\"2026-09-21T10:00:00Z\",\"rule\":\"Shell\",\"priority\":\"Notice\",\"source\":"
	"\"syscall\",\"output\":\"a shell\",\"hostname\":\"node-1\",\"output_fields\":{}}";
static const char falco_line[] =
	"10:00:00.000000000: Notice A shell was spawned (user=root shell=bash)";

static struct credential credential;
static struct batch *batch;
static struct buf message, record;
static uint64_t passed[N_SOURCES];
static uint32_t refused; /* sources of coverage */
static struct err err;

static void setup(void)
{
	credential = (struct credential){
		.id = 7, .role = ROLE_SOURCE, .cluster = TEXT("prod"), .sources = UINT32_MAX};
	batch = batch_new();
	ck_assert_ptr_nonnull(batch);
	batch->cluster = TEXT("prod");
	buf_init(&message, 64 * 1024 * 1024);
	buf_init(&record, 64 * 1024 * 1024);
	memset(passed, 0, sizeof passed);
	err = (struct err){0};
}

static void teardown(void)
{
	batch_free(batch);
	buf_done(&message);
	buf_done(&record);
}

/* Ends the record that was begun. */
static void add_record(const char *source, struct text raw, uint64_t received_ns)
{
	wire_add_bytes(&record, 1, text_of(source));
	wire_add_bytes(&record, 2, raw);
	wire_add_fixed64(&record, 3, received_ns);
	wire_add_member(&message, 2, buf_text(&record));
	buf_clear(&record);
}

/* The message so far as the Batch of a PushRequest. */
static int decode_as(struct text node, uint64_t first, size_t skip)
{
	struct push_request request;
	struct push_speaker speaker = {
		.credential = &credential, .node = node, .is_agent = true, .now_ns = NOW_NS};
	AUTO(buf_done) struct buf whole = {0};
	buf_init(&whole, 64 * 1024 * 1024);
	wire_add_varint(&message, 1, first);
	wire_add_member(&whole, 2, buf_text(&message));
	struct text kept = arena_copy(&batch->arena, buf_text(&whole));
	if (push_request_read(kept, &request, &err) < 0)
		return -1;
	ck_assert_int_eq(request.kind, PUSH_RECORDS);
	ck_assert_uint_eq(request.records.first, first);
	return push_records_decode(&request.records, skip, &speaker, passed, batch, &err);
}

static void decode(void)
{
	ck_assert_msg(decode_as(TEXT("node-1"), 1, 0) == 0, "%s", err.text);
}

START_TEST(a_record_is_one_event)
{
	add_record("falco", text_of(falco), NOW_NS - 5);
	add_record("", text_of(falco_line), NOW_NS - 4); /* as the record before */
	add_record("", TEXT("{\"a\":1}\n{\"b\":2}"), NOW_NS);
	add_record("", TEXT("[1]"), NOW_NS);
	add_record("", TEXT(""), NOW_NS);
	add_record("tetragon", TEXT("no JSON"), NOW_NS);
	decode();
	ck_assert_uint_eq(batch->n_alerts, 6);
	const struct alert *alert = batch->first;
	ck_assert_int_eq(alert->kind, LEAF_ALERT);
	ck_assert(text_is(alert->raw, falco));
	ck_assert(text_is(alert->rule, "Shell"));
	ck_assert_int_eq(alert->received_ns, NOW_NS - 5);
	ck_assert_uint_eq(alert->via.n, 1);
	ck_assert(text_is(alert->via.items[0], "agent"));
	alert = alert->next;
	ck_assert_int_eq(alert->kind, LEAF_ALERT);
	ck_assert(text_is(alert->raw, falco_line));
	ck_assert_int_eq(alert->source, SOURCE_FALCO);
	for (int i = 0; i < 4; i++) {
		alert = alert->next;
		ck_assert_int_eq(alert->kind, LEAF_QUARANTINED);
		ck_assert(alert->quarantine_reason.size > 0);
	}
	ck_assert_int_eq(alert->source, SOURCE_TETRAGON);
}
END_TEST

START_TEST(times_of_arrival_are_bounded)
{
	add_record("falco", text_of(falco), NOW_NS);
	add_record("falco", text_of(falco), NOW_NS + 1);
	add_record("falco", text_of(falco), UINT64_MAX);
	add_record("falco", text_of(falco), 5); /* 1970 */
	add_record("falco", text_of(falco), 0);
	decode();
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		ck_assert_int_eq(alert->received_ns, NOW_NS);
}
END_TEST

START_TEST(hops_are_in_their_order)
{
	add_record("falcosidekick",
		TEXT("{\"uuid\":\"1\",\"output\":\"x\",\"priority\":\"Notice\",\"rule\":\"r\","
		     "\"time\":\"2026-09-21T10:00:00Z\",\"output_fields\":{}}"),
		NOW_NS);
	decode();
	ck_assert_int_eq(batch->first->kind, LEAF_ALERT);
	ck_assert_uint_eq(batch->first->via.n, 2);
	ck_assert(text_is(batch->first->via.items[0], "falcosidekick"));
	ck_assert(text_is(batch->first->via.items[1], "agent"));
}
END_TEST

START_TEST(the_sender_fills_a_node_that_is_absent)
{
	add_record("falco",
		TEXT("{\"rule\":\"r\",\"priority\":\"Notice\",\"output\":\"x\",\"time\":"
		     "\"2026-09-21T10:00:00Z\",\"output_fields\":{}}"),
		NOW_NS);
	add_record("falco", text_of(falco), NOW_NS); /* names node-1 */
	ck_assert_int_eq(decode_as(TEXT("node-2"), 1, 0), 0);
	ck_assert(text_is(batch->first->node, "node-2"));
	ck_assert(text_is(batch->first->next->node, "node-1"));
	ck_assert_int_eq(batch->first->next->kind, LEAF_ALERT);
}
END_TEST

START_TEST(a_bound_credential_speaks_for_its_node_alone)
{
	credential.node = TEXT("node-2");
	add_record("falco", text_of(falco), NOW_NS);
	ck_assert_int_eq(decode_as(TEXT("node-2"), 1, 0), 0);
	ck_assert_int_eq(batch->first->kind, LEAF_QUARANTINED);
	ck_assert(text_is(batch->first->quarantine_reason, "node node-1 is not this credential's"));
}
END_TEST

START_TEST(sources_that_may_not_be_are_kept_in_quarantine)
{
	credential.sources = 1U << SOURCE_FALCO;
	add_record("tetragon", TEXT("{}"), NOW_NS);
	add_record("nessus", TEXT("{}"), NOW_NS);
	add_record("falco", text_of(falco), NOW_NS);
	decode();
	const struct alert *alert = batch->first;
	ck_assert(text_is(alert->quarantine_reason, "this credential may not send for tetragon"));
	ck_assert_int_eq(alert->source, SOURCE_TETRAGON);
	alert = alert->next;
	ck_assert(text_is(alert->quarantine_reason, "no such source: 'nessus'"));
	ck_assert_int_eq(alert->next->kind, LEAF_ALERT);
}
END_TEST

START_TEST(what_was_acknowledged_is_passed_over)
{
	for (int i = 0; i < 5; i++)
		add_record(i ? "" : "falco", text_of(falco), NOW_NS);
	ck_assert_int_eq(decode_as(TEXT("node-1"), 11, 3), 0);
	ck_assert_uint_eq(batch->n_alerts, 2);
	ck_assert_uint_eq(passed[SOURCE_FALCO], 3);
	ck_assert_int_eq(batch->first->source, SOURCE_FALCO);
}
END_TEST

static void add_cut(const char *salt, struct text hash)
{
	AUTO(buf_done) struct buf cut = {0};
	buf_init(&cut, 256);
	wire_add_bytes(&cut, 1, text_of(salt));
	wire_add_bytes(&cut, 2, hash);
	wire_add_member(&record, 4, buf_text(&cut));
}

START_TEST(a_cut_gives_the_same_commitment_as_the_field_itself)
{
	struct redaction direct[2] = {{.path = TEXT("/a"), .value = TEXT("secret")},
		{.path = TEXT("/b/0"), .value = TEXT("")}};
	struct digest hashes[2], expected, commitment;
	memcpy(direct[0].salt, "0123456789abcdef", 16);
	memcpy(direct[1].salt, "fedcba9876543210", 16);
	ck_assert(leaf_commitment(direct, 2, &expected));
	for (int i = 0; i < 2; i++) {
		ck_assert(leaf_cut_hash(&direct[i], &hashes[i]));
		add_cut(i ? "fedcba9876543210" : "0123456789abcdef",
			(struct text){(const char *)hashes[i].bytes, DIGEST_BYTES});
	}
	add_record("falco", text_of(falco), NOW_NS);
	decode();
	const struct alert *alert = batch->first;
	ck_assert_int_eq(alert->kind, LEAF_ALERT);
	ck_assert(alert_is(alert, ALERT_REDACTED_AT_INGEST));
	ck_assert_uint_eq(alert->n_redactions, 2);
	ck_assert_mem_eq(alert->redactions[1].salt, "fedcba9876543210", 16);
	ck_assert(leaf_commitment(alert->redactions, alert->n_redactions, &commitment));
	ck_assert_mem_eq(commitment.bytes, expected.bytes, DIGEST_BYTES);
}
END_TEST

START_TEST(a_broken_cut_costs_its_record_alone)
{
	add_cut("short", TEXT("hash"));
	add_record("falco", text_of(falco), NOW_NS);
	add_record("falco", text_of(falco), NOW_NS);
	decode();
	ck_assert_int_eq(batch->first->kind, LEAF_QUARANTINED);
	ck_assert_int_eq(batch->first->next->kind, LEAF_ALERT);
}
END_TEST

START_TEST(what_was_shed_is_a_leaf)
{
	AUTO(buf_done) struct buf shed = {0};
	buf_init(&shed, 512);
	wire_add_bytes(&shed, 1, TEXT("tetragon"));
	wire_add_bytes(&shed, 2, TEXT("low"));
	wire_add_bytes(&shed, 3, TEXT("Read \"x\""));
	wire_add_fixed64(&shed, 4, NOW_NS - 60 * NS_PER_S);
	wire_add_fixed64(&shed, 5, NOW_NS - 1);
	wire_add_varint(&shed, 6, 12);
	wire_add_varint(&shed, 7, 3456);
	wire_add_member(&record, 5, buf_text(&shed));
	add_record("falco", TEXT_NONE, NOW_NS);
	wire_add_bytes(&shed, 3, TEXT("another rule"));
	wire_add_fixed64(&shed, 4, NOW_NS - 90 * NS_PER_S);
	wire_add_member(&record, 5, buf_text(&shed));
	add_record("falco", TEXT_NONE, NOW_NS);
	decode();
	const struct coverage *gap = batch->coverage;
	ck_assert(gap && !gap->next);
	ck_assert_int_eq(gap->state, COVERAGE_SHED);
	ck_assert_int_eq(gap->source, SOURCE_TETRAGON);
	ck_assert(text_is(gap->node, "node-1") && text_is(gap->sensor, "tetragon"));
	ck_assert_int_eq(gap->from_ns, NOW_NS - 90 * NS_PER_S);
	ck_assert_int_eq(gap->until_ns, NOW_NS - 1);
	ck_assert_uint_eq(gap->n, 24);
	const struct alert *alert = batch->first;
	ck_assert_int_eq(alert->kind, LEAF_SHED);
	ck_assert_int_eq(alert->source, SOURCE_TETRAGON);
	ck_assert(text_is(alert->node, "node-1"));
	ck_assert_uint_eq(alert->shed->n, 12);
	ck_assert_msg(text_is(alert->raw, "{\"shed\":{\"source\":\"tetragon\",\"node\":\"node-1\","
					  "\"severity\":\"low\",\"rule\":\"Read \\\"x\\\"\","
					  "\"from\":\"2026-09-21T14:12:20.000000000Z\","
					  "\"until\":\"2026-09-21T14:13:19.999999999Z\",\"n\":12,"
					  "\"bytes\":3456}}"),
		"%.*s", TEXT_ARG(alert->raw));
}
END_TEST

static void add_shed(const char *source, uint64_t n)
{
	AUTO(buf_done) struct buf shed = {0};
	buf_init(&shed, 512);
	wire_add_bytes(&shed, 1, text_of(source));
	wire_add_fixed64(&shed, 4, NOW_NS - 60 * NS_PER_S);
	wire_add_fixed64(&shed, 5, NOW_NS - 1);
	wire_add_varint(&shed, 6, n);
	wire_add_varint(&shed, 7, n);
	wire_add_member(&record, 5, buf_text(&shed));
	add_record("falco", TEXT_NONE, NOW_NS);
}

START_TEST(what_was_shed_of_foreign_sources_is_kept_in_quarantine)
{
	credential.sources = 1U << SOURCE_FALCO;
	add_shed("tetragon", 12);
	add_shed("nessus \"x\"", 12);
	add_shed("", 12);
	decode();
	const struct alert *alert = batch->first;
	ck_assert_uint_eq(batch->n_alerts, 3); /* a record is an alert: numbers stay */
	ck_assert_int_eq(alert->kind, LEAF_QUARANTINED);
	ck_assert_ptr_null(alert->shed);
	ck_assert_int_eq(alert->source, SOURCE_TETRAGON);
	ck_assert(text_is(alert->quarantine_reason, "this credential may not send for tetragon"));
	ck_assert(text_is(alert->node, "node-1"));
	ck_assert(text_starts(alert->raw, TEXT("{\"shed\":{\"source\":\"tetragon\",")));
	alert = alert->next;
	ck_assert_int_eq(alert->kind, LEAF_QUARANTINED);
	ck_assert(text_is(alert->quarantine_reason, "no such source: 'nessus \"x\"'"));
	ck_assert(text_starts(alert->raw, TEXT("{\"shed\":{\"source\":\"nessus \\\"x\\\"\",")));
	ck_assert_int_eq(alert->next->kind, LEAF_SHED);
	ck_assert(batch->coverage && !batch->coverage->next);
	ck_assert_int_eq(batch->coverage->source, SOURCE_FALCO);
	ck_assert_uint_eq(batch->coverage->n, 12);
}
END_TEST

START_TEST(numbers_of_what_was_shed_are_bounded)
{
	add_shed("falco", PUSH_SHED_MAX);
	add_shed("falco", PUSH_SHED_MAX + 1);
	add_shed("falco", UINT64_MAX);
	add_shed("falco", PUSH_SHED_MAX - 1);
	decode();
	const struct alert *alert = batch->first;
	for (int i = 0; i < 3; i++, alert = alert->next) {
		ck_assert_uint_eq(alert->shed->n, PUSH_SHED_MAX);
		ck_assert_uint_eq(alert->shed->bytes, PUSH_SHED_MAX);
	}
	ck_assert_uint_eq(alert->shed->n, PUSH_SHED_MAX - 1);
	ck_assert_uint_eq(batch->coverage->n, PUSH_SHED_MAX);
}
END_TEST

static void add_pod(const char *container, const char *uid)
{
	AUTO(buf_done) struct buf pod = {0};
	buf_init(&pod, 512);
	wire_add_bytes(&pod, 1, text_of(container));
	wire_add_bytes(&pod, 2, text_of(uid));
	wire_add_member(&message, 3, buf_text(&pod));
}

START_TEST(pods_are_facts_of_an_agent)
{
	static const char uid[] = "0a1b2c3d-0000-4000-8000-0123456789ab";
	add_pod("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", uid);
	add_pod("0123456789ab", uid);
	add_pod("0123456789a", uid);    /* too short */
	add_pod("0123456789xyz", uid);  /* no container id */
	add_pod("0123456789ab", "");    /* no uid */
	add_pod("0123456789ab", "a/b"); /* nor is this */
	ck_assert_int_eq(decode_as(TEXT("node-1"), 0, 0), 0);
	size_t n = 0;
	for (const struct fact *fact = batch->facts; fact; fact = fact->next, n++) {
		ck_assert_int_eq(fact->kind, FACT_CONTAINER);
		ck_assert_int_eq(fact->rank, FACT_AGENT);
		ck_assert(text_is(fact->container, "0123456789ab"));
		ck_assert(text_is(fact->uid, uid));
		ck_assert(text_is(fact->cluster, "prod"));
	}
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(batch->n_alerts, 0);
}
END_TEST

START_TEST(records_are_limited)
{
	for (int i = 0; i < PUSH_RECORDS_MAX; i++)
		add_record(i ? "" : "falco", TEXT("{}"), NOW_NS);
	decode();
	ck_assert_uint_eq(batch->n_alerts, PUSH_RECORDS_MAX);
	add_record("", TEXT("{}"), NOW_NS);
	ck_assert_int_eq(decode_as(TEXT("node-1"), 1, 0), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	ck_assert_str_eq(err.text, "10001 records in one batch, at most 10000");
}
END_TEST

START_TEST(numbers_begin_at_1)
{
	add_record("falco", TEXT("{}"), NOW_NS);
	ck_assert_int_eq(decode_as(TEXT("node-1"), 0, 0), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
	ck_assert_int_eq(decode_as(TEXT("node-1"), PUSH_NUMBER_MAX, 0), 0);
	ck_assert_int_eq(decode_as(TEXT("node-1"), PUSH_NUMBER_MAX + 1, 0), -1);
}
END_TEST

static int read_hello(struct text spool, struct text node, uint64_t next, struct push_hello *out)
{
	struct push_request request;
	buf_clear(&record);
	buf_clear(&message);
	wire_add_bytes(&record, 1, spool);
	wire_add_bytes(&record, 2, node);
	wire_add_bytes(&record, 4, TEXT("1.2"));
	wire_add_varint(&record, 5, next);
	wire_add_varint(&record, 99, 1); /* of a later version */
	wire_add_member(&message, 1, buf_text(&record));
	if (push_request_read(buf_text(&message), &request, &err) < 0)
		return -1;
	ck_assert_int_eq(request.kind, PUSH_HELLO);
	*out = request.hello;
	return 0;
}

START_TEST(what_was_released_is_before_what_is_next)
{
	struct push_request request;
	static const struct {
		uint64_t next, released;
		bool is_good;
	} cases[] = {
		{9, 0, true}, {9, 8, true}, {9, 9, false}, {0, 1, false}, {9, UINT64_MAX, false}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		buf_clear(&record);
		buf_clear(&message);
		wire_add_bytes(&record, 1, TEXT("0123456789abcdef"));
		wire_add_bytes(&record, 2, TEXT("node-1"));
		wire_add_varint(&record, 5, cases[i].next);
		wire_add_varint(&record, 6, cases[i].released);
		wire_add_member(&message, 1, buf_text(&record));
		ck_assert_int_eq(push_request_read(buf_text(&message), &request, &err),
			cases[i].is_good ? 0 : -1);
		if (cases[i].is_good)
			ck_assert_uint_eq(request.hello.released, cases[i].released);
		else
			ck_assert_str_eq(err.text, "hello.released is not below hello.next");
	}
}
END_TEST

START_TEST(hello_is_checked)
{
	struct push_hello hello;
	char node[PUSH_NODE_BYTES_MAX + 1];
	struct text spool = TEXT("0123456789abcdef");
	memset(node, 'n', sizeof node);
	ck_assert_int_eq(read_hello(spool, TEXT("node-1"), 9, &hello), 0);
	ck_assert(text_is(hello.node, "node-1"));
	ck_assert(text_is(hello.version, "1.2"));
	ck_assert_uint_eq(hello.next, 9);
	ck_assert_int_eq(read_hello(spool, TEXT("node-1"), 0, &hello), 0);
	ck_assert_uint_eq(hello.next, 1);
	ck_assert_int_eq(read_hello(spool, (struct text){node, sizeof node - 1}, 1, &hello), 0);
	ck_assert_int_eq(read_hello(spool, (struct text){node, sizeof node}, 1, &hello), -1);
	ck_assert_int_eq(read_hello(text_part(spool, 0, 15), TEXT("node-1"), 1, &hello), -1);
	ck_assert_str_eq(err.text, "hello.spool has 15 bytes, not 16");
	ck_assert_int_eq(read_hello(spool, TEXT(""), 1, &hello), -1);
	ck_assert_int_eq(read_hello(spool, TEXT("\xff"), 1, &hello), -1);
	ck_assert_int_eq(read_hello(spool, TEXT("node-1"), PUSH_NUMBER_MAX, &hello), 0);
	ck_assert_int_eq(read_hello(spool, TEXT("node-1"), PUSH_NUMBER_MAX + 1, &hello), -1);
}
END_TEST

START_TEST(other_messages)
{
	struct push_request request;
	ck_assert_int_eq(push_request_read(TEXT(""), &request, &err), 0);
	ck_assert_int_eq(request.kind, PUSH_NOTHING);
	ck_assert_int_eq(push_request_read(TEXT("\x22\x00"), &request, &err), 0);
	ck_assert_int_eq(request.kind, PUSH_NOTHING); /* of a later version */
	ck_assert_int_eq(push_request_read(TEXT("garbage"), &request, &err), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
}
END_TEST

static void add_coverage(const char *source, uint64_t state, uint64_t from_ns, uint64_t until_ns)
{
	buf_clear(&record);
	wire_add_bytes(&record, 1, text_of(source));
	wire_add_bytes(&record, 2, TEXT("falco 0.44"));
	wire_add_varint(&record, 3, state);
	wire_add_fixed64(&record, 4, from_ns);
	wire_add_fixed64(&record, 5, until_ns);
	wire_add_varint(&record, 6, 3);
	wire_add_member(&message, 4, buf_text(&record));
}

START_TEST(a_report_tells_coverage_and_progress)
{
	struct push_speaker speaker = {.credential = &credential,
		.node = TEXT("node-1"),
		.version = TEXT("1.2"),
		.boot = TEXT("b-1"),
		.now_ns = NOW_NS};
	wire_add_fixed64(&message, 1, NOW_NS - 9);
	wire_add_varint(&message, 2, 4);
	wire_add_varint(&message, 3, UINT64_MAX);
	add_coverage("falco", COVERAGE_DROPPING, NOW_NS - 100, UINT64_MAX);
	add_coverage("nessus", COVERAGE_SILENT, NOW_NS - 100, NOW_NS);
	add_coverage("falco", COVERAGE_SHED, NOW_NS - 100, NOW_NS); /* leaves say that */
	add_coverage("falco", 6, NOW_NS - 100, NOW_NS);
	add_coverage("falco", 0, NOW_NS - 100, NOW_NS);
	add_coverage("falco", COVERAGE_SILENT, NOW_NS, NOW_NS - 1);
	add_coverage("falco", COVERAGE_SILENT, 5, NOW_NS);
	ck_assert_int_eq(
		push_report_decode(buf_text(&message), &speaker, batch, &refused, &err), 0);
	ck_assert(text_is(batch->report->node, "node-1"));
	ck_assert(text_is(batch->report->version, "1.2") && text_is(batch->report->boot, "b-1"));
	ck_assert_int_eq(batch->report->oldest_ns, NOW_NS - 9);
	ck_assert_uint_eq(batch->report->n_waiting, 4);
	ck_assert_uint_eq(batch->report->waiting_bytes, INT64_MAX);
	ck_assert_uint_eq(refused, 0); /* nessus is not known: nobody's */
	const struct coverage *coverage = batch->coverage;
	ck_assert_ptr_null(coverage->next);
	ck_assert_int_eq(coverage->state, COVERAGE_DROPPING);
	ck_assert_int_eq(coverage->until_ns, NOW_NS);
	ck_assert(text_is(coverage->node, "node-1") && text_is(coverage->cluster, "prod"));
}
END_TEST

/* An agent whose clock is ahead cannot have said all up to a time that has not come. */
START_TEST(nothing_is_complete_before_its_time)
{
	struct push_speaker speaker = {
		.credential = &credential, .node = TEXT("node-1"), .now_ns = NOW_NS};
	static const uint64_t said[] = {NOW_NS - 1, NOW_NS, NOW_NS + 1, UINT64_MAX, 0};
	static const int64_t taken[] = {NOW_NS - 1, NOW_NS, NOW_NS, NOW_NS, NOW_NS};
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		buf_clear(&message);
		wire_add_fixed64(&message, 1, said[i]);
		ck_assert_int_eq(
			push_report_decode(buf_text(&message), &speaker, batch, &refused, &err), 0);
		ck_assert_int_eq(batch->report->oldest_ns, taken[i]);
	}
}
END_TEST

START_TEST(a_report_tells_of_the_credentials_sources_alone)
{
	struct push_speaker speaker = {
		.credential = &credential, .node = TEXT("node-1"), .now_ns = NOW_NS};
	credential.sources = 1U << SOURCE_FALCO;
	add_coverage("tetragon", COVERAGE_SILENT, NOW_NS - 100, NOW_NS);
	add_coverage("falco", COVERAGE_CONNECTED, NOW_NS - 100, NOW_NS);
	add_coverage("kubearmor", COVERAGE_CONNECTED, NOW_NS - 100, NOW_NS);
	ck_assert_int_eq(
		push_report_decode(buf_text(&message), &speaker, batch, &refused, &err), 0);
	ck_assert_ptr_nonnull(batch->report);
	ck_assert(batch->coverage && !batch->coverage->next);
	ck_assert_int_eq(batch->coverage->source, SOURCE_FALCO);
	ck_assert_uint_eq(refused, 1U << SOURCE_TETRAGON | 1U << SOURCE_KUBEARMOR);
}
END_TEST

START_TEST(intervals_of_a_report_are_limited)
{
	struct push_speaker speaker = {
		.credential = &credential, .node = TEXT("node-1"), .now_ns = NOW_NS};
	for (int i = 0; i < PUSH_COVERAGE_MAX; i++)
		add_coverage("falco", COVERAGE_SILENT, NOW_NS - 100, NOW_NS);
	ck_assert_int_eq(
		push_report_decode(buf_text(&message), &speaker, batch, &refused, &err), 0);
	ck_assert_int_eq(batch->report->oldest_ns, NOW_NS);
	add_coverage("falco", COVERAGE_SILENT, NOW_NS - 100, NOW_NS);
	ck_assert_int_eq(
		push_report_decode(buf_text(&message), &speaker, batch, &refused, &err), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
}
END_TEST

static const char *const json_forms[] = {
	"{\"node\":\"node-1\",\"records\":[{\"source\":\"falco\",\"raw\":\"eyJhIjoxfQ==\","
	"\"receivedNs\":\"1790000000000000000\"},{\"raw\":\"-_8\"}],\"pods\":[{\"container\":\"c\","
	"\"podUid\":\"u\"}]}",
	" { \"pods\" : null , \"node\":\"node-1\",\"records\":[{\"source\":\"falco\","
	"\"raw\":\"eyJhIjoxfQ\",\"received_ns\":1790000000000000000},{\"raw\":\"+/"
	"8=\",\"cuts\":[]}],"
	"\"pods\":[{\"container\":\"c\",\"pod_uid\":\"u\"}]}\n",
};

START_TEST(json_is_the_same_message)
{
	AUTO(arena_done) struct arena arena;
	AUTO(buf_done) struct buf out = {0};
	arena_init(&arena, 1 << 20);
	buf_init(&out, 1 << 20);
	wire_add_bytes(&message, 1, TEXT("node-1"));
	add_record("falco", TEXT("{\"a\":1}"), NOW_NS);
	add_record("", TEXT("\xfb\xff"), 0);
	add_pod("c", "u");
	int failed = push_json_read(text_of(json_forms[_i]), &arena, &out, &err);
	ck_assert_msg(!failed, "%s", err.text);
	ck_assert(text_equal(buf_text(&out), buf_text(&message)));
}
END_TEST

static const struct {
	const char *json, *error;
} wrong[] = {
	{"[]", "offset 0: an object is expected"},
	{"{\"nodes\":\"x\"}", "offset 1: no such member"},
	{"{\"node\":1}", "offset 8: a string is expected"},
	{"{\"node\":{}}", "offset 8: a string is expected"},
	{"{\"records\":[1]}", "offset 12: an object is expected"},
	{"{\"records\":[{\"raw\":\"*\"}]}", "offset 19: base64 is expected"},
	{"{\"records\":[{\"receivedNs\":-1}]}", "offset 26: a whole number"},
	{"{\"records\":[{\"receivedNs\":1.5}]}", "offset 26: a whole number"},
	{"{\"records\":[{\"receivedNs\":18446744073709551616}]}", "offset 26: a whole number"},
	{"{\"node\":\"x\"} {}", "offset 12: something stands behind"},
	{"{\"node\":\"x\"", "offset 11: "},
	{"{\"records\":[{\"cuts\":[{\"salt\":[]}]}]}", "offset 29: base64 is expected"},
};

START_TEST(json_that_is_wrong_says_where)
{
	AUTO(arena_done) struct arena arena;
	AUTO(buf_done) struct buf out = {0};
	arena_init(&arena, 1 << 20);
	buf_init(&out, 1 << 20);
	ck_assert_int_eq(push_json_read(text_of(wrong[_i].json), &arena, &out, &err), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
	ck_assert_msg(text_starts(text_of(err.text), text_of(wrong[_i].error)), "%s: %s",
		wrong[_i].json, err.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("push_message");
	TCase *tests = tcase_create("push_message");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_record_is_one_event);
	tcase_add_test(tests, times_of_arrival_are_bounded);
	tcase_add_test(tests, hops_are_in_their_order);
	tcase_add_test(tests, the_sender_fills_a_node_that_is_absent);
	tcase_add_test(tests, a_bound_credential_speaks_for_its_node_alone);
	tcase_add_test(tests, sources_that_may_not_be_are_kept_in_quarantine);
	tcase_add_test(tests, what_was_acknowledged_is_passed_over);
	tcase_add_test(tests, a_cut_gives_the_same_commitment_as_the_field_itself);
	tcase_add_test(tests, a_broken_cut_costs_its_record_alone);
	tcase_add_test(tests, what_was_shed_is_a_leaf);
	tcase_add_test(tests, what_was_shed_of_foreign_sources_is_kept_in_quarantine);
	tcase_add_test(tests, numbers_of_what_was_shed_are_bounded);
	tcase_add_test(tests, pods_are_facts_of_an_agent);
	tcase_add_test(tests, records_are_limited);
	tcase_add_test(tests, numbers_begin_at_1);
	tcase_add_test(tests, hello_is_checked);
	tcase_add_test(tests, what_was_released_is_before_what_is_next);
	tcase_add_test(tests, other_messages);
	tcase_add_test(tests, a_report_tells_coverage_and_progress);
	tcase_add_test(tests, nothing_is_complete_before_its_time);
	tcase_add_test(tests, a_report_tells_of_the_credentials_sources_alone);
	tcase_add_test(tests, intervals_of_a_report_are_limited);
	tcase_add_loop_test(
		tests, json_is_the_same_message, 0, sizeof json_forms / sizeof json_forms[0]);
	tcase_add_loop_test(
		tests, json_that_is_wrong_says_where, 0, sizeof wrong / sizeof wrong[0]);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
