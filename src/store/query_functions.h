/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * SQL functions that hold stored values against a term of a query, by the evaluator's own code. The
 * term comes as a bound pointer, so nobody who can only write SQL can call them.
 *
 *	query_texts(TERM, text, …)       does any of the texts that are there match?
 *	query_hex(TERM, blob)            the blob in hex digits
 *	query_codes(TERM, blob)          is any of the big-endian 32 bit numbers in the range?
 *	query_seen(TERM, packed, else)   a tuple as alerts have it; `else` where it does not say
 *	query_place(TERM, packed)        likewise for an incident's member; 1 where it does not say
 *	query_key(TERM, key)             an incident's key; 0 where it does not say
 *	query_rules(IDS, blob)           is a rule of the piece among them?
 */

#include "store/connection.h"

#define QUERY_POINTER "tocsin query"

/* What query_rules gets: ids ascending. */
struct query_ids {
	int64_t *ids;
	size_t n;
	bool empty; /* the answer for no rule at all */
};

/** Once for each connection. */
CHECKED int query_functions_add(struct connection *connection, struct err *err);
