/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view.h"

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/yaml_view.h"

enum { ANSWER_BYTES = 256 * 1024 * 1024 };

static void view_init(struct view *view)
{
	buf_init(&view->body, ANSWER_BYTES);
	buf_init(&view->out, ANSWER_BYTES);
	arena_init(&view->arena, SIZE_MAX);
	view->tree = NULL;
}

void view_done(struct view *view)
{
	buf_done(&view->body);
	buf_done(&view->out);
	arena_done(&view->arena);
}

int view_get(struct session *session, const char *path, struct view *view, struct err *err)
{
	view_init(view);
	if (session_get(session, path, &view->body, err) < 0)
		return -1;
	return tree_read(buf_text(&view->body), &view->arena, &view->tree, err);
}

int view_post(struct session *session, const char *path, struct text body, struct view *view,
	struct err *err)
{
	view_init(view);
	if (session_call(session, "POST", path, body, &view->body, err) < 0)
		return -1;
	return tree_read(buf_text(&view->body), &view->arena, &view->tree, err);
}

int view_take(struct text document, struct view *view, struct err *err)
{
	view_init(view);
	buf_add(&view->body, document);
	return tree_read(buf_text(&view->body), &view->arena, &view->tree, err);
}

bool view_write(const struct session *session, struct view *view)
{
	const struct node *items = tree_member(view->tree, "items");
	switch (session->form) {
	case OUTPUT_TABLE:
		return false;
	case OUTPUT_JSON:
		buf_add(&view->out, buf_text(&view->body));
		buf_add_byte(&view->out, '\n');
		break;
	case OUTPUT_JSONL:
		for (const struct node *item = items ? items->first : view->tree; item;
			item = items ? item->next : NULL) {
			json_view_write(item, &view->out);
			buf_add_byte(&view->out, '\n');
		}
		break;
	case OUTPUT_YAML:
		yaml_view_write(view->tree, &view->out);
		break;
	}
	return true;
}

int view_print(struct session *session, struct text document, struct text table, struct err *err)
{
	AUTO(view_done) struct view view = {0};
	if (session->form == OUTPUT_TABLE)
		return print_text(table, err);
	if (view_take(document, &view, err) < 0)
		return -1;
	view_write(session, &view);
	return print_text(buf_text(&view.out), err);
}

struct text cell(const struct node *node, const char *key)
{
	return tree_member_text(node, key);
}
