/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pages for people over HTTP: the same documents as the API's, as HTML. A reader makes them; what
 * of the request they need (who asks, cookies) is noted on the loop's thread.
 */

#include "console/api.h"

/** Routes of pages; the last has a NULL path. Owned by the console. NULL without memory. */
struct http_route *pages_routes_new(struct console *console, struct binding **bindings);

/** Its admit answers a GET of a path that nothing has. */
struct http_route pages_missing_route(struct console *console);

/** Is it a page's? */
bool pages_has(const struct endpoint *endpoint);

/** A reader has the page, or failed with @err: answers either way. Takes @body. */
void pages_respond(struct job *job, bool failed, struct buf *body, const struct err *err);
