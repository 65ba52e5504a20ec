/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Who is at the other end of a socket. Private to net/. */

#include <stdbool.h>
#include <sys/socket.h>

enum { PEER_BYTES = 48 };

struct peer {
	char text[PEER_BYTES]; /* "192.0.2.1", "2001:db8::1", "unix"; IPv4 in IPv6 as IPv4 */
	bool is_loopback;      /* of this machine */
};

/** @address is as long as its family says; one of an unknown family gives "" and no loopback. */
void peer_read(const struct sockaddr *address, struct peer *peer);
