/* SPDX-License-Identifier: Apache-2.0 */
#include "console/view_wish.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/tree.h"
#include "base/utf8.h"
#include "model/query.h"

enum { BODY_BYTES_MAX = 64 * 1024, SHOWN_BYTES = 40, COLUMNS_BYTES = 1024 };

struct reading_wish {
	struct arena *arena;
	const struct node *root;
	struct saved_view *out;
	struct err *err;
};

static int check_members(const struct node *root, struct err *err)
{
	static const char *const names[] = {"name", "of", "query", "sort", "columns", "shared"};
	for (const struct node *child = root->first; child; child = child->next) {
		size_t i = 0;
		while (i < 6 && !text_is(child->key, names[i]))
			i++;
		if (i == 6)
			return err_set(err, ERR_INPUT,
				"unknown member '%.*s': name, of, query, sort, columns, shared",
				(int)(child->key.size < SHOWN_BYTES ? child->key.size
								    : SHOWN_BYTES),
				child->key.data);
	}
	return 0;
}

static int member_text(const struct reading_wish *wish, const char *name, struct text *out)
{
	const struct node *member = tree_member(wish->root, name);
	*out = TEXT_NONE;
	if (member && member->type != PULL_STRING)
		return err_set(wish->err, ERR_INPUT, "'%s' must be a string", name);
	if (member)
		*out = member->value;
	return 0;
}

static bool is_name(struct text name)
{
	if (!name.size || name.size > SAVED_VIEW_NAME_BYTES_MAX || !utf8_valid(name))
		return false;
	for (size_t i = 0; i < name.size; i++)
		if ((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7f)
			return false;
	return true;
}

static int take_name(const struct reading_wish *wish)
{
	struct text name, of;
	if (member_text(wish, "name", &name) < 0 || member_text(wish, "of", &of) < 0)
		return -1;
	wish->out->name = text_trim(name);
	if (!is_name(wish->out->name))
		return err_set(wish->err, ERR_INPUT, "name must be 1 to %d bytes of text",
			SAVED_VIEW_NAME_BYTES_MAX);
	if (!query_of_parse(of, &wish->out->of))
		return err_set(
			wish->err, ERR_INPUT, "of must be incidents, alerts or fingerprints");
	return 0;
}

/* "me" is whoever uses the view: any name will do to see whether it parses. */
static int take_query(const struct reading_wish *wish)
{
	const struct query *parsed;
	const struct query_options options = {.of = wish->out->of, .me = TEXT("me")};
	if (member_text(wish, "query", &wish->out->query) < 0 ||
		member_text(wish, "sort", &wish->out->sort) < 0 ||
		query_parse(wish->out->query, &options, wish->arena, &parsed, wish->err) < 0)
		return -1;
	if (!saved_view_sort_is_known(wish->out->of, wish->out->sort))
		return err_set(wish->err, ERR_INPUT,
			"sort must be number or risk of incidents, newest or count of "
			"fingerprints");
	return 0;
}

static bool is_column(const struct node *node)
{
	struct text name = node->value;
	if (node->type != PULL_STRING || !name.size || name.size > SAVED_VIEW_COLUMN_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.size; i++)
		if (name.data[i] != '_' && (name.data[i] < 'a' || name.data[i] > 'z'))
			return false;
	return true;
}

static int take_columns(const struct reading_wish *wish)
{
	AUTO(buf_done) struct buf columns;
	const struct node *list = tree_member(wish->root, "columns");
	size_t n = 0;
	buf_init(&columns, COLUMNS_BYTES);
	bool good = !list || list->type == PULL_ARRAY;
	for (const struct node *node = list && good ? list->first : NULL; node && good;
		node = node->next) {
		good = is_column(node) && n++ < SAVED_VIEW_COLUMNS_MAX;
		if (good)
			buf_addf(&columns, "%s%.*s", n > 1 ? "," : "", TEXT_ARG(node->value));
	}
	wish->out->columns = arena_copy(wish->arena, buf_text(&columns));
	return good ? 0
		    : err_set(wish->err, ERR_INPUT,
			      "columns must be an array of at most %d names of lower-case letters",
			      SAVED_VIEW_COLUMNS_MAX);
}

static int take_shared(const struct reading_wish *wish)
{
	const struct node *shared = tree_member(wish->root, "shared");
	if (shared && shared->type != PULL_TRUE && shared->type != PULL_FALSE)
		return err_set(wish->err, ERR_INPUT, "shared must be true or false");
	wish->out->shared = shared && shared->type == PULL_TRUE;
	return 0;
}

bool view_wish_read(
	struct text body, struct arena *arena, struct saved_view *out, struct wish_refusal *refusal)
{
	struct node *root = NULL;
	struct reading_wish wish = {.arena = arena, .out = out, .err = &refusal->err};
	*out = (struct saved_view){0};
	if (body.size > BODY_BYTES_MAX) {
		err_set(wish.err, ERR_LIMIT, "the body has at most %d bytes", BODY_BYTES_MAX);
		return wish_refuse(refusal, 413);
	}
	if (tree_read(body, arena, &root, wish.err) < 0)
		return wish_refuse(refusal, 400);
	wish.root = root;
	if (!root || root->type != PULL_OBJECT) {
		err_set(wish.err, ERR_INPUT, "the body must be a JSON object");
		return wish_refuse(refusal, 400);
	}
	if (check_members(root, wish.err) == 0 && take_name(&wish) == 0 && take_query(&wish) == 0 &&
		take_columns(&wish) == 0 && take_shared(&wish) == 0)
		return true;
	return wish_refuse(refusal, 400);
}
