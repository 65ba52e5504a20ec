/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Falco's text: the prefix "time: Priority " that stands before a message in the plain form and in
 * the JSON form's `output`, and the fields that Falco itself appends at its end.
 */

#include "decode/falco_event.h"
#include "model/severity.h"

struct falco_line {
	struct text time;     /* "19:52:28.429697301" or "2026-11-21T19:52:28.429697301+0000" */
	bool has_date;        /* the second form: the only one that says when */
	struct text priority; /* as spelled */
	struct text message;
};

/** Takes @line apart if it has exactly that form. */
bool falco_line_parse(struct text line, struct falco_line *out);

/** One of the eight words in any case, "Info", or a digit 0–7 as Falco's enum numbers them. */
bool falco_priority(struct text word, enum severity *out);

/**
 * Fills fields from the row of container and pod fields that Falco (0.41 and later, or -pk) puts at
 * the very end of a message.
 *
 * Only the whole row in Falco's own order counts: what stands before it (command lines, file names)
 * is chosen by whoever runs the process, and a lone "k8s_pod_name=x" in it must not accuse pod x.
 */
void falco_line_fields(struct text message, struct falco_event *event);
