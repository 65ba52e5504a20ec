/* SPDX-License-Identifier: Apache-2.0 */
#include "console/suppression_wish.h"

#include "model/suppression_query.h"

enum { SHOWN_BYTES_MAX = 40, BODY_BYTES_MAX = 64 * 1024 };

/* What is read, and where faults are said. */
struct reading_wish {
	struct arena *arena;
	struct suppression *out;
	int64_t now_ns;
	struct err *err;
};

static int shown(struct text text)
{
	return (int)(text.size < SHOWN_BYTES_MAX ? text.size : SHOWN_BYTES_MAX);
}

/* Each of the members is one of @names (ended by NULL), and there once. */
static int check_members(const struct node *node, const char *const *names, struct err *err)
{
	for (const struct node *child = node->first; child; child = child->next) {
		size_t i = 0;
		while (names[i] && !text_is(child->key, names[i]))
			i++;
		if (!names[i])
			return err_set(err, ERR_INPUT, "unknown member '%.*s'", shown(child->key),
				child->key.data);
		for (const struct node *other = child->next; other; other = other->next)
			if (text_equal(child->key, other->key))
				return err_set(err, ERR_INPUT, "'%.*s' is there twice",
					shown(child->key), child->key.data);
	}
	return 0;
}

static int member_text(const struct node *node, const char *name, struct text *out, struct err *err)
{
	const struct node *member = tree_member(node, name);
	if (member && member->type != PULL_STRING)
		return err_set(err, ERR_INPUT, "'%s' must be a string", name);
	*out = member ? member->value : TEXT_NONE;
	return 0;
}

static int take_matcher(
	const struct reading_wish *wish, const struct node *node, struct matcher_list *matchers)
{
	static const char *const names[] = {"name", "op", "value", NULL};
	struct text op = TEXT_NONE;
	if (node->type == PULL_STRING)
		return matchers_read(node->value, wish->arena, matchers, wish->err);
	if (node->type != PULL_OBJECT)
		return err_set(wish->err, ERR_INPUT,
			"a matcher is a string, as namespace=\"dev\", or {name, op, value}");
	if (matchers->n == MATCHERS_MAX)
		return err_set(wish->err, ERR_INPUT, "at most %d matchers", MATCHERS_MAX);
	struct matcher *matcher = &matchers->items[matchers->n++];
	*matcher = (struct matcher){0};
	if (check_members(node, names, wish->err) < 0 ||
		member_text(node, "name", &matcher->name, wish->err) < 0 ||
		member_text(node, "op", &op, wish->err) < 0 ||
		member_text(node, "value", &matcher->value, wish->err) < 0)
		return -1;
	matcher->negated = text_starts(op, TEXT("!"));
	bool is_pattern = text_is(op, "=~") || text_is(op, "!~");
	if (!is_pattern && !text_is(op, "=") && !text_is(op, "!="))
		return err_set(wish->err, ERR_INPUT, "op must be =, !=, =~ or !~");
	return matcher_make(matcher, is_pattern, wish->arena, wish->err);
}

static int take_matchers(const struct reading_wish *wish, const struct node *root)
{
	const struct node *list = tree_member(root, "matchers");
	struct matcher_list *matchers = &wish->out->matchers;
	if (wish->out->query && (!list || (list->type == PULL_ARRAY && !list->first)))
		return 0;
	if (!list || list->type != PULL_ARRAY || !list->first)
		return err_set(wish->err, ERR_INPUT,
			"matchers must be an array that says what is hidden, as"
			" [\"namespace=\\\"dev\\\"\"], or query must say it");
	matchers->items = arena_array(wish->arena, MATCHERS_MAX, sizeof *matchers->items);
	if (!matchers->items)
		return err_set(wish->err, ERR_MEMORY, "out of memory for matchers");
	for (const struct node *node = list->first; node; node = node->next)
		if (take_matcher(wish, node, matchers) < 0)
			return -1;
	/* Beside a query they need not say anything by themselves: it does. */
	return wish->out->query ? suppression_matchers_known(matchers, wish->err)
				: suppression_matchers_check(matchers, wish->err);
}

static int take_query(const struct reading_wish *wish, const struct node *root)
{
	struct text query;
	if (member_text(root, "query", &query, wish->err) < 0)
		return -1;
	return query.size ? suppression_query_take(query, wish->arena, wish->out, wish->err) : 0;
}

/* What is hidden: by a query, by matchers, or by both. */
static int take_conditions(const struct reading_wish *wish, const struct node *root)
{
	return take_query(wish, root) < 0 ? -1 : take_matchers(wish, root);
}

static int take_time(
	const struct reading_wish *wish, const char *name, struct text word, int64_t *out)
{
	if (!word.data || clock_parse(word, out))
		return 0;
	return err_set(wish->err, ERR_INPUT, "%s must be RFC 3339, as 2026-11-24T03:00:00Z", name);
}

static int take_times(const struct reading_wish *wish, const struct node *root)
{
	struct text starts, ends, span;
	int64_t for_ns = 0;
	struct suppression *out = wish->out;
	if (member_text(root, "starts", &starts, wish->err) < 0 ||
		member_text(root, "ends", &ends, wish->err) < 0 ||
		member_text(root, "for", &span, wish->err) < 0 ||
		take_time(wish, "starts", starts, &out->starts_ns) < 0 ||
		take_time(wish, "ends", ends, &out->ends_ns) < 0)
		return -1;
	if (!ends.data == !span.data)
		return err_set(wish->err, ERR_INPUT, "how long? either ends, or for: 30m, 2h, 7d");
	if (ends.data)
		return 0;
	if (!duration_parse(span, &for_ns) || for_ns == 0)
		return err_set(
			wish->err, ERR_INPUT, "for must be a number with s, m, h or d, as 2h");
	out->ends_ns = (out->starts_ns ? out->starts_ns : wish->now_ns) + for_ns;
	return 0;
}

static int take_reason(const struct reading_wish *wish, const struct node *root)
{
	struct text reason;
	if (member_text(root, "reason", &reason, wish->err) < 0)
		return -1;
	reason = text_trim(reason);
	if (!reason.size || reason.size > SUPPRESSION_REASON_BYTES_MAX)
		return err_set(wish->err, ERR_INPUT, "reason must say why, in 1 to %d bytes",
			SUPPRESSION_REASON_BYTES_MAX);
	wish->out->reason = reason;
	return 0;
}

/* A preview takes what the suppression would take, and looks at the matchers alone. */
static int check_rest(const struct reading_wish *wish, const struct node *root)
{
	static const char *const names[] = {"reason", "starts", "ends", "for"};
	struct text unused;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (member_text(root, names[i], &unused, wish->err) < 0)
			return -1;
	return 0;
}

bool suppression_wish_read(struct text body, bool for_preview, int64_t now_ns, struct arena *arena,
	struct suppression *out, struct wish_refusal *refusal)
{
	static const char *const names[] = {
		"matchers", "query", "reason", "starts", "ends", "for", NULL};
	struct node *root;
	struct reading_wish wish = {arena, out, now_ns, &refusal->err};
	*out = (struct suppression){0};
	if (body.size > BODY_BYTES_MAX) {
		err_set(wish.err, ERR_LIMIT, "the body has at most %d bytes", BODY_BYTES_MAX);
		return wish_refuse(refusal, 413);
	}
	if (tree_read(body, arena, &root, wish.err) < 0)
		return wish_refuse(refusal, 400);
	if (!root || root->type != PULL_OBJECT) {
		err_set(wish.err, ERR_INPUT, "the body must be a JSON object");
		return wish_refuse(refusal, 400);
	}
	if (check_members(root, names, wish.err) < 0)
		return wish_refuse(refusal, 400);
	if (take_conditions(&wish, root) < 0)
		return wish_refuse(refusal, 422);
	if (for_preview && check_rest(&wish, root) < 0)
		return wish_refuse(refusal, 422);
	if (!for_preview && (take_reason(&wish, root) < 0 || take_times(&wish, root) < 0))
		return wish_refuse(refusal, 422);
	return true;
}
