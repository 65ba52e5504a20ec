/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A delivery that came as a POST, from its header to its answer: what /ingest and PushBatch have in
 * common. Private to intake/; the loop's thread.
 *
 * It is the request's owner until the request is answered or aborted.
 */

#include "intake/delivery.h"
#include "intake/encoding.h"

struct posted {
	struct delivery delivery;     /* first */
	struct http_request *request; /* NULL: given up, nobody waits for the answer */
	enum encoding encoding;

	/* until the batch is made */
	struct credential_set *credentials;
	const struct credential *credential; /* NULL: of a stranger */

	void (*answer)(struct posted *posted); /* 200, once the batch is stored */
};

struct posted_options {
	struct intake *intake;
	enum source source; /* whose refusals are counted */
	struct text token;  /* absent: there is none */
	void (*answer)(struct posted *posted);
};

/** @posted is zeroed memory of malloc, its first member: freed by posted_free. */
void posted_init(
	struct posted *posted, struct http_request *request, const struct posted_options *options);
void posted_free(struct posted *posted);

/** Counts the refusal, answers, frees. */
void posted_refuse(struct posted *posted, unsigned status, const char *title, struct text detail);
/** As posted_refuse, with the title and status that an error has. */
void posted_refuse_error(struct posted *posted, const struct err *err);
/** Of who has no credential: 401, or 429 after too many. @how: to show one. */
void posted_refuse_stranger(struct posted *posted, struct text how);

/** The batch is made: the credentials are not needed any more. */
void posted_is_made(struct posted *posted);

/** For http_route.aborted. */
void posted_aborted(struct http_request *request, void *ctx);
