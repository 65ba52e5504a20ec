/* SPDX-License-Identifier: Apache-2.0 */
#include "console/entity_tag.h"

#include <inttypes.h>

#include "base/digest.h"
#include "console/api.h"

enum { HASH_BYTES = 8 };

void entity_tag_make(char out[ENTITY_TAG_BYTES], uint64_t revision, struct text document)
{
	char hash[2 * HASH_BYTES + 1];
	struct digest digest = digest_of(document);
	text_hex(hash, digest.bytes, HASH_BYTES);
	text_format(out, ENTITY_TAG_BYTES, "\"%" PRIu64 "-%s\"", revision, hash);
}

bool entity_tag_revision(struct text header, uint64_t *revision)
{
	unsigned char hash[HASH_BYTES];
	struct text rest, number = TEXT_NONE;
	bool quoted =
		header.size > 2 && header.data[0] == '"' && header.data[header.size - 1] == '"';
	rest = quoted ? text_part(header, 1, header.size - 2) : header;
	text_split(&rest, '-', &number);
	if (rest.data && (!quoted || !text_to_bytes(rest, hash, HASH_BYTES)))
		return false;
	return text_to_u64(number, revision);
}

bool entity_tag_listed(struct text header, const char *tag)
{
	struct text one;
	while (text_split(&header, ',', &one)) {
		one = text_trim(one);
		if (text_starts(one, TEXT("W/")))
			one = text_part(one, 2, one.size);
		if (text_is(one, "*") || text_is(one, tag))
			return true;
	}
	return false;
}

bool entity_tag_answer(struct job *job, const struct buf *document)
{
	char *tag = arena_bytes(http_arena(job->request), ENTITY_TAG_BYTES);
	struct http_response unchanged = {.status = 304};
	if (!tag || !buf_ok(document))
		return false;
	entity_tag_make(tag, job->revision, buf_text(document));
	http_add_header(job->request, "ETag", tag);
	/* May be kept by its reader, who asks each time. */
	http_add_header(job->request, "Cache-Control", "private, no-cache");
	if (job->decided || !entity_tag_listed(job->none_match, tag))
		return false;
	http_respond(job->request, &unchanged);
	return true;
}
