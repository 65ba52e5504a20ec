/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What people and programs decide: ordinary input of the writer, written and audited in the same
 * transaction as everything else. One file of the writer per kind carries it out.
 */

#include "base/digest.h"
#include "model/credential.h"
#include "model/edit.h"
#include "model/incident.h"
#include "model/recorrelation.h"
#include "model/saved_view.h"
#include "model/suppression.h"

enum decision_kind {
	DECISION_TOKEN_CREATE,  /* credential is filled but for id; id is set by the writer */
	DECISION_TOKEN_REVOKE,  /* credential.id */
	DECISION_LINK_CREATE,   /* sign_in.link is filled */
	DECISION_SESSION_BEGIN, /* sign_in.session is filled but for id; id is set by the writer */
	DECISION_SESSION_END,   /* sign_in.session.id */
	DECISION_SESSION_USED,  /* sign_in.session.id: not audited */
	DECISION_RECHECK,       /* the incidents of `key` are computed again from their slots */
	DECISION_RECORRELATED,  /* that all of them since from_ns were, n_changes otherwise: audited
				 */
	DECISION_SUPPRESS,      /* struct suppression_decision: makes one, or changes one */
	DECISION_UNSUPPRESS,    /* … ends one */
	DECISION_VIEW_SAVE,     /* struct view_decision */
	DECISION_VIEW_REMOVE,   /* … by its id */
	/* about an incident, see struct incident_decision */
	DECISION_ACK,
	DECISION_ASSIGN,
	DECISION_COMMENT,
	DECISION_RESOLVE,
	DECISION_REOPEN,
	DECISION_SNOOZE,
	DECISION_CUT,
	DECISION_MERGE,
	DECISION_UNLINK,
	DECISION_UNDO,
	N_DECISION_KINDS
};

enum { COMMENT_BYTES_MAX = 16 * 1024, ASSIGNEE_BYTES_MAX = 128, IDEMPOTENCY_KEY_BYTES_MAX = 200 };

/* What the writer made of a decision about an incident. Texts are the batch's. */
struct decision_result {
	unsigned status;     /* 200: carried out; 404, 409, 422: refused, and nothing was changed */
	struct text refusal; /* why, for people */
	uint64_t number;     /* the incident that it went to: where it was merged into; 0: none */
	uint64_t asked; /* the number that was merged into it since; 0: it was asked for itself */
	uint64_t revision;  /* of that incident, now */
	struct text answer; /* JSON of what was done; the same when it is asked again by its key */
};

/* Text lives as long as the batch. */
struct incident_decision {
	uint64_t number;
	bool has_revision; /* refused unless the incident still has this revision */
	uint64_t revision;
	struct text key;       /* idempotency key; absent: none */
	struct digest request; /* of all that was asked: the same key means the same request */
	char edit_id[EDIT_ID_BYTES]; /* of the edit that it may make; chosen by whoever asks */

	/* by kind */
	struct text who;      /* assign; empty: nobody. snooze and the others: unused */
	struct text text;     /* comment */
	enum verdict verdict; /* resolve */
	int64_t until_ns;     /* snooze; 0: wake */
	bool has_slot;        /* cut: at from_slot, else behind now; unlink: a range, else all */
	int64_t from_slot,
		to_slot;  /* unlink: INT64_MIN, INT64_MAX: where the incident begins, ends */
	uint64_t other;   /* merge */
	struct text edit; /* undo */
	unsigned char prints[EDIT_PRINTS_MAX][FINGERPRINT_BYTES]; /* unlink */
	size_t n_prints;

	struct decision_result result;
};

/* About who is signed in. */
struct sign_in_decision {
	struct session session;
	struct sign_in_link link; /* begin: used up, if has_link; create: made */
	bool has_link;
	uint64_t replaces;   /* the session that ends with this beginning; 0: none */
	const char *refusal; /* out: why it was not carried out, a literal; NULL: it was */
};

/* Text lives as long as the batch. */
struct suppression_decision {
	/* Suppress: what is wanted; starts_ns 0: now. With the id of one that is there: that one is
	 * changed, or where that cannot be, ended and followed by another. Unsuppress: the id. */
	struct suppression wish;
	char new_id[SUPPRESSION_ID_BYTES]; /* of the one that it may make */
	int64_t longest_ns;                /* from now on */
	struct text key;                   /* idempotency key; absent: none */
	struct digest request;
	struct decision_result result; /* number 0; answer: {"id"} */
};

/* Text lives as long as the batch. */
struct view_decision {
	struct saved_view wish;        /* to be saved; of one to be removed, its id */
	struct decision_result result; /* number 0; answer: {"id"} */
};

/* What a decision about the grouping would do: nothing is decided. The arena is the batch's. */
struct grouping_preview {
	struct incident_change_list changes; /* of incidents; the first RECORRELATION_CHANGES_MAX */
	uint64_t n_changes;
	uint64_t linked, unlinked; /* incidents; 0: none */
};

struct decision {
	struct decision *next;
	enum decision_kind kind;
	struct text actor;  /* "token:NAME", "oidc:NAME", "local" */
	struct scope scope; /* what the actor sees: of incidents outside it there are none */
	enum role role;     /* the actor's */
	struct suppression_decision suppression;
	struct view_decision view;
	struct credential credential;
	struct sign_in_decision sign_in;
	struct incident_decision incident;
	struct grouping_preview preview; /* out, of the previewer alone */
	struct text key;                 /* whole, with "#…" when carved */
	bool carved;
	int64_t from_ns;
	uint64_t n_changes;
};

/** "ack", "assign", …; NULL for what is not about an incident. */
const char *decision_name(enum decision_kind kind);

/** What became of one that has such a result: about an incident, a suppression or a view. */
const struct decision_result *decision_result(const struct decision *decision);

/** How the actor is called as an assignee: "token:ann" is "ann". */
struct text decision_actor_name(struct text actor);
