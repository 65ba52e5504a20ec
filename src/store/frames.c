/* SPDX-License-Identifier: Apache-2.0 */
#include "store/frames.h"

#include <stdlib.h>

#include "base/compress.h"
#include "store/block.h"
#include "store/dictionaries.h"

struct frames {
	struct frame_codec *codec;
	struct buf content;
	int64_t id; /* of the block in content; 0: none */
	uint64_t last_leaf;
};

void frames_free(struct frames *frames)
{
	if (!frames)
		return;
	frame_codec_free(frames->codec);
	buf_done(&frames->content);
	free(frames);
}

static struct frames *get(struct connection *connection, struct err *err)
{
	if (connection->frames)
		return connection->frames;
	struct frames *frames = calloc(1, sizeof *frames);
	if (frames)
		frames->codec = frame_codec_new(FRAME_FAST);
	if (!frames || !frames->codec) {
		frames_free(frames);
		err_set(err, ERR_MEMORY, "out of memory for reading blocks");
		return NULL;
	}
	buf_init(&frames->content, BLOCK_BYTES_MAX);
	connection->frames = frames;
	return frames;
}

bool frames_cached(struct connection *connection, int64_t stream, uint64_t leaf,
	struct text *content, uint64_t *first_leaf)
{
	const struct frames *frames = connection->frames;
	if (!frames || !frames->id || frames->id >> STREAM_SHIFT != stream)
		return false;
	*first_leaf = block_first_leaf(frames->id);
	*content = buf_text(&frames->content);
	return leaf >= *first_leaf && leaf <= frames->last_leaf;
}

struct frame_codec *frames_codec(struct connection *connection, int64_t dictionary, struct err *err)
{
	struct frames *frames = get(connection, err);
	if (!frames)
		return NULL;
	return dictionary_load(connection, frames->codec, dictionary, err) < 0 ? NULL
									       : frames->codec;
}

int frames_load(struct connection *connection, const struct frame_row *row, struct text *content,
	struct err *err)
{
	struct frame_codec *codec = frames_codec(connection, row->dictionary, err);
	if (!codec)
		return -1;
	struct frames *frames = connection->frames;
	frames->id = 0;
	buf_clear(&frames->content);
	if (frame_unpack(codec, row->dictionary, row->frame, &frames->content, err) < 0)
		return -1;
	if (frames->content.size != row->size)
		return err_set(err, ERR_CORRUPT, "block %lld has %zu bytes, not %zu",
			(long long)row->id, frames->content.size, row->size);
	frames->id = row->id;
	frames->last_leaf = row->last_leaf;
	*content = buf_text(&frames->content);
	return 0;
}
