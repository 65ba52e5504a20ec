/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One incident: a first screen that answers what is asked at night, and the parts behind it. */

#include "pages/page.h"

enum incident_part {
	PART_STORY,
	PART_TACTICS,
	PART_PROCESSES,
	PART_ENTITIES,
	PART_ALERTS,
	PART_ACTIVITY,
	PART_SIMILAR,
	N_INCIDENT_PARTS
};

/* Documents; NULL where the part does not need it. */
struct incident_data {
	enum incident_part part;
	const struct node *incident;
	const struct node *examples, *alerts, *activity, *similar, *sources, *rate, *processes,
		*entities;
};

/** "story", "tactics", …: the last part of the address. */
const char *incident_part_name(enum incident_part part);
bool incident_part_parse(struct text name, enum incident_part *out);

void page_incident(struct page *page, const struct incident_data *data);

/* The parts. */
void incident_answers(struct page *page, const struct incident_data *data);
void incident_story(struct page *page, const struct incident_data *data);
void incident_activity(struct page *page, const struct incident_data *data);

/** The command line or message of a row of the story; absent: none. */
struct text incident_example(const struct incident_data *data, struct text fingerprint);
/** What one row of the story says, as a sentence. */
void incident_sentence(struct page *page, const struct node *print);
