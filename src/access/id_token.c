/* SPDX-License-Identifier: Apache-2.0 */
#include "access/id_token.h"

#include "base/base64.h"
#include "base/signature.h"

/* header.claims.signature */
struct parts {
	struct text signed_text; /* the first two, with their dot */
	struct text header, claims, signature;
};

static int refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_DENIED, "the ID token is refused: %s", why);
}

static int split(struct text token, struct arena *arena, struct parts *out, struct err *err)
{
	struct text rest = token, header = TEXT_NONE, claims = TEXT_NONE;
	if (token.size > ID_TOKEN_BYTES_MAX)
		return refuse(err, "it is too long");
	text_split(&rest, '.', &header);
	text_split(&rest, '.', &claims);
	if (!rest.data || text_find_byte(rest, '.', 0) != SIZE_MAX ||
		!base64url_read(header, arena, &out->header) ||
		!base64url_read(claims, arena, &out->claims) ||
		!base64url_read(rest, arena, &out->signature))
		return refuse(err, "it is no signed token of three parts in base64url");
	out->signed_text = text_part(token, 0, header.size + 1 + claims.size);
	return 0;
}

static int read_object(struct text source, struct arena *arena, const char *what,
	const struct node **out, struct err *err)
{
	struct node *tree;
	if (tree_read(source, arena, &tree, err) < 0)
		return err_prefix(err, "the ID token is refused: its %s", what);
	if (tree->type != PULL_OBJECT)
		return refuse(err, "a part of it is no JSON object");
	*out = tree;
	return 0;
}

/* A member as bytes. */
static bool read_bytes(
	const struct node *key, const char *name, struct arena *arena, struct text *out)
{
	struct text text = tree_member_text(key, name);
	return text.size > 0 && base64url_read(text, arena, out);
}

static bool read_key(const struct node *node, enum signature_kind kind, struct arena *arena,
	struct public_key *out)
{
	struct text type = tree_member_text(node, "kty"), curve = tree_member_text(node, "crv");
	out->kind = kind;
	out->b = TEXT_NONE;
	switch (kind) {
	case SIGNATURE_RS256:
		return text_is(type, "RSA") && read_bytes(node, "n", arena, &out->a) &&
		       read_bytes(node, "e", arena, &out->b);
	case SIGNATURE_ES256:
		return text_is(type, "EC") && text_is(curve, "P-256") &&
		       read_bytes(node, "x", arena, &out->a) &&
		       read_bytes(node, "y", arena, &out->b);
	case SIGNATURE_EDDSA:
		return text_is(type, "OKP") && text_is(curve, "Ed25519") &&
		       read_bytes(node, "x", arena, &out->a);
	}
	return false;
}

/* May the key sign so, and is it the one that is named? */
static bool is_meant(const struct node *key, struct text id, struct text algorithm)
{
	struct text use = tree_member_text(key, "use"), own = tree_member_text(key, "alg");
	if ((use.size && !text_is(use, "sig")) || (own.size && !text_equal(own, algorithm)))
		return false;
	return !id.size || text_equal(tree_member_text(key, "kid"), id);
}

static int check_signature(const struct parts *parts, const struct node *header,
	const struct node *keys, struct arena *arena, struct err *err)
{
	enum signature_kind kind;
	struct public_key key;
	struct text algorithm = tree_member_text(header, "alg");
	struct text id = tree_member_text(header, "kid");
	const struct node *list = tree_member(keys, "keys");
	size_t n = 0, n_meant = 0;
	if (!signature_kind_parse(algorithm, &kind))
		return refuse(err, "its alg must be RS256, ES256 or EdDSA");
	if (tree_member(header, "crit"))
		return refuse(err, "its header has 'crit', of which nothing is known here");
	const struct node *item = list && list->type == PULL_ARRAY ? list->first : NULL;
	for (; item && n < JWKS_KEYS_MAX; item = item->next, n++) {
		if (!is_meant(item, id, algorithm) || !read_key(item, kind, arena, &key))
			continue;
		n_meant++;
		if (signature_is_valid(&key, parts->signed_text, parts->signature))
			return 0;
	}
	if (!n_meant)
		return err_set(err, ERR_MISSING,
			"the ID token is refused: the provider's keys have none that it names");
	return refuse(err, "its signature is wrong");
}

static bool read_seconds(const struct node *claims, const char *name, int64_t *out)
{
	const struct node *node = tree_member(claims, name);
	struct text text = tree_text(node), whole = TEXT_NONE;
	if (!node || node->type != PULL_NUMBER)
		return false;
	text_split(&text, '.', &whole); /* a NumericDate may have a fraction */
	return text_to_i64(whole, out);
}

static int check_times(const struct node *claims, int64_t now_s, struct err *err)
{
	int64_t expires_s, issued_s, begins_s;
	if (!read_seconds(claims, "exp", &expires_s) || !read_seconds(claims, "iat", &issued_s))
		return refuse(err, "it lacks exp or iat");
	/* Compared so that nothing overflows, whatever numbers they are. */
	if (expires_s <= now_s - ID_TOKEN_SKEW_S)
		return refuse(err, "it has expired");
	if (issued_s > now_s + ID_TOKEN_SKEW_S)
		return refuse(err, "it was made in the future: compare the clocks");
	if (tree_member(claims, "nbf") &&
		(!read_seconds(claims, "nbf", &begins_s) || begins_s > now_s + ID_TOKEN_SKEW_S))
		return refuse(err, "it is not valid yet: compare the clocks");
	return 0;
}

/* For us, and for nobody else. */
static bool is_audience(const struct node *audience, struct text client_id)
{
	if (!audience)
		return false;
	if (audience->type == PULL_STRING)
		return text_equal(audience->value, client_id);
	const struct node *first = audience->type == PULL_ARRAY ? audience->first : NULL;
	return first && !first->next && first->type == PULL_STRING &&
	       text_equal(first->value, client_id);
}

static int check_claims(
	const struct node *claims, const struct id_token_wish *wish, struct err *err)
{
	const struct node *authorized = tree_member(claims, "azp");
	if (!text_equal(tree_member_text(claims, "iss"), wish->issuer))
		return refuse(err, "its iss is not oidc.issuer");
	if (!is_audience(tree_member(claims, "aud"), wish->client_id))
		return refuse(err, "its aud is not oidc.client_id alone");
	if (authorized && !text_equal(tree_text(authorized), wish->client_id))
		return refuse(err, "its azp is not oidc.client_id");
	if (!wish->nonce.size || !text_equal_secret(tree_member_text(claims, "nonce"), wish->nonce))
		return refuse(err, "its nonce is not the one that was sent");
	if (!tree_member_text(claims, "sub").size)
		return refuse(err, "it lacks sub");
	return check_times(claims, wish->now_s, err);
}

int id_token_read(struct text token, const struct node *keys, const struct id_token_wish *wish,
	struct arena *arena, const struct node **claims, struct err *err)
{
	struct parts parts;
	const struct node *header, *read;
	if (split(token, arena, &parts, err) < 0 ||
		read_object(parts.header, arena, "header", &header, err) < 0 ||
		check_signature(&parts, header, keys, arena, err) < 0 ||
		read_object(parts.claims, arena, "claims", &read, err) < 0 ||
		check_claims(read, wish, err) < 0)
		return -1;
	*claims = read;
	return 0;
}
