/* SPDX-License-Identifier: Apache-2.0 */
#include "console/viewers.h"

#include "access/form.h"
#include "access/origin.h"
#include "base/cleanup.h"
#include "console/sign_in.h"
#include "net/http_client.h"

enum { LOCATION_BYTES = 8192 };

/* The owner of each request of ours that is known to somebody. */
struct asking {
	const struct viewer *viewer;
	struct page_request *page;
};

bool viewer_note(
	struct http_request *request, const struct viewer *viewer, struct page_request *page)
{
	struct asking *asking = arena_alloc(http_arena(request), sizeof *asking);
	if (!asking)
		return false;
	*asking = (struct asking){viewer, page};
	http_set_owner(request, asking);
	return true;
}

const struct viewer *api_viewer(const struct http_request *request)
{
	const struct asking *asking = http_owner(request);
	return asking ? asking->viewer : NULL;
}

struct page_request *api_page(const struct http_request *request)
{
	const struct asking *asking = http_owner(request);
	return asking ? asking->page : NULL;
}

static bool refuse(
	struct viewer_refusal *refusal, unsigned status, const char *title, struct text detail)
{
	*refusal = (struct viewer_refusal){status, title, detail};
	return false;
}

bool viewer_may(const struct viewer *viewer, const struct endpoint *endpoint, struct arena *arena,
	struct viewer_refusal *refusal)
{
	if (!endpoint->role)
		return true;
	if (!viewer)
		return refuse(refusal, 401, "Unauthorized",
			TEXT("a token is needed (Authorization: Bearer), a client certificate, or "
			     "a session: sign in at /sign-in"));
	if (!role_includes(viewer->role, endpoint->role))
		return refuse(refusal, 403, "Forbidden",
			arena_format(arena, "this needs the role %s, yours is %s",
				role_name(endpoint->role), role_name(viewer->role)));
	if (endpoint->reach == REACH_ALL && !viewer_sees_all(viewer))
		return refuse(refusal, 403, "Forbidden",
			TEXT("this is about everything, and you see some namespaces only: it needs "
			     "a token or a sign-in that is bound to none"));
	return true;
}

void viewer_send_to_sign_in(struct http_request *request)
{
	static const char *const nowhere[] = {"Location", "/sign-in", NULL};
	AUTO(buf_done) struct buf target;
	AUTO(buf_done) struct buf location;
	struct http_response response = {.status = 303, .headers = nowhere};
	const char **headers = arena_array(http_arena(request), 3, sizeof *headers);
	buf_init(&target, LOCATION_BYTES);
	buf_init(&location, LOCATION_BYTES);
	buf_add(&target, http_path(request));
	http_query_write(request, &target);
	buf_add_string(&location, "/sign-in?next=");
	http_encode(&location, buf_text(&target));
	const char *value = arena_string(http_arena(request), buf_text(&location));
	if (headers && value && buf_ok(&target) && buf_ok(&location)) {
		headers[0] = "Location";
		headers[1] = value;
		response.headers = headers;
	}
	http_respond(request, &response);
}

static struct text bearer(struct http_request *request)
{
	struct text header = http_header(request, "Authorization");
	if (!text_equal_nocase(text_part(header, 0, 7), TEXT("Bearer ")))
		return TEXT_NONE;
	return text_trim(text_part(header, 7, header.size));
}

static void fill_from_credential(const struct credential *credential, enum sign_in_way way,
	struct arena *arena, struct viewer *viewer)
{
	*viewer = (struct viewer){
		.way = way,
		.token = credential->id,
		.name = arena_copy(arena, credential->name),
		.actor = arena_format(arena, "token:%.*s", TEXT_ARG(credential->name)),
		.role = credential->role,
		.scope = scope_copy(&credential->scope, arena),
		.expires_at_ns = credential->expires_at_ns,
	};
}

static void fill_from_session(const struct session *session, struct text cookie,
	struct arena *arena, struct viewer *viewer)
{
	char csrf[SECRET_TEXT_BYTES];
	csrf_of(cookie, csrf);
	*viewer = (struct viewer){
		.way = session->way,
		.token = session->token,
		.session = session->id,
		.name = arena_copy(arena, session->name),
		.subject = arena_copy(arena, session->subject),
		.actor = arena_format(arena, "%s:%.*s", session->token ? "token" : "oidc",
			TEXT_ARG(session->name)),
		.role = session->role,
		.scope = scope_copy(&session->scope, arena),
		.csrf = arena_copy(arena, text_of(csrf)),
		.signed_in_at_ns = session->created_at_ns,
		.expires_at_ns = session->expires_at_ns,
	};
}

/* Of whoever asks in @set. false: nobody. */
static bool fill(struct console *console, struct http_request *request,
	const struct credential_set *set, struct viewer *viewer)
{
	int64_t now_ns = clock_wall_ns(console->options.clock);
	struct arena *arena = http_arena(request);
	struct text token = bearer(request);
	struct text cookie = cookie_value(http_header(request, "Cookie"), TEXT(SESSION_COOKIE));
	const struct credential *credential = NULL;
	const struct session *session = NULL;
	if (token.size)
		credential = credential_find(set, token, now_ns);
	else if (cookie.size)
		session = session_find(set, cookie, now_ns, sign_in_idle_ns(console));
	if (credential && !credential_is_held(credential, http_subject(request)))
		return false;
	if (session) {
		fill_from_session(session, cookie, arena, viewer);
		sign_in_note_use(console, session, now_ns);
		return true;
	}
	if (credential) {
		fill_from_credential(credential, SIGN_IN_BEARER, arena, viewer);
		return true;
	}
	if (token.size)
		return false;
	credential = credential_find_subject(set, http_subject(request), now_ns);
	if (credential)
		fill_from_credential(credential, SIGN_IN_CERTIFICATE, arena, viewer);
	return credential != NULL;
}

struct viewer *viewer_find(struct console *console, struct http_request *request)
{
	struct arena *arena = http_arena(request);
	struct viewer *viewer = arena_alloc(arena, sizeof *viewer);
	struct credential_set *set =
		(struct credential_set *)(void *)snapshot_ref(console->options.credentials);
	bool found = set && viewer && fill(console, request, set, viewer);
	snapshot_unref(set ? &set->snapshot : NULL);
	/* A scope that was not copied would hide nothing. */
	return found && !arena->failed ? viewer : NULL;
}

bool request_is_ours(struct console *console, struct http_request *request, bool form)
{
	const struct sign_in_options *options = &console->options.sign_in;
	struct origin origin = {
		.fetch_site = http_header(request, "Sec-Fetch-Site"),
		.origin = http_header(request, "Origin"),
		.host = http_header(request, "Host"),
		.url = text_of(options->url),
		.tls = options->tls,
	};
	return origin_is_ours(&origin, form);
}

static bool says_origin(struct http_request *request)
{
	return http_header(request, "Sec-Fetch-Site").size || http_header(request, "Origin").size;
}

bool viewer_means_it(struct console *console, struct http_request *request,
	const struct viewer *viewer, struct text field)
{
	if (viewer->way == SIGN_IN_BEARER)
		return true;
	/* Programs with a certificate say nothing of origins; browsers do. */
	if (viewer->way == SIGN_IN_CERTIFICATE && !says_origin(request))
		return true;
	if (!request_is_ours(console, request, field.size > 0)) {
		http_respond_problem(request, 403, "Not from here",
			TEXT("this must come from a page of Tocsin itself: Origin or "
			     "Sec-Fetch-Site says it does not (behind a proxy set console.url); "
			     "programs use Authorization: Bearer"));
		return false;
	}
	struct text shown = field.size ? field : http_header(request, "X-CSRF-Token");
	if (viewer->way == SIGN_IN_CERTIFICATE || text_equal_secret(shown, viewer->csrf))
		return true;
	http_respond_problem(request, 403, "CSRF token missing",
		TEXT("with a session cookie X-CSRF-Token must say what GET /api/v1/me calls csrf; "
		     "programs use Authorization: Bearer"));
	return false;
}
