/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "net/grpc_message.h"

enum { MESSAGE_MAX = 100000, ROOM = 64 * 1024 };

static struct grpc_room room;
static struct grpc_reader reader;
static struct grpc_status status;
static struct buf frame;
static char *message;
static size_t size;

static enum grpc_read feed(struct text bytes, size_t *n_left)
{
	free(message);
	message = NULL;
	enum grpc_read came = grpc_reader_feed(&reader, &bytes, &message, &size, &status);
	if (n_left)
		*n_left = bytes.size;
	return came;
}

static struct text repeat(size_t n)
{
	static char bytes[MESSAGE_MAX + 1];
	memset(bytes, 'a', sizeof bytes);
	return (struct text){bytes, n};
}

START_TEST(messages_come_one_by_one)
{
	size_t left;
	grpc_frame_write(&frame, TEXT("one"), false);
	grpc_frame_write(&frame, TEXT(""), false);
	struct text bytes = buf_text(&frame);
	ck_assert_uint_eq(bytes.size, 3 + 2 * GRPC_PREFIX_BYTES);
	ck_assert_int_eq(feed(bytes, &left), GRPC_READ_MESSAGE);
	ck_assert(text_is((struct text){message, size}, "one"));
	ck_assert_uint_eq(left, GRPC_PREFIX_BYTES);
	ck_assert_int_eq(feed(text_part(bytes, bytes.size - left, left), &left), GRPC_READ_MESSAGE);
	ck_assert_ptr_nonnull(message);
	ck_assert_uint_eq(size, 0);
	ck_assert(!grpc_reader_is_inside(&reader));
}
END_TEST

START_TEST(bytes_come_one_by_one)
{
	grpc_frame_write(&frame, TEXT("hello"), false);
	struct text bytes = buf_text(&frame);
	for (size_t i = 0; i + 1 < bytes.size; i++) {
		ck_assert_int_eq(feed(text_part(bytes, i, 1), NULL), GRPC_READ_MORE);
		ck_assert(grpc_reader_is_inside(&reader));
	}
	ck_assert_int_eq(feed(text_part(bytes, bytes.size - 1, 1), NULL), GRPC_READ_MESSAGE);
	ck_assert(text_is((struct text){message, size}, "hello"));
	ck_assert_uint_eq(room.used_bytes, 0); /* it is the caller's now */
}
END_TEST

/* The length is checked before anything of that length comes. */
START_TEST(a_message_has_a_longest)
{
	room.max_bytes = SIZE_MAX;
	grpc_frame_write(&frame, repeat(MESSAGE_MAX), false);
	ck_assert_int_eq(feed(buf_text(&frame), NULL), GRPC_READ_MESSAGE);
	ck_assert_uint_eq(size, MESSAGE_MAX);
	buf_clear(&frame);
	grpc_frame_write(&frame, repeat(MESSAGE_MAX + 1), false);
	struct text prefix = text_part(buf_text(&frame), 0, GRPC_PREFIX_BYTES);
	ck_assert_int_eq(feed(prefix, NULL), GRPC_READ_FAILED);
	ck_assert_int_eq(status.code, GRPC_RESOURCE_EXHAUSTED);
}
END_TEST

/* Packed it is short: what it becomes counts. */
START_TEST(a_packed_message_has_the_same)
{
	reader.may_be_gzip = true;
	for (size_t more = 0; more < 2; more++) {
		struct text large = repeat(MESSAGE_MAX + more);
		char *noise = malloc(large.size);
		uint32_t state = 1;
		ck_assert_ptr_nonnull(noise);
		for (size_t i = 0; i < large.size; i++) {
			state = state * 1664525 + 1013904223;
			noise[i] = (char)('a' + (state >> 30)); /* packs, but is no bomb */
		}
		buf_clear(&frame);
		grpc_frame_write(&frame, (struct text){noise, large.size}, true);
		ck_assert_uint_lt(frame.size, large.size / 2);
		ck_assert_int_eq(
			feed(buf_text(&frame), NULL), more ? GRPC_READ_FAILED : GRPC_READ_MESSAGE);
		ck_assert(more || (size == large.size && memcmp(message, noise, size) == 0));
		ck_assert_uint_eq(room.used_bytes, 0);
		free(noise);
	}
	ck_assert_int_eq(status.code, GRPC_RESOURCE_EXHAUSTED);
}
END_TEST

START_TEST(short_messages_are_not_packed)
{
	grpc_frame_write(&frame, repeat(511), true);
	ck_assert_uint_eq(frame.size, 511 + GRPC_PREFIX_BYTES);
	ck_assert_int_eq(frame.data[0], 0);
	buf_clear(&frame);
	grpc_frame_write(&frame, repeat(512), true);
	ck_assert_uint_lt(frame.size, 100);
	ck_assert_int_eq(frame.data[0], 1);
}
END_TEST

START_TEST(what_is_wrong_is_told)
{
	ck_assert_int_eq(feed(TEXT("\2\0\0\0\0"), NULL), GRPC_READ_FAILED);
	ck_assert_int_eq(status.code, GRPC_INTERNAL);
	grpc_reader_init(&reader, MESSAGE_MAX);
	ck_assert_int_eq(feed(TEXT("\1\0\0\0\1x"), NULL), GRPC_READ_FAILED); /* nobody said gzip */
	ck_assert_int_eq(status.code, GRPC_INTERNAL);
	grpc_reader_init(&reader, MESSAGE_MAX);
	reader.may_be_gzip = true;
	ck_assert_int_eq(feed(TEXT("\1\0\0\0\1x"), NULL), GRPC_READ_FAILED); /* and it is none */
	ck_assert_int_eq(status.code, GRPC_INTERNAL);
}
END_TEST

/* Memory follows what has come; of all readers together there is so much. */
START_TEST(room_is_shared)
{
	struct grpc_reader other;
	char *theirs = NULL;
	size_t n;
	const struct text part = TEXT("\0\0\1\x86\xa0"); /* 100 000 announced */
	struct text again = part, more = TEXT("more");
	ck_assert_int_eq(feed(part, NULL), GRPC_READ_MORE);
	ck_assert_uint_eq(room.used_bytes, 16384);
	ck_assert_int_eq(feed(repeat(50000), NULL), GRPC_READ_MORE);
	ck_assert_uint_ge(room.used_bytes, 50000);
	grpc_reader_init(&other, MESSAGE_MAX);
	other.room = &room;
	/* Half of it is gone: the other waits, and its bytes stay. */
	ck_assert_int_eq(grpc_reader_feed(&other, &again, &theirs, &n, &status), GRPC_READ_NO_ROOM);
	ck_assert_int_eq(status.code, GRPC_RESOURCE_EXHAUSTED);
	ck_assert_int_eq(grpc_reader_feed(&other, &more, &theirs, &n, &status), GRPC_READ_NO_ROOM);
	ck_assert_uint_eq(more.size, 4);
	ck_assert(grpc_reader_is_inside(&other));
	grpc_reader_done(&reader);
	ck_assert_uint_eq(room.used_bytes, 0);
	ck_assert_int_eq(grpc_reader_feed(&other, &more, &theirs, &n, &status), GRPC_READ_MORE);
	more = repeat(40000);
	ck_assert_int_eq(grpc_reader_feed(&other, &more, &theirs, &n, &status), GRPC_READ_NO_ROOM);
	/* The first in turn may have all. Where there is no more nobody would give it any. */
	other.is_first = true;
	ck_assert_int_eq(grpc_reader_feed(&other, &more, &theirs, &n, &status), GRPC_READ_MORE);
	more = repeat(59996);
	ck_assert_int_eq(grpc_reader_feed(&other, &more, &theirs, &n, &status), GRPC_READ_FAILED);
	grpc_reader_done(&other);
	ck_assert_uint_eq(room.used_bytes, 0);
}
END_TEST

START_TEST(room_is_taken_and_given)
{
	ck_assert(!grpc_room_take(&room, ROOM + 1));
	ck_assert(grpc_room_take(&room, ROOM));
	ck_assert(!grpc_room_take(&room, 1));
	ck_assert(!grpc_room_take(&room, SIZE_MAX));
	grpc_room_give(&room, ROOM);
	ck_assert(grpc_room_take(NULL, SIZE_MAX));
	grpc_room_give(NULL, SIZE_MAX);
	ck_assert_uint_eq(room.used_bytes, 0);
}
END_TEST

/* A share is taken from the whole, too; whichever is full first says so. */
START_TEST(a_share_is_of_the_whole)
{
	struct grpc_room share = {.parent = &room, .max_bytes = ROOM / 2};
	struct grpc_room other = {.parent = &room, .max_bytes = ROOM};
	ck_assert(!grpc_room_take(&share, ROOM / 2 + 1));
	ck_assert(grpc_room_take(&share, ROOM / 2));
	ck_assert(!grpc_room_take(&other, ROOM / 2 + 1));
	ck_assert(grpc_room_take(&other, ROOM / 2));
	ck_assert_uint_eq(room.used_bytes, ROOM);
	grpc_room_give(&share, ROOM / 2);
	ck_assert_uint_eq(room.used_bytes, ROOM / 2);
	grpc_room_give(&other, ROOM / 2);
	ck_assert_uint_eq(room.used_bytes + share.used_bytes + other.used_bytes, 0);
}
END_TEST

static void start(void)
{
	room = (struct grpc_room){.max_bytes = ROOM};
	grpc_reader_init(&reader, MESSAGE_MAX);
	reader.room = &room;
	reader.is_first = true; /* unless a test says else, nobody waits */
	buf_init(&frame, 4 * MESSAGE_MAX);
}

static void stop(void)
{
	grpc_reader_done(&reader);
	buf_done(&frame);
	free(message);
	message = NULL;
}

int main(void)
{
	Suite *suite = suite_create("net/grpc_message");
	TCase *tests = tcase_create("grpc_message");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, messages_come_one_by_one);
	tcase_add_test(tests, bytes_come_one_by_one);
	tcase_add_test(tests, a_message_has_a_longest);
	tcase_add_test(tests, a_packed_message_has_the_same);
	tcase_add_test(tests, short_messages_are_not_packed);
	tcase_add_test(tests, what_is_wrong_is_told);
	tcase_add_test(tests, room_is_shared);
	tcase_add_test(tests, room_is_taken_and_given);
	tcase_add_test(tests, a_share_is_of_the_whole);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
