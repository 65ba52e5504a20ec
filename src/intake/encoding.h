/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How a request's body is packed. */

#include "net/http_server.h"

enum encoding { ENCODING_NONE, ENCODING_GZIP, ENCODING_ZSTD };

/** A Content-Encoding; false: none that is known. */
bool encoding_parse(struct text word, enum encoding *out);

/** Takes the body out of the request, expanded, at most @max_bytes; the caller frees *body.
 * ERR_LIMIT, ERR_INPUT, ERR_MEMORY. */
CHECKED int encoding_take_body(struct http_request *request, enum encoding encoding,
	size_t max_bytes, char **body, size_t *size, struct err *err);
