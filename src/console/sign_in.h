/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Signing in and out, and what of it lasts between requests. Loop thread only. */

#include "console/api.h"

#define SESSION_COOKIE "tocsin_session"

CHECKED int sign_in_start(struct console *console, struct err *err);
void sign_in_free(struct sign_in *sign_in); /* accepts NULL */

int64_t sign_in_idle_ns(const struct console *console);

/** Tells the writer that a session is used, once a minute. */
void sign_in_note_use(struct console *console, const struct session *session, int64_t now_ns);
