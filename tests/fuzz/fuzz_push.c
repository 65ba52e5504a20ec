/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a message of Push, all the way to a batch as the writer gets it. */

#include <assert.h>
#include <stdint.h>

#include "base/utf8.h"
#include "evidence/leaf.h"
#include "intake/push_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_NS INT64_C(1795478400000000000)

static const struct credential credential = {.id = 1,
	.role = ROLE_SOURCE,
	.cluster = TEXT("fuzz"),
	.sources = UINT32_MAX & ~(1U << SOURCE_TETRAGON)};
static const struct push_speaker speaker = {
	.credential = &credential, .node = TEXT("node-1"), .is_agent = true, .now_ns = NOW_NS};

static void check_alert(const struct alert *alert)
{
	struct digest commitment;
	assert(alert->source != SOURCE_NONE);
	assert(alert->received_ns > 0 && alert->received_ns <= NOW_NS);
	assert((alert->kind == LEAF_QUARANTINED) == (alert->quarantine_reason.size > 0));
	assert((alert->kind == LEAF_SHED) == (alert->shed != NULL));
	assert(alert->kind != LEAF_SHED || utf8_valid(alert->raw));
	assert(leaf_commitment(alert->redactions, alert->n_redactions, &commitment));
}

static void check_batch(
	const struct push_records *records, struct batch *batch, struct text message)
{
	struct err err;
	uint64_t passed[N_SOURCES] = {0};
	size_t skip = message.size % 3, n = 0, n_passed = 0;
	if (push_records_decode(records, skip, &speaker, passed, batch, &err) < 0) {
		assert(err.kind == ERR_MEMORY);
		return;
	}
	for (const struct alert *alert = batch->first; alert; alert = alert->next, n++)
		check_alert(alert);
	for (unsigned i = 0; i < N_SOURCES; i++)
		n_passed += passed[i];
	assert(n == batch->n_alerts && n + n_passed == records->n);
	for (const struct fact *fact = batch->facts; fact; fact = fact->next)
		assert(fact->container.size == 12 && fact->uid.size > 0);
}

static void check_report(struct text report, struct batch *batch)
{
	uint32_t refused;
	struct err err;
	if (push_report_decode(report, &speaker, batch, &refused, &err) < 0)
		return;
	assert(batch->report->oldest_ns <= NOW_NS);
	for (const struct coverage *item = batch->coverage; item; item = item->next)
		assert(item->from_ns <= item->until_ns && item->until_ns <= NOW_NS &&
			utf8_valid(item->sensor));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	struct push_request request;
	struct push_records once;
	struct text message = {(const char *)data, size};
	struct batch *batch = batch_new();
	assert(batch);
	batch->cluster = TEXT("fuzz");
	if (push_request_read(message, &request, &err) == 0) {
		if (request.kind == PUSH_RECORDS)
			check_batch(&request.records, batch, message);
		if (request.kind == PUSH_REPORT)
			check_report(request.report, batch);
		assert(request.kind != PUSH_HELLO ||
			(request.hello.node.size && request.hello.next));
	}
	batch_free(batch);
	batch = batch_new();
	assert(batch);
	batch->cluster = TEXT("fuzz");
	if (push_batch_request_read(message, &once, &err) == 0)
		check_batch(&once, batch, message);
	batch_free(batch);
	return 0;
}
