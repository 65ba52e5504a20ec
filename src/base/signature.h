/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is a signature a public key's? Of the ways that JSON web signatures know (RFC 7518, RFC 8037),
 * those that are asymmetric and that everybody has. From GnuTLS.
 */

#include "base/text.h"

enum signature_kind {
	SIGNATURE_RS256, /* RSA PKCS #1 1.5, SHA-256; keys of 2048 bits or more */
	SIGNATURE_ES256, /* ECDSA on P-256, SHA-256; r and s of 32 bytes each */
	SIGNATURE_EDDSA, /* Ed25519 */
};

/* Big-endian numbers. */
struct public_key {
	enum signature_kind kind;
	struct text a; /* RSA: modulus; else x */
	struct text b; /* RSA: exponent; P-256: y; else absent */
};

/** "RS256", "ES256", "EdDSA"; false for all others, "none" among them. */
bool signature_kind_parse(struct text word, enum signature_kind *out);

/** false also for keys that are none, too small ones, and without memory. */
bool signature_is_valid(const struct public_key *key, struct text data, struct text signature);
