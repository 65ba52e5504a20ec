/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A browser that is signed in. It stands for a token, or for a person whom an identity provider
 * vouches for. Its secret is 32 random bytes in a cookie; only their SHA-256 is stored and
 * compared. A sign-in link is a secret that may begin one session, once.
 */

#include "base/base64.h"
#include "base/digest.h"
#include "base/text.h"
#include "model/role.h"
#include "model/scope.h"

/* Stored: numbers never change. */
enum sign_in_way {
	SIGN_IN_LINK = 1,
	SIGN_IN_TOKEN = 2,
	SIGN_IN_OIDC = 3,
	/* no session is made for these */
	SIGN_IN_BEARER = 4,
	SIGN_IN_CERTIFICATE = 5
};

struct session {
	uint64_t id;    /* ≥ 1 */
	uint64_t token; /* it ends with this; 0: of a person */
	struct text name;
	struct text subject; /* of a person, as their provider knows them; absent for tokens */
	enum role role;
	struct scope scope;
	enum sign_in_way way;
	struct digest digest; /* SHA-256 of the cookie's text */
	struct text address;  /* of the peer that signed in */
	int64_t created_at_ns;
	int64_t used_at_ns; /* up to a minute behind */
	int64_t expires_at_ns;
};

struct sign_in_link {
	struct digest digest; /* SHA-256 of its text */
	uint64_t token;
	int64_t expires_at_ns;
};

enum {
	SECRET_TEXT_BYTES = BASE64URL_32_BYTES,
	SESSIONS_PER_PERSON = 32, /* then the one least lately used ends */
	LINKS_PER_TOKEN = 16,     /* not used; then the oldest ends */
	LINK_LIFE_S = 600,
};

/** 32 random bytes as base64url into @out, and the SHA-256 of that text. */
void secret_make(char out[SECRET_TEXT_BYTES], struct digest *digest);

/** What a state-changing request with the session's cookie must say: follows from the cookie. */
void csrf_of(struct text cookie, char out[SECRET_TEXT_BYTES]);

/** "link", "token", "oidc", "bearer", "certificate" */
const char *sign_in_way_name(enum sign_in_way way);
