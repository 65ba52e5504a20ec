/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tree.h"

static const struct pull_limits limits = {
	.max_depth = TREE_DEPTH_MAX,
	.max_string_bytes = 16 * 1024 * 1024,
	.max_keys = 65536,
	.max_bytes = 256 * 1024 * 1024,
};

/* Levels that are open, and where each one's next child goes. */
struct growing {
	struct arena *arena;
	struct node **places[TREE_DEPTH_MAX + 1];
	unsigned depth;
	struct text key;
};

static bool add(struct growing *tree, enum pull_event type, struct text value)
{
	struct node *node = arena_alloc(tree->arena, sizeof *node);
	if (!node)
		return false;
	*node = (struct node){.type = type, .key = tree->key, .value = value};
	tree->key = TEXT_NONE;
	*tree->places[tree->depth] = node; /* NOLINT(clang-analyzer-core.NullDereference): places[0]
					      is set first, each deeper one above it */
	tree->places[tree->depth] = &node->next;
	if (type == PULL_OBJECT || type == PULL_ARRAY)
		tree->places[++tree->depth] = &node->first;
	return true;
}

/* Only white space may follow the document. */
static int check_rest(const struct pull *pull, struct err *err)
{
	struct text rest = pull_rest(pull);
	for (size_t i = 0; i < rest.size; i++)
		if (rest.data[i] != ' ' && rest.data[i] != '\t' && rest.data[i] != '\r' &&
			rest.data[i] != '\n')
			return err_set(err, ERR_INPUT, "offset %zu: something follows the document",
				pull_offset(pull) + i);
	return 0;
}

int tree_read(struct text source, struct arena *arena, struct node **out, struct err *err)
{
	struct pull pull;
	struct growing tree = {.arena = arena};
	struct node *root = NULL;
	*out = NULL;
	tree.places[0] = &root;
	pull_init(&pull, source, arena, &limits);
	for (;;) {
		enum pull_event event = pull_next(&pull);
		bool good = true;
		if (event == PULL_BAD)
			return pull_error(&pull, err);
		if (event == PULL_END) {
			if (check_rest(&pull, err) < 0)
				return -1;
			*out = root;
			return 0;
		}
		if (event == PULL_KEY)
			tree.key = pull.value;
		else if (event == PULL_OBJECT_END || event == PULL_ARRAY_END)
			tree.depth--;
		else
			good = add(&tree, event, pull.value);
		if (!good)
			return err_set(err, ERR_MEMORY, "out of memory for a document");
	}
}

const struct node *tree_member(const struct node *node, const char *key)
{
	if (!node || node->type != PULL_OBJECT)
		return NULL;
	for (const struct node *child = node->first; child; child = child->next)
		if (text_is(child->key, key))
			return child;
	return NULL;
}

struct text tree_text(const struct node *node)
{
	if (!node)
		return TEXT_NONE;
	switch (node->type) {
	case PULL_STRING:
	case PULL_NUMBER:
		return node->value;
	case PULL_TRUE:
		return TEXT("true");
	case PULL_FALSE:
		return TEXT("false");
	default:
		return TEXT_NONE;
	}
}

struct text tree_member_text(const struct node *node, const char *key)
{
	return tree_text(tree_member(node, key));
}
