/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which sensors watched when, and when one was silent, throttled, dropping or shed: a picture with
 * a lane for each sensor, and a table that says the same. What it shows is what may be missing.
 */

#include "pages/page.h"

/** @items: an array of Coverage (document_coverage, or an incident's), over this span of time. */
void coverage_write(struct page *page, const struct node *items, int64_t from_ns, int64_t to_ns);

/** A table of what agents had no room for, where something was: document_coverage. */
void coverage_write_shed(struct page *page, const struct node *coverage);

/** The lanes alone, at most 40: intervals of one sensor on one node, by its first. */
void picture_coverage(struct page *page, const struct node *items, int64_t from_ns, int64_t to_ns);

/** The first gaps as lines, worst first, and nodes that are not yet heard; true: there were some.
 */
bool coverage_doubts(struct page *page, const struct node *incident);

/** "dropping" in the reader's language. */
struct text coverage_state_word(const struct page *page, struct text state);
