/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A raw HTTP client for tests: sends exactly the bytes it is told, reads one answer at a time. */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum { SOCKET_REPLY_BYTES = 32 * 1024, SOCKET_WAIT_MS = 10000 };

struct socket_reply {
	int status; /* 0: the peer closed before a whole answer; -1: time ran out */
	char head[SOCKET_REPLY_BYTES];
	char body[SOCKET_REPLY_BYTES];
	size_t body_size;
};

/** Connected to 127.0.0.1; aborts the test otherwise. */
int socket_open(unsigned port);

/** false when the peer does not take it. */
bool socket_send(int fd, struct text bytes);
bool socket_send_string(int fd, const char *string);

/** POST with a Content-Length; @headers are whole lines or "". */
bool socket_post(int fd, const char *path, const char *headers, struct text body);

/** Reads one answer, not a byte more. */
void socket_read(int fd, struct socket_reply *reply, int wait_ms);

/** Connects, posts, reads the answer, closes; gives the status. */
int socket_post_once(unsigned port, const char *path, const char *headers, struct text body,
	struct socket_reply *reply);

/** true once the peer has closed (what still comes is thrown away). */
bool socket_is_closed(int fd, int wait_ms);
