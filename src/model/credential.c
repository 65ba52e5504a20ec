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
	unsigned char random[32];
	digest_random(random, sizeof random);
	memcpy(out, "tsn_", 4);
	base64url_write(random, sizeof random, out + 4);
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

bool credential_is_held(const struct credential *credential, struct text subject)
{
	return credential->subject.size == 0 || text_equal(credential->subject, subject);
}

const struct credential *credential_of_id(
	const struct credential_set *set, uint64_t id, int64_t now_ns)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i].id == id)
			return in_force(&set->items[i], now_ns) ? &set->items[i] : NULL;
	return NULL;
}

bool credential_is_in_force(const struct credential_set *set, uint64_t id, int64_t now_ns)
{
	return credential_of_id(set, id, now_ns) != NULL;
}

/* A session ends with its token, too. */
static bool session_in_force(const struct credential_set *set, const struct session *session,
	int64_t now_ns, int64_t idle_ns)
{
	if (now_ns >= session->expires_at_ns || now_ns - session->used_at_ns >= idle_ns)
		return false;
	return session->token == 0 || credential_is_in_force(set, session->token, now_ns);
}

const struct session *session_find(
	const struct credential_set *set, struct text cookie, int64_t now_ns, int64_t idle_ns)
{
	const struct session *found = NULL;
	struct digest digest = digest_of(cookie);
	for (size_t i = 0; i < set->n_sessions; i++)
		if (text_equal_secret(digest_text(&set->sessions[i].digest), digest_text(&digest)))
			found = &set->sessions[i];
	return found && session_in_force(set, found, now_ns, idle_ns) ? found : NULL;
}

const struct session *session_of_id(
	const struct credential_set *set, uint64_t id, int64_t now_ns, int64_t idle_ns)
{
	for (size_t i = 0; i < set->n_sessions; i++)
		if (set->sessions[i].id == id)
			return session_in_force(set, &set->sessions[i], now_ns, idle_ns)
				       ? &set->sessions[i]
				       : NULL;
	return NULL;
}

const struct sign_in_link *sign_in_link_find(
	const struct credential_set *set, struct text text, int64_t now_ns)
{
	const struct sign_in_link *found = NULL;
	struct digest digest = digest_of(text);
	for (size_t i = 0; i < set->n_links; i++)
		if (text_equal_secret(digest_text(&set->links[i].digest), digest_text(&digest)))
			found = &set->links[i];
	if (!found || now_ns >= found->expires_at_ns)
		return NULL;
	return credential_is_in_force(set, found->token, now_ns) ? found : NULL;
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

static void copy_credential(
	const struct credential *from, struct arena *arena, struct credential *copy)
{
	*copy = *from;
	copy->name = arena_copy(arena, from->name);
	copy->cluster = arena_copy(arena, from->cluster);
	copy->node = arena_copy(arena, from->node);
	copy->subject = arena_copy(arena, from->subject);
	copy->scope = scope_copy(&from->scope, arena);
}

static void copy_session(const struct session *from, struct arena *arena, struct session *copy)
{
	*copy = *from;
	copy->name = arena_copy(arena, from->name);
	copy->subject = arena_copy(arena, from->subject);
	copy->address = arena_copy(arena, from->address);
	copy->scope = scope_copy(&from->scope, arena);
}

struct credential_set *credential_set_new(const struct credential_set *from)
{
	struct owned_set *owned = calloc(1, sizeof *owned);
	if (!owned)
		return NULL;
	struct credential_set *set = &owned->set;
	struct arena *arena = &owned->arena;
	arena_init(arena, SIZE_MAX);
	set->snapshot.free = free_set;
	set->n = from->n;
	set->n_sessions = from->n_sessions;
	set->n_links = from->n_links;
	set->items = arena_array(arena, from->n, sizeof *set->items);
	set->sessions = arena_array(arena, from->n_sessions, sizeof *set->sessions);
	set->links = arena_array(arena, from->n_links, sizeof *set->links);
	for (size_t i = 0; i < from->n && set->items; i++)
		copy_credential(&from->items[i], arena, &set->items[i]);
	for (size_t i = 0; i < from->n_sessions && set->sessions; i++)
		copy_session(&from->sessions[i], arena, &set->sessions[i]);
	if (set->links && from->n_links)
		memcpy(set->links, from->links, from->n_links * sizeof *set->links);
	if (arena->failed) {
		free_set(&set->snapshot);
		return NULL;
	}
	return set;
}
