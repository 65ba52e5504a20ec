/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sizes that a sender can influence, beside base/pull.h's and model/alert.h's own. */

enum {
	/* A normalised field; the raw keeps the whole (correlation.md section 9). */
	FIELD_MAX_BYTES = 4096,
	/* Names: rows are interned by them, and the longest real one (an image) is half of it. */
	NAME_MAX_BYTES = 512,
	/* The longest name of ours has 29 bytes; what is longer cannot be one. */
	FIELD_PATH_MAX_BYTES = 128,
	FIELD_DEPTH_MAX = 8, /* dotted names that were expanded to nested objects */
	/* Of Falco's output text, in the occurrence id: falcosidekick cuts at 507 bytes. */
	IDENTITY_TEXT_BYTES = 256,
	PATTERN_MAX_BYTES = 512, /* of a resource, in the fingerprint */
	/* Of one Tetragon event, in the occurrence id: the richest real one has 9. */
	TETRAGON_MEMBERS_MAX = 32,
	ALERTMANAGER_LABELS_MAX = 128, /* Prometheus' own limit is not set; real ones have 30 */
	TETRAGON_NAME_BYTES = 40,      /* an event we do not know; its name becomes a rule's */
};
