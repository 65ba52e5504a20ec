/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From one request body to alerts: one JSON object, an array of them, NDJSON, or (where the source
 * has it) plain text lines. Pure. Called by intake threads, the agent and the fuzzers.
 */

#include "decode/decoder.h"

/**
 * Appends one alert for each event of @body to @batch (batch->source, cluster set by the caller).
 *
 * @body must live as long as the batch: alert->raw points into it (each event's verbatim bytes,
 * without the separators around it). An event that cannot be decoded becomes LEAF_QUARANTINED with
 * its reason; so does a broken remainder of the body, as one event. Every alert is complete: raw
 * digest, occurrence id, fingerprint, severity, tactics, time (@received_ns where the event's own
 * is missing or absurd: unparseable, before 2015, more than 24 h ahead; ALERT_TIME_UNTRUSTED).
 *
 * A source without text lines whose body is not JSON at all fails with ERR_INPUT and the position,
 * and nothing is appended. Over BODY_EVENTS_MAX events, or without memory: ERR_LIMIT, ERR_MEMORY.
 */
CHECKED int body_decode(
	struct text body, int64_t received_ns, struct batch *batch, struct err *err);

/**
 * As body_decode, for lines that were read from a file or a pipe: nobody can be told that they are
 * refused, so what is no alert is quarantined, wherever it stands, and the next line that begins an
 * object is read again; behind BODY_EVENTS_MAX events the rest is one. Nothing but separators
 * leaves no event. Fails only without memory (ERR_MEMORY).
 */
CHECKED int lines_decode(
	struct text lines, int64_t received_ns, struct batch *batch, struct err *err);

/**
 * Appends exactly one alert, from one event of batch->source as a sensor wrote it: one JSON object,
 * or one event as plain text where the source has that. All else as body_decode: what cannot be
 * decoded is quarantined. Fails only without memory (ERR_MEMORY).
 */
CHECKED int event_decode(
	struct text raw, int64_t received_ns, struct batch *batch, struct err *err);

/** Appends the event as quarantined, for a reason that its bytes do not tell. ERR_MEMORY. */
CHECKED int event_keep(struct text raw, const char *reason, int64_t received_ns,
	struct batch *batch, struct err *err);

enum { BODY_EVENTS_MAX = 100000 };
