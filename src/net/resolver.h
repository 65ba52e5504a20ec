/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A name becomes addresses without holding the loop up: a thread asks. Private to net/.
 */

#include <netdb.h>

#include "base/err.h"
#include "net/loop.h"

struct resolver;

/** @addresses: of the loop from then on (freeaddrinfo), or NULL with *err set. Once. */
typedef void resolver_done(struct addrinfo *addresses, const struct err *err, void *ctx);

struct resolver_options {
	struct loop *loop;
	const char *host; /* a name, or numbers: these, too, are answered from the loop */
	unsigned port;
	resolver_done *done;
	void *ctx;
};

CHECKED int resolver_start(
	struct resolver **out, const struct resolver_options *options, struct err *err);
/** Before `done` was called: it will not be. After it, and NULL: nothing. */
void resolver_free(struct resolver *resolver);
