/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries: the first byte says of what. Whatever is wrong is inside the text; what parses can be
 * held against something, and completing it at any place points into it.
 */
#include <assert.h>

#include "base/clock.h"
#include "model/query_complete.h"
#include "model/query_eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void evaluate(const struct query *query)
{
	static struct text tags[] = {{"container", 9}};
	const struct alert alert = {.rule = TEXT("Terminal shell in container"),
		.namespace = TEXT("prod"),
		.pod = TEXT("web-1"),
		.message = TEXT("a \xff shell"),
		.tags = {tags, 1},
		.severity = SEVERITY_HIGH,
		.time_ns = 1000 * NS_PER_S};
	const struct incident incident = {.title = TEXT("Shell"), .risk_milli = 70000};
	const struct print_group group = {.like = alert, .n = 3};
	if (query->of == QUERY_OF_ALERTS)
		query_has_alert(query, &alert, 7);
	else if (query->of == QUERY_OF_INCIDENTS)
		query_has_incident(query, &incident);
	else
		query_has_print(query, &group);
}

static void complete(struct text text, enum query_of of)
{
	for (size_t at = 0; at <= text.size; at += 1 + text.size / 16) {
		struct query_spot spot;
		query_spot_find(text, at, of, &spot);
		assert(spot.place + spot.size <= text.size && spot.place + spot.size <= at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum query_of ofs[] = {
		QUERY_OF_INCIDENTS, QUERY_OF_ALERTS, QUERY_OF_FINGERPRINTS};
	struct arena arena;
	struct err err;
	const struct query *query;
	if (size < 1)
		return 0;
	const struct query_options options = {
		.of = ofs[data[0] % 3], .now_ns = 1795489200 * NS_PER_S, .me = TEXT("ann")};
	struct text text = {(const char *)data + 1, size - 1};
	arena_init(&arena, 16 * 1024 * 1024);
	if (query_parse(text, &options, &arena, &query, &err) == 0)
		evaluate(query);
	else
		assert(err.kind == ERR_MEMORY ||
			(err.place_size && err.place <= text.size &&
				(err.place + err.place_size <= text.size || err.place_size == 1)));
	complete(text, options.of);
	arena_done(&arena);
	return 0;
}
