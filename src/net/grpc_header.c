/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_header.h"

#include "base/base64.h"

static const struct {
	char letter;
	int64_t ns;
} units[] = {
	{'n', 1},
	{'u', 1000},
	{'m', 1000000},
	{'S', 1000000000},
	{'M', INT64_C(60) * 1000000000},
	{'H', INT64_C(3600) * 1000000000},
};

enum { N_UNITS = sizeof units / sizeof units[0], TIMEOUT_DIGITS = 8, NS_PER_MILLI = 1000000 };

bool grpc_timeout_read(struct text text, int64_t *timeout_ms)
{
	uint64_t value;
	if (text.size < 2 || text.size > TIMEOUT_DIGITS + 1 ||
		!text_to_u64(text_part(text, 0, text.size - 1), &value))
		return false;
	for (size_t i = 0; i < N_UNITS; i++) {
		if (units[i].letter != text.data[text.size - 1])
			continue;
		/* 99 999 999 hours are 3.6e17 ms: a whole number of ms per unit cannot overflow. */
		int64_t per_ms = units[i].ns / NS_PER_MILLI;
		*timeout_ms =
			per_ms ? (int64_t)value * per_ms
			       : ((int64_t)value * units[i].ns + NS_PER_MILLI - 1) / NS_PER_MILLI;
		return true;
	}
	return false;
}

void grpc_timeout_write(int64_t timeout_ms, char out[GRPC_TIMEOUT_BYTES])
{
	int64_t value = timeout_ms < 1 ? 1 : timeout_ms;
	char letter = 'm';
	if (value > 99999999) {
		value /= 1000;
		letter = 'S';
	}
	text_format(out, GRPC_TIMEOUT_BYTES, "%lld%c",
		(long long)(value > 99999999 ? 99999999 : value), letter);
}

void grpc_message_write(struct buf *out, struct text message)
{
	for (size_t i = 0; i < message.size; i++) {
		unsigned char byte = (unsigned char)message.data[i];
		if (byte >= ' ' && byte <= '~' && byte != '%')
			buf_add_byte(out, byte);
		else
			buf_addf(out, "%%%02X", byte);
	}
}

struct text grpc_message_read(struct text text, struct arena *arena)
{
	char *out = arena_bytes(arena, text.size);
	size_t n = 0;
	if (!out)
		return TEXT_NONE;
	for (size_t i = 0; i < text.size; i++) {
		unsigned char byte;
		if (text.data[i] == '%' && text_to_bytes(text_part(text, i + 1, 2), &byte, 1)) {
			out[n++] = (char)byte;
			i += 2;
		} else {
			out[n++] = text.data[i];
		}
	}
	return (struct text){out, n};
}

void grpc_binary_write(struct buf *out, struct text bytes)
{
	size_t size = (bytes.size * 4 + 2) / 3;
	char *room = buf_reserve(out, size + 1);
	if (!room)
		return;
	base64_write(bytes.data, bytes.size, room);
	buf_commit(out, size);
}

bool grpc_content_type_is_ours(struct text value)
{
	const struct text ours = TEXT("application/grpc");
	return text_starts(value, ours) &&
	       (value.size == ours.size || value.data[ours.size] == '+' ||
		       value.data[ours.size] == ';');
}

bool grpc_takes_gzip(struct text accept_encoding)
{
	struct text rest = accept_encoding, part = TEXT_NONE;
	while (text_split(&rest, ',', &part))
		if (text_is(text_trim(part), "gzip"))
			return true;
	return false;
}

enum grpc_code grpc_code_of_http(unsigned status)
{
	switch (status) {
	case 400:
		return GRPC_INTERNAL;
	case 401:
		return GRPC_UNAUTHENTICATED;
	case 403:
		return GRPC_PERMISSION_DENIED;
	case 404:
		return GRPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return GRPC_UNAVAILABLE;
	default:
		return GRPC_UNKNOWN;
	}
}
