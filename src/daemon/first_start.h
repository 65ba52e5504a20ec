/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The first start makes two tokens and leaves them in files that only the owner reads. */

#include "store/store.h"

/**
 * Where the database knows no token yet: makes "admin" (role admin) and "ingest" (cluster default,
 * all sources), writes DIR/admin.token and DIR/ingest.token, then commits. *made: whether it did.
 */
CHECKED int first_tokens_make(struct store *store, const char *directory, const struct clock *clock,
	bool *made, struct err *err);
