/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What somebody decides about an incident, as the body of a POST says it. Strict: unknown members,
 * other types and nested objects are refused with their position, because whatever is overlooked
 * would be taken for done.
 */

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/decision.h"

/* How to answer what was refused: 400 for what is no such body, 422 for a value that cannot be, 503
 * when it could not be looked at: asked again, it may be right. */
struct wish_refusal {
	unsigned status;
	struct err err;
};

/** Refuses what refusal->err says, with @status unless memory was short. false. */
bool wish_refuse(struct wish_refusal *refusal, unsigned status);

/**
 * Reads the body of a decision of @decision->kind, whose actor is set, into decision->incident. An
 * empty body is an empty object. Text in it lives in @arena.
 *
 *	ack, reopen  {}
 *	assign       {"assignee"}: absent or "me" is the actor, "" nobody
 *	comment      {"text"}
 *	resolve      {"verdict"}
 *	snooze       {"until"} or {"for"}: "90m", "2h", "7d"; "0" wakes
 *	cut          {"at"} or {"slot"}; neither: behind now
 *	merge        {"with"}
 *	unlink       {"fingerprints": [], "from", "to"}; without the last two: all of it
 *	undo         {"edit"}
 *
 * @now_ns: what "for" counts from. false with *refusal filled in.
 */
CHECKED bool decision_wish_read(struct text body, int64_t now_ns, struct arena *arena,
	struct decision *decision, struct wish_refusal *refusal);

/** "90m", "2h", "7d", "0" → nanoseconds; false for anything else or over a year. */
bool duration_parse(struct text word, int64_t *out);
