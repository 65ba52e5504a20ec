/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What must hold for an event of which something was cut. */

#include <assert.h>
#include <string.h>

#include "base/pull.h"
#include "decode/secrets.h"

/* Members that hold names, which stay, or have names in them; others hold texts. */
static bool may_name(struct text key)
{
	static const char *const names[] = {"rule", "priority", "source", "hostname", "time",
		"uuid", "tags", "output_fields", "kind", "apiVersion", "level", "auditID", "stage",
		"verb", "user", "impersonatedUser", "sourceIPs", "objectRef", "items"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (text_equal_nocase(key, text_of(names[i])))
			return true;
	struct text end = text_part(key, key.size < 6 ? 0 : key.size - 6, 6);
	struct text longer = text_part(key, key.size < 9 ? 0 : key.size - 9, 9);
	return text_equal_nocase(end, TEXT("Object")) ||
	       text_equal_nocase(longer, TEXT("Timestamp"));
}

/* The value of a JSON string of its own, or nothing. */
static struct text string_of(struct text json, struct arena *arena)
{
	struct pull reader;
	pull_init(&reader, json, arena, &pull_limits_alert);
	return pull_next(&reader) == PULL_STRING && pull_next(&reader) == PULL_END ? reader.value
										   : TEXT_NONE;
}

/* No text of the event says the secret any more. */
static void check_is_gone(struct text raw, struct text secret, struct arena *arena)
{
	struct pull reader;
	bool names = false;
	enum pull_event what;
	pull_init(&reader, raw, arena, &pull_limits_alert);
	while ((what = pull_next(&reader)) != PULL_END) {
		assert(what != PULL_BAD);
		if (what == PULL_KEY && reader.depth == 1)
			names = may_name(reader.value);
		if (what == PULL_STRING && !names)
			assert(text_find(reader.value, secret, 0) == SIZE_MAX);
	}
}

static void check_secrets_gone(const struct alert *alert, struct arena *arena)
{
	for (size_t i = 0; i < alert->n_redactions; i++) {
		struct text value = string_of(alert->redactions[i].value, arena);
		/* The mark may be, or become with what is beside it, what looks like the secret. */
		if (value.size < 8 || text_find(TEXT(SECRET_MARK), value, 0) != SIZE_MAX ||
			text_find_byte(value, '[', 0) != SIZE_MAX ||
			text_find_byte(value, ']', 0) != SIZE_MAX)
			continue;
		check_is_gone(alert->raw, value, arena);
	}
}
