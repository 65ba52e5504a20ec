/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reach.h"

#include "base/cleanup.h"
#include "store/alerts.h"
#include "store/incidents.h"
#include "store/overlays.h"

enum { ARENA_BYTES = 64 * 1024 * 1024 };

bool reach_has_incident(const struct scope *scope, const struct incident *incident)
{
	return scope_includes(scope, incident->cluster, incident->namespace);
}

bool reach_has_alert(const struct scope *scope, const struct alert *alert)
{
	return scope_includes(scope, alert->cluster, alert->namespace);
}

static int outside(uint64_t number, struct err *err)
{
	return err_set(err, ERR_MISSING, "no incident INC-%llu", (unsigned long long)number);
}

int reach_incident(
	struct connection *connection, const struct scope *scope, uint64_t number, struct err *err)
{
	AUTO(arena_done) struct arena arena = {0};
	struct incident incident;
	uint64_t now;
	if (scope_is_all(scope))
		return 0;
	arena_init(&arena, ARENA_BYTES);
	if (overlay_survivor(connection, number, &now, err) < 0 ||
		incident_summary_read(connection, now, &arena, &incident, err) < 0)
		return err->kind == ERR_MISSING ? outside(number, err) : -1;
	return reach_has_incident(scope, &incident) ? 0 : outside(number, err);
}

/* What it does not say itself, its incident may. */
static int reach_by_incident(struct connection *connection, const struct scope *scope,
	const struct alert *alert, bool *inside, struct err *err)
{
	uint64_t number;
	*inside = false;
	if (alert->namespace.size)
		return 0;
	if (incident_of_alert(connection, alert, &number, err) < 0)
		return -1;
	if (number == 0)
		return 0;
	if (reach_incident(connection, scope, number, err) == 0)
		*inside = true;
	else if (err->kind != ERR_MISSING)
		return -1;
	return 0;
}

int reach_alert(
	struct connection *connection, const struct scope *scope, struct text id, struct err *err)
{
	AUTO(arena_done) struct arena arena = {0};
	struct alert alert;
	uint64_t leaf;
	if (scope_is_all(scope))
		return 0;
	arena_init(&arena, ARENA_BYTES);
	if (alert_find(connection, id, &leaf, err) < 0 ||
		alert_read(connection, leaf, &arena, &alert, err) < 0)
		return -1;
	bool inside = reach_has_alert(scope, &alert);
	if (!inside && reach_by_incident(connection, scope, &alert, &inside, err) < 0)
		return -1;
	if (inside)
		return 0;
	return err_set(err, ERR_MISSING, "no alert '%.*s'", (int)(id.size < 40 ? id.size : 40),
		id.data ? id.data : "");
}
