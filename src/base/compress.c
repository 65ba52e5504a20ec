/* SPDX-License-Identifier: Apache-2.0 */
#include "base/compress.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST /* next_in takes const bytes */
#include <zdict.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { CHUNK_BYTES = 65536, WINDOW_LOG_MAX = 23, DICTIONARIES_MAX = FRAME_DICTIONARIES_MAX };

/* Has the output grown beyond what honest input of this size gives? */
static bool is_bomb(size_t packed_bytes, size_t out_bytes)
{
	return out_bytes > COMPRESS_RATIO_FLOOR_BYTES &&
	       out_bytes / COMPRESS_RATIO_MAX > packed_bytes;
}

static int too_large(const struct buf *out, size_t packed_bytes, struct err *err)
{
	if (is_bomb(packed_bytes, out->size + CHUNK_BYTES))
		return err_set(err, ERR_LIMIT, "the body expands to more than %d times its size",
			COMPRESS_RATIO_MAX);
	return err_set(err, ERR_LIMIT, "the body expands to more than %zu bytes", out->max);
}

/* Room for the next piece: a chunk, or what is left below the maximum; 0 and full at the maximum.
 */
static char *next_room(struct buf *out, size_t *size)
{
	size_t left = out->max - out->size;
	*size = left < CHUNK_BYTES ? left : CHUNK_BYTES;
	return *size ? buf_reserve(out, *size) : NULL;
}

static int gzip_step(z_stream *stream, struct text packed, struct buf *out, struct err *err)
{
	size_t size;
	char *room = next_room(out, &size);
	if (!room)
		return out->failed ? err_set(err, ERR_MEMORY, "out of memory expanding a body")
				   : too_large(out, packed.size, err);
	stream->next_out = (unsigned char *)room;
	stream->avail_out = (unsigned)size;
	int code = inflate(stream, Z_NO_FLUSH);
	buf_commit(out, size - stream->avail_out);
	if (is_bomb(packed.size, out->size))
		return too_large(out, packed.size, err);
	if (code == Z_STREAM_END)
		return 1;
	if (code == Z_OK && (stream->avail_in || stream->avail_out == 0))
		return 0;
	if (code == Z_MEM_ERROR)
		return err_set(err, ERR_MEMORY, "out of memory expanding a body");
	return err_set(err, ERR_INPUT, "the gzip body is %s",
		code == Z_OK || code == Z_BUF_ERROR ? "cut short" : "broken");
}

int gzip_expand(struct text packed, struct buf *out, struct err *err)
{
	z_stream stream = {0};
	if (packed.size > UINT32_MAX)
		return err_set(err, ERR_LIMIT, "the gzip body is too long");
	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return err_set(err, ERR_MEMORY, "out of memory expanding a body");
	stream.next_in = (const unsigned char *)packed.data;
	stream.avail_in = (unsigned)packed.size;
	int done = 0;
	while (done == 0) {
		done = gzip_step(&stream, packed, out, err);
		/* A gzip file may have several members, one after another. */
		if (done > 0 && stream.avail_in)
			done = inflateReset(&stream) == Z_OK
				       ? 0
				       : err_set(err, ERR_INPUT, "the gzip body is broken");
	}
	inflateEnd(&stream);
	return done < 0 ? -1 : 0;
}

bool gzip_pack(struct text plain, struct buf *out)
{
	z_stream stream = {0};
	if (plain.size > UINT32_MAX / 2 || deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16,
						   8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	size_t most = deflateBound(&stream, plain.size);
	char *room = malloc(most);
	stream.next_in = (const unsigned char *)plain.data;
	stream.avail_in = (unsigned)plain.size;
	stream.next_out = (unsigned char *)room;
	stream.avail_out = (unsigned)most;
	bool good = room && deflate(&stream, Z_FINISH) == Z_STREAM_END;
	if (good)
		buf_add_bytes(out, room, most - stream.avail_out);
	deflateEnd(&stream);
	free(room);
	return good && buf_ok(out);
}

static int zstd_step(ZSTD_DCtx *context, ZSTD_inBuffer *in, struct buf *out, struct err *err)
{
	size_t size;
	char *room = next_room(out, &size);
	if (!room)
		return out->failed ? err_set(err, ERR_MEMORY, "out of memory expanding a body")
				   : too_large(out, in->size, err);
	ZSTD_outBuffer piece = {room, size, 0};
	size_t code = ZSTD_decompressStream(context, &piece, in);
	if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
		return err_set(err, ERR_MEMORY, "out of memory expanding a body");
	if (ZSTD_isError(code))
		return err_set(
			err, ERR_INPUT, "the zstd body is broken: %s", ZSTD_getErrorName(code));
	buf_commit(out, piece.pos);
	if (is_bomb(in->size, out->size))
		return too_large(out, in->size, err);
	if (code == 0 && in->pos == in->size)
		return 1;
	if (in->pos == in->size && piece.pos < piece.size)
		return err_set(err, ERR_INPUT, "the zstd body is cut short");
	return 0;
}

int zstd_expand(struct text packed, struct buf *out, struct err *err)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	if (!context)
		return err_set(err, ERR_MEMORY, "out of memory expanding a body");
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	ZSTD_inBuffer in = {packed.data, packed.size, 0};
	int done = packed.size ? 0 : err_set(err, ERR_INPUT, "the zstd body is empty");
	while (done == 0)
		done = zstd_step(context, &in, out, err);
	ZSTD_freeDCtx(context);
	return done < 0 ? -1 : 0;
}

/*
 * zstd's levels, as measured on blocks of 256 alerts: 1.6 µs an alert, and 5 µs for 17 % less. One
 * level more than 5 costs 1.2 µs for another 3 %, which is 1 % of all that is stored of an alert.
 *
 * Tables of these sizes (powers of two) pack alerts as small as zstd's own choice does, up to a
 * thousandth; that would be tables of 768 KB and 3 MB, for which everything else leaves the
 * processor's caches at each frame.
 */
static const struct {
	int level, hash_log, chain_log;
} efforts[] = {
	[FRAME_FAST] = {3, 15, 14},
	[FRAME_SMALL] = {5, 17, 17},
};

/* The tables for packing are some 200 KB: made on first use, so that readers do without. */
struct dictionary {
	int64_t id;
	char *bytes;
	size_t size;
	ZSTD_CDict *pack;
	ZSTD_DDict *unpack;
};

struct frame_codec {
	enum frame_effort effort;
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
	struct dictionary dictionaries[DICTIONARIES_MAX];
	size_t n_dictionaries;
};

/* For all frames of the context. */
static bool set_effort(ZSTD_CCtx *pack, enum frame_effort effort)
{
	const size_t results[] = {
		ZSTD_CCtx_setParameter(pack, ZSTD_c_compressionLevel, efforts[effort].level),
		ZSTD_CCtx_setParameter(pack, ZSTD_c_hashLog, efforts[effort].hash_log),
		ZSTD_CCtx_setParameter(pack, ZSTD_c_chainLog, efforts[effort].chain_log),
	};
	return !ZSTD_isError(results[0]) && !ZSTD_isError(results[1]) && !ZSTD_isError(results[2]);
}

struct frame_codec *frame_codec_new(enum frame_effort effort)
{
	struct frame_codec *codec = calloc(1, sizeof *codec);
	if (!codec)
		return NULL;
	codec->effort = effort;
	codec->pack = ZSTD_createCCtx();
	codec->unpack = ZSTD_createDCtx();
	if (!codec->pack || !codec->unpack || !set_effort(codec->pack, effort)) {
		frame_codec_free(codec);
		return NULL;
	}
	return codec;
}

static void dictionary_done(struct dictionary *dictionary)
{
	ZSTD_freeCDict(dictionary->pack);
	ZSTD_freeDDict(dictionary->unpack);
	free(dictionary->bytes);
}

void frame_codec_free(struct frame_codec *codec)
{
	if (!codec)
		return;
	for (size_t i = 0; i < codec->n_dictionaries; i++)
		dictionary_done(&codec->dictionaries[i]);
	ZSTD_freeCCtx(codec->pack);
	ZSTD_freeDCtx(codec->unpack);
	free(codec);
}

static struct dictionary *find_dictionary(struct frame_codec *codec, int64_t id)
{
	for (size_t i = 0; i < codec->n_dictionaries; i++)
		if (codec->dictionaries[i].id == id)
			return &codec->dictionaries[i];
	return NULL;
}

bool frame_dictionary_known(struct frame_codec *codec, int64_t id)
{
	return find_dictionary(codec, id) != NULL;
}

int frame_dictionary_add(struct frame_codec *codec, int64_t id, struct text bytes, struct err *err)
{
	if (frame_dictionary_known(codec, id))
		return 0;
	if (codec->n_dictionaries == DICTIONARIES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d dictionaries", DICTIONARIES_MAX);
	struct dictionary *dictionary = &codec->dictionaries[codec->n_dictionaries];
	*dictionary = (struct dictionary){
		.id = id,
		.bytes = malloc(bytes.size ? bytes.size : 1),
		.size = bytes.size,
		.unpack = ZSTD_createDDict(bytes.data, bytes.size),
	};
	if (!dictionary->bytes || !dictionary->unpack) {
		dictionary_done(dictionary);
		return err_set(err, ERR_MEMORY, "out of memory for dictionary %lld", (long long)id);
	}
	if (bytes.size)
		memcpy(dictionary->bytes, bytes.data, bytes.size);
	codec->n_dictionaries++;
	return 0;
}

static int unknown_dictionary(int64_t id, struct err *err)
{
	return err_set(err, ERR_MISSING, "dictionary %lld is not loaded", (long long)id);
}

int frame_pack(struct frame_codec *codec, int64_t dictionary, struct text plain, struct buf *out,
	struct err *err)
{
	struct dictionary *known = dictionary ? find_dictionary(codec, dictionary) : NULL;
	size_t bound = ZSTD_compressBound(plain.size);
	if (dictionary && !known)
		return unknown_dictionary(dictionary, err);
	if (known && !known->pack)
		known->pack =
			ZSTD_createCDict(known->bytes, known->size, efforts[codec->effort].level);
	if (known && !known->pack)
		return err_set(err, ERR_MEMORY, "out of memory packing a block");
	char *room = buf_reserve(out, bound);
	if (!room)
		return err_set(err, ERR_MEMORY, "out of memory packing a block");
	size_t size = ZSTD_CCtx_refCDict(codec->pack, known ? known->pack : NULL);
	if (!ZSTD_isError(size))
		size = ZSTD_compress2(codec->pack, room, bound, plain.data, plain.size);
	if (ZSTD_isError(size))
		return err_set(err, ERR_MEMORY, "packing a block: %s", ZSTD_getErrorName(size));
	buf_commit(out, size);
	return 0;
}

int frame_unpack(struct frame_codec *codec, int64_t dictionary, struct text packed, struct buf *out,
	struct err *err)
{
	const struct dictionary *known = dictionary ? find_dictionary(codec, dictionary) : NULL;
	if (dictionary && !known)
		return unknown_dictionary(dictionary, err);
	unsigned long long wanted = ZSTD_getFrameContentSize(packed.data, packed.size);
	if (wanted == ZSTD_CONTENTSIZE_ERROR || wanted == ZSTD_CONTENTSIZE_UNKNOWN ||
		wanted > out->max - out->size)
		return err_set(err, ERR_CORRUPT, "a block's frame is broken");
	char *room = buf_reserve(out, (size_t)wanted);
	if (!room)
		return err_set(err, ERR_MEMORY, "out of memory unpacking a block");
	size_t size = known ? ZSTD_decompress_usingDDict(codec->unpack, room, (size_t)wanted,
				      packed.data, packed.size, known->unpack)
			    : ZSTD_decompressDCtx(codec->unpack, room, (size_t)wanted, packed.data,
				      packed.size);
	if (ZSTD_isError(size) || size != wanted)
		return err_set(err, ERR_CORRUPT, "a block's frame is broken");
	buf_commit(out, size);
	return 0;
}

int frame_dictionary_train(struct text samples, const size_t *sizes, size_t n, size_t max_bytes,
	struct buf *out, struct err *err)
{
	char *room = n <= UINT32_MAX ? buf_reserve(out, max_bytes) : NULL;
	if (!room)
		return err_set(err, ERR_MEMORY, "out of memory training a dictionary");
	size_t size = ZDICT_trainFromBuffer(room, max_bytes, samples.data, sizes, (unsigned)n);
	if (ZDICT_isError(size))
		return err_set(
			err, ERR_INPUT, "training a dictionary: %s", ZDICT_getErrorName(size));
	buf_commit(out, size);
	return 0;
}
