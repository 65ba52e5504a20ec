/* SPDX-License-Identifier: Apache-2.0 */
#include "model/credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static const char *const role_names[] = {
	[ROLE_SOURCE] = "source",
	[ROLE_VIEWER] = "viewer",
	[ROLE_ANALYST] = "analyst",
	[ROLE_RESPONDER] = "responder",
	[ROLE_ADMIN] = "admin",
};

const char *role_name(enum role role)
{
	return role_names[role];
}

bool role_parse(struct text word, enum role *out)
{
	for (unsigned i = ROLE_SOURCE; i <= ROLE_ADMIN; i++)
		if (text_is(word, role_names[i])) {
			*out = (enum role)i;
			return true;
		}
	return false;
}

bool role_includes(enum role role, enum role wanted)
{
	if (role == ROLE_SOURCE || wanted == ROLE_SOURCE)
		return role == wanted;
	return role >= wanted;
}

bool credential_may_send(const struct credential *credential, enum source source)
{
	return credential->role == ROLE_SOURCE && (credential->sources & 1U << source) != 0;
}

void token_make(char out[TOKEN_TEXT_BYTES], struct digest *digest)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char random[33] = {0};
	size_t at = 4;
	digest_random(random, 32);
	memcpy(out, "tsn_", 4);
	for (size_t i = 0; i < 33; i += 3) {
		unsigned group =
			(unsigned)random[i] << 16 | (unsigned)random[i + 1] << 8 | random[i + 2];
		for (unsigned shift = 24; shift > 0 && at < 47; shift -= 6)
			out[at++] = letters[group >> (shift - 6) & 63];
	}
	out[at] = '\0';
	explicit_bzero(random, sizeof random);
	*digest = digest_of(text_of(out));
}

static bool in_force(const struct credential *credential, int64_t now_ns)
{
	return credential->revoked_at_ns == 0 &&
	       (credential->expires_at_ns == 0 || now_ns < credential->expires_at_ns);
}

static struct text digest_text(const struct digest *digest)
{
	return (struct text){(const char *)digest->bytes, DIGEST_BYTES};
}

const struct credential *credential_find(
	const struct credential_set *set, struct text token, int64_t now_ns)
{
	const struct credential *found = NULL;
	struct digest digest = digest_of(token);
	for (size_t i = 0; i < set->n; i++) {
		const struct credential *item = &set->items[i];
		bool same = text_equal_secret(digest_text(&item->digest), digest_text(&digest));
		if (same && in_force(item, now_ns))
			found = item;
	}
	return found;
}

const struct credential *credential_find_subject(
	const struct credential_set *set, struct text subject, int64_t now_ns)
{
	for (size_t i = 0; i < set->n; i++)
		if (subject.size && text_equal(set->items[i].subject, subject) &&
			in_force(&set->items[i], now_ns))
			return &set->items[i];
	return NULL;
}

bool credential_is_in_force(const struct credential_set *set, uint64_t id, int64_t now_ns)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i].id == id)
			return in_force(&set->items[i], now_ns);
	return false;
}

/* The set and its texts are one arena's, which is freed with the last reference. */
struct owned_set {
	struct credential_set set;
	struct arena arena;
};

static void free_set(struct snapshot *snapshot)
{
	struct owned_set *owned = (struct owned_set *)(void *)snapshot;
	arena_done(&owned->arena);
	free(owned);
}

struct credential_set *credential_set_new(const struct credential *items, size_t n)
{
	struct owned_set *owned = calloc(1, sizeof *owned);
	if (!owned)
		return NULL;
	arena_init(&owned->arena, SIZE_MAX);
	owned->set.snapshot.free = free_set;
	owned->set.items = arena_array(&owned->arena, n, sizeof *items);
	owned->set.n = n;
	for (size_t i = 0; i < n && owned->set.items; i++) {
		struct credential *copy = &owned->set.items[i];
		*copy = items[i];
		copy->name = arena_copy(&owned->arena, copy->name);
		copy->cluster = arena_copy(&owned->arena, copy->cluster);
		copy->node = arena_copy(&owned->arena, copy->node);
		copy->subject = arena_copy(&owned->arena, copy->subject);
	}
	if (owned->arena.failed) {
		free_set(&owned->set.snapshot);
		return NULL;
	}
	return &owned->set;
}
