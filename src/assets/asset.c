/* SPDX-License-Identifier: Apache-2.0 */
#include "assets/asset.h"

#include <assert.h>

#include "web_assets.h"

enum { N_ASSETS = sizeof web_assets / sizeof web_assets[0] };

static const struct asset *find(struct text name)
{
	for (size_t i = 0; i < N_ASSETS; i++)
		if (text_is(name, web_assets[i].name))
			return &web_assets[i];
	return NULL;
}

const char *asset_url(const char *name)
{
	const struct asset *asset = find(text_of(name));
	assert(asset);
	return asset->url;
}

const struct asset *asset_find(struct text bundle, struct text name)
{
	return text_is(bundle, WEB_BUNDLE) ? find(name) : NULL;
}

const struct asset *asset_all(size_t *n)
{
	*n = N_ASSETS;
	return web_assets;
}

/* "q=0", "q=0.000": not at all. */
static bool is_refused(struct text parameter)
{
	struct text weight = text_trim(parameter);
	if (!text_equal_nocase(text_part(weight, 0, 2), TEXT("q=")))
		return false;
	for (size_t i = 2; i < weight.size; i++)
		if (weight.data[i] != '0' && weight.data[i] != '.')
			return false;
	return true;
}

bool asset_takes_gzip(struct text accept_encoding)
{
	struct text item, coding;
	while (text_split(&accept_encoding, ',', &item)) {
		if (!text_split(&item, ';', &coding))
			continue;
		if (text_equal_nocase(text_trim(coding), TEXT("gzip")))
			return !is_refused(item);
	}
	return false;
}

bool asset_tag_listed(struct text list, const char *tag)
{
	struct text item;
	while (text_split(&list, ',', &item)) {
		item = text_trim(item);
		if (text_starts(item, TEXT("W/")))
			item = text_part(item, 2, item.size);
		if (text_is(item, tag) || text_is(item, "*"))
			return true;
	}
	return false;
}
