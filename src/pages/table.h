/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tables: what all of them have around their rows. */

#include "pages/page.h"

/** Opens a table with its caption and head, up to its tbody. @name: data-list. */
void table_open(struct page *page, const char *class, const char *name, enum word caption);
/** Between table_open and table_rows: a heading; @class "number" sets it right. */
void table_head(struct page *page, const char *class, enum word word);
void table_rows(struct page *page);
void table_close(struct page *page);

/** Below a table: "100 of 240 are shown", unless that is all. */
void table_rest(struct page *page, size_t shown, size_t n);

/** A cell with a text, clipped; a number; a time as MOMENT_AGO. */
void table_text(struct page *page, const struct node *row, const char *member, size_t bytes);
void table_number(struct page *page, const struct node *row, const char *member);
void table_time(struct page *page, const struct node *row, const char *member);
