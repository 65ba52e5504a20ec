/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Certificates of our servers (GnuTLS): loaded from PEM files, reloaded without a restart. */

#include "base/err.h"

struct tls_server;

struct tls_server_options {
	const char *certificate; /* PEM file: chain */
	const char *key;         /* PEM file */
	const char *
		client_ca; /* PEM file: client certificates are asked for and verified; NULL: not */
};

CHECKED int tls_server_new(
	struct tls_server **out, const struct tls_server_options *options, struct err *err);
void tls_server_free(struct tls_server *tls); /* accepts NULL */

/** Reads the files again; on failure the old certificates stay in use. */
CHECKED int tls_server_reload(struct tls_server *tls, struct err *err);
