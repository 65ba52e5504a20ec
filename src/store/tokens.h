/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tokens: who may send and read. Only digests are stored. */

#include "base/arena.h"
#include "model/credential.h"
#include "store/connection.h"

/** Adds a token; credential->id is set. ERR_INPUT when the name is taken. */
CHECKED int token_insert(
	struct connection *connection, struct credential *credential, struct err *err);

/** Takes a token out of force, with its sessions and sign-in links. ERR_MISSING when there is none
 * in force with this id. */
CHECKED int token_revoke(
	struct connection *connection, uint64_t id, int64_t now_ns, struct err *err);

struct credential_list {
	struct credential *items;
	size_t n;
};

/** All tokens ever made, by id; texts in @arena. */
CHECKED int tokens_list(struct connection *connection, struct arena *arena,
	struct credential_list *out, struct err *err);

/** All tokens, sessions and links as a set that snapshot_publish takes. */
CHECKED int tokens_load(
	struct connection *connection, struct credential_set **out, struct err *err);
