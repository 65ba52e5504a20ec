/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who asks: found once for each request, at its header. A bearer token beats a cookie, which beats
 * a client certificate. Loop thread only.
 */

#include "console/api.h"

/** Who asks, in the request's arena; NULL: nobody who is known. A session counts as used. */
struct viewer *viewer_find(struct console *console, struct http_request *request);

/** What is known of a request, for api_viewer and api_page. false: no memory. */
CHECKED bool viewer_note(
	struct http_request *request, const struct viewer *viewer, struct page_request *page);

/* Why not. */
struct viewer_refusal {
	unsigned status; /* 401, 403, 404 */
	const char *title;
	struct text detail;
};

/** May @viewer (NULL: nobody who is known) ask for it? Whether it means it: viewer_means_it. */
bool viewer_may(const struct viewer *viewer, const struct endpoint *endpoint, struct arena *arena,
	struct viewer_refusal *refusal);

/** 303 to the sign-in page, which leads back to what was asked for. */
void viewer_send_to_sign_in(struct http_request *request);

/**
 * Browsers send cookies and certificates along with whatever any page makes them ask for. So what
 * changes something must say the session's CSRF token (@field of a form, else X-CSRF-Token) and
 * come from a page of ours; false: it does not, and was answered with 403. Bearer tokens are sent
 * by nobody unasked: true.
 */
bool viewer_means_it(struct console *console, struct http_request *request,
	const struct viewer *viewer, struct text field);

/** Does a request come from a page of ours? See access/origin.h. */
bool request_is_ours(struct console *console, struct http_request *request, bool form);

enum { SESSION_USES = 64, SESSION_USE_MS = 60000 };

/* Uses that the writer was told of lately: it need not hear of each. */
struct session_uses {
	struct {
		uint64_t session;
		int64_t told_at_ms;
	} items[SESSION_USES];
	size_t next;
};
