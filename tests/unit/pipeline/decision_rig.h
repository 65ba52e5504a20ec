/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A real store and correlator in a folder of its own, fed with alerts and decisions. Check fails
 * what fails. */

#include "base/buf.h"
#include "pipeline/decisions.h"
#include "store/incidents.h"
#include "store/store.h"

struct rig {
	char folder[64];
	struct clock_manual clock;
	struct store *store;
	struct correlator *correlator;
	struct suppressor *suppressor;
	struct criticality_rules criticality;
	struct batch *batch; /* of the next transaction */
	unsigned n_alerts, n_decisions;
	struct arena arena; /* of what is read and kept, to the end */
};

/* An alert: seconds after the rig's beginning, which is the beginning of a slot. */
struct rig_alert {
	int64_t at_s;
	const char *pod, *rule;
	enum severity severity;
	unsigned tactic; /* rank; 0: none */
	bool context;
};

void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
void rig_restart(struct rig *rig); /* nothing is left in memory */

int64_t rig_time(int64_t at_s);
int64_t rig_slot(int64_t at_s);
void rig_clock(struct rig *rig, int64_t at_s);

/** Adds to the next transaction. */
void rig_alert(struct rig *rig, const struct rig_alert *alert);
/** The decision is zeroed but for kind, actor ("token:ann"), number and a new edit id. */
struct incident_decision *rig_decision(struct rig *rig, enum decision_kind kind, uint64_t number);

/** The id of the n-th decision is "suppressionN"; it is "noise", and begins now. */
struct suppression_decision *rig_suppress(struct rig *rig, const char *matchers, int64_t for_s);
struct suppression_decision *rig_unsuppress(struct rig *rig, const char *id);

/** One transaction: what was added; @commit false: rolled back at the end. Results stay readable.
 */
void rig_run(struct rig *rig, bool commit);
void rig_commit(struct rig *rig);

void rig_fingerprint(const char *rule, unsigned char out[FINGERPRINT_BYTES]);
struct connection *rig_connection(struct rig *rig);
/** The incident as it is read now. */
struct incident *rig_incident(struct rig *rig, uint64_t number);
void rig_sql(struct rig *rig, const char *sql);
int64_t rig_count(struct rig *rig, const char *sql); /* a literal */
struct text rig_words(
	struct rig *rig, const char *sql); /* a literal; the first row's first column */

/** All that decisions write, as text. */
struct text rig_dump(struct rig *rig);
