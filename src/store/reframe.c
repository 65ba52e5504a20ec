/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reframe.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compress.h"
#include "base/log.h"
#include "store/block.h"

enum { STREAMS_MAX = 64, LOOKED_AT_MAX = 512 };

static const int64_t day_ns = INT64_C(86400) * NS_PER_S;

/* One stream's blocks from framed_to on. */
struct framing {
	int64_t stream;
	enum source source;
	uint64_t framed_to;
	uint64_t n_waiting; /* leaves behind framed_to; UINT64_MAX: not counted yet */
};

/* Neighbouring blocks. */
struct run {
	int64_t first_id, last_id;
	int64_t received_ns;
	uint64_t last_leaf;
	size_t n_blocks;
	uint64_t n_leaves;
	size_t size; /* unpacked */
	bool has_small;
};

struct reframer {
	struct frame_codec *codec;
	struct framing framings[STREAMS_MAX];
	size_t n_framings;
	struct buf plain, joined, frame;
};

struct reframer *reframer_new(void)
{
	struct reframer *reframer = calloc(1, sizeof *reframer);
	if (!reframer)
		return NULL;
	/* A run may grow by some bytes a leaf: leaves are farther from the first. */
	buf_init(&reframer->plain, 2 * REFRAME_BYTES);
	buf_init(&reframer->joined, 2 * REFRAME_BYTES);
	buf_init(&reframer->frame, 4 * REFRAME_BYTES);
	reframer->codec = frame_codec_new(FRAME_SMALL);
	if (!reframer->codec) {
		reframer_free(reframer);
		return NULL;
	}
	return reframer;
}

void reframer_free(struct reframer *reframer)
{
	if (!reframer)
		return;
	frame_codec_free(reframer->codec);
	buf_done(&reframer->plain);
	buf_done(&reframer->joined);
	buf_done(&reframer->frame);
	free(reframer);
}

int reframer_load(struct reframer *reframer, struct connection *connection, struct err *err)
{
	int step;
	reframer->n_framings = 0;
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT id, source, framed_to FROM stream ORDER BY id LIMIT ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, STREAMS_MAX);
	while ((step = sql_step(statement, err)) > 0)
		reframer->framings[reframer->n_framings++] = (struct framing){
			.stream = sql_i64(statement, 0),
			.source = (enum source)sql_i64(statement, 1),
			.framed_to = (uint64_t)sql_i64(statement, 2),
			.n_waiting = UINT64_MAX,
		};
	return step;
}

void reframer_added(struct reframer *reframer, int64_t stream, enum source source, size_t n)
{
	size_t i = 0;
	while (i < reframer->n_framings && reframer->framings[i].stream != stream)
		i++;
	if (i == STREAMS_MAX)
		return;
	if (i == reframer->n_framings)
		reframer->framings[reframer->n_framings++] =
			(struct framing){.stream = stream, .source = source};
	struct framing *framing = &reframer->framings[i];
	if (framing->n_waiting != UINT64_MAX)
		framing->n_waiting += n;
}

/* The first stream with leaves enough for a full run: at least one is closed. */
static size_t find_due(const struct reframer *reframer)
{
	size_t i = 0;
	while (i < reframer->n_framings && reframer->framings[i].n_waiting < REFRAME_LEAVES)
		i++;
	return i;
}

bool reframer_due(const struct reframer *reframer)
{
	return find_due(reframer) < reframer->n_framings;
}

/* Takes the block that the statement stands on into the run; false when it closes the run. */
static bool run_take(struct run *run, sqlite3_stmt *statement)
{
	int64_t stored_n = sql_i64(statement, 1);
	uint64_t n = stored_n > 0 ? (uint64_t)stored_n : 1; /* so that every run ends */
	int64_t received_ns = sql_i64(statement, 3);
	size_t size = (size_t)sql_i64(statement, 4);
	if (run->n_blocks == 0) {
		*run = (struct run){.first_id = sql_i64(statement, 0), .received_ns = received_ns};
	} else if (received_ns / day_ns != run->received_ns / day_ns ||
		   n + run->n_leaves > REFRAME_LEAVES || size + run->size > REFRAME_BYTES) {
		return false;
	}
	run->last_id = sql_i64(statement, 0);
	run->last_leaf = (uint64_t)sql_i64(statement, 2);
	run->n_blocks++;
	run->n_leaves += n;
	run->size += size;
	run->has_small |= n < REFRAME_SMALL_LEAVES;
	return true;
}

static bool run_is_full(const struct run *run)
{
	return run->n_leaves >= REFRAME_LEAVES || run->size >= REFRAME_BYTES;
}

static bool wants_join(const struct run *run)
{
	return run->n_blocks > 1 && run->has_small;
}

/* What lies in front of it has its last shape. */
static void pass(struct framing *framing, const struct run *run)
{
	framing->framed_to = run->last_leaf + 1;
	if (framing->n_waiting != UINT64_MAX)
		framing->n_waiting -=
			framing->n_waiting < run->n_leaves ? framing->n_waiting : run->n_leaves;
}

/* A closed run: true when it wants a join; else it has its last shape, and the next begins. */
static bool settle(struct framing *framing, struct run *run)
{
	if (wants_join(run))
		return true;
	pass(framing, run);
	*run = (struct run){0};
	return false;
}

/* Moves over closed runs that stay as they are to one that wants a join: 1 with *run; else 0. */
static int find_run(
	struct connection *connection, struct framing *framing, struct run *run, struct err *err)
{
	int step, n_seen = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, n, last_leaf, received_ns, size FROM block"
		" WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3",
		err);
	*run = (struct run){0};
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, block_id(framing->stream, framing->framed_to));
	sql_bind_i64(statement, 2, block_id(framing->stream + 1, 0));
	sql_bind_i64(statement, 3, LOOKED_AT_MAX);
	while ((step = sql_step(statement, err)) > 0) {
		n_seen++;
		bool wanted = !run_take(run, statement) && settle(framing, run);
		if (!wanted && run->n_blocks == 0)
			run_take(run, statement);
		if (!wanted && run_is_full(run))
			wanted = settle(framing, run);
		if (wanted) {
			sqlite3_reset(statement);
			return 1;
		}
	}
	if (step == 0 && n_seen < LOOKED_AT_MAX)
		framing->n_waiting = run->n_leaves;
	return step;
}

static int broken(int64_t id, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "block %lld does not read back", (long long)id);
}

/* Appends a block's entries to what is joined; *next_leaf is the least that may come. */
static int copy_entries(struct reframer *reframer, const struct run *run, sqlite3_stmt *statement,
	uint64_t *next_leaf, struct err *err)
{
	int64_t id = sql_i64(statement, 0);
	uint64_t n_left = (uint64_t)sql_i64(statement, 1);
	struct text rest = buf_text(&reframer->plain);
	struct block_entry entry;
	if (rest.size != (size_t)sql_i64(statement, 3))
		return broken(id, err);
	for (; rest.size && n_left; n_left--) {
		if (!block_entry_read(&rest, block_first_leaf(id), &entry) ||
			entry.leaf < *next_leaf)
			return broken(id, err);
		block_entry_write(&reframer->joined, block_first_leaf(run->first_id), &entry);
		*next_leaf = entry.leaf + 1;
	}
	bool is_whole =
		rest.size == 0 && n_left == 0 && *next_leaf == (uint64_t)sql_i64(statement, 2) + 1;
	return is_whole ? 0 : broken(id, err);
}

static int unpack_block(struct reframer *reframer, struct connection *connection,
	sqlite3_stmt *statement, struct err *err)
{
	int64_t dictionary = sql_i64(statement, 4);
	buf_clear(&reframer->plain);
	if (dictionary_load(connection, reframer->codec, dictionary, err) < 0)
		return -1;
	return frame_unpack(
		reframer->codec, dictionary, sql_blob(statement, 5), &reframer->plain, err);
}

static int read_run(struct reframer *reframer, struct connection *connection, const struct run *run,
	struct err *err)
{
	int step;
	uint64_t next_leaf = block_first_leaf(run->first_id);
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, n, last_leaf, size, dictionary, frame FROM block"
		" WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
		err);
	buf_clear(&reframer->joined);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, run->first_id);
	sql_bind_i64(statement, 2, run->last_id);
	while ((step = sql_step(statement, err)) > 0)
		if (unpack_block(reframer, connection, statement, err) < 0 ||
			copy_entries(reframer, run, statement, &next_leaf, err) < 0) {
			sqlite3_reset(statement);
			return -1;
		}
	if (step == 0 && !buf_ok(&reframer->joined))
		return err_set(err, ERR_MEMORY, "out of memory joining blocks");
	return step;
}

/* The joined frame; it must give the same bytes back before anything is deleted for it. */
static int pack_run(struct reframer *reframer, struct connection *connection, const struct run *run,
	int64_t dictionary, struct err *err)
{
	struct buf *frame = &reframer->frame, *again = &reframer->plain;
	buf_clear(frame);
	buf_clear(again);
	int failed = dictionary_load(connection, reframer->codec, dictionary, err) < 0 ||
		     frame_pack(reframer->codec, dictionary, buf_text(&reframer->joined), frame,
			     err) < 0 ||
		     frame_unpack(reframer->codec, dictionary, buf_text(frame), again, err) < 0;
	if (failed)
		return -1;
	return text_equal(buf_text(again), buf_text(&reframer->joined))
		       ? 0
		       : broken(run->first_id, err);
}

static int replace_run(struct reframer *reframer, struct connection *connection,
	const struct run *run, int64_t dictionary, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "DELETE FROM block WHERE id BETWEEN ?1 AND ?2", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, run->first_id);
	sql_bind_i64(statement, 2, run->last_id);
	if (sql_run(statement, err) < 0)
		return -1;
	const struct block_row row = {
		.id = run->first_id,
		.n = run->n_leaves,
		.last_leaf = run->last_leaf,
		.received_ns = run->received_ns,
		.size = reframer->joined.size,
		.dictionary = dictionary,
		.frame = buf_text(&reframer->frame),
	};
	return block_insert(connection, &row, err);
}

static int keep_place(struct connection *connection, const struct framing *framing, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "UPDATE stream SET framed_to = ?2 WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, framing->stream);
	sql_bind_i64(statement, 2, (int64_t)framing->framed_to);
	return sql_run(statement, err);
}

/* Nothing is written before everything was read and packed: what is broken can still be left. */
static int join_run(struct reframer *reframer, struct connection *connection, const struct run *run,
	int64_t dictionary, struct err *err)
{
	if (read_run(reframer, connection, run, err) < 0 ||
		pack_run(reframer, connection, run, dictionary, err) < 0) {
		if (err->kind != ERR_CORRUPT)
			return -1;
		log_warning("store", "blocks %lld to %lld stay apart: %s", (long long)run->first_id,
			(long long)run->last_id, err->text);
		return 0;
	}
	return replace_run(reframer, connection, run, dictionary, err);
}

int reframer_slice(struct reframer *reframer, struct connection *connection,
	const struct dictionaries *dictionaries, struct err *err)
{
	struct run run;
	if (!reframer_due(reframer))
		return 0;
	struct framing *framing = &reframer->framings[find_due(reframer)];
	uint64_t framed_to = framing->framed_to;
	int found = find_run(connection, framing, &run, err);
	if (found < 0)
		return -1;
	if (found) {
		int64_t dictionary = dictionaries->newest[framing->source];
		if (join_run(reframer, connection, &run, dictionary, err) < 0)
			return -1;
		pass(framing, &run);
	}
	return framing->framed_to == framed_to ? 0 : keep_place(connection, framing, err);
}
