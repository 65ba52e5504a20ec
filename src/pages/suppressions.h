/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is not told of: who hid it, why, until when, and what it hid. */

#include "pages/page.h"

/** @document: document_suppressions; @show: which of them; @matchers: what the form begins with. */
void page_suppressions(
	struct page *page, const struct node *document, struct text show, struct text matchers);

/** @suppression: document_suppression; @hits: document_suppression_hits. */
void page_suppression(struct page *page, const struct node *suppression, const struct node *hits);
