/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Throw-away certificates, as PEM files in a folder. Aborts on failure. */

struct certificate_files {
	char folder[256];
	char authority[300];   /* "…/NAME-ca.pem": vouches for the two others */
	char certificate[300]; /* for 127.0.0.1 and localhost */
	char key[300];
	char client[300];
	char client_key[300];
};

/** Writes a new authority with a server's and a client's certificate; @client_name is its CN. */
void certificates_make(struct certificate_files *files, const char *folder, const char *name,
	const char *client_name);
