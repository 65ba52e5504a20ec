/* SPDX-License-Identifier: Apache-2.0 */
#include "access/origin.h"

static bool is_ours(const struct origin *origin)
{
	struct text scheme = origin->tls ? TEXT("https://") : TEXT("http://");
	struct text given = origin->origin;
	if (origin->url.size)
		return text_equal_nocase(given, origin->url);
	return origin->host.size && text_starts(given, scheme) &&
	       text_equal_nocase(text_part(given, scheme.size, given.size), origin->host);
}

bool origin_is_ours(const struct origin *origin, bool form)
{
	bool says_site = origin->fetch_site.size > 0;
	bool says_origin = origin->origin.size > 0;
	if (says_site && !text_is(origin->fetch_site, "same-origin"))
		return false;
	if (form && text_is(origin->origin, "null"))
		return true;
	if (says_origin && !is_ours(origin))
		return false;
	return says_site || says_origin;
}
