/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A connected socket that does not block, in the clear or under TLS. Private to net/.
 *
 * Reads and writes do what they can at once. Under TLS a read may have to write and the other way
 * round: transport_wants_write says what to wait for beside reading.
 */

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/snapshot.h"
#include "net/tls.h"

struct transport {
	int fd;                    /* owned */
	gnutls_session_t session;  /* NULL: in the clear */
	struct snapshot *identity; /* of a server's session: held until its end */
	gnutls_certificate_credentials_t credentials; /* of a client's session; NULL: none */
	char *host;                                   /* likewise: whose certificate it must be */
	bool is_connecting; /* set by a client: the first event tells whether it worked */
	bool is_handshaking;
	bool wants_write; /* the handshake does */
	int read_code;    /* of gnutls: why nothing more can be read; 0: more may come */
};

/** Takes @fd, which must not block. */
void transport_init(struct transport *transport, int fd);
/** TLS as a server with HTTP/2 offered (ALPN), or as a client that wants it. */
CHECKED int transport_serve_tls(
	struct transport *transport, struct tls_server *tls, struct err *err);

struct transport_client_tls {
	const char *host;        /* whose certificate it must be */
	const char *ca_file;     /* PEM; NULL: the system's */
	const char *certificate; /* PEM; NULL: none */
	const char *key;
};
CHECKED int transport_use_tls(
	struct transport *transport, const struct transport_client_tls *options, struct err *err);
/** Closes. */
void transport_done(struct transport *transport);

/** 1: done (or nothing to do); 0: wait; -1: it failed. */
CHECKED int transport_handshake(struct transport *transport, struct err *err);

/** Bytes, as many as there are (in 64 records of TLS at most); 0: none now; -1: the peer has closed
 * (kind ERR_NONE), or *err is set. */
CHECKED ssize_t transport_read(
	struct transport *transport, void *out, size_t size, struct err *err);
/** Bytes taken; 0: none now; -1: *err is set. */
CHECKED ssize_t transport_write(
	struct transport *transport, const void *bytes, size_t size, struct err *err);
/** Are there bytes, or an end, that no socket event will tell of? */
bool transport_has_more(const struct transport *transport);
/** Has the peer's machine got every byte that was taken by transport_write? */
bool transport_is_delivered(const struct transport *transport);
