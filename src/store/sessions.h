/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sessions of browsers and the links that begin them. Only digests are stored. */

#include "base/arena.h"
#include "model/credential.h"
#include "store/connection.h"

enum { SESSIONS_MAX = 10000, ENDED_KEPT_S = 30 * 86400 };

/**
 * Adds a session; session->id is set. Of the same person's, the one least lately used ends beyond
 * SESSIONS_PER_PERSON. ERR_LIMIT: SESSIONS_MAX of others run.
 */
CHECKED int session_insert(
	struct connection *connection, struct session *session, int64_t now_ns, struct err *err);

/** Ends a session. *ended: it ran until now. */
CHECKED int session_end(
	struct connection *connection, uint64_t id, int64_t now_ns, bool *ended, struct err *err);

/** Ends all sessions of a token, and its links. */
CHECKED int sessions_end_of(
	struct connection *connection, uint64_t token, int64_t now_ns, struct err *err);

CHECKED int session_used(
	struct connection *connection, uint64_t id, int64_t now_ns, struct err *err);

/** Adds a link. Beyond LINKS_PER_TOKEN the token's oldest one goes. */
CHECKED int sign_in_link_insert(
	struct connection *connection, const struct sign_in_link *link, struct err *err);

/** Uses a link up. *token: what it is for; 0: there is none in force with this digest. */
CHECKED int sign_in_link_use(struct connection *connection, const struct digest *digest,
	int64_t now_ns, uint64_t *token, struct err *err);

/** Sessions and links that may be in force, into the set's members; texts in @arena. */
CHECKED int sessions_list(struct connection *connection, struct arena *arena,
	struct credential_set *set, struct err *err);
