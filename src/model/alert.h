/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One alert, normalised: what every sensor's payload becomes (surface.md "Alert").
 *
 * All text lives in the arena of the batch the alert came in, or points into its raw bytes, and is
 * valid UTF-8 (invalid bytes were replaced); `raw` alone holds the sender's bytes verbatim. A text
 * of size 0 is absent: decoders turn "<NA>", "", null and "host" into that.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/text.h"
#include "model/attack.h"
#include "model/severity.h"
#include "model/source.h"

enum { OCCURRENCE_BYTES = 16, FINGERPRINT_BYTES = 16, ALERT_TAGS_MAX = 64 };

/* A leaf's kind in the ledger (design.md "Leaf"). Stored: numbers never change. */
enum leaf_kind {
	LEAF_ALERT = 1,
	LEAF_QUARANTINED = 2,
	LEAF_SHED = 3,
	LEAF_CUSTODY = 4,
	LEAF_HOLD = 5,
	LEAF_REDACTION = 6,
	LEAF_TOMBSTONE = 7,
	LEAF_KEY = 8,
	LEAF_GAP = 9,
};

/* What the sensor did. Stored: numbers never change. */
enum alert_action { ACTION_OBSERVED, ACTION_BLOCKED, ACTION_AUDITED, ACTION_KILLED };

/* Stored: numbers never change. Names in alert_flag_name. */
enum alert_flag {
	ALERT_TIME_UNTRUSTED = 1 << 0, /* no usable event time: time_ns is received_ns */
	ALERT_PREVENTED = 1 << 1,
	ALERT_CONTEXT = 1 << 2, /* extends an incident, never founds one */
	ALERT_ORPHAN_LATE = 1 << 3,
	ALERT_REDACTED_AT_INGEST = 1 << 4,
	ALERT_ATTACK_INFERRED = 1 << 5,
	ALERT_HEALTH = 1 << 6,     /* the sensor speaks of itself: stored, shown, not correlated */
	ALERT_TRUNCATED = 1 << 7,  /* a field was cut at its limit; the raw is whole */
	ALERT_SUPPRESSED = 1 << 8, /* when it came in, an active suppression matched it */
	ALERT_ECHO = 1 << 9, /* what we sent comes back: an incident's activity, not correlated */
	ALERT_STATEFUL = 1 << 10, /* its sender says when it ends */
};

/* What became of an alert; set by the writer. */
enum alert_outcome {
	OUTCOME_NONE,
	OUTCOME_ACCEPTED,
	OUTCOME_DUPLICATE,
	OUTCOME_QUARANTINED,
	OUTCOME_SHED, /* a LEAF_SHED is stored */
};

struct process {
	struct text name, exe, cmdline, parent, parent_exe, user, exec_id;
	int64_t pid; /* -1: absent, as uid */
	int64_t uid;
};

struct workload {
	struct text kind, name;
	bool inferred;
};

/* A field cut before storing: path and value as they were, for the leaf's commitment. */
struct redaction {
	struct text path;  /* JSON pointer */
	struct text value; /* the cut bytes; wiped with the batch */
	unsigned char salt[16];
	bool is_hashed; /* cut elsewhere: path and value are not known here, their hash is */
	struct digest hash;
};

/* What was shed because a spool was full, where an alert would stand (LEAF_SHED). */
struct shed {
	struct text severity, rule; /* as the sender says; rule absent: several */
	int64_t from_ns, until_ns;  /* of their arrival */
	uint64_t n, bytes;
};

struct alert {
	struct alert *next; /* in its batch */

	enum leaf_kind kind;      /* LEAF_ALERT, LEAF_QUARANTINED or LEAF_SHED */
	struct text raw;          /* verbatim, or with redactions cut out */
	struct digest raw_digest; /* SHA-256 of raw */
	struct text quarantine_reason;

	unsigned char occ[OCCURRENCE_BYTES];
	unsigned char fingerprint[FINGERPRINT_BYTES];
	enum source source;        /* the ingest path's */
	struct text sensor;        /* family: "falco" for both of its roads */
	struct text sensor_source; /* Falco's "source": syscall, k8s_audit, internal … */
	int64_t time_ns;           /* event time */
	int64_t received_ns;

	struct text cluster, node, namespace, pod, pod_uid, container, container_id;
	struct text image, image_digest, runtime_class;
	struct workload workload;

	struct text rule, message, resource, operation;
	enum severity severity;
	struct text severity_reported;
	enum alert_action action;
	struct process process;

	tactic_mask tactics;
	technique_code techniques[ATTACK_TECHNIQUES_MAX]; /* ascending, distinct */
	size_t n_techniques;
	struct text_list attack_reported, tags, via;

	/* Of a stateful one, 0: not said. Every delivery may say more: the latest counts. */
	int64_t firing_until_ns; /* it ends then, unless told of again */
	int64_t resolved_ns;     /* it has ended */
	uint64_t echo_of;        /* the incident that its mark names; 0: it has none */

	uint64_t count; /* ≥ 1: the sender's own grouping */
	uint32_t flags; /* enum alert_flag */

	struct redaction *redactions;
	size_t n_redactions;
	struct health_fact *health; /* with ALERT_HEALTH; else NULL */
	const struct shed *shed;    /* of LEAF_SHED; else NULL */

	/* counted when committed, not stored */
	struct text syscall;    /* the system call it tells of, as "setns"; absent: of none */
	bool entered_container; /* an exec into a running container, from outside it */

	/* set by the writer */
	enum alert_outcome outcome;
	uint64_t leaf;
	int64_t slot; /* -1: not correlated */
	int64_t entity_id, fingerprint_id, rule_id, sensor_id;
	const uint64_t *suppressions; /* numbers of those that match it */
	size_t n_suppressions;
};

/* What a sensor says about itself. */
/* Stored: numbers never change. */
enum health_kind {
	HEALTH_METRICS,
	HEALTH_DROPS,
	HEALTH_RESTART_FAILED,
	HEALTH_OTHER,
	HEALTH_THROTTLED, /* it keeps back what it sees, for lasts_s */
};

struct health_fact {
	enum health_kind kind;
	struct text version;    /* absent: not said */
	int64_t n_events;       /* -1: not said; as all below */
	int64_t n_drops;        /* events the kernel side lost */
	int64_t n_output_drops; /* alerts lost in the sensor's output queue */
	int64_t started_at_ns;
	int64_t lasts_s; /* HEALTH_THROTTLED; 0: not said */
};

const char *alert_action_name(enum alert_action action);
bool alert_action_parse(struct text word, enum alert_action *out);

/** Name of one flag (a single bit), as the API shows it. */
const char *alert_flag_name(enum alert_flag flag);
enum { N_ALERT_FLAGS = 11 };

/** Has @alert the flag? */
static inline bool alert_is(const struct alert *alert, enum alert_flag flag)
{
	return (alert->flags & (uint32_t)flag) != 0;
}

/** Is it about the node itself, and no container or pod on it? */
static inline bool alert_is_on_node(const struct alert *alert)
{
	bool has_name = alert->namespace.size && alert->pod.size;
	return alert->node.size && !alert->container_id.size && !alert->pod_uid.size && !has_name;
}

/** Adds a technique, keeping the list ascending and distinct; silently full at the limit. */
void alert_add_technique(struct alert *alert, technique_code technique);
