/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which namespaces somebody sees: patterns CLUSTER/NAMESPACE, either of which may be '*'. A pattern
 * without a slash is a namespace of any cluster. No pattern at all: everything is seen.
 *
 * What has no namespace (a node, the cluster itself) is seen through CLUSTER/'*' only.
 */

#include "base/arena.h"
#include "base/err.h"

enum { SCOPE_PATTERNS_MAX = 64, SCOPE_PATTERN_BYTES_MAX = 317 };

struct scope {
	struct text_list patterns;
};

/** Is nothing hidden? @scope may be NULL: nothing is. */
bool scope_is_all(const struct scope *scope);

/** May what is in this namespace of this cluster be seen? @scope may be NULL: yes. */
bool scope_includes(const struct scope *scope, struct text cluster, struct text namespace);

/** Adds one pattern, copied into @arena. ERR_INPUT says what a pattern is; ERR_LIMIT: too many. */
CHECKED int scope_add(
	struct scope *scope, struct arena *arena, struct text pattern, struct err *err);

/** As it is stored: patterns separated by commas. Absent for everything, or without memory. */
struct text scope_format(const struct scope *scope, struct arena *arena);
/** What scope_format wrote. What does not read back is no way to see more: it fails. */
CHECKED int scope_parse(
	struct scope *scope, struct arena *arena, struct text stored, struct err *err);

/** A copy that lives in @arena; check arena->failed. */
struct scope scope_copy(const struct scope *scope, struct arena *arena);
