/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a page needs to know of its request. Made on the loop's thread; lives in its arena. */

#include "console/api.h"
#include "pages/page.h"

struct page_request {
	struct page_reader reader;
	struct text path;
	struct text query;    /* "q=x&sort=risk", of the parameters we know */
	struct text part[2];  /* of the path */
	struct text search;   /* q */
	struct text matchers; /* what a suppression shall begin with */
	struct text view;     /* alerts: "single", or their kinds */
};

/** @viewer NULL: nobody has signed in. NULL without memory. */
struct page_request *page_request_new(
	struct http_request *request, const struct viewer *viewer, const struct endpoint *endpoint);

/** Sets what stands around a page. @arena and @out stay the caller's. */
void page_request_begin(const struct page_request *wish, const struct console *console,
	struct page *page, struct arena *arena, struct buf *out);

/** POST /preferences: how pages look, in cookies. Loop thread. */
void preferences_take(struct http_request *request, struct console *console);
