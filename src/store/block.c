/* SPDX-License-Identifier: Apache-2.0 */
#include "store/block.h"

#include <string.h>

#include "base/cursor.h"
#include "store/frames.h"

void block_entry_write(struct buf *out, uint64_t first_leaf, const struct block_entry *entry)
{
	buf_add_varint(out, entry->leaf - first_leaf);
	buf_add_byte(out, (unsigned char)entry->kind);
	buf_add_byte(out, (unsigned char)entry->flags);
	buf_add_varint(out, (uint64_t)entry->origin);
	buf_add_be64(out, (uint64_t)entry->received_ns);
	buf_add_varint(out, entry->size);
	buf_add_varint(out, entry->record.size);
	if (entry->flags & BLOCK_COMMITMENT)
		buf_add_bytes(out, entry->commitment.bytes, DIGEST_BYTES);
	if (entry->flags & BLOCK_HOLE)
		buf_add_bytes(out, entry->digest.bytes, DIGEST_BYTES);
	else
		buf_add(out, entry->raw);
	buf_add(out, entry->record);
}

static void take_digest(struct cursor *cursor, struct digest *digest)
{
	struct text bytes = cursor_take(cursor, DIGEST_BYTES);
	if (bytes.size == DIGEST_BYTES)
		memcpy(digest->bytes, bytes.data, DIGEST_BYTES);
}

bool block_entry_read(struct text *rest, uint64_t first_leaf, struct block_entry *entry)
{
	struct cursor cursor = cursor_of(*rest);
	*entry = (struct block_entry){.leaf = first_leaf + cursor_varint(&cursor)};
	entry->kind = cursor_u8(&cursor);
	entry->flags = cursor_u8(&cursor);
	entry->origin = (int64_t)cursor_varint(&cursor);
	entry->received_ns = (int64_t)cursor_be64(&cursor);
	entry->size = cursor_varint(&cursor);
	uint64_t record_size = cursor_varint(&cursor);
	if (entry->flags & BLOCK_COMMITMENT)
		take_digest(&cursor, &entry->commitment);
	if (entry->flags & BLOCK_HOLE)
		take_digest(&cursor, &entry->digest);
	else
		entry->raw = cursor_take(&cursor, entry->size);
	entry->record = cursor_take(&cursor, record_size);
	*rest = (struct text){(const char *)cursor.at, cursor_left(&cursor)};
	return !cursor.failed;
}

int block_insert(struct connection *connection, const struct block_row *row, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO block (id, n, last_leaf, received_ns, size, dictionary, frame)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, row->id);
	sql_bind_i64(statement, 2, (int64_t)row->n);
	sql_bind_i64(statement, 3, (int64_t)row->last_leaf);
	sql_bind_i64(statement, 4, row->received_ns);
	sql_bind_i64(statement, 5, (int64_t)row->size);
	sql_bind_i64(statement, 6, row->dictionary);
	sql_bind_blob(statement, 7, row->frame.data, row->frame.size);
	return sql_run(statement, err);
}

static int no_raw(uint64_t leaf, struct err *err)
{
	return err_set(err, ERR_MISSING, "the raw bytes of alert %llu are not kept any more",
		(unsigned long long)leaf);
}

/* Loads the block that would hold the leaf into the connection's reader. */
static int load_block(struct connection *connection, int64_t stream, uint64_t leaf,
	struct text *content, uint64_t *first_leaf, struct err *err)
{
	if (frames_cached(connection, stream, leaf, content, first_leaf))
		return 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, last_leaf, size, dictionary, frame FROM block"
		" WHERE id <= ?1 AND id >= ?2 ORDER BY id DESC LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, block_id(stream, leaf));
	sql_bind_i64(statement, 2, block_id(stream, 0));
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found || (uint64_t)sql_i64(statement, 1) < leaf) {
		sqlite3_reset(statement);
		return no_raw(leaf, err);
	}
	struct frame_row row = {
		.id = sql_i64(statement, 0),
		.last_leaf = (uint64_t)sql_i64(statement, 1),
		.size = (size_t)sql_i64(statement, 2),
		.dictionary = sql_i64(statement, 3),
		.frame = sql_blob(statement, 4),
	};
	*first_leaf = block_first_leaf(row.id);
	int failed = frames_load(connection, &row, content, err);
	sqlite3_reset(statement);
	return failed;
}

int block_find(struct connection *connection, int64_t stream, uint64_t leaf, struct arena *arena,
	struct block_entry *entry, struct err *err)
{
	struct text content;
	uint64_t first_leaf;
	size_t offset;
	if (load_block(connection, stream, leaf, &content, &first_leaf, err) < 0)
		return -1;
	if (frames_entry(connection, leaf, &offset))
		content = text_part(content, offset, content.size);
	while (content.size) {
		if (!block_entry_read(&content, first_leaf, entry))
			return err_set(err, ERR_CORRUPT,
				"the block of alert %llu does not read back",
				(unsigned long long)leaf);
		if (entry->leaf != leaf)
			continue;
		entry->raw = arena_copy(arena, entry->raw);
		entry->record = arena_copy(arena, entry->record);
		return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading an alert")
				     : 0;
	}
	return no_raw(leaf, err);
}
