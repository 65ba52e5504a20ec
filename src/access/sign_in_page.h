/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The page where somebody signs in: works without scripts and styles. Pure. */

#include "base/buf.h"

struct sign_in_page {
	struct text csrf;     /* of the form */
	struct text link;     /* a one-time link was opened; absent: a token is asked for */
	struct text next;     /* where to go afterwards */
	struct text provider; /* an identity provider's name; absent: none is set up */
	struct text problem;  /* what went wrong; absent: nothing */
};

void sign_in_page_write(const struct sign_in_page *page, struct buf *out);

/** A page that leads on to @next by itself: the navigation is then our own, and cookies go along.
 */
void onward_page_write(struct text next, struct buf *out);
