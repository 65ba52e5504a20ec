/* SPDX-License-Identifier: Apache-2.0 */
#include "net/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"

static void read_v4(const unsigned char bytes[4], struct peer *peer)
{
	inet_ntop(AF_INET, bytes, peer->text, PEER_BYTES);
	peer->is_loopback = bytes[0] == 127;
}

/* IPv4 behind an IPv6 socket is shown, counted and trusted as IPv4. */
static void read_v6(const struct in6_addr *address, struct peer *peer)
{
	if (IN6_IS_ADDR_V4MAPPED(address)) {
		read_v4(address->s6_addr + 12, peer);
		return;
	}
	inet_ntop(AF_INET6, address, peer->text, PEER_BYTES);
	peer->is_loopback = IN6_IS_ADDR_LOOPBACK(address);
}

void peer_read(const struct sockaddr *address, struct peer *peer)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	unsigned char bytes[4];
	*peer = (struct peer){{0}, false};
	switch (address->sa_family) {
	case AF_INET:
		memcpy(&in, address, sizeof in);
		memcpy(bytes, &in.sin_addr, sizeof bytes);
		read_v4(bytes, peer);
		return;
	case AF_INET6:
		memcpy(&in6, address, sizeof in6);
		read_v6(&in6.sin6_addr, peer);
		return;
	case AF_UNIX:
		text_format(peer->text, PEER_BYTES, "unix");
		peer->is_loopback = true;
		return;
	default:
		return;
	}
}
