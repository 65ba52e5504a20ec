/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * gzip and zstd of request bodies, undone with caps on output and ratio; zstd frames of the store,
 * with trained dictionaries. zstd.h and zlib.h are included in this folder only.
 */

#include "base/buf.h"
#include "base/err.h"

enum {
	COMPRESS_RATIO_MAX = 200,
	COMPRESS_RATIO_FLOOR_BYTES = 65536,
	FRAME_DICTIONARIES_MAX = 256, /* in one codec */
};

/* For now, or for good (base/compress.c has what they cost). */
enum frame_effort { FRAME_FAST, FRAME_SMALL };

/**
 * Appends the decompressed bytes to @out, whose maximum is the cap.
 *
 * ERR_LIMIT when the cap is reached, or when output exceeds COMPRESS_RATIO_MAX times the input
 * (beyond the first COMPRESS_RATIO_FLOOR_BYTES); ERR_INPUT when the stream is broken, cut short or
 * followed by other bytes. Memory: zstd windows over 8 MiB are refused.
 */
CHECKED int gzip_expand(struct text packed, struct buf *out, struct err *err);
CHECKED int zstd_expand(struct text packed, struct buf *out, struct err *err);

/** Appends @plain as gzip, at the fastest level. false without memory, or when it does not fit. */
CHECKED bool gzip_pack(struct text plain, struct buf *out);

/* One per thread: contexts are kept. Dictionaries are loaded once and kept by id. */
struct frame_codec;

struct frame_codec *frame_codec_new(enum frame_effort effort); /* NULL without memory */
void frame_codec_free(struct frame_codec *codec);

/** Makes dictionary @id (≥ 1) known; the bytes are copied. */
CHECKED int frame_dictionary_add(
	struct frame_codec *codec, int64_t id, struct text bytes, struct err *err);
bool frame_dictionary_known(struct frame_codec *codec, int64_t id);

/** Appends one zstd frame of @plain to @out; @dictionary 0: none. */
CHECKED int frame_pack(struct frame_codec *codec, int64_t dictionary, struct text plain,
	struct buf *out, struct err *err);

/** Appends the frame's content to @out (its maximum is the cap). ERR_CORRUPT if it does not read
 * back. */
CHECKED int frame_unpack(struct frame_codec *codec, int64_t dictionary, struct text packed,
	struct buf *out, struct err *err);

/** Trains a dictionary of at most @max_bytes from samples that lie one after another in @samples.
 */
CHECKED int frame_dictionary_train(struct text samples, const size_t *sizes, size_t n,
	size_t max_bytes, struct buf *out, struct err *err);
