/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "base/utf8.h"
#include "base/wire.h"
#include "decode/body.h"
#include "decode/normalise.h"
#include "intake/limits.h"
#include "intake/push_fields.h"
#include "intake/push_message.h"
#include "intake_fields.h"

enum {
	CONTAINER_DIGITS = 12,
	SHED_JSON_BYTES = 8192,
	REASON_BYTES = 512, /* a name as long as it may be, three bytes for each that was broken */
};

/* One record as it stands in the message. */
struct record {
	struct text source, raw, shed;
	uint64_t received_ns;
	size_t n_shed; /* not 0: shed is there */
	size_t n_cuts;
	struct text message;
};

struct decoding {
	const struct push_speaker *speaker;
	struct batch *batch;
	struct text source;               /* of the record before */
	struct coverage *gaps[N_SOURCES]; /* where something was shed */
	struct coverage *first_gap;
};

/* A peer's time: not before there were such things, not in the future. */
static int64_t time_of(uint64_t ns, int64_t now_ns)
{
	return ns > (uint64_t)now_ns || ns < TIME_EARLIEST_NS ? now_ns : (int64_t)ns;
}

static struct record read_record(struct text message, struct text source_before)
{
	struct record record = {.message = message};
	const struct push_field fields[] = {
		{INTAKE_RECORD_SOURCE, WIRE_BYTES, &record.source, NULL, NULL},
		{INTAKE_RECORD_RAW, WIRE_BYTES, &record.raw, NULL, NULL},
		{INTAKE_RECORD_RECEIVED_NS, WIRE_FIXED64, NULL, &record.received_ns, NULL},
		{INTAKE_RECORD_CUTS, WIRE_BYTES, NULL, NULL, &record.n_cuts},
		{INTAKE_RECORD_SHED, WIRE_BYTES, &record.shed, NULL, &record.n_shed},
		{0},
	};
	push_fields_read(message, fields);
	if (!record.source.size)
		record.source = source_before;
	return record;
}

static struct text shed_source(struct text message)
{
	struct text source = TEXT_NONE;
	const struct push_field fields[] = {
		{INTAKE_SHED_SOURCE, WIRE_BYTES, &source, NULL, NULL}, {0}};
	push_fields_read(message, fields);
	return source;
}

static struct text source_said(const struct record *record)
{
	struct text inside = record->n_shed ? shed_source(record->shed) : TEXT_NONE;
	return inside.size ? inside : record->source;
}

/* ---- cuts ---- */

static bool read_cut(struct text message, struct redaction *out)
{
	struct text salt = TEXT_NONE, hash = TEXT_NONE;
	const struct push_field fields[] = {{INTAKE_CUT_SALT, WIRE_BYTES, &salt, NULL, NULL},
		{INTAKE_CUT_HASH, WIRE_BYTES, &hash, NULL, NULL}, {0}};
	push_fields_read(message, fields);
	if (salt.size != sizeof out->salt || hash.size != DIGEST_BYTES)
		return false;
	*out = (struct redaction){.is_hashed = true};
	memcpy(out->salt, salt.data, sizeof out->salt);
	memcpy(out->hash.bytes, hash.data, DIGEST_BYTES);
	return true;
}

/* The sender's cuts, then what was still found here. false: one of them is none. */
static bool add_cuts(struct arena *arena, struct alert *alert, const struct record *record)
{
	struct wire reader = wire_of(record->message);
	size_t n = 0, total = record->n_cuts + alert->n_redactions;
	if (record->n_cuts == 0)
		return true;
	struct redaction *all = arena_array(arena, total, sizeof *all);
	if (!all)
		return true; /* the arena says it */
	while (wire_next(&reader))
		if (reader.type == WIRE_BYTES && reader.field == INTAKE_RECORD_CUTS &&
			!read_cut(reader.bytes, &all[n++]))
			return false;
	if (alert->n_redactions)
		memcpy(all + n, alert->redactions, alert->n_redactions * sizeof *all);
	alert->redactions = all;
	alert->n_redactions = total;
	alert->flags |= ALERT_REDACTED_AT_INGEST;
	return true;
}

/* ---- what was shed ---- */

static uint64_t at_most(uint64_t number, uint64_t max)
{
	return number < max ? number : max;
}

static void read_shed(struct text message, const struct push_speaker *speaker, struct arena *arena,
	struct shed *out)
{
	uint64_t from_ns = 0, until_ns = 0;
	const struct push_field fields[] = {
		{INTAKE_SHED_SEVERITY, WIRE_BYTES, &out->severity, NULL, NULL},
		{INTAKE_SHED_RULE, WIRE_BYTES, &out->rule, NULL, NULL},
		{INTAKE_SHED_FROM_NS, WIRE_FIXED64, NULL, &from_ns, NULL},
		{INTAKE_SHED_UNTIL_NS, WIRE_FIXED64, NULL, &until_ns, NULL},
		{INTAKE_SHED_N, WIRE_VARINT, NULL, &out->n, NULL},
		{INTAKE_SHED_BYTES, WIRE_VARINT, NULL, &out->bytes, NULL},
		{0},
	};
	push_fields_read(message, fields);
	out->severity = text_repaired(arena, utf8_prefix(out->severity, PUSH_NAME_BYTES_MAX));
	out->rule = text_repaired(arena, utf8_prefix(out->rule, PUSH_RULE_BYTES_MAX));
	out->n = at_most(out->n, PUSH_SHED_MAX);
	out->bytes = at_most(out->bytes, PUSH_SHED_MAX);
	out->until_ns = time_of(until_ns, speaker->now_ns);
	out->from_ns = time_of(from_ns, speaker->now_ns);
	if (out->from_ns > out->until_ns)
		out->from_ns = out->until_ns;
}

/* What stands in the ledger in the place of all that is not there. */
static struct text shed_json(
	struct arena *arena, struct text source, struct text node, const struct shed *shed)
{
	AUTO(buf_done) struct buf out = {0};
	struct emitter emitter;
	buf_init(&out, SHED_JSON_BYTES);
	emit_init(&emitter, &out);
	emit_object(&emitter);
	emit_key(&emitter, "shed");
	emit_object(&emitter);
	emit_member_text(&emitter, "source", source);
	emit_member_text(&emitter, "node", node);
	emit_member_text(&emitter, "severity", shed->severity);
	emit_member_text(&emitter, "rule", shed->rule);
	emit_member_time(&emitter, "from", shed->from_ns);
	emit_member_time(&emitter, "until", shed->until_ns);
	emit_member_u64(&emitter, "n", shed->n);
	emit_member_u64(&emitter, "bytes", shed->bytes);
	emit_object_end(&emitter);
	emit_object_end(&emitter);
	arena->failed |= !buf_ok(&out);
	return buf_ok(&out) ? arena_copy(arena, buf_text(&out)) : TEXT_NONE;
}

/* What was shed was seen and is not here: its sensor's word has a gap there. */
static void note_gap(struct decoding *decoding, const struct alert *alert)
{
	const struct shed *shed = alert->shed;
	struct coverage *gap = decoding->gaps[alert->source];
	if (!gap) {
		gap = arena_alloc(&decoding->batch->arena, sizeof *gap);
		if (!gap)
			return; /* the arena says it */
		*gap = (struct coverage){.next = decoding->first_gap,
			.cluster = alert->cluster,
			.node = alert->node,
			.sensor = alert->sensor,
			.source = alert->source,
			.state = COVERAGE_SHED,
			.from_ns = shed->from_ns,
			.until_ns = shed->until_ns};
		decoding->gaps[alert->source] = decoding->first_gap = gap;
		decoding->batch->coverage = gap;
	}
	if (shed->from_ns < gap->from_ns)
		gap->from_ns = shed->from_ns;
	if (shed->until_ns > gap->until_ns)
		gap->until_ns = shed->until_ns;
	gap->n = at_most(gap->n + shed->n, PUSH_SHED_MAX);
}

static int add_shed(struct decoding *decoding, const struct record *record, struct err *err)
{
	struct arena *arena = &decoding->batch->arena;
	struct alert *alert = batch_alert_new(decoding->batch);
	struct shed *shed = arena_alloc(arena, sizeof *shed);
	if (!alert || !shed)
		return err_set(err, ERR_MEMORY, "out of memory for a batch");
	read_shed(record->shed, decoding->speaker, arena, shed);
	alert->kind = LEAF_SHED;
	alert->shed = shed;
	alert->sensor = text_of(decoder_of(alert->source)->sensor);
	alert->node = decoding->speaker->node;
	alert->received_ns = time_of(record->received_ns, decoding->speaker->now_ns);
	alert->time_ns = alert->received_ns;
	alert->raw = shed_json(
		arena, text_of(source_info(alert->source)->name), alert->node, alert->shed);
	alert->raw_digest = digest_of(alert->raw);
	batch_add(decoding->batch, alert);
	note_gap(decoding, alert);
	return 0;
}

/* ---- alerts ---- */

/* A hop more, behind those that the decoder saw. */
static void add_hop(struct arena *arena, struct alert *alert)
{
	struct text *items = arena_array(arena, alert->via.n + 1, sizeof *items);
	if (!items)
		return;
	if (alert->via.n)
		memcpy(items, alert->via.items, alert->via.n * sizeof *items);
	items[alert->via.n] = TEXT("agent");
	alert->via = (struct text_list){items, alert->via.n + 1};
}

/* A node that is bound to a credential is the only one it may speak for; else the alert's own word
 * counts, and the sender's fills its place. */
static void settle_node(
	const struct push_speaker *speaker, struct arena *arena, struct alert *alert)
{
	if (alert->node.size == 0) {
		alert->node = speaker->node;
		return;
	}
	if (!speaker->credential->node.size || text_equal(alert->node, speaker->credential->node))
		return;
	alert->kind = LEAF_QUARANTINED;
	alert->quarantine_reason =
		arena_format(arena, "node %.*s is not this credential's", TEXT_ARG(alert->node));
}

/* The source that counts for the record, and why it may not (NULL: it may). */
static enum source judge_source(
	const struct decoding *decoding, struct text said, char *reason, size_t size)
{
	enum source source = source_parse(said);
	*reason = '\0';
	if (source == SOURCE_NONE)
		text_format(reason, size, "no such source: '%.*s'", TEXT_ARG(said));
	else if (!credential_may_send(decoding->speaker->credential, source))
		text_format(reason, size, "this credential may not send for %s",
			source_info(source)->name);
	return source == SOURCE_NONE ? SOURCE_TOCSIN : source;
}

static int add_event(
	struct decoding *decoding, const struct record *record, const char *reason, struct err *err)
{
	const struct push_speaker *speaker = decoding->speaker;
	struct batch *batch = decoding->batch;
	struct alert **place = batch->last;
	int64_t received_ns = time_of(record->received_ns, speaker->now_ns);
	int failed = *reason ? event_keep(record->raw, reason, received_ns, batch, err)
			     : event_decode(record->raw, received_ns, batch, err);
	if (failed)
		return -1;
	struct alert *alert = *place;
	settle_node(speaker, &batch->arena, alert);
	if (speaker->is_agent)
		add_hop(&batch->arena, alert);
	if (!add_cuts(&batch->arena, alert, record)) {
		alert->kind = LEAF_QUARANTINED;
		alert->quarantine_reason = TEXT("a cut needs a salt of 16 bytes, a hash of 32");
	}
	return 0;
}

/* Whoever may not send for a source says nothing of its gaps either: its words are kept, as those
 * of an alert would be. */
static int keep_shed(struct decoding *decoding, const struct record *record, struct text said,
	const char *reason, struct err *err)
{
	struct arena *arena = &decoding->batch->arena;
	struct record kept = {.received_ns = record->received_ns};
	struct shed shed = {0};
	read_shed(record->shed, decoding->speaker, arena, &shed);
	kept.raw = shed_json(arena, said, decoding->speaker->node, &shed);
	return add_event(decoding, &kept, reason, err);
}

static int add_record(struct decoding *decoding, const struct record *record, struct err *err)
{
	char reason[REASON_BYTES];
	struct text said = text_repaired(
		&decoding->batch->arena, utf8_prefix(source_said(record), PUSH_NAME_BYTES_MAX));
	decoding->batch->source = judge_source(decoding, said, reason, sizeof reason);
	if (!record->n_shed)
		return add_event(decoding, record, reason, err);
	return *reason ? keep_shed(decoding, record, said, reason, err)
		       : add_shed(decoding, record, err);
}

/* ---- facts ---- */

static bool is_uid(struct text uid)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz-";
	for (size_t i = 0; i < uid.size; i++)
		if (!memchr(letters, text_lower(uid.data[i]), sizeof letters - 1))
			return false;
	return uid.size > 0 && uid.size <= PUSH_UID_BYTES_MAX;
}

/* Beside the alerts, so what cannot be right is left out and stops nothing. */
static void add_pod(struct decoding *decoding, struct text message)
{
	struct batch *batch = decoding->batch;
	struct text container = TEXT_NONE, uid = TEXT_NONE;
	const struct push_field fields[] = {
		{INTAKE_CONTAINER_POD_CONTAINER, WIRE_BYTES, &container, NULL, NULL},
		{INTAKE_CONTAINER_POD_POD_UID, WIRE_BYTES, &uid, NULL, NULL}, {0}};
	push_fields_read(message, fields);
	if (container.size < CONTAINER_DIGITS || container.size > PUSH_UID_BYTES_MAX ||
		!text_is_hex(container) || !is_uid(uid))
		return;
	struct fact *fact = arena_alloc(&batch->arena, sizeof *fact);
	if (!fact)
		return;
	*fact = (struct fact){.next = batch->facts,
		.kind = FACT_CONTAINER,
		.rank = FACT_AGENT,
		.cluster = batch->cluster,
		.container = text_part(container, 0, CONTAINER_DIGITS),
		.uid = uid};
	batch->facts = fact;
	batch->item.weight_bytes += sizeof *fact;
}

int push_records_decode(const struct push_records *records, size_t skip,
	const struct push_speaker *speaker, uint64_t counts[N_SOURCES], struct batch *batch,
	struct err *err)
{
	struct decoding decoding = {.speaker = speaker, .batch = batch};
	struct wire reader = wire_of(records->message);
	size_t n = 0;
	while (wire_next(&reader)) {
		if (reader.type != WIRE_BYTES)
			continue;
		if (reader.field == records->pods_field)
			add_pod(&decoding, reader.bytes);
		if (reader.field != records->records_field)
			continue;
		struct record record = read_record(reader.bytes, decoding.source);
		decoding.source = record.source;
		if (n++ < skip)
			counts[source_parse(source_said(&record))]++;
		else if (add_record(&decoding, &record, err) < 0)
			return -1;
	}
	return batch->arena.failed ? err_set(err, ERR_MEMORY, "out of memory for a batch") : 0;
}

bool push_records_may_be_sent(const struct push_records *records,
	const struct credential *credential, struct text *source)
{
	struct wire reader = wire_of(records->message);
	*source = TEXT_NONE;
	while (wire_next(&reader)) {
		if (reader.type != WIRE_BYTES || reader.field != records->records_field)
			continue;
		struct record record = read_record(reader.bytes, *source);
		*source = source_said(&record);
		enum source known = source_parse(*source);
		if (known == SOURCE_NONE || !credential_may_send(credential, known))
			return false;
	}
	return true;
}

enum source push_records_source(const struct push_records *records)
{
	struct wire reader = wire_of(records->message);
	while (wire_next(&reader))
		if (reader.type == WIRE_BYTES && reader.field == records->records_field) {
			struct record record = read_record(reader.bytes, TEXT_NONE);
			return source_parse(source_said(&record));
		}
	return SOURCE_NONE;
}
