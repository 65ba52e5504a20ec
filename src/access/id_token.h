/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an identity provider says of a person, signed: an ID token (OpenID Connect
 * Core 1.0, 3.1.3.7) and the keys that sign it (RFC 7517). Pure; everything that does not fit is
 * refused.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/tree.h"

/* What a token must say. */
struct id_token_wish {
	struct text issuer;
	struct text client_id;
	struct text nonce;
	int64_t now_s; /* seconds since 1970 */
};

enum { ID_TOKEN_SKEW_S = 60, ID_TOKEN_BYTES_MAX = 64 * 1024, JWKS_KEYS_MAX = 64 };

/**
 * Checks the signature by the provider's keys (@keys: a JWK set), then issuer, audience, times and
 * nonce. *claims: an object in @arena.
 *
 * Only RS256, ES256 and EdDSA are taken, whatever the token says. ERR_MISSING: signed by a key that
 * is not in the set, which may be old; ERR_DENIED: refused, and why.
 */
CHECKED int id_token_read(struct text token, const struct node *keys,
	const struct id_token_wish *wish, struct arena *arena, const struct node **claims,
	struct err *err);
