/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What somebody who asks for a token wants. Strict, because whatever is overlooked here is a right
 * that nobody meant to give: unknown members, other types and nested objects are refused.
 */

#include "base/arena.h"
#include "base/err.h"
#include "model/credential.h"

/**
 * Reads {"name", "role", "cluster", "sources": [], "node", "namespaces": [], "expires"} into a
 * credential without digest; all but the name may be absent. Text in *out lives in @arena. Fails
 * with ERR_INPUT or ERR_LIMIT.
 */
CHECKED int token_wish_read(
	struct text body, struct arena *arena, struct credential *out, struct err *err);
