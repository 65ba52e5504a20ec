/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A JSON document as a tree, for small documents that are looked into: the command line's. */

#include "base/arena.h"
#include "base/pull.h"

enum { TREE_DEPTH_MAX = 64 };

struct node {
	enum pull_event type; /* PULL_OBJECT, PULL_ARRAY, PULL_STRING, PULL_NUMBER, PULL_TRUE … */
	struct text key;      /* in an object */
	struct text value;    /* of strings and numbers */
	struct node *first;   /* children, in order */
	struct node *next;    /* sibling */
};

/** The whole document in @arena; white space may follow it. ERR_INPUT, ERR_LIMIT, ERR_MEMORY. */
CHECKED int tree_read(struct text source, struct arena *arena, struct node **out, struct err *err);

/** The member @key of an object; NULL if it is not there or @node is none. */
const struct node *tree_member(const struct node *node, const char *key);

/** The text of a string, number or word; absent otherwise. */
struct text tree_text(const struct node *node);

/** Of member @key. */
struct text tree_member_text(const struct node *node, const char *key);
