/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A small synchronous HTTP client (libcurl, easy interface) for the command line and tests.
 *
 * One request at a time on one kept-alive connection. Redirects are not followed, proxies of the
 * environment are not used: a token goes to the named server or nowhere.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

struct http_client;

struct http_client_options {
	const char *base_url;      /* "http://127.0.0.1:8789", without a slash at the end */
	const char *unix_socket;   /* path; the base URL then only names the host; NULL: TCP */
	const char *token;         /* sent as Authorization: Bearer; NULL: none */
	const char *ca_file;       /* PEM; NULL: the system's */
	const char *certificate;   /* PEM file of the client; NULL: none */
	const char *key;           /* its key */
	int64_t timeout_ms;        /* of a whole request; 0: 30 000 */
	size_t max_response_bytes; /* 0: 64 MiB; more fails with ERR_LIMIT */
};

struct http_call {
	const char *method;         /* "GET", "POST", … */
	const char *path;           /* "/api/v1/status?limit=1", already encoded */
	struct text body;           /* borrowed; absent: no body */
	const char *content_type;   /* of the body; NULL: application/json */
	const char *const *headers; /* "Name: value", …, NULL; or NULL */
};

struct http_answer {
	unsigned status;
	struct buf body;
	char content_type[80]; /* without parameters; "" when there was none */
	unsigned retry_after_s;
};

/** Fails for memory, or (ERR_INPUT) a base URL that is neither http nor https. */
CHECKED int http_client_new(
	struct http_client **out, const struct http_client_options *options, struct err *err);
void http_client_free(struct http_client *client); /* accepts NULL */

/**
 * Sends one request and waits for the whole answer, of any status.
 *
 * ERR_BUSY: nobody listens there; ERR_IO: the connection or TLS failed, or time ran out;
 * ERR_LIMIT: the answer is too large. On success the caller ends *answer by http_answer_done.
 */
CHECKED int http_client_call(struct http_client *client, const struct http_call *call,
	struct http_answer *answer, struct err *err);
void http_answer_done(struct http_answer *answer);

/* Where an answer without an end goes. */
struct http_receiver {
	bool (*receive)(void *ctx, struct text bytes); /* false: enough, the call ends */
	void *ctx;
	int stop_fd;       /* the call ends once it is readable; -1: none */
	unsigned silent_s; /* without a byte for so long the server is gone (ERR_IO) */
};

/**
 * As http_client_call, but the bytes of a 200 go to @receiver as they come (answer->body stays
 * empty), for as long as the server sends some. 0 also when the receiver or its stop_fd ended it.
 */
CHECKED int http_client_stream(struct http_client *client, const struct http_call *call,
	const struct http_receiver *receiver, struct http_answer *answer, struct err *err);

/** Appends @text so that it can stand in a path part or a query value. */
void http_encode(struct buf *out, struct text text);

static inline void http_answer_done_auto(struct http_answer *answer)
{
	http_answer_done(answer);
}
