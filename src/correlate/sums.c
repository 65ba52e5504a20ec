/* SPDX-License-Identifier: Apache-2.0 */
#include "correlate/sums.h"

#include "correlate/risk.h"

bool sums_add(struct piece_sums *sums, const struct slot_row *row)
{
	sums->n += row->n;
	sums->sensors |= row->sensors;
	sums->mark += row->mark;
	if (slot_row_is_context(row))
		return true;
	sums->terminals |= row->terminals;
	if (row->severity > sums->severity)
		sums->severity = row->severity;
	struct piece_rule *rule = piece_sums_rule(sums, row->rule);
	if (!rule)
		return false;
	unsigned points = severity_points(row->severity);
	if (points > rule->points)
		rule->points = points;
	rule->tactics |= row->tactics;
	return true;
}
