/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/groups.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "model/query_complete.h"

/* More than GROUPS_MAX; a count beyond the other is not told from it. */
#define TIES_MAX  UINT64_C(1000000)
#define COUNT_MAX UINT64_C(999999999999)

enum { KEY_BYTES = 64 * 1024, QUERY_BYTES = 64 * 1024, NAMES_BYTES = 160 };

int group_field_find(struct text name, const struct group_field *fields,
	const struct group_field **out, struct err *err)
{
	char names[NAMES_BYTES];
	size_t used = 0;
	for (; fields->name; fields++) {
		if (text_is(name, fields->name)) {
			*out = fields;
			return 0;
		}
		used += text_format(
			names + used, sizeof names - used, "%s%s", used ? ", " : "", fields->name);
	}
	return err_set(err, ERR_INPUT, "group must be one of %s", names);
}

void groups_done(struct groups *groups)
{
	table_free(groups->index);
	groups->index = NULL;
}

static struct group *new_group(struct groups *groups)
{
	if (groups->n == groups->capacity) {
		size_t capacity = groups->capacity ? 2 * groups->capacity : 64;
		struct group *items = arena_array(groups->arena, capacity, sizeof *items);
		if (!items)
			return NULL;
		if (groups->n)
			memcpy(items, groups->items, groups->n * sizeof *items);
		groups->items = items;
		groups->capacity = capacity;
	}
	return &groups->items[groups->n++];
}

/* Places in `items` are kept plus one: 0 is a new entry. */
static union table_value *place_of(struct groups *groups, const struct group *more)
{
	AUTO(buf_done) struct buf key;
	buf_init(&key, KEY_BYTES);
	buf_add(&key, more->namespace);
	buf_add_byte(&key, '/');
	buf_add(&key, more->value);
	if (!groups->index)
		groups->index = table_new(NULL);
	return groups->index && buf_ok(&key) ? table_put(groups->index, buf_text(&key)) : NULL;
}

bool groups_add(struct groups *groups, const struct group *more)
{
	union table_value *place = place_of(groups, more);
	if (!place)
		return false;
	if (!place->number) {
		if (groups->n == GROUPS_MAX) {
			groups->is_full = true;
			return true;
		}
		struct group *fresh = new_group(groups);
		if (!fresh)
			return false;
		*fresh = *more;
		fresh->value = arena_copy(groups->arena, more->value);
		fresh->namespace = arena_copy(groups->arena, more->namespace);
		place->number = (int64_t)groups->n;
		return !groups->arena->failed;
	}
	struct group *group = &groups->items[place->number - 1];
	group->n += more->n;
	group->severity = more->severity > group->severity ? more->severity : group->severity;
	group->first_ns = more->first_ns < group->first_ns ? more->first_ns : group->first_ns;
	group->last_ns = more->last_ns > group->last_ns ? more->last_ns : group->last_ns;
	return true;
}

/* Most first, then by name: an order that has no ties. */
static int compare(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	int by_namespace = text_compare(a->namespace, b->namespace);
	return by_namespace ? by_namespace : text_compare(a->value, b->value);
}

void groups_sort(struct groups *groups)
{
	if (groups->n)
		qsort(groups->items, groups->n, sizeof *groups->items, compare);
}

/*
 * Where a page ends: a count, and how many with that count were shown. A number, as in other lists.
 */
static void place_after(const struct groups *groups, uint64_t after, size_t *at)
{
	uint64_t n = after / TIES_MAX, n_ties = after % TIES_MAX;
	while (*at < groups->n && groups->items[*at].n > n)
		++*at;
	for (; *at < groups->n && groups->items[*at].n == n && n_ties; n_ties--)
		++*at;
}

static uint64_t place_of_end(const struct groups *groups, size_t end)
{
	uint64_t n = groups->items[end - 1].n, n_ties = 0;
	for (size_t i = end; i > 0 && groups->items[i - 1].n == n; i--)
		n_ties++;
	n = n < COUNT_MAX ? n : COUNT_MAX;
	return n * TIES_MAX + n_ties;
}

/* What finds the group's members in the list itself. */
static void write_query(struct emitter *out, const struct groups *groups, const struct group *group)
{
	AUTO(buf_done) struct buf text;
	buf_init(&text, QUERY_BYTES);
	if (group->namespace.size) {
		buf_add_string(&text, "namespace=");
		query_value_write(group->namespace, &text);
		buf_add_byte(&text, ' ');
	}
	buf_addf(&text, "%s%s", groups->field->name, group->value.size ? "=" : ":\"\"");
	if (group->value.size)
		query_value_write(group->value, &text);
	if (buf_ok(&text))
		emit_member_text(out, "q", buf_text(&text));
}

static void write_group(struct emitter *out, const struct groups *groups, const struct group *group)
{
	emit_object(out);
	emit_key(out, "value");
	emit_text(out, group->value);
	emit_member_text(out, "namespace", group->namespace);
	emit_member_u64(out, "count", group->n);
	emit_member_string(out, "severity", severity_name(group->severity));
	emit_member_time(out, "first_seen", group->first_ns);
	emit_member_time(out, "last_seen", group->last_ns);
	write_query(out, groups, group);
	emit_object_end(out);
}

static void write_page(struct emitter *out, const struct groups *groups, size_t at, size_t end,
	const struct groups_extent *extent)
{
	emit_object(out);
	emit_member_string(out, "group", groups->field->name);
	emit_key(out, "items");
	emit_array(out);
	for (size_t i = at; i < end; i++)
		write_group(out, groups, &groups->items[i]);
	emit_array_end(out);
	emit_member_bool(out, "complete", extent->complete && !groups->is_full);
	if (!extent->complete) {
		emit_key(out, extent->from);
		emit_big(out, extent->number);
	}
	if (end < groups->n) {
		emit_key(out, "next");
		emit_big(out, place_of_end(groups, end));
	}
	emit_object_end(out);
}

int groups_write(struct groups *groups, const struct document_query *query,
	const struct groups_extent *extent, struct buf *out, struct err *err)
{
	struct emitter emitter;
	size_t limit, at = 0;
	uint64_t after;
	if (query_page(query, &limit, &after, err) < 0)
		return -1;
	groups_sort(groups);
	if (query->after.size)
		place_after(groups, after, &at);
	emit_init(&emitter, out);
	write_page(&emitter, groups, at, groups->n - at > limit ? at + limit : groups->n, extent);
	return groups->arena->failed ? err_set(err, ERR_MEMORY, "out of memory for groups") : 0;
}
