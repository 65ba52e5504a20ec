/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger_verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "evidence/leaf.h"
#include "store/audit.h"
#include "store/block.h"
#include "store/frames.h"
#include "store/ledger.h"

enum { SCRATCH_BYTES = 65536, ORIGINS_MAX = 65536 };

/* A run: the tile that was read last, and the origin. */
struct verifying {
	struct connection *connection;
	struct ledger_report *report;
	ledger_progress *progress;
	void *ctx;
	int64_t tile;
	size_t n_hashes;
	struct digest hashes[TILE_HASHES];
	struct buf scratch;
	int64_t origin;
	char cluster[256];
	struct leaf leaf; /* source, cluster and credential of the origin */
};

/* Hashes of a tile; *n 0 when it is not there. */
static int read_tile(struct connection *connection, unsigned level, int64_t number,
	struct digest hashes[TILE_HASHES], size_t *n, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT hashes FROM tile WHERE id = ?1", err);
	*n = 0;
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, tile_id(level, number));
	int found = sql_step(statement, err);
	if (found > 0) {
		struct text stored = sql_blob(statement, 0);
		*n = stored.size / DIGEST_BYTES < TILE_HASHES ? stored.size / DIGEST_BYTES
							      : TILE_HASHES;
		memcpy(hashes, stored.data, *n * DIGEST_BYTES);
	}
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

static int read_origin(struct verifying *run, int64_t origin, struct err *err)
{
	if (run->origin == origin)
		return 0;
	sqlite3_stmt *statement = connection_statement(run->connection,
		"SELECT source, cluster, credential FROM origin WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, origin);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found < 0 ? -1
				 : err_set(err, ERR_CORRUPT, "origin %lld is not there",
					   (long long)origin);
	size_t size = text_format(
		run->cluster, sizeof run->cluster, "%.*s", TEXT_ARG(sql_text(statement, 1)));
	run->leaf.source = text_of(source_info((enum source)sql_i64(statement, 0))->name);
	run->leaf.cluster = (struct text){run->cluster, size};
	run->leaf.credential_id = (uint64_t)sql_i64(statement, 2);
	run->origin = origin;
	sqlite3_reset(statement);
	return 0;
}

static void count_broken(struct ledger_report *report, uint64_t leaf)
{
	if (report->n_broken++ == 0 || leaf < report->first_broken_leaf)
		report->first_broken_leaf = leaf;
}

static int verify_entry(struct verifying *run, const struct block_entry *entry, struct err *err)
{
	struct digest hash;
	int64_t tile = (int64_t)(entry->leaf / TILE_HASHES);
	if (tile != run->tile &&
		read_tile(run->connection, 0, tile, run->hashes, &run->n_hashes, err) < 0)
		return -1;
	run->tile = tile;
	if (read_origin(run, entry->origin, err) < 0)
		return -1;
	run->leaf.kind = (enum leaf_kind)entry->kind;
	run->leaf.received_ns = entry->received_ns;
	run->leaf.size = entry->size;
	run->leaf.raw = entry->flags & BLOCK_HOLE ? entry->digest : digest_of(entry->raw);
	run->leaf.commitment = entry->commitment;
	if (!leaf_hash(&run->leaf, &run->scratch, &hash))
		return err_set(err, ERR_MEMORY, "out of memory verifying");
	size_t at = entry->leaf % TILE_HASHES;
	if (at < run->n_hashes && memcmp(&run->hashes[at], &hash, sizeof hash) == 0)
		run->report->n_verified++;
	else
		count_broken(run->report, entry->leaf);
	return 0;
}

static int verify_block(struct verifying *run, sqlite3_stmt *statement, struct err *err)
{
	struct text content;
	struct block_entry entry;
	struct frame_row row = {
		.id = sql_i64(statement, 0),
		.last_leaf = (uint64_t)sql_i64(statement, 1),
		.size = (size_t)sql_i64(statement, 2),
		.dictionary = sql_i64(statement, 3),
		.frame = sql_blob(statement, 4),
	};
	uint64_t first_leaf = block_first_leaf(row.id);
	if (frames_load(run->connection, &row, &content, err) < 0) {
		if (err->kind != ERR_CORRUPT)
			return -1;
		count_broken(run->report, first_leaf);
		return 0;
	}
	while (content.size) {
		if (!block_entry_read(&content, first_leaf, &entry)) {
			count_broken(run->report, first_leaf);
			return 0;
		}
		if (verify_entry(run, &entry, err) < 0)
			return -1;
	}
	if (run->progress)
		run->progress(run->ctx, run->report->n_verified + run->report->n_broken,
			run->report->n_leaves);
	return 0;
}

static int verify_blocks(struct verifying *run, struct err *err)
{
	int step;
	sqlite3_stmt *statement = connection_statement(run->connection,
		"SELECT id, last_leaf, size, dictionary, frame FROM block ORDER BY id", err);
	if (!statement)
		return -1;
	while ((step = sql_step(statement, err)) > 0)
		if (verify_block(run, statement, err) < 0) {
			sqlite3_reset(statement);
			return -1;
		}
	return step;
}

/* A tile that is not there: only leaf hashes may have been reduced to their root. */
static void count_missing(struct ledger_report *report, unsigned level)
{
	if (level == 0)
		report->n_reduced += TILE_HASHES;
	else
		report->n_broken_tiles++;
}

/* Each hash above level 0 is the root of a full tile below, if that was not reduced to it. */
static int verify_tile(struct verifying *run, int64_t id, struct text hashes, struct err *err)
{
	unsigned level = (unsigned)(id >> 48);
	int64_t number = id - tile_id(level, 0);
	run->report->n_tiles++;
	for (size_t i = 0; level > 0 && i < hashes.size / DIGEST_BYTES; i++) {
		size_t n;
		int64_t below = number * TILE_HASHES + (int64_t)i;
		if (read_tile(run->connection, level - 1, below, run->hashes, &n, err) < 0)
			return -1;
		if (n == 0) {
			count_missing(run->report, level - 1);
			continue;
		}
		struct digest root = merkle_root(run->hashes, n);
		if (n != TILE_HASHES ||
			memcmp(root.bytes, hashes.data + i * DIGEST_BYTES, DIGEST_BYTES) != 0)
			run->report->n_broken_tiles++;
	}
	return 0;
}

static int verify_tiles(struct verifying *run, struct err *err)
{
	int step;
	sqlite3_stmt *statement = connection_statement(
		run->connection, "SELECT id, hashes FROM tile ORDER BY id", err);
	if (!statement)
		return -1;
	while ((step = sql_step(statement, err)) > 0)
		if (verify_tile(run, sql_i64(statement, 0), sql_blob(statement, 1), err) < 0) {
			sqlite3_reset(statement);
			return -1;
		}
	return step;
}

static int read_head(struct connection *connection, struct ledger_report *report, struct err *err)
{
	AUTO(free) struct ledger *ledger = calloc(1, sizeof *ledger);
	if (!ledger)
		return err_set(err, ERR_MEMORY, "out of memory for the ledger");
	if (ledger_load(ledger, connection, err) < 0)
		return -1;
	report->n_leaves = ledger->n_leaves;
	report->root = ledger_root(ledger);
	return 0;
}

int ledger_verify(struct connection *connection, ledger_progress *progress, void *ctx,
	struct ledger_report *report, struct err *err)
{
	AUTO(free) struct verifying *run = calloc(1, sizeof *run);
	*report = (struct ledger_report){0};
	if (!run)
		return err_set(err, ERR_MEMORY, "out of memory verifying");
	run->connection = connection;
	run->report = report;
	run->progress = progress;
	run->ctx = ctx;
	run->tile = -1;
	buf_init(&run->scratch, SCRATCH_BYTES);
	int failed = read_head(connection, report, err) < 0 || verify_blocks(run, err) < 0 ||
		     verify_tiles(run, err) < 0 ||
		     audit_verify(connection, &report->n_audit, &report->broken_audit_id, err) < 0;
	buf_done(&run->scratch);
	uint64_t seen = report->n_verified + report->n_broken;
	report->n_without_raw = report->n_leaves > seen ? report->n_leaves - seen : 0;
	return failed ? -1 : 0;
}
