/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Answers without an end: server-sent events and the like. Loop thread only.
 *
 * The route's own reader gives bytes when microhttpd can send some; when it has none the connection
 * sleeps (suspended) and costs nothing until http_stream_wake. A stream ends when its reader says
 * so, when the peer leaves (noticed within a second, asleep or not), when it is cut, and when the
 * server is quiesced: nobody waits for streams.
 */

#include <sys/types.h>

#include "net/http_server.h"

enum { HTTP_STREAM_END = -1 };

struct http_stream_source {
	const char *content_type;   /* a literal */
	const char *const *headers; /* as in struct http_response */

	/** Fills at most @size bytes and returns how many; 0: none now; HTTP_STREAM_END. */
	ssize_t (*read)(void *ctx, char *out, size_t size);

	/** Exactly once, however it ended; the request must not be touched afterwards. */
	void (*ended)(void *ctx);

	void *ctx;
};

/** Answers 200 with what the source gives. In place of http_respond. */
void http_respond_stream(struct http_request *request, const struct http_stream_source *source);

/** The source has bytes again. Nothing happens to a stream that is awake. */
void http_stream_wake(struct http_request *request);

/** Ends the connection at once: the peer is too slow, or may not read any more. */
void http_stream_cut(struct http_request *request);
