/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a message of messages: a scan that finds no fault means that no reader finds one. */

#include <assert.h>
#include <stdint.h>

#include "base/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wire_shape shape[] = {{1, shape}, {2, NULL}, {0, NULL}};

/* Recursion is safe behind the scan. */
static size_t walk(struct text message, bool is_good)
{
	struct wire reader = wire_of(message);
	size_t n = 0;
	while (wire_next(&reader)) {
		assert(reader.offset < message.size);
		assert(reader.type != WIRE_BYTES || reader.bytes.size == 0 ||
			(reader.bytes.data > message.data &&
				reader.bytes.data + reader.bytes.size <=
					message.data + message.size));
		n++;
		if (is_good && reader.type == WIRE_BYTES && reader.field == 1)
			n += walk(reader.bytes, true);
	}
	assert(!is_good || !reader.failed);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct wire_limits limits = {WIRE_DEPTH_MAX, 1000};
	struct text message = {(const char *)data, size};
	struct err err;
	bool is_good = wire_scan(message, shape, &limits, &err) == 0;
	size_t n = walk(message, is_good);
	assert(!is_good || n <= limits.n_fields_max);
	return 0;
}
