/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The words of a query as values. ERR_INPUT says what is allowed. */

#include "documents/documents.h"
#include "model/query.h"
#include "model/severity.h"

CHECKED int query_page(
	const struct document_query *query, size_t *limit, uint64_t *after, struct err *err);
CHECKED int query_severity(const struct document_query *query, enum severity *out, struct err *err);
/**
 * Parses q in @arena: NULL when there is none. ERR_INPUT and ERR_LIMIT have the place in it.
 */
CHECKED int query_filter(const struct document_query *query, enum query_of of, struct arena *arena,
	const struct query **out, struct err *err);
/** 0 when absent. */
CHECKED int query_time(struct text word, int64_t *out, struct err *err);
