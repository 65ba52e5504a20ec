/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "console/sign_in.h"

enum { ANSWER_BYTES = 1024 * 1024, LIST_MAX = 1000 };

static void write_scope(struct emitter *out, const struct scope *scope)
{
	emit_key(out, "namespaces");
	emit_array(out);
	for (size_t i = 0; i < scope->patterns.n; i++)
		emit_text(out, scope->patterns.items[i]);
	emit_array_end(out);
}

void me_show(struct http_request *request, struct console *console)
{
	const struct viewer *viewer = api_viewer(request);
	struct emitter emitter;
	struct buf body;
	(void)console;
	buf_init(&body, ANSWER_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	emit_member_text(&emitter, "name", viewer->name);
	emit_member_string(&emitter, "role", role_name(viewer->role));
	write_scope(&emitter, &viewer->scope);
	emit_member_string(&emitter, "how", sign_in_way_name(viewer->way));
	if (viewer->session)
		emit_member_u64(&emitter, "session", viewer->session);
	emit_member_text(&emitter, "csrf", viewer->csrf);
	if (viewer->signed_in_at_ns)
		emit_member_time(&emitter, "signed_in", viewer->signed_in_at_ns);
	if (viewer->expires_at_ns)
		emit_member_time(&emitter, "expires", viewer->expires_at_ns);
	emit_object_end(&emitter);
	api_respond(request, 200, "application/json", &body);
}

/* The same token's, or the same person's. */
static bool is_own(const struct viewer *viewer, const struct session *session)
{
	if (viewer->token || session->token)
		return viewer->token == session->token;
	return text_equal(viewer->subject, session->subject);
}

static bool may_see(const struct viewer *viewer, const struct session *session)
{
	return viewer->role == ROLE_ADMIN || is_own(viewer, session);
}

static void write_session(
	struct emitter *out, const struct session *session, const struct viewer *viewer)
{
	emit_object(out);
	emit_member_u64(out, "id", session->id);
	emit_member_text(out, "name", session->name);
	emit_member_string(out, "role", role_name(session->role));
	write_scope(out, &session->scope);
	if (session->token)
		emit_member_u64(out, "token", session->token);
	emit_member_string(out, "how", sign_in_way_name(session->way));
	emit_member_text(out, "address", session->address);
	emit_member_time(out, "signed_in", session->created_at_ns);
	emit_member_time(out, "last_used", session->used_at_ns);
	emit_member_time(out, "expires", session->expires_at_ns);
	emit_member_bool(out, "current", session->id == viewer->session);
	emit_object_end(out);
}

/* Where a page begins and how long it is. */
struct page {
	uint64_t after, limit;
};

static bool read_page(struct http_request *request, struct page *page)
{
	struct text after = http_query(request, "after"), limit = http_query(request, "limit");
	*page = (struct page){UINT64_MAX, 100};
	if (after.size && !text_to_u64(after, &page->after))
		return false;
	return !limit.size ||
	       (text_to_u64(limit, &page->limit) && page->limit > 0 && page->limit <= LIST_MAX);
}

/* Newest first. */
static void write_sessions(struct console *console, const struct credential_set *set,
	const struct viewer *viewer, const struct page *page, struct emitter *out)
{
	int64_t now_ns = clock_wall_ns(console->options.clock);
	int64_t idle_ns = sign_in_idle_ns(console);
	uint64_t n = 0, last = 0;
	bool more = false;
	emit_key(out, "items");
	emit_array(out);
	for (size_t i = set->n_sessions; i-- > 0 && !more;) {
		const struct session *session = &set->sessions[i];
		if (session->id >= page->after || !may_see(viewer, session) ||
			!session_of_id(set, session->id, now_ns, idle_ns))
			continue;
		more = n++ == page->limit;
		if (more)
			break;
		write_session(out, session, viewer);
		last = session->id;
	}
	emit_array_end(out);
	if (more) {
		emit_key(out, "next");
		emit_big(out, last);
	}
}

void sessions_write(struct console *console, const struct viewer *viewer, struct buf *out)
{
	struct emitter emitter;
	const struct page first = {UINT64_MAX, 100};
	struct credential_set *set =
		(struct credential_set *)(void *)snapshot_ref(console->options.credentials);
	emit_init(&emitter, out);
	emit_object(&emitter);
	if (set)
		write_sessions(console, set, viewer, &first, &emitter);
	emit_object_end(&emitter);
	snapshot_unref(set ? &set->snapshot : NULL);
}

void sessions_show(struct http_request *request, struct console *console)
{
	struct emitter emitter;
	struct buf body;
	struct page page;
	if (!read_page(request, &page)) {
		http_respond_problem(request, 400, "Bad request",
			TEXT("limit is 1 to 1000; after is what 'next' of the last page said"));
		return;
	}
	struct credential_set *set =
		(struct credential_set *)(void *)snapshot_ref(console->options.credentials);
	buf_init(&body, ANSWER_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	if (set)
		write_sessions(console, set, api_viewer(request), &page, &emitter);
	emit_object_end(&emitter);
	snapshot_unref(set ? &set->snapshot : NULL);
	api_respond(request, 200, "application/json", &body);
}

/* A decision on its way to the writer and back: the batch's owner. */
struct session_job {
	struct http_request *request;
	char link[SECRET_TEXT_BYTES]; /* shown once, when it is on disk */
};

static void answer_made(struct batch *batch, const struct session_job *job)
{
	struct emitter emitter;
	struct buf body;
	char path[SECRET_TEXT_BYTES + 32];
	text_format(path, sizeof path, "/sign-in?link=%s", job->link);
	buf_init(&body, ANSWER_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	emit_member_string(&emitter, "path", path);
	emit_member_time(&emitter, "expires", batch->decisions->sign_in.link.expires_at_ns);
	emit_object_end(&emitter);
	explicit_bzero(path, sizeof path);
	api_respond(job->request, 201, "application/json", &body);
}

static void answer_ended(struct batch *batch, const struct session_job *job)
{
	struct emitter emitter;
	struct buf body;
	buf_init(&body, ANSWER_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	emit_member_u64(&emitter, "id", batch->decisions->sign_in.session.id);
	emit_object_end(&emitter);
	api_respond(job->request, 200, "application/json", &body);
}

static void end_job(struct batch *batch)
{
	explicit_bzero(batch->owner, sizeof(struct session_job));
	free(batch->owner);
	batch_free(batch);
}

/* On the writer's thread, after COMMIT or when it could not be carried out. */
static void came_back(struct batch *batch)
{
	const struct session_job *job = batch->owner;
	const char *refusal = batch->decisions->sign_in.refusal;
	if (batch->err.kind != ERR_NONE)
		api_respond_error(job->request, &batch->err);
	else if (refusal)
		http_respond_problem(job->request, 404, "Not found", text_of(refusal));
	else if (batch->decisions->kind == DECISION_LINK_CREATE)
		answer_made(batch, job);
	else
		answer_ended(batch, job);
	end_job(batch);
}

/* A batch with one decision of whoever asks; NULL without memory, which was answered. */
static struct batch *new_batch(struct http_request *request, enum decision_kind kind)
{
	struct batch *batch = batch_new();
	struct session_job *job = batch ? calloc(1, sizeof *job) : NULL;
	struct decision *decision = job ? arena_alloc(&batch->arena, sizeof *decision) : NULL;
	if (!decision) {
		free(job);
		batch_free(batch);
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return NULL;
	}
	decision->kind = kind;
	decision->actor = arena_copy(&batch->arena, api_viewer(request)->actor);
	job->request = request;
	batch->decisions = decision;
	batch->owner = job;
	batch->done = came_back;
	return batch;
}

static void give_to_writer(struct console *console, struct batch *batch)
{
	struct session_job *job = batch->owner;
	struct http_request *request = job->request;
	if (!batch->arena.failed && queue_push(console->options.writer, &batch->item))
		return;
	end_job(batch);
	http_respond_retry(request, 503, "The store is busy", TEXT_NONE, 1);
}

/* Does a session of that id run which the viewer may see? */
static bool is_there(struct console *console, const struct viewer *viewer, uint64_t id)
{
	struct credential_set *set =
		(struct credential_set *)(void *)snapshot_ref(console->options.credentials);
	const struct session *session =
		set ? session_of_id(set, id, clock_wall_ns(console->options.clock),
			      sign_in_idle_ns(console))
		    : NULL;
	bool found = session && may_see(viewer, session);
	snapshot_unref(set ? &set->snapshot : NULL);
	return found;
}

void sessions_end(struct http_request *request, struct console *console)
{
	uint64_t id;
	if (!text_to_u64(http_path_part(request, 0), &id)) {
		http_respond_problem(
			request, 400, "Bad request", TEXT("a session's id is a number"));
		return;
	}
	if (!is_there(console, api_viewer(request), id)) {
		http_respond_problem(request, 404, "Not found",
			TEXT("no session of that id runs, or it is somebody else's"));
		return;
	}
	struct batch *batch = new_batch(request, DECISION_SESSION_END);
	if (!batch)
		return;
	batch->decisions->sign_in.session.id = id;
	give_to_writer(console, batch);
}

void sign_in_link_make(struct http_request *request, struct console *console)
{
	const struct viewer *viewer = api_viewer(request);
	/* Else a session could live for ever by links of its own. */
	if (viewer->session) {
		http_respond_problem(request, 403, "Forbidden",
			TEXT("links are made with the token itself: tocsin sign-in"));
		return;
	}
	struct text body = text_trim(http_body(request));
	if (body.size && !text_is(body, "{}")) {
		http_respond_problem(request, 400, "Bad request", TEXT("this body has no members"));
		return;
	}
	struct batch *batch = new_batch(request, DECISION_LINK_CREATE);
	if (!batch)
		return;
	struct session_job *job = batch->owner;
	struct sign_in_link *link = &batch->decisions->sign_in.link;
	secret_make(job->link, &link->digest);
	link->token = viewer->token;
	link->expires_at_ns = clock_wall_ns(console->options.clock) + LINK_LIFE_S * NS_PER_S;
	give_to_writer(console, batch);
}
