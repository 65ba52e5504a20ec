/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Times for people: how long ago, the clock, the date; each with the whole of it as title. */

#include "pages/page.h"

enum moment_form {
	MOMENT_AGO,   /* "3 min" */
	MOMENT_CLOCK, /* "02:53:07" */
	MOMENT_FULL,  /* "2026-11-25 02:53:07" */
};

/** A time element; a dash when @wall_ns is 0. Scripts write it again in the zone they know. */
void moment_write(struct page *page, int64_t wall_ns, enum moment_form form);

/** "3 min", "2 h 5 min", "4 d", in the page's arena. */
struct text moment_span(const struct page *page, int64_t span_ns);

/** "2026-11-25 02:53:07 UTC" in the reader's zone, in the page's arena. */
struct text moment_text(const struct page *page, int64_t wall_ns, enum moment_form form);
