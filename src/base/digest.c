/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

/* Most parts are names; one call for them with their size costs less than two. */
enum { SHORT_PART_BYTES = 60 };

struct digest digest_of(struct text text)
{
	struct digest digest;
	int failed = gnutls_hash_fast(
		GNUTLS_DIG_SHA256, text.data ? text.data : "", text.size, digest.bytes);
	assert(!failed);
	return digest;
}

/* The state *is* GnuTLS's handle, which is a pointer. */
struct digest_state *digest_start(void)
{
	gnutls_hash_hd_t handle = NULL;
	int failed = gnutls_hash_init(&handle, GNUTLS_DIG_SHA256);
	assert(!failed);
	return (struct digest_state *)handle;
}

void digest_add(struct digest_state *state, struct text text)
{
	if (text.size == 0)
		return;
	int failed = gnutls_hash((gnutls_hash_hd_t)state, text.data, text.size);
	assert(!failed);
}

void digest_add_part(struct digest_state *state, struct text text)
{
	char bytes[4 + SHORT_PART_BYTES];
	bool together = text.size && text.size <= SHORT_PART_BYTES;
	for (unsigned i = 0; i < 4; i++)
		bytes[i] = (char)(text.size >> (24 - 8 * i));
	if (together)
		memcpy(bytes + 4, text.data, text.size);
	digest_add(state, (struct text){bytes, 4 + (together ? text.size : 0)});
	if (!together)
		digest_add(state, text);
}

struct digest digest_end(struct digest_state *state)
{
	struct digest digest;
	gnutls_hash_deinit((gnutls_hash_hd_t)state, digest.bytes);
	return digest;
}

void digest_random(void *out, size_t size)
{
	int failed = gnutls_rnd(GNUTLS_RND_KEY, out, size);
	assert(!failed);
}
