/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signature.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

enum { RSA_BITS_MIN = 2048, RSA_BYTES_MAX = 1024, COORDINATE_BYTES = 32 };

bool signature_kind_parse(struct text word, enum signature_kind *out)
{
	static const struct {
		const char *name;
		enum signature_kind kind;
	} names[] = {
		{"RS256", SIGNATURE_RS256}, {"ES256", SIGNATURE_ES256}, {"EdDSA", SIGNATURE_EDDSA},
		{"Ed25519", SIGNATURE_EDDSA}, /* RFC 9864 */
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (text_is(word, names[i].name)) {
			*out = names[i].kind;
			return true;
		}
	return false;
}

/* GnuTLS does not write to what it is given here. */
static gnutls_datum_t datum(struct text text)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)text.data, (unsigned)text.size};
}

static bool import_rsa(gnutls_pubkey_t key, const struct public_key *from)
{
	unsigned bits = 0;
	gnutls_datum_t modulus = datum(from->a), exponent = datum(from->b);
	if (from->a.size > RSA_BYTES_MAX || from->b.size > RSA_BYTES_MAX ||
		gnutls_pubkey_import_rsa_raw(key, &modulus, &exponent) < 0 ||
		gnutls_pubkey_get_pk_algorithm(key, &bits) != GNUTLS_PK_RSA)
		return false;
	return bits >= RSA_BITS_MIN;
}

static bool import(gnutls_pubkey_t key, const struct public_key *from)
{
	gnutls_datum_t x = datum(from->a), y = datum(from->b);
	switch (from->kind) {
	case SIGNATURE_RS256:
		return import_rsa(key, from);
	case SIGNATURE_ES256:
		return from->a.size == COORDINATE_BYTES && from->b.size == COORDINATE_BYTES &&
		       gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &x, &y) >= 0;
	case SIGNATURE_EDDSA:
		return from->a.size == COORDINATE_BYTES &&
		       gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_ED25519, &x, NULL) >= 0;
	}
	return false;
}

static bool verify(gnutls_pubkey_t key, gnutls_sign_algorithm_t algorithm, struct text data,
	gnutls_datum_t signature)
{
	gnutls_datum_t signed_data = datum(data);
	return gnutls_pubkey_verify_data2(key, algorithm, 0, &signed_data, &signature) >= 0;
}

/* GnuTLS wants r and s as DER. */
static bool verify_ecdsa(gnutls_pubkey_t key, struct text data, struct text signature)
{
	gnutls_datum_t der = {NULL, 0};
	gnutls_datum_t r = datum(text_part(signature, 0, COORDINATE_BYTES));
	gnutls_datum_t s = datum(text_part(signature, COORDINATE_BYTES, COORDINATE_BYTES));
	if (signature.size != 2 * COORDINATE_BYTES || gnutls_encode_rs_value(&der, &r, &s) < 0)
		return false;
	bool valid = verify(key, GNUTLS_SIGN_ECDSA_SHA256, data, der);
	gnutls_free(der.data);
	return valid;
}

static bool verify_with(
	gnutls_pubkey_t key, enum signature_kind kind, struct text data, struct text signature)
{
	switch (kind) {
	case SIGNATURE_RS256:
		return verify(key, GNUTLS_SIGN_RSA_SHA256, data, datum(signature));
	case SIGNATURE_ES256:
		return verify_ecdsa(key, data, signature);
	case SIGNATURE_EDDSA:
		return verify(key, GNUTLS_SIGN_EDDSA_ED25519, data, datum(signature));
	}
	return false;
}

bool signature_is_valid(const struct public_key *key, struct text data, struct text signature)
{
	gnutls_pubkey_t imported;
	if (signature.size == 0 || signature.size > RSA_BYTES_MAX || data.size > UINT32_MAX ||
		gnutls_pubkey_init(&imported) < 0)
		return false;
	bool valid = import(imported, key) && verify_with(imported, key->kind, data, signature);
	gnutls_pubkey_deinit(imported);
	return valid;
}
