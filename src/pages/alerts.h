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

/** Single alerts that a query fits, newest first. @document: document_alerts. */
void page_alerts(struct page *page, const struct node *document);

/** Alerts by kind and workload. @document: document_fingerprints; @sort: as it was asked. */
void page_fingerprints(struct page *page, const struct node *document, struct text sort);

/** Alerts counted by a field. @document: document_alerts with a group. */
void page_alert_groups(struct page *page, const struct node *document, struct text group);

/* How alerts are shown: by kind, one by one, or counted by a field. */
struct alerts_view {
	bool single;
	struct text sort, group;
};

/** The heading of all: a query box and how alerts are shown. */
void alerts_heading(struct page *page, const struct alerts_view *view);
/** The page after this one, if there is one. */
void alerts_next(struct page *page, const struct alerts_view *view, struct text next);
