/* SPDX-License-Identifier: Apache-2.0 */

/* Windows by when an alert arrived, as in Keep: the clock has gone on since an alert that comes
 * late. */

#include "model/slot.h"
#include "pipeline/correlator.h"

int __wrap_correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err);
int __real_correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err);
struct correlator *__wrap_correlator_new(const struct criticality_rules *criticality);
struct correlator *__real_correlator_new(const struct criticality_rules *criticality);

static int64_t now_ns;

struct correlator *__wrap_correlator_new(const struct criticality_rules *criticality)
{
	now_ns = 0;
	return __real_correlator_new(criticality);
}

int __wrap_correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err)
{
	enum { DELAY_S = 5400 }; /* later than that, and its incident has expired */
	struct alert arrived = *alert;
	if (alert->slot < 0)
		return __real_correlator_add(correlator, connection, alert, err);
	now_ns = alert->time_ns > now_ns ? alert->time_ns : now_ns;
	if (alert->time_ns < now_ns - DELAY_S * INT64_C(1000000000))
		arrived.time_ns = now_ns;
	arrived.slot = slot_of(arrived.time_ns);
	return __real_correlator_add(correlator, connection, &arrived, err);
}
