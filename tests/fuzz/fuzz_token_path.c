/* SPDX-License-Identifier: Apache-2.0 */

/* A request target as it was sent, against the shape of our routes. */

#include <assert.h>
#include <stdint.h>

#include "net/http_route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_route routes_of_test[] = {
	{.method = HTTP_POST, .path = "/ingest/{source}/{token}"},
	{.method = HTTP_POST, .path = "/ingest/{source}"},
	{.method = HTTP_GET, .path = "/api/v1/incidents/{n}/alerts"},
	{.method = HTTP_GET, .path = "/{a}/{b}/{c}/{d}"},
	{.path = NULL},
};
static const struct http_route *const routes[] = {routes_of_test, NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct http_match match;
	struct text path = {(const char *)data, size};
	arena_init(&arena, 256 * 1024);
	for (unsigned method = HTTP_GET; method <= HTTP_OTHER; method++) {
		http_route_find(routes, (enum http_method)method, path, &arena, &match);
		if (!match.route || match.is_malformed)
			continue;
		assert(match.n_parts > 0 && match.n_parts <= HTTP_PARTS_MAX);
		for (unsigned i = 0; i < match.n_parts; i++) {
			assert(match.parts[i].size > 0 && match.parts[i].size <= size);
			/* a NUL can only be one that was sent as such */
			assert(text_find_byte(match.parts[i], '\0', 0) == SIZE_MAX ||
				text_find_byte(path, '\0', 0) != SIZE_MAX);
		}
	}
	arena_done(&arena);
	return 0;
}
