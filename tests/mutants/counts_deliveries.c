/* SPDX-License-Identifier: Apache-2.0 */

/* Counters that add: what is delivered twice counts twice. */

#include <stdlib.h>

#include "base/table.h"
#include "pipeline/correlator.h"

int __wrap_correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err);
int __real_correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err);
struct correlator *__wrap_correlator_new(const struct criticality_rules *criticality);
struct correlator *__real_correlator_new(const struct criticality_rules *criticality);

static struct table *accepted; /* occ → the alert that came first */

struct correlator *__wrap_correlator_new(const struct criticality_rules *criticality)
{
	table_free(accepted);
	accepted = table_new(free);
	return __real_correlator_new(criticality);
}

int __wrap_correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err)
{
	struct text occ = {(const char *)alert->occ, OCCURRENCE_BYTES};
	union table_value *place = table_put(accepted, occ);
	if (!place)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (alert->outcome == OUTCOME_DUPLICATE && place->pointer)
		return __real_correlator_add(correlator, connection, place->pointer, err);
	if (!place->pointer && (place->pointer = malloc(sizeof *alert)))
		*(struct alert *)place->pointer = *alert;
	return __real_correlator_add(correlator, connection, alert, err);
}
