/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A decoder turns one product's payload into alerts. Pure: no clock, no I/O, no log; fuzzed.
 *
 * One file and one row in model/source.h per product. decode() sees one event at a time: splitting
 * a body into events (object, array, NDJSON, text lines) is decode/body.c's work and the same for
 * all.
 */

#include "base/err.h"
#include "model/batch.h"

struct decoder {
	const char *name;
	enum source source;
	const char *sensor; /* family, part of the occurrence id */

	/** Does this payload look like ours and like no other's? Cheap, no allocation. Used where
	 * no path names the source. */
	bool (*sniff)(struct text event);

	/**
	 * Fills *alert from one event (alert->raw), including occ and sensor; cluster is already
	 * set. What cannot be used fails with ERR_INPUT or ERR_LIMIT: the event then goes to
	 * quarantine.
	 */
	int (*decode)(struct arena *arena, struct alert *alert, struct err *err);

	/** The same for one line of plain text; NULL when the product has no such form. */
	int (*decode_text)(struct arena *arena, struct alert *alert, struct err *err);

	/** Is the whole body an envelope around an array of events? *inside is that array, a part
	 * of
	 * @body. NULL when the product has none. */
	bool (*unwrap)(struct text body, struct arena *arena, struct text *inside);
};

#define ROW(number, symbol, driver, ...) extern const struct decoder decoder_##driver;
SOURCES(ROW)
#undef ROW

/** All decoders, in the order of their sources' numbers, ended by NULL. */
extern const struct decoder *const decoders[];

const struct decoder *decoder_of(enum source source);
