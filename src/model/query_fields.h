/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one table of what queries can ask for: parser, SQL, evaluator, completion and the reference
 * page (docs/reference/query.md) are made from it or checked against it.
 */

#include "model/query_of.h"

/* What a field's values are, and so which comparisons it takes. */
enum query_kind {
	QUERY_TEXT,        /* compared as text */
	QUERY_ASSIGNEE,    /* text; "me" and "none" */
	QUERY_FINGERPRINT, /* hex digits, at least 4 of the first */
	/* words: one or more of a list */
	QUERY_SEVERITY, /* ordered */
	QUERY_STATE,
	QUERY_VERDICT,
	QUERY_TACTIC,
	QUERY_SOURCE,
	QUERY_ACTION,
	QUERY_INCIDENT_FLAG,
	QUERY_ALERT_FLAG,
	/* numbers */
	QUERY_COUNT,
	QUERY_RISK,      /* 0–100 with up to three decimals; kept in thousandths */
	QUERY_INCIDENT,  /* INC-12 or 12 */
	QUERY_TECHNIQUE, /* T1059 is also all below it; kept as codes (model/attack.h) */
	QUERY_TIME,      /* an age as 2h, a day, or RFC 3339; kept in nanoseconds */
};

enum query_field_id {
	FIELD_SEVERITY,
	FIELD_STATE,
	FIELD_VERDICT,
	FIELD_ASSIGNEE,
	FIELD_RISK,
	FIELD_NUMBER,
	FIELD_ALERTS,
	FIELD_TITLE,
	FIELD_FIRST,
	FIELD_LAST,
	FIELD_RESOLVED,
	FIELD_INCIDENT_FLAG,
	FIELD_RECEIVED,
	FIELD_ALERT_FLAG,
	FIELD_CLUSTER,
	FIELD_NAMESPACE,
	FIELD_POD,
	FIELD_POD_UID,
	FIELD_NODE,
	FIELD_WORKLOAD,
	FIELD_CONTAINER,
	FIELD_CONTAINER_ID,
	FIELD_RULE,
	FIELD_SENSOR,
	FIELD_SOURCE,
	FIELD_TACTIC,
	FIELD_TECHNIQUE,
	FIELD_FINGERPRINT,
	FIELD_PROCESS,
	FIELD_CMDLINE,
	FIELD_EXE,
	FIELD_PARENT,
	FIELD_USER,
	FIELD_IMAGE,
	FIELD_OPERATION,
	FIELD_RESOURCE,
	FIELD_MESSAGE,
	FIELD_TAG,
	FIELD_ACTION,
	FIELD_COUNT,
	FIELD_LEAF,
	FIELD_INCIDENT,
	FIELD_ANY_TEXT, /* free words: no name */
};

struct query_field {
	enum query_field_id id;
	enum query_kind kind;
	unsigned of; /* mask of enum query_of */
	const char *name;
	const char *aliases[3]; /* ended by NULL when fewer */
	const char *text;       /* one line */
};

/** Ended by a NULL name. */
extern const struct query_field query_fields[];

/** What free words look at. */
extern const struct query_field query_any_text;

/** The field of that name or alias in what is looked for; NULL. *elsewhere: mask of what has it. */
const struct query_field *query_field_find(struct text name, enum query_of of, unsigned *elsewhere);

/* A word and what it stands for: bits of values that match. */
struct query_word {
	const char *name;
	uint32_t mask;
};

/** Word @i of a kind with words; false: there are no more. */
bool query_word_at(enum query_kind kind, size_t i, struct query_word *out);

static inline bool query_kind_has_words(enum query_kind kind)
{
	return kind >= QUERY_SEVERITY && kind <= QUERY_ALERT_FLAG;
}

static inline bool query_kind_is_text(enum query_kind kind)
{
	return kind <= QUERY_FINGERPRINT;
}

/* Bits of QUERY_INCIDENT_FLAG. */
enum query_incident_flag {
	QUERY_IS_SEALED = 1,
	QUERY_IS_SNOOZED = 2,
	QUERY_IS_FROZEN = 4,
	QUERY_IS_RECURRENCE = 8,
	QUERY_IS_SPLIT = 16,
	QUERY_IS_SUPPRESSED = 32, /* judged when it is read: no row says it */
};
