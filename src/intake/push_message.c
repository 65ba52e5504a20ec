/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/push_message.h"

#include "base/utf8.h"
#include "base/wire.h"
#include "intake/limits.h"
#include "intake/push_fields.h"
#include "intake_fields.h"

/* Fields of intake.proto, the least that is looked into. */
static const struct wire_shape flat_shape[] = {{0, NULL}};
static const struct wire_shape record_shape[] = {
	{INTAKE_RECORD_CUTS, flat_shape}, {INTAKE_RECORD_SHED, flat_shape}, {0, NULL}};
static const struct wire_shape batch_shape[] = {
	{INTAKE_BATCH_RECORDS, record_shape}, {INTAKE_BATCH_PODS, flat_shape}, {0, NULL}};
static const struct wire_shape report_shape[] = {{INTAKE_REPORT_COVERAGE, flat_shape}, {0, NULL}};
static const struct wire_shape request_shape[] = {{INTAKE_PUSH_REQUEST_HELLO, flat_shape},
	{INTAKE_PUSH_REQUEST_BATCH, batch_shape}, {INTAKE_PUSH_REQUEST_REPORT, report_shape},
	{0, NULL}};

static const struct wire_limits limits = {WIRE_DEPTH_MAX, PUSH_FIELDS_MAX};

static bool is_bytes(const struct wire *reader, uint32_t field)
{
	return reader->field == field && reader->type == WIRE_BYTES;
}

static bool is_varint(const struct wire *reader, uint32_t field)
{
	return reader->field == field && reader->type == WIRE_VARINT;
}

/* A text of the peer that is stored and shown. */
static int check_text(struct text text, size_t max, const char *what, struct err *err)
{
	if (text.size > max)
		return err_set(err, ERR_LIMIT, "%s is longer than %zu bytes", what, max);
	return utf8_valid(text) ? 0 : err_set(err, ERR_INPUT, "%s is not UTF-8", what);
}

static int check_hello(const struct push_hello *hello, struct text spool, struct err *err)
{
	if (spool.size != sizeof hello->spool)
		return err_set(err, ERR_INPUT, "hello.spool has %zu bytes, not 16", spool.size);
	if (hello->node.size == 0)
		return err_set(err, ERR_INPUT, "hello.node is empty");
	if (hello->next > PUSH_NUMBER_MAX)
		return err_set(err, ERR_LIMIT, "hello.next is over 2^62");
	if (hello->released >= hello->next)
		return err_set(err, ERR_INPUT, "hello.released is not below hello.next");
	return check_text(hello->node, PUSH_NODE_BYTES_MAX, "hello.node", err) < 0 ||
			       check_text(hello->boot, PUSH_NAME_BYTES_MAX, "hello.boot", err) <
				       0 ||
			       check_text(hello->version, PUSH_NAME_BYTES_MAX, "hello.version",
				       err) < 0
		       ? -1
		       : 0;
}

static int read_hello(struct text message, struct push_hello *out, struct err *err)
{
	struct text spool = TEXT_NONE;
	*out = (struct push_hello){.next = 1};
	const struct push_field fields[] = {{INTAKE_HELLO_SPOOL, WIRE_BYTES, &spool, NULL, NULL},
		{INTAKE_HELLO_NODE, WIRE_BYTES, &out->node, NULL, NULL},
		{INTAKE_HELLO_BOOT, WIRE_BYTES, &out->boot, NULL, NULL},
		{INTAKE_HELLO_VERSION, WIRE_BYTES, &out->version, NULL, NULL},
		{INTAKE_HELLO_NEXT, WIRE_VARINT, NULL, &out->next, NULL},
		{INTAKE_HELLO_RELEASED, WIRE_VARINT, NULL, &out->released, NULL}, {0}};
	push_fields_read(message, fields);
	if (out->next == 0)
		out->next = 1;
	if (check_hello(out, spool, err) < 0)
		return -1;
	memcpy(out->spool, spool.data, sizeof out->spool);
	return 0;
}

/* Counts; who they are is read when they are decoded. */
static int count_records(struct push_records *records, struct err *err)
{
	struct wire reader = wire_of(records->message);
	size_t n_pods = 0;
	while (wire_next(&reader)) {
		records->n += is_bytes(&reader, records->records_field);
		n_pods += is_bytes(&reader, records->pods_field);
	}
	if (records->n > PUSH_RECORDS_MAX)
		return err_set(err, ERR_LIMIT, "%zu records in one batch, at most %d", records->n,
			PUSH_RECORDS_MAX);
	if (n_pods > PUSH_RECORDS_MAX)
		return err_set(err, ERR_LIMIT, "%zu pods in one batch, at most %d", n_pods,
			PUSH_RECORDS_MAX);
	return 0;
}

static int read_batch(struct text message, struct push_records *out, struct err *err)
{
	struct wire reader = wire_of(message);
	*out = (struct push_records){.message = message,
		.records_field = INTAKE_BATCH_RECORDS,
		.pods_field = INTAKE_BATCH_PODS};
	while (wire_next(&reader))
		if (is_varint(&reader, INTAKE_BATCH_FIRST))
			out->first = reader.number;
	if (count_records(out, err) < 0)
		return -1;
	if (out->n && (out->first == 0 || out->first > PUSH_NUMBER_MAX))
		return err_set(err, ERR_INPUT, "batch.first is %llu: numbers begin at 1",
			(unsigned long long)out->first);
	return 0;
}

int push_request_read(struct text message, struct push_request *out, struct err *err)
{
	struct wire reader = wire_of(message);
	struct text inside = TEXT_NONE;
	*out = (struct push_request){.kind = PUSH_NOTHING};
	if (wire_scan(message, request_shape, &limits, err) < 0)
		return -1;
	while (wire_next(&reader)) {
		if (reader.type != WIRE_BYTES || reader.field > INTAKE_PUSH_REQUEST_REPORT)
			continue;
		out->kind = reader.field == INTAKE_PUSH_REQUEST_HELLO   ? PUSH_HELLO
			    : reader.field == INTAKE_PUSH_REQUEST_BATCH ? PUSH_RECORDS
									: PUSH_REPORT;
		inside = reader.bytes;
	}
	if (out->kind == PUSH_HELLO)
		return read_hello(inside, &out->hello, err);
	if (out->kind == PUSH_RECORDS)
		return read_batch(inside, &out->records, err);
	out->report = inside;
	return 0;
}

int push_batch_request_read(struct text message, struct push_records *out, struct err *err)
{
	struct wire reader = wire_of(message);
	*out = (struct push_records){.message = message,
		.records_field = INTAKE_PUSH_BATCH_REQUEST_RECORDS,
		.pods_field = INTAKE_PUSH_BATCH_REQUEST_PODS};
	if (wire_scan(message, batch_shape, &limits, err) < 0)
		return -1;
	while (wire_next(&reader))
		if (is_bytes(&reader, INTAKE_PUSH_BATCH_REQUEST_NODE))
			out->node = reader.bytes;
	return check_text(out->node, PUSH_NODE_BYTES_MAX, "node", err) < 0
		       ? -1
		       : count_records(out, err);
}
