/* SPDX-License-Identifier: Apache-2.0 */
#include "access/oidc_roles.h"

static int read_scope(struct text words, struct arena *arena, struct scope *scope, struct err *err)
{
	struct text word;
	while (text_split(&words, ',', &word))
		if (scope_add(scope, arena, text_trim(word), err) < 0)
			return -1;
	return 0;
}

/* A group's name may have '=' itself, as "CN=ops,OU=x": the last one counts. */
static size_t last_equals(struct text entry)
{
	size_t at = entry.size;
	while (at > 0 && entry.data[at - 1] != '=')
		at--;
	return at;
}

static int read_rule(
	struct text entry, struct arena *arena, struct oidc_rule *rule, struct err *err)
{
	size_t at = last_equals(entry);
	struct text rest = text_part(entry, at, entry.size), role = TEXT_NONE;
	text_split(&rest, ':', &role);
	*rule = (struct oidc_rule){
		.group = arena_copy(arena, text_trim(text_part(entry, 0, at ? at - 1 : 0)))};
	if (!rule->group.size || !role_parse(text_trim(role), &rule->role) ||
		rule->role == ROLE_SOURCE)
		return err_set(err, ERR_INPUT,
			"'%.*s' must be GROUP=ROLE or GROUP=ROLE:NAMESPACE,... with the role "
			"viewer, "
			"analyst, responder or admin",
			(int)(entry.size < 80 ? entry.size : 80), entry.data);
	if (rest.data && read_scope(rest, arena, &rule->scope, err) < 0)
		return -1;
	if (rest.data && rule->role == ROLE_ADMIN)
		return err_set(err, ERR_INPUT, "'%.*s': an admin sees all namespaces",
			(int)(entry.size < 80 ? entry.size : 80), entry.data);
	return 0;
}

int oidc_rules_parse(struct text text, struct arena *arena, struct oidc_rules *out, struct err *err)
{
	struct text rest = text, entry;
	*out = (struct oidc_rules){arena_array(arena, OIDC_RULES_MAX, sizeof *out->items), 0};
	if (!out->items)
		return err_set(err, ERR_MEMORY, "out of memory for oidc.roles");
	while (text_split(&rest, ';', &entry)) {
		entry = text_trim(entry);
		if (!entry.size)
			continue;
		if (out->n == OIDC_RULES_MAX)
			return err_set(
				err, ERR_LIMIT, "oidc.roles: at most %d groups", OIDC_RULES_MAX);
		if (read_rule(entry, arena, &out->items[out->n++], err) < 0)
			return err_prefix(err, "oidc.roles");
	}
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for oidc.roles") : 0;
}

static const struct node *member(const struct node *node, struct text key)
{
	const struct node *child = node && node->type == PULL_OBJECT ? node->first : NULL;
	for (; child; child = child->next)
		if (text_equal(child->key, key))
			return child;
	return NULL;
}

const struct node *oidc_claim(const struct node *claims, struct text path)
{
	struct text rest = path, key;
	const struct node *found = member(claims, path);
	if (found)
		return found;
	for (found = claims; found && text_split(&rest, '.', &key);)
		found = member(found, key);
	return found == claims ? NULL : found;
}

static bool has_group(const struct node *groups, struct text group)
{
	if (text_is(group, "*"))
		return true;
	if (!groups)
		return false;
	if (groups->type == PULL_STRING)
		return text_equal(groups->value, group);
	const struct node *item = groups->type == PULL_ARRAY ? groups->first : NULL;
	for (; item; item = item->next)
		if (item->type == PULL_STRING && text_equal(item->value, group))
			return true;
	return false;
}

/* One scope with what both have; with everything it is everything. */
static bool add_scope(const struct scope *from, struct arena *arena, struct scope *to)
{
	struct err err;
	for (size_t i = 0; i < from->patterns.n; i++)
		if (scope_add(to, arena, from->patterns.items[i], &err) < 0)
			return false;
	return true;
}

bool oidc_rules_apply(const struct oidc_rules *rules, const struct node *groups,
	struct arena *arena, enum role *role, struct scope *scope)
{
	bool everything = false;
	*role = 0;
	*scope = (struct scope){{NULL, 0}};
	for (size_t i = 0; i < rules->n; i++)
		if (has_group(groups, rules->items[i].group) && rules->items[i].role > *role)
			*role = rules->items[i].role;
	for (size_t i = 0; i < rules->n; i++) {
		const struct oidc_rule *rule = &rules->items[i];
		if (rule->role != *role || !has_group(groups, rule->group))
			continue;
		everything = everything || scope_is_all(&rule->scope);
		if (!add_scope(&rule->scope, arena, scope))
			return false;
	}
	if (everything)
		*scope = (struct scope){{NULL, 0}};
	return *role != 0;
}
