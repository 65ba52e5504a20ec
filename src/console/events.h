/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who reads events: on the loop's thread. A reader first gets what it missed, page by page, then
 * every broadcast; both come from the feed, so that a broadcast is read and written once however
 * many listen. Ids are positions in the store, so a reader resumes anywhere, also after a restart.
 */

#include "console/console.h"

struct events;

enum {
	EVENT_CLIENTS_MAX = 1000,
	EVENT_CLIENTS_PER_CREDENTIAL = 64,
	EVENT_KEEP_ALIVE_MS = 15000, /* proxies end silent connections, often after 30 s or 60 s */
};

/** Starts the feed. @options must outlive it; @idle_ns: after which a session has ended. */
CHECKED int events_start(struct events **out, const struct console_options *options,
	int64_t idle_ns, struct err *err);
/** Ends the feed; who still reads is left to http_server_stop. */
void events_stop(struct events *events); /* accepts NULL */
void events_free(struct events *events); /* accepts NULL; after http_server_stop */
