/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One answer on its way to the screen: as a program wants it, or read into a tree for people. */

#include "base/tree.h"
#include "cli/session.h"

struct view {
	struct buf body;
	struct arena arena;
	struct node *tree;
	struct buf out;
};

/** Asks for a document. Ended by view_done, also after a failure. */
CHECKED int view_get(struct session *session, const char *path, struct view *view, struct err *err);

/** Posts @body and takes the answer. Likewise. */
CHECKED int view_post(struct session *session, const char *path, struct text body,
	struct view *view, struct err *err);

/** Takes a document that was made here. Likewise. */
CHECKED int view_take(struct text document, struct view *view, struct err *err);

/** Writes the forms for programs into view->out. false: a table is wanted. */
bool view_write(const struct session *session, struct view *view);

/** Prints a document that was made here, in the form that was asked for; @table: for people. */
CHECKED int view_print(
	struct session *session, struct text document, struct text table, struct err *err);

/** A member's text; absent if it is not there. */
struct text cell(const struct node *node, const char *key);

void view_done(struct view *view);

static inline void view_done_auto(struct view *view)
{
	view_done(view);
}
