/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From offsets in a decoded JSON string to those of the same places in its source. */

#include "base/utf8.h"

struct secret_unit {
	struct text source;
	size_t at;      /* in the source, of what comes next */
	size_t decoded; /* the same place in the decoded string */
};

/**
 * The offset in the source of decoded offset @wanted, at or behind the last one. The string is
 * well-formed and valid UTF-8; @is_plain: without escapes.
 */
size_t secret_unit_seek(struct secret_unit *unit, size_t wanted, bool is_plain);
