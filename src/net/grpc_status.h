/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How a call ended, in gRPC's own numbers (they are on the wire). */

#include "base/text.h"

enum grpc_code {
	GRPC_OK = 0,
	GRPC_CANCELLED = 1,
	GRPC_UNKNOWN = 2,
	GRPC_INVALID_ARGUMENT = 3,
	GRPC_DEADLINE_EXCEEDED = 4,
	GRPC_NOT_FOUND = 5,
	GRPC_ALREADY_EXISTS = 6,
	GRPC_PERMISSION_DENIED = 7,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_FAILED_PRECONDITION = 9,
	GRPC_ABORTED = 10,
	GRPC_OUT_OF_RANGE = 11,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_INTERNAL = 13,
	GRPC_UNAVAILABLE = 14,
	GRPC_DATA_LOSS = 15,
	GRPC_UNAUTHENTICATED = 16,
};

struct grpc_status {
	enum grpc_code code;
	struct text message; /* UTF-8, for people */
	struct text details; /* grpc-status-details-bin: a google.rpc.Status, serialised; absent:
				none */
};

/** "UNAVAILABLE"; "UNKNOWN" for numbers that are none. */
const char *grpc_code_name(enum grpc_code code);
