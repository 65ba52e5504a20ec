/* SPDX-License-Identifier: Apache-2.0 */
#include "store/views.h"
#include "base/cleanup.h"
#include "base/emit.h"
#include "documents/documents.h"

enum { ARENA_BYTES = 64 * 1024 * 1024 };

static void write_view(struct emitter *out, const struct saved_view *view)
{
	struct text columns = view->columns, name;
	emit_object(out);
	emit_member_u64(out, "id", view->id);
	emit_member_text(out, "name", view->name);
	emit_member_string(out, "of", query_of_name(view->of));
	emit_key(out, "query");
	emit_text(out, view->query);
	emit_member_text(out, "sort", view->sort);
	emit_key(out, "columns");
	emit_array(out);
	while (columns.size && text_split(&columns, ',', &name))
		emit_text(out, name);
	emit_array_end(out);
	emit_member_text(out, "owner", view->owner);
	emit_member_bool(out, "shared", view->shared);
	emit_member_time(out, "created", view->created_ns);
	emit_object_end(out);
}

int document_views(
	struct connection *connection, struct text actor, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct view_list views;
	arena_init(&arena, ARENA_BYTES);
	if (views_read(connection, actor, &arena, &views, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = 0; i < views.n; i++)
		write_view(&emitter, &views.items[i]);
	emit_array_end(&emitter);
	emit_object_end(&emitter);
	return 0;
}

int document_view(struct connection *connection, struct text id, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct saved_view view;
	uint64_t number;
	arena_init(&arena, ARENA_BYTES);
	if (!text_to_u64(id, &number) || number > INT64_MAX)
		return err_set(err, ERR_INPUT, "a view's id is a number");
	if (view_find(connection, number, &arena, &view, err) < 0)
		return -1;
	emit_init(&emitter, out);
	write_view(&emitter, &view);
	return 0;
}
