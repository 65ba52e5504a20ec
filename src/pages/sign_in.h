/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where somebody signs in. Works without scripts. */

#include "pages/page.h"

struct sign_in_form {
	struct text csrf;     /* of the form */
	struct text link;     /* a one-time link was opened; absent: a token is asked for */
	struct text next;     /* where to go afterwards */
	struct text provider; /* an identity provider's name; absent: none is set up */
	struct text problem;  /* what went wrong; absent: nothing */
};

void page_sign_in(struct page *page, const struct sign_in_form *form);
