/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

struct digest digest_of(struct text text)
{
	struct digest digest;
	int failed = gnutls_hash_fast(
		GNUTLS_DIG_SHA256, text.data ? text.data : "", text.size, digest.bytes);
	assert(!failed);
	return digest;
}

struct digest_state *digest_start(struct digest_state *state)
{
	state->handle = NULL;
	state->size = 0;
	return state;
}

static void hash_more(struct digest_state *state, struct text text)
{
	int failed = gnutls_hash(state->handle, text.data, text.size);
	assert(!failed);
}

static struct text gathered(const struct digest_state *state)
{
	return (struct text){state->bytes, state->size};
}

/* From here on nothing is gathered any more. */
static void hand_on(struct digest_state *state)
{
	gnutls_hash_hd_t handle = NULL;
	int failed = gnutls_hash_init(&handle, GNUTLS_DIG_SHA256);
	assert(!failed);
	state->handle = handle;
	hash_more(state, gathered(state));
}

void digest_add(struct digest_state *state, struct text text)
{
	if (text.size == 0)
		return;
	if (!state->handle && text.size <= sizeof state->bytes - state->size) {
		memcpy(state->bytes + state->size, text.data, text.size);
		state->size += text.size;
		return;
	}
	if (!state->handle)
		hand_on(state);
	hash_more(state, text);
}

void digest_add_part(struct digest_state *state, struct text text)
{
	char size[4];
	for (unsigned i = 0; i < 4; i++)
		size[i] = (char)(text.size >> (24 - 8 * i));
	digest_add(state, (struct text){size, sizeof size});
	digest_add(state, text);
}

struct digest digest_end(struct digest_state *state)
{
	struct digest digest;
	if (state->handle)
		gnutls_hash_deinit(state->handle, digest.bytes);
	else
		digest = digest_of(gathered(state));
	explicit_bzero(state->bytes, state->size); /* it may have been a secret */
	return digest;
}

void digest_random(void *out, size_t size)
{
	int failed = gnutls_rnd(GNUTLS_RND_KEY, out, size);
	assert(!failed);
}
