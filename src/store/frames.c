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
	struct place *places; /* of its entries, by leaf */
	size_t n_places, capacity;
};

struct place {
	uint64_t leaf;
	size_t offset;
};

void frames_free(struct frames *frames)
{
	if (!frames)
		return;
	frame_codec_free(frames->codec);
	buf_done(&frames->content);
	free(frames->places);
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

static bool add_place(struct frames *frames, const struct place *place)
{
	if (frames->n_places == frames->capacity) {
		size_t capacity = frames->capacity ? 2 * frames->capacity : 256;
		struct place *places = realloc(frames->places, capacity * sizeof *places);
		if (!places)
			return false;
		frames->places = places;
		frames->capacity = capacity;
	}
	frames->places[frames->n_places++] = *place;
	return true;
}

/* Without memory, or where it does not read back, there is none: entries are looked for then. */
static void find_places(struct frames *frames)
{
	struct text content = buf_text(&frames->content), rest = content;
	uint64_t first_leaf = block_first_leaf(frames->id);
	frames->n_places = 0;
	while (rest.size) {
		struct block_entry entry;
		struct place place = {.offset = content.size - rest.size};
		if (!block_entry_read(&rest, first_leaf, &entry))
			break;
		place.leaf = entry.leaf;
		if (!add_place(frames, &place))
			break;
	}
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	return (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

bool frames_entry(struct connection *connection, uint64_t leaf, size_t *offset)
{
	const struct frames *frames = connection->frames;
	const struct place wanted = {.leaf = leaf};
	if (!frames || !frames->n_places)
		return false;
	const struct place *place =
		bsearch(&wanted, frames->places, frames->n_places, sizeof wanted, compare_places);
	if (place)
		*offset = place->offset;
	return place;
}

int frames_load(struct connection *connection, const struct frame_row *row, struct text *content,
	struct err *err)
{
	struct frame_codec *codec = frames_codec(connection, row->dictionary, err);
	if (!codec)
		return -1;
	struct frames *frames = connection->frames;
	frames->id = 0;
	frames->n_places = 0;
	buf_clear(&frames->content);
	if (frame_unpack(codec, row->dictionary, row->frame, &frames->content, err) < 0)
		return -1;
	if (frames->content.size != row->size)
		return err_set(err, ERR_CORRUPT, "block %lld has %zu bytes, not %zu",
			(long long)row->id, frames->content.size, row->size);
	frames->id = row->id;
	frames->last_leaf = row->last_leaf;
	find_places(frames);
	*content = buf_text(&frames->content);
	return 0;
}
