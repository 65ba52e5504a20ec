/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who asks for something, and what they may see: one request's. Made once, when the request's
 * header is there; all that answers it (documents, pages, decisions) reads it from here.
 */

#include "model/credential.h"

struct viewer {
	enum sign_in_way way; /* SIGN_IN_BEARER, SIGN_IN_CERTIFICATE: without a session */
	uint64_t token;       /* what it stands for; 0: a person of the identity provider */
	uint64_t session;     /* 0: none */
	struct text name;
	struct text subject; /* of a person: as their provider knows them */
	struct text actor;   /* for the audit trail: "token:ann", "oidc:ann@example.com" */
	enum role role;
	struct scope scope;
	struct text csrf;        /* what state-changing requests must say; absent: no session */
	int64_t signed_in_at_ns; /* 0: no session */
	int64_t expires_at_ns;   /* of the session or the token; 0: never */
};

/** "ann may see everything": nothing is hidden from this viewer. */
static inline bool viewer_sees_all(const struct viewer *viewer)
{
	return viewer && scope_is_all(&viewer->scope);
}
