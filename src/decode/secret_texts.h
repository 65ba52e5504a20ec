/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where else an event says a secret that is cut from it: Falco prints its fields inside `output`.
 * Values are looked for decoded, all of them in one pass. Part of secrets.c.
 */

#include "base/arena.h"
#include "base/text.h"

enum {
	/* Shorter ones are words that may stand anywhere; nobody could tell what was a secret. */
	SECRET_TEXT_BYTES_MIN = 8,
	/* More are not looked for one by one: then every text is taken for one that holds some. */
	SECRET_TEXTS_MAX = 1024,
	/* Compared in one event; texts made to be compared long and often run into it. */
	SECRET_WORK_BYTES_MAX = 16 * 1024 * 1024,
};

struct secret_texts {
	struct text *values;
	size_t n;
	unsigned short *heads, *next; /* by the first eight bytes, longest first; + 1 */
	unsigned bits;
	size_t work_bytes;
	bool blind; /* gave up: may be anywhere */
};

/** Remembers @value unless it is too short. What falcosidekick cut counts without its mark. */
void secret_texts_add(struct secret_texts *texts, struct arena *arena, struct text value);

/** After the last addition. */
void secret_texts_ready(struct secret_texts *texts, struct arena *arena);

/**
 * The first value at or after @from in @text: where, and how long; SIZE_MAX: none (or blind). At
 * the end of @text, which may have been cut, also the beginning of one.
 */
size_t secret_texts_find(
	struct secret_texts *texts, struct text text, size_t from, size_t *size_bytes);
