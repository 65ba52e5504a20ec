/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "tests/lib/random.h"

enum { DEEP = 10000 };

static const struct wire_shape nested[] = {{1, nested}, {0, NULL}};
static const struct wire_limits usual = {WIRE_DEPTH_MAX, 1000};

/* From an exact copy, so that AddressSanitizer sees a read past the end. */
static struct text exact(struct text text)
{
	char *copy = malloc(text.size ? text.size : 1);
	memcpy(copy, text.data ? text.data : "", text.size);
	return (struct text){copy, text.size};
}

/* Bytes from the encoding's own documentation: 150, "testing", {150}. */
START_TEST(reads_what_is_documented)
{
	struct wire reader = wire_of(TEXT("\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01"));
	ck_assert(wire_next(&reader));
	ck_assert_uint_eq(reader.field, 1);
	ck_assert_int_eq(reader.type, WIRE_VARINT);
	ck_assert_uint_eq(reader.number, 150);
	ck_assert(wire_next(&reader));
	ck_assert_uint_eq(reader.field, 2);
	ck_assert_uint_eq(reader.offset, 3);
	ck_assert(text_is(reader.bytes, "testing"));
	ck_assert(wire_next(&reader));
	struct wire inside = wire_of(reader.bytes);
	ck_assert(wire_next(&inside));
	ck_assert_uint_eq(inside.number, 150);
	ck_assert(!wire_next(&inside) && !inside.failed);
	ck_assert(!wire_next(&reader) && !reader.failed);
}
END_TEST

START_TEST(numbers_of_a_fixed_size_are_little_endian)
{
	struct wire reader = wire_of(TEXT("\x09\1\2\3\4\5\6\7\x88\x15\1\2\3\x84"));
	ck_assert(wire_next(&reader));
	ck_assert_int_eq(reader.type, WIRE_FIXED64);
	ck_assert_uint_eq(reader.number, UINT64_C(0x8807060504030201));
	ck_assert(wire_next(&reader));
	ck_assert_int_eq(reader.type, WIRE_FIXED32);
	ck_assert_uint_eq(reader.number, 0x84030201);
	ck_assert(!wire_next(&reader) && !reader.failed);
}
END_TEST

START_TEST(zigzag)
{
	ck_assert_int_eq(wire_zigzag(0), 0);
	ck_assert_int_eq(wire_zigzag(1), -1);
	ck_assert_int_eq(wire_zigzag(2), 1);
	ck_assert_int_eq(wire_zigzag(UINT64_MAX - 1), INT64_MAX);
	ck_assert_int_eq(wire_zigzag(UINT64_MAX), INT64_MIN);
}
END_TEST

static const struct {
	struct text bytes;
	const char *error; /* NULL: good */
} shapes[] = {
	{TEXT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL},
	{TEXT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "offset 0: a number is over 64"},
	{TEXT("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "offset 0: a number is over 64"},
	{TEXT("\x08\x80"), "offset 0: a number is cut off"},
	{TEXT("\x08\x01\x88"), "offset 2: a number is cut off"},
	{TEXT("\x00\x01"), "offset 0: a field number out of range"},
	{TEXT("\xf8\xff\xff\xff\x0f\x01"), NULL},
	{TEXT("\x80\x80\x80\x80\x10\x01"), "offset 0: a field number out of range"},
	{TEXT("\x0b\x0c"), "offset 0: a field of an unknown type"},
	{TEXT("\x0f\x01"), "offset 0: a field of an unknown type"},
	{TEXT("\x12\x02z"), "offset 0: a field is longer than what holds it"},
	{TEXT("\x12\x01z"), NULL},
	{TEXT("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01z"), "offset 0: a field is longer"},
	{TEXT("\x09\1\2\3\4\5\6\7"), "offset 0: a number is cut off"},
	{TEXT("\x15\1\2\3"), "offset 0: a number is cut off"},
	{TEXT("\x12\x01z\x0a\x04\x0a\x02\x08\x80"), "offset 7: a number is cut off"},
	{TEXT("\x0a\x02\x0a\x01\x01"), "offset 2: a field is longer than what holds it"},
};

START_TEST(what_is_broken_says_where)
{
	struct err err = {0};
	struct text bytes = exact(shapes[_i].bytes);
	int result = wire_scan(bytes, nested, &usual, &err);
	ck_assert_int_eq(result, shapes[_i].error ? -1 : 0);
	if (shapes[_i].error) {
		ck_assert_int_eq(err.kind, ERR_INPUT);
		ck_assert_msg(
			text_starts(text_of(err.text), text_of(shapes[_i].error)), "%s", err.text);
	}
	free((void *)(uintptr_t)bytes.data);
}
END_TEST

START_TEST(a_failure_stays)
{
	struct err err = {0};
	struct wire reader = wire_of(TEXT("\x08\x01\x12\x05zz\x08\x01"));
	ck_assert(wire_next(&reader));
	ck_assert(!wire_next(&reader) && reader.failed);
	ck_assert(!wire_next(&reader) && reader.failed);
	ck_assert_int_eq(wire_error(&reader, &err), -1);
	ck_assert_str_eq(err.text, "offset 2: a field is longer than what holds it");
}
END_TEST

/* @depth messages, each in the one before. */
static struct text nest(unsigned depth)
{
	struct buf inner, outer;
	buf_init(&inner, 1 << 20);
	buf_init(&outer, 1 << 20);
	for (unsigned i = 0; i < depth; i++) {
		buf_clear(&outer);
		wire_add_member(&outer, 1, buf_text(&inner));
		struct buf swap = inner;
		inner = outer;
		outer = swap;
	}
	struct text whole = exact(buf_text(&inner));
	buf_done(&inner);
	buf_done(&outer);
	return whole;
}

START_TEST(depth_is_limited)
{
	static const struct {
		unsigned depth;
		int result;
	} rows[] = {{0, 0}, {WIRE_DEPTH_MAX, 0}, {WIRE_DEPTH_MAX + 1, -1}, {DEEP, -1}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {0};
		struct text whole = nest(rows[i].depth);
		ck_assert_int_eq(wire_scan(whole, nested, &usual, &err), rows[i].result);
		ck_assert_int_eq(err.kind, rows[i].result ? ERR_LIMIT : ERR_NONE);
		ck_assert_int_eq(wire_scan(whole, NULL, &usual, &err), 0); /* bytes, not messages */
		free((void *)(uintptr_t)whole.data);
	}
}
END_TEST

START_TEST(fields_are_limited_all_together)
{
	struct err err = {0};
	struct buf out;
	buf_init(&out, 4096);
	wire_add_member(&out, 1, TEXT("\x10\x01\x10\x01"));
	wire_add_varint(&out, 2, 7);
	struct wire_limits limits = {WIRE_DEPTH_MAX, 4};
	ck_assert_int_eq(wire_scan(buf_text(&out), nested, &limits, &err), 0);
	limits.n_fields_max = 3;
	ck_assert_int_eq(wire_scan(buf_text(&out), nested, &limits, &err), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	ck_assert_str_eq(err.text, "offset 6: more than 3 fields");
	buf_done(&out);
}
END_TEST

START_TEST(what_is_zero_is_not_written_except_as_a_member)
{
	struct buf out;
	buf_init(&out, 64);
	wire_add_varint(&out, 1, 0);
	wire_add_fixed64(&out, 2, 0);
	wire_add_bytes(&out, 3, TEXT_NONE);
	ck_assert_uint_eq(out.size, 0);
	wire_add_member(&out, 4, TEXT_NONE);
	ck_assert(text_equal(buf_text(&out), TEXT("\x22\x00")));
	buf_done(&out);
}
END_TEST

struct value {
	enum wire_type type;
	uint32_t field;
	uint64_t number;
	char bytes[40];
	size_t size;
};

static struct value any_value(struct random *random)
{
	static const enum wire_type types[] = {WIRE_VARINT, WIRE_FIXED64, WIRE_BYTES};
	struct value value = {.type = types[random_below(random, 3)]};
	value.field = 1 + (uint32_t)(random_next(random) >> (35 + random_below(random, 29)));
	value.field = value.field >> 29 ? value.field >> 1 : value.field;
	value.number = (random_next(random) >> random_below(random, 64)) | 1;
	value.size = (size_t)random_below(random, sizeof value.bytes);
	for (size_t i = 0; i < value.size; i++)
		value.bytes[i] = (char)random_next(random);
	return value;
}

static void write_value(struct buf *out, const struct value *value)
{
	if (value->type == WIRE_VARINT)
		wire_add_varint(out, value->field, value->number);
	else if (value->type == WIRE_FIXED64)
		wire_add_fixed64(out, value->field, value->number);
	else
		wire_add_member(out, value->field, (struct text){value->bytes, value->size});
}

static void check_value(struct wire *reader, const struct value *value)
{
	ck_assert(wire_next(reader));
	ck_assert_uint_eq(reader->field, value->field);
	ck_assert_int_eq(reader->type, value->type);
	if (value->type == WIRE_BYTES)
		ck_assert(text_equal(reader->bytes, (struct text){value->bytes, value->size}));
	else
		ck_assert_uint_eq(reader->number, value->number);
}

/* What was written reads the same; cut anywhere it fails or ends, and reads nothing behind. */
START_TEST(reads_what_was_written)
{
	struct random random = random_from_environment();
	struct value values[20];
	for (int round = 0; round < 2000; round++) {
		struct err err = {0};
		struct buf out;
		buf_init(&out, 4096);
		for (size_t i = 0; i < 20; i++) {
			values[i] = any_value(&random);
			write_value(&out, &values[i]);
		}
		struct wire reader = wire_of(buf_text(&out));
		for (size_t i = 0; i < 20; i++)
			check_value(&reader, &values[i]);
		ck_assert(!wire_next(&reader) && !reader.failed);
		size_t cut = (size_t)random_below(&random, out.size);
		struct text part = exact(text_part(buf_text(&out), 0, cut));
		ignore(wire_scan(part, NULL, &usual, &err)); /* may end between two fields */
		free((void *)(uintptr_t)part.data);
		buf_done(&out);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tests = tcase_create("wire");
	tcase_add_test(tests, reads_what_is_documented);
	tcase_add_test(tests, numbers_of_a_fixed_size_are_little_endian);
	tcase_add_test(tests, zigzag);
	tcase_add_loop_test(tests, what_is_broken_says_where, 0, sizeof shapes / sizeof shapes[0]);
	tcase_add_test(tests, a_failure_stays);
	tcase_add_test(tests, depth_is_limited);
	tcase_add_test(tests, fields_are_limited_all_together);
	tcase_add_test(tests, what_is_zero_is_not_written_except_as_a_member);
	tcase_add_test(tests, reads_what_was_written);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
