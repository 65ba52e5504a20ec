/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A query that somebody named, with how its list is to look. It finds nothing that whoever uses it
 * may not see. */

#include "model/credential.h"
#include "model/query_of.h"

enum {
	SAVED_VIEW_NAME_BYTES_MAX = 120,
	SAVED_VIEW_COLUMNS_MAX = 16,
	SAVED_VIEW_COLUMN_BYTES_MAX = 32,
	SAVED_VIEWS_OF_ONE_MAX = 200,
	SAVED_VIEWS_MAX = 5000
};

/* Text lives in the arena it was read into. */
struct saved_view {
	uint64_t id; /* 0: not stored yet */
	struct text name;
	enum query_of of;
	struct text query;   /* absent: everything */
	struct text sort;    /* absent: the list's own */
	struct text columns; /* names, separated by commas; absent: the list's own */
	struct text owner;   /* the actor who made it */
	bool shared;         /* everybody sees it */
	int64_t created_ns;
};

/** May the list be sorted so? The absent text is its own order. */
bool saved_view_sort_is_known(enum query_of of, struct text sort);
