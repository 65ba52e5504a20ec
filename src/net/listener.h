/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A listening socket, of TCP or of a path, and who connects. Private to net/. */

#include <stdbool.h>

#include "base/err.h"

enum { PEER_BYTES = 48 };

struct peer {
	char text[PEER_BYTES]; /* "192.0.2.1", "2001:db8::1", "unix"; IPv4 in IPv6 as IPv4 */
	bool is_loopback;      /* of this machine */
};

struct listener_options {
	const char *address;   /* "127.0.0.1", "::1", "0.0.0.0" … */
	unsigned port;         /* 0: any free one */
	const char *unix_path; /* instead of both; NULL */
};

/** The socket does not block. A path that nobody listens at any more is taken over; its socket is
 * for the owner only (0600). */
CHECKED int listener_open(
	const struct listener_options *options, int *fd, unsigned *port, struct err *err);
/** What our TCP sockets have: no delay, and an end when the other side is gone (two minutes). */
void socket_tune(int fd);
/** One connection, not blocking. -1: none now; -2: no descriptors or memory, try later. */
int listener_accept(int fd, struct peer *peer);
