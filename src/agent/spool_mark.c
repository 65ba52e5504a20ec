/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "agent/disk.h"
#include "agent/spool_private.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/digest.h"

/*
 * Two slots in one file, written in turn: a write that was torn leaves the other. Without
 * fdatasync, but for the first: what is lost is sent again, and the collector passes it over.
 */

enum { SUM_BYTES = 16, SLOT_BYTES = 64, N_SLOTS = 2 };

static const struct text magic = {"TOCSMARK", 8};

static bool read_slot(struct spool *spool, unsigned slot)
{
	char room[SLOT_BYTES];
	struct text bytes = {room, sizeof room};
	if (pread(spool->mark, room, sizeof room, (off_t)slot * SLOT_BYTES) != SLOT_BYTES ||
		!text_starts(bytes, magic))
		return false;
	struct digest sum = digest_of(text_part(bytes, 0, SLOT_BYTES - SUM_BYTES));
	if (memcmp(room + SLOT_BYTES - SUM_BYTES, sum.bytes, SUM_BYTES) != 0)
		return false;
	struct cursor cursor = cursor_of(text_part(bytes, magic.size, bytes.size));
	struct text id = cursor_take(&cursor, SPOOL_ID_BYTES);
	uint64_t turn = cursor_be64(&cursor);
	if (turn < spool->mark_turn)
		return true;
	memcpy(spool->id.bytes, id.data, id.size);
	spool->mark_turn = turn;
	spool->acknowledged = cursor_be64(&cursor);
	spool->life_s = (int64_t)cursor_be64(&cursor);
	return true;
}

bool spool_mark_read(struct spool *spool)
{
	bool found = false;
	for (unsigned slot = 0; slot < N_SLOTS; slot++)
		found |= read_slot(spool, slot);
	return found;
}

void spool_mark_write(struct spool *spool)
{
	AUTO(buf_done) struct buf slot;
	struct err err;
	buf_init(&slot, SLOT_BYTES);
	buf_add(&slot, magic);
	buf_add_bytes(&slot, spool->id.bytes, SPOOL_ID_BYTES);
	buf_add_be64(&slot, ++spool->mark_turn);
	buf_add_be64(&slot, spool->acknowledged);
	buf_add_be64(&slot, (uint64_t)spool_life_s(spool));
	struct digest sum = digest_of(buf_text(&slot));
	buf_add_bytes(&slot, sum.bytes, SUM_BYTES);
	/* Without memory or room it stays as it was: see above. */
	if (buf_ok(&slot))
		ignore(disk_write(spool->mark, buf_text(&slot),
			(size_t)(spool->mark_turn % N_SLOTS) * SLOT_BYTES, &err));
}
