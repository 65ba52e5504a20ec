/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A query for the terminal, with carets under what is wrong. */

#include "base/buf.h"
#include "base/err.h"

/** Two lines. @err has the place; control and double-width characters do not shift it. */
void query_mark(struct text query, const struct err *err, struct buf *out);
