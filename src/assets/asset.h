/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files of the console as they were when the daemon was built. Everything here lives as long as
 * the program and never changes: what is under an address today is under it for ever.
 */

#include "base/text.h"

struct asset {
	const char *name; /* "app.js" */
	const char *url;  /* "/assets/0123456789abcdef/app.js" */
	const char *type;
	struct text plain;
	struct text zipped; /* gzip; used when it is smaller and wanted */
	const char *tag;    /* of the plain bytes, an entity tag with its quotes */
	const char *zipped_tag;
};

/** The address of @name in pages. @name is a literal of our own: no such file is a mistake, and
 * ends the program. */
const char *asset_url(const char *name);

/** NULL: nothing has this name in the folder @bundle. */
const struct asset *asset_find(struct text bundle, struct text name);

/** All files; *n of them. For tests. */
const struct asset *asset_all(size_t *n);

/** Does a list like "br, gzip;q=0.5" take gzip? Absent: no. */
bool asset_takes_gzip(struct text accept_encoding);

/** Is @tag in a list like "\"a\", W/\"b\"" (If-None-Match), or the list "*"? */
bool asset_tag_listed(struct text list, const char *tag);
