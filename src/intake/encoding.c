/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/encoding.h"

#include "base/compress.h"

bool encoding_parse(struct text word, enum encoding *out)
{
	static const struct {
		const char *word;
		enum encoding encoding;
	} known[] = {{"", ENCODING_NONE}, {"identity", ENCODING_NONE}, {"gzip", ENCODING_GZIP},
		{"x-gzip", ENCODING_GZIP}, {"zstd", ENCODING_ZSTD}};
	word = text_trim(word);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (text_equal_nocase(word, text_of(known[i].word))) {
			*out = known[i].encoding;
			return true;
		}
	return false;
}

int encoding_take_body(struct http_request *request, enum encoding encoding, size_t max_bytes,
	char **body, size_t *size, struct err *err)
{
	if (encoding == ENCODING_NONE) {
		*body = http_body_take(request, size);
		return 0;
	}
	struct buf out;
	buf_init(&out, max_bytes);
	int result = encoding == ENCODING_GZIP ? gzip_expand(http_body(request), &out, err)
					       : zstd_expand(http_body(request), &out, err);
	if (result == 0)
		*body = buf_take(&out, size);
	buf_done(&out);
	return result;
}
