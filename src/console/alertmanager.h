/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Alertmanager's API v2 over HTTP (docs/alertmanager.md). Errors are one JSON string, as there.
 * What is posted as alerts goes in by intake.
 */

#include "alertmanager/alertmanager.h"
#include "console/api.h"

/** What the request asks for, in its arena; NULL without memory. Loop thread. */
const struct alertmanager_query *alertmanager_query_new(
	struct console *console, struct http_request *request);

/* On a reader. */
endpoint_answer alertmanager_answer_alerts, alertmanager_answer_groups,
	alertmanager_answer_silences, alertmanager_answer_silence;

/** 200, with what says that there is more. Takes the body's bytes. Any thread. */
void alertmanager_respond_truncated(
	struct http_request *request, struct console *console, struct buf *body);

/* Loop thread. */
void alertmanager_status_show(struct http_request *request, struct console *console);
void alertmanager_receivers_show(struct http_request *request, struct console *console);
void alertmanager_silence_create(struct http_request *request, struct console *console);
void alertmanager_silence_expire(struct http_request *request, struct console *console);
