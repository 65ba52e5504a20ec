/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Entity tags of incidents: "REVISION-HASH", with quotes. Decisions look at the revision alone;
 * whether somebody has a document already is seen by the hash, as some of what is shown (that an
 * incident was sealed, how often its alerts were delivered) changes without a revision.
 */

#include "base/text.h"

struct buf;
struct job;

enum { ENTITY_TAG_BYTES = 48 };

void entity_tag_make(char out[ENTITY_TAG_BYTES], uint64_t revision, struct text document);

/** The revision in an If-Match: "7", 7 or "7-0123456789abcdef". false: it is something else. */
bool entity_tag_revision(struct text header, uint64_t *revision);

/** Does an If-None-Match ("…", W/"…", or *; several with commas) name @tag? */
bool entity_tag_listed(struct text header, const char *tag);

/**
 * Puts the tag of @document on the answer of @job, and answers 304 when it is what the reader has:
 * then true. @document stays the caller's.
 */
bool entity_tag_answer(struct job *job, const struct buf *document);
