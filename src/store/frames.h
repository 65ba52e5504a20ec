/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Unpacks block frames for one connection: its zstd context, the dictionaries it met, and the block
 * it read last. Made on first use, freed with the connection.
 */

#include "store/connection.h"

struct frames;

struct frame_row {
	int64_t id; /* of the block */
	uint64_t last_leaf;
	size_t size; /* unpacked */
	int64_t dictionary;
	struct text frame;
};

/** The block read last, if the leaf lies in it. */
bool frames_cached(struct connection *connection, int64_t stream, uint64_t leaf,
	struct text *content, uint64_t *first_leaf);

/**
 * Where the entry of a leaf begins in the block that was read last: lists read a block's entries
 * one after another, and looking for each from the front would take most of their time. false: it
 * is not there, or not known where.
 */
bool frames_entry(struct connection *connection, uint64_t leaf, size_t *offset);

/** Unpacks a frame; *content is valid until the next call. ERR_CORRUPT, ERR_MEMORY. */
CHECKED int frames_load(struct connection *connection, const struct frame_row *row,
	struct text *content, struct err *err);

/** The connection's codec with dictionary @id loaded (0: none). NULL with *err set. */
struct frame_codec *frames_codec(
	struct connection *connection, int64_t dictionary, struct err *err);

void frames_free(struct frames *frames); /* accepts NULL */
