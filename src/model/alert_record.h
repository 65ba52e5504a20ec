/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The normalised alert as bytes, kept in the block beside its raw: what was decided when it was
 *accepted.
 *
 *	version (1 byte, 1) · fields: tag (1 byte) · varint length · bytes
 *
 * Unknown tags are skipped, absent fields left out. Not in it, because row and leaf have them: leaf
 * number, occurrence id, receive time, raw, source. Tags are stored: they never change their
 *meaning.
 */

#include "base/buf.h"
#include "base/err.h"
#include "model/alert.h"

void alert_record_write(struct buf *out, const struct alert *alert);

/** Fills a zeroed *alert; texts point into @record, lists live in @arena. ERR_CORRUPT, ERR_MEMORY.
 */
CHECKED int alert_record_read(
	struct text record, struct arena *arena, struct alert *alert, struct err *err);
