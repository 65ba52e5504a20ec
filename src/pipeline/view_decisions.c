/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/view_decisions.h"

#include "base/cleanup.h"
#include "base/emit.h"
#include "store/audit.h"
#include "store/views.h"

enum { DETAIL_BYTES = 64 * 1024 };

static int refuse(struct view_decision *wish, unsigned status, const char *why)
{
	wish->result.status = status;
	wish->result.refusal = text_of(why);
	return 0;
}

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory for a view");
}

static int write_audit(struct decision_run *run, const struct decision *decision,
	const struct saved_view *view, struct arena *arena, struct err *err)
{
	AUTO(buf_done) struct buf detail;
	struct emitter emitter;
	buf_init(&detail, DETAIL_BYTES);
	emit_init(&emitter, &detail);
	emit_object(&emitter);
	emit_member_text(&emitter, "name", view->name);
	emit_member_string(&emitter, "of", query_of_name(view->of));
	emit_member_text(&emitter, "query", view->query);
	emit_member_text(&emitter, "owner", view->owner);
	emit_member_bool(&emitter, "shared", view->shared);
	emit_object_end(&emitter);
	struct audit_entry entry = {
		.time_ns = run->now_ns,
		.actor = decision->actor,
		.action = decision->kind == DECISION_VIEW_SAVE ? TEXT("view.save")
							       : TEXT("view.remove"),
		.target = arena_format(arena, "view %llu", (unsigned long long)view->id),
		.detail = buf_text(&detail),
	};
	if (!buf_ok(&detail) || arena->failed)
		return no_memory(err);
	return audit_append(run->connection, &entry, err);
}

static int save(struct decision_run *run, const struct decision *decision,
	struct view_decision *wish, struct saved_view *view, struct err *err)
{
	uint64_t n_own, n_all;
	view->owner = decision->actor;
	view->created_ns = run->now_ns;
	if (view->shared && !role_includes(decision->role, ROLE_ANALYST))
		return refuse(wish, 403, "to share a view needs the role analyst");
	if (views_count(run->connection, view, &n_own, &n_all, err) < 0)
		return -1;
	if (n_own >= SAVED_VIEWS_OF_ONE_MAX || n_all >= SAVED_VIEWS_MAX)
		return refuse(wish, 422, "there are too many views: remove some first");
	return view_put(run->connection, view, err);
}

/* Those of others are theirs, but for administrators; what is not shared is not even there. */
static int take_away(struct decision_run *run, const struct decision *decision,
	struct view_decision *wish, struct saved_view *view, struct arena *arena, struct err *err)
{
	uint64_t id = view->id;
	if (view_find(run->connection, id, arena, view, err) < 0)
		return err->kind == ERR_MISSING ? refuse(wish, 404, "there is no such view") : -1;
	bool own = text_equal(view->owner, decision->actor);
	if (!own && !role_includes(decision->role, ROLE_ADMIN))
		return view->shared
			       ? refuse(wish, 403, "it is somebody else's: an administrator may")
			       : refuse(wish, 404, "there is no such view");
	return view_remove(run->connection, id, err);
}

int view_decide(
	struct decision_run *run, struct decision *decision, struct arena *arena, struct err *err)
{
	struct view_decision *wish = &decision->view;
	/* The wish stays as it is: where the commit fails it is tried again. */
	struct saved_view view = wish->wish;
	wish->result = (struct decision_result){0};
	int failed = decision->kind == DECISION_VIEW_SAVE
			     ? save(run, decision, wish, &view, err)
			     : take_away(run, decision, wish, &view, arena, err);
	if (failed || wish->result.status)
		return failed;
	if (write_audit(run, decision, &view, arena, err) < 0)
		return -1;
	wish->result.status = 200;
	wish->result.answer = arena_format(arena, "{\"id\":%llu}", (unsigned long long)view.id);
	return arena->failed ? no_memory(err) : 0;
}
