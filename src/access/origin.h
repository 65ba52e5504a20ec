/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Does a request that changes something come from a page of our own? Browsers say where it comes
 * from (Sec-Fetch-Site, Origin) and pages cannot forge that. Pure.
 */

#include "base/text.h"

struct origin {
	struct text fetch_site; /* Sec-Fetch-Site; absent over plain HTTP beyond loopback */
	struct text origin;     /* Origin */
	struct text host;       /* Host, as the browser sent it */
	struct text url;        /* what browsers use, as https://tocsin.example.com; absent: Host */
	bool tls;               /* without url: is Origin https? */
};

/**
 * Both headers that are there must say "same origin"; one of them must be there. Exception: where
 * @form, an Origin "null" is as none at all, because that is what browsers send with a form of a
 * page whose Referrer-Policy is no-referrer; the form's own secret then decides.
 */
bool origin_is_ours(const struct origin *origin, bool form);
