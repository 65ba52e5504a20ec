/* SPDX-License-Identifier: Apache-2.0 */

/* The first byte names source (six bits) and encoding (two); the rest is a request's body. */

#include <assert.h>
#include <stdint.h>

#include "base/compress.h"
#include "decode/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct batch *batch, struct text body)
{
	size_t n = 0;
	for (const struct alert *alert = batch->first; alert; alert = alert->next, n++) {
		/* Where a secret was cut, the raw bytes are a copy without it. */
		bool inside = alert->raw.data >= body.data &&
			      alert->raw.data + alert->raw.size <= body.data + body.size;
		assert(inside || alert->n_redactions > 0);
		assert((alert->kind == LEAF_QUARANTINED) == (alert->quarantine_reason.size > 0));
	}
	assert(n == batch->n_alerts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	struct buf plain;
	if (size == 0)
		return 0;
	struct batch *batch = batch_new();
	assert(batch);
	batch->source = (enum source)(1 + (data[0] & 63U) % (N_SOURCES - 1));
	batch->cluster = TEXT("fuzz");
	unsigned encoding = data[0] >> 6;
	struct text body = {(const char *)data + 1, size - 1};
	buf_init(&plain, 1024 * 1024);
	int result = encoding == 1 ? gzip_expand(body, &plain, &err)
		     : encoding    ? zstd_expand(body, &plain, &err)
				   : 0;
	if (encoding)
		body = buf_text(&plain);
	if (result == 0 && body_decode(body, INT64_C(1700000000000000000), batch, &err) == 0)
		check(batch, body);
	batch_free(batch);
	buf_done(&plain);
	return 0;
}
