/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_route.h"

#include <string.h>

static const char *const method_names[] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_DELETE] = "DELETE",
};

enum http_method http_method_parse(struct text word)
{
	for (unsigned i = 0; i < HTTP_OTHER; i++)
		if (text_is(word, method_names[i]))
			return (enum http_method)i;
	return HTTP_OTHER;
}

void http_methods_write(unsigned methods, char *out, size_t size)
{
	size_t used = 0;
	if (methods & 1U << HTTP_GET)
		methods |= 1U << HTTP_HEAD;
	out[0] = '\0';
	for (unsigned i = 0; i < HTTP_OTHER; i++)
		if (methods & 1U << i)
			used += text_format(
				out + used, size - used, "%s%s", used ? ", " : "", method_names[i]);
}

bool http_decode(struct text encoded, struct arena *arena, struct text *out)
{
	if (text_find_byte(encoded, '%', 0) == SIZE_MAX) {
		*out = encoded;
		return true;
	}
	char *decoded = arena_bytes(arena, encoded.size);
	size_t size = 0;
	if (!decoded)
		return false;
	for (size_t i = 0; i < encoded.size; i++, size++) {
		decoded[size] = encoded.data[i];
		if (encoded.data[i] != '%')
			continue;
		if (!text_to_bytes(text_part(encoded, i + 1, 2), &decoded[size], 1) ||
			decoded[size] == '\0')
			return false;
		i += 2;
	}
	*out = (struct text){decoded, size};
	return true;
}

/*
 * Does @path have @pattern's form? Puts what stands in for the parts in braces into @parts. Byte by
 * byte, because almost all routes differ from the path within a few bytes.
 */
static bool fits(const char *pattern, struct text path, struct text *parts, unsigned *n_parts)
{
	size_t at = 0;
	*n_parts = 0;
	while (*pattern) {
		if (*pattern != '{') {
			if (at == path.size || path.data[at] != *pattern)
				return false;
			at++;
			pattern++;
			continue;
		}
		size_t end = text_find_byte(path, '/', at);
		struct text found = text_part(path, at, (end == SIZE_MAX ? path.size : end) - at);
		if (found.size == 0 || *n_parts == HTTP_PARTS_MAX)
			return false;
		parts[(*n_parts)++] = found;
		at += found.size;
		pattern += strcspn(pattern, "/");
	}
	return at == path.size;
}

static bool decode_parts(struct http_match *match, struct arena *arena)
{
	for (unsigned i = 0; i < match->n_parts; i++)
		if (!http_decode(match->parts[i], arena, &match->parts[i]))
			return false;
	return true;
}

static bool takes(const struct http_route *route, enum http_method method)
{
	return route->method == method || (method == HTTP_HEAD && route->method == HTTP_GET);
}

void http_route_find(const struct http_route *const *routes, enum http_method method,
	struct text path, struct arena *arena, struct http_match *match)
{
	unsigned fewest = HTTP_PARTS_MAX;
	*match = (struct http_match){0};
	if (path.size > HTTP_PATH_MAX)
		return;
	for (; *routes; routes++)
		for (const struct http_route *route = *routes; route->path; route++) {
			struct text parts[HTTP_PARTS_MAX] = {{0}};
			unsigned n_parts = 0;
			if (!fits(route->path, path, parts, &n_parts) || n_parts > fewest)
				continue;
			if (n_parts < fewest)
				*match = (struct http_match){0};
			fewest = n_parts;
			match->methods |= 1U << route->method;
			if (match->route || !takes(route, method))
				continue;
			match->route = route;
			match->n_parts = n_parts;
			memcpy(match->parts, parts, sizeof parts);
		}
	match->is_malformed = match->route && !decode_parts(match, arena);
}
