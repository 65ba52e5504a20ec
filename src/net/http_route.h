/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which route a path means. Pure: works on the target as it was sent, undecoded, so that an escaped
 * slash never splits a part.
 */

#include "base/arena.h"
#include "net/http_server.h"

enum {
	HTTP_PARTS_MAX = 4,
	HTTP_PATH_MAX = 4096, /* longer targets are no address of ours */
};

struct http_match {
	const struct http_route *route; /* NULL: none with this path and method */
	unsigned methods;               /* bit 1 << enum http_method: what the path has */
	bool is_malformed;              /* a broken escape, or a NUL behind one */
	struct text parts[HTTP_PARTS_MAX];
	unsigned n_parts;
};

/** Decoded parts live in @path where nothing was escaped, else in @arena. */
void http_route_find(const struct http_route *const *routes, enum http_method method,
	struct text path, struct arena *arena, struct http_match *match);

/** Undoes %HH. false for broken escapes, escaped NULs, or without memory. */
bool http_decode(struct text encoded, struct arena *arena, struct text *out);

enum http_method http_method_parse(struct text word);
/** "GET, HEAD, POST" for an Allow header, into @out. */
void http_methods_write(unsigned methods, char *out, size_t size);
