/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Content ids: the digest of an incident's key and all its occurrence ids in order
 * (correlation.md section 3). Reads every alert, about a microsecond each, so it is computed when
 * asked for and kept by revision, and where others wait, in slices. At most CONTENT_IDS_MAX ids are
 * in memory at once: a larger incident is read several times.
 */

#include "store/incidents.h"
#include "store/slice.h"

enum { CONTENT_IDS_MAX = 4 * 1024 * 1024 };

/** One content id on its way. Memory is bounded by @ids_max ids (0: CONTENT_IDS_MAX) of 16 bytes.
 */
struct content_job;

struct content_job *content_job_new(size_t ids_max);
void content_job_free(struct content_job *job);

/** Begins anew, with the incident as it is now, which is not frozen. ERR_MISSING. */
CHECKED int content_job_begin(
	struct content_job *job, struct connection *connection, uint64_t number, struct err *err);

/** The incident that it is about and its revision then; 0 before content_job_begin. */
uint64_t content_job_number(const struct content_job *job);
uint64_t content_job_revision(const struct content_job *job);

/** Works until the slice is over; NULL: to the end. 1: there is more; 0: *out is the digest. */
CHECKED int content_job_step(struct content_job *job, struct connection *connection,
	struct slice *slice, struct digest *out, struct err *err);
