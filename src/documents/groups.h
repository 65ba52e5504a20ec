/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A list by one of its fields: for each value how many there are, how bad, when last. Most first;
 * pages go on behind a count and how many of it were shown.
 */

#include "base/table.h"
#include "documents/query.h"

enum { GROUPS_MAX = 50000 };

/* A field that lists can be grouped by, and how it is written in a query. */
struct group_field {
	const char *name;
	unsigned what; /* the list's own */
};

struct group {
	struct text value, namespace; /* namespace: of what has one; absent: none */
	uint64_t n;
	enum severity severity;
	int64_t first_ns, last_ns;
};

struct groups {
	struct arena *arena;
	const struct group_field *field;
	bool has_namespace;  /* values are names in namespaces */
	struct table *index; /* by namespace and value */
	struct group *items;
	size_t n, capacity;
	bool is_full; /* there are more values than GROUPS_MAX */
};

/** The field that `group` names, from a table ended by a NULL name. ERR_INPUT says which there are.
 */
CHECKED int group_field_find(struct text name, const struct group_field *fields,
	const struct group_field **out, struct err *err);

void groups_done(struct groups *groups);

static inline void groups_done_auto(struct groups *groups)
{
	groups_done(groups);
}

/** Adds @more to the group of its value. Copies texts. false without memory. */
CHECKED bool groups_add(struct groups *groups, const struct group *more);

/** Most first. */
void groups_sort(struct groups *groups);

/* What is to be said beside the items. */
struct groups_extent {
	bool complete;
	const char *from; /* a member with what was looked at, when it is not complete */
	uint64_t number;
};

/** Sorts them, and writes the page that @query asks for. ERR_INPUT: limit or after. */
CHECKED int groups_write(struct groups *groups, const struct document_query *query,
	const struct groups_extent *extent, struct buf *out, struct err *err);
