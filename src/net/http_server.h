/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * HTTP/1.1 server: libmicrohttpd, external, in one libevent loop (performance.md has the two
 * traps).
 *
 * Knows protocols and limits, no opinions: routes say what a path means. A route's admit runs on
 * the loop thread once the header is there: it authenticates, may answer at once, and sets the
 * body's limit. Its handle runs on the loop thread with the whole body. Each request gets exactly
 * one http_respond, at once or later, from any thread: until then the connection is suspended.
 * Callbacks do not block and do not touch the database.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "net/loop.h"
#include "net/tls.h"

struct http_request; /* borrowed by the handler until http_respond */
struct http_server;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

struct http_route {
	enum http_method method;
	const char
		*path; /* "/ingest/{source}/{token}": a part in braces matches one path segment */

	/**
	 * At the header. Returns the body's limit in bytes (SIZE_MAX-free; 0: no body wanted), or
	 * calls http_respond itself (then the return value is ignored). NULL: no body allowed.
	 */
	size_t (*admit)(struct http_request *request, void *ctx);

	/** With the whole body. Must lead to exactly one http_respond. */
	void (*handle)(struct http_request *request, void *ctx);

	void *ctx;

	/**
	 * The request ended after admit and without http_respond: the peer closed, the server
	 * stops, or net answered by itself (http_refused_status). NULL: not interested. Loop
	 * thread; the request must not be touched afterwards.
	 */
	void (*aborted)(struct http_request *request, void *ctx);

	bool errors_are_strings; /* one JSON string, as Alertmanager has it; no problem+json */
};

struct http_limits {
	size_t max_connections;  /* 8192 */
	size_t header_bytes;     /* pool of a connection: 16 KiB */
	int64_t header_after_ms; /* 10 000: from the connection to the end of the header */
	int64_t body_after_ms;   /* 60 000 without progress, and a least rate of 1 KiB/s */
	int64_t idle_after_ms;   /* 600 000 between requests */
	size_t body_bytes_all;   /* all bodies being received together: 256 MiB */
};

struct http_server_options {
	const char *address;              /* "127.0.0.1", "::1", "0.0.0.0" … */
	unsigned port;                    /* 0: any free one (http_server_port) */
	const char *unix_path;            /* instead of both; NULL. Its peers are loopback's */
	struct tls_server *tls;           /* NULL: plain */
	const struct http_limits *limits; /* NULL: the values above */
	const struct clock *clock;
	const struct http_route *const *routes; /* arrays ended by a route with NULL path; ended by
						   NULL; must outlive the server */
	const struct http_route *missing; /* its admit answers GETs of paths that no route has;
					     NULL: a problem+json does */
};

/** Starts listening; requests come once the loop runs. Loop thread, or before it runs. */
CHECKED int http_server_start(struct http_server **out, struct loop *loop,
	const struct http_server_options *options, struct err *err);

/** Stops accepting and ends streams; what is suspended can still be answered. Loop thread. */
void http_server_quiesce(struct http_server *server);
/** Resumes and ends every connection, then frees. Loop thread, loop not running. */
void http_server_stop(struct http_server *server);
unsigned http_server_port(const struct http_server *server);
size_t http_server_connections(const struct http_server *server); /* any thread */
/** Path found but not with this method: 405. No path: 404. Both are problem+json, made here. */

enum http_method http_method(const struct http_request *request);
struct text http_path(const struct http_request *request);
/** The @i-th part in braces, percent-decoded; absent if there is none. */
struct text http_path_part(const struct http_request *request, unsigned i);
struct text http_header(
	const struct http_request *request, const char *name); /* loop thread only */
/** A query parameter, percent-decoded; absent if it is not there. Loop thread only. */
struct text http_query(struct http_request *request, const char *name);
/** The @i-th value of a parameter that may be given several times, likewise. */
struct text http_query_at(struct http_request *request, const char *name, unsigned i);
/** Appends the query as it was sent, with its '?'; nothing when there is none. Loop thread only. */
void http_query_write(struct http_request *request, struct buf *out);

/* What a query may hold. */
struct http_query_rules {
	const char *const *names; /* ended by NULL, at most 64 */
	size_t characters_max;    /* of one value, decoded */
	const char *phrase;       /* one of them that may be empty, and longer; NULL: none */
	size_t phrase_characters_max;
	bool may_be_empty;
	bool may_repeat;
};

/** All names known, each once, its escapes whole, UTF-8, not too long? Else what is wrong is put
 * into @fault. Loop thread only. */
bool http_query_is_good(struct http_request *request, const struct http_query_rules *rules,
	char *fault, size_t size);
struct text http_body(const struct http_request *request); /* handle and later */
/** Moves the body out (caller frees); for batches that outlive the request. */
char *http_body_take(struct http_request *request, size_t *size);
struct text http_peer(const struct http_request *request); /* "192.0.2.1" */
bool http_peer_is_loopback(const struct http_request *request);
struct text http_subject(
	const struct http_request *request); /* verified client certificate; or absent */
int64_t http_arrived_after_ms(const struct http_request *request);

/** For what lives as long as the request. Its owner's thread only. */
struct arena *http_arena(struct http_request *request);
/** In aborted: the status with which net itself refused the request (413, 503); 0: none. */
unsigned http_refused_status(const struct http_request *request);

/* A place for the handler's own object, freed by the handler. */
void http_set_owner(struct http_request *request, void *owner);
void *http_owner(const struct http_request *request);

struct http_response {
	unsigned status;
	const char *content_type; /* a literal; NULL without body */
	char *body;               /* taken (freed with free); may be NULL */
	size_t body_size;
	const char *const *headers; /* name, value, name, value, …, NULL; literals or owned by the
				       request's arena */
};

/**
 * One more header of the answer, before the answer is given; at most 4. Its owner's thread only.
 * @name is a literal; @value is one, or the request's arena's.
 */
void http_add_header(struct http_request *request, const char *name, const char *value);

/** Answers. Takes the body. Any thread; the request must not be touched afterwards. */
void http_respond(struct http_request *request, const struct http_response *response);

/** RFC 9457 problem+json: status, title and detail. Any thread. A 401 also says how to authenticate
 * (WWW-Authenticate), a 429 or 503 when to come back (Retry-After), unless they do already. */
void http_respond_problem(
	struct http_request *request, unsigned status, const char *title, struct text detail);

/** As above with Retry-After seconds. */
void http_respond_retry(struct http_request *request, unsigned status, const char *title,
	struct text detail, unsigned retry_after_s);
