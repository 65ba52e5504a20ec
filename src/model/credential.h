/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who may do what: hashed tokens with a role, bound to a cluster, to sources and perhaps to a node,
 * or to the namespaces that are seen; and the sessions of browsers that stand for them.
 *
 * A token is "tsn_" and 43 characters of base64url (32 random bytes); only its SHA-256 is stored
 * and compared. All threads read one immutable set; the writer publishes a new one after each
 * change.
 */

#include "base/digest.h"
#include "base/snapshot.h"
#include "model/role.h"
#include "model/session.h"
#include "model/source.h"

struct credential {
	uint64_t id; /* ≥ 1 */
	struct text name;
	enum role role;
	struct text cluster;  /* source: the cluster it speaks for */
	uint32_t sources;     /* source: bit 1 << enum source */
	struct text node;     /* absent: any */
	struct scope scope;   /* viewer to responder: what it sees */
	struct digest digest; /* SHA-256 of the token */
	struct text
		subject; /* client certificate subject that stands for the token; absent: none */
	int64_t created_at_ns;
	int64_t revoked_at_ns; /* 0: in force */
	int64_t expires_at_ns; /* 0: never */
};

struct credential_set {
	struct snapshot snapshot; /* first */
	struct credential *items; /* ascending by id */
	size_t n;
	/* Not ended and, when they were read, not expired. */
	struct session *sessions; /* ascending by id */
	size_t n_sessions;
	struct sign_in_link *links; /* not used */
	size_t n_links;
};

enum { TOKEN_TEXT_BYTES = 48 };

/** A new random token into @out and its digest. */
void token_make(char out[TOKEN_TEXT_BYTES], struct digest *digest);

/**
 * The credential in force with this token, or NULL. Compares digests in constant time with all of
 * the set, so that the time taken tells nothing about which exist. Borrowed from the set.
 */
const struct credential *credential_find(
	const struct credential_set *set, struct text token, int64_t now_ns);

/** The credential in force with this client certificate subject, or NULL. */
const struct credential *credential_find_subject(
	const struct credential_set *set, struct text subject, int64_t now_ns);

/** The session in force with this cookie, or NULL. Constant time, as credential_find. */
const struct session *session_find(
	const struct credential_set *set, struct text cookie, int64_t now_ns, int64_t idle_ns);

/** The session in force with this id, or NULL. */
const struct session *session_of_id(
	const struct credential_set *set, uint64_t id, int64_t now_ns, int64_t idle_ns);

/** The link in force with this text, whose token is in force, or NULL. Constant time. */
const struct sign_in_link *sign_in_link_find(
	const struct credential_set *set, struct text text, int64_t now_ns);

/** Does who holds the token show the certificate that goes with it? One without a subject needs
 * none; @subject is the caller's, absent if there is none. */
bool credential_is_held(const struct credential *credential, struct text subject);

/** The credential in force with this id, or NULL. */
const struct credential *credential_of_id(
	const struct credential_set *set, uint64_t id, int64_t now_ns);

/** A published copy (deep) of what @from points at, as snapshot_publish takes it; NULL without
 * memory. Its snapshot is not looked at. */
struct credential_set *credential_set_new(const struct credential_set *from);

/** Is the credential of that id still in force? */
bool credential_is_in_force(const struct credential_set *set, uint64_t id, int64_t now_ns);

bool credential_may_send(const struct credential *credential, enum source source);

const char *role_name(enum role role);
bool role_parse(struct text word, enum role *out);

/** ROLE_SOURCE sends and reads nothing; others include what the smaller ones may. */
bool role_includes(enum role role, enum role wanted);
