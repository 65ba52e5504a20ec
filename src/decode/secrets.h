/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Values that never reach the disk: cut out of an event's bytes before it is decoded, hashed or
 * stored (design.md "Security of the thing itself"). What follows sees only the bytes that are
 * left, so a secret is in no field, fingerprint, id, reason or error.
 *
 * Each value of the table (secret_rows.c) becomes the JSON string "[redacted]"; where another
 * string of the event says it (8 bytes or more), these bytes become [redacted] inside it, but
 * names (of a rule, a pod, keys) stay. All other bytes stay as they were. Each cut is a redaction
 * of the alert, in payload order: the cut bytes verbatim (a whole value with its quotes), the
 * string's JSON pointer, a salt. Put back in order, they give the event as it was sent.
 *
 * An event that has more than SECRET_CUTS_MAX loses the whole members of its top level that have
 * any. null, "", "<NA>" and what was cut before are no secrets.
 */

#include "base/err.h"
#include "model/batch.h"

enum {
	/* A list of 500 Secrets with two keys each. */
	SECRET_CUTS_MAX = 1024,
	/* Of one string; more: all of it. */
	SECRET_PIECES_MAX = 16,
	SECRET_PATH_BYTES_MAX = 1024,
};

#define SECRET_MARK "[redacted]"

/** What is secret of @source (its name in the ingest path), or NULL. */
const struct secrets *secrets_of(struct text source);

/**
 * Cuts alert->raw, which then lives in the batch's arena; salts come from batch->random.
 *
 * What does not begin as an object is taken for a text line, where the source has some. Fails with
 * the pull reader's errors when raw begins as an object and is not one: then nothing was cut and
 * raw must not be kept as it is. Check the arena afterwards.
 */
CHECKED int secrets_cut(
	const struct secrets *secrets, struct batch *batch, struct alert *alert, struct err *err);

/**
 * The same for bytes that are no JSON, by scanning: the value behind each key that is the last of a
 * row, to its end or, where that cannot be found, to the end of all; if there is any, also what
 * repeats other fields in its own words. A path is the key alone. What stands before a key that was
 * lost is not found: no table can know it.
 */
void secrets_cut_broken(const struct secrets *secrets, struct batch *batch, struct alert *alert);

/**
 * The same for a plain text line of Falco, as far as it shows what is secret: the value behind each
 * JSON key of the audit log's rows; behind the name of a field of its own rows and '=', an object
 * to its end, anything else to the end of the line; an object behind a name that Falco's rules give
 * one. They become [redacted], without quotes. A path is the key or name alone.
 */
void secrets_cut_line(const struct secrets *secrets, struct batch *batch, struct alert *alert);
