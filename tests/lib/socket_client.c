/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/socket_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

int socket_open(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		perror("connect");
		abort();
	}
	return fd;
}

bool socket_send(int fd, struct text bytes)
{
	while (bytes.size) {
		ssize_t n = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes = text_part(bytes, (size_t)n, bytes.size);
	}
	return true;
}

bool socket_send_string(int fd, const char *string)
{
	return socket_send(fd, text_of(string));
}

bool socket_post(int fd, const char *path, const char *headers, struct text body)
{
	struct buf out;
	buf_init(&out, (size_t)256 * 1024 * 1024);
	buf_addf(&out, "POST %s HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n", path,
		headers, body.size);
	buf_add(&out, body);
	bool sent = socket_send(fd, buf_text(&out));
	buf_done(&out);
	return sent;
}

/* One byte at a time would be slow: peeks, then takes what belongs to this answer. */
static ssize_t read_some(int fd, char *out, size_t size, int64_t until_ms, int flags)
{
	int64_t left = until_ms - clock_monotonic_ms(&clock_system);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	if (poll(&poll_fd, 1, left > 0 ? (int)left : 0) <= 0)
		return -2;
	ssize_t n = recv(fd, out, size, flags);
	return n < 0 ? 0 : n;
}

static int read_head(int fd, struct socket_reply *reply, int64_t until_ms)
{
	size_t used = 0;
	while (used < SOCKET_REPLY_BYTES - 1) {
		ssize_t n = read_some(fd, reply->head + used, 1, until_ms, 0);
		if (n <= 0)
			return n == -2 ? -1 : 0;
		used += (size_t)n;
		reply->head[used] = '\0';
		if (used >= 4 && memcmp(reply->head + used - 4, "\r\n\r\n", 4) == 0)
			return 1;
	}
	return 0;
}

static size_t length_of(const char *head)
{
	const char *at = strcasestr(head, "\r\nContent-Length:");
	return at ? strtoul(at + 17, NULL, 10) : 0;
}

void socket_read(int fd, struct socket_reply *reply, int wait_ms)
{
	int64_t until_ms = clock_monotonic_ms(&clock_system) + wait_ms;
	reply->body_size = 0;
	reply->body[0] = '\0';
	reply->status = read_head(fd, reply, until_ms);
	if (reply->status != 1)
		return;
	size_t length = length_of(reply->head);
	while (reply->body_size < length && length < SOCKET_REPLY_BYTES) {
		ssize_t n = read_some(
			fd, reply->body + reply->body_size, length - reply->body_size, until_ms, 0);
		if (n <= 0) {
			reply->status = n == -2 ? -1 : 0;
			return;
		}
		reply->body_size += (size_t)n;
	}
	reply->body[reply->body_size] = '\0';
	reply->status = (int)strtol(reply->head + 9, NULL, 10);
}

int socket_post_once(unsigned port, const char *path, const char *headers, struct text body,
	struct socket_reply *reply)
{
	int fd = socket_open(port);
	socket_post(fd, path, headers, body); /* the answer says how it went */
	socket_read(fd, reply, SOCKET_WAIT_MS);
	close(fd);
	return reply->status;
}

bool socket_is_closed(int fd, int wait_ms)
{
	int64_t until_ms = clock_monotonic_ms(&clock_system) + wait_ms;
	char scratch[4096];
	for (;;) {
		ssize_t n = read_some(fd, scratch, sizeof scratch, until_ms, 0);
		if (n == 0)
			return true;
		if (n == -2)
			return false;
	}
}
