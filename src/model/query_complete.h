/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What could stand at a place of a query that is being written. It may be wrong elsewhere. */

#include "base/buf.h"
#include "model/query.h"

enum query_wanted {
	QUERY_WANTS_NOTHING, /* inside a value that is looked for as it stands */
	QUERY_WANTS_FIELD,
	QUERY_WANTS_VALUE,
};

struct query_spot {
	enum query_wanted wanted;
	struct text prefix; /* what of it is there: of a value, without quotes */
	size_t place, size; /* in bytes: what a completion replaces */
	const struct query_field
		*field;         /* whose value it is; of a whole name too: an operator may follow */
	enum query_operator op; /* of a value */
};

/** @at: bytes before the cursor; more than there are is the end. Texts point into @source. */
void query_spot_find(struct text source, size_t at, enum query_of of, struct query_spot *out);

/** Appends a value as it has to be written: in quotes and with escapes where it needs them. */
void query_value_write(struct text value, struct buf *out);
