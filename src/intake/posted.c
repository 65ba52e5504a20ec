/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/posted.h"

#include <stdlib.h>

#include "intake/admission.h"
#include "intake/limits.h"

static struct posted *posted_of(struct delivery *delivery)
{
	return (struct posted *)(void *)delivery;
}

void posted_free(struct posted *posted)
{
	if (posted->credentials)
		snapshot_unref(&posted->credentials->snapshot);
	delivery_done(&posted->delivery);
	free(posted);
}

static unsigned status_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_INPUT:
		return 400;
	case ERR_DENIED:
		return 403;
	case ERR_LIMIT:
		return 413;
	default:
		return 503;
	}
}

static const char *title_of(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad request";
	case 403:
		return "Forbidden";
	case 413:
		return "Content too large";
	case 429:
		return "Too many requests";
	default:
		return "Not now";
	}
}

void posted_refuse(struct posted *posted, unsigned status, const char *title, struct text detail)
{
	const struct delivery *delivery = &posted->delivery;
	struct http_request *request = posted->request;
	intake_count_refusal(delivery->intake, delivery->sender, delivery->source, status,
		delivery->ignores_answers);
	http_set_owner(request, NULL);
	if (status == 429 || status == 503)
		http_respond_retry(request, status, title, detail, RETRY_AFTER_S);
	else
		http_respond_problem(request, status, title, detail);
	posted_free(posted);
}

void posted_refuse_error(struct posted *posted, const struct err *err)
{
	unsigned status = status_of(err->kind);
	posted_refuse(posted, status, title_of(status), text_of(err->text));
}

/* A right token is never refused because of wrong ones behind the same address. */
void posted_refuse_stranger(struct posted *posted, struct text how)
{
	if (throttle_failed(posted->delivery.intake->throttle, http_peer(posted->request)))
		posted_refuse(posted, 429, "Too many wrong tokens",
			TEXT("this address sent too many requests without a valid token"));
	else
		posted_refuse(posted, 401, "Unauthorized", how);
}

static void finish(struct delivery *delivery, unsigned status)
{
	struct posted *posted = posted_of(delivery);
	const struct err *err = &delivery->batch->err;
	if (posted->request && status != 200) {
		posted_refuse(posted, status, title_of(status),
			err->kind ? text_of(err->text) : TEXT("the store does not keep up"));
		return;
	}
	if (posted->request) {
		http_set_owner(posted->request, NULL);
		posted->answer(posted);
	}
	posted_free(posted);
}

static void drop(struct delivery *delivery)
{
	posted_free(posted_of(delivery));
}

void posted_init(
	struct posted *posted, struct http_request *request, const struct posted_options *options)
{
	struct intake *intake = options->intake;
	posted->request = request;
	posted->answer = options->answer;
	posted->credentials = admission_set(intake);
	posted->credential =
		admission_of(intake, posted->credentials, options->token, http_subject(request));
	posted->delivery = (struct delivery){.intake = intake,
		.source = options->source,
		.finish = finish,
		.drop = drop,
		.arrived_after_ms = http_arrived_after_ms(request),
		.sender = senders_get(
			intake->senders, http_peer(request), options->source, !posted->credential)};
	http_set_owner(request, posted);
}

void posted_is_made(struct posted *posted)
{
	snapshot_unref(&posted->credentials->snapshot);
	posted->credentials = NULL;
	posted->credential = NULL;
}

/* Before the batch is on its way nobody else knows of it; later its answer is nobody's. */
void posted_aborted(struct http_request *request, void *ctx)
{
	struct posted *posted = http_owner(request);
	unsigned status = http_refused_status(request);
	(void)ctx;
	if (!posted)
		return;
	if (status)
		intake_count_refusal(posted->delivery.intake, posted->delivery.sender,
			posted->delivery.source, status, posted->delivery.ignores_answers);
	if (posted->delivery.batch)
		posted->request = NULL;
	else
		posted_free(posted);
}
