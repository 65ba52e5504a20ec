/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What somebody who sees some namespaces only may reach: the one place that says so for single
 * incidents and alerts. Lists ask scope_includes by their filters. What lies outside is missing,
 * in the words of what never was.
 */

#include "model/alert.h"
#include "model/incident.h"
#include "model/scope.h"
#include "store/connection.h"

/** Is the incident's entity in @scope? */
bool reach_has_incident(const struct scope *scope, const struct incident *incident);

/**
 * Is the alert in @scope? One that does not say its namespace, which is in an incident that is in
 * scope, is a matter of that: see reach_alert.
 */
bool reach_has_alert(const struct scope *scope, const struct alert *alert);

/** Is the incident that @number is part of now in @scope? ERR_MISSING: not, or there is none. */
CHECKED int reach_incident(
	struct connection *connection, const struct scope *scope, uint64_t number, struct err *err);

/** Is the alert (occurrence id or leaf number) or its incident in @scope? Likewise. */
CHECKED int reach_alert(
	struct connection *connection, const struct scope *scope, struct text id, struct err *err);
