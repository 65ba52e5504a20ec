/* SPDX-License-Identifier: Apache-2.0 */
#include "model/alert_record.h"

#include <stddef.h>
#include <string.h>

#include "base/cursor.h"

enum { RECORD_VERSION = 1 };

/* Tags of fields that are not plain texts. */
enum {
	TAG_FINGERPRINT = 64,
	TAG_TIME = 65,
	TAG_SEVERITY = 66,
	TAG_ACTION = 67,
	TAG_PID = 68,
	TAG_UID = 69,
	TAG_TACTICS = 70,
	TAG_TECHNIQUE = 71,       /* once per technique */
	TAG_ATTACK_REPORTED = 72, /* once per item, as the two below */
	TAG_TAG = 73,
	TAG_VIA = 74,
	TAG_COUNT = 75,
	TAG_FLAGS = 76,
	TAG_WORKLOAD_INFERRED = 77,
};

#define TEXT_FIELD(tag, member)                                                                    \
	{                                                                                          \
		tag, offsetof(struct alert, member)                                                \
	}

/* Tag and place of every plain text. */
static const struct {
	unsigned char tag;
	size_t offset;
} text_fields[] = {
	TEXT_FIELD(1, sensor),
	TEXT_FIELD(2, sensor_source),
	TEXT_FIELD(3, cluster),
	TEXT_FIELD(4, node),
	TEXT_FIELD(5, namespace),
	TEXT_FIELD(6, pod),
	TEXT_FIELD(7, pod_uid),
	TEXT_FIELD(8, container),
	TEXT_FIELD(9, container_id),
	TEXT_FIELD(10, image),
	TEXT_FIELD(11, image_digest),
	TEXT_FIELD(12, runtime_class),
	TEXT_FIELD(13, workload.kind),
	TEXT_FIELD(14, workload.name),
	TEXT_FIELD(15, rule),
	TEXT_FIELD(16, message),
	TEXT_FIELD(17, resource),
	TEXT_FIELD(18, operation),
	TEXT_FIELD(19, severity_reported),
	TEXT_FIELD(20, process.name),
	TEXT_FIELD(21, process.exe),
	TEXT_FIELD(22, process.cmdline),
	TEXT_FIELD(23, process.parent),
	TEXT_FIELD(24, process.parent_exe),
	TEXT_FIELD(25, process.user),
	TEXT_FIELD(26, process.exec_id),
	TEXT_FIELD(27, quarantine_reason),
};

enum { N_TEXT_FIELDS = sizeof text_fields / sizeof text_fields[0] };

static const struct text *field_of(const struct alert *alert, size_t offset)
{
	return (const struct text *)(const void *)((const char *)alert + offset);
}

static struct text *field_to_fill(struct alert *alert, size_t offset)
{
	return (struct text *)(void *)((char *)alert + offset);
}

static void write_text(struct buf *out, unsigned char tag, struct text text)
{
	buf_add_byte(out, tag);
	buf_add_sized(out, text);
}

static void write_number(struct buf *out, unsigned char tag, uint64_t value)
{
	char bytes[10];
	size_t n = 0;
	do {
		bytes[n++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
	write_text(out, tag, (struct text){bytes, n});
}

static void write_list(struct buf *out, unsigned char tag, const struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		write_text(out, tag, list->items[i]);
}

void alert_record_write(struct buf *out, const struct alert *alert)
{
	buf_add_byte(out, RECORD_VERSION);
	for (size_t i = 0; i < N_TEXT_FIELDS; i++) {
		const struct text *field = field_of(alert, text_fields[i].offset);
		if (field->size)
			write_text(out, text_fields[i].tag, *field);
	}
	write_text(out, TAG_FINGERPRINT,
		(struct text){(const char *)alert->fingerprint, FINGERPRINT_BYTES});
	write_number(out, TAG_TIME, (uint64_t)alert->time_ns);
	write_number(out, TAG_SEVERITY, alert->severity);
	if (alert->action)
		write_number(out, TAG_ACTION, alert->action);
	if (alert->process.pid >= 0)
		write_number(out, TAG_PID, (uint64_t)alert->process.pid);
	if (alert->process.uid >= 0)
		write_number(out, TAG_UID, (uint64_t)alert->process.uid);
	if (alert->tactics)
		write_number(out, TAG_TACTICS, alert->tactics);
	for (size_t i = 0; i < alert->n_techniques; i++)
		write_number(out, TAG_TECHNIQUE, alert->techniques[i]);
	write_list(out, TAG_ATTACK_REPORTED, &alert->attack_reported);
	write_list(out, TAG_TAG, &alert->tags);
	write_list(out, TAG_VIA, &alert->via);
	if (alert->count != 1)
		write_number(out, TAG_COUNT, alert->count);
	if (alert->flags)
		write_number(out, TAG_FLAGS, alert->flags);
	if (alert->workload.inferred)
		write_number(out, TAG_WORKLOAD_INFERRED, 1);
}

static bool read_text(struct alert *alert, unsigned char tag, struct text value)
{
	for (size_t i = 0; i < N_TEXT_FIELDS; i++)
		if (text_fields[i].tag == tag) {
			*field_to_fill(alert, text_fields[i].offset) = value;
			return true;
		}
	return false;
}

static void append(struct arena *arena, struct text_list *list, struct text value)
{
	if (list->n < ALERT_TAGS_MAX)
		arena_list_add(arena, list, value);
}

static void read_number(struct alert *alert, unsigned char tag, uint64_t value)
{
	switch (tag) {
	case TAG_TIME:
		alert->time_ns = (int64_t)value;
		break;
	case TAG_SEVERITY:
		alert->severity = (enum severity)(value % N_SEVERITIES);
		break;
	case TAG_ACTION:
		alert->action = (enum alert_action)(value % (ACTION_KILLED + 1));
		break;
	case TAG_PID:
		alert->process.pid = (int64_t)value;
		break;
	case TAG_UID:
		alert->process.uid = (int64_t)value;
		break;
	case TAG_TACTICS:
		alert->tactics = (tactic_mask)value;
		break;
	case TAG_TECHNIQUE:
		alert_add_technique(alert, (technique_code)value);
		break;
	case TAG_COUNT:
		alert->count = value;
		break;
	case TAG_FLAGS:
		alert->flags = (uint32_t)value;
		break;
	case TAG_WORKLOAD_INFERRED:
		alert->workload.inferred = value != 0;
		break;
	default:
		break;
	}
}

static void read_field(
	struct alert *alert, struct arena *arena, unsigned char tag, struct text value)
{
	if (read_text(alert, tag, value))
		return;
	if (tag == TAG_FINGERPRINT && value.size == FINGERPRINT_BYTES) {
		memcpy(alert->fingerprint, value.data, FINGERPRINT_BYTES);
	} else if (tag == TAG_ATTACK_REPORTED) {
		append(arena, &alert->attack_reported, value);
	} else if (tag == TAG_TAG) {
		append(arena, &alert->tags, value);
	} else if (tag == TAG_VIA) {
		append(arena, &alert->via, value);
	} else {
		struct cursor cursor = cursor_of(value);
		read_number(alert, tag, cursor_varint(&cursor));
	}
}

int alert_record_read(struct text record, struct arena *arena, struct alert *alert, struct err *err)
{
	struct cursor cursor = cursor_of(record);
	*alert = (struct alert){.kind = LEAF_ALERT, .count = 1, .slot = -1};
	alert->process.pid = alert->process.uid = -1;
	if (cursor_u8(&cursor) != RECORD_VERSION)
		return err_set(err, ERR_CORRUPT, "an alert's record has an unknown version");
	while (cursor_left(&cursor)) {
		unsigned char tag = cursor_u8(&cursor);
		uint64_t size = cursor_varint(&cursor);
		struct text value = cursor_take(&cursor, size);
		if (!cursor.failed)
			read_field(alert, arena, tag, value);
	}
	if (arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory reading an alert");
	return cursor.failed ? err_set(err, ERR_CORRUPT, "an alert's record is cut short") : 0;
}
