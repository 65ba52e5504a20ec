/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What tocsind was told: flags beat the environment (TOCSIN_DATA …). */

#include <stdbool.h>

#include "base/err.h"

struct options {
	const char *data;
	char address[64];
	unsigned port;
	char metrics_address[64]; /* "": off */
	unsigned metrics_port;
	const char *tls_certificate, *tls_key, *tls_client_ca; /* NULL: none */
	bool tls_off; /* said explicitly: plain HTTP beyond loopback */
	bool check_only;
	bool help, version;
};

/** ERR_INPUT: a flag is wrong; ERR_DENIED: the flags do not go together. */
CHECKED int options_read(struct options *options, int argc, char **argv, struct err *err);

extern const char options_usage[];
