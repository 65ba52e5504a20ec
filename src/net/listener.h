/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A listening socket, of TCP or of a path, and who connects. Private to net/. */

#include "base/err.h"
#include "net/peer.h"

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
