/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/coverages.h"

#include "store/agents.h"
#include "store/coverage_places.h"
#include "store/coverages.h"
#include "store/spools.h"

/* What the sensor said of itself in an alert that is new. */
static int keep_health(struct connection *connection, const struct alert *alert, struct err *err)
{
	int64_t id;
	struct pulse pulse;
	struct pulse_told told;
	struct coverage place = {.cluster = alert->cluster,
		.node = alert->node,
		.source = alert->source,
		.sensor = alert->sensor};
	int64_t time_ns = alert->time_ns < alert->received_ns ? alert->time_ns : alert->received_ns;
	if (pulse_read(connection, &place, &id, &pulse, err) < 0)
		return -1;
	pulse_beat(&pulse, alert->health, time_ns, &told);
	for (size_t i = 0; i < told.n; i++) {
		place.state = told.items[i].state;
		place.from_ns = told.items[i].from_ns;
		place.until_ns = told.items[i].until_ns;
		place.n = told.items[i].n;
		if (coverage_note(connection, &place, err) < 0)
			return -1;
	}
	return pulse_write(connection, id, &pulse, err);
}

/* What an agent has delivered and this database has not: how many, and of which sensors, nobody
 * knows any more. */
static int keep_lack(
	struct connection *connection, const struct batch *batch, int64_t now_ns, struct err *err)
{
	const struct spool_mark *mark = batch->spool;
	if (!mark || !mark->is_lacking)
		return 0;
	int64_t from_ns = mark->lacking_ns;
	const struct coverage lack = {.cluster = batch->cluster,
		.node = mark->node,
		.source = SOURCE_TOCSIN,
		.sensor = TEXT(SPOOL_LACK_SENSOR),
		.state = COVERAGE_DROPPING,
		.from_ns = from_ns > 0 && from_ns < now_ns ? from_ns : now_ns,
		.until_ns = now_ns};
	return coverage_note(connection, &lack, err);
}

int coverages_keep(
	struct connection *connection, const struct batch *batch, int64_t now_ns, struct err *err)
{
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		if (alert->health && alert->outcome == OUTCOME_ACCEPTED &&
			!alert_is(alert, ALERT_TIME_UNTRUSTED) &&
			!alert_is(alert, ALERT_ORPHAN_LATE) &&
			keep_health(connection, alert, err) < 0)
			return -1;
	for (const struct coverage *item = batch->coverage; item; item = item->next)
		if (coverage_note(connection, item, err) < 0)
			return -1;
	if (keep_lack(connection, batch, now_ns, err) < 0)
		return -1;
	return batch->report ? agent_note(connection, batch->report, now_ns, err) : 0;
}
