/* SPDX-License-Identifier: Apache-2.0 */
#include "store/dictionary_train.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/compress.h"
#include "store/block.h"
#include "store/dictionaries.h"
#include "store/frames.h"

/*
 * Samples come from PLACES places, at each from the blocks of PLACE_LEAVES neighbouring leaves. Of
 * 2 000 alerts of 2.4 KB (raw and record) a dictionary is as good as of 4 000, made in 0.13 s.
 * Every TEST_EVERY-th sample is kept for the comparison.
 */
enum {
	PLACES = 128,
	PLACE_LEAVES = 16,
	CHOSEN_MAX = PLACES * PLACE_LEAVES,
	SAMPLES_MAX = 2048,
	SAMPLE_BYTES_MAX = 8 * 1024, /* of a longer one: its beginning */
	SAMPLES_BYTES_MAX = SAMPLES_MAX * SAMPLE_BYTES_MAX,
	TEST_EVERY = 8,
	CANDIDATE = INT32_MAX, /* its id in the codec of the comparison */
};

struct samples {
	struct buf bytes;
	size_t sizes[SAMPLES_MAX];
	size_t n;
};

struct training {
	struct connection *connection;
	int64_t stream;
	int64_t chosen[CHOSEN_MAX]; /* blocks */
	size_t n_chosen;
	uint64_t n_leaves; /* in them */
	struct samples train, test;
};

static void training_free(struct training *training)
{
	buf_done(&training->train.bytes);
	buf_done(&training->test.bytes);
	free(training);
}

static inline void training_free_auto(struct training **training)
{
	if (*training)
		training_free(*training);
}

static struct training *training_new(struct connection *connection)
{
	struct training *training = calloc(1, sizeof *training);
	if (!training)
		return NULL;
	training->connection = connection;
	buf_init(&training->train.bytes, SAMPLES_BYTES_MAX);
	buf_init(&training->test.bytes, SAMPLES_BYTES_MAX);
	return training;
}

/* One number from a query of two numbers; 1, 0 (no row) or -1. */
static int read_number(struct connection *connection, const char *sql, int64_t first,
	int64_t second, int64_t *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, first);
	sql_bind_i64(statement, 2, second);
	int found = sql_step(statement, err);
	if (found > 0)
		*out = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return found;
}

static int find_stream(struct training *training, enum source source, struct err *err)
{
	return read_number(training->connection,
		"SELECT id FROM stream WHERE source = ?1 AND class = ?2", source, 0,
		&training->stream, err);
}

/* Are there enough leaves from @from on? Reads no more blocks than that takes. */
static int count_leaves(struct training *training, uint64_t from, bool *enough, struct err *err)
{
	int64_t n = 0;
	int found = read_number(training->connection,
		"SELECT sum(n) FROM (SELECT n FROM block WHERE id >= ?1 AND id < ?2 ORDER BY id"
		" LIMIT 2000)",
		block_id(training->stream, from), block_id(training->stream + 1, 0), &n, err);
	*enough = n >= DICTIONARY_SAMPLES_MIN;
	return found;
}

/* The blocks from the place on, up to PLACE_LEAVES leaves; *next is where no block was taken yet.
 */
static int choose_at(struct training *training, int64_t place, int64_t *next, struct err *err)
{
	int step = 1;
	int64_t n = 0;
	sqlite3_stmt *statement = connection_statement(training->connection,
		"SELECT id, n FROM block WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, place > *next ? place : *next);
	sql_bind_i64(statement, 2, block_id(training->stream + 1, 0));
	sql_bind_i64(statement, 3, PLACE_LEAVES);
	while (n < PLACE_LEAVES && training->n_chosen < CHOSEN_MAX &&
		(step = sql_step(statement, err)) > 0) {
		training->chosen[training->n_chosen++] = sql_i64(statement, 0);
		n += sql_i64(statement, 1);
		*next = sql_i64(statement, 0) + 1;
	}
	sqlite3_reset(statement);
	training->n_leaves += (uint64_t)n;
	return step < 0 ? -1 : 0;
}

/* Evenly over the leaves from @from to the newest. */
static int choose_blocks(struct training *training, uint64_t from, struct err *err)
{
	int64_t first = 0, last = 0, next = 0;
	int64_t begin = block_id(training->stream, from), end = block_id(training->stream + 1, 0);
	int found = read_number(training->connection,
		"SELECT id FROM block WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1", begin, end,
		&first, err);
	if (found > 0)
		found = read_number(training->connection,
			"SELECT id FROM block WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1",
			begin, end, &last, err);
	for (int64_t i = 0; found > 0 && i < PLACES; i++)
		if (choose_at(training, first + (last - first) * i / PLACES, &next, err) < 0)
			return -1;
	return found < 0 ? -1 : 0;
}

static void add_sample(struct samples *samples, struct text sample)
{
	size_t size = sample.size < SAMPLE_BYTES_MAX ? sample.size : SAMPLE_BYTES_MAX;
	if (samples->n == SAMPLES_MAX)
		return;
	buf_add_bytes(&samples->bytes, sample.data, size);
	samples->sizes[samples->n++] = size;
}

/* Every so many leaves one entry, as a block of one leaf has it. */
static void sample_content(struct training *training, struct text content, uint64_t *at)
{
	struct block_entry entry;
	uint64_t stride = training->n_leaves / SAMPLES_MAX + 1;
	while (content.size) {
		const char *from = content.data;
		if (!block_entry_read(&content, 0, &entry))
			return;
		if ((*at)++ % stride)
			continue;
		bool is_test = *at / stride % TEST_EVERY == 0;
		add_sample(is_test ? &training->test : &training->train,
			(struct text){from, (size_t)(content.data - from)});
	}
}

/* A block that is not there any more was joined or has expired: the others will do. */
static int sample_block(struct training *training, int64_t id, uint64_t *at, struct err *err)
{
	struct text content;
	sqlite3_stmt *statement = connection_statement(training->connection,
		"SELECT id, last_leaf, size, dictionary, frame FROM block WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, id);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	struct frame_row row = {
		.id = sql_i64(statement, 0),
		.last_leaf = (uint64_t)sql_i64(statement, 1),
		.size = (size_t)sql_i64(statement, 2),
		.dictionary = sql_i64(statement, 3),
		.frame = sql_blob(statement, 4),
	};
	int failed = frames_load(training->connection, &row, &content, err);
	sqlite3_reset(statement);
	if (failed)
		return err->kind == ERR_CORRUPT ? 0 : -1;
	sample_content(training, content, at);
	return 0;
}

static int read_samples(struct training *training, uint64_t from, struct err *err)
{
	uint64_t at = 0;
	if (choose_blocks(training, from, err) < 0)
		return -1;
	for (size_t i = 0; i < training->n_chosen; i++)
		if (sample_block(training, training->chosen[i], &at, err) < 0)
			return -1;
	return buf_ok(&training->train.bytes) && buf_ok(&training->test.bytes)
		       ? 0
		       : err_set(err, ERR_MEMORY, "out of memory for samples");
}

/* What the samples take, each in a frame of its own. */
static int packed_size(struct frame_codec *codec, int64_t dictionary, const struct samples *samples,
	size_t *total, struct err *err)
{
	AUTO(buf_done) struct buf frame;
	struct text rest = buf_text(&samples->bytes);
	buf_init(&frame, (size_t)2 * SAMPLE_BYTES_MAX);
	*total = 0;
	for (size_t i = 0; i < samples->n; i++) {
		struct text sample = text_part(rest, 0, samples->sizes[i]);
		rest = text_part(rest, samples->sizes[i], rest.size);
		buf_clear(&frame);
		if (frame_pack(codec, dictionary, sample, &frame, err) < 0)
			return -1;
		*total += frame.size;
	}
	return 0;
}

static inline void frame_codec_free_auto(struct frame_codec **codec)
{
	frame_codec_free(*codec);
}

/* 1 when the candidate is a tenth better than what there is. */
static int compare(
	struct training *training, int64_t newest, struct text candidate, struct err *err)
{
	size_t now, then;
	AUTO(frame_codec_free) struct frame_codec *codec = frame_codec_new(FRAME_FAST);
	if (!codec)
		return err_set(err, ERR_MEMORY, "out of memory comparing dictionaries");
	if (dictionary_load(training->connection, codec, newest, err) < 0 ||
		frame_dictionary_add(codec, CANDIDATE, candidate, err) < 0 ||
		packed_size(codec, newest, &training->test, &now, err) < 0 ||
		packed_size(codec, CANDIDATE, &training->test, &then, err) < 0)
		return -1;
	return then <= now - now / 10 && then < now;
}

int dictionary_train(struct connection *connection, const struct dictionary_wish *wish,
	struct buf *bytes, bool *enough, struct err *err)
{
	AUTO(training_free) struct training *training = training_new(connection);
	*enough = false;
	if (!training)
		return err_set(err, ERR_MEMORY, "out of memory for samples");
	int found = find_stream(training, wish->source, err);
	if (found > 0)
		found = count_leaves(training, wish->from, enough, err);
	if (found < 0 || !*enough)
		return found < 0 ? -1 : 0;
	if (read_samples(training, wish->from, err) < 0)
		return -1;
	buf_clear(bytes);
	if (frame_dictionary_train(buf_text(&training->train.bytes), training->train.sizes,
		    training->train.n, DICTIONARY_BYTES, bytes, err) < 0)
		return err->kind == ERR_INPUT ? 0 : -1; /* too much alike, or too short */
	return compare(training, wish->newest, buf_text(bytes), err);
}
