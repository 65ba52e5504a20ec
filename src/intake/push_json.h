/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The JSON form of a PushBatchRequest (proto3's mapping): lowerCamelCase or original names, bytes
 * as base64, 64-bit numbers as strings or numbers. Pure; fuzzed.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/** The same message on the wire. ERR_INPUT says which member; ERR_LIMIT, ERR_MEMORY. */
CHECKED int push_json_read(struct text json, struct arena *arena, struct buf *out, struct err *err);
