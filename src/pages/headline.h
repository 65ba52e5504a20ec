/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The title of an incident in the reader's language: documents have it in English. */

#include "pages/page.h"

/**
 * The whole title, composed of our words as model/title.c composes it; names of rules and places
 * stay as they are. A title that is composed otherwise stays English. Text in the page's arena.
 */
struct text headline(const struct page *page, struct text title);

/** The same without its place, where it ends in "in @place": a list says that beside it. */
struct text headline_beside(const struct page *page, struct text title, struct text place);
