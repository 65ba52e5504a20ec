/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/badge.h"
#include "pages/incident.h"
#include "pages/incidents.h"
#include "pages/moment.h"

/*
 * The first screen: is it real and how bad, where, still going, what happened, what was done, seen
 * before, and can the picture be trusted. One look, no scrolling.
 */

void incident_answers(struct page *page, const struct incident_data *data)
{
	struct html *html = &page->html;
	const struct node *entity = tree_member(data->incident, "entity");
	html_open(html, "dl", "answers");
	page_leaf(page, "dt", NULL, WORD_ASK_WHERE);
	html_leaf(html, "dd", NULL, incident_place(page, entity));
	page_leaf(page, "dt", NULL, WORD_ASK_GOING);
	html_open(html, "dd", NULL);
	moment_write(page, page_time_of(data->incident, "last_seen"), MOMENT_AGO);
	html_close(html);
	html_close(html);
}
