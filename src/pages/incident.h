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

/* The first screen. */
void incident_answers(struct page *page, const struct incident_data *data);
void incident_decisive(struct page *page, const struct incident_data *data);
void incident_path(struct page *page, const struct node *incident);

/* The parts. */
void incident_story(struct page *page, const struct incident_data *data);
void incident_tactics(struct page *page, const struct incident_data *data);
void incident_processes(struct page *page, const struct incident_data *data);
void incident_entities(struct page *page, const struct incident_data *data);
void incident_alerts(struct page *page, const struct incident_data *data);
void incident_activity(struct page *page, const struct incident_data *data);
void incident_similar(struct page *page, const struct incident_data *data);

/** The command line or message of a row of the story; absent: none. */
struct text incident_example(const struct incident_data *data, struct text fingerprint);
/** What one row of the story says, as a sentence. */
void incident_sentence(
	struct page *page, const struct incident_data *data, const struct node *print);
/** Does the rule of this row of the story show the tactic ("TA0004") in this incident? */
bool incident_has_tactic(const struct node *incident, const struct node *print, struct text id);
/** "acknowledged" … in the reader's language. */
void incident_activity_kind(struct page *page, struct text kind);
/** Why a similar incident is similar. */
void incident_likeness(struct page *page, const struct node *similar);
/** Says so when a document did not look at all alerts. */
void incident_partial(struct page *page, const struct node *document);
