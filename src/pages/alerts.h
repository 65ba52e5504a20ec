/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Alerts: kinds of them, single ones in a table, and one whole with its raw bytes. */

#include "pages/page.h"

/** A table of @items, single alerts as document_alerts has them. */
void alerts_table(struct page *page, const struct node *items);

/**
 * One alert. @raw: its bytes as they were sent; absent: not kept any more, or not for this reader
 * (@raw_allowed says which).
 */
void page_alert(struct page *page, const struct node *alert, struct text raw, bool raw_allowed);

/** Alerts that a query fits, newest first. @document: document_alerts. */
void page_alerts(struct page *page, const struct node *document);
