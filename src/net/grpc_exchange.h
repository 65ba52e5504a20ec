/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The client's side of one call. Private to net/. */

#include "net/grpc_client.h"
#include "net/h2_connection.h"

/* Where it happens. */
struct exchange_place {
	struct h2_connection *connection;
	struct loop *loop;
	const char *authority;
	bool is_plain;
	size_t message_bytes_max;
};

CHECKED int grpc_exchange_begin(struct grpc_exchange **out, const struct exchange_place *place,
	const struct grpc_exchange_options *options, struct err *err);
/** All of a connection: `finished` is called with CANCELLED, nothing follows. */
void grpc_exchanges_cancel(struct h2_connection *connection);
