/* SPDX-License-Identifier: Apache-2.0 */
#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

enum { BACKLOG = 1024 };

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un path;
	struct sockaddr_storage room;
};

static int open_at(
	const union address *address, socklen_t size, const char *shown, int *out, struct err *err)
{
	int on = 1;
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, errno, "making a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, &address->any, size) < 0 || listen(fd, BACKLOG) < 0) {
		int saved_errno = errno;
		close(fd);
		return err_errno(err, saved_errno, "listening on %s", shown);
	}
	*out = fd;
	return 0;
}

static int open_port(
	const struct listener_options *options, int *fd, unsigned *port, struct err *err)
{
	char shown[96];
	union address address = {0};
	socklen_t size = sizeof address.in;
	text_format(shown, sizeof shown, "%s port %u", options->address, options->port);
	if (inet_pton(AF_INET, options->address, &address.in.sin_addr) == 1) {
		address.in.sin_family = AF_INET;
		address.in.sin_port = htons((uint16_t)options->port);
	} else if (inet_pton(AF_INET6, options->address, &address.in6.sin6_addr) == 1) {
		address.in6.sin6_family = AF_INET6;
		address.in6.sin6_port = htons((uint16_t)options->port);
		size = sizeof address.in6;
	} else {
		return err_set(err, ERR_INPUT, "'%s' is no address to listen on: give numbers",
			options->address);
	}
	if (open_at(&address, size, shown, fd, err) < 0)
		return -1;
	size = sizeof address;
	getsockname(*fd, &address.any, &size); /* cannot fail for a bound socket */
	*port = ntohs(
		address.any.sa_family == AF_INET ? address.in.sin_port : address.in6.sin6_port);
	return 0;
}

/* Is a socket there that nobody listens at? */
static bool is_left_over(const union address *address, socklen_t size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool refused = connect(fd, &address->any, size) < 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int open_path(const char *path, int *fd, struct err *err)
{
	union address address = {.path = {.sun_family = AF_UNIX}};
	socklen_t size = sizeof address.path;
	if (strlen(path) >= sizeof address.path.sun_path)
		return err_set(err, ERR_INPUT, "'%s' is too long for a socket's path (%zu)", path,
			sizeof address.path.sun_path - 1);
	memcpy(address.path.sun_path, path, strlen(path) + 1);
	if (is_left_over(&address, size))
		unlink(path); /* if this fails, so does bind, and says why */
	mode_t before = umask(077);
	int failed = open_at(&address, size, path, fd, err);
	umask(before);
	return failed;
}

int listener_open(const struct listener_options *options, int *fd, unsigned *port, struct err *err)
{
	*port = 0;
	return options->unix_path ? open_path(options->unix_path, fd, err)
				  : open_port(options, fd, port, err);
}

void socket_tune(int fd)
{
	const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, 60},
		{IPPROTO_TCP, TCP_KEEPINTVL, 20},
		{IPPROTO_TCP, TCP_KEEPCNT, 3},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, 120000},
	};
	/* Without them it works all the same. */
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			sizeof options[i].value);
}

int listener_accept(int fd, struct peer *peer)
{
	union address address = {0};
	socklen_t size = sizeof address;
	int made;
	do
		made = accept4(fd, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (made < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (made < 0)
		return errno == EAGAIN ? -1 : -2;
	peer_read(&address.any, peer);
	if (address.any.sa_family != AF_UNIX)
		socket_tune(made);
	return made;
}
