/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* SHA-256 and random bytes, from GnuTLS. Cannot fail: a library without SHA-256 aborts at start. */

#include "base/text.h"

enum { DIGEST_BYTES = 32, DIGEST_GATHERED_BYTES = 1024 };

struct digest {
	unsigned char bytes[DIGEST_BYTES];
};

struct digest digest_of(struct text text);

/**
 * A running SHA-256. What is added is gathered and hashed in one call, which costs half of a call
 * for each part; only more than fits is handed on. Every digest_start needs one digest_end.
 */
struct digest_state {
	void *handle; /* GnuTLS's, once more was added than fits; else NULL */
	size_t size;
	char bytes[DIGEST_GATHERED_BYTES];
};

/** Returns @state. */
struct digest_state *digest_start(struct digest_state *state);
void digest_add(struct digest_state *state, struct text text);
/** Adds the size as 4 bytes big-endian, then the bytes: no two lists of parts hash alike. */
void digest_add_part(struct digest_state *state, struct text text);
struct digest digest_end(struct digest_state *state);

void digest_random(void *out, size_t size); /* for secrets and salts */
