/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger.h"

#include <string.h>

int64_t tile_id(unsigned level, int64_t number)
{
	return (int64_t)level << 48 | number;
}

static int load_level(
	struct ledger *ledger, struct connection *connection, unsigned level, struct err *err)
{
	struct tile *tile = &ledger->open[level];
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, hashes FROM tile WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, tile_id(level, 0));
	sql_bind_i64(statement, 2, tile_id(level + 1, 0));
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	struct text hashes = sql_blob(statement, 1);
	tile->number = sql_i64(statement, 0) - tile_id(level, 0);
	tile->n = hashes.size / DIGEST_BYTES;
	if (hashes.size % DIGEST_BYTES || tile->n > TILE_HASHES) {
		sqlite3_reset(statement);
		return err_set(err, ERR_CORRUPT, "tile %lld of level %u does not read back",
			(long long)tile->number, level);
	}
	memcpy(tile->hashes, hashes.data, hashes.size);
	sqlite3_reset(statement);
	if (tile->n == TILE_HASHES) {
		tile->number++;
		tile->n = 0;
	}
	return 0;
}

int ledger_load(struct ledger *ledger, struct connection *connection, struct err *err)
{
	memset(ledger, 0, sizeof *ledger);
	for (unsigned level = 0; level < LEDGER_LEVELS; level++)
		if (load_level(ledger, connection, level, err) < 0)
			return -1;
	ledger->n_leaves = (uint64_t)ledger->open[0].number * TILE_HASHES + ledger->open[0].n;
	return 0;
}

int ledger_count(struct connection *connection, uint64_t *n_leaves, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, length(hashes) FROM tile WHERE id < ?1 ORDER BY id DESC LIMIT 1", err);
	*n_leaves = 0;
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, tile_id(1, 0));
	int found = sql_step(statement, err);
	if (found > 0)
		*n_leaves = (uint64_t)sql_i64(statement, 0) * TILE_HASHES +
			    (uint64_t)sql_i64(statement, 1) / DIGEST_BYTES;
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

static int write_tile(
	struct connection *connection, unsigned level, const struct tile *tile, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO tile (id, hashes) VALUES (?1, ?2)"
		" ON CONFLICT (id) DO UPDATE SET hashes = excluded.hashes",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, tile_id(level, tile->number));
	sql_bind_blob(statement, 2, tile->hashes, tile->n * DIGEST_BYTES);
	return sql_run(statement, err);
}

int ledger_append(struct ledger *ledger, struct connection *connection, const struct digest *leaf,
	struct err *err)
{
	struct digest hash = *leaf;
	for (unsigned level = 0; level < LEDGER_LEVELS; level++) {
		struct tile *tile = &ledger->open[level];
		tile->hashes[tile->n++] = hash;
		tile->dirty = true;
		if (tile->n < TILE_HASHES)
			break;
		if (write_tile(connection, level, tile, err) < 0)
			return -1;
		hash = merkle_root(tile->hashes, TILE_HASHES);
		tile->number++;
		tile->n = 0;
		tile->dirty = false;
	}
	ledger->n_leaves++;
	return 0;
}

int ledger_flush(struct ledger *ledger, struct connection *connection, struct err *err)
{
	for (unsigned level = 0; level < LEDGER_LEVELS; level++) {
		struct tile *tile = &ledger->open[level];
		if (!tile->dirty)
			continue;
		if (write_tile(connection, level, tile, err) < 0)
			return -1;
		tile->dirty = false;
	}
	return 0;
}

/* What is in the open tiles below is one smaller subtree at the end of the level above. */
struct digest ledger_root(const struct ledger *ledger)
{
	struct digest items[TILE_HASHES + 1];
	struct digest carry;
	bool has_carry = false;
	for (unsigned level = 0; level < LEDGER_LEVELS; level++) {
		const struct tile *tile = &ledger->open[level];
		size_t n = tile->n;
		memcpy(items, tile->hashes, n * sizeof *items);
		if (has_carry)
			items[n++] = carry;
		if (n == 0)
			continue;
		carry = merkle_root(items, n);
		has_carry = true;
	}
	return has_carry ? carry : merkle_root(NULL, 0);
}
