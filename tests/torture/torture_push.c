/* SPDX-License-Identifier: Apache-2.0 */

/* Messages of Push: what is made of them without memory is whole, or they say so. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/wire.h"
#include "intake/push_json.h"
#include "intake/push_message.h"
#include "tests/lib/torture.h"

#define NOW_NS INT64_C(1790000000000000000)
#define EVENT                                                                                      \
	"{\"time\":\"2026-09-21T10:00:00Z\",\"rule\":\"r\",\"priority\":\"Notice\",\"output\":"    \
	"\"a\\nb\",\"output_fields\":{}}"

static const char json[] =
	"{\"node\":\"n\\u0031\",\"records\":[{\"source\":\"falco\",\"raw\":\"eyJhIjoxfQ==\"},"
	"{\"receivedNs\":\"5\",\"cuts\":[{\"salt\":\"AAAA\"}],\"shed\":{\"rule\":\"r\\n\",\"n\":3}}"
	"],"
	"\"pods\":[{\"container\":\"c\",\"podUid\":\"u\"}]}";

static struct buf batch_message, report_message;
static const struct credential credential = {
	.id = 1, .role = ROLE_SOURCE, .cluster = TEXT("prod"), .sources = 1U << SOURCE_FALCO};
static const struct push_speaker speaker = {
	.credential = &credential, .node = TEXT("node-1"), .is_agent = true, .now_ns = NOW_NS};

static void add_member(struct buf *out, uint32_t field, struct buf *inside)
{
	wire_add_member(out, field, buf_text(inside));
	buf_clear(inside);
}

static void make_messages(void)
{
	AUTO(buf_done) struct buf records = {0}, one = {0}, part = {0};
	buf_init(&batch_message, 1 << 16);
	buf_init(&report_message, 1 << 16);
	buf_init(&records, 1 << 16);
	buf_init(&one, 1 << 16);
	buf_init(&part, 1 << 16);
	wire_add_varint(&records, 1, 1);
	wire_add_bytes(&one, 1, TEXT("falco"));
	wire_add_bytes(&one, 2, TEXT(EVENT));
	wire_add_bytes(&part, 1, TEXT("0123456789abcdef"));
	wire_add_bytes(&part, 2, TEXT("0123456789abcdef0123456789abcdef"));
	add_member(&one, 4, &part);
	add_member(&records, 2, &one);
	wire_add_bytes(&one, 1, TEXT("tetragon")); /* which may not be sent */
	wire_add_bytes(&one, 2, TEXT("{}"));
	add_member(&records, 2, &one);
	for (int i = 0; i < 2; i++) { /* of tetragon, as the record before; of falco */
		if (i)
			wire_add_bytes(&part, 1, TEXT("falco"));
		wire_add_bytes(&part, 3, TEXT("rule \xff"));
		wire_add_varint(&part, 6, 9);
		add_member(&one, 5, &part);
		add_member(&records, 2, &one);
	}
	wire_add_bytes(&part, 1, TEXT("0123456789abcdef"));
	wire_add_bytes(&part, 2, TEXT("0a1b"));
	add_member(&records, 3, &part);
	add_member(&batch_message, 2, &records);
	wire_add_bytes(&part, 1, TEXT("falco"));
	wire_add_bytes(&part, 2, TEXT("0.44 \xff"));
	wire_add_varint(&part, 3, COVERAGE_SILENT);
	wire_add_fixed64(&part, 4, NOW_NS - 9);
	wire_add_fixed64(&part, 5, NOW_NS);
	add_member(&report_message, 4, &part);
	assert(buf_ok(&batch_message) && buf_ok(&report_message));
}

static void batch_free_auto(struct batch **batch)
{
	batch_free(*batch);
}

static void check_batch(const struct batch *batch)
{
	const struct alert *alert = batch->first;
	assert(batch->n_alerts == 4 && batch->facts && !batch->facts->next);
	assert(alert->kind == LEAF_ALERT && text_is(alert->rule, "r") && alert->n_redactions == 1);
	assert(alert->via.n == 1 && text_is(alert->node, "node-1"));
	alert = alert->next;
	assert(alert->kind == LEAF_QUARANTINED &&
		text_starts(alert->quarantine_reason, TEXT("this")));
	alert = alert->next;
	assert(alert->kind == LEAF_QUARANTINED && text_starts(alert->raw, TEXT("{\"shed\"")));
	alert = alert->next;
	assert(alert->kind == LEAF_SHED && alert->shed->n == 9 && alert->raw.size > 50);
}

static bool run_batch(void)
{
	struct err err = {0};
	struct push_request request;
	uint64_t passed[N_SOURCES] = {0};
	AUTO(batch_free) struct batch *batch = batch_new();
	if (!batch)
		return false;
	if (push_request_read(buf_text(&batch_message), &request, &err) < 0 ||
		push_records_decode(&request.records, 0, &speaker, passed, batch, &err) < 0)
		return torture_reported(&err);
	torture_end();
	check_batch(batch);
	return true;
}

static bool run_report(void)
{
	uint32_t refused;
	struct err err = {0};
	AUTO(batch_free) struct batch *batch = batch_new();
	if (!batch)
		return false;
	if (push_report_decode(buf_text(&report_message), &speaker, batch, &refused, &err) < 0)
		return torture_reported(&err);
	torture_end();
	assert(batch->report && batch->coverage && !batch->coverage->next);
	assert(text_starts(batch->coverage->sensor, TEXT("0.44 ")));
	return true;
}

static bool run_json(void)
{
	struct err err = {0};
	struct push_records records;
	AUTO(arena_done) struct arena arena;
	AUTO(buf_done) struct buf out = {0};
	arena_init(&arena, 1 << 20);
	buf_init(&out, 1 << 20);
	if (push_json_read(text_of(json), &arena, &out, &err) < 0)
		return torture_reported(&err);
	torture_end();
	assert(push_batch_request_read(buf_text(&out), &records, &err) == 0);
	assert(records.n == 2 && text_is(records.node, "n1"));
	return true;
}

int main(void)
{
	static const struct torture_case cases[] = {{.name = "batch", .run = run_batch},
		{.name = "report", .run = run_report}, {.name = "json", .run = run_json}, {0}};
	make_messages();
	int status = torture_run("push", cases);
	buf_done(&batch_message);
	buf_done(&report_message);
	return status;
}
