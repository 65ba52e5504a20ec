/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/record.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"
#include "base/digest.h"

enum {
	MARK_BYTES = 4,
	CHECKSUM_BYTES = 16,
	CHECKED_FROM = MARK_BYTES + 4 + CHECKSUM_BYTES,
	SHED_BYTES = 32,
};

static struct text mark_of(const struct spool_id *id)
{
	return (struct text){(const char *)id->bytes, MARK_BYTES};
}

/* Over the id, the size and all from the number on. */
static void checksum(
	const struct spool_id *id, struct text whole, unsigned char out[CHECKSUM_BYTES])
{
	struct digest_state room, *state = digest_start(&room);
	digest_add(state, (struct text){(const char *)id->bytes, sizeof id->bytes});
	digest_add(state, text_part(whole, MARK_BYTES, 4));
	digest_add(state, text_part(whole, CHECKED_FROM, whole.size));
	struct digest digest = digest_end(state);
	memcpy(out, digest.bytes, CHECKSUM_BYTES);
}

static size_t payload_size(const struct record *record)
{
	if (record->kind == RECORD_SHED)
		return record->rule.size + SHED_BYTES;
	return record->rule.size + record->cuts.size + record->raw.size;
}

size_t record_size(const struct record *record)
{
	return RECORD_HEAD_BYTES + payload_size(record);
}

static void add_be16(struct buf *out, size_t value)
{
	buf_add_byte(out, (unsigned char)(value >> 8));
	buf_add_byte(out, (unsigned char)value);
}

static void write_payload(const struct record *record, struct buf *out)
{
	buf_add(out, record->rule);
	if (record->kind != RECORD_SHED) {
		buf_add(out, record->cuts);
		buf_add(out, record->raw);
		return;
	}
	buf_add_be64(out, (uint64_t)record->shed.from_ns);
	buf_add_be64(out, (uint64_t)record->shed.until_ns);
	buf_add_be64(out, record->shed.n);
	buf_add_be64(out, record->shed.n_bytes);
}

void record_write(const struct record *record, const struct spool_id *id, struct buf *out)
{
	static const char no_checksum[CHECKSUM_BYTES];
	size_t start = out->size;
	assert(payload_size(record) <= RECORD_PAYLOAD_BYTES_MAX &&
		record->rule.size <= RECORD_RULE_BYTES_MAX &&
		record->cuts.size <= RECORD_CUTS_MAX * RECORD_CUT_BYTES);
	buf_add(out, mark_of(id));
	buf_add_be32(out, (uint32_t)payload_size(record));
	buf_add_bytes(out, no_checksum, CHECKSUM_BYTES);
	buf_add_be64(out, record->number);
	buf_add_be64(out, (uint64_t)record->received_ns);
	buf_add_byte(out, (unsigned char)record->kind);
	buf_add_byte(out, (unsigned char)record->severity);
	buf_add_byte(out, (unsigned char)record->source);
	buf_add_byte(out, 0);
	add_be16(out, record->rule.size);
	add_be16(out, record->cuts.size / RECORD_CUT_BYTES);
	write_payload(record, out);
	if (buf_ok(out))
		checksum(id, text_part(buf_text(out), start, out->size),
			(unsigned char *)out->data + start + MARK_BYTES + 4);
}

static size_t cursor_be16(struct cursor *cursor)
{
	size_t high = cursor_u8(cursor);
	return high << 8 | cursor_u8(cursor);
}

/* The head, from the number on; false: no record of ours has such a head. */
static bool read_head(struct cursor *cursor, struct record *out, size_t *rule, size_t *cuts)
{
	out->number = cursor_be64(cursor);
	out->received_ns = (int64_t)cursor_be64(cursor);
	unsigned kind = cursor_u8(cursor), severity = cursor_u8(cursor);
	unsigned source = cursor_u8(cursor), zero = cursor_u8(cursor);
	*rule = cursor_be16(cursor);
	*cuts = cursor_be16(cursor);
	out->kind = (enum record_kind)kind;
	out->severity = (enum severity)severity;
	out->source = (enum source)source;
	return kind >= RECORD_ALERT && kind <= RECORD_END && severity < N_SEVERITIES &&
	       source < N_SOURCES && zero == 0 && *rule <= RECORD_RULE_BYTES_MAX &&
	       *cuts <= RECORD_CUTS_MAX;
}

static bool read_payload(struct text payload, size_t rule, size_t n_cuts, struct record *out)
{
	struct cursor cursor = cursor_of(payload);
	out->rule = cursor_take(&cursor, rule);
	if (out->kind == RECORD_SHED) {
		out->shed.from_ns = (int64_t)cursor_be64(&cursor);
		out->shed.until_ns = (int64_t)cursor_be64(&cursor);
		out->shed.n = cursor_be64(&cursor);
		out->shed.n_bytes = cursor_be64(&cursor);
		return cursor_at_end(&cursor) && n_cuts == 0;
	}
	out->cuts = cursor_take(&cursor, n_cuts * RECORD_CUT_BYTES);
	out->raw = cursor_take(&cursor, cursor_left(&cursor));
	return !cursor.failed;
}

enum record_found record_read(
	struct text bytes, const struct spool_id *id, struct record *out, size_t *size)
{
	struct record record = {0};
	unsigned char sum[CHECKSUM_BYTES];
	size_t rule, n_cuts;
	*size = RECORD_HEAD_BYTES;
	if (!text_starts(bytes, mark_of(id)) && bytes.size >= MARK_BYTES)
		return RECORD_BROKEN;
	if (bytes.size < RECORD_HEAD_BYTES)
		return RECORD_SHORT;
	struct cursor cursor = cursor_of(text_part(bytes, MARK_BYTES, bytes.size));
	size_t payload = cursor_be32(&cursor);
	struct text given = cursor_take(&cursor, CHECKSUM_BYTES);
	if (!read_head(&cursor, &record, &rule, &n_cuts) || payload > RECORD_PAYLOAD_BYTES_MAX)
		return RECORD_BROKEN;
	*size = RECORD_HEAD_BYTES + payload;
	if (bytes.size < *size)
		return RECORD_SHORT;
	checksum(id, text_part(bytes, 0, *size), sum);
	if (memcmp(sum, given.data, CHECKSUM_BYTES) != 0 ||
		!read_payload(text_part(bytes, RECORD_HEAD_BYTES, payload), rule, n_cuts, &record))
		return RECORD_BROKEN;
	*out = record;
	return RECORD_WHOLE;
}

uint64_t record_peek(struct text bytes, const struct spool_id *id, size_t *size)
{
	struct record record;
	size_t rule, n_cuts;
	if (bytes.size < RECORD_HEAD_BYTES || !text_starts(bytes, mark_of(id)))
		return 0;
	struct cursor cursor = cursor_of(text_part(bytes, MARK_BYTES, bytes.size));
	*size = RECORD_HEAD_BYTES + cursor_be32(&cursor);
	cursor_take(&cursor, CHECKSUM_BYTES);
	return read_head(&cursor, &record, &rule, &n_cuts) ? record.number : 0;
}

size_t record_seek(struct text bytes, const struct spool_id *id, size_t from)
{
	size_t found = text_find(bytes, mark_of(id), from);
	if (found != SIZE_MAX)
		return found;
	size_t tail = bytes.size > MARK_BYTES - 1 ? bytes.size - (MARK_BYTES - 1) : 0;
	return from > tail ? from : tail;
}
