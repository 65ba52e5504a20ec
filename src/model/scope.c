/* SPDX-License-Identifier: Apache-2.0 */
#include "model/scope.h"

#include <string.h>

bool scope_is_all(const struct scope *scope)
{
	return !scope || scope->patterns.n == 0;
}

static bool part_fits(struct text wanted, struct text found)
{
	return text_is(wanted, "*") || text_equal(wanted, found);
}

/* A namespace is named or it is '*' of a named or any cluster, which includes what has none. */
static bool pattern_fits(struct text pattern, struct text cluster, struct text namespace)
{
	struct text rest = pattern, head = TEXT_NONE;
	text_split(&rest, '/', &head);
	if (!rest.data)
		return text_equal(pattern, namespace) && namespace.size > 0;
	if (!part_fits(head, cluster))
		return false;
	return text_is(rest, "*") || (namespace.size > 0 && text_equal(rest, namespace));
}

bool scope_includes(const struct scope *scope, struct text cluster, struct text namespace)
{
	if (scope_is_all(scope))
		return true;
	for (size_t i = 0; i < scope->patterns.n; i++)
		if (pattern_fits(scope->patterns.items[i], cluster, namespace))
			return true;
	return false;
}

static bool is_name(struct text name)
{
	if (text_is(name, "*"))
		return true;
	for (size_t i = 0; i < name.size; i++) {
		char byte = text_lower(name.data[i]);
		if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') &&
			!memchr("._-", byte, 3))
			return false;
	}
	return name.size > 0;
}

static bool is_pattern(struct text pattern)
{
	struct text rest = pattern, head = TEXT_NONE;
	if (pattern.size > SCOPE_PATTERN_BYTES_MAX)
		return false;
	text_split(&rest, '/', &head);
	if (!rest.data)
		return is_name(pattern) && !text_is(pattern, "*");
	return is_name(head) && is_name(rest);
}

int scope_add(struct scope *scope, struct arena *arena, struct text pattern, struct err *err)
{
	struct text_list *list = &scope->patterns;
	if (!is_pattern(pattern))
		return err_set(err, ERR_INPUT,
			"'%.*s' is no namespace: give NAMESPACE or CLUSTER/NAMESPACE, where * "
			"stands for any",
			(int)(pattern.size < 60 ? pattern.size : 60),
			pattern.data ? pattern.data : "");
	if (list->n == SCOPE_PATTERNS_MAX)
		return err_set(err, ERR_LIMIT, "at most %d namespaces", SCOPE_PATTERNS_MAX);
	if (!list->items)
		list->items = arena_array(arena, SCOPE_PATTERNS_MAX, sizeof *list->items);
	if (list->items)
		list->items[list->n++] = arena_copy(arena, pattern);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for namespaces") : 0;
}

struct text scope_format(const struct scope *scope, struct arena *arena)
{
	struct text out = TEXT_NONE;
	for (size_t i = 0; i < scope->patterns.n; i++)
		out = arena_format(arena, "%.*s%s%.*s", TEXT_ARG(out), i ? "," : "",
			TEXT_ARG(scope->patterns.items[i]));
	return out;
}

int scope_parse(struct scope *scope, struct arena *arena, struct text stored, struct err *err)
{
	struct text rest = stored, part;
	*scope = (struct scope){{NULL, 0}};
	if (!stored.size)
		return 0;
	while (text_split(&rest, ',', &part))
		if (scope_add(scope, arena, part, err) < 0)
			return -1;
	return 0;
}

struct scope scope_copy(const struct scope *scope, struct arena *arena)
{
	struct scope copy = {{NULL, 0}};
	size_t n = scope->patterns.n;
	if (n == 0)
		return copy;
	copy.patterns.items = arena_array(arena, n, sizeof *copy.patterns.items);
	for (size_t i = 0; i < n && copy.patterns.items; i++)
		copy.patterns.items[copy.patterns.n++] =
			arena_copy(arena, scope->patterns.items[i]);
	return copy;
}
