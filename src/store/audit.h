/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who did what, when. Each entry's hash covers the one before, so an entry cannot be changed or
 * taken out without changing all that follow.
 */

#include "base/arena.h"
#include "base/digest.h"
#include "store/connection.h"

struct audit_entry {
	uint64_t id; /* set by audit_append */
	int64_t time_ns;
	struct text actor;  /* "token:NAME", "local" */
	struct text action; /* "token.create" */
	struct text target;
	struct text detail; /* JSON */
	struct digest hash; /* set by audit_append */
};

CHECKED int audit_append(struct connection *connection, struct audit_entry *entry, struct err *err);

struct audit_page {
	uint64_t before; /* ids below this; 0: from the newest */
	size_t limit;
	struct arena *arena;
	/* out */
	struct audit_entry *items; /* newest first */
	size_t n;
	uint64_t next_before; /* 0: the end was reached */
};

CHECKED int audit_list(struct connection *connection, struct audit_page *page, struct err *err);

/** *broken_id: the first entry whose hash is wrong, 0 if there is none; *n: entries looked at. */
CHECKED int audit_verify(
	struct connection *connection, uint64_t *n, uint64_t *broken_id, struct err *err);
