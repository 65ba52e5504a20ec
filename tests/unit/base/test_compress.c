/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/compress.h"

typedef int expand(struct text packed, struct buf *out, struct err *err);

enum { MANY = 1024 * 1024 };

static struct buf packed, out;
static struct err err;

static void setup(void)
{
	buf_init(&packed, 96 * MANY);
	buf_init(&out, 64 * MANY);
}

static void teardown(void)
{
	buf_done(&packed);
	buf_done(&out);
}

/* Appends one member to @packed. */
static void add_gzip(struct text plain)
{
	z_stream stream = {0};
	ck_assert_int_eq(
		deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t bound = deflateBound(&stream, plain.size);
	char *room = buf_reserve(&packed, bound);
	stream.next_in = (unsigned char *)(uintptr_t)plain.data;
	stream.avail_in = (unsigned)plain.size;
	stream.next_out = (unsigned char *)room;
	stream.avail_out = (unsigned)bound;
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	buf_commit(&packed, bound - stream.avail_out);
	deflateEnd(&stream);
}

static void add_zstd(struct text plain)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t bound = ZSTD_compressBound(plain.size);
	char *room = buf_reserve(&packed, bound);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	size_t size = ZSTD_compress2(context, room, bound, plain.data, plain.size);
	ck_assert(!ZSTD_isError(size));
	buf_commit(&packed, size);
	ZSTD_freeCCtx(context);
}

static const struct {
	expand *expand;
	void (*add)(struct text plain);
	const char *trailer;
} roads[] = {{gzip_expand, add_gzip, "x"}, {zstd_expand, add_zstd, "xxxxx"}};

/* Bytes that do not compress, so that the ratio is far away. */
static char *noise(size_t size)
{
	char *bytes = malloc(size + 1);
	uint32_t random = 1;
	for (size_t i = 0; i < size; i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (char)(random >> 24);
	}
	return bytes;
}

static int run(int i, size_t max)
{
	buf_done(&out);
	buf_init(&out, max);
	return roads[i].expand(buf_text(&packed), &out, &err);
}

START_TEST(expands)
{
	static const size_t sizes[] = {0, 1, 100, 65535, 65536, 65537, 200000};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char *bytes = noise(sizes[i]);
		buf_clear(&packed);
		roads[_i].add((struct text){bytes, sizes[i]});
		ck_assert_msg(run(_i, MANY) == 0, "%zu: %s", sizes[i], err.text);
		ck_assert_uint_eq(out.size, sizes[i]);
		ck_assert(sizes[i] == 0 || memcmp(out.data, bytes, sizes[i]) == 0);
		free(bytes);
	}
}
END_TEST

START_TEST(the_cap_holds_at_its_edge)
{
	static const size_t sizes[] = {1, 100, 65536, 131072, 150000};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char *bytes = noise(sizes[i]);
		buf_clear(&packed);
		roads[_i].add((struct text){bytes, sizes[i]});
		ck_assert_msg(run(_i, sizes[i]) == 0, "%zu: %s", sizes[i], err.text);
		ck_assert_uint_eq(out.size, sizes[i]);
		ck_assert_int_eq(run(_i, sizes[i] - 1), -1);
		ck_assert_int_eq(err.kind, ERR_LIMIT);
		ck_assert_uint_le(out.size, sizes[i] - 1);
		free(bytes);
	}
}
END_TEST

START_TEST(a_bomb_is_stopped_by_its_ratio)
{
	char *zeros = calloc(1, 64 * MANY);
	roads[_i].add((struct text){zeros, COMPRESS_RATIO_FLOOR_BYTES});
	ck_assert_int_eq(run(_i, 64 * MANY), 0); /* small: any ratio */
	buf_clear(&packed);
	roads[_i].add((struct text){zeros, 64 * MANY});
	ck_assert_int_eq(run(_i, 64 * MANY), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(err.text, "times its size"));
	/* and no later than a chunk behind what is allowed */
	ck_assert_uint_le(out.size, packed.size * COMPRESS_RATIO_MAX + 3 * 65536);
	free(zeros);
}
END_TEST

START_TEST(refuses_what_is_cut_anywhere)
{
	char *bytes = noise(300);
	roads[_i].add((struct text){bytes, 300});
	roads[_i].add(TEXT("the second stream"));
	size_t size = packed.size, n_good = 0;
	for (size_t n = 0; n < size; n++) {
		char *cut = malloc(n ? n : 1);
		memcpy(cut, packed.data, n);
		buf_clear(&out);
		int failed = roads[_i].expand((struct text){cut, n}, &out, &err);
		ck_assert(!failed || err.kind == ERR_INPUT);
		n_good += !failed;
		ck_assert(failed || out.size == 300);
		free(cut);
	}
	ck_assert_uint_eq(n_good, 1); /* between the two */
	free(bytes);
}
END_TEST

START_TEST(streams_may_follow_each_other_and_nothing_else)
{
	roads[_i].add(TEXT("one "));
	roads[_i].add(TEXT(""));
	roads[_i].add(TEXT("two"));
	ck_assert_int_eq(run(_i, 64), 0);
	ck_assert_str_eq(buf_string(&out), "one two");
	ck_assert_int_eq(run(_i, 7), 0);
	ck_assert_int_eq(run(_i, 6), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	buf_add_string(&packed, roads[_i].trailer);
	ck_assert_int_eq(run(_i, 64), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
	buf_clear(&packed);
	ck_assert_int_eq(run(_i, 64), -1); /* no bytes are no stream */
	ck_assert_int_eq(err.kind, ERR_INPUT);
}
END_TEST

START_TEST(refuses_changed_bytes)
{
	char *bytes = noise(300);
	roads[_i].add((struct text){bytes, 300});
	packed.data[packed.size / 2] ^= 0x10;
	ck_assert_int_eq(run(_i, 1000), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
	free(bytes);
}
END_TEST

/* 16 MiB of window would be memory that the sender chooses. */
START_TEST(refuses_large_windows)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	char *bytes = noise(2 * MANY);
	size_t bound = ZSTD_compressBound(2 * MANY);
	for (int log = 23; log <= 24; log++) {
		ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
		ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, log);
		ZSTD_inBuffer in = {bytes, 2 * MANY, 0};
		buf_clear(&packed);
		ZSTD_outBuffer room = {buf_reserve(&packed, bound), bound, 0};
		ck_assert_uint_eq(ZSTD_compressStream2(context, &room, &in, ZSTD_e_flush), 0);
		ck_assert_uint_eq(ZSTD_compressStream2(context, &room, &in, ZSTD_e_end), 0);
		buf_commit(&packed, room.pos);
		ck_assert_int_eq(run(1, 4 * MANY), log == 23 ? 0 : -1);
	}
	ck_assert_int_eq(err.kind, ERR_INPUT);
	ZSTD_freeCCtx(context);
	free(bytes);
}
END_TEST

START_TEST(frames_read_back)
{
	struct frame_codec *codec = frame_codec_new(FRAME_FAST);
	struct text plain = TEXT("some alerts, some more alerts, and alerts");
	ck_assert_int_eq(frame_pack(codec, 0, plain, &packed, &err), 0);
	ck_assert_int_eq(frame_unpack(codec, 0, buf_text(&packed), &out, &err), 0);
	ck_assert(text_equal(plain, buf_text(&out)));
	buf_done(&out);
	buf_init(&out, plain.size - 1);
	ck_assert_int_eq(frame_unpack(codec, 0, buf_text(&packed), &out, &err), -1);
	ck_assert_int_eq(err.kind, ERR_CORRUPT);
	for (size_t n = 0; n < packed.size; n++) {
		buf_done(&out);
		buf_init(&out, 4096);
		struct text cut = text_part(buf_text(&packed), 0, n);
		ck_assert_int_eq(frame_unpack(codec, 0, cut, &out, &err), -1);
		ck_assert_int_eq(err.kind, ERR_CORRUPT);
	}
	ck_assert_int_eq(frame_pack(codec, 7, plain, &packed, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MISSING);
	ck_assert_int_eq(frame_unpack(codec, 7, buf_text(&packed), &out, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MISSING);
	frame_codec_free(codec);
	frame_codec_free(NULL);
}
END_TEST

START_TEST(dictionaries_make_frames_smaller)
{
	static size_t sizes[2000];
	struct buf samples, dictionary;
	struct frame_codec *codec = frame_codec_new(FRAME_FAST);
	buf_init(&samples, 4 * MANY);
	buf_init(&dictionary, MANY);
	for (unsigned i = 0; i < 2000; i++) {
		size_t before = samples.size;
		buf_addf(&samples, "{\"rule\":\"Rule %u\",\"priority\":\"Notice\",\"n\":%u}", i % 7,
			i);
		sizes[i] = samples.size - before;
	}
	ck_assert_int_eq(
		frame_dictionary_train(buf_text(&samples), sizes, 2000, 8192, &dictionary, &err),
		0);
	ck_assert(!frame_dictionary_known(codec, 1));
	ck_assert_int_eq(frame_dictionary_add(codec, 1, buf_text(&dictionary), &err), 0);
	ck_assert_int_eq(frame_dictionary_add(codec, 1, TEXT("ignored"), &err), 0);
	struct text plain = text_part(buf_text(&samples), 0, sizes[0]);
	ck_assert_int_eq(frame_pack(codec, 0, plain, &packed, &err), 0);
	size_t without = packed.size;
	buf_clear(&packed);
	ck_assert_int_eq(frame_pack(codec, 1, plain, &packed, &err), 0);
	ck_assert_uint_lt(packed.size, without);
	ck_assert_int_eq(frame_unpack(codec, 1, buf_text(&packed), &out, &err), 0);
	ck_assert(text_equal(plain, buf_text(&out)));
	ck_assert_int_eq(frame_unpack(codec, 0, buf_text(&packed), &out, &err), -1);
	for (int64_t id = 2; id <= FRAME_DICTIONARIES_MAX; id++)
		ck_assert_int_eq(frame_dictionary_add(codec, id, TEXT("small"), &err), 0);
	ck_assert_int_eq(
		frame_dictionary_add(codec, FRAME_DICTIONARIES_MAX + 1, TEXT("small"), &err), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	frame_codec_free(codec);
	buf_done(&samples);
	buf_done(&dictionary);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compress");
	TCase *tests = tcase_create("compress");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, expands, 0, 2);
	tcase_add_loop_test(tests, the_cap_holds_at_its_edge, 0, 2);
	tcase_add_loop_test(tests, a_bomb_is_stopped_by_its_ratio, 0, 2);
	tcase_add_loop_test(tests, refuses_what_is_cut_anywhere, 0, 2);
	tcase_add_loop_test(tests, streams_may_follow_each_other_and_nothing_else, 0, 2);
	tcase_add_loop_test(tests, refuses_changed_bytes, 0, 2);
	tcase_add_test(tests, refuses_large_windows);
	tcase_add_test(tests, frames_read_back);
	tcase_add_test(tests, dictionaries_make_frames_smaller);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
