/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What went wrong, for people. */

#include "pages/page.h"

/** @detail: what and where, in our own words; absent: the status says enough. */
void page_problem(struct page *page, unsigned status, struct text detail);
