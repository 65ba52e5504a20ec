/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How an incident's alerts are spread over its time, and how far their times can be trusted. */

#include "model/severity.h"
#include "store/connection.h"

enum { RATE_BINS = 60, RATE_LEAVES_MAX = 10000 };

struct incident_rate {
	int64_t from_ns, to_ns;                 /* in: first and last bin's; to_ns > from_ns */
	uint64_t bins[RATE_BINS][N_SEVERITIES]; /* by enum severity */
	uint64_t n_seen;      /* alerts that were looked at, at most RATE_LEAVES_MAX */
	uint64_t n_untrusted; /* that came without a usable time */
	uint64_t n_late;      /* that came over a minute after their time */
	bool partial;         /* there are more */
};

CHECKED int incident_rate_read(struct connection *connection, uint64_t number,
	struct incident_rate *rate, struct err *err);
