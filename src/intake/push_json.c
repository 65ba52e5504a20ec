/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/push_json.h"

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/pull.h"
#include "base/utf8.h"
#include "base/wire.h"
#include "intake/limits.h"
#include "intake_fields.h"

enum kind { KIND_TEXT, KIND_BYTES, KIND_FIXED64, KIND_VARINT, KIND_MESSAGES };

struct member {
	const char *name;     /* lowerCamelCase */
	const char *original; /* as in the .proto file; NULL: the same */
	uint32_t field;
	enum kind kind;
	const struct member *inside;
};

static const struct member cut_members[] = {
	{"salt", NULL, INTAKE_CUT_SALT, KIND_BYTES, NULL},
	{"hash", NULL, INTAKE_CUT_HASH, KIND_BYTES, NULL},
	{0},
};
static const struct member shed_members[] = {
	{"source", NULL, INTAKE_SHED_SOURCE, KIND_TEXT, NULL},
	{"severity", NULL, INTAKE_SHED_SEVERITY, KIND_TEXT, NULL},
	{"rule", NULL, INTAKE_SHED_RULE, KIND_TEXT, NULL},
	{"fromNs", "from_ns", INTAKE_SHED_FROM_NS, KIND_FIXED64, NULL},
	{"untilNs", "until_ns", INTAKE_SHED_UNTIL_NS, KIND_FIXED64, NULL},
	{"n", NULL, INTAKE_SHED_N, KIND_VARINT, NULL},
	{"bytes", NULL, INTAKE_SHED_BYTES, KIND_VARINT, NULL},
	{0},
};
static const struct member record_members[] = {
	{"source", NULL, INTAKE_RECORD_SOURCE, KIND_TEXT, NULL},
	{"raw", NULL, INTAKE_RECORD_RAW, KIND_BYTES, NULL},
	{"receivedNs", "received_ns", INTAKE_RECORD_RECEIVED_NS, KIND_FIXED64, NULL},
	{"cuts", NULL, INTAKE_RECORD_CUTS, KIND_MESSAGES, cut_members},
	{"shed", NULL, INTAKE_RECORD_SHED, KIND_MESSAGES, shed_members},
	{0},
};
static const struct member pod_members[] = {
	{"container", NULL, INTAKE_CONTAINER_POD_CONTAINER, KIND_TEXT, NULL},
	{"podUid", "pod_uid", INTAKE_CONTAINER_POD_POD_UID, KIND_TEXT, NULL},
	{0},
};
static const struct member request_members[] = {
	{"node", NULL, INTAKE_PUSH_BATCH_REQUEST_NODE, KIND_TEXT, NULL},
	{"records", NULL, INTAKE_PUSH_BATCH_REQUEST_RECORDS, KIND_MESSAGES, record_members},
	{"pods", NULL, INTAKE_PUSH_BATCH_REQUEST_PODS, KIND_MESSAGES, pod_members},
	{0},
};

/* A raw is at most what a body may have, and a third more as base64. */
static const struct pull_limits limits = {
	.max_depth = 8,
	.max_string_bytes = PUSH_JSON_BYTES_MAX,
	.max_keys = PUSH_FIELDS_MAX,
	.max_bytes = PUSH_JSON_BYTES_MAX,
};

struct reading {
	struct pull pull;
	struct arena *arena;
	size_t max; /* of a message */
};

static int fail(const struct reading *reading, const char *what, struct err *err)
{
	if (reading->pull.error_kind != ERR_NONE)
		return pull_error(&reading->pull, err);
	if (reading->arena->failed)
		return err_set(err, ERR_MEMORY, "no memory for a request");
	return err_set(err, ERR_INPUT, "offset %zu: %s", reading->pull.start, what);
}

static const struct member *member_of(const struct member *members, struct text key)
{
	for (; members->name; members++)
		if (text_is(key, members->name) ||
			(members->original && text_is(key, members->original)))
			return members;
	return NULL;
}

static int read_bytes(struct reading *reading, const struct member *member, enum pull_event what,
	struct buf *out, struct err *err)
{
	struct text value = reading->pull.value, bytes;
	bool is_base64 = member->kind == KIND_BYTES;
	if (what != PULL_STRING)
		return fail(
			reading, is_base64 ? "base64 is expected" : "a string is expected", err);
	if (is_base64 && !base64_read(value, reading->arena, &bytes))
		return fail(reading, "base64 is expected", err);
	wire_add_bytes(out, member->field, is_base64 ? bytes : value);
	return 0;
}

static int read_number(struct reading *reading, const struct member *member, enum pull_event what,
	struct buf *out, struct err *err)
{
	uint64_t number;
	if ((what != PULL_STRING && what != PULL_NUMBER) ||
		!text_to_u64(reading->pull.value, &number))
		return fail(reading, "a whole number from 0 to 2^64 - 1 is expected", err);
	if (member->kind == KIND_FIXED64)
		wire_add_fixed64(out, member->field, number);
	else
		wire_add_varint(out, member->field, number);
	return 0;
}

static int read_scalar(struct reading *reading, const struct member *member, enum pull_event what,
	struct buf *out, struct err *err)
{
	switch (member->kind) {
	case KIND_TEXT:
	case KIND_BYTES:
		return read_bytes(reading, member, what, out, err);
	case KIND_FIXED64:
	case KIND_VARINT:
		return read_number(reading, member, what, out, err);
	case KIND_MESSAGES:
		break;
	}
	return fail(reading, "an object is expected", err);
}

static int read_message(
	struct reading *reading, const struct member *members, struct buf *out, struct err *err);

static int add_message(
	struct reading *reading, const struct member *member, struct buf *out, struct err *err)
{
	AUTO(buf_done) struct buf inside = {0};
	buf_init(&inside, reading->max);
	if (read_message(reading, member->inside, &inside, err) < 0)
		return -1;
	if (!buf_ok(&inside))
		return buf_error(&inside, err, "a message");
	wire_add_member(out, member->field, buf_text(&inside));
	return 0;
}

/* The value of a member; null is as if it were not there. */
static int read_value(
	struct reading *reading, const struct member *member, struct buf *out, struct err *err)
{
	enum pull_event what = pull_next(&reading->pull);
	if (what == PULL_NULL)
		return 0;
	if (what == PULL_OBJECT && member->kind == KIND_MESSAGES)
		return add_message(reading, member, out, err);
	if (what != PULL_ARRAY || member->kind != KIND_MESSAGES)
		return what == PULL_BAD ? fail(reading, "", err)
					: read_scalar(reading, member, what, out, err);
	while ((what = pull_next(&reading->pull)) != PULL_ARRAY_END) {
		if (what != PULL_OBJECT)
			return fail(reading, "an object is expected", err);
		if (add_message(reading, member, out, err) < 0)
			return -1;
	}
	return 0;
}

/* Behind the brace, to its end. As deep as the tables. */
static int read_message(
	struct reading *reading, const struct member *members, struct buf *out, struct err *err)
{
	enum pull_event what;
	while ((what = pull_next(&reading->pull)) == PULL_KEY) {
		const struct member *member = member_of(members, reading->pull.value);
		if (!member)
			return fail(reading, "no such member", err);
		if (read_value(reading, member, out, err) < 0)
			return -1;
	}
	return what == PULL_OBJECT_END ? 0 : fail(reading, "an object is expected", err);
}

int push_json_read(struct text json, struct arena *arena, struct buf *out, struct err *err)
{
	struct reading reading = {.arena = arena, .max = PUSH_MESSAGE_BYTES_MAX};
	pull_init(&reading.pull, json, arena, &limits);
	if (pull_next(&reading.pull) != PULL_OBJECT)
		return fail(&reading, "an object is expected", err);
	if (read_message(&reading, request_members, out, err) < 0)
		return -1;
	if (text_trim(pull_rest(&reading.pull)).size)
		return err_set(err, ERR_INPUT, "offset %zu: something stands behind the object",
			pull_offset(&reading.pull));
	if (arena->failed)
		return err_set(err, ERR_MEMORY, "no memory for a request");
	return buf_ok(out) ? 0 : buf_error(out, err, "a request");
}
