/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/secret_unit.h"

/* The number of a \uXXXX at @at, or 0. */
static unsigned code_at(struct text source, size_t at)
{
	unsigned char bytes[2];
	struct text escape = text_part(source, at, 6);
	if (!text_starts(escape, TEXT("\\u")) || !text_to_bytes(text_part(escape, 2, 4), bytes, 2))
		return 0;
	return bytes[0] * 256U + bytes[1];
}

static void pass_escape(struct secret_unit *unit)
{
	unsigned code = code_at(unit->source, unit->at);
	bool is_pair = code >= 0xd800 && code < 0xdc00;
	if (is_pair) {
		unsigned low = code_at(unit->source, unit->at + 6);
		is_pair = low >= 0xdc00 && low < 0xe000;
	}
	unit->at += is_pair ? 12 : 6;
	unit->decoded += is_pair ? 4 : 1U + (code >= 0x80) + (code >= 0x800);
}

size_t secret_unit_seek(struct secret_unit *unit, size_t wanted, bool is_plain)
{
	if (is_plain) {
		unit->at += wanted - unit->decoded;
		unit->decoded = wanted;
	}
	while (unit->decoded < wanted) {
		struct text next = text_part(unit->source, unit->at, 2);
		if (text_starts(next, TEXT("\\u"))) {
			pass_escape(unit);
			continue;
		}
		unit->at += text_starts(next, TEXT("\\")) ? 2 : 1;
		unit->decoded++;
	}
	return unit->at;
}
