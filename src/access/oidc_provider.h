/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An identity provider as its client sees it: what it says of itself (OpenID Connect
 * Discovery 1.0), its keys, its token and user information endpoints. One thread at a time; every
 * call may block for some seconds.
 */

#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/tree.h"

struct provider;

struct provider_options {
	const char *issuer, *client_id, *client_secret_file, *redirect_url, *scopes, *ca_file;
	const struct clock *clock;
	const atomic_bool *stops; /* no further call is begun */
};

struct provider *provider_new(const struct provider_options *options); /* NULL without memory */
void provider_free(struct provider *provider);                         /* accepts NULL */

struct provider_authorization {
	struct text state, nonce, challenge;
};

/** Where the browser goes. Text in @arena. */
CHECKED int provider_authorize(struct provider *provider,
	const struct provider_authorization *authorization, struct arena *arena,
	struct text *location, struct err *err);

struct provider_exchange {
	struct text code, verifier, nonce;
	int64_t now_s;
	struct text access_token; /* out; absent: none was given */
};

/** Gives the code back for an ID token, and checks it. ERR_DENIED: refused, by it or by us. */
CHECKED int provider_exchange(struct provider *provider, struct provider_exchange *exchange,
	struct arena *arena, const struct node **claims, struct err *err);

/** What else it says of the person; *info NULL: it has no such endpoint. */
CHECKED int provider_user_info(struct provider *provider, const struct provider_exchange *exchange,
	struct text subject, struct arena *arena, const struct node **info, struct err *err);
