/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the server's connections need of tls.c. Private to net/. */

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "base/snapshot.h"
#include "net/tls.h"

/** TLS 1.2 and newer. */
extern const char *const tls_priorities;

/**
 * Gives a session that has not begun its handshake the certificates of now.
 *
 * They stay loaded until the caller lets go of *identity (snapshot_unref), after the session's end.
 */
CHECKED bool tls_session_start(
	struct tls_server *tls, gnutls_session_t session, struct snapshot **identity);

/**
 * The subject of the client's certificate, if it gave one that the client_ca vouches for.
 *
 * RFC 4514 form, NUL-terminated, as gnutls writes it; owned by the caller. NULL: none, with *err of
 * kind ERR_NONE; or it counts for nothing, and *err says why (ERR_DENIED). After the handshake
 * only.
 */
char *tls_session_subject(gnutls_session_t session, struct err *err);
