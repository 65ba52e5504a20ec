/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A suppression that is a query (model/query.h). It may ask for what suppressions' labels say and
 * nothing else, so that an alert and a row of an incident's story are judged alike.
 */

#include "model/query.h"
#include "model/suppression.h"

struct scope;

/**
 * Parses it. ERR_INPUT and ERR_LIMIT have the place: a fault, or a field that alerts of one
 * fingerprint and place do not have in common. ERR_INPUT without: it would hide what says nothing.
 */
CHECKED int suppression_query_read(
	struct text source, struct arena *arena, const struct query **out, struct err *err);

/** Likewise, into the suppression. */
CHECKED int suppression_query_take(
	struct text source, struct arena *arena, struct suppression *out, struct err *err);

/** Is it true of what has these labels? All that it names must be known. */
bool suppression_query_fits(const struct query *query, const struct suppression_labels *labels);

/** Can it hide nothing that lies outside? It must name its namespaces: "=", or "a|b". */
bool suppression_is_inside(const struct suppression *suppression, const struct scope *scope);

/**
 * Its matchers and its query as matchers alone, in @arena. ERR_DENIED says what matchers cannot
 * say; ERR_LIMIT: too many.
 */
CHECKED int suppression_as_matchers(const struct suppression *suppression, struct arena *arena,
	struct matcher_list *out, struct err *err);
