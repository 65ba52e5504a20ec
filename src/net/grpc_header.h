/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How gRPC writes things into header fields. Pure; private to net/.
 * Source: grpc/grpc doc/PROTOCOL-HTTP2.md.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "net/grpc_status.h"

/** "100m" (at most 8 digits and one of HMSmun), rounded up to milliseconds; false: it is none. */
bool grpc_timeout_read(struct text text, int64_t *timeout_ms);
enum { GRPC_TIMEOUT_BYTES = 16 };
/** 1 ms and more, in the finest unit that fits. */
void grpc_timeout_write(int64_t timeout_ms, char out[GRPC_TIMEOUT_BYTES]);

/** grpc-message: all but printable ASCII, and '%', as %XX. */
void grpc_message_write(struct buf *out, struct text message);
/** What is no escape stays as it is. In @arena. */
struct text grpc_message_read(struct text text, struct arena *arena);

/** A value of a name that ends in "-bin"; base64_read reads it. */
void grpc_binary_write(struct buf *out, struct text bytes);

/** Is it "application/grpc", alone or followed by '+' or ';'? */
bool grpc_content_type_is_ours(struct text value);
/** Has the comma-separated list the word "gzip"? */
bool grpc_takes_gzip(struct text accept_encoding);
/** What a status of HTTP means where there is none of gRPC. */
enum grpc_code grpc_code_of_http(unsigned status);
