/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "base/wire.h"
#include "decode/normalise.h"
#include "intake/limits.h"
#include "intake/push_fields.h"
#include "intake/push_message.h"
#include "intake_fields.h"

static int64_t bounded(uint64_t number, int64_t max)
{
	return number > (uint64_t)max ? max : (int64_t)number;
}

/* false: it says nothing that can be kept. */
static bool read_coverage(struct text message, const struct push_speaker *speaker,
	struct arena *arena, struct coverage *out)
{
	uint64_t state = 0, from_ns = 0, until_ns = 0;
	struct text source = TEXT_NONE;
	const struct push_field fields[] = {
		{INTAKE_COVERAGE_SOURCE, WIRE_BYTES, &source, NULL, NULL},
		{INTAKE_COVERAGE_SENSOR, WIRE_BYTES, &out->sensor, NULL, NULL},
		{INTAKE_COVERAGE_STATE, WIRE_VARINT, NULL, &state, NULL},
		{INTAKE_COVERAGE_FROM_NS, WIRE_FIXED64, NULL, &from_ns, NULL},
		{INTAKE_COVERAGE_UNTIL_NS, WIRE_FIXED64, NULL, &until_ns, NULL},
		{INTAKE_COVERAGE_N, WIRE_VARINT, NULL, &out->n, NULL},
		{0},
	};
	push_fields_read(message, fields);
	out->source = source_parse(source);
	out->from_ns = bounded(from_ns, speaker->now_ns);
	out->until_ns = bounded(until_ns, speaker->now_ns);
	out->n = (uint64_t)bounded(out->n, INT64_MAX);
	out->sensor = text_repaired(arena, utf8_prefix(out->sensor, PUSH_NAME_BYTES_MAX));
	if (out->source == SOURCE_NONE || state < COVERAGE_CONNECTED || state > COVERAGE_DROPPING)
		return false;
	out->state = (enum coverage_state)state;
	return out->from_ns >= TIME_EARLIEST_NS && out->from_ns <= out->until_ns;
}

struct reading {
	const struct push_speaker *speaker;
	struct batch *batch;
	struct coverage *first;
	uint32_t refused; /* bit 1 << enum source */
};

static int add_coverage(struct reading *reading, struct text message, struct err *err)
{
	struct batch *batch = reading->batch;
	const struct push_speaker *speaker = reading->speaker;
	struct coverage *coverage = arena_alloc(&batch->arena, sizeof *coverage);
	if (!coverage)
		return err_set(err, ERR_MEMORY, "out of memory for a report");
	if (!read_coverage(message, speaker, &batch->arena, coverage))
		return 0;
	if (!credential_may_send(speaker->credential, coverage->source)) {
		reading->refused |= 1U << coverage->source;
		return 0;
	}
	coverage->cluster = batch->cluster;
	coverage->node = speaker->node;
	coverage->next = reading->first;
	reading->first = coverage;
	batch->item.weight_bytes += sizeof *coverage;
	return 0;
}

static int read_coverages(struct reading *reading, struct text report, struct err *err)
{
	struct wire reader = wire_of(report);
	size_t n = 0;
	while (wire_next(&reader)) {
		if (reader.type != WIRE_BYTES || reader.field != INTAKE_REPORT_COVERAGE)
			continue;
		if (++n > PUSH_COVERAGE_MAX)
			return err_set(err, ERR_LIMIT, "more than %d intervals in one report",
				PUSH_COVERAGE_MAX);
		if (add_coverage(reading, reader.bytes, err) < 0)
			return -1;
	}
	reading->batch->coverage = reading->first;
	return 0;
}

int push_report_decode(struct text report, const struct push_speaker *speaker, struct batch *batch,
	uint32_t *refused, struct err *err)
{
	struct reading reading = {.speaker = speaker, .batch = batch};
	struct agent_report *out = arena_alloc(&batch->arena, sizeof *out);
	uint64_t oldest_ns = 0, n_waiting = 0, waiting_bytes = 0;
	const struct push_field fields[] = {
		{INTAKE_REPORT_OLDEST_NS, WIRE_FIXED64, NULL, &oldest_ns, NULL},
		{INTAKE_REPORT_N_WAITING, WIRE_VARINT, NULL, &n_waiting, NULL},
		{INTAKE_REPORT_WAITING_BYTES, WIRE_VARINT, NULL, &waiting_bytes, NULL},
		{0},
	};
	if (!out)
		return err_set(err, ERR_MEMORY, "out of memory for a report");
	push_fields_read(report, fields);
	*out = (struct agent_report){.cluster = batch->cluster,
		.node = speaker->node,
		.version = speaker->version,
		.boot = speaker->boot,
		.oldest_ns = bounded(oldest_ns, speaker->now_ns),
		.n_waiting = (uint64_t)bounded(n_waiting, INT64_MAX),
		.waiting_bytes = (uint64_t)bounded(waiting_bytes, INT64_MAX)};
	if (speaker->spool.size == sizeof out->spool)
		memcpy(out->spool, speaker->spool.data, sizeof out->spool);
	if (read_coverages(&reading, report, err) < 0)
		return -1;
	if (out->oldest_ns < TIME_EARLIEST_NS)
		out->oldest_ns = speaker->now_ns;
	if (batch->arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory for a report");
	batch->report = out;
	*refused = reading.refused;
	return 0;
}
