/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Signing in by an identity provider, on the loop's thread; asking it is access/oidc.h's. */

#include "console/sign_in.h"

/** Nothing is started where no issuer is set. ERR_INPUT: a setting is wrong. */
CHECKED int sign_in_oidc_start(struct console *console, struct err *err);
void sign_in_oidc_stop(struct console *console);
void sign_in_oidc_free(struct sign_in_oidc *sign_in); /* accepts NULL; after http_server_stop */

/** The provider's name; absent: none is set up. */
struct text sign_in_provider(const struct console *console);
