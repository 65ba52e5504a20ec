/* SPDX-License-Identifier: Apache-2.0 */
#include "assets/asset.h"

#include <stdlib.h>
#include <string.h>

#include "console/api.h"

/* The address changes with the content, so what is there may be kept for ever. */
#define FOR_EVER "public, max-age=31536000, immutable"

static void respond(struct http_request *request, const struct asset *asset, bool is_zipped)
{
	const char *tag = is_zipped ? asset->zipped_tag : asset->tag;
	const char **headers = arena_array(http_arena(request), 9, sizeof *headers);
	struct text content = is_zipped ? asset->zipped : asset->plain;
	struct http_response response = {.status = 200, .content_type = asset->type};
	if (!headers) {
		http_respond_retry(request, 503, "No memory now", TEXT("try again"), 1);
		return;
	}
	const char *const made[] = {"Cache-Control", FOR_EVER, "ETag", tag, "Vary",
		"Accept-Encoding", is_zipped ? "Content-Encoding" : NULL, "gzip", NULL};
	memcpy(headers, made, sizeof made);
	response.headers = headers;
	if (asset_tag_listed(http_header(request, "If-None-Match"), tag)) {
		response.status = 304;
		response.content_type = NULL;
	} else {
		response.body = malloc(content.size + 1);
		if (!response.body) {
			http_respond_retry(request, 503, "No memory now", TEXT("try again"), 1);
			return;
		}
		memcpy(response.body, content.data, content.size);
		response.body_size = content.size;
	}
	http_respond(request, &response);
}

void assets_show(struct http_request *request, struct console *console)
{
	(void)console;
	const struct asset *asset =
		asset_find(http_path_part(request, 0), http_path_part(request, 1));
	if (!asset) {
		http_respond_problem(request, 404, "Not found",
			TEXT("no file of this version of the console; load the page again"));
		return;
	}
	respond(request, asset,
		asset->zipped.size < asset->plain.size &&
			asset_takes_gzip(http_header(request, "Accept-Encoding")));
}
