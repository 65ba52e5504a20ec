/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as the JSON of a PushBatchRequest: what is taken is a message that reads. */

#include <assert.h>
#include <stdint.h>

#include "intake/limits.h"
#include "intake/push_json.h"
#include "intake/push_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	struct arena arena;
	struct buf wire;
	struct push_records records;
	arena_init(&arena, 1 << 26);
	buf_init(&wire, PUSH_MESSAGE_BYTES_MAX);
	if (push_json_read((struct text){(const char *)data, size}, &arena, &wire, &err) == 0) {
		int failed = push_batch_request_read(buf_text(&wire), &records, &err);
		/* The node may be too long, as may the whole. */
		assert(!failed || err.kind == ERR_LIMIT);
	}
	buf_done(&wire);
	arena_done(&arena);
	return 0;
}
