/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as what gRPC writes into header fields. What is written reads back. */

#include <assert.h>
#include <stdint.h>

#include "base/base64.h"
#include "net/grpc_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ALL_BYTES = 1024 * 1024 };

static void check_texts(struct text bytes)
{
	struct arena arena;
	struct buf out;
	struct text back = TEXT_NONE;
	arena_init(&arena, ALL_BYTES);
	buf_init(&out, ALL_BYTES);
	grpc_message_write(&out, bytes);
	assert(text_equal(grpc_message_read(buf_text(&out), &arena), bytes));
	assert(grpc_message_read(bytes, &arena).size <= bytes.size);
	buf_clear(&out);
	grpc_binary_write(&out, bytes);
	assert(base64_read(buf_text(&out), &arena, &back) && text_equal(back, bytes));
	ignore(base64_read(bytes, &arena, &back)); /* any text */
	grpc_takes_gzip(bytes);
	grpc_content_type_is_ours(bytes);
	buf_done(&out);
	arena_done(&arena);
}

static void check_timeout(struct text bytes)
{
	char written[GRPC_TIMEOUT_BYTES];
	int64_t timeout_ms, again_ms;
	if (!grpc_timeout_read(bytes, &timeout_ms))
		return;
	assert(timeout_ms >= 0);
	grpc_timeout_write(timeout_ms, written);
	assert(grpc_timeout_read(text_of(written), &again_ms));
	assert(again_ms <= timeout_ms + (timeout_ms == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text bytes = {(const char *)data, size};
	check_texts(bytes);
	check_timeout(bytes);
	return 0;
}
