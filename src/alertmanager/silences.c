/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "alertmanager/filter.h"
#include "base/cleanup.h"
#include "base/emit.h"
#include "base/tree.h"
#include "model/suppression_query.h"
#include "store/suppressions.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, PAGE = 500 };

static void write_matchers(struct emitter *out, const struct matcher_list *matchers)
{
	emit_key(out, "matchers");
	emit_array(out);
	for (size_t i = 0; i < matchers->n; i++) {
		const struct matcher *matcher = &matchers->items[i];
		emit_object(out);
		emit_member_text(out, "name", matcher->name);
		emit_key(out, "value");
		emit_text(out, matcher->value);
		emit_member_bool(out, "isRegex", matcher->pattern != NULL);
		emit_member_bool(out, "isEqual", !matcher->negated);
		emit_object_end(out);
	}
	emit_array_end(out);
}

static void write_wish(struct emitter *out, const struct suppression *item)
{
	write_matchers(out, &item->matchers);
	emit_member_time(out, "startsAt", item->starts_ns);
	emit_member_time(out, "endsAt", item->ends_ns);
	emit_member_text(out, "createdBy", item->author.size ? item->author : item->created_by);
	emit_member_text(out, "comment", item->reason);
}

static void write_silence(struct emitter *out, const struct suppression *item, int64_t now_ns)
{
	emit_object(out);
	emit_member_text(out, "id", item->id);
	emit_key(out, "status");
	emit_object(out);
	emit_member_string(
		out, "state", suppression_state_name(suppression_state_at(item, now_ns)));
	emit_object_end(out);
	emit_member_time(out, "updatedAt", item->expired_ns ? item->expired_ns : item->created_ns);
	write_wish(out, item);
	emit_object_end(out);
}

/* As there: the silence has a matcher of the same name, kind and value. */
static bool has_matcher(const struct suppression *item, const struct matcher *wanted)
{
	for (size_t i = 0; i < item->matchers.n; i++) {
		const struct matcher *matcher = &item->matchers.items[i];
		if (text_equal(matcher->name, wanted->name) &&
			text_equal(matcher->value, wanted->value) &&
			matcher->negated == wanted->negated &&
			!matcher->pattern == !wanted->pattern)
			return true;
	}
	return false;
}

static bool is_wanted(
	const struct suppression *item, const struct matcher_list *filters, int64_t now_ns)
{
	const int64_t kept_ns = (int64_t)ALERTMANAGER_EXPIRED_DAYS * 86400 * NS_PER_S;
	if (now_ns - item->ends_ns > kept_ns)
		return false;
	for (size_t i = 0; i < filters->n; i++)
		if (!has_matcher(item, &filters->items[i]))
			return false;
	return true;
}

int alertmanager_silences(struct connection *connection, const struct alertmanager_query *query,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct matcher_list filters;
	arena_init(&arena, ARENA_BYTES);
	struct suppression_page page = {.limit = PAGE, .arena = &arena};
	if (filters_read(query, &arena, &filters, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_array(&emitter);
	do {
		page.before = page.next_before;
		if (suppressions_list(connection, &page, err) < 0)
			return -1;
		for (size_t i = 0; i < page.list.n; i++) {
			struct suppression *item = &page.list.items[i];
			if (!suppression_is_inside(item, query->scope))
				continue;
			/* What matchers cannot say is no silence. */
			if (suppression_as_matchers(item, &arena, &item->matchers, err) < 0 &&
				err->kind == ERR_MEMORY)
				return -1;
			if (item->matchers.n && is_wanted(item, &filters, query->now_ns))
				write_silence(&emitter, item, query->now_ns);
		}
	} while (page.next_before);
	emit_array_end(&emitter);
	return 0;
}

int alertmanager_silence(struct connection *connection, struct text id,
	const struct alertmanager_query *query, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct suppression suppression;
	arena_init(&arena, ARENA_BYTES);
	if (suppression_find_inside(connection, id, query->scope, &arena, &suppression, err) < 0)
		return -1;
	if (suppression_as_matchers(&suppression, &arena, &suppression.matchers, err) < 0) {
		err->kind = err->kind == ERR_MEMORY ? ERR_MEMORY : ERR_MISSING;
		return -1;
	}
	emit_init(&emitter, out);
	write_silence(&emitter, &suppression, query->now_ns);
	return 0;
}

void alertmanager_silence_export(const struct suppression *suppression, struct buf *out)
{
	struct emitter emitter;
	emit_init(&emitter, out);
	emit_array(&emitter);
	emit_object(&emitter);
	write_wish(&emitter, suppression);
	emit_object_end(&emitter);
	emit_array_end(&emitter);
}

static bool is_true(const struct node *node, const char *key, bool otherwise)
{
	const struct node *member = tree_member(node, key);
	return member ? member->type == PULL_TRUE : otherwise;
}

static int take_matcher(const struct node *node, struct arena *arena, struct matcher_list *matchers,
	struct err *err)
{
	const struct node *value = tree_member(node, "value");
	if (matchers->n == MATCHERS_MAX)
		return err_set(err, ERR_INPUT, "at most %d matchers", MATCHERS_MAX);
	if (node->type != PULL_OBJECT || !value || value->type != PULL_STRING)
		return err_set(err, ERR_INPUT, "a matcher needs name, value and isRegex");
	struct matcher *matcher = &matchers->items[matchers->n++];
	*matcher = (struct matcher){.name = tree_member_text(node, "name"),
		.value = value->value,
		.negated = !is_true(node, "isEqual", true)};
	return matcher_make(matcher, is_true(node, "isRegex", false), arena, err);
}

static int take_matchers(
	const struct node *root, struct arena *arena, struct suppression *out, struct err *err)
{
	const struct node *list = tree_member(root, "matchers");
	if (!list || list->type != PULL_ARRAY || !list->first)
		return err_set(err, ERR_INPUT, "at least one matcher is needed");
	out->matchers.items = arena_array(arena, MATCHERS_MAX, sizeof *out->matchers.items);
	if (!out->matchers.items)
		return err_set(err, ERR_MEMORY, "out of memory for a silence");
	for (const struct node *node = list->first; node; node = node->next)
		if (take_matcher(node, arena, &out->matchers, err) < 0)
			return -1;
	return suppression_matchers_check(&out->matchers, err);
}

int alertmanager_silence_read(
	struct text body, struct arena *arena, struct suppression *out, struct err *err)
{
	struct node *root;
	*out = (struct suppression){0};
	if (tree_read(body, arena, &root, err) < 0)
		return -1;
	if (!root || root->type != PULL_OBJECT)
		return err_set(err, ERR_INPUT, "the body must be a JSON object: a silence");
	if (take_matchers(root, arena, out, err) < 0)
		return -1;
	if (!clock_parse(tree_member_text(root, "startsAt"), &out->starts_ns) ||
		!clock_parse(tree_member_text(root, "endsAt"), &out->ends_ns))
		return err_set(err, ERR_INPUT,
			"startsAt and endsAt must be RFC 3339, as 2026-11-24T03:00:00Z");
	out->id = tree_member_text(root, "id");
	out->reason = text_trim(tree_member_text(root, "comment"));
	out->author = text_trim(tree_member_text(root, "createdBy"));
	if (!out->reason.size || out->reason.size > SUPPRESSION_REASON_BYTES_MAX)
		return err_set(err, ERR_INPUT, "comment must say why, in 1 to %d bytes",
			SUPPRESSION_REASON_BYTES_MAX);
	if (out->author.size > SUPPRESSION_AUTHOR_BYTES_MAX)
		return err_set(err, ERR_INPUT, "createdBy has at most %d bytes",
			SUPPRESSION_AUTHOR_BYTES_MAX);
	return 0;
}
