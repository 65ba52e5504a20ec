/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/push_wire.h"

#include "agent/keeper.h"
#include "base/cleanup.h"
#include "base/wire.h"
#include "intake_fields.h"

enum {
	CUT_SALT_BYTES = 16,
	MESSAGE_BYTES_MAX = 16 * 1024 * 1024,
	SMALL_BYTES_MAX = 64 * 1024,
};

static void add_cuts(struct text cuts, struct buf *out)
{
	while (cuts.size) {
		AUTO(buf_done) struct buf cut = {0};
		buf_init(&cut, SMALL_BYTES_MAX);
		wire_add_bytes(&cut, INTAKE_CUT_SALT, text_part(cuts, 0, CUT_SALT_BYTES));
		wire_add_bytes(&cut, INTAKE_CUT_HASH,
			text_part(cuts, CUT_SALT_BYTES, RECORD_CUT_BYTES - CUT_SALT_BYTES));
		wire_add_member(out, INTAKE_RECORD_CUTS, buf_text(&cut));
		cuts = text_part(cuts, RECORD_CUT_BYTES, cuts.size);
	}
}

static struct text source_name(enum source source)
{
	return text_of(source == SOURCE_NONE ? "" : source_info(source)->name);
}

static void add_shed(const struct record *record, struct buf *out)
{
	AUTO(buf_done) struct buf shed = {0};
	struct record_shed what = record->shed;
	if (record->kind != RECORD_SHED)
		what = (struct record_shed){
			record->received_ns, record->received_ns, 1, record->raw.size};
	buf_init(&shed, SMALL_BYTES_MAX);
	wire_add_bytes(&shed, INTAKE_SHED_SOURCE, source_name(record->source));
	wire_add_bytes(&shed, INTAKE_SHED_SEVERITY, text_of(severity_name(record->severity)));
	wire_add_bytes(&shed, INTAKE_SHED_RULE, record->rule);
	wire_add_fixed64(&shed, INTAKE_SHED_FROM_NS, (uint64_t)what.from_ns);
	wire_add_fixed64(&shed, INTAKE_SHED_UNTIL_NS, (uint64_t)what.until_ns);
	wire_add_varint(&shed, INTAKE_SHED_N, what.n);
	wire_add_varint(&shed, INTAKE_SHED_BYTES, what.n_bytes);
	wire_add_member(out, INTAKE_RECORD_SHED, buf_text(&shed));
}

void push_wire_record(const struct record *record, enum source *source, struct buf *out)
{
	AUTO(buf_done) struct buf one = {0};
	buf_init(&one, MESSAGE_BYTES_MAX);
	if (record->source != *source)
		wire_add_bytes(&one, INTAKE_RECORD_SOURCE, source_name(record->source));
	*source = record->source;
	wire_add_fixed64(&one, INTAKE_RECORD_RECEIVED_NS, (uint64_t)record->received_ns);
	if (record->kind == RECORD_SHED || record_size(record) > PUSH_RECORD_BYTES_MAX) {
		add_shed(record, &one);
	} else {
		wire_add_member(&one, INTAKE_RECORD_RAW, record->raw);
		add_cuts(record->cuts, &one);
	}
	if (buf_ok(&one))
		wire_add_member(out, INTAKE_BATCH_RECORDS, buf_text(&one));
	else
		out->failed = out->no_memory = true;
}

void push_wire_hello(const struct push_wire_hello *hello, struct buf *out)
{
	AUTO(buf_done) struct buf inside = {0};
	buf_init(&inside, SMALL_BYTES_MAX);
	wire_add_bytes(&inside, INTAKE_HELLO_SPOOL,
		(struct text){(const char *)hello->spool.bytes, sizeof hello->spool.bytes});
	wire_add_bytes(&inside, INTAKE_HELLO_NODE, hello->node);
	wire_add_bytes(&inside, INTAKE_HELLO_BOOT, hello->boot);
	wire_add_bytes(&inside, INTAKE_HELLO_VERSION, hello->version);
	wire_add_varint(&inside, INTAKE_HELLO_NEXT, hello->next);
	wire_add_varint(&inside, INTAKE_HELLO_RELEASED, hello->released);
	wire_add_member(out, INTAKE_PUSH_REQUEST_HELLO, buf_text(&inside));
}

void push_wire_pod(struct text container, struct text uid, struct buf *out)
{
	AUTO(buf_done) struct buf pod = {0};
	buf_init(&pod, SMALL_BYTES_MAX);
	wire_add_bytes(&pod, INTAKE_CONTAINER_POD_CONTAINER, container);
	wire_add_bytes(&pod, INTAKE_CONTAINER_POD_POD_UID, uid);
	wire_add_member(out, INTAKE_BATCH_PODS, buf_text(&pod));
}

void push_wire_batch(uint64_t first, struct text records, struct text pods, struct buf *out)
{
	AUTO(buf_done) struct buf inside = {0};
	buf_init(&inside, MESSAGE_BYTES_MAX);
	wire_add_varint(&inside, INTAKE_BATCH_FIRST, first);
	buf_add(&inside, records);
	buf_add(&inside, pods);
	if (buf_ok(&inside))
		wire_add_member(out, INTAKE_PUSH_REQUEST_BATCH, buf_text(&inside));
	else
		out->failed = out->no_memory = true;
}

static void add_coverage(const struct coverage *coverage, struct buf *out)
{
	AUTO(buf_done) struct buf one = {0};
	buf_init(&one, SMALL_BYTES_MAX);
	wire_add_bytes(&one, INTAKE_COVERAGE_SOURCE, source_name(coverage->source));
	wire_add_bytes(&one, INTAKE_COVERAGE_SENSOR, coverage->sensor);
	wire_add_varint(&one, INTAKE_COVERAGE_STATE, coverage->state);
	wire_add_fixed64(&one, INTAKE_COVERAGE_FROM_NS, (uint64_t)coverage->from_ns);
	wire_add_fixed64(&one, INTAKE_COVERAGE_UNTIL_NS, (uint64_t)coverage->until_ns);
	wire_add_varint(&one, INTAKE_COVERAGE_N, coverage->n);
	wire_add_member(out, INTAKE_REPORT_COVERAGE, buf_text(&one));
}

void push_wire_report(
	const struct spool_waiting *waiting, const struct coverage *coverage, struct buf *out)
{
	AUTO(buf_done) struct buf inside = {0};
	buf_init(&inside, SMALL_BYTES_MAX);
	wire_add_fixed64(&inside, INTAKE_REPORT_OLDEST_NS, (uint64_t)waiting->oldest_ns);
	wire_add_varint(&inside, INTAKE_REPORT_N_WAITING, waiting->n);
	wire_add_varint(&inside, INTAKE_REPORT_WAITING_BYTES, waiting->n_bytes);
	for (; coverage; coverage = coverage->next)
		add_coverage(coverage, &inside);
	wire_add_member(out, INTAKE_PUSH_REQUEST_REPORT, buf_text(&inside));
}

bool push_wire_read_acknowledged(struct text message, uint64_t *number)
{
	struct wire reader = wire_of(message);
	*number = 0;
	while (wire_next(&reader))
		if (reader.field == INTAKE_PUSH_RESPONSE_ACKNOWLEDGED && reader.type == WIRE_VARINT)
			*number = reader.number;
	return !reader.failed;
}
