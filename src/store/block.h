/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is inside a block's frame: entries of one stream, by ascending leaf.
 *
 *	varint leaf - first leaf · kind (1 byte) · flags (1 byte: 1 hole, 2 commitment)
 *	varint origin · received_ns (8 bytes, big-endian) · varint raw size · varint record size
 *	[commitment, 32 bytes] · raw (or, in a hole, its SHA-256) · record (model/alert_record.h)
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "store/connection.h"

enum {
	BLOCK_HOLE = 1,
	BLOCK_COMMITMENT = 2,
	BLOCK_BYTES_MAX = 256 * 1024 * 1024,
	STREAM_SHIFT = 44
};

struct block_entry {
	uint64_t leaf;
	unsigned kind; /* enum leaf_kind */
	unsigned flags;
	int64_t origin;
	int64_t received_ns;
	uint64_t size;            /* of the raw, also when it is a hole */
	struct digest commitment; /* zeros without BLOCK_COMMITMENT */
	struct digest digest;     /* of the raw: only of a hole */
	struct text raw;          /* absent in a hole */
	struct text record;
};

void block_entry_write(struct buf *out, uint64_t first_leaf, const struct block_entry *entry);

/** The entry at the front of *rest, which moves behind it. false when the bytes are broken. */
bool block_entry_read(struct text *rest, uint64_t first_leaf, struct block_entry *entry);

/* One row. */
struct block_row {
	int64_t id;
	uint64_t n, last_leaf;
	int64_t received_ns; /* of the first leaf */
	size_t size;         /* unpacked */
	int64_t dictionary;  /* 0: none */
	struct text frame;
};

CHECKED int block_insert(
	struct connection *connection, const struct block_row *row, struct err *err);

static inline int64_t block_id(int64_t stream, uint64_t first_leaf)
{
	return stream << STREAM_SHIFT | (int64_t)first_leaf;
}

static inline uint64_t block_first_leaf(int64_t id)
{
	return (uint64_t)id & ((UINT64_C(1) << STREAM_SHIFT) - 1);
}

/**
 * The entry of a leaf, from the block that holds it; texts in @arena. ERR_MISSING when the raw has
 * left with its age. Keeps the last block unpacked in the connection, so neighbours cost nothing.
 */
CHECKED int block_find(struct connection *connection, int64_t stream, uint64_t leaf,
	struct arena *arena, struct block_entry *entry, struct err *err);
