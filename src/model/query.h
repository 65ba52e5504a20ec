/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The query language (docs/query.md): text → tree. The tree is what lists, events and suppressions
 * evaluate (model/query_eval.h) and what the store compiles to SQL (store/query_sql.h).
 *
 * A tree has only terms that say what must be so; "not" is a node of its own. It does not change,
 * points nowhere outside its arena, and needs no clock: ages are points in time since parsing.
 */

#include "base/arena.h"
#include "base/err.h"
#include "model/match.h"
#include "model/query_fields.h"

enum {
	QUERY_BYTES_MAX = 4096,
	QUERY_DEPTH_MAX = 32,  /* of parentheses and negations */
	QUERY_TERMS_MAX = 64,  /* a list in one term counts for each */
	QUERY_VALUE_MAX = 1024 /* bytes of one value */
};

enum query_test {
	QUERY_TEST_MATCH, /* a text of the field has what `match` says */
	QUERY_TEST_MASK,  /* its bit is in `mask` */
	QUERY_TEST_RANGE, /* its number is from `low` to `high`, both included */
};

struct query_term {
	const struct query_field *field;
	enum query_test test;
	struct match match;
	uint32_t mask;
	int64_t low, high;
	size_t place, size; /* in the text, in bytes */
};

enum query_node_kind { QUERY_AND, QUERY_OR, QUERY_NOT, QUERY_TERM };

struct query_node {
	enum query_node_kind kind;
	struct query_node *first; /* of AND (without any: everything), OR and NOT (one) */
	struct query_node *next;  /* its sibling */
	struct query_term term;
};

struct query {
	enum query_of of;
	struct query_node *root;
};

struct query_options {
	enum query_of of; /* one of the two */
	int64_t now_ns;   /* what ages are counted from */
	struct text me;   /* who asks, for assignee:me; absent: nobody */
};

/**
 * Parses @source. The empty text finds everything. *out and all its texts live in @arena.
 *
 * ERR_INPUT: it is wrong; ERR_LIMIT: over a limit above. Both have the place in @source (err.h).
 */
CHECKED int query_parse(struct text source, const struct query_options *options,
	struct arena *arena, const struct query **out, struct err *err);

/* The order is that of query_operator_name. */
enum query_operator {
	QUERY_HAS, /* ":" */
	QUERY_EQUAL,
	QUERY_UNEQUAL,
	QUERY_GREATER_EQUAL,
	QUERY_GREATER,
	QUERY_LESS_EQUAL,
	QUERY_LESS,
	QUERY_MATCHES,
	QUERY_MATCHES_NOT,
	N_QUERY_OPERATORS
};

const char *query_operator_name(enum query_operator op);

/** The operator that @rest begins with; false: it begins with none. */
bool query_operator_read(struct text rest, enum query_operator *out);

/** May values of that kind be compared so? */
bool query_operator_fits(enum query_operator op, enum query_kind kind);
